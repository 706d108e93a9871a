//! What is owed: one row per thing that must happen later, written in the transaction that makes it owed (DESIGN 5).

pub mod given_up;
mod rows;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use nazorg_entities::{JobId, JobKind, OrganisationId, jobs};
use sea_orm::{
    ActiveEnum, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Statement, Value,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    App, Context,
    batch::{self, array, one_of},
    database::Writing,
    error::Result,
    events::{self, Event, Kind},
};

/// How long a lease holds, wall time.
pub const LEASE: Duration = Duration::from_secs(25);
/// How many jobs travel together.
pub const BATCH: usize = 100;
/// How many may be out at once: a batch in hand and some in the queue for a dozen workers. More would only wait there while their leases
/// run out, and every look for more passes over them. Redis fails beyond 10,000 (STACK 1.1).
pub const OUTSTANDING: u64 = 4_000;

/// One job in the version it was leased in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The job.
    pub id: JobId,
    /// Its version; any other means the lease lapsed or the work was re-planned.
    pub version: i32,
}

/// Up to [`BATCH`] leases of one kind: what travels through the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeasedBatch {
    /// What to do.
    pub kind: JobKind,
    /// To which.
    pub leases: Vec<Lease>,
}

/// A job in hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The job, in the version this claim gave it.
    pub job: Lease,
    /// The follow-up or message.
    pub subject: Uuid,
    /// Whose.
    pub organisation: OrganisationId,
    /// How often it was tried before.
    pub attempts: i32,
    /// When it was due.
    pub due_at: DateTime<Utc>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is owed any more; the row goes.
    Done,
    /// Owed again at a moment of the organisation's time.
    Again(DateTime<Utc>),
    /// The same, and it failed as often as it had: what waits for the morning has not succeeded.
    Postponed(DateTime<Utc>),
    /// It failed; owed again after a while of wall time.
    Retry {
        /// How long to wait.
        after: Duration,
        /// A stable code.
        error: &'static str,
    },
    /// It failed for good; the row stays, visible, until someone retries it.
    GivenUp {
        /// A stable code.
        error: &'static str,
    },
}

/// What becomes owed when.
#[derive(Debug, Clone, Copy)]
pub struct Owed {
    /// The follow-up or message.
    pub subject: Uuid,
    /// When, in the organisation's time.
    pub due_at: DateTime<Utc>,
}

/// Makes these owed, replacing what was owed for the same subjects: any lease on the old version is worthless at once.
pub async fn put(tx: &Writing, cx: &Context<'_>, kind: JobKind, owed: &[Owed]) -> Result<()> {
    if owed.iter().any(|one| one.due_at <= cx.now) {
        tx.owes_now();
    }
    insert(tx, cx, kind, (owed, None)).await.map(drop)
}

/// The same, in the caller's own hands from the start: what is done at once needs no way through the queue.
pub async fn put_in_hand(tx: &Writing, cx: &Context<'_>, kind: JobKind, owed: &[Owed]) -> Result<Vec<Claimed>> {
    let ids = insert(tx, cx, kind, (owed, Some(cx.app.clock.wall() + LEASE))).await?;
    let claimed = ids.into_iter().zip(owed).map(|(id, one)| Claimed {
        job: Lease { id, version: 1 },
        subject: one.subject,
        organisation: cx.organisation,
        attempts: 0,
        due_at: one.due_at,
    });
    Ok(claimed.collect())
}

/// What was owed for the same subject is owed as it now is.
const OWED_ANEW: &str = "(kind, subject) DO UPDATE SET due_at = excluded.due_at, lease_until = excluded.lease_until, \
     retry_at = excluded.retry_at, attempts = excluded.attempts, last_error = excluded.last_error, \
     given_up_at = excluded.given_up_at, version = jobs.version + 1";

