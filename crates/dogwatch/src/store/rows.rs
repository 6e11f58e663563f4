//! What a backend has to do for the verbs: load and save rows inside a transaction, and decide nothing.
//!
//! Several nodes may share what is stored. So that every decision is about what is true, a backend keeps this:
//!
//! - A transaction sees what was committed before each of its calls, and what it has written itself.
//! - [`Rows::state`] and [`Rows::states_if_free`] lock alerts until the end of the transaction, against everybody;
//!   [`Rows::subjects`] locks them against change. What was read under a lock stays true until the commit.
//! - Who finds a lock taken waits, or is told [`Try::Busy`] where the method says so; two that wait for each other
//!   end with [`StoreError::Conflict`] for one of them, and so does a second open alert for the same key.
//! - One transaction at a time edits definitions: [`Rows::lock_definitions`].
//!
//! SQLite has one writer and needs none of this: its futures are ready at once, and nothing is ever busy.
//!
//! Read next: `store/core.rs` for the verbs; `store/sql/rows.rs`.

use escalation::alert::{Alert, Audience, State};
use escalation::contact::Contact;
use escalation::delivery::{Delivery, Outcome};
use escalation::duty::Roster;
use escalation::effect::Entry;
use escalation::id::{AlertId, DeliveryId, PageId};
use escalation::mailbox::Mailbox;
use escalation::name::Name;
use escalation::page::Page;
use escalation::receipt::Receipt;
use escalation::wake::Wake;
use escalation::watch::Seen;
use jiff::Timestamp;
use serde_json::Value;

use super::phone::{Line, LineChange};
use super::reception::{Outcome as Made, Reception};
use super::{Access, AlertRef, Idempotency, StoreError};
use crate::definition::{Definitions, Kind, Owner};

type Result<T> = std::result::Result<T, StoreError>;

/// What is got without waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Try<T> {
    /// Here it is, locked.
    Got(T),
    /// Another transaction has it under its hands.
    Busy,
}

/// What a delivery speaks of: an alert and a page, where there are such.
pub(crate) type Subject = (Option<Alert>, Option<Page>);

/// By what an event may be known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keys<'a> {
    /// The key of its request.
    pub(crate) request: Option<&'a str>,
    pub(crate) integration: &'a str,
    pub(crate) dedup_key: &'a str,
}

/// What is known of an event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// The alert that its request was linked to, and that request's hash.
    pub(crate) request: Option<(AlertId, Vec<u8>)>,
    /// The alert that is open for its sender and key.
    pub(crate) open: Option<AlertId>,
    /// If none is: the newest that is over.
    pub(crate) over: Option<Box<Alert>>,
}

impl Known {
    /// Whether it is nothing.
    pub(crate) fn is_nothing(&self) -> bool {
        self.request.is_none() && self.open.is_none() && self.over.is_none()
    }
}

/// A line of the history of an alert that was just added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstLine<'a> {
    pub(crate) alert: AlertId,
    /// Its place, from 1.
    pub(crate) seq: u32,
    pub(crate) entry: &'a Entry,
    /// The key of the request that it came from.
    pub(crate) key: Option<&'a Idempotency>,
}

/// A post that is watched: a role of a roster, with what was seen of it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WatchedPost {
    /// The roster.
    pub(crate) roster: Roster,
    /// The role.
    pub(crate) role: Name,
    /// What was seen; none: nobody has looked yet.
    pub(crate) seen: Option<Seen>,
}

/// The sender and the key of an open alert: a place in the order in which they are looked at.
pub(crate) type Place = (String, String);

/// Where the look at open alerts stands that is due when silences begin or change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// When it begins, or began; none: not before an edit.
    pub(crate) check_at: Option<Timestamp>,
    /// The last alert that was looked at; none: it has not begun.
    pub(crate) after: Option<Place>,
}

/// What is known of an attempt of a delivery that a provider took, or may have taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceiptRow {
    pub(crate) delivery: DeliveryId,
    /// Which attempt, from 1.
    pub(crate) attempt: u8,
    /// The highest that was said.
    pub(crate) state: Receipt,
    /// Why, as the provider says.
    pub(crate) detail: String,
    /// When the state was reached.
    pub(crate) at: Timestamp,
    /// By then something must have been said; none: nothing is awaited.
    pub(crate) due_at: Option<Timestamp>,
    /// The alert has been told that it did not arrive.
    pub(crate) told: bool,
}

