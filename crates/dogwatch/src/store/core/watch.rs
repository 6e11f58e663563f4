//! The watch over duty: which posts there are, and what follows when one has changed hands.

use std::sync::Arc;

use escalation::alert::Status;
use escalation::directory::Directory;
use escalation::duty::Roster;
use escalation::event::Input;
use escalation::id::Ids;
use escalation::watch::{self, Post};
use jiff::Timestamp;
use rota::schedule::Schedule;

use super::Core;
use crate::store::StoreError;
use crate::store::rows::{Rows, WatchedPost};

/// Posts in one transaction. Few: each may touch every open alert of a team.
const BATCH: usize = 32;

/// What is left to look at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Posts {
    /// There may be more to look at now.
    pub(super) are_more: bool,
    /// When it is time to look next.
    pub(super) next: Option<Timestamp>,
}

impl<R: Rows> Core<R> {
    /// Looks at posts whose time has come.
    pub(super) async fn watch_duty(&mut self, now: Timestamp) -> Result<Posts, StoreError> {
        let due = self.rows.due_posts(now, BATCH).await?;
        let are_more = due.len() == BATCH;
        for post in due {
            self.look_at(now, post).await?;
        }
        Ok(Posts { are_more, next: self.rows.next_post().await? })
    }

    async fn look_at(&mut self, now: Timestamp, mut row: WatchedPost) -> Result<(), StoreError> {
        let definitions = self.memory.definitions.clone();
        let directory = definitions.directory();
        let Some(schedule) = directory.compiled(&row.roster) else {
            return self.rows.forget_post(&row.roster, row.role.as_str()).await;
        };
        let leads = match &row.roster {
            Roster::Schedule(name) => definitions.schedule_spec(name.as_str()).map(|spec| spec.leads()),
            Roster::Team(_) => None,
        };
        let leads = leads.unwrap_or_default();
        let post = Post { roster: &row.roster, role: &row.role, schedule, leads: &leads };
        let looked = watch::look(post, row.seen.as_ref(), |id| definitions.taken_over_by(id), now);

        let mut acknowledged = Vec::new();
        if let Some(handover) = &looked.handover {
            let input = Input::DutyChanged(handover.clone());
            for team in directory.teams_on(&row.roster) {
                for alert in self.rows.begun(team.name.as_str()).await? {
                    let Some(before) = self.rows.state(alert).await? else { continue };
                    if matches!(before.alert.status, Status::Acknowledged | Status::Snoozed) {
                        acknowledged.push(before.alert);
                    } else {
                        self.step(now, before, &input, None).await?;
                    }
                }
            }
        }
        let ids = Ids { now, chance: &mut *self.chance };
        for delivery in watch::messages(post, &looked, &acknowledged, directory, ids) {
            self.rows.insert_delivery(&delivery).await?;
            self.stirred.deliveries = true;
            self.stirred.seen = true;
        }
        row.seen = Some(looked.seen);
        self.rows.save_post(&row, looked.check_at).await
    }

    /// Rosters that an edit has compiled anew are looked at now, new ones from now on, removed ones no more.
    pub(super) async fn rosters_changed(
        &mut self,
        now: Timestamp,
        before: &Directory,
        after: &Directory,
    ) -> Result<(), StoreError> {
        for (roster, schedule) in after.all_rosters() {
            if before.compiled(&roster).is_none_or(|known| !Arc::ptr_eq(known, schedule)) {
                self.watch_roster(now, &roster, Some(schedule)).await?;
            }
        }
        for (roster, _) in before.all_rosters() {
            if after.compiled(&roster).is_none() {
                self.watch_roster(now, &roster, None).await?;
            }
        }
        Ok(())
    }

    /// At the start every roster is looked at: a newer program may know of other hours, in other zones.
    pub(super) async fn watch_from_the_start(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let definitions = self.memory.definitions.clone();
        let directory = definitions.directory();
        for (roster, schedule) in directory.all_rosters() {
            self.watch_roster(now, &roster, Some(schedule)).await?;
        }
        for roster in self.rows.watched_rosters().await? {
            if directory.compiled(&roster).is_none() {
                self.watch_roster(now, &roster, None).await?;
            }
        }
        Ok(())
    }

    /// Watches the roles that a roster has, and no others.
    async fn watch_roster(
        &mut self,
        now: Timestamp,
        roster: &Roster,
        schedule: Option<&Arc<Schedule>>,
    ) -> Result<(), StoreError> {
        let roles = schedule.map_or(&[][..], |schedule| schedule.roles());
        for known in self.rows.watched_roles(roster).await? {
            if !roles.iter().any(|role| *role.name == *known) {
                self.rows.forget_post(roster, &known).await?;
            }
        }
        for role in roles {
            self.rows.watch_post(roster, &role.name, now).await?;
        }
        // The engine may have something to do.
        self.stirred.wakes = true;
        Ok(())
    }
}
