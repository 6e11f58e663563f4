//! What people do: acknowledge, take over, resolve, give back, ask for more, say "not me".

use escalation::alert::{Status, Verdict};
use escalation::delivery::Purpose;
use escalation::directory::Directory;
use escalation::event::Input;
use insta::assert_snapshot;

use crate::roster::{Roster, duration};
use crate::world::{Reply, START, World, monitoring};

fn ops() -> Directory {
    Directory::default()
        .person("john", &["handset:john every 2m"])
        .person("bob", &["handset:bob every 2m"])
        .person("carol", &["handset:carol every 2m"])
        .team("ops", &["john", "bob", "carol"])
        .plan("ops", 1, &["on_call after 1m", "bob after 1m", "carol after 1m"])
}

#[test]
fn the_second_to_acknowledge_hears_who_has_it() {
    let mut world = World::new(ops());
    world.run_to("1m10s");
    assert_eq!(world.acknowledge("bob"), Verdict::Done);
    let Verdict::HasIt(act) = world.acknowledge("john") else { panic!("john was not told") };
    assert_eq!((act.by.label.as_str(), act.at), ("Bob", world.now));
    assert_eq!(world.acknowledge("bob"), Verdict::Already);
    world.run_to("1h");
    assert_eq!(world.noticed(), ["handset:john"]);
}

