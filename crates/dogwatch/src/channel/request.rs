//! One request to a provider over HTTP, and what its answer means.
//!
//! The same for every channel that speaks HTTP: which failures are for good, which may pass, and after which
//! nobody knows whether the message was taken. What a provider's answer holds is the channel's business.

use escalation::delivery::{Outcome, Refusal};
use jiff::SignedDuration;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::outbound::{find_blocked, innermost};

/// The most of an answer that is read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// The most of a provider's words that is shown, in characters.
const MAX_SHOWN: usize = 200;

/// An answer, read whole.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// How long the provider asks us to wait.
    pub retry_after: Option<SignedDuration>,
    body: Vec<u8>,
}

/// Why a message was refused.
pub fn refused(why: impl Into<String>, refusal: Refusal) -> Outcome {
    Outcome::Refused { why: why.into(), refusal }
}

/// The same outcome where the address, with all that it asks for, is the contact's own and not of our configuration.
pub fn of_contact(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Refused { why, refusal: Refusal::Account } => refused(why, Refusal::Contact),
        other => other,
    }
}

/// Sends a request and reads its answer, whatever that is.
///
/// # Errors
///
/// Why there is none, as the outcome of the delivery.
pub async fn exchange(request: reqwest::RequestBuilder) -> Result<Answer, Outcome> {
    let mut answer = request.send().await.map_err(|error| failed(error, "no answer"))?;
    let retry_after = retry_after(answer.headers());
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER {
        match answer.chunk().await {
            Ok(Some(part)) => body.extend_from_slice(&part),
            Ok(None) => break,
            // The status alone says enough if it is a refusal.
            Err(_) if !answer.status().is_success() => break,
            Err(error) => return Err(failed(error, "the answer broke off")),
        }
    }
    Ok(Answer { status: answer.status(), retry_after, body })
}

/// How long an answer asks us to wait: so many seconds, or until a time, told from the time at which it was given.
pub fn retry_after(headers: &HeaderMap) -> Option<SignedDuration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    if let Ok(seconds) = asked.parse::<u32>() {
        return Some(SignedDuration::from_secs(i64::from(seconds)));
    }
    let at = |text: &str| rfc2822::parse(text).ok().map(|at| at.timestamp());
    Some(at(asked)?.duration_since(at(text(DATE)?)?).max(SignedDuration::ZERO))
}

fn failed(error: reqwest::Error, what: &str) -> Outcome {
    // Some providers' addresses hold a secret.
    let error = error.without_url();
    if let Some(why) = find_blocked(&error) {
        refused(why, Refusal::Account)
    } else if error.is_connect() {
        refused(format!("no connection: {}", innermost(&error)), Refusal::Passing)
    } else if error.is_builder() {
        refused(innermost(&error), Refusal::Message)
    } else {
        Outcome::Unknown { why: format!("{what}: {}", innermost(&error)) }
    }
}

impl Answer {
    /// This answer, if the provider took what it was sent.
    ///
    /// # Errors
    ///
    /// What the refusal means.
    pub fn accepted(self) -> Result<Self, Outcome> {
        if self.status.is_success() { Ok(self) } else { Err(self.refusal()) }
    }

    /// What an answer means that is no success.
    pub fn refusal(&self) -> Outcome {
        let said = self.said().map_or_else(String::new, |said| format!(": {said}"));
        let why = format!("it answered {}{said}", self.status);
        match (self.status, self.retry_after.or_else(|| self.asked_in_body())) {
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE, Some(pause)) => {
                Outcome::RetryAfter { pause, why }
            }
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => {
                let why = format!("{why} (does it know our credentials, and let them do this?)");
                refused(why, Refusal::Account)
            }
            (StatusCode::PAYMENT_REQUIRED, _) => refused(why, Refusal::Account),
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT, _) => {
                refused(why, Refusal::Passing)
            }
            // Somebody else is there than the configuration means.
            (status, _) if status.is_redirection() => refused(why, Refusal::Account),
            (status, _) if status.is_client_error() => refused(why, Refusal::Contact),
            _ => refused(why, Refusal::Passing),
        }
    }

    /// The answer as a document.
    ///
    /// # Errors
    ///
    /// It is none: an empty one leaves it open whether the message was taken; anything else comes from something
    /// that is not the provider, such as the sign-in page of a network.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Outcome> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Err(Outcome::Unknown { why: format!("it answered {} and nothing else", self.status) });
        }
        serde_json::from_slice(&self.body).map_err(|_| {
            let why = format!("it answered {} with something that this provider never sends", self.status);
            refused(why, Refusal::Passing)
        })
    }

    /// The answer as text, at most so much as is shown.
    pub fn text(&self) -> String {
        shown(&String::from_utf8_lossy(&self.body))
    }

    /// How long a provider asks us to wait that says so in its document, as Telegram does.
    fn asked_in_body(&self) -> Option<SignedDuration> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        let seconds = u32::try_from(body.pointer("/parameters/retry_after")?.as_u64()?).ok()?;
        Some(SignedDuration::from_secs(i64::from(seconds)))
    }

    /// What the provider said, where it said it in one of the usual fields.
    fn said(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.body).ok()?;
        let said = ["description", "error", "message"].iter().find_map(|field| body.get(field)?.as_str());
        let errors = || body.get("errors")?.as_array()?.first()?.as_str();
        said.or_else(errors).map(shown)
    }
}

/// Words of a provider, on one line and not too long.
pub fn shown(words: &str) -> String {
    words.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MAX_SHOWN).collect()
}
