//! Everything the judging of a batch needs, in a fixed number of queries for any number of messages.

use std::collections::HashMap;

use chrono::{DurationRound, TimeDelta};
use chrono_tz::Tz;
use nazorg_entities::{
    Audience, CaseId, FollowUpId, Instant, MessageId, MessageStatus, PersonId, RelationId, consents, follow_ups,
    messages,
};

use super::{
    Template, rows,
    rules::{
        self, About, AboutFollowUp, Candidate, Consented, Digest, Going, PURPOSE, PURPOSE_CLOSE_ONE, RestsOn, Then,
        Verdict,
    },
    sending::subjects,
};
use crate::{
    Context,
    database::Writing,
    error::Result,
    jobs::Claimed,
    links::{self, Bound},
    organisations,
    people::{self, Reachable, Recipient},
    protocol_versions,
    staff::{self, Wanted},
};

/// The facts of one organisation's part of a batch.
pub(super) struct Facts {
    zone: Tz,
    restored_at: Option<Instant>,
    follow_ups: HashMap<FollowUpId, follow_ups::Model>,
    rests_on: HashMap<FollowUpId, RestsOn>,
    cases: HashMap<CaseId, rows::AboutCase>,
    resolved: HashMap<Wanted, Option<PersonId>>,
    present: HashMap<PersonId, Option<PersonId>>,
    close_ones: HashMap<PersonId, Vec<PersonId>>,
    ties: HashMap<RelationId, rows::Tie>,
    recipients: HashMap<PersonId, Recipient>,
    consents: Vec<consents::Model>,
    recent: HashMap<PersonId, Vec<Instant>>,
    told: HashMap<(PersonId, String), (MessageId, Instant)>,
}

pub(super) async fn gather(tx: &Writing, cx: &Context<'_>, rows: &[messages::Model]) -> Result<Facts> {
    let organisation = organisations::own(&**tx, cx).await?;
    let (follow_up_ids, case_ids) = subjects(rows);
    let follow_ups = rows::follow_ups(tx, cx, &follow_up_ids).await?;
    let cases = rows::cases(tx, cx, &case_ids).await?;
    let ties = rows::ties(tx, cx, &cases).await?;
    let mut facts = Facts {
        zone: organisation.zone,
        restored_at: organisation.restored_at,
        rests_on: rests_on(tx, cx, rows, &follow_ups).await?,
        follow_ups,
        cases,
        resolved: HashMap::new(),
        present: HashMap::new(),
        close_ones: HashMap::new(),
        ties,
        recipients: HashMap::new(),
        consents: Vec::new(),
        recent: HashMap::new(),
        told: HashMap::new(),
    };
    let persons = facts.persons(rows, Audience::Person);
    let clients = facts.persons(rows, Audience::Family);
    facts.close_ones = rows::close_ones(tx, cx, &clients).await?;
    let staff = facts.staff(tx, cx, rows).await?;
    let outside = sorted(persons.iter().chain(facts.close_ones.values().flatten()).copied());
    let tied = facts.ties.values().map(|tie| tie.to);
    let agreeing = sorted(outside.iter().chain(&clients).copied().chain(tied));
    people::hold(tx, &agreeing).await?;
    // A relation may have ended until its persons were locked; whoever came meanwhile is told the next time.
    if !facts.ties.is_empty() {
        facts.ties = rows::ties(tx, cx, &facts.cases).await?;
    }
    if !facts.close_ones.is_empty() {
        let close_ones = rows::close_ones(tx, cx, &clients).await?;
        let known = |person: &PersonId| agreeing.binary_search(person).is_ok();
        facts.close_ones =
            close_ones.into_iter().map(|(of, close)| (of, close.into_iter().filter(known).collect())).collect();
    }
    let all = sorted(agreeing.iter().chain(&staff).copied());
    facts.recipients = people::recipients(&**tx, cx, &all).await?;
    let besides = facts.rests_on.values().flat_map(|step| step.consents.iter().map(String::as_str));
    let purposes: Vec<&str> = [PURPOSE, PURPOSE_CLOSE_ONE].into_iter().chain(besides).collect();
    facts.consents = rows::consents(tx, cx, &agreeing, &purposes).await?;
    facts.recent = rows::recent(tx, cx, &outside, cx.now - rules::CAP_SPAN).await?;
    let minute = cx.now.duration_trunc(TimeDelta::minutes(1)).unwrap_or(cx.now);
    facts.told = rows::told(tx, cx, &staff, minute).await?;
    Ok(facts)
}

