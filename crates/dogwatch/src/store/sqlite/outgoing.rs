//! Changes that leave the house, and who follows an alert.

use escalation::id::AlertId;
use escalation::name::Name;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use serde_json::Value;

use super::codec::{name, to_json};
use crate::store::StoreError;

pub(super) fn insert(
    connection: &Connection,
    subscriber: &str,
    alert: AlertId,
    at: Timestamp,
    body: &Value,
) -> Result<(), StoreError> {
    connection
        .prepare_cached("INSERT INTO outgoing (subscriber, alert, at, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![subscriber, alert.to_bytes(), at.as_millisecond(), to_json(body)?])?;
    Ok(())
}

pub(in crate::store) fn followers(connection: &Connection, alert: AlertId) -> Result<Vec<Name>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT person FROM follower WHERE alert = ?1 ORDER BY person")?;
    let rows = statement.query_map([alert.to_bytes()], |row| row.get::<_, String>(0))?;
    rows.map(|row| name(&row?)).collect()
}
