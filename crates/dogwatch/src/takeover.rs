//! Taking duty, covering for somebody, swapping, handing back: what people do to a schedule in a hurry.
//!
//! Every act writes [overrides](OverrideSpec), all of them or none. What has been is never changed: an override
//! can't begin in the past, one that has begun is ended now, and only one that has not begun goes altogether.
//! Who may do what: a person takes duty himself and gives away his own, an administrator does it for anybody.
//!
//! Pages and API call these functions and no others, so that they can't differ. Who is told of it, and what
//! becomes of open pages, is decided where the change of duty is noticed.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rota::schedule::{Schedule, Shift};

use crate::clock::chance;
use crate::definition::time::{parse_instant, print_instant};
use crate::definition::{Definitions, FieldError, Kind, Lies, OverrideSpec, Write};
use crate::duty::Roster;
use crate::store::{Caller, Defining, Edit, Expect, Store, StoreError};

/// How far in the past "from" may lie: somebody filled in a form.
const SLACK: SignedDuration = SignedDuration::from_secs(60);
/// How far is looked for something to cover when no end is named.
const YEAR: SignedDuration = SignedDuration::from_hours(366 * 24);
/// How often it is tried again when somebody else changed the same in between.
const TRIES: usize = 5;

/// When a stretch of duty ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When the schedule changes next.
    NextHandoff,
    /// When somebody else takes it.
    Released,
    /// Then.
    At(Timestamp),
}

/// Somebody takes a stretch of duty.
#[derive(Clone, Debug)]
pub struct Take {
    /// Of which schedule or team.
    pub over: Lies,
    /// As what, such as `primary`.
    pub role: String,
    /// Who takes it.
    pub person: String,
    /// From when; none: from now.
    pub from: Option<Timestamp>,
    /// Until when.
    pub until: Until,
    /// Only where this person would be on call; none: from everybody.
    pub instead_of: Option<String>,
    /// Why; may be empty.
    pub reason: String,
    /// Who does it.
    pub by: Caller,
}

/// Two people take each other's shift.
#[derive(Clone, Debug)]
pub struct Swap {
    /// Of which schedule or team.
    pub over: Lies,
    /// As what.
    pub role: String,
    /// A person, and an instant of the shift that this person gives away.
    pub one: (String, Timestamp),
    /// The other person, likewise.
    pub other: (String, Timestamp),
    /// Why; may be empty.
    pub reason: String,
    /// Who does it.
    pub by: Caller,
}

/// Somebody hands back what he has taken.
#[derive(Clone, Debug)]
pub struct HandBack {
    /// Of which schedule or team.
    pub over: Lies,
    /// As what.
    pub role: String,
    /// Who.
    pub person: String,
    /// Who does it.
    pub by: Caller,
}

/// Why nothing was done.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// What was asked for has problems.
    #[error("{}", sentences(.0))]
    Invalid(Vec<FieldError>),
    /// The one who asks may not.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no such override.
    #[error("there is no such override")]
    Missing,
    /// Others changed the same at the same time, again and again.
    #[error("somebody else is changing the same; try again")]
    Busy,
    /// The store can't be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn sentences(errors: &[FieldError]) -> String {
    let told = errors.iter().map(|error| format!("{}: {}", error.field, error.message));
    told.collect::<Vec<_>>().join("; ")
}

fn invalid(field: &str, message: impl Into<String>) -> Refusal {
    Refusal::Invalid(vec![FieldError { field: field.to_owned(), message: message.into() }])
}

/// "I have it": `take.person` has all of it from now on, and open pages go along. What others took without an
/// end is over with it.
///
/// # Errors
///
/// [`Refusal`].
pub async fn take_over(store: &Store, now: Timestamp, take: Take) -> Result<OverrideSpec, Refusal> {
    lay_over(store, now, &take, true).await
}

/// `take.person` covers a stretch, for `take.instead_of` if one is named. Open pages stay where they are.
///
/// # Errors
///
/// [`Refusal`].
pub async fn cover(store: &Store, now: Timestamp, take: Take) -> Result<OverrideSpec, Refusal> {
    lay_over(store, now, &take, false).await
}

