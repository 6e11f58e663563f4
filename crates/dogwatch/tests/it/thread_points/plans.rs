//! Points 7 to 14 and 23: what happens if the primary does not answer, and when.

use dogwatch::channel::webhook::Webhook;
use escalation::contact::Kind;
use serde_json::json;

use crate::support::World;
use crate::support::definitions::{ops, people};
use crate::support::fake::{Fake, raw};

/// The pages of a plan within an hour, nobody answering.
async fn pages(steps: &str) -> Vec<String> {
    let mut world = World::defined(&ops(&format!("steps = [{steps}]"))).await;
    world.alert("ops", "critical").await;
    world.pass_seconds(3_599).await;
    world.pages()
}

#[tokio::test]
async fn escalate_to_a_backup_and_say_who() {
    let first = r#"{ notify = ["on_call"], after = "5m" }"#;
    for (backup, name) in
        [("next_on_call", "bob"), ("member:3", "carol"), ("person:dave", "dave"), ("round_robin", "bob")]
    {
        let pages = pages(&format!("{first}, {{ notify = [\"{backup}\"], after = \"1h\" }}")).await;
        assert_eq!(pages, ["0 john".to_owned(), format!("300 {name}")], "{backup}");
    }
}

#[tokio::test]
async fn page_everyone_at_once_whoever_is_on_call_included() {
    let everyone = r#"{ notify = ["all_members"], after = "1h" }"#;
    assert_eq!(pages(everyone).await, ["0 bob", "0 carol", "0 john"]);
    // One who is being paged already is not paged twice; one whose plan is through is paged again.
    let steps = r#"{ notify = ["on_call"], after = "1m" }, { notify = ["all_members"], after = "1h" }"#;
    assert_eq!(pages(steps).await, ["0 john", "60 bob", "60 carol"]);
    let steps = r#"{ notify = ["on_call"], after = "5m" }, { notify = ["all_members"], after = "1h" }"#;
    assert_eq!(pages(steps).await, ["0 john", "300 bob", "300 carol", "300 john"]);
    let mut world = World::defined(
        "[[team]]\nname = \"one\"\nmembers = [\"dave\"]\nescalation_plan = \"all\"\n\
        [[escalation_plan]]\nname = \"all\"\nsteps = [{ notify = [\"all_members\"], after = \"1h\" }]\n",
    )
    .await;
    world.alert("one", "critical").await;
    world.settle().await;
    assert_eq!(world.pages(), ["0 dave"], "a team of one, too");
}

