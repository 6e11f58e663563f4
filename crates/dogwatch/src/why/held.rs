//! Why a message to somebody waited: the budget was spent, or one had just gone out.
//!
//! What was decided is in the delivery: it is ready later than it was made. Why is counted again from what had gone
//! out to the person by then; the rules are those of the `escalation` crate's `mailbox.rs`.

use std::collections::BTreeMap;

use escalation::delivery::{Delivery, Purpose};
use escalation::duration;
use escalation::id::DeliveryId;
use escalation::mailbox::{BUDGET, BUDGET_TIME, WINDOW, collects};
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};

use crate::store::{AlertRecord, DeliveryRecord, Store, StoreError};

/// What had gone out to one person around the time of an alert.
pub(super) struct Held {
    /// When each message with pages was first tried.
    tried: Vec<Timestamp>,
}

/// How long a delivery waited before its first try; nothing if it did not, or was tried more than once since: then
/// its time is that of the newest try.
fn waited(delivery: &Delivery) -> Option<SignedDuration> {
    let is_first = delivery.attempt <= 1 && collects(delivery);
    Some(delivery.not_before.duration_since(delivery.created_at)).filter(|it| is_first && it.is_positive())
}

impl Held {
    pub(super) async fn gather(
        store: &Store,
        record: &AlertRecord,
        person: &Name,
    ) -> Result<Self, StoreError> {
        let own = record.deliveries.iter().map(|record| &record.delivery);
        let held = own.filter(|delivery| delivery.person.as_ref() == Some(person));
        let held: Vec<Timestamp> =
            held.filter(|it| waited(it).is_some()).map(|delivery| delivery.created_at).collect();
        let (Some(first), Some(last)) = (held.iter().min(), held.iter().max()) else {
            return Ok(Self { tried: Vec::new() });
        };
        // What left by then may have waited itself.
        let from = *first - BUDGET_TIME - WINDOW;
        let others = store.pages_to(person.clone(), from, *last).await?;
        let mut messages: BTreeMap<DeliveryId, Timestamp> = BTreeMap::new();
        for DeliveryRecord { delivery, attempts } in others {
            if let (Some(attempt), true) = (attempts.first(), collects(&delivery)) {
                let message = delivery.bundle.unwrap_or(delivery.id);
                let at = messages.entry(message).or_insert(attempt.at);
                *at = attempt.at.min(*at);
            }
        }
        Ok(Self { tried: messages.into_values().collect() })
    }

    /// Why this delivery, to the person of that name, waited; nothing if it did not.
    pub(super) fn explain(&self, delivery: &Delivery, name: &str) -> Option<String> {
        // To the second: nobody counts finer.
        let waited = SignedDuration::from_secs(waited(delivery)?.as_secs().max(1));
        let made = delivery.created_at;
        let counts = |at: &&Timestamp| **at <= made && **at + BUDGET_TIME > made;
        let before = self.tried.iter().filter(counts).count();
        let why = if delivery.purpose == Purpose::Page && before >= BUDGET {
            format!(
                "the budget is spent: {before} messages with pages went out to {name} within the {} before, and now \
                 there is one a minute for each contact, with all that has come",
                duration::print(BUDGET_TIME)
            )
        } else {
            format!(
                "a message had just gone out through it, and what follows within {} goes in one",
                duration::print(WINDOW)
            )
        };
        let what = delivery.purpose.word();
        Some(format!("A {what} to {} is held back for {}: {why}", delivery.contact, duration::print(waited)))
    }
}