async fn lay_over(
    store: &Store,
    now: Timestamp,
    take: &Take,
    takeover: bool,
) -> Result<OverrideSpec, Refusal> {
    let mine = |name: &str| take.by.person.as_ref().is_some_and(|own| own.as_str() == name);
    let is_own = mine(&take.person) || take.instead_of.as_deref().is_some_and(mine);
    if !take.by.is_admin() && !is_own {
        return Err(Refusal::Forbidden(
            "You can take duty yourself and give away your own; only an administrator can do it for others.",
        ));
    }
    let from = begin(take.from, now)?;
    commit(store, |definitions| {
        let mut spec = blank(definitions, &take.over, now, &take.by);
        spec.role.clone_from(&take.role);
        spec.person.clone_from(&take.person);
        spec.instead_of.clone_from(&take.instead_of);
        spec.from = print_instant(from);
        spec.takeover = takeover;
        take.reason.trim().clone_into(&mut spec.reason);
        let roster = checked(definitions, &spec, &take.over, now)?;
        let mut edits = Vec::new();
        let mut schedule = roster.schedule().clone();
        if takeover {
            let ends = open_ended(definitions, take, from);
            let over = |id: &str| ends.iter().any(|end| end.name == id);
            let still = schedule.overrides().iter().filter(|lies| !over(&lies.id)).cloned().collect();
            schedule = schedule.with_overrides(still);
            edits.extend(ends.into_iter().map(|end| until(definitions, end, from)));
        }
        let end = end_of(&schedule, take, from)?;
        spec.until = end.map(print_instant);
        let stretch = (from, end.unwrap_or(from.saturating_add(SLACK).unwrap_or(from)));
        is_there(definitions, &take.person, stretch)?;
        if take.until == Until::NextHandoff && has_it_anyway(&roster, take, from, end) {
            return Err(invalid("person", "is on call until then anyway"));
        }
        if let Some(replaced) = &take.instead_of
            && !serves(
                &roster,
                &take.role,
                replaced,
                (from, end.unwrap_or(from.saturating_add(YEAR).unwrap_or(from))),
            )
        {
            return Err(invalid("instead_of", "is not on call at any time of this stretch"));
        }
        edits.push(add(&spec));
        Ok((edits, spec))
    })
    .await
}

/// Ends an override: now, if it has begun; one that has not is removed. Returns it as it is now, or was.
///
/// # Errors
///
/// [`Refusal`].
pub async fn end(store: &Store, now: Timestamp, name: &str, by: &Caller) -> Result<OverrideSpec, Refusal> {
    commit(store, |definitions| {
        let spec = stored(definitions, name).ok_or(Refusal::Missing)?;
        let concerned = [Some(spec.person.as_str()), spec.instead_of.as_deref()];
        let own = by.person.as_ref().map(|person| person.as_str());
        if !by.is_admin() && !concerned.contains(&own) {
            return Err(Refusal::Forbidden(
                "Only the people of an override and administrators can end it; you can take over instead.",
            ));
        }
        if ends(definitions, &spec).is_some_and(|end| end <= now) {
            return Err(invalid("name", "is over already; what has been can't be changed"));
        }
        if from(&spec) > now {
            let write = Write::Remove { kind: Kind::Override, name: spec.name.clone() };
            return Ok((vec![edit(definitions, &spec.name, write)], spec));
        }
        let spec = OverrideSpec { until: Some(print_instant(now)), ..spec };
        Ok((vec![until(definitions, spec.clone(), now)], spec))
    })
    .await
}

/// Ends everything that a person has taken and that is in force now.
///
/// # Errors
///
/// [`Refusal`].
pub async fn hand_back(store: &Store, now: Timestamp, back: HandBack) -> Result<Vec<OverrideSpec>, Refusal> {
    if !back.by.is_admin() && back.by.person.as_ref().is_none_or(|own| own.as_str() != back.person) {
        return Err(Refusal::Forbidden("You can hand back only what you have taken yourself."));
    }
    commit(store, |definitions| {
        let is_running = |spec: &OverrideSpec| {
            let is_over = ends(definitions, spec).is_some_and(|end| end <= now);
            spec.role == back.role && spec.person == back.person && from(spec) <= now && !is_over
        };
        let taken: Vec<OverrideSpec> =
            definitions.overrides(&back.over).into_iter().filter(is_running).collect();
        if taken.is_empty() {
            return Err(invalid("person", "has taken nothing here that could be handed back"));
        }
        let ended = taken.into_iter().map(|spec| OverrideSpec { until: Some(print_instant(now)), ..spec });
        let ended: Vec<OverrideSpec> = ended.collect();
        Ok((ended.iter().map(|spec| until(definitions, spec.clone(), now)).collect(), ended))
    })
    .await
}

