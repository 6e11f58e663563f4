//! Vonage (once Nexmo): short messages by its SMS API, calls by its Voice API.
//!
//! The SMS API answers 200 to nearly everything and says in the body, part by part, whether it took the message. Both
//! call back at an address that holds a secret, see `callback`. Calls are in `vonage/calls.rs`, what they say in
//! `vonage/ncco.rs`.

pub mod calls;
pub mod ncco;
pub mod signature;

use escalation::contact::Kind;
use escalation::delivery::{Refusal, SEND_DEADLINE};
use jiff::SignedDuration;
use serde_json::Value;

use super::providers::exchange::{Answer, exchange, shown};
use super::providers::{Carried, Carrying, Provider};
use crate::message::{Message, sms};
use crate::outbound::Outbound;
use crate::secret::Secret;

/// Where Vonage is.
pub const BASE_URL: &str = "https://rest.nexmo.com";
/// For how long a provider is left alone that says that it is asked too often.
const THROTTLED: SignedDuration = SignedDuration::from_secs(2);

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    /// The provider's name in the configuration.
    pub name: String,
    /// The API key.
    pub key: String,
    /// The API secret.
    pub token: Secret,
    /// The sender: a number without plus sign, or up to 11 letters and digits where the country allows it.
    pub from: String,
    /// Where the service is, without a slash at its end.
    pub base_url: String,
    /// The secret in the address of callbacks; none: nothing comes back.
    pub secret: Option<Secret>,
    /// Whether replies to messages come back to us.
    pub replies: bool,
    /// How long after a message was taken the telephone has to have confirmed it; none: it never does.
    pub receipt_within: Option<SignedDuration>,
    /// What calls; none: it makes no calls.
    pub application: Option<calls::Application>,
}

/// Carries calls and messages through one account.
pub struct Vonage {
    outbound: Outbound,
    account: Account,
    public_url: String,
}

impl Vonage {
    /// Through `account`, with callbacks to `public_url`.
    ///
    /// # Errors
    ///
    /// When the TLS library can't be set up.
    pub fn new(account: Account, public_url: &str) -> anyhow::Result<Self> {
        let public_url = public_url.trim_end_matches('/').to_owned();
        Ok(Self { outbound: Outbound::unguarded(SEND_DEADLINE)?, account, public_url })
    }

