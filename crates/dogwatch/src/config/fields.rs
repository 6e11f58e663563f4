//! A table of the configuration, read key by key; every problem with the key that has it.

use toml::{Table, Value};

use super::read_secret;
use crate::definition::nearest;
use crate::secret::Secret;

/// One table, from which each key is taken once; what is left at the end is not known.
pub(super) struct Fields {
    place: String,
    /// What `kind` says; empty, if nothing.
    pub(super) kind: String,
    /// What `name` says, if anything.
    pub(super) name: Option<String>,
    table: Table,
    asked: Vec<&'static str>,
    problems: Vec<String>,
}

impl Fields {
    pub(super) fn new(index: usize, table: Table) -> Self {
        let mut fields = Self {
            place: format!("provider {}", index + 1),
            kind: String::new(),
            name: None,
            table,
            asked: Vec::new(),
            problems: Vec::new(),
        };
        let name = fields.text("name");
        if let Some(kind) = fields.text("kind") {
            fields.place = format!("provider {} ({kind})", index + 1);
            fields.kind = kind;
        }
        if let Some(name) = &name {
            fields.place = format!("provider \"{name}\"");
        }
        fields.name = name.map(|name| name.replace(char::is_whitespace, "-"));
        fields
    }

    pub(super) fn wrong(&mut self, key: &str, what: std::fmt::Arguments<'_>) {
        self.problems.push(format!("{}: {key} {what}", self.place));
    }

    /// A text that may be left out.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.asked.push(key);
        match self.table.remove(key)? {
            Value::String(text) if !text.is_empty() => Some(text),
            _ => {
                self.wrong(key, format_args!("takes a text in quotes"));
                None
            }
        }
    }

    /// A number from 1 on that may be left out.
    pub(super) fn count(&mut self, key: &'static str, most: u32) -> Option<u32> {
        self.asked.push(key);
        let value = self.table.remove(key)?;
        let count = value.as_integer().and_then(|count| u32::try_from(count).ok());
        let count = count.filter(|count| (1..=most).contains(count));
        if count.is_none() {
            self.wrong(key, format_args!("takes a number from 1 to {most}"));
        }
        count
    }

    /// Something that is so or not; not, if nothing is said.
    pub(super) fn flag(&mut self, key: &'static str) -> bool {
        self.asked.push(key);
        match self.table.remove(key) {
            None => false,
            Some(Value::Boolean(flag)) => flag,
            Some(_) => {
                self.wrong(key, format_args!("takes true or false"));
                false
            }
        }
    }

    /// A text that has to be there.
    pub(super) fn needed(&mut self, key: &'static str, write: &str) -> String {
        let is_there = self.table.contains_key(key);
        let text = self.text(key);
        if text.is_none() && !is_there {
            self.wrong(key, format_args!("is missing: write {write}"));
        }
        text.unwrap_or_default()
    }

    /// A secret under `key`, or in the file that `key` and `_file` names.
    pub(super) fn optional_secret(&mut self, key: &'static str) -> Option<Secret> {
        let in_file = file_key(key);
        let here = self.text(key);
        let there = self.text(in_file);
        match (here, there) {
            (Some(_), Some(_)) => {
                self.wrong(key, format_args!("and {in_file} are both there; write one of them"));
                None
            }
            (Some(text), None) => Some(Secret::given(text)),
            (None, Some(path)) => match read_secret(&path) {
                Ok(text) => Some(Secret::given(text)),
                Err(error) => {
                    self.wrong(in_file, format_args!("can't be used: {error:#}"));
                    None
                }
            },
            (None, None) => None,
        }
    }

    /// A secret that has to be there.
    pub(super) fn secret(&mut self, key: &'static str, write: &str) -> Secret {
        let is_there = self.table.contains_key(key) || self.table.contains_key(file_key(key));
        let secret = self.optional_secret(key);
        if secret.is_none() && !is_there {
            self.wrong(key, format_args!("(or {}) is missing: write {write}", file_key(key)));
        }
        secret.unwrap_or_else(|| Secret::given(String::new()))
    }

    /// The address of a server, without a slash at its end.
    pub(super) fn address(&mut self, key: &'static str, default: Option<&str>) -> String {
        let is_there = self.table.contains_key(key);
        let Some(text) = self.text(key).or_else(|| default.map(str::to_owned)) else {
            if !is_there {
                self.wrong(key, format_args!("is missing: write \"https://HOST\""));
            }
            return String::new();
        };
        let is_address = url::Url::parse(&text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host().is_some()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
                && url.fragment().is_none()
        });
        if !is_address {
            self.wrong(key, format_args!("\"{text}\" is no address: write \"https://HOST\""));
        }
        text.trim_end_matches('/').to_owned()
    }

    /// The other keys are not looked at: what they mean is not known.
    pub(super) fn ignore(&mut self) {
        self.table.clear();
    }

    /// Every problem of the table.
    pub(super) fn finish(mut self) -> Vec<String> {
        let unknown: Vec<String> = self.table.keys().cloned().collect();
        for key in unknown {
            let near = nearest(&key, self.asked.iter().copied());
            let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
            self.wrong(&key, format_args!("is not known{hint}"));
        }
        self.problems
    }
}

/// The key that names the file of a secret.
fn file_key(key: &'static str) -> &'static str {
    match key {
        "token" => "token_file",
        "signing_secret" => "signing_secret_file",
        "signing_key" => "signing_key_file",
        _ => "key_file",
    }
}
