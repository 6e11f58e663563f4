//! Telephones: what providers say after they took something, reply codes, and who is warned.

use escalation::contact::{Contact, Kind};
use escalation::delivery::{Delivery, Outcome, Purpose, State as DeliveryState};
use escalation::event::{Input, Sent};
use escalation::id::{AlertId, DeliveryId, Ids};
use escalation::name::Name;
use escalation::receipt::Receipt;
use jiff::{SignedDuration, Timestamp};

use super::Core;
use crate::store::StoreError;
use crate::store::phone::{Line, LineChange, ReplyTerms};
use crate::store::sqlite::receipt::Row;
use crate::store::sqlite::{
    alert as alert_rows, delivery as delivery_rows, receipt as receipt_rows, reply as reply_rows,
};

impl Core {
    pub(in crate::store) fn settle_awaiting(
        &mut self,
        now: Timestamp,
        id: DeliveryId,
        token: u8,
        outcome: &Outcome,
        within: SignedDuration,
    ) -> Result<(), StoreError> {
        self.settle(now, id, token, outcome)?;
        let known = receipt_rows::load(&self.connection, id, token)?;
        // The provider may have been faster than we.
        let is_first = known.is_none();
        let mut row = known.unwrap_or_else(|| Row::new(id, token, now));
        if is_first {
            row.due_at = Some(now + within);
            self.stirred.deliveries = true;
        }
        self.tell_of(now, row)
    }

    pub(in crate::store) fn receipt(
        &mut self,
        now: Timestamp,
        id: DeliveryId,
        attempt: u8,
        receipt: Receipt,
        detail: &str,
    ) -> Result<(), StoreError> {
        let Some(delivery) = delivery_rows::load(&self.connection, id)? else { return Ok(()) };
        if attempt == 0 || attempt > delivery.attempt {
            return Ok(());
        }
        let known = receipt_rows::load(&self.connection, id, attempt)?;
        let mut row = known.unwrap_or_else(|| Row::new(id, attempt, now));
        let joined = row.state.join(receipt);
        // A call that rings is a sign of life; a message that the network has may lie there for a day.
        let enough = if delivery.contact.kind().is_voice() { Receipt::Underway } else { Receipt::Completed };
        if joined >= enough {
            row.due_at = None;
            if joined.sent().is_none()
                && attempt == delivery.attempt
                && delivery.state == DeliveryState::Ready
            {
                self.came_in_after_all(now, delivery)?;
            }
        }
        if joined != row.state {
            row.state = joined;
            row.detail = detail.to_owned();
            row.at = now;
            if joined > Receipt::Underway {
                delivery_rows::remember_receipt(&self.connection, id, attempt, joined, detail, now)?;
            }
        }
        self.tell_of(now, row)
    }

    /// Nobody knew whether it had arrived, and it was to be tried again: now it need not.
    fn came_in_after_all(&mut self, now: Timestamp, mut delivery: Delivery) -> Result<(), StoreError> {
        delivery.state = DeliveryState::Sent;
        delivery_rows::update(&self.connection, &delivery)?;
        let Some(alert) = delivery.alert.filter(|_| delivery.purpose == Purpose::Page) else { return Ok(()) };
        let Some(before) = alert_rows::load(&self.connection, alert)? else { return Ok(()) };
        self.step(now, before, &Input::Settled(delivery.receipt(Sent::Accepted)), None)?;
        Ok(())
    }

    /// Attempts of which nothing was heard in time have not arrived. Says when the next one is due.
    pub(super) fn receipts_due(&mut self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let (due, next) = receipt_rows::due(&self.connection, now)?;
        for (id, attempt) in due {
            self.receipt(now, id, attempt, Receipt::Failed, "the provider has not confirmed it in time")?;
        }
        Ok(next)
    }

