//! The history of alerts: how it is written and read.

use escalation::contact::Contact;
use escalation::effect::{Entry, EntryKind};
use escalation::event::{Actor, Via};
use escalation::id::AlertId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::codec::{from_json, instant, limit, name, small, to_json, word};
use super::{Sql, values};
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

pub(super) async fn insert(
    sql: &mut impl Sql,
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
    sql.change(
        statement,
        values![
            entry.at.as_millisecond(),
            alert.to_bytes(),
            entry.kind.word(),
            entry.round,
            by.and_then(|by| by.person.as_ref()).map(|person| person.as_str()),
            by.map(|by| by.label.as_str()),
            by.map(|by| by.via.word()),
            &entry.text,
            detail.as_deref(),
            idempotency.map(|key| key.key.as_str()),
            idempotency.map(|key| key.request),
        ],
    )
    .await
}

/// The alert that a request with this key was linked to, and that request's hash.
pub(super) async fn by_idempotency(
    sql: &mut impl Sql,
    key: &str,
) -> Result<Option<(AlertId, Vec<u8>)>, StoreError> {
    let found = sql.first("SELECT alert, request FROM event WHERE idempotency = ?1", values![key]).await?;
    found.map(|mut row| Ok((AlertId::from_bytes(row.get(0)?), row.get(1)?))).transpose()
}

/// How often an alert was reported since an instant.
pub(super) async fn reports_since(
    sql: &mut impl Sql,
    alert: AlertId,
    since: Timestamp,
) -> Result<u64, StoreError> {
    let statement = "SELECT count(*) FROM event WHERE alert = ?1 AND at >= ?2 \
         AND kind IN ('triggered', 'triggered_again')";
    small(sql.value(statement, values![alert.to_bytes(), since.as_millisecond()]).await?)
}

/// The history of an alert, oldest first.
pub(super) async fn of_alert(sql: &mut impl Sql, alert: AlertId) -> Result<Vec<HistoryEntry>, StoreError> {
    of_alert_after(sql, alert, 0).await
}

/// How many lines the history of an alert has.
pub(in crate::store) async fn count(sql: &mut impl Sql, alert: AlertId) -> Result<usize, StoreError> {
    small(sql.value("SELECT count(*) FROM event WHERE alert = ?1", values![alert.to_bytes()]).await?)
}

/// The history of an alert after so many lines, oldest first.
pub(in crate::store) async fn of_alert_after(
    sql: &mut impl Sql,
    alert: AlertId,
    after: usize,
) -> Result<Vec<HistoryEntry>, StoreError> {
    let statement = "SELECT at, kind, round, person, label, via, text, detail FROM event \
         WHERE alert = ?1 AND seq > ?2 ORDER BY seq";
    let rows = sql.rows(statement, values![alert.to_bytes(), limit(after)]).await?;
    let entries = rows.into_iter().map(|mut row| {
        let (person, label): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
        let (via, detail): (Option<String>, Option<String>) = (row.get(5)?, row.get(7)?);
        let detail: Detail = detail.as_deref().map(from_json).transpose()?.unwrap_or_default();
        let by = match (label, via) {
            (Some(label), Some(via)) => Some(Actor {
                person: person.as_deref().map(name).transpose()?,
                label,
                via: word(&Via::ALL, Via::word, &via)?,
            }),
            _ => None,
        };
        Ok(HistoryEntry {
            at: instant(row.get(0)?)?,
            kind: word(&EntryKind::ALL, EntryKind::word, &row.get::<String>(1)?)?,
            round: small(row.get(2)?)?,
            by,
            step: detail.step,
            people: detail.people,
            contacts: detail.contacts,
            text: row.get(6)?,
        })
    });
    entries.collect()
}
