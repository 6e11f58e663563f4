//! The verbs, inside a transaction: load, let the pure code decide, save.
//!
//! The same over every backend: what is stored is reached through [`Rows`] alone, the time and the chance are
//! arguments, so that it runs under a simulator as it runs in production. What is kept in memory (the definitions
//! and the tokens in force) follows the transaction: a rollback takes it back.
//!
//! Read next: `store/rows.rs` for what a backend has to do; `core/post.rs` for what is sent.

mod definitions;
mod heartbeats;
mod merge;
mod outgoing;
mod phone;
mod post;
mod receipts;
mod reception;
mod recurrence;
mod silences;
#[cfg(test)]
mod tests;
mod warnings;
mod watch;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use escalation::alert::{self, Alert, Audience, State, Stepped, Verdict};
use escalation::delivery::Outcome;
use escalation::directory::Service;
use escalation::effect::Effect;
use escalation::event::Input;
use escalation::id::{AlertId, Ids};
use jiff::{SignedDuration, Timestamp};

use super::rows::{FirstLine, Keys, Known, Rows, Try, Versions};
use crate::definition::Definitions;
use crate::store::outgoing::Listener;
use crate::store::{
    Access, Acted, Advanced, AlertRef, Idempotency, Incoming, Published, Recorded, StoreError,
};

use heartbeats::Beats;
use recurrence::About;
use silences::Looked;
use watch::Posts;

/// What another node has under its hands is looked at again after this.
const BUSY_FOR: SignedDuration = SignedDuration::from_millis(50);

/// What is due is taken by one of several nodes from so many times as much.
const WINDOWS: usize = 4;

/// Transactions that wait for each other are no further apart.
const OVERLAP: SignedDuration = SignedDuration::from_secs(5);

/// What a group of jobs stirred up: who has to be woken after its commit.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stirred {
    pub(crate) wakes: bool,
    pub(crate) deliveries: bool,
    pub(crate) seen: bool,
}

impl Stirred {
    /// Both.
    pub(crate) fn join(&mut self, other: Self) {
        self.wakes |= other.wakes;
        self.deliveries |= other.deliveries;
        self.seen |= other.seen;
    }
}

/// What is kept in memory, as the current transaction sees it.
#[derive(Clone, Default)]
struct Memory {
    definitions: Arc<Definitions>,
    access: Arc<Access>,
}

/// The next 64 bits of chance, from whoever opened the store: the system's, or a seed's.
pub(crate) type Chance = Box<dyn FnMut() -> u64 + Send>;

/// The verbs over one connection to what is stored.
pub(crate) struct Core<R> {
    pub(in crate::store) rows: R,
    service: Service,
    chance: Chance,
    /// Who outside is told of changes, as the configuration says.
    listeners: Arc<[Listener]>,
    memory: Memory,
    committed: Memory,
    at_savepoint: Memory,
    published: bool,
    closing: bool,
    pub(in crate::store) stirred: Stirred,
    told_at: Option<Timestamp>,
}

impl<R: Rows> Core<R> {
    pub(crate) async fn open(
        mut rows: R,
        service: Service,
        now: Timestamp,
        chance: Chance,
    ) -> Result<Self, StoreError> {
        let definitions = rows.definitions(Definitions::new(service.clone())).await?;
        let access = rows.access().await?;
        let memory = Memory { definitions: Arc::new(definitions), access: Arc::new(access) };
        let mut core = Self {
            rows,
            service,
            chance,
            listeners: Arc::default(),
            committed: memory.clone(),
            at_savepoint: memory.clone(),
            memory,
            published: false,
            closing: false,
            stirred: Stirred::default(),
            told_at: None,
        };
        core.begin().await?;
        core.watch_from_the_start(now).await?;
        core.watch_silences_from_the_start(now).await?;
        core.commit().await?;
        Ok(core)
    }

    /// Another connection of the same node.
    pub(crate) fn beside(&self, rows: R, chance: Chance) -> Self {
        Self {
            rows,
            service: self.service.clone(),
            chance,
            listeners: self.listeners.clone(),
            memory: self.committed.clone(),
            committed: self.committed.clone(),
            at_savepoint: self.committed.clone(),
            published: false,
            closing: false,
            stirred: Stirred::default(),
            told_at: None,
        }
    }

