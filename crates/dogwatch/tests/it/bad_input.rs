//! Bad input: a 4xx that says what to write instead, and nothing changes.

use serde_json::{Value, json};

use crate::support::{Answer, TOKEN, World, answer};

async fn world() -> World {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world
}

/// Sends it, and checks that it is refused for `field` with these words, and that nothing was stored.
async fn refused(world: &World, method: &str, path: &str, body: Value, field: &str, words: &str) {
    let before = world.store.definitions().version;
    let answer = world.request(method, path, Some(body.clone())).await;
    assert_eq!(answer.status, 422, "{path} {body}: {}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    assert_eq!(answer.body["field"], field, "{body}: {}", answer.text);
    assert!(answer.body["detail"].as_str().unwrap().contains(words), "{body}: {}", answer.text);
    assert_eq!(world.store.definitions().version, before);
    assert!(world.get("/api/v1/alerts?status=all").await["items"].as_array().unwrap().is_empty());
}

fn person(step: Value) -> Value {
    json!({ "name": "x", "contacts": ["handset:x"], "notification_plans": { "high": { "steps": [step, { "contact": "handset:x" }] } } })
}

#[tokio::test]
async fn durations_are_positive_and_bounded() {
    let world = world().await;
    for (wait, words) in [
        (json!("0s"), "longer than zero"),
        (json!("-5m"), "negative"),
        (json!("5"), "\"5m\""),
        (json!("soon"), "\"5m\""),
        (json!("8d"), "seven days"),
        (json!("99999999999999999999h"), "seven days"),
    ] {
        let body = person(json!({ "contact": "handset:x", "wait": wait }));
        refused(&world, "POST", "/api/v1/people", body, "notification_plans.high.steps[0].wait", words).await;
        let body = person(json!({ "contact": "handset:x", "every": wait }));
        refused(&world, "POST", "/api/v1/people", body, "notification_plans.high.steps[0].every", words)
            .await;
        let plan = json!({ "name": "p", "steps": [{ "notify": ["on_call"], "after": wait }] });
        refused(&world, "POST", "/api/v1/escalation-plans", plan, "steps[0].after", words).await;
    }
    let body = person(json!({ "contact": "handset:x", "wait": 300 }));
    refused(
        &world,
        "POST",
        "/api/v1/people",
        body,
        "notification_plans.high.steps[0].wait",
        "where a string belongs",
    )
    .await;
    let last = json!({ "steps": [{ "contact": "handset:john", "every": "59s" }] });
    refused(&world, "PUT", "/api/v1/people/john/notification-plans/high", last, "steps[0].every", "\"1m\"")
        .await;
}

#[tokio::test]
async fn unknown_contacts_and_references_are_refused() {
    let world = world().await;
    let john = "/api/v1/people/john";
    for (contact, words) in [
        ("mailto:j@example.org", "\"mailto\""),
        ("carrierpigeon:7", "handset:NAME"),
        ("email:nouser", "NAME@HOST"),
        ("handset:", "handset:"),
        ("webhook:ftp://x", "webhook:https://"),
        ("fax:5551212", "\"fax\""),
        ("sms:5551212", "sms:+4930123456"),
        ("", "a kind and a colon"),
    ] {
        refused(&world, "PATCH", john, json!({ "contacts": [contact] }), "contacts[0]", words).await;
    }
    let plan = json!({ "steps": [{ "contact": "handset:jon" }] });
    refused(
        &world,
        "PUT",
        "/api/v1/people/john/notification-plans/high",
        plan,
        "steps[0].contact",
        "handset:john",
    )
    .await;
    refused(
        &world,
        "PATCH",
        "/api/v1/teams/ops",
        json!({ "members": ["jon"] }),
        "members[0]",
        "did you mean \"john\"?",
    )
    .await;
    refused(
        &world,
        "PATCH",
        "/api/v1/teams/ops",
        json!({ "members": ["bob", "bob"] }),
        "members[1]",
        "twice",
    )
    .await;
    refused(
        &world,
        "PATCH",
        "/api/v1/teams/ops",
        json!({ "escalation_plan": "opps" }),
        "escalation_plan",
        "did you mean \"ops\"?",
    )
    .await;
    refused(
        &world,
        "PATCH",
        "/api/v1/teams/ops",
        json!({ "last_resort": ["person:bo"] }),
        "last_resort[0]",
        "did you mean \"bob\"?",
    )
    .await;
    for (target, words) in [
        ("oncall", "did you mean \"on_call\"?"),
        ("handset:bob", "person:NAME"),
        ("john", "person:NAME"),
        ("email:x", "NAME@HOST"),
    ] {
        let steps = json!({ "steps": [{ "notify": [target], "after": "5m" }] });
        refused(&world, "PATCH", "/api/v1/escalation-plans/ops", steps, "steps[0].notify[0]", words).await;
    }
    refused(
        &world,
        "POST",
        "/api/v1/people",
        json!({ "name": "x", "contacts": ["handset:john"] }),
        "contacts[0]",
        "\"john\"",
    )
    .await;
    refused(
        &world,
        "POST",
        "/api/v1/people",
        json!({ "name": "x", "zone": "Europe/Berln" }),
        "zone",
        "Europe/Berln",
    )
    .await;
    refused(
        &world,
        "POST",
        "/api/v1/integrations",
        json!({ "name": "x", "team": "opps" }),
        "team",
        "did you mean \"ops\"?",
    )
    .await;
}

#[tokio::test]
async fn names_are_plain() {
    let world = world().await;
    for name in ["", "a/b", "John", "a b", "..", "ä", "a\u{0}b", &"x".repeat(65)] {
        refused(&world, "POST", "/api/v1/people", json!({ "name": name }), "name", "a-z").await;
    }
    refused(&world, "POST", "/api/v1/people", json!({}), "name", "missing").await;
    refused(&world, "POST", "/api/v1/people", json!({ "name": 5 }), "name", "text").await;
    refused(&world, "PUT", "/api/v1/people/john", json!({ "name": "jack" }), "name", "never changed").await;
    let slash = world.request("PUT", "/api/v1/people/a%2Fb", Some(json!({}))).await;
    assert_eq!(slash.status, 422, "{}", slash.text);
}

#[tokio::test]
async fn lists_and_texts_are_bounded() {
    let world = world().await;
    let steps: Vec<_> = (0..21).map(|_| json!({ "contact": "handset:john", "wait": "1m" })).collect();
    refused(
        &world,
        "PUT",
        "/api/v1/people/john/notification-plans/low",
        json!({ "steps": steps }),
        "steps",
        "at most 20",
    )
    .await;
    refused(
        &world,
        "PUT",
        "/api/v1/people/john/notification-plans/low",
        json!({ "steps": [] }),
        "steps",
        "at least one",
    )
    .await;
    let steps: Vec<_> = (0..21).map(|_| json!({ "notify": ["on_call"], "after": "1m" })).collect();
    refused(
        &world,
        "PATCH",
        "/api/v1/escalation-plans/ops",
        json!({ "steps": steps }),
        "steps",
        "at most 20",
    )
    .await;
    refused(&world, "PATCH", "/api/v1/escalation-plans/ops", json!({ "steps": [] }), "steps", "at least one")
        .await;
    refused(&world, "PATCH", "/api/v1/escalation-plans/ops", json!({ "repeat": 21 }), "repeat", "at most 20")
        .await;
    refused(&world, "PATCH", "/api/v1/escalation-plans/ops", json!({ "repeat": 300 }), "repeat", "u8").await;
    refused(&world, "PATCH", "/api/v1/escalation-plans/ops", json!({ "repeat": -1 }), "repeat", "u8").await;
    let notify = "/api/v1/teams/ops/notify";
    refused(&world, "POST", notify, json!({ "summary": "" }), "summary", "empty").await;
    refused(&world, "POST", notify, json!({ "summary": "  \n " }), "summary", "empty").await;
    refused(&world, "POST", notify, json!({ "summary": "x".repeat(1_025) }), "summary", "at most 1024").await;
    refused(&world, "POST", notify, json!({ "summary": "a\u{0}b" }), "summary", "control character").await;
    refused(
        &world,
        "POST",
        notify,
        json!({ "summary": "x", "details": "a\u{0}b" }),
        "details",
        "control character",
    )
    .await;
    refused(
        &world,
        "POST",
        notify,
        json!({ "summary": "x", "severity": "critcal" }),
        "severity",
        "did you mean \"critical\"?",
    )
    .await;
    refused(
        &world,
        "POST",
        notify,
        json!({ "summary": "x", "dedup_key": "k".repeat(513) }),
        "dedup_key",
        "at most 512",
    )
    .await;
    refused(
        &world,
        "POST",
        notify,
        json!({ "summary": "x", "links": [{ "href": "javascript:alert(1)" }] }),
        "links[0].href",
        "http",
    )
    .await;
    refused(&world, "POST", notify, json!({ "summary": "x", "sumary": "y" }), "sumary", "unknown field")
        .await;
    refused(&world, "POST", notify, json!({ "summary": 5 }), "summary", "expected a string").await;
    refused(&world, "POST", notify, json!({}), "", "missing field `summary`").await;
}

#[tokio::test]
async fn every_problem_is_reported_at_once() {
    let world = world().await;
    let body = json!({ "name": "X", "zone": "Nowhere", "language": "", "contacts": ["x", "handset:y", "handset:y"] });
    let answer = world
        .request(
            "POST",
            "/api/v1/people",
            Some(json!({ "name": "x", "zone": body["zone"], "language": "", "contacts": body["contacts"] })),
        )
        .await;
    let fields: Vec<_> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["zone", "language", "contacts[0]", "contacts[2]"]);
}

