//! A person's mailbox: what goes out alone, what goes out together, and what waits a moment for that.
//!
//! A storm must not become a hundred calls. The first message goes out at once; what follows within
//! [`WINDOW`] goes out in one message that lists what it holds, and something critical of a kind that has
//! not been told yet goes out at once, alone. After [`BUDGET`] messages within [`BUDGET_TIME`] a person
//! has summaries only, one for each contact and [`WINDOW`].
//!
//! Pure: it is asked inside the claim, with the person's row locked, so that every node decides on the same
//! mailbox. It knows nothing of words or providers; what a delivery is, see [`crate::delivery`].

use jiff::{SignedDuration, Timestamp};

use crate::alert::{Alert, Audience};
use crate::contact::{Contact, Kind};
use crate::delivery::{Delivery, Purpose};
use crate::event::Severity;
use crate::id::AlertId;

/// How long after a message what follows is collected.
pub const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// How long something critical is collected at most, while the budget lasts.
pub const CRITICAL_WITHIN: SignedDuration = SignedDuration::from_secs(10);
/// Messages with pages after which a person has summaries only.
pub const BUDGET: usize = 10;
/// The time within which they count.
pub const BUDGET_TIME: SignedDuration = SignedDuration::from_mins(10);
/// The most deliveries that one message holds.
pub const MOST_TOGETHER: usize = 500;

/// What has gone out to one person lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mailbox {
    /// When messages with pages left, within [`BUDGET_TIME`], oldest first.
    pub sent: Vec<Timestamp>,
    /// The contacts through which something left within [`WINDOW`].
    pub windows: Vec<Window>,
}

/// The time after a message, in which what follows through the same contact is collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Through which contact.
    pub contact: Contact,
    /// Whether it is about pages; notices have a window of their own.
    pub pages: bool,
    /// When what has been collected leaves.
    pub until: Timestamp,
    /// When something critical that has been collected leaves, with what comes after it: before that.
    pub soon: Option<Timestamp>,
    /// The alert that all of it is about, as long as it is one.
    pub only: Option<AlertId>,
    /// The kinds of alert that have been told in it.
    pub kinds: Vec<AlertKind>,
}

/// Alerts that are alike: what a person who has heard of one expects of the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertKind {
    /// Whom they are for.
    pub audience: Audience,
    /// Who reports them.
    pub integration: String,
    /// How grave they are.
    pub severity: Severity,
}

impl AlertKind {
    /// The kind that an alert is of.
    pub fn of(alert: &Alert) -> Self {
        Self {
            audience: alert.audience.clone(),
            integration: alert.integration.clone(),
            severity: alert.severity,
        }
    }
}

/// What is to be done with a delivery that may be sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Post {
    /// A message of its own, now.
    Alone,
    /// Now, in one message with the others to the same contact that leave now.
    Together,
    /// Once more, in the message in which it was tried before.
    Again,
    /// Not before then; then together with what else has come.
    Later(Timestamp),
}

/// Whether a delivery goes through its person's mailbox. What goes to a role does not: nobody is woken by it
/// who could be worn out. A handset shows everything that is open at once, so there is nothing to collect.
pub fn collects(delivery: &Delivery) -> bool {
    delivery.person.is_some()
        && delivery.alert.is_some()
        && delivery.contact.kind() != Kind::Handset
        && matches!(delivery.purpose, Purpose::Page | Purpose::Notice)
}

impl Mailbox {
    /// Decides on one delivery about `alert` that is wanted and ready at `now`, and remembers it.
    ///
    /// `leaving` says whether a message of collected deliveries of the same purpose leaves through the same
    /// contact in the transaction that asks.
    pub fn post(&mut self, delivery: &Delivery, alert: &Alert, leaving: bool, now: Timestamp) -> Post {
        if delivery.attempt > 0 {
            // It may have arrived, and counted when it was tried first.
            return if delivery.bundle.is_some() { Post::Again } else { Post::Alone };
        }
        self.forget(now);
        let pages = delivery.purpose == Purpose::Page;
        let is_spent = pages && self.sent.len() >= BUDGET;
        let is_urgent = pages && alert.severity == Severity::Critical && !is_spent;
        let kind = AlertKind::of(alert);
        let is_this = |window: &&mut Window| window.contact == delivery.contact && window.pages == pages;
        let Some(window) = self.windows.iter_mut().find(is_this) else {
            self.open(delivery, alert.id, kind, now);
            return if was_held(delivery) { Post::Together } else { Post::Alone };
        };
        if window.only != Some(alert.id) {
            window.only = None;
        }
        if leaving {
            return Post::Together;
        }
        if was_held(delivery) {
            // Nobody waits twice.
            window.soon = None;
            self.count(pages, now);
            return Post::Together;
        }
        let is_repeat = window.only.is_some() && !is_spent;
        let is_news = is_urgent && !window.kinds.contains(&kind);
        if is_repeat || is_news {
            if !window.kinds.contains(&kind) {
                window.kinds.push(kind);
            }
            self.count(pages, now);
            return Post::Alone;
        }
        // What was to leave at a time that has passed was not wanted any more.
        window.soon = window.soon.filter(|at| *at > now);
        if is_urgent && window.soon.is_none() {
            window.soon = Some(now + CRITICAL_WITHIN);
        }
        Post::Later(window.soon.map_or(window.until, |soon| soon.min(window.until)))
    }

    /// A message leaves: what follows is collected from now on.
    fn open(&mut self, delivery: &Delivery, alert: AlertId, kind: AlertKind, now: Timestamp) {
        let pages = delivery.purpose == Purpose::Page;
        self.windows.retain(|window| window.contact != delivery.contact || window.pages != pages);
        self.windows.push(Window {
            contact: delivery.contact.clone(),
            pages,
            until: now + WINDOW,
            soon: None,
            only: Some(alert),
            kinds: vec![kind],
        });
        self.count(pages, now);
    }

    fn count(&mut self, pages: bool, now: Timestamp) {
        if pages {
            self.sent.push(now);
        }
    }

    /// Drops what counts no more. What lies in the future, after the clock was set back, counts as now.
    fn forget(&mut self, now: Timestamp) {
        self.sent.retain(|at| *at + BUDGET_TIME > now && *at <= now);
        self.windows.retain(|window| window.until > now && window.until <= now + WINDOW);
    }
}

/// Whether it was collected: it has never been tried, and is ready later than it was made.
fn was_held(delivery: &Delivery) -> bool {
    delivery.attempt == 0 && delivery.not_before > delivery.created_at
}
