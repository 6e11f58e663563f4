//! Channels: how one message gets to one contact. One file a channel.
//!
//! A channel is given a finished [`Message`] and says what came of it. It knows nothing of alerts' rules,
//! of retries or of the store: those are decided in the `escalation` crate.

pub mod email;
pub mod gateway;
pub mod handset;
pub mod mailgun;
pub mod mattermost;
pub mod ntfy;
pub mod providers;
pub mod push;
pub mod pushover;
pub(crate) mod request;
pub mod slack;
pub mod teams;
pub mod telegram;
pub mod twilio;
pub mod vonage;
pub mod webhook;
pub(crate) mod xml;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use escalation::contact::Kind;
use escalation::delivery::Outcome;
use jiff::SignedDuration;

use crate::message::Message;

/// What a send comes to, when it does.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A way to carry messages.
pub trait Channel: Send + Sync + 'static {
    /// Sends one message. The caller stops waiting after the deadline, and then counts the outcome as
    /// unknown; what is dropped then must leave nothing half done on our side.
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a>;

    /// How long after this outcome the provider says what became of the message; none: it never does.
    fn receipt_within(&self, _outcome: &Outcome) -> Option<SignedDuration> {
        None
    }

    /// What the operators have to be told of its providers, each thing once.
    fn take_trouble(&self) -> Vec<String> {
        Vec::new()
    }

    /// What is wrong with its providers now, each in a sentence without its end.
    fn ailing(&self) -> Vec<String> {
        Vec::new()
    }

    /// Whether one of its providers can be asked now, as far as is known.
    fn is_fit(&self) -> bool {
        true
    }

    /// Whether a message that was sent can be changed: then it is, when its alerts are.
    fn can_amend(&self) -> bool {
        false
    }

    /// Changes the message that the provider calls `provider_id`, so that it says `message`. Only asked of a
    /// channel that can.
    fn amend<'a>(&'a self, message: &'a Message, provider_id: &'a str) -> Sending<'a> {
        let _ = (message, provider_id);
        Box::pin(std::future::ready(Outcome::Accepted { provider_id: String::new() }))
    }
}

/// Every channel there is, by the kind of contact that it serves.
#[derive(Clone, Default)]
pub struct Channels(HashMap<Kind, Arc<dyn Channel>>);

impl Channels {
    /// Adds, or replaces, the channel for a kind of contact.
    #[must_use]
    pub fn with(mut self, kind: Kind, channel: impl Channel) -> Self {
        self.0.insert(kind, Arc::new(channel));
        self
    }

    /// The kinds that there is a channel for.
    pub fn kinds(&self) -> Arc<[Kind]> {
        self.0.keys().copied().collect()
    }

    /// What is wrong with the providers of any of them now, each thing once.
    pub fn ailing(&self) -> Vec<String> {
        let mut all: Vec<String> = self.0.values().flat_map(|channel| channel.ailing()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The kinds through which nothing gets out now, as far as is known.
    pub fn unfit(&self) -> Vec<Kind> {
        self.0.iter().filter(|(_, channel)| !channel.is_fit()).map(|(kind, _)| *kind).collect()
    }

    /// The channel for a kind of contact, if it is set up.
    pub fn get(&self, kind: Kind) -> Option<Arc<dyn Channel>> {
        self.0.get(&kind).cloned()
    }
}
