//! A heartbeat: something that has to be heard of again and again; its silence is a problem.

use escalation::event::Severity;
use escalation::name::Name;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::integration::rule::severity;
use super::{Definitions, FieldError, Kind, Lines, Problems, Spec};

/// How often the period may begin and end between two signs of life.
const MOST_STRETCHES: usize = 1_000;

/// Something that says again and again that it is alive, such as a backup or a monitoring system. When it falls
/// silent for longer than expected, its team is paged; its next sign of life ends that alert.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeartbeatSpec {
    /// The identity, never renamed: 1–64 of `a-z0-9._-`.
    #[schema(min_length = 1, max_length = 64, pattern = "^[a-z0-9._-]+$", example = "nightly-backup")]
    pub name: String,
    /// The team that hears of its silence. Keys of this team's integrations may send it.
    #[schema(max_length = 64, example = "ops")]
    pub team: String,
    /// How long it may be silent: `1s` to `7d`.
    #[schema(max_length = 20, example = "10m")]
    pub every: String,
    /// Only time within this period counts: outside it nothing is expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255, example = "workdays")]
    pub period: Option<String>,
    /// The zone in which the period is read. Default: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub zone: Option<String>,
    /// How grave its silence is: `critical`, `error` (the default), `warning` or `info`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "critical")]
    pub severity: Option<String>,
    /// What it is, for people to read.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub description: String,
}

/// A heartbeat, resolved.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// The identity.
    pub name: Name,
    /// The team that hears of its silence.
    pub team: Name,
    /// How long it may be silent.
    pub every: SignedDuration,
    /// Only time within this period counts.
    pub period: Option<String>,
    /// The zone in which the period is read.
    pub zone: TimeZone,
    /// How grave its silence is.
    pub severity: Severity,
    /// What it is.
    pub description: String,
}

impl HeartbeatSpec {
    /// What it means, as far as it can be told from itself.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub fn shape(&self) -> Result<Heartbeat, Vec<FieldError>> {
        let mut problems = Problems::default();
        let name = problems.take("name", Name::new(&self.name));
        let team = problems.take("team", Name::new(&self.team));
        let every = problems.duration("every".to_owned(), Some(&self.every));
        let zone = self.zone.as_ref().and_then(|zone| problems.take("zone", rota::zone::find(zone)));
        if self.zone.is_some() && self.period.is_none() {
            problems.add("zone", "goes with a period; leave it out, or name one");
        }
        let severity = self.severity.as_ref().and_then(|word| severity("severity", word, &mut problems));
        problems.text("description", &self.description, 0..=1000, Lines::Many);
        problems.finish()?;
        // finish() has returned if one of them is missing.
        let (Some(name), Some(team), Some(every)) = (name, team, every) else { return Err(Vec::new()) };
        Ok(Heartbeat {
            name,
            team,
            every,
            period: self.period.clone(),
            zone: zone.unwrap_or(TimeZone::UTC),
            severity: severity.unwrap_or_default(),
            description: self.description.clone(),
        })
    }
}

impl Spec for HeartbeatSpec {
    type Resolved = Heartbeat;

    fn resolve(&self, definitions: &Definitions) -> Result<Heartbeat, Vec<FieldError>> {
        let heartbeat = self.shape()?;
        let mut problems = Problems::default();
        if definitions.get(Kind::Team, &self.team).is_none() {
            problems.unknown("team", Kind::Team, &self.team, definitions.names(Kind::Team));
        }
        if let Some(period) = &self.period
            && definitions.period(period).is_none()
        {
            problems.unknown("period", Kind::Period, period, definitions.names(Kind::Period));
        }
        problems.finish()?;
        Ok(heartbeat)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Definitions {
    /// When a heartbeat that was last heard at `last` is too late: when it has been silent for as long as it may
    /// within its period. None: never, because the period does not come again.
    pub fn late_at(&self, heartbeat: &Heartbeat, last: Timestamp) -> Option<Timestamp> {
        let Some(period) = heartbeat.period.as_ref().and_then(|name| self.period(name)) else {
            return last.checked_add(heartbeat.every).ok();
        };
        let period = period.in_zone(heartbeat.zone.clone());
        let (mut left, mut from) = (heartbeat.every, last);
        for _ in 0..MOST_STRETCHES {
            let begin = period.next_in(from)?;
            let end = period.next_out(begin);
            let length = end.map(|end| end.duration_since(begin));
            if length.is_none_or(|length| left <= length) {
                return begin.checked_add(left).ok();
            }
            left -= length.unwrap_or_default();
            from = end?;
        }
        None
    }
}
