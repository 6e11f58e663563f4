//! Random people and plans, random inputs, random carriers and random jumps of time; after every single
//! thing that is done, what has always to be true.

use std::collections::BTreeSet;

use escalation::alert::{Audience, Status};
use escalation::delivery::{Delivery, MAX_UNKNOWN, Purpose, State as DeliveryState};
use escalation::directory::Directory;
use escalation::effect::{Entry, EntryKind};
use escalation::event::{Input, Severity};
use escalation::page::Asks;
use escalation::plan::Escalate;
use escalation::silence::Match;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::roster::{Roster, contact, name};
use crate::world::{Chance, Reply, World, monitoring};

/// The last is in no directory.
const PEOPLE: [&str; 5] = ["ann", "ben", "cat", "dan", "ghost"];
const STEPS: [&str; 6] = ["on_call", "next_on_call", "all_members", "email:role@example.org", "ann", "ghost"];
const TIMES: [&str; 5] = ["1s", "20s", "1m", "5m", "1h"];
/// What one step may do at most, for the sizes that are drawn here: in one pass over four steps, the
/// rest of the pass before it and the last resort, each person is withdrawn, paged and told about once.
const MOST_EFFECTS: usize = 150;

fn pick<'a>(chance: &mut Chance, from: &[&'a str]) -> &'a str {
    from[chance.below(from.len())]
}

fn several<'a>(chance: &mut Chance, from: &[&'a str], most: usize) -> Vec<&'a str> {
    (0..chance.below(most + 1)).map(|_| pick(chance, from)).collect()
}

fn directory(chance: &mut Chance) -> Directory {
    let mut made = Directory::default();
    for who in &PEOPLE[..4] {
        let contacts = [format!("handset:{who}"), format!("email:{who}@example.org")];
        let steps: Vec<String> = (0..chance.below(4))
            .map(|_| {
                let mut step = contacts[chance.below(2)].clone();
                for word in ["wait", "every"] {
                    if chance.below(2) == 0 {
                        step = format!("{step} {word} {}", pick(chance, &TIMES));
                    }
                }
                step
            })
            .collect();
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        made = match chance.below(6) {
            0 => made,
            1 => made.planless(who, &[&contacts[0]]),
            2 => made.planless(who, &[]),
            _ if steps.is_empty() => made.planless(who, &[&contacts[1], &contacts[0]]),
            _ => made.person(who, &steps),
        };
    }
    let members: BTreeSet<&str> = several(chance, &PEOPLE, 5).into_iter().collect();
    let last_resort = several(chance, &STEPS, 2);
    made = made.service(&several(chance, &STEPS, 2), &["email:operators@example.org"]);
    if chance.below(12) == 0 {
        return made;
    }
    made = made.team("ops", &members.into_iter().collect::<Vec<_>>());
    if chance.below(4) > 0 {
        let steps: Vec<String> = (0..1 + chance.below(4))
            .map(|_| {
                let mut targets = several(chance, &STEPS, 3);
                targets.push(pick(chance, &STEPS));
                format!("{} after {}", targets.join(" "), pick(chance, &TIMES))
            })
            .collect();
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        made = made.plan("ops", chance.below(3) as u8, &steps);
    }
    let lasting = ["ack_timeout 20s", "ack_timeout 5m", "reopen_within 5m", "resolve_after 1h"];
    made.last_resort("ops", &last_resort).lasting("ops", &several(chance, &lasting, 3))
}

fn begin(seed: u64) -> World {
    let mut chance = Chance(seed);
    let audience = match chance.below(4) {
        0 => Audience::Person(name(pick(&mut chance, &PEOPLE))),
        _ => Audience::Team(name("ops")),
    };
    let severity = Severity::ALL[chance.below(4)];
    let mut world = World::begin(directory(&mut chance), audience, severity);
    world.jitter = Some(Chance(seed));
    for who in &PEOPLE[..4] {
        for to in [format!("handset:{who}"), format!("email:{who}@example.org")] {
            if chance.below(2) == 0 {
                let replies: Vec<Reply> = (0..6).map(|_| reply(&mut chance)).collect();
                world = world.carrier(&to, &replies);
            } else if chance.below(3) == 0 {
                world = world.carrier_always(&to, reply(&mut chance));
            }
        }
    }
    world.carrier_always("email:role@example.org", reply(&mut chance))
}

fn reply(chance: &mut Chance) -> Reply {
    match chance.below(8) {
        0 => Reply::AcceptsAfter(chance.below(40) as i64),
        1 => Reply::RefusesForGood,
        2 => Reply::Refuses,
        3 => Reply::ComeAgainIn(chance.below(400) as i64),
        4 => Reply::NoAnswer,
        5 => Reply::SenderDies,
        _ => Reply::Accepts,
    }
}

