//! From change to change: the duty of one role at every instant of a stretch of time.

use jiff::Timestamp;

use super::layer::{Stretch, earlier};
use super::{Duty, Schedule, duty};
use crate::rotation::Turns;

/// Goes through time, and stops where anything may change.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    schedule: &'a Schedule,
    role: usize,
    /// What each layer says at `at`, if it was asked.
    layers: Vec<Stretch<'a>>,
    /// Where each layer stands in its rotation.
    turns: Vec<Option<Turns<'a>>>,
    /// When somebody's leave begins or ends, the next one last.
    leave: Vec<Timestamp>,
    at: Timestamp,
    to: Timestamp,
}

/// A stretch of time in which nothing changes.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) duty: Duty,
}

impl<'a> Walk<'a> {
    /// Through the time from `from` until just before `to`.
    pub(super) fn new(schedule: &'a Schedule, role: usize, from: Timestamp, to: Timestamp) -> Self {
        let intervals = schedule.leave.values().flat_map(|leave| leave.intervals());
        let edges = intervals.flat_map(|interval| [interval.start, interval.end]);
        let mut leave: Vec<Timestamp> = edges.filter(|edge| *edge > from && *edge < to).collect();
        leave.sort_unstable_by(|one, other| other.cmp(one));
        let unasked = Stretch { named: None, until: Some(from) };
        let layers = &schedule.roles[role].layers;
        let turns = layers.iter().map(|layer| layer.who.turns(from)).collect();
        Walk { schedule, role, layers: vec![unasked; layers.len()], turns, leave, at: from, to }
    }

    /// What the layers say during the step that [`Self::advance`] gave last.
    pub(super) fn layers(&self) -> &[Stretch<'a>] {
        &self.layers
    }

    /// Asks the layers for the next step, and says how long it is; nothing at the end.
    pub(super) fn advance(&mut self) -> Option<(Timestamp, Timestamp)> {
        if self.at >= self.to {
            return None;
        }
        let at = self.at;
        let mut until = self.schedule.covers[self.role].next_change(at);
        let layers = &self.schedule.roles[self.role].layers;
        for ((stretch, turns), layer) in self.layers.iter_mut().zip(&mut self.turns).zip(layers) {
            if stretch.until.is_some_and(|end| end <= at) {
                *stretch = layer.stretch(at, turns.as_mut());
            }
            until = earlier(until, stretch.until);
        }
        while self.leave.pop_if(|edge| *edge <= at).is_some() {}
        until = earlier(until, self.leave.last().copied());
        self.at = until.map_or(self.to, |until| until.min(self.to));
        Some((at, self.at))
    }
}

impl Iterator for Walk<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        let (from, until) = self.advance()?;
        let duty = duty::decide(self.schedule, self.role, from, |layer| self.layers[layer].named);
        Some(Step { from, until, duty })
    }
}
