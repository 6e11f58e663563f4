//! A connection to the model: its transaction, what it sees in it, and the locks that it waits for.
//!
//! What the verbs ask of it is in `model/rows.rs`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use escalation::alert::{Alert, State};
use escalation::delivery::Delivery;
use escalation::id::{AlertId, DeliveryId};

use super::locks::Lock;
use super::tables::{Tables, Writes, is_open, key_of};
use super::{Database, Transaction, gone};
use crate::store::{Attempt, DeliveryRecord, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// A connection to the model.
pub(crate) struct ModelRows {
    pub(super) database: Rc<RefCell<Database>>,
    pub(super) connection: u64,
    pub(super) transaction: Option<Transaction>,
}

impl ModelRows {
    pub(super) fn new(database: Rc<RefCell<Database>>, connection: u64) -> Self {
        Self { database, connection, transaction: None }
    }

    pub(super) fn end(&mut self) {
        let mut database = self.database.borrow_mut();
        database.under_way.remove(&self.connection);
        if let Some(transaction) = self.transaction.take() {
            database.abort(transaction);
        }
    }

    /// The number of the transaction under way, if there is one.
    pub(super) fn running(&self) -> Result<Transaction> {
        self.transaction.ok_or_else(gone)
    }

    /// Looks at what is committed and at what this transaction has written.
    pub(super) fn look_at<T>(&self, read: impl FnOnce(&Tables, &Writes) -> T) -> Result<T> {
        let none = Writes::default();
        let database = self.database.borrow();
        let writes = match self.transaction {
            Some(transaction) => database.writes.get(&transaction).ok_or_else(gone)?,
            None => &none,
        };
        Ok(read(&database.tables, writes))
    }

    pub(super) fn write<T>(&self, write: impl FnOnce(&mut Writes) -> T) -> Result<T> {
        let transaction = self.running()?;
        Ok(write(self.database.borrow_mut().writes(transaction)?))
    }

    pub(super) fn try_lock(&self, lock: &Lock, is_alone: bool) -> Result<bool> {
        let transaction = self.running()?;
        let mut database = self.database.borrow_mut();
        database.writes(transaction)?;
        Ok(database.locks.take(transaction, lock, is_alone))
    }

    /// The newest alert of a sender and key that is over.
    pub(super) fn newest_over(&self, integration: &str, dedup_key: &str) -> Result<Option<Alert>> {
        let key = (integration.to_owned(), dedup_key.to_owned());
        self.look_at(|tables, writes| {
            let own = writes.alerts.values().filter(|state| !is_open(state) && key_of(state) == key);
            let committed = tables.over.get(&key).into_iter().flatten().rev();
            let mut committed = committed.filter(|(_, id)| !writes.alerts.contains_key(id));
            let committed = committed.next().and_then(|(_, id)| tables.alerts.get(id));
            own.chain(committed).map(|state| state.alert.clone()).max_by_key(|alert| alert.number)
        })
    }

    /// The alert that a request with this key was linked to, and that request's hash.
    pub(super) fn by_idempotency(&self, key: &str) -> Result<Option<(AlertId, Vec<u8>)>> {
        self.look_at(|tables, writes| {
            let found = writes.keys.get(key).or_else(|| tables.keys.get(key));
            found.map(|(alert, request)| (*alert, request.to_vec()))
        })
    }

    /// Waits for a lock.
    pub(super) async fn lock(&self, lock: Lock) -> Result<()> {
        let transaction = self.running()?;
        poll_fn(|_| {
            let mut database = self.database.borrow_mut();
            if let Err(error) = database.writes(transaction) {
                return Poll::Ready(Err(error));
            }
            if database.locks.take(transaction, &lock, true) {
                return Poll::Ready(Ok(()));
            }
            if database.locks.wait(transaction, &lock) {
                return Poll::Ready(Err(StoreError::Conflict));
            }
            Poll::Pending
        })
        .await
    }

    pub(super) fn read_state(&self, id: AlertId) -> Result<Option<State>> {
        self.look_at(|tables, writes| writes.alerts.get(&id).or_else(|| tables.alerts.get(&id)).cloned())
    }

    pub(super) fn read_delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>> {
        self.look_at(|tables, writes| {
            writes.deliveries.get(&id).or_else(|| tables.deliveries.get(&id)).cloned()
        })
    }

    /// Deliveries that fit, of those that `committed` names and those that this transaction has written.
    pub(super) fn deliveries(
        &self,
        committed: impl FnOnce(&Tables) -> Vec<DeliveryId>,
        fits: impl Fn(&Delivery) -> bool,
    ) -> Result<Vec<Delivery>> {
        self.look_at(|tables, writes| {
            let ids: BTreeSet<DeliveryId> =
                committed(tables).into_iter().chain(writes.deliveries.keys().copied()).collect();
            let newest = |id: &DeliveryId| writes.deliveries.get(id).or_else(|| tables.deliveries.get(id));
            let all = ids.iter().filter_map(newest).map(|record| record.delivery.clone());
            all.filter(|delivery| fits(delivery)).collect()
        })
    }

    pub(super) fn put_delivery(&mut self, delivery: &Delivery, attempt: Option<Attempt>) -> Result<()> {
        let attempts = self.read_delivery(delivery.id)?.map(|known| known.attempts).unwrap_or_default();
        let attempts = attempts.into_iter().chain(attempt).collect();
        let record = DeliveryRecord { delivery: delivery.clone(), attempts };
        self.write(|writes| drop(writes.deliveries.insert(delivery.id, record)))
    }

    /// Stores a state; `before` says whether it was open.
    pub(super) async fn put_state(&mut self, state: State, was_open: bool) -> Result<()> {
        let (id, key) = (state.alert.id, key_of(&state));
        if is_open(&state) != was_open {
            self.lock(Lock::Key(key.0.clone(), key.1.clone())).await?;
            let other = self.look_at(|tables, writes| {
                let committed = tables.open.get(&key).filter(|other| !writes.alerts.contains_key(other));
                let own = writes.alerts.values().find(|own| is_open(own) && key_of(own) == key);
                committed.copied().or(own.map(|own| own.alert.id)).filter(|other| *other != id)
            })?;
            if is_open(&state) && other.is_some() {
                return Err(StoreError::Conflict);
            }
        }
        self.write(|writes| drop(writes.alerts.insert(id, state)))
    }
}

impl Drop for ModelRows {
    /// Whoever had this connection is gone.
    fn drop(&mut self) {
        self.end();
    }
}
