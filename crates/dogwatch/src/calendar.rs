//! Calendars as other programs write them: iCalendar (RFC 5545), in and out.
//!
//! [`read`] takes the text of a calendar to a [`rota::calendar::Calendar`] of who is on duty, [`busy`] to the time
//! that somebody is away, and [`write`] makes the feed to which people subscribe. Fetching, storing and asking
//! are done elsewhere.
//!
//! The text is read here, line by line, and not by the crate `icalendar`, against which the tests hold it: that
//! one ends the process on a text of many `BEGIN`s (its nesting is the stack's), takes more than a minute for a megabyte
//! with Unix line ends, stops at the first mistake and does not know on which line it was.
//!
//! Read next, from a text to an answer: `line`, `component`, `moment`, `event`, `read`; `zones` and `people`, which
//! look up names; `busy`; `write`.

mod busy;
mod component;
mod event;
mod line;
mod moment;
mod people;
mod read;
mod write;
mod zones;

pub use busy::{BUSY_AHEAD, BUSY_BACK, Stretch, busy};
pub use people::{Known, Mention, whose};
pub use read::read;
pub use write::{Feed, FeedEvent, write};

/// Longer texts are refused, in bytes.
pub const MAX_BYTES: usize = 1_000_000;
/// More events are refused.
pub const MAX_EVENTS: usize = 5_000;
/// More dates in `EXDATE`, and in `RDATE`, of all events together are refused.
pub const MAX_DATES: usize = 10_000;
/// Reading stops after so many problems: who has to mend these needs no more.
const MAX_PROBLEMS: usize = 100;

/// What is wrong with a calendar, or doubtful.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Line of the text, from 1.
    pub line: usize,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl Problem {
    fn new(line: usize, message: impl Into<String>) -> Problem {
        Problem { line, message: message.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// A value as messages show it: quoted, on one line, not too long.
fn shown(value: &str) -> String {
    const LONGEST: usize = 60;
    match value.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{:?}…", &value[..cut]),
        None => format!("{value:?}"),
    }
}
