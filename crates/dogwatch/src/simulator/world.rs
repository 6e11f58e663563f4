//! The world of a run: one heap of what happens when, on a clock that leaps from one to the next.
//!
//! Read next: `world/outside.rs` for what comes in, `world/nodes.rs` for who works on it, `world/promised.rs` for when the
//! promises are looked at.

mod messages;
mod nodes;
mod outside;
mod promised;
mod tasks;

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::rc::Rc;

use escalation::delivery::Delivery;
use escalation::id::AlertId;
use jiff::{SignedDuration, Timestamp};

use super::company;
use super::dice::Dice;
use super::house::House;
use super::node::{Node, Task};
use super::options::Options;
use super::points::{Gate, Touched};
use super::promises::{Deadline, Ledger, Violation};
use super::report::Report;
use super::script::Line;
use crate::store::Incoming;

/// A node that has been silent for so long has its transactions ended.
const CUT_AFTER: SignedDuration = SignedDuration::from_secs(2);
/// The engine looks so often, whatever it is told: as in production.
const POLL: SignedDuration = SignedDuration::from_secs(1);
/// How long everything may take to come to rest when all is well again.
const CALM: SignedDuration = SignedDuration::from_mins(10);
/// A sender that has no answer sends again after so long.
const REPEATED_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// The most connections of a node.
const CONNECTIONS: usize = 6;

/// What happens at a time.
#[derive(Debug)]
enum Event {
    Script(usize),
    Start {
        node: usize,
        epoch: u32,
    },
    Look {
        node: usize,
        epoch: u32,
        is_engine: bool,
    },
    Thaw {
        node: usize,
        epoch: u32,
    },
    Cut {
        node: usize,
        epoch: u32,
        connections: Vec<u64>,
    },
    Ask(Task),
    /// The reports that have come in are given to a node.
    Report,
    /// Whoever made a request and has no answer makes it again.
    Repeat {
        request: String,
        incoming: Box<Incoming>,
    },
    Arrive {
        delivery: Delivery,
    },
    Outcome {
        node: usize,
        epoch: u32,
        task: Task,
    },
    Deadline(Deadline),
    /// The poll has had its chance meanwhile.
    LastDeadline(Deadline),
    TroubleEnds,
    Heal,
    End,
}

/// When something happens: the time, the tie as the dice fell, and a number of its own.
type When = (Timestamp, u64, u64);

/// A job of a node that goes on by one point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    node: usize,
    epoch: u32,
    job: u64,
}

/// A provider that is out.
#[derive(Clone, Copy, Debug)]
struct Outage {
    until: Timestamp,
    how: u8,
}

/// A run.
pub(super) struct World<'a, H: House> {
    options: &'a Options,
    script: &'a [Line],
    house: H,
    gate: Rc<RefCell<Gate>>,
    nodes: Vec<Node<H::Rows>>,
    now: Timestamp,
    /// What the store's clock shows besides.
    offset: SignedDuration,
    heap: BinaryHeap<Reverse<When>>,
    events: HashMap<u64, Event>,
    /// The jobs that go on at a time. There are millions of these turns, and a handful at a time: what is far off would
    /// make each of them slow.
    turns: BinaryHeap<Reverse<(When, Turn)>>,
    last_event: u64,
    last_job: u64,
    last_request: u64,
    dice: Dice,
    outages: BTreeMap<String, Outage>,
    /// When all places of a provider were taken last.
    full_at: BTreeMap<String, Timestamp>,
    /// Reports that have come in, and are given to a node together.
    reports: Vec<(String, Box<Incoming>)>,
    is_in_trouble: bool,
    /// Since when nothing of the house stands still or fails.
    healthy_since: Option<Timestamp>,
    /// No more faults: everything has to come to its end.
    is_healed: bool,
    ledger: Ledger,
    /// The newest alert of each team's problem.
    newest: BTreeMap<(u8, u16), AlertId>,
    reacted: BTreeSet<(String, AlertId, u32)>,
    pub(super) report: Report,
    is_over: bool,
}

impl<'a, H: House> World<'a, H> {
    /// A world before its first moment.
    pub(super) fn new(options: &'a Options, script: &'a [Line], house: H, tells: bool) -> Self {
        let start = company::START.parse().unwrap_or(Timestamp::UNIX_EPOCH);
        let gate = Gate {
            dice: Dice::of(options.seed, "gate", 0),
            errors: 0,
            lost_commits: 0,
            interleaves: options.nodes > 1 || options.faults.crashes > 0 || options.faults.freezes > 0,
            committed: Touched::new(),
            failed: 0,
            lost: 0,
        };
        let mut world = Self {
            options,
            script,
            house,
            gate: Rc::new(RefCell::new(gate)),
            nodes: (0..options.nodes).map(|_| Node::new()).collect(),
            now: start,
            offset: SignedDuration::ZERO,
            heap: BinaryHeap::new(),
            events: HashMap::new(),
            turns: BinaryHeap::new(),
            last_event: 0,
            last_job: 0,
            last_request: 0,
            dice: Dice::of(options.seed, "world", 0),
            outages: BTreeMap::new(),
            full_at: BTreeMap::new(),
            reports: Vec::new(),
            is_in_trouble: false,
            healthy_since: None,
            is_healed: false,
            ledger: Ledger::default(),
            newest: BTreeMap::new(),
            reacted: BTreeSet::new(),
            report: Report::new(tells),
            is_over: false,
        };
        for node in 0..world.nodes.len() {
            world.after(SignedDuration::ZERO, Event::Start { node, epoch: 0 });
        }
        world.after(
            SignedDuration::from_millis(1),
            Event::Ask(Task::Define { edits: company::found(options) }),
        );
        for (place, line) in script.iter().enumerate() {
            world.after(SignedDuration::from_mins(1) + line.at, Event::Script(place));
        }
        let end = SignedDuration::from_hours(24 * i64::from(options.days)) + SignedDuration::from_mins(1);
        world.after(end, Event::Heal);
        world.after(end + CALM, Event::End);
        world
    }

