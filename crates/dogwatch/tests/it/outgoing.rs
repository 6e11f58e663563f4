//! Subscribers outside hear of every change once and in order; people who follow an alert are told quietly.

use base64::Engine;
use dogwatch::clock::Clock;
use dogwatch::config::{Config, Flags};
use dogwatch::outgoing::Subscriber;
use dogwatch::store::outgoing::Listener;
use escalation::effect::EntryKind;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::chat::injection::{corpus, many_lines, one_line};
use crate::support::command::folder;
use crate::support::fake::{Fake, Reply, Request, raw};
use crate::support::process::{Process, TOKEN, client, dogwatch, send, until};
use crate::support::{World, set_up_tls};

/// A subscriber that checks the signature and the shape of everything.
async fn fake() -> Fake {
    set_up_tls();
    Fake::start(|request| {
        check(request)?;
        Ok(Reply::Json(200, json!({})))
    })
    .await
}

fn check(request: &Request) -> Result<(), String> {
    let id = request.header("webhook-id");
    let signed = format!("{id}.{}.", request.header("webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(b"0123456789abcdef01234567").unwrap();
    mac.update(signed.as_bytes());
    mac.update(&request.body);
    let proof = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    if request.header("webhook-signature") != format!("v1,{proof}") {
        return Err("the signature does not fit".to_owned());
    }
    let document = request.json();
    let event = document["event"].as_object().ok_or("there is no event")?;
    let keys: Vec<&str> = event.keys().map(String::as_str).collect();
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    if sorted != ["agent", "change", "data", "event_type", "id", "occurred_at", "resource_type"] {
        return Err(format!("these are the fields: {keys:?}"));
    }
    if event["id"] != id { Err("two ids".to_owned()) } else { Ok(()) }
}

fn subscriber(name: &str, fake: &Fake) -> Subscriber {
    let listener = Listener { name: name.to_owned(), ..Listener::default() };
    Subscriber { listener, url: format!("{}/{name}", fake.url), key: None }
}

/// What was told, in order: the alert's number, and what happened.
fn told(fake: &Fake) -> Vec<(u64, String)> {
    let one = |request: &Request| {
        let event = &request.json()["event"];
        (event["data"]["number"].as_u64().unwrap(), event["event_type"].as_str().unwrap().to_owned())
    };
    fake.seen().iter().map(one).collect()
}

async fn people(world: &World) {
    world.john_and_bob("handset:john", "handset:bob").await;
}

#[tokio::test]
async fn a_subscriber_hears_of_every_change_in_order_with_the_alert_as_it_was_then() {
    let fake = fake().await;
    let mut world = World::new().await;
    people(&world).await;
    let teller = world.teller(vec![subscriber("tickets", &fake)]).await;
    let number = world.notify("disk full").await;
    world.settle().await;
    world.post(&format!("/api/v1/alerts/{number}/acknowledge"), json!({})).await;
    world.post(&format!("/api/v1/alerts/{number}/notes"), json!({ "text": "looking" })).await;
    world.post(&format!("/api/v1/alerts/{number}/resolve"), json!({})).await;
    assert_eq!(fake.seen().len(), 0);
    teller.turn(0).await.unwrap();
    let story: Vec<String> = told(&fake).into_iter().map(|(_, what)| what).collect();
    assert_eq!(
        story,
        ["alert.triggered", "alert.step", "alert.acknowledged", "alert.note", "alert.resolved"]
    );
    let events: Vec<Value> = fake.seen().iter().map(|request| request.json()["event"].clone()).collect();
    let status: Vec<&str> = events.iter().map(|event| event["data"]["status"].as_str().unwrap()).collect();
    assert_eq!(status, ["triggered", "triggered", "acknowledged", "acknowledged", "resolved"]);
    assert_eq!(events[2]["agent"], json!({ "name": "test", "person": null, "via": "api" }));
    assert_eq!(events[2]["data"]["url"], "https://dogwatch.example.org/alerts/1");
    assert_eq!(events[3]["change"]["text"], "looking");
    teller.turn(0).await.unwrap();
    assert_eq!(fake.seen().len(), 5, "once");
}

#[tokio::test]
async fn while_one_thing_can_not_be_told_the_rest_of_its_alert_waits_and_other_alerts_do_not() {
    let fake = fake().await;
    let world = World::new().await;
    people(&world).await;
    let teller = world.teller(vec![subscriber("tickets", &fake)]).await;
    let first = world.notify("disk full").await;
    for reply in
        [raw("500 Oops", "", "oops"), raw("404 Gone", "", ""), raw("429 Slow", "retry-after: 60\r\n", "")]
    {
        fake.once(reply);
        teller.turn(0).await.unwrap();
        // A while later; another thing has happened meanwhile.
        world.post(&format!("/api/v1/alerts/{first}/notes"), json!({ "text": "x" })).await;
        let other = world.notify("net down").await;
        teller.turn(0).await.unwrap();
        assert!(told(&fake).contains(&(other, "alert.triggered".to_owned())));
        let is_note = |(_, what): &(u64, String)| what == "alert.note";
        assert!(!told(&fake).iter().any(is_note), "nothing after what was not taken");
        world.clock.set(world.clock.now() + jiff::SignedDuration::from_secs(61));
    }
    teller.turn(0).await.unwrap();
    let of_first: Vec<String> =
        told(&fake).into_iter().filter(|(number, _)| *number == first).map(|(_, what)| what).collect();
    let notes = of_first.iter().skip_while(|what| *what == "alert.triggered").count();
    assert_eq!(of_first[..4], ["alert.triggered", "alert.triggered", "alert.triggered", "alert.triggered"]);
    assert_eq!(notes, 3, "{of_first:?}");
    let ids: std::collections::BTreeSet<String> =
        fake.seen()[..1].iter().map(|request| request.header("webhook-id").to_owned()).collect();
    let again = fake.seen().iter().filter(|request| ids.contains(request.header("webhook-id"))).count();
    assert_eq!(again, 4, "every try has the same id, so that the receiver knows it");
}

#[tokio::test]
async fn what_was_not_told_before_a_crash_is_told_after_it_and_nothing_twice() {
    let fake = fake().await;
    let world = World::new().await;
    people(&world).await;
    let teller = world.teller(vec![subscriber("tickets", &fake)]).await;
    let first = world.notify("disk full").await;
    teller.turn(0).await.unwrap();
    world.post(&format!("/api/v1/alerts/{first}/acknowledge"), json!({})).await;
    drop(teller);
    let world = world.crash().await;
    let teller = world.teller(vec![subscriber("tickets", &fake)]).await;
    teller.turn(0).await.unwrap();
    let story: Vec<String> = told(&fake).into_iter().map(|(_, what)| what).collect();
    assert_eq!(story, ["alert.triggered", "alert.acknowledged"]);
    // One that is not in the configuration any more leaves nothing behind; of several nodes another may know it for a week.
    world.post(&format!("/api/v1/alerts/{first}/resolve"), json!({})).await;
    world.clock.set(world.clock.now() + jiff::SignedDuration::from_hours(8 * 24));
    world.teller(Vec::new()).await;
    let teller = world.teller(vec![subscriber("tickets", &fake)]).await;
    teller.turn(0).await.unwrap();
    assert_eq!(fake.seen().len(), 2);
}

#[tokio::test]
async fn a_subscriber_hears_of_what_it_wants_only_and_one_that_is_dead_is_given_up_after_three_days() {
    let fake = fake().await;
    let operators = vec!["email:ops@example.org".parse().unwrap()];
    let service = escalation::directory::Service { operators, ..Default::default() };
    let mut world = World::with(service, |channels, carrier| {
        channels.with(escalation::contact::Kind::Email, carrier.clone())
    })
    .await;
    people(&world).await;
    let mut one = subscriber("tickets", &fake);
    one.listener.teams = vec![escalation::name::Name::new("ops").unwrap()];
    one.listener.kinds = vec![EntryKind::Acknowledged];
    let teller = world.teller(vec![one]).await;
    let number = world.notify("disk full").await;
    world.post("/api/v1/people/bob/notify", json!({ "summary": "for bob" })).await;
    for number in [number, 2] {
        world.post(&format!("/api/v1/alerts/{number}/acknowledge"), json!({})).await;
    }
    fake.once(raw("500 Oops", "", ""));
    teller.turn(0).await.unwrap();
    world.clock.set(world.clock.now() + jiff::SignedDuration::from_hours(73));
    fake.once(raw("500 Oops", "", ""));
    teller.turn(0).await.unwrap();
    teller.turn(0).await.unwrap();
    assert_eq!(told(&fake), [(1, "alert.acknowledged".to_owned()), (1, "alert.acknowledged".to_owned())]);
    world.settle().await;
    let warned: Vec<String> = world.carrier.seen().into_iter().map(|sent| sent.headline).collect();
    assert!(warned.len() == 1 && warned[0].contains("subscriber tickets"), "{warned:?}");
}

#[tokio::test]
async fn whoever_follows_an_alert_is_told_quietly_of_what_others_do_and_of_nothing_twice() {
    let mut world = World::new().await;
    world.john_and_bob("email:john@example.org", "email:bob@example.org").await;
    let eve =
        json!({ "name": "eve", "full_name": "Eve", "contacts": ["email:eve@example.org"], "language": "de" });
    world.post("/api/v1/people", eve).await;
    let number = world.notify("disk full").await;
    world.settle().await;
    for person in ["eve", "john"] {
        let path = format!("/api/v1/alerts/{number}/subscribers/{person}");
        assert_eq!(world.request("PUT", &path, None).await.status, 204);
        assert_eq!(world.request("PUT", &path, None).await.status, 204);
    }
    assert_eq!(
        world.get(&format!("/api/v1/alerts/{number}/subscribers")).await["people"],
        json!(["eve", "john"])
    );
    world.post(&format!("/api/v1/alerts/{number}/acknowledge"), json!({})).await;
    world.settle().await;
    world.post(&format!("/api/v1/alerts/{number}/notes"), json!({ "text": "a bad disk" })).await;
    world.pass_seconds(61).await;
    let eves = |world: &World| -> Vec<String> {
        let seen =
            world.carrier.seen().into_iter().filter(|sent| sent.contact.address() == "eve@example.org");
        seen.map(|sent| sent.headline).collect()
    };
    assert_eq!(
        eves(&world),
        ["Test hat es: FEHLER ops: disk full", "Test vermerkt: a bad disk: FEHLER ops: disk full",]
    );
    let to_john =
        world.carrier.sent_to("notice").into_iter().filter(|to| to == "email:john@example.org").count();
    assert_eq!(to_john, 2, "a page has reached him: he is told once of each");
    let path = format!("/api/v1/alerts/{number}/subscribers/eve");
    assert_eq!(world.request("DELETE", &path, None).await.status, 204);
    world.post(&format!("/api/v1/alerts/{number}/resolve"), json!({})).await;
    world.pass_seconds(61).await;
    assert_eq!(eves(&world).len(), 2);
    assert_eq!(world.request("PUT", "/api/v1/alerts/99/subscribers/eve", None).await.status, 404);
    assert_eq!(
        world.request("PUT", &format!("/api/v1/alerts/{number}/subscribers/nobody"), None).await.status,
        422
    );
}

/// The names of all that a document holds, without what stands there.
fn shape(document: &Value) -> Value {
    match document {
        Value::Object(fields) => {
            fields.iter().map(|(name, inner)| (name.clone(), shape(inner))).collect::<Value>()
        }
        _ => Value::Null,
    }
}

#[tokio::test]
async fn whatever_an_alert_says_a_subscriber_reads_it_as_text_in_a_document_of_the_same_shape() {
    let fake = fake().await;
    let world = World::new().await;
    people(&world).await;
    let teller = world.teller(vec![subscriber("tickets", &fake)]).await;
    // Plain words, and then every text: four in an alert, each of them in another place.
    let mut said = vec![["disk full", "on db1", "db1/disk", "looking"].map(str::to_owned)];
    let all = corpus();
    let four = |four: &[String]| -> [String; 4] {
        std::array::from_fn(|place| four.get(place).unwrap_or(&four[0]).clone())
    };
    said.extend(all.chunks(4).map(four));
    assert!(said.len() * 4 >= 500);
    for [summary, details, key, note] in &said {
        let body = json!({
            "summary": one_line(summary), "details": many_lines(details), "dedup_key": one_line(key),
        });
        let number = world.post("/api/v1/teams/ops/notify", body).await["number"].as_u64().unwrap();
        let path = format!("/api/v1/alerts/{number}");
        world.post(&format!("{path}/notes"), json!({ "text": many_lines(note) })).await;
        world.post(&format!("{path}/resolve"), json!({})).await;
    }
    teller.turn(0).await.unwrap();
    let events: Vec<Value> = fake.seen().iter().map(|request| request.json()["event"].clone()).collect();
    assert_eq!(events.len(), said.len() * 3);
    let of = |number: u64| -> Vec<&Value> {
        events.iter().filter(|event| event["data"]["number"] == number).collect()
    };
    let plain: Vec<Value> = of(1).into_iter().map(shape).collect();
    for (number, [summary, details, key, note]) in (1_u64..).zip(&said) {
        let told = of(number);
        let kinds: Vec<&str> = told.iter().map(|event| event["event_type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["alert.triggered", "alert.note", "alert.resolved"]);
        for (event, plain) in told.iter().zip(&plain) {
            assert_eq!(shape(event), *plain);
            let data = &event["data"];
            assert_eq!(data["summary"], one_line(summary));
            assert_eq!(data["details"], many_lines(details));
            assert_eq!(data["dedup_key"], one_line(key));
        }
        assert_eq!(told[1]["change"]["text"], many_lines(note));
    }
}

#[tokio::test]
async fn however_often_it_is_killed_the_shipped_program_tells_every_change_and_in_order() {
    let fake = fake().await;
    let made = folder(&[(
        "dogwatch.toml",
        &format!(
            "[webhook]\nallow = [\"127.0.0.0/8\"]\n[[subscriber]]\nname = \"tickets\"\nurl = \"{}/tickets\"\n\
             key = \"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3\"\n",
            fake.url
        ),
    )]);
    let (config, database) = (made.path().join("dogwatch.toml"), made.path().join("d.db"));
    let serve = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dogwatch"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&config);
        command.env("DOGWATCH_DATABASE", format!("sqlite:{}", database.display()));
        command.env("DOGWATCH_ADMIN_TOKEN", TOKEN);
        Process::start(command)
    };
    let client = client();
    let mut process = serve();
    let john = json!({ "name": "john", "full_name": "John", "contacts": ["handset:john"] });
    send(&client, "POST", &format!("{}/api/v1/people", process.url), john).await;
    let text = |request: &Request| request.json()["event"]["change"]["text"].as_str().unwrap().to_owned();
    // Half of the times it is killed while it waits for the subscriber, the other half at once.
    for round in 0..8 {
        if round % 2 == 0 {
            fake.once(Reply::Hang);
        }
        let before = fake.seen().len();
        if round == 0 {
            assert!(dogwatch(&process.url, &["notify", "john", "disk full"]).0);
        } else {
            assert!(dogwatch(&process.url, &["alert", "note", "1", &format!("note {round}")]).0);
        }
        if round % 2 == 0 {
            until(|| async { fake.seen().len() > before }).await;
        }
        process.kill();
        process = serve();
    }
    assert!(dogwatch(&process.url, &["alert", "resolve", "1"]).0);
    until(|| async { told(&fake).iter().any(|(_, what)| what == "alert.resolved") }).await;
    let mut ids = std::collections::BTreeSet::new();
    let first_times: Vec<Request> = fake
        .seen()
        .into_iter()
        .filter(|request| ids.insert(request.header("webhook-id").to_owned()))
        .collect();
    let notes: Vec<String> = first_times
        .iter()
        .filter(|request| request.json()["event"]["event_type"] == "alert.note")
        .map(text)
        .collect();
    assert_eq!(notes, (1..8).map(|round| format!("note {round}")).collect::<Vec<_>>());
    let kinds = |request: &Request| request.json()["event"]["event_type"].as_str().unwrap().to_owned();
    assert_eq!(first_times.first().map(kinds).as_deref(), Some("alert.triggered"));
    assert_eq!(first_times.last().map(kinds).as_deref(), Some("alert.resolved"));
    assert!(fake.seen().len() >= first_times.len() + 4, "what hung was told again");
}

#[tokio::test]
async fn the_command_line_says_who_follows_an_alert() {
    let made = folder(&[]);
    let process = Process::serve(&made.path().join("d.db"), &[]);
    let client = client();
    for name in ["john", "eve"] {
        let person = json!({ "name": name, "full_name": name, "contacts": [format!("handset:{name}")] });
        send(&client, "POST", &format!("{}/api/v1/people", process.url), person).await;
    }
    let said = |arguments: &[&str]| dogwatch(&process.url, arguments);
    assert!(said(&["notify", "john", "disk full"]).0);
    assert_eq!(said(&["alert", "followers", "1"]), (true, "nobody follows it\n".to_owned()));
    assert_eq!(said(&["alert", "follow", "1", "eve"]), (true, "eve is told what becomes of it\n".to_owned()));
    assert_eq!(said(&["alert", "followers", "1"]), (true, "eve\n".to_owned()));
    assert!(said(&["alert", "unfollow", "1", "eve"]).0);
    assert_eq!(said(&["alert", "followers", "1", "--json"]), (true, "{\"people\":[]}\n".to_owned()));
    let (done, text) = said(&["alert", "follow", "1", "evee"]);
    assert!(!done && text.contains("did you mean \"eve\"?"), "{text}");
}

#[test]
fn subscribers_that_are_wrong_are_refused_with_hints() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dogwatch.toml");
    let text = "[[subscriber]]\nname = \"a\"\nurl = \"ftp://x\"\n[[subscriber]]\nname = \"b\"\nurl = \"https://x.example\"\n\
                events = [\"alert.acknowleged\"]\n[[subscriber]]\nurl = \"https://x.example\"\n";
    std::fs::write(&path, text).unwrap();
    let wrong = format!("{:#}", Config::load(Some(&path), &|_| None, &Flags::default()).unwrap_err());
    for words in
        ["subscriber 1: url: ", "did you mean \"alert.acknowledged\"?", "subscriber 3: name is missing"]
    {
        assert!(wrong.contains(words), "{wrong}");
    }
}
