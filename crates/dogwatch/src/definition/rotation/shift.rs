//! How the length of a turn and the time of the handoff are written.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{Span, ToSpan, Zoned};
use rota::rotation::Length;

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// Months to look back for one in which a day is not cut off: four years hold a leap day.
const MONTHS_BACK: i32 = 8 * 12;

/// Reads `12 hours`, `1 day`, `2 weeks`, `1 month`, `4, 3 days`.
pub(super) fn parse_length(text: &str) -> Result<Length, String> {
    let wrong = || {
        format!(
            "\"{text}\" is no length of a turn; write \"12 hours\", \"1 day\", \"1 week\", \"2 weeks\", \
             \"1 month\" or a cycle such as \"4, 3 days\""
        )
    };
    let split = text.rfind(|letter: char| letter.is_ascii_digit()).ok_or_else(wrong)? + 1;
    let numbers =
        text[..split].split(',').map(|number| number.trim().parse().ok().filter(|number| *number > 0));
    let numbers: Vec<u16> = numbers.collect::<Option<_>>().ok_or_else(wrong)?;
    match (text[split..].trim().trim_end_matches('s'), numbers.as_slice()) {
        ("hour" | "h", [hours]) => Ok(Length::Hours(*hours)),
        ("day" | "d", days) => Ok(Length::Days(days.to_vec())),
        ("week" | "w", weeks) => {
            let days: Option<Vec<u16>> = weeks.iter().map(|weeks| weeks.checked_mul(7)).collect();
            days.map(Length::Days).ok_or_else(wrong)
        }
        ("month", [months]) => Ok(Length::Months(*months)),
        _ => Err(wrong()),
    }
}

/// The form that [`parse_length`] reads.
pub(super) fn print_length(length: &Length) -> String {
    match length {
        Length::Hours(hours) => format!("{hours} hours"),
        Length::Months(months) => format!("{months} months"),
        Length::Days(days) => {
            let days: Vec<_> = days.iter().map(ToString::to_string).collect();
            format!("{} days", days.join(", "))
        }
    }
}

/// Reads `2026-01-05` (midnight), `2026-01-05 08:00` or `2026-01-05T08:00:00`.
pub(super) fn parse_civil(text: &str) -> Result<DateTime, String> {
    let date = text.parse::<Date>().ok().filter(|_| text.len() == 10).map(|date| date.at(0, 0, 0, 0));
    // What names a zone or an offset means an instant, which is not what a clock on the wall shows.
    let has_zone = |text: &str| text.get(10..).is_some_and(|time| time.contains(['Z', 'z', '+', '-', '[']));
    let read = date.or_else(|| text.parse::<DateTime>().ok().filter(|_| !has_zone(text)));
    read.ok_or_else(|| {
        format!(
            "\"{text}\" is no date; write one such as \"2026-01-05\" or \"2026-01-05 08:00\", without a zone"
        )
    })
}

/// When turns change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Handoff {
    time: Time,
    days: Days,
}

/// On which days.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Days {
    /// Any that the length comes to.
    #[default]
    Any,
    /// On these, in the order of a week.
    OfWeek(Vec<Weekday>),
    /// On this day of a month, or the last where a month has no such day.
    OfMonth(i8),
}

/// Whether turns of these days come to whole weeks.
fn are_weeks(length: &Length) -> bool {
    matches!(length, Length::Days(cycle) if cycle.iter().map(|days| u32::from(*days)).sum::<u32>() % 7 == 0)
}

fn name(weekday: Weekday) -> &'static str {
    WEEKDAYS[usize::from(weekday.to_monday_zero_offset().unsigned_abs()) % 7].0
}

