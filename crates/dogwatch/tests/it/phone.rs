//! Telephones: calls, short messages, what providers say of them, and what people answer.
//!
//! Each way in which a provider fails is in `phone/failing.rs`, the other makes in `phone/gateway.rs`.

mod failing;
mod gateway;
mod guide;
mod makes;
mod vonage;

use escalation::directory::Service;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::twilio::{ACCOUNT, FROM, Twilio, send};

pub const JOHN: &str = "+493011111";

/// A world with Twilio, and John and Bob in the team ops.
pub async fn world(johns: &[&str], language: &str) -> (World, Twilio) {
    let twilio = Twilio::start().await;
    let operators = vec!["email:operator@example.org".parse().unwrap()];
    let service = Service { operators, ..Service::default() };
    let world = World::with_providers(service, vec![twilio.provider("main")]).await;
    twilio.join(&world);
    people(&world, johns, language).await;
    (world, twilio)
}

pub async fn people(world: &World, johns: &[&str], language: &str) {
    world.john_and_bob("handset:john", "handset:bob").await;
    let steps: Vec<Value> = johns.iter().map(|contact| json!({ "contact": contact, "wait": "5m" })).collect();
    let john = json!({
        "full_name": "John", "language": language, "contacts": johns, "zone": "Europe/Berlin",
        "notification_plans": { "high": { "steps": steps } },
    });
    let put = world.request("PUT", "/api/v1/people/john", Some(john)).await;
    assert_eq!(put.status, 200, "{}", put.text);
    world
        .request(
            "PATCH",
            "/api/v1/escalation-plans/ops",
            Some(json!({ "steps": [
            { "notify": ["person:john"], "after": "30m" }, { "notify": ["person:bob"], "after": "30m" },
        ] })),
        )
        .await;
}

async fn status(world: &World, number: u64) -> String {
    world.get(&format!("/api/v1/alerts/{number}")).await["status"].as_str().unwrap().to_owned()
}

/// The code in a short message.
fn code(body: &str) -> String {
    let words = body.split(|letter: char| !letter.is_ascii_digit());
    let after = body.split("Reply ").nth(1).expect("a code to reply with");
    assert!(words.count() > 0);
    after.chars().take_while(char::is_ascii_digit).collect()
}

#[tokio::test]
async fn john_is_called_presses_4_and_hears_that_he_has_it_after_it_is_stored() {
    let (mut world, twilio) = world(&[&format!("phone:{JOHN}")], "en-GB").await;
    let number = world.notify("disk <full> on db1 & \"more\"").await;
    world.settle().await;
    let call = twilio.newest();
    assert_eq!((call.field("To"), call.field("From")), (JOHN, FROM));
    let twiml = twilio.follow(call.field("Twiml"));
    let say = &twiml["inner"][0]["inner"][0];
    assert_eq!(say["attributes"]["language"], "en-GB");
    let said = say["text"].as_str().unwrap();
    assert!(said.starts_with("error, team ops: disk <full> on db1 & \"more\". Press 4"), "{said}");
    twilio.status(&world, &call, &[("CallStatus", "ringing")]).await;
    twilio.status(&world, &call, &[("CallStatus", "in-progress")]).await;
    assert_eq!(status(&world, number).await, "triggered", "to take the call is no answer");
    let then = twilio.press(&world, &call, &twiml, "4").await;
    assert_eq!(then["inner"][0]["text"], "You have it. Nobody else is paged any more.");
    assert_eq!(then["inner"].as_array().unwrap().len(), 1, "and the call ends");
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    assert_eq!((&alert["status"], &alert["acknowledged"]["by"]), (&json!("acknowledged"), &json!("John")));
    let story = world.story(number).await.join("\n");
    assert!(story.contains("Acknowledged: John, by telephone"), "{story}");
    assert!(story.contains("It has arrived: John by telephone"), "{story}");
}

