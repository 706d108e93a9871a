//! The SQL of a case that becomes nobody's.

use nazorg_entities::{
    Audience, DataKeyId, PersonId, access_events, cases, events, follow_ups, messages, persons, relations,
    support_links, trajectories,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::Expr,
};
use uuid::Uuid;

use super::words;
use crate::{Context, database::Writing, error::Result, events::Kind};

/// The record stays, and is nobody's: a person without a name, whose key never was. Answers that person.
pub(in crate::retention) async fn pseudonymise(
    tx: &Writing,
    cx: &Context<'_>,
    case: &cases::Model,
) -> Result<PersonId> {
    let nobody = nobody(tx, cx).await?;
    // First, while everything is there by which a line of the log is found.
    lines(tx, cx, (case, nobody)).await?;
    words(tx, case.id).await?;
    recipients(tx, (case, nobody)).await?;
    support_links::Entity::delete_many().filter(support_links::Column::CaseId.eq(case.id)).exec(&**tx).await?;
    cases::Entity::update_many()
        .col_expr(cases::Column::PersonId, Expr::value(nobody))
        .col_expr(cases::Column::RelationId, Expr::value(None::<Uuid>))
        .col_expr(cases::Column::KeyId, Expr::value(None::<Uuid>))
        .col_expr(cases::Column::ForgottenAt, Expr::value(Some(cx.now)))
        .col_expr(cases::Column::Version, Expr::value(case.version + 1))
        .filter(cases::Column::Id.eq(case.id))
        .exec(&**tx)
        .await?;
    Ok(nobody)
}

async fn nobody(tx: &Writing, cx: &Context<'_>) -> Result<PersonId> {
    let nobody = PersonId(cx.app.ids.next());
    let row = persons::ActiveModel {
        id: Set(nobody),
        organisation_id: Set(cx.organisation),
        key_id: Set(DataKeyId(cx.app.ids.next())),
        name_enc: Set(Vec::new()),
        name_index: Set(Vec::new()),
        language: Set(crate::people::rules::LANGUAGE.to_owned()),
        zone: Set(None),
        profession: Set(None),
        do_not_contact_at: Set(Some(cx.now)),
        deceased_at: Set(None),
        restricted_at: Set(None),
        erased_at: Set(Some(cx.now)),
        created_at: Set(cx.now),
        version: Set(1),
    };
    persons::Entity::insert(row).exec_without_returning(&**tx).await?;
    Ok(nobody)
}

/// Who was written to about the case leads to whom it was about, and so does where: someone close by the relation between the two.
async fn recipients(tx: &Writing, (case, nobody): (&cases::Model, PersonId)) -> Result<()> {
    use messages::Column as C;
    let outside = Condition::all().add(C::CaseId.eq(case.id)).add(C::Audience.ne(Audience::Staff));
    for (who, becomes) in [(C::RecipientId.eq(case.person_id), Some(nobody)), (C::RecipientId.ne(nobody), None)] {
        messages::Entity::update_many()
            .col_expr(C::RecipientId, Expr::value(becomes))
            .filter(outside.clone())
            .filter(who)
            .exec(&**tx)
            .await?;
    }
    messages::Entity::update_many()
        .col_expr(C::ContactPointId, Expr::value(None::<Uuid>))
        .col_expr(C::ProviderId, Expr::value(None::<String>))
        .filter(outside)
        .exec(&**tx)
        .await?;
    Ok(())
}

/// The access log goes on under the pseudonym: who saw what of this case, and no longer whose it was. Found by the persons it concerned,
/// as the log's index is: who was written to, who might have been, and whose it was.
async fn lines(tx: &Writing, cx: &Context<'_>, (case, nobody): (&cases::Model, PersonId)) -> Result<()> {
    use access_events::Column as C;
    let mut concerned: Vec<PersonId> = messages::Entity::find()
        .select_only()
        .column(messages::Column::RecipientId)
        .filter(messages::Column::CaseId.eq(case.id))
        .filter(messages::Column::Audience.ne(Audience::Staff))
        .filter(messages::Column::RecipientId.is_not_null())
        .distinct()
        .into_tuple()
        .all(&**tx)
        .await?;
    let (theirs, others) = (relations::Column::PersonId, relations::Column::OtherPersonId);
    for (one, other) in [(theirs, others), (others, theirs)] {
        let close = relations::Entity::find().select_only().column(other).filter(one.eq(case.person_id));
        concerned.extend(close.into_tuple::<PersonId>().all(&**tx).await?);
    }
    concerned.push(case.person_id);
    access_events::Entity::update_many()
        .col_expr(C::PersonId, Expr::value(Some(nobody)))
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(C::PersonId.is_in(concerned))
        .filter(about(case))
        .exec(&**tx)
        .await?;
    Ok(())
}

/// The lines about the case, or about something in it.
fn about(case: &cases::Model) -> Condition {
    use access_events::Column as C;
    // By the events, which outlive the words.
    let notes = events::Entity::find()
        .select_only()
        .column(events::Column::SubjectId)
        .filter(events::Column::CaseId.eq(case.id))
        .filter(events::Column::Kind.eq(Kind::NoteWritten.as_str()));
    let running = trajectories::Entity::find()
        .select_only()
        .column(trajectories::Column::Id)
        .filter(trajectories::Column::CaseId.eq(case.id));
    let promised = follow_ups::Entity::find()
        .select_only()
        .column(follow_ups::Column::Id)
        .filter(follow_ups::Column::CaseId.eq(case.id));
    let sent = messages::Entity::find()
        .select_only()
        .column(messages::Column::Id)
        .filter(messages::Column::CaseId.eq(case.id));
    Condition::any()
        .add(C::ObjectId.eq(case.id.0))
        .add(C::ObjectId.in_subquery(notes.into_query()))
        .add(C::ObjectId.in_subquery(running.into_query()))
        .add(C::ObjectId.in_subquery(promised.into_query()))
        .add(C::ObjectId.in_subquery(sent.into_query()))
}
