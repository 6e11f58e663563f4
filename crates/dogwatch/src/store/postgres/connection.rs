//! A connection to PostgreSQL, as [`Sql`] wants it.
//!
//! What changes something is sent at once and waited for later, with the next question or the commit: so the writes of
//! a transaction are on their way together. Nothing is waited for longer than [`DEADLINE`]: a server that is frozen
//! keeps its connections open and says nothing. A connection that was given up is never used again, and nothing is
//! cancelled: a commit whose answer is missing may have been carried out.

use std::cell::Cell as Place;
use std::collections::HashMap;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::{Severity, SqlState};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut};
use tokio_postgres::{AsyncMessage, Client, Config, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connecting::connect;
use crate::store::StoreError;
use crate::store::sql::rows::SqlRows;
use crate::store::sql::{Cell, Row, Sql, Value};

type Result<T> = std::result::Result<T, StoreError>;

/// How long an answer of the database is waited for, and how long a connection may take to be made.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);

/// The rows of PostgreSQL, for the verbs.
pub(crate) type PgRows = SqlRows<PgSql>;

impl From<tokio_postgres::Error> for StoreError {
    fn from(error: tokio_postgres::Error) -> Self {
        let again = [
            SqlState::UNIQUE_VIOLATION,
            SqlState::T_R_DEADLOCK_DETECTED,
            SqlState::T_R_SERIALIZATION_FAILURE,
            SqlState::LOCK_NOT_AVAILABLE,
        ];
        match error.as_db_error() {
            Some(told) if again.contains(told.code()) => Self::Conflict,
            Some(told) => Self::Unavailable(format!("{} ({})", told.message(), told.code().code())),
            None => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
                Self::Unavailable(format!("{error}{}", cause.unwrap_or_default()))
            }
        }
    }
}

/// A statement whose answer has not been waited for yet: how many rows it changed.
type Sent = Pin<Box<dyn Future<Output = std::result::Result<u64, tokio_postgres::Error>>>>;

/// A connection. Stays on the thread that made it.
pub(crate) struct PgSql {
    client: Rc<Client>,
    statements: HashMap<String, Statement>,
    sent: Vec<Sent>,
    in_transaction: bool,
    is_broken: bool,
    /// The server has warned of something in this transaction.
    warned: Rc<Place<bool>>,
}

pub(super) fn late(what: &str, limit: Duration) -> StoreError {
    StoreError::Unavailable(format!("the database did not answer within {} s ({what})", limit.as_secs()))
}

impl PgSql {
    /// A new connection to a database that is up to date.
    pub(super) async fn connect(config: &Config, tls: &MakeRustlsConnect) -> Result<Self> {
        let warned = Rc::<Place<bool>>::default();
        let hears = warned.clone();
        let client = connect(config, tls, move |message| {
            if let AsyncMessage::Notice(told) = message
                && told.parsed_severity() == Some(Severity::Warning)
            {
                tracing::warn!("the database warns: {told}");
                hears.set(true);
            }
        });
        Ok(Self {
            client: Rc::new(client.await?),
            statements: HashMap::new(),
            sent: Vec::new(),
            in_transaction: false,
            is_broken: false,
            warned,
        })
    }

    /// Whether it can be used no more.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken || self.client.is_closed()
    }

    /// What an error of the database comes to. After some of them nothing more is to be had from this server: it has
    /// become a standby, or it stops.
    fn judge(&mut self, error: tokio_postgres::Error) -> StoreError {
        let is_over = error.as_db_error().is_some_and(|told| {
            told.parsed_severity()
                .is_some_and(|severity| matches!(severity, Severity::Fatal | Severity::Panic))
                || *told.code() == SqlState::READ_ONLY_SQL_TRANSACTION
                || told.code().code().starts_with("57P")
        });
        self.is_broken |= is_over || error.is_closed();
        error.into()
    }

    /// Waits for an answer, no longer than [`DEADLINE`].
    async fn within<T>(
        &mut self,
        work: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        match timeout(DEADLINE, work).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.judge(error)),
            Err(_) => {
                self.is_broken = true;
                Err(late("a statement", DEADLINE))
            }
        }
    }

    async fn prepare(&mut self, statement: &str) -> Result<Statement> {
        if let Some(known) = self.statements.get(statement) {
            return Ok(known.clone());
        }
        let client = self.client.clone();
        let text = numbered(statement);
        let prepared = match self.within(async move { client.prepare(&text).await }).await {
            Ok(prepared) => prepared,
            Err(error) => {
                // After a write that failed nothing can be prepared: that one is what went wrong.
                self.settle().await?;
                return Err(error);
            }
        };
        self.statements.insert(statement.to_owned(), prepared.clone());
        Ok(prepared)
    }

    /// Sends a statement without waiting for its answer.
    async fn send(&mut self, statement: &str, values: &[Value<'_>]) -> Result<()> {
        let prepared = self.prepare(statement).await?;
        let client = self.client.clone();
        let values = owned(values);
        let mut sent: Sent = Box::pin(async move { client.execute_raw(&prepared, values).await });
        // It is on its way once it was polled.
        if let Poll::Ready(answer) = sent.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            answer.map_err(|error| self.judge(error))?;
        } else {
            self.sent.push(sent);
        }
        Ok(())
    }

    /// Waits for the answers to what was sent, in order.
    async fn settle(&mut self) -> Result<()> {
        for sent in std::mem::take(&mut self.sent) {
            self.within(sent).await?;
        }
        Ok(())
    }

    /// Runs what has no values.
    pub(super) async fn batch(&mut self, statements: &str) -> Result<()> {
        self.settle().await?;
        let (client, statements) = (self.client.clone(), statements.to_owned());
        self.within(async move { client.batch_execute(&statements).await }).await
    }
}

