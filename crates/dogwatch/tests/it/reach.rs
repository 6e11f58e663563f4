//! Contacts that are verified, tried out and given up; who can't be reached; the contact card.

use dogwatch::channel::email::Email;
use dogwatch::channel::webhook::Webhook;
use dogwatch::config::{Config, Flags};
use dogwatch::outbound::Outbound;
use escalation::contact::Kind;
use escalation::delivery::{Outcome, Purpose, Refusal};
use escalation::directory::Service;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::phone::{JOHN, people, world as phones};
use crate::support::carrier::Does;
use crate::support::command::{folder, run, run_with};
use crate::support::fake::{Fake, Reply, Request, raw};
use crate::support::guide::blocks;
use crate::support::mail_server::MailServer;
use crate::support::vonage::{self, KEYS};
use crate::support::{TOKEN, World, answer, set_up_tls};

async fn world() -> World {
    let world = World::new().await;
    world.john_and_bob("email:john@example.org", "email:bob@example.org").await;
    let contacts = json!(["email:john@example.org", "handset:john"]);
    let put = world.request("PATCH", "/api/v1/people/john", Some(json!({ "contacts": contacts }))).await;
    assert_eq!(put.status, 200, "{}", put.text);
    world
}

fn code(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

async fn try_code(world: &World, contact: &str, code: &str) -> u16 {
    let body = json!({ "contact": contact, "code": code });
    world.request("POST", "/api/v1/people/john/contacts/confirm", Some(body)).await.status
}

async fn of_john(world: &World, place: usize) -> Value {
    world.get("/api/v1/people/john/contacts").await["items"][place].clone()
}

#[tokio::test]
async fn a_contact_is_verified_by_the_code_that_was_sent_there_and_by_no_other() {
    let mut world = world().await;
    let mail = "email:john@example.org";
    assert_eq!(try_code(&world, mail, "123456").await, 422, "none was sent");
    world.post("/api/v1/people/john/contacts/verify", json!({ "contact": mail })).await;
    world.settle().await;
    let sent = world.carrier.seen().pop().unwrap();
    assert_eq!((sent.contact.as_str(), sent.purpose), (mail, Purpose::Notice));
    let right = code(&sent.headline);
    assert_eq!(right.len(), 6, "{}", sent.headline);
    let wrong = if right == "111111" { "222222" } else { "111111" };
    assert_eq!(try_code(&world, mail, wrong).await, 422);
    assert_eq!(try_code(&world, "handset:john", &right).await, 422, "a code is good for its contact alone");
    assert_eq!(try_code(&world, mail, &right).await, 204);
    assert!(of_john(&world, 0).await["verified_at"].is_string());
    assert_eq!(try_code(&world, mail, &right).await, 422, "once");

    world.post("/api/v1/people/john/contacts/verify", json!({ "contact": mail })).await;
    world.settle().await;
    let second = code(&world.carrier.seen().pop().unwrap().headline);
    for _ in 0..5 {
        try_code(&world, mail, "000000").await;
    }
    assert_eq!(try_code(&world, mail, &second).await, 422, "after five that were wrong");

    world.post("/api/v1/people/john/contacts/verify", json!({ "contact": mail })).await;
    world.settle().await;
    let third = code(&world.carrier.seen().pop().unwrap().headline);
    world.pass_seconds(15 * 60).await;
    assert_eq!(try_code(&world, mail, &third).await, 422, "too old");
    let other = json!({ "contact": "email:eve@example.org" });
    assert_eq!(world.request("POST", "/api/v1/people/john/contacts/verify", Some(other)).await.status, 422);
}

/// A contact of each kind there is.
const fn of_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Handset => "handset:john",
        Kind::Webhook => "webhook:https://john.example.org/hook",
        Kind::Email => "email:john@example.org",
        Kind::Sms => "sms:+493011111",
        Kind::Phone => "phone:+493011111",
        Kind::Ntfy => "ntfy:ops-night",
        Kind::Telegram => "telegram:4711",
        Kind::Slack => "slack:U02JOHN",
        Kind::Mattermost => "mattermost:@john.smith",
        Kind::Teams => "teams:https://teams.example.org/workflows/1?sig=2",
        Kind::Pushover => "pushover:uQiRzpo4DXghDmr9QzzfQu27cmVRsG",
        Kind::Push => "push:john",
    }
}

