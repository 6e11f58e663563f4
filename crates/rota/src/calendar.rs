//! Calendars: events of iCalendar (RFC 5545) as a source of duty.
//!
//! A [`Calendar`] is made from [`Event`]s, however they came; it answers [`at`](Calendar::at),
//! [`next_change`](Calendar::next_change) and [`occurrences`](Calendar::occurrences). How a calendar is written
//! as text is not known here, but for its values ([`value`]) and its rules ([`Rule`], which is parsed).
//!
//! Recurrence is computed on the clock of the zone in which an event was written, then turned into instants: a
//! shift that begins at 08:00 does so all year. Of several occurrences that overlap, the one that began last is
//! the answer; of those that began together, the event that comes later.
//!
//! Read next: `occurrence`, the answers; `rule`, `pattern` and `series`, from a rule to instants.

mod occurrence;
mod pattern;
mod rule;
mod rule_text;
mod series;
pub mod value;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

pub use occurrence::{Occurrence, Occurrences};
pub use rule::{Rule, RuleError};
use series::{LARGEST_JUMP, Series, TooLong, floor_second, timestamp};

/// An event lasts ten years at most.
const MAX_LENGTH: i64 = 3_660 * 86_400;
/// What making a calendar may cost: a day and a month count one, a year twelve. Honest calendars need less than a
/// hundredth; it is used up within about half a second.
const MAX_WORK: u64 = 1_000_000;

/// Something in a calendar: who, from when, for how long, how often.
#[derive(Clone, Debug)]
pub struct Event {
    /// Whose it is; empty where that does not matter.
    pub people: Arc<[Arc<str>]>,
    /// When it begins first (`DTSTART`). This is always an occurrence, also when the rule does not give it, and
    /// the first that a `COUNT` counts.
    pub start: Start,
    /// How long each occurrence lasts (`DTEND` or `DURATION`).
    pub length: Length,
    /// How it comes again (`RRULE`).
    pub rule: Option<Rule>,
    /// Occurrences left out (`EXDATE`, and those that others take the place of): the one that begins then, or
    /// with [`Start::Day`] all that begin on that date of the event's own zone.
    pub excluded: Vec<Start>,
    /// Further occurrences (`RDATE`), each with its own length if it has one.
    pub added: Vec<(Start, Option<Length>)>,
}

/// When an event begins. What follows from it is computed in its zone.
#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    /// An instant (written in UTC); its clock is that of UTC. Fractions of seconds are cut off.
    Instant(Timestamp),
    /// A clock reading in a zone. One that the clock leaves out is as much later as the clock jumps; of one that
    /// it shows twice the first is meant (RFC 5545, 3.3.5).
    Reading(DateTime, TimeZone),
    /// A whole day in a zone.
    Day(Date, TimeZone),
}

/// How long an occurrence lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Until the clock of the start's zone has gone on by so many seconds: a shift that ends at 08:00 ends at 08:00,
    /// also on the night in which the clock is changed.
    Clock {
        /// Seconds that the clock goes on.
        seconds: i64,
    },
    /// So many days on the calendar, then so many seconds that pass (`DURATION`, RFC 5545, 3.3.6).
    Elapsed {
        /// Days on the calendar.
        days: i64,
        /// Seconds that pass.
        seconds: i64,
    },
}

/// An event that cannot be put to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which of the events, from 0.
    pub event: usize,
    /// What is wrong, and what to write instead.
    pub reason: String,
}

/// Events, ready to answer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Calendar {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// By number of the event.
    people: Vec<Arc<[Arc<str>]>>,
    /// Occurrences that no rule gives, by start, then by event.
    single: Vec<Single>,
    recurring: Vec<Recurring>,
}

/// An occurrence that no rule gives.
#[derive(Clone, Copy, Debug)]
struct Single {
    from: i64,
    until: i64,
    event: usize,
    /// The latest end of this one and all before it.
    reach: i64,
}

/// The occurrences of an event that its rule gives.
#[derive(Debug)]
struct Recurring {
    event: usize,
    series: Series,
    length: Length,
    zone: TimeZone,
    excluded: Excluded,
    /// No occurrence lasts longer, in seconds.
    longest: i64,
}

/// What is left out of an event.
#[derive(Clone, Debug, Default)]
struct Excluded {
    seconds: BTreeSet<i64>,
    dates: BTreeSet<Date>,
}

impl Calendar {
    /// The calendar of `events`.
    ///
    /// # Errors
    ///
    /// [`Refused`] for each event that lasts no time or more than ten years, begins beyond the end of time, lasts a
    /// day and recurs by hours, or has a rule that takes too long to work out.
    pub fn new(events: &[Event]) -> Result<Calendar, Vec<Refused>> {
        let mut work = MAX_WORK;
        let mut single = Vec::new();
        let mut recurring = Vec::new();
        let mut refused = Vec::new();
        for (number, event) in events.iter().enumerate() {
            match compile(number, event, &mut work) {
                Ok((its_own, by_rule)) => {
                    single.extend(its_own);
                    recurring.extend(by_rule);
                }
                Err(reason) => refused.push(Refused { event: number, reason }),
            }
        }
        if !refused.is_empty() {
            return Err(refused);
        }
        single.sort_unstable_by_key(|one: &Single| (one.from, one.event));
        let mut reach = i64::MIN;
        for one in &mut single {
            reach = reach.max(one.until);
            one.reach = reach;
        }
        let people = events.iter().map(|event| event.people.clone()).collect();
        Ok(Calendar { shared: Arc::new(Shared { people, single, recurring }) })
    }
}

