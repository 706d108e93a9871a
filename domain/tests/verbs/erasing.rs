//! Who is erased is erased: nothing that refers to them is written meanwhile.

use std::time::Duration;

use nazorg_domain::{
    entities::{ChannelKind, ContactMode, Role, Safe, Voicemail, consents as agreed, contact_points as points},
    error::ViolationCode,
    idempotency,
    people::{self, consents, contact_points, relations},
    staff::{memberships, memberships::NewMembership},
};
use sea_orm::{EntityTrait, PaginatorTrait};

use crate::support::{answer, field, fresh_app, refused, under_way, violation};

#[tokio::test]
async fn what_would_refer_to_somebody_waits_for_their_erasure_and_is_refused() {
    let house = fresh_app().await;
    let (anna, other) = (house.person("Anna").await, house.person("Other").await);
    let pending = under_way(&house, "erase").await;
    people::erase(&pending.cx, anna.id).await.unwrap();
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
    let consent = consents::NewConsent {
        purpose: "messages".to_owned(),
        recipient_person_id: None,
        recipient: None,
        items: Vec::new(),
        legal_basis: "consent".to_owned(),
        given_by: "self".to_owned(),
        valid_from: None,
        valid_until: None,
    };
    let membership = NewMembership { person_id: anna.id, role: Role::Supporter, unit_id: None };
    let cx = || house.coordinator();
    // Two at a time: the house has three connections, and the erasure holds one.
    let first = async {
        let (a, b) = (cx(), cx());
        tokio::join!(contact_points::create(&a, anna.id, point), consents::give(&b, anna.id, consent))
    };
    let settled = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        idempotency::leave(pending, &answer()).await.unwrap();
    };
    let ((point, consent), ()) = tokio::join!(first, settled);
    assert_eq!(violation(point), ViolationCode::PersonErased);
    assert_eq!(violation(consent), ViolationCode::PersonErased);
    let db = house.app.db.reader();
    assert_eq!(points::Entity::find().count(db).await.unwrap(), 0);
    assert_eq!(agreed::Entity::find().count(db).await.unwrap(), 0);
    // Later is no different.
    assert_eq!(
        violation(relations::create(&cx(), anna.id, other.id, "close_one".to_owned()).await),
        ViolationCode::PersonErased
    );
    assert_eq!(refused(memberships::create(&cx(), membership).await), field("/personId", "unknown"));
}

#[tokio::test]
async fn a_case_that_is_opened_meanwhile_is_refused_and_one_that_was_is_in_the_way() {
    let house = fresh_app().await;
    let (anna, peer) = (house.person("Anna").await, house.person("Peer").await);
    house.case(peer.id, anna.id, None).await;
    assert_eq!(violation(people::erase(&house.coordinator(), anna.id).await), ViolationCode::PersonNeeded);
    let (bram, cor) = (house.person("Bram").await, house.person("Cor").await);
    let pending = under_way(&house, "erase").await;
    people::erase(&pending.cx, bram.id).await.unwrap();
    let open = house.try_case(bram.id, cor.id, None);
    let settled = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        idempotency::leave(pending, &answer()).await.unwrap();
    };
    let (opened, ()) = tokio::join!(open, settled);
    assert_eq!(refused(opened), field("/personId", "unknown"));
}
