//! Times and lengths of duty in words, short enough for a phone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// `Mon 9 Mar 08:00`, with the year if it is another than that of `now`.
pub(super) fn moment(at: Timestamp, zone: &TimeZone, now: Timestamp) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let form = if at.year() == now.year() { "%a %-d %b %H:%M" } else { "%a %-d %b %Y %H:%M" };
    at.strftime(form).to_string()
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

/// How clocks in a zone are ahead of UTC at an instant, with the zone's name: `Europe/Berlin (CET, UTC+1)`.
pub(super) fn zone_words(zone: &TimeZone, at: Timestamp) -> String {
    let name = zone.iana_name().unwrap_or("UTC");
    let (info, offset) = (zone.to_offset_info(at), zone.to_offset(at).seconds());
    if offset == 0 && name == "UTC" {
        return name.to_owned();
    }
    let (hours, minutes) = (offset / 3_600, offset.abs() / 60 % 60);
    let minutes = if minutes == 0 { String::new() } else { format!(":{minutes:02}") };
    let abbreviation = info.abbreviation();
    let own = if abbreviation.starts_with(['+', '-']) { String::new() } else { format!("{abbreviation}, ") };
    let sign = if offset < 0 { "-" } else { "+" };
    format!("{name} ({own}UTC{sign}{}{minutes})", hours.abs())
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
        assert_eq!(zone_words(&zone, now), "Asia/Kolkata (IST, UTC+5:30)");
        assert_eq!(zone_words(&TimeZone::UTC, now), "UTC");
        assert_eq!(length(now, at("2026-03-04T11:00:00Z")), "2 days 8 h");
        assert_eq!(length(now, at("2026-03-02T03:30:10Z")), "30 min");
    }
}
