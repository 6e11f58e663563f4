//! Points 3 to 6, 19, 20 and 22: who is on call, and apart from that, what happens when nobody answers.

use jiff::Timestamp;
use serde_json::json;

use crate::support::World;
use crate::support::definitions::ops;

const PLAN: &str = r#"steps = [{ notify = ["on_call"], after = "1h" }]"#;

/// The team ops by a schedule of Berlin that this defines.
async fn by_schedule(schedule: &str) -> World {
    let text = ops(PLAN).replace("ack_timeout", "schedule = \"ops\"\nack_timeout");
    World::defined(&(text + schedule)).await
}

/// Whom an alert pages that comes in at a time in UTC.
async fn paged_at(world: &mut World, time: &str) -> String {
    // What would come on the way is of no interest here: the rota is asked anew at each step.
    world.clock.set(time.parse::<Timestamp>().unwrap());
    world.settle().await;
    let number = world.alert("ops", "critical").await;
    world.settle().await;
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    world.post(&format!("/api/v1/alerts/{number}/resolve"), json!({})).await;
    alert["pages"][0]["person"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn full_day_shifts_rotate_every_week_on_monday_at_0800() {
    let mut world = by_schedule(
        r#"
[[rotation]]
name = "weekly"
zone = "Europe/Berlin"
members = ["john", "bob"]
every = "1 week"
handoff = "monday 08:00"
start = "2026-02-23"
[[schedule]]
name = "ops"
zone = "Europe/Berlin"
layers = [{ rotation = "weekly" }]
"#,
    )
    .await;
    for (time, who) in [
        ("2026-03-02T06:59:59Z", "john"),
        ("2026-03-02T07:00:00Z", "bob"),
        ("2026-03-09T07:00:00Z", "john"),
        // The clocks have changed: 08:00 is an hour earlier.
        ("2026-03-30T05:59:59Z", "john"),
        ("2026-03-30T06:00:00Z", "bob"),
    ] {
        assert_eq!(paged_at(&mut world, time).await, who, "{time}");
    }
}

#[tokio::test]
async fn partial_day_shifts_rotate_every_12_hours() {
    let mut world = by_schedule(
        r#"
[[rotation]]
name = "shifts"
zone = "Europe/Berlin"
members = ["john", "bob", "carol"]
every = "12 hours"
handoff = "08:00"
start = "2026-03-02"
[[schedule]]
name = "ops"
zone = "Europe/Berlin"
layers = [{ people = ["dave"] }, { rotation = "shifts" }]
"#,
    )
    .await;
    for (time, who) in [
        ("2026-03-02T06:59:59Z", "dave"),
        ("2026-03-02T07:00:00Z", "john"),
        ("2026-03-02T18:59:59Z", "john"),
        ("2026-03-02T19:00:00Z", "bob"),
        ("2026-03-03T07:00:00Z", "carol"),
        ("2026-03-03T19:00:00Z", "john"),
    ] {
        assert_eq!(paged_at(&mut world, time).await, who, "{time}");
    }
}

#[tokio::test]
async fn one_covers_weekdays_and_another_weekends() {
    let mut world = by_schedule(
        r#"
[[period]]
name = "weekends"
rules = [{ days = ["saturday", "sunday"], hours = "00:00-24:00" }]
[[schedule]]
name = "ops"
zone = "Europe/Berlin"
layers = [{ people = ["john"] }, { people = ["bob"], period = "weekends" }]
"#,
    )
    .await;
    for (time, who) in [
        ("2026-03-06T22:59:59Z", "john"),
        ("2026-03-06T23:00:00Z", "bob"),
        ("2026-03-08T22:59:59Z", "bob"),
        ("2026-03-08T23:00:00Z", "john"),
    ] {
        assert_eq!(paged_at(&mut world, time).await, who, "{time}");
    }
}

#[tokio::test]
async fn the_escalation_policy_is_separate_from_the_rotation() {
    let days = "[[schedule]]\nname = \"ops\"\nlayers = [{ people = [\"bob\"] }]\n";
    let mut world = by_schedule(days).await;
    // One plan, two teams with rotas of their own; the rota changes, and the plan does not.
    let web = json!({ "name": "web", "members": ["carol"], "escalation_plan": "ops" });
    world.post("/api/v1/teams", web).await;
    world.alert("ops", "critical").await;
    world.alert("web", "critical").await;
    world.settle().await;
    assert_eq!(world.pages(), ["0 bob", "0 carol"]);
    let before = world.get("/api/v1/escalation-plans/ops").await;
    let body = json!({ "layers": [{ "people": ["dave"] }] });
    assert_eq!(world.request("PATCH", "/api/v1/schedules/ops?force=true", Some(body)).await.status, 200);
    world.pass_seconds(61).await;
    world.alert("ops", "critical").await;
    world.settle().await;
    assert!(world.pages().contains(&"61 dave".to_owned()), "{:?}", world.pages());
    assert_eq!(world.get("/api/v1/escalation-plans/ops").await, before);
}

#[tokio::test]
async fn the_new_operator_takes_the_shift_over_by_hand() {
    let mut world = World::defined(&ops(PLAN)).await;
    let number = world.alert("ops", "critical").await;
    world.settle().await;
    world.post("/api/v1/teams/ops/takeover", json!({ "person": "carol" })).await;
    world.settle().await;
    // She is paged for what is open, John is relieved; what comes later is hers.
    assert_eq!(world.pages(), ["0 carol", "0 john"]);
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    let johns = alert["pages"].as_array().unwrap().iter().find(|page| page["person"] == "john").unwrap();
    assert_eq!(johns["ended_why"], "relieved");
    world.pass_seconds(61).await;
    world.alert("ops", "critical").await;
    world.settle().await;
    assert_eq!(world.pages()[2..], ["61 carol"]);
}

#[tokio::test]
async fn no_shift_changes_by_itself_unless_somebody_wants_it() {
    let mut world = World::defined(&ops(PLAN)).await;
    world.post("/api/v1/teams/ops/takeover", json!({ "person": "bob", "until": "released" })).await;
    for time in ["2026-03-03T00:00:00Z", "2026-06-01T08:00:00Z", "2027-01-01T00:00:00Z"] {
        assert_eq!(paged_at(&mut world, time).await, "bob", "{time}");
    }
    world.post("/api/v1/teams/ops/takeover", json!({ "person": "carol", "until": "released" })).await;
    assert_eq!(paged_at(&mut world, "2027-06-01T00:00:00Z").await, "carol");
}

#[tokio::test]
async fn rotations_and_escalation_plans_have_apis_of_their_own() {
    let world = World::defined("").await;
    let rotation = json!({ "name": "weekly", "members": ["john", "bob"], "handoff": "monday 08:00", "start": "2026-02-23" });
    world.post("/api/v1/rotations", rotation).await;
    let schedule = json!({ "name": "ops", "layers": [{ "rotation": "weekly" }] });
    world.post("/api/v1/schedules", schedule).await;
    let plan = json!({ "name": "ops", "steps": [{ "notify": ["on_call"], "after": "5m" }] });
    world.post("/api/v1/escalation-plans", plan).await;
    // A team only names them: it stays small.
    let team =
        json!({ "name": "ops", "members": ["john", "bob"], "schedule": "ops", "escalation_plan": "ops" });
    world.post("/api/v1/teams", team).await;
    for kind in ["rotations", "schedules", "escalation-plans", "teams"] {
        assert_eq!(
            world.get(&format!("/api/v1/{kind}")).await["items"].as_array().unwrap().len(),
            1,
            "{kind}"
        );
    }
    let used = world.request("DELETE", "/api/v1/escalation-plans/ops", None).await;
    assert_eq!(used.status, 409, "{}", used.text);
    assert!(used.text.contains("team \\\"ops\\\""), "{}", used.text);
}
