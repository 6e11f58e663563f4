//! The world of a run: one heap of what happens when, on a clock that leaps from one to the next.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use escalation::alert::{Audience, Status, Verdict};
use escalation::delivery::{Delivery, Outcome, SEND_DEADLINE, State as DeliveryState};
use escalation::directory::Service;
use escalation::effect::EntryKind;
use escalation::event::{Actor, Input, Severity, Trigger, Urgency, Via};
use escalation::id::{AlertId, DeliveryId};
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};

use super::company;
use super::dice::Dice;
use super::house::House;
use super::node::{self, Done, Ended, Job, Node, Task};
use super::options::Options;
use super::people::{self, Reaction};
use super::points::{Gate, Points, Touched};
use super::promises::{ASKED_WITHIN, AT_ONCE, Deadline, Ledger, Violation};
use super::report::Report;
use super::script::{Line, Stimulus};
use crate::store::core::{Core, Stirred};
use crate::store::{AlertRef, Claim, Defining, Incoming, Recorded, StoreError};

/// A node that has been silent for so long has its transactions ended.
const CUT_AFTER: SignedDuration = SignedDuration::from_secs(2);
/// The engine looks so often, whatever it is told: as in production.
const POLL: SignedDuration = SignedDuration::from_secs(1);
/// How long everything may take to come to rest when all is well again.
const CALM: SignedDuration = SignedDuration::from_mins(10);
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
    Poll {
        node: usize,
        epoch: u32,
        job: u64,
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
    heap: BinaryHeap<Reverse<(Timestamp, u64, u64)>>,
    events: BTreeMap<u64, Event>,
    last_event: u64,
    last_job: u64,
    last_request: u64,
    dice: Dice,
    outages: BTreeMap<String, Outage>,
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
            events: BTreeMap::new(),
            last_event: 0,
            last_job: 0,
            last_request: 0,
            dice: Dice::of(options.seed, "world", 0),
            outages: BTreeMap::new(),
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
            let Some(Reverse((at, _, id))) = self.heap.pop() else { break };
            let Some(event) = self.events.remove(&id) else { continue };
            self.now = at;
            if let Err((promise, seen)) = self.happen(event) {
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
        self.last_event += 1;
        let tie = self.dice.below(1 << 16);
        self.heap.push(Reverse((self.now + wait.max(SignedDuration::ZERO), tie, self.last_event)));
        self.events.insert(self.last_event, event);
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
            Event::Poll { node, epoch, job } => self.poll(node, epoch, job),
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

    // ---- what comes from outside ----

    fn stimulate(&mut self, stimulus: Stimulus) {
        self.report.say(self.now, || stimulus.to_string());
        match stimulus {
            Stimulus::Report { key, team, severity } => {
                self.report.count("reports", 1);
                let severity = *Severity::ALL.get(usize::from(severity)).unwrap_or(&Severity::Critical);
                let Ok(name) = Name::new(&company::team(team)) else { return };
                let trigger = Trigger {
                    audience: Audience::Team(name),
                    integration: format!("i{team}"),
                    dedup_key: format!("k{key}"),
                    summary: format!("problem {key}"),
                    details: String::new(),
                    severity,
                    route: escalation::event::Route::default(),
                    links: Vec::new(),
                    by: Actor { person: None, label: "monitor".to_owned(), via: Via::Api },
                };
                self.last_request += 1;
                let request = format!("r{}", self.last_request);
                let idempotency = Some(node::key(&request));
                let incoming = Box::new(Incoming { trigger, idempotency });
                self.ask(Task::Record { request, incoming });
            }
            Stimulus::Gone { key, team } => {
                if let Some(alert) = self.newest.get(&(team, key)) {
                    let by = Actor { person: None, label: "monitor".to_owned(), via: Via::Api };
                    self.ask(Task::Act { alert: AlertRef::Id(*alert), input: Box::new(Input::Resolve(by)) });
                }
            }
            Stimulus::Crash { node, points, down } => {
                let node = usize::from(node);
                let at_work = self.nodes.get(node).is_some_and(|node| !node.jobs.is_empty());
                if at_work || points % 2 == 0 {
                    if let Some(node) = self.nodes.get_mut(node) {
                        node.dies_in = Some((points, down));
                    }
                } else {
                    self.crash(node, down);
                }
            }
            Stimulus::CrashAll { down } => (0..self.nodes.len()).for_each(|node| self.crash(node, down)),
            Stimulus::Freeze { node, millis } => self.freeze(usize::from(node), millis),
            Stimulus::Trouble { millis } => {
                self.report.count("troubles of the store", 1);
                self.is_in_trouble = true;
                {
                    let mut gate = self.gate.borrow_mut();
                    gate.errors = self.options.faults.errors;
                    gate.lost_commits = self.options.faults.lost_commits;
                }
                self.touch_health();
                self.after(SignedDuration::from_millis(i64::from(millis)), Event::TroubleEnds);
            }
            Stimulus::Outage { provider, millis, how } => {
                self.report.count("outages of a provider", 1);
                let name = company::PROVIDERS[usize::from(provider) % company::PROVIDERS.len()];
                let until = self.now + SignedDuration::from_millis(i64::from(millis));
                self.outages.insert(name.to_owned(), Outage { until, how });
            }
            Stimulus::Jump { millis } => {
                self.report.count("settings of the clock", 1);
                self.offset += SignedDuration::from_millis(i64::from(millis));
                self.touch_health();
                self.look_soon();
            }
            Stimulus::Edit { which, what } => {
                self.report.count("edits", 1);
                let edit = company::edit(self.options, which, what, self.clock());
                self.ask(Task::Define { edits: vec![edit] });
            }
        }
    }

    fn trouble_ends(&mut self) {
        let mut gate = self.gate.borrow_mut();
        (gate.errors, gate.lost_commits) = (0, 0);
        drop(gate);
        self.house.break_off(None);
        self.is_in_trouble = false;
        self.touch_health();
    }

    /// No more faults: every node comes back, every provider works.
    fn heal(&mut self) {
        self.report.say(self.now, || "all is well again".to_owned());
        self.is_healed = true;
        self.outages.clear();
        self.trouble_ends();
        for node in 0..self.nodes.len() {
            self.nodes[node].dies_in = None;
            if !self.nodes[node].is_up {
                let epoch = self.nodes[node].epoch;
                self.after(SignedDuration::ZERO, Event::Start { node, epoch });
            }
            let epoch = self.nodes[node].epoch;
            self.thaw(node, epoch);
        }
    }

    // ---- nodes ----

    /// Something of the house begins or ends to fail: what is late is counted from now on.
    fn touch_health(&mut self) {
        let is_well = !self.is_in_trouble && self.nodes.iter().any(Node::is_there);
        self.healthy_since = is_well.then_some(self.now);
    }

    /// All has been well for so long.
    fn is_healthy_for(&self, time: SignedDuration) -> bool {
        self.healthy_since.is_some_and(|since| self.now.duration_since(since) >= time)
    }

    fn chance(&mut self) -> Box<dyn FnMut() -> u64 + Send> {
        let mut dice = Dice::of(self.options.seed, "chance", self.dice.next());
        Box::new(move || dice.next())
    }

    fn start(&mut self, node: usize, epoch: u32) {
        if self.nodes[node].epoch != epoch || self.nodes[node].is_up {
            return;
        }
        let Ok((rows, connection)) = self.house.connect() else {
            return self.after(POLL, Event::Start { node, epoch });
        };
        self.report.say(self.now, || format!("node {node} starts"));
        self.nodes[node].is_up = true;
        let rows = Points::new(rows, self.gate.clone());
        let (now, chance) = (self.clock(), self.chance());
        let opening = async move {
            let opened = Core::open(rows, Service::default(), now, chance).await;
            let (core, result) = match opened {
                Ok(core) => (Some(core), Ok(None)),
                Err(error) => (None, Err(error)),
            };
            Ended { core, connection, task: None, result, stirred: Stirred::default() }
        };
        self.begin(node, Job { future: Box::pin(opening), connection });
    }

    fn begin(&mut self, node: usize, job: Job<H::Rows>) {
        self.last_job += 1;
        let (job_id, epoch) = (self.last_job, self.nodes[node].epoch);
        self.nodes[node].jobs.insert(job_id, job);
        self.after(SignedDuration::ZERO, Event::Poll { node, epoch, job: job_id });
    }

    fn crash(&mut self, node: usize, down: u32) {
        let Some(one) = self.nodes.get_mut(node).filter(|node| node.is_up) else { return };
        self.report.count("nodes that died", 1);
        let epoch = one.epoch + 1;
        // What was under way is gone, and so are its connections.
        *one = Node { epoch, ..Node::new() };
        self.report.say(self.now, || format!("node {node} dies"));
        self.touch_health();
        self.look_soon();
        self.after(SignedDuration::from_millis(i64::from(down)), Event::Start { node, epoch });
    }

    fn freeze(&mut self, node: usize, millis: u32) {
        let until = self.now + SignedDuration::from_millis(i64::from(millis));
        let Some(one) = self.nodes.get_mut(node).filter(|node| node.is_up) else { return };
        self.report.count("nodes that stood still", 1);
        // One that stands still already does so for the longer of the two.
        one.frozen_until = Some(one.frozen_until.map_or(until, |known| known.max(until)));
        let epoch = one.epoch;
        let connections = one.jobs.values().map(|job| job.connection).collect();
        self.touch_health();
        self.after(CUT_AFTER, Event::Cut { node, epoch, connections });
        self.after(until.duration_since(self.now), Event::Thaw { node, epoch });
    }

    fn thaw(&mut self, node: usize, epoch: u32) {
        let one = &mut self.nodes[node];
        if one.epoch != epoch || one.frozen_until.is_none() {
            return;
        }
        if one.frozen_until.is_some_and(|until| until > self.now) && !self.is_healed {
            return;
        }
        one.frozen_until = None;
        (one.engine.planned, one.dispatcher.planned) = (None, None);
        let jobs: Vec<u64> = one.jobs.keys().copied().collect();
        self.report.say(self.now, || format!("node {node} goes on"));
        for job in jobs {
            self.after(SignedDuration::ZERO, Event::Poll { node, epoch, job });
        }
        self.touch_health();
        self.look_soon();
    }

    /// Every loop of every node looks within the second that its poll takes.
    fn look_soon(&mut self) {
        for node in 0..self.nodes.len() {
            self.plan(node, true, self.now + POLL);
            self.plan(node, false, self.now + POLL);
        }
    }

    fn plan(&mut self, node: usize, is_engine: bool, at: Timestamp) {
        let one = &mut self.nodes[node];
        if !one.is_open {
            return;
        }
        let epoch = one.epoch;
        let one = if is_engine { &mut one.engine } else { &mut one.dispatcher };
        if one.is_running {
            one.again = true;
            return;
        }
        if one.planned.is_none_or(|planned| at < planned) {
            one.planned = Some(at);
            let wait = at.duration_since(self.now);
            self.after(wait, Event::Look { node, epoch, is_engine });
        }
    }

    fn look(&mut self, node: usize, epoch: u32, is_engine: bool) {
        let now = self.now;
        let one = &mut self.nodes[node];
        if one.epoch != epoch || !one.is_open {
            return;
        }
        if let Some(until) = one.frozen_until {
            let wait = until.duration_since(now).max(SignedDuration::from_millis(1));
            return self.after(wait, Event::Look { node, epoch, is_engine });
        }
        let one = if is_engine { &mut one.engine } else { &mut one.dispatcher };
        if one.is_running || one.planned.is_none_or(|planned| planned > now) {
            return;
        }
        one.planned = None;
        one.is_running = true;
        self.give(node, if is_engine { Task::Advance } else { Task::Claim });
    }

    /// A node takes a task, now or when it has a connection for it.
    fn give(&mut self, node: usize, task: Task) {
        let most = if self.house.has_one_writer() { 1 } else { CONNECTIONS };
        let (now, chance) = (self.clock(), self.chance());
        let one = &mut self.nodes[node];
        let free = one.idle.len() > 1 || (one.jobs.len() + one.idle.len()) >= most;
        let taken = if free { one.idle.pop() } else { None };
        let (core, connection) = match taken {
            Some(idle) => idle,
            None if one.jobs.len() + one.idle.len() < most && !one.idle.is_empty() && most > 1 => {
                // The last idle one is kept, to make others like it.
                let Ok((rows, connection)) = self.house.connect() else {
                    return one.queue.push_back(task);
                };
                let rows = Points::new(rows, self.gate.clone());
                (one.idle[0].0.beside(rows, chance), connection)
            }
            None => match one.idle.pop() {
                Some(idle) => idle,
                None => return one.queue.push_back(task),
            },
        };
        if self.house.has_one_writer() && self.is_in_trouble && self.dice.happens(self.options.faults.errors)
        {
            let after = self.dice.spread(1, 400);
            self.house.break_off(Some(after));
            self.report.count("statements that broke off", 1);
        }
        let future = Box::pin(node::run(core, connection, task, now));
        self.begin(node, Job { future, connection });
    }

    /// A job goes on by one point; while it is alone in the world, by one after the other.
    fn poll(&mut self, node: usize, epoch: u32, id: u64) -> Found {
        while self.goes_on(node, epoch, id)? {
            if self.house.has_one_writer() {
                // Nobody else could do anything, nor read what is under way.
                continue;
            }
            let step = SignedDuration::from_micros(i64::try_from(self.dice.below(1_000)).unwrap_or(0));
            let is_alone = self.nodes.iter().map(|node| node.jobs.len()).sum::<usize>() == 1;
            let is_next = self.heap.peek().is_none_or(|Reverse((at, _, _))| *at > self.now + step);
            if !is_alone || !is_next {
                self.after(step, Event::Poll { node, epoch, job: id });
                break;
            }
            self.now += step;
        }
        Ok(())
    }

    /// Returns whether there is more of it.
    fn goes_on(&mut self, node: usize, epoch: u32, id: u64) -> Result<bool, (u8, String)> {
        let one = &mut self.nodes[node];
        if one.epoch != epoch || one.frozen_until.is_some() {
            return Ok(false);
        }
        if let Some((points, down)) = &mut one.dies_in {
            if *points == 0 {
                let down = *down;
                self.crash(node, down);
                return Ok(false);
            }
            *points -= 1;
        }
        let Some(job) = self.nodes[node].jobs.get_mut(&id) else { return Ok(false) };
        self.report.polls += 1;
        let polled = job.future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        self.report.mix(self.now.as_millisecond() as u64 ^ id << 20 ^ u64::from(polled.is_ready()));
        let committed = std::mem::take(&mut self.gate.borrow_mut().committed);
        if !committed.is_empty() {
            self.report.commits += 1;
            for (alert, deliveries) in committed {
                self.check(alert, deliveries.as_ref())?;
            }
        }
        match polled {
            Poll::Pending => Ok(true),
            Poll::Ready(ended) => {
                self.nodes[node].jobs.remove(&id);
                self.house.break_off(None);
                self.ended(node, ended).map(|()| false)
            }
        }
    }

    fn ended(&mut self, node: usize, ended: Ended<H::Rows>) -> Found {
        let Ended { core, connection, task, result, stirred } = ended;
        if let Some(core) = core {
            self.nodes[node].idle.push((core, connection));
        }
        if let Err(error) = &result
            && matches!(error, StoreError::Corrupt(_) | StoreError::Panicked(_))
        {
            return Err((15, format!("{task:?}: {error}")));
        }
        let (is_failed, now) = (result.is_err(), self.now);
        match task {
            None if is_failed => {
                // It could not open the store: it ends, and is started again.
                let one = &mut self.nodes[node];
                *one = Node { epoch: one.epoch + 1, ..Node::new() };
                let epoch = one.epoch;
                self.after(POLL, Event::Start { node, epoch });
            }
            None => {
                self.nodes[node].is_open = true;
                self.touch_health();
                if self.house.has_one_writer() {
                    self.give(node, Task::Recover);
                }
                self.plan(node, true, now);
                self.plan(node, false, now);
            }
            Some(task) => self.done(node, task, result)?,
        }
        self.stir(node, stirred);
        while let Some(task) = self.nodes[node].queue.pop_front() {
            let waits = self.nodes[node].queue.len();
            self.give(node, task);
            if self.nodes[node].queue.len() > waits {
                break;
            }
        }
        Ok(())
    }

    /// Wakes the loops of this node, and of the others if the signal arrives.
    fn stir(&mut self, from: usize, stirred: Stirred) {
        for node in 0..self.nodes.len() {
            let is_lost = node != from && self.dice.happens(self.options.faults.lost_signals);
            let wait = if node == from { 0 } else { self.dice.below(50) };
            let at = self.now + SignedDuration::from_millis(i64::try_from(wait).unwrap_or(0));
            // What no signal tells is found by the poll.
            let at = if is_lost { self.now + POLL } else { at };
            if stirred.wakes {
                self.plan(node, true, at);
            }
            if stirred.deliveries {
                self.plan(node, false, at);
            }
        }
    }

    // ---- tasks ----

    /// Somebody outside asks a node that is there, now or later.
    fn ask(&mut self, task: Task) {
        let there: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_there()).collect();
        match self.dice.pick(&there) {
            Some(node) => self.give(*node, task),
            None => self.after(POLL, Event::Ask(task)),
        }
    }

    fn done(&mut self, node: usize, task: Task, result: Result<Option<Done>, StoreError>) -> Found {
        let now = self.now;
        if let Some(one) = self.nodes[node].loop_of(&task) {
            one.is_running = false;
            if std::mem::take(&mut one.again) {
                self.plan(node, matches!(task, Task::Advance), now);
            }
        }
        let done = match result {
            Ok(Some(done)) => done,
            Ok(None) => return Ok(()),
            Err(error) => {
                // It may have been committed all the same, and nobody was told.
                self.look_soon();
                if !self.options_make_it_fail(&error) {
                    return Err((15, format!("{task:?}: {error}")));
                }
                self.again(node, task);
                return Ok(());
            }
        };
        match (done, task) {
            (Done::Advanced(advanced), _) => {
                if advanced.next.is_some_and(|next| next < Timestamp::UNIX_EPOCH) {
                    return Err((15, format!("the engine wants to look next at {:?}", advanced.next)));
                }
                let next = advanced.next.map(|next| self.without_offset(next));
                let at = if advanced.is_full { Some(now) } else { next.map(|next| next.max(now)) };
                if let Some(at) = at {
                    self.plan(node, true, at);
                }
            }
            (Done::Claimed(claimed), _) => {
                let next = claimed.next.map(|next| self.without_offset(next).max(now));
                for claim in claimed.claims {
                    self.send(node, &claim)?;
                }
                if let Some(at) = next {
                    self.plan(node, false, at);
                }
            }
            (Done::Recorded(Recorded::Alert(alert)), Task::Record { request, incoming }) => {
                self.ledger.answer(&request, alert.id)?;
                self.report.say(now, || format!("{request} is alert #{}", alert.number));
                let key = (&incoming.trigger.integration, &incoming.trigger.dedup_key);
                if let (Some(team), Some(problem)) = (
                    key.0.strip_prefix('i').and_then(|n| n.parse().ok()),
                    key.1.strip_prefix('k').and_then(|n| n.parse().ok()),
                ) {
                    self.newest.insert((team, problem), alert.id);
                }
                self.after(ASKED_WITHIN, Event::Deadline(Deadline::Asked(alert.id)));
            }
            (Done::Recorded(other), task) => {
                return Err((1, format!("{task:?} was answered with {other:?}")));
            }
            (Done::Acted(Some(acted)), Task::Act { input, .. }) => {
                let number = acted.alert.number;
                let is_kept = acted.alert.acknowledged.is_some() || acted.alert.status == Status::Resolved;
                if matches!(*input, Input::Acknowledge { .. }) && acted.verdict == Verdict::Done && !is_kept {
                    return Err((
                        19,
                        format!("alert #{number} was acknowledged, and is {}", acted.alert.status.word()),
                    ));
                }
                self.report.say(now, || format!("alert #{number}: {input:?}: {:?}", acted.verdict));
            }
            (Done::Defined(Defining::Invalid(errors)), _) => {
                return Err((15, format!("the company is wrong: {errors:?}")));
            }
            _ => {}
        }
        Ok(())
    }

    /// The store was made to fail, or the node's connection was cut.
    fn options_make_it_fail(&self, error: &StoreError) -> bool {
        let faults = &self.options.faults;
        match error {
            StoreError::Unavailable(_) => faults.troubles > 0 || faults.freezes > 0,
            StoreError::Conflict => true,
            _ => false,
        }
    }

    /// What failed is tried again by whoever wanted it.
    fn again(&mut self, node: usize, task: Task) {
        match task {
            Task::Advance => self.plan(node, true, self.now + POLL),
            Task::Claim => self.plan(node, false, self.now + POLL),
            Task::Recover => self.give(node, Task::Recover),
            Task::Settle { id, token, outcome, tries } if tries < 30 => {
                let epoch = self.nodes[node].epoch;
                let task = Task::Settle { id, token, outcome, tries: tries + 1 };
                self.after(POLL, Event::Outcome { node, epoch, task });
            }
            Task::Settle { .. } => {}
            Task::Record { .. } | Task::Act { .. } | Task::Define { .. } => {
                let wait =
                    SignedDuration::from_millis(i64::try_from(self.dice.between(500, 3_000)).unwrap_or(0));
                self.after(wait, Event::Ask(task));
            }
        }
    }

    // ---- messages ----

    fn send(&mut self, node: usize, claim: &Claim) -> Found {
        let (is_calm, now, epoch) = (self.options.is_calm(), self.clock(), self.nodes[node].epoch);
        for one in std::iter::once(claim).chain(&claim.others) {
            self.ledger.hand_over(&one.delivery, is_calm, now)?;
            self.report.count("deliveries handed to a provider", 1);
        }
        let delivery = &claim.delivery;
        let provider = delivery.contact.provider();
        let faults = &self.options.faults;
        let outage = self.outages.get(provider).copied().filter(|outage| outage.until > self.now);
        let quick = SignedDuration::from_millis(i64::try_from(self.dice.spread(20, 2_000)).unwrap_or(0));
        let accepted = || Outcome::Accepted { provider_id: String::new() };
        let refused = || Outcome::Refused { why: "busy".to_owned(), permanent: false };
        let unknown = || Outcome::Unknown { why: "no answer within 10 s".to_owned() };
        let (arrives, outcome, wait) = match outage {
            Some(Outage { how: 0, .. }) => (0, refused(), quick),
            Some(Outage { how: 1, .. }) => (0, unknown(), SEND_DEADLINE),
            Some(_) => (1, unknown(), SEND_DEADLINE),
            None if self.is_healed => (1, accepted(), quick),
            None if self.dice.happens(faults.timeouts) => {
                (i32::from(self.dice.one_in(2)), unknown(), SEND_DEADLINE)
            }
            None if self.dice.happens(faults.refusals) => {
                let outcome = match self.dice.below(3) {
                    0 => Outcome::Refused { why: "no such number".to_owned(), permanent: true },
                    1 => refused(),
                    _ => Outcome::RetryAfter { pause: SignedDuration::from_secs(20), why: "busy".to_owned() },
                };
                (0, outcome, quick)
            }
            None if self.dice.happens(faults.losses) => (0, accepted(), quick),
            None if self.dice.happens(faults.duplicates) => (2, accepted(), quick),
            None => (1, accepted(), quick),
        };
        if outage.is_some() || matches!(outcome, Outcome::Unknown { .. } | Outcome::Refused { .. }) {
            self.report.count("sends that failed", 1);
        }
        self.report.say(self.now, || {
            let words = format!("{} to {} ({})", delivery.purpose.word(), delivery.contact, delivery.id);
            format!("{words} attempt {}: {outcome}, arrives {arrives} times", delivery.attempt)
        });
        for _ in 0..arrives {
            let latency =
                SignedDuration::from_millis(i64::try_from(self.dice.spread(50, 20_000)).unwrap_or(0));
            for one in std::iter::once(claim).chain(&claim.others) {
                self.after(latency, Event::Arrive { delivery: one.delivery.clone() });
            }
        }
        let task = Task::Settle { id: delivery.id, token: delivery.attempt, outcome, tries: 0 };
        self.after(wait, Event::Outcome { node, epoch, task });
        Ok(())
    }

    fn outcome(&mut self, node: usize, epoch: u32, task: Task) {
        let one = &self.nodes[node];
        if one.epoch != epoch {
            return;
        }
        match one.frozen_until {
            Some(until) => {
                let wait = until.duration_since(self.now).max(SignedDuration::from_millis(1));
                self.after(wait, Event::Outcome { node, epoch, task });
            }
            None => self.give(node, task),
        }
    }

    /// A message has arrived: its person may do something.
    fn arrive(&mut self, delivery: &Delivery) {
        self.report.count("messages that arrived", 1);
        let (Some(person), Some(id)) = (&delivery.person, delivery.alert) else { return };
        if !self.reacted.insert((person.to_string(), id, delivery.round)) {
            return;
        }
        let Ok(Some(state)) = self.house.state(id) else { return };
        let mut dice =
            Dice::of(self.options.seed, person.as_str(), state.alert.number << 8 | u64::from(delivery.round));
        for Reaction { after, input, wants_it } in
            people::react(&mut dice, person, delivery, self.clock(), self.options)
        {
            if wants_it {
                self.ledger.wanted.insert(id);
            }
            self.after(after, Event::Ask(Task::Act { alert: AlertRef::Id(id), input: Box::new(input) }));
        }
    }

    // ---- promises ----

    /// Looks at an alert after a commit.
    fn check(&mut self, id: AlertId, deliveries: Option<&BTreeSet<DeliveryId>>) -> Found {
        let wrong = |error: StoreError| (15, error.to_string());
        let known = self.ledger.lines(id);
        let Some((record, lines)) = self.house.news(id, known, deliveries).map_err(wrong)? else {
            return Err((1, format!("{id} is gone")));
        };
        if self.house.has_stray_wakes(id).map_err(wrong)? {
            return Err((
                12,
                format!("the stored wakes of alert #{} are others than its own", record.state.alert.number),
            ));
        }
        self.report.mix(record.state.alert.number << 8 | lines as u64);
        let mut later = Vec::new();
        let house = &self.house;
        let is_open = |other: AlertId| {
            house.state(other).ok().flatten().is_some_and(|state| state.alert.status != Status::Resolved)
        };
        let options = self.options;
        let plan_goes_on = |page: &escalation::page::Page| {
            // Edits may have changed a plan since.
            options.edits == 0
                && page.urgency == Urgency::High
                && company::plan_goes_on(options, page.person.as_str(), page.plan_step)
        };
        let looked = self.ledger.look(&record, lines, &plan_goes_on, &is_open, self.clock(), &mut later);
        if self.report.tells {
            for entry in &record.history {
                let by = entry.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
                let people = entry.people.join(", ");
                let number = record.state.alert.number;
                self.report.say(self.now, || {
                    format!("    #{number} {}{by} {people} {}", entry.kind.word(), entry.text)
                });
            }
        }
        looked?;
        let clock = self.clock();
        for (at, deadline) in later {
            self.after(at.duration_since(clock), Event::Deadline(deadline));
        }
        Ok(())
    }

    /// A deadline has passed.
    fn look_back(&mut self, deadline: Deadline, is_last: bool) -> Found {
        let wrong = |error: StoreError| (15, error.to_string());
        let clock = self.clock();
        let (due, promise, seen, patience) = match &deadline {
            Deadline::Delivery(id, state, attempt) => {
                let Some(delivery) = self.house.delivery(*id).map_err(wrong)? else { return Ok(()) };
                if delivery.state != *state || delivery.attempt != *attempt {
                    return Ok(());
                }
                match state {
                    DeliveryState::Claimed => {
                        (delivery.lease_until, 10, format!("{id} is claimed since long"), AT_ONCE)
                    }
                    _ => (delivery.not_before, 11, format!("{id} waits to be sent"), AT_ONCE),
                }
            }
            Deadline::Wake(id, wake, due, since) => {
                if !self.ledger.stands(*id, *wake, *due, *since) {
                    return Ok(());
                }
                let Some(state) = self.house.state(*id).map_err(wrong)? else { return Ok(()) };
                let seen = format!("{wake:?} of alert #{} is due since {due}", state.alert.number);
                ((*due).max(*since), 12, seen, AT_ONCE)
            }
            Deadline::Asked(id) => {
                let Some(record) = self.house.record(*id).map_err(wrong)? else { return Ok(()) };
                let alert = &record.state.alert;
                let says_why = record.history.iter().any(|entry| {
                    matches!(
                        entry.kind,
                        EntryKind::Gap
                            | EntryKind::Held
                            | EntryKind::Deferred
                            | EntryKind::Silenced
                            | EntryKind::Skipped
                            | EntryKind::LastResort
                            | EntryKind::Unanswered
                    )
                });
                let was_tried = record.deliveries.iter().any(|delivery| delivery.delivery.attempt > 0);
                if alert.status != Status::Triggered || says_why || was_tried {
                    return Ok(());
                }
                // A person who has had many messages gets a summary a minute: this one waits for it.
                let is_held = record.deliveries.iter().map(|record| &record.delivery).any(|delivery| {
                    delivery.not_before > delivery.created_at
                        && clock < delivery.created_at + ASKED_WITHIN * 3
                });
                if is_held {
                    self.after(AT_ONCE, Event::Deadline(deadline));
                    return Ok(());
                }
                (
                    clock - ASKED_WITHIN,
                    13,
                    format!("nobody was asked about alert #{}", alert.number),
                    ASKED_WITHIN,
                )
            }
        };
        if clock < due + patience {
            self.after((due + patience).duration_since(clock), Event::Deadline(deadline));
            return Ok(());
        }
        if !self.is_healthy_for(patience) {
            self.after(patience, Event::Deadline(deadline));
            return Ok(());
        }
        if !is_last {
            // In production every loop looks once a second, whatever it is told; here only now.
            self.look_soon();
            self.after(AT_ONCE, Event::LastDeadline(deadline));
            return Ok(());
        }
        Err((promise, seen))
    }

    /// All has been well for a while: nothing may be left over.
    fn end(&mut self) -> Found {
        self.is_over = true;
        let wrong = |error: StoreError| (15, error.to_string());
        let late = self.clock() - AT_ONCE;
        for id in self.house.alerts().map_err(wrong)? {
            let Some(record) = self.house.record(id).map_err(wrong)? else { continue };
            let alert = &record.state.alert;
            self.report.alerts += 1;
            if let Some((wake, at)) = record.state.wakes.iter().find(|(_, at)| **at < late) {
                return Err((16, format!("{wake:?} of alert #{} was due at {at}", alert.number)));
            }
            for delivery in record.deliveries.iter().map(|record| &record.delivery) {
                let is_left = match delivery.state {
                    DeliveryState::Ready => delivery.not_before < late,
                    DeliveryState::Claimed => delivery.lease_until < late,
                    _ => false,
                };
                if is_left {
                    return Err((16, format!("{} of alert #{} was left over", delivery.id, alert.number)));
                }
                let is_of_ended = delivery.state == DeliveryState::Ready
                    && record
                        .state
                        .pages
                        .iter()
                        .any(|page| Some(page.id) == delivery.page && !page.is_live());
                if is_of_ended {
                    return Err((
                        18,
                        format!("{} of alert #{} waits for nothing", delivery.id, alert.number),
                    ));
                }
            }
        }
        Ok(())
    }
}

type Found = Result<(), (u8, String)>;
