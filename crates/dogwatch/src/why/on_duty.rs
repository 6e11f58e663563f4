//! What schedules said of a person at an instant, with the layer, the override or the leave that made it so.

use escalation::alert::{Alert, Audience};
use escalation::course::CourseStep;
use escalation::directory::Directory;
use escalation::duty::PRIMARY;
use escalation::name::Name;
use escalation::plan::Target;
use jiff::{SignedDuration, Timestamp};

use crate::definition::{Definitions, Kind, Lies, OverrideSpec, read_json};
use crate::duty::Roster;
use crate::store::{Store, StoreError};
use crate::timeline::list;
use std::sync::Arc;

/// The rosters that an alert's plan asks, as they were and are.
pub(super) struct OnDuty {
    rosters: Vec<(Asked, Roster)>,
    definitions: Arc<Definitions>,
}

/// Whose duty a target asks for.
#[derive(Clone, PartialEq, Eq)]
enum Asked {
    /// A schedule's, by name.
    Schedule(Name),
    /// A team's own, whatever says it there.
    Team(Name),
}

/// Whose duty a target asks for, and which role. `audience` is whose step it is.
fn asked(audience: &Audience, target: &Target) -> Option<(Asked, String)> {
    let wanted = match target {
        Target::OnCall(wanted) | Target::NextOnCall(wanted) | Target::PreviousOnCall(wanted) => wanted,
        Target::Team(team) => return Some((Asked::Team(team.clone()), PRIMARY.to_owned())),
        _ => return None,
    };
    let asked = match (&wanted.schedule, audience) {
        (Some(schedule), _) => Asked::Schedule(schedule.clone()),
        (None, Audience::Team(team)) => Asked::Team(team.clone()),
        (None, Audience::Person(_)) => return None,
    };
    Some((asked, wanted.role().to_owned()))
}

/// Whose step it is: another team's that the plan names, or the alert's.
fn owner(step: &CourseStep<'_>, alert: &Alert) -> Audience {
    step.team.map_or_else(|| alert.audience.clone(), |team| Audience::Team(team.clone()))
}

impl OnDuty {
    pub(super) async fn gather(store: &Store, alert: &Alert, now: Timestamp) -> Result<Self, StoreError> {
        let definitions = store.definitions();
        let directory = definitions.directory();
        let steps = directory.course_of(alert, now).steps;
        let in_steps = steps.iter().flat_map(|step| {
            let owner = owner(step, alert);
            step.notify.iter().filter_map(move |target| asked(&owner, target)).collect::<Vec<_>>()
        });
        let at_last = directory.last_resort(&alert.audience).iter();
        let at_last = at_last.filter_map(|target| asked(&alert.audience, target));
        let mut named: Vec<Asked> = Vec::new();
        for (asked, _) in in_steps.chain(at_last) {
            if !named.contains(&asked) {
                named.push(asked);
            }
        }
        let mut rosters = Vec::new();
        for asked in named {
            let found = match &asked {
                Asked::Schedule(name) => {
                    Roster::since(store, Lies::Schedule(name.to_string()), alert.created_at, now).await?
                }
                Asked::Team(team) => {
                    Roster::of_team_since(store, team.as_str(), alert.created_at, now).await?
                }
            };
            rosters.extend(found.map(|roster| (asked, roster)));
        }
        Ok(Self { rosters, definitions })
    }

    /// Who was on call for what a step asks, and why it was or was not this person.
    pub(super) fn explain(
        &self,
        alert: &Alert,
        directory: &Directory,
        step: Option<u16>,
        person: &Name,
        at: Timestamp,
    ) -> Vec<String> {
        let steps = directory.course_of(alert, at).steps;
        let (audience, targets) = match step {
            Some(step) => match steps.get(usize::from(step)) {
                Some(step) => (owner(step, alert), step.notify.to_vec()),
                None => return Vec::new(),
            },
            None => (alert.audience.clone(), directory.last_resort(&alert.audience).to_vec()),
        };
        let mut told: Vec<String> = Vec::new();
        for (asked, role) in targets.iter().filter_map(|target| asked(&audience, target)) {
            if let Some((_, roster)) = self.rosters.iter().find(|(known, _)| *known == asked) {
                for text in self.explain_roster(roster, &role, directory, person, at) {
                    if !told.contains(&text) {
                        told.push(text);
                    }
                }
            }
        }
        told
    }

    fn explain_roster(
        &self,
        roster: &Roster,
        role: &str,
        directory: &Directory,
        person: &Name,
        at: Timestamp,
    ) -> Vec<String> {
        let name = directory.full_name(person);
        let duty = roster.on_call(at, role);
        let full = |people: &[Arc<str>]| -> Vec<String> {
            let shown = people.iter().filter_map(|name| Name::new(name).ok());
            shown.map(|name| directory.full_name(&name).to_owned()).collect()
        };
        let post = match roster.over_at(at) {
            Lies::Schedule(schedule) => format!("{schedule} ({role})"),
            Lies::Team(team) => format!("the team {team}"),
        };
        let because = self.with_author(roster.because(at, role, duty.source));
        let mut told = vec![if duty.people.is_empty() {
            format!("Nobody is on call for {post} then")
        } else {
            format!("On call for {post} then: {}, by {because}", list(&full(&duty.people)))
        }];
        if duty.people.iter().any(|other| **other == *person.as_str()) {
            return told;
        }
        if roster.is_on_leave_at(person.as_str(), at) {
            told.push(format!("{name} is on leave then"));
        }
        let moment = at + SignedDuration::from_millis(1);
        let named = roster.by_layer(at, moment, role).into_iter().find(|layer| {
            layer.shifts.iter().any(|shift| shift.duty.people.iter().any(|other| **other == *person.as_str()))
        });
        if let Some(layer) = named {
            told.push(format!("Layer \"{}\" names {name}, but {because} comes before it", layer.name));
        }
        told
    }

    /// An override with who made it, and why.
    fn with_author(&self, because: String) -> String {
        let Some(id) = because.strip_prefix("override ") else { return because };
        let body = self.definitions.get(Kind::Override, id).map(|defined| defined.body.clone());
        let Some(spec) = body.and_then(|body| read_json::<OverrideSpec>(body).ok()) else { return because };
        match (spec.made_by.as_str(), spec.reason.as_str()) {
            ("", "") => because,
            (by, "") => format!("{because} (made by {by})"),
            ("", reason) => format!("{because} ({reason})"),
            (by, reason) => format!("{because} (made by {by}: {reason})"),
        }
    }
}
