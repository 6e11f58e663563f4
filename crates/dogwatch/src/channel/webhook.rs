//! Webhooks: a JSON document by POST, signed, and only to addresses that are allowed.
//!
//! The signature is that of the Standard Webhooks specification (`webhook-id`, `webhook-timestamp`,
//! `webhook-signature: v1,…`), so that receivers verify it with a library of theirs. Only a 2xx counts as
//! accepted; redirects are not followed.
//!
//! The guard looks at every address that a name resolves to, at the moment of connecting, and refuses
//! those that are not public, unless they are on the allow list: a plan must not be a way to talk to the
//! machines behind the firewall.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::alert::{Alert, Audience};
use escalation::delivery::{Outcome, SEND_DEADLINE};
use hmac::{Hmac, KeyInit, Mac};
use ipnet::IpNet;
use jiff::SignedDuration;
use reqwest::StatusCode;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::Serialize;
use sha2::Sha256;

use super::{Channel, Sending};
use crate::message::Message;

/// Answers longer than this are not read: nothing in them is wanted.
const MAX_SHOWN: usize = 200;

/// The channel for `webhook:URL`.
pub struct Webhook {
    client: reqwest::Client,
    guard: Arc<Guard>,
    key: Vec<u8>,
}

/// Which addresses may be connected to.
#[derive(Debug, Default)]
struct Guard {
    allowed: Vec<IpNet>,
}

impl Webhook {
    /// A channel that signs with `key` and connects to public addresses and to those in `allowed`.
    ///
    /// # Errors
    ///
    /// When the TLS library can't be set up.
    pub fn new(key: Vec<u8>, allowed: Vec<IpNet>) -> anyhow::Result<Self> {
        let guard = Arc::new(Guard { allowed });
        let client = reqwest::Client::builder()
            .dns_resolver(guard.clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(std::time::Duration::from_secs(5))
            .timeout(SEND_DEADLINE.unsigned_abs())
            .pool_idle_timeout(std::time::Duration::from_secs(30))
            .user_agent(concat!("Dogwatch/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, guard, key })
    }

    async fn post(&self, message: &Message) -> Outcome {
        let refused = |why: String, permanent: bool| Outcome::Refused { why, permanent };
        let url = match reqwest::Url::parse(message.contact.address()) {
            Ok(url) => url,
            Err(error) => return refused(format!("the address can't be read: {error}"), true),
        };
        // The resolver is not asked for a literal address.
        let literal = match url.host() {
            Some(url::Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(url::Host::Domain(_)) => None,
            None => return refused("the address names no host".to_owned(), true),
        };
        if let Some(address) = literal.filter(|address| !self.guard.allows(*address)) {
            return refused(not_public(address), true);
        }
        let body = match serde_json::to_vec(&Document::of(message)) {
            Ok(body) => body,
            Err(error) => return refused(format!("the document can't be written: {error}"), true),
        };
        let id = format!("{}.{}", message.delivery, message.attempt);
        let at = message.sent_at.as_second().to_string();
        let signature = sign(&self.key, &id, &at, &body);
        let request = self
            .client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at)
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            Ok(answer) => read_answer(answer.status(), answer.headers()),
            Err(error) if find_blocked(&error).is_some() => {
                refused(find_blocked(&error).unwrap_or_default(), true)
            }
            Err(error) if error.is_connect() => {
                refused(format!("no connection: {}", innermost(&error)), false)
            }
            Err(error) if error.is_builder() => refused(innermost(&error), true),
            Err(error) => Outcome::Unknown { why: format!("no answer: {}", innermost(&error)) },
        }
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
            let permanent = status.is_redirection()
                || (status.is_client_error()
                    && !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT));
            Outcome::Refused { why, permanent }
        }
    }
}

/// The cause that says most: the last of the chain, cut to a line.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string().chars().filter(|letter| !letter.is_control()).take(MAX_SHOWN).collect()
}

#[derive(Debug)]
struct Blocked(String);

impl std::fmt::Display for Blocked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Blocked {}

fn find_blocked(error: &reqwest::Error) -> Option<String> {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(current) = cause {
        if let Some(blocked) = current.downcast_ref::<Blocked>() {
            return Some(blocked.0.clone());
        }
        cause = current.source();
    }
    None
}

fn not_public(address: IpAddr) -> String {
    format!(
        "{address} is not a public address; to allow it, add its network to webhook.allow in the configuration"
    )
}

impl Guard {
    fn allows(&self, address: IpAddr) -> bool {
        // An IPv4 address in IPv6 clothes is judged as what it is.
        let address = address.to_canonical();
        self.allowed.iter().any(|network| network.contains(&address)) || is_public(address)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let allowed = self.allowed.clone();
        Box::pin(async move {
            let guard = Guard { allowed };
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            // All of them: one public address must not carry a private one in with it.
            if let Some(address) = found.iter().find(|address| !guard.allows(address.ip())) {
                let why = format!("{host} is {}", not_public(address.ip()));
                return Err(Box::new(Blocked(why)) as Box<dyn std::error::Error + Send + Sync>);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is reachable by everybody on the Internet, after the IANA special-purpose
/// registries. IPv6 is public in 2000::/3 only, less what is reserved there or stands for IPv4.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(a == 0
        || a == 10
        || a == 127
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 169 && b == 254)
        || (a == 172 && (16..32).contains(&b))
        || (a == 192 && b == 0 && (c == 0 || c == 2))
        || (a == 192 && b == 88 && c == 99)
        || (a == 192 && b == 168)
        || (a == 198 && (b == 18 || b == 19))
        || (a == 198 && b == 51 && c == 100)
        || (a == 203 && b == 0 && c == 113))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // 2001::/23 holds Teredo and other protocols, 2001:db8::/32 is for documentation, 2002::/16 is 6to4,
    // 3fff::/20 is for documentation.
    (0x2000..0x4000).contains(&a)
        && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8))
        && a != 0x2002
        && !(a == 0x3fff && b < 0x1000)
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
    /// Where a person answers this page; GET shows a page with a button, POST acknowledges.
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

    #[test]
    fn only_public_addresses_are_allowed_unless_listed() {
        let guard = Guard { allowed: vec!["10.1.0.0/16".parse().unwrap()] };
        for address in
            ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "10.1.2.3", "::ffff:1.1.1.1", "::ffff:10.1.2.3"]
        {
            assert!(guard.allows(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.2.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!guard.allows(address.parse().unwrap()), "{address}");
        }
    }

    /// The example of the Standard Webhooks specification's test suite.
    #[test]
    fn the_signature_is_that_of_the_specification() {
        let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", br#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