#[test]
fn a_take_over_is_told_to_the_one_who_had_it() {
    let mut world = World::new(ops());
    world.run_to("1m10s");
    world.acknowledge("bob");
    world.run_to("2m");
    assert_eq!(world.take_over("john"), Verdict::Done);
    world.run_to("1h");
    assert_snapshot!(world.timeline_from(START + duration("1m10s")), @r"
    +1:10 acknowledged by Bob
    +1:10 notice → handset:john: Bob has it
    +2:00 acknowledged by John
    +2:00 notice → handset:bob: John has it
    ");
}

#[test]
fn a_take_over_is_told_to_one_who_had_it_without_having_been_paged() {
    let mut world = World::new(ops());
    world.run_to("10s");
    world.acknowledge("carol");
    world.take_over("bob");
    world.run_to("1h");
    assert_eq!(world.noticed(), ["handset:john", "handset:john", "handset:carol"]);
}

#[test]
fn to_take_over_what_nobody_has_is_to_acknowledge() {
    let mut world = World::new(ops());
    world.run_to("10s");
    assert_eq!(world.take_over("john"), Verdict::Done);
    assert_eq!(world.state.alert.status, Status::Acknowledged);
}

#[test]
fn a_resolve_before_the_first_page_wakes_nobody() {
    let mut world = World::new(ops());
    assert_eq!(world.resolve(), Verdict::Done);
    world.run_to("1h");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 resolved by Monitoring
    ");
}

#[test]
fn an_acknowledgement_before_the_first_page_wakes_nobody() {
    let mut world = World::new(ops());
    world.acknowledge("carol");
    world.run_to("1h");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 acknowledged by Carol
    ");
}

#[test]
fn a_resolve_is_told_to_those_who_were_rung() {
    let mut world = World::new(ops());
    world.run_to("1m10s");
    world.resolve();
    world.run_to("1h");
    assert_snapshot!(world.timeline_from(START + duration("1m10s")), @r"
    +1:10 resolved by Monitoring
    +1:10 notice → handset:john: resolved by Monitoring; nothing more to do
    +1:10 notice → handset:bob: resolved by Monitoring; nothing more to do
    ");
}

#[test]
fn nothing_can_be_done_to_what_is_resolved() {
    let mut world = World::new(ops());
    world.run_to("10s");
    world.resolve();
    assert_eq!(world.resolve(), Verdict::Already);
    let refusals = [
        world.acknowledge("john"),
        world.take_over("john"),
        world.unacknowledge("john"),
        world.escalate("john", None),
        world.not_me("john"),
        world.trigger(escalation::event::Severity::Critical),
    ];
    for verdict in refusals {
        assert!(matches!(verdict, Verdict::Refused(_)), "{verdict:?}");
    }
    let note = Input::Note { by: world.actor("john"), text: "it was the disk".to_owned() };
    assert_eq!(world.take(&note), Verdict::Done);
}

#[test]
fn to_give_it_back_pages_the_step_reached_the_acker_included() {
    let mut world = World::new(ops());
    world.run_to("1m10s");
    world.acknowledge("bob");
    world.run_to("10m");
    assert_eq!(world.unacknowledge("bob"), Verdict::Done);
    world.run_to("11m");
    assert_snapshot!(world.timeline_from(START + duration("10m")), @r"
    +10:00 unacknowledged by Bob
    +10:00 round 2: nobody has it any more
    +10:00 step 2 pages bob
    +10:00 page → handset:bob
    +11:00 step 3 pages carol
    +11:00 page → handset:carol
    ");
}

#[test]
fn to_give_it_back_asks_who_is_on_call_today() {
    let mut world = World::new(ops());
    world.run_to("10s");
    world.acknowledge("john");
    world.directory = ops().team("ops", &["carol", "john"]).plan("ops", 1, &["on_call after 1m"]);
    world.run_to("10m");
    world.unacknowledge("john");
    world.run_to("10m30s");
    assert_eq!(world.paged("handset:carol"), ["+10:00"]);
}

#[test]
fn to_give_it_back_after_the_last_step_pages_somebody() {
    // Nobody has set a last resort: the step reached is the plan's last.
    let mut world = World::new(ops());
    world.run_to("30m");
    assert_eq!(world.state.alert.status, Status::Unanswered);
    world.acknowledge("bob");
    world.run_to("40m");
    world.unacknowledge("bob");
    let pages = world.claimed(Purpose::Page).count();
    world.run_to("40m30s");
    assert!(world.claimed(Purpose::Page).count() > pages, "{}", world.timeline());
    assert_eq!(world.state.alert.status, Status::Triggered);
}

#[test]
fn to_give_it_back_after_the_last_resort_pages_the_last_resort() {
    let mut world = World::new(ops().last_resort("ops", &["bob"]));
    world.run_to("40m");
    world.acknowledge("bob");
    world.run_to("50m");
    world.unacknowledge("bob");
    world.run_to("50m");
    assert_snapshot!(world.timeline_from(START + duration("50m")), @r"
    +50:00 unacknowledged by Bob
    +50:00 round 3: nobody has it any more
    +50:00 last resort pages bob
    +50:00 page → handset:bob
    ");
}

#[test]
fn what_nobody_has_cannot_be_given_back() {
    let mut world = World::new(ops());
    world.run_to("10s");
    assert!(matches!(world.unacknowledge("john"), Verdict::Refused(_)));
}

#[test]
fn escalate_fires_the_next_step_now_and_the_wait_begins_again() {
    let mut world = World::new(ops());
    world.run_to("30s");
    world.escalate("john", None);
    world.run_to("1m30s");
    assert_snapshot!(world.timeline_from(START + duration("30s")), @r"
    +0:30 escalated by John
    +0:30 step 2 pages bob
    +0:30 page → handset:bob
    +1:30 step 3 pages carol
    +1:30 page → handset:carol
    ");
}

#[test]
fn escalate_to_a_chosen_step_passes_over_those_between() {
    let mut world = World::new(ops());
    world.run_to("30s");
    world.escalate("john", Some(3));
    world.run_to("1m29s");
    assert_snapshot!(world.timeline_from(START + duration("30s")), @r"
    +0:30 escalated by John to step 3
    +0:30 step 3 pages carol
    +0:30 page → handset:carol
    ");
    assert!(matches!(world.escalate("john", Some(4)), Verdict::Refused(_)), "there are three steps");
}

#[test]
fn escalating_an_acknowledged_alert_triggers_it_again_at_the_next_step() {
    let mut world = World::new(ops());
    world.run_to("30s");
    world.acknowledge("john");
    world.escalate("john", None);
    world.run_to("31s");
    assert_snapshot!(world.timeline_from(START + duration("30s")), @r"
    +0:30 acknowledged by John
    +0:30 escalated by John
    +0:30 round 2: somebody asked for more people
    +0:30 step 2 pages bob
    +0:30 page → handset:bob
    ");
    assert_eq!(world.state.alert.status, Status::Triggered);
}

#[test]
fn escalating_what_was_acknowledged_at_the_last_step_pages_somebody() {
    let mut world =
        World::new(Directory::default().person("john", &["handset:john every 2m"]).team("ops", &["john"]));
    world.run_to("30s");
    world.acknowledge("john");
    world.run_to("1m");
    world.escalate("john", None);
    world.run_to("1m10s");
    assert_eq!(world.state.alert.status, Status::Triggered, "{}", world.timeline());
    assert_eq!(world.paged("handset:john"), ["+0:00", "+1:00"]);
}

#[test]
fn escalating_an_unanswered_alert_begins_again() {
    let mut world = World::new(ops());
    world.run_to("30m30s");
    world.escalate("carol", None);
    world.run_to("30m30s");
    assert_snapshot!(world.timeline_from(START + duration("30m30s")), @r"
    +30:30 escalated by Carol
    +30:30 round 3: somebody asked for more people
    +30:30 step 1 pages john
    +30:30 page → handset:john
    ");
}

#[test]
fn not_me_ends_ones_own_page_and_fires_the_next_step() {
    let mut world = World::new(ops());
    world.run_to("1m10s");
    world.not_me("bob");
    world.run_to("3m");
    assert_snapshot!(world.timeline_from(START + duration("1m10s")), @r"
    +1:10 bob says not me
    +1:10 step 3 pages carol
    +1:10 page → handset:carol
    +2:00 page → handset:john
    +2:10 round 2: nobody has answered yet
    +2:10 step 1 pages john
    +2:10 page → handset:john
    ");
    assert!(matches!(world.not_me("bob"), Verdict::Refused(_)), "no page of bob is open");
}

#[test]
fn who_said_not_me_is_not_paged_again_in_that_round() {
    let mut world = World::new(ops().plan("ops", 0, &["on_call after 1m", "all_members after 1m"]));
    world.run_to("30s");
    world.not_me("john");
    world.run_to("1m20s");
    assert_eq!(world.paged("handset:john"), ["+0:00"]);
    assert_eq!(world.paged("handset:bob"), ["+0:30"]);
    assert_eq!(world.paged("handset:carol"), ["+0:30"]);
}

#[test]
fn who_said_not_me_hears_who_has_it() {
    let mut world = World::new(ops());
    world.run_to("30s");
    world.not_me("john");
    world.run_to("40s");
    world.acknowledge("bob");
    world.run_to("1h");
    assert_eq!(world.noticed(), ["handset:john"]);
}

#[test]
fn a_page_that_rings_during_the_answer_makes_a_late_notice() {
    let mut world = World::new(ops()).carrier("handset:john", &[Reply::AcceptsAfter(5)]);
    world.run_to("2s");
    world.acknowledge("bob");
    world.run_to("1h");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +0:02 acknowledged by Bob
    +0:05 notice → handset:john: Bob has it
    ");
}

#[test]
fn a_page_that_may_have_rung_during_the_answer_makes_a_late_notice_and_no_retry() {
    let mut world = World::new(ops()).carrier("handset:john", &[Reply::NoAnswer]);
    world.run_to("2s");
    world.resolve();
    world.run_to("1h");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +0:02 resolved by Monitoring
    +0:10 handset:john outcome unknown: no answer
    +0:10 notice → handset:john: resolved by Monitoring; nothing more to do
    ");
}

#[test]
fn a_page_refused_during_the_answer_reached_nobody() {
    let mut world = World::new(ops()).carrier("handset:john", &[Reply::Refuses, Reply::NoAnswer]);
    world.run_to("1s");
    world.acknowledge("bob");
    world.run_to("1h");
    assert!(world.noticed().is_empty(), "{}", world.timeline());
}

#[test]
fn nobody_is_told_twice_when_the_page_had_been_started_again() {
    // John's plan is through, so that the second step starts his page again; it rings during the answer.
    let mut world = World::new(
        Directory::default()
            .person("john", &["handset:john wait 1m"])
            .person("bob", &["handset:bob"])
            .team("ops", &["john", "bob"])
            .plan("ops", 0, &["john after 2m", "all_members after 2m"]),
    )
    .carrier("handset:john", &[Reply::Accepts, Reply::AcceptsAfter(5)]);
    world.run_to("2m2s");
    world.acknowledge("bob");
    world.run_to("1h");
    assert_eq!(world.noticed(), ["handset:john"], "{}", world.timeline());
}

#[test]
fn an_answer_by_nobody_in_particular_is_told_to_all() {
    let mut world = World::new(ops());
    world.run_to("1m10s");
    world.take(&Input::Acknowledge { by: monitoring(), take_over: false });
    assert_eq!(world.take(&Input::Acknowledge { by: monitoring(), take_over: false }), Verdict::Already);
    assert!(matches!(world.acknowledge("john"), Verdict::HasIt(_)));
    world.run_to("1h");
    assert_eq!(world.noticed(), ["handset:john", "handset:bob"]);
}
