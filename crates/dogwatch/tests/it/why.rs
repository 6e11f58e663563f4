//! Why a phone rang for an alert, or did not.

use serde_json::{Value, json};

use crate::support::command::run_with;
use crate::support::{TOKEN, World};

async fn why(world: &World, number: u64, person: &str) -> (bool, String, Vec<String>) {
    let answer = world.get(&format!("/api/v1/alerts/{number}/why?person={person}")).await;
    let reasons = answer["reasons"].as_array().unwrap().iter();
    (
        answer["rang"].as_bool().unwrap(),
        answer["summary"].as_str().unwrap().to_owned(),
        reasons.map(|reason: &Value| reason["text"].as_str().unwrap().to_owned()).collect(),
    )
}

#[tokio::test]
async fn it_says_who_was_paged_and_why_the_other_was_not() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let number = world.notify("disk full").await;
    world.pass_seconds(25).await;
    world.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    world.settle().await;
    let (rang, summary, reasons) = why(&world, number, "john").await;
    assert!(rang);
    assert_eq!(summary, "Yes: John was paged 2 times for #1, through handset:john.");
    assert_eq!(
        reasons,
        [
            "Triggered for the team ops (test, by the API)",
            "Step 1 pages John",
            "On call for the team ops then: John, by the order of the team",
            "A page for John begins, by the notification plan for high urgency",
            "John's handset rings",
            "John's handset rings",
            "Acknowledged: test, by the API",
            "The page for John ends: the alert was acknowledged",
            "John's handset is told: test has it",
        ]
    );
    let (rang, summary, reasons) = why(&world, number, "bob").await;
    assert!(!rang);
    assert_eq!(
        summary,
        "No: Bob was not paged for #1: one step of the plan for the team ops fired, and it paged others."
    );
    assert!(reasons.contains(&"Step 1 pages John, not Bob".to_owned()), "{reasons:#?}");
}

#[tokio::test]
async fn it_tells_of_leave_and_overrides_as_they_were_then() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let schedule =
        json!({ "name": "ops", "zone": "UTC", "layers": [{ "name": "days", "people": ["john"] }] });
    world.post("/api/v1/schedules", schedule).await;
    world.request("PATCH", "/api/v1/teams/ops", Some(json!({ "schedule": "ops" }))).await;
    world.post("/api/v1/schedules/ops/takeover", json!({ "person": "bob", "reason": "John sleeps" })).await;
    let number = world.notify("disk full").await;
    world.pass_seconds(5).await;
    // What is said afterwards does not change what was.
    world.post("/api/v1/schedules/ops/hand-back", json!({ "person": "bob" })).await;
    world.pass_seconds(3_600).await;
    let (rang, _, reasons) = why(&world, number, "john").await;
    assert!(rang, "he was asked when the duty came back to him");
    let then = |text: &str| reasons.iter().any(|reason| reason.starts_with(text));
    assert!(then("Step 1 pages Bob, not John"), "{reasons:#?}");
    assert!(then("On call for ops (primary) then: Bob, by override override-"), "{reasons:#?}");
    assert!(then("Layer \"days\" names John, but override override-"), "{reasons:#?}");
    assert!(reasons.iter().any(|reason| reason.contains("(made by test: John sleeps)")), "{reasons:#?}");

    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world.post("/api/v1/people/john/leave", json!({ "from": "2026-03-02", "until": "2026-03-03" })).await;
    let number = world.notify("disk full").await;
    world.pass_seconds(5).await;
    let (rang, _, reasons) = why(&world, number, "john").await;
    assert!(!rang);
    assert!(reasons.contains(&"John is on leave then".to_owned()), "{reasons:#?}");
}

