//! An integration: a sender with dedup keys of its own, and what is made of what it sends.
//!
//! Read next: `integration/rule.rs` (who gets what), `integration/mapping.rs` (senders of any JSON),
//! `integration/template.rs` (places and texts).

pub mod mapping;
pub mod rule;
pub mod template;

use std::collections::BTreeMap;

use escalation::event::{Route, Severity};
use escalation::name::Name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Definitions, FieldError, Kind, Lines, Problems, Spec};
use mapping::{Mapping, MappingSpec};
use rule::{Asked, MAX_RULES, Rule, RuleSpec};
use template::Place;

/// The most fields that make a group.
const MAX_GROUP: usize = 10;
/// The most words of severity.
const MAX_SEVERITIES: usize = 50;

/// A monitoring system that reports problems to one team. Dedup keys of different integrations never
/// meet: two of them may both have a "disk full on db1".
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationSpec {
    /// The identity, never renamed: 1–64 of `a-z0-9._-`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9._-]+$", example = "nagios-berlin")]
    pub name: String,
    /// The team that its alerts are for, where no rule says otherwise.
    #[schema(max_length = 64, example = "ops")]
    pub team: String,
    /// What sends, for people to read.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
    /// Whether an acknowledgement that it sends stops the paging. Default: yes where the format says that a person
    /// has done it (PagerDuty, Opsgenie, VictorOps, Zabbix, Nagios), no for a generic one, which is shown only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledge: Option<bool>,
    /// The sender's words for how grave something is, and ours: `critical`, `error`, `warning` or `info`. Most words
    /// are known; write those that mean something else here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(example = json!({ "disaster": "critical", "average": "warning" }))]
    pub severities: BTreeMap<String, String>,
    /// Places in what is sent for a problem, as JSON pointers. Problems that have the same there are one alert, which
    /// ends with the last of them. Default: every problem is an alert of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 10, example = json!(["/labels/cluster", "/labels/alertname"]))]
    pub group_by: Vec<String>,
    /// Who gets what. The first rule that fits counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub rules: Vec<RuleSpec>,
    /// How the JSON of a generic sender, or its mail, becomes problems. Default: the fields that the guide names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<MappingSpec>,
}

/// An integration, resolved.
#[derive(Clone, Debug)]
pub struct Integration {
    /// The identity.
    pub name: Name,
    /// The team where no rule says otherwise.
    pub team: Name,
    /// Whether its acknowledgements stop the paging; none: as its format says.
    pub acknowledge: Option<bool>,
    /// The sender's words in small letters, and ours.
    pub severities: BTreeMap<String, Severity>,
    /// What makes a group; empty: every problem is an alert of its own.
    pub group_by: Vec<Place>,
    /// Who gets what.
    pub rules: Vec<Rule>,
    /// How generic JSON becomes problems.
    pub mapping: Option<Mapping>,
}

/// What the rules of an integration come to for one problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routed {
    /// It is for a team.
    To {
        /// Which.
        team: Name,
        /// How grave it is.
        severity: Severity,
        /// What is done in place of what the team says.
        route: Route,
    },
    /// Nobody is to hear of it.
    Ignored,
}

impl Integration {
    /// Who gets a problem, and by which rule, from 0; none: no rule fits.
    pub fn route(&self, asked: Asked<'_>) -> (Option<usize>, Routed) {
        let found = self.rules.iter().enumerate().find(|(_, rule)| rule.fits(asked));
        let routed = match found {
            Some((_, rule)) if rule.ignore => Routed::Ignored,
            Some((_, rule)) => Routed::To {
                team: rule.team.clone().unwrap_or_else(|| self.team.clone()),
                severity: rule.severity.unwrap_or(asked.severity),
                route: rule.route.clone(),
            },
            None => Routed::To { team: self.team.clone(), severity: asked.severity, route: Route::default() },
        };
        (found.map(|(index, _)| index), routed)
    }
}

impl IntegrationSpec {
    /// What it means, as far as it can be told from itself.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub fn shape(&self) -> Result<Integration, Vec<FieldError>> {
        let mut problems = Problems::default();
        let name = problems.take("name", Name::new(&self.name));
        let team = problems.take("team", Name::new(&self.team));
        problems.text("description", &self.description, 0..=1000, Lines::Many);
        if self.severities.len() > MAX_SEVERITIES {
            problems.add("severities", format_args!("has more than {MAX_SEVERITIES} entries"));
        }
        let mut severities = BTreeMap::new();
        for (word, ours) in &self.severities {
            let field = format!("severities.{word}");
            if let Some(severity) = rule::severity(&field, ours, &mut problems) {
                severities.insert(word.trim().to_lowercase(), severity);
            }
        }
        if self.group_by.len() > MAX_GROUP {
            problems.add("group_by", format_args!("has more than {MAX_GROUP} entries"));
        }
        let places = self.group_by.iter().enumerate();
        let group_by = places
            .filter_map(|(index, place)| problems.take(format!("group_by[{index}]"), Place::new(place)))
            .collect();
        if self.rules.len() > MAX_RULES {
            problems.add("rules", format_args!("has more than {MAX_RULES} entries"));
        }
        let rules = self.rules.iter().enumerate();
        let rules =
            rules.map(|(index, rule)| rule.shape(&format!("rules[{index}]"), &mut problems)).collect();
        let mapping = self.mapping.as_ref().and_then(|mapping| mapping.shape(&mut problems));
        problems.finish()?;
        // finish() has returned if there is no name or no team.
        let (Some(name), Some(team)) = (name, team) else { return Err(Vec::new()) };
        Ok(Integration { name, team, acknowledge: self.acknowledge, severities, group_by, rules, mapping })
    }

    /// Whether it names something of a kind.
    pub fn names(&self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::Team => {
                self.team == name || self.rules.iter().any(|rule| rule.team.as_deref() == Some(name))
            }
            Kind::EscalationPlan => self.rules.iter().any(|rule| rule.plan.as_deref() == Some(name)),
            _ => false,
        }
    }
}

impl Spec for IntegrationSpec {
    type Resolved = Integration;

    fn resolve(&self, definitions: &Definitions) -> Result<Integration, Vec<FieldError>> {
        let integration = self.shape()?;
        let mut problems = Problems::default();
        let mut known = |field: String, kind: Kind, name: &str| {
            if definitions.get(kind, name).is_none() {
                problems.unknown(field, kind, name, definitions.names(kind));
            }
        };
        known("team".to_owned(), Kind::Team, &self.team);
        for (index, rule) in self.rules.iter().enumerate() {
            if let Some(team) = &rule.team {
                known(format!("rules[{index}].team"), Kind::Team, team);
            }
            if let Some(plan) = &rule.plan {
                known(format!("rules[{index}].plan"), Kind::EscalationPlan, plan);
            }
        }
        problems.finish()?;
        Ok(integration)
    }

    fn name(&self) -> &str {
        &self.name
    }
}
