use chrono::TimeDelta;
use nazorg_domain::{
    entities::{ApiKeyId, IncidentId, Role, SupportOffered, UnitId},
    error::{Error, ViolationCode},
    external_refs::ExternalRef,
    incidents::{self, IncidentFilter, NewIncident, NewInvolvement, SupportOffer},
    people::{self, NewPerson},
};
use uuid::Uuid;

use crate::support::{House, field, fresh_app, new_person, refused, violation};

fn involved(support_offered: SupportOffered) -> NewInvolvement {
    NewInvolvement { person_id: None, person_ref: None, unit_id: None, profession: None, support_offered }
}

fn incident(house: &House, unit_id: Option<UnitId>, involved: Vec<NewInvolvement>) -> NewIncident {
    NewIncident {
        unit_id,
        event_class: "medical_incident".to_owned(),
        severity: Some("calamity".to_owned()),
        event_at: house.coordinator().now - TimeDelta::hours(2),
        reported_at: None,
        involved,
        external_refs: vec![],
    }
}

#[tokio::test]
async fn a_report_names_people_by_id_by_reference_or_not_at_all() {
    let house = fresh_app().await;
    let reporter = house.cx(Role::Reporter);
    let badge = ExternalRef { system: "hr".to_owned(), value: "17".to_owned() };
    let known = NewPerson { external_refs: vec![badge.clone()], ..new_person("Anna") };
    let anna = people::create(&reporter, known).await.unwrap();
    let bram = house.person("Bram").await;
    let who = vec![
        NewInvolvement { person_ref: Some(badge.clone()), ..involved(SupportOffered::No) },
        NewInvolvement { person_id: Some(bram.id), ..involved(SupportOffered::Yes) },
        involved(SupportOffered::Unknown),
    ];
    let (reported, found) = incidents::report(&reporter, incident(&house, None, who)).await.unwrap();
    let persons: Vec<_> = found.iter().map(|one| one.person_id).collect();
    assert_eq!(persons, [Some(anna.id), Some(bram.id), None]);
    assert_eq!(incidents::read(&reporter, reported.id).await.unwrap(), (reported, found));
    assert_eq!(house.logged_of(bram.id).await, ["person.created", "incident.reported", "incident.read"]);

    let twice = vec![
        NewInvolvement { person_ref: Some(badge), ..involved(SupportOffered::No) },
        NewInvolvement { person_id: Some(anna.id), ..involved(SupportOffered::No) },
        NewInvolvement {
            person_id: Some(nazorg_domain::entities::PersonId(Uuid::nil())),
            ..involved(SupportOffered::No)
        },
    ];
    let told = refused(incidents::report(&reporter, incident(&house, Some(UnitId(Uuid::nil())), twice)).await);
    let expected =
        [field("/unitId", "unknown"), field("/involved/2/personId", "unknown"), field("/involved/1", "duplicate")];
    assert_eq!(told, expected.concat());
}

