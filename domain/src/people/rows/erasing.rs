//! The SQL of an erasure.

use nazorg_entities::{
    Audience, CaseStatus, Instant, PersonId, absences, api_keys, assignments, cases, consents, contact_points,
    external_refs, follow_ups, involvements, memberships, messages, persons, relations, roster_entries,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use super::{Row, read, visible};
use crate::{
    Context,
    database::Writing,
    error::{Error, Result},
    policy::Reach,
};

/// One person, locked.
pub(in crate::people) async fn locked(tx: &Writing, cx: &Context<'_>, reach: Reach, id: PersonId) -> Result<Row> {
    let found = visible(cx, reach).filter(persons::Column::Id.eq(id)).lock_exclusive().one(&**tx).await?;
    read(found.ok_or(Error::NotFound)?)
}

/// Why a person cannot be erased now: the first reason there is.
pub(in crate::people) async fn needed(tx: &Writing, cx: &Context<'_>, id: PersonId) -> Result<Option<&'static str>> {
    if let Some(why) = case_about(tx, cx, id).await? {
        return Ok(Some(why));
    }
    if case_rests_on(tx, cx, id).await? {
        return Ok(Some("A case about someone close to them is open."));
    }
    if supports(tx, cx, id).await? {
        return Ok(Some("They support somebody; assign somebody else first."));
    }
    Ok(works(tx, id).await?.then_some("They work here; end their memberships and roster entries first."))
}

/// What keeps a case about them: it is open, held, or a file to be kept until its retention ends.
async fn case_about(tx: &Writing, cx: &Context<'_>, id: PersonId) -> Result<Option<&'static str>> {
    use cases::Column as C;
    let found: Vec<(CaseStatus, Option<Instant>)> = cases::Entity::find()
        .select_only()
        .columns([C::Status, C::HeldAt])
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(C::PersonId.eq(id))
        .filter(C::ForgottenAt.is_null())
        .filter(
            Condition::any()
                .add(C::Status.eq(CaseStatus::Open))
                .add(C::HeldAt.is_not_null())
                .add(C::RecordProfile.is_in(["care_file", "safety_file"])),
        )
        .into_tuple()
        .all(&**tx)
        .await?;
    Ok(if found.iter().any(|(status, _)| *status == CaseStatus::Open) {
        Some("A case about them is open.")
    } else if found.iter().any(|(_, held)| held.is_some()) {
        Some("A case about them is under legal hold.")
    } else {
        (!found.is_empty()).then_some("A file about them must be kept until its retention ends.")
    })
}

/// Whether an open case rests on a relation of theirs.
async fn case_rests_on(tx: &Writing, cx: &Context<'_>, id: PersonId) -> Result<bool> {
    let theirs = Condition::any().add(relations::Column::PersonId.eq(id)).add(relations::Column::OtherPersonId.eq(id));
    let close = relations::Entity::find().select_only().column(relations::Column::Id).filter(theirs).into_query();
    let rests = cases::Entity::find()
        .filter(cases::Column::OrganisationId.eq(cx.organisation))
        .filter(cases::Column::Status.eq(CaseStatus::Open))
        .filter(cases::Column::RelationId.in_subquery(close));
    Ok(rests.count(&**tx).await? > 0)
}

/// Whether an open case is assigned to them, or a follow-up was handed to them.
async fn supports(tx: &Writing, cx: &Context<'_>, id: PersonId) -> Result<bool> {
    let open = cases::Entity::find()
        .select_only()
        .column(cases::Column::Id)
        .filter(cases::Column::OrganisationId.eq(cx.organisation))
        .filter(cases::Column::Status.eq(CaseStatus::Open))
        .into_query();
    let assigned = assignments::Entity::find()
        .filter(assignments::Column::PersonId.eq(id))
        .filter(assignments::Column::EndedAt.is_null())
        .filter(assignments::Column::CaseId.in_subquery(open));
    let handed = follow_ups::Entity::find()
        .filter(follow_ups::Column::OrganisationId.eq(cx.organisation))
        .filter(follow_ups::Column::AssignedPersonId.eq(id))
        .filter(follow_ups::Column::FinalAt.is_null());
    Ok(assigned.count(&**tx).await? > 0 || handed.count(&**tx).await? > 0)
}

/// Whether they hold a place among the staff.
async fn works(tx: &Writing, id: PersonId) -> Result<bool> {
    let member = memberships::Entity::find()
        .filter(memberships::Column::PersonId.eq(id))
        .filter(memberships::Column::EndedAt.is_null());
    let rostered = roster_entries::Entity::find()
        .filter(roster_entries::Column::PersonId.eq(id))
        .filter(roster_entries::Column::EndedAt.is_null());
    Ok(member.count(&**tx).await? > 0 || rostered.count(&**tx).await? > 0)
}

/// Everything that says who they are. The row stays, for what refers to it: an id without a name.
pub(in crate::people) async fn erase(tx: &Writing, cx: &Context<'_>, row: &Row) -> Result<()> {
    let (db, id) = (&**tx, row.id);
    let theirs = Condition::any().add(relations::Column::PersonId.eq(id)).add(relations::Column::OtherPersonId.eq(id));
    relations::Entity::delete_many().filter(theirs).exec(db).await?;
    contact_points::Entity::delete_many().filter(contact_points::Column::PersonId.eq(id)).exec(db).await?;
    let theirs =
        Condition::any().add(consents::Column::PersonId.eq(id)).add(consents::Column::RecipientPersonId.eq(id));
    consents::Entity::delete_many().filter(theirs).exec(db).await?;
    absences::Entity::delete_many().filter(absences::Column::PersonId.eq(id)).exec(db).await?;
    external_refs::Entity::delete_many().filter(external_refs::Column::SubjectId.eq(id.0)).exec(db).await?;
    involvements::Entity::update_many()
        .col_expr(involvements::Column::PersonId, Expr::value(None::<Uuid>))
        .col_expr(involvements::Column::Version, Expr::col(involvements::Column::Version).add(1))
        .filter(involvements::Column::PersonId.eq(id))
        .exec(db)
        .await?;
    api_keys::Entity::update_many()
        .col_expr(api_keys::Column::RevokedAt, Expr::value(Some(cx.wall)))
        .filter(api_keys::Column::PersonId.eq(id))
        .filter(api_keys::Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    // What a key is called is often whose it is.
    api_keys::Entity::update_many()
        .col_expr(api_keys::Column::Name, Expr::value(""))
        .filter(api_keys::Column::PersonId.eq(id))
        .exec(db)
        .await?;
    nameless(tx, cx, row).await
}

/// Over which of their addresses they were written to, and what the provider calls it, lead to them by way of its log. Messages come before
/// persons in the order of locks, so this comes before [`locked`].
pub(in crate::people) async fn traceless(tx: &Writing, cx: &Context<'_>, id: PersonId) -> Result<()> {
    use messages::Column as C;
    messages::Entity::update_many()
        .col_expr(C::ContactPointId, Expr::value(None::<Uuid>))
        .col_expr(C::ProviderId, Expr::value(None::<String>))
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(C::RecipientId.eq(id))
        .filter(C::Audience.ne(Audience::Staff))
        .filter(C::FinalAt.is_not_null())
        .exec(&**tx)
        .await?;
    Ok(())
}

async fn nameless(tx: &Writing, cx: &Context<'_>, row: &Row) -> Result<()> {
    use persons::Column as C;
    persons::Entity::update_many()
        .col_expr(C::NameEnc, Expr::value(Vec::<u8>::new()))
        .col_expr(C::NameIndex, Expr::value(Vec::<u8>::new()))
        .col_expr(C::Language, Expr::value(crate::people::rules::LANGUAGE))
        .col_expr(C::Zone, Expr::value(None::<String>))
        .col_expr(C::Profession, Expr::value(None::<String>))
        .col_expr(C::DoNotContactAt, Expr::value(Some(row.do_not_contact_at.unwrap_or(cx.now))))
        .col_expr(C::RestrictedAt, Expr::value(None::<Instant>))
        .col_expr(C::ErasedAt, Expr::value(Some(cx.now)))
        .col_expr(C::Version, Expr::value(row.version + 1))
        .filter(C::Id.eq(row.id))
        .exec(&**tx)
        .await?;
    Ok(())
}