#[tokio::test]
async fn execute_a_webhook() {
    let receiver = Fake::start(|request| {
        let body = request.json();
        let is_signed = request.header("webhook-signature").starts_with("v1,");
        match (&body["alert"]["summary"], is_signed) {
            (summary, true) if summary == "disk full" => Ok(raw("204 No Content", "", "")),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let allow = vec!["127.0.0.0/8".parse().unwrap()];
    let webhook = Webhook::new(b"0123456789abcdef0123456789abcdef".to_vec(), allow).unwrap();
    let mut world = World::with_channel(Kind::Webhook, webhook).await;
    let steps = format!(
        "steps = [{{ notify = [\"webhook:{}/heal\"], after_plan = true }}, {{ notify = [\"person:eve\"], after = \"1h\" }}]",
        receiver.url
    );
    let eve = "[[person]]\nname = \"eve\"\ncontacts = [\"handset:eve\"]\n";
    assert_eq!(world.apply(&(people() + eve + &ops(&steps))).await.status, 200);
    let number = world.alert("ops", "critical").await;
    world.settle().await;
    assert_eq!(receiver.seen_at("POST /heal").len(), 1);
    // It owes no answer: the plan goes on.
    let story = world.story(number).await;
    assert!(story.contains(&"0 Step 2 pages eve".to_owned()), "{story:#?}");
}

#[tokio::test]
async fn send_an_email() {
    let steps =
        r#"{ notify = ["email:noc@example.org"], after = "1m" }, { notify = ["on_call"], after = "1h" }"#;
    assert_eq!(pages(steps).await, ["0 email:noc@example.org", "60 john"]);
}

/// Eve's plan: after one minute, after two more, after three more.
const EVE: &str = r#"
[[person]]
name = "eve"
contacts = ["webhook:https://e.example/1", "webhook:https://e.example/2", "webhook:https://e.example/3"]
notification_plans.high.steps = [
  { contact = "webhook:https://e.example/1", wait = "1m" },
  { contact = "webhook:https://e.example/2", wait = "2m" },
  { contact = "webhook:https://e.example/3", wait = "3m" },
]
"#;

/// After how many seconds Dave is paged, when Eve was and does not answer.
async fn dave_comes(escalate: &str) -> String {
    let steps = format!(
        "steps = [{{ notify = [\"person:eve\"], {escalate} }}, {{ notify = [\"person:dave\"], after = \"1h\" }}]"
    );
    let mut world = World::defined(&(ops(&steps) + EVE)).await;
    world.alert("ops", "critical").await;
    world.pass_seconds(3_599).await;
    world.pages().into_iter().find(|page| page.ends_with(" dave")).unwrap()
}

#[tokio::test]
async fn escalate_after_step_n_of_the_notification_plan_fails_to_get_a_response() {
    assert_eq!(dave_comes("after_plan_step = 1").await, "60 dave");
    assert_eq!(dave_comes("after_plan_step = 2").await, "180 dave");
}

#[tokio::test]
async fn escalate_after_all_steps_have_been_executed_at_least_once_with_no_response() {
    assert_eq!(dave_comes("after_plan = true").await, "360 dave");
}

#[tokio::test]
async fn escalate_after_n_minutes() {
    assert_eq!(dave_comes("after = \"7m\"").await, "420 dave");
    assert_eq!(dave_comes("after = \"30s\"").await, "30 dave");
}

#[tokio::test]
async fn when_to_escalate_is_selectable_for_each_step() {
    let steps = r#"steps = [
      { notify = ["person:eve"], after_plan_step = 1 },
      { notify = ["person:john"], after_plan = true },
      { notify = ["person:bob"], after = "30s" },
      { notify = ["person:dave"], after = "1h" },
    ]"#;
    let mut world = World::defined(&(ops(steps) + EVE)).await;
    world.alert("ops", "critical").await;
    world.pass_seconds(3_000).await;
    let escalated: Vec<_> = world.pages().into_iter().filter(|page| !page.contains("e.example")).collect();
    // Eve's first step is over at 60; John's plan is one step of 300.
    assert_eq!(escalated, ["60 john", "360 bob", "390 dave"]);
    let both = ops(r#"steps = [{ notify = ["on_call"], after = "5m", after_plan = true }]"#);
    assert_eq!(world.apply(&(people() + &both)).await.status, 422, "one of them for each step");
}

#[tokio::test]
async fn an_escalation_plan_is_for_a_team_what_a_notification_plan_is_for_a_person() {
    let world = World::defined("").await;
    // Both: steps in order, a thing to reach, a time to wait; written and read in the same way.
    let own = json!({ "steps": [{ "contact": "handset:dave", "wait": "2m" }, { "contact": "handset:dave", "every": "5m" }] });
    let put = world
        .request("PUT", "/api/v1/people/dave/notification-plans/high?force=true", Some(own.clone()))
        .await;
    assert!((200..300).contains(&put.status), "{}", put.text);
    let shown = world.get("/api/v1/people/dave/notification-plans/high").await;
    assert_eq!(shown["steps"], own["steps"]);
    let steps =
        json!([{ "notify": ["on_call"], "after": "2m" }, { "notify": ["all_members"], "after": "5m" }]);
    world.post("/api/v1/escalation-plans", json!({ "name": "ops", "steps": steps })).await;
    assert_eq!(world.get("/api/v1/escalation-plans/ops").await["steps"], steps);
    // And what is wrong with either is said with its field.
    let wrong = json!({ "steps": [{ "contact": "handset:dave", "wait": "0s" }] });
    let answer =
        world.request("PUT", "/api/v1/people/dave/notification-plans/high?force=true", Some(wrong)).await;
    assert_eq!(
        (answer.status, answer.body["field"].as_str().unwrap().ends_with("steps[0].wait")),
        (422, true)
    );
    let wrong = json!({ "name": "x", "steps": [{ "notify": ["on_call"], "after": "0s" }] });
    let answer = world.request("POST", "/api/v1/escalation-plans", Some(wrong)).await;
    assert_eq!((answer.status, &answer.body["field"]), (422, &json!("steps[0].after")));
}
