//! One event: from its lines to what it means, with every problem's line.

use std::sync::Arc;

use jiff::Timestamp;
use rota::calendar::{Event, Length, Start};

use super::component::Block;
use super::line::Line;
use super::moment::{between, duration, moment, moments, stretches};
use super::people::Mention;
use super::zones::Zones;
use super::{MAX_DATES, Problem, shown};

/// An event that is read; whose it is, is not known yet.
#[derive(Debug)]
pub(super) struct Draft {
    /// Where it begins in the text.
    pub(super) line: usize,
    pub(super) uid: Option<String>,
    pub(super) sequence: i64,
    /// The occurrence of the event with the same `UID` that it takes the place of.
    pub(super) instead_of: Option<Start>,
    pub(super) is_cancelled: bool,
    /// Does not make anybody busy.
    pub(super) is_free: bool,
    pub(super) mention: Mention,
    /// Nobody's as yet.
    pub(super) event: Event,
}

/// How many further dates may be read.
#[derive(Debug)]
pub(super) struct Dates {
    pub(super) excluded: usize,
    pub(super) added: usize,
}

impl Dates {
    pub(super) fn new() -> Dates {
        Dates { excluded: MAX_DATES, added: MAX_DATES }
    }
}

/// What can be there once.
#[derive(Debug, Default)]
struct Single<'a> {
    start: Option<&'a Line>,
    end: Option<&'a Line>,
    duration: Option<&'a Line>,
    rule: Option<&'a Line>,
    instead_of: Option<&'a Line>,
    uid: Option<&'a Line>,
    sequence: Option<&'a Line>,
}

/// Reads an event. Nothing, with a problem at least, when it cannot be read.
pub(super) fn event(
    block: &Block,
    zones: &mut Zones,
    dates: &mut Dates,
    problems: &mut Vec<Problem>,
) -> Option<Draft> {
    let known = problems.len();
    let mut single = Single::default();
    let mut mention = Mention::default();
    let (mut is_cancelled, mut is_free) = (false, false);
    let (mut excluded, mut added) = (Vec::new(), Vec::new());
    for line in &block.lines {
        let value = line.value.trim();
        let place = match line.name.as_str() {
            "DTSTART" => &mut single.start,
            "DTEND" => &mut single.end,
            "DURATION" => &mut single.duration,
            "RRULE" => &mut single.rule,
            "RECURRENCE-ID" => &mut single.instead_of,
            "UID" => &mut single.uid,
            "SEQUENCE" => &mut single.sequence,
            name => {
                match name {
                    "SUMMARY" => mention.summary = line.text(),
                    "STATUS" => is_cancelled = value.eq_ignore_ascii_case("CANCELLED"),
                    "TRANSP" => is_free = value.eq_ignore_ascii_case("TRANSPARENT"),
                    "ATTENDEE" if !declined(line) => mention.attendees.extend(address(line)),
                    "ORGANIZER" => mention.organizer = address(line),
                    "EXDATE" => {
                        match bounded(&mut dates.excluded, line).and_then(|()| moments(line, zones)) {
                            Ok(more) => excluded.extend(more),
                            Err(why) => problems.push(wrong(line, &why)),
                        }
                    }
                    "RDATE" => match bounded(&mut dates.added, line).and_then(|()| stretches(line, zones)) {
                        Ok(more) => added.extend(more),
                        Err(why) => problems.push(wrong(line, &why)),
                    },
                    "EXRULE" => problems
                        .push(wrong(line, "is not supported (RFC 5545 has done away with it); write EXDATE")),
                    _ => {}
                }
                continue;
            }
        };
        if place.replace(line).is_some() {
            problems.push(wrong(line, "is there twice; write it once"));
        }
    }

    let mut told = |line: &Line, why: String| problems.push(wrong(line, &why));
    let start = match single.start {
        Some(line) => moment(line, zones).map_err(|why| told(line, why)).ok(),
        None => None,
    };
    let rule = single.rule.and_then(|line| {
        let rule = line.value.parse().map_err(|why: rota::calendar::RuleError| told(line, why.to_string()));
        rule.ok()
    });
    let instead_of = single.instead_of.and_then(|line| {
        if line.parameter("RANGE").is_some() {
            told(line, "RANGE is not supported; end the event with UNTIL and write a new one".to_owned());
        }
        moment(line, zones).map_err(|why| told(line, why)).ok()
    });
    let length = start.as_ref().and_then(|start| {
        let length = match (single.end, single.duration) {
            (Some(end), Some(_)) => {
                Err((end, "DTEND and DURATION are both there; write one of them".to_owned()))
            }
            (Some(line), None) => {
                moment(line, zones).and_then(|end| between(start, &end)).map_err(|why| (line, why))
            }
            (None, Some(line)) => duration(line.value.trim()).map_err(|why| (line, why)),
            // RFC 5545, 3.6.1
            (None, None) if matches!(start, Start::Day(..)) => Ok(Length::Elapsed { days: 1, seconds: 0 }),
            (None, None) => Ok(Length::Elapsed { days: 0, seconds: 0 }),
        };
        length.map_err(|(line, why)| told(line, why)).ok()
    });
    if single.start.is_none() && !is_cancelled {
        problems.push(Problem::new(block.line, "the event has no DTSTART; write when it begins"));
    }
    if problems.len() > known {
        return None;
    }
    let number = |line: &Line| line.value.trim().parse().unwrap_or(0);
    // One that is called off needs no start: it never takes place.
    let start = start.unwrap_or(Start::Instant(Timestamp::UNIX_EPOCH));
    Some(Draft {
        line: block.line,
        uid: single.uid.map(|line| line.value.trim().to_owned()).filter(|uid| !uid.is_empty()),
        sequence: single.sequence.map_or(0, number),
        instead_of,
        is_cancelled,
        is_free,
        mention,
        event: Event {
            people: Arc::from([]),
            start,
            length: length.unwrap_or(Length::Elapsed { days: 1, seconds: 0 }),
            rule,
            excluded,
            added,
        },
    })
}

impl Draft {
    /// Whether it takes no time: a start without an end, or the end of which is its start.
    pub(super) fn is_empty(&self) -> bool {
        let (Length::Clock { seconds } | Length::Elapsed { days: 0, seconds }) = self.event.length else {
            return false;
        };
        seconds == 0 && self.event.added.iter().all(|(_, length)| length.is_none())
    }

    /// What to call it in a message.
    pub(super) fn name(&self) -> String {
        shown(self.mention.summary.trim())
    }
}

/// Takes the dates of a line from those that may still be read.
fn bounded(left: &mut usize, line: &Line) -> Result<(), String> {
    let dates = line.value.split(',').count();
    *left = left
        .checked_sub(dates)
        .ok_or_else(|| format!("has more than {MAX_DATES} dates, with those before it; write fewer"))?;
    Ok(())
}

fn wrong(line: &Line, why: &str) -> Problem {
    Problem::new(line.number, format!("{}: {why}", line.name))
}

fn declined(line: &Line) -> bool {
    line.parameter("PARTSTAT").is_some_and(|answer| answer.eq_ignore_ascii_case("DECLINED"))
}

/// The email address of a person: `mailto:` in the value, or the parameter `EMAIL` (RFC 7986, 6.2).
fn address(line: &Line) -> Option<String> {
    let value = line.value.trim().to_lowercase();
    let address = value.strip_prefix("mailto:").or_else(|| line.parameter("EMAIL"));
    address.map(|address| address.trim().to_lowercase()).filter(|address| !address.is_empty())
}
