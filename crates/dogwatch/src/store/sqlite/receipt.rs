//! Receipts: what a provider said of an attempt, one row each.

use escalation::id::DeliveryId;
use escalation::receipt::Receipt;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::codec::{id_bytes, instant, small, word};
use crate::store::StoreError;
use crate::store::rows::ReceiptRow;

/// A delivery, and which attempt of it.
type Attempted = (DeliveryId, u8);

pub(super) fn load(
    connection: &Connection,
    delivery: DeliveryId,
    attempt: u8,
) -> Result<Option<ReceiptRow>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT state, detail, at, due_at, told FROM receipt WHERE delivery = ?1 AND attempt = ?2",
    )?;
    let found = statement
        .query_row(params![delivery.to_bytes(), attempt], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get::<_, Option<i64>>(3)?,
                row.get(4)?,
            ))
        })
        .optional()?;
    let Some((state, detail, at, due_at, told)) = found else { return Ok(None) };
    Ok(Some(ReceiptRow {
        delivery,
        attempt,
        state: word(&Receipt::ALL, Receipt::word, &state)?,
        detail,
        at: instant(at)?,
        due_at: due_at.map(instant).transpose()?,
        told,
    }))
}

pub(super) fn save(connection: &Connection, row: &ReceiptRow) -> Result<(), StoreError> {
    let statement = "INSERT INTO receipt (delivery, attempt, state, detail, at, due_at, told) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
         ON CONFLICT DO UPDATE SET state = ?3, detail = ?4, at = ?5, due_at = ?6, told = ?7";
    connection.prepare_cached(statement)?.execute(params![
        row.delivery.to_bytes(),
        row.attempt,
        row.state.word(),
        row.detail,
        row.at.as_millisecond(),
        row.due_at.map(Timestamp::as_millisecond),
        row.told,
    ])?;
    Ok(())
}

/// Attempts for which something should have been said by `now`, and when the next one is due after that.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
) -> Result<(Vec<Attempted>, Option<Timestamp>), StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT delivery, attempt FROM receipt WHERE due_at <= ?1 ORDER BY due_at")?;
    let rows = statement
        .query_map([now.as_millisecond()], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?)))?;
    let due = rows.map(|row| {
        let (delivery, attempt) = row?;
        Ok((DeliveryId::from_bytes(id_bytes(&delivery)?), small(attempt)?))
    });
    let due = due.collect::<Result<_, StoreError>>()?;
    let mut statement = connection.prepare_cached("SELECT min(due_at) FROM receipt WHERE due_at > ?1")?;
    let next: Option<i64> = statement.query_row([now.as_millisecond()], |row| row.get(0))?;
    Ok((due, next.map(instant).transpose()?))
}
