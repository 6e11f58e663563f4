//! Warnings and notices that belong to no alert: to the operators, to a person, to a contact.

use escalation::contact::{Contact, Kind};
use escalation::delivery::{Delivery, Purpose};
use escalation::id::Ids;
use escalation::name::Name;
use jiff::Timestamp;

use super::Core;
use crate::store::StoreError;
use crate::store::rows::Rows;

impl<R: Rows> Core<R> {
    pub(crate) async fn warn_operators(
        &mut self,
        now: Timestamp,
        text: &str,
        not_by: &[Kind],
    ) -> Result<(), StoreError> {
        let definitions = self.memory.definitions.clone();
        let all = &definitions.directory().service.operators;
        let others: Vec<&Contact> = all.iter().filter(|to| !not_by.contains(&to.kind())).collect();
        // Where no other way is left, what is in trouble is tried all the same.
        let to = if others.is_empty() { all.iter().collect() } else { others };
        for contact in to {
            self.post(now, None, contact.clone(), Purpose::Warning, text).await?;
        }
        Ok(())
    }

    pub(crate) async fn warn_person(
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
            Some(contact) => {
                self.post(now, Some(person.clone()), contact.clone(), Purpose::Warning, text).await
            }
            // Somebody has to know, and only a call is left for the one whom it is about.
            None => {
                let about = format!("{}: {text}", definitions.directory().full_name(person));
                self.warn_operators(now, &about, &[not_by.kind()]).await
            }
        }
    }

    /// A message of our own, ready to leave.
    pub(in crate::store) async fn post(
        &mut self,
        now: Timestamp,
        person: Option<Name>,
        contact: Contact,
        purpose: Purpose,
        text: &str,
    ) -> Result<(), StoreError> {
        let mut ids = Ids { now, chance: &mut *self.chance };
        let delivery = Delivery::without_alert(&mut ids, person, contact, purpose, text.to_owned());
        self.rows.insert_delivery(&delivery).await?;
        self.stirred.deliveries = true;
        Ok(())
    }
}
