//! The ledger's check can fail: what is lost, changed or slipped in behind the service's back is told, each with its own reason.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use nazorg::domain::{
    App, Clock,
    entities::{
        CaseId, FollowUpId, JobId, JobKind, MessageId, MessageStatus, RemainsKind, Role, TallySubject, TrajectoryId,
        UnitId, follow_ups, jobs, messages, remains, tallies, trajectories, trajectory_inputs,
    },
    ledger,
};
use nazorg_tests::{
    client::fresh_id,
    hospital::{CHECK_IN, Hospital},
    service::Service,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter,
    sea_query::Expr,
};
use serde_json::{Value, json};
use uuid::Uuid;

const EVENT: &str = "2026-12-01T06:59:50Z";
const REPORTED: &str = "2026-12-01T07:00:00Z";
/// 06:30 in Amsterdam: the question to the person was planned, and waits for the end of the quiet hours.
const NIGHT: &str = "2026-12-02T05:30:00Z";

/// What is done behind the service's back, and what the ledger says of it.
const DEEDS: [(&str, &[&str]); 16] = [
    ("follow_up_job_deleted", &["follow_up_without_job"]),
    ("follow_up_job_late", &["job_differs"]),
    ("follow_up_job_given_up", &["job_given_up"]),
    ("message_job_deleted", &["message_without_job"]),
    ("message_job_given_up", &["job_given_up"]),
    ("follow_up_deleted", &["follow_up_missing"]),
    ("follow_up_changed", &["follow_up_differs"]),
    ("follow_up_inserted", &["follow_up_unexpected"]),
    ("message_deleted", &["message_missing"]),
    ("message_inserted", &["message_unexpected"]),
    ("message_elsewhere", &["message_missing", "without_trajectory"]),
    ("trajectory_closed", &["trajectory_differs"]),
    ("anchor_changed", &["follow_up_differs", "follow_up_without_job", "message_unexpected"]),
    ("start_deleted", &["follow_up_unexpected", "message_unexpected", "trajectory_stalled"]),
    ("outcome_deleted", &["follow_up_differs"]),
    ("middle_of_log_deleted", &["does_not_replay"]),
];

/// The reasons of a ledger, in order, and their sum, which must be what is unaccounted for.
fn reasons(ledger: &Value) -> Vec<String> {
    let told = ledger["reasons"].as_array().unwrap();
    let sum: i64 = told.iter().map(|one| one["count"].as_i64().unwrap()).sum();
    assert_eq!(ledger["unaccounted"], sum, "{ledger}");
    told.iter().map(|one| one["reason"].as_str().unwrap().to_owned()).collect()
}

/// A case in the middle of the night: the question is planned and postponed, the talk is to come.
struct Running<'a> {
    app: &'a App,
    talk: follow_ups::Model,
    ask: messages::Model,
}

impl<'a> Running<'a> {
    async fn of(app: &'a App, case: Uuid) -> Self {
        let of_case = follow_ups::Entity::find().filter(follow_ups::Column::CaseId.eq(CaseId(case)));
        let talk = of_case.filter(follow_ups::Column::Step.eq("talk")).one(app.db.reader()).await.unwrap().unwrap();
        let of_case = messages::Entity::find().filter(messages::Column::CaseId.eq(CaseId(case)));
        let ask = of_case.one(app.db.reader()).await.unwrap().unwrap();
        Self { app, talk, ask }
    }

    fn db(&self) -> &DatabaseConnection {
        self.app.db.reader()
    }

    async fn delete_job(&self, subject: Uuid) {
        let job = jobs::Entity::delete_many().filter(jobs::Column::Subject.eq(subject));
        assert_eq!(job.exec(self.db()).await.unwrap().rows_affected, 1);
    }

    async fn give_up(&self, subject: Uuid) {
        let given_up = jobs::Entity::update_many()
            .col_expr(jobs::Column::GivenUpAt, Expr::value(self.app.clock.now()))
            .filter(jobs::Column::Subject.eq(subject));
        assert_eq!(given_up.exec(self.db()).await.unwrap().rows_affected, 1);
    }

    async fn forget_inputs(&self, positions: &[i32]) {
        let forgotten = trajectory_inputs::Entity::delete_many()
            .filter(trajectory_inputs::Column::TrajectoryId.eq(self.talk.trajectory_id))
            .filter(trajectory_inputs::Column::Position.is_in(positions.iter().copied()));
        assert_eq!(forgotten.exec(self.db()).await.unwrap().rows_affected, positions.len() as u64);
    }

