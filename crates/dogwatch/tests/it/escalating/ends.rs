//! How a plan begins and ends: held back, deferred, repeated, the last resort, unanswered; and a step in which each
//! has to answer.

use escalation::contact::Kind;
use escalation::directory::Service;
use serde_json::json;

use crate::support::World;
use crate::support::definitions::{ops, people};

#[tokio::test]
async fn it_is_repeated_then_the_last_resort_then_unanswered_and_the_operators_are_told() {
    let operators = vec!["email:operators@example.org".parse().unwrap()];
    let service = Service { operators, ..Service::default() };
    let mut world = World::with(service, |channels, carrier| {
        channels.with(Kind::Webhook, carrier.clone()).with(Kind::Email, carrier.clone())
    })
    .await;
    let plan = "repeat = 2\nsteps = [{ notify = [\"on_call\"], after = \"2m\" }, { notify = [\"next_on_call\"], after = \"2m\" }]";
    let text = ops(plan).replace("ack_timeout", "last_resort = [\"person:dave\"]\nack_timeout");
    assert_eq!(world.apply(&(people() + &text)).await.status, 200);
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(1_619).await;
    assert_eq!(
        world.pages(),
        ["0 john", "120 bob", "240 john", "360 bob", "480 john", "600 bob", "720 dave"]
    );
    assert_eq!(world.stands(number).await, "triggered", "the last resort has 15 minutes");
    world.pass_seconds(1).await;
    assert_eq!(world.stands(number).await, "unanswered");
    assert_eq!(world.carrier.sent_to("warning"), ["email:operators@example.org"]);
    // It can still be answered.
    assert_eq!(world.acts("bob", number, "acknowledge").await.status, 200);
    assert_eq!(world.stands(number).await, "acknowledged");
}

