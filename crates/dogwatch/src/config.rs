//! The service's configuration: file < environment < flags.
//!
//! `config/raw.rs` is what was written; here is what it means. Only the resolved form reaches the program.

mod account;
mod fields;
pub mod provider;
mod raw;
pub mod subscriber;
mod template;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::contact::Contact;
use escalation::directory::Service;
use escalation::plan::Target;
use ipnet::IpNet;

use crate::channel::email::{Security, Server};
use crate::message::template::Templates;
use crate::secret::Secret;

pub use account::Accounts;

/// Where the service listens when nothing else is said.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8420";
/// Where the service keeps everything when nothing else is said.
pub const DEFAULT_DATABASE: &str = "sqlite:dogwatch.db";

/// Requests a second that a key may send for long when nothing else is said.
pub const DEFAULT_INTAKE_RATE: u32 = 2_000;

/// What the flags of `serve` say. They come before everything else.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--listen`.
    pub listen: Option<String>,
    /// `--database`.
    pub database: Option<String>,
    /// `--public-url`.
    pub public_url: Option<String>,
}

/// The configuration, resolved.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 picks one.
    pub listen: SocketAddr,
    /// The SQLite file.
    pub database: Database,
    /// The address that mail links and browsers use; none: the listening address.
    pub public_url: Option<String>,
    /// What applies where a team has nothing of its own.
    pub service: Service,
    /// The mail server, if one is set up.
    pub smtp: Option<Server>,
    /// Providers of calls and short messages, in order.
    pub providers: Vec<provider::Provider>,
    /// The accounts at services that carry messages.
    pub accounts: Accounts,
    /// The key that webhooks are signed with; none: one is made and kept in the store.
    pub webhook_key: Option<Vec<u8>>,
    /// Networks that webhooks may reach although they are not public.
    pub webhook_allow: Vec<IpNet>,
    /// Where mail of monitoring systems is taken; none: nowhere.
    pub intake_mail: Option<SocketAddr>,
    /// Requests a second that a key of an integration may send for long.
    pub intake_rate: u32,
    /// Where Patroni answers, if the database is its.
    pub patroni: Vec<String>,
    /// Who outside is told of every change of an alert.
    pub subscribers: Vec<subscriber::Subscriber>,
    /// Words of the operators in the place of ours.
    pub templates: Templates,
    /// The administrator's token, if the environment gives one.
    pub admin_token: Option<Secret>,
}

