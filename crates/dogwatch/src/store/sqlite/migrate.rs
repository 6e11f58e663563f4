//! Migrations: numbered SQL, forward only, each in one transaction, with its checksum.

use anyhow::{Context, bail};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

/// Every migration in order. One that has landed is never changed.
const MIGRATIONS: [(&str, &str); 13] = [
    ("0001_first", include_str!("../../../migrations/sqlite/0001_first.sql")),
    ("0002_fewer_trees", include_str!("../../../migrations/sqlite/0002_fewer_trees.sql")),
    ("0003_duty", include_str!("../../../migrations/sqlite/0003_duty.sql")),
    ("0004_mailbox", include_str!("../../../migrations/sqlite/0004_mailbox.sql")),
    ("0005_lifecycle", include_str!("../../../migrations/sqlite/0005_lifecycle.sql")),
    ("0006_plans", include_str!("../../../migrations/sqlite/0006_plans.sql")),
    ("0007_phone", include_str!("../../../migrations/sqlite/0007_phone.sql")),
    ("0008_chat", include_str!("../../../migrations/sqlite/0008_chat.sql")),
    ("0009_intake", include_str!("../../../migrations/sqlite/0009_intake.sql")),
    ("0010_carriers", include_str!("../../../migrations/sqlite/0010_carriers.sql")),
    ("0011_reach", include_str!("../../../migrations/sqlite/0011_reach.sql")),
    ("0012_nodes", include_str!("../../../migrations/sqlite/0012_nodes.sql")),
    ("0013_replies", include_str!("../../../migrations/sqlite/0013_replies.sql")),
];

/// Applies what is missing.
///
/// # Errors
///
/// When the file was made by a newer Dogwatch, or an applied migration differs from ours.
pub(in crate::store) fn run(connection: &mut Connection, now: Timestamp) -> anyhow::Result<()> {
    apply(connection, now, &MIGRATIONS)
}

