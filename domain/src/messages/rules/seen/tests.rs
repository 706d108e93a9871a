use super::*;

#[test]
fn what_may_have_arrived_can_be_seen_and_what_never_went_out_cannot() {
    let word = |status, reason, acknowledged| match seen(status, reason, acknowledged) {
        Ok(seen) => format!("{seen:?}"),
        Err(Error::Violation(violation)) => violation.code.as_str().to_owned(),
        Err(other) => other.to_string().split(':').next().unwrap_or_default().to_owned(),
    };
    for status in MessageStatus::all() {
        let expected = match status {
            MessageStatus::Sent => "Now",
            MessageStatus::Unknown => "Arrived",
            MessageStatus::Sending => "unavailable",
            _ => "message_not_sent",
        };
        assert_eq!(word(status, None, false), expected, "{status}");
        assert_eq!(word(status, None, true), "Already", "{status}");
    }
    assert_eq!(word(MessageStatus::Failed, Some(NOT_DELIVERED), false), "Arrived");
    assert_eq!(word(MessageStatus::Failed, Some("smtp_refused 550"), false), "message_not_sent");
}
