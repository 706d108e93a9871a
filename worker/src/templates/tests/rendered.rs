//! Every text as it is read, checked in as `templates/rendered.txt` for whoever wants to look at them, a native speaker above all.

use super::*;
use crate::templates::fields::worst_cases;
use std::fmt::Write;

const CHECKED_IN: &str = include_str!("../../../templates/rendered.txt");

const HEAD: &str = "\
# Every text as it is read: about Tuesday 24 November 2026, 10:30, three things and the number 0800-1234, and at its longest.
# Made by a test, which fails when this page differs from what would be sent. Ukrainian, Russian, Arabic and Turkish were written without
# review by native speakers.
";

const LINK: &str = "https://nazorg.example.org/l/AZrd9dlkdyCvMvQoUqEwdQHGXuCmYxDKYH5tZ1pVdJf3kqLw";

/// The fillings to look at, each under what it is called.
fn readings(texts: &Texts, language: Language, template: Template) -> Vec<(&'static str, String)> {
    let read = |fields: &Fields| texts.render(language, template, fields).unwrap().text;
    let share = |text: &String| {
        let gsm7::Size { units, limit } = gsm7::size(text);
        units * gsm7::SEPTETS * gsm7::UNITS / limit
    };
    let longest = worst_cases(language.words()).iter().map(read).max_by_key(share).unwrap();
    let all = [
        ("with a number", read(&fields(Some("0800-1234")))),
        ("without a number", read(&fields(None))),
        ("at its longest", longest),
    ];
    let mut readings: Vec<(&str, String)> = Vec::new();
    for (called, text) in all {
        if readings.iter().all(|(_, known)| *known != text) {
            readings.push((called, text));
        }
    }
    if !readings.iter().any(|(called, _)| *called == "without a number") {
        readings[0].0 = "always";
    }
    readings
}

/// Texts stand on lines of their own, so that a viewer that knows about directions shows them as a telephone does.
fn page() -> String {
    let texts = Texts::load().unwrap();
    let mut page = HEAD.to_owned();
    for template in Template::ALL {
        for language in Language::ALL {
            let subject = texts.render(language, *template, &fields(None)).unwrap().subject;
            writeln!(page, "\n{} {}: the subject\n{subject}", template.as_str(), language.tag()).unwrap();
            for (called, text) in readings(&texts, language, *template) {
                let gsm7::Size { units, limit } = gsm7::size(&text);
                let alphabet = if limit == gsm7::SEPTETS { "GSM-7" } else { "UCS-2" };
                let mark = if text.contains('\u{200e}') { ", U+200E before the number" } else { "" };
                writeln!(page, "{called}, {units} of {limit} {alphabet}{mark}\n{text}").unwrap();
            }
        }
    }
    for language in Language::ALL {
        let task = || texts.render(language, Template::Task, &Fields { count: 1, ..fields(None) }).unwrap();
        writeln!(page, "\ntask {}: with a link", language.tag()).unwrap();
        for (called, channel, link) in
            [("as a mail", ChannelKind::Email, LINK), ("as a text message", ChannelKind::Sms, LINK)]
        {
            writeln!(page, "{called}\n{}", texts.with_link(language, task(), (channel, link)).text).unwrap();
        }
    }
    page
}

#[test]
fn every_text_in_every_language_is_what_was_looked_at() {
    let page = page();
    if page != CHECKED_IN {
        let new = std::env::current_exe().unwrap().with_file_name("rendered.txt");
        std::fs::write(&new, &page).unwrap();
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/rendered.txt");
        panic!("texts differ from those that were looked at; look at each, then: cp {} {kept}", new.display());
    }
}
