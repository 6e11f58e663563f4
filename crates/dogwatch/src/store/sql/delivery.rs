//! Deliveries: how they are loaded and saved.

use escalation::contact::Contact;
use escalation::delivery::{Delivery, Outcome, Purpose, State};
use escalation::id::{AlertId, DeliveryId, PageId};
use escalation::name::Name;
use escalation::page::Page;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::alert as alert_rows;
use super::codec::{contact, from_json, instant, limit, name, small, to_json, word};
use super::{Row, Sql, values};
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

fn read(row: &mut Row) -> Result<DeliveryRecord, StoreError> {
    let person: Option<String> = row.get(3)?;
    let history: String = row.get(15)?;
    let delivery = Delivery {
        id: DeliveryId::from_bytes(row.get(0)?),
        alert: row.get::<Option<_>>(1)?.map(AlertId::from_bytes),
        page: row.get::<Option<_>>(2)?.map(PageId::from_bytes),
        person: person.as_deref().map(name).transpose()?,
        contact: contact(&row.get::<String>(4)?)?,
        purpose: word(&Purpose::ALL, Purpose::word, &row.get::<String>(5)?)?,
        round: small(row.get(6)?)?,
        step: small(row.get(7)?)?,
        text: row.get(8)?,
        created_at: instant(row.get(9)?)?,
        state: word(&State::ALL, State::word, &row.get::<String>(10)?)?,
        not_before: instant(row.get(11)?)?,
        attempt: small(row.get(12)?)?,
        unknown: small(row.get(13)?)?,
        lease_until: instant(row.get(14)?)?,
        expires_at: row.get::<Option<i64>>(16)?.map(instant).transpose()?,
        bundle: row.get::<Option<_>>(17)?.map(DeliveryId::from_bytes),
    };
    let attempts = history.lines().map(|line| {
        let row: AttemptRow = from_json(line)?;
        Ok(Attempt { at: instant(row.at)?, attempt: row.attempt, outcome: row.outcome, detail: row.detail })
    });
    Ok(DeliveryRecord { delivery, attempts: attempts.collect::<Result<_, StoreError>>()? })
}

fn read_all(rows: Vec<Row>) -> Result<Vec<Delivery>, StoreError> {
    rows.into_iter().map(|mut row| read(&mut row).map(|record| record.delivery)).collect()
}

pub(in crate::store) async fn load(
    sql: &mut impl Sql,
    id: DeliveryId,
) -> Result<Option<Delivery>, StoreError> {
    Ok(load_record(sql, id).await?.map(|record| record.delivery))
}

/// A delivery, locked until the end of the transaction.
pub(super) async fn lock<S: Sql>(sql: &mut S, id: DeliveryId) -> Result<Option<Delivery>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM delivery WHERE id = ?1{}", S::LOCK);
    let found = sql.first(&statement, values![id.to_bytes()]).await?;
    found.map(|mut row| read(&mut row).map(|record| record.delivery)).transpose()
}

/// A delivery with its attempts.
pub(in crate::store) async fn load_record(
    sql: &mut impl Sql,
    id: DeliveryId,
) -> Result<Option<DeliveryRecord>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM delivery WHERE id = ?1");
    let found = sql.first(&statement, values![id.to_bytes()]).await?;
    found.map(|mut row| read(&mut row)).transpose()
}

/// The deliveries of an alert, oldest first.
pub(in crate::store) async fn of_alert(
    sql: &mut impl Sql,
    alert: AlertId,
) -> Result<Vec<DeliveryRecord>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM delivery WHERE alert = ?1 ORDER BY created_at, id");
    let rows = sql.rows(&statement, values![alert.to_bytes()]).await?;
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

/// Deliveries of pages to a person that were made between two instants, oldest first.
pub(super) async fn pages_to(
    sql: &mut impl Sql,
    person: &Name,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<DeliveryRecord>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM delivery WHERE person = ?1 AND purpose = 'page' AND created_at >= ?2 \
         AND created_at <= ?3 ORDER BY created_at, id"
    );
    let values = values![person.as_str(), from.as_millisecond(), until.as_millisecond()];
    let rows = sql.rows(&statement, values).await?;
    rows.into_iter().map(|mut row| read(&mut row)).collect()
}

