//! Layers: whom one source names, at which times.
//!
//! A new kind of source is one more kind of [`Who`], and an arm in its `stretch`: whom it names at an instant,
//! and when that may change.

use std::sync::Arc;

use jiff::Timestamp;

use crate::calendar::Calendar;
use crate::period::ZonedPeriod;
use crate::rotation::{People, Rotation, Turns};

/// One source of people, and when it counts.
#[derive(Clone, Debug)]
pub struct Layer {
    /// What people call it.
    pub name: Arc<str>,
    /// Where its people come from.
    pub who: Who,
    /// Of a rotation, not the person whose turn it is but the one whose turn comes so many turns later: 1 is
    /// the next in the rotation. Other sources take no notice of it.
    pub ahead: u16,
    /// When it counts; always, if nothing is said.
    pub within: Option<ZonedPeriod>,
    /// Whether its people are only told, not asked.
    pub shadow: bool,
}

/// Where the people of a layer come from.
#[derive(Clone, Debug)]
pub enum Who {
    /// The same people at all times.
    People(People),
    /// Whose turn it is.
    Rotation(Arc<Rotation>),
    /// A list that somebody wrote elsewhere.
    Stints(Arc<Stints>),
    /// The events of a calendar.
    Calendar(Calendar),
}

/// People whom a source names, and who stands in for them, in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    /// All turns in order; never empty.
    pub(super) turns: &'a [People],
    /// Whose turn it is.
    pub(super) turn: usize,
    /// How many turns later the one comes that is wanted.
    pub(super) ahead: usize,
}

impl<'a> Named<'a> {
    fn only(people: &'a People) -> Option<Self> {
        let named = Named { turns: std::slice::from_ref(people), turn: 0, ahead: 0 };
        Some(named).filter(|_| !people.is_empty())
    }

    /// The turns in order, beginning with the one whose turn it is, once each.
    pub(super) fn in_order(self) -> impl Iterator<Item = &'a People> {
        let (before, after) = self.turns.split_at(self.turn);
        after.iter().chain(before)
    }

    /// Who is wanted, if nobody is on leave.
    pub(super) fn wanted(self) -> &'a People {
        &self.turns[(self.turn + self.ahead) % self.turns.len()]
    }
}

/// Whom a source names, and until when it surely names the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch<'a> {
    /// Nothing where it names nobody.
    pub(super) named: Option<Named<'a>>,
    /// The first instant at which it may name somebody else; nothing when it never will.
    pub(super) until: Option<Timestamp>,
}

impl Layer {
    /// Whom the layer names at an instant, leave and overrides apart.
    pub(super) fn named(&self, at: Timestamp) -> Option<Named<'_>> {
        match &self.within {
            Some(period) if !period.contains(at) => None,
            _ => self.who.stretch(at, self.ahead, None).named,
        }
    }

    /// The same, and until when. Who goes through the time gives the turns of [`Who::turns`], which is quicker.
    pub(super) fn stretch<'a>(&'a self, at: Timestamp, turns: Option<&mut Turns<'a>>) -> Stretch<'a> {
        let Some(period) = &self.within else {
            return self.who.stretch(at, self.ahead, turns);
        };
        let end = period.next_out(at);
        if end == Some(at) {
            return Stretch { named: None, until: period.next_in(at) };
        }
        let stretch = self.who.stretch(at, self.ahead, turns);
        Stretch { until: earlier(stretch.until, end), ..stretch }
    }
}

impl Who {
    /// The turns to go through from an instant on, of a rotation.
    pub(super) fn turns(&self, from: Timestamp) -> Option<Turns<'_>> {
        match self {
            Who::Rotation(rotation) => Some(rotation.turns(from, Timestamp::MAX)),
            Who::People(_) | Who::Stints(_) | Who::Calendar(_) => None,
        }
    }

    fn stretch<'a>(&'a self, at: Timestamp, ahead: u16, turns: Option<&mut Turns<'a>>) -> Stretch<'a> {
        match self {
            Who::People(people) => Stretch { named: Named::only(people), until: None },
            Who::Rotation(rotation) => match turns.map_or_else(|| rotation.turn(at), |turns| turns.at(at)) {
                Some(turn) => {
                    let turns = &rotation.editions()[turn.edition].members;
                    let named = Named { turns, turn: turn.member, ahead: usize::from(ahead) };
                    Stretch { named: Some(named), until: Some(turn.until) }
                }
                None => Stretch { named: None, until: rotation.next_handoff(at) },
            },
            Who::Stints(stints) => stints.stretch(at),
            Who::Calendar(calendar) => Stretch {
                named: calendar.people_at(at).and_then(Named::only),
                until: calendar.next_change(at),
            },
        }
    }
}

/// The earlier of two instants, where nothing is later than anything.
pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// People on duty from one instant to another, as somebody wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stint {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// Who is on duty.
    pub people: People,
}

/// A list of stints, in order, none overlapping the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stints(Box<[Stint]>);

impl Stints {
    /// These stints, in any order. Where some overlap, all their people are on duty, those of the stint that
    /// stands earlier in the list first. Empty ones are left out.
    pub fn new(stints: &[Stint]) -> Self {
        let mut begins: Vec<usize> =
            (0..stints.len()).filter(|n| stints[*n].from < stints[*n].until).collect();
        begins.sort_by_key(|n| stints[*n].from);
        let mut edges: Vec<Timestamp> =
            begins.iter().flat_map(|n| [stints[*n].from, stints[*n].until]).collect();
        edges.sort_unstable();
        edges.dedup();
        let mut begins = begins.into_iter().peekable();
        let mut running: Vec<usize> = Vec::new();
        let mut list = Vec::new();
        for pair in edges.windows(2) {
            running.retain(|n| stints[*n].until > pair[0]);
            while let Some(next) = begins.next_if(|n| stints[*n].from <= pair[0]) {
                running.push(next);
            }
            running.sort_unstable();
            let mut people: Vec<Arc<str>> = Vec::new();
            for person in running.iter().flat_map(|n| stints[*n].people.iter()) {
                if !people.contains(person) {
                    people.push(Arc::clone(person));
                }
            }
            if !people.is_empty() {
                list.push(Stint { from: pair[0], until: pair[1], people: people.into() });
            }
        }
        Stints(list.into())
    }

    /// The stints, in order, none overlapping the next.
    pub fn list(&self) -> &[Stint] {
        &self.0
    }

    fn stretch(&self, at: Timestamp) -> Stretch<'_> {
        let begun = self.0.partition_point(|stint| stint.from <= at);
        match begun.checked_sub(1).map(|last| &self.0[last]).filter(|last| at < last.until) {
            Some(stint) => Stretch { named: Named::only(&stint.people), until: Some(stint.until) },
            None => Stretch { named: None, until: self.0.get(begun).map(|next| next.from) },
        }
    }
}
