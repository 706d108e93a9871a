//! `SMTP_URL`, taken apart.

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::TlsParameters;
use lettre::transport::smtp::extension::ClientId;
use std::fmt;
use url::Url;

/// How the connection is protected.
#[derive(Clone)]
pub(super) enum Security {
    /// `smtps://`: TLS from the first byte.
    Wrapped(TlsParameters),
    /// `?tls=required`: STARTTLS or nothing.
    Required(TlsParameters),
    /// `smtp://` as it is: STARTTLS when the server offers it.
    Offered(TlsParameters),
    /// `?tls=none`: a relay on the same machine.
    None,
}

/// Where and how to deliver mail.
#[derive(Clone)]
pub struct SmtpSettings {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) credentials: Option<Credentials>,
    pub(super) hello: ClientId,
}

/// Why a URL is no way to deliver mail; holds no part of a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSmtpUrl {
    /// It does not read as a URL.
    #[error("is not a URL")]
    Unreadable,
    /// Neither `smtp` nor `smtps`.
    #[error("must begin with smtp:// or smtps://")]
    Scheme,
    /// No host.
    #[error("names no host")]
    Host,
    /// An option that is not `tls=required|offered|none`.
    #[error("has an option other than tls=required, tls=offered or tls=none")]
    Option,
    /// TLS to this host cannot be set up.
    #[error("names a host that TLS cannot verify")]
    Tls,
}

impl fmt::Debug for SmtpSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpSettings").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

impl SmtpSettings {
    /// `smtp[s]://[user:password@]host[:port][/hello-name][?tls=required|offered|none]`. Ports default to 465 for `smtps`, 25 for `smtp`
    /// without a user and 587 with one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(url: &str) -> Result<Self, BadSmtpUrl> {
        let url = Url::parse(url).map_err(|_| BadSmtpUrl::Unreadable)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BadSmtpUrl::Host)?.to_owned();
        let mut tls = None;
        for (key, value) in url.query_pairs() {
            if key != "tls" {
                return Err(BadSmtpUrl::Option);
            }
            tls = Some(value.into_owned());
        }
        let parameters = || TlsParameters::new(host.trim_matches(['[', ']']).to_owned()).map_err(|_| BadSmtpUrl::Tls);
        let security = match (url.scheme(), tls.as_deref()) {
            ("smtps", None) => Security::Wrapped(parameters()?),
            ("smtp", Some("required")) => Security::Required(parameters()?),
            ("smtp", None | Some("offered")) => Security::Offered(parameters()?),
            ("smtp", Some("none")) => Security::None,
            ("smtp" | "smtps", Some(_)) => return Err(BadSmtpUrl::Option),
            _ => return Err(BadSmtpUrl::Scheme),
        };
        let credentials = credentials(&url);
        let port = url.port().unwrap_or(match (url.scheme(), &credentials) {
            ("smtps", _) => 465,
            (_, Some(_)) => 587,
            (_, None) => 25,
        });
        let hello = match url.path().trim_matches('/') {
            "" => ClientId::default(),
            name => ClientId::Domain(name.to_owned()),
        };
        Ok(Self { host, port, security, credentials, hello })
    }
}

fn credentials(url: &Url) -> Option<Credentials> {
    let decode = |text: &str| {
        url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
    };
    let (user, password) = (decode(url.username())?, decode(url.password()?)?);
    Some(Credentials::new(user, password))
}

#[cfg(test)]
mod tests;
