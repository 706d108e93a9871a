//! What happened, thin, written with the change; numbered after the commit; read by the feed (DESIGN section 4).

mod rows;

use nazorg_entities::{CaseId, EventId, OrganisationId, events};
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbBackend, EntityTrait};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{App, Context, batch, context::Standing, database::Writing, error::Result, policy::Action};

/// More than an organisation has events between a backup and the moment it is needed.
const LEAP: i64 = 1_000_000_000;

macro_rules! kinds {
    ($($variant:ident = $word:literal, $subject:literal;)*) => {
        /// Every kind of event, as published: `nl.nazorg.` stands before it in a CloudEvent.
        #[expect(missing_docs, reason = "the words say it")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($variant,)* }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// What its subject is.
            #[must_use]
            pub const fn subject(self) -> &'static str {
                match self { $(Self::$variant => $subject,)* }
            }
        }
    };
}

kinds! {
    OrganisationChanged = "organisation.changed", "organisation";
    OrganisationRestored = "organisation.restored", "organisation";
    UnitCreated = "unit.created", "unit";
    UnitChanged = "unit.changed", "unit";
    ApiKeyCreated = "api_key.created", "api_key";
    ApiKeyRevoked = "api_key.revoked", "api_key";
    ProtocolUploaded = "protocol.uploaded", "protocol";
    ProtocolChanged = "protocol.changed", "protocol";
    ProtocolPublished = "protocol.published", "protocol";
    ProtocolRetired = "protocol.retired", "protocol";
    PersonCreated = "person.created", "person";
    PersonChanged = "person.changed", "person";
    PersonExported = "person.exported", "person";
    PersonRestricted = "person.restricted", "person";
    PersonRestrictionLifted = "person.restriction_lifted", "person";
    PersonErased = "person.erased", "person";
    ContactPointChanged = "contact_point.changed", "contact_point";
    RelationChanged = "relation.changed", "relation";
    ConsentGiven = "consent.given", "consent";
    ConsentRevoked = "consent.revoked", "consent";
    StaffChanged = "staff.changed", "person";
    IncidentReported = "incident.reported", "incident";
    IncidentChanged = "incident.changed", "incident";
    IncidentUnlinked = "incident.unlinked", "incident";
    CaseOpened = "case.opened", "case";
    CaseChanged = "case.changed", "case";
    CaseClosed = "case.closed", "case";
    CaseReopened = "case.reopened", "case";
    CaseAssigned = "case.assigned", "case";
    CaseHeld = "case.held", "case";
    CaseHoldLifted = "case.hold_lifted", "case";
    CaseReduced = "case.reduced", "case";
    CasePseudonymised = "case.pseudonymised", "case";
    CaseDeleted = "case.deleted", "case";
    NoteWritten = "note.written", "note";
    TrajectoryStarted = "trajectory.started", "trajectory";
    TrajectoryChanged = "trajectory.changed", "trajectory";
    TrajectoryClosed = "trajectory.closed", "trajectory";
    FollowUpPlanned = "follow_up.planned", "follow_up";
    FollowUpMoved = "follow_up.moved", "follow_up";
    FollowUpOverdue = "follow_up.overdue", "follow_up";
    FollowUpEnded = "follow_up.ended", "follow_up";
    FollowUpReassigned = "follow_up.reassigned", "follow_up";
    MessageSent = "message.sent", "message";
    MessageNotSent = "message.not_sent", "message";
    MessageAcknowledged = "message.acknowledged", "message";
    MessageDelivered = "message.delivered", "message";
    MessageReplied = "message.replied", "message";
    AlarmRaised = "alarm.raised", "alarm";
    JobRepeated = "job.repeated", "job";
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Event {
    kind: Kind,
    subject: Uuid,
    case: Option<CaseId>,
    data: Value,
}

impl Event {
    /// It happened to this subject.
    #[must_use]
    pub fn new(kind: Kind, subject: Uuid) -> Self {
        Self { kind, subject, case: None, data: json!({}) }
    }

    /// …within a case; who may see the case may see the event.
    #[must_use]
    pub fn of_case(mut self, case: CaseId) -> Self {
        self.case = Some(case);
        self
    }

    /// …with codes and ids, never with people.
    #[must_use]
    pub fn with(mut self, data: Value) -> Self {
        self.data = data;
        self
    }
}

/// An event as the feed tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Its place in the organisation's order; strictly rising, gaps allowed.
    pub position: i64,
    /// Its id.
    pub id: EventId,
    /// When.
    pub at: chrono::DateTime<chrono::Utc>,
    /// What.
    pub kind: String,
    /// To what kind of thing.
    pub subject_kind: String,
    /// To which.
    pub subject_id: Uuid,
    /// Within which case.
    pub case_id: Option<CaseId>,
    /// Codes and ids.
    pub data: Value,
}

