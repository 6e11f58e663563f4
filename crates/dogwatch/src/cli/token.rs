//! `dogwatch token`: make, list and revoke tokens and one-time sign-in addresses.

use clap::{Args, Subcommand};
use serde_json::json;

use super::client::{Server, segment, text};

/// Make, list and revoke tokens; make one-time sign-in addresses.
#[derive(Debug, Args)]
pub(super) struct Token {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token, or a one-time sign-in address
    #[command(after_help = "\
Examples:
  dogwatch token create --name \"backup script\"
  dogwatch token create --link --person john")]
    Create {
        /// What the token is for
        #[arg(long, default_value = "cli")]
        name: String,
        /// Whose it is; without one an administrator's
        #[arg(long)]
        person: Option<String>,
        /// How long it is good for, such as 7d; without one until it is revoked
        #[arg(long, value_name = "DURATION", conflicts_with = "link")]
        expires: Option<String>,
        /// Make a one-time sign-in address for a browser instead
        #[arg(long)]
        link: bool,
        #[command(flatten)]
        server: Server,
    },
    /// List tokens, oldest first
    #[command(after_help = "Example:\n  dogwatch token list")]
    List {
        #[command(flatten)]
        server: Server,
    },
    /// Revoke a token, at once
    #[command(after_help = "Example:\n  dogwatch token revoke token_4gT0p3kQx1Zs")]
    Revoke {
        /// The id that `token list` shows
        id: String,
        #[command(flatten)]
        server: Server,
    },
}

impl Token {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Create { person, link: true, server, .. } => {
                let answer =
                    server.expect("POST", "/api/v1/sign-ins", Some(&json!({ "person": person }))).await?;
                if server.is_json() { println!("{answer}") } else { println!("{}", text(&answer["url"])) }
            }
            Action::Create { name, person, expires, server, .. } => {
                let body = json!({ "name": name, "person": person, "expires_in": expires });
                let answer = server.expect("POST", "/api/v1/tokens", Some(&body)).await?;
                if server.is_json() { println!("{answer}") } else { println!("{}", text(&answer["secret"])) }
            }
            Action::List { server } => {
                let answer = server.expect("GET", "/api/v1/tokens", None).await?;
                if server.is_json() {
                    println!("{answer}");
                }
                for token in answer["items"].as_array().into_iter().flatten().filter(|_| !server.is_json()) {
                    let owner = token["person"].as_str().unwrap_or("administrator");
                    let end = token["expires_at"].as_str().unwrap_or("never");
                    println!(
                        "{:<20} {:<16} expires {:<26} {}",
                        text(&token["id"]),
                        owner,
                        end,
                        text(&token["name"])
                    );
                }
            }
            Action::Revoke { id, server } => {
                server.expect("DELETE", &format!("/api/v1/tokens/{}", segment(&id)), None).await?;
                println!("revoked");
            }
        }
        Ok(())
    }
}
