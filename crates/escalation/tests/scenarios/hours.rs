//! Hours: in notification plans, on steps of escalation plans, and in what a severity means.
//!
//! Every world begins at 15:06:40 UTC, so that 16:00 is 53 minutes and 20 seconds later.

use std::sync::Arc;

use escalation::alert::{Audience, Status};
use escalation::directory::Directory;
use escalation::effect::EntryKind;
use escalation::event::{Severity, Urgency};
use escalation::page::Asks;
use escalation::plan::Condition;
use escalation::team::UrgencyRule;
use insta::assert_snapshot;

use crate::roster::{Roster, duration, hours, name};
use crate::world::{START, World};

fn ops() -> Directory {
    Directory::default()
        .daily("day", 16, 17)
        .daily("evening", 17, 18)
        .person("john", &["handset:john"])
        .person("bob", &["handset:bob"])
        .person("carol", &["handset:carol"])
        .low("john", &["email:john@example.org wait 5m during day"])
        .team("ops", &["john", "bob", "carol"])
        .plan("ops", 0, &["john after 10m", "carol after 10m"])
}

fn low(directory: Directory) -> World {
    World::begin(directory, Audience::Team(name("ops")), Severity::Warning)
}

#[test]
fn what_may_wait_waits_for_the_hours_of_the_plan_and_the_escalation_with_it() {
    let mut world = low(ops());
    world.run_to("70m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 john waits until +53:20
    +0:00 step 1 pages john
    +53:20 page → email:john@example.org
    +1:03:20 step 2 pages carol
    +1:03:20 page → handset:carol
    ");
}

#[test]
fn an_answer_while_a_page_waits_for_its_hours_ends_it() {
    let mut world = low(ops());
    world.run_to("10m");
    world.acknowledge("bob");
    world.run_to("3h");
    assert!(world.paged("email:john@example.org").is_empty(), "{}", world.timeline());
    assert!(world.noticed().is_empty(), "nobody was reached");
}

#[test]
fn what_wakes_people_never_waits_and_runs_every_step_where_none_counts_now() {
    let directory =
        ops().person("john", &["email:john@example.org wait 1m during day", "handset:john during day"]);
    let mut world = World::new(directory);
    world.run_to("2m");
    assert_eq!(world.count(EntryKind::Deferred), 0);
    assert_eq!(world.paged("email:john@example.org"), ["+0:00"]);
    assert_eq!(world.paged("handset:john"), ["+1:00"]);
}

#[test]
fn only_the_steps_whose_hours_count_when_the_page_begins_are_run() {
    let steps = ["handset:john wait 1m during day", "email:john@example.org during evening"];
    // 16:06 in London, 17:06 in Berlin, 15:06 in a zone that nobody knows, which counts as always.
    for (zone, by_day, by_evening) in [
        ("Europe/London", vec!["+0:00"], vec![]),
        ("Europe/Berlin", vec![], vec!["+0:00"]),
        ("Nowhere/Atall", vec!["+0:00"], vec!["+1:00"]),
    ] {
        let mut world = World::new(ops().person("john", &steps).living_in("john", zone));
        world.run_to("5m");
        assert_eq!(world.paged("handset:john"), by_day, "{zone}");
        assert_eq!(world.paged("email:john@example.org"), by_evening, "{zone}");
    }
    let steps = ["handset:john wait 1m during day@Europe/London", "email:john@example.org during evening"];
    let mut world = World::new(ops().person("john", &steps).living_in("john", "Asia/Tokyo"));
    world.run_to("5m");
    assert_eq!(world.paged("handset:john"), ["+0:00"], "a zone that is written goes before his own");
}

#[test]
fn hours_that_are_gone_count_as_always() {
    let mut world = low(ops().low("john", &["email:john@example.org during gone"]));
    world.run_to("1m");
    assert_eq!(world.paged("email:john@example.org"), ["+0:00"]);
}

#[test]
fn somebody_whose_page_runs_already_starts_the_clock_and_a_late_comer_does_not_move_it() {
    let mut world = low(ops().plan("ops", 0, &["john bob after 1h", "carol after 10m"]));
    world.run_to("2h");
    assert_eq!(world.paged("handset:bob"), ["+0:00"]);
    assert_eq!(world.paged("email:john@example.org"), ["+53:20"]);
    assert_eq!(world.paged("handset:carol"), ["+1:00:00"]);
}

#[test]
fn of_two_who_wait_the_first_whose_hours_begin_starts_the_clock() {
    let directory = ops().low("bob", &["email:bob@example.org during evening"]).plan(
        "ops",
        0,
        &["john bob after 90m", "carol after 2h"],
    );
    let mut world = low(directory);
    world.run_to("53m");
    // Nothing runs when John's hours begin: his time counts from when he is paged.
    world.outage_to("56m");
    world.run_to("4h");
    assert_eq!(world.paged("email:john@example.org"), ["+56:00"]);
    assert_eq!(world.paged("email:bob@example.org"), ["+1:53:20"]);
    assert_eq!(world.paged("handset:carol"), ["+2:26:00"]);
}

#[test]
fn plans_that_are_waited_for_end_as_long_after_their_hours_begin_as_they_last() {
    let mut world = low(ops().plan("ops", 0, &["john after_plan", "carol after 10m"]));
    world.run_to("2h");
    assert_eq!(world.paged("handset:carol"), ["+58:20"]);
}

#[test]
fn a_page_whose_step_is_not_the_newest_any_more_moves_no_clock() {
    let mut world = low(ops().plan("ops", 0, &["john after 10m", "carol after 1h", "bob after 10m"]));
    world.run_to("10m");
    world.escalate("bob", None);
    world.run_to("2h");
    assert_eq!(world.paged("handset:carol"), ["+10:00"]);
    assert_eq!(world.paged("email:john@example.org"), ["+53:20"], "his page goes on");
    assert_eq!(world.paged("handset:bob"), ["+1:10:00"]);
}

#[test]
fn somebody_deleted_while_his_page_waits_holds_up_nobody() {
    let mut world = low(ops());
    world.run_to("10m");
    world.directory.people.remove("john");
    world.run_to("54m");
    assert_eq!(world.paged("handset:carol"), ["+53:20"], "{}", world.timeline());
}

#[test]
fn a_page_that_has_begun_goes_on_though_its_hours_are_edited_away() {
    let mut world =
        low(ops().low("john", &["email:john@example.org wait 2m during day", "handset:john during day"]));
    world.run_to("54m");
    world.directory = std::mem::take(&mut world.directory).daily("day", 3, 4);
    world.run_to("1h");
    assert_eq!(world.paged("handset:john"), ["+55:20"], "{}", world.timeline());
}

#[test]
fn whoever_finds_the_hours_over_when_he_looks_waits_for_the_next_and_so_does_the_escalation() {
    let mut world = low(ops());
    world.run_to("30m");
    // 17:30: nothing ran all through the hours.
    world.outage_to("143m20s");
    world.run_to("25h5m");
    assert_snapshot!(world.timeline_from(START + duration("30m")), @r"
    +2:23:20 john waits until +24:53:20
    +24:53:20 page → email:john@example.org
    +25:03:20 step 2 pages carol
    +25:03:20 page → handset:carol
    ");
}

#[test]
fn a_step_with_a_zone_is_skipped_outside_its_hours_at_no_cost() {
    let plan = || ops().plan("ops", 0, &["john after 10m", "carol after 10m"]);
    let mut world = World::new(plan().only("ops", 1, Condition::During(hours("day@UTC"))));
    world.run_to("1m");
    assert_snapshot!(world.timeline(), @r#"
    +0:00 triggered
    +0:00 step 1 skipped: not during "day"
    +0:00 step 2 pages carol
    +0:00 page → handset:carol
    "#);
    let mut world = World::new(plan().only("ops", 1, Condition::During(hours("day@Europe/London"))));
    world.run_to("1m");
    assert_eq!(world.paged("handset:john"), ["+0:00"]);
}

#[test]
fn a_step_without_a_zone_leaves_out_those_outside_its_hours_by_their_own_clocks() {
    let directory = || {
        ops()
            .living_in("bob", "Europe/London")
            .plan("ops", 0, &["john bob after 10m", "carol after 10m"])
            .only("ops", 1, Condition::During(hours("day")))
    };
    let mut world = World::new(directory());
    world.run_to("1m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 leaves out john: outside the hours of this step, by their own clocks
    +0:00 step 1 pages bob
    +0:00 page → handset:bob
    ");
    let mut world = World::new(directory().living_in("bob", "Asia/Tokyo"));
    world.run_to("1m");
    assert_eq!(world.paged("handset:carol"), ["+0:00"], "with nobody left it is an empty step");
}

#[test]
fn a_team_says_by_hours_what_a_severity_means() {
    let mut directory = ops();
    let rule = |during: Option<&str>, urgency| UrgencyRule {
        during: during.map(hours),
        severity: Severity::Warning,
        urgency,
    };
    Arc::make_mut(directory.teams.get_mut("ops").unwrap()).urgency =
        vec![rule(Some("day@UTC"), Urgency::High), rule(None, Urgency::Low)];
    let team = Audience::Team(name("ops"));
    let at = |time: &str| directory.urgency(&team, Severity::Warning, START + duration(time));
    assert_eq!([at("53m"), at("54m"), at("2h")], [Urgency::Low, Urgency::High, Urgency::Low]);
    let nobody = Audience::Team(name("nobody"));
    assert_eq!(directory.urgency(&nobody, Severity::Warning, START), Urgency::Low, "as nothing is said");
    let mut world = low(directory);
    world.run_to("54m");
    world.acknowledge("bob");
    world.unacknowledge("bob");
    world.run_to("54m");
    assert_eq!((world.state.alert.status, world.paged("handset:john").len()), (Status::Triggered, 1));
}

#[test]
fn a_responder_who_waits_for_his_hours_delays_no_step() {
    let mut world = low(ops().plan("ops", 0, &["bob after 1h", "carol after 1h"]));
    world.run_to("1m");
    world.add_responder("bob", "john");
    assert_eq!(world.state.pages[1].asks, Asks::Besides);
    world.run_to("2h");
    assert_eq!(world.paged("email:john@example.org"), ["+53:20"]);
    assert_eq!(world.paged("handset:carol"), ["+1:00:00"]);
}

#[test]
fn a_last_resort_that_waits_for_its_hours_has_its_time_from_then_on() {
    let mut world = low(ops().plan("ops", 0, &["bob after 1m"]).last_resort("ops", &["john"]));
    world.run_to("68m");
    assert_eq!(world.state.alert.status, Status::Triggered, "{}", world.timeline());
    world.run_to("69m");
    assert_eq!(world.state.alert.status, Status::Unanswered, "{}", world.timeline());
    // 53:20 + 15:00; and from the moment at which somebody looks, where that is later.
    let mut world = low(ops().plan("ops", 0, &["bob after 1m"]).last_resort("ops", &["john"]));
    world.run_to("30m");
    world.outage_to("1h");
    world.run_before("75m");
    assert_eq!(world.state.alert.status, Status::Triggered, "{}", world.timeline());
    world.run_to("75m");
    assert_eq!(world.state.alert.status, Status::Unanswered, "{}", world.timeline());
}
