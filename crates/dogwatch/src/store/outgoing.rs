//! What leaves the house because an alert changed: to subscribers outside, and to people who follow it.
//!
//! The rows are written in the transaction that changes the alert (`store/core/outgoing.rs`), so that none is lost and
//! none is invented. Who sends them is `outgoing.rs`.

use escalation::effect::EntryKind;
use escalation::id::AlertId;
use escalation::name::Name;
use jiff::Timestamp;
use rusqlite::params;
use serde_json::Value;

use super::sqlite::codec::{from_json, id_bytes, instant, to_json};
use super::sqlite::rows::at_once;
use super::{AlertRef, Store, StoreError};

/// A subscriber outside: whom it wants to hear of, and what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// Its name.
    pub name: String,
    /// Only alerts of these teams; empty: all.
    pub teams: Vec<Name>,
    /// Only these changes; empty: all.
    pub kinds: Vec<EntryKind>,
}

/// One change that a subscriber has still to be told.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    /// Its place among all; a later one is larger.
    pub seq: u64,
    /// The alert.
    pub alert: AlertId,
    /// When it happened.
    pub at: Timestamp,
    /// What is told.
    pub body: Value,
    /// How often telling it has failed.
    pub tries: u32,
}

/// What came of following an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Following {
    /// It is so now.
    Done,
    /// There is no such alert.
    NoAlert,
}

impl Store {
    /// From now on these are told of every change that they want to hear of. What waits for others is forgotten:
    /// they are not in the configuration any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn tell_listeners(&self, listeners: Vec<Listener>) -> Result<(), StoreError> {
        self.backend
            .call(move |core, _| {
                let names: Vec<&str> = listeners.iter().map(|listener| listener.name.as_str()).collect();
                let names = to_json(&names)?;
                core.connection().execute(
                    "DELETE FROM outgoing WHERE subscriber NOT IN (SELECT value FROM json_each(?1))",
                    [names],
                )?;
                core.listen(listeners.clone());
                Ok(())
            })
            .await
    }

    /// What a subscriber may be told now: of each alert the first thing that it has not been told, in order, and when
    /// the next is due.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn outgoing(
        &self,
        subscriber: String,
        now: Timestamp,
        most: usize,
    ) -> Result<(Vec<Outgoing>, Option<Timestamp>), StoreError> {
        let first = "FROM outgoing o WHERE o.subscriber = ?1 AND NOT EXISTS (SELECT 1 FROM outgoing p \
                     WHERE p.subscriber = o.subscriber AND p.alert = o.alert AND p.seq < o.seq)";
        self.backend
            .read(move |connection| {
                let mut statement = connection.prepare_cached(&format!(
                    "SELECT o.seq, o.alert, o.at, o.body, o.tries {first} AND o.not_before <= ?2 ORDER BY o.seq LIMIT ?3"
                ))?;
                let most = i64::try_from(most).unwrap_or(i64::MAX);
                let mut rows = statement.query(params![subscriber, now.as_millisecond(), most])?;
                let mut found = Vec::new();
                while let Some(row) = rows.next()? {
                    let (alert, body): (Vec<u8>, String) = (row.get(1)?, row.get(3)?);
                    found.push(Outgoing {
                        seq: u64::try_from(row.get::<_, i64>(0)?).unwrap_or_default(),
                        alert: AlertId::from_bytes(id_bytes(&alert)?),
                        at: instant(row.get(2)?)?,
                        body: from_json(&body)?,
                        tries: row.get(4)?,
                    });
                }
                let later: Option<i64> = connection
                    .prepare_cached(&format!("SELECT min(o.not_before) {first} AND o.not_before > ?2"))?
                    .query_row(params![subscriber, now.as_millisecond()], |row| row.get(0))?;
                Ok((found, later.map(instant).transpose()?))
            })
            .await
    }

    /// A subscriber has taken it, or it is given up.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it is told again.
    pub async fn told(&self, seq: u64) -> Result<(), StoreError> {
        self.backend
            .call_within(move |core, _| {
                let seq = i64::try_from(seq).unwrap_or(i64::MAX);
                core.connection().prepare_cached("DELETE FROM outgoing WHERE seq = ?1")?.execute([seq])?;
                Ok(())
            })
            .await
    }

    /// It was not taken: it is tried again at `again`, and what else there is about its alert waits for it.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it is tried again sooner.
    pub async fn not_told(&self, seq: u64, again: Timestamp) -> Result<(), StoreError> {
        self.backend
            .call_within(move |core, _| {
                let seq = i64::try_from(seq).unwrap_or(i64::MAX);
                core.connection()
                    .prepare_cached("UPDATE outgoing SET tries = tries + 1, not_before = ?2 WHERE seq = ?1")?
                    .execute(params![seq, again.as_millisecond()])?;
                Ok(())
            })
            .await
    }

    /// Lets a person follow an alert, or follow it no more.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn follow(
        &self,
        alert: AlertRef,
        person: Name,
        follows: bool,
    ) -> Result<Following, StoreError> {
        self.backend
            .call(move |core, _| {
                let Some(id) = at_once(core.id_of(alert))? else { return Ok(Following::NoAlert) };
                let statement = match follows {
                    true => "INSERT INTO follower (alert, person) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                    false => "DELETE FROM follower WHERE alert = ?1 AND person = ?2",
                };
                core.connection().execute(statement, params![id.to_bytes(), person.as_str()])?;
                Ok(Following::Done)
            })
            .await
    }

    /// Who follows an alert, by name.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn followers(&self, alert: AlertId) -> Result<Vec<Name>, StoreError> {
        self.backend.read(move |connection| super::sqlite::outgoing::followers(connection, alert)).await
    }
}
