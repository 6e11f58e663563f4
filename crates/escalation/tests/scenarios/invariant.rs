//! Each rule of [`escalation::invariant`] sees a state that breaks it, and names itself.

use escalation::alert::{Act, Snooze, State, Status};
use escalation::directory::Directory;
use escalation::invariant::{check, sentences};
use escalation::page::Asks;
use escalation::wake::Wake;

use crate::roster::Roster;
use crate::world::{START, World, monitoring};

/// An alert that pages John, after ten seconds.
fn paging() -> State {
    let directory = Directory::default()
        .person("john", &["handset:john every 2m"])
        .team("ops", &["john"])
        .plan("ops", 0, &["john after 1m"]);
    let mut world = World::new(directory);
    world.run_to("10s");
    world.state
}

fn act() -> Act {
    Act { by: monitoring(), at: START }
}

/// Breaks a state.
type Break = fn(&mut State);

const BROKEN: [(u8, Break); 19] = [
    (1, |state| {
        state.wakes.clear();
        state.pages.clear();
    }),
    (2, |state| {
        state.alert.status = Status::Acknowledged;
        state.alert.acknowledged = Some(act());
        state.wakes.clear();
    }),
    (2, |state| {
        state.alert.status = Status::Resolved;
        state.alert.resolved = Some(act());
        state.pages[0].asks = Asks::Himself;
        state.wakes.clear();
    }),
    (2, |state| state.pages[0].asks = Asks::StillOnIt),
    (3, |state| state.pages.push(state.pages[0].clone())),
    (4, |state| {
        state.pages.clear();
    }),
    (5, |state| {
        state.alert.status = Status::Acknowledged;
        state.pages[0].asks = Asks::Himself;
    }),
    (5, |state| {
        state.alert.status = Status::Resolved;
        state.pages.clear();
        state.wakes.clear();
    }),
    (6, |state| state.pages[0].round = 2),
    (7, |state| state.alert.status = Status::Unanswered),
    (8, |state| state.wakes.clear()),
    (9, |state| state.wakes.extend([(Wake::SnoozeEnd, START)])),
    (9, |state| state.alert.snoozed = Some(Snooze { act: act(), until: START })),
    (9, |state| {
        state.alert.status = Status::Snoozed;
        state.pages.clear();
        state.wakes.clear();
    }),
    (10, |state| state.wakes.extend([(Wake::SilenceEnd, START)])),
    (10, |state| {
        state.alert.status = Status::Silenced;
        state.pages.clear();
        state.wakes.clear();
    }),
    (11, |state| state.wakes.extend([(Wake::AskOwner, START)])),
    (12, |state| state.alert.merged_into = Some(7)),
    (13, |state| {
        state.alert.status = Status::Resolved;
        state.alert.resolved = Some(act());
        state.pages.clear();
        state.wakes.clear();
        state.wakes.insert(Wake::Quiet, START);
    }),
];

#[test]
fn each_rule_sees_what_breaks_it() {
    check(&paging()).unwrap();
    for (place, (rule, broken)) in BROKEN.iter().enumerate() {
        let mut state = paging();
        broken(&mut state);
        let found = check(&state).map_err(|broken| broken.rule);
        assert_eq!(found, Err(*rule), "number {place}");
    }
    let rules: std::collections::BTreeSet<u8> = BROKEN.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(rules.into_iter().collect::<Vec<_>>(), (1..=sentences().count() as u8).collect::<Vec<_>>());
}
