//! The history of alerts: how it is written and read.

use escalation::contact::Contact;
use escalation::effect::{Entry, EntryKind};
use escalation::event::{Actor, Via};
use escalation::id::AlertId;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::codec::{from_json, id_bytes, instant, name, small, to_json, word};
use crate::store::{HistoryEntry, Idempotency, StoreError};

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Detail {
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u16>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    people: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contacts: Vec<String>,
}

pub(super) fn insert(
    connection: &Connection,
    alert: AlertId,
    entry: &Entry,
    idempotency: Option<&Idempotency>,
) -> Result<(), StoreError> {
    let is_plain = entry.step.is_none() && entry.people.is_empty() && entry.contacts.is_empty();
    let detail = if is_plain {
        None
    } else {
        Some(to_json(&Detail {
            step: entry.step,
            people: entry.people.iter().map(ToString::to_string).collect(),
            contacts: entry.contacts.iter().map(Contact::to_string).collect(),
        })?)
    };
    let by = entry.by.as_ref();
    let statement = "INSERT INTO event (at, alert, kind, round, person, label, via, text, detail, \
         idempotency, request, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
         (SELECT coalesce(max(seq), 0) + 1 FROM event WHERE alert = ?2))";
    connection.prepare_cached(statement)?.execute(params![
        entry.at.as_millisecond(),
        alert.to_bytes(),
        entry.kind.word(),
        entry.round,
        by.and_then(|by| by.person.as_ref()).map(|person| person.as_str()),
        by.map(|by| by.label.as_str()),
        by.map(|by| by.via.word()),
        entry.text,
        detail,
        idempotency.map(|key| key.key.as_str()),
        idempotency.map(|key| key.request),
    ])?;
    Ok(())
}

/// The alert that a request with this key was linked to, and that request's hash.
pub(super) fn by_idempotency(
    connection: &Connection,
    key: &str,
) -> Result<Option<(AlertId, Vec<u8>)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT alert, request FROM event WHERE idempotency = ?1")?;
    let found: Option<(Vec<u8>, Vec<u8>)> =
        statement.query_row([key], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map(|(alert, request)| Ok((AlertId::from_bytes(id_bytes(&alert)?), request))).transpose()
}

/// How often an alert was reported since an instant.
pub(super) fn reports_since(
    connection: &Connection,
    alert: AlertId,
    since: Timestamp,
) -> Result<u64, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT count(*) FROM event WHERE alert = ?1 AND at >= ?2 AND kind IN ('triggered', 'triggered_again')",
    )?;
    let count: i64 =
        statement.query_row(params![alert.to_bytes(), since.as_millisecond()], |row| row.get(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// The history of an alert, oldest first.
pub(super) fn of_alert(connection: &Connection, alert: AlertId) -> Result<Vec<HistoryEntry>, StoreError> {
    of_alert_after(connection, alert, 0)
}

/// How many lines the history of an alert has.
pub(super) fn count(connection: &Connection, alert: AlertId) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM event WHERE alert = ?1")?;
    let count: i64 = statement.query_row([alert.to_bytes()], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// The history of an alert after so many lines, oldest first.
pub(super) fn of_alert_after(
    connection: &Connection,
    alert: AlertId,
    after: usize,
) -> Result<Vec<HistoryEntry>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT at, kind, round, person, label, via, text, detail FROM event WHERE alert = ?1 AND seq > ?2 \
         ORDER BY seq",
    )?;
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![alert.to_bytes(), after])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let (kind, text): (String, String) = (row.get(1)?, row.get(6)?);
        let (person, label, via): (Option<String>, Option<String>, Option<String>) =
            (row.get(3)?, row.get(4)?, row.get(5)?);
        let detail: Option<String> = row.get(7)?;
        let detail: Detail = detail.as_deref().map(from_json).transpose()?.unwrap_or_default();
        let by = match (label, via) {
            (Some(label), Some(via)) => Some(Actor {
                person: person.as_deref().map(name).transpose()?,
                label,
                via: word(&Via::ALL, Via::word, &via)?,
            }),
            _ => None,
        };
        entries.push(HistoryEntry {
            at: instant(row.get(0)?)?,
            kind: word(&EntryKind::ALL, EntryKind::word, &kind)?,
            round: small(row.get(2)?)?,
            by,
            step: detail.step,
            people: detail.people,
            contacts: detail.contacts,
            text,
        });
    }
    Ok(entries)
}
