//! What is wrong with one definition by itself, whichever way it was written.
//!
//! Names of other definitions are not looked up here, and nothing is evaluated.
//!
//! Read next: [`super::overnight`], the advice for the most common mistake; then
//! [`super::inherit`].

use std::collections::HashMap;

use super::dates::{Dates, DayOfMonth};
use super::day;
use super::definition::{Days, Definition, Hours, Month, Rule, Weekday};
use super::overnight;
use super::shape::Shape;
use crate::diagnostic::{Problem, Span, Spanned};

/// The order of precedence of the forms: the first form with a matching line decides a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    Calendar,
    MonthDate,
    MonthDay,
    MonthWeekday,
    WeekdayOffset,
}

/// The signs that Naemon's own sample configuration forbids in names, and `/`, which would end a
/// name in an address. A comma would end it in a list.
const FORBIDDEN_IN_NAMES: &str = "`~!$%^&*|'\"<>?,()=/";

/// Checks one definition.
pub(crate) fn check(definition: &Definition, problems: &mut Vec<Problem>) {
    check_names(definition, problems);
    for rule in &definition.rules {
        // A line of a text without hours was refused when it was read.
        if rule.hours.is_empty() && rule.days.span.is_some() {
            continue;
        }
        check_days(&rule.days, problems);
        check_hours(rule, definition, problems);
    }
    check_duplicates(definition, problems);
}

/// The days of an exception, and its form; nothing for a weekday.
///
/// Numbers that were refused are taken as Naemon takes them: beyond the last as the last.
pub(crate) fn exception(days: &Days) -> Option<(Form, Dates)> {
    // Both clamps fit an i8. 32 is a day that no month has.
    let number = |n: i32| DayOfMonth::Number(n.clamp(-31, 32) as i8);
    let nth = |weekday, n: i32| DayOfMonth::Weekday(weekday as u8, n.clamp(-5, 5) as i8);
    let skip = |every: Option<u32>| every.unwrap_or(1).max(1);
    let day = |date: jiff::civil::Date| {
        day::from_date(i32::from(date.year()), date.month() as u8, i32::from(date.day()))
    };
    Some(match *days {
        Days::Weekday(_) => return None,
        Days::Calendar { first, last, every } => {
            let every = skip(every);
            let last = match last {
                Some(last) => day(last),
                None if every > 1 => day::Day::MAX,
                None => day(first),
            };
            let first = day(first);
            (Form::Calendar, Dates::Calendar { first, last, every })
        }
        Days::MonthDate { first, last, every } => {
            let end = |(month, n): (Month, i32)| (month as u8, number(n));
            let dates =
                Dates::Yearly { start: end(first), end: end(last.unwrap_or(first)), every: skip(every) };
            (Form::MonthDate, dates)
        }
        Days::MonthDay { first, last, every } => {
            let dates = Dates::Monthly {
                start: number(first),
                end: number(last.unwrap_or(first)),
                every: skip(every),
            };
            (Form::MonthDay, dates)
        }
        Days::MonthWeekday { first, last, every } => {
            let end = |(weekday, n, month)| (month as u8, nth(weekday, n));
            let dates =
                Dates::Yearly { start: end(first), end: end(last.unwrap_or(first)), every: skip(every) };
            (Form::MonthWeekday, dates)
        }
        Days::WeekdayOffset { first, last, every } => {
            let end = |(weekday, n)| nth(weekday, n);
            let dates =
                Dates::Monthly { start: end(first), end: end(last.unwrap_or(first)), every: skip(every) };
            (Form::WeekdayOffset, dates)
        }
    })
}

/// The hours of a line; refused ones count for nothing.
pub(crate) fn shape(rule: &Rule) -> Shape {
    let hours = rule.hours.iter().map(|hours| hours.value);
    let valid = hours.filter(|hours| hours.end <= Hours::DAY.end);
    Shape::new(valid.map(|h| (u32::from(h.start) * 60, u32::from(h.end) * 60)))
}

fn check_names(definition: &Definition, problems: &mut Vec<Problem>) {
    for name in [&definition.name, &definition.template].into_iter().flatten() {
        check_name(name, problems);
    }
    if let Some(alias) = &definition.alias
        && alias.value.contains(char::is_control)
    {
        problems.push(Problem::error(alias.span, "a control character in an alias"));
    }
    if !definition.register || definition.name.is_some() {
        return;
    }
    let place = definition.place.span;
    problems.push(match &definition.template {
        Some(template) => {
            let name = &template.value;
            let message = format!(
                "template \"{name}\" is registered as a period, but has no timeperiod_name of its own"
            );
            Problem::error(place, message).hint(format!(
                "write \"timeperiod_name {name}\" if it is a period, \"register 0\" if it is only a template"
            ))
        }
        None => {
            Problem::error(place, "a period without a name").hint("write a line \"timeperiod_name NAME\"")
        }
    });
}

