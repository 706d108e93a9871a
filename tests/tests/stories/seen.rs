//! Saying that a message was seen: of what was sent, of what nobody knew of, again, and of what never went out.

use nazorg_tests::{
    hospital::{CHECK_IN, Hospital},
    service::{BEGINNING, Ground, Leg, Service},
    smtp_sink::{At, Behaviour, Does, SmtpSink},
};
use serde_json::{Value, json};
use uuid::Uuid;

const EVENT: &str = "2026-12-01T06:59:50Z";
const REPORTED: &str = "2026-12-01T07:00:00Z";
/// The question is planned at six in the morning, and waits for eight.
const NIGHT: &str = "2026-12-02T05:30:00Z";
const MORNING: &str = "2026-12-02T07:00:00Z";

struct World {
    service: Service,
    hospital: Hospital,
}

impl World {
    async fn question(&self, case: Uuid) -> Value {
        self.hospital.messages(case).await.into_iter().find(|one| one["template"] == "checkin").unwrap()
    }

    async fn seen(&self, case: Uuid) -> nazorg_tests::client::Answer {
        let question = self.question(case).await;
        let id = question["id"].as_str().unwrap();
        self.hospital.coordinator.post_nothing(&format!("/v1/messages/{id}/acknowledge")).await
    }

    async fn asked(&mut self, name: &'static str) -> Uuid {
        self.hospital.register_agreeing(name).await;
        let case = self.hospital.open(name, (EVENT, REPORTED), None).await;
        self.hospital.assign(case, "peer_supporter", "peer").await;
        case
    }
}

#[tokio::test]
async fn whatever_may_have_arrived_can_be_seen_and_nothing_else() {
    let sink = SmtpSink::start().await;
    let url = sink.url();
    let service = Service::start_with(Ground::new(Leg::from_env()), BEGINNING, &[("SMTP_URL", &url)]).await;
    let hospital = Hospital::found(&service).await;
    let mut world = World { service, hospital };
    world.hospital.publish(CHECK_IN).await;
    let (sent, cut) = (world.asked("anna").await, world.asked("bram").await);
    let (lost, refused) = (world.asked("carla").await, world.asked("dirk").await);
    let silent = world.hospital.open("nurse", (EVENT, REPORTED), None).await;
    sink.behave_to("bram@hospital.example", Behaviour { at: At::Text, does: Does::Cut, times: None });
    sink.behave_to("dirk@hospital.example", Behaviour { at: At::Rcpt, does: Does::Reply(550), times: None });
    world.service.travel_to(NIGHT).await;
    let waiting = world.question(sent).await;
    assert_eq!((&waiting["status"], &waiting["reason"]), (&json!("pending"), &json!("quiet_hours")));
    world.seen(sent).await.refused(409, "message_not_sent");

    world.service.travel_to(MORNING).await;
    let adapter = world.service.adapter(world.hospital.tenant.id).await;
    let gone = world.question(lost).await["id"].as_str().unwrap().to_owned();
    adapter.post(&format!("/v1/messages/{gone}/report-delivery"), json!({"status": "failed"})).await.expect(204);
    for (case, was, reason) in
        [(sent, "sent", None), (cut, "unknown", Some("smtp_no_reply")), (lost, "failed", Some("not_delivered"))]
    {
        let before = world.question(case).await;
        assert_eq!((before["status"].as_str(), before["reason"].as_str()), (Some(was), reason), "{before}");
        let seen = world.seen(case).await.expect(200);
        assert_eq!((&seen["status"], &seen["reason"]), (&json!("sent"), &Value::Null), "what was seen was sent");
        assert!(seen["sentAt"].is_string(), "{seen}");
        world.service.travel_to("2026-12-02T09:00:00Z").await;
        assert_eq!(world.seen(case).await.expect(200), seen, "said again it changes nothing");
        assert_eq!(world.question(case).await, seen);
    }
    for (case, status) in [(refused, "failed"), (silent, "suppressed")] {
        assert_eq!(world.question(case).await["status"], status);
        world.seen(case).await.refused(409, "message_not_sent");
    }
    world.service.is_balanced().await;
}