async fn send_code(world: &mut World, contact: &str) {
    world.post("/api/v1/people/john/contacts/verify", json!({ "contact": contact })).await;
    world.settle().await;
}

/// The contacts of John that are shown as verified.
async fn proven(world: &World) -> Vec<String> {
    let known = world.get("/api/v1/people/john/contacts").await;
    let items = known["items"].as_array().unwrap().iter();
    let proven = items.filter(|one| one["verified_at"].is_string());
    proven.map(|one| one["contact"].as_str().unwrap().to_owned()).collect()
}

/// Another code is refused; this one is right, once, and after it the contact is shown as verified.
async fn only_this_proves(world: &World, contact: &str, right: &str) {
    assert_eq!(right.len(), 6, "{contact}: {right}");
    let mut before = proven(world).await;
    assert!(!before.iter().any(|known| known == contact), "{contact}: {before:?}");
    let wrong = if right == "111111" { "222222" } else { "111111" };
    assert_eq!(try_code(world, contact, wrong).await, 422, "{contact}: another code");
    assert_eq!(proven(world).await, before, "{contact}");
    assert_eq!(try_code(world, contact, right).await, 204, "{contact}");
    // They are shown in the order in which John has them, and are verified in that order here.
    before.push(contact.to_owned());
    assert_eq!(proven(world).await, before, "{contact}: it alone");
    assert_eq!(try_code(world, contact, right).await, 422, "{contact}: once");
}

/// The code in something that was sent, whether it is to be read or heard.
fn code_in(text: &str) -> String {
    let after = text.split("Your code for Dogwatch is ").nth(1).unwrap_or_else(|| panic!("{text}"));
    after.chars().filter(char::is_ascii_digit).take(6).collect()
}

/// What somebody reads or hears of a request: its document, or the values of its form.
fn said(request: &Request) -> String {
    match request.json() {
        Value::Null => request.form().into_iter().map(|(_, value)| value).collect::<Vec<_>>().join("\n"),
        document => document.to_string(),
    }
}

/// The rules, for every kind that there is; `chat/verifying.rs` and the tests below look at what the services are sent.
#[tokio::test]
async fn a_contact_of_every_kind_is_verified_by_the_newest_code_that_was_sent_there() {
    let mut world = World::with(Service::default(), |channels, carrier| {
        Kind::ALL.into_iter().fold(channels, |channels, kind| channels.with(kind, carrier.clone()))
    })
    .await;
    let contacts = Kind::ALL.map(of_kind);
    world.post("/api/v1/people", json!({ "name": "john", "full_name": "John", "contacts": contacts })).await;
    for contact in contacts {
        assert_eq!(try_code(&world, contact, "123456").await, 422, "{contact}: none was sent");
        let mut codes = Vec::new();
        for _ in 0..2 {
            let before = world.carrier.seen().len();
            send_code(&mut world, contact).await;
            let sent = world.carrier.seen().split_off(before);
            let [message] = &sent[..] else { panic!("{contact}: {sent:?}") };
            assert_eq!((message.contact.as_str(), message.purpose), (contact, Purpose::Notice));
            codes.push(code(&message.headline));
        }
        let (old, newest) = (&codes[0], &codes[1]);
        for other in contacts.into_iter().filter(|other| *other != contact) {
            assert_eq!(
                try_code(&world, other, newest).await,
                422,
                "{contact}: good for it alone, not {other}"
            );
        }
        // By chance they may be the same.
        if old != newest {
            assert_eq!(try_code(&world, contact, old).await, 422, "{contact}: the one before");
        }
        only_this_proves(&world, contact, newest).await;
    }
    assert!(world.get("/api/v1/alerts").await["items"].as_array().unwrap().is_empty(), "nobody is paged");
}

