//! Short notes, where the record profile allows them; sealed under the case's own key.

use nazorg_entities::{AccessAction, CaseId, Instant, NoteId, PersonId};
use uuid::Uuid;

use super::{rows, rules};
use crate::{
    Context,
    audit::{self, Access},
    error::Result,
    events::{self, Event, Kind},
    people,
    policy::Action,
};

/// A note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// In which case.
    pub case_id: CaseId,
    /// Who wrote it, where that is known.
    pub author_id: Option<PersonId>,
    /// What it says.
    pub text: String,
    /// When.
    pub created_at: Instant,
}

/// Writes a note; refused where the record profile holds no free text, and about a person whose data may only be kept, except in a
/// file about somebody's safety (409 `record_profile_forbids_notes`, `person_restricted`).
pub async fn write_note(cx: &Context<'_>, case: CaseId, text: String) -> Result<Note> {
    let reach = cx.may(Action::ReadCases)?;
    let seen = super::visible_one(&cx.db(), cx, reach, case).await?;
    cx.may(Action::WriteNotes)?;
    rules::may_hold_notes(&seen.record_profile)?;
    let fresh = cx.app.keys.create(cx).await?;
    let tx = cx.begin().await?;
    super::rows::lock(&tx, &[case]).await?;
    let seen = super::open_one(&tx, cx, reach, case).await?;
    if !rules::protects_others(&seen.record_profile) {
        people::unrestricted(&tx, cx, seen.person_id).await?;
    }
    let (_, key) = rows::key(&tx, cx, case, fresh).await?;
    let note =
        Note { id: NoteId(cx.app.ids.next()), case_id: case, author_id: cx.caller.person, text, created_at: cx.now };
    rows::insert_note(&tx, cx, &note, &key).await?;
    events::record(&tx, cx, [Event::new(Kind::NoteWritten, note.id.0).of_case(case)]);
    let access = Access::new(AccessAction::Create, "note.written", "note", note.id.0).of(seen.person_id);
    audit::record(&**tx, cx, &[access]).await?;
    tx.commit().await?;
    Ok(note)
}

/// The notes of a case in order, after one.
pub async fn list_notes(cx: &Context<'_>, case: CaseId, after: Option<Uuid>, limit: u64) -> Result<Vec<Note>> {
    let reach = cx.may(Action::ReadCases)?;
    let seen = super::visible_one(&cx.db(), cx, reach, case).await?;
    let notes = rows::notes(cx, case, after, limit).await?;
    let access = Access::new(AccessAction::Read, "notes.read", "case", case.0).of(seen.person_id);
    audit::seen(cx, &[access]).await?;
    Ok(notes)
}
