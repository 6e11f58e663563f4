//! What every format comes to: events, in one shape, with texts that are fit to be stored and shown.

use escalation::event::{Link, Severity};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::definition::integration::template::text_of;

/// The longest summary, in characters.
pub const MAX_SUMMARY: usize = 1024;
/// The longest details, in characters.
pub const MAX_DETAILS: usize = 15_000;
/// The longest key, in bytes. A longer one is stored as its SHA-256.
pub const MAX_KEY: usize = 512;
/// The most links of an event.
pub const MAX_LINKS: usize = 20;
/// The longest address of a link, in bytes.
const MAX_HREF: usize = 2048;
/// The longest name of whoever did something, in characters.
const MAX_BY: usize = 100;

/// What a sender says of one problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What happened.
    pub act: Act,
    /// What makes it the same problem, in the sender's words; none: it is a problem of its own.
    pub key: Option<String>,
    /// What is wrong, in one line.
    pub summary: String,
    /// Anything more.
    pub details: String,
    /// How grave it is, in the sender's words.
    pub severity: Option<String>,
    /// How grave it is if the sender does not say.
    pub otherwise: Severity,
    /// Where to look.
    pub links: Vec<Link>,
    /// Who did it, in the sender's words.
    pub by: Option<String>,
    /// What whoever did it wrote along.
    pub note: Option<String>,
    /// Everything that was sent for this problem: what rules ask.
    pub fields: Value,
}

/// What happened to a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is there.
    Trigger,
    /// Somebody has it.
    Acknowledge,
    /// Nobody has it any more.
    Unacknowledge,
    /// It is gone.
    Resolve,
    /// It is put aside until then.
    Snooze(Timestamp),
    /// Somebody wrote this.
    Note(String),
    /// It is said in other words: what is none stays.
    Amend {
        /// What is wrong.
        summary: Option<String>,
        /// Anything more.
        details: Option<String>,
        /// How grave it is, in the sender's words.
        severity: Option<String>,
    },
    /// Something that pages nobody: a change, or a state of no concern. Why.
    Nothing(&'static str),
}

impl Event {
    /// An event about a problem with nothing more said.
    pub fn new(act: Act, key: Option<String>, fields: Value) -> Self {
        Self {
            act,
            key,
            summary: String::new(),
            details: String::new(),
            severity: None,
            otherwise: Severity::default(),
            links: Vec::new(),
            by: None,
            note: None,
            fields,
        }
    }

    /// Adds a place to look at, if it is a web address.
    pub fn link(&mut self, href: &str, text: &str) {
        let href = href.trim();
        let is_web = href.len() <= MAX_HREF
            && url::Url::parse(href)
                .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let is_new = self.links.iter().all(|known| known.href != href);
        if is_web && is_new && self.links.len() < MAX_LINKS {
            self.links.push(Link { href: href.to_owned(), text: line(text, 200) });
        }
    }

    /// Makes its texts fit to be stored and shown.
    pub fn tidy(mut self) -> Self {
        self.summary = line(&self.summary, MAX_SUMMARY);
        self.details = lines(&self.details, MAX_DETAILS);
        self.key = self.key.map(key);
        self.by = self.by.map(|by| line(&by, MAX_BY)).filter(|by| !by.is_empty());
        self.note = self.note.map(|note| lines(&note, MAX_DETAILS)).filter(|note| !note.is_empty());
        self.act = match self.act {
            Act::Note(text) => Act::Note(lines(&text, MAX_DETAILS)),
            Act::Amend { summary, details, severity } => Act::Amend {
                summary: summary.map(|text| line(&text, MAX_SUMMARY)).filter(|text| !text.is_empty()),
                details: details.map(|text| lines(&text, MAX_DETAILS)),
                severity,
            },
            other => other,
        };
        self
    }
}

/// A text in one line of at most `most` characters: control characters and line breaks become spaces, and what is
/// too long ends in "…".
pub fn line(text: &str, most: usize) -> String {
    let mut made = String::with_capacity(text.len().min(most * 4));
    let mut count = 0;
    for letter in text.trim().chars() {
        let letter = if letter.is_control() { ' ' } else { letter };
        if letter == ' ' && made.ends_with(' ') {
            continue;
        }
        if count == most {
            made.pop();
            made.push('…');
            return made;
        }
        made.push(letter);
        count += 1;
    }
    made
}

/// A text of at most `most` characters with one kind of line break and no other control characters.
pub fn lines(text: &str, most: usize) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut made = String::with_capacity(text.len().min(most * 4));
    for (count, letter) in text.trim().chars().enumerate() {
        if count == most {
            made.pop();
            made.push('…');
            return made;
        }
        made.push(if letter.is_control() && !matches!(letter, '\n' | '\t') { ' ' } else { letter });
    }
    made
}

/// A key that can be stored: control characters become spaces; one that is too long becomes its SHA-256, because
/// cutting it would make two problems one.
pub fn key(text: String) -> String {
    if text.len() > MAX_KEY {
        let hash = Sha256::digest(text.as_bytes());
        return hash.iter().fold("sha256:".to_owned(), |made, byte| format!("{made}{byte:02x}"));
    }
    if text.chars().any(char::is_control) { text.replace(char::is_control, " ") } else { text }
}

/// A line for each field that says something, as `name: value`.
pub fn listed<'a>(fields: impl IntoIterator<Item = (&'a str, &'a Value)>) -> String {
    let mut made = String::new();
    for (name, value) in fields {
        let text = text_of(value);
        if !text.is_empty() {
            if !made.is_empty() {
                made.push('\n');
            }
            made.push_str(name);
            made.push_str(": ");
            made.push_str(&text);
        }
        if made.len() > MAX_DETAILS * 4 {
            break;
        }
    }
    made
}

/// The fields of an object in order of their names; nothing of anything else.
pub fn fields_of(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

/// The first of these fields that is there and not empty, as text.
pub fn first(object: &Value, names: &[&str]) -> Option<String> {
    names.iter().map(|name| text_of(&object[*name])).find(|text| !text.trim().is_empty())
}

/// Paragraphs that say something, with an empty line between them.
pub fn paragraphs(texts: &[&str]) -> String {
    texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_fit_to_be_shown() {
        assert_eq!(line(" a\r\nb\u{7}\tc ", 10), "a b c");
        assert_eq!(line("äöüß", 3), "äö…");
        assert_eq!(line("äöü", 3), "äöü");
        assert_eq!(lines("a\r\nb\rc\0d", 100), "a\nb\nc d");
        assert_eq!(key("a\nb".to_owned()), "a b");
        let (one, other) = (key("x".repeat(600)), key("x".repeat(601)));
        assert!(one != other && one.starts_with("sha256:") && one.len() == 71, "{one}");
    }

    #[test]
    fn only_web_addresses_are_links_and_each_once() {
        let mut event = Event::new(Act::Trigger, None, Value::Null);
        for href in ["https://a.example/x", "https://a.example/x", "javascript:alert(1)", "", "http://", "/x"]
        {
            event.link(href, "look");
        }
        assert_eq!(event.links.len(), 1);
    }
}
