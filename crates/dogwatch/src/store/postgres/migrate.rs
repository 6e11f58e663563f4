//! Migrations of PostgreSQL: numbered as those of SQLite are, forward only, each in one transaction, with its checksum.
//! Nodes that start at the same time take turns.

use anyhow::{Context, bail};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio_postgres::Client;

/// The first number: everything before it is in it.
const FIRST: i64 = 9;

/// Every migration in order, from [`FIRST`] on. One that has landed is never changed.
const MIGRATIONS: [(&str, &str); 5] = [
    ("0009_intake", include_str!("../../../migrations/postgres/0009_intake.sql")),
    ("0010_carriers", include_str!("../../../migrations/postgres/0010_carriers.sql")),
    ("0011_reach", include_str!("../../../migrations/postgres/0011_reach.sql")),
    ("0012_nodes", include_str!("../../../migrations/postgres/0012_nodes.sql")),
    ("0013_replies", include_str!("../../../migrations/postgres/0013_replies.sql")),
];

/// What nodes that migrate lock: any number that nobody else uses.
const LOCK: i64 = 0x646f_675f_6d69_6772;

/// How long a node waits for another that migrates. A large table takes its time.
const PATIENCE_MILLIS: u32 = 600_000;

/// Applies what is missing.
///
/// # Errors
///
/// When the database was made by a newer Dogwatch, or an applied migration differs from ours.
pub(super) async fn run(client: &mut Client, now: Timestamp) -> anyhow::Result<()> {
    client.batch_execute(&format!("SET lock_timeout = {PATIENCE_MILLIS}")).await?;
    client
        .execute("SELECT pg_advisory_lock($1)", &[&LOCK])
        .await
        .context("another node has been bringing the database up to date for ten minutes")?;
    let done = apply(client, now).await;
    client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await?;
    done
}

async fn apply(client: &mut Client, now: Timestamp) -> anyhow::Result<()> {
    client
        .batch_execute(
            "CREATE TABLE IF NOT EXISTS schema_migration (version BIGINT PRIMARY KEY, name TEXT NOT NULL, \
             sha256 BYTEA NOT NULL, applied_at BIGINT NOT NULL)",
        )
        .await?;
    let newest: i64 =
        client.query_one("SELECT coalesce(max(version), 0) FROM schema_migration", &[]).await?.get(0);
    let last = FIRST + MIGRATIONS.len() as i64 - 1;
    if newest > last {
        bail!(
            "the database is at schema {newest}, this Dogwatch knows {last}; use the newer Dogwatch that wrote it"
        );
    }
    for (version, (name, sql)) in (FIRST..).zip(MIGRATIONS) {
        let sum = Sha256::digest(sql.as_bytes()).to_vec();
        let applied =
            client.query_opt("SELECT sha256 FROM schema_migration WHERE version = $1", &[&version]).await?;
        match applied.map(|row| row.get::<_, Vec<u8>>(0)) {
            Some(applied) if applied == sum => {}
            Some(_) => bail!("migration {name} is not the one that made this database"),
            None => {
                let transaction = client.transaction().await?;
                transaction.batch_execute(sql).await.with_context(|| format!("migration {name}"))?;
                let add = "INSERT INTO schema_migration (version, name, sha256, applied_at) VALUES ($1, $2, $3, $4)";
                transaction.execute(add, &[&version, &name, &sum, &now.as_millisecond()]).await?;
                transaction.commit().await?;
            }
        }
    }
    Ok(())
}
