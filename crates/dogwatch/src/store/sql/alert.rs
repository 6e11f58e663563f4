//! Alerts with their pages and wakes: how they are loaded and saved.

use std::collections::{BTreeMap, HashMap};

use escalation::alert::{Alert, Audience, Position, State, Status};
use escalation::event::{Severity, Urgency};
use escalation::id::{AlertId, PageId};
use escalation::page::{Asks, Ended, EndedWhy, Page};
use escalation::wake::Wake;
use jiff::Timestamp;

use super::codec::{
    act_from_json, act_to_json, contact, contacts_from_json, contacts_to_json, corrupt, from_json, id_bytes,
    instant, limit, links_from_json, links_to_json, name, route_from_json, route_to_json, silenced_from_json,
    silenced_to_json, small, snooze_from_json, snooze_to_json, to_json, word,
};
use super::{Row, Sql, Value, values};
use crate::store::{AlertRef, StoreError};

/// The columns of an alert, in the order in which [`read_alert`] takes them.
pub(super) const ALERT_COLUMNS: &str = "number, id, audience_kind, audience, integration, dedup_key, \
     summary, details, severity, links, status, created_at, triggered_at, triggers, round, \
     round_started_at, next_step, passes, fired, last_resort, roles, acknowledged, resolved, roles_reached, since_round, \
     snoozed, silenced, insists, merged_into, route";

const BY_ID: &str = "SELECT number, id, audience_kind, audience, integration, dedup_key, summary, details, \
     severity, links, status, created_at, triggered_at, triggers, round, round_started_at, next_step, \
     passes, fired, last_resort, roles, acknowledged, resolved, roles_reached, since_round, snoozed, silenced, \
     insists, merged_into, route, wakes FROM alert WHERE id = ?1";

const OPEN: &str = "SELECT id FROM alert WHERE integration = ?1 AND dedup_key = ?2 AND is_open = 1";

const PAGE_COLUMNS: &str = "id, person, urgency, round, escalation_step, started_at, plan_step, \
     step_started_at, reached, accepted, failed, ended_at, ended_why, asks, deferred_until, redialled";

const PAGES: &str = "SELECT id, person, urgency, round, escalation_step, started_at, plan_step, \
     step_started_at, reached, accepted, failed, ended_at, ended_why, asks, deferred_until, redialled FROM page \
     WHERE alert = ?1 ORDER BY id";

/// Reads the columns of [`ALERT_COLUMNS`].
pub(super) fn read_alert(row: &mut Row) -> Result<Alert, StoreError> {
    let (audience_kind, audience): (String, String) = (row.get(2)?, row.get(3)?);
    let audience = name(&audience)?;
    let text = |row: &mut Row, column: usize| row.get::<String>(column);
    let maybe = |row: &mut Row, column: usize| row.get::<Option<String>>(column);
    Ok(Alert {
        number: small(row.get(0)?)?,
        id: AlertId::from_bytes(row.get(1)?),
        audience: match audience_kind.as_str() {
            "team" => Audience::Team(audience),
            "person" => Audience::Person(audience),
            other => return Err(corrupt("an audience", &other)),
        },
        integration: row.get(4)?,
        dedup_key: row.get(5)?,
        summary: row.get(6)?,
        details: row.get(7)?,
        severity: word(&Severity::ALL, Severity::word, &text(row, 8)?)?,
        links: links_from_json(&text(row, 9)?)?,
        status: word(&Status::ALL, Status::word, &text(row, 10)?)?,
        created_at: instant(row.get(11)?)?,
        triggered_at: instant(row.get(12)?)?,
        triggers: small(row.get(13)?)?,
        round: small(row.get(14)?)?,
        round_started_at: instant(row.get(15)?)?,
        position: Position {
            next_step: small(row.get(16)?)?,
            passes: small(row.get(17)?)?,
            fired: row.get(18)?,
            last_resort: row.get(19)?,
            roles: small(row.get(20)?)?,
        },
        acknowledged: act_from_json(maybe(row, 21)?.as_deref())?,
        resolved: act_from_json(maybe(row, 22)?.as_deref())?,
        roles_reached: contacts_from_json(&text(row, 23)?)?,
        since_round: small(row.get(24)?)?,
        snoozed: snooze_from_json(maybe(row, 25)?.as_deref())?,
        silenced: silenced_from_json(maybe(row, 26)?.as_deref())?,
        insists: row.get(27)?,
        merged_into: row.get::<Option<i64>>(28)?.map(small).transpose()?,
        route: route_from_json(maybe(row, 29)?.as_deref())?,
    })
}

