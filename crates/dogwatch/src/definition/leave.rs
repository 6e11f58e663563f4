//! Leave: when a person is never on call.

use escalation::name::Name;
use jiff::tz::TimeZone;
use rota::period::Interval;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::parse_stretch;
use super::{Definitions, FieldError, Lines, Problems, Spec, people_exist};

/// The most stretches of one entry: a calendar may bring many.
const MAX_STRETCHES: usize = 1_000;

/// When a person is never on call.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveSpec {
    /// The identity, given by Dogwatch.
    #[schema(max_length = 64, example = "leave-01k9x2m4")]
    pub name: String,
    /// Who is away.
    #[schema(max_length = 64, example = "john")]
    pub person: String,
    /// When.
    #[schema(min_items = 0, max_items = 1000)]
    pub stretches: Vec<StretchSpec>,
    /// Why, as far as others may know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 200)]
    pub reason: String,
    /// Who made it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 200)]
    pub made_by: String,
}

/// From when until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StretchSpec {
    /// A day, or a time, as clocks in the person's zone show it; or an instant.
    #[schema(max_length = 40, example = "2026-12-24")]
    pub from: String,
    /// The last day, or the first time after it.
    #[schema(max_length = 40, example = "2026-12-26")]
    pub until: String,
}

impl LeaveSpec {
    /// What it means in the person's zone.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub fn shape(&self, zone: &TimeZone) -> Result<Vec<Interval>, Vec<FieldError>> {
        let mut problems = Problems::default();
        problems.take("name", Name::new(&self.name));
        problems.text("reason", &self.reason, 0..=200, Lines::One);
        problems.text("made_by", &self.made_by, 0..=200, Lines::One);
        if self.stretches.len() > MAX_STRETCHES {
            problems.add(
                "stretches",
                format_args!("has {} entries; at most {MAX_STRETCHES} are allowed", self.stretches.len()),
            );
        }
        let mut intervals = Vec::new();
        for (index, stretch) in self.stretches.iter().enumerate() {
            match parse_stretch(&stretch.from, &stretch.until, zone) {
                Ok(interval) => intervals.push(interval),
                Err((part, error)) => problems.add(format!("stretches[{index}].{part}"), error),
            }
        }
        problems.finish()?;
        Ok(intervals)
    }
}

impl Spec for LeaveSpec {
    type Resolved = Vec<Interval>;

    fn resolve(&self, definitions: &Definitions) -> Result<Vec<Interval>, Vec<FieldError>> {
        let mut problems = Problems::default();
        people_exist([("person".to_owned(), self.person.as_str())].into_iter(), definitions, &mut problems);
        problems.finish()?;
        self.shape(&definitions.zone_of(&self.person))
    }

    fn name(&self) -> &str {
        &self.name
    }
}
