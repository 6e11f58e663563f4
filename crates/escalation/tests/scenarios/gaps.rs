//! Steps that page nobody: they cost no waiting, and the history says why.

use escalation::alert::{Audience, Status};
use escalation::directory::Directory;
use escalation::event::Severity;
use insta::assert_snapshot;

use crate::roster::{Roster, name};
use crate::world::World;

fn ops() -> Directory {
    Directory::default()
        .person("john", &["handset:john"])
        .person("bob", &["handset:bob"])
        .team("ops", &["john", "bob"])
}

#[test]
fn nobody_on_call_costs_no_waiting() {
    let mut world = World::new(ops().team("ops", &[]).plan(
        "ops",
        0,
        &["on_call after 10m", "all_members after 10m", "bob after 10m"],
    ));
    world.run_to("1m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1: nobody is on call: the team has no members
    +0:00 step 2: the team has no members
    +0:00 step 3 pages bob
    +0:00 page → handset:bob
    ");
}

#[test]
fn a_person_who_does_not_exist_or_has_no_contact_costs_no_waiting() {
    let mut world = World::new(ops().planless("mute", &[]).plan(
        "ops",
        0,
        &["ghost after 10m", "mute after 10m", "ghost bob after 10m"],
    ));
    world.run_to("1m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1: ghost: no such person, or no contact to try
    +0:00 step 2: mute: no such person, or no contact to try
    +0:00 step 3: ghost: no such person, or no contact to try
    +0:00 step 3 pages bob
    +0:00 page → handset:bob
    ");
}

#[test]
fn a_step_whose_people_are_all_being_paged_costs_no_waiting() {
    let mut world =
        World::new(ops().plan("ops", 0, &["john after 1m", "on_call john after 10m", "bob after 10m"]));
    world.run_to("2m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +1:00 step 2: john: everybody in this step has been paged in this round
    +1:00 step 3 pages bob
    +1:00 page → handset:bob
    ");
}

#[test]
fn nobody_next_costs_no_waiting() {
    let mut world = World::new(
        ops()
            .plan("ops", 0, &["on_call after 1m", "next_on_call after 1m", "next_on_call after 10m"])
            .last_resort("ops", &["email:last@example.org"]),
    );
    world.run_to("3m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +1:00 step 2 pages bob
    +1:00 page → handset:bob
    +2:00 step 3: nobody is next: everybody in the team was paged in this round
    +2:00 last resort pages email:last@example.org
    +2:00 page → email:last@example.org
    ");
}

#[test]
fn next_on_call_passes_over_who_cannot_be_paged() {
    let mut world = World::new(ops().team("ops", &["john", "ghost", "bob"]).plan(
        "ops",
        0,
        &["on_call after 1m", "next_on_call after 1m", "next_on_call after 1m"],
    ));
    world.run_to("3m");
    assert!(!world.paged("handset:bob").is_empty(), "{}", world.timeline());
}

#[test]
fn a_pass_that_finds_nobody_is_not_repeated() {
    let mut world = World::new(ops().plan("ops", 20, &["ghost after 10m"]).service(&["bob"], &[]));
    world.run_to("1m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1: ghost: no such person, or no contact to try
    +0:00 last resort pages bob
    +0:00 page → handset:bob
    ");
}

#[test]
fn when_nobody_at_all_can_be_paged_the_operators_hear_at_once() {
    let nobody = Directory::default().service(&["ghost"], &["email:operators@example.org"]);
    let timeline = "\
+0:00 triggered
+0:00 page: ghost: no such person, or no contact to try
+0:00 unanswered
+0:00 warning → email:operators@example.org: nobody has answered; everybody in the plan and the last resort was paged
";
    let mut no_such_team = World::new(nobody.clone());
    no_such_team.run_to("1h");
    assert_eq!(no_such_team.timeline(), timeline);
    let mut empty_team = World::new(nobody.clone().team("ops", &[]));
    empty_team.run_to("1h");
    assert_eq!(empty_team.timeline(), timeline);
    let mut empty_plan = World::new(nobody.clone().team("ops", &[]).plan("ops", 3, &[]));
    empty_plan.run_to("1h");
    assert_eq!(empty_plan.timeline(), timeline);
    let mut no_such_person = World::begin(nobody, Audience::Person(name("john")), Severity::Critical);
    no_such_person.run_to("1h");
    assert_eq!(no_such_person.state.alert.status, Status::Unanswered);
}

#[test]
fn nobody_is_paged_twice_in_a_step() {
    let mut world = World::new(ops().plan(
        "ops",
        0,
        &["on_call john all_members email:role@example.org email:role@example.org after 5m"],
    ));
    world.run_to("1m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john, bob, email:role@example.org
    +0:00 page → handset:john
    +0:00 page → handset:bob
    +0:00 page → email:role@example.org
    ");
}
