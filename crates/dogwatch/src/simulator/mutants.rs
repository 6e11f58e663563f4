//! Planted faults: what the simulator has to find, to be worth something.
//!
//! Each is a mistake that somebody could make in the engine, the store or the delivery, told at the two seams where
//! these meet: what a step of the machine comes to, and what a call of the store does. So the code of the service
//! itself has none of them in it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use escalation::alert::{Alert, Audience, State, Stepped};
use escalation::contact::Contact;
use escalation::delivery::{Delivery, Outcome, Purpose, Refusal, State as DeliveryState};
use escalation::duty::Roster;
use escalation::effect::{Effect, Entry, EntryKind};
use escalation::event::{Input, Sent};
use escalation::id::{AlertId, DeliveryId, PageId};
use escalation::mailbox::Mailbox;
use escalation::name::Name;
use escalation::receipt::Receipt;
use escalation::wake::Wake;
use jiff::{SignedDuration, Timestamp};

use super::house::House;
use crate::definition::{Definitions, Kind, Owner};
use crate::store::rows::{
    FirstLine, HeartbeatRow, Keys, Known, Look, Place, ReceiptRow, Rows, Subject, Try, Versions, WatchedPost,
};
use crate::store::{Access, AlertRecord, AlertRef, Idempotency, StoreError};

type Result<T> = std::result::Result<T, StoreError>;

macro_rules! mutants {
    ($($name:ident: $words:literal,)*) => {
        /// A planted fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutant {
            $(#[doc = $words] $name,)*
        }

        impl Mutant {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// What is wrong, in words.
            pub const fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }
        }
    };
}

mutants! {
    NoLookAtClaim: "nothing is withdrawn, and a claim does not look whether its alert was answered meanwhile",
    NoLockAtClaim: "nothing is withdrawn, and a claim looks only at the alert, without a lock, and not at its page",
    NoLeaseEnd: "a claim whose sender died is never taken up again",
    LongLease: "a lease lasts a week",
    TokenStays: "a claim does not raise the token",
    SettleTwice: "an outcome that was taken makes the delivery ready again",
    OutcomeLost: "an outcome is not stored",
    RetryForgotten: "a refused delivery is given up instead of tried again",
    RetryAtOnce: "a delivery with an unknown outcome is sent again while its sender may be alive",
    UnknownIsTaken: "an unknown outcome counts as taken",
    WakeLost: "a wake of a page is not stored",
    EscalationLost: "the wake of the next step is not stored",
    WakeStays: "a wake that was handled stays due",
    WakeLate: "a wake is set an hour too late",
    StepTwice: "a step fires twice",
    StepWithoutPage: "a step pages nobody and says nothing",
    DeliveryLost: "a page makes no delivery",
    DeliveryTwice: "a page makes two deliveries",
    PageGoesOn: "a page stays live when its alert is acknowledged",
    AcknowledgeLost: "an acknowledgement is answered and not stored",
    AcknowledgeByRead: "a note acknowledges the alert",
    NoDedup: "an open alert with the same key is not found",
    NoDedupNoIndex: "nor does the index of open keys keep a second one out",
    NoIdempotency: "a request that is sent again makes another alert",
    HistoryLost: "a line of the history is not stored",
    HistoryOfStep: "the line about a step is not stored",
    ResolveStaysOpen: "an alert that is over keeps its wakes",
    LastResortSkipped: "the last resort is not asked",
    RoundStays: "a new round does not count",
    RepeatForever: "the plan's passes are not counted",
    SkipsTheRest: "a page that failed everywhere is not told to the plan",
    NoSecondNode: "two nodes handle the same wake",
    DeferredForever: "a delivery that is to wait waits for a day",
    ClaimsNothing: "what is ready for mail is not seen",
    SilenceUnheard: "a provider that says nothing of a message is not missed",
    SharedPlaces: "a provider that holds some sends keeps the others waiting",
    UnknownUntold: "an outcome that nobody knows is not told to the plan",
    HalfIsEnough: "half a receipt that comes before the outcome is stored takes away the deadline of the other half",
}

