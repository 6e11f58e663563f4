//! Pushover: a notification on a phone; an urgent one comes again every 30 seconds until somebody acknowledges it
//! there.
//!
//! What is acknowledged in Pushover comes in through `callback/pushover.rs`. What is answered elsewhere is silenced
//! there.

use escalation::delivery::{Outcome, Purpose, Refusal};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::request::{exchange, refused};
use super::{Channel, Sending};
use crate::message::{Message, cut, plain};
use crate::outbound::Outbound;
use crate::secret::Secret;

/// The most of the text, in bytes: Pushover takes 1024 characters.
const MAX_TEXT: usize = 1_000;
/// The longest title, in bytes: Pushover takes 250 characters.
const MAX_TITLE: usize = 240;
/// How often an urgent message comes again, in seconds: the least that Pushover allows.
const RETRY: &str = "30";
/// For how long it does, in seconds. The notification plan goes on by itself.
const EXPIRE: &str = "3600";
/// What stands before the name of a receipt, where a message has one.
const RECEIPT: &str = "receipt/";

/// The application that speaks for us.
#[derive(Clone, Debug)]
pub struct App {
    /// The address of the API, without a slash at its end.
    pub api: String,
    /// The application's token.
    pub token: Secret,
}

/// Calls the API. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    outbound: Outbound,
    app: App,
}

/// What is known of an urgent message.
#[derive(Clone, Debug, Deserialize)]
pub struct Receipt {
    /// 1: somebody has acknowledged it.
    pub acknowledged: u8,
    /// When, in seconds since 1970.
    #[serde(default)]
    pub acknowledged_at: i64,
    /// Who: the key of a user.
    #[serde(default)]
    pub acknowledged_by: String,
    /// 1: it does not come again.
    pub expired: u8,
}

impl Client {
    /// Calls through `outbound`.
    pub fn new(outbound: Outbound, app: App) -> Self {
        Self { outbound, app }
    }

    async fn post<T: DeserializeOwned>(&self, path: &str, fields: &[(&str, &str)]) -> Result<T, Outcome> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", self.app.token.reveal())
            .extend_pairs(fields)
            .finish();
        let request = self
            .outbound
            .client()
            .post(format!("{}/1/{path}.json", self.app.api))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = exchange(request).await?;
        // It answers 400 whatever is wrong, and says in the body which field it was; 429 for a month's messages that are
        // used up.
        let body = answer.read::<Value>().unwrap_or_default();
        let is_used_up = body["errors"].to_string().contains("limit");
        let is_account =
            (answer.status == 429 && is_used_up) || (answer.status == 400 && body["token"] == "invalid");
        match answer.refusal() {
            Outcome::Refused { why, .. } if is_account => Err(refused(why, Refusal::Account)),
            _ => answer.accepted()?.read(),
        }
    }

    /// What is known of the message that [`Pushover`] called so; nothing, if it has no receipt.
    ///
    /// # Errors
    ///
    /// Why it is not known now.
    pub async fn receipt(&self, provider_id: &str) -> Result<Option<Receipt>, Outcome> {
        let Some(receipt) = provider_id.strip_prefix(RECEIPT) else { return Ok(None) };
        let token =
            url::form_urlencoded::byte_serialize(self.app.token.reveal().as_bytes()).collect::<String>();
        let url = format!("{}/1/receipts/{receipt}.json?token={token}", self.app.api);
        exchange(self.outbound.client().get(url)).await?.accepted()?.read().map(Some)
    }
}

/// The channel for `pushover:KEY`.
pub struct Pushover(Client);

#[derive(Deserialize)]
struct Sent {
    status: u8,
    request: String,
    receipt: Option<String>,
}

impl Pushover {
    /// A channel through this application.
    pub fn new(client: Client) -> Self {
        Self(client)
    }

    async fn push(&self, message: &Message) -> Result<Outcome, Outcome> {
        let title = cut(&plain(&message.headline).replace('\n', " "), MAX_TITLE);
        let text = message.body(MAX_TEXT);
        let is_urgent = message.purpose == Purpose::Page && message.is_urgent();
        let priority = match message.purpose {
            Purpose::Page if is_urgent => "2",
            Purpose::Page | Purpose::Warning | Purpose::Test => "1",
            Purpose::Notice | Purpose::Reminder => "0",
        };
        let at = message.sent_at.as_second().to_string();
        let open = message.say("Open");
        let mut fields = vec![
            ("user", message.contact.address()),
            ("title", title.as_str()),
            ("message", text.as_str()),
            ("priority", priority),
            ("timestamp", at.as_str()),
        ];
        if is_urgent {
            fields.extend([("retry", RETRY), ("expire", EXPIRE)]);
        }
        if let Some(url) = message.answer_url.as_deref().or(message.alert_url.as_deref()) {
            fields.extend([("url", url), ("url_title", open.as_str())]);
        }
        let sent: Sent = self.0.post("messages", &fields).await?;
        match sent {
            Sent { status: 1, receipt: Some(receipt), .. } => {
                Ok(Outcome::Accepted { provider_id: format!("{RECEIPT}{receipt}") })
            }
            Sent { status: 1, request, .. } => Ok(Outcome::Accepted { provider_id: request }),
            Sent { status, .. } => Err(refused(format!("Pushover says status {status}"), Refusal::Contact)),
        }
    }

    /// Once nobody is asked any more, it need not ring any more.
    async fn hush(&self, message: &Message, provider_id: &str) -> Result<Outcome, Outcome> {
        if let (false, Some(receipt)) = (message.asks_somebody(), provider_id.strip_prefix(RECEIPT)) {
            let _: Value = self.0.post(&format!("receipts/{receipt}/cancel"), &[]).await?;
        }
        Ok(Outcome::Accepted { provider_id: provider_id.to_owned() })
    }
}

impl Channel for Pushover {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async { self.push(message).await.unwrap_or_else(|outcome| outcome) })
    }

    fn can_amend(&self) -> bool {
        true
    }

    fn amend<'a>(&'a self, message: &'a Message, provider_id: &'a str) -> Sending<'a> {
        Box::pin(async move { self.hush(message, provider_id).await.unwrap_or_else(|outcome| outcome) })
    }
}
