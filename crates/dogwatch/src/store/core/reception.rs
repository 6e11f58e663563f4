//! A request of an integration: all of its events in one transaction, and a copy of it to be looked at.

use escalation::alert::{Alert, Verdict};
use escalation::event::{Input, Trigger};
use escalation::name::Name;
use jiff::Timestamp;

use super::Core;
use crate::store::reception::{Addressee, Arrival, Became, Line, Outcome, Reception};
use crate::store::rows::ReceptionRows;
use crate::store::{AlertRef, Incoming, Recorded, StoreError};

impl<R: ReceptionRows> Core<R> {
    /// Takes a request. A team that is no more undoes nothing of what others have got.
    pub(crate) async fn receive(
        &mut self,
        now: Timestamp,
        reception: &Reception,
    ) -> Result<Vec<Became>, StoreError> {
        let mut all = Vec::with_capacity(reception.arrivals.len());
        let mut outcome = Outcome { refused: reception.refused.clone(), events: Vec::new() };
        for arrival in &reception.arrivals {
            let became = match arrival {
                Arrival::Trigger { trigger, member } => {
                    self.take_trigger(now, &reception.integration, trigger, member.as_deref()).await?
                }
                Arrival::Act { to, input, member } => {
                    self.take_act(now, &reception.integration, to, input, member.as_deref()).await?
                }
                Arrival::Nothing(why) => Became::Nothing(why.clone()),
            };
            outcome.events.push(Line::of(arrival, &became));
            all.push(became);
        }
        self.rows.keep_reception(now, reception, &outcome).await?;
        // Also what changed no alert is something to look at.
        self.stirred.seen = true;
        Ok(all)
    }

    async fn take_trigger(
        &mut self,
        now: Timestamp,
        integration: &Name,
        trigger: &Trigger,
        member: Option<&str>,
    ) -> Result<Became, StoreError> {
        let incoming = Incoming { trigger: trigger.clone(), idempotency: None };
        let Recorded::Alert(alert) = self.record(now, &incoming).await? else {
            return Ok(Became::NoAudience);
        };
        if let Some(member) = member {
            if alert.triggers == 1 {
                self.rows.clear_group(integration, &alert.dedup_key).await?;
            }
            self.rows.join_group(integration, &alert.dedup_key, member).await?;
        }
        Ok(Became::Alert(alert, Verdict::Done))
    }

    async fn take_act(
        &mut self,
        now: Timestamp,
        integration: &Name,
        to: &Addressee,
        input: &Input,
        member: Option<&str>,
    ) -> Result<Became, StoreError> {
        let Some(alert) = self.addressed(integration, to).await? else { return Ok(Became::NoAlert) };
        if let (Input::Resolve(_), Some(member)) = (input, member) {
            let left = self.rows.leave_group(integration, &alert.dedup_key, member).await?;
            if left > 0 {
                return Ok(Became::Fewer(Box::new(alert), left));
            }
        }
        let acted = self.act(now, AlertRef::Id(alert.id), input).await?;
        Ok(acted.map_or(Became::NoAlert, |acted| Became::Alert(Box::new(acted.alert), acted.verdict)))
    }

    /// The alert that is meant, if it came from this integration.
    async fn addressed(&mut self, integration: &Name, to: &Addressee) -> Result<Option<Alert>, StoreError> {
        let id = match to {
            Addressee::Key(key) => self.rows.open_alert(integration.as_str(), key).await?,
            Addressee::Member(member) => {
                let key = self.rows.group_of(integration, member).await?;
                let key = key.as_deref().unwrap_or(member);
                self.rows.open_alert(integration.as_str(), key).await?
            }
            Addressee::Alert(alert) => self.rows.resolve(*alert).await?,
            Addressee::Nobody => None,
        };
        let Some(id) = id else { return Ok(None) };
        // Locked: of two that leave a group at once, one is the last.
        let alert = self.rows.state(id).await?.map(|state| state.alert);
        Ok(alert.filter(|alert| alert.integration == integration.as_str()))
    }
}
