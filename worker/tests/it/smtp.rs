//! How far a message got, against a server that fails at every point of the conversation.

use crate::smtp_sink::{At, Behaviour, Does, SmtpSink};
use chrono::{TimeZone, Utc};
use nazorg_domain::entities::{ChannelKind, MessageId, OrganisationId};
use nazorg_worker::channels::{Channel, Delivery, Outgoing, Patience, Sender, Smtp, SmtpSettings};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

fn smtp(url: &str, connections: usize) -> Smtp {
    Smtp::new(SmtpSettings::parse(url).unwrap(), Sender::new("nazorg@example.org", "Nazorg").unwrap(), connections)
}

fn outgoing(number: u128) -> Outgoing {
    Outgoing {
        id: MessageId(Uuid::from_u128(number)),
        organisation: OrganisationId(Uuid::from_u128(9)),
        channel: ChannelKind::Email,
        to: format!("anna{number}@example.net"),
        subject: "Bericht".to_owned(),
        text: "Er staat één bericht.\n.\nTot zo.".to_owned(),
        language: "nl",
        template: "login",
        at: Utc.with_ymd_and_hms(2026, 11, 24, 9, 30, 0).unwrap(),
        begin_by: tokio::time::Instant::now() + Duration::from_secs(10),
    }
}

/// What came of it, in one word.
async fn send(smtp: &Smtp, number: u128) -> String {
    match smtp.send(&outgoing(number)).await {
        Delivery::Sent { provider_id } => format!("sent {}", provider_id.unwrap_or_default()),
        Delivery::KnownUnsent { reason, permanent: true, .. } => format!("refused {reason}"),
        Delivery::KnownUnsent { reason, permanent: false, .. } => format!("unsent {reason}"),
        Delivery::Unknown { reason } => format!("unknown {reason}"),
        Delivery::NotBegun => "not begun".to_owned(),
    }
}

#[tokio::test]
async fn a_message_arrives_whole_and_the_connection_is_used_again() {
    let sink = SmtpSink::start().await;
    let smtp = smtp(&sink.url(), 4);
    for number in 1..=5 {
        assert_eq!(send(&smtp, number).await, format!("sent sink-{number}"));
    }
    let came = sink.accepted();
    assert_eq!(came[0].to, ["anna1@example.net"]);
    assert_eq!(came[0].from, "nazorg@example.org");
    assert_eq!(came[0].message_id(), format!("<{}@example.org>", Uuid::from_u128(1)));
    assert_eq!(sink.connections(), (1, 1));
    smtp.close().await;
}

#[tokio::test]
async fn every_no_and_every_cut_is_told_apart() {
    let sink = SmtpSink::start().await;
    let cases = [
        (At::Greeting, Does::Reply(421), "unsent smtp_unreachable_421"),
        (At::Greeting, Does::Reply(554), "unsent smtp_unreachable_554"),
        (At::Greeting, Does::Cut, "unsent smtp_unreachable"),
        (At::Mail, Does::Reply(451), "unsent smtp_refused_451"),
        (At::Mail, Does::Reply(550), "refused smtp_refused_550"),
        (At::Mail, Does::Cut, "unsent smtp_cut"),
        (At::Rcpt, Does::Reply(450), "unsent smtp_refused_450"),
        (At::Rcpt, Does::Reply(550), "refused smtp_refused_550"),
        (At::Rcpt, Does::Cut, "unsent smtp_cut"),
        (At::Data, Does::Reply(421), "unsent smtp_refused_421"),
        (At::Data, Does::Reply(554), "refused smtp_refused_554"),
        (At::Data, Does::Cut, "unsent smtp_cut"),
        (At::Text, Does::Reply(451), "unsent smtp_refused_451"),
        (At::Text, Does::Reply(552), "refused smtp_refused_552"),
        (At::Text, Does::Cut, "unknown smtp_no_reply"),
        (At::Text, Does::Reply(354), "unknown smtp_no_reply"),
    ];
    for (at, does, expected) in cases {
        let fresh = smtp(&sink.url(), 1);
        sink.behave(Behaviour { at, does, times: Some(1) });
        assert_eq!(send(&fresh, 1).await, expected, "{at:?} {does:?}");
        // …and the next one goes as if nothing had happened.
        assert!(send(&fresh, 2).await.starts_with("sent"), "after {at:?} {does:?}");
    }
    assert_eq!(sink.accepted().len(), cases.len());
}

