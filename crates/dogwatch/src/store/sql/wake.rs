//! Rows of wakes: which are due, and when the next one is. They are written with their alert (`alert.rs`).

use std::collections::BTreeMap;

use escalation::id::AlertId;
use escalation::wake::Wake;
use jiff::Timestamp;

use super::alert::read_wake;
use super::codec::{instant, limit};
use super::{Sql, values};
use crate::store::StoreError;

/// Up to `most` wakes that are due at `now`, the oldest first.
pub(in crate::store) async fn due(
    sql: &mut impl Sql,
    now: Timestamp,
    most: usize,
) -> Result<Vec<(AlertId, Wake)>, StoreError> {
    let statement = "SELECT alert, name, page FROM wake WHERE due_at <= ?1 ORDER BY due_at, alert LIMIT ?2";
    let rows = sql.rows(statement, values![now.as_millisecond(), limit(most)]).await?;
    let due = rows.into_iter().map(|mut row| {
        let (alert, word, page): (_, String, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((AlertId::from_bytes(alert), read_wake(&word, &page)?))
    });
    due.collect()
}

/// When the next wake is due.
pub(super) async fn next(sql: &mut impl Sql) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = sql.value("SELECT min(due_at) FROM wake", values![]).await?;
    at.map(instant).transpose()
}

/// The rows of one alert.
pub(in crate::store) async fn of_alert(
    sql: &mut impl Sql,
    alert: AlertId,
) -> Result<BTreeMap<Wake, Timestamp>, StoreError> {
    let statement = "SELECT name, page, due_at FROM wake WHERE alert = ?1";
    let rows = sql.rows(statement, values![alert.to_bytes()]).await?;
    let all = rows.into_iter().map(|mut row| {
        let (word, page): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
        Ok((read_wake(&word, &page)?, instant(row.get(2)?)?))
    });
    all.collect()
}
