//! Days as numbers: the proleptic Gregorian calendar without a date type.
//!
//! A day number counts from 1970-01-01. The calendar repeats every [`GREGORIAN_CYCLE`] days, which
//! is a whole number of weeks; that is what makes a definite "never" possible. Nothing here knows
//! of zones or of time of day.
//!
//! Read next: [`super::dates`], which says which days a line of a period means.

/// A day, counted from 1970-01-01.
pub(crate) type Day = i32;

/// Seconds in a civil day; a day on the civil line has neither gaps nor folds.
pub(crate) const DAY_SECONDS: i64 = 86_400;

/// Days in 400 years, after which weekdays and leap years repeat.
pub(crate) const GREGORIAN_CYCLE: i64 = 146_097;

/// The day of a date. Months count from 1; `day` may lie outside the month and then runs over.
pub(crate) fn from_date(year: i32, month: u8, day: i32) -> Day {
    // The year is taken to begin in March, so that the leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (i32::from(month) + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The year, month (from 1) and day of the month (from 1) of a day.
pub(crate) fn to_date(day: Day) -> (i32, u8, u8) {
    let shifted = i64::from(day) + 719_468;
    let era = shifted.div_euclid(GREGORIAN_CYCLE);
    let day_of_era = shifted.rem_euclid(GREGORIAN_CYCLE);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year as i32, month as u8, day as u8)
}

/// Days in a month.
pub(crate) fn month_length(year: i32, month: u8) -> i32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The weekday of a day: 0 is Sunday.
pub(crate) fn weekday(day: Day) -> u8 {
    // 1970-01-01 was a Thursday; rem_euclid gives 0..7, which fits.
    (i64::from(day) + 4).rem_euclid(7) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_with_jiff_over_the_whole_range() {
        let first = from_date(-9999, 1, 1);
        let last = from_date(9999, 12, 31);
        let epoch = jiff::civil::date(1970, 1, 1);
        for day in (first..=last).step_by(97) {
            let (year, month, dom) = to_date(day);
            assert_eq!(from_date(year, month, i32::from(dom)), day);
            let date = jiff::civil::date(year as i16, month as i8, dom as i8);
            assert_eq!((date - epoch).get_days(), day);
            assert_eq!(date.weekday().to_sunday_zero_offset(), weekday(day) as i8);
            assert_eq!(i32::from(date.days_in_month()), month_length(year, month));
        }
    }
}
