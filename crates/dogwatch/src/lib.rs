//! MAKE IT HAPPEN: the service and its one binary.
//!
//! Read the modules in the order of the flow: [`definition`] (who and what there is), [`store`] (the one
//! place where anything is kept), [`engine`] (due wakes), [`delivery`] and [`channel`] (sending),
//! [`reply`] (what people answer), [`http`] with [`api`] and [`web`] (what people and programs see), [`cli`].
//! Imports go downwards only; a test keeps watch.

pub mod amend;
pub mod api;
pub mod calendar;
pub mod callback;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod config;
pub mod definition;
pub mod delivery;
pub mod duty;
pub mod engine;
pub mod http;
pub mod intake;
pub mod json;
pub mod leave_calendar;
pub mod mailroom;
pub mod message;
pub mod naemon;
pub mod notify;
pub mod outbound;
pub mod outgoing;
pub mod preview;
pub mod reach;
pub mod rehearsal;
pub mod reply;
pub mod secret;
pub mod service;
pub mod shutdown;
pub mod simulator;
pub mod store;
pub mod takeover;
pub mod telemetry;
pub mod timeline;
pub mod web;
pub mod why;
