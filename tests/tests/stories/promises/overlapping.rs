//! Transactions that overlap, as they do on PostgreSQL. The order of the feed: nothing comes before what was read already, and no effect
//! before its cause. The order of locks: cases before persons. Nobody works here but the test.

use std::time::Instant;

use futures::future::join_all;
use nazorg::domain::{
    App, Context,
    cases::{self, Case, NewCase},
    entities::{Audience, CaseId, OrganisationId, PersonId, Safe, cases as table},
    events::{self, Told},
    follow_ups,
    jobs::lease_due,
    messages::{self, Delivered, Sending},
    people::{consents, contact_points},
    protocol_versions::{self, Origin},
};
use nazorg_tests::{
    hospital::{ASK, ONE_MORNING},
    morning::{Morning, OPENED, operator},
    processes::Processes,
    service::{Ground, Leg},
    time::is_balanced,
};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait, Statement, TransactionTrait,
};

use super::{BINARY, PATIENCE, talk_after_hours};

/// The lock under which events get their numbers (`events::rows`).
const NUMBERING: i64 = 0x6e61_7a6f_7267;

/// An API process, a database, and whoever looks on from outside.
struct World {
    service: Processes,
    morning: Morning,
    outside: DatabaseConnection,
}

impl World {
    async fn found() -> Self {
        let service = Processes::start_on(BINARY, Ground::new(Leg::Distributed), OPENED, (1, 0, &[])).await;
        let morning = Morning::found(service.app(), &talk_after_hours()).await;
        let outside = sea_orm::Database::connect(service.ground.postgres.as_ref().unwrap().url()).await.unwrap();
        Self { service, morning, outside }
    }

    fn app(&self) -> &App {
        self.service.app()
    }

    async fn person(&self, name: &str) -> PersonId {
        self.morning.person(self.app(), &format!("{name}@home.example")).await
    }

    /// Opens a case, as a request does.
    async fn open(&self, person: PersonId, peer: PersonId) -> Case {
        let new = self.morning.case(person, peer, self.service.clock_now());
        cases::open(&operator(self.app(), self.morning.organisation), new).await.unwrap()
    }

    /// Locks rows until the transaction ends.
    async fn hold(&self, rows: &str) -> DatabaseTransaction {
        let held = self.outside.begin().await.unwrap();
        held.execute_unprepared(&format!("{rows} FOR UPDATE")).await.unwrap();
        held
    }

