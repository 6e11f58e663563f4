//! Chats and mail as the configuration sets them up: each service is looked after as those of telephones are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use escalation::contact::Kind;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::fake::{Fake, Reply, Request, raw};
use crate::support::{World, set_up_tls};

/// Takes what Mailgun and Telegram take, while it is well.
async fn fake() -> Fake {
    patient(Arc::default()).await
}

async fn patient(is_ill: Arc<AtomicBool>) -> Fake {
    set_up_tls();
    Fake::start(move |request: &Request| {
        if is_ill.load(Ordering::SeqCst) {
            return Ok(raw("500 Oops", "", ""));
        }
        if request.line.contains("/messages") {
            return Ok(Reply::Json(
                200,
                json!({ "id": "<1@mg.example.org>", "message": "Queued. Thank you." }),
            ));
        }
        Ok(Reply::Json(200, json!({ "ok": true, "result": { "message_id": 77 } })))
    })
    .await
}

/// An address at which nobody listens.
async fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

fn mailgun(fake: &Fake) -> String {
    format!(
        "[[provider]]\nkind = \"mailgun\"\ndomain = \"mg.example.org\"\nkey = \"k\"\nfrom = \"dog@mg.example.org\"\n\
         base_url = \"{}\"\n",
        fake.url
    )
}

fn smtp(port: u16) -> String {
    format!("[smtp]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"none\"\nfrom = \"dog@example.org\"\n")
}

fn telegram(fake: &Fake, rest: &str) -> String {
    format!(
        "[[provider]]\nkind = \"telegram\"\nname = \"bot\"\ntoken = \"1:canary\"\nbase_url = \"{}\"\n{rest}\n",
        fake.url
    )
}

/// Somebody, reached in these ways; each for so long that the next comes only after a failure.
async fn person(world: &World, name: &str, contacts: &[&str]) {
    let steps: Vec<Value> =
        contacts.iter().map(|contact| json!({ "contact": contact, "wait": "30m" })).collect();
    let person = json!({
        "full_name": name, "contacts": contacts, "notification_plans": { "high": { "steps": steps } },
    });
    assert!(world.request("PUT", &format!("/api/v1/people/{name}"), Some(person)).await.status < 300);
}

async fn page(world: &mut World, name: &str) -> u64 {
    let alert = world.post(&format!("/api/v1/people/{name}/notify"), json!({ "summary": "disk full" })).await;
    world.settle().await;
    alert["number"].as_u64().unwrap()
}

#[tokio::test]
async fn where_the_mail_server_is_away_mailgun_brings_the_mail_within_seconds_and_later_at_once() {
    let fake = fake().await;
    let mut world = World::configured(&format!("{}{}", smtp(nobody().await), mailgun(&fake))).await;
    for name in ["john", "bob", "eve", "zoe"] {
        person(&world, name, &[&format!("email:{name}@example.org")]).await;
    }
    for name in ["john", "bob", "eve"] {
        let before = fake.seen().len();
        let number = page(&mut world, name).await;
        world.pass_seconds(4).await;
        assert_eq!(fake.seen().len(), before + 1, "within seconds");
        let story = world.story(number).await.join("\n");
        assert!(story.contains("smtp: "), "{story}");
    }
    let before = fake.seen().len();
    let number = page(&mut world, "zoe").await;
    assert_eq!(fake.seen().len(), before + 1, "at once: the other one is left alone");
    let story = world.story(number).await.join("\n");
    assert!(!story.contains("smtp: "), "{story}");
    let told = world.get("/api/v1/doctor").await["providers"].to_string();
    assert!(told.contains("smtp is left alone"), "{told}");
}

