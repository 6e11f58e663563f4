//! The providers that are set up: their channels, and what lets them call us back.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use escalation::contact::Kind;
use escalation::delivery::SEND_DEADLINE;

use crate::callback::{self, Callbacks};
use crate::channel::email::Email;
use crate::channel::gateway::Gateway;
use crate::channel::ntfy::Ntfy;
use crate::channel::providers::{self, Named, Providers, Sole};
use crate::channel::push::{Push, Vapid};
use crate::channel::teams::Teams;
use crate::channel::twilio::Twilio;
use crate::channel::vonage::Vonage;
use crate::channel::webhook::Webhook;
use crate::channel::{Channels, mailgun, mattermost, pushover, slack, telegram};
use crate::clock::{Clock, randomness};
use crate::config::Config;
use crate::config::provider::{Protocol, Provider};
use crate::outbound::Outbound;
use crate::secret::Secret;
use crate::store::Store;

/// The providers that may call us back.
pub(super) async fn callbacks(store: &Store, config: &Config) -> anyhow::Result<Callbacks> {
    let mut callbacks = Callbacks::default();
    if let Some(app) = &config.accounts.slack {
        let outbound = Outbound::unguarded(SEND_DEADLINE)?;
        callbacks.slack = Some(callback::slack::Slack::new(app, outbound));
    }
    if let Some(domain) = &config.accounts.mailgun
        && let Some(signing_key) = &domain.signing_key
    {
        let client = mailgun::Client::new(Outbound::unguarded(SEND_DEADLINE)?, domain.clone());
        callbacks.mailgun = Some(callback::mailgun::Mailgun::new(client, signing_key.clone()));
    }
    if config.accounts.mattermost.is_some() {
        let key = store.secret("mattermost").await?;
        callbacks.mattermost = Some(Secret::given(URL_SAFE_NO_PAD.encode(key)));
    }
    Ok(callbacks)
}

/// Adds the channels of chats, phones' notifications and mail: each service is looked after as those of telephones are.
///
/// # Errors
///
/// When the TLS library can't be set up.
pub fn with_accounts(
    channels: Channels,
    config: &Config,
    callbacks: &Callbacks,
    public_url: &str,
    clock: &Arc<dyn Clock>,
    store: &Store,
) -> anyhow::Result<Channels> {
    let accounts = &config.accounts;
    let named = |kind: &str, provider: Arc<dyn providers::Provider>| {
        let (name, limits) = accounts.named(kind);
        Named::new(&name, provider, limits, store.clone()).keyed(kind)
    };
    let mut all: Vec<(Kind, Named)> = Vec::new();
    if let Some(server) = &config.smtp {
        all.push((Kind::Email, named("smtp", Arc::new(Email::new(server)?))));
    }
    // Most have none of these, and what makes requests holds memory.
    if !accounts.kinds().is_empty() {
        let outbound = Outbound::unguarded(SEND_DEADLINE)?;
        if let Some(server) = &accounts.ntfy {
            let channel = Ntfy::new(outbound.clone(), server.clone());
            all.push((Kind::Ntfy, named("ntfy", Arc::new(Sole(channel)))));
        }
        if let Some(bot) = &accounts.telegram {
            let channel = telegram::Telegram::new(telegram::Client::new(outbound.clone(), bot.clone()));
            all.push((Kind::Telegram, named("telegram", Arc::new(Sole(channel)))));
        }
        if let Some(app) = &accounts.slack {
            let channel = slack::Slack::new(outbound.clone(), app.clone());
            all.push((Kind::Slack, named("slack", Arc::new(Sole(channel)))));
        }
        if let Some(server) = &accounts.mattermost {
            let buttons = mattermost::Buttons {
                url: format!("{public_url}/callbacks/mattermost"),
                secret: callbacks.mattermost.clone().unwrap_or_else(|| Secret::new("")),
            };
            let channel = mattermost::Mattermost::new(outbound.clone(), server.clone(), buttons);
            all.push((Kind::Mattermost, named("mattermost", Arc::new(Sole(channel)))));
        }
        if let Some(domain) = &accounts.mailgun {
            let channel = mailgun::Mailgun::new(mailgun::Client::new(outbound.clone(), domain.clone()));
            all.push((Kind::Email, named("mailgun", Arc::new(Sole(channel)))));
        }
        if let Some(app) = &accounts.pushover {
            let channel = pushover::Pushover::new(pushover::Client::new(outbound, app.clone()));
            all.push((Kind::Pushover, named("pushover", Arc::new(Sole(channel)))));
        }
    }
    Ok(in_order(channels, &all, clock))
}

/// Adds a channel for each kind, through its providers in this order.
fn in_order(mut channels: Channels, all: &[(Kind, Named)], clock: &Arc<dyn Clock>) -> Channels {
    let kinds: BTreeSet<Kind> = all.iter().map(|(kind, _)| *kind).collect();
    for kind in kinds {
        let able = all.iter().filter(|(of, _)| *of == kind).map(|(_, named)| named.clone());
        channels = channels.with(kind, Providers::new(kind, able.collect(), clock.clone()));
    }
    channels
}

/// Who we are to browsers' push services: a key made at the first start.
pub(super) async fn vapid(store: &Store, config: &Config, public_url: &str) -> anyhow::Result<Vapid> {
    let random = randomness();
    let stored = match store.access().secret("push") {
        Some(stored) => stored.to_vec(),
        None => {
            let made = Vapid::make(&random)?;
            store.set_secret("push".to_owned(), made.clone()).await?;
            made
        }
    };
    let contact = config.accounts.push_contact.clone().unwrap_or_else(|| public_url.to_owned());
    Vapid::read(&stored, contact, &random)
}

/// The channels to addresses that people write down, or that their browsers name: all of them are guarded alike.
///
/// # Errors
///
/// When the TLS library can't be set up.
pub(super) fn guarded(
    channels: Channels,
    config: &Config,
    store: &Store,
    webhook_key: Vec<u8>,
    vapid: Vapid,
) -> anyhow::Result<Channels> {
    let outbound = Outbound::new(config.webhook_allow.clone(), SEND_DEADLINE)?;
    Ok(channels
        .with(Kind::Webhook, Webhook::through(outbound.clone(), webhook_key))
        .with(Kind::Teams, Teams::through(outbound.clone()))
        .with(Kind::Push, Push::new(outbound, store.clone(), Arc::new(vapid))))
}

/// Adds calls and short messages, each through those providers that carry them, in order.
///
/// # Errors
///
/// When the TLS library can't be set up.
pub fn with_providers(
    channels: Channels,
    providers: &[Provider],
    public_url: &str,
    clock: &Arc<dyn Clock>,
    store: &Store,
) -> anyhow::Result<Channels> {
    let mut named = Vec::new();
    for provider in providers {
        let carrier: Arc<dyn providers::Provider> = match &provider.protocol {
            Protocol::Twilio(account) => Arc::new(Twilio::new(account.clone(), public_url)?),
            Protocol::Vonage(account) => Arc::new(Vonage::new(account.clone(), public_url)?),
            Protocol::Http(description) => Arc::new(Gateway::new(*description.clone(), public_url)?),
        };
        let one = Named::new(&provider.name, carrier, provider.limits, store.clone());
        named.extend(provider.channels.iter().map(|kind| (*kind, one.clone())));
    }
    Ok(in_order(channels, &named, clock))
}
