//! Escalation plans from the file to the pager: every target, every condition, every way to go on, each written as
//! people write it, put in force through the API, and read off the messages that were sent.
//!
//! The rules themselves have their tests in the `escalation` crate. In the lists of pages stand the seconds since the
//! world began, on a Monday at 03:00 in UTC.

mod circles;
mod conditions;
mod ends;
mod guide;
mod targets;
mod urgency;
mod when;

/// The words of a command line; those in quotes are one.
pub fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(place, part)| match place % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}
