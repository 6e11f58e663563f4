//! Deliveries: how they are loaded and saved.

use escalation::contact::Contact;
use escalation::delivery::{Delivery, Outcome, Purpose, State};
use escalation::id::{AlertId, DeliveryId, PageId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::alert as alert_rows;
use super::codec::{contact, from_json, id_bytes, instant, name, small, to_json, word};
use crate::store::rows::{ReceiptRow, Subject};
use crate::store::{Attempt, DeliveryRecord, StoreError};

/// The columns that [`read`] takes.
const COLUMNS: &str = "id, alert, page, person, contact, purpose, round, step, text, created_at, state, \
     not_before, attempt, unknown, lease_until, history, expires_at, bundle";

/// The outcome of one attempt, as a line of the history column.
#[derive(Serialize, Deserialize)]
struct AttemptRow {
    at: i64,
    attempt: u8,
    outcome: String,
    detail: String,
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Result<DeliveryRecord, StoreError>> {
    let (id, alert, page): (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>) =
        (row.get(0)?, row.get(1)?, row.get(2)?);
    let person: Option<String> = row.get(3)?;
    let (to, purpose, text, state): (String, String, String, String) =
        (row.get(4)?, row.get(5)?, row.get(8)?, row.get(10)?);
    let numbers: Vec<i64> =
        [6, 7, 9, 11, 12, 13, 14].map(|index| row.get(index)).into_iter().collect::<Result<_, _>>()?;
    let history: String = row.get(15)?;
    let expires_at: Option<i64> = row.get(16)?;
    let bundle: Option<Vec<u8>> = row.get(17)?;
    Ok((|| {
        let delivery = Delivery {
            id: DeliveryId::from_bytes(id_bytes(&id)?),
            alert: alert
                .map(|alert| Ok::<_, StoreError>(AlertId::from_bytes(id_bytes(&alert)?)))
                .transpose()?,
            page: page.map(|page| Ok::<_, StoreError>(PageId::from_bytes(id_bytes(&page)?))).transpose()?,
            person: person.as_deref().map(name).transpose()?,
            contact: contact(&to)?,
            purpose: word(&Purpose::ALL, Purpose::word, &purpose)?,
            round: small(numbers[0])?,
            step: small(numbers[1])?,
            text,
            created_at: instant(numbers[2])?,
            state: word(&State::ALL, State::word, &state)?,
            not_before: instant(numbers[3])?,
            attempt: small(numbers[4])?,
            unknown: small(numbers[5])?,
            lease_until: instant(numbers[6])?,
            expires_at: expires_at.map(instant).transpose()?,
            bundle: bundle
                .map(|id| Ok::<_, StoreError>(DeliveryId::from_bytes(id_bytes(&id)?)))
                .transpose()?,
        };
        let attempts = history.lines().map(|line| {
            let row: AttemptRow = from_json(line)?;
            Ok(Attempt {
                at: instant(row.at)?,
                attempt: row.attempt,
                outcome: row.outcome,
                detail: row.detail,
            })
        });
        Ok(DeliveryRecord { delivery, attempts: attempts.collect::<Result<_, StoreError>>()? })
    })())
}

pub(super) fn load(connection: &Connection, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    Ok(load_record(connection, id)?.map(|record| record.delivery))
}

/// A delivery with its attempts.
pub(super) fn load_record(
    connection: &Connection,
    id: DeliveryId,
) -> Result<Option<DeliveryRecord>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM delivery WHERE id = ?1"))?;
    statement.query_row([id.to_bytes()], read).optional()?.transpose()
}

/// The deliveries of an alert, oldest first.
pub(super) fn of_alert(connection: &Connection, alert: AlertId) -> Result<Vec<DeliveryRecord>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery WHERE alert = ?1 ORDER BY created_at, id"
    ))?;
    let rows = statement.query_map([alert.to_bytes()], read)?;
    rows.map(|row| row?).collect()
}

