//! Rotations: people who take turns, and hand over at a time that a clock on the wall shows.
//!
//! A [`Rotation`] is a zone and a list of [`Edition`]s: what was agreed, and from when on. Within one edition
//! who is on duty is a function of the edition and the instant alone. Nothing is stored when a turn ends, so
//! nothing can drift, be lost or be handed over twice.
//!
//! - Handoff `n` of an edition is the civil time `start` + `n` × `length`, taken to an instant in the zone: a
//!   reading that the clock leaves out moves forward by what is left out, of one that it shows twice the first
//!   counts.
//! - On duty at an instant is the turn with the largest number whose handoff is not after it. Where a clock
//!   leaves out so much that handoffs coincide, the turns between them vanish.
//! - The turn that begins with handoff `n` is that of member `first + n`, around and around.
//!
//! Leave, overrides and layers are not known here; they are [`crate::schedule`].
//!
//! Read next: `length`, which counts handoffs on the civil line; `turn`, which takes them to instants; `change`,
//! which edits a rotation without touching its past; and `check`.

mod change;
mod check;
mod length;
mod turn;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

pub use change::Change;
pub use check::{EditionProblem, RotationError};
pub use length::Length;
pub use turn::{Turn, Turns};

/// The people of one turn, or of one answer: names, in the order in which they are to be asked.
pub type People = Arc<[Arc<str>]>;

/// People who take turns: what was agreed, edition by edition, in one zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotation {
    zone: TimeZone,
    editions: Vec<Edition>,
}

/// What holds of a rotation from one edit to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edition {
    /// The instant from which it is in force; it is so until the `from` of the next edition.
    pub from: Timestamp,
    /// Handoff 0 on the clocks of the rotation's zone, in whole seconds. It may lie before `from` or after it.
    pub start: DateTime,
    /// From one handoff to the next.
    pub length: Length,
    /// Who takes turns, in order. Each entry is one turn: usually one person, a contact group may be several.
    pub members: Vec<People>,
    /// Which member has the turn that begins with handoff 0, counted from 0.
    pub first: usize,
}

impl Edition {
    /// The member (counted from 0) that has the turn with a number; the number may be negative.
    pub fn member(&self, number: i64) -> usize {
        let members = self.members.len().max(1) as i64;
        (number.rem_euclid(members) + self.first as i64).rem_euclid(members) as usize
    }
}

impl Rotation {
    /// A rotation with these editions, ordered by their `from`.
    ///
    /// # Errors
    ///
    /// [`RotationError`] when there is no edition, an edition is out of order, or one has no members, more than
    /// 500, a length out of bounds (see [`Length`]), a `first` that is no member, or fractions of a second.
    pub fn new(zone: TimeZone, editions: Vec<Edition>) -> Result<Self, RotationError> {
        check::check(&editions)?;
        Ok(Rotation { zone, editions })
    }

    /// The zone whose clocks tell the handoffs.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The editions, ordered by their `from`. There is at least one.
    pub fn editions(&self) -> &[Edition] {
        &self.editions
    }
}
