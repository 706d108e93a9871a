//! `with-postgres COMMAND ARGUMENTS…` runs a command beside a PostgreSQL server of its own, whose address it finds in
//! `NAZORG_TEST_POSTGRES`: what makes its own databases there is tested on PostgreSQL instead of on SQLite.

use std::process::{Command, ExitCode};

use nazorg_tests::postgres::Postgres;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("with-postgres COMMAND ARGUMENTS…");
        return ExitCode::from(2);
    };
    let server = Postgres::start();
    let ended = Command::new(&program).args(arguments).env("NAZORG_TEST_POSTGRES", server.address()).status();
    match ended {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)),
        Err(error) => {
            eprintln!("with-postgres: {}: {error}", program.display());
            ExitCode::from(127)
        }
    }
}
