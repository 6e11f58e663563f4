//! Slack, against a stand-in that keeps to the documents of its Web API; requests to us are signed by Slack's own
//! library.

use std::sync::Arc;

use dogwatch::callback::{self, Callbacks};
use dogwatch::channel::slack::{App, Slack};
use dogwatch::clock::Clock;
use dogwatch::secret::Secret;
use escalation::contact::Kind;
use escalation::directory::Service;
use serde_json::{Value, json};

use super::{NASTY, delivery, john, only, outbound, page, text};
use crate::support::World;
use crate::support::checker::python;
use crate::support::fake::{Fake, Reply, Request, raw};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// Text in Slack's markup: only three entities, no `<` or `>` but around our own link.
fn check_markup(text: &str) -> Result<(), String> {
    let mut rest = text;
    let mut links = 0;
    while let Some(at) = rest.find(['&', '<', '>']) {
        rest = &rest[at..];
        if rest.starts_with("<http://127.0.0.1") {
            let end = rest.find("|Open>").ok_or("a link is open")?;
            links += 1;
            rest = &rest[end + 6..];
        } else {
            let name = ["&amp;", "&lt;", "&gt;"].into_iter().find(|name| rest.starts_with(name));
            rest = &rest[name.ok_or_else(|| format!("markup in {rest}"))?.len()..];
        }
    }
    if links > 1 { Err("a link too many".to_owned()) } else { Ok(()) }
}

fn check_blocks(body: &Value) -> Result<(), String> {
    check_markup(text(body, "text")?)?;
    for block in body["blocks"].as_array().ok_or("blocks are missing")? {
        match text(block, "type")? {
            "header" => {
                only(block, &["type", "text"])?;
                only(&block["text"], &["type", "text", "emoji"])?;
                let said = text(&block["text"], "text")?;
                if block["text"]["type"] != "plain_text" || said.is_empty() || said.chars().count() > 150 {
                    return Err("invalid_blocks: header".to_owned());
                }
            }
            "section" => {
                only(block, &["type", "text"])?;
                only(&block["text"], &["type", "text", "verbatim"])?;
                let said = text(&block["text"], "text")?;
                if block["text"]["type"] != "mrkdwn" || said.is_empty() || said.chars().count() > 3000 {
                    return Err("invalid_blocks: section".to_owned());
                }
                check_markup(said)?;
            }
            "actions" => {
                only(block, &["type", "elements"])?;
                let elements = block["elements"].as_array().ok_or("elements")?;
                if elements.is_empty() || elements.len() > 25 {
                    return Err("invalid_blocks: actions".to_owned());
                }
                for element in elements {
                    only(element, &["type", "action_id", "text", "value", "style"])?;
                    let style =
                        element.get("style").is_none_or(|style| *style == "primary" || *style == "danger");
                    let fits = element["type"] == "button"
                        && style
                        && element["text"]["type"] == "plain_text"
                        && text(&element["text"], "text")?.chars().count() <= 75
                        && text(element, "value")?.len() <= 2000
                        && text(element, "action_id")?.len() <= 255;
                    if !fits {
                        return Err("invalid_blocks: button".to_owned());
                    }
                }
                let mut ids: Vec<_> =
                    elements.iter().map(|element| element["action_id"].to_string()).collect();
                ids.dedup();
                if ids.len() != elements.len() {
                    return Err("invalid_blocks: an action_id twice".to_owned());
                }
            }
            other => return Err(format!("invalid_blocks: {other}")),
        }
    }
    Ok(())
}

