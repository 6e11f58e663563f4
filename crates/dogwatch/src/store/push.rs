//! Browsers that show a person's notifications.

use escalation::name::Name;

use super::{Store, StoreError, question, sql, verb};

/// The most browsers of one person; the oldest go first.
pub(super) const MAX_BROWSERS: usize = 20;

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
        verb!(self.promise(|core, now| core.add_browser(now, &person, &browser)))
    }

    /// Forgets a browser: it has said so itself, or its push service has.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn forget_browser(&self, endpoint: String) -> Result<(), StoreError> {
        verb!(self.promise(|core, _now| core.forget_browser(&endpoint)))
    }

    /// The browsers of a person, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn browsers(&self, person: String) -> Result<Vec<Browser>, StoreError> {
        question!(self.ask(|sql| sql::push::browsers(sql, &person)))
    }
}
