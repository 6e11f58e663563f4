//! What the verbs ask for, of a connection that understands SQL: each method is one or a few statements.
//!
//! Read next: `alert.rs`, `delivery.rs` and their neighbours for the statements.

use super::{
    Sql, access, alert, definition, delivery, duty, event, heartbeat, integration_key, mailbox, outgoing,
    receipt, reception, reply, silence, wake,
};
use std::collections::{BTreeSet, HashMap};

use crate::definition::{Definitions, Kind, Owner};
use crate::store::phone::{Line, LineChange};
use crate::store::reception::{Outcome as Made, Reception};
use crate::store::rows::{
    FirstLine, HeartbeatRow, Keys, Known, Look, Place, ReceiptRow, ReceptionRows, ReplyRows, Rows, Subject,
    Try, Versions, WatchedPost,
};
use crate::store::{Access, AlertRef, Idempotency, StoreError};
use escalation::alert::{Alert, Audience, State};
use escalation::contact::Contact;
use escalation::delivery::{Delivery, Outcome};
use escalation::duty::Roster;
use escalation::effect::Entry;
use escalation::id::{AlertId, DeliveryId, PageId};
use escalation::mailbox::Mailbox;
use escalation::name::Name;
use escalation::wake::Wake;
use jiff::Timestamp;
use serde_json::Value;

type Result<T> = std::result::Result<T, StoreError>;

/// The rows behind a connection.
pub(crate) struct SqlRows<S> {
    pub(in crate::store) sql: S,
}

impl<S: Sql> SqlRows<S> {
    /// Over a connection to a database that is up to date.
    pub(crate) fn new(sql: S) -> Self {
        Self { sql }
    }

    /// What was looked for of alerts without waiting: there it is, or somebody else has it, or there is none.
    async fn or_busy<T>(&mut self, ids: &[AlertId], found: Vec<Option<T>>) -> Result<Vec<Try<Option<T>>>> {
        let mut all = Vec::with_capacity(ids.len());
        for (id, found) in ids.iter().zip(found) {
            let is_busy = found.is_none() && S::HAS_OTHERS && alert::is_there(&mut self.sql, *id).await?;
            all.push(if is_busy { Try::Busy } else { Try::Got(found) });
        }
        Ok(all)
    }
}

impl<S: Sql> Rows for SqlRows<S> {
    const ARE_SHARED: bool = S::HAS_OTHERS;

    async fn begin(&mut self) -> Result<()> {
        self.sql.begin().await
    }

    async fn commit(&mut self) -> Result<()> {
        self.sql.commit().await
    }

    async fn rollback(&mut self) {
        self.sql.rollback().await;
    }

    async fn open_alert(&mut self, integration: &str, dedup_key: &str) -> Result<Option<AlertId>> {
        alert::open_alert(&mut self.sql, integration, dedup_key).await
    }

