//! The link in a reminder to staff: seen, done, too late, somebody else's, and never in a log.

use std::path::PathBuf;

use nazorg::domain::entities::Role;
use nazorg_tests::{
    canary,
    hospital::Hospital,
    service::{BEGINNING, Ground, Leg, Service},
    smtp_sink::SmtpSink,
};
use reqwest::{Client, Method, Response, redirect::Policy};
use serde_json::{Value, json};
use uuid::Uuid;

const EVENT: &str = "2026-12-01T06:59:50Z";
const REPORTED: &str = "2026-12-01T07:00:00Z";
const PUBLIC: &str = "https://aftercare.example.org/n";
/// The talk is due, and the peer is reminded.
const DUE: &str = "2026-12-02T07:00:00Z";
/// A quarter of an hour after the window has closed the coordinator would be told.
const LATER: &str = "2026-12-03T12:00:00Z";

/// A talk the next day; a day later the coordinator hears that it was missed, unless somebody said that they saw the reminder.
const LADDER: &str = r"
protocol: ladder
title: {nl: Ladder, en: Ladder}
kind: second_victim_peer_support
record_profile: contact_log
anchors: {event_at: required, reported_at: required}
roles: [peer_supporter, coordinator]
steps:
  - step: talk
    title: {nl: Gesprek na het incident, en: Talk after the incident}
    actor: peer_supporter
    action: talk
    anchor: reported_at
    offset: PT24H
    window: {closes: PT48H}
    remind: [{to: actor, at: due}]
    escalate: [{to: coordinator, after_close: PT15M, unless: acknowledged}]
    outcomes: {held: [], declined: [], unsafe_at_home: []}
end:
  - {all_final: [talk], close: completed}
";

struct World {
    service: Service,
    hospital: Hospital,
    /// A browser that follows nothing by itself.
    browser: Client,
}

/// The public part of a link, which here leads elsewhere, taken off.
fn token(link: &str) -> String {
    link.strip_prefix(&format!("{PUBLIC}/l/")).unwrap_or_else(|| panic!("{link} is no link of ours")).to_owned()
}

fn links_in(text: &str) -> Vec<String> {
    text.split_whitespace().filter(|word| word.starts_with("https://")).map(str::to_owned).collect()
}

impl World {
    async fn found(settings: &[(&str, &str)], protocol: &str) -> Self {
        let usual = [("NAZORG_HTTP_PUBLIC_URL", PUBLIC), ("NAZORG_LIMITS_FAILED_AUTHENTICATIONS_PER_MINUTE", "10000")];
        let settings: Vec<_> = usual.into_iter().chain(settings.iter().copied()).collect();
        let service = Service::start_with(Ground::new(Leg::from_env()), BEGINNING, &settings).await;
        let mut hospital = Hospital::found(&service).await;
        hospital.publish(protocol).await;
        nazorg::choose_tls();
        let browser = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { service, hospital, browser }
    }

    async fn case(&self) -> Uuid {
        let case = self.hospital.open("nurse", (EVENT, REPORTED), None).await;
        self.hospital.assign(case, "peer_supporter", "peer").await;
        case
    }

    /// Every sheet in the outbox to one of the staff.
    fn sheets(&self, name: &str) -> Vec<(PathBuf, Value)> {
        let to = format!("{name}@hospital.example");
        let files = std::fs::read_dir(self.service.ground.outbox()).unwrap().flatten().map(|entry| entry.path());
        let sheets = files.filter(|path| path.extension().is_some_and(|kind| kind == "json")).map(|path| {
            let sheet: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            (path, sheet)
        });
        sheets.filter(|(_, sheet)| sheet["to"] == to).collect()
    }

    /// The token of the only mail to one of the staff.
    fn token_of(&self, name: &str) -> String {
        let sheets = self.sheets(name);
        assert_eq!(sheets.len(), 1, "{sheets:?}");
        let links = links_in(sheets[0].1["text"].as_str().unwrap());
        assert_eq!(links.len(), 1, "{sheets:?}");
        token(&links[0])
    }

    async fn ask(&self, method: Method, token: &str) -> Response {
        let request = self.browser.request(method, format!("{}/l/{token}", self.service.base));
        request.header("Accept-Language", "tr-TR,tr;q=0.9").send().await.unwrap()
    }

