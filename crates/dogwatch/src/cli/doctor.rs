//! `dogwatch doctor`: who can't be reached, and why; and what is wrong with providers, nodes and their database.

use std::process::ExitCode;

use clap::Args;

use super::client::{Server, text};

/// List people who can't be reached, or only in part, and what to do about it; and providers that are in trouble now.
///
/// Over PostgreSQL it also tells what is wrong with the nodes and their database: no synchronous standby, clocks that
/// differ, nodes that are silent, work left undone, a Patroni that is not safe.
#[derive(Debug, Args)]
#[command(after_help = "\
Ends with 1 if somebody can't be reached at all, or something that was accepted may be lost.

Example:
  dogwatch doctor")]
pub(super) struct Doctor {
    #[command(flatten)]
    server: Server,
}

impl Doctor {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let answer = self.server.expect("GET", "/api/v1/doctor", None).await?;
        let findings = answer["findings"].as_array().cloned().unwrap_or_default();
        let cluster = answer["cluster"].as_array().cloned().unwrap_or_default();
        if self.server.is_json() {
            println!("{answer}");
        } else if findings.is_empty() {
            println!("everybody can be reached");
        } else {
            for finding in &findings {
                let contact =
                    finding["contact"].as_str().map(|contact| format!(" {contact}")).unwrap_or_default();
                println!("{}{contact}: {}", text(&finding["person"]), text(&finding["text"]));
            }
        }
        if !self.server.is_json() {
            for trouble in answer["providers"].as_array().into_iter().flatten() {
                println!("providers: {}", text(trouble));
            }
            for caution in &cluster {
                println!("nodes and database: {}", text(&caution["text"]));
            }
        }
        let is_grave = findings.iter().chain(&cluster).any(|finding| finding["is_grave"] == true);
        Ok(if is_grave { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
