//! What a run came to: counts, a hash of everything that happened in its order, and its story if it is to be told.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::promises::Violation;

/// What a run came to.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The first promise that was broken.
    pub violation: Option<Violation>,
    /// How long it was, on the clock of the run.
    pub simulated: SignedDuration,
    /// Times that a transaction went on by one point.
    pub polls: u64,
    /// Commits that touched an alert.
    pub commits: u64,
    /// Alerts there were in the end.
    pub alerts: u64,
    /// How often what happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// Everything that happened, in its order, as one number: equal for equal seeds.
    pub hash: u64,
    /// The story, if it was to be told: what happened when.
    pub story: Vec<(Timestamp, String)>,
    pub(super) tells: bool,
}

impl Report {
    pub(super) fn new(tells: bool) -> Self {
        Self { tells, hash: 0xcbf2_9ce4_8422_2325, ..Self::default() }
    }

    pub(super) fn mix(&mut self, number: u64) {
        self.hash = (self.hash ^ number).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(5);
    }

    pub(super) fn count(&mut self, what: &'static str, times: u64) {
        *self.counts.entry(what).or_default() += times;
    }

    pub(super) fn say(&mut self, at: Timestamp, words: impl FnOnce() -> String) {
        if self.tells {
            self.story.push((at, words()));
        }
    }

    /// Adds the counts of another run.
    pub fn add(&mut self, other: &Self) {
        self.simulated += other.simulated;
        self.polls += other.polls;
        self.commits += other.commits;
        self.alerts += other.alerts;
        for (what, times) in &other.counts {
            *self.counts.entry(what).or_default() += times;
        }
    }
}
