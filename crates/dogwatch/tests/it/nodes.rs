//! Several nodes over one PostgreSQL, as real processes.

mod bouncer;
mod deaths;
mod failover;
mod moving;
mod races;
mod shared;
mod starting;
mod tls;

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;

use crate::support::answer;
use crate::support::database::fresh_postgres;
use crate::support::process::{Process, TOKEN, client, dogwatch, send, until};

/// Two nodes, and a team of John that both know.
async fn two() -> (Process, Process, reqwest::Client) {
    two_at(&fresh_postgres().await).await
}

/// The same over this database.
async fn two_at(address: &str) -> (Process, Process, reqwest::Client) {
    let (one, other) = (Process::serve_on(address, &[]), Process::serve_on(address, &[]));
    let client = client();
    let john = json!({ "name": "john", "full_name": "John", "contacts": ["handset:john"] });
    send(&client, "POST", &format!("{}/api/v1/people", one.url), john).await;
    let team = json!({ "name": "ops", "members": ["john"] });
    send(&client, "POST", &format!("{}/api/v1/teams", one.url), team).await;
    (one, other, client)
}

async fn get(client: &reqwest::Client, url: &str) -> Value {
    answer(client.get(url).bearer_auth(TOKEN)).await.body
}

#[tokio::test]
async fn what_is_defined_and_raised_on_one_node_is_paged_and_answered_on_the_other() {
    let (one, other, client) = two().await;
    until(|| async { get(&client, &format!("{}/api/v1/teams/ops", other.url)).await["name"] == "ops" }).await;
    let body = json!({ "summary": "disk full" });
    let raised = send(&client, "POST", &format!("{}/api/v1/teams/ops/notify", one.url), body).await;
    let number = raised["number"].as_u64().unwrap();
    let there = format!("{}/api/v1/alerts/{number}", other.url);
    let rings = |alert: &Value| {
        alert["deliveries"].as_array().is_some_and(|all| all.iter().any(|it| it["state"] == "sent"))
    };
    until(|| async { rings(&get(&client, &there).await) }).await;
    send(&client, "POST", &format!("{there}/acknowledge"), json!({})).await;
    let here = get(&client, &format!("{}/api/v1/alerts/{number}", one.url)).await;
    assert_eq!(here["status"], "acknowledged", "at once: both ask the same database");
    assert!(
        here["pages"].as_array().unwrap().iter().all(|page| page["ended_why"] == "acknowledged"),
        "{here}"
    );
}

#[tokio::test]
async fn what_happens_on_one_node_moves_the_live_page_of_the_other() {
    let (one, other, client) = two().await;
    let live = format!("{}/live/now", other.url);
    let mut live = client.get(live).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(live.status(), 200);
    let body = json!({ "summary": "the_disk_is_full" });
    send(&client, "POST", &format!("{}/api/v1/teams/ops/notify", one.url), body).await;
    let mut seen = String::new();
    while !seen.contains("the_disk_is_full") {
        seen.push_str(&String::from_utf8_lossy(&live.chunk().await.unwrap().expect("the page goes on")));
    }
    seen.clear();
    send(&client, "POST", &format!("{}/api/v1/alerts/1/acknowledge", one.url), json!({})).await;
    while !seen.contains("DOGWATCH_ADMIN_TOKEN has it") {
        seen.push_str(&String::from_utf8_lossy(&live.chunk().await.unwrap().expect("the page goes on")));
    }
}

#[tokio::test]
async fn whom_one_node_has_let_in_the_other_lets_in_at_once_and_keeps_out_when_that_is_over() {
    let (one, other, client) = two().await;
    for _ in 0..20 {
        let made = send(&client, "POST", &format!("{}/api/v1/tokens", one.url), json!({ "name": "t" })).await;
        let token = made["secret"].as_str().unwrap();
        let there = format!("{}/api/v1/teams", other.url);
        assert_eq!(answer(client.get(&there).bearer_auth(token)).await.status, 200);
        let id = made["id"].as_str().unwrap();
        let ended = client.delete(format!("{}/api/v1/tokens/{id}", one.url)).bearer_auth(TOKEN);
        assert_eq!(answer(ended).await.status, 204);
        until(|| async { answer(client.get(&there).bearer_auth(token)).await.status == 401 }).await;
    }
}