/// With PostgreSQL's names for placeholders.
fn numbered(statement: &str) -> String {
    statement.replace('?', "$")
}

impl Sql for PgSql {
    const LOCK: &'static str = " FOR UPDATE";
    const LOCK_FREE: &'static str = " FOR UPDATE SKIP LOCKED";
    const SHARE_FREE: &'static str = " FOR SHARE SKIP LOCKED";
    const BY_OPEN_KEY: &'static str = "";
    const HAS_OTHERS: bool = true;

    async fn begin(&mut self) -> Result<()> {
        self.in_transaction = true;
        self.warned.set(false);
        // Waited for with the first question.
        self.send("BEGIN ISOLATION LEVEL READ COMMITTED", &[]).await
    }

    async fn commit(&mut self) -> Result<()> {
        self.in_transaction = false;
        self.send("COMMIT", &[]).await?;
        // Where one before it has failed, this says so, and PostgreSQL has undone everything.
        self.settle().await?;
        if self.warned.get() {
            // It may stand on one disk only: somebody has ended the wait for the standby.
            self.is_broken = true;
            return Err(StoreError::Unavailable(
                "the database warned of a commit that it carried out".to_owned(),
            ));
        }
        Ok(())
    }

    async fn rollback(&mut self) {
        self.sent.clear();
        if std::mem::take(&mut self.in_transaction)
            && !self.is_broken()
            && let Err(error) = self.batch("ROLLBACK").await
        {
            tracing::warn!(%error, "a rollback failed; the connection is given up");
            self.is_broken = true;
        }
    }

    async fn rows(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        let prepared = self.prepare(statement).await?;
        let client = self.client.clone();
        let values = owned(values);
        let columns = prepared.columns().len();
        let mut asked = Box::pin(async move {
            let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
            client.query(&prepared, &values).await
        });
        // On its way behind what was sent before.
        let answered = asked.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.settle().await?;
        let found = match answered {
            Poll::Ready(found) => found.map_err(|error| self.judge(error))?,
            Poll::Pending => self.within(asked).await?,
        };
        let mut all = Vec::with_capacity(found.len());
        for row in found {
            let cells = (0..columns).map(|column| row.try_get::<_, Raw>(column).map(|raw| raw.0));
            all.push(Row::new(cells.collect::<std::result::Result<_, _>>()?));
        }
        Ok(all)
    }

    async fn change(&mut self, statement: &str, values: &[Value<'_>]) -> Result<()> {
        self.send(statement, values).await
    }

    async fn changed(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64> {
        self.settle().await?;
        let prepared = self.prepare(statement).await?;
        let (client, values) = (self.client.clone(), owned(values));
        self.within(async move { client.execute_raw(&prepared, values).await }).await
    }
}

/// A value that outlives the call that it was given in.
#[derive(Debug)]
enum Owned {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

fn owned(values: &[Value<'_>]) -> Vec<Owned> {
    let own = |value: &Value<'_>| match value {
        Value::Null => Owned::Null,
        Value::Integer(number) => Owned::Integer(*number),
        Value::Text(text) => Owned::Text((*text).to_owned()),
        Value::Bytes(bytes) => Owned::Bytes(bytes.to_vec()),
        Value::Id(bytes) => Owned::Bytes(bytes.to_vec()),
        Value::Hash(bytes) => Owned::Bytes(bytes.to_vec()),
    };
    values.iter().map(own).collect()
}

type Wrong = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Owned {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Wrong> {
        match self {
            Self::Null => return Ok(IsNull::Yes),
            Self::Integer(number) => match *of {
                Type::INT4 => return i32::try_from(*number)?.to_sql(of, out),
                Type::INT8 => return number.to_sql(of, out),
                _ => return Err(format!("a number for a column of the type {of}").into()),
            },
            // PostgreSQL's text holds no zero; what comes from outside may.
            Self::Text(text) if text.contains('\0') => {
                out.extend_from_slice(text.replace('\0', "\u{fffd}").as_bytes());
            }
            Self::Text(text) => out.extend_from_slice(text.as_bytes()),
            Self::Bytes(bytes) => out.extend_from_slice(bytes),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, of: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Wrong> {
        self.to_sql(of, out)
    }
}

/// A cell as it came.
struct Raw(Cell);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(of: &Type, raw: &'a [u8]) -> std::result::Result<Self, Wrong> {
        Ok(Self(match *of {
            Type::INT4 => Cell::Integer(i32::from_sql(of, raw)?.into()),
            Type::INT8 => Cell::Integer(i64::from_sql(of, raw)?),
            Type::BYTEA => Cell::Bytes(raw.to_vec()),
            Type::TEXT | Type::JSON | Type::NAME | Type::VARCHAR => {
                Cell::Text(std::str::from_utf8(raw)?.to_owned())
            }
            _ => return Err(format!("a column of the type {of}").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Wrong> {
        Ok(Self(Cell::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
