//! Teams: ordered members, an escalation plan, a last resort.

use crate::name::Name;
use crate::plan::Target;

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
}
