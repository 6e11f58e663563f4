//! What is true of an alert after every step: checked in production, in the tests and in the simulator.
//!
//! Each rule has a number and a sentence. A broken one is a value, not a panic: nothing of that step is
//! saved, the alert's task stops, and people are told.

use std::fmt;

use crate::alert::{State, Status};
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
const RULES: [Rule; 8] = [
    ("an alert that waits for an answer has a wake, a live page, or is unanswered", nothing_is_forgotten),
    ("an alert that is acknowledged or resolved pages nobody and waits for nothing", answered_is_silent),
    ("a person has at most one live page for an alert", one_live_page_a_person),
    ("a page's wake belongs to a live page", wakes_have_pages),
    ("an acknowledged alert says who has it, a resolved one who resolved it", acts_are_known),
    ("a page belongs to a round that has begun", rounds_have_begun),
    ("an unanswered alert does not escalate", unanswered_stands),
    ("a triggered alert has a next step to fire or a time to give up", triggered_goes_on),
];

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

fn answered_is_silent(state: &State) -> bool {
    !matches!(state.alert.status, Status::Acknowledged | Status::Resolved)
        || (state.wakes.is_empty() && !state.pages.iter().any(|page| page.is_live()))
}

fn one_live_page_a_person(state: &State) -> bool {
    let live = || state.pages.iter().enumerate().filter(|(_, page)| page.is_live());
    live().all(|(place, page)| live().all(|(other, twin)| place == other || page.person != twin.person))
}

fn wakes_have_pages(state: &State) -> bool {
    state.wakes.keys().all(|wake| match wake {
        Wake::Page(id) => state.pages.iter().any(|page| page.id == *id && page.is_live()),
        Wake::Escalate | Wake::GiveUp => true,
    })
}

fn acts_are_known(state: &State) -> bool {
    match state.alert.status {
        Status::Acknowledged => state.alert.acknowledged.is_some(),
        Status::Resolved => state.alert.resolved.is_some(),
        Status::Triggered | Status::Unanswered => true,
    }
}

fn rounds_have_begun(state: &State) -> bool {
    state.pages.iter().all(|page| (1..=state.alert.round).contains(&page.round))
}

fn unanswered_stands(state: &State) -> bool {
    state.alert.status != Status::Unanswered
        || !state.wakes.keys().any(|wake| matches!(wake, Wake::Escalate | Wake::GiveUp))
}

fn triggered_goes_on(state: &State) -> bool {
    state.alert.status != Status::Triggered
        || state.wakes.keys().any(|wake| matches!(wake, Wake::Escalate | Wake::GiveUp))
}