/// What goes, or went, out in one message, oldest first.
pub(super) async fn of_bundle(sql: &mut impl Sql, bundle: DeliveryId) -> Result<Vec<Delivery>, StoreError> {
    let statement = format!("SELECT {COLUMNS} FROM delivery WHERE bundle = ?1 ORDER BY created_at, id");
    read_all(sql.rows(&statement, values![bundle.to_bytes()]).await?)
}

/// The same, locked until the end of the transaction.
pub(super) async fn lock_bundle<S: Sql>(
    sql: &mut S,
    bundle: DeliveryId,
) -> Result<Vec<Delivery>, StoreError> {
    let statement =
        format!("SELECT {COLUMNS} FROM delivery WHERE bundle = ?1 ORDER BY created_at, id{}", S::LOCK);
    read_all(sql.rows(&statement, values![bundle.to_bytes()]).await?)
}

/// The newest deliveries to a handset that it has, or may have, been given.
pub(super) async fn of_handset(
    sql: &mut impl Sql,
    to: &str,
    most: usize,
) -> Result<Vec<Delivery>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM delivery WHERE provider = 'handset' AND contact = ?1 AND state = 'sent' \
         ORDER BY created_at DESC LIMIT ?2"
    );
    read_all(sql.rows(&statement, values![to, limit(most)]).await?)
}

/// The alert and the page that a delivery speaks of. Nothing when there should be an alert and is none.
pub(super) async fn subject(sql: &mut impl Sql, delivery: &Delivery) -> Result<Option<Subject>, StoreError> {
    let Some(alert) = delivery.alert else { return Ok(Some((None, None))) };
    let Some(alert) = alert_rows::load_alert(sql, alert).await? else { return Ok(None) };
    Ok(Some((Some(alert), page_of(sql, delivery).await?)))
}

/// The pages that deliveries carry.
pub(super) async fn pages_of(
    sql: &mut impl Sql,
    deliveries: &[Delivery],
) -> Result<Vec<Option<Page>>, StoreError> {
    let ids: Vec<_> = deliveries.iter().filter_map(|delivery| delivery.page).collect();
    let mut found = alert_rows::load_pages(sql, &ids).await?.into_iter();
    Ok(deliveries.iter().map(|delivery| delivery.page.and_then(|_| found.next().flatten())).collect())
}

/// The page that a delivery carries.
pub(super) async fn page_of(sql: &mut impl Sql, delivery: &Delivery) -> Result<Option<Page>, StoreError> {
    match delivery.page {
        Some(page) => Ok(alert_rows::load_page(sql, page).await?.map(|(page, _)| page)),
        None => Ok(None),
    }
}

/// Providers for which something is ready, whenever. Skips from one to the next through the index.
pub(super) async fn ready_providers(sql: &mut impl Sql) -> Result<Vec<String>, StoreError> {
    let statement = "WITH RECURSIVE known (provider) AS (
             SELECT min(provider) FROM delivery WHERE state = 'ready'
             UNION ALL
             SELECT (SELECT min(provider) FROM delivery WHERE state = 'ready' AND provider > known.provider)
             FROM known WHERE known.provider IS NOT NULL
         )
         SELECT provider FROM known WHERE provider IS NOT NULL";
    sql.rows(statement, values![]).await?.into_iter().map(|mut row| row.get(0)).collect()
}

/// When the first delivery of a provider is ready.
pub(super) async fn first_ready(sql: &mut impl Sql, provider: &str) -> Result<Option<Timestamp>, StoreError> {
    let statement = "SELECT min(not_before) FROM delivery WHERE state = 'ready' AND provider = ?1";
    let at: Option<i64> = sql.value(statement, values![provider]).await?;
    at.map(instant).transpose()
}

/// Deliveries of a provider that may be sent now, the longest ready first, locked; without those that somebody else
/// has locked.
pub(in crate::store) async fn ready<S: Sql>(
    sql: &mut S,
    provider: &str,
    now: Timestamp,
    most: usize,
) -> Result<Vec<Delivery>, StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM delivery WHERE state = 'ready' AND provider = ?1 AND not_before <= ?2 \
         ORDER BY not_before LIMIT ?3{}",
        S::LOCK_FREE
    );
    read_all(sql.rows(&statement, values![provider, now.as_millisecond(), limit(most)]).await?)
}

