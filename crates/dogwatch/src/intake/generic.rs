//! JSON of any sender: by a mapping, or by the fields that a sender without one may use. Pure.

use escalation::event::Severity;
use serde_json::Value;

use super::alertmanager::MAX_ALERTS;
use super::event::{Act, Event, fields_of, first, listed};
use crate::definition::integration::mapping::Mapping;
use crate::definition::integration::template::Template;

/// Reads a document.
///
/// # Errors
///
/// What is wrong with it.
pub fn read(body: &Value, mapping: Option<&Mapping>) -> Result<Vec<Event>, String> {
    let Some(mapping) = mapping else { return plain(body).map(|event| vec![event]) };
    let Some(each) = &mapping.each else { return mapped(body, mapping, "").map(|event| vec![event]) };
    let Some(Value::Array(entries)) = each.find(body) else {
        return Err("there is no list where the mapping's \"each\" looks for it".to_owned());
    };
    if entries.len() > MAX_ALERTS {
        return Err(format!("has {} entries; at most {MAX_ALERTS} are taken at once", entries.len()));
    }
    let entries = entries.iter().enumerate();
    entries.map(|(index, entry)| mapped(entry, mapping, &format!(" of entry {index}"))).collect()
}

fn mapped(document: &Value, mapping: &Mapping, whose: &str) -> Result<Event, String> {
    let text = |template: &Option<Template>| {
        template.as_ref().map(|template| template.render(document)).filter(|text| !text.trim().is_empty())
    };
    let state = text(&mapping.state).map(|state| state.trim().to_lowercase());
    let is = |words: &[String]| state.as_ref().is_some_and(|state| words.contains(state));
    let act = if is(&mapping.ignored) {
        Act::Nothing("the mapping says that this state is of no concern")
    } else if is(&mapping.resolved) {
        Act::Resolve
    } else if is(&mapping.acknowledged) {
        Act::Acknowledge
    } else {
        Act::Trigger
    };
    let key = text(&mapping.key);
    if mapping.key.is_some() && key.is_none() && !matches!(act, Act::Nothing(_)) {
        return Err(format!("the key{whose} is empty: nothing stands where the mapping looks for it"));
    }
    let summary = mapping.summary.render(document);
    if summary.trim().is_empty() && act == Act::Trigger {
        return Err(format!("the summary{whose} is empty: nothing stands where the mapping looks for it"));
    }
    let mut event = Event::new(act, key, document.clone());
    event.summary = summary;
    event.details = text(&mapping.details).unwrap_or_else(|| listed(fields_of(document)));
    event.severity = text(&mapping.severity);
    event.by = text(&mapping.by);
    event.link(&text(&mapping.link).unwrap_or_default(), "");
    Ok(event.tidy())
}

/// Fields of a sender without a mapping.
fn plain(body: &Value) -> Result<Event, String> {
    let action = first(body, &["action", "event_action", "status", "state"]);
    let act = match action.as_deref().map(str::to_lowercase).as_deref() {
        None | Some("trigger" | "firing" | "alerting" | "problem") => Act::Trigger,
        Some("resolve" | "resolved" | "ok" | "recovery") => Act::Resolve,
        Some("acknowledge" | "acknowledged") => Act::Acknowledge,
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            return Err(format!(
                "\"action\" is \"{shown}\"; write \"trigger\", \"acknowledge\" or \"resolve\", or give the integration a \
                 mapping"
            ));
        }
    };
    let key = first(body, &["dedup_key", "key", "id"]);
    if key.is_none() && act != Act::Trigger {
        return Err("\"dedup_key\" is missing: it says which problem is meant".to_owned());
    }
    let summary = first(body, &["summary", "title", "message", "name"]);
    if summary.is_none() && act == Act::Trigger {
        return Err(
            "\"summary\" is missing: it is what people read. Where your sender calls it otherwise, give the integration a \
             mapping"
                .to_owned(),
        );
    }
    let mut event = Event::new(act, key, body.clone());
    event.summary = summary.unwrap_or_default();
    event.details = first(body, &["details", "description"]).unwrap_or_else(|| listed(fields_of(body)));
    event.severity = first(body, &["severity", "priority", "level"]);
    event.otherwise = Severity::Error;
    event.by = first(body, &["by", "user"]);
    event.link(&first(body, &["link", "url"]).unwrap_or_default(), "");
    for link in body["links"].as_array().into_iter().flatten() {
        event.link(link["href"].as_str().unwrap_or_default(), link["text"].as_str().unwrap_or_default());
    }
    Ok(event.tidy())
}
