//! One answer per key (API section 3): the key is written in the change's own transaction, with the answer.

use nazorg_entities::idempotency_keys as keys;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{
    Context,
    error::{Error, Result, ViolationCode},
    secrets::{Secret, hash, place},
};

const COLUMN: &str = "idempotency_keys/answer";
const PURPOSE: &str = "idempotency";
/// How long an answer is kept, wall time.
pub const KEPT: chrono::TimeDelta = chrono::TimeDelta::hours(24);

/// How many answers are forgotten in one transaction.
const FORGOTTEN_AT_ONCE: u64 = 2_000;

/// A key as the client sent it, and what it was sent with.
pub struct IdempotencyKey<'a> {
    /// The raw key, of which only a hash is kept.
    pub raw: &'a str,
    /// Method and route template, `POST /v1/cases`.
    pub route: &'a str,
    /// The canonical body with the path's parameters.
    pub body: &'a [u8],
}

/// The answer that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// Status, always 2xx.
    pub status: u16,
    /// Headers that belong to the answer: `Location`, `ETag`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What entering gave.
#[expect(clippy::large_enum_variant, reason = "it lives for one match; a box would cost every fresh request")]
pub enum Entered<'a> {
    /// Go on, and [`leave`] with the answer. Dropped, nothing happened.
    Fresh(Pending<'a>),
    /// It was done before; this was the answer.
    Replayed(StoredAnswer),
}

/// A request under way, with its own transaction inside the context.
pub struct Pending<'a> {
    /// The context to pass to the verb.
    pub cx: Context<'a>,
    row: Uuid,
    seal: Secret,
}

/// Enters with a key. A duplicate under way is waited for, five seconds at most.
pub async fn enter<'a>(mut cx: Context<'a>, key: &IdempotencyKey<'_>) -> Result<Entered<'a>> {
    let client = cx.caller.key().map(|key| key.0.to_string()).unwrap_or_default();
    let person = cx.caller.person.map(|person| person.0.to_string()).unwrap_or_default();
    let scope = hash(&[
        cx.organisation.0.as_bytes(),
        client.as_bytes(),
        person.as_bytes(),
        key.route.as_bytes(),
        key.raw.as_bytes(),
    ]);
    let masters = cx.app.keys.derived(PURPOSE)?;
    let master = masters.first().ok_or_else(|| Error::internal("no master key"))?;
    let (seal, fingerprint) = under(master, key, &scope)?;
    let writing = cx.app.db.begin().await?;
    let row = cx.app.ids.next();
    let fresh = keys::ActiveModel {
        id: Set(row),
        organisation_id: Set(cx.organisation),
        scope_hash: Set(scope.clone()),
        fingerprint: Set(fingerprint.clone()),
        answer_enc: Set(None),
        created_at: Set(cx.wall),
        expires_at: Set(cx.wall + KEPT),
    };
    let inserted =
        keys::Entity::insert(fresh).on_conflict(unless_expired(cx.wall)).exec_without_returning(&*writing).await;
    match inserted {
        Ok(1..) => {
            cx.outer = Some(writing);
            return Ok(Entered::Fresh(Pending { cx, row, seal }));
        }
        Ok(0) | Err(sea_orm::DbErr::RecordNotInserted) => {}
        Err(error) => return Err(in_progress(error)),
    }
    let found = keys::Entity::find().filter(keys::Column::ScopeHash.eq(scope.clone())).one(&*writing).await?;
    let Some(keys::Model { id, fingerprint: known, answer_enc: Some(answer), .. }) = found else {
        return Err(Error::violation(ViolationCode::IdempotencyInProgress, "try again in a moment"));
    };
    // While the master key is changed, either may have kept it.
    for master in &masters {
        let (seal, fingerprint) = under(master, key, &scope)?;
        if bool::from(known.ct_eq(&fingerprint)) {
            let answer = seal.open(&place(COLUMN, id), &answer)?;
            return Ok(Entered::Replayed(serde_json::from_slice(&answer).map_err(Error::internal)?));
        }
    }
    Err(Error::KeyReused)
}

/// What seals the answer, and the body's fingerprint: of the key as the client sent it, which is kept nowhere, and of the master key, since
/// a client's key may be easy to guess.
fn under(master: &Secret, key: &IdempotencyKey<'_>, scope: &[u8]) -> Result<(Secret, Vec<u8>)> {
    let material = master.mac(&hash(&[key.raw.as_bytes(), scope]))?;
    let seal = Secret::derive_from(&material, "idempotency/answer")?;
    let fingerprint = Secret::derive_from(&material, "idempotency/fingerprint")?.mac(key.body)?;
    Ok((seal, fingerprint))
}

/// A row of the same key gives way once its answer need not be kept any more.
fn unless_expired(wall: nazorg_entities::Instant) -> OnConflict {
    use keys::Column as C;
    OnConflict::column(C::ScopeHash)
        .update_columns([C::Id, C::OrganisationId, C::Fingerprint, C::AnswerEnc, C::CreatedAt, C::ExpiresAt])
        .action_and_where(Expr::col((keys::Entity, C::ExpiresAt)).lte(wall))
        .to_owned()
}

fn in_progress(error: sea_orm::DbErr) -> Error {
    match Error::from(error) {
        Error::Unavailable { log, .. } if log.contains("lock timeout") => {
            Error::violation(ViolationCode::IdempotencyInProgress, "try again in a moment")
        }
        other => other,
    }
}

/// Keeps the answer with the change, and commits both.
pub async fn leave(pending: Pending<'_>, answer: &StoredAnswer) -> Result<()> {
    let Pending { cx, row, seal } = pending;
    let app = cx.app;
    let Some(writing) = cx.outer else { return Err(Error::internal("left without having entered")) };
    let plain = serde_json::to_vec(answer).map_err(Error::internal)?;
    let sealed = seal.seal(&place(COLUMN, row), &plain)?;
    let answered = keys::Entity::update_many()
        .col_expr(keys::Column::AnswerEnc, Expr::value(sealed))
        .filter(keys::Column::Id.eq(row))
        .build(writing.get_database_backend());
    writing.gather();
    writing.write(answered).await?;
    writing.commit(&*app.bell).await
}

/// Forgets answers older than a day; answers how many. Some at a time: nobody waits while a day's answers go.
pub async fn forget_expired(app: &crate::App) -> Result<u64> {
    let mut forgotten = 0;
    loop {
        let tx = app.db.begin_batch().await?;
        let some = keys::Entity::find()
            .select_only()
            .column(keys::Column::Id)
            .filter(keys::Column::ExpiresAt.lte(app.clock.wall()))
            .limit(FORGOTTEN_AT_ONCE)
            .into_query();
        let gone = keys::Entity::delete_many().filter(keys::Column::Id.in_subquery(some)).exec(&*tx).await?;
        tx.commit(&crate::app::SilentBell).await?;
        forgotten += gone.rows_affected;
        if gone.rows_affected < FORGOTTEN_AT_ONCE {
            return Ok(forgotten);
        }
    }
}
