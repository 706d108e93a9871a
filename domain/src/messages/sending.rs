//! The moment of sending, in two transactions with the provider's call between them (DESIGN section 5). Here the first: claim, judge,
//! mark. What is answered is committed as `sending`, and may be sent exactly once.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono_tz::Tz;
use nazorg_entities::{
    AccessAction, Audience, CaseId, ChannelKind, FollowUpId, Instant, MessageId, MessageStatus, OrganisationId,
    PersonId, TrajectoryId, messages,
};
use sea_orm::IntoActiveModel;
use serde_json::json;

use super::{
    Template,
    facts::{Facts, gather},
    rows,
    rules::{self, Ending, Going, Then, Verdict},
};
use crate::{
    App, Context, batch,
    database::Writing,
    error::{Error, Result},
    events::{self, Event, Kind},
    follow_ups,
    jobs::{self, Claimed, Lease, LeasedBatch, Outcome},
    links::Bound,
    people,
    trajectories::{self, Hands},
};

/// A message that is to be sent now; it is marked, and its job is in hand.
#[derive(Clone)]
pub struct ToSend {
    /// Which.
    pub id: MessageId,
    /// Whose.
    pub organisation: OrganisationId,
    /// For whom: staff at least once, others at most once.
    pub audience: Audience,
    /// Over which channel.
    pub channel: ChannelKind,
    /// Where to; opened for this and nothing else.
    pub address: String,
    /// The recipient's language.
    pub language: String,
    /// The recipient's time zone.
    pub zone: Tz,
    /// With which text.
    pub template: Template,
    /// The moment it is about.
    pub about: Instant,
    /// How many messages it speaks for.
    pub count: u32,
    /// What a link in it would lead to; `None` where there is none.
    pub link: Option<Bound>,
    /// Its job.
    pub job: Lease,
    /// How often sending failed before.
    pub attempts: u32,
    pub(super) trajectory: TrajectoryId,
    pub(super) version: i32,
}

impl std::fmt::Debug for ToSend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToSend").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Claims messages whose moment has come and judges each as things stand now: consent, safe contact, stop rules, quiet hours,
/// frequency. What may go is marked `sending` and answered; everything else is settled here, with its reason.
pub async fn take(app: &App, batch: &LeasedBatch) -> Result<Vec<ToSend>> {
    let tx = app.db.begin_batch().await?;
    trajectories::lock_for(&tx, batch).await?;
    let claimed = jobs::claim(&tx, app, batch).await?;
    let sending = take_claimed(&tx, app, Hands { claimed, fresh: Vec::new() }).await?;
    tx.commit(&*app.bell).await?;
    Ok(sending)
}

/// Looks at follow-ups whose moment has come ([`follow_ups::wake`]) and takes at once what they announce for now, in one transaction:
/// a reminder goes through the queue once. Answers how many follow-ups it was, too.
pub async fn wake_and_take(app: &App, batch: &LeasedBatch) -> Result<(usize, Vec<ToSend>)> {
    let tx = app.db.begin_batch().await?;
    let mut announced = Hands::default();
    let woken = follow_ups::wake_batch(&tx, app, batch, Some(&mut announced)).await?;
    let sending = take_claimed(&tx, app, announced).await?;
    tx.commit(&*app.bell).await?;
    Ok((woken, sending))
}

async fn take_claimed(tx: &Writing, app: &App, Hands { claimed, fresh }: Hands) -> Result<Vec<ToSend>> {
    let mut by_organisation: BTreeMap<OrganisationId, Hands> = BTreeMap::new();
    for one in claimed {
        by_organisation.entry(one.organisation).or_default().claimed.push(one);
    }
    for one in fresh {
        by_organisation.entry(one.organisation_id).or_default().fresh.push(one);
    }
    let mut sending = Vec::new();
    for (organisation, hands) in by_organisation {
        let cx = app.worker_context(organisation);
        sending.append(&mut take_in(tx, &cx, hands).await?);
    }
    Ok(sending)
}

/// One message with what was decided about it.
struct Decided {
    row: messages::Model,
    job: Claimed,
    verdict: Verdict,
}

