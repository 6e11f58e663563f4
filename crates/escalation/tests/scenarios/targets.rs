//! Whom a target stands for: predecessors, members in turn, teams, those on leave, those who only watch.

use std::collections::BTreeMap;

use escalation::alert::Audience;
use escalation::delivery::Purpose;
use escalation::directory::Directory;
use escalation::event::Severity;
use insta::assert_snapshot;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rota::period::Interval;
use rota::rotation::Length;
use rota::schedule::{Layer, Leave, Role, Schedule, Who};

use crate::roster::{Roster, duration, name};
use crate::world::{START, World};

fn ops() -> Directory {
    Directory::default()
        .person("john", &["handset:john"])
        .person("bob", &["handset:bob"])
        .person("carol", &["handset:carol"])
        .team("ops", &["john", "bob", "carol"])
}

/// Days of duty: Bob yesterday, John today, Carol tomorrow.
fn in_turns() -> Directory {
    let first = START - duration("25h");
    ops().turns("ops", &["bob", "john", "carol"], Length::Days(vec![1]), first)
}

#[test]
fn previous_on_call_is_the_nearest_before_who_was_not_paged_in_this_round() {
    let steps = [
        "on_call after 1m",
        "previous_on_call after 1m",
        "previous_on_call after 1m",
        "previous_on_call after 1m",
    ];
    let mut world = World::new(in_turns().plan("ops", 0, &steps));
    world.run_to("2m30s");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +1:00 step 2 pages bob
    +1:00 page → handset:bob
    +2:00 step 3 pages carol
    +2:00 page → handset:carol
    ");
    world.run_to("3m");
    assert!(world.timeline().contains("step 4: nobody was on call before who was not paged in this round"));
}

#[test]
fn without_a_schedule_the_one_before_is_the_member_before() {
    let mut world = World::new(ops().plan("ops", 0, &["on_call previous_on_call after 1m"]));
    world.run_to("1s");
    assert_eq!((world.paged("handset:john").len(), world.paged("handset:carol").len()), (1, 1));
    assert!(world.paged("handset:bob").is_empty());
}

#[test]
fn a_next_one_who_can_not_be_reached_is_named_and_the_one_after_is_paged() {
    let mut world = World::new(in_turns().planless("carol", &[]).plan("ops", 0, &["next_on_call after 1m"]));
    world.run_to("1s");
    assert_eq!(world.paged("handset:bob"), ["+0:00"], "{}", world.timeline());
    assert!(world.timeline().contains("step 1: carol: no such person, or no contact to try"));
}

#[test]
fn round_robin_begins_with_another_member_for_each_alert_and_each_step_takes_the_one_after() {
    let steps =
        ["round_robin after 1m", "round_robin after 1m", "round_robin after 1m", "round_robin after 1m"];
    for (number, order) in
        [(3, ["john", "bob", "carol"]), (4, ["bob", "carol", "john"]), (5, ["carol", "john", "bob"])]
    {
        let mut world = World::new(ops().plan("ops", 0, &steps));
        world.state.alert.number = number;
        world.run_to("3m");
        for (minute, who) in order.iter().enumerate() {
            assert_eq!(world.paged(&format!("handset:{who}")), [format!("+{minute}:00")], "number {number}");
        }
        assert!(world.timeline().contains("step 4: no member is left who was not paged in this round"));
    }
}

#[test]
fn round_robin_of_some_leaves_out_the_others_and_those_on_leave() {
    let directory = ops().plan("ops", 0, &["round_robin:bob,carol after 1m"]);
    let mut world = World::new(directory.clone());
    world.state.alert.number = 2;
    world.run_to("1s");
    assert_eq!(world.paged("handset:bob"), ["+0:00"]);
    let mut world = World::new(directory.away("bob", START, "1d"));
    world.state.alert.number = 2;
    world.run_to("1s");
    assert_eq!(world.paged("handset:carol"), ["+0:00"]);
}

#[test]
fn round_robin_in_a_team_without_members_is_an_empty_step() {
    let mut world =
        World::new(ops().team("ops", &[]).plan("ops", 0, &["round_robin after 1m", "bob after 1m"]));
    world.run_to("1s");
    assert_eq!(world.paged("handset:bob"), ["+0:00"]);
}

#[test]
fn a_member_that_is_not_there_is_told_and_costs_no_waiting() {
    let mut world = World::new(ops().plan("ops", 0, &["member:4 after 1m", "member:3 after 1m"]));
    world.run_to("1s");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1: the team has not so many members
    +0:00 step 2 pages carol
    +0:00 page → handset:carol
    ");
}

