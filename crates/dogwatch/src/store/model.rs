//! A store in memory that behaves as PostgreSQL does under READ COMMITTED, for the simulator.
//!
//! Ordered maps; a transaction sees what was committed before each of its calls and what it wrote itself; rows are
//! locked until its end, and who finds a lock taken waits, skips the row, or is told that it is busy, as
//! [`Rows`](super::rows::Rows) says. Two open alerts with one key, two uses of one idempotency key and a circle of
//! waiting transactions end with [`StoreError::Conflict`]. Nothing here decides anything.
//!
//! Read next: `model/tables.rs` for what is stored, `model/locks.rs`, `model/connection.rs`, `model/rows.rs` for the methods.

mod connection;
mod locks;
mod rows;
mod tables;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use escalation::alert::State;
use escalation::delivery::Delivery;
use escalation::id::{AlertId, DeliveryId};
use jiff::Timestamp;

use super::{AlertRecord, DeliveryRecord, HistoryEntry, StoreError};
pub(crate) use connection::ModelRows;
use locks::Locks;
use tables::{Tables, Writes};

/// The number of a transaction.
type Transaction = u64;

/// The database: shared by the connections of all nodes.
#[derive(Clone, Default)]
pub(crate) struct Model(Rc<RefCell<Database>>);

#[derive(Default)]
struct Database {
    tables: Tables,
    locks: Locks,
    /// What running transactions have written.
    writes: BTreeMap<Transaction, Writes>,
    /// Which transaction each connection has under way.
    under_way: BTreeMap<u64, Transaction>,
    last_connection: u64,
    last_transaction: Transaction,
    last_number: u64,
}

impl Database {
    fn begin(&mut self, connection: u64) -> Transaction {
        self.last_transaction += 1;
        self.under_way.insert(connection, self.last_transaction);
        self.writes.insert(self.last_transaction, Writes::default());
        self.last_transaction
    }

    /// Undoes a transaction, if it is running.
    fn abort(&mut self, transaction: Transaction) {
        self.writes.remove(&transaction);
        self.locks.release(transaction);
    }

    fn commit(&mut self, transaction: Transaction) -> Result<(), StoreError> {
        let writes = self.writes.remove(&transaction).ok_or_else(gone)?;
        self.tables.apply(writes);
        self.locks.release(transaction);
        Ok(())
    }

    fn writes(&mut self, transaction: Transaction) -> Result<&mut Writes, StoreError> {
        self.writes.get_mut(&transaction).ok_or_else(gone)
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("the connection was lost".to_owned())
}

impl Model {
    /// A connection, with its number.
    pub(crate) fn connect(&self) -> (ModelRows, u64) {
        let mut database = self.0.borrow_mut();
        database.last_connection += 1;
        let number = database.last_connection;
        (ModelRows::new(self.0.clone(), number), number)
    }

    /// The database ends what a connection has under way: it has been silent for too long.
    pub(crate) fn cut(&self, connection: u64) {
        let mut database = self.0.borrow_mut();
        if let Some(transaction) = database.under_way.remove(&connection) {
            database.abort(transaction);
        }
    }

    /// Everything that is committed about an alert.
    pub(crate) fn record(&self, id: AlertId) -> Option<AlertRecord> {
        let database = self.0.borrow();
        let tables = &database.tables;
        let state = tables.alerts.get(&id)?.clone();
        let history = tables.history.get(&id).into_iter().flatten().map(read_entry).collect();
        Some(AlertRecord { state, history, deliveries: tables.deliveries_of(id).cloned().collect() })
    }

    /// What is committed about an alert: its history after so many lines, and those of its deliveries that are
    /// named. With how many lines there are.
    pub(crate) fn news(
        &self,
        id: AlertId,
        after: usize,
        deliveries: &BTreeSet<DeliveryId>,
    ) -> Option<(AlertRecord, usize)> {
        let database = self.0.borrow();
        let tables = &database.tables;
        let state = tables.alerts.get(&id)?.clone();
        let lines = tables.history.get(&id).map_or(&[][..], Vec::as_slice);
        let history = lines.iter().skip(after).map(read_entry).collect();
        let deliveries = deliveries.iter().filter_map(|id| tables.deliveries.get(id)).cloned().collect();
        Some((AlertRecord { state, history, deliveries }, lines.len()))
    }

    /// A committed delivery.
    pub(crate) fn delivery(&self, id: DeliveryId) -> Option<Delivery> {
        self.0.borrow().tables.deliveries.get(&id).map(|record| record.delivery.clone())
    }

    /// An alert, its pages and wakes, as committed.
    pub(crate) fn state(&self, id: AlertId) -> Option<State> {
        self.0.borrow().tables.alerts.get(&id).cloned()
    }

    /// The ids of every alert.
    pub(crate) fn alerts(&self) -> Vec<AlertId> {
        self.0.borrow().tables.alerts.keys().copied().collect()
    }
}

fn read_entry(entry: &escalation::effect::Entry) -> HistoryEntry {
    HistoryEntry {
        at: entry.at,
        kind: entry.kind,
        round: entry.round,
        by: entry.by.clone(),
        step: entry.step,
        people: entry.people.iter().map(ToString::to_string).collect(),
        contacts: entry.contacts.iter().map(ToString::to_string).collect(),
        text: entry.text.clone(),
    }
}

/// When a delivery that waits may be claimed.
fn ready_at(record: &DeliveryRecord) -> Timestamp {
    record.delivery.not_before
}
