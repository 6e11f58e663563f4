//! Locks on rows and keys, held until the end of a transaction.

use std::collections::{BTreeMap, BTreeSet};

use escalation::id::{AlertId, DeliveryId};

use super::Transaction;

/// What can be locked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lock {
    /// An alert's row, with its pages and wakes.
    Alert(AlertId),
    /// A delivery's row.
    Delivery(DeliveryId),
    /// A person's mailbox.
    Mailbox(String),
    /// A watched post.
    Post(String),
    /// A heartbeat.
    Heartbeat(String),
    /// The look at open alerts.
    Look,
    /// The right to edit definitions.
    Definitions,
    /// A sender's key: at most one alert is open for it.
    Key(String, String),
    /// A request's own key.
    Request(String),
}

#[derive(Default)]
struct Held {
    alone: Option<Transaction>,
    shared: BTreeSet<Transaction>,
}

/// Who holds what, and who waits for what.
#[derive(Default)]
pub(super) struct Locks {
    held: BTreeMap<Lock, Held>,
    of: BTreeMap<Transaction, BTreeSet<Lock>>,
    waits: BTreeMap<Transaction, Lock>,
}

impl Locks {
    /// Takes a lock if it is free; else says no.
    pub(super) fn take(&mut self, transaction: Transaction, lock: &Lock, is_alone: bool) -> bool {
        let held = self.held.entry(lock.clone()).or_default();
        let others_share = held.shared.iter().any(|other| *other != transaction);
        let is_free = held.alone.is_none_or(|other| other == transaction) && !(is_alone && others_share);
        if is_free {
            if is_alone {
                held.alone = Some(transaction);
            } else {
                held.shared.insert(transaction);
            }
            self.of.entry(transaction).or_default().insert(lock.clone());
            self.waits.remove(&transaction);
        }
        is_free
    }

    /// Waits for a lock that is taken. Returns whether that closes a circle of transactions that wait for each
    /// other: then nobody would ever go on.
    pub(super) fn wait(&mut self, transaction: Transaction, lock: &Lock) -> bool {
        self.waits.insert(transaction, lock.clone());
        let mut ahead: Vec<Transaction> = self.holders(lock).filter(|other| *other != transaction).collect();
        let mut seen = BTreeSet::new();
        while let Some(other) = ahead.pop() {
            if other == transaction {
                self.waits.remove(&transaction);
                return true;
            }
            if seen.insert(other)
                && let Some(wanted) = self.waits.get(&other)
            {
                ahead.extend(self.holders(wanted).filter(|next| *next != other));
            }
        }
        false
    }

    fn holders(&self, lock: &Lock) -> impl Iterator<Item = Transaction> + '_ {
        let held = self.held.get(lock);
        held.into_iter().flat_map(|held| held.alone.into_iter().chain(held.shared.iter().copied()))
    }

    /// A transaction has ended.
    pub(super) fn release(&mut self, transaction: Transaction) {
        self.waits.remove(&transaction);
        for lock in self.of.remove(&transaction).unwrap_or_default() {
            if let Some(held) = self.held.get_mut(&lock) {
                held.shared.remove(&transaction);
                if held.alone == Some(transaction) {
                    held.alone = None;
                }
                if held.alone.is_none() && held.shared.is_empty() {
                    self.held.remove(&lock);
                }
            }
        }
    }
}
