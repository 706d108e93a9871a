//! A preview as a table for people, in local time.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use nazorg_domain::protocols::{Preview, PreviewFollowUp, PreviewMessage};

/// Both lists, one below the other.
pub(super) fn of(preview: &Preview, zone: Tz) -> String {
    let follow_ups = preview.follow_ups.iter().map(|follow_up| follow_up_row(follow_up, zone));
    let messages = preview.messages.iter().map(|message| message_row(message, zone));
    format!(
        "FOLLOW-UPS, local time in {zone}\n{}\n\nMESSAGES\n{}",
        aligned(&["due", "step", "by", "opens", "closes", "status", "because"], follow_ups),
        aligned(&["at", "about", "to", "because", "called off"], messages),
    )
}

fn follow_up_row(follow_up: &PreviewFollowUp, zone: Tz) -> Vec<String> {
    let PreviewFollowUp {
        step, occurrence, actor, opens_at, due_at, closes_at, status, outcome, reason, moved_by, ..
    } = follow_up;
    let status = match outcome {
        Some(outcome) => format!("{} ({outcome})", status.as_str()),
        None => status.as_str().to_owned(),
    };
    let because = reason.iter().cloned().chain((!moved_by.is_empty()).then(|| format!("past {}", moved_by.join(", "))));
    vec![
        due_at.map_or_else(|| "waits".to_owned(), |at| local(at, zone)),
        numbered(step, *occurrence),
        actor.clone(),
        opens_at.map(|at| local(at, zone)).unwrap_or_default(),
        closes_at.map(|at| local(at, zone)).unwrap_or_default(),
        status,
        because.collect::<Vec<_>>().join("; "),
    ]
}

fn message_row(message: &PreviewMessage, zone: Tz) -> Vec<String> {
    let PreviewMessage { step, occurrence, to, at, because, called_off_at, .. } = message;
    vec![
        local(*at, zone),
        numbered(step, *occurrence),
        to.clone(),
        (*because).to_owned(),
        called_off_at.map(|at| local(at, zone)).unwrap_or_default(),
    ]
}

fn numbered(step: &str, occurrence: i32) -> String {
    if occurrence == 1 { step.to_owned() } else { format!("{step}#{occurrence}") }
}

fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%a %Y-%m-%d %H:%M").to_string()
}

/// Columns as wide as their widest cell.
fn aligned(titles: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head: Vec<String> = titles.iter().map(|title| (*title).to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    if rows.len() == 1 {
        return "  none".to_owned();
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("  {}", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}
