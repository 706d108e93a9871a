//! Whether a message goes, to whom and over what: judged at the moment of sending, from plain values. Every no has its code.

mod rests_on;
mod seen;

use std::collections::HashMap;

use chrono::{Days, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use nazorg_entities::{Audience, ContactMode, Instant, MessageId, MessageStatus, PersonId, Safe, consents};

use super::Template;
use crate::{
    error::{Error, Result, ViolationCode},
    input::Checks,
    people::contact_points::{ContactPoint, rules::is_safe},
    protocols::{self, Unmet},
};

pub use rests_on::RestsOn;
pub use seen::{Seen, seen};

/// How long a message waits before it is judged again whether what its step rests on is there.
const AGAIN: TimeDelta = TimeDelta::days(1);
/// A message to a person or family that comes this late is no longer sent, unless its step runs late (PROTOCOLS 4).
pub const LATE: TimeDelta = TimeDelta::hours(48);
/// At most so many messages to one person or close one …
pub const CAP: usize = 2;
/// … in any span of this length (DOMAIN 10.6).
pub const CAP_SPAN: TimeDelta = TimeDelta::days(7);
/// The purpose a consent must have for messages to a person or a close one.
pub const PURPOSE: &str = "messages";
/// The purpose under which a person lets someone close be written to.
pub const PURPOSE_CLOSE_ONE: &str = "inform_family";
/// Why a message that was sent stands as failed after all; and the task it leaves.
pub const NOT_DELIVERED: &str = "not_delivered";
const QUIET_FROM: NaiveTime = on_the_hour(21);
const QUIET_UNTIL: NaiveTime = on_the_hour(8);

const fn on_the_hour(hour: u32) -> NaiveTime {
    match NaiveTime::from_hms_opt(hour, 0, 0) {
        Some(time) => time,
        None => NaiveTime::MIN,
    }
}

/// What is known of a message whose moment has come.
#[derive(Debug, Clone)]
pub struct About {
    /// Where it stands.
    pub status: MessageStatus,
    /// For whom.
    pub audience: Audience,
    /// Why it was announced.
    pub because: String,
    /// The follow-up it is about, where that is still there.
    pub follow_up: Option<AboutFollowUp>,
    /// When it was to go: as planned, or as postponed.
    pub due_at: Instant,
    /// Whether the case is a safety file (DOMAIN 7.2).
    pub safety_file: bool,
    /// The organisation's time.
    pub now: Instant,
    /// When the organisation's data was last put back from a backup.
    pub restored_at: Option<Instant>,
    /// What its step rests on besides.
    pub rests_on: RestsOn,
}

/// What is known of its follow-up.
#[derive(Debug, Clone)]
pub struct AboutFollowUp {
    /// Where it stands (PROTOCOLS 3).
    pub status: String,
    /// Why it ended.
    pub reason: Option<String>,
    /// Until when it makes sense.
    pub window_until: Option<Instant>,
}

/// Someone it could go to.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// Who.
    pub person: PersonId,
    /// They have died.
    pub deceased: bool,
    /// Nobody may contact them.
    pub do_not_contact: bool,
    /// How to reach them, the preferred first.
    pub points: Vec<&'a ContactPoint>,
    /// Where they live by the clock.
    pub zone: Tz,
    /// Whether they agreed to messages.
    pub consent: Consented,
    /// Whether the person agreed to what the step rests on besides.
    pub agreed: Consented,
    /// What they were sent within [`CAP_SPAN`].
    pub recent: Vec<Instant>,
}

/// Whether someone agreed. Where several purposes would do, the first of these that one of them comes to is the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consented {
    /// A consent holds.
    Yes,
    /// It was taken back.
    Revoked,
    /// Its time is over, or has not come.
    Expired,
    /// It rested on a relation that has ended.
    Unrelated,
    /// There never was one.
    Missing,
    /// What is kept about them may only be kept (GDPR article 18), consents included.
    Restricted,
}

/// What becomes of a message now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes, to this candidate over the contact point at this place of their list.
    Go {
        /// To whom.
        to: PersonId,
        /// The place of the contact point among their points.
        point: usize,
    },
    /// Not now.
    Later {
        /// When.
        at: Instant,
        /// A code.
        reason: &'static str,
    },
    /// It does not go, and never will.
    End(Ending),
}

/// How a message ends unsent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// In which bucket of the ledger.
    pub status: MessageStatus,
    /// With which code.
    pub reason: String,
    /// What follows.
    pub then: Then,
}

/// What follows when a message is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Nothing: that it is not sent is right.
    Nothing,
    /// A human does it: a task for whoever does the follow-up.
    Task(&'static str),
    /// A human must know: nobody else would.
    Alarm,
}

