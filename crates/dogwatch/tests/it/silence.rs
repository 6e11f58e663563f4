//! Silences and maintenance windows: what they hold back, that they end, and that it shows.

use dogwatch::clock::Clock;
use dogwatch::store::Incoming;
use escalation::alert::Audience;
use escalation::event::{Actor, Severity, Trigger};
use escalation::name::Name;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::TOKEN;
use crate::support::World;
use crate::support::command::run_with;

async fn world() -> World {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world
}

async fn silence(world: &World, summary: &str, length: &str) -> String {
    let body = json!({ "match": { "summary": summary }, "for": length, "reason": "planned work" });
    world.post("/api/v1/silences", body).await["name"].as_str().unwrap().to_owned()
}

async fn status(world: &World, number: u64) -> Value {
    world.get(&format!("/api/v1/alerts/{number}")).await["status"].clone()
}

/// The story without what rings.
async fn told(world: &World, number: u64) -> Vec<String> {
    world.story(number).await.into_iter().filter(|line| !line.ends_with("rings")).collect()
}

#[tokio::test]
async fn a_silenced_alert_rings_nobody_is_shown_and_pages_when_the_silence_ends() {
    let mut world = world().await;
    let name = silence(&world, "disk *", "1h").await;
    let body = json!({ "summary": "disk full", "severity": "critical" });
    let number = world.post("/api/v1/teams/ops/notify", body).await["number"].as_u64().unwrap();
    let other = world.notify("fire").await;
    world.pass_seconds(30).await;
    let alert = world.get("/api/v1/alerts/1").await;
    assert_eq!(alert["status"], "silenced", "critical or not");
    assert_eq!(alert["silenced"]["by"], *name);
    assert_eq!(alert["silenced"]["why"], "test: planned work");
    assert_eq!(alert["silenced"]["until"], "2026-03-02T04:00:00.000Z");
    assert_eq!(status(&world, other).await, "triggered");
    let cookie = world.cookie(None).await;
    let now = world.page(&cookie, "/").await.text;
    assert!(now.contains("silenced by test: planned work"), "{now}");
    let page = world.page(&cookie, "/alerts/1").await.text;
    assert!(page.contains("Silenced by test: planned work, until"), "{page}");

    let mut world = world.crash().await;
    world.pass_seconds(3_569).await;
    assert_eq!(status(&world, number).await, "silenced");
    world.pass_seconds(1).await;
    assert_eq!(
        told(&world, number).await,
        [
            "0 Triggered for the team ops (test, by the API)",
            &format!("0 Silenced for 1h by {name} (test: planned work)"),
            "3600 Round 2 begins: nothing silences it any more",
            "3600 Step 1 pages John",
        ]
    );
}

#[tokio::test]
async fn ending_a_silence_pages_at_once_the_gravest_first() {
    let mut world = world().await;
    let name = silence(&world, "*", "2h").await;
    for severity in ["error", "warning", "critical", "error"] {
        let body = json!({ "summary": "disk full", "severity": severity });
        world.post("/api/v1/teams/ops/notify", body).await;
    }
    world.pass_seconds(60).await;
    assert_eq!(world.request("DELETE", &format!("/api/v1/silences/{name}"), None).await.status, 204);
    world.pass_seconds(1).await;
    let mut begun: Vec<String> = Vec::new();
    for number in 1..=4 {
        let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
        assert_eq!(alert["status"], "triggered");
        begun.push(alert["pages"][0]["started_at"].as_str().unwrap().to_owned());
    }
    assert!(begun[2] < begun[0] && begun[0] == begun[3] && begun[3] < begun[1], "{begun:?}");
    let over = world.get("/api/v1/silences?past=true").await;
    assert_eq!(over["items"][0]["state"], "over", "that it was stays known");
    assert_eq!(world.get("/api/v1/silences").await["items"], json!([]));
}

