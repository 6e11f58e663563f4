//! How long the page of what is going on takes with many open alerts, beside what the smallest answer takes in the same
//! run.
//!
//! `cargo bench -p dogwatch --bench pages`. The real program as a process of its own, over a real socket, one request after
//! the other.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures real time, talks to its terminal, and may stop at the first surprise"
)]
#![allow(dead_code, reason = "this bench does not use all that they share")]

mod server;

use std::time::{Duration, Instant};

use server::{Connection, Server, TOKEN};

/// How often each page is asked for.
const TIMES: usize = 200;
/// How many alerts are open, one after the other.
const OPEN: [usize; 3] = [0, 100, 1_000];

/// The median time of an answer, and its length.
async fn median(connection: &mut Connection, path: &str) -> (Duration, usize) {
    let mut times = Vec::with_capacity(TIMES);
    let mut length = 0;
    for _ in 0..TIMES {
        let began = Instant::now();
        let body = connection.request("GET", path, &format!("Bearer {TOKEN}"), "").await;
        times.push(began.elapsed());
        length = body.len();
    }
    times.sort_unstable();
    (times[TIMES / 2], length)
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    println!("load average {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&folder.path().join("pages.db"));
        let mut connection = Connection::open(&server.address).await;
        for (path, body) in [
            ("people", r#"{"name":"nobody"}"#),
            ("escalation-plans", r#"{"name":"silent","steps":[{"notify":["person:nobody"],"after":"1h"}]}"#),
            ("teams", r#"{"name":"silent","escalation_plan":"silent"}"#),
        ] {
            connection.post(&format!("/api/v1/{path}"), body).await;
        }
        let mut made = 0;
        for open in OPEN {
            while made < open {
                let body = format!(r#"{{"summary":"disk {made} is full","severity":"critical"}}"#);
                connection.post("/api/v1/teams/silent/notify", &body).await;
                made += 1;
            }
            let (least, _) = median(&mut connection, "/healthz").await;
            for path in ["/", "/?team=silent"] {
                let (took, length) = median(&mut connection, path).await;
                println!(
                    "{open:>5} open  {path:<14} {:>7.2} ms  {:>5.0} times /healthz  {:>6} bytes",
                    took.as_secs_f64() * 1_000.0,
                    took.as_secs_f64() / least.as_secs_f64(),
                    length
                );
            }
        }
    });
}
