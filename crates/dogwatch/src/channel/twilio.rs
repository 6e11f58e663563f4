//! Twilio, and services that speak its protocol: calls and short messages.
//!
//! A call carries its own TwiML, so that it speaks without asking us first; keys, receipts and replies come to
//! `/callbacks/twilio/NAME/…`, see `callback`. Which address a callback has is made in [`address`],
//! whether it is genuine is known to [`signature`].

pub mod address;
pub mod signature;
pub mod twiml;

use escalation::contact::Kind;
use escalation::delivery::{Purpose, Refusal, SEND_DEADLINE};
use jiff::SignedDuration;

use super::providers::exchange::{Answer, exchange};
use super::providers::{Carried, Carrying, Provider};
use crate::message::{Message, sms, speech};
use crate::outbound::Outbound;
use crate::secret::Secret;
use address::Address;

/// Where Twilio is.
pub const BASE_URL: &str = "https://api.twilio.com";
/// How long a call rings, in seconds: less than most mailboxes take to answer.
const RING_SECONDS: &str = "25";
/// How long a call lasts at most, in seconds.
const CALL_SECONDS: &str = "180";
/// For how long the network may try to hand over a page, in seconds: after that the plan has gone on for long.
const PAGE_VALID: &str = "600";
/// The same for everything else.
const NOTICE_VALID: &str = "14400";

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    /// The provider's name in the configuration.
    pub name: String,
    /// `AC` and 32 digits.
    pub account: String,
    /// The account's auth token: signs requests of ours and callbacks of theirs.
    pub token: Secret,
    /// Another key for callbacks that are signed with SHA-256; none: the token.
    pub signing_key: Option<Secret>,
    /// The number that calls, or that messages come from; or a messaging service (`MG…`).
    pub from: String,
    /// Where the service is, without a slash at its end.
    pub base_url: String,
    /// Whether calls are listened to for machines.
    pub machine_detection: bool,
    /// Whether replies to messages come back to us.
    pub replies: bool,
    /// How long after a message was taken the telephone has to have confirmed it; none: it never does.
    pub receipt_within: Option<SignedDuration>,
}

/// Carries calls and messages through one account.
pub struct Twilio {
    outbound: Outbound,
    account: Account,
    public_url: String,
}

impl Twilio {
    /// Through `account`, with callbacks to `public_url`.
    ///
    /// # Errors
    ///
    /// When the TLS library can't be set up.
    pub fn new(account: Account, public_url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            outbound: Outbound::unguarded(SEND_DEADLINE)?,
            account,
            public_url: public_url.trim_end_matches('/').to_owned(),
        })
    }

    async fn post(&self, message: &Message) -> Carried {
        let address = Address { public_url: &self.public_url, name: &self.account.name, message };
        let is_call = message.contact.kind() == Kind::Phone;
        let form = if is_call { self.call(message, &address) } else { self.sms(message, &address) };
        let resource = if is_call { "Calls" } else { "Messages" };
        let url =
            format!("{}/2010-04-01/Accounts/{}/{resource}.json", self.account.base_url, self.account.account);
        let request = self
            .outbound
            .client()
            .post(url)
            .basic_auth(&self.account.account, Some(self.account.token.reveal()))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(to_form(&form));
        match exchange(request).await {
            Ok(answer) => read(&answer, if is_call { "CA" } else { "SM" }),
            Err(carried) => carried,
        }
    }

    /// Ends a call, ringing or not, once nobody is asked any more.
    async fn hang_up(&self, message: &Message, id: &str) -> Carried {
        if message.asks_somebody() {
            return Carried::Taken(id.to_owned());
        }
        let Account { base_url, account, token, .. } = &self.account;
        let request = self
            .outbound
            .client()
            .post(format!("{base_url}/2010-04-01/Accounts/{account}/Calls/{id}.json"))
            .basic_auth(account, Some(token.reveal()))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body("Status=completed");
        match exchange(request).await {
            Ok(answer) => {
                let code = answer.json().and_then(|body| body["code"].as_u64());
                match answer.status.as_u16() {
                    200..300 | 404 => Carried::Taken(id.to_owned()),
                    _ if code == Some(IS_OVER) => Carried::Taken(id.to_owned()),
                    _ => answer.refusal(""),
                }
            }
            Err(carried) => carried,
        }
    }

    fn call(&self, message: &Message, address: &Address<'_>) -> Vec<(&'static str, String)> {
        let words = speech::speech(message);
        let mut form = vec![
            ("To", message.contact.address().to_owned()),
            ("From", self.account.from.clone()),
            ("Twiml", twiml::opening(&words, &message.language, &address.keys(0), &address.keys(1))),
            ("Timeout", RING_SECONDS.to_owned()),
            ("TimeLimit", CALL_SECONDS.to_owned()),
            ("StatusCallback", address.status()),
            ("StatusCallbackMethod", "POST".to_owned()),
        ];
        for event in ["initiated", "ringing", "answered", "completed"] {
            form.push(("StatusCallbackEvent", event.to_owned()));
        }
        if self.account.machine_detection {
            // It listens while we speak: nobody waits for it.
            form.push(("MachineDetection", "Enable".to_owned()));
            form.push(("AsyncAmd", "true".to_owned()));
            form.push(("AsyncAmdStatusCallback", address.status()));
            form.push(("AsyncAmdStatusCallbackMethod", "POST".to_owned()));
        }
        form
    }

    fn sms(&self, message: &Message, address: &Address<'_>) -> Vec<(&'static str, String)> {
        let from = if self.account.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let valid = if message.purpose == Purpose::Page { PAGE_VALID } else { NOTICE_VALID };
        vec![
            ("To", message.contact.address().to_owned()),
            (from, self.account.from.clone()),
            ("Body", sms::text(message, self.account.replies)),
            ("StatusCallback", address.status()),
            ("ValidityPeriod", valid.to_owned()),
        ]
    }
}

