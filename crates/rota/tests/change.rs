//! Edits of rotations: the past stays, and the order goes on after the last holder.
#![expect(clippy::unwrap_used, reason = "what is unwrapped is written here")]

use insta::assert_snapshot;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rota::rotation::{Change, Edition, Length, People, Rotation, RotationError};
use rota::zone;

fn members(names: &str) -> Vec<People> {
    names.split_whitespace().map(|name| [name.into()].into()).collect()
}

fn berlin(reading: &str) -> Timestamp {
    zone::find("Europe/Berlin").unwrap().to_timestamp(reading.parse().unwrap()).unwrap()
}

/// Weekly in Berlin, ann's week beginning on Monday, the 5th of January 2026, at 08:00.
fn weekly(names: &str) -> Rotation {
    let edition = Edition {
        from: berlin("2026-01-05T08:00"),
        start: "2026-01-05T08:00".parse().unwrap(),
        length: Length::Days(vec![7]),
        members: members(names),
        first: 0,
    };
    Rotation::new(zone::find("Europe/Berlin").unwrap(), vec![edition]).unwrap()
}

fn change(names: &str, start: &str, length: Length) -> Change {
    Change { start: start.parse().unwrap(), length, members: members(names), from: None }
}

fn week(names: &str) -> Change {
    change(names, "2026-01-05T08:00", Length::Days(vec![7]))
}

fn from(change: Change, reading: &str) -> Change {
    Change { from: Some(berlin(reading)), ..change }
}

/// The turns from the 5th of January 2026 on, those of one person in a row as one.
fn turns(rotation: &Rotation, to: &str) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    for turn in rotation.turns(berlin("2026-01-05T00:00"), berlin(to)) {
        let person = turn.people.join("+");
        if lines.last().is_none_or(|(_, last)| *last != person) {
            let begin = rotation.zone().to_datetime(turn.from).strftime("%a %m-%d %H:%M");
            lines.push((begin.to_string(), person));
        }
    }
    lines.iter().map(|(begin, person)| format!("{begin} {person}\n")).collect()
}

/// An edit on Wednesday, the 14th, in bob's week.
fn edited(change: Change) -> Rotation {
    weekly("ann bob cid").edited(berlin("2026-01-14T12:00"), change).unwrap()
}

