//! One SMTP connection, one command at a time, and what each failure says about the message.

use super::settings::{Security, SmtpSettings};
use super::{Delivery, Reason};
use lettre::address::Envelope;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Noop, Rcpt, Rset};
use lettre::transport::smtp::extension::{Extension, MailParameter};
use lettre::transport::smtp::response::{Response, Severity};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

const COURTESY: Duration = Duration::from_secs(2);

/// How far it had come when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Before there was a connection to speak over.
    Connecting,
    /// The first words over a connection that had been idle: it was closed behind our back.
    Stale,
    /// MAIL, RCPT and DATA: the text has not begun.
    Envelope,
    /// Once the text has begun, only a reply tells.
    Text,
}

/// A failure with what it means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure {
    pub(super) phase: Phase,
    /// The server's number, when it was the server that said no.
    pub(super) reply: Option<u16>,
}

impl Failure {
    /// No answer in time.
    pub(super) fn silent(phase: Phase) -> Self {
        Self { phase, reply: None }
    }

    fn of(phase: Phase, error: &Error) -> Self {
        Self { phase, reply: error.status().map(u16::from) }
    }

    /// The one place where a failure becomes a verdict.
    pub(super) fn delivery(self) -> Delivery {
        let reason = |code| Reason { code, reply: self.reply };
        match (self.phase, self.reply) {
            // A refused connection or log-in is about the service, whatever its number: it will be tried again.
            (Phase::Connecting | Phase::Stale, _) => Delivery::unsent(reason("smtp_unreachable"), false),
            (Phase::Envelope, None) => Delivery::unsent(reason("smtp_cut"), false),
            (_, Some(reply)) => Delivery::unsent(reason("smtp_refused"), reply >= 500),
            (Phase::Text, None) => Delivery::Unknown { reason: reason("smtp_no_reply") },
        }
    }
}

/// An open connection.
pub(super) struct Link {
    connection: AsyncSmtpConnection,
    /// Since when it has been idle.
    pub(super) idle_since: Instant,
    /// How many messages went over it.
    pub(super) used: u32,
    /// Something was answered since it was taken up again.
    spoke: bool,
}

impl Link {
    /// Opens a connection, protected and authenticated as the settings want.
    pub(super) async fn open(settings: &SmtpSettings, patience: Duration) -> Result<Self, Failure> {
        let opened = timeout(patience, open(settings)).await;
        let connection = opened.map_err(|_| Failure::silent(Phase::Connecting))?.map_err(|error| {
            tracing::warn!(code = "smtp_unreachable", host = settings.host, error = error.text, "no connection");
            Failure { phase: Phase::Connecting, reply: error.reply }
        })?;
        Ok(Self { connection, idle_since: Instant::now(), used: 0, spoke: true })
    }

    /// Taken up again after having been idle.
    pub(super) fn resume(mut self) -> Self {
        self.spoke = false;
        self
    }

    /// The phase of a failure in `phase`, given whether this connection was heard since it was taken up.
    pub(super) fn phase(&self, phase: Phase) -> Phase {
        if self.spoke { phase } else { Phase::Stale }
    }

    /// MAIL, RCPT, DATA.
    pub(super) async fn address(&mut self, envelope: &Envelope) -> Result<(), Failure> {
        let mut options = Vec::new();
        let ascii = |address: &lettre::Address| AsRef::<str>::as_ref(address).is_ascii();
        if !envelope.from().into_iter().chain(envelope.to()).all(ascii) {
            if !self.connection.server_info().supports_feature(Extension::SmtpUtfEight) {
                return Err(Failure { phase: Phase::Envelope, reply: Some(553) });
            }
            options.push(MailParameter::SmtpUtfEight);
        }
        self.say(Mail::new(envelope.from().cloned(), options)).await?;
        for recipient in envelope.to() {
            self.say(Rcpt::new(recipient.clone(), Vec::new())).await?;
        }
        self.say(Data).await
    }

    /// The text, and the server's word on it: what it calls the message.
    pub(super) async fn text(&mut self, bytes: &[u8]) -> Result<Option<String>, Failure> {
        let reply = self.connection.message(bytes).await.map_err(|error| Failure::of(Phase::Text, &error))?;
        if reply.code().severity != Severity::PositiveCompletion {
            return Err(Failure::silent(Phase::Text)); // neither yes nor no
        }
        self.used += 1;
        Ok(provider_id(&reply))
    }

    /// Back to before MAIL; answers whether the connection can be used again.
    pub(super) async fn reset(&mut self) -> bool {
        matches!(timeout(COURTESY, self.connection.command(Rset)).await, Ok(Ok(_)))
    }

    /// Whether the server is still there.
    pub(super) async fn lives(&mut self) -> bool {
        matches!(timeout(COURTESY, self.connection.command(Noop)).await, Ok(Ok(_)))
    }

    /// Takes leave.
    pub(super) async fn quit(mut self) {
        let _ = timeout(COURTESY, self.connection.quit()).await;
    }

    async fn say(&mut self, command: impl std::fmt::Display) -> Result<(), Failure> {
        match self.connection.command(command).await {
            Ok(_) => {
                self.spoke = true;
                Ok(())
            }
            Err(error) => {
                // 421 as the first word is the goodbye of a server that had waited long enough.
                let failure = Failure::of(Phase::Envelope, &error);
                let stale = !self.spoke && failure.reply.is_none_or(|reply| reply == 421);
                Err(if stale { Failure { phase: Phase::Stale, ..failure } } else { failure })
            }
        }
    }
}

/// Why there is no connection; the text is for the log.
struct NoConnection {
    reply: Option<u16>,
    text: String,
}

impl From<Error> for NoConnection {
    fn from(error: Error) -> Self {
        Self { reply: error.status().map(u16::from), text: error.to_string() }
    }
}

impl From<std::io::Error> for NoConnection {
    fn from(error: std::io::Error) -> Self {
        Self { reply: None, text: error.to_string() }
    }
}

async fn open(settings: &SmtpSettings) -> Result<AsyncSmtpConnection, NoConnection> {
    let SmtpSettings { host, port, security, credentials, hello } = settings;
    let address = (host.trim_matches(['[', ']']), *port);
    let mut connection = match security {
        Security::Wrapped(tls) => {
            AsyncSmtpConnection::connect_tokio1(address, None, hello, Some(tls.clone()), None).await?
        }
        _ => AsyncSmtpConnection::connect_with_transport(Box::new(plain(address).await?), hello).await?,
    };
    match security {
        Security::Required(tls) => connection.starttls(tls.clone(), hello).await?,
        Security::Offered(tls) if connection.can_starttls() => connection.starttls(tls.clone(), hello).await?,
        // No password over a line that anyone can read, unless that was asked for.
        Security::Offered(tls) if credentials.is_some() => connection.starttls(tls.clone(), hello).await?,
        _ => {}
    }
    if let Some(credentials) = credentials {
        connection.auth(DEFAULT_MECHANISMS, credentials).await?;
    }
    Ok(connection)
}

/// lettre writes a text and its closing dot apart, and leaves Nagle's algorithm on: the dot then waits 40 ms for an acknowledgement.
/// Where we hold the socket ourselves it does not.
async fn plain(address: (&str, u16)) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// `250 2.0.0 Ok: queued as 4XyZ` → `4XyZ`; without such a word, the line. At most 100 printable characters.
fn provider_id(reply: &Response) -> Option<String> {
    let line = reply.first_line()?;
    let id = line.rsplit_once("queued as ").map_or(line, |(_, id)| id);
    let id: String = id.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(100).collect();
    Some(id.trim().to_owned()).filter(|id| !id.is_empty())
}
