//! What is committed, with its indexes; and what one transaction has written.

use std::collections::{BTreeMap, BTreeSet};

use escalation::alert::{Alert, State, Status};
use escalation::delivery::State as DeliveryState;
use escalation::duty::Roster;
use escalation::effect::Entry;
use escalation::id::{AlertId, DeliveryId};
use escalation::mailbox::Mailbox;
use escalation::name::Name;
use escalation::wake::Wake;
use jiff::Timestamp;

use super::ready_at;
use crate::definition::{Defined, Kind};
use crate::store::DeliveryRecord;
use crate::store::rows::{HeartbeatRow, Look, ReceiptRow, WatchedPost};

/// A version of a definition; without what it says: a removal.
#[derive(Clone)]
pub(super) struct Version {
    pub(super) number: u64,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) defined: Option<Defined>,
}

/// A post with when it is time to look at it.
#[derive(Clone)]
pub(super) struct PostRow {
    pub(super) post: WatchedPost,
    pub(super) check_at: Option<Timestamp>,
}

/// The name of a post, in the order in which they are kept.
pub(super) fn post_key(roster: &Roster, role: &str) -> String {
    match roster {
        Roster::Schedule(name) => format!("schedule {name} {role}"),
        Roster::Team(name) => format!("team {name} {role}"),
    }
}

/// What is committed.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) alerts: BTreeMap<AlertId, State>,
    pub(super) history: BTreeMap<AlertId, Vec<Entry>>,
    pub(super) keys: BTreeMap<String, (AlertId, [u8; 32])>,
    pub(super) deliveries: BTreeMap<DeliveryId, DeliveryRecord>,
    pub(super) receipts: BTreeMap<(DeliveryId, u8), ReceiptRow>,
    pub(super) mailboxes: BTreeMap<Name, Mailbox>,
    pub(super) posts: BTreeMap<String, PostRow>,
    pub(super) heartbeats: BTreeMap<String, HeartbeatRow>,
    pub(super) look: Look,
    pub(super) versions: Vec<Version>,
    // Indexes of the above.
    pub(super) numbers: BTreeMap<u64, AlertId>,
    pub(super) open: BTreeMap<(String, String), AlertId>,
    pub(super) over: BTreeMap<(String, String), BTreeSet<(u64, AlertId)>>,
    pub(super) wakes: BTreeSet<(Timestamp, AlertId, Wake)>,
    pub(super) ready: BTreeMap<String, BTreeSet<(Timestamp, DeliveryId)>>,
    pub(super) leases: BTreeSet<(Timestamp, DeliveryId)>,
    /// When something must have been said of an attempt.
    pub(super) awaited: BTreeSet<(Timestamp, (DeliveryId, u8))>,
    of_alert: BTreeMap<AlertId, BTreeSet<DeliveryId>>,
    /// Those of an alert that wait to be sent.
    pub(super) ready_of: BTreeMap<AlertId, BTreeSet<DeliveryId>>,
    /// Alerts of which somebody was asked, or has answered: once for good.
    pub(super) begun: BTreeSet<AlertId>,
    pub(super) bundles: BTreeMap<DeliveryId, BTreeSet<DeliveryId>>,
}

/// What a transaction has written.
#[derive(Default)]
pub(super) struct Writes {
    pub(super) alerts: BTreeMap<AlertId, State>,
    pub(super) entries: Vec<(AlertId, Entry)>,
    pub(super) keys: BTreeMap<String, (AlertId, [u8; 32])>,
    pub(super) deliveries: BTreeMap<DeliveryId, DeliveryRecord>,
    pub(super) receipts: BTreeMap<(DeliveryId, u8), ReceiptRow>,
    pub(super) mailboxes: BTreeMap<Name, Mailbox>,
    pub(super) posts: BTreeMap<String, Option<PostRow>>,
    pub(super) heartbeats: BTreeMap<String, Option<HeartbeatRow>>,
    pub(super) look: Option<Look>,
    pub(super) versions: Vec<Version>,
}

/// The sender and the key of an alert.
pub(super) fn key_of(state: &State) -> (String, String) {
    (state.alert.integration.clone(), state.alert.dedup_key.clone())
}

