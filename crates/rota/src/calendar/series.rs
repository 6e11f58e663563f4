//! A rule at work in a zone: the instants at which its occurrences begin, onward or back from any instant.
//!
//! Readings become instants one by one: one that the clock leaves out comes as much later as the clock jumps,
//! one that it shows twice is the first of the two (RFC 5545, 3.3.5). A reading that was put off can come after
//! the next one, so that instants are sorted again, within the largest jump that there is.
//!
//! Read next: `super::pattern`.

use std::collections::BTreeSet;

use jiff::civil::{DateTime, Time, datetime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::pattern::Pattern;
use super::rule::{End, Rule};
use crate::period::day::DAY_SECONDS;

/// No clock jumps further than a day (Samoa left out 2011-12-30), and no offset is larger either.
pub(super) const LARGEST_JUMP: i64 = 26 * 3_600;

const EPOCH: DateTime = datetime(1970, 1, 1, 0, 0, 0, 0);

/// All that a rule gives after its start, which is no part of it.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pattern: Pattern,
    zone: TimeZone,
    /// The reading of the start.
    first: i64,
    /// The last reading that counts.
    last: i64,
    /// The last second that counts.
    until: i64,
}

/// Looking for something took longer than any honest rule needs.
pub(super) struct TooLong;

impl Series {
    /// The series of `rule` in `zone`, from the reading `first` on; nothing when it has nothing but its start.
    ///
    /// Each step of looking takes one of `work`.
    pub(super) fn new(
        rule: &Rule,
        first: DateTime,
        zone: &TimeZone,
        is_all_day: bool,
        work: &mut u64,
    ) -> Result<Option<Series>, TooLong> {
        let first = reading_of(first);
        let pattern = Pattern::new(rule, first);
        let mut series =
            Series { pattern, zone: zone.clone(), first, last: reading_of(DateTime::MAX), until: i64::MAX };
        let end_of_day = |reading: i64| reading - reading.rem_euclid(DAY_SECONDS) + DAY_SECONDS - 1;
        match rule.end {
            End::Never => {}
            End::UntilDate(date) => series.last = end_of_day(reading_of(date.to_datetime(Time::MIN))),
            End::UntilReading(reading) => series.last = reading_of(reading),
            // An all-day event has no instants; who writes one means the date that it shows.
            End::UntilInstant(at) if is_all_day => {
                series.last = end_of_day(reading_of(TimeZone::UTC.to_datetime(at)));
            }
            End::UntilInstant(at) => {
                series.until = floor_second(at);
                series.last = series.last.min(reading_of(zone.to_datetime(at)) + LARGEST_JUMP);
            }
            End::Count(count) => match series.nth(u64::from(count) - 1, work)? {
                Some(last) => series.last = last,
                None => return Ok(None),
            },
        }
        Ok(series.nth(1, work)?.map(|_| series))
    }

    /// The `n`th reading after the start, or the last if there are fewer; nothing when there is none.
    fn nth(&self, n: u64, work: &mut u64) -> Result<Option<i64>, TooLong> {
        let mut found = None;
        let mut readings = self.readings(self.first + 1, Direction::Onward);
        for _ in 0..n {
            let reading = readings.next_within(work);
            *work = work.saturating_sub(1);
            match reading {
                Some(reading) => found = Some(reading),
                None if *work == 0 => return Err(TooLong),
                None => break,
            }
        }
        Ok(found)
    }

