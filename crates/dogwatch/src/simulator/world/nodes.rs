//! Nodes as they start, work, stand still and die, point by point.

use std::task::{Context, Poll, Waker};

use escalation::directory::Service;
use jiff::{SignedDuration, Timestamp};

use super::{CONNECTIONS, CUT_AFTER, Event, Found, POLL, Turn, World};
use crate::simulator::dice::Dice;
use crate::simulator::house::House;
use crate::simulator::node::{self, Ended, Job, Node, Task};
use crate::simulator::points::Points;
use crate::store::StoreError;
use crate::store::core::{Core, Stirred};

impl<H: House> World<'_, H> {
    /// Something of the house begins or ends to fail: what is late is counted from now on.
    pub(super) fn touch_health(&mut self) {
        let is_well = !self.is_in_trouble && self.nodes.iter().any(Node::is_there);
        self.healthy_since = is_well.then_some(self.now);
    }

    /// All has been well for so long.
    pub(super) fn is_healthy_for(&self, time: SignedDuration) -> bool {
        self.healthy_since.is_some_and(|since| self.now.duration_since(since) >= time)
    }

    pub(super) fn chance(&mut self) -> Box<dyn FnMut() -> u64 + Send> {
        let mut dice = Dice::of(self.options.seed, "chance", self.dice.next());
        Box::new(move || dice.next())
    }

    pub(super) fn start(&mut self, node: usize, epoch: u32) {
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

    pub(super) fn begin(&mut self, node: usize, job: Job<H::Rows>) {
        self.last_job += 1;
        let (job_id, epoch) = (self.last_job, self.nodes[node].epoch);
        self.nodes[node].jobs.insert(job_id, job);
        self.turn_after(SignedDuration::ZERO, Turn { node, epoch, job: job_id });
    }

    pub(super) fn crash(&mut self, node: usize, down: u32) {
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

    pub(super) fn freeze(&mut self, node: usize, millis: u32) {
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

    pub(super) fn thaw(&mut self, node: usize, epoch: u32) {
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
            self.turn_after(SignedDuration::ZERO, Turn { node, epoch, job });
        }
        self.touch_health();
        self.look_soon();
    }

    /// Every loop of every node looks within the second that its poll takes.
    pub(super) fn look_soon(&mut self) {
        for node in 0..self.nodes.len() {
            self.plan(node, true, self.now + POLL);
            self.plan(node, false, self.now + POLL);
        }
    }

    pub(super) fn plan(&mut self, node: usize, is_engine: bool, at: Timestamp) {
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

    pub(super) fn look(&mut self, node: usize, epoch: u32, is_engine: bool) {
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
        let claim = Task::Claim { busy: self.nodes[node].busy.clone() };
        self.give(node, if is_engine { Task::Advance } else { claim });
    }

    /// A node takes a task, now or when it has a connection for it.
    pub(super) fn give(&mut self, node: usize, task: Task) {
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

    /// A job goes on by one point; while it is the next thing to happen, by one after the other.
    pub(super) fn poll(&mut self, turn: Turn) -> Found {
        while self.goes_on(turn)? {
            if self.house.has_one_writer() {
                // Nobody else could do anything, nor read what is under way.
                continue;
            }
            let step = SignedDuration::from_micros(i64::try_from(self.dice.below(1_000)).unwrap_or(0));
            if self.next_at().is_some_and(|next| next <= self.now + step) {
                self.turn_after(step, turn);
                break;
            }
            self.now += step;
        }
        Ok(())
    }

    /// Returns whether there is more of it.
    pub(super) fn goes_on(&mut self, turn: Turn) -> Result<bool, (u8, String)> {
        let Turn { node, epoch, job: id } = turn;
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
            for (alert, touch) in committed {
                self.check(alert, touch)?;
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

    pub(super) fn ended(&mut self, node: usize, ended: Ended<H::Rows>) -> Found {
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
    pub(super) fn stir(&mut self, from: usize, stirred: Stirred) {
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
}
