//! A date of a period in a zone, as the clock on the wall shows it: for drawing calendars.
//!
//! Whether a reading of the clock is in does not depend on how often it comes, so a date has one
//! list of readings that are in, and beside it the jumps of the clock. What is drawn from that is
//! not known here.
//!
//! Read next: [`super::review`].

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::ZonedPeriod;

/// Seconds in a day without jumps.
const DAY_SECONDS: i64 = 86_400;

/// Jumps are looked for this far round a date: no clock is set by more than a day.
const REACH_SECONDS: i64 = 2 * DAY_SECONDS;

/// One date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockDay {
    /// The date.
    pub date: Date,
    /// The readings that are in and come on this date, in seconds since midnight: first one in and
    /// first one out, in order, none touching the next.
    pub readings: Vec<(u32, u32)>,
    /// How long the date is.
    pub length_seconds: i64,
    /// For how long the period is in.
    pub in_seconds: i64,
    /// The jumps of the clock that leave readings of this date out, or show them twice.
    pub jumps: Vec<Jump>,
}

/// The clock is set forwards or back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// When.
    pub at: Timestamp,
    /// What the clock would have shown.
    pub from: DateTime,
    /// What it shows instead.
    pub to: DateTime,
}

impl Jump {
    /// Whether readings are left out, rather than shown twice.
    pub fn is_forwards(&self) -> bool {
        self.to > self.from
    }

    /// The readings of `date` that are left out or come twice, in seconds since midnight.
    pub fn readings(&self, date: Date) -> (u32, u32) {
        let (first, last) = (self.from.min(self.to), self.from.max(self.to));
        (second_of(date, first), second_of(date, last))
    }
}

impl ZonedPeriod {
    /// One date of the period.
    pub fn clock_day(&self, date: Date) -> ClockDay {
        let zone = self.zone();
        let start = midnight(zone, date);
        let end = date.tomorrow().map_or(Timestamp::MAX, |date| midnight(zone, date)).max(start);
        let jumps = jumps(zone, date, start, end);
        let mut readings: Vec<(u32, u32)> = Vec::new();
        let mut in_seconds = 0;
        for interval in self.intervals(start, end) {
            in_seconds += interval.end.as_second() - interval.start.as_second();
            // Between two jumps the clock goes in step with time.
            let cuts = jumps.iter().map(|jump| jump.at);
            let cuts = cuts.filter(|at| interval.start < *at && *at < interval.end);
            let mut from = interval.start;
            for to in cuts.chain([interval.end]) {
                let first = zone.to_datetime(from);
                // The last reading before a jump is none after it.
                let length = to.as_second() - from.as_second();
                let reading = i64::from(second_of(date, first));
                let before = if first.date() < date { seconds_between(first, date) } else { 0 };
                let last = (reading + length - before).clamp(reading, DAY_SECONDS);
                // Both lie within a day.
                readings.push((reading as u32, last as u32));
                from = to;
            }
        }
        ClockDay {
            date,
            readings: merge(readings),
            length_seconds: end.as_second() - start.as_second(),
            in_seconds,
            jumps,
        }
    }
}

/// The first instant of a date; of one that does not come, the first of the next.
fn midnight(zone: &TimeZone, date: Date) -> Timestamp {
    zone.to_timestamp(date.to_datetime(jiff::civil::Time::midnight())).unwrap_or(Timestamp::MAX)
}

fn jumps(zone: &TimeZone, date: Date, start: Timestamp, end: Timestamp) -> Vec<Jump> {
    let reach = jiff::SignedDuration::from_secs(REACH_SECONDS);
    let from = start.saturating_sub(reach).unwrap_or(Timestamp::MIN);
    let to = end.saturating_add(reach).unwrap_or(Timestamp::MAX);
    let mut offset = zone.to_offset(from);
    let mut jumps = Vec::new();
    for transition in zone.following(from).take_while(|transition| transition.timestamp() < to) {
        let at = transition.timestamp();
        let (before, after) = (offset.to_datetime(at), transition.offset().to_datetime(at));
        offset = transition.offset();
        let jump = Jump { at, from: before, to: after };
        let (first, last) = jump.readings(date);
        if first < last {
            jumps.push(jump);
        }
    }
    jumps
}

/// A reading as seconds since the midnight of `date`, cut to that date.
fn second_of(date: Date, reading: DateTime) -> u32 {
    match reading.date().cmp(&date) {
        std::cmp::Ordering::Less => 0,
        std::cmp::Ordering::Greater => DAY_SECONDS as u32,
        std::cmp::Ordering::Equal => {
            let time = reading.time();
            // A time of day has no negative parts.
            (i32::from(time.hour()) * 3_600 + i32::from(time.minute()) * 60 + i32::from(time.second())) as u32
        }
    }
}

/// Seconds from a reading to the midnight at which `date` begins.
fn seconds_between(reading: DateTime, date: Date) -> i64 {
    let midnight = date.to_datetime(jiff::civil::Time::midnight());
    midnight.duration_since(reading).as_secs()
}

fn merge(mut ranges: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    ranges.sort_unstable();
    let mut merged: Vec<(u32, u32)> = Vec::new();
    for (start, end) in ranges.into_iter().filter(|(start, end)| start < end) {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => merged.push((start, end)),
        }
    }
    merged
}
