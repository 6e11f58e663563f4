//! Any input at any time, in any order, true or made up: the machine takes it, keeps its rules and its word.
//!
//! `random` has a store and carriers that behave; here nobody does. Wakes come early, late and for what is not there,
//! outcomes are told of deliveries that were never made, duty changes hands that nobody has, the clock jumps back.

use std::collections::BTreeSet;

use escalation::alert::{self, Audience, State, Status, Stepped, Verdict};
use escalation::delivery::{Delivery, Purpose};
use escalation::directory::Directory;
use escalation::duty::Roster as Rota;
use escalation::effect::{Effect, EntryKind};
use escalation::event::{Absorbed, Actor, Handover, Input, Sent, Settled, Severity, Via};
use escalation::id::{Ids, PageId};
use escalation::page::{Asks, Page};
use escalation::plan::Condition;
use escalation::silence::Match;
use escalation::wake::Wake;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use rota::rotation::Length;

use crate::roster::{Roster, contact, duration, hours, name};
use crate::world::{Chance, START, monitoring, trigger};

/// The last is in no directory.
const PEOPLE: [&str; 5] = ["ann", "ben", "cat", "dan", "ghost"];
const TARGETS: [&str; 14] = [
    "on_call",
    "next_on_call",
    "previous_on_call",
    "all_members",
    "round_robin",
    "round_robin:ann,ghost,ben",
    "member:1",
    "member:9",
    "team:web",
    "team:gone",
    "on_call:web/secondary",
    "email:role@example.org",
    "cat",
    "ghost",
];
const GOES_ON: [&str; 5] = ["after 1s", "after 10m", "after_plan_step 1", "after_plan_step 3", "after_plan"];
const PLANS: [&[&str]; 5] = [
    &["handset:x wait 1m every 20s", "email:x@example.org every 5m"],
    &["email:x@example.org during day", "handset:x during day@Asia/Tokyo"],
    &["handset:x during gone every 1m"],
    &["phone:+4930123456 wait 1s", "sms:+4930123456 wait 1s", "handset:x"],
    &["email:x@example.org during day"],
];

fn pick<'a>(chance: &mut Chance, from: &[&'a str]) -> &'a str {
    from[chance.below(from.len())]
}

/// Whether something of which one in `many` is true is so.
fn one_in(chance: &mut Chance, many: usize) -> bool {
    chance.below(many) == 0
}

fn steps(chance: &mut Chance) -> Vec<String> {
    let step = |chance: &mut Chance| {
        let targets: Vec<&str> = (0..1 + chance.below(3)).map(|_| pick(chance, &TARGETS)).collect();
        let each = if one_in(chance, 4) { "each " } else { "" };
        format!("{each}{} {}", targets.join(" "), pick(chance, &GOES_ON))
    };
    (0..1 + chance.below(4)).map(|_| step(chance)).collect()
}

fn directory(chance: &mut Chance) -> Directory {
    let mut made =
        Directory::default().daily("day", 16, 17).service(&["dan"], &["email:operators@example.org"]);
    for who in &PEOPLE[..4] {
        made = match chance.below(4) {
            0 => made.planless(who, &["email:x@example.org"]),
            1 => made.planless(who, &[]),
            _ => made.person(who, PLANS[chance.below(5)]),
        };
        made = made
            .low(who, PLANS[chance.below(5)])
            .living_in(who, pick(chance, &["UTC", "Asia/Tokyo", "No/Where"]));
    }
    made = made.team("ops", &["ann", "ben", "ghost"]).team("web", &["cat", "dan"]);
    if one_in(chance, 2) {
        made = made.turns("ops", &["ann", "ben"], Length::Hours(1), START);
    }
    for team in ["ops", "web"] {
        let plan = steps(chance);
        let plan: Vec<&str> = plan.iter().map(String::as_str).collect();
        made = made.plan(team, chance.below(3) as u8, &plan);
        let condition = match chance.below(6) {
            0 => Some(Condition::During(hours(pick(chance, &["day", "day@UTC", "gone@UTC"])))),
            1 => Some(Condition::Severity(Severity::ALL[chance.below(4)])),
            2 => Some(Condition::MoreThan { alerts: chance.below(3) as u32, within: duration("5m") }),
            _ => None,
        };
        made = condition.into_iter().fold(made, |made, condition| made.only(team, 1, condition));
        let lasting = ["ack_timeout 20s", "reopen_within 5m", "resolve_after 1h"];
        made = made.lasting(team, &lasting[..chance.below(4)]);
    }
    if one_in(chance, 3) {
        made = made.last_resort("ops", &[pick(chance, &TARGETS)]);
    }
    if one_in(chance, 4) {
        let from = START + SignedDuration::from_secs(chance.below(5_000) as i64);
        made = made.silenced("quiet", Match::default(), from, pick(chance, &["1s", "20m", "2h"]));
    }
    if one_in(chance, 4) {
        made = made.away(pick(chance, &PEOPLE), START, "1h");
    }
    made
}

