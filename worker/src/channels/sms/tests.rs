use super::*;
use crate::channels::mime::tests::appointment;
use crate::templates::Language;
use chrono::DateTime;
use nazorg_domain::entities::{ChannelKind, MessageId, OrganisationId};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;
use uuid::Uuid;

const BODY: &str =
    r#"{"recipients": ["{to}"], "body": "{text}", "reference": "nazorg {id}", "for": "{organisation}", "priority": 1}"#;

fn settings(url: &str) -> SmsSettings {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (authorization, secret) = (Some("Bearer x".to_owned()), Some("shared".to_owned()));
    SmsSettings { url: url.to_owned(), body: BODY.to_owned(), authorization, secret, connections: 2 }
}

fn outgoing(text: &str) -> Outgoing {
    Outgoing {
        id: MessageId(Uuid::from_u128(7)),
        organisation: OrganisationId(Uuid::from_u128(9)),
        channel: ChannelKind::Sms,
        to: "+31612345678".to_owned(),
        subject: String::new(),
        text: text.to_owned(),
        language: "nl",
        template: "checkin",
        at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        begin_by: Instant::now() + Duration::from_secs(5),
    }
}

/// A gateway that gives one answer to everything (nothing at all: it hangs up), and what it was asked.
async fn gateway(answer: &'static str) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/messages", listener.local_addr().unwrap());
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut bytes = Vec::new();
            while !whole(&bytes) && stream.read_buf(&mut bytes).await.is_ok_and(|read| read > 0) {}
            heard.lock().unwrap().push(String::from_utf8(bytes).unwrap());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (url, asked)
}

fn whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    length.is_none_or(|length: usize| body.len() >= length)
}

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let head = request.split("\r\n\r\n").next().unwrap();
    let found =
        head.lines().filter_map(|line| line.split_once(": ")).find(|(found, _)| found.eq_ignore_ascii_case(name));
    found.unwrap_or_else(|| panic!("no {name} in {head}")).1
}

#[tokio::test]
async fn what_is_posted_is_signed_and_whatever_the_text_it_stays_text() {
    let (url, asked) = gateway("HTTP/1.1 202 Accepted\r\nContent-Length: 13\r\n\r\n{\"id\":\"abc\"}\n").await;
    let sms = Sms::new(settings(&url)).unwrap();
    let text = "Morgen \"tien\" uur,\nkomt {to} uit? \u{1f642}";
    let delivery = sms.send(&outgoing(text)).await;
    assert_eq!(delivery, Delivery::Sent { provider_id: Some("abc".to_owned()) });
    let request = asked.lock().unwrap().pop().unwrap();
    let body = request.split_once("\r\n\r\n").unwrap().1;
    let id = Uuid::from_u128(7).to_string();
    let expected = serde_json::json!(
        {"recipients": ["+31612345678"], "body": text, "reference": format!("nazorg {id}"),
         "for": "00000000-0000-0000-0000-000000000009", "priority": 1});
    assert_eq!(serde_json::from_str::<Value>(body).unwrap(), expected);
    assert!(request.starts_with("POST /messages HTTP/1.1\r\n"), "{request}");
    assert_eq!((header(&request, "authorization"), header(&request, "webhook-id")), ("Bearer x", id.as_str()));
    assert_eq!(header(&request, "idempotency-key"), id);
    let signed = format!("{id}.{}.{body}", header(&request, "webhook-timestamp"));
    assert_eq!(header(&request, "webhook-signature"), format!("v1,{}", sign("shared", &signed).unwrap()));
}

#[tokio::test]
async fn a_text_in_any_alphabet_arrives_as_it_was_written() {
    let (url, asked) = gateway("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let sms = Sms::new(settings(&url)).unwrap();
    for language in Language::ALL {
        let text = appointment(language).text;
        assert_eq!(sms.send(&outgoing(&text)).await, Delivery::Sent { provider_id: None });
        let request = asked.lock().unwrap().pop().unwrap();
        let body: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(body["body"], text);
    }
}

#[test]
fn the_signature_is_the_one_of_rfc_4231() {
    // Test case 2: key "Jefe".
    let hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    let bytes = STANDARD.decode(sign("Jefe", "what do ya want for nothing?").unwrap()).unwrap();
    assert_eq!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(), hex);
}

