//! What is known of people's contacts: rows in and out.

use escalation::contact::Contact;
use escalation::delivery::Purpose;
use escalation::id::DeliveryId;
use escalation::name::Name;
use escalation::receipt::Receipt;
use jiff::Timestamp;

use super::codec::{contact, instant, name, small};
use super::rows::SqlRows;
use super::{Sql, values};
use crate::store::StoreError;
use crate::store::core::Core;
use crate::store::phone::Said;
use crate::store::reach::{
    ASKED_WITHIN, Asked, CODE_FOR, DEAD_AFTER, MOST_ASKED, MOST_WRONG, Proof, Reach, told_dead,
};
use crate::store::rows::Rows;

impl<S: Sql> Core<SqlRows<S>> {
    pub(crate) async fn send_code(
        &mut self,
        now: Timestamp,
        person: &Name,
        to: &Contact,
        code: &str,
        text: &str,
    ) -> Result<Asked, StoreError> {
        if let Asked::TooOften(until) = self.ask_for(now, person, to).await? {
            return Ok(Asked::TooOften(until));
        }
        let statement = "INSERT INTO contact_state (person, contact, code, code_until) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (person, contact) DO UPDATE SET code = excluded.code, code_until = excluded.code_until, \
             wrong = 0";
        let until = (now + CODE_FOR).as_millisecond();
        self.rows.sql.change(statement, values![person.as_str(), to.as_str(), code, until]).await?;
        self.post(now, Some(person.clone()), to.clone(), Purpose::Notice, text).await?;
        Ok(Asked::Leaves)
    }

    /// Counts a code or a test, if one may be asked for now.
    async fn ask_for(&mut self, now: Timestamp, person: &Name, to: &Contact) -> Result<Asked, StoreError> {
        let (sql, person, to) = (&mut self.rows.sql, person.as_str(), to.as_str());
        // The row is there before it is looked at, so that two who ask at once are told one after the other.
        let statement = "INSERT INTO contact_state (person, contact) VALUES (?1, ?2) \
             ON CONFLICT (person, contact) DO UPDATE SET asked = contact_state.asked";
        sql.change(statement, values![person, to]).await?;
        let statement = "SELECT asked, asked_from FROM contact_state WHERE person = ?1 AND contact = ?2";
        let Some(mut row) = sql.first(statement, values![person, to]).await? else {
            return Ok(Asked::Leaves);
        };
        let (asked, from): (u32, Timestamp) = (small(row.get(0)?)?, instant(row.get(1)?)?);
        let until = from + ASKED_WITHIN;
        let (asked, from) = match (until <= now, asked >= MOST_ASKED) {
            (true, _) => (0, now),
            (false, true) => return Ok(Asked::TooOften(until)),
            (false, false) => (asked, from),
        };
        let statement =
            "UPDATE contact_state SET asked = ?3, asked_from = ?4 WHERE person = ?1 AND contact = ?2";
        sql.change(statement, values![person, to, asked + 1, from.as_millisecond()]).await?;
        Ok(Asked::Leaves)
    }

    pub(crate) async fn prove(
        &mut self,
        now: Timestamp,
        person: &Name,
        to: &Contact,
        code: &str,
    ) -> Result<Proof, StoreError> {
        let (sql, person, to) = (&mut self.rows.sql, person.as_str(), to.as_str());
        let statement = format!(
            "SELECT code, code_until, wrong FROM contact_state WHERE person = ?1 AND contact = ?2{}",
            S::LOCK
        );
        let Some(mut row) = sql.first(&statement, values![person, to]).await? else { return Ok(Proof::None) };
        let (right, until): (Option<String>, Option<i64>) = (row.get(0)?, row.get(1)?);
        let wrong: u32 = small(row.get(2)?)?;
        let (Some(right), Some(until)) = (right, until) else { return Ok(Proof::None) };
        if until <= now.as_millisecond() || wrong >= MOST_WRONG {
            return Ok(Proof::None);
        }
        if right != code {
            let statement = "UPDATE contact_state SET wrong = wrong + 1 WHERE person = ?1 AND contact = ?2";
            sql.change(statement, values![person, to]).await?;
            return Ok(Proof::Wrong);
        }
        let statement = "UPDATE contact_state SET verified_at = ?3, code = NULL, code_until = NULL, wrong = 0, \
             failures = 0, bounces = 0, dead_at = NULL WHERE person = ?1 AND contact = ?2";
        sql.change(statement, values![person, to, now.as_millisecond()]).await?;
        Ok(Proof::Right)
    }

    pub(crate) async fn ring(
        &mut self,
        now: Timestamp,
        person: &Name,
        to: &Contact,
        text: &str,
    ) -> Result<Asked, StoreError> {
        if let Asked::TooOften(until) = self.ask_for(now, person, to).await? {
            return Ok(Asked::TooOften(until));
        }
        let statement = "INSERT INTO contact_state (person, contact, tested_at) VALUES (?1, ?2, ?3) \
             ON CONFLICT (person, contact) DO UPDATE SET tested_at = excluded.tested_at, sounded = NULL";
        let values = values![person.as_str(), to.as_str(), now.as_millisecond()];
        self.rows.sql.change(statement, values).await?;
        self.post(now, Some(person.clone()), to.clone(), Purpose::Test, text).await?;
        Ok(Asked::Leaves)
    }

