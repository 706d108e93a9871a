use super::*;

#[test]
fn the_word_is_the_one_it_is_kept_under() {
    let whats = [
        What::Closed { reason: "goals_met".to_owned() },
        What::OptedIn { steps: vec!["check_6m".to_owned()] },
        What::StageSet { stage: "after".to_owned() },
        What::AnchorRemoved { anchor: "sign_at".to_owned(), id: Uuid::nil() },
        What::ReferralArrived,
        What::Superseded,
    ];
    for what in whats {
        assert_eq!(serde_json::to_value(&what).unwrap()["kind"], kind(&what));
    }
}
