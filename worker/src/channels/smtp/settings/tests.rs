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
