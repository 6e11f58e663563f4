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
    /// Whoever has the alert is to be asked whether that is still so.
    AskOwner,
    /// Whoever was asked that has had the time to answer.
    AckTimeout,
    /// The alert was put aside until now.
    SnoozeEnd,
    /// What silences the alert may have ended.
    SilenceEnd,
    /// The alert has not been reported for so long that it may be over.
    Quiet,
}

impl Wake {
    /// Those that belong to the alert itself.
    const OF_ALERT: [Self; 7] = [
        Self::Escalate,
        Self::GiveUp,
        Self::AskOwner,
        Self::AckTimeout,
        Self::SnoozeEnd,
        Self::SilenceEnd,
        Self::Quiet,
    ];

    /// The word that is stored.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Escalate => "escalate",
            Self::GiveUp => "give_up",
            Self::Page(_) => "page",
            Self::AskOwner => "ask_owner",
            Self::AckTimeout => "ack_timeout",
            Self::SnoozeEnd => "snooze_end",
            Self::SilenceEnd => "silence_end",
            Self::Quiet => "quiet",
        }
    }

    /// The page that it belongs to; none: the alert itself.
    pub const fn page(self) -> Option<PageId> {
        match self {
            Self::Page(page) => Some(page),
            _ => None,
        }
    }

    /// The wake with this word, of this page or of the alert itself. None: there is no such wake.
    pub fn read(word: &str, page: Option<PageId>) -> Option<Self> {
        match page {
            Some(page) => Some(Self::Page(page)).filter(|wake| wake.word() == word),
            None => Self::OF_ALERT.into_iter().find(|wake| wake.word() == word),
        }
    }
}
