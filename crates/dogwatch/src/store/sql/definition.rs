//! Definitions: immutable versions, of which the newest of each name is in force.

use std::sync::Arc;

use super::codec::{corrupt, from_json, instant, small, to_json};
use super::{Row, Sql, values};
use crate::definition::{Defined, Definitions, Kind, Owner, Subject};
use crate::store::{InForce, StoreError};
use jiff::Timestamp;

/// Everything in force.
pub(super) async fn load(
    sql: &mut impl Sql,
    mut definitions: Definitions,
) -> Result<Definitions, StoreError> {
    let statement = "SELECT version, kind, name, valid_from, body, owner FROM definition AS newest \
         WHERE body IS NOT NULL AND \
         version = (SELECT max(version) FROM definition WHERE kind = newest.kind AND name = newest.name)";
    let mut newest = Vec::new();
    for mut row in sql.rows(statement, values![]).await? {
        let (kind, name, _, defined) = read(&mut row)?;
        newest.extend(defined.map(|defined| (kind, name, defined)));
    }
    definitions.apply_all(newest);
    definitions.version = version(sql).await?;
    Ok(definitions)
}

/// The number of the newest version of all.
pub(super) async fn version(sql: &mut impl Sql) -> Result<u64, StoreError> {
    small(sql.value("SELECT coalesce(max(version), 0) FROM definition", values![]).await?)
}

/// One version: its kind and name, since when, and what it says; nothing: it was removed.
fn read(row: &mut Row) -> Result<(Kind, String, Timestamp, Option<Defined>), StoreError> {
    let kind: String = row.get(1)?;
    let kind = Kind::ALL
        .into_iter()
        .find(|known| known.word() == kind)
        .ok_or_else(|| corrupt("a kind of definition", &kind))?;
    let (version, valid_from) = (small(row.get(0)?)?, instant(row.get(3)?)?);
    let body: Option<String> = row.get(4)?;
    let body = body.as_deref().map(from_json).transpose()?;
    let owner = Owner::read(&row.get::<String>(5)?);
    Ok((kind, row.get(2)?, valid_from, body.map(|body| Defined { version, valid_from, body, owner })))
}

/// What said who is on call as it was at `from`, and each that took its place since, with when it did. What was
/// first written counts for the time before, too: nothing is known that could speak against it.
pub(in crate::store) async fn rosters_since(
    sql: &mut impl Sql,
    subject: &Subject,
    from: Timestamp,
) -> Result<Vec<InForce>, StoreError> {
    let statement = "SELECT version, kind, name, valid_from, body, owner FROM definition ORDER BY version";
    let rows = sql.rows(statement, values![]).await?;
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
    for mut row in rows {
        let (kind, name, since, defined) = read(&mut row)?;
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
pub(super) async fn insert(
    sql: &mut impl Sql,
    now: Timestamp,
    kind: Kind,
    name: &str,
    body: Option<&serde_json::Value>,
    owner: &Owner,
) -> Result<u64, StoreError> {
    let body = body.map(to_json).transpose()?;
    let statement = "INSERT INTO definition (kind, name, valid_from, body, owner) VALUES (?1, ?2, ?3, ?4, ?5) \
         RETURNING version";
    let owner = owner.word();
    let values = values![kind.word(), name, now.as_millisecond(), body.as_deref(), &owner];
    small(sql.value(statement, values).await?)
}
