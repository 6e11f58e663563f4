//! The shifts of a person, or of a schedule, as a calendar that others subscribe to.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rota::schedule::Shift;

use super::Roster;
use crate::calendar::{Feed, FeedEvent};
use crate::definition::{Definitions, Lies, PRIMARY};
use crate::store::{Store, StoreError};

/// How far back a feed goes.
const BACK: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far ahead a feed goes.
const AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);

/// The shifts of one schedule.
///
/// # Errors
///
/// [`StoreError`].
pub async fn of_schedule(store: &Store, name: &str, now: Timestamp) -> Result<Option<Feed>, StoreError> {
    let over = Lies::Schedule(name.to_owned());
    let Some(roster) = Roster::since(store, over, now - BACK, now).await? else { return Ok(None) };
    let definitions = store.definitions();
    let mut events = Vec::new();
    for role in roster.roles() {
        for shift in whole_shifts(&roster, &role, now) {
            let who: Vec<&str> =
                shift.duty.people.iter().map(|person| full_name(&definitions, person)).collect();
            let summary = format!("{}: {name}{}", who.join(", "), in_role(&role));
            events.extend(event(&definitions, name, &role, "", &shift, summary));
        }
    }
    Ok(Some(Feed { name: format!("On call: {name}"), events, stamp: now }))
}

/// The shifts of one person, in every schedule and every team without one.
///
/// # Errors
///
/// [`StoreError`].
pub async fn of_person(store: &Store, person: &str, now: Timestamp) -> Result<Option<Feed>, StoreError> {
    let definitions = store.definitions();
    if !definitions.directory().people.contains_key(person) {
        return Ok(None);
    }
    let directory = definitions.directory();
    let schedules = directory.schedules.keys().map(|name| Lies::Schedule(name.to_string()));
    let teams = directory.rosters.keys().map(|name| Lies::Team(name.to_string()));
    let mut events = Vec::new();
    for over in schedules.chain(teams) {
        // Whoever never is on call there had nothing there lately either, as far as a calendar shows it.
        let is_named = Roster::current(&definitions, over.clone()).is_some_and(|roster| {
            let roles = roster.roles();
            let (from, to) = (now - BACK, now + AHEAD);
            let mut shifts = roles.iter().flat_map(|role| roster.shifts(from, to, role));
            shifts.any(|shift| has(&shift, person))
        });
        if !is_named {
            continue;
        }
        let Some(roster) = Roster::since(store, over.clone(), now - BACK, now).await? else { continue };
        let (Lies::Schedule(name) | Lies::Team(name)) = &over;
        for role in roster.roles() {
            for shift in whole_shifts(&roster, &role, now).into_iter().filter(|shift| has(shift, person)) {
                let summary = format!("On call: {name}{}", in_role(&role));
                events.extend(event(&definitions, name, &role, person, &shift, summary));
            }
        }
    }
    events.sort_by(|one: &FeedEvent, other| (one.from, &one.uid).cmp(&(other.from, &other.uid)));
    Ok(Some(Feed { name: format!("On call: {}", full_name(&definitions, person)), events, stamp: now }))
}

fn has(shift: &Shift, person: &str) -> bool {
    shift.duty.people.iter().any(|name| **name == *person)
}

fn in_role(role: &str) -> String {
    if role == PRIMARY { String::new() } else { format!(" ({role})") }
}

fn full_name<'a>(definitions: &'a Definitions, person: &'a str) -> &'a str {
    let known = definitions.directory().people.get(person);
    known.map(|person| person.full_name.as_str()).filter(|full| !full.is_empty()).unwrap_or(person)
}

/// Shifts with people; those at the ends are whole, so that an event does not change from day to day.
fn whole_shifts(roster: &Roster, role: &Arc<str>, now: Timestamp) -> Vec<Shift> {
    let (from, to) = (now - BACK, now + AHEAD);
    let mut shifts = roster.shifts(from, to, role);
    if let Some(first) = shifts.first_mut()
        && let Some(whole) = roster.shift(from, role)
    {
        first.from = whole.from;
    }
    if let Some(last) = shifts.last_mut()
        && let Some(whole) = roster.shift(last.from, role)
    {
        last.until = whole.until.or(last.until);
    }
    shifts.retain(|shift| !shift.duty.people.is_empty());
    shifts
}

fn event(
    definitions: &Definitions,
    name: &str,
    role: &str,
    person: &str,
    shift: &Shift,
    summary: String,
) -> Option<FeedEvent> {
    let who: Vec<&str> = shift.duty.people.iter().map(|person| full_name(definitions, person)).collect();
    Some(FeedEvent {
        uid: format!("{}-{name}-{role}-{person}@dogwatch", shift.from.as_second()),
        from: shift.from,
        until: shift.until?,
        summary,
        description: format!(
            "{} {} on call for {name}, as {role}.",
            who.join(", "),
            if who.len() == 1 { "is" } else { "are" }
        ),
        // It grows with every edit of anything, so also with one of this.
        sequence: u32::try_from(definitions.version).unwrap_or(u32::MAX),
    })
}
