//! Silences and maintenance windows: which alerts page nobody, from when until when, who says so, and why.
//!
//! Made by people as they go, not written in files. One that has begun is never taken back, it is ended: so that
//! what held back an alert stays answerable.

use escalation::event::Severity;
use escalation::name::Name;
use escalation::silence::{MAX_LENGTH, Match, Pattern, Silence};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rota::period::ZonedPeriod;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::time::parse_instant;
use super::{Definitions, FieldError, Kind, Lines, Problems, Spec};

/// Alerts that page nobody for a while: those that have all of what is named here.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SilenceSpec {
    /// The identity, given by Dogwatch.
    #[schema(max_length = 64, example = "silence-1f3a")]
    pub name: String,
    /// Which alerts.
    #[serde(rename = "match")]
    pub matches: MatchSpec,
    /// The first instant.
    #[schema(max_length = 40, example = "2026-12-24T08:00:00Z")]
    pub from: String,
    /// The first instant after it, at most 30 days later. Only maintenance within a period may go without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40, example = "2026-12-24T10:00:00Z")]
    pub until: Option<String>,
    /// Only within this period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255, example = "nightly-backup")]
    pub period: Option<String>,
    /// The zone in which the period is read. Default: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub zone: Option<String>,
    /// Why.
    #[schema(max_length = 200, example = "the disks are being exchanged")]
    pub reason: String,
    /// Who made it.
    #[schema(max_length = 200)]
    pub made_by: String,
}

/// Alerts of a team, or of a sender, that page nobody for a while, once or again and again.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceSpec {
    /// The identity, given by Dogwatch.
    #[schema(max_length = 64, example = "maintenance-1f3a")]
    pub name: String,
    /// The team; or `integration`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "ops")]
    pub team: Option<String>,
    /// The integration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub integration: Option<String>,
    /// The first instant.
    #[schema(max_length = 40, example = "2026-12-24T08:00:00Z")]
    pub from: String,
    /// The first instant after it, at most 30 days later. Only maintenance within a period may go without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 40, example = "2026-12-24T10:00:00Z")]
    pub until: Option<String>,
    /// Only within this period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255, example = "nightly-backup")]
    pub period: Option<String>,
    /// The zone in which the period is read. Default: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    pub zone: Option<String>,
    /// Why.
    #[schema(max_length = 200, example = "the nightly backup")]
    pub reason: String,
    /// Who made it.
    #[schema(max_length = 200)]
    pub made_by: String,
}

/// Which alerts are meant. In texts `*` stands for any characters: `db*`, `*disk*`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchSpec {
    /// The team that they are for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64, example = "ops")]
    pub team: Option<String>,
    /// The sender that they come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub integration: Option<String>,
    /// One of these: `critical`, `error`, `warning`, `info`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 4, example = json!(["warning", "info"]))]
    pub severities: Vec<String>,
    /// What makes reports the same problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "db1/*")]
    pub dedup_key: Option<String>,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200, example = "disk full on *")]
    pub summary: Option<String>,
    /// Anything more that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub details: Option<String>,
}

/// When, as written.
struct TimesText<'a> {
    from: &'a str,
    until: Option<&'a str>,
    period: Option<&'a str>,
    zone: Option<&'a str>,
}

/// When, resolved.
struct Times {
    from: Timestamp,
    until: Option<Timestamp>,
    within: Option<ZonedPeriod>,
}

impl MatchSpec {
    /// What it means.
    fn shape(&self, definitions: &Definitions, problems: &mut Problems) -> Match {
        let mut pattern = |field: &str, text: &Option<String>| {
            text.as_ref().and_then(|text| problems.take(format!("match.{field}"), Pattern::new(text)))
        };
        let mut matches = Match {
            integration: pattern("integration", &self.integration),
            dedup_key: pattern("dedup_key", &self.dedup_key),
            summary: pattern("summary", &self.summary),
            details: pattern("details", &self.details),
            ..Match::default()
        };
        matches.team =
            self.team.as_ref().and_then(|team| known_team("match.team", team, definitions, problems));
        for (index, word) in self.severities.iter().enumerate() {
            match Severity::ALL.into_iter().find(|known| known.word() == word) {
                Some(severity) if !matches.severities.contains(&severity) => {
                    matches.severities.push(severity)
                }
                Some(_) => problems.add(format!("match.severities[{index}]"), "is there twice"),
                None => problems.add(
                    format!("match.severities[{index}]"),
                    "is one of \"critical\", \"error\", \"warning\" and \"info\"",
                ),
            }
        }
        matches
    }

    fn need_something(&self, problems: &mut Problems) {
        let texts = [&self.team, &self.integration, &self.dedup_key, &self.summary, &self.details];
        if self.severities.is_empty() && texts.iter().all(|text| text.is_none()) {
            problems.add(
                "match",
                "say which alerts: write at least one of team, integration, severities, dedup_key, summary, details",
            );
        }
    }
}

fn known_team(field: &str, team: &str, definitions: &Definitions, problems: &mut Problems) -> Option<Name> {
    let name = problems.take(field, Name::new(team))?;
    if definitions.get(Kind::Team, team).is_none() {
        problems.unknown(field, Kind::Team, team, definitions.names(Kind::Team));
    }
    Some(name)
}

