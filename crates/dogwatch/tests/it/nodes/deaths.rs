//! Nodes that are killed and frozen while events come in, and the ledger of what was accepted, stored and sent.
//!
//! `DOGWATCH_TEST_EVENTS` says how many events, of two pages each; scripts/test-nodes sends 100,000 pages.

use std::collections::{BTreeSet, HashMap};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use escalation::id::DeliveryId;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::races::many;
use crate::support::answer;
use crate::support::database::fresh_postgres;
use crate::support::process::{Process, TOKEN, client, send, until};

const NODES: usize = 3;
const SENDERS: usize = 16;
/// So long a node may hold what it has claimed.
const LEASE_MILLIS: i64 = 30_000;
/// What a node has claimed that died is tried again within so many milliseconds.
const TRIED_AGAIN_MILLIS: i64 = 45_000;

/// How often each attempt (delivery and number) has come in.
type Seen = Arc<Mutex<HashMap<String, u32>>>;

/// Takes webhooks, and answers them unless it is told to hold back. Returns its address.
async fn receiver(holds_back: watch::Receiver<bool>) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let log = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(take(stream, log.clone(), holds_back.clone()));
        }
    });
    (url, seen)
}

async fn take(mut stream: TcpStream, seen: Seen, mut holds_back: watch::Receiver<bool>) {
    let mut bytes = Vec::new();
    // A node that dies leaves half a request.
    while stream.read_buf(&mut bytes).await.is_ok_and(|count| count > 0) {
        while let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let field = |name: &str| {
                let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                lines.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).unwrap()
            };
            let length: usize = field("content-length").parse().unwrap();
            if bytes.len() < end + 4 + length {
                break;
            }
            *seen.lock().unwrap().entry(field("webhook-id")).or_default() += 1;
            bytes.drain(..end + 4 + length);
            if holds_back.wait_for(|holds| !holds).await.is_err() {
                return;
            }
            if stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.is_err() {
                return;
            }
        }
    }
}

/// Waits so long in real time: nodes are real processes.
async fn wait(millis: u64) {
    let _ = tokio::time::timeout(Duration::from_millis(millis), std::future::pending::<()>()).await;
}

fn signal(node: &Process, which: &str) {
    assert!(Command::new("kill").args([which, &node.id().to_string()]).status().unwrap().success());
}

/// The nodes, some of which are dead or frozen at times.
struct Nodes {
    address: String,
    running: Mutex<Vec<Arc<Process>>>,
    /// How many were killed or frozen.
    faults: AtomicUsize,
}

impl Nodes {
    fn start(address: String) -> Self {
        let running = (0..NODES).map(|_| Arc::new(Self::one(&address))).collect();
        Self { address, running: Mutex::new(running), faults: AtomicUsize::new(0) }
    }

    fn one(address: &str) -> Process {
        let environment = [("DOGWATCH_WEBHOOK_ALLOW", "127.0.0.1/32"), ("DOGWATCH_INTAKE_RATE", "1000000")];
        Process::serve_on(address, &environment)
    }

    fn url(&self, place: usize) -> String {
        self.running.lock().unwrap()[place % NODES].url.clone()
    }

    /// kill -9 of a node, and another one in its place.
    async fn kill(&self, place: usize) {
        let node = self.running.lock().unwrap()[place % NODES].clone();
        self.faults.fetch_add(1, Ordering::SeqCst);
        signal(&node, "-KILL");
        let address = self.address.clone();
        let fresh = tokio::task::spawn_blocking(move || Self::one(&address)).await.unwrap();
        self.running.lock().unwrap()[place % NODES] = Arc::new(fresh);
    }

    /// kill -9 of all nodes at once, and others in their places.
    async fn kill_all(&self) {
        for node in self.running.lock().unwrap().iter() {
            signal(node, "-KILL");
        }
        for place in 0..NODES {
            self.kill(place).await;
        }
    }