#[tokio::test]
async fn p32_the_answer_tells_how_far_it_got() {
    let unsent = |reply, seconds: Option<u64>, permanent| Delivery::KnownUnsent {
        retry_after: seconds.map(Duration::from_secs),
        reason: Reason { code: "sms_refused", reply: Some(reply) },
        permanent,
    };
    let failed = |reply| Delivery::Unknown { reason: Reason { code: "sms_failed", reply: Some(reply) } };
    let cases = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Delivery::Sent { provider_id: None }),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ncut", Delivery::Sent { provider_id: None }),
        ("HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", unsent(429, Some(7), false)),
        ("HTTP/1.1 503 Away\r\nRetry-After: 999999999\r\nContent-Length: 0\r\n\r\n", unsent(503, Some(86_400), false)),
        ("HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n", unsent(400, None, true)),
        ("HTTP/1.1 302 There\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", unsent(302, None, true)),
        ("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", failed(500)),
        ("", Delivery::Unknown { reason: Reason::of("sms_interrupted") }),
    ];
    for (answer, expected) in cases {
        let (url, _) = gateway(answer).await;
        assert_eq!(Sms::new(settings(&url)).unwrap().send(&outgoing("Dag")).await, expected, "{answer}");
    }
    let nobody = Sms::new(settings("http://127.0.0.1:9/")).unwrap();
    assert_eq!(nobody.send(&outgoing("Dag")).await, Delivery::unsent(Reason::of("sms_unreachable"), false));
}

#[tokio::test]
async fn without_room_it_is_not_begun() {
    let sms = Sms::new(SmsSettings { connections: 1, ..settings("http://127.0.0.1:9/") }).unwrap();
    let _all = sms.room.acquire().await.unwrap();
    let late = Outgoing { begin_by: Instant::now(), ..outgoing("Dag") };
    assert_eq!(sms.send(&late).await, Delivery::NotBegun);
}

#[test]
fn what_cannot_be_posted_is_told_at_the_start() {
    let refused = |settings| Sms::new(settings).err();
    let fine = || settings("https://gateway.example/messages");
    assert_eq!(refused(fine()), None);
    assert_eq!(refused(SmsSettings { url: "ftp://x".to_owned(), ..fine() }), Some(BadSmsSettings::Url));
    for body in ["", "[]", "{\"to\": \"{to}\"}", "{\"to\": \"{text}\"}"] {
        assert_eq!(refused(SmsSettings { body: body.to_owned(), ..fine() }), Some(BadSmsSettings::Body), "{body}");
    }
    let two_lines = Some("a\r\nb: c".to_owned());
    assert_eq!(refused(SmsSettings { authorization: two_lines, ..fine() }), Some(BadSmsSettings::Authorization));
}

#[test]
fn p32_a_date_to_come_again_counts_by_the_gateways_clock() {
    let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap(); // Fri, 15 Jan 2027 08:00:00 GMT
    let told = |headers: &[(&'static str, &'static str)]| {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        wait(&headers.collect(), at)
    };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(told(&[]), None);
    assert_eq!(told(&[("retry-after", "120")]), seconds(120));
    assert_eq!(told(&[("retry-after", "Fri, 15 Jan 2027 08:10:00 GMT")]), seconds(600));
    let ahead = [("retry-after", "Fri, 15 Jan 2027 09:10:00 GMT"), ("date", "Fri, 15 Jan 2027 09:00:00 GMT")];
    assert_eq!(told(&ahead), seconds(600));
    assert_eq!(told(&[("retry-after", "Fri, 15 Jan 2027 07:00:00 GMT")]), seconds(0), "it is over");
    assert_eq!(told(&[("retry-after", "Fri, 15 Jan 2077 08:10:00 GMT")]), seconds(LONGEST_WAIT));
    assert_eq!(told(&[("retry-after", "soon")]), None);
}
