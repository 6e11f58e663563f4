//! A rule and its start: which clock readings it gives (RFC 5545, 3.3.10, the table of "Expand" and "Limit").
//!
//! Readings are seconds of the civil line since 1970-01-01T00:00: no zone is known here. They come a *chunk* at
//! a time: a year, a month or a week. A chunk is found by its number, so that a question about the far future
//! costs no more than one about tomorrow. Rules by day and by hour have months as chunks: a month that
//! `BYMONTH` leaves out is passed over in one step.
//!
//! Read next: `super::series`, which goes from chunk to chunk.

use super::rule::{Frequency, NthWeekday, Parts, Rule};
use crate::period::day::{self, DAY_SECONDS, Day};

/// A rule with all that it takes from its start filled in.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    frequency: Frequency,
    interval: i64,
    week_start: u8,
    parts: Parts,
    first: i64,
    /// Seconds of the day at which an occurrence begins. By hours: those of its hours that are looked at.
    times: Vec<i64>,
}

impl Pattern {
    /// The pattern of `rule` from the reading `first` on.
    pub(super) fn new(rule: &Rule, first: i64) -> Pattern {
        let mut parts = rule.parts.clone();
        let (_, month, month_day) = day::to_date(day_of(first));
        let weekday = NthWeekday { nth: 0, weekday: day::weekday(day_of(first)) };
        // What the rule does not say is as it is at the start.
        let has_day =
            !(parts.year_days.is_empty() && parts.month_days.is_empty() && parts.weekdays.is_empty());
        match rule.frequency {
            Frequency::Yearly if has_day => {}
            Frequency::Yearly if !parts.weeks.is_empty() => parts.weekdays.push(weekday),
            Frequency::Yearly => {
                parts.month_days.push(i64::from(month_day));
                if parts.months.is_empty() {
                    parts.months.push(i64::from(month));
                }
            }
            Frequency::Monthly if !has_day => parts.month_days.push(i64::from(month_day)),
            Frequency::Weekly if !has_day => parts.weekdays.push(weekday),
            _ => {}
        }
        let mut times = times(&parts, rule.frequency, first.rem_euclid(DAY_SECONDS));
        if rule.frequency == Frequency::Daily && !parts.positions.is_empty() {
            choose(&parts.positions, &mut times);
        }
        Pattern {
            frequency: rule.frequency,
            interval: rule.interval,
            week_start: rule.week_start,
            parts,
            first,
            times,
        }
    }

    /// The chunk that a reading lies in.
    pub(super) fn chunk(&self, reading: i64) -> i64 {
        let day = day_of(reading);
        let (year, month, _) = day::to_date(day);
        match self.frequency {
            Frequency::Yearly => i64::from(year),
            Frequency::Weekly => (i64::from(day) + 4 - i64::from(self.week_start)).div_euclid(7),
            _ => i64::from(year) * 12 + i64::from(month) - 1,
        }
    }

    /// From one chunk to the next that can have readings.
    pub(super) fn step(&self) -> i64 {
        match self.frequency {
            Frequency::Yearly | Frequency::Monthly | Frequency::Weekly => self.interval,
            Frequency::Daily | Frequency::Hourly => 1,
        }
    }

    /// How much work a chunk is, against that of a month.
    pub(super) fn cost(&self) -> u64 {
        if self.frequency == Frequency::Yearly { 12 } else { 1 }
    }

    /// The readings of a chunk, in order; also those before the start, which are no occurrences.
    pub(super) fn readings(&self, chunk: i64) -> Vec<i64> {
        let mut found = Vec::new();
        match self.frequency {
            Frequency::Yearly => {
                for month in 1..=12 {
                    self.month(chunk as i32, month, &mut found);
                }
            }
            Frequency::Weekly => {
                let first = chunk * 7 - 4 + i64::from(self.week_start);
                for day in first..first + 7 {
                    let (year, month, month_day) = day::to_date(day as Day);
                    if self.has_month(month) && self.has_day(year, month, month_day, day as Day) {
                        self.day(day as Day, &mut found);
                    }
                }
            }
            _ => self.month(chunk.div_euclid(12) as i32, chunk.rem_euclid(12) as u8 + 1, &mut found),
        }
        if !self.parts.positions.is_empty() && self.frequency != Frequency::Daily {
            choose(&self.parts.positions, &mut found);
        }
        found
    }