async fn take_in(tx: &Writing, cx: &Context<'_>, Hands { claimed, fresh }: Hands) -> Result<Vec<ToSend>> {
    let mut jobs: HashMap<MessageId, Claimed> = claimed.into_iter().map(|job| (MessageId(job.subject), job)).collect();
    let unwritten: HashSet<MessageId> = fresh.iter().map(|row| row.id).collect();
    let ids: Vec<MessageId> = jobs.keys().copied().filter(|id| !unwritten.contains(id)).collect();
    let mut rows = rows::locked(tx, cx, &ids).await?;
    rows.extend(fresh);
    let unsent = |row: &messages::Model| matches!(row.status, MessageStatus::Pending | MessageStatus::Sending);
    let open: Vec<_> = rows.into_iter().filter(unsent).collect();
    let facts = gather(tx, cx, &open).await?;
    let mut decided = Vec::with_capacity(open.len());
    for row in open {
        if let Some(job) = jobs.remove(&row.id) {
            let verdict = facts.judge(&row, &job, cx.now);
            decided.push(Decided { row, job, verdict });
        }
    }
    // What is left has a message that ended otherwise, or none: nothing is owed for it any more.
    let mut settled: Vec<(Lease, Outcome)> = jobs.values().map(|job| (job.job, Outcome::Done)).collect();
    let sending = mark(tx, cx, (&facts, &mut decided)).await?;
    settled.extend(decided.iter().filter_map(|one| outcome(one).map(|outcome| (one.job.job, outcome))));
    conclude(tx, cx, (&facts, &unwritten), decided).await?;
    jobs::settle(tx, cx.app, &settled).await?;
    Ok(sending)
}

/// What becomes of the job; `None` while its message is being sent.
fn outcome(one: &Decided) -> Option<Outcome> {
    match &one.verdict {
        Verdict::Go { .. } => None,
        Verdict::Later { at, .. } => Some(Outcome::Postponed(*at)),
        Verdict::End(_) => Some(Outcome::Done),
    }
}

/// Merges what goes to the same recipient, opens the addresses, and prepares what is sent. What turns out not to go gets its ending.
async fn mark(tx: &Writing, cx: &Context<'_>, (facts, decided): (&Facts, &mut Vec<Decided>)) -> Result<Vec<ToSend>> {
    let going: Vec<Going> = decided.iter().filter_map(|one| facts.going(&one.row, &one.verdict)).collect();
    let mut leads = HashMap::new();
    for digest in rules::digests(going) {
        let told = facts.told(&digest, decided.iter().map(|one| &one.row));
        for id in &digest.merged {
            merge(decided, *id, told.unwrap_or(digest.leader));
        }
        match told {
            Some(earlier) => merge(decided, digest.leader, earlier),
            None => _ = leads.insert(digest.leader, (digest.template, digest.merged.len())),
        }
    }
    let spoken_for = rows::spoken_for(tx, cx, &leads.keys().copied().collect::<Vec<_>>()).await?;
    let mut sending = Vec::with_capacity(leads.len());
    for one in decided.iter_mut() {
        let (Verdict::Go { to, point }, Some((template, merged))) = (&one.verdict, leads.get(&one.row.id)) else {
            continue;
        };
        let Some((recipient, reachable)) = facts.reachable(*to, *point) else {
            return Err(Error::internal("a recipient that was judged is gone"));
        };
        let address = match people::open_address(cx, reachable).await {
            Ok(address) => address,
            Err(Error::Internal(log)) => {
                tracing::error!(code = "address_unreadable", message_id = %one.row.id, log, "not sent");
                one.verdict = rules::end(MessageStatus::Failed, "address_unreadable", Then::Alarm);
                continue;
            }
            Err(other) => return Err(other),
        };
        let earlier = spoken_for.get(&one.row.id).copied().unwrap_or(0);
        let count = i64::try_from(*merged).unwrap_or(i64::MAX).saturating_add(earlier).saturating_add(1);
        sending.push(ToSend {
            id: one.row.id,
            organisation: cx.organisation,
            audience: one.row.audience,
            channel: reachable.point.channel,
            address,
            language: recipient.language.clone(),
            zone: facts.zone_of(recipient),
            template: *template,
            about: facts.moment(&one.row),
            count: u32::try_from(count).unwrap_or(u32::MAX),
            link: (count == 1).then(|| facts.link(cx, &one.row, *to)).flatten(),
            job: one.job.job,
            attempts: u32::try_from(one.job.attempts).unwrap_or(0),
            trajectory: one.row.trajectory_id,
            version: one.row.version + 1,
        });
        one.row.contact_point_id = Some(reachable.point.id);
        one.row.channel = Some(reachable.point.channel);
    }
    Ok(sending)
}

fn merge(decided: &mut [Decided], id: MessageId, into: MessageId) {
    if let Some(one) = decided.iter_mut().find(|one| one.row.id == id) {
        if let Verdict::Go { to, .. } = one.verdict {
            one.row.recipient_id = Some(to);
        }
        one.row.merged_into = Some(into);
        one.verdict = rules::end(MessageStatus::Merged, "digest", Then::Nothing);
    }
}

