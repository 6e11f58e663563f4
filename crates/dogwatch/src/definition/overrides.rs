//! Overrides: a person takes a stretch of time of a schedule, or of a team that has none.
//!
//! Made by people, not written in files: a cover, half of a swap, a takeover.

use escalation::event::{Actor, Via};
use escalation::name::Name;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::parse_instant;
use super::{Definitions, FieldError, Kind, Lines, Problems, Spec, people_exist, read_json};

/// A person takes a stretch of time.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OverrideSpec {
    /// The identity, given by Dogwatch.
    #[schema(max_length = 64, example = "override-01k9x2m4")]
    pub name: String,
    /// The schedule; or `team`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "ops")]
    pub schedule: Option<String>,
    /// A team without a schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub team: Option<String>,
    /// What for.
    #[serde(default = "primary")]
    #[schema(max_length = 64, example = "primary")]
    pub role: String,
    /// Who takes it.
    #[schema(max_length = 64, example = "bob")]
    pub person: String,
    /// Only where this person would be on call; everybody's place, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "john")]
    pub instead_of: Option<String>,
    /// The first instant.
    #[schema(max_length = 40, example = "2026-12-24T08:00:00Z")]
    pub from: String,
    /// The first instant after it; none: until somebody else takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40, example = "2026-12-25T08:00:00Z")]
    pub until: Option<String>,
    /// A takeover: open pages go with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub takeover: bool,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 200)]
    pub reason: String,
    /// Who made it.
    #[schema(max_length = 200)]
    pub made_by: String,
    /// When; of two overrides over the same time the one made last wins.
    #[schema(example = "2026-12-20T10:00:00Z")]
    pub made_at: String,
}

fn primary() -> String {
    super::PRIMARY.to_owned()
}

/// What an override lies over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lies {
    /// Over a schedule.
    Schedule(String),
    /// Over the order of a team's members.
    Team(String),
}

/// Of whom is asked who is on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Of a schedule, or the order of a team.
    Roster(Lies),
    /// Of a team, whatever says it there at the time.
    Team(String),
}

impl OverrideSpec {
    /// What it lies over; nothing where neither is named.
    pub fn over(&self) -> Option<Lies> {
        match (&self.schedule, &self.team) {
            (Some(schedule), None) => Some(Lies::Schedule(schedule.clone())),
            (None, Some(team)) => Some(Lies::Team(team.clone())),
            _ => None,
        }
    }

    /// What it means by itself, with when it was made.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub fn shape(&self) -> Result<(Timestamp, rota::schedule::Override), Vec<FieldError>> {
        let mut problems = Problems::default();
        problems.take("name", Name::new(&self.name));
        problems.take("role", Name::new(&self.role));
        problems.text("reason", &self.reason, 0..=200, Lines::One);
        problems.text("made_by", &self.made_by, 0..=200, Lines::One);
        let from = problems.take("from", parse_instant(&self.from));
        let until = self.until.as_ref().map(|until| problems.take("until", parse_instant(until)));
        let made = problems.take("made_at", parse_instant(&self.made_at));
        if self.over().is_none() {
            problems.add("schedule", "write either the schedule or the team that is taken over");
        }
        if self.instead_of.as_ref() == Some(&self.person) {
            problems.add("instead_of", "is the same person");
        }
        if let (Some(from), Some(Some(until))) = (from, until)
            && until < from
        {
            problems.add("until", "is before \"from\"");
        }
        problems.finish()?;
        let (Some(from), Some(made)) = (from, made) else { return Err(Vec::new()) };
        let lies = rota::schedule::Override {
            id: self.name.as_str().into(),
            role: self.role.as_str().into(),
            from,
            until: until.flatten(),
            instead_of: self.instead_of.as_deref().map(Into::into),
            person: self.person.as_str().into(),
        };
        Ok((made, lies))
    }
}

impl Spec for OverrideSpec {
    type Resolved = (Timestamp, rota::schedule::Override);

    fn resolve(&self, definitions: &Definitions) -> Result<Self::Resolved, Vec<FieldError>> {
        let shape = self.shape()?;
        let mut problems = Problems::default();
        let people = [("person", Some(&self.person)), ("instead_of", self.instead_of.as_ref())];
        let people = people.into_iter().filter_map(|(field, name)| Some((field.to_owned(), name?.as_str())));
        people_exist(people, definitions, &mut problems);
        let roster = match self.over() {
            Some(Lies::Schedule(name)) => {
                let found = definitions.directory().schedules.get(name.as_str());
                if found.is_none() {
                    problems.unknown("schedule", Kind::Schedule, &name, definitions.names(Kind::Schedule));
                }
                found
            }
            Some(Lies::Team(name)) => {
                let found = definitions.directory().rosters.get(name.as_str());
                if definitions.get(Kind::Team, &name).is_none() {
                    problems.unknown("team", Kind::Team, &name, definitions.names(Kind::Team));
                } else if found.is_none() {
                    problems.add("team", "has a schedule; name that instead");
                }
                found
            }
            None => None,
        };
        if let Some(roster) = roster
            && !roster.roles().iter().any(|role| *role.name == *self.role)
        {
            let known: Vec<_> = roster.roles().iter().map(|role| format!("\"{}\"", role.name)).collect();
            problems.add(
                "role",
                format_args!("there is no role \"{}\" here; there is {}", self.role, known.join(", ")),
            );
        }
        problems.finish()?;
        Ok(shape)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Definitions {
    /// Who made an override, if it is a takeover.
    pub fn taken_over_by(&self, name: &str) -> Option<Actor> {
        let body = self.get(Kind::Override, name)?.body.clone();
        let spec = read_json::<OverrideSpec>(body).ok().filter(|spec| spec.takeover)?;
        let person = Name::new(&spec.person).ok()?;
        let full_name = self.directory().full_name(&person);
        let is_own = spec.made_by.is_empty() || spec.made_by == spec.person || spec.made_by == full_name;
        let label = if is_own { full_name.to_owned() } else { spec.made_by };
        Some(Actor { person: is_own.then_some(person), label, via: Via::Dogwatch })
    }
}
