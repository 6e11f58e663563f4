//! Alerts that are passed on, people who are asked besides, and alerts that go into each other.

use escalation::alert::{Audience, Status, Verdict};
use escalation::event::Severity;
use escalation::page::{Asks, EndedWhy};
use insta::assert_snapshot;

use crate::lifecycle::{everything, ops};
use crate::roster::{Roster, duration, name};
use crate::world::{START, World};
#[test]
fn whoever_is_asked_besides_is_asked_until_he_answers_for_himself() {
    let mut world = World::new(ops());
    world.run_to("10s");
    world.add_responder("john", "carol");
    world.acknowledge("john");
    world.run_to("20m10s");
    assert_eq!(world.paged("handset:carol"), ["+0:10", "+20:10"], "though somebody has it");
    assert_eq!(world.acknowledge("carol"), Verdict::Done);
    assert_eq!(world.state.pages.last().unwrap().ended.unwrap().why, EndedWhy::Accepted);
    assert!(matches!(world.acknowledge("carol"), Verdict::HasIt(_)), "once");
    world.add_responder("john", "dave");
    assert_eq!(world.not_me("dave"), Verdict::Done);
    assert_eq!(world.state.alert.status, Status::Acknowledged, "a no changes nothing for the owner");
    world.run_to("2h");
    assert_snapshot!(world.timeline_from(START + duration("20m10s")), @r"
    +20:10 page → handset:carol
    +20:10 Carol comes, too
    +20:10 John asks dave to come, too
    +20:10 dave says not me
    +20:10 notice → handset:john: Carol comes, too
    +20:10 notice → handset:john: Dave can't come
    ");
}

#[test]
fn a_no_of_one_who_was_asked_besides_fires_no_step_while_others_are_asked() {
    let mut world = World::new(ops());
    world.run_to("10s");
    world.add_responder("john", "carol");
    world.not_me("carol");
    assert_eq!(world.state.alert.position.next_step, 1);
}

#[test]
fn a_merge_that_makes_it_urgent_pages_anew_and_the_other_tells_where_it_went() {
    let audience = Audience::Team(name("ops"));
    let mut world = World::begin(ops(), audience, Severity::Warning);
    world.run_to("10s");
    world.acknowledge("john");
    world.absorb("bob", Severity::Critical);
    assert_eq!((world.state.alert.status, world.state.alert.triggers), (Status::Triggered, 4));
    world.run_to("20s");
    world.merge_into("bob");
    world.run_to("1h");
    assert_snapshot!(world.timeline_from(START + duration("10s")), @r"
    +0:10 acknowledged by John
    +0:10 #7 disk nearly full goes into it, says Bob
    +0:10 round 2: it became urgent
    +0:10 step 1 pages john
    +0:10 page → handset:john
    +0:20 goes into #9, says Bob
    +0:20 notice → handset:john: it goes on as #9, says Bob
    ");
}

#[test]
fn whoever_is_asked_besides_is_asked_through_a_silence_and_not_through_a_snooze() {
    let begin = || {
        let mut world = World::new(ops());
        world.run_to("10s");
        world.add_responder("bob", "carol");
        world
    };
    let live = |world: &World| world.state.pages.iter().filter(|page| page.is_live()).count();
    let mut silenced = begin();
    silenced.directory = std::mem::take(&mut silenced.directory).silenced("quiet", everything(), START, "3h");
    silenced.look_at_silences();
    assert_eq!((silenced.state.alert.status, live(&silenced)), (Status::Silenced, 1));
    let mut snoozed = begin();
    snoozed.snooze("bob", "1h");
    assert_eq!((snoozed.state.alert.status, live(&snoozed)), (Status::Snoozed, 0));
}

#[test]
fn a_takeover_leaves_those_alone_who_were_asked_by_name() {
    let mut world = World::new(ops().plan("ops", 0, &["on_call after 10m"]));
    world.run_to("10s");
    world.add_responder("bob", "john");
    world.hand_over(&["john"], &["bob"], Some("bob"));
    let john = world.state.pages.iter().find(|page| page.person.as_str() == "john").unwrap();
    assert!(john.is_live() && john.asks == Asks::Himself);
}
