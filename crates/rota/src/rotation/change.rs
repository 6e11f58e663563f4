//! Editing a rotation: a new edition, and everything before it as it was.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};

use super::turn::Between;
use super::{Edition, Length, People, Rotation, RotationError};

/// What a rotation is to be from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Any handoff of the new kind, on the clocks of the rotation's zone: it gives the time of day, and the day
    /// of the week or month from which the length counts. It may lie in the past.
    pub start: DateTime,
    /// From one handoff to the next.
    pub length: Length,
    /// Who takes turns, in order.
    pub members: Vec<People>,
    /// When the change begins; if nothing is said, with the next handoff of the rotation as it was.
    pub from: Option<Timestamp>,
}

impl Rotation {
    /// The rotation with a change made at `now`: one more edition.
    ///
    /// - The change begins at `change.from`, or else at the first handoff after `now`. Until then nothing
    ///   changes. An edition that has not begun at `now` is replaced.
    /// - It goes on after the last holder: next is the member that follows him in the new order; if he is no
    ///   longer a member, the first of those that followed him in the old order and still is one; else the
    ///   first of the new order.
    /// - If the change begins between two handoffs of the new kind, whoever was on duty goes on until the next
    ///   of them. But where his turn was over and the time until then is more than half of a new turn, or where
    ///   he is no longer a member, that time is the next member's turn, a short one.
    /// - In a rotation that has not begun at `now`, the first of the new order is the first on duty.
    ///
    /// # Errors
    ///
    /// [`RotationError`] when the change is not one that [`Rotation::new`] takes, or begins before `now`.
    pub fn edited(&self, now: Timestamp, change: Change) -> Result<Rotation, RotationError> {
        if let Some(from) = change.from.filter(|from| *from < now) {
            return Err(RotationError::ChangesThePast { from, now });
        }
        let Change { start, length, members, from } = change;
        let mut editions = self.editions.clone();
        editions.retain(|edition| edition.from <= now);
        let from = from.unwrap_or_else(|| match editions.is_empty() {
            true => self.editions[0].from,
            false => self.with(editions.clone()).next_handoff(now).unwrap_or(now),
        });
        let edition = Edition { from, start, length, members, first: 0 };
        Rotation::new(self.zone.clone(), vec![edition.clone()])?;
        let first = self.with(editions.clone()).first_after_change(&edition);
        // One that begins at `now` itself takes the place of an edition that does so, too.
        editions.retain(|earlier| earlier.from < from);
        editions.push(Edition { first, ..edition });
        Rotation::new(self.zone.clone(), editions)
    }

    fn with(&self, editions: Vec<Edition>) -> Rotation {
        Rotation { zone: self.zone.clone(), editions }
    }

    /// The member that has the turn of the new edition's handoff 0, so that it goes on after this rotation.
    fn first_after_change(&self, new: &Edition) -> usize {
        let Some(Between { begin, end }) = self.between(new, new.from) else { return 0 };
        let members = new.members.len() as i64;
        let counted_from = |member: usize, number: i64| (member as i64 - number).rem_euclid(members) as usize;
        let before = new.from.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(new.from);
        let Some(last) = self.turn(before) else { return counted_from(0, begin.number) };
        let old = &self.editions[last.edition];
        let holder = position(new, last.member, last.people);
        let follower = match holder {
            Some(holder) => (holder + 1) % new.members.len(),
            None => (1..old.members.len())
                .map(|steps| (last.member + steps) % old.members.len())
                .find_map(|member| position(new, member, &old.members[member]))
                .unwrap_or(0),
        };
        let goes_on = begin.at < new.from && {
            let left = new.from.duration_until(end.map_or(Timestamp::MAX, |end| end.at));
            let was_over = last.until <= new.from;
            !(was_over && left > begin.at.duration_until(new.from))
        };
        let on_duty = holder.filter(|_| goes_on).unwrap_or(follower);
        counted_from(on_duty, begin.number)
    }
}

/// Where the people of a member stand in a new order: at the same place, if they are there still.
fn position(new: &Edition, member: usize, people: &People) -> Option<usize> {
    if new.members.get(member) == Some(people) {
        return Some(member);
    }
    new.members.iter().position(|other| other == people)
}