    /// The seconds at which occurrences begin, at or after `from`, in order.
    pub(super) fn onward(&self, from: i64) -> Starts<'_> {
        let readings = self.readings(self.reading(from) - LARGEST_JUMP, Direction::Onward);
        Starts { readings, from, pending: BTreeSet::new(), reached: None }
    }

    /// The seconds at which occurrences begin, at or before `from`, the last first.
    pub(super) fn back(&self, from: i64) -> Starts<'_> {
        let readings = self.readings(self.reading(from) + LARGEST_JUMP, Direction::Back);
        Starts { readings, from, pending: BTreeSet::new(), reached: None }
    }

    fn readings(&self, from: i64, direction: Direction) -> Readings<'_> {
        let from = from.clamp(self.first, self.last.max(self.first));
        let base = self.pattern.chunk(self.first);
        let step = self.pattern.step();
        let ahead = self.pattern.chunk(from) - base;
        let steps = match direction {
            // The chunk that `from` lies in, or else the next that counts.
            Direction::Onward => (ahead + step - 1).div_euclid(step),
            Direction::Back => ahead.div_euclid(step),
        };
        Readings { series: self, direction, from, chunk: base + steps * step, buffer: Vec::new() }
    }

    /// The clock reading at a second.
    fn reading(&self, second: i64) -> i64 {
        reading_of(self.zone.to_datetime(timestamp(second)))
    }

    /// The second of a reading; nothing beyond the end of time.
    fn second(&self, reading: i64) -> Option<i64> {
        let reading = EPOCH.checked_add(SignedDuration::from_secs(reading)).ok()?;
        let at = self.zone.to_ambiguous_timestamp(reading).compatible().ok()?;
        Some(at.as_second()).filter(|second| *second <= self.until)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Onward,
    Back,
}

/// The readings of a series, onward or back.
#[derive(Debug)]
struct Readings<'a> {
    series: &'a Series,
    direction: Direction,
    from: i64,
    chunk: i64,
    /// What is left of the chunk, the next one last.
    buffer: Vec<i64>,
}

impl Readings<'_> {
    /// The next reading, unless that takes more than `work`.
    fn next_within(&mut self, work: &mut u64) -> Option<i64> {
        let Series { pattern, first, last, .. } = self.series;
        while self.buffer.is_empty() {
            let over = match self.direction {
                Direction::Onward => self.chunk > pattern.chunk(*last),
                Direction::Back => self.chunk < pattern.chunk(*first),
            };
            if over || *work == 0 {
                return None;
            }
            *work = work.saturating_sub(pattern.cost());
            self.buffer = pattern.readings(self.chunk);
            let (from, direction) = (self.from, self.direction);
            self.buffer.retain(|reading| {
                *reading > *first
                    && *reading <= *last
                    && match direction {
                        Direction::Onward => *reading >= from,
                        Direction::Back => *reading <= from,
                    }
            });
            match direction {
                Direction::Onward => {
                    self.buffer.reverse();
                    self.chunk += pattern.step();
                }
                Direction::Back => self.chunk -= pattern.step(),
            }
        }
        self.buffer.pop()
    }
}

/// The instants of a series as seconds since 1970, onward or back, none twice.
#[derive(Debug)]
pub(super) struct Starts<'a> {
    readings: Readings<'a>,
    from: i64,
    /// Seen but not given, since an earlier one may yet come. Below zero on the way back, so that the least is
    /// always the next.
    pending: BTreeSet<i64>,
    /// The last one seen; nothing that comes is further behind it than the largest jump.
    reached: Option<i64>,
}

impl Iterator for Starts<'_> {
    type Item = i64;

    fn next(&mut self) -> Option<i64> {
        let sign = if self.readings.direction == Direction::Onward { 1 } else { -1 };
        loop {
            if let (Some(least), Some(reached)) = (self.pending.first(), self.reached)
                && *least <= reached - LARGEST_JUMP
            {
                break;
            }
            let Some(reading) = self.readings.next_within(&mut { u64::MAX }) else {
                break;
            };
            if let Some(second) = self.readings.series.second(reading) {
                let key = second * sign;
                self.reached = self.reached.max(Some(key));
                if key >= self.from * sign {
                    self.pending.insert(key);
                }
            }
        }
        self.pending.pop_first().map(|key| key * sign)
    }
}

/// A date and time as seconds of the civil line since 1970.
pub(super) fn reading_of(at: DateTime) -> i64 {
    at.duration_since(EPOCH).as_secs()
}

/// The second that an instant belongs to, also before 1970.
pub(super) fn floor_second(at: Timestamp) -> i64 {
    at.as_second() - i64::from(at.subsec_nanosecond() < 0)
}

/// The instant at a second; the ends of time for what lies beyond them.
pub(super) fn timestamp(second: i64) -> Timestamp {
    let range = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    Timestamp::from_second(second.clamp(*range.start(), *range.end())).unwrap_or(Timestamp::MAX)
}
