//! Calls by Vonage's Voice API: one request that holds all that the call says first, authorized by a token that an
//! application's private key signs.
//!
//! Receipts and keys come to `/callbacks/vonage/NAME/SECRET/…`, see `callback`. The fields are those of Vonage's
//! reference of version 1.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use escalation::delivery::Refusal;
use escalation::id::DeliveryId;
use jiff::{SignedDuration, Timestamp};
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::Account;
use super::ncco;
use crate::channel::providers::Carried;
use crate::channel::providers::exchange::{Answer, shown};
use crate::clock::randomness;
use crate::message::{Message, speech};
use crate::secret::Secret;

/// Where calls are asked for.
pub const BASE_URL: &str = "https://api.nexmo.com";
/// How long a call rings, in seconds: less than most mailboxes take to answer.
const RING_SECONDS: u16 = 25;
/// How long a call lasts at most, in seconds.
const CALL_SECONDS: u16 = 180;
/// For how long a token is good.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(5);

/// The application that calls.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its ID.
    pub id: String,
    /// What proves that we are it.
    pub key: Key,
    /// Where the service is, without a slash at its end.
    pub base_url: String,
    /// What callbacks of calls are signed with; none: the secret in their address is enough.
    pub signing_key: Option<Secret>,
    /// Whether calls are listened to for machines.
    pub machine_detection: bool,
    /// How long after a call was taken there has to be word of it; none: there never is.
    pub receipt_within: Option<SignedDuration>,
}

/// An application's private key.
#[derive(Clone)]
pub struct Key(Arc<RsaKeyPair>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// Reads PKCS #8 in PEM, as Vonage hands it out.
    ///
    /// # Errors
    ///
    /// What it is instead, and what to do.
    pub fn read(pem: &str) -> Result<Self, &'static str> {
        const WANTED: &str = "write the private key of the application, which begins with \
             \"-----BEGIN PRIVATE KEY-----\", with all of its lines";
        let of_another_kind = [
            (
                "BEGIN ENCRYPTED",
                "the key is locked by a password; unlock it with `openssl pkcs8 -in FILE -out NEW`",
            ),
            (
                "BEGIN RSA PRIVATE",
                "the key is in an older form; turn it with `openssl pkcs8 -topk8 -nodes -in FILE -out NEW`",
            ),
            ("BEGIN PUBLIC", "this is the public key; the private one is what Vonage handed out with it"),
            ("BEGIN CERTIFICATE", "this is a certificate, and no key"),
            ("BEGIN EC", "this is a key for elliptic curves; Vonage's applications have RSA"),
            ("BEGIN OPENSSH", "this is a key for SSH; Vonage's applications have one of their own"),
        ];
        if pem.trim().is_empty() {
            return Err("it is empty");
        }
        if let Some((_, why)) = of_another_kind.iter().find(|(begins, _)| pem.contains(begins)) {
            return Err(why);
        }
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| WANTED)?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|_| "the key is damaged, or not RSA of 2,048 to 4,096 bits")?;
        Ok(Self(Arc::new(pair)))
    }

    /// A JSON Web Token by RS256.
    fn token(&self, claims: &Value) -> Option<String> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({ "typ": "JWT", "alg": "RS256" })), part(claims));
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &randomness(), signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl Application {
    /// A token for one request; `unique` is unlike that of any other.
    pub(super) fn authorization(&self, unique: &str, now: Timestamp) -> Option<String> {
        let expires = (now + GOOD_FOR).as_second();
        let claims =
            json!({ "application_id": self.id, "iat": now.as_second(), "exp": expires, "jti": unique });
        self.key.token(&claims)
    }

    /// What is asked for.
    pub(super) fn call(&self, message: &Message, account: &Account, public_url: &str) -> Value {
        let words = speech::speech(message);
        let place = Place { public_url, account, delivery: message.delivery, attempt: message.attempt };
        let mut call = json!({
            "to": [{ "type": "phone", "number": message.contact.address().trim_start_matches('+') }],
            "from": { "type": "phone", "number": account.from },
            "ncco": ncco::opening(&words, &message.language, &place.keys(0, false)),
            "event_url": [place.calls()],
            "event_method": "POST",
            "ringing_timer": RING_SECONDS,
            "length_timer": CALL_SECONDS,
        });
        if self.machine_detection {
            call["machine_detection"] = json!("continue");
        }
        call
    }
}

/// Where Vonage calls back about one attempt.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Where Dogwatch is reached, without a slash at its end.
    pub public_url: &'a str,
    /// Whose calls they are.
    pub account: &'a Account,
    /// Which delivery it is.
    pub delivery: DeliveryId,
    /// Which attempt of it.
    pub attempt: u8,
}

impl Place<'_> {
    fn calls(&self) -> String {
        self.at("calls")
    }

    /// Where the key goes that was pressed when the caller was asked for the `turn`th time, from 0; with `six` a 6 was
    /// pressed before.
    pub fn keys(&self, turn: u32, six: bool) -> String {
        let six = if six { "&six=1" } else { "" };
        format!("{}&turn={turn}{six}", self.at("keys"))
    }

    fn at(&self, what: &str) -> String {
        let Self { public_url, account, delivery, attempt } = self;
        let secret = account.secret.as_ref().map(|secret| secret.reveal()).unwrap_or_default();
        let name = &account.name;
        format!("{public_url}/callbacks/vonage/{name}/{secret}/{what}?delivery={delivery}&attempt={attempt}")
    }
}

/// Reads an answer. Where it repeats `secret`, that is left out.
pub(super) fn read(answer: &Answer, secret: &str) -> Carried {
    let body = answer.json();
    if answer.status.is_success() {
        return match body.as_ref().and_then(|body| body["uuid"].as_str()).filter(|id| !id.is_empty()) {
            Some(id) => Carried::Taken(shown(id)),
            None => answer.not_understood(),
        };
    }
    let Some(body) = body else { return answer.refusal("") };
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let parameters = body["invalid_parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let named = |field: &str| {
        let mut names = parameters.iter().filter_map(|parameter| parameter["name"].as_str());
        names.any(|name| {
            name.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        })
    };
    // Which words there are depends on which of Vonage's services found it wrong.
    let reasons = parameters.iter().filter_map(|parameter| parameter["reason"].as_str());
    let words = ["detail", "title", "error_title"].into_iter().map(text).find(|words| !words.is_empty());
    let said: Vec<&str> = words.into_iter().chain(reasons).collect();
    let said = said.join(": ");
    let said = if secret.is_empty() { said } else { said.replace(secret, "…") };
    match answer.refusal(&said) {
        // That this number may not be called says nothing of any other.
        Carried::Account(why) if answer.status == 403 && (named("to") || named("number")) => {
            Carried::Refused { why, refusal: Refusal::Account }
        }
        // A bare "number" is that of who is called: ours was looked at when it was configured.
        Carried::Refused { why, .. } if named("to") || named("number") => {
            Carried::Refused { why, refusal: Refusal::Contact }
        }
        // A number that is not ours, an application that there is not.
        Carried::Refused { why, .. } if named("from") || answer.status == 404 => Carried::Account(why),
        carried => carried,
    }
}
