//! Calendars against dateutil, against a plain reading of their own occurrences, and by hand.
//!
//! `golden.txt` is made by `generate.py`; what its lines mean, and where the RFC and dateutil
//! part, is in `README.md`.

#![expect(clippy::unwrap_used, reason = "what is read here stands in this repository")]

mod golden;
mod random;

use std::sync::Arc;

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rota::calendar::{Calendar, Event, Length, Occurrence, Start, value};
use rota::zone;

fn people(name: &str) -> Arc<[Arc<str>]> {
    Arc::from([Arc::from(name)])
}

fn reading(text: &str, zone: &TimeZone) -> Start {
    Start::Reading(value::date_time(text).unwrap(), zone.clone())
}

/// An event of an hour from `start` in `zone`, with a rule unless that is empty.
fn event(zone: &str, start: &str, rule: &str) -> Event {
    let zone = zone::find(zone).unwrap();
    Event {
        people: people("john"),
        start: reading(start, &zone),
        length: Length::Clock { seconds: 3_600 },
        rule: (!rule.is_empty()).then(|| rule.parse().unwrap()),
        excluded: Vec::new(),
        added: Vec::new(),
    }
}

fn calendar(events: &[Event]) -> Calendar {
    Calendar::new(events).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn starts(calendar: &Calendar, from: &str, to: &str) -> Vec<String> {
    calendar.occurrences(at(from), at(to)).map(|one| one.from.to_string()).collect()
}

#[test]
fn a_rule_that_never_comes_ends_at_once() {
    for rule in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1",
        "FREQ=HOURLY;INTERVAL=24;BYHOUR=9",
        "FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=200",
    ] {
        let calendar = calendar(&[event("Europe/Berlin", "20260301T080000", rule)]);
        assert_eq!(calendar.next_change(at("2026-03-01T06:00Z")), Some(at("2026-03-01T07:00Z")), "{rule}");
        assert_eq!(calendar.next_change(at("2026-03-01T07:00Z")), Some(at("2026-03-01T08:00Z")), "{rule}");
        assert_eq!(calendar.next_change(at("2026-03-01T08:00Z")), None, "{rule}");
        assert_eq!(calendar.at(at("2400-03-01T08:00Z")), None, "{rule}");
    }
}

#[test]
fn after_the_last_occurrence_nothing_changes() {
    for (rule, last) in [
        ("FREQ=WEEKLY;COUNT=3", "2026-03-15T08:00Z"),
        ("FREQ=WEEKLY;UNTIL=20260315", "2026-03-15T08:00Z"),
        ("FREQ=WEEKLY;UNTIL=20260315T070000Z", "2026-03-15T08:00Z"),
        ("FREQ=WEEKLY;UNTIL=20260315T065959Z", "2026-03-08T08:00Z"),
        ("FREQ=WEEKLY;UNTIL=20260315T080000", "2026-03-15T08:00Z"),
        ("FREQ=WEEKLY;UNTIL=20200101", "2026-03-01T08:00Z"),
        ("FREQ=WEEKLY;COUNT=1", "2026-03-01T08:00Z"),
    ] {
        let calendar = calendar(&[event("Europe/Berlin", "20260301T080000", rule)]);
        let before = at(last) - SignedDuration::from_secs(1);
        assert_eq!(calendar.next_change(before), Some(at(last)), "{rule}");
        assert_eq!(calendar.next_change(at(last)), None, "{rule}");
    }
}

#[test]
fn the_end_of_time_is_an_end() {
    let calendar = calendar(&[event("Europe/Berlin", "20260301T080000", "FREQ=YEARLY")]);
    let last = at("9999-03-01T08:00Z");
    assert_eq!(calendar.next_change(last - SignedDuration::from_secs(1)), Some(last));
    assert_eq!(calendar.next_change(last), None);
    assert_eq!(calendar.next_change(Timestamp::MAX), None);
    assert_eq!(calendar.next_change(Timestamp::MIN), Some(at("2026-03-01T07:00Z")));
    assert_eq!(calendar.at(Timestamp::MIN), None);
    assert_eq!(calendar.at(Timestamp::MAX), None);
}

