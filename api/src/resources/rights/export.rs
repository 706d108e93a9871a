//! A copy of everything kept about a person, as published.

use std::collections::HashSet;

use nazorg_domain::{
    audit::Line,
    cases::{Case, KeptAbout, KeptNote, WasAssigned},
    entities::Audience,
    incidents::{Incident, Involvement},
    messages::Message,
    people::Everything,
    protocols::Input,
    trajectories::Trajectory,
};
use poem_openapi::Object;
use uuid::Uuid;

use super::{
    super::{
        absences::AbsenceView,
        consents::ConsentView,
        contact_points::ContactPointView,
        external_refs::ExternalRefView,
        follow_ups::FollowUpView,
        memberships::MembershipView,
        messages::MessageStatusView,
        persons::PersonView,
        relations::RelationView,
        roster_entries::RosterEntryView,
        sets::{CaseStatusView, SupportOfferedView},
        trajectories::TrajectoryView,
    },
    inputs::InputView,
    withheld::Withheld,
};
use crate::types::Instant;

/// What `format` says: a number that rises when a member is renamed or taken away.
const FORMAT: &str = "nazorg.person-export/1";

/// Everything kept about a person.
#[derive(Debug, Object)]
#[oai(rename = "PersonExport", rename_all = "camelCase", skip_serializing_if_is_none)]
pub(super) struct PersonExportView {
    /// `nazorg.person-export/1`; another number says that members were renamed or taken away.
    format: String,
    exported_at: Instant,
    person: PersonView,
    /// How to reach them; what ended too.
    contact_points: Vec<ContactPointView>,
    /// Who they are to whom; the other side is an id.
    relations: Vec<RelationView>,
    /// What they agreed to; what was revoked too.
    consents: Vec<ConsentView>,
    /// The cases about them.
    cases: Vec<ExportedCase>,
    /// Who filled which role in these cases, ever.
    assignments: Vec<ExportedAssignment>,
    /// What ran in these cases, with their own rhythm and what was said to it.
    trajectories: Vec<ExportedTrajectory>,
    /// What was promised in these cases, and what came of it. A task that was left because something between somebody and who is close was
    /// not sent is `task:withheld`: its name may be what the other said of it.
    follow_ups: Vec<FollowUpView>,
    /// What was written in these cases. A note may tell of somebody else: whoever hands it over reads it first.
    notes: Vec<ExportedNote>,
    /// What was to be sent in these cases, and what they were sent as someone close; never a text, which is its template's.
    messages: Vec<ExportedMessage>,
    /// The incidents they were involved in, for as long as incident and support are linked.
    involvements: Vec<ExportedInvolvement>,
    /// Their access as staff; what ended too. Whom they helped is not in it.
    memberships: Vec<MembershipView>,
    /// The rosters they stand on or stood on.
    roster_entries: Vec<RosterEntryView>,
    /// When they were, are or will be away.
    absences: Vec<AbsenceView>,
    /// Who looked, newest first; the latest 10,000.
    access_events: Vec<ExportedAccess>,
    /// Whether these are all; if not, `listAccessEvents` has the others.
    access_events_complete: bool,
}

impl From<Everything> for PersonExportView {
    fn from(everything: Everything) -> Self {
        let Everything {
            exported_at,
            person,
            contact_points,
            relations,
            consents,
            cases,
            trajectories,
            follow_ups,
            messages,
            as_close_one,
            involvements,
            as_staff,
            accesses,
            accesses_complete,
        } = everything;
        let KeptAbout { cases, assignments, notes } = cases;
        let close_ones: HashSet<_> =
            cases.iter().filter(|case| case.relation_id.is_some()).map(|case| case.id).collect();
        let between_two = |one: &&Message| one.audience == Audience::Family || close_ones.contains(&one.case_id);
        let withheld = Withheld(messages.iter().filter(between_two).map(|one| one.id.0).collect());
        let in_theirs = messages.into_iter().map(|one| {
            let two = withheld.holds(one.id.0);
            ExportedMessage::in_theirs(one).between(two)
        });
        let trajectories = trajectories.into_iter().map(|(trajectory, inputs)| {
            (trajectory, inputs.into_iter().map(|input| withheld.input(input)).collect::<Vec<_>>())
        });
        let follow_ups = follow_ups.into_iter().map(|one| withheld.follow_up(one));
        let elsewhere = as_close_one.into_iter().map(ExportedMessage::elsewhere);
        Self {
            format: FORMAT.to_owned(),
            exported_at: Instant(exported_at),
            person: person.into(),
            contact_points: all(contact_points),
            relations: all(relations),
            consents: all(consents),
            cases: all(cases),
            assignments: all(assignments),
            trajectories: trajectories.map(Into::into).collect(),
            follow_ups: follow_ups.map(Into::into).collect(),
            notes: all(notes),
            messages: in_theirs.chain(elsewhere).collect(),
            involvements: all(involvements),
            memberships: all(as_staff.memberships),
            roster_entries: all(as_staff.roster_entries),
            absences: all(as_staff.absences),
            access_events: all(accesses),
            access_events_complete: accesses_complete,
        }
    }
}

