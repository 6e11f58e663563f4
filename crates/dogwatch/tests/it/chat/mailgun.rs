//! Mail by Mailgun: sent by its API, told of by signed requests, answered by mail.

use std::sync::Arc;

use dogwatch::callback::{self, Callbacks};
use dogwatch::channel::mailgun::{Client, Domain, Mailgun};
use dogwatch::clock::Clock;
use dogwatch::outbound::Outbound;
use dogwatch::secret::Secret;
use escalation::contact::Kind;
use escalation::directory::Service;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

use super::{NASTY, delivery, john, outbound, page};
use crate::support::World;
use crate::support::fake::{Fake, Reply, Request};

const SIGNING_KEY: &str = "key-signing";

fn field<'a>(form: &'a [(String, String)], name: &str) -> Result<&'a str, String> {
    let mut found = form.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
    match (found.next(), found.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(format!("{name} is not there once")),
    }
}

/// The parameters of `POST /v3/{domain}/messages`, after Mailgun's documents.
fn rules(request: &Request) -> Result<Reply, String> {
    if request.line != "POST /v3/mg.example.org/messages" {
        return Err("no such address".to_owned());
    }
    // api:key-canary
    if request.header("authorization") != "Basic YXBpOmtleS1jYW5hcnk=" {
        return Err("Forbidden".to_owned());
    }
    let form = request.form();
    let known = ["from", "to", "subject", "text", "html"];
    let fits =
        |key: &str| known.contains(&key) || ["h:", "v:", "o:"].iter().any(|start| key.starts_with(start));
    if let Some((key, _)) = form.iter().find(|(key, _)| !fits(key)) {
        return Err(format!("{key} is not a parameter"));
    }
    for name in ["from", "to", "subject", "h:Auto-Submitted"] {
        if field(&form, name)?.contains(char::is_control) {
            return Err(format!("{name} has lines"));
        }
    }
    // Links that answer a page are not to be rewritten, and opened by others first.
    if field(&form, "o:tracking")? != "no" || field(&form, "text")?.is_empty() {
        return Err("tracked, or empty".to_owned());
    }
    Ok(Reply::Json(
        200,
        json!({ "id": "<20260302030000.1@mg.example.org>", "message": "Queued. Thank you." }),
    ))
}

pub(super) async fn fake() -> Fake {
    Fake::start(rules).await
}

pub(super) fn client(fake: &Fake, outbound: Outbound) -> Client {
    let domain = Domain {
        api: fake.url.clone(),
        domain: "mg.example.org".to_owned(),
        key: Secret::given("key-canary".to_owned()),
        signing_key: Some(Secret::given(SIGNING_KEY.to_owned())),
        from: "Dogwatch <dogwatch@mg.example.org>".parse().unwrap(),
        replies: true,
    };
    Client::new(outbound, domain)
}

struct Post {
    fake: Fake,
    world: World,
    tokens: u32,
}

