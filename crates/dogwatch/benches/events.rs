//! How fast events of each format are taken, and the storm: 100,000 events for 1,000 problems.
//!
//! `cargo bench -p dogwatch --bench events`. The real program as a process of its own, real sockets, a real file; the
//! load comes from this process on the same machine. Everything is reported beside what the disk itself can do in the
//! same run: an append and an fsync, again and again.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures real time, talks to its terminal, and may stop at the first surprise"
)]
#![allow(dead_code, reason = "this bench does not use all that they share")]

mod server;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use server::{Connection, Receiver, Server, TOKEN, fsync_rate};

/// How long each figure is measured.
const MEASURED: Duration = Duration::from_secs(4);
const CONNECTIONS: usize = 64;
const EVENTS: u64 = 100_000;
const PROBLEMS: u64 = 1_000;

/// Formats: where they are posted, and a problem of which `N` makes it another.
const FORMATS: [(&str, &str, &str); 6] = [
    (
        "pagerduty",
        "/v2/enqueue",
        r#"{"routing_key":"KEY","event_action":"trigger","dedup_key":"N","payload":{"summary":"event N","source":"db1","severity":"critical"}}"#,
    ),
    (
        "opsgenie",
        "/v2/alerts",
        r#"{"message":"event N","alias":"N","priority":"P1","details":{"host":"db1"}}"#,
    ),
    (
        "victorops",
        "/integrations/generic/20131114/alert/KEY/ops",
        r#"{"message_type":"CRITICAL","entity_id":"N","entity_display_name":"event N"}"#,
    ),
    (
        "alertmanager",
        "/integrations/v1/alertmanager/KEY/",
        r#"{"version":"4","status":"firing","groupKey":"g","alerts":[{"status":"firing","labels":{"alertname":"x","severity":"critical"},"annotations":{"summary":"event N"},"fingerprint":"N"}]}"#,
    ),
    (
        "zabbix",
        "/integrations/v1/zabbix/KEY/",
        r#"{"event_id":"N","event_value":"1","nseverity":"5","name":"event N","host":"db1"}"#,
    ),
    (
        "generic",
        "/integrations/v1/generic/KEY/",
        r#"{"summary":"event N","dedup_key":"N","severity":"critical"}"#,
    ),
];

/// An integration of a team whose first step is a webhook, and its key.
async fn define(server: &Server, step: &str) -> String {
    let mut connection = Connection::open(&server.address).await;
    for (path, body) in [
        ("people", r#"{"name":"nobody"}"#.to_owned()),
        ("escalation-plans", format!(r#"{{"name":"plan","steps":[{{"notify":["{step}"],"after":"1h"}}]}}"#)),
        ("teams", r#"{"name":"ops","escalation_plan":"plan"}"#.to_owned()),
        ("integrations", r#"{"name":"mon","team":"ops"}"#.to_owned()),
    ] {
        connection.post(&format!("/api/v1/{path}"), &body).await;
    }
    let made =
        connection.request("POST", "/api/v1/integrations/mon/keys", &format!("Bearer {TOKEN}"), "{}").await;
    made.split("\"secret\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// Sends events from all connections until `more` says that it is enough. Events a second.
async fn send(
    server: &Server,
    key: &str,
    path: &str,
    body: &str,
    more: impl Fn(u64) -> Option<u64> + Clone + Send + Sync + 'static,
    first: &Arc<Mutex<Vec<Option<Instant>>>>,
) -> f64 {
    let (next, began) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (address, next, more, first) =
                (server.address.clone(), next.clone(), more.clone(), first.clone());
            let (path, body, key) = (path.replace("KEY", key), body.replace("KEY", key), key.to_owned());
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await;
                let authorization = format!("GenieKey {key}");
                while let Some(problem) = more(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(place) = first.lock().unwrap().get_mut(problem as usize) {
                        place.get_or_insert_with(Instant::now);
                    }
                    let body = body.replace('N', &problem.to_string());
                    connection.request("POST", &path, &authorization, &body).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let sent = next.load(Ordering::Relaxed) - CONNECTIONS as u64;
    sent as f64 / began.elapsed().as_secs_f64()
}

async fn storm(server: &Server, receiver: &Receiver, disk: f64) {
    let key = define(server, &format!("webhook:http://127.0.0.1:{}/", receiver.port)).await;
    receiver.seen.lock().unwrap().clear();
    let first = Arc::new(Mutex::new(vec![None; PROBLEMS as usize]));
    let (_, path, body) = FORMATS[0];
    let more = |count: u64| (count < EVENTS).then_some(count % PROBLEMS);
    let rate = send(server, &key, path, body, more, &first).await;
    let took = EVENTS as f64 / rate;
    for _ in 0..1_000 {
        if receiver.seen.lock().unwrap().len() as u64 >= PROBLEMS {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut delays: Vec<f64> = {
        let first = first.lock().unwrap();
        let seen = receiver.seen.lock().unwrap();
        let delay = |(problem, at): &(u64, Instant)| {
            at.duration_since(first[*problem as usize].unwrap()).as_secs_f64()
        };
        seen.iter().map(delay).collect()
    };
    delays.sort_by(f64::total_cmp);
    let mut connection = Connection::open(&server.address).await;
    let (mut alerts, mut reports, mut cursor) = (0, 0, String::new());
    loop {
        let path = format!("/api/v1/alerts?limit=500{cursor}");
        let page = connection.request("GET", &path, &format!("Bearer {TOKEN}"), "").await;
        let page: serde_json::Value = serde_json::from_str(&page).unwrap();
        for alert in page["items"].as_array().unwrap() {
            alerts += 1;
            reports += alert["triggers"].as_u64().unwrap();
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    println!(
        "the storm             {EVENTS} events for {PROBLEMS} problems in {took:.1} s: {rate:.0} /s, {:.2} for each fsync; {alerts} alerts \
         with {reports} reports; {} pages, the last {:.2} s after its event; then {:.0} MB",
        rate / disk,
        delays.len(),
        delays.last().copied().unwrap_or_default(),
        server.memory() as f64 / 1024.0
    );
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let disk = fsync_rate(folder.path());
    println!("load average          {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
    println!("the disk              {disk:>8.0} appends of 4 KiB with fsync a second");
    runtime.block_on(async {
        for (name, path, body) in FORMATS {
            let server = Server::start(&folder.path().join(format!("{name}.db")));
            let key = define(&server, "person:nobody").await;
            let until = Instant::now() + MEASURED;
            let more = move |count: u64| (Instant::now() < until).then_some(count);
            let rate = send(&server, &key, path, body, more, &Arc::default()).await;
            println!(
                "{name:<13} 64 conn.{rate:>9.0} /s, each a problem of its own; {:.2} for each fsync of the disk",
                rate / disk
            );
        }
        let receiver = Receiver::start().await;
        let server = Server::start(&folder.path().join("storm.db"));
        storm(&server, &receiver, disk).await;
    });
}
