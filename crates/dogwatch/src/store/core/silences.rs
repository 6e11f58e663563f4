//! The watch over silences: when one begins or is edited, every open alert is looked at. That one ends needs no
//! look: each alert that it holds back has a wake for that.

use std::sync::Arc;

use escalation::alert::{Alert, Status};
use escalation::directory::Directory;
use escalation::event::Input;
use jiff::Timestamp;

use super::{BUSY_FOR, Core};
use crate::store::StoreError;
use crate::store::rows::{Look, Rows, Try};

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

impl<R: Rows> Core<R> {
    /// Looks at open alerts, if a silence has begun or changed.
    pub(super) async fn watch_silences(&mut self, now: Timestamp) -> Result<Looked, StoreError> {
        let Try::Got(look) = self.rows.look().await? else {
            return Ok(Looked { are_more: false, next: Some(now + BUSY_FOR) });
        };
        let Some(check_at) = look.check_at else { return Ok(Looked::default()) };
        if check_at > now {
            return Ok(Looked { are_more: false, next: Some(check_at) });
        }
        // What begins while this look goes on is looked at by the next one.
        let began = if look.after.is_none() { now } else { check_at };
        let (alerts, after) = self.rows.open_alerts(look.after.as_ref(), BATCH).await?;
        let definitions = self.memory.definitions.clone();
        let directory = definitions.directory();
        // Most are of no concern: those are read, and nothing more.
        let is_concerned = |alert: &&Alert| {
            alert.status == Status::Silenced
                || (alert.status.waits() && directory.silence(alert, now).is_some())
        };
        for alert in alerts.iter().filter(is_concerned) {
            let Some(before) = self.rows.state(alert.id).await? else { continue };
            self.step(now, before, &Input::SilencesChanged, None).await?;
        }
        let are_more = after.is_some();
        let check_at = if are_more { Some(began) } else { directory.next_silence(began) };
        self.rows.save_look(&Look { check_at, after }).await?;
        Ok(Looked { are_more, next: check_at })
    }

    /// An edit has changed what is silenced: everything is looked at anew.
    pub(super) async fn silences_changed(
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
        if is_same { Ok(()) } else { self.watch_silences_from(now).await }
    }

    /// At the start everything is looked at: a newer program may know of other hours. Where nothing is silenced there
    /// is nothing to know.
    pub(super) async fn watch_silences_from_the_start(&mut self, now: Timestamp) -> Result<(), StoreError> {
        if self.memory.definitions.directory().silences.is_empty() {
            return Ok(());
        }
        self.watch_silences_from(now).await
    }

    /// Everything is looked at from an instant on.
    async fn watch_silences_from(&mut self, at: Timestamp) -> Result<(), StoreError> {
        self.rows.save_look(&Look { check_at: Some(at), after: None }).await?;
        // The engine may have something to do.
        self.stirred.wakes = true;
        Ok(())
    }
}
