//! Whether the owner of an alert is still on it: asked in time, and what each answer and no answer does.

use escalation::alert::{Audience, Status, Verdict};
use escalation::event::{Input, Severity};
use escalation::page::Asks;
use insta::assert_snapshot;

use crate::lifecycle::ops;
use crate::roster::{Roster, duration, name};
use crate::world::{MOMENT, START, World};
#[test]
fn the_owner_is_asked_in_time_and_without_an_answer_people_are_paged_again() {
    let mut world = World::new(ops().lasting("ops", &["ack_timeout 30m"]));
    world.run_to("1m10s");
    world.acknowledge("bob");
    world.run_before("31m10s");
    assert_eq!(world.timeline_from(START + duration("1m11s")), "");
    world.run_to("2h");
    assert_snapshot!(world.timeline_from(START + duration("1m11s")), @r"
    +31:10 bob is asked: still on it?
    +31:10 page → handset:bob
    +36:10 bob does not say that he is still on it
    +36:10 round 2: nobody says that he is still on it
    +36:10 step 2 pages bob
    +36:10 page → handset:bob
    +37:10 last resort pages email:last@example.org
    +37:10 page → email:last@example.org
    +52:10 unanswered
    +52:10 warning → email:operators@example.org: nobody has answered; everybody in the plan and the last resort was paged
    +56:10 page → handset:bob
    +1:16:10 page → handset:bob
    +1:36:10 page → handset:bob
    +1:56:10 page → handset:bob
    ");
}

#[test]
fn an_answer_starts_the_time_anew_at_the_last_moment_and_a_moment_later_it_is_too_late() {
    let asked = || {
        let mut world = World::new(ops().lasting("ops", &["ack_timeout 30m"]));
        world.run_to("10s");
        world.acknowledge("john");
        assert_eq!(world.acknowledge("john"), Verdict::Already, "nobody has asked");
        world.run_to("30m10s");
        assert!(world.state.pages.iter().any(|page| page.is_live() && page.asks == Asks::StillOnIt));
        world
    };
    let mut world = asked();
    world.run_before("35m10s");
    world.now -= MOMENT;
    assert_eq!(world.acknowledge("bob"), Verdict::HasIt(world.state.alert.acknowledged.clone().unwrap()));
    assert_eq!(world.acknowledge("john"), Verdict::Done);
    world.run_until(world.now + duration("30m") - MOMENT);
    assert_eq!(world.paged("handset:john").len(), 2, "the page, and the question");
    world.run_until(world.now + MOMENT);
    assert_eq!(world.paged("handset:john").len(), 3, "asked again");

    let mut world = asked();
    world.run_to("35m10s");
    assert_eq!(world.state.alert.status, Status::Triggered);
    assert_eq!(world.acknowledge("john"), Verdict::Done, "he has it anew");
    assert_eq!(world.state.alert.round, 2);
}

#[test]
fn who_is_asked_whether_he_is_still_on_it_and_says_no_gives_it_back_at_once() {
    let mut world = World::new(ops().lasting("ops", &["ack_timeout 30m"]));
    world.run_to("1m10s");
    world.acknowledge("bob");
    world.run_to("32m");
    assert_eq!(world.not_me("bob"), Verdict::Done);
    world.run_to("33m");
    assert_snapshot!(world.timeline_from(START + duration("31m")), @r"
    +31:10 bob is asked: still on it?
    +31:10 page → handset:bob
    +32:00 bob says not me
    +32:00 round 2: whoever had it can't go on
    +32:00 step 2: bob: everybody in this step has been paged in this round
    +32:00 last resort pages email:last@example.org
    +32:00 page → email:last@example.org
    ");
}

#[test]
fn low_urgency_and_a_team_that_switched_it_off_ask_nobody() {
    let mut low = World::begin(
        ops().lasting("ops", &["ack_timeout 30m"]),
        Audience::Team(name("ops")),
        Severity::Warning,
    );
    let mut off = World::new(ops());
    for world in [&mut low, &mut off] {
        world.run_to("10s");
        world.acknowledge("john");
        assert_eq!(world.state.wakes.len(), 0);
    }
}

#[test]
fn nobody_to_ask_is_told_and_costs_the_time_to_answer() {
    let mut world = World::new(ops().lasting("ops", &["ack_timeout 30m"]));
    world.run_to("10s");
    world.take(&Input::Acknowledge { by: crate::world::monitoring(), take_over: false });
    world.run_to("36m");
    assert_snapshot!(world.timeline_from(START + duration("11s")), @r"
    +30:10 nobody is asked: there is no way to ask
    +35:10 nobody says that he is still on it
    +35:10 round 2: nobody says that he is still on it
    +35:10 step 1 pages john
    +35:10 page → handset:john
    ");
}
