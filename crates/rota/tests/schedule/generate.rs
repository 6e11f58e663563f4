//! Random schedules: everything within 40 days, on whole half hours, among six people, so that all meets.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rota::period::Interval;
use rota::rotation::{Change, Edition, Length, People, Rotation};
use rota::schedule::{Layer, Leave, Override, Role, Schedule, Stint, Stints, Who};
use rota::zone;

use crate::build::{ROLE, people, period};

const NAMES: [&str; 6] = ["ann", "bob", "cid", "dan", "eve", "fay"];
const PERIODS: [&str; 5] = ["office", "weekdays", "weekends", "evenings", "epiphany"];

/// Half hours of the time in which things happen.
pub const HALF_HOURS: i64 = 40 * 48;

/// The first instant: the clocks of Berlin change on the 29th of March, those of New York on the 8th, those of
/// Lord Howe on the 5th of April.
pub fn begin() -> Timestamp {
    "2026-03-04T12:00:00Z".parse().unwrap()
}

pub fn half_hour(number: i64) -> Timestamp {
    begin() + SignedDuration::from_mins(number * 30)
}

fn any_name() -> impl Strategy<Value = Arc<str>> {
    prop::sample::select(NAMES.as_slice()).prop_map(Arc::from)
}

fn any_people(sizes: std::ops::Range<usize>) -> impl Strategy<Value = People> {
    prop::sample::subsequence(NAMES.as_slice(), sizes)
        .prop_shuffle()
        .prop_map(|names| people(&names.join(" ")))
}

fn any_stretch(longest: i64) -> impl Strategy<Value = Interval> {
    (0..HALF_HOURS, 1..longest)
        .prop_map(|(start, length)| Interval { start: half_hour(start), end: half_hour(start + length) })
}

fn any_length() -> impl Strategy<Value = Length> {
    prop_oneof![
        prop::sample::select(vec![1u16, 6, 8, 12, 24]).prop_map(Length::Hours),
        prop::collection::vec(1u16..8, 1..4).prop_map(Length::Days),
        Just(Length::Months(1)),
    ]
}

fn any_rotation(zone: &'static str) -> impl Strategy<Value = Who> {
    let members = || prop::collection::vec(any_people(1..3), 1..5);
    let start = || (-900i64..900).prop_map(|number| zone_reading(half_hour(number)));
    let change = (start(), any_length(), members(), 0..HALF_HOURS);
    (start(), any_length(), members(), -100..HALF_HOURS / 2, prop::option::of(change)).prop_map(
        move |(start, length, members, from, change)| {
            let edition = Edition { from: half_hour(from), start, length, members, first: 0 };
            let rotation = Rotation::new(zone::find(zone).unwrap(), vec![edition]).unwrap();
            let edited = change.map(|(start, length, members, now)| {
                rotation.edited(half_hour(now), Change { start, length, members, from: None }).unwrap()
            });
            Who::Rotation(Arc::new(edited.unwrap_or(rotation)))
        },
    )
}

/// Any reading that is a whole half hour.
fn zone_reading(at: Timestamp) -> jiff::civil::DateTime {
    jiff::tz::TimeZone::UTC.to_datetime(at)
}

fn any_layer(zone: &'static str) -> impl Strategy<Value = Layer> {
    let stints = prop::collection::vec((any_stretch(300), any_people(0..3)), 0..8).prop_map(|stints| {
        let stints: Vec<Stint> = stints
            .into_iter()
            .map(|(Interval { start, end }, people)| Stint { from: start, until: end, people })
            .collect();
        Who::Stints(Arc::new(Stints::new(&stints)))
    });
    let who = prop_oneof![
        1 => any_people(0..3).prop_map(Who::People),
        3 => any_rotation(zone),
        1 => stints,
    ];
    let within = prop::option::of(prop::sample::select(PERIODS.as_slice()));
    (who, within, 0u16..4, prop::bool::weighted(0.2)).prop_map(move |(who, within, ahead, shadow)| Layer {
        name: "layer".into(),
        who,
        ahead: ahead.saturating_sub(1),
        within: within.map(|name| period(name, zone::find(zone).unwrap())),
        shadow,
    })
}

fn any_override() -> impl Strategy<Value = Override> {
    let ends = prop::bool::weighted(0.8);
    (any_stretch(400), ends, any_name(), prop::option::of(any_name())).prop_map(
        |(stretch, ends, person, instead_of)| Override {
            id: "override".into(),
            role: ROLE.into(),
            from: stretch.start,
            until: Some(stretch.end).filter(|_| ends),
            instead_of,
            person,
        },
    )
}

pub fn any_zone() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
}

/// A schedule of one role. Where `covered`, somebody who has no leave is at the bottom.
pub fn any_schedule(covered: bool) -> impl Strategy<Value = Schedule> {
    any_zone().prop_flat_map(move |zone| {
        let layers = prop::collection::vec(any_layer(zone), 1..6);
        let overrides = prop::collection::vec(any_override(), 0..10);
        let leave =
            prop::collection::btree_map(any_name(), prop::collection::vec(any_stretch(500), 1..4), 0..6);
        (layers, overrides, leave).prop_map(move |(mut layers, overrides, leave)| {
            if covered {
                layers.insert(0, crate::build::always("zoe"));
            }
            let leave: BTreeMap<Arc<str>, Leave> =
                leave.into_iter().map(|(person, away)| (person, Leave::new(away))).collect();
            let zone = zone::find(zone).unwrap();
            Schedule::new(zone.clone(), vec![Role { name: ROLE.into(), layers }])
                .with_overrides(overrides)
                .with_leave(leave)
                .with_holidays(period("weekdays", zone))
        })
    })
}
