//! From a document to the fields of its kind: unknown fields, missing ones and wrong types.
//!
//! The reader of a kind stops at its first mistake. It is told, taken out of a copy, and the rest
//! is read again, so that no mistake hides another.
//!
//! Read next: [`super::references`], which checks what the fields say.

use rota::diagnostic::Problem;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::places::{Paths, Places};
use super::tables::Table;
use super::word;
use crate::definition::{FieldError, Kind, nearest, read_json};

/// More mistakes in one table than this are not told: each costs reading it once more.
const MOST_MISTAKES: usize = 100;

/// A table without what is wrong with its shape.
pub(super) struct Shaped<T> {
    pub(super) spec: T,
    pub(super) body: Value,
    pub(super) places: Places,
    taken: Vec<String>,
}

impl<T> Shaped<T> {
    /// Whether nothing had to be taken out.
    pub(super) fn is_whole(&self) -> bool {
        self.taken.is_empty()
    }

    /// Whether something was taken out of a field, so that more that is wrong with it may only come
    /// from that.
    pub(super) fn is_cut(&self, field: &str) -> bool {
        self.taken.iter().any(|taken| taken.starts_with(field))
    }
}

/// The fields of a table; nothing if too much is missing.
pub(super) fn read<T: DeserializeOwned>(table: &Table, problems: &mut Vec<Problem>) -> Option<Shaped<T>> {
    let mut body = table.body.clone();
    let mut places = table.places.clone();
    let mut taken: Vec<String> = Vec::new();
    for _ in 0..MOST_MISTAKES {
        let errors = match read_json::<T>(body.clone()) {
            Ok(spec) => return Some(Shaped { spec, body, places, taken }),
            Err(errors) => errors,
        };
        let FieldError { field: path, message } = errors.into_iter().next()?;
        let missing = quoted(&message, "missing field").map(|field| join(&path, field));
        // What was told as wrong or misspelt is not told as missing again.
        if missing.is_none_or(|missing| !taken.contains(&missing)) {
            problems.push(problem(&path, &message, word(table.kind), &places));
        }
        let meant = unknown(&message).and_then(|(_, _, near)| near);
        let parent = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        let meant = meant.map(|meant| join(parent, meant));
        if !places.take_out(&mut body, &path) {
            return None;
        }
        taken.push(path);
        taken.extend(meant);
    }
    None
}

/// What was taken out of a document that was not written in a file, so that the rest could be read.
pub(in crate::definition) struct Cut {
    places: Places,
    paths: Paths,
    taken: Vec<String>,
}

impl Cut {
    /// A problem of the rest, by the field as it stands in the whole document; nothing, if it may only come from what
    /// was taken out.
    pub(in crate::definition) fn in_whole(&self, error: &FieldError) -> Option<FieldError> {
        if self.taken.iter().any(|taken| taken.starts_with(&error.field)) {
            return None;
        }
        let problem = Problem::error(self.places.value(&error.field), error.message.clone());
        Some(self.paths.field_error(&problem))
    }
}

/// What is wrong with the shape of a document, and what can be read of it all the same.
pub(in crate::definition) type Misshapen<T> = (Vec<FieldError>, Option<(T, Cut)>);

/// Reads a document that was not written in a file.
///
/// # Errors
///
/// Every mistake in its shape, with its field.
pub(in crate::definition) fn read_whole<T: DeserializeOwned>(
    kind: Kind,
    body: Value,
) -> Result<T, Misshapen<T>> {
    let first = match read_json(body.clone()) {
        Ok(spec) => return Ok(spec),
        Err(first) => first,
    };
    let (places, paths) = Places::of_document(&body);
    let mut problems = Vec::new();
    let rest = read::<T>(&Table { kind, body, places }, &mut problems);
    let told: Vec<FieldError> = problems.iter().map(|problem| paths.field_error(problem)).collect();
    let rest = rest.map(|shaped| (shaped.spec, Cut { places: shaped.places, paths, taken: shaped.taken }));
    Err((if told.is_empty() { first } else { told }, rest))
}

/// The unknown field that a message is about, the known ones, and the one that was probably meant.
fn unknown(message: &str) -> Option<(&str, Vec<&str>, Option<&str>)> {
    let field = quoted(message, "unknown field")?;
    let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
    let near = nearest(field, known.iter().copied());
    Some((field, known, near))
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}

/// The word in backquotes after `lead`.
fn quoted<'a>(message: &'a str, lead: &str) -> Option<&'a str> {
    message.strip_prefix(lead)?.split('`').nth(1)
}

fn problem(path: &str, message: &str, kind: &str, places: &Places) -> Problem {
    if let Some((field, known, near)) = unknown(message) {
        let hint = near.map_or_else(
            || format!("the fields here are {}", known.join(", ")),
            |near| format!("did you mean \"{near}\"?"),
        );
        let message = format!("there is no field \"{field}\" here");
        return Problem::error(places.key(path), message).hint(hint);
    }
    if let Some(field) = quoted(message, "missing field") {
        let what = if path.is_empty() { format!("this {kind}") } else { path.to_owned() };
        let message = format!("the field \"{field}\" of {what} is missing");
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
