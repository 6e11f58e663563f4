//! A question as people and programs write it.

use escalation::alert::Audience;
use escalation::contact::{Contact, Kind as ContactKind};
use escalation::event::Severity;
use escalation::name::Name;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Question;
use crate::definition::time::parse_moment;
use crate::definition::{Definitions, FieldError, Kind, Problems};
use crate::duty::Roster;

/// The most answers of a rehearsal.
const MOST_ANSWERS: usize = 100;
/// The most alerts that may be said to have come in.
const MOST_ALERTS: u64 = 1_000_000;

/// What is to be rehearsed.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QuestionSpec {
    /// When the alert comes in: an instant, or a time on the clocks of the schedule's zone. Default: now.
    #[schema(max_length = 40, example = "2026-12-24T03:00")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// `critical`, `error`, `warning` or `info`. Default: `critical`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// How many alerts of the team have come in lately, this one counted, for steps that say `more_than`. Default: 1.
    #[schema(minimum = 1, maximum = 1_000_000, example = 30)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<u64>,
    /// Who answers, and when. Default: nobody.
    #[schema(max_items = 100)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<AnswerSpec>,
    /// What does not work: kinds of contact, such as `email`, and whole contacts.
    #[schema(max_items = 100, example = json!(["email"]))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub down: Vec<String>,
}

/// Somebody answers.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerSpec {
    /// Who.
    #[schema(max_length = 64, example = "bob")]
    pub person: String,
    /// How long after the alert came in; somebody who has not been reached by then answers when that happens.
    #[schema(max_length = 32, example = "10m")]
    pub after: String,
}

impl QuestionSpec {
    /// What is meant, for an audience that is defined.
    ///
    /// # Errors
    ///
    /// Every problem, with its field.
    pub fn read(
        &self,
        definitions: &Definitions,
        audience: Audience,
        now: Timestamp,
    ) -> Result<Question, Vec<FieldError>> {
        let mut problems = Problems::default();
        let over = match &audience {
            Audience::Team(team) => definitions.roster_of(team.as_str()),
            Audience::Person(_) => None,
        };
        let roster = over.and_then(|over| Roster::current(definitions, over));
        let zone = roster.map_or(TimeZone::UTC, |roster| roster.zone().clone());
        let at = self.at.as_deref().map(|at| problems.take("at", parse_moment(at, &zone)));
        let severity = self.severity.as_deref().map(|word| {
            let known = Severity::ALL.into_iter().find(|severity| severity.word() == word);
            if known.is_none() {
                problems.add("severity", "write critical, error, warning or info");
            }
            known
        });
        if self.alerts.is_some_and(|alerts| !(1..=MOST_ALERTS).contains(&alerts)) {
            problems.add("alerts", format_args!("write 1 to {MOST_ALERTS}, this alert counted"));
        }
        if self.answers.len() > MOST_ANSWERS {
            problems.add("answers", format_args!("are more than {MOST_ANSWERS}"));
        }
        let mut answers = Vec::new();
        for (index, answer) in self.answers.iter().take(MOST_ANSWERS).enumerate() {
            let field = format!("answers[{index}].person");
            let after = problems.duration(format!("answers[{index}].after"), Some(&answer.after));
            let person = Name::new(&answer.person)
                .ok()
                .filter(|name| definitions.directory().people.contains_key(name));
            match (person, after) {
                (Some(person), Some(after)) => answers.push((person, after)),
                (None, _) => {
                    problems.unknown(field, Kind::Person, &answer.person, definitions.names(Kind::Person));
                }
                _ => {}
            }
        }
        for (index, down) in self.down.iter().enumerate() {
            let is_kind = ContactKind::ALL.iter().any(|kind| kind.word() == down);
            if !is_kind && down.parse::<Contact>().is_err() {
                let kinds: Vec<_> = ContactKind::ALL.iter().map(|kind| kind.word()).collect();
                let message = format!("write a kind of contact ({}) or a whole contact", kinds.join(", "));
                problems.add(format!("down[{index}]"), message);
            }
        }
        problems.finish()?;
        Ok(Question {
            audience,
            severity: severity.flatten().unwrap_or(Severity::Critical),
            at: at.flatten().unwrap_or(now),
            alerts: self.alerts.unwrap_or(1),
            answers,
            down: self.down.clone(),
        })
    }
}
