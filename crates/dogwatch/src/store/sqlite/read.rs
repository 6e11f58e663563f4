//! Questions, on a read-only connection: what people and programs look at.

use escalation::alert::{Alert, Audience};
use escalation::id::{DeliveryId, PageId};
use escalation::name::Name;
use escalation::page::Page;
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::codec::instant;
use super::{alert as alert_rows, delivery as delivery_rows, event as event_rows};
use crate::store::{AlertFilter, AlertRecord, AlertRef, Claim, Counts, StoreError};

/// Runs `work` so that all that it reads is of one moment.
fn at_one_moment<R>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<R, StoreError>,
) -> Result<R, StoreError> {
    let transaction = connection.unchecked_transaction()?;
    work(&transaction)
}

pub(in crate::store) fn alert(
    connection: &Connection,
    alert: AlertRef,
) -> Result<Option<AlertRecord>, StoreError> {
    at_one_moment(connection, |connection| {
        let Some(id) = alert_rows::resolve(connection, alert)? else { return Ok(None) };
        let Some(state) = alert_rows::load(connection, id)? else { return Ok(None) };
        let history = event_rows::of_alert(connection, id)?;
        let deliveries = delivery_rows::of_alert(connection, id)?;
        Ok(Some(AlertRecord { state, history, deliveries }))
    })
}

pub(in crate::store) fn alerts(
    connection: &Connection,
    filter: &AlertFilter,
) -> Result<Vec<Alert>, StoreError> {
    let mut conditions: Vec<String> = Vec::new();
    let mut values: Vec<Value> = Vec::new();
    let mut and = |condition: &str, value: Value| {
        values.push(value);
        conditions.push(condition.replace('?', &format!("?{}", values.len())));
    };
    if let Some(audience) = &filter.audience {
        let kind = match audience {
            Audience::Team(_) => "team",
            Audience::Person(_) => "person",
        };
        and("audience_kind = ?", Value::Text(kind.to_owned()));
        and("audience = ?", Value::Text(audience.name().to_string()));
    }
    if let Some(integration) = &filter.integration {
        and("integration = ?", Value::Text(integration.clone()));
    }
    if let Some(key) = &filter.dedup_key {
        and("dedup_key = ?", Value::Text(key.clone()));
    }
    if let Some(before) = filter.before {
        and("number < ?", Value::Integer(i64::try_from(before).unwrap_or(i64::MAX)));
    }
    if !filter.status.is_empty() {
        // Words of ours, not of the sender.
        let words: Vec<_> = filter.status.iter().map(|status| format!("'{}'", status.word())).collect();
        conditions.push(format!("status IN ({})", words.join(", ")));
        if !filter.status.contains(&escalation::alert::Status::Resolved) {
            // Lets SQLite use the index of open alerts.
            conditions.push("is_open = 1".to_owned());
        }
    }
    let condition = if conditions.is_empty() { "1".to_owned() } else { conditions.join(" AND ") };
    let limit = i64::try_from(filter.limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {} FROM alert WHERE number IN \
            (SELECT number FROM alert WHERE {condition} ORDER BY number DESC LIMIT {limit}) ORDER BY number DESC",
        alert_rows::ALERT_COLUMNS
    ))?;
    let rows = statement.query_map(params_from_iter(values), alert_rows::read_alert)?;
    rows.map(|row| row?).collect()
}

pub(in crate::store) fn reported_since(
    connection: &Connection,
    since: Timestamp,
    fits: &dyn Fn(&Alert) -> bool,
) -> Result<Vec<(Alert, u64)>, StoreError> {
    at_one_moment(connection, |connection| {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {} FROM alert WHERE triggered_at >= ?1 ORDER BY number DESC",
            alert_rows::ALERT_COLUMNS
        ))?;
        let mut rows = statement.query([since.as_millisecond()])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let alert = alert_rows::read_alert(row)??;
            if fits(&alert) {
                let reports = event_rows::reports_since(connection, alert.id, since)?;
                found.push((alert, reports));
            }
        }
        Ok(found)
    })
}