impl TimesText<'_> {
    fn shape(
        &self,
        definitions: &Definitions,
        may_be_endless: bool,
        problems: &mut Problems,
    ) -> Option<Times> {
        let from = problems.take("from", parse_instant(self.from));
        let until = self.until.and_then(|until| problems.take("until", parse_instant(until)));
        let zone = self.zone.map(|zone| problems.take("zone", rota::zone::find(zone)));
        let zone = zone.flatten().unwrap_or(TimeZone::UTC);
        let within = self.period.and_then(|name| {
            let period = definitions.period(name);
            if period.is_none() {
                problems.unknown("period", Kind::Period, name, definitions.names(Kind::Period));
            }
            period.map(|period| period.in_zone(zone))
        });
        if self.zone.is_some() && self.period.is_none() {
            problems.add("zone", "goes with a period; leave it out, or name one");
        }
        match (from, until) {
            (Some(from), Some(until)) if until < from => problems.add("until", "is before \"from\""),
            (Some(from), Some(until)) if until.duration_since(from) > MAX_LENGTH && !may_be_endless => {
                problems.add("until", "is more than 30 days after \"from\"; write an earlier time");
            }
            (_, None) if self.until.is_none() && !may_be_endless => {
                problems.add("until", "is missing; write when it ends");
            }
            _ => {}
        }
        Some(Times { from: from?, until, within })
    }
}

fn silence(
    name: &str,
    reason: &str,
    made_by: &str,
    matches: Match,
    times: Option<Times>,
    mut problems: Problems,
) -> Result<Silence, Vec<FieldError>> {
    let name = problems.take("name", Name::new(name));
    problems.text("reason", reason, 1..=200, Lines::One);
    problems.text("made_by", made_by, 0..=200, Lines::One);
    problems.finish()?;
    // finish() has returned if one of them is missing.
    let (Some(name), Some(Times { from, until, within })) = (name, times) else { return Err(Vec::new()) };
    let (by, reason) = (made_by.to_owned(), reason.to_owned());
    Ok(Silence { name, by, reason, matches, from, until, within })
}

impl SilenceSpec {
    fn times(&self) -> TimesText<'_> {
        TimesText {
            from: &self.from,
            until: self.until.as_deref(),
            period: self.period.as_deref(),
            zone: self.zone.as_deref(),
        }
    }
}

impl Spec for SilenceSpec {
    type Resolved = Silence;

    fn resolve(&self, definitions: &Definitions) -> Result<Silence, Vec<FieldError>> {
        let mut problems = Problems::default();
        self.matches.need_something(&mut problems);
        let matches = self.matches.shape(definitions, &mut problems);
        let times = self.times().shape(definitions, false, &mut problems);
        silence(&self.name, &self.reason, &self.made_by, matches, times, problems)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl MaintenanceSpec {
    fn times(&self) -> TimesText<'_> {
        TimesText {
            from: &self.from,
            until: self.until.as_deref(),
            period: self.period.as_deref(),
            zone: self.zone.as_deref(),
        }
    }
}

impl Spec for MaintenanceSpec {
    type Resolved = Silence;

    fn resolve(&self, definitions: &Definitions) -> Result<Silence, Vec<FieldError>> {
        let mut problems = Problems::default();
        let mut matches = Match::default();
        match (&self.team, &self.integration) {
            (Some(team), None) => matches.team = known_team("team", team, definitions, &mut problems),
            (None, Some(integration)) => {
                if definitions.get(Kind::Integration, integration).is_none() {
                    let known = definitions.names(Kind::Integration);
                    problems.unknown("integration", Kind::Integration, integration, known);
                }
                matches.integration = problems.take("integration", Pattern::new(integration));
            }
            _ => problems.add("team", "write either the team or the integration that is to be quiet"),
        }
        let times = self.times().shape(definitions, self.period.is_some(), &mut problems);
        silence(&self.name, &self.reason, &self.made_by, matches, times, problems)
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// What is stored of one of either kind.
#[derive(Clone, Debug)]
pub(super) enum Silencing {
    Silence(SilenceSpec),
    Maintenance(MaintenanceSpec),
}

impl Silencing {
    /// What it means with the periods in force.
    pub(super) fn resolve(&self, definitions: &Definitions) -> Result<Silence, Vec<FieldError>> {
        match self {
            Self::Silence(spec) => spec.resolve(definitions),
            Self::Maintenance(spec) => spec.resolve(definitions),
        }
    }

    /// The period that it names.
    pub(super) fn period(&self) -> Option<&str> {
        match self {
            Self::Silence(spec) => spec.period.as_deref(),
            Self::Maintenance(spec) => spec.period.as_deref(),
        }
    }
}

impl Definitions {
    /// Which alerts are meant.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub fn read_match(&self, spec: &MatchSpec) -> Result<Match, Vec<FieldError>> {
        let mut problems = Problems::default();
        spec.need_something(&mut problems);
        let matches = spec.shape(self, &mut problems);
        problems.finish()?;
        Ok(matches)
    }
}
