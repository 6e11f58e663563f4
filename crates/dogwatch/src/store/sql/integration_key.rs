//! The keys of integrations: rows in and out.

use escalation::name::Name;
use jiff::Timestamp;

use super::codec::{instant, name};
use super::{Sql, values};
use crate::store::{IntegrationKey, StoreError};

pub(super) async fn load(sql: &mut impl Sql) -> Result<Vec<IntegrationKey>, StoreError> {
    let statement = "SELECT id, integration, hash, ending, created_at, expires_at FROM integration_key \
         WHERE revoked_at IS NULL";
    let rows = sql.rows(statement, values![]).await?;
    let keys = rows.into_iter().map(|mut row| {
        let (integration, expires): (String, Option<i64>) = (row.get(1)?, row.get(5)?);
        Ok(IntegrationKey {
            id: row.get(0)?,
            integration: name(&integration)?,
            hash: row.get(2)?,
            ending: row.get(3)?,
            created_at: instant(row.get(4)?)?,
            expires_at: expires.map(instant).transpose()?,
        })
    });
    keys.collect()
}

pub(super) async fn insert(sql: &mut impl Sql, key: &IntegrationKey) -> Result<(), StoreError> {
    let statement = "INSERT INTO integration_key (id, integration, hash, ending, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5)";
    let (integration, made_at) = (key.integration.as_str(), key.created_at.as_millisecond());
    sql.change(statement, values![&key.id, integration, key.hash, &key.ending, made_at]).await
}

/// Ends every key of an integration at `end`, if it does not end before.
pub(super) async fn end_all(
    sql: &mut impl Sql,
    integration: &Name,
    end: Timestamp,
) -> Result<(), StoreError> {
    let statement = "UPDATE integration_key SET expires_at = ?2 WHERE integration = ?1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > ?2)";
    sql.change(statement, values![integration.as_str(), end.as_millisecond()]).await
}

/// Ends every key of an integration.
pub(super) async fn revoke_all(
    sql: &mut impl Sql,
    now: Timestamp,
    integration: &str,
) -> Result<(), StoreError> {
    let statement =
        "UPDATE integration_key SET revoked_at = ?2 WHERE integration = ?1 AND revoked_at IS NULL";
    sql.change(statement, values![integration, now.as_millisecond()]).await
}

/// Ends one key.
pub(super) async fn revoke(
    sql: &mut impl Sql,
    now: Timestamp,
    integration: &Name,
    id: &str,
) -> Result<(), StoreError> {
    let statement = "UPDATE integration_key SET revoked_at = ?3 \
         WHERE id = ?1 AND integration = ?2 AND revoked_at IS NULL";
    sql.change(statement, values![id, integration.as_str(), now.as_millisecond()]).await
}
