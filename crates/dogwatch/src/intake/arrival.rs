//! What an integration makes of an event: for whom it is, how grave, which alert it belongs to, whether it counts.
//!
//! Pure. What comes out is what the store takes.

use escalation::alert::{Audience, MAX_SNOOZE};
use escalation::directory::Directory;
use escalation::event::{Actor, Input, Severity, Trigger, Via};
use escalation::name::Name;
use jiff::Timestamp;
use serde_json::Value;

use super::Format;
use super::event::{Act, Event, key as tidy_key};
use super::severity::meaning;
use crate::definition::Integration;
use crate::definition::integration::Routed;
use crate::definition::integration::rule::Asked;
use crate::store::reception::{Addressee, Arrival};

/// What is known when an event comes.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// Who sent it.
    pub integration: &'a Integration,
    /// In which format.
    pub format: Format,
    /// People, teams and plans.
    pub directory: &'a Directory,
    /// When it came.
    pub now: Timestamp,
}

/// What was decided about an event, to be shown and to be stored.
#[derive(Clone, Debug)]
pub struct Decided {
    /// What is to be stored, in order.
    pub arrivals: Vec<Arrival>,
    /// The key that the sender knows the problem by.
    pub key: String,
    /// The rule that was followed, from 0; none: no rule fits.
    pub rule: Option<usize>,
    /// How grave it is.
    pub severity: Severity,
}

/// Decides about an event. `once` makes a key that nothing else has, and `to` says which alert is meant where that
/// is not said by a key.
pub fn decide(
    scene: Scene<'_>,
    event: Event,
    to: Option<Addressee>,
    once: impl FnOnce() -> String,
) -> Decided {
    let Scene { integration, .. } = scene;
    let severity = meaning(event.severity.as_deref(), &integration.severities, event.otherwise);
    if event.act == Act::Trigger {
        return trigger(scene, event, severity, once);
    }
    let by = actor(scene, event.by.as_deref());
    let is_grouped = !integration.group_by.is_empty();
    let member = event.key.clone().filter(|_| is_grouped);
    let to = to.unwrap_or_else(|| match &event.key {
        Some(key) if is_grouped => Addressee::Member(key.clone()),
        Some(key) => Addressee::Key(key.clone()),
        None => Addressee::Nobody,
    });
    let counts = integration.acknowledge.unwrap_or(scene.format.relays_people());
    let noted = |text: &str| Input::Note { by: by.clone(), text: text.to_owned() };
    let input = match event.act {
        Act::Acknowledge if counts => Ok(Input::Acknowledge { by: by.clone(), take_over: false }),
        Act::Acknowledge => Ok(noted("acknowledged it there; here that stops nothing")),
        Act::Unacknowledge if counts => Ok(Input::Unacknowledge(by.clone())),
        Act::Unacknowledge => Ok(noted("took back an acknowledgement there")),
        Act::Resolve => Ok(Input::Resolve(by.clone())),
        Act::Snooze(until) => {
            let latest = scene.now.saturating_add(MAX_SNOOZE).unwrap_or(until);
            Ok(Input::Snooze { by: by.clone(), until: until.min(latest) })
        }
        Act::Note(text) => Ok(Input::Note { by: by.clone(), text }),
        Act::Amend { summary, details, severity } => {
            let severity = severity.map(|word| meaning(Some(&word), &integration.severities, Severity::Info));
            Ok(Input::Amend { by: by.clone(), summary, details, severity })
        }
        Act::Nothing(why) => Err(why.to_owned()),
        Act::Trigger => Err(String::new()),
    };
    let mut arrivals = Vec::new();
    match input {
        Ok(input) => {
            if let Some(text) = event.note.filter(|_| !matches!(input, Input::Note { .. })) {
                let input = Input::Note { by, text };
                arrivals.push(Arrival::Act { to: to.clone(), input, member: None });
            }
            arrivals.push(Arrival::Act { to, input, member });
        }
        Err(why) => arrivals.push(Arrival::Nothing(why)),
    }
    Decided { arrivals, key: event.key.unwrap_or_default(), rule: None, severity }
}

fn trigger(scene: Scene<'_>, event: Event, severity: Severity, once: impl FnOnce() -> String) -> Decided {
    let Scene { integration, .. } = scene;
    let key = event.key.unwrap_or_else(once);
    let asked = Asked { summary: &event.summary, severity, key: &key, fields: &event.fields };
    let (rule, routed) = integration.route(asked);
    let Routed::To { team, severity, route } = routed else {
        let why = format!("rule {} says that nobody is to hear of it", rule.unwrap_or_default() + 1);
        return Decided { arrivals: vec![Arrival::Nothing(why)], key, rule, severity };
    };
    let group = group_key(integration, &event.fields);
    let (dedup_key, member) = match group {
        Some(group) => (group, Some(key.clone())),
        None => (key.clone(), None),
    };
    let trigger = Trigger {
        audience: Audience::Team(team),
        integration: integration.name.to_string(),
        dedup_key,
        summary: if event.summary.is_empty() { "(no summary)".to_owned() } else { event.summary },
        details: event.details,
        severity,
        links: event.links,
        route,
        by: sender(&integration.name),
    };
    Decided { arrivals: vec![Arrival::Trigger { trigger, member }], key, rule, severity }
}

/// What a problem has in common with those that are one alert with it; none: it is alone.
fn group_key(integration: &Integration, fields: &Value) -> Option<String> {
    if integration.group_by.is_empty() {
        return None;
    }
    let texts: Vec<Value> =
        integration.group_by.iter().map(|place| Value::String(place.text(fields))).collect();
    let says = texts.iter().any(|text| text != "");
    // As JSON two lists of texts are never taken for each other.
    says.then(|| tidy_key(Value::Array(texts).to_string()))
}

/// The integration itself, as the one who acts.
fn sender(name: &Name) -> Actor {
    Actor { person: None, label: name.to_string(), via: Via::Integration }
}

/// Who did something, by the name or the address that the sender has for him.
fn actor(scene: Scene<'_>, by: Option<&str>) -> Actor {
    let own = sender(&scene.integration.name);
    let Some(by) = by else { return own };
    let mail = format!("email:{by}");
    let is = |person: &escalation::person::Person| {
        person.name.as_str().eq_ignore_ascii_case(by)
            || (!person.full_name.is_empty() && person.full_name.eq_ignore_ascii_case(by))
            || person.contacts.iter().any(|contact| contact.as_str().eq_ignore_ascii_case(&mail))
    };
    let mut known = scene.directory.people.values().filter(|person| is(person));
    let person = known.next().filter(|_| known.next().is_none()).map(|person| person.name.clone());
    let label = match &person {
        Some(person) => scene.directory.full_name(person).to_owned(),
        None => format!("{by} ({})", own.label),
    };
    Actor { person, label, via: Via::Integration }
}
