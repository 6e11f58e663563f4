//! Alerts that are put aside, by people and by silences: when they come back, and what goes through.

use escalation::alert::{Audience, Status, Verdict};
use escalation::event::{Input, Severity};
use escalation::silence::Match;
use insta::assert_snapshot;

use crate::lifecycle::{everything, ops};
use crate::roster::{Roster, duration, name};
use crate::world::{MOMENT, START, World};
#[test]
fn a_snooze_ends_at_its_instant_with_whoever_is_on_call_then() {
    let mut world = World::new(ops());
    world.run_to("1m10s");
    world.snooze("bob", "2h");
    world.run_before("2h");
    assert_eq!(world.state.alert.status, Status::Snoozed);
    world.directory =
        std::mem::take(&mut world.directory).plan("ops", 0, &["john after 1m", "carol after 1m"]);
    world.run_until(world.now);
    assert_snapshot!(world.timeline_from(START + duration("1m10s")), @r"
    +1:10 snoozed for 1h58m50s by Bob
    +1:10 notice → handset:john: Bob put it aside for 1h58m50s
    +2:00:00 round 2: it was put aside until now
    +2:00:00 step 2 pages carol
    +2:00:00 page → handset:carol
    ");
}

#[test]
fn an_alert_that_becomes_urgent_comes_out_of_every_hand() {
    let begin = || {
        let audience = Audience::Team(name("ops"));
        let mut world = World::begin(ops(), audience, Severity::Warning);
        world.run_to("10s");
        world
    };
    let mut acknowledged = begin();
    acknowledged.acknowledge("john");
    let mut snoozed = begin();
    snoozed.snooze("john", "3h");
    let mut silenced = begin();
    let low = Match { severities: vec![Severity::Warning], ..Match::default() };
    silenced.directory = std::mem::take(&mut silenced.directory).silenced("low", low, START, "3h");
    silenced.look_at_silences();
    for world in [&mut acknowledged, &mut snoozed, &mut silenced] {
        assert!(!world.state.alert.status.waits());
        world.trigger(Severity::Info);
        assert!(!world.state.alert.status.waits(), "counted, and pages nobody");
        world.trigger(Severity::Critical);
        assert_eq!((world.state.alert.status, world.state.alert.round), (Status::Triggered, 2));
    }
    // What is silenced whatever it is stays so, and says so.
    let mut all = begin();
    all.directory = std::mem::take(&mut all.directory).silenced("all", everything(), START, "3h");
    all.look_at_silences();
    all.trigger(Severity::Critical);
    assert_eq!(all.state.alert.status, Status::Silenced);
}

#[test]
fn a_silence_holds_back_the_first_page_and_every_later_round_and_ends_by_itself() {
    let mut world = World::new(ops().silenced("quiet", everything(), START, "1h"));
    world.run_before("1h");
    assert_eq!(world.rung.len(), 0);
    world.run_to("1h1s");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 silenced for 1h by quiet (Carol: planned work)
    +1:00:00.001 round 2: nothing silences it any more
    +1:00:00.001 step 1 pages john
    +1:00:00.001 page → handset:john
    ");
    // Given back while another silence holds: it waits for that one's end.
    world.acknowledge("john");
    let from = START + duration("1h");
    world.directory = std::mem::take(&mut world.directory).silenced("more", everything(), from, "1h");
    world.unacknowledge("john");
    assert_eq!(world.state.alert.status, Status::Silenced);
    world.run_to("2h1s");
    assert_eq!(world.state.alert.status, Status::Triggered);
}

#[test]
fn silences_that_follow_each_other_are_one_wait() {
    let directory = ops()
        .silenced("first", everything(), START, "1h")
        .silenced("second", everything(), START + duration("30m"), "1h")
        .silenced("third", everything(), START + duration("2h"), "1h");
    let mut world = World::new(directory);
    world.run_to("1h");
    assert_eq!(world.state.alert.silenced.as_ref().unwrap().until, START + duration("1h30m"));
    world.run_to("1h30m1s");
    assert_eq!(world.state.alert.status, Status::Triggered, "in the pause");
    world.run_to("2h");
    world.look_at_silences();
    assert_eq!(world.state.alert.status, Status::Silenced, "at the third");
}

#[test]
fn seven_days_are_the_most_that_an_alert_is_put_aside() {
    let snooze = |more: jiff::SignedDuration| {
        let mut world = World::new(ops());
        world.run_to("10s");
        let until = world.now + duration("7d") + more;
        world.take(&Input::Snooze { by: world.actor("bob"), until })
    };
    assert_eq!(snooze(jiff::SignedDuration::ZERO), Verdict::Done);
    assert!(matches!(snooze(MOMENT), Verdict::Refused(_)));
}

#[test]
fn what_people_ask_for_in_a_silence_goes_on_until_somebody_has_it() {
    let silenced = || {
        let mut world = World::new(ops().silenced("quiet", everything(), START, "3h"));
        world.run_to("10s");
        assert_eq!(world.state.alert.status, Status::Silenced);
        world
    };
    let mut world = silenced();
    world.escalate("bob", None);
    world.run_to("2m");
    assert_eq!(world.state.alert.status, Status::Triggered, "its steps go on: {}", world.timeline());
    assert_eq!(world.paged("handset:bob").len(), 1);
    assert_eq!(world.look_at_silences(), Verdict::Already);
    // Once somebody has had it, it is held back like any other.
    world.acknowledge("bob");
    world.unacknowledge("bob");
    assert_eq!(world.state.alert.status, Status::Silenced);

    let mut world = silenced();
    world.reassign("bob", "web");
    world.run_to("10m");
    assert_eq!(world.state.alert.status, Status::Triggered);
    assert_eq!(world.look_at_silences(), Verdict::Already);
}

#[test]
fn whoever_was_told_who_had_it_is_not_told_who_has_it_next_unless_paged_again() {
    let told_after = |give_back: fn(&mut World)| {
        let mut world = World::new(ops());
        world.run_to("1m10s");
        world.acknowledge("bob");
        world.run_to("2m");
        give_back(&mut world);
        world.run_until(world.now + duration("10s"));
        let before = world.noticed().len();
        world.acknowledge("carol");
        world.run_until(world.now + duration("1m"));
        world.noticed().split_off(before)
    };
    // Step 2, which was reached, asks Bob again; John, of step 1, has heard all that he has to.
    assert_eq!(told_after(|world| drop(world.unacknowledge("bob"))), ["handset:bob"]);
    let aside = |world: &mut World| {
        world.snooze("bob", "3m");
        world.run_to("3m");
    };
    assert_eq!(told_after(aside), ["handset:bob"]);
}

#[test]
fn an_alert_that_becomes_graver_than_what_is_silenced_pages_people() {
    let errors = Match { severities: vec![Severity::Error], ..Match::default() };
    let mut world = World::new(ops().silenced("errors", errors, START, "3h"));
    world.run_to("10s");
    assert_eq!(world.state.alert.status, Status::Silenced);
    world.trigger(Severity::Critical);
    world.run_to("11s");
    assert_eq!(world.state.alert.status, Status::Triggered);
}

#[test]
fn a_silence_holds_from_its_first_instant_until_before_its_last() {
    let held = |at: jiff::Timestamp| {
        let directory = ops().silenced("quiet", everything(), START, "1h");
        directory.silence(&World::new(ops()).state.alert, at).map(|(_, until)| until)
    };
    let end = START + duration("1h");
    assert_eq!(held(START - MOMENT), None);
    assert_eq!(held(START), Some(end));
    assert_eq!(held(end - MOMENT), Some(end));
    assert_eq!(held(end), None);
}

#[test]
fn whoever_has_it_hears_that_another_put_it_aside_or_silenced_it() {
    let mut world = World::new(ops().lasting("ops", &["ack_timeout 30m"]));
    world.run_to("10s");
    world.acknowledge("carol");
    world.snooze("bob", "1h");
    world.run_to("11s");
    assert_eq!(world.noticed(), ["handset:john", "handset:john", "handset:carol"]);
    // A silence that takes the place of a new round is told to the owner, and to nobody that others are asked.
    let mut world = World::new(ops().lasting("ops", &["ack_timeout 30m"]));
    world.run_to("10s");
    world.acknowledge("carol");
    let from = START + duration("20m");
    world.directory = std::mem::take(&mut world.directory).silenced("quiet", everything(), from, "1h");
    world.run_to("36m");
    assert_snapshot!(world.timeline_from(START + duration("35m")), @r"
    +35:10 carol does not say that he is still on it
    +35:10 silenced for 44m50s by quiet (Carol: planned work)
    +35:10 notice → handset:john: silenced by Carol: planned work; nothing to do for now
    +35:10 notice → handset:carol: silenced by Carol: planned work; nothing to do for now
    ");
}
