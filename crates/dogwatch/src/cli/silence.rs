//! `dogwatch silence`: alerts that page nobody for a while.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Server, segment, text};
use super::rows::seconds;

/// Silence alerts for a while, see what is silenced, end it.
#[derive(Debug, Args)]
pub(super) struct Silence {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Silence alerts that have all of what is named
    #[command(after_help = "\
Example:
  dogwatch silence create --summary \"disk full on db*\" --for 2h --reason \"the disks are exchanged\"")]
    Create {
        #[command(flatten)]
        matches: Match,
        #[command(flatten)]
        times: Times,
        #[command(flatten)]
        server: Server,
    },
    /// List what is silenced now and what is planned
    #[command(after_help = "Example:\n  dogwatch silence list")]
    List {
        /// Also those that are over
        #[arg(long)]
        past: bool,
        #[command(flatten)]
        server: Server,
    },
    /// End a silence now, or take it back before it begins
    #[command(after_help = "Example:\n  dogwatch silence end silence-8f1d2c3b4a596877")]
    End {
        /// Its name, as `list` shows it
        name: String,
        #[command(flatten)]
        server: Server,
    },
    /// Show what a silence would have held back in the last seven days
    #[command(after_help = "Example:\n  dogwatch silence preview --team ops --severity warning")]
    Preview {
        #[command(flatten)]
        matches: Match,
        #[command(flatten)]
        server: Server,
    },
}

/// Which alerts. In texts * stands for any characters.
#[derive(Debug, Args)]
struct Match {
    /// For this team
    #[arg(long)]
    team: Option<String>,
    /// From this sender
    #[arg(long)]
    integration: Option<String>,
    /// Of this severity; may be given several times
    #[arg(long = "severity", value_name = "SEVERITY")]
    severities: Vec<String>,
    /// With this dedup key
    #[arg(long, value_name = "PATTERN")]
    dedup_key: Option<String>,
    /// With this summary
    #[arg(long, value_name = "PATTERN")]
    summary: Option<String>,
    /// With these details
    #[arg(long, value_name = "PATTERN")]
    details: Option<String>,
}

/// From when until when, and why.
#[derive(Debug, Args)]
pub(super) struct Times {
    /// The first instant [default: now]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The first instant after it, at most 30 days later
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How long, such as 2h
    #[arg(long = "for", value_name = "DURATION", conflicts_with = "until")]
    length: Option<String>,
    /// Only within this period
    #[arg(long)]
    period: Option<String>,
    /// The zone of the period and the times
    #[arg(long)]
    zone: Option<String>,
    /// Why
    #[arg(long)]
    reason: String,
}

impl Match {
    fn body(&self) -> Value {
        let mut body = json!({ "severities": self.severities });
        put(&mut body, "team", self.team.as_ref());
        put(&mut body, "integration", self.integration.as_ref());
        put(&mut body, "dedup_key", self.dedup_key.as_ref());
        put(&mut body, "summary", self.summary.as_ref());
        put(&mut body, "details", self.details.as_ref());
        body
    }
}

impl Times {
    /// Adds them to a document.
    pub(super) fn add_to(&self, body: &mut Value) {
        put(body, "from", self.from.as_ref());
        put(body, "until", self.until.as_ref());
        put(body, "for", self.length.as_ref());
        put(body, "period", self.period.as_ref());
        put(body, "zone", self.zone.as_ref());
        put(body, "reason", Some(&self.reason));
    }
}

/// Sets a field, if there is something to set.
pub(super) fn put(body: &mut Value, field: &str, value: Option<&String>) {
    if let Some(value) = value {
        body[field] = json!(value);
    }
}

impl Silence {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Create { matches, times, server } => {
                let mut body = json!({ "match": matches.body() });
                times.add_to(&mut body);
                create(&server, "silences", &body).await
            }
            Action::List { past, server } => list(&server, "silences", past).await,
            Action::End { name, server } => end(&server, "silences", &name).await,
            Action::Preview { matches, server } => {
                let body = json!({ "match": matches.body() });
                let answer = server.expect("POST", "/api/v1/silences/preview", Some(&body)).await?;
                if server.is_json() {
                    println!("{answer}");
                } else {
                    preview(&answer);
                }
                Ok(())
            }
        }
    }
}

/// Makes a silence or a maintenance window.
pub(super) async fn create(server: &Server, kind: &str, body: &Value) -> anyhow::Result<()> {
    let answer = server.expect("POST", &format!("/api/v1/{kind}"), Some(body)).await?;
    if server.is_json() {
        println!("{answer}");
    } else {
        show(&answer);
    }
    Ok(())
}

/// Lists silences or maintenance windows.
pub(super) async fn list(server: &Server, kind: &str, past: bool) -> anyhow::Result<()> {
    let answer = server.expect("GET", &format!("/api/v1/{kind}?past={past}"), None).await?;
    if server.is_json() {
        println!("{answer}");
        return Ok(());
    }
    let items = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        println!("none");
    }
    items.iter().for_each(show);
    Ok(())
}

/// Ends a silence or a maintenance window.
pub(super) async fn end(server: &Server, kind: &str, name: &str) -> anyhow::Result<()> {
    server.expect("DELETE", &format!("/api/v1/{kind}/{}", segment(name)), None).await?;
    if !server.is_json() {
        println!("{name} is ended; open alerts are looked at again");
    }
    Ok(())
}

/// One line: how it stands, what it holds back, who says so and why.
fn show(quiet: &Value) {
    let when = match text(&quiet["state"]) {
        "active" => match quiet["ends_at"].as_str() {
            Some(at) => format!("active until {}", seconds(at)),
            None => "active".to_owned(),
        },
        "planned" => format!("planned from {}", seconds(text(&quiet["begins_at"]))),
        other => other.to_owned(),
    };
    println!(
        "{}  {when}  {}  {}: {}",
        text(&quiet["name"]),
        what(quiet),
        text(&quiet["made_by"]),
        text(&quiet["reason"])
    );
}

/// `team=ops summary=disk*`.
fn what(quiet: &Value) -> String {
    let named = if quiet["match"].is_object() { &quiet["match"] } else { quiet };
    let fields = ["team", "integration", "severities", "dedup_key", "summary", "details"];
    let told = fields.into_iter().filter_map(|field| match &named[field] {
        Value::String(value) => Some(format!("{field}={value}")),
        Value::Array(values) if !values.is_empty() => {
            let words: Vec<&str> = values.iter().map(text).collect();
            Some(format!("{field}={}", words.join(",")))
        }
        _ => None,
    });
    told.collect::<Vec<_>>().join(" ")
}

fn preview(answer: &Value) {
    println!(
        "since {}: {} reports of {} alerts, {} of them critical",
        seconds(text(&answer["since"])),
        answer["reports"],
        answer["alerts"],
        answer["critical"]
    );
    for alert in answer["examples"].as_array().into_iter().flatten() {
        println!(
            "#{:<5} {:<9} {}",
            alert["number"].to_string(),
            text(&alert["severity"]),
            text(&alert["summary"])
        );
    }
}
