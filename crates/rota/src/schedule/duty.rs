//! Who is on call at one instant: the rules of [`crate::schedule`].

use std::sync::Arc;

use jiff::Timestamp;

use super::layer::Named;
use super::{Override, Schedule};
use crate::rotation::People;

/// Who is on call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duty {
    /// Who is on call; nobody in a gap.
    pub people: People,
    /// Who is told, and not asked.
    pub shadows: People,
    /// What put the people there; nothing in a gap.
    pub source: Option<Source>,
    /// Whom the topmost layer names that names anybody, leave and overrides apart, if they are not on call: who
    /// is relieved, or on leave.
    pub instead_of: People,
}

/// What put somebody on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A layer of the role, counted from the bottom, from 0.
    Layer(usize),
    /// An override, by its place in [`Schedule::overrides`]; the one made last, where several did.
    Override(usize),
}

/// Who acts for whom, by the overrides that are active.
pub(super) struct Acting<'a> {
    schedule: &'a Schedule,
    at: Timestamp,
    /// Those for whom somebody acts, who does, and the override made last that says so.
    replaced: Vec<(&'a Arc<str>, &'a Arc<str>, usize)>,
}

/// Decides who is on call for a role (by its place), given whom its layers name.
pub(super) fn decide<'a>(
    schedule: &'a Schedule,
    role: usize,
    at: Timestamp,
    named: impl Fn(usize) -> Option<Named<'a>>,
) -> Duty {
    let layers = &schedule.roles[role].layers;
    let asked = || (0..layers.len()).rev().filter(|layer| !layers[*layer].shadow);
    let mut acting = Acting::without_overrides(schedule, at);
    // What the topmost layer says that says anything.
    let mut topmost = None;
    let decided = match acting.take_in(schedule.covers[role].active(at)) {
        Some(taken) => {
            topmost = asked().find_map(&named);
            Some(taken)
        }
        None => asked().find_map(|layer| {
            let named = named(layer)?;
            topmost.get_or_insert(named);
            acting.answer(named, Source::Layer(layer))
        }),
    };
    let (people, source) = decided.map_or_else(Default::default, |(people, source)| (people, Some(source)));

    let shadows = (0..layers.len()).filter(|layer| layers[*layer].shadow);
    let mut told: Option<People> = None;
    acting.replaced.clear();
    for shadow in shadows {
        let Some((more, _)) = named(shadow).and_then(|named| acting.answer(named, Source::Layer(shadow)))
        else {
            continue;
        };
        told = Some(match told {
            None => more,
            Some(before) => join(&before, &more),
        });
    }
    Duty {
        shadows: told.map_or_else(People::default, |told| without(&told, &people)),
        instead_of: topmost.map_or_else(People::default, |named| without(named.wanted(), &people)),
        people,
        source,
    }
}

impl<'a> Acting<'a> {
    /// Everybody acts for himself, unless on leave.
    pub(super) fn without_overrides(schedule: &'a Schedule, at: Timestamp) -> Self {
        Acting { schedule, at, replaced: Vec::new() }
    }

    /// Takes in overrides, given in the order in which they were made. The answer, if one of them gives it.
    fn take_in(&mut self, active: &[usize]) -> Option<(People, Source)> {
        // From the last to the first: who acts for the person of an override is known when it is reached.
        for &place in active.iter().rev() {
            let Override { person, instead_of, .. } = &self.schedule.overrides[place];
            let Some((acts, by)) = self.acts_for(person) else { continue };
            let by = by.unwrap_or(place);
            let Some(replaced) = instead_of else {
                return Some((People::from([Arc::clone(acts)]), Source::Override(by)));
            };
            // Of two for one person, that made last comes first, and is the one that is found.
            self.replaced.push((replaced, acts, by));
        }
        None
    }

    /// Who acts for a person: usually that person. Nobody when that one is on leave.
    pub(super) fn acts_for(&self, person: &'a Arc<str>) -> Option<(&'a Arc<str>, Option<usize>)> {
        if let Some(&(_, acts, by)) = self.replaced.iter().find(|(replaced, ..)| *replaced == person) {
            return Some((acts, Some(by)));
        }
        let leave = &self.schedule.leave;
        let is_away = !leave.is_empty() && leave.get(person).is_some_and(|leave| leave.contains(self.at));
        (!is_away).then_some((person, None))
    }

    /// Those of a layer who are on call: the people of the turn that is wanted, or of one that stands in.
    pub(super) fn answer(&self, named: Named<'a>, source: Source) -> Option<(People, Source)> {
        let present = || named.in_order().filter_map(|people| self.present(people));
        // Where fewer are there than that, it goes around once more.
        let around = || present().nth(named.ahead.checked_rem(present().count())?);
        let (people, by) = present().nth(named.ahead).or_else(around)?;
        Some((people, by.unwrap_or(source)))
    }

    /// The people of one turn who are there, or who act for them; nothing when there are none.
    fn present(&self, people: &'a People) -> Option<(People, Option<Source>)> {
        let is_there = |person| self.acts_for(person).is_some_and(|(acts, _)| acts == person);
        if people.iter().all(is_there) {
            return Some((Arc::clone(people), None));
        }
        let acting = || people.iter().filter_map(|person| Some((person, self.acts_for(person)?)));
        // Who took over and gave it back is there as the layer says.
        let by = acting().filter(|(person, (acts, _))| person != acts).filter_map(|(_, (_, by))| by).max();
        let found: People = acting().map(|(_, (acts, _))| Arc::clone(acts)).collect();
        if found.is_empty() {
            return None;
        }
        Some((without(&found, &[]), by.map(Source::Override)))
    }
}

/// The people of both, each once.
pub(super) fn join(one: &People, other: &People) -> People {
    if one == other {
        return Arc::clone(one);
    }
    without(&one.iter().chain(&**other).cloned().collect(), &[])
}

/// People, each once, without some of them.
fn without(people: &People, others: &[Arc<str>]) -> People {
    let is_new = |n: usize| !others.contains(&people[n]) && !people[..n].contains(&people[n]);
    if (0..people.len()).all(is_new) {
        return Arc::clone(people);
    }
    (0..people.len()).filter(|n| is_new(*n)).map(|n| Arc::clone(&people[n])).collect()
}
