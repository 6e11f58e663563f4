//! Migrations: numbered SQL, forward only, each in one transaction, with its checksum.

use anyhow::{Context, bail};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

/// Every migration in order. One that has landed is never changed.
const MIGRATIONS: [(&str, &str); 1] =
    [("0001_first", include_str!("../../../migrations/sqlite/0001_first.sql"))];

/// Applies what is missing.
///
/// # Errors
///
/// When the file was made by a newer Dogwatch, or an applied migration differs from ours.
pub(super) fn run(connection: &mut Connection, now: Timestamp) -> anyhow::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS schema_migration (
            version INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 BLOB NOT NULL, applied_at INTEGER NOT NULL
        ) STRICT",
    )?;
    let newest: i64 =
        connection
            .query_row("SELECT coalesce(max(version), 0) FROM schema_migration", [], |row| row.get(0))?;
    if newest > MIGRATIONS.len() as i64 {
        bail!(
            "the database is at schema {newest}, this Dogwatch knows {}; use the newer Dogwatch that wrote it",
            MIGRATIONS.len()
        );
    }
    for (index, (name, sql)) in MIGRATIONS.iter().enumerate() {
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
