//! PostgreSQL as the store: for any number of equal nodes over one database.
//!
//! A thread of its own runs a few connections. Each takes what has queued up, runs it as one transaction, the events in it
//! together, and answers after the commit; where one job of a transaction failed, each is run again by itself. Jobs that
//! met another node's are run again. What nodes have to tell each other ([`node`]) is a hint: everything is looked for in
//! the database from time to time all the same.
//!
//! Read next: `postgres/connection.rs`; `store/rows.rs` for what keeps several nodes apart.

mod address;
mod cluster;
mod connecting;
mod connection;
mod migrate;
mod node;
pub(crate) mod simulated;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, RwLock};

use anyhow::Context;
use escalation::directory::Service;
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, oneshot};
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::core::{self, Stirred};
use super::waiting::Waiting;
use super::{Incoming, Published, Recorded, Signals, StoreError};
use crate::clock::{Clock, chance, lock};
pub(crate) use address::Address;
pub(super) use cluster::look;
use connecting::{connect, refuse_pooler};
pub(crate) use connection::PgSql;
use connection::{DEADLINE, PgRows};
use node::Node;

/// The verbs on one connection.
pub(super) type Core = core::Core<PgRows>;

/// The most jobs in one transaction. Fewer than with SQLite: what a transaction has locked, others wait for.
const GROUP: usize = 32;
/// Jobs that may queue up before senders are made to wait.
const QUEUE: usize = 4096;
/// Connections that write.
const WRITERS: usize = 4;
/// Connections that read.
const READERS: usize = 2;
/// How often a job is run again that met another node's.
const MOST_RUNS: usize = 10;
/// By how much the clock may differ from the database's in a transaction; more is put right before anything is done.
const MOST_APART: SignedDuration = SignedDuration::from_secs(1);
/// The pause before a connection is made again after one that failed: up to so long, by chance.
const PAUSE_MILLIS: u64 = 500;

type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Work for a connection that writes. It may be run several times, and is answered once.
trait Job: Send {
    /// The event that it stores, if it does nothing else: those of a group are stored together.
    fn event(&self) -> Option<&Incoming> {
        None
    }
    /// It has been stored.
    fn recorded(&mut self, _: Recorded) {}
    fn run<'a>(&'a mut self, core: &'a mut Core, now: Timestamp) -> Local<'a, Result<(), StoreError>>;
    fn answer(self: Box<Self>, failed: Option<StoreError>);
}

struct Call<F, R> {
    work: F,
    waiting: Waiting<R>,
}

impl<F, R> Job for Call<F, R>
where
    F: AsyncFnMut(&mut Core, Timestamp) -> Result<R, StoreError> + Send,
    R: Send,
{
    fn run<'a>(&'a mut self, core: &'a mut Core, now: Timestamp) -> Local<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let outcome = AssertUnwindSafe((self.work)(core, now)).catch_unwind().await;
            self.waiting.came_to(outcome.unwrap_or_else(|panic| Err(StoreError::of_panic(&*panic)))?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        self.waiting.answer(failed);
    }
}

/// An event that is to be stored.
struct Event {
    incoming: Incoming,
    waiting: Waiting<Recorded>,
}

impl Job for Event {
    fn event(&self) -> Option<&Incoming> {
        Some(&self.incoming)
    }

    fn recorded(&mut self, recorded: Recorded) {
        self.waiting.came_to(recorded);
    }

    fn run<'a>(&'a mut self, core: &'a mut Core, now: Timestamp) -> Local<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let outcome = AssertUnwindSafe(core.record(now, &self.incoming)).catch_unwind().await;
            self.waiting.came_to(outcome.unwrap_or_else(|panic| Err(StoreError::of_panic(&*panic)))?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, failed: Option<StoreError>) {
        self.waiting.answer(failed);
    }
}

/// A question for a connection that reads.
trait Question: Send {
    fn answer<'a>(self: Box<Self>, sql: Result<&'a mut PgSql, StoreError>) -> Local<'a, ()>;
}

struct Ask<F, R> {
    work: F,
    reply: oneshot::Sender<Result<R, StoreError>>,
}

