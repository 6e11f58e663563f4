//! Providers: the services that carry one kind of message, in order, each looked after by itself.
//!
//! The first try of a delivery goes to the first provider that is fit, the next try to the one after it. One
//! that hangs holds only its own places; one that fails again and again is left alone for a while; one whose
//! account is in trouble (a wrong password, no money) is told to the operators. All nodes share what they learn of a
//! provider, and what may be sent to it in a second. What a provider's own protocol
//! looks like is in the file of its kind.

pub mod exchange;
pub mod health;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use escalation::contact::Kind;
use escalation::delivery::{Outcome, Refusal};
use jiff::{SignedDuration, Timestamp};

use tokio::sync::Notify;

use super::{Channel, Sending};
use crate::clock::{Clock, lock};
use crate::message::Message;
use crate::store::Store;
use crate::store::nodes::Standing;
use health::{Came, Health, Limits, Turn, Unfit, note};

/// The longest that a provider may ask to be left alone.
const LONGEST_HOLD: SignedDuration = SignedDuration::from_mins(5);
/// From so many a second on, nodes do not count together.
const UNCOUNTED: u32 = 1_000;
/// After a refusal that another provider may not share, the delivery is soon ready again.
const SOON: SignedDuration = SignedDuration::from_secs(2);

/// How long a place is waited for where all providers have what they bear.
const PATIENCE: SignedDuration = SignedDuration::from_secs(4);

/// What a provider did with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// It took it, under this name.
    Taken(String),
    /// It will not send this; nobody will, unless the refusal is a passing one.
    Refused {
        /// Why, for people.
        why: String,
        /// What it speaks against.
        refusal: Refusal,
    },
    /// It did not send it, and wants to be left alone for a while.
    Later {
        /// For how long.
        pause: SignedDuration,
        /// Why, for people.
        why: String,
    },
    /// It did not send this one, and will in a while; of others it says nothing.
    Wait {
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

/// A service that carries messages.
pub trait Provider: Send + Sync + 'static {
    /// Hands over one message. Dropped, it leaves nothing half done on our side.
    fn carry<'a>(&'a self, message: &'a Message) -> Carrying<'a>;

    /// How long after it took a message of this kind it says what became of it; none: it never does.
    fn receipt_within(&self, _kind: Kind) -> Option<SignedDuration> {
        None
    }

    /// Whether it can change what it has taken of this kind: a message in a chat, a call that still rings.
    fn can_amend(&self, _kind: Kind) -> bool {
        false
    }

    /// Changes what it calls `id`, so that it says `message`.
    fn amend<'a>(&'a self, message: &'a Message, id: &'a str) -> Carrying<'a> {
        let _ = message;
        Box::pin(std::future::ready(Carried::Taken(id.to_owned())))
    }
}

/// A channel of one service, as a provider: with others of its kind behind it, or alone.
pub struct Sole<C>(pub C);

impl<C: Channel> Provider for Sole<C> {
    fn carry<'a>(&'a self, message: &'a Message) -> Carrying<'a> {
        Box::pin(async { Carried::of(self.0.send(message).await) })
    }

    fn can_amend(&self, _: Kind) -> bool {
        self.0.can_amend()
    }

    fn amend<'a>(&'a self, message: &'a Message, id: &'a str) -> Carrying<'a> {
        Box::pin(async move { Carried::of(self.0.amend(message, id).await) })
    }
}

impl Carried {
    /// What an outcome of a channel is to a provider.
    pub fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Accepted { provider_id } => Self::Taken(provider_id),
            Outcome::Refused { why, refusal: Refusal::Passing } => Self::Failed(why),
            // What it does not let us do may be about one channel, one mailbox: all others are still carried.
            Outcome::Refused { why, refusal } => Self::Refused { why, refusal },
            // A chat that is written to too often says nothing of other chats.
            Outcome::RetryAfter { pause, why } => Self::Wait { pause, why },
            Outcome::Unknown { why } => Self::Unknown(why),
        }
    }
}

/// What a provider itself calls a message, of the name under which the message is stored: the provider's comes first.
pub fn own_id(provider_id: &str) -> &str {
    provider_id.split_once(' ').map_or(provider_id, |(_, id)| id)
}

