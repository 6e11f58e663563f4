//! A run of the core is a function of its inputs, its times and its chance, and of nothing else.

use std::collections::HashMap;

use escalation::delivery::{Outcome, Refusal};
use escalation::event::{Actor, Severity, Trigger};
use escalation::name::Name;
use rusqlite::types::Value;
use serde_json::json;

use super::*;
use crate::definition::{Kind, Write};
use crate::store::Capacity;
use crate::store::sqlite::connection::{SqliteRows, SqliteSql, at_once};
use crate::store::sqlite::migrate;
use crate::store::{Defining, Edit, Expect};
use escalation::alert::Audience;
use rusqlite::Connection;

/// A page that a provider refuses twice, with chance from `seed`: every row that is left, as text.
fn rows_after_a_refused_page(seed: u64) -> Vec<String> {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate::run(&mut connection, Timestamp::UNIX_EPOCH).unwrap();
    let mut drawn = seed;
    let chance = move || {
        drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        drawn ^ (drawn >> 29)
    };
    let start = Timestamp::from_second(1_800_000_000).unwrap();
    let mut core = at_once(Core::open(
        SqliteRows::new(SqliteSql::new(connection)),
        Service::default(),
        start,
        Box::new(chance),
    ))
    .unwrap();
    let body = json!({ "name": "john", "full_name": "John", "contacts": ["handset:john"] });
    let john =
        Edit { name: "john".to_owned(), expect: Expect::Any, write: Write::Put { kind: Kind::Person, body } };
    let trigger = Trigger {
        audience: Audience::Person(Name::new("john").unwrap()),
        integration: "person:john".to_owned(),
        dedup_key: "disk".to_owned(),
        summary: "disk full".to_owned(),
        details: String::new(),
        severity: Severity::Critical,
        route: escalation::event::Route::default(),
        links: Vec::new(),
        by: Actor::dogwatch(),
    };
    at_once(core.begin()).unwrap();
    assert!(matches!(at_once(core.define_all(start, &[john])).unwrap(), Defining::Done(_)));
    at_once(core.record(start, &Incoming { trigger, idempotency: None })).unwrap();
    at_once(core.advance(start, 10)).unwrap();
    let capacity = Capacity { busy: HashMap::new(), limit: |_| 10, most: 10 };
    let refused = Outcome::Refused { why: "busy".to_owned(), refusal: Refusal::Passing };
    let mut sent = 0;
    for minute in 0..2 {
        let now = start + jiff::SignedDuration::from_mins(minute);
        for claim in at_once(core.claim(now, &capacity)).unwrap().claims {
            at_once(core.settle(now, claim.delivery.id, claim.delivery.attempt, &refused)).unwrap();
            sent += 1;
        }
    }
    assert!(sent > 0, "the page was never sent");
    at_once(core.commit()).unwrap();
    dump(&core.rows.sql.connection)
}

fn dump(connection: &Connection) -> Vec<String> {
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables: Vec<String> =
        tables.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let mut all = Vec::new();
    for table in tables {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let row: Vec<Value> = (0..columns).map(|column| row.get(column).unwrap()).collect();
            all.push(format!("{table} {row:?}"));
        }
    }
    all
}

#[test]
fn the_same_chance_leaves_the_same_rows() {
    assert_eq!(rows_after_a_refused_page(7), rows_after_a_refused_page(7));
    assert_ne!(
        rows_after_a_refused_page(7),
        rows_after_a_refused_page(8),
        "ids are drawn from the chance given"
    );
}
