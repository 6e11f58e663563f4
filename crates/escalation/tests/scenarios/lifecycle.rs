//! The life of an alert: every act on every status, and what each timed thing does just before its instant, at it
//! and after it.

use std::fmt::Write;

use escalation::alert::{Status, Verdict};
use escalation::directory::Directory;
use escalation::event::{Input, Severity};
use escalation::page::{Asks, EndedWhy};
use escalation::silence::{Match, Pattern};
use insta::assert_snapshot;

use crate::roster::{Roster, duration};
use crate::world::{MOMENT, START, World};

fn ops() -> Directory {
    Directory::default()
        .person("john", &["handset:john every 20m"])
        .person("bob", &["handset:bob every 20m"])
        .person("carol", &["handset:carol every 20m"])
        .person("dave", &["handset:dave every 20m"])
        .team("ops", &["john", "bob"])
        .plan("ops", 0, &["john after 1m", "bob after 1m"])
        .team("web", &["carol"])
        .plan("web", 0, &["carol after 5m"])
        .last_resort("web", &["dave"])
        .service(&["email:last@example.org"], &["email:operators@example.org"])
}

fn everything() -> Match {
    Match { summary: Some(Pattern::new("*").unwrap()), ..Match::default() }
}

/// An alert in each status, 2 h after its start at the latest.
fn reach(status: Status) -> World {
    let mut world = World::new(ops());
    world.run_to("10s");
    match status {
        Status::Triggered => {}
        Status::Acknowledged => drop(world.acknowledge("john")),
        Status::Unanswered => world.run_to("2h"),
        Status::Snoozed => drop(world.snooze("john", "3h")),
        Status::Silenced => {
            world.directory =
                std::mem::take(&mut world.directory).silence("quiet", everything(), START, "3h");
            world.look_at_silences();
        }
        Status::Resolved => drop(world.resolve()),
    }
    assert_eq!(world.state.alert.status, status);
    world
}

