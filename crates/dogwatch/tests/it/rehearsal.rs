//! Rehearsals: they tell what then happens, word for word; from a server and from files.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::command::{folder, run};

/// Two weeks of duty with a handoff on Monday at 08:00 in Berlin.
const OPS: &str = r#"
[[person]]
name = "john"
full_name = "John Smith"
contacts = ["handset:john", "email:john@example.org"]
notification_plans.high.steps = [
  { contact = "handset:john", wait = "2m" },
  { contact = "email:john@example.org", every = "5m" },
]

[[person]]
name = "bob"
full_name = "Bob"
contacts = ["handset:bob"]

[[person]]
name = "eve"
contacts = ["email:eve@example.org"]

[[rotation]]
name = "weekly"
members = ["john", "bob"]
handoff = "monday 08:00"
zone = "Europe/Berlin"
start = "2026-01-05"

[[schedule]]
name = "ops"
zone = "Europe/Berlin"
layers = [{ name = "weeks", rotation = "weekly" }]

[[escalation_plan]]
name = "ops"
steps = [
  { notify = ["on_call"], after = "5m" },
  { notify = ["next_on_call", "person:eve"], after = "10m" },
]

[[team]]
name = "ops"
members = ["john", "bob", "eve"]
schedule = "ops"
escalation_plan = "ops"
last_resort = ["person:eve"]
"#;

fn rehearse(arguments: &[&str]) -> String {
    let files = folder(&[("ops.toml", OPS)]);
    let arguments = [&["rehearse", "ops", "--config", "ops.toml"], arguments].concat();
    let ran = run(files.path(), &arguments, "");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}");
    ran.out
}

