//! A Naemon or Nagios configuration brought over: people, periods, schedules, teams and escalation plans, and a report
//! of what was carried over, what was changed and why, and what has no counterpart.
//!
//! Pure: the objects come in as they were read, definitions as documents and the report go out. Naemon's rules are those
//! of its source: who is told of notification number n of a host or service at an instant is worked out in
//! `naemon/level.rs` and must come out the same here, up to the decisions that the report names.
//!
//! Read next, in the order in which a configuration passes through: `object`, `site`, `level`, `build`, `report`.

mod build;
mod level;
mod name;
mod object;
mod period_name;
mod report;
mod site;

use jiff::Timestamp;
use rota::syntax::Document;
use serde_json::Value;

use crate::definition::Kind;

pub use report::{Note, Report, Sort};

/// What is not said by the objects themselves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The zone in which the server reads its periods: an IANA name.
    pub zone: String,
    /// How many seconds one unit of a notification interval has.
    pub interval_length: u64,
    /// Whether periods that never meet in the years to come are seen from here on.
    pub now: Timestamp,
}

impl Settings {
    /// What Naemon takes where its main configuration says nothing, in a zone.
    pub fn new(zone: String, now: Timestamp) -> Self {
        Self { zone, interval_length: 60, now }
    }
}

/// What came of it.
#[derive(Debug)]
pub struct Imported {
    /// The definitions.
    pub documents: Vec<(Kind, Value)>,
    /// Which team answers for each host and service that notifies: its name, `host` or `host;service`.
    pub routes: Vec<(String, String)>,
    /// For each team the notification numbers at which the steps of its plan begin.
    pub numbers: Vec<(String, Vec<u32>)>,
    /// What an administrator has to know.
    pub report: Report,
}

/// Brings a configuration over.
pub fn import(document: &Document, settings: &Settings) -> Imported {
    let mut report = Report::default();
    let objects = object::resolve(document, &mut report);
    let site = site::read(&objects, &mut report);
    let levels = level::of_site(&site, settings, &mut report);
    build::build(document, &site, &levels, settings, report)
}
