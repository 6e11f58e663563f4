//! `dogwatch heartbeat`: how heartbeats stand, and a sign of life by hand.

use clap::{Args, Subcommand};

use super::client::{Server, segment, text};

/// Show heartbeats, and send a sign of life.
#[derive(Debug, Args)]
pub(super) struct Heartbeat {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List heartbeats and how they stand
    #[command(after_help = "Example:\n  dogwatch heartbeat list")]
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Send a sign of life
    #[command(after_help = "Example:\n  dogwatch heartbeat ping nightly-backup")]
    Ping {
        /// Its name
        name: String,
        #[command(flatten)]
        server: Server,
    },
}

impl Heartbeat {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::List { server } => {
                let answer = server.expect("GET", "/api/v1/heartbeats?limit=500", None).await?;
                for item in answer["items"].as_array().into_iter().flatten() {
                    let path = format!("/api/v1/heartbeats/{}/status", segment(text(&item["name"])));
                    let status = server.expect("GET", &path, None).await?;
                    if server.is_json() {
                        println!("{status}");
                        continue;
                    }
                    println!(
                        "{:<24} every {:<8} team {:<16} {:<8} last heard {}",
                        text(&item["name"]),
                        text(&item["every"]),
                        text(&item["team"]),
                        text(&status["status"]),
                        status["last_heard_at"].as_str().unwrap_or("never")
                    );
                }
            }
            Action::Ping { name, server } => {
                let path = format!("/api/v1/heartbeats/{}/ping", segment(&name));
                let status = server.expect("POST", &path, None).await?;
                if server.is_json() {
                    println!("{status}");
                } else {
                    println!("{name} was heard");
                }
            }
        }
        Ok(())
    }
}
