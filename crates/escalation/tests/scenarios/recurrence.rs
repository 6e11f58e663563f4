//! Problems that come back or fall quiet; and a long life with a restart at every moment.

use escalation::alert::{Status, Verdict};
use escalation::event::Severity;
use escalation::silence::Match;
use insta::assert_snapshot;

use crate::lifecycle::ops;
use crate::roster::{Roster, duration};
use crate::world::{MOMENT, START, World};
#[test]
fn what_comes_back_goes_on_from_the_step_reached_and_only_in_time() {
    let ended = || {
        let mut world = World::new(ops().lasting("ops", &["reopen_within 10m"]));
        world.run_to("1m10s");
        world.resolve();
        world.run_before("11m10s");
        world
    };
    let mut world = ended();
    assert_eq!(world.trigger(Severity::Error), Verdict::Done, "at the end of the time");
    world.run_to("11m20s");
    assert_snapshot!(world.timeline_from(START + duration("2m")), @r"
    +11:10 triggered again
    +11:10 reopened 10m after its end; step 1 has fired before and is not fired again
    +11:10 round 2: it came back
    +11:10 step 2 pages bob
    +11:10 page → handset:bob
    ");
    let mut world = ended();
    world.now += MOMENT;
    assert!(matches!(world.trigger(Severity::Error), Verdict::Refused(_)), "a moment later");
    let mut world = ended();
    world.state.alert.merged_into = Some(9);
    assert!(matches!(world.trigger(Severity::Error), Verdict::Refused(_)), "it is another one now");
}

#[test]
fn it_is_over_when_it_falls_quiet_and_somebody_has_it() {
    let mut world = World::new(ops().lasting("ops", &["resolve_after 1h"]));
    world.run_to("30m");
    world.acknowledge("john");
    world.run_before("1h30m");
    world.trigger(Severity::Error);
    world.run_before("2h30m");
    assert_eq!(world.state.alert.status, Status::Acknowledged, "reported again, it has an hour more");
    world.run_until(world.now);
    assert_eq!(world.state.alert.status, Status::Resolved);
    // Nobody has answered, and it is urgent: that the sender fell silent is no answer.
    let mut world = World::new(ops().lasting("ops", &["resolve_after 1h"]));
    world.run_to("24h");
    assert_eq!(world.state.alert.status, Status::Unanswered);
}

#[test]
fn a_restart_at_any_moment_of_a_long_life_changes_nothing() {
    let lasting = ["ack_timeout 30m", "reopen_within 10m", "resolve_after 4h"];
    let live = |pause: bool| {
        let silence = Match { severities: vec![Severity::Error], ..Match::default() };
        let from = START + duration("2h");
        let mut world = World::new(ops().lasting("ops", &lasting).silenced("quiet", silence, from, "1h"));
        let run = |world: &mut World, to: &str| {
            // A stored state is all that a restart leaves: nothing else may matter.
            while world.tick(START + duration(to)) {
                if pause {
                    world.state = world.state.clone();
                    world.look_at_silences();
                }
            }
            world.now = START + duration(to);
        };
        run(&mut world, "1m10s");
        world.acknowledge("bob");
        run(&mut world, "1h");
        world.snooze("carol", "1h30m");
        run(&mut world, "2h30m");
        world.look_at_silences();
        run(&mut world, "4h");
        world.add_responder("bob", "carol");
        world.reassign("bob", "web");
        run(&mut world, "5h");
        world.resolve();
        world.trigger(Severity::Error);
        run(&mut world, "12h");
        (world.timeline(), world.state.alert.status)
    };
    assert_eq!(live(false), live(true));
}
