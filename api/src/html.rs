//! The little HTML this service has: one page frame with its own style, nothing fetched from anywhere.

use base64::{Engine, engine::general_purpose::STANDARD};
use poem::{Response, http::header};
use sha2::{Digest, Sha256};

/// The only style sheet, small enough to travel with each page.
const STYLE: &str = include_str!("html.css");

/// A complete page.
pub(crate) struct Page {
    title: String,
    body: String,
}

impl Page {
    /// A page with this title as its heading; `body` is HTML already.
    pub(crate) fn new(title: impl Into<String>, body: impl Into<String>) -> Self {
        Self { title: title.into(), body: body.into() }
    }

    /// The page as text.
    pub(crate) fn render(&self) -> String {
        let title = escape(&self.title);
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{title} · nazorg</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
             <main>\n<h1>{title}</h1>\n{}\n</main>\n</body>\n</html>\n",
            self.body
        )
    }

    /// The page as an answer, with a policy that allows its own style and nothing else.
    pub(crate) fn respond(&self) -> Response {
        respond(self.render())
    }
}

/// A finished page as an answer.
pub(crate) fn respond(page: String) -> Response {
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(
            header::CONTENT_SECURITY_POLICY,
            format!("default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
        )
        .body(page)
}

/// Text made safe between tags and inside quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}