fn check_name(name: &Spanned<String>, problems: &mut Vec<Problem>) {
    let Spanned { value, span } = name;
    let bad = |c: &char| c.is_control() || FORBIDDEN_IN_NAMES.contains(*c);
    if value.is_empty() || value.trim() != value {
        let message = "a name that is empty, or begins or ends with a blank";
        problems.push(Problem::error(*span, message));
    } else if let Some(bad) = value.chars().find(bad) {
        let shown = bad.escape_default();
        let message = format!("the name \"{}\" has the sign {shown} in it", value.escape_debug());
        problems.push(
            Problem::error(*span, message)
                .hint(format!("no name has control characters or one of {FORBIDDEN_IN_NAMES}")),
        );
    } else if value.contains(' ') {
        let message = format!("the name \"{value}\" has a blank in it");
        problems.push(
            Problem::warning(*span, message)
                .hint(format!("some tools cut it there; \"{}\" is safer", value.replace(' ', "-"))),
        );
    }
}

fn check_days(days: &Spanned<Days>, problems: &mut Vec<Problem>) {
    let span = days.span;
    let before = problems.len();
    match days.value {
        Days::Weekday(_) => return,
        Days::Calendar { first, last, every } => {
            check_dates(&days.value, first, last, every, span, problems);
            return;
        }
        Days::MonthDate { first, last, .. } => {
            check_month_day(first, false, span, problems);
            if let Some(last) = last {
                check_month_day(last, true, span, problems);
            }
        }
        Days::MonthDay { first, last, .. } => {
            for n in [Some(first), last].into_iter().flatten() {
                check_number(n, None, span, problems);
            }
        }
        Days::MonthWeekday { first, last, .. } => {
            for (weekday, n, _) in [Some(first), last].into_iter().flatten() {
                check_number(n, Some(weekday), span, problems);
            }
        }
        Days::WeekdayOffset { first, last, .. } => {
            for (weekday, n) in [Some(first), last].into_iter().flatten() {
                check_number(n, Some(weekday), span, problems);
            }
        }
    }
    let (Days::MonthDate { every, .. }
    | Days::MonthDay { every, .. }
    | Days::MonthWeekday { every, .. }
    | Days::WeekdayOffset { every, .. }) = days.value
    else {
        return;
    };
    check_skip(every, span, problems);
    if every.is_some() && !is_range(&days.value) {
        let message = "a skip needs a range, or one date, to count from";
        problems.push(Problem::error(span, message));
    }
    if problems.len() == before {
        check_direction(&days.value, span, problems);
    }
}

/// Checks a number that counts days, or weekdays, of a month.
fn check_number(n: i32, weekday: Option<Weekday>, span: Option<Span>, problems: &mut Vec<Problem>) {
    let (what, most) = match weekday {
        None => ("day".to_owned(), 31),
        Some(weekday) => (weekday.name().to_owned(), 5),
    };
    if n == 0 || n.abs() > most {
        let message = format!("no month has a {what} {n}");
        problems.push(
            Problem::error(span, message)
                .hint(format!("count from 1 to {most}, or from -1 (the last {what}) to -{most}")),
        );
    }
}

fn check_month_day((month, n): (Month, i32), is_end: bool, span: Option<Span>, problems: &mut Vec<Problem>) {
    let before = problems.len();
    check_number(n, None, span, problems);
    let longest = day::month_length(2000, month as u8);
    if problems.len() > before || n.abs() <= longest {
        return;
    }
    let name = month.name();
    let what = if is_end && n > 0 {
        format!("the range ends with {name} {longest}")
    } else {
        "this never matches".to_owned()
    };
    problems.push(
        Problem::warning(span, format!("{name} has no day {n}: {what}"))
            .hint(format!("{name} ends with day {longest}; {name} -1 is its last day in every year")),
    );
}

