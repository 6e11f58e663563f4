//! `dogwatch integration`: senders of events, their keys, what to write into each tool, and what came.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Server, segment, text};
use super::definition_files::load;
use crate::definition::Kind;

/// Let monitoring systems send events: make integrations and keys, try samples, see what came.
#[derive(Debug, Args)]
pub(super) struct Integration {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an integration and its first key, which is shown this once
    #[command(after_help = "Example:\n  dogwatch integration create prometheus --team ops")]
    Create {
        /// Its name
        name: String,
        /// The team that its alerts are for
        #[arg(long)]
        team: String,
        /// What sends, for people to read
        #[arg(long, default_value = "")]
        description: String,
        #[command(flatten)]
        server: Server,
    },
    /// List integrations, by name
    #[command(after_help = "Example:\n  dogwatch integration list")]
    List {
        #[command(flatten)]
        server: Server,
    },
    /// List the keys of an integration, without their secrets
    #[command(after_help = "Example:\n  dogwatch integration keys prometheus")]
    Keys {
        /// Its name
        name: String,
        #[command(flatten)]
        server: Server,
    },
    /// Make a new key, which is shown this once; those that there are go on for a while
    #[command(after_help = "Example:\n  dogwatch integration rotate prometheus --overlap 1d")]
    Rotate {
        /// Its name
        name: String,
        /// How long the keys that there are go on
        #[arg(long, value_name = "DURATION", default_value = "1d")]
        overlap: String,
        #[command(flatten)]
        server: Server,
    },
    /// Revoke a key, at once
    #[command(after_help = "Example:\n  dogwatch integration revoke prometheus key_4gT0p3kQx1Zs")]
    Revoke {
        /// Its name
        name: String,
        /// The id that `integration keys` shows
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Make the key that Grafana signs its webhooks with, which is shown this once
    #[command(after_help = "Example:\n  dogwatch integration sign grafana")]
    Sign {
        /// Its name
        name: String,
        #[command(flatten)]
        server: Server,
    },
    /// Print what to write into the configuration of a tool
    #[command(after_help = "Example:\n  dogwatch integration snippet prometheus alertmanager --key w3k8…")]
    Snippet {
        /// Its name
        name: String,
        /// The tool; without one all are listed
        tool: Option<String>,
        /// The key to write into it
        #[arg(long, default_value = "KEY")]
        key: String,
        #[command(flatten)]
        server: Server,
    },
    /// Send a test event, as if the sender had: whoever is on call is paged
    #[command(after_help = "Example:\n  dogwatch integration test prometheus --severity critical")]
    Test {
        /// Its name
        name: String,
        /// critical, error, warning or info [default: info]
        #[arg(long)]
        severity: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Show what an integration sent last, and what was made of it
    #[command(after_help = "Example:\n  dogwatch integration received prometheus --raw")]
    Received {
        /// Its name
        name: String,
        /// How many requests
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Show them as they came, too
        #[arg(long)]
        raw: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Try a sample: what would become of it. Nothing is stored, nobody is paged
    #[command(after_help = "\
Examples:
  dogwatch integration try alertmanager sample.json --integration prometheus
  dogwatch integration try alertmanager sample.json --integration prometheus --config definitions.toml
  dogwatch integration try generic sample.json --mapping mapping.json")]
    Try {
        /// The format, such as alertmanager, pagerduty or generic
        format: String,
        /// A file with what the sender would post
        sample: PathBuf,
        /// An integration that there is
        #[arg(long, value_name = "NAME")]
        integration: Option<String>,
        /// Files and folders (.toml) in which it stands as it would be, before they are applied
        #[arg(long, value_name = "PATH", requires = "integration")]
        config: Vec<PathBuf>,
        /// A file with a mapping, as JSON, in place of the integration's
        #[arg(long, value_name = "FILE")]
        mapping: Option<PathBuf>,
        #[command(flatten)]
        server: Server,
    },
}

fn read_json(path: &PathBuf) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can't read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
}

/// The integration of this name as it stands in files.
fn read_integration(paths: &[PathBuf], name: &str) -> anyhow::Result<Value> {
    let loaded = load(paths);
    if !loaded.unreadable.is_empty() {
        bail!("{}", loaded.files.render_all(&loaded.unreadable));
    }
    let mut all = loaded.documents.into_iter().filter(|document| document.kind == Kind::Integration);
    let found = all.find(|document| document.body["name"] == name);
    found
        .map(|document| document.body)
        .with_context(|| format!("no integration \"{name}\" stands in these files"))
}

fn of(name: &str, rest: &str) -> String {
    format!("/api/v1/integrations/{}/{rest}", segment(name))
}

impl Integration {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Create { name, team, description, server } => {
                let body = json!({ "name": name, "team": team, "description": description });
                server.expect("POST", "/api/v1/integrations", Some(&body)).await?;
                let answer = server.expect("POST", &of(&name, "keys"), None).await?;
                show_key(&server, &answer);
            }
            Action::List { server } => {
                let answer = server.expect("GET", "/api/v1/integrations?limit=500", None).await?;
                show_each(&server, &answer, |item| {
                    format!(
                        "{:<24} team {:<16} {}",
                        text(&item["name"]),
                        text(&item["team"]),
                        text(&item["description"])
                    )
                });
            }
            Action::Keys { name, server } => {
                let answer = server.expect("GET", &of(&name, "keys"), None).await?;
                show_each(&server, &answer, |key| {
                    let end = key["expires_at"].as_str().unwrap_or("never");
                    format!("{:<20} …{} ends {end}", text(&key["id"]), text(&key["ending"]))
                });
            }
            Action::Rotate { name, overlap, server } => {
                let body = json!({ "overlap": overlap });
                let answer = server.expect("POST", &of(&name, "keys"), Some(&body)).await?;
                show_key(&server, &answer);
            }
            Action::Revoke { name, id, server } => {
                server.expect("DELETE", &of(&name, &format!("keys/{}", segment(&id))), None).await?;
                println!("{id} is revoked");
            }
            Action::Sign { name, server } => {
                let answer = server.expect("POST", &of(&name, "signing-key"), None).await?;
                show_key(&server, &answer);
            }
            Action::Snippet { name, tool, key, server } => {
                let answer = server.expect("GET", &of(&name, "snippets"), None).await?;
                show_snippet(&answer, tool.as_deref(), &key)?;
            }
            Action::Test { name, severity, server } => {
                let body = json!({ "severity": severity });
                let alert = server.expect("POST", &of(&name, "test"), Some(&body)).await?;
                if server.is_json() {
                    println!("{alert}");
                } else {
                    println!("#{} {}: {}", alert["number"], text(&alert["summary"]), text(&alert["url"]));
                }
            }
            Action::Received { name, limit, raw, server } => {
                let answer =
                    server.expect("GET", &of(&name, &format!("received?limit={limit}")), None).await?;
                show_each(&server, &answer, |item| show_received(item, raw));
            }
            Action::Try { format, sample, integration, config, mapping, server } => {
                let mut body = json!({ "format": format, "sample": read_json(&sample)? });
                match integration {
                    Some(name) if config.is_empty() => body["integration"] = json!(name),
                    Some(name) => body["integration"] = read_integration(&config, &name)?,
                    None => {}
                }
                if let Some(mapping) = mapping {
                    body["mapping"] = read_json(&mapping)?;
                }
                let answer = server.expect("POST", "/api/v1/integration-trials", Some(&body)).await?;
                show_each(&server, &answer, show_tried);
            }
        }
        Ok(())
    }
}

