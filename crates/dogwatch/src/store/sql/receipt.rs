//! Receipts: what a provider said of an attempt, one row each.

use escalation::id::DeliveryId;
use escalation::receipt::Receipt;
use jiff::Timestamp;

use super::codec::{instant, small, word};
use super::{Sql, values};
use crate::store::StoreError;
use crate::store::rows::ReceiptRow;

/// A delivery, and which attempt of it.
type Attempted = (DeliveryId, u8);

pub(super) async fn load(
    sql: &mut impl Sql,
    delivery: DeliveryId,
    attempt: u8,
) -> Result<Option<ReceiptRow>, StoreError> {
    let statement =
        "SELECT state, detail, at, due_at, told FROM receipt WHERE delivery = ?1 AND attempt = ?2";
    let Some(mut row) = sql.first(statement, values![delivery.to_bytes(), attempt]).await? else {
        return Ok(None);
    };
    let due_at: Option<i64> = row.get(3)?;
    Ok(Some(ReceiptRow {
        delivery,
        attempt,
        state: word(&Receipt::ALL, Receipt::word, &row.get::<String>(0)?)?,
        detail: row.get(1)?,
        at: instant(row.get(2)?)?,
        due_at: due_at.map(instant).transpose()?,
        told: row.get(4)?,
    }))
}

pub(super) async fn save(sql: &mut impl Sql, row: &ReceiptRow) -> Result<(), StoreError> {
    let statement = "INSERT INTO receipt (delivery, attempt, state, detail, at, due_at, told) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (delivery, attempt) DO UPDATE \
         SET state = excluded.state, detail = excluded.detail, at = excluded.at, due_at = excluded.due_at, \
         told = excluded.told";
    let values = values![
        row.delivery.to_bytes(),
        row.attempt,
        row.state.word(),
        &row.detail,
        row.at.as_millisecond(),
        row.due_at.map(Timestamp::as_millisecond),
        row.told,
    ];
    sql.change(statement, values).await
}

/// Attempts for which something should have been said by `now`, and when the next one is due after that.
pub(super) async fn due(
    sql: &mut impl Sql,
    now: Timestamp,
) -> Result<(Vec<Attempted>, Option<Timestamp>), StoreError> {
    let now = now.as_millisecond();
    let statement = "SELECT delivery, attempt FROM receipt WHERE due_at <= ?1 ORDER BY due_at";
    let rows = sql.rows(statement, values![now]).await?;
    let due = rows.into_iter().map(|mut row| Ok((DeliveryId::from_bytes(row.get(0)?), small(row.get(1)?)?)));
    let due = due.collect::<Result<_, StoreError>>()?;
    let next: Option<i64> =
        sql.value("SELECT min(due_at) FROM receipt WHERE due_at > ?1", values![now]).await?;
    Ok((due, next.map(instant).transpose()?))
}
