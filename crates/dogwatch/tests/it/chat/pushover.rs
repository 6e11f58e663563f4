//! Pushover: rings until it is acknowledged, here or there.

use std::sync::{Arc, Mutex};

use dogwatch::callback;
use dogwatch::channel::pushover::{App, Client, Pushover};
use dogwatch::clock::Clock;
use dogwatch::outbound::Outbound;
use dogwatch::secret::Secret;
use escalation::contact::Kind;
use serde_json::{Value, json};

use super::{NASTY, delivery, outbound, page, world};
use crate::support::World;
use crate::support::fake::{Fake, Reply, Request};

pub(super) const JOHN: &str = "uQiRzpo4DXghDmr9QzzfQu27cmVRsG";
const BOB: &str = "uBiRzpo4DXghDmr9QzzfQu27cmVRsB";
const RECEIPT: &str = "rLqVuqTRh62UzxtmqiaLzQmVcPgiCy";

/// Who has acknowledged the message at Pushover, and when.
type Acknowledged = Arc<Mutex<Option<(&'static str, i64)>>>;

fn field<'a>(form: &'a [(String, String)], name: &str) -> Result<&'a str, String> {
    let mut found = form.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match (found.next(), found.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(format!("{name} is not there once")),
    }
}

/// The fields and limits of api.pushover.net's documents.
fn check_message(form: &[(String, String)]) -> Result<bool, String> {
    let known =
        ["token", "user", "title", "message", "priority", "timestamp", "retry", "expire", "url", "url_title"];
    if let Some((key, _)) = form.iter().find(|(key, _)| !known.contains(&key.as_str())) {
        return Err(format!("{key} is not known"));
    }
    if field(form, "user")? != JOHN {
        return Err("user identifier is not a valid user".to_owned());
    }
    let length = |name: &str| field(form, name).map(|text| text.chars().count());
    if !(1..=1024).contains(&length("message")?)
        || length("title")? > 250
        || length("url").is_ok_and(|length| length > 512)
    {
        return Err("too long, or empty".to_owned());
    }
    let is_urgent = field(form, "priority")? == "2";
    if is_urgent {
        let number = |name: &str| field(form, name)?.parse::<u32>().map_err(|error| error.to_string());
        if number("retry")? < 30 || number("expire")? > 10_800 {
            return Err("retry is at least 30, expire at most 10800".to_owned());
        }
    } else if form.iter().any(|(key, _)| key == "retry") {
        return Err("only an emergency comes again".to_owned());
    }
    Ok(is_urgent)
}

pub(super) async fn fake() -> (Fake, Acknowledged) {
    let acknowledged = Acknowledged::default();
    let state = acknowledged.clone();
    let rules = move |request: &Request| {
        let form = request.form();
        let ok = |more: Value| Ok(Reply::Json(200, more));
        let asked = format!("GET /1/receipts/{RECEIPT}.json?token=canary");
        if request.line == asked {
            let state = *state.lock().unwrap();
            let (by, at) = state.unwrap_or_default();
            return ok(
                json!({ "status": 1, "acknowledged": u8::from(state.is_some()), "acknowledged_at": at,
                "acknowledged_by": by, "last_delivered_at": 1, "expired": 0, "request": "r" }),
            );
        }
        if field(&form, "token")? != "canary" {
            return Err("application token is invalid".to_owned());
        }
        match request.line.as_str() {
            "POST /1/messages.json" => {
                let mut sent = json!({ "status": 1, "request": "647d2300-702c-4b38-8b2f-d56326ae460b" });
                if check_message(&form)? {
                    sent["receipt"] = json!(RECEIPT);
                }
                ok(sent)
            }
            "POST /1/receipts/rLqVuqTRh62UzxtmqiaLzQmVcPgiCy/cancel.json" => {
                ok(json!({ "status": 1, "request": "r" }))
            }
            _ => Err("no such address".to_owned()),
        }
    };
    (Fake::start(rules).await, acknowledged)
}

pub(super) fn client(fake: &Fake, outbound: Outbound) -> Client {
    Client::new(outbound, App { api: fake.url.clone(), token: Secret::given("canary".to_owned()) })
}

struct Phone {
    fake: Fake,
    acknowledged: Acknowledged,
    world: World,
    reader: callback::pushover::Pushover,
}

