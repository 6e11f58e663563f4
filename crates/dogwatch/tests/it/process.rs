//! The shipped program as a process: started, used, stopped, and killed at any moment.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::answer;
use crate::support::database::address_of;
use crate::support::process::{Process, TOKEN, client, dogwatch, send, until};

#[tokio::test]
async fn the_shipped_program_pages_a_team() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::serve(&folder.path().join("d.db"), &[]);
    let client = client();
    let url = process.url.clone();
    for (name, full_name) in [("john", "John"), ("bob", "Bob")] {
        let person = json!({ "name": name, "full_name": full_name, "contacts": [format!("handset:{name}")] });
        send(&client, "POST", &format!("{url}/api/v1/people"), person).await;
    }
    let steps =
        json!([{ "notify": ["on_call"], "after": "1s" }, { "notify": ["next_on_call"], "after": "5m" }]);
    send(
        &client,
        "POST",
        &format!("{url}/api/v1/escalation-plans"),
        json!({ "name": "ops", "steps": steps }),
    )
    .await;
    send(
        &client,
        "POST",
        &format!("{url}/api/v1/teams"),
        json!({ "name": "ops", "members": ["john", "bob"], "escalation_plan": "ops" }),
    )
    .await;

    let (done, text) = dogwatch(&url, &["notify", "ops", "disk full on db1", "--severity", "critical"]);
    assert!(done && text.starts_with("#1 disk full on db1: http"), "{text}");
    until(|| async { dogwatch(&url, &["alert", "show", "1"]).1.contains("Bob's handset rings") }).await;
    let (done, text) = dogwatch(&url, &["alert", "ack", "1"]);
    assert!(done && text == "DOGWATCH_ADMIN_TOKEN has #1.\n", "{text}");
    assert!(dogwatch(&url, &["alert", "note", "1", "looking"]).0);
    assert!(dogwatch(&url, &["alert", "escalate", "1"]).0);
    assert!(dogwatch(&url, &["alert", "resolve", "#1"]).0);
    let (_, listed) = dogwatch(&url, &["alert", "list", "--status", "all"]);
    assert!(listed.starts_with("#1     critical  ops            resolved"), "{listed}");
    let (_, shown) = dogwatch(&url, &["alert", "show", "1"]);
    assert!(shown.contains("DOGWATCH_ADMIN_TOKEN, by the API: looking"), "{shown}");

    for (arguments, words) in [
        (&["notify", "opps", "x"][..], "there is no team and no person \"opps\""),
        (&["alert", "show", "9"], "there is no alert \"9\""),
        (&["token", "revoke", "x"], "there is no such token"),
        (&["token", "create", "--person", "jon"], "did you mean \"john\"?"),
    ] {
        let (done, text) = dogwatch(&url, arguments);
        assert!(!done && text.starts_with("error: ") && text.contains(words), "{text}");
    }
    let (_, token) = dogwatch(&url, &["token", "create", "--name", "phone", "--person", "john"]);
    assert!(token.starts_with("dogwatch_"), "{token}");
    let (_, link) = dogwatch(&url, &["token", "create", "--link", "--person", "john"]);
    assert!(link.starts_with(&format!("{url}/sign-in/")), "{link}");
    let (_, tokens) = dogwatch(&url, &["token", "list"]);
    assert!(tokens.lines().count() == 2 && tokens.contains("john") && tokens.contains("phone"), "{tokens}");
    let (done, script) = dogwatch(&url, &["completions", "bash"]);
    assert!(done && script.contains("dogwatch"), "{script}");
    process.kill();
}

#[test]
fn a_last_resort_that_does_not_exist_is_said_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dogwatch.toml");
    std::fs::write(&config, "last_resort = [\"person:alice\"]\n").unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_dogwatch"))
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(&config)
        .env("DOGWATCH_DATABASE", address_of(&folder.path().join("d.db")))
        .env("DOGWATCH_ADMIN_TOKEN", TOKEN)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let warned =
        said.take(20).any(|line| line.contains("last resort names a person") && line.contains("alice"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(warned);
}

#[test]
fn a_second_process_on_the_same_file_says_so_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("d.db");
    let database = format!("sqlite:{}", database.display());
    let first = Process::serve_on(&database, &[]);
    let output = Command::new(env!("CARGO_BIN_EXE_dogwatch"))
        .args(["serve", "--listen", "127.0.0.1:0", "--database", &database])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("another Dogwatch has the database"), "{said}");
    first.kill();
    Process::serve_on(&database, &[]).kill();
}

#[test]
fn where_others_can_reach_it_a_weak_token_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let serve = |token: Option<&str>, listen: &str, name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dogwatch"));
        command.args(["serve", "--listen", listen, "--database", &address_of(&folder.path().join(name))]);
        command.env_remove("DOGWATCH_ADMIN_TOKEN");
        command.envs(token.map(|token| ("DOGWATCH_ADMIN_TOKEN", token)));
        command
    };
    let refused = serve(Some("secret"), "0.0.0.0:0", "a.db").output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success() && said.contains("128 bits"), "{said}");
    Process::start(serve(Some("secret"), "127.0.0.1:0", "b.db")).kill();
    // The weak one is remembered, although nobody names it now.
    assert!(!serve(None, "0.0.0.0:0", "b.db").output().unwrap().status.success());
    Process::start(serve(Some("b9e2f0a1c4d57e68b9e2f0a1c4d57e68"), "0.0.0.0:0", "c.db")).kill();
    Process::start(serve(None, "0.0.0.0:0", "d.db")).kill();
}

