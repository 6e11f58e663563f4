//! Alerts with their pages and wakes: how they are loaded and saved.

use std::collections::BTreeMap;

use escalation::alert::{Alert, Audience, Position, State, Status};
use escalation::event::{Severity, Urgency};
use escalation::id::{AlertId, PageId};
use escalation::page::{Asks, Ended, EndedWhy, Page};
use escalation::wake::Wake;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::codec::{
    act_from_json, act_to_json, contact, contacts_from_json, contacts_to_json, corrupt, from_json, id_bytes,
    instant, links_from_json, links_to_json, name, route_from_json, route_to_json, silenced_from_json,
    silenced_to_json, small, snooze_from_json, snooze_to_json, to_json, word,
};
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

const PAGE_COLUMNS: &str = "id, person, urgency, round, escalation_step, started_at, plan_step, \
     step_started_at, reached, accepted, failed, ended_at, ended_why, asks, deferred_until, redialled";

const PAGES: &str = "SELECT id, person, urgency, round, escalation_step, started_at, plan_step, \
     step_started_at, reached, accepted, failed, ended_at, ended_why, asks, deferred_until, redialled FROM page \
     WHERE alert = ?1 ORDER BY id";

/// A result of reading a row: the row was there, and says something or not.
type Parsed<T> = rusqlite::Result<Result<T, StoreError>>;

/// Reads the columns of [`ALERT_COLUMNS`].
pub(super) fn read_alert(row: &Row<'_>) -> Parsed<Alert> {
    let acknowledged: Option<String> = row.get(21)?;
    let resolved: Option<String> = row.get(22)?;
    let (snoozed, silenced): (Option<String>, Option<String>) = (row.get(25)?, row.get(26)?);
    let merged_into: Option<i64> = row.get(28)?;
    let route: Option<String> = row.get(29)?;
    let text = |index: usize| row.get::<_, String>(index);
    let number = |index: usize| row.get::<_, i64>(index);
    let (audience_kind, audience) = (text(2)?, text(3)?);
    let (links, roles_reached, severity, status) = (text(9)?, text(23)?, text(8)?, text(10)?);
    let id: Vec<u8> = row.get(1)?;
    let numbers: Vec<i64> =
        [0, 11, 12, 13, 14, 15, 16, 17, 20, 24].map(number).into_iter().collect::<Result<_, _>>()?;
    let (integration, dedup_key, summary, details) = (text(4)?, text(5)?, text(6)?, text(7)?);
    let (fired, last_resort, insists) = (row.get(18)?, row.get(19)?, row.get(27)?);
    Ok((|| {
        let audience = name(&audience)?;
        Ok(Alert {
            id: AlertId::from_bytes(id_bytes(&id)?),
            number: small(numbers[0])?,
            audience: match audience_kind.as_str() {
                "team" => Audience::Team(audience),
                "person" => Audience::Person(audience),
                other => return Err(corrupt("an audience", &other)),
            },
            integration,
            dedup_key,
            summary,
            details,
            severity: word(&Severity::ALL, Severity::word, &severity)?,
            links: links_from_json(&links)?,
            route: route_from_json(route.as_deref())?,
            status: word(&Status::ALL, Status::word, &status)?,
            created_at: instant(numbers[1])?,
            triggered_at: instant(numbers[2])?,
            triggers: small(numbers[3])?,
            round: small(numbers[4])?,
            round_started_at: instant(numbers[5])?,
            since_round: small(numbers[9])?,
            position: Position {
                next_step: small(numbers[6])?,
                passes: small(numbers[7])?,
                fired,
                last_resort,
                roles: small(numbers[8])?,
            },
            acknowledged: act_from_json(acknowledged.as_deref())?,
            resolved: act_from_json(resolved.as_deref())?,
            snoozed: snooze_from_json(snoozed.as_deref())?,
            silenced: silenced_from_json(silenced.as_deref())?,
            insists,
            merged_into: merged_into.map(small).transpose()?,
            roles_reached: contacts_from_json(&roles_reached)?,
        })
    })())
}

