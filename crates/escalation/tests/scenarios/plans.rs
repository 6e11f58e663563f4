//! Plans: the defaults, the urgencies, who is next, everybody at once.

use escalation::alert::{Audience, Status};
use escalation::directory::Directory;
use escalation::effect::EntryKind;
use escalation::event::Severity;
use insta::assert_snapshot;

use crate::roster::{Roster, duration, name};
use crate::world::{START, World};

fn ops() -> Directory {
    Directory::default()
        .person("john", &["handset:john"])
        .person("bob", &["handset:bob"])
        .person("carol", &["handset:carol"])
        .team("ops", &["john", "bob", "carol"])
}

#[test]
fn a_team_without_a_plan_pages_its_members_in_order_ten_minutes_each_in_two_rounds() {
    let mut world = World::new(ops());
    world.run_to("2h");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +10:00 step 2 pages bob
    +10:00 page → handset:bob
    +20:00 step 3 pages carol
    +20:00 page → handset:carol
    +30:00 round 2: nobody has answered yet
    +30:00 step 1 pages john
    +30:00 page → handset:john
    +40:00 step 2 pages bob
    +40:00 page → handset:bob
    +50:00 step 3 pages carol
    +50:00 page → handset:carol
    +1:00:00 page: no last resort is set, for the team or for the service
    +1:00:00 unanswered
    ");
}

#[test]
fn a_person_alone_has_the_last_resort_of_the_service() {
    let directory = ops().service(&["carol"], &[]);
    let mut world = World::begin(directory, Audience::Person(name("bob")), Severity::Error);
    world.run_to("2h");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages bob
    +0:00 page → handset:bob
    +10:00 round 2: nobody has answered yet
    +10:00 step 1 pages bob
    +10:00 page → handset:bob
    +20:00 last resort pages carol
    +20:00 page → handset:carol
    +35:00 unanswered
    ");
}

