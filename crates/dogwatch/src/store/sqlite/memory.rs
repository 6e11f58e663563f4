//! SQLite in memory, for the simulator: a database that outlives the connections of its nodes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use escalation::alert::State;
use escalation::delivery::Delivery;
use escalation::id::{AlertId, DeliveryId};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::rows::SqliteRows;
use super::{alert, delivery, event, keep_plans, migrate, read};
use crate::store::{AlertRecord, AlertRef, StoreError};

/// A database in memory. It ends with this.
pub(crate) struct MemoryDatabase {
    name: String,
    /// Keeps it alive, and reads what is committed.
    keeper: Connection,
    /// How many hundred instructions of SQLite's until a statement breaks off; below 0: none does.
    pub(crate) breaks_in: Arc<AtomicI64>,
}

fn open(name: &str) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:/{name}?vfs=memdb"), flags)?;
    connection.pragma_update(None, "foreign_keys", "off")?;
    connection.set_prepared_statement_cache_capacity(64);
    keep_plans(&connection)?;
    Ok(connection)
}

impl MemoryDatabase {
    /// A new one, of a name that no other has.
    pub(crate) fn new(name: &str) -> Result<Self, StoreError> {
        let mut keeper = open(name)?;
        let wrong = |error: anyhow::Error| StoreError::Unavailable(error.to_string());
        migrate::run(&mut keeper, Timestamp::UNIX_EPOCH).map_err(wrong)?;
        Ok(Self { name: name.to_owned(), keeper, breaks_in: Arc::new(AtomicI64::new(-1)) })
    }

    /// A connection that writes. Any of its statements may break off: see `breaks_in`.
    pub(crate) fn connect(&self) -> Result<SqliteRows, StoreError> {
        let mut connection = open(&self.name)?;
        let breaks_in = self.breaks_in.clone();
        let is_over = move || {
            let left = breaks_in.load(Ordering::Relaxed);
            if left >= 0 {
                breaks_in.store(left - 1, Ordering::Relaxed);
            }
            left == 0
        };
        connection.progress_handler(100, Some(is_over))?;
        Ok(SqliteRows::new(connection))
    }

    /// Everything that is committed about an alert.
    pub(crate) fn record(&self, id: AlertId) -> Result<Option<AlertRecord>, StoreError> {
        read::alert(&self.keeper, AlertRef::Id(id))
    }

    /// What is committed about an alert: its history after so many lines, and those of its deliveries that are
    /// named; none named: all. With how many lines there are.
    pub(crate) fn news(
        &self,
        id: AlertId,
        after: usize,
        deliveries: Option<&BTreeSet<DeliveryId>>,
    ) -> Result<Option<(AlertRecord, usize)>, StoreError> {
        let Some(state) = alert::load(&self.keeper, id)? else { return Ok(None) };
        let history = event::of_alert_after(&self.keeper, id, after)?;
        let deliveries = match deliveries {
            Some(named) => {
                let found = named.iter().map(|id| delivery::load_record(&self.keeper, *id));
                found.filter_map(Result::transpose).collect::<Result<_, _>>()?
            }
            None => delivery::of_alert(&self.keeper, id)?,
        };
        let lines = event::count(&self.keeper, id)?;
        Ok(Some((AlertRecord { state, history, deliveries }, lines)))
    }

    /// An alert, its pages and wakes, as committed.
    pub(crate) fn state(&self, id: AlertId) -> Result<Option<State>, StoreError> {
        alert::load(&self.keeper, id)
    }

    /// A committed delivery.
    pub(crate) fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        delivery::load(&self.keeper, id)
    }

    /// The ids of every alert.
    pub(crate) fn alerts(&self) -> Result<Vec<AlertId>, StoreError> {
        alert::all(&self.keeper)
    }

    /// Wakes that belong to no alert as it is stored, and those of alerts that are not stored beside it: how many.
    pub(crate) fn stray_wakes(&self, id: AlertId) -> Result<bool, StoreError> {
        let Some(state) = alert::load(&self.keeper, id)? else { return Ok(false) };
        let stored = super::wake::of_alert(&self.keeper, id)?;
        Ok(stored != state.wakes)
    }
}
