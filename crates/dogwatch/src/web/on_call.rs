//! Who is on call for a role now, until when, and who comes then.

use std::sync::Arc;

use escalation::directory::Directory;
use jiff::{SignedDuration, Timestamp};
use rota::schedule::Shift;

use crate::duty::Roster;

/// How far is looked shift by shift; what lies beyond is asked for alone.
const LOOK: SignedDuration = SignedDuration::from_hours(62 * 24);

/// Who is on call for a role, and what comes then.
#[derive(Clone, Debug)]
pub(super) struct OnCall {
    /// Who is; nobody in a gap.
    pub(super) people: Vec<Arc<str>>,
    /// When that changes; none when no end is in sight.
    pub(super) until: Option<Timestamp>,
    /// Who comes then; nobody: a gap, or nothing is known.
    pub(super) then: Vec<Arc<str>>,
}

/// Looks at an instant. Shifts of the same people one after the other count as one.
pub(super) fn on_call(roster: &Roster, role: &str, now: Timestamp) -> OnCall {
    let horizon = now.saturating_add(LOOK).unwrap_or(Timestamp::MAX);
    let people = roster.on_call(now, role).people;
    let other = |shift: &Shift| shift.duty.people != people;
    if let Some(next) = roster.shifts(now, horizon, role).into_iter().find(other) {
        return OnCall { people: people.to_vec(), until: Some(next.from), then: next.duty.people.to_vec() };
    }
    let next = roster.next(now, role);
    let gap = roster.schedule().next_change(horizon, role).filter(|at| {
        next.as_ref().is_none_or(|next| *at < next.from) && roster.on_call(*at, role).people.is_empty()
    });
    match (next, gap) {
        (Some(next), None) => {
            OnCall { people: people.to_vec(), until: Some(next.from), then: next.duty.people.to_vec() }
        }
        (_, until) => OnCall { people: people.to_vec(), until, then: Vec::new() },
    }
}

/// The full name of a person.
pub(super) fn full_name(directory: &Directory, person: &str) -> String {
    let known = directory.people.get_key_value(person);
    known.map_or_else(|| person.to_owned(), |(name, _)| directory.full_name(name).to_owned())
}

/// The full names of people in one line.
pub(super) fn names(directory: &Directory, people: &[Arc<str>]) -> String {
    people.iter().map(|person| full_name(directory, person)).collect::<Vec<_>>().join(", ")
}