/// One address behind which another server becomes the primary: what was connected to is a standby from then on.
#[tokio::test]
async fn a_server_that_takes_no_writes_any_more_is_left_for_one_that_does() {
    let address = fresh_postgres().await;
    let node = Process::serve_on(&address, &[]);
    let client = client();
    let john = json!({ "name": "john", "full_name": "John", "contacts": ["handset:john"] });
    send(&client, "POST", &format!("{}/api/v1/people", node.url), john).await;
    let (database, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    let name: String = database.query_one("SELECT current_database()", &[]).await.unwrap().get(0);
    let notify = async || {
        let request = client.post(format!("{}/api/v1/people/john/notify", node.url)).bearer_auth(TOKEN);
        answer(request.body(json!({ "summary": "disk full" }).to_string())).await
    };
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()";
    database
        .batch_execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on; {cut}"))
        .await
        .unwrap();
    until(|| async { notify().await.status == 503 }).await;
    let refused = notify().await;
    assert!(refused.headers.contains_key("retry-after"), "senders are told to come again");
    // Sessions that are read-only stay so: only new ones are of use.
    let back = format!(
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; \
         ALTER DATABASE {name} RESET default_transaction_read_only"
    );
    database.batch_execute(&back).await.unwrap();
    until(|| async { notify().await.status == 201 }).await;
}

#[tokio::test]
async fn of_many_senders_of_one_key_at_both_nodes_there_is_one_alert_and_one_page() {
    let (one, other, client) = two().await;
    until(|| async { get(&client, &format!("{}/api/v1/teams/ops", other.url)).await["name"] == "ops" }).await;
    let requests = (0..64).map(|count| {
        let node = if count % 2 == 0 { &one } else { &other };
        let body = json!({ "summary": "disk full", "dedup_key": "db1/disk" });
        let (url, client) = (format!("{}/api/v1/teams/ops/notify", node.url), &client);
        async move { send(client, "POST", &url, body).await }
    });
    let alerts = futures_util::future::join_all(requests).await;
    let number = alerts[0]["number"].as_u64().unwrap();
    assert!(alerts.iter().all(|alert| alert["number"] == number));
    let alert = format!("{}/api/v1/alerts/{number}", one.url);
    let sent = |alert: &Value| {
        alert["deliveries"].as_array().map_or(0, |all| all.iter().filter(|it| it["state"] == "sent").count())
    };
    until(|| async { sent(&get(&client, &alert).await) == 1 }).await;
    assert_eq!(get(&client, &alert).await["triggers"], 64);
}

#[tokio::test]
async fn a_node_that_is_killed_loses_nothing_and_the_other_goes_on() {
    let (one, other, client) = two().await;
    until(|| async { get(&client, &format!("{}/api/v1/teams/ops", other.url)).await["name"] == "ops" }).await;
    let accepted = AtomicU64::new(0);
    let send_one = |count: u64, url: String| {
        let (client, accepted) = (&client, &accepted);
        async move {
            let body = json!({ "summary": "x", "dedup_key": format!("key {count}") });
            let request = client.post(format!("{url}/api/v1/teams/ops/notify")).bearer_auth(TOKEN);
            let request =
                request.header("Idempotency-Key", format!("request {count}")).body(body.to_string());
            let is_accepted = request.send().await.is_ok_and(|answer| answer.status() == 201);
            accepted.fetch_add(u64::from(is_accepted), Ordering::SeqCst);
            is_accepted
        }
    };
    let mut keys = Vec::new();
    for count in 0..20 {
        keys.push((count, send_one(count, one.url.clone()).await));
    }
    assert!(keys.iter().all(|(_, is_accepted)| *is_accepted));
    one.kill();
    let paged = async |count: u64| {
        let url = format!("{}/api/v1/alerts?dedup_key=key%20{count}", other.url);
        let alerts = get(&client, &url).await;
        alerts["items"][0]["status"] == "triggered"
    };
    for (count, _) in keys {
        assert!(paged(count).await, "key {count}");
    }
    assert!(send_one(99, other.url.clone()).await);
}

#[tokio::test]
async fn a_node_whose_connections_are_cut_makes_new_ones_and_still_hears_of_the_other() {
    let address = fresh_postgres().await;
    let (one, other) = (Process::serve_on(&address, &[]), Process::serve_on(&address, &[]));
    let client = client();
    let john = json!({ "name": "john", "full_name": "John", "contacts": ["handset:john"] });
    send(&client, "POST", &format!("{}/api/v1/people", one.url), john).await;
    let (database, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    for round in 0..3 {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()";
        database.execute(cut, &[]).await.unwrap();
        let notify = async || {
            let request = client.post(format!("{}/api/v1/people/john/notify", one.url)).bearer_auth(TOKEN);
            let request = request.header("Idempotency-Key", format!("round {round}"));
            let sent = answer(request.body(json!({ "summary": format!("round {round}") }).to_string())).await;
            // What could not be stored is said so, and may be sent again.
            assert!(sent.status == 201 || sent.status == 503, "{}", sent.text);
            sent
        };
        until(|| async { notify().await.status == 201 }).await;
        let number = notify().await.body["number"].as_u64().unwrap();
        let there = format!("{}/api/v1/alerts/{number}", other.url);
        let rings = |alert: &Value| alert["deliveries"][0]["state"] == "sent";
        until(|| async { rings(&get(&client, &there).await) }).await;
        let summary = get(&client, &there).await["summary"].clone();
        assert_eq!(summary, format!("round {round}"));
    }
}

/// Passes on what comes in from one side to the other, unless the way is frozen: then it keeps it, and says nothing.
async fn pass_on(
    mut from: impl tokio::io::AsyncRead + Unpin,
    mut to: impl tokio::io::AsyncWrite + Unpin,
    mut frozen: watch::Receiver<bool>,
) {
    let mut bytes = vec![0; 8192];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let is_free = frozen.wait_for(|frozen| !frozen).await.is_ok();
        if !is_free || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

/// An address of the database behind a way that can be frozen, as a machine is that stands still with its connections
/// open.
async fn behind_ice(address: &str) -> (String, watch::Sender<bool>) {
    let (ice, frozen) = watch::channel(false);
    let rest = address.strip_prefix("postgres://dogwatch@").expect("a server of our own");
    let (folder, name) = rest.rsplit_once('/').unwrap();
    let socket = format!("{}/.s.PGSQL.5432", folder.replace("%2F", "/"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((outside, _)) = listener.accept().await {
            let inside = UnixStream::connect(&socket).await.unwrap();
            let (from_outside, to_outside) = outside.into_split();
            let (from_inside, to_inside) = inside.into_split();
            tokio::spawn(pass_on(from_outside, to_inside, frozen.clone()));
            tokio::spawn(pass_on(from_inside, to_outside, frozen.clone()));
        }
    });
    (format!("postgres://dogwatch@127.0.0.1:{port}/{name}?sslmode=disable"), ice)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_says_nothing_is_a_503_and_nothing_is_lost_or_doubled_when_it_speaks_again() {
    let address = fresh_postgres().await;
    let (icy, ice) = behind_ice(&address).await;
    let node = Process::serve_on(&icy, &[]);
    let client = client();
    let john = json!({ "name": "john", "full_name": "John", "contacts": ["handset:john"] });
    send(&client, "POST", &format!("{}/api/v1/people", node.url), john).await;
    let notify = async |count: u64| {
        let request = client.post(format!("{}/api/v1/people/john/notify", node.url)).bearer_auth(TOKEN);
        let request = request.header("Idempotency-Key", format!("request {count}"));
        request.body(json!({ "summary": "x", "dedup_key": "x" }).to_string()).send().await
    };
    assert_eq!(notify(0).await.unwrap().status(), 201);
    ice.send_replace(true);
    // Several at once: they are one transaction, of which nobody knows what became.
    let answers = futures_util::future::join_all((1..=20).map(notify)).await;
    for refused in answers {
        let refused = refused.expect("whatever becomes of the database, who asks is answered");
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["retry-after"]),
            (503, &"5".parse().unwrap())
        );
    }
    ice.send_replace(false);
    for count in 1..=20 {
        until(|| async { notify(count).await.is_ok_and(|sent| sent.status() == 201) }).await;
    }
    let alert = get(&client, &format!("{}/api/v1/alerts/1", node.url)).await;
    assert_eq!(alert["triggers"], 21, "each request counts once");
}

#[tokio::test]
async fn what_moves_from_sqlite_to_postgres_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("d.db");
    let client = client();
    let old = Process::serve(&file, &[]);
    let john = json!({ "name": "john", "full_name": "John", "contacts": ["handset:john"] });
    send(&client, "POST", &format!("{}/api/v1/people", old.url), john).await;
    let steps =
        json!([{ "notify": ["on_call"], "after": "5m" }, { "notify": ["all_members"], "after": "5m" }]);
    let plan = json!({ "name": "slow", "steps": steps });
    send(&client, "POST", &format!("{}/api/v1/escalation-plans", old.url), plan).await;
    let team = json!({ "name": "ops", "members": ["john"], "escalation_plan": "slow" });
    send(&client, "POST", &format!("{}/api/v1/teams", old.url), team).await;
    for count in 0..30 {
        let body = json!({ "summary": format!("disk {count} full"), "dedup_key": count.to_string() });
        send(&client, "POST", &format!("{}/api/v1/teams/ops/notify", old.url), body).await;
    }
    send(&client, "POST", &format!("{}/api/v1/alerts/1/acknowledge", old.url), json!({})).await;
    let settled = |alert: &Value| alert["next"].as_array().is_some_and(|next| !next.is_empty());
    let of = |url: &str| format!("{url}/api/v1/alerts/30");
    until(|| async { settled(&get(&client, &of(&old.url)).await) }).await;
    let first = format!("{}/api/v1/alerts/1", old.url);
    until(|| async { get(&client, &first).await["timeline"].to_string().contains("is told") }).await;
    let before =
        [get(&client, &format!("{}/api/v1/alerts/1", old.url)).await, get(&client, &of(&old.url)).await];

    let address = fresh_postgres().await;
    let (from, to) = (format!("sqlite:{}", file.display()), address.as_str());
    let arguments = ["migrate-store", "--from", &from, "--to", to];
    let (moved, text) = dogwatch(&old.url, &arguments);
    assert!(!moved && text.contains("another Dogwatch has the database"), "{text}");
    old.kill();
    let (moved, text) = dogwatch("http://127.0.0.1:1", &arguments);
    assert!(moved && text.contains("alert: 30\n"), "{text}");
    let (again, text) = dogwatch("http://127.0.0.1:1", &arguments);
    assert!(!again && text.contains("holds 30 rows in the table alert already"), "{text}");

    let new = Process::serve_on(&address, &[]);
    let after =
        [get(&client, &format!("{}/api/v1/alerts/1", new.url)).await, get(&client, &of(&new.url)).await];
    for (before, after) in before.iter().zip(&after) {
        for field in ["id", "status", "timeline", "next", "pages", "acknowledged"] {
            assert_eq!(before[field], after[field], "{field}");
        }
    }
    let body = json!({ "summary": "one more" });
    let next = send(&client, "POST", &format!("{}/api/v1/teams/ops/notify", new.url), body).await;
    assert_eq!(next["number"], 31);
}
