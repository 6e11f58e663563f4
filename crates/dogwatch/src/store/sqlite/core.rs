//! The verbs, inside the writer's transaction: load, let the pure code decide, save.
//!
//! Synchronous, with the time and the chance as arguments, so that it runs under a simulator as it runs
//! here. What is kept in memory (the definitions and the tokens in force) follows the transaction: a
//! rollback takes it back.

mod heartbeats;
mod merge;
mod post;
mod reception;
mod recurrence;
mod silences;
#[cfg(test)]
mod tests;
mod watch;

use std::sync::{Arc, PoisonError, RwLock};

use escalation::alert::{self, Audience, State, Stepped, Verdict};
use escalation::delivery::Outcome;
use escalation::directory::Service;
use escalation::effect::{Effect, Entry};
use escalation::event::Input;
use escalation::id::{AlertId, Ids};
use jiff::Timestamp;
use rusqlite::Connection;

use super::{
    alert as alert_rows, definition as definition_rows, delivery as delivery_rows, event as event_rows,
    wake as wake_rows,
};
use crate::definition::{Defined, Definitions, FieldError, Kind, Owner, Step, Wanted, Write};
use crate::store::{
    Access, Acted, Advanced, AlertRef, Applied, Defining, Edit, Expect, Idempotency, Incoming, Published,
    Recorded, StoreError,
};

use heartbeats::Beats;
use recurrence::About;
use silences::Looked;
use watch::Posts;

/// Given what is in force, says what is to be.
type EditOne<'a> = dyn Fn(Option<&serde_json::Value>) -> Result<Write, Vec<FieldError>> + 'a;

/// What a group of jobs stirred up: who has to be woken after its commit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stirred {
    pub(super) wakes: bool,
    pub(super) deliveries: bool,
    pub(super) seen: bool,
}

/// What is kept in memory, as the current transaction sees it.
#[derive(Clone, Default)]
struct Memory {
    definitions: Arc<Definitions>,
    access: Arc<Access>,
}

/// The next 64 bits of chance, from whoever opened the store: the system's, or a seed's.
pub(super) type Chance = Box<dyn FnMut() -> u64 + Send>;

pub(crate) struct Core {
    pub(super) connection: Connection,
    chance: Chance,
    memory: Memory,
    committed: Memory,
    at_savepoint: Memory,
    published: bool,
    closing: bool,
    stirred: Stirred,
}

impl Core {
    pub(super) fn new(
        connection: Connection,
        service: Service,
        now: Timestamp,
        chance: Chance,
    ) -> Result<Self, StoreError> {
        let definitions = definition_rows::load(&connection, Definitions::new(service))?;
        let access = Access::load(&connection)?;
        let memory = Memory { definitions: Arc::new(definitions), access: Arc::new(access) };
        let mut core = Self {
            connection,
            chance,
            committed: memory.clone(),
            at_savepoint: memory.clone(),
            memory,
            published: false,
            closing: false,
            stirred: Stirred::default(),
        };
        core.begin()?;
        core.watch_from_the_start(now)?;
        core.watch_silences_from_the_start(now)?;
        core.watch_heartbeats_from_the_start(now)?;
        core.commit()?;
        Ok(core)
    }

    // ---- the transaction ----

