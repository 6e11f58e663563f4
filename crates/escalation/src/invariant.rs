//! What is true of an alert after every step: checked in production, in the tests and in the simulator.
//!
//! Each rule has a number and a sentence. A broken one is a value, not a panic: nothing of that step is
//! saved, the alert's task stops, and people are told.

use std::fmt;

use crate::alert::{State, Status};
use crate::page::Asks;
use crate::wake::Wake;

/// A rule that a new state breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The number of the rule, from 1.
    pub rule: u8,
    /// The rule.
    pub sentence: &'static str,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule {} is broken: {}", self.rule, self.sentence)
    }
}

impl std::error::Error for Broken {}

/// A rule: what it says, and whether a state keeps it.
type Rule = (&'static str, fn(&State) -> bool);

/// Every rule, in order of its number.
const RULES: [Rule; 13] = [
    ("an alert that waits for an answer has a wake, a live page, or is unanswered", nothing_is_forgotten),
    (
        "an alert that is in somebody's hands, put aside or over asks only what belongs there",
        asks_what_belongs,
    ),
    ("a person has at most one live page for an alert", one_live_page_a_person),
    ("a page's wake belongs to a live page", wakes_have_pages),
    ("an acknowledged alert says who has it, a resolved one who resolved it", acts_are_known),
    ("a page belongs to a round that has begun", rounds_have_begun),
    ("only a triggered alert escalates", only_triggered_escalates),
    ("a triggered alert has a next step to fire or a time to give up", triggered_goes_on),
    ("an alert that is put aside says by whom, and has a time to come back; no other does", aside_comes_back),
    (
        "an alert that is silenced says by what, and has a time to be looked at again; no other does",
        silence_ends,
    ),
    (
        "only whoever has an alert is asked whether that is still so, and not without a time to answer",
        owner_is_asked,
    ),
    ("an alert that went into another one is over", merged_is_over),
    ("an alert that is over waits for nothing", over_is_over),
];

/// Every rule in words, in order of its number.
pub fn sentences() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|(sentence, _)| *sentence)
}

/// Checks every rule.
///
/// # Errors
///
/// The first rule that is broken.
pub fn check(state: &State) -> Result<(), Broken> {
    for (index, (sentence, holds)) in RULES.iter().enumerate() {
        if !holds(state) {
            // There are fewer than 255 rules.
            return Err(Broken { rule: index as u8 + 1, sentence });
        }
    }
    Ok(())
}

fn nothing_is_forgotten(state: &State) -> bool {
    state.alert.status != Status::Triggered
        || !state.wakes.is_empty()
        || state.pages.iter().any(|page| page.is_live())
}

fn asks_what_belongs(state: &State) -> bool {
    state.pages.iter().filter(|page| page.is_live()).all(|page| state.alert.asks(page))
}

fn one_live_page_a_person(state: &State) -> bool {
    let live = || state.pages.iter().enumerate().filter(|(_, page)| page.is_live());
    live().all(|(place, page)| live().all(|(other, twin)| place == other || page.person != twin.person))
}

fn wakes_have_pages(state: &State) -> bool {
    state.wakes.keys().all(|wake| match wake {
        Wake::Page(id) => state.pages.iter().any(|page| page.id == *id && page.is_live()),
        _ => true,
    })
}

fn acts_are_known(state: &State) -> bool {
    match state.alert.status {
        Status::Acknowledged => state.alert.acknowledged.is_some(),
        Status::Resolved => state.alert.resolved.is_some(),
        Status::Triggered | Status::Unanswered | Status::Snoozed | Status::Silenced => true,
    }
}

fn rounds_have_begun(state: &State) -> bool {
    state.pages.iter().all(|page| (1..=state.alert.round).contains(&page.round))
}

fn only_triggered_escalates(state: &State) -> bool {
    state.alert.status == Status::Triggered
        || !state.wakes.keys().any(|wake| matches!(wake, Wake::Escalate | Wake::GiveUp))
}

fn triggered_goes_on(state: &State) -> bool {
    state.alert.status != Status::Triggered
        || state.wakes.keys().any(|wake| matches!(wake, Wake::Escalate | Wake::GiveUp))
}

fn aside_comes_back(state: &State) -> bool {
    let is_snoozed = state.alert.status == Status::Snoozed;
    state.alert.snoozed.is_some() == is_snoozed && state.wakes.contains_key(&Wake::SnoozeEnd) == is_snoozed
}

fn silence_ends(state: &State) -> bool {
    let is_silenced = state.alert.status == Status::Silenced;
    state.alert.silenced.is_some() == is_silenced
        && state.wakes.contains_key(&Wake::SilenceEnd) == is_silenced
}

fn owner_is_asked(state: &State) -> bool {
    let has_time = state.wakes.contains_key(&Wake::AckTimeout);
    let waits = has_time || state.wakes.contains_key(&Wake::AskOwner);
    let is_asked = state.pages.iter().any(|page| page.is_live() && page.asks == Asks::StillOnIt);
    (!waits || state.alert.status == Status::Acknowledged) && (!is_asked || has_time)
}

fn merged_is_over(state: &State) -> bool {
    state.alert.merged_into.is_none() || state.alert.status == Status::Resolved
}

fn over_is_over(state: &State) -> bool {
    state.alert.status != Status::Resolved || state.wakes.is_empty()
}
