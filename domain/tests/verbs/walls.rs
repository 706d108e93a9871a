//! What a case opens to its supporter, and what it leaves closed between an incident and the support behind it.

use chrono::TimeDelta;
use nazorg_domain::{
    Context,
    cases::{self, Case},
    entities::{
        ChannelKind, ContactMode, InvolvementId, PersonId, Role, Safe, SupportOffered, Voicemail, access_events, events,
    },
    error::Error,
    follow_ups::{self, Filter, FollowUp},
    incidents::{self, NewIncident, NewInvolvement},
    people::{self, PersonChange, contact_points, relations},
    staff::{Wanted, absences, resolve, rosters},
};
use sea_orm::EntityTrait;
use uuid::Uuid;

use crate::support::{House, fresh_app};

async fn involvement(house: &House, reporter: &Context<'_>, person: PersonId) -> (incidents::Incident, InvolvementId) {
    let one = NewInvolvement {
        person_id: Some(person),
        person_ref: None,
        unit_id: None,
        profession: None,
        support_offered: SupportOffered::No,
    };
    let new = NewIncident {
        unit_id: Some(house.unit("Ward", None).await),
        event_class: "medical_incident".to_owned(),
        severity: None,
        event_at: reporter.now,
        reported_at: None,
        involved: vec![one],
        external_refs: vec![],
    };
    let (incident, involved) = incidents::report(reporter, new).await.unwrap();
    (incident, involved[0].id)
}

