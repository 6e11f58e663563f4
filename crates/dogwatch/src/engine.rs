//! The engine: handles wakes as they come due, and watches over duty.
//!
//! One turn claims, decides and saves a batch of what is due in one transaction. Between turns the engine
//! sleeps until the next stored wake, until the store says that one was added, or for a second, whichever
//! is first: nothing due waits for a poll, and nothing polls faster than once a second.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Clock;
use crate::shutdown::Shutdown;
use crate::store::{Store, StoreError};

/// Wakes in one transaction: bounds how long an event that arrives meanwhile waits for its commit.
const BATCH: usize = 256;
/// The longest sleep: the safety net under notices that went missing and clocks that were set.
pub const POLL: SignedDuration = SignedDuration::from_secs(1);

/// Handles wakes as they come due.
#[derive(Clone)]
pub struct Engine {
    store: Store,
    clock: Arc<dyn Clock>,
}

impl Engine {
    /// An engine over `store`.
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Handles everything that is due now. Returns when the next wake is.
    ///
    /// # Errors
    ///
    /// [`StoreError`]: what was not handled stays due.
    pub async fn turn(&self) -> Result<Option<Timestamp>, StoreError> {
        loop {
            let advanced = self.store.advance(BATCH).await?;
            if !advanced.is_full {
                return Ok(advanced.next);
            }
        }
    }

    /// Runs until told to stop.
    pub async fn run(self, mut shutdown: Shutdown) {
        loop {
            // Asked for before the turn: a wake that is stored during it is not missed.
            let stored = self.store.signals().wakes.notified();
            let next = self.turn().await.unwrap_or_else(|error| {
                tracing::error!(%error, "due wakes could not be handled; they are tried again");
                None
            });
            let poll = self.clock.now() + POLL;
            let until = next.map_or(poll, |next| next.min(poll));
            tokio::select! {
                () = stored => {}
                () = self.clock.wait_until(until) => {}
                () = shutdown.asked() => return,
            }
        }
    }
}
