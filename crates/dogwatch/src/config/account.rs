//! Accounts at services that carry messages: what stands in the `[[provider]]` tables for chats, phones' notifications
//! and Mailgun.
//!
//! The word `kind` says which service; every kind has its own keys. A table is read key by key, and all that is
//! wrong with it is told at once.

use std::collections::HashMap;

use anyhow::bail;
use lettre::Address;
use lettre::message::Mailbox;
use toml::Table;

use super::fields::Fields;
use crate::channel::providers::health::Limits;
use crate::channel::{mailgun, mattermost, ntfy, pushover, slack, telegram};
use crate::definition::nearest;

/// The accounts that are set up.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    /// `kind = "ntfy"`.
    pub ntfy: Option<ntfy::Server>,
    /// `kind = "telegram"`.
    pub telegram: Option<telegram::Bot>,
    /// `kind = "slack"`.
    pub slack: Option<slack::App>,
    /// `kind = "mattermost"`.
    pub mattermost: Option<mattermost::Server>,
    /// `kind = "pushover"`.
    pub pushover: Option<pushover::App>,
    /// `kind = "mailgun"`.
    pub mailgun: Option<mailgun::Domain>,
    /// `kind = "push"`: whom the push services of browsers may write to about us.
    pub push_contact: Option<String>,
    /// The name of each, and what it bears, by its kind.
    named: HashMap<String, (String, Limits)>,
}

/// What a service bears that was set up without saying so: as often as each says that it may be asked.
fn bears(kind: &str) -> Limits {
    let per_second = match kind {
        "telegram" => 30,
        "slack" | "pushover" => 50,
        _ => 1_000,
    };
    Limits { at_once: 16, per_second }
}

/// Every kind, with those of [`super::provider`].
const KINDS: [&str; 10] =
    ["twilio", "vonage", "http", "ntfy", "telegram", "slack", "mattermost", "pushover", "push", "mailgun"];

impl Accounts {
    /// Reads the tables, each with its place among all.
    pub(super) fn read(tables: Vec<(usize, Table)>) -> anyhow::Result<Self> {
        let mut accounts = Self::default();
        let mut problems = Vec::new();
        for (index, table) in tables {
            let mut fields = Fields::new(index, table);
            accounts.add(&mut fields);
            problems.extend(fields.finish());
        }
        if !problems.is_empty() {
            bail!("{}", problems.join("\n"));
        }
        Ok(accounts)
    }

    /// The kinds that are set up, in the order of their fields.
    pub fn kinds(&self) -> Vec<&'static str> {
        let found = [
            self.ntfy.as_ref().map(|_| "ntfy"),
            self.telegram.as_ref().map(|_| "telegram"),
            self.slack.as_ref().map(|_| "slack"),
            self.mattermost.as_ref().map(|_| "mattermost"),
            self.pushover.as_ref().map(|_| "pushover"),
            self.mailgun.as_ref().map(|_| "mailgun"),
            self.push_contact.as_ref().map(|_| "push"),
        ];
        found.into_iter().flatten().collect()
    }

    /// The name of the account of this kind, and what it bears.
    pub fn named(&self, kind: &str) -> (String, Limits) {
        self.named.get(kind).cloned().unwrap_or_else(|| (kind.to_owned(), bears(kind)))
    }

    fn add(&mut self, fields: &mut Fields) {
        let name = fields.name.clone().unwrap_or_else(|| fields.kind.clone());
        if fields.kind != "push" {
            let usual = bears(&fields.kind);
            let at_once = fields.count("at_once", 16).map_or(usual.at_once, |count| count as usize);
            let per_second = fields.count("per_second", 100_000).unwrap_or(usual.per_second);
            self.named.insert(fields.kind.clone(), (name, Limits { at_once, per_second }));
        }
        let is_second = match fields.kind.as_str() {
            "ntfy" => self
                .ntfy
                .replace(ntfy::Server {
                    address: fields.address("base_url", Some("https://ntfy.sh")),
                    token: fields.optional_secret("token"),
                })
                .is_some(),
            "telegram" => self
                .telegram
                .replace(telegram::Bot {
                    api: fields.address("base_url", Some("https://api.telegram.org")),
                    token: fields.secret("token", "what BotFather gave you"),
                })
                .is_some(),
            "slack" => self
                .slack
                .replace(slack::App {
                    api: fields.address("base_url", Some("https://slack.com/api")),
                    token: fields.secret("token", "the bot token, \"xoxb-…\""),
                    signing_secret: fields.secret("signing_secret", "the app's signing secret"),
                })
                .is_some(),
            "mattermost" => self
                .mattermost
                .replace(mattermost::Server {
                    address: fields.address("base_url", None),
                    token: fields.secret("token", "the access token of the bot account"),
                })
                .is_some(),
            "pushover" => self
                .pushover
                .replace(pushover::App {
                    api: fields.address("base_url", Some("https://api.pushover.net")),
                    token: fields.secret("token", "the API token of your application"),
                })
                .is_some(),
            "mailgun" => self.mailgun.replace(mailgun(fields)).is_some(),
            "push" => {
                let contact = fields.needed("contact", "\"mailto:ops@example.org\"");
                if !contact.starts_with("mailto:") && !contact.starts_with("https://") && !contact.is_empty()
                {
                    fields.wrong("contact", format_args!("takes \"mailto:ADDRESS\" or \"https://ADDRESS\""));
                }
                self.push_contact.replace(contact).is_some()
            }
            "" => {
                fields.wrong("kind", format_args!("is missing: write one of {}", KINDS.join(", ")));
                false
            }
            other => {
                let near = nearest(other, KINDS.into_iter());
                let hint = near.map(|near| format!("did you mean \"{near}\"? ")).unwrap_or_default();
                let words = format!("\"{other}\" is not known: {hint}write one of {}", KINDS.join(", "));
                fields.wrong("kind", format_args!("{words}"));
                fields.ignore();
                false
            }
        };
        if is_second {
            fields.wrong("kind", format_args!("is there twice; one provider of a kind is possible"));
        }
    }
}

