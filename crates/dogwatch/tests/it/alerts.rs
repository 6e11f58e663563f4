//! Alerts over the API: dedup, idempotency, listing, acting.

use serde_json::{Value, json};

use crate::support::{TOKEN, World, answer};

async fn world() -> World {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world
}

#[tokio::test]
async fn one_open_alert_for_a_key() {
    let mut world = world().await;
    let body = || json!({ "summary": "disk full", "dedup_key": "db1/disk" });
    let requests = (0..64).map(|_| world.post("/api/v1/teams/ops/notify", body()));
    let alerts = futures_util::future::join_all(requests).await;
    assert!(alerts.iter().all(|alert| alert["number"] == alerts[0]["number"]), "64 at once make one alert");
    world.settle().await;
    // Where several connections write, a number may be left out.
    let number = alerts[0]["number"].as_u64().unwrap();
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    assert_eq!(alert["triggers"], 64);
    let rings = |alert: &Value| alert["deliveries"].as_array().unwrap().len();
    assert_eq!(rings(&alert), 1, "and page once");

    world.post(&format!("/api/v1/alerts/{number}/resolve"), json!({})).await;
    let next = world.post("/api/v1/teams/ops/notify", body()).await["number"].as_u64().unwrap();
    assert!(next > number, "after resolve it is a new one");
    let other = world.post("/api/v1/people/john/notify", body()).await["number"].as_u64().unwrap();
    assert!(other > next, "keys of different senders never meet");
}

#[tokio::test]
async fn an_integration_has_keys_of_its_own_and_one_team() {
    let world = world().await;
    world.post("/api/v1/integrations", json!({ "name": "nagios", "team": "ops" })).await;
    let send = |integration: &str| json!({ "summary": "x", "dedup_key": "k", "integration": integration });
    let first = world.post("/api/v1/teams/ops/notify", send("nagios")).await;
    let second = world.post("/api/v1/teams/ops/notify", json!({ "summary": "x", "dedup_key": "k" })).await;
    assert_ne!(first["number"], second["number"]);
    let wrong = world.request("POST", "/api/v1/teams/ops/notify", Some(send("nagos"))).await;
    assert_eq!((wrong.status, &wrong.body["field"]), (422, &json!("integration")));
    assert!(wrong.text.contains("did you mean \\\"nagios\\\"?"), "{}", wrong.text);
}

#[tokio::test]
async fn a_repeated_request_makes_one_alert() {
    let world = world().await;
    let send = async |key: &str, body: Value| {
        let request = world.client.post(format!("{}/api/v1/teams/ops/notify", world.url)).bearer_auth(TOKEN);
        answer(request.header("idempotency-key", key).body(body.to_string())).await
    };
    let first = send("a", json!({ "summary": "x" })).await;
    let again = send("a", json!({ "summary": "x" })).await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body["id"], again.body["id"]);
    assert_ne!(send("b", json!({ "summary": "x" })).await.body["id"], first.body["id"]);
    let other = send("a", json!({ "summary": "y" })).await;
    assert_eq!((other.status, &other.body["field"]), (422, &json!("Idempotency-Key")));
    assert_eq!(world.get("/api/v1/alerts").await["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_listing_goes_from_the_newest_to_the_oldest_page_by_page() {
    let world = world().await;
    for count in 0..7 {
        world.notify(&format!("problem {count}")).await;
    }
    world.post("/api/v1/alerts/3/resolve", json!({})).await;
    let mut numbers = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world.get(&format!("/api/v1/alerts?team=ops&limit=2{cursor}")).await;
        numbers
            .extend(page["items"].as_array().unwrap().iter().map(|alert| alert["number"].as_u64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(numbers, [7, 6, 5, 4, 2, 1]);
    let resolved = world.get("/api/v1/alerts?status=resolved").await;
    assert_eq!(resolved["items"][0]["number"], 3);
    assert!(world.get("/api/v1/alerts?person=john").await["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn an_alert_is_found_by_number_and_by_id_and_says_what_comes_next() {
    let mut world = world().await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    let same = world.get(&format!("/api/v1/alerts/{}", alert["id"].as_str().unwrap())).await;
    assert_eq!(alert, same);
    let next: Vec<_> =
        alert["next"].as_array().unwrap().iter().map(|next| next["text"].as_str().unwrap()).collect();
    assert_eq!(next, ["John is tried again", "Bob is paged (step 2)"]);
    for missing in
        ["/api/v1/alerts/99", "/api/v1/alerts/nothing", "/api/v1/alerts/alert_00000000000000000000000000"]
    {
        assert_eq!(world.request("GET", missing, None).await.status, 404, "{missing}");
    }
}

#[tokio::test]
async fn acting_twice_is_harmless_and_acting_too_late_is_a_conflict() {
    let world = world().await;
    world.notify("disk full").await;
    let act = async |verb: &str, body: Value| {
        world.request("POST", &format!("/api/v1/alerts/1/{verb}"), Some(body)).await
    };
    assert_eq!(act("unacknowledge", json!({})).await.status, 409);
    assert_eq!(act("acknowledge", json!({})).await.status, 200);
    assert_eq!(act("acknowledge", json!({})).await.status, 200);
    assert_eq!(act("escalate", json!({ "step": 9 })).await.status, 409);
    assert_eq!(act("escalate", json!({ "step": 0 })).await.status, 422);
    assert_eq!(act("escalate", json!({ "step": 2 })).await.body["status"], "triggered");
    assert_eq!(act("notes", json!({ "text": "restarted it" })).await.status, 200);
    assert_eq!(act("notes", json!({ "text": "  " })).await.status, 422);
    assert_eq!(act("resolve", json!({})).await.status, 200);
    assert_eq!(act("resolve", json!({})).await.status, 200);
    assert_eq!(act("acknowledge", json!({})).await.status, 409);
    let story = world.story(1).await;
    assert!(story.iter().any(|line| line.ends_with("test, by the API: restarted it")), "{story:#?}");
    assert_eq!(story.iter().filter(|line| line.contains("Acknowledged")).count(), 1);
}

#[tokio::test]
async fn a_summary_of_several_lines_becomes_one() {
    let world = world().await;
    world.notify("disk full\non db1").await;
    assert_eq!(world.get("/api/v1/alerts/1").await["summary"], "disk full on db1");
}

#[tokio::test]
async fn every_kind_of_line_break_is_one_and_the_live_page_bears_it() {
    let world = world().await;
    world.post("/api/v1/teams/ops/notify", json!({ "summary": "x", "details": "a\r\nb\rc\nd" })).await;
    assert_eq!(world.get("/api/v1/alerts/1").await["details"], "a\nb\nc\nd");
    let cookie = world.cookie(None).await;
    let mut stream = world
        .client
        .get(format!("{}/live/alerts/1", world.url))
        .header("cookie", &cookie)
        .send()
        .await
        .unwrap();
    let mut seen = String::new();
    while !seen.contains("What happened") {
        seen.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
}
