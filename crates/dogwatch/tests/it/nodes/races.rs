//! Races of nodes in one process: several stores over one PostgreSQL, each with connections of its own.
//!
//! `DOGWATCH_TEST_RACES` says how many races of an acknowledgement against a claim; scripts/test-nodes runs 100,000.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use dogwatch::channel::providers::health::{Came, Turn, note};
use dogwatch::clock::ManualClock;
use dogwatch::store::outgoing::Listener;
use dogwatch::store::{AlertRef, Capacity, Incoming, Recorded, Store};
use escalation::alert::Audience;
use escalation::directory::Service;
use escalation::event::{Actor, Input, Severity, Trigger};
use escalation::id::AlertId;
use escalation::name::Name;
use serde_json::json;

use crate::support::World;
use crate::support::database::fresh_postgres;

/// People in one turn of the race; each has a mailbox of its own.
const PEOPLE: usize = 128;

/// How many of something a test does when nobody says otherwise.
pub fn many(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

fn trigger(person: &str, key: &str) -> Incoming {
    let trigger = Trigger {
        audience: Audience::Person(Name::new(person).unwrap()),
        integration: format!("person:{person}"),
        dedup_key: key.to_owned(),
        summary: "disk full".to_owned(),
        details: String::new(),
        severity: Severity::Error,
        route: escalation::event::Route::default(),
        links: Vec::new(),
        by: Actor::dogwatch(),
    };
    Incoming { trigger, idempotency: None }
}

fn capacity(most: usize) -> Capacity {
    Capacity { busy: HashMap::new(), limit: |_| 1_000, most }
}

/// So many nodes over a database; the first is a world, so that people can be defined.
async fn nodes(count: usize) -> (World, Vec<Store>, tokio_postgres::Client) {
    let address = fresh_postgres().await;
    let world = World::over(&address).await;
    let mut stores = vec![world.store.clone()];
    for _ in 1..count {
        let clock = Arc::new(ManualClock::new(world.start()));
        stores.push(Store::open_postgres(&address, clock, Service::default()).await.unwrap());
    }
    let (database, connection) = tokio_postgres::connect(&address, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    (world, stores, database)
}

/// One turn: an alert for each person, acknowledged on one node while others claim. Returns how many pages were claimed
/// before, and how many withdrawn.
async fn turn(stores: &[Store], database: &tokio_postgres::Client, turn: usize) -> (usize, usize) {
    let mut alerts = Vec::new();
    for some in (0..PEOPLE).collect::<Vec<_>>().chunks(32) {
        let recorded = some.iter().map(|person| {
            stores[person % stores.len()].record(trigger(&format!("p{person}"), &turn.to_string()))
        });
        for recorded in futures_util::future::join_all(recorded).await {
            let Recorded::Alert(alert) = recorded.unwrap() else { panic!("there is such a person") };
            alerts.push(alert.id);
        }
    }
    while stores[turn % stores.len()].advance(256).await.unwrap().is_full {}
    let acknowledged = Arc::<Mutex<HashSet<AlertId>>>::default();
    let done = Arc::new(AtomicBool::new(false));
    let claims: Vec<_> = stores[1..]
        .iter()
        .map(|store| {
            let (store, acknowledged, done) = (store.clone(), acknowledged.clone(), done.clone());
            tokio::spawn(async move {
                let mut claimed = 0;
                while !done.load(Ordering::SeqCst) {
                    let before = acknowledged.lock().unwrap().clone();
                    let claims = store.claim(capacity(4)).await.unwrap().claims;
                    for claim in &claims {
                        let alert = claim.delivery.alert.unwrap();
                        assert!(
                            !before.contains(&alert),
                            "claimed after it was answered that it is acknowledged"
                        );
                    }
                    claimed += claims.len();
                }
                claimed
            })
        })
        .collect();
    // In another order than they were raised in, so that both ends meet.
    let acks = alerts.iter().rev().enumerate().map(|(place, alert)| {
        let (store, acknowledged, alert) =
            (stores[place % stores.len()].clone(), acknowledged.clone(), *alert);
        async move {
            store
                .act(AlertRef::Id(alert), Input::Acknowledge { by: Actor::dogwatch(), take_over: false })
                .await
                .unwrap()
                .unwrap();
            acknowledged.lock().unwrap().insert(alert);
        }
    });
    let acks: Vec<_> = acks.collect();
    let mut waiting = acks.into_iter();
    loop {
        let some: Vec<_> = waiting.by_ref().take(16).collect();
        if some.is_empty() {
            break;
        }
        futures_util::future::join_all(some).await;
    }
    done.store(true, Ordering::SeqCst);
    let mut claimed = 0;
    for claim in claims {
        claimed += claim.await.unwrap();
    }
    // What PostgreSQL itself says of the order of the commits.
    let later = "SELECT count(*) FROM delivery JOIN alert ON alert.id = delivery.alert \
         WHERE delivery.state = 'claimed' AND alert.status = 'acknowledged' \
         AND pg_xact_commit_timestamp(delivery.xmin) > pg_xact_commit_timestamp(alert.xmin)";
    assert_eq!(database.query_one(later, &[]).await.unwrap().get::<_, i64>(0), 0);
    let states = "SELECT count(*) FILTER (WHERE state = 'claimed'), count(*) FILTER (WHERE state = 'withdrawn'), count(*) \
         FROM delivery WHERE purpose = 'page'";
    let states = database.query_one(states, &[]).await.unwrap();
    let count = |column: usize| usize::try_from(states.get::<_, i64>(column)).unwrap();
    assert_eq!((count(0), count(0) + count(1), count(2)), (claimed, PEOPLE, PEOPLE));
    database.batch_execute("TRUNCATE alert, page, event, wake, delivery, mailbox").await.unwrap();
    (claimed, count(1))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_claimed_on_any_node_after_the_commit_of_its_acknowledgement() {
    let races = many("DOGWATCH_TEST_RACES", 4 * PEOPLE);
    let (world, stores, database) = nodes(3).await;
    let tracked = database.query_one("SHOW track_commit_timestamp", &[]).await.unwrap();
    assert_eq!(tracked.get::<_, &str>(0), "on", "the server has to tell the order of commits");
    for person in 0..PEOPLE {
        let contact = format!("handset:p{person}");
        world.post("/api/v1/people", json!({ "name": format!("p{person}"), "contacts": [contact] })).await;
    }
    let (mut claimed, mut withdrawn) = (0, 0);
    for count in 0..races.div_ceil(PEOPLE) {
        let (more_claimed, more_withdrawn) = turn(&stores, &database, count).await;
        claimed += more_claimed;
        withdrawn += more_withdrawn;
    }
    println!(
        "{} races: {claimed} pages were claimed first, {withdrawn} acknowledged first",
        claimed + withdrawn
    );
    assert!(claimed > 0 && withdrawn > 0, "a race has two winners: {claimed} and {withdrawn}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_writers_of_one_key_at_three_nodes_one_opens_the_alert_however_often() {
    let (world, stores, database) = nodes(3).await;
    world.post("/api/v1/people", json!({ "name": "john", "contacts": ["handset:john"] })).await;
    for round in 0..many("DOGWATCH_TEST_KEYS", 20) {
        let key = round.to_string();
        let writers = (0..64).map(|writer| {
            let (store, key) = (stores[writer % 3].clone(), key.clone());
            tokio::spawn(async move { store.record(trigger("john", &key)).await.unwrap() })
        });
        let mut seen = HashSet::new();
        for recorded in futures_util::future::join_all(writers).await {
            let Recorded::Alert(alert) = recorded.unwrap() else { panic!("there is such a person") };
            seen.insert(alert.id);
        }
        assert_eq!(seen.len(), 1, "all were told of the same alert");
        let stored = "SELECT count(*), max(triggers) FROM alert WHERE dedup_key = $1";
        let stored = database.query_one(stored, &[&key]).await.unwrap();
        assert_eq!((stored.get::<_, i64>(0), stored.get::<_, i64>(1)), (1, 64));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_sent_to_a_provider_in_a_second_is_shared_by_all_nodes() {
    let (_world, stores, _) = nodes(3).await;
    let begun = (0..60).map(|count| {
        let store = stores[count % 3].clone();
        tokio::spawn(async move {
            let change = |standing: &mut _, now| note(standing, &Turn::Begin(10), now);
            store.change_standing("main".to_owned(), change).await.unwrap().expect("there are others").0
        })
    });
    let begun = futures_util::future::join_all(begun).await;
    assert_eq!(begun.into_iter().filter(|came| *came.as_ref().unwrap() == Came::Noted).count(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_an_older_configuration_forgets_nothing_that_another_has_to_tell() {
    let (world, stores, database) = nodes(2).await;
    world.post("/api/v1/people", json!({ "name": "john", "contacts": ["handset:john"] })).await;
    let board = Listener { name: "board".to_owned(), teams: Vec::new(), kinds: Vec::new() };
    stores[0].tell_listeners(vec![board]).await.unwrap();
    stores[0].record(trigger("john", "disk")).await.unwrap();
    let waiting = async || {
        let count = "SELECT count(*) FROM outgoing WHERE subscriber = 'board'";
        database.query_one(count, &[]).await.unwrap().get::<_, i64>(0)
    };
    assert_eq!(waiting().await, 1);
    stores[1].tell_listeners(Vec::new()).await.unwrap();
    assert_eq!(waiting().await, 1, "a change of the configuration may be on its way through the nodes");
}
