//! Reads the text of a rule: `FREQ=MONTHLY;BYDAY=1MO` to [`Rule`] (RFC 5545, 3.3.10).
//!
//! What the RFC forbids is refused, and so is what nobody's duty needs and only an attack would write: each
//! with a sentence that names the part.

use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::tz::TimeZone;

use super::rule::{End, Frequency, NthWeekday, Parts, Rule, RuleError};
use super::value::{date, date_time};
use crate::suggest;

/// Larger intervals are no duty; small ones keep every search short.
const MAX_INTERVAL: i64 = 1_000;
/// A rule that ends by a count is walked through once, from its start.
const MAX_COUNT: i64 = 10_000;
/// Every quarter of an hour.
const MAX_TIMES_A_DAY: usize = 96;

const PARTS: [&str; 14] = [
    "FREQ",
    "INTERVAL",
    "COUNT",
    "UNTIL",
    "WKST",
    "BYMONTH",
    "BYWEEKNO",
    "BYYEARDAY",
    "BYMONTHDAY",
    "BYDAY",
    "BYHOUR",
    "BYMINUTE",
    "BYSECOND",
    "BYSETPOS",
];
const WEEKDAYS: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Rule, RuleError> {
        let mut frequency = None;
        let mut interval = 1;
        let mut end = End::Never;
        let mut parts = Parts::default();
        let mut week_start = 1;
        let mut seen: Vec<String> = Vec::new();

        for part in text.trim().split(';').filter(|part| !part.is_empty()) {
            let Some((name, value)) = part.split_once('=') else {
                return wrong(format!("{part:?} has no \"=\"; a part is written NAME=VALUE"));
            };
            let name = name.trim().to_ascii_uppercase();
            let value = value.trim().to_ascii_uppercase();
            let value = value.as_str();
            if seen.contains(&name) {
                return wrong(format!(
                    "{name} is there twice; write it once, with values separated by commas"
                ));
            }
            match name.as_str() {
                "FREQ" => frequency = Some(read_frequency(value)?),
                "INTERVAL" => interval = number("INTERVAL", value, 1..=MAX_INTERVAL)?,
                "COUNT" => end = End::Count(number("COUNT", value, 1..=MAX_COUNT)? as u32),
                "UNTIL" => end = read_until(value)?,
                "WKST" => week_start = read_weekday("WKST", value)?,
                "BYMONTH" => parts.months = numbers("BYMONTH", value, 1..=12, false)?,
                "BYWEEKNO" => parts.weeks = numbers("BYWEEKNO", value, 1..=53, true)?,
                "BYYEARDAY" => parts.year_days = numbers("BYYEARDAY", value, 1..=366, true)?,
                "BYMONTHDAY" => parts.month_days = numbers("BYMONTHDAY", value, 1..=31, true)?,
                "BYDAY" => {
                    parts.weekdays = sorted(value.split(',').map(read_nth_weekday).collect::<Result<_, _>>()?)
                }
                "BYHOUR" => parts.hours = numbers("BYHOUR", value, 0..=23, false)?,
                "BYMINUTE" => parts.minutes = numbers("BYMINUTE", value, 0..=59, false)?,
                "BYSECOND" => parts.seconds = numbers("BYSECOND", value, 0..=59, false)?,
                "BYSETPOS" => parts.positions = numbers("BYSETPOS", value, 1..=366, true)?,
                other => return wrong(unknown_part(other)),
            }
            seen.push(name);
        }
        let has = |name: &str| seen.iter().any(|part| part == name);
        let Some(frequency) = frequency else {
            return wrong("FREQ is missing; write for example FREQ=WEEKLY".to_owned());
        };
        if has("COUNT") && has("UNTIL") {
            return wrong("COUNT and UNTIL are both there; write one of them".to_owned());
        }
        let rule = Rule { frequency, interval, end, parts, week_start };
        check(&rule)?;
        Ok(rule)
    }
}

