//! Providers of calls and short messages: what stands in `[[provider]]`, and what it means.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use escalation::contact::{Contact, Kind};
use escalation::name::Name;
use jiff::SignedDuration;
use serde::Deserialize;

use crate::channel::gateway::Description;
use crate::channel::gateway::template::{Form, Place, Template};
use crate::channel::providers::health::Limits;
use crate::channel::{twilio, vonage};
use crate::secret::Secret;

/// How long a receipt may take where nothing else is said.
const RECEIPT_WITHIN: SignedDuration = SignedDuration::from_secs(45);
/// The longest that it may be allowed to take: later than that a page is late.
const MOST_WITHIN: SignedDuration = SignedDuration::from_mins(5);
/// Sends at once where nothing else is said.
const AT_ONCE: usize = 16;
/// Sends in a second where nothing else is said.
const PER_SECOND: u32 = 10;

/// One `[[provider]]`, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    name: Option<String>,
    kind: Option<String>,
    channels: Option<Vec<String>>,
    account: Option<String>,
    token: Option<String>,
    token_file: Option<String>,
    signing_key: Option<String>,
    signing_key_file: Option<String>,
    callback_secret: Option<String>,
    callback_secret_file: Option<String>,
    from: Option<String>,
    base_url: Option<String>,
    receipt_within: Option<String>,
    at_once: Option<usize>,
    per_second: Option<u32>,
    machine_detection: Option<bool>,
    replies: Option<bool>,
    url: Option<String>,
    method: Option<String>,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    id: Option<String>,
    error: Option<String>,
    success: Option<String>,
}

/// A provider, resolved.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its name: in addresses of callbacks, and in what is told.
    pub name: String,
    /// What it carries.
    pub channels: Vec<Kind>,
    /// What it bears.
    pub limits: Limits,
    /// How it is spoken to.
    pub protocol: Protocol,
}

/// How a provider is spoken to.
#[derive(Clone, Debug)]
pub enum Protocol {
    /// Twilio's.
    Twilio(twilio::Account),
    /// Vonage's.
    Vonage(vonage::Account),
    /// As the configuration describes.
    Http(Box<Description>),
}

/// Every provider, in order.
///
/// # Errors
///
/// The first that is wrong, with what to write instead.
pub(super) fn resolve(all: Vec<Raw>, has_public_url: bool) -> anyhow::Result<Vec<Provider>> {
    let mut resolved: Vec<Provider> = Vec::new();
    for (place, raw) in all.into_iter().enumerate() {
        let name = raw.name.clone().with_context(|| {
            format!("provider {}: name is missing: write a name such as \"twilio-main\"", place + 1)
        })?;
        let provider = raw.resolve(&name, has_public_url).with_context(|| format!("provider \"{name}\""))?;
        if resolved.iter().any(|other| other.name == name) {
            bail!("provider \"{name}\": there are two of this name; give each its own");
        }
        resolved.push(provider);
    }
    Ok(resolved)
}

impl Raw {
    fn resolve(self, name: &str, has_public_url: bool) -> anyhow::Result<Provider> {
        Name::new(name).map_err(|wrong| anyhow::anyhow!("name: {wrong}"))?;
        let (able, first): (&[Kind], _) = match self.kind.as_deref() {
            Some("twilio") => (&[Kind::Sms, Kind::Phone], "twilio"),
            Some("vonage") => (&[Kind::Sms], "vonage"),
            Some("http") => (&[Kind::Sms, Kind::Phone], "http"),
            Some(other) => bail!("kind: \"{other}\" is not known; write \"twilio\", \"vonage\" or \"http\""),
            None => bail!("kind is missing: write \"twilio\", \"vonage\" or \"http\""),
        };
        self.only_own_keys(first)?;
        let channels = self.channels(able, first)?;
        let limits = Limits {
            at_once: self.at_once.unwrap_or(AT_ONCE),
            per_second: self.per_second.unwrap_or(PER_SECOND),
        };
        if limits.at_once == 0 || limits.per_second == 0 {
            bail!(
                "at_once and per_second are at least 1; leave a provider out that nothing is to go through"
            );
        }
        let protocol = match first {
            "twilio" => self.twilio(name, has_public_url)?,
            "vonage" => self.vonage(name, has_public_url)?,
            _ => self.http(name, has_public_url)?,
        };
        Ok(Provider { name: name.to_owned(), channels, limits, protocol })
    }

