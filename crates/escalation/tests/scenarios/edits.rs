//! Plans, people and teams that change while an alert runs, and hours in which nothing runs at all.

use escalation::alert::Status;
use escalation::delivery::Purpose;
use escalation::directory::Directory;
use escalation::effect::EntryKind;
use insta::assert_snapshot;

use crate::roster::{Roster, duration};
use crate::world::{Reply, START, World};

fn ops() -> Directory {
    Directory::default()
        .person("john", &["handset:john wait 2m", "email:john@example.org every 2m"])
        .person("bob", &["handset:bob every 2m"])
        .person("carol", &["handset:carol"])
        .team("ops", &["john", "bob"])
        .plan("ops", 0, &["on_call after 5m", "bob after 5m", "carol after 5m"])
        .service(&["email:last@example.org"], &[])
}

#[test]
fn a_plan_that_became_shorter_ends_the_round_when_its_step_was_due() {
    let mut world = World::new(ops());
    world.run_to("6m");
    world.directory = ops().plan("ops", 0, &["on_call after 1m"]);
    world.run_to("9m");
    assert_eq!(world.count(EntryKind::LastResort), 0, "a wake that was set keeps its time");
    world.run_to("10m");
    assert_snapshot!(world.timeline_from(START + duration("10m")), @r"
    +10:00 last resort pages email:last@example.org
    +10:00 page → email:last@example.org
    +10:00 page → email:john@example.org
    ");
}

#[test]
fn a_plan_that_became_longer_goes_on_at_its_place() {
    let mut world = World::new(ops().plan("ops", 0, &["on_call after 5m"]));
    world.run_to("1m");
    world.directory = ops();
    world.run_to("5m");
    assert_eq!(world.paged("handset:bob"), ["+5:00"]);
}

#[test]
fn a_step_already_due_is_not_dropped_by_an_edit() {
    let mut world = World::new(ops());
    world.run_before("5m");
    world.directory = ops().plan("ops", 0, &["on_call after 1h", "carol after 1h"]);
    world.run_to("5m");
    assert_eq!(world.paged("handset:carol"), ["+5:00"]);
}

#[test]
fn a_step_reads_whom_to_page_when_it_fires() {
    let mut world = World::new(ops().plan("ops", 1, &["on_call after 5m"]));
    world.run_to("1m");
    world.directory.teams.extend(Directory::default().team("ops", &["carol"]).plan("ops", 1, &[]).teams);
    world.run_to("5m");
    assert_eq!(world.paged("handset:carol"), ["+5:00"], "{}", world.timeline());
}

#[test]
fn a_deleted_persons_page_ends_as_empty_and_costs_no_waiting() {
    let mut world = World::new(ops());
    world.run_to("1m");
    world.directory.people.remove("john");
    world.run_to("3m");
    assert_snapshot!(world.timeline_from(START + duration("1m")), @r"
    +2:00 page: john: no contact is left to try
    +2:00 step 1: everything that this step sent has failed
    +2:00 step 2 pages bob
    +2:00 page → handset:bob
    ");
}

#[test]
fn a_deleted_person_who_was_rung_may_still_answer_and_is_still_told() {
    let mut world = World::new(ops());
    world.run_to("1m");
    world.directory.people.remove("john");
    world.acknowledge("bob");
    world.run_to("1h");
    assert_eq!(world.noticed(), ["handset:john"]);
}

#[test]
fn a_deleted_team_ends_in_the_last_resort_of_the_service() {
    let mut world = World::new(ops());
    world.run_to("1m");
    world.directory.teams.clear();
    world.run_to("5m");
    assert_snapshot!(world.timeline_from(START + duration("5m")), @r"
    +5:00 last resort pages email:last@example.org
    +5:00 page → email:last@example.org
    ");
    world.run_to("20m");
    assert_eq!(world.state.alert.status, Status::Unanswered);
}

#[test]
fn a_notification_plan_that_became_shorter_waits_for_an_answer() {
    let mut world = World::new(ops());
    world.run_to("3m");
    world.directory = ops().person("john", &["handset:john wait 2m"]);
    world.run_to("5m");
    assert_eq!(world.state.pages.iter().filter(|page| page.is_live()).count(), 2, "{}", world.timeline());
    assert_eq!(world.paged("email:john@example.org"), ["+2:00"]);
}

#[test]
fn a_notification_plan_that_became_longer_goes_on_at_its_place() {
    let mut world = World::new(ops());
    world.run_to("3m");
    let steps =
        ["handset:john wait 2m", "email:john@example.org wait 1m", "webhook:https://john.example.org/"];
    world.directory = ops().person("john", &steps);
    world.run_to("5m");
    assert_eq!(world.paged("webhook:https://john.example.org/"), ["+4:00"], "{}", world.timeline());
}

#[test]
fn after_an_outage_one_step_fires_and_repeats_are_not_caught_up() {
    let mut world = World::new(ops());
    world.run_to("1m");
    world.outage_to("3h");
    world.run_to("3h5m");
    assert_snapshot!(world.timeline_from(START + duration("3h")), @r"
    +3:00:00 step 2 pages bob
    +3:00:00 page → email:john@example.org
    +3:00:00 page → handset:bob
    +3:02:00 page → email:john@example.org
    +3:02:00 page → handset:bob
    +3:04:00 page → email:john@example.org
    +3:04:00 page → handset:bob
    +3:05:00 step 3 pages carol
    +3:05:00 page → handset:carol
    ");
}

#[test]
fn an_outage_at_any_moment_fires_at_most_one_step_at_once() {
    for second in (1..1_500).step_by(7) {
        let mut world =
            World::new(ops().plan("ops", 2, &["on_call after 1m", "bob after 2m", "carol after 3m"]));
        world.run_to(&format!("{second}s"));
        let steps = |world: &World| world.count(EntryKind::Step) + world.count(EntryKind::LastResort);
        let before = steps(&world);
        let pages = world.claimed(Purpose::Page).count();
        world.outage_to("3h");
        world.run_to("3h");
        assert!(steps(&world) <= before + 1, "{}", world.timeline());
        // One message to each of the three people and the last resort at most.
        assert!(world.claimed(Purpose::Page).count() <= pages + 4, "{}", world.timeline());
    }
}

#[test]
fn what_was_acknowledged_before_an_outage_stays_silent_after_it() {
    let mut world = World::new(ops());
    world.run_to("1m");
    world.outage_to("3h");
    world.acknowledge("bob");
    let pages = world.claimed(Purpose::Page).count();
    world.run_to("6h");
    assert_eq!(world.claimed(Purpose::Page).count(), pages);
}

#[test]
fn a_send_that_an_outage_interrupted_is_made_again() {
    let mut world = World::new(ops()).carrier("handset:john", &[Reply::SenderDies]);
    world.run_to("5s");
    world.outage_to("10m");
    world.run_to("10m");
    assert_eq!(world.paged("handset:john"), ["+0:00", "+10:00"], "{}", world.timeline());
}

#[test]
fn a_clock_that_goes_back_loses_nothing_and_repeats_nothing() {
    let mut world = World::new(ops());
    world.run_to("4m30s");
    world.outage_to("3m");
    world.run_to("5m");
    assert_eq!(world.count(EntryKind::Step), 2);
    assert_eq!(world.paged("handset:bob"), ["+5:00"]);
}