#[tokio::test]
async fn a_service_that_fails_again_and_again_keeps_nobody_waiting_and_is_tried_again() {
    let is_ill = Arc::new(AtomicBool::new(true));
    let fake = patient(is_ill.clone()).await;
    let mut world = World::configured(&telegram(&fake, "")).await;
    for (place, name) in ["john", "bob", "eve", "zoe"].into_iter().enumerate() {
        person(&world, name, &[&format!("telegram:471{place}"), &format!("handset:{name}")]).await;
    }
    for name in ["john", "bob", "eve"] {
        page(&mut world, name).await;
    }
    let before = fake.seen().len();
    let number = page(&mut world, "zoe").await;
    assert_eq!(fake.seen().len(), before, "it is not asked");
    let story = world.story(number).await.join("\n");
    assert!(story.contains("Zoe's handset rings"), "the next contact comes at once: {story}");
    is_ill.store(false, Ordering::SeqCst);
    world.pass_seconds(600).await;
    person(&world, "amy", &["telegram:4799"]).await;
    let before = fake.seen().len();
    let number = page(&mut world, "amy").await;
    assert_eq!(
        fake.seen().len(),
        before + 1,
        "after its rest it is asked again: {:?}",
        world.story(number).await
    );
    let story = world.story(number).await.join("\n");
    assert!(story.contains("Telegram took it"), "{story}");
}

#[tokio::test]
async fn a_message_is_changed_through_the_service_that_took_it() {
    let fake = fake().await;
    let mut world = World::configured(&telegram(&fake, "")).await;
    person(&world, "john", &["telegram:4711"]).await;
    let number = page(&mut world, "john").await;
    world.post(&format!("/api/v1/alerts/{number}/acknowledge"), json!({})).await;
    world.amend().await;
    let changed = fake.seen_at("POST /bot1:canary/editMessageText");
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].json()["message_id"], 77);
    assert!(world.channel(Kind::Telegram).can_amend());
}

#[tokio::test]
async fn what_a_service_says_of_one_chat_stops_no_other() {
    for (status, body, pause) in [
        ("403 Forbidden", r#"{"ok": false, "description": "Forbidden: bot was kicked"}"#, ""),
        ("401 Unauthorized", r#"{"ok": false, "description": "Unauthorized"}"#, ""),
        ("429 Too Many", r#"{"ok": false, "parameters": {"retry_after": 40}}"#, "retry-after: 40\r\n"),
    ] {
        let fake = fake().await;
        let mut world = World::configured(&telegram(&fake, "")).await;
        for (place, name) in ["john", "bob", "eve", "zoe"].into_iter().enumerate() {
            person(&world, name, &[&format!("telegram:471{place}"), &format!("handset:{name}")]).await;
        }
        for name in ["john", "bob", "eve"] {
            fake.once(raw(status, pause, body));
            let number = page(&mut world, name).await;
            let story = world.story(number).await.join("\n");
            assert!(story.contains("handset rings"), "{status}: {story}");
        }
        let number = page(&mut world, "zoe").await;
        let story = world.story(number).await.join("\n");
        assert!(story.contains("Telegram took it"), "{status}: {story}");
    }
}

#[tokio::test]
async fn a_mailbox_that_is_full_or_refuses_us_stops_no_other() {
    for answer in ["452 4.2.2 mailbox full", "550 5.7.1 not from you", "554 no"] {
        let port = refusing("full", answer).await;
        let mut world = World::configured(&smtp(port)).await;
        for place in 0..4 {
            person(&world, &format!("p{place}"), &[&format!("email:full{place}@example.org")]).await;
            page(&mut world, &format!("p{place}")).await;
        }
        person(&world, "zoe", &["email:zoe@example.org"]).await;
        let number = page(&mut world, "zoe").await;
        let story = world.story(number).await.join("\n");
        assert!(story.contains("the mail server took it"), "{answer}: {story}");
    }
}

/// A mail server that answers so to recipients whose name begins so, and takes all else.
async fn refusing(name: &'static str, answer: &'static str) -> u16 {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                let _ = write.write_all(b"220 mail\r\n").await;
                let mut in_mail = false;
                while let Ok(Some(line)) = lines.next_line().await {
                    let said = match line.get(..4).unwrap_or(&line).to_ascii_uppercase().as_str() {
                        _ if in_mail && line != "." => continue,
                        "RCPT" if line.contains(&format!("<{name}")) => answer,
                        "DATA" => "354 go on",
                        "QUIT" => "221 bye",
                        _ => "250 ok",
                    };
                    in_mail = said.starts_with("354");
                    if write.write_all(format!("{said}\r\n").as_bytes()).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}
