//! PagerDuty's Events API: version 2 (`/v2/enqueue`, `/v2/change/enqueue`) and the one before.
//!
//! Pure. The key is in the body, so it is read before anything is known of the integration. Texts that are too long
//! are cut and never refused: a page with half a sentence is better than none.

use escalation::event::Severity;
use serde_json::{Value, json};

use super::event::{Act, Event, MAX_KEY, fields_of, listed, paragraphs};
use crate::definition::integration::template::text_of;

/// A request, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// What it says.
    pub event: Event,
    /// The key that is answered: the sender's; none: one is made.
    pub dedup_key: Option<String>,
}

/// The integration's key in a request, by the name that the version has for it.
pub fn routing_key<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body[name].as_str().map(str::trim).filter(|key| !key.is_empty())
}

fn act_of(body: &Value, field: &str, wrong: &mut Vec<String>) -> Act {
    match body[field].as_str() {
        Some("trigger") => Act::Trigger,
        Some("acknowledge") => Act::Acknowledge,
        Some("resolve") => Act::Resolve,
        _ => {
            wrong.push(format!("'{field}' must be one of 'trigger', 'acknowledge', 'resolve'"));
            Act::Trigger
        }
    }
}

/// A key that the sender gave; an empty one is none.
fn given_key(body: &Value, field: &str, wrong: &mut Vec<String>) -> Option<String> {
    match &body[field] {
        Value::Null => None,
        Value::String(key) if key.is_empty() => None,
        Value::String(key) => Some(key.clone()),
        Value::Number(key) => Some(key.to_string()),
        _ => {
            wrong.push(format!("'{field}' must be a string"));
            None
        }
    }
}

fn needs_key(act: &Act, key: Option<&String>, field: &str, wrong: &mut Vec<String>) {
    if *act != Act::Trigger && key.is_none() {
        wrong.push(format!("'{field}' is missing or blank: it says which problem is meant"));
    }
}

fn text<'a>(object: &'a Value, field: &str, path: &str, wrong: &mut Vec<String>) -> &'a str {
    match object[field].as_str() {
        Some(text) if !text.trim().is_empty() => text,
        _ => {
            wrong.push(format!("'{path}{field}' is missing or blank"));
            ""
        }
    }
}

fn links(body: &Value, event: &mut Event) {
    let entries = |field: &str| body[field].as_array().map_or(&[][..], Vec::as_slice);
    let of = |entry: &Value, field: &str| entry[field].as_str().unwrap_or_default().to_owned();
    for link in entries("links") {
        event.link(&of(link, "href"), &of(link, "text"));
    }
    for image in entries("images") {
        event.link(&of(image, "href"), &of(image, "alt"));
        event.link(&of(image, "src"), &of(image, "alt"));
    }
    for context in entries("contexts") {
        event.link(&of(context, "href"), &of(context, "text"));
        event.link(&of(context, "src"), &of(context, "alt"));
    }
    event.link(&of(body, "client_url"), &of(body, "client"));
}

/// Reads an event of version 2.
///
/// # Errors
///
/// Everything that is wrong, in the words of that API.
pub fn read(body: &Value) -> Result<Read, Vec<String>> {
    let mut wrong = Vec::new();
    let act = act_of(body, "event_action", &mut wrong);
    let dedup_key = given_key(body, "dedup_key", &mut wrong);
    needs_key(&act, dedup_key.as_ref(), "dedup_key", &mut wrong);
    let payload = &body["payload"];
    let mut event = Event::new(act, dedup_key.clone(), body.clone());
    event.by = body["client"].as_str().map(str::to_owned).filter(|_| event.act != Act::Trigger);
    if event.act == Act::Trigger {
        if !payload.is_object() {
            wrong.push("'payload' is missing".to_owned());
        } else {
            event.summary = text(payload, "summary", "payload.", &mut wrong).to_owned();
            let source = text(payload, "source", "payload.", &mut wrong);
            let severity = text(payload, "severity", "payload.", &mut wrong);
            if !severity.is_empty() && !Severity::ALL.iter().any(|known| known.word() == severity) {
                wrong.push(
                    "'payload.severity' must be one of 'critical', 'error', 'warning', 'info'".to_owned(),
                );
            }
            event.severity = Some(severity.to_owned());
            let named = ["component", "group", "class", "timestamp"];
            let named = listed(named.iter().map(|name| (*name, &payload[*name])));
            event.details =
                paragraphs(&[&format!("source: {source}\n{named}"), &details(&payload["custom_details"])]);
        }
    }
    links(body, &mut event);
    if wrong.is_empty() { Ok(Read { event: event.tidy(), dedup_key }) } else { Err(wrong) }
}

/// Details may be an object, or anything else.
fn details(value: &Value) -> String {
    if value.is_object() { listed(fields_of(value)) } else { text_of(value) }
}

/// Reads a change event, which pages nobody.
///
/// # Errors
///
/// Everything that is wrong, in the words of that API.
pub fn read_change(body: &Value) -> Result<Event, Vec<String>> {
    let mut wrong = Vec::new();
    let mut event = Event::new(Act::Nothing("a change event pages nobody"), None, body.clone());
    if body["payload"].is_object() {
        event.summary = text(&body["payload"], "summary", "payload.", &mut wrong).to_owned();
    } else {
        wrong.push("'payload' is missing".to_owned());
    }
    links(body, &mut event);
    if wrong.is_empty() { Ok(event.tidy()) } else { Err(wrong) }
}

/// Reads an event of version 1.
///
/// # Errors
///
/// Everything that is wrong, in the words of that API.
pub fn read_v1(body: &Value) -> Result<Read, Vec<String>> {
    let mut wrong = Vec::new();
    let act = act_of(body, "event_type", &mut wrong);
    let dedup_key = given_key(body, "incident_key", &mut wrong);
    needs_key(&act, dedup_key.as_ref(), "incident_key", &mut wrong);
    let mut event = Event::new(act, dedup_key.clone(), body.clone());
    if event.act == Act::Trigger {
        event.summary = text(body, "description", "", &mut wrong).to_owned();
        event.severity = body["details"]["severity"].as_str().map(str::to_owned);
    }
    event.details = details(&body["details"]);
    links(body, &mut event);
    if wrong.is_empty() { Ok(Read { event: event.tidy(), dedup_key }) } else { Err(wrong) }
}

/// What a sender is answered whose event was taken.
pub fn accepted(key_field: &str, dedup_key: &str) -> Value {
    json!({ "status": "success", "message": "Event processed", key_field: dedup_key })
}

/// What a sender is answered whose event was not.
pub fn refused(wrong: &[String]) -> Value {
    json!({ "status": "invalid event", "message": "Event object is invalid", "errors": wrong })
}

/// What a sender is answered that is to try again.
pub fn later(why: &str) -> Value {
    json!({ "status": "throttle exceeded", "message": why, "errors": [why] })
}

/// A key that the sender did not give is at most as long as one that it may give.
const _: () = assert!(MAX_KEY >= 255);
