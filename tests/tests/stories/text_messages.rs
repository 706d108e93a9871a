//! Text messages over a provider's gateway, and what comes back of them: receipts and replies.

use std::time::{Duration, Instant};

use nazorg::domain::entities::{JobKind, jobs};
use nazorg_tests::{
    canary,
    client::Client,
    hospital::{CHECK_IN, Hospital, ROUNDS},
    http_sink::{Does, HttpSink},
    service::{BEGINNING, Ground, Leg, Service},
    smtp_sink::{At, Behaviour, Does as MailDoes, SmtpSink},
};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

const EVENT: &str = "2026-12-01T06:59:50Z";
const REPORTED: &str = "2026-12-01T07:00:00Z";
/// Ten seconds before eight in Amsterdam.
const BEFORE: &str = "2026-12-02T06:59:50Z";
/// Eight: the questions that were planned in the night are due.
const MORNING: &str = "2026-12-02T07:00:00Z";
const SECRET: &str = "a secret of this gateway and us";
const PATIENCE: Duration = Duration::from_secs(20);

struct World {
    service: Service,
    hospital: Hospital,
    gateway: HttpSink,
    /// What speaks for the gateway: a key of nobody's.
    adapter: Client,
}

impl World {
    async fn found(settings: &[(&str, &str)]) -> Self {
        let gateway = HttpSink::start(Some(SECRET)).await;
        let url = gateway.url();
        let settings = [("SMS_URL", url.as_str()), ("NAZORG_SMS_SECRET", SECRET)].into_iter().chain(settings.to_vec());
        let settings: Vec<_> = settings.collect();
        let service = Service::start_with(Ground::new(Leg::from_env()), BEGINNING, &settings).await;
        let hospital = Hospital::found(&service).await;
        let adapter = service.adapter(hospital.tenant.id).await;
        Self { service, hospital, gateway, adapter }
    }

    /// Someone with a telephone.
    async fn telephone(&mut self, name: &'static str, number: &str) -> Uuid {
        let api = &self.hospital.coordinator;
        let person = api.post("/v1/persons", json!({"name": name, "language": "nl"})).await.id_of(201);
        let point = json!({"channel": "sms", "address": number, "safe": "yes"});
        api.post(&format!("/v1/persons/{person}/contact-points"), point).await.expect(201);
        self.hospital.people.insert(name, person);
        person
    }

    /// …who agreed to messages and will be asked how they are, at eight; answers their case.
    async fn asked(&mut self, name: &'static str, number: &str) -> Uuid {
        let person = self.telephone(name, number).await;
        let consent = json!({"purpose": "messages"});
        self.hospital.coordinator.post(&format!("/v1/persons/{person}/consents"), consent).await.expect(201);
        let case = self.hospital.open(name, (EVENT, REPORTED), None).await;
        self.hospital.assign(case, "peer_supporter", "peer").await;
        case
    }

    /// Someone's number ends, and they can be reached at another.
    async fn gets_another_number(&self, name: &str) {
        let (api, points) =
            (&self.hospital.coordinator, format!("/v1/persons/{}/contact-points", self.hospital.people[name]));
        let id = api.get(&points).await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
        api.post_nothing(&format!("/v1/contact-points/{id}/end")).await.expect(200);
        let number = format!("+316999999{:02}", name.len());
        api.post(&points, json!({"channel": "sms", "address": number, "safe": "yes"})).await.expect(201);
    }

    /// Whether someone's consent to messages is revoked.
    async fn wants_none(&self, name: &str) -> bool {
        let consents = format!("/v1/persons/{}/consents", self.hospital.people[name]);
        self.hospital.coordinator.get(&consents).await.expect(200)["items"][0]["revokedAt"].is_string()
    }

    async fn question(&self, case: Uuid) -> Value {
        let found = self.hospital.messages(case).await;
        found.into_iter().find(|one| one["template"] == "checkin").unwrap()
    }

    /// Where the question of a case stands: its bucket, and why.
    async fn stands(&self, case: Uuid) -> (String, String) {
        let question = self.question(case).await;
        let word = |member: &str| question[member].as_str().unwrap_or_default().to_owned();
        (word("status"), word("reason"))
    }

    async fn report(&self, case: Uuid, body: Value) -> nazorg_tests::client::Answer {
        let id = self.question(case).await["id"].as_str().unwrap().to_owned();
        self.adapter.post(&format!("/v1/messages/{id}/report-delivery"), body).await
    }