/// Two people take each other's shift: what is left of the ones at the two instants.
///
/// # Errors
///
/// [`Refusal`].
pub async fn swap(store: &Store, now: Timestamp, swap: Swap) -> Result<[OverrideSpec; 2], Refusal> {
    let people = [swap.one.0.as_str(), swap.other.0.as_str()];
    if !swap.by.is_admin() && swap.by.person.as_ref().is_none_or(|own| !people.contains(&own.as_str())) {
        return Err(Refusal::Forbidden(
            "You can swap your own shifts; only an administrator can swap those of others.",
        ));
    }
    if people[0] == people[1] {
        return Err(invalid("other", "is the same person"));
    }
    commit(store, |definitions| {
        let half = |field: &str, gives: &(String, Timestamp), takes: &str| {
            let mut spec = blank(definitions, &swap.over, now, &swap.by);
            spec.role.clone_from(&swap.role);
            takes.clone_into(&mut spec.person);
            spec.instead_of = Some(gives.0.clone());
            swap.reason.trim().clone_into(&mut spec.reason);
            let roster = checked(definitions, &spec, &swap.over, now)?;
            let shift = roster.shift(gives.1, &swap.role).filter(|shift| has(shift, &gives.0));
            let shift = shift.ok_or_else(|| invalid(field, format!("{} is not on call then", gives.0)))?;
            let Some(until) = shift.until.filter(|until| *until > now) else {
                return Err(invalid(field, "has no end, or is over: it can't be swapped"));
            };
            let from = begin(Some(shift.from.max(now)), now)?;
            is_there(definitions, takes, (from, until))?;
            spec.from = print_instant(from);
            spec.until = Some(print_instant(until));
            Ok(spec)
        };
        let specs = [half("one", &swap.one, people[1])?, half("other", &swap.other, people[0])?];
        Ok((specs.iter().map(add).collect(), specs))
    })
    .await
}

/// When an override ends or has ended: its own end, or the beginning of the one that took its place. None while
/// it waits for somebody to take it.
pub fn ends(definitions: &Definitions, spec: &OverrideSpec) -> Option<Timestamp> {
    if let Some(until) = &spec.until {
        return parse_instant(until).ok();
    }
    let all = definitions.overrides(&spec.over()?);
    let later = all.iter().skip_while(|other| other.name != spec.name).skip(1);
    let takes_its_place = |other: &&OverrideSpec| {
        other.role == spec.role
            && (other.instead_of.is_none() || other.instead_of == spec.instead_of)
            && from(other) > from(spec)
    };
    later.filter(takes_its_place).map(from).min()
}

/// The first instant of an override.
pub fn from(spec: &OverrideSpec) -> Timestamp {
    // What is stored has been read before.
    parse_instant(&spec.from).unwrap_or(Timestamp::MIN)
}

/// Decides by what is in force, and writes it; decides again if that has changed meanwhile.
async fn commit<T>(
    store: &Store,
    decide: impl Fn(&Definitions) -> Result<(Vec<Edit>, T), Refusal>,
) -> Result<T, Refusal> {
    for _ in 0..TRIES {
        let (edits, answer) = decide(&store.definitions())?;
        match store.define_all(edits).await? {
            Defining::Done(_) => return Ok(answer),
            Defining::Invalid(errors) => return Err(Refusal::Invalid(errors)),
            Defining::Missing
            | Defining::Exists
            | Defining::Moved(_)
            | Defining::InUse(_)
            | Defining::Kept(_) => {}
        }
    }
    Err(Refusal::Busy)
}

/// An override that says nothing yet.
fn blank(definitions: &Definitions, over: &Lies, now: Timestamp, by: &Caller) -> OverrideSpec {
    let (schedule, team) = match over {
        Lies::Schedule(name) => (Some(name.clone()), None),
        Lies::Team(name) => (None, Some(name.clone())),
    };
    OverrideSpec {
        // By name they are in the order in which they were made, also within one second.
        name: format!("override-{:011x}{:06x}", now.as_millisecond(), chance() & 0xff_ffff),
        schedule,
        team,
        role: String::new(),
        person: String::new(),
        instead_of: None,
        from: print_instant(now),
        until: None,
        takeover: false,
        reason: String::new(),
        made_by: by.label(definitions.directory()),
        made_at: print_instant(now),
    }
}

