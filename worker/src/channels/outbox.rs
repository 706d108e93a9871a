//! The way out of the embedded set-up: a folder. Each message is a `.json`, and a `.eml` beside it when it is mail.

use super::{Channel, Delivery, Outgoing, Reason, Sender};
use futures::future::BoxFuture;
use nazorg_domain::entities::ChannelKind;
use serde::Serialize;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Files being written at the same time; more only queues up before the disk.
const AT_ONCE: usize = 16;

/// A folder of messages. A file appears whole or not at all, and a second attempt at a message replaces the first's.
#[derive(Debug)]
pub struct Outbox {
    dir: PathBuf,
    sender: Sender,
    writing: Arc<Semaphore>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sheet<'a> {
    id: String,
    message_id: String,
    channel: &'a str,
    to: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    text: &'a str,
    language: &'a str,
    template: &'a str,
    at: String,
}

impl Outbox {
    /// Makes the folder, readable by this user only, when it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn open(dir: PathBuf, sender: Sender) -> io::Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&dir)?;
        Ok(Self { dir, sender, writing: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    async fn put(&self, outgoing: &Outgoing) -> Delivery {
        let Ok(files) = self.files(outgoing) else {
            return Delivery::unsent(Reason::of("address_invalid"), true);
        };
        let permit = tokio::time::timeout_at(outgoing.begin_by, self.writing.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else { return Delivery::NotBegun };
        let (dir, id) = (self.dir.clone(), outgoing.id.to_string());
        let written = tokio::task::spawn_blocking(move || {
            let written = files.iter().try_for_each(|(name, bytes)| write(&dir, name, bytes)).and_then(|()| sync(&dir));
            drop(permit);
            written
        });
        match written.await {
            Ok(Ok(())) => Delivery::Sent { provider_id: Some(id) },
            Ok(Err(error)) => {
                tracing::error!(code = "outbox_unwritable", kind = ?error.kind(), "the outbox folder takes nothing");
                Delivery::unsent(Reason::of("outbox_unwritable"), false)
            }
            Err(_) => Delivery::Unknown { reason: Reason::of("outbox_interrupted") },
        }
    }

    /// The files of a message, the `.json` last: once it is there, all is.
    fn files(&self, outgoing: &Outgoing) -> Result<Vec<(String, Vec<u8>)>, ()> {
        let mail = outgoing.channel == ChannelKind::Email;
        let sheet = Sheet {
            id: outgoing.id.to_string(),
            message_id: self.sender.message_id(outgoing),
            channel: outgoing.channel.as_str(),
            to: &outgoing.to,
            subject: mail.then_some(outgoing.subject.as_str()),
            text: &outgoing.text,
            language: outgoing.language,
            template: outgoing.template,
            at: outgoing.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        };
        let mut files = Vec::new();
        if mail {
            let (_, bytes) = self.sender.write(outgoing).map_err(drop)?;
            files.push((format!("{}.eml", outgoing.id), bytes));
        }
        files.push((format!("{}.json", outgoing.id), serde_json::to_vec_pretty(&sheet).map_err(drop)?));
        Ok(files)
    }
}

impl Channel for Outbox {
    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Delivery> {
        Box::pin(self.put(outgoing))
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Under another name first, on the disk, then under its own.
fn write(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let unfinished = dir.join(format!(".{name}.unfinished"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, dir.join(name))
}

/// The names are on the disk only when the folder is.
fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests;
