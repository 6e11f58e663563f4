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
use rusqlite::{Connection, OptionalExtension, params};

use super::sqlite::codec::{corrupt, instant, name};
use super::{IntegrationKey, Store, StoreError, integration_keys};
use crate::clock::secret;
use crate::secret::{Secret, hash_secret};

/// How long a one-time sign-in address may be used.
const SIGN_IN_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How long a browser stays signed in.
const SESSION_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// The most sign-in addresses and sessions that are kept; the oldest go first.
const MAX_KEPT: usize = 10_000;

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
    hash: [u8; 32],
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
struct Session {
    person: Option<Name>,
    expires_at: Timestamp,
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
    tokens: HashMap<[u8; 32], Token>,
    sessions: HashMap<[u8; 32], Session>,
    secrets: BTreeMap<String, Vec<u8>>,
    keys: HashMap<[u8; 32], IntegrationKey>,
}

impl Access {
    pub(super) fn load(connection: &Connection) -> Result<Self, StoreError> {
        let mut access = Self::default();
        let mut statement = connection.prepare(
            "SELECT id, hash, name, person, strong, created_at, expires_at FROM token WHERE revoked_at IS NULL",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let person: Option<String> = row.get(3)?;
            let expires: Option<i64> = row.get(6)?;
            let token = Token {
                id: row.get(0)?,
                hash: row.get(1)?,
                name: row.get(2)?,
                person: person.as_deref().map(name).transpose()?,
                strong: row.get(4)?,
                created_at: instant(row.get(5)?)?,
                expires_at: expires.map(instant).transpose()?,
            };
            access.tokens.insert(token.hash, token);
        }
        let mut statement = connection.prepare("SELECT hash, person, expires_at FROM session")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let person: Option<String> = row.get(1)?;
            let session = Session {
                person: person.as_deref().map(name).transpose()?,
                expires_at: instant(row.get(2)?)?,
            };
            access.sessions.insert(row.get(0)?, session);
        }
        let mut statement = connection.prepare("SELECT name, value FROM secret")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            access.secrets.insert(row.get(0)?, row.get(1)?);
        }
        for key in integration_keys::load(connection)? {
            access.add_key(key);
        }
        Ok(access)
    }

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

fn insert_token(
    connection: &Connection,
    access: &mut Access,
    now: Timestamp,
    new: &NewToken,
    secret: &Secret,
) -> Result<Token, StoreError> {
    let token = Token {
        id: format!("token_{}", URL_SAFE_NO_PAD.encode(crate::clock::secret::<9>())),
        name: new.name.clone(),
        person: new.person.clone(),
        strong: secret.is_strong(),
        created_at: now,
        expires_at: new.expires_in.map(|length| now + length),
        hash: hash_secret(secret.reveal()),
    };
    connection.execute(
        "INSERT INTO token (id, hash, name, person, strong, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            token.id,
            token.hash,
            token.name,
            token.person.as_ref().map(|person| person.as_str()),
            token.strong,
            now.as_millisecond(),
            token.expires_at.map(|at| at.as_millisecond()),
        ],
    )?;
    access.tokens.insert(token.hash, token.clone());
    Ok(token)
}

