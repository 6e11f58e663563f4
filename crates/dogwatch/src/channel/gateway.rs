//! Any service that takes a message by one HTTP request, described in the configuration: SMS gateways, modems
//! behind a small web server, systems of the house.
//!
//! The description is a request with places in it, such as `{to}` and `{text}`; what is put there is written as the
//! place needs it, see [`template`].

pub mod template;

use escalation::contact::Kind;
use escalation::delivery::{Refusal, SEND_DEADLINE};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::Value;

use super::providers::exchange::{Answer, exchange, shown};
use super::providers::{Carried, Carrying, Provider};
use crate::message::{Message, sms, speech};
use crate::outbound::Outbound;
use crate::secret::Secret;
use template::{Place, Template};

/// How a gateway is asked, and how its answers are read.
#[derive(Clone, Debug)]
pub struct Description {
    /// The provider's name in the configuration.
    pub name: String,
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Template,
    /// Names and values of headers.
    pub headers: Vec<(String, Template)>,
    /// The body; none: the request has none.
    pub body: Option<Template>,
    /// What `{from}` stands for.
    pub from: String,
    /// What `{token}` stands for.
    pub token: Option<Secret>,
    /// Where in a JSON answer the gateway's name for the message stands, as a JSON pointer.
    pub id: Option<String>,
    /// Where in a JSON answer an error stands; where there is something, the message was not taken.
    pub error: Option<String>,
    /// A text that the answer to a message that was taken has in it.
    pub success: Option<String>,
    /// Words of an error by which it is the number's matter: nobody can be reached there.
    pub number_errors: Vec<String>,
    /// Words of an error by which it is our account's matter: the operators are told.
    pub account_errors: Vec<String>,
    /// The secret in the address of callbacks; none: nothing comes back.
    pub secret: Option<Secret>,
    /// Whether replies to messages come back to us.
    pub replies: bool,
    /// How long after a message was taken it has to be confirmed; none: it never is.
    pub receipt_within: Option<SignedDuration>,
}

/// Whose matter an error is that is not only of the moment.
enum Blame {
    Number,
    Account,
}

impl Description {
    /// Whose matter it is, by the words that the configuration names, in any case.
    fn blame(&self, said: &str) -> Option<Blame> {
        let said = said.to_lowercase();
        let has = |words: &[String]| words.iter().any(|words| said.contains(&words.to_lowercase()));
        if has(&self.number_errors) {
            Some(Blame::Number)
        } else {
            has(&self.account_errors).then_some(Blame::Account)
        }
    }
}

/// Carries messages through a gateway.
pub struct Gateway {
    outbound: Outbound,
    description: Description,
    public_url: String,
}

impl Gateway {
    /// Through the gateway that is described, with callbacks to `public_url`.
    ///
    /// # Errors
    ///
    /// When the TLS library can't be set up.
    pub fn new(description: Description, public_url: &str) -> anyhow::Result<Self> {
        let public_url = public_url.trim_end_matches('/').to_owned();
        Ok(Self { outbound: Outbound::unguarded(SEND_DEADLINE)?, description, public_url })
    }

    async fn post(&self, message: &Message) -> Carried {
        let description = &self.description;
        let text = match message.contact.kind() {
            Kind::Phone => speech::speech(message).news,
            _ => sms::text(message, description.replies),
        };
        let value = |place: Place| self.value(place, message, &text);
        let url = description.url.fill(&value);
        let Ok(url) = reqwest::Url::parse(&url) else {
            return Carried::Failed("the address in the configuration can't be read".to_owned());
        };
        let mut request = self.outbound.client().request(description.method.clone(), url);
        for (name, template) in &description.headers {
            request = request.header(name, template.fill(&value));
        }
        if let Some(body) = &description.body {
            request = request.body(body.fill(&value));
        }
        match exchange(request).await {
            Ok(answer) => self.read(&answer),
            Err(carried) => carried,
        }
    }

    fn value(&self, place: Place, message: &Message, text: &str) -> String {
        let to = message.contact.address();
        match place {
            Place::To => to.to_owned(),
            Place::ToDigits => to.trim_start_matches('+').to_owned(),
            Place::Text => text.to_owned(),
            Place::From => self.description.from.clone(),
            Place::Token => {
                self.description.token.as_ref().map_or_else(String::new, |it| it.reveal().to_owned())
            }
            Place::Id => format!("{}.{}", message.delivery, message.attempt),
            Place::Language => message.language.clone(),
            Place::ReceiptUrl => self.receipt_url(message),
        }
    }

    fn receipt_url(&self, message: &Message) -> String {
        let secret = self.description.secret.as_ref().map_or("", Secret::reveal);
        format!(
            "{}/callbacks/http/{}/{secret}/receipts?delivery={}&attempt={}",
            self.public_url, self.description.name, message.delivery, message.attempt
        )
    }

    fn read(&self, answer: &Answer) -> Carried {
        let text = String::from_utf8_lossy(&answer.body);
        let json = answer.json();
        let at = |pointer: &Option<String>| json.as_ref()?.pointer(pointer.as_deref()?).cloned();
        let error = at(&self.description.error).filter(is_something);
        let said = error.as_ref().map_or_else(|| text.to_string(), plain);
        if !answer.status.is_success() {
            return match (answer.refusal(&said), self.description.blame(&said)) {
                (Carried::Refused { why, .. } | Carried::Failed(why), Some(Blame::Number)) => {
                    Carried::Refused { why, refusal: Refusal::Contact }
                }
                (Carried::Refused { why, .. } | Carried::Failed(why), Some(Blame::Account)) => {
                    Carried::Account(why)
                }
                (carried, _) => carried,
            };
        }
        if error.is_some() {
            let why = format!("it says: {}", shown(&said));
            return match self.description.blame(&said) {
                Some(Blame::Number) => Carried::Refused { why, refusal: Refusal::Contact },
                Some(Blame::Account) => Carried::Account(why),
                None => Carried::Refused { why, refusal: Refusal::Passing },
            };
        }
        if let Some(success) = &self.description.success
            && !text.contains(success)
        {
            let why = format!("its answer does not hold \"{success}\": {}", shown(&text));
            return match self.description.blame(&text) {
                Some(Blame::Number) => Carried::Refused { why, refusal: Refusal::Contact },
                Some(Blame::Account) => Carried::Account(why),
                None => Carried::Refused { why, refusal: Refusal::Passing },
            };
        }
        match (&self.description.id, at(&self.description.id).filter(is_something)) {
            (Some(_), None) => answer.not_understood(),
            (_, id) => Carried::Taken(id.map_or_else(String::new, |id| shown(&plain(&id)))),
        }
    }
}

impl Provider for Gateway {
    fn carry<'a>(&'a self, message: &'a Message) -> Carrying<'a> {
        Box::pin(self.post(message))
    }

    fn receipt_within(&self, _: Kind) -> Option<SignedDuration> {
        self.description.receipt_within
    }
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Array(all) => !all.is_empty(),
        Value::Bool(true) | Value::Object(_) => true,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