/// One provider under its name.
#[derive(Clone)]
pub struct Named {
    name: Arc<str>,
    /// Under which all nodes know how it is doing.
    key: Arc<str>,
    provider: Arc<dyn Provider>,
    health: Arc<Mutex<Health>>,
    store: Store,
}

impl Named {
    /// A provider under a name, with what it bears. Copies share its health, and so do all nodes over one database.
    pub fn new(name: &str, provider: Arc<dyn Provider>, limits: Limits, store: Store) -> Self {
        let health = Arc::new(Mutex::new(Health::new(limits)));
        Self { name: name.into(), key: name.into(), provider, health, store }
    }

    /// The same, known to all nodes under a key that no provider of another kind has.
    #[must_use]
    pub fn keyed(mut self, kind: &str) -> Self {
        self.key = format!("{kind} {}", self.name).into();
        self
    }

    /// Notes a turn for all nodes. Where they can't be asked, this node goes by what it knows.
    async fn note(&self, turn: Turn, now: Timestamp) -> Came {
        let was_well = lock(&self.health).is_well();
        let came = lock(&self.health).note(&turn, now);
        // That it is as well as it was is no news to anybody.
        if turn == Turn::Well && was_well {
            return came;
        }
        self.share(turn).await.unwrap_or(came)
    }

    /// Lets all nodes know of a turn; what it comes to for them, if there are any.
    async fn share(&self, turn: Turn) -> Option<Came> {
        let note = move |standing: &mut Standing, now| note(standing, &turn, now);
        match self.store.change_standing(self.key.to_string(), note).await {
            Ok(shared) => shared.map(|(came, standing)| {
                lock(&self.health).know(standing);
                came
            }),
            Err(error) => {
                tracing::warn!(%error, provider = %self.name, "how it is doing is not known to all nodes");
                None
            }
        }
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
            match self.look(attempt, now).await {
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
    async fn look(&self, attempt: u8, now: Timestamp) -> Result<Place<'_>, Option<Timestamp>> {
        let first = usize::from(attempt.saturating_sub(1));
        let mut again = None;
        for place in 0..self.inner.len() {
            let named = &self.inner[(first + place) % self.inner.len()];
            match self.place(named, now).await {
                Ok(place) => return Ok(place),
                Err(Unfit::Full(until)) => again = Some(again.map_or(until, |at: Timestamp| at.min(until))),
                Err(Unfit::Held(_) | Unfit::Resting(..)) => {}
            }
        }
        Err(again)
    }

    /// A place at a provider, if neither this node nor all together have sent it what it bears.
    async fn place<'a>(&'a self, named: &'a Named, now: Timestamp) -> Result<Place<'a>, Unfit> {
        lock(&named.health).begin(now)?;
        let mut place = Place { named, channel: self, left: Left::Unused };
        let per_second = lock(&named.health).limits().per_second;
        let begin = Turn::Begin(per_second);
        // Where so much may begin in a second there is nothing to count together.
        if per_second >= UNCOUNTED {
            place.left = Left::InVain;
            return Ok(place);
        }
        if let Some(Came::Unfit(unfit)) = named.share(begin).await {
            return Err(unfit);
        }
        place.left = Left::InVain;
        Ok(place)
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
        place.left = Left::Settled;
        let now = self.clock.now();
        let name = &place.named.name;
        let named = place.named;
        let said = |why: String| format!("{name}: {why}");
        match carried {
            Carried::Taken(id) => {
                named.note(Turn::Well, now).await;
                // Whose it is matters only where several can be asked about it later.
                let is_phone = matches!(self.kind, Kind::Sms | Kind::Phone);
                Outcome::Accepted { provider_id: if is_phone { format!("{name} {id}") } else { id } }
            }
            Carried::Refused { why, refusal } => {
                named.note(Turn::Well, now).await;
                Outcome::Refused { why: said(why), refusal }
            }
            Carried::Later { pause, why } => {
                let pause = pause.clamp(SignedDuration::from_secs(1), LONGEST_HOLD);
                named.note(Turn::Hold(now + pause), now).await;
                // Another provider need not wait for this one.
                let pause = if self.inner.len() > 1 { SOON } else { pause };
                Outcome::RetryAfter { pause, why: said(why) }
            }
            Carried::Wait { pause, why } => Outcome::RetryAfter { pause, why: said(why) },
            Carried::Failed(why) => {
                named.note(Turn::Failed(why.clone()), now).await;
                Outcome::Refused { why: said(why), refusal: Refusal::Passing }
            }
            Carried::Unknown(why) => {
                named.note(Turn::Failed(why.clone()), now).await;
                Outcome::Unknown { why: said(why) }
            }
            Carried::Account(why) => {
                if named.note(Turn::Account(why.clone()), now).await == Came::Tell {
                    lock(&self.trouble).push(format!(
                        "The provider {name} does not let us send: {why}. Look at its account and at its entry in \
                         the configuration; until then {} goes through other providers and contacts.",
                        self.kind.word()
                    ));
                }
                Outcome::Refused { why: said(why), refusal: Refusal::Passing }
            }
        }
    }
}

impl Providers {
    /// Changes a message through the provider that took it. Its health is no matter here: nobody waits for this, and one
    /// that is away is asked again.
    async fn change(&self, message: &Message, provider_id: &str) -> Outcome {
        let name = provider_id.split_once(' ').map_or("", |(name, _)| name);
        let named = self.inner.iter().find(|named| &*named.name == name);
        // Of most kinds there is one provider, whose name need not be kept.
        let Some(named) = named.or_else(|| self.inner.first().filter(|_| name.is_empty())) else {
            return Outcome::Refused {
                why: "its provider is not set up any more".to_owned(),
                refusal: Refusal::Message,
            };
        };
        match named.provider.amend(message, own_id(provider_id)).await {
            Carried::Taken(_) => Outcome::Accepted { provider_id: provider_id.to_owned() },
            Carried::Refused { why, refusal } => Outcome::Refused { why, refusal },
            Carried::Later { pause, why } | Carried::Wait { pause, why } => {
                Outcome::RetryAfter { pause, why }
            }
            Carried::Failed(why) | Carried::Account(why) => {
                Outcome::Refused { why, refusal: Refusal::Passing }
            }
            Carried::Unknown(why) => Outcome::Unknown { why },
        }
    }
}

impl Channel for Providers {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(self.carry(message))
    }

