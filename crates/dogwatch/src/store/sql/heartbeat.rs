//! When heartbeats were last heard, and when each is too late: rows in and out.

use jiff::Timestamp;

use super::codec::{instant, limit};
use super::{Row, Sql, values};
use crate::store::StoreError;
use crate::store::rows::HeartbeatRow;

const COLUMNS: &str = "name, last_at, pinged, check_at, is_late";

fn read(row: &mut Row) -> Result<HeartbeatRow, StoreError> {
    let check_at: Option<i64> = row.get(3)?;
    Ok(HeartbeatRow {
        name: row.get(0)?,
        last_at: instant(row.get(1)?)?,
        pinged: row.get(2)?,
        check_at: check_at.map(instant).transpose()?,
        is_late: row.get(4)?,
    })
}

fn read_all(rows: Vec<Row>) -> Result<Vec<HeartbeatRow>, StoreError> {
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

pub(in crate::store) async fn load(
    sql: &mut impl Sql,
    name: &str,
) -> Result<Option<HeartbeatRow>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM heartbeat WHERE name = ?1");
    sql.first(&statement, values![name]).await?.map(|mut row| read(&mut row)).transpose()
}

/// The same, locked until the end of the transaction.
pub(super) async fn lock<S: Sql>(sql: &mut S, name: &str) -> Result<Option<HeartbeatRow>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM heartbeat WHERE name = ?1{}", S::LOCK);
    sql.first(&statement, values![name]).await?.map(|mut row| read(&mut row)).transpose()
}

pub(super) async fn all(sql: &mut impl Sql) -> Result<Vec<HeartbeatRow>, StoreError> {
    read_all(sql.rows(&format!("SELECT {COLUMNS} FROM heartbeat ORDER BY name"), values![]).await?)
}

/// Those that are too late, the longest first, locked; without those that somebody else has locked.
pub(super) async fn due<S: Sql>(
    sql: &mut S,
    now: Timestamp,
    most: usize,
) -> Result<Vec<HeartbeatRow>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM heartbeat WHERE check_at <= ?1 ORDER BY check_at LIMIT ?2{}",
        S::LOCK_FREE
    );
    read_all(sql.rows(&statement, values![now.as_millisecond(), limit(most)]).await?)
}

/// When the next is too late.
pub(super) async fn next(sql: &mut impl Sql) -> Result<Option<Timestamp>, StoreError> {
    let statement = "SELECT min(check_at) FROM heartbeat WHERE check_at IS NOT NULL";
    let at: Option<i64> = sql.value(statement, values![]).await?;
    at.map(instant).transpose()
}

pub(super) async fn save(sql: &mut impl Sql, row: &HeartbeatRow) -> Result<(), StoreError> {
    let statement = "INSERT INTO heartbeat (name, last_at, pinged, check_at, is_late) \
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO UPDATE SET last_at = excluded.last_at, \
         pinged = excluded.pinged, check_at = excluded.check_at, is_late = excluded.is_late";
    let check_at = row.check_at.map(Timestamp::as_millisecond);
    let values = values![&row.name, row.last_at.as_millisecond(), row.pinged, check_at, row.is_late];
    sql.change(statement, values).await
}

pub(super) async fn remove(sql: &mut impl Sql, name: &str) -> Result<(), StoreError> {
    sql.change("DELETE FROM heartbeat WHERE name = ?1", values![name]).await
}
