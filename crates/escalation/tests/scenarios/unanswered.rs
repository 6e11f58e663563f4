//! Nobody answers, to the very end.

use escalation::alert::Status;
use escalation::delivery::Purpose;
use escalation::directory::Directory;
use escalation::effect::EntryKind;
use escalation::event::Severity;
use insta::assert_snapshot;
use jiff::SignedDuration;

use crate::roster::{Roster, duration};
use crate::world::{Reply, START, World};

fn ops() -> Directory {
    Directory::default()
        .person("john", &["handset:john every 7m"])
        .person("bob", &["handset:bob"])
        .planless("carol", &["email:carol@example.org"])
        .team("ops", &["john", "bob"])
        .plan("ops", 1, &["on_call after 5m", "bob after 5m"])
        .last_resort("ops", &["carol"])
        .service(&["bob"], &["email:operators@example.org"])
}

#[test]
fn everybody_is_paged_in_every_round_then_the_last_resort_then_the_operators_are_warned() {
    let mut world = World::new(ops());
    world.run_to("50m");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +5:00 step 2 pages bob
    +5:00 page → handset:bob
    +7:00 page → handset:john
    +10:00 round 2: nobody has answered yet
    +10:00 step 1 pages john
    +10:00 page → handset:john
    +15:00 step 2 pages bob
    +15:00 page → handset:bob
    +17:00 page → handset:john
    +20:00 last resort pages carol
    +20:00 page → email:carol@example.org
    +24:00 page → handset:john
    +31:00 page → handset:john
    +35:00 unanswered
    +35:00 warning → email:operators@example.org: nobody has answered; everybody in the plan and the last resort was paged
    +38:00 page → handset:john
    +45:00 page → handset:john
    ");
    assert_eq!(world.state.alert.status, Status::Unanswered);
}

#[test]
fn from_the_moment_it_is_unanswered_repeats_are_five_minutes_apart() {
    let mut world = World::new(
        Directory::default().person("john", &["handset:john every 1m"]).team("ops", &["john"]).plan(
            "ops",
            0,
            &["john after 10m30s"],
        ),
    );
    world.run_to("2h");
    let unanswered = START + duration("10m30s");
    let times: Vec<_> = world.claimed(Purpose::Page).map(|(at, _)| *at).collect();
    for pair in times.windows(2) {
        let gap = pair[1].duration_since(pair[0]);
        let least = SignedDuration::from_mins(if pair[1] > unanswered { 5 } else { 1 });
        assert!(gap >= least, "{gap:?} apart\n{}", world.timeline());
    }
    assert!(times.len() > 25, "it goes on\n{}", world.timeline());
}

#[test]
fn an_unanswered_page_never_falls_silent() {
    let mut world = World::new(ops());
    world.run_to("7d");
    let last = world.claimed(Purpose::Page).last().unwrap().0;
    assert!(last > world.now - SignedDuration::from_mins(8));
    assert_eq!(world.count(EntryKind::LastResort), 1);
    assert_eq!(world.count(EntryKind::Unanswered), 1);
    assert_eq!(world.claimed(Purpose::Warning).count(), 1);
}

#[test]
fn an_unanswered_alert_can_still_be_answered() {
    let mut world = World::new(ops());
    world.run_to("40m");
    world.acknowledge("carol");
    let pages = world.claimed(Purpose::Page).count();
    world.run_to("6h");
    assert_eq!(world.claimed(Purpose::Page).count(), pages);
    assert_eq!(world.state.alert.status, Status::Acknowledged);
}

#[test]
fn a_new_trigger_starts_a_round_at_most_hourly() {
    let mut world = World::new(ops());
    let mut rounds = Vec::new();
    for minute in 1..=60 * 12 {
        world.run_to(&format!("{minute}m"));
        let round = world.state.alert.round;
        let was_unanswered = world.state.alert.status == Status::Unanswered;
        world.trigger(Severity::Error);
        if world.state.alert.round > round {
            assert!(was_unanswered, "a trigger restarted a running round at {minute} m");
            rounds.push(minute);
        }
    }
    assert!(rounds.len() >= 8, "{rounds:?}");
    for pair in rounds.windows(2) {
        assert!(pair[1] - pair[0] >= 60, "{rounds:?}");
    }
    assert_eq!(world.state.alert.triggers, 1 + 60 * 12);
}

