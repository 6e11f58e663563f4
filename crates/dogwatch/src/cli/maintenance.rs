//! `dogwatch maintenance`: a team or a sender that is quiet, once or again and again.

use clap::{Args, Subcommand};
use serde_json::json;

use super::client::Server;
use super::silence::{Times, create, end, list, put};

/// Plan maintenance for a team or an integration, see what is planned, end it.
#[derive(Debug, Args)]
pub(super) struct Maintenance {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Keep a team or an integration quiet
    #[command(after_help = "\
Example:
  dogwatch maintenance create --team ops --period nightly-backup --zone Europe/Berlin --reason \"the nightly backup\"")]
    Create {
        /// The team
        #[arg(long, required_unless_present = "integration", conflicts_with = "integration")]
        team: Option<String>,
        /// The integration
        #[arg(long)]
        integration: Option<String>,
        #[command(flatten)]
        times: Times,
        #[command(flatten)]
        server: Server,
    },
    /// List what is quiet now and what is planned
    #[command(after_help = "Example:\n  dogwatch maintenance list")]
    List {
        /// Also those that are over
        #[arg(long)]
        past: bool,
        #[command(flatten)]
        server: Server,
    },
    /// End a window now, or take it back before it begins
    #[command(after_help = "Example:\n  dogwatch maintenance end maintenance-8f1d2c3b4a596877")]
    End {
        /// Its name, as `list` shows it
        name: String,
        #[command(flatten)]
        server: Server,
    },
}

impl Maintenance {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        const KIND: &str = "maintenance-windows";
        match self.action {
            Action::Create { team, integration, times, server } => {
                let mut body = json!({});
                put(&mut body, "team", team.as_ref());
                put(&mut body, "integration", integration.as_ref());
                times.add_to(&mut body);
                create(&server, KIND, &body).await
            }
            Action::List { past, server } => list(&server, KIND, past).await,
            Action::End { name, server } => end(&server, KIND, &name).await,
        }
    }
}
