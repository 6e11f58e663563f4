//! When somebody is away, from that person's own calendar.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Problem;
use super::read::{compile, drafts};

/// How far back [`busy`] looks.
pub const BUSY_BACK: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far ahead [`busy`] looks.
pub const BUSY_AHEAD: SignedDuration = SignedDuration::from_hours(400 * 24);
/// More occurrences in that time are refused: nobody is away so often.
const MAX_OCCURRENCES: usize = 100_000;

/// A stretch of time, from `from` until just before `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
}

/// Reads the calendar of somebody's leave: when any event takes place that does not say that its time is free
/// (`TRANSP:TRANSPARENT`) or that it was called off, whosever it is.
///
/// The stretches lie between `now` − [`BUSY_BACK`] and `now` + [`BUSY_AHEAD`], where they are cut; they are in
/// order, and none touches the next. `zone` is where whole days and times without a zone are, unless the calendar
/// says so itself. The second list is of warnings.
///
/// # Errors
///
/// All problems, in the order of the text, when it is no calendar or none that can be read.
pub fn busy(
    text: &str,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<(Vec<Stretch>, Vec<Problem>), Vec<Problem>> {
    let (mut drafts, warnings) = drafts(text, zone)?;
    drafts.retain(|draft| !draft.is_free);
    let events: Vec<_> = drafts.iter().map(|draft| draft.event.clone()).collect();
    let calendar = compile(&events, &drafts)?;
    let from = now.saturating_sub(BUSY_BACK).unwrap_or(Timestamp::MIN);
    let to = now.saturating_add(BUSY_AHEAD).unwrap_or(Timestamp::MAX);

    let mut stretches: Vec<Stretch> = Vec::new();
    for (count, one) in calendar.occurrences(from, to).enumerate() {
        if count == MAX_OCCURRENCES {
            let line = drafts.get(one.event).map_or(1, |draft| draft.line);
            let message =
                format!("there are more than {MAX_OCCURRENCES} occurrences in 430 days; write fewer");
            return Err(vec![Problem::new(line, message)]);
        }
        let one = Stretch { from: one.from.max(from), until: one.until.min(to) };
        match stretches.last_mut() {
            Some(last) if one.from <= last.until => last.until = last.until.max(one.until),
            _ => stretches.push(one),
        }
    }
    Ok((stretches, warnings))
}