/// Writes what was decided, and what follows from it.
async fn conclude(
    tx: &Writing,
    cx: &Context<'_>,
    (facts, unwritten): (&Facts, &HashSet<MessageId>),
    decided: Vec<Decided>,
) -> Result<()> {
    let (mut changed, mut written, mut endings) = (Vec::new(), Vec::new(), Vec::new());
    let needless: Vec<MessageId> =
        decided.iter().filter(|one| is_needless(&one.verdict)).map(|one| one.row.id).collect();
    for Decided { mut row, job: _, verdict } in decided {
        row.version += 1;
        match verdict {
            Verdict::Go { to, .. } => {
                row.status = MessageStatus::Sending;
                row.reason = None;
                row.recipient_id = Some(to);
                row.sent_at = Some(cx.now);
            }
            Verdict::Later { reason, .. } => {
                row.status = MessageStatus::Pending;
                row.reason = Some(reason.to_owned());
            }
            Verdict::End(ending) => {
                finish(&mut row, &ending, cx.now);
                endings.push((ended(&row, facts.role(row.follow_up_id)), ending));
            }
        }
        if unwritten.contains(&row.id) { written.push(row.into_active_model()) } else { changed.push(row) }
    }
    batch::insert(tx, &written, None).await?;
    rows::save(tx, changed).await?;
    super::speak_for_themselves(tx, cx, &needless).await?;
    follow(tx, cx, endings).await
}

/// Nothing is to be said any more of what it is about; a message that failed is told to somebody instead.
fn is_needless(verdict: &Verdict) -> bool {
    use MessageStatus::{Cancelled, Expired, Suppressed};
    matches!(verdict, Verdict::End(ending) if matches!(ending.status, Cancelled | Expired | Suppressed))
}

/// A message that ended unsent, as what follows needs it.
pub(super) struct Ended {
    pub(super) id: MessageId,
    pub(super) case: CaseId,
    pub(super) trajectory: TrajectoryId,
    pub(super) role: String,
    /// What the gateway gave as its reason, a word.
    pub(super) gateway_reason: Option<String>,
}

pub(super) fn ended(row: &messages::Model, role: &str) -> Ended {
    let (id, case, trajectory, role) = (row.id, row.case_id, row.trajectory_id, role.to_owned());
    Ended { id, case, trajectory, role, gateway_reason: None }
}

pub(super) fn finish(row: &mut messages::Model, ending: &Ending, now: Instant) {
    row.status = ending.status;
    row.reason = Some(ending.reason.clone());
    row.final_at = Some(now);
    if ending.status != MessageStatus::Unknown {
        row.sent_at = None;
    }
}

/// The event of each ending, and its task or alarm.
pub(super) async fn follow(tx: &Writing, cx: &Context<'_>, endings: Vec<(Ended, Ending)>) -> Result<()> {
    let mut happened = Vec::new();
    for (ended, ending) in &endings {
        let mut told = json!({ "status": ending.status.as_str(), "reason": ending.reason });
        if let Some(reason) = &ended.gateway_reason {
            told["gatewayReason"] = json!(reason);
        }
        happened.push(Event::new(Kind::MessageNotSent, ended.id.0).of_case(ended.case).with(told));
        metrics::counter!("nazorg_messages_not_sent_total", "status" => ending.status.as_str()).increment(1);
        happened.extend(then(tx, cx, ended, (ending.then, &ending.reason)).await?);
    }
    events::record(tx, cx, happened);
    Ok(())
}

/// Leaves the task that follows; answers the alarm where nobody would get it.
pub(super) async fn then(
    tx: &Writing,
    cx: &Context<'_>,
    about: &Ended,
    (then, reason): (Then, &str),
) -> Result<Option<Event>> {
    let alarmed = match then {
        Then::Nothing => None,
        Then::Alarm => Some(reason.to_owned()),
        Then::Task(code) => {
            let task = (about.id.0, code, rules::task_role(&about.role));
            match follow_ups::add_task(tx, cx, about.trajectory, task).await {
                Ok(()) => None,
                // A trajectory that is over takes no task; then someone must be told in another way.
                Err(Error::Violation(violation)) => Some(violation.code.as_str().to_owned()),
                Err(other) => return Err(other),
            }
        }
    };
    Ok(alarmed.map(|code| {
        metrics::counter!("nazorg_alarms_total", "code" => code.clone()).increment(1);
        tracing::error!(code = "message_undeliverable", message_id = %about.id, reason = code, "alarm");
        let told = json!({ "code": code, "messageId": about.id });
        Event::new(Kind::AlarmRaised, about.id.0).of_case(about.case).with(told)
    }))
}

/// Which follow-ups and cases a set of messages is about.
pub(super) fn subjects(rows: &[messages::Model]) -> (Vec<FollowUpId>, Vec<CaseId>) {
    let mut follow_ups: Vec<_> = rows.iter().map(|row| row.follow_up_id).collect();
    let mut cases: Vec<_> = rows.iter().map(|row| row.case_id).collect();
    follow_ups.sort_unstable();
    follow_ups.dedup();
    cases.sort_unstable();
    cases.dedup();
    (follow_ups, cases)
}

/// A sending as it is logged for a person it concerns.
pub(super) fn access(code: &'static str, id: MessageId, person: PersonId) -> crate::audit::Access {
    crate::audit::Access::new(AccessAction::Execute, code, "message", id.0).of(person)
}
