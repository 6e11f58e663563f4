//! One request to a provider and its answer, as far as it means the same for all of them.

use escalation::delivery::Refusal;
use jiff::SignedDuration;
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use super::Carried;
use crate::channel::request::retry_after;
use crate::outbound::{find_blocked, innermost};

/// The most of an answer that is read, in bytes.
const MOST_READ: usize = 64 * 1024;
/// What an answer says is shown up to here, in characters.
const MOST_SHOWN: usize = 200;
/// For how long a provider is left alone that says only that it was asked too often.
const DEFAULT_PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// What a provider answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body, cut at a limit.
    pub body: Vec<u8>,
    retry_after: Option<SignedDuration>,
}

/// Sends a request and reads the answer.
///
/// # Errors
///
/// There is none, or none that can be read to its end: what that means for the message.
pub async fn exchange(request: RequestBuilder) -> Result<Answer, Carried> {
    let mut response = request.send().await.map_err(|error| match find_blocked(&error) {
        Some(why) => Carried::Failed(why),
        None if error.is_connect() => Carried::Failed(format!("no connection: {}", innermost(&error))),
        None if error.is_builder() => Carried::Failed(innermost(&error)),
        None => Carried::Unknown(format!("no answer: {}", innermost(&error))),
    })?;
    let status = response.status();
    let retry_after = retry_after(response.headers());
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= MOST_READ => body.extend_from_slice(&chunk),
            Ok(_) => break,
            // What it refused it refused, however the words ended.
            Err(_) if !status.is_success() => break,
            Err(error) => {
                return Err(Carried::Unknown(format!("its answer broke off: {}", innermost(&error))));
            }
        }
    }
    Ok(Answer { status, body, retry_after })
}

impl Answer {
    /// The body as JSON, if it is that.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// What a status means by itself that is not a success; `said` is what the provider says besides.
    pub fn refusal(&self, said: &str) -> Carried {
        let said = shown(said);
        let why = if said.is_empty() {
            format!("it answered {}", self.status)
        } else {
            format!("it answered {}: {said}", self.status)
        };
        match self.status.as_u16() {
            401..=403 => Carried::Account(why),
            429 => Carried::Later { pause: self.retry_after.unwrap_or(DEFAULT_PAUSE), why },
            503 if self.retry_after.is_some() => {
                Carried::Later { pause: self.retry_after.unwrap_or(DEFAULT_PAUSE), why }
            }
            // Who answers for another does not know what became of it.
            502 | 504 => Carried::Unknown(why),
            500..=599 => Carried::Failed(why),
            _ => Carried::Refused { why, refusal: Refusal::Passing },
        }
    }

    /// A success that does not say what a success says: it may come from somebody in between.
    pub fn not_understood(&self) -> Carried {
        Carried::Unknown(format!("it answered {}, but with something that can't be read", self.status))
    }
}

/// Words of a provider, as one line.
pub fn shown(text: &str) -> String {
    let plain: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    plain.trim().chars().take(MOST_SHOWN).collect()
}
