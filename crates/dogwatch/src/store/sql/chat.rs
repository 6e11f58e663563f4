//! Messages in chats that are changed when their alerts are: rows in and out.

use escalation::id::{AlertId, DeliveryId};
use jiff::Timestamp;

use super::codec::{contact, instant, limit, small};
use super::rows::SqlRows;
use super::{Row, Sql, values};
use crate::store::core::Core;
use crate::store::{Stale, StoreError};

/// How the alert of a message stands in it: what `standing` in `store/chat.rs` makes of its claim. Only where somebody
/// has an alert are others still asked: the pages of the message, and of what went out with it, are looked at then.
const STANDING: &str = "a.status || ':' || coalesce(a.acknowledged ->> 'at', '') || \
     CASE WHEN a.status = 'acknowledged' AND EXISTS (\
       SELECT 1 FROM page p WHERE p.alert = m.alert AND p.ended_at IS NULL AND p.asks <> 'anybody' \
       AND EXISTS (SELECT 1 FROM delivery d WHERE d.alert = m.alert AND d.page = p.id \
                   AND (d.id = m.delivery OR d.bundle = (SELECT l.bundle FROM delivery l WHERE l.id = m.delivery)))) \
     THEN ':asked' ELSE '' END";

impl<S: Sql> Core<SqlRows<S>> {
    /// A message that went to a contact shows each of these alerts as it is said to stand.
    pub(crate) async fn keep_message(
        &mut self,
        delivery: DeliveryId,
        to: &str,
        provider_id: &str,
        held: &[(AlertId, String)],
    ) -> Result<(), StoreError> {
        for (alert, shown) in held {
            let statement = "INSERT INTO chat_message (alert, delivery, contact, provider_id, shown) \
                 VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (alert, delivery) DO UPDATE \
                 SET provider_id = excluded.provider_id, shown = excluded.shown, tries = 0, not_before = 0";
            let values = values![alert.to_bytes(), delivery.to_bytes(), to, provider_id, shown];
            self.rows.sql.change(statement, values).await?;
        }
        Ok(())
    }

    /// A message shows each of these alerts so; none: it will not change any more.
    pub(crate) async fn message_shows(
        &mut self,
        delivery: DeliveryId,
        held: &[(AlertId, Option<String>)],
    ) -> Result<(), StoreError> {
        for (alert, shown) in held {
            let (alert, delivery) = (alert.to_bytes(), delivery.to_bytes());
            let sql = &mut self.rows.sql;
            if let Some(shown) = shown {
                let statement = "UPDATE chat_message SET shown = ?3, tries = 0, not_before = 0 \
                     WHERE alert = ?1 AND delivery = ?2";
                sql.change(statement, values![alert, delivery, shown]).await?;
            } else {
                let statement = "DELETE FROM chat_message WHERE alert = ?1 AND delivery = ?2";
                sql.change(statement, values![alert, delivery]).await?;
            }
        }
        Ok(())
    }

    /// Changing a message failed: it is tried again at `again`, or left as it is.
    pub(crate) async fn message_failed(
        &mut self,
        delivery: DeliveryId,
        again: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let (sql, delivery) = (&mut self.rows.sql, delivery.to_bytes());
        if let Some(at) = again {
            let statement = "UPDATE chat_message SET tries = tries + 1, not_before = ?2 WHERE delivery = ?1";
            sql.change(statement, values![delivery, at.as_millisecond()]).await
        } else {
            sql.change("DELETE FROM chat_message WHERE delivery = ?1", values![delivery]).await
        }
    }
}

fn read(rows: Vec<Row>) -> Result<Vec<Stale>, StoreError> {
    let all = rows.into_iter().map(|mut row| {
        Ok(Stale {
            delivery: DeliveryId::from_bytes(row.get(0)?),
            contact: contact(&row.get::<String>(1)?)?,
            provider_id: row.get(2)?,
            tries: small(row.get(3)?)?,
        })
    });
    all.collect()
}

/// Messages that say something else than how their alerts stand; and when those that failed are tried again.
pub(in crate::store) async fn stale(
    sql: &mut impl Sql,
    now: Timestamp,
    most: usize,
) -> Result<(Vec<Stale>, Option<Timestamp>), StoreError> {
    let from = format!("FROM chat_message m JOIN alert a ON a.id = m.alert WHERE m.shown <> {STANDING}");
    let now = now.as_millisecond();
    let statement = format!(
        "SELECT DISTINCT m.delivery, m.contact, m.provider_id, m.tries {from} AND m.not_before <= ?1 \
         ORDER BY m.delivery LIMIT ?2"
    );
    let found = read(sql.rows(&statement, values![now, limit(most)]).await?)?;
    let statement = format!("SELECT min(m.not_before) {from} AND m.not_before > ?1");
    let later: Option<i64> = sql.value(&statement, values![now]).await?;
    Ok((found, later.map(instant).transpose()?))
}

/// Messages to contacts of a kind that still wait for an answer.
pub(in crate::store) async fn waiting(sql: &mut impl Sql, word: &str) -> Result<Vec<Stale>, StoreError> {
    let statement = format!(
        "SELECT DISTINCT m.delivery, m.contact, m.provider_id, m.tries FROM chat_message m \
         JOIN alert a ON a.id = m.alert \
         WHERE m.contact LIKE ?1 AND (a.status IN ('triggered', 'unanswered') OR {STANDING} LIKE '%:asked') \
         ORDER BY m.delivery LIMIT 1000"
    );
    read(sql.rows(&statement, values![&format!("{word}:%")]).await?)
}
