//! Which days a line of a period means.
//!
//! All five forms of exception come down to three: a stretch of calendar days, something that
//! comes once a month, and something that comes once a year. The two latter are *occurrences*: the
//! occurrence of a month (or year) runs from its start to its end in that month, or in the next one
//! when the end would lie before the start. A day matches when an occurrence covers it and the skip
//! counts to it. Only days are known here; hours and precedence belong to [`mod@super::calendar`].
//!
//! Read next: [`mod@super::calendar`].

use super::day::{self, Day};

/// A day within a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum DayOfMonth {
    /// The n-th day; negative from the end.
    Number(i8),
    /// The n-th such weekday (0 is Sunday); negative from the end.
    Weekday(u8, i8),
}

impl DayOfMonth {
    /// The day this means in a month, if the month has one.
    fn find(self, year: i32, month: u8) -> Option<Day> {
        let length = day::month_length(year, month);
        let number = match self {
            DayOfMonth::Number(n) if n < 0 => length + 1 + i32::from(n),
            DayOfMonth::Number(n) => i32::from(n),
            DayOfMonth::Weekday(weekday, n) => {
                if n == 0 {
                    return None;
                }
                let first = day::weekday(day::from_date(year, month, 1));
                let first = 1 + i32::from((weekday + 7 - first) % 7);
                if n > 0 {
                    first + 7 * (i32::from(n) - 1)
                } else {
                    let last = first + (length - first) / 7 * 7;
                    last + 7 * (i32::from(n) + 1)
                }
            }
        };
        (1..=length).contains(&number).then(|| day::from_date(year, month, number))
    }

    /// The same for the end of a range: a day past the end of the month is its last day.
    fn find_end(self, year: i32, month: u8) -> Option<Day> {
        let (DayOfMonth::Number(n) | DayOfMonth::Weekday(_, n)) = self;
        self.find(year, month)
            .or_else(|| (n > 0).then(|| day::from_date(year, month, day::month_length(year, month))))
    }
}

/// A set of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Dates {
    /// From one day to another, both included; every `every`-th of them.
    Calendar {
        first: Day,
        /// [`Day::MAX`] when it has no end.
        last: Day,
        every: u32,
    },
    /// Something that comes once a month.
    Monthly { start: DayOfMonth, end: DayOfMonth, every: u32 },
    /// Something that comes once a year; months count from 1.
    Yearly { start: (u8, DayOfMonth), end: (u8, DayOfMonth), every: u32 },
}

/// Days `first..=last`, counting every `every`-th from `origin`, which is `first` unless clipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: Day,
    pub(crate) last: Day,
    pub(crate) every: u32,
}

impl Run {
    fn contains(&self, day: Day) -> bool {
        self.first <= day
            && day <= self.last
            && (self.every <= 1 || (i64::from(day) - i64::from(self.first)) % i64::from(self.every) == 0)
    }

    /// The days of this run within `from..to`.
    pub(crate) fn days_within(&self, from: Day, to: Day) -> impl Iterator<Item = Day> + use<> {
        let every = i64::from(self.every.max(1));
        let (origin, from) = (i64::from(self.first), i64::from(from));
        let first = if from > origin { origin + (from - origin + every - 1) / every * every } else { origin };
        let end = i64::from(to).min(i64::from(self.last) + 1);
        // Both ends lie within from..to, so they are days.
        (first..end.max(first)).step_by(usize::try_from(every).unwrap_or(usize::MAX)).map(|day| day as Day)
    }
}

/// A month, counted from January of year 0; lets monthly occurrences be numbered.
fn month_number(day: Day) -> i32 {
    let (year, month, _) = day::to_date(day);
    year * 12 + i32::from(month) - 1
}

fn year_of(day: Day) -> i32 {
    day::to_date(day).0
}

fn year_and_month(number: i32) -> (i32, u8) {
    // rem_euclid(12) is 0..12.
    (number.div_euclid(12), number.rem_euclid(12) as u8 + 1)
}

/// How many years to look ahead for the start of a yearly occurrence: 29 February can be eight
/// years away.
const LOOK_AHEAD_YEARS: i32 = 9;

impl Dates {
    /// Whether `day` is one of the days.
    pub(crate) fn contains(&self, day: Day) -> bool {
        let number = match self {
            Dates::Calendar { .. } => 0,
            Dates::Monthly { .. } => month_number(day),
            Dates::Yearly { .. } => day::to_date(day).0,
        };
        self.occurrence(number).is_some_and(|run| run.contains(day))
            || self.wraps_over() && self.occurrence(number - 1).is_some_and(|run| run.contains(day))
    }

