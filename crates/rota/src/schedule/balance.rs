//! Balance: how much of the duty each person has.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, Weekday};
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::Schedule;
use crate::period::Interval;

/// The hours of the clock between which it is night.
const NIGHT: (i8, i8) = (22, 6);

/// How much time one person is on call: as it elapses, so that a night in which the clocks go back is an hour
/// longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Balance {
    /// Altogether.
    pub total: SignedDuration,
    /// From 22:00 to 06:00 on the clocks of the schedule's zone.
    pub nights: SignedDuration,
    /// On Saturdays and Sundays of the schedule's zone.
    pub weekends: SignedDuration,
    /// In the schedule's period of holidays; none if it has no such period.
    pub holidays: SignedDuration,
}

impl Schedule {
    /// How much each person is on call between two instants, for these roles together; who is on call for two
    /// of them at a time is counted twice. Shadows are not counted, nor is who is never on call.
    pub fn balance(&self, from: Timestamp, to: Timestamp, roles: &[&str]) -> BTreeMap<Arc<str>, Balance> {
        let nights = self.nights(from, to);
        let weekends = self.weekends(from, to);
        let holidays: Vec<Interval> =
            self.holidays.iter().flat_map(|period| period.intervals(from, to)).collect();
        let mut balances: BTreeMap<Arc<str>, Balance> = BTreeMap::new();
        for shift in roles.iter().flat_map(|role| self.shifts(from, to, role)) {
            let during = Interval { start: shift.from, end: shift.until.unwrap_or(to) };
            for person in &*shift.duty.people {
                let balance = balances.entry(Arc::clone(person)).or_default();
                balance.total += during.start.duration_until(during.end);
                balance.nights += shared(&nights, during);
                balance.weekends += shared(&weekends, during);
                balance.holidays += shared(&holidays, during);
            }
        }
        balances
    }

    fn nights(&self, from: Timestamp, to: Timestamp) -> Vec<Interval> {
        let night = |evening: Date| {
            let morning = evening.tomorrow().ok()?;
            self.between(evening.at(NIGHT.0, 0, 0, 0), morning.at(NIGHT.1, 0, 0, 0))
        };
        self.dates(from, to).filter_map(night).collect()
    }

    fn weekends(&self, from: Timestamp, to: Timestamp) -> Vec<Interval> {
        let weekend = |saturday: Date| {
            let monday = saturday.checked_add(2.days()).ok()?;
            self.between(saturday.at(0, 0, 0, 0), monday.at(0, 0, 0, 0))
        };
        self.dates(from, to).filter(|date| date.weekday() == Weekday::Saturday).filter_map(weekend).collect()
    }

    /// The dates from which a night or weekend can reach into the time between two instants.
    fn dates(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Date> {
        let first = self.zone.to_datetime(from).date().saturating_sub(2.days());
        let last = self.zone.to_datetime(to).date();
        first.series(1.day()).take_while(move |date| *date <= last)
    }

    /// The time between two readings; nothing where the clock leaves all of it out.
    fn between(&self, start: jiff::civil::DateTime, end: jiff::civil::DateTime) -> Option<Interval> {
        let start = self.zone.to_timestamp(start).ok()?;
        let end = self.zone.to_timestamp(end).ok()?;
        Some(Interval { start, end }).filter(|_| start < end)
    }
}

/// How much of a stretch lies in intervals, which are in order and do not overlap.
fn shared(intervals: &[Interval], during: Interval) -> SignedDuration {
    let first = intervals.partition_point(|interval| interval.end <= during.start);
    let touched = intervals[first..].iter().take_while(|interval| interval.start < during.end);
    touched.map(|i| i.start.max(during.start).duration_until(i.end.min(during.end))).sum()
}
