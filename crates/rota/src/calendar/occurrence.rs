//! What a calendar answers: its occurrences in order, who has one at an instant, and when that changes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use jiff::Timestamp;

use super::series::{Starts, floor_second, timestamp};
use super::{Calendar, Recurring, Shared, Single};

/// One time that an event takes place: from `from` until just before `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// Whose it is.
    pub people: Arc<[Arc<str>]>,
    /// Which of the calendar's events, from 0.
    pub event: usize,
}

/// When, as seconds, and which event. Ordered as answers are: by start, then by event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Found {
    from: i64,
    event: usize,
    until: i64,
}

impl Calendar {
    /// The occurrence that counts at `at`: of those under way the one that began last; of several that began then
    /// the one whose event comes last. Nothing when none is under way.
    pub fn at(&self, at: Timestamp) -> Option<Occurrence> {
        self.shared.at(floor_second(at)).map(|found| self.shared.occurrence(found))
    }

    /// Whose occurrence [`Self::at`] answers with.
    pub fn people_at(&self, at: Timestamp) -> Option<&Arc<[Arc<str>]>> {
        self.shared.at(floor_second(at)).map(|found| &self.shared.people[found.event])
    }

    /// The first instant after `after` at which [`Self::at`] answers with another occurrence, or with none; nothing
    /// when it never does again.
    pub fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let second = floor_second(after);
        let end = self.shared.at(second).map(|found| found.until);
        let next = end.into_iter().chain(self.shared.next_start(second)).min()?;
        Timestamp::from_second(next).ok()
    }

    /// The occurrences that lie wholly or partly between `from` and `to`, in order of their starts; those that
    /// start together in the order of the events. They are not cut at `from` and `to`.
    ///
    /// They are worked out one at a time: a calendar can have very many.
    pub fn occurrences(&self, from: Timestamp, to: Timestamp) -> Occurrences<'_> {
        Occurrences::new(&self.shared, floor_second(from), to)
    }
}

impl Shared {
    fn at(&self, second: i64) -> Option<Found> {
        let started = self.single.partition_point(|one| one.from <= second);
        // An occurrence further back than the reach of all before it is over.
        let mut single = self.single[..started].iter().rev().take_while(|one| one.reach > second);
        let single = single.find(|one| one.until > second).map(Single::found);
        single.into_iter().chain(self.recurring.iter().filter_map(|recurring| recurring.at(second))).max()
    }

    fn next_start(&self, second: i64) -> Option<i64> {
        let single = self.single.get(self.single.partition_point(|one| one.from <= second));
        let recurring = self.recurring.iter().filter_map(|recurring| recurring.onward(second + 1).next());
        single.map(|one| one.from).into_iter().chain(recurring.map(|found| found.from)).min()
    }

    fn occurrence(&self, found: Found) -> Occurrence {
        Occurrence {
            from: timestamp(found.from),
            until: timestamp(found.until),
            people: self.people[found.event].clone(),
            event: found.event,
        }
    }
}

impl Single {
    fn found(&self) -> Found {
        Found { from: self.from, event: self.event, until: self.until }
    }
}

impl Recurring {
    /// The last to begin of those under way.
    fn at(&self, second: i64) -> Option<Found> {
        let started = self.series.back(second).take_while(|from| from + self.longest > second);
        started.filter_map(|from| self.found(from)).find(|found| found.until > second)
    }

    fn onward(&self, from: i64) -> RecurringFound<'_> {
        RecurringFound { recurring: self, starts: self.series.onward(from) }
    }

    /// What begins then, unless it is left out.
    fn found(&self, from: i64) -> Option<Found> {
        let until = self.length.end(from, &self.zone);
        (!self.excluded.has(from, &self.zone)).then_some(Found { from, event: self.event, until })
    }
}

#[derive(Debug)]
struct RecurringFound<'a> {
    recurring: &'a Recurring,
    starts: Starts<'a>,
}

impl Iterator for RecurringFound<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        self.starts.find_map(|from| self.recurring.found(from))
    }
}

/// See [`Calendar::occurrences`].
#[derive(Debug)]
pub struct Occurrences<'a> {
    shared: &'a Shared,
    from: i64,
    to: Timestamp,
    /// What is left of the occurrences that no rule gives.
    single: std::slice::Iter<'a, Single>,
    recurring: Vec<RecurringFound<'a>>,
    /// The next of each source; the number of the occurrences that no rule gives is that of no recurring one.
    next: BinaryHeap<Reverse<(Found, usize)>>,
}

impl<'a> Occurrences<'a> {
    fn new(shared: &'a Shared, from: i64, to: Timestamp) -> Self {
        // All before the first whose reach goes beyond `from` are over.
        let over = shared.single.partition_point(|one| one.reach <= from);
        let recurring: Vec<_> =
            shared.recurring.iter().map(|recurring| recurring.onward(from - recurring.longest)).collect();
        let sources = recurring.len();
        let single = shared.single[over..].iter();
        let mut all = Occurrences { shared, from, to, single, recurring, next: BinaryHeap::new() };
        for source in 0..=sources {
            all.pull(source);
        }
        all
    }

    /// Takes the next that is not over from a source.
    fn pull(&mut self, source: usize) {
        let from = self.from;
        let found = match self.recurring.get_mut(source) {
            Some(recurring) => recurring.find(|found| found.until > from),
            None => self.single.find(|one| one.until > from).map(Single::found),
        };
        self.next.extend(found.map(|found| Reverse((found, source))));
    }
}

impl Iterator for Occurrences<'_> {
    type Item = Occurrence;

    fn next(&mut self) -> Option<Occurrence> {
        let Reverse((found, source)) = self.next.pop()?;
        if timestamp(found.from) >= self.to {
            self.next.clear();
            return None;
        }
        self.pull(source);
        Some(self.shared.occurrence(found))
    }
}