    async fn reply(&self, from: &str, text: &str) {
        let body = json!({"channel": "sms", "from": from, "text": text});
        let answer = self.adapter.post("/v1/replies", body).await;
        assert_eq!((answer.status, answer.text.as_str()), (204, ""), "the same for every number");
    }

    /// The steps of the tasks of a case, with who does them.
    async fn tasks(&self, case: Uuid) -> Vec<(String, String)> {
        let all = self.hospital.follow_ups(case).await;
        let word = |one: &Value, member: &str| one[member].as_str().unwrap().to_owned();
        let tasks = all.iter().filter(|one| one["step"].as_str().unwrap().starts_with("task:"));
        tasks.map(|one| (word(one, "step"), word(one, "role"))).collect()
    }

    /// The kinds of the events of a case, in order, and the whole feed as text.
    async fn feed(&self, case: Uuid) -> (Vec<String>, String) {
        self.service.drain().await;
        let (mut after, mut kinds, mut text) = (0, Vec::new(), String::new());
        loop {
            let page = self.hospital.coordinator.get(&format!("/v1/events?after={after}&limit=100")).await;
            text.push_str(&page.text);
            let items = page.expect(200)["items"].as_array().unwrap().clone();
            let Some(last) = items.last() else { return (kinds, text) };
            after = last["position"].as_i64().unwrap();
            let of_case = items.iter().filter(|one| one["caseId"] == json!(case));
            kinds.extend(of_case.map(|one| one["kind"].as_str().unwrap().to_owned()));
        }
    }
}

fn stands(status: &str, reason: &str) -> (String, String) {
    (status.to_owned(), reason.to_owned())
}

fn task(code: &str) -> (String, String) {
    (format!("task:{code}"), "peer_supporter".to_owned())
}

#[tokio::test]
async fn what_the_gateway_reports_becomes_what_is_known_of_a_message() {
    let mut world = World::found(&[]).await;
    world.hospital.publish(CHECK_IN).await;
    let arrives = world.asked("arrives", "+31600000001").await;
    let lost = world.asked("lost", "+31600000002").await;
    let refused = world.asked("refused", "+31600000003").await;
    let broken = world.asked("broken", "+31600000004").await;
    let away = world.asked("away", "+31600000005").await;
    let slow = world.asked("slow", "+31600000006").await;
    let does = [("03", Does::Reply(400)), ("04", Does::Reply(500)), ("05", Does::Away(30)), ("06", Does::Hold)];
    for (number, does) in does {
        world.gateway.behave_to(&format!("+316000000{number}"), does);
    }
    let delivered = || json!({"status": "delivered"});

    world.service.travel_to(BEFORE).await;
    world.report(arrives, delivered()).await.refused(409, "message_not_sent");
    world.service.clock.move_to(MORNING.parse().unwrap());
    world.service.app().bell.ring();
    world.gateway.wait_for_held(PATIENCE).await;
    let early = world.report(slow, delivered()).await;
    assert!(early.header("Retry-After").is_some(), "{early:?}");
    early.refused(503, "unavailable");
    world.gateway.release();
    world.service.drain().await;
    assert_eq!(world.stands(slow).await, stands("sent", ""));
    world.report(slow, delivered()).await.expect(204);

    assert!(world.question(arrives).await["deliveredAt"].is_null());
    for _ in 0..2 {
        world.report(arrives, delivered()).await.expect(204);
        assert_eq!(world.question(arrives).await["deliveredAt"], json!("2026-12-02T07:00:00.000Z"));
    }
    world.report(arrives, json!({"status": "failed"})).await.refused(409, "delivery_contradicted");
    let (kinds, _) = world.feed(arrives).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "message.delivered").count(), 1, "{kinds:?}");

    for _ in 0..2 {
        world.report(lost, json!({"status": "failed", "reason": "absent_subscriber"})).await.expect(204);
        assert_eq!(world.stands(lost).await, stands("failed", "not_delivered"));
        assert_eq!(world.tasks(lost).await, [task("not_delivered")]);
    }
    let ledger = world.hospital.ledger(lost).await;
    assert!(ledger["messages"].as_array().unwrap().iter().all(|bucket| bucket["status"] != "sent"), "{ledger}");
    world.report(lost, delivered()).await.expect(204);
    assert_eq!(world.stands(lost).await, stands("sent", ""), "late, but true");

    assert_eq!(world.stands(refused).await, stands("failed", "sms_refused_400"));
    world.report(refused, delivered()).await.refused(409, "message_not_sent");
    assert_eq!(world.stands(broken).await, stands("unknown", "sms_failed_500"));
    assert_eq!(world.tasks(broken).await, [task("delivery_unknown")]);
    world.report(broken, delivered()).await.expect(204);
    assert_eq!(world.stands(broken).await, stands("sent", ""), "no longer in doubt");

    assert_eq!(world.stands(away).await, stands("pending", "sms_refused_503"));
    world.report(away, delivered()).await.refused(409, "message_not_sent");
    world.gateway.behave_to("+31600000005", Does::Take);
    world.service.travel_to("2026-12-02T07:05:00Z").await;
    assert_eq!(world.stands(away).await, stands("sent", ""));
    world.report(away, json!({"status": "delivered", "reason": "why"})).await.refused(400, "invalid_input");

    for message in world.gateway.seen() {
        assert_ne!(message.status, 401, "all of them are signed");
        assert_eq!(message.body["reference"], message.id);
    }
    world.service.is_balanced().await;
}