#[tokio::test]
async fn a_german_hears_german_and_presses_6_twice_to_resolve() {
    let (mut world, twilio) = world(&[&format!("phone:{JOHN}")], "de").await;
    let number = world.notify("Platte voll").await;
    world.settle().await;
    let call = twilio.newest();
    let twiml = twilio.follow(call.field("Twiml"));
    let say = &twiml["inner"][0]["inner"][0];
    assert_eq!(say["attributes"]["language"], "de-DE");
    assert!(say["text"].as_str().unwrap().starts_with("Fehler, Team ops: Platte voll. Drücken Sie 4"));
    let nothing = twilio.press(&world, &call, &twiml, "9").await;
    assert!(nothing["inner"][0]["inner"][0]["text"].as_str().unwrap().starts_with("Diese Taste"));
    let again = twilio.press(&world, &call, &nothing, "1").await;
    assert!(again["inner"][0]["inner"][0]["text"].as_str().unwrap().starts_with("Fehler, Team ops"));
    let once = twilio.press(&world, &call, &again, "6").await;
    assert_eq!(once["inner"][0]["inner"][0]["text"], "Drücken Sie noch einmal 6, wenn es erledigt ist.");
    assert_eq!(status(&world, number).await, "triggered");
    twilio.press(&world, &call, &once, "6").await;
    assert_eq!(status(&world, number).await, "resolved");
}

#[tokio::test]
async fn with_8_john_passes_and_bob_is_paged_at_once() {
    let (mut world, twilio) = world(&[&format!("phone:{JOHN}")], "en").await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let call = twilio.newest();
    let twiml = twilio.follow(call.field("Twiml"));
    twilio.press(&world, &call, &twiml, "8").await;
    world.settle().await;
    let story = world.story(number).await.join("\n");
    assert!(story.contains("Can't take it: John, by telephone"), "{story}");
    assert!(story.contains("Bob's handset rings"), "{story}");
}

#[tokio::test]
async fn when_somebody_else_has_it_the_telephone_stops_ringing() {
    let (mut world, twilio) = world(&[&format!("phone:{JOHN}")], "en").await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let call = twilio.newest();
    twilio.status(&world, &call, &[("CallStatus", "ringing")]).await;
    world.amend().await;
    assert_eq!(twilio.ended(), Vec::<String>::new(), "nobody has answered");
    world.post(&format!("/api/v1/alerts/{number}/acknowledge"), json!({})).await;
    world.amend().await;
    assert_eq!(twilio.ended().join(" "), call.sid);
    world.amend().await;
    assert_eq!(twilio.ended().len(), 1, "once");
}

#[tokio::test]
async fn one_telephone_of_two_stops_ringing_when_the_other_is_answered() {
    let other = "phone:+493022222";
    let (mut world, twilio) = world(&[&format!("phone:{JOHN}"), other], "en").await;
    world.notify("disk full").await;
    world.settle().await;
    let first = twilio.newest();
    // The next contact is called while the first call still is under way.
    world.pass_seconds(300).await;
    let second = twilio.newest();
    assert_ne!(first.sid, second.sid);
    let twiml = twilio.follow(second.field("Twiml"));
    twilio.press(&world, &second, &twiml, "4").await;
    world.amend().await;
    assert!(twilio.ended().contains(&first.sid), "{:?}", twilio.ended());
    assert!(!twilio.ended().contains(&second.sid), "{:?}", twilio.ended());
}

#[tokio::test]
async fn whoever_answers_in_a_call_hears_it_to_its_end() {
    let (mut world, twilio) = world(&[&format!("phone:{JOHN}")], "en").await;
    world.notify("disk full").await;
    world.settle().await;
    let call = twilio.newest();
    let twiml = twilio.follow(call.field("Twiml"));
    twilio.press(&world, &call, &twiml, "4").await;
    world.amend().await;
    assert_eq!(twilio.ended(), Vec::<String>::new());
}

#[tokio::test]
async fn still_on_it_is_asked_in_so_many_words_and_4_says_yes() {
    let (mut world, twilio) = world(&[&format!("phone:{JOHN}")], "en").await;
    let after = json!({ "ack_timeout": "30m" });
    assert_eq!(world.request("PATCH", "/api/v1/teams/ops", Some(after)).await.status, 200);
    let number = world.notify("disk full").await;
    world.settle().await;
    let call = twilio.newest();
    twilio.press(&world, &call, &twilio.follow(call.field("Twiml")), "4").await;
    world.pass_seconds(30 * 60).await;
    let call = twilio.newest();
    let twiml = twilio.follow(call.field("Twiml"));
    let said = twiml["inner"][0]["inner"][0]["text"].as_str().unwrap();
    assert!(said.starts_with("Still on it? error, team ops: disk full."), "{said}");
    twilio.press(&world, &call, &twiml, "4").await;
    world.amend().await;
    assert_eq!(twilio.ended(), Vec::<String>::new(), "he hears it to its end");
    world.pass_seconds(10 * 60).await;
    assert_eq!(status(&world, number).await, "acknowledged", "others are not paged");
}