/// Sends under way for others at which the fault [`Mutant::SharedPlaces`] keeps a provider waiting.
const HELD_BY_OTHERS: usize = 4;

/// Which fault is on, and what it remembers.
#[derive(Default)]
pub(super) struct Planted {
    pub(super) mutant: Option<Mutant>,
    seen: BTreeMap<AlertId, (Alert, Vec<escalation::page::Page>)>,
    twice: BTreeSet<AlertId>,
    /// What is under way, with its provider.
    under_way: BTreeMap<DeliveryId, String>,
}

/// Rows with a fault planted.
pub(super) struct Mutated<R> {
    rows: R,
    planted: Rc<RefCell<Planted>>,
}

impl<R> Mutated<R> {
    pub(super) fn new(rows: R, planted: Rc<RefCell<Planted>>) -> Self {
        Self { rows, planted }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.planted.borrow().mutant == Some(mutant)
    }

    /// The alert and its pages as they were when they were first seen.
    fn remember(&self, state: &State) {
        let mut planted = self.planted.borrow_mut();
        if matches!(planted.mutant, Some(Mutant::NoLookAtClaim)) && state.alert.status.waits() {
            planted.seen.insert(state.alert.id, (state.alert.clone(), state.pages.clone()));
        }
    }
}

/// Methods without a fault.
macro_rules! through {
    ($(async fn $name:ident(&mut self $(, $arg:ident: $type:ty)*) -> $ret:ty;)*) => {
        $(async fn $name(&mut self $(, $arg: $type)*) -> Result<$ret> {
            self.rows.$name($($arg),*).await
        })*
    };
}

impl<R: Rows> Mutated<R> {
    async fn subject(&mut self, delivery: &Delivery) -> Result<Try<Option<Subject>>> {
        if self.is(Mutant::NoLockAtClaim)
            && let Some(alert) = delivery.alert
        {
            let Some(alert) = self.rows.alert(alert).await? else { return Ok(Try::Got(None)) };
            let page = delivery.page.and_then(|id| {
                // Live as far as anybody knows: a page that waits is the newest of its round.
                Some(escalation::page::Page { id, ..page_of(delivery, &alert)? })
            });
            return Ok(Try::Got(Some((Some(alert), page))));
        }
        if self.is(Mutant::NoLookAtClaim)
            && let Some((alert, pages)) =
                delivery.alert.and_then(|id| self.planted.borrow().seen.get(&id).cloned())
        {
            let page = pages.into_iter().find(|page| Some(page.id) == delivery.page);
            return Ok(Try::Got(Some((Some(alert), page))));
        }
        let found = self.rows.subjects(std::slice::from_ref(delivery)).await?;
        Ok(found.into_iter().next().unwrap_or(Try::Got(None)))
    }
}

impl<R: Rows> Rows for Mutated<R> {
    const ARE_SHARED: bool = R::ARE_SHARED;

    async fn rollback(&mut self) {
        self.rows.rollback().await;
    }

    fn distort(&self, before: &State, input: &Input, stepped: &mut Stepped) {
        let planted = self.planted.borrow();
        if let Some(mutant) = planted.mutant {
            distort(mutant, before, input, stepped);
        }
    }

    async fn insert_alerts(&mut self, states: &[&State]) -> Result<Vec<u64>> {
        if !self.is(Mutant::NoDedupNoIndex) {
            return self.rows.insert_alerts(states).await;
        }
        let mut numbers = Vec::new();
        for state in states {
            // An open alert that changes is not looked for in the index: so it gets its key a little later.
            let mut hidden = (*state).clone();
            hidden.alert.dedup_key = state.alert.id.to_string();
            let mut shown = (*state).clone();
            for number in self.rows.insert_alerts(&[&hidden]).await? {
                shown.alert.number = number;
                numbers.push(number);
            }
            self.rows.update_alert(&hidden, &shown).await?;
        }
        Ok(numbers)
    }

    async fn update_alert(&mut self, before: &State, after: &State) -> Result<bool> {
        self.remember(after);
        self.rows.update_alert(before, after).await
    }