#[tokio::test]
async fn what_is_unanswered_is_asked_on_at_least_five_minutes_apart_and_reported_again_at_most_hourly() {
    let eve = r#"
[[person]]
name = "eve"
contacts = ["webhook:https://pager.example/eve"]
notification_plans.high.steps = [{ contact = "webhook:https://pager.example/eve", every = "1m" }]
"#;
    let text = ops(r#"steps = [{ notify = ["person:eve"], after = "2m" }]"#);
    let mut world = World::defined(&(text + eve)).await;
    let report = async |world: &World| {
        let body = json!({ "summary": "disk full", "severity": "critical", "dedup_key": "disk" });
        world.post("/api/v1/teams/ops/notify", body).await["round"].as_u64().unwrap()
    };
    assert_eq!(report(&world).await, 1);
    world.pass_seconds(1_320).await;
    assert_eq!(world.pages(), ["0 eve", "60 eve", "360 eve", "660 eve", "960 eve", "1260 eve"]);
    assert_eq!(report(&world).await, 1, "within the hour it is counted");
    world.pass_seconds(2_280).await;
    assert_eq!(report(&world).await, 2, "after an hour people are asked anew");
}

#[tokio::test]
async fn a_plan_that_holds_wakes_nobody_for_what_is_over_by_then() {
    let text = ops("hold = \"2m\"\nsteps = [{ notify = [\"on_call\"], after = \"5m\" }]");
    let mut world = World::defined(&text).await;
    let first = world.alert("ops", "critical").await;
    world.pass_seconds(119).await;
    world.post(&format!("/api/v1/alerts/{first}/resolve"), json!({})).await;
    world.pass_seconds(1_000).await;
    assert!(world.carrier.seen().is_empty(), "{:?}", world.carrier.seen());
    let second = world.alert("ops", "critical").await;
    world.pass_seconds(120).await;
    assert_eq!(world.pages(), ["1239 john"]);
    let story = world.story(second).await;
    assert!(story.iter().any(|line| line.starts_with("1119 The first page is held back")), "{story:#?}");
}

#[tokio::test]
async fn with_each_everybody_of_a_step_answers_for_himself() {
    let plan = r#"steps = [{ notify = ["all_members"], after = "30m", each = true }, { notify = ["person:dave"], after = "1h" }]"#;
    let mut world = World::defined(&ops(plan)).await;
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(60).await;
    assert_eq!(world.pages(), ["0 bob", "0 carol", "0 john"]);
    let asked = async |world: &World| {
        let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
        let live = alert["pages"].as_array().unwrap().iter().filter(|page| page["ended_at"].is_null());
        let mut people: Vec<_> = live.map(|page| page["person"].as_str().unwrap().to_owned()).collect();
        people.sort();
        people
    };
    // Bob has it: nobody else is fetched, and the others still have to say whether they come.
    world.presses("bob", number, 4).await;
    assert_eq!(asked(&world).await, ["carol", "john"]);
    world.presses("john", number, 4).await;
    world.presses("carol", number, 8).await;
    assert!(asked(&world).await.is_empty());
    world.pass_seconds(5_000).await;
    assert_eq!(world.pages().len(), 3, "{:?}", world.pages());
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    assert_eq!(alert["acknowledged"]["person"], "bob");
    let ended = |person: &str| {
        let pages = alert["pages"].as_array().unwrap();
        pages.iter().find(|page| page["person"] == person).unwrap()["ended_why"].as_str().unwrap()
    };
    assert_eq!(["bob", "john", "carol"].map(ended), ["acknowledged", "accepted", "not_me"]);
}

#[tokio::test]
async fn with_each_key_8_gets_more_people_while_nobody_has_it() {
    let plan = r#"steps = [{ notify = ["on_call", "person:bob"], after = "30m", each = true }, { notify = ["person:dave"], after = "1h" }]"#;
    let mut world = World::defined(&ops(plan)).await;
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(60).await;
    world.presses("john", number, 8).await;
    world.pass_seconds(60).await;
    assert_eq!(world.pages(), ["0 bob", "0 john", "60 dave"]);
    let story = world.story(number).await;
    assert!(story.contains(&"60 Can't take it: John, by handset".to_owned()), "{story:#?}");
    assert_eq!(world.stands(number).await, "triggered");
}

/// Eve's low plan has hours: by day only.
const EVE: &str = r#"
[[period]]
name = "days"
rules = [{ days = "monday - friday", hours = "09:00-17:00" }]

[[person]]
name = "eve"
zone = "Europe/Berlin"
contacts = ["webhook:https://pager.example/eve"]
notification_plans.high.steps = [{ contact = "webhook:https://pager.example/eve", wait = "5m" }]
notification_plans.low.steps = [{ contact = "webhook:https://pager.example/eve", wait = "5m", during = "days" }]
"#;

#[tokio::test]
async fn low_urgency_waits_for_the_hours_of_the_plan_and_the_steps_wait_with_it() {
    let plan =
        r#"steps = [{ notify = ["person:eve"], after = "10m" }, { notify = ["person:dave"], after = "1h" }]"#;
    let mut world = World::defined(&(ops(plan) + EVE)).await;
    let number = world.alert("ops", "warning").await;
    world.pass_seconds(60).await;
    assert!(world.pages().is_empty());
    let story = world.story(number).await;
    let deferred = "0 The page to eve waits for the hours of the plan, until 2026-03-02T08:00:00Z".to_owned();
    assert!(story.contains(&deferred), "{story:#?}");
    // 09:00 in Berlin is five hours after the world began; Dave ten minutes after that, also after a restart.
    let mut world = world.crash().await;
    world.pass_seconds(18_700).await;
    assert_eq!(world.pages(), ["18000 eve", "18600 dave"]);
}

#[tokio::test]
async fn high_urgency_never_waits_for_hours() {
    let plan = r#"steps = [{ notify = ["person:eve"], after = "10m" }]"#;
    let night_only = EVE.replace(
        "wait = \"5m\" }]\nnotification_plans.low",
        "wait = \"5m\", during = \"days\" }]\nnotification_plans.low",
    );
    let mut world = World::defined(&(ops(plan) + &night_only)).await;
    world.alert("ops", "critical").await;
    world.settle().await;
    assert_eq!(world.pages(), ["0 eve"]);
}

#[tokio::test]
async fn a_step_that_finds_nobody_costs_no_time_and_is_told() {
    let plan = r#"steps = [
        { notify = ["member:7"], after = "1h" },
        { notify = ["person:john"], after = "1m" },
        { notify = ["person:john"], after = "1h" },
        { notify = ["person:bob"], after = "1h" },
    ]"#;
    let mut world = World::defined(&ops(plan)).await;
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(120).await;
    assert_eq!(world.pages(), ["0 john", "60 bob"]);
    let story = world.story(number).await;
    for gap in [
        "0 Step 1 has a gap: the team has not so many members",
        "60 Step 3 has a gap: everybody in this step has been paged in this round (John)",
    ] {
        assert!(story.contains(&gap.to_owned()), "{gap}: {story:#?}");
    }
}
