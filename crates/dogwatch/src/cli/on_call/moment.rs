//! How a time is given on the command line.

use std::convert::Infallible;
use std::str::FromStr;

use anyhow::{anyhow, bail};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::definition::time::parse_moment;

/// A time as it was written; what it is depends on the zone of what is asked, and on now.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Moment(String);

impl FromStr for Moment {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.trim().to_owned()))
    }
}

impl Moment {
    /// The instant: `2026-12-24T08:00:00Z`, `2026-12-24 08:00`, `2026-12-24`, `08:00` (today), `+2h`, `-30m`, `now`.
    pub(in crate::cli) fn read(&self, zone: &TimeZone, now: Timestamp) -> anyhow::Result<Timestamp> {
        let text = self.0.as_str();
        if text == "now" {
            return Ok(now);
        }
        if let Some((sign, length)) = text.split_at_checked(1).filter(|(sign, _)| matches!(*sign, "+" | "-"))
        {
            let length = escalation::duration::parse(length)
                .map_err(|wrong| anyhow!("\"{text}\" is no time: {wrong}; write \"+2h\", or the date"))?;
            let length = if sign == "+" { length } else { SignedDuration::ZERO - length };
            return Ok(now.checked_add(length)?);
        }
        if let Some(time) = time_of_day(text) {
            let today = rota::zone::date(now, zone);
            return Ok(zone.to_ambiguous_zoned(today.to_datetime(time)).compatible()?.timestamp());
        }
        match parse_moment(text, zone) {
            Ok(at) => Ok(at),
            Err(_) => bail!(
                "\"{text}\" is no time; write one such as \"2026-12-24 08:00\", \"2026-12-24\", \"08:00\", \"+2h\" or \
                 \"2026-12-24T07:00:00Z\""
            ),
        }
    }
}

/// `8:00`, `08:00`: today.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let is_number = |part: &str, lengths: &[usize]| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !is_number(hour, &[1, 2]) || !is_number(minute, &[2]) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// The zone of an answer; one that this program does not know is shown as UTC.
pub(in crate::cli) fn find_zone(name: &str) -> TimeZone {
    rota::zone::find(name).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_the_zone_of_what_is_asked() {
        let zone = rota::zone::find("Europe/Berlin").unwrap();
        let now: Timestamp = "2026-11-23T03:00:00Z".parse().unwrap();
        for (text, wanted) in [
            ("now", "2026-11-23T03:00:00Z"),
            ("+2h", "2026-11-23T05:00:00Z"),
            ("-30m", "2026-11-23T02:30:00Z"),
            ("8:00", "2026-11-23T07:00:00Z"),
            ("2026-12-24", "2026-12-23T23:00:00Z"),
            ("2026-12-24 08:00", "2026-12-24T07:00:00Z"),
            ("2026-12-24T08:00:00-05:00", "2026-12-24T13:00:00Z"),
        ] {
            let read = Moment(text.to_owned()).read(&zone, now).unwrap();
            assert_eq!(read, wanted.parse::<Timestamp>().unwrap(), "{text}");
        }
        for text in ["", "25:00", "tomorrow", "+", "+2x", "24.12.2026", "ä"] {
            let wrong = Moment(text.to_owned()).read(&zone, now).unwrap_err().to_string();
            assert!(wrong.contains("write"), "{text}: {wrong}");
        }
    }
}
