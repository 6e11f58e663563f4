//! A node among others: whether it was alone when it came, what it tells them, and what it hears.
//!
//! Nodes share the database's time: by it they decide when something is due, and how long a claim is good. Each sets its
//! clock by it again and again, so that a machine whose own clock is wrong pages nobody too early or too late.
//!
//! Nodes hear of each other's commits by NOTIFY, on a connection of its own that says nothing else. What is heard only
//! wakes those who look; whoever hears nothing looks all the same, every few seconds.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::cluster::time;
use super::connecting::connect;
use super::connection::{DEADLINE, PgSql, late};
use super::{Shared, refresh};
use crate::clock::{Clock, Stopwatch, secret, sleep_until};
use crate::store::core::Stirred;
use crate::store::nodes;
use crate::store::sql::{Sql, node as rows, values};
use crate::store::{Signals, StoreError};

/// What every node locks, shared, as long as it lives: any number that nobody else uses.
const LOCK: i64 = 0x646f_675f_6e6f_6465;
/// How long commits are gathered before others are told of them.
const GATHERED: SignedDuration = SignedDuration::from_millis(20);
/// How often a node looks although it has heard nothing.
const LOOKS_EVERY: SignedDuration = SignedDuration::from_secs(2);
/// How often a node says that it lives.
const SHOWN_EVERY: SignedDuration = SignedDuration::from_secs(5);
/// One that has said nothing for so long is not there.
const SILENT: SignedDuration = SignedDuration::from_secs(20);
/// How long a node that is starting is waited for, which has locked all others out.
const START: std::time::Duration = std::time::Duration::from_secs(30);
/// For how long others remember a node that says nothing any more.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);
/// How far the clock of this machine and that of the database may be apart before somebody is told.
const MOST_APART: SignedDuration = SignedDuration::from_secs(1);
/// What is asked for the time and takes longer to answer says nothing about the time.
const QUICK_SECONDS: f64 = 0.5;
/// The clock is left as it is where it is off by less than what can be measured, and this.
const NOISE_SECONDS: f64 = 0.005;

/// This node.
pub(super) struct Node {
    /// Tells its own voice from others'.
    name: String,
    client: RefCell<Option<Rc<Client>>>,
    /// What is still to be told.
    untold: Rc<Cell<Stirred>>,
    has_news: Rc<Notify>,
    /// What others have told.
    heard: Rc<Notify>,
    signals: Arc<Signals>,
    machine: String,
    started_at: Timestamp,
    shown_at: Cell<Option<Timestamp>>,
}

/// Sets the clock by the time of the database, if that was told at once.
pub(super) async fn set_clock(clock: &dyn Clock, sql: &mut PgSql) -> Result<(), StoreError> {
    let (asked_at, watch) = (clock.now(), Stopwatch::start());
    let there = time(sql).await?;
    let took = watch.seconds();
    if took > QUICK_SECONDS {
        return Ok(());
    }
    // It was told somewhere in between.
    let by = there.duration_since(asked_at) - SignedDuration::from_secs_f64(took / 2.0);
    if by.as_secs_f64().abs() > took / 2.0 + NOISE_SECONDS {
        clock.correct(by);
    }
    Ok(())
}

/// Says it where the clock of this machine is wrong.
pub(super) fn warn_of_clock(clock: &dyn Clock) {
    if clock.corrected().abs() > MOST_APART {
        tracing::warn!(
            seconds = clock.corrected().as_secs(),
            "the database's time is ahead of this machine's by so much; Dogwatch goes by the database's, as all nodes do"
        );
    }
}

/// Whether other nodes have said lately that they live.
pub(super) async fn has_others(sql: &mut PgSql) -> Result<bool, StoreError> {
    let now = time(sql).await?;
    Ok(rows::all(sql).await?.iter().any(|node| node.seen_at + SILENT > now))
}

/// Keeps nodes from starting over the database for as long as this connection lives. Whether there were none.
pub(super) async fn keep_out(sql: &mut PgSql) -> Result<bool, StoreError> {
    let locked: i64 = sql.value("SELECT pg_try_advisory_lock(?1)::int::bigint", values![LOCK]).await?;
    Ok(locked == 1)
}

/// This node stops: others need not wonder where it is.
pub(super) async fn leave(shared: &Shared) {
    let gone = async {
        let mut sql = PgSql::connect(&shared.config, &shared.tls).await?;
        sql.begin().await?;
        rows::forget(&mut sql, &shared.node.name).await?;
        sql.commit().await
    };
    if !matches!(tokio::time::timeout(DEADLINE, gone).await, Ok(Ok(()))) {
        tracing::debug!("other nodes are not told that this one stops; they will see it");
    }
}

