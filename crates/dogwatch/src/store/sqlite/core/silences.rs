//! The watch over silences: when one begins or is edited, every open alert is looked at. That one ends needs no
//! look: each alert that it holds back has a wake for that.

use std::sync::Arc;

use escalation::alert::{Alert, Status};
use escalation::directory::Directory;
use escalation::event::Input;
use jiff::Timestamp;

use super::Core;
use crate::store::StoreError;
use crate::store::sqlite::alert as alert_rows;
use crate::store::sqlite::silence::{self as rows, Look};

/// Alerts that are read in one transaction.
const BATCH: usize = 500;

/// What is left to look at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Looked {
    /// There may be more to look at now.
    pub(super) are_more: bool,
    /// When it is time to look next.
    pub(super) next: Option<Timestamp>,
}

impl Core {
    /// Looks at open alerts, if a silence has begun or changed.
    pub(super) fn watch_silences(&mut self, now: Timestamp) -> Result<Looked, StoreError> {
        let look = rows::load(&self.connection)?;
        let Some(check_at) = look.check_at else { return Ok(Looked::default()) };
        if check_at > now {
            return Ok(Looked { are_more: false, next: Some(check_at) });
        }
        // What begins while this look goes on is looked at by the next one.
        let began = if look.after.is_none() { now } else { check_at };
        let (alerts, after) = rows::open_alerts(&self.connection, look.after.as_ref(), BATCH)?;
        let definitions = self.memory.definitions.clone();
        let directory = definitions.directory();
        // Most are of no concern: those are read, and nothing more.
        let is_concerned = |alert: &&Alert| {
            alert.status == Status::Silenced
                || (alert.status.waits() && directory.silence(alert, now).is_some())
        };
        for alert in alerts.iter().filter(is_concerned) {
            let Some(before) = alert_rows::load(&self.connection, alert.id)? else { continue };
            self.step(now, before, &Input::SilencesChanged, None)?;
        }
        let are_more = after.is_some();
        let check_at = if are_more { Some(began) } else { directory.next_silence(began) };
        rows::save(&self.connection, &Look { check_at, after })?;
        Ok(Looked { are_more, next: check_at })
    }

    /// An edit has changed what is silenced: everything is looked at anew.
    pub(super) fn silences_changed(
        &mut self,
        now: Timestamp,
        before: &Directory,
        after: &Directory,
    ) -> Result<(), StoreError> {
        let is_same = before.silences.len() == after.silences.len()
            && before
                .silences
                .iter()
                .all(|(name, one)| after.silences.get(name).is_some_and(|other| Arc::ptr_eq(one, other)));
        if is_same { Ok(()) } else { self.watch_silences_from(now) }
    }

    /// At the start everything is looked at: a newer program may know of other hours. Where nothing is silenced there
    /// is nothing to know.
    pub(super) fn watch_silences_from_the_start(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.memory.definitions.directory().silences.is_empty() {
            return Ok(());
        }
        self.watch_silences_from(now)
    }

    /// Everything is looked at from an instant on.
    fn watch_silences_from(&mut self, at: Timestamp) -> Result<(), StoreError> {
        rows::save(&self.connection, &Look { check_at: Some(at), after: None })?;
        // The engine may have something to do.
        self.stirred.wakes = true;
        Ok(())
    }
}
