//! Where a run stores: the model, SQLite or PostgreSQL, seen from outside the verbs.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use escalation::alert::State;
use escalation::delivery::Delivery;
use escalation::id::{AlertId, DeliveryId};

use crate::store::model::{Model, ModelRows};
use crate::store::postgres::simulated::{Simulated, SimulatedRows};
use crate::store::rows::Rows;
use crate::store::sqlite::connection::SqliteRows;
use crate::store::sqlite::memory::MemoryDatabase;
use crate::store::{AlertRecord, StoreError};

/// A database that nodes connect to, and that the simulator reads when nothing is under way.
pub(super) trait House {
    /// A connection's rows.
    type Rows: Rows + 'static;
    /// A connection, with its number.
    fn connect(&self) -> Result<(Self::Rows, u64), StoreError>;
    /// Ends what a connection has under way.
    fn cut(&self, connection: u64);
    /// One transaction at a time: others wait until it ends.
    fn has_one_writer(&self) -> bool;
    /// Lets a statement break off after so much work.
    fn break_off(&self, after: Option<u64>);
    /// Everything that is committed about an alert.
    fn record(&self, id: AlertId) -> Result<Option<AlertRecord>, StoreError>;
    /// What is new about an alert: its history after so many lines, and those of its deliveries that are named. With
    /// how many lines there are.
    fn news(
        &self,
        id: AlertId,
        after: usize,
        deliveries: &BTreeSet<DeliveryId>,
    ) -> Result<Option<(AlertRecord, usize)>, StoreError>;
    /// An alert, its pages and wakes.
    fn state(&self, id: AlertId) -> Result<Option<State>, StoreError>;
    /// A delivery.
    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError>;
    /// The ids of every alert.
    fn alerts(&self) -> Result<Vec<AlertId>, StoreError>;
    /// The stored wakes of an alert are not those that it speaks of.
    fn has_stray_wakes(&self, id: AlertId) -> Result<bool, StoreError>;
}

impl House for Model {
    type Rows = ModelRows;

    fn connect(&self) -> Result<(ModelRows, u64), StoreError> {
        Ok(Self::connect(self))
    }

    fn cut(&self, connection: u64) {
        Self::cut(self, connection);
    }

    fn has_one_writer(&self) -> bool {
        false
    }

    fn break_off(&self, _after: Option<u64>) {}

    fn record(&self, id: AlertId) -> Result<Option<AlertRecord>, StoreError> {
        Ok(Self::record(self, id))
    }

    fn news(
        &self,
        id: AlertId,
        after: usize,
        deliveries: &BTreeSet<DeliveryId>,
    ) -> Result<Option<(AlertRecord, usize)>, StoreError> {
        Ok(Self::news(self, id, after, deliveries))
    }

    fn state(&self, id: AlertId) -> Result<Option<State>, StoreError> {
        Ok(Self::state(self, id))
    }

    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        Ok(Self::delivery(self, id))
    }

    fn alerts(&self) -> Result<Vec<AlertId>, StoreError> {
        Ok(Self::alerts(self))
    }

    fn has_stray_wakes(&self, _id: AlertId) -> Result<bool, StoreError> {
        // The model keeps them with their alert.
        Ok(false)
    }
}

impl House for MemoryDatabase {
    type Rows = SqliteRows;

    fn connect(&self) -> Result<(SqliteRows, u64), StoreError> {
        Ok((Self::connect(self)?, 0))
    }

    fn cut(&self, _connection: u64) {}

    fn has_one_writer(&self) -> bool {
        true
    }

    fn break_off(&self, after: Option<u64>) {
        let after = after.and_then(|after| i64::try_from(after).ok()).unwrap_or(-1);
        self.breaks_in.store(after, Ordering::Relaxed);
    }

    fn record(&self, id: AlertId) -> Result<Option<AlertRecord>, StoreError> {
        Self::record(self, id)
    }

    fn news(
        &self,
        id: AlertId,
        after: usize,
        deliveries: &BTreeSet<DeliveryId>,
    ) -> Result<Option<(AlertRecord, usize)>, StoreError> {
        Self::news(self, id, after, deliveries)
    }

    fn state(&self, id: AlertId) -> Result<Option<State>, StoreError> {
        Self::state(self, id)
    }

    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        Self::delivery(self, id)
    }

    fn alerts(&self) -> Result<Vec<AlertId>, StoreError> {
        Self::alerts(self)
    }

    fn has_stray_wakes(&self, id: AlertId) -> Result<bool, StoreError> {
        self.stray_wakes(id)
    }
}

impl House for Simulated {
    type Rows = SimulatedRows;

    fn connect(&self) -> Result<(SimulatedRows, u64), StoreError> {
        Self::connect(self)
    }

    fn cut(&self, connection: u64) {
        Self::cut(self, connection);
    }

    fn has_one_writer(&self) -> bool {
        false
    }

    fn break_off(&self, _after: Option<u64>) {}

    fn record(&self, id: AlertId) -> Result<Option<AlertRecord>, StoreError> {
        Self::record(self, id)
    }

    fn news(
        &self,
        id: AlertId,
        after: usize,
        deliveries: &BTreeSet<DeliveryId>,
    ) -> Result<Option<(AlertRecord, usize)>, StoreError> {
        Self::news(self, id, after, deliveries)
    }

    fn state(&self, id: AlertId) -> Result<Option<State>, StoreError> {
        Self::state(self, id)
    }

    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        Self::delivery(self, id)
    }

    fn alerts(&self) -> Result<Vec<AlertId>, StoreError> {
        Self::alerts(self)
    }

    fn has_stray_wakes(&self, id: AlertId) -> Result<bool, StoreError> {
        self.stray_wakes(id)
    }
}
