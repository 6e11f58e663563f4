//! What is stored, by the verbs that the service needs; no SQL in sight.
//!
//! [`Store::record`], [`Store::act`], [`Store::advance`], [`Store::claim`], [`Store::settle`] and
//! [`Store::define`] each run as one job of a transaction: load, let the pure code decide, save. What a
//! job answers is answered after the commit. A backend knows how to load and save; it never decides, and
//! it knows nothing of HTTP, channels or the engine, which it only wakes.
//!
//! Read next: `store/core.rs` for the verbs, `store/rows.rs` for what a backend has to do, `store/sqlite.rs` for the
//! writers and their group commit.

mod access;
mod chat;
pub(crate) mod core;
mod integration_keys;
pub(crate) mod model;
mod moving;
pub mod nodes;
pub mod outgoing;
pub mod phone;
pub(crate) mod postgres;
mod push;
pub mod reach;
pub mod reception;
pub(crate) mod rows;
mod sql;
pub(crate) mod sqlite;
mod verbs;
mod waiting;

use std::sync::{Arc, PoisonError, RwLock};

use escalation::alert::Alert;
use escalation::delivery::Outcome;
use escalation::directory::Service;
use escalation::event::{Actor, Input};
use escalation::id::DeliveryId;
use escalation::name::Name;
use escalation::page::Page;
use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use crate::clock::Clock;
use crate::definition::{Definitions, FieldError, Kind, Subject, Wanted, Write};

use sqlite::connection::at_once;

pub use access::{Access, Caller, NewToken, Token};
pub use chat::Stale;
pub use integration_keys::IntegrationKey;
pub use moving::move_house;
pub(crate) use postgres::Address as PostgresAddress;
pub use push::Browser;
use reception::{Became, Received, Reception};
pub use verbs::{
    Acted, Advanced, AlertFilter, AlertRecord, AlertRef, Applied, Attempt, Capacity, Claim, Claims, Counts,
    Defining, DeliveryRecord, Edit, Expect, Heard, HistoryEntry, Idempotency, InForce, Incoming, Merging,
    Recorded,
};

/// Why a verb could not be carried out. Nothing of it was stored, unless the commit itself broke off.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or broke: full, locked, gone.
    #[error("the database can't be used: {0}")]
    Unavailable(String),
    /// What is stored can't be read as what it should be.
    #[error("a stored row can't be read: {0}")]
    Corrupt(String),
    /// The code that was to decide panicked. Only this job was undone.
    #[error("Dogwatch made a mistake: {0}")]
    Panicked(String),
    /// Another node changed the same at the same time, and was faster. Run again, it sees what the other did.
    #[error("another node was faster")]
    Conflict,
    /// The store is shutting down.
    #[error("Dogwatch is stopping")]
    Stopped,
}

impl StoreError {
    /// What a job said that panicked.
    pub(crate) fn of_panic(panic: &(dyn std::any::Any + Send)) -> Self {
        let words = panic.downcast_ref::<&str>().map(ToString::to_string);
        let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
        Self::Panicked(words.unwrap_or_else(|| "a panic without words".to_owned()))
    }
}

/// Who is woken by a commit.
#[derive(Debug, Default)]
pub struct Signals {
    /// Counts commits that changed something that people see.
    pub changed: watch::Sender<u64>,
    /// A wake was stored: the engine may have something to do.
    pub wakes: Notify,
    /// A delivery became ready.
    pub deliveries: Notify,
    /// The disk failed: nothing is stored any more until Dogwatch is started again.
    pub broken: watch::Sender<bool>,
}

impl Signals {
    /// Wakes whom a commit has stirred up.
    fn wake(&self, stirred: core::Stirred) {
        if stirred.wakes {
            self.wakes.notify_one();
        }
        if stirred.deliveries {
            self.deliveries.notify_one();
        }
        if stirred.seen {
            self.changed.send_modify(|count| *count += 1);
        }
    }
}

/// What every thread may read without asking the database: replaced as a whole after a commit.
#[derive(Clone, Debug, Default)]
struct Published {
    definitions: Arc<Definitions>,
    access: Arc<Access>,
    /// Who outside is told of changes, as the configuration says.
    listeners: Arc<[outgoing::Listener]>,
}

