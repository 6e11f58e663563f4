//! Microsoft Teams: a card in a channel, by the address of an incoming webhook. One way: Teams tells such a webhook
//! nothing of what people press, so that the card has a link.
//!
//! The card holds runs of text, in which no Markdown is read.

use escalation::delivery::{Outcome, Refusal, SEND_DEADLINE};
use ipnet::IpNet;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::request::{exchange, of_contact, refused};
use super::{Channel, Sending};
use crate::message::{Message, plain};
use crate::outbound::Outbound;

/// The most of the text, in bytes: a card has 28 KB.
const MAX_TEXT: usize = 6_000;
/// The most lines that are shown.
const MAX_LINES: usize = 60;

/// The channel for `teams:URL`.
pub struct Teams {
    outbound: Outbound,
}

impl Teams {
    /// A channel to public addresses and to those in `allowed`.
    ///
    /// # Errors
    ///
    /// When the TLS library can't be set up.
    pub fn new(allowed: Vec<IpNet>) -> anyhow::Result<Self> {
        Ok(Self::through(Outbound::new(allowed, SEND_DEADLINE)?))
    }

    /// A channel through `outbound`.
    pub fn through(outbound: Outbound) -> Self {
        Self { outbound }
    }

    async fn post(&self, message: &Message) -> Result<Outcome, Outcome> {
        let url =
            self.outbound.check(message.contact.address()).map_err(|why| refused(why, Refusal::Contact))?;
        let answer = exchange(self.outbound.client().post(url).json(&card(message)))
            .await?
            .accepted()
            .map_err(of_contact)?;
        let said = answer.text();
        // A workflow answers 202; the webhooks before it answered 200 with "1", also with the words of a failure.
        if answer.status == StatusCode::ACCEPTED || matches!(said.trim(), "" | "1") {
            return Ok(Outcome::Accepted { provider_id: String::new() });
        }
        Err(refused(
            format!("it answered {} with something that Teams sends for no message: {said}", answer.status),
            Refusal::Passing,
        ))
    }
}

impl Channel for Teams {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(async { self.post(message).await.unwrap_or_else(|outcome| outcome) })
    }
}

fn line(text: &str, is_headline: bool) -> Value {
    let mut run = json!({ "type": "TextRun", "text": text });
    if is_headline {
        run["weight"] = json!("Bolder");
        run["size"] = json!("Large");
    }
    json!({ "type": "RichTextBlock", "inlines": [run] })
}

/// The card that a channel shows.
fn card(message: &Message) -> Value {
    let body = message.body(MAX_TEXT);
    let lines = body.lines().filter(|line| !line.trim().is_empty()).take(MAX_LINES);
    let headline = plain(&message.headline).replace('\n', " ");
    let blocks: Vec<Value> =
        std::iter::once(line(&headline, true)).chain(lines.map(|text| line(text, false))).collect();
    let open = message.alert_url.as_deref();
    let actions: Vec<Value> = open
        .map(|url| json!({ "type": "Action.OpenUrl", "title": message.say("Open"), "url": url }))
        .into_iter()
        .collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "msteams": { "width": "Full" },
                "body": blocks,
                "actions": actions,
            },
        }],
    })
}