#[tokio::test]
async fn a_silence_made_while_people_are_paged_ends_that_and_tells_them() {
    let mut world = world().await;
    let number = world.notify("disk full").await;
    world.pass_seconds(10).await;
    silence(&world, "disk*", "1h").await;
    world.pass_seconds(120).await;
    assert_eq!(status(&world, number).await, "silenced");
    let told = told(&world, number).await;
    assert!(
        told.contains(
            &"10 John's handset is told: silenced by test: planned work; nothing to do for now".to_owned()
        ),
        "{told:#?}"
    );
}

#[tokio::test]
async fn a_changed_silence_is_looked_at_at_once_and_a_planned_one_when_it_begins() {
    let mut world = world().await;
    let body = json!({ "match": { "team": "ops" }, "from": "2026-03-02T03:10:00Z", "until": "2026-03-02T03:20:00Z", "reason": "r" });
    let made = world.post("/api/v1/silences", body).await;
    assert_eq!((&made["state"], &made["begins_at"]), (&json!("planned"), &json!("2026-03-02T03:10:00Z")));
    let name = made["name"].as_str().unwrap();
    let number = world.notify("disk full").await;
    world.pass_seconds(599).await;
    assert_eq!(status(&world, number).await, "unanswered");
    let mut world = world.crash().await;
    world.pass_seconds(1).await;
    assert_eq!(status(&world, number).await, "silenced", "as it begins");
    let path = format!("/api/v1/silences/{name}");
    let longer =
        world.request("PATCH", &path, Some(json!({ "for": "1h", "reason": "it takes longer" }))).await;
    assert_eq!(
        (longer.status, &longer.body["ends_at"]),
        (200, &json!("2026-03-02T04:10:00Z")),
        "{}",
        longer.text
    );
    world.pass_seconds(1_200).await;
    let alert = world.get("/api/v1/alerts/1").await;
    assert_eq!(alert["silenced"]["until"], "2026-03-02T04:10:00.000Z");
    assert_eq!(alert["silenced"]["why"], "test: it takes longer");
    // An edit after which it holds no more.
    let shorter = world.request("PATCH", &path, Some(json!({ "for": "1s" }))).await;
    assert_eq!(shorter.status, 200, "{}", shorter.text);
    world.pass(SignedDuration::from_millis(1_001)).await;
    assert_eq!(status(&world, number).await, "triggered");
    assert_eq!(world.request("PATCH", &path, Some(json!({ "for": "1h" }))).await.status, 409, "it is over");
}

#[tokio::test]
async fn a_silence_over_many_alerts_takes_them_in_turns_and_forgets_none() {
    // A team of nobody: its alerts are unanswered at once.
    let mut world = World::new().await;
    world.post("/api/v1/teams", json!({ "name": "ops" })).await;
    let report = |count: usize| {
        let trigger = Trigger {
            audience: Audience::Team(Name::new("ops").unwrap()),
            integration: format!("team:{}", count % 3),
            dedup_key: format!("key {count}"),
            summary: "disk full".to_owned(),
            details: String::new(),
            severity: Severity::Error,
            route: escalation::event::Route::default(),
            links: Vec::new(),
            by: Actor::dogwatch(),
        };
        world.store.record(Incoming { trigger, idempotency: None })
    };
    // More than are looked at in one transaction.
    let all = futures_util::future::join_all((0..1_100).map(report)).await;
    assert!(all.iter().all(Result::is_ok));
    world.settle().await;
    silence(&world, "disk*", "1h").await;
    // The look has begun, and not ended, when everything stops.
    assert!(world.store.advance(100).await.unwrap().is_full);
    let some = world.store.counts(Clock::now(&*world.clock)).await.unwrap().open;
    assert!(some.iter().any(|(status, _)| status == "unanswered"), "{some:?}");
    assert!(some.iter().any(|(status, _)| status == "silenced"), "{some:?}");
    let mut world = world.crash().await;
    world.settle().await;
    let counts = world.store.counts(Clock::now(&*world.clock)).await.unwrap();
    assert_eq!(counts.open, [("silenced".to_owned(), 1_100)]);
}

