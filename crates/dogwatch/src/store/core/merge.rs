//! Alerts go into another one: all of them, or none.

use escalation::alert::{Alert, check_merge};
use escalation::event::{Actor, Input};
use jiff::Timestamp;

use super::Core;
use crate::store::rows::Rows;
use crate::store::{Acted, AlertRef, Merging, StoreError};

impl<R: Rows> Core<R> {
    pub(crate) async fn merge(
        &mut self,
        now: Timestamp,
        into: AlertRef,
        others: &[AlertRef],
        by: &Actor,
    ) -> Result<Merging, StoreError> {
        // All are locked before anything is decided, in the order of their ids: two merges never wait for each other.
        let mut ids = Vec::new();
        for named in [&[into], others].concat() {
            let Some(id) = self.rows.resolve(named).await? else { return Ok(Merging::Missing(named)) };
            ids.push(id);
        }
        ids.sort_unstable();
        for id in ids {
            self.rows.state(id).await?;
        }
        let Some(target) = self.find(into).await? else { return Ok(Merging::Missing(into)) };
        let mut found: Vec<Alert> = Vec::new();
        for other in others {
            let Some(alert) = self.find(*other).await? else { return Ok(Merging::Missing(*other)) };
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
            let Some(before) = self.rows.state(target.id).await? else { continue };
            let stepped = self.step(now, before, &absorb, None).await?;
            merged = Some(Acted { alert: stepped.state.alert, verdict: stepped.verdict });
            let go = Input::MergeInto { by: by.clone(), number: target.number };
            let Some(before) = self.rows.state(other.id).await? else { continue };
            self.step(now, before, &go, None).await?;
        }
        Ok(merged.map_or(Merging::Refused("name at least one other alert"), |acted| {
            Merging::Done(Box::new(acted))
        }))
    }

    async fn find(&mut self, alert: AlertRef) -> Result<Option<Alert>, StoreError> {
        let Some(id) = self.rows.resolve(alert).await? else { return Ok(None) };
        self.rows.alert(id).await
    }
}
