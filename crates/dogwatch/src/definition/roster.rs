//! What definitions come to when somebody asks who is on call: periods, rotations, leave and schedules,
//! compiled, each again only when something that it is made of has changed.
//!
//! A team without a schedule has a roster of its own all the same: its members from the first to the last, so
//! that leave, takeovers and every question work there, too.

use std::collections::BTreeMap;
use std::sync::Arc;

use escalation::contact::Kind as ContactKind;
use escalation::name::Name;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rota::period::{Period, compile};
use rota::rotation::Rotation;
use rota::schedule::{Layer, Leave, Override, Role, Schedule, Who};

use crate::calendar::Known;

use super::overrides::{Lies, Subject};
use super::silence::Silencing;
use super::{
    Definitions, FieldError, Kind, LeaveSpec, OverrideSpec, PRIMARY, PeriodSpec, RotationSpec, ScheduleSpec,
    read_json,
};

/// Compiled parts that schedules are made of.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    sources: BTreeMap<String, rota::period::Definition>,
    periods: BTreeMap<String, Period>,
    rotations: BTreeMap<String, Arc<Rotation>>,
    specs: BTreeMap<String, Arc<ScheduleSpec>>,
    overrides: BTreeMap<String, (Lies, Timestamp, Override)>,
    leave: BTreeMap<String, LeaveSpec>,
    silencings: BTreeMap<String, Silencing>,
}

/// What a change touches.
enum Touched {
    Nothing,
    Everything,
    Schedules(Vec<String>),
    Team(String),
    Person(String),
    Silence(String),
}

impl Definitions {
    /// A period, ready to be put into a zone.
    pub fn period(&self, name: &str) -> Option<&Period> {
        self.parts.periods.get(name)
    }

    /// A rotation.
    pub fn rotation(&self, name: &str) -> Option<&Arc<Rotation>> {
        self.parts.rotations.get(name)
    }

    /// A schedule as it was written.
    pub fn schedule_spec(&self, name: &str) -> Option<&Arc<ScheduleSpec>> {
        self.parts.specs.get(name)
    }

    /// Who is on call by a schedule, or by the order of a team's members.
    pub fn roster(&self, over: &Lies) -> Option<&Arc<Schedule>> {
        match over {
            Lies::Schedule(name) => self.directory.schedules.get(name.as_str()),
            Lies::Team(name) => self.directory.rosters.get(name.as_str()),
        }
    }

    /// What says who is on call for a team: its schedule, or the order of its members.
    pub fn roster_of(&self, team: &str) -> Option<Lies> {
        let team = self.directory.teams.get(team)?;
        Some(match &team.schedule {
            Some(schedule) => Lies::Schedule(schedule.to_string()),
            None => Lies::Team(team.name.to_string()),
        })
    }

    /// What says who is on call there now.
    pub fn subject(&self, subject: &Subject) -> Option<Lies> {
        match subject {
            Subject::Roster(over) => Some(over.clone()),
            Subject::Team(team) => self.roster_of(team),
        }
    }

    /// The overrides over a schedule or team, in the order in which they were made.
    pub fn overrides(&self, over: &Lies) -> Vec<OverrideSpec> {
        let bodies = self.list(Kind::Override, "").map(|(_, defined)| defined.body.clone());
        let specs = bodies.filter_map(|body| read_json::<OverrideSpec>(body).ok());
        let mut own: Vec<_> = specs.filter(|spec| spec.over().as_ref() == Some(over)).collect();
        own.sort_by(|one, other| (&one.made_at, &one.name).cmp(&(&other.made_at, &other.name)));
        own
    }

    /// The leave of a person.
    pub fn leave_of(&self, person: &str) -> impl Iterator<Item = &LeaveSpec> {
        self.parts.leave.values().filter(move |leave| leave.person == person)
    }

    /// Every schedule as it was written.
    pub(super) fn schedule_specs(&self) -> impl Iterator<Item = &Arc<ScheduleSpec>> {
        self.parts.specs.values()
    }

