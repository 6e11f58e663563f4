//! The `[[template]]` tables: words of the operators in the place of ours.

use anyhow::{Context, bail};
use escalation::contact::Kind;
use escalation::delivery::Purpose;
use serde::Deserialize;

use super::read_secret;
use crate::definition::nearest;
use crate::message::Language;
use crate::message::template::{Template, Templates, Wanted};

/// One table, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    channel: Option<String>,
    purpose: Option<String>,
    language: Option<String>,
    text: Option<String>,
    text_file: Option<String>,
}

/// Reads all tables: everything that is wrong is told at once.
pub(super) fn resolve(tables: Vec<Raw>) -> anyhow::Result<Templates> {
    let mut templates = Vec::new();
    let mut problems = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        match one(table) {
            Ok(template) => templates.push(template),
            Err(error) => problems.push(format!("template {}: {error:#}", index + 1)),
        }
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(Templates::new(templates))
}

fn one(raw: Raw) -> anyhow::Result<Template> {
    let wanted = Wanted {
        kind: known("channel", raw.channel, &Kind::ALL, Kind::word)?,
        purpose: known("purpose", raw.purpose, &Purpose::ALL, Purpose::word)?,
        language: known("language", raw.language, &Language::ALL, Language::word)?,
    };
    let text = match (raw.text, raw.text_file) {
        (Some(text), None) => text,
        (None, Some(path)) => read_secret(&path).with_context(|| format!("text_file: {path}"))?,
        _ => bail!("write \"text\" or \"text_file\", and not both"),
    };
    Template::new(wanted, &text).map_err(|wrong| anyhow::anyhow!("text: {wrong}"))
}

/// The one of `all` that has this word.
fn known<T: Copy>(
    field: &str,
    text: Option<String>,
    all: &[T],
    word: impl Fn(T) -> &'static str + Copy,
) -> anyhow::Result<Option<T>> {
    let Some(text) = text else { return Ok(None) };
    if let Some(found) = all.iter().find(|one| word(**one) == text) {
        return Ok(Some(*found));
    }
    let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
    let hint = nearest(&text, words.iter().copied()).map_or_else(
        || format!("there are {}", words.join(", ")),
        |near| format!("did you mean \"{near}\"?"),
    );
    bail!("{field}: \"{text}\" is not known; {hint}")
}