    pub(crate) async fn heard_test(
        &mut self,
        person: &Name,
        to: &Contact,
        sounded: bool,
    ) -> Result<bool, StoreError> {
        let statement = "UPDATE contact_state SET sounded = ?3 \
             WHERE person = ?1 AND contact = ?2 AND tested_at IS NOT NULL";
        let values = values![person.as_str(), to.as_str(), sounded];
        Ok(self.rows.sql.changed(statement, values).await? == 1)
    }

    pub(crate) async fn contact_failed(
        &mut self,
        now: Timestamp,
        person: &Name,
        to: &Contact,
    ) -> Result<bool, StoreError> {
        let (sql, person, to) = (&mut self.rows.sql, person.as_str(), to.as_str());
        let statement = "INSERT INTO contact_state (person, contact, failures) VALUES (?1, ?2, 1) \
             ON CONFLICT (person, contact) DO UPDATE SET failures = contact_state.failures + 1";
        sql.change(statement, values![person, to]).await?;
        let statement = "UPDATE contact_state SET dead_at = ?3 \
             WHERE person = ?1 AND contact = ?2 AND dead_at IS NULL AND failures >= ?4";
        Ok(sql.changed(statement, values![person, to, now.as_millisecond(), DEAD_AFTER]).await? == 1)
    }

    pub(crate) async fn contact_worked(&mut self, person: &Name, to: &Contact) -> Result<(), StoreError> {
        let statement = "UPDATE contact_state SET failures = 0, \
             dead_at = CASE WHEN bounces >= ?3 THEN dead_at ELSE NULL END \
             WHERE person = ?1 AND contact = ?2 AND failures > 0";
        self.rows.sql.change(statement, values![person.as_str(), to.as_str(), DEAD_AFTER]).await
    }

    /// Stores what a provider says of an attempt, and what that says of the contact.
    pub(crate) async fn provider_said(
        &mut self,
        now: Timestamp,
        id: DeliveryId,
        attempt: u8,
        said: &Said,
    ) -> Result<(), StoreError> {
        if !self.receipt(now, id, attempt, said.receipt, &said.detail).await? {
            return Ok(());
        }
        match said.receipt {
            Receipt::Arrived => self.came_in(id).await,
            Receipt::Failed if said.is_gone => self.bounced(now, id, &said.detail).await,
            _ => Ok(()),
        }
    }

    pub(crate) async fn came_in(&mut self, id: DeliveryId) -> Result<(), StoreError> {
        let Some((person, to)) = self.reached(id).await? else { return Ok(()) };
        let statement = "UPDATE contact_state SET bounces = 0, \
             dead_at = CASE WHEN failures >= ?3 THEN dead_at ELSE NULL END \
             WHERE person = ?1 AND contact = ?2 AND bounces > 0";
        self.rows.sql.change(statement, values![person.as_str(), to.as_str(), DEAD_AFTER]).await
    }

    /// A message came back: after some in a row the contact is dead, and its owner is told elsewhere.
    async fn bounced(&mut self, now: Timestamp, id: DeliveryId, why: &str) -> Result<(), StoreError> {
        let Some((person, to)) = self.reached(id).await? else { return Ok(()) };
        let statement = "INSERT INTO contact_state (person, contact, bounces) VALUES (?1, ?2, 1) \
             ON CONFLICT (person, contact) DO UPDATE SET bounces = contact_state.bounces + 1";
        self.rows.sql.change(statement, values![person.as_str(), to.as_str()]).await?;
        let statement = "UPDATE contact_state SET dead_at = ?3 \
             WHERE person = ?1 AND contact = ?2 AND dead_at IS NULL AND bounces >= ?4";
        let values = values![person.as_str(), to.as_str(), now.as_millisecond(), DEAD_AFTER];
        if self.rows.sql.changed(statement, values).await? == 1 {
            self.warn_person(now, &person, &told_dead(&to, why), &to).await?;
        }
        Ok(())
    }

    /// Whose contact a delivery went to; none for a role.
    async fn reached(&mut self, id: DeliveryId) -> Result<Option<(Name, Contact)>, StoreError> {
        let delivery = self.rows.delivery(id).await?;
        Ok(delivery.and_then(|delivery| Some((delivery.person?, delivery.contact))))
    }
}

/// What is known of the contacts of everybody, or of those to which nothing is sent only.
pub(in crate::store) async fn all(
    sql: &mut impl Sql,
    dead_only: bool,
) -> Result<Vec<(Name, Contact, Reach)>, StoreError> {
    let condition = if dead_only { "WHERE dead_at IS NOT NULL" } else { "" };
    let statement = format!(
        "SELECT person, contact, verified_at, failures, dead_at, tested_at, sounded, bounces FROM contact_state {condition} \
         ORDER BY person, contact"
    );
    let rows = sql.rows(&statement, values![]).await?;
    let all = rows.into_iter().map(|mut row| {
        let mut at = |column| row.get::<Option<i64>>(column)?.map(instant).transpose();
        let (verified_at, dead_at, tested_at) = (at(2)?, at(4)?, at(5)?);
        let (failures, bounces) = (small(row.get(3)?)?, small(row.get(7)?)?);
        let reach = Reach { verified_at, failures, bounces, dead_at, tested_at, sounded: row.get(6)? };
        Ok((name(&row.get::<String>(0)?)?, contact(&row.get::<String>(1)?)?, reach))
    });
    all.collect()
}
