//! What integrations send, as the store takes it: a request with its events, and what became of each.

use escalation::alert::{Alert, Verdict};
use escalation::event::{Input, Trigger};
use escalation::name::Name;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::AlertRef;

/// The requests of an integration that are kept, to be looked at.
pub const KEPT: i64 = 200;
/// The first part of a request that is kept, in bytes.
pub const KEPT_BYTES: usize = 16 * 1024;

/// A request of an integration.
#[derive(Clone, Debug)]
pub struct Reception {
    /// Who sent it.
    pub integration: Name,
    /// In which format.
    pub format: &'static str,
    /// The id by which the sender may ask what became of it.
    pub request: String,
    /// The first part of it, as it came.
    pub raw: String,
    /// How large it was, in bytes.
    pub size: usize,
    /// What it says, in order.
    pub arrivals: Vec<Arrival>,
    /// Why nothing was made of it, if that is so.
    pub refused: Option<String>,
}

/// One event of a request.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// There is a problem.
    Trigger {
        /// The problem.
        trigger: Trigger,
        /// Which of the problems that its alert counts together; none: it is alone.
        member: Option<String>,
    },
    /// Something is done to an alert.
    Act {
        /// To which.
        to: Addressee,
        /// What.
        input: Input,
        /// Which of the problems that its alert counts together; none: it is alone.
        member: Option<String>,
    },
    /// Nothing is done. Why.
    Nothing(String),
}

/// Which alert of an integration is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// The open one with this key.
    Key(String),
    /// The open one that counts this problem together with others; else the open one with this key.
    Member(String),
    /// This one, if it came from there.
    Alert(AlertRef),
    /// None that there is.
    Nobody,
}

/// What became of an event.
#[derive(Clone, Debug)]
pub enum Became {
    /// It is on this alert.
    Alert(Box<Alert>, Verdict),
    /// One of the problems that an alert counts together is gone, and so many are left.
    Fewer(Box<Alert>, u64),
    /// No such alert is open. Nothing was done.
    NoAlert,
    /// The team that it is for is no more. Nothing was done.
    NoAudience,
    /// Nothing was to be done. Why.
    Nothing(String),
}

/// A request, as it is looked at afterwards.
#[derive(Clone, Debug)]
pub struct Received {
    /// When.
    pub at: Timestamp,
    /// Its id.
    pub request: String,
    /// In which format.
    pub format: String,
    /// The first part of it.
    pub raw: String,
    /// How large it was, in bytes.
    pub size: u64,
    /// What was made of it.
    pub outcome: Outcome,
}

/// What was made of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Outcome {
    /// Why nothing was made of it, if that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What became of each event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Line>,
}

/// What became of one event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    /// The number of the alert that it is on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<u64>,
    /// The id of that alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The key of that alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What was done, in words.
    pub text: String,
    /// It was carried out, or there was nothing left to do.
    pub is_done: bool,
}

impl Line {
    /// What became of an event, in words.
    pub fn of(arrival: &Arrival, became: &Became) -> Self {
        let on = |alert: &Alert, text: String, is_done: bool| Self {
            alert: Some(alert.number),
            id: Some(alert.id.to_string()),
            key: Some(alert.dedup_key.clone()),
            text,
            is_done,
        };
        match became {
            Became::Alert(alert, verdict) => match (arrival, verdict) {
                (Arrival::Trigger { .. }, _) if alert.triggers > 1 => {
                    on(alert, format!("counted, {} times by now", alert.triggers), true)
                }
                (Arrival::Trigger { .. }, _) => on(alert, "a new alert".to_owned(), true),
                (_, Verdict::Done) => on(alert, "done".to_owned(), true),
                (_, Verdict::Already) => on(alert, "it was so already".to_owned(), true),
                (_, Verdict::HasIt(act)) => on(alert, format!("{} has it already", act.by.label), true),
                (_, Verdict::Refused(why)) => on(alert, (*why).to_owned(), false),
            },
            Became::Fewer(alert, 1) => on(alert, "1 more of its problems lasts".to_owned(), true),
            Became::Fewer(alert, left) => on(alert, format!("{left} more of its problems last"), true),
            Became::NoAlert => {
                Self { text: "no alert is open for it; nothing to do".to_owned(), ..Self::default() }
            }
            Became::NoAudience => Self { text: "its team is no more".to_owned(), ..Self::default() },
            Became::Nothing(why) => Self { text: why.clone(), is_done: true, ..Self::default() },
        }
    }
}