pub(in crate::store) fn handset(
    connection: &Connection,
    name: &Name,
    most: usize,
) -> Result<Vec<Claim>, StoreError> {
    at_one_moment(connection, |connection| {
        let mut shown = Vec::new();
        for delivery in delivery_rows::of_handset(connection, &format!("handset:{name}"), most)? {
            if let Some((alert, page)) = delivery_rows::subject(connection, &delivery)? {
                shown.push(Claim { delivery, alert, page, others: Vec::new() });
            }
        }
        Ok(shown)
    })
}

pub(in crate::store) fn bundle(connection: &Connection, id: DeliveryId) -> Result<Vec<Claim>, StoreError> {
    at_one_moment(connection, |connection| {
        let mut held = Vec::new();
        for delivery in delivery_rows::of_bundle(connection, id)? {
            if let Some((alert, page)) = delivery_rows::subject(connection, &delivery)? {
                held.push(Claim { delivery, alert, page, others: Vec::new() });
            }
        }
        Ok(held)
    })
}

/// The message that a delivery led, with what else it held.
pub(in crate::store) fn message(
    connection: &Connection,
    id: DeliveryId,
) -> Result<Option<Claim>, StoreError> {
    at_one_moment(connection, |connection| {
        let Some(first) = delivery_rows::load(connection, id)? else { return Ok(None) };
        let others = match first.bundle {
            Some(bundle) => delivery_rows::of_bundle(connection, bundle)?,
            None => Vec::new(),
        };
        let claim = |delivery| {
            let subject = delivery_rows::subject(connection, &delivery)?;
            Ok::<_, StoreError>(subject.map(|(alert, page)| Claim {
                delivery,
                alert,
                page,
                others: Vec::new(),
            }))
        };
        let Some(mut message) = claim(first)? else { return Ok(None) };
        for other in others.into_iter().filter(|other| other.id != id) {
            message.others.extend(claim(other)?);
        }
        Ok(Some(message))
    })
}

pub(in crate::store) fn live_pages(
    connection: &Connection,
    person: &Name,
) -> Result<Vec<(Page, Alert)>, StoreError> {
    at_one_moment(connection, |connection| {
        let mut pages = Vec::new();
        for (page, alert) in alert_rows::load_live_pages(connection, person.as_str())? {
            if let Some(alert) = alert_rows::load_alert(connection, alert)? {
                pages.push((page, alert));
            }
        }
        Ok(pages)
    })
}

pub(in crate::store) fn page(
    connection: &Connection,
    id: PageId,
) -> Result<Option<(Page, Alert)>, StoreError> {
    at_one_moment(connection, |connection| {
        let Some((page, alert)) = alert_rows::load_page(connection, id)? else { return Ok(None) };
        Ok(alert_rows::load_alert(connection, alert)?.map(|alert| (page, alert)))
    })
}

pub(in crate::store) fn contacts_that_worked(
    connection: &Connection,
    since: Timestamp,
) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT contact, max(created_at) FROM delivery WHERE state = 'sent' AND created_at >= ?1 \
         AND NOT EXISTS (SELECT 1 FROM receipt WHERE receipt.delivery = delivery.id \
             AND receipt.attempt = delivery.attempt AND receipt.told = 1) \
         GROUP BY contact ORDER BY contact",
    )?;
    let rows =
        statement.query_map([since.as_millisecond()], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
    rows.map(|row| {
        let (contact, at): (String, i64) = row?;
        Ok((contact, instant(at)?))
    })
    .collect()
}

pub(in crate::store) fn counts(connection: &Connection, now: Timestamp) -> Result<Counts, StoreError> {
    at_one_moment(connection, |connection| {
        let mut statement = connection
            .prepare_cached("SELECT status, count(*) FROM alert WHERE is_open = 1 GROUP BY status")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))?;
        let mut open = Vec::new();
        for row in rows {
            let (status, count) = row?;
            open.push((status, u64::try_from(count).unwrap_or_default()));
        }
        let ready: i64 =
            connection
                .query_row("SELECT count(*) FROM delivery WHERE state = 'ready'", [], |row| row.get(0))?;
        let oldest: Option<i64> = connection.query_row(
            "SELECT min(due_at) FROM wake WHERE due_at <= ?1",
            [now.as_millisecond()],
            |row| row.get(0),
        )?;
        Ok(Counts {
            open,
            ready: u64::try_from(ready).unwrap_or_default(),
            oldest_due: oldest.map(instant).transpose()?,
        })
    })
}
