//! The text of a calendar to a calendar of duty.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rota::calendar::{Calendar, Event, Start};

use super::component::components;
use super::event::{Dates, Draft, event};
use super::people::Mention;
use super::zones::Zones;
use super::{MAX_PROBLEMS, Problem};

/// Reads the calendar of a layer: who is on duty when.
///
/// `zone` is where whole days and times without a zone are, unless the calendar says so itself
/// (`X-WR-TIMEZONE`). `resolve` says who is meant by an event, as [`super::whose`] does. The warnings name
/// events that were left out.
///
/// # Errors
///
/// All problems, in the order of the text: what is no calendar or none that can be read, and events of which
/// `resolve` says that nobody is meant.
pub fn read(
    text: &str,
    zone: &TimeZone,
    resolve: impl Fn(&Mention) -> Vec<Arc<str>>,
) -> Result<(Calendar, Vec<Problem>), Vec<Problem>> {
    let (drafts, warnings) = drafts(text, zone)?;
    let mut problems = Vec::new();
    let mut events = Vec::new();
    for draft in &drafts {
        let people = resolve(&draft.mention);
        if people.is_empty() && problems.len() < MAX_PROBLEMS {
            let message = format!(
                "it is not known whose the event {} is; write a person's name into its summary, or invite that \
                 person by an email address that is one of the person's contacts",
                draft.name()
            );
            problems.push(Problem::new(draft.line, message));
        }
        events.push(Event { people: people.into(), ..draft.event.clone() });
    }
    let calendar = compile(&events, &drafts).map_err(|more| problems.extend(more));
    match calendar {
        Ok(calendar) if problems.is_empty() => Ok((calendar, warnings)),
        _ => {
            problems.sort_by_key(|problem| problem.line);
            Err(problems)
        }
    }
}

/// The calendar of events, of which each comes from a draft.
pub(super) fn compile(events: &[Event], drafts: &[Draft]) -> Result<Calendar, Vec<Problem>> {
    Calendar::new(events).map_err(|refused| {
        let problem = |one: &rota::calendar::Refused| {
            let draft = &drafts[one.event];
            Problem::new(draft.line, format!("the event {} cannot be used: {}", draft.name(), one.reason))
        };
        refused.iter().take(MAX_PROBLEMS).map(problem).collect()
    })
}

/// The events that take place, in the order of the text, and warnings.
pub(super) fn drafts(text: &str, zone: &TimeZone) -> Result<(Vec<Draft>, Vec<Problem>), Vec<Problem>> {
    let found = components(text)?;
    let mut zones = Zones::new(zone.clone(), found.locations);
    let mut problems = Vec::new();
    if let Some(line) = found.zone {
        match zones.find(&line.value) {
            Ok(zone) => zones.default = zone,
            Err(why) => problems.push(Problem::new(line.number, format!("X-WR-TIMEZONE: {why}"))),
        }
    }
    let mut dates = Dates::new();
    let mut all = Vec::new();
    for block in &found.events {
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
        all.extend(event(block, &mut zones, &mut dates, &mut problems));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut warnings = Vec::new();
    let mut drafts = in_force(all, &mut warnings);
    drafts.retain(|draft| {
        if draft.is_empty() {
            let message = format!("the event {} has no end and takes no time; it is left out", draft.name());
            warnings.push(Problem::new(draft.line, message));
        }
        !draft.is_empty()
    });
    warnings.sort_by_key(|warning| warning.line);
    warnings.truncate(MAX_PROBLEMS);
    Ok((drafts, warnings))
}

/// An occurrence that another event takes the place of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    Instant(Option<Timestamp>),
    Date(Date),
}

/// The events without those that newer versions take the place of, and without occurrences that are called off or
/// that others take the place of.
fn in_force(all: Vec<Draft>, warnings: &mut Vec<Problem>) -> Vec<Draft> {
    let mut all = newest(all, warnings);
    let mut replaced: HashMap<String, Vec<Start>> = HashMap::new();
    for draft in &all {
        if let (Some(uid), Some(start)) = (&draft.uid, &draft.instead_of) {
            replaced.entry(uid.clone()).or_default().push(start.clone());
        }
    }
    let whole = |draft: &Draft| draft.uid.clone().filter(|_| draft.instead_of.is_none());
    let called_off: HashSet<String> =
        all.iter().filter(|draft| draft.is_cancelled).filter_map(whole).collect();
    all.retain(|draft| !draft.is_cancelled && draft.uid.as_ref().is_none_or(|uid| !called_off.contains(uid)));
    for draft in &mut all {
        match whole(draft) {
            Some(uid) => draft.event.excluded.extend(replaced.remove(&uid).unwrap_or_default()),
            // What takes the place of one occurrence is one.
            None if draft.instead_of.is_some() => draft.event.rule = None,
            None => {}
        }
    }
    all
}

/// Of all versions of an event the last.
fn newest(all: Vec<Draft>, warnings: &mut Vec<Problem>) -> Vec<Draft> {
    let place = |draft: &Draft| {
        draft.instead_of.as_ref().map(|start| match start {
            Start::Day(date, _) => Place::Date(*date),
            other => Place::Instant(other.timestamp()),
        })
    };
    // The versions of an event have one UID; the highest SEQUENCE counts, of equal ones the later in the text.
    let mut newest: HashMap<(String, Option<Place>), (i64, usize)> = HashMap::new();
    for (index, draft) in all.iter().enumerate() {
        if let Some(uid) = &draft.uid {
            let version = newest.entry((uid.clone(), place(draft))).or_insert((draft.sequence, index));
            *version = (*version).max((draft.sequence, index));
        }
    }
    let newest: Vec<usize> = all
        .iter()
        .enumerate()
        .map(|(index, draft)| {
            let uid = draft.uid.clone();
            uid.and_then(|uid| newest.get(&(uid, place(draft)))).map_or(index, |(_, newest)| *newest)
        })
        .collect();
    for (draft, newest) in all.iter().zip(newest.iter().map(|newest| &all[*newest])) {
        // Versions have numbers; two events that share a UID by mistake do not.
        if draft.line != newest.line && draft.sequence == newest.sequence {
            let message = format!(
                "the event {} has the UID of the event {} of line {}, which counts; it is left out",
                draft.name(),
                newest.name(),
                newest.line
            );
            warnings.push(Problem::new(draft.line, message));
        }
    }
    let all = all.into_iter().zip(newest).enumerate();
    all.filter(|(index, (_, newest))| index == newest).map(|(_, (draft, _))| draft).collect()
}
