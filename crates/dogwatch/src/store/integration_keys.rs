//! The keys by which monitoring systems send events: made, replaced, revoked, and whom they let in.
//!
//! A key is shown once and stored as its hash. It sends events of its integration and does nothing else. Replacing
//! one leaves the old ones good for a while, so that senders are changed one after another.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};

use super::{Store, StoreError, verb};
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
    pub(super) hash: [u8; 32],
}

impl IntegrationKey {
    pub(super) const fn hash(&self) -> [u8; 32] {
        self.hash
    }
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
        let secret = new_key();
        let text = secret.reveal();
        let new = IntegrationKey {
            id: format!("key_{}", URL_SAFE_NO_PAD.encode(crate::clock::secret::<9>())),
            integration,
            ending: text[text.len() - 4..].to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: None,
            hash: hash_secret(text),
        };
        let key = verb!(self.promise(|core, now| core.create_integration_key(now, &new, overlap)))?;
        Ok((key, secret))
    }

    /// Ends a key of an integration, at once. Says whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn revoke_integration_key(&self, integration: Name, id: String) -> Result<bool, StoreError> {
        verb!(self.promise(|core, now| core.revoke_integration_key(now, &integration, &id)))
    }
}
