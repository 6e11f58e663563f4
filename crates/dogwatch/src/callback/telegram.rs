//! Buttons pressed in Telegram, asked for by long polling: no port of ours has to be open to anybody.
//!
//! An update counts as taken when the next are asked for. After a crash in between it comes again, and does nothing
//! that it has not done.

use std::sync::Arc;

use escalation::contact::{Contact, Kind};
use escalation::delivery::{Outcome, SEND_DEADLINE};
use escalation::event::Via;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::holder;
use crate::channel::telegram::Client;
use crate::clock::{Clock, sleep_until};
use crate::message::cut;
use crate::reply::{AnswerLinks, Said, press};
use crate::shutdown::Shutdown;
use crate::store::Store;

/// How long Telegram may keep us waiting for news. Longer would be fewer requests; but a node that dies in between is
/// missed for as long.
const WAIT: SignedDuration = SignedDuration::from_secs(10);
/// How long a request may take: longer than [`WAIT`].
pub const DEADLINE: SignedDuration = SignedDuration::from_secs(15);
/// For how long one of several nodes asks alone: longer than a request may take, so that no two ever ask at once, which
/// Telegram refuses.
const TURN: SignedDuration = SignedDuration::from_secs(18);
/// The least time between two questions, where there is no news.
const LEAST: SignedDuration = SignedDuration::from_secs(1);
/// The pause after a failure, or while another node asks.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);
/// The longest text of a small window, in bytes: Telegram takes 200 characters.
const MAX_SHOWN: usize = 190;

/// Asks for news and does what was pressed.
pub struct Telegram {
    store: Store,
    clock: Arc<dyn Clock>,
    links: AnswerLinks,
    client: Client,
    /// Which of several nodes this is.
    node: String,
    next: i64,
}

#[derive(Deserialize)]
struct Update {
    update_id: i64,
    callback_query: Option<CallbackQuery>,
    message: Option<Message>,
}

#[derive(Deserialize)]
struct CallbackQuery {
    id: String,
    from: Id,
    #[serde(default)]
    data: String,
}

#[derive(Deserialize)]
struct Message {
    chat: Id,
    #[serde(default)]
    text: String,
}

/// A user or a chat.
#[derive(Deserialize)]
struct Id {
    id: i64,
}

/// A method of the Bot API that tells somebody what was done, and its arguments.
type Telling = (&'static str, Value);

impl Telegram {
    /// Asks through `client`, whose requests may take [`DEADLINE`].
    pub fn new(store: Store, clock: Arc<dyn Clock>, links: AnswerLinks, client: Client) -> Self {
        Self { store, clock, links, client, node: holder(), next: 0 }
    }

    /// Runs until told to stop.
    pub async fn run(mut self, mut shutdown: Shutdown) {
        loop {
            let began = self.clock.now();
            let turn = tokio::select! {
                turn = self.take_turn() => turn,
                () = shutdown.asked() => return self.stop().await,
            };
            let until = match turn {
                // Something in between may answer at once for Telegram: it is not asked all the time.
                Ok(0) => began + LEAST,
                Ok(_) => continue,
                Err(Outcome::RetryAfter { pause, why }) => {
                    tracing::debug!(why, "Telegram is asked later");
                    self.clock.now() + pause
                }
                Err(outcome) => {
                    tracing::warn!(%outcome, "Telegram does not tell us what was pressed; it is asked again");
                    self.clock.now() + PAUSE
                }
            };
            tokio::select! {
                () = sleep_until(&*self.clock, until) => {}
                () = shutdown.asked() => return self.stop().await,
            }
        }
    }

    /// Another node need not wait.
    async fn stop(&self) {
        if let Err(error) = self.store.give_turn("telegram", &self.node).await {
            tracing::debug!(%error, "the turn ends by itself");
        }
    }

    /// One turn, if it is this node's.
    async fn take_turn(&mut self) -> Result<usize, Outcome> {
        match self.store.take_turn("telegram", &self.node, TURN).await {
            Ok(true) => self.turn().await,
            Ok(false) => Err(Outcome::RetryAfter { pause: PAUSE, why: "another node asks".to_owned() }),
            Err(error) => Err(Outcome::Unknown { why: error.to_string() }),
        }
    }

    /// Waits for news and does what was pressed. How much there was.
    ///
    /// # Errors
    ///
    /// Why there is no news.
    pub async fn turn(&mut self) -> Result<usize, Outcome> {
        let arguments = json!({
            "offset": self.next,
            "timeout": WAIT.as_secs(),
            "allowed_updates": ["callback_query", "message"],
        });
        // One that can't be read must not be asked for again and again.
        let updates: Vec<Value> = self.client.call("getUpdates", &arguments).await?;
        let count = updates.len();
        let mut answers = Vec::new();
        for update in updates {
            let id = update["update_id"].as_i64();
            match serde_json::from_value::<Update>(update) {
                Ok(update) => answers.extend(self.take(update).await),
                Err(error) => tracing::warn!(%error, "an update of Telegram's can't be read"),
            }
            self.next = self.next.max(id.map_or(self.next, |id| id + 1));
        }
        // All is done before anybody is told, and nobody waits for somebody else to be told.
        futures_util::future::join_all(answers.iter().map(|answer| self.tell(answer))).await;
        Ok(count)
    }

    async fn tell(&self, (method, arguments): &Telling) {
        let until = self.clock.now() + SEND_DEADLINE;
        let told = tokio::select! {
            biased;
            told = self.client.call::<Value>(method, arguments) => told.map(drop).map_err(|outcome| outcome.to_string()),
            () = sleep_until(&*self.clock, until) => Err("no answer within 10 s".to_owned()),
        };
        if let Err(why) = told {
            tracing::warn!(why, "somebody could not be told in Telegram what was done");
        }
    }

    /// Does it. What to tell of it, if anything.
    async fn take(&self, update: Update) -> Option<Telling> {
        tracing::debug!(update = update.update_id, "news from Telegram");
        match (update.callback_query, update.message) {
            (Some(query), _) => self.pressed(query).await,
            (None, Some(message)) => greeting(&message),
            (None, None) => None,
        }
    }

    async fn pressed(&self, query: CallbackQuery) -> Option<Telling> {
        let from = contact(query.from.id)?;
        let said = press(&self.store, &self.links, &from, Via::Telegram, &query.data).await;
        let said = said.unwrap_or_else(|error| {
            tracing::error!(%error, "a button pressed in Telegram did nothing");
            Said::unavailable()
        });
        let arguments = json!({
            "callback_query_id": query.id,
            "text": cut(&said.text, MAX_SHOWN),
            "show_alert": !said.is_done,
        });
        Some(("answerCallbackQuery", arguments))
    }
}

/// Tells whoever starts the bot which contact this chat is.
fn greeting(message: &Message) -> Option<Telling> {
    let command = message.text.split([' ', '@']).next().unwrap_or_default();
    if command != "/start" {
        return None;
    }
    let id = message.chat.id;
    let what = if id > 0 { "to be paged here, add this contact" } else { "to page this group, use" };
    let text = format!("This is Dogwatch. In Dogwatch, {what}: telegram:{id}");
    Some(("sendMessage", json!({ "chat_id": id, "text": text })))
}

fn contact(id: i64) -> Option<Contact> {
    format!("{}:{id}", Kind::Telegram.word()).parse().ok()
}
