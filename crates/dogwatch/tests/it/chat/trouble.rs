//! What a person experiences when the service that carries a message fails, in each way in which one can fail.
//!
//! The same for every channel that speaks HTTP; an answer that comes after the deadline for mail by a mail server, too.

use dogwatch::channel::email::Email;
use dogwatch::channel::ntfy::{Ntfy, Server};
use dogwatch::channel::teams::Teams;
use dogwatch::channel::webhook::Webhook;
use dogwatch::channel::{mailgun, pushover, slack, telegram};
use dogwatch::clock::Clock;
use dogwatch::outbound::Outbound;
use dogwatch::secret::Secret;
use dogwatch::store::Browser;
use escalation::contact::Kind;
use escalation::directory::Service;
use escalation::name::Name;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{delivery, john, page, world};
use crate::support::fake::{Fake, Reply, Request, raw};
use crate::support::mail_server::{MailServer, Says};
use crate::support::{World, set_up_tls};

/// The channels that are tried: the word of the kind, and how its stand-in is started.
pub(super) const CHANNELS: [&str; 8] =
    ["email", "ntfy", "telegram", "slack", "mattermost", "teams", "pushover", "push"];

pub(super) async fn start(word: &str, deadline: SignedDuration) -> (Fake, World) {
    set_up_tls();
    let outbound = Outbound::unguarded(deadline).unwrap();
    match word {
        "ntfy" => {
            let fake = super::ntfy::fake().await;
            let token = Some(Secret::given("tk_canary".to_owned()));
            let channel = Ntfy::new(outbound, Server { address: fake.url.clone(), token });
            let world = world(Kind::Ntfy, channel, "ntfy:ops-night").await;
            (fake, world)
        }
        "telegram" => {
            let fake = super::telegram::fake().await;
            let client = super::telegram::client(&fake.0, outbound);
            let world = world(Kind::Telegram, telegram::Telegram::new(client), "telegram:4711").await;
            (fake.0, world)
        }
        "slack" => {
            let fake = super::slack::fake().await;
            let channel = slack::Slack::new(outbound, super::slack::app(&fake));
            let world = world(Kind::Slack, channel, "slack:U02JOHN").await;
            (fake, world)
        }
        "mattermost" => {
            let fake = super::mattermost::fake().await;
            let channel = super::mattermost::channel(&fake, outbound);
            let world = world(Kind::Mattermost, channel, "mattermost:@john.smith").await;
            (fake, world)
        }
        "teams" => {
            let (fake, contact) = super::teams::fake().await;
            let world = world(Kind::Teams, Teams::through(outbound), &contact).await;
            (fake, world)
        }
        "pushover" => {
            let fake = super::pushover::fake().await.0;
            let channel = pushover::Pushover::new(super::pushover::client(&fake, outbound));
            let world = world(Kind::Pushover, channel, &format!("pushover:{}", super::pushover::JOHN)).await;
            (fake, world)
        }
        "email" => {
            let fake = super::mailgun::fake().await;
            let channel = mailgun::Mailgun::new(super::mailgun::client(&fake, outbound));
            let world = world(Kind::Email, channel, "email:john@example.org").await;
            (fake, world)
        }
        "push" => super::push::start(outbound).await,
        "webhook" => {
            let fake = Fake::start(hook).await;
            let channel = Webhook::through(outbound, b"0123456789abcdef0123456789abcdef".to_vec());
            let world =
                World::with(Service::default(), |channels, _| channels.with(Kind::Webhook, channel)).await;
            john(&world, &format!("webhook:{}/hook", fake.url)).await;
            (fake, world)
        }
        other => panic!("{other}"),
    }
}

/// What a receiver of webhooks takes.
fn hook(request: &Request) -> Result<Reply, String> {
    if request.line != "POST /hook" || !request.header("webhook-signature").starts_with("v1,") {
        return Err("a document that is signed is posted to /hook".to_owned());
    }
    Ok(raw("204 No Content", "", ""))
}

/// Pages John while his provider fails once, and returns the delivery. His handset has rung at once.
async fn while_it(word: &str, reply: Reply, deadline: SignedDuration) -> (Fake, World, Value) {
    let (fake, mut world) = start(word, deadline).await;
    fake.once(reply);
    let alert = page(&mut world, json!({ "summary": "disk full", "severity": "critical" })).await;
    let failed = delivery(&alert, word).clone();
    assert_eq!(delivery(&alert, "handset")["state"], "sent", "{word}: the next contact at once: {alert}");
    (fake, world, failed)
}

