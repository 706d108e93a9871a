//! The SQL of messages.

use std::collections::HashMap;

use nazorg_entities::{
    Audience, CaseId, ContactPointId, FollowUpId, Instant, MessageId, MessageStatus, PersonId, ProtocolId, RelationId,
    TrajectoryId, UnitId, cases, consents, follow_ups, messages, relations, trajectories,
};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType},
};
use uuid::Uuid;

use super::Filter;
use crate::{
    Context,
    batch::one_of,
    database::Writing,
    error::{Error, Result},
    policy::Reach,
};

/// How this context starts a SELECT by many ids.
fn among(cx: &Context<'_>) -> Select<messages::Entity> {
    messages::Entity::find().filter(cx.ours(messages::Column::OrganisationId))
}

/// The only other way: the tenant's, or those of one's own cases and those to oneself.
fn visible(cx: &Context<'_>, reach: Reach) -> Select<messages::Entity> {
    let all = messages::Entity::find().filter(messages::Column::OrganisationId.eq(cx.organisation));
    match reach {
        Reach::All => all,
        Reach::Own => all.filter(
            Condition::any()
                .add(messages::Column::CaseId.in_subquery(crate::cases::visible_ids(cx)))
                .add(messages::Column::RecipientId.eq(cx.caller.person)),
        ),
    }
}

pub(super) async fn one(
    db: &impl ConnectionTrait,
    cx: &Context<'_>,
    reach: Reach,
    id: MessageId,
) -> Result<messages::Model> {
    visible(cx, reach).filter(messages::Column::Id.eq(id)).one(db).await?.ok_or(Error::NotFound)
}

pub(super) async fn list(
    cx: &Context<'_>,
    reach: Reach,
    filter: &Filter,
    (after, limit): (Option<Uuid>, u64),
) -> Result<Vec<messages::Model>> {
    use messages::Column as C;
    let Filter { statuses, case_ids, follow_up_ids, recipient_ids } = filter;
    let wanted = Condition::all()
        .add_option((!statuses.is_empty()).then(|| C::Status.is_in(statuses.clone())))
        .add_option((!case_ids.is_empty()).then(|| C::CaseId.is_in(case_ids.clone())))
        .add_option((!follow_up_ids.is_empty()).then(|| C::FollowUpId.is_in(follow_up_ids.clone())))
        .add_option((!recipient_ids.is_empty()).then(|| C::RecipientId.is_in(recipient_ids.clone())))
        .add_option(after.map(|after| C::Id.gt(after)));
    Ok(visible(cx, reach).filter(wanted).order_by_asc(C::Id).limit(limit).all(&cx.db()).await?)
}

/// The latest message that went to these persons, not as staff, at one of these contact points since.
pub(super) async fn last_to(
    tx: &Writing,
    cx: &Context<'_>,
    (points, persons): (&[ContactPointId], &[PersonId]),
    since: Instant,
) -> Result<Option<messages::Model>> {
    use messages::Column as C;
    Ok(among(cx)
        .filter(one_of(&**tx, C::RecipientId, persons.iter().copied()))
        .filter(C::SentAt.gt(since))
        .filter(one_of(&**tx, C::ContactPointId, points.iter().copied()))
        .filter(C::Audience.ne(Audience::Staff))
        .filter(C::Status.is_in([MessageStatus::Sent, MessageStatus::Unknown]))
        .order_by_desc(C::SentAt)
        .order_by_desc(C::Id)
        .one(&**tx)
        .await?)
}

