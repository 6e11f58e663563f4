//! Contacts: one way to reach a person or a role, written `kind:address`.
//!
//! Here is only what a contact looks like. How it is reached is the business of the service's channels;
//! a kind enters [`Kind`] together with its channel.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use crate::name::Name;

/// The longest contact, in bytes, kind included.
pub const MAX_LENGTH: usize = 512;

/// The kinds of contact there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The built-in page that behaves as a phone: `handset:NAME`.
    Handset,
    /// A JSON document by POST: `webhook:URL`.
    Webhook,
    /// Mail: `email:ADDRESS`.
    Email,
    /// A short message to a telephone: `sms:+4930123456`.
    Sms,
    /// A call to a telephone, which speaks: `phone:+4930123456`.
    Phone,
    /// A topic of an ntfy server: `ntfy:TOPIC`.
    Ntfy,
    /// A chat of Telegram, by its number: `telegram:CHAT_ID`.
    Telegram,
    /// A person (`slack:U…`) or a channel (`slack:C…`) of a Slack workspace.
    Slack,
    /// A person (`mattermost:@NAME`) or a channel (`mattermost:CHANNEL_ID`) of a Mattermost server.
    Mattermost,
    /// A channel of Microsoft Teams, by the address of its incoming webhook: `teams:URL`.
    Teams,
    /// A user or group of Pushover, by its key: `pushover:KEY`.
    Pushover,
    /// The browsers and phones on which a person has installed our page: `push:NAME`.
    Push,
}

impl Kind {
    /// Every kind, in the order in which they are listed to people.
    pub const ALL: [Self; 12] = [
        Self::Handset,
        Self::Webhook,
        Self::Email,
        Self::Sms,
        Self::Phone,
        Self::Ntfy,
        Self::Telegram,
        Self::Slack,
        Self::Mattermost,
        Self::Teams,
        Self::Pushover,
        Self::Push,
    ];

    /// The word before the colon.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Handset => "handset",
            Self::Webhook => "webhook",
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Phone => "phone",
            Self::Ntfy => "ntfy",
            Self::Telegram => "telegram",
            Self::Slack => "slack",
            Self::Mattermost => "mattermost",
            Self::Teams => "teams",
            Self::Pushover => "pushover",
            Self::Push => "push",
        }
    }

    /// Whether it speaks aloud. A notice never goes out by voice.
    pub const fn is_voice(self) -> bool {
        match self {
            Self::Phone => true,
            Self::Handset
            | Self::Webhook
            | Self::Email
            | Self::Sms
            | Self::Ntfy
            | Self::Telegram
            | Self::Slack
            | Self::Mattermost
            | Self::Teams
            | Self::Pushover
            | Self::Push => false,
        }
    }

    /// Whether it belongs to a person, so that no role can be reached by it and nobody else may have it.
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::Handset | Self::Push)
    }

    /// Whether it can wake somebody who sleeps. Who has no such contact is not to be on call alone at night.
    pub const fn can_wake(self) -> bool {
        match self {
            // An emergency message of Pushover and an urgent one of ntfy ring on until they are looked at.
            Self::Handset | Self::Sms | Self::Phone | Self::Ntfy | Self::Pushover => true,
            Self::Webhook
            | Self::Email
            | Self::Telegram
            | Self::Slack
            | Self::Mattermost
            | Self::Teams
            | Self::Push => false,
        }
    }
}

/// One way to reach somebody, checked when it was read. Cheap to copy.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contact {
    kind: Kind,
    text: Arc<str>,
}

/// A text that is no contact, with what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadContact(String);

impl fmt::Display for BadContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadContact {}

impl Contact {
    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What stands after the colon: a handset's name, a URL, an address, a number.
    pub fn address(&self) -> &str {
        &self.text[self.kind.word().len() + 1..]
    }

    /// The provider that carries deliveries to this contact, as a key: deliveries of one provider share
    /// its limits and its trouble, those of another never do. For an address on the web that is its host and
    /// port. Short
    /// messages and calls are shared out among several providers later, by the channel.
    pub fn provider(&self) -> &str {
        match self.kind {
            Kind::Email => "smtp",
            Kind::Handset
            | Kind::Ntfy
            | Kind::Telegram
            | Kind::Slack
            | Kind::Mattermost
            | Kind::Pushover
            | Kind::Push
            | Kind::Sms
            | Kind::Phone => self.kind.word(),
            Kind::Webhook | Kind::Teams => {
                let rest = self.address().split_once("://").map_or("", |(_, rest)| rest);
                rest.split(['/', '?', '#']).next().unwrap_or_default()
            }
        }
    }

    /// The whole contact, as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Contact {
    type Err = BadContact;