fn actor(chance: &mut Chance) -> Actor {
    let who = pick(chance, &PEOPLE);
    let person = (!one_in(chance, 6)).then(|| name(who));
    Actor { person, label: who.to_owned(), via: Via::ALL[chance.below(15)] }
}

fn audience(chance: &mut Chance) -> Audience {
    match chance.below(4) {
        0 => Audience::Person(name(pick(chance, &PEOPLE))),
        1 => Audience::Team(name("gone")),
        _ => Audience::Team(name(pick(chance, &["ops", "web"]))),
    }
}

/// A page of the alert, or one that never was.
fn page(chance: &mut Chance, state: &State) -> PageId {
    match state.pages.len() {
        pages if pages > 0 && !one_in(chance, 5) => state.pages[chance.below(pages)].id,
        _ => PageId::from_bytes([chance.below(256) as u8; 16]),
    }
}

fn input(chance: &mut Chance, state: &State, now: Timestamp) -> Input {
    let by = actor(chance);
    let person = name(pick(chance, &PEOPLE));
    let severity = Severity::ALL[chance.below(4)];
    let later = |chance: &mut Chance| now + SignedDuration::from_secs(chance.below(900_000) as i64 - 100_000);
    match chance.below(40) {
        0 | 1 => Input::Trigger(trigger(state.alert.audience.clone(), severity)),
        2..=4 => Input::Acknowledge { by, take_over: one_in(chance, 2) },
        5 | 6 => Input::Unacknowledge(by),
        7 if one_in(chance, 3) => Input::Resolve(by),
        8 => Input::Escalate { by, to: one_in(chance, 2).then(|| chance.below(7) as u16) },
        9 | 10 => Input::NotMe { person, by },
        11 => Input::Snooze { by, until: later(chance) },
        12 => Input::Reassign { by, to: audience(chance) },
        13 | 14 => Input::AddResponder { by, person },
        15 => {
            let summary = "disk".to_owned();
            Input::Absorb {
                by,
                other: Absorbed { number: 3, summary, severity, triggered_at: now, triggers: u32::MAX },
            }
        }
        16 if one_in(chance, 4) => Input::MergeInto { by, number: 9 },
        17 => {
            let text = |chance: &mut Chance| one_in(chance, 2).then(|| "other".to_owned());
            Input::Amend { by, summary: text(chance), details: text(chance), severity: Some(severity) }
        }
        18 | 19 => Input::SilencesChanged,
        20 => Input::Note { by: monitoring(), text: "seen".to_owned() },
        21..=23 => {
            let roster = pick(chance, &["ops", "web", "gone"]);
            let roster =
                if one_in(chance, 2) { Rota::Schedule(name(roster)) } else { Rota::Team(name(roster)) };
            let some = |chance: &mut Chance| {
                PEOPLE.iter().filter(|_| one_in(chance, 3)).map(|who| name(who)).collect()
            };
            let role = name(pick(chance, &["primary", "secondary"]));
            let takeover = one_in(chance, 2).then_some(by);
            Input::DutyChanged(Handover { roster, role, before: some(chance), after: some(chance), takeover })
        }
        24..=31 => {
            let of_page = Wake::Page(page(chance, state));
            let known: Vec<Wake> =
                state.wakes.keys().copied().chain([of_page, Wake::GiveUp, Wake::AckTimeout]).collect();
            Input::Due(known[chance.below(known.len())])
        }
        _ => {
            let sent = [Sent::Accepted, Sent::Failed, Sent::Unknown, Sent::Undelivered, Sent::NotTaken];
            Input::Settled(Settled {
                page: (!one_in(chance, 4)).then(|| page(chance, state)),
                contact: contact(pick(
                    chance,
                    &["handset:x", "email:x@example.org", "email:role@example.org"],
                )),
                purpose: Purpose::ALL[chance.below(2)],
                round: chance.below(4) as u32,
                step: chance.below(4) as u16,
                attempt: chance.below(3) as u8,
                sent: sent[chance.below(5)],
            })
        }
    }
}

