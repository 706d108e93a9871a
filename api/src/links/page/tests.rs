use super::*;
use crate::links::words::ALL;

#[test]
fn every_page_in_every_language_is_whole() {
    let every: Vec<usize> = (0..CODES.len()).collect();
    for words in ALL {
        assert_eq!(words.outcomes.len(), CODES.len());
        for shows in [
            Shows::Open { acknowledged: false, done: true, outcomes: Vec::new(), more: false },
            Shows::Open { acknowledged: true, done: false, outcomes: every.clone(), more: true },
            Shows::Done,
            Shows::Over,
            Shows::NotNow,
            Shows::Gone,
        ] {
            let page = render(words, &shows);
            assert_eq!(page.matches("<h1>").count(), 1);
            assert!(page.contains(&format!("<html lang=\"{}\" dir=", words.tag)));
            assert_eq!(page.contains("dir=\"rtl\""), words.tag == "ar");
            assert!(!page.contains("<script") && !page.contains("http") && !page.contains("nazorg"), "{page}");
        }
        let page =
            render(words, &Shows::Open { acknowledged: false, done: false, outcomes: every.clone(), more: true });
        assert_eq!(page.matches("<button").count(), CODES.len() + 1, "seen, and each outcome");
        let mut labels = words.outcomes.to_vec();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), CODES.len(), "{}: no two buttons read the same", words.tag);
    }
}