/// One thing that happens from outside.
#[derive(Clone, Copy, Debug)]
struct Act {
    what: u8,
    who: usize,
    seed: u64,
    /// Seconds that pass first.
    after: i64,
    /// Nothing runs in that time.
    outage: bool,
}

prop_compose! {
    fn act()(
        what in 0_u8..30,
        who in 0_usize..PEOPLE.len(),
        seed in any::<u64>(),
        after in prop_oneof![Just(0_i64), 0_i64..5, 0_i64..120, 0_i64..4_000, 0_i64..20_000],
        outage in prop::bool::weighted(0.15),
    ) -> Act {
        Act { what, who, seed, after, outage }
    }
}

/// What is remembered from one check to the next.
#[derive(Default)]
struct Seen {
    history: usize,
    /// The newest step: its round, its place, and before when no other may fire by itself.
    step: Option<(u32, u16, Timestamp)>,
}

fn check(world: &World, seen: &mut Seen, by_clock: bool, in_order: bool) {
    let state = &world.state;
    let story = || world.timeline();
    assert!(world.effects <= MOST_EFFECTS, "{} effects of one step\n{}", world.effects, story());

    let is_answered = !state.alert.status.waits();
    let waiting = |it: &&Delivery| matches!(it.state, DeliveryState::Ready | DeliveryState::Claimed);
    for delivery in world.open().filter(|it| it.purpose == Purpose::Page).filter(waiting) {
        let page = state.pages.iter().find(|page| Some(page.id) == delivery.page);
        let is_wanted = delivery.is_wanted(Some(&state.alert), page, world.now);
        // Only what one person owes alone outlives an answer.
        let owes_alone = page.is_some_and(|page| page.asks != Asks::Anybody);
        assert!(!(is_answered && is_wanted && !owes_alone), "a page is claimable\n{}", story());
        assert!(
            !is_answered || is_wanted || delivery.state != DeliveryState::Ready,
            "a page waits to be claimed though it was answered\n{}",
            story()
        );
        assert!(delivery.unknown <= MAX_UNKNOWN, "{}", story());
    }
    if matches!(state.alert.status, Status::Triggered | Status::Snoozed | Status::Silenced) {
        assert!(!state.wakes.is_empty(), "forgotten\n{}", story());
    }
    let live: Vec<_> = state.pages.iter().filter(|page| page.is_live()).map(|page| &page.person).collect();
    let people: BTreeSet<_> = live.iter().collect();
    assert_eq!(live.len(), people.len(), "somebody has two live pages\n{}", story());

    let mut steps = 0;
    let begun_anew =
        |entry: &Entry| entry.kind == EntryKind::Round && entry.text != "nobody has answered yet";
    if world.history[seen.history..].iter().any(begun_anew) {
        // It was given back, put aside or silenced: what comes first comes at once.
        seen.step = None;
    }
    for entry in &world.history[seen.history..] {
        let (EntryKind::Step, Some(step)) = (entry.kind, entry.step) else { continue };
        steps += 1;
        if let Some((round, newest, not_before)) = seen.step {
            assert!(!by_clock || entry.at >= not_before, "step {} is early\n{}", step + 1, story());
            assert!(
                !in_order || round != entry.round || step > newest,
                "step {} out of order\n{}",
                step + 1,
                story()
            );
        }
        let plan = world.directory.course_of(&state.alert, entry.at).steps;
        // The step of a plan that is another one since: the alert was passed on.
        let Some(fired) = plan.get(usize::from(step)) else { continue };
        // What waits for plans is never earlier than the moment at which it fired.
        let after = match fired.escalate {
            Escalate::After(after) => after,
            Escalate::AfterPlanStep(_) | Escalate::AfterPlan => SignedDuration::ZERO,
        };
        seen.step = Some((entry.round, step, entry.at + after));
    }
    assert!(steps <= 1, "{steps} steps fired at once\n{}", story());
    seen.history = world.history.len();
}

