//! SQLite: one writing connection, and a few read-only ones.
//!
//! **Group commit.** Whatever has queued up since the last commit is committed together, and every job is
//! answered when that commit is on the disk. There is no waiting for more: under load the group forms by
//! itself. When a job of a group fails, the group is rolled back and run again with a savepoint for each
//! job, so that only the failing one is undone; jobs are pure functions of what is stored, so running
//! one again does no harm.
//!
//! **Two threads take turns.** One holds the writing connection, the other syncs what it committed before it
//! passed the connection on: while the disk works, the next group is already being written, and nobody waits
//! for a thread to wake up. Others may see a commit in the moment before it is durable; nobody is answered.
//! SQLite itself runs with `synchronous=NORMAL`, which syncs around checkpoints; the log between them is a
//! file that only grows, so one sync makes everything durable that was committed before it.
//!
//! **What waits for no sync**: a group that holds nothing but handled wakes and settled outcomes. Nobody was
//! promised anything by it, and whatever leaves the house because of it leaves after a claim, whose sync
//! covers everything that was committed before. Were the power to fail in between, the wake would be due
//! again, or the outcome unknown: just as after a crash one moment earlier.
//!
//! **A sync that fails** leaves nobody knowing what is on the disk, and a second one may succeed without
//! having written anything. So nothing is answered well any more, and the service ends, to be started again
//! from what the disk really holds.

pub(crate) mod connection;
pub(crate) mod memory;
pub(super) mod migrate;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use anyhow::Context;
use escalation::directory::Service;
use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, mpsc};

use super::core::{self, Stirred};
use super::sql::Sql;
use super::waiting::Waiting;
use super::{Published, Signals, StoreError};
use crate::clock::{Clock, chance, lock};
use connection::{SqliteRows, SqliteSql, at_once};

/// The verbs on the writing connection.
pub(super) type Core = core::Core<SqliteRows>;

/// The most jobs in one transaction: bounds how long the first of them waits.
const GROUP: usize = 512;
/// Jobs that may queue up before senders are made to wait.
const QUEUE: usize = 4096;
/// Threads that take turns at writing and syncing.
const WRITERS: usize = 2;
/// Read-only connections.
const READERS: usize = 4;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Work for the writer. It may be run twice, and is answered once.
trait Job: Send {
    /// Whether somebody outside relies on it once it is answered.
    fn is_promise(&self) -> bool;
    fn run(&mut self, core: &mut Core, now: Timestamp) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

struct Call<F, R> {
    is_promise: bool,
    work: F,
    waiting: Waiting<R>,
}

impl<F, R> Job for Call<F, R>
where
    F: FnMut(&mut Core, Timestamp) -> Result<R, StoreError> + Send,
    R: Send,
{
    fn is_promise(&self) -> bool {
        self.is_promise
    }

    fn run(&mut self, core: &mut Core, now: Timestamp) -> Result<(), StoreError> {
        let work = &mut self.work;
        let outcome = catch_unwind(AssertUnwindSafe(|| work(core, now)))
            .unwrap_or_else(|panic| Err(StoreError::of_panic(&*panic)))?;
        self.waiting.came_to(outcome);
        Ok(())
    }

    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        self.waiting.answer(failed);
    }
}

/// The connections to one database file. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sqlite {
    jobs: mpsc::Sender<Box<dyn Job>>,
    readers: Arc<Readers>,
    writers: Arc<Mutex<Vec<std::thread::JoinHandle<()>>>>,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<SqliteSql>>,
    places: Semaphore,
}

impl Sqlite {
    pub(super) fn open(
        path: &Path,
        clock: Arc<dyn Clock>,
        service: Service,
        published: Arc<RwLock<Published>>,
        signals: Arc<Signals>,
    ) -> anyhow::Result<Self> {
        let (sql, only) = open_alone(path, clock.now())?;
        let mut core = at_once(Core::open(SqliteRows::new(sql), service, clock.now(), Box::new(chance)))?;
        core.publish(&published);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let writer = Arc::new(Writer {
            log: open_log(path)?,
            turn: Mutex::new(Some(Turn { core, queue, _only: only })),
            clock,
            published,
            signals,
        });
        let writers = (0..WRITERS).map(|_| {
            let writer = writer.clone();
            let thread = std::thread::Builder::new().name("store-writer".to_owned());
            thread.spawn(move || writer.run()).context("can't start the store's writer")
        });
        let writers = writers.collect::<anyhow::Result<_>>()?;
        let readers =
            Readers { path: path.to_owned(), idle: Mutex::default(), places: Semaphore::new(READERS) };
        Ok(Self { jobs, readers: Arc::new(readers), writers: Arc::new(Mutex::new(writers)) })
    }