    /// A key that another kind of provider has would be read and mean nothing.
    fn only_own_keys(&self, kind: &str) -> anyhow::Result<()> {
        let not_http = [("account", self.account.is_some()), ("base_url", self.base_url.is_some())];
        let only_twilio = [
            ("signing_key", self.signing_key.is_some()),
            ("signing_key_file", self.signing_key_file.is_some()),
            ("machine_detection", self.machine_detection.is_some()),
        ];
        let only_http = [
            ("url", self.url.is_some()),
            ("method", self.method.is_some()),
            ("headers", !self.headers.is_empty()),
            ("body", self.body.is_some()),
            ("id", self.id.is_some()),
            ("error", self.error.is_some()),
            ("success", self.success.is_some()),
        ];
        let not_twilio = [
            ("callback_secret", self.callback_secret.is_some()),
            ("callback_secret_file", self.callback_secret_file.is_some()),
        ];
        let foreign: Vec<(&str, bool)> = match kind {
            "http" => not_http.into_iter().chain(only_twilio).collect(),
            "twilio" => only_http.into_iter().chain(not_twilio).collect(),
            _ => only_http.into_iter().chain(only_twilio).collect(),
        };
        match foreign.into_iter().find(|(_, is_there)| *is_there) {
            Some((key, _)) => bail!("{key} means nothing for a provider of kind \"{kind}\"; leave it out"),
            None => Ok(()),
        }
    }

    fn channels(&self, able: &[Kind], kind: &str) -> anyhow::Result<Vec<Kind>> {
        let Some(written) = &self.channels else {
            return Ok(if kind == "http" { vec![Kind::Sms] } else { able.to_vec() });
        };
        let words: Vec<_> = able.iter().map(|kind| format!("\"{}\"", kind.word())).collect();
        let read = |word: &String| {
            let found = able.iter().copied().find(|kind| kind.word() == word);
            found.with_context(|| format!("channels: \"{word}\"; it carries {} only", words.join(" and ")))
        };
        let channels = written.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
        if channels.is_empty() {
            bail!("channels is empty; write {}", words.join(" or "));
        }
        Ok(channels)
    }

    fn token(&mut self) -> anyhow::Result<Secret> {
        let token = read_either(self.token.take(), self.token_file.take())?;
        token.context("token is missing: write it, or token_file with the file that holds it")
    }

    fn receipt_within(&self, usual: Option<SignedDuration>) -> anyhow::Result<Option<SignedDuration>> {
        match self.receipt_within.as_deref() {
            None => Ok(usual),
            Some("off") => Ok(None),
            Some(text) => {
                let within = escalation::duration::parse(text)
                    .map_err(|wrong| anyhow::anyhow!("receipt_within: {wrong}; or write \"off\""))?;
                if within > MOST_WITHIN || within < SignedDuration::from_secs(5) {
                    bail!("receipt_within: \"{text}\": write 5s to 5m, or \"off\"");
                }
                Ok(Some(within))
            }
        }
    }

