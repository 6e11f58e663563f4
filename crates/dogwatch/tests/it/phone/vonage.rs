//! Calls through Vonage: the same experience as through Twilio, on Vonage's own protocol.
//!
//! Each way in which it fails is in `makes.rs`.

use dogwatch::clock::Clock;
use escalation::contact::Kind;
use escalation::delivery::Outcome;
use escalation::directory::Service;
use serde_json::{Value, json};

use super::gateway::providers;
use super::{JOHN, people, status};
use crate::chat::injection::{corpus, message};
use crate::support::checker::python;
use crate::support::fake::{Fake, raw};
use crate::support::twilio::{Does, Twilio};
use crate::support::vonage::{self, APPLICATION, Call, FROM, KEYS, SECRET, asks};
use crate::support::{World, answer, set_up_tls};

/// A world that calls through Vonage, and a person who is reached in these ways.
async fn world(johns: &[&str], language: &str) -> (World, Fake) {
    let (world, fake) = empty("").await;
    people(&world, johns, language).await;
    (world, fake)
}

async fn empty(rest: &str) -> (World, Fake) {
    set_up_tls();
    let fake = vonage::start().await;
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("private.key");
    std::fs::write(&key, &KEYS.private).unwrap();
    let config = vonage::table("vonage", &fake.url, key.to_str().unwrap(), rest);
    let operators = vec!["email:operator@example.org".parse().unwrap()];
    let service = Service { operators, ..Service::default() };
    (World::with_providers(service, providers(&config).unwrap()).await, fake)
}

fn phone() -> String {
    format!("phone:{JOHN}")
}

fn text(ncco: &Value) -> &str {
    ncco[0]["text"].as_str().unwrap()
}

#[tokio::test]
async fn john_is_called_presses_4_and_hears_that_he_has_it_after_it_is_stored() {
    let (mut world, fake) = world(&[&phone()], "en-GB").await;
    let number = world.notify("disk <full> on db1 & \"more\"").await;
    world.settle().await;
    let call = Call::newest(&fake);
    assert_eq!((call.number(), &call.asked["from"]["number"]), (&JOHN[1..], &json!(FROM)));
    assert_eq!(call.ncco()[0]["language"], "en-GB");
    assert_eq!(call.ncco()[0]["bargeIn"], true, "keys are taken while it speaks");
    let said = text(call.ncco());
    assert!(said.starts_with("error, team ops: disk  full  on db1 & \"more\". Press 4"), "{said}");
    for word in ["started", "ringing", "answered", "human"] {
        call.is(&world, word, json!({})).await;
    }
    assert_eq!(status(&world, number).await, "triggered", "to take the call is no answer");
    let then = call.press(&world, call.ncco(), "4").await;
    assert_eq!(text(&then), "You have it. Nobody else is paged any more.");
    assert_eq!(then.as_array().unwrap().len(), 1, "and the call ends");
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    assert_eq!((&alert["status"], &alert["acknowledged"]["by"]), (&json!("acknowledged"), &json!("John")));
    let story = world.story(number).await.join("\n");
    assert!(story.contains("Acknowledged: John, by telephone"), "{story}");
    assert!(story.contains("It has arrived: John by telephone"), "{story}");
    assert!(!story.contains("canary") && !story.contains(SECRET), "{story}");
}

#[tokio::test]
async fn a_german_hears_german_and_presses_6_twice_to_resolve() {
    let (mut world, fake) = world(&[&phone()], "de").await;
    let number = world.notify("Platte voll").await;
    world.settle().await;
    let call = Call::newest(&fake);
    assert_eq!(call.ncco()[0]["language"], "de-DE");
    assert!(text(call.ncco()).starts_with("Fehler, Team ops: Platte voll. Drücken Sie 4"));
    let nothing = call.press(&world, call.ncco(), "9").await;
    assert!(text(&nothing).starts_with("Diese Taste"));
    let again = call.press(&world, &nothing, "1").await;
    assert!(text(&again).starts_with("Fehler, Team ops"));
    let once = call.press(&world, &again, "6").await;
    assert_eq!(text(&once), "Drücken Sie noch einmal 6, wenn es erledigt ist.");
    assert_eq!(status(&world, number).await, "triggered");
    call.press(&world, &once, "6").await;
    assert_eq!(status(&world, number).await, "resolved");
}

#[tokio::test]
async fn with_8_john_passes_and_bob_is_paged_at_once() {
    let (mut world, fake) = world(&[&phone()], "en").await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let call = Call::newest(&fake);
    call.press(&world, call.ncco(), "8").await;
    world.settle().await;
    let story = world.story(number).await.join("\n");
    assert!(story.contains("Can't take it: John, by telephone"), "{story}");
    assert!(story.contains("Bob's handset rings"), "{story}");
}