#[test]
fn whoever_is_named_and_on_leave_is_paged_and_whoever_is_on_call_as_well() {
    for step in ["carol after 1m", "member:3 after 1m"] {
        let mut world = World::new(in_turns().plan("ops", 0, &[step]).away("carol", START, "1d"));
        world.run_to("1s");
        let told =
            "step 1: carol: on leave; whoever is on call is paged as well\n+0:00 step 1 pages carol, john";
        assert!(world.timeline().contains(told), "{}", world.timeline());
        assert_eq!((world.paged("handset:carol").len(), world.paged("handset:john").len()), (1, 1));
    }
}

#[test]
fn for_somebody_alone_who_is_on_leave_those_on_call_for_the_teams_of_that_person_stand_in() {
    let directory = in_turns()
        .person("dave", &["handset:dave"])
        .team("web", &["dave", "carol"])
        .team("elsewhere", &["bob"])
        .away("carol", START, "1d");
    let mut world = World::begin(directory, Audience::Person(name("carol")), Severity::Error);
    world.run_to("1s");
    let paged: Vec<_> = world.state.pages.iter().map(|page| page.person.as_str()).collect();
    assert_eq!(paged, ["carol", "john", "dave"]);
}

#[test]
fn a_team_as_last_resort_is_whoever_is_on_call_for_it() {
    let directory = ops()
        .team("web", &["carol", "bob"])
        .plan("ops", 0, &["john after 1m"])
        .last_resort("ops", &["team:web"]);
    let mut world = World::new(directory);
    world.run_to("2m");
    assert_eq!(world.paged("handset:carol"), ["+1:00"]);
    assert!(world.paged("handset:bob").is_empty());
}

#[test]
fn whoever_a_step_names_twice_is_paged_once() {
    let mut world = World::new(ops().plan(
        "ops",
        0,
        &["john on_call email:role@example.org email:role@example.org after 1m"],
    ));
    world.run_to("30s");
    assert_eq!(world.claimed(Purpose::Page).count(), 2, "{}", world.timeline());
}

fn layer(who: &str, shadow: bool) -> Layer {
    let people = std::iter::once(who.into()).collect();
    Layer { name: who.into(), who: Who::People(people), ahead: 0, within: None, shadow }
}

fn role(name: &str, layers: Vec<Layer>) -> Role {
    Role { name: name.into(), layers }
}

#[test]
fn shadows_are_told_quietly_who_is_paged_and_owe_no_answer() {
    let mut directory = ops()
        .planless("dave", &["phone:+4930123456", "email:dave@example.org"])
        .planless("erin", &["phone:+4930123457"])
        .plan("ops", 0, &["on_call bob after 1m", "carol after 10m"]);
    let shadows = ["dave", "erin", "bob"].map(|who| layer(who, true));
    let layers = [vec![layer("john", false)], shadows.into()].concat();
    let schedule = Schedule::new(TimeZone::UTC, vec![role("primary", layers)]);
    directory = directory.turns("ops", &["john"], Length::Hours(1), START).edit("ops", |_| schedule);
    let mut world = World::new(directory);
    world.run_to("1m30s");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john, bob
    +0:00 page → handset:john
    +0:00 page → handset:bob
    +0:00 notice → email:dave@example.org: You are shadowing: John, Bob is paged.
    +1:00 step 2 pages carol
    +1:00 page → handset:carol
    ");
}

#[test]
fn another_schedule_and_another_role_are_asked_where_a_step_names_them() {
    let mut directory = ops().plan(
        "ops",
        0,
        &["on_call:other/secondary after 1m", "on_call:gone/primary after 1m", "john after 1m"],
    );
    let roles =
        vec![role("primary", vec![layer("bob", false)]), role("secondary", vec![layer("carol", false)])];
    let schedule = Schedule::new(TimeZone::UTC, roles);
    directory.schedules.insert(name("other"), schedule.into());
    let mut world = World::new(directory);
    world.run_to("1m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages carol
    +0:00 page → handset:carol
    +1:00 step 2: nobody is on call: the schedule has a gap
    +1:00 step 3 pages john
    +1:00 page → handset:john
    ");
}

#[test]
fn whoever_is_on_leave_is_not_next() {
    let away = Leave::new([Interval { start: Timestamp::MIN, end: Timestamp::MAX }]);
    let mut directory = ops().plan("ops", 0, &["on_call next_on_call after 1m"]);
    directory.leave = BTreeMap::from([("bob".into(), away)]);
    let mut world = World::new(directory);
    world.run_to("1s");
    assert_eq!(world.paged("handset:carol"), ["+0:00"]);
    assert!(world.paged("handset:bob").is_empty());
}