impl Config {
    /// Reads the file, lays the environment and the flags over it, and resolves the result.
    ///
    /// # Errors
    ///
    /// The first problem, with its place and what to write instead.
    pub fn load(
        file: Option<&Path>,
        environment: &dyn Fn(&str) -> Option<String>,
        flags: &Flags,
    ) -> anyhow::Result<Self> {
        let mut raw = match file {
            Some(path) => raw::read(path)?,
            None => raw::Raw::default(),
        };
        raw.overlay(environment)?;
        let listen = flags.listen.clone().or(raw.listen).unwrap_or_else(|| DEFAULT_LISTEN.to_owned());
        let database = flags.database.clone().or(raw.database).unwrap_or_else(|| DEFAULT_DATABASE.to_owned());
        let public_url = flags.public_url.clone().or(raw.public_url);
        let contact = |what: &str, text: &String| {
            text.parse::<Contact>().with_context(|| format!("{what}: \"{text}\""))
        };
        let operators = raw
            .operators
            .iter()
            .map(|text| {
                let contact = contact("operators", text)?;
                if contact.kind().is_personal() {
                    let word = contact.kind().word();
                    bail!(
                        "operators: \"{text}\": a {word} belongs to a person; write an email: or a webhook:"
                    );
                }
                Ok(contact)
            })
            .collect::<anyhow::Result<_>>()?;
        let last_resort = raw
            .last_resort
            .iter()
            .map(|text| match crate::definition::target(text) {
                Ok(target @ (Target::Person(_) | Target::Role(_))) => Ok(target),
                Ok(_) => bail!(
                    "last_resort: \"{text}\": the service has no members; write \"person:NAME\", \"webhook:URL\" \
                     or \"email:ADDRESS\""
                ),
                Err(wrong) => bail!("last_resort: {wrong}"),
            })
            .collect::<anyhow::Result<_>>()?;
        let (carriers, accounts) =
            raw.provider.into_iter().enumerate().partition(|(_, table)| provider::is_carrier(table));
        Ok(Self {
            listen: listen.parse().with_context(|| {
                format!("listen: \"{listen}\" is no address; write IP:PORT, such as \"{DEFAULT_LISTEN}\"")
            })?,
            database: Database::read(&database)?,
            public_url: public_url.as_deref().map(check_public_url).transpose()?,
            service: Service { last_resort, operators },
            providers: provider::resolve(carriers, public_url.is_some())?,
            smtp: raw.smtp.map(resolve_smtp).transpose()?,
            accounts: Accounts::read(accounts)?,
            webhook_key: raw
                .webhook
                .key
                .as_deref()
                .map(read_webhook_key)
                .or_else(|| raw.webhook.key_file.as_deref().map(|path| read_webhook_key(&read_secret(path)?)))
                .transpose()?,
            webhook_allow: raw
                .webhook
                .allow
                .iter()
                .map(|text| {
                    text.parse::<IpNet>()
                        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
                        .with_context(|| {
                            format!(
                                "webhook.allow: \"{text}\" is no network; write one such as \"10.1.0.0/16\""
                            )
                        })
                })
                .collect::<anyhow::Result<_>>()?,
            intake_mail: raw
                .intake
                .mail
                .map(|text| {
                    text.parse().with_context(|| {
                        format!("intake.mail: \"{text}\" is no address; write one such as \"127.0.0.1:2525\"")
                    })
                })
                .transpose()?,
            patroni: raw.patroni.iter().map(|text| check_patroni(text)).collect::<anyhow::Result<_>>()?,
            intake_rate: match raw.intake.rate {
                Some(0) => bail!(
                    "intake.rate: 0 would let nothing in; write the requests a second that a key may send"
                ),
                rate => rate.unwrap_or(DEFAULT_INTAKE_RATE),
            },
            subscribers: subscriber::resolve(raw.subscriber)?,
            templates: template::resolve(raw.template)?,
            admin_token: match (raw.admin_token, raw.admin_token_file) {
                (Some(token), _) => Some(Secret::given(token)),
                (None, Some(path)) => Some(Secret::given(read_secret(&path)?)),
                (None, None) => None,
            },
        })
    }
}

/// Where things are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file, which one Dogwatch has alone.
    Sqlite(PathBuf),
    /// The address of a PostgreSQL, which any number of nodes share. It may hold a password.
    Postgres(Secret),
}

impl Database {
    /// Reads `sqlite:PATH` or `postgres://…`.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub fn read(text: &str) -> anyhow::Result<Self> {
        if let Some(path) = text.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(PathBuf::from(path)));
        }
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // What is wrong with it must not show the password that it holds.
            crate::store::PostgresAddress::read(text)?;
            return Ok(Self::Postgres(Secret::given(text.to_owned())));
        }
        // Whatever was meant, it may hold a password.
        let scheme = text.split(':').next().unwrap_or_default();
        bail!(
            "database: \"{scheme}:\" is no database; write \"sqlite:PATH\", such as \"{DEFAULT_DATABASE}\", or \
             \"postgres://USER@HOST/NAME\""
        )
    }
}