fn read_page(row: &Row<'_>) -> Parsed<Page> {
    let id: Vec<u8> = row.get(0)?;
    let (person, urgency): (String, String) = (row.get(1)?, row.get(2)?);
    let numbers: Vec<i64> =
        [3, 4, 5, 6, 7].map(|index| row.get(index)).into_iter().collect::<Result<_, _>>()?;
    let reached: Option<String> = row.get(8)?;
    let (accepted, failed, redialled) = (row.get(9)?, row.get(10)?, row.get(15)?);
    let (ended_at, ended_why): (Option<i64>, Option<String>) = (row.get(11)?, row.get(12)?);
    let (asks, deferred_until): (String, Option<i64>) = (row.get(13)?, row.get(14)?);
    Ok((|| {
        Ok(Page {
            id: PageId::from_bytes(id_bytes(&id)?),
            person: name(&person)?,
            asks: word(&Asks::ALL, Asks::word, &asks)?,
            urgency: word(&[Urgency::High, Urgency::Low], Urgency::word, &urgency)?,
            round: small(numbers[0])?,
            escalation_step: small(numbers[1])?,
            started_at: instant(numbers[2])?,
            plan_step: small(numbers[3])?,
            step_started_at: instant(numbers[4])?,
            reached: reached.as_deref().map(contact).transpose()?,
            accepted,
            redialled,
            failed,
            deferred_until: deferred_until.map(instant).transpose()?,
            ended: match (ended_at, ended_why) {
                (Some(at), Some(why)) => {
                    Some(Ended { at: instant(at)?, why: word(&EndedWhy::ALL, EndedWhy::word, &why)? })
                }
                _ => None,
            },
        })
    })())
}

/// Which alert is open for a sender and key.
pub(super) fn open_alert(
    connection: &Connection,
    integration: &str,
    dedup_key: &str,
) -> Result<Option<AlertId>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT id FROM alert WHERE integration = ?1 AND dedup_key = ?2 AND is_open = 1")?;
    let id: Option<Vec<u8>> =
        statement.query_row(params![integration, dedup_key], |row| row.get(0)).optional()?;
    id.map(|id| Ok(AlertId::from_bytes(id_bytes(&id)?))).transpose()
}

/// The newest alert of a sender and key that is over.
pub(super) fn newest_over(
    connection: &Connection,
    integration: &str,
    dedup_key: &str,
) -> Result<Option<Alert>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {ALERT_COLUMNS} FROM alert WHERE integration = ?1 AND dedup_key = ?2 AND is_open = 0 \
         ORDER BY number DESC LIMIT 1"
    ))?;
    statement.query_row(params![integration, dedup_key], read_alert).optional()?.transpose()
}

/// The id of the alert that is meant.
pub(super) fn resolve(connection: &Connection, alert: AlertRef) -> Result<Option<AlertId>, StoreError> {
    match alert {
        AlertRef::Id(id) => Ok(Some(id)),
        AlertRef::Number(number) => {
            let Ok(number) = i64::try_from(number) else { return Ok(None) };
            let mut statement = connection.prepare_cached("SELECT id FROM alert WHERE number = ?1")?;
            let id: Option<Vec<u8>> = statement.query_row([number], |row| row.get(0)).optional()?;
            id.map(|id| Ok(AlertId::from_bytes(id_bytes(&id)?))).transpose()
        }
    }
}

/// An alert without its pages and wakes.
pub(super) fn load_alert(connection: &Connection, id: AlertId) -> Result<Option<Alert>, StoreError> {
    connection.prepare_cached(BY_ID)?.query_row([id.to_bytes()], read_alert).optional()?.transpose()
}

/// One page.
pub(super) fn load_page(connection: &Connection, id: PageId) -> Result<Option<(Page, AlertId)>, StoreError> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {PAGE_COLUMNS}, alert FROM page WHERE id = ?1"))?;
    let found = statement
        .query_row([id.to_bytes()], |row| Ok((read_page(row)?, row.get::<_, Vec<u8>>(16)?)))
        .optional()?;
    found.map(|(page, alert)| Ok((page?, AlertId::from_bytes(id_bytes(&alert)?)))).transpose()
}

/// The live pages of a person, oldest first.
pub(super) fn load_live_pages(
    connection: &Connection,
    person: &str,
) -> Result<Vec<(Page, AlertId)>, StoreError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {PAGE_COLUMNS}, alert FROM page WHERE person = ?1 AND ended_at IS NULL ORDER BY id"
    ))?;
    let rows = statement.query_map([person], |row| Ok((read_page(row)?, row.get::<_, Vec<u8>>(16)?)))?;
    rows.map(|row| {
        let (page, alert) = row?;
        Ok((page?, AlertId::from_bytes(id_bytes(&alert)?)))
    })
    .collect()
}

