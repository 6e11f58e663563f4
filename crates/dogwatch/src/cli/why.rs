//! `dogwatch why`: why somebody's phone rang for an alert, or did not.

use clap::{Args, ValueEnum};

use super::client::{Server, segment, text};
use super::rows::seconds;

/// Say why somebody's phone rang for an alert, or did not.
///
/// Layers, overrides, leave, steps, silences and receipts, in order of time, as they were in force then.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  dogwatch why 7 --person bob")]
pub(super) struct Why {
    /// The alert's number or id
    alert: String,
    /// The person
    #[arg(long, value_name = "NAME")]
    person: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    server: Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Sentences
    Text,
    /// As the API answers
    Json,
}

impl Why {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let path = format!("/api/v1/alerts/{}/why?person={}", segment(&self.alert), segment(&self.person));
        let answer = self.server.expect("GET", &path, None).await?;
        if self.format == Format::Json || self.server.is_json() {
            println!("{answer}");
            return Ok(());
        }
        println!("{}\n", text(&answer["summary"]));
        for reason in answer["reasons"].as_array().into_iter().flatten() {
            println!("{}  {}", seconds(text(&reason["at"])), text(&reason["text"]));
        }
        Ok(())
    }
}
