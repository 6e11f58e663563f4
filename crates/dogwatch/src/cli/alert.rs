//! `dogwatch alert`: look at alerts, and act on them.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{Server, segment, text};
use super::rows::seconds;
use super::silence::put;

/// Look at alerts, and act on them.
#[derive(Debug, Args)]
pub(super) struct Alert {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List alerts, newest first
    #[command(after_help = "Example:\n  dogwatch alert list --team ops --status all")]
    List {
        /// open, all, or some of triggered,acknowledged,unanswered,snoozed,silenced,resolved
        #[arg(long, default_value = "open")]
        status: String,
        /// Only those for this team
        #[arg(long)]
        team: Option<String>,
        /// How many at most, 1 to 500
        #[arg(long, default_value_t = 50)]
        limit: u32,
        #[command(flatten)]
        server: Server,
    },
    /// Show one alert with its story
    #[command(after_help = "Example:\n  dogwatch alert show 7")]
    Show {
        /// Its number or id
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Say "I have it": nobody is paged any more
    #[command(after_help = "Example:\n  dogwatch alert ack 7")]
    Ack {
        /// Its number or id
        id: String,
        /// Take it over if somebody else has it
        #[arg(long)]
        take_over: bool,
        #[command(flatten)]
        server: Server,
    },
    /// Give it back: people are paged again
    #[command(after_help = "Example:\n  dogwatch alert unack 7")]
    Unack {
        /// Its number or id
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Say that it is over
    #[command(after_help = "Example:\n  dogwatch alert resolve 7")]
    Resolve {
        /// Its number or id
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Fire the next, or a chosen, step now
    #[command(after_help = "Example:\n  dogwatch alert escalate 7 --step 2")]
    Escalate {
        /// Its number or id
        id: String,
        /// The step, from 1
        #[arg(long)]
        step: Option<u16>,
        #[command(flatten)]
        server: Server,
    },
    /// Put it aside: nobody is paged until then
    #[command(after_help = "Example:\n  dogwatch alert snooze 7 --for 2h")]
    Snooze {
        /// Its number or id
        id: String,
        /// For how long, such as 2h; at most 7d
        #[arg(long = "for", value_name = "DURATION", required_unless_present = "until")]
        length: Option<String>,
        /// Until when
        #[arg(long, value_name = "TIME", conflicts_with = "length")]
        until: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Pass it on to another team, or to a person
    #[command(after_help = "Example:\n  dogwatch alert reassign 7 --team web")]
    Reassign {
        /// Its number or id
        id: String,
        /// The team
        #[arg(long, required_unless_present = "person", conflicts_with = "person")]
        team: Option<String>,
        /// The person
        #[arg(long)]
        person: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Ask one more person, who has to answer for himself
    #[command(after_help = "Example:\n  dogwatch alert add-responder 7 carol")]
    AddResponder {
        /// Its number or id
        id: String,
        /// The person
        person: String,
        #[command(flatten)]
        server: Server,
    },
    /// Make one alert of several: the others end and are counted on this one
    #[command(after_help = "Example:\n  dogwatch alert merge 7 8 9")]
    Merge {
        /// The number or id of the one that goes on
        id: String,
        /// The numbers or ids of the others
        #[arg(required = true)]
        others: Vec<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Tell somebody what becomes of it, without asking for an answer
    #[command(after_help = "Example:\n  dogwatch alert follow 7 carol")]
    Follow {
        /// Its number or id
        id: String,
        /// The person
        person: String,
        #[command(flatten)]
        server: Server,
    },
    /// Tell somebody no more of what becomes of it
    #[command(after_help = "Example:\n  dogwatch alert unfollow 7 carol")]
    Unfollow {
        /// Its number or id
        id: String,
        /// The person
        person: String,
        #[command(flatten)]
        server: Server,
    },
    /// Who is told what becomes of it
    #[command(after_help = "Example:\n  dogwatch alert followers 7")]
    Followers {
        /// Its number or id
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Write something on its timeline
    #[command(after_help = "Example:\n  dogwatch alert note 7 \"restarted the database\"")]
    Note {
        /// Its number or id
        id: String,
        /// What to remember
        text: String,
        #[command(flatten)]
        server: Server,
    },
}

impl Alert {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { status, team, limit, server } => {
                let team = team.map(|team| format!("&team={}", segment(&team))).unwrap_or_default();
                let path = format!("/api/v1/alerts?status={}&limit={limit}{team}", segment(&status));
                let answer = server.expect("GET", &path, None).await?;
                if server.is_json() {
                    println!("{answer}");
                } else {
                    list(&answer);
                }
                Ok(())
            }
            Action::Show { id, server } => {
                let answer = server.expect("GET", &format!("/api/v1/alerts/{}", segment(&id)), None).await?;
                if server.is_json() {
                    println!("{answer}");
                } else {
                    show(&answer);
                }
                Ok(())
            }
            Action::Ack { id, take_over, server } => {
                act(&server, &id, "acknowledge", json!({ "take_over": take_over })).await
            }
            Action::Unack { id, server } => act(&server, &id, "unacknowledge", json!({})).await,
            Action::Resolve { id, server } => act(&server, &id, "resolve", json!({})).await,
            Action::Escalate { id, step, server } => {
                act(&server, &id, "escalate", json!({ "step": step })).await
            }
            Action::Snooze { id, length, until, server } => {
                let mut body = json!({});
                put(&mut body, "for", length.as_ref());
                put(&mut body, "until", until.as_ref());
                act(&server, &id, "snooze", body).await
            }
            Action::Reassign { id, team, person, server } => {
                let mut body = json!({});
                put(&mut body, "team", team.as_ref());
                put(&mut body, "person", person.as_ref());
                act(&server, &id, "reassign", body).await
            }
            Action::AddResponder { id, person, server } => {
                act(&server, &id, "responders", json!({ "person": person })).await
            }
            Action::Merge { id, others, server } => {
                act(&server, &id, "merge", json!({ "alerts": others })).await
            }
            Action::Follow { id, person, server } => follow(&server, "PUT", &id, &person).await,
            Action::Unfollow { id, person, server } => follow(&server, "DELETE", &id, &person).await,
            Action::Followers { id, server } => {
                let path = format!("/api/v1/alerts/{}/subscribers", segment(&id));
                let answer = server.expect("GET", &path, None).await?;
                let people: Vec<&str> = answer["people"].as_array().into_iter().flatten().map(text).collect();
                if server.is_json() {
                    println!("{answer}");
                } else if people.is_empty() {
                    println!("nobody follows it");
                } else {
                    println!("{}", people.join("\n"));
                }
                Ok(())
            }
            Action::Note { id, text, server } => act(&server, &id, "notes", json!({ "text": text })).await,
        }
    }
}

async fn act(server: &Server, id: &str, verb: &str, body: Value) -> anyhow::Result<()> {
    let answer =
        server.expect("POST", &format!("/api/v1/alerts/{}/{verb}", segment(id)), Some(&body)).await?;
    if server.is_json() {
        println!("{answer}");
    } else {
        println!("{}", text(&answer["message"]));
    }
    Ok(())
}

async fn follow(server: &Server, method: &str, id: &str, person: &str) -> anyhow::Result<()> {
    let path = format!("/api/v1/alerts/{}/subscribers/{}", segment(id), segment(person));
    server.expect(method, &path, None).await?;
    if !server.is_json() {
        match method {
            "PUT" => println!("{person} is told what becomes of it"),
            _ => println!("{person} is no longer told what becomes of it"),
        }
    }
    Ok(())
}

/// Whom an alert is for.
fn audience(alert: &Value) -> &str {
    alert["team"].as_str().or(alert["person"].as_str()).unwrap_or_default()
}

fn list(answer: &Value) {
    let alerts = answer["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if alerts.is_empty() {
        println!("no alerts");
    }
    for alert in alerts {
        let owner = match text(&alert["status"]) {
            "acknowledged" => format!("{} has it", text(&alert["acknowledged"]["by"])),
            "snoozed" | "silenced" => standing(alert),
            other => other.to_owned(),
        };
        println!(
            "#{:<5} {:<9} {:<14} {:<16} {}  {}",
            alert["number"].to_string(),
            text(&alert["severity"]),
            audience(alert),
            owner,
            seconds(text(&alert["created_at"])),
            text(&alert["summary"]),
        );
    }
    if answer["next_cursor"].is_string() {
        println!("… and more; see --limit");
    }
}

/// `snoozed until 2026-12-24 08:00:00Z`, `silenced until …`; any other status as it is.
fn standing(alert: &Value) -> String {
    let status = text(&alert["status"]);
    match alert[status]["until"].as_str() {
        Some(until) => format!("{status} until {}", seconds(until)),
        None => status.to_owned(),
    }
}

fn show(alert: &Value) {
    println!(
        "#{} {} {}: {}",
        alert["number"],
        text(&alert["severity"]),
        audience(alert),
        text(&alert["summary"])
    );
    println!("{} since {}, round {}", standing(alert), seconds(text(&alert["created_at"])), alert["round"]);
    if !text(&alert["details"]).is_empty() {
        println!("\n{}", text(&alert["details"]));
    }
    println!();
    for line in alert["timeline"].as_array().into_iter().flatten() {
        println!("{}  {}", seconds(text(&line["at"])), text(&line["text"]));
    }
    let next = alert["next"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !next.is_empty() {
        println!("\nIf nobody answers:");
    }
    for step in next {
        println!("{}  {}", seconds(text(&step["at"])), text(&step["text"]));
    }
}
