//! The advice for hours that go past midnight: the two lines to write instead.
//!
//! Read next: [`super::inherit`].

use super::day;
use super::definition::{Days, Definition, Hours, Month, Rule, Weekday};

/// Stands for the length of a month where days of every month are meant.
const NO_MONTH_IN_PARTICULAR: i32 = 0;

/// What to write instead of `hours`, which end before they begin, on the line `rule`.
pub(crate) fn advice(rule: &Rule, hours: Hours, definition: &Definition) -> String {
    let first_days = rule.days.value;
    let evening = Hours { start: hours.start, end: Hours::DAY.end };
    let morning = Hours { start: 0, end: hours.end };
    let intro = "a range ends on the day it begins on; write the night as two lines:";
    let (first, second) = match (first_days, day_after(&first_days)) {
        (Days::Weekday(weekday), _) => {
            let next = Weekday::ALL[(weekday as usize + 1) % 7];
            (
                format!("{} {}", weekday.name(), weekday_hours(weekday, definition)),
                format!("{} {}", next.name(), weekday_hours(next, definition)),
            )
        }
        (_, Some(second)) => (format!("{first_days} {}", own_hours(rule)), format!("{second} {morning}")),
        (_, None) => {
            return format!("{intro}\n{first_days} {evening}\nand {morning} on a line for the day after");
        }
    };
    if morning.end == 0 {
        return format!("the end of the day is 24:00:\n{first}");
    }
    format!("{intro}\n{first}\n{second}")
}

/// The days after a single day, where the language can say so.
fn day_after(days: &Days) -> Option<Days> {
    let after = |day: i32, longest: i32| match day {
        -1 => Some(1),
        day if day < 0 => Some(day + 1),
        day if day == longest => Some(1),
        // The 28th to the 30th may be the last of a month, or not.
        day if (1..28).contains(&day) || (longest > 29 && day < longest) => Some(day + 1),
        _ => None,
    };
    match *days {
        Days::Calendar { first, last: None, every } => {
            Some(Days::Calendar { first: first.tomorrow().ok()?, last: None, every })
        }
        Days::MonthDate { first: (month, day), last: None, .. } => {
            let day = after(day, day::month_length(2000, month as u8))?;
            let month = if day == 1 { Month::ALL[month as usize % 12] } else { month };
            Some(Days::MonthDate { first: (month, day), last: None, every: None })
        }
        Days::MonthDay { first, last: None, .. } => {
            Some(Days::MonthDay { first: after(first, NO_MONTH_IN_PARTICULAR)?, last: None, every: None })
        }
        _ => None,
    }
}

/// All hours of a weekday, with every night of the definition split at midnight.
fn weekday_hours(weekday: Weekday, definition: &Definition) -> String {
    let before = Weekday::ALL[(weekday as usize + 6) % 7];
    let line = |weekday| {
        let days = Days::Weekday(weekday);
        definition.rules.iter().rev().find(|r| r.days.value == days)
    };
    let nights = line(before).into_iter().flat_map(|rule| &rule.hours);
    let mornings = nights.filter(|hours| hours.value.end < hours.value.start);
    let mut hours: Vec<Hours> = mornings
        .map(|hours| Hours { start: 0, end: hours.value.end })
        .filter(|hours| hours.end > 0)
        .collect();
    hours.extend(line(weekday).into_iter().flat_map(cut_at_midnight));
    join(hours)
}

/// The hours of one line, up to midnight.
fn own_hours(rule: &Rule) -> String {
    join(cut_at_midnight(rule).collect())
}

fn cut_at_midnight(rule: &Rule) -> impl Iterator<Item = Hours> + '_ {
    rule.hours.iter().map(|hours| {
        let Hours { start, end } = hours.value;
        let end = if end < start { Hours::DAY.end } else { end };
        Hours { start, end }
    })
}

fn join(mut hours: Vec<Hours>) -> String {
    hours.sort_by_key(|hours| hours.start);
    let hours: Vec<String> = hours.iter().map(Hours::to_string).collect();
    hours.join(",")
}
