//! Rules of an integration: what is done with a problem that has certain fields.

use std::collections::BTreeMap;

use escalation::event::{Route, Severity, Urgency};
use escalation::name::Name;
use escalation::silence::Pattern;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::template::Place;
use crate::definition::Problems;

/// The most rules of an integration.
pub const MAX_RULES: usize = 100;
/// The most fields that a rule asks for.
const MAX_FIELDS: usize = 20;

/// What is done with problems that have these fields. The first rule that fits counts; where none does, the
/// integration's own team gets it.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Fields and what they have to say: `summary`, `severity`, `key`, or a place in what was sent for this problem
    /// (a JSON pointer such as `/labels/cluster`). `*` stands for any characters. All must fit.
    #[serde(rename = "match", default)]
    #[schema(example = json!({ "/labels/cluster": "prod-*" }))]
    pub matches: BTreeMap<String, String>,
    /// The team that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "dba")]
    pub team: Option<String>,
    /// The severity, whatever the sender says: `critical`, `error`, `warning` or `info`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "critical")]
    pub severity: Option<String>,
    /// What it means for people, whatever the severity: `high` or `low`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "low")]
    pub urgency: Option<String>,
    /// The escalation plan that it goes through, in place of the team's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "database")]
    pub plan: Option<String>,
    /// Nobody is to hear of it: it is shown among what the integration sent, and nothing more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore: bool,
}

/// What a field of a rule is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Field {
    Summary,
    Severity,
    Key,
    At(Place),
}

/// A rule, resolved.
#[derive(Clone, Debug)]
pub struct Rule {
    fields: Vec<(Field, Pattern)>,
    /// The team that it is for; none: the integration's.
    pub team: Option<Name>,
    /// The severity; none: the sender's.
    pub severity: Option<Severity>,
    /// What is done in place of what the team says.
    pub route: Route,
    /// Nobody is to hear of it.
    pub ignore: bool,
}

/// What a rule may ask of a problem.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What is wrong, in one line.
    pub summary: &'a str,
    /// How grave it is.
    pub severity: Severity,
    /// What makes it the same problem.
    pub key: &'a str,
    /// Everything that was sent for it.
    pub fields: &'a Value,
}

impl Rule {
    /// Whether a problem is meant.
    pub fn fits(&self, asked: Asked<'_>) -> bool {
        self.fields.iter().all(|(field, pattern)| match field {
            Field::Summary => pattern.fits(asked.summary),
            Field::Severity => pattern.fits(asked.severity.word()),
            Field::Key => pattern.fits(asked.key),
            Field::At(place) => pattern.fits(&place.text(asked.fields)),
        })
    }
}

/// Reads a severity of ours.
pub(in crate::definition) fn severity(field: &str, word: &str, problems: &mut Problems) -> Option<Severity> {
    let found = Severity::ALL.into_iter().find(|known| known.word() == word);
    if found.is_none() {
        problems.add(field, "is one of \"critical\", \"error\", \"warning\" and \"info\"");
    }
    found
}

/// Reads an urgency.
pub(in crate::definition) fn urgency(field: &str, word: &str, problems: &mut Problems) -> Option<Urgency> {
    let found = [Urgency::High, Urgency::Low].into_iter().find(|known| known.word() == word);
    if found.is_none() {
        problems.add(field, "is \"high\" or \"low\"");
    }
    found
}

impl RuleSpec {
    /// What it means, as far as it can be told from itself. `field` is where it stands.
    pub(super) fn shape(&self, field: &str, problems: &mut Problems) -> Rule {
        if self.matches.len() > MAX_FIELDS {
            problems.add(format!("{field}.match"), format_args!("has more than {MAX_FIELDS} fields"));
        }
        let mut fields = Vec::new();
        for (name, pattern) in &self.matches {
            let at = format!("{field}.match.{name}");
            let asked = match name.as_str() {
                "summary" => Some(Field::Summary),
                "severity" => Some(Field::Severity),
                "key" => Some(Field::Key),
                place => problems.take(&at, Place::new(place)).map(Field::At),
            };
            // What is not there is empty: this asks for that.
            let pattern = if pattern.is_empty() {
                problems.add(&at, "must not be empty; write \"*\" for anything");
                None
            } else {
                problems.take(&at, Pattern::new(pattern))
            };
            fields.extend(asked.zip(pattern));
        }
        let name = |field: String, text: &Option<String>, problems: &mut Problems| {
            text.as_ref().and_then(|text| problems.take(field, Name::new(text)))
        };
        let urgency =
            self.urgency.as_deref().and_then(|word| urgency(&format!("{field}.urgency"), word, problems));
        let says =
            self.team.is_some() || self.severity.is_some() || self.urgency.is_some() || self.plan.is_some();
        match (says, self.ignore) {
            (false, false) => problems
                .add(field, "says nothing to do: write a team, severity, urgency, plan, or ignore = true"),
            (true, true) => {
                problems.add(format!("{field}.ignore"), "goes with nothing else: nobody hears of it")
            }
            _ => {}
        }
        Rule {
            fields,
            team: name(format!("{field}.team"), &self.team, problems),
            severity: self
                .severity
                .as_deref()
                .and_then(|word| severity(&format!("{field}.severity"), word, problems)),
            route: Route { urgency, plan: name(format!("{field}.plan"), &self.plan, problems) },
            ignore: self.ignore,
        }
    }
}