type Act = (&'static str, fn(&mut World) -> Verdict);

const ACTS: [Act; 16] = [
    ("acknowledge by the owner", |world| world.acknowledge("john")),
    ("acknowledge by another", |world| world.acknowledge("bob")),
    ("take over", |world| world.take_over("bob")),
    ("unacknowledge", |world| world.unacknowledge("bob")),
    ("resolve", World::resolve),
    ("escalate", |world| world.escalate("bob", None)),
    ("escalate to step 1", |world| world.escalate("bob", Some(1))),
    ("not me", |world| world.not_me("john")),
    ("snooze", |world| world.snooze("bob", "4h")),
    ("snooze until what is over", |world| {
        let now = world.now;
        world.take(&Input::Snooze { by: world.actor("bob"), until: now })
    }),
    ("reassign to web", |world| world.reassign("bob", "web")),
    ("reassign to nobody", |world| world.reassign("bob", "nowhere")),
    ("add responder", |world| world.add_responder("bob", "dave")),
    ("trigger again", |world| world.trigger(Severity::Error)),
    ("another is merged in", |world| world.absorb("bob", Severity::Error)),
    ("merge into another", |world| world.merge_into("bob")),
];

#[test]
fn every_act_on_every_status() {
    let mut table = String::new();
    for (what, act) in ACTS {
        let _ = writeln!(table, "{what}");
        for status in Status::ALL {
            let mut world = reach(status);
            let verdict = match act(&mut world) {
                Verdict::Done => "done".to_owned(),
                Verdict::Already => "already so".to_owned(),
                Verdict::HasIt(act) => format!("{} has it", act.by),
                Verdict::Refused(why) => format!("refused: {why}"),
            };
            let after = &world.state.alert;
            let live = world.state.pages.iter().filter(|page| page.is_live());
            let mut live: Vec<&str> = live.map(|page| page.person.as_str()).collect();
            live.sort_unstable();
            let asked =
                if live.is_empty() { String::new() } else { format!(", asks {}", live.join(" and ")) };
            let from = status.word();
            let _ = writeln!(
                table,
                "  {from:<13} {verdict} → {} in round {}{asked}",
                after.status.word(),
                after.round
            );
        }
    }
    assert_snapshot!(table, @r"
    acknowledge by the owner
      triggered     done → acknowledged in round 1
      acknowledged  already so → acknowledged in round 1
      unanswered    done → acknowledged in round 1
      snoozed       done → acknowledged in round 1
      silenced      done → acknowledged in round 1
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    acknowledge by another
      triggered     done → acknowledged in round 1
      acknowledged  John has it → acknowledged in round 1
      unanswered    done → acknowledged in round 1
      snoozed       done → acknowledged in round 1
      silenced      done → acknowledged in round 1
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    take over
      triggered     done → acknowledged in round 1
      acknowledged  done → acknowledged in round 1
      unanswered    done → acknowledged in round 1
      snoozed       done → acknowledged in round 1
      silenced      done → acknowledged in round 1
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    unacknowledge
      triggered     refused: nobody has acknowledged the alert, so it is being paged already → triggered in round 1, asks john
      acknowledged  done → triggered in round 2, asks john
      unanswered    refused: nobody has acknowledged the alert, so it is being paged already → unanswered in round 1, asks bob and john
      snoozed       done → triggered in round 2, asks john
      silenced      refused: a silence holds the alert back; escalate it to page people all the same → silenced in round 1
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    resolve
      triggered     done → resolved in round 1
      acknowledged  done → resolved in round 1
      unanswered    done → resolved in round 1
      snoozed       done → resolved in round 1
      silenced      done → resolved in round 1
      resolved      already so → resolved in round 1
    escalate
      triggered     done → triggered in round 1, asks bob and john
      acknowledged  done → triggered in round 2, asks bob
      unanswered    done → triggered in round 2, asks bob and john
      snoozed       done → triggered in round 2, asks bob
      silenced      done → triggered in round 2, asks bob
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    escalate to step 1
      triggered     done → triggered in round 1, asks bob and john
      acknowledged  done → triggered in round 2, asks john
      unanswered    done → triggered in round 2, asks bob and john
      snoozed       done → triggered in round 2, asks john
      silenced      done → triggered in round 2, asks john
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    not me
      triggered     done → triggered in round 1, asks bob
      acknowledged  refused: no page of yours is open for this alert → acknowledged in round 1
      unanswered    done → unanswered in round 1, asks bob
      snoozed       refused: no page of yours is open for this alert → snoozed in round 1
      silenced      refused: no page of yours is open for this alert → silenced in round 1
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    snooze
      triggered     done → snoozed in round 1
      acknowledged  done → snoozed in round 1
      unanswered    done → snoozed in round 1
      snoozed       done → snoozed in round 1
      silenced      done → snoozed in round 1
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    snooze until what is over
      triggered     refused: that time is over; name one that is still to come → triggered in round 1, asks john
      acknowledged  refused: that time is over; name one that is still to come → acknowledged in round 1
      unanswered    refused: that time is over; name one that is still to come → unanswered in round 1, asks bob and john
      snoozed       refused: that time is over; name one that is still to come → snoozed in round 1
      silenced      refused: that time is over; name one that is still to come → silenced in round 1
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    reassign to web
      triggered     done → triggered in round 2, asks carol
      acknowledged  done → triggered in round 2, asks carol
      unanswered    done → triggered in round 2, asks carol
      snoozed       done → triggered in round 2, asks carol
      silenced      done → triggered in round 2, asks carol
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    reassign to nobody
      triggered     refused: there is no such team or person → triggered in round 1, asks john
      acknowledged  refused: there is no such team or person → acknowledged in round 1
      unanswered    refused: there is no such team or person → unanswered in round 1, asks bob and john
      snoozed       refused: there is no such team or person → snoozed in round 1
      silenced      refused: there is no such team or person → silenced in round 1
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    add responder
      triggered     done → triggered in round 1, asks dave and john
      acknowledged  done → acknowledged in round 1, asks dave
      unanswered    done → unanswered in round 1, asks bob and dave and john
      snoozed       done → snoozed in round 1, asks dave
      silenced      done → silenced in round 1, asks dave
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    trigger again
      triggered     done → triggered in round 1, asks john
      acknowledged  done → acknowledged in round 1
      unanswered    done → triggered in round 2, asks bob and john
      snoozed       done → snoozed in round 1
      silenced      done → silenced in round 1
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    another is merged in
      triggered     done → triggered in round 1, asks john
      acknowledged  done → acknowledged in round 1
      unanswered    done → unanswered in round 1, asks bob and john
      snoozed       done → snoozed in round 1
      silenced      done → silenced in round 1
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    merge into another
      triggered     done → resolved in round 1
      acknowledged  done → resolved in round 1
      unanswered    done → resolved in round 1
      snoozed       done → resolved in round 1
      silenced      done → resolved in round 1
      resolved      refused: the alert is resolved; a new trigger opens a new one → resolved in round 1
    ");
}

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
        escalation::alert::Audience::Team(crate::roster::name("ops")),
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
        let audience = escalation::alert::Audience::Team(crate::roster::name("ops"));
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
    silenced.directory = std::mem::take(&mut silenced.directory).silence("low", low, START, "3h");
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
    all.directory = std::mem::take(&mut all.directory).silence("all", everything(), START, "3h");
    all.look_at_silences();
    all.trigger(Severity::Critical);
    assert_eq!(all.state.alert.status, Status::Silenced);
}

#[test]
fn a_silence_holds_back_the_first_page_and_every_later_round_and_ends_by_itself() {
    let mut world = World::new(ops().silence("quiet", everything(), START, "1h"));
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
    world.directory = std::mem::take(&mut world.directory).silence("more", everything(), from, "1h");
    world.unacknowledge("john");
    assert_eq!(world.state.alert.status, Status::Silenced);
    world.run_to("2h1s");
    assert_eq!(world.state.alert.status, Status::Triggered);
}

#[test]
fn silences_that_follow_each_other_are_one_wait() {
    let directory = ops()
        .silence("first", everything(), START, "1h")
        .silence("second", everything(), START + duration("30m"), "1h")
        .silence("third", everything(), START + duration("2h"), "1h");
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
    let audience = escalation::alert::Audience::Team(crate::roster::name("ops"));
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
        let mut world = World::new(ops().lasting("ops", &lasting).silence("quiet", silence, from, "1h"));
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