#[test]
fn a_person_without_a_plan_has_every_contact_five_minutes_each() {
    let mut world = World::new(
        ops()
            .planless(
                "john",
                &["handset:john", "email:john@example.org", "webhook:https://john.example.org/"],
            )
            .plan("ops", 0, &["john after 1h"]),
    );
    world.run_to("59m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +5:00 page → email:john@example.org
    +10:00 page → webhook:https://john.example.org/
    ");
}

#[test]
fn a_step_repeats_within_its_wait_and_the_last_one_until_answered() {
    let mut world = World::new(
        ops()
            .person("john", &["handset:john wait 1m every 25s", "email:john@example.org wait 2m every 3m"])
            .plan("ops", 0, &["john after 10m"]),
    );
    world.run_to("8m");
    assert_eq!(world.paged("handset:john"), ["+0:00", "+0:25", "+0:50"]);
    assert_eq!(world.paged("email:john@example.org"), ["+1:00", "+4:00", "+7:00"]);
}

#[test]
fn the_last_step_repeats_at_least_a_minute_apart_whatever_was_stored() {
    let mut world =
        World::new(ops().person("john", &["handset:john every 1s"]).plan("ops", 0, &["john after 10m"]));
    world.run_to("3m");
    assert_eq!(world.paged("handset:john"), ["+0:00", "+1:00", "+2:00", "+3:00"]);
}

#[test]
fn low_urgency_runs_the_low_plan_and_without_one_the_high() {
    let directory = ops().low("john", &["email:john@example.org"]).plan("ops", 0, &["john bob after 10m"]);
    for severity in Severity::ALL {
        let mut world = World::begin(directory.clone(), Audience::Team(name("ops")), severity);
        world.run_to("1m");
        let is_low = matches!(severity, Severity::Warning | Severity::Info);
        assert_eq!(world.paged("email:john@example.org").is_empty(), !is_low, "{severity:?}");
        assert_eq!(world.paged("handset:john").is_empty(), is_low, "{severity:?}");
        assert_eq!(world.paged("handset:bob"), ["+0:00"], "bob has no low plan");
    }
}

#[test]
fn a_severity_that_becomes_urgent_pages_anew_by_the_high_plan() {
    let directory = ops().low("john", &["email:john@example.org every 10m"]).plan(
        "ops",
        0,
        &["john after 5m", "bob after 5m"],
    );
    let mut world = World::begin(directory, Audience::Team(name("ops")), Severity::Info);
    world.run_to("1m");
    world.trigger(Severity::Warning);
    world.run_to("2m");
    world.trigger(Severity::Critical);
    world.run_to("7m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → email:john@example.org
    +1:00 triggered again
    +2:00 triggered again
    +2:00 round 2: it became urgent
    +2:00 step 1 pages john
    +2:00 page → handset:john
    +7:00 step 2 pages bob
    +7:00 page → handset:bob
    ");
    world.trigger(Severity::Info);
    assert_eq!(world.state.alert.severity, Severity::Critical, "the gravest counts");
}

#[test]
fn more_of_the_same_urgency_is_counted_and_pages_nobody() {
    let mut world = World::new(ops());
    world.run_to("1m");
    world.trigger(Severity::Critical);
    world.acknowledge("bob");
    for _ in 0..100 {
        world.trigger(Severity::Critical);
    }
    world.run_to("2h");
    assert_eq!(world.state.alert.triggers, 102);
    assert_eq!(world.count(EntryKind::Step), 1);
    assert_eq!(world.state.alert.status, Status::Acknowledged);
}

#[test]
fn what_was_acknowledged_as_low_and_becomes_urgent_is_paged_anew() {
    let mut world = World::begin(ops(), Audience::Team(name("ops")), Severity::Warning);
    world.run_to("1m");
    world.acknowledge("john");
    world.run_to("5m");
    world.trigger(Severity::Critical);
    world.run_to("5m");
    assert_snapshot!(world.timeline_from(START + duration("5m")), @r"
    +5:00 triggered again
    +5:00 round 2: it became urgent
    +5:00 step 1 pages john
    +5:00 page → handset:john
    ");
}

#[test]
fn all_members_are_paged_at_once_the_first_included() {
    let mut world = World::new(ops().plan("ops", 0, &["all_members after 5m"]));
    world.run_to("1m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john, bob, carol
    +0:00 page → handset:john
    +0:00 page → handset:bob
    +0:00 page → handset:carol
    ");
}

#[test]
fn next_on_call_is_the_nearest_who_was_not_paged_in_this_round() {
    let steps = ["bob after 1m", "next_on_call after 1m", "on_call next_on_call after 1m"];
    let mut world = World::new(ops().plan("ops", 1, &steps));
    world.run_to("4m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages bob
    +0:00 page → handset:bob
    +1:00 step 2 pages carol
    +1:00 page → handset:carol
    +2:00 step 3: nobody is next: everybody in the team was paged in this round
    +2:00 step 3 pages john
    +2:00 page → handset:john
    +3:00 round 2: nobody has answered yet
    +3:00 step 1 pages bob
    +3:00 page → handset:bob
    +4:00 step 2 pages carol
    +4:00 page → handset:carol
    ");
}

#[test]
fn two_next_on_calls_in_one_step_are_two_people() {
    let mut world = World::new(ops().plan("ops", 0, &["on_call next_on_call next_on_call after 1m"]));
    world.run_to("30s");
    assert_eq!(world.state.pages.len(), 3, "{}", world.timeline());
}

#[test]
fn a_later_step_joins_a_page_that_runs_and_starts_again_one_that_is_through() {
    let mut world =
        World::new(ops().person("john", &["handset:john wait 2m", "email:john@example.org wait 2m"]).plan(
            "ops",
            0,
            &["john after 3m", "john bob after 3m", "john carol after 3m"],
        ));
    world.run_to("8m59s");
    assert_eq!(world.paged("handset:john"), ["+0:00", "+6:00"], "{}", world.timeline());
    assert_eq!(world.paged("email:john@example.org"), ["+2:00", "+8:00"]);
    assert_eq!(world.state.pages.iter().filter(|page| page.is_live()).count(), 3);
}

#[test]
fn there_are_as_many_further_rounds_as_the_plan_says() {
    for repeat in [0, 1, 2, 20] {
        let mut world =
            World::new(ops().plan("ops", repeat, &["john after 1m"]).last_resort("ops", &["bob"]));
        world.run_to("7d");
        assert_eq!(world.count(EntryKind::Step), usize::from(repeat) + 1);
        assert_eq!(world.count(EntryKind::LastResort), 1);
    }
}
