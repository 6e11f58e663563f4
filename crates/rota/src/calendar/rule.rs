//! A recurrence rule: `RRULE` of RFC 5545, 3.3.10, as it is written.
//!
//! A [`Rule`] is read from its text and from nothing else, so that one that exists keeps the limits of the RFC
//! and ours. It says nothing of when: that needs a start, see `super::pattern`.
//!
//! Read next: `super::rule_text`, which reads one.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

/// A recurrence rule (`RRULE`), such as `FREQ=WEEKLY;INTERVAL=2;BYDAY=MO`.
///
/// It is made with [`str::parse`]. Read are `FREQ` from `HOURLY` to `YEARLY`, `INTERVAL` up to 1,000, `COUNT`
/// up to 10,000, `UNTIL`, `WKST` and every `BY…` part, with at most 96 times a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub(super) frequency: Frequency,
    /// Every how many hours, days, weeks, months or years.
    pub(super) interval: i64,
    pub(super) end: End,
    pub(super) parts: Parts,
    /// The first day of a week: 0 is Sunday.
    pub(super) week_start: u8,
}

impl Rule {
    /// Whether it names times of the day, which an event of whole days does not have.
    pub(super) fn has_times(&self) -> bool {
        let Parts { hours, minutes, seconds, .. } = &self.parts;
        self.frequency == Frequency::Hourly || [hours, minutes, seconds].iter().any(|part| !part.is_empty())
    }
}

/// The `BY…` parts. An empty list is a part that was not written. Lists are sorted and have nothing twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts {
    pub(super) months: Vec<i64>,
    /// `BYWEEKNO`; below zero from the end of the year, here and in the next two.
    pub(super) weeks: Vec<i64>,
    pub(super) year_days: Vec<i64>,
    pub(super) month_days: Vec<i64>,
    pub(super) weekdays: Vec<NthWeekday>,
    pub(super) hours: Vec<i64>,
    pub(super) minutes: Vec<i64>,
    pub(super) seconds: Vec<i64>,
    /// `BYSETPOS`
    pub(super) positions: Vec<i64>,
}

/// How often a rule looks again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Frequency {
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Yearly,
}

/// `2TU`, `-1FR`, or `MO`, whose `nth` is 0: every one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NthWeekday {
    pub(super) nth: i64,
    /// 0 is Sunday.
    pub(super) weekday: u8,
}

/// When a rule is through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Never,
    /// After so many occurrences, the start being the first.
    Count(u32),
    /// Whole days in the zone of the start, this one included.
    UntilDate(Date),
    /// A clock reading in the zone of the start, itself included.
    UntilReading(DateTime),
    /// An instant, itself included.
    UntilInstant(Timestamp),
}

/// Why the text of a rule is none that can be put to use: a sentence that names the part and says what to
/// write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError(pub(super) String);

impl std::fmt::Display for RuleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RuleError {}
