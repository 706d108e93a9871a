//! What other contexts make happen to a case.

use nazorg_entities::{CaseId, CaseStatus, InvolvementId};
use serde_json::json;

use super::{Case, rows, rules};
use crate::{
    Context,
    database::{Tx, Writing},
    error::{Error, Result, ViolationCode},
    events::{self, Event, Kind},
    incidents, people, retention, trajectories,
};

/// Another person is to be sought: whoever fills the role no longer does.
pub(crate) async fn end_assignments(tx: &Writing, cx: &Context<'_>, case: CaseId, role: &str) -> Result<()> {
    rows::end_assignments(tx, cx, case, role).await?;
    let event = Event::new(Kind::CaseChanged, case.0).of_case(case);
    events::record(tx, cx, [event.with(json!({ "rematch": role }))]);
    Ok(())
}

/// The case closes when no trajectory of it is open.
pub(crate) async fn close_when_all_closed(tx: &Writing, cx: &Context<'_>, case: CaseId, reason: &str) -> Result<()> {
    let found = rows::any(tx, cx, case).await?;
    if found.status == CaseStatus::Closed || trajectories::any_open(tx, cx, case).await? {
        return Ok(());
    }
    let expected = found.version;
    rows::update(tx, cx, &rules::closed(found, reason, cx.now), expected).await?;
    retention::owe(tx, cx, case).await?;
    let event = Event::new(Kind::CaseClosed, case.0).of_case(case);
    events::record(tx, cx, [event.with(json!({ "reason": reason }))]);
    Ok(())
}

/// Whether a closed case may open again by what is said to it: 409 `person_restricted` while its person's data may only be kept (GDPR
/// article 18), `person_erased` when nothing is. The case is locked, so that neither begins meanwhile.
pub(crate) async fn may_reopen(tx: &Writing, cx: &Context<'_>, case: CaseId) -> Result<()> {
    let found = rows::any(tx, cx, case).await?;
    people::unrestricted(tx, cx, found.person_id).await
}

/// A trajectory that opens again opens its case; refused as [`may_reopen`] says, before anything is written.
pub(crate) async fn reopen_with_trajectory(tx: &Writing, cx: &Context<'_>, case: CaseId) -> Result<()> {
    may_reopen(tx, cx, case).await?;
    let found = rows::any(tx, cx, case).await?;
    if found.status == CaseStatus::Open {
        return Ok(());
    }
    let expected = found.version;
    rows::update(tx, cx, &rules::reopened(found, cx.now), expected).await?;
    retention::release(tx, case).await?;
    events::record(tx, cx, [Event::new(Kind::CaseReopened, case.0).of_case(case)]);
    Ok(())
}

/// Ties the case to the involvement it answers, in the one table that holds both.
pub(super) async fn link(tx: &Tx<'_>, cx: &Context<'_>, case: &Case, involvement: InvolvementId) -> Result<()> {
    let Some((incident, person)) = incidents::involved(&***tx, cx, involvement).await? else {
        return Err(Error::field("/involvementId", "unknown", "There is no such involvement."));
    };
    if cx.now >= incidents::rules::unlinked_at(incident.reported_at) {
        let detail = "Thirty days after the report nothing is linked any more; open the case without the involvement.";
        return Err(Error::violation(ViolationCode::LinkCut, detail));
    }
    if person != Some(case.person_id) {
        return Err(Error::field("/involvementId", "other_person", "The involvement is another person's."));
    }
    if !rows::link(tx, cx, (cx.app.ids.next(), incident.id, involvement, case.id)).await? {
        return Err(Error::violation(ViolationCode::InvolvementHasCase, "A case already answers this involvement."));
    }
    // Whatever the worker did meanwhile: a link that is written late is cut at once.
    incidents::owe(tx, cx, incident.id, incident.reported_at).await
}