/// An alert with everything that is decided together.
pub(super) fn load(connection: &Connection, id: AlertId) -> Result<Option<State>, StoreError> {
    let found = connection
        .prepare_cached(BY_ID)?
        .query_row([id.to_bytes()], |row| Ok((read_alert(row)?, row.get::<_, String>(30)?)))
        .optional()?;
    let Some((alert, wakes)) = found else { return Ok(None) };
    let mut statement = connection.prepare_cached(PAGES)?;
    let rows = statement.query_map([id.to_bytes()], read_page)?;
    let pages = rows.map(|row| row?).collect::<Result<_, _>>()?;
    Ok(Some(State { alert: alert?, pages, wakes: wakes_from_json(&wakes)? }))
}

/// A wake from its name and page; no bytes: of the alert itself.
pub(super) fn read_wake(word: &str, page: &[u8]) -> Result<Wake, StoreError> {
    let page = if page.is_empty() { None } else { Some(PageId::from_bytes(id_bytes(page)?)) };
    Wake::read(word, page).ok_or_else(|| corrupt("a wake", &word))
}

/// Saves what differs between two states of one alert; `before` is none for a new one. Returns the
/// alert's number, and whether a wake was set.
pub(super) fn save(
    connection: &Connection,
    before: Option<&State>,
    after: &State,
) -> Result<(u64, bool), StoreError> {
    let alert = &after.alert;
    let number = match before {
        None => {
            let statement = "INSERT INTO alert (id, audience_kind, audience, integration, dedup_key, summary, \
                 details, severity, links, status, created_at, triggered_at, triggers, round, \
                 round_started_at, next_step, passes, fired, last_resort, roles, acknowledged, resolved, \
                 roles_reached, since_round, wakes, is_open, route) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, \
                 ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27)";
            connection.prepare_cached(statement)?.execute(params![
                alert.id.to_bytes(),
                kind_of(&alert.audience),
                alert.audience.name().as_str(),
                alert.integration,
                alert.dedup_key,
                alert.summary,
                alert.details,
                alert.severity.word(),
                links_to_json(&alert.links)?,
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
                act_to_json(alert.acknowledged.as_ref())?,
                act_to_json(alert.resolved.as_ref())?,
                contacts_to_json(&alert.roles_reached)?,
                alert.since_round,
                wakes_to_json(&after.wakes)?,
                alert.status != Status::Resolved,
                route_to_json(&alert.route)?,
            ])?;
            // A new row's number is positive.
            u64::try_from(connection.last_insert_rowid()).unwrap_or_default()
        }
        Some(before) => {
            if before.alert != *alert || before.wakes != after.wakes {
                update_alert(connection, after)?;
            }
            let is_open = |alert: &Alert| alert.status != Status::Resolved;
            if is_open(&before.alert) != is_open(alert) {
                connection
                    .prepare_cached("UPDATE alert SET is_open = ?2 WHERE id = ?1")?
                    .execute(params![alert.id.to_bytes(), is_open(alert)])?;
            }
            if before.alert.audience != alert.audience {
                connection
                    .prepare_cached("UPDATE alert SET audience_kind = ?2, audience = ?3 WHERE id = ?1")?
                    .execute(params![
                        alert.id.to_bytes(),
                        kind_of(&alert.audience),
                        alert.audience.name().as_str()
                    ])?;
            }
            if before.alert.route != alert.route {
                connection
                    .prepare_cached("UPDATE alert SET route = ?2 WHERE id = ?1")?
                    .execute(params![alert.id.to_bytes(), route_to_json(&alert.route)?])?;
            }
            if before.alert.summary != alert.summary || before.alert.details != alert.details {
                connection
                    .prepare_cached("UPDATE alert SET summary = ?2, details = ?3 WHERE id = ?1")?
                    .execute(params![alert.id.to_bytes(), alert.summary, alert.details])?;
            }
            if has_begun(alert) && !has_begun(&before.alert) {
                connection
                    .prepare_cached("UPDATE alert SET has_begun = 1 WHERE id = ?1")?
                    .execute([alert.id.to_bytes()])?;
            }
            alert.number
        }
    };
    let known = before.map_or(&[][..], |before| before.pages.as_slice());
    for (place, page) in after.pages.iter().enumerate() {
        match known.get(place) {
            Some(same) if same == page => {}
            Some(_) => update_page(connection, page)?,
            None => insert_page(connection, alert.id, page)?,
        }
    }
    let none = BTreeMap::new();
    let set = save_wakes(connection, alert.id, before.map_or(&none, |before| &before.wakes), &after.wakes)?;
    Ok((number, set))
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

/// The open alerts of a team that have begun, oldest first.
pub(super) fn begun(connection: &Connection, team: &str) -> Result<Vec<AlertId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM alert WHERE audience = ?1 AND has_begun = 1 AND is_open = 1 AND audience_kind = 'team' \
         ORDER BY number",
    )?;
    let rows = statement.query_map([team], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|id| Ok(AlertId::from_bytes(id_bytes(&id?)?))).collect()
}