#[test]
fn a_week_number_without_a_weekday_means_that_of_the_start() {
    let calendar = calendar(&[event("UTC", "20260512T090000", "FREQ=YEARLY;BYWEEKNO=20;COUNT=3")]);
    let all = starts(&calendar, "2000-01-01T00:00Z", "2100-01-01T00:00Z");
    assert_eq!(all, ["2026-05-12T09:00:00Z", "2027-05-18T09:00:00Z", "2028-05-16T09:00:00Z"]);
}

#[test]
fn a_shift_ends_by_the_clock_and_a_duration_by_time_that_passes() {
    let zone = zone::find("Europe/Berlin").unwrap();
    // Saturday to Sunday in the weeks in which the clock is changed, in March and in October 2026.
    for (start, clock, elapsed) in [
        ("20260328T220000", "2026-03-29T04:00Z", "2026-03-29T05:00Z"),
        ("20261024T220000", "2026-10-25T05:00Z", "2026-10-25T04:00Z"),
    ] {
        let until = |length: Length| {
            let event = Event { length, ..event("Europe/Berlin", start, "") };
            let begins = reading(start, &zone).timestamp().unwrap();
            calendar(&[event]).at(begins).unwrap().until
        };
        assert_eq!(until(Length::Clock { seconds: 8 * 3_600 }), at(clock));
        assert_eq!(until(Length::Elapsed { days: 0, seconds: 8 * 3_600 }), at(elapsed));
        let day = until(Length::Elapsed { days: 1, seconds: 0 });
        assert_eq!(day.to_zoned(zone.clone()).hour(), 22);
    }
}

#[test]
fn in_the_hour_that_comes_twice_what_began_in_it_is_under_way() {
    let calendar = calendar(&[event("Europe/Berlin", "20261001T025000", "FREQ=DAILY")]);
    // The clock shows 02:50 at 00:50 UTC, and 02:10 again at 01:10.
    let found = calendar.at(at("2026-10-25T01:10Z")).unwrap();
    assert_eq!(found.from, at("2026-10-25T00:50Z"));
}

#[test]
fn weeks_that_meet_have_no_hole_when_the_clock_is_changed() {
    let week = Length::Clock { seconds: 7 * 86_400 };
    let calendar =
        calendar(&[Event { length: week, ..event("America/New_York", "20260105T080000", "FREQ=WEEKLY") }]);
    let all: Vec<Occurrence> =
        calendar.occurrences(at("2026-01-05T13:00Z"), at("2028-01-01T00:00Z")).collect();
    assert!(all.len() > 100);
    assert!(all.windows(2).all(|pair| pair[0].until == pair[1].from));
}

#[test]
fn whole_days_begin_and_end_at_midnight_of_their_zone() {
    let zone = zone::find("Europe/Berlin").unwrap();
    let start = Start::Day(date(2026, 3, 29), zone);
    let length = Length::Elapsed { days: 1, seconds: 0 };
    let event =
        Event { start, length, ..event("UTC", "20260101T000000", "FREQ=YEARLY;UNTIL=20280329T000000Z") };
    let all: Vec<(String, String)> = calendar(&[event])
        .occurrences(Timestamp::MIN, Timestamp::MAX)
        .map(|one| (one.from.to_string(), one.until.to_string()))
        .collect();
    assert_eq!(all.len(), 3);
    assert_eq!(all[0], ("2026-03-28T23:00:00Z".to_owned(), "2026-03-29T22:00:00Z".to_owned()));
}