#[tokio::test]
async fn a_call_about_several_is_answered_as_a_whole_and_asks_for_nothing_else() {
    let (mut world, twilio) = world(&[&format!("phone:{JOHN}")], "en").await;
    let numbers =
        [world.notify("disk full").await, world.notify("net down").await, world.notify("fan broken").await];
    world.pass_seconds(61).await;
    let call = twilio.newest();
    let twiml = twilio.follow(call.field("Twiml"));
    let said = |twiml: &Value| twiml["inner"][0]["inner"][0]["text"].as_str().unwrap().to_owned();
    assert!(said(&twiml).contains("more alerts. Press 4 if you have all of them"), "{}", said(&twiml));
    for key in ["8", "6"] {
        let then = twilio.press(&world, &call, &twiml, key).await;
        assert!(said(&then).starts_with("This key means nothing."), "{key}: {}", said(&then));
    }
    let again = twilio.press(&world, &call, &twiml, "1").await;
    assert!(said(&again).contains("more alerts."), "also when it is heard again: {}", said(&again));
    let last = *numbers.last().unwrap();
    world.post(&format!("/api/v1/alerts/{last}/resolve"), json!({})).await;
    let then = twilio.press(&world, &call, &again, "4").await;
    let told = then["inner"][0]["text"].as_str().unwrap();
    assert_eq!(told, "You have 1 of 2; the others are answered, too.");
}

#[tokio::test]
async fn a_mailbox_takes_the_call_it_rings_once_more_and_then_the_message_comes() {
    let (mut world, twilio) = world(&[&format!("phone:{JOHN}"), &format!("sms:{JOHN}")], "en").await;
    let number = world.notify("disk full").await;
    world.settle().await;
    for calls in 1..=2 {
        assert_eq!(twilio.taken().len(), calls);
        let call = twilio.newest();
        twilio.status(&world, &call, &[("CallStatus", "in-progress"), ("SequenceNumber", "2")]).await;
        twilio.status(&world, &call, &[("AnsweredBy", "machine_start")]).await;
        // It listens to all of it, and presses nothing.
        twilio.press(&world, &call, &twilio.follow(call.field("Twiml")), "").await;
        twilio.status(&world, &call, &[("CallStatus", "completed"), ("CallDuration", "31")]).await;
        world.settle().await;
    }
    let message = twilio.newest();
    assert!(message.sid.starts_with("SM") && twilio.taken().len() == 3, "{message:?}");
    assert_eq!(status(&world, number).await, "triggered");
    let story = world.story(number).await.join("\n");
    assert!(
        story.contains("Nobody took the call: John by telephone: a machine took it (machine_start)"),
        "{story}"
    );
}

#[tokio::test]
async fn busy_and_no_answer_ring_once_more_failed_does_not() {
    for (word, calls) in [("busy", 2), ("no-answer", 2), ("failed", 1), ("canceled", 1)] {
        let (mut world, twilio) = world(&[&format!("phone:{JOHN}"), "email:john@example.org"], "en").await;
        world.notify("disk full").await;
        world.settle().await;
        for _ in 0..calls {
            assert_eq!(world.carrier.sent_to("page").len(), 0, "{word}");
            twilio.status(&world, &twilio.newest(), &[("CallStatus", word)]).await;
            world.settle().await;
        }
        assert_eq!((twilio.taken().len(), world.carrier.sent_to("page").len()), (calls, 1), "{word}");
    }
}

#[tokio::test]
async fn receipts_in_every_order_and_twice_end_in_one_state() {
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for (last, contacts) in [("delivered", 0), ("undelivered", 1), ("failed", 1)] {
        let words = ["queued", "sent", last];
        for order in orders {
            let (mut world, twilio) = world(&[&format!("sms:{JOHN}"), "email:john@example.org"], "en").await;
            world.notify("disk full").await;
            world.settle().await;
            let message = twilio.newest();
            for place in order.into_iter().chain(order) {
                twilio.status(&world, &message, &[("MessageStatus", words[place])]).await;
                world.settle().await;
            }
            world.pass_seconds(120).await;
            assert_eq!(world.carrier.sent_to("page").len(), contacts, "{last} {order:?}");
        }
    }
}

