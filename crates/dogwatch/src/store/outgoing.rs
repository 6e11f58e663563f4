//! What leaves the house because an alert changed: to subscribers outside, and to people who follow it.
//!
//! The rows are written in the transaction that changes the alert (`store/core/outgoing.rs`), so that none is lost and
//! none is invented. Who sends them is `outgoing.rs`.

use escalation::effect::EntryKind;
use escalation::id::AlertId;
use escalation::name::Name;
use jiff::Timestamp;
use serde_json::Value;

use super::{AlertRef, Store, StoreError, question, sql, verb};

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
        self.show_listeners(&listeners);
        verb!(self.promise(|core, now| core.tell_listeners(now, &listeners)))
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
        verb!(self.note(|core, _now| core.outgoing(&subscriber, now, most)))
    }

    /// A subscriber has taken it, or it is given up.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it is told again.
    pub async fn told(&self, seq: u64) -> Result<(), StoreError> {
        verb!(self.note(|core, _now| core.told(seq)))
    }

    /// It was not taken: it is tried again at `again`, and what else there is about its alert waits for it.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it is tried again sooner.
    pub async fn not_told(&self, seq: u64, again: Timestamp) -> Result<(), StoreError> {
        verb!(self.note(|core, _now| core.not_told(seq, again)))
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
        verb!(self.promise(|core, _now| core.follow(alert, &person, follows)))
    }

    /// Who follows an alert, by name.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn followers(&self, alert: AlertId) -> Result<Vec<Name>, StoreError> {
        question!(self.ask(|sql| sql::outgoing::followers(sql, alert)))
    }
}