    async fn open_alert(&mut self, integration: &str, dedup_key: &str) -> Result<Option<AlertId>> {
        if self.is(Mutant::NoDedup) || self.is(Mutant::NoDedupNoIndex) {
            return Ok(None);
        }
        self.rows.open_alert(integration, dedup_key).await
    }

    async fn known(&mut self, keys: &[Keys<'_>]) -> Result<Vec<Known>> {
        let mut all = self.rows.known(keys).await?;
        for known in &mut all {
            if self.is(Mutant::NoIdempotency) {
                known.request = None;
            }
            if self.is(Mutant::NoDedup) || self.is(Mutant::NoDedupNoIndex) {
                known.open = None;
            }
        }
        Ok(all)
    }

    async fn append(&mut self, alert: AlertId, entry: &Entry, key: Option<&Idempotency>) -> Result<()> {
        let is_lost = (self.is(Mutant::HistoryLost) && entry.kind == EntryKind::Triggered)
            || (self.is(Mutant::HistoryOfStep) && entry.kind == EntryKind::Step);
        if is_lost {
            return Ok(());
        }
        let key = key.filter(|_| !self.is(Mutant::NoIdempotency));
        self.rows.append(alert, entry, key).await
    }

    async fn append_first(&mut self, lines: &[FirstLine<'_>]) -> Result<()> {
        for line in lines {
            self.append(line.alert, line.entry, line.key).await?;
        }
        Ok(())
    }

    async fn due_wakes(&mut self, now: Timestamp, most: usize) -> Result<Vec<(AlertId, Wake)>> {
        self.rows.due_wakes(now, most).await
    }

    async fn ready(&mut self, provider: &str, now: Timestamp, most: usize) -> Result<Vec<Delivery>> {
        if self.is(Mutant::ClaimsNothing) && provider == "smtp" {
            return Ok(Vec::new());
        }
        if self.is(Mutant::SharedPlaces) {
            let planted = self.planted.borrow();
            let others = planted.under_way.values().filter(|other| *other != provider);
            if others.count() >= HELD_BY_OTHERS {
                return Ok(Vec::new());
            }
        }
        self.rows.ready(provider, now, most).await
    }

    async fn expired(&mut self, until: Timestamp) -> Result<(Vec<Delivery>, Option<Timestamp>)> {
        if self.is(Mutant::NoLeaseEnd) {
            return Ok((Vec::new(), None));
        }
        self.rows.expired(until).await
    }

    async fn save_receipt(&mut self, row: &ReceiptRow) -> Result<()> {
        let mut row = row.clone();
        if self.is(Mutant::HalfIsEnough) && row.state > Receipt::Taken {
            row.due_at = None;
        }
        self.rows.save_receipt(&row).await
    }

    async fn due_receipts(&mut self, now: Timestamp) -> Result<(Vec<(DeliveryId, u8)>, Option<Timestamp>)> {
        if self.is(Mutant::SilenceUnheard) {
            return Ok((Vec::new(), None));
        }
        self.rows.due_receipts(now).await
    }

    async fn subjects(&mut self, deliveries: &[Delivery]) -> Result<Vec<Try<Option<Subject>>>> {
        let mut all = Vec::new();
        for delivery in deliveries {
            all.push(self.subject(delivery).await?);
        }
        Ok(all)
    }

    async fn insert_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        let mut delivery = delivery.clone();
        if self.is(Mutant::DeferredForever) && delivery.purpose == Purpose::Page {
            delivery.not_before += SignedDuration::from_hours(24);
        }
        self.rows.insert_delivery(&delivery).await
    }

    async fn update_delivery(&mut self, delivery: &Delivery) -> Result<()> {
        let mut delivery = delivery.clone();
        if delivery.state == DeliveryState::Claimed {
            let provider = delivery.contact.provider().to_owned();
            self.planted.borrow_mut().under_way.insert(delivery.id, provider);
            if self.is(Mutant::LongLease) {
                delivery.lease_until += SignedDuration::from_hours(24 * 7);
            }
            if self.is(Mutant::TokenStays) {
                delivery.attempt = delivery.attempt.saturating_sub(1);
            }
        }
        self.rows.update_delivery(&delivery).await
    }

    async fn settle_delivery(
        &mut self,
        delivery: &Delivery,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Result<()> {
        let mut delivery = delivery.clone();
        self.planted.borrow_mut().under_way.remove(&delivery.id);
        let is_unknown = matches!(outcome, Outcome::Unknown { .. });
        let is_refused = matches!(outcome, Outcome::Refused { refusal: Refusal::Passing, .. });
        let mutant = self.planted.borrow().mutant;
        match mutant {
            Some(Mutant::SettleTwice) if delivery.state == DeliveryState::Sent => {
                (delivery.state, delivery.not_before) = (DeliveryState::Ready, now);
            }
            Some(Mutant::OutcomeLost) if delivery.state == DeliveryState::Sent => return Ok(()),
            Some(Mutant::RetryForgotten) if is_refused => delivery.state = DeliveryState::Failed,
            Some(Mutant::RetryAtOnce) if is_unknown => {
                (delivery.not_before, delivery.unknown) = (now, delivery.unknown.saturating_sub(1));
            }
            Some(Mutant::UnknownIsTaken) if is_unknown => delivery.state = DeliveryState::Sent,
            _ => {}
        }
        self.rows.settle_delivery(&delivery, outcome, now).await
    }

    async fn withdraw(&mut self, alert: AlertId, page: Option<PageId>, to: Option<&Contact>) -> Result<()> {
        // A claim looks by itself: without a withdrawal it is the only one who does.
        if self.is(Mutant::NoLookAtClaim) || self.is(Mutant::NoLockAtClaim) {
            return Ok(());
        }
        self.rows.withdraw(alert, page, to).await
    }

    async fn states_if_free(&mut self, ids: &[AlertId]) -> Result<Vec<Try<Option<State>>>> {
        let mut all = self.rows.states_if_free(ids).await?;
        for found in &mut all {
            if let Try::Got(Some(state)) = found
                && self.is(Mutant::NoSecondNode)
                && state.alert.position.next_step > 0
                && self.planted.borrow_mut().twice.insert(state.alert.id)
            {
                // As it was read before another node had its turn: the step is due still.
                state.alert.position.next_step -= 1;
            }
        }
        Ok(all)
    }

    through! {
        async fn begin(&mut self) -> ();
        async fn commit(&mut self) -> ();
        async fn resolve(&mut self, alert: AlertRef) -> Option<AlertId>;
        async fn alert(&mut self, id: AlertId) -> Option<Alert>;
        async fn state(&mut self, id: AlertId) -> Option<State>;
        async fn begun(&mut self, team: &str) -> Vec<AlertId>;
        async fn begun_since(&mut self, audience: &Audience, since: Timestamp) -> u64;
        async fn open_alerts(&mut self, after: Option<&Place>, most: usize) -> (Vec<Alert>, Option<Place>);
        async fn delivery(&mut self, id: DeliveryId) -> Option<Delivery>;
        async fn next_wake(&mut self) -> Option<Timestamp>;
        async fn of_bundle(&mut self, bundle: DeliveryId) -> Vec<Delivery>;
        async fn ready_providers(&mut self) -> Vec<String>;
        async fn first_ready(&mut self, provider: &str) -> Option<Timestamp>;
        async fn note_receipt(&mut self, row: &ReceiptRow, now: Timestamp) -> ();
        async fn followers(&mut self, alert: AlertId) -> Vec<Name>;
        async fn put_out(&mut self, subscriber: &str, alert: AlertId, at: Timestamp, body: &serde_json::Value) -> ();
        async fn receipt(&mut self, id: DeliveryId, attempt: u8) -> Option<ReceiptRow>;
        async fn mailbox(&mut self, person: &Name) -> Try<Mailbox>;
        async fn save_mailbox(&mut self, person: &Name, mailbox: &Mailbox) -> ();
        async fn due_posts(&mut self, now: Timestamp, most: usize) -> Vec<WatchedPost>;
        async fn next_post(&mut self) -> Option<Timestamp>;
        async fn watched_roles(&mut self, roster: &Roster) -> Vec<String>;
        async fn watched_rosters(&mut self) -> Vec<Roster>;
        async fn watch_post(&mut self, roster: &Roster, role: &str, at: Timestamp) -> ();
        async fn save_post(&mut self, post: &WatchedPost, check_at: Option<Timestamp>) -> ();
        async fn forget_post(&mut self, roster: &Roster, role: &str) -> ();
        async fn look(&mut self) -> Try<Look>;
        async fn save_look(&mut self, look: &Look) -> ();
        async fn heartbeat(&mut self, name: &str) -> Option<HeartbeatRow>;
        async fn heartbeats(&mut self) -> Vec<HeartbeatRow>;
        async fn due_heartbeats(&mut self, now: Timestamp, most: usize) -> Vec<HeartbeatRow>;
        async fn next_heartbeat(&mut self) -> Option<Timestamp>;
        async fn save_heartbeat(&mut self, row: &HeartbeatRow) -> ();
        async fn forget_heartbeat(&mut self, name: &str) -> ();
        async fn revoke_keys(&mut self, integration: &str, now: Timestamp) -> u64;
        async fn lock_definitions(&mut self) -> ();
        async fn versions(&mut self, known: Versions) -> Versions;
        async fn definitions(&mut self, definitions: Definitions) -> Definitions;
        async fn insert_definition(
            &mut self,
            now: Timestamp,
            kind: Kind,
            name: &str,
            body: Option<&serde_json::Value>,
            owner: &Owner
        ) -> u64;
        async fn access(&mut self) -> Access;
    }
}

/// A page as one might believe it to be from its delivery alone.
fn page_of(delivery: &Delivery, alert: &Alert) -> Option<escalation::page::Page> {
    Some(escalation::page::Page {
        id: delivery.page?,
        person: delivery.person.clone()?,
        asks: escalation::page::Asks::ALL[0],
        urgency: escalation::event::Urgency::High,
        round: delivery.round,
        escalation_step: alert.position.next_step.saturating_sub(1),
        started_at: delivery.created_at,
        plan_step: delivery.step,
        step_started_at: delivery.created_at,
        reached: None,
        accepted: 0,
        redialled: false,
        failed: false,
        deferred_until: None,
        ended: None,
    })
}

/// What a step of the machine comes to, with a mistake in it.
fn distort(mutant: Mutant, before: &State, input: &Input, stepped: &mut Stepped) {
    let (state, effects) = (&mut stepped.state, &mut stepped.effects);
    let is_new = |wake: &Wake| !before.wakes.contains_key(wake);
    let has_fired =
        effects.iter().any(|effect| matches!(effect, Effect::Record(entry) if entry.kind == EntryKind::Step));
    match mutant {
        Mutant::WakeLost => state.wakes.retain(|wake, _| !(matches!(wake, Wake::Page(_)) && is_new(wake))),
        Mutant::EscalationLost if has_fired => {
            state.wakes.remove(&Wake::Escalate);
        }
        Mutant::WakeStays => {
            if let (Input::Due(wake @ Wake::Page(_)), Some(at)) = (
                input,
                before.wakes.iter().find(|(wake, _)| matches!(input, Input::Due(due) if due == *wake)),
            ) {
                state.wakes.insert(*wake, *at.1);
            }
        }
        Mutant::WakeLate if has_fired => {
            for (wake, at) in &mut state.wakes {
                if is_new(wake) {
                    *at += SignedDuration::from_hours(1);
                }
            }
        }
        Mutant::StepTwice if has_fired => {
            let step = effects
                .iter()
                .find(|effect| matches!(effect, Effect::Record(entry) if entry.kind == EntryKind::Step));
            effects.extend(step.cloned());
        }
        Mutant::StepWithoutPage if has_fired => {
            effects.retain(|effect| !matches!(effect, Effect::Deliver(_)));
            state.pages.truncate(before.pages.len());
            state.wakes.retain(|wake, _| !matches!(wake, Wake::Page(_)) || before.wakes.contains_key(wake));
        }
        Mutant::DeliveryLost => effects.retain(|effect| !matches!(effect, Effect::Deliver(_))),
        Mutant::DeliveryTwice => {
            let twin = |effect: &Effect| match effect {
                Effect::Deliver(delivery) => {
                    let mut id = delivery.id.to_bytes();
                    id[15] ^= 1;
                    Some(Effect::Deliver(Delivery { id: DeliveryId::from_bytes(id), ..delivery.clone() }))
                }
                _ => None,
            };
            let more: Vec<Effect> = effects.iter().filter_map(twin).collect();
            effects.extend(more);
        }
        Mutant::PageGoesOn if matches!(input, Input::Acknowledge { .. }) => {
            for (page, was) in state.pages.iter_mut().zip(&before.pages) {
                page.ended = was.ended;
            }
        }
        Mutant::AcknowledgeLost if matches!(input, Input::Acknowledge { .. }) => {
            stepped.state = before.clone();
            effects.clear();
        }
        Mutant::AcknowledgeByRead
            if matches!(input, Input::Note { .. } | Input::Settled(_))
                && state.alert.status == escalation::alert::Status::Triggered =>
        {
            let by = escalation::event::Actor::dogwatch();
            state.alert.status = escalation::alert::Status::Acknowledged;
            state.alert.acknowledged = Some(escalation::alert::Act { at: state.alert.triggered_at, by });
            state.wakes.clear();
            for page in state.pages.iter_mut().filter(|page| page.ended.is_none()) {
                page.ended = Some(escalation::page::Ended {
                    at: state.alert.triggered_at,
                    why: escalation::page::EndedWhy::ALL[0],
                });
            }
        }
        Mutant::ResolveStaysOpen if matches!(input, Input::Resolve(_)) => state.wakes = before.wakes.clone(),
        Mutant::LastResortSkipped => {
            effects.retain(
                |effect| !matches!(effect, Effect::Record(entry) if entry.kind == EntryKind::LastResort),
            );
        }
        Mutant::RoundStays => state.alert.round = before.alert.round,
        Mutant::RepeatForever => state.alert.position.passes = 0,
        Mutant::UnknownUntold => {
            if let Input::Settled(settled) = input
                && settled.sent == Sent::Unknown
            {
                stepped.state = before.clone();
                effects.clear();
            }
        }
        Mutant::SkipsTheRest => {
            if let Input::Settled(settled) = input
                && settled.sent == Sent::Failed
            {
                stepped.state = before.clone();
                effects.clear();
            }
        }
        _ => {}
    }
}

/// A house in which a fault is planted.
pub(super) struct Faulty<H> {
    house: H,
    planted: Rc<RefCell<Planted>>,
}

impl<H: House> Faulty<H> {
    pub(super) fn new(house: H, mutant: Mutant) -> Self {
        let planted = Planted { mutant: Some(mutant), ..Planted::default() };
        Self { house, planted: Rc::new(RefCell::new(planted)) }
    }
}

impl<H: House> House for Faulty<H> {
    type Rows = Mutated<H::Rows>;

    fn connect(&self) -> Result<(Self::Rows, u64)> {
        let (rows, connection) = self.house.connect()?;
        Ok((Mutated::new(rows, self.planted.clone()), connection))
    }

    fn cut(&self, connection: u64) {
        self.house.cut(connection);
    }

    fn has_one_writer(&self) -> bool {
        self.house.has_one_writer()
    }

    fn break_off(&self, after: Option<u64>) {
        self.house.break_off(after);
    }

    fn record(&self, id: AlertId) -> Result<Option<AlertRecord>> {
        self.house.record(id)
    }

    fn news(
        &self,
        id: AlertId,
        after: usize,
        deliveries: &BTreeSet<DeliveryId>,
    ) -> Result<Option<(AlertRecord, usize)>> {
        self.house.news(id, after, deliveries)
    }

    fn state(&self, id: AlertId) -> Result<Option<State>> {
        self.house.state(id)
    }

    fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>> {
        self.house.delivery(id)
    }

    fn alerts(&self) -> Result<Vec<AlertId>> {
        self.house.alerts()
    }

    fn has_stray_wakes(&self, id: AlertId) -> Result<bool> {
        self.house.has_stray_wakes(id)
    }
}
