//! The store: group commit, one job's trouble, migrations, what a claim looks at.

use std::sync::Arc;

use dogwatch::clock::{Clock, ManualClock};
use dogwatch::store::phone::Said;
use dogwatch::store::{Capacity, Idempotency, Incoming, Recorded, Store};
use escalation::alert::Audience;
use escalation::delivery::Outcome;
use escalation::directory::Service;
use escalation::event::{Actor, Severity, Trigger};
use escalation::name::Name;
use escalation::receipt::Receipt;
use jiff::SignedDuration;
use serde_json::json;

use crate::support::World;
use crate::support::database::Other;

fn trigger(key: &str) -> Incoming {
    let trigger = Trigger {
        audience: Audience::Team(Name::new("ops").unwrap()),
        integration: "team:ops".to_owned(),
        dedup_key: key.to_owned(),
        summary: "x".to_owned(),
        details: String::new(),
        severity: Severity::Error,
        route: escalation::event::Route::default(),
        links: Vec::new(),
        by: Actor::dogwatch(),
    };
    Incoming { trigger, idempotency: None }
}

fn capacity(most: usize) -> Capacity {
    Capacity { busy: std::collections::HashMap::new(), limit: |_| 1_000, most }
}

async fn rows(world: &World, table: &str) -> i64 {
    let count = Other::at(world).await.column(&format!("SELECT count(*) AS it FROM {table}")).await;
    count[0].parse().unwrap()
}

/// Jobs of one transaction look together for what each of them needs: what one of them begins, the next one finds.
#[tokio::test]
async fn events_that_come_at_once_are_recorded_as_each_would_be_by_itself() {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    // One key that is open already, one that is over.
    let Recorded::Alert(open) = world.store.record(trigger("open")).await.unwrap() else {
        panic!("no alert")
    };
    let Recorded::Alert(over) = world.store.record(trigger("over")).await.unwrap() else {
        panic!("no alert")
    };
    world.post(&format!("/api/v1/alerts/{}/resolve", over.number), json!({})).await;
    let one = |place: usize| {
        let key = match place % 8 {
            0 => "open".to_owned(),
            1 => "over".to_owned(),
            // Nasty for whatever is put together of it.
            2 => "a\"b\\c'd{e}\u{1f600}".to_owned(),
            other => format!("key {other}"),
        };
        let mut incoming = trigger(&key);
        // The same request four times.
        if place % 8 == 3 {
            incoming.idempotency = Some(Idempotency { key: "once".to_owned(), request: [7; 32] });
        }
        world.store.record(incoming)
    };
    let all = futures_util::future::join_all((0..32).map(one)).await;
    let mut alerts = std::collections::BTreeMap::new();
    for recorded in all {
        let Recorded::Alert(alert) = recorded.unwrap() else { panic!("no alert") };
        assert_eq!(
            *alerts.entry(alert.dedup_key.clone()).or_insert(alert.number),
            alert.number,
            "one of each"
        );
    }
    assert_eq!(alerts.len(), 8);
    assert_eq!(alerts["open"], open.number);
    assert_ne!(alerts["over"], over.number, "a new one");
    let numbers: std::collections::BTreeSet<u64> = alerts.values().copied().collect();
    assert_eq!(numbers.len(), 8);
    for (key, number) in &alerts {
        let counted = world.get(&format!("/api/v1/alerts/{number}")).await["triggers"].as_u64().unwrap();
        let wanted = match key.as_str() {
            "open" => 5,
            "key 3" => 1,
            _ => 4,
        };
        assert_eq!(counted, wanted, "{key}");
    }
}

#[tokio::test]
async fn accepting_an_event_costs_at_most_four_rows() {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let tables = ["alert", "event", "wake", "page", "delivery", "definition"];
    let count = async || {
        let mut sum = 0;
        for table in tables {
            sum += rows(&world, table).await;
        }
        sum
    };
    let before = count().await;
    world.notify("disk full").await;
    let added = count().await - before;
    assert!(added <= 4, "{added}");
}

#[tokio::test]
async fn a_claim_after_the_acknowledgement_gets_nothing() {
    let mut world = World::new().await;
    world.john_and_bob("webhook:https://x.example", "handset:bob").await;
    world.store.record(trigger("k")).await.unwrap();
    world.store.advance(10).await.unwrap();
    world.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    assert!(world.store.claim(capacity(10)).await.unwrap().claims.is_empty());
    world.settle().await;
    assert!(world.carrier.seen().is_empty());
}

