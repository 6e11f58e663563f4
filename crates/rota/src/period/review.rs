//! What is legal in a compiled period, but surely not meant.
//!
//! Warnings here come from evaluating: a period that is never in, an exception that takes away more
//! than it gives, an order of templates that changes answers. Days are looked at from a given day
//! on, so that nobody is bothered with what is past.
//!
//! Read next: [`super::zoned`].

use super::Period;
use super::calendar::{Calendar, Source};
use super::day::{self, DAY_SECONDS, Day};
use super::definition::Weekday;
use super::inherit::{LineId, Lines, Resolved};
use super::shape::Shape;
use crate::diagnostic::{Problem, Span};

/// How far ahead conflicts are looked for: every date meets every weekday within 11 years, but for
/// a leap day.
const YEARS_AHEAD: Day = 12;
const DAYS_AHEAD: Day = YEARS_AHEAD * 366;

/// Only periods that reach no more others than this through `exclude` are searched for an instant
/// that is in: the search may have to lay out 400 years of each of them.
const MOST_NODES_SEARCHED: usize = 16;

/// Everything known of one period.
pub(crate) struct Subject<'a> {
    pub(crate) name: &'a str,
    pub(crate) place: Option<Span>,
    pub(crate) period: &'a Period,
    pub(crate) calendar: &'a Calendar,
    pub(crate) lines: &'a Lines<'a>,
    pub(crate) resolved: &'a Resolved<'a>,
    /// The lines of the calendar's exceptions, in its order.
    pub(crate) order: &'a [LineId],
}

/// Reviews one period from `today` on.
pub(crate) fn review(subject: &Subject<'_>, today: Day, problems: &mut Vec<Problem>) {
    never_in(subject, problems);
    shadows(subject, today, problems);
    inherited_order(subject, today, problems);
}

fn never_in(subject: &Subject<'_>, problems: &mut Vec<Problem>) {
    let year_one = i64::from(day::from_date(1, 1, 1)) * DAY_SECONDS;
    // A period without hours says plainly that it is never in.
    let has_hours = subject.calendar.shapes().iter().any(|s| !s.is_empty());
    let is_small = subject.period.civil().nodes().len() <= MOST_NODES_SEARCHED;
    if has_hours && is_small && subject.period.civil().next(year_one, true).is_none() {
        let message = format!("period \"{}\" is never in", subject.name);
        problems.push(
            Problem::warning(subject.place, message)
                .hint("its days never come, or all of its time is excluded or replaced by other lines"),
        );
    }
}

/// Warns where an exception replaces hours of a weekday that it does not cover itself.
fn shadows(subject: &Subject<'_>, today: Day, problems: &mut Vec<Problem>) {
    let Subject { calendar, lines, resolved, .. } = subject;
    let weekday_shape = |weekday: usize| {
        let line = resolved.weekdays[weekday].map(|id| lines.get(id));
        line.filter(|line| !line.shape.is_empty())
    };
    let weekdays: [_; 7] = std::array::from_fn(weekday_shape);
    // A blank exception says plainly that it takes the day away.
    let mut suspects: Vec<bool> = subject
        .order
        .iter()
        .map(|id| {
            let shape = &lines.get(*id).shape;
            let loses = |weekday: &Shape| !weekday.minus(shape).is_empty();
            !shape.is_empty() && weekdays.iter().flatten().any(|line| loses(&line.shape))
        })
        .collect();
    if !suspects.contains(&true) {
        return;
    }
    let until = today.saturating_add(DAYS_AHEAD);
    for (day, source) in (today..until).zip(calendar.sources(today, until)) {
        let Some(index) = source.exception() else {
            continue;
        };
        let Some(weekday) = weekdays[day::weekday(day) as usize].as_ref() else {
            continue;
        };
        if !suspects.get(index).copied().unwrap_or(false) {
            continue;
        }
        let line = lines.get(subject.order[index]);
        let lost = weekday.shape.minus(&line.shape);
        if lost.is_empty() {
            continue;
        }
        suspects[index] = false;
        let days = line.rule.days.value;
        let both = [&line.shape, &weekday.shape].map(|s| s.ranges().to_vec()).concat();
        let message = format!(
            "on {} this replaces {} {lost} of period \"{}\"",
            show(day),
            capitalized(Weekday::ALL[day::weekday(day) as usize].name()),
            subject.name
        );
        problems.push(
            Problem::warning(line.rule.days.span, message)
                .hint(format!(
                    "an exception replaces the whole day; to keep those hours, write: {days} {}",
                    Shape::new(both)
                ))
                .related(weekday.rule.days.span, "the hours that are replaced"),
        );
    }
}

/// Warns where Naemon's order of inherited exceptions gives other hours than the expected one.
fn inherited_order(subject: &Subject<'_>, today: Day, problems: &mut Vec<Problem>) {
    let Some(expected) = &subject.resolved.expected else {
        return;
    };
    let lines = subject.lines;
    let expected = super::by_form(expected, lines);
    if expected == subject.order {
        return;
    }
    let other = super::calendar(subject.resolved, &expected, lines);
    let until = today.saturating_add(DAYS_AHEAD);
    let actual_sources = subject.calendar.sources(today, until);
    let expected_sources = other.sources(today, until);
    let line = |order: &[LineId], source: Source| {
        let id = source.exception().and_then(|index| order.get(index).copied());
        id.map(|id| lines.get(id))
    };
    let differs = (today..until)
        .zip(actual_sources.iter().zip(&expected_sources))
        .filter_map(|(day, (&actual, &wanted))| {
            let actual = line(subject.order, actual)?;
            let wanted = line(&expected, wanted)?;
            (actual.shape != wanted.shape).then_some((day, actual, wanted))
        })
        .next();
    if let Some((day, actual, wanted)) = differs {
        let message = format!(
            "on {} \"{}\" comes before \"{}\" in period \"{}\", against the order of its templates",
            show(day),
            actual.rule.days.value,
            wanted.rule.days.value,
            subject.name
        );
        problems.push(
            Problem::warning(subject.place, message)
                .hint("Naemon takes in the dates of a template from the last to the first; write these days in the period itself")
                .related(actual.rule.days.span, "the line that counts"),
        );
    }
}

fn show(day: Day) -> String {
    let (year, month, day) = day::to_date(day);
    format!("{year:04}-{month:02}-{day:02}")
}

fn capitalized(name: &str) -> String {
    let mut chars = name.chars();
    let first = chars.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(chars).collect()
}