/// Claims whose lease ends at or before `until`, locked, without those that somebody else has locked; and when the
/// next one ends after that.
pub(super) async fn expired<S: Sql>(
    sql: &mut S,
    until: Timestamp,
) -> Result<(Vec<Delivery>, Option<Timestamp>), StoreError> {
    let statement = format!(
        "SELECT {COLUMNS} FROM delivery WHERE state = 'claimed' AND lease_until <= ?1 ORDER BY lease_until{}",
        S::LOCK_FREE
    );
    let until = until.as_millisecond();
    let expired = read_all(sql.rows(&statement, values![until]).await?)?;
    let statement = "SELECT min(lease_until) FROM delivery WHERE state = 'claimed' AND lease_until > ?1";
    let next: Option<i64> = sql.value(statement, values![until]).await?;
    Ok((expired, next.map(instant).transpose()?))
}

pub(super) async fn insert(sql: &mut impl Sql, delivery: &Delivery) -> Result<(), StoreError> {
    let statement = "INSERT INTO delivery (id, alert, page, person, contact, provider, purpose, round, step, \
         text, created_at, state, not_before, attempt, unknown, lease_until, expires_at, bundle) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)";
    sql.change(
        statement,
        values![
            delivery.id.to_bytes(),
            delivery.alert.map(AlertId::to_bytes),
            delivery.page.map(PageId::to_bytes),
            delivery.person.as_ref().map(|person| person.as_str()),
            delivery.contact.as_str(),
            delivery.contact.provider(),
            delivery.purpose.word(),
            delivery.round,
            delivery.step,
            &delivery.text,
            delivery.created_at.as_millisecond(),
            delivery.state.word(),
            delivery.not_before.as_millisecond(),
            delivery.attempt,
            delivery.unknown,
            delivery.lease_until.as_millisecond(),
            delivery.expires_at.map(Timestamp::as_millisecond),
            delivery.bundle.map(DeliveryId::to_bytes),
        ],
    )
    .await
}

/// Saves what a claim or an outcome changes.
pub(super) async fn update(sql: &mut impl Sql, delivery: &Delivery) -> Result<(), StoreError> {
    let statement = "UPDATE delivery SET state = ?2, not_before = ?3, attempt = ?4, unknown = ?5, \
         lease_until = ?6, bundle = ?7 WHERE id = ?1";
    sql.change(
        statement,
        values![
            delivery.id.to_bytes(),
            delivery.state.word(),
            delivery.not_before.as_millisecond(),
            delivery.attempt,
            delivery.unknown,
            delivery.lease_until.as_millisecond(),
            delivery.bundle.map(DeliveryId::to_bytes),
        ],
    )
    .await
}

/// The same, with a line about the attempt that has an outcome.
pub(super) async fn update_with_outcome(
    sql: &mut impl Sql,
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
         lease_until = ?6, history = history || ?7 WHERE id = ?1";
    sql.change(
        statement,
        values![
            delivery.id.to_bytes(),
            delivery.state.word(),
            delivery.not_before.as_millisecond(),
            delivery.attempt,
            delivery.unknown,
            delivery.lease_until.as_millisecond(),
            &format!("{line}\n"),
        ],
    )
    .await
}

/// A line about what a provider said of an attempt after it took it.
pub(super) async fn note_receipt(
    sql: &mut impl Sql,
    row: &ReceiptRow,
    now: Timestamp,
) -> Result<(), StoreError> {
    let line = to_json(&AttemptRow {
        at: now.as_millisecond(),
        attempt: row.attempt,
        outcome: row.state.word().to_owned(),
        detail: row.detail.clone(),
    })?;
    let statement = "UPDATE delivery SET history = history || ?2 WHERE id = ?1";
    sql.change(statement, values![row.delivery.to_bytes(), &format!("{line}\n")]).await
}

/// Withdraws deliveries of pages that wait to be sent.
pub(super) async fn withdraw(
    sql: &mut impl Sql,
    alert: AlertId,
    page: Option<PageId>,
    to: Option<&Contact>,
) -> Result<(), StoreError> {
    let statement = "UPDATE delivery SET state = 'withdrawn' WHERE alert = ?1 AND state = 'ready' \
         AND purpose = 'page' AND page IS NOT DISTINCT FROM ?2 AND (contact = ?3 OR ?3 IS NULL)";
    sql.change(statement, values![alert.to_bytes(), page.map(PageId::to_bytes), to.map(Contact::as_str),])
        .await
}
