//! Messages acknowledged in Pushover: we ask for the receipts of those that still ring, so that no port of ours has
//! to be open to anybody.

use std::sync::Arc;

use escalation::contact::{Contact, Kind};
use escalation::delivery::Outcome;
use escalation::event::Via;
use jiff::{SignedDuration, Timestamp};

use super::holder;
use crate::channel::providers::own_id;
use crate::channel::pushover::{Client, Receipt};
use crate::clock::Clock;
use crate::reply::{answer_message, sole_owner};
use crate::shutdown::Shutdown;
use crate::store::{Stale, Store, StoreError};

/// How often: Pushover allows one question for a receipt in five seconds.
const EVERY: SignedDuration = SignedDuration::from_secs(5);

/// For how long one of several nodes asks alone.
const TURN: SignedDuration = SignedDuration::from_secs(30);

/// Asks for receipts and does what was acknowledged.
pub struct Pushover {
    store: Store,
    clock: Arc<dyn Clock>,
    client: Client,
    /// Which of several nodes this is.
    node: String,
}

impl Pushover {
    /// Asks through `client`.
    pub fn new(store: Store, clock: Arc<dyn Clock>, client: Client) -> Self {
        Self { store, clock, client, node: holder() }
    }

    /// Runs until told to stop.
    pub async fn run(self, mut shutdown: Shutdown) {
        loop {
            let next = self.clock.now() + EVERY;
            tokio::select! {
                turn = self.take_turn() => if let Err(error) = turn {
                    tracing::error!(%error, "what was acknowledged in Pushover could not be stored; it is tried again");
                },
                () = shutdown.asked() => return self.stop().await,
            }
            while self.clock.now() < next {
                tokio::select! {
                    () = self.clock.wait_until(next) => {}
                    () = shutdown.asked() => return self.stop().await,
                }
            }
        }
    }

    /// Another node need not wait.
    async fn stop(&self) {
        if let Err(error) = self.store.give_turn("pushover", &self.node).await {
            tracing::debug!(%error, "the turn ends by itself");
        }
    }

    /// One turn, if it is this node's: Pushover counts the questions.
    async fn take_turn(&self) -> Result<(), StoreError> {
        match self.store.take_turn("pushover", &self.node, TURN).await? {
            true => self.turn().await,
            false => Ok(()),
        }
    }

    /// Asks once for every message whose alerts wait for an answer.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: what was acknowledged is asked for again.
    pub async fn turn(&self) -> Result<(), StoreError> {
        for message in self.store.messages_to(Kind::Pushover.word()).await? {
            match self.client.receipt(own_id(&message.provider_id)).await {
                Ok(Some(receipt)) if receipt.acknowledged == 1 => {
                    self.acknowledge(&message, &receipt).await?
                }
                Ok(Some(receipt)) if receipt.expired == 1 => {
                    self.store.message_failed(message.delivery, None).await?;
                }
                Ok(Some(_)) => {}
                // One that does not ring has no receipt.
                Ok(None) => self.store.message_failed(message.delivery, None).await?,
                Err(Outcome::Refused { refusal, why }) if refusal.is_permanent() => {
                    tracing::warn!(why, "Pushover knows nothing of a message; it is not asked again");
                    self.store.message_failed(message.delivery, None).await?;
                }
                Err(outcome) => {
                    tracing::warn!(%outcome, "Pushover does not tell us what was acknowledged; it is asked again");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn acknowledge(&self, message: &Stale, receipt: &Receipt) -> Result<(), StoreError> {
        let from = format!("{}:{}", Kind::Pushover.word(), receipt.acknowledged_by).parse::<Contact>();
        let person = from
            .map_err(|_| format!("Pushover names nobody for a message to {}", message.contact))
            .and_then(|from| sole_owner(self.store.definitions().directory(), &from));
        // To the second, as Pushover tells it: the whole of that second counts.
        let at = Timestamp::from_second(receipt.acknowledged_at.saturating_add(1));
        match (person, at) {
            (Ok(person), Ok(at)) => {
                answer_message(&self.store, message.delivery, &person, Via::Pushover, at).await?;
            }
            (Err(why), _) => tracing::warn!(why, "an acknowledgement in Pushover does not count"),
            (_, Err(_)) => tracing::warn!("an acknowledgement in Pushover has no time, and does not count"),
        }
        // Once is enough: the alert may be triggered again, and this must not answer that.
        self.store.message_failed(message.delivery, None).await
    }
}