#[tokio::test]
async fn the_code_comes_by_a_mail_server() {
    let server = MailServer::start().await;
    let mut world = World::with_channel(Kind::Email, Email::new(&server.entry()).unwrap()).await;
    let john = json!({ "name": "john", "contacts": ["handset:john", "email:john@example.org"] });
    world.post("/api/v1/people", john).await;
    send_code(&mut world, "email:john@example.org").await;
    let mails = server.seen();
    let [mail] = &mails[..] else { panic!("{mails:?}") };
    assert!(mail.contains("To: john@example.org\n"), "{mail}");
    only_this_proves(&world, "email:john@example.org", &code_in(mail)).await;
}

#[tokio::test]
async fn the_code_comes_to_a_webhook() {
    set_up_tls();
    let fake = Fake::start(|request: &Request| match request.line.as_str() {
        "POST /hook" => Ok(raw("204 No Content", "", "")),
        other => Err(format!("there is no {other}")),
    })
    .await;
    let outbound = Outbound::unguarded(SignedDuration::from_secs(10)).unwrap();
    let channel = Webhook::through(outbound, b"0123456789abcdef0123456789abcdef".to_vec());
    let mut world =
        World::with(Service::default(), |channels, _| channels.with(Kind::Webhook, channel)).await;
    let contact = format!("webhook:{}/hook", fake.url);
    world.post("/api/v1/people", json!({ "name": "john", "contacts": [contact, "handset:john"] })).await;
    send_code(&mut world, &contact).await;
    let seen = fake.seen();
    let [request] = &seen[..] else { panic!("{seen:?}") };
    let document = request.json();
    assert_eq!((&document["purpose"], &document["person"]), (&json!("notice"), &json!("john")));
    only_this_proves(&world, &contact, &code_in(document["headline"].as_str().unwrap())).await;
}

/// Twilio's short messages are in `chat/verifying.rs`, its calls below.
#[tokio::test]
async fn the_code_comes_to_a_telephone_through_every_other_make() {
    set_up_tls();
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("private.key");
    std::fs::write(&key, &KEYS.private).unwrap();
    let gateway = Fake::start(|request: &Request| match request.line.as_str() {
        "POST /send" => Ok(Reply::Json(200, json!({ "id": "0A" }))),
        other => Err(format!("there is no {other}")),
    })
    .await;
    let described = format!(
        "[[provider]]\nname = \"it\"\nkind = \"http\"\nurl = \"{}/send\"\nid = \"/id\"\n\
         headers = {{ Content-Type = \"application/json\" }}\n\
         body = '{{\"to\": \"{{to}}\", \"text\": \"{{text}}\"}}'\n",
        gateway.url
    );
    let fake = vonage::start().await;
    let of_vonage = vonage::table("vonage", &fake.url, key.to_str().unwrap(), "");
    let (sms, phone) = (format!("sms:{JOHN}"), format!("phone:{JOHN}"));
    for (table, fake, ways) in [
        (described, &gateway, vec![(&sms, "POST /send")]),
        (of_vonage, &fake, vec![(&sms, "POST /sms/json"), (&phone, "POST /v1/calls")]),
    ] {
        let path = folder.path().join("dogwatch.toml");
        std::fs::write(&path, format!("public_url = \"https://dogwatch.example.org\"\n{table}")).unwrap();
        let config = Config::load(Some(&path), &|_| None, &Flags::default()).unwrap();
        let mut world = World::with_providers(Service::default(), config.providers).await;
        people(&world, &[&sms, &phone], "en").await;
        for (contact, line) in ways {
            let before = fake.seen().len();
            send_code(&mut world, contact).await;
            let sent = fake.seen().split_off(before);
            let [request] = &sent[..] else { panic!("{contact}: {sent:?}") };
            assert_eq!(request.line, line, "{contact}");
            let said = said(request);
            assert!(said.contains(&JOHN[1..]), "{said}");
            only_this_proves(&world, contact, &code_in(&said)).await;
        }
    }
}