#[test]
fn a_manager_can_read_it() {
    let shown = rehearse(&["--at", "2026-03-16 07:58", "--answer", "bob@20m", "--provider-down", "email"]);
    insta::assert_snapshot!(shown, @r#"
    An alert for ops  Mon 2026-03-16 07:58, Europe/Berlin
    +0s       07:58:00 Triggered for the team ops (rehearsal)
                       Step 1 pages Bob
                       (primary: layer "weeks")
                       Bob's handset rings
    +2min     08:00:00 Duty changes hands: John Smith is on call now
                       John Smith's handset rings
    +4min     08:02:00 Not delivered to John Smith by mail, attempt 1: it is down in
                       this rehearsal
    +5min     08:03:00 Step 2 has a gap: nobody is next: everybody in the team was
                       paged in this round
                       Step 2 pages eve
                       Step 2 has a gap: everything that this step sent has failed
                       The last resort has a gap: everybody in this step has been
                       paged in this round (eve)
                       Nobody has answered; the operators are told
                       Not delivered to eve by mail, attempt 1: it is down in this
                       rehearsal
    +9min     08:07:00 Not delivered to John Smith by mail, attempt 1: it is down in
                       this rehearsal
    +14min    08:12:00 Not delivered to John Smith by mail, attempt 1: it is down in
                       this rehearsal
    +19min    08:17:00 Not delivered to John Smith by mail, attempt 1: it is down in
                       this rehearsal
    +20min    08:18:00 Acknowledged: Bob, by handset
                       John Smith's handset is told: Bob has it

    Bob has it, after 20 min
    first page: at once; people reached: 2 (bob, john)
    "#);
}

#[test]
fn where_nothing_gets_through_it_says_so() {
    let shown = rehearse(&[
        "--at",
        "2026-03-10",
        "--answer",
        "john@1m",
        "--provider-down",
        "email",
        "--provider-down",
        "handset",
    ]);
    assert!(shown.contains("(nothing got through to john)"), "{shown}");
    assert!(shown.contains("first page: never; people reached: nobody"), "{shown}");
}

#[test]
fn the_worst_hour_of_a_week_is_named() {
    // On Wednesday nobody is on call: the first to be reached is next.
    let gap = OPS.replace("rotation = \"weekly\" }", "rotation = \"weekly\", period = \"but-wednesday\" }");
    let period =
        "[[period]]\nname = \"but-wednesday\"\ntext = \"thursday 00:00-24:00\\nfriday 00:00-24:00\"\n";
    let files = folder(&[("ops.toml", &format!("{gap}{period}"))]);
    let arguments = ["rehearse", "ops", "--config", "ops.toml", "--all-week", "--at", "2026-03-16"];
    let ran = run(files.path(), &arguments, "");
    assert_eq!(ran.err, "");
    insta::assert_snapshot!(ran.out, @r#"
    Every hour of a week  seven days from Mon 2026-03-16 00:00, Europe/Berlin

    until the first page, by the hour:
    Mon 03-16  ........................
    Tue 03-17  ........................
    Wed 03-18  ........................
    Thu 03-19  ........................
    Fri 03-20  ........................
    Sat 03-21  ........................
    Sun 03-22  ........................
    . at once   - within 5 min   + within 30 min   # later   X never

    the first page  always at once
    three people    worst on Monday 00:00: never
    unanswered      worst on Thursday 00:00: after 30 min
    "#);
}

#[test]
fn a_question_that_makes_no_sense_is_refused_with_what_to_write() {
    let files = folder(&[("ops.toml", OPS)]);
    let ask = |more: &[&str]| {
        let arguments = [&["rehearse", "ops", "--config", "ops.toml"], more].concat();
        run(files.path(), &arguments, "").err
    };
    let wrong =
        ask(&["--answer", "bop@5x", "--provider-down", "pigeon", "--severity", "awful", "--at", "soon"]);
    for words in
        ["did you mean \"bob\"?", "answers[0].after", "write a kind of contact", "write critical", "at: "]
    {
        assert!(wrong.contains(words), "{words} in {wrong}");
    }
    assert!(ask(&["--answer", "bob"]).contains("bob@20m"));
}

/// The sentences of a rehearsal with the seconds at which they come, as [`World::story`] has them.
fn told(film: &Value) -> Vec<String> {
    let scenes = film["scenes"].as_array().unwrap().iter();
    scenes.map(|scene| format!("{} {}", scene["after"], scene["text"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn what_is_rehearsed_is_what_happens() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let film = world.post("/api/v1/teams/ops/rehearsals", json!({ "severity": "error" })).await;
    world.notify("disk full").await;
    world.settle().await;
    world.pass(SignedDuration::from_hours(3)).await;
    let happened = world.story(1).await;
    let rehearsed = told(&film);
    // The first line names the sender, and after the end of the film what repeats goes on.
    assert!(rehearsed.len() > 5, "{rehearsed:#?}");
    assert_eq!(rehearsed[1..], happened[1..rehearsed.len()]);
}

#[tokio::test]
async fn nothing_comes_of_a_rehearsal() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let answers = json!([{ "person": "john", "after": "1m" }]);
    let film = world.post("/api/v1/teams/ops/rehearsals", json!({ "answers": answers })).await;
    assert_eq!((&film["end"]["state"], &film["end"]["after"]), (&json!("acknowledged"), &json!(60)));
    let week = world.post("/api/v1/teams/ops/rehearsals/week", json!({})).await;
    assert_eq!(week["hours"].as_array().unwrap().len(), 168);
    world.settle().await;
    assert_eq!(world.get("/api/v1/alerts").await["items"], json!([]));
    let missing = world.request("POST", "/api/v1/teams/opz/rehearsals", Some(json!({}))).await;
    assert_eq!(missing.status, 404);
    let wrong = world.request("POST", "/api/v1/teams/ops/rehearsals", Some(json!({ "att": 1 }))).await;
    assert_eq!((wrong.status, &wrong.body["field"]), (422, &json!("att")));
}

#[test]
fn a_step_that_counts_alerts_sees_as_many_as_are_said() {
    let many = OPS.replace(
        r#"{ notify = ["next_on_call", "person:eve"], after = "10m" }"#,
        r#"{ notify = ["person:eve"], after = "10m", more_than = { alerts = 5, within = "10m" } }"#,
    );
    let files = folder(&[("ops.toml", &many)]);
    let rehearse = |more: &[&str]| {
        let fixed = ["rehearse", "ops", "--config", "ops.toml", "--at", "2026-03-16 12:00"];
        run(files.path(), &[&fixed[..], more].concat(), "")
    };
    let alone = rehearse(&[]).out;
    assert!(alone.contains("Step 2 is skipped: not more than 5 alerts within 10m: there"), "{alone}");
    assert!(!rehearse(&["--alerts", "6"]).out.contains("is skipped"));
    let wrong = rehearse(&["--alerts", "0"]);
    assert!(wrong.code != 0 && wrong.err.contains("write 1 to 1000000, this alert counted"), "{}", wrong.err);
}
