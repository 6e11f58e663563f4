//! Changes that leave the house, and who follows an alert: rows in and out.

use escalation::id::AlertId;
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::codec::{from_json, instant, limit, name, small, to_json};
use super::rows::SqlRows;
use super::{Sql, values};
use crate::store::core::Core;
use crate::store::outgoing::{Following, Listener, Outgoing};
use crate::store::{AlertRef, StoreError};

/// How long what a node tells is left alone by others.
const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// The first thing about each alert that a subscriber has not been told.
const FIRST: &str = "FROM outgoing o WHERE o.subscriber = ?1 AND NOT EXISTS (SELECT 1 FROM outgoing p \
     WHERE p.subscriber = o.subscriber AND p.alert = o.alert AND p.seq < o.seq)";

pub(super) async fn insert(
    sql: &mut impl Sql,
    subscriber: &str,
    alert: AlertId,
    at: Timestamp,
    body: &Value,
) -> Result<(), StoreError> {
    let statement = "INSERT INTO outgoing (subscriber, alert, at, body) VALUES (?1, ?2, ?3, ?4)";
    sql.change(statement, values![subscriber, alert.to_bytes(), at.as_millisecond(), &to_json(body)?]).await
}

pub(in crate::store) async fn followers(sql: &mut impl Sql, alert: AlertId) -> Result<Vec<Name>, StoreError> {
    let statement = "SELECT person FROM follower WHERE alert = ?1 ORDER BY person";
    let rows = sql.rows(statement, values![alert.to_bytes()]).await?;
    rows.into_iter().map(|mut row| name(&row.get::<String>(0)?)).collect()
}

/// How long a change of the configuration may take until all nodes have it.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_hours(7 * 24);

impl<S: Sql> Core<SqlRows<S>> {
    /// From now on these are told; what waits for others is forgotten. Of several nodes another may know a subscriber that
    /// this one does not, while a change of the configuration is on its way through them: there it is forgotten later.
    pub(crate) async fn tell_listeners(
        &mut self,
        now: Timestamp,
        listeners: &[Listener],
    ) -> Result<(), StoreError> {
        let until = if S::HAS_OTHERS { now - ON_ITS_WAY } else { Timestamp::MAX };
        for mut row in self.rows.sql.rows("SELECT DISTINCT subscriber FROM outgoing", values![]).await? {
            let known: String = row.get(0)?;
            if !listeners.iter().any(|listener| listener.name == known) {
                let statement = "DELETE FROM outgoing WHERE subscriber = ?1 AND at < ?2";
                self.rows.sql.change(statement, values![&known, until.as_millisecond()]).await?;
            }
        }
        self.listen(listeners.to_vec());
        Ok(())
    }

    /// What a subscriber may be told now, oldest first, and when the next is due. Other nodes leave it alone meanwhile.
    pub(crate) async fn outgoing(
        &mut self,
        subscriber: &str,
        now: Timestamp,
        most: usize,
    ) -> Result<(Vec<Outgoing>, Option<Timestamp>), StoreError> {
        let sql = &mut self.rows.sql;
        let statement = format!(
            "SELECT o.seq, o.alert, o.at, o.body, o.tries {FIRST} AND o.not_before <= ?2 ORDER BY o.seq LIMIT ?3{}",
            S::LOCK_FREE
        );
        let rows = sql.rows(&statement, values![subscriber, now.as_millisecond(), limit(most)]).await?;
        let found = rows.into_iter().map(|mut row| {
            Ok(Outgoing {
                seq: small(row.get(0)?)?,
                alert: AlertId::from_bytes(row.get(1)?),
                at: instant(row.get(2)?)?,
                body: from_json(&row.get::<String>(3)?)?,
                tries: small(row.get(4)?)?,
            })
        });
        let found = found.collect::<Result<Vec<Outgoing>, StoreError>>()?;
        if S::HAS_OTHERS {
            for outgoing in &found {
                let statement = "UPDATE outgoing SET not_before = ?2 WHERE seq = ?1";
                let until = (now + LEASE).as_millisecond();
                sql.change(statement, values![place(outgoing.seq), until]).await?;
            }
        }
        let statement = format!("SELECT min(o.not_before) {FIRST} AND o.not_before > ?2");
        let later: Option<i64> = sql.value(&statement, values![subscriber, now.as_millisecond()]).await?;
        Ok((found, later.map(instant).transpose()?))
    }

    pub(crate) async fn told(&mut self, seq: u64) -> Result<(), StoreError> {
        self.rows.sql.change("DELETE FROM outgoing WHERE seq = ?1", values![place(seq)]).await
    }

    pub(crate) async fn not_told(&mut self, seq: u64, again: Timestamp) -> Result<(), StoreError> {
        let statement = "UPDATE outgoing SET tries = tries + 1, not_before = ?2 WHERE seq = ?1";
        self.rows.sql.change(statement, values![place(seq), again.as_millisecond()]).await
    }

    pub(crate) async fn follow(
        &mut self,
        alert: AlertRef,
        person: &Name,
        follows: bool,
    ) -> Result<Following, StoreError> {
        let Some(id) = self.id_of(alert).await? else { return Ok(Following::NoAlert) };
        let statement = if follows {
            "INSERT INTO follower (alert, person) VALUES (?1, ?2) ON CONFLICT DO NOTHING"
        } else {
            "DELETE FROM follower WHERE alert = ?1 AND person = ?2"
        };
        self.rows.sql.change(statement, values![id.to_bytes(), person.as_str()]).await?;
        Ok(Following::Done)
    }
}

/// The number of a row.
fn place(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
