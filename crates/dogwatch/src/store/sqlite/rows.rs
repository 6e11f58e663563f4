//! SQLite's rows for the verbs: each method is one or a few statements on the writing connection.
//!
//! One connection writes, so nothing is ever locked by another, and nothing waits: [`at_once`] runs a verb to its
//! end.
//!
//! Read next: `alert.rs`, `delivery.rs` and their neighbours for the statements.

use std::task::{Context, Poll, Waker};

use escalation::alert::{Alert, Audience, State};
use escalation::contact::Contact;
use escalation::delivery::{Delivery, Outcome};
use escalation::duty::Roster;
use escalation::effect::Entry;
use escalation::id::{AlertId, DeliveryId, PageId};
use escalation::mailbox::Mailbox;
use escalation::name::Name;
use escalation::wake::Wake;
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::Value;

use super::{
    alert, definition, delivery, duty, event, heartbeat, mailbox, outgoing, receipt, reception, reply,
    silence, wake,
};
use crate::definition::{Definitions, Kind, Owner};
use crate::store::core::Core;
use crate::store::phone::{Line, LineChange};
use crate::store::reception::{Outcome as Made, Reception};
use crate::store::rows::{
    HeartbeatRow, Look, Place, ReceiptRow, ReceptionRows, ReplyRows, Rows, Subject, Try, WatchedPost,
};
use crate::store::{Access, AlertRef, Idempotency, StoreError, integration_keys};

type Result<T> = std::result::Result<T, StoreError>;

/// The writing connection.
pub(crate) struct SqliteRows {
    connection: Connection,
}

impl SqliteRows {
    /// Over a connection to a database that is up to date.
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection }
    }
}

/// Runs a verb to its end.
///
/// # Errors
///
/// Those of the verb. That one waits would be a mistake here: SQLite answers at once.
pub(crate) fn at_once<T>(verb: impl Future<Output = Result<T>>) -> Result<T> {
    let mut verb = std::pin::pin!(verb);
    match verb.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::Panicked("a verb waited, and SQLite has nobody to wait for".into())),
    }
}

impl Core<SqliteRows> {
    pub(super) fn savepoint(&mut self) -> Result<()> {
        self.keep_memory();
        Ok(self.rows.connection.execute_batch("SAVEPOINT job")?)
    }

    pub(super) fn release(&mut self) -> Result<()> {
        Ok(self.rows.connection.execute_batch("RELEASE job")?)
    }

    pub(super) fn rollback_to_savepoint(&mut self) -> Result<()> {
        self.take_memory_back();
        Ok(self.rows.connection.execute_batch("ROLLBACK TO job; RELEASE job")?)
    }

    /// The connection, inside the running transaction.
    pub(in crate::store) fn connection(&self) -> &Connection {
        &self.rows.connection
    }

    /// Changes tokens, sessions or links, in the tables and in memory alike.
    pub(in crate::store) fn change_access<A>(
        &mut self,
        change: impl FnOnce(&Connection, &mut Access) -> Result<A>,
    ) -> Result<A> {
        self.with_access(|rows, access| change(&rows.connection, access))
    }

    /// Leaves a tidy file behind.
    pub(super) fn close(self) {
        if let Err(error) = self.rows.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the last checkpoint failed; the next start makes it good");
        }
    }
}