#[tokio::test]
async fn a_message_that_nobody_confirms_in_time_brings_the_next_contact() {
    let (mut world, twilio) = world(&[&format!("sms:{JOHN}"), "email:john@example.org"], "en").await;
    let number = world.notify("disk full").await;
    world.settle().await;
    twilio.status(&world, &twilio.newest(), &[("MessageStatus", "sent")]).await;
    world.pass_seconds(44).await;
    assert_eq!(world.carrier.sent_to("page").len(), 0);
    world.pass_seconds(1).await;
    assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"]);
    twilio.status(&world, &twilio.newest(), &[("MessageStatus", "delivered")]).await;
    world.pass_seconds(60).await;
    assert_eq!(world.carrier.sent_to("page").len(), 1);
    let story = world.story(number).await.join("\n");
    assert!(
        story.contains("45 It did not arrive: John by SMS: the provider has not confirmed it"),
        "{story}"
    );
    assert!(story.contains("It has arrived: John by SMS"), "{story}");
}

#[tokio::test]
async fn john_replies_with_the_code_and_is_told_after_it_is_stored() {
    let (mut world, twilio) = world(&[&format!("sms:{JOHN}")], "en").await;
    let number = world.notify("disk full on db1").await;
    world.settle().await;
    let body = twilio.newest().field("Body").to_owned();
    assert!(
        body.starts_with("ERROR ops: disk full on db1\nSince 2026-03-02 04:00:00 CET (0 s)\nReply "),
        "{body}"
    );
    let code = code(&body);
    let said = twilio.text(&world, "main", "SM1", JOHN, &format!("ack {code}")).await;
    assert_eq!(
        said,
        format!("You have #{number}. Nobody else is paged any more. (ERROR ops: disk full on db1)")
    );
    let story = world.story(number).await.join("\n");
    assert!(story.contains("Acknowledged: John, by SMS"), "{story}");
    // The same callback again does nothing, even after somebody gave the alert back.
    world.post(&format!("/api/v1/alerts/{number}/unacknowledge"), json!({})).await;
    assert_eq!(twilio.text(&world, "main", "SM1", JOHN, &format!("ack {code}")).await, "");
    assert_eq!(status(&world, number).await, "triggered");
    let said = twilio.text(&world, "main", "SM2", JOHN, &format!("Resolve {code}")).await;
    assert!(said.starts_with(&format!("#{number} is resolved.")), "{said}");
}

#[tokio::test]
async fn a_bare_ack_asks_which_and_ack_all_means_what_the_message_held() {
    let (mut world, twilio) = world(&[&format!("sms:{JOHN}")], "en").await;
    let first = world.notify("disk full").await;
    world.settle().await;
    let said = twilio.text(&world, "main", "SM1", JOHN, "ack").await;
    assert!(said.starts_with(&format!("You have #{first}.")), "{said}");
    let (second, third) = (world.notify("fan broken").await, world.notify("too hot").await);
    world.pass_seconds(61).await;
    let said = twilio.text(&world, "main", "SM2", JOHN, "ack").await;
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(
        lines[0] == "Which? Reply with its code:" && lines[1].ends_with(" ERROR ops: fan broken"),
        "{said}"
    );
    let later = world.notify("came later").await;
    let said = twilio.text(&world, "main", "SM3", JOHN, "ack all").await;
    assert!(said.contains(&format!("#{second}")) && said.contains(&format!("#{third}")), "{said}");
    assert_eq!(status(&world, second).await, "acknowledged");
    assert_eq!(status(&world, third).await, "acknowledged");
    assert_eq!(status(&world, later).await, "triggered");
}

