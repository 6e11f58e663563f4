//! What integrations sent last, and the problems that one alert counts together: rows in and out.

use escalation::name::Name;
use jiff::Timestamp;

use super::codec::{from_json, instant, limit, small, to_json};
use super::{Row, Sql, values};
use crate::store::StoreError;
use crate::store::reception::{KEPT, Outcome, Received, Reception};

const COLUMNS: &str = "at, request, format, raw, size, outcome";

/// Keeps a request, and lets the oldest go.
pub(super) async fn insert(
    sql: &mut impl Sql,
    now: Timestamp,
    reception: &Reception,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    let integration = reception.integration.as_str();
    let statement = "INSERT INTO received (integration, seq, at, request, format, raw, size, outcome) \
         VALUES (?1, (SELECT coalesce(max(seq), 0) + 1 FROM received WHERE integration = ?1), \
         ?2, ?3, ?4, ?5, ?6, ?7) RETURNING seq";
    let outcome = to_json(outcome)?;
    let values = values![
        integration,
        now.as_millisecond(),
        &reception.request,
        reception.format,
        &reception.raw,
        limit(reception.size),
        &outcome,
    ];
    let seq: i64 = sql.value(statement, values).await?;
    if seq > KEPT {
        let statement = "DELETE FROM received WHERE integration = ?1 AND seq <= ?2";
        sql.change(statement, values![integration, seq - KEPT]).await?;
    }
    Ok(())
}

fn read(row: &mut Row) -> Result<Received, StoreError> {
    Ok(Received {
        at: instant(row.get(0)?)?,
        request: row.get(1)?,
        format: row.get(2)?,
        raw: row.get(3)?,
        size: small(row.get(4)?)?,
        outcome: from_json(&row.get::<String>(5)?)?,
    })
}

/// The last requests of an integration, newest first.
pub(in crate::store) async fn last(
    sql: &mut impl Sql,
    integration: &Name,
    most: usize,
) -> Result<Vec<Received>, StoreError> {
    let statement =
        format!("SELECT {COLUMNS} FROM received WHERE integration = ?1 ORDER BY seq DESC LIMIT ?2");
    let rows = sql.rows(&statement, values![integration.as_str(), limit(most)]).await?;
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

/// One request of an integration.
pub(in crate::store) async fn by_request(
    sql: &mut impl Sql,
    integration: &Name,
    request: &str,
) -> Result<Option<Received>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM received WHERE request = ?2 AND integration = ?1");
    let found = sql.first(&statement, values![integration.as_str(), request]).await?;
    found.map(|mut row| read(&mut row)).transpose()
}

/// One more problem is counted together with others.
pub(super) async fn join(
    sql: &mut impl Sql,
    integration: &Name,
    key: &str,
    member: &str,
) -> Result<(), StoreError> {
    let statement = "INSERT INTO grouped (integration, dedup_key, member) VALUES (?1, ?2, ?3) \
         ON CONFLICT DO NOTHING";
    sql.change(statement, values![integration.as_str(), key, member]).await
}

/// The key of the alert that counts a problem together with others.
pub(super) async fn group_of(
    sql: &mut impl Sql,
    integration: &Name,
    member: &str,
) -> Result<Option<String>, StoreError> {
    let statement = "SELECT dedup_key FROM grouped WHERE integration = ?1 AND member = ?2";
    let found = sql.first(statement, values![integration.as_str(), member]).await?;
    found.map(|mut row| row.get(0)).transpose()
}

/// A problem is gone. Returns how many are left that are counted together with it.
pub(super) async fn leave(
    sql: &mut impl Sql,
    integration: &Name,
    key: &str,
    member: &str,
) -> Result<u64, StoreError> {
    let statement = "DELETE FROM grouped WHERE integration = ?1 AND dedup_key = ?2 AND member = ?3";
    sql.change(statement, values![integration.as_str(), key, member]).await?;
    let statement = "SELECT count(*) FROM grouped WHERE integration = ?1 AND dedup_key = ?2";
    small(sql.value(statement, values![integration.as_str(), key]).await?)
}

/// An alert has begun: whatever was counted together before it belongs to one that is over.
pub(super) async fn clear(sql: &mut impl Sql, integration: &Name, key: &str) -> Result<(), StoreError> {
    let statement = "DELETE FROM grouped WHERE integration = ?1 AND dedup_key = ?2";
    sql.change(statement, values![integration.as_str(), key]).await
}
