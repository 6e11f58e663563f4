//! Where an alert stands, and what is known of it where nobody is paged for a while.

use jiff::Timestamp;

use super::Act;
use crate::name::Name;

/// Where an alert stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// People are being paged.
    Triggered,
    /// Somebody has it.
    Acknowledged,
    /// Everybody was paged, nobody answered.
    Unanswered,
    /// Somebody put it aside for a while.
    Snoozed,
    /// A silence holds it back.
    Silenced,
    /// The problem is gone. The end.
    Resolved,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Triggered,
        Self::Acknowledged,
        Self::Unanswered,
        Self::Snoozed,
        Self::Silenced,
        Self::Resolved,
    ];

    /// Whether people are being asked for an answer.
    pub const fn waits(self) -> bool {
        matches!(self, Self::Triggered | Self::Unanswered)
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Unanswered => "unanswered",
            Self::Snoozed => "snoozed",
            Self::Silenced => "silenced",
            Self::Resolved => "resolved",
        }
    }
}

/// Somebody put an alert aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snooze {
    /// Who, and when.
    pub act: Act,
    /// When people are paged again.
    pub until: Timestamp,
}

/// A silence holds an alert back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silenced {
    /// The name of the silence or maintenance window.
    pub by: Name,
    /// Who made it and why, as people read it.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
    /// When the alert is looked at again.
    pub until: Timestamp,
}
