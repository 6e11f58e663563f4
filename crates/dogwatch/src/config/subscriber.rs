//! The `[[subscriber]]` tables: who outside is told of every change of an alert.

use anyhow::{Context, bail};
use escalation::effect::EntryKind;
use escalation::name::Name;
use serde::Deserialize;

use super::{read_secret, read_webhook_key};
use crate::definition::nearest;
use crate::store::outgoing::Listener;

/// A subscriber outside.
#[derive(Clone)]
pub struct Subscriber {
    /// Who it is, and what it wants to hear of.
    pub listener: Listener,
    /// Where it is told.
    pub url: String,
    /// What it is signed with; none: what webhooks are signed with.
    pub key: Option<Vec<u8>>,
}

/// Never shows the key, nor the address, which may hold a secret.
impl std::fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscriber").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// One table, as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    name: Option<String>,
    url: Option<String>,
    key: Option<String>,
    key_file: Option<String>,
    teams: Vec<String>,
    events: Vec<String>,
}

/// Reads all tables: everything that is wrong is told at once.
pub(super) fn resolve(tables: Vec<Raw>) -> anyhow::Result<Vec<Subscriber>> {
    let mut subscribers: Vec<Subscriber> = Vec::new();
    let mut problems = Vec::new();
    for (index, table) in tables.into_iter().enumerate() {
        match one(table) {
            Ok(one) if subscribers.iter().any(|known| known.listener.name == one.listener.name) => {
                problems.push(format!(
                    "subscriber {}: name: \"{}\" is there already",
                    index + 1,
                    one.listener.name
                ));
            }
            Ok(one) => subscribers.push(one),
            Err(error) => problems.push(format!("subscriber {}: {error:#}", index + 1)),
        }
    }
    if !problems.is_empty() {
        bail!("{}", problems.join("\n"));
    }
    Ok(subscribers)
}

fn one(raw: Raw) -> anyhow::Result<Subscriber> {
    let name = raw.name.context("name is missing: write one that log and warnings are to use")?;
    let name = Name::new(&name).with_context(|| format!("name: \"{name}\""))?;
    let url =
        raw.url.context("url is missing: write where it is told, such as \"https://example.org/hook\"")?;
    let is_http = url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !is_http {
        bail!("url: \"{url}\" is no address; write one such as \"https://example.org/hook\"");
    }
    let key = match (raw.key, raw.key_file) {
        (Some(_), Some(_)) => bail!("write \"key\" or \"key_file\", and not both"),
        (Some(key), None) => Some(read_webhook_key(&key).context("key")?),
        (None, Some(path)) => Some(read_webhook_key(&read_secret(&path)?).context("key_file")?),
        (None, None) => None,
    };
    let teams = raw.teams.iter().map(|team| Name::new(team).with_context(|| format!("teams: \"{team}\"")));
    let teams = teams.collect::<anyhow::Result<_>>()?;
    let kinds = raw.events.iter().map(|word| kind(word)).collect::<anyhow::Result<_>>()?;
    Ok(Subscriber { listener: Listener { name: name.to_string(), teams, kinds }, url, key })
}

/// `alert.acknowledged`, as it stands in what is told.
fn kind(text: &str) -> anyhow::Result<EntryKind> {
    let word = text.strip_prefix("alert.").unwrap_or(text);
    if let Some(kind) = EntryKind::ALL.into_iter().find(|kind| kind.word() == word) {
        return Ok(kind);
    }
    let words = EntryKind::ALL.map(EntryKind::word);
    match nearest(word, words.into_iter()) {
        Some(near) => bail!("events: \"{text}\" is not known; did you mean \"alert.{near}\"?"),
        None => bail!("events: \"{text}\" is not known; there are alert.{}", words.join(", alert.")),
    }
}