    fn base_url(&self, usual: &str) -> anyhow::Result<String> {
        let text = self.base_url.as_deref().unwrap_or(usual);
        let url = url::Url::parse(text).with_context(|| format!("base_url: \"{text}\" is no address"))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
            bail!("base_url: \"{text}\": write an address such as \"{usual}\"");
        }
        Ok(text.trim_end_matches('/').to_owned())
    }

    fn twilio(mut self, name: &str, has_public_url: bool) -> anyhow::Result<Protocol> {
        if !has_public_url {
            bail!(
                "keys, receipts and replies come to public_url, which is not set: write the address at which the \
                   Internet reaches Dogwatch"
            );
        }
        let account = self.account.clone().unwrap_or_default();
        let digits = account.strip_prefix("AC").unwrap_or_default();
        if digits.len() != 32 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            bail!("account: \"{account}\": write the Account SID, \"AC\" and 32 digits");
        }
        let from = self.from.clone().unwrap_or_default();
        if !from.starts_with("MG") {
            is_number(&from)?;
        } else if self.channels.as_ref().is_none_or(|channels| channels.iter().any(|it| it == "phone")) {
            bail!("from: a messaging service makes no calls; write channels = [\"sms\"], or a number");
        }
        Ok(Protocol::Twilio(twilio::Account {
            name: name.to_owned(),
            account,
            token: self.token()?,
            signing_key: read_either(self.signing_key.take(), self.signing_key_file.take())?,
            from,
            base_url: self.base_url(twilio::BASE_URL)?,
            machine_detection: self.machine_detection.unwrap_or(true),
            replies: self.replies.unwrap_or(true),
            receipt_within: self.receipt_within(Some(RECEIPT_WITHIN))?,
        }))
    }

    fn vonage(mut self, name: &str, has_public_url: bool) -> anyhow::Result<Protocol> {
        let key = self.account.clone().context("account is missing: write the API key")?;
        let secret = self.callback_secret()?;
        let (replies, receipt_within) = self.comes_back(secret.is_some(), has_public_url)?;
        Ok(Protocol::Vonage(vonage::Account {
            name: name.to_owned(),
            key,
            token: self.token()?,
            from: self
                .from
                .clone()
                .context("from is missing: write the sender's number or name")?
                .trim_start_matches('+')
                .to_owned(),
            base_url: self.base_url(vonage::BASE_URL)?,
            secret,
            replies,
            receipt_within,
        }))
    }

    fn http(mut self, name: &str, has_public_url: bool) -> anyhow::Result<Protocol> {
        let read = |what: &str, text: &str, form| {
            Template::read(text, form).map_err(|wrong| anyhow::anyhow!("{what}: {wrong}"))
        };
        let url = self.url.clone().context("url is missing: write the address that takes a message")?;
        let method = self.method.clone().unwrap_or_else(|| "POST".to_owned());
        if !matches!(method.as_str(), "GET" | "POST" | "PUT") {
            bail!("method: \"{method}\": write \"POST\", \"PUT\" or \"GET\"");
        }
        let kind = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let form = match kind.map(|(_, value)| value.to_ascii_lowercase()) {
            Some(kind) if kind.contains("json") => Form::Json,
            Some(kind) if kind.contains("form-urlencoded") => Form::Address,
            Some(_) => Form::Plain,
            None if self.body.is_some() => bail!(
                "headers: a body needs its Content-Type, such as \"application/json\": what is put into it is \
                 written accordingly"
            ),
            None => Form::Plain,
        };
        let secret = self.callback_secret()?;
        let (replies, receipt_within) = self.comes_back(secret.is_some(), has_public_url)?;
        let url = read("url", &url, Form::Address)?;
        let body = self.body.as_deref().map(|body| read("body", body, form)).transpose()?;
        let tells = |place| url.has(place) || body.as_ref().is_some_and(|body| body.has(place));
        if !tells(Place::Text) || !(tells(Place::To) || tells(Place::ToDigits)) {
            bail!(
                "url and body: write {{to}} (or {{to_digits}}) and {{text}} where the number and the words go"
            );
        }
        let header = |(name, value): (&String, &String)| {
            reqwest::header::HeaderName::from_bytes(name.as_bytes())
                .with_context(|| format!("headers: \"{name}\" is no name of a header"))?;
            Ok((name.clone(), read("headers", value, Form::Line)?))
        };
        let headers = self.headers.iter().map(header).collect::<anyhow::Result<_>>()?;
        Ok(Protocol::Http(Box::new(Description {
            name: name.to_owned(),
            method: method.parse().context("method")?,
            url,
            headers,
            body,
            from: self.from.clone().unwrap_or_default(),
            token: read_either(self.token.take(), self.token_file.take())?,
            id: self.id.take(),
            error: self.error.take(),
            success: self.success.take(),
            secret,
            replies,
            receipt_within,
        })))
    }

    fn callback_secret(&mut self) -> anyhow::Result<Option<Secret>> {
        let secret = read_either(self.callback_secret.take(), self.callback_secret_file.take())?;
        match &secret {
            Some(secret)
                if !secret.is_strong()
                    || !secret.reveal().bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
            {
                bail!(
                    "callback_secret: it is part of an address: write 32 letters and digits at least, for example from \
                 `openssl rand -hex 32`"
                )
            }
            _ => Ok(secret),
        }
    }

    /// What comes back from a provider whose callbacks are known by a secret.
    fn comes_back(
        &self,
        has_secret: bool,
        has_public_url: bool,
    ) -> anyhow::Result<(bool, Option<SignedDuration>)> {
        if has_secret && !has_public_url {
            bail!(
                "callback_secret: callbacks come to public_url, which is not set: write the address at which the \
                   provider reaches Dogwatch"
            );
        }
        let wants =
            self.replies == Some(true) || self.receipt_within.as_deref().is_some_and(|it| it != "off");
        if wants && !has_secret {
            bail!("replies and receipt_within need a callback_secret: without one nothing comes back");
        }
        Ok((self.replies.unwrap_or(has_secret), self.receipt_within(None)?))
    }
}

fn is_number(from: &str) -> anyhow::Result<()> {
    match format!("sms:{from}").parse::<Contact>() {
        Ok(_) => Ok(()),
        Err(_) => bail!("from: \"{from}\": write the number that calls and sends, such as \"+4930123456\""),
    }
}

fn read_either(text: Option<String>, file: Option<String>) -> anyhow::Result<Option<Secret>> {
    match (text, file) {
        (Some(text), _) => Ok(Some(Secret::given(text))),
        (None, Some(path)) => Ok(Some(Secret::given(super::read_secret(&path)?))),
        (None, None) => Ok(None),
    }
}
