//! A period in a zone: instants instead of clock readings.
//!
//! A zone is a row of pieces with one offset each. Within a piece instants and clock readings go
//! in step; between pieces the clock jumps, so that some readings never come and others come
//! twice. An instant is in when the clock reading is, nothing else: hours that the clock leaves out
//! are simply missing, hours that it shows twice count twice.
//!
//! A [`ZonedPeriod`] answers at once within the window that [`ZonedPeriod::warm`] lays out, and
//! computes what lies outside. The answers are the same.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Period;
use super::civil::{CivilSet, push};
use super::day::{DAY_SECONDS, Day};
use super::window::{Answer, MAX_EDGES, MAX_SECONDS, Window};

/// No offset is larger than this; jiff allows 25:59:59 either way.
const LARGEST_OFFSET: i64 = 26 * 3_600;

/// Days of a window laid out at a time.
const WARM_DAYS: Day = 512;

/// A period evaluated in one zone.
#[derive(Clone, Debug)]
pub struct ZonedPeriod {
    period: Period,
    zone: TimeZone,
    window: Option<Window>,
}

/// A stretch of time in which the zone has one offset.
#[derive(Clone, Copy, Debug)]
struct Piece {
    offset: i64,
    /// The first second that no longer belongs to it; the end of time for the last.
    end: i64,
}

/// Time during which a period is in: from `start` until just before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The first instant that is in.
    pub start: Timestamp,
    /// The first instant that is out again.
    pub end: Timestamp,
}

impl ZonedPeriod {
    pub(crate) fn new(period: Period, zone: TimeZone) -> Self {
        ZonedPeriod { period, zone, window: None }
    }

    /// The period without its zone.
    pub fn period(&self) -> &Period {
        &self.period
    }

    /// The zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Lays out the answers from one instant to another, so that questions about that time cost
    /// next to nothing.
    ///
    /// This is about speed only. The window takes the place of the one before; it ends before `to`
    /// when `to` is 68 years away or the period changes more than 65,536 times until then, which
    /// bounds its memory (see [`Self::state_bytes`]).
    pub fn warm(&mut self, from: Timestamp, to: Timestamp) {
        let start = floor_second(from);
        let mut end = floor_second(to).clamp(start, start + MAX_SECONDS);
        let mut intervals = Vec::new();
        let mut at = start;
        'window: while at < end {
            let piece = self.piece(at);
            let piece_end = piece.end.min(end);
            let first = day_of(at + piece.offset);
            let last = day_of(piece_end - 1 + piece.offset);
            for day in (first..=last).step_by(WARM_DAYS as usize) {
                let stop = day.saturating_add(WARM_DAYS).min(last + 1);
                for (start, end) in self.civil().intervals(day, stop) {
                    let start = (start - piece.offset).max(at);
                    let end = (end - piece.offset).min(piece_end);
                    if start < end {
                        push(&mut intervals, start, end);
                    }
                }
                if intervals.len() > MAX_EDGES / 2 {
                    end = (i64::from(stop) * DAY_SECONDS - piece.offset).min(piece_end);
                    break 'window;
                }
            }
            at = piece_end;
        }
        self.window = Some(Window::new(start, end, &intervals));
    }

    /// Whether the period is in at `at`.
    #[inline]
    pub fn contains(&self, at: Timestamp) -> bool {
        let second = floor_second(at);
        match self.look_up(second) {
            Some(answer) => answer.inside,
            None => self.contains_cold(second),
        }
    }

    /// The first instant at or after `from` that is in; nothing when there is none before the end
    /// of the year 9999.
    #[inline]
    pub fn next_in(&self, from: Timestamp) -> Option<Timestamp> {
        self.next(from, true)
    }

    /// The first instant at or after `from` that is out; nothing when there is none before the end
    /// of the year 9999.
    #[inline]
    pub fn next_out(&self, from: Timestamp) -> Option<Timestamp> {
        self.next(from, false)
    }

    /// The stretches that are in between `from` and `to`, in order, none touching the next; cut at
    /// `from` and `to`.
    pub fn intervals(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Interval> + '_ {
        let mut at = Some(from);
        std::iter::from_fn(move || {
            let start = self.next_in(at?).filter(|start| *start < to);
            let Some(start) = start else {
                at = None;
                return None;
            };
            at = self.next_out(start).filter(|end| *end < to);
            let end = at.unwrap_or(to);
            Some(Interval { start, end })
        })
    }

    /// Bytes of memory that this value holds for itself, the window included; the compiled period,
    /// which others may share, counts in [`Period::state_bytes`].
    pub fn state_bytes(&self) -> usize {
        let window = self.window.as_ref().map_or(0, |w| w.bytes() - size_of::<Window>());
        size_of::<Self>() + window
    }

    #[inline]
    fn next(&self, from: Timestamp, wanted: bool) -> Option<Timestamp> {
        let second = floor_second(from);
        if let Some(window) = &self.window
            && let Some(answer) = window.look_up(second)
        {
            let here = answer.inside == wanted;
            if answer.changes < window.end() {
                // An instant within the window, so this is never the other one.
                let change = Timestamp::from_second(answer.changes).unwrap_or(from);
                // Whether it is in cannot be foreseen; a wrong guess costs more than both answers.
                return Some(std::hint::select_unpredictable(here, from, change));
            }
            if here {
                return Some(from);
            }
        }
        self.next_cold(from, wanted)
    }

    #[inline]
    fn look_up(&self, second: i64) -> Option<Answer> {
        self.window.as_ref()?.look_up(second)
    }

    #[inline(never)]
    fn contains_cold(&self, second: i64) -> bool {
        let offset = self.offset(second);
        self.civil().contains(second + offset)
    }

    #[inline(never)]
    fn next_cold(&self, from: Timestamp, wanted: bool) -> Option<Timestamp> {
        let mut second = floor_second(from);
        if self.contains_cold(second) == wanted {
            return Some(from);
        }
        loop {
            let piece = self.piece(second);
            let reading = self.civil().next(second + piece.offset, wanted);
            if let Some(found) = reading.map(|reading| reading - piece.offset)
                && found < piece.end
            {
                return Timestamp::from_second(found).ok();
            }
            if piece.end > Timestamp::MAX.as_second() {
                return None;
            }
            // From here on no clock reads less than this, whatever the zone does: if nothing is
            // wanted after it, nothing ever is; and until it comes, pieces need no looking at.
            let least = self.civil().next(second - LARGEST_OFFSET, wanted)?;
            second = piece.end.max(least - LARGEST_OFFSET);
            if second > Timestamp::MAX.as_second() {
                return None;
            }
        }
    }

    fn piece(&self, second: i64) -> Piece {
        let at = timestamp(second);
        let next = self.zone.following(at).next();
        Piece {
            offset: self.offset(second),
            end: next.map_or(i64::MAX / 2, |next| next.timestamp().as_second()),
        }
    }

    fn offset(&self, second: i64) -> i64 {
        i64::from(self.zone.to_offset(timestamp(second)).seconds())
    }

    fn civil(&self) -> &CivilSet {
        self.period.civil()
    }
}

/// The second that an instant belongs to, also before 1970.
#[inline]
fn floor_second(at: Timestamp) -> i64 {
    at.as_second() - i64::from(at.subsec_nanosecond() < 0)
}

/// The instant at a second; the ends of time for what lies beyond them.
fn timestamp(second: i64) -> Timestamp {
    let range = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    let second = second.clamp(*range.start(), *range.end());
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

fn day_of(reading: i64) -> Day {
    reading.div_euclid(DAY_SECONDS) as Day
}