    fn from_str(text: &str) -> Result<Self, BadContact> {
        let forms = "\"handset:NAME\", \"webhook:https://…\", \"email:NAME@HOST\", \"sms:+49…\", \"phone:+49…\", \"ntfy:TOPIC\", \
                     \"telegram:CHAT_ID\", \"slack:U…\" or \"slack:C…\", \"mattermost:@NAME\" or \
                     \"mattermost:CHANNEL_ID\", \"teams:https://…\", \"pushover:KEY\" or \"push:NAME\"";
        let Some((word, address)) = text.split_once(':') else {
            return Err(BadContact(format!("a contact has a kind and a colon: write {forms}")));
        };
        let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.word() == word) else {
            return Err(BadContact(format!(
                "there is no kind of contact \"{}\": write {forms}",
                word.chars().take(40).collect::<String>()
            )));
        };
        if text.len() > MAX_LENGTH {
            return Err(BadContact(format!("a contact is at most {MAX_LENGTH} bytes long")));
        }
        if text.chars().any(|letter| letter.is_control() || letter.is_whitespace()) {
            return Err(BadContact("a contact holds no spaces and no control characters".to_owned()));
        }
        match kind {
            Kind::Handset | Kind::Push => check_own(kind, address),
            Kind::Webhook | Kind::Teams => check_web_address(kind, address),
            Kind::Email => check_email(address),
            Kind::Sms | Kind::Phone => check_number(word, address),
            Kind::Ntfy => check_letters(
                address,
                1..=64,
                |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_',
                "an ntfy topic is 1 to 64 letters, digits, - and _: write \"ntfy:TOPIC\"",
            ),
            Kind::Telegram => check_telegram(address),
            Kind::Slack => check_slack(address),
            Kind::Mattermost => check_mattermost(address),
            Kind::Pushover => check_letters(
                address,
                30..=30,
                |byte| byte.is_ascii_alphanumeric(),
                "a user key of Pushover has 30 letters and digits: write \"pushover:KEY\"",
            ),
        }?;
        Ok(Self { kind, text: text.into() })
    }
}

fn check_own(kind: Kind, address: &str) -> Result<(), BadContact> {
    Name::new(address)
        .map(|_| ())
        .map_err(|wrong| BadContact(format!("write \"{}:\" and a name: {wrong}", kind.word())))
}

/// So many plain letters.
fn check_letters(
    address: &str,
    count: std::ops::RangeInclusive<usize>,
    is_one: fn(u8) -> bool,
    wrong: &str,
) -> Result<(), BadContact> {
    let fits = count.contains(&address.len()) && address.bytes().all(is_one);
    if fits { Ok(()) } else { Err(BadContact(wrong.to_owned())) }
}

/// A number: positive for a person, negative for a group or channel.
fn check_telegram(address: &str) -> Result<(), BadContact> {
    let plain = address.strip_prefix('-').unwrap_or(address);
    let fits = plain.bytes().all(|byte| byte.is_ascii_digit())
        && !plain.starts_with('0')
        && address.parse::<i64>().is_ok();
    if fits {
        return Ok(());
    }
    Err(BadContact(
        "a chat of Telegram is a number: send /start to the bot, and it tells you what to write".to_owned(),
    ))
}

fn check_slack(address: &str) -> Result<(), BadContact> {
    check_letters(
        address,
        3..=32,
        |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit(),
        "write \"slack:\" and the member id (U…) or the channel id (C…) that Slack shows under \"Copy\"",
    )?;
    if address.starts_with(['U', 'W', 'C', 'G', 'D']) {
        return Ok(());
    }
    Err(BadContact("a member id of Slack begins with U or W, a channel id with C, G or D".to_owned()))
}

fn check_mattermost(address: &str) -> Result<(), BadContact> {
    match address.strip_prefix('@') {
        Some(name) => check_letters(
            name,
            1..=64,
            |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte),
            "a user name of Mattermost has small letters, digits, . _ and -: write \"mattermost:@NAME\"",
        ),
        None => check_letters(
            address,
            26..=26,
            |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit(),
            "write \"mattermost:@NAME\" for a person, or \"mattermost:\" and the 26 letters of a channel's id",
        ),
    }
}

/// The scheme and that there is a host; the channel's guard reads the rest before it connects.
fn check_web_address(kind: Kind, address: &str) -> Result<(), BadContact> {
    let write = format!("write \"{}:https://HOST/PATH\"", kind.word());
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))
        .ok_or_else(|| BadContact(format!("this takes a full address: {write}")))?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || authority.starts_with(':') {
        return Err(BadContact(format!("the address names no host: {write}")));
    }
    if authority.contains('@') {
        return Err(BadContact(format!("the address holds no user name or password: {write}")));
    }
    Ok(())
}

