//! Rehearsals: what would happen if an alert came in then, played by the real machine on a clock of its own.
//!
//! Nothing is stored and nothing is sent: carriers take everything at once, but for those that are said to be down,
//! and people answer as the question says. The story is told in the words of [`crate::timeline`], as that of an alert
//! that has really been.
//!
//! The playing is in `rehearsal/play.rs`; [`week()`] asks for every hour of a week.

mod play;
mod question;
mod week;

use std::collections::BTreeMap;

use escalation::alert::{Alert, Audience, Status};
use escalation::delivery::{Purpose, State as DeliveryState};
use escalation::effect::EntryKind;
use escalation::event::Severity;
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::definition::time::instant;
use crate::definition::{Definitions, Lies};
use crate::duty::Roster;
use crate::store::AlertRecord;
use crate::timeline;

pub use question::{AnswerSpec, QuestionSpec};
pub use week::{Hour, Week, week};

/// The longest time that is played: a plan may wait for days.
pub const LONGEST: SignedDuration = SignedDuration::from_hours(14 * 24);

/// What is to be rehearsed.
#[derive(Clone, Debug)]
pub struct Question {
    /// Whom the alert is for.
    pub audience: Audience,
    /// How grave it is.
    pub severity: Severity,
    /// When it comes in.
    pub at: Timestamp,
    /// How many alerts have come in with it for the conditions of plans that count them, this one included.
    pub alerts: u64,
    /// Who answers, and how long after it came in; somebody who has not been reached by then answers as soon as he is.
    pub answers: Vec<(Name, SignedDuration)>,
    /// What does not work: kinds of contact, such as `email`, and whole contacts.
    pub down: Vec<String>,
}

/// What would happen.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Film {
    /// When the alert comes in.
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The zone in which its times are read best.
    pub zone: String,
    /// What happens, in order.
    pub scenes: Vec<Scene>,
    /// How it ends.
    pub end: End,
    /// After how many seconds the first message reaches a person; null: never.
    pub first_page_after: Option<u64>,
    /// After how many seconds three people have been reached; null: never.
    pub three_people_after: Option<u64>,
    /// After how many seconds it counts as unanswered; null: never.
    pub unanswered_after: Option<u64>,
    /// Who is reached, in order.
    pub people: Vec<String>,
}

/// One thing that happens.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Scene {
    /// When.
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Seconds since the alert came in.
    pub after: u64,
    /// A kind of line of the timeline, or `delivery`.
    pub kind: String,
    /// In a sentence.
    pub text: String,
    /// What put these people on call then: layers and overrides; none where the plan names them.
    pub why: Option<String>,
    /// The people that it is about, by name.
    pub people: Vec<String>,
    /// The contact that is used.
    pub contact: Option<String>,
    /// It is something to look into.
    pub is_trouble: bool,
}

/// How a rehearsal ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct End {
    /// `acknowledged`, `unanswered`, or `goes_on`: neither within 14 days.
    pub state: String,
    /// When.
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Seconds since the alert came in.
    pub after: u64,
    /// In a sentence.
    pub text: String,
}

/// Plays what would happen.
pub fn rehearse(definitions: &Definitions, question: &Question) -> Film {
    let record = play::play(definitions.directory(), question);
    tell(definitions, question, &record)
}

fn tell(definitions: &Definitions, question: &Question, record: &AlertRecord) -> Film {
    let directory = definitions.directory();
    let since = |at: Timestamp| u64::try_from(at.duration_since(question.at).as_secs()).unwrap_or(0);
    let reasons = Reasons::of(definitions, &question.audience);
    let lines = timeline::tell(record, directory);
    let scenes = lines.into_iter().map(|line| Scene {
        at: line.at,
        after: since(line.at),
        why: (line.kind == EntryKind::Step.word()).then(|| reasons.tell(line.at, &line.people)).flatten(),
        kind: line.kind.to_owned(),
        text: line.text,
        people: line.people,
        contact: line.contact,
        is_trouble: line.is_trouble,
    });
    let reached = reached(record);
    let mut people: Vec<(Timestamp, String)> = reached.into_iter().map(|(name, at)| (at, name)).collect();
    people.sort();
    let unanswered = record.history.iter().find(|entry| entry.kind == EntryKind::Unanswered);
    let first_page_after = people.first().map(|(at, _)| since(*at));
    let three_people_after = people.get(2).map(|(at, _)| since(*at));
    let people: Vec<String> = people.into_iter().map(|(_, name)| name).collect();
    Film {
        at: question.at,
        zone: reasons.zone(),
        scenes: scenes.collect(),
        end: end(&record.state.alert, question, unanswered.map(|entry| entry.at), &people),
        first_page_after,
        three_people_after,
        unanswered_after: unanswered.map(|entry| since(entry.at)),
        people,
    }
}