/// What a sender writes must not become a word of the protocol.
#[tokio::test]
async fn whatever_an_alert_says_twiml_keeps_its_shape_and_a_message_its_last_line() {
    let (mut world, twilio) = world(&[&format!("phone:{JOHN}")], "en").await;
    let nasty = [
        "</Say></Gather><Hangup/>",
        "<![CDATA[x]]>",
        "]]>",
        "&amp;&lt;&#0;&#x1b;&bogus;",
        "\" action=\"https://evil.example/",
        "<!-- -->",
        "<?xml version=\"1.0\"?>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]>&a;",
        "nul \u{0} esc \u{1b} del \u{7f} c1 \u{85} \u{fffe} \u{ffff}",
        "rtl \u{202e} zwj \u{200d} bom \u{feff} emoji 😀 я 中",
        "%s %n {to} {{ x }} ${x} $(x) `x`",
    ];
    for (count, text) in nasty.into_iter().cycle().take(nasty.len() * 2).enumerate() {
        let long = if count < nasty.len() { text.to_owned() } else { text.repeat(1_000 / text.len()) };
        let asked = world
            .request(
                "POST",
                "/api/v1/teams/ops/notify",
                Some(json!({ "summary": format!("{long} {count}") })),
            )
            .await;
        if asked.status != 201 {
            // NUL and the like are refused at the door.
            assert_eq!(asked.status, 422, "{}", asked.text);
            continue;
        }
        world.pass_seconds(61).await;
        let twiml = twilio.follow(twilio.newest().field("Twiml"));
        let verbs: Vec<&str> =
            twiml["inner"].as_array().unwrap().iter().map(|verb| verb["verb"].as_str().unwrap()).collect();
        assert_eq!(verbs, ["Gather", "Gather", "Say"], "{text}");
        assert_eq!(twiml["inner"][0]["inner"].as_array().unwrap().len(), 1, "{text}");
        let url = twiml["inner"][0]["attributes"]["action"].as_str().unwrap();
        assert!(url.starts_with(&format!("{}/callbacks/twilio/main/keys?", world.url)), "{url}");
    }
}

#[tokio::test]
async fn strangers_hear_nothing_and_codes_can_not_be_guessed() {
    let (mut world, twilio) = world(&[&format!("sms:{JOHN}")], "en").await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let code = code(twilio.newest().field("Body"));
    assert_eq!(twilio.text(&world, "main", "SM0", "+493099999", &code).await, "", "a stranger");
    assert_eq!(status(&world, number).await, "triggered");
    let wrong = if code == "1000" { "1001" } else { "1000" };
    for count in 1..=5 {
        let said = twilio.text(&world, "main", &format!("SM{count}"), JOHN, wrong).await;
        let words = if count < 5 { "Nothing was done: \"1000\"" } else { "Too many wrong codes" };
        assert!(said.starts_with(&words.replace("1000", wrong)), "{said}");
    }
    for count in 6..=11 {
        let said = twilio.text(&world, "main", &format!("SM{count}"), JOHN, &code).await;
        assert_eq!(
            said.starts_with("Too many wrong codes"),
            count <= 10,
            "not even the right one, and it is said: {said}"
        );
    }
    assert_eq!(status(&world, number).await, "triggered");
    world.pass_seconds(3_600).await;
    let said = twilio.text(&world, "main", "SM17", JOHN, &code).await;
    assert!(said.starts_with("You have"), "{said}");
}

#[tokio::test]
async fn a_machine_that_answers_for_a_driver_costs_no_try_and_gets_five_answers_at_most() {
    let (mut world, twilio) = world(&[&format!("sms:{JOHN}")], "en").await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let code = code(twilio.newest().field("Body"));
    let driving = "I'm driving with Do Not Disturb turned on. I'll get back to you.";
    for count in 1..=9 {
        let said = twilio.text(&world, "main", &format!("SM{count}"), JOHN, driving).await;
        assert_eq!(said.is_empty(), count > 5, "{count}: {said}");
    }
    let said = twilio.text(&world, "main", "SM10", JOHN, &code).await;
    assert!(said.starts_with("You have"), "{said}");
    assert_eq!(status(&world, number).await, "acknowledged");
}

/// What is still collected nobody has read: it is not what a bare word answers.
#[tokio::test]
async fn a_bare_yes_answers_nothing_that_was_never_sent() {
    let (mut world, twilio) = world(&[&format!("sms:{JOHN}")], "en").await;
    let first = world.notify("disk full").await;
    world.settle().await;
    world.post(&format!("/api/v1/alerts/{first}/resolve"), json!({})).await;
    world.settle().await;
    let second = world.notify("fire in the server room").await;
    world.settle().await;
    for (place, word) in ["yes", "ack", "not me"].into_iter().enumerate() {
        let said = twilio.text(&world, "main", &format!("SM{place}"), JOHN, word).await;
        assert_eq!(said, "Nothing waits for your answer.", "{word}");
    }
    assert_eq!(status(&world, second).await, "triggered");
    world.pass_seconds(61).await;
    assert!(twilio.newest().field("Body").contains("fire"), "it comes all the same");
    twilio.text(&world, "main", "SM9", JOHN, "yes").await;
    assert_eq!(status(&world, second).await, "acknowledged");
}

