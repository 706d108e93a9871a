//! Leasing: what is out, what waits, what another has in hand.

use std::{collections::HashSet, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use nazorg_domain::{
    entities::{JobId, JobKind, jobs as table},
    jobs::{self, LEASE, LeasedBatch, OUTSTANDING, Outcome},
};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, TransactionTrait};
use uuid::Uuid;

use crate::support::{House, fresh_app};

/// So many jobs that fell due a minute ago; `change` says what else there is about each.
async fn owed(house: &House, count: u64, change: impl Fn(&mut table::ActiveModel)) -> Vec<Uuid> {
    let due_at = house.app.clock.now() - TimeDelta::minutes(1);
    let rows: Vec<_> = (0..count)
        .map(|_| {
            let mut job = table::ActiveModel {
                id: Set(JobId(house.app.ids.next())),
                organisation_id: Set(house.organisation),
                kind: Set(JobKind::FollowUp),
                subject: Set(house.app.ids.next()),
                due_at: Set(due_at),
                version: Set(1),
                lease_until: Set(None),
                retry_at: Set(None),
                attempts: Set(0),
                last_error: Set(None),
                given_up_at: Set(None),
            };
            change(&mut job);
            job
        })
        .collect();
    let ids = rows.iter().map(|row| row.id.clone().unwrap().0).collect();
    for rows in rows.chunks(500) {
        table::Entity::insert_many(rows.to_vec()).exec(house.app.db.reader()).await.unwrap();
    }
    ids
}

fn in_hand(batches: &[LeasedBatch]) -> HashSet<Uuid> {
    batches.iter().flat_map(|batch| &batch.leases).map(|lease| lease.id.0).collect()
}

#[tokio::test]
async fn what_waits_for_its_next_try_is_in_nobodys_hands_however_much_it_is() {
    let house = fresh_app().await;
    let (wall, now) = (house.app.clock.wall(), house.app.clock.now());
    owed(&house, OUTSTANDING + 500, |job| {
        job.due_at = Set(now - TimeDelta::hours(1));
        job.retry_at = Set(Some(wall + TimeDelta::minutes(5)));
        job.attempts = Set(1);
    })
    .await;
    let fresh = owed(&house, 300, |_| {}).await;
    assert_eq!(jobs::outstanding(&house.app).await.unwrap(), 0);
    let leased = jobs::lease_due(&house.app, 200).await.unwrap();
    assert!(in_hand(&leased).is_subset(&fresh.into_iter().collect()), "what waits was not leased");
    assert_eq!(jobs::outstanding(&house.app).await.unwrap(), 200);
    assert_eq!(jobs::due(&house.app).await.unwrap(), 300);
}

#[tokio::test]
async fn what_is_leased_was_due_longest_and_goes_in_batches_of_a_hundred() {
    let house = fresh_app().await;
    let later = owed(&house, 120, |_| {}).await;
    let long_due = house.app.clock.now() - TimeDelta::days(3);
    let first = owed(&house, 250, |job| job.due_at = Set(long_due)).await;
    let leased = jobs::lease_due(&house.app, 250).await.unwrap();
    assert_eq!(in_hand(&leased), first.into_iter().collect());
    assert_eq!(leased.iter().map(|batch| batch.leases.len()).collect::<Vec<_>>(), [100, 100, 50]);
    let rest = jobs::lease_due(&house.app, 1_000).await.unwrap();
    assert_eq!(in_hand(&rest), later.into_iter().collect(), "nobody leases what is leased");
    assert!(jobs::lease_due(&house.app, 1_000).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_lease_that_lapsed_is_anothers_and_the_first_settles_nothing() {
    let house = fresh_app().await;
    owed(&house, 3, |_| {}).await;
    let first = jobs::lease_due(&house.app, 10).await.unwrap().remove(0);
    let lapsed: DateTime<Utc> = house.app.clock.wall() - TimeDelta::from_std(LEASE).unwrap();
    let lapse =
        table::Entity::update_many().set(table::ActiveModel { lease_until: Set(Some(lapsed)), ..Default::default() });
    assert_eq!(lapse.exec(house.app.db.reader()).await.unwrap().rows_affected, 3);
    let second = jobs::lease_due(&house.app, 10).await.unwrap().remove(0);
    assert_eq!(in_hand(std::slice::from_ref(&first)), in_hand(std::slice::from_ref(&second)));
    for (batch, left) in [(first, 3), (second, 0)] {
        let tx = house.app.db.begin_batch().await.unwrap();
        let done: Vec<_> = batch.leases.into_iter().map(|lease| (lease, Outcome::Done)).collect();
        jobs::settle(&tx, &house.app, &done).await.unwrap();
        tx.commit(&*house.app.bell).await.unwrap();
        assert_eq!(jobs::due(&house.app).await.unwrap(), left);
    }
}

/// On SQLite writers take turns, and there is nothing to pass over.
#[tokio::test]
async fn what_another_has_locked_is_passed_over_and_waited_for_by_nobody() {
    let house = fresh_app().await;
    if !house.app.db.is_postgres() {
        return;
    }
    let all = owed(&house, 150, |_| {}).await;
    let (locked, free) = all.split_at(40);
    let other = house.app.db.reader().begin().await.unwrap();
    let ids: Vec<_> = locked.iter().map(|id| format!("'{id}'")).collect();
    let lock = format!("SELECT id FROM jobs WHERE id IN ({}) FOR UPDATE", ids.join(", "));
    assert_eq!(
        other.query_all_raw(sea_orm::Statement::from_string(other.get_database_backend(), lock)).await.unwrap().len(),
        40
    );
    let patience = Duration::from_secs(3);
    let leased = tokio::time::timeout(patience, jobs::lease_due(&house.app, 1_000)).await.unwrap().unwrap();
    assert_eq!(in_hand(&leased), free.iter().copied().collect());
    other.rollback().await.unwrap();
    let rest = jobs::lease_due(&house.app, 1_000).await.unwrap();
    assert_eq!(in_hand(&rest), locked.iter().copied().collect());
    // What is handed back while somebody settles it is left to them.
    let settling = house.app.db.begin().await.unwrap();
    let done = vec![(rest[0].leases[0], Outcome::Done)];
    jobs::settle(&settling, &house.app, &done).await.unwrap();
    tokio::time::timeout(patience, jobs::hand_back(&house.app, &rest[0].leases)).await.unwrap().unwrap();
    settling.commit(&*house.app.bell).await.unwrap();
    assert_eq!(jobs::outstanding(&house.app).await.unwrap(), 110);
    assert_eq!(in_hand(&jobs::lease_due(&house.app, 1_000).await.unwrap()).len(), 39);
}