/// Runs until `until`, looking after each thing that is done.
fn run(world: &mut World, until: Timestamp, seen: &mut Seen) {
    loop {
        let sending = world.open().filter(|it| it.state == DeliveryState::Claimed).count();
        if !world.tick(until) {
            break;
        }
        // A step may come before its time when everything has failed: that needs an outcome, or a page
        // of somebody who is gone.
        let settled = world.open().filter(|it| it.state == DeliveryState::Claimed).count() < sending;
        let emptied = world.history[seen.history..]
            .iter()
            .any(|entry| entry.kind == EntryKind::Gap && entry.text.contains("no contact is left"));
        check(world, seen, !settled && !emptied, true);
    }
    world.now = world.now.max(until);
    if matches!(world.state.alert.status, Status::Triggered | Status::Snoozed | Status::Silenced) {
        let next = world.state.wakes.values().min();
        assert!(next.is_some_and(|at| *at > world.now), "a due wake was left\n{}", world.timeline());
    }
}

fn happen(world: &mut World, act: Act) {
    let who = PEOPLE[act.who];
    let mut chance = Chance(act.seed);
    match act.what {
        0 | 1 => drop(world.acknowledge(who)),
        2 => drop(world.take_over(who)),
        3 | 4 => drop(world.unacknowledge(who)),
        5 if chance.below(4) == 0 => drop(world.resolve()),
        6 => drop(world.escalate(who, None)),
        7 => drop(world.escalate(who, Some(1 + chance.below(5) as u16))),
        8 | 9 => drop(world.not_me(who)),
        10 | 11 => drop(world.trigger(Severity::ALL[chance.below(4)])),
        18 | 19 => {
            let until = world.now + SignedDuration::from_secs(chance.below(8_000) as i64 - 100);
            drop(world.take(&Input::Snooze { by: world.actor(who), until }));
        }
        20 => drop(world.reassign(who, pick(&mut chance, &["ops", "person:ann", "person:ghost", "nobody"]))),
        21 | 22 => drop(world.add_responder(pick(&mut chance, &PEOPLE), who)),
        23 => drop(world.absorb(who, Severity::ALL[chance.below(4)])),
        24 if chance.below(6) == 0 => drop(world.merge_into(who)),
        25 | 26 => {
            let from = world.now + SignedDuration::from_secs(chance.below(4_000) as i64 - 2_000);
            let severities = Severity::ALL.into_iter().filter(|_| chance.below(2) == 0).collect();
            let matches = Match { severities, ..Match::default() };
            let length = pick(&mut chance, &TIMES);
            let silences = std::mem::take(&mut world.directory).silenced(
                pick(&mut chance, &PEOPLE),
                matches,
                from,
                length,
            );
            world.directory = silences;
            drop(world.look_at_silences());
        }
        27 => {
            world.directory.silences.clear();
            drop(world.look_at_silences());
        }
        28 => drop(world.look_at_silences()),
        12 => world.directory = directory(&mut chance),
        13 => drop(world.directory.people.remove(who)),
        14 => drop(world.take(&Input::Note { by: monitoring(), text: "seen".to_owned() })),
        15 => drop(world.take(&Input::Acknowledge { by: monitoring(), take_over: false })),
        16 | 17 if world.directory.roster(&world.state.alert.audience, None).is_some() => {
            let taker = (chance.below(2) == 0).then_some(who);
            drop(world.hand_over(&[pick(&mut chance, &PEOPLE)], &[who], taker));
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_always_true(seed in any::<u64>(), acts in prop::collection::vec(act(), 1..30)) {
        let mut world = begin(seed);
        let mut seen = Seen::default();
        for act in acts {
            let until = world.now + SignedDuration::from_secs(act.after);
            if act.outage {
                world.now = until;
            } else {
                run(&mut world, until, &mut seen);
            }
            happen(&mut world, act);
            check(&world, &mut seen, false, false);
        }
        // Left alone, every story comes to an end that a person has been told of: the longest plan here
        // takes four hours, three times, after some hours of being put aside or silenced.
        let until = world.now + SignedDuration::from_hours(20);
        run(&mut world, until, &mut seen);
        let status = world.state.alert.status;
        let has_ended = matches!(status, Status::Acknowledged | Status::Unanswered | Status::Resolved);
        prop_assert!(has_ended, "{}", world.timeline());
        let operators = contact("email:operators@example.org");
        prop_assert!(
            world.state.alert.status != Status::Unanswered
                || world.claims.iter().any(|(_, it)| it.contact == operators),
            "{}", world.timeline()
        );
    }

    #[test]
    fn the_same_story_twice_is_the_same(seed in any::<u64>(), acts in prop::collection::vec(act(), 1..15)) {
        let tell = || {
            let mut world = begin(seed);
            for act in &acts {
                world.run_until(world.now + SignedDuration::from_secs(act.after));
                happen(&mut world, *act);
            }
            (world.timeline(), world.state)
        };
        prop_assert_eq!(tell(), tell());
    }
}