/// An ending.
#[must_use]
pub fn end(status: MessageStatus, reason: impl Into<String>, then: Then) -> Verdict {
    Verdict::End(Ending { status, reason: reason.into(), then })
}

/// Reasons that hold whoever it is for: what it is about is over.
#[must_use]
pub fn over(about: &About) -> Option<Verdict> {
    // What was announced because of an outcome is about a follow-up that has ended: that is the point of it.
    if matches!(about.because.as_str(), "outcome" | "missed") {
        return None;
    }
    let Some(follow_up) = &about.follow_up else {
        return Some(end(MessageStatus::Cancelled, "follow_up_gone", Then::Nothing));
    };
    let finals = ["done", "declined", "unreachable", "skipped", "superseded", "expired"];
    match follow_up.status.as_str() {
        "cancelled" => {
            let reason = follow_up.reason.clone().unwrap_or_else(|| "follow_up_final".to_owned());
            Some(end(MessageStatus::Cancelled, reason, Then::Nothing))
        }
        status if finals.contains(&status) => Some(end(MessageStatus::Cancelled, "follow_up_final", Then::Nothing)),
        _ => None,
    }
}

/// To staff: at least once. `recipient` is whoever was resolved; nobody is an alarm.
#[must_use]
pub fn to_staff(about: &About, recipient: Option<&Candidate<'_>>) -> Verdict {
    if let Some(verdict) = over(about) {
        return verdict;
    }
    let Some(recipient) = recipient.filter(|one| !one.deceased) else {
        return end(MessageStatus::Failed, "no_recipient", Then::Alarm);
    };
    match recipient.points.iter().position(|point| point.safe != Safe::No) {
        Some(point) => Verdict::Go { to: recipient.person, point },
        None => end(MessageStatus::Failed, "no_contact_point", Then::Alarm),
    }
}

/// To a person or someone close: at most once, and only when everything says yes. The first candidate who may be written to
/// now is; else the first who may be later; else the first one's reason stands.
#[must_use]
pub fn to_person(about: &About, candidates: &[Candidate<'_>]) -> Verdict {
    if about.status == MessageStatus::Sending {
        // Someone began and never said how it ended: it may have arrived.
        return end(MessageStatus::Unknown, "interrupted", Then::Task("delivery_unknown"));
    }
    if let Some(verdict) = over(about) {
        return verdict;
    }
    // The backup does not say what was sent after it was made.
    let may_have_gone = about.restored_at.is_some_and(|at| about.due_at <= at);
    let unknown = || end(MessageStatus::Unknown, "restored", Then::Task("delivery_unknown"));
    if about.now - about.due_at > LATE && !about.rests_on.however_late {
        let late = || end(MessageStatus::Expired, "late", Then::Task("message_late"));
        return if may_have_gone { unknown() } else { late() };
    }
    let verdicts: Vec<Verdict> = candidates.iter().map(|candidate| judge(about, candidate)).collect();
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Go { .. } => 0,
        Verdict::Later { .. } => 1,
        Verdict::End(_) => 2,
    };
    let nobody = || end(MessageStatus::Suppressed, "no_close_one", Then::Nothing);
    match verdicts.into_iter().min_by_key(rank).unwrap_or_else(nobody) {
        Verdict::Go { .. } | Verdict::Later { .. } if may_have_gone => unknown(),
        verdict => verdict,
    }
}

fn judge(about: &About, one: &Candidate<'_>) -> Verdict {
    let suppressed = |reason, then| end(MessageStatus::Suppressed, reason, then);
    if one.deceased {
        return suppressed("deceased", Then::Nothing);
    }
    if one.do_not_contact {
        return suppressed("do_not_contact", Then::Nothing);
    }
    match refusal(one.consent) {
        None => {}
        // They did not say no to contact: whoever does the follow-up must know that it did not come from here.
        Some("restricted") => return suppressed("restricted", Then::Task("restricted")),
        Some(reason) => return suppressed(reason, Then::Nothing),
    }
    if let Some(reason) = refusal(one.agreed) {
        return unmet(about, reason, Then::Nothing);
    }
    let point = match safe_point(&one.points, about) {
        Ok(point) => point,
        Err(reason) if about.rests_on.safe_contact => return unmet(about, reason, Then::Task(reason)),
        Err(reason) => return suppressed(reason, Then::Task(reason)),
    };
    let Some(at) = one.points.get(point).and_then(|point| hours(point, about.now, one.zone)) else {
        return suppressed("no_allowed_time", Then::Task("no_allowed_time"));
    };
    if at > about.now {
        return Verdict::Later { at, reason: "quiet_hours" };
    }
    let Some(free_at) = capped_until(&one.recent, about.now) else { return Verdict::Go { to: one.person, point } };
    let at = one.points.get(point).and_then(|point| hours(point, free_at, one.zone)).unwrap_or(free_at);
    match about.follow_up.as_ref().and_then(|follow_up| follow_up.window_until) {
        Some(until) if at <= until => Verdict::Later { at, reason: "frequency" },
        _ => suppressed("frequency", Then::Nothing),
    }
}

