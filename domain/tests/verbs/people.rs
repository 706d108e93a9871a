use chrono::{NaiveTime, TimeDelta};
use nazorg_domain::{
    entities::{ChannelKind, ContactMode, PersonId, Role, Safe, Voicemail, persons},
    error::{Error, ViolationCode},
    people::{
        self, PersonChange, Search,
        consents::{self, NewConsent},
        contact_points::{self, ContactPointChange, NewContactPoint, Window},
        relations,
    },
};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::support::{House, field, fresh_app, new_person, refused, violation};

fn email(address: &str, safe: Safe) -> NewContactPoint {
    NewContactPoint {
        channel: ChannelKind::Email,
        address: address.to_owned(),
        safe,
        expires_at: None,
        allowed: None,
        voicemail: Voicemail::No,
        contact_mode: ContactMode::WeContact,
        preference: 1,
    }
}

fn consent(purpose: &str, recipient: Option<PersonId>) -> NewConsent {
    NewConsent {
        purpose: purpose.to_owned(),
        recipient_person_id: recipient,
        recipient: None,
        items: vec!["progress".to_owned()],
        legal_basis: "consent".to_owned(),
        given_by: "self".to_owned(),
        valid_from: None,
        valid_until: None,
    }
}

async fn found(house: &House, search: Search) -> Vec<PersonId> {
    let cx = house.coordinator();
    people::search(&cx, search, None, 10).await.unwrap().into_iter().map(|person| person.id).collect()
}

#[tokio::test]
async fn a_snapshot_sees_nothing_of_what_happens_after_its_first_read() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let still = cx.snapshot().await.unwrap();
    assert_eq!(people::list(&still, None, 10).await.unwrap(), []);
    house.person("Anna").await;
    assert_eq!(people::list(&still, None, 10).await.unwrap(), []);
    drop(still);
    assert_eq!(people::list(&cx, None, 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_name_is_kept_sealed_and_found_in_any_spelling_of_case_and_spaces() {
    let house = fresh_app().await;
    let anna = house.person("Anna de Vries").await;
    house.person("Anna").await;
    let row = persons::Entity::find_by_id(anna.id).one(house.app.db.reader()).await.unwrap().unwrap();
    assert!(!row.name_enc.windows(4).any(|part| part == b"Anna"));
    let by_name = |name: &str| Search { name: Some(name.to_owned()), ..Search::default() };
    assert_eq!(found(&house, by_name(" anna  DE vries")).await, [anna.id]);
    assert!(found(&house, by_name("anna de")).await.is_empty(), "no prefixes");
    assert_eq!(house.logged_of(anna.id).await, ["person.created", "person.found"]);
}

#[tokio::test]
async fn a_person_changes_and_yes_and_no_become_moments() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let anna = house.person("Anna").await;
    assert_eq!(anna.language, "nl");
    let change = PersonChange {
        name: Some("Anna de Vries".to_owned()),
        zone: Some(Some(chrono_tz::Europe::Kyiv)),
        do_not_contact: Some(true),
        ..PersonChange::default()
    };
    let after = people::change(&cx, anna.id, 1, change).await.unwrap();
    assert_eq!(after.do_not_contact_at, Some(cx.now));
    assert_eq!(people::read(&cx, anna.id).await.unwrap(), after);
    let stale = people::change(&cx, anna.id, 1, PersonChange::default()).await;
    assert!(matches!(stale, Err(Error::Stale)));
    let back = PersonChange { do_not_contact: Some(false), zone: Some(None), ..PersonChange::default() };
    let after = people::change(&cx, anna.id, 2, back).await.unwrap();
    assert_eq!((after.do_not_contact_at, after.zone, after.version), (None, None, 3));
    let search = Search { name: Some("anna de vries".to_owned()), ..Search::default() };
    assert_eq!(found(&house, search).await, [anna.id], "the index followed the name");
}

#[tokio::test]
async fn what_cannot_be_is_told_together() {
    let house = fresh_app().await;
    let mut new = new_person(" ");
    new.language = Some("Dutch".to_owned());
    new.profession = Some("Head nurse".to_owned());
    let told = refused(people::create(&house.coordinator(), new).await);
    assert_eq!(
        told.iter().map(|(pointer, _)| pointer.as_str()).collect::<Vec<_>>(),
        ["/name", "/language", "/profession"]
    );
}

#[tokio::test]
async fn who_may_do_what() {
    let house = fresh_app().await;
    let anna = house.person("Anna").await;
    assert!(people::create(&house.cx(Role::Reporter), new_person("Bram")).await.is_ok());
    for role in [Role::Admin, Role::LineManager, Role::Reporter, Role::Quality, Role::Integration] {
        assert!(matches!(people::read(&house.cx(role), anna.id).await, Err(Error::Forbidden)), "{role}");
    }
    let supporter = house.as_person(Role::Supporter, Some(anna.id), vec![]);
    assert!(matches!(people::read(&supporter, anna.id).await, Err(Error::NotFound)), "none of their cases");
    assert!(people::list(&supporter, None, 10).await.unwrap().is_empty());
    let written = people::change(&supporter, anna.id, 1, PersonChange::default()).await;
    assert!(matches!(written, Err(Error::Forbidden)));
}

#[tokio::test]
async fn another_tenants_person_does_not_exist() {
    let house = fresh_app().await;
    let anna = house.person("Anna").await;
    let point = contact_points::create(&house.coordinator(), anna.id, email("a@b.nl", Safe::Yes)).await.unwrap();
    let given = consents::give(&house.coordinator(), anna.id, consent("inform_family", None)).await.unwrap();
    let theirs = house.other_organisation().await;
    let cx = house.coordinator_of(theirs);
    assert!(matches!(people::read(&cx, anna.id).await, Err(Error::NotFound)));
    assert!(matches!(people::change(&cx, anna.id, 1, PersonChange::default()).await, Err(Error::NotFound)));
    assert!(matches!(contact_points::read(&cx, point.id).await, Err(Error::NotFound)));
    assert!(matches!(contact_points::list(&cx, anna.id, None, 10).await, Err(Error::NotFound)));
    assert!(matches!(contact_points::end(&cx, point.id).await, Err(Error::NotFound)));
    assert!(matches!(consents::revoke(&cx, given.id).await, Err(Error::NotFound)));
    assert!(matches!(relations::list(&cx, anna.id, None, 10).await, Err(Error::NotFound)));
    let own = people::create(&cx, new_person("Bea")).await.unwrap();
    let related = relations::create(&cx, own.id, anna.id, "close_one".to_owned()).await;
    assert_eq!(refused(related), field("/otherPersonId", "unknown"));
    let consented = consents::give(&cx, own.id, consent("inform_family", Some(anna.id))).await;
    assert_eq!(refused(consented), field("/recipientPersonId", "unknown"));
    assert!(people::recipients(&cx.db(), &cx, &[anna.id]).await.unwrap().is_empty());
}

#[tokio::test]
async fn persons_are_walked_in_order() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let mut all = Vec::new();
    for name in ["A", "B", "C", "D", "E"] {
        all.push(house.person(name).await.id);
    }
    let (mut walked, mut after) = (Vec::new(), None::<Uuid>);
    loop {
        let stretch = people::list(&cx, after, 2).await.unwrap();
        let Some(last) = stretch.last() else { break };
        after = Some(last.id.0);
        walked.extend(stretch.into_iter().map(|person| person.id));
    }
    assert_eq!(walked, all);
}

