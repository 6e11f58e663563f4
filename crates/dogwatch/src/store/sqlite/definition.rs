//! Definitions: immutable versions, of which the newest of each name is in force.

use rusqlite::{Connection, params};

use super::codec::{corrupt, from_json, instant, to_json};
use crate::definition::{Defined, Definitions, Kind};
use crate::store::StoreError;
use jiff::Timestamp;

/// Everything in force.
pub(super) fn load(connection: &Connection, mut definitions: Definitions) -> Result<Definitions, StoreError> {
    let mut statement = connection.prepare(
        "SELECT version, kind, name, valid_from, body FROM definition AS newest WHERE body IS NOT NULL AND \
         version = (SELECT max(version) FROM definition WHERE kind = newest.kind AND name = newest.name)",
    )?;
    let mut rows = statement.query([])?;
    let mut newest = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, name, body): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(4)?);
        let kind = Kind::ALL
            .into_iter()
            .find(|known| known.word() == kind)
            .ok_or_else(|| corrupt("a kind of definition", &kind))?;
        let version: i64 = row.get(0)?;
        let defined = Defined {
            version: u64::try_from(version).map_err(|error| corrupt("a version", &error))?,
            valid_from: instant(row.get(3)?)?,
            body: from_json(&body)?,
        };
        newest.push((kind, name, defined));
    }
    definitions.apply_all(newest);
    let newest: i64 =
        connection.query_row("SELECT coalesce(max(version), 0) FROM definition", [], |row| row.get(0))?;
    definitions.version = u64::try_from(newest).map_err(|error| corrupt("a version", &error))?;
    Ok(definitions)
}

/// Adds a version; none: a removal.
pub(super) fn insert(
    connection: &Connection,
    now: Timestamp,
    kind: Kind,
    name: &str,
    body: Option<&serde_json::Value>,
) -> Result<u64, StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO definition (kind, name, valid_from, body, owner) VALUES (?1, ?2, ?3, ?4, 'api')",
        )?
        .execute(params![kind.word(), name, now.as_millisecond(), body.map(to_json).transpose()?])?;
    // A new row's version is positive.
    Ok(u64::try_from(connection.last_insert_rowid()).unwrap_or_default())
}
