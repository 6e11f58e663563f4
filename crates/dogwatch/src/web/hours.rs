//! Times and lengths of duty in words, short enough for a phone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `Mon 9 Mar 08:00`, with the year if it is another than that of `now`.
pub(super) fn moment(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let form = if at.year() == now.year() { "%a %-d %b %H:%M" } else { "%a %-d %b %Y %H:%M" };
    at.strftime(form).to_string()
}

/// The moment on the clocks of the reader, and on those of the team where they show something else.
pub(super) fn moment_in_both(at: Timestamp, zone: &TimeZone, team: &TimeZone, now: Timestamp) -> String {
    let own = moment(at, zone, now);
    if zone.to_offset(at) == team.to_offset(at) {
        return own;
    }
    let form = if rota::zone::date(at, zone) == rota::zone::date(at, team) { "%H:%M" } else { "%a %H:%M" };
    let there = at.to_zoned(team.clone()).strftime(form).to_string();
    format!("{own} ({there} {})", team.iana_name().unwrap_or("UTC"))
}

/// From when until when; the day of the end only if it is another one.
pub(super) fn stretch(from: Timestamp, until: Option<Timestamp>, zone: &TimeZone, now: Timestamp) -> String {
    let begin = moment(from, zone, now);
    match until {
        None => format!("from {begin} on"),
        Some(until) if rota::zone::date(from, zone) == rota::zone::date(until, zone) => {
            format!("{begin} – {}", until.to_zoned(zone.clone()).strftime("%H:%M"))
        }
        Some(until) => format!("{begin} – {}", moment(until, zone, now)),
    }
}

/// `2 days 8 h`, `9 h`, `30 min`, `10 s`: the two greatest units that say something.
pub(super) fn length(from: Timestamp, until: Timestamp) -> String {
    let seconds = until.duration_since(from).as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let days_word = if days == 1 { "day" } else { "days" };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, ..) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} {days_word}"),
        _ => format!("{days} {days_word} {hours} h"),
    }
}

/// A zone's name and how its clocks go from an instant to another: `Europe/Berlin (CET, UTC+1)`.
pub(super) fn zone_words(zone: &TimeZone, from: Timestamp, until: Timestamp) -> String {
    let name = zone.iana_name().unwrap_or("UTC");
    let (before, after) = (offset_words(zone, from), offset_words(zone, until));
    match (name, before == after) {
        ("UTC", _) => name.to_owned(),
        (_, true) => format!("{name} ({before})"),
        (_, false) => format!("{name} ({before}, then {after})"),
    }
}

/// `CET, UTC+1`.
fn offset_words(zone: &TimeZone, at: Timestamp) -> String {
    let (info, offset) = (zone.to_offset_info(at), zone.to_offset(at).seconds());
    let minutes = offset.abs() / 60 % 60;
    let minutes = if minutes == 0 { String::new() } else { format!(":{minutes:02}") };
    let abbreviation = info.abbreviation();
    // Some zones have no letters, only what follows anyway.
    let own = if abbreviation.starts_with(['+', '-']) { String::new() } else { format!("{abbreviation}, ") };
    let sign = if offset < 0 { "-" } else { "+" };
    format!("{own}UTC{sign}{}{minutes}", offset.abs() / 3_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_times_read_well() {
        let zone = rota::zone::find("Asia/Kolkata").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let now = at("2026-03-02T03:00:00Z");
        let told = |from: &str, until: &str| stretch(at(from), Some(at(until)), &zone, now);
        assert_eq!(told("2026-03-02T03:00:00Z", "2026-03-02T05:00:00Z"), "Mon 2 Mar 08:30 – 10:30");
        assert_eq!(
            told("2026-12-31T03:00:00Z", "2027-01-01T05:00:00Z"),
            "Thu 31 Dec 08:30 – Fri 1 Jan 2027 10:30"
        );
        assert_eq!(zone_words(&zone, now, now), "Asia/Kolkata (IST, UTC+5:30)");
        assert_eq!(zone_words(&TimeZone::UTC, now, now), "UTC");
        let berlin = rota::zone::find("Europe/Berlin").unwrap();
        let summer = zone_words(&berlin, now, at("2026-03-30T00:00:00Z"));
        assert_eq!(summer, "Europe/Berlin (CET, UTC+1, then CEST, UTC+2)");
        assert_eq!(length(now, at("2026-03-04T11:00:00Z")), "2 days 8 h");
        assert_eq!(length(now, at("2026-03-02T03:30:10Z")), "30 min");
    }
}
