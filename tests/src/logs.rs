//! Everything the in-process service logs, kept in memory, so that a story can look for what must not be there.

use std::{
    io,
    sync::{Mutex, Once, PoisonError},
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

static KEPT: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Keeps every line from here on, of this process: `debug` of our own rooms, `info` of the libraries.
pub fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let rooms = "nazorg=debug,nazorg_api=debug,nazorg_domain=debug,nazorg_worker=debug";
        let filter = EnvFilter::builder().parse_lossy(format!("info,{rooms}"));
        tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(Kept).init();
    });
}

/// What was logged so far.
pub fn text() -> String {
    String::from_utf8_lossy(&KEPT.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

struct Kept;

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        KEPT.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Kept {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}