/// As Mailgun's documents say: hexadecimal HMAC-SHA256 over the time and the token.
fn sign(key: &str, at: &str, token: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{at}{token}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Post {
    async fn new() -> Self {
        let fake = fake().await;
        let mailgun =
            callback::mailgun::Mailgun::new(client(&fake, outbound()), Secret::given(SIGNING_KEY.to_owned()));
        let callbacks = Callbacks { mailgun: Some(mailgun), ..Callbacks::default() };
        let channel = Mailgun::new(client(&fake, outbound()));
        let set = |channels: dogwatch::channel::Channels, _: &_| channels.with(Kind::Email, channel);
        let world = World::with_callbacks(Service::default(), Arc::new(callbacks), set).await;
        john(&world, "email:john@example.org").await;
        Self { fake, world, tokens: 0 }
    }

    fn mail(&self, place: usize) -> Vec<(String, String)> {
        self.fake.seen()[place].form()
    }

    fn signature(&mut self) -> (String, String, String) {
        self.tokens += 1;
        let (at, token) = (self.world.clock.now().as_second().to_string(), format!("{:050}", self.tokens));
        let signature = sign(SIGNING_KEY, &at, &token);
        (at, token, signature)
    }

    async fn post(&self, path: &str, body: String) -> u16 {
        self.world
            .client
            .post(format!("{}{path}", self.world.url))
            .body(body)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    }

    /// What Mailgun tells of the mail at this place.
    fn event(&mut self, place: usize, event: &str, severity: &str) -> Value {
        let form = self.mail(place);
        let (timestamp, token, signature) = self.signature();
        json!({
            "signature": { "timestamp": timestamp, "token": token, "signature": signature },
            "event-data": {
                "event": event, "severity": severity, "reason": "bounce", "recipient": "john@example.org", "id": "x",
                "message": { "headers": { "message-id": "20260302030000.1@mg.example.org" } },
                "user-variables": {
                    "delivery": field(&form, "v:delivery").unwrap(), "attempt": field(&form, "v:attempt").unwrap(),
                },
                "delivery-status": { "code": 550, "message": "5.1.1 no such user" },
            },
        })
    }

    /// John replies to the mail at this place.
    fn reply(&mut self, place: usize, text: &str) -> String {
        let form = self.mail(place);
        // As some mail server on the way may have it.
        let to = field(&form, "h:Reply-To").unwrap().to_uppercase().replace("REPLY+", "reply+");
        let (timestamp, token, signature) = self.signature();
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("recipient", to.as_str()),
                ("sender", "john@example.org"),
                ("subject", "Re: CRITICAL"),
                ("body-plain", "quoted"),
                ("stripped-text", text),
                ("timestamp", &timestamp),
                ("token", &token),
                ("signature", &signature),
            ])
            .finish()
    }

    async fn status(&self) -> Value {
        self.world.get("/api/v1/alerts/1").await["status"].clone()
    }
}

#[tokio::test]
async fn a_mail_says_what_it_says_over_smtp() {
    let mut post = Post::new().await;
    let alert = page(&mut post.world, json!({ "summary": "disk full", "severity": "critical" })).await;
    let sent = delivery(&alert, "email");
    assert_eq!(sent["attempts"][0]["detail"], "<20260302030000.1@mg.example.org>");
    let form = post.mail(0);
    assert_eq!(field(&form, "to").unwrap(), "john@example.org");
    assert_eq!(field(&form, "subject").unwrap(), "CRITICAL john: disk full");
    assert_eq!(
        field(&form, "h:Message-Id").unwrap(),
        format!("<{}@mg.example.org>", sent["id"].as_str().unwrap())
    );
    let reply = field(&form, "h:Reply-To").unwrap();
    assert!(reply.split('@').next().unwrap().len() <= 64, "{reply}");
    for part in ["text", "html"] {
        assert!(field(&form, part).unwrap().contains(&format!("{}/answer/", post.world.url)), "{part}");
    }
}

#[tokio::test]
async fn a_mail_that_bounces_later_brings_the_next_contact_at_once() {
    let mut post = Post::new().await;
    // The handset rings only when the mail has failed, or five minutes have passed.
    let alert = page(&mut post.world, json!({ "summary": "disk full" })).await;
    assert!(alert["deliveries"].as_array().unwrap().len() == 1, "{alert}");
    let soft = post.event(0, "failed", "temporary");
    assert_eq!(post.post("/callbacks/mailgun", soft.to_string()).await, 200);
    let delivered = post.event(0, "delivered", "");
    assert_eq!(post.post("/callbacks/mailgun", delivered.to_string()).await, 200);
    post.world.settle().await;
    assert_eq!(post.world.get("/api/v1/alerts/1").await["deliveries"].as_array().unwrap().len(), 1);

    let hard = post.event(0, "failed", "permanent");
    assert_eq!(post.post("/callbacks/mailgun", hard.to_string()).await, 200);
    post.world.settle().await;
    let alert = post.world.get("/api/v1/alerts/1").await;
    assert_eq!(delivery(&alert, "handset")["state"], "sent");
    let bounced = "It did not arrive: John Smith by mail: 5.1.1 no such user";
    let story = post.world.story(1).await;
    assert_eq!(story.iter().filter(|line| line.ends_with(bounced)).count(), 1, "{story:?}");
    // Told again, in the same request and in another: once is enough.
    let again = post.event(0, "failed", "permanent");
    for told in [hard, again] {
        assert_eq!(post.post("/callbacks/mailgun", told.to_string()).await, 200);
    }
    assert_eq!(post.world.story(1).await.iter().filter(|line| line.ends_with(bounced)).count(), 1);
}