/// A number as the whole world dials it (E.164): no national form, no spaces, so that one number is one text.
fn check_number(word: &str, address: &str) -> Result<(), BadContact> {
    let digits = address.strip_prefix('+').unwrap_or_default();
    let is_number = (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    if is_number {
        return Ok(());
    }
    Err(BadContact(format!(
        "a number has a plus sign, the country and digits only: write \"{word}:+4930123456\""
    )))
}

/// One `@`, something plain on both sides: what a mail header can carry without quoting.
fn check_email(address: &str) -> Result<(), BadContact> {
    let wrong = || BadContact("a mail address is NAME@HOST: write \"email:john@example.org\"".to_owned());
    let (local, host) = address.split_once('@').ok_or_else(wrong)?;
    let plain_local = (1..=64).contains(&local.len())
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte))
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..");
    let plain_host = (1..=255).contains(&host.len())
        && host.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        });
    if plain_local && plain_host { Ok(()) } else { Err(wrong()) }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_contacts_are_read() {
        for (text, kind, address) in [
            ("handset:john", Kind::Handset, "john"),
            ("email:john+pager@example.org", Kind::Email, "john+pager@example.org"),
            ("sms:+4915112345678", Kind::Sms, "+4915112345678"),
            ("phone:+18005551212", Kind::Phone, "+18005551212"),
            ("webhook:http://[::1]:80/x?y=1", Kind::Webhook, "http://[::1]:80/x?y=1"),
            ("ntfy:ops_night-4711", Kind::Ntfy, "ops_night-4711"),
            ("telegram:123456789", Kind::Telegram, "123456789"),
            ("telegram:-1001234567890", Kind::Telegram, "-1001234567890"),
            ("slack:U02ABCDEF", Kind::Slack, "U02ABCDEF"),
            ("slack:C02ABCDEF", Kind::Slack, "C02ABCDEF"),
            ("mattermost:@john.smith", Kind::Mattermost, "@john.smith"),
            ("mattermost:4xp9fdt77pncbef59f4k1qe83o", Kind::Mattermost, "4xp9fdt77pncbef59f4k1qe83o"),
            (
                "teams:https://example.org/workflows/1?sig=2",
                Kind::Teams,
                "https://example.org/workflows/1?sig=2",
            ),
            ("pushover:uQiRzpo4DXghDmr9QzzfQu27cmVRsG", Kind::Pushover, "uQiRzpo4DXghDmr9QzzfQu27cmVRsG"),
            ("push:john", Kind::Push, "john"),
        ] {
            let contact: Contact = text.parse().unwrap();
            assert_eq!((contact.kind(), contact.address(), contact.as_str()), (kind, address, text));
        }
    }

    /// Chicken Little took any scheme when a plan was written and found out at 04:00.
    #[test]
    fn a_contact_that_could_never_be_reached_is_refused_when_written() {
        for text in [
            "",
            "john",
            "mailto:john@example.org",
            "carrierpigeon:7",
            "email:",
            "email:nouser",
            "email:@host",
            "email:a@",
            "email:a@b@c",
            "email:a@b\r\nBcc: x@y",
            "email:a b@c",
            "email:.a@b",
            "webhook:example.org",
            "webhook:ftp://example.org",
            "webhook:https://",
            "webhook:https:///path",
            "webhook:https://user:pass@example.org/",
            "handset:",
            "handset:John Smith",
            "sms:",
            "sms:015112345678",
            "sms:+015112345678",
            "sms:4915112345678",
            "sms:+49 151 1234567",
            "sms:+49151-1234567",
            "phone:+123456",
            "phone:+1234567890123456",
            "phone:+49151\u{661}\u{662}\u{663}4567",
            "ntfy:",
            "ntfy:a/b",
            "ntfy:?",
            "telegram:",
            "telegram:-",
            "telegram:@channel",
            "telegram:007",
            "telegram:99999999999999999999",
            "slack:#general",
            "slack:u02abcdef",
            "slack:B02ABCDEF",
            "mattermost:john",
            "mattermost:@John",
            "mattermost:@",
            "teams:example.org",
            "pushover:short",
            "pushover:uQiRzpo4DXghDmr9QzzfQu27cmVRs/",
            "push:",
        ] {
            assert!(text.parse::<Contact>().is_err(), "{text}");
        }
        let wrong = "fax:555".parse::<Contact>().unwrap_err().to_string();
        assert!(wrong.contains("\"fax\"") && wrong.contains("handset:NAME"), "{wrong}");
        let wrong = "sms:0151555".parse::<Contact>().unwrap_err().to_string();
        assert!(wrong.contains("sms:+4930123456"), "{wrong}");
    }
}