/// Why a consent does not do, if it does not.
fn refusal(consent: Consented) -> Option<&'static str> {
    match consent {
        Consented::Yes => None,
        Consented::Missing => Some("no_consent"),
        Consented::Revoked => Some("consent_revoked"),
        Consented::Expired => Some("consent_expired"),
        Consented::Unrelated => Some("relation_ended"),
        Consented::Restricted => Some("restricted"),
    }
}

/// What the step rests on is not there: as it says, the message waits while its window lasts, is left to whoever does the step, or is not sent.
fn unmet(about: &About, reason: &'static str, then: Then) -> Verdict {
    let until = about.follow_up.as_ref().and_then(|follow_up| follow_up.window_until);
    let again = about.now + AGAIN;
    let then = match about.rests_on.unmet {
        Unmet::Wait if until.is_some_and(|until| again <= until) => return Verdict::Later { at: again, reason },
        Unmet::Wait => then,
        Unmet::Task => Then::Task(reason),
        Unmet::Skip => Then::Nothing,
    };
    end(MessageStatus::Suppressed, reason, then)
}

/// The place of the first contact point that may be used, or why none may (DOMAIN 7.5): in a safety file it must be known to be safe,
/// elsewhere it must not be known to be unsafe; and what a person said of it holds for a time only.
fn safe_point(points: &[&ContactPoint], about: &About) -> Result<usize, &'static str> {
    let asked = |point: &&ContactPoint| point.contact_mode == ContactMode::WeContact;
    let expired = |point: &ContactPoint| point.expires_at.is_some_and(|at| at <= about.now);
    let usable = |point: &ContactPoint| match about.safety_file || about.rests_on.safe_contact {
        true => is_safe(point, about.now),
        false => point.safe != Safe::No && !expired(point),
    };
    if let Some(place) = points.iter().position(|point| asked(point) && usable(point)) {
        return Ok(place);
    }
    if points.is_empty() {
        Err("no_contact_point")
    } else if !points.iter().any(asked) {
        Err("contact_mode")
    } else if points.iter().any(|point| asked(point) && point.safe != Safe::No && expired(point)) {
        Err("expired_safety_check")
    } else {
        Err("unsafe_contact_point")
    }
}

/// The first moment from `from` on that is neither in the quiet hours nor outside the contact point's own hours, on the recipient's
/// clock. Own hours that lie wholly in the quiet hours were chosen, and hold. `None` when there is no such moment.
fn hours(point: &ContactPoint, from: Instant, zone: Tz) -> Option<Instant> {
    let allowed = |time: NaiveTime| point.allowed.is_none_or(|window| window.contains(time));
    let loud = |time: NaiveTime| (QUIET_UNTIL..QUIET_FROM).contains(&time);
    let own = point.allowed.map(|window| window.from);
    let beginnings: Vec<NaiveTime> = std::iter::once(QUIET_UNTIL).chain(own).collect();
    first((from, zone), &beginnings, |time| loud(time) && allowed(time))
        .or_else(|| first((from, zone), &beginnings, allowed))
}

/// `from` itself when its time of day is `right`, else the first of these beginnings that is, within two days.
fn first((from, zone): (Instant, Tz), beginnings: &[NaiveTime], right: impl Fn(NaiveTime) -> bool) -> Option<Instant> {
    let local = from.with_timezone(&zone).naive_local();
    if right(local.time()) {
        return Some(from);
    }
    let days = (0..=2).filter_map(|days| local.date().checked_add_days(Days::new(days)));
    days.flat_map(|date| beginnings.iter().map(move |time| date.and_time(*time)))
        .filter(|moment| right(moment.time()))
        .map(|moment| protocols::instant(zone, moment))
        .filter(|moment| *moment > from)
        .min()
}

/// When the cap leaves room again; `None` when it does now.
fn capped_until(recent: &[Instant], now: Instant) -> Option<Instant> {
    let mut within: Vec<Instant> = recent.iter().copied().filter(|at| *at > now - CAP_SPAN).collect();
    within.sort_unstable_by(|a, b| b.cmp(a));
    within.get(CAP - 1).map(|at| *at + CAP_SPAN)
}

/// Whether one of these consents covers `purpose` towards `towards` (`None`: the organisation itself), or why none does.
#[must_use]
pub fn consented(rows: &[&consents::Model], purpose: &str, towards: Option<PersonId>, now: Instant) -> Consented {
    let mut found = Consented::Missing;
    for row in rows {
        let to = match towards {
            Some(_) => row.recipient_person_id == towards,
            None => row.recipient_person_id.is_none() && row.recipient.is_none(),
        };
        if row.purpose != purpose || !to {
            continue;
        }
        if row.revoked_at.is_some_and(|at| at <= now) {
            found = Consented::Revoked;
        } else if row.valid_from > now || row.valid_until.is_some_and(|until| until <= now) {
            found = Consented::Expired;
        } else {
            return Consented::Yes;
        }
    }
    found
}

