//! The parts of a calendar: its events with their lines, and what it says of zones.
//!
//! `BEGIN` and `END` are matched without recursion: a text that only opens costs no stack. Parts that are not
//! needed (alarms, tasks, the rules of zones) are passed over, but must be whole: a download that broke off is
//! no calendar.

use std::collections::HashMap;

use super::line::{Line, lines};
use super::{MAX_BYTES, MAX_EVENTS, MAX_PROBLEMS, Problem, shown};

/// What a text holds.
#[derive(Debug, Default)]
pub(super) struct Components {
    pub(super) events: Vec<Block>,
    /// `X-WR-TIMEZONE`: the zone of what names none.
    pub(super) zone: Option<Line>,
    /// The names of zones that the calendar defines, and what each says it is in the tz database
    /// (`X-LIC-LOCATION`).
    pub(super) locations: HashMap<String, String>,
}

/// An event as it was written.
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Where it begins.
    pub(super) line: usize,
    pub(super) lines: Vec<Line>,
}

/// The parts of a text.
pub(super) fn components(text: &str) -> Result<Components, Vec<Problem>> {
    if text.len() > MAX_BYTES {
        let message = format!("the calendar has {} bytes; at most {MAX_BYTES} are read", text.len());
        return Err(vec![Problem::new(1, message)]);
    }
    let mut found = Components::default();
    let mut problems = Vec::new();
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut zone = (None, None);
    let mut is_empty = true;
    for line in lines(text) {
        if is_empty && !matches!(&line, Ok(line) if line.name == "BEGIN" && is_calendar(&line.value)) {
            break;
        }
        is_empty = false;
        if problems.len() >= MAX_PROBLEMS {
            break;
        }
        let line = match line {
            Ok(line) => line,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let value = line.value.trim();
        match line.name.as_str() {
            "BEGIN" => {
                open.push((value.to_ascii_uppercase(), line.number));
                if is_at(&open, "VEVENT") {
                    found.events.push(Block { line: line.number, lines: Vec::new() });
                }
            }
            "END" => match open.pop() {
                Some((name, _)) if name.eq_ignore_ascii_case(value) => {
                    if name == "VTIMEZONE"
                        && let (Some(id), Some(location)) = std::mem::take(&mut zone)
                    {
                        found.locations.insert(id, location);
                    }
                }
                Some((name, began)) => {
                    let message = format!(
                        "END {} ends the {} of line {began}, which has to end first",
                        shown(value),
                        shown(&name)
                    );
                    problems.push(Problem::new(line.number, message));
                    // What follows would only be the same mistake again.
                    return Err(problems);
                }
                None => problems
                    .push(Problem::new(line.number, format!("END {} has no BEGIN before it", shown(value)))),
            },
            "TZID" if is_at(&open, "VTIMEZONE") => zone.0 = Some(value.to_owned()),
            "X-LIC-LOCATION" if is_at(&open, "VTIMEZONE") => zone.1 = Some(value.to_owned()),
            "METHOD" if open.len() == 1 && value.eq_ignore_ascii_case("CANCEL") => {
                let message = "METHOD:CANCEL: this is a message that calls events off, and no calendar";
                problems.push(Problem::new(line.number, message));
            }
            "CALSCALE" if open.len() == 1 && !value.eq_ignore_ascii_case("GREGORIAN") => {
                let message = format!("CALSCALE {} is not supported; write GREGORIAN", shown(value));
                problems.push(Problem::new(line.number, message));
            }
            "X-WR-TIMEZONE" if open.len() == 1 && !value.is_empty() => found.zone = Some(line),
            _ if is_at(&open, "VEVENT") => {
                if let Some(event) = found.events.last_mut() {
                    event.lines.push(line);
                }
            }
            _ => {}
        }
        if found.events.len() > MAX_EVENTS {
            let began = found.events.last().map_or(1, |event| event.line);
            problems
                .push(Problem::new(began, format!("there are more than {MAX_EVENTS} events; write fewer")));
            return Err(problems);
        }
    }
    if is_empty {
        let message = "this is no calendar; it has to begin with BEGIN:VCALENDAR (the address of a page that shows \
                       a calendar is not that of the calendar)";
        return Err(vec![Problem::new(1, message)]);
    }
    if let Some((name, began)) = open.last()
        && problems.len() < MAX_PROBLEMS
    {
        let message = format!("BEGIN {} has no END; the text broke off", shown(name));
        problems.push(Problem::new(*began, message));
    }
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

fn is_calendar(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("VCALENDAR")
}

/// Whether what is open now is a part of this name, directly within a calendar.
fn is_at(open: &[(String, usize)], name: &str) -> bool {
    matches!(open, [(calendar, _), (part, _)] if calendar == "VCALENDAR" && part == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        components(text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn events_are_found_with_their_own_lines_only() {
        let text = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VTIMEZONE\nTZID:Mine\nX-LIC-LOCATION:Europe/Berlin\n\
                    BEGIN:STANDARD\nDTSTART:16010101T000000\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\n\
                    BEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n";
        let found = components(text).unwrap();
        assert_eq!(found.events.len(), 1);
        assert_eq!(found.events[0].line, 10);
        let names: Vec<&str> = found.events[0].lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["UID", "SUMMARY"]);
        assert_eq!(found.locations["Mine"], "Europe/Berlin");
    }

    #[test]
    fn what_is_no_whole_calendar_is_refused() {
        for text in ["", "\n \n", "<!doctype html><title>Sign in: please</title>", "BEGIN:VEVENT\nEND:VEVENT"]
        {
            assert!(told(text)[0].starts_with("line 1: this is no calendar"), "{text}");
        }
        assert_eq!(
            told("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1"),
            ["line 2: BEGIN \"VEVENT\" has no END; the text broke off"]
        );
        assert_eq!(
            told("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR"),
            ["line 3: END \"VCALENDAR\" ends the \"VEVENT\" of line 2, which has to end first"]
        );
        assert_eq!(
            told("BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:X"),
            ["line 3: END \"X\" has no BEGIN before it"]
        );
        assert!(told(&"X".repeat(MAX_BYTES + 1))[0].contains("at most 1000000 are read"));
        let many = format!("BEGIN:VCALENDAR\n{}END:VCALENDAR", "BEGIN:VEVENT\nEND:VEVENT\n".repeat(5_001));
        assert!(told(&many)[0].contains("more than 5000 events"));
    }

    #[test]
    fn a_text_that_only_opens_is_no_danger() {
        let text = format!("BEGIN:VCALENDAR\n{}", "BEGIN:A\n".repeat(120_000));
        assert_eq!(told(&text).len(), 1);
    }
}
