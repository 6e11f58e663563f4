//! What telephones need of the store: receipts, reply codes, numbers that want nothing more, warnings.
//!
//! The verbs themselves are in `store/core/phone.rs`. What a reply means is known to
//! `reply`, what a provider says to `callback`.

use escalation::contact::{Contact, Kind};
use escalation::delivery::Outcome;
use escalation::id::{AlertId, DeliveryId};
use escalation::name::Name;
use escalation::receipt::Receipt;
use jiff::{SignedDuration, Timestamp};

use super::{Claim, Store, StoreError, question, sql, verb};

/// Replies from one number within an hour that may make no sense. After that many nothing from there counts until
/// the hour is over: codes are short, and must not be guessed.
pub const MOST_WRONG: u32 = 5;

/// What has to be known before a short message goes out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyTerms {
    /// The number has said STOP, at this time.
    pub stopped_at: Option<Timestamp>,
    /// The code for each alert that was asked for, in order.
    pub codes: Vec<String>,
}

/// What a provider says of an attempt after it took the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// How it stands.
    pub receipt: Receipt,
    /// In which words, for people.
    pub detail: String,
    /// It failed because nothing can arrive there: there is no such number or mailbox.
    pub is_gone: bool,
}

impl Said {
    /// That says nothing against the contact.
    pub fn new(receipt: Receipt, detail: impl Into<String>) -> Self {
        Self { receipt, detail: detail.into(), is_gone: false }
    }
}

/// What a number is known for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// When it said STOP, if it wants no short messages.
    pub stopped_at: Option<Timestamp>,
    /// How many of its replies held a code that is none within the last hour.
    pub wrong: u32,
    /// How many of them asked for nothing that is known.
    pub unclear: u32,
}

/// What a reply changes about the number that it came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineChange {
    /// It said STOP.
    Stop,
    /// It said START.
    Start,
    /// It said a code that is none.
    Wrong,
    /// What it said asks for nothing that is known, as what a machine answers for somebody who drives.
    Unclear,
    /// What it said was understood.
    Right,
}

impl Store {
    /// Stores what came of a claimed delivery, and that a receipt is to come within a time; without one the message
    /// counts as not arrived.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: as of [`Store::settle`].
    pub async fn settle_awaiting(
        &self,
        id: DeliveryId,
        token: u8,
        outcome: Outcome,
        within: SignedDuration,
    ) -> Result<(), StoreError> {
        verb!(self.note(|core, now| core.settle_awaiting(now, id, token, &outcome, within)))
    }

    /// Stores what a provider says of an attempt, in whatever order it comes in.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the provider has to say it again.
    pub async fn receipt(&self, id: DeliveryId, attempt: u8, said: Said) -> Result<(), StoreError> {
        verb!(self.promise(|core, now| core.provider_said(now, id, attempt, &said)))
    }

    /// What has to be known before a short message about these alerts goes out: each gets its code, the same as
    /// before if it has one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn reply_terms(
        &self,
        contact: Contact,
        person: Option<Name>,
        alerts: Vec<AlertId>,
    ) -> Result<ReplyTerms, StoreError> {
        verb!(self.promise(|core, now| core.reply_terms(now, &contact, person.as_ref(), &alerts)))
    }

    /// The alert that a person's code stands for.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn coded(&self, person: Name, code: String) -> Result<Option<AlertId>, StoreError> {
        question!(self.ask(|sql| sql::reply::coded(sql, &person, &code)))
    }

    /// What a number is known for, at the time `now`.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn line(&self, contact: Contact, now: Timestamp) -> Result<Line, StoreError> {
        question!(self.ask(|sql| sql::reply::line(sql, &contact, now)))
    }

    /// Numbers that said STOP, each with when.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn stopped_lines(&self) -> Result<Vec<(String, Timestamp)>, StoreError> {
        question!(self.ask(|sql| sql::reply::stopped(sql)))
    }

    /// Remembers what a reply changes about its number.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn change_line(&self, contact: Contact, change: LineChange) -> Result<Line, StoreError> {
        verb!(self.promise(|core, now| core.change_line(now, &contact, change)))
    }

    /// A delivery, with what it speaks of.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn delivery(&self, id: DeliveryId) -> Result<Option<Claim>, StoreError> {
        question!(self.ask(|sql| sql::reply::delivery(sql, id)))
    }

    /// The newest short message with pages that went to a number, as its first delivery.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn newest_sms(&self, contact: Contact) -> Result<Option<Claim>, StoreError> {
        question!(self.ask(|sql| sql::reply::newest_sms(sql, &contact)))
    }

    /// Whether something with this name has come in before.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn has_seen(&self, id: String) -> Result<bool, StoreError> {
        question!(self.ask(|sql| sql::reply::has_seen(sql, &id)))
    }

    /// Remembers that something with this name came in and was acted on. Says whether it is the first time.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn saw(&self, id: String) -> Result<bool, StoreError> {
        verb!(self.promise(|core, now| core.saw(now, &id)))
    }

    /// Warns the operators, by every way but through the kind of contact that is in trouble, if one is.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn warn_operators(&self, text: String, not_by: Vec<Kind>) -> Result<(), StoreError> {
        verb!(self.promise(|core, now| core.warn_operators(now, &text, &not_by)))
    }

    /// Answers a short message by one of our own.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn answer_line(&self, contact: Contact, text: String) -> Result<(), StoreError> {
        verb!(self.promise(|core, now| core.answer_line(now, &contact, &text)))
    }

    /// Tells a person something through another contact than the one that it is about.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn warn_person(&self, person: Name, text: String, not_by: Contact) -> Result<(), StoreError> {
        verb!(self.promise(|core, now| core.warn_person(now, &person, &text, &not_by)))
    }
}