#[test]
fn a_new_member_comes_in_his_place() {
    assert_snapshot!(turns(&edited(week("ann bob dan cid")), "2026-02-10T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 dan
    Mon 01-26 08:00 cid
    Mon 02-02 08:00 ann
    Mon 02-09 08:00 bob
    ");
}

#[test]
fn a_member_who_is_gone_is_followed_by_those_who_followed_him() {
    assert_snapshot!(turns(&edited(week("ann cid")), "2026-02-01T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 cid
    Mon 01-26 08:00 ann
    ");
    assert_snapshot!(turns(&edited(week("dan ann")), "2026-02-01T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 ann
    Mon 01-26 08:00 dan
    ");
    assert_snapshot!(turns(&edited(week("dan eve")), "2026-02-01T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 dan
    Mon 01-26 08:00 eve
    ");
}

#[test]
fn the_order_goes_on_after_the_last_holder() {
    assert_snapshot!(turns(&edited(week("cid bob ann")), "2026-02-10T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 ann
    Mon 01-26 08:00 cid
    Mon 02-02 08:00 bob
    Mon 02-09 08:00 ann
    ");
}

/// Somebody who has two turns in a round is found at the place at which he was.
#[test]
fn a_member_may_have_two_places() {
    let rotation = weekly("ann bob ann cid");
    let edited = rotation.edited(berlin("2026-01-20T00:00"), week("ann bob ann dan")).unwrap();
    assert_snapshot!(turns(&edited, "2026-02-10T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 ann
    Mon 01-26 08:00 dan
    Mon 02-02 08:00 ann
    Mon 02-09 08:00 bob
    ");
}

#[test]
fn an_hour_later_is_an_hour_more_for_the_last_holder() {
    let later = change("ann bob cid", "2026-01-05T09:00", Length::Days(vec![7]));
    assert_snapshot!(turns(&edited(later), "2026-02-10T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 09:00 cid
    Mon 01-26 09:00 ann
    Mon 02-02 09:00 bob
    Mon 02-09 09:00 cid
    ");
}

#[test]
fn an_hour_earlier_is_an_hour_less_for_the_next() {
    let earlier = change("ann bob cid", "2026-01-05T07:00", Length::Days(vec![7]));
    assert_snapshot!(turns(&edited(earlier), "2026-02-10T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 cid
    Mon 01-26 07:00 ann
    Mon 02-02 07:00 bob
    Mon 02-09 07:00 cid
    ");
}

#[test]
fn from_weekly_to_daily_and_back() {
    let daily = edited(change("ann bob cid", "2026-01-01T08:00", Length::Days(vec![1])));
    assert_snapshot!(turns(&daily, "2026-01-24T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 cid
    Tue 01-20 08:00 ann
    Wed 01-21 08:00 bob
    Thu 01-22 08:00 cid
    Fri 01-23 08:00 ann
    ");
    // On Wednesday: when bob's day is over, more than half of the week is left.
    let early = daily.edited(berlin("2026-01-21T12:00"), week("ann bob cid")).unwrap();
    assert_snapshot!(turns(&early, "2026-02-10T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 cid
    Tue 01-20 08:00 ann
    Wed 01-21 08:00 bob
    Thu 01-22 08:00 cid
    Mon 01-26 08:00 ann
    Mon 02-02 08:00 bob
    Mon 02-09 08:00 cid
    ");
    // On Thursday: when cid's day is over, less is left.
    let late = daily.edited(berlin("2026-01-22T12:00"), week("ann bob cid")).unwrap();
    assert_snapshot!(turns(&late, "2026-02-10T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 cid
    Tue 01-20 08:00 ann
    Wed 01-21 08:00 bob
    Thu 01-22 08:00 cid
    Mon 01-26 08:00 ann
    Mon 02-02 08:00 bob
    Mon 02-09 08:00 cid
    ");
}

#[test]
fn on_the_last_day_of_the_month() {
    let monthly = edited(change("ann bob cid", "2025-12-31T08:00", Length::Months(1)));
    assert_snapshot!(turns(&monthly, "2026-05-10T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Sat 01-31 08:00 cid
    Sat 02-28 08:00 ann
    Tue 03-31 08:00 bob
    Thu 04-30 08:00 cid
    ");
}

#[test]
fn a_change_may_begin_when_the_caller_says() {
    // In the middle of bob's week: he goes on.
    assert_snapshot!(turns(&edited(from(week("ann bob dan"), "2026-01-15T00:00")), "2026-02-10T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 dan
    Mon 01-26 08:00 ann
    Mon 02-02 08:00 bob
    Mon 02-09 08:00 dan
    ");
    // He is gone: the next one at once.
    assert_snapshot!(turns(&edited(from(week("ann cid"), "2026-01-15T00:00")), "2026-02-10T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Thu 01-15 00:00 cid
    Mon 01-19 08:00 ann
    Mon 01-26 08:00 cid
    Mon 02-02 08:00 ann
    Mon 02-09 08:00 cid
    ");
    // Weeks later, after ann's turn.
    assert_snapshot!(turns(&edited(from(week("ann cid bob"), "2026-02-02T08:00")), "2026-03-01T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 cid
    Mon 01-26 08:00 ann
    Mon 02-02 08:00 cid
    Mon 02-09 08:00 bob
    Mon 02-16 08:00 ann
    Mon 02-23 08:00 cid
    ");
}

#[test]
fn another_edit_replaces_one_that_has_not_begun() {
    let first = edited(week("dan eve"));
    let second = first.edited(berlin("2026-01-15T00:00"), week("ann bob cid")).unwrap();
    assert_eq!(second.editions().len(), 2);
    assert_snapshot!(turns(&second, "2026-02-10T00:00"), @r"
    Mon 01-05 08:00 ann
    Mon 01-12 08:00 bob
    Mon 01-19 08:00 cid
    Mon 01-26 08:00 ann
    Mon 02-02 08:00 bob
    Mon 02-09 08:00 cid
    ");
}

#[test]
fn before_it_begins_a_rotation_is_what_the_last_edit_says() {
    let rotation = weekly("ann bob").edited(berlin("2026-01-01T00:00"), week("cid dan")).unwrap();
    assert_eq!(rotation.editions().len(), 1);
    assert_snapshot!(turns(&rotation, "2026-01-14T00:00"), @r"
    Mon 01-05 08:00 cid
    Mon 01-12 08:00 dan
    ");
}

#[test]
fn the_past_cannot_be_edited() {
    let (now, past) = (berlin("2026-01-14T12:00"), berlin("2026-01-14T11:59"));
    let change = from(week("ann"), "2026-01-14T11:59");
    let error = weekly("ann bob").edited(now, change).unwrap_err();
    assert_eq!(error, RotationError::ChangesThePast { from: past, now });
    assert_snapshot!(error, @"the change would begin at 2026-01-14T10:59:00Z, which is past; write a time after 2026-01-14T11:00:00Z, or none for the next handoff");
    assert_snapshot!(weekly("ann bob").edited(now, week("")).unwrap_err(), @"nobody takes turns; name at least one member");
}

/// A change, and so many seconds after `now` it is to begin, if that is said.
type Asked = (Change, Option<i64>);

fn any_change() -> impl Strategy<Value = Asked> {
    let length = prop_oneof![
        (1u16..100).prop_map(Length::Hours),
        prop::collection::vec(1u16..10, 1..4).prop_map(Length::Days),
        (1u16..4).prop_map(Length::Months),
    ];
    let members = prop::sample::subsequence(vec!["ann", "bob", "cid", "dan", "eve"], 1..5).prop_shuffle();
    let wait = prop::option::of(0i64..20 * 86_400);
    (length, members, -1_000i64..1_000, wait).prop_map(|(length, names, hours, wait)| {
        let start = jiff::civil::date(2026, 3, 1).at(0, 30, 0, 0);
        let start = start.checked_add(SignedDuration::from_hours(hours)).unwrap();
        (Change { start, length, members: members_of(&names), from: None }, wait)
    })
}

fn members_of(names: &[&str]) -> Vec<People> {
    members(&names.join(" "))
}

/// Edits, one after the other: what was before each stays, turns go on without a hole, and whoever was on duty
/// is followed by himself or by whom the new order puts after him.
#[test]
fn edits_do_not_touch_the_past() {
    let strategy = (
        prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
        any_change(),
        prop::collection::vec((any_change(), 0i64..30 * 86_400), 1..6),
    );
    let run = |(zone, (first, _), edits): (&str, Asked, Vec<(Asked, i64)>)| {
        let begin: Timestamp = "2026-02-20T00:00:00Z".parse().unwrap();
        let Change { start, length, members, .. } = first;
        let edition = Edition { from: begin, start, length, members, first: 0 };
        let zone: TimeZone = zone::find(zone).unwrap();
        let mut rotation = Rotation::new(zone, vec![edition]).unwrap();
        let mut now = begin;
        for ((mut change, wait), later) in edits {
            now += SignedDuration::from_secs(later);
            change.from = wait.map(|wait| now + SignedDuration::from_secs(wait));
            let order = change.members.clone();
            let edited = rotation.edited(now, change.clone()).unwrap();
            let pending = rotation.editions().iter().position(|edition| edition.from > now);
            let kept = pending.unwrap_or(rotation.editions().len());
            let from = edited.editions().last().unwrap().from;
            prop_assert!(from >= now);
            prop_assert_eq!(change.from.unwrap_or(from), from);
            // As it was, without what had not begun.
            let old = Rotation::new(rotation.zone().clone(), rotation.editions()[..kept].to_vec()).unwrap();
            let before = from - SignedDuration::from_nanos(1);
            let mut at = begin;
            while at < before {
                let (was, is) = (old.turn(at).unwrap(), edited.turn(at).unwrap());
                prop_assert_eq!((was.people, was.from), (is.people, is.from));
                prop_assert_eq!(was.until.min(from), is.until);
                at = is.until;
            }
            if from > begin {
                let (last, next) = (old.turn(before).unwrap(), edited.turn(from).unwrap());
                let place = order.iter().position(|member| member == last.people);
                let follower = place.map(|place| &order[(place + 1) % order.len()]);
                prop_assert!(
                    follower.is_none_or(|follower| next.people == follower || next.people == last.people)
                );
                prop_assert!(place.is_some() || next.people != last.people);
            }
            let end = from + SignedDuration::from_hours(60 * 24);
            let turns: Vec<_> = edited.turns(begin, end).collect();
            prop_assert!(turns.windows(2).all(|pair| pair[0].until == pair[1].from));
            rotation = edited;
        }
        Ok(())
    };
    let config = Config { cases: 1_000, failure_persistence: None, ..Config::default() };
    TestRunner::new(config).run(&strategy, run).unwrap();
}
