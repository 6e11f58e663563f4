//! When a step has had its time, who has to answer, and what holds a page back.

use std::sync::Arc;

use escalation::alert::{Audience, Status};
use escalation::directory::Directory;
use escalation::event::Severity;
use escalation::plan::{Condition, EscalationPlan};

use crate::roster::{Roster, duration, name};
use crate::world::{Reply, World};

fn ops() -> Directory {
    Directory::default()
        .person("john", &["handset:john wait 2m", "email:john@example.org wait 3m", "handset:john wait 5m"])
        .person("bob", &["handset:bob wait 4m"])
        .person("carol", &["handset:carol"])
        .team("ops", &["john", "bob", "carol"])
}

fn edit(mut directory: Directory, edit: impl FnOnce(&mut EscalationPlan)) -> Directory {
    edit(Arc::make_mut(directory.plans.get_mut("ops").unwrap()));
    directory
}

/// The only page of Carol is that of the next step.
#[track_caller]
fn carol_is_paged_at(world: &mut World, time: &str, shown: &str) {
    world.run_before(time);
    assert!(world.paged("handset:carol").is_empty(), "early\n{}", world.timeline());
    world.run_to(time);
    assert_eq!(world.paged("handset:carol"), [shown], "{}", world.timeline());
}

#[test]
fn the_next_step_fires_when_a_step_of_everybodys_plan_has_no_answer() {
    for (plan, time, shown) in [
        ("john after_plan_step 1", "2m", "+2:00"),
        ("john after_plan_step 2", "5m", "+5:00"),
        // Bob's plan is shorter: it counts with its last step.
        ("john bob after_plan_step 1", "4m", "+4:00"),
        ("john bob after_plan_step 2", "5m", "+5:00"),
        ("john bob after_plan", "10m", "+10:00"),
        ("bob after_plan_step 20", "4m", "+4:00"),
    ] {
        let mut world = World::new(ops().plan("ops", 0, &[plan, "carol after 1h"]));
        carol_is_paged_at(&mut world, time, shown);
    }
}

#[test]
fn a_failed_delivery_brings_the_step_forward_by_what_it_need_not_wait() {
    let directory = ops().plan("ops", 0, &["john after_plan_step 2", "carol after 1h"]);
    let mut world = World::new(directory).carrier("handset:john", &[Reply::RefusesForGood]);
    carol_is_paged_at(&mut world, "3m", "+3:00");
}

#[test]
fn a_step_that_finds_only_a_page_that_has_failed_is_over_now_and_not_before_all_time() {
    let directory = Directory::default()
        .person("john", &["handset:john every 5m"])
        .person("carol", &["handset:carol"])
        .team("ops", &["john"])
        .plan(
            "ops",
            0,
            &["all_members after 1m", "all_members email:role@example.org after_plan", "carol after 1h"],
        );
    let mut world = World::new(directory).carrier_always("handset:john", Reply::NoAnswer);
    let end = world.now + duration("1h");
    while world.tick(end) {
        let past: Vec<_> = world.state.wakes.iter().filter(|(_, at)| **at < world.now).collect();
        assert!(past.iter().all(|(_, at)| world.now.duration_since(**at) < duration("1h")), "{past:?}");
    }
    assert!(!world.paged("handset:carol").is_empty(), "{}", world.timeline());
}

#[test]
fn an_answer_before_its_time_keeps_the_next_step_from_firing() {
    let mut world = World::new(ops().plan("ops", 0, &["john after_plan", "carol after 1h"]));
    world.run_before("10m");
    world.acknowledge("john");
    world.run_to("2h");
    assert!(world.paged("handset:carol").is_empty());
}

#[test]
fn what_runs_late_is_waited_for() {
    let mut world = World::new(ops().plan("ops", 0, &["john after_plan_step 2", "carol after 1h"]));
    world.run_to("1m");
    // The second step begins at 20 minutes and has its three.
    world.outage_to("20m");
    carol_is_paged_at(&mut world, "23m", "+23:00");
}

#[test]
fn a_step_that_only_writes_to_an_address_goes_on_when_that_is_accepted() {
    let steps = ["email:role@example.org after_plan", "carol after 1h"];
    let mut world =
        World::new(ops().plan("ops", 0, &steps)).carrier("email:role@example.org", &[Reply::AcceptsAfter(8)]);
    carol_is_paged_at(&mut world, "8s", "+0:08");
}

#[test]
fn a_plan_that_holds_wakes_nobody_when_it_is_over_by_then() {
    let held = || edit(ops().plan("ops", 0, &["carol after 1h"]), |plan| plan.hold = Some(duration("2m")));
    carol_is_paged_at(&mut World::new(held()), "2m", "+2:00");
    let mut world = World::new(held());
    world.run_before("2m");
    world.resolve();
    world.run_to("2h");
    assert!(world.claims.is_empty(), "{}", world.timeline());
}

