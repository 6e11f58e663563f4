//! Grafana OnCall's formatted webhook, and Zabbix: its media type for OnCall, and ours. Pure.

use escalation::event::Severity;
use serde_json::Value;

use super::event::{Act, Event, fields_of, first, listed, paragraphs};

/// Fields of the formatted webhook that have a place of their own in an event.
const KNOWN: [&str; 6] = ["alert_uid", "title", "message", "state", "image_url", "link_to_upstream_details"];

/// Reads a formatted webhook.
///
/// # Errors
///
/// What is wrong with it.
pub fn read(body: &Value) -> Result<Event, String> {
    let act = match body["state"].as_str().map(str::to_lowercase).as_deref() {
        Some("ok" | "resolved") => Act::Resolve,
        // The state may be left out; then there is a problem.
        Some("alerting" | "") | None => Act::Trigger,
        Some(other) => {
            let shown: String = other.chars().take(40).collect();
            return Err(format!("\"state\" is \"{shown}\"; write \"alerting\" or \"ok\""));
        }
    };
    let key = first(body, &["alert_uid"]);
    if key.is_none() && act == Act::Resolve {
        return Err("\"alert_uid\" is missing: it says which problem is gone".to_owned());
    }
    let Some(title) = first(body, &["title", "message"]) else {
        return Err("\"title\" is missing: it is what people read".to_owned());
    };
    let mut event = Event::new(act, key, body.clone());
    let more = fields_of(body).filter(|(name, _)| !KNOWN.contains(name));
    event.details = paragraphs(&[&first(body, &["message"]).unwrap_or_default(), &listed(more)]);
    event.summary = title;
    event.severity = first(body, &["severity", "priority"]);
    event.link(body["link_to_upstream_details"].as_str().unwrap_or_default(), "details");
    event.link(body["image_url"].as_str().unwrap_or_default(), "picture");
    Ok(event.tidy())
}

/// Reads what Zabbix sends: our media type's fields, or a formatted webhook.
///
/// # Errors
///
/// What is wrong with it.
pub fn read_zabbix(body: &Value) -> Result<Event, String> {
    let Some(id) = first(body, &["event_id"]) else { return read(body) };
    let is =
        |field: &str, word: &str| first(body, &[field]).is_some_and(|text| text.eq_ignore_ascii_case(word));
    // A problem has the value 1, its end 0; what people do to it comes as an update.
    let value = first(body, &["event_value"]);
    let act = if is("update_status", "1") && !is("event_value", "0") {
        // What is acknowledged already stays so in every later update: only the action says what was done now.
        let action = first(body, &["update_action"]).unwrap_or_default().to_lowercase();
        if action.contains("unacknowledged") {
            Act::Unacknowledge
        } else if action.contains("acknowledged") || (action.is_empty() && is("ack_status", "yes")) {
            Act::Acknowledge
        } else {
            match first(body, &["update_message"]) {
                Some(message) => Act::Note(message),
                None => Act::Nothing("an update without a message"),
            }
        }
    } else {
        match value.as_deref() {
            Some("1") | None => Act::Trigger,
            Some("0") => Act::Resolve,
            Some(_) => return Err("\"event_value\" is {EVENT.VALUE}: 1 or 0".to_owned()),
        }
    };
    let Some(name) = first(body, &["name", "title", "summary"]) else {
        return Err("\"name\" is missing: give it {EVENT.NAME}".to_owned());
    };
    let mut event = Event::new(act, Some(id), body.clone());
    event.summary = match first(body, &["host"]) {
        Some(host) => format!("{host}: {name}"),
        None => name,
    };
    let named = ["severity", "host", "trigger_id", "event_id", "opdata", "tags"];
    let named = listed(named.iter().map(|name| (*name, &body[*name])));
    event.details = paragraphs(&[&first(body, &["message"]).unwrap_or_default(), &named]);
    event.otherwise = Severity::Error;
    event.severity = match first(body, &["nseverity"]).as_deref() {
        Some("5") => Some("disaster".to_owned()),
        Some("4") => Some("high".to_owned()),
        Some("3") => Some("average".to_owned()),
        Some("2") => Some("warning".to_owned()),
        Some("1") => Some("information".to_owned()),
        Some("0") => Some("not classified".to_owned()),
        _ => first(body, &["severity"]),
    };
    event.by = first(body, &["user"]);
    event.note = first(body, &["update_message"]).filter(|_| event.act != Act::Trigger);
    event.link(body["url"].as_str().unwrap_or_default(), "Zabbix");
    Ok(event.tidy())
}