fn show_key(server: &Server, answer: &Value) {
    if server.is_json() { println!("{answer}") } else { println!("{}", text(&answer["secret"])) }
}

fn show_each(server: &Server, answer: &Value, show: impl Fn(&Value) -> String) {
    if server.is_json() {
        println!("{answer}");
        return;
    }
    for item in answer["items"].as_array().into_iter().flatten() {
        println!("{}", show(item));
    }
}

fn show_snippet(answer: &Value, tool: Option<&str>, key: &str) -> anyhow::Result<()> {
    let items: Vec<&Value> = answer["items"].as_array().into_iter().flatten().collect();
    let Some(tool) = tool else {
        for item in items {
            println!("{:<14} {}", text(&item["tool"]), text(&item["title"]));
        }
        return Ok(());
    };
    let found = items.iter().find(|item| item["tool"] == tool).with_context(|| {
        let known: Vec<&str> = items.iter().map(|item| text(&item["tool"])).collect();
        format!("there is no snippet for \"{tool}\"; there are {}", known.join(", "))
    })?;
    print!("{}", text(&found["text"]).replace("KEY", key));
    Ok(())
}

fn show_received(item: &Value, raw: bool) -> String {
    let mut lines = vec![format!("{} {}", text(&item["at"]), text(&item["format"]))];
    if let Some(refused) = item["refused"].as_str() {
        lines.push(format!("  refused: {refused}"));
    }
    for event in item["events"].as_array().into_iter().flatten() {
        let alert = event["alert"].as_u64().map(|number| format!("#{number}: ")).unwrap_or_default();
        lines.push(format!("  {alert}{}", text(&event["text"])));
    }
    if raw {
        lines.push(format!("  {}", text(&item["raw"])));
    }
    lines.join("\n")
}

fn show_tried(item: &Value) -> String {
    let mut lines = vec![format!("{}: {}", text(&item["act"]), text(&item["summary"]))];
    for name in ["key", "severity", "urgency", "team", "plan"] {
        if let Some(value) = item[name].as_str().filter(|value| !value.is_empty()) {
            lines.push(format!("  {name:<9} {value}"));
        }
    }
    if let Some(rule) = item["rule"].as_u64() {
        lines.push(format!("  rule      {rule}"));
    }
    lines.join("\n")
}