#[test]
fn without_any_last_resort_the_end_is_told_at_once() {
    let mut world = World::new(
        Directory::default()
            .person("john", &["handset:john"])
            .team("ops", &["john"])
            .plan("ops", 0, &["on_call after 5m"])
            .service(&[], &["email:operators@example.org"]),
    );
    world.run_to("1h");
    assert_snapshot!(world.timeline(), @r"
    +0:00 triggered
    +0:00 step 1 pages john
    +0:00 page → handset:john
    +5:00 page: no last resort is set, for the team or for the service
    +5:00 unanswered
    +5:00 warning → email:operators@example.org: nobody has answered; everybody in the plan and the last resort was paged
    ");
}

#[test]
fn a_team_without_a_last_resort_has_that_of_the_service() {
    let mut world =
        World::new(ops().last_resort("ops", &[]).service(&["carol", "email:ops@example.org"], &[]));
    world.run_to("20m");
    assert_snapshot!(world.timeline_from(START + duration("20m")), @r"
    +20:00 last resort pages carol, email:ops@example.org
    +20:00 page → email:carol@example.org
    +20:00 page → email:ops@example.org
    ");
}

#[test]
fn a_last_resort_that_fails_costs_no_waiting() {
    let mut world = World::new(ops()).carrier_always("email:carol@example.org", Reply::RefusesForGood);
    world.run_to("20m");
    assert_eq!(world.state.alert.status, Status::Unanswered, "{}", world.timeline());
    assert_eq!(world.claimed(Purpose::Warning).count(), 1);
}

#[test]
fn the_gap_of_a_last_resort_names_no_step_of_the_plan() {
    let mut world = World::new(ops()).carrier_always("email:carol@example.org", Reply::RefusesForGood);
    world.run_to("20m");
    let gap = world.history.iter().find(|entry| entry.kind == EntryKind::Gap).unwrap();
    assert_eq!(gap.step, None, "the plan has two steps\n{}", world.timeline());
}

#[test]
fn a_chosen_step_gets_its_time_although_the_last_resort_was_running() {
    let mut world = World::new(ops());
    world.run_to("34m");
    world.escalate("bob", Some(2));
    world.run_to("38m50s");
    assert_eq!(world.state.alert.status, Status::Triggered, "{}", world.timeline());
}

#[test]
fn not_me_by_one_does_not_cut_the_last_resort_short() {
    let mut world = World::new(ops());
    world.run_to("21m");
    world.not_me("john");
    world.run_to("34m50s");
    assert_eq!(world.state.alert.status, Status::Triggered, "{}", world.timeline());
    world.run_to("35m");
    assert_eq!(world.state.alert.status, Status::Unanswered, "{}", world.timeline());
}

#[test]
fn a_fault_of_ours_leaves_the_alert_open_and_tells_everybody_by_every_contact() {
    let mut world = World::new(ops().planless("carol", &["email:carol@example.org", "handset:carol"]));
    world.run_to("6m");
    let broken = escalation::invariant::Broken { rule: 1, sentence: "a rule" };
    let mut chance = || 1;
    let ids = escalation::id::Ids { now: world.now, chance: &mut chance };
    let stepped = escalation::alert::fault(world.state, &broken, &world.directory, ids);
    assert_eq!(stepped.state.alert.status, Status::Unanswered);
    assert_eq!(escalation::invariant::check(&stepped.state), Ok(()));
    let told = stepped.effects.iter().filter_map(|effect| match effect {
        escalation::effect::Effect::Deliver(delivery) => Some((delivery.purpose, delivery.contact.as_str())),
        _ => None,
    });
    let expected = ["email:operators@example.org", "email:carol@example.org", "handset:carol"]
        .map(|to| (Purpose::Warning, to));
    assert_eq!(told.collect::<Vec<_>>(), expected);
}