impl Handoff {
    /// Reads a handoff for turns of a length.
    pub(super) fn parse(text: &str, length: &Length) -> Result<Self, String> {
        let wrong = || {
            format!(
                "\"{text}\" is no handoff; write \"08:00\", \"monday 08:00\", \"monday, thursday 08:00\", \
                 \"day 1 08:00\" or \"last day 08:00\""
            )
        };
        let text = text.trim();
        let (days, time) = text.rsplit_once(' ').unwrap_or(("", text));
        let (hour, minute) = time.split_once(':').ok_or_else(wrong)?;
        let number = |digits: &str| {
            let is_plain =
                (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<i8>().ok().filter(|_| is_plain).ok_or_else(wrong)
        };
        let time = Time::new(number(hour)?, number(minute)?, 0, 0).map_err(|_| wrong())?;
        let days = match days.trim() {
            "" => Days::Any,
            "last day" => Days::OfMonth(31),
            days => match days.strip_prefix("day ") {
                Some(day) => Days::OfMonth(number(day.trim())?),
                None => {
                    let named = days.split([',', ' ']).filter(|day| !day.is_empty()).map(|day| {
                        let day = day.to_ascii_lowercase();
                        WEEKDAYS
                            .iter()
                            .find(|(name, _)| *name == day || name[..3] == day)
                            .map(|(_, day)| *day)
                    });
                    let mut named = named.collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
                    named.sort_by_key(|day| day.to_monday_zero_offset());
                    named.dedup();
                    Days::OfWeek(named)
                }
            },
        };
        match &days {
            Days::OfMonth(day) if !(1..=31).contains(day) => {
                Err(format!("there is no day {day} in any month; write 1 to 31, or \"last day\""))
            }
            Days::OfMonth(_) if !matches!(length, Length::Months(_)) => {
                Err("a day of the month goes with turns of months".to_owned())
            }
            Days::OfWeek(named) if named.len() > 1 && *length != Length::Days(vec![7]) => {
                Err("several weekdays go with every = \"1 week\": each of them begins a turn".to_owned())
            }
            Days::OfWeek(_) if !are_weeks(length) => {
                Err("a weekday goes with turns of weeks, or a cycle of days that comes to weeks".to_owned())
            }
            _ => Ok(Self { time, days }),
        }
    }

    /// The length of turns, where several weekdays divide the week.
    pub(super) fn length(&self, length: Length) -> Length {
        let Days::OfWeek(named) = &self.days else { return length };
        let offsets: Vec<i8> = named.iter().map(|day| day.to_monday_zero_offset()).collect();
        let [first, .., _] = offsets.as_slice() else { return length };
        let next = offsets.iter().skip(1).copied().chain([first + 7]);
        // Days of a week, in order: they are 1 to 6 apart.
        Length::Days(
            offsets.iter().zip(next).map(|(day, next)| u16::from((next - day).unsigned_abs())).collect(),
        )
    }

    /// Checks a written start, and gives it the time of the handoff where it says only the day.
    pub(super) fn check(&self, start: DateTime) -> Result<DateTime, String> {
        let is_day = start.time() == Time::midnight();
        if !is_day && self.time != Time::midnight() && start.time() != self.time {
            return Err(format!(
                "is at {}, but the handoff is at {}; leave the time out here",
                start.strftime("%H:%M"),
                self.time.strftime("%H:%M")
            ));
        }
        let start = if is_day { start.date().to_datetime(self.time) } else { start };
        match &self.days {
            Days::OfWeek(named) if named.first().is_some_and(|first| *first != start.weekday()) => {
                let first = named.first().copied().map_or("", name);
                Err(format!(
                    "{} is a {}; the first turn begins on a {first}",
                    start.date(),
                    name(start.weekday())
                ))
            }
            Days::OfMonth(day) if start.day() != (*day).min(start.days_in_month()) => {
                Err(format!("{} is not day {day} of its month, nor the last", start.date()))
            }
            _ => Ok(start),
        }
    }

    /// The handoff from which turns are counted: the start, or an earlier one in a month that has the day which
    /// is meant, so that a month that is too short does not cut it off for all others.
    pub(super) fn anchor(&self, start: DateTime, length: &Length) -> DateTime {
        let (Days::OfMonth(day), Length::Months(months)) = (&self.days, length) else { return start };
        let step = i32::from(*months).max(1);
        let earlier = (0..=MONTHS_BACK).step_by(step as usize).filter_map(|back| {
            let month = start.date().first_of_month().checked_sub(back.months()).ok()?;
            month.with().day((*day).min(month.days_in_month())).build().ok()
        });
        // Of equally good ones the nearest.
        let best = earlier.min_by_key(|date| *day - date.day());
        best.map_or(start, |date| date.to_datetime(start.time()))
    }

    /// The last handoff that is not after `now`, as the clocks show it; of a cycle the last beginning.
    pub(super) fn last(&self, now: &Zoned, length: &Length) -> Result<DateTime, String> {
        let today = now.date();
        let of_week = |first: Weekday| {
            let back = today.weekday().to_monday_zero_offset() - first.to_monday_zero_offset();
            (i32::from(back.rem_euclid(7)).days(), 1.week())
        };
        let (back, step): (Span, Span) = match (&self.days, length) {
            (Days::OfMonth(day), _) => {
                let of = |date: Date| date.with().day((*day).min(date.days_in_month())).build();
                let this =
                    of(today).map(|date| date.to_datetime(self.time)).map_err(|error| error.to_string())?;
                if this <= now.datetime() {
                    return Ok(this);
                }
                let before = today.first_of_month().yesterday().and_then(of);
                return before.map(|date| date.to_datetime(self.time)).map_err(|error| error.to_string());
            }
            (Days::OfWeek(named), _) => of_week(named.first().copied().unwrap_or(Weekday::Monday)),
            (Days::Any, length) if are_weeks(length) => of_week(Weekday::Monday),
            (Days::Any, Length::Months(_)) => (i32::from(today.day() - 1).days(), 1.month()),
            (Days::Any, _) => (0.days(), 1.day()),
        };
        let before = |at: DateTime, span: Span| at.checked_sub(span).map_err(|error| error.to_string());
        let mut last = before(today.to_datetime(self.time), back)?;
        if last > now.datetime() {
            last = before(last, step)?;
        }
        if let Length::Hours(hours) = length {
            while let Ok(next) = last.checked_add(i32::from(*hours).hours())
                && next <= now.datetime()
            {
                last = next;
            }
        }
        Ok(last)
    }
}
