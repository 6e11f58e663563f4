//! `dogwatch demo`: the whole loop, to be seen and clicked in a minute.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::serve::Signals;
use crate::clock::SystemClock;
use crate::config::{Config, DEFAULT_LISTEN, Flags};
use crate::definition::{Kind, Write};
use crate::service::Service;
use crate::store::{Defining, Expect, Incoming, NewToken, Recorded, Store};
use crate::telemetry::start_logging;
use escalation::alert::Audience;
use escalation::event::{Actor, Severity, Trigger};
use escalation::name::Name;

/// See it work: a team of two with handsets in the browser, and one alert raised.
///
/// Needs no account and no network. Everything is in a temporary folder, which goes when you stop it with
/// Ctrl-C. If it is killed, start it again: the story goes on.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dogwatch demo --listen 127.0.0.1:9000")]
pub(super) struct Demo {
    /// Where to listen; port 0 picks one
    #[arg(long, value_name = "IP:PORT", default_value = DEFAULT_LISTEN)]
    listen: String,
    /// The address that browsers use [default: the listening address]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
}

impl Demo {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        start_logging();
        let folder = folder(&self.listen)?;
        let database = folder.join("demo.db");
        let flags = Flags {
            listen: Some(self.listen),
            database: Some(format!("sqlite:{}", database.display())),
            public_url: self.public_url,
        };
        // Of the environment only the token: the demo is the same on every machine.
        let environment =
            |name: &str| std::env::var(name).ok().filter(|_| name.starts_with("DOGWATCH_ADMIN_TOKEN"));
        let config = Config::load(None, &environment, &flags)?;
        let signals = Signals::listen()?;
        let service = Service::start(&config, Arc::new(SystemClock)).await?;
        define(&service.store).await?;
        let number = raise(&service.store).await?;
        println!("listening on http://{}", service.address);
        print_story(&service, &config, number).await?;
        signals.until_stopped(service).await?;
        std::fs::remove_dir_all(&folder).with_context(|| format!("can't remove {}", folder.display()))
    }
}

/// A folder of our own that a demo on the same port finds again after a crash.
fn folder(listen: &str) -> anyhow::Result<PathBuf> {
    let port = listen.rsplit(':').next().unwrap_or_default();
    if port == "0" {
        return Ok(tempfile::Builder::new().prefix("dogwatch-demo-").tempdir()?.keep());
    }
    // The owner of our own entry in /proc is who we are.
    let me = std::fs::metadata("/proc/self").map_or(0, |entry| entry.uid());
    let name: String = port.chars().filter(char::is_ascii_digit).collect();
    let folder = std::env::temp_dir().join(format!("dogwatch-demo-{me}-{name}"));
    match std::fs::DirBuilder::new().mode(0o700).create(&folder) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let found = std::fs::symlink_metadata(&folder)?;
            if !found.is_dir() || found.uid() != me {
                anyhow::bail!("{} belongs to somebody else; use another port", folder.display());
            }
        }
        Err(error) => return Err(error).with_context(|| format!("can't make {}", folder.display())),
    }
    Ok(folder)
}

async fn define(store: &Store) -> anyhow::Result<()> {
    let person = |name: &str, full_name: &str| {
        let handset = format!("handset:{name}");
        json!({
            "name": name,
            "full_name": full_name,
            "contacts": [handset],
            "notification_plans": { "high": { "steps": [
                { "contact": handset, "wait": "20s" },
                { "contact": handset, "every": "1m" },
            ] } },
        })
    };
    let plan = json!({
        "name": "ops",
        "description": "Whoever is on call, then the next, then everybody.",
        "steps": [
            { "notify": ["on_call"], "after": "45s" },
            { "notify": ["next_on_call"], "after": "5m" },
        ],
        "repeat": 1,
    });
    let team = json!({
        "name": "ops",
        "members": ["john", "bob"],
        "escalation_plan": "ops",
        "last_resort": ["all_members"],
    });
    for (kind, body) in [
        (Kind::Person, person("john", "John")),
        (Kind::Person, person("bob", "Bob")),
        (Kind::EscalationPlan, plan),
        (Kind::Team, team),
    ] {
        let name = body["name"].as_str().unwrap_or_default().to_owned();
        let edit = move |_: Option<&serde_json::Value>| Ok(Write::Put { kind, body: body.clone() });
        match store.define(kind, name, Expect::Absent, edit).await? {
            // There already: this demo goes on after a crash.
            Defining::Done(_) | Defining::Exists => {}
            other => anyhow::bail!("the demo's own {kind} was refused: {other:?}"),
        }
    }
    Ok(())
}

/// Raises the alert, or finds it again after a crash.
async fn raise(store: &Store) -> anyhow::Result<u64> {
    let earlier = store
        .alerts(crate::store::AlertFilter {
            dedup_key: Some("demo".to_owned()),
            limit: 1,
            ..Default::default()
        })
        .await?;
    if let Some(alert) = earlier.first() {
        return Ok(alert.number);
    }
    let trigger = Trigger {
        audience: Audience::Team(Name::new("ops")?),
        integration: "team:ops".to_owned(),
        dedup_key: "demo".to_owned(),
        summary: "disk full on db1".to_owned(),
        details: "/var is at 98 %, growing by 1 % a minute".to_owned(),
        severity: Severity::Critical,
        links: Vec::new(),
        by: Actor { label: "the demo".to_owned(), ..Actor::dogwatch() },
    };
    match store.record(Incoming { trigger, idempotency: None }).await? {
        Recorded::Alert(alert) => Ok(alert.number),
        other => anyhow::bail!("the demo's own alert was refused: {other:?}"),
    }
}

async fn print_story(service: &Service, config: &Config, number: u64) -> anyhow::Result<()> {
    let url = &service.public_url;
    let sign_in = service.store.create_sign_in(None).await?;
    let token = match (&config.admin_token, &service.first_token) {
        (Some(token), _) | (None, Some(token)) => token.clone(),
        (None, None) => {
            let new = NewToken { name: "demo".to_owned(), person: None, expires_in: None };
            service.store.create_token(new).await?.1
        }
    };
    println!(
        "
An alert for the team ops was raised: disk full on db1. John is on duty.

  1. Open this address; it works once and signs your browser in:
     {url}{}

  2. John's handset is ringing:  {url}/handset/john
     He does nothing. After 20 s it rings again.
     After 45 s Bob's rings, too: {url}/handset/bob

  3. Press 4 on Bob's handset. Both stop; John's says that Bob has it.

  4. The story, to the second:   {url}/alerts/{number}

From another terminal:

  export DOGWATCH_URL={url} DOGWATCH_TOKEN={}
  dogwatch notify ops \"disk full on db2\"
  dogwatch alert list

Ctrl-C stops the demo and removes everything. Killed, and started again, it goes on.",
        crate::web::url::sign_in(sign_in.reveal()),
        token.reveal(),
    );
    Ok(())
}