impl ReceiptRow {
    /// Nothing has been said yet.
    pub(crate) fn new(delivery: DeliveryId, attempt: u8, now: Timestamp) -> Self {
        let detail = String::new();
        Self { delivery, attempt, state: Receipt::Taken, detail, at: now, due_at: None, told: false }
    }
}

/// How new what is kept in memory is: grows with each change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Versions {
    pub(crate) definitions: u64,
    /// Tokens, sessions, keys.
    pub(crate) access: u64,
    /// When that was so, by the clock of a database that several nodes share.
    pub told_at: Option<Timestamp>,
}

/// How a heartbeat stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeartbeatRow {
    pub(crate) name: String,
    /// The last sign of life, or since when one is waited for.
    pub(crate) last_at: Timestamp,
    /// There ever was a sign of life.
    pub(crate) pinged: bool,
    /// When it is too late; none: nothing is waited for.
    pub(crate) check_at: Option<Timestamp>,
    /// Its silence was told.
    pub(crate) is_late: bool,
}

/// One connection to what is stored, with at most one transaction under way.
pub(crate) trait Rows {
    /// Whether other nodes may work on it at the same time.
    const ARE_SHARED: bool;

    // ---- the transaction ----

    /// Begins one.
    async fn begin(&mut self) -> Result<()>;
    /// Commits it. After an error nobody knows whether it was, or it was not.
    async fn commit(&mut self) -> Result<()>;
    /// Undoes it, if there is one.
    async fn rollback(&mut self);

    // ---- alerts ----