/// What the mail server took was no sign of life: whether it came in is told later.
#[tokio::test]
async fn a_mailbox_from_which_three_mails_in_a_row_came_back_is_left_alone_until_it_is_verified_again() {
    let mut post = Post::new().await;
    let known = async |world: &World| world.get("/api/v1/people/john/contacts").await["items"][0].clone();
    // Two come back, one arrives: that begins anew.
    for (number, event) in
        ["failed", "failed", "delivered", "failed", "failed", "failed"].into_iter().enumerate()
    {
        page(&mut post.world, json!({ "summary": format!("problem {number}") })).await;
        assert_eq!(known(&post.world).await["dead_at"], Value::Null, "mail {number}");
        let told = post.event(post.fake.seen().len() - 1, event, "permanent");
        assert_eq!(post.post("/callbacks/mailgun", told.to_string()).await, 200);
        post.world.settle().await;
        post.world.post(&format!("/api/v1/alerts/{}/resolve", number + 1), json!({})).await;
        post.world.pass_seconds(900).await;
    }
    let mail = known(&post.world).await;
    assert_eq!((&mail["contact"], &mail["bounces"]), (&json!("email:john@example.org"), &json!(3)));
    assert!(mail["dead_at"].is_string(), "{mail}");
    let cookie = post.world.cookie(Some("john")).await;
    let handset = post.world.page(&cookie, "/handset/john").await.text;
    assert!(handset.contains("is not used any more") && handset.contains("no such user"), "{handset}");
    let sent = post.fake.seen().len();
    page(&mut post.world, json!({ "summary": "one more" })).await;
    assert_eq!(post.fake.seen().len(), sent, "nothing is sent there");
}

#[tokio::test]
async fn a_reply_acknowledges_and_is_answered() {
    let mut post = Post::new().await;
    page(&mut post.world, json!({ "summary": "disk full" })).await;
    let reply = post.reply(0, "\n  Ack.\n\nSent from my phone");
    assert_eq!(post.post("/callbacks/mailgun/reply", reply.clone()).await, 200);
    let alert = post.world.get("/api/v1/alerts/1").await;
    assert_eq!(
        (&alert["acknowledged"]["by"], &alert["acknowledged"]["via"]),
        (&json!("John Smith"), &json!("mail"))
    );
    let told = post.fake.wait_for("POST", 2).await.pop().unwrap().form();
    assert_eq!(field(&told, "to").unwrap(), "john@example.org");
    assert_eq!(field(&told, "subject").unwrap(), "You have #1. Nobody else is paged any more.");
    // The same request again, after the alert was given back, does nothing.
    post.world.post("/api/v1/alerts/1/unacknowledge", json!({})).await;
    assert_eq!(post.post("/callbacks/mailgun/reply", reply).await, 200);
    assert_eq!(post.status().await, "triggered");
}