#[tokio::test]
async fn nobody_listening_is_known_unsent() {
    let sink = SmtpSink::start().await;
    let url = sink.url();
    drop(sink);
    tokio::task::yield_now().await;
    let smtp = smtp(&url, 1);
    while send(&smtp, 1).await.starts_with("sent") {}
    assert_eq!(send(&smtp, 1).await, "unsent smtp_unreachable");
}

#[tokio::test]
async fn silence_is_bounded_and_told_apart_by_its_moment() {
    let short = Duration::from_millis(300);
    let patience = Patience { connect: short, envelope: short, text: short };
    for (at, expected) in [
        (At::Greeting, "unsent smtp_unreachable"),
        (At::Mail, "unsent smtp_cut"),
        (At::Rcpt, "unsent smtp_cut"),
        (At::Data, "unsent smtp_cut"),
        (At::Text, "unknown smtp_no_reply"),
    ] {
        let sink = SmtpSink::start().await;
        sink.behave(Behaviour { at, does: Does::Hang, times: None });
        let smtp = smtp(&sink.url(), 1).with_patience(patience);
        let began = Instant::now();
        assert_eq!(send(&smtp, 1).await, expected, "{at:?}");
        assert!(began.elapsed() < Duration::from_secs(3), "{at:?} took {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_behind_our_back_costs_nothing() {
    let sink = SmtpSink::start().await;
    let smtp = smtp(&sink.url(), 1);
    for does in [Does::Reply(421), Does::Cut] {
        assert!(send(&smtp, 1).await.starts_with("sent"));
        sink.behave(Behaviour { at: At::Mail, does, times: Some(1) });
        assert!(send(&smtp, 2).await.starts_with("sent"), "{does:?}");
    }
    assert_eq!(sink.accepted().len(), 4);
}

#[tokio::test]
async fn connections_are_few_and_what_finds_no_place_in_time_is_not_begun() {
    let sink = SmtpSink::start().await;
    let smtp = Arc::new(smtp(&sink.url(), 3));
    let all = (0..60).map(|number| {
        let smtp = Arc::clone(&smtp);
        async move { send(&smtp, number).await }
    });
    let all = futures::future::join_all(all).await;
    assert!(all.iter().all(|word| word.starts_with("sent")));
    assert_eq!(sink.connections(), (3, 3));

    sink.behave(Behaviour { at: At::Rcpt, does: Does::Hang, times: None });
    let hanging: Vec<_> = (0..3)
        .map(|number| {
            let smtp = Arc::clone(&smtp);
            tokio::spawn(async move { send(&smtp, number).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let late = Outgoing { begin_by: tokio::time::Instant::now() + Duration::from_millis(50), ..outgoing(9) };
    let asked = Instant::now();
    assert_eq!(smtp.send(&late).await, Delivery::NotBegun);
    assert!(asked.elapsed() < Duration::from_secs(1));
    for task in hanging {
        task.abort();
    }
}

#[tokio::test]
async fn a_server_that_wants_it_slower_is_known_unsent_for_the_rest() {
    let sink = SmtpSink::start().await;
    sink.at_most_per_second(5);
    let smtp = smtp(&sink.url(), 2);
    let mut words = Vec::new();
    for number in 0..8 {
        words.push(send(&smtp, number).await);
    }
    assert_eq!(words.iter().filter(|word| word.starts_with("sent")).count(), 5);
    assert_eq!(words.iter().filter(|word| *word == "unsent smtp_refused_451").count(), 3);
}
