//! Rows ⇄ values: words, instants, ids and the few JSON columns. The shapes here are the store's own;
//! neither the API's nor the core's types are ever written as they are.

use escalation::alert::{Act, Silenced, Snooze};
use escalation::contact::Contact;
use escalation::event::{Actor, Link, Route, Urgency, Via};
use escalation::name::Name;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::StoreError;

/// An instant from its milliseconds.
pub(super) fn instant(millis: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(millis).map_err(|error| corrupt("an instant", &error))
}

/// A value that was stored in a form that it can't have.
pub(in crate::store) fn corrupt(what: &str, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("{what}: {why}"))
}

/// The value among `all` whose word is `text`.
pub(super) fn word<T: Copy>(all: &[T], of: fn(T) -> &'static str, text: &str) -> Result<T, StoreError> {
    all.iter()
        .copied()
        .find(|value| of(*value) == text)
        .ok_or_else(|| StoreError::Corrupt(format!("the word \"{text}\"")))
}

/// A name.
pub(in crate::store) fn name(text: &str) -> Result<Name, StoreError> {
    Name::new(text).map_err(|error| corrupt("a name", &error))
}

/// A contact.
pub(super) fn contact(text: &str) -> Result<Contact, StoreError> {
    text.parse().map_err(|error| corrupt("a contact", &error))
}

/// A whole number of a smaller type.
pub(super) fn small<T: TryFrom<i64>>(number: i64) -> Result<T, StoreError> {
    T::try_from(number).map_err(|_| StoreError::Corrupt(format!("the number {number}")))
}

/// Sixteen bytes of an id.
pub(super) fn id_bytes(bytes: &[u8]) -> Result<[u8; 16], StoreError> {
    bytes.try_into().map_err(|error| corrupt("an id", &error))
}

/// The most rows that a statement is to find.
pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// JSON text of a value of ours, which always has one.
pub(in crate::store) fn to_json<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| corrupt("JSON", &error))
}

/// A value from its JSON text.
pub(in crate::store) fn from_json<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| corrupt("JSON", &error))
}

#[derive(Serialize, Deserialize)]
struct LinkRow {
    href: String,
    text: String,
}

pub(super) fn links_to_json(links: &[Link]) -> Result<String, StoreError> {
    if links.is_empty() {
        return Ok("[]".to_owned());
    }
    let rows: Vec<_> =
        links.iter().map(|link| LinkRow { href: link.href.clone(), text: link.text.clone() }).collect();
    to_json(&rows)
}

pub(super) fn links_from_json(text: &str) -> Result<Vec<Link>, StoreError> {
    let rows: Vec<LinkRow> = from_json(text)?;
    Ok(rows.into_iter().map(|row| Link { href: row.href, text: row.text }).collect())
}

#[derive(Serialize, Deserialize)]
struct RouteRow {
    urgency: Option<String>,
    plan: Option<String>,
}

pub(super) fn route_to_json(route: &Route) -> Result<Option<String>, StoreError> {
    if *route == Route::default() {
        return Ok(None);
    }
    to_json(&RouteRow {
        urgency: route.urgency.map(|urgency| urgency.word().to_owned()),
        plan: route.plan.as_ref().map(ToString::to_string),
    })
    .map(Some)
}

pub(super) fn route_from_json(text: Option<&str>) -> Result<Route, StoreError> {
    let Some(text) = text else { return Ok(Route::default()) };
    let row: RouteRow = from_json(text)?;
    let urgency = |text: &str| word(&[Urgency::High, Urgency::Low], Urgency::word, text);
    Ok(Route {
        urgency: row.urgency.as_deref().map(urgency).transpose()?,
        plan: row.plan.as_deref().map(name).transpose()?,
    })
}

#[derive(Serialize, Deserialize)]
struct ActRow {
    person: Option<String>,
    label: String,
    via: String,
    at: i64,
}

impl ActRow {
    fn of(act: &Act) -> Self {
        Self {
            person: act.by.person.as_ref().map(ToString::to_string),
            label: act.by.label.clone(),
            via: act.by.via.word().to_owned(),
            at: act.at.as_millisecond(),
        }
    }

    fn read(self) -> Result<Act, StoreError> {
        Ok(Act {
            by: Actor {
                person: self.person.as_deref().map(name).transpose()?,
                label: self.label,
                via: word(&Via::ALL, Via::word, &self.via)?,
            },
            at: instant(self.at)?,
        })
    }
}

pub(super) fn act_to_json(act: Option<&Act>) -> Result<Option<String>, StoreError> {
    act.map(|act| to_json(&ActRow::of(act))).transpose()
}

pub(super) fn act_from_json(text: Option<&str>) -> Result<Option<Act>, StoreError> {
    text.map(|text| from_json::<ActRow>(text)?.read()).transpose()
}

#[derive(Serialize, Deserialize)]
struct SnoozeRow {
    act: ActRow,
    until: i64,
}

pub(super) fn snooze_to_json(snooze: Option<&Snooze>) -> Result<Option<String>, StoreError> {
    let row =
        |snooze: &Snooze| SnoozeRow { act: ActRow::of(&snooze.act), until: snooze.until.as_millisecond() };
    snooze.map(|snooze| to_json(&row(snooze))).transpose()
}

pub(super) fn snooze_from_json(text: Option<&str>) -> Result<Option<Snooze>, StoreError> {
    let read = |text: &str| {
        let row: SnoozeRow = from_json(text)?;
        Ok(Snooze { act: row.act.read()?, until: instant(row.until)? })
    };
    text.map(read).transpose()
}

#[derive(Serialize, Deserialize)]
struct SilencedRow {
    by: String,
    why: String,
    since: i64,
    until: i64,
}

pub(super) fn silenced_to_json(silenced: Option<&Silenced>) -> Result<Option<String>, StoreError> {
    let row = |silenced: &Silenced| SilencedRow {
        by: silenced.by.to_string(),
        why: silenced.why.clone(),
        since: silenced.since.as_millisecond(),
        until: silenced.until.as_millisecond(),
    };
    silenced.map(|silenced| to_json(&row(silenced))).transpose()
}

pub(super) fn silenced_from_json(text: Option<&str>) -> Result<Option<Silenced>, StoreError> {
    let read = |text: &str| {
        let row: SilencedRow = from_json(text)?;
        Ok(Silenced {
            by: name(&row.by)?,
            why: row.why,
            since: instant(row.since)?,
            until: instant(row.until)?,
        })
    };
    text.map(read).transpose()
}

pub(super) fn contacts_to_json(contacts: &[Contact]) -> Result<String, StoreError> {
    if contacts.is_empty() {
        return Ok("[]".to_owned());
    }
    to_json(&contacts.iter().map(Contact::as_str).collect::<Vec<_>>())
}

pub(super) fn contacts_from_json(text: &str) -> Result<Vec<Contact>, StoreError> {
    let texts: Vec<String> = from_json(text)?;
    texts.iter().map(|text| contact(text)).collect()
}