/// A message that goes, as the merging of several into one sees it.
#[derive(Debug, Clone, Copy)]
pub struct Going {
    /// Which.
    pub id: MessageId,
    /// When it was planned.
    pub planned_at: Instant,
    /// To whom.
    pub to: PersonId,
    /// Whether as staff.
    pub staff: bool,
    /// It may have arrived before: it goes again as itself, so that it can be known again.
    pub again: bool,
    /// With which text.
    pub template: Template,
}

/// One message out of several to the same recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The one that is sent.
    pub leader: MessageId,
    /// Those it speaks for.
    pub merged: Vec<MessageId>,
    /// With which text: theirs when it is the same, else the one that says only that something waits.
    pub template: Template,
}

/// What goes in one mail: to whom, as staff or not, and alone when it is sent again.
type Whose = (PersonId, bool, Option<MessageId>);

/// Merges what falls together: one message per recipient. The earliest planned leads.
#[must_use]
pub fn digests(mut going: Vec<Going>) -> Vec<Digest> {
    going.sort_by_key(|one| (one.planned_at, one.id));
    let mut found: Vec<Digest> = Vec::new();
    let mut places: HashMap<Whose, usize> = HashMap::new();
    for one in going {
        let whose = (one.to, one.staff, one.again.then_some(one.id));
        let place = *places.entry(whose).or_insert(found.len());
        match found.get_mut(place) {
            Some(digest) => {
                digest.merged.push(one.id);
                digest.template = common(digest.template, one.template);
            }
            None => found.push(Digest { leader: one.id, merged: Vec::new(), template: one.template }),
        }
    }
    found
}

fn common(one: Template, other: Template) -> Template {
    if one == other { one } else { Template::Login }
}

/// In a safety file an appointment is told without its date and number: someone else may read it (DOMAIN 7.6).
#[must_use]
pub fn masked(template: Template, safety_file: bool) -> Template {
    if safety_file && template == Template::Appointment { Template::AppointmentMasked } else { template }
}

/// Whoever does the follow-up does what a message may not; when that is the person themself, the coordinator.
#[must_use]
pub fn task_role(role: &str) -> &str {
    if matches!(role, "person" | "close_one") { crate::staff::rules::COORDINATOR } else { role }
}

/// What a gateway reports of a message it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report {
    /// It arrived.
    Delivered,
    /// It did not, and will not.
    Failed,
}

/// A report that can be: only what did not arrive has a reason, and that is a word.
pub fn report(report: Report, gateway_reason: Option<&str>) -> Result<()> {
    let mut checks = Checks::default();
    if let Some(reason) = gateway_reason {
        checks.word("/reason", reason);
        checks.must(report == Report::Failed, "/reason", ("unexpected", "What arrived needs no reason."));
    }
    checks.done()
}

/// What a report changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Nothing: it was known.
    Known,
    /// It arrived, whatever was thought before.
    Arrived,
    /// It was sent and did not arrive.
    Lost,
}

/// Judges a report. That it arrived is the last word: it also ends a doubt, and corrects an earlier "failed", which gateways say of what
/// only took long. The other way around it is contradicted.
///
/// # Errors
/// `message_not_sent` and `delivery_contradicted`; unavailable for the moments between the gateway's yes and its keeping.
pub fn heard(status: MessageStatus, reason: Option<&str>, delivered: bool, report: Report) -> Result<Heard> {
    let not_sent = || Error::violation(ViolationCode::MessageNotSent, "Only a message that was sent can arrive.");
    let known = match (status, delivered, reason) {
        (MessageStatus::Sent, true, _) => Some(Report::Delivered),
        (MessageStatus::Failed, _, Some(NOT_DELIVERED)) => Some(Report::Failed),
        (MessageStatus::Sent | MessageStatus::Unknown, _, _) => None,
        (MessageStatus::Sending, _, _) => return Err(Error::unavailable("a report of what is just being sent")),
        _ => return Err(not_sent()),
    };
    match (known, report) {
        (Some(known), report) if known == report => Ok(Heard::Known),
        (_, Report::Delivered) => Ok(Heard::Arrived),
        (None, Report::Failed) => Ok(Heard::Lost),
        (Some(_), Report::Failed) => {
            let detail = "It was reported as delivered; that it was not cannot be true as well.";
            Err(Error::violation(ViolationCode::DeliveryContradicted, detail))
        }
    }
}

#[cfg(test)]
mod tests;
