//! Replies by telephone: codes, numbers that want nothing more, and what has come in before.

use escalation::contact::Contact;
use escalation::delivery::Purpose;
use escalation::id::AlertId;
use escalation::name::Name;
use jiff::Timestamp;

use super::Core;
use crate::store::StoreError;
use crate::store::phone::{Line, LineChange, ReplyTerms};
use crate::store::rows::ReplyRows;

impl<R: ReplyRows> Core<R> {
    pub(crate) async fn reply_terms(
        &mut self,
        now: Timestamp,
        contact: &Contact,
        person: Option<&Name>,
        alerts: &[AlertId],
    ) -> Result<ReplyTerms, StoreError> {
        let line = self.rows.line(contact, now).await?;
        let mut terms = ReplyTerms { stopped_at: line.stopped_at, codes: Vec::new() };
        let Some(person) = person.filter(|_| line.stopped_at.is_none()) else { return Ok(terms) };
        for alert in alerts {
            let chance = &mut *self.chance;
            terms.codes.push(self.rows.code_for(person, *alert, now, chance).await?);
        }
        Ok(terms)
    }

    pub(crate) async fn change_line(
        &mut self,
        now: Timestamp,
        contact: &Contact,
        change: LineChange,
    ) -> Result<Line, StoreError> {
        self.rows.change_line(contact, change, now).await
    }

    pub(crate) async fn saw(&mut self, now: Timestamp, id: &str) -> Result<bool, StoreError> {
        self.rows.saw(id, now).await
    }

    pub(crate) async fn answer_line(
        &mut self,
        now: Timestamp,
        contact: &Contact,
        text: &str,
    ) -> Result<(), StoreError> {
        self.post(now, None, contact.clone(), Purpose::Notice, text).await
    }
}
