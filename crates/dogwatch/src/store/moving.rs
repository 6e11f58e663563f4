//! Moving house: everything that an SQLite file holds, into an empty PostgreSQL.
//!
//! Rows are copied in the order of their keys, many at a time. A move that broke off goes on where it was when it is begun
//! again with the same file; if the file has changed meanwhile, it begins anew. Until it is through, no node starts over
//! the new database. The file stays as it is.

use std::path::Path;

use anyhow::{Context, bail};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::StoreError;
use super::postgres::{PgSql, alone};
use super::sql::{Cell, Row, Sql, Value, values};
use super::sqlite::connection::{SqliteSql, at_once};
use super::sqlite::open_alone;

/// A table: its columns, of which the first so many are its key.
struct Table {
    name: &'static str,
    columns: &'static [&'static str],
    key: usize,
}

const fn table(name: &'static str, key: usize, columns: &'static [&'static str]) -> Table {
    Table { name, columns, key }
}

/// Every table but that of the last requests of integrations, which are there to be looked at only. Alerts come before
/// what belongs to them.
const TABLES: [Table; 27] = [
    table("definition", 1, &["version", "kind", "name", "valid_from", "body", "owner"]),
    table("token", 1, &["id", "hash", "name", "person", "strong", "created_at", "expires_at", "revoked_at"]),
    table("sign_in", 1, &["hash", "person", "created_at", "expires_at"]),
    table("session", 1, &["hash", "person", "created_at", "expires_at"]),
    table("secret", 1, &["name", "value"]),
    table(
        "integration_key",
        1,
        &["id", "integration", "hash", "ending", "created_at", "expires_at", "revoked_at"],
    ),
    table("push_subscription", 1, &["endpoint", "person", "key", "auth", "created_at"]),
    table("reply_line", 1, &["contact", "stopped_at", "wrong", "wrong_since", "unclear"]),
    table("callback_seen", 1, &["id", "at"]),
    table("heartbeat", 1, &["name", "last_at", "pinged", "check_at", "is_late"]),
    table("duty", 3, &["roster", "name", "role", "seen", "check_at"]),
    table("silence_look", 1, &["id", "check_at", "integration", "dedup_key"]),
    table("mailbox", 1, &["person", "body"]),
    table(
        "alert",
        1,
        &[
            "number",
            "id",
            "audience_kind",
            "audience",
            "integration",
            "dedup_key",
            "summary",
            "details",
            "severity",
            "links",
            "status",
            "created_at",
            "triggered_at",
            "triggers",
            "round",
            "round_started_at",
            "since_round",
            "next_step",
            "passes",
            "fired",
            "last_resort",
            "roles",
            "acknowledged",
            "resolved",
            "roles_reached",
            "wakes",
            "is_open",
            "has_begun",
            "snoozed",
            "silenced",
            "insists",
            "merged_into",
            "route",
        ],
    ),
    table(
        "page",
        1,
        &[
            "id",
            "alert",
            "person",
            "urgency",
            "round",
            "escalation_step",
            "started_at",
            "plan_step",
            "step_started_at",
            "reached",
            "accepted",
            "failed",
            "ended_at",
            "ended_why",
            "asks",
            "deferred_until",
            "redialled",
        ],
    ),
    table(
        "event",
        2,
        &[
            "alert",
            "seq",
            "at",
            "kind",
            "round",
            "person",
            "label",
            "via",
            "text",
            "detail",
            "idempotency",
            "request",
        ],
    ),
    table("wake", 4, &["due_at", "alert", "name", "page"]),
    table(
        "delivery",
        1,
        &[
            "id",
            "alert",
            "page",
            "person",
            "contact",
            "provider",
            "purpose",
            "round",
            "step",
            "text",
            "created_at",
            "state",
            "not_before",
            "attempt",
            "unknown",
            "lease_until",
            "expires_at",
            "history",
            "bundle",
        ],
    ),
    table("receipt", 2, &["delivery", "attempt", "state", "detail", "at", "due_at", "told"]),
    table("reply_code", 2, &["person", "code", "alert", "given_at"]),
    table(
        "chat_message",
        2,
        &["alert", "delivery", "contact", "provider_id", "shown", "tries", "not_before"],
    ),
    table("grouped", 3, &["integration", "dedup_key", "member"]),
    table("outgoing", 1, &["seq", "subscriber", "alert", "at", "body", "tries", "not_before"]),
    table("follower", 2, &["alert", "person"]),
    table(
        "contact_state",
        2,
        &[
            "person",
            "contact",
            "verified_at",
            "code",
            "code_until",
            "wrong",
            "failures",
            "dead_at",
            "tested_at",
            "sounded",
            "bounces",
            "asked",
            "asked_from",
        ],
    ),
    table("node", 1, &["name", "machine", "version", "started_at", "seen_at", "ahead_millis"]),
    table(
        "provider",
        1,
        &["name", "second", "begun", "failures", "rest_until", "rest_why", "held_until", "told_at"],
    ),
];

/// Rows that are read at once.
const BATCH: usize = 1_000;
/// The most values of one statement; PostgreSQL takes no more than 65,535.
const MOST_VALUES: usize = 8_000;

/// Copies everything from the file at `from` to the database at `to`. `told` hears of each table how many rows of how
/// many have been copied.
///
/// # Errors
///
/// When a Dogwatch runs over either, the other database holds something else, or either can't be used. Then what was
/// copied stays, and the next move goes on from there.
pub async fn move_house(
    from: &Path,
    to: &str,
    now: Timestamp,
    mut told: impl FnMut(&str, u64, u64) + Send + 'static,
) -> anyhow::Result<u64> {
    let (mut old, _only) = open_alone(from, now)?;
    let file = mark(&old, from).with_context(|| format!("can't read {}", from.display()))?;
    alone(to, now, async move |new: &mut PgSql| {
        begin(new, file).await?;
        let mut sum = 0;
        for table in &TABLES {
            sum += copy(&mut old, new, table, &mut told).await.with_context(|| table.name.to_owned())?;
        }
        end(new).await?;
        Ok(sum)
    })
    .await
}

/// Only into a database that is empty, or in which a move broke off. What that one has copied of another file, or of the
/// same one as it was before, is thrown away.
async fn begin(new: &mut PgSql, file: i64) -> anyhow::Result<()> {
    let under_way = new.first("SELECT version FROM change WHERE what = 'moving'", values![]).await?;
    match under_way.map(|mut row| row.get::<i64>(0)).transpose()? {
        Some(known) if known == file => return Ok(()),
        Some(_) => {}
        None => {
            for name in ["alert", "definition"] {
                let count: i64 = new.value(&format!("SELECT count(*) FROM {name}"), values![]).await?;
                if count > 0 {
                    bail!(
                        "the database holds {count} rows in the table {name} already; name one that is empty"
                    );
                }
            }
        }
    }
    new.begin().await?;
    // A node that was started over it has made keys of its own.
    for table in &TABLES {
        new.change(&format!("DELETE FROM {}", table.name), values![]).await?;
    }
    new.change("DELETE FROM change WHERE what = 'moving'", values![]).await?;
    new.change("INSERT INTO change (what, version) VALUES ('moving', ?1)", values![file]).await?;
    Ok(new.commit().await?)
}

/// What tells the file at `path`, of which all is in its place, from what it was or will be.
fn mark(old: &SqliteSql, path: &Path) -> anyhow::Result<i64> {
    old.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let mut hash = Sha256::new();
    let (mut file, mut some) = (std::fs::File::open(path)?, vec![0; 1 << 20]);
    loop {
        match std::io::Read::read(&mut file, &mut some)? {
            0 => break,
            count => hash.update(&some[..count]),
        }
    }
    let first = hash.finalize().first_chunk::<8>().copied().unwrap_or_default();
    Ok(i64::from_be_bytes(first))
}

/// New rows get numbers after those that were copied, and nodes may start.
async fn end(new: &mut PgSql) -> Result<(), StoreError> {
    new.begin().await?;
    for (name, column) in [("alert", "number"), ("definition", "version"), ("outgoing", "seq")] {
        let statement = format!(
            "SELECT setval(pg_get_serial_sequence('{name}', '{column}'), \
             (SELECT coalesce(max({column}), 0) + 1 FROM {name}), false)"
        );
        new.rows(&statement, values![]).await?;
    }
    new.change("DELETE FROM change WHERE what = 'moving'", values![]).await?;
    new.change("UPDATE change SET version = version + 1 WHERE what = 'access'", values![]).await?;
    new.commit().await
}

fn cells<'a>(row: &'a [Cell]) -> impl Iterator<Item = Value<'a>> {
    row.iter().map(|cell| match cell {
        Cell::Null => Value::Null,
        Cell::Integer(number) => Value::Integer(*number),
        Cell::Text(text) => Value::Text(text),
        Cell::Bytes(bytes) => Value::Bytes(bytes),
    })
}

