//! An integration: a sender with dedup keys of its own.

use escalation::name::Name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Definitions, FieldError, Kind, Lines, Problems, Spec};

/// A monitoring system that reports problems to one team. Dedup keys of different integrations never
/// meet: two of them may both have a "disk full on db1".
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationSpec {
    /// The identity, never renamed: 1–64 of `a-z0-9._-`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9._-]+$", example = "nagios-berlin")]
    pub name: String,
    /// The team that its alerts are for.
    #[schema(max_length = 64, example = "ops")]
    pub team: String,
    /// What sends, for people to read.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
}

impl Spec for IntegrationSpec {
    type Resolved = Name;

    fn resolve(&self, definitions: &Definitions) -> Result<Name, Vec<FieldError>> {
        let mut problems = Problems::default();
        let name = problems.take("name", Name::new(&self.name));
        problems.text("description", &self.description, 0..=1000, Lines::Many);
        if definitions.get(Kind::Team, &self.team).is_none() {
            problems.unknown("team", Kind::Team, &self.team, definitions.names(Kind::Team));
        }
        problems.finish()?;
        // finish() has returned if there is no name.
        name.ok_or_else(Vec::new)
    }

    fn name(&self) -> &str {
        &self.name
    }
}