#[tokio::test]
async fn a_supporter_sees_the_persons_of_their_own_cases_and_writes_nothing() {
    let house = fresh_app().await;
    let (anna, peer, other) = (house.person("Anna").await, house.person("Peer").await, house.person("Other").await);
    let point = contact_points::NewContactPoint {
        channel: ChannelKind::Sms,
        address: "+31612345678".to_owned(),
        safe: Safe::Yes,
        expires_at: None,
        allowed: None,
        voicemail: Voicemail::No,
        contact_mode: ContactMode::WeContact,
        preference: 0,
    };
    let point = contact_points::create(&house.coordinator(), anna.id, point).await.unwrap();
    let known = relations::create(&house.coordinator(), anna.id, other.id, "close_one".to_owned()).await.unwrap();
    let supporter = house.as_person(Role::Supporter, Some(peer.id), vec![]);
    assert!(people::list(&supporter, None, 10).await.unwrap().is_empty(), "before the case");
    house.case(anna.id, peer.id, None).await;

    let seen: Vec<_> = people::list(&supporter, None, 10).await.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(seen, [anna.id]);
    assert_eq!(people::read(&supporter, anna.id).await.unwrap().name.as_deref(), Some("Anna"));
    assert_eq!(contact_points::read(&supporter, point.id).await.unwrap(), point);
    assert_eq!(relations::list(&supporter, anna.id, None, 10).await.unwrap(), [known]);
    assert!(matches!(people::read(&supporter, other.id).await, Err(Error::NotFound)));
    assert!(matches!(relations::list(&supporter, other.id, None, 10).await, Err(Error::NotFound)));
    let written = people::change(&supporter, anna.id, 1, PersonChange::default()).await;
    assert!(matches!(written, Err(Error::Forbidden)));
    assert!(matches!(contact_points::end(&supporter, point.id).await, Err(Error::Forbidden)));
    let stranger = house.as_person(Role::Supporter, Some(other.id), vec![]);
    assert!(matches!(people::read(&stranger, anna.id).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn the_assigned_person_is_the_one_until_they_are_away() {
    let house = fresh_app().await;
    let (anna, peer, cover) = (house.person("Anna").await, house.person("Peer").await, house.person("Cover").await);
    let case = house.case(anna.id, peer.id, None).await;
    let wanted = |role: &str| Wanted { case: case.id, unit: None, role: role.to_owned() };
    let asked = [wanted("peer_supporter"), wanted("deputy_coordinator")];
    let who = async || {
        let worker = house.app.worker_context(house.organisation);
        let found = resolve(&worker.db(), &worker, &asked).await.unwrap();
        asked.each_ref().map(|one| found[one])
    };
    assert_eq!(who().await, [Some(peer.id), None]);
    let cx = house.coordinator();
    let away = absences::NewAbsence {
        person_id: peer.id,
        cover_person_id: Some(cover.id),
        from: cx.now,
        until: cx.now + TimeDelta::days(2),
    };
    absences::create(&cx, away).await.unwrap();
    assert_eq!(who().await, [Some(cover.id), None]);
    house.later(TimeDelta::days(2));
    assert_eq!(who().await, [Some(peer.id), None]);
}

/// The step of a case, as the coordinator sees it.
async fn step(house: &House, case: &Case, name: &str) -> FollowUp {
    let filter = Filter { case_ids: vec![case.id], ..Filter::default() };
    let steps = follow_ups::list(&house.coordinator(), &filter, None, 50).await.unwrap();
    steps.into_iter().find(|one| one.step == name).unwrap()
}

#[tokio::test]
async fn what_is_assigned_is_not_for_everybody_on_the_roster() {
    let house = fresh_app().await;
    let (anna, peer, colleague) =
        (house.person("Anna").await, house.person("Peer").await, house.person("Colleague").await);
    for (person_id, position) in [(peer.id, 1), (colleague.id, 2)] {
        let role = "peer_supporter".to_owned();
        let entry = rosters::NewRosterEntry { unit_id: None, role, person_id, position };
        rosters::create(&house.coordinator(), entry).await.unwrap();
    }
    let case = house.case(anna.id, peer.id, None).await;
    let offer = step(&house, &case, "offer").await;
    let theirs = async |of: PersonId| {
        let cx = house.as_person(Role::Supporter, Some(of), vec![]);
        let own = follow_ups::list(&cx, &Filter::default(), None, 50).await.unwrap();
        let asked = Filter { actor_ids: vec![of], ..Filter::default() };
        let asked = follow_ups::list(&house.coordinator(), &asked, None, 50).await.unwrap();
        [own, asked].map(|all| all.iter().any(|one| one.id == offer.id))
    };
    assert_eq!((theirs(peer.id).await, theirs(colleague.id).await), ([true, true], [false, false]));
    let cx = house.as_person(Role::Supporter, Some(colleague.id), vec![]);
    let said = follow_ups::complete(&cx, offer.id, "declined".to_owned()).await;
    assert!(matches!(said, Err(Error::NotFound)), "{said:?}");

    let cx = house.coordinator();
    let away = |cover_person_id| absences::NewAbsence {
        person_id: peer.id,
        cover_person_id,
        from: cx.now,
        until: cx.now + TimeDelta::days(2),
    };
    absences::create(&cx, away(None)).await.unwrap();
    assert_eq!(theirs(colleague.id).await, [true, true], "nobody in the case is there for it");
    assert_eq!(step(&house, &case, "offer").await.actor_id, Some(colleague.id));
    let cover = house.person("Cover").await;
    absences::create(&cx, away(Some(cover.id))).await.unwrap();
    assert_eq!((theirs(cover.id).await, theirs(colleague.id).await), ([true, true], [false, false]));
    assert_eq!(step(&house, &case, "offer").await.actor_id, Some(cover.id));
}

#[tokio::test]
async fn a_case_is_open_to_a_stand_in_until_the_work_is_done() {
    let house = fresh_app().await;
    let (anna, peer, other) = (house.person("Anna").await, house.person("Peer").await, house.person("Other").await);
    let case = house.case(anna.id, peer.id, None).await;
    let offer = step(&house, &case, "offer").await;
    follow_ups::reassign(&house.coordinator(), offer.id, other.id).await.unwrap();
    house.later(TimeDelta::hours(1));
    let stand_in = || house.as_person(Role::Supporter, Some(other.id), vec![]);
    assert_eq!(cases::read(&stand_in(), case.id).await.unwrap().id, case.id);
    assert_eq!(people::read(&stand_in(), anna.id).await.unwrap().name.as_deref(), Some("Anna"));
    follow_ups::complete(&stand_in(), offer.id, "declined".to_owned()).await.unwrap();
    assert!(matches!(cases::read(&stand_in(), case.id).await, Err(Error::NotFound)));
    assert!(matches!(people::read(&stand_in(), anna.id).await, Err(Error::NotFound)));
    let said = follow_ups::read(&stand_in(), offer.id).await.unwrap();
    assert_eq!(said.outcome.as_deref(), Some("declined"), "what they did themself stays theirs to see");
}

#[tokio::test]
async fn an_offer_that_was_answered_is_known_at_the_incident_and_nothing_else_is() {
    let house = fresh_app().await;
    let reporter = house.cx(Role::Reporter);
    let (anna, peer) = (house.person("Anna").await, house.person("Peer").await);
    let (incident, involvement) = involvement(&house, &reporter, anna.id).await;
    let manager = house.as_person(Role::LineManager, None, vec![incident.unit_id.unwrap()]);
    let case = house.case(anna.id, peer.id, Some(involvement)).await;
    let offered = async || incidents::support_offers(&manager, None, 10).await.unwrap()[0].support_offered;
    assert_eq!(offered().await, SupportOffered::No, "opening a case shows nothing");
    let before = incidents::read(&reporter, incident.id).await.unwrap();

    let supporter = house.as_person(Role::Supporter, Some(peer.id), vec![]);
    let offer = step(&house, &case, "offer").await;
    house.later(TimeDelta::hours(1));
    follow_ups::complete(&supporter, offer.id, "declined".to_owned()).await.unwrap();
    assert_eq!(offered().await, SupportOffered::Yes, "declining is an answer to an offer");
    let after = incidents::read(&reporter, incident.id).await.unwrap();
    assert_eq!(after.1[0].support_offered, SupportOffered::Yes);
    assert_eq!(after.0.version, before.0.version + 1);
    assert_apart(&house, (incident.id.0, involvement.0), case.id.0).await;
}

/// No event and no log line holds incident and case together, neither by id nor by the number of a request or a trace.
async fn assert_apart(house: &House, (incident, involvement): (Uuid, Uuid), case: Uuid) {
    let db = house.app.db.reader();
    let told = events::Entity::find().all(db).await.unwrap();
    let logged = access_events::Entity::find().all(db).await.unwrap();
    let mut of_incident: Vec<String> = Vec::new();
    let mut of_case: Vec<String> = Vec::new();
    for event in &told {
        let text = format!("{event:?}");
        assert!(!(text.contains(&incident.to_string()) && text.contains(&case.to_string())), "{text}");
        if event.subject_id == incident {
            of_incident.push(event.trace_id.clone());
        } else if event.case_id.is_some_and(|id| id.0 == case) {
            of_case.push(event.trace_id.clone());
        }
    }
    for line in &logged {
        if [incident, involvement].contains(&line.object_id) {
            of_incident.push(line.trace_id.clone());
        } else if line.object_id == case {
            of_case.push(line.trace_id.clone());
        }
    }
    assert!(!of_incident.is_empty() && !of_case.is_empty());
    assert!(of_incident.iter().all(|trace| !of_case.contains(trace)), "a trace leads from the incident to its case");
}
