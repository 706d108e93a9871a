//! What keys open, and to whom no more.

use nazorg_domain::{
    api_keys::{self, NewApiKey},
    entities::{PersonId, Role, api_keys as keys, idempotency_keys as stored},
    error::Error,
    idempotency::{self, StoredAnswer},
    people,
    secrets::{Secret, hash, place},
    staff::{memberships, memberships::NewMembership},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use crate::support::{answer, fresh_app, under_way};

/// A supporter's own key, called after them.
fn own(person: PersonId) -> NewApiKey {
    let (name, role) = ("Anna's telephone".to_owned(), Role::Supporter);
    NewApiKey { name, role, scopes: Vec::new(), person_id: Some(person), expires_at: None }
}

#[tokio::test]
async fn a_key_is_not_called_after_somebody_who_was_erased() {
    let house = fresh_app().await;
    let anna = house.person("Anna").await;
    let (key, secret) = api_keys::create(&house.cx(Role::Admin), own(anna.id)).await.unwrap();
    people::erase(&house.coordinator(), anna.id).await.unwrap();
    let row =
        keys::Entity::find().filter(keys::Column::Id.eq(key.id)).one(house.app.db.reader()).await.unwrap().unwrap();
    assert!(row.name.is_empty() && row.revoked_at.is_some(), "{row:?}");
    assert!(matches!(api_keys::authenticate(&house.app, &secret, None).await, Err(Error::NotFound)));
}

#[tokio::test]
async fn a_persons_key_opens_nothing_once_they_do_not_work_here() {
    let house = fresh_app().await;
    let anna = house.person("Anna").await;
    let (_, secret) = api_keys::create(&house.cx(Role::Admin), own(anna.id)).await.unwrap();
    let works = async || api_keys::authenticate(&house.app, &secret, None).await.map(|caller| caller.person);
    assert_eq!(works().await.unwrap(), Some(anna.id), "who stands in cases alone was never given a role");
    let given = NewMembership { person_id: anna.id, role: Role::Supporter, unit_id: None };
    let given = memberships::create(&house.coordinator(), given).await.unwrap();
    assert_eq!(works().await.unwrap(), Some(anna.id));
    memberships::end(&house.coordinator(), given.id).await.unwrap();
    house.later(chrono::TimeDelta::milliseconds(1));
    assert!(matches!(works().await, Err(Error::NotFound)));
}

/// What a client calls its request may be easy to guess: whoever has the data and guesses it opens nothing without the master key.
#[tokio::test]
async fn a_stored_answer_opens_for_nobody_who_has_the_data_alone() {
    let house = fresh_app().await;
    let pending = under_way(&house, "1").await;
    idempotency::leave(pending, &answer()).await.unwrap();
    let row = stored::Entity::find().one(house.app.db.reader()).await.unwrap().unwrap();
    let (sealed, at) = (row.answer_enc.unwrap(), place("idempotency_keys/answer", row.id));
    let guessed = hash(&[b"1", &row.scope_hash]);
    let opened = Secret::derive_from(&guessed, "idempotency/answer").unwrap().open(&at, &sealed);
    assert!(opened.is_err(), "the client's key is enough");
    let material = house.app.keys.derived("idempotency").unwrap()[0].mac(&guessed).unwrap();
    let opened = Secret::derive_from(&material, "idempotency/answer").unwrap().open(&at, &sealed);
    assert_eq!(serde_json::from_slice::<StoredAnswer>(&opened.unwrap()).unwrap(), answer());
}
