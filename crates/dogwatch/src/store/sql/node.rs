//! Nodes, and how they find the providers doing: rows in and out.

use jiff::{SignedDuration, Timestamp};

use super::codec::{instant, small};
use super::rows::SqlRows;
use super::{Sql, values};
use crate::store::StoreError;
use crate::store::core::Core;
use crate::store::nodes::{Node, Standing};

/// A node lives.
pub(in crate::store) async fn put(sql: &mut impl Sql, node: &Node) -> Result<(), StoreError> {
    let statement = "INSERT INTO node (name, machine, version, started_at, seen_at, ahead_millis) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at, ahead_millis = excluded.ahead_millis";
    let ahead = i64::try_from(node.ahead.as_millis()).unwrap_or_default();
    let (started, seen) = (node.started_at.as_millisecond(), node.seen_at.as_millisecond());
    sql.change(statement, values![&node.name, &node.machine, &node.version, started, seen, ahead]).await
}

/// A node is no more.
pub(in crate::store) async fn forget(sql: &mut impl Sql, name: &str) -> Result<(), StoreError> {
    sql.change("DELETE FROM node WHERE name = ?1", values![name]).await
}

/// What a node was before it was started anew on its machine: it says nothing any more, and nobody need miss it.
pub(in crate::store) async fn forget_former(
    sql: &mut impl Sql,
    node: &Node,
    silent_since: Timestamp,
) -> Result<(), StoreError> {
    let statement = "DELETE FROM node WHERE machine = ?1 AND name <> ?2 AND seen_at < ?3 AND seen_at < ?4";
    let (started, silent) = (node.started_at.as_millisecond(), silent_since.as_millisecond());
    sql.change(statement, values![&node.machine, &node.name, started, silent]).await
}

/// Nodes that were last seen before an instant are no more.
pub(in crate::store) async fn forget_older(sql: &mut impl Sql, than: Timestamp) -> Result<(), StoreError> {
    sql.change("DELETE FROM node WHERE seen_at < ?1", values![than.as_millisecond()]).await
}

/// Every node, by machine.
pub(in crate::store) async fn all(sql: &mut impl Sql) -> Result<Vec<Node>, StoreError> {
    let statement = "SELECT name, machine, version, started_at, seen_at, ahead_millis FROM node \
         ORDER BY machine, started_at, name";
    let rows = sql.rows(statement, values![]).await?.into_iter();
    rows.map(|mut row| {
        Ok(Node {
            name: row.get(0)?,
            machine: row.get(1)?,
            version: row.get(2)?,
            started_at: instant(row.get(3)?)?,
            seen_at: instant(row.get(4)?)?,
            ahead: SignedDuration::from_millis(row.get(5)?),
        })
    })
    .collect()
}

impl<S: Sql> Core<SqlRows<S>> {
    /// Changes how a provider is doing, one node after the other.
    pub(crate) async fn change_standing<R>(
        &mut self,
        provider: &str,
        change: impl Fn(&mut Standing) -> R,
    ) -> Result<(R, Standing), StoreError> {
        let sql = &mut self.rows.sql;
        // A row that is not there can't be locked.
        sql.change(
            "INSERT INTO provider (name) VALUES (?1) ON CONFLICT (name) DO NOTHING",
            values![provider],
        )
        .await?;
        let statement = format!(
            "SELECT second, begun, failures, rest_until, rest_why, held_until, told_at FROM provider \
             WHERE name = ?1{}",
            S::LOCK
        );
        let mut standing = Standing::default();
        if let Some(mut row) = sql.first(&statement, values![provider]).await? {
            let rest: Option<Timestamp> = row.get::<Option<_>>(3)?.map(instant).transpose()?;
            let why: Option<String> = row.get(4)?;
            standing = Standing {
                second: (row.get(0)?, small(row.get(1)?)?),
                failures: small(row.get(2)?)?,
                rest: rest.map(|until| (until, why.unwrap_or_default())),
                held_until: row.get::<Option<_>>(5)?.map(instant).transpose()?,
                told_at: row.get::<Option<_>>(6)?.map(instant).transpose()?,
            };
        }
        let before = standing.clone();
        let result = change(&mut standing);
        if standing != before {
            let statement = "UPDATE provider SET second = ?2, begun = ?3, failures = ?4, rest_until = ?5, \
                 rest_why = ?6, held_until = ?7, told_at = ?8 WHERE name = ?1";
            let rest = standing.rest.as_ref();
            let values = values![
                provider,
                standing.second.0,
                standing.second.1,
                standing.failures,
                rest.map(|(until, _)| until.as_millisecond()),
                rest.map(|(_, why)| why.as_str()),
                standing.held_until.map(Timestamp::as_millisecond),
                standing.told_at.map(Timestamp::as_millisecond),
            ];
            sql.change(statement, values).await?;
        }
        Ok((result, standing))
    }
}
