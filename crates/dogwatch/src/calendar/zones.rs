//! From the zones that a calendar names to those of the tz database.
//!
//! What a calendar says of a zone's rules is not read: the built-in tz database knows them better. Its name has to
//! lead there: an IANA name, Windows' name for one, the last parts of a path, or what the calendar itself says
//! (`X-LIC-LOCATION`).

use std::collections::HashMap;

use jiff::tz::TimeZone;

use super::shown;

const WINDOWS: &str = include_str!("windows_zones.txt");
/// No name of a zone is longer; what is longer is not looked up.
const LONGEST_NAME: usize = 200;

/// The zones of one calendar.
#[derive(Debug)]
pub(super) struct Zones {
    /// Where whole days and times without a zone are.
    pub(super) default: TimeZone,
    locations: HashMap<String, String>,
    /// What has been looked up: calendars name the same zone thousands of times.
    known: HashMap<String, Result<TimeZone, String>>,
}

impl Zones {
    pub(super) fn new(default: TimeZone, locations: HashMap<String, String>) -> Zones {
        Zones { default, locations, known: HashMap::new() }
    }

    /// The zone of a `TZID`; else what is wrong with it.
    pub(super) fn find(&mut self, name: &str) -> Result<TimeZone, String> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let found = self.look_up(name);
        self.known.insert(name.to_owned(), found.clone());
        found
    }

    fn look_up(&self, name: &str) -> Result<TimeZone, String> {
        // Some programs quote within the value, too.
        let plain = name.trim().trim_matches('"');
        if plain.len() > LONGEST_NAME {
            return Err(format!(
                "there is no time zone {}; write an IANA name such as Europe/Berlin",
                shown(plain)
            ));
        }
        let unknown = match rota::zone::find(plain) {
            Ok(zone) => return Ok(zone),
            Err(unknown) => unknown,
        };
        let said = self.locations.get(name).map(String::as_str);
        let candidates = said.into_iter().chain(windows(plain)).chain(last_parts(plain));
        let found = candidates.filter_map(|candidate| rota::zone::find(candidate).ok()).next();
        found.ok_or_else(|| unknown.to_string())
    }
}

/// The IANA name of a zone that Windows names.
fn windows(name: &str) -> Option<&'static str> {
    let rows = WINDOWS.lines().filter_map(|row| row.split_once('='));
    rows.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, iana)| iana).next()
}

/// `/example.org/20240101/America/Argentina/Salta`: the last three parts, then two, then one.
fn last_parts(name: &str) -> impl Iterator<Item = &str> {
    let ends = name.rmatch_indices('/').map(|(slash, _)| &name[slash + 1..]).take(3);
    ends.collect::<Vec<_>>().into_iter().rev()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str) -> Result<String, String> {
        let locations = HashMap::from([("Custom 1".to_owned(), "Asia/Tokyo".to_owned())]);
        let zone = Zones::new(TimeZone::UTC, locations).find(name)?;
        Ok(zone.iana_name().unwrap_or("none").to_owned())
    }

    #[test]
    fn names_of_all_kinds_lead_to_the_tz_database() {
        for (name, iana) in [
            ("Europe/Berlin", "Europe/Berlin"),
            ("europe/berlin", "Europe/Berlin"),
            ("\"Europe/Berlin\"", "Europe/Berlin"),
            ("W. Europe Standard Time", "Europe/Berlin"),
            ("eastern standard time", "America/New_York"),
            ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
            ("/freeassociation.sourceforge.net/Tzfile/America/Argentina/Salta", "America/Argentina/Salta"),
            ("/softwarestudio.org/Olson_20011030_5/America/New_York", "America/New_York"),
            ("tzone://Microsoft/Utc", "UTC"),
            ("Custom 1", "Asia/Tokyo"),
        ] {
            assert_eq!(found(name).as_deref(), Ok(iana), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_is_told_with_what_to_write() {
        assert!(found("Europe/Berln").unwrap_err().contains("did you mean \"Europe/Berlin\"?"));
        assert!(found("Customized Time Zone").unwrap_err().contains("write an IANA name"));
        assert!(found(&"/a".repeat(400_000)).unwrap_err().len() < 300);
        assert!(found("").is_err());
    }

    #[test]
    fn all_zones_of_windows_are_in_the_tz_database() {
        let rows: Vec<&str> = WINDOWS.lines().filter(|row| !row.starts_with('#')).collect();
        assert!(rows.len() > 130);
        for row in rows {
            assert!(rota::zone::find(row.split_once('=').unwrap().1).is_ok(), "{row}");
        }
    }
}