    /// Saves what is known of an attempt, and tells its alert once if it did not arrive. What has no outcome of its own
    /// yet is told when it has.
    fn tell_of(&mut self, now: Timestamp, mut row: Row) -> Result<(), StoreError> {
        let delivery = delivery_rows::load(&self.connection, row.delivery)?;
        let current = delivery
            .filter(|delivery| delivery.state == DeliveryState::Sent && delivery.attempt == row.attempt);
        let (Some(delivery), Some(sent), false) = (current, row.state.sent(), row.told) else {
            return receipt_rows::save(&self.connection, &row);
        };
        row.told = true;
        receipt_rows::save(&self.connection, &row)?;
        self.stirred.seen = true;
        for held in self.sent_with(&delivery)? {
            let Some(alert) = held.alert.filter(|_| held.purpose == Purpose::Page) else { continue };
            let Some(before) = alert_rows::load(&self.connection, alert)? else { continue };
            self.step(now, before, &Input::Settled(held.receipt(sent)), None)?;
        }
        Ok(())
    }

    /// The delivery, and what left in the same message.
    fn sent_with(&self, delivery: &Delivery) -> Result<Vec<Delivery>, StoreError> {
        let Some(bundle) = delivery.bundle else { return Ok(vec![delivery.clone()]) };
        let mut held = delivery_rows::of_bundle(&self.connection, bundle)?;
        held.retain(|other| other.state == DeliveryState::Sent && other.lease_until == delivery.lease_until);
        Ok(held)
    }

    pub(in crate::store) fn reply_terms(
        &mut self,
        now: Timestamp,
        contact: &Contact,
        person: Option<&Name>,
        alerts: &[AlertId],
    ) -> Result<ReplyTerms, StoreError> {
        let line = reply_rows::line(&self.connection, contact, now)?;
        let mut terms = ReplyTerms { stopped_at: line.stopped_at, codes: Vec::new() };
        let Some(person) = person.filter(|_| line.stopped_at.is_none()) else { return Ok(terms) };
        for alert in alerts {
            let chance = &mut *self.chance;
            terms.codes.push(reply_rows::code_for(&self.connection, person, *alert, now, chance)?);
        }
        Ok(terms)
    }

    pub(in crate::store) fn change_line(
        &mut self,
        now: Timestamp,
        contact: &Contact,
        change: LineChange,
    ) -> Result<Line, StoreError> {
        reply_rows::change_line(&self.connection, contact, change, now)
    }

    pub(in crate::store) fn saw(&mut self, now: Timestamp, id: &str) -> Result<(), StoreError> {
        reply_rows::saw(&self.connection, id, now)
    }

    pub(in crate::store) fn warn_operators(
        &mut self,
        now: Timestamp,
        text: &str,
        not_by: Kind,
    ) -> Result<(), StoreError> {
        let definitions = self.memory.definitions.clone();
        let others = definitions.directory().service.operators.iter().filter(|to| to.kind() != not_by);
        for contact in others.cloned() {
            self.post(now, None, contact, Purpose::Warning, text)?;
        }
        Ok(())
    }

    pub(in crate::store) fn warn_person(
        &mut self,
        now: Timestamp,
        person: &Name,
        text: &str,
        not_by: &Contact,
    ) -> Result<(), StoreError> {
        let definitions = self.memory.definitions.clone();
        let contacts = definitions.directory().people.get(person).map(|person| person.contacts.as_slice());
        let quiet = |to: &&Contact| *to != not_by && !to.kind().is_voice();
        match contacts.unwrap_or_default().iter().find(quiet) {
            Some(contact) => self.post(now, Some(person.clone()), contact.clone(), Purpose::Warning, text),
            None => Ok(()),
        }
    }

    pub(in crate::store) fn answer_line(
        &mut self,
        now: Timestamp,
        contact: &Contact,
        text: &str,
    ) -> Result<(), StoreError> {
        self.post(now, None, contact.clone(), Purpose::Notice, text)
    }

    fn post(
        &mut self,
        now: Timestamp,
        person: Option<Name>,
        contact: Contact,
        purpose: Purpose,
        text: &str,
    ) -> Result<(), StoreError> {
        let mut ids = Ids { now, chance: &mut *self.chance };
        let delivery = Delivery::without_alert(&mut ids, person, contact, purpose, text.to_owned());
        delivery_rows::insert(&self.connection, &delivery)?;
        self.stirred.deliveries = true;
        Ok(())
    }
}
