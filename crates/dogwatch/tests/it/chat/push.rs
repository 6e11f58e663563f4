//! Push messages, read as a browser reads them: decrypted by `http-ece`, and their sender proved, in Python.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dogwatch::channel::push::{Push, Vapid};
use dogwatch::clock::{Clock, randomness};
use dogwatch::outbound::Outbound;
use dogwatch::store::Browser;
use escalation::contact::Kind;
use escalation::delivery::Outcome;
use escalation::name::Name;
use serde_json::{Value, json};

use super::injection::{corpus, message};
use super::{NASTY, delivery, john, outbound, page};
use crate::support::checker::python;
use crate::support::fake::{Fake, Reply, Request, raw};
use crate::support::{World, answer};

/// A browser's private key, its public key and its secret: those of RFC 8291, appendix A.
pub(super) const PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
const PUBLIC: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

/// What a push service takes: the headers of RFC 8030, RFC 8188 and RFC 8292.
fn rules(request: &Request) -> Result<Reply, String> {
    let known = ["POST /push/one", "POST /push/two"].contains(&request.line.as_str());
    if !known {
        return Err("no such subscription".to_owned());
    }
    let header = |name: &str| request.header(name);
    if header("content-encoding") != "aes128gcm" || header("ttl").parse::<u32>().is_err() {
        return Err("aes128gcm, with a TTL".to_owned());
    }
    if !["very-low", "low", "normal", "high"].contains(&header("urgency")) {
        return Err("urgency".to_owned());
    }
    // Salt, size of a record, and the sender's key of 65 bytes.
    let head = request.body.get(..86).ok_or("too short")?;
    if request.body.len() > 4096 || head[16..21] != [0, 0, 16, 0, 65] || head[21] != 4 {
        return Err("no record of RFC 8188".to_owned());
    }
    if !header("authorization").starts_with("vapid t=") || !header("authorization").contains(", k=") {
        return Err("who are you?".to_owned());
    }
    Ok(raw("201 Created", "location: /message/1\r\n", ""))
}

fn browser(endpoint: String) -> Browser {
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    Browser { endpoint, key: decode(PUBLIC), auth: decode(AUTH) }
}

async fn world(outbound: Outbound) -> World {
    let random = randomness();
    let key = Vapid::make(&random).unwrap();
    let vapid = Arc::new(Vapid::read(&key, "mailto:ops@example.org".to_owned(), &random).unwrap());
    let world = World::with_store(|channels, store| {
        channels.with(Kind::Push, Push::new(outbound, store.clone(), vapid))
    })
    .await;
    john(&world, "push:john").await;
    world
}

pub(super) async fn start(outbound: Outbound) -> (Fake, World) {
    let fake = Fake::start(rules).await;
    let world = world(outbound).await;
    let one = browser(format!("{}/push/one", fake.url));
    world.store.add_browser(Name::new("john").unwrap(), one).await.unwrap();
    (fake, world)
}

/// Reads a message as the browser does, and checks the proof of its sender for `origin` at `now`.
pub(super) fn read(request: &Request, private: &str, origin: &str, now: i64) -> Value {
    read_all(std::slice::from_ref(request), private, origin, now).remove(0)
}

/// The same for many, by one program.
fn read_all(requests: &[Request], private: &str, origin: &str, now: i64) -> Vec<Value> {
    let program = r#"
import base64, json, sys, http_ece
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives import hashes
given = json.load(sys.stdin)
raw = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
private = ec.derive_private_key(int.from_bytes(raw(given["private"]), "big"), ec.SECP256R1())
def read(message):
    auth = raw(given["auth"])
    plain = http_ece.decrypt(raw(message["body"]), private_key=private, auth_secret=auth, version="aes128gcm")
    token, key = message["authorization"].removeprefix("vapid t=").split(", k=")
    signed, signature = token.rsplit(".", 1)
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw(key))
    r, s = raw(signature)[:32], raw(signature)[32:]
    der = utils.encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    point.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
    head, claims = (json.loads(raw(part)) for part in signed.split("."))
    assert head == {"typ": "JWT", "alg": "ES256"}, head
    assert claims["aud"] == given["origin"] and claims["sub"] == "mailto:ops@example.org", claims
    assert given["now"] < claims["exp"] <= given["now"] + 24 * 3600, claims
    return plain.decode()
