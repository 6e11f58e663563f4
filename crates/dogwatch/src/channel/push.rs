//! Push messages to the browsers and phones on which a person has switched notifications on. They arrive while the
//! phone is locked and the page is closed, and nobody needs an account anywhere.
//!
//! Each browser names the address at its maker's push service that reaches it; the addresses are guarded as those of
//! webhooks are. Which browsers a person has is stored; what a message looks like there is in
//! `assets/service-worker.js`.

mod encryption;
mod vapid;

use std::sync::Arc;

use escalation::delivery::{Outcome, Purpose, Refusal};
use reqwest::StatusCode;
use serde_json::json;

use super::request::{exchange, of_contact, refused};
use super::{Channel, Sending};
use crate::clock::randomness;
use crate::message::{Message, cut, plain};
use crate::outbound::Outbound;
use crate::store::{Browser, Store};

pub use vapid::Vapid;

/// The most of the text, in bytes.
const MAX_TEXT: usize = 1_500;
/// The longest title, in bytes.
const MAX_TITLE: usize = 250;
/// How long a push service keeps a message for a phone that is off, in seconds.
const TTL: &str = "3600";
/// The same for a page: its plan has gone on by then.
const PAGE_TTL: &str = "600";

/// The channel for `push:NAME`.
pub struct Push {
    outbound: Outbound,
    store: Store,
    vapid: Arc<Vapid>,
}

impl Push {
    /// A channel to the browsers in `store`, through `outbound`, which guards where requests go.
    pub fn new(outbound: Outbound, store: Store, vapid: Arc<Vapid>) -> Self {
        Self { outbound, store, vapid }
    }

    async fn push(&self, message: &Message) -> Outcome {
        let person = message.contact.address();
        let browsers = match self.store.browsers(person.to_owned()).await {
            Ok(browsers) => browsers,
            Err(error) => {
                return refused(format!("which browsers there are is not known: {error}"), Refusal::Passing);
            }
        };
        if browsers.is_empty() {
            return refused(
                "no browser has notifications switched on; open /notifications there",
                Refusal::Contact,
            );
        }
        let payload = payload(message);
        let sends = browsers.iter().map(|browser| self.to_browser(message, browser, payload.as_bytes()));
        let outcomes: Vec<_> =
            futures_util::future::join_all(sends).await.into_iter().map(|sent| sent.err()).collect();
        let accepted = outcomes.iter().filter(|failed| failed.is_none()).count();
        if accepted > 0 {
            return Outcome::Accepted { provider_id: format!("{accepted} of {} browsers", browsers.len()) };
        }
        // The least hopeless of them says what is to be done.
        let hope = |outcome: &Outcome| match outcome {
            Outcome::Unknown { .. } => 3,
            Outcome::RetryAfter { .. } => 2,
            Outcome::Refused { refusal, .. } => u8::from(!refusal.is_permanent()),
            Outcome::Accepted { .. } => 4,
        };
        let best = outcomes.into_iter().flatten().max_by_key(hope);
        best.unwrap_or_else(|| refused("no browser took it", Refusal::Contact))
    }

    async fn to_browser(&self, message: &Message, browser: &Browser, payload: &[u8]) -> Result<(), Outcome> {
        let url = self.outbound.check(&browser.endpoint).map_err(|why| refused(why, Refusal::Contact))?;
        let origin = url.origin().ascii_serialization();
        let random = randomness();
        let unusable = || {
            refused("the browser's key can't be used; switch notifications on there anew", Refusal::Contact)
        };
        let body = encryption::encrypt(payload, &browser.key, &browser.auth, &random).ok_or_else(unusable)?;
        let proof = self.vapid.authorization(&origin, message.sent_at, &random).ok_or_else(unusable)?;
        let request = self
            .outbound
            .client()
            .post(url)
            .header("authorization", proof)
            .header("content-encoding", "aes128gcm")
            .header("content-type", "application/octet-stream")
            .header("ttl", if message.purpose == Purpose::Page { PAGE_TTL } else { TTL })
            .header("urgency", if message.is_urgent() { "high" } else { "normal" })
            .body(body);
        // What waits for a phone that is off gives way to what is newer about the same alert: that somebody has it.
        let request = match message.subject.as_ref().map(|alert| alert.id.to_string()) {
            Some(topic) if message.others.is_empty() && topic.len() <= 32 => request.header("topic", topic),
            _ => request,
        };
        let answer = exchange(request).await?;
        if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
            // Its owner has switched it off there, or has it no more.
            if let Err(error) = self.store.forget_browser(browser.endpoint.clone()).await {
                tracing::warn!(%error, "a browser that is gone could not be forgotten");
            }
        }
        let answer = answer.accepted().map_err(of_contact)?;
        // RFC 8030 knows these two; anything else comes from something in between.
        if matches!(answer.status, StatusCode::CREATED | StatusCode::ACCEPTED) {
            return Ok(());
        }
        Err(refused(format!("it answered {}, which no push service sends", answer.status), Refusal::Passing))
    }
}

impl Channel for Push {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(self.push(message))
    }
}

/// What the service worker is given. Addresses are paths: it lives where the page does.
fn payload(message: &Message) -> String {
    let path = |url: &Option<String>| {
        let url = url::Url::parse(url.as_deref()?).ok()?;
        Some(url.path().to_owned())
    };
    let answer = path(&message.answer_url);
    let about = message.subject.as_ref().map(|alert| alert.id.to_string());
    json!({
        "title": cut(&plain(&message.headline).replace('\n', " "), MAX_TITLE),
        "body": message.body(MAX_TEXT),
        // A newer one about the same takes the place of the one before.
        "tag": about.unwrap_or_else(|| message.delivery.to_string()),
        "stays": matches!(message.purpose, Purpose::Page | Purpose::Test),
        "open": answer.clone().or_else(|| path(&message.alert_url)).unwrap_or_else(|| "/".to_owned()),
        "answer": answer.map(|path| format!("{path}?via=push")),
        "label": message.buttons.first().map(|button| &button.label),
    })
    .to_string()
}
