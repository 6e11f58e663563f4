//! SQLite: one writer thread that owns the writing connection, and a few read-only connections.
//!
//! **Group commit.** Whatever has queued up while the last commit was syncing is committed together, and
//! every job is answered after that commit. There is no waiting for more: under load the group forms by
//! itself. When a job of a group fails, the group is rolled back and run again with a savepoint for each
//! job, so that only the failing one is undone; jobs are pure functions of what is stored, so running
//! one again does no harm.

mod alert;
pub(super) mod codec;
mod core;
mod definition;
mod delivery;
mod event;
mod migrate;
pub(super) mod read;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};

use anyhow::Context;
use escalation::directory::Service;
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{Published, Signals, StoreError};
use crate::clock::{Clock, lock};
use core::Core;

/// The most jobs in one transaction: bounds how long the first of them waits.
const GROUP: usize = 512;
/// Jobs that may queue up before senders are made to wait.
const QUEUE: usize = 4096;
/// Read-only connections.
const READERS: usize = 4;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Work for the writer. It may be run twice, and is answered once.
trait Job: Send {
    fn run(&mut self, core: &mut Core, now: Timestamp) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

struct Call<F, R> {
    work: F,
    result: Option<R>,
    reply: oneshot::Sender<Result<R, StoreError>>,
}

impl<F, R> Job for Call<F, R>
where
    F: FnMut(&mut Core, Timestamp) -> Result<R, StoreError> + Send,
    R: Send,
{
    fn run(&mut self, core: &mut Core, now: Timestamp) -> Result<(), StoreError> {
        let work = &mut self.work;
        let outcome = catch_unwind(AssertUnwindSafe(|| work(core, now))).unwrap_or_else(|panic| {
            let words = panic.downcast_ref::<&str>().map(ToString::to_string);
            let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(StoreError::Panicked(words.unwrap_or_else(|| "a panic without words".to_owned())))
        })?;
        self.result = Some(outcome);
        Ok(())
    }

    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        let answer = match (failed, self.result) {
            (None, Some(result)) => Ok(result),
            (Some(error), _) => Err(error),
            (None, None) => Err(StoreError::Stopped),
        };
        // Who asked may be gone; what it asked for is stored all the same.
        let _ = self.reply.send(answer);
    }
}

/// The connections to one database file. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sqlite {
    jobs: mpsc::Sender<Box<dyn Job>>,
    readers: Arc<Readers>,
    writer: Arc<Mutex<Option<std::thread::JoinHandle<()>>>>,
}

struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
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
        let only = lock_file(path)?;
        let mut connection =
            Connection::open(path).with_context(|| format!("can't open the database {}", path.display()))?;
        prepare(&connection).with_context(|| format!("can't use the database {}", path.display()))?;
        migrate::run(&mut connection, clock.now())
            .with_context(|| format!("can't bring the database {} up to date", path.display()))?;
        let mut core = Core::new(connection, service)?;
        core.publish(&published);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || {
                write(core, queue, &*clock, &published, &signals);
                drop(only);
            })
            .context("can't start the store's writer thread")?;
        let readers =
            Readers { path: path.to_owned(), idle: Mutex::default(), places: Semaphore::new(READERS) };
        Ok(Self { jobs, readers: Arc::new(readers), writer: Arc::new(Mutex::new(Some(writer))) })
    }

    /// Runs `work` in the next transaction and answers after its commit.
    pub(super) async fn call<R: Send + 'static>(
        &self,
        work: impl FnMut(&mut Core, Timestamp) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (reply, answer) = oneshot::channel();
        let call = Box::new(Call { work, result: None, reply });
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
        if self.call(last).await.is_err() {
            return;
        }
        let writer = lock(&self.writer).take();
        // A writer that panicked has nothing more to finish.
        let _ = tokio::task::spawn_blocking(move || writer.map(std::thread::JoinHandle::join)).await;
    }

    /// Runs `work` on a read-only connection, on a thread that may block.
    pub(super) async fn read<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let readers = self.readers.clone();
        let _place = self.readers.places.acquire().await.map_err(|_| StoreError::Stopped)?;
        let task = tokio::task::spawn_blocking(move || {
            let idle = lock(&readers.idle).pop();
            let connection = match idle {
                Some(connection) => connection,
                None => open_reader(&readers.path)?,
            };
            let result = work(&connection);
            lock(&readers.idle).push(connection);
            result
        });
        task.await.map_err(|error| StoreError::Panicked(error.to_string()))?
    }
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
    // FULL: a commit is on the disk before it is answered, also when the power fails.
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", "off")?;
    connection.pragma_update(None, "cache_size", -16_000)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4_000)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "cache_size", -2_000)?;
    Ok(connection)
}

/// The writer thread.
fn write(
    mut core: Core,
    mut queue: mpsc::Receiver<Box<dyn Job>>,
    clock: &dyn Clock,
    published: &RwLock<Published>,
    signals: &Signals,
) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(job) = queue.try_recv()
        {
            group.push(job);
        }
        let failures = commit(&mut core, &mut group, clock.now());
        core.publish(published);
        let stirred = core.take_stirred();
        for (job, failed) in group.into_iter().zip(failures) {
            job.answer(failed);
        }
        if stirred.wakes {
            signals.wakes.notify_one();
        }
        if stirred.deliveries {
            signals.deliveries.notify_one();
        }
        if stirred.seen {
            signals.changed.send_modify(|count| *count += 1);
        }
        if core.is_closing() {
            break;
        }
    }
    core.close();
}

/// Runs a group in one transaction. Says for each job why it failed, if it did.
fn commit(core: &mut Core, group: &mut [Box<dyn Job>], now: Timestamp) -> Vec<Option<StoreError>> {
    let all_failed = |error: StoreError, count: usize| vec![Some(error); count];
    let count = group.len();
    let together = core.begin().and_then(|()| {
        for job in group.iter_mut() {
            job.run(core, now)?;
        }
        core.commit()
    });
    let Err(error) = together else { return vec![None; count] };
    core.rollback();
    if count == 1 {
        tracing::error!(%error, "a job of the store failed");
        return all_failed(error, count);
    }
    // Somebody failed: once more, each behind a savepoint.
    if let Err(error) = core.begin() {
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
    match core.commit() {
        Ok(()) => failures,
        Err(error) => {
            core.rollback();
            tracing::error!(%error, "a commit failed");
            all_failed(error, count)
        }
    }
}