    async fn change_anchor(&self) {
        let start = trajectory_inputs::Entity::find_by_id((self.talk.trajectory_id, 1));
        let start = start.one(self.db()).await.unwrap().unwrap();
        let mut what = start.what.clone();
        what["anchors"]["event_at"][0]["at"] = json!("2026-12-02T06:59:50Z");
        let mut row: trajectory_inputs::ActiveModel = start.into();
        row.what = Set(what);
        row.update(self.db()).await.unwrap();
    }

    async fn change_rows(&self, deed: &str) {
        let db = self.db();
        let talk = || follow_ups::Column::Id.eq(self.talk.id);
        match deed {
            "follow_up_deleted" => {
                follow_ups::Entity::delete_many().filter(talk()).exec(db).await.unwrap();
            }
            "follow_up_changed" => {
                let changed = follow_ups::Entity::update_many().col_expr(follow_ups::Column::Status, "done".into());
                changed.filter(talk()).exec(db).await.unwrap();
            }
            "follow_up_inserted" => {
                let mut row = follow_ups::ActiveModel::from(self.talk.clone()).reset_all();
                (row.id, row.key) = (Set(FollowUpId(fresh_id())), Set("slipped_in".to_owned()));
                follow_ups::Entity::insert(row).exec_without_returning(db).await.unwrap();
            }
            "message_deleted" => {
                self.delete_job(self.ask.id.0).await;
                messages::Entity::delete_by_id(self.ask.id).exec(db).await.unwrap();
            }
            "message_inserted" => {
                let mut row = messages::ActiveModel::from(self.ask.clone()).reset_all();
                (row.id, row.rule) = (Set(MessageId(fresh_id())), Set("slipped_in".to_owned()));
                row.status = Set(MessageStatus::Cancelled);
                messages::Entity::insert(row).exec_without_returning(db).await.unwrap();
            }
            "message_elsewhere" => {
                let mut row = messages::ActiveModel::from(self.ask.clone());
                row.trajectory_id = Set(TrajectoryId(fresh_id()));
                row.update(db).await.unwrap();
            }
            "trajectory_closed" => {
                let closed = trajectories::Entity::update_many()
                    .col_expr(trajectories::Column::Status, "closed".into())
                    .filter(trajectories::Column::Id.eq(self.talk.trajectory_id));
                closed.exec(db).await.unwrap();
            }
            other => panic!("{other} is no deed"),
        }
    }

    async fn suffer(&self, deed: &str) {
        let (talk, ask) = (self.talk.id.0, self.ask.id.0);
        match deed {
            "follow_up_job_deleted" => self.delete_job(talk).await,
            "follow_up_job_given_up" => self.give_up(talk).await,
            "message_job_deleted" => self.delete_job(ask).await,
            "message_job_given_up" => self.give_up(ask).await,
            "follow_up_job_late" => {
                let late = self.talk.due_at.unwrap() + TimeDelta::minutes(1);
                let job = jobs::Entity::update_many().col_expr(jobs::Column::DueAt, Expr::value(late));
                job.filter(jobs::Column::Subject.eq(talk)).exec(self.db()).await.unwrap();
            }
            "anchor_changed" => self.change_anchor().await,
            "start_deleted" => self.forget_inputs(&[1]).await,
            "outcome_deleted" => self.forget_inputs(&[2]).await,
            "middle_of_log_deleted" => self.forget_inputs(&[2, 3]).await,
            rows => self.change_rows(rows).await,
        }
    }
}

/// What the log holds beside the start, where a deed is about that.
async fn more_log(hospital: &Hospital, case: Uuid, deed: &str) {
    if deed == "middle_of_log_deleted" {
        // Paused and resumed at the same moment: without these two everything stands where it stood.
        let trajectory = hospital.trajectory(case).await["id"].as_str().unwrap().to_owned();
        for action in ["pause", "resume"] {
            hospital.coordinator.post_nothing(&format!("/v1/trajectories/{trajectory}/{action}")).await.expect(200);
        }
    }
    if deed == "outcome_deleted" || deed == "middle_of_log_deleted" {
        hospital.complete(case, "ask", "answered").await;
    }
}