print(json.dumps([read(message) for message in given["messages"]]))
"#;
    let message = |request: &Request| {
        json!({
            "body": URL_SAFE_NO_PAD.encode(&request.body), "authorization": request.header("authorization"),
        })
    };
    let messages: Vec<Value> = requests.iter().map(message).collect();
    let given =
        json!({ "private": private, "auth": AUTH, "origin": origin, "now": now, "messages": messages });
    let plain: Vec<String> = serde_json::from_str(&python(program, &given.to_string())).unwrap();
    plain.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

#[tokio::test]
async fn only_the_persons_browser_can_read_the_page_and_its_button_acknowledges() {
    let (fake, mut world) = start(outbound()).await;
    let alert = page(&mut world, json!({ "summary": "disk full", "severity": "critical" })).await;
    assert_eq!(delivery(&alert, "push")["attempts"][0]["detail"], "1 of 1 browsers");
    let request = fake.seen().remove(0);
    assert_eq!(request.header("urgency"), "high");
    assert!(!String::from_utf8_lossy(&request.body).contains("disk full"));
    let message = read(&request, PRIVATE, &fake.url, world.clock.now().as_second());
    assert_eq!(
        (&message["title"], &message["label"]),
        (&json!("CRITICAL john: disk full"), &json!("I have it"))
    );

    // As the service worker does it.
    let url = format!("{}{}", world.url, message["answer"].as_str().unwrap());
    let said = answer(world.client.post(url).header("accept", "application/json")).await;
    assert_eq!(
        (said.status, &said.body["said"]),
        (200, &json!("You have #1. Nobody else is paged any more."))
    );
    let story = world.story(1).await;
    assert!(
        story.iter().any(|line| line.ends_with("John Smith, by a button of the notification")),
        "{story:?}"
    );
}