#[tokio::test]
async fn a_contact_point_is_asked_about_used_and_ended() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let anna = house.person("Anna").await;
    let point = contact_points::create(&cx, anna.id, email("anna@example.nl", Safe::Unknown)).await.unwrap();
    assert_eq!((point.verified_at, point.expires_at), (None, None));
    let asked = contact_points::verify(&cx, point.id, Safe::Yes, None).await.unwrap();
    assert_eq!(asked.expires_at, Some(cx.now + TimeDelta::days(90)));
    assert_eq!(asked.address.as_deref(), Some("anna@example.nl"));
    let time = |hour| NaiveTime::from_hms_opt(hour, 30, 0).unwrap();
    let change = ContactPointChange {
        allowed_from: Some(Some(time(9))),
        allowed_until: Some(Some(time(12))),
        voicemail: Some(Voicemail::Vague),
        preference: Some(0),
        ..ContactPointChange::default()
    };
    let after = contact_points::change(&cx, point.id, 2, change).await.unwrap();
    assert_eq!(after.allowed, Some(Window { from: time(9), until: time(12) }));
    assert_eq!(contact_points::read(&cx, point.id).await.unwrap(), after);
    let by_address = || Search { address: Some("ANNA@example.nl".to_owned()), ..Search::default() };
    assert_eq!(found(&house, by_address()).await, [anna.id]);
    contact_points::end(&cx, point.id).await.unwrap();
    assert_eq!(violation(contact_points::end(&cx, point.id).await), ViolationCode::AlreadyEnded);
    let verified = contact_points::verify(&cx, point.id, Safe::Yes, None).await;
    assert_eq!(violation(verified), ViolationCode::AlreadyEnded);
    assert!(found(&house, by_address()).await.is_empty(), "nobody is reached there any more");
    assert_eq!(contact_points::list(&cx, anna.id, None, 10).await.unwrap().len(), 1, "but it is not forgotten");
}

#[tokio::test]
async fn addresses_that_reach_nobody_are_refused() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let anna = house.person("Anna").await;
    let mail = contact_points::create(&cx, anna.id, email("anna@nowhere", Safe::Yes)).await;
    assert_eq!(refused(mail), field("/address", "bad_format"));
    let local = NewContactPoint { channel: ChannelKind::Sms, ..email("0612345678", Safe::Yes) };
    assert_eq!(refused(contact_points::create(&cx, anna.id, local).await), field("/address", "bad_format"));
    let past = NewContactPoint { expires_at: Some(cx.now), ..email("a@b.nl", Safe::Yes) };
    assert_eq!(refused(contact_points::create(&cx, anna.id, past).await), field("/expiresAt", "in_the_past"));
}