#[tokio::test]
async fn who_presses_nothing_hears_it_again_and_a_call_does_not_ask_for_ever() {
    let (mut world, fake) = world(&[&phone()], "en").await;
    world.notify("disk full").await;
    world.settle().await;
    let call = Call::newest(&fake);
    let again = call.press(&world, call.ncco(), "").await;
    assert!(text(&again).starts_with("error, team ops: disk full. Press 4"), "{again}");
    let mut ncco = again;
    let mut turns = 1;
    while ncco.as_array().unwrap().len() > 1 {
        ncco = call.press(&world, &ncco, "").await;
        turns += 1;
        assert!(turns < 20, "it asks on and on");
    }
    assert_eq!(text(&ncco), "Nobody has answered. Goodbye.");
}

#[tokio::test]
async fn a_mailbox_takes_the_call_it_rings_once_more_and_then_the_message_comes() {
    let (mut world, fake) = world(&[&phone(), &format!("sms:{JOHN}")], "en").await;
    let number = world.notify("disk full").await;
    world.settle().await;
    for calls in 1..=2 {
        assert_eq!(fake.seen_at("POST /v1/calls").len(), calls);
        let call = Call::newest(&fake);
        assert_eq!(
            call.asked["machine_detection"], "continue",
            "a machine is no reason to hang up on a person"
        );
        call.is(&world, "answered", json!({})).await;
        call.is(&world, "machine", json!({ "sub_state": "beep_start" })).await;
        // It listens to all of it, and presses nothing.
        call.press(&world, call.ncco(), "").await;
        call.is(&world, "completed", json!({ "duration": "31" })).await;
        world.settle().await;
    }
    assert_eq!((fake.seen_at("POST /v1/calls").len(), fake.seen_at("POST /sms/json").len()), (2, 1));
    assert_eq!(status(&world, number).await, "triggered");
    let story = world.story(number).await.join("\n");
    assert!(story.contains("Nobody took the call: John by telephone: a machine took it"), "{story}");
}

#[tokio::test]
async fn busy_and_no_answer_ring_once_more_failed_does_not() {
    for (word, more, calls) in [
        ("busy", json!({}), 2),
        ("unanswered", json!({}), 2),
        ("timeout", json!({}), 2),
        ("failed", json!({ "detail": "remote_cancel" }), 1),
        ("rejected", json!({ "detail": "declined" }), 2),
        ("rejected", json!({ "detail": "restricted" }), 1),
        ("cancelled", json!({}), 1),
    ] {
        let (mut world, fake) = world(&[&phone(), "email:john@example.org"], "en").await;
        world.notify("disk full").await;
        world.settle().await;
        for _ in 0..calls {
            assert_eq!(world.carrier.sent_to("page").len(), 0, "{word}");
            Call::newest(&fake).is(&world, word, more.clone()).await;
            world.settle().await;
        }
        let asked = fake.seen_at("POST /v1/calls").len();
        assert_eq!((asked, world.carrier.sent_to("page").len()), (calls, 1), "{word}");
    }
}

#[tokio::test]
async fn events_in_every_order_and_twice_end_in_one_state() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (last, contacts) in [("answered", 0), ("failed", 1)] {
        let words = ["started", "ringing", last];
        for order in orders {
            let (mut world, fake) = world(&[&phone(), "email:john@example.org"], "en").await;
            world.notify("disk full").await;
            world.settle().await;
            let call = Call::newest(&fake);
            for place in order.into_iter().chain(order) {
                call.is(&world, words[place], json!({})).await;
                world.settle().await;
            }
            world.pass_seconds(120).await;
            assert_eq!(world.carrier.sent_to("page").len(), contacts, "{last} {order:?}");
        }
    }
}

