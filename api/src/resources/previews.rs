//! Previewing a protocol over the API: the request read, the pure engine run, the result shown.

use nazorg_domain::{
    Context,
    entities::ProtocolId,
    error::{Error, FieldError},
    organisations,
    policy::Action,
    protocol_versions,
    protocols::{
        self, Offset, OutcomeGiven, Preview, PreviewFollowUp, PreviewMessage, PreviewRequest, PreviewUntil, Protocol,
        parse_outcome_argument,
    },
};

use super::protocols::{PreviewBody, PreviewFollowUpView, PreviewMessageView, PreviewView};
use crate::types::Instant;

/// Runs the engine over what the body imagines.
pub(super) async fn preview(cx: &Context<'_>, body: PreviewBody) -> Result<PreviewView, Error> {
    cx.may(Action::ReadProtocols)?;
    let PreviewBody { text, protocol_id, anchors, zone, outcomes, until } = body;
    let text = match (text, protocol_id) {
        (Some(text), None) => text,
        (None, Some(id)) => protocol_versions::read(cx, ProtocolId(id)).await.map_err(unknown_protocol)?.text,
        _ => return Err(Error::field("", "exactly_one", "Give exactly one of text and protocolId.")),
    };
    let protocol = parsed(&text)?;
    let mut around = organisations::surroundings(&cx.db(), cx, None).await?;
    if let Some(zone) = zone {
        let unknown = |_| Error::field("/zone", "unknown", "There is no such time zone; use an IANA name.");
        around.zone = zone.parse().map_err(unknown)?;
    }
    let request = PreviewRequest {
        anchors: anchors.into_iter().map(Into::into).collect(),
        outcomes: given(&outcomes)?,
        until: until.as_deref().map(end).transpose()?,
        ..PreviewRequest::default()
    };
    let around = protocol.surroundings(&around);
    let preview = protocols::preview(&protocol, &around, &request).map_err(|faults| {
        let told = faults.into_iter().map(|fault| FieldError::body(fault.path, fault.code.as_str(), fault.detail));
        Error::Invalid(told.collect())
    })?;
    let Preview { follow_ups, messages } = preview;
    Ok(PreviewView {
        follow_ups: follow_ups.into_iter().map(follow_up).collect(),
        messages: messages.into_iter().map(message).collect(),
    })
}

fn unknown_protocol(error: Error) -> Error {
    match error {
        Error::NotFound => Error::field("/protocolId", "unknown", "There is no such protocol version."),
        other => other,
    }
}

fn parsed(text: &str) -> Result<Protocol, Error> {
    protocols::parse(text).map_err(|faults| {
        let told = faults
            .into_iter()
            .map(|fault| FieldError::body(format!("/text#{}", fault.path), fault.code.as_str(), fault.detail));
        Error::Invalid(told.collect())
    })
}

fn given(outcomes: &[String]) -> Result<Vec<OutcomeGiven>, Error> {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for (place, outcome) in outcomes.iter().enumerate() {
        match parse_outcome_argument(outcome) {
            Ok(outcome) => found.push(outcome),
            Err(_) => errors.push(FieldError::body(
                format!("/outcomes/{place}"),
                "bad_format",
                "An outcome is written step[#n]=code[@instant].",
            )),
        }
    }
    if errors.is_empty() { Ok(found) } else { Err(Error::Invalid(errors)) }
}

fn end(until: &str) -> Result<PreviewUntil, Error> {
    let bad = |_| Error::field("/until", "bad_format", "Until is a duration such as P2Y.");
    until.parse::<Offset>().map(PreviewUntil::After).map_err(bad)
}

fn follow_up(one: PreviewFollowUp) -> PreviewFollowUpView {
    let PreviewFollowUp {
        step,
        occurrence,
        actor,
        opens_at,
        due_at,
        closes_at,
        expires_at,
        status,
        outcome,
        reason,
        final_at,
        moved_by,
    } = one;
    PreviewFollowUpView {
        step,
        occurrence,
        actor,
        opens_at: opens_at.map(Instant),
        due_at: due_at.map(Instant),
        closes_at: closes_at.map(Instant),
        expires_at: expires_at.map(Instant),
        status: status.as_str().to_owned(),
        outcome,
        reason,
        final_at: final_at.map(Instant),
        moved_by: moved_by.into_iter().map(str::to_owned).collect(),
    }
}

fn message(one: PreviewMessage) -> PreviewMessageView {
    let PreviewMessage { step, occurrence, to, at, because, rule, template, called_off_at, moved_by } = one;
    PreviewMessageView {
        step,
        occurrence,
        to,
        at: Instant(at),
        because: because.to_owned(),
        rule,
        template,
        called_off_at: called_off_at.map(Instant),
        moved_by: moved_by.into_iter().map(str::to_owned).collect(),
    }
}
