//! Schedules: the rules by example, the worked examples of the guides, and random ones against a naive model.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what is unwrapped is written here")]

mod build;
mod covers;
mod examples;
mod generate;
mod naive;
mod property;
mod questions;
mod rules;
