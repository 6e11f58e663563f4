//! The look at open alerts that is due when silences begin or change: when, and how far it has come.

use escalation::alert::Alert;
use jiff::Timestamp;

use super::alert as alert_rows;
use super::codec::{instant, limit};
use super::{Sql, values};
use crate::store::StoreError;
use crate::store::rows::{Look, Place};

/// Where the look stands, locked, without waiting; none: somebody else looks.
pub(in crate::store) async fn lock<S: Sql>(sql: &mut S) -> Result<Option<Look>, StoreError> {
    let statement = format!("SELECT check_at, integration, dedup_key FROM silence_look{}", S::LOCK_FREE);
    let Some(mut row) = sql.first(&statement, values![]).await? else { return Ok(None) };
    let (integration, key): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
    let check_at: Option<i64> = row.get(0)?;
    Ok(Some(Look { check_at: check_at.map(instant).transpose()?, after: integration.zip(key) }))
}

pub(super) async fn save(sql: &mut impl Sql, look: &Look) -> Result<(), StoreError> {
    let (integration, key) = look.after.as_ref().map(|(integration, key)| (integration, key)).unzip();
    let check_at = look.check_at.map(Timestamp::as_millisecond);
    let statement = "UPDATE silence_look SET check_at = ?1, integration = ?2, dedup_key = ?3";
    sql.change(statement, values![check_at, integration, key]).await
}

/// Open alerts in the order of their senders and keys, after a place; and the place to go on from, if there may be
/// more.
pub(super) async fn open_alerts<S: Sql>(
    sql: &mut S,
    after: Option<&Place>,
    most: usize,
) -> Result<(Vec<Alert>, Option<Place>), StoreError> {
    let statement = format!(
        "SELECT {} FROM alert{} WHERE is_open = 1 AND (integration, dedup_key) > (?1, ?2) \
         ORDER BY integration, dedup_key LIMIT ?3",
        alert_rows::ALERT_COLUMNS,
        S::BY_OPEN_KEY
    );
    // No sender is without a name: the empty one comes before all.
    let (integration, key) =
        after.map_or(("", ""), |(integration, key)| (integration.as_str(), key.as_str()));
    let rows = sql.rows(&statement, values![integration, key, limit(most)]).await?;
    let alerts = rows.into_iter().map(|mut row| alert_rows::read_alert(&mut row));
    let alerts = alerts.collect::<Result<Vec<Alert>, StoreError>>()?;
    let last = alerts.last().filter(|_| alerts.len() == most);
    let place = last.map(|last| (last.integration.clone(), last.dedup_key.clone()));
    Ok((alerts, place))
}
