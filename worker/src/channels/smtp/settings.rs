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
mod tests {
    use super::*;

    #[test]
    fn a_url_says_where_and_how() {
        let port = |url: &str| SmtpSettings::parse(url).unwrap().port;
        assert_eq!(port("smtp://mail.example.org"), 25);
        assert_eq!(port("smtp://u:p@mail.example.org"), 587);
        assert_eq!(port("smtps://mail.example.org"), 465);
        assert_eq!(port("smtp://127.0.0.1:2525?tls=none"), 2525);
        let security = |url: &str| SmtpSettings::parse(url).unwrap().security;
        assert!(matches!(security("smtp://mail.example.org"), Security::Offered(_)));
        assert!(matches!(security("smtp://mail.example.org?tls=required"), Security::Required(_)));
        assert!(matches!(security("smtps://mail.example.org"), Security::Wrapped(_)));
        assert!(matches!(security("smtp://localhost?tls=none"), Security::None));
    }

    #[test]
    fn a_user_and_password_are_decoded_and_not_shown() {
        let settings = SmtpSettings::parse("smtp://a%40b.nl:p%20w+d@mail.example.org/client.example.org").unwrap();
        assert_eq!(settings.credentials, Some(Credentials::new("a@b.nl".to_owned(), "p w+d".to_owned())));
        assert_eq!(settings.hello.to_string(), "client.example.org");
        assert!(!format!("{settings:?}").contains("p w+d"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let fault = |url: &str| SmtpSettings::parse(url).err();
        assert_eq!(fault("mail.example.org"), Some(BadSmtpUrl::Unreadable));
        assert_eq!(fault("http://mail.example.org"), Some(BadSmtpUrl::Scheme));
        assert_eq!(fault("smtp://mail.example.org?tls=maybe"), Some(BadSmtpUrl::Option));
        assert_eq!(fault("smtp://mail.example.org?retries=3"), Some(BadSmtpUrl::Option));
    }
}
