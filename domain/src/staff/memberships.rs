//! Access roles of persons (DESIGN section 7).

use nazorg_entities::{AccessAction, Instant, MembershipId, PersonId, Role, UnitId};
use uuid::Uuid;

use super::{changed, known, rows, rules, seen};
use crate::{
    Context,
    audit::Access,
    error::{Error, Result, ViolationCode},
    policy::Action,
};

/// A person's access role: a line manager's for a unit, any other in the whole organisation.
#[derive(Debug, Clone, PartialEq)]
pub struct Membership {
    /// Its id.
    pub id: MembershipId,
    /// Whose.
    pub person_id: PersonId,
    /// The role.
    pub role: Role,
    /// Which unit a line manager manages, child units included.
    pub unit_id: Option<UnitId>,
    /// Since when.
    pub started_at: Instant,
    /// Since when no more.
    pub ended_at: Option<Instant>,
    /// Row version.
    pub version: i32,
}

/// A membership to come.
#[derive(Debug, Clone)]
pub struct NewMembership {
    /// Whose.
    pub person_id: PersonId,
    /// The role; an integration is no person's.
    pub role: Role,
    /// Which unit a line manager manages; nobody else's role is for one.
    pub unit_id: Option<UnitId>,
}

/// Which memberships; an empty list filters nothing.
#[derive(Debug, Clone, Default)]
pub struct MembershipFilter {
    /// Of these persons.
    pub persons: Vec<PersonId>,
    /// With these roles.
    pub roles: Vec<Role>,
    /// In exactly these units.
    pub units: Vec<UnitId>,
    /// Only those that hold now (`true`), or no more (`false`).
    pub current: Option<bool>,
}

/// Gives a person an access role. Who may not manage keys cannot make an administrator.
pub async fn create(cx: &Context<'_>, new: NewMembership) -> Result<Membership> {
    cx.may(Action::ManageStaff)?;
    may_grant(cx, new.role)?;
    rules::membership(&new)?;
    let tx = cx.begin().await?;
    let NewMembership { person_id, role, unit_id } = new;
    known(&tx, cx, &[("/personId", person_id)], unit_id).await?;
    let id = MembershipId(cx.app.ids.next());
    let membership = Membership { id, person_id, role, unit_id, started_at: cx.now, ended_at: None, version: 1 };
    rows::insert_membership(&tx, cx, &membership).await?;
    let access = Access::new(AccessAction::Create, "membership.created", "membership", id.0);
    changed(&tx, cx, person_id, access).await?;
    tx.commit().await?;
    cx.app.known_callers.forget();
    Ok(membership)
}

/// Memberships in order of their ids, after one.
pub async fn list(
    cx: &Context<'_>,
    filter: &MembershipFilter,
    after: Option<Uuid>,
    limit: u64,
) -> Result<Vec<Membership>> {
    cx.may(Action::ReadStaff)?;
    let found = rows::memberships(cx, filter, after, limit).await?;
    let whose: Vec<_> = found.iter().map(|one| (one.id.0, one.person_id)).collect();
    seen(cx, "membership.listed", "membership", &whose).await?;
    Ok(found)
}

/// One membership.
pub async fn read(cx: &Context<'_>, id: MembershipId) -> Result<Membership> {
    cx.may(Action::ReadStaff)?;
    let found = rows::membership(&cx.db(), cx, id).await?;
    seen(cx, "membership.read", "membership", &[(id.0, found.person_id)]).await?;
    Ok(found)
}

/// Ends a membership now; the person's access ends with it, within the seconds a caller is remembered.
pub async fn end(cx: &Context<'_>, id: MembershipId) -> Result<Membership> {
    cx.may(Action::ReadStaff)?;
    let tx = cx.begin().await?;
    let before = rows::membership(&**tx, cx, id).await?;
    cx.may(Action::ManageStaff)?;
    may_grant(cx, before.role)?;
    if before.ended_at.is_some() {
        return Err(Error::violation(ViolationCode::AlreadyEnded, "The membership ended before."));
    }
    let after = Membership { ended_at: Some(cx.now), version: before.version + 1, ..before };
    rows::end_membership(&tx, cx, &after).await?;
    let access = Access::new(AccessAction::Update, "membership.ended", "membership", id.0);
    changed(&tx, cx, after.person_id, access).await?;
    tx.commit().await?;
    cx.app.known_callers.forget();
    Ok(after)
}

/// An administrator's role is given and taken only by who may manage keys: a membership is a way in, as a key is.
fn may_grant(cx: &Context<'_>, role: Role) -> Result<()> {
    if role == Role::Admin {
        cx.may(Action::ManageKeys)?;
    }
    Ok(())
}