/// Whether two steps of equal arguments came to the same, and to a state that keeps every rule.
fn taken(state: &State, input: &Input, directory: &Directory, now: Timestamp, seed: u64) -> Stepped {
    let run = || {
        let mut chance = Chance(seed);
        let mut draw = || chance.next();
        let ids = Ids { now, chance: &mut draw };
        alert::step_among(state.clone(), input, directory, ids, &|_, _| seed % 4)
    };
    let stepped = run().unwrap_or_else(|broken| panic!("{broken}, by {input:?} at {now} of {state:#?}"));
    assert_eq!(run().as_ref(), Ok(&stepped), "the same twice");
    stepped
}

/// The deliveries that ask somebody for an answer which anybody's may spare him.
fn pages_made(stepped: &Stepped) -> Vec<&Delivery> {
    let asks_anybody = |delivery: &Delivery| {
        let is_it = |page: &&Page| Some(page.id) == delivery.page;
        stepped.state.pages.iter().find(is_it).is_none_or(|page| page.asks == Asks::Anybody)
    };
    let made = stepped.effects.iter().filter_map(|effect| match effect {
        Effect::Deliver(delivery) if delivery.purpose == Purpose::Page => Some(delivery),
        _ => None,
    });
    made.filter(|delivery| asks_anybody(delivery)).collect()
}

fn begins_a_round(stepped: &Stepped) -> bool {
    let is_round =
        |effect: &Effect| matches!(effect, Effect::Record(entry) if entry.kind == EntryKind::Round);
    stepped.effects.iter().any(is_round)
}

fn keeps_its_word(before: &State, stepped: &Stepped) -> Result<(), TestCaseError> {
    let state = &stepped.state;
    if !matches!(stepped.verdict, Verdict::Done) {
        prop_assert_eq!(state, before, "what is not done changes nothing");
        prop_assert!(stepped.effects.is_empty());
    }
    // After an answer nobody is paged before a round begins.
    if !before.alert.status.waits() && !begins_a_round(stepped) {
        prop_assert!(pages_made(stepped).is_empty(), "{:?} of {:#?}", pages_made(stepped), before);
    }
    if !state.alert.status.waits() {
        prop_assert!(pages_made(stepped).is_empty(), "a page for what is in hand: {:#?}", stepped.effects);
    }
    // Nothing is forgotten: what is open and not in hand has a time, and whoever waits for hours has one of his own.
    let of_alert = || state.wakes.keys().any(|wake| wake.page().is_none());
    match state.alert.status {
        Status::Triggered | Status::Snoozed | Status::Silenced => prop_assert!(of_alert(), "{state:#?}"),
        Status::Unanswered | Status::Acknowledged => {}
        Status::Resolved => prop_assert!(state.wakes.is_empty()),
    }
    for page in state.pages.iter().filter(|page| page.is_live() && page.deferred_until.is_some()) {
        prop_assert!(state.wakes.contains_key(&Wake::Page(page.id)), "{page:#?}");
    }
    // Who gives up tells the operators.
    let told: BTreeSet<Purpose> = stepped
        .effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Deliver(delivery) => Some(delivery.purpose),
            _ => None,
        })
        .collect();
    let gave_up = state.alert.status == Status::Unanswered && before.alert.status != Status::Unanswered;
    prop_assert!(!gave_up || told.contains(&Purpose::Warning));
    prop_assert!(state.alert.round >= before.alert.round && state.alert.triggers >= before.alert.triggers);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_input_at_any_time_is_taken(seed in any::<u64>(), inputs in 1_usize..60) {
        let mut chance = Chance(seed);
        let mut known = directory(&mut chance);
        let severity = Severity::ALL[chance.below(4)];
        let first = trigger(audience(&mut chance), severity);
        let mut draw = || 7;
        let (mut state, _) = alert::begin(&first, &mut Ids { now: START, chance: &mut draw });
        state.alert.number = chance.next();
        let mut now = START;
        for _ in 0..inputs {
            let jump = [0, 1, 60, 600, 4_000, 90_000, -5][chance.below(7)];
            now += SignedDuration::from_secs(jump);
            if one_in(&mut chance, 15) {
                known = directory(&mut chance);
            }
            // What is due is taken half of the time, so that the story gets on.
            let due = state.wakes.iter().find(|(_, at)| **at <= now).map(|(wake, _)| Input::Due(*wake));
            let next = due.filter(|_| one_in(&mut chance, 2)).unwrap_or_else(|| input(&mut chance, &state, now));
            let stepped = taken(&state, &next, &known, now, chance.next());
            keeps_its_word(&state, &stepped)?;
            state = stepped.state;
        }
    }
}