    async fn known(&mut self, keys: &[Keys<'_>]) -> Result<Vec<Known>> {
        event::known(&mut self.sql, keys).await
    }

    async fn resolve(&mut self, alert: AlertRef) -> Result<Option<AlertId>> {
        alert::resolve(&mut self.sql, alert).await
    }

    async fn alert(&mut self, id: AlertId) -> Result<Option<Alert>> {
        alert::load_alert(&mut self.sql, id).await
    }

    async fn state(&mut self, id: AlertId) -> Result<Option<State>> {
        alert::lock(&mut self.sql, id).await
    }

    async fn states_if_free(&mut self, ids: &[AlertId]) -> Result<Vec<Try<Option<State>>>> {
        let found = alert::lock_if_free(&mut self.sql, ids).await?;
        self.or_busy(ids, found).await
    }

    async fn begun(&mut self, team: &str) -> Result<Vec<AlertId>> {
        alert::begun(&mut self.sql, team).await
    }

    async fn begun_since(&mut self, audience: &Audience, since: Timestamp) -> Result<u64> {
        alert::begun_since(&mut self.sql, audience, since).await
    }

    async fn open_alerts(
        &mut self,
        after: Option<&Place>,
        most: usize,
    ) -> Result<(Vec<Alert>, Option<Place>)> {
        silence::open_alerts(&mut self.sql, after, most).await
    }

    async fn insert_alerts(&mut self, states: &[&State]) -> Result<Vec<u64>> {
        alert::insert(&mut self.sql, states).await
    }

    async fn update_alert(&mut self, before: &State, after: &State) -> Result<bool> {
        alert::save(&mut self.sql, before, after).await
    }

    async fn append(&mut self, alert: AlertId, entry: &Entry, key: Option<&Idempotency>) -> Result<()> {
        event::insert(&mut self.sql, alert, entry, key).await
    }

    async fn append_first(&mut self, lines: &[FirstLine<'_>]) -> Result<()> {
        event::insert_first(&mut self.sql, lines).await
    }

    async fn followers(&mut self, alert: AlertId) -> Result<Vec<Name>> {
        outgoing::followers(&mut self.sql, alert).await
    }

    async fn put_out(&mut self, subscriber: &str, alert: AlertId, at: Timestamp, body: &Value) -> Result<()> {
        outgoing::insert(&mut self.sql, subscriber, alert, at, body).await
    }

    async fn due_wakes(&mut self, now: Timestamp, most: usize) -> Result<Vec<(AlertId, Wake)>> {
        wake::due(&mut self.sql, now, most).await
    }

    async fn next_wake(&mut self) -> Result<Option<Timestamp>> {
        wake::next(&mut self.sql).await
    }

    async fn delivery(&mut self, id: DeliveryId) -> Result<Option<Delivery>> {
        delivery::lock(&mut self.sql, id).await
    }

    async fn of_bundle(&mut self, bundle: DeliveryId) -> Result<Vec<Delivery>> {
        delivery::lock_bundle(&mut self.sql, bundle).await
    }

    async fn ready_providers(&mut self) -> Result<Vec<String>> {
        delivery::ready_providers(&mut self.sql).await
    }

    async fn first_ready(&mut self, provider: &str) -> Result<Option<Timestamp>> {
        delivery::first_ready(&mut self.sql, provider).await
    }

    async fn ready(&mut self, provider: &str, now: Timestamp, most: usize) -> Result<Vec<Delivery>> {
        delivery::ready(&mut self.sql, provider, now, most).await
    }

    async fn expired(&mut self, until: Timestamp) -> Result<(Vec<Delivery>, Option<Timestamp>)> {
        delivery::expired(&mut self.sql, until).await
    }

    async fn subjects(&mut self, deliveries: &[Delivery]) -> Result<Vec<Try<Option<Subject>>>> {
        // Several may speak of one alert.
        let ids: BTreeSet<_> = deliveries.iter().filter_map(|delivery| delivery.alert).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let found = alert::share_if_free(&mut self.sql, &ids).await?;
        let found = self.or_busy(&ids, found).await?;
        let alerts: HashMap<_, _> = ids.into_iter().zip(found).collect();
        // The pages are read when their alerts are locked.
        let pages = delivery::pages_of(&mut self.sql, deliveries).await?;
        let subjects = deliveries.iter().zip(pages).map(|(delivery, page)| match delivery.alert {
            None => Try::Got(Some((None, None))),
            Some(id) => match alerts.get(&id) {
                Some(Try::Busy) => Try::Busy,
                Some(Try::Got(Some(alert))) => Try::Got(Some((Some(alert.clone()), page))),
                Some(Try::Got(None)) | None => Try::Got(None),
            },
        });
        Ok(subjects.collect())
    }

    async fn insert_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        delivery::insert(&mut self.sql, delivery).await
    }

    async fn update_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        delivery::update(&mut self.sql, delivery).await
    }