    /// A further connection of a node on which one is open: knows what is shown.
    pub(super) fn over(rows: R, service: Service, published: &RwLock<Published>, chance: Chance) -> Self {
        let shown = published.read().unwrap_or_else(PoisonError::into_inner);
        let memory = Memory { definitions: shown.definitions.clone(), access: shown.access.clone() };
        Self {
            rows,
            service,
            chance,
            listeners: shown.listeners.clone(),
            committed: memory.clone(),
            at_savepoint: memory.clone(),
            memory,
            published: true,
            closing: false,
            stirred: Stirred::default(),
            told_at: None,
        }
    }

    /// When this transaction began, by the clock of a database that several nodes share.
    pub(in crate::store) fn told_at(&self) -> Option<Timestamp> {
        self.told_at
    }

    // ---- the transaction ----

    pub(crate) async fn begin(&mut self) -> Result<(), StoreError> {
        self.stirred = Stirred::default();
        self.rows.begin().await?;
        self.catch_up().await
    }

    /// Takes in what other nodes have changed.
    pub(in crate::store) async fn catch_up(&mut self) -> Result<(), StoreError> {
        let known = Versions {
            definitions: self.memory.definitions.version,
            access: self.memory.access.version,
            told_at: None,
        };
        let newest = self.rows.versions(known).await?;
        self.told_at = newest.told_at;
        if newest.definitions > known.definitions {
            let definitions = Definitions::new(self.service.clone());
            self.memory.definitions = Arc::new(self.rows.definitions(definitions).await?);
        }
        if newest.access > known.access {
            self.memory.access = Arc::new(self.rows.access().await?);
        }
        Ok(())
    }

    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        self.rows.commit().await?;
        self.committed = self.memory.clone();
        Ok(())
    }

    pub(crate) async fn rollback(&mut self) {
        self.rows.rollback().await;
        self.memory = self.committed.clone();
        self.stirred = Stirred::default();
    }

    /// Notes what is in memory, to come back to.
    pub(super) fn keep_memory(&mut self) {
        self.at_savepoint = self.memory.clone();
    }

    /// Comes back to what was noted.
    pub(super) fn take_memory_back(&mut self) {
        self.memory = self.at_savepoint.clone();
    }

    /// Lets other threads see what the last commit left in memory.
    pub(super) fn publish(&mut self, published: &RwLock<Published>) {
        let current = &self.committed;
        let mut shown = published.write().unwrap_or_else(PoisonError::into_inner);
        if !self.published
            || !Arc::ptr_eq(&shown.definitions, &current.definitions)
            || !Arc::ptr_eq(&shown.access, &current.access)
        {
            shown.definitions = current.definitions.clone();
            shown.access = current.access.clone();
            self.published = true;
        }
    }

    /// Takes over what is shown, where it is newer than what is known here. Only outside of a transaction.
    pub(super) fn adopt(&mut self, published: &RwLock<Published>) {
        let shown = published.read().unwrap_or_else(PoisonError::into_inner);
        if shown.definitions.version >= self.committed.definitions.version {
            self.committed.definitions = shown.definitions.clone();
        }
        if shown.access.version >= self.committed.access.version {
            self.committed.access = shown.access.clone();
        }
        self.memory = self.committed.clone();
        self.listeners = shown.listeners.clone();
    }

    /// The same as [`Core::publish`] where several do it: the newest is shown.
    pub(super) fn publish_newer(&mut self, published: &RwLock<Published>) {
        let current = &self.committed;
        let mut shown = published.write().unwrap_or_else(PoisonError::into_inner);
        if current.definitions.version > shown.definitions.version || !self.published {
            shown.definitions = current.definitions.clone();
        }
        if current.access.version > shown.access.version {
            shown.access = current.access.clone();
        }
        self.published = true;
    }

    pub(crate) fn take_stirred(&mut self) -> Stirred {
        std::mem::take(&mut self.stirred)
    }

    /// The group that this is called in is the last.
    pub(super) fn close_after_this(&mut self) {
        self.closing = true;
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing
    }

    /// Who is let in, as this transaction knows it.
    pub(in crate::store) fn known_access(&self) -> &Access {
        &self.memory.access
    }

    /// Who is let in has changed.
    pub(in crate::store) fn set_access(&mut self, access: Access) {
        self.memory.access = Arc::new(access);
    }

    // ---- events and acts ----

    pub(crate) async fn record(
        &mut self,
        now: Timestamp,
        incoming: &Incoming,
    ) -> Result<Recorded, StoreError> {
        only(self.record_all(now, &[incoming]).await?)
    }

    /// Takes events. Those of which nothing is known are stored together, and numbered in their order; of one sender and
    /// key each is taken after those before it.
    pub(crate) async fn record_all(
        &mut self,
        now: Timestamp,
        all: &[&Incoming],
    ) -> Result<Vec<Recorded>, StoreError> {
        let keys: Vec<_> = all.iter().map(|incoming| keys_of(incoming)).collect();
        let known = self.rows.known(&keys).await?;
        let (mut senders, mut requests) = (HashSet::new(), HashSet::new());
        let (mut new, mut others) = (Vec::new(), Vec::new());
        for (place, known) in known.into_iter().enumerate() {
            let Keys { request, integration, dedup_key } = keys[place];
            let is_first_of_sender = senders.insert((integration, dedup_key));
            let is_first_of_request = request.is_none_or(|request| requests.insert(request));
            // What was known before is known no more once something was stored.
            let known = Some(known).filter(|_| is_first_of_sender && is_first_of_request);
            let is_new = known.as_ref().is_some_and(Known::is_nothing);
            if is_new && self.memory.definitions.directory().knows(&all[place].trigger.audience) {
                new.push(place);
            } else {
                others.push((place, known));
            }
        }
        let mut recorded: Vec<Option<Recorded>> = all.iter().map(|_| None).collect();
        let news: Vec<_> = new.iter().map(|place| all[*place]).collect();
        for (place, alert) in new.iter().zip(self.begin_all(now, &news).await?) {
            recorded[*place] = Some(Recorded::Alert(Box::new(alert)));
        }
        for (place, known) in others {
            let known = match known {
                Some(known) => known,
                None => only(self.rows.known(&keys[place..=place]).await?)?,
            };
            recorded[place] = Some(self.record_known(now, all[place], known).await?);
        }
        Ok(recorded.into_iter().flatten().collect())
    }

    /// Takes an event of which this is known.
    async fn record_known(
        &mut self,
        now: Timestamp,
        incoming: &Incoming,
        known: Known,
    ) -> Result<Recorded, StoreError> {
        let trigger = &incoming.trigger;
        let key = incoming.idempotency.as_ref();
        if let (Some(key), Some((alert, request))) = (key, known.request) {
            if request != key.request {
                return Ok(Recorded::KeyReused);
            }
            let alert = self.rows.alert(alert).await?;
            return Ok(alert.map_or(Recorded::KeyReused, |alert| Recorded::Alert(Box::new(alert))));
        }
        if !self.memory.definitions.directory().knows(&trigger.audience) {
            return Ok(Recorded::NoAudience);
        }
        let before = match self.about(known.open, known.over.map(|over| *over)).await? {
            About::Open(id) => self.rows.state(id).await?,
            About::Over(state) => Some(*state),
            About::New => None,
        };
        if let Some(before) = before {
            let stepped = self.step(now, before, &Input::Trigger(trigger.clone()), key).await?;
            // One that ended too long ago stays over: this is a new one.
            if stepped.verdict == Verdict::Done {
                return Ok(Recorded::Alert(Box::new(stepped.state.alert)));
            }
        }
        let alert = only(self.begin_all(now, &[incoming]).await?)?;
        Ok(Recorded::Alert(Box::new(alert)))
    }

    /// Begins an alert for each event.
    async fn begin_all(&mut self, now: Timestamp, all: &[&Incoming]) -> Result<Vec<Alert>, StoreError> {
        if all.is_empty() {
            return Ok(Vec::new());
        }
        let mut begun = Vec::with_capacity(all.len());
        for incoming in all {
            begun.push(alert::begin(&incoming.trigger, &mut Ids { now, chance: &mut *self.chance }));
        }
        let states: Vec<_> = begun.iter().map(|(state, _)| state).collect();
        let numbers = self.rows.insert_alerts(&states).await?;
        let mut lines = Vec::new();
        for ((state, effects), incoming) in begun.iter().zip(all) {
            let mut key = incoming.idempotency.as_ref();
            let entries = effects.iter().filter_map(|effect| match effect {
                Effect::Record(entry) => Some(entry),
                _ => None,
            });
            lines.extend((1..).zip(entries).map(|(seq, entry)| FirstLine {
                alert: state.alert.id,
                seq,
                entry,
                key: key.take(),
            }));
        }
        self.rows.append_first(&lines).await?;
        let mut alerts = Vec::with_capacity(all.len());
        for ((mut state, effects), number) in begun.into_iter().zip(numbers) {
            state.alert.number = number;
            self.stirred.wakes |= !state.wakes.is_empty();
            self.stirred.seen = true;
            for effect in &effects {
                match effect {
                    Effect::Record(entry) => self.tell_outside(&state.alert, number, entry, &effects).await?,
                    other => self.carry_out(state.alert.id, other).await?,
                }
            }
            alerts.push(state.alert);
        }
        Ok(alerts)
    }

    pub(crate) async fn act(
        &mut self,
        now: Timestamp,
        alert: AlertRef,
        input: &Input,
    ) -> Result<Option<Acted>, StoreError> {
        let Some(id) = self.rows.resolve(alert).await? else { return Ok(None) };
        let Some(before) = self.rows.state(id).await? else { return Ok(None) };
        let stepped = self.step(now, before, input, None).await?;
        Ok(Some(Acted { alert: stepped.state.alert, verdict: stepped.verdict }))
    }

    /// One step of the machine, saved. A step that breaks a rule is not saved; in its place the alert's
    /// task is stopped and people are told.
    async fn step(
        &mut self,
        now: Timestamp,
        before: State,
        input: &Input,
        key: Option<&Idempotency>,
    ) -> Result<Stepped, StoreError> {
        let definitions = self.memory.definitions.clone();
        let directory = definitions.directory();
        let now = in_order(now, &before);
        let stepped = match self.decide(now, &before, input).await? {
            Ok(stepped) => stepped,
            Err(broken) => {
                tracing::error!(alert = %before.alert.id, %broken, ?input, "an alert's task was stopped");
                let ids = Ids { now, chance: &mut *self.chance };
                alert::fault(before.clone(), &broken, directory, ids)
            }
        };
        if stepped.verdict == Verdict::Done {
            self.save(&before, &stepped.state, &stepped.effects, key).await?;
        }
        Ok(stepped)
    }

    /// What the machine makes of an input. It may ask how many alerts there were lately: then they are counted, and
    /// it is asked again.
    async fn decide(
        &mut self,
        now: Timestamp,
        before: &State,
        input: &Input,
    ) -> Result<Result<Stepped, escalation::invariant::Broken>, StoreError> {
        let definitions = self.memory.definitions.clone();
        let mut counted: Vec<(Audience, Timestamp, u64)> = Vec::new();
        loop {
            let asked = RefCell::new(None);
            let recent = |audience: &Audience, since: Timestamp| {
                let known = counted.iter().find(|(of, from, _)| of == audience && *from == since);
                known.map_or_else(
                    || {
                        asked.replace(Some((audience.clone(), since)));
                        0
                    },
                    |(_, _, count)| *count,
                )
            };
            let ids = Ids { now, chance: &mut *self.chance };
            let stepped = alert::step_among(before.clone(), input, definitions.directory(), ids, &recent);
            let Some((audience, since)) = asked.take() else {
                #[cfg(feature = "mutants")]
                let stepped = stepped.map(|mut stepped| {
                    self.rows.distort(before, input, &mut stepped);
                    stepped
                });
                return Ok(stepped);
            };
            let count = self.rows.begun_since(&audience, since).await?;
            counted.push((audience, since, count));
        }
    }

    async fn save(
        &mut self,
        before: &State,
        after: &State,
        effects: &[Effect],
        mut key: Option<&Idempotency>,
    ) -> Result<(), StoreError> {
        self.stirred.wakes |= self.rows.update_alert(before, after).await?;
        self.stirred.seen = true;
        for effect in effects {
            match effect {
                Effect::Record(entry) => {
                    self.rows.append(after.alert.id, entry, key.take()).await?;
                    self.tell_outside(&after.alert, after.alert.number, entry, effects).await?;
                }
                other => self.carry_out(after.alert.id, other).await?,
            }
        }
        Ok(())
    }

    /// Does what a step wants done beside its alert; lines of the history are written with it.
    async fn carry_out(&mut self, alert: AlertId, effect: &Effect) -> Result<(), StoreError> {
        match effect {
            Effect::Deliver(delivery) => {
                self.rows.insert_delivery(delivery).await?;
                self.stirred.deliveries = true;
            }
            Effect::Withdraw { page, contact } => {
                self.rows.withdraw(alert, *page, contact.as_ref()).await?;
            }
            Effect::Record(_) => {}
        }
        Ok(())
    }

    // ---- the engine ----

    pub(crate) async fn advance(&mut self, now: Timestamp, most: usize) -> Result<Advanced, StoreError> {
        let mut due = self.rows.due_wakes(now, most * if R::ARE_SHARED { WINDOWS } else { 1 }).await?;
        // Each of several nodes begins somewhere else: what one has under its hands is of no use to the others.
        if let Some(room) = u64::try_from(due.len().saturating_sub(most)).ok().filter(|room| *room > 0) {
            let first = usize::try_from((self.chance)() % (room + 1)).unwrap_or_default();
            due.drain(..first);
            due.truncate(most);
        }
        let mut is_busy = false;
        // One that has several wakes is read once.
        let alerts: BTreeSet<_> = due.iter().map(|(alert, _)| *alert).collect();
        let alerts: Vec<_> = alerts.into_iter().collect();
        let states = self.rows.states_if_free(&alerts).await?;
        let mut states: HashMap<_, _> = alerts.into_iter().zip(states).collect();
        for (alert, wake) in &due {
            let before = match states.remove(alert) {
                Some(Try::Got(Some(before))) => before,
                Some(Try::Got(None)) | None => continue,
                Some(Try::Busy) => {
                    is_busy = true;
                    continue;
                }
            };
            // Another node may have handled it since it was looked up.
            let is_due = before.wakes.get(wake).is_some_and(|at| *at <= now);
            let after =
                if is_due { self.step(now, before, &Input::Due(*wake), None).await?.state } else { before };
            states.insert(*alert, Try::Got(Some(after)));
        }
        // Steps first: one that is due as duty changes hands asks who is on call, and pages that person.
        let posts = if due.len() < most { self.watch_duty(now).await? } else { Posts::default() };
        let silences = if due.len() < most { self.watch_silences(now).await? } else { Looked::default() };
        let beats = if due.len() < most { self.watch_heartbeats(now).await? } else { Beats::default() };
        let wake = self.rows.next_wake().await?;
        let again = is_busy.then(|| now + BUSY_FOR);
        // What was set here is answered here: the engine needs no call to look again.
        self.stirred.wakes = false;
        Ok(Advanced {
            wakes: due.len(),
            is_full: (due.len() == most && !is_busy) || posts.are_more || silences.are_more || beats.are_more,
            next: [wake, posts.next, silences.next, beats.next, again].into_iter().flatten().min(),
        })
    }

    // ---- deliveries ----

    pub(crate) async fn recover(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let (claimed, _) = self.rows.expired(Timestamp::MAX).await?;
        let count = claimed.len();
        for delivery in claimed {
            let why = "Dogwatch stopped while it was sending".to_owned();
            self.settle_delivery(now, delivery.attempt, delivery, &Outcome::Unknown { why }, None).await?;
        }
        self.watch_heartbeats_anew(now).await?;
        Ok(count)
    }
}

