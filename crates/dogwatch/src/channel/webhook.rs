//! Webhooks: a JSON document by POST, signed, and only to addresses that are allowed.
//!
//! The signature is that of the Standard Webhooks specification (`webhook-id`, `webhook-timestamp`,
//! `webhook-signature: v1,…`), so that receivers verify it with a library of theirs. Only a 2xx counts as
//! accepted; redirects are not followed.
//!
//! Which addresses may be connected to is known to [`crate::outbound`].

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::alert::{Alert, Audience};
use escalation::delivery::{Outcome, Refusal, SEND_DEADLINE};
use hmac::{Hmac, KeyInit, Mac};
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use serde::Serialize;
use sha2::Sha256;

use super::{Channel, Sending};
use crate::message::{Message, Other};
use crate::outbound::{Outbound, find_blocked, innermost};

/// The channel for `webhook:URL`.
pub struct Webhook {
    outbound: Outbound,
    key: Vec<u8>,
}

impl Webhook {
    /// A channel that signs with `key` and connects to public addresses and to those in `allowed`.
    ///
    /// # Errors
    ///
    /// When the TLS library can't be set up.
    pub fn new(key: Vec<u8>, allowed: Vec<IpNet>) -> anyhow::Result<Self> {
        Ok(Self::through(Outbound::new(allowed, SEND_DEADLINE)?, key))
    }

    /// A channel that signs with `key` and goes through `outbound`.
    pub fn through(outbound: Outbound, key: Vec<u8>) -> Self {
        Self { outbound, key }
    }

    async fn post(&self, message: &Message) -> Outcome {
        let body = match serde_json::to_vec(&Document::of(message)) {
            Ok(body) => body,
            Err(error) => {
                let why = format!("the document can't be written: {error}");
                return Outcome::Refused { why, refusal: Refusal::Contact };
            }
        };
        let id = format!("{}.{}", message.delivery, message.attempt);
        signed_post(&self.outbound, message.contact.address(), &self.key, &id, message.sent_at, body).await
    }
}

/// Posts a JSON document, signed, to an address that is allowed.
pub(crate) async fn signed_post(
    outbound: &Outbound,
    url: &str,
    key: &[u8],
    id: &str,
    now: Timestamp,
    body: Vec<u8>,
) -> Outcome {
    let refused = |why: String, refusal: Refusal| Outcome::Refused { why, refusal };
    let url = match outbound.check(url) {
        Ok(url) => url,
        Err(why) => return refused(why, Refusal::Contact),
    };
    let at = now.as_second().to_string();
    let request = outbound
        .client()
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-signature", sign(key, id, &at, &body))
        .header("webhook-timestamp", at)
        .body(body);
    match request.send().await {
        Ok(answer) => read_answer(answer.status(), answer.headers()),
        Err(error) if find_blocked(&error).is_some() => {
            refused(find_blocked(&error).unwrap_or_default(), Refusal::Contact)
        }
        Err(error) if error.is_connect() => {
            refused(format!("no connection: {}", innermost(&error)), Refusal::Passing)
        }
        Err(error) if error.is_builder() => refused(innermost(&error), Refusal::Message),
        Err(error) => Outcome::Unknown { why: format!("no answer: {}", innermost(&error)) },
    }
}

impl Channel for Webhook {
    fn send<'a>(&'a self, message: &'a Message) -> Sending<'a> {
        Box::pin(self.post(message))
    }
}

/// The signature header's value.
fn sign(key: &[u8], id: &str, at: &str, body: &[u8]) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    for part in [id.as_bytes(), b".", at.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn read_answer(status: StatusCode, headers: &reqwest::header::HeaderMap) -> Outcome {
    if status.is_success() {
        return Outcome::Accepted { provider_id: String::new() };
    }
    let why = format!("it answered {status}");
    let asked = headers
        .get("retry-after")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.trim().parse::<u32>().ok());
    match (status, asked) {
        (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(seconds)) => {
            Outcome::RetryAfter { pause: SignedDuration::from_secs(i64::from(seconds)), why }
        }
        _ => {
            let is_passing = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
                || !(status.is_redirection() || status.is_client_error());
            // The address is the contact: whatever it refuses, its owner has to look.
            let refusal = if is_passing { Refusal::Passing } else { Refusal::Contact };
            Outcome::Refused { why, refusal }
        }
    }
}

/// The document that a receiver is sent.
#[derive(Serialize)]
struct Document<'a> {
    /// `page`, `notice`, `reminder` or `warning`.
    purpose: &'a str,
    delivery: String,
    attempt: u8,
    sent_at: String,
    headline: &'a str,
    text: String,
    person: Option<&'a str>,
    /// None where it speaks of duty.
    alert: Option<Subject<'a>>,
    /// Where a person answers this page, or all that this message holds; GET shows a page with a button, POST
    /// acknowledges.
    answer_url: Option<&'a str>,
    /// What else this message holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    others: Vec<OtherDocument<'a>>,
}

#[derive(Serialize)]
struct OtherDocument<'a> {
    headline: &'a str,
    alert: Option<Subject<'a>>,
    answer_url: Option<&'a str>,
}

#[derive(Serialize)]
struct Subject<'a> {
    id: String,
    number: u64,
    team: Option<&'a str>,
    person: Option<&'a str>,
    status: &'a str,
    severity: &'a str,
    summary: &'a str,
    details: &'a str,
    dedup_key: &'a str,
    created_at: String,
    round: u32,
    acknowledged_by: Option<&'a str>,
    resolved_by: Option<&'a str>,
    url: Option<&'a str>,
}

impl<'a> Document<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            purpose: message.purpose.word(),
            delivery: message.delivery.to_string(),
            attempt: message.attempt,
            sent_at: message.sent_at.to_string(),
            headline: &message.headline,
            text: message.lines.join("\n"),
            person: message.reader.as_ref().map(|(name, _)| name.as_str()),
            alert: message.subject.as_ref().map(|alert| Subject::of(alert, message.alert_url.as_deref())),
            answer_url: message.answer_url.as_deref(),
            others: message.others.iter().map(OtherDocument::of).collect(),
        }
    }
}

impl<'a> OtherDocument<'a> {
    fn of(other: &'a Other) -> Self {
        Self {
            headline: &other.headline,
            alert: other.subject.as_ref().map(|alert| Subject::of(alert, other.alert_url.as_deref())),
            answer_url: other.answer_url.as_deref(),
        }
    }
}

impl<'a> Subject<'a> {
    fn of(alert: &'a Alert, url: Option<&'a str>) -> Self {
        let (team, person) = match &alert.audience {
            Audience::Team(name) => (Some(name.as_str()), None),
            Audience::Person(name) => (None, Some(name.as_str())),
        };
        Self {
            id: alert.id.to_string(),
            number: alert.number,
            team,
            person,
            status: alert.status.word(),
            severity: alert.severity.word(),
            summary: &alert.summary,
            details: &alert.details,
            dedup_key: &alert.dedup_key,
            created_at: alert.created_at.to_string(),
            round: alert.round,
            acknowledged_by: alert.acknowledged.as_ref().map(|act| act.by.label.as_str()),
            resolved_by: alert.resolved.as_ref().map(|act| act.by.label.as_str()),
            url,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification's test suite.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
