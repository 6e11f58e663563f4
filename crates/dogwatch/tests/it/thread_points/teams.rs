//! Points 1, 2, 15 to 18, 21, 24 and 25: groups of people, how they are told, and one answer for all.

use serde_json::json;

use crate::support::World;
use crate::support::definitions::ops;

/// Two members: John is on call, Bob is next.
const IN_ORDER: &str = r#"steps = [{ notify = ["on_call"], after = "5m" }, { notify = ["next_on_call"], after = "5m" }, { notify = ["next_on_call"], after = "5m" }]"#;

#[tokio::test]
async fn of_a_group_of_people_the_next_is_notified_when_one_does_not_respond() {
    let mut world = World::defined(&ops(IN_ORDER)).await;
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(400).await;
    world.presses("bob", number, 4).await;
    world.pass_seconds(5_000).await;
    assert_eq!(world.pages(), ["0 john", "300 bob"], "Carol is never needed");
}

/// John's plan has two steps of his own, Bob's repeats.
const OWN_PLANS: &str = r#"
[[person]]
name = "jim"
contacts = ["webhook:https://pager.example/jim-chat", "webhook:https://pager.example/jim-phone"]
notification_plans.high.steps = [
  { contact = "webhook:https://pager.example/jim-chat", wait = "1m" },
  { contact = "webhook:https://pager.example/jim-phone", wait = "2m" },
]
[[person]]
name = "ben"
contacts = ["webhook:https://pager.example/ben"]
notification_plans.high.steps = [{ contact = "webhook:https://pager.example/ben", every = "2m" }]
[[team]]
name = "two"
members = ["jim", "ben"]
escalation_plan = "two"
[[escalation_plan]]
name = "two"
steps = [{ notify = ["on_call"], after_plan = true }, { notify = ["next_on_call"], after = "5m" }]
"#;

#[tokio::test]
async fn each_members_own_notification_loop_runs_inside_the_loop_over_the_team() {
    let mut world = World::defined(OWN_PLANS).await;
    world.alert("two", "critical").await;
    world.pass_seconds(420).await;
    assert_eq!(world.pages(), ["0 jim-chat", "60 jim-phone", "180 ben", "300 ben", "420 ben"]);
}

#[tokio::test]
async fn a_team_has_a_name_and_an_ordered_list_of_members() {
    let world = World::defined("").await;
    world.post("/api/v1/teams", json!({ "name": "ops", "members": ["carol", "john"] })).await;
    assert_eq!(world.get("/api/v1/teams/ops").await["members"], json!(["carol", "john"]));
    let body = json!({ "members": ["bob", "carol"] });
    assert_eq!(world.request("PATCH", "/api/v1/teams/ops", Some(body)).await.status, 200);
    assert_eq!(world.get("/api/v1/teams").await["items"][0]["members"], json!(["bob", "carol"]));
    let unknown = world.request("PATCH", "/api/v1/teams/ops", Some(json!({ "members": ["bop"] }))).await;
    assert_eq!((unknown.status, &unknown.body["field"]), (422, &json!("members[0]")));
    assert_eq!(world.request("DELETE", "/api/v1/teams/ops", None).await.status, 204);
}

#[tokio::test]
async fn a_team_is_notified_as_a_person_is() {
    let mut world = World::defined(&ops(IN_ORDER)).await;
    let body = json!({ "summary": "disk full", "severity": "critical" });
    let of_team = world.post("/api/v1/teams/ops/notify", body.clone()).await;
    let of_person = world.post("/api/v1/people/dave/notify", body).await;
    assert_eq!((&of_team["team"], &of_person["person"]), (&json!("ops"), &json!("dave")));
    let fields = |alert: &serde_json::Value| alert.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(fields(&of_team), fields(&of_person));
    world.settle().await;
    assert_eq!(world.pages(), ["0 dave", "0 john"]);
}

