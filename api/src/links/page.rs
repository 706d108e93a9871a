//! The page as HTML: one heading, buttons that are big enough to press, its own style and nothing else.

use std::{fmt::Write, sync::LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use poem::{
    Response,
    http::{StatusCode, header},
};
use sha2::{Digest, Sha256};

use super::{
    DONE, SAY, SEEN,
    words::{CODES, Words},
};
use crate::html::escape;

const STYLE: &str = include_str!("page.css");

/// What the page shows.
pub(super) enum Shows {
    /// Something can be said.
    Open {
        /// They said that they saw it.
        acknowledged: bool,
        /// One button for the only outcome there is.
        done: bool,
        /// The places of the outcomes to choose from.
        outcomes: Vec<usize>,
        /// There are outcomes that only a system behind a login may show.
        more: bool,
    },
    /// They said what came of it.
    Done,
    /// There is nothing left to do.
    Over,
    /// That cannot be said now.
    NotNow,
    /// There is no such link, or none any more.
    Gone,
}

/// The page as an answer. Its policy allows its own style, and forms that come back here; the edge adds the headers of every answer.
pub(super) fn respond(words: &Words, shows: &Shows) -> Response {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
    });
    let status = if matches!(shows, Shows::Gone) { StatusCode::NOT_FOUND } else { StatusCode::OK };
    Response::builder()
        .status(status)
        .content_type("text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, POLICY.as_str())
        .header(header::CONTENT_LANGUAGE, words.tag)
        .header("X-Robots-Tag", "noindex")
        .body(render(words, shows))
}

fn render(words: &Words, shows: &Shows) -> String {
    let (heading, body) = match shows {
        Shows::Open { acknowledged, done, outcomes, more } => {
            (words.open, open(words, (*acknowledged, *done), (outcomes, *more)))
        }
        Shows::Done => (words.thanks, paragraph(words.noted)),
        Shows::Over => (words.over, paragraph(words.nothing_to_do)),
        Shows::NotNow => (words.not_now, paragraph(words.log_in)),
        Shows::Gone => (words.gone, paragraph(words.log_in)),
    };
    let (tag, direction, heading) = (words.tag, words.direction, escape(heading));
    format!(
        "<!doctype html>\n<html lang=\"{tag}\" dir=\"{direction}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{heading}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{heading}</h1>\n{body}</main>\n</body>\n</html>\n"
    )
}

fn open(words: &Words, (acknowledged, done): (bool, bool), (outcomes, more): (&[usize], bool)) -> String {
    let mut body = String::new();
    let mut buttons = String::new();
    if acknowledged {
        body.push_str(&paragraph(words.noted));
    } else {
        button(&mut buttons, SEEN, words.seen);
    }
    if done {
        button(&mut buttons, DONE, words.done);
    }
    if !buttons.is_empty() {
        form(&mut body, &buttons);
    }
    if !outcomes.is_empty() {
        let _ = writeln!(body, "<h2>{}</h2>", escape(words.what_came));
        let mut buttons = String::new();
        for (code, label) in outcomes.iter().filter_map(|place| Some((CODES.get(*place)?, words.outcomes.get(*place)?)))
        {
            button(&mut buttons, code, label);
        }
        form(&mut body, &buttons);
    }
    if more {
        body.push_str(&paragraph(words.log_in_for_more));
    }
    body
}

/// Posts to the page's own address, wherever it stands behind a proxy.
fn form(body: &mut String, buttons: &str) {
    let _ = writeln!(body, "<form method=\"post\">\n{buttons}</form>");
}

fn button(buttons: &mut String, value: &str, label: &str) {
    let _ = writeln!(buttons, "<button name=\"{SAY}\" value=\"{value}\">{}</button>", escape(label));
}

fn paragraph(text: &str) -> String {
    format!("<p>{}</p>\n", escape(text))
}

#[cfg(test)]
mod tests;