    fn month(&self, year: i32, month: u8, found: &mut Vec<i64>) {
        if !self.has_month(month) {
            return;
        }
        let before = day::from_date(year, month, 1) - 1;
        let (skipped, step) = match self.frequency {
            Frequency::Daily => {
                let since = i64::from(before) + 1 - i64::from(day_of(self.first));
                ((-since).rem_euclid(self.interval), self.interval)
            }
            _ => (0, 1),
        };
        for month_day in (1 + skipped..=i64::from(day::month_length(year, month))).step_by(step as usize) {
            let day = before + month_day as Day;
            if self.has_day(year, month, month_day as u8, day) {
                self.day(day, found);
            }
        }
    }

    fn day(&self, day: Day, found: &mut Vec<i64>) {
        let midnight = i64::from(day) * DAY_SECONDS;
        let first_hour = self.first.div_euclid(3_600);
        let reached = |reading: &i64| {
            self.frequency != Frequency::Hourly
                || (reading.div_euclid(3_600) - first_hour).rem_euclid(self.interval) == 0
        };
        found.extend(self.times.iter().map(|time| midnight + time).filter(reached));
    }

    fn has_month(&self, month: u8) -> bool {
        self.parts.months.is_empty() || self.parts.months.contains(&i64::from(month))
    }

    fn has_day(&self, year: i32, month: u8, month_day: u8, day: Day) -> bool {
        let Parts { months, weeks, year_days, month_days, weekdays, .. } = &self.parts;
        // The day's place and how many there are; the year's is worked out only where it is asked for.
        let of_month = (i64::from(month_day), i64::from(day::month_length(year, month)));
        let of_year = || {
            let new_year = day::from_date(year, 1, 1);
            (i64::from(day - new_year) + 1, i64::from(day::from_date(year + 1, 1, 1) - new_year))
        };
        let is_nth = |nth: i64| {
            // A number with a weekday counts within the month, or within a year whose months are not chosen.
            let is_of_year = self.frequency == Frequency::Yearly && months.is_empty();
            let (place, length) = if is_of_year { of_year() } else { of_month };
            nth == (place - 1) / 7 + 1 || nth == -((length - place) / 7 + 1)
        };
        either_end(month_days, || of_month)
            && (weekdays.is_empty()
                || weekdays
                    .iter()
                    .any(|one| one.weekday == day::weekday(day) && (one.nth == 0 || is_nth(one.nth))))
            && either_end(year_days, of_year)
            && either_end(weeks, || week_of_year(day, self.week_start))
    }
}

/// Whether a list is empty, or has a place among so many, counted from the beginning or, below zero, from the end.
fn either_end(list: &[i64], place: impl FnOnce() -> (i64, i64)) -> bool {
    list.is_empty() || {
        let (place, length) = place();
        list.contains(&place) || list.contains(&(place - length - 1))
    }
}

/// The number of a day's week, and how many weeks that week's year has (RFC 5545: week 1 is the first with at
/// least four days in the year).
fn week_of_year(day: Day, week_start: u8) -> (i64, i64) {
    let since_start = (i32::from(day::weekday(day)) - i32::from(week_start)).rem_euclid(7);
    // A week belongs to the year of its fourth day; the number is that of such days in the year until then.
    let fourth = day - since_start + 3;
    let (year, _, _) = day::to_date(fourth);
    let year_day = fourth - day::from_date(year, 1, 1);
    let rest = day::from_date(year + 1, 1, 1) - 1 - fourth;
    let week = year_day / 7 + 1;
    (i64::from(week), i64::from(week + rest / 7))
}

/// The times of a day at which a rule gives occurrences, in order.
fn times(parts: &Parts, frequency: Frequency, start: i64) -> Vec<i64> {
    let or = |list: &[i64], value: i64| if list.is_empty() { vec![value] } else { list.to_vec() };
    let hours = match frequency {
        Frequency::Hourly if parts.hours.is_empty() => (0..24).collect(),
        _ => or(&parts.hours, start / 3_600),
    };
    let mut times = Vec::new();
    for hour in hours {
        for minute in or(&parts.minutes, start / 60 % 60) {
            for second in or(&parts.seconds, start % 60) {
                times.push(hour * 3_600 + minute * 60 + second);
            }
        }
    }
    times
}

/// Keeps what `BYSETPOS` names, counted from 1 or, below zero, from the end.
fn choose(positions: &[i64], found: &mut Vec<i64>) {
    let length = found.len() as i64;
    let mut place = 0;
    found.retain(|_| {
        place += 1;
        either_end(positions, || (place, length))
    });
}

fn day_of(reading: i64) -> Day {
    // Years have four digits, so days fit.
    reading.div_euclid(DAY_SECONDS) as Day
}
