//! One provider's trouble is nobody else's: pages through the others leave as if it were not there.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dogwatch::clock::{Clock, SystemClock};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::World;
use crate::support::carrier::Does;
use crate::support::process::{Process, TOKEN, client, send, until};

/// How many people are paged, one after the other, a hundred a second.
const PAGES: usize = 300;

#[tokio::test]
async fn while_one_provider_hangs_a_hundred_pages_a_second_leave_through_the_others_within_a_second() {
    let mut world = World::new().await;
    let hangs = |place: usize| place.is_multiple_of(3);
    let contact = |place: usize| match hangs(place) {
        // All of them at one host: more than it may hold at once.
        true => format!("webhook:https://hangs.example.org/{place}"),
        false => format!("email:p{place}@example.org"),
    };
    for place in 0..PAGES {
        let contact = contact(place);
        if hangs(place) {
            world.carrier.always(&contact, Does::Hang);
        }
        let name = format!("p{place}");
        world.post("/api/v1/people", json!({ "name": name, "full_name": name, "contacts": [contact] })).await;
    }
    let mut asked: Vec<(String, Timestamp)> = Vec::new();
    for place in 0..PAGES {
        world.clock.set(world.clock.now() + SignedDuration::from_millis(10));
        asked.push((contact(place), world.clock.now()));
        world.post(&format!("/api/v1/people/p{place}/notify"), json!({ "summary": "disk full" })).await;
        world.settle().await;
    }
    let seen = world.carrier.seen();
    let mut waits: Vec<SignedDuration> = Vec::new();
    for (contact, at) in asked.iter().filter(|(contact, _)| contact.starts_with("email:")) {
        let sent = seen.iter().find(|message| message.contact.as_str() == contact);
        waits.push(sent.unwrap_or_else(|| panic!("{contact} was not paged")).sent_at.duration_since(*at));
    }
    waits.sort_unstable();
    assert_eq!(waits.len(), 200);
    assert!(waits[waits.len() * 99 / 100] < SignedDuration::from_secs(1), "{waits:?}");
    let held = seen.iter().filter(|message| message.contact.as_str().starts_with("webhook:")).count();
    assert_eq!(held, 64, "the one that hangs holds its own places, and no more");
}

/// When each text came in that a gateway was sent.
type Arrivals = Arc<Mutex<HashMap<String, Timestamp>>>;

/// A gateway that takes a message at once, or one that never answers.
async fn gateway(hangs: bool) -> (String, Arrivals) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let arrivals = Arrivals::default();
    let log = arrivals.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let log = log.clone();
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                // A request without a body ends with its head.
                while stream.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
                    while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                        let to = head.split("to=").nth(1).unwrap_or_default();
                        let to: String = to.chars().take_while(char::is_ascii_digit).collect();
                        log.lock().unwrap().entry(to).or_insert_with(|| SystemClock.now());
                        bytes.drain(..end + 4);
                        if hangs {
                            std::future::pending::<()>().await;
                        }
                        if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK").await.is_err()
                        {
                            return;
                        }
                    }
                }
            });
        }
    });
    (url, arrivals)
}

/// A gateway in the configuration, for one kind of contact.
fn provider(name: &str, channel: &str, url: &str) -> String {
    format!(
        "[[provider]]\nname = \"{name}\"\nkind = \"http\"\nchannels = [\"{channel}\"]\nmethod = \"GET\"\nsuccess = \"OK\"\n\
         per_second = 1000\nat_once = 64\nurl = \"{url}/send?to={{to_digits}}&text={{text}}\"\n"
    )
}

/// The program with these gateways. A build that nobody would ship is slower than what is promised.
fn shipped(folder: &Path, providers: &str) -> Process {
    let config = folder.join("dogwatch.toml");
    std::fs::write(&config, providers).unwrap();
    let program = std::env::var("DOGWATCH_TEST_PROGRAM");
    let mut command = Command::new(program.as_deref().unwrap_or(env!("CARGO_BIN_EXE_dogwatch")));
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&config);
    command.env("DOGWATCH_DATABASE", format!("sqlite:{}", folder.join("d.db").display()));
    command.env("DOGWATCH_ADMIN_TOKEN", TOKEN);
    Process::start(command)
}