    /// A node stands still for a while, and goes on where it was.
    async fn freeze(&self, place: usize, millis: u64) {
        let node = self.running.lock().unwrap()[place % NODES].clone();
        self.faults.fetch_add(1, Ordering::SeqCst);
        signal(&node, "-STOP");
        wait(millis).await;
        signal(&node, "-CONT");
    }
}

/// Sends events until each is accepted, by another node after each refusal.
async fn sender(nodes: &Nodes, next: &AtomicUsize, events: usize, ledger: &Mutex<BTreeSet<usize>>) {
    let client = client();
    loop {
        let number = next.fetch_add(1, Ordering::SeqCst);
        if number >= events {
            return;
        }
        let body =
            json!({ "summary": format!("event {number}"), "dedup_key": number.to_string() }).to_string();
        let mut place = number;
        loop {
            let request =
                client.post(format!("{}/api/v1/teams/ops/notify", nodes.url(place))).bearer_auth(TOKEN);
            let request = request.header("Idempotency-Key", number.to_string()).body(body.clone());
            // A frozen node takes the request and says nothing.
            let answered = tokio::time::timeout(Duration::from_secs(3), request.send()).await;
            if answered.is_ok_and(|sent| sent.is_ok_and(|answer| answer.status() == 201)) {
                ledger.lock().unwrap().insert(number);
                break;
            }
            place += 1;
            wait(20).await;
        }
    }
}