const LONG: SignedDuration = SignedDuration::from_secs(10);

async fn is_given_up(reply: Reply, words: &str) {
    for word in CHANNELS {
        let (fake, mut world, failed) = while_it(word, reply.clone(), LONG).await;
        assert_eq!(
            (&failed["state"], &failed["attempts"][0]["outcome"]),
            (&json!("failed"), &json!("refused"))
        );
        let said = failed["attempts"][0]["detail"].as_str().unwrap();
        assert!(said.contains(words), "{word}: {said}");
        assert!(!said.contains("canary"), "{word}: {said}");
        let before = fake.seen().len();
        world.pass_seconds(30).await;
        assert_eq!(fake.seen().len(), before, "{word}: not tried again");
    }
}

async fn is_tried_again(reply: Reply, outcome: &str, words: &str, deadline: SignedDuration) {
    for word in CHANNELS {
        is_tried_again_by(word, reply.clone(), outcome, words, deadline).await;
    }
}

async fn is_tried_again_by(word: &str, reply: Reply, outcome: &str, words: &str, deadline: SignedDuration) {
    let (fake, mut world, failed) = while_it(word, reply.clone(), deadline).await;
    assert_eq!(
        (&failed["state"], &failed["attempts"][0]["outcome"]),
        (&json!("ready"), &json!(outcome)),
        "{word}"
    );
    let said = failed["attempts"][0]["detail"].as_str().unwrap();
    assert!(said.contains(words), "{word}: {said}");
    assert!(!said.contains("canary"), "{word}: {said}");
    let before = fake.seen().len();
    world.pass_seconds(59).await;
    assert!(fake.seen().len() > before, "{word}: tried again");
    let alert = world.get("/api/v1/alerts/1").await;
    assert_eq!(delivery(&alert, word)["state"], "sent", "{word}");
}

