//! From a document to the fields of its kind: unknown fields, missing ones and wrong types.
//!
//! The reader of a kind stops at its first mistake. It is told, taken out of a copy, and the rest
//! is read again, so that no mistake hides another.
//!
//! Read next: [`super::references`], which checks what the fields say.

use rota::diagnostic::Problem;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::places::Places;
use super::tables::Table;
use crate::definition::{nearest, read_json};

/// More mistakes in one table than this are not told: each costs reading it once more.
const MOST_MISTAKES: usize = 100;

/// The fields of a table, if there is nothing wrong with their shape.
pub(super) fn read<T: DeserializeOwned>(table: &Table, problems: &mut Vec<Problem>) -> Option<T> {
    let mut body = table.body.clone();
    let mut places = table.places.clone();
    let mut taken: Vec<String> = Vec::new();
    for mistakes in 0..MOST_MISTAKES {
        let errors = match read_json::<T>(body.clone()) {
            Ok(spec) => return (mistakes == 0).then_some(spec),
            Err(errors) => errors,
        };
        let error = errors.into_iter().next()?;
        let missing = quoted(&error.message, "missing field").map(|field| join(&error.field, field));
        // What was told as wrong is not told as missing again.
        if missing.is_none_or(|missing| !taken.contains(&missing)) {
            problems.push(problem(&error.field, &error.message, table.kind.word(), &places));
        }
        if !places.take_out(&mut body, &error.field) {
            return None;
        }
        taken.push(error.field);
    }
    None
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// The word in backquotes after `lead`.
fn quoted<'a>(message: &'a str, lead: &str) -> Option<&'a str> {
    message.strip_prefix(lead)?.split('`').nth(1)
}

fn problem(path: &str, message: &str, kind: &str, places: &Places) -> Problem {
    if let Some(field) = quoted(message, "unknown field") {
        let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        let hint = nearest(field, known.iter().copied()).map_or_else(
            || format!("the fields here are {}", known.join(", ")),
            |near| format!("did you mean \"{near}\"?"),
        );
        let message = format!("there is no field \"{field}\" here");
        return Problem::error(places.key(path), message).hint(hint);
    }
    if let Some(field) = quoted(message, "missing field") {
        let what = if path.is_empty() { kind } else { path };
        let message = format!("the field \"{field}\" of this {what} is missing");
        return Problem::error(places.value(path), message);
    }
    let message = message.replace('`', "");
    let shown = message.strip_prefix("invalid type: ").and_then(|types| types.split_once(", expected "));
    let message = match shown {
        Some((is, wanted)) => format!("this is the wrong type: {is}, where {wanted} belongs"),
        None => message,
    };
    Problem::error(places.value(path), message)
}

/// Only for what is known to be a text: the name of a definition.
pub(super) fn name(body: &Value) -> Option<&str> {
    body.get("name")?.as_str()
}
