//! The life of an alert: every act on every status. What each timed thing does is in `owner`, `aside`, `passing` and
//! `recurrence`.

use std::fmt::Write;

use escalation::alert::{Status, Verdict};
use escalation::directory::Directory;
use escalation::event::{Input, Severity};
use escalation::silence::{Match, Pattern};
use insta::assert_snapshot;

use crate::roster::Roster;
use crate::world::{START, World};

pub fn ops() -> Directory {
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

pub fn everything() -> Match {
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
                std::mem::take(&mut world.directory).silenced("quiet", everything(), START, "3h");
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
