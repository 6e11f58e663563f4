//! Alertmanager's webhook, version 4, and Grafana's, which is built on it. Pure.
//!
//! A message holds a group of alerts; each is a problem of its own, known by its fingerprint. When it started is no
//! part of what it is: Alertmanager moves that between messages of one alert.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::event::{Act, Event, fields_of, first, listed, paragraphs};

/// The most alerts that are taken from one message.
pub const MAX_ALERTS: usize = 5_000;

/// Reads a message.
///
/// # Errors
///
/// What is wrong with it.
pub fn read(body: &Value) -> Result<Vec<Event>, String> {
    let alerts = body["alerts"].as_array().ok_or(
        "\"alerts\" is missing or no list: this address takes webhooks of Alertmanager (version 4) and Grafana",
    )?;
    if alerts.len() > MAX_ALERTS {
        return Err(format!("has {} alerts; at most {MAX_ALERTS} are taken at once", alerts.len()));
    }
    // A template of the sender's own may leave out what every alert has.
    alerts.iter().enumerate().map(|(index, alert)| one(body, alert, index)).collect()
}

fn one(body: &Value, alert: &Value, index: usize) -> Result<Event, String> {
    if !alert.is_object() {
        return Err(format!("alerts[{index}] is no object"));
    }
    let act = match alert["status"].as_str().or_else(|| body["status"].as_str()) {
        Some("firing") => Act::Trigger,
        Some("resolved") => Act::Resolve,
        _ => return Err(format!("alerts[{index}].status is neither \"firing\" nor \"resolved\"")),
    };
    let labels = &alert["labels"];
    if !labels.is_object() {
        return Err(format!("alerts[{index}].labels is missing or no object"));
    }
    let annotations = &alert["annotations"];
    let fields = json!({
        "labels": labels,
        "annotations": annotations,
        "status": alert["status"],
        "receiver": body["receiver"],
        "groupKey": body["groupKey"],
        "groupLabels": body["groupLabels"],
        "commonLabels": body["commonLabels"],
        "values": alert["values"],
        "ruleUID": alert["ruleUID"],
        "orgId": body["orgId"],
    });
    let mut event = Event::new(act, Some(identity(alert, labels)), fields);
    event.summary = first(annotations, &["summary", "title", "message"]).unwrap_or_else(|| {
        let name = first(labels, &["alertname"]).unwrap_or_else(|| "an alert without a name".to_owned());
        match first(labels, &["instance", "host", "service", "job"]) {
            Some(place) => format!("{name} on {place}"),
            None => name,
        }
    });
    let more = fields_of(annotations)
        .filter(|(name, _)| !matches!(*name, "summary" | "description") && !name.starts_with("__"));
    event.details = paragraphs(&[
        &first(annotations, &["description"]).unwrap_or_default(),
        &first(alert, &["valueString"]).unwrap_or_default(),
        &listed(more),
        &listed(fields_of(labels)),
    ]);
    event.severity = first(labels, &["severity", "priority", "og_priority"]);
    for (name, text) in [
        ("panelURL", "panel"),
        ("dashboardURL", "dashboard"),
        ("generatorURL", "what fired"),
        ("silenceURL", "silence it at the sender"),
        ("imageURL", "picture"),
    ] {
        event.link(alert[name].as_str().unwrap_or_default(), text);
    }
    for (name, value) in fields_of(annotations).filter(|(name, _)| name.ends_with("_url")) {
        event.link(value.as_str().unwrap_or_default(), name);
    }
    event.link(body["externalURL"].as_str().unwrap_or_default(), "the sender");
    Ok(event.tidy())
}

/// The fingerprint; where a template left it out, a hash of the labels.
fn identity(alert: &Value, labels: &Value) -> String {
    if let Some(fingerprint) = alert["fingerprint"].as_str().filter(|text| !text.is_empty()) {
        return fingerprint.to_owned();
    }
    // The keys of an object come in order.
    let hash = Sha256::digest(labels.to_string().as_bytes());
    hash.iter().take(16).fold("labels:".to_owned(), |made, byte| format!("{made}{byte:02x}"))
}