    fn can_amend(&self) -> bool {
        self.inner.iter().any(|named| named.provider.can_amend(self.kind))
    }

    fn amend<'a>(&'a self, message: &'a Message, provider_id: &'a str) -> Sending<'a> {
        Box::pin(self.change(message, provider_id))
    }

    fn receipt_within(&self, outcome: &Outcome) -> Option<SignedDuration> {
        let Outcome::Accepted { provider_id } = outcome else { return None };
        let (name, _) = provider_id.split_once(' ')?;
        self.inner.iter().find(|named| &*named.name == name)?.provider.receipt_within(self.kind)
    }

    fn ailing(&self) -> Vec<String> {
        let now = self.clock.now();
        let told = self.inner.iter().filter_map(|named| match lock(&named.health).unfit(now) {
            Some(Unfit::Resting(_, why)) => {
                Some(format!("The provider {} is left alone for a while: {why}", named.name))
            }
            _ => None,
        });
        told.collect()
    }

    fn is_fit(&self) -> bool {
        let now = self.clock.now();
        let is_resting = |named: &Named| matches!(lock(&named.health).unfit(now), Some(Unfit::Resting(..)));
        !self.inner.iter().all(is_resting)
    }

    fn take_trouble(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.trouble))
    }
}

/// A place at a provider, given back when dropped.
struct Place<'a> {
    named: &'a Named,
    channel: &'a Providers,
    left: Left,
}

/// How a place is left.
#[derive(PartialEq, Eq)]
enum Left {
    /// Nothing was sent.
    Unused,
    /// There was no answer in time.
    InVain,
    /// There was one.
    Settled,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        lock(&self.named.health).end();
        if self.left == Left::InVain {
            let failed = Turn::Failed("no answer in time".to_owned());
            lock(&self.named.health).note(&failed, self.channel.clock.now());
            let named = self.named.clone();
            // A runtime that ends has nothing more to send.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(async move { named.share(failed).await });
            }
        }
        if self.left != Left::Unused {
            self.channel.freed.notify_waiters();
        }
    }
}