impl<F, R> Question for Ask<F, R>
where
    F: AsyncFnOnce(&mut PgSql) -> Result<R, StoreError> + Send + 'static,
    R: Send + 'static,
{
    fn answer<'a>(self: Box<Self>, sql: Result<&'a mut PgSql, StoreError>) -> Local<'a, ()> {
        Box::pin(async move {
            let answer = match sql {
                Ok(sql) => {
                    let answer = AssertUnwindSafe((self.work)(sql)).catch_unwind().await;
                    answer.unwrap_or_else(|panic| Err(StoreError::of_panic(&*panic)))
                }
                Err(error) => Err(error),
            };
            let _ = self.reply.send(answer);
        })
    }
}

/// The connections of this node. Cheap to clone.
#[derive(Clone)]
pub(super) struct Postgres {
    jobs: mpsc::Sender<Box<dyn Job>>,
    questions: mpsc::Sender<Box<dyn Question>>,
    /// What was being sent when all nodes had stopped: how many.
    pub(super) recovered: usize,
    thread: Arc<Mutex<Option<std::thread::JoinHandle<()>>>>,
    stop: Arc<Stop>,
    looks: Arc<tokio::sync::Mutex<()>>,
}

/// Ends the store's thread, at the latest with the last handle.
struct Stop(Arc<tokio::sync::Notify>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// What the connections of a node share.
struct Shared {
    config: Config,
    tls: MakeRustlsConnect,
    service: Service,
    clock: Arc<dyn Clock>,
    published: Arc<RwLock<Published>>,
    signals: Arc<Signals>,
    node: Node,
    /// How many of the connections that write there are.
    connected: Cell<usize>,
}

impl Postgres {
    /// Connects, brings the database up to date, and begins to work.
    pub(super) async fn open(
        address: &str,
        clock: Arc<dyn Clock>,
        service: Service,
        published: Arc<RwLock<Published>>,
        signals: Arc<Signals>,
    ) -> anyhow::Result<Self> {
        let address = Address::read(address)?;
        let (tls, config) = (address.tls()?, address.config);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (questions, asked) = mpsc::channel(QUEUE);
        let (opened, is_open) = oneshot::channel();
        let stop = Arc::new(tokio::sync::Notify::new());
        let stopped = stop.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("store-postgres".to_owned()).spawn(move || {
            let work = async move {
                let shared = match Shared::open(config, tls, service, clock, published, signals).await {
                    Ok((shared, recovered)) => {
                        let _ = opened.send(Ok(recovered));
                        Rc::new(shared)
                    }
                    Err(error) => {
                        let _ = opened.send(Err(error));
                        return;
                    }
                };
                run(shared, queue, asked, &stopped).await;
            };
            tokio::task::LocalSet::new().block_on(&runtime, work);
        });
        let thread = Arc::new(Mutex::new(Some(thread.context("can't start the store's thread")?)));
        let recovered = is_open.await.context("the store's thread ended")??;
        Ok(Self { jobs, questions, recovered, thread, stop: Arc::new(Stop(stop)), looks: Arc::default() })
    }

    /// Runs `work` in the next transaction and answers when it is committed.
    pub(super) async fn promise<R: Send + 'static>(
        &self,
        work: impl AsyncFnMut(&mut Core, Timestamp) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (waiting, answer) = Waiting::new();
        let call = Box::new(Call { work, waiting });
        self.jobs.send(call).await.map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Stores an event in the next transaction, together with others, and answers when it is committed.
    pub(super) async fn record(&self, incoming: Incoming) -> Result<Recorded, StoreError> {
        let (waiting, answer) = Waiting::new();
        self.jobs.send(Box::new(Event { incoming, waiting })).await.map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// The same: here every commit is durable.
    pub(super) async fn note<R: Send + 'static>(
        &self,
        work: impl AsyncFnMut(&mut Core, Timestamp) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        self.promise(work).await
    }

    /// Asks a question. All that it reads is of one moment.
    pub(super) async fn ask<R: Send + 'static>(
        &self,
        work: impl AsyncFnOnce(&mut PgSql) -> Result<R, StoreError> + Send + 'static,
    ) -> Result<R, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.questions.send(Box::new(Ask { work, reply })).await.map_err(|_| StoreError::Stopped)?;
        answer.await.map_err(|_| StoreError::Stopped)?
    }

    /// Waits until nobody else looks for what other nodes have changed.
    pub(super) async fn looking(&self) -> tokio::sync::OwnedMutexGuard<()> {
        self.looks.clone().lock_owned().await
    }

    /// Finishes what has queued up, and takes nothing more.
    pub(super) async fn close(&self) {
        // Behind everything that is queued.
        let _ = self.promise(async |_: &mut Core, _| Ok(())).await;
        self.stop.0.notify_one();
        let thread = lock(&self.thread).take();
        // A thread that panicked has nothing more to finish.
        let join = move || drop(thread.map(std::thread::JoinHandle::join));
        let _ = tokio::task::spawn_blocking(join).await;
    }
}