#[tokio::test]
async fn it_tells_of_silences_and_of_receipts() {
    let mut world = World::new().await;
    world.john_and_bob("webhook:https://john.example/", "handset:bob").await;
    let body = json!({ "match": { "summary": "disk*" }, "for": "1h", "reason": "new disks" });
    world.post("/api/v1/silences", body).await;
    let silenced = world.notify("disk full").await;
    world.pass_seconds(5).await;
    let (rang, summary, reasons) = why(&world, silenced, "john").await;
    assert!(!rang);
    assert_eq!(summary, "No: John was not paged for #1: the alert is silenced by test: new disks.");
    assert!(reasons[1].starts_with("Silenced for 1h by silence-"), "{reasons:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_tells_it_too_and_wrong_questions_are_refused() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world.notify("disk full").await;
    world.pass_seconds(5).await;
    let folder = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| {
        let variables = [("DOGWATCH_URL", world.url.as_str()), ("DOGWATCH_TOKEN", TOKEN)];
        run_with(folder.path(), arguments, "", &variables)
    };
    let told = command(&["why", "1", "--person", "john"]).out;
    assert!(
        told.starts_with(
            "Yes: John was paged once for #1, through handset:john.\n\n2026-03-02 03:00:00Z  Triggered"
        ),
        "{told}"
    );
    let as_json: Value =
        serde_json::from_str(&command(&["why", "1", "--person", "john", "--format", "json"]).out).unwrap();
    assert_eq!(as_json["rang"], true);
    let wrong = command(&["why", "1", "--person", "jon"]);
    assert!(wrong.code == 1 && wrong.err.contains("did you mean \"john\"?"), "{}", wrong.err);
    assert_eq!(world.request("GET", "/api/v1/alerts/9/why?person=john", None).await.status, 404);
    assert_eq!(world.request("GET", "/api/v1/alerts/1/why", None).await.status, 422);
}

#[tokio::test]
async fn it_tells_whose_duty_a_step_of_another_team_asked() {
    let text = r#"
[[schedule]]
name = "databases"
layers = [{ name = "days", people = ["dave"] }]
[[team]]
name = "db"
members = ["carol", "dave"]
schedule = "databases"
last_resort = ["team:db"]
[[team]]
name = "ops"
members = ["john"]
escalation_plan = "ops"
last_resort = ["team:db"]
[[escalation_plan]]
name = "ops"
steps = [{ notify = ["on_call"], after = "1m" }, { notify = ["team:db"], after = "1h" }]
"#;
    let mut world = World::defined(text).await;
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(61).await;
    let (rang, _, reasons) = why(&world, number, "dave").await;
    assert!(rang);
    let duty = |text: &str| reasons.iter().any(|reason| reason == text);
    assert!(duty("Step 2 pages Dave (team db)"), "{reasons:#?}");
    assert!(duty("On call for databases (primary) then: Dave, by layer \"days\""), "{reasons:#?}");
    assert!(duty("On call for the team ops then: John, by the order of the team"), "{reasons:#?}");
    let (rang, _, reasons) = why(&world, number, "carol").await;
    assert!(!rang);
    assert!(reasons.iter().any(|reason| reason.starts_with("On call for databases")), "{reasons:#?}");
    // The last resort asks that team's duty, too.
    world.pass_seconds(8_000).await;
    let (_, _, reasons) = why(&world, number, "carol").await;
    let asked = reasons.iter().filter(|reason| reason.starts_with("On call for databases (primary)")).count();
    assert!(asked > 2 || reasons.iter().any(|reason| reason.starts_with("The last resort")), "{reasons:#?}");
}

#[tokio::test]
async fn it_tells_that_a_message_was_held_back_and_by_what() {
    let text = "[[team]]\nname = \"ops\"\nmembers = [\"john\"]\nlast_resort = [\"person:john\"]\n";
    let mut world = World::defined(text).await;
    world.alert("ops", "error").await;
    world.settle().await;
    // A moment later: what follows within the minute goes together.
    world.pass_seconds(20).await;
    let second = world.alert("ops", "error").await;
    world.settle().await;
    let held = "A page to webhook:https://pager.example/john is held back for";
    let window =
        format!("{held} 40s: a message had just gone out through it, and what follows within 1m goes in one");
    let (rang, summary, reasons) = why(&world, second, "john").await;
    assert!(!rang && reasons.contains(&window), "{reasons:#?}");
    assert!(summary.contains("a page to webhook:https://pager.example/john is held back"), "{summary}");
    world.pass_seconds(100).await;
    let (rang, _, reasons) = why(&world, second, "john").await;
    assert!(rang && reasons.contains(&window), "what was is told afterwards, too: {reasons:#?}");

    // New kinds of critical alerts go out alone, until ten messages have.
    let mut world = World::defined(text).await;
    for kind in 0..11 {
        let integration = json!({ "name": format!("sender-{kind}"), "team": "ops" });
        world.post("/api/v1/integrations", integration).await;
        let key = world.post(&format!("/api/v1/integrations/sender-{kind}/keys"), json!({})).await;
        let key = key["secret"].as_str().unwrap().to_owned();
        let payload =
            json!({ "summary": format!("problem {kind}"), "source": "db1", "severity": "critical" });
        let event = json!({ "routing_key": key, "event_action": "trigger", "payload": payload });
        let url = format!("{}/v2/enqueue", world.url);
        let sent = world.client.post(url).body(event.to_string()).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
        world.pass_seconds(1).await;
    }
    let (_, _, reasons) = why(&world, 11, "john").await;
    let budget =
        reasons.iter().find(|reason| reason.starts_with(held)).unwrap_or_else(|| panic!("{reasons:#?}"));
    assert!(
        budget.contains("the budget is spent: 10 messages with pages went out to John within the 10m before"),
        "{budget}"
    );
    let (_, _, reasons) = why(&world, 10, "john").await;
    assert!(!reasons.iter().any(|reason| reason.starts_with(held)), "{reasons:#?}");
}
