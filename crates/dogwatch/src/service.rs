//! The whole service, put together: store, engine, deliveries, server. `serve`, `demo` and the tests
//! start it here. Which providers there are is in `service/providers.rs`.

mod providers;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::serve::ListenerExt;
use escalation::contact::Kind;
use escalation::delivery::SEND_DEADLINE;
use escalation::plan::Target;
use futures_util::FutureExt;
use futures_util::future::select_all;
use jiff::SignedDuration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::amend::Amender;
use crate::callback;
use crate::channel::Channels;
use crate::channel::handset::Handset;
use crate::channel::{pushover, telegram};
use crate::clock::{Clock, SharedClock};
use crate::cluster::patroni::Patroni;
use crate::config::{Config, Database};
use crate::delivery::Dispatcher;
use crate::engine::Engine;
use crate::http::{App, check_exposure, connected};
use crate::intake::guesses::Guesses;
use crate::intake::limits::Limits;
use crate::leave_calendar::LeaveCalendars;
use crate::mailroom::Mailroom;
use crate::outbound::Outbound;
use crate::outgoing::Teller;
use crate::reply::AnswerLinks;
use crate::secret::Secret;
use crate::shutdown::{Stopper, shutdown};
use crate::store::{NewToken, Store};
use crate::telemetry::Metrics;

pub use providers::{with_accounts, with_providers};

/// How long requests that are under way may take when the service stops.
const DRAIN: SignedDuration = SignedDuration::from_secs(5);

