//! A period on the civil line: its calendar less the periods it excludes.
//!
//! All that is compared within one period is read from one wall clock, so excluding needs no zone:
//! a [`CivilSet`] is a set of clock readings, counted in seconds as if every day had 86,400 of
//! them. Where a clock jumps is for [`super::zoned`] to know.
//!
//! Searching works on stretches of days, short ones first. Before a stretch is laid out, it is
//! asked whether the state surely stays what it is for longer than that; empty years are passed in
//! one step. A search ends where everything has repeated: after one cycle of the Gregorian calendar
//! and of the open-ended skips, or with the year 9999.
//!
//! Read next: [`super::zoned`].

use std::sync::Arc;

use super::calendar::Calendar;
use super::day::{DAY_SECONDS, Day, GREGORIAN_CYCLE, from_date};

/// Periods that one period may reach through `exclude`, itself included: one bit each of a `u128`.
pub(crate) const MAX_NODES: usize = 128;

/// Days laid out first; a stretch doubles until [`LONGEST_STRETCH`].
const SHORTEST_STRETCH: Day = 8;
const LONGEST_STRETCH: Day = 4_096;

/// A stretch of clock readings, `start..end`, in seconds on the civil line.
pub(crate) type CivilInterval = (i64, i64);

/// A period, or one that it reaches through `exclude`.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) calendar: Arc<Calendar>,
    /// Indices of the excluded nodes, all of them smaller than the node's own.
    pub(crate) excludes: Box<[u8]>,
}

/// What a node is for some days on end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steady {
    Out,
    In,
    Mixed,
}

/// The set of clock readings that are in a period.
#[derive(Clone, Debug)]
pub(crate) struct CivilSet {
    /// Excluded ones before those that exclude them; the period itself is the last.
    nodes: Box<[Node]>,
    /// From this day on everything repeats after `cycle` days.
    settled: Day,
    cycle: i64,
}

impl CivilSet {
    /// `nodes` are sorted so that excluded ones come first; there are 1 to [`MAX_NODES`].
    pub(crate) fn new(nodes: Vec<Node>) -> Self {
        let exceptions = || nodes.iter().flat_map(|node| node.calendar.exceptions());
        let settled = exceptions().map(|e| e.dates.settled()).max();
        let cycle = exceptions().fold(GREGORIAN_CYCLE, |cycle, exception| {
            least_common_multiple(cycle, i64::from(exception.dates.cycle()))
        });
        CivilSet { nodes: nodes.into(), settled: settled.unwrap_or(Day::MIN), cycle }
    }

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether the clock reading is in.
    pub(crate) fn contains(&self, reading: i64) -> bool {
        let Some((top, _)) = self.nodes.split_last() else {
            return false;
        };
        let day = day_of(reading);
        // rem_euclid(86,400) fits.
        let second = reading.rem_euclid(DAY_SECONDS) as u32;
        // Most answers need only the period itself.
        if !top.calendar.contains(day, second) {
            return false;
        }
        let mut inside = 0u128;
        for (index, node) in self.nodes.iter().enumerate() {
            let excluded = node.excludes.iter().any(|&e| inside >> e & 1 == 1);
            if !excluded && node.calendar.contains(day, second) {
                inside |= 1 << index;
            }
        }
        inside >> (self.nodes.len() - 1) & 1 == 1
    }

    /// The first reading at or after `reading` that is in (`wanted`) or out (not `wanted`); nothing
    /// when there is none before the year 10000.
    pub(crate) fn next(&self, reading: i64, wanted: bool) -> Option<i64> {
        if self.contains(reading) == wanted {
            return Some(reading);
        }
        let mut from = reading;
        let mut day = day_of(reading);
        let mut length = SHORTEST_STRETCH;
        let end = self.search_end(day);
        while day < end {
            if let Some(until) = self.unchanged_until(day, !wanted)
                && until.saturating_sub(day) > length
            {
                day = until;
                from = start_of(day);
                continue;
            }
            let stop = day.saturating_add(length).min(end);
            let intervals = self.intervals(day, stop);
            let found = if wanted {
                let next = intervals.iter().find(|interval| interval.1 > from);
                next.map(|interval| interval.0.max(from))
            } else {
                let next = intervals.partition_point(|interval| interval.1 <= from);
                let out = match intervals.get(next) {
                    Some(&(start, end)) if start <= from => end,
                    _ => from,
                };
                (out < start_of(stop)).then_some(out)
            };
            if found.is_some() {
                return found;
            }
            day = stop;
            from = start_of(day);
            length = (length * 2).min(LONGEST_STRETCH);
        }
        None
    }

