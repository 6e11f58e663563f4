//! How each make of provider is to be spoken to, from what was written.

use anyhow::{Context, bail};
use escalation::contact::Contact;
use jiff::SignedDuration;

use super::{Protocol, Raw, read_either};
use crate::channel::gateway::Description;
use crate::channel::gateway::template::{Form, Place, Template};
use crate::channel::vonage::calls;
use crate::channel::{twilio, vonage};
use crate::secret::Secret;

/// How long a receipt may take where nothing else is said.
const RECEIPT_WITHIN: SignedDuration = SignedDuration::from_secs(45);
/// The longest that it may be allowed to take: later than that a page is late.
const MOST_WITHIN: SignedDuration = SignedDuration::from_mins(5);

impl Raw {
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
        address("base_url", self.base_url.as_deref().unwrap_or(usual), usual)
    }

    pub(super) fn twilio(mut self, name: &str, has_public_url: bool) -> anyhow::Result<Protocol> {
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
            signing_key: read_either("signing_key", self.signing_key.take(), self.signing_key_file.take())?,
            from,
            base_url: self.base_url(twilio::BASE_URL)?,
            machine_detection: self.machine_detection.unwrap_or(true),
            replies: self.replies.unwrap_or(true),
            receipt_within: self.receipt_within(Some(RECEIPT_WITHIN))?,
        }))
    }

    pub(super) fn vonage(
        mut self,
        name: &str,
        has_public_url: bool,
        calls: bool,
    ) -> anyhow::Result<Protocol> {
        let key = self.account.clone().context("account is missing: write the API key")?;
        let secret = self.callback_secret()?;
        let (replies, receipt_within) = self.comes_back(secret.is_some(), has_public_url)?;
        let from = self.from.clone().context("from is missing: write the sender's number or name")?;
        let application = self.application(calls)?;
        if application.is_some() {
            is_number(&format!("+{}", from.trim_start_matches('+')))?;
            if secret.is_none() {
                bail!(
                    "callback_secret is missing: what is pressed in a call comes to an address that holds it"
                );
            }
        }
        Ok(Protocol::Vonage(vonage::Account {
            name: name.to_owned(),
            key,
            token: self.token()?,
            from: from.trim_start_matches('+').to_owned(),
            base_url: self.base_url(vonage::BASE_URL)?,
            secret,
            replies,
            receipt_within,
            application,
        }))
    }

    /// What makes Vonage's calls, where there are any.
    fn application(&mut self, calls: bool) -> anyhow::Result<Option<calls::Application>> {
        let written = self.private_key_file.clone();
        let pem = read_either("private_key", self.private_key.take(), self.private_key_file.take())?;
        let signing_key = read_either("signing_key", self.signing_key.take(), self.signing_key_file.take())?;
        let Some(id) = self.application.clone() else {
            let means_calls = self.machine_detection.is_some() || self.voice_url.is_some();
            if calls || means_calls || pem.is_some() || signing_key.is_some() {
                bail!("application is missing: calls are made by an application of Vonage's; write its ID");
            }
            return Ok(None);
        };
        if !calls {
            bail!("application means nothing without calls; add \"phone\" to channels, or leave it out");
        }
        if id.parse::<uuid::Uuid>().is_err() {
            bail!(
                "application: \"{id}\": write the application's ID, as 78d335fa-323d-0114-9c3d-d6f0d48968cf"
            );
        }
        let pem =
            pem.context("private_key is missing: write private_key_file with the file that holds it")?;
        let key = calls::Key::read(pem.reveal()).map_err(|why| match written {
            Some(file) => anyhow::anyhow!("private_key_file: {file}: {why}"),
            None => anyhow::anyhow!("private_key: {why}"),
        })?;
        let base_url = match self.voice_url.take() {
            Some(written) => address("voice_url", &written, calls::BASE_URL)?,
            None => calls::BASE_URL.to_owned(),
        };
        Ok(Some(calls::Application {
            id,
            key,
            base_url,
            signing_key,
            machine_detection: self.machine_detection.unwrap_or(true),
            receipt_within: self.receipt_within(Some(RECEIPT_WITHIN))?,
        }))
    }

    pub(super) fn http(mut self, name: &str, has_public_url: bool) -> anyhow::Result<Protocol> {
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
            Some(kind) if kind.contains("xml") => Form::Xml,
            Some(kind) if kind.starts_with("text/plain") => Form::Plain,
            Some(kind) if self.body.is_some() => bail!(
                "headers: a body of the type \"{kind}\" can't be written: use JSON, XML, application/x-www-form-urlencoded or \
                 text/plain"
            ),
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
        if let (Form::Json, Some(body)) = (form, &body) {
            // What is put into it can't break it: it is right with any words, or wrong with all. Digits, and a sender of
            // digits, need no quotation marks.
            let filled = body.fill(&|place| match place {
                Place::ToDigits => "0".to_owned(),
                Place::From => self.from.clone().unwrap_or_default(),
                _ => "x".to_owned(),
            });
            serde_json::from_str::<serde_json::Value>(&filled).map_err(|wrong| {
                anyhow::anyhow!(
                    "body: this is no JSON ({wrong}); put {{text}} and the like between quotation marks"
                )
            })?;
        }
        let asks_back = |template: &Template| template.has(Place::ReceiptUrl);
        if secret.is_none() && (asks_back(&url) || body.as_ref().is_some_and(asks_back)) {
            bail!(
                "{{receipt_url}} is there without callback_secret: write it, or nobody can call that address"
            );
        }
        if self.error.is_none() && !(self.number_errors.is_empty() && self.account_errors.is_empty()) {
            bail!(
                "number_errors and account_errors are words of an error: write under error where the answer has it"
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
            token: read_either("token", self.token.take(), self.token_file.take())?,
            id: self.id.take(),
            error: self.error.take(),
            success: self.success.take(),
            number_errors: std::mem::take(&mut self.number_errors),
            account_errors: std::mem::take(&mut self.account_errors),
            secret,
            replies,
            receipt_within,
        })))
    }

    fn callback_secret(&mut self) -> anyhow::Result<Option<Secret>> {
        let secret =
            read_either("callback_secret", self.callback_secret.take(), self.callback_secret_file.take())?;
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

/// The address of a service, without a slash at its end.
fn address(key: &str, text: &str, usual: &str) -> anyhow::Result<String> {
    let url = url::Url::parse(text).with_context(|| format!("{key}: \"{text}\" is no address"))?;
    if !matches!(url.scheme(), "http" | "https") || url.query().is_some() || url.fragment().is_some() {
        bail!("{key}: \"{text}\": write an address such as \"{usual}\"");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn is_number(from: &str) -> anyhow::Result<()> {
    match format!("sms:{from}").parse::<Contact>() {
        Ok(_) => Ok(()),
        Err(_) => bail!("from: \"{from}\": write the number that calls and sends, such as \"+4930123456\""),
    }
}
