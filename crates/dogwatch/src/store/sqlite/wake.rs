//! Rows of wakes: which are due, and when the next one is. They are written with their alert (`alert.rs`).

use std::collections::BTreeMap;

use escalation::id::AlertId;
use escalation::wake::Wake;
use jiff::Timestamp;
use rusqlite::Connection;

use super::alert::read_wake;
use super::codec::{id_bytes, instant};
use crate::store::StoreError;

/// Up to `most` wakes that are due at `now`, the oldest first.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    most: usize,
) -> Result<Vec<(AlertId, Wake)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT alert, name, page FROM wake WHERE due_at <= ?1 ORDER BY due_at, alert LIMIT ?2",
    )?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = statement.query([now.as_millisecond(), most])?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        let (alert, word, page): (Vec<u8>, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        due.push((AlertId::from_bytes(id_bytes(&alert)?), read_wake(&word, &page)?));
    }
    Ok(due)
}

/// When the next wake is due.
pub(super) fn next(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> =
        connection.prepare_cached("SELECT min(due_at) FROM wake")?.query_row([], |row| row.get(0))?;
    at.map(instant).transpose()
}

/// The rows of one alert.
pub(super) fn of_alert(
    connection: &Connection,
    alert: AlertId,
) -> Result<BTreeMap<Wake, Timestamp>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT name, page, due_at FROM wake WHERE alert = ?1")?;
    let mut rows = statement.query([alert.to_bytes()])?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (word, page): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
        all.insert(read_wake(&word, &page)?, instant(row.get(2)?)?);
    }
    Ok(all)
}
