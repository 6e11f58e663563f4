//! SQL that every backend understands: a statement with its values, and the rows that come back.
//!
//! What is stored is written down once, in the files of this folder, for SQLite and PostgreSQL alike: values are whole
//! numbers, text and bytes, placeholders are `?1`, `?2` and so on, and the little in which the two differ is a
//! constant of [`Sql`]. A connection knows how to run a statement, and nothing of what it means.
//!
//! Read next: `sql/rows.rs` for what the verbs ask for; `sqlite/connection.rs`, `postgres/connection.rs`.

pub(super) mod access;
pub(super) mod alert;
pub(super) mod chat;
pub(super) mod codec;
pub(super) mod definition;
pub(super) mod delivery;
mod duty;
pub(super) mod event;
pub(super) mod heartbeat;
pub(super) mod integration_key;
mod mailbox;
pub(super) mod node;
pub(super) mod outgoing;
pub(super) mod push;
pub(super) mod reach;
pub(super) mod read;
mod receipt;
pub(super) mod reception;
pub(super) mod reply;
pub(crate) mod rows;
pub(super) mod silence;
pub(super) mod wake;

use super::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// A connection to a database.
pub(crate) trait Sql {
    /// Added to a query: locks what is found until the end of the transaction, and waits where it is locked.
    const LOCK: &'static str;
    /// The same, without what somebody else has locked.
    const LOCK_FREE: &'static str;
    /// Locks what is found against change only, without what somebody else changes.
    const SHARE_FREE: &'static str;
    /// Added to the table of alerts where they are walked in the order of their keys.
    const BY_OPEN_KEY: &'static str;
    /// Whether others may write at the same time.
    const HAS_OTHERS: bool;

    /// Begins a transaction.
    async fn begin(&mut self) -> Result<()>;
    /// Commits it. After an error nobody knows whether it was, or it was not.
    async fn commit(&mut self) -> Result<()>;
    /// Undoes it, if there is one.
    async fn rollback(&mut self);
    /// What a statement finds, in its order.
    async fn rows(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>>;
    /// Runs a statement that changes something. What is wrong with it may be told by the next call, or the commit.
    async fn change(&mut self, statement: &str, values: &[Value<'_>]) -> Result<()>;
    /// Runs a statement that changes something, and counts the rows that it changed.
    async fn changed(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64>;

    /// What a question finds for each of several keys, as if it were asked once for each: its placeholders stand for
    /// the values of a key. Asked at once where the backend can.
    async fn each(&mut self, question: &str, keys: &[Vec<Value<'_>>]) -> Result<Vec<Vec<Row>>> {
        let mut all = Vec::with_capacity(keys.len());
        for key in keys {
            all.push(self.rows(question, key).await?);
        }
        Ok(all)
    }

    /// Adds many rows, each with its values in the place of those in `insert`, a statement that ends with the values of
    /// one row. Together where the backend can.
    async fn insert_all(&mut self, insert: &str, rows: &[Vec<Value<'_>>]) -> Result<()> {
        for row in rows {
            self.change(insert, row).await?;
        }
        Ok(())
    }

    /// The same, with what `insert` says to return; in any order.
    async fn insert_all_returning(&mut self, insert: &str, rows: &[Vec<Value<'_>>]) -> Result<Vec<Row>> {
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            all.extend(self.rows(insert, row).await?);
        }
        Ok(all)
    }

    /// The first row that a statement finds.
    async fn first(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Option<Row>> {
        Ok(self.rows(statement, values).await?.into_iter().next())
    }

    /// The one value that a statement finds: a sum, a maximum.
    async fn value<T: FromCell>(&mut self, statement: &str, values: &[Value<'_>]) -> Result<T> {
        match self.first(statement, values).await? {
            Some(mut row) => row.get(0),
            None => T::from_cell(Cell::Null),
        }
    }
}

/// A value for a placeholder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// The bytes of an id.
    Id([u8; 16]),
    /// A SHA-256.
    Hash([u8; 32]),
}

/// Values for `?1`, `?2` and so on.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::sql::Value::from($value)),*]
    };
}
pub(super) use values;

macro_rules! value_from {
    ($($type:ty => |$value:ident| $made:expr),* $(,)?) => {
        $(impl<'a> From<$type> for Value<'a> {
            fn from($value: $type) -> Self {
                $made
            }
        })*
    };
}

value_from! {
    i64 => |value| Value::Integer(value),
    u32 => |value| Value::Integer(value.into()),
    u16 => |value| Value::Integer(value.into()),
    u8 => |value| Value::Integer(value.into()),
    bool => |value| Value::Integer(value.into()),
    &'a str => |value| Value::Text(value),
    &'a String => |value| Value::Text(value),
    &'a [u8] => |value| Value::Bytes(value),
    &'a Vec<u8> => |value| Value::Bytes(value),
    [u8; 16] => |value| Value::Id(value),
    [u8; 32] => |value| Value::Hash(value),
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// A value of a row.
#[derive(Clone, Debug, Default)]
pub(crate) enum Cell {
    #[default]
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// What a statement has found.
#[derive(Clone, Debug)]
pub(crate) struct Row(Vec<Cell>);

impl Row {
    pub(super) fn new(cells: Vec<Cell>) -> Self {
        Self(cells)
    }

    /// Every value.
    pub(super) fn into_cells(self) -> Vec<Cell> {
        self.0
    }

    /// Takes the value of a column, from 0. A column is taken once.
    pub(super) fn get<T: FromCell>(&mut self, column: usize) -> Result<T> {
        T::from_cell(self.0.get_mut(column).map(std::mem::take).unwrap_or_default())
    }
}

/// What can stand in a column.
pub(crate) trait FromCell: Sized {
    fn from_cell(cell: Cell) -> Result<Self>;
}

fn wrong<T>(cell: &Cell, wanted: &str) -> Result<T> {
    Err(StoreError::Corrupt(format!("a column holds {cell:?} where {wanted} is expected")))
}

impl FromCell for i64 {
    fn from_cell(cell: Cell) -> Result<Self> {
        match cell {
            Cell::Integer(number) => Ok(number),
            other => wrong(&other, "a number"),
        }
    }
}

impl FromCell for bool {
    fn from_cell(cell: Cell) -> Result<Self> {
        i64::from_cell(cell).map(|number| number != 0)
    }
}

impl FromCell for String {
    fn from_cell(cell: Cell) -> Result<Self> {
        match cell {
            Cell::Text(text) => Ok(text),
            other => wrong(&other, "text"),
        }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: Cell) -> Result<Self> {
        match cell {
            Cell::Bytes(bytes) => Ok(bytes),
            other => wrong(&other, "bytes"),
        }
    }
}

impl<const N: usize> FromCell for [u8; N] {
    fn from_cell(cell: Cell) -> Result<Self> {
        let bytes = Vec::from_cell(cell)?;
        bytes.try_into().map_err(|bytes: Vec<u8>| {
            StoreError::Corrupt(format!("a column holds {} bytes where {N} are expected", bytes.len()))
        })
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: Cell) -> Result<Self> {
        match cell {
            Cell::Null => Ok(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}
