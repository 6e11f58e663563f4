//! Keys: shown once, good for events of one integration and for nothing else, replaced with an overlap, limited.

use jiff::SignedDuration;
use serde_json::json;

use super::house;
use crate::support::answer;

#[tokio::test]
async fn a_key_sends_events_and_does_nothing_else() {
    let house = house(json!({})).await;
    assert_eq!(house.key.len(), 32, "as long as PagerDuty's");
    for path in ["/api/v1/teams", "/api/v1/alerts", "/api/v1/integrations/mon/keys", "/metrics"] {
        let request = house.world.client.get(format!("{}{path}", house.world.url)).bearer_auth(&house.key);
        assert_eq!(answer(request).await.status, 401, "{path}");
    }
    let made = house.world.post("/api/v1/tokens", json!({ "name": "phone", "person": "john" })).await;
    let token = made["secret"].as_str().unwrap();
    for (method, path) in
        [("GET", "keys"), ("POST", "keys"), ("POST", "signing-key"), ("POST", "test"), ("DELETE", "keys/x")]
    {
        let url = format!("{}/api/v1/integrations/mon/{path}", house.world.url);
        let request = house.world.client.request(method.parse().unwrap(), url).bearer_auth(token);
        assert_eq!(answer(request).await.status, 403, "{method} {path}");
    }
}

#[tokio::test]
async fn the_key_is_stored_nowhere_not_even_in_what_was_received() {
    let house = house(json!({})).await;
    let body = json!({ "routing_key": "KEY", "event_action": "trigger", "client": "KEY",
        "payload": { "summary": "x", "source": "y", "severity": "error" } });
    house.sent("/v2/enqueue", &body).await;
    let shown = house.world.get("/api/v1/integrations/mon/received").await["items"][0]["raw"].clone();
    assert!(shown.as_str().unwrap().contains("\"routing_key\":\"(the key)\""), "{shown}");
    for file in std::fs::read_dir(house.world.folder.path()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(32).any(|window| window == house.key.as_bytes());
        assert!(!found, "{}", path.display());
    }
}

#[tokio::test]
async fn an_old_key_is_good_until_the_overlap_ends() {
    let mut house = house(json!({})).await;
    let path = "/integrations/v1/generic/KEY/";
    let event = json!({ "summary": "x", "dedup_key": "x" });
    let new = house.world.post("/api/v1/integrations/mon/keys", json!({ "overlap": "1h" })).await;
    let (new, id) = (new["secret"].as_str().unwrap().to_owned(), new["id"].as_str().unwrap().to_owned());
    assert_eq!(house.send(path, &event).await.status, 200);
    house.world.pass(SignedDuration::from_mins(61)).await;
    assert_eq!(house.send(path, &event).await.status, 401);
    house.key = new;
    assert_eq!(house.send(path, &event).await.status, 200);
    let keys = house.world.get("/api/v1/integrations/mon/keys").await;
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
    let revoke = format!("/api/v1/integrations/mon/keys/{id}");
    assert_eq!(house.world.request("DELETE", &revoke, None).await.status, 204);
    assert_eq!(house.send(path, &event).await.status, 401, "revoked at once");
    assert_eq!(house.world.request("DELETE", &revoke, None).await.status, 404);
}

#[tokio::test]
async fn a_key_ends_with_its_integration_and_does_not_come_back_with_its_name() {
    let house = house(json!({})).await;
    let path = "/integrations/v1/generic/KEY/";
    let event = json!({ "summary": "x" });
    assert_eq!(house.world.request("DELETE", "/api/v1/integrations/mon", None).await.status, 204);
    assert_eq!(house.send(path, &event).await.status, 401);
    house.world.post("/api/v1/integrations", json!({ "name": "mon", "team": "ops" })).await;
    assert_eq!(house.send(path, &event).await.status, 401);
}

#[tokio::test]
async fn who_sends_too_fast_is_told_when_to_come_back_in_the_format_s_own_words() {
    let house = house(json!({})).await;
    // The tests' server lets a hundred a second in, and a thousand at once; its clock stands still.
    let change = json!({ "routing_key": "KEY", "payload": { "summary": "x" } });
    let mut taken = 0;
    while house.send("/v2/change/enqueue", &change).await.status == 202 {
        taken += 1;
        assert!(taken <= 1_000);
    }
    assert_eq!(taken, 1_000);
    let event = json!({ "routing_key": "KEY", "service_key": "KEY", "event_action": "resolve", "event_type": "resolve",
        "message": "x", "message_type": "INFO", "summary": "x", "alerts": [] });
    for (path, status) in [
        ("/v2/enqueue", 429),
        ("/generic/2010-04-15/create_event.json", 403),
        ("/v2/alerts", 429),
        // These try again after a 5xx only.
        ("/integrations/generic/20131114/alert/KEY/ops", 503),
        ("/integrations/v1/alertmanager/KEY/", 503),
        ("/integrations/v1/generic/KEY/", 503),
    ] {
        let answer = house.send(path, &event).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert_eq!(answer.headers["retry-after"], "1", "{path}");
    }
    let later = dogwatch::clock::Clock::now(&*house.world.clock) + SignedDuration::from_secs(1);
    house.world.clock.set(later);
    assert_eq!(house.send("/v2/change/enqueue", &change).await.status, 202);
}