/// Reads the columns of [`PAGE_COLUMNS`].
fn read_page(row: &mut Row) -> Result<Page, StoreError> {
    let ended_at: Option<i64> = row.get(11)?;
    let ended_why: Option<String> = row.get(12)?;
    Ok(Page {
        id: PageId::from_bytes(row.get(0)?),
        person: name(&row.get::<String>(1)?)?,
        urgency: word(&[Urgency::High, Urgency::Low], Urgency::word, &row.get::<String>(2)?)?,
        round: small(row.get(3)?)?,
        escalation_step: small(row.get(4)?)?,
        started_at: instant(row.get(5)?)?,
        plan_step: small(row.get(6)?)?,
        step_started_at: instant(row.get(7)?)?,
        reached: row.get::<Option<String>>(8)?.as_deref().map(contact).transpose()?,
        accepted: small(row.get(9)?)?,
        failed: row.get(10)?,
        ended: match (ended_at, ended_why) {
            (Some(at), Some(why)) => {
                Some(Ended { at: instant(at)?, why: word(&EndedWhy::ALL, EndedWhy::word, &why)? })
            }
            _ => None,
        },
        asks: word(&Asks::ALL, Asks::word, &row.get::<String>(13)?)?,
        deferred_until: row.get::<Option<i64>>(14)?.map(instant).transpose()?,
        redialled: row.get(15)?,
    })
}

/// Which alert is open for a sender and key.
pub(super) async fn open_alert(
    sql: &mut impl Sql,
    integration: &str,
    dedup_key: &str,
) -> Result<Option<AlertId>, StoreError> {
    let found = sql.first(OPEN, values![integration, dedup_key]).await?;
    found.map(|mut row| row.get(0).map(AlertId::from_bytes)).transpose()
}