async fn send(world: &World, body: Vec<u8>) -> Answer {
    let path = format!("{}/api/v1/teams/ops/notify", world.url);
    answer(world.client.post(path).bearer_auth(TOKEN).body(body)).await
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let world = world().await;
    for (body, status, words) in [
        (b"{\"summary\": \"x\"".to_vec(), 400, "no JSON"),
        (b"summary=x".to_vec(), 400, "no JSON"),
        (b"[]".to_vec(), 400, "JSON object"),
        (b"null".to_vec(), 400, "JSON object"),
        (b"{\"summary\": \"\xff\"}".to_vec(), 400, "byte 14 is not valid UTF-8"),
        (b"{\"summary\": \"\\ud800\"}".to_vec(), 400, "no JSON"),
        (format!("{{\"summary\": {}", "[".repeat(1_000)).into_bytes(), 400, "nested at most 32"),
        (
            format!("{{\"summary\": {}1{}}}", "[".repeat(1_000), "]".repeat(1_000)).into_bytes(),
            400,
            "nested at most 32",
        ),
        (format!("{{\"summary\": \"{}\"}}", "x".repeat(513 * 1024)).into_bytes(), 413, "512 KiB"),
    ] {
        let answer = send(&world, body).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        assert!(answer.body["detail"].as_str().unwrap().contains(words), "{}", answer.text);
    }
    // Without a declared length, too.
    let chunks = futures_util::stream::iter((0..600).map(|_| Ok::<_, std::io::Error>("x".repeat(1024))));
    let path = format!("{}/api/v1/teams/ops/notify", world.url);
    let streamed = world.client.post(path).bearer_auth(TOKEN).body(reqwest::Body::wrap_stream(chunks));
    assert_eq!(answer(streamed).await.status, 413);
    assert!(world.get("/api/v1/alerts?status=all").await["items"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn whom_nobody_knows_can_not_be_paged() {
    let world = world().await;
    for (path, words) in [
        ("/api/v1/teams/opps/notify", "did you mean \"ops\"?"),
        ("/api/v1/people/Jhn/notify", "there is no person"),
        ("/api/v1/teams/a%2Fb/notify", "there is no team"),
        ("/api/v1/teams/%00/notify", "there is no team"),
    ] {
        let answer = world.request("POST", path, Some(json!({ "summary": "x" }))).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
        assert!(answer.body["detail"].as_str().unwrap().contains(words), "{}", answer.text);
    }
    let wrong_method = world.request("DELETE", "/api/v1/teams/ops/notify", None).await;
    assert_eq!(
        (wrong_method.status, &wrong_method.headers["content-type"]),
        (405, &"application/problem+json".parse().unwrap())
    );
    assert_eq!(world.request("GET", "/api/v1/nothing", None).await.status, 404);
    for query in ["limit=0", "limit=501", "limit=x", "status=open,", "cursor=x", "team=A", "sttus=open"] {
        assert_eq!(
            world.request("GET", &format!("/api/v1/alerts?{query}"), None).await.status,
            422,
            "{query}"
        );
    }
}
