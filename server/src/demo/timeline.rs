//! The story as it happens: what is done is said, then the clock moves and what went out on the way is told in its order.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use chrono_tz::Europe::Amsterdam;
use nazorg_domain::{App, TravellingClock};
use serde_json::{Value, json};

use super::{client::Client, gateway::Gateway};
use crate::{Failure, cli::say, travel};

/// The teller.
pub(super) struct Timeline {
    app: Arc<App>,
    clock: Arc<TravellingClock>,
    /// Where text messages go.
    pub(super) gateway: Gateway,
    /// An administrator's client.
    pub(super) admin: Client,
    /// The coordinator's client, once there is one.
    pub(super) coordinator: Client,
    posted: u32,
    told: Vec<String>,
    names: BTreeMap<String, String>,
}

impl Timeline {
    pub(super) fn new((app, clock): (Arc<App>, Arc<TravellingClock>), gateway: Gateway, admin: Client) -> Self {
        let coordinator = admin.clone();
        Self { app, clock, gateway, admin, coordinator, posted: 0, told: Vec::new(), names: BTreeMap::new() }
    }

    /// Says what is done now.
    pub(super) fn tell(&self, text: &str) -> Result<(), Failure> {
        self.line(nazorg_domain::Clock::now(&*self.clock), text)
    }

    fn line(&self, at: DateTime<Utc>, text: &str) -> Result<(), Failure> {
        say(format!("{}  {text}", at.with_timezone(&Amsterdam).format("%a %e %b %Y %H:%M")))
    }

    /// Posts as the coordinator and answers the body; what is refused is the story's mistake.
    pub(super) async fn post(&mut self, path: &str, body: Value) -> Result<Value, Failure> {
        let answer = self.try_post(path, body).await?;
        if answer.get("refused").is_some() {
            return Err(Failure::internal(format!("{path} was refused: {answer}")));
        }
        Ok(answer)
    }

    /// Posts as the coordinator; a refusal is an answer too.
    pub(super) async fn try_post(&mut self, path: &str, body: Value) -> Result<Value, Failure> {
        self.posted += 1;
        self.coordinator.post(path, &body, self.posted).await
    }

    /// Posts as the administrator.
    pub(super) async fn manage(&mut self, path: &str, body: Value) -> Result<Value, Failure> {
        self.posted += 1;
        self.admin.post(path, &body, self.posted).await
    }

    /// Registers somebody with a mail address, and remembers their name for the telling.
    pub(super) async fn register(&mut self, name: &str) -> Result<String, Failure> {
        let address = format!("{}@hospital.example", name.to_lowercase().replace(' ', "."));
        self.register_at(name, json!({"channel": "email", "address": address, "safe": "yes"})).await
    }

    /// Registers somebody with a contact point of another kind.
    pub(super) async fn register_at(&mut self, name: &str, point: Value) -> Result<String, Failure> {
        let person = self.post("persons", json!({"name": name, "language": "nl"})).await?;
        let id = text(&person, "id");
        self.post(&format!("persons/{id}/contact-points"), point).await?;
        self.check_safety(&id).await?;
        self.names.insert(id.clone(), name.to_owned());
        Ok(id)
    }

    /// Asks a person anew whether their mail is safe to use; the answer holds for ninety days.
    pub(super) async fn check_safety(&mut self, person: &str) -> Result<(), Failure> {
        let points = self.coordinator.get(&format!("persons/{person}/contact-points")).await?;
        let point = text(&points["items"][0], "id");
        self.post(&format!("contact-points/{point}/verify"), json!({"safe": "yes"})).await.map(drop)
    }

    /// The follow-up of a step that is still to be done.
    pub(super) async fn open_step(&self, case: &str, step: &str) -> Result<Value, Failure> {
        let page = self.coordinator.get(&format!("follow-ups?caseId={case}&limit=100")).await?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let found = items.into_iter().rev().find(|one| one["step"] == step && one.get("finalAt").is_none());
        found.ok_or_else(|| Failure::internal(format!("no open follow-up {step}")))
    }

