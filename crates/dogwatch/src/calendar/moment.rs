//! Dates, times and durations as properties give them, with their zones (RFC 5545, 3.3.4 to 3.3.6, 3.3.9).

use jiff::civil::DateTime;
use rota::calendar::{Length, Start, value};

use super::line::Line;
use super::shown;
use super::zones::Zones;

/// What a property says of time; else what is wrong with it.
type Told<T> = Result<T, String>;

/// The one moment of a property such as `DTSTART`.
pub(super) fn moment(line: &Line, zones: &mut Zones) -> Told<Start> {
    one(line.value.trim(), line, zones)
}

/// The moments of `EXDATE`.
pub(super) fn moments(line: &Line, zones: &mut Zones) -> Told<Vec<Start>> {
    line.value.split(',').map(|item| one(item.trim(), line, zones)).collect()
}

/// The moments of `RDATE`, with their lengths where they have one.
pub(super) fn stretches(line: &Line, zones: &mut Zones) -> Told<Vec<(Start, Option<Length>)>> {
    let stretch = |item: &str| {
        let Some((start, end)) = item.trim().split_once('/') else {
            return Ok((one(item.trim(), line, zones)?, None));
        };
        let start = one(start, line, zones)?;
        let length = match end.starts_with(['P', 'p', '+', '-']) {
            true => duration(end)?,
            false => between(&start, &one(end, line, zones)?)?,
        };
        Ok((start, Some(length)))
    };
    line.value.split(',').map(stretch).collect()
}

fn one(text: &str, line: &Line, zones: &mut Zones) -> Told<Start> {
    if let Some(date) = value::date(text) {
        return Ok(Start::Day(date, zones.default.clone()));
    }
    let utc = text.strip_suffix(['Z', 'z']);
    let reading = value::date_time(utc.unwrap_or(text)).ok_or_else(|| {
        format!("{} is no date or time; write 20261231, 20261231T080000 or 20261231T080000Z", shown(text))
    })?;
    let zone = match (utc, line.parameter("TZID")) {
        (Some(_), _) => {
            let start = Start::Reading(reading, jiff::tz::TimeZone::UTC);
            return start
                .timestamp()
                .map(Start::Instant)
                .ok_or_else(|| format!("{} is out of range", shown(text)));
        }
        (None, Some(name)) if !name.trim().is_empty() => zones.find(name)?,
        (None, _) => zones.default.clone(),
    };
    Ok(Start::Reading(reading, zone))
}

/// How long it is from `start` to `end`.
///
/// In one zone that is what its clock goes on: RFC 5545, 3.8.5.3, would keep the exact time that passes at the first
/// occurrence, and a shift from 22:00 to 06:00 would end at 05:00 or 07:00 in the nights in which the clock is
/// changed. No calendar program shows that, and the hour would be nobody's.
pub(super) fn between(start: &Start, end: &Start) -> Told<Length> {
    let seconds = |from: DateTime, to: DateTime| to.duration_since(from).as_secs();
    match (start, end) {
        (Start::Day(first, _), Start::Day(last, _)) => {
            let days = seconds(first.at(0, 0, 0, 0), last.at(0, 0, 0, 0)) / 86_400;
            // Some programs give the day itself as the end of a day.
            Ok(Length::Elapsed { days: if days == 0 { 1 } else { days }, seconds: 0 })
        }
        (Start::Day(..), _) | (_, Start::Day(..)) => {
            Err("of start and end one is a date and the other a time; write both as dates or both as times"
                .to_owned())
        }
        (Start::Reading(from, zone), Start::Reading(to, other)) if zone == other => {
            Ok(Length::Clock { seconds: seconds(*from, *to) })
        }
        _ => match (start.timestamp(), end.timestamp()) {
            (Some(from), Some(to)) => {
                Ok(Length::Elapsed { days: 0, seconds: to.as_second() - from.as_second() })
            }
            _ => Err("it lies beyond the end of time".to_owned()),
        },
    }
}

/// Reads `P1W`, `P2D`, `PT8H30M`, `P1DT12H`.
pub(super) fn duration(text: &str) -> Told<Length> {
    read_duration(&text.to_ascii_uppercase())
        .ok_or_else(|| format!("{} is no duration; write for example PT8H, P1DT12H or P1W", shown(text)))
}

fn read_duration(text: &str) -> Option<Length> {
    let mut rest = text.strip_prefix('+').unwrap_or(text).strip_prefix('P')?;
    let (mut days, mut seconds) = (0i64, 0i64);
    let mut is_time = false;
    if rest.is_empty() || rest.ends_with('T') {
        return None;
    }
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T').filter(|_| !is_time) {
            (is_time, rest) = (true, after);
            continue;
        }
        let end = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: i64 = rest[..end].parse().ok().filter(|number| *number < 1_000_000_000)?;
        match (rest.as_bytes()[end], is_time) {
            (b'W', false) => days += number * 7,
            (b'D', false) => days += number,
            (b'H', true) => seconds += number * 3_600,
            (b'M', true) => seconds += number * 60,
            (b'S', true) => seconds += number,
            _ => return None,
        }
        rest = &rest[end + 1..];
    }
    Some(Length::Elapsed { days, seconds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_days_and_seconds() {
        for (text, days, seconds) in [
            ("P1W", 7, 0),
            ("P15DT5H0M20S", 15, 18_020),
            ("+PT8H30M", 0, 30_600),
            ("pt15m", 0, 900),
            ("P1D", 1, 0),
            ("PT0S", 0, 0),
        ] {
            assert_eq!(duration(text), Ok(Length::Elapsed { days, seconds }), "{text}");
        }
        for wrong in [
            "",
            "P",
            "PT",
            "P1DT",
            "1D",
            "-P1D",
            "P1H",
            "PT1D",
            "P1",
            "PT1.5H",
            "P99999999999D",
            "P1é",
            "PT1HT1H",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
