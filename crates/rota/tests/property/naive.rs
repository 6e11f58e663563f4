//! A second implementation of periods, as slow and as plain as can be.
//!
//! It follows the wording of the language, with the dates of a calendar library, and shares nothing
//! with the crate but the model of what was written.

use std::collections::HashMap;

use jiff::civil::{Date, DateTime};
use rota::period::{Days, Definition, Hours, Month, Weekday};

/// Periods by name, and the hours of days that were asked for before.
pub(crate) struct Naive<'a> {
    definitions: &'a [Definition],
    known: HashMap<(usize, Date), Vec<Hours>>,
}

impl<'a> Naive<'a> {
    pub(crate) fn new(definitions: &'a [Definition]) -> Self {
        Naive { definitions, known: HashMap::new() }
    }

    /// Whether the clock reading is in the period with this index.
    pub(crate) fn contains(&mut self, index: usize, reading: DateTime) -> bool {
        let definition = &self.definitions[index];
        for name in &definition.exclude {
            let named = |d: &Definition| d.name.as_ref() == Some(name);
            let excluded = self.definitions.iter().position(named).unwrap();
            if self.contains(excluded, reading) {
                return false;
            }
        }
        let date = reading.date();
        let hours = self.known.entry((index, date)).or_insert_with(|| hours(definition, date));
        let time = reading.time();
        let minute = time.hour() as u16 * 60 + time.minute() as u16;
        hours.iter().any(|h| h.start <= minute && minute < h.end)
    }
}

/// The hours of a day: those of the first exception that matches, form by form, or the weekday's.
fn hours(definition: &Definition, date: Date) -> Vec<Hours> {
    let line = |hours: &[rota::diagnostic::Spanned<Hours>]| hours.iter().map(|h| h.value).collect();
    for form in 1..=5 {
        for rule in &definition.rules {
            if form_of(&rule.days.value) == form && matches(&rule.days.value, date) {
                return line(&rule.hours);
            }
        }
    }
    let today = Days::Weekday(Weekday::ALL[date.weekday().to_sunday_zero_offset() as usize]);
    let last = definition.rules.iter().rev().find(|r| r.days.value == today);
    last.map_or(Vec::new(), |rule| line(&rule.hours))
}

fn form_of(days: &Days) -> u8 {
    match days {
        Days::Calendar { .. } => 1,
        Days::MonthDate { .. } => 2,
        Days::MonthDay { .. } => 3,
        Days::MonthWeekday { .. } => 4,
        Days::WeekdayOffset { .. } => 5,
        Days::Weekday(_) => 6,
    }
}

fn matches(days: &Days, date: Date) -> bool {
    let year = i32::from(date.year());
    let month = i32::from(date.month());
    match *days {
        Days::Weekday(_) => false,
        Days::Calendar { first, last, every } => {
            let every = every.unwrap_or(1);
            let last = last.unwrap_or(if every > 1 { Date::MAX } else { first });
            covers(first, last, every, date)
        }
        Days::MonthDate { first, last, every } => {
            let end = last.unwrap_or(first);
            [year - 1, year].into_iter().any(|year| {
                let start = nth_day(year, first.0 as i32, first.1);
                let end = |year| or_month_end(nth_day(year, end.0 as i32, end.1), year, end.0 as i32, end.1);
                occurrence(start, end(year), end(year + 1), every, date)
            })
        }
        Days::MonthWeekday { first, last, every } => {
            let last = last.unwrap_or(first);
            let find = |year, (weekday, n, month): (Weekday, i32, Month)| {
                nth_weekday(year, month as i32, weekday, n)
            };
            [year - 1, year].into_iter().any(|year| {
                let end = |year| or_month_end(find(year, last), year, last.2 as i32, last.1);
                occurrence(find(year, first), end(year), end(year + 1), every, date)
            })
        }
        Days::MonthDay { first, last, every } => {
            let last = last.unwrap_or(first);
            [month - 1, month].into_iter().any(|month| {
                let end = |month| or_month_end(nth_day(year, month, last), year, month, last);
                occurrence(nth_day(year, month, first), end(month), end(month + 1), every, date)
            })
        }
        Days::WeekdayOffset { first, last, every } => {
            let last = last.unwrap_or(first);
            [month - 1, month].into_iter().any(|month| {
                let find = |month, (weekday, n)| nth_weekday(year, month, weekday, n);
                let end = |month| or_month_end(find(month, last), year, month, last.1);
                occurrence(find(month, first), end(month), end(month + 1), every, date)
            })
        }
    }
}

/// Whether the occurrence covers the date: from its start to its end, or to the next end when that
/// comes before the start.
fn occurrence(
    start: Option<Date>,
    end: Option<Date>,
    next_end: Option<Date>,
    every: Option<u32>,
    date: Date,
) -> bool {
    let (Some(start), Some(end)) = (start, end) else {
        return false;
    };
    let end = if end < start { next_end } else { Some(end) };
    end.is_some_and(|end| covers(start, end, every.unwrap_or(1), date))
}

fn covers(start: Date, end: Date, every: u32, date: Date) -> bool {
    start <= date && date <= end && (date - start).get_days() % every as i32 == 0
}

/// All days of a month; months before January and after December are those of the years beside.
fn month(year: i32, month: i32) -> Vec<Date> {
    let (year, month) = match month {
        0 => (year - 1, 12),
        13 => (year + 1, 1),
        _ => (year, month),
    };
    (1..=31).filter_map(|day| Date::new(year as i16, month as i8, day).ok()).collect()
}

fn nth(days: Vec<Date>, n: i32) -> Option<Date> {
    match n {
        0 => None,
        1.. => days.get(n as usize - 1).copied(),
        _ => days.len().checked_sub(-n as usize).map(|index| days[index]),
    }
}

fn nth_day(year: i32, number: i32, n: i32) -> Option<Date> {
    nth(month(year, number), n)
}

fn nth_weekday(year: i32, number: i32, weekday: Weekday, n: i32) -> Option<Date> {
    let mut days = month(year, number);
    days.retain(|day| day.weekday().to_sunday_zero_offset() == weekday as i8);
    nth(days, n)
}

/// An end that does not exist is the end of the month, unless it was counted from there.
fn or_month_end(end: Option<Date>, year: i32, number: i32, n: i32) -> Option<Date> {
    end.or_else(|| month(year, number).last().copied().filter(|_| n > 0))
}
