//! `dogwatch notify`: page a team or a person.

use clap::Args;
use serde_json::{Value, json};

use super::client::{Server, segment, text};
use crate::clock::{Clock, SystemClock, chance, sleep_until};
use jiff::SignedDuration;

/// How often a request is sent before it is given up. All carry the same key: it makes one alert.
const TRIES: u32 = 4;

/// Page a team or a person.
///
/// Returns when the alert is stored on the server's disk.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  dogwatch notify ops \"disk full on db1\" --severity critical --dedup-key db1/disk")]
pub(super) struct Notify {
    /// A team, or a person where there is no such team
    #[arg(value_name = "TEAM_OR_PERSON")]
    who: String,
    /// What is wrong, in one line
    summary: String,
    /// Anything more
    #[arg(long)]
    details: Option<String>,
    /// critical, error, warning or info [default: error]
    #[arg(long)]
    severity: Option<String>,
    /// What makes another notify the same problem
    #[arg(long, value_name = "KEY")]
    dedup_key: Option<String>,
    /// Where to look; may be given several times
    #[arg(long = "link", value_name = "URL")]
    links: Vec<String>,
    #[command(flatten)]
    server: Server,
}

impl Notify {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut body = json!({ "summary": self.summary });
        for (name, value) in
            [("details", &self.details), ("severity", &self.severity), ("dedup_key", &self.dedup_key)]
        {
            if let Some(value) = value {
                body[name] = json!(value);
            }
        }
        if !self.links.is_empty() {
            body["links"] = self.links.iter().map(|href| json!({ "href": href })).collect();
        }
        let key = format!("cli-{:016x}{:016x}", chance(), chance());
        let alert = match self.send("teams", &body, &key).await? {
            Some(alert) => alert,
            None => match self.send("people", &body, &key).await? {
                Some(alert) => alert,
                None => anyhow::bail!("there is no team and no person \"{}\"", self.who),
            },
        };
        if self.server.is_json() {
            println!("{alert}");
        } else {
            println!("#{} {}: {}", alert["number"], text(&alert["summary"]), text(&alert["url"]));
        }
        Ok(())
    }

    /// The alert; none when there is nobody of that name in the collection.
    async fn send(&self, collection: &str, body: &Value, key: &str) -> anyhow::Result<Option<Value>> {
        let path = format!("/api/v1/{collection}/{}/notify", segment(&self.who));
        let mut tries = 0;
        loop {
            tries += 1;
            let answer = self.server.send("POST", &path, Some(body), Some(key)).await;
            let is_passing = answer.as_ref().map_or_else(
                |error| error.downcast_ref::<reqwest::Error>().is_some_and(|error| !error.is_builder()),
                |answer| answer.status >= 500 || answer.status == 429,
            );
            if is_passing && tries < TRIES {
                let until = SystemClock.now() + SignedDuration::from_secs(i64::from(tries));
                sleep_until(&SystemClock, until).await;
                continue;
            }
            let answer = answer?;
            return if answer.status == 404 { Ok(None) } else { answer.success().map(Some) };
        }
    }
}