impl Store {
    /// Makes a token. Its secret is returned once and stored nowhere.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn create_token(&self, new: NewToken) -> Result<(Token, Secret), StoreError> {
        self.backend
            .call(move |core, now| {
                let secret = Secret::new("dogwatch_");
                let token = core.change_access(|connection, access| {
                    insert_token(connection, access, now, &new, &secret)
                })?;
                Ok((token, secret))
            })
            .await
    }

    /// Makes sure that this token, which somebody else made, lets an administrator in. A weak one is
    /// taken, and remembered as weak.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn adopt_token(&self, name: &'static str, secret: Secret) -> Result<(), StoreError> {
        self.backend
            .call(move |core, now| {
                core.change_access(|connection, access| {
                    if access.tokens.contains_key(&hash_secret(secret.reveal())) {
                        return Ok(());
                    }
                    // The name stands for one secret: the one before it has been replaced. A hash that
                    // was revoked once is taken in again.
                    let now_millis = now.as_millisecond();
                    connection.execute(
                        "UPDATE token SET revoked_at = ?2 WHERE name = ?1 AND revoked_at IS NULL",
                        params![name, now_millis],
                    )?;
                    connection
                        .execute("DELETE FROM token WHERE hash = ?1", [hash_secret(secret.reveal())])?;
                    access.tokens.retain(|_, token| token.name != name);
                    let new = NewToken { name: name.to_owned(), person: None, expires_in: None };
                    insert_token(connection, access, now, &new, &secret).map(drop)
                })
            })
            .await
    }

    /// Ends a token. Says whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn revoke_token(&self, id: String) -> Result<bool, StoreError> {
        self.backend
            .call(move |core, now| {
                core.change_access(|connection, access| {
                    connection.execute(
                        "UPDATE token SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
                        params![id, now.as_millisecond()],
                    )?;
                    let before = access.tokens.len();
                    access.tokens.retain(|_, token| token.id != id);
                    Ok(access.tokens.len() < before)
                })
            })
            .await
    }

    /// Makes a one-time sign-in address' secret, for a person or, with none, an administrator.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn create_sign_in(&self, person: Option<Name>) -> Result<Secret, StoreError> {
        self.backend
            .call(move |core, now| {
                let secret = Secret::new("");
                core.connection()
                    .execute("DELETE FROM sign_in WHERE expires_at <= ?1", [now.as_millisecond()])?;
                core.connection().execute(
                    "INSERT INTO sign_in (hash, person, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
                    params![
                        hash_secret(secret.reveal()),
                        person.as_ref().map(|person| person.as_str()),
                        now.as_millisecond(),
                        (now + SIGN_IN_FOR).as_millisecond(),
                    ],
                )?;
                Ok(secret)
            })
            .await
    }

    /// Uses a sign-in address up and begins a session. `None` when it is unknown, used or too old.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sign_in(&self, link: Secret) -> Result<Option<Secret>, StoreError> {
        self.backend
            .call(move |core, now| {
                core.change_access(|connection, access| {
                    let found: Option<(Option<String>, i64)> = connection
                        .query_row(
                            "DELETE FROM sign_in WHERE hash = ?1 RETURNING person, expires_at",
                            [hash_secret(link.reveal())],
                            |row| Ok((row.get(0)?, row.get(1)?)),
                        )
                        .optional()?;
                    let Some((person, expires_at)) = found else { return Ok(None) };
                    if instant(expires_at)? <= now {
                        return Ok(None);
                    }
                    let session = Session {
                        person: person.as_deref().map(name).transpose()?,
                        expires_at: now + SESSION_FOR,
                    };
                    let secret = Secret::new("");
                    connection.execute(
                        "INSERT INTO session (hash, person, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
                        params![
                            hash_secret(secret.reveal()),
                            person,
                            now.as_millisecond(),
                            session.expires_at.as_millisecond()
                        ],
                    )?;
                    connection
                        .execute("DELETE FROM session WHERE expires_at <= ?1", [now.as_millisecond()])?;
                    access.sessions.retain(|_, other| now < other.expires_at);
                    if access.sessions.len() >= MAX_KEPT {
                        return Err(corrupt("sessions", &"there are too many"));
                    }
                    access.sessions.insert(hash_secret(secret.reveal()), session);
                    Ok(Some(secret))
                })
            })
            .await
    }

    /// Ends a session.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sign_out(&self, session: Secret) -> Result<(), StoreError> {
        self.backend
            .call(move |core, _| {
                core.change_access(|connection, access| {
                    let hash = hash_secret(session.reveal());
                    connection.execute("DELETE FROM session WHERE hash = ?1", [hash])?;
                    access.sessions.remove(&hash);
                    Ok(())
                })
            })
            .await
    }

    /// A key of this installation, made when it is first asked for.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn secret(&self, key: &'static str) -> Result<Vec<u8>, StoreError> {
        self.backend
            .call(move |core, _| {
                core.change_access(|connection, access| {
                    if let Some(value) = access.secrets.get(key) {
                        return Ok(value.clone());
                    }
                    let value = secret::<32>().to_vec();
                    connection
                        .execute("INSERT INTO secret (name, value) VALUES (?1, ?2)", params![key, value])?;
                    access.secrets.insert(key.to_owned(), value.clone());
                    Ok(value)
                })
            })
            .await
    }

    /// Sets a key of this installation.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn set_secret(&self, key: String, value: Vec<u8>) -> Result<(), StoreError> {
        self.backend
            .call(move |core, _| {
                core.change_access(|connection, access| {
                    connection.execute(
                        "INSERT INTO secret (name, value) VALUES (?1, ?2) \
                         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        params![key, value],
                    )?;
                    access.secrets.insert(key.clone(), value.clone());
                    Ok(())
                })
            })
            .await
    }

    /// Forgets a key of this installation. Says whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn forget_secret(&self, key: String) -> Result<bool, StoreError> {
        self.backend
            .call(move |core, _| {
                core.change_access(|connection, access| {
                    connection.execute("DELETE FROM secret WHERE name = ?1", [&key])?;
                    Ok(access.secrets.remove(&key).is_some())
                })
            })
            .await
    }
}
