//! Mail through Mailgun's API. What bounces later, and what people reply, comes in through `callback/mailgun.rs`.
//!
//! The mail says what it says over SMTP; see [`super::email`]. Mailgun is told not to rewrite links: a page's answer
//! address is nobody else's business.

use escalation::contact::Contact;
use escalation::delivery::{Outcome, Refusal};
use lettre::message::Mailbox;
use serde::Deserialize;

use super::email::{thread, written};
use super::request::{exchange, refused};
use super::{Channel, Sending};
use crate::message::{Message, cut, plain};
use crate::outbound::Outbound;
use crate::secret::Secret;

/// The longest subject of an answer, in bytes.
const MAX_SUBJECT: usize = 500;
/// What stands before the code in the address of a reply.
pub const REPLY: &str = "reply+";

/// A domain at Mailgun.
#[derive(Clone, Debug)]
pub struct Domain {
    /// The address of the API, without a slash at its end; that of the EU is another.
    pub api: String,
    /// The domain's name.
    pub domain: String,
    /// A key that may send.
    pub key: Secret,
    /// What Mailgun signs its requests with; none: it tells us nothing.
    pub signing_key: Option<Secret>,
    /// The sender of our mail.
    pub from: Mailbox,
    /// A mail may be answered by mail.
    pub replies: bool,
}

/// Calls the API. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    outbound: Outbound,
    domain: Domain,
}

#[derive(Deserialize)]
struct Queued {
    id: String,
}

impl Client {
    /// Calls through `outbound`.
    pub fn new(outbound: Outbound, domain: Domain) -> Self {
        Self { outbound, domain }
    }

    async fn send(&self, to: &Contact, fields: &[(&str, &str)]) -> Result<Outcome, Outcome> {
        let from = self.domain.from.to_string();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("from", from.as_str()),
                ("to", to.address()),
                ("h:Auto-Submitted", "auto-generated"),
                ("o:tracking", "no"),
            ])
            .extend_pairs(fields)
            .finish();
        let url = format!("{}/v3/{}/messages", self.domain.api, self.domain.domain);
        let request = self
            .outbound
            .client()
            .post(url)
            .basic_auth("api", Some(self.domain.key.reveal()))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let queued: Queued = exchange(request).await?.accepted()?.read()?;
        Ok(Outcome::Accepted { provider_id: queued.id })
    }

    /// Tells somebody who has replied what was done.
    ///
    /// # Errors
    ///
    /// Why it could not be told.
    pub async fn tell(&self, to: &Contact, words: &str, in_reply_to: &str) -> Result<(), Outcome> {
        let subject = cut(&plain(words).replace('\n', " "), MAX_SUBJECT);
        let fields = [("subject", subject.as_str()), ("text", words), ("h:In-Reply-To", in_reply_to)];
        self.send(to, &fields).await.map(drop)
    }

    /// The name under which a delivery's mail is known.
    pub fn message_id(&self, delivery: escalation::id::DeliveryId) -> String {
        format!("<{delivery}@{}>", self.domain.domain)
    }

    async fn mail(&self, message: &Message) -> Result<Outcome, Outcome> {
        let written = written(message)
            .map_err(|error| refused(format!("the mail can't be written: {error}"), Refusal::Message))?;
        let (id, delivery) = (self.message_id(message.delivery), message.delivery.to_string());
        let attempt = message.attempt.to_string();
        let thread = thread(message, &self.domain.domain);
        let reply = message.reply_code.as_deref().filter(|_| self.domain.replies);
        let reply = reply.map(|code| format!("{REPLY}{code}@{}", self.domain.domain));
        let mut fields = vec![
            ("subject", written.subject.as_str()),
            ("text", written.text.as_str()),
            ("html", written.html.as_str()),
            ("h:Message-Id", id.as_str()),
            ("v:delivery", delivery.as_str()),
            ("v:attempt", attempt.as_str()),
        ];
        fields.extend(thread.as_deref().map(|thread| ("h:References", thread)));
        fields.extend(reply.as_deref().map(|reply| ("h:Reply-To", reply)));
        self.send(&message.contact, &fields).await
    }
}

/// The channel for `email:ADDRESS`.
pub struct Mailgun(Client);

impl Mailgun {
    /// A channel through this domain.
    pub fn new(client: Client) -> Self {
        Self(client)
    }
}

impl Channel for Mailgun {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async { self.0.mail(message).await.unwrap_or_else(|outcome| outcome) })
    }
}