#[tokio::test]
async fn john_lets_his_phone_ring_says_whether_it_sounded_and_hears_his_code_digit_by_digit() {
    let (mut world, twilio) = phones(&[&format!("phone:{JOHN}"), &format!("sms:{JOHN}")], "de").await;
    let phone = format!("phone:{JOHN}");
    assert_eq!(
        world
            .request(
                "POST",
                "/api/v1/people/john/contacts/heard",
                Some(json!({ "contact": phone, "sounded": true }))
            )
            .await
            .status,
        409
    );
    world.post("/api/v1/people/john/contacts/test", json!({ "contact": phone })).await;
    world.settle().await;
    let call = twilio.newest();
    let twiml = twilio.follow(call.field("Twiml"));
    assert!(twiml.to_string().contains("TEST dieses Kontakts"), "{twiml}");
    assert!(world.get("/api/v1/alerts").await["items"].as_array().unwrap().is_empty(), "nothing escalates");
    assert_eq!(of_john(&world, 0).await["sounded"], Value::Null);
    world.post("/api/v1/people/john/contacts/heard", json!({ "contact": phone, "sounded": false })).await;
    assert_eq!(of_john(&world, 0).await["sounded"], false);
    world.post("/api/v1/people/john/contacts/verify", json!({ "contact": phone })).await;
    world.settle().await;
    let said = twilio.follow(twilio.newest().field("Twiml")).to_string();
    let spoken = said.split("Dogwatch ist ").nth(1).unwrap_or_else(|| panic!("{said}"));
    let digits: String = spoken.chars().take(11).collect();
    assert_eq!(digits.split(' ').count(), 6, "{said}");
    assert_eq!(try_code(&world, &phone, &digits).await, 204);
    let card = world.request("GET", "/api/v1/contact-card.vcf", None).await;
    assert_eq!(card.headers["content-type"], "text/vcard; charset=utf-8");
    assert!(
        card.text.contains(&format!("TEL;TYPE=CELL,VOICE:{}\r\n", crate::support::twilio::FROM)),
        "{}",
        card.text
    );
}

#[tokio::test]
async fn after_three_messages_that_failed_a_contact_is_left_alone_its_owner_is_told_elsewhere_and_the_next_rings()
 {
    let mut world = world().await;
    let steps = json!([{ "contact": "email:john@example.org", "wait": "1m" }, { "contact": "handset:john", "wait": "5m" }]);
    let plan = json!({ "notification_plans": { "high": { "steps": steps } } });
    assert_eq!(world.request("PATCH", "/api/v1/people/john", Some(plan)).await.status, 200);
    let gone = Outcome::Refused { why: "550 no such mailbox".to_owned(), refusal: Refusal::Contact };
    world.carrier.always("email:john@example.org", Does::Answer(gone));
    for number in 1..=4 {
        world.post("/api/v1/people/john/notify", json!({ "summary": format!("problem {number}") })).await;
        world.settle().await;
        world.post(&format!("/api/v1/alerts/{number}/resolve"), json!({})).await;
        world.pass_seconds(900).await;
    }
    let tried = world.carrier.sent_to("page").len();
    assert_eq!(tried, 3, "the fourth page was not sent there");
    let alert = world.get("/api/v1/alerts/4").await;
    let story = alert["deliveries"].to_string();
    assert!(story.contains("it has to be verified again") && story.contains("handset:john"), "{story}");
    let cookie = world.cookie(Some("john")).await;
    let page = world.page(&cookie, "/handset/john").await.text;
    assert!(page.contains("is not used any more"), "{page}");
    assert!(of_john(&world, 0).await["dead_at"].is_string());
    // Whoever reads what is sent there can have it back.
    world
        .carrier
        .always("email:john@example.org", Does::Answer(Outcome::Accepted { provider_id: String::new() }));
    world.post("/api/v1/people/john/contacts/verify", json!({ "contact": "email:john@example.org" })).await;
    world.settle().await;
    assert_eq!(of_john(&world, 0).await["dead_at"], Value::Null, "it took the code");
}

