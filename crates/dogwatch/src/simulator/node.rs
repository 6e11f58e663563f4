//! A node of the run: what it has under way, and the verbs as it runs them, each in a transaction of its own.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::pin::Pin;

use escalation::delivery::{Outcome, places};
use escalation::event::Input;
use escalation::id::DeliveryId;
use escalation::receipt::Receipt;
use jiff::{SignedDuration, Timestamp};

use super::points::Points;
use crate::store::core::{Core, Stirred};
use crate::store::rows::Rows;
use crate::store::{
    Acted, Advanced, AlertRef, Capacity, Claims, Defining, Edit, Idempotency, Incoming, Recorded, StoreError,
};

/// Wakes, and claims, in one transaction: as in production.
const BATCH: usize = 256;
/// A message of a provider that confirms has not arrived if it did not confirm it for so long.
pub(super) const CONFIRMED_WITHIN: SignedDuration = SignedDuration::from_mins(2);
/// How often a verb is run again that was in the way of another node.
const TRIES: u32 = 50;

/// Something that a node does.
#[derive(Clone, Debug)]
pub(super) enum Task {
    /// It ends the claims of the process before it; where it has the database alone.
    Recover,
    /// The engine's turn.
    Advance,
    /// The dispatcher's turn, with how many sends are under way for each provider.
    Claim { busy: HashMap<String, usize> },
    /// It stores an outcome, of a message that was sent through a provider.
    Settle { id: DeliveryId, token: u8, provider: String, outcome: Outcome, tries: u32, awaits: bool },
    /// A provider says what became of a message that it took.
    Receive { id: DeliveryId, attempt: u8, receipt: Receipt },
    /// It takes reports, each with the name of its request, in one transaction.
    Record { reports: Vec<(String, Box<Incoming>)> },
    /// Somebody does something.
    Act { alert: AlertRef, input: Box<Input> },
    /// Somebody edits.
    Define { edits: Vec<Edit> },
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Done {
    Recovered,
    Advanced(Advanced),
    Claimed(Claims),
    Settled,
    Received,
    Recorded(Vec<Recorded>),
    Acted(Option<Box<Acted>>),
    Defined(Defining),
}

/// A task that has ended, with the connection that it ran on.
pub(super) struct Ended<R> {
    pub(super) core: Option<Core<Points<R>>>,
    pub(super) connection: u64,
    /// None: the node has opened the store.
    pub(super) task: Option<Task>,
    pub(super) result: Result<Option<Done>, StoreError>,
    pub(super) stirred: Stirred,
}

/// A task under way.
pub(super) struct Job<R> {
    pub(super) future: Pin<Box<dyn Future<Output = Ended<R>>>>,
    pub(super) connection: u64,
}

/// One of the engine's two loops.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Loop {
    /// When it looks next.
    pub(super) planned: Option<Timestamp>,
    /// It is at it.
    pub(super) is_running: bool,
    /// It has to look again when it is done.
    pub(super) again: bool,
}

/// A node.
pub(super) struct Node<R> {
    /// Counts its starts: what was meant for an earlier one is not for this.
    pub(super) epoch: u32,
    pub(super) is_up: bool,
    pub(super) is_open: bool,
    pub(super) frozen_until: Option<Timestamp>,
    /// It dies after so many points.
    pub(super) dies_in: Option<(u8, u32)>,
    pub(super) idle: Vec<(Core<Points<R>>, u64)>,
    pub(super) jobs: BTreeMap<u64, Job<R>>,
    /// Tasks that wait for a connection.
    pub(super) queue: VecDeque<Task>,
    pub(super) engine: Loop,
    pub(super) dispatcher: Loop,
    /// Sends under way by provider.
    pub(super) busy: HashMap<String, usize>,
}

impl<R> Node<R> {
    pub(super) fn new() -> Self {
        Self {
            epoch: 0,
            is_up: false,
            is_open: false,
            frozen_until: None,
            dies_in: None,
            idle: Vec::new(),
            jobs: BTreeMap::new(),
            queue: VecDeque::new(),
            engine: Loop::default(),
            dispatcher: Loop::default(),
            busy: HashMap::new(),
        }
    }

    /// It can take a request.
    pub(super) fn is_there(&self) -> bool {
        self.is_up && self.is_open && self.frozen_until.is_none()
    }

    pub(super) fn loop_of(&mut self, task: &Task) -> Option<&mut Loop> {
        match task {
            Task::Advance => Some(&mut self.engine),
            Task::Claim { .. } => Some(&mut self.dispatcher),
            _ => None,
        }
    }
}

/// Runs a task in a transaction of its own; again, if another node was faster.
pub(super) async fn run<R: Rows>(
    mut core: Core<Points<R>>,
    connection: u64,
    task: Task,
    now: Timestamp,
) -> Ended<R> {
    let mut tries = 0;
    loop {
        let result = attempt(&mut core, &task, now).await;
        if result.is_err() {
            core.rollback().await;
        }
        tries += 1;
        if matches!(result, Err(StoreError::Conflict)) && tries < TRIES {
            continue;
        }
        let stirred = if result.is_ok() { core.take_stirred() } else { Stirred::default() };
        return Ended { core: Some(core), connection, task: Some(task), result: result.map(Some), stirred };
    }
}

async fn attempt<R: Rows>(
    core: &mut Core<Points<R>>,
    task: &Task,
    now: Timestamp,
) -> Result<Done, StoreError> {
    core.begin().await?;
    let done = match task {
        Task::Recover => {
            core.recover(now).await?;
            Done::Recovered
        }
        Task::Advance => Done::Advanced(core.advance(now, BATCH).await?),
        Task::Claim { busy } => {
            let capacity = Capacity { busy: busy.clone(), limit: places, most: BATCH };
            Done::Claimed(core.claim(now, &capacity).await?)
        }
        Task::Settle { id, token, outcome, awaits, .. } => {
            if *awaits && matches!(outcome, Outcome::Accepted { .. }) {
                core.settle_awaiting(now, *id, *token, outcome, CONFIRMED_WITHIN).await?;
            } else {
                core.settle(now, *id, *token, outcome).await?;
            }
            Done::Settled
        }
        Task::Receive { id, attempt, receipt } => {
            core.receipt(now, *id, *attempt, *receipt, receipt.word()).await?;
            Done::Received
        }
        Task::Record { reports } => {
            let all: Vec<&Incoming> = reports.iter().map(|(_, incoming)| &**incoming).collect();
            Done::Recorded(core.record_all(now, &all).await?)
        }
        Task::Act { alert, input } => Done::Acted(core.act(now, *alert, input).await?.map(Box::new)),
        Task::Define { edits } => Done::Defined(core.define_all(now, edits).await?),
    };
    core.commit().await?;
    Ok(done)
}

/// The key under which a request may be repeated.
pub(super) fn key(request: &str) -> Idempotency {
    Idempotency { key: request.to_owned(), request: [0; 32] }
}