    /// Which alert is open for a sender and key.
    async fn open_alert(&mut self, integration: &str, dedup_key: &str) -> Result<Option<AlertId>>;
    /// What is known of events; nothing is locked.
    async fn known(&mut self, keys: &[Keys<'_>]) -> Result<Vec<Known>>;
    /// The id of the alert that is meant.
    async fn resolve(&mut self, alert: AlertRef) -> Result<Option<AlertId>>;
    /// An alert without its pages and wakes; not locked.
    async fn alert(&mut self, id: AlertId) -> Result<Option<Alert>>;
    /// An alert with everything that is decided together, locked.
    async fn state(&mut self, id: AlertId) -> Result<Option<State>>;
    /// The same for several, without waiting.
    async fn states_if_free(&mut self, ids: &[AlertId]) -> Result<Vec<Try<Option<State>>>>;
    /// The open alerts of a team that have begun, oldest first.
    async fn begun(&mut self, team: &str) -> Result<Vec<AlertId>>;
    /// How many alerts of an audience have begun at or after an instant.
    async fn begun_since(&mut self, audience: &Audience, since: Timestamp) -> Result<u64>;
    /// Open alerts in the order of their senders and keys, after a place; and the place to go on from, if there
    /// may be more.
    async fn open_alerts(
        &mut self,
        after: Option<&Place>,
        most: usize,
    ) -> Result<(Vec<Alert>, Option<Place>)>;
    /// Adds alerts with their pages and wakes. Returns the number of each.
    async fn insert_alerts(&mut self, states: &[&State]) -> Result<Vec<u64>>;
    /// Saves what differs between two states of one alert. Returns whether a wake was set.
    async fn update_alert(&mut self, before: &State, after: &State) -> Result<bool>;

    // ---- history ----

    /// Adds a line to the history of an alert.
    async fn append(&mut self, alert: AlertId, entry: &Entry, key: Option<&Idempotency>) -> Result<()>;
    /// Adds the lines of alerts that were added in this transaction.
    async fn append_first(&mut self, lines: &[FirstLine<'_>]) -> Result<()>;

    // ---- what leaves the house because of it ----

    /// Who follows an alert, by name.
    async fn followers(&mut self, alert: AlertId) -> Result<Vec<Name>>;
    /// One more thing that a subscriber has to be told.
    async fn put_out(&mut self, subscriber: &str, alert: AlertId, at: Timestamp, body: &Value) -> Result<()>;

    // ---- wakes ----

    /// Up to `most` wakes that are due at `now`, the oldest first; not locked.
    async fn due_wakes(&mut self, now: Timestamp, most: usize) -> Result<Vec<(AlertId, Wake)>>;
    /// When the next wake is due.
    async fn next_wake(&mut self) -> Result<Option<Timestamp>>;

    // ---- deliveries ----

    /// One delivery, locked.
    async fn delivery(&mut self, id: DeliveryId) -> Result<Option<Delivery>>;
    /// What goes, or went, out in one message, oldest first; locked.
    async fn of_bundle(&mut self, bundle: DeliveryId) -> Result<Vec<Delivery>>;
    /// Providers for which something is ready, whenever.
    async fn ready_providers(&mut self) -> Result<Vec<String>>;
    /// When the first delivery of a provider is ready.
    async fn first_ready(&mut self, provider: &str) -> Result<Option<Timestamp>>;
    /// Deliveries of a provider that may be sent now, the longest ready first, locked; without those that another
    /// transaction has locked.
    async fn ready(&mut self, provider: &str, now: Timestamp, most: usize) -> Result<Vec<Delivery>>;
    /// Claims whose lease ends at or before `until`, locked, without those that another transaction has locked; and
    /// when the next one ends after that.
    async fn expired(&mut self, until: Timestamp) -> Result<(Vec<Delivery>, Option<Timestamp>)>;
    /// What deliveries speak of, locked against change, without waiting. Nothing when there should be an alert
    /// and is none.
    async fn subjects(&mut self, deliveries: &[Delivery]) -> Result<Vec<Try<Option<Subject>>>>;
    /// Adds a delivery.
    async fn insert_delivery(&mut self, delivery: &Delivery) -> Result<()>;
    /// Saves what a claim changes.
    async fn update_delivery(&mut self, delivery: &Delivery) -> Result<()>;
    /// Saves what an outcome changes, with a line about the attempt.
    async fn settle_delivery(&mut self, delivery: &Delivery, outcome: &Outcome, now: Timestamp)
    -> Result<()>;
    /// Withdraws deliveries of pages that wait to be sent.
    async fn withdraw(&mut self, alert: AlertId, page: Option<PageId>, to: Option<&Contact>) -> Result<()>;

    // ---- receipts: guarded by the lock on their delivery ----

    /// What is known of an attempt that a provider took, or may have taken.
    async fn receipt(&mut self, id: DeliveryId, attempt: u8) -> Result<Option<ReceiptRow>>;
    /// Saves what is known of it.
    async fn save_receipt(&mut self, row: &ReceiptRow) -> Result<()>;
    /// Attempts of which something should have been heard by `now`, not locked; and when the next one is due.
    async fn due_receipts(&mut self, now: Timestamp) -> Result<(Vec<(DeliveryId, u8)>, Option<Timestamp>)>;
    /// Adds a line about what was said to the attempts of a delivery.
    async fn note_receipt(&mut self, row: &ReceiptRow, now: Timestamp) -> Result<()>;

    // ---- mailboxes ----

    /// A person's mailbox, locked, without waiting; an empty one where nothing has gone out.
    async fn mailbox(&mut self, person: &Name) -> Result<Try<Mailbox>>;
    /// Saves a person's mailbox.
    async fn save_mailbox(&mut self, person: &Name, mailbox: &Mailbox) -> Result<()>;

    // ---- duty ----

    /// Posts at which it is time to look, the longest overdue first, locked; without those that another transaction
    /// has locked.
    async fn due_posts(&mut self, now: Timestamp, most: usize) -> Result<Vec<WatchedPost>>;
    /// When it is time to look next.
    async fn next_post(&mut self) -> Result<Option<Timestamp>>;
    /// The roles of a roster that are watched.
    async fn watched_roles(&mut self, roster: &Roster) -> Result<Vec<String>>;
    /// Every roster that is watched, each once.
    async fn watched_rosters(&mut self) -> Result<Vec<Roster>>;
    /// A post is to be looked at from `at` on; one that is not watched yet is from now on.
    async fn watch_post(&mut self, roster: &Roster, role: &str, at: Timestamp) -> Result<()>;
    /// Stores what a look came to.
    async fn save_post(&mut self, post: &WatchedPost, check_at: Option<Timestamp>) -> Result<()>;
    /// A post is no more.
    async fn forget_post(&mut self, roster: &Roster, role: &str) -> Result<()>;

    // ---- silences ----

    /// Where the look at open alerts stands, locked, without waiting.
    async fn look(&mut self) -> Result<Try<Look>>;
    /// Stores where it stands.
    async fn save_look(&mut self, look: &Look) -> Result<()>;

    /// Puts a planted fault into what a step has come to.
    #[cfg(feature = "mutants")]
    fn distort(
        &self,
        _before: &State,
        _input: &escalation::event::Input,
        _stepped: &mut escalation::alert::Stepped,
    ) {
    }

    // ---- heartbeats ----

    /// How a heartbeat stands, locked.
    async fn heartbeat(&mut self, name: &str) -> Result<Option<HeartbeatRow>>;
    /// How all stand; not locked.
    async fn heartbeats(&mut self) -> Result<Vec<HeartbeatRow>>;
    /// Those that are too late, the longest first, locked; without those that another transaction has locked.
    async fn due_heartbeats(&mut self, now: Timestamp, most: usize) -> Result<Vec<HeartbeatRow>>;
    /// When the next is too late.
    async fn next_heartbeat(&mut self) -> Result<Option<Timestamp>>;
    /// Saves how one stands.
    async fn save_heartbeat(&mut self, row: &HeartbeatRow) -> Result<()>;
    /// A heartbeat is no more.
    async fn forget_heartbeat(&mut self, name: &str) -> Result<()>;

    // ---- definitions and access ----

    /// Waits until no other transaction edits definitions, and keeps others from it until the end of this one.
    async fn lock_definitions(&mut self) -> Result<()>;
    /// How new what is stored is; what nobody else can have changed is as `known`.
    async fn versions(&mut self, known: Versions) -> Result<Versions>;
    /// Everything in force, put into `definitions`, which is empty.
    async fn definitions(&mut self, definitions: Definitions) -> Result<Definitions>;
    /// Adds a version; none: a removal. Returns its number.
    async fn insert_definition(
        &mut self,
        now: Timestamp,
        kind: Kind,
        name: &str,
        body: Option<&serde_json::Value>,
        owner: &Owner,
    ) -> Result<u64>;
    /// Ends every key of an integration. Returns how new access is now.
    async fn revoke_keys(&mut self, integration: &str, now: Timestamp) -> Result<u64>;
    /// Tokens, sessions and keys in force.
    async fn access(&mut self) -> Result<Access>;
}

/// What replies by telephone need beside the rest. The simulator has no telephones that reply in words.
pub(crate) trait ReplyRows: Rows {
    /// What a number is known for.
    async fn line(&mut self, contact: &Contact, now: Timestamp) -> Result<Line>;
    /// Saves what a reply changes about its number.
    async fn change_line(&mut self, contact: &Contact, change: LineChange, now: Timestamp) -> Result<Line>;
    /// The code by which a person answers for an alert: the one that it has, or a new one.
    async fn code_for(
        &mut self,
        person: &Name,
        alert: AlertId,
        now: Timestamp,
        chance: &mut (dyn FnMut() -> u64 + Send),
    ) -> Result<String>;
    /// Remembers that something with this name came in and was acted on; whether it is the first time.
    async fn saw(&mut self, id: &str, now: Timestamp) -> Result<bool>;
}

/// What the requests of integrations need beside the rest.
pub(crate) trait ReceptionRows: Rows {
    /// Keeps a request with what was made of it, and lets the oldest go.
    async fn keep_reception(&mut self, now: Timestamp, reception: &Reception, made: &Made) -> Result<()>;
    /// The key of the alert that counts a problem together with others.
    async fn group_of(&mut self, integration: &Name, member: &str) -> Result<Option<String>>;
    /// One more problem is counted together with others.
    async fn join_group(&mut self, integration: &Name, key: &str, member: &str) -> Result<()>;
    /// A problem is gone. Returns how many are left that are counted together with it.
    async fn leave_group(&mut self, integration: &Name, key: &str, member: &str) -> Result<u64>;
    /// An alert has begun: whatever was counted together before it belongs to one that is over.
    async fn clear_group(&mut self, integration: &Name, key: &str) -> Result<()>;
}