/// The messages of the cases about a person, in order of their ids.
pub(super) async fn about(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<Vec<messages::Model>> {
    use messages::Column as C;
    let theirs = visible(cx, Reach::All).filter(C::CaseId.in_subquery(crate::cases::about_ids(cx, person)));
    Ok(theirs.order_by_asc(C::Id).limit(limit).all(&cx.db()).await?)
}

/// What a person was to be sent in cases that are another's, but not as staff, in order of their ids.
pub(super) async fn received_elsewhere(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<Vec<messages::Model>> {
    use messages::Column as C;
    let elsewhere = visible(cx, Reach::All)
        .filter(C::RecipientId.eq(person))
        .filter(C::Audience.ne(Audience::Staff))
        .filter(C::CaseId.not_in_subquery(crate::cases::about_ids(cx, person)));
    Ok(elsewhere.order_by_asc(C::Id).limit(limit).all(&cx.db()).await?)
}

/// The messages, locked, in order of their ids.
pub(super) async fn locked(tx: &Writing, cx: &Context<'_>, ids: &[MessageId]) -> Result<Vec<messages::Model>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(among(cx)
        .filter(one_of(&**tx, messages::Column::Id, ids.iter().copied()))
        .order_by_asc(messages::Column::Id)
        .lock_exclusive()
        .all(&**tx)
        .await?)
}

/// Writes messages in hand as they now are, each a version on.
pub(super) async fn save(tx: &Writing, changed: Vec<messages::Model>) -> Result<()> {
    const COLUMNS: [&str; 14] = [
        "id",
        "status",
        "reason",
        "recipient_id",
        "channel",
        "contact_point_id",
        "merged_into",
        "provider_id",
        "sent_at",
        "delivered_at",
        "acknowledged_at",
        "replied_at",
        "final_at",
        "version",
    ];
    let rows = changed.into_iter().map(|row| {
        vec![
            row.id.into(),
            row.status.as_str().into(),
            row.reason.into(),
            row.recipient_id.into(),
            row.channel.map(|channel| channel.as_str().to_owned()).into(),
            row.contact_point_id.into(),
            row.merged_into.into(),
            row.provider_id.into(),
            row.sent_at.into(),
            row.delivered_at.into(),
            row.acknowledged_at.into(),
            row.replied_at.into(),
            row.final_at.into(),
            row.version.into(),
        ]
    });
    crate::batch::update(tx, ("messages", &COLUMNS), rows.collect()).await
}

pub(super) async fn follow_ups(
    tx: &Writing,
    cx: &Context<'_>,
    ids: &[FollowUpId],
) -> Result<HashMap<FollowUpId, follow_ups::Model>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = follow_ups::Entity::find()
        .filter(cx.ours(follow_ups::Column::OrganisationId))
        .filter(one_of(&**tx, follow_ups::Column::Id, ids.iter().copied()))
        .all(&**tx)
        .await?;
    Ok(found.into_iter().map(|row| (row.id, row)).collect())
}

/// Which protocol version trajectories run on.
pub(super) async fn protocols(
    tx: &Writing,
    cx: &Context<'_>,
    ids: Vec<TrajectoryId>,
) -> Result<HashMap<TrajectoryId, ProtocolId>> {
    use trajectories::Column as C;
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<(TrajectoryId, ProtocolId)> = trajectories::Entity::find()
        .select_only()
        .columns([C::Id, C::ProtocolId])
        .filter(cx.ours(C::OrganisationId))
        .filter(one_of(&**tx, C::Id, ids))
        .into_tuple()
        .all(&**tx)
        .await?;
    Ok(found.into_iter().collect())
}

/// A case as its messages need it.
pub(super) struct AboutCase {
    pub(super) person: PersonId,
    pub(super) unit: Option<UnitId>,
    pub(super) relation: Option<RelationId>,
    pub(super) record_profile: String,
}

/// A case's id and the columns of its [`AboutCase`].
type Columns = (CaseId, PersonId, Option<UnitId>, Option<RelationId>, String);

pub(super) async fn cases(tx: &Writing, cx: &Context<'_>, ids: &[CaseId]) -> Result<HashMap<CaseId, AboutCase>> {
    use cases::Column as C;
    let found: Vec<Columns> = cases::Entity::find()
        .select_only()
        .columns([C::Id, C::PersonId, C::UnitId, C::RelationId, C::RecordProfile])
        .filter(cx.ours(C::OrganisationId))
        .filter(one_of(&**tx, C::Id, ids.iter().copied()))
        .into_tuple()
        .all(&**tx)
        .await?;
    Ok(found
        .into_iter()
        .map(|(id, person, unit, relation, record_profile)| (id, AboutCase { person, unit, relation, record_profile }))
        .collect())
}

/// To whom someone close is close, and whether they still are.
pub(super) struct Tie {
    pub(super) to: PersonId,
    pub(super) ended: bool,
}

/// The relations that cases about someone close rest on.
pub(super) async fn ties(
    tx: &Writing,
    cx: &Context<'_>,
    cases: &HashMap<CaseId, AboutCase>,
) -> Result<HashMap<RelationId, Tie>> {
    let ids: Vec<RelationId> = cases.values().filter_map(|case| case.relation).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = relations::Entity::find()
        .filter(cx.ours(relations::Column::OrganisationId))
        .filter(one_of(&**tx, relations::Column::Id, ids))
        .all(&**tx)
        .await?;
    Ok(found.into_iter().map(|row| (row.id, Tie { to: row.person_id, ended: row.ended_at.is_some() })).collect())
}

/// Whom these persons have as close ones, the longest known first.
pub(super) async fn close_ones(
    tx: &Writing,
    cx: &Context<'_>,
    persons: &[PersonId],
) -> Result<HashMap<PersonId, Vec<PersonId>>> {
    use relations::Column as C;
    if persons.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<(PersonId, PersonId)> = relations::Entity::find()
        .select_only()
        .columns([C::PersonId, C::OtherPersonId])
        .filter(cx.ours(C::OrganisationId))
        .filter(one_of(&**tx, C::PersonId, persons.iter().copied()))
        .filter(C::Kind.eq("close_one"))
        .filter(C::EndedAt.is_null())
        .order_by_asc(C::Id)
        .into_tuple()
        .all(&**tx)
        .await?;
    let mut close: HashMap<PersonId, Vec<PersonId>> = HashMap::new();
    for (person, other) in found {
        close.entry(person).or_default().push(other);
    }
    Ok(close)
}