fn rules(request: &Request) -> Result<Reply, String> {
    let body = request.json();
    if request.line == "POST /hooks/actions/1" {
        only(&body, &["response_type", "replace_original", "text"])?;
        check_markup(text(&body, "text")?)?;
        return Ok(raw("200 OK", "", "ok"));
    }
    if request.header("authorization") != "Bearer xoxb-canary" {
        return Err("not_authed".to_owned());
    }
    if !request.header("content-type").starts_with("application/json") {
        return Err("invalid_post_type".to_owned());
    }
    let fields = ["channel", "text", "blocks", "unfurl_links", "unfurl_media"];
    check_blocks(&body)?;
    match request.line.as_str() {
        "POST /api/chat.postMessage" => {
            only(&body, &fields)?;
            let channel = match text(&body, "channel")? {
                "U02JOHN" => "D02JOHN",
                "C02OPS" => "C02OPS",
                _ => return Ok(Reply::Json(200, json!({ "ok": false, "error": "channel_not_found" }))),
            };
            Ok(Reply::Json(
                200,
                json!({ "ok": true, "channel": channel, "ts": "1503435956.000247", "message": {} }),
            ))
        }
        "POST /api/chat.update" => {
            only(&body, &[&fields[..], &["ts"]].concat())?;
            let known =
                body["ts"] == "1503435956.000247" && ["D02JOHN", "C02OPS"].contains(&text(&body, "channel")?);
            if !known {
                return Err("message_not_found".to_owned());
            }
            Ok(Reply::Json(200, json!({ "ok": true, "channel": body["channel"], "ts": body["ts"] })))
        }
        _ => Err("unknown_method".to_owned()),
    }
}

pub(super) async fn fake() -> Fake {
    Fake::start(rules).await
}

pub(super) fn app(fake: &Fake) -> App {
    App {
        api: format!("{}/api", fake.url),
        token: Secret::given("xoxb-canary".to_owned()),
        signing_secret: Secret::given(SECRET.to_owned()),
    }
}

struct Workspace {
    fake: Fake,
    world: World,
}

/// A request as Slack sends it, signed by Slack's own library for this second.
fn signed(body: &str, second: i64) -> (String, String) {
    let program = "import sys; from slack_sdk.signature import SignatureVerifier as V\n\
                   secret, at, body = sys.stdin.read().split('\\n', 2)\n\
                   print(V(secret).generate_signature(timestamp=at, body=body))";
    (second.to_string(), python(program, &format!("{SECRET}\n{second}\n{body}")))
}

impl Workspace {
    async fn new() -> Self {
        let fake = fake().await;
        let slack = callback::slack::Slack::new(&app(&fake), outbound());
        let callbacks = Arc::new(Callbacks { slack: Some(slack), ..Callbacks::default() });
        let channel = Slack::new(outbound(), app(&fake));
        let set = |channels: dogwatch::channel::Channels, _: &_| channels.with(Kind::Slack, channel);
        let world = World::with_callbacks(Service::default(), callbacks, set).await;
        john(&world, "slack:U02JOHN").await;
        Self { fake, world }
    }

    /// The form that Slack posts when a user presses a button.
    fn form(&self, user: &str, value: &str) -> String {
        let payload = json!({
            "type": "block_actions", "team": { "id": "T1" }, "user": { "id": user, "username": "j" },
            "channel": { "id": "D02JOHN" }, "message": { "ts": "1503435956.000247" }, "trigger_id": "1.2.3",
            "actions": [{ "action_id": "acknowledge", "value": value, "action_ts": "1503435957.1", "type": "button" }],
            "response_url": format!("{}/hooks/actions/1", self.fake.url),
        });
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &payload.to_string())
            .finish()
    }

    async fn post(&self, body: String, at: &str, signature: &str) -> u16 {
        let request = self.world.client.post(format!("{}/callbacks/slack", self.world.url));
        let request = request.header("x-slack-request-timestamp", at).header("x-slack-signature", signature);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        request.body(body).send().await.unwrap().status().as_u16()
    }

    /// Somebody presses a button. Returns what that user is told.
    async fn press(&self, user: &str, value: &str) -> String {
        let told = self.fake.seen_at("POST /hooks").len();
        let body = self.form(user, value);
        let (at, signature) = signed(&body, self.world.clock.now().as_second());
        assert_eq!(self.post(body, &at, &signature).await, 200);
        let seen = self.fake.wait_for("POST /hooks", told + 1).await;
        seen.last().unwrap().json()["text"].as_str().unwrap().to_owned()
    }

    fn posted(&self) -> Vec<Value> {
        self.fake.seen_at("POST /api/chat.postMessage").iter().map(Request::json).collect()
    }

    fn updated(&self) -> Vec<Value> {
        self.fake.seen_at("POST /api/chat.update").iter().map(Request::json).collect()
    }
}

