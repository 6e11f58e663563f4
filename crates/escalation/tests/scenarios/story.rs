//! The main story, and an answer at every single instant of it.

use escalation::alert::Status;
use escalation::delivery::{Delivery, Purpose};
use escalation::directory::Directory;
use escalation::effect::EntryKind;
use escalation::event::Input;
use escalation::wake::Wake;
use insta::assert_snapshot;
use jiff::{SignedDuration, Timestamp};

use crate::roster::{Roster, duration};
use crate::world::{MOMENT, Reply, START, World, clock};

fn story() -> World {
    World::new(
        Directory::default()
            .person("john", &["handset:john wait 20s", "handset:john every 1m"])
            .person("bob", &["handset:bob every 1m"])
            .team("ops", &["john", "bob"])
            .plan("ops", 0, &["on_call after 45s", "bob after 5m"]),
    )
}

/// All that can happen: repeats, two contacts, two rounds, a role, a last resort, slow and failing carriers.
fn long_story() -> World {
    World::new(
        Directory::default()
            .person("john", &["handset:john wait 20s every 8s", "email:john@example.org every 2m"])
            .person("bob", &["handset:bob wait 30s", "webhook:https://bob.example.org/ every 1m"])
            .person("carol", &["handset:carol"])
            .team("ops", &["john", "bob", "carol"])
            .plan("ops", 1, &["on_call after 45s", "next_on_call email:role@example.org after 2m"])
            .last_resort("ops", &["carol"])
            .service(&[], &["email:operators@example.org"]),
    )
    .carrier_always("handset:john", Reply::AcceptsAfter(3))
    .carrier("handset:bob", &[Reply::NoAnswer, Reply::Accepts])
    .carrier("webhook:https://bob.example.org/", &[Reply::Refuses, Reply::SenderDies])
}

#[test]
fn john_is_paged_and_repeated_then_bob_who_answers() {
    let mut world = story();
    world.run_to("1m");
    world.acknowledge("bob");
    world.run_to("2h");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +0:20 page → handset:john
    +0:45 step 2 pages bob
    +0:45 page → handset:bob
    +1:00 acknowledged by Bob
    +1:00 notice → handset:john: Bob has it
    ");
}

#[test]
fn the_first_page_goes_on_while_the_alert_escalates() {
    let mut world = story();
    world.run_to("3m");
    assert_eq!(world.paged("handset:john"), ["+0:00", "+0:20", "+1:20", "+2:20"]);
    assert_eq!(world.paged("handset:bob"), ["+0:45", "+1:45", "+2:45"]);
}

/// Whatever the world has come to: bob answers, and everybody who was rung is told once, and nobody is
/// paged after it.
fn answered_now(mut world: World, scene: &str) {
    let at = world.now;
    let before = world.claimed(Purpose::Page).count();
    world.acknowledge("bob");
    world.run_until(at + SignedDuration::from_hours(3));
    let scene = format!("{scene}, answered at {}:\n{}", clock(at), world.timeline());
    assert_eq!(world.state.alert.status, Status::Acknowledged, "{scene}");
    assert_eq!(world.claimed(Purpose::Page).count(), before, "a page after the answer. {scene}");
    for who in ["john", "carol"] {
        let to_them = |it: &Delivery| it.person.as_ref().is_some_and(|person| person.as_str() == who);
        let notices = world.claimed(Purpose::Notice).filter(|(_, notice)| to_them(notice)).count();
        let was_rung = world.rung.iter().any(to_them);
        assert_eq!(notices, usize::from(was_rung), "notices to {who}. {scene}");
    }
    assert!(!world.noticed().iter().any(|to| to.contains("bob")), "bob knows that he has it. {scene}");
}

/// Every state that a world goes through until `end`, one for each thing that is done.
fn every_moment(mut world: World, end: &str) -> Vec<World> {
    let until = START + duration(end);
    let mut moments = vec![world.clone()];
    while world.tick(until) {
        moments.push(world.clone());
    }
    moments
}

#[test]
fn an_answer_between_any_two_things_ends_all_pages() {
    let moments = every_moment(story(), "10m");
    assert!(moments.len() > 40, "{} moments", moments.len());
    for world in moments {
        answered_now(world, "between two things");
    }
}

#[test]
fn an_answer_just_before_at_and_just_after_each_instant_ends_all_pages() {
    let moments = every_moment(story(), "10m");
    let mut instants: Vec<Timestamp> = moments.iter().map(|world| world.now).collect();
    instants.dedup();
    for instant in instants {
        let mut before = story();
        before.run_until(instant - MOMENT);
        answered_now(before.clone(), "just before");
        before.now = instant;
        answered_now(before.clone(), "at, before anything of that instant is done");
        before.run_until(instant);
        answered_now(before.clone(), "at");
        before.now = instant + MOMENT;
        answered_now(before, "just after");
    }
}

#[test]
fn an_answer_in_the_first_round_of_a_long_story_is_told_to_all_who_were_rung() {
    for world in every_moment(long_story(), "2m40s") {
        answered_now(world, "in the first round");
    }
}

#[test]
fn an_answer_in_a_later_round_is_told_to_all_who_were_rung() {
    for world in every_moment(long_story(), "40m") {
        if world.state.alert.round > 1 {
            answered_now(world, "in a later round");
        }
    }
}

#[test]
fn no_page_follows_an_answer_anywhere_in_a_long_story() {
    for mut world in every_moment(long_story(), "40m") {
        let pages = world.claimed(Purpose::Page).count();
        world.acknowledge("bob");
        world.run_until(world.now + SignedDuration::from_hours(3));
        assert_eq!(world.claimed(Purpose::Page).count(), pages, "{}", world.timeline());
        assert_eq!(world.state.wakes.len(), 0);
    }
}

#[test]
fn a_resolve_anywhere_ends_all_pages() {
    for mut world in every_moment(long_story(), "40m") {
        let pages = world.claimed(Purpose::Page).count();
        world.resolve();
        world.run_until(world.now + SignedDuration::from_hours(3));
        assert_eq!(world.claimed(Purpose::Page).count(), pages, "{}", world.timeline());
        assert_eq!(world.state.alert.status, Status::Resolved);
    }
}

#[test]
fn a_restart_between_any_two_things_changes_nothing() {
    // What is saved is all there is: a copy of the world goes on exactly as the world itself would.
    for world in every_moment(long_story(), "10m") {
        let (mut one, mut other) = (world.clone(), world);
        one.run_to("45m");
        other.run_to("45m");
        assert_eq!(one.timeline(), other.timeline());
        assert_eq!(one.state, other.state);
    }
}

#[test]
fn a_wake_that_comes_early_twice_or_late_in_vain_changes_nothing() {
    for mut world in every_moment(story(), "3m") {
        let wakes = world.state.wakes.clone();
        for (wake, at) in wakes {
            if at > world.now {
                let before = world.state.clone();
                world.take(&Input::Due(wake));
                assert_eq!(world.state, before);
                assert_eq!(world.effects, 0);
            }
        }
        world.acknowledge("bob");
        let before = world.state.clone();
        world.take(&Input::Due(Wake::Escalate));
        assert_eq!(world.state, before);
        assert_eq!(world.count(EntryKind::Acknowledged), 1);
    }
}
