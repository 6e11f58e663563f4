//! The configuration as it is written: TOML, and environment variables laid over it.

use std::path::Path;

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::definition::nearest;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Raw {
    pub(super) listen: Option<String>,
    pub(super) database: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) last_resort: Vec<String>,
    pub(super) operators: Vec<String>,
    pub(super) patroni: Vec<String>,
    pub(super) smtp: Option<Smtp>,
    pub(super) webhook: Webhook,
    pub(super) provider: Vec<toml::Table>,
    pub(super) intake: Intake,
    pub(super) template: Vec<super::template::Raw>,
    pub(super) subscriber: Vec<super::subscriber::Raw>,
    /// Only from the environment: a file that is shown around must not let anybody in.
    #[serde(skip)]
    pub(super) admin_token: Option<String>,
    pub(super) admin_token_file: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Smtp {
    pub(super) host: Option<String>,
    pub(super) port: Option<u16>,
    pub(super) security: Option<String>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) password_file: Option<String>,
    pub(super) from: Option<String>,
    pub(super) ca_file: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Webhook {
    pub(super) key: Option<String>,
    pub(super) key_file: Option<String>,
    pub(super) allow: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Intake {
    pub(super) rate: Option<u32>,
    pub(super) mail: Option<String>,
}

/// Every key, for "did you mean".
const KEYS: [&str; 36] = [
    "listen",
    "database",
    "public_url",
    "last_resort",
    "operators",
    "patroni",
    "smtp",
    "webhook",
    "provider",
    "admin_token_file",
    "host",
    "port",
    "security",
    "user",
    "password",
    "password_file",
    "from",
    "ca_file",
    "key",
    "key_file",
    "allow",
    "admin_token",
    "intake",
    "rate",
    "mail",
    "template",
    "channel",
    "purpose",
    "language",
    "text",
    "text_file",
    "subscriber",
    "name",
    "url",
    "teams",
    "events",
];

/// Reads a file.
pub(super) fn read(path: &Path) -> anyhow::Result<Raw> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("can't read the configuration {}", path.display()))?;
    toml::from_str(&text).map_err(|error| {
        let hint = error
            .message()
            .split('`')
            .nth(1)
            .filter(|_| error.message().starts_with("unknown field"))
            .and_then(|unknown| nearest(unknown, KEYS.into_iter()))
            .map(|near| format!("did you mean \"{near}\"?"))
            .unwrap_or_default();
        anyhow::anyhow!("{}: {error}{hint}", path.display())
    })
}

impl Raw {
    /// Lays the environment over the file.
    pub(super) fn overlay(&mut self, environment: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<()> {
        let list = |text: String| {
            text.split(',').map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty()).collect()
        };
        let text = |name: &str, slot: &mut Option<String>| {
            if let Some(value) = environment(name) {
                *slot = Some(value);
            }
        };
        text("DOGWATCH_LISTEN", &mut self.listen);
        text("DOGWATCH_DATABASE", &mut self.database);
        text("DOGWATCH_PUBLIC_URL", &mut self.public_url);
        text("DOGWATCH_ADMIN_TOKEN", &mut self.admin_token);
        text("DOGWATCH_ADMIN_TOKEN_FILE", &mut self.admin_token_file);
        text("DOGWATCH_INTAKE_MAIL", &mut self.intake.mail);
        text("DOGWATCH_WEBHOOK_KEY", &mut self.webhook.key);
        text("DOGWATCH_WEBHOOK_KEY_FILE", &mut self.webhook.key_file);
        if let Some(value) = environment("DOGWATCH_LAST_RESORT") {
            self.last_resort = list(value);
        }
        if let Some(value) = environment("DOGWATCH_OPERATORS") {
            self.operators = list(value);
        }
        if let Some(value) = environment("DOGWATCH_PATRONI") {
            self.patroni = list(value);
        }
        if let Some(value) = environment("DOGWATCH_WEBHOOK_ALLOW") {
            self.webhook.allow = list(value);
        }
        if let Some(value) = environment("DOGWATCH_INTAKE_RATE") {
            let Ok(rate) = value.parse() else {
                bail!(
                    "DOGWATCH_INTAKE_RATE: \"{value}\" is no number of requests a second; write one such as 2000"
                )
            };
            self.intake.rate = Some(rate);
        }
        let mut smtp = self.smtp.take().unwrap_or_default();
        let mut is_set = smtp.host.is_some() || smtp.from.is_some();
        for (name, slot) in [
            ("DOGWATCH_SMTP_HOST", &mut smtp.host),
            ("DOGWATCH_SMTP_SECURITY", &mut smtp.security),
            ("DOGWATCH_SMTP_USER", &mut smtp.user),
            ("DOGWATCH_SMTP_PASSWORD", &mut smtp.password),
            ("DOGWATCH_SMTP_PASSWORD_FILE", &mut smtp.password_file),
            ("DOGWATCH_SMTP_FROM", &mut smtp.from),
            ("DOGWATCH_SMTP_CA_FILE", &mut smtp.ca_file),
        ] {
            text(name, slot);
            is_set |= slot.is_some();
        }
        if let Some(value) = environment("DOGWATCH_SMTP_PORT") {
            let Ok(port) = value.parse() else {
                bail!("DOGWATCH_SMTP_PORT: \"{value}\" is no port; write one such as 587")
            };
            smtp.port = Some(port);
        }
        self.smtp = is_set.then_some(smtp);
        Ok(())
    }
}