#[tokio::test]
async fn an_old_claim_can_not_settle_and_a_second_claim_finds_nothing() {
    let world = World::new().await;
    world.john_and_bob("webhook:https://x.example", "handset:bob").await;
    // One contact, once: nothing of John's own plan takes the lost delivery's place.
    world.request("DELETE", "/api/v1/people/john/notification-plans/high", None).await;
    world.store.record(trigger("k")).await.unwrap();
    world.store.advance(10).await.unwrap();
    let first = world.store.claim(capacity(10)).await.unwrap().claims.remove(0);
    assert!(world.store.claim(capacity(10)).await.unwrap().claims.is_empty(), "one live claim at a time");
    let lease = first.delivery.lease_until;
    world.clock.set(lease);
    let again = world.store.claim(capacity(10)).await.unwrap().claims;
    let second = again
        .iter()
        .find(|claim| claim.delivery.id == first.delivery.id)
        .expect("tried again when the lease has ended");
    assert_eq!(second.delivery.attempt, first.delivery.attempt + 1);
    let accepted = || Outcome::Accepted { provider_id: String::new() };
    world.store.settle(first.delivery.id, first.delivery.attempt, accepted()).await.unwrap();
    let state = async || world.get("/api/v1/alerts/1").await["deliveries"][0]["state"].clone();
    assert_eq!(state().await, "claimed", "the first sender came too late");
    world.store.settle(second.delivery.id, second.delivery.attempt, accepted()).await.unwrap();
    assert_eq!(state().await, "sent");
}

/// Found by the simulator: half a receipt that was faster than the outcome took away the deadline of the other half.
#[tokio::test]
async fn a_provider_that_says_half_before_its_outcome_is_stored_and_then_nothing_did_not_deliver() {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let (mail, next) = ("email:john@example.org", "handset:john");
    let plan = json!({ "steps": [{ "contact": mail, "wait": "20s" }, { "contact": next }] });
    let john = json!({ "contacts": [mail, next], "notification_plans": { "high": plan } });
    world.request("PUT", "/api/v1/people/john", Some(john)).await;
    world.store.record(trigger("k")).await.unwrap();
    world.store.advance(10).await.unwrap();
    let first = world.store.claim(capacity(10)).await.unwrap().claims.remove(0).delivery;
    assert_eq!(first.contact.to_string(), mail);
    let underway =
        world.store.receipt(first.id, first.attempt, Said::new(Receipt::Underway, "queued".to_owned()));
    underway.await.unwrap();
    let accepted = Outcome::Accepted { provider_id: "1".to_owned() };
    let within = SignedDuration::from_secs(10);
    world.store.settle_awaiting(first.id, first.attempt, accepted, within).await.unwrap();
    let now = world.clock.now();
    world.clock.set(now + within - SignedDuration::from_secs(1));
    assert!(world.store.claim(capacity(10)).await.unwrap().claims.is_empty(), "there is time yet");
    world.clock.set(now + within);
    let claims = world.store.claim(capacity(10)).await.unwrap().claims;
    let contacts: Vec<String> = claims.iter().map(|claim| claim.delivery.contact.to_string()).collect();
    assert_eq!(contacts, [next], "John's next contact, at once");
}

#[tokio::test]
async fn a_panic_in_one_job_undoes_only_that_job() {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    // All in one group: the writer takes up whatever has queued up.
    let good = (0..50).map(|count| world.store.record(trigger(&format!("key {count}"))));
    let edit =
        |_: Option<&serde_json::Value>| -> Result<dogwatch::definition::Write, _> { panic!("on purpose") };
    let bad = world.store.define(
        dogwatch::definition::Kind::Person,
        "eve".to_owned(),
        dogwatch::store::Expect::Any,
        edit,
    );
    let (bad, good) = tokio::join!(bad, futures_util::future::join_all(good));
    assert!(bad.unwrap_err().to_string().contains("on purpose"));
    assert!(good.iter().all(|recorded| matches!(recorded, Ok(Recorded::Alert(_)))));
    assert_eq!(rows(&world, "alert").await, 50);
}