    pub(super) fn begin(&mut self) -> Result<(), StoreError> {
        self.stirred = Stirred::default();
        Ok(self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)?)
    }

    pub(super) fn commit(&mut self) -> Result<(), StoreError> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.committed = self.memory.clone();
        Ok(())
    }

    pub(super) fn rollback(&mut self) {
        // SQLite may have rolled back by itself (a full disk); then there is nothing left to do.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "a rollback failed");
        }
        self.memory = self.committed.clone();
        self.stirred = Stirred::default();
    }

    pub(super) fn savepoint(&mut self) -> Result<(), StoreError> {
        self.at_savepoint = self.memory.clone();
        Ok(self.connection.execute_batch("SAVEPOINT job")?)
    }

    pub(super) fn release(&mut self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("RELEASE job")?)
    }

    pub(super) fn rollback_to_savepoint(&mut self) -> Result<(), StoreError> {
        self.memory = self.at_savepoint.clone();
        Ok(self.connection.execute_batch("ROLLBACK TO job; RELEASE job")?)
    }

    /// Lets other threads see what the last commit left in memory.
    pub(super) fn publish(&mut self, published: &RwLock<Published>) {
        let current = &self.committed;
        let mut shown = published.write().unwrap_or_else(PoisonError::into_inner);
        if !self.published
            || !Arc::ptr_eq(&shown.definitions, &current.definitions)
            || !Arc::ptr_eq(&shown.access, &current.access)
        {
            *shown = Published { definitions: current.definitions.clone(), access: current.access.clone() };
            self.published = true;
        }
    }

    pub(super) fn take_stirred(&mut self) -> Stirred {
        std::mem::take(&mut self.stirred)
    }

    /// The group that this is called in is the last.
    pub(super) fn close_after_this(&mut self) {
        self.closing = true;
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Leaves a tidy file behind.
    pub(super) fn close(self) {
        if let Err(error) = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the last checkpoint failed; the next start makes it good");
        }
    }

    // ---- events and acts ----

    pub(in crate::store) fn record(
        &mut self,
        now: Timestamp,
        incoming: &Incoming,
    ) -> Result<Recorded, StoreError> {
        let trigger = &incoming.trigger;
        if let Some(key) = &incoming.idempotency
            && let Some((alert, request)) = event_rows::by_idempotency(&self.connection, &key.key)?
        {
            if request != key.request {
                return Ok(Recorded::KeyReused);
            }
            let alert = alert_rows::load_alert(&self.connection, alert)?;
            return Ok(alert.map_or(Recorded::KeyReused, |alert| Recorded::Alert(Box::new(alert))));
        }
        if !self.memory.definitions.directory().knows(&trigger.audience) {
            return Ok(Recorded::NoAudience);
        }
        let key = incoming.idempotency.as_ref();
        let before = match self.about(trigger)? {
            About::Open(id) => alert_rows::load(&self.connection, id)?,
            About::Over(state) => Some(*state),
            About::New => None,
        };
        if let Some(before) = before {
            let stepped = self.step(now, before, &Input::Trigger(trigger.clone()), key)?;
            // One that ended too long ago stays over: this is a new one.
            if stepped.verdict == Verdict::Done {
                return Ok(Recorded::Alert(Box::new(stepped.state.alert)));
            }
        }
        let (mut state, effects) = alert::begin(trigger, &mut Ids { now, chance: &mut *self.chance });
        state.alert.number = self.save(None, &state, &effects, key)?;
        Ok(Recorded::Alert(Box::new(state.alert)))
    }

    pub(in crate::store) fn act(
        &mut self,
        now: Timestamp,
        alert: AlertRef,
        input: &Input,
    ) -> Result<Option<Acted>, StoreError> {
        let Some(id) = alert_rows::resolve(&self.connection, alert)? else { return Ok(None) };
        let Some(before) = alert_rows::load(&self.connection, id)? else { return Ok(None) };
        let stepped = self.step(now, before, input, None)?;
        Ok(Some(Acted { alert: stepped.state.alert, verdict: stepped.verdict }))
    }

    /// One step of the machine, saved. A step that breaks a rule is not saved; in its place the alert's
    /// task is stopped and people are told.
    fn step(
        &mut self,
        now: Timestamp,
        before: State,
        input: &Input,
        key: Option<&Idempotency>,
    ) -> Result<Stepped, StoreError> {
        let definitions = self.memory.definitions.clone();
        let ids = Ids { now, chance: &mut *self.chance };
        let unread = std::cell::Cell::new(None);
        let recent = |audience: &Audience, since: Timestamp| {
            alert_rows::begun_since(&self.connection, audience, since).unwrap_or_else(|error| {
                unread.set(Some(error));
                0
            })
        };
        let stepped = alert::step_among(before.clone(), input, definitions.directory(), ids, &recent);
        // What could not be counted is not guessed: the step is not taken.
        if let Some(error) = unread.take() {
            return Err(error);
        }
        let stepped = match stepped {
            Ok(stepped) => stepped,
            Err(broken) => {
                tracing::error!(alert = %before.alert.id, %broken, ?input, "an alert's task was stopped");
                let ids = Ids { now, chance: &mut *self.chance };
                alert::fault(before.clone(), &broken, definitions.directory(), ids)
            }
        };
        if stepped.verdict == Verdict::Done {
            self.save(Some(&before), &stepped.state, &stepped.effects, key)?;
        }
        Ok(stepped)
    }

    fn save(
        &mut self,
        before: Option<&State>,
        after: &State,
        effects: &[Effect],
        mut key: Option<&Idempotency>,
    ) -> Result<u64, StoreError> {
        let (number, set) = alert_rows::save(&self.connection, before, after)?;
        self.stirred.wakes |= set;
        self.stirred.seen = true;
        for effect in effects {
            match effect {
                Effect::Deliver(delivery) => {
                    delivery_rows::insert(&self.connection, delivery)?;
                    self.stirred.deliveries = true;
                }
                Effect::Withdraw { page, contact } => {
                    delivery_rows::withdraw(&self.connection, after.alert.id, *page, contact.as_ref())?;
                }
                Effect::Record(entry) => self.insert_event(after.alert.id, entry, key.take())?,
            }
        }
        Ok(number)
    }

    fn insert_event(
        &self,
        alert: AlertId,
        entry: &Entry,
        key: Option<&Idempotency>,
    ) -> Result<(), StoreError> {
        event_rows::insert(&self.connection, alert, entry, key)
    }

    // ---- the engine ----

    pub(in crate::store) fn advance(&mut self, now: Timestamp, most: usize) -> Result<Advanced, StoreError> {
        let due = wake_rows::due(&self.connection, now, most)?;
        for (alert, wake) in &due {
            let Some(before) = alert_rows::load(&self.connection, *alert)? else { continue };
            self.step(now, before, &Input::Due(*wake), None)?;
        }
        // Steps first: one that is due as duty changes hands asks who is on call, and pages that person.
        let posts = if due.len() < most { self.watch_duty(now)? } else { Posts::default() };
        let silences = if due.len() < most { self.watch_silences(now)? } else { Looked::default() };
        let beats = if due.len() < most { self.watch_heartbeats(now)? } else { Beats::default() };
        let wake = wake_rows::next(&self.connection)?;
        // What was set here is answered here: the engine needs no call to look again.
        self.stirred.wakes = false;
        Ok(Advanced {
            wakes: due.len(),
            is_full: due.len() == most || posts.are_more || silences.are_more || beats.are_more,
            next: wake.into_iter().chain(posts.next).chain(silences.next).chain(beats.next).min(),
        })
    }

    // ---- deliveries ----

    pub(in crate::store) fn recover(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let (claimed, _) = delivery_rows::expired(&self.connection, Timestamp::MAX)?;
        let count = claimed.len();
        for delivery in claimed {
            let why = "Dogwatch stopped while it was sending".to_owned();
            self.settle_delivery(now, delivery.attempt, delivery, &Outcome::Unknown { why }, None)?;
        }
        Ok(count)
    }

    // ---- definitions ----

    pub(in crate::store) fn define(
        &mut self,
        now: Timestamp,
        kind: Kind,
        name: &str,
        expect: Expect,
        force: bool,
        edit: &EditOne<'_>,
    ) -> Result<Defining, StoreError> {
        let definitions = self.memory.definitions.clone();
        let current = definitions.get(kind, name);
        if let Some(refused) = unexpected(expect, current) {
            return Ok(refused);
        }
        if let Some(owner @ Owner::Files(_)) = current.map(|defined| &defined.owner)
            && !force
        {
            return Ok(Defining::Kept(owner.clone()));
        }
        match edit(current.map(|defined| &defined.body)) {
            Ok(write) => self.define_all(now, &[Edit { name: name.to_owned(), expect, write }]),
            Err(problems) => Ok(Defining::Invalid(problems)),
        }
    }

    /// Everything is checked before anything is written: a refusal leaves nothing behind.
    pub(in crate::store) fn define_all(
        &mut self,
        now: Timestamp,
        edits: &[Edit],
    ) -> Result<Defining, StoreError> {
        let mut changed = Definitions::clone(&self.memory.definitions);
        let mut versions: Vec<(Kind, &str, Option<serde_json::Value>, Owner)> = Vec::new();
        let mut unchanged = None;
        for Edit { name, expect, write } in edits {
            let kind = match write {
                Write::Put { kind, .. } | Write::Remove { kind, .. } => *kind,
            };
            let current = changed.get(kind, name).cloned();
            if let Some(refused) = unexpected(*expect, current.as_ref()) {
                return Ok(refused);
            }
            let version = self.memory.definitions.version + versions.len() as u64 + 1;
            let owner = current.as_ref().map(|defined| defined.owner.clone()).unwrap_or_default();
            match write {
                Write::Put { body, .. } => {
                    let (checked, normal) = match changed.check(kind, body.clone(), now) {
                        Ok(checked) => checked,
                        Err(problems) => return Ok(Defining::Invalid(problems)),
                    };
                    if checked != *name {
                        let message = format!(
                            "is \"{checked}\", but \"{name}\" was addressed; a name is never changed"
                        );
                        return Ok(Defining::Invalid(vec![FieldError { field: "name".to_owned(), message }]));
                    }
                    if let Some(defined) = current.filter(|defined| defined.body == normal) {
                        // Nothing differs: no new version, so that saving twice is harmless.
                        unchanged = Some(defined.version);
                        continue;
                    }
                    let body = normal.clone();
                    let defined = Defined { version, valid_from: now, body, owner: owner.clone() };
                    changed.apply(kind, name, Some(defined));
                    versions.push((kind, name, Some(normal), owner));
                }
                Write::Remove { .. } => {
                    let users = changed.users(kind, name);
                    if !users.is_empty() {
                        return Ok(Defining::InUse(users));
                    }
                    changed.apply(kind, name, None);
                    versions.push((kind, name, None, owner));
                }
            }
        }
        if versions.is_empty() {
            return Ok(Defining::Done(unchanged.unwrap_or(changed.version)));
        }
        for (kind, name, body, owner) in versions {
            changed.version =
                definition_rows::insert(&self.connection, now, kind, name, body.as_ref(), &owner)?;
        }
        let version = changed.version;
        self.put_in_force(now, changed)?;
        Ok(Defining::Done(version))
    }

    fn put_in_force(&mut self, now: Timestamp, changed: Definitions) -> Result<(), StoreError> {
        let before = self.memory.definitions.clone();
        self.rosters_changed(now, before.directory(), changed.directory())?;
        self.silences_changed(now, before.directory(), changed.directory())?;
        self.integrations_changed(now, &before, &changed)?;
        let changed = Arc::new(changed);
        self.memory.definitions = changed.clone();
        self.heartbeats_changed(now, &before, &changed)?;
        self.stirred.seen = true;
        Ok(())
    }

    pub(in crate::store) fn apply(
        &mut self,
        now: Timestamp,
        wanted: &Wanted,
        planned: Option<u64>,
    ) -> Result<Applied, StoreError> {
        let current = self.memory.definitions.version;
        if planned.is_some_and(|planned| planned != current) {
            return Ok(Applied::Moved(current));
        }
        let mut changed = match self.memory.definitions.change(wanted, now) {
            Ok(changed) => changed,
            Err(errors) => return Ok(Applied::Invalid(errors)),
        };
        for Step { kind, name, after, .. } in &changed.steps {
            let body = after.as_ref().map(|after| &after.body);
            changed.definitions.version =
                definition_rows::insert(&self.connection, now, *kind, name, body, &wanted.owner)?;
        }
        if !changed.steps.is_empty() {
            self.put_in_force(now, changed.definitions.clone())?;
        }
        Ok(Applied::Done(Box::new(changed)))
    }

    // ---- access ----

    /// The connection, inside the running transaction.
    pub(in crate::store) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Changes tokens, sessions or links, in the table and in memory alike.
    pub(in crate::store) fn change_access<R>(
        &mut self,
        change: impl FnOnce(&Connection, &mut Access) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        let mut access = Access::clone(&self.memory.access);
        let result = change(&self.connection, &mut access)?;
        self.memory.access = Arc::new(access);
        Ok(result)
    }
}

/// Why an edit is not carried out, if what is there is not what was expected.
fn unexpected(expect: Expect, current: Option<&Arc<Defined>>) -> Option<Defining> {
    match (expect, current) {
        (Expect::Absent, Some(_)) => Some(Defining::Exists),
        (Expect::Present | Expect::Version(_), None) => Some(Defining::Missing),
        (Expect::Version(wanted), Some(defined)) if defined.version != wanted => {
            Some(Defining::Moved(defined.version))
        }
        _ => None,
    }
}