    /// The periods that use or exclude one.
    pub(super) fn periods_that_use(&self, name: &str) -> impl Iterator<Item = &str> {
        let template = self.parts.sources.get(name).and_then(|source| source.template.as_ref());
        let used = move |source: &rota::period::Definition| {
            source.exclude.iter().any(|other| other.value == name)
                || template.is_some_and(|own| source.uses.iter().any(|other| other.value == own.value))
        };
        self.parts.sources.iter().filter(move |(_, source)| used(source)).map(|(user, _)| user.as_str())
    }

    /// Everybody, as the words of a calendar may name them.
    pub(super) fn known_people(&self) -> Vec<Known> {
        let people = self.directory.people.values().map(|person| Known {
            name: person.name.as_str().into(),
            full_name: Some(person.full_name.clone()).filter(|full| !full.is_empty()),
            addresses: person
                .contacts
                .iter()
                .filter(|contact| contact.kind() == ContactKind::Email)
                .map(|contact| contact.address().to_owned())
                .collect(),
        });
        people.collect()
    }

    /// The zone in which a person reads times; UTC for one who is not known.
    pub fn zone_of(&self, person: &str) -> TimeZone {
        let person = self.directory.people.get(person);
        person.and_then(|person| rota::zone::find(&person.zone).ok()).unwrap_or(TimeZone::UTC)
    }

    /// Puts these periods in force, already compiled.
    pub(super) fn set_periods(&mut self, periods: &[Period]) {
        self.parts.periods =
            periods.iter().map(|period| (period.name().to_owned(), period.clone())).collect();
        self.directory.periods.clone_from(&self.parts.periods);
    }

    /// The sources of all periods, with these in place of what has their names.
    pub(super) fn periods_with_all(
        &self,
        sources: BTreeMap<String, rota::period::Definition>,
    ) -> Vec<rota::period::Definition> {
        let others = self.parts.sources.iter().filter(|(other, _)| !sources.contains_key(*other));
        let others: Vec<_> = others.map(|(_, source)| source.clone()).collect();
        others.into_iter().chain(sources.into_values()).collect()
    }

    /// Reads one of the kinds that schedules are made of; nothing: it is no more.
    pub(super) fn set_part(
        &mut self,
        kind: Kind,
        name: &str,
        body: Option<serde_json::Value>,
    ) -> Result<(), Vec<FieldError>> {
        let key = name.to_owned();
        let touched = match kind {
            Kind::Period => {
                self.parts.sources.remove(name);
                if let Some(body) = body {
                    let source = read_json::<PeriodSpec>(body)?.source()?;
                    self.parts.sources.insert(key, source);
                }
                Touched::Everything
            }
            Kind::Rotation => {
                self.parts.rotations.remove(name);
                if let Some(body) = body {
                    let rotation = read_json::<RotationSpec>(body)?.shape()?;
                    self.parts.rotations.insert(key, Arc::new(rotation));
                }
                let users =
                    self.parts.specs.iter().filter(|(_, spec)| spec.rotations().any(|used| used == name));
                Touched::Schedules(users.map(|(user, _)| user.clone()).collect())
            }
            Kind::Schedule => {
                self.parts.specs.remove(name);
                if let Some(body) = body {
                    self.parts.specs.insert(key.clone(), Arc::new(read_json(body)?));
                }
                Touched::Schedules(vec![key])
            }
            Kind::Override => {
                let mut over = self.parts.overrides.remove(name).map(|(over, ..)| over);
                if let Some(body) = body {
                    let spec: OverrideSpec = read_json(body)?;
                    let (made, lies) = spec.shape()?;
                    over = spec.over();
                    if let Some(over) = over.clone() {
                        self.parts.overrides.insert(key, (over, made, lies));
                    }
                }
                match over {
                    Some(Lies::Schedule(schedule)) => Touched::Schedules(vec![schedule]),
                    Some(Lies::Team(team)) => Touched::Team(team),
                    None => Touched::Nothing,
                }
            }
            Kind::Leave => {
                let mut person = self.parts.leave.remove(name).map(|leave| leave.person);
                if let Some(body) = body {
                    let spec: LeaveSpec = read_json(body)?;
                    person = Some(spec.person.clone());
                    self.parts.leave.insert(key, spec);
                }
                person.map_or(Touched::Nothing, Touched::Person)
            }
            Kind::Silence | Kind::Maintenance => {
                self.parts.silencings.remove(name);
                if let Some(body) = body {
                    let silencing = match kind {
                        Kind::Silence => Silencing::Silence(read_json(body)?),
                        _ => Silencing::Maintenance(read_json(body)?),
                    };
                    self.parts.silencings.insert(key.clone(), silencing);
                }
                Touched::Silence(key)
            }
            // The zone of a person may have changed, and with it the hours of leave.
            Kind::Person => Touched::Person(key),
            Kind::Team => Touched::Team(key),
            Kind::EscalationPlan | Kind::Integration | Kind::Heartbeat => Touched::Nothing,
        };
        if self.is_loading {
            return Ok(());
        }
        match touched {
            Touched::Nothing => {}
            Touched::Everything => self.compile_all(),
            Touched::Schedules(names) => names.iter().for_each(|name| self.compile_schedule(name)),
            Touched::Team(name) => self.compile_roster(&name),
            Touched::Silence(name) => self.compile_silence(&name),
            Touched::Person(name) => {
                self.compile_people(&name);
                if kind == Kind::Person {
                    self.compile_calendars();
                }
            }
        }
        Ok(())
    }