fn buttons(message: &Value) -> Vec<(String, String)> {
    let actions = message["blocks"].as_array().unwrap().iter().filter(|block| block["type"] == "actions");
    let elements = actions.flat_map(|block| block["elements"].as_array().unwrap());
    let words =
        |element: &Value, pointer: &str| element.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    elements.map(|element| (words(element, "/text/text"), words(element, "/value"))).collect()
}

#[tokio::test]
async fn a_button_acknowledges_and_the_message_says_so_afterwards() {
    let mut space = Workspace::new().await;
    let alert = page(&mut space.world, json!({ "summary": "disk full", "severity": "critical" })).await;
    assert_eq!(delivery(&alert, "slack")["attempts"][0]["detail"], "D02JOHN/1503435956.000247");
    let posted = space.posted().remove(0);
    assert_eq!(
        (&posted["channel"], &posted["text"]),
        (&json!("U02JOHN"), &json!("CRITICAL john: disk full"))
    );
    let [(have, code), (resolved, resolve), (not_me, _)] = &buttons(&posted)[..] else { panic!("{posted}") };
    assert_eq!([have, resolved, not_me], ["I have it", "Resolved", "Not me"]);

    assert_eq!(space.press("U02JOHN", code).await, "You have #1. Nobody else is paged any more.");
    let story = space.world.story(1).await;
    assert!(
        story.iter().any(|line| line.ends_with("Acknowledged: John Smith, by a button in Slack")),
        "{story:?}"
    );
    space.world.amend().await;
    let updated = space.updated().remove(0);
    assert_eq!((&updated["channel"], &updated["ts"]), (&json!("D02JOHN"), &json!("1503435956.000247")));
    assert_eq!(updated["text"], "John Smith has it: CRITICAL john: disk full");
    assert_eq!(buttons(&updated).len(), 1);

    assert_eq!(space.press("U02JOHN", resolve).await, "#1 is resolved. Everybody who was paged is told.");
    space.world.amend().await;
    assert_eq!(space.updated()[1]["text"], "Resolved: CRITICAL john: disk full");
    assert!(buttons(&space.updated()[1]).is_empty());
}

/// A channel is nobody's: whoever presses has to be somebody.
#[tokio::test]
async fn in_a_channel_everybody_acts_in_his_own_name_and_a_stranger_not_at_all() {
    let mut space = Workspace::new().await;
    let plan = json!({ "name": "ops", "steps": [{ "notify": ["slack:C02OPS"], "after": "5m" }] });
    space.world.post("/api/v1/escalation-plans", plan).await;
    space
        .world
        .post("/api/v1/people", json!({ "name": "bob", "full_name": "Bob", "contacts": ["slack:U02BOB"] }))
        .await;
    let team = json!({ "name": "ops", "members": ["john"], "escalation_plan": "ops" });
    space.world.post("/api/v1/teams", team).await;
    space.world.notify("disk full").await;
    space.world.settle().await;
    let posted = space.posted().remove(0);
    assert_eq!(posted["channel"], "C02OPS");
    let buttons = buttons(&posted);
    assert_eq!(
        buttons.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>(),
        ["I have it", "Resolved"]
    );
    let said = space.press("U02EVE", &buttons[0].1).await;
    assert!(said.contains("knows nobody with the contact slack:U02EVE"), "{said}");
    assert_eq!(space.world.get("/api/v1/alerts/1").await["status"], "triggered");
    space.press("U02BOB", &buttons[0].1).await;
    assert_eq!(space.world.get("/api/v1/alerts/1").await["acknowledged"]["by"], "Bob");
    let said = space.press("U02JOHN", &buttons[0].1).await;
    assert_eq!(said, "Bob has #1 already. You need not do anything.");
}