/// Tells with a change what happened; its commit writes it. A worker's batch is numbered with the change: it is short and many at once,
/// so that others can wait for it. A request never waits; what it tells is numbered a moment later.
pub fn record(tx: &Writing, cx: &Context<'_>, happened: impl IntoIterator<Item = Event>) {
    let numbered = cx.caller.standing == Standing::Worker;
    tx.tells(happened.into_iter().map(|event| row(cx, event, None)), numbered);
}

/// Writes what a transaction tells, as the last thing before it commits.
pub(crate) async fn write(tx: &Writing, mut told: Vec<events::ActiveModel>, numbered: bool) -> Result<()> {
    if numbered && !told.is_empty() {
        rows::take_turn(tx).await?;
        // What was committed before this comes before it: no effect is told before its cause.
        while tx.get_database_backend() == DbBackend::Postgres && rows::number(tx).await? >= u64::from(rows::AT_ONCE) {}
        rows::give_numbers(tx, &mut told).await?;
    }
    batch::insert(tx, &told, None).await
}

/// Writes an event far beyond the last: after a restore the numbers since the backup may have been read already.
pub(crate) async fn leap(tx: &Writing, cx: &Context<'_>, happened: Event) -> Result<()> {
    rows::take_turn(tx).await?;
    let last = rows::last(tx, cx.organisation).await?;
    let row = row(cx, happened, Some(last.saturating_add(LEAP)));
    events::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(())
}

fn row(cx: &Context<'_>, Event { kind, subject, case, data }: Event, position: Option<i64>) -> events::ActiveModel {
    events::ActiveModel {
        id: Set(EventId(cx.app.ids.next())),
        organisation_id: Set(cx.organisation),
        position: Set(position),
        at: Set(cx.now),
        kind: Set(kind.as_str().to_owned()),
        subject_kind: Set(kind.subject().to_owned()),
        subject_id: Set(subject),
        case_id: Set(case),
        data: Set(data),
        trace_id: Set(cx.trace_id.clone()),
    }
}

/// Numbers what is committed and has no number yet; answers how many. One at a time does it, and whoever commits with numbers.
pub async fn number(app: &App) -> Result<u64> {
    if !rows::waiting(app).await? {
        return Ok(0);
    }
    let tx = app.db.begin_batch().await?;
    rows::take_turn(&tx).await?;
    let numbered = rows::number(&tx).await?;
    tx.commit(&crate::app::SilentBell).await?;
    Ok(numbered)
}

/// What happened after a position, in order, as far as this caller may see it now; and the position to go on from.
pub async fn feed(cx: &Context<'_>, after: i64, limit: u64) -> Result<(Vec<Told>, i64)> {
    let reach = cx.may(Action::ReadFeed)?;
    rows::after(cx, reach, after, limit).await
}

/// Events of one organisation that still wait for their number.
pub async fn unnumbered(app: &App, organisation: OrganisationId) -> Result<u64> {
    rows::unnumbered(app, organisation).await
}