/// Codes and tests cost money and wake people: nobody floods a contact with them.
#[tokio::test]
async fn six_codes_and_tests_of_a_contact_within_an_hour_are_enough() {
    let mut world = world().await;
    let ask = async |world: &World, what: &str, contact: &str| {
        let path = format!("/api/v1/people/john/contacts/{what}");
        world.request("POST", &path, Some(json!({ "contact": contact }))).await
    };
    let mail = "email:john@example.org";
    for number in 0..6 {
        let what = if number % 2 == 0 { "verify" } else { "test" };
        assert_eq!(ask(&world, what, mail).await.status, 202, "{what} {number}");
        world.pass_seconds(60).await;
    }
    world.settle().await;
    let sent = world.carrier.seen().len();
    for what in ["verify", "test"] {
        let refused = ask(&world, what, mail).await;
        assert_eq!(refused.status, 429, "{}", refused.text);
        // The first was asked for six minutes ago.
        assert_eq!(refused.headers["retry-after"], (54 * 60).to_string());
        assert!(refused.text.contains("are enough for one contact"), "{}", refused.text);
    }
    world.settle().await;
    assert_eq!(world.carrier.seen().len(), sent, "nothing is sent");
    assert_eq!(ask(&world, "test", "handset:john").await.status, 202, "another contact is counted by itself");
    world.pass_seconds(54 * 60).await;
    assert_eq!(ask(&world, "verify", mail).await.status, 202);
}

