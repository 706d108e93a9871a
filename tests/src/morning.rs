//! Reminders that fall due one morning, and the judgement of what became of them. They are written straight into the domain, so that a
//! thousand are there soon.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use nazorg::domain::{
    App, Caller, Context,
    cases::{self, NewCase},
    entities::{
        Audience, CaseId, ChannelKind, ContactMode, MessageStatus, OrganisationId, PersonId, ProtocolId, Safe,
        Voicemail, messages,
    },
    organisations,
    people::{
        self, NewPerson,
        consents::{self, NewConsent},
        contact_points::{self, NewContactPoint},
    },
    protocol_versions::{self, Origin},
};
use sea_orm::EntityTrait;

use crate::{
    hospital::{ASK, ONE_MORNING},
    smtp_sink::SmtpSink,
};

/// When the cases are opened; a clock stands here at the start.
pub const OPENED: &str = "2026-12-17T12:00:00Z";
/// Ten o'clock in Amsterdam a fortnight later.
const DUE: &str = "2026-12-31T09:00:00Z";

/// How many messages ended how: audience, end, arrived so many times.
pub type Ends = BTreeMap<(String, String, usize), usize>;

/// The reminders of one organisation.
pub struct Morning {
    /// The organisation.
    pub organisation: OrganisationId,
    /// The protocol of all cases: a talk and a question, both a fortnight after the event at the event's time of day.
    pub protocol: ProtocolId,
    /// How many reminders there are: half to a peer, half questions to a person, each to somebody else.
    pub reminders: usize,
}

impl Morning {
    /// Founds an organisation and owes so many reminders, in waves a minute apart.
    ///
    /// # Panics
    /// When the domain says no.
    pub async fn prepare(app: &App, reminders: usize, waves: usize) -> Self {
        let text = format!("{ONE_MORNING}{ASK}").replace("    at: \"10:00\"\n", "");
        let morning = Self { reminders: reminders.next_multiple_of(2), ..Self::found(app, &text).await };
        let event = |nth| Self::wave(nth % waves) - TimeDelta::days(14);
        let opened = stream::iter(0..morning.reminders / 2).map(|nth| morning.open_at(app, nth, event(nth)));
        opened.buffer_unordered(8).collect::<Vec<_>>().await;
        morning
    }

    /// Founds an organisation with a protocol of its own, and owes nothing yet.
    ///
    /// # Panics
    /// When the domain says no.
    pub async fn found(app: &App, protocol: &str) -> Self {
        let organisation = organisations::found(app, "Brigade", chrono_tz::Europe::Amsterdam).await.unwrap();
        let cx = operator(app, organisation);
        let protocol = protocol_versions::upload(&cx, Origin::Text(protocol.to_owned()), true).await.unwrap().id;
        Self { organisation, protocol, reminders: 0 }
    }

    /// When a wave falls due.
    pub fn wave(nth: usize) -> DateTime<Utc> {
        DUE.parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(i64::try_from(nth).unwrap())
    }

    /// One case, with a person and a peer of its own.
    ///
    /// # Panics
    /// When the domain says no.
    pub async fn open_at(&self, app: &App, nth: usize, event: DateTime<Utc>) -> CaseId {
        let person = self.person(app, &format!("person-{nth}@home.example")).await;
        let peer = self.person(app, &format!("peer-{nth}@staff.example")).await;
        let new = self.case(person, peer, event);
        cases::open(&operator(app, self.organisation), new).await.unwrap().id
    }

    /// What a case is opened with.
    pub fn case(&self, person: PersonId, peer: PersonId, event: DateTime<Utc>) -> NewCase {
        NewCase {
            person_id: person,
            unit_id: None,
            relation_id: None,
            protocol_id: self.protocol,
            anchors: ["event_at", "reported_at"].map(|anchor| (anchor.to_owned(), event)).to_vec(),
            params: Vec::new(),
            assignments: vec![("peer_supporter".to_owned(), peer)],
            involvement_id: None,
            external_refs: Vec::new(),
        }
    }

