//! Mattermost: a post of a bot account to a person or a channel, with buttons, changed when how its alert stands
//! changes.
//!
//! What came from outside is shown as code, which is not read as Markdown and mentions nobody. Presses come in
//! through `callback/mattermost.rs`.

use std::collections::HashMap;
use std::sync::Mutex;

use escalation::delivery::Outcome;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::request::exchange;
use super::{Channel, Sending};
use crate::clock::lock;
use crate::message::{Message, Press, cut, plain};
use crate::outbound::Outbound;
use crate::secret::Secret;

/// The most of the text, in bytes.
const MAX_TEXT: usize = 3_500;
/// The longest headline, in bytes.
const MAX_HEADLINE: usize = 700;

/// The server, and the bot account that speaks for us.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address, without a slash at its end.
    pub address: String,
    /// The bot account's access token.
    pub token: Secret,
}

/// Where the server tells us that a button was pressed, and how we know that it is the server: it does not sign, and
/// shows nobody what a button carries.
#[derive(Clone, Debug)]
pub struct Buttons {
    /// Our address.
    pub url: String,
    /// What every button carries.
    pub secret: Secret,
}

/// The channel for `mattermost:@NAME` and `mattermost:CHANNEL_ID`.
pub struct Mattermost {
    outbound: Outbound,
    server: Server,
    buttons: Buttons,
    /// The channels in which the bot talks to one person, by that person's name.
    direct: Mutex<HashMap<String, String>>,
}

/// Anything that has an id.
#[derive(Deserialize)]
struct Known {
    id: String,
}

impl Mattermost {
    /// A channel through this bot account.
    pub fn new(outbound: Outbound, server: Server, buttons: Buttons) -> Self {
        Self { outbound, server, buttons, direct: Mutex::default() }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Outcome> {
        let url = format!("{}/api/v4/{path}", self.server.address);
        let request = self.outbound.client().request(method, url).bearer_auth(self.server.token.reveal());
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        exchange(request).await?.accepted()?.read()
    }

    /// The channel behind a contact: the one that it names, or the one in which the bot talks to that person.
    async fn channel(&self, contact: &str) -> Result<String, Outcome> {
        let Some(name) = contact.strip_prefix('@') else { return Ok(contact.to_owned()) };
        if let Some(known) = lock(&self.direct).get(name) {
            return Ok(known.clone());
        }
        let me: Known = self.call(reqwest::Method::GET, "users/me", None).await?;
        let you: Known = self.call(reqwest::Method::GET, &format!("users/username/{name}"), None).await?;
        let both = json!([me.id, you.id]);
        let direct: Known = self.call(reqwest::Method::POST, "channels/direct", Some(&both)).await?;
        lock(&self.direct).insert(name.to_owned(), direct.id.clone());
        Ok(direct.id)
    }

    async fn post(&self, message: &Message) -> Result<Outcome, Outcome> {
        let contact = message.contact.address();
        let mut body = self.written(message);
        body["channel_id"] = json!(self.channel(contact).await?);
        let posted: Result<Known, _> = self.call(reqwest::Method::POST, "posts", Some(&body)).await;
        match posted {
            Ok(post) => Ok(Outcome::Accepted { provider_id: post.id }),
            Err(outcome) => {
                // Who it was may have changed.
                lock(&self.direct).remove(contact.trim_start_matches('@'));
                Err(outcome)
            }
        }
    }

    async fn change(&self, message: &Message, provider_id: &str) -> Result<Outcome, Outcome> {
        let path = format!("posts/{provider_id}/patch");
        let post: Known = self.call(reqwest::Method::PUT, &path, Some(&self.written(message))).await?;
        Ok(Outcome::Accepted { provider_id: post.id })
    }

    /// What a post says.
    fn written(&self, message: &Message) -> Value {
        let headline = code(&cut(&plain(&message.headline).replace('\n', " "), MAX_HEADLINE));
        let actions: Vec<Value> = message
            .buttons
            .iter()
            .map(|button| {
                json!({
                    // Letters only: others make the button do nothing.
                    "id": button.press.word().replace('_', ""),
                    "name": button.label,
                    "type": "button",
                    "style": if button.press == Press::Acknowledge { "primary" } else { "default" },
                    "integration": {
                        "url": self.buttons.url,
                        "context": { "press": button.code, "secret": self.buttons.secret.reveal() },
                    },
                })
            })
            .collect();
        let mut attachment = json!({
            "fallback": plain(&message.headline),
            "text": format!("```text\n{}\n```", without_ticks(&message.body(MAX_TEXT))),
            "actions": actions,
        });
        if let Some(url) = &message.alert_url {
            attachment["title"] = json!(message.say("Open"));
            attachment["title_link"] = json!(url);
        }
        json!({ "message": headline, "props": { "attachments": [attachment] } })
    }
}

impl Channel for Mattermost {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async { self.post(message).await.unwrap_or_else(|outcome| outcome) })
    }

    fn can_amend(&self) -> bool {
        true
    }

    fn amend<'a>(&'a self, message: &'a Message, provider_id: &'a str) -> Sending<'a> {
        Box::pin(async move { self.change(message, provider_id).await.unwrap_or_else(|outcome| outcome) })
    }
}

/// Text as code within a line: nothing in it means anything.
fn code(text: &str) -> String {
    format!("`{}`", without_ticks(text))
}

/// What ends code is replaced by what looks like it.
fn without_ticks(text: &str) -> String {
    text.replace('`', "´")
}