async fn insert(
    tx: &Writing,
    cx: &Context<'_>,
    kind: JobKind,
    (owed, lease_until): (&[Owed], Option<DateTime<Utc>>),
) -> Result<Vec<JobId>> {
    let ids: Vec<_> = owed.iter().map(|_| JobId(cx.app.ids.next())).collect();
    let rows = owed.iter().zip(&ids).map(|(one, id)| jobs::ActiveModel {
        id: Set(*id),
        organisation_id: Set(cx.organisation),
        kind: Set(kind),
        subject: Set(one.subject),
        due_at: Set(one.due_at),
        version: Set(1),
        lease_until: Set(lease_until),
        retry_at: Set(None),
        attempts: Set(0),
        last_error: Set(None),
        given_up_at: Set(None),
    });
    batch::insert(tx, &rows.collect::<Vec<_>>(), Some(OWED_ANEW)).await?;
    Ok(ids)
}

/// Nothing is owed for these any more.
pub async fn remove(tx: &Writing, kind: JobKind, subjects: &[Uuid]) -> Result<()> {
    for chunk in subjects.chunks(500) {
        jobs::Entity::delete_many()
            .filter(jobs::Column::Kind.eq(kind))
            .filter(one_of(&**tx, jobs::Column::Subject, chunk.iter().copied()))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

/// Leases up to `limit` due jobs for [`LEASE`], in batches of one kind. Several relays may do so at once.
pub async fn lease_due(app: &App, limit: u64) -> Result<Vec<LeasedBatch>> {
    let (now, wall) = (app.clock.now(), app.clock.wall());
    // How many is part of the statement: were it bound, PostgreSQL would expect a tenth of everything owed, and make room to hash that many.
    let due = |place: &str| {
        format!(
            "SELECT {place} FROM jobs WHERE due_at <= $2 AND given_up_at IS NULL AND (lease_until IS NULL OR lease_until <= $3) \
             AND (retry_at IS NULL OR retry_at <= $3) ORDER BY due_at LIMIT {limit}"
        )
    };
    // What is found is locked, and so stays where it stands: nothing has to be looked up by its id, which costs more the more is owed.
    let these = if app.db.is_postgres() {
        format!("ctid = ANY(ARRAY({} FOR UPDATE SKIP LOCKED))", due("ctid"))
    } else {
        format!("id IN ({})", due("id"))
    };
    let sql =
        format!("UPDATE jobs SET lease_until = $1, version = version + 1 WHERE {these} RETURNING id, kind, version");
    let values: Vec<Value> = vec![(wall + LEASE).into(), now.into(), wall.into()];
    let tx = app.db.begin_batch().await?;
    let rows = tx.query_all_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    let mut by_kind: HashMap<JobKind, Vec<Lease>> = HashMap::new();
    for row in rows {
        let kind: JobKind = row.try_get("", "kind")?;
        let lease = Lease { id: row.try_get("", "id")?, version: row.try_get("", "version")? };
        by_kind.entry(kind).or_default().push(lease);
    }
    tx.commit(&crate::app::SilentBell).await?;
    Ok(by_kind
        .into_iter()
        .flat_map(|(kind, leases)| {
            leases.chunks(BATCH).map(|leases| LeasedBatch { kind, leases: leases.to_vec() }).collect::<Vec<_>>()
        })
        .collect())
}

/// Takes in hand what is still leased in its version; the rest was re-planned, taken by another, or lapsed.
pub async fn claim(tx: &Writing, app: &App, batch: &LeasedBatch) -> Result<Vec<Claimed>> {
    take(tx, app, batch, true).await
}

/// Holds what is still leased in its version, for what is done within this transaction: its row is written once, by [`settle`]. Nobody
/// takes it meanwhile. Of a follow-up that is so without a lock: whoever takes its job has locked its trajectory, as the caller did; when
/// its lease lapses and it is leased anew, it is looked at once more, and nothing is left to do.
pub async fn hold(tx: &Writing, app: &App, batch: &LeasedBatch) -> Result<Vec<Claimed>> {
    if batch.leases.is_empty() {
        return Ok(Vec::new());
    }
    let (these, mut values) = these(app, &batch.leases);
    let lock = if app.db.is_postgres() && batch.kind != JobKind::FollowUp { "FOR UPDATE" } else { "" };
    let sql = format!("SELECT {CLAIMED} FROM jobs WHERE {these} AND lease_until > ? AND kind = ? {lock}");
    values.extend([app.clock.wall().into(), batch.kind.to_value().into()]);
    claimed(tx, Statement::from_sql_and_values(tx.get_database_backend(), numbered(&sql, app), values)).await
}

/// Jobs in hand, per tenant.
#[must_use]
pub fn by_organisation(claimed: &[Claimed]) -> BTreeMap<OrganisationId, Vec<&Claimed>> {
    let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for job in claimed {
        found.entry(job.organisation).or_default().push(job);
    }
    found
}

/// A lease that lapsed is still its holder's while nobody else has taken it: `live` asks for more than that.
async fn take(tx: &Writing, app: &App, batch: &LeasedBatch, live: bool) -> Result<Vec<Claimed>> {
    if batch.leases.is_empty() {
        return Ok(Vec::new());
    }
    let wall = app.clock.wall();
    let (these, leases) = these(app, &batch.leases);
    let sql = format!(
        "UPDATE jobs SET version = version + 1, lease_until = ? WHERE {these} AND lease_until > ? AND kind = ? \
         RETURNING {CLAIMED}"
    );
    let mut values: Vec<Value> = std::iter::once((wall + LEASE).into()).chain(leases).collect();
    let lapsed = if live { wall } else { DateTime::UNIX_EPOCH };
    values.extend([lapsed.into(), batch.kind.to_value().into()]);
    claimed(tx, Statement::from_sql_and_values(tx.get_database_backend(), numbered(&sql, app), values)).await
}

const CLAIMED: &str = "id, version, subject, organisation_id, attempts, due_at";

async fn claimed(tx: &Writing, statement: Statement) -> Result<Vec<Claimed>> {
    let rows = tx.query_all_raw(statement).await?;
    let claimed = rows.iter().map(|row| {
        Ok(Claimed {
            job: Lease { id: row.try_get("", "id")?, version: row.try_get("", "version")? },
            subject: row.try_get("", "subject")?,
            organisation: row.try_get("", "organisation_id")?,
            attempts: row.try_get("", "attempts")?,
            due_at: row.try_get("", "due_at")?,
        })
    });
    claimed.collect()
}

/// The jobs of these leases in their versions, and what is bound for it. The ids stand alone as well: PostgreSQL finds rows by a list of
/// ids in the index, and by a list of pairs in the whole table, each with each. To it both are arrays (`batch::one_of`).
fn these(app: &App, leases: &[Lease]) -> (String, Vec<Value>) {
    if app.db.is_postgres() {
        let ids = array(leases.iter().map(|lease| lease.id.0));
        let versions = array(leases.iter().map(|lease| lease.version));
        let sql =
            "id = ANY(?) AND (id, version) IN (SELECT held.id, held.version FROM UNNEST(?, ?) AS held (id, version))";
        return (sql.to_owned(), vec![ids.clone(), ids, versions]);
    }
    let ids = vec!["?"; leases.len()].join(", ");
    let pairs = vec!["(?, ?)"; leases.len()].join(", ");
    let versions = leases.iter().flat_map(|lease| [lease.id.into(), lease.version.into()]);
    let values = leases.iter().map(|lease| lease.id.into()).chain(versions).collect();
    (format!("id IN ({ids}) AND (id, version) IN (VALUES {pairs})"), values)
}

/// `?` becomes `$n` where PostgreSQL wants it.
fn numbered(sql: &str, app: &App) -> String {
    if !app.db.is_postgres() {
        return sql.to_owned();
    }
    let mut out = String::with_capacity(sql.len() + 64);
    let mut number = 0;
    for letter in sql.chars() {
        if letter == '?' {
            number += 1;
            out.push('$');
            out.push_str(&number.to_string());
        } else {
            out.push(letter);
        }
    }
    out
}

/// Settles jobs in hand. A job whose version has moved on was re-planned meanwhile: its settling does nothing.
pub async fn settle(tx: &Writing, app: &App, settled: &[(Lease, Outcome)]) -> Result<()> {
    let (now, wall) = (app.clock.now(), app.clock.wall());
    let done: Vec<Lease> =
        settled.iter().filter(|(_, outcome)| *outcome == Outcome::Done).map(|(lease, _)| *lease).collect();
    for chunk in done.chunks(400) {
        let (these, values) = these(app, chunk);
        let sql = numbered(&format!("DELETE FROM jobs WHERE {these}"), app);
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    }
    let rest: Vec<_> = settled.iter().filter(|(_, outcome)| *outcome != Outcome::Done).collect();
    for chunk in rest.chunks(200) {
        let mut rows = Vec::with_capacity(chunk.len());
        for (lease, outcome) in chunk {
            let (due_at, retry_at, attempts, error, given_up) = settled_as(outcome, now, wall);
            if due_at.is_some_and(|at| at <= now) {
                tx.owes_now();
            }
            let error = error.map(str::to_owned).into();
            let of = [lease.id.into(), lease.version.into(), due_at.into(), retry_at.into(), attempts.into()];
            rows.push(of.into_iter().chain([error, given_up.into()]).collect());
        }
        let (rows, values) = batch::source(tx.get_database_backend(), rows)?;
        let sql = format!(
            "UPDATE jobs SET version = jobs.version + 1, due_at = COALESCE(v.column3, jobs.due_at), lease_until = NULL, \
             retry_at = v.column4, attempts = CASE v.column5 WHEN 0 THEN 0 WHEN 1 THEN jobs.attempts + 1 ELSE jobs.attempts END, \
             last_error = v.column6, given_up_at = v.column7 \
             FROM ({rows}) AS v WHERE jobs.id = v.column1 AND jobs.version = v.column2"
        );
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    }
    Ok(())
}

type Columns = (Option<DateTime<Utc>>, Option<DateTime<Utc>>, i32, Option<&'static str>, Option<DateTime<Utc>>);

/// Due when, left alone until when, whether the failures so far count no more (0), one more (1) or as they did (2), why, given up when.
fn settled_as(outcome: &Outcome, now: DateTime<Utc>, wall: DateTime<Utc>) -> Columns {
    match outcome {
        Outcome::Done => (None, None, 0, None, None),
        Outcome::Again(at) => (Some(*at), None, 0, None, None),
        Outcome::Postponed(at) => (Some(*at), None, 2, None, None),
        Outcome::Retry { after, error } => {
            let after = TimeDelta::from_std(*after).unwrap_or(TimeDelta::days(1));
            (None, Some(wall + after), 1, Some(*error), None)
        }
        Outcome::GivenUp { error } => (None, None, 1, Some(*error), Some(now)),
    }
}

/// Those of them that nobody is settling or planning anew at this moment: whoever does knows better, and must not be waited for.
fn unlocked(app: &App, these: &str) -> String {
    if app.db.is_postgres() {
        return format!("id IN (SELECT id FROM jobs WHERE {these} FOR UPDATE SKIP LOCKED)");
    }
    these.to_owned()
}

/// Hands leases back at once, for a queue that could not take them or a worker that stops.
pub async fn hand_back(app: &App, leases: &[Lease]) -> Result<()> {
    let tx = app.db.begin_batch().await?;
    for chunk in leases.chunks(400) {
        let (these, values) = these(app, chunk);
        let sql = format!("UPDATE jobs SET lease_until = NULL WHERE {}", unlocked(app, &these));
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), numbered(&sql, app), values)).await?;
    }
    tx.commit(&crate::app::SilentBell).await
}