impl Node {
    /// Joins the others. Says whether there were none; then they are kept out until [`Node::let_others_in`].
    pub(super) async fn join(
        config: &Config,
        tls: &MakeRustlsConnect,
        signals: Arc<Signals>,
        now: Timestamp,
    ) -> anyhow::Result<(Self, bool)> {
        let node = Self {
            name: secret::<8>().iter().map(|byte| format!("{byte:02x}")).collect(),
            client: RefCell::new(None),
            untold: Rc::default(),
            has_news: Rc::default(),
            heard: Rc::default(),
            signals,
            machine: machine(),
            started_at: now,
            shown_at: Cell::new(None),
        };
        let client = node.connect(config, tls).await?;
        client.batch_execute("SET lock_timeout = 0").await?;
        let was_alone: bool = client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK]).await?.get(0);
        if !was_alone {
            // Waits for one that came first and is not ready yet.
            let locked = client.execute("SELECT pg_advisory_lock_shared($1)", &[&LOCK]);
            let locked = tokio::time::timeout(START, locked).await;
            locked
                .map_err(|_| anyhow::anyhow!("another node has been starting for {} s", START.as_secs()))??;
        }
        node.client.replace(Some(Rc::new(client)));
        Ok((node, was_alone))
    }

    /// This node, which was alone, is ready.
    pub(super) async fn let_others_in(&self, was_alone: bool) -> Result<(), StoreError> {
        let client = self.client.borrow().clone();
        if let Some(client) = client.filter(|_| was_alone) {
            client.execute("SELECT pg_advisory_lock_shared($1)", &[&LOCK]).await?;
            client.execute("SELECT pg_advisory_unlock($1)", &[&LOCK]).await?;
        }
        Ok(())
    }

    /// Says that this node lives, every few seconds.
    pub(super) async fn show(&self, sql: &mut PgSql, clock: &dyn Clock) -> Result<(), StoreError> {
        let now = clock.now();
        // A clock that was set back does not keep it silent.
        let is_fresh = |at: Timestamp| at <= now && now < at + SHOWN_EVERY;
        if self.shown_at.get().is_some_and(is_fresh) {
            return Ok(());
        }
        let row = nodes::Node {
            name: self.name.clone(),
            machine: self.machine.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at,
            seen_at: now,
            ahead: clock.corrected(),
        };
        sql.begin().await?;
        rows::put(sql, &row).await?;
        rows::forget_former(sql, &row, now - SILENT).await?;
        rows::forget_older(sql, now - REMEMBERED).await?;
        sql.commit().await?;
        self.shown_at.set(Some(now));
        Ok(())
    }

    /// Begins to listen.
    async fn connect(&self, config: &Config, tls: &MakeRustlsConnect) -> Result<Client, StoreError> {
        let (name, heard, signals) = (self.name.clone(), self.heard.clone(), self.signals.clone());
        let client = connect(config, tls, move |message| {
            let AsyncMessage::Notification(told) = message else { return };
            let Some((from, what)) = told.payload().split_once(' ') else { return };
            if from != name {
                signals.wake(read(what));
                heard.notify_one();
            }
        })
        .await?;
        let listens = tokio::time::timeout(DEADLINE, client.batch_execute("LISTEN dogwatch")).await;
        listens.map_err(|_| late("a statement", DEADLINE))??;
        Ok(client)
    }

    /// Whether there is no connection by which others are heard.
    fn is_deaf(&self) -> bool {
        self.client.borrow().as_ref().is_none_or(|client| client.is_closed())
    }

    /// Others are to be told of a commit.
    pub(super) fn tell(&self, stirred: Stirred) {
        let mut untold = self.untold.get();
        untold.join(stirred);
        self.untold.set(untold);
        self.has_news.notify_one();
    }
}

/// The name of this machine.
fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::env::var("HOSTNAME"));
    name.map_or_else(|_| "a machine without a name".to_owned(), |name| name.trim().to_owned())
}

/// What a commit stirred up, as it is told.
fn words(stirred: Stirred) -> String {
    let letters = [(stirred.wakes, 'w'), (stirred.deliveries, 'd'), (stirred.seen, 's')];
    letters.into_iter().filter(|(is_so, _)| *is_so).map(|(_, letter)| letter).collect()
}

fn read(what: &str) -> Stirred {
    Stirred { wakes: what.contains('w'), deliveries: what.contains('d'), seen: what.contains('s') }
}

/// Tells and listens, until the node stops.
pub(super) async fn follow(shared: Rc<Shared>) {
    tokio::task::spawn_local(talk(shared.clone()));
    let core = RefCell::new(None);
    loop {
        let clock = &*shared.clock;
        let next = clock.now() + LOOKS_EVERY;
        let was_heard = tokio::select! {
            () = shared.node.heard.notified() => true,
            () = sleep_until(clock, next) => false,
        };
        if shared.node.is_deaf()
            && let Err(error) = rejoin(&shared).await
        {
            tracing::warn!(%error, "other nodes can't be heard");
        }
        if let Err(error) = refresh(&shared, &core).await {
            tracing::debug!(%error, "what other nodes have changed is not known yet");
        }
        if !was_heard {
            shared.signals.wake(Stirred { wakes: true, deliveries: true, seen: false });
        }
    }
}

async fn talk(shared: Rc<Shared>) {
    let node = &shared.node;
    loop {
        node.has_news.notified().await;
        sleep_until(&*shared.clock, shared.clock.now() + GATHERED).await;
        let words = words(node.untold.replace(Stirred::default()));
        if words.is_empty() {
            continue;
        }
        let known = node.client.borrow().clone().filter(|client| !client.is_closed());
        let client = match known {
            Some(client) => client,
            None => match rejoin(&shared).await {
                Ok(client) => client,
                Err(error) => {
                    tracing::warn!(%error, "other nodes can't be told");
                    continue;
                }
            },
        };
        let words = format!("{} {words}", node.name);
        let told = async { client.execute("SELECT pg_notify('dogwatch', $1)", &[&words]).await };
        if !matches!(tokio::time::timeout(DEADLINE, told).await, Ok(Ok(_))) {
            node.client.replace(None);
        }
    }
}

async fn rejoin(shared: &Shared) -> Result<Rc<Client>, StoreError> {
    let client = shared.node.connect(&shared.config, &shared.tls).await?;
    // One that is starting alone is soon through; until then this node hears nothing, and looks.
    let joined = async {
        client.batch_execute("SET lock_timeout = 0").await?;
        client.execute("SELECT pg_advisory_lock_shared($1)", &[&LOCK]).await
    };
    tokio::time::timeout(DEADLINE, joined).await.map_err(|_| late("the lock of the nodes", DEADLINE))??;
    let client = Rc::new(client);
    shared.node.client.replace(Some(client.clone()));
    Ok(client)
}
