//! Mattermost, against a stand-in that keeps to the documents of its API, version 4.

use std::sync::Arc;

use dogwatch::callback::Callbacks;
use dogwatch::channel::mattermost::{Buttons, Mattermost, Server};
use dogwatch::outbound::Outbound;
use dogwatch::secret::Secret;
use escalation::contact::Kind;
use escalation::directory::Service;
use serde_json::{Value, json};

use super::{NASTY, delivery, john, only, outbound, page, text};
use crate::support::fake::{Fake, Reply, Request};
use crate::support::{World, answer};

const BOT: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbb";
const JOHN: &str = "jjjjjjjjjjjjjjjjjjjjjjjjjj";
const DIRECT: &str = "dddddddddddddddddddddddddd";
const POST: &str = "pppppppppppppppppppppppppp";
const SECRET: &str = "secret-canary";

fn check_post(body: &Value) -> Result<(), String> {
    // Everything from outside is code: one span in the message, one fence in the attachment.
    let message = text(body, "message")?;
    if !(message.starts_with('`') && message.ends_with('`') && message.matches('`').count() == 2) {
        return Err(format!("Markdown in {message}"));
    }
    only(&body["props"], &["attachments"])?;
    let [attachment] = &body["props"]["attachments"].as_array().ok_or("attachments")?[..] else {
        return Err("one attachment".to_owned());
    };
    only(attachment, &["fallback", "text", "title", "title_link", "actions"])?;
    let said = text(attachment, "text")?;
    if !(said.starts_with("```text\n") && said.ends_with("\n```") && said.matches('`').count() == 6) {
        return Err(format!("Markdown in {said}"));
    }
    for action in attachment["actions"].as_array().ok_or("actions")? {
        only(action, &["id", "name", "type", "style", "integration"])?;
        only(&action["integration"], &["url", "context"])?;
        let id = text(action, "id")?;
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(format!("a button with the id {id} does nothing"));
        }
        if action["type"] != "button" || !["default", "primary"].contains(&text(action, "style")?) {
            return Err("no button".to_owned());
        }
        text(&action["integration"], "url")?;
    }
    Ok(())
}

fn rules(request: &Request) -> Result<Reply, String> {
    if request.header("authorization") != "Bearer bot-canary" {
        return Err("Invalid or expired session".to_owned());
    }
    let body = request.json();
    let reply = match request.line.as_str() {
        "GET /api/v4/users/me" => (200, json!({ "id": BOT, "username": "dogwatch" })),
        "GET /api/v4/users/username/john.smith" => (200, json!({ "id": JOHN, "username": "john.smith" })),
        "POST /api/v4/channels/direct" => {
            if body != json!([BOT, JOHN]) {
                return Err("two user ids, ours among them".to_owned());
            }
            (201, json!({ "id": DIRECT, "type": "D" }))
        }
        "POST /api/v4/posts" => {
            only(&body, &["channel_id", "message", "props"])?;
            check_post(&body)?;
            if body["channel_id"] != DIRECT {
                return Err("no such channel".to_owned());
            }
            (201, json!({ "id": POST, "channel_id": DIRECT }))
        }
        "PUT /api/v4/posts/pppppppppppppppppppppppppp/patch" => {
            only(&body, &["message", "props"])?;
            check_post(&body)?;
            (200, json!({ "id": POST }))
        }
        _ => return Err("no such address".to_owned()),
    };
    Ok(Reply::Json(reply.0, reply.1))
}

pub(super) async fn fake() -> Fake {
    Fake::start(rules).await
}

pub(super) fn channel(fake: &Fake, outbound: Outbound) -> Mattermost {
    let server = Server { address: fake.url.clone(), token: Secret::given("bot-canary".to_owned()) };
    let url = "http://dogwatch.test/callbacks/mattermost".to_owned();
    Mattermost::new(outbound, server, Buttons { url, secret: Secret::given(SECRET.to_owned()) })
}