/// The table of a provider of the kind `mailgun`.
fn mailgun(fields: &mut Fields) -> mailgun::Domain {
    let from = fields.needed("from", "\"Dogwatch <dogwatch@example.org>\"");
    let sender = from.parse().ok();
    if sender.is_none() && !from.is_empty() {
        let write = "write \"Dogwatch <dogwatch@example.org>\"";
        fields.wrong("from", format_args!("\"{from}\" is no sender: {write}"));
    }
    let domain = fields.needed("domain", "your domain at Mailgun, such as \"mg.example.org\"");
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-');
    if !domain.chars().all(is_plain) {
        fields.wrong("domain", format_args!("\"{domain}\" is no domain"));
    }
    let provider = mailgun::Domain {
        api: fields.address("base_url", Some("https://api.mailgun.net")),
        domain,
        key: fields.secret("key", "a sending key of this domain"),
        signing_key: fields.optional_secret("signing_key"),
        // Where there is none, there is a problem, and nobody gets to see this one.
        from: sender.unwrap_or_else(|| Mailbox::new(None, Address::new_dangerous("nobody", "invalid"))),
        replies: fields.flag("replies"),
    };
    if provider.replies && provider.signing_key.is_none() {
        fields.wrong("replies", format_args!("needs signing_key, by which we know who passes them on"));
    }
    provider
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::*;

    fn read(text: &str) -> anyhow::Result<Accounts> {
        let mut table: Table = text.parse().unwrap();
        let Some(Value::Array(tables)) = table.remove("provider") else { panic!("no providers") };
        Accounts::read(tables.into_iter().map(|table| table.try_into().unwrap()).enumerate().collect())
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once_with_its_place_and_a_hint() {
        let text = "[[provider]]\nkind = \"slak\"\ntoken = \"x\"\n\
                    [[provider]]\ntoken = 5\n\
                    [[provider]]\nkind = \"telegram\"\ntokn = \"canary\"\n\
                    [[provider]]\nkind = \"ntfy\"\nbase_url = \"ntfy.sh\"\ntoken = \"canary\"\ntoken_file = \"x\"\n\
                    [[provider]]\nkind = \"ntfy\"\n\
                    [[provider]]\nkind = \"mattermost\"\ntoken_file = \"/nowhere/at/all\"\n\
                    [[provider]]\nkind = \"push\"\ncontact = \"ops@example.org\"\n\
                    [[provider]]\nkind = \"mailgun\"\ndomain = \"a/b\"\nkey = \"canary\"\nfrom = \"us\"\nreplies = true\n";
        let wrong = read(text).unwrap_err().to_string();
        for words in [
            "provider 1 (slak): kind \"slak\" is not known: did you mean \"slack\"?",
            "provider 2: kind is missing",
            "provider 3 (telegram): token (or token_file) is missing: write what BotFather gave you",
            "provider 3 (telegram): tokn is not known; did you mean \"token\"?",
            "provider 4 (ntfy): base_url \"ntfy.sh\" is no address",
            "provider 4 (ntfy): token and token_file are both there",
            "provider 5 (ntfy): kind is there twice",
            "provider 6 (mattermost): base_url is missing",
            "provider 6 (mattermost): token_file can't be used",
            "provider 7 (push): contact takes \"mailto:ADDRESS\"",
            "provider 8 (mailgun): from \"us\" is no sender",
            "provider 8 (mailgun): domain \"a/b\" is no domain",
            "provider 8 (mailgun): replies needs signing_key",
        ] {
            assert!(wrong.contains(words), "{words}\n{wrong}");
        }
        assert!(!wrong.contains("canary"), "{wrong}");
    }
}
