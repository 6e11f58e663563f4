//! A node among others: whether it was alone when it came, what it tells them, and what it hears.
//!
//! Nodes hear of each other's commits by NOTIFY, on a connection of its own that says nothing else. What is heard only
//! wakes those who look; whoever hears nothing looks all the same, every few seconds.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use jiff::SignedDuration;
use tokio::sync::Notify;
use tokio_postgres::{AsyncMessage, Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connection::{DEADLINE, connect};
use super::{Shared, refresh};
use crate::clock::{secret, sleep_until};
use crate::store::core::Stirred;
use crate::store::{Signals, StoreError};

/// What every node locks, shared, as long as it lives: any number that nobody else uses.
const LOCK: i64 = 0x646f_675f_6e6f_6465;
/// How long commits are gathered before others are told of them.
const GATHERED: SignedDuration = SignedDuration::from_millis(20);
/// How often a node looks although it has heard nothing.
const LOOKS_EVERY: SignedDuration = SignedDuration::from_secs(2);

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
}

impl Node {
    /// Joins the others. Says whether there were none; then they are kept out until [`Node::let_others_in`].
    pub(super) async fn join(
        config: &Config,
        tls: &MakeRustlsConnect,
        signals: Arc<Signals>,
    ) -> anyhow::Result<(Self, bool)> {
        let node = Self {
            name: secret::<8>().iter().map(|byte| format!("{byte:02x}")).collect(),
            client: RefCell::new(None),
            untold: Rc::default(),
            has_news: Rc::default(),
            heard: Rc::default(),
            signals,
        };
        let client = node.connect(config, tls).await?;
        client.batch_execute("SET lock_timeout = 0").await?;
        let was_alone: bool = client.query_one("SELECT pg_try_advisory_lock($1)", &[&LOCK]).await?.get(0);
        if !was_alone {
            // Waits for one that came first and is not ready yet.
            client.execute("SELECT pg_advisory_lock_shared($1)", &[&LOCK]).await?;
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
        client.batch_execute("LISTEN dogwatch").await?;
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
    client.batch_execute("SET lock_timeout = 0").await?;
    client.execute("SELECT pg_advisory_lock_shared($1)", &[&LOCK]).await?;
    let client = Rc::new(client);
    shared.node.client.replace(Some(client.clone()));
    Ok(client)
}