    async fn look(&self, token: &str) -> (u16, String) {
        let answer = self.ask(Method::GET, token).await;
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn press(&self, token: &str, button: &str) -> (u16, String) {
        let url = format!("{}/l/{token}", self.service.base);
        let form = self.browser.post(url).header("Content-Type", "application/x-www-form-urlencoded");
        let answer = form.body(format!("say={button}")).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// A dead link is the same page for everyone and whatever is wrong with it.
    async fn is_dead(&self, token: &str) {
        let nothing = self.look(&"A".repeat(48)).await;
        assert_eq!(nothing.0, 404);
        assert_eq!(self.look(token).await, nothing, "{token}");
        for button in ["seen", "done", "held"] {
            let (status, page) = self.press(token, button).await;
            assert_eq!((status, page.contains("<button")), (404, false), "{token} {button}");
        }
    }

    async fn ends(self, tokens: &[&str]) {
        self.service.is_balanced().await;
        let metrics = reqwest::get(format!("{}/metrics", self.service.operations)).await.unwrap().text().await.unwrap();
        assert!(nazorg_tests::logs::text().contains("nazorg::access"), "there are log lines to look into");
        canary::assert_nowhere(&self.service.ground, &metrics, tokens);
    }
}

#[tokio::test]
async fn who_says_that_they_saw_it_is_not_escalated_and_looking_says_nothing() {
    let world = World::found(&[], LADDER).await;
    let case = world.case().await;
    world.service.travel_to(DUE).await;
    let token = world.token_of("peer");
    let before = (world.hospital.messages(case).await, world.hospital.step(case, "talk").await);

    // What opens a link before anybody reads the mail.
    for _ in 0..3 {
        let head = world.ask(Method::HEAD, &token).await;
        assert_eq!((head.status().as_u16(), head.text().await.unwrap().as_str()), (200, ""));
        assert_eq!(world.look(&token).await.0, 200);
    }
    assert_eq!(before, (world.hospital.messages(case).await, world.hospital.step(case, "talk").await));

    let answer = world.ask(Method::GET, &token).await;
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && policy.contains("form-action 'self'"));
    let fixed = ["referrer-policy", "cache-control", "x-frame-options", "content-language"].map(header);
    assert_eq!(fixed, ["no-referrer", "no-store", "DENY", "nl"]);
    let page = answer.text().await.unwrap();
    assert!(page.contains("<html lang=\"nl\" dir=\"ltr\">") && page.contains("Ik heb dit gezien"), "{page}");
    let lower = page.to_lowercase();
    for reveals in
        ["canary", "gesprek na", "ladder", "nurse", "incident", "ziekenhuis", "unsafe", "nazorg", "<script", "://"]
    {
        assert!(!lower.contains(reveals), "{reveals:?} stands in {page}");
    }

    for _ in 0..2 {
        let (status, page) = world.press(&token, "seen").await;
        assert!(status == 200 && page.contains("Het is genoteerd."), "{page}");
    }
    let reminder = world.hospital.messages(case).await.remove(0);
    assert_eq!(reminder["acknowledgedAt"], DUE.replace('Z', ".000Z"));
    world.service.travel_to(LATER).await;
    assert_eq!(world.sheets("coordinator").len(), 0, "nobody is told over their head");
    assert_eq!(world.hospital.step(case, "talk").await["status"], "overdue", "but it stays to be done");
    world.ends(&[&token]).await;
}

#[tokio::test]
async fn who_says_nothing_is_escalated_and_the_coordinator_may_say_that_they_saw_it() {
    let world = World::found(&[], LADDER).await;
    let case = world.case().await;
    world.service.travel_to(LATER).await;
    let token = world.token_of("coordinator");
    let (status, page) = world.look(&token).await;
    assert!(status == 200 && page.matches("<button").count() == 1, "the talk is not theirs to do: {page}");
    assert_eq!(world.press(&token, "held").await.0, 404);
    assert_eq!(world.press(&token, "seen").await.0, 200);
    assert_eq!(world.hospital.step(case, "talk").await["status"], "escalated");
    let seen = world.hospital.messages(case).await.into_iter().filter(|one| one["acknowledgedAt"].is_string());
    assert_eq!(seen.count(), 1);
    world.ends(&[&token]).await;
}

#[tokio::test]
async fn what_came_of_it_is_said_by_its_recipient_once() {
    let sink = SmtpSink::start().await;
    let world = World::found(&[("SMTP_URL", &sink.url())], LADDER).await;
    let case = world.case().await;
    world.service.travel_to(DUE).await;
    let mail = sink.accepted().into_iter().find(|mail| mail.to == ["peer@hospital.example"]).unwrap();
    // Quoted-printable: a long line goes on after `=`.
    let text = mail.data.replace("=\r\n", "").replace("=3D", "=");
    let token = token(&links_in(&text)[0]);

    let (_, page) = world.look(&token).await;
    let buttons: Vec<_> = ["seen", "held", "declined", "done", "unsafe_at_home"]
        .into_iter()
        .filter(|value| page.contains(&format!("value=\"{value}\"")))
        .collect();
    assert_eq!(buttons, ["seen", "held", "declined"], "what reveals nothing: {page}");
    assert!(page.contains("Iets anders? Log dan in."));
    for nonsense in ["", "done", "expired", "held%20", "seen=seen", "unsafe_at_home"] {
        assert_eq!(world.press(&token, nonsense).await.0, 409, "{nonsense}");
    }
    for _ in 0..2 {
        let (status, page) = world.press(&token, "held").await;
        assert!(status == 200 && page.contains("Dank u wel"), "{status} {page}");
    }
    let talk = world.hospital.step(case, "talk").await;
    assert_eq!((&talk["status"], &talk["outcome"]), (&json!("done"), &json!("held")));
    let (status, page) = world.press(&token, "declined").await;
    assert!(status == 409 && page.contains("al afgerond"), "what was said first stands, and that is told: {page}");
    assert_eq!(world.hospital.step(case, "talk").await["outcome"], "held");

    let nurse = world.hospital.people["nurse"];
    let log = world.hospital.coordinator.get(&format!("/v1/persons/{nurse}/access-events?limit=100")).await.expect(200);
    let done: Vec<_> =
        log["items"].as_array().unwrap().iter().filter(|line| line["code"] == "follow_up.completed").collect();
    assert_eq!(done.len(), 1, "once: {done:?}");
    let (actor, role) = (&done[0]["actorId"], &done[0]["role"]);
    assert_eq!((actor, role), (&json!(world.hospital.people["peer"]), &json!("link")));
    world.ends(&[&token]).await;
}

#[tokio::test]
async fn somebody_else_was_first() {
    let world = World::found(&[], LADDER).await;
    let case = world.case().await;
    world.service.travel_to(DUE).await;
    let token = world.token_of("peer");
    world.hospital.complete(case, "talk", "held").await;
    let (status, page) = world.look(&token).await;
    assert!(status == 200 && page.contains("Deze taak is al afgerond") && !page.contains("<button"), "{page}");
    for button in ["held", "declined", "seen"] {
        let (status, page) = world.press(&token, button).await;
        assert!(status == 409 && page.contains("Deze taak is al afgerond"), "{button}: {status} {page}");
    }
    world.ends(&[&token]).await;
}

#[tokio::test]
async fn a_link_that_was_tampered_with_or_is_anothers_is_dead() {
    let world = World::found(&[], LADDER).await;
    world.case().await;
    world.service.travel_to(DUE).await;
    let token = world.token_of("peer");
    for place in [0, 10, 21, 22, 26, 27, 40, 46] {
        let mut letters = token.clone().into_bytes();
        letters[place] = if letters[place] == b'x' { b'y' } else { b'x' };
        world.is_dead(&String::from_utf8(letters).unwrap()).await;
    }
    for not in ["x", &token[1..], &format!("{token}A"), &"%C3%A9".repeat(8), "..%2F..%2Fv1"] {
        world.is_dead(not).await;
    }
    // Another installation's own link, made with another key.
    let other =
        World::found(&[("NAZORG_KEYS_MASTER_KEY", "HxgdHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=")], LADDER).await;
    other.case().await;
    other.service.travel_to(DUE).await;
    world.is_dead(&other.token_of("peer")).await;
    assert_eq!(world.look(&token).await.0, 200);
    let wrong = world.ask(Method::PUT, &token).await;
    assert_eq!(wrong.status().as_u16(), 405);
    world.ends(&[&token]).await;
}

#[tokio::test]
async fn a_link_ends_after_fourteen_days() {
    let world = World::found(&[], LADDER).await;
    let case = world.case().await;
    world.service.travel_to(DUE).await;
    let token = world.token_of("peer");
    world.service.travel_to("2026-12-16T06:59:00Z").await;
    assert_eq!(world.look(&token).await.0, 200);
    world.service.travel_to("2026-12-16T07:00:00Z").await;
    world.is_dead(&token).await;
    assert_eq!(world.hospital.step(case, "talk").await["outcome"], Value::Null);
    world.ends(&[&token]).await;
}

#[tokio::test]
async fn a_link_ends_for_whoever_is_not_the_one_any_more_or_does_not_work_here() {
    let world = World::found(&[], LADDER).await;
    let case = world.case().await;
    let admin = &world.hospital.tenant.admin;
    let peer = world.hospital.people["peer"];
    let membership = json!({"personId": peer, "role": Role::Supporter.as_str()});
    let membership = admin.post("/v1/memberships", membership).await.id_of(201);
    world.service.travel_to(DUE).await;
    let token = world.token_of("peer");
    assert_eq!(world.look(&token).await.0, 200);

    world.hospital.assign(case, "peer_supporter", "other_peer").await;
    world.is_dead(&token).await;
    world.hospital.assign(case, "peer_supporter", "peer").await;
    assert_eq!(world.look(&token).await.0, 200, "theirs again");

    let path = format!("/v1/memberships/{membership}");
    let ended = admin.post_nothing(&format!("{path}/end")).await;
    assert!(ended.status < 300, "{ended:?}");
    world.is_dead(&token).await;
    assert_eq!(world.hospital.step(case, "talk").await["outcome"], Value::Null);
    world.ends(&[&token]).await;
}

#[tokio::test]
async fn a_case_that_moves_to_another_ward_is_that_wards_to_do() {
    let world = World::found(&[], LADDER).await;
    let (hospital, api) = (&world.hospital, &world.hospital.coordinator);
    let elsewhere = json!({"name": "Ward 5 South", "kind": "department"});
    let elsewhere = hospital.tenant.admin.post("/v1/units", elsewhere).await.id_of(201);
    for (name, unit) in [("peer", hospital.ward), ("other_peer", elsewhere)] {
        let place = json!({"role": "peer_supporter", "personId": hospital.people[name], "unitId": unit, "position": 1});
        api.post("/v1/roster-entries", place).await.expect(201);
    }
    let case = hospital.open("nurse", (EVENT, REPORTED), None).await;
    world.service.travel_to(DUE).await;
    let token = world.token_of("peer");
    assert_eq!(world.look(&token).await.0, 200);

    let path = format!("/v1/cases/{case}");
    let etag = api.get(&path).await.etag();
    api.patch(&path, &etag, json!({"unitId": elsewhere})).await.expect(200);
    world.is_dead(&token).await;
    let talk = hospital.step(case, "talk").await;
    let (unit, actor) = (&talk["unitId"], &talk["actorId"]);
    assert_eq!((unit, actor), (&json!(elsewhere), &json!(hospital.people["other_peer"])));
    let todo = async |query: String| {
        let page = api.get(&format!("/v1/follow-ups?{query}&limit=100")).await.expect(200);
        page["items"].as_array().unwrap().len()
    };
    for (name, unit, found) in [("peer", hospital.ward, 0), ("other_peer", elsewhere, 1)] {
        let person = hospital.people[name];
        assert_eq!(todo(format!("actorId={person}")).await, found, "{name}");
        assert_eq!(todo(format!("unitId={unit}")).await, found, "{unit}");
    }
    let as_before = hospital.as_supporter(&world.service, "peer").await;
    let talk = format!("/v1/follow-ups/{}/complete", talk["id"].as_str().unwrap());
    as_before.post(&talk, json!({"outcome": "held"})).await.expect(404);
    let now_theirs = hospital.as_supporter(&world.service, "other_peer").await;
    now_theirs.post(&talk, json!({"outcome": "held"})).await.expect(200);

    // What is over stays where it was done.
    let etag = api.get(&path).await.etag();
    api.patch(&path, &etag, json!({"unitId": hospital.ward})).await.expect(200);
    assert_eq!(hospital.step(case, "talk").await["unitId"], json!(elsewhere));
    world.ends(&[&token]).await;
}

#[tokio::test]
async fn a_link_of_somebody_who_was_erased_is_as_one_that_has_ended() {
    let world = World::found(&[], LADDER).await;
    let case = world.case().await;
    world.service.travel_to(DUE).await;
    let token = world.token_of("peer");
    assert_eq!(world.press(&token, "held").await.0, 200);
    assert_eq!(world.look(&token).await.0, 200, "what they did is told to them");
    assert_eq!(world.hospital.coordinator.get(&format!("/v1/cases/{case}")).await.expect(200)["status"], "closed");
    let erase = format!("/v1/persons/{}/erase", world.hospital.people["peer"]);
    world.hospital.coordinator.post_nothing(&erase).await.expect(200);
    world.is_dead(&token).await;
    world.ends(&[&token]).await;
}

#[tokio::test]
async fn neither_a_digest_nor_a_message_to_a_person_has_a_link_and_without_a_public_address_nothing_has() {
    let world = World::found(&[], LADDER).await;
    for name in ["nurse", "resident"] {
        let case = world.hospital.open(name, (EVENT, REPORTED), None).await;
        world.hospital.assign(case, "peer_supporter", "peer").await;
    }
    world.service.travel_to(DUE).await;
    let sheets = world.sheets("peer");
    assert_eq!(sheets.len(), 1, "one for both");
    assert_eq!(links_in(sheets[0].1["text"].as_str().unwrap()), Vec::<String>::new(), "which of them would it be?");
    world.ends(&[]).await;

    let mut world = World::found(&[("NAZORG_HTTP_PUBLIC_URL", "")], nazorg_tests::hospital::CHECK_IN).await;
    world.hospital.register_agreeing("patient").await;
    let case = world.hospital.open("patient", (EVENT, REPORTED), None).await;
    world.hospital.assign(case, "peer_supporter", "peer").await;
    world.service.configure("NAZORG_HTTP_PUBLIC_URL", PUBLIC);
    world.service.restart().await;
    world.service.travel_to("2026-12-02T07:00:00Z").await;
    let asked = world.sheets("patient");
    assert_eq!(asked.len(), 1);
    assert_eq!(links_in(asked[0].1["text"].as_str().unwrap()), Vec::<String>::new());
    world.service.configure("NAZORG_HTTP_PUBLIC_URL", "");
    world.service.restart().await;
    world.service.travel_to("2026-12-15T12:00:00Z").await;
    let told = world.sheets("peer");
    assert_eq!(told.len(), 1);
    assert_eq!(links_in(told[0].1["text"].as_str().unwrap()), Vec::<String>::new());
    world.ends(&[]).await;
}

#[tokio::test]
async fn links_cannot_be_guessed_at_leisure() {
    let world = World::found(&[("NAZORG_LIMITS_FAILED_AUTHENTICATIONS_PER_MINUTE", "3")], LADDER).await;
    world.case().await;
    world.service.travel_to(DUE).await;
    let token = world.token_of("peer");
    let mut statuses = Vec::new();
    for _ in 0..5 {
        statuses.push(world.look(&"A".repeat(48)).await.0);
    }
    assert_eq!(statuses, [404, 404, 404, 429, 429]);
    assert_eq!(world.look(&token).await.0, 200, "one that holds works all the same");
    world.ends(&[&token]).await;
}

/// The words that no message may hold stand on no page either, in no language.
#[tokio::test]
async fn the_page_reveals_nothing_in_any_language() {
    let revealing = include_str!("../../../worker/templates/revealing.yaml");
    let joined = revealing.replace("\n    ", " ");
    let lists: Vec<&str> = joined.lines().filter(|line| line.trim_start().starts_with("stems:")).collect();
    assert_eq!(lists.len(), 6, "a list per language");
    let listed: Vec<String> =
        lists.iter().map(|line| line.split_once(':').unwrap().1.replace(" - ", ",").replace(['[', ']'], "")).collect();
    let stems: Vec<String> =
        listed.iter().flat_map(|list| list.split(',')).map(|stem| stem.trim().to_lowercase()).collect();
    let anything = LADDER.replace(
        "held: [], declined: [], unsafe_at_home: []",
        "done: [], held: [], reached: [], answered: [], agreed: [], accepted: [], assigned: [], arrived: [], moved: [], declined: [], \
         no_response: [], no_answer: [], unreachable: [], no_show: []",
    );
    let world = World::found(&[], &anything).await;
    let peer = world.hospital.people["peer"];
    let case = world.case().await;
    world.service.travel_to(DUE).await;
    let token = world.token_of("peer");
    let api = &world.hospital.coordinator;
    for (language, direction) in
        [("nl", "ltr"), ("en", "ltr"), ("uk", "ltr"), ("ru", "ltr"), ("ar", "rtl"), ("tr", "ltr")]
    {
        let path = format!("/v1/persons/{peer}");
        let etag = api.get(&path).await.etag();
        api.patch(&path, &etag, json!({"language": language})).await.expect(200);
        let (_, page) = world.look(&token).await;
        assert!(page.contains(&format!("<html lang=\"{language}\" dir=\"{direction}\">")), "{page}");
        assert_eq!(page.matches("<button").count(), 15, "seen, and whatever a page has words for: {page}");
        let text = page.to_lowercase();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
        for stem in stems.iter().filter(|stem| stem.chars().count() > 3) {
            // Arabic writes articles and prepositions onto its words.
            let inside = stem.chars().any(|c| ('\u{600}'..='\u{6ff}').contains(&c)) && text.contains(stem.as_str());
            let begins = words.iter().any(|word| word.starts_with(stem.as_str()));
            assert!(!inside && !begins, "{stem} stands on the page: {page}");
        }
    }
    world.hospital.complete(case, "talk", "held").await;
    world.ends(&[&token]).await;
}

/// Who stands on the roster of a unit above is whom a follow-up falls to, and so may do it.
#[tokio::test]
async fn a_follow_up_is_done_by_whoever_is_rostered_above_its_unit() {
    let world = World::found(&[], LADDER).await;
    let (hospital, api) = (&world.hospital, &world.hospital.coordinator);
    let admin = &hospital.tenant.admin;
    let location = admin.post("/v1/units", json!({"name": "Riverside", "kind": "location"})).await.id_of(201);
    let ward = json!({"name": "Ward 5 South", "kind": "department", "parentId": location});
    let ward = admin.post("/v1/units", ward).await.id_of(201);
    let other = admin.post("/v1/units", json!({"name": "Hillside", "kind": "location"})).await.id_of(201);
    for (name, unit) in [("peer", location), ("other_peer", other)] {
        let place = json!({"role": "peer_supporter", "personId": hospital.people[name], "unitId": unit, "position": 1});
        api.post("/v1/roster-entries", place).await.expect(201);
    }
    let case = hospital.open("nurse", (EVENT, REPORTED), None).await;
    let path = format!("/v1/cases/{case}");
    let etag = api.get(&path).await.etag();
    api.patch(&path, &etag, json!({"unitId": ward})).await.expect(200);
    world.service.travel_to(DUE).await;
    let talk = hospital.step(case, "talk").await;
    assert_eq!(talk["actorId"], json!(hospital.people["peer"]));
    let todo = format!("/v1/follow-ups?actorId={}", hospital.people["peer"]);
    assert_eq!(api.get(&todo).await.expect(200)["items"][0]["id"], talk["id"]);

    let talk = format!("/v1/follow-ups/{}/complete", talk["id"].as_str().unwrap());
    let not_theirs = hospital.as_supporter(&world.service, "other_peer").await;
    not_theirs.post(&talk, json!({"outcome": "held"})).await.expect(404);
    let theirs = hospital.as_supporter(&world.service, "peer").await;
    theirs.post(&talk, json!({"outcome": "held"})).await.expect(200);
    world.ends(&[]).await;
}
