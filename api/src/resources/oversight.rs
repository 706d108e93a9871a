//! The feed, the access log and the ledger.

use std::collections::BTreeMap;

use nazorg_domain::{
    audit::{self, Line, Period},
    entities::{CaseId, PersonId},
    events::{self, Told},
    ledger::{self, Bucket, Extent, Finding, Ledger},
};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use crate::{
    answers::{Page, Plain},
    ask::{Ask, Paging},
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operations that show what happened and whether it adds up.
pub(super) struct Oversight;

#[OpenApi(tag = "Tag::Oversight")]
impl Oversight {
    /// Follow the feed
    ///
    /// Everything that happened in the organisation and that the caller may see, in order, thin: ids and codes. Keep
    /// `next` (or the position of the last event, as `after`) and come back; what a client missed for a month it gets here.
    #[oai(path = "/events", method = "get", operation_id = "listEvents")]
    async fn feed(
        &self,
        ask: Ask<'_>,
        /// Only what happened after this position.
        #[oai(validator(minimum(value = "0")))]
        after: Query<Option<i64>>,
        paging: Paging,
    ) -> Answer<Page<EventView>> {
        let after = paging.after::<i64>()?.or(after.0).unwrap_or(0);
        let (found, _) = events::feed(&ask, after, paging.limit()).await?;
        Ok(Page::new(&paging, found, |told| told.position, EventView::from))
    }

    /// List who saw a person's data
    ///
    /// Every access, reads and reminders included, newest first, without names (NEN 7513). Looking is an access too. There is no
    /// emergency access: nothing is opened past the rules.
    #[oai(path = "/persons/:id/access-events", method = "get", operation_id = "listAccessEvents")]
    async fn access_events(
        &self,
        ask: Ask<'_>,
        id: Path<Uuid>,
        /// Accesses at or after this moment.
        from: Query<Option<Instant>>,
        /// Accesses before this moment.
        until: Query<Option<Instant>>,
        paging: Paging,
    ) -> Answer<Page<AccessEventView>> {
        let period = Period { from: from.0.map(|at| at.0), until: until.0.map(|at| at.0) };
        let found = audit::of_person(&ask, PersonId(id.0), period, (paging.after()?, paging.limit())).await?;
        Ok(Page::new(&paging, found, |line| line.id.0, AccessEventView::from))
    }

    /// Read the ledger
    ///
    /// Every follow-up and message that was ever planned stands in exactly one bucket. `unaccounted` replays the engine
    /// over what was said to every trajectory and compares with what is kept: it must be 0. A period narrows the buckets,
    /// not the check.
    #[oai(path = "/ledger", method = "get", operation_id = "readLedger")]
    async fn ledger(
        &self,
        ask: Ask<'_>,
        /// Only this case.
        #[oai(name = "caseId")]
        case_id: Query<Option<Uuid>>,
        /// Buckets of what was planned at or after this moment.
        #[oai(name = "plannedFrom")]
        planned_from: Query<Option<Instant>>,
        /// Buckets of what was planned before this moment.
        #[oai(name = "plannedUntil")]
        planned_until: Query<Option<Instant>>,
    ) -> Answer<Plain<LedgerView>> {
        let extent = Extent {
            case_id: case_id.0.map(CaseId),
            from: planned_from.0.map(|at| at.0),
            until: planned_until.0.map(|at| at.0),
        };
        Ok(Plain::new(ledger::read(&ask, extent).await?.into()))
    }
}

/// Something that happened.
#[derive(Debug, Object)]
#[oai(rename = "Event", rename_all = "camelCase", skip_serializing_if_is_none)]
struct EventView {
    id: Uuid,
    /// Its place in the organisation's order: rising, gaps allowed.
    position: i64,
    at: Instant,
    /// What: `case.opened`, `follow_up.ended`, …
    kind: String,
    /// To what kind of thing.
    subject_kind: String,
    subject_id: Uuid,
    /// Within which case.
    case_id: Option<Uuid>,
    /// Codes and ids; never people.
    data: BTreeMap<String, serde_json::Value>,
}

impl From<Told> for EventView {
    fn from(told: Told) -> Self {
        let Told { position, id, at, kind, subject_kind, subject_id, case_id, data } = told;
        let data = match data {
            serde_json::Value::Object(members) => members.into_iter().collect(),
            _ => BTreeMap::new(),
        };
        Self {
            id: id.0,
            position,
            at: Instant(at),
            kind,
            subject_kind,
            subject_id,
            case_id: case_id.map(|id| id.0),
            data,
        }
    }
}

/// One access to a person's data.
#[derive(Debug, Object)]
#[oai(rename = "AccessEvent", rename_all = "camelCase", skip_serializing_if_is_none)]
struct AccessEventView {
    id: Uuid,
    at: Instant,
    /// `C` created, `R` read, `U` updated, `D` deleted, `E` executed.
    action: String,
    /// What happened: `case.read`, `message.sent`, …
    code: String,
    /// `success` or `refused`.
    outcome: String,
    /// With which API key.
    client_id: Option<Uuid>,
    /// Who acted; absent for the worker and for keys that are nobody's.
    actor_id: Option<Uuid>,
    /// In which role: an access role, `link`, `worker` or `operator`.
    role: String,
    /// What kind of object.
    object_kind: String,
    object_id: Uuid,
    /// Which members of it were changed: `name,language`.
    object_part: Option<String>,
    /// On whose responsibility: who acted, as long as nobody acts for another.
    responsible_id: Option<Uuid>,
    /// What for: `support`.
    purpose: String,
    /// Which rules allowed or refused it, with their version: `policy/1`.
    policy: String,
    /// Under which consent.
    consent_id: Option<Uuid>,
    /// The same for everything one request did. A name of the service's own, which no caller and no log line bears.
    request_id: Uuid,
}

impl From<Line> for AccessEventView {
    fn from(line: Line) -> Self {
        let Line { id, at, action, code, outcome, client, actor, role, object, object_id, part, .. } = line;
        Self {
            id: id.0,
            at: Instant(at),
            action: action.as_str().to_owned(),
            code,
            outcome: outcome.as_str().to_owned(),
            client_id: client.map(|id| id.0),
            actor_id: actor.map(|id| id.0),
            role,
            object_kind: object,
            object_id,
            object_part: part,
            responsible_id: line.responsible.map(|id| id.0),
            purpose: line.purpose,
            policy: line.policy,
            consent_id: line.consent.map(|id| id.0),
            request_id: line.request_id,
        }
    }
}

/// Where everything that was ever planned stands.
#[derive(Debug, Object)]
#[oai(rename = "Ledger", rename_all = "camelCase", skip_serializing_if_is_none)]
struct LedgerView {
    follow_ups: Vec<BucketView>,
    messages: Vec<BucketView>,
    /// The cases that are gone: reduced to a tally, or deleted. What was planned in them is still counted above.
    forgotten_cases: Vec<BucketView>,
    /// How many things cannot be accounted for; must be 0.
    unaccounted: i64,
    /// How many of them per reason.
    reasons: Vec<ReasonCount>,
    /// The first hundred of them.
    findings: Vec<FindingView>,
}

/// How much stands somewhere.
#[derive(Debug, Object)]
#[oai(rename = "LedgerBucket", rename_all = "camelCase", skip_serializing_if_is_none)]
struct BucketView {
    status: String,
    /// Why, for everything but what is planned, done or sent.
    reason: Option<String>,
    count: i64,
}

/// How much is unaccounted for, and why.
#[derive(Debug, Object)]
#[oai(rename = "LedgerReason", rename_all = "camelCase", skip_serializing_if_is_none)]
struct ReasonCount {
    reason: String,
    count: i64,
}

/// One thing that is unaccounted for.
#[derive(Debug, Object)]
#[oai(rename = "LedgerFinding", rename_all = "camelCase", skip_serializing_if_is_none)]
struct FindingView {
    reason: String,
    /// Which follow-up, message, job or trajectory.
    subject_id: Uuid,
}

impl From<Ledger> for LedgerView {
    fn from(ledger: Ledger) -> Self {
        let Ledger { follow_ups, messages, forgotten_cases, unaccounted, reasons, findings } = ledger;
        let bucket = |Bucket { status, reason, count }: Bucket| BucketView { status, reason, count };
        Self {
            follow_ups: follow_ups.into_iter().map(bucket).collect(),
            messages: messages.into_iter().map(bucket).collect(),
            forgotten_cases: forgotten_cases.into_iter().map(bucket).collect(),
            unaccounted,
            reasons: reasons
                .into_iter()
                .map(|(reason, count)| ReasonCount { reason: reason.to_owned(), count })
                .collect(),
            findings: findings
                .into_iter()
                .map(|Finding { reason, subject }| FindingView {
                    reason: reason.as_str().to_owned(),
                    subject_id: subject,
                })
                .collect(),
        }
    }
}
