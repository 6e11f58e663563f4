//! Nodes that start together, and what they find; and what they tell each other.

use std::time::Duration;

use serde_json::json;

use super::moving::refused;
use super::{get, two_at};
use crate::support::database::fresh_postgres;
use crate::support::process::{Process, client, send, until};

/// A connection to the database beside the nodes, and whatever it is told.
async fn beside(address: &str) -> (tokio_postgres::Client, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let (client, mut connection) = tokio_postgres::connect(address, tokio_postgres::NoTls).await.unwrap();
    let (tells, told) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if let tokio_postgres::AsyncMessage::Notification(told) = message {
                let _ = tells.send(told.payload().to_owned());
            }
        }
    });
    (client, told)
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_start_at_once_over_an_empty_database_all_come_up() {
    let address = fresh_postgres().await;
    let start = |_| {
        let address = address.clone();
        tokio::task::spawn_blocking(move || Process::serve_on(&address, &[]))
    };
    let nodes = futures_util::future::join_all((0..3).map(start)).await;
    let nodes: Vec<_> = nodes.into_iter().map(Result::unwrap).collect();
    let client = client();
    send(&client, "POST", &format!("{}/api/v1/people", nodes[0].url), json!({ "name": "john" })).await;
    for node in &nodes {
        until(|| async { get(&client, &format!("{}/api/v1/people/john", node.url)).await["name"] == "john" })
            .await;
    }
    let (database, _) = beside(&address).await;
    let twice = "SELECT count(*) - count(DISTINCT version) FROM schema_migration";
    assert_eq!(database.query_one(twice, &[]).await.unwrap().get::<_, i64>(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_make_is_left_alone() {
    let address = fresh_postgres().await;
    Process::serve_on(&address, &[]).kill();
    let (database, _) = beside(&address).await;
    database.batch_execute("UPDATE schema_migration SET sha256 = 'x' WHERE version = 12").await.unwrap();
    let said = refused(&address);
    assert!(said.contains("migration 0012_nodes is not the one that made this database"), "{said}");
    let newer = "INSERT INTO schema_migration VALUES (999, '0999_future', 'x', 0)";
    database.batch_execute(newer).await.unwrap();
    let said = refused(&address);
    assert!(said.contains("is at schema 999") && said.contains("use the newer Dogwatch"), "{said}");
}

/// Without being told a node looks every two seconds: this is what makes it sooner.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_tell_each_other_of_many_commits_at_once() {
    let address = fresh_postgres().await;
    let (one, other, client) = two_at(&address).await;
    let (database, mut told) = beside(&address).await;
    database.batch_execute("LISTEN dogwatch").await.unwrap();
    let teller = |payload: &str| payload.split(' ').next().unwrap().to_owned();
    let mut from = std::collections::BTreeMap::<String, usize>::new();
    const EVENTS: usize = 100;
    let events = (0..EVENTS).map(|count| {
        let (client, url) = (client.clone(), format!("{}/api/v1/teams/ops/notify", one.url));
        let body = json!({ "summary": format!("disk {count} full"), "dedup_key": count.to_string() });
        tokio::spawn(async move { send(&client, "POST", &url, body).await })
    });
    futures_util::future::join_all(events).await;
    while let Ok(Some(payload)) = tokio::time::timeout(Duration::from_secs(5), told.recv()).await {
        *from.entry(teller(&payload)).or_default() += 1;
        if from.len() == 2 {
            break;
        }
    }
    // The one took the events, and the other works on them as well.
    assert!(!from.is_empty(), "nobody said anything");
    assert!(from.values().sum::<usize>() < EVENTS, "they say so for each commit: {from:?}");
    drop((one, other));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_killed_is_missed_until_it_is_started_again_on_its_machine() {
    let address = fresh_postgres().await;
    Process::serve_on(&address, &[]).kill();
    let (database, _) = beside(&address).await;
    // A minute ago; and on another machine one was killed, too.
    let earlier = "UPDATE node SET started_at = started_at - 60000, seen_at = seen_at - 60000; \
         INSERT INTO node SELECT 'there', 'elsewhere', version, started_at, seen_at, 0 FROM node";
    database.batch_execute(earlier).await.unwrap();
    let again = Process::serve_on(&address, &[]);
    let machines = async || {
        let all =
            database.query("SELECT machine FROM node ORDER BY machine = 'elsewhere'", &[]).await.unwrap();
        all.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>()
    };
    until(|| async { machines().await.len() == 2 }).await;
    assert_eq!(machines().await[1], "elsewhere");
    drop(again);
}
