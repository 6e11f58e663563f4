//! Duty changes hands while an alert is open.

use escalation::alert::{Status, Verdict};
use escalation::directory::Directory;
use escalation::effect::EntryKind;
use escalation::page::EndedWhy;
use insta::assert_snapshot;
use jiff::SignedDuration;
use rota::period::Interval;
use rota::rotation::Length;
use rota::schedule::{Leave, Override, Schedule};

use crate::roster::{Roster, duration};
use crate::world::{START, World};

/// John is on call, and Bob from `handoff` on.
fn ops(handoff: SignedDuration, steps: &[&str]) -> Directory {
    Directory::default()
        .person("john", &["handset:john every 2m"])
        .person("bob", &["handset:bob every 2m"])
        .person("carol", &["handset:carol every 2m"])
        .team("ops", &["john", "bob"])
        .plan("ops", 0, steps)
        .turns("ops", &["bob", "john"], Length::Hours(12), START + handoff)
}

fn take_over(who: &str) -> impl FnOnce(Schedule) -> Schedule {
    let lies = Override {
        id: "takeover".into(),
        role: "primary".into(),
        from: START,
        until: None,
        instead_of: None,
        person: who.into(),
    };
    move |schedule| schedule.with_overrides(vec![lies])
}

#[test]
fn an_alert_a_second_before_the_handoff_pages_the_old_holder_and_then_the_new_one() {
    let mut world = World::new(ops(duration("1s"), &["on_call after 10m"]));
    world.run_before("1s");
    world.hand_over(&["john"], &["bob"], None);
    world.run_to("3m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +0:01 on call now: bob
    +0:01 page → handset:bob
    +2:00 page → handset:john
    +2:01 page → handset:bob
    ");
}

#[test]
fn an_alert_a_second_after_the_handoff_pages_the_new_holder_only() {
    let mut world = World::new(ops(-duration("1s"), &["on_call after 10m"]));
    world.run_to("3m");
    assert_eq!(world.paged("handset:bob"), ["+0:00", "+2:00"]);
    assert!(world.paged("handset:john").is_empty());
}

#[test]
fn an_escalation_that_spans_a_handoff_asks_again_at_each_step() {
    let plan = ["on_call after 5m", "carol after 5m", "on_call after 5m"];
    let mut world = World::new(ops(duration("10m"), &plan));
    world.run_before("10m");
    // Nobody has looked at the duty yet: the step that is due asks by itself.
    world.run_to("11m");
    assert_snapshot!(world.timeline_from(START + duration("5m")), @r"
    +5:00 step 2 pages carol
    +5:00 page → handset:carol
    +6:00 page → handset:john
    +7:00 page → handset:carol
    +8:00 page → handset:john
    +9:00 page → handset:carol
    +10:00 step 3 pages bob
    +10:00 page → handset:bob
    +10:00 page → handset:john
    +11:00 page → handset:carol
    ");
    world.hand_over(&["john"], &["bob"], None);
    world.run_before("12m");
    assert_eq!(world.paged("handset:bob"), ["+10:00"], "whoever looks later finds him paged");
}

#[test]
fn a_handoff_moves_no_step() {
    let mut world = World::new(ops(duration("2m"), &["on_call after 5m", "carol after 5m"]));
    world.run_before("2m");
    let wakes = |world: &World| world.state.wakes.get(&escalation::wake::Wake::Escalate).copied();
    let before = wakes(&world);
    world.hand_over(&["john"], &["bob"], None);
    assert_eq!(wakes(&world), before);
    world.run_to("5m");
    assert_eq!(world.paged("handset:carol"), ["+5:00"]);
}

#[test]
fn a_takeover_ends_the_page_of_whoever_is_relieved() {
    let mut world = World::new(ops(duration("10h"), &["on_call after 30m"]));
    world.run_to("1m");
    world.directory = world.directory.clone().edit("ops", take_over("bob"));
    world.hand_over(&["john"], &["bob"], Some("bob"));
    world.run_to("4m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +1:00 Bob takes over: bob on call
    +1:00 page → handset:bob
    +1:00 notice → handset:john: Bob took over; you are relieved
    +3:00 page → handset:bob
    ");
    assert_eq!(world.state.pages[0].ended.map(|ended| ended.why), Some(EndedWhy::Relieved));
}

#[test]
fn a_takeover_by_somebody_who_can_not_be_asked_ends_no_page() {
    let directory = ops(duration("10h"), &["on_call after 30m"]).planless("bob", &[]);
    let mut world = World::new(directory.edit("ops", take_over("bob")));
    world.directory = ops(duration("10h"), &["on_call after 30m"]).planless("bob", &[]);
    world.run_to("1m");
    world.hand_over(&["john"], &["bob"], Some("bob"));
    world.run_to("3m");
    assert_eq!(world.paged("handset:john"), ["+0:00", "+2:00"]);
    assert_eq!(world.count(EntryKind::Gap), 1);
}

#[test]
fn whoever_a_step_names_is_asked_on_though_relieved() {
    let mut world = World::new(ops(duration("10h"), &["on_call after 1m", "john carol after 30m"]));
    world.run_to("90s");
    world.hand_over(&["john"], &["bob"], Some("bob"));
    world.run_to("3m");
    assert_eq!(world.paged("handset:john"), ["+0:00", "+2:00"]);
    assert_eq!(world.paged("handset:bob"), ["+1:30"]);
}

#[test]
fn a_newcomer_who_is_paged_already_is_not_paged_anew() {
    let mut world = World::new(ops(duration("90s"), &["on_call after 1m", "bob after 10m"]));
    world.run_before("90s");
    world.hand_over(&["john"], &["bob"], None);
    world.run_to("4m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +1:00 step 2 pages bob
    +1:00 page → handset:bob
    +1:30 on call now: bob
    +2:00 page → handset:john
    +3:00 page → handset:bob
    +4:00 page → handset:john
    ");
}

#[test]
fn whoever_was_relieved_may_answer_a_second_later() {
    let mut world = World::new(ops(duration("10h"), &["on_call after 30m"]));
    world.run_to("1m");
    world.hand_over(&["john"], &["bob"], Some("bob"));
    world.run_to("61s");
    assert_eq!(world.acknowledge("john"), Verdict::Done);
    world.run_to("10m");
    assert_snapshot!(world.timeline_from(START + duration("61s")), @r"
    +1:01 acknowledged by John
    +1:01 notice → handset:bob: John has it
    ");
}

#[test]
fn an_alert_that_somebody_has_stays_with_that_person() {
    let mut world = World::new(ops(duration("2m"), &["on_call after 30m"]));
    world.run_to("1m");
    world.acknowledge("john");
    assert_eq!(world.hand_over(&["john"], &["bob"], Some("bob")), Verdict::Already);
    world.run_to("1h");
    assert!(world.paged("handset:bob").is_empty());
}

#[test]
fn a_duty_that_no_step_has_asked_for_pages_nobody() {
    let mut world = World::new(ops(duration("2m"), &["carol after 5m", "on_call after 5m"]));
    world.run_to("1m");
    assert_eq!(world.hand_over(&["john"], &["bob"], None), Verdict::Already);
    world.run_before("5m");
    assert!(world.paged("handset:bob").is_empty());
}

#[test]
fn whoever_comes_on_duty_after_a_gap_is_paged_though_the_step_was_empty() {
    let away = Leave::new([Interval { start: START, end: START + duration("3m") }]);
    let leave = ["john", "bob"].map(|who| (who.into(), away.clone()));
    let directory = ops(duration("3m"), &["on_call after 5m", "carol after 30m"]);
    let mut world = World::new(directory.edit("ops", |schedule| schedule.with_leave(leave.into())));
    world.run_before("3m");
    world.hand_over(&[], &["bob"], None);
    world.run_to("3m");
    assert_eq!(world.paged("handset:carol"), ["+0:00", "+2:00"], "a gap costs no waiting");
    assert_eq!(world.paged("handset:bob"), ["+3:00"]);
}

#[test]
fn a_newcomer_is_paged_for_what_nobody_answered() {
    let mut world = World::new(ops(duration("3h"), &["on_call after 5m"]));
    world.run_before("3h");
    assert_eq!(world.state.alert.status, Status::Unanswered);
    world.hand_over(&["john"], &["bob"], None);
    world.run_to("181m");
    assert_eq!(world.paged("handset:bob"), ["+3:00:00"]);
}

#[test]
fn a_team_without_a_plan_begins_with_whoever_is_on_call_and_follows_a_handoff() {
    let planless = |handoff| {
        let mut directory = ops(handoff, &[]).team("ops", &["john", "bob", "carol"]);
        let team = std::sync::Arc::make_mut(directory.teams.get_mut("ops").unwrap());
        team.schedule = Some(crate::roster::name("ops"));
        directory
    };
    let mut world = World::new(planless(duration("3m")));
    world.run_before("3m");
    world.hand_over(&["john"], &["bob"], None);
    world.run_to("5m");
    assert_eq!(world.paged("handset:bob"), ["+3:00", "+5:00"]);
    let mut world = World::new(planless(duration("10h")));
    world.run_before("1m");
    world.directory = world.directory.clone().edit("ops", take_over("carol"));
    world.hand_over(&["john"], &["carol"], Some("carol"));
    world.run_to("5m");
    assert_eq!(world.paged("handset:john"), ["+0:00"]);
    assert_eq!(world.paged("handset:carol"), ["+1:00", "+3:00", "+5:00"]);
}
