//! Carriers that refuse, stall, drop or say nothing.

use escalation::alert::Status;
use escalation::delivery::{Outcome, Purpose, Refusal, State};
use escalation::directory::Directory;
use escalation::effect::EntryKind;
use insta::assert_snapshot;

use crate::roster::{Roster, duration};
use crate::world::{Chance, Reply, START, World};

fn ops() -> Directory {
    Directory::default()
        .person("john", &["handset:john wait 5m", "email:john@example.org wait 5m"])
        .person("bob", &["handset:bob"])
        .team("ops", &["john", "bob"])
        .plan("ops", 0, &["john after 10m", "bob after 10m"])
}

#[test]
fn a_permanent_refusal_brings_the_next_contact_at_once() {
    let mut world = World::new(ops()).carrier_always("handset:john", Reply::RefusesForGood);
    world.run_to("9m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +0:00 handset:john refused for good: no
    +0:00 page → email:john@example.org
    ");
}

#[test]
fn a_refusal_brings_the_next_contact_at_once_and_is_tried_again() {
    let mut world = World::new(ops()).carrier("handset:john", &[Reply::Refuses, Reply::Refuses]);
    world.run_to("9m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +0:00 handset:john refused: no
    +0:00 page → email:john@example.org
    +0:02 page → handset:john (try 2)
    +0:02 handset:john refused: no
    +0:06 page → handset:john (try 3)
    ");
}

#[test]
fn a_provider_that_asks_for_time_gets_it_and_the_next_contact_comes_now() {
    let mut world =
        World::new(ops()).carrier("handset:john", &[Reply::ComeAgainIn(45), Reply::ComeAgainIn(86_400)]);
    world.run_to("9m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +0:00 handset:john asked to come later: no
    +0:00 page → email:john@example.org
    +0:45 page → handset:john (try 2)
    +0:45 handset:john asked to come later: no
    +5:45 page → handset:john (try 3)
    ");
}

#[test]
fn an_unknown_outcome_brings_the_next_contact_now_and_is_tried_again_when_the_lease_ends() {
    let mut world = World::new(ops()).carrier_always("handset:john", Reply::NoAnswer);
    world.run_to("9m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +0:10 handset:john outcome unknown: no answer
    +0:10 page → email:john@example.org
    +0:30 page → handset:john (try 2)
    +0:40 handset:john outcome unknown: no answer
    +1:00 page → handset:john (try 3)
    +1:10 handset:john outcome unknown: no answer
    ");
}

#[test]
fn a_sender_that_dies_is_no_silence() {
    let mut world = World::new(ops()).carrier("handset:john", &[Reply::SenderDies]);
    world.run_to("9m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +0:30 handset:john outcome unknown: whoever was sending it did not come back
    +0:30 page → handset:john (try 2)
    +0:30 page → email:john@example.org
    ");
}

#[test]
fn a_late_answer_with_an_old_token_changes_nothing() {
    // The first sender is frozen past its lease and comes back while the second is sending.
    let replies = [Reply::AcceptsAfter(35), Reply::AcceptsAfter(8)];
    let mut world = World::new(ops()).carrier("handset:john", &replies);
    world.run_to("34s");
    let before = (world.state.clone(), world.deliveries.clone());
    assert_eq!((world.deliveries[0].state, world.deliveries[0].attempt), (State::Claimed, 2));
    let late = Outcome::Refused { why: String::new(), refusal: Refusal::Contact };
    assert_eq!(world.deliveries[0].settle(1, &late, world.now, &mut || 0), None);
    world.run_to("37s");
    assert_eq!((world.state.clone(), world.deliveries.clone()), before, "{}", world.timeline());
    world.run_to("1m");
    assert_eq!(world.deliveries[0].state, State::Sent);
}

#[test]
fn a_retry_that_fails_later_does_not_bring_a_further_contact() {
    let steps =
        ["handset:john wait 5m", "email:john@example.org wait 5m", "webhook:https://john.example.org/"];
    let mut world = World::new(ops().person("john", &steps)).carrier_always("handset:john", Reply::Refuses);
    world.run_to("4m59s");
    assert!(world.paged("webhook:https://john.example.org/").is_empty(), "{}", world.timeline());
}

#[test]
fn tries_end_after_ten_even_if_the_provider_never_gives_a_reason() {
    let mut world = World::new(ops()).carrier_always("handset:john", Reply::Refuses);
    world.run_to("1h");
    let tries = world.claims.iter().filter(|(_, it)| it.contact.as_str() == "handset:john").count();
    assert_eq!(tries, 10, "{}", world.timeline());
}

#[test]
fn retries_are_spread_by_chance_by_at_most_a_quarter() {
    let mut world = World::new(ops()).carrier_always("handset:john", Reply::Refuses);
    world.jitter = Some(Chance(3));
    world.run_to("9m");
    let at: Vec<_> = world.claims.iter().filter(|(_, it)| it.contact.as_str() == "handset:john").collect();
    for (pair, pause) in at.windows(2).zip([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
        let gap = pair[1].0.duration_since(pair[0].0).as_millis();
        assert!((pause..=pause * 5 / 4).contains(&gap), "{gap} ms where {pause} ms are meant");
    }
}

#[test]
fn when_everything_of_a_step_fails_the_next_step_fires_at_once() {
    let mut world = World::new(ops())
        .carrier_always("handset:john", Reply::RefusesForGood)
        .carrier_always("email:john@example.org", Reply::RefusesForGood);
    world.run_to("9m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +0:00 handset:john refused for good: no
    +0:00 page → email:john@example.org
    +0:00 email:john@example.org refused for good: no
    +0:00 step 1: everything that this step sent has failed
    +0:00 step 2 pages bob
    +0:00 page → handset:bob
    ");
}

#[test]
fn that_everything_of_a_step_failed_is_told_once() {
    // Ten tries of one delivery are refused while the last step has its time before the next round.
    let mut world =
        World::new(ops().plan("ops", 1, &["bob after 10m"])).carrier_always("handset:bob", Reply::Refuses);
    world.run_to("9m59s");
    assert_eq!(world.count(EntryKind::Gap), 1, "{}", world.timeline());
}

#[test]
fn a_failed_page_does_not_hurry_a_step_in_which_another_page_is_alive() {
    let mut world = World::new(ops().plan("ops", 0, &["bob john after 10m", "john after 5m"]))
        .carrier_always("handset:john", Reply::RefusesForGood)
        .carrier_always("email:john@example.org", Reply::RefusesForGood);
    world.run_to("9m59s");
    assert_eq!(world.state.alert.position.next_step, 1, "{}", world.timeline());
}

#[test]
fn a_retry_that_fails_later_does_not_escalate_once_more() {
    let mut world = World::new(
        ops()
            .plan("ops", 0, &["bob after 10m", "john after 10m", "carol after 10m"])
            .person("carol", &["handset:carol"]),
    )
    .carrier_always("handset:bob", Reply::Refuses);
    world.run_to("9m59s");
    assert_eq!(world.paged("handset:john"), ["+0:00"]);
    assert!(world.paged("handset:carol").is_empty(), "{}", world.timeline());
}

#[test]
fn a_hung_provider_delays_no_step() {
    let mut world = World::new(ops().plan("ops", 0, &["john after 5s", "bob after 10m"]))
        .carrier_always("handset:john", Reply::SenderDies);
    world.run_to("6s");
    assert_eq!(world.paged("handset:bob"), ["+0:05"]);
}

#[test]
fn a_repeat_takes_the_place_of_a_retry() {
    // Never two of the same: the repeat at one minute finds a retry that waits.
    let mut world = World::new(ops().person("john", &["handset:john every 1m"]))
        .carrier("handset:john", &[Reply::ComeAgainIn(60), Reply::Accepts]);
    world.run_to("1m59s");
    assert_eq!(world.paged("handset:john"), ["+0:00", "+1:00"], "{}", world.timeline());
}

#[test]
fn a_role_is_paged_as_a_person_is_and_told_how_it_ends() {
    let mut world =
        World::new(ops().plan("ops", 0, &["webhook:https://hooks.example.org/a after 1m", "john after 10m"]));
    world.run_to("2m");
    world.acknowledge("john");
    world.run_to("1h");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages webhook:https://hooks.example.org/a
    +0:00 page → webhook:https://hooks.example.org/a
    +1:00 step 2 pages john
    +1:00 page → handset:john
    +2:00 acknowledged by John
    +2:00 notice → webhook:https://hooks.example.org/a: John has it
    ");
}

#[test]
fn a_role_that_refuses_costs_no_waiting() {
    let mut world = World::new(ops().plan("ops", 0, &["email:role@example.org after 10m", "john after 10m"]))
        .carrier_always("email:role@example.org", Reply::Refuses);
    world.run_to("1m");
    assert_eq!(world.paged("handset:john"), ["+0:00"], "{}", world.timeline());
}

#[test]
fn a_role_whose_outcome_is_unknown_costs_no_waiting() {
    let mut world = World::new(ops().plan("ops", 0, &["email:role@example.org after 10m", "john after 10m"]))
        .carrier_always("email:role@example.org", Reply::NoAnswer);
    world.run_to("1m");
    assert_eq!(world.paged("handset:john"), ["+0:10"], "{}", world.timeline());
}

#[test]
fn a_role_rung_during_the_answer_is_told_late() {
    let mut world = World::new(ops().plan("ops", 0, &["email:role@example.org after 10m"]))
        .carrier("email:role@example.org", &[Reply::AcceptsAfter(4)]);
    world.run_to("2s");
    world.acknowledge("john");
    world.run_to("1h");
    assert_snapshot!(world.timeline_from(START + duration("1s")), @r"
    +0:02 acknowledged by John
    +0:04 notice → email:role@example.org: John has it
    ");
}

#[test]
fn a_notice_that_is_refused_is_tried_again_although_the_alert_is_over() {
    let mut world = World::new(ops()).carrier("handset:john", &[Reply::Accepts, Reply::Refuses]);
    world.run_to("10s");
    world.resolve();
    world.run_to("1h");
    assert_eq!(world.noticed().len(), 2, "{}", world.timeline());
    assert_eq!(world.state.alert.status, Status::Resolved);
}

#[test]
fn carriers_that_refuse_everything_make_a_bounded_number_of_sends() {
    let mut world = World::new(ops().plan("ops", 20, &["john after 10m", "bob after 10m"]))
        .carrier_always("handset:john", Reply::RefusesForGood)
        .carrier_always("email:john@example.org", Reply::RefusesForGood)
        .carrier_always("handset:bob", Reply::RefusesForGood);
    world.run_to("7d");
    assert_eq!(world.state.alert.status, Status::Unanswered);
    assert_eq!(world.claimed(Purpose::Page).count(), 21 * 3);
}