fn check_public_url(text: &str) -> anyhow::Result<String> {
    let url = url::Url::parse(text).with_context(|| format!("public_url: \"{text}\" is no address"))?;
    let is_plain = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if !is_plain {
        bail!("public_url: \"{text}\": write scheme and host only, such as \"https://dogwatch.example.org\"");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn check_patroni(text: &str) -> anyhow::Result<String> {
    let url = url::Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    match url {
        Some(_) => Ok(text.trim_end_matches('/').to_owned()),
        None => bail!("patroni: \"{text}\" is no address; write one such as \"http://db1:8008\""),
    }
}

fn read_secret(path: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("can't read the secret in {path}"))?;
    Ok(text.trim_end().to_owned())
}

/// The key in the form of the Standard Webhooks specification, `whsec_BASE64`.
fn read_webhook_key(text: &str) -> anyhow::Result<Vec<u8>> {
    let wrong = "webhook.key: write \"whsec_\" and 24 to 64 bytes in base64, as the Standard Webhooks specification says";
    let key = text.strip_prefix("whsec_").and_then(|key| STANDARD.decode(key).ok()).context(wrong)?;
    if !(24..=64).contains(&key.len()) {
        bail!(wrong);
    }
    Ok(key)
}

fn resolve_smtp(raw: raw::Smtp) -> anyhow::Result<Server> {
    let host = raw.host.context("smtp.host is missing: write the name of your mail server")?;
    let from = raw.from.context(
        "smtp.from is missing: write the sender of our mail, such as \"Dogwatch <dogwatch@example.org>\"",
    )?;
    let (security, default_port) = match raw.security.as_deref().unwrap_or("starttls") {
        "starttls" => (Security::StartTls, 587),
        "tls" => (Security::Implicit, 465),
        "none" => (Security::None, 25),
        other => bail!("smtp.security: \"{other}\" is not known; write \"starttls\", \"tls\" or \"none\""),
    };
    let password = match (raw.password, raw.password_file) {
        (Some(password), _) => Some(password),
        (None, Some(path)) => Some(read_secret(&path)?),
        (None, None) => None,
    };
    let credentials = match (raw.user, password) {
        (Some(user), Some(password)) => Some((user, Secret::given(password))),
        (None, None) => None,
        _ => bail!("smtp.user and smtp.password (or smtp.password_file) go together; write both or neither"),
    };
    Ok(Server {
        host,
        port: raw.port.unwrap_or(default_port),
        security,
        credentials,
        from: from.parse().with_context(|| {
            format!("smtp.from: \"{from}\" is no sender; write \"Dogwatch <dogwatch@example.org>\"")
        })?,
        ca: raw
            .ca_file
            .map(|path| std::fs::read(&path).with_context(|| format!("can't read smtp.ca_file {path}")))
            .transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, environment: &[(&str, &str)]) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dogwatch.toml");
        std::fs::write(&path, file).unwrap();
        let find = |name: &str| {
            environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Config::load(Some(&path), &find, &Flags::default())
    }

    #[test]
    fn the_environment_comes_before_the_file_and_flags_before_both() {
        let config = load("listen = \"127.0.0.1:1\"", &[("DOGWATCH_LISTEN", "127.0.0.1:2")]).unwrap();
        assert_eq!(config.listen.port(), 2);
        let flags = Flags { listen: Some("127.0.0.1:3".to_owned()), ..Flags::default() };
        let config =
            Config::load(None, &|_| Some("127.0.0.1:2".to_owned()).filter(|_| false), &flags).unwrap();
        assert_eq!(config.listen.port(), 3);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place_and_a_hint() {
        for (file, words) in [
            ("lisen = \"127.0.0.1:1\"", &["line 1", "lisen", "did you mean \"listen\""][..]),
            (
                "[smtp]\nhost = \"mail\"\nfrom = \"a@b.c\"\nsecurty = \"tls\"",
                &["securty", "did you mean \"security\""][..],
            ),
            ("listen = 5", &["line 1"][..]),
            ("listen = \"nowhere\"", &["listen", "IP:PORT"][..]),
            ("database = \"mysql:x\"", &["sqlite:PATH"][..]),
            ("operators = [\"carrierpigeon:7\"]", &["operators", "carrierpigeon"][..]),
            ("last_resort = [\"on_call\"]", &["last_resort", "person:NAME"][..]),
            ("[webhook]\nallow = [\"everywhere\"]", &["webhook.allow", "10.1.0.0/16"][..]),
            ("[webhook]\nkey = \"short\"", &["whsec_"][..]),
            ("public_url = \"https://x.example/path\"", &["public_url", "host only"][..]),
        ] {
            let wrong = format!("{:#}", load(file, &[]).unwrap_err());
            for word in words {
                assert!(wrong.contains(word), "{file}: {wrong}");
            }
        }
    }

    #[test]
    fn secrets_come_from_files_and_are_never_printed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "canary-4711\n").unwrap();
        let file = format!(
            "[smtp]\nhost = \"mail\"\nfrom = \"a@b.c\"\nuser = \"u\"\npassword_file = \"{}\"",
            path.display()
        );
        let config = load(&file, &[("DOGWATCH_ADMIN_TOKEN", "canary-4712")]).unwrap();
        let (_, password) = config.smtp.as_ref().unwrap().credentials.as_ref().unwrap();
        assert_eq!(password.reveal(), "canary-4711");
        assert!(!format!("{config:?}").contains("canary"));
    }
}
