//! The look at open alerts that is due when silences begin or change: when, and how far it has come.

use escalation::alert::Alert;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::alert as alert_rows;
use super::codec::instant;
use crate::store::StoreError;
use crate::store::rows::{Look, Place};

pub(super) fn load(connection: &Connection) -> Result<Look, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT check_at, integration, dedup_key FROM silence_look")?;
    type Row = (Option<i64>, Option<String>, Option<String>);
    let (check_at, integration, key): Row =
        statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(Look { check_at: check_at.map(instant).transpose()?, after: integration.zip(key) })
}

pub(super) fn save(connection: &Connection, look: &Look) -> Result<(), StoreError> {
    let (integration, key) = look.after.clone().unzip();
    connection
        .prepare_cached("UPDATE silence_look SET check_at = ?1, integration = ?2, dedup_key = ?3")?
        .execute(params![look.check_at.map(Timestamp::as_millisecond), integration, key])?;
    Ok(())
}

/// Open alerts in the order of their senders and keys, after a place; and the place to go on from, if there may be
/// more.
pub(super) fn open_alerts(
    connection: &Connection,
    after: Option<&Place>,
    most: usize,
) -> Result<(Vec<Alert>, Option<Place>), StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {} FROM alert INDEXED BY alert_open_key \
         WHERE is_open = 1 AND (integration, dedup_key) > (?1, ?2) \
         ORDER BY integration, dedup_key LIMIT ?3",
        alert_rows::ALERT_COLUMNS
    ))?;
    // No sender is without a name: the empty one comes before all.
    let (integration, key) =
        after.map_or(("", ""), |(integration, key)| (integration.as_str(), key.as_str()));
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![integration, key, limit], alert_rows::read_alert)?;
    let alerts = rows.map(|row| row?).collect::<Result<Vec<Alert>, StoreError>>()?;
    let last = alerts.last().filter(|_| alerts.len() == most);
    let place = last.map(|last| (last.integration.clone(), last.dedup_key.clone()));
    Ok((alerts, place))
}
