//! SQLite and PostgreSQL side by side: durable events a second at 1, 16 and 64 connections and with 1, 2 and 3 nodes,
//! and how many deliveries are claimed and settled a second.
//!
//! `cargo bench -p dogwatch --bench nodes`. PostgreSQL is started from Debian's package, in a folder of its own, as it
//! comes: every commit is on the disk before it is answered. It, the nodes and the load share this machine.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures real time, talks to its terminal, and may stop at the first surprise"
)]
#![allow(dead_code, reason = "this bench does not use all that they share")]

mod server;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use dogwatch::clock::SystemClock;
use dogwatch::store::{Capacity, Incoming, Store};
use escalation::alert::Audience;
use escalation::delivery::Outcome;
use escalation::directory::Service;
use escalation::event::{Actor, Route, Severity, Trigger};
use escalation::name::Name;
use server::{Connection, Server, fsync_rate};

/// How long each figure is measured.
const MEASURED: Duration = Duration::from_secs(5);
/// Deliveries that are claimed and settled.
const DELIVERIES: usize = 20_000;

/// Starts a server in the folder `$1`, and stops it when its input ends.
const POSTGRES: &str = r#"
set -e
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
"$bin/initdb" -D "$1/data" -U dogwatch --auth=trust -E UTF8 --locale=C >/dev/null
"$bin/postgres" -D "$1/data" -k "$1" -h '' -c shared_buffers=256MB -c max_wal_size=4GB >"$1/log" 2>&1 </dev/null &
until "$bin/pg_isready" -q -h "$1"; do kill -0 $!; sleep 0.1; done
echo ready
cat >/dev/null
kill -INT $!
wait $! || true
rm -rf "$1"
"#;

struct Postgres {
    child: Child,
    folder: String,
    databases: u32,
}

impl Postgres {
    fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("dogwatch-pg-").tempdir_in("/tmp").unwrap().keep();
        let folder = folder.to_str().unwrap().to_owned();
        // PostgreSQL refuses to run as root.
        let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let mut command = Command::new(if is_root { "runuser" } else { "sh" });
        if is_root {
            assert!(Command::new("chown").args(["postgres", &folder]).status().unwrap().success());
            command.args(["-u", "postgres", "--", "sh"]);
        }
        command.args(["-c", POSTGRES, "sh", &folder]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "PostgreSQL did not start: is Debian's package postgresql there?");
        Self { child, folder, databases: 0 }
    }

    /// A database of its own for each figure.
    async fn fresh(&mut self) -> String {
        self.databases += 1;
        let host = self.folder.replace('/', "%2F");
        let address = format!("postgres://dogwatch@{host}/postgres");
        let (client, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("CREATE DATABASE d{}", self.databases)).await.unwrap();
        client.batch_execute("CHECKPOINT").await.unwrap();
        format!("postgres://dogwatch@{host}/d{}", self.databases)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.stdout.take().map(|mut said| said.read_to_string(&mut String::new()));
        let _ = self.child.wait();
    }
}

