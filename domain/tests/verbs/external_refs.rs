use nazorg_domain::{
    entities::PersonId,
    error::{Error, ViolationCode},
    external_refs::{ExternalRef, Kind, find},
    people::{self, NewPerson, Search},
};
use uuid::Uuid;

use crate::support::{fresh_app, new_person, violation};

fn one(system: &str, value: &str) -> ExternalRef {
    ExternalRef { system: system.to_owned(), value: value.to_owned() }
}

fn known_as(name: &str, refs: &[ExternalRef]) -> NewPerson {
    NewPerson { external_refs: refs.to_vec(), ..new_person(name) }
}

#[tokio::test]
async fn a_reference_belongs_to_one_person_of_a_tenant() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let anna = people::create(&cx, known_as("Anna", &[one("hr", "A-17"), one("vim", "A-17")])).await.unwrap();
    let taken = people::create(&cx, known_as("Bram", &[one("hr", "A-17")])).await;
    assert_eq!(violation(taken), ViolationCode::ExternalRefTaken);
    assert_eq!(people::list(&cx, None, 10).await.unwrap().len(), 1, "nothing of Bram was kept");
    people::create(&cx, known_as("Bram", &[one("hr", "a-17")])).await.expect("references are compared exactly");

    assert_eq!(people::read(&cx, anna.id).await.unwrap().external_refs, [one("hr", "A-17"), one("vim", "A-17")]);
    let elsewhere = house.coordinator_of(house.other_organisation().await);
    people::create(&elsewhere, known_as("Anna", &[one("hr", "A-17")])).await.expect("another tenant's own numbers");
    let found = find(&cx.db(), &cx, Kind::Person, &one("hr", "A-17")).await.unwrap();
    assert_eq!(found.map(PersonId), Some(anna.id));
    assert_eq!(find(&cx.db(), &cx, Kind::Case, &one("hr", "A-17")).await.unwrap(), None);
}

#[tokio::test]
async fn an_upsert_makes_one_person_and_tells_only_what_is_new() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    let (anna, new) = people::upsert(&cx, one("hr", "17"), new_person("Anna")).await.unwrap();
    assert!(new);
    assert_eq!(anna.external_refs, [one("hr", "17")]);
    let (again, new) = people::upsert(&cx, one("hr", "17"), new_person("Anna")).await.unwrap();
    assert!(!new);
    assert_eq!(again, anna, "nothing changed, not even the version");
    let married = NewPerson { profession: Some("nurse".to_owned()), ..new_person("Anna de Vries") };
    let (after, _) = people::upsert(&cx, one("hr", "17"), married).await.unwrap();
    assert_eq!((after.id, after.version), (anna.id, 2));
    let search = Search { external_ref: Some(one("hr", "17")), ..Search::default() };
    let found = people::search(&cx, search, None, 10).await.unwrap();
    assert_eq!(found, [people::read(&cx, anna.id).await.unwrap()]);
    assert_eq!(found[0].name.as_deref(), Some("Anna de Vries"));
}

#[tokio::test]
async fn many_who_register_the_same_person_at_once_make_one() {
    let house = fresh_app().await;
    let upserts = (0..8).map(|_| async {
        let cx = house.coordinator();
        people::upsert(&cx, one("hr", "17"), new_person("Anna")).await
    });
    let made = futures::future::join_all(upserts).await;
    let ids: std::collections::HashSet<Uuid> = made.iter().map(|one| one.as_ref().unwrap().0.id.0).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(made.iter().filter(|one| one.as_ref().unwrap().1).count(), 1);
}

#[tokio::test]
async fn a_reference_nobody_bears_finds_nobody() {
    let house = fresh_app().await;
    let cx = house.coordinator();
    house.person("Anna").await;
    let search = Search { external_ref: Some(one("hr", "17")), ..Search::default() };
    assert!(people::search(&cx, search, None, 10).await.unwrap().is_empty());
    assert!(matches!(people::search(&cx, Search::default(), None, 10).await, Err(Error::Invalid(_))));
}
