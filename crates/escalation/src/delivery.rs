//! A delivery: one message to one contact, tried until it is accepted or given up.
//!
//! Pure rules of claiming and settling. Which provider carries it, and how, is not known here.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::alert::Alert;
use crate::contact::Contact;
use crate::event::{Sent, Settled};
use crate::id::{AlertId, DeliveryId, Ids, PageId};
use crate::name::Name;
use crate::page::Page;

/// How long a claim holds. Longer than [`SEND_DEADLINE`], so that a live sender always settles first.
pub const LEASE: SignedDuration = SignedDuration::from_secs(30);
/// How long one send may take before its outcome counts as unknown.
pub const SEND_DEADLINE: SignedDuration = SignedDuration::from_secs(10);
/// Tries with an unknown outcome after which a delivery is given up: each may have rung.
pub const MAX_UNKNOWN: u8 = 3;
/// Tries in all after which a delivery is given up; with the pauses below some five minutes.
pub const MAX_ATTEMPTS: u8 = 10;
/// The pause after the first refusal; it doubles with each, up to [`MAX_PAUSE`].
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
/// The longest pause between two tries of ours.
const MAX_PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// The longest pause that a provider may ask for.
const MAX_ASKED_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// The most sends under way for a provider. A webhook's provider is one host: a host that hangs can
/// hold these and no others.
pub fn places(provider: &str) -> usize {
    match provider {
        "handset" => 1_000,
        "smtp" => 8,
        // Services that count how often they are asked.
        "telegram" | "slack" | "mattermost" | "ntfy" | "pushover" => 16,
        _ => 64,
    }
}

/// What a delivery is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Somebody is asked to answer.
    Page,
    /// Somebody should know something and need not answer.
    Notice,
    /// Somebody is told of a shift that comes, or begins.
    Reminder,
    /// The operators, or those who look after a team, are told that something is wrong.
    Warning,
    /// Somebody tries out whether a contact rings.
    Test,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 5] = [Self::Page, Self::Notice, Self::Reminder, Self::Warning, Self::Test];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Notice => "notice",
            Self::Reminder => "reminder",
            Self::Warning => "warning",
            Self::Test => "test",
        }
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It waits to be claimed, not before its time.
    Ready,
    /// Somebody is sending it.
    Claimed,
    /// The provider took it.
    Sent,
    /// It was given up.
    Failed,
    /// It was not wanted any more before it was sent.
    Withdrawn,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Ready, Self::Claimed, Self::Sent, Self::Failed, Self::Withdrawn];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Claimed => "claimed",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// One message to one contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id; a retry keeps it.
    pub id: DeliveryId,
    /// The alert that it speaks of; none where it speaks of duty.
    pub alert: Option<AlertId>,
    /// The page that it belongs to; none for roles, and for what nobody has to answer.
    pub page: Option<PageId>,
    /// The person it goes to; none for a role.
    pub person: Option<Name>,
    /// Where it goes.
    pub contact: Contact,
    /// What it is for.
    pub purpose: Purpose,
    /// The round of the alert in which it was made; 0 without an alert.
    pub round: u32,
    /// The step that made it: of the notification plan for a page, of the escalation plan for a role.
    pub step: u16,
    /// What it says; empty for a page, whose words are the alert's.
    pub text: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Not to be claimed before; when ready.
    pub not_before: Timestamp,
    /// How often it was claimed. It is the fencing token too: only the newest claim may settle.
    pub attempt: u8,
    /// How many of these had an unknown outcome.
    pub unknown: u8,
    /// Until when the newest claim holds; when claimed.
    pub lease_until: Timestamp,
    /// From then on it tells nobody anything: it is not sent any more.
    pub expires_at: Option<Timestamp>,
    /// The message in which it was sent together with others: the id of the first of them.
    pub bundle: Option<DeliveryId>,
}

/// What a refusal speaks against: whether it is of use to try again, and who has to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing but the moment: it is tried again.
    Passing,
    /// The contact: there is no such number, mailbox or channel. Its owner has to do something.
    Contact,
    /// Our account with the provider: credentials, rights, money, its address. The operators have to do something.
    Account,
    /// This message only, for a reason that is ours or the reader's wish. Nobody has to do anything.
    Message,
}

impl Refusal {
    /// Whether trying again is of no use.
    pub const fn is_permanent(self) -> bool {
        !matches!(self, Self::Passing)
    }
}

/// What a channel says of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The provider took it.
    Accepted {
        /// The provider's name for it; may be empty.
        provider_id: String,
    },
    /// The provider did not take it.
    Refused {
        /// Why, for people.
        why: String,
        /// What it speaks against.
        refusal: Refusal,
    },
    /// The provider did not take it and says when to come again.
    RetryAfter {
        /// How long to wait.
        pause: SignedDuration,
        /// Why, for people.
        why: String,
    },
    /// It may have been sent or not: no answer in time, a connection lost, a crash.
    Unknown {
        /// Why, for people.
        why: String,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { .. } => f.write_str("accepted"),
            Self::Refused { why, refusal: Refusal::Passing } => write!(f, "refused: {why}"),
            Self::Refused { why, .. } => write!(f, "refused for good: {why}"),
            Self::RetryAfter { why, .. } => write!(f, "asked to come later: {why}"),
            Self::Unknown { why } => write!(f, "outcome unknown: {why}"),
        }
    }
}