/// When each person was first reached by a page.
fn reached(record: &AlertRecord) -> BTreeMap<String, Timestamp> {
    let mut first: BTreeMap<String, Timestamp> = BTreeMap::new();
    for sent in &record.deliveries {
        let delivery = &sent.delivery;
        let is_page = delivery.purpose == Purpose::Page && delivery.state == DeliveryState::Sent;
        let at = sent.attempts.iter().find(|attempt| attempt.outcome == "accepted").map(|attempt| attempt.at);
        if let (true, Some(person), Some(at)) = (is_page, &delivery.person, at) {
            let known = first.entry(person.to_string()).or_insert(at);
            *known = at.min(*known);
        }
    }
    first
}

fn end(alert: &Alert, question: &Question, unanswered: Option<Timestamp>, reached: &[String]) -> End {
    let (state, at, text) = match (alert.status, &alert.acknowledged, unanswered) {
        (Status::Acknowledged, Some(act), _) => ("acknowledged", act.at, format!("{} has it", act.by.label)),
        (_, _, Some(at)) => {
            let would = question.answers.iter().map(|(name, _)| name.as_str());
            let missed: Vec<&str> = would.filter(|name| !reached.contains(&(*name).to_owned())).collect();
            let missed = if missed.is_empty() {
                String::new()
            } else {
                format!(" (nothing got through to {})", missed.join(", "))
            };
            ("unanswered", at, format!("Nobody answers{missed}; the operators are told"))
        }
        _ => {
            let at = question.at.saturating_add(LONGEST).unwrap_or(Timestamp::MAX);
            ("goes_on", at, "After 14 days it still goes on".to_owned())
        }
    };
    let after = u64::try_from(at.duration_since(question.at).as_secs()).unwrap_or(0);
    End { state: state.to_owned(), at, after, text }
}

/// Why people are on call.
struct Reasons(Option<Roster>);

impl Reasons {
    fn of(definitions: &Definitions, audience: &Audience) -> Self {
        let over: Option<Lies> = match audience {
            Audience::Team(team) => definitions.roster_of(team.as_str()),
            Audience::Person(_) => None,
        };
        Self(over.and_then(|over| Roster::current(definitions, over)))
    }

    fn zone(&self) -> String {
        let zone = self.0.as_ref().and_then(|roster| roster.zone().iana_name().map(str::to_owned));
        zone.unwrap_or_else(|| "UTC".to_owned())
    }

    /// For whichever of `people` the schedule names at `at`.
    fn tell(&self, at: Timestamp, people: &[String]) -> Option<String> {
        let roster = self.0.as_ref()?;
        let why = roster.roles().into_iter().filter_map(|role| {
            let shift = roster.shift(at, &role)?;
            let is_named =
                shift.duty.people.iter().any(|name| people.iter().any(|person| **person == **name));
            let because = roster.because(at, &role, shift.duty.source);
            let instead = shift.duty.instead_of.iter().map(|name| name.to_string()).collect::<Vec<_>>();
            let instead = if instead.is_empty() {
                String::new()
            } else {
                format!(", instead of {}", instead.join(", "))
            };
            is_named.then(|| format!("{role}: {because}{instead}"))
        });
        let why: Vec<String> = why.collect();
        (!why.is_empty()).then(|| why.join("; "))
    }
}
