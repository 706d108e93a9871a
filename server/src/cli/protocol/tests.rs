use clap::Parser;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

fn read(line: &[&str]) -> Result<Command, String> {
    let words = std::iter::once("protocol").chain(line.iter().copied());
    Line::try_parse_from(words).map(|line| line.command).map_err(|error| error.to_string())
}

#[test]
fn what_comes_with_the_service_is_valid_and_found_by_its_name() {
    for own in built_in() {
        run(read(&["check", own.name]).unwrap()).unwrap();
    }
    assert!(run(read(&["show", "nothing"]).unwrap()).is_err());
}

#[test]
fn faults_end_the_process_badly() {
    let document = Document { file: "/dev/null".into(), json: false };
    let failure = check(&document).unwrap_err();
    assert_eq!(failure.exit_code(), 1);
    assert!(failure.to_string().contains("/dev/null has"), "{failure}");
}

#[test]
fn a_preview_says_when_in_local_time_and_why() {
    let line = [
        "preview",
        "second_victim_peer_support",
        "--anchor=event_at=2026-12-17T02:20:00Z",
        "--anchor=reported_at=2026-12-17T06:45:00Z",
        "--outcome=offer=accepted",
        "--until=P1Y",
    ];
    let Command::Preview(imagined) = read(&line).unwrap() else { panic!("a preview") };
    let protocol = parse(shipped("second_victim_peer_support").unwrap()).unwrap();
    let request = PreviewRequest { anchors: imagined.anchors, outcomes: imagined.outcomes, ..Default::default() };
    let found = preview(&protocol, &protocol.surroundings(&Surroundings::default()), &request).unwrap();
    let text = table::of(&found, imagined.zone);
    assert!(text.contains("Fri 2026-12-18 07:45  offer"), "{text}");
    assert!(text.contains("done (accepted)"), "{text}");
}

#[test]
fn a_wrong_argument_says_what_was_expected() {
    assert!(read(&["preview", "x", "--until=P2Q"]).unwrap_err().contains("ISO 8601 duration"));
    assert!(read(&["preview", "x", "--anchor=event_at=yesterday"]).unwrap_err().contains("no instant"));
    assert!(read(&["preview", "x", "--outcome=offer"]).unwrap_err().contains("step[#n]=code"));
}
