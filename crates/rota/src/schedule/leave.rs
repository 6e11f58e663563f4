//! Leave: when a person is never on call.

use jiff::Timestamp;

use super::{Schedule, Shift};
use crate::period::Interval;

/// When one person is away: stretches in order, none touching the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leave(Box<[Interval]>);

impl Leave {
    /// Leave during these intervals, in any order. Those that touch become one; empty ones are left out.
    pub fn new(intervals: impl IntoIterator<Item = Interval>) -> Self {
        let mut sorted: Vec<Interval> = intervals.into_iter().filter(|i| i.start < i.end).collect();
        sorted.sort_unstable_by_key(|interval| interval.start);
        let mut merged: Vec<Interval> = Vec::with_capacity(sorted.len());
        for interval in sorted {
            match merged.last_mut() {
                Some(last) if interval.start <= last.end => last.end = last.end.max(interval.end),
                _ => merged.push(interval),
            }
        }
        Leave(merged.into())
    }

    /// The stretches, in order, none touching the next.
    pub fn intervals(&self) -> &[Interval] {
        &self.0
    }

    /// Whether the person is away at an instant.
    pub fn contains(&self, at: Timestamp) -> bool {
        let begun = self.0.partition_point(|interval| interval.start <= at);
        begun.checked_sub(1).is_some_and(|last| at < self.0[last].end)
    }
}

impl Schedule {
    /// The shifts that a person misses between two instants: those, as they are, of the time in which that person
    /// would be on call for a role but for the person's own leave. In order, cut at the ends of that time.
    pub fn missed(&self, person: &str, from: Timestamp, to: Timestamp, role: &str) -> Vec<Shift> {
        let mut others = self.leave.clone();
        let Some(away) = others.remove(person) else { return Vec::new() };
        let as_if_there = self.clone().with_leave(others);
        let mut missed = Vec::new();
        for stretch in away.intervals() {
            let (start, end) = (stretch.start.max(from), stretch.end.min(to));
            let own = as_if_there.shifts(start, end, role);
            for shift in own.filter(|shift| shift.duty.people.iter().any(|name| **name == *person)) {
                missed.extend(self.shifts(shift.from, shift.until.unwrap_or(end), role));
            }
        }
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_touches_becomes_one() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let interval = |(start, end)| Interval { start: at(start), end: at(end) };
        let given = [(50, 60), (10, 40), (15, 20), (40, 45), (60, 60), (80, 70), (61, 62)];
        let leave = Leave::new(given.map(interval));
        assert_eq!(leave.intervals(), [(10, 45), (50, 60), (61, 62)].map(interval));
        let away: Vec<i64> = (0..100).filter(|second| leave.contains(at(*second))).collect();
        assert_eq!(away, (10..45).chain(50..60).chain(61..62).collect::<Vec<_>>());
    }
}
