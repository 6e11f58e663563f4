//! How fast a durable page is: requests accepted a second, and the time from an event to the webhook.
//!
//! `cargo bench -p dogwatch --bench intake`. The real program as a process of its own, real sockets, a real
//! file; the load comes from this process on the same machine. Everything is reported beside what the disk
//! itself can do in the same run: an append and an fsync, again and again.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures real time, talks to its terminal, and may stop at the first surprise"
)]

mod server;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use server::{Connection, Receiver, Server, fsync_rate};

/// How long each figure is measured.
const MEASURED: Duration = Duration::from_secs(6);

/// A team whose first step pages nobody who could be reached, and one whose step is a webhook.
async fn define(server: &Server, hook: u16) {
    let mut connection = Connection::open(&server.address).await;
    let webhook = format!("webhook:http://127.0.0.1:{hook}/");
    for (path, body) in [
        ("people", r#"{"name":"nobody"}"#.to_owned()),
        (
            "escalation-plans",
            r#"{"name":"silent","steps":[{"notify":["person:nobody"],"after":"1h"}]}"#.to_owned(),
        ),
        (
            "escalation-plans",
            // The webhook of a role: what goes to a person is collected in a storm.
            format!(r#"{{"name":"hook","steps":[{{"notify":["{webhook}"],"after":"1h"}}]}}"#),
        ),
        ("teams", r#"{"name":"silent","escalation_plan":"silent"}"#.to_owned()),
        ("teams", r#"{"name":"hook","escalation_plan":"hook"}"#.to_owned()),
    ] {
        connection.post(&format!("/api/v1/{path}"), &body).await;
    }
}

/// As many requests as `connections` can carry, for a while. Requests a second.
async fn throughput(server: &Server, team: &str, connections: usize) -> f64 {
    let began = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let (address, path) = (server.address.clone(), format!("/api/v1/teams/{team}/notify"));
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await;
                let mut count = 0_u64;
                while began.elapsed() < MEASURED {
                    connection.post(&path, r#"{"summary":"disk full on db1","severity":"critical"}"#).await;
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut total = 0;
    for task in tasks {
        total += task.await.unwrap();
    }
    total as f64 / began.elapsed().as_secs_f64()
}

/// Events at a steady rate; the time from just before the request until the receiver has the webhook, in
/// milliseconds: median and 99th percentile.
async fn latency(server: &Server, receiver: &Receiver, rate: u64) -> (f64, f64, usize) {
    receiver.seen.lock().unwrap().clear();
    let connections = 32.min(rate as usize);
    let began = Instant::now() + Duration::from_millis(50);
    let sent = Arc::<Mutex<Vec<(u64, Instant)>>>::default();
    let next = Arc::new(AtomicU64::new(0));
    let total = rate * MEASURED.as_secs();
    let tasks: Vec<_> = (0..connections)
        .map(|_| {
            let (address, sent, next) = (server.address.clone(), sent.clone(), next.clone());
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= total {
                        break;
                    }
                    let due = began + Duration::from_secs_f64(number as f64 / rate as f64);
                    tokio::time::sleep_until(due.into()).await;
                    sent.lock().unwrap().push((number, Instant::now()));
                    let body = format!(r#"{{"summary":"event {number}","severity":"critical"}}"#);
                    connection.post("/api/v1/teams/hook/notify", &body).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for _ in 0..500 {
        if receiver.seen.lock().unwrap().len() as u64 >= total {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let sent: std::collections::HashMap<_, _> = sent.lock().unwrap().iter().copied().collect();
    let seen = receiver.seen.lock().unwrap();
    let mut times: Vec<f64> =
        seen.iter().map(|(number, at)| at.duration_since(sent[number]).as_secs_f64() * 1_000.0).collect();
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    (at(0.5), at(0.99), times.len())
}

fn main() {
    // Cargo hands the harness arguments that are of no use here.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let disk = fsync_rate(folder.path());
    println!("load average          {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
    println!("the disk              {disk:>8.0} appends of 4 KiB with fsync a second");
    runtime.block_on(async {
        let receiver = Receiver::start().await;
        let fresh = async |name: &str| {
            let server = Server::start(&folder.path().join(name));
            define(&server, receiver.port).await;
            server
        };
        let server = fresh("idle.db").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        println!("start to listening    {:>8.0} ms, idle {:.1} MB resident", server.started_in.as_secs_f64() * 1e3, server.memory() as f64 / 1024.0);
        drop(server);
        for connections in [1, 16, 64] {
            let server = fresh(&format!("silent{connections}.db")).await;
            let rate = throughput(&server, "silent", connections).await;
            println!("accepted, {connections:>2} conn.     {rate:>8.0} /s, {:.2} for each fsync of the disk; then {:.0} MB", rate / disk, server.memory() as f64 / 1024.0);
        }
        for connections in [64] {
            let server = fresh(&format!("hook{connections}.db")).await;
            let before = receiver.count.load(Ordering::Relaxed);
            let rate = throughput(&server, "hook", connections).await;
            let sent = receiver.count.load(Ordering::Relaxed) - before;
            println!(
                "with a webhook each   {rate:>8.0} /s accepted, {:.0} /s received meanwhile, {:.2} for each fsync",
                sent as f64 / MEASURED.as_secs_f64(),
                rate / disk
            );
        }
        for rate in [50, 500, 2_000] {
            let server = fresh(&format!("rate{rate}.db")).await;
            let (median, p99, count) = latency(&server, &receiver, rate).await;
            println!("event → webhook       at {rate:>4}/s: p50 {median:.2} ms, p99 {p99:.2} ms ({count} events)");
        }
    });
}