#[tokio::test]
async fn what_people_ask_for_is_not_held_back() {
    let mut world = world().await;
    silence(&world, "*", "1h").await;
    let number = world.notify("disk full").await;
    world.pass_seconds(5).await;
    world.post(&format!("/api/v1/alerts/{number}/escalate"), json!({})).await;
    world.pass_seconds(60).await;
    assert_eq!(status(&world, number).await, "triggered");
    let told = told(&world, number).await;
    assert!(told.contains(&"50 Step 2 pages Bob".to_owned()), "its steps go on: {told:#?}");
}

#[tokio::test]
async fn maintenance_recurs_by_a_period() {
    let mut world = world().await;
    let period = json!({ "name": "backup", "text": "monday 04:00-05:00" });
    let made = world.request("POST", "/api/v1/periods", Some(period)).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let body = json!({ "team": "ops", "period": "backup", "zone": "Europe/Berlin", "reason": "the backup" });
    let made = world.post("/api/v1/maintenance-windows", body).await;
    // 03:00 UTC is 04:00 in Berlin, on a Monday.
    assert_eq!((&made["state"], &made["ends_at"]), (&json!("active"), &json!("2026-03-02T04:00:00Z")));
    let number = world.notify("disk full").await;
    world.pass_seconds(3_599).await;
    assert_eq!(status(&world, number).await, "silenced");
    world.pass(SignedDuration::from_millis(1_001)).await;
    assert_eq!(status(&world, number).await, "triggered");
    world.post(&format!("/api/v1/alerts/{number}/resolve"), json!({})).await;
    // A week later again.
    let mut world = world.crash().await;
    world.pass(SignedDuration::from_hours(7 * 24 - 1) - SignedDuration::from_millis(10_001)).await;
    let before = world.notify("just before").await;
    world.pass_seconds(9).await;
    assert_eq!(status(&world, before).await, "triggered");
    world.pass_seconds(1).await;
    assert_eq!(status(&world, before).await, "silenced");
    let used = world.request("DELETE", "/api/v1/periods/backup", None).await;
    assert_eq!(used.status, 409, "{}", used.text);
    let name = made["name"].as_str().unwrap();
    assert_eq!(
        world.request("DELETE", &format!("/api/v1/maintenance-windows/{name}"), None).await.status,
        204
    );
    world.pass_seconds(1).await;
    assert_eq!(status(&world, before).await, "triggered");
}