#[tokio::test]
async fn a_reporter_sees_its_own_reports_and_nobody_elses() {
    let house = fresh_app().await;
    let reporter = house.cx(Role::Reporter);
    let (own, _) = incidents::report(&reporter, incident(&house, None, vec![])).await.unwrap();
    let other = house.with_key(ApiKeyId(Uuid::from_u128(99)), Role::Reporter, (None, vec![]));
    let (theirs, _) = incidents::report(&other, incident(&house, None, vec![])).await.unwrap();
    let ids = |found: Vec<incidents::Incident>| found.into_iter().map(|one| one.id).collect::<Vec<IncidentId>>();
    let all = IncidentFilter::default();
    assert_eq!(ids(incidents::list(&reporter, &all, None, 10).await.unwrap()), [own.id]);
    assert_eq!(ids(incidents::list(&house.coordinator(), &all, None, 10).await.unwrap()), [theirs.id, own.id]);
    assert!(matches!(incidents::read(&reporter, theirs.id).await, Err(Error::NotFound)));
    let added = incidents::add_involved(&reporter, theirs.id, involved(SupportOffered::No)).await;
    assert!(matches!(added, Err(Error::NotFound)));
    for role in [Role::Admin, Role::LineManager, Role::Supporter, Role::Quality] {
        assert!(matches!(incidents::read(&house.cx(role), own.id).await, Err(Error::Forbidden)), "{role}");
    }
    let elsewhere = house.coordinator_of(house.other_organisation().await);
    assert!(matches!(incidents::read(&elsewhere, own.id).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn incidents_are_walked_in_both_orders_through_filters() {
    let house = fresh_app().await;
    let ward = house.unit("Ward", None).await;
    let mut reported = Vec::new();
    for hour in 0..5 {
        let unit = (hour % 2 == 0).then_some(ward);
        let new = incident(&house, unit, vec![]);
        reported.push(incidents::report(&house.cx(Role::Reporter), new).await.unwrap().0.id);
        // Two at the same moment: the id decides.
        if hour != 2 {
            house.later(TimeDelta::hours(1));
        }
    }
    let walk = async |filter: IncidentFilter| {
        let cx = house.coordinator();
        let (mut walked, mut after) = (Vec::new(), None);
        loop {
            let stretch = incidents::list(&cx, &filter, after, 2).await.unwrap();
            let Some(last) = stretch.last() else { return walked };
            after = Some((last.reported_at, last.id.0));
            walked.extend(stretch.into_iter().map(|one| one.id));
        }
    };
    assert_eq!(walk(IncidentFilter { oldest_first: true, ..IncidentFilter::default() }).await, reported);
    let latest: Vec<_> = reported.iter().rev().copied().collect();
    assert_eq!(walk(IncidentFilter::default()).await, latest);
    let start = house.coordinator().now - TimeDelta::hours(4);
    let narrow = IncidentFilter {
        units: vec![ward],
        reported_from: Some(start),
        reported_until: Some(start + TimeDelta::hours(3)),
        oldest_first: true,
        ..IncidentFilter::default()
    };
    assert_eq!(walk(narrow).await, [reported[0], reported[2]]);
    let none = IncidentFilter { event_classes: vec!["suicide".to_owned()], ..IncidentFilter::default() };
    assert!(walk(none).await.is_empty());
}

#[tokio::test]
async fn those_involved_are_added_and_changed_with_the_incident() {
    let house = fresh_app().await;
    let cx = house.cx(Role::Reporter);
    let anna = house.person("Anna").await;
    let (reported, _) = incidents::report(&cx, incident(&house, None, vec![])).await.unwrap();
    let new = NewInvolvement { person_id: Some(anna.id), ..involved(SupportOffered::Unknown) };
    let added = incidents::add_involved(&cx, reported.id, new.clone()).await.unwrap();
    assert_eq!(violation(incidents::add_involved(&cx, reported.id, new).await), ViolationCode::AlreadyInvolved);
    let which = (reported.id, added.id);
    let changed = incidents::change_involvement(&cx, which, 1, SupportOffered::Yes).await.unwrap();
    assert_eq!(changed.support_offered, SupportOffered::Yes);
    let stale = incidents::change_involvement(&cx, which, 1, SupportOffered::No).await;
    assert!(matches!(stale, Err(Error::Stale)));
    let (incident, involved) = incidents::read(&cx, reported.id).await.unwrap();
    assert_eq!((incident.version, involved), (3, vec![changed.clone()]));
    assert_eq!(incidents::read_involvement(&cx, reported.id, added.id).await.unwrap(), changed);
}

#[tokio::test]
async fn a_line_manager_sees_that_support_was_offered_in_their_units_and_nothing_else() {
    let house = fresh_app().await;
    let location = house.unit("Location", None).await;
    let (ward, other) = (house.unit("Ward", Some(location)).await, house.unit("Other", None).await);
    let reporter = house.cx(Role::Reporter);
    let elsewhere = NewInvolvement { unit_id: Some(other), ..involved(SupportOffered::No) };
    let who = vec![involved(SupportOffered::Yes), involved(SupportOffered::Unknown), elsewhere];
    let (first, people) = incidents::report(&reporter, incident(&house, Some(ward), who)).await.unwrap();
    let nowhere = vec![involved(SupportOffered::Yes)];
    let (second, _) = incidents::report(&reporter, incident(&house, None, nowhere)).await.unwrap();

    let manager = house.as_person(Role::LineManager, None, vec![location]);
    let offer = |incident_id, unit_id, support_offered| SupportOffer { incident_id, unit_id, support_offered };
    let seen = incidents::support_offers(&manager, None, 10).await.unwrap();
    assert_eq!(seen, [offer(first.id, Some(ward), SupportOffered::Unknown)]);
    let which = (first.id, people[1].id);
    incidents::change_involvement(&reporter, which, 1, SupportOffered::Yes).await.unwrap();
    let seen = incidents::support_offers(&manager, None, 10).await.unwrap();
    assert_eq!(seen, [offer(first.id, Some(ward), SupportOffered::Yes)]);

    let mut by_unit =
        [offer(first.id, Some(ward), SupportOffered::Yes), offer(first.id, Some(other), SupportOffered::No)];
    by_unit.sort_by_key(|one| one.unit_id);
    let [one, two] = by_unit;
    let all = vec![one, two, offer(second.id, None, SupportOffered::Yes)];
    let cx = house.coordinator();
    let (mut walked, mut after) = (Vec::new(), None);
    while let [next] = incidents::support_offers(&cx, after, 1).await.unwrap().as_slice() {
        after = Some((next.incident_id, next.unit_id));
        walked.push(next.clone());
    }
    assert_eq!(walked, all);
    let nobody = house.as_person(Role::LineManager, None, vec![]);
    assert!(incidents::support_offers(&nobody, None, 10).await.unwrap().is_empty());
    assert!(matches!(incidents::support_offers(&house.cx(Role::Supporter), None, 10).await, Err(Error::Forbidden)));
}
