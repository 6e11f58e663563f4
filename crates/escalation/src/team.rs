//! Teams: ordered members, an escalation plan, a last resort.

use crate::event::{Severity, Urgency};
use crate::name::Name;
use crate::plan::{Hours, Target};

/// The most members that a team may have.
pub const MAX_MEMBERS: usize = 500;

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
