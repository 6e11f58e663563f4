//! A week of rehearsals: the hours in which it takes longest to get hold of somebody.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Film, Question, rehearse};
use crate::definition::Definitions;
use crate::definition::time::instant;

/// The hours of a week.
const HOURS: i64 = 7 * 24;

/// What every hour of a week comes to.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Week {
    /// The first hour.
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The zone in which its times are read best.
    pub zone: String,
    /// Every hour, in order.
    pub hours: Vec<Hour>,
    /// In which hour the first page comes last; null where all are alike.
    pub worst_first_page: Option<Hour>,
    /// In which hour three people are reached last.
    pub worst_three_people: Option<Hour>,
    /// In which hour it takes longest until the alert counts as unanswered.
    pub worst_unanswered: Option<Hour>,
}

/// What an alert comes to that comes in at the beginning of an hour, if nobody answers but who is said to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Hour {
    /// When.
    #[serde(with = "instant")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// After how many seconds the first message reaches a person; null: never.
    pub first_page_after: Option<u64>,
    /// After how many seconds three people have been reached; null: never.
    pub three_people_after: Option<u64>,
    /// After how many seconds it counts as unanswered; null: never.
    pub unanswered_after: Option<u64>,
    /// Who is reached first.
    pub first: Option<String>,
}

impl Hour {
    fn of(film: Film) -> Self {
        Self {
            at: film.at,
            first_page_after: film.first_page_after,
            three_people_after: film.three_people_after,
            unanswered_after: film.unanswered_after,
            first: film.people.into_iter().next(),
        }
    }
}

/// Plays an alert at every hour of the week from `question.at` on.
pub fn week(definitions: &Definitions, question: &Question) -> Week {
    let mut zone = "UTC".to_owned();
    let mut hours = Vec::new();
    for hour in 0..HOURS {
        let Ok(at) = question.at.checked_add(SignedDuration::from_hours(hour)) else { break };
        let film = rehearse(definitions, &Question { at, ..question.clone() });
        zone.clone_from(&film.zone);
        hours.push(Hour::of(film));
    }
    Week {
        from: question.at,
        zone,
        worst_first_page: worst(&hours, |hour| hour.first_page_after),
        worst_three_people: worst(&hours, |hour| hour.three_people_after),
        worst_unanswered: worst(&hours, |hour| hour.unanswered_after),
        hours,
    }
}

/// The first hour in which it takes longest, never being the longest; none where all hours are alike.
fn worst(hours: &[Hour], after: fn(&Hour) -> Option<u64>) -> Option<Hour> {
    let rank = |hour: &Hour| after(hour).unwrap_or(u64::MAX);
    let worst = hours.iter().rev().max_by_key(|hour| rank(hour))?;
    let is_alike = hours.iter().all(|hour| rank(hour) == rank(worst));
    (!is_alike).then(|| worst.clone())
}
