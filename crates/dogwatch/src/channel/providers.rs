//! Providers: several services that carry the same kind of message, in order, each looked after by itself.
//!
//! The first try of a delivery goes to the first provider that is fit, the next try to the one after it. One
//! that hangs holds only its own places; one that fails again and again is left alone for a while; one whose
//! account is in trouble (a wrong password, no money) is told to the operators. What a provider's own protocol
//! looks like is in the file of its kind.

pub mod exchange;
pub mod health;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use escalation::contact::Kind;
use escalation::delivery::Outcome;
use jiff::{SignedDuration, Timestamp};

use tokio::sync::Notify;

use super::{Channel, Sending};
use crate::clock::{Clock, lock};
use crate::message::Message;
use health::{Health, Limits, Unfit};

/// The longest that a provider may ask to be left alone.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_mins(5);
/// After a refusal that another provider may not share, the delivery is soon ready again.
const SOON: SignedDuration = SignedDuration::from_secs(2);

/// How long a place is waited for where all providers have what they bear.
const PATIENCE: SignedDuration = SignedDuration::from_secs(4);

/// What a provider did with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// It took it, under this name.
    Taken(String),
    /// It will not send this; with `permanent` nobody will.
    Refused {
        /// Why, for people.
        why: String,
        /// It lies in the message or the number.
        permanent: bool,
    },
    /// It did not send it, and wants to be left alone for a while.
    Later {
        /// For how long.
        pause: SignedDuration,
        /// Why, for people.
        why: String,
    },
    /// It could not, by a fault of its own. Nothing was sent.
    Failed(String),
    /// It may have sent it or not.
    Unknown(String),
    /// It does not let us: the account is in trouble. Nothing was sent.
    Account(String),
}

/// What carrying comes to, when it does.
pub type Carrying<'a> = Pin<Box<dyn Future<Output = Carried> + Send + 'a>>;

/// A service that carries messages to telephones.
pub trait Provider: Send + Sync + 'static {
    /// Hands over one message. Dropped, it leaves nothing half done on our side.
    fn carry<'a>(&'a self, message: &'a Message) -> Carrying<'a>;

    /// How long after it took a message of this kind it says what became of it; none: it never does.
    fn receipt_within(&self, kind: Kind) -> Option<SignedDuration>;
}

/// One provider under its name.
#[derive(Clone)]
pub struct Named {
    name: Arc<str>,
    provider: Arc<dyn Provider>,
    health: Arc<Mutex<Health>>,
}

impl Named {
    /// A provider under a name, with what it bears. Copies share its health.
    pub fn new(name: &str, provider: Arc<dyn Provider>, limits: Limits) -> Self {
        Self { name: name.into(), provider, health: Arc::new(Mutex::new(Health::new(limits))) }
    }
}

/// The channel of a kind of message that several providers carry.
pub struct Providers {
    kind: Kind,
    inner: Vec<Named>,
    clock: Arc<dyn Clock>,
    trouble: Mutex<Vec<String>>,
    freed: Notify,
}

impl Providers {
    /// The channel for `kind`, through these providers in order.
    pub fn new(kind: Kind, providers: Vec<Named>, clock: Arc<dyn Clock>) -> Self {
        Self { kind, inner: providers, clock, trouble: Mutex::default(), freed: Notify::new() }
    }

