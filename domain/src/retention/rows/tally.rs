//! What a case leaves in the ledger when it goes: how many of what ended how, per month, unit and programme, and nobody in it.

use std::collections::{BTreeMap, HashMap};

use nazorg_entities::{
    Instant, MessageStatus, TallySubject, TrajectoryId, UnitId, cases, events, follow_ups, messages, protocols,
    tallies, trajectories,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use uuid::Uuid;

use super::super::rules::month;
use crate::{
    Context,
    database::Writing,
    error::Result,
    events::Kind,
    ledger::{Bucket, Extent},
    protocols::RetentionThen,
};

/// What is counted together: month, unit, programme, kind of thing, how it ended and why.
type Cell = (String, UnitId, String, TallySubject, String, String);

/// Counts a case that is about to go. A deleted one leaves no unit and no programme behind.
pub(in crate::retention) async fn fold(
    tx: &Writing,
    cx: &Context<'_>,
    case: &cases::Model,
    then: RetentionThen,
) -> Result<()> {
    let deleted = then == RetentionThen::Delete;
    let programmes = programmes(tx, case).await?;
    let unit = case.unit_id.filter(|_| !deleted).unwrap_or(UnitId(Uuid::nil()));
    let programme = |id: Option<TrajectoryId>| {
        let found = id.and_then(|id| programmes.get(&id)).or_else(|| programmes.values().next());
        found.filter(|_| !deleted).cloned().unwrap_or_default()
    };
    let mut cells: BTreeMap<Cell, i32> = BTreeMap::new();
    let mut count = |at: Instant, of: Option<TrajectoryId>, (subject, status, reason): (_, String, Option<String>)| {
        let cell = (month(at), unit, programme(of), subject, status, reason.unwrap_or_default());
        *cells.entry(cell).or_default() += 1;
    };
    for (of, at, status, reason) in follow_ups_of(tx, case).await? {
        count(at, Some(of), (TallySubject::FollowUp, status, reason));
    }
    for (of, at, status, reason) in messages_of(tx, case).await? {
        count(at, Some(of), (TallySubject::Message, status.to_string(), reason));
    }
    let status = if deleted { "deleted" } else { "reduced" };
    let why = case.closed_reason.clone().filter(|_| !deleted);
    count(case.closed_at.unwrap_or(cx.now), None, (TallySubject::Case, status.to_owned(), why));
    write(tx, cx, cells).await
}

async fn programmes(tx: &Writing, case: &cases::Model) -> Result<BTreeMap<TrajectoryId, String>> {
    let running: Vec<(TrajectoryId, nazorg_entities::ProtocolId)> = trajectories::Entity::find()
        .select_only()
        .columns([trajectories::Column::Id, trajectories::Column::ProtocolId])
        .filter(trajectories::Column::CaseId.eq(case.id))
        .into_tuple()
        .all(&**tx)
        .await?;
    let names: Vec<(nazorg_entities::ProtocolId, String)> = protocols::Entity::find()
        .select_only()
        .columns([protocols::Column::Id, protocols::Column::Name])
        .filter(protocols::Column::Id.is_in(running.iter().map(|(_, protocol)| *protocol)))
        .into_tuple()
        .all(&**tx)
        .await?;
    let names: HashMap<_, _> = names.into_iter().collect();
    Ok(running.into_iter().filter_map(|(id, protocol)| Some((id, names.get(&protocol)?.clone()))).collect())
}

async fn follow_ups_of(
    tx: &Writing,
    case: &cases::Model,
) -> Result<Vec<(TrajectoryId, Instant, String, Option<String>)>> {
    use follow_ups::Column as C;
    Ok(follow_ups::Entity::find()
        .select_only()
        .columns([C::TrajectoryId, C::CreatedAt, C::Status, C::Reason])
        .filter(C::CaseId.eq(case.id))
        .into_tuple()
        .all(&**tx)
        .await?)
}

async fn messages_of(
    tx: &Writing,
    case: &cases::Model,
) -> Result<Vec<(TrajectoryId, Instant, MessageStatus, Option<String>)>> {
    use messages::Column as C;
    Ok(messages::Entity::find()
        .select_only()
        .columns([C::TrajectoryId, C::PlannedAt, C::Status, C::Reason])
        .filter(C::CaseId.eq(case.id))
        .into_tuple()
        .all(&**tx)
        .await?)
}

async fn write(tx: &Writing, cx: &Context<'_>, cells: BTreeMap<Cell, i32>) -> Result<()> {
    use tallies::Column as C;
    for ((month, unit_id, protocol, subject, status, reason), count) in cells {
        let row = tallies::ActiveModel {
            organisation_id: Set(cx.organisation),
            month: Set(month),
            unit_id: Set(unit_id),
            protocol: Set(protocol),
            subject: Set(subject),
            status: Set(status),
            reason: Set(reason),
            count: Set(count),
        };
        let cell = [C::OrganisationId, C::Month, C::UnitId, C::Protocol, C::Subject, C::Status, C::Reason];
        let more = Expr::col((tallies::Entity, C::Count)).add(count);
        let added = OnConflict::columns(cell).value(C::Count, more).to_owned();
        tallies::Entity::insert(row).on_conflict(added).exec_without_returning(&**tx).await?;
    }
    Ok(())
}

/// What was counted of one kind of thing, as buckets of the ledger. A period takes the months that begin in it.
pub(crate) async fn buckets(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    subject: TallySubject,
    extent: Extent,
) -> Result<Vec<Bucket>> {
    let Extent { case_id, from, until } = extent;
    if case_id.is_some() {
        return Ok(Vec::new());
    }
    let mut found = tallies::Entity::find()
        .filter(tallies::Column::OrganisationId.eq(cx.organisation))
        .filter(tallies::Column::Subject.eq(subject));
    if let Some(from) = from {
        found = found.filter(tallies::Column::Month.gte(from.format("%Y-%m").to_string()));
    }
    if let Some(until) = until {
        found = found.filter(tallies::Column::Month.lt(until.format("%Y-%m").to_string()));
    }
    let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
    for row in found.all(db).await? {
        *sums.entry((row.status, row.reason)).or_default() += i64::from(row.count);
    }
    Ok(sums
        .into_iter()
        .map(|((status, reason), count)| Bucket { status, reason: (!reason.is_empty()).then_some(reason), count })
        .collect())
}

/// Whether as many cases were counted as the events say are gone.
pub(crate) async fn counted(db: &impl ConnectionTrait, cx: &Context<'_>) -> Result<bool> {
    let told = events::Entity::find()
        .filter(events::Column::OrganisationId.eq(cx.organisation))
        .filter(events::Column::Kind.is_in([Kind::CaseReduced, Kind::CaseDeleted].map(Kind::as_str)))
        .count(db)
        .await?;
    let counted = buckets(db, cx, TallySubject::Case, Extent::default()).await?;
    Ok(counted.iter().map(|bucket| bucket.count).sum::<i64>() == i64::try_from(told).unwrap_or(i64::MAX))
}