#[test]
fn the_first_start_prints_a_token_and_a_sign_in_address_and_the_second_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let start = || {
        let child = Command::new(env!("CARGO_BIN_EXE_dogwatch"))
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--database",
                &address_of(&folder.path().join("d.db")),
            ])
            .env_remove("DOGWATCH_ADMIN_TOKEN")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut child = child;
        let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.contains("listening on") {
            std::io::BufRead::read_line(&mut out, &mut text).unwrap();
        }
        terminate(child.id());
        std::io::Read::read_to_string(&mut out, &mut text).unwrap();
        assert!(child.wait().unwrap().success());
        text
    };
    let first = start();
    assert!(first.contains("DOGWATCH_TOKEN=dogwatch_") && first.contains("/sign-in/"), "{first}");
    let second = start();
    assert!(!second.contains("DOGWATCH_TOKEN") && !second.contains("/sign-in/"), "{second}");
}

fn terminate(id: u32) {
    assert!(Command::new("kill").args(["-TERM", &id.to_string()]).status().unwrap().success());
}

#[tokio::test]
async fn sigterm_stops_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("d.db");
    let process = Process::serve(&database, &[]);
    let client = client();
    send(&client, "POST", &format!("{}/api/v1/people", process.url), json!({ "name": "john" })).await;
    terminate(process.id());
    let status = tokio::task::spawn_blocking(move || process.wait()).await.unwrap();
    assert!(status.success());
    assert!(
        !folder.path().join("d.db-wal").exists()
            || std::fs::metadata(folder.path().join("d.db-wal")).unwrap().len() == 0
    );
    let again = Process::serve(&database, &[]);
    let people = answer(client.get(format!("{}/api/v1/people", again.url)).bearer_auth(TOKEN)).await.body;
    assert_eq!(people["items"][0]["name"], "john");
    again.kill();
}

/// Counts what each delivery was sent, as a receiver of webhooks.
async fn receiver() -> (u16, Arc<Mutex<Vec<Value>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let received = Arc::<Mutex<Vec<Value>>>::default();
    let log = received.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let log = log.clone();
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                while stream.read_buf(&mut bytes).await.unwrap_or(0) > 0 {
                    while let Some((body, used)) = request(&bytes) {
                        bytes.drain(..used);
                        log.lock().unwrap().push(body);
                        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
                    }
                }
            });
        }
    });
    (port, received)
}

fn request(bytes: &[u8]) -> Option<(Value, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let length: usize = head.split("content-length: ").nth(1)?.lines().next()?.parse().ok()?;
    let body = bytes.get(end..end + length)?;
    Some((serde_json::from_slice(body).unwrap(), end + length))
}

/// Somebody has it, or both have been paged.
fn is_done(alert: &Value) -> bool {
    let deliveries = alert["deliveries"].as_array().unwrap();
    let sent = |person: &str| {
        let pages = deliveries.iter().filter(|delivery| delivery["purpose"] == "page");
        pages.into_iter().any(|delivery| delivery["person"] == person && delivery["state"] == "sent")
    };
    alert["status"] == "acknowledged" || (sent("john") && sent("bob"))
}

