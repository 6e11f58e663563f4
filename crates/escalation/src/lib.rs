//! WHAT NEXT: the state machine of alerts, pages and deliveries.
//!
//! The contract is one pure function, [`alert::step`]: `(state, input, now) → (state, effects)`. It is
//! given the time, the ids and what is known of people and plans, and says what changes and what is to
//! be sent. The same code runs in the service, in the tests and in the simulator.
//!
//! This crate never waits, never reads a clock, a file, a socket or a table, and draws no chance of its
//! own. Calling it too early or twice is harmless: a wake that is not due any more changes nothing.
//!
//! Data flows one way: event → alert → escalation step → page → delivery → acknowledgement. Read the
//! modules in that order: [`event`], [`alert`], [`plan`], [`page`], [`delivery`]; who may be paged is in
//! [`directory`], [`team`] and [`person`]; every reason to wake in [`wake`]; what holds
//! alerts back in [`silence`]; what is told about duty in [`watch`]; what leaves in one message, and when, in
//! [`mailbox`]; what is true after every step in [`invariant`].

pub mod alert;
pub mod contact;
pub mod course;
pub mod delivery;
pub mod directory;
pub mod duration;
pub mod duty;
pub mod effect;
pub mod event;
pub mod hours;
pub mod id;
pub mod invariant;
pub mod mailbox;
pub mod name;
pub mod page;
pub mod person;
pub mod plan;
pub mod receipt;
pub mod silence;
pub mod team;
pub mod wake;
pub mod watch;
