//! The REST endpoint of VictorOps, now Splunk On-Call. Pure.

use escalation::event::Severity;
use serde_json::{Value, json};

use super::event::{Act, Event, fields_of, first, listed, paragraphs};

/// Fields that have a place of their own in an event.
const KNOWN: [&str; 8] = [
    "message_type",
    "entity_id",
    "entity_display_name",
    "state_message",
    "ack_author",
    "ack_msg",
    "state_start_time",
    "timestamp",
];

/// Reads a message.
///
/// # Errors
///
/// What is wrong with it.
pub fn read(body: &Value) -> Result<Event, String> {
    let said = body["message_type"].as_str().unwrap_or_default().trim().to_uppercase();
    let (act, severity) = match said.as_str() {
        "CRITICAL" => (Act::Trigger, Severity::Critical),
        "WARNING" => (Act::Trigger, Severity::Warning),
        "INFO" => (
            Act::Nothing("an INFO message goes to the timeline of VictorOps and pages nobody"),
            Severity::Info,
        ),
        "ACKNOWLEDGEMENT" | "ACK" => (Act::Acknowledge, Severity::Error),
        "RECOVERY" | "OK" => (Act::Resolve, Severity::Error),
        _ => {
            return Err(
                "message_type must be one of CRITICAL, WARNING, INFO, ACKNOWLEDGEMENT, RECOVERY".to_owned()
            );
        }
    };
    let key = match &body["entity_id"] {
        Value::Null => None,
        Value::String(key) if key.is_empty() => None,
        Value::String(key) => Some(key.clone()),
        Value::Number(key) => Some(key.to_string()),
        _ => return Err("entity_id must be a string".to_owned()),
    };
    if key.is_none() && matches!(act, Act::Acknowledge | Act::Resolve) {
        return Err("entity_id is missing: it says which problem is meant".to_owned());
    }
    let mut event = Event::new(act, key, body.clone());
    event.summary = first(body, &["entity_display_name", "state_message", "entity_id"])
        .unwrap_or_else(|| format!("{said}, and nothing more was said"));
    let more = fields_of(body).filter(|(name, _)| !KNOWN.contains(name));
    let message = first(body, &["state_message"]).unwrap_or_default();
    event.details = paragraphs(&[&message, &listed(more)]);
    event.severity = Some(severity.word().to_owned());
    event.by = first(body, &["ack_author"]);
    event.note = first(body, &["ack_msg"]);
    for name in ["alert_url", "alertUrl"] {
        event.link(body[name].as_str().unwrap_or_default(), "");
    }
    for (name, value) in fields_of(body).filter(|(name, _)| name.starts_with("vo_annotate.u.")) {
        event.link(value.as_str().unwrap_or_default(), name.trim_start_matches("vo_annotate.u."));
    }
    Ok(event.tidy())
}

/// What a sender is answered whose message was taken.
pub fn accepted(entity_id: &str) -> Value {
    json!({ "result": "success", "entity_id": entity_id })
}

/// What a sender is answered whose message was not.
pub fn refused(why: &str) -> Value {
    json!({ "result": "failure", "message": why, "messages": why })
}