fn apply(connection: &mut Connection, now: Timestamp, migrations: &[(&str, &str)]) -> anyhow::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migration (
            version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 BLOB NOT NULL, applied_at INTEGER NOT NULL
        ) STRICT",
    )?;
    let newest: i64 =
        connection
            .query_row("SELECT coalesce(max(version), 0) FROM schema_migration", [], |row| row.get(0))?;
    if newest > migrations.len() as i64 {
        bail!(
            "the database is at schema {newest}, this Dogwatch knows {}; use the newer Dogwatch that wrote it",
            migrations.len()
        );
    }
    for (index, (name, sql)) in migrations.iter().enumerate() {
        let version = index as i64 + 1;
        let sum = Sha256::digest(sql.as_bytes()).to_vec();
        let applied: Option<Vec<u8>> = connection
            .query_row("SELECT sha256 FROM schema_migration WHERE version = ?1", [version], |row| row.get(0))
            .optional()?;
        match applied {
            Some(applied) if applied == sum => {}
            Some(_) => bail!("migration {name} is not the one that made this database"),
            None => {
                let transaction = connection.transaction()?;
                transaction.execute_batch(sql).with_context(|| format!("migration {name}"))?;
                transaction.execute(
                    "INSERT INTO schema_migration (version, name, sha256, applied_at) VALUES (?1, ?2, ?3, ?4)",
                    params![version, name, sum, now.as_millisecond()],
                )?;
                transaction.commit()?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::store::AlertRef;
    use crate::store::rows::Keys;
    use crate::store::sql::{alert, delivery, event, read, silence, wake};
    use crate::store::sqlite::connection::{SqliteSql, at_once};

    /// What the first Dogwatch left behind: an alert that waits for its next step, with its history.
    const FIRST: &str = r#"
        INSERT INTO alert VALUES (7, x'01980000000070008000000000000001', 'team', 'ops', 'notify', 'k', 'disk full',
            '', 'critical', '[]', 'triggered', 1000, 1000, 1, 1, 1000, 1, 1, 0, 1, 0, 0, NULL, NULL, '[]');
        INSERT INTO event VALUES (1, 1000, x'01980000000070008000000000000001', 'triggered', 1, NULL, NULL, NULL,
            'disk full', NULL, 'key', x'00');
        INSERT INTO event VALUES (2, 2000, x'01980000000070008000000000000001', 'note', 1, NULL, 'john', 'api',
            'looking', NULL, NULL, NULL);
        INSERT INTO wake VALUES (x'01980000000070008000000000000001', 'escalate', x'', 61000);
        INSERT INTO wake VALUES (x'01980000000070008000000000000001', 'page',
            x'01980000000070008000000000000002', 31000);
        INSERT INTO page VALUES (x'01980000000070008000000000000002', x'01980000000070008000000000000001', 'john',
            'high', 1, 0, 1000, 0, 1000, NULL, 0, 0, NULL, NULL);
        INSERT INTO delivery VALUES (x'01980000000070008000000000000003', x'01980000000070008000000000000001',
            x'01980000000070008000000000000002', 'john', 'handset:john', 'handset', 'page', 1, 0, '', 1000, 'ready',
            9000, 1, 0, 31000, '{"at":2000,"attempt":1,"outcome":"refused","detail":"busy"}' || char(10));"#;

    #[test]
    fn a_database_of_the_first_schema_keeps_its_alerts_their_history_and_their_wakes() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, Timestamp::UNIX_EPOCH, &MIGRATIONS[..1]).unwrap();
        connection.execute_batch(FIRST).unwrap();
        run(&mut connection, Timestamp::UNIX_EPOCH).unwrap();
        let mut sql = SqliteSql::new(connection);
        let record = at_once(read::alert(&mut sql, AlertRef::Number(7))).unwrap().unwrap();
        let due: Vec<_> = record.state.wakes.values().map(|at| at.as_millisecond()).collect();
        assert_eq!(due, [61_000, 31_000]);
        let told: Vec<_> = record.history.iter().map(|entry| entry.text.as_str()).collect();
        assert_eq!(told, ["disk full", "looking"]);
        let queued = at_once(wake::due(&mut sql, "1970-01-01T00:01:01Z".parse().unwrap(), 9)).unwrap().len();
        assert_eq!(queued, 2);
        let sent = &record.deliveries[0];
        assert_eq!(sent.delivery.alert, Some(record.state.alert.id));
        assert_eq!(sent.delivery.page, Some(record.state.pages[0].id));
        assert_eq!((sent.delivery.not_before.as_millisecond(), sent.delivery.expires_at), (9_000, None));
        assert_eq!(sent.attempts[0].detail, "busy");
        let ready = at_once(delivery::ready(&mut sql, "handset", "1970-01-01T00:01:01Z".parse().unwrap(), 9))
            .unwrap();
        assert_eq!(ready.len(), 1);
        let begun = at_once(alert::begun(&mut sql, "ops")).unwrap();
        assert_eq!(begun, [record.state.alert.id], "its first step has fired");
    }

    #[test]
    fn a_database_from_before_the_whole_life_of_alerts_keeps_what_was_open_and_what_was_over() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, Timestamp::UNIX_EPOCH, &MIGRATIONS[..1]).unwrap();
        connection.execute_batch(FIRST).unwrap();
        apply(&mut connection, Timestamp::UNIX_EPOCH, &MIGRATIONS[..3]).unwrap();
        let over = "INSERT INTO alert SELECT 8, x'01980000000070008000000000000009', audience_kind, audience, \
             integration, 'old', summary, details, severity, links, 'resolved', created_at, triggered_at, triggers, \
             round, round_started_at, since_round, next_step, passes, fired, last_resort, roles, NULL, \
             '{\"person\":null,\"label\":\"john\",\"via\":\"api\",\"at\":2000}', '[]', '[]', 0, 1 FROM alert";
        connection.execute_batch(over).unwrap();
        run(&mut connection, Timestamp::UNIX_EPOCH).unwrap();
        let mut sql = SqliteSql::new(connection);
        let open = at_once(read::alert(&mut sql, AlertRef::Number(7))).unwrap().unwrap().state;
        escalation::invariant::check(&open).unwrap();
        assert_eq!(open.pages[0].asks, escalation::page::Asks::Anybody);
        assert_eq!((open.alert.snoozed, open.alert.silenced, open.alert.merged_into), (None, None, None));
        let keys = Keys { request: None, integration: "notify", dedup_key: "old" };
        let found = at_once(event::known(&mut sql, &[keys])).unwrap().remove(0);
        assert_eq!(found.over.map(|alert| alert.number), Some(8), "it may be opened again");
        let look = at_once(silence::lock(&mut sql)).unwrap().unwrap();
        assert_eq!((look.check_at, look.after), (None, None));
    }
}