/// Keeps in hand what takes longer than a lease. What was re-planned or taken by another meanwhile is left alone.
pub async fn extend(app: &App, leases: &[Lease]) -> Result<()> {
    let until = app.clock.wall() + LEASE;
    let tx = app.db.begin_batch().await?;
    for chunk in leases.chunks(400) {
        let (these, leases) = these(app, chunk);
        let sql = format!("UPDATE jobs SET lease_until = ? WHERE {}", unlocked(app, &these));
        let values: Vec<Value> = std::iter::once(until.into()).chain(leases).collect();
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), numbered(&sql, app), values)).await?;
    }
    tx.commit(&crate::app::SilentBell).await
}

/// Settles a batch whose handler failed and left nothing behind: `judge` says what becomes of each job. The end of a job is an
/// alarm: an event, and a line and a count where it is called. Answers what was settled.
pub async fn fail(
    app: &App,
    batch: &LeasedBatch,
    judge: impl Fn(&Claimed) -> Outcome + Send,
) -> Result<Vec<(Claimed, Outcome)>> {
    let tx = app.db.begin_batch().await?;
    let claimed = take(&tx, app, batch, false).await?;
    let settled: Vec<(Claimed, Outcome)> = claimed.into_iter().map(|job| (job.clone(), judge(&job))).collect();
    let outcomes: Vec<_> = settled.iter().map(|(claimed, outcome)| (claimed.job, outcome.clone())).collect();
    settle(&tx, app, &outcomes).await?;
    for (claimed, outcome) in &settled {
        if let Outcome::GivenUp { error } = outcome {
            let cx = app.worker_context(claimed.organisation);
            let told = serde_json::json!({ "code": "job_given_up", "kind": batch.kind, "error": error });
            events::record(&tx, &cx, [Event::new(Kind::AlarmRaised, claimed.subject).with(told)]);
        }
    }
    tx.commit(&*app.bell).await?;
    Ok(settled)
}

