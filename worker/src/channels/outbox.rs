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
mod tests {
    use super::*;
    use crate::channels::mime::tests::{Letter, appointment};
    use crate::templates::Language;
    use chrono::{TimeZone, Utc};
    use nazorg_domain::entities::{MessageId, OrganisationId};
    use std::time::Duration;
    use uuid::Uuid;

    fn outgoing(channel: ChannelKind, to: &str) -> Outgoing {
        Outgoing {
            id: MessageId(Uuid::from_u128(7)),
            organisation: OrganisationId(Uuid::from_u128(9)),
            channel,
            to: to.to_owned(),
            subject: "Bericht".to_owned(),
            text: "Er staat een bericht.".to_owned(),
            language: "nl",
            template: "login",
            at: Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap(),
            begin_by: tokio::time::Instant::now() + Duration::from_secs(5),
        }
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn outbox(dir: &Path) -> Outbox {
        Outbox::open(dir.to_owned(), Sender::new("nazorg@example.org", "Nazorg").unwrap()).unwrap()
    }

    #[tokio::test]
    async fn mail_is_a_sheet_and_a_letter_and_a_second_attempt_replaces_both() {
        let dir = tempfile::tempdir().unwrap();
        let (outbox, mail) = (outbox(dir.path()), outgoing(ChannelKind::Email, "anna@example.net"));
        for _ in 0..2 {
            assert!(matches!(outbox.send(&mail).await, Delivery::Sent { .. }));
        }
        let id = mail.id;
        assert_eq!(names(dir.path()), [format!("{id}.eml"), format!("{id}.json")]);
        let sheet: serde_json::Value =
            serde_json::from_slice(&std::fs::read(dir.path().join(format!("{id}.json"))).unwrap()).unwrap();
        assert_eq!(sheet["to"], "anna@example.net");
        assert_eq!(sheet["messageId"], format!("<{id}@example.org>"));
        assert_eq!(sheet["at"], "2026-11-24T09:30:00.000Z");
    }

    #[tokio::test]
    async fn sheet_and_letter_hold_the_same_words_in_any_alphabet() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = outbox(dir.path());
        for language in Language::ALL {
            let mail = Outgoing { begin_by: outgoing(ChannelKind::Email, "").begin_by, ..appointment(language) };
            assert!(matches!(outbox.send(&mail).await, Delivery::Sent { .. }));
            let read = |ending| std::fs::read(dir.path().join(format!("{}.{ending}", mail.id))).unwrap();
            let sheet: serde_json::Value = serde_json::from_slice(&read("json")).unwrap();
            let letter = Letter::read(read("eml"));
            assert_eq!([&letter.subject, &letter.text], [&mail.subject, &mail.text]);
            assert_eq!([&sheet["subject"], &sheet["text"]], [&mail.subject, &mail.text]);
            assert_eq!(sheet["language"], language.tag());
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn nobody_else_reads_it() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("outbox");
        let sms = outgoing(ChannelKind::Sms, "+31612345678");
        assert!(matches!(outbox(&inner).send(&sms).await, Delivery::Sent { .. }));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&inner), mode(&inner.join(format!("{}.json", sms.id)))), (0o700, 0o600));
        assert_eq!(names(&inner).len(), 1, "a text message has no letter");
    }

    #[tokio::test]
    async fn a_folder_that_is_gone_is_known_unsent_and_an_address_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = outbox(&dir.path().join("outbox"));
        let nobody = outbox.send(&outgoing(ChannelKind::Email, "anna")).await;
        assert_eq!(nobody, Delivery::unsent(Reason::of("address_invalid"), true));
        std::fs::remove_dir(dir.path().join("outbox")).unwrap();
        let nowhere = outbox.send(&outgoing(ChannelKind::Email, "anna@example.net")).await;
        assert_eq!(nowhere, Delivery::unsent(Reason::of("outbox_unwritable"), false));
    }
}