/// Runs `work` on a connection to a database over which no node runs, nor starts meanwhile. It is brought up to date
/// before, and may take its time.
pub(super) async fn alone<R: Send + 'static>(
    address: &str,
    now: Timestamp,
    work: impl AsyncFnOnce(&mut PgSql) -> anyhow::Result<R> + Send + 'static,
) -> anyhow::Result<R> {
    let address = Address::read(address)?;
    let (tls, config) = (address.tls()?, address.config);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = move || {
        let work = async move {
            let mut client = connect(&config, &tls, |_| {}).await.context("can't connect to the database")?;
            migrate::run(&mut client, now).await.context("can't bring the database up to date")?;
            drop(client);
            let mut sql = PgSql::connect(&config, &tls).await?;
            if !node::keep_out(&mut sql).await? {
                anyhow::bail!(
                    "a Dogwatch runs over the database, or somebody moves into it; stop that first"
                );
            }
            sql.take_time();
            work(&mut sql).await
        };
        tokio::task::LocalSet::new().block_on(&runtime, work)
    };
    tokio::task::spawn_blocking(run).await?
}

impl Shared {
    async fn open(
        config: Config,
        tls: MakeRustlsConnect,
        service: Service,
        clock: Arc<dyn Clock>,
        published: Arc<RwLock<Published>>,
        signals: Arc<Signals>,
    ) -> anyhow::Result<(Self, usize)> {
        // Before anything is prepared, which such a pooler may not know.
        refuse_pooler(&config, &tls).await?;
        let mut sql = PgSql::connect(&config, &tls).await.context("can't connect to the database")?;
        node::set_clock(&*clock, &mut sql).await?;
        node::warn_of_clock(&*clock);
        let mut client = connect(&config, &tls, |_| {}).await?;
        migrate::run(&mut client, clock.now()).await.context("can't bring the database up to date")?;
        if client.query_opt("SELECT 1 FROM change WHERE what = 'moving'", &[]).await?.is_some() {
            anyhow::bail!(
                "somebody moves into this database; wait, or run dogwatch migrate-store again to its end"
            );
        }
        let (node, was_alone) = Node::join(&config, &tls, signals.clone(), clock.now()).await?;
        // What is in force is to be known before anybody asks. Where nodes start together they meet.
        let mut runs = 0;
        let mut core = loop {
            let first = PgRows::new(PgSql::connect(&config, &tls).await?);
            match Core::open(first, service.clone(), clock.now(), Box::new(chance)).await {
                Ok(core) => break core,
                Err(StoreError::Conflict) if runs < MOST_RUNS => runs += 1,
                Err(error) => return Err(error.into()),
            }
            pause(&*clock).await;
        };
        core.publish_newer(&published);
        let mut recovered = 0;
        // Others that have just said that they live have lost their locks with a server: what they send is theirs until
        // its lease ends.
        if was_alone && !node::has_others(&mut core.rows.sql).await? {
            // Others wait until this is done: what they claim is theirs.
            core.begin().await?;
            recovered = core.recover(clock.now()).await?;
            core.commit().await?;
        }
        node.let_others_in(was_alone).await?;
        node.show(&mut core.rows.sql, &*clock).await?;
        let connected = Cell::new(0);
        Ok((Self { config, tls, service, clock, published, signals, node, connected }, recovered))
    }

    /// The verbs, on a connection of their own.
    async fn core(&self) -> Result<Core, StoreError> {
        let rows = PgRows::new(PgSql::connect(&self.config, &self.tls).await?);
        Ok(Core::over(rows, self.service.clone(), &self.published, Box::new(chance)))
    }