/// The time of a step. A transaction has its time from its begin: where it waited for another that had the alert, what
/// comes second is not told as if it had come first. A clock that was set is another matter: nothing waits for it.
fn in_order(now: Timestamp, before: &State) -> Timestamp {
    let alert = &before.alert;
    let acts = [&alert.acknowledged, &alert.resolved].into_iter().flatten().map(|act| act.at);
    let pages = before.pages.iter().flat_map(|page| {
        [page.started_at, page.step_started_at].into_iter().chain(page.ended.map(|ended| ended.at))
    });
    let last = [alert.triggered_at, alert.round_started_at].into_iter().chain(acts).chain(pages).max();
    last.filter(|last| *last > now && last.duration_since(now) <= OVERLAP).unwrap_or(now)
}

/// What has come of one that was done as if it were many.
fn only<T>(mut all: Vec<T>) -> Result<T, StoreError> {
    all.pop().ok_or_else(|| StoreError::Panicked("something was done, and nothing came of it".to_owned()))
}

/// By what an event may be known.
fn keys_of(incoming: &Incoming) -> Keys<'_> {
    Keys {
        request: incoming.idempotency.as_ref().map(|key| key.key.as_str()),
        integration: &incoming.trigger.integration,
        dedup_key: &incoming.trigger.dedup_key,
    }
}