/// What changes most of an alert after it was made. What stands in an index is left out: naming it would write there,
/// too.
fn update_alert(connection: &Connection, state: &State) -> Result<(), StoreError> {
    let alert = &state.alert;
    let statement = "UPDATE alert SET severity = ?2, status = ?3, triggered_at = ?4, triggers = ?5, \
         round = ?6, round_started_at = ?7, next_step = ?8, passes = ?9, fired = ?10, last_resort = ?11, \
         roles = ?12, acknowledged = ?13, resolved = ?14, roles_reached = ?15, since_round = ?16, wakes = ?17, \
         snoozed = ?18, silenced = ?19, insists = ?20, merged_into = ?21 \
         WHERE id = ?1";
    connection.prepare_cached(statement)?.execute(params![
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
        act_to_json(alert.acknowledged.as_ref())?,
        act_to_json(alert.resolved.as_ref())?,
        contacts_to_json(&alert.roles_reached)?,
        alert.since_round,
        wakes_to_json(&state.wakes)?,
        snooze_to_json(alert.snoozed.as_ref())?,
        silenced_to_json(alert.silenced.as_ref())?,
        alert.insists,
        alert.merged_into.map(i64::try_from).transpose().map_err(|error| corrupt("a number", &error))?,
    ])?;
    Ok(())
}

fn insert_page(connection: &Connection, alert: AlertId, page: &Page) -> Result<(), StoreError> {
    let statement = "INSERT INTO page (id, alert, person, urgency, round, escalation_step, started_at, \
         plan_step, step_started_at, reached, accepted, failed, ended_at, ended_why, asks, deferred_until, \
         redialled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
    connection.prepare_cached(statement)?.execute(params![
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
    ])?;
    Ok(())
}

fn update_page(connection: &Connection, page: &Page) -> Result<(), StoreError> {
    let statement = "UPDATE page SET plan_step = ?2, step_started_at = ?3, reached = ?4, accepted = ?5, \
         failed = ?6, ended_at = ?7, ended_why = ?8, asks = ?9, deferred_until = ?10, \
         escalation_step = ?11, started_at = ?12, redialled = ?13 WHERE id = ?1";
    connection.prepare_cached(statement)?.execute(params![
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
    ])?;
    Ok(())
}

fn save_wakes(
    connection: &Connection,
    alert: AlertId,
    before: &BTreeMap<Wake, Timestamp>,
    after: &BTreeMap<Wake, Timestamp>,
) -> Result<bool, StoreError> {
    let mut set = false;
    for (wake, at) in before.iter().filter(|(wake, at)| after.get(wake) != Some(at)) {
        connection
            .prepare_cached("DELETE FROM wake WHERE due_at = ?1 AND alert = ?2 AND name = ?3 AND page = ?4")?
            .execute(params![at.as_millisecond(), alert.to_bytes(), wake.word(), page_of(wake)])?;
    }
    for (wake, at) in after.iter().filter(|(wake, at)| before.get(wake) != Some(at)) {
        connection
            .prepare_cached("INSERT INTO wake (due_at, alert, name, page) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![at.as_millisecond(), alert.to_bytes(), wake.word(), page_of(wake)])?;
        set = true;
    }
    Ok(set)
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
pub(super) fn begun_since(
    connection: &Connection,
    audience: &Audience,
    since: Timestamp,
) -> Result<u64, StoreError> {
    let kind = match audience {
        Audience::Team(_) => "team",
        Audience::Person(_) => "person",
    };
    let mut statement = connection
        .prepare_cached("SELECT created_at, audience_kind, audience FROM alert ORDER BY number DESC")?;
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        let (created_at, of, name): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if created_at < since.as_millisecond() {
            break;
        }
        count += u64::from(of == kind && name == audience.name().as_str());
    }
    Ok(count)
}

/// The ids of every alert, oldest first.
pub(super) fn all(connection: &Connection) -> Result<Vec<AlertId>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM alert ORDER BY number")?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|id| Ok(AlertId::from_bytes(id_bytes(&id?)?))).collect()
}
