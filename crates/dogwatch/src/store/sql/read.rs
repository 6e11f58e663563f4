//! Questions: what people and programs look at. What one of them reads is of one moment.

use std::collections::BTreeSet;

use escalation::alert::{Alert, Audience};
use escalation::id::{AlertId, DeliveryId, PageId};
use escalation::name::Name;
use escalation::page::Page;
use jiff::Timestamp;

use super::codec::{instant, limit, small};
use super::{Sql, Value, values};
use super::{alert as alert_rows, delivery as delivery_rows, event as event_rows};
use crate::store::{AlertFilter, AlertRecord, AlertRef, Claim, Counts, DeliveryRecord, StoreError};

pub(in crate::store) async fn alert(
    sql: &mut impl Sql,
    alert: AlertRef,
) -> Result<Option<AlertRecord>, StoreError> {
    let Some(id) = alert_rows::resolve(sql, alert).await? else { return Ok(None) };
    let Some(state) = alert_rows::load(sql, id).await? else { return Ok(None) };
    let history = event_rows::of_alert(sql, id).await?;
    let deliveries = delivery_rows::of_alert(sql, id).await?;
    Ok(Some(AlertRecord { state, history, deliveries }))
}

pub(in crate::store) async fn alerts(
    sql: &mut impl Sql,
    filter: &AlertFilter,
) -> Result<Vec<Alert>, StoreError> {
    let mut conditions: Vec<String> = Vec::new();
    let mut values: Vec<Value<'_>> = vec![Value::Integer(limit(filter.limit))];
    let mut and = |condition: &str, value| {
        values.push(value);
        conditions.push(condition.replace('?', &format!("?{}", values.len())));
    };
    if let Some(audience) = &filter.audience {
        let kind = match audience {
            Audience::Team(_) => "team",
            Audience::Person(_) => "person",
        };
        and("audience_kind = ?", Value::Text(kind));
        and("audience = ?", Value::Text(audience.name().as_str()));
    }
    if let Some(integration) = &filter.integration {
        and("integration = ?", Value::Text(integration));
    }
    if let Some(key) = &filter.dedup_key {
        and("dedup_key = ?", Value::Text(key));
    }
    if let Some(before) = filter.before {
        and("number < ?", Value::Integer(i64::try_from(before).unwrap_or(i64::MAX)));
    }
    if !filter.status.is_empty() {
        // Words of ours, not of the sender.
        let words: Vec<_> = filter.status.iter().map(|status| format!("'{}'", status.word())).collect();
        conditions.push(format!("status IN ({})", words.join(", ")));
        if !filter.status.contains(&escalation::alert::Status::Resolved) {
            // Lets the index of open alerts be used.
            conditions.push("is_open = 1".to_owned());
        }
    }
    let condition = if conditions.is_empty() { "1 = 1".to_owned() } else { conditions.join(" AND ") };
    let statement = format!(
        "SELECT {} FROM alert WHERE number IN \
            (SELECT number FROM alert WHERE {condition} ORDER BY number DESC LIMIT ?1) ORDER BY number DESC",
        alert_rows::ALERT_COLUMNS
    );
    let rows = sql.rows(&statement, &values).await?;
    rows.into_iter().map(|mut row| alert_rows::read_alert(&mut row)).collect()
}

pub(in crate::store) async fn reported_since(
    sql: &mut impl Sql,
    since: Timestamp,
    fits: &(dyn Fn(&Alert) -> bool + Send),
) -> Result<Vec<(Alert, u64)>, StoreError> {
    let statement = format!(
        "SELECT {} FROM alert WHERE triggered_at >= ?1 ORDER BY number DESC",
        alert_rows::ALERT_COLUMNS
    );
    let mut found = Vec::new();
    for mut row in sql.rows(&statement, values![since.as_millisecond()]).await? {
        let alert = alert_rows::read_alert(&mut row)?;
        if fits(&alert) {
            let reports = event_rows::reports_since(sql, alert.id, since).await?;
            found.push((alert, reports));
        }
    }
    Ok(found)
}

/// The claim of a delivery, as things stand; none: the alert that it speaks of is not there.
async fn claim(
    sql: &mut impl Sql,
    delivery: escalation::delivery::Delivery,
) -> Result<Option<Claim>, StoreError> {
    let subject = delivery_rows::subject(sql, &delivery).await?;
    Ok(subject.map(|(alert, page)| Claim { delivery, alert, page, others: Vec::new() }))
}

pub(in crate::store) async fn handset(
    sql: &mut impl Sql,
    name: &Name,
    most: usize,
) -> Result<Vec<Claim>, StoreError> {
    let mut shown = Vec::new();
    for delivery in delivery_rows::of_handset(sql, &format!("handset:{name}"), most).await? {
        shown.extend(claim(sql, delivery).await?);
    }
    Ok(shown)
}

