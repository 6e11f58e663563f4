//! When heartbeats were last heard, and when each is too late: rows in and out.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::codec::instant;
use crate::store::StoreError;
use crate::store::rows::HeartbeatRow;

const COLUMNS: &str = "name, last_at, pinged, check_at, is_late";

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Result<HeartbeatRow, StoreError>> {
    let (name, last_at, pinged): (String, i64, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (check_at, is_late): (Option<i64>, bool) = (row.get(3)?, row.get(4)?);
    Ok((|| {
        let check_at = check_at.map(instant).transpose()?;
        Ok(HeartbeatRow { name, last_at: instant(last_at)?, pinged, check_at, is_late })
    })())
}

pub(in crate::store) fn load(
    connection: &Connection,
    name: &str,
) -> Result<Option<HeartbeatRow>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM heartbeat WHERE name = ?1"))?;
    statement.query_row([name], read).optional()?.transpose()
}

pub(super) fn all(connection: &Connection) -> Result<Vec<HeartbeatRow>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM heartbeat ORDER BY name"))?;
    let rows = statement.query_map([], read)?;
    rows.map(|row| row?).collect()
}

/// Those that are too late, the longest first.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    most: usize,
) -> Result<Vec<HeartbeatRow>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM heartbeat WHERE check_at <= ?1 ORDER BY check_at LIMIT ?2"
    ))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![now.as_millisecond(), most], read)?;
    rows.map(|row| row?).collect()
}

/// When the next is too late.
pub(super) fn next(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT min(check_at) FROM heartbeat WHERE check_at IS NOT NULL")?;
    let at: Option<i64> = statement.query_row([], |row| row.get(0))?;
    at.map(instant).transpose()
}

pub(super) fn save(connection: &Connection, row: &HeartbeatRow) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO heartbeat (name, last_at, pinged, check_at, is_late) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (name) DO UPDATE SET last_at = excluded.last_at, pinged = excluded.pinged, \
             check_at = excluded.check_at, is_late = excluded.is_late",
        )?
        .execute(params![
            row.name,
            row.last_at.as_millisecond(),
            row.pinged,
            row.check_at.map(Timestamp::as_millisecond),
            row.is_late,
        ])?;
    Ok(())
}

pub(super) fn remove(connection: &Connection, name: &str) -> Result<(), StoreError> {
    connection.prepare_cached("DELETE FROM heartbeat WHERE name = ?1")?.execute([name])?;
    Ok(())
}
