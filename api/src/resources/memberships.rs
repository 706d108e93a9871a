//! Access roles of persons.

use nazorg_domain::{
    entities::{MembershipId, PersonId, UnitId},
    staff::memberships::{self, Membership, MembershipFilter, NewMembership},
};
use poem_openapi::{
    Object, OpenApi,
    param::{Path, Query},
};
use uuid::Uuid;

use super::sets::{RoleView, many};
use crate::{
    answers::{Created, Current, Page},
    ask::{Ask, Body, OnceIfKeyed, Paging},
    once,
    problem::Answer,
    tags::Tag,
    types::Instant,
};

/// The operations on memberships.
pub(super) struct Memberships;

#[OpenApi(tag = "Tag::Staff")]
impl Memberships {
    /// List memberships
    ///
    /// In the order in which they were given. A repeated key means "or".
    #[oai(path = "/memberships", method = "get", operation_id = "listMemberships")]
    #[expect(clippy::too_many_arguments, reason = "each is a query key of the published operation")]
    async fn list(
        &self,
        ask: Ask<'_>,
        /// Only of these persons.
        #[oai(name = "personId")]
        person_id: Query<Option<Vec<Uuid>>>,
        /// Only with these roles.
        role: Query<Option<Vec<RoleView>>>,
        /// Only in exactly these units.
        #[oai(name = "unitId")]
        unit_id: Query<Option<Vec<Uuid>>>,
        /// Only those that hold now, or only those that hold no more.
        current: Query<Option<bool>>,
        paging: Paging,
    ) -> Answer<Page<MembershipView>> {
        let filter = MembershipFilter {
            persons: many(person_id.0, PersonId),
            roles: many(role.0, Into::into),
            units: many(unit_id.0, UnitId),
            current: current.0,
        };
        let found = memberships::list(&ask, &filter, paging.after()?, paging.limit()).await?;
        Ok(Page::new(&paging, found, |membership| membership.id.0, MembershipView::from))
    }

    /// Give a person an access role
    ///
    /// A line manager's for a unit and those below it, any other in the whole organisation. An integration that acts on behalf of the
    /// person acts in this role. Only an administrator makes an administrator.
    #[oai(path = "/memberships", method = "post", operation_id = "createMembership")]
    async fn create(&self, once: OnceIfKeyed<'_>, body: Body<NewMembershipBody>) -> Answer<Created<MembershipView>> {
        once!(once, |cx| {
            let membership = memberships::create(cx, body.0.into()).await?;
            Created::new("memberships", membership.id, membership.version, membership.into())
        })
    }

    /// Read a membership
    ///
    /// It holds from `startedAt` until `endedAt`.
    #[oai(path = "/memberships/:id", method = "get", operation_id = "readMembership")]
    async fn read(&self, ask: Ask<'_>, id: Path<Uuid>) -> Answer<Current<MembershipView>> {
        let membership = memberships::read(&ask, MembershipId(id.0)).await?;
        Ok(Current::new(membership.version, membership.into()))
    }

    /// End a membership
    ///
    /// The person's access in this role ends within thirty seconds, that of a key of their own included.
    #[oai(path = "/memberships/:id/end", method = "post", operation_id = "endMembership")]
    async fn end(&self, once: OnceIfKeyed<'_>, id: Path<Uuid>) -> Answer<Current<MembershipView>> {
        once!(once, |cx| {
            let membership = memberships::end(cx, MembershipId(id.0)).await?;
            Current::new(membership.version, membership.into())
        })
    }
}

/// A person's access role.
#[derive(Debug, Object)]
#[oai(rename = "Membership", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct MembershipView {
    id: Uuid,
    person_id: Uuid,
    role: RoleView,
    /// Which unit a line manager manages, those below it included; absent for every other role, which holds in the whole organisation.
    unit_id: Option<Uuid>,
    started_at: Instant,
    ended_at: Option<Instant>,
}

impl From<Membership> for MembershipView {
    fn from(membership: Membership) -> Self {
        let Membership { id, person_id, role, unit_id, started_at, ended_at, version: _ } = membership;
        Self {
            id: id.0,
            person_id: person_id.0,
            role: role.into(),
            unit_id: unit_id.map(|id| id.0),
            started_at: Instant(started_at),
            ended_at: ended_at.map(Instant),
        }
    }
}

/// An access role to give.
#[derive(Debug, Object)]
#[oai(rename = "NewMembership", rename_all = "camelCase", deny_unknown_fields)]
struct NewMembershipBody {
    person_id: Uuid,
    /// Any role but `integration`.
    role: RoleView,
    /// Which unit a line manager manages, those below it included; no other role is for a unit.
    unit_id: Option<Uuid>,
}

impl From<NewMembershipBody> for NewMembership {
    fn from(body: NewMembershipBody) -> Self {
        let NewMembershipBody { person_id, role, unit_id } = body;
        Self { person_id: PersonId(person_id), role: role.into(), unit_id: unit_id.map(UnitId) }
    }
}