impl Rows for SqliteRows {
    async fn begin(&mut self) -> Result<()> {
        Ok(self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)?)
    }

    async fn commit(&mut self) -> Result<()> {
        Ok(self.connection.prepare_cached("COMMIT")?.execute([]).map(drop)?)
    }

    async fn rollback(&mut self) {
        // SQLite may have rolled back by itself (a full disk); then there is nothing left to do.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a rollback failed");
        }
    }

    async fn open_alert(&mut self, integration: &str, dedup_key: &str) -> Result<Option<AlertId>> {
        alert::open_alert(&self.connection, integration, dedup_key)
    }

    async fn newest_over(&mut self, integration: &str, dedup_key: &str) -> Result<Option<Alert>> {
        alert::newest_over(&self.connection, integration, dedup_key)
    }

    async fn resolve(&mut self, alert: AlertRef) -> Result<Option<AlertId>> {
        alert::resolve(&self.connection, alert)
    }

    async fn alert(&mut self, id: AlertId) -> Result<Option<Alert>> {
        alert::load_alert(&self.connection, id)
    }

    async fn state(&mut self, id: AlertId) -> Result<Option<State>> {
        alert::load(&self.connection, id)
    }

    async fn state_if_free(&mut self, id: AlertId) -> Result<Try<Option<State>>> {
        alert::load(&self.connection, id).map(Try::Got)
    }

    async fn begun(&mut self, team: &str) -> Result<Vec<AlertId>> {
        alert::begun(&self.connection, team)
    }

    async fn begun_since(&mut self, audience: &Audience, since: Timestamp) -> Result<u64> {
        alert::begun_since(&self.connection, audience, since)
    }

    async fn open_alerts(
        &mut self,
        after: Option<&Place>,
        most: usize,
    ) -> Result<(Vec<Alert>, Option<Place>)> {
        silence::open_alerts(&self.connection, after, most)
    }

    async fn insert_alert(&mut self, state: &State) -> Result<(u64, bool)> {
        alert::save(&self.connection, None, state)
    }

    async fn update_alert(&mut self, before: &State, after: &State) -> Result<bool> {
        alert::save(&self.connection, Some(before), after).map(|(_, set)| set)
    }

    async fn by_idempotency(&mut self, key: &str) -> Result<Option<(AlertId, Vec<u8>)>> {
        event::by_idempotency(&self.connection, key)
    }

    async fn append(&mut self, alert: AlertId, entry: &Entry, key: Option<&Idempotency>) -> Result<()> {
        event::insert(&self.connection, alert, entry, key)
    }

    async fn followers(&mut self, alert: AlertId) -> Result<Vec<Name>> {
        outgoing::followers(&self.connection, alert)
    }

    async fn put_out(&mut self, subscriber: &str, alert: AlertId, at: Timestamp, body: &Value) -> Result<()> {
        outgoing::insert(&self.connection, subscriber, alert, at, body)
    }

    async fn due_wakes(&mut self, now: Timestamp, most: usize) -> Result<Vec<(AlertId, Wake)>> {
        wake::due(&self.connection, now, most)
    }

    async fn next_wake(&mut self) -> Result<Option<Timestamp>> {
        wake::next(&self.connection)
    }

    async fn delivery(&mut self, id: DeliveryId) -> Result<Option<Delivery>> {
        delivery::load(&self.connection, id)
    }

    async fn of_bundle(&mut self, bundle: DeliveryId) -> Result<Vec<Delivery>> {
        delivery::of_bundle(&self.connection, bundle)
    }

    async fn ready_providers(&mut self) -> Result<Vec<String>> {
        delivery::ready_providers(&self.connection)
    }

    async fn first_ready(&mut self, provider: &str) -> Result<Option<Timestamp>> {
        delivery::first_ready(&self.connection, provider)
    }

    async fn ready(&mut self, provider: &str, now: Timestamp, most: usize) -> Result<Vec<Delivery>> {
        delivery::ready(&self.connection, provider, now, most)
    }

    async fn expired(&mut self, until: Timestamp) -> Result<(Vec<Delivery>, Option<Timestamp>)> {
        delivery::expired(&self.connection, until)
    }

    async fn subject(&mut self, delivery: &Delivery) -> Result<Try<Option<Subject>>> {
        delivery::subject(&self.connection, delivery).map(Try::Got)
    }

    async fn insert_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        delivery::insert(&self.connection, delivery)
    }

    async fn update_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        delivery::update(&self.connection, delivery)
    }

    async fn settle_delivery(
        &mut self,
        delivery: &Delivery,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<()> {
        delivery::update_with_outcome(&self.connection, delivery, outcome, now)
    }

    async fn withdraw(&mut self, alert: AlertId, page: Option<PageId>, to: Option<&Contact>) -> Result<()> {
        delivery::withdraw(&self.connection, alert, page, to)
    }

    async fn receipt(&mut self, id: DeliveryId, attempt: u8) -> Result<Option<ReceiptRow>> {
        receipt::load(&self.connection, id, attempt)
    }

    async fn save_receipt(&mut self, row: &ReceiptRow) -> Result<()> {
        receipt::save(&self.connection, row)
    }

    async fn due_receipts(&mut self, now: Timestamp) -> Result<(Vec<(DeliveryId, u8)>, Option<Timestamp>)> {
        receipt::due(&self.connection, now)
    }

    async fn note_receipt(&mut self, row: &ReceiptRow, now: Timestamp) -> Result<()> {
        delivery::note_receipt(&self.connection, row, now)
    }

    async fn mailbox(&mut self, person: &Name) -> Result<Try<Mailbox>> {
        mailbox::load(&self.connection, person).map(Try::Got)
    }

    async fn save_mailbox(&mut self, person: &Name, mailbox: &Mailbox) -> Result<()> {
        mailbox::save(&self.connection, person, mailbox)
    }

    async fn due_posts(&mut self, now: Timestamp, most: usize) -> Result<Vec<WatchedPost>> {
        duty::due(&self.connection, now, most)
    }

    async fn next_post(&mut self) -> Result<Option<Timestamp>> {
        duty::next(&self.connection)
    }

    async fn watched_roles(&mut self, roster: &Roster) -> Result<Vec<String>> {
        duty::roles(&self.connection, roster)
    }

    async fn watched_rosters(&mut self) -> Result<Vec<Roster>> {
        duty::rosters(&self.connection)
    }

    async fn watch_post(&mut self, roster: &Roster, role: &str, at: Timestamp) -> Result<()> {
        duty::look_at(&self.connection, roster, role, at)
    }

    async fn save_post(&mut self, post: &WatchedPost, check_at: Option<Timestamp>) -> Result<()> {
        duty::save(&self.connection, post, check_at)
    }

    async fn forget_post(&mut self, roster: &Roster, role: &str) -> Result<()> {
        duty::forget(&self.connection, roster, role)
    }

    async fn look(&mut self) -> Result<Try<Look>> {
        silence::load(&self.connection).map(Try::Got)
    }

    async fn save_look(&mut self, look: &Look) -> Result<()> {
        silence::save(&self.connection, look)
    }

    async fn heartbeat(&mut self, name: &str) -> Result<Option<HeartbeatRow>> {
        heartbeat::load(&self.connection, name)
    }

    async fn heartbeats(&mut self) -> Result<Vec<HeartbeatRow>> {
        heartbeat::all(&self.connection)
    }

    async fn due_heartbeats(&mut self, now: Timestamp, most: usize) -> Result<Vec<HeartbeatRow>> {
        heartbeat::due(&self.connection, now, most)
    }

    async fn next_heartbeat(&mut self) -> Result<Option<Timestamp>> {
        heartbeat::next(&self.connection)
    }

    async fn save_heartbeat(&mut self, row: &HeartbeatRow) -> Result<()> {
        heartbeat::save(&self.connection, row)
    }

    async fn forget_heartbeat(&mut self, name: &str) -> Result<()> {
        heartbeat::remove(&self.connection, name)
    }

    async fn lock_definitions(&mut self) -> Result<()> {
        Ok(())
    }

    async fn is_newer(&mut self, _known: u64) -> Result<bool> {
        // Whoever has the file open has it alone.
        Ok(false)
    }

    async fn definitions(&mut self, definitions: Definitions) -> Result<Definitions> {
        definition::load(&self.connection, definitions)
    }

    async fn insert_definition(
        &mut self,
        now: Timestamp,
        kind: Kind,
        name: &str,
        body: Option<&serde_json::Value>,
        owner: &Owner,
    ) -> Result<u64> {
        definition::insert(&self.connection, now, kind, name, body, owner)
    }

    async fn revoke_keys(&mut self, integration: &str, now: Timestamp) -> Result<()> {
        integration_keys::revoke_all(&self.connection, now, integration)
    }

    async fn access(&mut self) -> Result<Access> {
        Access::load(&self.connection)
    }
}

