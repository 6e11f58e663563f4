//! A request of an integration: all of its events in one transaction, and a copy of it to be looked at.

use escalation::alert::{Alert, Verdict};
use escalation::event::Input;
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
        // Reports that follow each other are taken together.
        let is_trigger = |arrival: &Arrival| matches!(arrival, Arrival::Trigger { .. });
        for run in reception.arrivals.chunk_by(|one, next| is_trigger(one) && is_trigger(next)) {
            match run {
                [Arrival::Act { to, input, member }] => {
                    let member = member.as_deref();
                    all.push(self.take_act(now, &reception.integration, to, input, member).await?);
                }
                [Arrival::Nothing(why)] => all.push(Became::Nothing(why.clone())),
                triggers => all.extend(self.take_triggers(now, &reception.integration, triggers).await?),
            }
        }
        let lines = reception.arrivals.iter().zip(&all);
        outcome.events.extend(lines.map(|(arrival, became)| Line::of(arrival, became)));
        self.rows.keep_reception(now, reception, &outcome).await?;
        // Also what changed no alert is something to look at.
        self.stirred.seen = true;
        Ok(all)
    }

    async fn take_triggers(
        &mut self,
        now: Timestamp,
        integration: &Name,
        triggers: &[Arrival],
    ) -> Result<Vec<Became>, StoreError> {
        let (mut incoming, mut members) = (Vec::new(), Vec::new());
        for arrival in triggers {
            if let Arrival::Trigger { trigger, member } = arrival {
                incoming.push(Incoming { trigger: trigger.clone(), idempotency: None });
                members.push(member.as_deref());
            }
        }
        let recorded = self.record_all(now, &incoming.iter().collect::<Vec<_>>()).await?;
        let mut all = Vec::with_capacity(recorded.len());
        for (recorded, member) in recorded.into_iter().zip(members) {
            let Recorded::Alert(alert) = recorded else {
                all.push(Became::NoAudience);
                continue;
            };
            if let Some(member) = member {
                if alert.triggers == 1 {
                    self.rows.clear_group(integration, &alert.dedup_key).await?;
                }
                self.rows.join_group(integration, &alert.dedup_key, member).await?;
            }
            all.push(Became::Alert(alert, Verdict::Done));
        }
        Ok(all)
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
