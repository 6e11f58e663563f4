//! Providers of calls and short messages: what stands in `[[provider]]`, and what it means.
//!
//! What each make needs is in `config/provider/protocol.rs`.

mod protocol;

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use escalation::contact::Kind;
use escalation::name::Name;
use serde::Deserialize;
use toml::Table;

use crate::channel::gateway::Description;
use crate::channel::providers::health::Limits;
use crate::channel::{twilio, vonage};
use crate::definition::nearest;
use crate::secret::Secret;

/// Sends at once where nothing else is said.
const AT_ONCE: usize = 16;
/// Sends in a second where nothing else is said.
const PER_SECOND: u32 = 10;

/// One `[[provider]]`, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
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
    application: Option<String>,
    private_key: Option<String>,
    private_key_file: Option<String>,
    voice_url: Option<String>,
    replies: Option<bool>,
    url: Option<String>,
    method: Option<String>,
    headers: BTreeMap<String, String>,
    body: Option<String>,
    id: Option<String>,
    error: Option<String>,
    success: Option<String>,
    number_errors: Vec<String>,
    account_errors: Vec<String>,
}

/// Every key, for "did you mean".
const KEYS: [&str; 30] = [
    "name",
    "kind",
    "channels",
    "account",
    "token",
    "token_file",
    "signing_key",
    "signing_key_file",
    "callback_secret",
    "callback_secret_file",
    "from",
    "base_url",
    "receipt_within",
    "at_once",
    "per_second",
    "machine_detection",
    "application",
    "private_key",
    "private_key_file",
    "voice_url",
    "replies",
    "url",
    "method",
    "headers",
    "body",
    "id",
    "error",
    "success",
    "number_errors",
    "account_errors",
];

/// The kinds that carry calls and short messages.
const KINDS: [&str; 3] = ["twilio", "vonage", "http"];

/// Whether a `[[provider]]` is one of calls and short messages; the others are in [`super::account`].
pub(super) fn is_carrier(table: &Table) -> bool {
    table.get("kind").and_then(toml::Value::as_str).is_some_and(|kind| KINDS.contains(&kind))
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

impl Provider {
    /// The number that calls and messages come from, where it is one.
    pub fn number(&self) -> Option<String> {
        let from = match &self.protocol {
            Protocol::Twilio(account) => &account.from,
            Protocol::Vonage(account)
                if account.from.len() >= 7 && account.from.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                return Some(format!("+{}", account.from));
            }
            Protocol::Vonage(account) => &account.from,
            Protocol::Http(description) => &description.from,
        };
        from.starts_with('+').then(|| from.clone())
    }
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
pub(super) fn resolve(all: Vec<(usize, Table)>, has_public_url: bool) -> anyhow::Result<Vec<Provider>> {
    let mut resolved: Vec<Provider> = Vec::new();
    for (place, table) in all {
        let raw = read(table).with_context(|| format!("provider {}", place + 1))?;
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

fn read(table: Table) -> anyhow::Result<Raw> {
    table.try_into().map_err(|error: toml::de::Error| {
        let unknown = error.message().strip_prefix("unknown field `").and_then(|rest| rest.split('`').next());
        match unknown {
            Some(key) => {
                let near = nearest(key, KEYS.into_iter());
                let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
                anyhow::anyhow!("{key} is not known{hint}")
            }
            None => anyhow::anyhow!("{}", error.to_string().trim_end()),
        }
    })
}

impl Raw {
    fn resolve(self, name: &str, has_public_url: bool) -> anyhow::Result<Provider> {
        Name::new(name).map_err(|wrong| anyhow::anyhow!("name: {wrong}"))?;
        let (able, first): (&[Kind], _) = match self.kind.as_deref() {
            Some("twilio") => (&[Kind::Sms, Kind::Phone], "twilio"),
            Some("vonage") => (&[Kind::Sms, Kind::Phone], "vonage"),
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
            "vonage" => self.vonage(name, has_public_url, channels.contains(&Kind::Phone))?,
            _ => self.http(name, has_public_url)?,
        };
        Ok(Provider { name: name.to_owned(), channels, limits, protocol })
    }

    /// A key that another kind of provider has would be read and mean nothing.
    fn only_own_keys(&self, kind: &str) -> anyhow::Result<()> {
        let not_http = [("account", self.account.is_some()), ("base_url", self.base_url.is_some())];
        let not_http = not_http.into_iter().chain([
            ("signing_key", self.signing_key.is_some()),
            ("signing_key_file", self.signing_key_file.is_some()),
            ("machine_detection", self.machine_detection.is_some()),
        ]);
        let only_vonage = [
            ("application", self.application.is_some()),
            ("private_key", self.private_key.is_some()),
            ("private_key_file", self.private_key_file.is_some()),
            ("voice_url", self.voice_url.is_some()),
        ];
        let only_http = [
            ("url", self.url.is_some()),
            ("method", self.method.is_some()),
            ("headers", !self.headers.is_empty()),
            ("body", self.body.is_some()),
            ("id", self.id.is_some()),
            ("error", self.error.is_some()),
            ("success", self.success.is_some()),
            ("number_errors", !self.number_errors.is_empty()),
            ("account_errors", !self.account_errors.is_empty()),
        ];
        let not_twilio = [
            ("callback_secret", self.callback_secret.is_some()),
            ("callback_secret_file", self.callback_secret_file.is_some()),
        ];
        let foreign: Vec<(&str, bool)> = match kind {
            "http" => not_http.chain(only_vonage).collect(),
            "twilio" => only_http.into_iter().chain(not_twilio).chain(only_vonage).collect(),
            _ => only_http.into_iter().collect(),
        };
        match foreign.into_iter().find(|(_, is_there)| *is_there) {
            Some((key, _)) => bail!("{key} means nothing for a provider of kind \"{kind}\"; leave it out"),
            None => Ok(()),
        }
    }

    fn channels(&self, able: &[Kind], kind: &str) -> anyhow::Result<Vec<Kind>> {
        let Some(written) = &self.channels else {
            let is_silent = kind == "http" || (kind == "vonage" && self.application.is_none());
            return Ok(if is_silent { vec![Kind::Sms] } else { able.to_vec() });
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
        let token = read_either("token", self.token.take(), self.token_file.take())?;
        token.context("token is missing: write it, or token_file with the file that holds it")
    }
}

/// The secret under a key, or in the file that its name and `_file` name.
fn read_either(key: &str, text: Option<String>, file: Option<String>) -> anyhow::Result<Option<Secret>> {
    match (text, file) {
        (Some(_), Some(_)) => bail!("{key} and {key}_file are both there; write one of them"),
        (Some(text), None) => Ok(Some(Secret::given(text))),
        (None, Some(path)) => {
            let read = super::read_secret(&path).with_context(|| format!("{key}_file can't be used"))?;
            Ok(Some(Secret::given(read)))
        }
        (None, None) => Ok(None),
    }
}
