//! Opsgenie's alert API, version 2, which Jira Service Management has kept: what comes in, and how alerts look there.
//! Pure.

use escalation::alert::{Alert, Status};
use escalation::event::Severity;
use escalation::id::AlertId;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::event::{Act, Event, MAX_KEY, fields_of, first, listed, paragraphs};

/// What is wrong with a request: fields, each with the reason.
pub type Wrong = Map<String, Value>;

fn wrong(field: &str, why: &str) -> Wrong {
    Map::from_iter([(field.to_owned(), Value::String(why.to_owned()))])
}

/// By what an alert is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// Its id.
    Id(AlertId),
    /// Its short number.
    Tiny(u64),
    /// The sender's own name for it: our dedup key.
    Alias(String),
    /// An id that is none of ours: there is no such alert.
    Nobody,
}

/// Reads by what an alert is named.
///
/// # Errors
///
/// What is wrong with `identifierType`.
pub fn named(identifier: &str, identifier_type: Option<&str>) -> Result<Named, Wrong> {
    match identifier_type.unwrap_or("id") {
        "id" => Ok(identifier.parse().map_or(Named::Nobody, Named::Id)),
        "tiny" => Ok(identifier.parse().map_or(Named::Nobody, Named::Tiny)),
        "alias" => Ok(Named::Alias(super::event::key(identifier.to_owned()))),
        _ => Err(wrong("identifierType", "must be one of [id, tiny, alias]")),
    }
}

/// Reads a new alert.
///
/// # Errors
///
/// Every field at fault.
pub fn read_create(body: &Value) -> Result<Event, Wrong> {
    let mut faults = Wrong::new();
    let message = body["message"].as_str().unwrap_or_default();
    if message.trim().is_empty() {
        faults.insert("message".to_owned(), "Message can not be empty.".into());
    }
    let alias = match &body["alias"] {
        Value::Null => None,
        Value::String(alias) => Some(alias.clone()).filter(|alias| !alias.is_empty()),
        _ => {
            faults.insert("alias".to_owned(), "Alias must be a string.".into());
            None
        }
    };
    let priority = match &body["priority"] {
        Value::Null => None,
        Value::String(word) if word.is_empty() => None,
        Value::String(word) if is_priority(word) => Some(word.clone()),
        _ => {
            faults.insert("priority".to_owned(), "Priority must be one of [P1, P2, P3, P4, P5].".into());
            None
        }
    };
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut event = Event::new(Act::Trigger, alias, body.clone());
    event.summary = message.to_owned();
    event.severity = priority;
    event.by = first(body, &["user"]);
    let names = ["entity", "source", "tags", "note"];
    let named = listed(names.iter().map(|name| (*name, &body[*name])));
    let description = first(body, &["description"]).unwrap_or_default();
    event.details = paragraphs(&[&description, &named, &listed(fields_of(&body["details"]))]);
    event.link(body["source"].as_str().unwrap_or_default(), "the sender");
    Ok(event.tidy())
}

fn is_priority(word: &str) -> bool {
    matches!(word, "P1" | "P2" | "P3" | "P4" | "P5")
}

/// What is done to an alert, by the last word of the address.
///
/// # Errors
///
/// Every field at fault; what is not done here is named.
pub fn read_act(verb: &str, body: &Value, now: Timestamp) -> Result<Event, Wrong> {
    let text = |field: &str| {
        first(body, &[field]).ok_or_else(|| wrong(field, &format!("{field} can not be empty.")))
    };
    let amend = |summary, details, severity| Act::Amend { summary, details, severity };
    let act = match verb {
        "close" => Act::Resolve,
        "acknowledge" => Act::Acknowledge,
        "unacknowledge" => Act::Unacknowledge,
        "snooze" => {
            let end = text("endTime")?;
            let end: Timestamp = end
                .parse()
                .map_err(|_| wrong("endTime", "endTime must be a time of ISO 8601 with its zone."))?;
            if end <= now {
                return Err(wrong("endTime", "endTime must be in the future."));
            }
            Act::Snooze(end)
        }
        "notes" => Act::Note(text("note")?),
        "message" => amend(Some(text("message")?), None, None),
        "description" => amend(None, Some(text("description")?), None),
        "priority" => {
            let word = text("priority")?;
            if !is_priority(&word) {
                return Err(wrong("priority", "Priority must be one of [P1, P2, P3, P4, P5]."));
            }
            amend(None, None, Some(word))
        }
        other => {
            let why = format!(
                "Dogwatch does not do \"{other}\": it takes create, close, acknowledge, unacknowledge, snooze, notes, \
                 message, description and priority"
            );
            return Err(wrong("request", &why));
        }
    };
    let mut event = Event::new(act, None, body.clone());
    event.by = first(body, &["user"]);
    event.note = first(body, &["note"]);
    Ok(event.tidy())
}

