//! The model's rows for the verbs.

use std::collections::{BTreeMap, BTreeSet};

use escalation::alert::{Alert, Audience, State, Status};
use escalation::contact::Contact;
use escalation::delivery::{Delivery, Outcome, Purpose, State as DeliveryState};
use escalation::duty::Roster;
use escalation::effect::Entry;
use escalation::id::{AlertId, DeliveryId, PageId};
use escalation::mailbox::Mailbox;
use escalation::name::Name;
use escalation::wake::Wake;
use jiff::Timestamp;
use serde_json::Value;

use super::connection::ModelRows;
use super::gone;
use super::locks::Lock;
use super::tables::{PostRow, Tables, Version, has_begun, is_open, key_of, post_key};
use crate::definition::{Defined, Definitions, Kind, Owner};
use crate::store::rows::{
    FirstLine, HeartbeatRow, Keys, Known, Look, Place, ReceiptRow, Rows, Subject, Try, Versions, WatchedPost,
};
use crate::store::{Access, AlertRef, Attempt, Idempotency, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

impl Rows for ModelRows {
    const ARE_SHARED: bool = true;

    async fn begin(&mut self) -> Result<()> {
        self.transaction = Some(self.database.borrow_mut().begin(self.connection));
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        let transaction = self.transaction.take().ok_or_else(gone)?;
        let mut database = self.database.borrow_mut();
        database.under_way.remove(&self.connection);
        database.commit(transaction)
    }

    async fn rollback(&mut self) {
        self.end();
    }

    async fn open_alert(&mut self, integration: &str, dedup_key: &str) -> Result<Option<AlertId>> {
        let key = (integration.to_owned(), dedup_key.to_owned());
        self.look_at(|tables, writes| {
            let own = writes.alerts.values().find(|state| is_open(state) && key_of(state) == key);
            let committed = tables.open.get(&key).filter(|id| !writes.alerts.contains_key(id));
            own.map(|state| state.alert.id).or(committed.copied())
        })
    }

    async fn known(&mut self, keys: &[Keys<'_>]) -> Result<Vec<Known>> {
        let mut all = Vec::with_capacity(keys.len());
        for Keys { request, integration, dedup_key } in keys {
            let request = request.map(|request| self.by_idempotency(request)).transpose()?.flatten();
            let open = self.open_alert(integration, dedup_key).await?;
            let over = if open.is_none() { self.newest_over(integration, dedup_key)? } else { None };
            all.push(Known { request, open, over: over.map(Box::new) });
        }
        Ok(all)
    }

    async fn resolve(&mut self, alert: AlertRef) -> Result<Option<AlertId>> {
        match alert {
            AlertRef::Id(id) => Ok(Some(id)),
            AlertRef::Number(number) => self.look_at(|tables, writes| {
                let own = writes.alerts.values().find(|state| state.alert.number == number);
                own.map(|state| state.alert.id).or_else(|| tables.numbers.get(&number).copied())
            }),
        }
    }

    async fn alert(&mut self, id: AlertId) -> Result<Option<Alert>> {
        Ok(self.read_state(id)?.map(|state| state.alert))
    }

    async fn state(&mut self, id: AlertId) -> Result<Option<State>> {
        self.lock(Lock::Alert(id)).await?;
        self.read_state(id)
    }

    async fn states_if_free(&mut self, ids: &[AlertId]) -> Result<Vec<Try<Option<State>>>> {
        let get = |id: &AlertId| {
            if self.try_lock(&Lock::Alert(*id), true)? {
                self.read_state(*id).map(Try::Got)
            } else {
                Ok(Try::Busy)
            }
        };
        ids.iter().map(get).collect()
    }

    async fn begun(&mut self, team: &str) -> Result<Vec<AlertId>> {
        self.look_at(|tables, writes| {
            let is_meant = |alert: &Alert| {
                alert.status != Status::Resolved
                    && (has_begun(alert) || tables.begun.contains(&alert.id))
                    && matches!(&alert.audience, Audience::Team(of) if of.as_str() == team)
            };
            let newest = |id: &AlertId| writes.alerts.get(id).or_else(|| tables.alerts.get(id));
            let ids: BTreeSet<AlertId> =
                tables.open.values().copied().chain(writes.alerts.keys().copied()).collect();
            let mut begun: Vec<&Alert> = ids
                .iter()
                .filter_map(newest)
                .map(|state| &state.alert)
                .filter(|alert| is_meant(alert))
                .collect();
            begun.sort_by_key(|alert| alert.number);
            begun.into_iter().map(|alert| alert.id).collect()
        })
    }

    async fn begun_since(&mut self, audience: &Audience, since: Timestamp) -> Result<u64> {
        self.look_at(|tables, writes| {
            let committed = tables.numbers.values().rev().filter_map(|id| tables.alerts.get(id));
            let committed = committed.take_while(|state| state.alert.created_at >= since);
            let new = writes.alerts.values().filter(|state| !tables.alerts.contains_key(&state.alert.id));
            let new = new.filter(|state| state.alert.created_at >= since);
            committed.chain(new).filter(|state| state.alert.audience == *audience).count() as u64
        })
    }

    async fn open_alerts(
        &mut self,
        after: Option<&Place>,
        most: usize,
    ) -> Result<(Vec<Alert>, Option<Place>)> {
        self.look_at(|tables, writes| {
            let newest = |id: &AlertId| writes.alerts.get(id).or_else(|| tables.alerts.get(id));
            let ids: BTreeSet<AlertId> =
                tables.open.values().copied().chain(writes.alerts.keys().copied()).collect();
            let open: BTreeMap<Place, &State> = ids
                .iter()
                .filter_map(newest)
                .filter(|state| is_open(state))
                .map(|state| (key_of(state), state))
                .filter(|(key, _)| after.is_none_or(|after| key > after))
                .collect();
            let place = open.keys().nth(most.saturating_sub(1)).cloned();
            (open.values().take(most).map(|state| state.alert.clone()).collect(), place)
        })
    }

    async fn insert_alerts(&mut self, states: &[&State]) -> Result<Vec<u64>> {
        let mut numbers = Vec::with_capacity(states.len());
        for state in states {
            let number = {
                let mut database = self.database.borrow_mut();
                database.last_number += 1;
                database.last_number
            };
            self.lock(Lock::Alert(state.alert.id)).await?;
            let mut state = (*state).clone();
            state.alert.number = number;
            self.put_state(state, false).await?;
            numbers.push(number);
        }
        Ok(numbers)
    }

    async fn update_alert(&mut self, before: &State, after: &State) -> Result<bool> {
        let set = after.wakes.iter().any(|(wake, at)| before.wakes.get(wake) != Some(at));
        self.put_state(after.clone(), is_open(before)).await?;
        Ok(set)
    }

    async fn append(&mut self, alert: AlertId, entry: &Entry, key: Option<&Idempotency>) -> Result<()> {
        if let Some(key) = key {
            self.lock(Lock::Request(key.key.clone())).await?;
            if self.by_idempotency(&key.key)?.is_some() {
                return Err(StoreError::Conflict);
            }
            self.write(|writes| {
                writes.keys.insert(key.key.clone(), (alert, key.request));
            })?;
        }
        self.write(|writes| writes.entries.push((alert, entry.clone())))
    }

    async fn append_first(&mut self, lines: &[FirstLine<'_>]) -> Result<()> {
        for line in lines {
            self.append(line.alert, line.entry, line.key).await?;
        }
        Ok(())
    }

    async fn followers(&mut self, _: AlertId) -> Result<Vec<Name>> {
        // Nobody in the simulator follows an alert, and nobody outside is told.
        Ok(Vec::new())
    }

    async fn put_out(&mut self, _: &str, _: AlertId, _: Timestamp, _: &Value) -> Result<()> {
        Ok(())
    }

    async fn due_wakes(&mut self, now: Timestamp, most: usize) -> Result<Vec<(AlertId, Wake)>> {
        self.look_at(|tables, _| {
            let due = tables.wakes.iter().take_while(|(at, _, _)| *at <= now).take(most);
            due.map(|(_, alert, wake)| (*alert, *wake)).collect()
        })
    }

    async fn next_wake(&mut self) -> Result<Option<Timestamp>> {
        self.look_at(|tables, writes| {
            let committed = tables.wakes.iter().find(|(_, alert, _)| !writes.alerts.contains_key(alert));
            let own = writes.alerts.values().flat_map(|state| state.wakes.values().copied());
            own.chain(committed.map(|(at, _, _)| *at)).min()
        })
    }

    async fn delivery(&mut self, id: DeliveryId) -> Result<Option<Delivery>> {
        self.lock(Lock::Delivery(id)).await?;
        Ok(self.read_delivery(id)?.map(|record| record.delivery))
    }

    async fn of_bundle(&mut self, bundle: DeliveryId) -> Result<Vec<Delivery>> {
        let of = |tables: &Tables| tables.bundles.get(&bundle).into_iter().flatten().copied().collect();
        let mut all = self.deliveries(of, |delivery| delivery.bundle == Some(bundle))?;
        for delivery in &all {
            self.lock(Lock::Delivery(delivery.id)).await?;
        }
        // As they are now that they are locked.
        all = self.deliveries(of, |delivery| delivery.bundle == Some(bundle))?;
        all.sort_by_key(|delivery| (delivery.created_at, delivery.id));
        Ok(all)
    }

    async fn ready_providers(&mut self) -> Result<Vec<String>> {
        self.look_at(|tables, writes| {
            let own = writes.deliveries.values().map(|record| &record.delivery);
            let own = own.filter(|delivery| delivery.state == DeliveryState::Ready);
            let own = own.map(|delivery| delivery.contact.provider().to_owned());
            own.chain(tables.ready.keys().cloned()).collect::<BTreeSet<_>>().into_iter().collect()
        })
    }

    async fn first_ready(&mut self, provider: &str) -> Result<Option<Timestamp>> {
        self.look_at(|tables, writes| {
            let committed = tables.ready.get(provider).into_iter().flatten();
            let mut committed = committed.filter(|(_, id)| !writes.deliveries.contains_key(id));
            let own = writes.deliveries.values().map(|record| &record.delivery).filter(|delivery| {
                delivery.state == DeliveryState::Ready && delivery.contact.provider() == provider
            });
            own.map(|delivery| delivery.not_before).chain(committed.next().map(|(at, _)| *at)).min()
        })
    }

    async fn ready(&mut self, provider: &str, now: Timestamp, most: usize) -> Result<Vec<Delivery>> {
        let due = |tables: &Tables| {
            let ready = tables.ready.get(provider).into_iter().flatten();
            ready.take_while(|(at, _)| *at <= now).map(|(_, id)| *id).collect::<Vec<_>>()
        };
        let is_due = |delivery: &Delivery| {
            delivery.state == DeliveryState::Ready
                && delivery.not_before <= now
                && delivery.contact.provider() == provider
        };
        let mut all = self.deliveries(due, is_due)?;
        all.sort_by_key(|delivery| (delivery.not_before, delivery.id));
        let mut locked = Vec::new();
        for delivery in all {
            if locked.len() == most {
                break;
            }
            if self.try_lock(&Lock::Delivery(delivery.id), true)? {
                locked.push(delivery);
            }
        }
        Ok(locked)
    }

    async fn expired(&mut self, until: Timestamp) -> Result<(Vec<Delivery>, Option<Timestamp>)> {
        let leases = |tables: &Tables| tables.leases.iter().map(|(_, id)| *id).collect::<Vec<_>>();
        let claimed = self.deliveries(leases, |delivery| delivery.state == DeliveryState::Claimed)?;
        let mut expired = Vec::new();
        let mut next: Option<Timestamp> = None;
        for delivery in claimed {
            if delivery.lease_until > until {
                next = Some(next.map_or(delivery.lease_until, |next| next.min(delivery.lease_until)));
            } else if self.try_lock(&Lock::Delivery(delivery.id), true)? {
                expired.push(delivery);
            }
        }
        expired.sort_by_key(|delivery| (delivery.lease_until, delivery.id));
        Ok((expired, next))
    }

    async fn subjects(&mut self, deliveries: &[Delivery]) -> Result<Vec<Try<Option<Subject>>>> {
        let get = |delivery: &Delivery| {
            let Some(alert) = delivery.alert else { return Ok(Try::Got(Some((None, None)))) };
            if !self.try_lock(&Lock::Alert(alert), false)? {
                return Ok(Try::Busy);
            }
            let Some(state) = self.read_state(alert)? else { return Ok(Try::Got(None)) };
            let page = delivery.page.and_then(|id| state.pages.iter().find(|page| page.id == id).cloned());
            Ok(Try::Got(Some((Some(state.alert), page))))
        };
        deliveries.iter().map(get).collect()
    }

    async fn insert_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        self.lock(Lock::Delivery(delivery.id)).await?;
        self.put_delivery(delivery, None)
    }

    async fn update_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        self.lock(Lock::Delivery(delivery.id)).await?;
        self.put_delivery(delivery, None)
    }

    async fn settle_delivery(
        &mut self,
        delivery: &Delivery,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<()> {
        self.lock(Lock::Delivery(delivery.id)).await?;
        let (word, detail) = match outcome {
            Outcome::Accepted { provider_id } => ("accepted", provider_id),
            Outcome::Refused { why, .. } => ("refused", why),
            Outcome::RetryAfter { why, .. } => ("retry_after", why),
            Outcome::Unknown { why } => ("unknown", why),
        };
        let attempt =
            Attempt { at: now, attempt: delivery.attempt, outcome: word.to_owned(), detail: detail.clone() };
        self.put_delivery(delivery, Some(attempt))
    }

    async fn withdraw(&mut self, alert: AlertId, page: Option<PageId>, to: Option<&Contact>) -> Result<()> {
        let of = |tables: &Tables| tables.ready_of.get(&alert).into_iter().flatten().copied().collect();
        let is_meant = |delivery: &Delivery| {
            delivery.alert == Some(alert)
                && delivery.state == DeliveryState::Ready
                && delivery.purpose == Purpose::Page
                && delivery.page == page
                && to.is_none_or(|to| delivery.contact == *to)
        };
        for delivery in self.deliveries(of, is_meant)? {
            self.lock(Lock::Delivery(delivery.id)).await?;
            // It may have been claimed while this waited.
            let newest = self.read_delivery(delivery.id)?.map(|record| record.delivery);
            if let Some(newest) = newest.filter(|newest| is_meant(newest)) {
                self.put_delivery(&Delivery { state: DeliveryState::Withdrawn, ..newest }, None)?;
            }
        }
        Ok(())
    }

    async fn receipt(&mut self, id: DeliveryId, attempt: u8) -> Result<Option<ReceiptRow>> {
        let key = (id, attempt);
        self.look_at(|tables, writes| {
            writes.receipts.get(&key).or_else(|| tables.receipts.get(&key)).cloned()
        })
    }

    async fn save_receipt(&mut self, row: &ReceiptRow) -> Result<()> {
        self.write(|writes| drop(writes.receipts.insert((row.delivery, row.attempt), row.clone())))
    }

    async fn due_receipts(&mut self, now: Timestamp) -> Result<(Vec<(DeliveryId, u8)>, Option<Timestamp>)> {
        self.look_at(|tables, writes| {
            let committed =
                tables.awaited.iter().filter(|(_, key)| !writes.receipts.contains_key(key)).copied();
            let own = writes.receipts.iter().filter_map(|(key, row)| Some((row.due_at?, *key)));
            let awaited: BTreeSet<_> = committed.chain(own).collect();
            let due = awaited.iter().take_while(|(at, _)| *at <= now).map(|(_, key)| *key).collect();
            (due, awaited.iter().map(|(at, _)| *at).find(|at| *at > now))
        })
    }

    async fn note_receipt(&mut self, row: &ReceiptRow, now: Timestamp) -> Result<()> {
        let Some(known) = self.read_delivery(row.delivery)? else { return Ok(()) };
        let (outcome, detail) = (row.state.word().to_owned(), row.detail.clone());
        self.put_delivery(&known.delivery, Some(Attempt { at: now, attempt: row.attempt, outcome, detail }))
    }

    async fn mailbox(&mut self, person: &Name) -> Result<Try<Mailbox>> {
        if !self.try_lock(&Lock::Mailbox(person.to_string()), true)? {
            return Ok(Try::Busy);
        }
        let known = self.look_at(|tables, writes| {
            writes.mailboxes.get(person).or_else(|| tables.mailboxes.get(person)).cloned()
        })?;
        Ok(Try::Got(known.unwrap_or_default()))
    }

    async fn save_mailbox(&mut self, person: &Name, mailbox: &Mailbox) -> Result<()> {
        self.write(|writes| drop(writes.mailboxes.insert(person.clone(), mailbox.clone())))
    }

    async fn due_posts(&mut self, now: Timestamp, most: usize) -> Result<Vec<WatchedPost>> {
        let mut due = self.look_at(|tables, writes| {
            let committed = tables.posts.iter().filter(|(key, _)| !writes.posts.contains_key(*key));
            let own = writes.posts.iter().filter_map(|(key, row)| row.as_ref().map(|row| (key, row)));
            let all = committed.chain(own).filter_map(|(key, row)| Some((row.check_at?, key, &row.post)));
            let due = all.filter(|(at, _, _)| *at <= now);
            due.map(|(at, key, post)| (at, key.clone(), post.clone())).collect::<Vec<_>>()
        })?;
        due.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        let mut locked = Vec::new();
        for (_, key, post) in due {
            if locked.len() < most && self.try_lock(&Lock::Post(key), true)? {
                locked.push(post);
            }
        }
        Ok(locked)
    }

    async fn next_post(&mut self) -> Result<Option<Timestamp>> {
        self.look_at(|tables, writes| {
            let committed = tables.posts.iter().filter(|(key, _)| !writes.posts.contains_key(*key));
            let own = writes.posts.values().flatten();
            committed.map(|(_, row)| row).chain(own).filter_map(|row| row.check_at).min()
        })
    }

    async fn watched_roles(&mut self, roster: &Roster) -> Result<Vec<String>> {
        self.look_at(|tables, writes| {
            let committed = tables.posts.iter().filter(|(key, _)| !writes.posts.contains_key(*key));
            let all = committed.map(|(_, row)| row).chain(writes.posts.values().flatten());
            let of = all.filter(|row| row.post.roster == *roster);
            of.map(|row| row.post.role.to_string()).collect()
        })
    }

    async fn watched_rosters(&mut self) -> Result<Vec<Roster>> {
        self.look_at(|tables, writes| {
            let committed = tables.posts.iter().filter(|(key, _)| !writes.posts.contains_key(*key));
            let all = committed.map(|(_, row)| row).chain(writes.posts.values().flatten());
            all.map(|row| row.post.roster.clone()).collect::<BTreeSet<_>>().into_iter().collect()
        })
    }

    async fn watch_post(&mut self, roster: &Roster, role: &str, at: Timestamp) -> Result<()> {
        let key = post_key(roster, role);
        self.lock(Lock::Post(key.clone())).await?;
        let known = self.look_at(|tables, writes| match writes.posts.get(&key) {
            Some(own) => own.clone(),
            None => tables.posts.get(&key).cloned(),
        })?;
        let role = Name::new(role).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let mut row = known.unwrap_or_else(|| PostRow {
            post: WatchedPost { roster: roster.clone(), role, seen: None },
            check_at: None,
        });
        row.check_at = Some(at);
        self.write(|writes| drop(writes.posts.insert(key, Some(row))))
    }

    async fn save_post(&mut self, post: &WatchedPost, check_at: Option<Timestamp>) -> Result<()> {
        let key = post_key(&post.roster, post.role.as_str());
        let row = PostRow { post: post.clone(), check_at };
        self.write(|writes| drop(writes.posts.insert(key, Some(row))))
    }

    async fn forget_post(&mut self, roster: &Roster, role: &str) -> Result<()> {
        let key = post_key(roster, role);
        self.lock(Lock::Post(key.clone())).await?;
        self.write(|writes| drop(writes.posts.insert(key, None)))
    }

    async fn look(&mut self) -> Result<Try<Look>> {
        if !self.try_lock(&Lock::Look, true)? {
            return Ok(Try::Busy);
        }
        self.look_at(|tables, writes| Try::Got(writes.look.clone().unwrap_or_else(|| tables.look.clone())))
    }

    async fn save_look(&mut self, look: &Look) -> Result<()> {
        self.lock(Lock::Look).await?;
        self.write(|writes| writes.look = Some(look.clone()))
    }

    async fn heartbeat(&mut self, name: &str) -> Result<Option<HeartbeatRow>> {
        self.lock(Lock::Heartbeat(name.to_owned())).await?;
        self.look_at(|tables, writes| match writes.heartbeats.get(name) {
            Some(own) => own.clone(),
            None => tables.heartbeats.get(name).cloned(),
        })
    }

    async fn heartbeats(&mut self) -> Result<Vec<HeartbeatRow>> {
        self.look_at(|tables, writes| {
            let committed =
                tables.heartbeats.iter().filter(|(name, _)| !writes.heartbeats.contains_key(*name));
            let own = writes.heartbeats.iter().filter_map(|(name, row)| Some((name, row.as_ref()?)));
            let all: BTreeMap<_, _> = committed.chain(own).collect();
            all.into_values().cloned().collect()
        })
    }

    async fn due_heartbeats(&mut self, now: Timestamp, most: usize) -> Result<Vec<HeartbeatRow>> {
        let mut due = self.heartbeats().await?;
        due.retain(|row| row.check_at.is_some_and(|at| at <= now));
        due.sort_by(|one, other| (one.check_at, &one.name).cmp(&(other.check_at, &other.name)));
        let mut locked = Vec::new();
        for row in due {
            if locked.len() < most && self.try_lock(&Lock::Heartbeat(row.name.clone()), true)? {
                locked.push(row);
            }
        }
        Ok(locked)
    }

    async fn next_heartbeat(&mut self) -> Result<Option<Timestamp>> {
        Ok(self.heartbeats().await?.iter().filter_map(|row| row.check_at).min())
    }

    async fn save_heartbeat(&mut self, row: &HeartbeatRow) -> Result<()> {
        self.write(|writes| drop(writes.heartbeats.insert(row.name.clone(), Some(row.clone()))))
    }

    async fn forget_heartbeat(&mut self, name: &str) -> Result<()> {
        self.write(|writes| drop(writes.heartbeats.insert(name.to_owned(), None)))
    }

    async fn lock_definitions(&mut self) -> Result<()> {
        self.lock(Lock::Definitions).await
    }

    async fn versions(&mut self, known: Versions) -> Result<Versions> {
        self.look_at(|tables, writes| {
            let newest = tables.versions.last().filter(|_| writes.versions.is_empty());
            Versions { definitions: newest.map_or(known.definitions, |newest| newest.number), ..known }
        })
    }

    async fn definitions(&mut self, mut definitions: Definitions) -> Result<Definitions> {
        self.look_at(|tables, writes| {
            let mut newest: BTreeMap<(Kind, &str), Option<&Defined>> = BTreeMap::new();
            let all = || tables.versions.iter().chain(&writes.versions);
            for version in all() {
                newest.insert((version.kind, &version.name), version.defined.as_ref());
            }
            let in_force = newest.into_iter().filter_map(|((kind, name), defined)| {
                defined.map(|defined| (kind, name.to_owned(), defined.clone()))
            });
            definitions.apply_all(in_force);
            definitions.version = all().last().map_or(0, |version| version.number);
            definitions
        })
    }

    async fn insert_definition(
        &mut self,
        now: Timestamp,
        kind: Kind,
        name: &str,
        body: Option<&serde_json::Value>,
        owner: &Owner,
    ) -> Result<u64> {
        // Nobody else adds one meanwhile: definitions are locked.
        let number = self.look_at(|tables, writes| {
            let newest = writes.versions.last().or(tables.versions.last());
            newest.map_or(0, |version| version.number) + 1
        })?;
        let defined = body.map(|body| Defined {
            version: number,
            valid_from: now,
            body: body.clone(),
            owner: owner.clone(),
        });
        let version = Version { number, kind, name: name.to_owned(), defined };
        self.write(|writes| writes.versions.push(version))?;
        Ok(number)
    }

    async fn revoke_keys(&mut self, _integration: &str, _now: Timestamp) -> Result<u64> {
        // Here nobody has keys.
        Ok(0)
    }

    async fn access(&mut self) -> Result<Access> {
        Ok(Access::default())
    }
}
