//! Scenarios
#![expect(clippy::unwrap_used, clippy::panic, reason = "where a test can't go on it fails")]

mod answer;
mod carrier;
mod edits;
mod gaps;
mod plans;
mod roster;
mod story;
mod unanswered;
mod world;
