//! The ways of sharing the work that people have written about: the four of Naemon's guide to on-call rotations,
//! as two people with periods of their own, and the kinds of shift that on-call services have.

use insta::assert_snapshot;
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use rota::period::compile;
use rota::rotation::Length;
use rota::schedule::{Layer, Role, Schedule, Who};
use rota::{syntax, zone};

use crate::build::*;

fn new_york() -> TimeZone {
    zone::find("America/New_York").unwrap()
}

fn reading(text: &str) -> Timestamp {
    new_york().to_timestamp(text.parse().unwrap()).unwrap()
}

/// John and Bob, each on call in his period, on the clocks of New York.
fn scenario(number: usize) -> Schedule {
    let path = format!("{}/tests/naemon/scenario{number}.cfg", env!("CARGO_MANIFEST_DIR"));
    let document = syntax::read_text("scenario", &std::fs::read_to_string(path).unwrap());
    let compiled = compile(&document.definitions, date(2007, 1, 1));
    let layers = ["john", "bob"].map(|name| Layer {
        name: name.into(),
        who: Who::People(people(name)),
        ahead: 0,
        within: Some(compiled.find(&format!("{name}-oncall")).unwrap().in_zone(new_york())),
        shadow: false,
    });
    Schedule::new(new_york(), vec![Role { name: ROLE.into(), layers: layers.into() }])
}

fn on_call(schedule: &Schedule, text: &str) -> String {
    schedule.on_call(reading(text), ROLE).people.join("+")
}

fn gaps(schedule: &Schedule, from: &str, to: &str) -> Vec<(String, String)> {
    let show = |at| new_york().to_datetime(at).strftime("%a %Y-%m-%d %H:%M").to_string();
    let gaps = schedule.gaps(reading(from), reading(to), ROLE).into_iter();
    gaps.map(|gap| (show(gap.start), show(gap.end))).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(from, until)| ((*from).to_owned(), (*until).to_owned())).collect()
}

#[test]
fn holidays_and_weekends() {
    let schedule = scenario(1);
    assert_eq!(on_call(&schedule, "2011-12-27T12:00"), "john");
    assert_eq!(on_call(&schedule, "2011-12-24T12:00"), "bob");
    // Thanksgiving, a Thursday.
    assert_eq!(on_call(&schedule, "2011-11-24T12:00"), "bob");
    // The evening of the 31st of December is a holiday and replaces the whole Saturday: that is a hole.
    assert_eq!(on_call(&schedule, "2011-12-30T23:59"), "john");
    assert_eq!(on_call(&schedule, "2011-12-31T00:00"), "");
    assert_eq!(on_call(&schedule, "2011-12-31T16:59"), "");
    assert_eq!(on_call(&schedule, "2011-12-31T17:00"), "bob");
    let hole = pairs(&[("Sat 2011-12-31 00:00", "Sat 2011-12-31 17:00")]);
    assert_eq!(gaps(&schedule, "2011-12-26T00:00", "2012-01-02T00:00"), hole);
    assert_eq!(schedule.next(reading("2011-12-31T12:00"), ROLE).unwrap().from, reading("2011-12-31T17:00"));
    assert_eq!(schedule.previous(reading("2011-12-31T12:00"), ROLE).unwrap().duty.people, people("john"));
}

#[test]
fn alternating_days() {
    let schedule = scenario(2);
    assert_eq!(on_call(&schedule, "2007-08-01T00:00"), "john");
    assert_eq!(on_call(&schedule, "2007-08-01T23:59"), "john");
    assert_eq!(on_call(&schedule, "2007-08-02T00:00"), "bob");
    assert_eq!(on_call(&schedule, "2008-03-09T12:00"), "bob");
    assert_eq!(on_call(&schedule, "2008-03-10T12:00"), "john");
    assert_eq!(gaps(&schedule, "2007-08-01T00:00", "2009-01-01T00:00"), []);
}

#[test]
fn alternating_weeks() {
    let schedule = scenario(3);
    assert_eq!(on_call(&schedule, "2007-07-29T00:00"), "john");
    assert_eq!(on_call(&schedule, "2007-08-04T23:59"), "john");
    assert_eq!(on_call(&schedule, "2007-08-05T00:00"), "bob");
    assert_eq!(on_call(&schedule, "2007-08-12T00:00"), "john");
    assert_eq!(gaps(&schedule, "2007-07-29T00:00", "2009-01-01T00:00"), []);
    let week = schedule.shift(reading("2007-11-06T12:00"), ROLE).unwrap();
    assert_eq!((week.from, week.until), (reading("2007-11-04T00:00"), Some(reading("2007-11-11T00:00"))));
}

