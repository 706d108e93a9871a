//! Who saw or did what (NEN 7513, DOMAIN 7.4): reads included, one row per person concerned, without names.

use nazorg_entities::{
    AccessAction, AccessEventId, AccessOutcome, ApiKeyId, ConsentId, Instant, PersonId, access_events,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::{
    Context, batch,
    database::Writing,
    error::{Error, Result},
    people,
    policy::Action,
};

/// One access to one person's data.
#[derive(Debug, Clone)]
pub struct Access {
    /// Create, read, update, delete or execute.
    pub action: AccessAction,
    /// What happened, a stable code such as `case.closed`.
    pub code: &'static str,
    /// Whose data; `None` where no person is concerned.
    pub person: Option<PersonId>,
    /// What kind of object.
    pub object: &'static str,
    /// Which.
    pub id: Uuid,
    /// Which members of it, where that is known: `name,language`.
    pub part: Option<String>,
    /// Under which consent, where one was needed.
    pub consent: Option<ConsentId>,
    /// Who did it, where that is not the caller: someone who texted, passed on by a gateway.
    pub by: Option<PersonId>,
}

impl Access {
    /// An access.
    #[must_use]
    pub fn new(action: AccessAction, code: &'static str, object: &'static str, id: Uuid) -> Self {
        Self { action, code, person: None, object, id, part: None, consent: None, by: None }
    }

    /// …to these members of it.
    #[must_use]
    pub fn part(mut self, members: &[&str]) -> Self {
        self.part = (!members.is_empty()).then(|| members.join(","));
        self
    }

    /// …to this person's data.
    #[must_use]
    pub fn of(mut self, person: PersonId) -> Self {
        self.person = Some(person);
        self
    }

    /// …by this person themself, whoever passed it on.
    #[must_use]
    pub fn by(mut self, person: PersonId) -> Self {
        self.by = Some(person);
        self
    }
}

/// What of a list somebody gets to see: of a full stretch, the last one only tells that there are more.
#[must_use]
pub fn shown<T>(found: &[T], limit: u64) -> &[T] {
    let most = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(1);
    &found[..found.len().min(most)]
}

/// Writes what somebody saw before the answer leaves: in the request's own transaction where it has one, else together with what
/// others saw meanwhile ([`crate::together::Together`]).
pub async fn seen(cx: &Context<'_>, accesses: &[Access]) -> Result<()> {
    match &cx.outer {
        _ if accesses.is_empty() => Ok(()),
        Some(_) => record(&cx.db(), cx, accesses).await,
        None => {
            let lines = accesses.iter().map(|access| row(cx, access, AccessOutcome::Success)).collect();
            cx.app.journal.insert(&cx.app.db, lines).await
        }
    }
}

/// Writes the rows in the caller's transaction.
pub async fn record(db: &impl ConnectionTrait, cx: &Context<'_>, accesses: &[Access]) -> Result<()> {
    let rows = accesses.iter().map(|access| row(cx, access, AccessOutcome::Success));
    for chunk in rows.collect::<Vec<_>>().chunks(200) {
        access_events::Entity::insert_many(chunk.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Writes the rows with the change, in the statement it goes out in.
pub(crate) async fn record_with(tx: &Writing, cx: &Context<'_>, accesses: &[Access]) -> Result<()> {
    let rows = accesses.iter().map(|access| row(cx, access, AccessOutcome::Success));
    batch::insert(tx, &rows.collect::<Vec<_>>(), None).await
}

fn row(cx: &Context<'_>, access: &Access, outcome: AccessOutcome) -> access_events::ActiveModel {
    let Access { action, code, person, object, id, part, consent, by } = access.clone();
    let by = by.or(cx.caller.person);
    access_events::ActiveModel {
        id: Set(AccessEventId(cx.app.ids.next())),
        organisation_id: Set(cx.organisation),
        at: Set(cx.wall),
        action: Set(action),
        event_code: Set(code.to_owned()),
        outcome: Set(outcome),
        client_id: Set(cx.caller.key()),
        actor_id: Set(by),
        responsible_id: Set(by),
        actor_role: Set(cx.caller.role_word().to_owned()),
        purpose: Set("support".to_owned()),
        person_id: Set(person),
        object_kind: Set(object.to_owned()),
        object_id: Set(id),
        object_part: Set(part),
        policy: Set("policy/1".to_owned()),
        consent_id: Set(consent),
        trace_id: Set(cx.trace_id.clone()),
        request_id: Set(cx.request_id),
    }
}

/// Whether this person did this to this object, as the log has it about the one concerned.
pub(crate) async fn did(
    cx: &Context<'_>,
    (actor, code, object): (PersonId, &str, Uuid),
    concerned: PersonId,
) -> Result<bool> {
    use access_events::Column as C;
    let found = access_events::Entity::find()
        .select_only()
        .column(C::Id)
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(C::PersonId.eq(concerned))
        .filter(C::ObjectId.eq(object))
        .filter(C::EventCode.eq(code))
        .filter(C::ActorId.eq(actor))
        .into_tuple::<AccessEventId>()
        .one(&cx.db())
        .await?;
    Ok(found.is_some())
}

/// A line of the access log.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its id.
    pub id: AccessEventId,
    /// When, wall time.
    pub at: Instant,
    /// Create, read, update, delete or execute.
    pub action: AccessAction,
    /// What happened.
    pub code: String,
    /// How it ended.
    pub outcome: AccessOutcome,
    /// With which key.
    pub client: Option<ApiKeyId>,
    /// Who.
    pub actor: Option<PersonId>,
    /// In which role: an access role, `link`, `worker` or `operator`.
    pub role: String,
    /// What kind of object.
    pub object: String,
    /// Which.
    pub object_id: Uuid,
    /// Which members of it, where that is known: `name,language`.
    pub part: Option<String>,
    /// On whose responsibility; who acted, as long as nobody acts for another.
    pub responsible: Option<PersonId>,
    /// What for.
    pub purpose: String,
    /// Which rules allowed or refused it: their name and version.
    pub policy: String,
    /// Under which consent.
    pub consent: Option<ConsentId>,
    /// The request.
    pub request_id: Uuid,
}

/// A period of wall time; open at an end that is not named.
#[derive(Debug, Clone, Copy, Default)]
pub struct Period {
    /// From this moment on.
    pub from: Option<Instant>,
    /// Before this one.
    pub until: Option<Instant>,
}

/// Who saw or did what with a person's data in a period, newest first, before one. Looking at the log is itself an access.
pub async fn of_person(
    cx: &Context<'_>,
    person: PersonId,
    period: Period,
    (before, limit): (Option<Uuid>, u64),
) -> Result<Vec<Line>> {
    use access_events::Column as C;
    cx.may(Action::ReadAudit)?;
    if !people::existed(&cx.db(), cx, person).await? {
        return Err(Error::NotFound);
    }
    let mut found = access_events::Entity::find()
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(C::PersonId.eq(person))
        .order_by_desc(C::Id)
        .limit(limit);
    if let Some(before) = before {
        found = found.filter(C::Id.lt(before));
    }
    if let Some(from) = period.from {
        found = found.filter(C::At.gte(from));
    }
    if let Some(until) = period.until {
        found = found.filter(C::At.lt(until));
    }
    let lines = found.all(&cx.db()).await?.into_iter().map(line).collect();
    let access = Access::new(AccessAction::Read, "access_log.read", "person", person.0).of(person);
    seen(cx, &[access]).await?;
    Ok(lines)
}

/// Who saw or did what with a person's data, newest first, for the copy that is given to them. Of incidents only those whose ids
/// are given are told: once the link between an incident and its support is cut, the moment of a line would lead from the one to
/// the other as surely as an id (DESIGN section 4).
pub(crate) async fn kept_about(
    cx: &Context<'_>,
    person: PersonId,
    (linked, limit): (Vec<Uuid>, u64),
) -> Result<Vec<Line>> {
    use access_events::Column as C;
    let found = access_events::Entity::find()
        .filter(C::OrganisationId.eq(cx.organisation))
        .filter(C::PersonId.eq(person))
        .filter(
            Condition::any().add(C::ObjectKind.is_not_in(["incident", "involvement"])).add(C::ObjectId.is_in(linked)),
        )
        .order_by_desc(C::Id)
        .limit(limit)
        .all(&cx.db())
        .await?;
    Ok(found.into_iter().map(line).collect())
}

fn line(row: access_events::Model) -> Line {
    let access_events::Model {
        id,
        organisation_id: _,
        at,
        action,
        event_code,
        outcome,
        client_id,
        actor_id,
        responsible_id,
        actor_role,
        purpose,
        person_id: _,
        object_kind,
        object_id,
        object_part,
        policy,
        consent_id,
        trace_id: _,
        request_id,
    } = row;
    Line {
        id,
        at,
        action,
        code: event_code,
        outcome,
        client: client_id,
        actor: actor_id,
        role: actor_role,
        object: object_kind,
        object_id,
        part: object_part,
        responsible: responsible_id,
        purpose,
        policy,
        consent: consent_id,
        request_id,
    }
}
