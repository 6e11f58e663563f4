//! Escalation plans: ordered steps, whom to page and when to go on.
//!
//! Every loop that a plan can make is bounded here: steps, targets, repeats.

use jiff::SignedDuration;

use crate::contact::Contact;
use crate::event::Severity;
use crate::name::Name;

/// The most steps of an escalation plan.
pub const MAX_STEPS: usize = 20;
/// The most targets of one step.
pub const MAX_TARGETS: usize = 20;
/// The most further rounds of a plan.
pub const MAX_REPEAT: u8 = 20;
/// How long each member has where a team, or a person alone, has no escalation plan.
pub const DEFAULT_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// How many further rounds there are where a team, or a person alone, has no escalation plan.
pub const DEFAULT_REPEAT: u8 = 1;
/// How long the last resort has before the alert is unanswered.
pub const LAST_RESORT_WAIT: SignedDuration = SignedDuration::from_mins(15);
/// The least time between two repeats to the same contact once an alert is unanswered.
pub const UNANSWERED_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// The least time between two rounds that new triggers start on an unanswered alert.
pub const UNANSWERED_ROUND: SignedDuration = SignedDuration::from_hours(1);

/// Whom to page, in order, until somebody answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalationPlan {
    /// The identity.
    pub name: Name,
    /// At least one, at most [`MAX_STEPS`].
    pub steps: Vec<EscalationStep>,
    /// Further rounds after the first, at most [`MAX_REPEAT`].
    pub repeat: u8,
    /// How long the first page is held back: resolved meanwhile, nobody wakes.
    pub hold: Option<SignedDuration>,
}

/// One step of an escalation plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalationStep {
    /// At least one, at most [`MAX_TARGETS`]; all are paged at the same time.
    pub notify: Vec<Target>,
    /// When to go on if nobody has answered.
    pub escalate: Escalate,
    /// All must hold, or the step is skipped at no cost.
    pub only: Vec<Condition>,
    /// Everybody whom the step pages has to answer for himself.
    pub each: bool,
}

/// The condition on which a plan goes on to its next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escalate {
    /// That long after the step fired.
    After(SignedDuration),
    /// When this step, from 0, of the notification plan of everybody paged has no answer: its wait has passed,
    /// or its delivery failed. A shorter plan counts with its last step.
    AfterPlanStep(u16),
    /// When every step of those plans has run once without an answer.
    AfterPlan,
}

impl Escalate {
    /// The step of the notification plans that is waited for, from 0; none: a time is.
    pub fn plan_step(self) -> Option<usize> {
        match self {
            Self::After(_) => None,
            Self::AfterPlanStep(step) => Some(usize::from(step)),
            Self::AfterPlan => Some(usize::MAX),
        }
    }
}

/// What must hold for a step to fire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Only then. By the paged person's own zone it is asked for each person alone.
    During(Hours),
    /// Only alerts of this severity or a graver one.
    Severity(Severity),
    /// Only if more than so many alerts of the team began within so long, this one counted in any case.
    MoreThan {
        /// The number that must be passed.
        alerts: u32,
        /// How far back they are counted, at most [`crate::duration::MAX`].
        within: SignedDuration,
    },
}

/// A period in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The name of the period.
    pub period: String,
    /// The IANA name of the zone; none: the paged person's own.
    pub zone: Option<String>,
}

/// Somebody or something that an escalation step pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whoever is on call when the step fires.
    OnCall(OnCall),
    /// The nearest follower of whoever is on call who has not been paged in this round.
    NextOnCall(OnCall),
    /// The nearest predecessor of whoever is on call who has not been paged in this round.
    PreviousOnCall(OnCall),
    /// One member of the team: another one for each alert.
    RoundRobin,
    /// One of these people: another one for each alert.
    RoundRobinOf(Vec<Name>),
    /// The member at this place, from 0.
    Member(u16),
    /// Another team: its plan takes the place of the step. As a last resort: whoever is on call for it.
    Team(Name),
    /// One person.
    Person(Name),
    /// Every member of the team.
    AllMembers,
    /// An address that belongs to a role and not to a person: a webhook or a mailbox. It owes no answer.
    Role(Contact),
}

/// Which duty is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnCall {
    /// The schedule; none: the team's own, or the order of its members.
    pub schedule: Option<Name>,
    /// The role; none: `primary`.
    pub role: Option<Name>,
}