#[tokio::test]
async fn recipients_come_with_what_a_message_needs() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let (anna, bram) = (house.person("Anna").await, house.person("Bram").await);
    let second = NewContactPoint { preference: 2, ..email("second@example.nl", Safe::Yes) };
    contact_points::create(&cx, anna.id, second).await.unwrap();
    contact_points::create(&cx, anna.id, email("first@example.nl", Safe::Yes)).await.unwrap();
    let ended = contact_points::create(&cx, anna.id, email("old@example.nl", Safe::Yes)).await.unwrap();
    contact_points::end(&cx, ended.id).await.unwrap();
    let worker = house.app.worker_context(house.organisation);
    let tx = worker.begin().await.unwrap();
    let known = people::recipients(&**tx, &worker, &[anna.id, bram.id, PersonId(Uuid::nil())]).await.unwrap();
    assert_eq!(known.len(), 2);
    assert!(known[&bram.id].reachable.is_empty());
    let reachable = &known[&anna.id].reachable;
    let mut addresses = Vec::new();
    for way in reachable {
        assert_eq!(way.point.address, None, "nothing is open that is not used");
        addresses.push(people::open_address(&worker, way).await.unwrap());
    }
    assert_eq!(addresses, ["first@example.nl", "second@example.nl"]);
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_relation_concerns_two_and_ends() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let (anna, bram) = (house.person("Anna").await, house.person("Bram").await);
    let relation = relations::create(&cx, anna.id, bram.id, "close_one".to_owned()).await.unwrap();
    let themselves = relations::create(&cx, anna.id, anna.id, "close_one".to_owned()).await;
    assert_eq!(violation(themselves), ViolationCode::SamePerson);
    assert_eq!(relations::list(&cx, bram.id, None, 10).await.unwrap(), std::slice::from_ref(&relation));
    relations::end(&cx, relation.id).await.unwrap();
    assert_eq!(violation(relations::end(&cx, relation.id).await), ViolationCode::AlreadyEnded);
    let expected = ["person.created", "relation.created", "relation.listed", "relation.ended"];
    assert_eq!(house.logged_of(bram.id).await, expected, "both are told who looked");
}

#[tokio::test]
async fn a_revoked_consent_is_no_consent_from_that_moment_on() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let (anna, daughter) = (house.person("Anna").await, house.person("Bea").await);
    let given = consents::give(&cx, anna.id, consent("inform_family", Some(daughter.id))).await.unwrap();
    let covered = async |cx: &nazorg_domain::Context<'_>| {
        let known = consents::of_many(&cx.db(), cx, &[anna.id]).await.unwrap();
        let covers = |one| consents::rules::covers(one, "inform_family", Some(daughter.id), cx.now);
        known.get(&anna.id).into_iter().flatten().any(covers)
    };
    assert!(covered(&cx).await);
    let revoked = consents::revoke(&cx, given.id).await.unwrap();
    assert_eq!(revoked.revoked_at, Some(cx.now));
    assert!(!covered(&cx).await, "the same moment");
    assert_eq!(violation(consents::revoke(&cx, given.id).await), ViolationCode::ConsentAlreadyRevoked);
    assert_eq!(consents::list(&cx, anna.id, None, 10).await.unwrap(), [revoked]);
}

#[tokio::test]
async fn what_was_agreed_twice_is_taken_back_once() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let (anna, bea, cor) = (house.person("Anna").await, house.person("Bea").await, house.person("Cor").await);
    let give = async |purpose, towards| consents::give(&cx, anna.id, consent(purpose, towards)).await.unwrap().id;
    let (first, second) = (give("inform_family", Some(bea.id)).await, give("inform_family", Some(bea.id)).await);
    let others = [
        give("inform_family", Some(cor.id)).await,
        give("inform_family", None).await,
        give("share", Some(bea.id)).await,
    ];
    consents::revoke(&cx, second).await.unwrap();
    for consent in consents::list(&cx, anna.id, None, 10).await.unwrap() {
        assert_eq!(consent.revoked_at.is_none(), others.contains(&consent.id), "{consent:?}");
    }
    assert_eq!(violation(consents::revoke(&cx, first).await), ViolationCode::ConsentAlreadyRevoked);
}

#[tokio::test]
async fn a_consent_is_towards_one_in_words_for_a_time_to_come() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let anna = house.person("Anna").await;
    let new = NewConsent {
        recipient: Some("general_practitioner".to_owned()),
        items: vec!["everything about me".to_owned()],
        valid_until: Some(cx.now),
        ..consent("inform_family", Some(anna.id))
    };
    let told: Vec<_> = refused(consents::give(&cx, anna.id, new).await).into_iter().map(|one| one.0).collect();
    assert_eq!(told, ["/recipient", "/items/0", "/validUntil"]);
}
