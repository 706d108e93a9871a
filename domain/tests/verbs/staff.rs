use chrono::TimeDelta;
use nazorg_domain::{
    entities::{CaseId, Role},
    error::{Error, ViolationCode},
    events,
    staff::{
        Wanted,
        absences::{self, AbsenceFilter, NewAbsence},
        memberships::{self, MembershipFilter, NewMembership},
        resolve,
        rosters::{self, NewRosterEntry, RosterFilter},
    },
};
use uuid::Uuid;

use crate::support::{field, fresh_app, refused, violation};

#[tokio::test]
async fn a_membership_begins_and_ends() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let anna = house.person("Anna").await;
    let new = |role, unit_id| NewMembership { person_id: anna.id, role, unit_id };
    let given = memberships::create(&cx, new(Role::Supporter, None)).await.unwrap();
    let current = MembershipFilter { current: Some(true), persons: vec![anna.id], ..MembershipFilter::default() };
    assert_eq!(memberships::list(&cx, &current, None, 10).await.unwrap(), std::slice::from_ref(&given));
    let ended = memberships::end(&cx, given.id).await.unwrap();
    assert_eq!(violation(memberships::end(&cx, given.id).await), ViolationCode::AlreadyEnded);
    assert!(memberships::list(&cx, &current, None, 10).await.unwrap().is_empty());
    let past = MembershipFilter { current: Some(false), ..MembershipFilter::default() };
    assert_eq!(memberships::list(&cx, &past, None, 10).await.unwrap(), [ended]);
    let unplaced = memberships::create(&cx, new(Role::LineManager, None)).await;
    assert_eq!(refused(unplaced), field("/unitId", "required"));
    let placed = memberships::create(&cx, new(Role::Coordinator, Some(house.unit("Ward", None).await))).await;
    assert_eq!(refused(placed), field("/unitId", "forbidden"), "it would not end there");
    let nobody = memberships::create(&cx, new(Role::Integration, None)).await;
    assert_eq!(refused(nobody), field("/role", "forbidden"));
}

#[tokio::test]
async fn a_coordinator_cannot_make_an_administrator() {
    let house = fresh_app().await;
    let anna = house.person("Anna").await;
    let new = NewMembership { person_id: anna.id, role: Role::Admin, unit_id: None };
    assert!(matches!(memberships::create(&house.coordinator(), new.clone()).await, Err(Error::Forbidden)));
    let given = memberships::create(&house.cx(Role::Admin), new).await.unwrap();
    assert!(matches!(memberships::end(&house.coordinator(), given.id).await, Err(Error::Forbidden)));
    assert!(matches!(memberships::read(&house.cx(Role::Supporter), given.id).await, Err(Error::Forbidden)));
}

#[tokio::test]
async fn what_a_body_names_must_be_the_tenants() {
    let house = fresh_app().await;
    let anna = house.person("Anna").await;
    let ward = house.unit("Ward", None).await;
    let cx = house.coordinator_of(house.other_organisation().await);
    let entry = NewRosterEntry { unit_id: Some(ward), role: "coach".to_owned(), person_id: anna.id, position: 1 };
    let told = refused(rosters::create(&cx, entry).await);
    assert_eq!(told, [field("/personId", "unknown"), field("/unitId", "unknown")].concat());
}

#[tokio::test]
async fn an_absence_lasts_and_somebody_else_covers() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let (anna, bram) = (house.person("Anna").await, house.person("Bram").await);
    let new = |cover, days| NewAbsence {
        person_id: anna.id,
        cover_person_id: cover,
        from: cx.now,
        until: cx.now + TimeDelta::days(days),
    };
    assert_eq!(violation(absences::create(&cx, new(Some(anna.id), 1)).await), ViolationCode::SamePerson);
    assert_eq!(refused(absences::create(&cx, new(None, 0)).await), field("/untilAt", "not_after_from"));
    let told = absences::create(&cx, new(Some(bram.id), 5)).await.unwrap();
    let during = AbsenceFilter { from: Some(cx.now + TimeDelta::days(4)), ..AbsenceFilter::default() };
    assert_eq!(absences::list(&cx, &during, None, 10).await.unwrap(), std::slice::from_ref(&told));
    house.later(TimeDelta::days(1));
    let ended = absences::end(&house.coordinator(), told.id).await.unwrap();
    assert_eq!(ended.until, cx.now + TimeDelta::days(1));
    assert_eq!(violation(absences::end(&house.coordinator(), told.id).await), ViolationCode::AlreadyEnded);
    assert!(absences::list(&cx, &during, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_long_absence_without_a_deputy_raises_an_alarm() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let (anna, bram) = (house.person("Anna").await, house.person("Bram").await);
    let weeks = TimeDelta::weeks(2);
    for (cover, lasts, alarms) in [
        (None, weeks, 0),
        (Some(bram.id), weeks + TimeDelta::milliseconds(1), 0),
        (None, weeks + TimeDelta::milliseconds(1), 1),
    ] {
        let new = NewAbsence { person_id: anna.id, cover_person_id: cover, from: cx.now, until: cx.now + lasts };
        let told = absences::create(&cx, new).await.unwrap();
        events::number(&house.app).await.unwrap();
        let (feed, _) = events::feed(&cx, 0, 1_000).await.unwrap();
        let raised = feed.iter().filter(|event| event.kind == "alarm.raised" && event.subject_id == told.id.0);
        assert_eq!(raised.count(), alarms);
    }
}

#[tokio::test]
async fn rosters_answer_for_who_is_the_one() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let location = house.unit("Location", None).await;
    let ward = house.unit("Ward", Some(location)).await;
    let (anna, bram, cor) = (house.person("Anna").await, house.person("Bram").await, house.person("Cor").await);
    let entry = |unit_id, role: &str, person_id, position| NewRosterEntry {
        unit_id,
        role: role.to_owned(),
        person_id,
        position,
    };
    rosters::create(&cx, entry(Some(location), "coach", bram.id, 2)).await.unwrap();
    let first = rosters::create(&cx, entry(Some(location), "coach", anna.id, 1)).await.unwrap();
    rosters::create(&cx, entry(None, "coordinator", cor.id, 1)).await.unwrap();
    let wanted = Wanted { case: CaseId(Uuid::nil()), unit: Some(ward), role: "coach".to_owned() };
    let who = async || {
        let worker = house.app.worker_context(house.organisation);
        resolve(&worker.db(), &worker, std::slice::from_ref(&wanted)).await.unwrap()[&wanted]
    };
    assert_eq!(who().await, Some(anna.id));
    let away =
        |person_id| NewAbsence { person_id, cover_person_id: None, from: cx.now, until: cx.now + TimeDelta::days(1) };
    absences::create(&cx, away(anna.id)).await.unwrap();
    assert_eq!(who().await, Some(bram.id));
    absences::create(&cx, away(bram.id)).await.unwrap();
    assert_eq!(who().await, Some(cor.id), "the coordinator before nobody");
    house.later(TimeDelta::days(1));
    assert_eq!(who().await, Some(anna.id), "back at work");
    rosters::end(&house.coordinator(), first.id).await.unwrap();
    house.later(TimeDelta::milliseconds(1));
    assert_eq!(who().await, Some(bram.id));
    let filter = RosterFilter { roles: vec!["coach".to_owned()], current: Some(true), ..RosterFilter::default() };
    assert_eq!(rosters::list(&house.coordinator(), &filter, None, 10).await.unwrap().len(), 1);
}
