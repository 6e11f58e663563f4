//! How definitions write instants and days, and how people read them.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rota::period::Interval;

/// Reads an instant: RFC 3339, in any offset.
///
/// # Errors
///
/// What to write instead.
pub fn parse_instant(text: &str) -> Result<Timestamp, String> {
    let instant: Option<Timestamp> = text.parse().ok();
    // Whole seconds: nobody hands over in between, and what is stored reads as it was written.
    instant.and_then(|at| Timestamp::from_second(at.as_second()).ok()).ok_or_else(|| {
        format!("\"{text}\" is no instant; write one such as \"2026-12-24T08:00:00Z\" or \"2026-12-24T08:00:00+01:00\"")
    })
}

/// The form that is shown: UTC, whole seconds.
pub fn print_instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An instant in a document, as it is shown.
pub mod instant {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes it.
    ///
    /// # Errors
    ///
    /// The serializer's.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::print_instant(*at))
    }

    /// Reads RFC 3339.
    ///
    /// # Errors
    ///
    /// When it is something else.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Reads an instant, or what clocks in a zone show: `2026-12-24 08:00`, `2026-12-24`.
///
/// # Errors
///
/// What to write instead.
pub fn parse_moment(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    if let Ok(at) = parse_instant(text) {
        return Ok(at);
    }
    let civil = text.parse::<Date>().ok().filter(|_| text.len() == 10).map(|date| date.at(0, 0, 0, 0));
    let civil = civil.or_else(|| text.parse::<DateTime>().ok());
    let zoned = civil.and_then(|civil| zone.to_ambiguous_zoned(civil).compatible().ok());
    zoned.map(|zoned| zoned.timestamp()).ok_or_else(|| {
        format!("\"{text}\" is no time; write one such as \"2026-12-24 08:00\", \"2026-12-24\" or \"2026-12-24T07:00:00Z\"")
    })
}

/// What the clocks of a zone show at an instant: `Thu 2026-12-24 08:00`.
pub fn show_instant(at: Timestamp, zone: &TimeZone) -> String {
    let reading = zone.to_datetime(at);
    reading
        .strftime(if reading.second() == 0 { "%a %Y-%m-%d %H:%M" } else { "%a %Y-%m-%d %H:%M:%S" })
        .to_string()
}

/// The same, whatever the seconds.
pub fn show_minute(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%a %Y-%m-%d %H:%M").to_string()
}

/// A stretch of time: `Thu 2026-12-24 08:00 to 17:00`, `Thu 2026-12-24 08:00 to Fri 2026-12-25 08:00`. A midnight
/// that ends the day is 24:00.
pub fn show_stretch(from: Timestamp, until: Timestamp, zone: &TimeZone) -> String {
    let (start, end) = (zone.to_datetime(from), zone.to_datetime(until));
    let is_midnight = end.time() == jiff::civil::Time::midnight();
    let until = if start.date() == end.date() && start < end {
        end.strftime(if end.second() == 0 { "%H:%M" } else { "%H:%M:%S" }).to_string()
    } else if is_midnight && start.date().tomorrow().ok() == Some(end.date()) {
        "24:00".to_owned()
    } else {
        show_instant(until, zone)
    };
    format!("{} to {until}", show_instant(from, zone))
}

/// How long something lasts, in its two largest units: `3 days 23 h`.
pub fn show_length(length: SignedDuration) -> String {
    let seconds = length.as_secs().max(0);
    let days = seconds / 86_400;
    let units = [
        (days, if days == 1 { "day" } else { "days" }),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(units.len() - 1);
    let shown = units.iter().skip(first).take(2).filter(|(count, _)| *count > 0);
    let shown: Vec<String> = shown.map(|(count, unit)| format!("{count} {unit}")).collect();
    if shown.is_empty() { "0 s".to_owned() } else { shown.join(" ") }
}

/// Reads a stretch of time: whole days, the last one included, or moments, the last one not.
///
/// # Errors
///
/// The part at fault (`from` or `until`), and what to write instead.
pub fn parse_stretch(from: &str, until: &str, zone: &TimeZone) -> Result<Interval, (&'static str, String)> {
    let start = parse_moment(from, zone).map_err(|error| ("from", error))?;
    let end = match until.parse::<Date>() {
        Ok(last) if until.len() == 10 => {
            let next = last.tomorrow().and_then(|next| next.to_zoned(zone.clone()));
            next.map(|next| next.timestamp()).map_err(|error| ("until", error.to_string()))?
        }
        _ => parse_moment(until, zone).map_err(|error| ("until", error))?,
    };
    if end <= start {
        return Err(("until", "is not after \"from\"".to_owned()));
    }
    Ok(Interval { start, end })
}
