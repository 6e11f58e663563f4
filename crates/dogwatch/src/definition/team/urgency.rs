//! What a team makes of the severities that senders write: what wakes its people, and what may wait.
//!
//! How it is asked is in the `escalation` crate's `hours.rs`.

use escalation::event::Urgency;
use escalation::team::UrgencyRule;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::Problems;
use super::super::escalation_plan::hours;
use super::super::integration::rule::{severity, urgency};

/// The most entries: each severity, at a few times.
pub(super) const MAX_RULES: usize = 20;

/// What a severity means for the people of a team.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UrgencyRuleSpec {
    /// What the sender says: `critical`, `error`, `warning` or `info`.
    #[schema(example = "warning")]
    pub severity: String,
    /// What it means: `high` wakes people, `low` may wait for the day.
    #[schema(example = "high")]
    pub urgency: String,
    /// A period: only then. Needs `zone`. Without one: always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "office")]
    pub during: Option<String>,
    /// The IANA zone of `during`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub zone: Option<String>,
}

/// Reads the entries, in their order.
pub(super) fn rules(specs: &[UrgencyRuleSpec], problems: &mut Problems) -> Vec<UrgencyRule> {
    if specs.len() > MAX_RULES {
        problems.add("urgency", format_args!("has {} entries; at most {MAX_RULES} are allowed", specs.len()));
    }
    let mut rules: Vec<UrgencyRule> = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        let at = format!("urgency[{index}]");
        let severity = severity(&format!("{at}.severity"), &spec.severity, problems);
        let urgency: Option<Urgency> = urgency(&format!("{at}.urgency"), &spec.urgency, problems);
        match (&spec.during, &spec.zone) {
            (Some(_), None) => {
                problems.add(format!("{at}.zone"), "is missing; write a zone such as \"Europe/Berlin\"");
            }
            (None, Some(_)) => problems.add(format!("{at}.during"), "is missing; a zone needs a period"),
            _ => {}
        }
        let during = hours(&format!("{at}.zone"), spec.during.as_deref(), spec.zone.as_deref(), problems);
        let (Some(severity), Some(urgency)) = (severity, urgency) else { continue };
        if rules.iter().any(|earlier| earlier.severity == severity && earlier.during.is_none()) {
            let word = severity.word();
            problems.add(
                at,
                format_args!(
                    "is never asked: an entry before it speaks of {word} at all times; put this one first"
                ),
            );
            continue;
        }
        rules.push(UrgencyRule { during, severity, urgency });
    }
    rules
}
