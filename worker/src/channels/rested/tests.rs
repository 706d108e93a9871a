use super::*;
use crate::channels::Reason;

fn silence() -> Delivery {
    Delivery::Unknown { reason: Reason::of("sms_timeout") }
}

fn sent() -> Delivery {
    Delivery::Sent { provider_id: None }
}

/// As many at once as have room, of those that are there.
fn admitted(state: &mut State, now: Instant, there: u32) -> u32 {
    (0..there).map(|_| u32::from(state.admits(now))).sum()
}

#[test]
fn a_provider_that_answers_nobody_is_left_alone_and_asked_by_one_at_a_time() {
    let (mut state, start) = (State::default(), Instant::now());
    for _ in 1..SILENT {
        state.learns(&silence(), start);
    }
    assert_eq!(admitted(&mut state, start, 100), 100, "it may be them");
    state.learns(&silence(), start);
    assert_eq!(admitted(&mut state, start, 100), 0);
    assert_eq!(admitted(&mut state, start + REST, 100), 1);
    state.learns(&silence(), start + REST);
    assert_eq!(admitted(&mut state, start + REST, 100), 0, "and it rests on");
    let later = start + REST + REST;
    assert_eq!(admitted(&mut state, later, 100), 1);
    state.learns(&sent(), later);
    assert_eq!(admitted(&mut state, later, 100), 100);
}

#[test]
fn one_answer_among_the_silence_is_enough_and_a_refusal_is_an_answer() {
    let refused = Delivery::KnownUnsent {
        retry_after: None,
        reason: Reason { code: "sms_refused", reply: Some(503) },
        permanent: false,
    };
    let unreachable = Delivery::unsent(Reason::of("sms_unreachable"), false);
    let (mut state, now) = (State::default(), Instant::now());
    for nth in 0..10 * SILENT {
        let delivery = if nth % SILENT == 0 { &refused } else { &unreachable };
        state.learns(delivery, now);
        assert!(state.admits(now), "{nth}");
    }
    for _ in 0..SILENT {
        state.learns(&Delivery::NotBegun, now);
        state.learns(&Delivery::unsent(Reason::of("address_invalid"), true), now);
    }
    assert!(state.admits(now), "what the provider was not asked says nothing of it");
    for _ in 0..SILENT {
        state.learns(&unreachable, now);
    }
    assert!(!state.admits(now));
}