#[test]
fn a_step_is_skipped_at_no_cost_when_its_condition_is_false() {
    for (condition, severity, first) in [
        (Condition::Severity(Severity::Critical), Severity::Error, "handset:carol"),
        (Condition::Severity(Severity::Critical), Severity::Critical, "handset:bob"),
        (Condition::MoreThan { alerts: 1, within: duration("10m") }, Severity::Error, "handset:carol"),
        (Condition::MoreThan { alerts: 0, within: duration("10m") }, Severity::Error, "handset:bob"),
    ] {
        let directory = ops().plan("ops", 0, &["bob after 10m", "carol after 10m"]);
        let directory = edit(directory, |plan| plan.steps[0].only.push(condition));
        let mut world = World::begin(directory, Audience::Team(name("ops")), severity);
        world.run_to("1m");
        assert_eq!(world.paged(first), ["+0:00"], "{}", world.timeline());
    }
}

#[test]
fn with_each_everybody_answers_for_himself() {
    let mut world = World::new(ops().plan("ops", 0, &["each bob carol after 1h"]));
    world.run_to("1m");
    world.acknowledge("bob");
    assert_eq!(world.state.alert.status, Status::Acknowledged);
    let asked = |world: &World| -> Vec<String> {
        let live = world.state.pages.iter().filter(|page| page.is_live());
        live.map(|page| page.person.to_string()).collect()
    };
    assert_eq!(asked(&world), ["carol"], "Bob has it, and Carol still has to answer");
    world.acknowledge("carol");
    assert!(asked(&world).is_empty(), "{}", world.timeline());
    assert_eq!(world.state.alert.status, Status::Acknowledged);
}

#[test]
fn an_alert_goes_through_the_steps_of_a_team_that_its_plan_names() {
    let directory = ops()
        .person("dan", &["handset:dan"])
        .team("db", &["dan"])
        .plan("db", 5, &["dan after 3m", "bob after 7m"])
        .plan("ops", 0, &["team:db after 1m", "carol after 1h"]);
    let mut world = World::new(directory);
    carol_is_paged_at(&mut world, "4m", "+4:00");
    assert_eq!(world.paged("handset:dan"), ["+0:00"]);
    assert_eq!(world.paged("handset:bob"), ["+3:00"]);
}

#[test]
fn teams_that_name_each_other_come_to_an_end() {
    let directory = ops().team("db", &["bob"]).plan("db", 0, &["team:ops after 1m"]).plan(
        "ops",
        0,
        &["team:db after 1m", "carol after 1m"],
    );
    let mut world = World::new(directory);
    world.run_to("2h");
    assert_eq!(world.state.alert.status, Status::Unanswered);
}

#[test]
fn a_member_is_meant_by_his_place() {
    let mut world = World::new(ops().plan("ops", 0, &["member:3 after 1h"]));
    world.run_to("1m");
    assert_eq!(world.paged("handset:carol"), ["+0:00"]);
}

#[test]
fn not_me_of_one_whom_a_step_asks_for_himself_fires_the_next_step() {
    let mut world = World::new(ops().plan("ops", 0, &["each john bob after 1h", "carol after 1h"]));
    world.run_to("1m");
    world.not_me("bob");
    carol_is_paged_at(&mut world, "1m", "+1:00");
    let john = world.state.pages.iter().find(|page| page.person == name("john")).unwrap();
    assert!(john.is_live(), "the others are asked on");
}

#[test]
fn the_plan_does_not_wait_for_a_responder() {
    for steps in [["john after_plan_step 1", "carol after 1h"], ["john after_plan", "carol after 1h"]] {
        let directory = ops().person("dave", &["handset:dave wait 50m"]).plan("ops", 0, &steps);
        let mut world = World::new(directory);
        world.run_to("1m");
        world.add_responder("john", "dave");
        let end = if steps[0].ends_with('1') { ("2m", "+2:00") } else { ("10m", "+10:00") };
        carol_is_paged_at(&mut world, end.0, end.1);
    }
}

#[test]
fn when_all_that_a_step_sent_has_failed_a_responder_does_not_hold_up_the_next() {
    let directory =
        ops().person("dave", &["handset:dave"]).plan("ops", 0, &["bob after 1h", "carol after 1h"]);
    let mut world = World::new(directory).carrier("handset:bob", &[Reply::RefusesForGood]);
    world.add_responder("john", "dave");
    world.run_to("1s");
    assert_eq!(world.paged("handset:carol"), ["+0:00"], "{}", world.timeline());
}

#[test]
fn a_responder_whom_a_later_step_pages_too_is_one_of_that_step() {
    let directory = ops().person("dave", &["handset:dave wait 20m"]).plan(
        "ops",
        0,
        &["john after 1m", "dave bob after_plan", "carol after 1h"],
    );
    let mut world = World::new(directory);
    world.add_responder("john", "dave");
    // His plan has run since the beginning and is through after 20 minutes.
    carol_is_paged_at(&mut world, "20m", "+20:00");
    assert_eq!(world.paged("handset:dave"), ["+0:00"]);
}

#[test]
fn a_page_of_an_earlier_step_does_not_hurry_a_step_that_waits_for_an_address() {
    let steps = ["john after 1m", "email:role@example.org after_plan", "carol after 1h"];
    let directory = ops().person("john", &["handset:john wait 80s", "email:john@example.org"]);
    // John's plan goes on after 80 seconds; the address is reached five seconds later.
    let mut world = World::new(directory.plan("ops", 0, &steps))
        .carrier("email:role@example.org", &[Reply::AcceptsAfter(25)]);
    carol_is_paged_at(&mut world, "85s", "+1:25");
    assert_eq!(world.paged("email:john@example.org"), ["+1:20"]);
}
