//! `dogwatch demo`: the whole loop, to be seen and clicked in a minute.

use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::serve::Signals;
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, DEFAULT_LISTEN, Flags};
use crate::definition::{Kind, Write};
use crate::service::Service;
use crate::store::{Defining, Expect, Incoming, NewToken, Recorded, Store};
use crate::telemetry::start_logging;
use escalation::alert::Audience;
use escalation::directory::Directory;
use escalation::event::{Actor, Severity, Trigger};
use escalation::name::Name;
use escalation::plan::OnCall;
use jiff::Timestamp;

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

/// The holidays of the scenario, as they stand there.
const HOLIDAYS: &str = "
    january 1            00:00-24:00  ; New Year's Day
    2008-03-23           00:00-24:00  ; Easter (2008)
    2009-04-12           00:00-24:00  ; Easter (2009)
    monday -1 may        00:00-24:00  ; Memorial Day (Last Monday in May)
    july 4               00:00-24:00  ; Independence Day
    monday 1 september   00:00-24:00  ; Labor Day (1st Monday in September)
    thursday 4 november  00:00-24:00  ; Thanksgiving (4th Thursday in November)
    december 25          00:00-24:00  ; Christmas
    december 31          17:00-24:00  ; New Year's Eve (5pm onwards)
";

/// Everything that the demo defines.
fn definitions() -> Vec<(Kind, serde_json::Value)> {
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
    // Scenario 1 of Naemon's document on on-call rotations: John on weekdays, Bob on weekends and holidays.
    let all_day = |days: &str| json!([{ "days": days, "hours": "00:00-24:00" }]);
    let schedule = json!({
        "name": "ops",
        "description": "John has the weekdays, Bob the weekends and holidays.",
        "layers": [
            { "name": "Bob", "people": ["bob"], "period": "bob-oncall" },
            { "name": "John", "people": ["john"], "period": "john-oncall" },
        ],
        "holidays": "holidays",
    });
    let team = json!({
        "name": "ops",
        "members": ["john", "bob"],
        "schedule": "ops",
        "escalation_plan": "ops",
        "last_resort": ["all_members"],
    });
    let period = |body: serde_json::Value| (Kind::Period, body);
    vec![
        (Kind::Person, person("john", "John")),
        (Kind::Person, person("bob", "Bob")),
        period(json!({ "name": "weekdays", "template": "weekdays", "rules": all_day("monday - friday") })),
        period(json!({ "name": "weekends", "template": "weekends", "rules": all_day("saturday, sunday") })),
        period(json!({ "name": "holidays", "template": "holidays", "text": HOLIDAYS })),
        period(json!({ "name": "john-oncall", "use": "weekdays", "exclude": "holidays" })),
        period(json!({ "name": "bob-oncall", "use": ["weekends", "holidays"] })),
        (Kind::Schedule, schedule),
        (Kind::EscalationPlan, plan),
        (Kind::Team, team),
    ]
}

async fn define(store: &Store) -> anyhow::Result<()> {
    for (kind, body) in definitions() {
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
        route: escalation::event::Route::default(),
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
    let sign_in = format!("{url}{}", crate::web::url::sign_in(sign_in.reveal()));
    let definitions = service.store.definitions();
    println!("\n{}", story(definitions.directory(), SystemClock.now(), url, &sign_in, number));
    // As it was called: cargo puts it where no shell looks.
    let program = std::env::args().next().unwrap_or_else(|| "dogwatch".to_owned());
    println!(
        "
From another terminal:

  export DOGWATCH_URL={url} DOGWATCH_TOKEN={}
  {program} who ops
  {program} notify ops \"disk full on db2\"
  {program} alert list

Ctrl-C stops the demo and removes everything. Killed, and started again, it goes on.",
        token.reveal(),
    );
    Ok(())
}

/// What will be seen, by who is on call at `now` and who is next.
fn story(directory: &Directory, now: Timestamp, url: &str, sign_in: &str, number: u64) -> String {
    let team = Name::new("ops").map(Audience::Team);
    let own = OnCall::default();
    let (duty, followers) = team.map_or_else(
        |_| Default::default(),
        |team| (directory.on_call(&team, &own, now).people, directory.followers(&team, &own, now)),
    );
    let shown = |name: &Name| (directory.full_name(name).to_owned(), format!("{url}/handset/{name}"));
    let first = duty.first().map(shown);
    let second = followers.first().map(shown);
    let (second, second_at) = second.unwrap_or_default();
    let (on_duty, rings, press) = match first {
        Some((first, first_at)) => (
            format!("{first} is on duty, {second} is next."),
            format!(
                "{first}'s handset is ringing:  {first_at}\n     Nobody presses a key. After 20 s it rings \
                 again.\n     After 45 s {second}'s rings, too:  {second_at}"
            ),
            format!("Press 4 on {second}'s handset. Both stop; {first}'s says that {second} has it."),
        ),
        None => (
            format!("Nobody is on duty right now: the rota has a hole. {second} is next."),
            format!(
                "A hole costs no waiting: {second}'s handset is ringing:  {second_at}\n     If nobody answers, the \
                 last resort pages everybody."
            ),
            format!("Press 4 on {second}'s handset. It stops."),
        ),
    };
    format!(
        "An alert for the team ops was raised: disk full on db1.\n{on_duty}\n\n  \
         1. Open this address; it works once and signs your browser in:\n     {sign_in}\n\n  \
         2. {rings}\n\n  \
         3. {press}\n\n  \
         4. The story, to the second:  {url}/alerts/{number}\n     Who is on call, and when:  {url}/schedules/ops"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::definition::{Defined, Definitions, Owner};

    #[test]
    fn the_story_names_whoever_is_on_duty() {
        let mut all = Definitions::default();
        let now: Timestamp = "2011-12-01T00:00:00Z".parse().unwrap();
        for (kind, body) in definitions() {
            let (name, body) = all.check(kind, body, now).unwrap();
            all.apply(kind, &name, Some(Defined { version: 1, valid_from: now, body, owner: Owner::People }));
        }
        let told = |at: &str| story(all.directory(), at.parse().unwrap(), "http://h", "http://h/s", 1);
        let tuesday = told("2011-12-27T12:00:00Z");
        assert!(tuesday.contains("John is on duty, Bob is next."), "{tuesday}");
        assert!(tuesday.contains("After 45 s Bob's rings, too:  http://h/handset/bob"), "{tuesday}");
        let saturday = told("2011-12-24T12:00:00Z");
        assert!(saturday.contains("Bob is on duty, John is next."), "{saturday}");
        let hole = told("2011-12-31T16:59:59Z");
        assert!(hole.contains("Nobody is on duty right now: the rota has a hole. Bob is next."), "{hole}");
        assert!(hole.contains("the last resort pages everybody"), "{hole}");
        assert!(told("2011-12-31T17:00:00Z").contains("Bob is on duty"));
    }
}