/// What RFC 5545 says "MUST NOT" of, and our limits.
fn check(rule: &Rule) -> Result<(), RuleError> {
    use Frequency::{Daily, Hourly, Monthly, Weekly, Yearly};
    let Parts { months, weeks, year_days, month_days, weekdays, hours, minutes, seconds, positions } =
        &rule.parts;
    let frequency = rule.frequency;
    let has_ordinal = weekdays.iter().any(|day| day.nth != 0);
    let refused = [
        (!weeks.is_empty() && frequency != Yearly, "BYWEEKNO goes with FREQ=YEARLY only"),
        (
            !year_days.is_empty() && matches!(frequency, Daily | Weekly | Monthly),
            "BYYEARDAY goes with FREQ=YEARLY or HOURLY only",
        ),
        (
            !month_days.is_empty() && frequency == Weekly,
            "BYMONTHDAY does not go with FREQ=WEEKLY; write FREQ=DAILY",
        ),
        (
            has_ordinal && !matches!(frequency, Monthly | Yearly),
            "BYDAY with a number, such as 1MO, goes with FREQ=MONTHLY or YEARLY only",
        ),
        (has_ordinal && !weeks.is_empty(), "BYDAY with a number, such as 1MO, does not go with BYWEEKNO"),
        (
            !positions.is_empty() && frequency == Hourly,
            "BYSETPOS with FREQ=HOURLY is not supported; write BYMINUTE",
        ),
        (
            !positions.is_empty()
                && [months, weeks, year_days, month_days, hours, minutes, seconds]
                    .iter()
                    .all(|part| part.is_empty())
                && weekdays.is_empty(),
            "BYSETPOS chooses from what another BY… part gives, and there is none; write for example BYDAY",
        ),
    ];
    if let Some((_, why)) = refused.iter().find(|(applies, _)| *applies) {
        return wrong((*why).to_owned());
    }
    let hours = if frequency == Hourly && hours.is_empty() { 24 } else { hours.len().max(1) };
    if hours * minutes.len().max(1) * seconds.len().max(1) > MAX_TIMES_A_DAY {
        return wrong(format!(
            "BYHOUR, BYMINUTE and BYSECOND give more than {MAX_TIMES_A_DAY} times a day; write fewer"
        ));
    }
    Ok(())
}

fn read_frequency(value: &str) -> Result<Frequency, RuleError> {
    Ok(match value {
        "HOURLY" => Frequency::Hourly,
        "DAILY" => Frequency::Daily,
        "WEEKLY" => Frequency::Weekly,
        "MONTHLY" => Frequency::Monthly,
        "YEARLY" => Frequency::Yearly,
        "SECONDLY" | "MINUTELY" => {
            return wrong(format!(
                "FREQ={value} is not supported; nobody's duty changes that often; write HOURLY"
            ));
        }
        _ => {
            return wrong(format!(
                "FREQ={value} is no frequency; write HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY"
            ));
        }
    })
}

fn read_until(value: &str) -> Result<End, RuleError> {
    if let Some(day) = date(value) {
        return Ok(End::UntilDate(day));
    }
    if let Some(reading) = value.strip_suffix('Z').and_then(date_time) {
        // A reading in UTC has one instant, unless it lies beyond the end of time, which is no end.
        return Ok(TimeZone::UTC.to_timestamp(reading).map_or(End::Never, End::UntilInstant));
    }
    match date_time(value) {
        Some(reading) => Ok(End::UntilReading(reading)),
        None => wrong(format!("UNTIL={value} is no date or time; write 20261231 or 20261231T220000Z")),
    }
}

fn read_nth_weekday(item: &str) -> Result<NthWeekday, RuleError> {
    let item = item.trim();
    // A weekday has two letters; what does not end in two whole ones is refused below.
    let split = item.len().checked_sub(2).filter(|split| item.is_char_boundary(*split)).unwrap_or(0);
    let (nth, name) = item.split_at(split);
    let weekday = read_weekday("BYDAY", name)?;
    let nth = if nth.is_empty() { 0 } else { signed("BYDAY", nth, 1..=53)? };
    Ok(NthWeekday { nth, weekday })
}

fn read_weekday(part: &str, name: &str) -> Result<u8, RuleError> {
    match WEEKDAYS.iter().position(|known| *known == name) {
        Some(weekday) => Ok(weekday as u8),
        None => wrong(format!("{part}: {name:?} is no weekday; write MO, TU, WE, TH, FR, SA or SU")),
    }
}

fn numbers(
    part: &str,
    value: &str,
    range: RangeInclusive<i64>,
    from_end: bool,
) -> Result<Vec<i64>, RuleError> {
    let read = |item: &str| match from_end {
        true => signed(part, item.trim(), range.clone()),
        false => number(part, item.trim(), range.clone()),
    };
    Ok(sorted(value.split(',').map(read).collect::<Result<_, _>>()?))
}

