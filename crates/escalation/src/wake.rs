//! Every reason to look at an alert again, by name.
//!
//! A wake is stored with its time. Coming too early, twice, or after its reason has gone is harmless.

use crate::id::PageId;

/// A stored reason to look at an alert or a page again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wake {
    /// The next escalation step, or what comes after the last, is due.
    Escalate,
    /// The last resort has had its time: the alert is unanswered.
    GiveUp,
    /// A page's notification plan repeats a contact or goes on to the next.
    Page(PageId),
}

impl Wake {
    /// The word that is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Escalate => "escalate",
            Self::GiveUp => "give_up",
            Self::Page(_) => "page",
        }
    }
}