impl Provider for Twilio {
    fn carry<'a>(&'a self, message: &'a Message) -> Carrying<'a> {
        Box::pin(self.post(message))
    }

    fn receipt_within(&self, _: Kind) -> Option<SignedDuration> {
        self.account.receipt_within
    }

    fn can_amend(&self, kind: Kind) -> bool {
        kind == Kind::Phone
    }

    fn amend<'a>(&'a self, message: &'a Message, id: &'a str) -> Carrying<'a> {
        Box::pin(self.hang_up(message, id))
    }
}

/// A call that is over can't be ended.
const IS_OVER: u64 = 21_220;

fn to_form(fields: &[(&str, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// Errors that lie in the number: nobody can reach it. From Twilio's dictionary of errors.
const ABOUT_THE_NUMBER: [u64; 9] = [13_223, 13_224, 21_211, 21_214, 21_217, 21_265, 21_401, 21_610, 21_614];
/// Errors that lie in the account: suspended, out of money, a number of ours that is not ours.
const ABOUT_THE_ACCOUNT: [u64; 8] = [20_003, 20_005, 21_212, 21_603, 21_606, 21_659, 21_660, 30_002];

/// Errors that lie in what the account may do, for this number and those like it: a country that is not permitted, a
/// number that a trial has not verified. All others are still carried.
const NOT_PERMITTED: [u64; 5] = [21_215, 21_216, 21_219, 21_408, 21_608];

fn read(answer: &Answer, prefix: &str) -> Carried {
    let body = answer.json();
    if answer.status.is_success() {
        let sid = body.as_ref().and_then(|body| body["sid"].as_str());
        // A message with a picture has another prefix; we send none.
        return match sid.filter(|sid| sid.len() == 34 && sid.starts_with(prefix)) {
            Some(sid) => Carried::Taken(sid.to_owned()),
            None => answer.not_understood(),
        };
    }
    let Some(body) = body else { return answer.refusal("") };
    let code = body["code"].as_u64().unwrap_or_default();
    let said = body["message"].as_str().unwrap_or_default();
    let said = if code == 0 { said.to_owned() } else { format!("{said} (error {code})") };
    match answer.refusal(&said) {
        Carried::Refused { why, .. } if code == 21_610 => {
            Carried::Refused { why: format!("{why}; the number has said STOP"), refusal: Refusal::Message }
        }
        Carried::Refused { why, .. } | Carried::Account(why) if NOT_PERMITTED.contains(&code) => {
            Carried::Refused { why, refusal: Refusal::Account }
        }
        Carried::Refused { why, .. } if ABOUT_THE_NUMBER.contains(&code) => {
            Carried::Refused { why, refusal: Refusal::Contact }
        }
        Carried::Refused { why, .. } if ABOUT_THE_ACCOUNT.contains(&code) || answer.status == 404 => {
            Carried::Account(why)
        }
        carried => carried,
    }
}
