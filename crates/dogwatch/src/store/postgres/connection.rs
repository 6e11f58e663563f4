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

/// The same where nobody is waiting.
const LONG_DEADLINE: Duration = Duration::from_secs(600);

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
    /// Those that do for many at once what another does for one, by that one.
    of_many: HashMap<String, Statement>,
    sent: Vec<Sent>,
    in_transaction: bool,
    is_broken: bool,
    /// How long an answer is waited for.
    deadline: Duration,
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
            of_many: HashMap::new(),
            sent: Vec::new(),
            in_transaction: false,
            is_broken: false,
            deadline: DEADLINE,
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

    /// From now on answers are waited for as long as a table of a large house may take.
    pub(super) fn take_time(&mut self) {
        self.deadline = LONG_DEADLINE;
    }

    /// Waits for an answer, no longer than the deadline.
    async fn within<T>(
        &mut self,
        work: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        match timeout(self.deadline, work).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.judge(error)),
            Err(_) => {
                self.is_broken = true;
                Err(late("a statement", self.deadline))
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

    /// The statement that does for many keys or rows at once what `statement` does for one. `rewrite` makes it, from the
    /// types of its values; it is made once.
    async fn prepare_many(
        &mut self,
        statement: &str,
        rewrite: fn(&str, &[Type]) -> Option<String>,
    ) -> Result<Statement> {
        if let Some(known) = self.of_many.get(statement) {
            return Ok(known.clone());
        }
        let one = self.prepare(statement).await?;
        let text = rewrite(statement, one.params()).ok_or_else(|| {
            StoreError::Panicked(format!("this can't be done for many at once: {statement}"))
        })?;
        let many = self.prepare(&text).await?;
        self.of_many.insert(statement.to_owned(), many.clone());
        Ok(many)
    }

    /// Sends a statement without waiting for its answer.
    async fn send(&mut self, statement: &str, values: &[Value<'_>]) -> Result<()> {
        let prepared = self.prepare(statement).await?;
        self.send_prepared(prepared, owned(values))
    }

    fn send_prepared<T>(&mut self, prepared: Statement, values: Vec<T>) -> Result<()>
    where
        T: ToSql + Sync + 'static,
    {
        let client = self.client.clone();
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

    /// Asks, and waits for the answer to it and to what was sent before.
    async fn ask<T>(&mut self, prepared: Statement, values: Vec<T>) -> Result<Vec<Row>>
    where
        T: ToSql + Sync + 'static,
    {
        let client = self.client.clone();
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

/// A question for many keys: it is asked for each, in the order of their places, which come last in each answer. It
/// can't be merged into a join: a plan that was made while a table was small would go through all of it for good.
fn question_of_many(question: &str, types: &[Type]) -> Option<String> {
    let (arrays, names) = arrays_of(types);
    let inner = named(question)?;
    Some(format!(
        "SELECT found.*, key.place FROM unnest({arrays}) WITH ORDINALITY AS key ({names}, place) \
         CROSS JOIN LATERAL ({inner} OFFSET 0) AS found"
    ))
}

/// An insert of many rows.
fn insert_of_many(insert: &str, types: &[Type]) -> Option<String> {
    let (arrays, names) = arrays_of(types);
    let (into, values) = insert.split_once(" VALUES (")?;
    let (values, after) = values.rsplit_once(')')?;
    let values = named(values)?;
    Some(format!("{into} SELECT {values} FROM unnest({arrays}) AS key ({names}){after}"))
}

/// The arrays that hold the values of many, and the names of their columns.
fn arrays_of(types: &[Type]) -> (String, String) {
    let all = types.iter().enumerate();
    let arrays: Vec<_> = all.clone().map(|(place, of)| format!("${}::{}[]", place + 1, of.name())).collect();
    let names: Vec<_> = all.map(|(place, _)| format!("v{}", place + 1)).collect();
    (arrays.join(", "), names.join(", "))
}

/// With the names of columns in the place of placeholders.
fn named(text: &str) -> Option<String> {
    let mut parts = text.split('?');
    let first = parts.next()?.to_owned();
    parts.try_fold(first, |all, part| {
        part.starts_with(|c: char| c.is_ascii_digit()).then(|| all + "key.v" + part)
    })
}

/// The values of many, one column for each placeholder.
fn columns(rows: &[Vec<Value<'_>>]) -> Vec<Vec<Owned>> {
    let width = rows.first().map_or(0, Vec::len);
    let column = |place: usize| rows.iter().filter_map(|row| row.get(place)).map(own).collect();
    (0..width).map(column).collect()
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
        self.ask(prepared, owned(values)).await
    }

    async fn each(&mut self, question: &str, keys: &[Vec<Value<'_>>]) -> Result<Vec<Vec<Row>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let prepared = self.prepare_many(question, question_of_many).await?;
        let mut all: Vec<_> = keys.iter().map(|_| Vec::new()).collect();
        for row in self.ask(prepared, columns(keys)).await? {
            let mut cells = row.into_cells();
            let Some(Cell::Integer(place)) = cells.pop() else {
                return Err(StoreError::Corrupt("an answer does not say which key it is for".to_owned()));
            };
            if let Some(found) =
                usize::try_from(place).ok().and_then(|place| all.get_mut(place.checked_sub(1)?))
            {
                found.push(Row::new(cells));
            }
        }
        Ok(all)
    }

    async fn insert_all(&mut self, insert: &str, rows: &[Vec<Value<'_>>]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let prepared = self.prepare_many(insert, insert_of_many).await?;
        self.send_prepared(prepared, columns(rows))
    }

    async fn insert_all_returning(&mut self, insert: &str, rows: &[Vec<Value<'_>>]) -> Result<Vec<Row>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let prepared = self.prepare_many(insert, insert_of_many).await?;
        self.ask(prepared, columns(rows)).await
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

fn own(value: &Value<'_>) -> Owned {
    match value {
        Value::Null => Owned::Null,
        Value::Integer(number) => Owned::Integer(*number),
        Value::Text(text) => Owned::Text((*text).to_owned()),
        Value::Bytes(bytes) => Owned::Bytes(bytes.to_vec()),
        Value::Id(bytes) => Owned::Bytes(bytes.to_vec()),
        Value::Hash(bytes) => Owned::Bytes(bytes.to_vec()),
    }
}

fn owned(values: &[Value<'_>]) -> Vec<Owned> {
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