#[tokio::test]
async fn what_needs_no_code_counts_also_after_too_many_wrong_ones_and_yes_is_an_answer() {
    for word in ["ack", "yes", "ack all", "not me"] {
        let (mut world, twilio) = world(&[&format!("sms:{JOHN}")], "en").await;
        let number = world.notify("disk full").await;
        world.settle().await;
        let code = code(twilio.newest().field("Body"));
        for count in 1..=6 {
            let wrong = if code == "1000" { "1001" } else { "1000" };
            twilio.text(&world, "main", &format!("SM{count}"), JOHN, wrong).await;
        }
        twilio.text(&world, "main", "SM7", JOHN, word).await;
        let story = world.story(number).await.join("\n");
        let wanted =
            if word == "not me" { "Can't take it: John, by SMS" } else { "Acknowledged: John, by SMS" };
        assert!(story.contains(wanted), "{word}: {story}");
    }
}

#[tokio::test]
async fn after_stop_no_message_goes_out_calls_do_and_start_takes_it_back() {
    let contacts = [&*format!("sms:{JOHN}"), &*format!("phone:{JOHN}"), "email:john@example.org"];
    let (mut world, twilio) = world(&contacts, "en").await;
    assert_eq!(twilio.text(&world, "main", "SM1", JOHN, "STOP").await, "");
    world.settle().await;
    assert_eq!(world.carrier.sent_to("warning"), ["email:john@example.org"], "he is told by another way");
    let number = world.notify("disk full").await;
    world.settle().await;
    assert!(twilio.newest().sid.starts_with("CA") && twilio.taken().len() == 1);
    let story = world.story(number).await.join("\n");
    assert!(story.contains("this number said STOP"), "{story}");
    let contacts = world.get("/api/v1/contacts").await;
    assert_eq!(contacts["stopped"][0]["contact"], format!("sms:{JOHN}"));
    let said = twilio.text(&world, "main", "SM2", JOHN, "Start").await;
    assert_eq!(said, "You get messages again. STOP ends them.");
    // What would have gone there is collected for a minute; that is over.
    world.pass_seconds(61).await;
    world.notify("fan broken").await;
    world.settle().await;
    assert!(twilio.newest().sid.starts_with("SM"));
}

#[tokio::test]
async fn what_is_not_signed_for_this_address_and_account_changes_nothing() {
    let (mut world, twilio) = world(&[&format!("phone:{JOHN}")], "en").await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let call = twilio.newest();
    let twiml = twilio.follow(call.field("Twiml"));
    let url = twiml["inner"][0]["attributes"]["action"].as_str().unwrap().to_owned();
    let good = [("AccountSid", ACCOUNT), ("CallSid", &*call.sid), ("To", JOHN), ("Digits", "4")];
    let signature = twilio.sign(&url, &good);
    for (url, digits, signature) in [
        (url.clone(), "4", String::new()),
        (url.clone(), "4", "AAAA".to_owned()),
        (url.clone(), "6", signature.clone()),
        (format!("{url}&x=1"), "4", signature.clone()),
        (url.replace("/main/", "/other/"), "4", signature.clone()),
    ] {
        let fields = [("AccountSid", ACCOUNT), ("CallSid", &*call.sid), ("To", JOHN), ("Digits", digits)];
        assert_eq!(send(&world, &url, &fields, &signature).await.status, 403, "{url} {digits}");
    }
    let foreign = [
        ("AccountSid", "AC00000000000000000000000000000000"),
        ("CallSid", &*call.sid),
        ("To", JOHN),
        ("Digits", "4"),
    ];
    let signed = twilio.sign(&url, &foreign);
    assert_eq!(send(&world, &url, &foreign, &signed).await.status, 403, "another account");
    assert_ne!(world.client.get(&url).send().await.unwrap().status(), 200, "looking is no answer");
    assert_eq!(status(&world, number).await, "triggered");
    assert_eq!(send(&world, &url, &good, &signature).await.status, 200);
    assert_eq!(status(&world, number).await, "acknowledged");
    world.post(&format!("/api/v1/alerts/{number}/unacknowledge"), json!({})).await;
    let again = send(&world, &url, &good, &signature).await;
    assert_eq!(again.status, 200);
    assert_eq!(status(&world, number).await, "triggered", "a replay does nothing");
}
