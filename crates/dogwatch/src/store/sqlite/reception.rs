//! What integrations sent last, and the problems that one alert counts together: rows in and out.

use escalation::name::Name;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::codec::{from_json, instant, to_json};
use crate::store::StoreError;
use crate::store::reception::{KEPT, Outcome, Received, Reception};

const COLUMNS: &str = "at, request, format, raw, size, outcome";

/// Keeps a request, and lets the oldest go.
pub(super) fn insert(
    connection: &Connection,
    now: Timestamp,
    reception: &Reception,
    outcome: &Outcome,
) -> Result<(), StoreError> {
    let integration = reception.integration.as_str();
    let last: Option<i64> = connection
        .prepare_cached("SELECT max(seq) FROM received WHERE integration = ?1")?
        .query_row([integration], |row| row.get(0))?;
    let seq = last.unwrap_or_default() + 1;
    connection
        .prepare_cached(
            "INSERT INTO received (integration, seq, at, request, format, raw, size, outcome) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            integration,
            seq,
            now.as_millisecond(),
            reception.request,
            reception.format,
            reception.raw,
            i64::try_from(reception.size).unwrap_or(i64::MAX),
            to_json(outcome)?,
        ])?;
    if seq > KEPT {
        connection
            .prepare_cached("DELETE FROM received WHERE integration = ?1 AND seq <= ?2")?
            .execute(params![integration, seq - KEPT])?;
    }
    Ok(())
}

type Parsed = rusqlite::Result<Result<Received, StoreError>>;

fn read(row: &Row<'_>) -> Parsed {
    let (at, size): (i64, i64) = (row.get(0)?, row.get(4)?);
    let (request, format, raw, outcome): (String, String, String, String) =
        (row.get(1)?, row.get(2)?, row.get(3)?, row.get(5)?);
    Ok((|| {
        Ok(Received {
            at: instant(at)?,
            request,
            format,
            raw,
            size: u64::try_from(size).unwrap_or_default(),
            outcome: from_json(&outcome)?,
        })
    })())
}

/// The last requests of an integration, newest first.
pub(in crate::store) fn last(
    connection: &Connection,
    integration: &Name,
    most: usize,
) -> Result<Vec<Received>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM received WHERE integration = ?1 ORDER BY seq DESC LIMIT ?2"
    ))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![integration.as_str(), most], read)?;
    rows.map(|row| row?).collect()
}

/// One request of an integration.
pub(in crate::store) fn by_request(
    connection: &Connection,
    integration: &Name,
    request: &str,
) -> Result<Option<Received>, StoreError> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM received WHERE request = ?2 AND integration = ?1"))?;
    statement.query_row(params![integration.as_str(), request], read).optional()?.transpose()
}

/// One more problem is counted together with others.
pub(super) fn join(
    connection: &Connection,
    integration: &Name,
    key: &str,
    member: &str,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT OR IGNORE INTO grouped (integration, dedup_key, member) VALUES (?1, ?2, ?3)")?
        .execute(params![integration.as_str(), key, member])?;
    Ok(())
}

/// The key of the alert that counts a problem together with others.
pub(super) fn group_of(
    connection: &Connection,
    integration: &Name,
    member: &str,
) -> Result<Option<String>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT dedup_key FROM grouped WHERE integration = ?1 AND member = ?2")?;
    Ok(statement.query_row(params![integration.as_str(), member], |row| row.get(0)).optional()?)
}

/// A problem is gone. Returns how many are left that are counted together with it.
pub(super) fn leave(
    connection: &Connection,
    integration: &Name,
    key: &str,
    member: &str,
) -> Result<u64, StoreError> {
    connection
        .prepare_cached("DELETE FROM grouped WHERE integration = ?1 AND dedup_key = ?2 AND member = ?3")?
        .execute(params![integration.as_str(), key, member])?;
    let left: i64 = connection
        .prepare_cached("SELECT count(*) FROM grouped WHERE integration = ?1 AND dedup_key = ?2")?
        .query_row(params![integration.as_str(), key], |row| row.get(0))?;
    Ok(u64::try_from(left).unwrap_or_default())
}

/// An alert has begun: whatever was counted together before it belongs to one that is over.
pub(super) fn clear(connection: &Connection, integration: &Name, key: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached("DELETE FROM grouped WHERE integration = ?1 AND dedup_key = ?2")?
        .execute(params![integration.as_str(), key])?;
    Ok(())
}
