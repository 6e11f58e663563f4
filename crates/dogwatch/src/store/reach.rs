//! What is known of people's contacts beside what is written of them: proven to be theirs, tried out, dead.
//!
//! What the rules are is in `reach.rs`.

use escalation::contact::Contact;
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::sqlite::codec::{contact, instant, name};
use super::sqlite::rows::at_once;
use super::{Store, StoreError};
use escalation::delivery::Purpose;

/// How long a code is good.
pub const CODE_FOR: SignedDuration = SignedDuration::from_mins(15);
/// Codes that were not right after which a new one has to be asked for.
pub const MOST_WRONG: u32 = 5;
/// Messages in a row that were given up after which nothing is sent to a contact any more.
pub const DEAD_AFTER: u32 = 3;

/// What is known of a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// When somebody proved that what is sent there is read.
    pub verified_at: Option<Timestamp>,
    /// Messages in a row that were given up.
    pub failures: u32,
    /// Since when nothing is sent there.
    pub dead_at: Option<Timestamp>,
    /// When it last rang for a test.
    pub tested_at: Option<Timestamp>,
    /// Whether it sounded then, though the phone was silenced, as its owner says.
    pub sounded: Option<bool>,
}

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It was right.
    Right,
    /// It was not.
    Wrong,
    /// There is none that could be right: none was asked for, it is too old, or too many were tried.
    None,
}

impl Store {
    /// What is known of the contacts of everybody, of those of which anything is.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn reaches(&self) -> Result<Vec<(Name, Contact, Reach)>, StoreError> {
        self.backend.read(|connection| all(connection, "")).await
    }

    /// Contacts to which nothing is sent.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn dead_contacts(&self) -> Result<Vec<(Name, Contact)>, StoreError> {
        let dead = self.backend.read(|connection| all(connection, "WHERE dead_at IS NOT NULL")).await?;
        Ok(dead.into_iter().map(|(person, contact, _)| (person, contact)).collect())
    }

    /// Sends a code to a contact; the one before is good no longer.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: none was sent.
    pub async fn send_code(
        &self,
        person: Name,
        to: Contact,
        code: String,
        text: String,
    ) -> Result<(), StoreError> {
        self.backend
            .call(move |core, now| {
                core.connection().execute(
                    "INSERT INTO contact_state (person, contact, code, code_until) VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT DO UPDATE SET code = excluded.code, code_until = excluded.code_until, wrong = 0",
                    params![person.as_str(), to.as_str(), code, (now + CODE_FOR).as_millisecond()],
                )?;
                at_once(core.post(now, Some(person.clone()), to.clone(), Purpose::Notice, &text))
            })
            .await
    }

    /// Checks a code. One that is right makes the contact proven, and alive.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn prove(&self, person: Name, to: Contact, code: String) -> Result<Proof, StoreError> {
        self.backend
            .call(move |core, now| {
                let key = params![person.as_str(), to.as_str()];
                let found: Option<(Option<String>, Option<i64>, u32)> = core
                    .connection()
                    .prepare_cached(
                        "SELECT code, code_until, wrong FROM contact_state WHERE person = ?1 AND contact = ?2",
                    )?
                    .query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                    .optional()?;
                let Some((Some(right), Some(until), wrong)) = found else { return Ok(Proof::None) };
                if until <= now.as_millisecond() || wrong >= MOST_WRONG {
                    return Ok(Proof::None);
                }
                if right != code {
                    core.connection().execute(
                        "UPDATE contact_state SET wrong = wrong + 1 WHERE person = ?1 AND contact = ?2",
                        key,
                    )?;
                    return Ok(Proof::Wrong);
                }
                core.connection().execute(
                    "UPDATE contact_state SET verified_at = ?3, code = NULL, code_until = NULL, wrong = 0, \
                     failures = 0, dead_at = NULL WHERE person = ?1 AND contact = ?2",
                    params![person.as_str(), to.as_str(), now.as_millisecond()],
                )?;
                Ok(Proof::Right)
            })
            .await
    }

    /// Lets a contact ring for a test.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing rings.
    pub async fn ring(&self, person: Name, to: Contact, text: String) -> Result<(), StoreError> {
        self.backend
            .call(move |core, now| {
                core.connection().execute(
                    "INSERT INTO contact_state (person, contact, tested_at) VALUES (?1, ?2, ?3) \
                     ON CONFLICT DO UPDATE SET tested_at = excluded.tested_at, sounded = NULL",
                    params![person.as_str(), to.as_str(), now.as_millisecond()],
                )?;
                at_once(core.post(now, Some(person.clone()), to.clone(), Purpose::Test, &text))
            })
            .await
    }

    /// Keeps what the owner of a contact says of its last test. Says whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn heard_test(&self, person: Name, to: Contact, sounded: bool) -> Result<bool, StoreError> {
        self.backend
            .call(move |core, _| {
                let changed = core.connection().execute(
                    "UPDATE contact_state SET sounded = ?3 \
                     WHERE person = ?1 AND contact = ?2 AND tested_at IS NOT NULL",
                    params![person.as_str(), to.as_str(), sounded],
                )?;
                Ok(changed == 1)
            })
            .await
    }

    /// A message to a contact was given up for good. Says whether nothing is sent there from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it does not count.
    pub async fn contact_failed(&self, person: Name, to: Contact) -> Result<bool, StoreError> {
        self.backend
            .call_within(move |core, now| {
                core.connection().execute(
                    "INSERT INTO contact_state (person, contact, failures) VALUES (?1, ?2, 1) \
                     ON CONFLICT DO UPDATE SET failures = failures + 1",
                    params![person.as_str(), to.as_str()],
                )?;
                let died = core.connection().execute(
                    "UPDATE contact_state SET dead_at = ?3 \
                     WHERE person = ?1 AND contact = ?2 AND dead_at IS NULL AND failures >= ?4",
                    params![person.as_str(), to.as_str(), now.as_millisecond(), DEAD_AFTER],
                )?;
                Ok(died == 1)
            })
            .await
    }

    /// A message to a contact was taken: what failed before no longer counts.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn contact_worked(&self, person: Name, to: Contact) -> Result<(), StoreError> {
        self.backend
            .call_within(move |core, _| {
                core.connection().execute(
                    "UPDATE contact_state SET failures = 0, dead_at = NULL \
                     WHERE person = ?1 AND contact = ?2 AND failures > 0",
                    params![person.as_str(), to.as_str()],
                )?;
                Ok(())
            })
            .await
    }
}

fn all(connection: &Connection, condition: &'static str) -> Result<Vec<(Name, Contact, Reach)>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT person, contact, verified_at, failures, dead_at, tested_at, sounded FROM contact_state {condition} \
         ORDER BY person, contact"
    ))?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let at = |place: usize| -> Result<Option<Timestamp>, StoreError> {
            row.get::<_, Option<i64>>(place)?.map(instant).transpose()
        };
        let reach = Reach {
            verified_at: at(2)?,
            failures: row.get(3)?,
            dead_at: at(4)?,
            tested_at: at(5)?,
            sounded: row.get(6)?,
        };
        found.push((name(&row.get::<_, String>(0)?)?, contact(&row.get::<_, String>(1)?)?, reach));
    }
    Ok(found)
}