    /// Runs `work` in the next transaction and answers when it is on the disk.
    pub(super) async fn promise<R: Send + 'static>(
        &self,
        work: impl FnMut(&mut Core, Timestamp) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.queue(true, work).await
    }

    /// Runs `work`, by which nothing is promised to anybody, in the next transaction and answers after its
    /// commit.
    pub(super) async fn note<R: Send + 'static>(
        &self,
        work: impl FnMut(&mut Core, Timestamp) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.queue(false, work).await
    }

    async fn queue<R: Send + 'static>(
        &self,
        is_promise: bool,
        work: impl FnMut(&mut Core, Timestamp) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (waiting, answer) = Waiting::new();
        let call = Box::new(Call { is_promise, work, waiting });
        self.jobs.send(call).await.map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Finishes what has queued up, takes nothing more, and leaves a tidy file behind.
    pub(super) async fn close(&self) {
        lock(&self.readers.idle).clear();
        let last = |core: &mut Core, _| {
            core.close_after_this();
            Ok(())
        };
        if self.promise(last).await.is_err() {
            return;
        }
        let writers = std::mem::take(&mut *lock(&self.writers));
        // A writer that panicked has nothing more to finish.
        let join = move || writers.into_iter().for_each(|writer| drop(writer.join()));
        let _ = tokio::task::spawn_blocking(join).await;
    }

    /// Runs `work` on a read-only connection, on a thread that may block. All that it reads is of one moment.
    pub(super) async fn ask<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqliteSql) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let readers = self.readers.clone();
        let _place = self.readers.places.acquire().await.map_err(|_| StoreError::Stopped)?;
        let task = tokio::task::spawn_blocking(move || {
            let idle = lock(&readers.idle).pop();
            let mut sql = match idle {
                Some(sql) => sql,
                None => SqliteSql::new(open_reader(&readers.path)?),
            };
            sql.connection.prepare_cached("BEGIN")?.execute([])?;
            let result = work(&mut sql);
            at_once(async {
                sql.rollback().await;
                Ok(())
            })?;
            lock(&readers.idle).push(sql);
            result
        });
        task.await.map_err(|error| StoreError::Panicked(error.to_string()))?
    }
}

/// Opens the database at `path`, which nobody else has open, and brings it up to date. With the lock that keeps others
/// off it.
pub(super) fn open_alone(path: &Path, now: Timestamp) -> anyhow::Result<(SqliteSql, File)> {
    let only = lock_file(path)?;
    let mut connection =
        Connection::open(path).with_context(|| format!("can't open the database {}", path.display()))?;
    prepare(&connection).with_context(|| format!("can't use the database {}", path.display()))?;
    migrate::run(&mut connection, now)
        .with_context(|| format!("can't bring the database {} up to date", path.display()))?;
    Ok((SqliteSql::new(connection), only))
}

/// Takes the lock that keeps a second Dogwatch off the same file. It ends with the process, however that
/// ends.
fn lock_file(path: &Path) -> anyhow::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = File::options().create(true).truncate(false).write(true).open(&name).with_context(|| {
        format!("can't make the lock file {}; is the folder there and writable?", name.display())
    })?;
    file.try_lock().map_err(|error| {
        anyhow::anyhow!(
            "another Dogwatch has the database {} open ({error}); stop it first, or give this one another \
             --database",
            path.display()
        )
    })?;
    Ok(file)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    // NORMAL: SQLite syncs around checkpoints, and the writers sync the log before they answer, so that an
    // answer holds also when the power fails.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "foreign_keys", "off")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.set_prepared_statement_cache_capacity(64);
    keep_plans(connection)
}

/// A prepared statement keeps its plan. Without this SQLite may prepare it anew for each value that it is
/// given, to choose another index by statistics that are not gathered here.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "cache_size", -2_000)?;
    keep_plans(&connection)?;
    Ok(connection)
}

