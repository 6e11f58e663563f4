//! Opsgenie's alert API: its verbs, its names for alerts, what is shown, and what became of a request.

use serde_json::{Value, json};

use super::{House, house};

fn alert(alias: &str) -> Value {
    json!({ "message": "disk full on db1", "alias": alias, "priority": "P1", "description": "97 %", "tags": ["disk"],
        "details": { "host": "db1", "count": 3 }, "responders": [{ "type": "team", "name": "x" }], "source": "http://am.example" })
}

async fn act(house: &House, path: &str, body: Value) -> Value {
    let answer = house.send(path, &body).await;
    assert_eq!(answer.status, 202, "{path}: {}", answer.text);
    assert_eq!(answer.body["result"], "Request will be processed");
    assert!(answer.body["took"].is_number());
    let request = answer.body["requestId"].as_str().unwrap().to_owned();
    let status = house.send_text("GET", &format!("/v2/alerts/requests/{request}"), "").await;
    assert_eq!(status.status, 200, "{}", status.text);
    status.body["data"].clone()
}

#[tokio::test]
async fn every_verb_does_what_it_says_and_its_request_tells_what_became_of_it() {
    let house = house(json!({})).await;
    let created = act(&house, "/v2/alerts", alert("db1/disk")).await;
    assert_eq!((&created["success"], &created["alias"]), (&json!(true), &json!("db1/disk")));
    let id = created["alertId"].as_str().unwrap().to_owned();
    act(&house, "/v2/alerts", alert("db1/disk")).await;
    let view = house.send_text("GET", &format!("/v2/alerts/{id}"), "").await.body["data"].clone();
    assert_eq!((&view["count"], &view["status"], &view["tinyId"]), (&json!(2), &json!("open"), &json!("1")));
    assert_eq!((&view["priority"], &view["acknowledged"]), (&json!("P1"), &json!(false)));

    let alias = |verb: &str| format!("/v2/alerts/db1%2Fdisk/{verb}?identifierType=alias");
    act(&house, &alias("acknowledge"), json!({ "user": "bob", "note": "looking" })).await;
    assert_eq!(house.status().await, "acknowledged");
    let by = house.world.get("/api/v1/alerts/1").await["acknowledged"].clone();
    assert_eq!(by["person"], "bob");
    act(&house, &format!("/v2/alerts/{id}/unacknowledge"), json!({})).await;
    assert_eq!(house.status().await, "triggered");
    act(&house, "/v2/alerts/1/snooze?identifierType=tiny", json!({ "endTime": "2026-03-02T04:00:00Z" }))
        .await;
    assert_eq!(house.status().await, "snoozed");
    act(&house, &alias("notes"), json!({ "note": "a note" })).await;
    for (verb, body) in [
        ("message", json!({ "message": "disk overfull" })),
        ("description", json!({ "description": "99 %" })),
        ("priority", json!({ "priority": "P2" })),
    ] {
        let answer = house.send_text("PUT", &alias(verb), &body.to_string()).await;
        assert_eq!(answer.status, 202, "{verb}: {}", answer.text);
    }
    let shown = house.world.get("/api/v1/alerts/1").await;
    assert_eq!((&shown["summary"], &shown["details"]), (&json!("disk overfull"), &json!("99 %")));
    let story = house.world.story(1).await.join("\n");
    assert!(story.contains("Bob: looking") && story.contains("mon: a note"), "{story}");
    let closed = act(&house, &format!("/jsm/ops/integration{}", alias("close")), json!({})).await;
    assert_eq!(closed["success"], true);
    assert_eq!(house.status().await, "resolved");
    let again = act(&house, &alias("close"), json!({})).await;
    assert_eq!((&again["success"], &again["alertId"]), (&json!(false), &json!("")));
}

#[tokio::test]
async fn what_it_does_not_do_is_refused_by_name() {
    let house = house(json!({})).await;
    act(&house, "/v2/alerts", alert("a")).await;
    for (method, path, words) in [
        ("POST", "/v2/alerts/a/assign?identifierType=alias", "\\\"assign\\\""),
        ("POST", "/v2/alerts/a/escalate", "\\\"escalate\\\""),
        ("POST", "/v2/alerts/a/responders", "\\\"responders\\\""),
        ("POST", "/v2/alerts/a/tags", "\\\"tags\\\""),
        ("POST", "/v2/alerts/a/actions/restart", "actions/restart"),
        ("GET", "/v2/alerts/a/logs", "\\\"logs\\\""),
        ("DELETE", "/v2/alerts/a", "\\\"delete\\\""),
    ] {
        let answer = house.send_text(method, path, "{}").await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text);
        assert!(answer.text.contains(words), "{path}: {}", answer.text);
        assert!(answer.body["requestId"].is_string() && answer.body["took"].is_number());
    }
    for (path, body, field) in [
        ("/v2/alerts", json!({}), "message"),
        ("/v2/alerts", json!({ "message": "x", "priority": "P9" }), "priority"),
        ("/v2/alerts/a/snooze?identifierType=alias", json!({ "endTime": "tomorrow" }), "endTime"),
        ("/v2/alerts/a/snooze?identifierType=alias", json!({ "endTime": "2020-01-01T00:00:00Z" }), "endTime"),
        ("/v2/alerts/a/notes?identifierType=alias", json!({}), "note"),
        ("/v2/alerts/a/close?identifierType=name", json!({}), "identifierType"),
    ] {
        let answer = house.send(path, &body).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text);
        assert!(answer.body["errors"][field].is_string(), "{path}: {}", answer.text);
    }
    let url = format!("{}/v2/alerts", house.world.url);
    for header in ["", "GenieKey nobodys", "Bearer x"] {
        let request = house.world.client.post(&url).header("authorization", header).body("{}");
        assert_eq!(crate::support::answer(request).await.status, 401, "{header}");
    }
}

#[tokio::test]
async fn only_its_own_alerts_are_shown_listed_and_counted() {
    let house = house(json!({})).await;
    house.world.notify("somebody else's").await;
    for alias in ["a", "b", "c"] {
        act(&house, "/v2/alerts", alert(alias)).await;
    }
    act(&house, "/v2/alerts/b/close?identifierType=alias", json!({})).await;
    let get = async |path: &str| house.send_text("GET", path, "").await;
    let aliases = |body: &Value| {
        let items = body["data"].as_array().unwrap().iter();
        items.map(|item| item["alias"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join("")
    };
    assert_eq!(aliases(&get("/v2/alerts").await.body), "cba");
    assert_eq!(aliases(&get("/v2/alerts?query=status%3A%20open&limit=1").await.body), "c");
    assert_eq!(aliases(&get("/v2/alerts?query=status%3Dopen%20AND%20alias%3A%20a").await.body), "a");
    assert_eq!(aliases(&get("/v2/alerts?offset=1&limit=1").await.body), "b");
    assert_eq!(get("/v2/alerts/count?query=status%3Aclosed").await.body["data"]["count"], 1);
    assert_eq!(get("/v2/alerts?query=owner%3Ax").await.status, 422);
    assert_eq!(get("/v2/alerts?limit=1000").await.status, 422);
    assert_eq!(get("/v2/alerts/1?identifierType=tiny").await.status, 404, "it is another's");
    assert_eq!(get("/v2/alerts/nothing").await.status, 404);
    assert_eq!(get("/v2/alerts/requests/nothing").await.status, 404);
    // Nor is anything done to others'.
    let done = act(&house, "/v2/alerts/1/close?identifierType=tiny", json!({})).await;
    assert_eq!(done["success"], false);
    assert_eq!(house.world.get("/api/v1/alerts/1").await["status"], "triggered");
}
