//! Vonage's messages and calls, and described gateways, in each way of failing, and what the person experiences: the same as with Twilio.
//!
//! Also every text of the corpus through them: what was put in comes out as one value, in whatever place it stands.

use escalation::contact::Kind;
use escalation::delivery::Outcome;
use escalation::directory::Service;
use serde_json::json;

use super::gateway::{SECRET, providers};
use super::{JOHN, people};
use crate::chat::injection::{corpus, message};
use crate::support::World;
use crate::support::fake::{Fake, Reply, Request, raw};
use crate::support::vonage::{self, KEYS};
use crate::support::{answer, set_up_tls};
use crate::text::trees;

/// Short messages by Vonage and by a gateway, and calls by Vonage.
const MAKES: [&str; 3] = ["vonage", "http", "calls"];

/// How John is reached through it.
fn way(make: &str) -> String {
    format!("{}:{JOHN}", if make == "calls" { "phone" } else { "sms" })
}

/// A make whose stand-in takes everything, and that never says what became of it.
async fn start(make: &str) -> (World, Fake) {
    start_with(make, "").await
}

/// One that says so within 45 seconds.
async fn start_confirming(make: &str) -> (World, Fake) {
    start_with(make, &format!("callback_secret = \"{SECRET}\"\nreceipt_within = \"45s\"")).await
}

async fn start_with(make: &str, rest: &str) -> (World, Fake) {
    set_up_tls();
    let fake = Fake::start(|_| {
        Ok(Reply::Json(
            200,
            json!({ "message-count": "1", "messages": [{ "status": "0", "message-id": "0A" }] }),
        ))
    })
    .await;
    let url = &fake.url;
    let config = match make {
        "calls" => {
            let folder = tempfile::tempdir().unwrap();
            let key = folder.path().join("private.key");
            std::fs::write(&key, &KEYS.private).unwrap();
            let fake = vonage::start().await;
            let receipts = if rest.is_empty() { "receipt_within = \"off\"" } else { rest };
            let receipts = receipts.replace(&format!("callback_secret = \"{SECRET}\""), "");
            let config = vonage::table("it", &fake.url, key.to_str().unwrap(), &receipts);
            return (people_of(make, &config).await, fake);
        }
        "vonage" => format!(
            "[[provider]]\nname = \"it\"\nkind = \"vonage\"\naccount = \"abcd1234\"\ntoken = \"canary\"\n\
             from = \"+18005550100\"\nbase_url = \"{url}\"\n{rest}"
        ),
        // Only with a secret may it call us back.
        _ => format!(
            "[[provider]]\nname = \"it\"\nkind = \"http\"\nurl = \"{url}/send\"\nid = \"/messages/0/message-id\"\n\
             token = \"canary\"\nheaders = {{ Authorization = \"Bearer {{token}}\", Content-Type = \"application/json\" }}\nbody = '{{\"to\": \"{{to}}\", \"text\": \"{{text}}\", \"callback\": \"{}\"}}'\n{rest}",
            if rest.contains("callback_secret") { "{receipt_url}" } else { "" }
        ),
    };
    (people_of(make, &config).await, fake)
}

/// John, reached through it first and by mail second.
async fn people_of(make: &str, config: &str) -> World {
    let service =
        Service { operators: vec!["email:operator@example.org".parse().unwrap()], ..Service::default() };
    let world = World::with_providers(service, providers(config).unwrap()).await;
    people(&world, &[&way(make), "email:john@example.org"], "en").await;
    world
}

/// Pages John by SMS first, mail second, while the provider does this once. After how many seconds the mail came, if it
/// did within a minute, and after how many the provider was asked again.
async fn john_hears(make: &str, reply: Reply) -> (Option<i64>, Option<i64>) {
    let hangs = matches!(reply, Reply::Hang | Reply::HangAfter(_));
    let (mut world, fake) = start(make).await;
    fake.once(reply);
    if hangs {
        world.carrier.hangs_since("2026-03-02T03:00:00Z".parse().unwrap());
    }
    world.notify("disk full").await;
    let (mut mail, mut again) = (None, None);
    for second in 0..60 {
        world.settle().await;
        if !world.carrier.sent_to("page").is_empty() {
            mail = mail.or(Some(second));
        }
        if fake.seen().len() > 1 {
            again = again.or(Some(second));
        }
        world.pass_seconds(1).await;
    }
    let shown = world.get("/api/v1/alerts/1").await.to_string();
    assert!(!shown.contains("canary"), "{shown}");
    (mail, again)
}

#[tokio::test]
async fn a_make_that_is_well_sends_the_message_and_no_mail() {
    for make in MAKES {
        let (mut world, fake) = start(make).await;
        world.notify("disk full").await;
        world.pass_seconds(60).await;
        assert_eq!((fake.seen().len(), world.carrier.sent_to("page").len()), (1, 0), "{make}");
    }
}