#[tokio::test]
async fn the_ledger_tells_what_was_done_behind_the_services_back() {
    let service = Service::start().await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(CHECK_IN).await;
    let mut cases = Vec::new();
    for (deed, wanted) in DEEDS {
        hospital.register_agreeing(deed).await;
        cases.push((deed, wanted, hospital.open(deed, (EVENT, REPORTED), None).await));
    }
    service.travel_to(NIGHT).await;
    for (deed, _, case) in &cases {
        more_log(&hospital, *case, deed).await;
    }
    service.is_balanced().await;
    let whole = hospital.coordinator.get("/v1/ledger").await.expect(200);
    assert_eq!(whole["unaccounted"], 0, "{whole}");
    let mut wrong = Vec::new();
    for (deed, wanted, case) in &cases {
        let before = hospital.ledger(*case).await;
        assert_eq!((before["unaccounted"].as_i64(), reasons(&before).len()), (Some(0), 0), "{deed}: {before}");
        Running::of(service.app(), *case).await.suffer(deed).await;
        let after = hospital.ledger(*case).await;
        if reasons(&after) != *wanted {
            wrong.push(format!("{deed}: {:?}, not {wanted:?}", reasons(&after)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let alarmed = ledger::check_all(service.app()).await.unwrap();
    let ours = alarmed.iter().find(|(organisation, _)| *organisation == hospital.tenant.id).unwrap().1;
    assert!(usize::try_from(ours).unwrap() >= DEEDS.len(), "the alarm counts {ours}");
}

#[tokio::test]
async fn a_job_that_wakes_nothing_is_told() {
    let service = Service::start().await;
    let hospital = Hospital::found(&service).await;
    let other = service.tenant("Ziekenhuis aan Zee").await;
    let other = service.key(other.id, Role::Coordinator, None).await;
    let case = hospital.open("nurse", (EVENT, REPORTED), None).await;
    service.is_balanced().await;
    let db = service.app().db.reader();
    for kind in [JobKind::FollowUp, JobKind::Message] {
        let job = jobs::ActiveModel {
            id: Set(JobId(fresh_id())),
            organisation_id: Set(hospital.tenant.id),
            kind: Set(kind),
            subject: Set(fresh_id()),
            due_at: Set(service.clock.now() + TimeDelta::days(1)),
            version: Set(1),
            lease_until: Set(None),
            retry_at: Set(None),
            attempts: Set(0),
            last_error: Set(None),
            given_up_at: Set(None),
        };
        jobs::Entity::insert(job).exec_without_returning(db).await.unwrap();
    }
    let whole = hospital.coordinator.get("/v1/ledger").await.expect(200);
    assert_eq!((whole["unaccounted"].as_i64(), reasons(&whole)), (Some(2), vec!["job_without_subject".to_owned()]));
    assert_eq!(hospital.ledger(case).await["unaccounted"], 0, "no case is to blame");
    assert_eq!(other.get("/v1/ledger").await.expect(200)["unaccounted"], 0, "nor another organisation");
    // It falls due, finds nothing to wake, and is gone.
    service.travel(TimeDelta::days(1)).await;
    service.is_balanced().await;
}

#[tokio::test]
async fn what_nobody_is_going_to_forget_is_told() {
    let service = Service::start().await;
    let hospital = Hospital::found(&service).await;
    let involved = json!([{"personId": hospital.people["nurse"], "supportOffered": "no"}]);
    let report = json!({
        "eventClass": "medical_incident", "eventAt": EVENT, "reportedAt": REPORTED, "unitId": hospital.ward, "involved": involved,
    });
    let report = hospital.reporter.post("/v1/incidents", report).await.expect(201);
    let case = hospital.open("nurse", (EVENT, REPORTED), Some(&report["involved"][0]["id"])).await;
    service.is_balanced().await;
    let db = service.app().db.reader();
    let told = async || {
        let whole = hospital.coordinator.get("/v1/ledger").await.expect(200);
        assert_eq!(whole["unaccounted"], 1, "{whole}");
        reasons(&whole)
    };

    let job = jobs::Entity::find().filter(jobs::Column::Kind.eq(JobKind::IncidentLink)).one(db).await.unwrap().unwrap();
    jobs::Entity::delete_by_id(job.id).exec(db).await.unwrap();
    assert_eq!(told().await, ["link_without_job"]);
    assert_eq!(reasons(&hospital.ledger(case).await), ["link_without_job"]);
    jobs::Entity::insert(jobs::ActiveModel::from(job).reset_all()).exec_without_returning(db).await.unwrap();

    let left = remains::ActiveModel {
        id: Set(fresh_id()),
        organisation_id: Set(hospital.tenant.id),
        kind: Set(RemainsKind::Key),
        key_id: Set(None),
        created_at: Set(service.clock.now()),
    };
    remains::Entity::insert(left).exec_without_returning(db).await.unwrap();
    assert_eq!(told().await, ["remains_without_job"]);
    remains::Entity::delete_many().exec(db).await.unwrap();

    let counted = tallies::ActiveModel {
        organisation_id: Set(hospital.tenant.id),
        month: Set("2026-12".to_owned()),
        unit_id: Set(UnitId(Uuid::nil())),
        protocol: Set(String::new()),
        subject: Set(TallySubject::Case),
        status: Set("deleted".to_owned()),
        reason: Set(String::new()),
        count: Set(1),
    };
    tallies::Entity::insert(counted).exec_without_returning(db).await.unwrap();
    assert_eq!(told().await, ["tally_differs"]);
    tallies::Entity::delete_many().exec(db).await.unwrap();
    service.is_balanced().await;
}

/// The reasons are a closed set: each has a deed that brings it about, here or where forgetting is told.
#[test]
fn every_reason_can_be_provoked() {
    let here = DEEDS.iter().flat_map(|(_, reasons)| reasons.iter().copied());
    let others =
        ["job_without_subject", "link_without_job", "remains_without_job", "tally_differs", "retention_without_job"];
    let provoked: BTreeSet<&str> = here.chain(others).collect();
    let all: BTreeSet<&str> = ledger::Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(provoked, all);
}

#[tokio::test]
async fn p34_what_was_given_up_is_seen_and_done_anew_when_somebody_says_so() {
    let service = Service::start().await;
    let mut hospital = Hospital::found(&service).await;
    hospital.publish(CHECK_IN).await;
    hospital.register_agreeing("anna").await;
    let case = hospital.open("anna", (EVENT, REPORTED), None).await;
    // The worker cannot read it, and has tried fifteen times.
    let db = service.app().db.reader();
    db.execute_unprepared("CREATE TABLE kept AS SELECT id, surroundings FROM trajectories").await.unwrap();
    db.execute_unprepared("UPDATE trajectories SET surroundings = '{\"zone\": 3}'").await.unwrap();
    db.execute_unprepared("UPDATE jobs SET attempts = 15").await.unwrap();
    service.travel_to(NIGHT).await;

    let api = &hospital.tenant.admin;
    let page = api.get("/v1/given-up-jobs").await.expect(200);
    let job = &page["items"][0];
    assert_eq!((&job["kind"], &page["items"][1]), (&json!("follow_up"), &Value::Null), "{page}");
    let metrics = reqwest::get(format!("{}/metrics", service.operations)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("nazorg_jobs_given_up_total{kind=\"follow_up\"} 1"), "{metrics}");
    let events = hospital.coordinator.get("/v1/events?limit=100").await.expect(200);
    let alarms = events["items"].as_array().unwrap().iter().filter(|event| event["kind"] == "alarm.raised");
    let alarms: Vec<_> = alarms.map(|event| (&event["data"]["code"], &event["subjectId"])).collect();
    assert_eq!(alarms, [(&json!("job_given_up"), &job["subjectId"])]);

    // Repeated, it is tried as often as before: it waits for its next try now.
    let repeat = format!("/v1/given-up-jobs/{}/repeat", job["id"].as_str().unwrap());
    hospital.as_supporter(&service, "peer").await.post_nothing(&repeat).await.refused(403, "forbidden");
    api.post_nothing(&repeat).await.expect(200);
    api.post_nothing(&repeat).await.refused(409, "job_not_given_up");
    assert_eq!(api.get("/v1/given-up-jobs").await.expect(200)["items"], json!([]));
    let back = "UPDATE trajectories SET surroundings = (SELECT surroundings FROM kept WHERE kept.id = trajectories.id)";
    db.execute_unprepared(back).await.unwrap();
    service.clock.pass(TimeDelta::minutes(1));
    service.travel_to("2026-12-02T08:00:00Z").await;
    assert_eq!(hospital.messages(case).await[0]["status"], "sent");
    service.is_balanced().await;
}