    async fn settle_delivery(
        &mut self,
        delivery: &Delivery,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<()> {
        delivery::update_with_outcome(&mut self.sql, delivery, outcome, now).await
    }

    async fn withdraw(&mut self, alert: AlertId, page: Option<PageId>, to: Option<&Contact>) -> Result<()> {
        delivery::withdraw(&mut self.sql, alert, page, to).await
    }

    async fn receipt(&mut self, id: DeliveryId, attempt: u8) -> Result<Option<ReceiptRow>> {
        receipt::load(&mut self.sql, id, attempt).await
    }

    async fn save_receipt(&mut self, row: &ReceiptRow) -> Result<()> {
        receipt::save(&mut self.sql, row).await
    }

    async fn due_receipts(&mut self, now: Timestamp) -> Result<(Vec<(DeliveryId, u8)>, Option<Timestamp>)> {
        receipt::due(&mut self.sql, now).await
    }

    async fn note_receipt(&mut self, row: &ReceiptRow, now: Timestamp) -> Result<()> {
        delivery::note_receipt(&mut self.sql, row, now).await
    }

    async fn mailbox(&mut self, person: &Name) -> Result<Try<Mailbox>> {
        Ok(mailbox::lock(&mut self.sql, person).await?.map_or(Try::Busy, Try::Got))
    }

    async fn save_mailbox(&mut self, person: &Name, mailbox: &Mailbox) -> Result<()> {
        mailbox::save(&mut self.sql, person, mailbox).await
    }

    async fn due_posts(&mut self, now: Timestamp, most: usize) -> Result<Vec<WatchedPost>> {
        duty::due(&mut self.sql, now, most).await
    }

    async fn next_post(&mut self) -> Result<Option<Timestamp>> {
        duty::next(&mut self.sql).await
    }

    async fn watched_roles(&mut self, roster: &Roster) -> Result<Vec<String>> {
        duty::roles(&mut self.sql, roster).await
    }

    async fn watched_rosters(&mut self) -> Result<Vec<Roster>> {
        duty::rosters(&mut self.sql).await
    }

    async fn watch_post(&mut self, roster: &Roster, role: &str, at: Timestamp) -> Result<()> {
        duty::look_at(&mut self.sql, roster, role, at).await
    }

    async fn save_post(&mut self, post: &WatchedPost, check_at: Option<Timestamp>) -> Result<()> {
        duty::save(&mut self.sql, post, check_at).await
    }

    async fn forget_post(&mut self, roster: &Roster, role: &str) -> Result<()> {
        duty::forget(&mut self.sql, roster, role).await
    }

    async fn look(&mut self) -> Result<Try<Look>> {
        Ok(silence::lock(&mut self.sql).await?.map_or(Try::Busy, Try::Got))
    }

    async fn save_look(&mut self, look: &Look) -> Result<()> {
        silence::save(&mut self.sql, look).await
    }

    async fn heartbeat(&mut self, name: &str) -> Result<Option<HeartbeatRow>> {
        heartbeat::lock(&mut self.sql, name).await
    }

    async fn heartbeats(&mut self) -> Result<Vec<HeartbeatRow>> {
        heartbeat::all(&mut self.sql).await
    }

    async fn due_heartbeats(&mut self, now: Timestamp, most: usize) -> Result<Vec<HeartbeatRow>> {
        heartbeat::due(&mut self.sql, now, most).await
    }

    async fn next_heartbeat(&mut self) -> Result<Option<Timestamp>> {
        heartbeat::next(&mut self.sql).await
    }

    async fn save_heartbeat(&mut self, row: &HeartbeatRow) -> Result<()> {
        heartbeat::save(&mut self.sql, row).await
    }

    async fn forget_heartbeat(&mut self, name: &str) -> Result<()> {
        heartbeat::remove(&mut self.sql, name).await
    }

    async fn lock_definitions(&mut self) -> Result<()> {
        if S::HAS_OTHERS {
            access::lock_changes(&mut self.sql).await?;
        }
        Ok(())
    }

    async fn versions(&mut self, known: Versions) -> Result<Versions> {
        // Whoever has a file open has it alone.
        if S::HAS_OTHERS { access::versions(&mut self.sql).await } else { Ok(known) }
    }

    async fn definitions(&mut self, definitions: Definitions) -> Result<Definitions> {
        definition::load(&mut self.sql, definitions).await
    }

    async fn insert_definition(
        &mut self,
        now: Timestamp,
        kind: Kind,
        name: &str,
        body: Option<&serde_json::Value>,
        owner: &Owner,
    ) -> Result<u64> {
        definition::insert(&mut self.sql, now, kind, name, body, owner).await
    }

    async fn revoke_keys(&mut self, integration: &str, now: Timestamp) -> Result<u64> {
        integration_key::revoke_all(&mut self.sql, now, integration).await?;
        if S::HAS_OTHERS { access::count_up(&mut self.sql).await } else { Ok(0) }
    }

    async fn access(&mut self) -> Result<Access> {
        access::load(&mut self.sql).await
    }
}

impl<S: Sql> ReplyRows for SqlRows<S> {
    async fn line(&mut self, contact: &Contact, now: Timestamp) -> Result<Line> {
        reply::line(&mut self.sql, contact, now).await
    }

    async fn change_line(&mut self, contact: &Contact, change: LineChange, now: Timestamp) -> Result<Line> {
        reply::change_line(&mut self.sql, contact, change, now).await
    }

    async fn code_for(
        &mut self,
        person: &Name,
        alert: AlertId,
        now: Timestamp,
        chance: &mut (dyn FnMut() -> u64 + Send),
    ) -> Result<String> {
        reply::code_for(&mut self.sql, person, alert, now, chance).await
    }

    async fn saw(&mut self, id: &str, now: Timestamp) -> Result<bool> {
        reply::saw(&mut self.sql, id, now).await
    }
}

impl<S: Sql> ReceptionRows for SqlRows<S> {
    async fn keep_reception(&mut self, now: Timestamp, taken: &Reception, made: &Made) -> Result<()> {
        reception::insert(&mut self.sql, now, taken, made).await
    }

    async fn group_of(&mut self, integration: &Name, member: &str) -> Result<Option<String>> {
        reception::group_of(&mut self.sql, integration, member).await
    }

    async fn join_group(&mut self, integration: &Name, key: &str, member: &str) -> Result<()> {
        reception::join(&mut self.sql, integration, key, member).await
    }

    async fn leave_group(&mut self, integration: &Name, key: &str, member: &str) -> Result<u64> {
        reception::leave(&mut self.sql, integration, key, member).await
    }

    async fn clear_group(&mut self, integration: &Name, key: &str) -> Result<()> {
        reception::clear(&mut self.sql, integration, key).await
    }
}
