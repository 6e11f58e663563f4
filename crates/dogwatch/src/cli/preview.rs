//! `dogwatch preview`: what a message would say, without a server and without sending it.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use escalation::contact::Kind;
use escalation::delivery::Purpose;
use escalation::event::Severity;

use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Flags};
use crate::message::template::{Template, Templates};
use crate::preview::{Wanted, preview};

/// Show what a message would say, channel by channel, with the templates of a configuration.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dogwatch preview sms --language de
  dogwatch preview email --config dogwatch.toml --summary \"disk full on db1\"
  dogwatch preview phone --template '{{ team }}: {{ summary }}'")]
pub(super) struct Preview {
    /// Through what: sms, phone, email, slack, …
    #[arg(value_parser = kind)]
    channel: Kind,
    /// What for: page, notice, reminder or warning
    #[arg(long, default_value = "page", value_parser = purpose)]
    purpose: Purpose,
    /// The language of its reader
    #[arg(long, default_value = "en", value_name = "TAG")]
    language: String,
    /// What is wrong
    #[arg(long, default_value = "disk full on db1")]
    summary: String,
    /// Anything more
    #[arg(long, default_value = "")]
    details: String,
    /// How grave it is: critical, error, warning or info
    #[arg(long, default_value = "critical", value_parser = severity)]
    severity: Severity,
    /// The service's configuration, with its templates
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A template to try in the place of those
    #[arg(long, value_name = "TEXT", conflicts_with = "config")]
    template: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn known<T: Copy>(text: &str, all: &[T], word: impl Fn(T) -> &'static str) -> Result<T, String> {
    let words = || all.iter().map(|one| word(*one)).collect::<Vec<_>>().join(", ");
    all.iter().copied().find(|one| word(*one) == text).ok_or_else(|| format!("there are {}", words()))
}

fn kind(text: &str) -> Result<Kind, String> {
    known(text, &Kind::ALL, Kind::word)
}

fn purpose(text: &str) -> Result<Purpose, String> {
    known(text, &Purpose::ALL, Purpose::word)
}

fn severity(text: &str) -> Result<Severity, String> {
    known(text, &Severity::ALL, Severity::word)
}

impl Preview {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let templates = match (&self.config, &self.template) {
            (Some(path), _) => {
                let environment = |name: &str| std::env::var(name).ok();
                Config::load(Some(path), &environment, &Flags::default())?.templates
            }
            (None, Some(text)) => {
                let template = Template::new(Default::default(), text);
                Templates::new(vec![template.map_err(anyhow::Error::from).context("--template")?])
            }
            (None, None) => Templates::default(),
        };
        let wanted = Wanted {
            kind: self.channel,
            purpose: self.purpose,
            language: self.language,
            summary: self.summary,
            details: self.details,
            severity: self.severity,
        };
        let shown = preview(&wanted, &templates, SystemClock.now()).map_err(anyhow::Error::msg)?;
        if self.json {
            println!("{}", serde_json::to_string(&shown)?);
            return Ok(());
        }
        if let Some(headline) = &shown.headline {
            println!("{headline}\n");
        }
        println!("{}", shown.text.trim_end());
        if !shown.buttons.is_empty() {
            println!("\n[{}]", shown.buttons.join("] ["));
        }
        if let Some(parts) = shown.parts {
            println!(
                "\n({} characters, in {parts} part{})",
                shown.text.chars().count(),
                if parts == 1 { "" } else { "s" }
            );
        }
        Ok(())
    }
}
