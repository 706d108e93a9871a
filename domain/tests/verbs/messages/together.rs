//! What goes together, and what is too much: digests and the cap.

use chrono::TimeDelta;
use nazorg_domain::{
    cases,
    entities::Role,
    messages::Template,
    protocol_versions::{self, Origin},
};

use super::{PROTOCOL, Story, new_case, taken, word};

#[tokio::test]
async fn staff_gets_one_digest_and_the_person_what_they_agreed_to() {
    let story = Story::with_anna().await;
    let mut sent = story.hours_later(1).await;
    sent.sort();
    assert_eq!(sent, ["anna@example.org checkin x1", "coach@example.org task x2"]);
    assert_eq!(story.stand("checkin").await, ["sent -"]);
    assert_eq!(story.stand("task").await, ["sent -", "merged digest"]);
    assert_eq!(story.stand("family_checkin").await, ["suppressed no_close_one"]);
    assert!(story.house.logged_of(story.anna).await.contains(&"message.sent".to_owned()));
    assert!(story.hours_later(0).await.is_empty(), "nothing twice");
    story.assert_balanced().await;
}

#[tokio::test]
async fn what_comes_up_after_a_digest_left_is_told_though_the_minute_is_the_same() {
    let story = Story::begin("support_file").await;
    let (cx, other) = (story.house.coordinator(), story.house.person("Bo").await.id);
    let later = new_case(other, story.coach, story.protocol, cx.now + TimeDelta::seconds(20));
    cases::open(&cx, later).await.unwrap();
    assert_eq!(story.hours_later(1).await, ["coach@example.org task x2"]);
    story.house.later(TimeDelta::seconds(20));
    let again: Vec<_> = story.drain(taken).await.iter().map(word).collect();
    assert_eq!(again, ["coach@example.org task x2"], "the first mail could not know of it");
    story.assert_balanced().await;
}

#[tokio::test]
async fn p37_at_most_two_a_week_over_all() {
    let story = Story::with_anna().await;
    story.hours_later(1).await;
    story.hours_later(2).await;
    story.hours_later(2).await;
    assert_eq!(story.stand("login").await, ["pending frequency"]);
    story.house.later(TimeDelta::days(7) - TimeDelta::hours(4) - TimeDelta::milliseconds(1));
    assert!(!story.drain(taken).await.iter().any(|one| one.template == Template::Login), "not a moment early");
    story.house.later(TimeDelta::milliseconds(1));
    assert!(story.drain(taken).await.iter().any(|one| one.template == Template::Login));
    story.assert_balanced().await;
}

#[tokio::test]
async fn p37_the_cap_counts_what_another_protocol_sent() {
    let story = Story::with_anna().await;
    let origin = Origin::Text(PROTOCOL.replace("PROFILE", "support_file").replace("small", "other"));
    let admin = story.house.cx(Role::Admin);
    let protocol = protocol_versions::upload(&admin, origin, true).await.unwrap().id;
    let other = new_case(story.anna, story.coach, protocol, admin.now - TimeDelta::minutes(30));
    let other = cases::open(&story.house.coordinator(), other).await.unwrap();
    let to_anna = |sent: Vec<String>| sent.into_iter().filter(|one| one.starts_with("anna")).collect::<Vec<_>>();
    story.house.later(TimeDelta::minutes(30));
    let first = story.drain(taken).await.iter().map(word).collect();
    assert_eq!(to_anna(first), ["anna@example.org checkin x1"]);
    story.house.later(TimeDelta::minutes(30));
    let second = story.drain(taken).await.iter().map(word).collect();
    assert_eq!(to_anna(second), ["anna@example.org checkin x1"], "one of each protocol");
    assert!(to_anna(story.hours_later(2).await).is_empty(), "the third and fourth of either have to wait");
    let waiting: Vec<_> = story.all().await.into_iter().filter(|one| one.template == "survey").collect();
    assert!(waiting.len() == 2 && waiting.iter().any(|one| one.case_id == other.id));
    assert!(waiting.iter().all(|one| one.reason.as_deref() == Some("frequency")), "{waiting:?}");
    story.assert_balanced().await;
}
