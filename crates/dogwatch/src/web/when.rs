//! Times as people read them: the day only where it is not today, the zone where it has to be said.

use escalation::alert::{Alert, Status};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::message::age;

/// Tells times to one reader.
pub(super) struct Times {
    zone: TimeZone,
    now: Timestamp,
}

impl Times {
    /// For a reader in the zone of this name. A zone that is not known shows UTC.
    pub(super) fn new(zone: &str, now: Timestamp) -> Self {
        Self { zone: rota::zone::find(zone).unwrap_or(TimeZone::UTC), now }
    }

    fn at(&self, at: Timestamp) -> Zoned {
        at.to_zoned(self.zone.clone())
    }

    /// What the clock on the wall shows: `03:00:45`.
    pub(super) fn time(&self, at: Timestamp) -> String {
        self.at(at).strftime("%H:%M:%S").to_string()
    }

    /// What the zone is called at that time: `CET`, and `CEST` in summer.
    pub(super) fn zone(&self, at: Timestamp) -> String {
        self.at(at).strftime("%Z").to_string()
    }

    /// The day: `Monday, 2 March 2026`.
    pub(super) fn day(&self, at: Timestamp) -> String {
        self.at(at).strftime("%A, %-d %B %Y").to_string()
    }

    /// The time, with the day where it is not today: `03:00:45`, `yesterday at 23:50:00`.
    pub(super) fn moment(&self, at: Timestamp) -> String {
        let (day, today) = (self.at(at).date(), self.at(self.now).date());
        let time = self.time(at);
        if day == today {
            time
        } else if today.yesterday().is_ok_and(|yesterday| day == yesterday) {
            format!("yesterday at {time}")
        } else if today.tomorrow().is_ok_and(|tomorrow| day == tomorrow) {
            format!("tomorrow at {time}")
        } else {
            let form = if day.year() == today.year() { "%-d %B" } else { "%-d %B %Y" };
            format!("{} at {time}", day.strftime(form))
        }
    }

    /// The moment with its zone.
    pub(super) fn exactly(&self, at: Timestamp) -> String {
        format!("{} {}", self.moment(at), self.zone(at))
    }

    /// Since when an alert has been open, or from when to when it was.
    pub(super) fn open(&self, alert: &Alert) -> String {
        match &alert.resolved {
            Some(act) if alert.status == Status::Resolved => self.was_open(alert.created_at, act.at),
            _ => self.open_since(alert.created_at),
        }
    }

    /// `open since 03:00:00 UTC, for 5 min`.
    fn open_since(&self, from: Timestamp) -> String {
        format!("open since {}, for {}", self.exactly(from), age(from, self.now))
    }

    /// `was open from 03:00:00 to 03:40:12 UTC, 40 min in all`.
    fn was_open(&self, from: Timestamp, to: Timestamp) -> String {
        let begin = if self.zone(from) == self.zone(to) { self.moment(from) } else { self.exactly(from) };
        format!("was open from {begin} to {}, {} in all", self.exactly(to), age(from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times() -> Times {
        Times::new("Europe/Berlin", "2026-03-30T08:00:00Z".parse().unwrap())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_day_is_said_where_it_is_not_today() {
        for (instant, words) in [
            ("2026-03-30T07:59:59Z", "09:59:59 CEST"),
            ("2026-03-29T21:59:59Z", "yesterday at 23:59:59 CEST"),
            ("2026-03-30T22:00:00Z", "tomorrow at 00:00:00 CEST"),
            ("2026-03-28T23:00:00Z", "yesterday at 00:00:00 CET"),
            ("2026-03-27T23:00:00Z", "28 March at 00:00:00 CET"),
            ("2025-12-31T22:00:00Z", "31 December 2025 at 23:00:00 CET"),
        ] {
            assert_eq!(times().exactly(at(instant)), words);
        }
        assert_eq!(times().day(at("2026-03-29T22:00:00Z")), "Monday, 30 March 2026");
    }

    #[test]
    fn a_zone_is_said_once_unless_clocks_were_changed() {
        let lasted = |from, to| times().was_open(at(from), at(to));
        assert_eq!(
            lasted("2026-03-30T07:00:00Z", "2026-03-30T07:40:12Z"),
            "was open from 09:00:00 to 09:40:12 CEST, 40 min in all"
        );
        assert_eq!(
            lasted("2026-03-29T00:59:00Z", "2026-03-29T01:01:00Z"),
            "was open from yesterday at 01:59:00 CET to yesterday at 03:01:00 CEST, 2 min in all"
        );
        assert_eq!(times().open_since(at("2026-03-30T07:00:00Z")), "open since 09:00:00 CEST, for 1 h");
    }
}
