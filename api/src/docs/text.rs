//! The few marks that descriptions use, as HTML: paragraphs, `code`, **bold**; and tables.

use std::fmt::Write;

use crate::html::escape;

/// Paragraphs, divided by empty lines.
pub(super) fn paragraphs(text: &str) -> String {
    let all = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    all.fold(String::new(), |mut out, paragraph| {
        let _ = writeln!(out, "<p>{}</p>", inline(paragraph));
        out
    })
}

/// One paragraph: what stands between back quotes is code, between double stars bold.
pub(super) fn inline(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            let _ = write!(out, "<code>{}</code>", escape(part));
        } else {
            out.push_str(&bold(part));
        }
    }
    out
}

fn bold(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split("**").enumerate() {
        let part = escape(part);
        let _ = if index % 2 == 1 { write!(out, "<strong>{part}</strong>") } else { write!(out, "{part}") };
    }
    out
}

/// A table with these headings; `fill` is given a function that adds a row of HTML cells.
pub(super) fn table<const N: usize>(
    out: &mut String,
    headings: [&str; N],
    fill: impl FnOnce(&mut dyn FnMut([String; N]) -> std::fmt::Result) -> std::fmt::Result,
) -> std::fmt::Result {
    out.push_str("<table><thead><tr>");
    for heading in headings {
        write!(out, "<th scope=\"col\">{heading}</th>")?;
    }
    out.push_str("</tr></thead><tbody>\n");
    fill(&mut |cells| {
        out.push_str("<tr>");
        for cell in cells {
            write!(out, "<td>{cell}</td>")?;
        }
        out.push_str("</tr>\n");
        Ok(())
    })?;
    out.push_str("</tbody></table>\n");
    Ok(())
}

#[cfg(test)]
mod tests;