#[tokio::test]
async fn what_does_not_come_from_vonage_about_this_call_changes_nothing() {
    let (mut world, fake) = world(&[&phone()], "en").await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let call = Call::newest(&fake);
    let url = asks(call.ncco());
    for wrong in [
        url.replace(SECRET, "0123456789abcdefghijklmnopqrstuX"),
        url.replace(SECRET, ""),
        url.replace("/vonage/vonage/", "/vonage/other/"),
        url.replace("/vonage/vonage/", "/twilio/vonage/"),
    ] {
        let told = call.pressed(&world, &wrong, "4").await;
        assert!(matches!(told.status, 403..=405), "{wrong}: {}", told.status);
    }
    for (body, wanted) in [
        (json!({ "dtmf": { "digits": "4" }, "from": FROM, "to": "493099999", "uuid": "x" }), 400),
        (json!({ "dtmf": { "digits": "4" }, "from": "4930222222", "to": FROM }), 400),
    ] {
        assert_eq!(answer(world.client.post(&url).json(&body)).await.status, wanted, "{body}");
    }
    assert_eq!(answer(world.client.post(&url).body("{")).await.status, 400, "no JSON");
    for method in [reqwest::Method::GET, reqwest::Method::HEAD, reqwest::Method::OPTIONS] {
        let looked = world.client.request(method, &url).send().await.unwrap();
        assert_ne!(looked.status(), 200, "looking is no answer");
    }
    assert_eq!(status(&world, number).await, "triggered");
    assert_eq!(call.pressed(&world, &url, "4").await.status, 200);
    assert_eq!(status(&world, number).await, "acknowledged");
    world.post(&format!("/api/v1/alerts/{number}/unacknowledge"), json!({})).await;
    assert_eq!(call.pressed(&world, &url, "4").await.status, 200);
    assert_eq!(status(&world, number).await, "triggered", "a replay does nothing");
}

#[tokio::test]
async fn keys_are_read_in_every_form_that_vonage_has_had() {
    for body in [
        json!({ "dtmf": "4", "timed_out": true, "uuid": "x", "conversation_uuid": "y" }),
        json!({ "dtmf": "4", "call_uuid": "x", "from": FROM, "to": JOHN }),
        json!({ "dtmf": { "digits": "4", "timed_out": true }, "speech": { "error": "Speech was not enabled" } }),
    ] {
        let (mut world, fake) = world(&[&phone(), "email:john@example.org"], "en").await;
        // Two at once: what is pressed in one call is nothing that was seen in the other.
        for number in [1, 2] {
            world.notify(&format!("disk {number}")).await;
            world.pass_seconds(130).await;
            let call = Call::newest(&fake);
            assert_eq!(answer(world.client.post(asks(call.ncco())).json(&body)).await.status, 200);
            assert_eq!(status(&world, number).await, "acknowledged", "{body}");
        }
    }
}

#[tokio::test]
async fn where_the_application_signs_what_is_not_signed_changes_nothing() {
    let (mut world, fake) = empty("signing_key = \"canary-signature-secret\"").await;
    people(&world, &[&phone()], "en").await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let call = Call::newest(&fake);
    let (url, body) = (asks(call.ncco()), call.keys("4").to_string());
    // Made by an independent library, with the claims that Vonage's reference lists.
    let program = "
import hashlib, json, sys, jwt
asked = json.load(sys.stdin)
def token(key, body, at):
    claims = {'iat': at, 'jti': 'c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5', 'iss': 'Vonage', 'api_key': 'abcd1234',
              'payload_hash': hashlib.sha256(body.encode()).hexdigest()}
    return jwt.encode(claims, key, algorithm='HS256')
key, body, now = asked['key'], asked['body'], asked['now']
print(json.dumps([token(key + 'x', body, now), token(key, body + ' ', now), token(key, body, now - 301),
    token(key, body, now + 301), jwt.encode({'iat': now}, None, algorithm='none'), '', 'a.b.c', token(key, body, now - 9)]))
";
    let now = world.clock.now().as_second();
    let asked = json!({ "key": "canary-signature-secret", "body": body, "now": now });
    let tokens: Vec<String> = serde_json::from_str(&python(program, &asked.to_string())).unwrap();
    let (good, bad) = tokens.split_last().unwrap();
    let post = async |token: &str| {
        let request = world.client.post(&url).header("content-type", "application/json").bearer_auth(token);
        answer(request.body(body.clone())).await.status
    };
    for token in bad {
        assert_eq!(post(token).await, 403, "{token}");
        assert_eq!(status(&world, number).await, "triggered");
    }
    assert_eq!(call.pressed(&world, &url, "4").await.status, 403, "without any");
    assert_eq!(post(good).await, 200);
    assert_eq!(status(&world, number).await, "acknowledged");
}

#[tokio::test]
async fn a_number_that_vonage_does_not_take_is_not_tried_again_and_what_it_says_is_shown() {
    let body = r#"{"type": 400, "title": "Bad Request", "invalid_parameters": [{"reason": "can contain up to 15 digits prefixed with +", "name": "number"}]}"#;
    let (mut world, fake) = world(&[&phone(), "email:john@example.org"], "en").await;
    fake.once(raw("400 Bad Request", "", body));
    let number = world.notify("disk full").await;
    world.pass_seconds(60).await;
    assert_eq!(fake.seen_at("POST /v1/calls").len(), 1);
    assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"]);
    let story = world.story(number).await.join("\n");
    assert!(story.contains("Bad Request: can contain up to 15 digits"), "{story}");
}

