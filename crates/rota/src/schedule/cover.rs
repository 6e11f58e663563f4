//! Overrides of one role, laid out by time: which are active, and who acts for whom.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

/// A person takes a stretch of time of a role: a cover, half of a swap, a takeover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// What the caller knows it by.
    pub id: Arc<str>,
    /// The name of the role.
    pub role: Arc<str>,
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it. Without one it lasts until, after `from`, one begins that was made later and
    /// replaces all or the same person.
    pub until: Option<Timestamp>,
    /// Whom it replaces; everybody, if nothing is said.
    pub instead_of: Option<Arc<str>>,
    /// Who takes over.
    pub person: Arc<str>,
}

/// The overrides of a role: from each instant at which that changes, those that are active, by their place in
/// the schedule's list, which is the order in which they were made.
#[derive(Clone, Debug, Default)]
pub(super) struct Covers {
    changes: Vec<(Timestamp, Box<[usize]>)>,
}

impl Covers {
    pub(super) fn new(role: &str, overrides: &[Override]) -> Self {
        let mut edges: Vec<(Timestamp, bool, usize)> = Vec::new();
        for (place, cover) in overrides.iter().enumerate().filter(|(_, cover)| *cover.role == *role) {
            let until = end(cover, &overrides[place + 1..]);
            if cover.from < until {
                edges.extend([(cover.from, true, place), (until, false, place)]);
            }
        }
        edges.sort_unstable();
        let mut active = BTreeSet::new();
        let changes = edges.chunk_by(|one, other| one.0 == other.0).map(|chunk| {
            for &(_, begins, place) in chunk {
                if begins {
                    active.insert(place)
                } else {
                    active.remove(&place)
                };
            }
            (chunk[0].0, active.iter().copied().collect())
        });
        Covers { changes: changes.collect() }
    }

    /// The places of the overrides that are active at an instant, in the order in which they were made.
    pub(super) fn active(&self, at: Timestamp) -> &[usize] {
        let begun = self.changes.partition_point(|(from, _)| *from <= at);
        begun.checked_sub(1).map_or(&[], |last| &self.changes[last].1)
    }

    /// The first instant after `after` at which others are active.
    pub(super) fn next_change(&self, after: Timestamp) -> Option<Timestamp> {
        let begun = self.changes.partition_point(|(from, _)| *from <= after);
        self.changes.get(begun).map(|(from, _)| *from)
    }
}

/// Whether an override takes the place of one made before it, while both are active.
pub(super) fn takes_its_place(later: &Override, earlier: &Override) -> bool {
    later.role == earlier.role && (later.instead_of.is_none() || later.instead_of == earlier.instead_of)
}

/// When an override ends, given those made later.
fn end(cover: &Override, later: &[Override]) -> Timestamp {
    let next = || {
        let takes_over = |other: &&Override| other.from > cover.from && takes_its_place(other, cover);
        later.iter().filter(takes_over).map(|other| other.from).min()
    };
    cover.until.or_else(next).unwrap_or(Timestamp::MAX)
}
