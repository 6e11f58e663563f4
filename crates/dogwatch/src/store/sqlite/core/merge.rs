//! Alerts go into another one: all of them, or none.

use escalation::alert::{Alert, check_merge};
use escalation::event::{Actor, Input};
use jiff::Timestamp;

use super::Core;
use crate::store::sqlite::alert as alert_rows;
use crate::store::{Acted, AlertRef, Merging, StoreError};

impl Core {
    pub(in crate::store) fn merge(
        &mut self,
        now: Timestamp,
        into: AlertRef,
        others: &[AlertRef],
        by: &Actor,
    ) -> Result<Merging, StoreError> {
        let Some(target) = self.find(into)? else { return Ok(Merging::Missing(into)) };
        let mut found: Vec<Alert> = Vec::new();
        for other in others {
            let Some(alert) = self.find(*other)? else { return Ok(Merging::Missing(*other)) };
            // One that is named twice, by number and by id, goes once.
            if !found.iter().any(|known| known.id == alert.id) {
                found.push(alert);
            }
        }
        if let Err(why) = check_merge(&target, &found.iter().collect::<Vec<_>>()) {
            return Ok(Merging::Refused(why));
        }
        let mut merged = None;
        for other in &found {
            let absorb = Input::Absorb { by: by.clone(), other: other.absorbed() };
            let Some(before) = alert_rows::load(&self.connection, target.id)? else { continue };
            let stepped = self.step(now, before, &absorb, None)?;
            merged = Some(Acted { alert: stepped.state.alert, verdict: stepped.verdict });
            let go = Input::MergeInto { by: by.clone(), number: target.number };
            let Some(before) = alert_rows::load(&self.connection, other.id)? else { continue };
            self.step(now, before, &go, None)?;
        }
        Ok(merged.map_or(Merging::Refused("name at least one other alert"), |acted| {
            Merging::Done(Box::new(acted))
        }))
    }

    fn find(&self, alert: AlertRef) -> Result<Option<Alert>, StoreError> {
        let Some(id) = alert_rows::resolve(&self.connection, alert)? else { return Ok(None) };
        alert_rows::load_alert(&self.connection, id)
    }
}