    /// Compiles everything anew.
    pub(super) fn compile_all(&mut self) {
        if !self.parts.sources.is_empty() || self.entries.keys().any(|(kind, _)| *kind == Kind::Period) {
            let sources: Vec<_> = self.parts.sources.values().cloned().collect();
            // The day decides only which days warnings speak of, and warnings are not shown here.
            let compiled = compile(&sources, jiff::civil::Date::MIN);
            self.set_periods(&compiled.periods);
        }
        let people: Vec<String> = self.parts.leave.values().map(|leave| leave.person.clone()).collect();
        people.iter().for_each(|person| self.compile_leave(person));
        let schedules: Vec<String> = self.parts.specs.keys().cloned().collect();
        schedules.iter().for_each(|name| self.compile_schedule(name));
        let teams: Vec<Name> = self.directory.teams.keys().cloned().collect();
        teams.iter().for_each(|team| self.compile_roster(team.as_str()));
        let silencings: Vec<String> = self.parts.silencings.keys().cloned().collect();
        silencings.iter().for_each(|name| self.compile_silence(name));
    }

    fn compile_silence(&mut self, name: &str) {
        let Ok(key) = Name::new(name) else { return };
        self.directory.silences.remove(&key);
        let Some(silencing) = self.parts.silencings.get(name) else { return };
        // A team that is no more has no alerts: what speaks of it says nothing.
        if let Ok(silence) = silencing.resolve(self) {
            self.directory.silences.insert(key, Arc::new(silence));
        }
    }

    /// The silences and maintenance windows that name a period.
    pub(super) fn silences_within<'a>(&'a self, period: &'a str) -> impl Iterator<Item = &'a str> {
        self.parts
            .silencings
            .iter()
            .filter(move |(_, silencing)| silencing.period() == Some(period))
            .map(|(name, _)| name.as_str())
    }

    fn compile_leave(&mut self, person: &str) {
        let zone = self.zone_of(person);
        let own = self.parts.leave.values().filter(|leave| leave.person == person);
        let intervals: Vec<_> = own.filter_map(|leave| leave.shape(&zone).ok()).flatten().collect();
        if intervals.is_empty() {
            self.directory.leave.remove(person);
        } else {
            self.directory.leave.insert(person.into(), Leave::new(intervals));
        }
    }