/// The priority that stands for a severity.
pub const fn priority(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "P1",
        Severity::Error => "P3",
        Severity::Warning => "P4",
        Severity::Info => "P5",
    }
}

/// An alert as it is shown there.
pub fn view(alert: &Alert) -> Value {
    let is_open = alert.status != Status::Resolved;
    json!({
        "id": alert.id.to_string(),
        "tinyId": alert.number.to_string(),
        "alias": alert.dedup_key,
        "message": alert.summary,
        "description": alert.details,
        "status": if is_open { "open" } else { "closed" },
        "acknowledged": alert.status == Status::Acknowledged,
        "isSeen": alert.acknowledged.is_some(),
        "snoozed": alert.status == Status::Snoozed,
        "snoozedUntil": alert.snoozed.as_ref().map(|snooze| snooze.until.to_string()),
        "tags": [],
        "count": alert.triggers,
        "createdAt": alert.created_at.to_string(),
        "lastOccurredAt": alert.triggered_at.to_string(),
        "updatedAt": alert.triggered_at.to_string(),
        "source": alert.integration,
        "owner": alert.acknowledged.as_ref().filter(|_| alert.status == Status::Acknowledged)
            .map_or("", |act| act.by.label.as_str()),
        "priority": priority(alert.severity),
        "responders": [{ "type": "team", "id": alert.audience.name().as_str(), "name": alert.audience.name().as_str() }],
        "integration": { "name": alert.integration, "type": "API" },
    })
}

/// Which alerts a listing asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Only those that are open, or only those that are closed.
    pub is_open: Option<bool>,
    /// Only that with this alias.
    pub alias: Option<String>,
}

/// Reads a search: `status: open` or `closed`, `alias: x`, and both with `AND`.
///
/// # Errors
///
/// What is not understood.
pub fn read_query(text: &str) -> Result<Query, Wrong> {
    let mut query = Query::default();
    if text.trim().is_empty() || text.trim() == "*" {
        return Ok(query);
    }
    let unknown = || {
        wrong(
            "query",
            "Dogwatch understands \"status: open\", \"status: closed\", \"alias: NAME\", and both with AND",
        )
    };
    for term in text.split(" AND ") {
        let (field, value) = term.split_once([':', '=']).ok_or_else(unknown)?;
        let value = value.trim().trim_matches('"');
        match (field.trim(), value) {
            ("status", "open") => query.is_open = Some(true),
            ("status", "closed" | "resolved") => query.is_open = Some(false),
            ("alias", alias) if alias.len() <= MAX_KEY => query.alias = Some(alias.to_owned()),
            _ => return Err(unknown()),
        }
    }
    Ok(query)
}

/// What a sender is answered whose request was taken.
pub fn accepted(request: &str, took: f64) -> Value {
    json!({ "result": "Request will be processed", "took": took, "requestId": request })
}

/// What a sender is answered whose request was not.
pub fn refused(message: &str, faults: Wrong, request: &str) -> Value {
    let mut answer = json!({ "message": message, "took": 0.0, "requestId": request });
    if !faults.is_empty() {
        answer["errors"] = Value::Object(faults);
    }
    answer
}