/// The alerts that are open for senders and keys.
pub(super) async fn open_alerts(
    sql: &mut impl Sql,
    keys: &[Vec<Value<'_>>],
) -> Result<Vec<Option<AlertId>>, StoreError> {
    let first = |found: Vec<Row>| found.into_iter().next().map(|mut row| row.get(0).map(AlertId::from_bytes));
    sql.each(OPEN, keys).await?.into_iter().map(|found| first(found).transpose()).collect()
}

/// The newest alerts of senders and keys that are over.
pub(super) async fn newest_over(
    sql: &mut impl Sql,
    keys: &[Vec<Value<'_>>],
) -> Result<Vec<Option<Alert>>, StoreError> {
    let question = format!(
        "SELECT {ALERT_COLUMNS} FROM alert WHERE integration = ?1 AND dedup_key = ?2 AND is_open = 0 \
         ORDER BY number DESC LIMIT 1"
    );
    let first = |found: Vec<Row>| found.into_iter().next().map(|mut row| read_alert(&mut row));
    sql.each(&question, keys).await?.into_iter().map(|found| first(found).transpose()).collect()
}

/// The id of the alert that is meant.
pub(super) async fn resolve(sql: &mut impl Sql, alert: AlertRef) -> Result<Option<AlertId>, StoreError> {
    match alert {
        AlertRef::Id(id) => Ok(Some(id)),
        AlertRef::Number(number) => {
            let Ok(number) = i64::try_from(number) else { return Ok(None) };
            let found = sql.first("SELECT id FROM alert WHERE number = ?1", values![number]).await?;
            found.map(|mut row| row.get(0).map(AlertId::from_bytes)).transpose()
        }
    }
}

/// An alert without its pages and wakes.
pub(super) async fn load_alert(sql: &mut impl Sql, id: AlertId) -> Result<Option<Alert>, StoreError> {
    let found = sql.first(BY_ID, values![id.to_bytes()]).await?;
    found.map(|mut row| read_alert(&mut row)).transpose()
}

/// One page.
pub(super) async fn load_page(sql: &mut impl Sql, id: PageId) -> Result<Option<(Page, AlertId)>, StoreError> {
    let statement = format!("SELECT {PAGE_COLUMNS}, alert FROM page WHERE id = ?1");
    let found = sql.first(&statement, values![id.to_bytes()]).await?;
    found.map(|mut row| Ok((read_page(&mut row)?, AlertId::from_bytes(row.get(16)?)))).transpose()
}

/// Several pages.
pub(super) async fn load_pages(sql: &mut impl Sql, ids: &[PageId]) -> Result<Vec<Option<Page>>, StoreError> {
    let question = format!("SELECT {PAGE_COLUMNS} FROM page WHERE id = ?1");
    let keys: Vec<_> = ids.iter().map(|id| values![id.to_bytes()].to_vec()).collect();
    let first = |found: Vec<Row>| found.into_iter().next().map(|mut row| read_page(&mut row));
    sql.each(&question, &keys).await?.into_iter().map(|found| first(found).transpose()).collect()
}

/// The live pages of a person, oldest first.
pub(super) async fn load_live_pages(
    sql: &mut impl Sql,
    person: &str,
) -> Result<Vec<(Page, AlertId)>, StoreError> {
    live_pages(sql, person, "").await
}

/// Those of them of which something has left. What is still collected, or waits for its hours, nobody can have read.
pub(super) async fn load_sent_pages(
    sql: &mut impl Sql,
    person: &str,
) -> Result<Vec<(Page, AlertId)>, StoreError> {
    let was_sent = " AND EXISTS (SELECT 1 FROM delivery d WHERE d.alert = page.alert AND d.page = page.id AND d.attempt > 0)";
    live_pages(sql, person, was_sent).await
}

async fn live_pages(
    sql: &mut impl Sql,
    person: &str,
    only: &str,
) -> Result<Vec<(Page, AlertId)>, StoreError> {
    let statement = format!(
        "SELECT {PAGE_COLUMNS}, alert FROM page WHERE person = ?1 AND ended_at IS NULL{only} ORDER BY id"
    );
    let rows = sql.rows(&statement, values![person]).await?;
    rows.into_iter().map(|mut row| Ok((read_page(&mut row)?, AlertId::from_bytes(row.get(16)?)))).collect()
}

/// An alert with everything that is decided together.
pub(in crate::store) async fn load(sql: &mut impl Sql, id: AlertId) -> Result<Option<State>, StoreError> {
    let found = sql.first(BY_ID, values![id.to_bytes()]).await?;
    read_state(sql, found).await
}

/// The same, locked until the end of the transaction.
pub(super) async fn lock<S: Sql>(sql: &mut S, id: AlertId) -> Result<Option<State>, StoreError> {
    let found = sql.first(&format!("{BY_ID}{}", S::LOCK), values![id.to_bytes()]).await?;
    read_state(sql, found).await
}

/// The same for several, without waiting. That one is missing may mean that somebody else has it.
pub(super) async fn lock_if_free<S: Sql>(
    sql: &mut S,
    ids: &[AlertId],
) -> Result<Vec<Option<State>>, StoreError> {
    let keys: Vec<_> = ids.iter().map(|id| values![id.to_bytes()].to_vec()).collect();
    let found = sql.each(&format!("{BY_ID}{}", S::LOCK_FREE), &keys).await?;
    // The pages are read when all are locked.
    let pages = sql.each(PAGES, &keys).await?;
    let states = found.into_iter().zip(pages).map(|(found, pages)| {
        let Some(mut row) = found.into_iter().next() else { return Ok(None) };
        let (alert, wakes) = (read_alert(&mut row)?, wakes_from_json(&row.get::<String>(30)?)?);
        let pages = pages.into_iter().map(|mut row| read_page(&mut row)).collect::<Result<_, _>>()?;
        Ok(Some(State { alert, pages, wakes }))
    });
    states.collect()
}

/// Alerts without their pages and wakes, locked against change, without waiting. That one is missing may mean that
/// somebody else changes it.
pub(super) async fn share_if_free<S: Sql>(
    sql: &mut S,
    ids: &[AlertId],
) -> Result<Vec<Option<Alert>>, StoreError> {
    let keys: Vec<_> = ids.iter().map(|id| values![id.to_bytes()].to_vec()).collect();
    let found = sql.each(&format!("{BY_ID}{}", S::SHARE_FREE), &keys).await?;
    let first = |found: Vec<Row>| found.into_iter().next().map(|mut row| read_alert(&mut row)).transpose();
    found.into_iter().map(first).collect()
}

/// Whether there is such an alert.
pub(super) async fn is_there(sql: &mut impl Sql, id: AlertId) -> Result<bool, StoreError> {
    Ok(sql.first("SELECT 1 FROM alert WHERE id = ?1", values![id.to_bytes()]).await?.is_some())
}

/// With its pages, which are read when it is locked: nobody else changes them then.
async fn read_state(sql: &mut impl Sql, found: Option<Row>) -> Result<Option<State>, StoreError> {
    let Some(mut row) = found else { return Ok(None) };
    let alert = read_alert(&mut row)?;
    let wakes = wakes_from_json(&row.get::<String>(30)?)?;
    let rows = sql.rows(PAGES, values![alert.id.to_bytes()]).await?;
    let pages = rows.into_iter().map(|mut row| read_page(&mut row)).collect::<Result<_, _>>()?;
    Ok(Some(State { alert, pages, wakes }))
}

/// A wake from its name and page; no bytes: of the alert itself.
pub(super) fn read_wake(word: &str, page: &[u8]) -> Result<Wake, StoreError> {
    let page = if page.is_empty() { None } else { Some(PageId::from_bytes(id_bytes(page)?)) };
    Wake::read(word, page).ok_or_else(|| corrupt("a wake", &word))
}

/// Adds new alerts with their pages and wakes. Returns the number of each.
pub(super) async fn insert(sql: &mut impl Sql, all: &[&State]) -> Result<Vec<u64>, StoreError> {
    let mut texts = Vec::with_capacity(all.len());
    for state in all {
        let alert = &state.alert;
        texts.push((
            links_to_json(&alert.links)?,
            act_to_json(alert.acknowledged.as_ref())?,
            act_to_json(alert.resolved.as_ref())?,
            contacts_to_json(&alert.roles_reached)?,
            wakes_to_json(&state.wakes)?,
            route_to_json(&alert.route)?,
        ));
    }
    let rows =
        all.iter().zip(&texts).map(|(state, (links, acknowledged, resolved, reached, wakes, route))| {
            let alert = &state.alert;
            values![
                alert.id.to_bytes(),
                kind_of(&alert.audience),
                alert.audience.name().as_str(),
                &alert.integration,
                &alert.dedup_key,
                &alert.summary,
                &alert.details,
                alert.severity.word(),
                links,
                alert.status.word(),
                alert.created_at.as_millisecond(),
                alert.triggered_at.as_millisecond(),
                alert.triggers,
                alert.round,
                alert.round_started_at.as_millisecond(),
                alert.position.next_step,
                alert.position.passes,
                alert.position.fired,
                alert.position.last_resort,
                alert.position.roles,
                acknowledged.as_deref(),
                resolved.as_deref(),
                reached,
                alert.since_round,
                wakes,
                alert.status != Status::Resolved,
                route.as_deref(),
            ]
            .to_vec()
        });
    let statement = "INSERT INTO alert (id, audience_kind, audience, integration, dedup_key, summary, \
         details, severity, links, status, created_at, triggered_at, triggers, round, \
         round_started_at, next_step, passes, fired, last_resort, roles, acknowledged, resolved, \
         roles_reached, since_round, wakes, is_open, route) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
         ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27) RETURNING id, number";
    let found = sql.insert_all_returning(statement, &rows.collect::<Vec<_>>()).await?;
    let mut numbers = HashMap::with_capacity(all.len());
    for mut row in found {
        numbers.insert(AlertId::from_bytes(row.get(0)?), small(row.get(1)?)?);
    }
    let no_number = |id: AlertId| corrupt("the number of an alert that was stored", &id);
    let of = |state: &&State| numbers.get(&state.alert.id).copied().ok_or_else(|| no_number(state.alert.id));
    let numbers = all.iter().map(of).collect::<Result<_, _>>()?;
    for state in all {
        for page in &state.pages {
            insert_page(sql, state.alert.id, page).await?;
        }
    }
    let wakes = all.iter().flat_map(|state| state.wakes.iter().map(|(wake, at)| (state.alert.id, wake, *at)));
    insert_wakes(sql, wakes).await?;
    Ok(numbers)
}

/// Saves what differs between two states of one alert. Returns whether a wake was set.
pub(super) async fn save(sql: &mut impl Sql, before: &State, after: &State) -> Result<bool, StoreError> {
    let alert = &after.alert;
    if before.alert != *alert || before.wakes != after.wakes {
        update_alert(sql, after).await?;
    }
    update_rarely(sql, &before.alert, alert).await?;
    for (place, page) in after.pages.iter().enumerate() {
        match before.pages.get(place) {
            Some(same) if same == page => {}
            Some(_) => update_page(sql, page).await?,
            None => insert_page(sql, alert.id, page).await?,
        }
    }
    save_wakes(sql, alert.id, &before.wakes, &after.wakes).await
}

/// The word for whom an alert is for.
fn kind_of(audience: &Audience) -> &'static str {
    match audience {
        Audience::Team(_) => "team",
        Audience::Person(_) => "person",
    }
}

