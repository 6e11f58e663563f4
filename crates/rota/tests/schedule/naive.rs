//! The rules once more, as plainly as can be: at one instant, without tables, from the definitions alone.

use std::sync::Arc;

use jiff::Timestamp;
use rota::schedule::{Duty, Layer, Override, Schedule, Source, Who};

type Names = Vec<Arc<str>>;

/// Who is on call for the first role.
pub fn duty(schedule: &Schedule, at: Timestamp) -> Duty {
    let role = &schedule.roles()[0];
    let active: Vec<(usize, &Override)> = active(schedule, at);
    let asked: Vec<(usize, &Layer)> =
        role.layers.iter().enumerate().filter(|(_, layer)| !layer.shadow).rev().collect();

    let mut decided: Option<(Names, Source)> = None;
    for (n, (place, over)) in active.iter().enumerate() {
        if over.instead_of.is_none()
            && let Some((acts, by)) = acting(schedule, at, &active[n + 1..], &over.person)
        {
            decided = Some((vec![acts], Source::Override(by.unwrap_or(*place))));
        }
    }
    if decided.is_none() {
        decided = asked.iter().find_map(|(place, layer)| {
            let (people, by) = layer_answer(schedule, at, &active, layer)?;
            Some((people, by.map_or(Source::Layer(*place), Source::Override)))
        });
    }
    let people = decided.as_ref().map(|(people, _)| people.clone()).unwrap_or_default();
    let first_turn = asked.iter().find_map(|(_, layer)| turns(layer, at).map(|turns| turns[0].clone()));
    let instead_of: Names =
        first_turn.unwrap_or_default().into_iter().filter(|person| !people.contains(person)).collect();
    let mut shadows = Names::new();
    for layer in role.layers.iter().filter(|layer| layer.shadow) {
        for person in layer_answer(schedule, at, &[], layer).map(|(people, _)| people).unwrap_or_default() {
            if !people.contains(&person) && !shadows.contains(&person) {
                shadows.push(person);
            }
        }
    }
    Duty {
        people: people.into(),
        shadows: shadows.into(),
        source: decided.map(|(_, source)| source),
        instead_of: instead_of.into(),
    }
}

/// The overrides at an instant, in the order in which they were made.
pub fn active(schedule: &Schedule, at: Timestamp) -> Vec<(usize, &Override)> {
    let all = schedule.overrides();
    let is_active = |(place, over): &(usize, &Override)| {
        let same = |later: &&Override| later.instead_of.is_none() || later.instead_of == over.instead_of;
        let is_taken =
            all[place + 1..].iter().filter(same).any(|later| over.from < later.from && later.from <= at);
        over.from <= at && over.until.map_or(!is_taken, |until| at < until)
    };
    all.iter().enumerate().filter(is_active).collect()
}

pub fn is_away(schedule: &Schedule, at: Timestamp, person: &str) -> bool {
    let away = schedule.leave().get(person);
    away.is_some_and(|away| away.intervals().iter().any(|leave| leave.start <= at && at < leave.end))
}

/// Who acts for a person, by overrides made later, and by which of them.
fn acting(
    schedule: &Schedule,
    at: Timestamp,
    later: &[(usize, &Override)],
    person: &Arc<str>,
) -> Option<(Arc<str>, Option<usize>)> {
    for (n, (place, over)) in later.iter().enumerate().rev() {
        if over.instead_of.as_ref() == Some(person)
            && let Some((acts, by)) = acting(schedule, at, &later[n + 1..], &over.person)
        {
            return Some((acts, by.or(Some(*place))));
        }
    }
    (!is_away(schedule, at, person)).then(|| (Arc::clone(person), None))
}

/// The turns of a layer in order, from the one that is wanted on.
fn turns(layer: &Layer, at: Timestamp) -> Option<Vec<Names>> {
    let (turns, ahead) = all_turns(layer, at)?;
    let ahead = ahead % turns.len();
    Some([&turns[ahead..], &turns[..ahead]].concat())
}

/// The turns of a layer in order, from the one whose turn it is on, and how many later the wanted one comes.
fn all_turns(layer: &Layer, at: Timestamp) -> Option<(Vec<Names>, usize)> {
    if layer.within.as_ref().is_some_and(|period| !period.contains(at)) {
        return None;
    }
    match &layer.who {
        Who::People(people) if people.is_empty() => None,
        Who::People(people) => Some((vec![people.to_vec()], 0)),
        Who::Stints(stints) => {
            let now = stints.list().iter().find(|stint| stint.from <= at && at < stint.until)?;
            Some((vec![now.people.to_vec()], 0))
        }
        Who::Calendar(calendar) => Some((vec![calendar.at(at)?.people.to_vec()], 0)),
        Who::Rotation(rotation) => {
            let turn = rotation.turn(at)?;
            let members = &rotation.editions()[turn.edition].members;
            let from_now = (0..members.len()).map(|n| members[(turn.member + n) % members.len()].to_vec());
            Some((from_now.collect(), usize::from(layer.ahead)))
        }
    }
}

fn layer_answer(
    schedule: &Schedule,
    at: Timestamp,
    active: &[(usize, &Override)],
    layer: &Layer,
) -> Option<(Names, Option<usize>)> {
    let (turns, ahead) = all_turns(layer, at)?;
    let mut present: Vec<(Names, Option<usize>)> = Vec::new();
    for turn in turns {
        let mut names = Names::new();
        let mut last = None;
        for person in &turn {
            if let Some((acts, by)) = acting(schedule, at, active, person) {
                if acts != *person {
                    last = last.max(by);
                }
                if !names.contains(&acts) {
                    names.push(acts);
                }
            }
        }
        if !names.is_empty() {
            present.push((names, last));
        }
    }
    let count = present.len();
    (count > 0).then(|| present.swap_remove(ahead % count))
}