/// Four senders keep a ledger of every 2xx, and acknowledge some, while the server is killed with -9
/// thirty times at random.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_accepted_is_lost_by_kill_9() {
    const KILLS: u64 = 30;
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("d.db");
    let (port, received) = receiver().await;
    let client = client();
    let start = || Process::serve(&database, &[("DOGWATCH_WEBHOOK_ALLOW", "127.0.0.1/32")]);
    let mut process = start();
    let hook = |name: &str| format!("webhook:http://127.0.0.1:{port}/{name}");
    for name in ["john", "bob"] {
        let body = json!({ "name": name, "contacts": [format!("handset:{name}")] });
        send(&client, "POST", &format!("{}/api/v1/people", process.url), body).await;
    }
    // A role has each message by itself: what goes to a person may be collected.
    let steps = json!([
        { "notify": ["on_call", hook("first")], "after": "2s" },
        { "notify": ["next_on_call", hook("second")], "after": "1h" },
    ]);
    send(
        &client,
        "POST",
        &format!("{}/api/v1/escalation-plans", process.url),
        json!({ "name": "ops", "steps": steps }),
    )
    .await;
    send(
        &client,
        "POST",
        &format!("{}/api/v1/teams", process.url),
        json!({ "name": "ops", "members": ["john", "bob"], "escalation_plan": "ops" }),
    )
    .await;

    let address = Arc::new(Mutex::new(process.url.clone()));
    let stop = Arc::new(AtomicBool::new(false));
    let accepted = Arc::new(AtomicU64::new(0));
    let senders: Vec<_> = (0..4)
        .map(|sender| {
            let (client, address, stop, accepted) =
                (client.clone(), address.clone(), stop.clone(), accepted.clone());
            tokio::spawn(async move {
                // Summary → id of what was accepted, and what was acknowledged with a 2xx.
                let (mut ledger, mut acknowledged) = (HashMap::new(), Vec::new());
                for count in 0_u64.. {
                    if stop.load(Ordering::SeqCst) {
                        break;
                    }
                    let summary = format!("problem {sender}/{count}");
                    let url = address.lock().unwrap().clone();
                    let request = client.post(format!("{url}/api/v1/teams/ops/notify")).bearer_auth(TOKEN);
                    let request = request
                        .header("idempotency-key", &summary)
                        .body(json!({ "summary": summary }).to_string());
                    let Ok(sent) = request.send().await else { continue };
                    if sent.status() != 201 {
                        continue;
                    }
                    let Ok(alert) = sent.json::<Value>().await else { continue };
                    let id = alert["id"].as_str().unwrap().to_owned();
                    ledger.insert(summary, id.clone());
                    accepted.fetch_add(1, Ordering::SeqCst);
                    if count % 3 == 0 {
                        let url = address.lock().unwrap().clone();
                        let request =
                            client.post(format!("{url}/api/v1/alerts/{id}/acknowledge")).bearer_auth(TOKEN);
                        if request.send().await.is_ok_and(|sent| sent.status() == 200) {
                            acknowledged.push(id);
                        }
                    }
                }
                (ledger, acknowledged)
            })
        })
        .collect();
    let mut chance: u64 = 0x2545_f491_4f6c_dd1d;
    for _ in 0..KILLS {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let goal = accepted.load(Ordering::SeqCst) + 1 + (chance >> 33) % 60;
        until(|| async { accepted.load(Ordering::SeqCst) >= goal }).await;
        process.kill();
        process = tokio::task::block_in_place(start);
        *address.lock().unwrap() = process.url.clone();
    }
    stop.store(true, Ordering::SeqCst);
    let (mut ledger, mut acknowledged) = (HashMap::new(), Vec::new());
    for sender in senders {
        let (one, more) = sender.await.unwrap();
        ledger.extend(one);
        acknowledged.extend(more);
    }
    assert!(ledger.len() as u64 >= KILLS && !acknowledged.is_empty());

    // Every alert that nobody has answered comes to its second step, once.
    let url = process.url.clone();
    let mut details: HashMap<String, Value> = HashMap::new();
    let details_of = async |id: &str| {
        let alert = answer(client.get(format!("{url}/api/v1/alerts/{id}")).bearer_auth(TOKEN)).await.body;
        assert_eq!(alert["id"].as_str(), Some(id), "an accepted alert is gone");
        alert
    };
    for id in ledger.values() {
        until(|| async { is_done(&details_of(id).await) }).await;
        details.insert(id.clone(), details_of(id).await);
    }
    for (summary, id) in &ledger {
        let alert = &details[id];
        assert_eq!(alert["summary"], *summary);
        let steps =
            alert["timeline"].as_array().unwrap().iter().filter(|line| line["kind"] == "step").count();
        let is_acknowledged = alert["status"] == "acknowledged";
        assert!(steps == 2 || is_acknowledged && steps < 2, "each step fires once: {alert}");
        // What was acknowledged is not paged afterwards.
        if is_acknowledged {
            let at = alert["acknowledged"]["at"].as_str().unwrap();
            for delivery in alert["deliveries"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|delivery| delivery["purpose"] == "page")
            {
                assert!(
                    delivery["created_at"].as_str().unwrap() <= at,
                    "paged after the acknowledgement: {alert}"
                );
                assert_ne!(delivery["state"], "ready", "{alert}");
            }
        }
    }
    for id in &acknowledged {
        assert_eq!(details[id]["status"], "acknowledged", "an acknowledgement that was answered is gone");
    }
    // What had a known outcome was sent once.
    let received = received.lock().unwrap().clone();
    let mut copies: HashMap<&str, usize> = HashMap::new();
    for message in &received {
        *copies.entry(message["delivery"].as_str().unwrap()).or_default() += 1;
    }
    for alert in details.values() {
        for delivery in alert["deliveries"].as_array().unwrap() {
            let attempts = delivery["attempts"].as_array().unwrap();
            let unknown = attempts.iter().filter(|attempt| attempt["outcome"] == "unknown").count();
            let copies = copies.get(delivery["id"].as_str().unwrap()).copied().unwrap_or(0);
            assert!(copies <= 1 + unknown, "{copies} copies, {unknown} unknown outcomes: {delivery}");
            let is_told = delivery["contact"].as_str().unwrap().starts_with("webhook:");
            if is_told && delivery["state"] == "sent" {
                assert!(copies >= 1, "said to be sent, never received: {delivery}");
            }
        }
    }
    println!(
        "{} accepted, {} acknowledged, {} messages, {KILLS} kills",
        ledger.len(),
        acknowledged.len(),
        received.len()
    );
    process.kill();
}