    /// Waits until so many sessions wait for a lock.
    async fn waiting(&self, count: i64) {
        let began = Instant::now();
        while self.count("pg_stat_activity WHERE wait_event_type = 'Lock'").await < count {
            assert!(began.elapsed() < PATIENCE, "{count} wait for a lock");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// How many rows there are of this.
    async fn count(&self, rows: &str) -> i64 {
        let sql = format!("SELECT COUNT(*) AS found FROM {rows}");
        let row = self.outside.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
        row.unwrap().try_get("", "found").unwrap()
    }

    async fn number(&self) {
        while events::number(self.app()).await.unwrap() > 0 {}
    }

    /// Everything was read in the order in which it stands, and nothing was missed.
    async fn ends(mut self, reader: Reader) {
        let mut anew = Reader::default();
        anew.read(self.app(), self.morning.organisation).await;
        assert_eq!(reader.places(), anew.places());
        is_balanced(self.app()).await;
        self.service.end().await;
    }
}

/// A consumer of the feed, which reads on from where it was.
#[derive(Default)]
struct Reader {
    read: Vec<Told>,
    last: i64,
}

impl Reader {
    async fn read(&mut self, app: &App, organisation: OrganisationId) {
        loop {
            let (told, last) = events::feed(&operator(app, organisation), self.last, 3).await.unwrap();
            if told.is_empty() {
                return;
            }
            assert!(told.iter().all(|one| one.position > self.last));
            self.read.extend(told);
            self.last = last;
        }
    }

    fn places(&self) -> Vec<(i64, String, Option<CaseId>)> {
        self.read.iter().map(|one| (one.position, one.kind.clone(), one.case_id)).collect()
    }

    /// Where something that happened in a case stands.
    fn place(&self, case: CaseId, kind: &str) -> i64 {
        let found = self.read.iter().find(|one| one.case_id == Some(case) && one.kind == kind);
        found.unwrap_or_else(|| panic!("no {kind} of {case} in {:?}", self.places())).position
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_long_transaction_tells_comes_after_what_was_read_meanwhile() {
    let world = World::found().await;
    let (app, organisation) = (world.app(), world.morning.organisation);
    let (late, early) = (world.person("late").await, world.person("early").await);
    let peer = world.person("peer").await;
    let mut reader = Reader::default();

    // It has told already that it opens a case, and waits for a row.
    let held = world.hold(&format!("SELECT 1 FROM persons WHERE id = '{}'", late.0)).await;
    let meanwhile = async {
        world.waiting(1).await;
        let case = world.open(early, peer).await;
        world.number().await;
        reader.read(app, organisation).await;
        let read = reader.place(case.id, "trajectory.started");
        held.rollback().await.unwrap();
        read
    };
    let (slow, read) = tokio::join!(world.open(late, peer), meanwhile);
    world.number().await;
    reader.read(app, organisation).await;
    assert!(reader.place(slow.id, "case.opened") > read, "{:?}", reader.places());
    assert!(reader.place(slow.id, "case.opened") < reader.place(slow.id, "trajectory.started"));
    world.ends(reader).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_batch_tells_comes_after_its_cause_and_before_what_was_told_later() {
    let world = World::found().await;
    let (app, organisation) = (world.app(), world.morning.organisation);
    let (person, peer, other) = (world.person("anna").await, world.person("peer").await, world.person("bram").await);
    let mut reader = Reader::default();
    world.number().await;
    reader.read(app, organisation).await;
    let first = reader.last;

    // The case is opened, and a batch tells of what was missed in it before anybody has given the opening its number.
    let case = world.open(person, peer).await;
    let due = world.service.clock_now() + chrono::TimeDelta::hours(super::HOURS);
    world.service.clock.move_to(due);
    let mut delivered = Vec::new();
    for batch in lease_due(app, 100).await.unwrap() {
        let (_, marked) = messages::wake_and_take(app, &batch).await.unwrap();
        let taken = || Sending::Taken { provider_id: None };
        delivered.extend(marked.into_iter().map(|message| Delivered { message, result: taken() }));
    }
    assert_eq!(delivered.len(), 1, "the reminder");

    // The next batch has its turn to give numbers, and waits in the middle of it; a request and another numbering come by.
    let before = world.open(other, peer).await;
    let held = world.hold("SELECT id FROM events WHERE position IS NULL").await;
    let meanwhile = async {
        world.waiting(1).await;
        let later = world.open(other, peer).await;
        let numbering = events::number(app);
        let look = async {
            world.waiting(2).await;
            reader.read(app, organisation).await;
            assert_eq!(reader.place(case.id, "follow_up.overdue"), reader.last, "nothing of what is not committed");
            held.rollback().await.unwrap();
        };
        let (numbered, ()) = tokio::join!(numbering, look);
        numbered.unwrap();
        later
    };
    let (settled, later) = tokio::join!(messages::settle(app, delivered), meanwhile);
    settled.unwrap();
    reader.read(app, organisation).await;
    let places = [
        reader.place(case.id, "case.opened"),
        reader.place(case.id, "trajectory.started"),
        reader.place(case.id, "follow_up.overdue"),
        reader.place(before.id, "case.opened"),
        reader.place(case.id, "message.sent"),
        reader.place(later.id, "case.opened"),
    ];
    assert!(places.is_sorted() && places[0] > first, "{:?}", reader.places());
    world.number().await;
    reader.read(app, organisation).await;
    world.ends(reader).await;
}

/// The other way round two batches could wait for each other: one that lets time pass closes cases, and then sends to persons.
async fn whoever_waits_for_a_person_has_the_case(together: bool) {
    let mut world = World::found().await;
    world.morning = Morning::prepare(world.app(), 2, 1).await;
    let case = table::Entity::find().one(&world.outside).await.unwrap().unwrap();
    world.service.clock.move_to(Morning::wave(0));
    let mut batch = lease_due(world.app(), 100).await.unwrap().remove(0);
    if !together {
        follow_ups::wake(world.app(), &batch).await.unwrap();
        batch = lease_due(world.app(), 100).await.unwrap().remove(0);
    }
    let held = world.hold(&format!("SELECT 1 FROM persons WHERE id = '{}'", case.person_id.0)).await;
    let meanwhile = async {
        world.waiting(1).await;
        let free = world.count("(SELECT 1 FROM cases FOR NO KEY UPDATE SKIP LOCKED) AS free").await;
        held.rollback().await.unwrap();
        free
    };
    let work = async {
        match together {
            true => messages::wake_and_take(world.app(), &batch).await.unwrap().1,
            false => messages::take(world.app(), &batch).await.unwrap(),
        }
    };
    let (marked, free) = tokio::join!(work, meanwhile);
    assert_eq!((marked.len(), free), (2, 0), "the case is locked before the person");
    world.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_are_taken_lock_their_cases_before_their_persons() {
    whoever_waits_for_a_person_has_the_case(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn follow_ups_that_wake_lock_their_cases_before_the_persons_of_what_they_announce() {
    whoever_waits_for_a_person_has_the_case(true).await;
}

/// What is taken back was agreed to when the message was marked, or is not any more: nothing is in between. So it waits for who marks.
async fn waits_for_who_marks(take_back: impl AsyncFnOnce(&Context<'_>, PersonId)) {
    let mut world = World::found().await;
    world.morning = Morning::prepare(world.app(), 2, 1).await;
    let person = table::Entity::find().one(&world.outside).await.unwrap().unwrap().person_id;
    world.service.clock.move_to(Morning::wave(0));
    let batch = lease_due(world.app(), 100).await.unwrap().remove(0);
    let cx = operator(world.app(), world.morning.organisation);

    // Everything is judged; before its commit the batch waits for the turn to number its events.
    let held = world.outside.begin().await.unwrap();
    held.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({NUMBERING})")).await.unwrap();
    let taken_back = async {
        world.waiting(1).await;
        take_back(&cx, person).await;
    };
    let meanwhile = async {
        world.waiting(2).await;
        held.rollback().await.unwrap();
    };
    let (taken, (), ()) = tokio::join!(messages::wake_and_take(world.app(), &batch), taken_back, meanwhile);
    assert_eq!(taken.unwrap().1.len(), 2, "the one to the person is among them");
    world.service.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p27_a_consent_that_is_revoked_while_a_message_is_marked_waits_for_that() {
    waits_for_who_marks(async |cx, person| {
        let consent = consents::list(cx, person, None, 10).await.unwrap().remove(0);
        assert!(consents::revoke(cx, consent.id).await.unwrap().revoked_at.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p27_an_address_that_is_no_longer_safe_while_a_message_is_marked_waits_for_that() {
    waits_for_who_marks(async |cx, person| {
        let point = contact_points::list(cx, person, None, 10).await.unwrap().remove(0);
        assert_eq!(contact_points::verify(cx, point.id, Safe::No, None).await.unwrap().safe, Safe::No);
    })
    .await;
}

/// Three questions to one person, each of another programme, and a cap of two: who judges a batch sees what another batch just sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p37_three_batches_at_once_keep_to_the_cap_together() {
    let mut world = World::found().await;
    let (anna, peer) = (world.person("anna").await, world.person("peer").await);
    let cx = operator(world.app(), world.morning.organisation);
    for (nth, programme) in
        ["peer_support_uniformed", "peer_support_police", "annual_professional_checkin"].into_iter().enumerate()
    {
        let text = format!("{ONE_MORNING}{ASK}").replace("    at: \"10:00\"\n", "");
        let text = text.replace("one_morning", programme).replace("second_victim_peer_support", programme);
        let protocol = protocol_versions::upload(&cx, Origin::Text(text), true).await.unwrap().id;
        let new = world.morning.case(anna, peer, Morning::wave(nth) - chrono::TimeDelta::days(14));
        cases::open(&cx, NewCase { protocol_id: protocol, ..new }).await.unwrap();
    }
    world.service.clock.move_to(Morning::wave(2));
    let mut batches = Vec::new();
    for _ in 0..3 {
        batches.push(lease_due(world.app(), 2).await.unwrap().remove(0));
    }

    // All are judged before any has committed, if nothing keeps them from it.
    let held = world.outside.begin().await.unwrap();
    held.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({NUMBERING})")).await.unwrap();
    let meanwhile = async {
        world.waiting(3).await;
        held.rollback().await.unwrap();
    };
    let taken = join_all(batches.iter().map(|batch| messages::wake_and_take(world.app(), batch)));
    let (taken, ()) = tokio::join!(taken, meanwhile);
    let sent: Vec<_> = taken.into_iter().flat_map(|taken| taken.unwrap().1).collect();
    let to_anna = sent.iter().filter(|message| message.audience == Audience::Person).count();
    assert_eq!(to_anna, 2, "of three: {sent:?}");
    world.service.end().await;
}