    /// The stretches that are in on the days `from..to`, in order and apart from one another.
    pub(crate) fn intervals(&self, from: Day, to: Day) -> Vec<CivilInterval> {
        let mut laid_out: Vec<Vec<CivilInterval>> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let mut own = own_intervals(&node.calendar, from, to);
            for &excluded in &node.excludes {
                if let Some(excluded) = laid_out.get(excluded as usize) {
                    own = difference(&own, excluded);
                }
            }
            laid_out.push(own);
        }
        laid_out.pop().unwrap_or_default()
    }

    /// A day until which (exclusive) every reading from `day` on is surely `inside`.
    fn unchanged_until(&self, day: Day, inside: bool) -> Option<Day> {
        let mut known: Vec<(Steady, Day)> = Vec::with_capacity(self.nodes.len());
        for node in &self.nodes {
            let excluded = || node.excludes.iter().filter_map(|&e| known.get(e as usize));
            let (shape, until) = node.calendar.steady(day);
            let full = excluded().filter(|(state, _)| *state == Steady::In);
            let steady = if shape.is_empty() {
                (Steady::Out, until)
            } else if let Some(until) = full.map(|(_, until)| *until).max() {
                (Steady::Out, until)
            } else if shape.is_full() && excluded().all(|(state, _)| *state == Steady::Out) {
                let until = excluded().map(|(_, until)| *until).fold(until, Day::min);
                (Steady::In, until)
            } else {
                (Steady::Mixed, until)
            };
            known.push(steady);
        }
        let wanted = if inside { Steady::In } else { Steady::Out };
        let (state, until) = known.pop()?;
        (state == wanted).then_some(until)
    }

    /// The day at which a search from `day` may give up: all that follows was seen before.
    fn search_end(&self, day: Day) -> Day {
        // Two days beyond the last date that a clock can show, whatever its offset.
        let last = from_date(10_000, 1, 2);
        let repeated = i64::from(day.max(self.settled)) + self.cycle;
        Day::try_from(repeated).map_or(last, |repeated| repeated.min(last))
    }
}

/// The day that a reading belongs to; readings stay within some 12,000 years of 1970.
fn day_of(reading: i64) -> Day {
    reading.div_euclid(DAY_SECONDS) as Day
}

fn start_of(day: Day) -> i64 {
    i64::from(day) * DAY_SECONDS
}

fn own_intervals(calendar: &Calendar, from: Day, to: Day) -> Vec<CivilInterval> {
    let mut intervals: Vec<CivilInterval> = Vec::new();
    for (day, source) in (from..to).zip(calendar.sources(from, to)) {
        let midnight = start_of(day);
        for &(start, end) in calendar.shape(source).ranges() {
            let (start, end) = (midnight + i64::from(start), midnight + i64::from(end));
            push(&mut intervals, start, end);
        }
    }
    intervals
}

/// Adds an interval that does not begin before the last one, and joins it to that if they touch.
pub(crate) fn push(intervals: &mut Vec<(i64, i64)>, start: i64, end: i64) {
    match intervals.last_mut() {
        Some(last) if start <= last.1 => last.1 = last.1.max(end),
        _ if start < end => intervals.push((start, end)),
        _ => {}
    }
}

/// What is in the first list and not in the second; both in order.
fn difference(of: &[CivilInterval], less: &[CivilInterval]) -> Vec<CivilInterval> {
    let mut left = Vec::with_capacity(of.len());
    let mut less = less.iter().peekable();
    for &(mut start, end) in of {
        while let Some(&&(s, e)) = less.peek() {
            if s >= end {
                break;
            }
            if e > start {
                if s > start {
                    left.push((start, s));
                }
                start = e;
                if e >= end {
                    // It may reach into the next interval too.
                    break;
                }
            }
            less.next();
        }
        if start < end {
            left.push((start, end));
        }
    }
    left
}

fn least_common_multiple(a: i64, b: i64) -> i64 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    // Beyond the year 9999 the exact length no longer matters.
    (a / x.max(1)).saturating_mul(b).min(GREGORIAN_CYCLE * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_of_lists_keeps_what_is_left() {
        let of = [(0, 10), (20, 30), (40, 50)];
        let less = [(5, 25), (28, 29), (45, 60)];
        assert_eq!(difference(&of, &less), [(0, 5), (25, 28), (29, 30), (40, 45)]);
        assert_eq!(difference(&of, &[]), of);
        assert_eq!(difference(&of, &[(-5, 100)]), []);
    }
}