fn all<D, V: From<D>>(found: Vec<D>) -> Vec<V> {
    found.into_iter().map(Into::into).collect()
}

/// A case about the person.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct ExportedCase {
    id: Uuid,
    /// Its number for humans.
    number: String,
    unit_id: Option<Uuid>,
    /// Where it is about them as someone close: the relation it rests on.
    relation_id: Option<Uuid>,
    /// What may be stored about it at all: `contact_log`, `support_file`, …
    record_profile: String,
    status: CaseStatusView,
    opened_at: Instant,
    closed_at: Option<Instant>,
    closed_reason: Option<String>,
    reopened_at: Option<Instant>,
    /// Since when a legal hold stops its retention.
    held_at: Option<Instant>,
    /// What other systems call it.
    external_refs: Vec<ExternalRefView>,
}

impl From<Case> for ExportedCase {
    fn from(case: Case) -> Self {
        let Case {
            id,
            number,
            person_id: _,
            unit_id,
            relation_id,
            record_profile,
            status,
            opened_at,
            closed_at,
            closed_reason,
            reopened_at,
            held_at,
            forgotten_at: _,
            assignments: _,
            external_refs,
            version: _,
        } = case;
        Self {
            id: id.0,
            number,
            unit_id: unit_id.map(|id| id.0),
            relation_id: relation_id.map(|id| id.0),
            record_profile,
            status: status.into(),
            opened_at: Instant(opened_at),
            closed_at: closed_at.map(Instant),
            closed_reason,
            reopened_at: reopened_at.map(Instant),
            held_at: held_at.map(Instant),
            external_refs: all(external_refs),
        }
    }
}

/// Who filled a role in a case.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct ExportedAssignment {
    id: Uuid,
    case_id: Uuid,
    /// A role of the protocol.
    role: String,
    person_id: Uuid,
    assigned_at: Instant,
    ended_at: Option<Instant>,
}

impl From<WasAssigned> for ExportedAssignment {
    fn from(assigned: WasAssigned) -> Self {
        let WasAssigned { id, case_id, role, person_id, assigned_at, ended_at } = assigned;
        Self {
            id: id.0,
            case_id: case_id.0,
            role,
            person_id: person_id.0,
            assigned_at: Instant(assigned_at),
            ended_at: ended_at.map(Instant),
        }
    }
}

/// What ran in a case.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct ExportedTrajectory {
    #[oai(flatten)]
    trajectory: TrajectoryView,
    /// Everything that was said to it, in order.
    inputs: Vec<InputView>,
}

impl From<(Trajectory, Vec<Input>)> for ExportedTrajectory {
    fn from((trajectory, inputs): (Trajectory, Vec<Input>)) -> Self {
        Self { trajectory: trajectory.into(), inputs: all(inputs) }
    }
}

/// A note in a case.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct ExportedNote {
    id: Uuid,
    case_id: Uuid,
    /// Who wrote it, where that is known.
    author_id: Option<Uuid>,
    /// Absent once the key that opens it is destroyed.
    text: Option<String>,
    created_at: Instant,
}

impl From<KeptNote> for ExportedNote {
    fn from(note: KeptNote) -> Self {
        let KeptNote { id, case_id, author_id, text, created_at } = note;
        Self {
            id: id.0,
            case_id: case_id.0,
            author_id: author_id.map(|id| id.0),
            text,
            created_at: Instant(created_at),
        }
    }
}

