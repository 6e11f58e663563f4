//! Definitions: immutable versions, of which the newest of each name is in force.

use std::sync::Arc;

use rusqlite::{Connection, Row, params};

use super::codec::{corrupt, from_json, instant, to_json};
use crate::definition::{Defined, Definitions, Kind, Owner, Subject};
use crate::store::{InForce, StoreError};
use jiff::Timestamp;

/// Everything in force.
pub(super) fn load(connection: &Connection, mut definitions: Definitions) -> Result<Definitions, StoreError> {
    let mut statement = connection.prepare(
        "SELECT version, kind, name, valid_from, body, owner FROM definition AS newest WHERE body IS NOT NULL AND \
         version = (SELECT max(version) FROM definition WHERE kind = newest.kind AND name = newest.name)",
    )?;
    let mut rows = statement.query([])?;
    let mut newest = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, name, _, defined) = read(row)?;
        newest.extend(defined.map(|defined| (kind, name, defined)));
    }
    definitions.apply_all(newest);
    let newest: i64 =
        connection.query_row("SELECT coalesce(max(version), 0) FROM definition", [], |row| row.get(0))?;
    definitions.version = u64::try_from(newest).map_err(|error| corrupt("a version", &error))?;
    Ok(definitions)
}

/// One version: its kind and name, since when, and what it says; nothing: it was removed.
fn read(row: &Row<'_>) -> Result<(Kind, String, Timestamp, Option<Defined>), StoreError> {
    let (kind, name): (String, String) = (row.get(1)?, row.get(2)?);
    let kind = Kind::ALL
        .into_iter()
        .find(|known| known.word() == kind)
        .ok_or_else(|| corrupt("a kind of definition", &kind))?;
    let (version, valid_from): (i64, Timestamp) = (row.get(0)?, instant(row.get(3)?)?);
    let body: Option<String> = row.get(4)?;
    let version = u64::try_from(version).map_err(|error| corrupt("a version", &error))?;
    let body = body.as_deref().map(from_json).transpose()?;
    let owner = Owner::read(&row.get::<_, String>(5)?);
    Ok((kind, name, valid_from, body.map(|body| Defined { version, valid_from, body, owner })))
}

/// What said who is on call as it was at `from`, and each that took its place since, with when it did. What was
/// first written counts for the time before, too: nothing is known that could speak against it.
pub(in crate::store) fn rosters_since(
    connection: &Connection,
    subject: &Subject,
    from: Timestamp,
) -> Result<Vec<InForce>, StoreError> {
    let mut statement = connection
        .prepare("SELECT version, kind, name, valid_from, body, owner FROM definition ORDER BY version")?;
    let mut rows = statement.query([])?;
    let mut definitions = Definitions::default();
    let mut rosters: Vec<InForce> = Vec::new();
    let mut take = |definitions: &Definitions, since: Timestamp| {
        let found = definitions.subject(subject).and_then(|over| {
            let roster = definitions.roster(&over)?.clone();
            Some((over, roster))
        });
        let Some((over, roster)) = found else { return };
        if rosters.last().is_none_or(|last| !Arc::ptr_eq(&last.roster, &roster)) {
            let since = if rosters.is_empty() { from } else { since };
            rosters.push(InForce { since, over, roster });
        }
    };
    let mut before = Some(Vec::new());
    while let Some(row) = rows.next()? {
        let (kind, name, since, defined) = read(row)?;
        if matches!(
            kind,
            Kind::EscalationPlan | Kind::Integration | Kind::Heartbeat | Kind::Silence | Kind::Maintenance
        ) {
            continue;
        }
        match &mut before {
            Some(earlier) if since <= from => {
                earlier.push((kind, name, defined));
                continue;
            }
            Some(earlier) => {
                definitions.apply_history(std::mem::take(earlier));
                before = None;
                take(&definitions, from);
            }
            None => {}
        }
        definitions.apply(kind, &name, defined);
        take(&definitions, since);
    }
    if let Some(earlier) = before {
        definitions.apply_history(earlier);
        take(&definitions, from);
    }
    Ok(rosters)
}

/// Adds a version; none: a removal.
pub(super) fn insert(
    connection: &Connection,
    now: Timestamp,
    kind: Kind,
    name: &str,
    body: Option<&serde_json::Value>,
    owner: &Owner,
) -> Result<u64, StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO definition (kind, name, valid_from, body, owner) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            kind.word(),
            name,
            now.as_millisecond(),
            body.map(to_json).transpose()?,
            owner.word()
        ])?;
    // A new row's version is positive.
    Ok(u64::try_from(connection.last_insert_rowid()).unwrap_or_default())
}