/// A team that pages nobody who could be reached, and one whose step is a webhook.
async fn define(server: &Server) {
    let mut connection = Connection::open(&server.address).await;
    for (path, body) in [
        ("people", r#"{"name":"nobody"}"#),
        ("escalation-plans", r#"{"name":"silent","steps":[{"notify":["person:nobody"],"after":"1h"}]}"#),
        (
            "escalation-plans",
            r#"{"name":"hook","steps":[{"notify":["webhook:http://127.0.0.1:1/"],"after":"1h"}]}"#,
        ),
        ("teams", r#"{"name":"silent","escalation_plan":"silent"}"#),
        ("teams", r#"{"name":"hook","escalation_plan":"hook"}"#),
    ] {
        connection.post(&format!("/api/v1/{path}"), body).await;
    }
}

/// As many requests as `connections` can carry over these nodes, for a while. Requests a second.
async fn throughput(nodes: &[Server], connections: usize) -> f64 {
    let began = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|place| {
            let address = nodes[place % nodes.len()].address.clone();
            tokio::spawn(async move {
                let mut connection = Connection::open(&address).await;
                let mut count = 0_u64;
                while began.elapsed() < MEASURED {
                    let body = r#"{"summary":"disk full on db1","severity":"critical"}"#;
                    connection.post("/api/v1/teams/silent/notify", body).await;
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

/// Claims everything that is ready, then settles it, by the store's own verbs. Deliveries claimed a second, and settled.
async fn claim_and_settle(stores: &[Store]) -> (f64, f64) {
    let capacity = || Capacity { busy: HashMap::new(), limit: |_| 1_000_000, most: 256 };
    let began = Instant::now();
    let tasks: Vec<_> = stores
        .iter()
        .cloned()
        .map(|store| {
            tokio::spawn(async move {
                let mut all = Vec::new();
                loop {
                    let mut claimed = store.claim(capacity()).await.unwrap();
                    if claimed.claims.is_empty() {
                        return (store, all);
                    }
                    all.append(&mut claimed.claims);
                }
            })
        })
        .collect();
    let mut claimed = Vec::new();
    for task in tasks {
        claimed.push(task.await.unwrap());
    }
    let count = claimed.iter().map(|(_, claims)| claims.len()).sum::<usize>() as f64;
    let claims_a_second = count / began.elapsed().as_secs_f64();
    let began = Instant::now();
    let tasks: Vec<_> = claimed
        .into_iter()
        .map(|(store, claims)| {
            tokio::spawn(async move {
                // As many at a time as are under way at once.
                for some in claims.chunks(256) {
                    let settled = some.iter().map(|claim| {
                        let accepted = Outcome::Accepted { provider_id: String::new() };
                        store.settle(claim.delivery.id, claim.delivery.attempt, accepted)
                    });
                    for outcome in futures_util::future::join_all(settled).await {
                        outcome.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    (claims_a_second, count / began.elapsed().as_secs_f64())
}

fn event(number: usize) -> Incoming {
    let trigger = Trigger {
        audience: Audience::Team(Name::new("hook").unwrap()),
        integration: "team:hook".to_owned(),
        dedup_key: number.to_string(),
        summary: "disk full on db1".to_owned(),
        details: String::new(),
        severity: Severity::Critical,
        route: Route::default(),
        links: Vec::new(),
        by: Actor::dogwatch(),
    };
    Incoming { trigger, idempotency: None }
}

/// Makes deliveries ready, and claims and settles them on these nodes.
async fn deliveries(stores: Vec<Store>) -> (f64, f64) {
    for some in (0..DELIVERIES).collect::<Vec<_>>().chunks(256) {
        let recorded = some.iter().map(|number| stores[number % stores.len()].record(event(*number)));
        for recorded in futures_util::future::join_all(recorded).await {
            recorded.unwrap();
        }
    }
    while stores[0].advance(256).await.unwrap().is_full {}
    let rates = claim_and_settle(&stores).await;
    for store in stores {
        store.close().await;
    }
    rates
}

/// What is measured of a backend.
async fn measure(name: &str, most_nodes: usize, mut fresh: impl AsyncFnMut() -> String) {
    let all = (1..=most_nodes).flat_map(|nodes| [1, 16, 64].map(|connections| (nodes, connections)));
    for (nodes, connections) in all {
        let database = fresh().await;
        let nodes: Vec<_> = (0..nodes).map(|_| Server::start_on(&database)).collect();
        define(&nodes[0]).await;
        // The others know it, too.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let rate = throughput(&nodes, connections).await;
        println!("{name:<10} {} node, {connections:>2} conn.   {rate:>8.0} durable events/s", nodes.len());
    }
    for nodes in 1..=most_nodes {
        let database = fresh().await;
        define(&Server::start_on(&database)).await;
        let mut stores = Vec::new();
        for _ in 0..nodes {
            let (clock, service) = (Arc::new(SystemClock), Service::default());
            stores.push(match database.strip_prefix("sqlite:") {
                Some(path) => {
                    // The lock of the one before goes with its process.
                    Store::open_sqlite(path.as_ref(), clock, service).unwrap()
                }
                None => Store::open_postgres(&database, clock, service).await.unwrap(),
            });
        }
        let (claimed, settled) = deliveries(stores).await;
        println!("{name:<10} {nodes} node             {claimed:>8.0} claimed/s, then {settled:.0} settled/s");
    }
}

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let disk = fsync_rate(folder.path());
    println!("load average {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
    println!("the disk: {disk:.0} appends of 4 KiB with fsync a second");
    runtime.block_on(async {
        let mut files = 0;
        let fresh = async || {
            files += 1;
            format!("sqlite:{}", folder.path().join(format!("{files}.db")).display())
        };
        measure("SQLite", 1, fresh).await;
        let mut postgres = Postgres::start();
        measure("PostgreSQL", 3, async || postgres.fresh().await).await;
    });
    println!("load average {}", std::fs::read_to_string("/proc/loadavg").unwrap().trim());
}
