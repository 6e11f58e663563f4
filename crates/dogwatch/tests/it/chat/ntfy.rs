//! ntfy: a notification with a button that acknowledges.

use dogwatch::channel::ntfy::{Ntfy, Server};
use dogwatch::secret::Secret;
use escalation::contact::Kind;
use serde_json::{Value, json};

use super::{delivery, only, outbound, page, text, world};
use crate::support::fake::{Fake, Reply, Request};

/// What the server takes, after the page "Publishing" of ntfy's documents: the JSON form, its fields and limits.
fn rules(request: &Request) -> Result<Reply, String> {
    if request.line != "POST /" {
        return Err("a notification in JSON is posted to /".to_owned());
    }
    if request.header("authorization") != "Bearer tk_canary" {
        return Err("the topic is not open".to_owned());
    }
    let body = request.json();
    only(&body, &["topic", "title", "message", "priority", "tags", "click", "actions"])?;
    let topic = text(&body, "topic")?;
    if topic != "ops-night" {
        return Err("no such topic".to_owned());
    }
    let (title, message) = (text(&body, "title")?, text(&body, "message")?);
    if title.contains('\n') || message.len() > 4096 {
        return Err("the title has lines, or the message becomes a file".to_owned());
    }
    let controls = |letter: char| letter.is_control() && letter != '\n';
    if title.contains(controls) || message.contains(controls) {
        return Err("control characters".to_owned());
    }
    if !body["priority"].as_u64().is_some_and(|priority| (1..=5).contains(&priority)) {
        return Err("priority is a number from 1 to 5".to_owned());
    }
    let actions = body["actions"].as_array().cloned().unwrap_or_default();
    if actions.len() > 3 {
        return Err("three actions at most".to_owned());
    }
    for action in &actions {
        match text(action, "action")? {
            "http" => only(action, &["action", "label", "url", "method", "clear"])?,
            "view" => only(action, &["action", "label", "url"])?,
            other => return Err(format!("no action {other}")),
        }
        text(action, "label")?;
        let url = text(action, "url")?;
        reqwest::Url::parse(url).map_err(|error| format!("{url}: {error}"))?;
    }
    Ok(Reply::Json(
        200,
        json!({ "id": "sPs71M8A2T", "time": 1_635_528_741, "event": "message", "topic": topic }),
    ))
}

pub(super) async fn fake() -> Fake {
    Fake::start(rules).await
}

pub(super) fn channel(fake: &Fake) -> Ntfy {
    let token = Some(Secret::given("tk_canary".to_owned()));
    Ntfy::new(outbound(), Server { address: fake.url.clone(), token })
}

#[tokio::test]
async fn the_phone_rings_and_its_button_acknowledges() {
    let fake = fake().await;
    let mut world = world(Kind::Ntfy, channel(&fake), "ntfy:ops-night").await;
    let alert = page(&mut world, json!({ "summary": "disk full", "severity": "critical" })).await;
    let sent = delivery(&alert, "ntfy");
    assert_eq!((&sent["state"], &sent["attempts"][0]["detail"]), (&json!("sent"), &json!("sPs71M8A2T")));
    let body = fake.seen()[0].json();
    assert_eq!((&body["title"], &body["priority"]), (&json!("CRITICAL john: disk full"), &json!(5)));
    assert_eq!(body["actions"][1]["url"], format!("{}/alerts/1", world.url));

    // The phone does what the button says. Looking first changes nothing.
    let button = &body["actions"][0];
    assert_eq!((&button["label"], &button["method"]), (&json!("I have it"), &json!("POST")));
    let url = button["url"].as_str().unwrap();
    assert_eq!(world.client.get(url).send().await.unwrap().status(), 200);
    assert_eq!(world.get("/api/v1/alerts/1").await["status"], "triggered");
    assert_eq!(world.client.post(url).send().await.unwrap().status(), 303);
    let alert = world.get("/api/v1/alerts/1").await;
    assert_eq!(
        (&alert["status"], &alert["acknowledged"]["by"]),
        (&json!("acknowledged"), &json!("John Smith"))
    );
    let story = world.story(1).await;
    assert!(
        story.iter().any(|line| line.ends_with("Acknowledged: John Smith, by a button in ntfy")),
        "{story:?}"
    );
}

#[tokio::test]
async fn what_may_wait_rings_less_and_a_notice_less_still() {
    let fake = fake().await;
    let mut world = world(Kind::Ntfy, channel(&fake), "ntfy:ops-night").await;
    page(&mut world, json!({ "summary": "disk half full", "severity": "warning" })).await;
    world.post("/api/v1/alerts/1/resolve", json!({})).await;
    world.settle().await;
    let bodies: Vec<Value> = fake.seen().iter().map(Request::json).collect();
    assert_eq!((&bodies[0]["priority"], &bodies[1]["priority"]), (&json!(4), &json!(3)), "{bodies:?}");
    assert_eq!(bodies[1]["actions"].as_array().unwrap().len(), 1, "a notice asks for nothing: {bodies:?}");
}

#[tokio::test]
async fn several_at_once_are_answered_by_one_button() {
    let fake = fake().await;
    let mut world = world(Kind::Ntfy, channel(&fake), "ntfy:ops-night").await;
    for key in ["one", "two", "three"] {
        world.post("/api/v1/people/john/notify", json!({ "summary": "slow", "dedup_key": key })).await;
    }
    world.pass_seconds(61).await;
    let seen = fake.seen();
    assert_eq!(seen.len(), 2, "the first alone, the others together");
    let button = &seen[1].json()["actions"][0];
    assert_eq!(button["label"], "I have all 2");
    let pressed = world.client.post(button["url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(pressed.status(), 303);
    for (number, status) in [(1, "triggered"), (2, "acknowledged"), (3, "acknowledged")] {
        assert_eq!(world.get(&format!("/api/v1/alerts/{number}")).await["status"], status, "#{number}");
    }
}
