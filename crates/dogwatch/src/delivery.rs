//! Deliveries: claims what is ready, sends it, and stores what came of it.
//!
//! Claiming is a transaction of the store, which looks at the alert again; sending happens after its
//! commit, each with a deadline of its own and no more at once than its provider bears; settling carries
//! the claim's token. A provider that hangs holds only its own places.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use escalation::alert::Alert;
use escalation::contact::{Contact, Kind};
use escalation::delivery::{LEASE, Outcome, Purpose, Refusal, SEND_DEADLINE, places};
use escalation::id::DeliveryId;
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::channel::Channels;
use crate::clock::{Clock, lock, sleep_until};
use crate::message::template::Templates;
use crate::message::{Addresses, Message, compose};
use crate::reply::AnswerLinks;
use crate::shutdown::Shutdown;
use crate::store::reach::{DEAD_AFTER, told_dead};
use crate::store::{Capacity, Claim, Store, StoreError};
use crate::telemetry::Metrics;

/// Claims in one transaction.
const BATCH: usize = 256;
/// How long to wait before an outcome that could not be stored is tried again.
const SETTLE_PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// How often: after that its lease has ended, and the outcome counts as unknown anyhow.
const SETTLE_TRIES: u32 = 30;

/// How long after the operators were told something they are told it again.
const TELL_AGAIN: SignedDuration = SignedDuration::from_hours(1);

/// A contact, and whose it is.
type Reached = (Name, Contact);

/// Claims, sends and settles.
#[derive(Clone)]
pub struct Dispatcher {
    store: Store,
    clock: Arc<dyn Clock>,
    channels: Channels,
    links: AnswerLinks,
    public_url: Arc<str>,
    metrics: Metrics,
    templates: Templates,
    told: Arc<Mutex<HashMap<String, Timestamp>>>,
    /// Contacts whose last message was given up; none: not looked up yet.
    failing: Arc<Mutex<Option<HashSet<Reached>>>>,
    busy: Arc<Busy>,
}

#[derive(Default)]
struct Busy {
    by_provider: Mutex<HashMap<String, usize>>,
    freed: Notify,
}