    async fn post(&self, message: &Message) -> Carried {
        let request = self
            .outbound
            .client()
            .post(format!("{}/sms/json", self.account.base_url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(self.form(message));
        match exchange(request).await {
            Ok(answer) => read(&answer),
            Err(carried) => carried,
        }
    }

    async fn call(&self, message: &Message, application: &calls::Application) -> Carried {
        let unique = format!("{}.{}.{}", message.delivery, message.attempt, message.sent_at.as_millisecond());
        let Some(token) = application.authorization(&unique, message.sent_at) else {
            return Carried::Account("its private key can't sign".to_owned());
        };
        let request = self
            .outbound
            .client()
            .post(format!("{}/v1/calls", application.base_url))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(application.call(message, &self.account, &self.public_url).to_string());
        // It may repeat what we asked for, and with that the addresses of callbacks.
        let secret = self.account.secret.as_ref().map_or("", Secret::reveal);
        match exchange(request).await {
            Ok(answer) => calls::read(&answer, secret),
            Err(carried) => carried,
        }
    }

    /// Ends a call, ringing or not, once nobody is asked any more.
    async fn hang_up(&self, message: &Message, id: &str) -> Carried {
        let Some(application) = self.account.application.as_ref().filter(|_| !message.asks_somebody()) else {
            return Carried::Taken(id.to_owned());
        };
        let unique = format!("{id}.{}.{}", message.attempt, message.sent_at.as_millisecond());
        let Some(token) = application.authorization(&unique, message.sent_at) else {
            return Carried::Account("its private key can't sign".to_owned());
        };
        let request = self
            .outbound
            .client()
            .put(format!("{}/v1/calls/{id}", application.base_url))
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(serde_json::json!({ "action": "hangup" }).to_string());
        match exchange(request).await {
            // A call that is over can't be ended.
            Ok(answer) if answer.status.is_success() || matches!(answer.status.as_u16(), 400 | 404) => {
                Carried::Taken(id.to_owned())
            }
            Ok(answer) => answer.refusal(""),
            Err(carried) => carried,
        }
    }

    fn form(&self, message: &Message) -> String {
        let text = sms::text(message, self.account.replies);
        let kind = if sms::is_gsm(&text) { "text" } else { "unicode" };
        let reference = format!("{}.{}", message.delivery, message.attempt);
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("api_key", &self.account.key)
            .append_pair("api_secret", self.account.token.reveal())
            .append_pair("to", message.contact.address().trim_start_matches('+'))
            .append_pair("from", &self.account.from)
            .append_pair("text", &text)
            .append_pair("type", kind)
            .append_pair("client-ref", &reference);
        if let Some(secret) = &self.account.secret {
            let callback = format!(
                "{}/callbacks/http/{}/{}/receipts?delivery={}&attempt={}",
                self.public_url,
                self.account.name,
                secret.reveal(),
                message.delivery,
                message.attempt
            );
            form.append_pair("status-report-req", "1").append_pair("callback", &callback);
        }
        form.finish()
    }
}

impl Provider for Vonage {
    fn carry<'a>(&'a self, message: &'a Message) -> Carrying<'a> {
        match &self.account.application {
            Some(application) if message.contact.kind() == Kind::Phone => {
                Box::pin(self.call(message, application))
            }
            _ => Box::pin(self.post(message)),
        }
    }

    fn can_amend(&self, kind: Kind) -> bool {
        kind == Kind::Phone
    }

    fn amend<'a>(&'a self, message: &'a Message, id: &'a str) -> Carrying<'a> {
        Box::pin(self.hang_up(message, id))
    }

    fn receipt_within(&self, kind: Kind) -> Option<SignedDuration> {
        match &self.account.application {
            Some(application) if kind == Kind::Phone => application.receipt_within,
            _ => self.account.receipt_within,
        }
    }
}

/// Reads an answer: a message of several parts was taken only if each part was.
fn read(answer: &Answer) -> Carried {
    let body = answer.json();
    if !answer.status.is_success() {
        return answer
            .refusal(body.as_ref().and_then(|body| body["error_text"].as_str()).unwrap_or_default());
    }
    let Some(parts) =
        body.as_ref().and_then(|body| body["messages"].as_array()).filter(|all| !all.is_empty())
    else {
        return answer.not_understood();
    };
    let status = |part: &Value| part["status"].as_str().map(ToOwned::to_owned);
    let Some(refused) = parts.iter().find(|part| status(part).as_deref() != Some("0")) else {
        let id = parts[0]["message-id"].as_str().unwrap_or_default();
        return Carried::Taken(shown(id));
    };
    let (Some(code), said) = (status(refused), refused["error-text"].as_str().unwrap_or_default()) else {
        return answer.not_understood();
    };
    let why = format!("it says: {} (status {code})", shown(said));
    let some_left = parts.iter().any(|part| status(part).as_deref() == Some("0"));
    // The codes of the SMS API, as its reference lists them.
    match code.as_str() {
        _ if some_left => Carried::Unknown(why),
        "1" => Carried::Later { pause: THROTTLED, why },
        // Wrong key or secret, barred, no money, not enabled, a signature wanted, a sender that is not ours.
        "4" | "8" | "9" | "11" | "14" | "15" | "29" => Carried::Account(why),
        // A fault of theirs.
        "5" | "10" => Carried::Failed(why),
        // The number is barred.
        "7" => Carried::Refused { why, refusal: Refusal::Contact },
        _ => Carried::Refused { why, refusal: Refusal::Passing },
    }
}
