//! The providers that are set up: their channels, and what lets them call us back.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use escalation::contact::Kind;
use escalation::delivery::SEND_DEADLINE;

use crate::callback::{self, Callbacks};
use crate::channel::gateway::Gateway;
use crate::channel::ntfy::Ntfy;
use crate::channel::providers::{self, Named, Providers};
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

/// The channels of the providers that are set up.
pub(super) fn channels(
    mut channels: Channels,
    config: &Config,
    callbacks: &Callbacks,
    public_url: &str,
) -> anyhow::Result<Channels> {
    let accounts = &config.accounts;
    if accounts.kinds().is_empty() {
        // Most have none, and what makes requests holds memory.
        return Ok(channels);
    }
    let outbound = Outbound::unguarded(SEND_DEADLINE)?;
    if let Some(server) = &accounts.ntfy {
        channels = channels.with(Kind::Ntfy, Ntfy::new(outbound.clone(), server.clone()));
    }
    if let Some(bot) = &accounts.telegram {
        let client = telegram::Client::new(outbound.clone(), bot.clone());
        channels = channels.with(Kind::Telegram, telegram::Telegram::new(client));
    }
    if let Some(app) = &accounts.slack {
        channels = channels.with(Kind::Slack, slack::Slack::new(outbound.clone(), app.clone()));
    }
    if let Some(server) = &accounts.mattermost {
        let buttons = mattermost::Buttons {
            url: format!("{public_url}/callbacks/mattermost"),
            secret: callbacks.mattermost.clone().unwrap_or_else(|| Secret::new("")),
        };
        let channel = mattermost::Mattermost::new(outbound.clone(), server.clone(), buttons);
        channels = channels.with(Kind::Mattermost, channel);
    }
    if let Some(domain) = &accounts.mailgun {
        anyhow::ensure!(
            config.smtp.is_none(),
            "both [smtp] and a provider of the kind \"mailgun\" are set up; mail goes through one of them"
        );
        let client = mailgun::Client::new(outbound.clone(), domain.clone());
        channels = channels.with(Kind::Email, mailgun::Mailgun::new(client));
    }
    if let Some(app) = &accounts.pushover {
        let client = pushover::Client::new(outbound, app.clone());
        channels = channels.with(Kind::Pushover, pushover::Pushover::new(client));
    }
    Ok(channels)
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
    mut channels: Channels,
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
        named.push((&provider.channels, Named::new(&provider.name, carrier, provider.limits, store.clone())));
    }
    for kind in [Kind::Sms, Kind::Phone] {
        let able = named.iter().filter(|(kinds, _)| kinds.contains(&kind));
        let able: Vec<Named> = able.map(|(_, named)| named.clone()).collect();
        if !able.is_empty() {
            channels = channels.with(kind, Providers::new(kind, able, clock.clone()));
        }
    }
    Ok(channels)
}
