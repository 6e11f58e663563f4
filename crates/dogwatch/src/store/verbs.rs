//! What the store's verbs are given, and what they answer.
//!
//! The verbs are those of [`Store`](super::Store).

use std::collections::HashMap;
use std::sync::Arc;

use escalation::alert::{Alert, Audience, State, Verdict};
use escalation::delivery::Delivery;
use escalation::effect::EntryKind;
use escalation::event::{Actor, Trigger};
use escalation::id::AlertId;
use escalation::page::{Asks, EndedWhy, Page};
use jiff::Timestamp;
use rota::schedule::Schedule;

use crate::definition::{Changed, DocumentError, FieldError, Lies, Owner, Write};

/// An event from outside that begins an alert, or counts on one that is open.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The problem.
    pub trigger: Trigger,
    /// The sender's own name for this request, so that it may be sent again.
    pub idempotency: Option<Idempotency>,
}

/// A key under which a request may be repeated.
#[derive(Clone, Debug)]
pub struct Idempotency {
    /// The sender's key, with what it was sent to.
    pub key: String,
    /// SHA-256 of the request: the same key with another request is a mistake.
    pub request: [u8; 32],
}

/// What became of an event.
#[derive(Clone, Debug)]
pub enum Recorded {
    /// It is stored, and linked to this alert.
    Alert(Box<Alert>),
    /// There is no such team or person.
    NoAudience,
    /// The key was used for another request.
    KeyReused,
}

/// Which alert is meant: by its id, or by the short number that people use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertRef {
    /// By id.
    Id(AlertId),
    /// By number.
    Number(u64),
}

impl std::str::FromStr for AlertRef {
    type Err = escalation::id::BadId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('#').unwrap_or(text).parse() {
            Ok(number) => Ok(Self::Number(number)),
            Err(_) => text.parse().map(Self::Id),
        }
    }
}

/// What somebody did to an alert, carried out.
#[derive(Clone, Debug)]
pub struct Acted {
    /// The alert afterwards.
    pub alert: Alert,
    /// What to answer.
    pub verdict: Verdict,
}

/// What became of alerts that were to go into another.
#[derive(Clone, Debug)]
pub enum Merging {
    /// They have; the alert that goes on, afterwards.
    Done(Box<Acted>),
    /// There is no such alert. Nothing was done.
    Missing(AlertRef),
    /// It can't be done; why, and what to do instead.
    Refused(&'static str),
}

/// What a turn of the engine came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Advanced {
    /// How many wakes were handled.
    pub wakes: usize,
    /// There may be more to do now.
    pub is_full: bool,
    /// When something is due next, if anything is.
    pub next: Option<Timestamp>,
}

/// A delivery to send now, with what its words are made from.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The delivery; its attempt is the token for settling it.
    pub delivery: Delivery,
    /// The alert that it speaks of; none where it speaks of duty.
    pub alert: Option<Alert>,
    /// The page that it belongs to.
    pub page: Option<Page>,
    /// What goes out in the same message, each with no others of its own.
    pub others: Vec<Claim>,
}

impl Claim {
    /// Whether an answer is still of use: to the alert, or to what its page asks of one person alone.
    pub fn waits(&self) -> bool {
        self.alert.as_ref().is_some_and(|alert| alert.status.waits() || self.asks())
    }

    /// Whether its person, asked besides whoever has it, has said yes.
    pub fn comes_too(&self) -> bool {
        let ended = self.page.as_ref().filter(|page| page.asks != Asks::Anybody).and_then(|page| page.ended);
        ended.is_some_and(|ended| ended.why == EndedWhy::Accepted)
    }

    /// Whether its page still asks something of its person.
    pub fn asks(&self) -> bool {
        self.alert
            .as_ref()
            .zip(self.page.as_ref())
            .is_some_and(|(alert, page)| page.is_live() && alert.asks(page))
    }
}

/// What there was to claim.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    /// To be sent now.
    pub claims: Vec<Claim>,
    /// When something more may be claimed: a retry, or a lease that ends.
    pub next: Option<Timestamp>,
}

/// How much may be claimed at once.
#[derive(Clone, Debug)]
pub struct Capacity {
    /// Sends under way by provider.
    pub busy: HashMap<String, usize>,
    /// The most sends under way for a provider.
    pub limit: fn(&str) -> usize,
    /// The most to claim at once.
    pub most: usize,
}

