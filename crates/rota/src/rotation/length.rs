//! From one handoff to the next, on the civil line: no zone, no gaps, no folds.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

const HOUR_SECONDS: i64 = 3_600;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;

/// How long a turn is, in units of the clock on the wall and the calendar.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    /// Hours as the clock shows them, 1 to 8,760: 12 hours from 08:00 on means 08:00 and 20:00 every day, also
    /// on the day on which the clocks change.
    Hours(u16),
    /// Days, as a cycle of 1 to 64 entries of 1 to 366 days each: `[7]` is weekly, `[1]` daily, `[4, 3]` from
    /// Monday to Thursday and from Friday to Sunday.
    Days(Vec<u16>),
    /// Months, 1 to 120, always counted from the start: a start on the 31st means the last day of every month,
    /// one on the 30th means the 30th, and in February the last day.
    Months(u16),
}

impl Length {
    /// What the clock shows at handoff `number`; nothing beyond the years that a date can have.
    pub(super) fn reading(&self, start: DateTime, number: i64) -> Option<DateTime> {
        let seconds = match self {
            Length::Hours(hours) => number.checked_mul(i64::from(*hours) * HOUR_SECONDS)?,
            Length::Days(cycle) => {
                let length = cycle.len().max(1) as i64;
                let within: i64 =
                    cycle.iter().take(number.rem_euclid(length) as usize).copied().map(i64::from).sum();
                let days = number.div_euclid(length).checked_mul(cycle_days(cycle))?.checked_add(within)?;
                days.checked_mul(DAY_SECONDS)?
            }
            Length::Months(months) => return add_months(start, number.checked_mul(i64::from(*months))?),
        };
        start.checked_add(SignedDuration::from_secs(seconds)).ok()
    }

    /// The last handoff that comes no later than a reading.
    pub(super) fn number(&self, start: DateTime, reading: DateTime) -> i64 {
        let elapsed = reading.duration_since(start);
        let seconds = elapsed.as_secs() - i64::from(elapsed.subsec_nanos() < 0);
        match self {
            Length::Hours(hours) => seconds.div_euclid(i64::from(*hours).max(1) * HOUR_SECONDS),
            Length::Days(cycle) => {
                let days = seconds.div_euclid(DAY_SECONDS);
                let mut within = days.rem_euclid(cycle_days(cycle));
                let begun = cycle.iter().take_while(|entry| {
                    within -= i64::from(**entry);
                    within >= 0
                });
                days.div_euclid(cycle_days(cycle)) * cycle.len() as i64 + begun.count() as i64
            }
            Length::Months(months) => {
                let elapsed = month_number(reading.date()) - month_number(start.date());
                let number = elapsed.div_euclid(i64::from(*months).max(1));
                let is_later = self.reading(start, number).is_some_and(|handoff| handoff > reading);
                number - i64::from(is_later)
            }
        }
    }
}

/// Days in which a cycle comes round.
fn cycle_days(cycle: &[u16]) -> i64 {
    cycle.iter().copied().map(i64::from).sum::<i64>().max(1)
}

fn month_number(date: Date) -> i64 {
    i64::from(date.year()) * 12 + i64::from(date.month()) - 1
}

/// The same day of the month and time of day so many months later, or the last day of a month that is shorter.
fn add_months(start: DateTime, months: i64) -> Option<DateTime> {
    let number = month_number(start.date()).checked_add(months)?;
    let year = i16::try_from(number.div_euclid(12)).ok()?;
    // 1 to 12.
    let month = number.rem_euclid(12) as i8 + 1;
    let last = Date::new(year, month, 1).ok()?.last_of_month();
    let day = start.day().min(last.day());
    Some(Date::new(year, month, day).ok()?.to_datetime(start.time()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// A number is that of the reading it leads to, and the second before belongs to the number before.
    #[test]
    fn numbers_and_readings_agree() {
        let start = date(2024, 1, 31).at(8, 0, 0, 0);
        let lengths = [
            Length::Hours(12),
            Length::Hours(5),
            Length::Days(vec![7]),
            Length::Days(vec![2, 2, 3]),
            Length::Months(1),
            Length::Months(7),
        ];
        for length in lengths {
            for number in -500..500 {
                let reading = length.reading(start, number).unwrap();
                assert_eq!(length.number(start, reading), number, "{length:?}");
                let before = reading.checked_sub(SignedDuration::from_nanos(1)).unwrap();
                assert_eq!(length.number(start, before), number - 1, "{length:?}");
            }
        }
    }

    #[test]
    fn months_are_counted_from_the_start() {
        let days = |day, month, year| {
            let start = date(year, month, day).at(8, 0, 0, 0);
            (0..6).map(|n| Length::Months(1).reading(start, n).unwrap().day()).collect::<Vec<_>>()
        };
        assert_eq!(days(31, 12, 2023), [31, 31, 29, 31, 30, 31]);
        assert_eq!(days(30, 12, 2022), [30, 30, 28, 30, 30, 30]);
        assert_eq!(days(29, 1, 2023), [29, 28, 29, 29, 29, 29]);
    }
}
