//! A colour for each person of a schedule: the same on every visit, and no two alike while there are enough.
//!
//! The stylesheet has the colours, made to be told apart without seeing red or green; a name stands beside each
//! all the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use rota::schedule::{Layer, Schedule, Who};

/// How many colours the stylesheet has.
const COLOURS: usize = 8;
/// How many there are with those that have a dashed edge.
const LOOKS: usize = 2 * COLOURS;

/// Who has which.
#[derive(Clone, Debug, Default)]
pub(super) struct Colours(BTreeMap<Arc<str>, usize>);

impl Colours {
    /// For everybody whom a schedule may name.
    pub(super) fn of(schedule: &Schedule) -> Self {
        let mut all: Vec<Arc<str>> =
            schedule.roles().iter().flat_map(|role| &role.layers).flat_map(named).collect();
        all.extend(schedule.overrides().iter().map(|lies| lies.person.clone()));
        let mut taken: Vec<usize> = Vec::new();
        let mut looks = BTreeMap::new();
        // In the order of the layers: somebody who is added later takes nobody's colour away.
        for person in all {
            if looks.contains_key(&person) {
                continue;
            }
            if taken.len() == LOOKS {
                taken.clear();
            }
            let wanted = wish(&person);
            let free = |look: &usize| !taken.contains(look);
            let plain = (0..COLOURS).map(|step| (wanted + step) % COLOURS).find(free);
            let dashed = || (COLOURS..LOOKS).find(free);
            let look = plain.or_else(dashed).unwrap_or(wanted);
            taken.push(look);
            looks.insert(person, look);
        }
        Self(looks)
    }

    /// The classes of a person's bars.
    pub(super) fn class(&self, person: &str) -> String {
        let look = self.0.get(person).copied().unwrap_or_else(|| wish(person));
        let edge = if look < COLOURS { "" } else { " dashed" };
        format!("person{}{edge}", look % COLOURS)
    }
}

/// The colour that a name would have alone.
fn wish(person: &str) -> usize {
    // FNV-1a: the same on every machine and in every version.
    let hash = person.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (hash >> 32) as usize % COLOURS
}

fn named(layer: &Layer) -> Vec<Arc<str>> {
    match &layer.who {
        Who::People(people) => people.to_vec(),
        Who::Rotation(rotation) => {
            let members = rotation.editions().iter().flat_map(|edition| &edition.members);
            members.flat_map(|people| people.iter().cloned()).collect()
        }
        // A calendar names whom it names, event by event; a name alone decides there.
        Who::Calendar(_) => Vec::new(),
        Who::Stints(stints) => stints.list().iter().flat_map(|stint| stint.people.iter().cloned()).collect(),
    }
}
