//! What is asked of a node, and what becomes of the answer.

use escalation::alert::{Status, Verdict};
use escalation::delivery::Outcome;
use escalation::event::Input;
use jiff::{SignedDuration, Timestamp};

use super::{Event, Found, POLL, World};
use crate::simulator::house::House;
use crate::simulator::node::{CONFIRMED_WITHIN, Done, Task};
use crate::simulator::promises::{ASKED_WITHIN, Deadline};
use crate::store::{Defining, Incoming, Recorded, StoreError};

impl<H: House> World<'_, H> {
    /// Somebody outside asks a node that is there, now or later.
    pub(super) fn ask(&mut self, task: Task) {
        let there: Vec<usize> = (0..self.nodes.len()).filter(|node| self.nodes[*node].is_there()).collect();
        match self.dice.pick(&there) {
            Some(node) => {
                // A node that dies may have stored it, although nobody was answered.
                if let Task::Receive { id, attempt, receipt } = &task {
                    self.ledger.hear(*id, *attempt, *receipt);
                }
                self.give(*node, task);
            }
            None => self.after(POLL, Event::Ask(task)),
        }
    }

    pub(super) fn done(
        &mut self,
        node: usize,
        task: Task,
        result: Result<Option<Done>, StoreError>,
    ) -> Found {
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
            (Done::Recorded(all), Task::Record { reports }) => {
                if all.len() != reports.len() {
                    return Err((1, format!("{} reports have {} answers", reports.len(), all.len())));
                }
                for ((request, incoming), recorded) in reports.iter().zip(all) {
                    self.recorded(request, incoming, recorded)?;
                }
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
            (
                Done::Settled,
                Task::Settle { id, token, outcome: Outcome::Accepted { .. }, awaits: true, .. },
            ) => {
                let deadline = Deadline::Confirmed(id, token, self.clock() + CONFIRMED_WITHIN);
                self.after(CONFIRMED_WITHIN, Event::Deadline(deadline));
            }
            (Done::Received, Task::Receive { id, attempt, receipt }) => {
                self.report.say(now, || format!("attempt {attempt} of {id} is {}", receipt.word()));
            }
            (Done::Defined(Defining::Invalid(errors)), _) => {
                return Err((15, format!("the company is wrong: {errors:?}")));
            }
            _ => {}
        }
        Ok(())
    }

    /// A report has its answer.
    fn recorded(&mut self, request: &str, incoming: &Incoming, recorded: Recorded) -> Found {
        let Recorded::Alert(alert) = recorded else {
            return Err((1, format!("{request} was answered with {recorded:?}")));
        };
        self.ledger.answer(request, alert.id)?;
        self.report.say(self.now, || format!("{request} is alert #{}", alert.number));
        let key = (&incoming.trigger.integration, &incoming.trigger.dedup_key);
        if let (Some(team), Some(problem)) = (
            key.0.strip_prefix('i').and_then(|n| n.parse().ok()),
            key.1.strip_prefix('k').and_then(|n| n.parse().ok()),
        ) {
            self.newest.insert((team, problem), alert.id);
        }
        self.after(ASKED_WITHIN, Event::Deadline(Deadline::Asked(alert.id)));
        Ok(())
    }

    /// The store was made to fail, or the node's connection was cut.
    pub(super) fn options_make_it_fail(&self, error: &StoreError) -> bool {
        let faults = &self.options.faults;
        match error {
            StoreError::Unavailable(_) => faults.troubles > 0 || faults.freezes > 0,
            StoreError::Conflict => true,
            _ => false,
        }
    }

    /// What failed is tried again by whoever wanted it.
    pub(super) fn again(&mut self, node: usize, task: Task) {
        match task {
            Task::Advance => self.plan(node, true, self.now + POLL),
            Task::Claim { .. } => self.plan(node, false, self.now + POLL),
            Task::Recover => self.give(node, Task::Recover),
            Task::Settle { id, token, provider, outcome, tries, awaits } if tries < 30 => {
                let epoch = self.nodes[node].epoch;
                let task = Task::Settle { id, token, provider, outcome, tries: tries + 1, awaits };
                self.after(POLL, Event::Outcome { node, epoch, task });
            }
            Task::Settle { .. } => {}
            Task::Receive { .. } | Task::Record { .. } | Task::Act { .. } | Task::Define { .. } => {
                let wait =
                    SignedDuration::from_millis(i64::try_from(self.dice.between(500, 3_000)).unwrap_or(0));
                self.after(wait, Event::Ask(task));
            }
        }
    }
}