fn check_dates(
    days: &Days,
    first: jiff::civil::Date,
    last: Option<jiff::civil::Date>,
    every: Option<u32>,
    span: Option<Span>,
    problems: &mut Vec<Problem>,
) {
    check_skip(every, span, problems);
    match last {
        Some(last) if last < first => {
            let swapped = Days::Calendar { first: last, last: Some(first), every };
            problems.push(
                Problem::error(span, "the range ends before it begins")
                    .hint(format!("did you mean \"{swapped}\"?")),
            );
        }
        Some(last) if last == first && every.is_some_and(|every| every > 1) => {
            let open = Days::Calendar { first, last: None, every };
            problems.push(
                Problem::warning(span, "a skip in a range of one day: this is that day only")
                    .hint(format!(
                        "write \"{open}\" for every such day from then on, which is how Naemon reads it; or leave the skip out"
                    )),
            );
        }
        None if every == Some(1) => {
            let end = Days::Calendar { first, last: Some(jiff::civil::Date::MAX), every: None };
            problems.push(
                Problem::warning(span, format!("\"{days}\" is that one day only"))
                    .hint(format!("write \"{end}\" for every day from then on")),
            );
        }
        _ => {}
    }
}

fn check_skip(every: Option<u32>, span: Option<Span>, problems: &mut Vec<Problem>) {
    if every == Some(0) {
        problems.push(Problem::error(span, "a skip of 0 days").hint("every second day is a skip of 2"));
    }
}

fn is_range(days: &Days) -> bool {
    match days {
        Days::Weekday(_) => false,
        Days::Calendar { last, .. } => last.is_some(),
        Days::MonthDate { last, .. } => last.is_some(),
        Days::MonthDay { last, .. } => last.is_some(),
        Days::MonthWeekday { last, .. } => last.is_some(),
        Days::WeekdayOffset { last, .. } => last.is_some(),
    }
}

/// Warns of a range whose end lies before its start: it runs over the end of the month or year.
fn check_direction(days: &Days, span: Option<Span>, problems: &mut Vec<Problem>) {
    let Some((_, dates)) = exception(days).filter(|_| is_range(days)) else {
        return;
    };
    let next = match dates {
        Dates::Yearly { .. } => "year",
        _ => "month",
    };
    let (straight, over) = dates.directions();
    let problem = match (straight, over) {
        (_, false) => return,
        (false, true) => Problem::warning(span, format!("this range runs over into the next {next}"))
            .hint(format!("that is so because its end comes before its start; Naemon loses days after the turn of the {next}")),
        (true, true) => Problem::warning(
            span,
            format!("this range runs over into the next {next} at some times, and not at others"),
        )
        .hint("its end lies before its start at some times only; give both ends the same weekday, or count both from the same side"),
    };
    problems.push(problem);
}

fn check_hours(rule: &Rule, definition: &Definition, problems: &mut Vec<Problem>) {
    if rule.hours.is_empty() {
        let message = format!("the days \"{}\" have no hours", rule.days.value);
        problems.push(Problem::error(None, message));
    }
    for Spanned { value: hours, span } in &rule.hours {
        let end = Hours::DAY.end;
        if hours.start > end || hours.end > end {
            problems.push(
                Problem::error(*span, "hours beyond the end of the day").hint("the end of the day is 24:00"),
            );
        } else if hours.end < hours.start {
            problems.push(
                Problem::error(*span, format!("{hours} ends before it begins"))
                    .hint(overnight::advice(rule, *hours, definition)),
            );
        } else if hours.end == hours.start && hours.start != 0 {
            problems.push(
                Problem::warning(*span, format!("{hours} is empty"))
                    .hint("write 00:00-00:00 for no time on these days, if that is meant"),
            );
        }
    }
}

fn check_duplicates(definition: &Definition, problems: &mut Vec<Problem>) {
    let mut weekdays: HashMap<Days, &Rule> = HashMap::new();
    let mut exceptions: HashMap<Dates, &Rule> = HashMap::new();
    for rule in &definition.rules {
        let days = &rule.days;
        let written = days.value;
        if let Some((_, dates)) = exception(&written) {
            if let Some(first) = exceptions.get(&dates) {
                let message = format!("\"{written}\" is given twice; the first line counts, not this one");
                problems.push(
                    Problem::warning(days.span, message)
                        .hint("write all hours on one line, with commas between them")
                        .related(first.days.span, "the line that counts"),
                );
            } else {
                exceptions.insert(dates, rule);
            }
        } else if let Some(lost) = weekdays.insert(written, rule) {
            let message = format!("\"{written}\" is given twice; the last line counts, not this one");
            let both =
                Shape::new([shape(lost), shape(rule)].iter().flat_map(|shape| shape.ranges().to_vec()));
            problems.push(
                Problem::warning(lost.days.span, message)
                    .hint(format!("write all hours on one line: {written} {both}"))
                    .related(days.span, "the line that counts"),
            );
        }
    }
}
