//! Messages in chats that are changed when what they say has changed.
//!
//! How an alert stands is compared as a short text, [`standing`]: what it was when the message was written or last
//! changed, against what it is now. Whether the message's own page still asks something belongs to it.

use escalation::alert::{Alert, Status};
use escalation::contact::Contact;
use escalation::id::{AlertId, DeliveryId};
use jiff::Timestamp;

use super::{Claim, Store, StoreError, question, sql, verb};

/// A message that says something else than how its alerts stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The delivery that carried it.
    pub delivery: DeliveryId,
    /// Where it went.
    pub contact: Contact,
    /// What the provider calls it.
    pub provider_id: String,
    /// How often changing it has failed.
    pub tries: u32,
}

/// How the alert of a claim stands: its status, since when somebody has it, and whether somebody who is asked besides
/// has still to answer.
fn standing(alert: &Alert, claim: &Claim) -> String {
    let since =
        alert.acknowledged.as_ref().map_or_else(String::new, |act| act.at.as_millisecond().to_string());
    let asked = if alert.status == Status::Acknowledged && claim.asks() { ":asked" } else { "" };
    format!("{}:{since}{asked}", alert.status.word())
}

/// Every alert that a message shows, with the claim that it is in.
fn shown(claim: &Claim) -> impl Iterator<Item = (&Alert, &Claim)> {
    let held = std::iter::once(claim).chain(&claim.others);
    held.filter_map(|claim| claim.alert.as_ref().map(|alert| (alert, claim)))
}

impl Store {
    /// Remembers a message that was sent for `claim`, so that it is changed when its alerts are.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn keep_message(&self, claim: &Claim, provider_id: String) -> Result<(), StoreError> {
        let delivery = claim.delivery.id;
        let to = claim.delivery.contact.to_string();
        let held: Vec<(AlertId, String)> =
            shown(claim).map(|(alert, claim)| (alert.id, standing(alert, claim))).collect();
        verb!(self.note(|core, _now| core.keep_message(delivery, &to, &provider_id, &held)))
    }

    /// Messages that say something else than how their alerts stand, at most `most`; and when those that failed are
    /// to be tried again.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn stale_messages(
        &self,
        now: Timestamp,
        most: usize,
    ) -> Result<(Vec<Stale>, Option<Timestamp>), StoreError> {
        question!(self.ask(|sql| sql::chat::stale(sql, now, most)))
    }

    /// What a message says now: its claim, with what else it holds, as it stands now.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn message(&self, delivery: DeliveryId) -> Result<Option<Claim>, StoreError> {
        question!(self.ask(|sql| sql::read::message(sql, delivery)))
    }

    /// Remembers that a message shows its alerts as `claim` has them. Forgets what will not change any more.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn message_shows(&self, claim: &Claim) -> Result<(), StoreError> {
        let delivery = claim.delivery.id;
        let held: Vec<(AlertId, Option<String>)> = shown(claim)
            .map(|(alert, claim)| {
                (alert.id, (alert.status != Status::Resolved).then(|| standing(alert, claim)))
            })
            .collect();
        verb!(self.note(|core, _now| core.message_shows(delivery, &held)))
    }

    /// Leaves a message as it is from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn leave_message(&self, delivery: DeliveryId) -> Result<(), StoreError> {
        self.message_failed(delivery, None).await
    }

    /// Remembers that changing a message failed: it is tried again at `again`, or left as it is.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn message_failed(
        &self,
        delivery: DeliveryId,
        again: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        verb!(self.note(|core, _now| core.message_failed(delivery, again)))
    }

    /// Messages of these contacts' kind that still wait for an answer: delivery, contact and provider's name.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn messages_to(&self, word: &'static str) -> Result<Vec<Stale>, StoreError> {
        question!(self.ask(|sql| sql::chat::waiting(sql, word)))
    }
}
