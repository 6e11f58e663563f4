//! `dogwatch serve`: the service.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::clock::SystemClock;
use crate::config::{Config, Flags};
use crate::service::Service;
use crate::telemetry::start_logging;

/// Run the service.
///
/// At the first start it prints a token and a one-time sign-in address. SIGTERM and Ctrl-C stop it in
/// order; kill -9 loses nothing either.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dogwatch serve --database sqlite:/var/lib/dogwatch/dogwatch.db --config /etc/dogwatch.toml

Environment: DOGWATCH_LISTEN, DOGWATCH_DATABASE, DOGWATCH_PUBLIC_URL, DOGWATCH_ADMIN_TOKEN (or …_FILE),
DOGWATCH_SMTP_HOST, …_PORT, …_SECURITY, …_USER, …_PASSWORD (or …_FILE), …_FROM, DOGWATCH_WEBHOOK_ALLOW,
DOGWATCH_WEBHOOK_KEY, DOGWATCH_LAST_RESORT, DOGWATCH_OPERATORS, DOGWATCH_PATRONI, DOGWATCH_LOG, DOGWATCH_LOG_FORMAT=json")]
pub(super) struct Serve {
    /// Where to listen; port 0 picks one [default: 127.0.0.1:8420]
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<String>,
    /// Where everything is kept [default: sqlite:dogwatch.db]
    #[arg(long, value_name = "sqlite:PATH|postgres://…")]
    database: Option<String>,
    /// The service's configuration, in TOML
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address that people, mail links and callbacks use [default: the listening address]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

impl Serve {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        start_logging();
        let flags = Flags { listen: self.listen, database: self.database, public_url: self.public_url };
        let config = Config::load(self.config.as_deref(), &|name| std::env::var(name).ok(), &flags)?;
        let signals = Signals::listen()?;
        let service = Service::start(&config, Arc::new(SystemClock)).await?;
        println!("listening on http://{}", service.address);
        if let Some(token) = &service.first_token {
            println!("\nThis is the first start. Keep this administrator's token; it is not shown again:");
            println!("  export DOGWATCH_URL={} DOGWATCH_TOKEN={}", service.public_url, token.reveal());
        }
        if service.is_new {
            // It listens by now: a database that fails at this moment must not end what has begun.
            match service.store.create_sign_in(None).await {
                Ok(secret) => {
                    println!("\nOpen this address to sign your browser in. It works once, within a day:");
                    println!("  {}{}", service.public_url, crate::web::url::sign_in(secret.reveal()));
                }
                Err(error) => tracing::warn!(
                    %error,
                    "no address to sign in with could be made; `dogwatch token create --link` makes one later"
                ),
            }
        }
        signals.until_stopped(service).await
    }
}

/// The signals that end the service. Listened for before it says that it is there: whoever starts it may
/// stop it at once.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> anyhow::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Runs until a signal, or until something breaks that never should.
    pub(super) async fn until_stopped(mut self, mut service: Service) -> anyhow::Result<()> {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = service.broken() => {
                anyhow::bail!("a part of Dogwatch ended by itself; the log says more. Start it again")
            }
        }
        service.stop().await;
        Ok(())
    }
}
