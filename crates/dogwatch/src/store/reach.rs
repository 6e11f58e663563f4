//! What is known of people's contacts beside what is written of them: proven to be theirs, tried out, dead.
//!
//! What the rules are is in `reach.rs`.

use escalation::contact::Contact;
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};

use super::{Store, StoreError, question, sql, verb};

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
        question!(self.ask(|sql| sql::reach::all(sql, false)))
    }

    /// Contacts to which nothing is sent.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn dead_contacts(&self) -> Result<Vec<(Name, Contact)>, StoreError> {
        let dead = question!(self.ask(|sql| sql::reach::all(sql, true)))?;
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
        verb!(self.promise(|core, now| core.send_code(now, &person, &to, &code, &text)))
    }

    /// Checks a code. One that is right makes the contact proven, and alive.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn prove(&self, person: Name, to: Contact, code: String) -> Result<Proof, StoreError> {
        verb!(self.promise(|core, now| core.prove(now, &person, &to, &code)))
    }

    /// Lets a contact ring for a test.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing rings.
    pub async fn ring(&self, person: Name, to: Contact, text: String) -> Result<(), StoreError> {
        verb!(self.promise(|core, now| core.ring(now, &person, &to, &text)))
    }

    /// Keeps what the owner of a contact says of its last test. Says whether there was one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn heard_test(&self, person: Name, to: Contact, sounded: bool) -> Result<bool, StoreError> {
        verb!(self.promise(|core, _now| core.heard_test(&person, &to, sounded)))
    }

    /// A message to a contact was given up for good. Says whether nothing is sent there from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it does not count.
    pub async fn contact_failed(&self, person: Name, to: Contact) -> Result<bool, StoreError> {
        verb!(self.note(|core, now| core.contact_failed(now, &person, &to)))
    }

    /// A message to a contact was taken: what failed before no longer counts.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn contact_worked(&self, person: Name, to: Contact) -> Result<(), StoreError> {
        verb!(self.note(|core, _now| core.contact_worked(&person, &to)))
    }
}