fn signed(part: &str, item: &str, range: RangeInclusive<i64>) -> Result<i64, RuleError> {
    match item.strip_prefix('-') {
        Some(rest) => Ok(-number(part, rest, range)?),
        None => number(part, item.strip_prefix('+').unwrap_or(item), range),
    }
}

fn number(part: &str, item: &str, range: RangeInclusive<i64>) -> Result<i64, RuleError> {
    let digits = !item.is_empty() && item.bytes().all(|byte| byte.is_ascii_digit());
    match item.parse::<i64>() {
        Ok(number) if digits && range.contains(&number) => Ok(number),
        _ => wrong(format!("{part}: {item:?} is no number from {} to {}", range.start(), range.end())),
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}

fn unknown_part(name: &str) -> String {
    match name {
        "RSCALE" | "SKIP" => format!("{name} (RFC 7529) is not supported; write the rule without it"),
        _ => match suggest::nearest(name, PARTS) {
            Some(near) => format!("{name:?} is no part of a rule; did you mean {near}?"),
            None => format!("{name:?} is no part of a rule; the parts are {}", PARTS.join(", ")),
        },
    }
}

fn wrong<T>(message: String) -> Result<T, RuleError> {
    Err(RuleError(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_whatever_its_order_and_case() {
        let rule: Rule = "byday=-1FR,MO,mo;INTERVAL=2;freq=monthly;".parse().unwrap();
        assert_eq!(rule.frequency, Frequency::Monthly);
        assert_eq!(rule.interval, 2);
        let days = [NthWeekday { nth: -1, weekday: 5 }, NthWeekday { nth: 0, weekday: 1 }];
        assert_eq!(rule.parts.weekdays, days);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let told = |text: &str| text.parse::<Rule>().unwrap_err().to_string();
        for (text, words) in [
            ("", "FREQ is missing"),
            ("BYDAY=MO", "FREQ is missing"),
            ("FREQ", "has no \"=\""),
            ("FREQ=FORTNIGHTLY", "FORTNIGHTLY is no frequency; write HOURLY"),
            ("FREQ=MINUTELY", "FREQ=MINUTELY is not supported"),
            ("FREQ=DAILY;INTERVAL=0", "INTERVAL: \"0\" is no number from 1 to 1000"),
            ("FREQ=DAILY;INTERVAL=99999999999999999999", "is no number from 1 to 1000"),
            ("FREQ=DAILY;COUNT=-1", "COUNT: \"-1\" is no number from 1 to 10000"),
            ("FREQ=DAILY;COUNT=3;UNTIL=20260101", "write one of them"),
            ("FREQ=DAILY;FREQ=DAILY", "FREQ is there twice"),
            ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL=TOMORROW is no date or time; write 20261231"),
            ("FREQ=WEEKLY;BYDAY=XX", "\"XX\" is no weekday; write MO"),
            ("FREQ=WEEKLY;BYDAY=", "\"\" is no weekday"),
            ("FREQ=WEEKLY;BYDAY=üü", "is no weekday"),
            ("FREQ=WEEKLY;BYDAY=1MO", "goes with FREQ=MONTHLY or YEARLY only"),
            ("FREQ=YEARLY;BYWEEKNO=3;BYDAY=1MO", "does not go with BYWEEKNO"),
            ("FREQ=MONTHLY;BYDAY=54MO", "BYDAY: \"54\" is no number from 1 to 53"),
            ("FREQ=WEEKLY;BYMONTHDAY=3", "does not go with FREQ=WEEKLY"),
            ("FREQ=MONTHLY;BYWEEKNO=3", "FREQ=YEARLY only"),
            ("FREQ=DAILY;BYYEARDAY=3", "FREQ=YEARLY or HOURLY only"),
            ("FREQ=MONTHLY;BYSETPOS=1", "there is none"),
            ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY: \"0\" is no number from 1 to 31"),
            ("FREQ=MONTHLY;BYMONTHDAY=--1", "is no number"),
            ("FREQ=MONTHLY;BYDYA=MO", "\"BYDYA\" is no part of a rule; did you mean BYDAY?"),
            ("FREQ=MONTHLY;RSCALE=CHINESE", "RSCALE (RFC 7529) is not supported"),
            (
                "FREQ=DAILY;BYMINUTE=0,1,2,3,4;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20",
                "more than 96",
            ),
            ("FREQ=HOURLY;BYMINUTE=0,10,20,30,40", "more than 96 times a day"),
        ] {
            assert!(told(text).contains(words), "{text}: {}", told(text));
        }
    }
}
