//! What must hold for a step to fire; a step for which it does not costs no time.

use dogwatch::clock::Clock;
use jiff::Timestamp;

use crate::support::World;
use crate::support::definitions::{START, ops};

/// Bob's step has a condition; John's comes at once if Bob's is skipped.
fn steps(condition: &str) -> String {
    ops(&format!(
        "steps = [{{ notify = [\"person:bob\"], after = \"5m\", {condition} }}, {{ notify = [\"person:john\"], after = \"1h\" }}]"
    ))
}

const NIGHTS: &str =
    "[[period]]\nname = \"nights\"\nrules = [{ days = \"monday - sunday\", hours = \"03:30-06:00\" }]\n";

async fn at(world: &mut World, time: &str) {
    let time: Timestamp = time.parse().unwrap();
    world.pass(time.duration_since(world.clock.now())).await;
}

#[tokio::test]
async fn a_period_is_asked_in_its_zone_whatever_the_server_thinks() {
    for (zone, is_in) in [("Europe/Berlin", true), ("UTC", false), ("America/New_York", false)] {
        let text = steps(&format!("during = \"nights\", zone = \"{zone}\"")) + NIGHTS;
        let mut world = World::defined(&text).await;
        // 03:00 in UTC is 04:00 in Berlin.
        world.alert("ops", "critical").await;
        world.settle().await;
        assert_eq!(world.pages(), [if is_in { "0 bob" } else { "0 john" }], "{zone}");
    }
}

#[tokio::test]
async fn a_period_ends_to_the_second_and_through_a_change_of_the_clocks() {
    // On 29 March the clocks of Berlin are put forward at 02:00: 03:30 there is 01:30 in UTC.
    for (time, is_in) in [
        ("2026-03-29T01:29:59Z", false),
        ("2026-03-29T01:30:00Z", true),
        ("2026-03-29T03:59:59Z", true),
        ("2026-03-29T04:00:00Z", false),
    ] {
        let text = steps("during = \"nights\", zone = \"Europe/Berlin\"") + NIGHTS;
        let mut world = World::defined(&text).await;
        at(&mut world, time).await;
        world.alert("ops", "critical").await;
        world.settle().await;
        let second = time.parse::<Timestamp>().unwrap().duration_since(START).as_secs();
        let who = if is_in { "bob" } else { "john" };
        assert_eq!(world.pages(), [format!("{second} {who}")], "{time}");
    }
}

#[tokio::test]
async fn the_paged_persons_own_zone_is_asked_for_each_person_alone() {
    let far = "[[person]]\nname = \"nori\"\nzone = \"Asia/Tokyo\"\ncontacts = [\"webhook:https://pager.example/nori\"]\n";
    let plan = r#"steps = [
        { notify = ["person:bob", "person:nori"], after = "5m", during = "nights", zone = "person" },
        { notify = ["person:john"], after = "1h" },
    ]"#;
    let mut world = World::defined(&(ops(plan) + NIGHTS + far)).await;
    // 04:00 in Berlin, noon in Tokyo.
    let number = world.alert("ops", "critical").await;
    world.settle().await;
    assert_eq!(world.pages(), ["0 bob"]);
    let story = world.story(number).await;
    let left_out = "0 Step 1 leaves out nori: outside the hours of this step, by their own clocks".to_owned();
    assert!(story.contains(&left_out), "{story:#?}");
    // 20:00 in Berlin, 04:00 in Tokyo.
    at(&mut world, "2026-03-02T19:00:00Z").await;
    world.post("/api/v1/alerts/1/resolve", serde_json::json!({})).await;
    world.alert("ops", "critical").await;
    world.settle().await;
    assert_eq!(world.pages().last().unwrap(), "57600 nori");
}

#[tokio::test]
async fn a_step_for_grave_alerts_is_skipped_for_others() {
    for (severity, page) in
        [("critical", "0 bob"), ("error", "0 bob"), ("warning", "0 john"), ("info", "0 john")]
    {
        let mut world = World::defined(&steps("severity = \"error\"")).await;
        world.alert("ops", severity).await;
        world.settle().await;
        assert_eq!(world.pages(), [page], "{severity}");
    }
}

#[tokio::test]
async fn a_step_for_many_alerts_fires_when_there_are_more_and_only_of_this_team() {
    let other = "[[team]]\nname = \"web\"\nmembers = [\"dave\"]\n";
    let text = steps("more_than = { alerts = 2, within = \"10m\" }") + other;
    let mut world = World::defined(&text).await;
    // Long ago, and of another team: neither counts.
    world.alert("ops", "critical").await;
    world.pass_seconds(601).await;
    world.alert("web", "critical").await;
    world.pass_seconds(61).await;
    for (second, wanted) in [(662, "john"), (724, "john"), (786, "bob")] {
        let seen = world.pages().len();
        world.alert("ops", "critical").await;
        world.settle().await;
        assert_eq!(world.pages()[seen..], [format!("{second} {wanted}")]);
        world.pass_seconds(62).await;
    }
    let story = world.story(3).await;
    let skipped = "662 Step 1 is skipped: not more than 2 alerts within 10m: there are 1".to_owned();
    assert!(story.contains(&skipped), "{story:#?}");
}

#[tokio::test]
async fn all_conditions_of_a_step_must_hold() {
    for (severity, page) in [("critical", "0 bob"), ("error", "0 john")] {
        let only = "severity = \"critical\", during = \"nights\", zone = \"Europe/Berlin\"";
        let mut world = World::defined(&(steps(only) + NIGHTS)).await;
        world.alert("ops", severity).await;
        world.settle().await;
        assert_eq!(world.pages(), [page], "{severity}");
    }
}

#[tokio::test]
async fn what_can_never_be_asked_is_refused_where_it_stands() {
    let world = World::defined("").await;
    for (condition, field) in [
        ("during = \"nights\"", "steps[0].zone"),
        ("zone = \"UTC\"", "steps[0].during"),
        ("during = \"nights\", zone = \"Europe/Berlim\"", "steps[0].zone"),
        ("during = \"knights\", zone = \"UTC\"", "steps[0].during"),
        ("severity = \"grave\"", "steps[0].severity"),
        ("more_than = { alerts = 0, within = \"10m\" }", "steps[0].more_than.alerts"),
        ("more_than = { alerts = 1, within = \"8d\" }", "steps[0].more_than.within"),
    ] {
        let text = crate::support::definitions::people() + &steps(condition) + NIGHTS;
        let answer = world.apply(&text).await;
        assert_eq!(answer.status, 422, "{condition}");
        assert!(answer.text.contains(&format!("body.{field}\"")), "{condition}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_late_step_counts_its_own_alert_and_those_that_came_in_since() {
    let plan = r#"steps = [
        { notify = ["person:bob"], after = "20m" },
        { notify = ["person:carol"], after = "5m", more_than = { alerts = 1, within = "10m" } },
        { notify = ["person:dave"], after = "1h" },
    ]"#;
    let mut world = World::defined(&ops(plan)).await;
    world.alert("ops", "critical").await;
    world.pass_seconds(900).await;
    let second = world.alert("ops", "critical").await;
    world.pass_seconds(1_205).await;
    // The first finds the second beside itself; the second, 20 minutes later, finds itself alone.
    assert_eq!(world.pages(), ["0 bob", "900 bob", "1200 carol", "1500 dave", "2100 dave"]);
    let story = world.story(second).await;
    let skipped = "2100 Step 2 is skipped: not more than 1 alerts within 10m: there are 1".to_owned();
    assert!(story.contains(&skipped), "{story:#?}");
}
