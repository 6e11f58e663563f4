//! Which alert a report belongs to when none is open for its key: one that took the last one in, or one that ended a
//! short while ago.

use escalation::alert::{Alert, State, Status};
use escalation::event::Trigger;
use escalation::id::AlertId;

use super::Core;
use crate::store::sqlite::alert as alert_rows;
use crate::store::{AlertRef, StoreError};

/// Alerts that went into each other are followed so far.
const MOST_FOLLOWED: usize = 100;

/// What a report is about.
pub(super) enum About {
    /// An alert that is open.
    Open(AlertId),
    /// One that is over, and may be opened again.
    Over(Box<State>),
    /// Nothing that is known.
    New,
}

impl Core {
    pub(super) fn about(&self, trigger: &Trigger) -> Result<About, StoreError> {
        let (integration, key) = (trigger.integration.as_str(), trigger.dedup_key.as_str());
        if let Some(id) = alert_rows::open_alert(&self.connection, integration, key)? {
            return Ok(About::Open(id));
        }
        let Some(over) = alert_rows::newest_over(&self.connection, integration, key)? else {
            return Ok(About::New);
        };
        if over.merged_into.is_some() {
            return Ok(self.went_into(over)?.map_or(About::New, About::Open));
        }
        let directory = self.memory.definitions.directory();
        if directory.lifecycle(&over.audience).reopen_within.is_none() {
            return Ok(About::New);
        }
        let state = alert_rows::load(&self.connection, over.id)?;
        Ok(state.map_or(About::New, |state| About::Over(Box::new(state))))
    }

    /// The open alert that one went into, perhaps through others.
    fn went_into(&self, mut alert: Alert) -> Result<Option<AlertId>, StoreError> {
        for _ in 0..MOST_FOLLOWED {
            let Some(number) = alert.merged_into else { break };
            let Some(id) = alert_rows::resolve(&self.connection, AlertRef::Number(number))? else { break };
            let Some(next) = alert_rows::load_alert(&self.connection, id)? else { break };
            if next.status != Status::Resolved {
                return Ok(Some(next.id));
            }
            alert = next;
        }
        Ok(None)
    }
}