#[tokio::test]
async fn a_country_without_a_voice_of_its_own_hears_the_usual_one() {
    for (language, voice) in [("de-CH", "de-DE"), ("de-AT", "de-AT"), ("en-CA", "en-US"), ("fr", "en-US")] {
        let (mut world, fake) = world(&[&phone()], language).await;
        world.notify("disk full").await;
        world.settle().await;
        assert_eq!(Call::newest(&fake).ncco()[0]["language"], voice, "{language}");
    }
}

#[tokio::test]
async fn when_the_first_make_refuses_calls_the_other_one_calls_within_seconds() {
    set_up_tls();
    let (twilio, fake) = (Twilio::start().await, vonage::start().await);
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("private.key");
    std::fs::write(&key, &KEYS.private).unwrap();
    let mut all = vec![twilio.provider("main")];
    all.extend(providers(&vonage::table("spare", &fake.url, key.to_str().unwrap(), "")).unwrap());
    let mut world = World::with_providers(Service::default(), all).await;
    twilio.join(&world);
    twilio.always(Does::Answers(500, "", ""));
    people(&world, &[&phone()], "en").await;
    let number = world.notify("disk full").await;
    world.pass_seconds(3).await;
    let call = Call::newest(&fake);
    call.press(&world, call.ncco(), "4").await;
    assert_eq!(status(&world, number).await, "acknowledged");
    // The card that lets calls through knows the numbers of both.
    let card = world.request("GET", "/api/v1/contact-card.vcf", None).await.text;
    assert!(card.contains(&format!("+{FROM}")) && card.contains("+18005550100"), "{card}");
}

#[tokio::test]
async fn an_independent_library_reads_the_token() {
    let (mut world, fake) = world(&[&phone()], "en").await;
    world.notify("disk full").await;
    world.settle().await;
    let request = fake.seen_at("POST /v1/calls").remove(0);
    let token = request.header("authorization").strip_prefix("Bearer ").unwrap().to_owned();
    let program = "
import json, sys, jwt
asked = json.load(sys.stdin)
print(json.dumps(jwt.decode(asked['token'], asked['key'], algorithms=['RS256'], options={'verify_exp': False, 'verify_iat': False})))
";
    let read = python(program, &json!({ "token": token, "key": KEYS.public }).to_string());
    let claims: Value = serde_json::from_str(&read).unwrap();
    assert_eq!(claims["application_id"], APPLICATION);
    assert_eq!(claims["iat"], "2026-03-02T03:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second());
}

#[tokio::test]
async fn in_a_call_every_text_is_one_text() {
    let (world, fake) = empty("per_second = 100000").await;
    let channel = world.channel(Kind::Phone);
    for words in corpus() {
        let outcome = channel.send(&message(&phone(), &words)).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{words:?}: {outcome}");
    }
    // The stand-in has refused every action that is not one of ours.
    let calls = fake.seen_at("POST /v1/calls");
    assert!(calls.len() >= 500);
    assert!(calls.iter().all(|call| call.json()["ncco"].as_array().unwrap().len() <= 2));
}

#[test]
fn what_is_wrong_with_an_application_is_said_with_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("private.key");
    std::fs::write(&key, &KEYS.private).unwrap();
    let good = vonage::table("v", "https://vonage.example", key.to_str().unwrap(), "");
    assert!(providers(&good).is_ok());
    for (from, to, words) in [
        (format!("application = \"{APPLICATION}\"\n"), String::new(), "application is missing"),
        (APPLICATION.to_owned(), "12".to_owned(), "write the application's ID"),
        (format!("callback_secret = \"{SECRET}\"\n"), String::new(), "callback_secret is missing"),
        (format!("+{FROM}"), "Dogwatch".to_owned(), "from"),
        (key.to_str().unwrap().to_owned(), "/nowhere".to_owned(), "/nowhere"),
        ("voice_url = \"https".to_owned(), "voice_url = \"ftp".to_owned(), "voice_url"),
        (
            "kind = \"vonage\"".to_owned(),
            "kind = \"vonage\"\nchannels = [\"sms\"]".to_owned(),
            "without calls",
        ),
    ] {
        assert!(good.contains(&from), "{from}");
        let wrong = format!("{:#}", providers(&good.replace(&from, &to)).unwrap_err());
        assert!(wrong.contains(words), "{words}: {wrong}");
        assert!(!wrong.contains("PRIVATE KEY-----\nM"), "{wrong}");
    }
    std::fs::write(&key, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    let wrong = format!("{:#}", providers(&good).unwrap_err());
    assert!(wrong.contains("damaged") && wrong.contains(key.to_str().unwrap()), "{wrong}");
}
