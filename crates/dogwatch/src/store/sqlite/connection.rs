//! A connection to SQLite, as [`Sql`] wants it. One connection writes, so nothing is ever locked by another, and
//! nothing waits: [`at_once`] runs to its end whatever is asked of it.

use std::task::{Context, Poll, Waker};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Rows, ToSql, params_from_iter};

use crate::store::StoreError;
use crate::store::core::Core;
use crate::store::sql::rows::SqlRows;
use crate::store::sql::{Cell, Row, Sql, Value};

type Result<T> = std::result::Result<T, StoreError>;

/// A connection.
pub(crate) struct SqliteSql {
    pub(in crate::store) connection: Connection,
}

/// The rows of SQLite, for the verbs.
pub(crate) type SqliteRows = SqlRows<SqliteSql>;

impl SqliteSql {
    /// Over a connection to a database that is up to date.
    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection }
    }
}

/// Runs what SQLite is asked for to its end.
///
/// # Errors
///
/// Its own. That it waits would be a mistake here: SQLite answers at once.
pub(crate) fn at_once<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut work = std::pin::pin!(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::Panicked("a verb waited, and SQLite has nobody to wait for".into())),
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::Id(bytes) => ValueRef::Blob(bytes),
            Value::Hash(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn read(rows: &mut Rows<'_>, columns: usize) -> Result<Vec<Row>> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Vec::with_capacity(columns);
        for column in 0..columns {
            cells.push(match row.get_ref(column)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(number) => Cell::Integer(number),
                ValueRef::Text(text) => match std::str::from_utf8(text) {
                    Ok(text) => Cell::Text(text.to_owned()),
                    Err(error) => return Err(StoreError::Corrupt(format!("text: {error}"))),
                },
                ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
                ValueRef::Real(number) => return Err(StoreError::Corrupt(format!("the number {number}"))),
            });
        }
        all.push(Row::new(cells));
    }
    Ok(all)
}

impl Sql for SqliteSql {
    const LOCK: &'static str = "";
    const LOCK_FREE: &'static str = "";
    const SHARE_FREE: &'static str = "";
    const BY_OPEN_KEY: &'static str = " INDEXED BY alert_open_key";
    const HAS_OTHERS: bool = false;

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

    async fn rows(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let mut prepared = self.connection.prepare_cached(statement)?;
        let columns = prepared.column_count();
        read(&mut prepared.query(params_from_iter(values))?, columns)
    }

    async fn change(&mut self, statement: &str, values: &[Value<'_>]) -> Result<()> {
        self.changed(statement, values).await.map(drop)
    }

    async fn changed(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64> {
        let count = self.connection.prepare_cached(statement)?.execute(params_from_iter(values))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

impl Core<SqliteRows> {
    pub(super) fn savepoint(&mut self) -> Result<()> {
        self.keep_memory();
        Ok(self.rows.sql.connection.execute_batch("SAVEPOINT job")?)
    }

    pub(super) fn release(&mut self) -> Result<()> {
        Ok(self.rows.sql.connection.execute_batch("RELEASE job")?)
    }

    pub(super) fn rollback_to_savepoint(&mut self) -> Result<()> {
        self.take_memory_back();
        Ok(self.rows.sql.connection.execute_batch("ROLLBACK TO job; RELEASE job")?)
    }

    /// Leaves a tidy file behind.
    pub(super) fn close(self) {
        if let Err(error) = self.rows.sql.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the last checkpoint failed; the next start makes it good");
        }
    }
}