/// Whether somebody was asked, or has answered. Once it has, its row says so for good.
fn has_begun(alert: &Alert) -> bool {
    alert.position.next_step > 0 || alert.status != Status::Triggered
}

/// What hardly ever changes of an alert, or stands in an index: written only where it has changed.
async fn update_rarely(sql: &mut impl Sql, before: &Alert, after: &Alert) -> Result<(), StoreError> {
    let id = after.id.to_bytes();
    let is_open = |alert: &Alert| alert.status != Status::Resolved;
    if is_open(before) != is_open(after) {
        sql.change("UPDATE alert SET is_open = ?2 WHERE id = ?1", values![id, is_open(after)]).await?;
    }
    if before.audience != after.audience {
        let (kind, name) = (kind_of(&after.audience), after.audience.name().as_str());
        let statement = "UPDATE alert SET audience_kind = ?2, audience = ?3 WHERE id = ?1";
        sql.change(statement, values![id, kind, name]).await?;
    }
    if before.route != after.route {
        let route = route_to_json(&after.route)?;
        sql.change("UPDATE alert SET route = ?2 WHERE id = ?1", values![id, route.as_deref()]).await?;
    }
    if before.summary != after.summary || before.details != after.details {
        let statement = "UPDATE alert SET summary = ?2, details = ?3 WHERE id = ?1";
        sql.change(statement, values![id, &after.summary, &after.details]).await?;
    }
    if has_begun(after) && !has_begun(before) {
        sql.change("UPDATE alert SET has_begun = 1 WHERE id = ?1", values![id]).await?;
    }
    Ok(())
}