#[tokio::test]
async fn a_database_of_a_newer_schema_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("d.db");
    let clock = || Arc::new(ManualClock::new("2026-03-02T03:00:00Z".parse().unwrap()));
    drop(Store::open_sqlite(&path, clock(), Service::default()).unwrap());
    let lock = std::fs::File::open(folder.path().join("d.db.lock")).unwrap();
    tokio::task::spawn_blocking(move || lock.lock().unwrap()).await.unwrap();
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute("INSERT INTO schema_migration VALUES (99, 'later', x'00', 0)", []).unwrap();
    let wrong = Store::open_sqlite(&path, clock(), Service::default()).err().unwrap();
    assert!(format!("{wrong:#}").contains("newer Dogwatch"), "{wrong:#}");
    connection.execute("DELETE FROM schema_migration WHERE version = 99", []).unwrap();
    connection.execute("UPDATE schema_migration SET sha256 = x'00'", []).unwrap();
    let wrong = Store::open_sqlite(&path, clock(), Service::default()).err().unwrap();
    assert!(format!("{wrong:#}").contains("0001_first"), "{wrong:#}");
}

#[tokio::test]
async fn a_database_that_is_locked_is_a_503_and_work_goes_on_afterwards() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let number = world.notify("disk full").await;
    // Another process holds the database for longer than the writer waits.
    let other = Other::at(&world).await;
    other.lock().await;
    let refused = world.request("POST", "/api/v1/teams/ops/notify", Some(json!({ "summary": "x" }))).await;
    assert_eq!(
        (refused.status, &refused.headers["retry-after"]),
        (503, &"5".parse().unwrap()),
        "{}",
        refused.text
    );
    other.run("ROLLBACK").await;
    world.settle().await;
    assert!(world.story(number).await.contains(&"0 John's handset rings".to_owned()));
}

#[tokio::test]
async fn a_broken_rule_stops_that_alert_alone_and_the_last_resort_hears_of_it() {
    let service = Service {
        last_resort: vec![escalation::plan::Target::Role("email:last@example.org".parse().unwrap())],
        operators: vec!["email:operators@example.org".parse().unwrap()],
    };
    let mut world = World::with(service, |channels, carrier| {
        channels.with(escalation::contact::Kind::Email, carrier.clone())
    })
    .await;
    world.john_and_bob("handset:john", "handset:bob").await;
    for key in ["a", "b"] {
        world.store.record(trigger(key)).await.unwrap();
    }
    world.settle().await;
    // Somebody who has it, of whom nothing is known: no step of ours leaves that behind.
    Other::at(&world).await.run("UPDATE alert SET status = 'acknowledged' WHERE number = 1").await;
    // Three jobs of one group: one meets the broken alert, the others go through.
    let note = |number| {
        let by = Actor::dogwatch();
        let input = escalation::event::Input::Note { by, text: "seen".to_owned() };
        world.store.act(dogwatch::store::AlertRef::Number(number), input)
    };
    let (first, second, third) = tokio::join!(note(1), note(2), world.store.record(trigger("c")));
    assert_eq!(first.unwrap().unwrap().alert.status, escalation::alert::Status::Unanswered);
    assert!(second.is_ok() && matches!(third, Ok(Recorded::Alert(_))));
    world.settle().await;
    let stopped = world.get("/api/v1/alerts/1").await;
    let told: Vec<&str> =
        stopped["timeline"].as_array().unwrap().iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert!(!told.iter().any(|line| line.ends_with("seen")), "nothing of that step is saved: {told:#?}");
    assert!(
        told.iter().any(|line| line.starts_with("Stopped, because of a fault of Dogwatch: rule 2")),
        "{told:#?}"
    );
    assert!(stopped["pages"].as_array().unwrap().iter().all(|page| page["ended_why"] == "fault"));
    assert_eq!(stopped["next"], json!([]));
    let mut warned = world.carrier.sent_to("warning");
    warned.sort();
    assert_eq!(warned, ["email:last@example.org", "email:operators@example.org"]);
    assert_eq!(world.get("/api/v1/alerts/2").await["status"], "triggered");
    // It is open, and a person can still take it.
    let taken = world.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    assert_eq!(taken["status"], "acknowledged");
}
