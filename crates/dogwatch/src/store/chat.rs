//! Messages in chats that are changed when what they say has changed.
//!
//! How an alert stands is compared as a short text, [`standing`]: what it was when the message was written or last
//! changed, against what it is now.

use escalation::alert::{Alert, Status};
use escalation::contact::Contact;
use escalation::id::{AlertId, DeliveryId};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::sqlite::codec::{contact, id_bytes};
use super::{Claim, Store, StoreError, sqlite};

/// A message that says something else than how its alerts stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The delivery that carried it.
    pub delivery: DeliveryId,
    /// Where it went.
    pub contact: Contact,
    /// What the provider calls it.
    pub provider_id: String,
    /// How often changing it has failed.
    pub tries: u32,
}

/// How an alert stands: its status, and since when somebody has it.
fn standing(alert: &Alert) -> String {
    let since =
        alert.acknowledged.as_ref().map_or_else(String::new, |act| act.at.as_millisecond().to_string());
    format!("{}:{since}", alert.status.word())
}

/// The same of a row of the table `alert`, as SQL.
const STANDING: &str = "a.status || ':' || coalesce(json_extract(a.acknowledged, '$.at'), '')";

impl Store {
    /// Remembers a message that was sent for `claim`, so that it is changed when its alerts are.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn keep_message(&self, claim: &Claim, provider_id: String) -> Result<(), StoreError> {
        let delivery = claim.delivery.id;
        let to = claim.delivery.contact.to_string();
        let held = std::iter::once(claim).chain(&claim.others).filter_map(|claim| claim.alert.as_ref());
        let held: Vec<(AlertId, String)> = held.map(|alert| (alert.id, standing(alert))).collect();
        self.backend
            .call_within(move |core, _| {
                for (alert, shown) in &held {
                    core.connection().execute(
                        "INSERT INTO chat_message (alert, delivery, contact, provider_id, shown) \
                         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (alert, delivery) DO UPDATE \
                         SET provider_id = excluded.provider_id, shown = excluded.shown, tries = 0, not_before = 0",
                        params![alert.to_bytes(), delivery.to_bytes(), to, provider_id, shown],
                    )?;
                }
                Ok(())
            })
            .await
    }

    /// Messages that say something else than how their alerts stand, at most `most`; and when those that failed are
    /// to be tried again.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn stale_messages(
        &self,
        now: Timestamp,
        most: usize,
    ) -> Result<(Vec<Stale>, Option<Timestamp>), StoreError> {
        self.backend.read(move |connection| stale(connection, now, most)).await
    }

    /// What a message says now: its claim, with what else it holds, as it stands now.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn message(&self, delivery: DeliveryId) -> Result<Option<Claim>, StoreError> {
        self.backend.read(move |connection| sqlite::read::message(connection, delivery)).await
    }

    /// Remembers that a message shows its alerts as `claim` has them. Forgets what will not change any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn message_shows(&self, claim: &Claim) -> Result<(), StoreError> {
        let delivery = claim.delivery.id;
        let held = std::iter::once(claim).chain(&claim.others).filter_map(|claim| claim.alert.as_ref());
        let held: Vec<(AlertId, Option<String>)> = held
            .map(|alert| (alert.id, (alert.status != Status::Resolved).then(|| standing(alert))))
            .collect();
        self.backend
            .call_within(move |core, _| {
                for (alert, shown) in &held {
                    let key = (alert.to_bytes(), delivery.to_bytes());
                    match shown {
                        Some(shown) => core.connection().execute(
                            "UPDATE chat_message SET shown = ?3, tries = 0, not_before = 0 \
                             WHERE alert = ?1 AND delivery = ?2",
                            params![key.0, key.1, shown],
                        )?,
                        None => core.connection().execute(
                            "DELETE FROM chat_message WHERE alert = ?1 AND delivery = ?2",
                            params![key.0, key.1],
                        )?,
                    };
                }
                Ok(())
            })
            .await
    }

    /// Remembers that changing a message failed: it is tried again at `again`, or left as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn message_failed(
        &self,
        delivery: DeliveryId,
        again: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.backend
            .call_within(move |core, _| {
                match again {
                    Some(at) => core.connection().execute(
                        "UPDATE chat_message SET tries = tries + 1, not_before = ?2 WHERE delivery = ?1",
                        params![delivery.to_bytes(), at.as_millisecond()],
                    )?,
                    None => core
                        .connection()
                        .execute("DELETE FROM chat_message WHERE delivery = ?1", [delivery.to_bytes()])?,
                };
                Ok(())
            })
            .await
    }

    /// Messages of these contacts' kind that still wait for an answer: delivery, contact and provider's name.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn messages_to(&self, word: &'static str) -> Result<Vec<Stale>, StoreError> {
        self.backend
            .read(move |connection| {
                let mut statement = connection.prepare_cached(
                    "SELECT DISTINCT m.delivery, m.contact, m.provider_id, m.tries FROM chat_message m \
                     JOIN alert a ON a.id = m.alert \
                     WHERE m.contact LIKE ?1 || ':%' AND a.status IN ('triggered', 'unanswered') \
                     ORDER BY m.delivery LIMIT 1000",
                )?;
                let rows = statement.query_map([word], row)?;
                rows.map(|row| read(row?)).collect()
            })
            .await
    }
}

type StaleRow = (Vec<u8>, String, String, u32);

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<StaleRow> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn read((delivery, to, provider_id, tries): StaleRow) -> Result<Stale, StoreError> {
    let delivery = DeliveryId::from_bytes(id_bytes(&delivery)?);
    Ok(Stale { delivery, contact: contact(&to)?, provider_id, tries })
}

fn stale(
    connection: &Connection,
    now: Timestamp,
    most: usize,
) -> Result<(Vec<Stale>, Option<Timestamp>), StoreError> {
    let from = format!("FROM chat_message m JOIN alert a ON a.id = m.alert WHERE m.shown <> {STANDING}");
    let mut statement = connection.prepare_cached(&format!(
        "SELECT DISTINCT m.delivery, m.contact, m.provider_id, m.tries {from} AND m.not_before <= ?1 \
         ORDER BY m.delivery LIMIT ?2"
    ))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![now.as_millisecond(), most], row)?;
    let found = rows.map(|row| read(row?)).collect::<Result<_, _>>()?;
    let later: Option<i64> = connection
        .prepare_cached(&format!("SELECT min(m.not_before) {from} AND m.not_before > ?1"))?
        .query_row([now.as_millisecond()], |row| row.get(0))?;
    Ok((found, later.map(sqlite::codec::instant).transpose()?))
}
