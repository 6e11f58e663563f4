//! ntfy: a notification on a phone, through ntfy.sh or a server of one's own.
//!
//! A page carries a button that acknowledges: the phone itself posts to the page's answer address, so that it
//! has to reach Dogwatch. Who can read the topic can press it.

use escalation::delivery::{Outcome, Purpose, Refusal};
use serde::{Deserialize, Serialize};

use super::request::{exchange, refused};
use super::{Channel, Sending};
use crate::message::{Message, cut, plain};
use crate::outbound::Outbound;
use crate::secret::Secret;

/// The most of the text, in bytes: the server makes a file of what is longer than 4096.
const MAX_TEXT: usize = 3_500;
/// The longest title, in bytes.
const MAX_TITLE: usize = 250;

/// The server that carries our notifications.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address, such as `https://ntfy.sh`, without a slash at its end.
    pub address: String,
    /// How it knows us, where topics are not open to everybody.
    pub token: Option<Secret>,
}

/// The channel for `ntfy:TOPIC`.
pub struct Ntfy {
    outbound: Outbound,
    server: Server,
}

impl Ntfy {
    /// A channel through `server`.
    pub fn new(outbound: Outbound, server: Server) -> Self {
        Self { outbound, server }
    }

    async fn publish(&self, message: &Message) -> Result<Outcome, Outcome> {
        let open = message.say("Open");
        let body = serde_json::to_vec(&Notification::of(message, &open)).map_err(|error| {
            refused(format!("the notification can't be written: {error}"), Refusal::Message)
        })?;
        let mut request = self
            .outbound
            .client()
            .post(format!("{}/", self.server.address))
            .header("content-type", "application/json")
            .body(body);
        if let Some(token) = &self.server.token {
            request = request.bearer_auth(token.reveal());
        }
        let published: Published = exchange(request).await?.accepted()?.read()?;
        Ok(Outcome::Accepted { provider_id: published.id })
    }
}

impl Channel for Ntfy {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async { self.publish(message).await.unwrap_or_else(|outcome| outcome) })
    }
}

/// What the server answers.
#[derive(Deserialize)]
struct Published {
    id: String,
}

/// What the server is sent.
#[derive(Serialize)]
struct Notification<'a> {
    topic: &'a str,
    title: String,
    message: String,
    priority: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'static str>,
    /// Opened when the notification is tapped.
    #[serde(skip_serializing_if = "Option::is_none")]
    click: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    actions: Vec<Action<'a>>,
}

/// A button.
#[derive(Serialize)]
#[serde(tag = "action", rename_all = "lowercase")]
enum Action<'a> {
    /// The phone sends a request.
    Http { label: &'a str, url: String, method: &'static str, clear: bool },
    /// The phone opens a page.
    View { label: &'a str, url: &'a str },
}

impl<'a> Notification<'a> {
    fn of(message: &'a Message, open: &'a str) -> Self {
        let answer = message.answer_url.as_deref();
        let acknowledge = answer.zip(message.buttons.first()).map(|(url, button)| Action::Http {
            label: &button.label,
            url: format!("{url}?via=ntfy"),
            method: "POST",
            clear: true,
        });
        let view = message.alert_url.as_deref().map(|url| Action::View { label: open, url });
        let priority = match message.purpose {
            Purpose::Page if message.is_urgent() => 5,
            Purpose::Test => 5,
            Purpose::Page | Purpose::Warning => 4,
            Purpose::Notice | Purpose::Reminder => 3,
        };
        Self {
            topic: message.contact.address(),
            title: cut(&plain(&message.headline).replace('\n', " "), MAX_TITLE),
            message: message.body(MAX_TEXT),
            priority,
            tags: if priority == 5 { vec!["rotating_light"] } else { Vec::new() },
            click: answer.or(message.alert_url.as_deref()),
            actions: acknowledge.into_iter().chain(view).collect(),
        }
    }
}
