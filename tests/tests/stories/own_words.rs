//! Scenario F: recovery coaching for eighteen months, over the clock changes of three spring and autumn nights, and the sister's own
//! track beside it. Either may end the match, either may withdraw, and nobody is asked why.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use nazorg::domain::{
    Clock,
    entities::{JobKind, jobs},
};
use nazorg_tests::{
    hospital::{Hospital, ROUNDS},
    service::{Ground, Leg, Service},
    smtp_sink::{At, Behaviour, Does, SmtpSink},
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

/// Monday 2 November 2026, 11:00 in Amsterdam.
const APPLIED: &str = "2026-11-02T10:00:00Z";
/// Ten o'clock in Amsterdam on the day of each review: in winter, and in summer.
const REVIEWS: [&str; 6] = [
    "2027-03-21T09:00:00.000Z",
    "2027-06-21T08:00:00.000Z",
    "2027-09-21T08:00:00.000Z",
    "2027-12-21T09:00:00.000Z",
    "2028-03-21T09:00:00.000Z",
    "2028-06-21T08:00:00.000Z",
];
const PATIENCE: Duration = Duration::from_secs(20);

/// Everyone and everything the story is about.
struct House {
    service: Service,
    hospital: Hospital,
    mail: SmtpSink,
    coaching: Uuid,
    support: Uuid,
    relation: Uuid,
    /// The client's consent towards the sister.
    towards_her: Uuid,
    /// The sister's own.
    her_own: Uuid,
}

/// A service with one worker's hand, both programmes published, both people with their consents.
async fn house() -> House {
    let mail = SmtpSink::start().await;
    let settings = [("SMTP_URL", mail.url()), ("NAZORG_WORKER_CONCURRENCY", "1".to_owned())];
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let service = Service::start_with(Ground::new(Leg::from_env()), APPLIED, &settings).await;
    let mut hospital = Hospital::found(&service).await;
    for name in ["client", "coach", "other_coach", "expert"] {
        hospital.register(name).await;
    }
    let client = hospital.people["client"];
    agree(&hospital, client, json!({"purpose": "messages"})).await;
    let her_own = hospital.register_agreeing("sister").await;
    let sister = hospital.people["sister"];
    only_after_one(&hospital, sister).await;
    let relation = json!({"otherPersonId": sister, "kind": "close_one"});
    let relation = hospital.coordinator.post(&format!("/v1/persons/{client}/relations"), relation).await.id_of(201);
    let towards_her = agree(&hospital, client, json!({"purpose": "inform_family", "recipientPersonId": sister})).await;
    let publish = async |name: &str| {
        let body = json!({"builtIn": name, "publish": true});
        hospital.tenant.admin.post("/v1/protocols", body).await.id_of(201)
    };
    let (coaching, support) = (publish("recovery_coaching").await, publish("naaste_support").await);
    hospital.publish(ROUNDS).await;
    House { service, hospital, mail, coaching, support, relation, towards_her, her_own }
}

async fn agree(hospital: &Hospital, person: Uuid, consent: Value) -> Uuid {
    hospital.coordinator.post(&format!("/v1/persons/{person}/consents"), consent).await.id_of(201)
}

/// The sister reads her mail after one: what is planned for ten waits three hours.
async fn only_after_one(hospital: &Hospital, sister: Uuid) {
    let points = hospital.coordinator.get(&format!("/v1/persons/{sister}/contact-points")).await.expect(200);
    let path = format!("/v1/contact-points/{}", points["items"][0]["id"].as_str().unwrap());
    let etag = hospital.coordinator.get(&path).await.etag();
    let hours = json!({"allowedFrom": "13:00", "allowedUntil": "15:00"});
    hospital.coordinator.patch(&path, &etag, hours).await.expect(200);
}

impl House {
    async fn open(&self, name: &str, protocol: Uuid, relation: Option<Uuid>) -> Uuid {
        let mut body = json!({
            "personId": self.hospital.people[name], "protocolId": protocol,
            "anchors": [{"anchor": "applied_at", "at": self.now()}],
        });
        if let Some(relation) = relation {
            body["relationId"] = json!(relation);
        }
        self.hospital.coordinator.post("/v1/cases", body).await.id_of(201)
    }

    fn now(&self) -> DateTime<Utc> {
        self.service.clock.now()
    }

    /// The first follow-up of a step that is not final: the one that is due, where the next is planned already.
    async fn first(&self, case: Uuid, step: &str) -> Value {
        let all = self.hospital.follow_ups(case).await;
        let open = all.iter().find(|one| one["step"] == step && one["finalAt"].is_null());
        open.unwrap_or_else(|| panic!("{step} has nothing open: {all:#?}")).clone()
    }

    async fn complete(&self, case: Uuid, step: &str, outcome: &str) {
        let id = self.first(case, step).await["id"].as_str().unwrap().to_owned();
        let body = json!({"outcome": outcome});
        self.hospital.coordinator.post(&format!("/v1/follow-ups/{id}/complete"), body).await.expect(200);
    }

    /// When the first open follow-up of a step is due.
    async fn due(&self, case: Uuid, step: &str) -> String {
        self.first(case, step).await["dueAt"].as_str().unwrap_or("never").to_owned()
    }

    /// What was to be sent to the sister or the client about a step, the oldest first: where it stands, and why.
    async fn told(&self, case: Uuid, step: &str) -> Vec<String> {
        let follow_ups = self.hospital.follow_ups(case).await;
        let of_step = |id: &Value| follow_ups.iter().any(|one| one["id"] == *id && one["step"] == step);
        let messages = self.hospital.messages(case).await;
        let private = messages.iter().filter(|one| one["audience"] == "person" && of_step(&one["followUpId"]));
        let word = |one: &Value, member: &str| one[member].as_str().unwrap_or_default().to_owned();
        private.map(|one| format!("{} {}", word(one, "status"), word(one, "reason"))).collect()
    }

    /// Says something to the only trajectory of a case.
    async fn say(&self, case: Uuid, what: &str, body: Value) -> Value {
        let id = self.hospital.trajectory(case).await["id"].as_str().unwrap().to_owned();
        self.hospital.coordinator.post(&format!("/v1/trajectories/{id}/{what}"), body).await.expect(200)
    }

    /// Travels there; client and sister were asked a day ahead whether their mail is still safe to use.
    async fn travel(&self, moment: &str) {
        let moment: DateTime<Utc> = moment.parse().unwrap();
        while moment - self.now() > TimeDelta::days(60) {
            self.service.travel(TimeDelta::days(59)).await;
            self.check_safety().await;
        }
        self.service.travel(moment - self.now()).await;
        self.check_safety().await;
    }

    async fn check_safety(&self) {
        for name in ["client", "sister"] {
            self.hospital.check_safety(self.hospital.people[name]).await;
        }
    }

    async fn closed(&self, case: Uuid) -> (Value, Value) {
        let case = self.hospital.coordinator.get(&format!("/v1/cases/{case}")).await.expect(200);
        (case["status"].clone(), case["closedReason"].clone())
    }

    /// While the only hand waits for the mail server and the sister's message is leased and in the queue, `consent` is revoked.
    async fn withdrawn_at(&self, one_o_clock: &str, consent: Uuid) {
        let one: DateTime<Utc> = one_o_clock.parse().unwrap();
        let round = (one - TimeDelta::seconds(10) - TimeDelta::hours(24)).to_rfc3339();
        self.travel(&(one - TimeDelta::hours(24)).to_rfc3339()).await;
        let rounds = self.hospital.open("nurse", (&round, &round), None).await;
        self.service.travel(one - TimeDelta::seconds(11) - self.now()).await;
        let hold = Behaviour { at: At::Text, does: Does::Hold, times: None };
        self.mail.hold_again();
        self.mail.behave_to("coordinator@hospital.example", hold);
        self.service.clock.move_to(one - TimeDelta::seconds(10));
        self.service.app().bell.ring();
        self.mail.wait_for_held(PATIENCE).await;
        self.service.clock.move_to(one);
        self.both_leased().await;
        self.hospital.coordinator.post_nothing(&format!("/v1/consents/{consent}/revoke")).await.expect(200);
        self.mail.release();
        self.service.drain().await;
        self.hospital.complete(rounds, "round", "done").await;
    }

    /// The round's message, in the only hand, and the sister's, in the queue: where that is Redis, hers lies there.
    async fn both_leased(&self) {
        let (app, begun) = (self.service.app(), Instant::now());
        loop {
            app.bell.ring();
            let leased = jobs::Entity::find()
                .filter(jobs::Column::Kind.eq(JobKind::Message))
                .filter(jobs::Column::LeaseUntil.gt(app.clock.wall()));
            let leased = leased.all(app.db.reader()).await.unwrap();
            if leased.len() == 2 && self.hers_in_redis(&leased) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{} of 2 are leased and queued", leased.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The later of the two lies in Redis, where there is one, unsettled. What is held is in a worker's hands.
    fn hers_in_redis(&self, leased: &[jobs::Model]) -> bool {
        let Some(redis) = &self.service.ground.redis else { return true };
        let dump = String::from_utf8_lossy(&redis.dump()).into_owned();
        leased.iter().max_by_key(|job| job.due_at).is_some_and(|hers| dump.contains(&hers.id.0.to_string()))
    }
}

#[tokio::test]
async fn own_words() {
    let house = house().await;
    let client = matched(&house).await;
    let sister = her_track(&house).await;
    missed_meetings_and_a_sign(&house, (client, sister)).await;
    withdrawals(&house, (client, sister)).await;
    years(&house, (client, sister)).await;
    afterwards(&house, client).await;
    let to_her = house.mail.seen().into_iter().filter(|mail| mail.to == ["sister@hospital.example"]).count();
    assert_eq!(to_her, 2, "once before the client withdrew, once between that and her own withdrawal");
    house.service.is_balanced().await;
}

/// From the application to the match: the first coach is not the right one, and nobody says why.
async fn matched(house: &House) -> Uuid {
    let client = house.open("client", house.coaching, None).await;
    assert_eq!(house.due(client, "acknowledge").await, "2026-11-09T16:00:00.000Z", "five business days");
    house.complete(client, "acknowledge", "fits").await;
    house.hospital.assign(client, "recovery_coach", "coach").await;
    house.complete(client, "match", "assigned").await;
    house.travel("2026-11-16T10:00:00Z").await;
    house.complete(client, "meet", "rematch").await;
    let case = house.hospital.coordinator.get(&format!("/v1/cases/{client}")).await.expect(200);
    assert_eq!(case["assignments"], json!([]), "a rematch ends the assignment");
    house.hospital.assign(client, "recovery_coach", "other_coach").await;
    house.complete(client, "match", "assigned").await;
    house.travel("2026-12-01T10:00:00Z").await;
    house.complete(client, "meet", "match_ok").await;
    // A support file holds agreements, where a contact log holds nothing.
    let note = json!({"text": "CANARY-NOTE we meet at the library"});
    house.hospital.coordinator.post(&format!("/v1/cases/{client}/notes"), note).await.expect(201);
    let trajectory = house.hospital.trajectory(client).await["id"].as_str().unwrap().to_owned();
    let too_seldom = json!({"param": "rhythm", "value": "P8W"});
    let path = format!("/v1/trajectories/{trajectory}/set-param");
    house.hospital.coordinator.post(&path, too_seldom).await.refused(409, "param_out_of_bounds");
    let told = house.say(client, "set-param", json!({"param": "rhythm", "value": "P4W"})).await;
    assert_eq!(told["params"], json!([{"param": "rhythm", "value": "P28D"}]));
    client
}

/// Who knows their rhythm says so from the start: it is checked and kept as when it is set later.
#[tokio::test]
async fn a_rhythm_of_ones_own_from_the_start() {
    let house = house().await;
    let api = &house.hospital.coordinator;
    let opened = async |params: Value| {
        let body = json!({
            "personId": house.hospital.people["client"], "protocolId": house.coaching, "params": params,
            "anchors": [{"anchor": "applied_at", "at": house.now()}],
        });
        api.post("/v1/cases", body).await
    };
    let rhythm = |value: &str| json!({"param": "rhythm", "value": value});
    opened(json!([rhythm("P8W")])).await.refused(409, "param_out_of_bounds");
    opened(json!([{"param": "tempo", "value": "P2W"}])).await.refused(409, "unknown_param");
    for (params, wrong) in [
        (json!([rhythm("often")]), json!(["/params/0/value", "bad_format"])),
        (json!([rhythm("P2W"), rhythm("P3W")]), json!(["/params/1/param", "duplicate"])),
    ] {
        let errors = opened(params).await.refused(400, "invalid_input")["errors"].clone();
        assert_eq!(json!([errors[0]["pointer"], errors[0]["code"]]), wrong);
    }
    let case = opened(json!([rhythm("P3W")])).await.id_of(201);
    let weekly = house.open("client", house.coaching, None).await;
    assert_eq!(house.hospital.trajectory(case).await["params"], json!([rhythm("P21D")]));
    for case in [case, weekly] {
        house.complete(case, "acknowledge", "fits").await;
        house.hospital.assign(case, "recovery_coach", "coach").await;
        house.complete(case, "match", "assigned").await;
    }
    house.travel("2026-11-16T10:00:00Z").await;
    for case in [case, weekly] {
        house.complete(case, "meet", "match_ok").await;
    }
    // The first meeting is a week from now for everybody; after that the rhythm is theirs.
    house.travel("2026-11-23T10:00:00Z").await;
    let mut next = Vec::new();
    for case in [case, weekly] {
        house.complete(case, "meeting", "held").await;
        let follow_ups = house.hospital.follow_ups(case).await;
        let second = follow_ups.into_iter().find(|one| one["step"] == "meeting" && one["occurrence"] == 2);
        next.push(second.unwrap()["dueAt"].as_str().unwrap()[..10].to_owned());
    }
    assert_eq!(next[0], "2026-12-14", "three weeks after the first, not {next:?}");
    assert!(next[1] < next[0], "the usual rhythm is shorter: {next:?}");

    let path = format!("/v1/cases/{case}/trajectories");
    let start = |value: &str| json!({"protocolId": house.coaching, "anchors": [{"anchor": "applied_at", "at": house.now()}], "params": [rhythm(value)]});
    api.post(&path, start("P1D")).await.refused(409, "param_out_of_bounds");
    let second = api.post(&path, start("P4W")).await.expect(201);
    assert_eq!(second["params"], json!([rhythm("P28D")]));
    let export = api.get(&format!("/v1/persons/{}/export", house.hospital.people["client"])).await;
    assert!(export.text.contains("P21D"), "what was said at the start is kept as an input");
    house.service.is_balanced().await;
}

/// Who helps ends the match with their own key, and who is helped has it ended: on any day, and nobody asks why. What is planned for that
/// day is another matter, and still too early.
#[tokio::test]
async fn either_may_end_the_match_on_any_day() {
    let house = house().await;
    let (client, sister) = (house.open("client", house.coaching, None).await, her_track(&house).await);
    let ends = async |by: Option<&str>, case: Uuid, (step, outcome): (&str, &str)| {
        let id = house.first(case, step).await["id"].as_str().unwrap().to_owned();
        let body = json!({"outcome": outcome});
        let path = format!("/v1/follow-ups/{id}/complete");
        match by {
            Some(name) => house.hospital.as_supporter(&house.service, name).await.post(&path, body).await,
            None => house.hospital.coordinator.post(&path, body).await,
        }
    };
    let helped_by = async |case: Uuid| {
        let case = house.hospital.coordinator.get(&format!("/v1/cases/{case}")).await.expect(200);
        case["assignments"].as_array().unwrap().len()
    };
    house.complete(client, "acknowledge", "fits").await;
    house.hospital.assign(client, "recovery_coach", "coach").await;
    house.complete(client, "match", "assigned").await;
    house.travel("2026-11-16T10:00:00Z").await;
    house.complete(client, "meet", "match_ok").await;
    house.complete(sister, "intake", "agreed").await;
    house.travel("2026-11-20T10:00:00Z").await;
    ends(Some("coach"), client, ("meeting", "rematch")).await.expect(200);
    assert_eq!(helped_by(client).await, 0, "the coach ended it");
    house.hospital.assign(client, "recovery_coach", "other_coach").await;
    house.complete(client, "match_again", "assigned").await;
    house.travel("2026-12-14T10:00:00Z").await;
    house.complete(client, "meet_again", "match_ok").await;
    house.complete(client, "goals", "plan_agreed").await;
    assert_eq!(house.due(client, "review").await, "2027-03-14T09:00:00.000Z");
    // Two months before the review, and a month before the talk with the sister.
    house.travel("2027-01-12T10:00:00Z").await;
    ends(Some("other_coach"), client, ("review", "continue")).await.refused(409, "too_early");
    ends(None, client, ("review", "rematch")).await.expect(200);
    assert_eq!(helped_by(client).await, 0, "the client had it ended");
    assert_eq!(house.due(client, "review").await, "2027-04-12T08:00:00.000Z", "three months with whoever comes");
    ends(Some("expert"), sister, ("talk", "held")).await.refused(409, "too_early");
    ends(Some("expert"), sister, ("talk", "rematch")).await.expect(200);
    assert_eq!(helped_by(sister).await, 0, "the family expert ended it");
    let open: Vec<_> = house.hospital.follow_ups(sister).await;
    let open: Vec<_> = open.iter().filter(|one| one["finalAt"].is_null() && one["status"] != "waiting").collect();
    assert_eq!(open.iter().map(|one| one["step"].as_str().unwrap()).collect::<Vec<_>>(), ["match"]);
    assert_eq!(house.closed(client).await.0, "open", "whoever ends a match ends no support");
    house.service.is_balanced().await;
}

/// Her own case beside it: refused without the relation, and not to be had through the client's.
async fn her_track(house: &House) -> Uuid {
    let api = &house.hospital.coordinator;
    let bare = json!({
        "personId": house.hospital.people["sister"], "protocolId": house.support,
        "anchors": [{"anchor": "applied_at", "at": house.now()}],
    });
    api.post("/v1/cases", bare).await.refused(400, "invalid_input");
    let sister = house.open("sister", house.support, Some(house.relation)).await;
    let case = api.get(&format!("/v1/cases/{sister}")).await.expect(200);
    assert_eq!(case["relationId"], json!(house.relation));
    house.hospital.assign(sister, "family_supporter", "expert").await;
    house.complete(sister, "match", "assigned").await;
    let coach = house.hospital.as_supporter(&house.service, "other_coach").await;
    assert_eq!(coach.get(&format!("/v1/cases/{sister}")).await.status, 404, "her file is her own");
    sister
}

/// Three meetings are missed in a row and the coach calls; a sign is seen and the coach calls sooner.
async fn missed_meetings_and_a_sign(house: &House, (client, sister): (Uuid, Uuid)) {
    house.travel("2026-12-21T14:00:00Z").await;
    house.complete(client, "goals", "plan_agreed").await;
    house.complete(sister, "intake", "agreed").await;
    assert_eq!(house.due(client, "review").await, REVIEWS[0]);
    house.travel("2027-02-05T18:30:00Z").await;
    assert!(!house.hospital.follow_ups(client).await.iter().any(|one| one["step"] == "call"), "two missed");
    house.say(client, "set-anchor", json!({"anchor": "sign_at", "at": "2027-02-05T18:30:00Z"})).await;
    house.service.drain().await;
    assert_eq!(house.due(client, "sign").await, "2027-02-08T16:00:00.000Z", "Monday, within one business day");
    let mails = house.mail.seen();
    let last = mails.last().unwrap();
    assert_eq!(last.to, ["other_coach@hospital.example"], "the coach is told at once");
    house.travel("2027-02-08T09:00:00Z").await;
    house.complete(client, "sign", "called").await;
    house.travel("2027-02-09T09:00:00Z").await;
    assert_eq!(house.due(client, "call").await, "2027-02-11T16:00:00.000Z", "three missed: two business days to call");
    house.complete(client, "call", "reached").await;
    assert_eq!(house.closed(client).await.0, "open", "nobody is sent away for not coming");
}

/// First the client withdraws what lets the sister be written to, then, after giving it again, she withdraws herself: each time with
/// her message already leased and in the queue.
async fn withdrawals(house: &House, (client, sister): (Uuid, Uuid)) {
    let (sent, revoked) = ("sent ", "suppressed consent_revoked");
    assert_eq!(house.told(sister, "support").await, [sent], "as long as both agree");
    house.withdrawn_at("2027-03-14T12:00:00Z", house.towards_her).await;
    assert_eq!(house.told(sister, "ask").await, [revoked], "the client withdrew");
    assert_eq!(house.told(client, "review").await, [sent], "the client's own mail is another matter");
    reviewed(house, (client, sister), (REVIEWS[0], "taper")).await;
    house.complete(client, "taper_on", "on_call").await;
    let all = house.hospital.follow_ups(client).await;
    let mut meetings = all.iter().filter(|one| one["step"] == "meeting");
    assert!(
        meetings.all(|one| !one["finalAt"].is_null()),
        "from here on they meet when there is something to meet about"
    );
    let person = house.hospital.people["client"];
    let again = json!({"purpose": "inform_family", "recipientPersonId": house.hospital.people["sister"]});
    agree(&house.hospital, person, again).await;
    house.travel("2027-05-03T10:00:00Z").await;
    assert_eq!(house.told(sister, "support").await, [sent, sent], "both agree again");
    house.withdrawn_at("2027-06-11T11:00:00Z", house.her_own).await;
    assert_eq!(house.told(sister, "ask").await, [revoked, revoked], "she withdrew");
}

/// A review on its day, at ten; the talk with the sister falls on the same day.
async fn reviewed(house: &House, (client, sister): (Uuid, Uuid), (at, outcome): (&str, &str)) {
    assert_eq!(house.due(client, "review").await, at, "ten o'clock in winter and in summer");
    assert_eq!(house.due(sister, "talk").await, at);
    house.travel(at).await;
    house.complete(client, "review", outcome).await;
    house.complete(sister, "talk", "held").await;
}

/// The rest of the eighteen months: the reviews stay, and after nine of them the question whether to meet less often comes by itself.
async fn years(house: &House, (client, sister): (Uuid, Uuid)) {
    reviewed(house, (client, sister), (REVIEWS[1], "continue")).await;
    reviewed(house, (client, sister), (REVIEWS[2], "continue")).await;
    house.complete(client, "taper", "not_yet").await;
    house.complete(client, "taper_on", "on_call").await;
    reviewed(house, (client, sister), (REVIEWS[3], "continue")).await;
    reviewed(house, (client, sister), (REVIEWS[4], "continue")).await;
    assert_eq!(house.due(client, "review").await, REVIEWS[5]);
    house.travel(REVIEWS[5]).await;
    let told = house.told(client, "review").await;
    assert_eq!(told.len(), 6, "a week ahead of each review");
    assert!(told.iter().all(|one| one == "sent "), "{told:?}");
    house.complete(client, "review", "goals_met").await;
    assert_eq!(house.closed(client).await, (json!("closed"), json!("goals_met")));
    house.complete(sister, "talk", "enough_for_now").await;
    assert_eq!(house.closed(sister).await, (json!("closed"), json!("enough_for_now")));
    for step in ["ask", "support"] {
        let told = house.told(sister, step).await;
        assert!(
            told[2..].iter().all(|one| one == "suppressed consent_revoked"),
            "nothing after she withdrew: {told:?}"
        );
    }
}

/// After closing: only the question that was asked for; and back without a new intake.
async fn afterwards(house: &House, client: Uuid) {
    house.say(client, "opt-in", json!({"steps": ["check_6m"]})).await;
    house.travel("2028-12-20T09:00:00Z").await;
    house.travel("2028-12-21T10:00:00Z").await;
    assert_eq!(house.told(client, "check_3m").await, [""; 0], "nobody asked for it");
    assert_eq!(house.told(client, "check_6m").await, ["sent "]);
    house.complete(client, "check_6m", "wants_to_talk").await;
    assert_eq!(house.closed(client).await.0, "open");
    assert_eq!(house.due(client, "meeting").await, "2028-12-28T09:00:00.000Z");
    assert_eq!(house.due(client, "review").await, "2029-03-21T09:00:00.000Z", "to the rhythm they left");
    let body = json!({"reason": "enough_for_now"});
    house.hospital.coordinator.post(&format!("/v1/cases/{client}/close"), body).await.expect(200);
    house.travel("2030-01-01T10:00:00Z").await;
    let all = house.hospital.follow_ups(client).await;
    assert!(all.iter().all(|one| !one["finalAt"].is_null()), "nothing is left: {all:#?}");
}