impl Phone {
    async fn new() -> Self {
        let (fake, acknowledged) = fake().await;
        let channel = Pushover::new(client(&fake, outbound()));
        let world = world(Kind::Pushover, channel, &format!("pushover:{JOHN}")).await;
        let client = client(&fake, outbound());
        let reader = callback::pushover::Pushover::new(world.store.clone(), world.clock.clone(), client);
        Self { fake, acknowledged, world, reader }
    }

    async fn status(&self) -> Value {
        self.world.get("/api/v1/alerts/1").await["status"].clone()
    }

    fn acknowledge(&self, by: &'static str) {
        *self.acknowledged.lock().unwrap() = Some((by, self.world.clock.now().as_second()));
    }
}

#[tokio::test]
async fn it_rings_until_it_is_acknowledged_there_and_that_counts_here() {
    let mut phone = Phone::new().await;
    let alert = page(&mut phone.world, json!({ "summary": "disk full", "severity": "critical" })).await;
    assert_eq!(delivery(&alert, "pushover")["attempts"][0]["detail"], format!("receipt/{RECEIPT}"));
    phone.reader.turn().await.unwrap();
    assert_eq!(phone.status().await, "triggered");
    phone.acknowledge(JOHN);
    phone.reader.turn().await.unwrap();
    assert_eq!(phone.status().await, "acknowledged");
    let story = phone.world.story(1).await;
    assert!(story.iter().any(|line| line.ends_with("Acknowledged: John Smith, in Pushover")), "{story:?}");
    // Given back: what was acknowledged before does not answer for what comes now, and is not asked for.
    let asked = phone.fake.seen_at("GET").len();
    phone.world.post("/api/v1/alerts/1/unacknowledge", json!({})).await;
    phone.reader.turn().await.unwrap();
    assert_eq!((phone.status().await, phone.fake.seen_at("GET").len()), (json!("triggered"), asked));
}

#[tokio::test]
async fn what_is_answered_elsewhere_does_not_ring_on() {
    let mut phone = Phone::new().await;
    page(&mut phone.world, json!({ "summary": "disk full" })).await;
    phone.world.amend().await;
    assert!(phone.fake.seen_at("POST /1/receipts").is_empty());
    phone.world.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    phone.world.amend().await;
    assert_eq!(phone.fake.seen_at("POST /1/receipts").len(), 1);
}

/// Acknowledged there and here at the same time, then given back here: the one there was about what is over.
#[tokio::test]
async fn an_acknowledgement_of_an_earlier_round_does_not_count() {
    let mut phone = Phone::new().await;
    page(&mut phone.world, json!({ "summary": "disk full" })).await;
    phone.acknowledge(JOHN);
    phone.world.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    phone.world.pass_seconds(60).await;
    phone.world.post("/api/v1/alerts/1/unacknowledge", json!({})).await;
    phone.reader.turn().await.unwrap();
    assert_eq!(phone.status().await, "triggered");
}

#[tokio::test]
async fn a_key_that_is_nobodys_does_not_count() {
    for by in [BOB, ""] {
        let mut phone = Phone::new().await;
        page(&mut phone.world, json!({ "summary": "disk full" })).await;
        phone.acknowledge(by);
        phone.reader.turn().await.unwrap();
        assert_eq!(phone.status().await, "triggered", "{by}");
    }
}

#[tokio::test]
async fn what_may_wait_does_not_ring_on() {
    let mut phone = Phone::new().await;
    let alert = page(&mut phone.world, json!({ "summary": "half full", "severity": "info" })).await;
    assert_eq!(delivery(&alert, "pushover")["state"], "sent");
    assert!(phone.fake.seen()[0].form().contains(&("priority".to_owned(), "1".to_owned())));
    phone.reader.turn().await.unwrap();
    assert!(phone.fake.seen_at("GET").is_empty(), "there is no receipt to ask for");
}

#[tokio::test]
async fn no_text_breaks_out_of_the_form() {
    let mut phone = Phone::new().await;
    for (count, words) in NASTY.into_iter().enumerate() {
        let body = json!({ "summary": words, "details": words.repeat(300), "dedup_key": count.to_string() });
        phone.world.request("POST", "/api/v1/people/john/notify", Some(body)).await;
        phone.world.pass_seconds(120).await;
    }
    assert!(phone.fake.seen().len() >= 5);
}
