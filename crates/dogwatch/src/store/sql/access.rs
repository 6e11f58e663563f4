//! Tokens, sign-in addresses, sessions and the installation's keys: in the tables and in memory alike.

use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};

use super::codec::{corrupt, instant, name, small};
use super::rows::SqlRows;
use super::{Sql, integration_key, values};
use crate::secret::{Secret, hash_secret};
use crate::store::access::{Access, MAX_KEPT, NewToken, SESSION_FOR, SIGN_IN_FOR, Session, Token};
use crate::store::core::Core;
use crate::store::rows::Versions;
use crate::store::{IntegrationKey, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// Waits until nobody else edits definitions or access, and keeps others from it until the end of the transaction.
pub(super) async fn lock_changes<S: Sql>(sql: &mut S) -> Result<()> {
    sql.rows(&format!("SELECT version FROM change WHERE what = 'access'{}", S::LOCK), values![])
        .await
        .map(drop)
}

/// Access has changed. Returns how new it is now.
pub(super) async fn count_up(sql: &mut impl Sql) -> Result<u64> {
    let statement = "UPDATE change SET version = version + 1 WHERE what = 'access' RETURNING version";
    small(sql.value(statement, values![]).await?)
}

/// How new what is stored is.
pub(in crate::store) async fn versions(sql: &mut impl Sql) -> Result<Versions> {
    let statement = "SELECT (SELECT coalesce(max(version), 0) FROM definition), \
         (SELECT version FROM change WHERE what = 'access'), \
         CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)";
    let Some(mut row) = sql.first(statement, values![]).await? else { return Ok(Versions::default()) };
    let told_at = instant(row.get(2)?)?;
    Ok(Versions { definitions: small(row.get(0)?)?, access: small(row.get(1)?)?, told_at: Some(told_at) })
}

pub(super) async fn load<S: Sql>(sql: &mut S) -> Result<Access> {
    let mut access = Access::default();
    if S::HAS_OTHERS {
        access.version = versions(sql).await?.access;
    }
    let statement = "SELECT id, hash, name, person, strong, created_at, expires_at FROM token \
         WHERE revoked_at IS NULL";
    for mut row in sql.rows(statement, values![]).await? {
        let (person, expires): (Option<String>, Option<i64>) = (row.get(3)?, row.get(6)?);
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
    for mut row in sql.rows("SELECT hash, person, expires_at FROM session", values![]).await? {
        let person: Option<String> = row.get(1)?;
        let person = person.as_deref().map(name).transpose()?;
        let session = Session { person, expires_at: instant(row.get(2)?)? };
        access.sessions.insert(row.get(0)?, session);
    }
    for mut row in sql.rows("SELECT name, value FROM secret", values![]).await? {
        access.secrets.insert(row.get(0)?, row.get(1)?);
    }
    for key in integration_key::load(sql).await? {
        access.add_key(key);
    }
    Ok(access)
}

async fn insert_token(
    sql: &mut impl Sql,
    access: &mut Access,
    now: Timestamp,
    new: &NewToken,
    secret: &Secret,
) -> Result<Token> {
    let token = Token::new(now, new, secret);
    let statement = "INSERT INTO token (id, hash, name, person, strong, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let values = values![
        &token.id,
        token.hash,
        &token.name,
        token.person.as_ref().map(|person| person.as_str()),
        token.strong,
        now.as_millisecond(),
        token.expires_at.map(Timestamp::as_millisecond),
    ];
    sql.change(statement, values).await?;
    access.tokens.insert(token.hash, token.clone());
    Ok(token)
}

impl<S: Sql> Core<SqlRows<S>> {
    /// Access as it is now, to be changed; nobody else changes it meanwhile.
    async fn edit_access(&mut self) -> Result<Access> {
        if S::HAS_OTHERS {
            lock_changes(&mut self.rows.sql).await?;
            self.catch_up().await?;
        }
        Ok(Access::clone(self.known_access()))
    }

    async fn put_access(&mut self, mut access: Access) -> Result<()> {
        if S::HAS_OTHERS {
            access.version = count_up(&mut self.rows.sql).await?;
            // Others are to let in, or to keep out, from now on.
            self.stirred.seen = true;
        }
        self.set_access(access);
        Ok(())
    }

    pub(crate) async fn create_token(
        &mut self,
        now: Timestamp,
        new: &NewToken,
        secret: &Secret,
    ) -> Result<Token> {
        let mut access = self.edit_access().await?;
        let token = insert_token(&mut self.rows.sql, &mut access, now, new, secret).await?;
        self.put_access(access).await?;
        Ok(token)
    }

    pub(crate) async fn adopt_token(&mut self, now: Timestamp, name: &str, secret: &Secret) -> Result<()> {
        let mut access = self.edit_access().await?;
        let hash = hash_secret(secret.reveal());
        if access.tokens.contains_key(&hash) {
            return Ok(());
        }
        // The name stands for one secret: the one before it has been replaced. A hash that was revoked once is taken
        // in again.
        let sql = &mut self.rows.sql;
        let statement = "UPDATE token SET revoked_at = ?2 WHERE name = ?1 AND revoked_at IS NULL";
        sql.change(statement, values![name, now.as_millisecond()]).await?;
        sql.change("DELETE FROM token WHERE hash = ?1", values![hash]).await?;
        access.tokens.retain(|_, token| token.name != name);
        let new = NewToken { name: name.to_owned(), person: None, expires_in: None };
        insert_token(sql, &mut access, now, &new, secret).await?;
        self.put_access(access).await
    }

    pub(crate) async fn revoke_token(&mut self, now: Timestamp, id: &str) -> Result<bool> {
        let mut access = self.edit_access().await?;
        let statement = "UPDATE token SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL";
        self.rows.sql.change(statement, values![id, now.as_millisecond()]).await?;
        let before = access.tokens.len();
        access.tokens.retain(|_, token| token.id != id);
        let was_there = access.tokens.len() < before;
        self.put_access(access).await?;
        Ok(was_there)
    }

    pub(crate) async fn create_sign_in(
        &mut self,
        now: Timestamp,
        person: Option<&Name>,
        secret: &Secret,
    ) -> Result<()> {
        let sql = &mut self.rows.sql;
        sql.change("DELETE FROM sign_in WHERE expires_at <= ?1", values![now.as_millisecond()]).await?;
        let statement = "INSERT INTO sign_in (hash, person, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)";
        let values = values![
            hash_secret(secret.reveal()),
            person.map(Name::as_str),
            now.as_millisecond(),
            (now + SIGN_IN_FOR).as_millisecond(),
        ];
        sql.change(statement, values).await
    }

    pub(crate) async fn sign_in(&mut self, now: Timestamp, link: &Secret) -> Result<Option<Secret>> {
        let mut access = self.edit_access().await?;
        let sql = &mut self.rows.sql;
        let statement = "DELETE FROM sign_in WHERE hash = ?1 RETURNING person, expires_at";
        let found = sql.first(statement, values![hash_secret(link.reveal())]).await?;
        let Some(mut row) = found else { return Ok(None) };
        let (person, expires_at): (Option<String>, i64) = (row.get(0)?, row.get(1)?);
        if instant(expires_at)? <= now {
            return Ok(None);
        }
        let session =
            Session { person: person.as_deref().map(name).transpose()?, expires_at: now + SESSION_FOR };
        let secret = Secret::new("");
        let hash = hash_secret(secret.reveal());
        let statement = "INSERT INTO session (hash, person, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)";
        let end = session.expires_at.as_millisecond();
        sql.change(statement, values![hash, person.as_deref(), now.as_millisecond(), end]).await?;
        sql.change("DELETE FROM session WHERE expires_at <= ?1", values![now.as_millisecond()]).await?;
        access.sessions.retain(|_, other| now < other.expires_at);
        if access.sessions.len() >= MAX_KEPT {
            return Err(corrupt("sessions", &"there are too many"));
        }
        access.sessions.insert(hash, session);
        self.put_access(access).await?;
        Ok(Some(secret))
    }

    pub(crate) async fn sign_out(&mut self, session: &Secret) -> Result<()> {
        let mut access = self.edit_access().await?;
        let hash = hash_secret(session.reveal());
        self.rows.sql.change("DELETE FROM session WHERE hash = ?1", values![hash]).await?;
        access.sessions.remove(&hash);
        self.put_access(access).await
    }

    /// The key, or `made` in its place if there is none.
    pub(crate) async fn secret(&mut self, key: &str, made: &[u8]) -> Result<Vec<u8>> {
        let mut access = self.edit_access().await?;
        if let Some(value) = access.secrets.get(key) {
            return Ok(value.clone());
        }
        let statement = "INSERT INTO secret (name, value) VALUES (?1, ?2)";
        self.rows.sql.change(statement, values![key, made]).await?;
        access.secrets.insert(key.to_owned(), made.to_vec());
        self.put_access(access).await?;
        Ok(made.to_vec())
    }

    pub(crate) async fn set_secret(&mut self, key: &str, value: &[u8]) -> Result<()> {
        let mut access = self.edit_access().await?;
        let statement = "INSERT INTO secret (name, value) VALUES (?1, ?2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.rows.sql.change(statement, values![key, value]).await?;
        access.secrets.insert(key.to_owned(), value.to_vec());
        self.put_access(access).await
    }

    pub(crate) async fn forget_secret(&mut self, key: &str) -> Result<bool> {
        let mut access = self.edit_access().await?;
        self.rows.sql.change("DELETE FROM secret WHERE name = ?1", values![key]).await?;
        let was_there = access.secrets.remove(key).is_some();
        self.put_access(access).await?;
        Ok(was_there)
    }

    /// Adds a key of an integration, made now; those that it has end after `overlap`; none: they go on.
    pub(crate) async fn create_integration_key(
        &mut self,
        now: Timestamp,
        new: &IntegrationKey,
        overlap: Option<SignedDuration>,
    ) -> Result<IntegrationKey> {
        let mut access = self.edit_access().await?;
        let key = IntegrationKey { created_at: now, ..new.clone() };
        if let Some(overlap) = overlap {
            let end = now + overlap;
            integration_key::end_all(&mut self.rows.sql, &key.integration, end).await?;
            access.end_keys(&key.integration, end);
        }
        integration_key::insert(&mut self.rows.sql, &key).await?;
        access.add_key(key.clone());
        self.put_access(access).await?;
        Ok(key)
    }

    pub(crate) async fn revoke_integration_key(
        &mut self,
        now: Timestamp,
        integration: &Name,
        id: &str,
    ) -> Result<bool> {
        let mut access = self.edit_access().await?;
        integration_key::revoke(&mut self.rows.sql, now, integration, id).await?;
        let was_there = access.remove_key(integration, id);
        self.put_access(access).await?;
        Ok(was_there)
    }
}