/// The occurrences of an event: those that no rule gives, and those that its rule gives.
fn compile(number: usize, event: &Event, work: &mut u64) -> Result<(Vec<Single>, Option<Recurring>), String> {
    let zone = event.start.zone();
    let first = event.start.second().ok_or("it begins beyond the end of time")?;
    event.length.check()?;
    let is_all_day = matches!(event.start, Start::Day(..));
    let excluded = Excluded::new(event);
    let series = match &event.rule {
        None => None,
        Some(rule) if is_all_day && rule.has_times() => {
            return Err(
                "it lasts whole days and recurs at times of the day; write FREQ=DAILY or longer, without \
                        BYHOUR, BYMINUTE and BYSECOND"
                    .to_owned(),
            );
        }
        Some(rule) => {
            Series::new(rule, event.start.reading(), &zone, is_all_day, work).map_err(|TooLong| {
                "its rule, with those before it, takes too long to work out; write simpler rules, or fewer"
                    .to_owned()
            })?
        }
    };
    let mut starts = BTreeSet::from([first]);
    let mut single = Vec::new();
    let mut keep = |from: i64, length: Length| {
        let until = length.end(from, &zone);
        if until > from && !excluded.has(from, &zone) {
            single.push(Single { from, until, event: number, reach: until });
        }
    };
    keep(first, event.length);
    for (start, length) in &event.added {
        let from = start.second().ok_or("an added date lies beyond the end of time")?;
        let length = length.unwrap_or(event.length);
        length.check()?;
        let by_rule = series.as_ref().is_some_and(|series| series.onward(from).next() == Some(from));
        if !by_rule && starts.insert(from) {
            keep(from, length);
        }
    }
    let recurring = series.map(|series| Recurring {
        event: number,
        series,
        length: event.length,
        longest: event.length.longest(),
        zone,
        excluded,
    });
    Ok((single, recurring))
}

impl Start {
    /// The zone in whose clock the event recurs.
    pub fn zone(&self) -> TimeZone {
        match self {
            Start::Instant(_) => TimeZone::UTC,
            Start::Reading(_, zone) | Start::Day(_, zone) => zone.clone(),
        }
    }

    /// What the clock of the zone shows; midnight for a day.
    pub fn reading(&self) -> DateTime {
        match self {
            Start::Instant(at) => TimeZone::UTC.to_datetime(*at),
            Start::Reading(reading, _) => *reading,
            Start::Day(date, _) => date.to_datetime(Time::MIN),
        }
    }

    /// The instant; nothing beyond the end of time.
    pub fn timestamp(&self) -> Option<Timestamp> {
        match self {
            Start::Instant(at) => Some(*at),
            _ => self.zone().to_ambiguous_timestamp(self.reading()).compatible().ok(),
        }
    }

    fn second(&self) -> Option<i64> {
        self.timestamp().map(floor_second)
    }
}

impl Length {
    fn check(self) -> Result<(), String> {
        let (days, seconds) = match self {
            Length::Clock { seconds } => (0, seconds),
            Length::Elapsed { days, seconds } => (days, seconds),
        };
        let whole = days.checked_mul(86_400).and_then(|days| days.checked_add(seconds));
        match whole {
            _ if days < 0 || seconds < 0 => Err("it ends before it begins".to_owned()),
            Some(0) => Err("it lasts no time; write when it ends".to_owned()),
            Some(whole) if whole <= MAX_LENGTH => Ok(()),
            _ => Err("it lasts longer than ten years; write shorter events".to_owned()),
        }
    }

    /// The end of what begins at the second `from`.
    fn end(self, from: i64, zone: &TimeZone) -> i64 {
        let begins = zone.to_datetime(timestamp(from));
        let instant =
            |reading: DateTime| zone.to_ambiguous_timestamp(reading).compatible().ok().map(floor_second);
        match self {
            Length::Clock { seconds } => {
                let ends = begins.checked_add(SignedDuration::from_secs(seconds)).ok().and_then(instant);
                // What begins in an hour that the clock shows again can end in it by the clock before it began.
                ends.filter(|ends| *ends > from).unwrap_or(from + seconds)
            }
            Length::Elapsed { days: 0, seconds } => from + seconds,
            Length::Elapsed { days, seconds } => {
                let span = Span::new().try_days(days).ok();
                let ends = span.and_then(|span| begins.checked_add(span).ok()).and_then(instant);
                ends.unwrap_or(from + days * 86_400) + seconds
            }
        }
    }

    fn longest(self) -> i64 {
        let (Length::Clock { seconds } | Length::Elapsed { seconds, .. }) = self;
        let days = if let Length::Elapsed { days, .. } = self { days } else { 0 };
        days * 86_400 + seconds + LARGEST_JUMP
    }
}

impl Excluded {
    fn new(event: &Event) -> Excluded {
        let mut excluded = Excluded::default();
        for start in &event.excluded {
            match start {
                Start::Day(date, _) => {
                    excluded.dates.insert(*date);
                }
                // Who writes a time to leave out a whole day means the date.
                Start::Instant(_) | Start::Reading(..) if matches!(event.start, Start::Day(..)) => {
                    excluded.dates.insert(start.reading().date());
                }
                _ => excluded.seconds.extend(start.second()),
            }
        }
        excluded
    }

    fn has(&self, second: i64, zone: &TimeZone) -> bool {
        self.seconds.contains(&second)
            || (!self.dates.is_empty() && self.dates.contains(&zone.to_datetime(timestamp(second)).date()))
    }
}
