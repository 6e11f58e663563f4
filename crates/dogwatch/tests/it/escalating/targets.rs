//! Whom a step may page.

use escalation::directory::Service;
use escalation::plan::Target;
use serde_json::json;

use crate::support::World;
use crate::support::definitions::{ops, people};

/// A schedule with a primary and a secondary, and one of another name.
const SCHEDULES: &str = r#"
[[schedule]]
name = "days"
layers = [{ people = ["john"] }, { people = ["bob"], role = "secondary" }]
[[schedule]]
name = "nights"
layers = [{ people = ["carol"] }]
"#;

/// The pages of one step with these targets, for an alert of ops that has a schedule.
async fn paged(notify: &str) -> Vec<String> {
    let text = ops(&format!("steps = [{{ notify = [{notify}], after = \"1h\" }}]"));
    let text = text.replace("ack_timeout", "schedule = \"days\"\nack_timeout");
    let mut world = World::defined(&(text + SCHEDULES)).await;
    world.alert("ops", "critical").await;
    world.settle().await;
    world.pages()
}

#[tokio::test]
async fn whoever_is_on_call_by_the_teams_schedule_another_role_or_another_schedule() {
    assert_eq!(paged(r#""on_call""#).await, ["0 john"]);
    assert_eq!(paged(r#""on_call/secondary""#).await, ["0 bob"]);
    assert_eq!(paged(r#""on_call:nights""#).await, ["0 carol"]);
    assert_eq!(paged(r#""on_call:days/secondary""#).await, ["0 bob"]);
}

#[tokio::test]
async fn a_person_a_member_and_all_members() {
    assert_eq!(paged(r#""person:dave""#).await, ["0 dave"]);
    assert_eq!(paged(r#""member:2""#).await, ["0 bob"]);
    assert_eq!(paged(r#""all_members""#).await, ["0 bob", "0 carol", "0 john"]);
    assert_eq!(paged(r#""member:3", "person:carol", "on_call""#).await, ["0 carol", "0 john"], "each once");
}

#[tokio::test]
async fn roles_that_are_nobodys_a_webhook_and_a_mailbox() {
    let both = r#""webhook:https://tickets.example/new", "email:noc@example.org""#;
    assert_eq!(paged(both).await, ["0 email:noc@example.org", "0 webhook:https://tickets.example/new"]);
}

/// In a week each: John, then Bob, then Carol; the world begins in John's.
const WEEKS: &str = r#"
[[rotation]]
name = "weeks"
members = ["john", "bob", "carol"]
handoff = "monday 00:00"
start = "2026-02-09"
[[schedule]]
name = "weeks"
layers = [{ rotation = "weeks" }]
"#;

#[tokio::test]
async fn the_next_and_the_previous_on_call_who_were_not_paged_yet() {
    for (second, pages) in [
        ("next_on_call", ["0 john", "60 bob", "120 carol"]),
        ("previous_on_call", ["0 john", "60 carol", "120 bob"]),
    ] {
        let steps = format!(
            "steps = [{{ notify = [\"on_call\"], after = \"1m\" }}, {{ notify = [\"{second}\"], after = \"1m\" }}, \
             {{ notify = [\"{second}\"], after = \"1h\" }}]"
        );
        let text = ops(&steps).replace("ack_timeout", "schedule = \"weeks\"\nack_timeout");
        let mut world = World::defined(&(text + WEEKS)).await;
        world.alert("ops", "critical").await;
        world.pass_seconds(150).await;
        assert_eq!(world.pages(), pages, "{second}");
    }
}

#[tokio::test]
async fn one_in_turn_of_the_members_or_of_a_list() {
    for (target, pages) in [
        ("round_robin", ["0 bob", "0 carol", "0 john"]),
        ("round_robin:carol,dave", ["0 dave", "0 carol", "0 dave"]),
    ] {
        let text = ops(&format!("steps = [{{ notify = [\"{target}\"], after = \"1h\" }}]"));
        let mut world = World::defined(&text).await;
        for _ in pages {
            let number = world.alert("ops", "critical").await;
            world.settle().await;
            world.post(&format!("/api/v1/alerts/{number}/resolve"), json!({})).await;
            // Two messages to one person within a minute would go together.
            world.pass_seconds(61).await;
        }
        let paged = world.pages();
        let names = |pages: &[String]| -> Vec<String> {
            pages.iter().map(|page| page.split(' ').nth(1).unwrap().to_owned()).collect()
        };
        assert_eq!(names(&paged), names(&pages.map(str::to_owned)), "{target}: {paged:?}");
    }
}

#[tokio::test]
async fn another_team_goes_through_its_own_plan() {
    let db = r#"
[[team]]
name = "db"
members = ["dave"]
escalation_plan = "db"
[[escalation_plan]]
name = "db"
repeat = 5
steps = [{ notify = ["on_call"], after = "1m" }, { notify = ["person:carol"], after = "9m" }]
"#;
    let steps = r#"steps = [{ notify = ["team:db", "person:john"], after = "2m" }, { notify = ["person:bob"], after = "1h" }]"#;
    let mut world = World::defined(&(ops(steps) + db)).await;
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(600).await;
    // Its plan says when it goes on, the step that names it when to leave it; it has one round.
    assert_eq!(world.pages(), ["0 dave", "0 john", "60 carol", "180 bob"]);
    let story = world.story(number).await;
    assert!(story.contains(&"0 Step 2 pages Dave (team db)".to_owned()), "{story:#?}");
}

#[tokio::test]
async fn a_team_without_a_plan_pages_its_members_in_order() {
    let db = "[[team]]\nname = \"db\"\nmembers = [\"dave\", \"carol\"]\n";
    let steps =
        r#"steps = [{ notify = ["team:db"], after = "1m" }, { notify = ["person:bob"], after = "1h" }]"#;
    let mut world = World::defined(&(ops(steps) + db)).await;
    world.alert("ops", "critical").await;
    world.pass_seconds(1_000).await;
    assert_eq!(world.pages(), ["0 dave", "600 carol", "660 bob"]);
}

#[tokio::test]
async fn a_responder_is_asked_besides_and_holds_up_no_step() {
    let steps =
        r#"steps = [{ notify = ["on_call"], after_plan = true }, { notify = ["person:bob"], after = "1h" }]"#;
    let mut world = World::defined(&ops(steps)).await;
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(120).await;
    world.post(&format!("/api/v1/alerts/{number}/responders"), json!({ "person": "dave" })).await;
    world.pass_seconds(200).await;
    // John's plan is one step of five minutes; Dave's would run for two more.
    assert_eq!(world.pages(), ["0 john", "120 dave", "300 bob"]);
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    assert_eq!(alert["pages"][1]["asks"], "besides");
    world.presses("dave", number, 8).await;
    world.settle().await;
    assert_eq!(world.stands(number).await, "triggered", "a no of a responder pages nobody else");
    assert_eq!(world.pages().len(), 3);
}

#[tokio::test]
async fn a_last_resort_may_be_anybody_that_a_step_may_page() {
    for (target, page) in [
        ("on_call", "60 john"),
        ("member:3", "60 carol"),
        ("person:dave", "60 dave"),
        ("team:db", "60 dave"),
        ("email:boss@example.org", "60 email:boss@example.org"),
    ] {
        let text = ops(r#"steps = [{ notify = ["person:bob"], after = "1m" }]"#);
        let text = text.replace("ack_timeout", &format!("last_resort = [\"{target}\"]\nack_timeout"));
        let db = "[[team]]\nname = \"db\"\nmembers = [\"dave\"]\n";
        let mut world = World::defined(&(text + db)).await;
        world.alert("ops", "critical").await;
        world.pass_seconds(90).await;
        assert_eq!(world.pages(), ["0 bob", page], "{target}");
    }
}

#[tokio::test]
async fn a_person_alone_has_the_own_plan_and_the_last_resort_of_the_service() {
    let last_resort = vec![Target::Role("email:boss@example.org".parse().unwrap())];
    let service = Service { last_resort, ..Service::default() };
    let mut world = World::with(service, |channels, carrier| {
        use escalation::contact::Kind;
        channels.with(Kind::Webhook, carrier.clone()).with(Kind::Email, carrier.clone())
    })
    .await;
    assert_eq!(world.apply(&people()).await.status, 200);
    world.post("/api/v1/people/dave/notify", json!({ "summary": "call home" })).await;
    world.pass_seconds(2_000).await;
    assert_eq!(world.pages(), ["0 dave", "600 dave", "1200 email:boss@example.org"]);
}