#[tokio::test]
async fn a_reply_that_says_stop_holds_back_what_is_already_in_the_queue() {
    let mail = SmtpSink::start().await;
    let hold = Behaviour { at: At::Text, does: MailDoes::Hold, times: None };
    mail.behave_to("coordinator@hospital.example", hold);
    let url = mail.url();
    let mut world = World::found(&[("SMTP_URL", url.as_str()), ("NAZORG_WORKER_CONCURRENCY", "1")]).await;
    world.hospital.publish(ROUNDS).await;
    world.hospital.open("nurse", (EVENT, REPORTED), None).await;
    world.hospital.publish(CHECK_IN).await;
    let stops = world.asked("stops", "+31600000001").await;
    let shares = world.asked("shares", "+31600000001").await;
    let other = world.asked("other", "+31600000002").await;
    let (person, sister) = (world.hospital.people["stops"], world.hospital.people["other"]);
    let consents = format!("/v1/persons/{person}/consents");
    let inform = json!({"purpose": "inform_family", "recipientPersonId": sister});
    world.hospital.coordinator.post(&consents, inform).await.expect(201);

    world.service.travel_to("2026-12-02T06:59:49Z").await;
    world.service.clock.move_to(BEFORE.parse().unwrap());
    world.service.app().bell.ring();
    mail.wait_for_held(PATIENCE).await;
    world.service.clock.move_to(MORNING.parse().unwrap());
    leased(&world.service, 4).await;
    for _ in 0..2 {
        world.reply("+31600000001", " Stop! ").await;
    }
    mail.release();
    world.service.drain().await;

    assert_eq!(world.gateway.taken(), ["+31600000002"]);
    for case in [stops, shares] {
        assert_eq!(world.stands(case).await, stands("suppressed", "consent_revoked"));
        let ledger = world.hospital.ledger(case).await;
        let told = json!({"status": "suppressed", "reason": "consent_revoked", "count": 1});
        assert!(ledger["messages"].as_array().unwrap().contains(&told), "{ledger}");
        assert!(world.tasks(case).await.is_empty());
    }
    assert_eq!(world.stands(other).await, stands("sent", ""));
    let given = world.hospital.coordinator.get(&consents).await.expect(200);
    let revoked = |purpose: &str| {
        given["items"].as_array().unwrap().iter().any(|one| one["purpose"] == purpose && one["revokedAt"].is_string())
    };
    assert!(revoked("messages") && !revoked("inform_family"), "what she agreed to about others stands: {given}");
    let log = world.hospital.coordinator.get(&format!("/v1/persons/{person}/access-events")).await.expect(200);
    let said: Vec<_> = log["items"].as_array().unwrap().iter().filter(|one| one["code"] == "consent.revoked").collect();
    assert_eq!(said.len(), 1, "the second time there was nothing to take back: {log}");
    assert_eq!((&said[0]["actorId"], &said[0]["role"]), (&json!(person), &json!("integration")), "her own doing");
    let (_, feed) = world.feed(stops).await;
    assert_eq!(feed.matches("consent.revoked").count(), 2, "hers, and of who shares her telephone");
    world.service.is_balanced().await;
}

