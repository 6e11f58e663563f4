//! Who goes on being asked when somebody takes a duty over, and duties of other teams.

use std::sync::Arc;

use escalation::alert::Verdict;
use escalation::directory::Directory;
use escalation::duty::Roster as Rota;
use escalation::event::{Handover, Input};
use insta::assert_snapshot;
use rota::rotation::Length;

use crate::roster::{Roster, duration, name};
use crate::world::{START, World};

/// John is on call for ops, Carol for web.
fn ops(steps: &[&str]) -> Directory {
    Directory::default()
        .person("john", &["handset:john every 2m"])
        .person("bob", &["handset:bob every 2m"])
        .person("carol", &["handset:carol every 2m"])
        .team("ops", &["bob", "john"])
        .turns("ops", &["john"], Length::Hours(12), START)
        .team("web", &["carol", "bob"])
        .turns("web", &["carol"], Length::Hours(12), START)
        .plan("ops", 0, steps)
}

/// Bob takes it over from whoever has it, a minute after the start.
fn taken_from(who: &str, schedule: &str, directory: Directory) -> (World, Verdict) {
    let mut world = World::new(directory);
    world.run_to("1m");
    let handover = Handover {
        roster: Rota::Schedule(name(schedule)),
        role: name("primary"),
        before: vec![name(who)],
        after: vec![name("bob")],
        takeover: Some(world.actor("bob")),
    };
    let verdict = world.take(&Input::DutyChanged(handover));
    world.run_to("3m");
    (world, verdict)
}

#[test]
fn whoever_a_step_pages_for_another_reason_too_is_asked_on() {
    for (also, goes_on) in [
        ("next_on_call", false),
        ("previous_on_call", false),
        ("round_robin:bob", false),
        ("email:role@example.org", false),
        ("bob", false),
        ("member:1", false),
        ("john", true),
        ("member:2", true),
        ("all_members", true),
        ("on_call:other/primary", true),
        ("on_call:web/primary", false),
    ] {
        let mut directory = ops(&[&format!("on_call {also} after 30m")]);
        directory.schedules.insert(name("other"), Arc::clone(&directory.schedules["ops"]));
        let (world, _) = taken_from("john", "ops", directory);
        let john = world.state.pages.iter().find(|page| page.person == name("john")).unwrap();
        assert_eq!(john.is_live(), goes_on, "also {also}\n{}", world.timeline());
    }
}

#[test]
fn a_duty_that_the_last_resort_asks_of_another_team_goes_over_too() {
    let directory = ops(&["bob after 30s"]).last_resort("ops", &["team:web"]);
    let (world, verdict) = taken_from("carol", "web", directory);
    assert_eq!(verdict, Verdict::Done);
    assert_snapshot!(world.timeline_from(START + duration("30s")), @r"
    +0:30 last resort pages carol
    +0:30 page → handset:carol
    +1:00 Bob takes over: bob on call
    +1:00 notice → handset:carol: Bob took over; you are relieved
    +2:00 page → handset:bob
    ");
}

#[test]
fn whoever_is_named_by_a_team_as_last_resort_as_well_is_asked_on() {
    let directory = ops(&["bob after 30s"]).last_resort("ops", &["team:web", "team:other"]);
    let directory = directory.team("other", &["carol"]);
    let (world, _) = taken_from("carol", "web", directory);
    let carol = world.state.pages.iter().find(|page| page.person == name("carol")).unwrap();
    assert!(carol.is_live(), "{}", world.timeline());
}

#[test]
fn a_duty_of_another_role_or_schedule_is_no_matter_of_this_step() {
    let (world, verdict) = taken_from("carol", "web", ops(&["on_call after 30m"]));
    assert_eq!(verdict, Verdict::Already);
    assert!(world.paged("handset:bob").is_empty());
    let (_, verdict) = taken_from("carol", "web", ops(&["on_call:web/secondary john after 30m"]));
    assert_eq!(verdict, Verdict::Already, "another role");
}
