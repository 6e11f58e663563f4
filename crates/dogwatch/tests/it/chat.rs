//! Chats and notifications: each channel against a strict stand-in for its provider, and Telegram's against a server of
//! others, too.

mod accounts;
mod guide;
pub mod injection;
mod mailgun;
mod mattermost;
mod ntfy;
mod push;
mod pushover;
mod slack;
mod teams;
mod telegram;
mod telegram_api;
mod trouble;
mod verifying;

use dogwatch::channel::Channel;
use dogwatch::outbound::Outbound;
use escalation::contact::Kind;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::{World, set_up_tls};

/// Requests to stand-ins.
fn outbound() -> Outbound {
    set_up_tls();
    Outbound::unguarded(SignedDuration::from_secs(10)).unwrap()
}

/// A world in which John is reached by `contact` first, and by his handset next.
async fn world(kind: Kind, channel: impl Channel, contact: &str) -> World {
    let world = World::with_channel(kind, channel).await;
    john(&world, contact).await;
    world
}

async fn john(world: &World, contact: &str) {
    let contacts = json!([contact, "handset:john"]);
    let person = json!({ "name": "john", "full_name": "John Smith", "contacts": contacts });
    world.post("/api/v1/people", person).await;
}

/// Pages John. Returns the alert, after everything that is due has been done.
async fn page(world: &mut World, body: Value) -> Value {
    let alert = world.post("/api/v1/people/john/notify", body).await;
    world.settle().await;
    world.get(&format!("/api/v1/alerts/{}", alert["number"])).await
}

/// The delivery of an alert to a contact of this kind.
fn delivery<'a>(alert: &'a Value, word: &str) -> &'a Value {
    let mut all = alert["deliveries"].as_array().unwrap().iter();
    let found = all.find(|one| one["contact"].as_str().unwrap().starts_with(&format!("{word}:")));
    found.unwrap_or_else(|| panic!("no delivery to {word}: {alert}"))
}

/// A field of a request's document that must be a text.
fn text<'a>(body: &'a Value, field: &str) -> Result<&'a str, String> {
    body[field].as_str().ok_or_else(|| format!("{field} is no text"))
}

/// Only these fields may be there.
fn only(body: &Value, fields: &[&str]) -> Result<(), String> {
    let object = body.as_object().ok_or("this is no object")?;
    match object.keys().find(|key| !fields.contains(&key.as_str())) {
        Some(key) => Err(format!("{key} is not known")),
        None => Ok(()),
    }
}

/// Texts that have broken out of other programs' formats.
const NASTY: [&str; 9] = [
    "disk </b><script>alert(1)</script> & \"full\"",
    "<!channel> <@U02ABCDEF> <https://evil.example|click>",
    "*bold* _it_ ~no~ `code` [link](https://evil.example)",
    "&&&&&&&&&&&&&&&&<<<<<<<<<<<<<<<<<<<<>>>>>>>>>>>>>>>>>>>>>>>>>>>",
    "@all @here @channel ~town-square",
    "line one\r\nX-Injected: yes\r\n\r\nbody",
    "\u{202e}right to left\u{0} \u{1b}[31mred",
    "{\"json\": true}, \\u0000 \\",
    "ünïcödé 🔥 漢字",
];