#[test]
fn what_is_left_out_and_added() {
    let zone = zone::find("Europe/Berlin").unwrap();
    let mut one = event("Europe/Berlin", "20260301T080000", "FREQ=DAILY;COUNT=5");
    one.excluded = vec![
        reading("20260301T080000", &zone),
        Start::Instant(at("2026-03-03T07:00Z")),
        Start::Day(date(2026, 3, 4), zone.clone()),
        reading("20260305T090000", &zone),
    ];
    one.added = vec![
        (reading("20260302T080000", &zone), None),
        (reading("20260228T080000", &zone), Some(Length::Elapsed { days: 0, seconds: 60 })),
        (reading("20260304T180000", &zone), None),
    ];
    let calendar = calendar(&[one]);
    let all = starts(&calendar, "2026-01-01T00:00Z", "2027-01-01T00:00Z");
    assert_eq!(all, ["2026-02-28T07:00:00Z", "2026-03-02T07:00:00Z", "2026-03-05T07:00:00Z"]);
    assert_eq!(calendar.at(at("2026-02-28T07:00Z")).unwrap().until, at("2026-02-28T07:01Z"));
}

#[test]
fn of_several_the_one_that_began_last_counts_then_the_later_in_the_file() {
    let long = Event { length: Length::Clock { seconds: 10 * 3_600 }, ..event("UTC", "20260301T000000", "") };
    let short = Event { people: people("bob"), ..event("UTC", "20260301T040000", "FREQ=DAILY;COUNT=2") };
    let twin = Event { people: people("anna"), ..event("UTC", "20260301T040000", "") };
    let calendar = calendar(&[twin, short, long]);
    let who = |text: &str| calendar.at(at(text)).map(|one| one.people[0].to_string());
    assert_eq!(who("2026-03-01T03:59:59Z").as_deref(), Some("john"));
    assert_eq!(who("2026-03-01T04:00Z").as_deref(), Some("bob"));
    assert_eq!(who("2026-03-01T05:00Z").as_deref(), Some("john"));
    assert_eq!(who("2026-03-01T10:00Z"), None);
    assert_eq!(who("2026-03-02T04:30Z").as_deref(), Some("bob"));
    let mut changes = vec![at("2026-02-01T00:00Z")];
    while let Some(next) = calendar.next_change(changes[changes.len() - 1]) {
        changes.push(next);
    }
    let hours: Vec<String> = changes[1..].iter().map(|one| one.strftime("%d %H").to_string()).collect();
    assert_eq!(hours, ["01 00", "01 04", "01 05", "01 10", "02 04", "02 05"]);
}

#[test]
fn what_cannot_be_used_is_refused_with_its_number() {
    let good = || event("UTC", "20260301T000000", "");
    let day = |rule: &str| Event {
        start: Start::Day(date(2026, 3, 1), TimeZone::UTC),
        ..event("UTC", "20260301T000000", rule)
    };
    let length = |length: Length| Event { length, ..good() };
    let events = [
        good(),
        length(Length::Clock { seconds: 0 }),
        length(Length::Clock { seconds: -5 }),
        length(Length::Elapsed { days: i64::MAX, seconds: i64::MAX }),
        day("FREQ=HOURLY"),
        day("FREQ=DAILY;BYHOUR=3"),
        Event {
            added: vec![(Start::Day(date(9999, 12, 31), zone::find("America/New_York").unwrap()), None)],
            ..good()
        },
    ];
    let refused = Calendar::new(&events).unwrap_err();
    let told: Vec<(usize, &str)> = refused.iter().map(|one| (one.event, one.reason.as_str())).collect();
    let days = "it lasts whole days and recurs at times of the day; write FREQ=DAILY or longer, without BYHOUR, \
                BYMINUTE and BYSECOND";
    let expected = [
        (1, "it lasts no time; write when it ends"),
        (2, "it ends before it begins"),
        (3, "it lasts longer than ten years; write shorter events"),
        (4, days),
        (5, days),
        (6, "an added date lies beyond the end of time"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn rules_that_take_too_long_are_refused_before_they_take_long() {
    let never = event("UTC", "00010101T000000", "FREQ=HOURLY;INTERVAL=24;BYHOUR=9");
    let refused = Calendar::new(&vec![never; 5_000]).unwrap_err();
    assert!(refused[0].event < 20, "{:?}", refused[0]);
    assert!(refused[0].reason.contains("takes too long"));
    let counted = event("UTC", "20260101T000000", "FREQ=WEEKLY;COUNT=52");
    assert!(Calendar::new(&vec![counted; 5_000]).is_ok());
}