/// What was to be sent.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct ExportedMessage {
    id: Uuid,
    /// In which case; absent where they were sent it as someone close, about a case that is another person's.
    case_id: Option<Uuid>,
    /// About which follow-up; absent where the case is.
    follow_up_id: Option<Uuid>,
    /// The role it is for, `person` or `close_one`.
    to_role: String,
    /// Why it was announced.
    because: String,
    /// `staff`, `person` or `family`.
    audience: String,
    /// With which text.
    template: String,
    planned_at: Instant,
    status: MessageStatusView,
    /// Why it was not sent, or not yet; absent where that may be what another person said of it: between somebody and who is close.
    reason: Option<String>,
    /// To whom, once that was resolved.
    recipient_id: Option<Uuid>,
    /// `email` or `sms`.
    channel: Option<String>,
    sent_at: Option<Instant>,
    delivered_at: Option<Instant>,
    acknowledged_at: Option<Instant>,
    replied_at: Option<Instant>,
    final_at: Option<Instant>,
}

impl ExportedMessage {
    fn in_theirs(message: Message) -> Self {
        let Message {
            id,
            case_id,
            trajectory_id: _,
            follow_up_id,
            to_role,
            because,
            audience,
            template,
            planned_at,
            status,
            reason,
            recipient_id,
            channel,
            merged_into: _,
            sent_at,
            delivered_at,
            acknowledged_at,
            replied_at,
            final_at,
            version: _,
        } = message;
        Self {
            id: id.0,
            case_id: Some(case_id.0),
            follow_up_id: Some(follow_up_id.0),
            to_role,
            because,
            audience: audience.as_str().to_owned(),
            template,
            planned_at: Instant(planned_at),
            status: status.into(),
            reason,
            recipient_id: recipient_id.map(|id| id.0),
            channel: channel.map(|channel| channel.as_str().to_owned()),
            sent_at: sent_at.map(Instant),
            delivered_at: delivered_at.map(Instant),
            acknowledged_at: acknowledged_at.map(Instant),
            replied_at: replied_at.map(Instant),
            final_at: final_at.map(Instant),
        }
    }

    /// Where two must agree, why it was not sent may be the other's doing.
    fn between(self, two: bool) -> Self {
        if two { Self { reason: None, ..self } } else { self }
    }

    /// About a case that is another person's: that it was sent is theirs, in what is not.
    fn elsewhere(message: Message) -> Self {
        Self { case_id: None, follow_up_id: None, ..Self::in_theirs(message) }
    }
}

/// Their involvement in an incident; who else was involved is not theirs.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct ExportedInvolvement {
    id: Uuid,
    incident_id: Uuid,
    event_class: String,
    event_at: Instant,
    reported_at: Instant,
    unit_id: Option<Uuid>,
    /// What they did there, a word.
    profession: Option<String>,
    support_offered: SupportOfferedView,
    created_at: Instant,
}

impl From<(Incident, Involvement)> for ExportedInvolvement {
    fn from((incident, involvement): (Incident, Involvement)) -> Self {
        let Involvement { id, incident_id, person_id: _, unit_id, profession, support_offered, created_at, version: _ } =
            involvement;
        let Incident {
            id: _,
            unit_id: place,
            event_class,
            severity: _,
            event_at,
            reported_at,
            reported_by: _,
            external_refs: _,
            created_at: _,
            version: _,
        } = incident;
        Self {
            id: id.0,
            incident_id: incident_id.0,
            event_class,
            event_at: Instant(event_at),
            reported_at: Instant(reported_at),
            unit_id: unit_id.or(place).map(|id| id.0),
            profession,
            support_offered: support_offered.into(),
            created_at: Instant(created_at),
        }
    }
}

/// One access to their data: who, as what, when and to what kind of thing; never to which, since it may be another person's.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct ExportedAccess {
    at: Instant,
    /// `C` created, `R` read, `U` updated, `D` deleted, `E` executed.
    action: String,
    /// What happened: `case.read`, `message.sent`, …
    code: String,
    /// `success` or `refused`.
    outcome: String,
    /// Who acted; absent for the worker and for keys that are nobody's.
    actor_id: Option<Uuid>,
    /// In which role: an access role, `link`, `worker` or `operator`.
    role: String,
    object_kind: String,
    /// Which members of it were changed: `name,language`.
    object_part: Option<String>,
    /// What for: `support`.
    purpose: String,
    /// Which rules allowed or refused it, with their version: `policy/1`.
    policy: String,
}

impl From<Line> for ExportedAccess {
    fn from(line: Line) -> Self {
        let Line { at, action, code, outcome, actor, role, object, part, purpose, policy, .. } = line;
        Self {
            at: Instant(at),
            action: action.as_str().to_owned(),
            code,
            outcome: outcome.as_str().to_owned(),
            actor_id: actor.map(|id| id.0),
            role,
            object_kind: object,
            object_part: part,
            purpose,
            policy,
        }
    }
}
