//! A request of an integration: all of its events in one transaction, and a copy of it to be looked at.

use escalation::alert::{Alert, Verdict};
use escalation::event::{Input, Trigger};
use escalation::name::Name;
use jiff::Timestamp;

use super::Core;
use crate::definition::{Definitions, Kind};
use crate::store::reception::{Addressee, Arrival, Became, Line, Outcome, Reception};
use crate::store::sqlite::{alert as alert_rows, reception as rows};
use crate::store::{AlertRef, Incoming, Recorded, StoreError, integration_keys};

impl Core {
    /// Takes a request. A team that is no more undoes nothing of what others have got.
    pub(in crate::store) fn receive(
        &mut self,
        now: Timestamp,
        reception: &Reception,
    ) -> Result<Vec<Became>, StoreError> {
        let mut all = Vec::with_capacity(reception.arrivals.len());
        let mut outcome = Outcome { refused: reception.refused.clone(), events: Vec::new() };
        for arrival in &reception.arrivals {
            let became = match arrival {
                Arrival::Trigger { trigger, member } => {
                    self.take_trigger(now, &reception.integration, trigger, member.as_deref())?
                }
                Arrival::Act { to, input, member } => {
                    self.take_act(now, &reception.integration, to, input, member.as_deref())?
                }
                Arrival::Nothing(why) => Became::Nothing(why.clone()),
            };
            outcome.events.push(Line::of(arrival, &became));
            all.push(became);
        }
        rows::insert(&self.connection, now, reception, &outcome)?;
        // Also what changed no alert is something to look at.
        self.stirred.seen = true;
        Ok(all)
    }

    fn take_trigger(
        &mut self,
        now: Timestamp,
        integration: &Name,
        trigger: &Trigger,
        member: Option<&str>,
    ) -> Result<Became, StoreError> {
        let incoming = Incoming { trigger: trigger.clone(), idempotency: None };
        let Recorded::Alert(alert) = self.record(now, &incoming)? else { return Ok(Became::NoAudience) };
        if let Some(member) = member {
            if alert.triggers == 1 {
                rows::clear(&self.connection, integration, &alert.dedup_key)?;
            }
            rows::join(&self.connection, integration, &alert.dedup_key, member)?;
        }
        Ok(Became::Alert(alert, Verdict::Done))
    }

    fn take_act(
        &mut self,
        now: Timestamp,
        integration: &Name,
        to: &Addressee,
        input: &Input,
        member: Option<&str>,
    ) -> Result<Became, StoreError> {
        let Some(alert) = self.addressed(integration, to)? else { return Ok(Became::NoAlert) };
        if let (Input::Resolve(_), Some(member)) = (input, member) {
            let left = rows::leave(&self.connection, integration, &alert.dedup_key, member)?;
            if left > 0 {
                return Ok(Became::Fewer(Box::new(alert), left));
            }
        }
        let acted = self.act(now, AlertRef::Id(alert.id), input)?;
        Ok(acted.map_or(Became::NoAlert, |acted| Became::Alert(Box::new(acted.alert), acted.verdict)))
    }

    /// The keys of an integration end with it: a later one of the same name is another.
    pub(super) fn integrations_changed(
        &mut self,
        now: Timestamp,
        before: &Definitions,
        after: &Definitions,
    ) -> Result<(), StoreError> {
        let gone: Vec<String> = before
            .names(Kind::Integration)
            .filter(|name| after.get(Kind::Integration, name).is_none())
            .map(str::to_owned)
            .collect();
        for name in gone {
            self.change_access(|connection, access| {
                integration_keys::revoke_all(connection, now, &name)?;
                access.remove_keys(&name);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// The alert that is meant, if it came from this integration.
    fn addressed(&self, integration: &Name, to: &Addressee) -> Result<Option<Alert>, StoreError> {
        let id = match to {
            Addressee::Key(key) => alert_rows::open_alert(&self.connection, integration.as_str(), key)?,
            Addressee::Member(member) => {
                let key = rows::group_of(&self.connection, integration, member)?;
                let key = key.as_deref().unwrap_or(member);
                alert_rows::open_alert(&self.connection, integration.as_str(), key)?
            }
            Addressee::Alert(alert) => alert_rows::resolve(&self.connection, *alert)?,
            Addressee::Nobody => None,
        };
        let Some(id) = id else { return Ok(None) };
        let alert = alert_rows::load_alert(&self.connection, id)?;
        Ok(alert.filter(|alert| alert.integration == integration.as_str()))
    }
}