/// Looks, as long as it is let, for claims that outlived their lease, by the database's clock. `longest` is by how many
/// milliseconds the worst of them did; ends where one was not tried again in time.
async fn overlong(database: Arc<tokio_postgres::Client>, longest: Arc<AtomicI64>) {
    let held = "SELECT max((extract(epoch FROM clock_timestamp()) * 1000)::bigint - lease_until) \
                FROM delivery WHERE state = 'claimed'";
    loop {
        let over: Option<i64> = database.query_one(held, &[]).await.unwrap().get(0);
        let over =
            longest.fetch_max(over.unwrap_or(i64::MIN), Ordering::SeqCst).max(over.unwrap_or(i64::MIN));
        assert!(over <= TRIED_AGAIN_MILLIS - LEASE_MILLIS, "held for {} ms", LEASE_MILLIS + over);
        wait(250).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_die_and_freeze_at_random_lose_nothing_and_repeat_only_what_nobody_knows_of() {
    let events = many("DOGWATCH_TEST_EVENTS", 150);
    let address = fresh_postgres().await;
    let (hold, holds_back) = watch::channel(true);
    let (hook, seen) = receiver(holds_back).await;
    let started = {
        let address = address.clone();
        tokio::task::spawn_blocking(move || Nodes::start(address))
    };
    let nodes = started.await.unwrap();
    let admin = client();
    let steps = json!([
        { "notify": [format!("webhook:{hook}/first")], "after": "2s" },
        { "notify": [format!("webhook:{hook}/second")], "after": "10h" },
    ]);
    let url = nodes.url(0);
    send(
        &admin,
        "POST",
        &format!("{url}/api/v1/escalation-plans"),
        json!({ "name": "plan", "steps": steps }),
    )
    .await;
    let team = json!({ "name": "ops", "escalation_plan": "plan" });
    send(&admin, "POST", &format!("{url}/api/v1/teams"), team).await;
    for place in 1..NODES {
        let known = format!("{}/api/v1/teams/ops", nodes.url(place));
        until(|| async { answer(admin.get(&known).bearer_auth(TOKEN)).await.status == 200 }).await;
    }
    let (database, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let database = Arc::new(database);
    let count = async |query: &str| database.query_one(query, &[]).await.unwrap().get::<_, i64>(0);
    let longest = Arc::new(AtomicI64::new(0));
    let watched = tokio::spawn(overlong(database.clone(), longest.clone()));
    let (next, ledger, is_over) =
        (AtomicUsize::new(0), Mutex::<BTreeSet<usize>>::default(), AtomicBool::new(false));
    let faults = async {
        // The one fault that is no matter of chance: all nodes die with pages under way, of which nobody knows.
        until(|| async { count("SELECT count(*) FROM delivery WHERE state = 'claimed'").await > 0 }).await;
        nodes.kill_all().await;
        hold.send_replace(false);
        let mut turn = 0;
        loop {
            // Always while something is going on, at no time in particular.
            let chance = dogwatch::clock::chance();
            wait(300 + chance % 2_000).await;
            let place = usize::try_from(chance / 7 % 3).unwrap();
            match (turn + chance / 11) % 4 {
                0 | 1 => nodes.kill(place).await,
                2 => nodes.freeze(place, 1_000 + chance % 5_000).await,
                // Longer than a claim holds.
                _ => nodes.freeze(place, if turn == 0 { 3_000 } else { 34_000 }).await,
            }
            turn += 1;
            if is_over.load(Ordering::SeqCst) && turn >= 2 {
                return;
            }
        }
    };
    let senders = async {
        let all = (0..SENDERS).map(|_| sender(&nodes, &next, events, &ledger));
        futures_util::future::join_all(all).await;
        is_over.store(true, Ordering::SeqCst);
    };
    tokio::join!(faults, senders);

    let pages = i64::try_from(2 * events).unwrap();
    let mut sent = -1;
    loop {
        // As long as it goes on.
        let before =
            std::mem::replace(&mut sent, count("SELECT count(*) FROM delivery WHERE state = 'sent'").await);
        if sent == pages {
            break;
        }
        let left = "SELECT count(*) FROM delivery WHERE state IN ('ready', 'claimed')";
        assert!(
            sent != before || count(left).await > 0 || count("SELECT count(*) FROM wake").await > pages / 2
        );
        wait(2_000).await;
    }
    if watched.is_finished() {
        watched.await.expect("what a dead node held is tried again in time");
    } else {
        watched.abort();
    }
    assert_eq!(ledger.lock().unwrap().len(), events);
    let stored = "SELECT count(*) FROM alert WHERE triggers = 1 AND dedup_key ~ '^[0-9]+$'";
    assert_eq!(count(stored).await, i64::try_from(events).unwrap(), "each event once");
    assert_eq!(count("SELECT count(*) FROM alert").await, i64::try_from(events).unwrap());
    let twice = "SELECT count(*) FROM (SELECT 1 FROM delivery GROUP BY alert, round, step HAVING count(*) > 1) AS twice";
    assert_eq!(count(twice).await, 0, "each step once");

    let deliveries = "SELECT id, attempt, unknown FROM delivery";
    let mut unknowns = 0;
    let mut again = 0;
    let mut attempts: HashMap<DeliveryId, u32> = HashMap::new();
    {
        let seen = seen.lock().unwrap();
        for (attempt, count) in seen.iter() {
            assert_eq!(*count, 1, "attempt {attempt} went out twice");
            let (delivery, _) = attempt.rsplit_once('.').unwrap();
            *attempts.entry(delivery.parse().unwrap()).or_default() += 1;
        }
    }
    for row in database.query(deliveries, &[]).await.unwrap() {
        let (attempt, unknown): (i64, i64) = (row.get(1), row.get(2));
        let id = DeliveryId::from_bytes(row.get::<_, &[u8]>(0).try_into().unwrap());
        let seen = i64::from(attempts.get(&id).copied().unwrap_or_default());
        assert!((1..=1 + unknown).contains(&seen), "{id}: came {seen} times, {unknown} outcomes unknown");
        unknowns += unknown;
        if unknown > 0 && attempt > 1 {
            again += 1;
        }
    }
    assert!(again > 0, "nodes died with pages under way");
    let seen = seen.lock().unwrap().len();
    println!(
        "{events} events, {pages} pages, {} faults: {seen} webhooks, {unknowns} outcomes unknown, {again} tried again, the last {} ms after its claim",
        nodes.faults.load(Ordering::SeqCst),
        LEASE_MILLIS + longest.load(Ordering::SeqCst)
    );
}