/// What the steps of messages to persons and families rest on; staff is told whatever a step rests on.
async fn rests_on(
    tx: &Writing,
    cx: &Context<'_>,
    rows: &[messages::Model],
    follow_ups: &HashMap<FollowUpId, follow_ups::Model>,
) -> Result<HashMap<FollowUpId, RestsOn>> {
    let private = rows.iter().filter(|row| row.audience != Audience::Staff);
    let about: Vec<_> = private.filter_map(|row| follow_ups.get(&row.follow_up_id)).collect();
    let protocols = rows::protocols(tx, cx, about.iter().map(|follow_up| follow_up.trajectory_id).collect()).await?;
    let mut found = HashMap::new();
    for follow_up in about {
        let Some(protocol) = protocols.get(&follow_up.trajectory_id) else { continue };
        let protocol = protocol_versions::ready(&**tx, cx, *protocol).await?;
        if let Some(step) = protocol.step(&follow_up.step) {
            found.insert(follow_up.id, RestsOn::of(step));
        }
    }
    Ok(found)
}

fn sorted(ids: impl Iterator<Item = PersonId>) -> Vec<PersonId> {
    let mut ids: Vec<_> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

impl Facts {
    /// The persons whose cases' messages to this audience are among the rows.
    fn persons(&self, rows: &[messages::Model], audience: Audience) -> Vec<PersonId> {
        let of = rows.iter().filter(|row| row.audience == audience);
        sorted(of.filter_map(|row| self.cases.get(&row.case_id).map(|case| case.person)))
    }

    /// Resolves who the staff among the recipients are.
    async fn staff(&mut self, tx: &Writing, cx: &Context<'_>, rows: &[messages::Model]) -> Result<Vec<PersonId>> {
        let to_staff: Vec<_> = rows.iter().filter(|row| row.audience == Audience::Staff).collect();
        let mut wanted: Vec<_> = to_staff.iter().filter_map(|row| self.wanted(row)).collect();
        wanted.dedup();
        self.resolved = staff::resolve(&**tx, cx, &wanted).await?;
        let handed = sorted(to_staff.iter().filter_map(|row| self.handed(row)));
        self.present = staff::present(&**tx, cx, &handed).await?;
        let found = self.resolved.values().chain(self.present.values());
        Ok(sorted(found.filter_map(|person| *person)))
    }

    fn wanted(&self, row: &messages::Model) -> Option<Wanted> {
        let case = self.cases.get(&row.case_id)?;
        Some(Wanted { case: row.case_id, unit: case.unit, role: row.to_role.clone() })
    }

    /// To whom the follow-up was handed, where the message is for whoever does it.
    fn handed(&self, row: &messages::Model) -> Option<PersonId> {
        let follow_up = self.follow_ups.get(&row.follow_up_id)?;
        follow_up.assigned_person_id.filter(|_| follow_up.role == row.to_role)
    }

    /// The person handed to, or who covers for them; else whoever fills the role.
    fn staff_recipient(&self, row: &messages::Model) -> Option<PersonId> {
        let handed = self.handed(row).and_then(|person| self.present.get(&person).copied().flatten());
        handed.or_else(|| self.resolved.get(&self.wanted(row)?).copied().flatten())
    }

    pub(super) fn judge(&self, row: &messages::Model, job: &Claimed, now: Instant) -> Verdict {
        if Template::parse(&row.template).is_none() {
            return rules::end(MessageStatus::Failed, "unknown_template", Then::Alarm);
        }
        let about = self.about(row, job, now);
        match row.audience {
            Audience::Staff => {
                let recipient = self.staff_recipient(row).and_then(|person| self.candidate(person, Consented::Yes));
                rules::to_staff(&about, recipient.as_ref())
            }
            Audience::Person | Audience::Family => {
                let agreed = self.agreed(row, &about.rests_on, now);
                let candidates = self.candidates(row, now).into_iter().map(|one| Candidate { agreed, ..one });
                rules::to_person(&about, &candidates.collect::<Vec<_>>())
            }
        }
    }

    fn about(&self, row: &messages::Model, job: &Claimed, now: Instant) -> About {
        About {
            status: row.status,
            audience: row.audience,
            because: row.because.clone(),
            follow_up: self.follow_ups.get(&row.follow_up_id).map(|follow_up| AboutFollowUp {
                status: follow_up.status.clone(),
                reason: follow_up.reason.clone(),
                window_until: follow_up.closes_at.max(follow_up.due_at),
            }),
            due_at: job.due_at,
            safety_file: self.safety_file(row),
            now,
            restored_at: self.restored_at,
            rests_on: self.rests_on.get(&row.follow_up_id).cloned().unwrap_or_default(),
        }
    }

    fn safety_file(&self, row: &messages::Model) -> bool {
        self.cases.get(&row.case_id).is_some_and(|case| case.record_profile == "safety_file")
    }

    /// Whether the person the case is about agreed to everything its step rests on; the first that is missing says why not.
    fn agreed(&self, row: &messages::Model, rests_on: &RestsOn, now: Instant) -> Consented {
        let Some(case) = self.cases.get(&row.case_id) else { return Consented::Missing };
        let each = rests_on.consents.iter().map(|purpose| self.consented((case.person, None), &[purpose], now));
        each.into_iter().find(|consented| *consented != Consented::Yes).unwrap_or(Consented::Yes)
    }

    /// The person themself, or those close to them: each with their own consent, and close ones with the person's towards them too.
    fn candidates(&self, row: &messages::Model, now: Instant) -> Vec<Candidate<'_>> {
        let Some(case) = self.cases.get(&row.case_id) else { return Vec::new() };
        if row.audience == Audience::Person {
            let consent = match case.relation {
                Some(relation) => self.tied((case.person, relation), now),
                None => self.consented((case.person, None), &[PURPOSE], now),
            };
            return self.candidate(case.person, consent).into_iter().collect();
        }
        let close = self.close_ones.get(&case.person).map_or(&[][..], Vec::as_slice);
        let candidates =
            close.iter().filter_map(|person| self.candidate(*person, self.both((case.person, *person), now)));
        candidates.collect()
    }

    /// Someone close in a case of their own: both consents, for as long as the relation lasts.
    fn tied(&self, (person, relation): (PersonId, RelationId), now: Instant) -> Consented {
        match self.ties.get(&relation) {
            Some(tie) if !tie.ended => self.both((tie.to, person), now),
            _ => Consented::Unrelated,
        }
    }

    /// What someone close is sent needs the consent of who they are close to, towards them, and their own.
    fn both(&self, (client, close_one): (PersonId, PersonId), now: Instant) -> Consented {
        match self.consented((client, Some(close_one)), &[PURPOSE_CLOSE_ONE, PURPOSE], now) {
            Consented::Yes => self.consented((close_one, None), &[PURPOSE], now),
            missing => missing,
        }
    }

    /// Whether a person agreed, as far as that may be judged at all: a restriction comes before what they said.
    fn consented(&self, (person, towards): (PersonId, Option<PersonId>), purposes: &[&str], now: Instant) -> Consented {
        if self.recipients.get(&person).is_some_and(|one| one.restricted_at.is_some()) {
            return Consented::Restricted;
        }
        let own: Vec<_> = self.consents.iter().filter(|row| row.person_id == person).collect();
        let found = purposes.iter().map(|purpose| rules::consented(&own, purpose, towards, now));
        found.min_by_key(|consented| *consented as u8).unwrap_or(Consented::Missing)
    }

    fn candidate(&self, person: PersonId, consent: Consented) -> Option<Candidate<'_>> {
        let recipient = self.recipients.get(&person)?;
        Some(Candidate {
            person,
            deceased: recipient.deceased_at.is_some(),
            do_not_contact: recipient.do_not_contact_at.is_some(),
            points: recipient.reachable.iter().map(|reachable| &reachable.point).collect(),
            zone: self.zone_of(recipient),
            consent,
            agreed: Consented::Yes,
            recent: self.recent.get(&person).cloned().unwrap_or_default(),
        })
    }

    /// A message that goes, for the merging.
    pub(super) fn going(&self, row: &messages::Model, verdict: &Verdict) -> Option<Going> {
        let Verdict::Go { to, .. } = verdict else { return None };
        let template = rules::masked(Template::parse(&row.template)?, self.safety_file(row));
        let (staff, again) = (row.audience == Audience::Staff, row.status == MessageStatus::Sending);
        Some(Going { id: row.id, planned_at: row.planned_at, to: *to, staff, again, template })
    }

    /// The message by which staff was told the same this very minute, when that was sent or is being sent: one digest per recipient and
    /// minute. What came up only after it left is not in it.
    pub(super) fn told<'a>(
        &self,
        digest: &Digest,
        rows: impl Iterator<Item = &'a messages::Model> + Clone,
    ) -> Option<MessageId> {
        let leader = rows.clone().find(|row| row.id == digest.leader)?;
        let fresh = leader.audience == Audience::Staff && leader.status == MessageStatus::Pending;
        let to = self.staff_recipient(leader).filter(|_| fresh && digest.template.as_str() == leader.template)?;
        let (earlier, left_at) = self.told.get(&(to, leader.template.clone())).copied()?;
        let mut about = rows.filter(|row| row.id == digest.leader || digest.merged.contains(&row.id));
        about.all(|row| row.planned_at <= left_at).then_some(earlier)
    }

    pub(super) fn reachable(&self, person: PersonId, point: usize) -> Option<(&Recipient, &Reachable)> {
        let recipient = self.recipients.get(&person)?;
        Some((recipient, recipient.reachable.get(point)?))
    }

    pub(super) fn zone_of(&self, recipient: &Recipient) -> Tz {
        recipient.zone.unwrap_or(self.zone)
    }

    /// The moment a message is about: when its follow-up is due.
    pub(super) fn moment(&self, row: &messages::Model) -> Instant {
        self.follow_ups.get(&row.follow_up_id).and_then(|follow_up| follow_up.due_at).unwrap_or(row.planned_at)
    }

    /// What a link in a message to staff leads to: the one follow-up it is about, for as long as that can be done. None when it is over.
    pub(super) fn link(&self, cx: &Context<'_>, row: &messages::Model, recipient: PersonId) -> Option<Bound> {
        let follow_up = self.follow_ups.get(&row.follow_up_id).filter(|_| row.audience == Audience::Staff)?;
        crate::follow_ups::rules::not_final(&follow_up.status).ok()?;
        let until = links::rules::until(cx.now, follow_up.expires_at);
        if until <= cx.now {
            return None;
        }
        let (organisation, message, follow_up) = (cx.organisation, row.id, follow_up.id);
        Some(Bound { organisation, message, follow_up, recipient, until })
    }

    /// The role that does the follow-up.
    pub(super) fn role(&self, id: FollowUpId) -> &str {
        self.follow_ups.get(&id).map_or(staff::rules::COORDINATOR, |follow_up| follow_up.role.as_str())
    }
}
