//! Shifts: stretches of time in which the same people are on call; and the questions that are about them.

use jiff::{SignedDuration, Timestamp};

use super::duty::join;
use super::walk::{Step, Walk};
use super::{Duty, Schedule};
use crate::period::Interval;
use crate::rotation::People;

/// How far a question about the next or previous shift looks, in years of 366 days. A turn is ten years long at
/// most, so the next and the previous handoff of every rotation is found.
pub const SEARCH_YEARS: i64 = 11;

const SEARCH: SignedDuration = SignedDuration::from_hours(SEARCH_YEARS * 366 * 24);

/// The first stretch that is searched backwards; each next one is so many times as long.
const FIRST_LOOK_BACK: SignedDuration = SignedDuration::from_hours(8 * 24);
const LOOK_BACK_GROWTH: i32 = 8;

/// Time during which the same people, shadows and source are on duty; a gap is a shift without people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it; nothing when no end is in sight.
    pub until: Option<Timestamp>,
    /// Who is on duty. `instead_of` has all of whom that is true at some time of the shift.
    pub duty: Duty,
}

impl Schedule {
    /// The shifts of a role between two instants, in order, without holes, the first and last cut at `from` and
    /// `to`: the first begins at `from`, every one has an end. No two in a row have the same people, shadows
    /// and source. None for a role that is not there.
    pub fn shifts(&self, from: Timestamp, to: Timestamp, role: &str) -> Shifts<'_> {
        let mut walk = self.role(role).map(|role| Walk::new(self, role, from, to));
        let next = walk.as_mut().and_then(Walk::next);
        Shifts { walk, next }
    }

    /// The first instant after `after` at which a role has other people or shadows, or has them from another
    /// source; nothing when there is none within [`SEARCH_YEARS`].
    pub fn next_change(&self, after: Timestamp, role: &str) -> Option<Timestamp> {
        self.shift_from(after, role)?.until
    }

    /// The whole shift of a role at an instant; nothing for a role that is not there.
    ///
    /// A shift that began more than [`SEARCH_YEARS`] before is given as if it began then; one that ends more
    /// than that after its beginning or `at` has no end.
    pub fn shift(&self, at: Timestamp, role: &str) -> Option<Shift> {
        let after = at.saturating_add(SignedDuration::from_nanos(1)).unwrap_or(at);
        let mut from = at;
        for begin in look_back(at) {
            from = self.shifts(begin, after, role).last()?.from;
            if from > begin {
                break;
            }
        }
        let whole = self.shift_from(from, role)?;
        Some(Shift { until: whole.until.or_else(|| self.next_change(at, role)), ..whole })
    }

    /// The nearest shift after the one at `at` that has people, and others than are on call at `at`; nothing
    /// when none begins within [`SEARCH_YEARS`].
    pub fn next(&self, at: Timestamp, role: &str) -> Option<Shift> {
        let now = self.on_call(at, role).people;
        let mut later = self.shifts(at, at.saturating_add(SEARCH).unwrap_or(Timestamp::MAX), role);
        let found = later.find(|shift| is_another(shift, &now))?;
        self.shift_from(found.from, role)
    }

    /// The nearest shift before the one at `at` that has people, and others than are on call at `at`; nothing
    /// when none ends within [`SEARCH_YEARS`].
    pub fn previous(&self, at: Timestamp, role: &str) -> Option<Shift> {
        let now = self.on_call(at, role).people;
        let mut to = at;
        for begin in look_back(at) {
            if let Some(found) = self.shifts(begin, to, role).filter(|shift| is_another(shift, &now)).last() {
                return self.shift(found.from, role);
            }
            to = begin;
        }
        None
    }

    /// The stretches between two instants in which nobody is on call for a role, in order, cut at `from` and
    /// `to`. None for a role that is not there.
    pub fn gaps(&self, from: Timestamp, to: Timestamp, role: &str) -> Vec<Interval> {
        let mut gaps: Vec<Interval> = Vec::new();
        for shift in self.shifts(from, to, role).filter(|shift| shift.duty.people.is_empty()) {
            let end = shift.until.unwrap_or(to);
            match gaps.last_mut() {
                Some(last) if last.end == shift.from => last.end = end,
                _ => gaps.push(Interval { start: shift.from, end }),
            }
        }
        gaps
    }

    /// The shift at an instant, cut there; without an end where the search finds none.
    fn shift_from(&self, from: Timestamp, role: &str) -> Option<Shift> {
        let to = from.saturating_add(SEARCH).unwrap_or(Timestamp::MAX);
        let shift = self.shifts(from, to, role).next()?;
        Some(Shift { until: shift.until.filter(|until| *until < to), ..shift })
    }
}

/// The shifts of a role, in order; see [`Schedule::shifts`].
#[derive(Clone, Debug)]
pub struct Shifts<'a> {
    walk: Option<Walk<'a>>,
    /// The step with which the next shift begins.
    next: Option<Step>,
}

impl Iterator for Shifts<'_> {
    type Item = Shift;

    fn next(&mut self) -> Option<Shift> {
        let Step { from, mut until, mut duty } = self.next.take()?;
        for step in self.walk.as_mut()? {
            if !is_same(&duty, &step.duty) {
                self.next = Some(step);
                break;
            }
            until = step.until;
            duty.instead_of = join(&duty.instead_of, &step.duty.instead_of);
        }
        Some(Shift { from, until: Some(until), duty })
    }
}

fn is_same(one: &Duty, other: &Duty) -> bool {
    one.source == other.source && one.people == other.people && one.shadows == other.shadows
}

fn is_another(shift: &Shift, people: &People) -> bool {
    !shift.duty.people.is_empty() && shift.duty.people != *people
}

/// Instants before `at`, each a good deal earlier than the one before, the last one as far as a search looks.
fn look_back(at: Timestamp) -> impl Iterator<Item = Timestamp> {
    let mut length = Some(FIRST_LOOK_BACK);
    std::iter::from_fn(move || {
        let this = length?.min(SEARCH);
        length = Some(this.saturating_mul(LOOK_BACK_GROWTH)).filter(|_| this < SEARCH);
        Some(at.saturating_sub(this).unwrap_or(Timestamp::MIN))
    })
}