    /// Somebody with a safe mail address, who agreed to messages.
    ///
    /// # Panics
    /// When the domain says no.
    pub async fn person(&self, app: &App, address: &str) -> PersonId {
        let cx = operator(app, self.organisation);
        let language = Some("nl".to_owned());
        let new = NewPerson { name: address.to_owned(), language, zone: None, profession: None, external_refs: vec![] };
        let person = people::create(&cx, new).await.unwrap().id;
        let point = NewContactPoint {
            channel: ChannelKind::Email,
            address: address.to_owned(),
            safe: Safe::Yes,
            expires_at: None,
            allowed: None,
            voicemail: Voicemail::No,
            contact_mode: ContactMode::WeContact,
            preference: 1,
        };
        contact_points::create(&cx, person, point).await.unwrap();
        let consent = NewConsent {
            purpose: "messages".to_owned(),
            recipient_person_id: None,
            recipient: None,
            items: Vec::new(),
            legal_basis: "consent".to_owned(),
            given_by: "self".to_owned(),
            valid_from: None,
            valid_until: None,
        };
        consents::give(&cx, person, consent).await.unwrap();
        person
    }
}

/// The operator at work in an organisation.
pub fn operator(app: &App, organisation: OrganisationId) -> Context<'_> {
    let request = app.ids.next();
    app.context(Caller::operator(organisation), request, request.simple().to_string())
}

/// Every message there is, of all organisations.
///
/// # Panics
/// When the database does not answer.
pub async fn messages(app: &App) -> Vec<messages::Model> {
    messages::Entity::find().all(app.db.reader()).await.unwrap()
}

/// Waits until no message whose moment has come is on its way any more; what was refused waits for its next try in real time.
///
/// # Panics
/// When that takes longer than `patience`.
pub async fn settled(app: &App, patience: Duration) {
    let began = Instant::now();
    loop {
        // A database that just restarted refuses each connection it cut off once.
        let rows = messages::Entity::find().all(app.db.reader()).await;
        let due = |row: &&messages::Model| row.final_at.is_none() && row.planned_at <= app.clock.now();
        let open = rows.map(|rows| rows.iter().filter(due).count());
        if matches!(open, Ok(0)) && matches!(nazorg::domain::jobs::due(app).await, Ok(0)) {
            return;
        }
        assert!(began.elapsed() < patience, "{open:?} messages have no end after {patience:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Every reminder to staff arrived; nothing to a person arrived twice; what has an end has the one that the mail server saw. Prints how
/// many ended how.
///
/// # Panics
/// When one was lost, doubled to a person, or said to be what it is not.
pub async fn judge(app: &App, mail: &SmtpSink, reminders: usize) -> Ends {
    let mut arrived = BTreeMap::<String, usize>::new();
    for received in mail.accepted() {
        let id = received.message_id();
        *arrived.entry(id.trim_matches(['<', '>']).split('@').next().unwrap().to_owned()).or_default() += 1;
    }
    let rows = messages(app).await;
    let due: Vec<_> = rows.iter().filter(|row| row.planned_at <= app.clock.now()).collect();
    assert_eq!(due.len(), reminders);
    let times = |row: &messages::Model| arrived.get(&row.id.0.to_string()).copied().unwrap_or_default();
    let mut ends = Ends::new();
    for row in &due {
        let (audience, status) = (row.audience.as_str().to_owned(), row.status.as_str().to_owned());
        *ends.entry((audience, status, times(row))).or_default() += 1;
        if row.audience == Audience::Staff {
            assert_eq!(row.status, MessageStatus::Sent, "{row:?}");
            assert!(times(row) >= 1, "a reminder to staff did not arrive: {row:?}");
        } else {
            assert!(times(row) <= 1, "{} times to a person: {row:?}", times(row));
            let known = matches!((row.status, times(row)), (MessageStatus::Sent, 1) | (MessageStatus::Unknown, _));
            assert!(known, "arrived {} times, and said to be {row:?}", times(row));
        }
    }
    println!("audience, end, arrived so many times: messages");
    ends.iter().for_each(|(end, count)| println!("{end:?}: {count}"));
    ends
}
