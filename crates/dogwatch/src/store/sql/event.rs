//! The history of alerts: how it is written and read.

use escalation::contact::Contact;
use escalation::effect::{Entry, EntryKind};
use escalation::event::{Actor, Via};
use escalation::id::AlertId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::codec::{from_json, instant, limit, name, small, to_json, word};
use super::{Sql, Value, alert, values};
use crate::store::rows::{FirstLine, Keys, Known};
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

fn detail_of(entry: &Entry) -> Result<Option<String>, StoreError> {
    if entry.step.is_none() && entry.people.is_empty() && entry.contacts.is_empty() {
        return Ok(None);
    }
    let detail = Detail {
        step: entry.step,
        people: entry.people.iter().map(ToString::to_string).collect(),
        contacts: entry.contacts.iter().map(Contact::to_string).collect(),
    };
    to_json(&detail).map(Some)
}

/// The values of a line, but its place.
fn values_of<'a>(
    alert: AlertId,
    entry: &'a Entry,
    detail: Option<&'a str>,
    idempotency: Option<&'a Idempotency>,
) -> [Value<'a>; 11] {
    let by = entry.by.as_ref();
    *values![
        entry.at.as_millisecond(),
        alert.to_bytes(),
        entry.kind.word(),
        entry.round,
        by.and_then(|by| by.person.as_ref()).map(|person| person.as_str()),
        by.map(|by| by.label.as_str()),
        by.map(|by| by.via.word()),
        &entry.text,
        detail,
        idempotency.map(|key| key.key.as_str()),
        idempotency.map(|key| key.request),
    ]
}

pub(super) async fn insert(
    sql: &mut impl Sql,
    alert: AlertId,
    entry: &Entry,
    idempotency: Option<&Idempotency>,
) -> Result<(), StoreError> {
    let statement = "INSERT INTO event (at, alert, kind, round, person, label, via, text, detail, \
         idempotency, request, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
         (SELECT coalesce(max(seq), 0) + 1 FROM event WHERE alert = ?2))";
    sql.change(statement, &values_of(alert, entry, detail_of(entry)?.as_deref(), idempotency)).await
}

/// The first lines of new alerts, each with its place in the history, from 1.
pub(super) async fn insert_first(sql: &mut impl Sql, all: &[FirstLine<'_>]) -> Result<(), StoreError> {
    let details = all.iter().map(|line| detail_of(line.entry)).collect::<Result<Vec<_>, _>>()?;
    let rows = all.iter().zip(&details).map(|(line, detail)| {
        let mut values = values_of(line.alert, line.entry, detail.as_deref(), line.key).to_vec();
        values.push(line.seq.into());
        values
    });
    let statement = "INSERT INTO event (at, alert, kind, round, person, label, via, text, detail, \
         idempotency, request, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    sql.insert_all(statement, &rows.collect::<Vec<_>>()).await
}

/// What is known of events: by their requests, and by their senders and keys.
pub(in crate::store) async fn known(sql: &mut impl Sql, keys: &[Keys<'_>]) -> Result<Vec<Known>, StoreError> {
    let mut all: Vec<Known> = keys.iter().map(|_| Known::default()).collect();
    let asks = |place: &usize| keys[*place].request.is_some();
    let requests: Vec<usize> = (0..keys.len()).filter(asks).collect();
    let asked: Vec<_> = requests.iter().map(|place| values![keys[*place].request].to_vec()).collect();
    let question = "SELECT alert, request FROM event WHERE idempotency = ?1";
    for (place, found) in requests.iter().zip(sql.each(question, &asked).await?) {
        if let Some(mut row) = found.into_iter().next() {
            all[*place].request = Some((AlertId::from_bytes(row.get(0)?), row.get(1)?));
        }
    }
    let sender = |place: &usize| values![keys[*place].integration, keys[*place].dedup_key].to_vec();
    // The open ones of all; then the newest that are over, of those that have none.
    let mut places: Vec<usize> = (0..keys.len()).filter(|place| all[*place].request.is_none()).collect();
    let open = alert::open_alerts(sql, &places.iter().map(sender).collect::<Vec<_>>()).await?;
    for (place, open) in places.iter().zip(open) {
        all[*place].open = open;
    }
    places.retain(|place| all[*place].open.is_none());
    let over = alert::newest_over(sql, &places.iter().map(sender).collect::<Vec<_>>()).await?;
    for (place, over) in places.iter().zip(over) {
        all[*place].over = over.map(Box::new);
    }
    Ok(all)
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
