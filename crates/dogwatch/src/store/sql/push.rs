//! Browsers that show a person's notifications: rows in and out.

use escalation::name::Name;
use jiff::Timestamp;

use super::codec::limit;
use super::rows::SqlRows;
use super::{Sql, values};
use crate::store::core::Core;
use crate::store::push::MAX_BROWSERS;
use crate::store::{Browser, StoreError};

impl<S: Sql> Core<SqlRows<S>> {
    pub(crate) async fn add_browser(
        &mut self,
        now: Timestamp,
        person: &Name,
        browser: &Browser,
    ) -> Result<(), StoreError> {
        let sql = &mut self.rows.sql;
        let statement = "INSERT INTO push_subscription (endpoint, person, key, auth, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (endpoint) DO UPDATE SET person = excluded.person, \
             key = excluded.key, auth = excluded.auth, created_at = excluded.created_at";
        let (person, at) = (person.as_str(), now.as_millisecond());
        sql.change(statement, values![&browser.endpoint, person, &browser.key, &browser.auth, at]).await?;
        let statement = "DELETE FROM push_subscription WHERE person = ?1 AND endpoint NOT IN \
             (SELECT endpoint FROM push_subscription WHERE person = ?1 \
              ORDER BY created_at DESC, endpoint LIMIT ?2)";
        sql.change(statement, values![person, limit(MAX_BROWSERS)]).await
    }

    pub(crate) async fn forget_browser(&mut self, endpoint: &str) -> Result<(), StoreError> {
        let statement = "DELETE FROM push_subscription WHERE endpoint = ?1";
        self.rows.sql.change(statement, values![endpoint]).await
    }
}

pub(in crate::store) async fn browsers(sql: &mut impl Sql, person: &str) -> Result<Vec<Browser>, StoreError> {
    let statement = "SELECT endpoint, key, auth FROM push_subscription WHERE person = ?1 \
         ORDER BY created_at, endpoint";
    let rows = sql.rows(statement, values![person]).await?;
    let all = rows
        .into_iter()
        .map(|mut row| Ok(Browser { endpoint: row.get(0)?, key: row.get(1)?, auth: row.get(2)? }));
    all.collect()
}
