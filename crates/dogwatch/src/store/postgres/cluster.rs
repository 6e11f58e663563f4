//! What the database says of itself and of the nodes that share it.

use jiff::Timestamp;

use super::connection::PgSql;
use crate::store::StoreError;
use crate::store::nodes::Cluster;
use crate::store::sql::{Sql, node, read, values};

/// Looks at the nodes and the settings that decide what becomes of an accepted event.
pub(in crate::store) async fn look(sql: &mut PgSql) -> Result<Cluster, StoreError> {
    let now = time(sql).await?;
    let settings = "SELECT current_setting('fsync'), current_setting('synchronous_commit'), \
         current_setting('synchronous_standby_names'), current_setting('cluster_name')";
    let mut settings = match sql.first(settings, values![]).await? {
        Some(row) => row,
        None => return Err(StoreError::Corrupt("the database has no settings".to_owned())),
    };
    // To who may not look, everything of another role is NULL.
    let standbys = "SELECT count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')), \
         count(*) FILTER (WHERE sync_state IS NULL) FROM pg_stat_replication";
    let (synchronous, hidden): (i64, i64) = match sql.first(standbys, values![]).await? {
        Some(mut row) => (row.get(0)?, row.get(1)?),
        None => (0, 0),
    };
    Ok(Cluster {
        nodes: node::all(sql).await?,
        is_synced: settings.get::<String>(0)? == "on",
        synchronous_commit: settings.get(1)?,
        synchronous_standby_names: settings.get(2)?,
        synchronous_standbys: (hidden == 0).then_some(u64::try_from(synchronous).unwrap_or_default()),
        cluster_name: settings.get(3)?,
        oldest_due: read::counts(sql, now).await?.oldest_due,
        now,
    })
}

/// Now, by the database, in whole milliseconds.
pub(super) async fn time(sql: &mut impl Sql) -> Result<Timestamp, StoreError> {
    let millis: i64 = sql
        .value("SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)", values![])
        .await?;
    Timestamp::from_millisecond(millis).map_err(|error| StoreError::Corrupt(error.to_string()))
}