    /// The provider whose turn it is, with a place at it. Where all have what they bear, a place is waited for.
    async fn choose(&self, attempt: u8) -> Result<Place<'_>, Outcome> {
        let give_up = self.clock.now() + PATIENCE;
        loop {
            let freed = self.freed.notified();
            let now = self.clock.now();
            match self.look(attempt, now) {
                Ok(place) => return Ok(place),
                Err(None) => return Err(self.none_is_fit(now)),
                Err(Some(_)) if now >= give_up => return Err(self.none_is_fit(now)),
                Err(Some(until)) => tokio::select! {
                    () = freed => {}
                    () = self.clock.wait_until(until) => {}
                },
            }
        }
    }

    /// A place at the first that is fit; else when to look again, if waiting is of any use.
    fn look(&self, attempt: u8, now: Timestamp) -> Result<Place<'_>, Option<Timestamp>> {
        let first = usize::from(attempt.saturating_sub(1));
        let mut again = None;
        for place in 0..self.inner.len() {
            let named = &self.inner[(first + place) % self.inner.len()];
            match lock(&named.health).begin(now) {
                Ok(()) => return Ok(Place { named, channel: self, is_settled: false }),
                Err(Unfit::Full(until)) => again = Some(again.map_or(until, |at: Timestamp| at.min(until))),
                Err(Unfit::Held(_) | Unfit::Resting(..)) => {}
            }
        }
        Err(again)
    }

    /// Why nobody can be asked, and when somebody can.
    fn none_is_fit(&self, now: Timestamp) -> Outcome {
        let (mut soonest, mut whys) = (None::<Timestamp>, Vec::new());
        for named in &self.inner {
            let (until, why) = match lock(&named.health).unfit(now) {
                None => continue,
                Some(Unfit::Full(until) | Unfit::Held(until)) => (until, format!("{} is busy", named.name)),
                Some(Unfit::Resting(until, why)) => {
                    (until, format!("{} is left alone for a while: {why}", named.name))
                }
            };
            soonest = Some(soonest.map_or(until, |soonest| soonest.min(until)));
            whys.push(why);
        }
        let pause = soonest.map_or(SOON, |at| at.duration_since(now));
        Outcome::RetryAfter { pause, why: whys.join("; ") }
    }

    async fn carry(&self, message: &Message) -> Outcome {
        let mut place = match self.choose(message.attempt).await {
            Ok(place) => place,
            Err(outcome) => return outcome,
        };
        let carried = place.named.provider.carry(message).await;
        place.is_settled = true;
        let now = self.clock.now();
        let name = &place.named.name;
        let mut health = lock(&place.named.health);
        let said = |why: String| format!("{name}: {why}");
        match carried {
            Carried::Taken(id) => {
                health.well();
                Outcome::Accepted { provider_id: format!("{name} {id}") }
            }
            Carried::Refused { why, permanent } => {
                health.well();
                Outcome::Refused { why: said(why), permanent }
            }
            Carried::Later { pause, why } => {
                let pause = pause.clamp(SignedDuration::from_secs(1), LONGEST_HOLD);
                health.hold(now + pause);
                // Another provider need not wait for this one.
                let pause = if self.inner.len() > 1 { SOON } else { pause };
                Outcome::RetryAfter { pause, why: said(why) }
            }
            Carried::Failed(why) => {
                health.failed(now, &why);
                Outcome::Refused { why: said(why), permanent: false }
            }
            Carried::Unknown(why) => {
                health.failed(now, &why);
                Outcome::Unknown { why: said(why) }
            }
            Carried::Account(why) => {
                if health.account_in_trouble(now, &why) {
                    lock(&self.trouble).push(format!(
                        "The provider {name} does not let us send: {why}. Look at its account and at its entry in \
                         the configuration; until then {} goes through other providers and contacts.",
                        self.kind.word()
                    ));
                }
                Outcome::Refused { why: said(why), permanent: false }
            }
        }
    }
}

impl Channel for Providers {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(self.carry(message))
    }

    fn receipt_within(&self, outcome: &Outcome) -> Option<SignedDuration> {
        let Outcome::Accepted { provider_id } = outcome else { return None };
        let (name, _) = provider_id.split_once(' ')?;
        self.inner.iter().find(|named| &*named.name == name)?.provider.receipt_within(self.kind)
    }

    fn take_trouble(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.trouble))
    }
}

/// A place at a provider, given back when dropped. One that is dropped without an answer was waited for in vain.
struct Place<'a> {
    named: &'a Named,
    channel: &'a Providers,
    is_settled: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut health = lock(&self.named.health);
        health.end();
        if !self.is_settled {
            health.failed(self.channel.clock.now(), "no answer in time");
        }
        drop(health);
        self.channel.freed.notify_waiters();
    }
}