/// What it lies over, if all that it names is there.
fn checked(
    definitions: &Definitions,
    spec: &OverrideSpec,
    over: &Lies,
    now: Timestamp,
) -> Result<Roster, Refusal> {
    let body = serde_json::to_value(spec).unwrap_or_default();
    definitions.check(Kind::Override, body, now).map_err(Refusal::Invalid)?;
    Roster::current(definitions, over.clone()).ok_or_else(|| invalid("schedule", "can't be used now"))
}

/// When an override may begin.
fn begin(wanted: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Refusal> {
    let from = wanted.unwrap_or(now);
    if from < now.saturating_sub(SLACK).unwrap_or(now) {
        return Err(invalid("from", "is in the past; who was on call then can't be changed any more"));
    }
    let from = from.max(now);
    Ok(Timestamp::from_second(from.as_second()).unwrap_or(from))
}

fn end_of(schedule: &Schedule, take: &Take, from: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let end = match take.until {
        Until::Released => None,
        Until::At(at) if at <= from => return Err(invalid("until", "is not after \"from\"")),
        Until::At(at) => Some(at),
        Until::NextHandoff => Some(schedule.next_change(from, &take.role).ok_or_else(|| {
            invalid("until", "no handoff is in sight; write a time, or take it until somebody else does")
        })?),
    };
    Ok(end)
}

/// What others have taken without an end and that a takeover ends.
fn open_ended(definitions: &Definitions, take: &Take, at: Timestamp) -> Vec<OverrideSpec> {
    let is_open = |spec: &OverrideSpec| {
        let takes_all = spec.role == take.role && spec.instead_of.is_none() && spec.until.is_none();
        takes_all && from(spec) <= at && ends(definitions, spec).is_none_or(|end| end > at)
    };
    definitions.overrides(&take.over).into_iter().filter(is_open).collect()
}

/// Nobody takes duty who is away then.
fn is_there(
    definitions: &Definitions,
    person: &str,
    (from, until): (Timestamp, Timestamp),
) -> Result<(), Refusal> {
    let directory = definitions.directory();
    let leave = directory.leave.get(person).map_or(&[][..], |leave| leave.intervals());
    let Some(away) = leave.iter().find(|away| away.start < until && away.end > from) else { return Ok(()) };
    let zone = directory.people.get(person).map_or("UTC", |person| person.zone.as_str());
    let (start, end) = (rota::zone::wall_clock(away.start, zone), rota::zone::wall_clock(away.end, zone));
    Err(invalid("person", format!("is on leave from {start} to {end}")))
}

fn has(shift: &Shift, person: &str) -> bool {
    shift.duty.people.iter().any(|name| **name == *person)
}

/// Whether nothing would change: the person alone is on call until then already.
fn has_it_anyway(roster: &Roster, take: &Take, from: Timestamp, end: Option<Timestamp>) -> bool {
    let alone: &[Arc<str>] = &[take.person.as_str().into()];
    let shift = roster.shift(from, &take.role);
    shift.is_some_and(|shift| *shift.duty.people == *alone && shift.until == end)
}

/// Whether a person would be on call at any time of a stretch: there is somebody to cover for.
fn serves(roster: &Roster, role: &str, person: &str, (from, until): (Timestamp, Timestamp)) -> bool {
    let named = |shift: &Shift| shift.duty.instead_of.iter().any(|name| **name == *person);
    roster.shifts(from, until, role).iter().any(|shift| has(shift, person) || named(shift))
}

fn stored(definitions: &Definitions, name: &str) -> Option<OverrideSpec> {
    let body = definitions.get(Kind::Override, name)?.body.clone();
    crate::definition::read_json(body).ok()
}

fn add(spec: &OverrideSpec) -> Edit {
    let body = serde_json::to_value(spec).unwrap_or_default();
    Edit { name: spec.name.clone(), expect: Expect::Absent, write: Write::Put { kind: Kind::Override, body } }
}

/// An edit that is carried out only if the override is still as it was seen.
fn edit(definitions: &Definitions, name: &str, write: Write) -> Edit {
    let seen = definitions.get(Kind::Override, name).map_or(Expect::Absent, |is| Expect::Version(is.version));
    Edit { name: name.to_owned(), expect: seen, write }
}

fn until(definitions: &Definitions, spec: OverrideSpec, at: Timestamp) -> Edit {
    let spec = OverrideSpec { until: Some(print_instant(at)), ..spec };
    let body = serde_json::to_value(&spec).unwrap_or_default();
    edit(definitions, &spec.name, Write::Put { kind: Kind::Override, body })
}