    /// Calls `paint` for each run of days that touches `from..to`.
    pub(crate) fn runs_within(&self, from: Day, to: Day, mut paint: impl FnMut(Run)) {
        let numbers = match self {
            Dates::Calendar { .. } => 0..=0,
            Dates::Monthly { .. } => month_number(from) - 1..=month_number(to - 1),
            Dates::Yearly { .. } => day::to_date(from).0 - 1..=day::to_date(to - 1).0,
        };
        for number in numbers {
            if let Some(run) = self.occurrence(number)
                && run.first < to
                && run.last >= from
            {
                paint(run);
            }
        }
    }

    /// Whether `day` matches, and a day until which (exclusive) that surely stays so.
    pub(crate) fn steady(&self, day: Day) -> (bool, Day) {
        let here = self.contains(day);
        let tomorrow = day.saturating_add(1);
        match *self {
            Dates::Calendar { first, last, every } => {
                if day < first {
                    (false, first)
                } else if day > last {
                    (false, Day::MAX)
                } else if every <= 1 {
                    (true, last.saturating_add(1))
                } else if here {
                    (true, tomorrow)
                } else {
                    let run = Run { first, last, every };
                    let next = run.days_within(day, last.saturating_add(1)).next();
                    (false, next.unwrap_or(Day::MAX))
                }
            }
            Dates::Monthly { .. } => self.steady_occurrence(day, here, month_number(day), 12),
            Dates::Yearly { .. } => self.steady_occurrence(day, here, day::to_date(day).0, 1),
        }
    }

    fn steady_occurrence(&self, day: Day, here: bool, number: i32, per_year: i32) -> (bool, Day) {
        let tomorrow = day.saturating_add(1);
        let ahead = LOOK_AHEAD_YEARS * per_year;
        for number in number - 1..=number + ahead {
            let Some(run) = self.occurrence(number) else {
                continue;
            };
            if here {
                if run.contains(day) {
                    let until = if run.every <= 1 { run.last + 1 } else { tomorrow };
                    return (true, until);
                }
            } else if run.first > day {
                return (false, run.first);
            } else if run.last > day {
                // Inside an occurrence, between two days of its skip.
                return (false, tomorrow);
            }
        }
        (here, tomorrow)
    }

    /// The days of the occurrence with this number: year, or month counted from year 0.
    fn occurrence(&self, number: i32) -> Option<Run> {
        match *self {
            Dates::Calendar { first, last, every } => Some(Run { first, last, every }),
            Dates::Monthly { start, end, every } => {
                let (year, month) = year_and_month(number);
                let first = start.find(year, month)?;
                let mut last = end.find_end(year, month)?;
                if last < first {
                    let (year, month) = year_and_month(number + 1);
                    last = end.find_end(year, month)?;
                }
                Some(Run { first, last, every })
            }
            Dates::Yearly { start, end, every } => {
                let first = start.1.find(number, start.0)?;
                let mut last = end.1.find_end(number, end.0)?;
                if last < first {
                    last = end.1.find_end(number + 1, end.0)?;
                }
                Some(Run { first, last, every })
            }
        }
    }

    /// Whether an occurrence can reach into the next month or year; spares a second look if not.
    fn wraps_over(&self) -> bool {
        match self {
            Dates::Calendar { .. } => false,
            Dates::Monthly { start, end, .. } => start != end,
            Dates::Yearly { start, end, .. } => start.0 >= end.0 && start != end,
        }
    }

    /// Whether some occurrences run straight on, and whether some run over into the next month or
    /// year; seen over one leap cycle and all weekdays.
    pub(crate) fn directions(&self) -> (bool, bool) {
        let (numbers, number_of) = match self {
            Dates::Calendar { .. } => return (true, false),
            Dates::Monthly { .. } => (2000 * 12..2028 * 12, month_number as fn(Day) -> i32),
            Dates::Yearly { .. } => (2000..2028, year_of as fn(Day) -> i32),
        };
        let mut directions = (false, false);
        for number in numbers {
            if let Some(run) = self.occurrence(number) {
                if number_of(run.last) > number_of(run.first) {
                    directions.1 = true;
                } else {
                    directions.0 = true;
                }
            }
        }
        directions
    }

    /// From this day on the days repeat after [`Self::cycle`] days.
    pub(crate) fn settled(&self) -> Day {
        match *self {
            Dates::Calendar { first, last, .. } if last == Day::MAX => first,
            Dates::Calendar { last, .. } => last.saturating_add(1),
            _ => Day::MIN,
        }
    }

    /// The length of the repetition, beside that of the calendar itself.
    pub(crate) fn cycle(&self) -> u32 {
        match *self {
            Dates::Calendar { last, every, .. } if last == Day::MAX => every.max(1),
            _ => 1,
        }
    }
}