/// The open alerts of a team that have begun, oldest first.
pub(in crate::store) async fn begun(sql: &mut impl Sql, team: &str) -> Result<Vec<AlertId>, StoreError> {
    let statement = "SELECT id FROM alert WHERE audience = ?1 AND has_begun = 1 AND is_open = 1 \
         AND audience_kind = 'team' ORDER BY number";
    ids(sql.rows(statement, values![team]).await?)
}

fn ids(rows: Vec<Row>) -> Result<Vec<AlertId>, StoreError> {
    rows.into_iter().map(|mut row| row.get(0).map(AlertId::from_bytes)).collect()
}

/// What changes most of an alert after it was made. What stands in an index is left out: naming it would write there,
/// too.
async fn update_alert(sql: &mut impl Sql, state: &State) -> Result<(), StoreError> {
    let alert = &state.alert;
    let statement = "UPDATE alert SET severity = ?2, status = ?3, triggered_at = ?4, triggers = ?5, \
         round = ?6, round_started_at = ?7, next_step = ?8, passes = ?9, fired = ?10, last_resort = ?11, \
         roles = ?12, acknowledged = ?13, resolved = ?14, roles_reached = ?15, since_round = ?16, wakes = ?17, \
         snoozed = ?18, silenced = ?19, insists = ?20, merged_into = ?21 \
         WHERE id = ?1";
    let merged_into = alert.merged_into.map(i64::try_from).transpose();
    sql.change(
        statement,
        values![
            alert.id.to_bytes(),
            alert.severity.word(),
            alert.status.word(),
            alert.triggered_at.as_millisecond(),
            alert.triggers,
            alert.round,
            alert.round_started_at.as_millisecond(),
            alert.position.next_step,
            alert.position.passes,
            alert.position.fired,
            alert.position.last_resort,
            alert.position.roles,
            act_to_json(alert.acknowledged.as_ref())?.as_deref(),
            act_to_json(alert.resolved.as_ref())?.as_deref(),
            &contacts_to_json(&alert.roles_reached)?,
            alert.since_round,
            &wakes_to_json(&state.wakes)?,
            snooze_to_json(alert.snoozed.as_ref())?.as_deref(),
            silenced_to_json(alert.silenced.as_ref())?.as_deref(),
            alert.insists,
            merged_into.map_err(|error| corrupt("a number", &error))?,
        ],
    )
    .await
}

