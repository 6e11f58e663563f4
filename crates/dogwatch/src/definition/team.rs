//! A team.

mod urgency;

use escalation::name::Name;
use escalation::team::{Lifecycle, MAX_MEMBERS, Team};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::escalation_plan::targets;
use super::{Definitions, FieldError, Kind, Lines, Problems, Spec, people_exist};

pub use urgency::UrgencyRuleSpec;

/// The most managers that a team may have.
const MAX_MANAGERS: usize = 20;

/// A group of people who answer for something together.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamSpec {
    /// The identity, never renamed: 1–64 of `a-z0-9._-`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9._-]+$", example = "ops")]
    pub name: String,
    /// What the team is for.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
    /// People in the order in which they are asked. Without a schedule the first is on call.
    #[serde(default)]
    #[schema(max_items = 500, example = json!(["john", "bob"]))]
    pub members: Vec<String>,
    /// The schedule that says who is on call. Without one: the first of the members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "ops")]
    pub schedule: Option<String>,
    /// People who are told when something about the rota needs them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20, example = json!(["alice"]))]
    pub managers: Vec<String>,
    /// The escalation plan. Without one: the members in order, 10 m each, two rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "ops")]
    pub escalation_plan: Option<String>,
    /// Whom to page when the plan has ended and nobody answered. Without one: the service's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20, example = json!(["person:alice"]))]
    pub last_resort: Vec<String>,
    /// What severities mean for the team's people; the first entry that speaks of one counts. What none speaks of:
    /// critical and error are `high`, warning and info `low`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub urgency: Vec<UrgencyRuleSpec>,
    /// How long after an acknowledgement of an urgent alert its owner is asked "still on it?": `1s` to `7d`, or
    /// `off`. Without an answer within 5 minutes people are paged again. Default: `30m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, example = "30m")]
    pub ack_timeout: Option<String>,
    /// For how long after its end a new report of the same problem opens an alert again, and does not make a new
    /// one: `1s` to `7d`. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, example = "10m")]
    pub reopen_within: Option<String>,
    /// How long without a report it takes for an alert to count as over: `1s` to `7d`. Never one that is urgent and
    /// that nobody has answered. Default: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 20, example = "4h")]
    pub resolve_after: Option<String>,
}

impl TeamSpec {
    /// What it means, as far as it can be told from itself.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub fn shape(&self) -> Result<Team, Vec<FieldError>> {
        let mut problems = Problems::default();
        let name = problems.take("name", Name::new(&self.name));
        problems.text("description", &self.description, 0..=1000, Lines::Many);
        if self.members.len() > MAX_MEMBERS {
            problems.add(
                "members",
                format_args!("has {} entries; at most {MAX_MEMBERS} are allowed", self.members.len()),
            );
        }
        let mut members = Vec::new();
        for (index, text) in self.members.iter().enumerate() {
            let field = format!("members[{index}]");
            if let Some(member) = problems.take(&field, Name::new(text)) {
                if members.contains(&member) {
                    problems.add(field, "is there twice");
                } else {
                    members.push(member);
                }
            }
        }
        let schedule = self.schedule.as_ref().and_then(|name| problems.take("schedule", Name::new(name)));
        if self.managers.len() > MAX_MANAGERS {
            problems.add(
                "managers",
                format_args!("has {} entries; at most {MAX_MANAGERS} are allowed", self.managers.len()),
            );
        }
        let managers = self.managers.iter().enumerate();
        let managers = managers
            .filter_map(|(index, name)| problems.take(format!("managers[{index}]"), Name::new(name)))
            .collect();
        let escalation_plan =
            self.escalation_plan.as_ref().and_then(|plan| problems.take("escalation_plan", Name::new(plan)));
        let last_resort = targets("last_resort", &self.last_resort, 0, &mut problems);
        let urgency = urgency::rules(&self.urgency, &mut problems);
        let mut length =
            |field: &str, text: &Option<String>| problems.duration(field.to_owned(), text.as_deref());
        let lifecycle = Lifecycle {
            ack_timeout: match self.ack_timeout.as_deref() {
                None => Lifecycle::default().ack_timeout,
                Some("off") => None,
                Some(_) => length("ack_timeout", &self.ack_timeout),
            },
            reopen_within: length("reopen_within", &self.reopen_within),
            resolve_after: length("resolve_after", &self.resolve_after),
        };
        problems.finish()?;
        // finish() has returned if there is no name.
        let Some(name) = name else { return Err(Vec::new()) };
        Ok(Team {
            name,
            description: self.description.clone(),
            members,
            schedule,
            managers,
            escalation_plan,
            last_resort,
            urgency,
            lifecycle,
        })
    }
}

impl Spec for TeamSpec {
    type Resolved = Team;

    fn resolve(&self, definitions: &Definitions) -> Result<Team, Vec<FieldError>> {
        let team = self.shape()?;
        let mut problems = Problems::default();
        let directory = definitions.directory();
        let named = |field: &'static str, names: &[Name]| {
            let entry = |(index, name): (usize, &Name)| (format!("{field}[{index}]"), name.to_string());
            names.iter().enumerate().map(entry).collect::<Vec<_>>()
        };
        let named = [named("members", &team.members), named("managers", &team.managers)].concat();
        let named = named.iter().map(|(field, name)| (field.clone(), name.as_str()));
        people_exist(named, definitions, &mut problems);
        if let Some(schedule) = &self.schedule
            && definitions.get(Kind::Schedule, schedule).is_none()
        {
            problems.unknown("schedule", Kind::Schedule, schedule, definitions.names(Kind::Schedule));
        }
        if let Some(plan) = team.escalation_plan.as_ref().filter(|plan| !directory.plans.contains_key(*plan))
        {
            let known = definitions.names(Kind::EscalationPlan);
            problems.unknown("escalation_plan", Kind::EscalationPlan, plan.as_str(), known);
        }
        let plan = team.escalation_plan.as_ref().and_then(|plan| directory.plans.get(plan));
        for step in plan.iter().flat_map(|plan| &plan.steps) {
            let is_own = |other: &Team| other.name == team.name;
            if super::escalation_plan::circle(definitions, &step.notify, is_own).is_some() {
                problems
                    .add("escalation_plan", "leads back to this team through the teams that its steps name");
                break;
            }
        }
        for (index, rule) in team.urgency.iter().enumerate() {
            let field = format!("urgency[{index}].during");
            super::escalation_plan::check_hours(field, rule.during.as_ref(), definitions, &mut problems);
        }
        super::escalation_plan::check_targets("last_resort", &team.last_resort, definitions, &mut problems);
        problems.finish()?;
        Ok(team)
    }

    fn name(&self) -> &str {
        &self.name
    }
}
