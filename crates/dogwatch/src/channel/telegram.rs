//! Telegram: a message of a bot, with buttons, changed when how its alert stands changes.
//!
//! Texts are sent as HTML, in which three characters are escaped; what came from outside is text. Presses come in
//! through `callback/telegram.rs`.

use escalation::delivery::{Outcome, Purpose, Refusal};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::request::{exchange, of_contact, refused, shown};
use super::{Channel, Sending};
use crate::message::{Message, cut, plain};
use crate::outbound::Outbound;
use crate::secret::Secret;

/// The most of the text, in bytes: Telegram takes 4096 characters.
const MAX_TEXT: usize = 3_000;
/// The longest headline, in bytes.
const MAX_HEADLINE: usize = 700;

/// The bot that speaks for us.
#[derive(Clone, Debug)]
pub struct Bot {
    /// The address of the Bot API, without a slash at its end.
    pub api: String,
    /// What BotFather gave us.
    pub token: Secret,
}

/// Calls methods of the Bot API. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    outbound: Outbound,
    bot: Bot,
}

impl Client {
    /// Calls through `outbound`.
    pub fn new(outbound: Outbound, bot: Bot) -> Self {
        Self { outbound, bot }
    }

    /// Calls a method.
    ///
    /// # Errors
    ///
    /// Why there is no result, as the outcome of a delivery.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        arguments: &impl Serialize,
    ) -> Result<T, Outcome> {
        let url = format!("{}/bot{}/{method}", self.bot.api, self.bot.token.reveal());
        let answer = exchange(self.outbound.client().post(url).json(arguments)).await?;
        let answer = match answer.status.as_u16() {
            // Who has blocked the bot, or a group that has put it out, is no matter of the bot's own.
            403 => Err(of_contact(answer.refusal())),
            // There is no such bot.
            404 => {
                Err(refused(format!("it answered {}: is the token right?", answer.status), Refusal::Account))
            }
            _ => answer.accepted(),
        }?;
        match answer.read()? {
            Reply { ok: true, result: Some(result), .. } => Ok(result),
            reply => Err(refused(shown(&reply.description), Refusal::Contact)),
        }
    }
}

/// What every method answers.
#[derive(Deserialize)]
struct Reply<T> {
    ok: bool,
    result: Option<T>,
    #[serde(default)]
    description: String,
}

/// The channel for `telegram:CHAT_ID`.
pub struct Telegram(Client);

impl Telegram {
    /// A channel through this bot.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    async fn say(&self, message: &Message) -> Result<Outcome, Outcome> {
        #[derive(Deserialize)]
        struct Sent {
            message_id: i64,
        }
        let mut arguments = written(message);
        // A notice is not to wake anybody.
        arguments["disable_notification"] = json!(message.purpose == Purpose::Notice);
        let sent: Sent = self.0.call("sendMessage", &arguments).await?;
        Ok(Outcome::Accepted { provider_id: sent.message_id.to_string() })
    }

    async fn change(&self, message: &Message, provider_id: &str) -> Result<Outcome, Outcome> {
        let mut arguments = written(message);
        arguments["message_id"] = json!(provider_id.parse::<i64>().unwrap_or_default());
        match self.0.call::<serde_json::Value>("editMessageText", &arguments).await {
            // It says so already.
            Err(Outcome::Refused { why, .. }) if why.contains("message is not modified") => {}
            Err(outcome) => return Err(outcome),
            Ok(_) => {}
        }
        Ok(Outcome::Accepted { provider_id: provider_id.to_owned() })
    }
}

impl Channel for Telegram {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async { self.say(message).await.unwrap_or_else(|outcome| outcome) })
    }

    fn can_amend(&self) -> bool {
        true
    }

    fn amend<'a>(&'a self, message: &'a Message, provider_id: &'a str) -> Sending<'a> {
        Box::pin(async move { self.change(message, provider_id).await.unwrap_or_else(|outcome| outcome) })
    }
}

/// What a message says, as arguments of the methods that send and change it.
fn written(message: &Message) -> serde_json::Value {
    let headline = escape(&cut(&plain(&message.headline).replace('\n', " "), MAX_HEADLINE));
    let body = escape(&message.body(MAX_TEXT));
    let link = message.alert_url.as_deref().map(|url| format!("\n{}", escape(url))).unwrap_or_default();
    let buttons: Vec<_> = message
        .buttons
        .iter()
        .map(|button| json!({ "text": button.label, "callback_data": button.code }))
        .collect();
    let rows: Vec<_> = if buttons.is_empty() { Vec::new() } else { vec![buttons] };
    json!({
        // The contact was checked to be a number.
        "chat_id": message.contact.address().parse::<i64>().unwrap_or_default(),
        "text": format!("<b>{headline}</b>\n{body}{link}"),
        "parse_mode": "HTML",
        "link_preview_options": { "is_disabled": true },
        "reply_markup": { "inline_keyboard": rows },
    })
}

/// Text, as the Bot API's HTML has it.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
