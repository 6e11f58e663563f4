//! Subscribers outside: each is told of every change of an alert by a signed webhook.
//!
//! What is to be told was written with the change itself, and goes once it has been taken: a crash in between tells it
//! again, under the same id. Of one alert things are told in the order in which they happened, one after the other;
//! a subscriber that fails holds up nobody else, and is tried for three days.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use escalation::delivery::{Outcome, SEND_DEADLINE};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::channel::webhook::signed_post;
use crate::clock::{Clock, lock, sleep_until};
pub use crate::config::subscriber::Subscriber;
use crate::outbound::Outbound;
use crate::shutdown::Shutdown;
use crate::store::outgoing::Outgoing;
use crate::store::{Store, StoreError};

/// Told at once to one subscriber.
const AT_ONCE: usize = 16;
/// The most time between two looks.
const POLL: SignedDuration = SignedDuration::from_mins(1);
/// The pause after the first failure; it doubles with each, up to [`MAX_PAUSE`].
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The longest pause.
const MAX_PAUSE: SignedDuration = SignedDuration::from_mins(15);
/// The operators are told once in so long that a subscriber is given up.
const TELL_AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// After that nobody wants to know any more.
const GIVE_UP: SignedDuration = SignedDuration::from_hours(72);

/// What a subscriber was never told.
#[derive(Default)]
struct GivenUp {
    /// When the operators heard of it last.
    told_at: Option<Timestamp>,
    /// How many changes there were since.
    count: usize,
}

/// Tells subscribers.
#[derive(Clone)]
pub struct Teller {
    store: Store,
    clock: Arc<dyn Clock>,
    outbound: Outbound,
    key: Arc<[u8]>,
    subscribers: Arc<[Subscriber]>,
    public_url: Arc<str>,
    /// By the name of the subscriber.
    given_up: Arc<Mutex<HashMap<String, GivenUp>>>,
}

impl Teller {
    /// Tells these, through `outbound`, signed with `key` where they have none of their own.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: what they are to be told can't be written down.
    pub async fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        outbound: Outbound,
        key: &[u8],
        subscribers: Vec<Subscriber>,
        public_url: &str,
    ) -> Result<Self, StoreError> {
        store.tell_listeners(subscribers.iter().map(|one| one.listener.clone()).collect()).await?;
        let public_url = public_url.trim_end_matches('/').into();
        Ok(Self {
            store,
            clock,
            outbound,
            key: key.into(),
            subscribers: subscribers.into(),
            public_url,
            given_up: Arc::default(),
        })
    }

    /// Runs until told to stop. A subscriber that hangs keeps no other waiting.
    pub async fn run(self, shutdown: Shutdown) {
        let all = 0..self.subscribers.len();
        join_all(all.map(|place| self.clone().run_one(place, shutdown.clone()))).await;
    }

    async fn run_one(self, place: usize, mut shutdown: Shutdown) {
        let mut changed = self.store.signals().changed.subscribe();
        loop {
            changed.mark_unchanged();
            let next = self.turn(place).await.unwrap_or_else(|error| {
                tracing::error!(%error, "what subscribers are to be told could not be read; it is tried again");
                None
            });
            let poll = self.clock.now() + POLL;
            let until = next.map_or(poll, |next| next.min(poll));
            tokio::select! {
                _ = changed.changed() => {}
                () = self.clock.wait_until(until) => {}
                () = shutdown.asked() => return,
            }
        }
    }

    /// Tells the subscriber at `place` what it may be told now, until there is no more. Returns when there may be.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: it is told again.
    pub async fn turn(&self, place: usize) -> Result<Option<Timestamp>, StoreError> {
        let Some(subscriber) = self.subscribers.get(place) else { return Ok(None) };
        loop {
            let now = self.clock.now();
            let name = subscriber.listener.name.clone();
            let (ready, later) = self.store.outgoing(name, now, AT_ONCE).await?;
            if ready.is_empty() {
                return Ok(later);
            }
            let told = ready.iter().map(|change| self.tell(subscriber, change, now));
            futures_util::future::try_join_all(told).await?;
        }
    }

    async fn tell(
        &self,
        subscriber: &Subscriber,
        change: &Outgoing,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let name = &subscriber.listener.name;
        let id = format!("change_{}_{}", change.seq, change.alert);
        let body = self.document(&id, &change.body);
        let key = subscriber.key.as_deref().unwrap_or(&self.key);
        let sending = signed_post(&self.outbound, &subscriber.url, key, &id, now, body);
        let outcome = tokio::select! {
            biased;
            outcome = sending => outcome,
            () = sleep_until(&*self.clock, now + SEND_DEADLINE) => {
                Outcome::Unknown { why: "no answer within 10 s".to_owned() }
            }
        };
        let asked = match &outcome {
            Outcome::Accepted { .. } => return self.store.told(change.seq).await,
            Outcome::RetryAfter { pause, .. } => *pause,
            Outcome::Refused { .. } | Outcome::Unknown { .. } => SignedDuration::ZERO,
        };
        if now.duration_since(change.at) > GIVE_UP {
            tracing::error!(subscriber = name, id, %outcome, "a subscriber was not told of a change in three days");
            let words = {
                let mut given_up = lock(&self.given_up);
                let one = given_up.entry(name.to_string()).or_default();
                one.count += 1;
                let is_due = one.told_at.is_none_or(|at| at + TELL_AGAIN <= now);
                is_due.then(|| {
                    one.told_at = Some(now);
                    std::mem::take(&mut one.count)
                })
            };
            if let Some(count) = words {
                let what =
                    if count == 1 { "a change was".to_owned() } else { format!("{count} changes were") };
                let text = format!(
                    "subscriber {name}: {what} not told in three days, the last of {}: {outcome}",
                    change.at
                );
                self.store.warn_operators(text, Vec::new()).await?;
            }
            return self.store.told(change.seq).await;
        }
        tracing::warn!(subscriber = name, id, %outcome, "a subscriber could not be told; it is tried again");
        let pause = FIRST_PAUSE * 2_i32.pow(change.tries.min(10));
        let pause = pause.max(asked).min(MAX_PAUSE);
        self.store.not_told(change.seq, now + pause).await
    }

    fn document(&self, id: &str, change: &Value) -> Vec<u8> {
        let mut event = change.clone();
        event["id"] = json!(id);
        let number = event["data"]["number"].as_u64().unwrap_or_default();
        event["data"]["url"] = json!(format!("{}/alerts/{number}", self.public_url));
        json!({ "event": event }).to_string().into_bytes()
    }
}
