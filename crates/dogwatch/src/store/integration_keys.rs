//! The keys by which monitoring systems send events: made, replaced, revoked, and whom they let in.
//!
//! A key is shown once and stored as its hash. It sends events of its integration and does nothing else. Replacing
//! one leaves the old ones good for a while, so that senders are changed one after another.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::sqlite::codec::{instant, name};
use super::{Store, StoreError};
use crate::secret::{Secret, hash_secret};

/// A key, without its secret.
#[derive(Clone, Debug)]
pub struct IntegrationKey {
    /// The id by which it is listed and revoked.
    pub id: String,
    /// Whose events it sends.
    pub integration: Name,
    /// Its last characters, to tell keys apart.
    pub ending: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, because a newer one has taken its place.
    pub expires_at: Option<Timestamp>,
    hash: [u8; 32],
}

impl IntegrationKey {
    pub(super) const fn hash(&self) -> [u8; 32] {
        self.hash
    }
}

pub(super) fn load(connection: &Connection) -> Result<Vec<IntegrationKey>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT id, integration, hash, ending, created_at, expires_at FROM integration_key WHERE revoked_at IS NULL",
    )?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let (integration, expires): (String, Option<i64>) = (row.get(1)?, row.get(5)?);
        keys.push(IntegrationKey {
            id: row.get(0)?,
            integration: name(&integration)?,
            hash: row.get(2)?,
            ending: row.get(3)?,
            created_at: instant(row.get(4)?)?,
            expires_at: expires.map(instant).transpose()?,
        });
    }
    Ok(keys)
}

/// Ends every key of an integration.
pub(super) fn revoke_all(
    connection: &Connection,
    now: Timestamp,
    integration: &str,
) -> Result<(), StoreError> {
    let statement =
        "UPDATE integration_key SET revoked_at = ?2 WHERE integration = ?1 AND revoked_at IS NULL";
    connection.execute(statement, params![integration, now.as_millisecond()])?;
    Ok(())
}

/// The letters of a key: those of Crockford's base 32, which no two fonts mix up.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new key: 32 letters, as long as PagerDuty's, of 160 bits.
fn new_key() -> Secret {
    let bytes = crate::clock::secret::<32>();
    Secret::given(bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect())
}

impl Store {
    /// Makes a key. Those that the integration has end after `overlap`; none: they go on. The secret is returned once
    /// and stored nowhere.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn create_integration_key(
        &self,
        integration: Name,
        overlap: Option<SignedDuration>,
    ) -> Result<(IntegrationKey, Secret), StoreError> {
        self.backend
            .call(move |core, now| {
                let secret = new_key();
                let text = secret.reveal();
                let key = IntegrationKey {
                    id: format!("key_{}", URL_SAFE_NO_PAD.encode(crate::clock::secret::<9>())),
                    integration: integration.clone(),
                    ending: text[text.len() - 4..].to_owned(),
                    created_at: now,
                    expires_at: None,
                    hash: hash_secret(text),
                };
                core.change_access(|connection, access| {
                    if let Some(overlap) = overlap {
                        let end = now + overlap;
                        connection.execute(
                            "UPDATE integration_key SET expires_at = min(coalesce(expires_at, ?2), ?2) \
                             WHERE integration = ?1 AND revoked_at IS NULL",
                            params![integration.as_str(), end.as_millisecond()],
                        )?;
                        access.end_keys(&integration, end);
                    }
                    connection.execute(
                        "INSERT INTO integration_key (id, integration, hash, ending, created_at) \
                         VALUES (?1, ?2, ?3, ?4, ?5)",
                        params![key.id, integration.as_str(), key.hash, key.ending, now.as_millisecond()],
                    )?;
                    access.add_key(key.clone());
                    Ok(())
                })?;
                Ok((key, secret))
            })
            .await
    }

    /// Ends a key of an integration, at once. Says whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn revoke_integration_key(&self, integration: Name, id: String) -> Result<bool, StoreError> {
        self.backend
            .call(move |core, now| {
                core.change_access(|connection, access| {
                    connection.execute(
                        "UPDATE integration_key SET revoked_at = ?3 \
                         WHERE id = ?1 AND integration = ?2 AND revoked_at IS NULL",
                        params![id, integration.as_str(), now.as_millisecond()],
                    )?;
                    Ok(access.remove_key(&integration, &id))
                })
            })
            .await
    }
}