/// Where things are stored.
#[derive(Clone)]
enum Backend {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// Runs a verb in a transaction of whichever backend there is. `promise`: somebody relies on it once it is answered;
/// `note`: nobody does.
macro_rules! verb {
    ($store:ident.$how:ident(|$core:ident, $now:ident| $work:expr)) => {
        match &$store.backend {
            $crate::store::Backend::Sqlite(sqlite) => {
                sqlite.$how(move |$core, $now| $crate::store::at_once($work)).await
            }
            $crate::store::Backend::Postgres(postgres) => {
                let work = async move |$core: &mut $crate::store::postgres::Core, $now| $work.await;
                postgres.$how(work).await
            }
        }
    };
}
use verb;

/// Asks a question of whichever backend there is.
macro_rules! question {
    ($store:ident.ask(|$sql:ident| $work:expr)) => {
        match &$store.backend {
            $crate::store::Backend::Sqlite(sqlite) => {
                sqlite.ask(move |$sql| $crate::store::at_once($work)).await
            }
            $crate::store::Backend::Postgres(postgres) => {
                postgres.ask(async move |$sql: &mut $crate::store::postgres::PgSql| $work.await).await
            }
        }
    };
}
use question;

/// The store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    published: Arc<RwLock<Published>>,
    signals: Arc<Signals>,
}

impl Store {
    /// Opens, or makes, the SQLite database at `path`, brings it up to date, and starts its writer.
    ///
    /// # Errors
    ///
    /// When the file can't be used: no permission, a newer schema, another Dogwatch has it open.
    pub fn open_sqlite(
        path: &std::path::Path,
        clock: Arc<dyn Clock>,
        service: Service,
    ) -> anyhow::Result<Self> {
        let published = Arc::new(RwLock::new(Published::default()));
        let signals = Arc::new(Signals::default());
        let sqlite = sqlite::Sqlite::open(path, clock, service, published.clone(), signals.clone())?;
        Ok(Self { backend: Backend::Sqlite(sqlite), published, signals })
    }

    /// Opens the database at an address such as `postgres://dogwatch@host/dogwatch`, which other nodes may use at the
    /// same time, and brings it up to date.
    ///
    /// # Errors
    ///
    /// When it can't be reached, or was made by a newer Dogwatch.
    pub async fn open_postgres(
        address: &str,
        clock: Arc<dyn Clock>,
        service: Service,
    ) -> anyhow::Result<Self> {
        let published = Arc::new(RwLock::new(Published::default()));
        let signals = Arc::new(Signals::default());
        let postgres =
            postgres::Postgres::open(address, clock, service, published.clone(), signals.clone()).await?;
        Ok(Self { backend: Backend::Postgres(postgres), published, signals })
    }

    /// Who is woken by a commit.
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// The definitions in force.
    pub fn definitions(&self) -> Arc<Definitions> {
        self.published.read().unwrap_or_else(PoisonError::into_inner).definitions.clone()
    }

    /// Tokens and sessions in force.
    pub fn access(&self) -> Arc<Access> {
        self.published.read().unwrap_or_else(PoisonError::into_inner).access.clone()
    }

    /// From now on these are told of changes, by every connection.
    fn show_listeners(&self, listeners: &[outgoing::Listener]) {
        self.published.write().unwrap_or_else(PoisonError::into_inner).listeners = listeners.into();
    }

    /// Stores an event: the one door in.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing was stored, or nobody knows; with a key the event may be sent again.
    pub async fn record(&self, incoming: Incoming) -> Result<Recorded, StoreError> {
        match &self.backend {
            Backend::Sqlite(_) => verb!(self.promise(|core, now| core.record(now, &incoming))),
            Backend::Postgres(postgres) => postgres.record(incoming).await,
        }
    }

    /// Stores a request of an integration: all of its events in one transaction. What became of each, in order.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing was stored, or nobody knows; it may be sent again.
    pub async fn receive(&self, reception: Reception) -> Result<Vec<Became>, StoreError> {
        verb!(self.promise(|core, now| core.receive(now, &reception)))
    }

