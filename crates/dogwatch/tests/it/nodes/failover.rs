//! The database fails over while events come in: two PostgreSQL, the second promoted by hand. The long form, with
//! Patroni, is scripts/patroni-rounds.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::support::answer;
use crate::support::process::{Process, TOKEN, client, send, until};
use crate::support::replicas::Replicas;

/// How the first server goes.
#[derive(Clone, Copy)]
enum Goes {
    Dies,
    Freezes,
}

/// Events come in while the first server goes and the second one is promoted. All that was accepted is there afterwards,
/// once, and all of it was paged; what was refused was refused so that it is sent again.
async fn nothing_is_lost(goes: Goes) {
    let mut replicas = tokio::task::spawn_blocking(Replicas::start).await.unwrap();
    let node = Process::serve_on(&replicas.address, &[]);
    let client = client();
    let john = json!({ "name": "john", "full_name": "John", "contacts": ["handset:john"] });
    send(&client, "POST", &format!("{}/api/v1/people", node.url), john).await;
    let (next, stopping) = (AtomicU64::new(0), AtomicBool::new(false));
    let (accepted, refused) = (Mutex::<BTreeSet<u64>>::default(), AtomicU64::new(0));
    let writer = async || {
        while !stopping.load(Ordering::SeqCst) {
            let number = next.fetch_add(1, Ordering::SeqCst);
            let body = json!({ "summary": format!("event {number}"), "dedup_key": number.to_string() });
            loop {
                let request =
                    client.post(format!("{}/api/v1/people/john/notify", node.url)).bearer_auth(TOKEN);
                let request = request.header("Idempotency-Key", number.to_string()).body(body.to_string());
                let answered = answer(request).await;
                if answered.status == 201 {
                    accepted.lock().unwrap().insert(number);
                    break;
                }
                assert_eq!((answered.status, &answered.headers["retry-after"]), (503, &"5".parse().unwrap()));
                refused.fetch_add(1, Ordering::SeqCst);
                until(|| async { true }).await;
            }
        }
    };
    let count = || accepted.lock().unwrap().len();
    let fault = async {
        until(async || count() >= 30).await;
        match goes {
            Goes::Dies => replicas.kill_first(),
            Goes::Freezes => replicas.freeze_first(),
        }
        until(async || refused.load(Ordering::SeqCst) > 0).await;
        replicas.promote_second();
        let before = count();
        until(async || count() >= before + 30).await;
        stopping.store(true, Ordering::SeqCst);
    };
    tokio::join!(fault, writer(), writer(), writer(), writer());
    let accepted = accepted.into_inner().unwrap();
    let get = async |path: String| -> Value {
        answer(client.get(format!("{}{path}", node.url)).bearer_auth(TOKEN)).await.body
    };
    for number in &accepted {
        let alerts = get(format!("/api/v1/alerts?dedup_key={number}")).await;
        assert_eq!(
            (alerts["items"].as_array().unwrap().len(), &alerts["items"][0]["triggers"]),
            (1, &json!(1))
        );
    }
    // The engine goes on by itself.
    let last = get(format!("/api/v1/alerts?dedup_key={}", accepted.last().unwrap())).await;
    let last = format!("/api/v1/alerts/{}", last["items"][0]["number"]);
    until(async || !get(last.clone()).await["pages"].as_array().unwrap().is_empty()).await;
    until(async || get("/readyz".to_owned()).await["status"] == "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_database_dies_and_its_standby_is_promoted_nothing_accepted_is_lost() {
    nothing_is_lost(Goes::Dies).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_database_freezes_with_its_connections_open_its_standby_is_found_all_the_same() {
    nothing_is_lost(Goes::Freezes).await;
}
