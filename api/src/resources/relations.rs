//! Who someone is to someone.

use nazorg_domain::{
    entities::{PersonId, RelationId},
    people::relations::{self, Relation},
};
use poem_openapi::{Object, OpenApi, param::Path};
use uuid::Uuid;

use crate::{
    answers::{Created, Current, Page},
    ask::{Ask, Body, OnceIfKeyed, Paging},
    once,
    problem::Answer,
    tags::Tag,
    types::{Instant, Word},
};

/// The operations on relations.
pub(super) struct Relations;

#[OpenApi(tag = "Tag::People")]
impl Relations {
    /// List the relations of a person
    ///
    /// Those they have, and those in which they are the other; those that ended too.
    #[oai(path = "/persons/:id/relations", method = "get", operation_id = "listRelations")]
    async fn list(&self, ask: Ask<'_>, id: Path<Uuid>, paging: Paging) -> Answer<Page<RelationView>> {
        let found = relations::list(&ask, PersonId(id.0), paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |relation| relation.id.0, RelationView::from))
    }

    /// Relate a person to another
    ///
    /// The person of the path has the other as their `kind`: their `line_manager`, their `close_one`. Being related opens
    /// nothing to anyone; consents do.
    #[oai(path = "/persons/:id/relations", method = "post", operation_id = "createRelation")]
    async fn create(
        &self,
        once: OnceIfKeyed<'_>,
        id: Path<Uuid>,
        body: Body<NewRelation>,
    ) -> Answer<Created<RelationView>> {
        once!(once, |cx| {
            let NewRelation { other_person_id, kind } = body.0;
            let relation = relations::create(cx, PersonId(id.0), PersonId(other_person_id), kind.into()).await?;
            Created::new("relations", relation.id, relation.version, relation.into())
        })
    }

    /// Read a relation
    ///
    /// Both ends of it, by id.
    #[oai(path = "/relations/:id", method = "get", operation_id = "readRelation")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<RelationView>> {
        let relation = relations::read(&ask, RelationId(id.0)).await?;
        Ok(Current::new(relation.version, relation.into()))
    }

    /// End a relation
    ///
    /// It stays known that it was.
    #[oai(path = "/relations/:id/end", method = "post", operation_id = "endRelation")]
    async fn end(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<RelationView>> {
        once!(once, |cx| {
            let relation = relations::end(cx, RelationId(id.0)).await?;
            Current::new(relation.version, relation.into())
        })
    }
}

/// Who someone is to someone.
#[derive(Debug, Object)]
#[oai(rename = "Relation", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct RelationView {
    id: Uuid,
    /// Who has someone.
    person_id: Uuid,
    /// Whom they have.
    other_person_id: Uuid,
    /// As what: `line_manager`, `close_one`, `household_member`, or a word of your own.
    kind: String,
    started_at: Instant,
    ended_at: Option<Instant>,
}

impl From<Relation> for RelationView {
    fn from(relation: Relation) -> Self {
        let Relation { id, person_id, other_person_id, kind, started_at, ended_at, version: _ } = relation;
        Self {
            id: id.0,
            person_id: person_id.0,
            other_person_id: other_person_id.0,
            kind,
            started_at: Instant(started_at),
            ended_at: ended_at.map(Instant),
        }
    }
}

/// A relation to make.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", deny_unknown_fields)]
struct NewRelation {
    /// Whom the person has.
    other_person_id: Uuid,
    /// As what: `line_manager`, `close_one`, `household_member`, or a word of your own.
    kind: Word,
}
