//! What schedules said of a person at an instant, with the layer, the override or the leave that made it so.

use escalation::alert::{Alert, Audience};
use escalation::directory::Directory;
use escalation::name::Name;
use escalation::plan::{OnCall, Target};
use jiff::{SignedDuration, Timestamp};

use crate::definition::{Definitions, Kind, Lies, OverrideSpec, read_json};
use crate::duty::Roster;
use crate::store::{Store, StoreError};
use crate::timeline::list;
use std::sync::Arc;

/// The rosters that an alert's plan asks, as they were and are.
pub(super) struct OnDuty {
    /// By the schedule that a step names; none: the team's own.
    rosters: Vec<(Option<Name>, Roster)>,
    definitions: Arc<Definitions>,
}

/// Which duty a target asks for.
fn wanted(target: &Target) -> Option<&OnCall> {
    match target {
        Target::OnCall(wanted) | Target::NextOnCall(wanted) | Target::PreviousOnCall(wanted) => Some(wanted),
        _ => None,
    }
}

impl OnDuty {
    pub(super) async fn gather(store: &Store, alert: &Alert, now: Timestamp) -> Result<Self, StoreError> {
        let definitions = store.definitions();
        let directory = definitions.directory();
        let steps = directory.course_of(alert, now).steps;
        let targets =
            steps.iter().flat_map(|step| step.notify.iter()).chain(directory.last_resort(&alert.audience));
        let mut named: Vec<Option<Name>> = vec![None];
        for schedule in targets.filter_map(wanted).map(|wanted| wanted.schedule.clone()) {
            if !named.contains(&schedule) {
                named.push(schedule);
            }
        }
        let mut rosters = Vec::new();
        for schedule in named {
            let found = match (&schedule, &alert.audience) {
                (Some(name), _) => {
                    Roster::since(store, Lies::Schedule(name.to_string()), alert.created_at, now).await?
                }
                (None, Audience::Team(team)) => {
                    Roster::of_team_since(store, team.as_str(), alert.created_at, now).await?
                }
                (None, Audience::Person(_)) => None,
            };
            rosters.extend(found.map(|roster| (schedule, roster)));
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
        let targets = match step {
            Some(step) => steps.get(usize::from(step)).map(|step| step.notify.to_vec()).unwrap_or_default(),
            None => directory.last_resort(&alert.audience).to_vec(),
        };
        let mut told: Vec<String> = Vec::new();
        for target in targets.iter().filter_map(wanted) {
            let found = self.rosters.iter().find(|(schedule, _)| *schedule == target.schedule);
            if let Some((_, roster)) = found {
                for text in self.explain_roster(roster, target.role(), directory, person, at) {
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
