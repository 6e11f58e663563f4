//! Turns: handoffs taken from the civil line to instants.
//!
//! Handoffs come in the order of their numbers, but for those whose reading the clock leaves out. Such a one
//! moves forward by what is left out, and may come at the same instant as one with a larger number, or after
//! it; then the larger number counts, and the turns between have no time.

use jiff::tz::AmbiguousOffset;
use jiff::{SignedDuration, Timestamp};

use super::{Edition, People, Rotation};

/// No clock of the bundled zones ever left out more than this. (Some left out a day and a little.)
const LARGEST_GAP: SignedDuration = SignedDuration::from_hours(26);

/// Who is on duty in a rotation, from one handoff to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn<'a> {
    /// The people of the turn.
    pub people: &'a People,
    /// Which member they are, counted from 0.
    pub member: usize,
    /// The number of the handoff with which the turn begins. It is negative before the edition's start.
    pub number: i64,
    /// Which edition says so, counted from 0.
    pub edition: usize,
    /// The first instant of the turn, or of the edition where that is later.
    pub from: Timestamp,
    /// The first instant after it: the next handoff or edition; [`Timestamp::MAX`] where there is none.
    pub until: Timestamp,
}

/// A handoff as an instant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handoff {
    pub(super) number: i64,
    pub(super) at: Timestamp,
    /// Whether the clock leaves its reading out.
    is_left_out: bool,
}

/// A turn between its handoffs, the edition's limits apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between {
    pub(super) begin: Handoff,
    /// Nothing where the years that a date can have are over.
    pub(super) end: Option<Handoff>,
}

impl Rotation {
    /// Whose turn it is at an instant; nobody's before the first edition.
    pub fn turn(&self, at: Timestamp) -> Option<Turn<'_>> {
        let edition = self.edition(at)?;
        self.make_turn(edition, self.between(&self.editions[edition], at)?)
    }

    /// The turn at an instant, its limits and number as they are, with the people whose turn comes `ahead`
    /// turns later by the order of its edition: for a secondary who is the next in the primary's rotation.
    pub fn turn_ahead(&self, at: Timestamp, ahead: u16) -> Option<Turn<'_>> {
        let turn = self.turn(at)?;
        let edition = &self.editions[turn.edition];
        let member = edition.member(turn.number.saturating_add(i64::from(ahead)));
        Some(Turn { people: edition.members.get(member)?, member, ..turn })
    }

    /// The turns that have any time between two instants, in order, whole: the first may begin before `from`,
    /// the last may end after `to`.
    pub fn turns(&self, from: Timestamp, to: Timestamp) -> Turns<'_> {
        let mut turns = Turns { rotation: self, edition: 0, between: None, to };
        if from < to {
            turns.seek(from.max(self.editions[0].from));
        }
        turns
    }

    /// The first handoff after an instant: the next at which a turn begins, whoever has it.
    pub fn next_handoff(&self, after: Timestamp) -> Option<Timestamp> {
        match self.turn(after) {
            Some(turn) => Some(turn.until).filter(|until| *until < Timestamp::MAX),
            None => self.editions.first().map(|first| first.from).filter(|from| *from > after),
        }
    }

    /// The edition in force at an instant.
    fn edition(&self, at: Timestamp) -> Option<usize> {
        self.editions.partition_point(|edition| edition.from <= at).checked_sub(1)
    }

    fn make_turn(&self, index: usize, between: Between) -> Option<Turn<'_>> {
        let edition = &self.editions[index];
        let Between { begin, end } = between;
        let member = edition.member(begin.number);
        let last = self.editions.get(index + 1).map_or(Timestamp::MAX, |next| next.from);
        Some(Turn {
            people: edition.members.get(member)?,
            member,
            number: begin.number,
            edition: index,
            from: begin.at.max(edition.from),
            until: end.map_or(last, |end| end.at.min(last)),
        })
    }

    /// The turn at an instant, if the edition were in force at all times: it begins with the handoff with the
    /// largest number that is not after `at`.
    pub(super) fn between(&self, edition: &Edition, at: Timestamp) -> Option<Between> {
        let number = edition.length.number(edition.start, self.zone.to_datetime(at));
        let mut begin = self.handoff(edition, number)?;
        let mut end = self.next_begin(edition, number);
        // The clock was set back: it has shown already what it will show once more.
        while let Some(next) = end.filter(|end| end.at <= at) {
            begin = next;
            end = self.next_begin(edition, next.number);
        }
        // The clock was set forward: handoffs that it left out are still to come.
        while begin.at > at {
            begin = self.handoff(edition, begin.number - 1)?;
            end = self.next_begin(edition, begin.number);
        }
        Some(Between { begin, end })
    }

    /// The handoff that begins the turn after number `number`, which is one that has any time.
    fn next_begin(&self, edition: &Edition, number: i64) -> Option<Handoff> {
        let mut next = self.handoff(edition, number + 1)?;
        if next.is_left_out {
            let reading = |number| edition.length.reading(edition.start, number);
            let last = reading(next.number)?.saturating_add(LARGEST_GAP);
            let near = (next.number + 1..).take_while(|number| reading(*number).is_some_and(|at| at <= last));
            for later in near.filter_map(|number| self.handoff(edition, number)) {
                if later.at <= next.at {
                    next = later;
                }
            }
        }
        Some(next)
    }

    fn handoff(&self, edition: &Edition, number: i64) -> Option<Handoff> {
        let reading = edition.length.reading(edition.start, number)?;
        let at = self.zone.to_ambiguous_timestamp(reading);
        let is_left_out = matches!(at.offset(), AmbiguousOffset::Gap { .. });
        Some(Handoff { number, at: at.compatible().ok()?, is_left_out })
    }
}

/// The turns of a rotation, in order; see [`Rotation::turns`].
#[derive(Clone, Debug)]
pub struct Turns<'a> {
    rotation: &'a Rotation,
    edition: usize,
    /// The next turn; nothing at the end.
    between: Option<Between>,
    to: Timestamp,
}

impl<'a> Turns<'a> {
    /// The turn at an instant; at once, if it begins there and is the next.
    pub(crate) fn at(&mut self, at: Timestamp) -> Option<Turn<'a>> {
        let is_in_force = self.rotation.edition(at)? == self.edition;
        if !is_in_force || self.between.is_none_or(|next| next.begin.at != at) {
            self.seek(at);
        }
        self.next()
    }

    fn seek(&mut self, at: Timestamp) {
        self.edition = self.rotation.edition(at).unwrap_or(0);
        self.between = self.rotation.between(&self.rotation.editions[self.edition], at);
    }
}

impl<'a> Iterator for Turns<'a> {
    type Item = Turn<'a>;

    fn next(&mut self) -> Option<Turn<'a>> {
        let between = self.between.take()?;
        let turn = self.rotation.make_turn(self.edition, between).filter(|turn| turn.from < self.to)?;
        match between.end.filter(|end| end.at == turn.until) {
            // Quicker than to ask for the instant at which this turn ends.
            Some(begin) if self.rotation.edition(turn.until) == Some(self.edition) => {
                let end = self.rotation.next_begin(&self.rotation.editions[self.edition], begin.number);
                self.between = Some(Between { begin, end });
            }
            _ if turn.until < Timestamp::MAX => self.seek(turn.until),
            _ => {}
        }
        Some(turn)
    }
}
