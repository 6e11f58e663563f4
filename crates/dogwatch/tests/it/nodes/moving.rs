//! Moving house from SQLite to PostgreSQL: a move that breaks off, a file that changes meanwhile, nodes that are in the
//! way.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use dogwatch::clock::{Clock, SystemClock};
use dogwatch::store::move_house;
use serde_json::{Value, json};

use super::get;
use crate::support::database::fresh_postgres;
use crate::support::process::{Process, TOKEN, client, dogwatch, send};

fn sqlite(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// A file with a team and some alerts, over which nobody runs any more.
async fn house(file: &Path) {
    let old = Process::serve_on(&sqlite(file), &[]);
    let client = client();
    let john = json!({ "name": "john", "full_name": "John", "contacts": ["handset:john"] });
    send(&client, "POST", &format!("{}/api/v1/people", old.url), john).await;
    let team = json!({ "name": "ops", "members": ["john"] });
    send(&client, "POST", &format!("{}/api/v1/teams", old.url), team).await;
    for count in 0..5 {
        raise(&client, &old.url, count).await;
    }
    old.kill();
}

async fn raise(client: &reqwest::Client, url: &str, count: u32) {
    let body = json!({ "summary": format!("disk {count} full"), "dedup_key": count.to_string() });
    send(client, "POST", &format!("{url}/api/v1/teams/ops/notify"), body).await;
}

/// A move that breaks off when some alerts are there.
async fn breaks_off(file: &Path, to: &str) {
    let told = |table: &str, _: u64, _: u64| assert_ne!(table, "page", "the move breaks off here");
    let (file, to) = (file.to_owned(), to.to_owned());
    let moved = async move { move_house(&file, &to, SystemClock.now(), told).await };
    let moved = tokio::spawn(moved).await;
    assert!(!matches!(moved, Ok(Ok(_))), "it was to break off");
}

fn moves(file: &Path, to: &str) -> (bool, String) {
    dogwatch("http://127.0.0.1:1", &["migrate-store", "--from", &sqlite(file), "--to", to])
}

/// What a node says that is started over a database and does not come up.
pub(super) fn refused(database: &str) -> String {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dogwatch"))
        .args(["serve", "--listen", "127.0.0.1:0", "--database", database])
        .env("DOGWATCH_ADMIN_TOKEN", TOKEN)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let listens = lines.into_iter().any(|line| line.starts_with("listening on"));
    if listens {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(!listens && !output.status.success(), "it came up over {database}");
    String::from_utf8(output.stderr).unwrap()
}

async fn alerts(client: &reqwest::Client, url: &str) -> Vec<Value> {
    let all = get(client, &format!("{url}/api/v1/alerts?limit=100")).await;
    all["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_broke_off_goes_on_and_no_node_starts_before_it_is_through() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("d.db");
    house(&file).await;
    let address = fresh_postgres().await;
    breaks_off(&file, &address).await;
    let text = refused(&address);
    assert!(text.contains("somebody moves into this database"), "{text}");
    let (moved, text) = moves(&file, &address);
    assert!(moved && text.contains("alert: 5\n"), "{text}");
    let new = Process::serve_on(&address, &[]);
    assert_eq!(alerts(&client(), &new.url).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_after_a_move_broke_off_is_moved_as_it_is_now() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("d.db");
    house(&file).await;
    let address = fresh_postgres().await;
    breaks_off(&file, &address).await;
    // The old one was started once more: an alert is answered, one is over, one is new.
    let old = Process::serve_on(&sqlite(&file), &[]);
    let client = client();
    send(&client, "POST", &format!("{}/api/v1/alerts/1/acknowledge", old.url), json!({})).await;
    send(&client, "POST", &format!("{}/api/v1/alerts/2/resolve", old.url), json!({})).await;
    raise(&client, &old.url, 5).await;
    let before = alerts(&client, &old.url).await;
    old.kill();
    let (moved, text) = moves(&file, &address);
    assert!(moved && text.contains("alert: 6\n"), "{text}");
    let new = Process::serve_on(&address, &[]);
    let after = alerts(&client, &new.url).await;
    assert_eq!((before.len(), after.len()), (5, 5), "those that are open");
    let over = get(&client, &format!("{}/api/v1/alerts/2", new.url)).await;
    assert_eq!(over["status"], "resolved");
    for (before, after) in before.iter().zip(&after) {
        for field in ["id", "number", "status", "summary"] {
            assert_eq!(before[field], after[field]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_moved_into_a_database_over_which_a_node_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("d.db");
    house(&file).await;
    let address = fresh_postgres().await;
    let node = Process::serve_on(&address, &[]);
    let (moved, text) = moves(&file, &address);
    assert!(!moved && text.contains("a Dogwatch runs over the database"), "{text}");
    node.kill();
}
