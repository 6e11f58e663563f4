//! Messages in chats: changes what they say when how their alerts stand has changed. Calls that still ring then end.
//!
//! Nobody waits for it. A message that can't be changed is tried a few times and then left as it is; its buttons
//! still tell the truth when they are pressed.

use std::sync::Arc;

use escalation::delivery::{Outcome, SEND_DEADLINE};
use jiff::{SignedDuration, Timestamp};

use crate::channel::Channels;
use crate::clock::{Clock, sleep_until};
use crate::message::template::Templates;
use crate::message::{Addresses, Message, compose, headline_in, say, sentence};
use crate::reply::AnswerLinks;
use crate::shutdown::Shutdown;
use crate::store::{Claim, Stale, Store, StoreError};
use crate::timeline::standing;

/// Messages changed in one turn.
const BATCH: usize = 20;
/// The least time between two turns: a storm changes much at once.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);
/// The most time between two turns.
const POLL: SignedDuration = SignedDuration::from_mins(1);
/// The pause after the first failure; it grows with each.
const AGAIN: SignedDuration = SignedDuration::from_secs(5);
/// Failures after which a message is left as it is.
const MAX_TRIES: u32 = 5;

/// Changes messages.
#[derive(Clone)]
pub struct Amender {
    store: Store,
    clock: Arc<dyn Clock>,
    channels: Channels,
    links: AnswerLinks,
    public_url: Arc<str>,
    templates: Templates,
}

impl Amender {
    /// Changes messages through `channels`.
    pub fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        channels: Channels,
        links: AnswerLinks,
        public_url: &str,
    ) -> Self {
        let public_url = public_url.trim_end_matches('/').into();
        Self { store, clock, channels, links, public_url, templates: Templates::default() }
    }

    /// With words of the operators in the place of ours.
    #[must_use]
    pub fn with_templates(mut self, templates: Templates) -> Self {
        self.templates = templates;
        self
    }

    /// Runs until told to stop.
    pub async fn run(self, mut shutdown: Shutdown) {
        let mut changed = self.store.signals().changed.subscribe();
        loop {
            changed.mark_unchanged();
            let next = self.turn().await.unwrap_or_else(|error| {
                tracing::error!(%error, "messages in chats could not be looked at; it is tried again");
                None
            });
            let began = self.clock.now();
            let until = next.unwrap_or(began + POLL).max(began + PAUSE);
            tokio::select! {
                _ = changed.changed() => sleep_until(&*self.clock, began + PAUSE).await,
                () = self.clock.wait_until(until) => {}
                () = shutdown.asked() => return,
            }
        }
    }

    /// Changes the messages that say something else than how their alerts stand. Returns when there may be more.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: what was not changed is looked at again.
    pub async fn turn(&self) -> Result<Option<Timestamp>, StoreError> {
        let now = self.clock.now();
        let (stale, later) = self.store.stale_messages(now, BATCH).await?;
        let full = stale.len() == BATCH;
        let changes = stale.into_iter().map(|stale| self.amend(stale, now));
        let failed = futures_util::future::try_join_all(changes).await?;
        let more = full.then_some(now);
        Ok(failed.into_iter().flatten().chain(later).chain(more).min())
    }

    /// Changes one message. Returns when it is to be tried again.
    async fn amend(&self, stale: Stale, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let channel = self.channels.get(stale.contact.kind()).filter(|channel| channel.can_amend());
        let claim = self.store.message(stale.delivery).await?;
        let (Some(channel), Some(claim)) = (channel, claim) else {
            return self.store.message_failed(stale.delivery, None).await.map(|()| None);
        };
        let message = self.compose(&claim, now);
        let outcome = tokio::select! {
            biased;
            outcome = channel.amend(&message, &stale.provider_id) => outcome,
            () = sleep_until(&*self.clock, now + SEND_DEADLINE) => {
                Outcome::Unknown { why: "no answer within 10 s".to_owned() }
            }
        };
        let pause = match &outcome {
            Outcome::Accepted { .. } => return self.store.message_shows(&claim).await.map(|()| None),
            Outcome::Refused { refusal, .. } if refusal.is_permanent() => None,
            _ if stale.tries + 1 >= MAX_TRIES => None,
            Outcome::RetryAfter { pause, .. } => Some(*pause),
            Outcome::Refused { .. } | Outcome::Unknown { .. } => {
                Some(AGAIN * i32::try_from(stale.tries + 1).unwrap_or(1))
            }
        };
        tracing::info!(contact = %stale.contact, %outcome, "a message in a chat could not be changed");
        let again = pause.map(|pause| now + pause);
        self.store.message_failed(stale.delivery, again).await?;
        Ok(again)
    }

    /// The message, with how everything stands now in the place of the question.
    fn compose(&self, claim: &Claim, now: Timestamp) -> Message {
        let definitions = self.store.definitions();
        let addresses = Addresses {
            public_url: &self.public_url,
            page: &|page| self.links.path(page),
            all: &|message| self.links.path_of_all(message),
            reply: &|message| self.links.reply_code(message),
            code: &|press, about| self.links.code(press, about),
        };
        let mut message = compose(claim, definitions.directory(), &addresses, now);
        // One that fails has been told of when the message was sent.
        let _ = self.templates.reword(&mut message);
        let language = message.language();
        let held = || std::iter::once(claim).chain(&claim.others).filter_map(|claim| claim.alert.as_ref());
        if claim.others.is_empty() {
            for alert in held() {
                let standing = sentence(&say(&standing(alert), language));
                let about = match message.is_reworded {
                    true => message.headline.clone(),
                    false => headline_in(alert, language),
                };
                message.headline = format!("{standing}: {about}");
                // In the place of what its reader is asked.
                message.lines.pop();
            }
        } else {
            message.lines = held()
                .map(|alert| {
                    let standing = say(&standing(alert), language);
                    format!("#{} {}: {standing}", alert.number, headline_in(alert, language))
                })
                .collect();
        }
        message
    }
}