    /// After a commit: whom it woke here and on other nodes.
    fn wake(&self, stirred: Stirred) {
        self.signals.wake(stirred);
        self.node.tell(stirred);
    }
}

/// Runs the connections until the node is to stop.
async fn run(
    shared: Rc<Shared>,
    queue: mpsc::Receiver<Box<dyn Job>>,
    asked: mpsc::Receiver<Box<dyn Question>>,
    stop: &tokio::sync::Notify,
) {
    let queue = Rc::new(tokio::sync::Mutex::new(queue));
    let asked = Rc::new(tokio::sync::Mutex::new(asked));
    let (stops, stopping) = tokio::sync::watch::channel(false);
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| tokio::task::spawn_local(write(shared.clone(), queue.clone(), stopping.clone())))
        .collect();
    for _ in 0..READERS {
        tokio::task::spawn_local(read(shared.clone(), asked.clone()));
    }
    tokio::task::spawn_local(node::follow(shared.clone()));
    stop.notified().await;
    // What others have taken out of the queue is committed before this ends.
    stops.send_replace(true);
    let _ = tokio::time::timeout(DEADLINE, futures_util::future::join_all(writers)).await;
    node::leave(&shared).await;
}

/// One connection that writes, and the next after it if it breaks.
async fn write(
    shared: Rc<Shared>,
    queue: Rc<tokio::sync::Mutex<mpsc::Receiver<Box<dyn Job>>>>,
    mut stopping: tokio::sync::watch::Receiver<bool>,
) {
    let mut connected: Option<Core> = None;
    loop {
        let mut group = {
            let mut queue = queue.lock().await;
            let first = tokio::select! {
                biased;
                first = queue.recv() => first,
                _ = stopping.wait_for(|stops| *stops) => None,
            };
            let Some(first) = first else { return };
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(job) = queue.try_recv()
            {
                group.push(job);
            }
            group
        };
        if connected.as_ref().is_none_or(|core| core.rows.sql.is_broken()) {
            if connected.take().is_some() {
                shared.connected.update(|count| count - 1);
            }
            match shared.core().await {
                Ok(core) => {
                    connected = Some(core);
                    shared.connected.update(|count| count + 1);
                }
                Err(error) => {
                    tracing::error!(%error, "the database can't be reached");
                    group.into_iter().for_each(|job| job.answer(Some(error.clone())));
                    // What waits behind would wait for nothing, unless another of us is connected. Whoever holds the
                    // queue finds it empty.
                    if shared.connected.get() == 0
                        && let Ok(mut queue) = queue.try_lock()
                    {
                        while let Ok(job) = queue.try_recv() {
                            job.answer(Some(error.clone()));
                        }
                    }
                    pause(&*shared.clock).await;
                    continue;
                }
            }
        }
        let Some(core) = connected.as_mut() else { continue };
        core.adopt(&shared.published);
        let mut stirred = Stirred::default();
        let failures = commit(core, &mut group, &*shared.clock, &mut stirred).await;
        core.publish_newer(&shared.published);
        shared.wake(stirred);
        for (job, failed) in group.into_iter().zip(failures) {
            job.answer(failed);
        }
    }
}

/// Waits a little, by chance, so that nodes do not come back all at once.
async fn pause(clock: &dyn Clock) {
    let millis = i64::try_from(chance() % PAUSE_MILLIS).unwrap_or_default();
    crate::clock::sleep_until(clock, clock.now() + SignedDuration::from_millis(millis)).await;
}

/// Runs a group in one transaction; if that fails, each by itself. Says for each job why it failed, if it did.
async fn commit(
    core: &mut Core,
    group: &mut [Box<dyn Job>],
    clock: &dyn Clock,
    stirred: &mut Stirred,
) -> Vec<Option<StoreError>> {
    if group.len() > 1 {
        match transact(core, group, clock, stirred).await {
            Ok(()) => return vec![None; group.len()],
            // Nobody knows what became of it: run again, it might be done twice.
            Err(error) if core.rows.sql.is_broken() => return vec![Some(error); group.len()],
            Err(_) => {}
        }
    }
    let mut failures = Vec::with_capacity(group.len());
    for job in group.chunks_mut(1) {
        let mut runs = 1;
        failures.push(loop {
            if core.rows.sql.is_broken() {
                break Some(StoreError::Unavailable("the connection to the database was lost".to_owned()));
            }
            match transact(core, job, clock, stirred).await {
                Ok(()) => break None,
                Err(StoreError::Conflict) if runs < MOST_RUNS => runs += 1,
                Err(error) => {
                    tracing::error!(%error, "a job of the store failed");
                    break Some(error);
                }
            }
        });
    }
    failures
}