#[tokio::test]
async fn only_what_slack_signed_counts_and_only_once() {
    let mut space = Workspace::new().await;
    page(&mut space.world, json!({ "summary": "disk full" })).await;
    let code = buttons(&space.posted()[0])[0].1.clone();
    let body = space.form("U02JOHN", &code);
    let now = space.world.clock.now().as_second();
    let (at, signature) = signed(&body, now);
    let tampered = body.replace("U02JOHN", "U02EVE");
    let (old, old_signature) = signed(&body, now - 301);
    let (ahead, ahead_signature) = signed(&body, now + 301);
    let other = now + 1;
    for (what, body, at, signature) in [
        ("no signature", &body, at.as_str(), ""),
        ("a signature of another kind", &body, at.as_str(), &signature[3..]),
        ("not hexadecimal", &body, at.as_str(), "v0=zz"),
        ("half a signature", &body, at.as_str(), &signature[..35]),
        ("another body", &tampered, at.as_str(), signature.as_str()),
        ("another time", &body, other.to_string().as_str(), signature.as_str()),
        ("no time", &body, "", signature.as_str()),
        ("too old", &body, old.as_str(), old_signature.as_str()),
        ("from the future", &body, ahead.as_str(), ahead_signature.as_str()),
    ] {
        assert_eq!(space.post(body.clone(), at, signature).await, 401, "{what}");
        assert_eq!(space.world.get("/api/v1/alerts/1").await["status"], "triggered", "{what}");
    }
    assert_eq!(space.post(body.clone(), &at, &signature).await, 200);
    assert_eq!(space.world.get("/api/v1/alerts/1").await["status"], "acknowledged");
    // Given back, and then the same request again, as somebody who has seen it would send it.
    space.world.post("/api/v1/alerts/1/unacknowledge", json!({})).await;
    assert_eq!(space.post(body, &at, &signature).await, 200);
    assert_eq!(space.world.get("/api/v1/alerts/1").await["status"], "triggered");
}

#[tokio::test]
async fn what_slack_signed_and_makes_no_sense_does_nothing() {
    let mut space = Workspace::new().await;
    page(&mut space.world, json!({ "summary": "disk full" })).await;
    for (body, status) in [
        ("payload=", 400),
        ("", 400),
        ("payload=%7B%7D", 400),
        ("payload=%7B%22type%22%3A%22view_closed%22%2C%22user%22%3A%7B%22id%22%3A%22U02JOHN%22%7D%7D", 200),
        ("payload=%7B%22type%22%3A%22block_actions%22%2C%22user%22%3A%7B%22id%22%3A%22%3F%22%7D%7D", 200),
    ] {
        let (at, signature) = signed(body, space.world.clock.now().as_second());
        assert_eq!(space.post(body.to_owned(), &at, &signature).await, status, "{body}");
    }
    assert_eq!(space.world.get("/api/v1/alerts/1").await["status"], "triggered");
    // No answer goes to an address that is not Slack's.
    let code = buttons(&space.posted()[0])[0].1.clone();
    let body = space.form("U02JOHN", &code).replace("hooks%2Factions%2F1", "..");
    let elsewhere = body.replace("127.0.0.1", "127.0.0.2");
    let (at, signature) = signed(&elsewhere, space.world.clock.now().as_second());
    assert_eq!(space.post(elsewhere, &at, &signature).await, 200);
    assert!(space.fake.seen_at("POST /hooks").is_empty());
}

#[tokio::test]
async fn without_slack_in_the_configuration_its_address_says_so() {
    let world = World::new().await;
    let answer = world.client.post(format!("{}/callbacks/slack", world.url)).send().await.unwrap();
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn an_error_of_slacks_is_told_apart_from_one_of_ours() {
    for (error, state) in
        [("internal_error", "ready"), ("not_in_channel", "failed"), ("invalid_auth", "failed")]
    {
        let mut space = Workspace::new().await;
        space.fake.once(Reply::Json(200, json!({ "ok": false, "error": error })));
        let alert = page(&mut space.world, json!({ "summary": "disk full" })).await;
        let sent = delivery(&alert, "slack");
        assert_eq!(sent["state"], state, "{sent}");
        assert_eq!(sent["attempts"][0]["detail"], format!("Slack says {error}"));
    }
}

#[tokio::test]
async fn no_text_breaks_out_of_a_message() {
    let mut space = Workspace::new().await;
    for (count, words) in NASTY.into_iter().enumerate() {
        let body = json!({ "summary": words, "details": words.repeat(300), "dedup_key": count.to_string() });
        space.world.request("POST", "/api/v1/people/john/notify", Some(body)).await;
        space.world.pass_seconds(120).await;
    }
    // The stand-in refuses any markup but our link.
    assert!(space.posted().len() >= 5, "{}", space.posted().len());
}