impl Delivery {
    /// One that speaks of no alert, ready to be claimed now.
    pub fn without_alert(
        ids: &mut Ids<'_>,
        person: Option<Name>,
        contact: Contact,
        purpose: Purpose,
        text: String,
    ) -> Self {
        Self {
            id: DeliveryId::new(ids),
            alert: None,
            page: None,
            person,
            contact,
            purpose,
            round: 0,
            step: 0,
            text,
            created_at: ids.now,
            state: State::Ready,
            not_before: ids.now,
            attempt: 0,
            unknown: 0,
            lease_until: ids.now,
            expires_at: None,
            bundle: None,
        }
    }

    /// Whether it may be sent now. A page only while its alert waits for such an answer and its page is live:
    /// this is asked with the alert's row locked, and is what keeps pages from following an
    /// acknowledgement. Anything else may, until it has expired.
    pub fn is_wanted(&self, alert: Option<&Alert>, page: Option<&Page>, now: Timestamp) -> bool {
        if self.expires_at.is_some_and(|at| at <= now) {
            return false;
        }
        match self.purpose {
            Purpose::Notice | Purpose::Reminder | Purpose::Warning | Purpose::Test => true,
            Purpose::Page => {
                let Some(alert) = alert else { return false };
                match (self.page, page) {
                    (None, _) => alert.status.waits(),
                    (Some(_), None) => false,
                    (Some(_), Some(page)) => page.is_live() && alert.asks(page),
                }
            }
        }
    }

    /// Claims it for one attempt that begins now.
    pub fn claim(&mut self, now: Timestamp) {
        self.state = State::Claimed;
        self.attempt = self.attempt.saturating_add(1);
        self.lease_until = now + LEASE;
    }

    /// Takes the outcome of attempt `token`. `None` when another claim has come since, or none is
    /// running: a late answer changes nothing. Else what the alert has to know of it.
    ///
    /// `chance` spreads retries, so that what failed together does not come back together.
    pub fn settle(
        &mut self,
        token: u8,
        outcome: &Outcome,
        now: Timestamp,
        chance: &mut dyn FnMut() -> u64,
    ) -> Option<Settled> {
        if self.state != State::Claimed || self.attempt != token {
            return None;
        }
        let again = |allowed: bool, at: Timestamp| {
            if allowed { (State::Ready, at) } else { (State::Failed, now) }
        };
        let (state, not_before) = match outcome {
            Outcome::Accepted { .. } => (State::Sent, now),
            Outcome::Refused { refusal, .. } if refusal.is_permanent() => (State::Failed, now),
            Outcome::Refused { .. } => {
                again(self.attempt < MAX_ATTEMPTS, now + spread(pause(self.attempt), chance))
            }
            Outcome::RetryAfter { pause: asked, .. } => {
                let wait = (*asked).clamp(SignedDuration::from_secs(1), MAX_ASKED_PAUSE);
                again(self.attempt < MAX_ATTEMPTS, now + spread(wait, chance))
            }
            Outcome::Unknown { .. } => {
                self.unknown = self.unknown.saturating_add(1);
                // The sender may be alive yet: not before its lease has ended.
                again(self.unknown < MAX_UNKNOWN, now.max(self.lease_until))
            }
        };
        self.state = state;
        self.not_before = not_before;
        Some(self.told(match outcome {
            Outcome::Accepted { .. } => Sent::Accepted,
            Outcome::Refused { .. } | Outcome::RetryAfter { .. } => Sent::Failed,
            Outcome::Unknown { .. } => Sent::Unknown,
        }))
    }

    /// What the alert has to know of a receipt for what was sent. The delivery itself stays sent: it is not tried
    /// again, the plan goes on to another contact.
    pub fn receipt(&self, sent: Sent) -> Settled {
        self.told(sent)
    }

    fn told(&self, sent: Sent) -> Settled {
        Settled {
            page: self.page,
            contact: self.contact.clone(),
            purpose: self.purpose,
            round: self.round,
            step: self.step,
            attempt: self.attempt,
            sent,
        }
    }
}

/// The pause after attempt `attempt` (from 1).
fn pause(attempt: u8) -> SignedDuration {
    let doublings = u32::from(attempt.saturating_sub(1)).min(5);
    (FIRST_PAUSE * 2_i32.pow(doublings)).min(MAX_PAUSE)
}

/// Up to a quarter longer.
fn spread(pause: SignedDuration, chance: &mut dyn FnMut() -> u64) -> SignedDuration {
    let quarter = u64::try_from(pause.as_millis() / 4).unwrap_or(0);
    let more = chance() % (quarter + 1);
    pause + SignedDuration::from_millis(i64::try_from(more).unwrap_or(0))
}