/// What goes, or went, out in one message, oldest first.
pub(super) fn of_bundle(connection: &Connection, bundle: DeliveryId) -> Result<Vec<Delivery>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery WHERE bundle = ?1 ORDER BY created_at, id"
    ))?;
    let rows = statement.query_map([bundle.to_bytes()], read)?;
    rows.map(|row| Ok(row??.delivery)).collect()
}

/// The newest deliveries to a handset that it has, or may have, been given.
pub(super) fn of_handset(
    connection: &Connection,
    to: &str,
    most: usize,
) -> Result<Vec<Delivery>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery WHERE provider = 'handset' AND contact = ?1 AND state = 'sent' \
         ORDER BY created_at DESC LIMIT ?2"
    ))?;
    let rows = statement.query_map(params![to, i64::try_from(most).unwrap_or(i64::MAX)], read)?;
    rows.map(|row| Ok(row??.delivery)).collect()
}

/// The alert and the page that a delivery speaks of. Nothing when there should be an alert and is none.
pub(super) fn subject(connection: &Connection, delivery: &Delivery) -> Result<Option<Subject>, StoreError> {
    let Some(alert) = delivery.alert else { return Ok(Some((None, None))) };
    let Some(alert) = alert_rows::load_alert(connection, alert)? else { return Ok(None) };
    let page = match delivery.page {
        Some(page) => alert_rows::load_page(connection, page)?.map(|(page, _)| page),
        None => None,
    };
    Ok(Some((Some(alert), page)))
}

/// Providers for which something is ready, whenever. Skips from one to the next through the index.
pub(super) fn ready_providers(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "WITH RECURSIVE known (provider) AS (
             SELECT min(provider) FROM delivery WHERE state = 'ready'
             UNION ALL
             SELECT (SELECT min(provider) FROM delivery WHERE state = 'ready' AND provider > known.provider)
             FROM known WHERE known.provider IS NOT NULL
         )
         SELECT provider FROM known WHERE provider IS NOT NULL",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// When the first delivery of a provider is ready.
pub(super) fn first_ready(connection: &Connection, provider: &str) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT min(not_before) FROM delivery WHERE state = 'ready' AND provider = ?1")?;
    let at: Option<i64> = statement.query_row([provider], |row| row.get(0))?;
    at.map(instant).transpose()
}

/// Deliveries of a provider that may be sent now, the longest ready first.
pub(super) fn ready(
    connection: &Connection,
    provider: &str,
    now: Timestamp,
    most: usize,
) -> Result<Vec<Delivery>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery WHERE state = 'ready' AND provider = ?1 AND not_before <= ?2 \
         ORDER BY not_before LIMIT ?3"
    ))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![provider, now.as_millisecond(), most], read)?;
    rows.map(|row| Ok(row??.delivery)).collect()
}

/// Claims whose lease ends at or before `until`, and when the next one ends after that.
pub(super) fn expired(
    connection: &Connection,
    until: Timestamp,
) -> Result<(Vec<Delivery>, Option<Timestamp>), StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM delivery WHERE state = 'claimed' AND lease_until <= ?1 ORDER BY lease_until"
    ))?;
    let rows = statement.query_map([until.as_millisecond()], read)?;
    let expired = rows.map(|row| Ok(row??.delivery)).collect::<Result<_, StoreError>>()?;
    let mut statement = connection.prepare_cached(
        "SELECT min(lease_until) FROM delivery WHERE state = 'claimed' AND lease_until > ?1",
    )?;
    let next: Option<i64> = statement.query_row([until.as_millisecond()], |row| row.get(0))?;
    Ok((expired, next.map(instant).transpose()?))
}