/// By what the event of a job is known.
fn sender(job: &dyn Job) -> Option<(&str, &str)> {
    let trigger = &job.event()?.trigger;
    Some((&trigger.integration, &trigger.dedup_key))
}

async fn transact(
    core: &mut Core,
    group: &mut [Box<dyn Job>],
    clock: &dyn Clock,
    stirred: &mut Stirred,
) -> Result<(), StoreError> {
    let asked_at = clock.now();
    let work = async {
        core.begin().await?;
        // A clock that was set just now must fire nothing too early. That an answer took long makes no clock wrong.
        if let Some(there) = core.told_at() {
            let (ahead, behind) = (there.duration_since(clock.now()), asked_at.duration_since(there));
            if ahead > MOST_APART {
                clock.correct(ahead);
            } else if behind > MOST_APART {
                clock.correct(-behind);
            }
        }
        let now = clock.now();
        let (mut events, others): (Vec<_>, Vec<_>) = group.iter_mut().partition(|job| job.event().is_some());
        // Always in the same order: who waits for somebody else's key or alert is not waited for in turn.
        events.sort_by(|one, other| sender(&***one).cmp(&sender(&***other)));
        if events.len() > 1 {
            let incoming: Vec<_> = events.iter().filter_map(|job| job.event()).collect();
            let outcome = AssertUnwindSafe(core.record_all(now, &incoming)).catch_unwind().await;
            let recorded = outcome.unwrap_or_else(|panic| Err(StoreError::of_panic(&*panic)))?;
            events.iter_mut().zip(recorded).for_each(|(job, recorded)| job.recorded(recorded));
            events.clear();
        }
        for job in events.into_iter().chain(others) {
            job.run(core, now).await?;
        }
        core.commit().await
    };
    let done = work.await;
    match &done {
        Ok(()) => stirred.join(core.take_stirred()),
        Err(_) => core.rollback().await,
    }
    done
}

/// One connection that reads, and the next after it if it breaks.
async fn read(shared: Rc<Shared>, asked: Rc<tokio::sync::Mutex<mpsc::Receiver<Box<dyn Question>>>>) {
    let mut connected: Option<PgSql> = None;
    loop {
        let Some(question) = asked.lock().await.recv().await else { return };
        if connected.as_ref().is_none_or(PgSql::is_broken) {
            connected = None;
            match PgSql::connect(&shared.config, &shared.tls).await {
                Ok(sql) => connected = Some(sql),
                Err(error) => {
                    question.answer(Err(error)).await;
                    pause(&*shared.clock).await;
                    continue;
                }
            }
        }
        let Some(sql) = connected.as_mut() else { continue };
        match sql.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await {
            Ok(()) => {
                question.answer(Ok(sql)).await;
                if sql.batch("ROLLBACK").await.is_err() {
                    connected = None;
                }
            }
            Err(error) => question.answer(Err(error)).await,
        }
    }
}

/// Runs a transaction on a connection of its own, so that what other nodes have defined is known here and they know that
/// this one lives; and sets the clock.
async fn refresh(shared: &Shared, connected: &RefCell<Option<Core>>) -> Result<(), StoreError> {
    let mut core = match connected.take() {
        Some(core) if !core.rows.sql.is_broken() => core,
        _ => shared.core().await?,
    };
    core.adopt(&shared.published);
    core.begin().await?;
    core.commit().await?;
    core.publish_newer(&shared.published);
    node::set_clock(&*shared.clock, &mut core.rows.sql).await?;
    shared.node.show(&mut core.rows.sql, &*shared.clock).await?;
    connected.replace(Some(core));
    Ok(())
}