    /// Runs to the end, or to the first promise that is broken.
    pub(super) fn run(mut self) -> Report {
        while !self.is_over {
            let Some(found) = self.next() else { break };
            if let Err((promise, seen)) = found {
                self.report.say(self.now, || format!("promise {promise} is broken: {seen}"));
                self.report.violation = Some(Violation { promise, at: self.now, seen });
                break;
            }
        }
        let gate = self.gate.borrow();
        self.report.count("calls of the store that failed", gate.failed);
        self.report.count("commits that nobody heard of", gate.lost);
        drop(gate);
        self.report.simulated = self.now.duration_since(company::START.parse().unwrap_or(self.now));
        self.report
    }

    /// What happens next happens. None: nothing will.
    fn next(&mut self) -> Option<Found> {
        let event = self.heap.peek().map(|Reverse(when)| *when);
        let turn = self.turns.peek().map(|Reverse((when, turn))| (*when, *turn));
        if let Some((when, turn)) = turn
            && event.is_none_or(|event| when < event)
        {
            self.turns.pop();
            self.now = when.0;
            return Some(self.poll(turn));
        }
        let (at, _, id) = event?;
        self.heap.pop();
        self.now = at;
        Some(self.events.remove(&id).map_or(Ok(()), |event| self.happen(event)))
    }

    /// When the next thing happens.
    fn next_at(&self) -> Option<Timestamp> {
        let event = self.heap.peek().map(|Reverse(when)| when.0);
        let turn = self.turns.peek().map(|Reverse((when, _))| when.0);
        event.into_iter().chain(turn).min()
    }

    /// What the store's clock shows.
    fn clock(&self) -> Timestamp {
        self.now + self.offset
    }

    /// When the store's clock will show a time, if it is not set.
    fn without_offset(&self, at: Timestamp) -> Timestamp {
        // What is far away is looked at again before it comes.
        let soon = self.clock() + SignedDuration::from_hours(24 * 7);
        at.clamp(self.clock(), soon) - self.offset
    }

    fn after(&mut self, wait: SignedDuration, event: Event) {
        let when = self.when(wait);
        self.heap.push(Reverse(when));
        self.events.insert(when.2, event);
    }

    /// A job goes on after a time.
    fn turn_after(&mut self, wait: SignedDuration, turn: Turn) {
        let when = self.when(wait);
        self.turns.push(Reverse((when, turn)));
    }

    fn when(&mut self, wait: SignedDuration) -> When {
        self.last_event += 1;
        let tie = self.dice.below(1 << 16);
        (self.now + wait.max(SignedDuration::ZERO), tie, self.last_event)
    }

    fn happen(&mut self, event: Event) -> Found {
        match event {
            Event::Script(place) => {
                if let Some(line) = self.script.get(place).filter(|_| !self.is_healed) {
                    self.stimulate(line.stimulus);
                }
                Ok(())
            }
            Event::Start { node, epoch } => {
                self.start(node, epoch);
                Ok(())
            }
            Event::Look { node, epoch, is_engine } => {
                self.look(node, epoch, is_engine);
                Ok(())
            }
            Event::Thaw { node, epoch } => {
                self.thaw(node, epoch);
                Ok(())
            }
            Event::Cut { node, epoch, connections } => {
                if self.nodes[node].epoch == epoch {
                    connections.iter().for_each(|connection| self.house.cut(*connection));
                    self.touch_health();
                }
                Ok(())
            }
            Event::Ask(task) => {
                self.ask(task);
                Ok(())
            }
            Event::Report => {
                let reports = std::mem::take(&mut self.reports);
                self.ask(Task::Record { reports });
                Ok(())
            }
            Event::Repeat { request, incoming } => {
                self.repeat(request, incoming);
                Ok(())
            }
            Event::Arrive { delivery } => {
                self.arrive(&delivery);
                Ok(())
            }
            Event::Outcome { node, epoch, task } => {
                self.outcome(node, epoch, task);
                Ok(())
            }
            Event::Deadline(deadline) => self.look_back(deadline, false),
            Event::LastDeadline(deadline) => self.look_back(deadline, true),
            Event::TroubleEnds => {
                self.trouble_ends();
                Ok(())
            }
            Event::Heal => {
                self.heal();
                Ok(())
            }
            Event::End => self.end(),
        }
    }
}

type Found = Result<(), (u8, String)>;