pub(super) fn insert(connection: &Connection, delivery: &Delivery) -> Result<(), StoreError> {
    let statement = "INSERT INTO delivery (id, alert, page, person, contact, provider, purpose, round, step, \
         text, created_at, state, not_before, attempt, unknown, lease_until, expires_at, bundle) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    connection.prepare_cached(statement)?.execute(params![
        delivery.id.to_bytes(),
        delivery.alert.map(AlertId::to_bytes),
        delivery.page.map(PageId::to_bytes),
        delivery.person.as_ref().map(|person| person.as_str()),
        delivery.contact.as_str(),
        delivery.contact.provider(),
        delivery.purpose.word(),
        delivery.round,
        delivery.step,
        delivery.text,
        delivery.created_at.as_millisecond(),
        delivery.state.word(),
        delivery.not_before.as_millisecond(),
        delivery.attempt,
        delivery.unknown,
        delivery.lease_until.as_millisecond(),
        delivery.expires_at.map(Timestamp::as_millisecond),
        delivery.bundle.map(DeliveryId::to_bytes),
    ])?;
    Ok(())
}

/// Saves what a claim or an outcome changes.
pub(super) fn update(connection: &Connection, delivery: &Delivery) -> Result<(), StoreError> {
    let statement = "UPDATE delivery SET state = ?2, not_before = ?3, attempt = ?4, unknown = ?5, \
         lease_until = ?6, bundle = ?7 WHERE id = ?1";
    connection.prepare_cached(statement)?.execute(params![
        delivery.id.to_bytes(),
        delivery.state.word(),
        delivery.not_before.as_millisecond(),
        delivery.attempt,
        delivery.unknown,
        delivery.lease_until.as_millisecond(),
        delivery.bundle.map(DeliveryId::to_bytes),
    ])?;
    Ok(())
}

/// The same, with a line about the attempt that has an outcome.
pub(super) fn update_with_outcome(
    connection: &Connection,
    delivery: &Delivery,
    outcome: &Outcome,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (word, detail) = match outcome {
        Outcome::Accepted { provider_id } => ("accepted", provider_id.as_str()),
        Outcome::Refused { why, .. } => ("refused", why.as_str()),
        Outcome::RetryAfter { why, .. } => ("retry_after", why.as_str()),
        Outcome::Unknown { why } => ("unknown", why.as_str()),
    };
    let line = to_json(&AttemptRow {
        at: now.as_millisecond(),
        attempt: delivery.attempt,
        outcome: word.to_owned(),
        detail: detail.to_owned(),
    })?;
    let statement = "UPDATE delivery SET state = ?2, not_before = ?3, attempt = ?4, unknown = ?5, \
         lease_until = ?6, history = history || ?7 || char(10) WHERE id = ?1";
    connection.prepare_cached(statement)?.execute(params![
        delivery.id.to_bytes(),
        delivery.state.word(),
        delivery.not_before.as_millisecond(),
        delivery.attempt,
        delivery.unknown,
        delivery.lease_until.as_millisecond(),
        line,
    ])?;
    Ok(())
}

/// A line about what a provider said of an attempt after it took it.
pub(super) fn note_receipt(
    connection: &Connection,
    row: &ReceiptRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let line = to_json(&AttemptRow {
        at: now.as_millisecond(),
        attempt: row.attempt,
        outcome: row.state.word().to_owned(),
        detail: row.detail.clone(),
    })?;
    connection
        .prepare_cached("UPDATE delivery SET history = history || ?2 || char(10) WHERE id = ?1")?
        .execute(params![row.delivery.to_bytes(), line])?;
    Ok(())
}

/// Withdraws deliveries of pages that wait to be sent.
pub(super) fn withdraw(
    connection: &Connection,
    alert: AlertId,
    page: Option<PageId>,
    to: Option<&Contact>,
) -> Result<(), StoreError> {
    let statement = "UPDATE delivery SET state = 'withdrawn' WHERE alert = ?1 AND state = 'ready' \
         AND purpose = 'page' AND page IS ?2 AND (?3 IS NULL OR contact = ?3)";
    connection.prepare_cached(statement)?.execute(params![
        alert.to_bytes(),
        page.map(PageId::to_bytes),
        to.map(Contact::as_str),
    ])?;
    Ok(())
}
