//! The SQL of what is kept about a person in cases.

use std::collections::HashMap;

use nazorg_entities::{CaseId, DataKeyId, PersonId, assignments, cases, notes};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{NOTE, about_ids, visible, whole};
use crate::{
    Context,
    cases::{Case, KeptNote, WasAssigned},
    error::Result,
    policy::Reach,
    secrets::place,
};

pub(in crate::cases) async fn cases(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<Vec<Case>> {
    let found = visible(cx, Reach::All).filter(cases::Column::PersonId.eq(person));
    let rows = found.order_by_asc(cases::Column::Id).limit(limit).all(&cx.db()).await?;
    whole(&cx.db(), cx, rows).await
}

pub(in crate::cases) async fn assignments(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<Vec<WasAssigned>> {
    let found = assignments::Entity::find()
        .filter(assignments::Column::OrganisationId.eq(cx.organisation))
        .filter(assignments::Column::CaseId.in_subquery(about_ids(cx, person)))
        .order_by_asc(assignments::Column::Id)
        .limit(limit)
        .all(&cx.db())
        .await?;
    let read = |row| {
        let assignments::Model { id, organisation_id: _, case_id, role, person_id, assigned_at, ended_at } = row;
        WasAssigned { id, case_id, role, person_id, assigned_at, ended_at }
    };
    Ok(found.into_iter().map(read).collect())
}

pub(in crate::cases) async fn notes(cx: &Context<'_>, person: PersonId, limit: u64) -> Result<Vec<KeptNote>> {
    let keys: Vec<(CaseId, Option<DataKeyId>)> = visible(cx, Reach::All)
        .select_only()
        .columns([cases::Column::Id, cases::Column::KeyId])
        .filter(cases::Column::PersonId.eq(person))
        .filter(cases::Column::KeyId.is_not_null())
        .limit(limit)
        .into_tuple()
        .all(&cx.db())
        .await?;
    let keys: HashMap<CaseId, DataKeyId> = keys.into_iter().filter_map(|(case, key)| Some((case, key?))).collect();
    let secrets = cx.app.keys.many(&keys.values().copied().collect::<Vec<_>>()).await?;
    let found = notes::Entity::find()
        .filter(notes::Column::OrganisationId.eq(cx.organisation))
        .filter(notes::Column::CaseId.in_subquery(about_ids(cx, person)))
        .order_by_asc(notes::Column::Id)
        .limit(limit)
        .all(&cx.db())
        .await?;
    found
        .into_iter()
        .map(|notes::Model { id, organisation_id: _, case_id, author_id, text_enc, created_at }| {
            let secret = keys.get(&case_id).and_then(|key| secrets.get(key));
            let text = secret.map(|secret| secret.open_text(&place(NOTE, id.0), &text_enc)).transpose()?;
            Ok(KeptNote { id, case_id, author_id, text, created_at })
        })
        .collect()
}
