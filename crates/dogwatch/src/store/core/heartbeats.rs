//! The watch over heartbeats: a stored time for each at which its silence is a problem.
//!
//! While Dogwatch itself was down, or asleep, nobody could be heard: whoever is found late by then is waited for anew
//! and not taken for dead.

use std::sync::Arc;

use escalation::alert::Audience;
use escalation::event::{Actor, Input, Route, Trigger};
use jiff::{SignedDuration, Timestamp};

use super::Core;
use crate::definition::{Definitions, Heartbeat};
use crate::store::rows::{HeartbeatRow, Rows};
use crate::store::{AlertRef, Incoming, StoreError};

/// Heartbeats that are looked at in one transaction.
const BATCH: usize = 100;
/// The engine looks every second. If it comes so much later, it was Dogwatch that slept.
const OWN_OUTAGE: SignedDuration = SignedDuration::from_secs(15);
/// The key of the alert: each heartbeat is a sender of its own.
const KEY: &str = "silent";

/// The sender that a heartbeat is.
fn sender(name: &str) -> String {
    format!("heartbeat:{name}")
}

/// What is left to look at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Beats {
    pub(super) are_more: bool,
    pub(super) next: Option<Timestamp>,
}

impl<R: Rows> Core<R> {
    /// A sign of life. Says whether there is such a heartbeat.
    pub(crate) async fn heard(&mut self, now: Timestamp, name: &str) -> Result<bool, StoreError> {
        let definitions = self.memory.definitions.clone();
        let Some(heartbeat) = definitions.heartbeat(name) else { return Ok(false) };
        let known = self.rows.heartbeat(name).await?;
        if known.is_some_and(|row| row.is_late) {
            self.end_silence(now, name).await?;
        }
        let check_at = definitions.late_at(heartbeat, now);
        let row =
            HeartbeatRow { name: name.to_owned(), last_at: now, pinged: true, check_at, is_late: false };
        self.rows.save_heartbeat(&row).await?;
        // The engine may sleep for longer than this one may be silent.
        self.stirred.wakes = true;
        Ok(true)
    }

    /// Tells of heartbeats that are too late.
    pub(super) async fn watch_heartbeats(&mut self, now: Timestamp) -> Result<Beats, StoreError> {
        let due = self.rows.due_heartbeats(now, BATCH).await?;
        let definitions = self.memory.definitions.clone();
        for mut row in due.iter().cloned() {
            let Some(heartbeat) = definitions.heartbeat(&row.name).cloned() else {
                self.rows.forget_heartbeat(&row.name).await?;
                continue;
            };
            let is_ours = row.check_at.is_some_and(|at| now.duration_since(at) > OWN_OUTAGE);
            if is_ours {
                row.check_at = definitions.late_at(&heartbeat, now);
            } else {
                let incoming = Incoming { trigger: silence(&heartbeat, &row), idempotency: None };
                self.record(now, &incoming).await?;
                (row.check_at, row.is_late) = (None, true);
            }
            self.rows.save_heartbeat(&row).await?;
        }
        Ok(Beats { are_more: due.len() == BATCH, next: self.rows.next_heartbeat().await? })
    }

    /// After a start of all of Dogwatch each is waited for anew: nobody could be heard before.
    pub(super) async fn watch_heartbeats_anew(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let definitions = self.memory.definitions.clone();
        for mut row in self.rows.heartbeats().await?.into_iter().filter(|row| !row.is_late) {
            let late_at = |heartbeat: &Arc<Heartbeat>| definitions.late_at(heartbeat, now);
            row.check_at = definitions.heartbeat(&row.name).and_then(late_at);
            self.rows.save_heartbeat(&row).await?;
        }
        Ok(())
    }

    /// Heartbeats that are new, or have been edited, are waited for from now on; others no more.
    pub(super) async fn heartbeats_changed(
        &mut self,
        now: Timestamp,
        before: &Definitions,
        after: &Definitions,
    ) -> Result<(), StoreError> {
        for heartbeat in after.heartbeats() {
            let name = heartbeat.name.as_str();
            if before.heartbeat(name).is_some_and(|known| Arc::ptr_eq(known, heartbeat)) {
                continue;
            }
            let known = self.rows.heartbeat(name).await?;
            let mut row = known.unwrap_or(HeartbeatRow {
                name: name.to_owned(),
                last_at: now,
                pinged: false,
                check_at: None,
                is_late: false,
            });
            if !row.is_late {
                row.check_at = after.late_at(heartbeat, now);
            }
            self.rows.save_heartbeat(&row).await?;
            self.stirred.wakes = true;
        }
        let gone: Vec<String> = before
            .heartbeats()
            .map(|heartbeat| heartbeat.name.to_string())
            .filter(|name| after.heartbeat(name).is_none())
            .collect();
        for name in gone {
            self.end_silence(now, &name).await?;
            self.rows.forget_heartbeat(&name).await?;
        }
        Ok(())
    }

    async fn end_silence(&mut self, now: Timestamp, name: &str) -> Result<(), StoreError> {
        if let Some(id) = self.rows.open_alert(&sender(name), KEY).await? {
            self.act(now, AlertRef::Id(id), &Input::Resolve(Actor::dogwatch())).await?;
        }
        Ok(())
    }
}

/// What is wrong when a heartbeat is late.
fn silence(heartbeat: &Heartbeat, row: &HeartbeatRow) -> Trigger {
    let every = escalation::duration::print(heartbeat.every);
    let last = row.last_at.strftime("%Y-%m-%d %H:%M:%S UTC");
    let heard = if row.pinged {
        format!("It was last heard at {last}.")
    } else {
        format!("It has never been heard; it is waited for since {last}.")
    };
    let details = match heartbeat.description.as_str() {
        "" => heard,
        description => format!("{heard}\n\n{description}"),
    };
    Trigger {
        audience: Audience::Team(heartbeat.team.clone()),
        integration: sender(heartbeat.name.as_str()),
        dedup_key: KEY.to_owned(),
        summary: format!("{} is silent: expected every {every}", heartbeat.name),
        details,
        severity: heartbeat.severity,
        links: Vec::new(),
        route: Route::default(),
        by: Actor::dogwatch(),
    }
}
