//! Browsers that show a person's notifications.

use escalation::name::Name;
use rusqlite::params;

use super::{Store, StoreError};

/// The most browsers of one person; the oldest go first.
const MAX_BROWSERS: usize = 20;

/// A browser that shows notifications, as it told us itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Browser {
    /// Its address at its push service.
    pub endpoint: String,
    /// Its public key: P-256, 65 bytes.
    pub key: Vec<u8>,
    /// 16 bytes that only it and we know.
    pub auth: Vec<u8>,
}

impl Store {
    /// Adds a browser of a person. One that was another person's is this person's from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn add_browser(&self, person: Name, browser: Browser) -> Result<(), StoreError> {
        self.backend
            .call(move |core, now| {
                core.connection().execute(
                    "INSERT INTO push_subscription (endpoint, person, key, auth, created_at) \
                     VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (endpoint) DO UPDATE SET person = excluded.person, \
                     key = excluded.key, auth = excluded.auth, created_at = excluded.created_at",
                    params![
                        browser.endpoint,
                        person.as_str(),
                        browser.key,
                        browser.auth,
                        now.as_millisecond()
                    ],
                )?;
                core.connection().execute(
                    "DELETE FROM push_subscription WHERE person = ?1 AND endpoint NOT IN \
                     (SELECT endpoint FROM push_subscription WHERE person = ?1 \
                      ORDER BY created_at DESC, endpoint LIMIT ?2)",
                    params![person.as_str(), MAX_BROWSERS as i64],
                )?;
                Ok(())
            })
            .await
    }

    /// Forgets a browser: it has said so itself, or its push service has.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn forget_browser(&self, endpoint: String) -> Result<(), StoreError> {
        self.backend
            .call(move |core, _| {
                core.connection()
                    .execute("DELETE FROM push_subscription WHERE endpoint = ?1", [&endpoint])?;
                Ok(())
            })
            .await
    }

    /// The browsers of a person, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn browsers(&self, person: String) -> Result<Vec<Browser>, StoreError> {
        self.backend
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT endpoint, key, auth FROM push_subscription WHERE person = ?1 \
                     ORDER BY created_at, endpoint",
                )?;
                let rows = statement.query_map([person], |row| {
                    Ok(Browser { endpoint: row.get(0)?, key: row.get(1)?, auth: row.get(2)? })
                })?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }
}
