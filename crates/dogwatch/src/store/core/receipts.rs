//! Receipts: what providers say of a message after they took it, and what is made of their silence.
//!
//! Read next: `escalation::receipt` for what counts.

use escalation::delivery::{Delivery, Outcome, Purpose, State as DeliveryState};
use escalation::event::{Input, Sent};
use escalation::id::DeliveryId;
use escalation::receipt::Receipt;
use jiff::{SignedDuration, Timestamp};

use super::Core;
use crate::store::StoreError;
use crate::store::rows::{ReceiptRow, Rows};

impl<R: Rows> Core<R> {
    pub(crate) async fn settle_awaiting(
        &mut self,
        now: Timestamp,
        id: DeliveryId,
        token: u8,
        outcome: &Outcome,
        within: SignedDuration,
    ) -> Result<(), StoreError> {
        self.settle(now, id, token, outcome).await?;
        let Some(delivery) = self.rows.delivery(id).await? else { return Ok(()) };
        // The provider may have been faster than we: with everything, or with half of it.
        let known = self.rows.receipt(id, token).await?;
        let mut row = known.unwrap_or_else(|| ReceiptRow::new(id, token, now));
        if row.state < enough_of(&delivery) {
            row.due_at = Some(now + within);
            self.stirred.deliveries = true;
        }
        self.tell_of(now, row).await
    }

    /// Says whether that was news.
    pub(crate) async fn receipt(
        &mut self,
        now: Timestamp,
        id: DeliveryId,
        attempt: u8,
        receipt: Receipt,
        detail: &str,
    ) -> Result<bool, StoreError> {
        let Some(delivery) = self.rows.delivery(id).await? else { return Ok(false) };
        if attempt == 0 || attempt > delivery.attempt {
            return Ok(false);
        }
        let known = self.rows.receipt(id, attempt).await?;
        let mut row = known.unwrap_or_else(|| ReceiptRow::new(id, attempt, now));
        let joined = row.state.join(receipt);
        if joined >= enough_of(&delivery) {
            row.due_at = None;
            if joined.sent().is_none()
                && attempt == delivery.attempt
                && delivery.state == DeliveryState::Ready
            {
                self.came_in_after_all(now, delivery).await?;
            }
        }
        let is_news = joined != row.state;
        if is_news {
            row.state = joined;
            row.detail = detail.to_owned();
            row.at = now;
            if joined > Receipt::Underway {
                self.rows.note_receipt(&row, now).await?;
            }
        }
        self.tell_of(now, row).await?;
        Ok(is_news)
    }

    /// Nobody knew whether it had arrived, and it was to be tried again: now it need not.
    async fn came_in_after_all(&mut self, now: Timestamp, mut delivery: Delivery) -> Result<(), StoreError> {
        delivery.state = DeliveryState::Sent;
        self.rows.update_delivery(&delivery).await?;
        let Some(alert) = delivery.alert.filter(|_| delivery.purpose == Purpose::Page) else { return Ok(()) };
        let Some(before) = self.rows.state(alert).await? else { return Ok(()) };
        self.step(now, before, &Input::Settled(delivery.receipt(Sent::Accepted)), None).await?;
        Ok(())
    }

    /// Attempts of which nothing was heard in time have not arrived. Says when the next one is due.
    pub(super) async fn receipts_due(&mut self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let (due, next) = self.rows.due_receipts(now).await?;
        for (id, attempt) in due {
            // Another node may have heard something since it was looked up.
            let locked = self.rows.delivery(id).await?;
            let row = self.rows.receipt(id, attempt).await?;
            if locked.is_some() && row.and_then(|row| row.due_at).is_some_and(|due_at| due_at <= now) {
                let why = "the provider has not confirmed it in time";
                self.receipt(now, id, attempt, Receipt::Failed, why).await?;
            }
        }
        Ok(next)
    }

    /// Saves what is known of an attempt, and tells its alert once if it did not arrive. What has no outcome of its own
    /// yet is told when it has.
    async fn tell_of(&mut self, now: Timestamp, mut row: ReceiptRow) -> Result<(), StoreError> {
        let delivery = self.rows.delivery(row.delivery).await?;
        let current = delivery
            .filter(|delivery| delivery.state == DeliveryState::Sent && delivery.attempt == row.attempt);
        let (Some(delivery), Some(sent), false) = (current, row.state.sent(), row.told) else {
            return self.rows.save_receipt(&row).await;
        };
        row.told = true;
        self.rows.save_receipt(&row).await?;
        self.stirred.seen = true;
        for held in self.sent_with(&delivery).await? {
            let Some(alert) = held.alert.filter(|_| held.purpose == Purpose::Page) else { continue };
            let Some(before) = self.rows.state(alert).await? else { continue };
            self.step(now, before, &Input::Settled(held.receipt(sent)), None).await?;
        }
        Ok(())
    }

    /// The delivery, and what left in the same message.
    async fn sent_with(&mut self, delivery: &Delivery) -> Result<Vec<Delivery>, StoreError> {
        let Some(bundle) = delivery.bundle else { return Ok(vec![delivery.clone()]) };
        let mut held = self.rows.of_bundle(bundle).await?;
        held.retain(|other| other.state == DeliveryState::Sent && other.lease_until == delivery.lease_until);
        Ok(held)
    }
}

/// What has to be said in time. A call that rings is a sign of life; a message that the network has may lie there for a day.
fn enough_of(delivery: &Delivery) -> Receipt {
    if delivery.contact.kind().is_voice() { Receipt::Underway } else { Receipt::Completed }
}
