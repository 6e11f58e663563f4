//! Teams: ordered members, an escalation plan, a last resort, and how long things last for them.

use jiff::SignedDuration;

use crate::event::{Severity, Urgency};
use crate::name::Name;
use crate::plan::{Hours, Target};

/// The most members that a team may have.
pub const MAX_MEMBERS: usize = 500;
/// How long after an acknowledgement its owner is asked whether he still has it, where a team says nothing.
pub const DEFAULT_ACK_TIMEOUT: SignedDuration = SignedDuration::from_mins(30);
/// How long the owner has to answer that.
pub const STILL_ON_IT_WAIT: SignedDuration = SignedDuration::from_mins(5);

/// How long things last in the life of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// How long after an acknowledgement of high urgency its owner is asked whether he still has it; none: never.
    pub ack_timeout: Option<SignedDuration>,
    /// For how long after the end of an alert a new report of the same problem opens it again; none: it never
    /// does, and makes a new alert.
    pub reopen_within: Option<SignedDuration>,
    /// How long without a report it takes for an alert to count as over; none: it never does.
    pub resolve_after: Option<SignedDuration>,
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self { ack_timeout: Some(DEFAULT_ACK_TIMEOUT), reopen_within: None, resolve_after: None }
    }
}

/// A group of people who answer for something together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Team {
    /// The identity.
    pub name: Name,
    /// What the team is for, for people to read.
    pub description: String,
    /// In the order in which they are asked. Without a schedule the first is on call.
    pub members: Vec<Name>,
    /// The name of the schedule that says who is on call.
    pub schedule: Option<Name>,
    /// Who is told when something about the rota needs a human.
    pub managers: Vec<Name>,
    /// The name of the escalation plan; without one the members are paged in order, 10 m each, twice.
    pub escalation_plan: Option<Name>,
    /// Whom to page when the plan has ended and nobody answered; empty: the service's.
    pub last_resort: Vec<Target>,
    /// What severities mean for people; the first entry that speaks of one counts. What none speaks of is as
    /// [`Severity::urgency`] says.
    pub urgency: Vec<UrgencyRule>,
    /// How long things last for its alerts.
    pub lifecycle: Lifecycle,
}

/// What a severity means for the people of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrgencyRule {
    /// Only then; none: always.
    pub during: Option<Hours>,
    /// What the sender says.
    pub severity: Severity,
    /// What is made of it.
    pub urgency: Urgency,
}