impl ReplyRows for SqliteRows {
    async fn line(&mut self, contact: &Contact, now: Timestamp) -> Result<Line> {
        reply::line(&self.connection, contact, now)
    }

    async fn change_line(&mut self, contact: &Contact, change: LineChange, now: Timestamp) -> Result<Line> {
        reply::change_line(&self.connection, contact, change, now)
    }

    async fn code_for(
        &mut self,
        person: &Name,
        alert: AlertId,
        now: Timestamp,
        chance: &mut (dyn FnMut() -> u64 + Send),
    ) -> Result<String> {
        reply::code_for(&self.connection, person, alert, now, chance)
    }

    async fn saw(&mut self, id: &str, now: Timestamp) -> Result<bool> {
        reply::saw(&self.connection, id, now)
    }
}

impl ReceptionRows for SqliteRows {
    async fn keep_reception(&mut self, now: Timestamp, taken: &Reception, made: &Made) -> Result<()> {
        reception::insert(&self.connection, now, taken, made)
    }

    async fn group_of(&mut self, integration: &Name, member: &str) -> Result<Option<String>> {
        reception::group_of(&self.connection, integration, member)
    }

    async fn join_group(&mut self, integration: &Name, key: &str, member: &str) -> Result<()> {
        reception::join(&self.connection, integration, key, member)
    }

    async fn leave_group(&mut self, integration: &Name, key: &str, member: &str) -> Result<u64> {
        reception::leave(&self.connection, integration, key, member)
    }

    async fn clear_group(&mut self, integration: &Name, key: &str) -> Result<()> {
        reception::clear(&self.connection, integration, key)
    }
}