async fn insert_page(sql: &mut impl Sql, alert: AlertId, page: &Page) -> Result<(), StoreError> {
    let statement = "INSERT INTO page (id, alert, person, urgency, round, escalation_step, started_at, \
         plan_step, step_started_at, reached, accepted, failed, ended_at, ended_why, asks, deferred_until, \
         redialled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    sql.change(
        statement,
        values![
            page.id.to_bytes(),
            alert.to_bytes(),
            page.person.as_str(),
            page.urgency.word(),
            page.round,
            page.escalation_step,
            page.started_at.as_millisecond(),
            page.plan_step,
            page.step_started_at.as_millisecond(),
            page.reached.as_ref().map(|contact| contact.as_str()),
            page.accepted,
            page.failed,
            page.ended.map(|ended| ended.at.as_millisecond()),
            page.ended.map(|ended| ended.why.word()),
            page.asks.word(),
            page.deferred_until.map(Timestamp::as_millisecond),
            page.redialled,
        ],
    )
    .await
}

async fn update_page(sql: &mut impl Sql, page: &Page) -> Result<(), StoreError> {
    let statement = "UPDATE page SET plan_step = ?2, step_started_at = ?3, reached = ?4, accepted = ?5, \
         failed = ?6, ended_at = ?7, ended_why = ?8, asks = ?9, deferred_until = ?10, \
         escalation_step = ?11, started_at = ?12, redialled = ?13 WHERE id = ?1";
    sql.change(
        statement,
        values![
            page.id.to_bytes(),
            page.plan_step,
            page.step_started_at.as_millisecond(),
            page.reached.as_ref().map(|contact| contact.as_str()),
            page.accepted,
            page.failed,
            page.ended.map(|ended| ended.at.as_millisecond()),
            page.ended.map(|ended| ended.why.word()),
            page.asks.word(),
            page.deferred_until.map(Timestamp::as_millisecond),
            page.escalation_step,
            page.started_at.as_millisecond(),
            page.redialled,
        ],
    )
    .await
}

