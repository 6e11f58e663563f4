//! What a great many open alerts cost: ready, memory, and whether a step that is due still comes at once.
//!
//! `cargo bench -p dogwatch --bench open`; `OPEN_ALERTS=100000` for fewer. The real program as a process of its own and a
//! real file: it is filled through its door, ended, and started again over what is open.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures real time, talks to its terminal, and may stop at the first surprise"
)]
#![allow(dead_code, reason = "this bench does not use all that they share")]

mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use server::{Connection, Receiver, Server, TOKEN, fsync_rate};

const CONNECTIONS: usize = 64;
/// Alerts whose second step is looked at.
const LATE: u64 = 500;
/// When that step is due after the first.
const AFTER: Duration = Duration::from_secs(15);

/// A team whose alerts wait for an hour, and one whose second step is a webhook.
async fn define(server: &Server, hook: u16) {
    let mut connection = Connection::open(&server.address).await;
    let webhook = format!("webhook:http://127.0.0.1:{hook}/");
    let after = AFTER.as_secs();
    for (path, body) in [
        ("people", r#"{"name":"ann","contacts":["handset:ann"]}"#.to_owned()),
        (
            "escalation-plans",
            r#"{"name":"waits","steps":[{"notify":["person:ann"],"after":"12h"}]}"#.to_owned(),
        ),
        (
            "escalation-plans",
            format!(
                r#"{{"name":"goes","steps":[{{"notify":["person:ann"],"after":"{after}s"}},{{"notify":["{webhook}"],"after":"12h"}}]}}"#
            ),
        ),
        ("teams", r#"{"name":"waits","escalation_plan":"waits"}"#.to_owned()),
        ("teams", r#"{"name":"goes","escalation_plan":"goes"}"#.to_owned()),
    ] {
        connection.post(&format!("/api/v1/{path}"), &body).await;
    }
}

/// Raises so many alerts that stay open.
async fn fill(server: &Server, alerts: u64) {
    let next = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (address, next) = (server.address.clone(), next.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await;
                while next.fetch_add(1, Ordering::Relaxed) < alerts {
                    let body = r#"{"summary":"disk full on db1","severity":"info"}"#;
                    connection.post("/api/v1/teams/waits/notify", body).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// How late the second step of each of a few alerts is, in milliseconds: median, 99th percentile, and how many came.
async fn lateness(server: &Server, receiver: &Receiver) -> (f64, f64, usize) {
    let mut connection = Connection::open(&server.address).await;
    let mut accepted = Vec::new();
    for number in 0..LATE {
        let body = format!(r#"{{"summary":"event {number}","severity":"critical"}}"#);
        connection.post("/api/v1/teams/goes/notify", &body).await;
        accepted.push(Instant::now());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let end = Instant::now() + AFTER + Duration::from_secs(10);
    while receiver.seen.lock().unwrap().len() < accepted.len() && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seen = receiver.seen.lock().unwrap();
    let late = |(number, at): &(u64, Instant)| {
        let due = accepted[usize::try_from(*number).unwrap()] + AFTER;
        at.saturating_duration_since(due).as_secs_f64() * 1_000.0
    };
    let mut times: Vec<f64> = seen.iter().map(late).collect();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    (at(0.5), at(0.99), times.len())
}

fn main() {
    let alerts =
        std::env::var("OPEN_ALERTS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000_u64);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("open.db");
    println!("load average          {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
    println!("the disk              {:>8.0} appends of 4 KiB with fsync a second", fsync_rate(folder.path()));
    runtime.block_on(async {
        let receiver = Receiver::start().await;
        let server = Server::start(&database);
        define(&server, receiver.port).await;
        let began = Instant::now();
        fill(&server, alerts).await;
        let took = began.elapsed().as_secs_f64();
        println!("filled with           {alerts:>8} open alerts, {:.0} a second; then {:.0} MB resident", alerts as f64 / took, server.memory() as f64 / 1024.0);
        drop(server);
        println!("the file              {:>8.0} bytes an alert", std::fs::metadata(&database).unwrap().len() as f64 / alerts as f64);
        let server = Server::start(&database);
        println!("killed and started    {:>8.0} ms until it listens", server.started_in.as_secs_f64() * 1e3);
        let mut connection = Connection::open(&server.address).await;
        let began = Instant::now();
        let authorization = format!("Bearer {TOKEN}");
        while !connection.request("GET", "/readyz", &authorization, "").await.contains("ok") {}
        println!("ready                 {:>8.0} ms later, {:.0} MB resident", began.elapsed().as_secs_f64() * 1e3, server.memory() as f64 / 1024.0);
        let (median, worst, count) = lateness(&server, &receiver).await;
        println!("a step that is due    {median:>8.1} ms late by the median, {worst:.1} ms at the 99th percentile ({count} of {LATE}); then {:.0} MB resident", server.memory() as f64 / 1024.0);
    });
}