#[tokio::test]
async fn wrong_credentials_are_nobodys_contacts_fault() {
    let mut world = world().await;
    let why = "it answered 401 Unauthorized (does it know our credentials, and let them do this?)".to_owned();
    world
        .carrier
        .always("email:john@example.org", Does::Answer(Outcome::Refused { why, refusal: Refusal::Account }));
    for number in 1..=4 {
        world.post("/api/v1/people/john/notify", json!({ "summary": format!("problem {number}") })).await;
        world.settle().await;
        world.post(&format!("/api/v1/alerts/{number}/resolve"), json!({})).await;
        world.pass_seconds(900).await;
    }
    assert_eq!(of_john(&world, 0).await["failures"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn contacts_are_verified_and_tried_out_from_the_command_line() {
    let mut world = world().await;
    let folder = tempfile::tempdir().unwrap();
    let mail = "email:john@example.org";
    let url = world.url.clone();
    let command = |arguments: &[&str]| {
        run_with(folder.path(), arguments, "", &[("DOGWATCH_URL", url.as_str()), ("DOGWATCH_TOKEN", TOKEN)])
    };
    let listed = command(&["contact", "list", "john"]).out;
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.lines().all(|line| line.ends_with("not verified")), "{listed}");
    assert!(command(&["contact", "verify", "john", mail]).out.contains("a code is on its way"));
    world.settle().await;
    let code = code(&world.carrier.seen().pop().unwrap().headline);
    let wrong = command(&["contact", "confirm", "john", mail, "000000"]);
    assert!(wrong.code == 1 && wrong.err.contains("error:"), "{}", wrong.err);
    assert_eq!(command(&["contact", "confirm", "john", mail, &code]).out, format!("{mail}: verified\n"));
    assert!(command(&["contact", "test", "john", mail]).out.contains("it rings now"));
    world.settle().await;
    assert_eq!(world.carrier.seen().pop().unwrap().purpose, Purpose::Test);
    command(&["contact", "heard", "john", mail, "no"]);
    let listed = command(&["contact", "list", "john"]).out;
    let line = listed.lines().find(|line| line.starts_with(mail)).unwrap();
    assert!(line.contains("verified 20") && line.contains("did NOT sound at the test of"), "{line}");
    let unknown = command(&["contact", "test", "john", "email:eve@example.org"]);
    assert!(unknown.code == 1 && unknown.err.contains("none of this person's contacts"), "{}", unknown.err);
}

#[tokio::test]
async fn the_doctor_lists_who_can_not_be_reached_and_why() {
    let (world, twilio) = phones(&[&format!("sms:{JOHN}")], "en").await;
    twilio.text(&world, "main", "SM1", JOHN, "STOP").await;
    world.post("/api/v1/people", json!({ "name": "eve", "full_name": "Eve", "contacts": [] })).await;
    world.post("/api/v1/people", json!({ "name": "zoe", "full_name": "Zoe", "contacts": ["slack:U02ABCDEF", "email:zoe@example.org"] })).await;
    let found = world.get("/api/v1/doctor").await;
    let lines: Vec<String> = found["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                one["person"].as_str().unwrap(),
                one["contact"].as_str().unwrap_or("-"),
                one["text"].as_str().unwrap()
            )
        })
        .collect();
    let expected = [
        "eve - has no contact",
        "john sms:+493011111 has said STOP",
        "john - can't be reached",
        "zoe slack:U02ABCDEF no provider is set up",
        "zoe - can't be woken",
        "zoe email:zoe@example.org was never verified",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
    let _ = people;
}

#[tokio::test]
async fn on_his_own_page_john_verifies_a_contact_and_lets_it_ring_and_nobody_else_does() {
    let mut world = world().await;
    let cookie = world.cookie(Some("john")).await;
    let page = world.page(&cookie, "/contacts").await;
    assert!(
        page.text.contains("email:john@example.org") && page.text.contains("Not verified yet"),
        "{}",
        page.text
    );
    let send = async |path: &str, form: &str| {
        let request = world.client.post(format!("{}{path}", world.url)).header("cookie", &cookie);
        let request =
            request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
        let done = answer(request.header("sec-fetch-site", "same-origin")).await;
        done.headers.get("location").map(|to| to.to_str().unwrap().to_owned())
    };
    assert_eq!(
        send("/contacts/ring", "contact=email:john@example.org").await.unwrap(),
        "/contacts?said=rings"
    );
    assert_eq!(
        send("/contacts/heard", "contact=email:john@example.org&sounded=yes").await.unwrap(),
        "/contacts?said=kept"
    );
    assert_eq!(
        send("/contacts/code", "contact=email:bob@example.org").await.unwrap(),
        "/contacts?said=unknown"
    );
    assert_eq!(
        send("/contacts/code", "contact=email:john@example.org").await.unwrap(),
        "/contacts?said=sent"
    );
    assert_eq!(
        send("/contacts/confirm", "contact=email:john@example.org&code=x").await.unwrap(),
        "/contacts?said=wrong"
    );
    world.settle().await;
    let tests = world.carrier.sent_to("test");
    assert_eq!(tests, ["email:john@example.org"]);
    assert_eq!(of_john(&world, 0).await["sounded"], true);
    let page = world.page(&cookie, "/contacts?said=%3Cscript%3E").await.text;
    assert!(page.contains("It sounded at") && !page.contains("<script>"), "{page}");
}

/// The guide's example of quiet hours is sound, and does what the guide says: at night nobody is woken, in the morning the
/// message is there; what is urgent does not wait.
#[test]
fn quiet_hours_hold_back_what_may_wait_until_the_morning() {
    let all = blocks("contacts");
    let definitions: Vec<_> = all.iter().filter(|(language, _)| language == "toml").collect();
    let [(_, text)] = definitions[..] else { panic!("one example") };
    let team = format!("{text}\n[[team]]\nname = \"ops\"\nmembers = [\"john\"]\n");
    let made = folder(&[("definitions.toml", team.as_str())]);
    let ran = run(made.path(), &["check", "--from", "2026-02-02", "definitions.toml"], "");
    assert_eq!(ran.code, 0, "{}", ran.out);
    let rehearse = |severity: &str| {
        let arguments =
            ["rehearse", "ops", "--config", "definitions.toml", "--at", "2026-03-03T03:00:00+01:00"];
        let ran = run(made.path(), &[&arguments[..], &["--severity", severity]].concat(), "");
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        ran.out
    };
    // Three in the morning; seven is four hours later.
    let (low, high) = (rehearse("warning"), rehearse("critical"));
    assert!(low.contains("first page: after 4 h;") && low.contains("Page to John by SMS"), "{low}");
    assert!(high.contains("first page: at once;"), "{high}");
}
