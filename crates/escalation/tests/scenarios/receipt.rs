//! What a provider says afterwards: it did not arrive, nobody took the call.

use escalation::directory::Directory;
use escalation::event::Sent;
use insta::assert_snapshot;

use crate::roster::Roster;
use crate::world::World;

fn ops() -> Directory {
    Directory::default()
        .person("john", &["phone:+493011111 wait 5m", "sms:+493011111 wait 5m"])
        .person("bob", &["phone:+493022222"])
        .team("ops", &["john", "bob"])
        .plan("ops", 0, &["john after 10m", "bob after 10m"])
}

#[test]
fn a_message_that_was_taken_and_did_not_arrive_brings_the_next_contact_at_once() {
    let mut world = World::new(ops());
    world.run_to("20s");
    world.receipt("phone:+493011111", Sent::Undelivered);
    world.run_to("9m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → phone:+493011111
    +0:20 phone:+493011111 Undelivered
    +0:20 page → sms:+493011111
    ");
}

#[test]
fn a_call_that_nobody_takes_rings_once_more_before_the_next_contact_comes() {
    let mut world = World::new(ops());
    world.run_to("30s");
    world.receipt("phone:+493011111", Sent::NotTaken);
    world.run_to("1m");
    world.receipt("phone:+493011111", Sent::NotTaken);
    world.run_to("9m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → phone:+493011111
    +0:30 phone:+493011111 NotTaken
    +0:30 page → phone:+493011111
    +1:00 phone:+493011111 NotTaken
    +1:00 page → sms:+493011111
    ");
}

#[test]
fn when_nothing_arrived_after_all_the_next_person_is_paged_at_once() {
    let mut world = World::new(ops());
    world.run_to("20s");
    world.receipt("phone:+493011111", Sent::Undelivered);
    world.run_to("40s");
    world.receipt("sms:+493011111", Sent::Undelivered);
    world.run_to("9m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → phone:+493011111
    +0:20 phone:+493011111 Undelivered
    +0:20 page → sms:+493011111
    +0:40 sms:+493011111 Undelivered
    +0:40 step 1: everything that this step sent has failed
    +0:40 step 2 pages bob
    +0:40 page → phone:+493022222
    ");
}

#[test]
fn a_late_word_about_the_first_contact_counts_when_the_last_one_has_failed_before() {
    let mut world = World::new(ops()).carrier_always("sms:+493011111", crate::world::Reply::RefusesForGood);
    world.run_to("6m");
    world.receipt("phone:+493011111", Sent::Undelivered);
    world.run_to("9m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → phone:+493011111
    +5:00 page → sms:+493011111
    +5:00 sms:+493011111 refused for good: no
    +6:00 phone:+493011111 Undelivered
    +6:00 step 1: everything that this step sent has failed
    +6:00 step 2 pages bob
    +6:00 page → phone:+493022222
    ");
}

#[test]
fn a_receipt_after_the_answer_or_for_an_earlier_step_starts_nothing() {
    let mut world = World::new(ops());
    world.run_to("6m");
    world.receipt("phone:+493011111", Sent::NotTaken);
    world.acknowledge("john");
    world.receipt("sms:+493011111", Sent::Undelivered);
    world.run_to("9m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → phone:+493011111
    +5:00 page → sms:+493011111
    +6:00 phone:+493011111 NotTaken
    +6:00 acknowledged by John
    +6:00 sms:+493011111 Undelivered
    ");
}
