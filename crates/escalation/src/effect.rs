//! What a step wants done: rows that are saved in the same transaction as the state that caused them.

use jiff::Timestamp;

use crate::contact::Contact;
use crate::delivery::Delivery;
use crate::event::Actor;
use crate::id::PageId;
use crate::name::Name;

/// Something that has to be saved with the new state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A new delivery, ready to be claimed.
    Deliver(Delivery),
    /// Deliveries of pages that still wait to be sent for this alert are not wanted any more: those of
    /// one page, or of all roles. With a contact: only those to it, because a newer one takes their place.
    Withdraw {
        /// Of this page; none: of every role.
        page: Option<PageId>,
        /// Only those to this contact.
        contact: Option<Contact>,
    },
    /// A line of the alert's history.
    Record(Entry),
}

/// One line of an alert's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub kind: EntryKind,
    /// Who did it; none: the plan took its course.
    pub by: Option<Actor>,
    /// The round in which it happened, from 1.
    pub round: u32,
    /// The escalation step that it speaks of, from 0.
    pub step: Option<u16>,
    /// The people that it speaks of.
    pub people: Vec<Name>,
    /// The addresses of roles that it speaks of.
    pub contacts: Vec<Contact>,
    /// Words of the sender or writer, or the reason.
    pub text: String,
}

/// The kinds of line in an alert's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// The alert began.
    Triggered,
    /// The same problem was reported again.
    TriggeredAgain,
    /// A new round began.
    Round,
    /// An escalation step fired.
    Step,
    /// A step, or somebody in it, could not be paged.
    Gap,
    /// A step was skipped, or somebody in it, because its conditions do not hold.
    Skipped,
    /// The first page is held back until the instant in the text.
    Held,
    /// A page waits for the hours of its plan, until the instant in the text.
    Deferred,
    /// The last resort was paged.
    LastResort,
    /// The plan and the last resort ended without an answer.
    Unanswered,
    /// Somebody has it.
    Acknowledged,
    /// Nobody has it any more.
    Unacknowledged,
    /// Somebody asked for the next step.
    Escalated,
    /// Somebody who was paged can't take it.
    NotMe,
    /// The problem is gone.
    Resolved,
    /// Others are on call now.
    Duty,
    /// A note.
    Note,
    /// Whoever has it is asked whether that is still so.
    Asked,
    /// Whoever has it says that it is still so.
    StillOnIt,
    /// Whoever has it did not say that it is still so.
    AckTimeout,
    /// Somebody put it aside for a while.
    Snoozed,
    /// A silence holds it back.
    Silenced,
    /// Others are to answer for it.
    Reassigned,
    /// One more person is asked.
    ResponderAdded,
    /// Whoever was asked besides has said yes.
    Accepted,
    /// Another alert went into this one.
    Merged,
    /// It went into another alert.
    MergedInto,
    /// It was reported again soon after its end.
    Reopened,
    /// The sender says it in other words.
    Amended,
    /// A broken rule stopped the alert's task.
    Fault,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 30] = [
        Self::Triggered,
        Self::TriggeredAgain,
        Self::Round,
        Self::Step,
        Self::Gap,
        Self::Skipped,
        Self::Held,
        Self::Deferred,
        Self::LastResort,
        Self::Unanswered,
        Self::Acknowledged,
        Self::Unacknowledged,
        Self::Escalated,
        Self::NotMe,
        Self::Resolved,
        Self::Duty,
        Self::Note,
        Self::Asked,
        Self::StillOnIt,
        Self::AckTimeout,
        Self::Snoozed,
        Self::Silenced,
        Self::Reassigned,
        Self::ResponderAdded,
        Self::Accepted,
        Self::Merged,
        Self::MergedInto,
        Self::Reopened,
        Self::Amended,
        Self::Fault,
    ];

    /// The word that is stored and shown to programs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::TriggeredAgain => "triggered_again",
            Self::Round => "round",
            Self::Step => "step",
            Self::Gap => "gap",
            Self::Skipped => "skipped",
            Self::Held => "held",
            Self::Deferred => "deferred",
            Self::LastResort => "last_resort",
            Self::Unanswered => "unanswered",
            Self::Acknowledged => "acknowledged",
            Self::Unacknowledged => "unacknowledged",
            Self::Escalated => "escalated",
            Self::NotMe => "not_me",
            Self::Resolved => "resolved",
            Self::Duty => "duty",
            Self::Note => "note",
            Self::Asked => "asked",
            Self::StillOnIt => "still_on_it",
            Self::AckTimeout => "ack_timeout",
            Self::Snoozed => "snoozed",
            Self::Silenced => "silenced",
            Self::Reassigned => "reassigned",
            Self::ResponderAdded => "responder_added",
            Self::Accepted => "accepted",
            Self::Merged => "merged",
            Self::MergedInto => "merged_into",
            Self::Reopened => "reopened",
            Self::Amended => "amended",
            Self::Fault => "fault",
        }
    }
}