async fn save_wakes(
    sql: &mut impl Sql,
    alert: AlertId,
    before: &BTreeMap<Wake, Timestamp>,
    after: &BTreeMap<Wake, Timestamp>,
) -> Result<bool, StoreError> {
    for (wake, at) in before.iter().filter(|(wake, at)| after.get(wake) != Some(at)) {
        let statement = "DELETE FROM wake WHERE due_at = ?1 AND alert = ?2 AND name = ?3 AND page = ?4";
        sql.change(statement, values![at.as_millisecond(), alert.to_bytes(), wake.word(), &page_of(wake)])
            .await?;
    }
    let new = after.iter().filter(|(wake, at)| before.get(wake) != Some(at));
    insert_wakes(sql, new.map(|(wake, at)| (alert, wake, *at))).await
}

/// Sets wakes. Returns whether there were any.
async fn insert_wakes<'a>(
    sql: &mut impl Sql,
    all: impl Iterator<Item = (AlertId, &'a Wake, Timestamp)>,
) -> Result<bool, StoreError> {
    let all: Vec<_> = all.map(|(alert, wake, at)| (at, alert, wake.word(), page_of(wake))).collect();
    let mut rows = Vec::with_capacity(all.len());
    for (at, alert, word, page) in &all {
        rows.push(values![at.as_millisecond(), alert.to_bytes(), *word, page].to_vec());
    }
    let statement = "INSERT INTO wake (due_at, alert, name, page) VALUES (?1, ?2, ?3, ?4)";
    sql.insert_all(statement, &rows).await?;
    Ok(!all.is_empty())
}

/// The page that a wake is for; empty for the alert itself.
fn page_of(wake: &Wake) -> Vec<u8> {
    wake.page().map(|page| page.to_bytes().to_vec()).unwrap_or_default()
}

fn wakes_to_json(wakes: &BTreeMap<Wake, Timestamp>) -> Result<String, StoreError> {
    let hex = |page: PageId| format!("{:032x}", u128::from_be_bytes(page.to_bytes()));
    let page = |wake: &Wake| wake.page().map(hex).unwrap_or_default();
    let rows = wakes.iter().map(|(wake, at)| (wake.word(), page(wake), at.as_millisecond()));
    to_json(&rows.collect::<Vec<_>>())
}

fn wakes_from_json(text: &str) -> Result<BTreeMap<Wake, Timestamp>, StoreError> {
    let rows: Vec<(String, String, i64)> = from_json(text)?;
    let read = |(word, page, at): (String, String, i64)| {
        let page = match page.as_str() {
            "" => Vec::new(),
            digits => u128::from_str_radix(digits, 16)
                .map_err(|error| corrupt("a page's id", &error))?
                .to_be_bytes()
                .to_vec(),
        };
        Ok((read_wake(&word, &page)?, instant(at)?))
    };
    rows.into_iter().map(read).collect()
}

/// How many alerts of an audience have begun at or after an instant. Their numbers are in the order in which they
/// began, so that only those are looked at.
pub(super) async fn begun_since(
    sql: &mut impl Sql,
    audience: &Audience,
    since: Timestamp,
) -> Result<u64, StoreError> {
    const TOGETHER: usize = 500;
    let statement = "SELECT number, created_at, audience_kind, audience FROM alert WHERE number < ?1 \
         ORDER BY number DESC LIMIT ?2";
    let (mut before, mut count) = (i64::MAX, 0);
    loop {
        let rows = sql.rows(statement, values![before, limit(TOGETHER)]).await?;
        let is_last = rows.len() < TOGETHER;
        for mut row in rows {
            before = row.get(0)?;
            if row.get::<i64>(1)? < since.as_millisecond() {
                return Ok(count);
            }
            let (kind, name): (String, String) = (row.get(2)?, row.get(3)?);
            count += u64::from(kind == kind_of(audience) && name == audience.name().as_str());
        }
        if is_last {
            return Ok(count);
        }
    }
}

/// The ids of every alert, oldest first.
pub(in crate::store) async fn all(sql: &mut impl Sql) -> Result<Vec<AlertId>, StoreError> {
    ids(sql.rows("SELECT id FROM alert ORDER BY number", values![]).await?)
}
