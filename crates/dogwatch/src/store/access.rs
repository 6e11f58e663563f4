//! Tokens, one-time sign-in addresses, sessions and the installation's own keys.
//!
//! Of what is handed out only the SHA-256 is stored: 256 bits of chance need no slow hash. All that is in
//! force is kept in memory too, so that a request is let in without asking the database.

use std::collections::{BTreeMap, HashMap};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use escalation::directory::Directory;
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};

use super::{IntegrationKey, Store, StoreError, verb};
use crate::clock::secret;
use crate::secret::{Secret, hash_secret};

/// How long a one-time sign-in address may be used.
pub(super) const SIGN_IN_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long a browser stays signed in.
pub(super) const SESSION_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The most sign-in addresses and sessions that are kept; the oldest go first.
pub(super) const MAX_KEPT: usize = 10_000;

/// A token, without its secret.
#[derive(Clone, Debug)]
pub struct Token {
    /// The id by which it is listed and revoked.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// The person whose it is; none: an administrator's.
    pub person: Option<Name>,
    /// It was made with at least 128 bits.
    pub strong: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    pub(super) hash: [u8; 32],
}

impl Token {
    /// A new one, with this secret.
    pub(super) fn new(now: Timestamp, new: &NewToken, secret: &Secret) -> Self {
        Self {
            id: format!("token_{}", URL_SAFE_NO_PAD.encode(crate::clock::secret::<9>())),
            name: new.name.clone(),
            person: new.person.clone(),
            strong: secret.is_strong(),
            created_at: now,
            expires_at: new.expires_in.map(|length| now + length),
            hash: hash_secret(secret.reveal()),
        }
    }
}

/// A token to be made.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// Whose it is; none: an administrator's.
    pub person: Option<Name>,
    /// How long it is good for; none: until revoked.
    pub expires_in: Option<SignedDuration>,
}

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) person: Option<Name>,
    pub(super) expires_at: Timestamp,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The person, if it is one; none: an administrator's token or session.
    pub person: Option<Name>,
    /// The name of the token; empty for a session.
    pub token: String,
}

impl Caller {
    /// May change definitions and tokens, and act for everybody.
    pub fn is_admin(&self) -> bool {
        self.person.is_none()
    }

    /// What to call the one who asks.
    pub fn label(&self, directory: &Directory) -> String {
        match (&self.person, self.token.as_str()) {
            (Some(person), _) => directory.full_name(person).to_owned(),
            (None, "") => "an administrator".to_owned(),
            (None, token) => token.to_owned(),
        }
    }
}

/// Everything that lets somebody in.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Grows with each change, where several nodes change it.
    pub(super) version: u64,
    pub(super) tokens: HashMap<[u8; 32], Token>,
    pub(super) sessions: HashMap<[u8; 32], Session>,
    pub(super) secrets: BTreeMap<String, Vec<u8>>,
    keys: HashMap<[u8; 32], IntegrationKey>,
}

impl Access {
    /// The integration that a key sends events of.
    pub fn by_key(&self, text: &str, now: Timestamp) -> Option<&IntegrationKey> {
        // Looked up by hash: how long it takes says nothing about the secret.
        self.keys.get(&hash_secret(text)).filter(|key| key.expires_at.is_none_or(|end| now < end))
    }

    /// The keys of an integration that are good now, oldest first.
    pub fn live_keys_of(&self, integration: &str, now: Timestamp) -> impl Iterator<Item = &IntegrationKey> {
        let own = self.keys.values().filter(|key| key.integration.as_str() == integration);
        let mut keys: Vec<_> = own.filter(|key| key.expires_at.is_none_or(|end| now < end)).collect();
        keys.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        keys.into_iter()
    }

    pub(super) fn add_key(&mut self, key: IntegrationKey) {
        self.keys.insert(key.hash(), key);
    }

