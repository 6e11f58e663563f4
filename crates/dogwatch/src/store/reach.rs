//! What is known of people's contacts beside what is written of them: proven to be theirs, tried out, dead.
//!
//! What the rules are is in `reach.rs`.

use escalation::contact::Contact;
use escalation::id::DeliveryId;
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};

use super::{Store, StoreError, question, sql, verb};

/// How long a code is good.
pub const CODE_FOR: SignedDuration = SignedDuration::from_mins(15);
/// Codes that were not right after which a new one has to be asked for.
pub const MOST_WRONG: u32 = 5;
/// Messages in a row that were given up, or came back later, after which nothing is sent to a contact any more.
pub const DEAD_AFTER: u32 = 3;
/// Codes and tests that may be asked for within [`ASKED_WITHIN`], for one contact of a person.
pub const MOST_ASKED: u32 = 6;
/// See [`MOST_ASKED`].
pub const ASKED_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// What is known of a contact.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// When somebody proved that what is sent there is read.
    pub verified_at: Option<Timestamp>,
    /// Messages in a row that were given up.
    pub failures: u32,
    /// Messages in a row that were taken, and came back later.
    pub bounces: u32,
    /// Since when nothing is sent there.
    pub dead_at: Option<Timestamp>,
    /// When it last rang for a test.
    pub tested_at: Option<Timestamp>,
    /// Whether it sounded then, though the phone was silenced, as its owner says.
    pub sounded: Option<bool>,
}

/// What came of asking for a code or a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It leaves.
    Leaves,
    /// It does not: too many were asked for. From then on another one may be.
    TooOften(Timestamp),
}

/// What the owner of a contact is told that is not used any more.
pub(crate) fn told_dead(contact: &Contact, why: &str) -> String {
    format!(
        "{contact} is not used any more: the last {DEAD_AFTER} messages there failed ({why}). \
         Verify it again under \"My contacts\""
    )
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

    /// Sends a code to a contact; the one before is good no longer. Not if too many were asked for.
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
    ) -> Result<Asked, StoreError> {
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

    /// Lets a contact ring for a test. Not if too many were asked for.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing rings.
    pub async fn ring(&self, person: Name, to: Contact, text: String) -> Result<Asked, StoreError> {
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

    /// A message to a contact was taken: what was refused before no longer counts.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn contact_worked(&self, person: Name, to: Contact) -> Result<(), StoreError> {
        verb!(self.note(|core, _now| core.contact_worked(&person, &to)))
    }

    /// A message has certainly come in, as its provider says: what came back before no longer counts.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the provider has to say it again.
    pub async fn came_in(&self, id: DeliveryId) -> Result<(), StoreError> {
        verb!(self.note(|core, _now| core.came_in(id)))
    }
}