    /// Completes the first open follow-up of a repeated step: the one that is due, where the next is planned already.
    pub(super) async fn complete_first(&mut self, case: &str, step: &str, outcome: &str) -> Result<(), Failure> {
        let page = self.coordinator.get(&format!("follow-ups?caseId={case}&limit=100")).await?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let found = items.into_iter().find(|one| one["step"] == step && one.get("finalAt").is_none());
        let id = found.map(|one| text(&one, "id")).ok_or_else(|| Failure::internal(format!("no open {step}")))?;
        self.post(&format!("follow-ups/{id}/complete"), json!({"outcome": outcome})).await.map(drop)
    }

    /// Posts as the coordinator without a body.
    pub(super) async fn post_nothing(&mut self, path: &str) -> Result<(), Failure> {
        self.posted += 1;
        let answer = self.coordinator.post_nothing(path, self.posted).await?;
        match answer.get("refused") {
            Some(_) => Err(Failure::internal(format!("{path} was refused: {answer}"))),
            None => Ok(()),
        }
    }

    /// Completes the open follow-up of a step.
    pub(super) async fn complete(&mut self, case: &str, step: &str, outcome: &str) -> Result<(), Failure> {
        let id = text(&self.open_step(case, step).await?, "id");
        self.post(&format!("follow-ups/{id}/complete"), json!({"outcome": outcome})).await.map(drop)
    }

    /// When the open follow-up of a step is due, for people.
    pub(super) async fn due(&self, case: &str, step: &str) -> Result<String, Failure> {
        let due = text(&self.open_step(case, step).await?, "dueAt");
        let due: DateTime<Utc> = due.parse().map_err(Failure::internal)?;
        Ok(due.with_timezone(&Amsterdam).format("%a %e %b %H:%M").to_string())
    }

    /// Moves the clock, through everything that falls due on the way, and tells what went out.
    pub(super) async fn travel(&mut self, until: &str) -> Result<(), Failure> {
        let until: DateTime<Utc> = until.parse().map_err(Failure::internal)?;
        travel::travel(&self.app, &self.clock, until).await.map_err(Failure::internal)?;
        self.tell_messages().await
    }

    /// Waits until what is due now is done, and tells what went out.
    pub(super) async fn settle(&mut self) -> Result<(), Failure> {
        travel::drain(&self.app).await.map_err(Failure::internal)?;
        self.tell_messages().await
    }

    /// Moves the clock and lets the worker take what falls due; does not wait until it is done, but until so much is handed over
    /// to the queue or in the worker's hands.
    pub(super) async fn hand_over(&self, until: DateTime<Utc>, jobs: u64) -> Result<(), Failure> {
        self.clock.travel_to(until);
        travel::handed_over(&self.app, jobs).await.map_err(Failure::internal)
    }

    async fn tell_messages(&mut self) -> Result<(), Failure> {
        let mut fresh = Vec::new();
        let mut path = "messages?limit=100".to_owned();
        loop {
            let page = self.coordinator.get(&path).await?;
            fresh.extend(page["items"].as_array().cloned().unwrap_or_default());
            let Some(next) = page["next"].as_str() else { break };
            path = format!("messages?limit=100&cursor={next}");
        }
        fresh.retain(|message| message.get("finalAt").is_some() && !self.told.contains(&text(message, "id")));
        fresh.sort_by_key(|message| text(message, "finalAt"));
        for message in fresh {
            self.told.push(text(&message, "id"));
            let at = text(&message, "finalAt").parse().map_err(Failure::internal)?;
            self.line(at, &self.message(&message))?;
        }
        Ok(())
    }

    fn message(&self, message: &Value) -> String {
        let to = self.names.get(&text(message, "recipientId")).map_or("nobody", String::as_str);
        let what = format!("{} ({})", text(message, "template"), text(message, "because"));
        let way = if text(message, "channel") == "sms" { "text" } else { "mail" };
        match text(message, "status").as_str() {
            "sent" => format!("    -> {way} to {to}: {what}"),
            "merged" => format!("    -> in the same {way} to {to}: {what}"),
            status => format!("    -- not sent, {status}: {} {what}", text(message, "reason")),
        }
    }
}

/// A member as text; empty where it is none.
pub(super) fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}
