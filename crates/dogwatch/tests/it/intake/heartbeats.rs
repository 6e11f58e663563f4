//! Heartbeats: what is expected is heard, what falls silent is told once, and our own outage is nobody's silence.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{House, house};

async fn beating(fields: Value) -> House {
    let house = house(json!({})).await;
    let mut body = json!({ "name": "backup", "team": "ops", "every": "10m", "severity": "critical", "description": "see the wiki" });
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    house.world.post("/api/v1/heartbeats", body).await;
    house
}

impl House {
    async fn heartbeat(&self) -> String {
        let status = self.world.get("/api/v1/heartbeats/backup/status").await;
        status["status"].as_str().unwrap().to_owned()
    }

    async fn beat(&self) {
        let answer = self.send_text("GET", "/v2/heartbeats/backup/ping", "").await;
        assert_eq!((answer.status, &answer.body["result"]), (202, &json!("PONG - Heartbeat received")));
    }
}

#[tokio::test]
async fn silence_pages_once_and_the_next_sign_of_life_ends_it() {
    let mut house = beating(json!({})).await;
    assert_eq!(house.heartbeat().await, "waiting");
    for _ in 0..5 {
        house.beat().await;
        house.world.pass(SignedDuration::from_mins(9)).await;
    }
    assert!(house.alerts().await.is_empty());
    assert_eq!(house.heartbeat().await, "alive");
    house.world.pass_seconds(59).await;
    assert!(house.alerts().await.is_empty(), "not a second too early");
    house.world.pass_seconds(1).await;
    let late =
        (1, "triggered".to_owned(), "backup is silent: expected every 10m".to_owned(), "critical".to_owned());
    assert_eq!(house.alerts().await, [late]);
    assert!(house.world.story(1).await.join("\n").contains("John's handset rings"));
    let details = house.world.get("/api/v1/alerts/1").await["details"].clone();
    assert_eq!(details, "It was last heard at 2026-03-02 03:36:00 UTC.\n\nsee the wiki");
    house.world.pass(SignedDuration::from_hours(5)).await;
    assert_eq!(house.alerts().await.len(), 1);
    assert_eq!(house.heartbeat().await, "silent");
    house.beat().await;
    assert_eq!((house.status().await, house.heartbeat().await), ("resolved".to_owned(), "alive".to_owned()));
    house.world.pass(SignedDuration::from_mins(10)).await;
    assert_eq!(house.alerts().await.len(), 2, "silent again");
}

#[tokio::test]
async fn only_time_within_its_period_counts() {
    let mut house = house(json!({})).await;
    house
        .world
        .post("/api/v1/periods", json!({ "name": "workdays", "rules": [{ "days": ["monday", "tuesday", "wednesday", "thursday", "friday"], "hours": ["09:00-17:00"] }] }))
        .await;
    // The world begins on a Monday at 03:00 UTC, 04:00 in Berlin.
    let body = json!({ "name": "backup", "team": "ops", "every": "3h", "period": "workdays", "zone": "Europe/Berlin" });
    house.world.post("/api/v1/heartbeats", body).await;
    let late_at = house.world.get("/api/v1/heartbeats/backup/status").await["late_at"].clone();
    assert_eq!(late_at, "2026-03-02T11:00:00.000Z", "three hours after nine in Berlin");
    house.world.pass(SignedDuration::from_hours(5 * 24 - 12)).await;
    house.beat().await;
    assert_eq!(house.alerts().await.len(), 1);
    // Friday 15:00 UTC is 16:00 in Berlin: one hour is left of this week, two of the next are to come.
    let late_at = house.world.get("/api/v1/heartbeats/backup/status").await["late_at"].clone();
    assert_eq!(late_at, "2026-03-09T10:00:00.000Z");
}

#[tokio::test]
async fn our_own_outage_is_nobody_s_silence() {
    let house = beating(json!({})).await;
    house.beat().await;
    let later = dogwatch::clock::Clock::now(&*house.world.clock) + SignedDuration::from_hours(3);
    house.world.clock.set(later);
    let mut world = house.world.crash().await;
    world.pass(SignedDuration::from_mins(9)).await;
    assert!(world.get("/api/v1/alerts?status=all").await["items"].as_array().unwrap().is_empty());
    world.pass(SignedDuration::from_mins(1)).await;
    assert_eq!(world.get("/api/v1/alerts?status=all").await["items"].as_array().unwrap().len(), 1);
    // Asleep, not stopped: the time jumps, and nothing looked meanwhile.
    world.post("/api/v1/heartbeats/backup/ping", json!({})).await;
    world.clock.set(dogwatch::clock::Clock::now(&*world.clock) + SignedDuration::from_hours(3));
    world.settle().await;
    world.pass(SignedDuration::from_mins(9)).await;
    assert_eq!(world.get("/api/v1/heartbeats/backup/status").await["status"], "alive");
    world.pass(SignedDuration::from_mins(1)).await;
    assert_eq!(world.get("/api/v1/heartbeats/backup/status").await["status"], "silent");
}

#[tokio::test]
async fn a_key_pings_the_heartbeats_of_its_team_only() {
    let house = beating(json!({})).await;
    house.world.post("/api/v1/teams", json!({ "name": "dba", "members": ["bob"] })).await;
    house.world.post("/api/v1/heartbeats", json!({ "name": "other", "team": "dba", "every": "1h" })).await;
    for (path, status) in [
        ("/integrations/v1/heartbeat/KEY/backup", 202),
        ("/jsm/ops/integration/v2/heartbeats/backup/ping", 202),
        ("/v2/heartbeats/other/ping", 404),
        ("/v2/heartbeats/nothing/ping", 404),
        ("/integrations/v1/heartbeat/nobodys/backup", 401),
    ] {
        for method in ["GET", "POST", "PUT", "PATCH"] {
            assert_eq!(house.send_text(method, path, "").await.status, status, "{method} {path}");
        }
    }
    let gone = house.world.request("DELETE", "/api/v1/heartbeats/backup", None).await;
    assert_eq!(gone.status, 204);
    assert_eq!(house.send("/v2/heartbeats/backup/ping", &json!({})).await.status, 404);
    assert_eq!(house.world.request("DELETE", "/api/v1/teams/dba", None).await.status, 409);
}

#[tokio::test]
async fn what_is_wrong_with_a_heartbeat_is_said() {
    let house = house(json!({})).await;
    let body = json!({ "name": "x", "team": "opps", "every": "10m", "period": "nights" });
    let answer = house.world.request("POST", "/api/v1/heartbeats", Some(body)).await;
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 2, "{}", answer.text);
    let body =
        json!({ "name": "x", "team": "ops", "every": "0s", "zone": "Nowhere/None", "severity": "grave" });
    let answer = house.world.request("POST", "/api/v1/heartbeats", Some(body)).await;
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 4, "{}", answer.text);
}