/// The picture in somebody's signature is an attachment: then the form comes in parts.
#[tokio::test]
async fn a_reply_with_an_attachment_acknowledges_too() {
    let mut post = Post::new().await;
    page(&mut post.world, json!({ "summary": "disk full" })).await;
    let form = post.reply(0, "ack, thanks!\n\n-- \nJohn");
    let mut body = String::new();
    for (name, value) in url::form_urlencoded::parse(form.as_bytes()) {
        body.push_str(&format!(
            "--frontier\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str(
        "--frontier\r\ncontent-disposition: form-data; name=\"attachment-1\"; filename=\"logo.png\"\r\n",
    );
    body.push_str("content-type: image/png\r\n\r\n");
    body.push_str(&"x".repeat(600_000));
    body.push_str("\r\n--frontier--\r\n");
    let posted = post
        .world
        .client
        .post(format!("{}/callbacks/mailgun/reply", post.world.url))
        .header("content-type", "multipart/form-data; boundary=frontier")
        .body(body);
    assert_eq!(crate::support::answer(posted).await.status, 200);
    assert_eq!(post.status().await, "acknowledged");
}

#[tokio::test]
async fn whoever_writes_something_else_is_told_what_to_write_and_a_machine_is_not() {
    let mut post = Post::new().await;
    page(&mut post.world, json!({ "summary": "disk full" })).await;
    let machine = format!("{}&Auto-Submitted=auto-replied", post.reply(0, "I am on vacation"));
    assert_eq!(post.post("/callbacks/mailgun/reply", machine).await, 200);
    let person = post.reply(0, "what is this about?");
    assert_eq!(post.post("/callbacks/mailgun/reply", person).await, 200);
    let told = post.fake.wait_for("POST", 2).await.pop().unwrap().form();
    let subject = field(&told, "subject").unwrap();
    assert!(subject.starts_with("Nothing was done: your mail has to begin with"), "{subject}");
    assert_eq!(post.fake.seen().len(), 2, "the machine is told nothing");
    assert_eq!(post.status().await, "triggered");
}

/// An answering machine replies, too.
#[tokio::test]
async fn a_reply_that_is_no_command_does_nothing() {
    let mut post = Post::new().await;
    page(&mut post.world, json!({ "summary": "disk full" })).await;
    for text in [
        "I am on vacation. For urgent matters acknowledge with my deputy.",
        "",
        "ack?\n",
        "please ack",
        "> ack",
        "ack 1 2 3",
    ] {
        let reply = post.reply(0, text);
        assert_eq!(post.post("/callbacks/mailgun/reply", reply).await, 200, "{text}");
        assert_eq!(post.status().await, "triggered", "{text}");
    }
}

#[tokio::test]
async fn only_what_mailgun_signed_counts() {
    let mut post = Post::new().await;
    page(&mut post.world, json!({ "summary": "disk full" })).await;
    let event = post.event(0, "failed", "permanent");
    let now = post.world.clock.now().as_second();
    let token = "t".repeat(50);
    let old = (now - 12 * 3600 - 1).to_string();
    let now = now.to_string();
    for (what, at, token, signature) in [
        ("another key", now.as_str(), token.as_str(), sign("key-other", &now, &token)),
        ("another time", "1", &token, sign(SIGNING_KEY, &now, &token)),
        ("another token", &now, "x", sign(SIGNING_KEY, &now, &token)),
        ("no token", &now, "", sign(SIGNING_KEY, &now, "")),
        ("no signature", &now, &token, String::new()),
        ("half a signature", &now, &token, sign(SIGNING_KEY, &now, &token)[..20].to_owned()),
        ("too old", &old, &token, sign(SIGNING_KEY, &old, &token)),
        ("no time", "", &token, sign(SIGNING_KEY, "", &token)),
    ] {
        let mut told = event.clone();
        told["signature"] = json!({ "timestamp": at, "token": token, "signature": signature });
        assert_eq!(post.post("/callbacks/mailgun", told.to_string()).await, 406, "{what}");
        let reply = post.reply(0, "ack");
        let mut pairs: Vec<(String, String)> =
            url::form_urlencoded::parse(reply.as_bytes()).into_owned().collect();
        for (key, value) in &mut pairs {
            match key.as_str() {
                "timestamp" => at.clone_into(value),
                "token" => token.clone_into(value),
                "signature" => value.clone_from(&signature),
                _ => {}
            }
        }
        let reply = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        assert_eq!(post.post("/callbacks/mailgun/reply", reply).await, 406, "{what}");
    }
    // Signed, and sent to an address that somebody has guessed.
    let reply = post.reply(0, "ack");
    let guessed = reply.replacen("%40mg", "0%40mg", 1).replacen("%40MG", "0%40MG", 1);
    assert_ne!(reply, guessed);
    assert_eq!(post.post("/callbacks/mailgun/reply", guessed).await, 406);
    for body in ["", "{}", "[]", "{\"event-data\": 1}"] {
        assert!([400, 406].contains(&post.post("/callbacks/mailgun", body.to_owned()).await), "{body}");
    }
    assert_eq!(post.status().await, "triggered");
    post.world.settle().await;
    assert_eq!(post.world.get("/api/v1/alerts/1").await["deliveries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn no_text_breaks_out_of_a_mail() {
    let mut post = Post::new().await;
    for (count, words) in NASTY.into_iter().enumerate() {
        let body = json!({ "summary": words, "details": words.repeat(300), "dedup_key": count.to_string() });
        post.world.request("POST", "/api/v1/people/john/notify", Some(body)).await;
        post.world.pass_seconds(120).await;
    }
    assert!(post.fake.seen().len() >= 5);
}