async fn start() -> (Fake, World) {
    let fake = fake().await;
    let callbacks = Callbacks { mattermost: Some(Secret::given(SECRET.to_owned())), ..Callbacks::default() };
    let channel = channel(&fake, outbound());
    let set = |channels: dogwatch::channel::Channels, _: &_| channels.with(Kind::Mattermost, channel);
    let world = World::with_callbacks(Service::default(), Arc::new(callbacks), set).await;
    john(&world, "mattermost:@john.smith").await;
    (fake, world)
}

/// The server tells us that a user pressed a button. Returns the status and what the user is told.
async fn press(world: &World, user: &str, action: &Value) -> (u16, String) {
    let url = action["integration"]["url"].as_str().unwrap();
    let path = url.strip_prefix("http://dogwatch.test").unwrap();
    let body = json!({
        "user_id": JOHN, "user_name": user, "channel_id": DIRECT, "post_id": POST, "trigger_id": "t", "type": "",
        "context": action["integration"]["context"],
    });
    let told = answer(world.client.post(format!("{}{path}", world.url)).body(body.to_string())).await;
    (told.status, told.body["ephemeral_text"].as_str().unwrap_or_default().to_owned())
}

fn actions(body: &Value) -> Vec<Value> {
    body["props"]["attachments"][0]["actions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_button_acknowledges_and_the_post_says_so_afterwards() {
    let (fake, mut world) = start().await;
    let alert = page(&mut world, json!({ "summary": "disk full", "severity": "critical" })).await;
    assert_eq!(delivery(&alert, "mattermost")["attempts"][0]["detail"], POST);
    let posted = fake.seen_at("POST /api/v4/posts")[0].json();
    assert_eq!(posted["message"], "`CRITICAL john: disk full`");
    let buttons = actions(&posted);
    assert_eq!(
        buttons.iter().map(|button| &button["name"]).collect::<Vec<_>>(),
        ["I have it", "Resolved", "Not me"]
    );
    let told = press(&world, "john.smith", &buttons[0]).await;
    assert_eq!(told, (200, "You have #1. Nobody else is paged any more.".to_owned()));
    let story = world.story(1).await;
    assert!(story.iter().any(|line| line.ends_with("John Smith, by a button in Mattermost")), "{story:?}");
    world.amend().await;
    let changed = fake.seen_at("PUT")[0].json();
    assert_eq!(changed["message"], "`John Smith has it: CRITICAL john: disk full`");
    assert_eq!(actions(&changed).len(), 1);

    // The next post to John asks nobody again where he is.
    world.post("/api/v1/alerts/1/resolve", json!({})).await;
    world.pass_seconds(120).await;
    assert_eq!(fake.seen_at("GET").len(), 2);
}

#[tokio::test]
async fn strangers_and_what_does_not_carry_our_secret_do_nothing() {
    let (fake, mut world) = start().await;
    page(&mut world, json!({ "summary": "disk full" })).await;
    let button = actions(&fake.seen_at("POST /api/v4/posts")[0].json()).remove(0);
    let (status, said) = press(&world, "eve", &button).await;
    assert!(status == 200 && said.contains("knows nobody with the contact mattermost:@eve"), "{said}");
    // A code alone, as another chat shows it to its users, is not enough.
    let mut bare = button.clone();
    bare["integration"]["context"]["secret"] = json!("");
    assert_eq!(press(&world, "john.smith", &bare).await.0, 401);
    bare["integration"]["context"] = json!({ "press": button["integration"]["context"]["press"] });
    assert_eq!(press(&world, "john.smith", &bare).await.0, 400);
    assert_eq!(press(&world, "Not A Name", &button).await.0, 400);
    assert_eq!(world.get("/api/v1/alerts/1").await["status"], "triggered");
}

#[tokio::test]
async fn no_text_breaks_out_of_a_post() {
    let (fake, mut world) = start().await;
    for (count, words) in NASTY.into_iter().enumerate() {
        let body = json!({ "summary": words, "details": words.repeat(300), "dedup_key": count.to_string() });
        world.request("POST", "/api/v1/people/john/notify", Some(body)).await;
        world.pass_seconds(120).await;
    }
    assert!(fake.seen_at("POST /api/v4/posts").len() >= 5);
}