/// A running service.
pub struct Service {
    /// Where it listens.
    pub address: SocketAddr,
    /// The address that people use.
    pub public_url: String,
    /// Its store.
    pub store: Store,
    /// A token that was made because there was none; it is not shown again.
    pub first_token: Option<Secret>,
    /// Nobody had ever signed in or been given a token.
    pub is_new: bool,
    clock: Arc<dyn Clock>,
    stopper: Stopper,
    server: JoinHandle<()>,
    workers: Vec<(&'static str, JoinHandle<()>)>,
}

impl Service {
    /// Opens the store and starts everything. When this returns, requests are answered.
    ///
    /// # Errors
    ///
    /// What stands in the way, and what to do.
    pub async fn start(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let clock = match &config.database {
            Database::Sqlite(_) => clock,
            Database::Postgres(_) => Arc::new(SharedClock::over(clock)),
        };
        let store = match &config.database {
            Database::Sqlite(path) => Store::open_sqlite(path, clock.clone(), config.service.clone())?,
            Database::Postgres(address) => {
                Store::open_postgres(address.reveal(), clock.clone(), config.service.clone()).await?
            }
        };
        warn_of_last_resort(&store, config);
        let is_new = store.access().tokens().is_empty();
        let first_token = admit(&store, config, is_new).await?;
        check_exposure(&store, config.listen)?;
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("can't listen on {}; is something else there?", config.listen))?;
        let address = listener.local_addr()?;
        let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));

        let links = AnswerLinks::new(&store.secret("answer").await?);
        let webhook_key = match &config.webhook_key {
            Some(key) => key.clone(),
            None => store.secret("webhook").await?,
        };
        let vapid = providers::vapid(&store, config, &public_url).await?;
        let push_key = vapid.public();
        let channels = Channels::default().with(Kind::Handset, Handset);
        let channels = providers::guarded(channels, config, &store, webhook_key.clone(), vapid)?;
        let channels = with_providers(channels, &config.providers, &public_url, &clock, &store)?;
        let callbacks = providers::callbacks(&store, config).await?;
        let channels = with_accounts(channels, config, &callbacks, &public_url, &clock, &store)?;
        let metrics = Metrics::default();
        let unknown = store.recover().await?;
        if unknown > 0 {
            tracing::warn!(
                unknown,
                "messages were being sent when Dogwatch stopped; their outcome is unknown"
            );
        }

        let (stopper, asked) = shutdown();
        let amender =
            Amender::new(store.clone(), clock.clone(), channels.clone(), links.clone(), &public_url)
                .with_templates(config.templates.clone());
        let kinds = channels.kinds();
        let dispatcher = Dispatcher::new(
            store.clone(),
            clock.clone(),
            channels.clone(),
            links.clone(),
            &public_url,
            metrics.clone(),
        )
        .with_templates(config.templates.clone());
        let engine = Engine::new(store.clone(), clock.clone());
        let calendars = LeaveCalendars::new(store.clone(), clock.clone(), config.webhook_allow.clone());
        let mut workers = vec![
            ("the engine", tokio::spawn(engine.run(asked.clone()))),
            ("the sender of deliveries", tokio::spawn(dispatcher.run(asked.clone()))),
            ("the reader of leave calendars", tokio::spawn(calendars.run(asked.clone()))),
            ("the changer of messages in chats", tokio::spawn(amender.run(asked.clone()))),
        ];
        if let Some(bot) = &config.accounts.telegram {
            let outbound = Outbound::unguarded(callback::telegram::DEADLINE)?;
            let client = telegram::Client::new(outbound, bot.clone());
            let news = callback::telegram::Telegram::new(store.clone(), clock.clone(), links.clone(), client);
            workers.push(("the reader of Telegram", tokio::spawn(news.run(asked.clone()))));
        }
        if let Some(app) = &config.accounts.pushover {
            let client = pushover::Client::new(Outbound::unguarded(SEND_DEADLINE)?, app.clone());
            let receipts = callback::pushover::Pushover::new(store.clone(), clock.clone(), client);
            workers.push(("the reader of Pushover's receipts", tokio::spawn(receipts.run(asked.clone()))));
        }
        // Also where there are none: what waits for those that are gone is forgotten.
        let outbound = Outbound::new(config.webhook_allow.clone(), SEND_DEADLINE)?;
        let subscribers = config.subscribers.clone();
        let teller =
            Teller::new(store.clone(), clock.clone(), outbound, &webhook_key, subscribers, &public_url)
                .await?;
        if !config.subscribers.is_empty() {
            workers.push(("the teller of subscribers", tokio::spawn(teller.run(asked.clone()))));
        }
        let patroni = Patroni::at(&config.patroni);
        if matches!(config.database, Database::Postgres(_)) {
            let asks = patroni.clone().run(store.clone(), clock.clone(), asked.clone());
            workers.push(("the one who asks Patroni", tokio::spawn(asks)));
        }
        let app = App {
            store: store.clone(),
            clock: clock.clone(),
            links,
            metrics,
            limits: Limits::new(config.intake_rate),
            guesses: Guesses::default(),
            public_url: public_url.as_str().into(),
            callbacks: Arc::new(callbacks),
            push_key: push_key.into(),
            webhook_key: webhook_key.into(),
            providers: config.providers.as_slice().into(),
            patroni,
            shutdown: asked.clone(),
            kinds,
            channels,
            templates: config.templates.clone(),
        };
        if let Some(address) = config.intake_mail {
            let mailroom = Mailroom::bind(app.clone(), address).await?;
            workers.push(("the mailroom", tokio::spawn(mailroom.run(asked.clone()))));
        }
        // Answers are small and awaited: they must not wait for more to send.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let mut asked = asked;
        let server =
            axum::serve(listener, connected(app)).with_graceful_shutdown(async move { asked.asked().await });
        let server = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the server ended");
            }
        });
        Ok(Self { address, public_url, store, first_token, is_new, clock, stopper, server, workers })
    }

    /// Stops: takes no new requests, lets those under way end, finishes what is being sent.
    pub async fn stop(mut self) {
        self.stopper.stop();
        let deadline = self.clock.now() + DRAIN;
        let mut server = self.server;
        // Live pages never end by themselves.
        while !server.is_finished() && self.clock.now() < deadline {
            tokio::select! {
                _ = &mut server => break,
                () = self.clock.wait_until(deadline) => {}
            }
        }
        server.abort();
        for (_, worker) in &mut self.workers {
            if let Err(error) = worker.await {
                tracing::error!(%error, "a worker ended badly");
            }
        }
        self.store.close().await;
    }

    /// Completes when a part of the service has ended that never should: the process is to end, too, and
    /// to be started again by whoever looks after it.
    pub async fn broken(&mut self) {
        let mut disk = self.store.signals().broken.subscribe();
        let workers = self.workers.iter_mut().map(|(name, worker)| worker.map(|_| *name));
        tokio::select! {
            _ = disk.wait_for(|broken| *broken) => tracing::error!("the store broke"),
            (name, ..) = select_all(workers) => tracing::error!("{name} ended"),
            _ = &mut self.server => tracing::error!("the server ended"),
        }
    }
}

/// Says who of the service's last resort does not exist: whoever relies on it must not learn it at night.
fn warn_of_last_resort(store: &Store, config: &Config) {
    let definitions = store.definitions();
    for target in &config.service.last_resort {
        if let Target::Person(name) = target
            && !definitions.directory().people.contains_key(name)
        {
            tracing::warn!(
                person = %name,
                "the service's last resort names a person who does not exist; nobody is paged there until \
                 that person is made"
            );
        }
    }
}

/// Makes sure that somebody can get in.
async fn admit(store: &Store, config: &Config, is_new: bool) -> anyhow::Result<Option<Secret>> {
    if let Some(token) = &config.admin_token {
        if !token.is_strong() {
            tracing::warn!("DOGWATCH_ADMIN_TOKEN holds less than 128 bits; it will do on loopback only");
        }
        store.adopt_token("DOGWATCH_ADMIN_TOKEN", token.clone()).await?;
        return Ok(None);
    }
    if !is_new {
        return Ok(None);
    }
    let new = NewToken { name: "first".to_owned(), person: None, expires_in: None };
    Ok(Some(store.create_token(new).await?.1))
}