/// The write-ahead log of the database at `path`, which is open.
fn open_log(path: &Path) -> anyhow::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    let name = PathBuf::from(name);
    // SQLite keeps its locks on other files: opening and closing this one releases none of them.
    File::open(&name).with_context(|| format!("can't open the write-ahead log {}", name.display()))
}

/// What the writer threads share.
struct Writer {
    log: File,
    /// Whose turn it is to write holds this; `None` when the store is closed.
    turn: Mutex<Option<Turn>>,
    clock: Arc<dyn Clock>,
    published: Arc<RwLock<Published>>,
    signals: Arc<Signals>,
}

/// What is needed to write.
struct Turn {
    core: Core,
    queue: mpsc::Receiver<Box<dyn Job>>,
    _only: File,
}

impl Writer {
    /// One of the threads, until the store is closed.
    fn run(&self) {
        loop {
            let mut place = lock(&self.turn);
            let Some(turn) = place.as_mut() else { return };
            let Some(first) = turn.queue.blocking_recv() else {
                *place = None;
                return;
            };
            let (group, failures, stirred) = self.commit_group(turn, first);
            if turn.core.is_closing()
                && let Some(turn) = place.take()
            {
                turn.core.close();
            }
            drop(place);
            self.signals.wake(stirred);
            self.answer(group, failures);
        }
    }

    fn commit_group(&self, turn: &mut Turn, first: Box<dyn Job>) -> Committed {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(job) = turn.queue.try_recv()
        {
            group.push(job);
        }
        let failures = commit(&mut turn.core, &mut group, self.clock.now());
        turn.core.publish(&self.published);
        (group, failures, turn.core.take_stirred())
    }

    /// Answers the jobs of a commit, after a sync if one of them is relied on.
    fn answer(&self, group: Vec<Box<dyn Job>>, failures: Vec<Option<StoreError>>) {
        let broken = group.iter().any(|job| job.is_promise()).then(|| self.sync()).and_then(Result::err);
        for (job, failed) in group.into_iter().zip(failures) {
            job.answer(failed.or_else(|| broken.clone()));
        }
    }

    fn sync(&self) -> Result<(), StoreError> {
        if !*self.signals.broken.borrow() {
            match self.log.sync_data() {
                Ok(()) => return Ok(()),
                Err(error) => {
                    tracing::error!(%error, "the disk failed; Dogwatch has to start again");
                    self.signals.broken.send_replace(true);
                }
            }
        }
        Err(StoreError::Unavailable("the disk failed to store what it was given".to_owned()))
    }
}

/// The jobs of a commit, why each failed if it did, and who is to be woken.
type Committed = (Vec<Box<dyn Job>>, Vec<Option<StoreError>>, Stirred);

/// Runs a group in one transaction. Says for each job why it failed, if it did.
fn commit(core: &mut Core, group: &mut [Box<dyn Job>], now: Timestamp) -> Vec<Option<StoreError>> {
    let all_failed = |error: StoreError, count: usize| vec![Some(error); count];
    let count = group.len();
    let together = at_once(core.begin()).and_then(|()| {
        for job in group.iter_mut() {
            job.run(core, now)?;
        }
        at_once(core.commit())
    });
    let Err(error) = together else { return vec![None; count] };
    roll_back(core);
    if count == 1 {
        tracing::error!(%error, "a job of the store failed");
        return all_failed(error, count);
    }
    // Somebody failed: once more, each behind a savepoint.
    if let Err(error) = at_once(core.begin()) {
        return all_failed(error, count);
    }
    let mut failures = Vec::with_capacity(count);
    for job in group.iter_mut() {
        let run = core.savepoint().and_then(|()| match job.run(core, now) {
            Ok(()) => core.release(),
            Err(error) => {
                tracing::error!(%error, "a job of the store failed");
                core.rollback_to_savepoint()?;
                Err(error)
            }
        });
        failures.push(run.err());
    }
    match at_once(core.commit()) {
        Ok(()) => failures,
        Err(error) => {
            roll_back(core);
            tracing::error!(%error, "a commit failed");
            all_failed(error, count)
        }
    }
}

fn roll_back(core: &mut Core) {
    // It is said where it goes wrong; there is nothing else to be done about it.
    let _ = at_once(async {
        core.rollback().await;
        Ok(())
    });
}