#[tokio::test]
async fn a_preview_says_what_last_week_it_would_have_held_back() {
    let mut world = world().await;
    for (summary, severity) in
        [("disk full on db1", "critical"), ("disk full on db2", "warning"), ("fire", "critical")]
    {
        let body = json!({ "summary": summary, "severity": severity, "dedup_key": summary });
        world.post("/api/v1/teams/ops/notify", body.clone()).await;
        world.post("/api/v1/teams/ops/notify", body).await;
    }
    let preview = async |world: &World| {
        world.post("/api/v1/silences/preview", json!({ "match": { "summary": "disk full on *" } })).await
    };
    let seen = preview(&world).await;
    assert_eq!((&seen["reports"], &seen["alerts"], &seen["critical"]), (&json!(4), &json!(2), &json!(1)));
    let examples: Vec<_> =
        seen["examples"].as_array().unwrap().iter().map(|alert| alert["number"].clone()).collect();
    assert_eq!(examples, [json!(2), json!(1)]);
    // A week of pages to nobody is of no interest here.
    for number in 1..=3 {
        world.post(&format!("/api/v1/alerts/{number}/resolve"), json!({})).await;
    }
    world.pass(SignedDuration::from_hours(7 * 24)).await;
    assert_eq!(preview(&world).await["reports"], 4, "at the very edge");
    world.pass(SignedDuration::from_millis(1)).await;
    assert_eq!(preview(&world).await["reports"], 0);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_the_field() {
    let world = world().await;
    let some = || json!({ "team": "ops" });
    for (body, field) in [
        (json!({ "match": {}, "for": "1h", "reason": "r" }), "match"),
        (json!({ "match": some(), "reason": "r" }), "until"),
        (json!({ "match": some(), "for": "1h", "reason": "" }), "reason"),
        (json!({ "match": some(), "for": "1h", "until": "2026-03-03", "reason": "r" }), "for"),
        (json!({ "match": some(), "until": "2026-04-02T00:00:00Z", "reason": "r" }), "until"),
        (json!({ "match": some(), "until": "2026-03-01", "reason": "r" }), "until"),
        (json!({ "match": some(), "from": "2026-03-01", "for": "1h", "reason": "r" }), "from"),
        (json!({ "match": { "team": "opps" }, "for": "1h", "reason": "r" }), "match.team"),
        (json!({ "match": { "severities": ["bad"] }, "for": "1h", "reason": "r" }), "match.severities[0]"),
        (json!({ "match": { "summary": "" }, "for": "1h", "reason": "r" }), "match.summary"),
        (json!({ "match": { "sumary": "x" }, "for": "1h", "reason": "r" }), "match.sumary"),
        (json!({ "match": some(), "for": "1h", "period": "nights", "reason": "r" }), "period"),
        (json!({ "match": some(), "for": "1h", "zone": "Mars", "reason": "r" }), "zone"),
    ] {
        let answer = world.request("POST", "/api/v1/silences", Some(body.clone())).await;
        assert_eq!(
            (answer.status, answer.body["field"].as_str()),
            (422, Some(field)),
            "{body}: {}",
            answer.text
        );
    }
    for (body, field) in [
        (json!({ "for": "1h", "reason": "r" }), "team"),
        (json!({ "team": "ops", "integration": "x", "for": "1h", "reason": "r" }), "team"),
        (json!({ "integration": "x", "for": "1h", "reason": "r" }), "integration"),
        (json!({ "team": "ops", "reason": "r" }), "until"),
    ] {
        let answer = world.request("POST", "/api/v1/maintenance-windows", Some(body.clone())).await;
        assert_eq!(
            (answer.status, answer.body["field"].as_str()),
            (422, Some(field)),
            "{body}: {}",
            answer.text
        );
    }
    assert_eq!(world.request("GET", "/api/v1/silences/none", None).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_silences_previews_and_ends() {
    let world = world().await;
    world.notify("disk full on db1").await;
    let folder = tempfile::tempdir().unwrap();
    let command = |arguments: &[&str]| {
        let variables = [("DOGWATCH_URL", world.url.as_str()), ("DOGWATCH_TOKEN", TOKEN)];
        let ran = run_with(folder.path(), arguments, "", &variables);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}");
        ran.out
    };
    let seen = command(&["silence", "preview", "--summary", "disk*"]);
    assert!(
        seen.ends_with("1 reports of 1 alerts, 0 of them critical\n#1     error     disk full on db1\n"),
        "{seen}"
    );
    let made = command(&["silence", "create", "--summary", "disk*", "--for", "2h", "--reason", "new disks"]);
    let name = made.split(' ').next().unwrap();
    assert_eq!(made, format!("{name}  active until 2026-03-02 05:00:00Z  summary=disk*  test: new disks\n"));
    assert_eq!(command(&["silence", "list"]), made);
    assert_eq!(
        command(&["silence", "end", name]),
        format!("{name} is ended; open alerts are looked at again\n")
    );
    assert_eq!(command(&["silence", "list"]), "none\n");
    let made = command(&[
        "maintenance",
        "create",
        "--team",
        "ops",
        "--from",
        "2026-03-03 08:00",
        "--for",
        "1h",
        "--reason",
        "r",
    ]);
    assert!(made.contains("planned from 2026-03-03 08:00:00Z  team=ops  test: r"), "{made}");
    let name = made.split(' ').next().unwrap();
    command(&["maintenance", "end", name]);
    assert_eq!(command(&["maintenance", "list", "--past"]), "none\n", "one that has not begun is taken back");
}