    pub(super) fn end_keys(&mut self, integration: &Name, end: Timestamp) {
        for key in self.keys.values_mut().filter(|key| key.integration == *integration) {
            key.expires_at = Some(key.expires_at.map_or(end, |known| known.min(end)));
        }
    }

    pub(super) fn remove_keys(&mut self, integration: &str) {
        self.keys.retain(|_, key| key.integration.as_str() != integration);
    }

    pub(super) fn remove_key(&mut self, integration: &Name, id: &str) -> bool {
        let before = self.keys.len();
        self.keys.retain(|_, key| key.id != id || key.integration != *integration);
        self.keys.len() < before
    }

    /// Whom a bearer token lets in.
    pub fn by_token(&self, text: &str, now: Timestamp) -> Option<Caller> {
        // Looked up by hash: how long it takes says nothing about the secret.
        let token = self.tokens.get(&hash_secret(text))?;
        let is_live = token.expires_at.is_none_or(|end| now < end);
        is_live.then(|| Caller { person: token.person.clone(), token: token.name.clone() })
    }

    /// Whom a session cookie lets in.
    pub fn by_session(&self, text: &str, now: Timestamp) -> Option<Caller> {
        let session = self.sessions.get(&hash_secret(text))?;
        (now < session.expires_at).then(|| Caller { person: session.person.clone(), token: String::new() })
    }

    /// Every token, oldest first.
    pub fn tokens(&self) -> Vec<&Token> {
        let mut tokens: Vec<_> = self.tokens.values().collect();
        tokens.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        tokens
    }

    /// A key of this installation.
    pub fn secret(&self, name: &str) -> Option<&[u8]> {
        self.secrets.get(name).map(Vec::as_slice)
    }
}

impl Store {
    /// Makes a token. Its secret is returned once and stored nowhere.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn create_token(&self, new: NewToken) -> Result<(Token, Secret), StoreError> {
        let secret = Secret::new("dogwatch_");
        let made = secret.clone();
        let token = verb!(self.promise(|core, now| core.create_token(now, &new, &made)))?;
        Ok((token, secret))
    }

    /// Makes sure that this token, which somebody else made, lets an administrator in. A weak one is
    /// taken, and remembered as weak.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn adopt_token(&self, name: &'static str, secret: Secret) -> Result<(), StoreError> {
        verb!(self.promise(|core, now| core.adopt_token(now, name, &secret)))
    }

    /// Ends a token. Says whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn revoke_token(&self, id: String) -> Result<bool, StoreError> {
        verb!(self.promise(|core, now| core.revoke_token(now, &id)))
    }

    /// Makes a one-time sign-in address' secret, for a person or, with none, an administrator.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn create_sign_in(&self, person: Option<Name>) -> Result<Secret, StoreError> {
        let secret = Secret::new("");
        let made = secret.clone();
        verb!(self.promise(|core, now| core.create_sign_in(now, person.as_ref(), &made)))?;
        Ok(secret)
    }

    /// Uses a sign-in address up and begins a session. `None` when it is unknown, used or too old.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sign_in(&self, link: Secret) -> Result<Option<Secret>, StoreError> {
        verb!(self.promise(|core, now| core.sign_in(now, &link)))
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sign_out(&self, session: Secret) -> Result<(), StoreError> {
        verb!(self.promise(|core, _now| core.sign_out(&session)))
    }

    /// A key of this installation, made when it is first asked for.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn secret(&self, key: &'static str) -> Result<Vec<u8>, StoreError> {
        let made = secret::<32>();
        verb!(self.promise(|core, _now| core.secret(key, &made)))
    }

    /// Sets a key of this installation.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn set_secret(&self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        verb!(self.promise(|core, _now| core.set_secret(&key, &value)))
    }

    /// Forgets a key of this installation. Says whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn forget_secret(&self, key: String) -> Result<bool, StoreError> {
        verb!(self.promise(|core, _now| core.forget_secret(&key)))
    }
}