pub(super) fn is_open(state: &State) -> bool {
    state.alert.status != Status::Resolved
}

/// Whether somebody was asked, or has answered.
pub(super) fn has_begun(alert: &Alert) -> bool {
    alert.position.next_step > 0 || alert.status != Status::Triggered
}

impl Tables {
    pub(super) fn apply(&mut self, writes: Writes) {
        writes.alerts.into_values().for_each(|state| self.put_alert(state));
        for (alert, entry) in writes.entries {
            self.history.entry(alert).or_default().push(entry);
        }
        self.keys.extend(writes.keys);
        writes.deliveries.into_values().for_each(|record| self.put_delivery(record));
        writes.receipts.into_iter().for_each(|(key, row)| self.put_receipt(key, row));
        self.mailboxes.extend(writes.mailboxes);
        for (key, row) in writes.posts {
            match row {
                Some(row) => drop(self.posts.insert(key, row)),
                None => drop(self.posts.remove(&key)),
            }
        }
        for (name, row) in writes.heartbeats {
            match row {
                Some(row) => drop(self.heartbeats.insert(name, row)),
                None => drop(self.heartbeats.remove(&name)),
            }
        }
        if let Some(look) = writes.look {
            self.look = look;
        }
        self.versions.extend(writes.versions);
    }

    fn put_alert(&mut self, state: State) {
        let id = state.alert.id;
        if let Some(before) = self.alerts.get(&id) {
            let key = key_of(before);
            if is_open(before) {
                self.open.remove(&key);
            } else if let Some(over) = self.over.get_mut(&key) {
                over.remove(&(before.alert.number, id));
            }
            for (wake, at) in &before.wakes {
                self.wakes.remove(&(*at, id, *wake));
            }
        }
        if has_begun(&state.alert) {
            self.begun.insert(id);
        }
        let key = key_of(&state);
        if is_open(&state) {
            self.open.insert(key, id);
        } else {
            self.over.entry(key).or_default().insert((state.alert.number, id));
        }
        self.wakes.extend(state.wakes.iter().map(|(wake, at)| (*at, id, *wake)));
        self.numbers.insert(state.alert.number, id);
        self.alerts.insert(id, state);
    }

    fn put_receipt(&mut self, key: (DeliveryId, u8), row: ReceiptRow) {
        if let Some(due_at) = self.receipts.get(&key).and_then(|before| before.due_at) {
            self.awaited.remove(&(due_at, key));
        }
        self.awaited.extend(row.due_at.map(|due_at| (due_at, key)));
        self.receipts.insert(key, row);
    }

    fn put_delivery(&mut self, record: DeliveryRecord) {
        let delivery = &record.delivery;
        let (id, provider) = (delivery.id, delivery.contact.provider().to_owned());
        if let Some(before) = self.deliveries.get(&id) {
            if let Some(ready) = self.ready.get_mut(&provider) {
                ready.remove(&(ready_at(before), id));
            }
            self.leases.remove(&(before.delivery.lease_until, id));
        }
        match delivery.state {
            DeliveryState::Ready => {
                self.ready.entry(provider.clone()).or_default().insert((delivery.not_before, id));
            }
            DeliveryState::Claimed => drop(self.leases.insert((delivery.lease_until, id))),
            DeliveryState::Sent | DeliveryState::Failed | DeliveryState::Withdrawn => {}
        }
        if self.ready.get(&provider).is_some_and(BTreeSet::is_empty) {
            self.ready.remove(&provider);
        }
        if let Some(alert) = delivery.alert {
            self.of_alert.entry(alert).or_default().insert(id);
            let ready = self.ready_of.entry(alert).or_default();
            match delivery.state {
                DeliveryState::Ready => ready.insert(id),
                _ => ready.remove(&id),
            };
        }
        if let Some(bundle) = delivery.bundle {
            self.bundles.entry(bundle).or_default().insert(id);
        }
        self.deliveries.insert(id, record);
    }

    /// The deliveries of an alert, in the order of their ids.
    pub(super) fn deliveries_of(&self, alert: AlertId) -> impl Iterator<Item = &DeliveryRecord> {
        self.of_alert.get(&alert).into_iter().flatten().filter_map(|id| self.deliveries.get(id))
    }
}