/// How many jobs are leased right now, of the [`OUTSTANDING`] that are due longest: what is leased is leased in that order. What waits
/// for its next try is not in anybody's hands.
pub async fn outstanding(app: &App) -> Result<u64> {
    let sql = "SELECT COUNT(*) AS leased FROM (SELECT lease_until FROM jobs WHERE due_at <= $1 AND given_up_at IS NULL \
               AND (retry_at IS NULL OR retry_at <= $3) ORDER BY due_at LIMIT $2) AS due \
               WHERE lease_until > $3";
    let limit = i64::try_from(OUTSTANDING).unwrap_or(i64::MAX);
    let values: Vec<Value> = vec![app.clock.now().into(), limit.into(), app.clock.wall().into()];
    let db = app.db.reader();
    let row = db.query_one_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let leased: i64 = row.map(|row| row.try_get("", "leased")).transpose()?.unwrap_or(0);
    Ok(u64::try_from(leased).unwrap_or(0))
}

/// How many jobs are due and waiting or in hand; what waits for its next try or was given up is not among them. 0: everything that
/// is owed by now has been done.
pub async fn due(app: &App) -> Result<u64> {
    Ok(jobs::Entity::find()
        .filter(jobs::Column::DueAt.lte(app.clock.now()))
        .filter(jobs::Column::GivenUpAt.is_null())
        .filter(free(app.clock.wall()))
        .count(app.db.reader())
        .await?)
}

/// When the oldest job falls or fell due, of those that were not given up and do not wait for their next try.
pub async fn earliest(app: &App) -> Result<Option<DateTime<Utc>>> {
    Ok(jobs::Entity::find()
        .select_only()
        .column(jobs::Column::DueAt)
        .filter(jobs::Column::GivenUpAt.is_null())
        .filter(free(app.clock.wall()))
        .order_by_asc(jobs::Column::DueAt)
        .limit(1)
        .into_tuple()
        .one(app.db.reader())
        .await?)
}

/// What does not wait for its next try.
fn free(wall: DateTime<Utc>) -> Condition {
    Condition::any().add(jobs::Column::RetryAt.is_null()).add(jobs::Column::RetryAt.lte(wall))
}

/// When something next falls due, after now.
pub async fn next_due(app: &App) -> Result<Option<DateTime<Utc>>> {
    Ok(jobs::Entity::find()
        .select_only()
        .column(jobs::Column::DueAt)
        .filter(jobs::Column::DueAt.gt(app.clock.now()))
        .filter(jobs::Column::GivenUpAt.is_null())
        .order_by_asc(jobs::Column::DueAt)
        .limit(1)
        .into_tuple()
        .one(app.db.reader())
        .await?)
}