#[tokio::test]
async fn a_stop_from_a_number_that_was_replaced_counts_for_a_while_and_tells_somebody() {
    const OLD: &str = "+31600000011";
    const SHARED: &str = "+31600000012";
    const WEEKS_AGO: &str = "+31600000013";
    let mut world = World::found(&[]).await;
    world.hospital.publish(CHECK_IN).await;
    let moved = world.asked("moved", OLD).await;
    world.asked("gave it away", SHARED).await;
    world.asked("has it now", SHARED).await;
    world.asked("long gone", WEEKS_AGO).await;
    world.service.travel_to(MORNING).await;
    assert_eq!(world.gateway.taken().len(), 4);
    for name in ["moved", "gave it away", "long gone"] {
        world.gets_another_number(name).await;
    }

    // What stands on the edge of the internet opens nothing else, whomever it says it acts for.
    let adapter = world.adapter.on_behalf_of(world.hospital.people["peer"]);
    for path in ["/v1/cases", "/v1/persons", "/v1/incidents"] {
        assert_eq!(adapter.get(path).await.status, 403, "{path}");
    }
    world.reply(OLD, "STOP").await;
    assert!(world.wants_none("moved").await, "it is where we wrote to");
    assert_eq!(world.tasks(moved).await, [task("replied")], "and somebody looks whose it was");
    world.reply(SHARED, "stop").await;
    assert!(world.wants_none("has it now").await && !world.wants_none("gave it away").await);
    world.service.travel_to("2026-12-16T07:00:01Z").await;
    world.reply(WEEKS_AGO, "stop").await;
    assert!(!world.wants_none("long gone").await, "whoever has that number by now");
    world.service.is_balanced().await;
}

/// Waits until so many messages' jobs are leased: they wait in the queue for the worker's only hand.
async fn leased(service: &Service, count: u64) {
    let (app, begun) = (service.app(), Instant::now());
    loop {
        app.bell.ring();
        let leased = jobs::Entity::find()
            .filter(jobs::Column::Kind.eq(JobKind::Message))
            .filter(jobs::Column::LeaseUntil.gt(app.clock.wall()));
        let leased = leased.count(app.db.reader()).await.unwrap();
        if leased == count {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{leased} of {count} are leased");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn any_other_reply_is_a_task_once_and_its_words_are_nowhere() {
    const WORDS: &str = "CANARY-REPLY ik durf vandaag niet naar huis";
    const STRANGER: &str = "+31687650194";
    let mut world = World::found(&[]).await;
    world.hospital.publish(CHECK_IN).await;
    let asked = world.asked("asked", "+31687650193").await;
    let slow = world.asked("slow", "+31687650196").await;
    let peer = world.hospital.people["peer"];
    let point = json!({"channel": "sms", "address": "+31687650195", "safe": "yes"});
    world.hospital.coordinator.post(&format!("/v1/persons/{peer}/contact-points"), point).await.expect(201);
    world.reply("+31687650193", WORDS).await;
    assert!(world.tasks(asked).await.is_empty(), "nothing was sent that this could answer");

    world.service.travel_to(MORNING).await;
    for from in ["+31687650193", "+31687650193", STRANGER, "+31687650195"] {
        world.reply(from, WORDS).await;
        assert_eq!(world.tasks(asked).await, [task("replied")], "one, and no words in it");
    }
    world.reply(STRANGER, "STOP").await;
    assert_eq!(world.question(asked).await["repliedAt"], json!("2026-12-02T07:00:00.000Z"));
    let refused = json!({"channel": "sms", "from": "CANARY-NUMBER", "text": WORDS});
    let refused = world.adapter.post("/v1/replies", refused).await;
    assert!(!refused.text.contains("CANARY"), "{}", refused.text);
    refused.refused(400, "invalid_input");
    let (kinds, feed) = world.feed(asked).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "message.replied").count(), 1, "{kinds:?}");
    assert!(!feed.contains("CANARY"), "{feed}");

    world.service.travel_to("2026-12-30T07:00:00Z").await;
    world.hospital.complete(asked, "task:replied", "done").await;
    for (from, case, tasks) in [("+31687650193", asked, 1), ("+31687650196", slow, 0)] {
        world.reply(from, WORDS).await;
        assert_eq!(world.tasks(case).await.len(), tasks, "what comes weeks later answers nothing");
    }
    world.service.is_balanced().await;
    let metrics = reqwest::get(format!("{}/metrics", world.service.operations)).await.unwrap().text().await.unwrap();
    assert!(metrics.contains("nazorg_replies_total{kind=\"answer\"}"), "{metrics}");
    let canaries = [WORDS, "CANARY-NUMBER", STRANGER, "+31687650193", "durf vandaag"];
    canary::assert_nowhere(&world.service.ground, &metrics, &canaries);
}