#[tokio::test]
async fn a_refusal_or_a_fault_brings_the_mail_at_once_and_the_message_soon() {
    for make in MAKES {
        for status in ["400 Bad", "500 Oops", "503 Busy"] {
            for body in ["", "<html>oops</html>", "{}"] {
                let (mail, again) = john_hears(make, raw(status, "", body)).await;
                assert_eq!(mail, Some(0), "{make} {status}");
                assert!(again.is_some_and(|at| at <= 4), "{make} {status}: {again:?}");
            }
        }
    }
}

#[tokio::test]
async fn too_many_requests_brings_the_mail_at_once_and_the_message_when_the_provider_said() {
    for make in MAKES {
        let (mail, again) = john_hears(make, raw("429 Slow", "retry-after: 20\r\n", "{}")).await;
        assert_eq!(mail, Some(0), "{make}");
        assert!(again.is_some_and(|at| (20..=26).contains(&at)), "{make}: {again:?}");
    }
}

#[tokio::test]
async fn bad_credentials_or_no_money_bring_the_mail_at_once_and_the_operators_are_told() {
    for make in MAKES {
        for status in ["401 No", "402 Pay", "403 No"] {
            let (mut world, fake) = start(make).await;
            fake.once(raw(status, "", "{}"));
            world.notify("disk full").await;
            world.settle().await;
            assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"], "{make} {status}");
            world.pass_seconds(60).await;
            assert_eq!(world.carrier.sent_to("warning"), ["email:operator@example.org"], "{make} {status}");
        }
    }
}