/// What these persons ever agreed to about messages, taken back or not.
pub(super) async fn consents(
    tx: &Writing,
    cx: &Context<'_>,
    persons: &[PersonId],
    purposes: &[&str],
) -> Result<Vec<consents::Model>> {
    if persons.is_empty() {
        return Ok(Vec::new());
    }
    Ok(consents::Entity::find()
        .filter(cx.ours(consents::Column::OrganisationId))
        .filter(one_of(&**tx, consents::Column::PersonId, persons.iter().copied()))
        .filter(consents::Column::Purpose.is_in(purposes.iter().copied()))
        .order_by_asc(consents::Column::Id)
        .all(&**tx)
        .await?)
}

/// What these persons were sent since, as persons or close ones, over all protocols: taken by the provider, on its way, or perhaps.
pub(super) async fn recent(
    tx: &Writing,
    cx: &Context<'_>,
    persons: &[PersonId],
    since: Instant,
) -> Result<HashMap<PersonId, Vec<Instant>>> {
    use messages::Column as C;
    if persons.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<(PersonId, Instant)> = among(cx)
        .select_only()
        .columns([C::RecipientId, C::SentAt])
        .filter(one_of(&**tx, C::RecipientId, persons.iter().copied()))
        .filter(C::SentAt.gt(since))
        .filter(C::Audience.ne(Audience::Staff))
        .filter(C::Status.is_in([MessageStatus::Sending, MessageStatus::Sent, MessageStatus::Unknown]))
        .into_tuple()
        .all(&**tx)
        .await?;
    let mut recent: HashMap<PersonId, Vec<Instant>> = HashMap::new();
    for (person, at) in found {
        recent.entry(person).or_default().push(at);
    }
    Ok(recent)
}

/// What staff was told since the minute began, or is being told, with which text, and when.
pub(super) async fn told(
    tx: &Writing,
    cx: &Context<'_>,
    persons: &[PersonId],
    since: Instant,
) -> Result<HashMap<(PersonId, String), (MessageId, Instant)>> {
    use messages::Column as C;
    if persons.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<(PersonId, String, MessageId, Instant)> = among(cx)
        .select_only()
        .columns([C::RecipientId, C::Template, C::Id, C::SentAt])
        .filter(one_of(&**tx, C::RecipientId, persons.iter().copied()))
        .filter(C::SentAt.gte(since))
        .filter(C::Audience.eq(Audience::Staff))
        .filter(C::Status.is_in([MessageStatus::Sending, MessageStatus::Sent]))
        .order_by_asc(C::SentAt)
        // Whoever is being called off or taken over at this moment does not count as told.
        .lock_with_behavior(LockType::Share, LockBehavior::SkipLocked)
        .into_tuple()
        .all(&**tx)
        .await?;
    Ok(found.into_iter().map(|(person, template, id, at)| ((person, template), (id, at))).collect())
}

/// How many each of these already speaks for besides itself.
pub(super) async fn spoken_for(
    tx: &Writing,
    cx: &Context<'_>,
    leaders: &[MessageId],
) -> Result<HashMap<MessageId, i64>> {
    use messages::Column as C;
    let found: Vec<(MessageId, i64)> = among(cx)
        .select_only()
        .column(C::MergedInto)
        .column_as(C::Id.count(), "count")
        .filter(one_of(&**tx, C::MergedInto, leaders.iter().copied()))
        .group_by(C::MergedInto)
        .into_tuple()
        .all(&**tx)
        .await?;
    Ok(found.into_iter().collect())
}

/// Lets those for which these spoke be sent for themselves; answers which.
pub(super) async fn revive(tx: &Writing, cx: &Context<'_>, leaders: &[MessageId]) -> Result<Vec<MessageId>> {
    use messages::Column as C;
    if leaders.is_empty() {
        return Ok(Vec::new());
    }
    let found: Vec<MessageId> = among(cx)
        .select_only()
        .column(C::Id)
        .filter(one_of(&**tx, C::MergedInto, leaders.iter().copied()))
        .filter(C::Status.eq(MessageStatus::Merged))
        .order_by_asc(C::Id)
        .into_tuple()
        .all(&**tx)
        .await?;
    if !found.is_empty() {
        messages::Entity::update_many()
            .col_expr(C::Status, Expr::value(MessageStatus::Pending.as_str()))
            .col_expr(C::Reason, Expr::value(None::<String>))
            .col_expr(C::RecipientId, Expr::value(None::<PersonId>))
            .col_expr(C::MergedInto, Expr::value(None::<MessageId>))
            .col_expr(C::FinalAt, Expr::value(None::<Instant>))
            .col_expr(C::Version, Expr::col(C::Version).add(1))
            .filter(one_of(&**tx, C::Id, found.iter().copied()))
            .exec(&**tx)
            .await?;
    }
    Ok(found)
}
