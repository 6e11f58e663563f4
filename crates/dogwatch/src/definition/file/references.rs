//! People, teams, plans and integrations of all files together: what they say, and whom they name.
//!
//! The order in which they are written does not matter. What is wrong with a definition is told
//! once; whoever names it is not blamed for it.
//!
//! Read next: [`crate::definition::Definitions`], which checks each of them.

use std::collections::HashMap;

use escalation::name::Name;
use jiff::Timestamp;
use rota::diagnostic::{Problem, Span};
use rota::period::Period;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::places::Places;
use super::tables::Table;
use super::{shape, word};
use crate::definition::{
    Defined, Definitions, EscalationPlanSpec, FieldError, HeartbeatSpec, IntegrationSpec, Kind, LeaveSpec,
    MaintenanceSpec, OverrideSpec, Owner, PersonSpec, RotationSpec, ScheduleSpec, SilenceSpec, TeamSpec,
};

/// Checks all tables but those of periods, and puts those that are sound in force.
pub(super) fn check(
    tables: &[Table],
    periods: &[Period],
    now: Timestamp,
    problems: &mut Vec<Problem>,
) -> Definitions {
    let mut definitions = Definitions::default();
    definitions.set_periods(periods);
    // Plans name teams and teams name plans: each may be written first.
    for table in tables.iter().filter(|table| table.kind == Kind::Team) {
        if let Some(name) = shape::name(&table.body).filter(|name| Name::new(name).is_ok()) {
            let defined = Defined {
                version: 1,
                valid_from: now,
                body: stand_in(Kind::Team, name),
                owner: Owner::People,
            };
            definitions.apply(Kind::Team, name, Some(defined));
        }
    }
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Period) {
        let mut first: HashMap<&str, Span> = HashMap::new();
        for table in tables.iter().filter(|table| table.kind == kind) {
            let name = shape::name(&table.body).filter(|name| Name::new(name).is_ok());
            if let Some(name) = name
                && let Some(other) = first.get(name)
            {
                let message = format!("there is another {} \"{name}\"", word(table.kind));
                problems.push(
                    Problem::error(table.places.value("name"), message)
                        .hint("give one of them another name, or take it away")
                        .related(Some(*other), "the other is here"),
                );
                continue;
            }
            if let (Some(name), Some(span)) = (name, table.places.value("name")) {
                first.insert(name, span);
            }
            let body = sound(kind, table, &definitions, now, problems);
            if let Some(name) = name {
                let body = body.unwrap_or_else(|| stand_in(kind, name));
                let defined = Defined { version: 1, valid_from: now, body, owner: Owner::People };
                definitions.apply(kind, name, Some(defined));
            }
        }
    }
    definitions
}

/// The normal form of a table, if nothing is wrong with it.
fn sound(
    kind: Kind,
    table: &Table,
    definitions: &Definitions,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) -> Option<Value> {
    let sound = match kind {
        Kind::Person => sound_as::<PersonSpec>,
        Kind::Team => sound_as::<TeamSpec>,
        Kind::EscalationPlan => sound_as::<EscalationPlanSpec>,
        Kind::Integration => sound_as::<IntegrationSpec>,
        Kind::Heartbeat => sound_as::<HeartbeatSpec>,
        Kind::Rotation => sound_as::<RotationSpec>,
        Kind::Schedule => sound_as::<ScheduleSpec>,
        Kind::Override => sound_as::<OverrideSpec>,
        Kind::Leave => sound_as::<LeaveSpec>,
        Kind::Silence => sound_as::<SilenceSpec>,
        Kind::Maintenance => sound_as::<MaintenanceSpec>,
        // Periods are read and compiled together, before anything else.
        Kind::Period => return None,
    };
    sound(kind, table, definitions, now, problems)
}

fn sound_as<T: DeserializeOwned>(
    kind: Kind,
    table: &Table,
    definitions: &Definitions,
    now: Timestamp,
    problems: &mut Vec<Problem>,
) -> Option<Value> {
    let shaped = shape::read::<T>(table, problems)?;
    match definitions.check(kind, shaped.body.clone(), now) {
        Ok((_, body)) => Some(body).filter(|_| shaped.is_whole()),
        Err(errors) => {
            let errors = errors.iter().filter(|error| !shaped.is_cut(&error.field));
            problems.extend(errors.map(|error| problem(error, &shaped.places)));
            None
        }
    }
}

pub(super) fn problem(error: &FieldError, places: &Places) -> Problem {
    let FieldError { field, message } = error;
    let (message, near) = match message.split_once("; did you mean") {
        Some((message, near)) => (message, Some(format!("did you mean{near}"))),
        None => (message.as_str(), None),
    };
    let message = if field.is_empty() { message.to_owned() } else { format!("{field}: {message}") };
    Problem::error(places.value(field), message).maybe_hint(near)
}

/// What stands for a definition that has mistakes, so that others can name it.
pub(in crate::definition) fn stand_in(kind: Kind, name: &str) -> Value {
    match kind {
        Kind::EscalationPlan => {
            json!({ "name": name, "steps": [{ "notify": ["on_call"], "after": "5m" }] })
        }
        Kind::Integration => json!({ "name": name, "team": name }),
        Kind::Heartbeat => json!({ "name": name, "team": name, "every": "1h" }),
        _ => json!({ "name": name }),
    }
}
