//! The people, teams and plans in force: what a step may know of the world.
//!
//! A directory is a value. An edit makes a new one, and a running alert sees it at its next step.

use std::collections::BTreeMap;
use std::sync::Arc;

use rota::period::Period;
use rota::schedule::{Leave, Schedule};

use crate::alert::Audience;
use crate::contact::Contact;
use crate::name::Name;
use crate::person::Person;
use crate::plan::{EscalationPlan, Target};
use crate::silence::Silence;
use crate::team::{Lifecycle, Team};

/// Everything that can be named, at one version.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// People by name.
    pub people: BTreeMap<Name, Arc<Person>>,
    /// Teams by name.
    pub teams: BTreeMap<Name, Arc<Team>>,
    /// Schedules by name.
    pub schedules: BTreeMap<Name, Arc<Schedule>>,
    /// By team, for those without a schedule: the members, the first on top, with what overrides that.
    pub rosters: BTreeMap<Name, Arc<Schedule>>,
    /// Leave by person.
    pub leave: BTreeMap<Arc<str>, Leave>,
    /// Periods by name, for the conditions of plans.
    pub periods: BTreeMap<String, Period>,
    /// Escalation plans by name.
    pub plans: BTreeMap<Name, Arc<EscalationPlan>>,
    /// Silences and maintenance windows by name, those that are over included.
    pub silences: BTreeMap<Name, Arc<Silence>>,
    /// What the whole service falls back on.
    pub service: Service,
}

/// What applies where a team has nothing of its own.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// Whom to page when a plan has ended, its team has no last resort, and nobody answered.
    pub last_resort: Vec<Target>,
    /// Who is told when an alert stays unanswered, or when something is wrong with the service itself.
    pub operators: Vec<Contact>,
}

impl Directory {
    /// Whom to page when the plan has ended: the team's last resort, else the service's.
    pub fn last_resort(&self, audience: &Audience) -> &[Target] {
        let own = match audience {
            Audience::Team(name) => self.teams.get(name).map(|team| team.last_resort.as_slice()),
            Audience::Person(_) => None,
        };
        own.filter(|targets| !targets.is_empty()).unwrap_or(&self.service.last_resort)
    }

    /// How long things last for alerts of `audience`: as its team says; for a person alone as where nothing is said.
    pub fn lifecycle(&self, audience: &Audience) -> Lifecycle {
        match audience {
            Audience::Team(name) => self.teams.get(name).map(|team| team.lifecycle).unwrap_or_default(),
            Audience::Person(_) => Lifecycle::default(),
        }
    }

    /// Whether there is such a team or person.
    pub fn knows(&self, audience: &Audience) -> bool {
        match audience {
            Audience::Team(name) => self.teams.contains_key(name),
            Audience::Person(name) => self.people.contains_key(name),
        }
    }

    /// The members of a team in order; nobody for a person alone.
    pub fn members(&self, audience: &Audience) -> &[Name] {
        match audience {
            Audience::Team(name) => self.teams.get(name).map_or(&[], |team| team.members.as_slice()),
            Audience::Person(_) => &[],
        }
    }

    /// The name that people read: the full name where the person is known and has one.
    pub fn full_name<'a>(&'a self, name: &'a Name) -> &'a str {
        self.people
            .get(name)
            .map(|person| person.full_name.as_str())
            .filter(|full| !full.is_empty())
            .unwrap_or(name.as_str())
    }
}
