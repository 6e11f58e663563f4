//! PostgreSQL for the simulator: every call is waited for where it is made, so that nothing goes on but what the
//! simulator lets go on.
//!
//! Whoever would wait for a lock is told at once that another node was faster: who holds it stands still meanwhile.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use escalation::alert::State;
use escalation::delivery::Delivery;
use escalation::id::{AlertId, DeliveryId};
use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::task::LocalSet;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::Address;
use super::connecting::connect;
use super::connection::PgSql;
use super::migrate;
use crate::store::sql::rows::SqlRows;
use crate::store::sql::{Row, Sql, Value, alert, delivery, read, values, wake};
use crate::store::{AlertRecord, AlertRef, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

/// Rows of a connection whose calls are waited for.
pub(crate) type SimulatedRows = SqlRows<Waited>;

/// Runs what a call needs until it is done.
struct Driver {
    runtime: Runtime,
    local: LocalSet,
}

impl Driver {
    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.local.block_on(&self.runtime, work)
    }
}

/// A database of PostgreSQL that nobody else uses. It is dropped with this.
pub(crate) struct Simulated {
    driver: Rc<Driver>,
    /// The server, by the database that the address names.
    server: Config,
    config: Config,
    tls: MakeRustlsConnect,
    /// Reads what is committed.
    keeper: RefCell<PgSql>,
    /// The server's process for each connection.
    processes: RefCell<HashMap<u64, i64>>,
    connections: Cell<u64>,
}

fn wrong(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

impl Simulated {
    /// Makes a database on the server at an address.
    pub(crate) fn new(address: &str) -> Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let address = Address::read(address).map_err(wrong)?;
        let tls = address.tls().map_err(wrong)?;
        let server = address.config;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(wrong)?;
        let driver = Rc::new(Driver { runtime, local: LocalSet::new() });
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("simulated_{}_{number}", std::process::id());
        let mut config = server.clone();
        config.dbname(&name);
        let keeper = driver.wait(async {
            let client = connect(&server, &tls, |_| {}).await?;
            client.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
            let mut client = connect(&config, &tls, |_| {}).await?;
            migrate::run(&mut client, Timestamp::UNIX_EPOCH).await.map_err(wrong)?;
            PgSql::connect(&config, &tls).await
        })?;
        Ok(Self {
            driver,
            server,
            config,
            tls,
            keeper: RefCell::new(keeper),
            processes: RefCell::default(),
            connections: Cell::new(0),
        })
    }

    /// A connection that writes, with its number.
    pub(crate) fn connect(&self) -> Result<(SimulatedRows, u64)> {
        let (sql, process) = self.driver.wait(async {
            let mut sql = PgSql::connect(&self.config, &self.tls).await?;
            sql.batch("SET lock_timeout = 1").await?;
            let process: i64 = sql.value("SELECT CAST(pg_backend_pid() AS BIGINT)", values![]).await?;
            Ok::<_, StoreError>((sql, process))
        })?;
        let number = self.connections.get() + 1;
        self.connections.set(number);
        self.processes.borrow_mut().insert(number, process);
        Ok((SqlRows::new(Waited { sql, driver: self.driver.clone() }), number))
    }

    /// Ends what a connection has under way, and the connection.
    pub(crate) fn cut(&self, connection: u64) {
        let Some(process) = self.processes.borrow_mut().remove(&connection) else { return };
        // One that has ended by itself is as good.
        let _ = self.read(async |sql| {
            sql.rows("SELECT CAST(pg_terminate_backend(CAST(?1 AS INT), 5000) AS TEXT)", values![process])
                .await
        });
    }

    fn read<T>(&self, work: impl AsyncFnOnce(&mut PgSql) -> Result<T>) -> Result<T> {
        self.driver.wait(work(&mut self.keeper.borrow_mut()))
    }

    /// Everything that is committed about an alert.
    pub(crate) fn record(&self, id: AlertId) -> Result<Option<AlertRecord>> {
        self.read(async |sql| read::alert(sql, AlertRef::Id(id)).await)
    }

    /// What is committed about an alert: see [`read::news`].
    pub(crate) fn news(
        &self,
        id: AlertId,
        after: usize,
        deliveries: &BTreeSet<DeliveryId>,
    ) -> Result<Option<(AlertRecord, usize)>> {
        self.read(async |sql| read::news(sql, id, after, deliveries).await)
    }

    /// An alert, its pages and wakes, as committed.
    pub(crate) fn state(&self, id: AlertId) -> Result<Option<State>> {
        self.read(async |sql| alert::load(sql, id).await)
    }

    /// A committed delivery.
    pub(crate) fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>> {
        self.read(async |sql| delivery::load(sql, id).await)
    }

    /// The ids of every alert.
    pub(crate) fn alerts(&self) -> Result<Vec<AlertId>> {
        self.read(async |sql| alert::all(sql).await)
    }

    /// Whether the stored wakes of an alert are not those that it speaks of.
    pub(crate) fn stray_wakes(&self, id: AlertId) -> Result<bool> {
        self.read(async |sql| {
            let Some(state) = alert::load(sql, id).await? else { return Ok(false) };
            Ok(wake::of_alert(sql, id).await? != state.wakes)
        })
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let name = self.config.get_dbname().unwrap_or_default().to_owned();
        let dropped = self.driver.wait(async {
            let client = connect(&self.server, &self.tls, |_| {}).await?;
            client.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
            Ok::<_, StoreError>(())
        });
        if let Err(error) = dropped {
            tracing::warn!(%error, "the simulated database {name} stays behind");
        }
    }
}

/// A connection each of whose calls is over when it returns.
pub(crate) struct Waited {
    sql: PgSql,
    driver: Rc<Driver>,
}

impl Sql for Waited {
    const LOCK: &'static str = PgSql::LOCK;
    const LOCK_FREE: &'static str = PgSql::LOCK_FREE;
    const SHARE_FREE: &'static str = PgSql::SHARE_FREE;
    const BY_OPEN_KEY: &'static str = PgSql::BY_OPEN_KEY;
    const HAS_OTHERS: bool = PgSql::HAS_OTHERS;

    async fn begin(&mut self) -> Result<()> {
        self.driver.wait(self.sql.begin())
    }

    async fn commit(&mut self) -> Result<()> {
        self.driver.wait(self.sql.commit())
    }

    async fn rollback(&mut self) {
        self.driver.wait(self.sql.rollback());
    }

    async fn rows(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        self.driver.wait(self.sql.rows(statement, values))
    }

    async fn change(&mut self, statement: &str, values: &[Value<'_>]) -> Result<()> {
        self.driver.wait(self.sql.change(statement, values))
    }

    async fn changed(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64> {
        self.driver.wait(self.sql.changed(statement, values))
    }
}
