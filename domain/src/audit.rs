//! Who saw or did what (NEN 7513, DOMAIN 7.4): reads included, one row per person concerned, without names.

use nazorg_entities::{AccessAction, AccessEventId, AccessOutcome, ConsentId, PersonId, access_events};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use uuid::Uuid;

use crate::{Context, error::Result};

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
    /// Under which consent, where one was needed.
    pub consent: Option<ConsentId>,
}

impl Access {
    /// An access.
    #[must_use]
    pub fn new(action: AccessAction, code: &'static str, object: &'static str, id: Uuid) -> Self {
        Self { action, code, person: None, object, id, consent: None }
    }

    /// …to this person's data.
    #[must_use]
    pub fn of(mut self, person: PersonId) -> Self {
        self.person = Some(person);
        self
    }
}

/// Writes the rows, in the caller's transaction or, for reads, before the answer leaves.
pub async fn record(db: &impl ConnectionTrait, cx: &Context<'_>, accesses: &[Access]) -> Result<()> {
    let rows = accesses.iter().map(|access| row(cx, access, AccessOutcome::Success));
    for chunk in rows.collect::<Vec<_>>().chunks(200) {
        access_events::Entity::insert_many(chunk.to_vec()).exec_without_returning(db).await?;
    }
    Ok(())
}

fn row(cx: &Context<'_>, access: &Access, outcome: AccessOutcome) -> access_events::ActiveModel {
    let Access { action, code, person, object, id, consent } = access.clone();
    access_events::ActiveModel {
        id: Set(AccessEventId(cx.app.ids.next())),
        organisation_id: Set(cx.organisation),
        at: Set(cx.wall),
        action: Set(action),
        event_code: Set(code.to_owned()),
        outcome: Set(outcome),
        client_id: Set(cx.caller.key()),
        actor_id: Set(cx.caller.person),
        responsible_id: Set(cx.caller.person),
        actor_role: Set(cx.caller.role_word().to_owned()),
        purpose: Set("support".to_owned()),
        person_id: Set(person),
        object_kind: Set(object.to_owned()),
        object_id: Set(id),
        object_part: Set(None),
        policy: Set("policy/1".to_owned()),
        consent_id: Set(consent),
        trace_id: Set(cx.trace_id.clone()),
        request_id: Set(cx.request_id),
    }
}
