//! `nazorg protocol`: the engine at the command line. Needs no configuration and no database.

mod table;

use std::{io::Read, path::PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use clap::{Args, Subcommand};
use nazorg_domain::protocols::{
    Fault, Offset, OutcomeGiven, Preview, PreviewRequest, PreviewUntil, Protocol, Surroundings, built_in, parse,
    parse_outcome_argument, preview,
};
use serde_json::json;

use super::say;
use crate::Failure;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List the protocols that come with the service.
    List,
    /// Print one of them, to copy and adapt.
    Show {
        /// Its name, as `list` shows it.
        name: String,
    },
    /// Check a protocol: every fault at once, each with its place and code.
    Check(Document),
    /// Show everything a protocol would bring: each follow-up with its window, each message with its moment and reason.
    Preview(Imagined),
}

#[derive(Debug, Args)]
pub(super) struct Document {
    /// A YAML or JSON file, - for standard input, or the name of a protocol that comes with the service.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// JSON for programs instead of text for people.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Imagined {
    #[command(flatten)]
    document: Document,
    /// An anchor and its moment, such as event_at=2026-12-17T02:20:00Z; repeat for more.
    #[arg(long = "anchor", value_name = "NAME=INSTANT", value_parser = anchor)]
    anchors: Vec<(String, DateTime<Utc>)>,
    /// What comes of a step, such as offer=accepted or talk#2=held@2027-01-02T10:00:00Z; repeat for more.
    #[arg(long = "outcome", value_name = "STEP[#N]=CODE[@INSTANT]", value_parser = outcome)]
    outcomes: Vec<OutcomeGiven>,
    /// The time zone of the organisation, unless the protocol names one.
    #[arg(long, default_value = "Europe/Amsterdam")]
    zone: Tz,
    /// Where it ends: a duration after the start, or an instant. Two years when nothing is said.
    #[arg(long, value_name = "DURATION|INSTANT", value_parser = until)]
    until: Option<PreviewUntil>,
    /// When the trajectory starts; at the earliest required anchor when nothing is said.
    #[arg(long, value_name = "INSTANT")]
    started_at: Option<DateTime<Utc>>,
    /// A step the person opted in to; repeat for more. Every step that asks for it when nothing is said.
    #[arg(long = "opt-in", value_name = "STEP", conflicts_with = "no_opt_in")]
    opted_in: Vec<String>,
    /// The person opted in to nothing.
    #[arg(long)]
    no_opt_in: bool,
    /// A parameter of the person's own rhythm, such as every=P1M; repeat for more.
    #[arg(long = "param", value_name = "NAME=DURATION", value_parser = param)]
    params: Vec<(String, Offset)>,
    /// A day on which the organisation is closed; repeat for more.
    #[arg(long = "closed-day", value_name = "DATE")]
    closed_days: Vec<NaiveDate>,
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List => say(built_in().iter().map(|own| own.name).collect::<Vec<_>>().join("\n")),
        Command::Show { name } => say(shipped(&name).ok_or_else(|| unknown(&name))?),
        Command::Check(document) => check(&document),
        Command::Preview(imagined) => show(imagined),
    }
}

fn check(document: &Document) -> Result<(), Failure> {
    let read = parse(&text(document)?);
    let faults = read.as_ref().err().map(Vec::as_slice).unwrap_or_default();
    if document.json {
        say(json!({"valid": read.is_ok(), "faults": faults}).to_string())?;
    }
    match &read {
        Ok(_) if document.json => Ok(()),
        Ok(Protocol { name, kind, steps, .. }) => say(format!("{name}: valid ({kind}, {} steps)", steps.len())),
        Err(faults) => Err(refused(document, faults)),
    }
}

fn show(imagined: Imagined) -> Result<(), Failure> {
    let Imagined { document, anchors, outcomes, zone, until, started_at, opted_in, no_opt_in, params, closed_days } =
        imagined;
    let protocol = parse(&text(&document)?).map_err(|faults| told(&document, &faults))?;
    let mut organisation = Surroundings { zone, ..Surroundings::default() };
    organisation.calendar.closed_days = closed_days.into_iter().collect();
    let around = protocol.surroundings(&organisation);
    let opted_in = (no_opt_in || !opted_in.is_empty()).then_some(opted_in);
    let params = params.into_iter().collect();
    let request = PreviewRequest { anchors, outcomes, until, started_at, opted_in, params };
    let found: Preview = preview(&protocol, &around, &request).map_err(|faults| told(&document, &faults))?;
    if document.json {
        return say(serde_json::to_string_pretty(&found).map_err(Failure::internal)?);
    }
    say(table::of(&found, around.zone))
}

/// The faults as the caller wants them: with `--json` they are printed, and the process only fails.
fn told(document: &Document, faults: &[Fault]) -> Failure {
    if document.json
        && let Err(failure) = say(json!({"valid": false, "faults": faults}).to_string())
    {
        return failure;
    }
    refused(document, faults)
}

fn refused(document: &Document, faults: &[Fault]) -> Failure {
    let (file, count) = (document.file.display(), faults.len());
    let mut text = format!("{file} has {count} fault{}", if count == 1 { "" } else { "s" });
    if !document.json {
        for Fault { path, code, detail } in faults {
            let place = if path.is_empty() { "the document" } else { path };
            text.push_str(&format!("\n  {place}: {detail} ({})", code.as_str()));
        }
    }
    Failure::Refused(text)
}

fn text(document: &Document) -> Result<String, Failure> {
    let mut text = String::new();
    if document.file.as_os_str() == "-" {
        let read = std::io::stdin().read_to_string(&mut text);
        return read.map(|_| text).map_err(|source| Failure::Io { what: "standard input".to_owned(), source });
    }
    if !document.file.exists()
        && let Some(shipped) = document.file.to_str().and_then(shipped)
    {
        return Ok(shipped.to_owned());
    }
    std::fs::read_to_string(&document.file).map_err(Failure::io("the protocol cannot be read", &document.file))
}

fn shipped(name: &str) -> Option<&'static str> {
    built_in().iter().find(|own| own.name == name).map(|own| own.text)
}

fn unknown(name: &str) -> Failure {
    Failure::Refused(format!("no protocol called {name} comes with the service; see nazorg protocol list"))
}

fn pair(text: &str) -> Result<(String, &str), String> {
    text.split_once('=').map(|(name, value)| (name.to_owned(), value)).ok_or_else(|| "expected NAME=VALUE".to_owned())
}

fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    text.parse().map_err(|_| format!("{text:?} is no instant such as 2026-12-17T02:20:00Z"))
}

fn duration(text: &str) -> Result<Offset, String> {
    text.parse().map_err(|error| format!("{text:?}: {error}"))
}

fn anchor(text: &str) -> Result<(String, DateTime<Utc>), String> {
    let (name, at) = pair(text)?;
    Ok((name, instant(at)?))
}

fn param(text: &str) -> Result<(String, Offset), String> {
    let (name, every) = pair(text)?;
    Ok((name, duration(every)?))
}

fn outcome(text: &str) -> Result<OutcomeGiven, String> {
    parse_outcome_argument(text).map_err(|fault| fault.detail)
}

fn until(text: &str) -> Result<PreviewUntil, String> {
    match duration(text) {
        Ok(after) => Ok(PreviewUntil::After(after)),
        Err(_) if !text.starts_with(['P', '-']) => instant(text).map(PreviewUntil::At),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