/// What an edit of definitions came to.
#[derive(Clone, Debug)]
pub enum Defining {
    /// It is in force, as this version. A removal has the version that removed.
    Done(u64),
    /// The documents have problems.
    Invalid(Vec<FieldError>),
    /// There is nothing of that name.
    Missing,
    /// There is something of that name already.
    Exists,
    /// It is not as the editor saw it last; it is at this version now.
    Moved(u64),
    /// It is in use by these.
    InUse(Vec<String>),
    /// Files keep it: it is to be changed there.
    Kept(Owner),
}

/// What came of many documents from files.
#[derive(Clone, Debug)]
pub enum Applied {
    /// They are in force.
    Done(Box<Changed>),
    /// They have problems.
    Invalid(Vec<DocumentError>),
    /// Something was edited since the plan was made: this version is in force now.
    Moved(u64),
}

/// What said who is on call, for a time.
#[derive(Clone, Debug)]
pub struct InForce {
    /// Since when.
    pub since: Timestamp,
    /// What it was: a team may have had another schedule, or none.
    pub over: Lies,
    /// What it said.
    pub roster: Arc<Schedule>,
}

/// One of several edits that go together.
#[derive(Clone, Debug)]
pub struct Edit {
    /// The name that is addressed.
    pub name: String,
    /// What is expected to be there.
    pub expect: Expect,
    /// What is to be.
    pub write: Write,
}

/// What an edit expects to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: it is to be made.
    Absent,
    /// Something: it is to be changed.
    Present,
    /// Exactly this version.
    Version(u64),
    /// Either.
    Any,
}

/// A line of an alert's history, as it is read back.
#[derive(Clone, Debug)]
pub struct HistoryEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EntryKind,
    /// The round, from 1.
    pub round: u32,
    /// Who.
    pub by: Option<Actor>,
    /// The escalation step, from 0.
    pub step: Option<u16>,
    /// The people that it speaks of.
    pub people: Vec<String>,
    /// The roles that it speaks of.
    pub contacts: Vec<String>,
    /// The words.
    pub text: String,
}

/// One attempt of a delivery, as it is read back.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When it had its outcome.
    pub at: Timestamp,
    /// Which attempt, from 1.
    pub attempt: u8,
    /// `accepted`, `refused`, `retry_after` or `unknown`; later, as the provider says, `completed`, `failed`,
    /// `not_taken` or `arrived`.
    pub outcome: String,
    /// Why, or the provider's name for it.
    pub detail: String,
}

/// A delivery with all its attempts.
#[derive(Clone, Debug)]
pub struct DeliveryRecord {
    /// The delivery.
    pub delivery: Delivery,
    /// Its attempts that have an outcome, oldest first.
    pub attempts: Vec<Attempt>,
}

/// Everything about one alert.
#[derive(Clone, Debug)]
pub struct AlertRecord {
    /// The alert, its pages and its wakes.
    pub state: State,
    /// Its history, oldest first.
    pub history: Vec<HistoryEntry>,
    /// Its deliveries, oldest first.
    pub deliveries: Vec<DeliveryRecord>,
}

/// Which alerts to list.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// Only those with one of these statuses; empty: all.
    pub status: Vec<escalation::alert::Status>,
    /// Only those for this audience.
    pub audience: Option<Audience>,
    /// Only those of this integration.
    pub integration: Option<String>,
    /// Only those with this dedup key.
    pub dedup_key: Option<String>,
    /// Only those with a smaller number: the listing goes from the newest to the oldest.
    pub before: Option<u64>,
    /// How many at most.
    pub limit: usize,
}

/// Numbers for the metrics.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Alerts by status, resolved ones left out.
    pub open: Vec<(String, u64)>,
    /// Deliveries that wait to be sent.
    pub ready: u64,
    /// When the oldest overdue wake was due.
    pub oldest_due: Option<Timestamp>,
}

/// How a heartbeat stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The last sign of life; none: there has been none.
    pub last_at: Option<Timestamp>,
    /// When it is too late; none: it is, or nothing is expected any more.
    pub late_at: Option<Timestamp>,
    /// Its silence was told.
    pub is_late: bool,
}
