//! What a team makes of severities: who is woken, what may wait, and that everything shows the same.

use serde_json::{Value, json};

use crate::support::World;
use crate::support::command::{folder, run};
use crate::support::definitions::people;

/// By day a warning wakes the team, at night nothing below critical does.
const OPS: &str = r#"
[[period]]
name = "office"
rules = [{ days = "monday - friday", hours = "09:00-17:00" }]

[[person]]
name = "eve"
contacts = ["webhook:https://pager.example/high", "webhook:https://pager.example/low"]
notification_plans.high.steps = [{ contact = "webhook:https://pager.example/high", wait = "1h" }]
notification_plans.low.steps = [{ contact = "webhook:https://pager.example/low", wait = "1h" }]

[[team]]
name = "ops"
members = ["eve"]
urgency = [
  { severity = "warning", urgency = "high", during = "office", zone = "Europe/Berlin" },
  { severity = "error", urgency = "high", during = "office", zone = "Europe/Berlin" },
  { severity = "error", urgency = "low" },
]
"#;

async fn raise(world: &mut World, severity: &str) -> (Value, String) {
    let number = world.alert("ops", severity).await;
    world.settle().await;
    let paged = world.pages().last().cloned().unwrap_or_default();
    let shown = world.get(&format!("/api/v1/alerts/{number}")).await["urgency"].clone();
    // What follows within a minute would go into one message.
    world.post(&format!("/api/v1/alerts/{number}/resolve"), json!({})).await;
    world.pass_seconds(61).await;
    (shown, paged.split(' ').nth(1).unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_severity_means_what_the_team_says_at_that_time_and_is_shown_so() {
    let mut world = World::defined(OPS).await;
    // 04:00 in Berlin.
    for (severity, urgency) in [("critical", "high"), ("error", "low"), ("warning", "low"), ("info", "low")] {
        assert_eq!(raise(&mut world, severity).await, (json!(urgency), urgency.to_owned()), "{severity}");
    }
    // 09:04 in Berlin.
    world.pass_seconds(18_000).await;
    for (severity, urgency) in [("critical", "high"), ("error", "high"), ("warning", "high"), ("info", "low")]
    {
        assert_eq!(raise(&mut world, severity).await, (json!(urgency), urgency.to_owned()), "{severity}");
    }
    // What is over is shown as it was when it ended: an error of the night stays one of low urgency.
    let list = world.get("/api/v1/alerts?status=resolved").await;
    let shown: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|alert| alert["urgency"].clone()).collect();
    assert_eq!(shown, ["low", "high", "high", "high", "low", "low", "low", "high"]);
}

#[tokio::test]
async fn a_message_that_is_to_wake_somebody_says_so_by_the_teams_word() {
    let mut world = World::defined(OPS).await;
    world.alert("ops", "error").await;
    world.settle().await;
    assert!(!world.carrier.seen().pop().unwrap().is_urgent());
    world.pass_seconds(18_000).await;
    world.alert("ops", "warning").await;
    world.settle().await;
    assert!(world.carrier.seen().pop().unwrap().is_urgent());
}

#[tokio::test]
async fn it_is_written_out_as_it_was_and_its_period_is_kept() {
    let world = World::defined(OPS).await;
    let team = world.get("/api/v1/teams/ops").await;
    assert_eq!(
        team["urgency"],
        json!([
            { "severity": "warning", "urgency": "high", "during": "office", "zone": "Europe/Berlin" },
            { "severity": "error", "urgency": "high", "during": "office", "zone": "Europe/Berlin" },
            { "severity": "error", "urgency": "low" },
        ])
    );
    let exported = world.get("/api/v1/definitions").await["documents"].clone();
    let documents: Vec<_> = exported
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let kind =
                dogwatch::definition::Kind::ALL.into_iter().find(|kind| kind.word() == it["kind"]).unwrap();
            (kind, it["body"].clone())
        })
        .collect();
    let text = dogwatch::definition::to_toml(&documents).unwrap();
    let again = world.apply(&text).await;
    assert_eq!((again.status, &again.body["changed"]), (200, &json!(0)), "{}\n{text}", again.text);
    let answer = world.request("DELETE", "/api/v1/periods/office?force=true", None).await;
    assert_eq!(answer.status, 409, "{}", answer.text);
    assert!(answer.text.contains("team \\\"ops\\\""), "{}", answer.text);
}

#[test]
fn what_makes_no_sense_is_told_with_its_place() {
    for (rule, words) in [
        ("{ severity = \"grave\", urgency = \"low\" }", "urgency[0].severity"),
        ("{ severity = \"error\", urgency = \"medium\" }", "urgency[0].urgency"),
        ("{ severity = \"error\", urgency = \"low\", during = \"office\" }", "urgency[0].zone: is missing"),
        ("{ severity = \"error\", urgency = \"low\", zone = \"UTC\" }", "urgency[0].during: is missing"),
        (
            "{ severity = \"error\", urgency = \"low\", during = \"offise\", zone = \"UTC\" }",
            "urgency[0].during: there is no period \"offise\"",
        ),
        (
            "{ severity = \"error\", urgency = \"low\" }, { severity = \"error\", urgency = \"high\" }",
            "urgency[1]: is never asked: an entry before it speaks of error at all times",
        ),
    ] {
        let period =
            "[[period]]\nname = \"office\"\nrules = [{ days = \"monday\", hours = \"09:00-17:00\" }]\n";
        let text = format!("{period}[[team]]\nname = \"ops\"\nmembers = [\"john\"]\nurgency = [{rule}]\n");
        let made = folder(&[("teams.toml", &(people() + &text))]);
        let checked = run(made.path(), &["check", "teams.toml"], "");
        assert_eq!(checked.code, 1, "{rule}");
        assert!(checked.out.contains(words), "{words}\n{}", checked.out);
    }
}