#[tokio::test]
async fn every_browser_is_told_and_one_that_is_gone_is_forgotten() {
    let (fake, mut world) = start(outbound()).await;
    let two = browser(format!("{}/push/two", fake.url));
    world.store.add_browser(Name::new("john").unwrap(), two).await.unwrap();
    fake.once(raw("410 Gone", "", ""));
    let alert = page(&mut world, json!({ "summary": "disk full" })).await;
    assert_eq!(delivery(&alert, "push")["attempts"][0]["detail"], "1 of 2 browsers");
    assert_eq!(world.store.browsers("john".to_owned()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn without_a_browser_the_next_contact_rings_and_the_record_says_what_to_do() {
    let mut world = world(outbound()).await;
    let alert = page(&mut world, json!({ "summary": "disk full" })).await;
    let why = delivery(&alert, "push")["attempts"][0]["detail"].as_str().unwrap();
    assert!(why.contains("/notifications"), "{why}");
    assert_eq!(delivery(&alert, "handset")["state"], "sent");
}

/// Whoever is signed in names the address: it must not be a way into the house.
#[tokio::test]
async fn an_address_within_the_house_is_refused() {
    let guarded = Outbound::new(Vec::new(), jiff::SignedDuration::from_secs(10)).unwrap();
    let (fake, mut world) = start(guarded).await;
    let alert = page(&mut world, json!({ "summary": "disk full" })).await;
    let why = delivery(&alert, "push")["attempts"][0]["detail"].as_str().unwrap();
    assert!(why.contains("webhook.allow"), "{why}");
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn the_longest_text_and_the_nastiest_still_fit() {
    let (fake, mut world) = start(outbound()).await;
    for (count, words) in NASTY.into_iter().enumerate() {
        let body =
            json!({ "summary": words, "details": "\"\\\n".repeat(5_000), "dedup_key": count.to_string() });
        world.request("POST", "/api/v1/people/john/notify", Some(body)).await;
        world.pass_seconds(120).await;
    }
    let seen = fake.seen();
    assert!(seen.len() >= 5);
    let message = read(seen.last().unwrap(), PRIVATE, &fake.url, world.clock.now().as_second());
    assert!(message["body"].as_str().unwrap().len() > 1_000);
}

/// What is left of a text where control characters are gone and all space is the same.
fn visible(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() && !letter.is_whitespace()).collect()
}

/// The service worker believes what it is given: it opens one address, and posts to the other.
#[tokio::test]
async fn every_text_is_text_to_the_service_worker_and_no_address_leads_elsewhere() {
    let (fake, world) = start(outbound()).await;
    let channel = world.channel(Kind::Push);
    let all = corpus();
    assert!(all.len() >= 500);
    // A page, a notice of an alert, and one of none: what is opened, and what answers.
    let ways = [
        ("/answer/page_1/x", json!("/answer/page_1/x?via=push")),
        ("/alerts/1", Value::Null),
        ("/", Value::Null),
    ];
    for (place, words) in all.iter().enumerate() {
        let mut message = message("push:john", words);
        if place % 3 > 0 {
            message.answer_url = None;
        }
        if place % 3 > 1 {
            message.alert_url = None;
        }
        let outcome = channel.send(&message).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{words:?}: {outcome}");
    }
    let read = read_all(&fake.seen(), PRIVATE, &fake.url, world.clock.now().as_second());
    assert_eq!(read.len(), all.len());
    for (place, (message, words)) in read.iter().zip(&all).enumerate() {
        let mut keys: Vec<&str> = message.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["answer", "body", "label", "open", "stays", "tag", "title"], "{words:?}");
        let (open, answer) = &ways[place % 3];
        assert_eq!((&message["open"], &message["answer"]), (&json!(open), answer), "{words:?}");
        assert_eq!((&message["label"], &message["stays"]), (&json!("I have it"), &json!(true)));
        let (title, body) = (message["title"].as_str().unwrap(), message["body"].as_str().unwrap());
        assert!(title.len() <= 250 && !title.contains(char::is_control), "{title:?}");
        let is_bad = |letter: char| letter.is_control() && letter != '\n';
        assert!(body.len() <= 1_500 && !body.contains(is_bad), "{body:?}");
        assert_eq!(visible(title), visible(&format!("CRITICAL ops: {words}")));
        assert!(visible(body).contains(&visible(words)), "{words:?}: {body:?}");
    }
}

#[tokio::test]
async fn whoever_is_signed_in_switches_notifications_on_and_off_for_himself() {
    let (_, world) = start(outbound()).await;
    world.post("/api/v1/people", json!({ "name": "bob", "contacts": ["push:bob"] })).await;
    let bob = world.cookie(Some("bob")).await;
    let shown = world.page(&bob, "/notifications").await;
    assert_eq!(shown.status, 200);
    assert!(
        shown.text.contains("data-key=\"BPubKey\"") && shown.text.contains("in no browser"),
        "{}",
        shown.text
    );
    let post = async |path: &str, body: Value| {
        let request = world.client.post(format!("{}{path}", world.url)).header("cookie", &bob);
        answer(request.header("sec-fetch-site", "same-origin").body(body.to_string())).await.status
    };
    let on = json!({ "endpoint": "https://push.example.org/b", "key": PUBLIC, "auth": AUTH });
    assert_eq!(post("/notifications/browsers", on.clone()).await, 204);
    assert!(world.page(&bob, "/notifications").await.text.contains("in one browser"));
    for (field, value) in
        [("endpoint", "ftp://x/"), ("endpoint", "x"), ("key", "short"), ("auth", PUBLIC), ("more", "")]
    {
        let mut wrong = on.clone();
        wrong[field] = json!(value);
        assert_eq!(post("/notifications/browsers", wrong).await, 400, "{field} {value}");
    }
    // Bob can't switch off John's.
    let johns = world.store.browsers("john".to_owned()).await.unwrap().remove(0).endpoint;
    assert_eq!(post("/notifications/browsers/forget", json!({ "endpoint": johns })).await, 204);
    assert_eq!(world.store.browsers("john".to_owned()).await.unwrap().len(), 1);
    assert_eq!(post("/notifications/browsers/forget", json!({ "endpoint": on["endpoint"] })).await, 204);
    assert!(world.store.browsers("bob".to_owned()).await.unwrap().is_empty());
    // An administrator is nobody's browser, and a stranger gets nothing at all.
    let administrator = world.cookie(None).await;
    assert_eq!(world.page(&administrator, "/notifications").await.status, 403);
    assert_eq!(world.page("", "/notifications").await.status, 401);
    let worker = world.page("", "/service-worker.js").await;
    assert_eq!((worker.status, &worker.headers["cache-control"]), (200, &"no-cache".parse().unwrap()));
}