impl Dispatcher {
    /// A dispatcher over `store`, sending through `channels`.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        channels: Channels,
        links: AnswerLinks,
        public_url: &str,
        metrics: Metrics,
    ) -> Self {
        let public_url = public_url.trim_end_matches('/').into();
        Self {
            store,
            clock,
            channels,
            links,
            public_url,
            metrics,
            templates: Templates::default(),
            told: Arc::default(),
            failing: Arc::default(),
            busy: Arc::default(),
        }
    }

    /// With words of the operators in the place of ours.
    #[must_use]
    pub fn with_templates(mut self, templates: Templates) -> Self {
        self.templates = templates;
        self
    }

    /// Claims what may be sent now and begins to send it, on `sends`. Returns when there may be more.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: nothing was claimed, or what was claimed ends with its lease.
    pub async fn turn(&self, sends: &mut JoinSet<()>) -> Result<Option<Timestamp>, StoreError> {
        loop {
            let busy = lock(&self.busy.by_provider).clone();
            let claimed = self.store.claim(Capacity { busy, limit: places, most: BATCH }).await?;
            let count = claimed.claims.len();
            let pages =
                |claim: &Claim| claim.delivery.purpose == Purpose::Page && claim.delivery.person.is_some();
            let dead = match claimed.claims.iter().any(pages) {
                true => self.dead_contacts().await,
                false => Arc::default(),
            };
            for claim in claimed.claims {
                let provider = claim.delivery.contact.provider().to_owned();
                *lock(&self.busy.by_provider).entry(provider.clone()).or_default() += 1;
                let held = Held { busy: self.busy.clone(), provider };
                sends.spawn(self.clone().deliver(claim, held, dead.clone()));
            }
            if count < BATCH {
                return Ok(claimed.next);
            }
        }
    }

    /// Sends one delivery and stores what came of it.
    async fn deliver(self, claim: Claim, held: Held, dead: Arc<HashSet<Reached>>) {
        let (id, token) = (claim.delivery.id, claim.delivery.attempt);
        let kind = claim.delivery.contact.kind();
        let reached = claim.delivery.person.clone().map(|person| (person, claim.delivery.contact.clone()));
        let is_page = claim.delivery.purpose == Purpose::Page;
        let (outcome, was_sent) =
            match reached.as_ref().filter(|_| is_page).and_then(|it| self.gone(it, &dead)) {
                Some(outcome) => (outcome, false),
                None => (self.send(claim).await, true),
            };
        drop(held);
        self.metrics.delivered(&outcome);
        let channel = self.channels.get(kind);
        let within = channel.as_ref().and_then(|channel| channel.receipt_within(&outcome));
        if let Some(reached) = reached.filter(|_| was_sent) {
            self.remember(reached, &outcome).await;
        }
        let told = outcome.clone();
        self.settle(id, token, outcome, within).await;
        self.tell_of_trouble(kind, &told).await;
    }

    async fn send(&self, claim: Claim) -> Outcome {
        let kind = claim.delivery.contact.kind();
        let Some(channel) = self.channels.get(kind) else {
            let why = format!("no provider is set up for \"{}:\"; see the configuration", kind.word());
            return Outcome::Refused { why, refusal: Refusal::Message };
        };
        let now = self.clock.now();
        let mut message = self.compose(&claim, now);
        if let Err(why) = self.templates.reword(&mut message) {
            let text = format!("{why}; messages go out in Dogwatch's own words meanwhile");
            self.tell_operators(why, text, None).await;
        }
        if kind == Kind::Sms
            && let Some(outcome) = self.prepare_sms(&claim, &mut message).await
        {
            return outcome;
        }
        let is_kept = channel.can_amend() && message.purpose == Purpose::Page;
        // From the claim on, not from now: a process that stood still, or waited for the database, must not ring what
        // somebody has answered meanwhile.
        let deadline = claim.delivery.lease_until - (LEASE - SEND_DEADLINE);
        if self.clock.now() >= deadline {
            let why = "this node stood still before it could send".to_owned();
            return Outcome::Refused { why, refusal: Refusal::Passing };
        }
        // In a task of its own: a channel that panics takes only this attempt with it.
        let mut sending = tokio::spawn(async move { channel.send(&message).await });
        let outcome = tokio::select! {
            biased;
            outcome = &mut sending => outcome.unwrap_or_else(|error| Outcome::Unknown {
                why: format!("Dogwatch made a mistake while sending: {error}"),
            }),
            () = sleep_until(&*self.clock, deadline) => {
                sending.abort();
                Outcome::Unknown { why: "no answer within 10 s".to_owned() }
            }
        };
        if let (true, Outcome::Accepted { provider_id }) = (is_kept, &outcome)
            && let Err(error) = self.store.keep_message(&claim, provider_id.clone()).await
        {
            tracing::warn!(%error, delivery = %claim.delivery.id, "this message will not be changed any more");
        }
        outcome
    }

    /// Contacts to which nothing is sent. Where that can't be read, something is sent to all.
    async fn dead_contacts(&self) -> Arc<HashSet<Reached>> {
        let dead = self.store.dead_contacts().await.unwrap_or_else(|error| {
            tracing::error!(%error, "it could not be read which contacts are dead");
            Vec::new()
        });
        if lock(&self.failing).is_none()
            && let Ok(known) = self.store.reaches().await
        {
            let failing = known.into_iter().filter(|(.., reach)| reach.failures > 0);
            let failing = failing.map(|(person, contact, _)| (person, contact)).collect();
            lock(&self.failing).get_or_insert(failing);
        }
        Arc::new(dead.into_iter().collect())
    }

    /// What a page to a dead contact comes to, without being sent. Where all contacts of a person that are of as much use
    /// are dead, they are used all the same.
    fn gone(&self, reached: &Reached, dead: &HashSet<Reached>) -> Option<Outcome> {
        if !dead.contains(reached) {
            return None;
        }
        let (name, _) = reached;
        let definitions = self.store.definitions();
        let person = definitions.directory().people.get(name)?;
        let is_alive = |contact: &&Contact| !dead.contains(&(name.clone(), (*contact).clone()));
        // What can wake is given up only for something else that can: three failures may be a provider's.
        let must_wake = reached.1.kind().can_wake();
        let mut others = person.contacts.iter().filter(is_alive);
        let why = format!("the last {DEAD_AFTER} messages there failed; it has to be verified again");
        others
            .any(|contact| !must_wake || contact.kind().can_wake())
            .then_some(Outcome::Refused { why, refusal: Refusal::Contact })
    }

    /// Counts what was given up, and tells the owner of a contact that is not used any more.
    async fn remember(&self, reached: Reached, outcome: &Outcome) {
        let is_failing = lock(&self.failing).as_ref().is_some_and(|failing| failing.contains(&reached));
        let done = match outcome {
            Outcome::Accepted { .. } if is_failing => {
                let (person, contact) = reached.clone();
                self.store.contact_worked(person, contact).await.map(|()| {
                    lock(&self.failing).as_mut().map(|failing| failing.remove(&reached));
                })
            }
            Outcome::Refused { why, refusal: Refusal::Contact } => {
                lock(&self.failing).as_mut().map(|failing| failing.insert(reached.clone()));
                self.count_failure(reached, why).await
            }
            _ => Ok(()),
        };
        if let Err(error) = done {
            tracing::error!(%error, "it could not be stored how a contact does");
        }
    }

    async fn count_failure(&self, (person, contact): Reached, why: &str) -> Result<(), StoreError> {
        if !self.store.contact_failed(person.clone(), contact.clone()).await? {
            return Ok(());
        }
        self.store.warn_person(person, told_dead(&contact, why), contact).await
    }

    /// What the operators have to be told after an outcome: of the channel's own providers, and of an account that
    /// does not let us send.
    async fn tell_of_trouble(&self, kind: Kind, outcome: &Outcome) {
        let channel = self.channels.get(kind);
        for trouble in channel.map(|channel| channel.take_trouble()).unwrap_or_default() {
            self.warn_operators(trouble, None).await;
        }
        if let Outcome::Refused { why, refusal: Refusal::Account } = outcome {
            let word = kind.word();
            let text = format!(
                "Something for {word} contacts was refused by our account: {why}. Look at the account, and at its entry \
                 in the configuration; until then people are paged through their next contacts."
            );
            self.tell_operators(format!("the account of {word}"), text, Some(kind)).await;
        }
    }

    /// Tells the operators something about `what`, once an hour.
    async fn tell_operators(&self, what: String, text: String, not_by: Option<Kind>) {
        let now = self.clock.now();
        {
            let mut told = lock(&self.told);
            if told.get(&what).is_some_and(|at| *at + TELL_AGAIN > now) {
                return;
            }
            told.retain(|_, at| *at + TELL_AGAIN > now);
            told.insert(what, now);
        }
        self.warn_operators(text, not_by).await;
    }

    /// Tells the operators by every kind of contact but `not_by` and those whose providers all are in trouble.
    async fn warn_operators(&self, text: String, not_by: Option<Kind>) {
        tracing::error!("{text}");
        let not_by = self.channels.unfit().into_iter().chain(not_by).collect();
        if let Err(error) = self.store.warn_operators(text, not_by).await {
            tracing::error!(%error, "the operators could not be warned");
        }
    }

    /// Gives a short message the codes by which it is answered. An outcome when it is not to be sent.
    async fn prepare_sms(&self, claim: &Claim, message: &mut Message) -> Option<Outcome> {
        let delivery = &claim.delivery;
        let held = std::iter::once(claim).chain(&claim.others);
        let alerts = held.filter(|claim| claim.page.is_some() && claim.delivery.purpose == Purpose::Page);
        let alerts: Vec<_> = alerts.filter_map(|claim| claim.delivery.alert).collect();
        let terms =
            self.store.reply_terms(delivery.contact.clone(), delivery.person.clone(), alerts.clone()).await;
        let terms = match terms {
            Ok(terms) => terms,
            Err(error) => {
                // A page without a code is better than no page: it can be answered elsewhere.
                tracing::error!(%error, delivery = %delivery.id, "a message goes out without a code");
                return None;
            }
        };
        if let Some(at) = terms.stopped_at {
            let why = format!("this number said STOP at {at}; it has to send START to get messages again");
            return Some(Outcome::Refused { why, refusal: Refusal::Message });
        }
        let code_of = |alert: &Option<Alert>| {
            let id = alert.as_ref()?.id;
            let place = alerts.iter().position(|known| *known == id)?;
            terms.codes.get(place).cloned()
        };
        message.code = code_of(&message.subject);
        for other in &mut message.others {
            other.code = code_of(&other.subject);
        }
        None
    }

    fn compose(&self, claim: &Claim, now: Timestamp) -> Message {
        let definitions = self.store.definitions();
        let addresses = Addresses {
            public_url: &self.public_url,
            page: &|page| self.links.path(page),
            all: &|message| self.links.path_of_all(message),
            reply: &|message| self.links.reply_code(message),
            code: &|press, about| self.links.code(press, about),
        };
        compose(claim, definitions.directory(), &addresses, now)
    }

    async fn settle(&self, id: DeliveryId, token: u8, outcome: Outcome, within: Option<SignedDuration>) {
        for _ in 0..SETTLE_TRIES {
            let settled = match within {
                Some(within) => self.store.settle_awaiting(id, token, outcome.clone(), within).await,
                None => self.store.settle(id, token, outcome.clone()).await,
            };
            match settled {
                Ok(()) => return,
                Err(StoreError::Stopped) => break,
                Err(error) => tracing::error!(%error, delivery = %id, "an outcome could not be stored yet"),
            }
            sleep_until(&*self.clock, self.clock.now() + SETTLE_PAUSE).await;
        }
        tracing::error!(delivery = %id, %outcome, "an outcome was not stored; the lease's end makes it unknown");
    }

    /// Runs until told to stop; then waits for the sends that are under way.
    pub async fn run(self, mut shutdown: Shutdown) {
        let mut sends = JoinSet::new();
        loop {
            let ready = self.store.signals().deliveries.notified();
            let freed = self.busy.freed.notified();
            let next = self.turn(&mut sends).await.unwrap_or_else(|error| {
                tracing::error!(%error, "deliveries could not be claimed; it is tried again");
                None
            });
            while sends.try_join_next().is_some() {}
            let poll = self.clock.now() + crate::engine::POLL;
            let until = next.map_or(poll, |next| next.min(poll));
            tokio::select! {
                () = ready => {}
                () = freed => {}
                () = self.clock.wait_until(until) => {}
                () = shutdown.asked() => break,
            }
        }
        while sends.join_next().await.is_some() {}
    }
}

/// A place at a provider, given back when dropped.
struct Held {
    busy: Arc<Busy>,
    provider: String,
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut by_provider = lock(&self.busy.by_provider);
        let Some(count) = by_provider.get_mut(&self.provider) else { return };
        let was_full = *count >= places(&self.provider);
        *count -= 1;
        if *count == 0 {
            by_provider.remove(&self.provider);
        }
        if was_full {
            // Only a full provider can have left something unclaimed.
            self.busy.freed.notify_one();
        }
    }
}