/// The promises are about time, and the shipped program is what keeps them: these tests alone look at a clock.
#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_program_reaches_people_within_a_minute_while_their_provider_hangs() {
    let ((hanging, held), (second, messages)) = (gateway(true).await, gateway(false).await);
    let (phones, calls) = gateway(false).await;
    let folder = tempfile::tempdir().unwrap();
    let providers = provider("hangs", "sms", &hanging)
        + &provider("second", "sms", &second)
        + &provider("phones", "phone", &phones);
    let process = shipped(folder.path(), &providers);
    let client = client();
    // One has nothing else, and waits for the second provider; one has another contact.
    let one = json!({ "name": "one", "full_name": "One", "contacts": ["sms:+4930100001"] });
    let two =
        json!({ "name": "two", "full_name": "Two", "contacts": ["sms:+4930100002", "phone:+4930100003"] });
    for person in [one, two] {
        send(&client, "POST", &format!("{}/api/v1/people", process.url), person).await;
    }
    let asked = SystemClock.now();
    for name in ["one", "two"] {
        let url = format!("{}/api/v1/people/{name}/notify", process.url);
        send(&client, "POST", &url, json!({ "summary": "disk full" })).await;
    }
    let limit = SignedDuration::from_secs(60);
    let of = |arrivals: &Arrivals, number: &str| arrivals.lock().unwrap().get(number).copied();
    let mut came = [None; 2];
    while came.contains(&None) && SystemClock.now().duration_since(asked) < limit {
        came = [of(&messages, "4930100001"), of(&calls, "4930100003")];
        tokio::time::interval_at(
            tokio::time::Instant::now() + Duration::from_millis(50),
            limit.unsigned_abs(),
        )
        .tick()
        .await;
    }
    let waits = came.map(|at| at.map(|at| at.duration_since(asked)));
    println!("the second provider after {:?}, the next contact after {:?}", waits[0], waits[1]);
    assert_eq!(held.lock().unwrap().len(), 2, "the first one was asked, and hangs");
    assert!(waits.iter().all(|wait| wait.is_some_and(|wait| wait < limit)), "{waits:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_program_pages_a_hundred_a_second_within_a_second_while_a_provider_hangs() {
    let ((hanging, held), (well, arrivals)) = (gateway(true).await, gateway(false).await);
    let folder = tempfile::tempdir().unwrap();
    let process =
        shipped(folder.path(), &(provider("hangs", "sms", &hanging) + &provider("well", "phone", &well)));
    let client = client();
    let number = |place: usize| format!("4930{:06}", 100_000 + place);
    let kind = |place: usize| if place.is_multiple_of(3) { "sms" } else { "phone" };
    for place in 0..PAGES {
        let contact = format!("{}:+{}", kind(place), number(place));
        let person = json!({ "name": format!("p{place}"), "full_name": "P", "contacts": [contact] });
        send(&client, "POST", &format!("{}/api/v1/people", process.url), person).await;
    }
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let mut sends = tokio::task::JoinSet::new();
    for place in 0..PAGES {
        ticks.tick().await;
        let (client, url) = (client.clone(), format!("{}/api/v1/people/p{place}/notify", process.url));
        let at = SystemClock.now();
        sends.spawn(async move {
            send(&client, "POST", &url, json!({ "summary": "disk full" })).await;
            (place, at)
        });
    }
    let asked = sends.join_all().await;
    let others = PAGES - PAGES.div_ceil(3);
    until(|| async { arrivals.lock().unwrap().len() >= others }).await;
    let arrivals = arrivals.lock().unwrap();
    let waits =
        asked.iter().filter_map(|(place, at)| Some(arrivals.get(&number(*place))?.duration_since(*at)));
    let mut waits: Vec<SignedDuration> = waits.collect();
    waits.sort_unstable();
    assert_eq!(waits.len(), others);
    let p99 = waits[waits.len() * 99 / 100];
    println!("p99 {} ms of {} pages, {} held", p99.as_millis(), waits.len(), held.lock().unwrap().len());
    assert!(!held.lock().unwrap().is_empty(), "the other one hangs");
    assert!(p99 < SignedDuration::from_secs(1), "{waits:?}");
}
