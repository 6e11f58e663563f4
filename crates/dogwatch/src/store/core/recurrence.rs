//! Which alert a report belongs to when none is open for its key: one that took the last one in, or one that ended a
//! short while ago.

use escalation::alert::{Alert, State, Status};
use escalation::id::AlertId;

use super::Core;
use crate::store::rows::Rows;
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

impl<R: Rows> Core<R> {
    /// What a report is about for whose key this one is open, or else this is the newest that is over.
    pub(super) async fn about(
        &mut self,
        open: Option<AlertId>,
        over: Option<Alert>,
    ) -> Result<About, StoreError> {
        if let Some(id) = open {
            return Ok(About::Open(id));
        }
        let Some(over) = over else { return Ok(About::New) };
        if over.merged_into.is_some() {
            return Ok(self.went_into(over).await?.map_or(About::New, About::Open));
        }
        let directory = self.memory.definitions.directory();
        if directory.lifecycle(&over.audience).reopen_within.is_none() {
            return Ok(About::New);
        }
        let state = self.rows.state(over.id).await?;
        Ok(state.map_or(About::New, |state| About::Over(Box::new(state))))
    }

    /// The open alert that one went into, perhaps through others.
    async fn went_into(&mut self, mut alert: Alert) -> Result<Option<AlertId>, StoreError> {
        for _ in 0..MOST_FOLLOWED {
            let Some(number) = alert.merged_into else { break };
            let Some(id) = self.rows.resolve(AlertRef::Number(number)).await? else { break };
            let Some(next) = self.rows.alert(id).await? else { break };
            if next.status != Status::Resolved {
                return Ok(Some(next.id));
            }
            alert = next;
        }
        Ok(None)
    }
}