    /// Whatever the leave of a person touches.
    fn compile_people(&mut self, person: &str) {
        let before = self.directory.leave.get(person).cloned();
        self.compile_leave(person);
        if self.directory.leave.get(person) == before.as_ref() {
            return;
        }
        let schedules: Vec<String> = self.parts.specs.keys().cloned().collect();
        for name in schedules {
            if self.directory.schedules.get(name.as_str()).is_none_or(|schedule| names(schedule, person)) {
                self.compile_schedule(&name);
            }
        }
        let teams: Vec<Name> = self.directory.rosters.keys().cloned().collect();
        for team in teams {
            if self.directory.rosters.get(&team).is_some_and(|roster| names(roster, person)) {
                self.compile_roster(team.as_str());
            }
        }
    }

    /// Somebody came, went, or has another name: the words of calendars may mean others.
    fn compile_calendars(&mut self) {
        let with_calendar = self.parts.specs.iter().filter(|(_, spec)| spec.has_calendar());
        let names: Vec<String> = with_calendar.map(|(name, _)| name.clone()).collect();
        names.iter().for_each(|name| self.compile_schedule(name));
    }

    fn compile_schedule(&mut self, name: &str) {
        let Ok(key) = Name::new(name) else { return };
        let Some(spec) = self.parts.specs.get(name) else {
            self.directory.schedules.remove(&key);
            return;
        };
        match spec.clone().shape(self) {
            Ok(schedule) => {
                let schedule = self.finished(schedule, &Lies::Schedule(name.to_owned()));
                self.directory.schedules.insert(key, Arc::new(schedule));
            }
            Err(errors) => {
                tracing::error!(name, ?errors, "a stored schedule can't be read");
                self.directory.schedules.remove(&key);
            }
        }
    }

    /// The roster of a team that has no schedule: its members, the first on top.
    fn compile_roster(&mut self, name: &str) {
        let Ok(key) = Name::new(name) else { return };
        let team = self.directory.teams.get(&key).filter(|team| team.schedule.is_none());
        let Some(team) = team else {
            self.directory.rosters.remove(&key);
            return;
        };
        let layers = team.members.iter().rev().map(|member| {
            let member: Arc<str> = member.as_str().into();
            let who = Who::People(std::iter::once(member.clone()).collect());
            Layer { name: member, who, ahead: 0, within: None, shadow: false }
        });
        let role = Role { name: PRIMARY.into(), layers: layers.collect() };
        let roster = self.finished(Schedule::new(TimeZone::UTC, vec![role]), &Lies::Team(name.to_owned()));
        self.directory.rosters.insert(key, Arc::new(roster));
    }

    /// With the overrides and the leave that belong to it.
    fn finished(&self, schedule: Schedule, over: &Lies) -> Schedule {
        let mut lies: Vec<_> = self.parts.overrides.iter().filter(|(_, (other, ..))| other == over).collect();
        lies.sort_by_key(|(name, (_, made, _))| (*made, (*name).clone()));
        let lies: Vec<Override> = lies.into_iter().map(|(_, (_, _, lies))| lies.clone()).collect();
        let schedule = schedule.with_overrides(lies);
        let concerned: BTreeMap<Arc<str>, Leave> = self
            .directory
            .leave
            .iter()
            .filter(|(person, _)| names(&schedule, person))
            .map(|(person, leave)| (person.clone(), leave.clone()))
            .collect();
        schedule.with_leave(concerned)
    }
}

/// Whether somebody may ever be on call by a schedule.
fn names(schedule: &Schedule, person: &str) -> bool {
    let in_layer = |layer: &Layer| match &layer.who {
        Who::People(people) => people.iter().any(|name| **name == *person),
        Who::Rotation(rotation) => rotation
            .editions()
            .iter()
            .flat_map(|edition| &edition.members)
            .any(|people| people.iter().any(|name| **name == *person)),
        _ => true,
    };
    schedule.roles().iter().flat_map(|role| &role.layers).any(in_layer)
        || schedule.overrides().iter().any(|lies| *lies.person == *person)
}