pub(in crate::store) async fn bundle(sql: &mut impl Sql, id: DeliveryId) -> Result<Vec<Claim>, StoreError> {
    let mut held = Vec::new();
    for delivery in delivery_rows::of_bundle(sql, id).await? {
        held.extend(claim(sql, delivery).await?);
    }
    Ok(held)
}

/// The message that a delivery led, with what else it held.
pub(in crate::store) async fn message(
    sql: &mut impl Sql,
    id: DeliveryId,
) -> Result<Option<Claim>, StoreError> {
    let Some(first) = delivery_rows::load(sql, id).await? else { return Ok(None) };
    let others = match first.bundle {
        Some(bundle) => delivery_rows::of_bundle(sql, bundle).await?,
        None => Vec::new(),
    };
    let Some(mut message) = claim(sql, first).await? else { return Ok(None) };
    for other in others.into_iter().filter(|other| other.id != id) {
        message.others.extend(claim(sql, other).await?);
    }
    Ok(Some(message))
}

pub(in crate::store) async fn live_pages(
    sql: &mut impl Sql,
    person: &Name,
) -> Result<Vec<(Page, Alert)>, StoreError> {
    let pages = alert_rows::load_live_pages(sql, person.as_str()).await?;
    with_alerts(sql, pages).await
}

pub(in crate::store) async fn sent_pages(
    sql: &mut impl Sql,
    person: &Name,
) -> Result<Vec<(Page, Alert)>, StoreError> {
    let pages = alert_rows::load_sent_pages(sql, person.as_str()).await?;
    with_alerts(sql, pages).await
}

async fn with_alerts(
    sql: &mut impl Sql,
    pages: Vec<(Page, AlertId)>,
) -> Result<Vec<(Page, Alert)>, StoreError> {
    let mut found = Vec::with_capacity(pages.len());
    for (page, alert) in pages {
        if let Some(alert) = alert_rows::load_alert(sql, alert).await? {
            found.push((page, alert));
        }
    }
    Ok(found)
}

pub(in crate::store) async fn pages_to(
    sql: &mut impl Sql,
    person: &Name,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<DeliveryRecord>, StoreError> {
    delivery_rows::pages_to(sql, person, from, until).await
}

pub(in crate::store) async fn page(
    sql: &mut impl Sql,
    id: PageId,
) -> Result<Option<(Page, Alert)>, StoreError> {
    let Some((page, alert)) = alert_rows::load_page(sql, id).await? else { return Ok(None) };
    Ok(alert_rows::load_alert(sql, alert).await?.map(|alert| (page, alert)))
}

pub(in crate::store) async fn contacts_that_worked(
    sql: &mut impl Sql,
    since: Timestamp,
) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let statement = "SELECT contact, max(created_at) FROM delivery WHERE state = 'sent' AND created_at >= ?1 \
         AND NOT EXISTS (SELECT 1 FROM receipt WHERE receipt.delivery = delivery.id \
             AND receipt.attempt = delivery.attempt AND receipt.told = 1) \
         GROUP BY contact ORDER BY contact";
    let rows = sql.rows(statement, values![since.as_millisecond()]).await?;
    rows.into_iter().map(|mut row| Ok((row.get(0)?, instant(row.get(1)?)?))).collect()
}

pub(in crate::store) async fn counts(sql: &mut impl Sql, now: Timestamp) -> Result<Counts, StoreError> {
    let statement = "SELECT status, count(*) FROM alert WHERE is_open = 1 GROUP BY status ORDER BY status";
    let rows = sql.rows(statement, values![]).await?;
    let open = rows.into_iter().map(|mut row| Ok((row.get(0)?, small(row.get(1)?)?)));
    let open = open.collect::<Result<_, StoreError>>()?;
    let ready = sql.value("SELECT count(*) FROM delivery WHERE state = 'ready'", values![]).await?;
    let statement = "SELECT min(due_at) FROM wake WHERE due_at <= ?1";
    let oldest: Option<i64> = sql.value(statement, values![now.as_millisecond()]).await?;
    Ok(Counts { open, ready: small(ready)?, oldest_due: oldest.map(instant).transpose()? })
}

/// What is committed about an alert: its history after so many lines, and those of its deliveries that are named. With
/// how many lines there are. For the simulator.
pub(in crate::store) async fn news(
    sql: &mut impl Sql,
    id: AlertId,
    after: usize,
    deliveries: &BTreeSet<DeliveryId>,
) -> Result<Option<(AlertRecord, usize)>, StoreError> {
    let Some(state) = alert_rows::load(sql, id).await? else { return Ok(None) };
    let history = event_rows::of_alert_after(sql, id, after).await?;
    let mut found = Vec::new();
    for id in deliveries {
        found.extend(delivery_rows::load_record(sql, *id).await?);
    }
    let lines = event_rows::count(sql, id).await?;
    Ok(Some((AlertRecord { state, history, deliveries: found }, lines)))
}