#[tokio::test]
async fn a_page_or_nothing_in_place_of_an_answer_brings_the_mail_at_once_and_the_message_once_more() {
    for make in MAKES {
        for body in ["<html>Welcome to the hotel</html>", "", "{}", "[]", "{\"messages\": []}"] {
            let (mail, again) = john_hears(make, raw("200 OK", "", body)).await;
            assert_eq!((mail, again), (Some(0), Some(30)), "{make} {body}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_dropped_or_cut_brings_the_mail_at_once_and_the_message_once_more() {
    for make in MAKES {
        assert_eq!(john_hears(make, Reply::Drop).await, (Some(0), Some(30)), "{make}");
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\":".to_vec();
        assert_eq!(john_hears(make, Reply::Raw(cut)).await, (Some(0), Some(30)), "{make}");
    }
}

#[tokio::test]
async fn one_that_hangs_before_or_within_its_answer_brings_the_mail_after_ten_seconds_and_the_message_after_thirty()
 {
    for make in MAKES {
        assert_eq!(john_hears(make, Reply::Hang).await, (Some(10), Some(30)), "{make}");
        let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\":".to_vec();
        assert_eq!(john_hears(make, Reply::HangAfter(begun)).await, (Some(10), Some(30)), "{make}");
    }
}

/// Says what became of the message, or the call, in this request, at the address that stands in it.
async fn say(world: &World, request: &Request, status: &str) {
    if let Some(event_url) = request.json()["event_url"][0].as_str() {
        let status = match status {
            "sent" => "ringing",
            "delivered" => "answered",
            "expired" => "rejected",
            other => other,
        };
        let said = answer(world.client.post(event_url).json(&json!({ "status": status }))).await;
        assert_eq!(said.status, 204, "{}", said.text);
        return;
    }
    let form = request.form().into_iter().find(|(name, _)| name == "callback").map(|(_, value)| value);
    let callback = form.unwrap_or_else(|| request.json()["callback"].as_str().unwrap().to_owned());
    let said = answer(world.client.post(callback).json(&json!({ "status": status }))).await;
    assert_eq!(said.status, 204, "{}", said.text);
}

#[tokio::test]
async fn what_is_taken_and_never_delivered_brings_the_mail_when_nobody_has_confirmed_it_in_time() {
    for make in MAKES {
        let (mut world, fake) = start_confirming(make).await;
        world.notify("disk full").await;
        world.pass_seconds(44).await;
        assert_eq!((fake.seen().len(), world.carrier.sent_to("page").len()), (1, 0), "{make}: yet");
        world.pass_seconds(1).await;
        assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"], "{make}");
    }
}

#[tokio::test]
async fn what_is_said_to_have_failed_brings_the_mail_at_once_in_whatever_order_that_comes() {
    for make in MAKES {
        for words in [["sent", "failed"], ["failed", "sent"], ["expired", "expired"]] {
            let (mut world, fake) = start_confirming(make).await;
            world.notify("disk full").await;
            world.settle().await;
            for word in words {
                say(&world, &fake.seen()[0], word).await;
            }
            world.settle().await;
            assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"], "{make} {words:?}");
        }
    }
}

#[tokio::test]
async fn a_message_that_arrived_although_the_provider_answered_too_late_does_not_come_again() {
    for make in MAKES {
        let (mut world, fake) = start_confirming(make).await;
        fake.once(Reply::Hang);
        world.carrier.hangs_since("2026-03-02T03:00:00Z".parse().unwrap());
        let number = world.notify("disk full").await;
        world.settle().await;
        fake.wait_for("POST", 1).await;
        world.pass_seconds(10).await;
        assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"], "{make}: nobody knew");
        say(&world, &fake.seen()[0], "delivered").await;
        world.pass_seconds(60).await;
        assert_eq!(fake.seen().len(), 1, "{make}");
        let story = world.story(number).await.join("\n");
        // Of a call nobody knows who has taken it up.
        let has_arrived = story.contains("It has arrived: John by SMS");
        assert_eq!(has_arrived, make != "calls", "{make}: {story}");
    }
}

/// Every text through a provider of this configuration. What it was asked.
async fn every_text(config: impl Fn(&str) -> String) -> Vec<Request> {
    set_up_tls();
    let taken = json!({ "messages": [{ "status": "0", "message-id": "0A" }] });
    let fake = Fake::start(move |_| Ok(Reply::Json(200, taken.clone()))).await;
    let world = World::with_providers(Service::default(), providers(&config(&fake.url)).unwrap()).await;
    let channel = world.channel(Kind::Sms);
    for words in corpus() {
        let mut message = message(&format!("sms:{JOHN}"), &words);
        message.code = Some("4711".to_owned());
        let outcome = channel.send(&message).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{words:?}: {outcome}");
    }
    let seen = fake.seen();
    assert!(seen.len() >= 500);
    seen
}

fn gateway(rest: &str) -> impl Fn(&str) -> String {
    let rest = rest.to_owned();
    move |url| {
        format!(
            "[[provider]]\nname = \"it\"\nkind = \"http\"\nper_second = 100000\n{}",
            rest.replace("URL", url)
        )
    }
}

#[tokio::test]
async fn to_vonage_every_text_is_one_field() {
    let seen = every_text(|url| {
        format!(
            "[[provider]]\nname = \"it\"\nkind = \"vonage\"\naccount = \"abcd1234\"\ntoken = \"s\"\nper_second = 100000\n\
             from = \"+18005550100\"\nbase_url = \"{url}\""
        )
    })
    .await;
    for request in seen {
        let names: Vec<String> = request.form().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["api_key", "api_secret", "to", "from", "text", "type", "client-ref"]);
    }
}

#[tokio::test]
async fn in_an_address_every_text_is_one_parameter() {
    for request in every_text(gateway("method = \"GET\"\nurl = \"URL/send?to={to}&text={text}&end=1\"")).await
    {
        let url = url::Url::parse(&format!("http://x{}", request.line.split(' ').nth(1).unwrap())).unwrap();
        let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
        assert_eq!(
            (url.path(), names),
            ("/send", vec!["to".to_owned(), "text".to_owned(), "end".to_owned()])
        );
        assert_eq!(url.fragment(), None);
    }
}

#[tokio::test]
async fn in_a_json_body_every_text_is_one_value() {
    let config = "url = \"URL/send\"\nheaders = { Content-Type = \"application/json\" }\n\
                  body = '{\"to\": \"{to}\", \"text\": \"{text}\"}'";
    for request in every_text(gateway(config)).await {
        let body = request.json();
        assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
        assert_eq!(body["to"], JOHN);
    }
}

#[tokio::test]
async fn in_xml_every_text_is_text_of_one_element() {
    let config = "url = \"URL/send\"\nheaders = { Content-Type = \"text/xml\" }\n\
                  body = '<message to=\"{to}\"><text>{text}</text></message>'";
    let bodies: Vec<String> = every_text(gateway(config))
        .await
        .into_iter()
        .map(|request| String::from_utf8(request.body).unwrap())
        .collect();
    let trees = trees(&bodies);
    assert!(trees.iter().all(|tree| *tree == trees[0]), "{trees:?}");
}

#[tokio::test]
async fn a_pause_may_be_asked_for_as_a_time() {
    let asked = "date: Mon, 02 Mar 2026 03:00:00 GMT\r\nretry-after: Mon, 02 Mar 2026 03:00:20 GMT\r\n";
    for make in MAKES {
        let (mail, again) = john_hears(make, raw("429 Slow", asked, "{}")).await;
        assert_eq!(mail, Some(0), "{make}");
        assert!(again.is_some_and(|at| (20..=26).contains(&at)), "{make}: {again:?}");
    }
}

#[tokio::test]
async fn in_a_form_every_text_is_one_field_and_in_a_header_one_line() {
    let config = "url = \"URL/send\"\nheaders = { Content-Type = \"application/x-www-form-urlencoded\", X-Text = \"{text}\" }\n\
                  body = 'to={to}&text={text}'";
    let seen = every_text(gateway(config)).await;
    for request in &seen {
        let names: Vec<String> = request.form().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["to", "text"]);
        assert_eq!(request.count_of_headers(), seen[0].count_of_headers());
    }
}
