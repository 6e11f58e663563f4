//! What the sender says anew: other words, graver severities, and alerts that turn out to be one.

use escalation::alert::{Audience, Status, Verdict, check_merge};
use escalation::delivery::Purpose;
use escalation::event::{Input, Severity};
use escalation::id::AlertId;
use escalation::silence::Match;
use insta::assert_snapshot;

use crate::lifecycle::{everything, ops};
use crate::roster::{Roster, duration, name};
use crate::world::{Reply, START, World, monitoring};

fn amend(
    world: &mut World,
    summary: Option<&str>,
    details: Option<&str>,
    severity: Option<Severity>,
) -> Verdict {
    world.take(&Input::Amend {
        by: monitoring(),
        summary: summary.map(str::to_owned),
        details: details.map(str::to_owned),
        severity,
    })
}

fn begun(severity: Severity) -> World {
    let mut world = World::begin(ops(), Audience::Team(name("ops")), severity);
    world.run_to("10s");
    world
}

#[test]
fn what_is_said_anew_is_taken_on_told_and_pages_nobody() {
    let mut world = begun(Severity::Error);
    assert_eq!(
        amend(&mut world, Some("disk of db1 full"), Some("97 %"), Some(Severity::Critical)),
        Verdict::Done
    );
    assert_eq!(amend(&mut world, None, Some("98 %"), None), Verdict::Done);
    let alert = &world.state.alert;
    assert_eq!((alert.summary.as_str(), alert.details.as_str()), ("disk of db1 full", "98 %"));
    assert_eq!((alert.severity, alert.triggers, alert.round), (Severity::Critical, 1, 1));
    world.run_to("20s");
    assert_snapshot!(world.timeline_from(START + duration("10s")), @r"
    +0:10 amended by Monitoring: disk of db1 full
    +0:10 amended by Monitoring: more details
    ");
}

#[test]
fn what_says_nothing_new_changes_nothing() {
    let mut world = begun(Severity::Error);
    for severity in [None, Some(Severity::Error), Some(Severity::Info)] {
        assert_eq!(amend(&mut world, Some("disk full"), Some(""), severity), Verdict::Already);
    }
    world.resolve();
    assert!(matches!(amend(&mut world, Some("other"), None, None), Verdict::Refused(_)));
}

#[test]
fn what_becomes_urgent_by_an_amendment_is_paged_anew_whoever_had_it() {
    let mut world = begun(Severity::Info);
    world.acknowledge("bob");
    amend(&mut world, None, None, Some(Severity::Warning));
    assert_eq!(world.state.alert.status, Status::Acknowledged, "as little urgent as before");
    amend(&mut world, None, None, Some(Severity::Critical));
    world.run_to("11s");
    assert_snapshot!(world.timeline_from(START + duration("10s")), @r"
    +0:10 acknowledged by Bob
    +0:10 amended by Monitoring: warning
    +0:10 amended by Monitoring: critical
    +0:10 round 2: it became urgent
    +0:10 step 1 pages john
    +0:10 notice → handset:john: Bob has it
    +0:10 page → handset:john
    ");
}

#[test]
fn a_graver_one_that_no_silence_means_any_more_comes_back() {
    let mut world = begun(Severity::Error);
    let errors = Match { severities: vec![Severity::Error], ..Match::default() };
    world.directory = std::mem::take(&mut world.directory).silenced("errors", errors, START, "3h");
    world.look_at_silences();
    assert_eq!(world.state.alert.status, Status::Silenced);
    amend(&mut world, None, None, Some(Severity::Critical));
    world.run_to("11s");
    assert_eq!(world.state.alert.status, Status::Triggered, "{}", world.timeline());
}

#[test]
fn only_open_alerts_go_into_another_open_one() {
    let into = begun(Severity::Error).state.alert;
    let mut other = into.clone();
    other.id = AlertId::from_bytes([7; 16]);
    let mut resolved = other.clone();
    resolved.status = Status::Resolved;
    assert_eq!(check_merge(&into, &[&other]), Ok(()));
    assert_eq!(check_merge(&into, &[]), Ok(()));
    assert!(check_merge(&resolved, &[&into]).unwrap_err().contains("merge into one that is open"));
    assert!(check_merge(&into, &[&other, &into]).unwrap_err().contains("into itself"));
    assert!(check_merge(&into, &[&other, &resolved]).unwrap_err().contains("leave it out"));
}

#[test]
fn what_goes_into_another_is_counted_there_with_all_its_reports() {
    let mut other = begun(Severity::Critical);
    other.state.alert.number = 12;
    other.run_to("20s");
    other.trigger(Severity::Info);
    let mut world = begun(Severity::Error);
    world.run_to("30s");
    let by = world.actor("john");
    world.take(&Input::Absorb { by, other: other.state.alert.absorbed() });
    let alert = &world.state.alert;
    assert_eq!((alert.triggers, alert.severity), (3, Severity::Critical));
    assert_eq!(alert.triggered_at, START + duration("20s"), "when it was last reported");
    assert!(world.timeline().contains("#12 disk full goes into it, says John"));
}

/// A page that is under way while something ends it rings three seconds later.
fn rings_late(end: impl FnOnce(&mut World)) -> String {
    let mut world = World::new(ops()).carrier("handset:john", &[Reply::AcceptsAfter(3)]);
    world.run_to("1s");
    end(&mut world);
    world.run_to("59s");
    assert_eq!(world.claimed(Purpose::Page).count(), 1, "{}", world.timeline());
    world.timeline_from(START + duration("2s"))
}

#[test]
fn a_page_that_rings_after_its_end_is_told_what_became_of_the_alert() {
    assert_eq!(
        rings_late(|world| drop(world.merge_into("bob"))),
        "+0:03 notice → handset:john: it goes on as #9, says Bob\n"
    );
    assert_eq!(
        rings_late(|world| drop(world.snooze("bob", "1h"))),
        "+0:03 notice → handset:john: Bob put it aside\n"
    );
    assert_eq!(
        rings_late(|world| {
            world.directory =
                std::mem::take(&mut world.directory).silenced("quiet", everything(), START, "3h");
            world.look_at_silences();
        }),
        "+0:03 notice → handset:john: silenced by Carol: planned work; nothing to do for now\n"
    );
}

#[test]
fn what_comes_back_says_which_steps_are_not_fired_again() {
    for (time, told) in [
        ("30s", "reopened 10s after its end\n"),
        ("90s", "reopened 10s after its end; step 1 has fired before and is not fired again\n"),
        ("150s", "reopened 10s after its end; steps 1 to 2 have fired before and are not fired again\n"),
        (
            "4m",
            "reopened 10s after its end; every step has fired before, so it goes on with the last resort\n",
        ),
    ] {
        let steps = ["john after 1m", "bob after 1m", "carol after 1m"];
        let mut world = World::new(ops().plan("ops", 0, &steps).lasting("ops", &["reopen_within 10m"]));
        world.run_to(time);
        world.resolve();
        world.run_until(world.now + duration("10s"));
        world.trigger(Severity::Error);
        assert!(world.timeline().contains(told), "{time}\n{}", world.timeline());
    }
}