#[tokio::test]
async fn an_integration_with_a_signing_key_takes_signed_webhooks_only() {
    use hmac::{Hmac, KeyInit, Mac};
    let house = house(json!({})).await;
    let made = house.world.post("/api/v1/integrations/mon/signing-key", json!({})).await;
    let secret = made["secret"].as_str().unwrap().to_owned();
    let body = json!({ "version": "1", "status": "firing", "alerts": [{ "status": "firing", "labels": { "alertname": "x" }, "fingerprint": "1" }] })
        .to_string();
    let url = format!("{}/integrations/v1/grafana/{}/", house.world.url, house.key);
    let sign = |text: &str, key: &str| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        mac.finalize().into_bytes().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    };
    let send = async |headers: &[(&str, String)]| {
        let mut request = house.world.client.post(&url).body(body.clone());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        answer(request).await.status
    };
    const SIGNATURE: &str = "X-Grafana-Alerting-Signature";
    const TIME: &str = "X-Grafana-Alerting-Timestamp";
    assert_eq!(send(&[]).await, 401);
    assert_eq!(send(&[(SIGNATURE, sign(&body, "another"))]).await, 401);
    assert!(house.alerts().await.is_empty());
    assert_eq!(send(&[(SIGNATURE, sign(&body, &secret))]).await, 200);
    let now = dogwatch::clock::Clock::now(&*house.world.clock).as_second();
    let timed = |at: i64| [(SIGNATURE, sign(&format!("{at}:{body}"), &secret)), (TIME, at.to_string())];
    assert_eq!(send(&timed(now)).await, 200);
    assert_eq!(send(&timed(now - 400)).await, 401, "a replay");
    // No other address of the same key is a way around.
    let plain = json!({ "summary": "x" });
    assert_eq!(house.send("/integrations/v1/generic/KEY/", &plain).await.status, 401);
    let event = json!({ "routing_key": "KEY", "event_action": "trigger", "payload": { "summary": "x", "source": "y", "severity": "info" } });
    assert_ne!(house.send("/v2/enqueue", &event).await.status, 202);
    assert_eq!(house.world.request("DELETE", "/api/v1/integrations/mon/signing-key", None).await.status, 204);
    assert_eq!(house.send("/integrations/v1/generic/KEY/", &plain).await.status, 200);
}

#[tokio::test]
async fn who_guesses_keys_has_to_wait_and_nobody_else_has() {
    let house = house(json!({})).await;
    let event = json!({ "summary": "x", "dedup_key": "x" });
    let guess = async |path: &str, status: u16| {
        let body = json!({ "routing_key": "wrong", "service_key": "wrong", "event_action": "trigger" });
        let answer = answer(house.world.client.post(format!("{}{path}", house.world.url)).json(&body)).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert!(answer.text.contains("no integration of Dogwatch has this key"), "{}", answer.text);
        answer.headers.get("retry-after").map(|value| value.to_str().unwrap().to_owned())
    };
    for _ in 0..5 {
        assert_eq!(guess("/v2/enqueue", 400).await, None);
        assert_eq!(guess("/integrations/v1/alertmanager/wrong/", 401).await, None);
    }
    assert_eq!(guess("/v2/enqueue", 429).await.as_deref(), Some("1"));
    assert_eq!(guess("/integrations/v1/generic/wrong/", 429).await.as_deref(), Some("2"));
    assert_eq!(guess("/integrations/generic/20131114/alert/wrong/ops", 429).await.as_deref(), Some("4"));
    // From the same address, in between.
    assert_eq!(house.send("/integrations/v1/generic/KEY/", &event).await.status, 200);
    assert_eq!(guess("/generic/2010-04-15/create_event.json", 429).await.as_deref(), Some("8"));
    let later = dogwatch::clock::Clock::now(&*house.world.clock) + SignedDuration::from_mins(10);
    house.world.clock.set(later);
    assert_eq!(guess("/v2/enqueue", 400).await, None);
}
