//! SQLite in memory, for the simulator: a database that outlives the connections of its nodes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use escalation::alert::State;
use escalation::delivery::Delivery;
use escalation::id::{AlertId, DeliveryId};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::connection::{SqliteRows, SqliteSql, at_once};
use super::{keep_plans, migrate};
use crate::store::sql::{alert, delivery, read, wake};
use crate::store::{AlertRecord, AlertRef, StoreError};

/// A database in memory. It ends with this.
pub(crate) struct MemoryDatabase {
    name: String,
    /// Keeps it alive, and reads what is committed.
    keeper: RefCell<SqliteSql>,
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
    /// A new one, of a name that no other of this process has.
    pub(crate) fn new() -> Result<Self, StoreError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("simulated-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let mut keeper = open(&name)?;
        let wrong = |error: anyhow::Error| StoreError::Unavailable(error.to_string());
        migrate::run(&mut keeper, Timestamp::UNIX_EPOCH).map_err(wrong)?;
        let keeper = RefCell::new(SqliteSql::new(keeper));
        Ok(Self { name, keeper, breaks_in: Arc::new(AtomicI64::new(-1)) })
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
        Ok(SqliteRows::new(SqliteSql::new(connection)))
    }

    /// Everything that is committed about an alert.
    pub(crate) fn record(&self, id: AlertId) -> Result<Option<AlertRecord>, StoreError> {
        at_once(read::alert(&mut *self.keeper.borrow_mut(), AlertRef::Id(id)))
    }

    /// What is committed about an alert: its history after so many lines, and those of its deliveries that are
    /// named. With how many lines there are.
    pub(crate) fn news(
        &self,
        id: AlertId,
        after: usize,
        deliveries: &BTreeSet<DeliveryId>,
    ) -> Result<Option<(AlertRecord, usize)>, StoreError> {
        at_once(read::news(&mut *self.keeper.borrow_mut(), id, after, deliveries))
    }

    /// An alert, its pages and wakes, as committed.
    pub(crate) fn state(&self, id: AlertId) -> Result<Option<State>, StoreError> {
        at_once(alert::load(&mut *self.keeper.borrow_mut(), id))
    }

    /// A committed delivery.
    pub(crate) fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
        at_once(delivery::load(&mut *self.keeper.borrow_mut(), id))
    }

    /// The ids of every alert.
    pub(crate) fn alerts(&self) -> Result<Vec<AlertId>, StoreError> {
        at_once(alert::all(&mut *self.keeper.borrow_mut()))
    }

    /// Wakes that belong to no alert as it is stored, and those of alerts that are not stored beside it: how many.
    pub(crate) fn stray_wakes(&self, id: AlertId) -> Result<bool, StoreError> {
        let sql = &mut *self.keeper.borrow_mut();
        at_once(async {
            let Some(state) = alert::load(sql, id).await? else { return Ok(false) };
            Ok(wake::of_alert(sql, id).await? != state.wakes)
        })
    }
}