    /// A sign of life of a heartbeat. Says whether there is such a one.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn heard(&self, name: String) -> Result<bool, StoreError> {
        verb!(self.promise(|core, now| core.heard(now, &name)))
    }

    /// How a heartbeat stands; none: nothing is known of it.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn heartbeat(&self, name: String) -> Result<Option<Heard>, StoreError> {
        let row = question!(self.ask(|sql| sql::heartbeat::load(sql, &name)))?;
        Ok(row.map(|row| Heard {
            last_at: Some(row.last_at).filter(|_| row.pinged),
            late_at: row.check_at,
            is_late: row.is_late,
        }))
    }

    /// The last requests of an integration, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn received(&self, integration: Name, most: usize) -> Result<Vec<Received>, StoreError> {
        question!(self.ask(|sql| sql::reception::last(sql, &integration, most)))
    }

    /// One request of an integration, by its id; none: there was none, or it is no longer kept.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn received_request(
        &self,
        integration: Name,
        request: String,
    ) -> Result<Option<Received>, StoreError> {
        question!(self.ask(|sql| sql::reception::by_request(sql, &integration, &request)))
    }

    /// Lets somebody do something to an alert. `None` when there is no such alert.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn act(&self, alert: AlertRef, input: Input) -> Result<Option<Acted>, StoreError> {
        verb!(self.promise(|core, now| core.act(now, alert, &input)))
    }

    /// Lets alerts go into another one: all of them, or none.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn merge(
        &self,
        into: AlertRef,
        others: Vec<AlertRef>,
        by: Actor,
    ) -> Result<Merging, StoreError> {
        verb!(self.promise(|core, now| core.merge(now, into, &others, &by)))
    }

    /// Handles wakes that are due, the longest overdue first, at most `most` of them; then duty that may have
    /// changed hands.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: the wakes stay due.
    pub async fn advance(&self, most: usize) -> Result<Advanced, StoreError> {
        verb!(self.note(|core, now| core.advance(now, most)))
    }

    /// Claims deliveries that may be sent now; those that nobody wants any more are withdrawn.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing is claimed, or the claims end with their leases.
    pub async fn claim(&self, capacity: Capacity) -> Result<Claims, StoreError> {
        verb!(self.promise(|core, now| core.claim(now, &capacity)))
    }

    /// Stores what came of a claimed delivery. A token that is not the newest changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: to be tried again; otherwise the lease ends and the outcome counts as unknown.
    pub async fn settle(&self, id: DeliveryId, token: u8, outcome: Outcome) -> Result<(), StoreError> {
        verb!(self.note(|core, now| core.settle(now, id, token, &outcome)))
    }

    /// Ends the claims of a process that is gone: their outcomes are unknown. Only for who owns the
    /// database alone, before anything is claimed.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn recover(&self) -> Result<usize, StoreError> {
        // What other nodes have claimed is theirs; a node that was alone has done it before it let others in.
        if let Backend::Postgres(postgres) = &self.backend {
            return Ok(postgres.recovered);
        }
        verb!(self.promise(|core, now| core.recover(now)))
    }

    /// Changes one definition. `edit` is given what is in force and says what is to be.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn define(
        &self,
        kind: Kind,
        name: String,
        expect: Expect,
        edit: impl Fn(Option<&serde_json::Value>) -> Result<Write, Vec<FieldError>> + Send + 'static,
    ) -> Result<Defining, StoreError> {
        verb!(self.promise(|core, now| core.define(now, kind, &name, expect, false, &edit)))
    }

    /// The same, also of what files keep.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn define_anyway(
        &self,
        kind: Kind,
        name: String,
        expect: Expect,
        edit: impl Fn(Option<&serde_json::Value>) -> Result<Write, Vec<FieldError>> + Send + 'static,
    ) -> Result<Defining, StoreError> {
        verb!(self.promise(|core, now| core.define(now, kind, &name, expect, true, &edit)))
    }

    /// Puts what files say in force, all of it or nothing; nothing also if something was edited since `planned`.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn apply(&self, wanted: Wanted, planned: Option<u64>) -> Result<Applied, StoreError> {
        verb!(self.promise(|core, now| core.apply(now, &wanted, planned)))
    }

    /// Changes many definitions, all or none: the first that can't be is told.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn define_all(&self, edits: Vec<Edit>) -> Result<Defining, StoreError> {
        verb!(self.promise(|core, now| core.define_all(now, &edits)))
    }

    /// What said who is on call from an instant on: as it was in force then, and each that took its place
    /// since. Nothing, if there never was anything.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn rosters_since(&self, subject: Subject, from: Timestamp) -> Result<Vec<InForce>, StoreError> {
        question!(self.ask(|sql| sql::definition::rosters_since(sql, &subject, from)))
    }

    /// Everything about one alert.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn alert(&self, alert: AlertRef) -> Result<Option<AlertRecord>, StoreError> {
        question!(self.ask(|sql| sql::read::alert(sql, alert)))
    }

    /// Alerts, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn alerts(&self, filter: AlertFilter) -> Result<Vec<Alert>, StoreError> {
        question!(self.ask(|sql| sql::read::alerts(sql, &filter)))
    }

    /// Alerts that were reported since an instant, newest first, of those that fit, each with how often. Reads every
    /// alert: for people who ask.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn reported_since(
        &self,
        since: Timestamp,
        fits: impl Fn(&Alert) -> bool + Send + 'static,
    ) -> Result<Vec<(Alert, u64)>, StoreError> {
        question!(self.ask(|sql| sql::read::reported_since(sql, since, &fits)))
    }

    /// The newest deliveries to a handset, newest first, with their alerts and pages.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn handset(&self, name: Name, most: usize) -> Result<Vec<Claim>, StoreError> {
        question!(self.ask(|sql| sql::read::handset(sql, &name, most)))
    }

    /// The live pages of a person, with their alerts.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn live_pages(&self, person: Name) -> Result<Vec<(Page, Alert)>, StoreError> {
        question!(self.ask(|sql| sql::read::live_pages(sql, &person)))
    }

    /// Those of them of which something has left for that person.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn sent_pages(&self, person: Name) -> Result<Vec<(Page, Alert)>, StoreError> {
        question!(self.ask(|sql| sql::read::sent_pages(sql, &person)))
    }

    /// Deliveries of pages to a person that were made between two instants, both counted, oldest first. Reads every
    /// delivery of that time: for people who ask.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn pages_to(
        &self,
        person: Name,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<DeliveryRecord>, StoreError> {
        question!(self.ask(|sql| sql::read::pages_to(sql, &person, from, until)))
    }

    /// What went out in one message of several, oldest first: nothing if there is no such message.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn bundle(&self, id: DeliveryId) -> Result<Vec<Claim>, StoreError> {
        question!(self.ask(|sql| sql::read::bundle(sql, id)))
    }

    /// A page, with its alert.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn page(&self, id: escalation::id::PageId) -> Result<Option<(Page, Alert)>, StoreError> {
        question!(self.ask(|sql| sql::read::page(sql, id)))
    }

    /// Contacts that a provider took a message for since an instant, each with when the newest of these was made.
    /// Reads every delivery since then: for people who ask, not for every page.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn contacts_that_worked(
        &self,
        since: Timestamp,
    ) -> Result<Vec<(String, Timestamp)>, StoreError> {
        question!(self.ask(|sql| sql::read::contacts_that_worked(sql, since)))
    }

    /// Numbers for the metrics, at the time `now`.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn counts(&self, now: Timestamp) -> Result<Counts, StoreError> {
        question!(self.ask(|sql| sql::read::counts(sql, now)))
    }

    /// Finishes what has been asked for, takes nothing more, and leaves a tidy file behind.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }

    /// Waits for the writer to take and commit an empty job: the store can be written to.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn probe(&self) -> Result<(), StoreError> {
        verb!(self.promise(|_core, _now| std::future::ready(Ok(()))))
    }
}