#[tokio::test]
async fn when_a_message_is_refused_the_handset_rings_at_once_and_the_record_says_why() {
    is_given_up(raw("400 Bad Request", "", r#"{"error": "topic is gone"}"#), "topic is gone").await;
}

#[tokio::test]
async fn when_our_credentials_are_refused_the_handset_rings_at_once_and_nothing_is_tried_blindly() {
    is_given_up(raw("401 Unauthorized", "", "{}"), "credentials").await;
    is_given_up(raw("403 Forbidden", "", "{}"), "credentials").await;
}

#[tokio::test]
async fn when_there_is_no_money_left_the_handset_rings_at_once() {
    is_given_up(raw("402 Payment Required", "", "{}"), "402").await;
}

#[tokio::test]
async fn when_our_account_is_in_trouble_the_operators_are_told_by_another_way_within_a_minute_and_once() {
    // The address of a workflow of Teams, or of a browser, is its owner's, and nothing of an account of ours.
    for word in CHANNELS.into_iter().filter(|word| !matches!(*word, "teams" | "push")) {
        for status in ["401 Unauthorized", "402 Payment Required", "403 Forbidden"] {
            // To Telegram's bot that is somebody who has blocked it.
            if word == "telegram" && status.starts_with("403") {
                continue;
            }
            let (fake, mut world) = start(word, LONG).await;
            for number in 0..2 {
                fake.once(raw(status, "", "{}"));
                let alert = page(&mut world, json!({ "summary": format!("disk {number}") })).await;
                world.post(&format!("/api/v1/alerts/{}/resolve", alert["number"]), json!({})).await;
                world.pass_seconds(60).await;
            }
            let told = world.carrier.seen();
            assert_eq!(told.len(), 1, "{word} {status}: {told:?}");
            let said = &told[0].headline;
            assert!(said.contains(word) && said.contains(&status[..3]), "{said}");
            assert!(!said.contains("canary"), "{said}");
            let reached = world.get("/api/v1/people/john/contacts").await;
            assert_eq!(reached["items"][0]["failures"], 0, "{word}: it is not John's fault");
        }
    }
}

#[tokio::test]
async fn what_a_service_says_of_one_contact_is_told_to_its_owner_and_what_it_says_of_us_to_the_operators() {
    let blocked =
        r#"{"ok": false, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}"#;
    let no_bot = r#"{"ok": false, "error_code": 404, "description": "Not Found"}"#;
    let no_user = r#"{"user": "invalid", "errors": ["user identifier is invalid"], "status": 0}"#;
    let no_token = r#"{"token": "invalid", "errors": ["application token is invalid"], "status": 0}"#;
    let used_up = r#"{"errors": ["application has exceeded its message limit"], "status": 0}"#;
    for (word, status, body, is_johns) in [
        ("telegram", "403 Forbidden", blocked, true),
        ("telegram", "404 Not Found", no_bot, false),
        ("pushover", "400 Bad Request", no_user, true),
        ("pushover", "400 Bad Request", no_token, false),
        ("pushover", "429 Too Many", used_up, false),
    ] {
        let (fake, mut world) = start(word, LONG).await;
        fake.once(raw(status, "", body));
        page(&mut world, json!({ "summary": "disk full" })).await;
        world.pass_seconds(60).await;
        let reached = world.get("/api/v1/people/john/contacts").await;
        assert_eq!(reached["items"][0]["failures"], u8::from(is_johns), "{word} {body}");
        assert_eq!(world.carrier.seen().len(), usize::from(!is_johns), "{word} {body}");
    }
}

#[tokio::test]
async fn when_it_is_taken_and_never_seen_the_handset_rings_when_the_plan_says() {
    for word in CHANNELS {
        let (fake, mut world) = start(word, LONG).await;
        let john = world.get("/api/v1/people/john").await;
        let steps = json!([{ "contact": john["contacts"][0], "wait": "1m" }, { "contact": "handset:john" }]);
        let plans = json!({ "notification_plans": { "high": { "steps": steps } } });
        assert_eq!(world.request("PATCH", "/api/v1/people/john", Some(plans)).await.status, 200);
        let alert = page(&mut world, json!({ "summary": "disk full", "severity": "critical" })).await;
        assert_eq!(delivery(&alert, word)["state"], "sent", "{word}");
        let handset = |alert: &Value| alert["deliveries"].to_string().contains("handset:john");
        world.pass_seconds(59).await;
        assert!(!handset(&world.get("/api/v1/alerts/1").await), "{word}: not yet");
        world.pass_seconds(1).await;
        assert!(handset(&world.get("/api/v1/alerts/1").await), "{word}");
        drop(fake);
    }
}

/// How the line of a request begins that brings a message. Mattermost is asked before where a person is found.
fn brings(word: &str) -> &'static str {
    if word == "mattermost" { "POST /api/v4/posts" } else { "" }
}

/// Sends John a code: what a service is asked once only has been asked then, and what comes next is the message alone.
async fn acquaint(world: &mut World) {
    let contact = world.get("/api/v1/people/john/contacts").await["items"][0]["contact"].clone();
    world.post("/api/v1/people/john/contacts/verify", json!({ "contact": contact })).await;
    world.settle().await;
}

/// Pages John, and returns while the message is under way: whoever has it does not say so before the deadline. The clock
/// stands still until the test moves it.
async fn page_in_vain(world: &mut World) {
    world.carrier.hangs_since(world.clock.now());
    let disk = json!({ "summary": "disk full", "severity": "critical" });
    world.post("/api/v1/people/john/notify", disk).await;
    world.settle().await;
}

/// The same through a stand-in, which has taken the message then.
async fn take_in_vain(word: &str, fake: &Fake, world: &mut World) {
    let before = fake.seen_at(brings(word)).len();
    fake.once(Reply::TooLate);
    page_in_vain(world).await;
    fake.wait_for(brings(word), before + 1).await;
}

/// Where Bob is reached through the same service: where John is, but for browsers, of which each is one person's.
async fn contact_of_bob(word: &str, world: &World) -> String {
    if word != "push" {
        let known = world.get("/api/v1/people/john/contacts").await;
        return known["items"][0]["contact"].as_str().unwrap().to_owned();
    }
    let johns = world.store.browsers("john".to_owned()).await.unwrap().remove(0);
    let bobs = Browser { endpoint: johns.endpoint.replace("/one", "/two"), ..johns };
    world.store.add_browser(Name::new("bob").unwrap(), bobs).await.unwrap();
    "push:bob".to_owned()
}

/// While the message to John is under way nothing is known of it, and Bob, at this contact, gets his at once. After the
/// deadline John's handset rings, and it is told that nobody knows whether his message arrived.
async fn bob_is_not_kept_waiting_and_johns_handset_rings(word: &str, world: &mut World, bobs: &str) {
    let bob = json!({ "name": "bob", "full_name": "Bob", "contacts": [bobs, "handset:bob"] });
    world.post("/api/v1/people", bob).await;
    let of_bob = world.post("/api/v1/people/bob/notify", json!({ "summary": "net down" })).await;
    world.settle().await;
    let of_bob = world.get(&format!("/api/v1/alerts/{}", of_bob["number"])).await;
    assert_eq!(delivery(&of_bob, word)["state"], "sent", "{word}: {of_bob}");
    let of_john = world.get("/api/v1/alerts/1").await;
    assert_eq!(delivery(&of_john, word)["state"], "claimed", "{word}: still under way: {of_john}");
    assert!(!of_john["deliveries"].to_string().contains("handset:john"), "{word}: not yet: {of_john}");
    world.pass_seconds(10).await;
    let of_john = world.get("/api/v1/alerts/1").await;
    assert_eq!(delivery(&of_john, "handset")["state"], "sent", "{word}: {of_john}");
    let johns = delivery(&of_john, word);
    let first = &johns["attempts"][0];
    assert_eq!((&johns["state"], &first["outcome"]), (&json!("ready"), &json!("unknown")), "{word}: {johns}");
    assert!(first["detail"].as_str().unwrap().contains("no answer"), "{word}: {first}");
    let story = world.story(1).await.join("\n");
    assert!(story.contains("it is not known whether it arrived: no answer"), "{word}: {story}");
}

/// The second message was taken: no third follows it, and nobody is blamed.
async fn that_was_all(word: &str, world: &mut World) {
    let of_john = world.get("/api/v1/alerts/1").await;
    let again = delivery(&of_john, word);
    let outcomes: Vec<&str> = again["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["unknown", "accepted"], "{word}: {again}");
    assert_eq!(again["state"], "sent", "{word}");
    // John's, and Bob's.
    world.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    world.post("/api/v1/alerts/2/resolve", json!({})).await;
    world.pass_seconds(600).await;
    let of_john = world.get("/api/v1/alerts/1").await;
    assert_eq!(
        delivery(&of_john, word)["attempts"].as_array().unwrap().len(),
        2,
        "{word}: nothing after the answer"
    );
    let reached = world.get("/api/v1/people/john/contacts").await;
    assert_eq!(reached["items"][0]["failures"], 0, "{word}: it is not John's fault");
    assert_eq!(world.carrier.sent_to("warning"), Vec::<String>::new(), "{word}: nor the operators' matter");
}

#[tokio::test]
async fn when_a_provider_answers_after_the_deadline_the_handset_has_rung_and_the_message_comes_twice_and_no_more()
 {
    for word in CHANNELS.into_iter().chain(["webhook"]) {
        let (fake, mut world) = start(word, LONG).await;
        acquaint(&mut world).await;
        let before = fake.seen_at(brings(word)).len();
        take_in_vain(word, &fake, &mut world).await;
        let bobs = contact_of_bob(word, &world).await;
        bob_is_not_kept_waiting_and_johns_handset_rings(word, &mut world, &bobs).await;
        world.pass_seconds(19).await;
        assert_eq!(fake.seen_at(brings(word)).len(), before + 2, "{word}: the first may still be on its way");
        world.pass_seconds(1).await;
        assert_eq!(fake.seen_at(brings(word)).len(), before + 3, "{word}: once more");
        that_was_all(word, &mut world).await;
    }
}

/// John is reached by mail first, and the server takes his and does not say so before the deadline.
async fn mail_in_vain(then: Option<Says>) -> (MailServer, World) {
    let server = MailServer::start().await;
    let channel = Email::new(&server.entry()).unwrap();
    let mut world = world(Kind::Email, channel, "email:john@example.org").await;
    server.once(Says::TooLate);
    if let Some(says) = then {
        server.once(says);
    }
    page_in_vain(&mut world).await;
    server.wait_for(1).await;
    (server, world)
}

#[tokio::test]
async fn when_the_mail_server_answers_after_the_deadline_the_handset_has_rung_and_the_mail_comes_twice_and_no_more()
 {
    let (server, mut world) = mail_in_vain(None).await;
    bob_is_not_kept_waiting_and_johns_handset_rings("email", &mut world, "email:bob@example.org").await;
    server.answer();
    world.pass_seconds(19).await;
    assert_eq!(server.seen().len(), 2, "John's and Bob's: the first may still be on its way");
    world.pass_seconds(1).await;
    assert!(server.wait_for(3).await[2].contains("disk full"), "once more");
    that_was_all("email", &mut world).await;
}

/// A connection on which an answer is missing must not be used again: it comes in place of the next one, and what is said
/// at the end of the next mail is never heard.
#[tokio::test]
async fn what_a_mail_server_says_too_late_is_not_taken_for_what_it_says_of_the_next_mail() {
    let (server, mut world) = mail_in_vain(Some(Says::Words("451 4.3.0 come again"))).await;
    world.pass_seconds(10).await;
    server.answer();
    world.pass_seconds(20).await;
    let alert = world.get("/api/v1/alerts/1").await;
    let second = delivery(&alert, "email")["attempts"][1].clone();
    assert_eq!(second["outcome"], "refused", "{alert}");
    assert!(second["detail"].as_str().unwrap().contains("come again"), "{second}");
    world.pass_seconds(10).await;
    let alert = world.get("/api/v1/alerts/1").await;
    let third = delivery(&alert, "email")["attempts"][2].clone();
    assert_eq!((&third["outcome"], &third["detail"]), (&json!("accepted"), &json!("kept as 3")), "{alert}");
}

#[tokio::test]
async fn the_buttons_of_a_message_that_came_twice_both_answer() {
    let places = [
        ("ntfy", "/actions/0/url"),
        ("telegram", "/reply_markup/inline_keyboard/0/0/callback_data"),
        ("slack", "/blocks/2/elements/0/value"),
        ("mattermost", "/props/attachments/0/actions/0/integration/context/press"),
    ];
    for (word, place) in places {
        let (fake, mut world, _) = while_it(word, Reply::Hang, SignedDuration::from_millis(700)).await;
        world.pass_seconds(59).await;
        let sent = fake.seen();
        let buttons: Vec<String> = sent
            .iter()
            .filter_map(|request| Some(request.json().pointer(place)?.as_str()?.to_owned()))
            .collect();
        // Mattermost is asked for a person's channel before: there it is that question that hung.
        assert!(buttons.len() == 2 || word == "mattermost", "{word}: {sent:?}");
        assert!(
            !buttons.is_empty() && buttons.iter().all(|button| *button == buttons[0]),
            "{word}: {buttons:?}"
        );
    }
}

#[tokio::test]
async fn when_a_provider_sends_us_elsewhere_we_do_not_follow() {
    is_given_up(raw("302 Found", "location: http://127.0.0.1:1/\r\n", ""), "302").await;
}

#[tokio::test]
async fn when_a_provider_asks_us_to_wait_the_handset_rings_meanwhile() {
    is_tried_again(raw("429 Too Many Requests", "retry-after: 7\r\n", "{}"), "retry_after", "429", LONG)
        .await;
    is_tried_again(raw("429 Too Many Requests", "", "{}"), "refused", "429", LONG).await;
}

#[tokio::test]
async fn when_a_provider_is_broken_the_handset_rings_meanwhile() {
    is_tried_again(raw("500 Oops", "", "<html>Oops</html>"), "refused", "500", LONG).await;
    is_tried_again(raw("503 Busy", "retry-after: 5\r\n", ""), "retry_after", "503", LONG).await;
}

#[tokio::test]
async fn when_a_sign_in_page_answers_instead_it_does_not_count_as_delivered() {
    let page =
        raw("200 OK", "content-type: text/html\r\n", "<html>Please sign in to the guest network</html>");
    is_tried_again(page, "refused", "sends", LONG).await;
}

#[tokio::test]
async fn when_nobody_knows_whether_it_arrived_the_handset_rings_and_it_is_sent_once_more() {
    // A workflow of Teams and a push service have nothing to say when all is well.
    for word in CHANNELS.into_iter().filter(|word| !matches!(*word, "teams" | "push")) {
        is_tried_again_by(word, raw("200 OK", "", ""), "unknown", "nothing else", LONG).await;
    }
    is_tried_again(Reply::Drop, "unknown", "no answer", LONG).await;
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\":".to_vec();
    is_tried_again(Reply::Raw(cut), "unknown", "broke off", LONG).await;
}

#[tokio::test]
async fn when_a_provider_hangs_the_handset_rings_after_the_deadline() {
    // The client's own deadline is shorter than in service, so that nobody waits for it here.
    is_tried_again(Reply::Hang, "unknown", "no answer", SignedDuration::from_millis(700)).await;
    let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"id\":".to_vec();
    is_tried_again(Reply::HangAfter(begun), "unknown", "broke off", SignedDuration::from_millis(700)).await;
}

#[tokio::test]
async fn when_nobody_is_there_the_handset_rings_at_once() {
    for word in CHANNELS {
        let (fake, mut world) = start(word, LONG).await;
        drop(fake);
        let alert = page(&mut world, json!({ "summary": "disk full" })).await;
        assert_eq!(delivery(&alert, "handset")["state"], "sent", "{word}");
        assert_eq!(
            delivery(&alert, word)["attempts"][0]["outcome"],
            "refused",
            "{word}: certainly not delivered"
        );
    }
}