#[test]
fn vacation_days() {
    let schedule = scenario(4);
    assert_eq!(on_call(&schedule, "2007-10-29T12:00"), "john");
    assert_eq!(on_call(&schedule, "2007-10-30T12:00"), "bob");
    assert_eq!(on_call(&schedule, "2007-11-03T12:00"), "bob");
    assert_eq!(on_call(&schedule, "2007-11-14T12:00"), "john");
    assert_eq!(on_call(&schedule, "2007-11-15T12:00"), "bob");
    // Bob has the days on which John is away. Nobody has the other weekends.
    let weekends = pairs(&[
        ("Sun 2007-11-11 00:00", "Mon 2007-11-12 00:00"),
        ("Sat 2007-11-17 00:00", "Mon 2007-11-19 00:00"),
        ("Sat 2007-11-24 00:00", "Mon 2007-11-26 00:00"),
        ("Sat 2007-12-01 00:00", "Mon 2007-12-03 00:00"),
    ]);
    assert_eq!(gaps(&schedule, "2007-11-01T00:00", "2007-12-05T00:00"), weekends);
}

/// A full day or longer: a week each, from Monday at eight.
#[test]
fn a_week_each() {
    let schedule = schedule(vec![weekly("john bob alice")]);
    assert_snapshot!(show(&schedule, "03-16T08:00", "04-13T08:00"), @r"
    Mon 03-16 08:00 bob by layer 0
    Mon 03-23 08:00 alice by layer 0
    Mon 03-30 08:00 john by layer 0
    Mon 04-06 08:00 bob by layer 0
    ");
}

/// Less than a day: twelve hours each, day and night, and the next day the other way around.
#[test]
fn twelve_hours_each() {
    let halves = rotation("03-27T08:00", Length::Hours(12), "john bob alice");
    assert_snapshot!(show(&schedule(vec![layer(halves)]), "03-27T08:00", "03-30T08:00"), @r"
    Fri 03-27 08:00 john by layer 0
    Fri 03-27 20:00 bob by layer 0
    Sat 03-28 08:00 alice by layer 0
    Sat 03-28 20:00 john by layer 0
    Sun 03-29 08:00 bob by layer 0
    Sun 03-29 20:00 alice by layer 0
    ");
}

/// One has the weekdays, another the weekends: two layers, or one rotation.
#[test]
fn weekdays_and_weekends() {
    let split = schedule(vec![within("weekdays", always("john")), within("weekends", always("bob"))]);
    assert_snapshot!(show(&split, "03-23T00:00", "04-06T00:00"), @r"
    Mon 03-23 00:00 john by layer 0
    Sat 03-28 00:00 bob by layer 1
    Mon 03-30 00:00 john by layer 0
    Sat 04-04 00:00 bob by layer 1
    ");
    let turns = rotation("01-05T00:00", Length::Days(vec![5, 2]), "john bob");
    assert_snapshot!(show(&schedule(vec![layer(turns)]), "03-23T00:00", "04-06T00:00"), @r"
    Mon 03-23 00:00 john by layer 0
    Sat 03-28 00:00 bob by layer 0
    Mon 03-30 00:00 john by layer 0
    Sat 04-04 00:00 bob by layer 0
    ");
}

/// Some share the office hours, others the rest.
#[test]
fn follow_the_office() {
    let days = within("office", layer(rotation("01-05T00:00", Length::Days(vec![1]), "john bob")));
    let schedule = schedule(vec![weekly("alice carol"), days]);
    assert_snapshot!(show(&schedule, "01-08T08:00", "01-13T12:00"), @r"
    Thu 01-08 08:00 alice by layer 0
    Thu 01-08 09:00 bob by layer 1
    Thu 01-08 17:00 alice by layer 0
    Fri 01-09 09:00 john by layer 1
    Fri 01-09 17:00 alice by layer 0
    Mon 01-12 08:00 carol by layer 0
    Mon 01-12 09:00 bob by layer 1
    Mon 01-12 17:00 carol by layer 0
    Tue 01-13 09:00 john by layer 1
    ");
}