#[tokio::test]
async fn members_are_signalled_in_order_until_someone_acknowledges() {
    // No plan, no schedule: a list of members is enough.
    let mut world =
        World::defined("[[team]]\nname = \"ops\"\nmembers = [\"carol\", \"john\", \"bob\"]\n").await;
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(700).await;
    assert_eq!(world.pages(), ["0 carol", "600 john"]);
    assert_eq!(world.acts("john", number, "acknowledge").await.status, 200);
    world.pass_seconds(1_000).await;
    assert_eq!(world.pages().len(), 2, "Bob sleeps");
    assert_eq!(world.get(&format!("/api/v1/alerts/{number}")).await["acknowledged"]["person"], "john");
}

#[tokio::test]
async fn teams_stay_optional() {
    let mut world = World::defined("").await;
    assert_eq!(world.get("/api/v1/teams").await["items"], json!([]));
    let alert = world.post("/api/v1/people/dave/notify", json!({ "summary": "call home" })).await;
    world.settle().await;
    assert_eq!((world.pages(), &alert["team"]), (vec!["0 dave".to_owned()], &json!(null)));
    world.presses("dave", 1, 4).await;
    assert_eq!(world.stands(1).await, "acknowledged");
}

#[tokio::test]
async fn one_engine_runs_the_plans_of_teams_and_of_people() {
    let mut world = World::defined(&(ops(IN_ORDER) + OWN_PLANS)).await;
    // A person alone and a team at the same time, each by its own plan, and after a restart, too.
    world.post("/api/v1/people/jim/notify", json!({ "summary": "call home" })).await;
    world.alert("ops", "critical").await;
    world.pass_seconds(30).await;
    let mut world = world.crash().await;
    world.pass_seconds(280).await;
    assert_eq!(world.pages(), ["60 jim-phone", "300 bob"]);
}

#[tokio::test]
async fn an_answer_to_an_individual_alert_stops_the_plan_of_the_team() {
    let mut world = World::defined(&ops(IN_ORDER)).await;
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(310).await;
    // John answers his own message; the plan ends, and so does Bob's page.
    let johns = world.carrier.seen()[0].clone();
    let path = johns.answer_url.unwrap().strip_prefix(&world.url).unwrap().to_owned();
    assert_eq!(world.press("", &path).await.status, 303);
    world.pass_seconds(5_000).await;
    assert_eq!(world.pages(), ["0 john", "300 bob"]);
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    for page in alert["pages"].as_array().unwrap() {
        assert_eq!(page["ended_why"], "acknowledged", "{page}");
    }
    assert_eq!(alert["next"], json!([]), "nothing is left to come");
}

#[tokio::test]
async fn the_alert_of_the_team_has_an_id_that_each_page_carries_and_each_answer_brings_back() {
    let mut world = World::defined(&ops(IN_ORDER)).await;
    let first = world.post("/api/v1/teams/ops/notify", json!({ "summary": "disk full" })).await;
    let second = world.post("/api/v1/people/dave/notify", json!({ "summary": "call home" })).await;
    world.settle().await;
    assert_ne!(first["id"], second["id"]);
    let seen = world.carrier.seen();
    let johns = seen.iter().find(|message| message.contact.as_str().ends_with("john")).unwrap();
    assert_eq!(johns.subject.as_ref().unwrap().id.to_string(), first["id"].as_str().unwrap());
    let path = johns.answer_url.clone().unwrap().strip_prefix(&world.url).unwrap().to_owned();
    world.press("", &path).await;
    // Who answered, through what, is on that alert; the other one goes on.
    let answered = world.get(&format!("/api/v1/alerts/{}", first["id"].as_str().unwrap())).await;
    assert_eq!(answered["acknowledged"]["person"], "john");
    assert_eq!(answered["acknowledged"]["via"], "link");
    assert_eq!(answered["pages"].as_array().unwrap().len(), 1);
    assert!(answered["pages"][0]["id"].as_str().unwrap().starts_with("page_"));
    assert_eq!(world.stands(second["number"].as_u64().unwrap()).await, "triggered");
}