/// `?1, ?2` and so on, from a number on.
fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("?{number}")).collect::<Vec<_>>().join(", ")
}

async fn copy(
    old: &mut SqliteSql,
    new: &mut PgSql,
    table: &Table,
    told: &mut impl FnMut(&str, u64, u64),
) -> anyhow::Result<u64> {
    let Table { name, columns, key } = table;
    let count = format!("SELECT count(*) FROM {name}");
    let all: i64 = at_once(old.value(&count, values![]))?;
    let all = u64::try_from(all)?;
    let (list, keys) = (columns.join(", "), columns[..*key].join(", "));
    let newest =
        format!("SELECT {keys} FROM {name} ORDER BY {} DESC LIMIT 1", columns[..*key].join(" DESC, "));
    // What was copied before is all that comes before the last of it.
    let mut last: Option<Vec<Cell>> = new.first(&newest, values![]).await?.map(Row::into_cells);
    let mut done = u64::try_from(new.value::<i64>(&count, values![]).await?)?;
    loop {
        let (after, from) = match &last {
            Some(last) => {
                (cells(last).collect::<Vec<_>>(), format!("WHERE ({keys}) > ({})", placeholders(1, *key)))
            }
            None => (Vec::new(), String::new()),
        };
        let statement = format!("SELECT {list} FROM {name} {from} ORDER BY {keys} LIMIT {BATCH}");
        let rows = at_once(old.rows(&statement, &after))?;
        let is_last = rows.len() < BATCH;
        let rows: Vec<Vec<Cell>> = rows.into_iter().map(Row::into_cells).collect();
        new.begin().await?;
        for some in rows.chunks((MOST_VALUES / columns.len()).max(1)) {
            let places = (0..some.len())
                .map(|row| format!("({})", placeholders(row * columns.len() + 1, columns.len())));
            let places = places.collect::<Vec<_>>().join(", ");
            let statement = format!("INSERT INTO {name} ({list}) VALUES {places}");
            let values: Vec<Value<'_>> = some.iter().flat_map(|row| cells(row)).collect();
            new.changed(&statement, &values).await?;
        }
        new.commit().await?;
        done += rows.len() as u64;
        told(name, done, all);
        match rows.into_iter().next_back() {
            Some(mut row) if !is_last => {
                row.truncate(*key);
                last = Some(row);
            }
            _ => break,
        }
    }
    let arrived: i64 = new.value(&count, values![]).await?;
    if arrived != i64::try_from(all)? {
        bail!("{all} rows were there and {arrived} have arrived; nothing is lost: the file is as it was");
    }
    Ok(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::store::sqlite::migrate;

    #[test]
    fn every_table_with_each_of_its_columns_is_carried_over() {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        migrate::run(&mut connection, Timestamp::UNIX_EPOCH).unwrap();
        let texts = |query: &str| -> Vec<String> {
            let mut statement = connection.prepare(query).unwrap();
            statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
        };
        for name in texts("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'") {
            if name == "schema_migration" || name == "received" {
                continue;
            }
            let known = TABLES.iter().find(|table| table.name == name);
            let mut known = known.unwrap_or_else(|| panic!("{name} is left behind")).columns.to_vec();
            let mut there = texts(&format!("SELECT name FROM pragma_table_info('{name}')"));
            known.sort_unstable();
            there.sort_unstable();
            assert_eq!(known, there, "{name}");
        }
    }
}
