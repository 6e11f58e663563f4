//! Balance: how much of the duty each person has.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::Schedule;
use crate::period::{Interval, ZonedPeriod, compile};
use crate::syntax;

/// What is counted as night and weekend: periods like any other, so that they are right to the second, also
/// where the clocks change.
const NIGHTS_AND_WEEKENDS: &str = "
define timeperiod {
    timeperiod_name  nights
    monday     00:00-06:00,22:00-24:00
    tuesday    00:00-06:00,22:00-24:00
    wednesday  00:00-06:00,22:00-24:00
    thursday   00:00-06:00,22:00-24:00
    friday     00:00-06:00,22:00-24:00
    saturday   00:00-06:00,22:00-24:00
    sunday     00:00-06:00,22:00-24:00
}
define timeperiod {
    timeperiod_name  weekends
    saturday  00:00-24:00
    sunday    00:00-24:00
}
";

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
        let document = syntax::read_text("balance", NIGHTS_AND_WEEKENDS);
        // The day of a review matters to warnings only.
        let counted = compile(&document.definitions, Date::constant(2000, 1, 1));
        let named = |name| counted.find(name).map(|period| period.clone().in_zone(self.zone.clone()));
        let intervals = |period: Option<ZonedPeriod>| -> Vec<Interval> {
            period.iter().flat_map(|period| period.intervals(from, to)).collect()
        };
        let (nights, weekends) = (intervals(named("nights")), intervals(named("weekends")));
        let holidays = intervals(self.holidays.clone());
        let mut balances: BTreeMap<Arc<str>, Balance> = BTreeMap::new();
        for shift in roles.iter().flat_map(|role| self.shifts(from, to, role)) {
            let time = Interval { start: shift.from, end: shift.until.unwrap_or(to) };
            for person in &*shift.duty.people {
                let balance = balances.entry(Arc::clone(person)).or_default();
                balance.total += time.start.duration_until(time.end);
                balance.nights += shared(&nights, time);
                balance.weekends += shared(&weekends, time);
                balance.holidays += shared(&holidays, time);
            }
        }
        balances
    }
}

/// How much of a stretch lies in intervals, which are in order and do not overlap.
fn shared(intervals: &[Interval], during: Interval) -> SignedDuration {
    let first = intervals.partition_point(|interval| interval.end <= during.start);
    let touched = intervals[first..].iter().take_while(|interval| interval.start < during.end);
    touched.map(|i| i.start.max(during.start).duration_until(i.end.min(during.end))).sum()
}
