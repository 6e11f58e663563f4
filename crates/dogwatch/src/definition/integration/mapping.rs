//! A mapping: how the JSON of a sender that nobody has heard of becomes problems.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::template::{Place, Template};
use crate::definition::Problems;

/// The most words of a list.
const MAX_WORDS: usize = 50;
/// The longest word, in characters.
const MAX_WORD: usize = 100;

/// How the JSON that a sender posts becomes problems. Texts are templates: `{/host/name}` stands for what is at that
/// JSON pointer.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingSpec {
    /// Where the list of problems is, as a JSON pointer. Every other place then begins at one of its entries.
    /// Without it the document is one problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "/checks")]
    pub each: Option<String>,
    /// What is wrong, in one line.
    #[schema(max_length = 2000, example = "{/host} {/check}: {/message}")]
    pub summary: String,
    /// Anything more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub details: Option<String>,
    /// What makes it the same problem when it is sent again. Without it every request is a problem of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, example = "{/host}/{/check}")]
    pub key: Option<String>,
    /// How grave it is, in the sender's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, example = "{/level}")]
    pub severity: Option<String>,
    /// A web address where to look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub link: Option<String>,
    /// Who did it, for an acknowledgement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    pub by: Option<String>,
    /// How it stands, in the sender's words. Without it everything that is sent is a problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, example = "{/status}")]
    pub state: Option<String>,
    /// States that say that the problem is gone. Default: `ok`, `resolved`, `up`, `recovery`, `closed`, `0`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub resolved: Vec<String>,
    /// States that say that somebody has it. Default: `acknowledged`, `ack`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub acknowledged: Vec<String>,
    /// States that are of no concern.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub ignored: Vec<String>,
}

/// A mapping, resolved. Words are in small letters.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Where the list of problems is; none: the document is one.
    pub each: Option<Place>,
    /// What is wrong.
    pub summary: Template,
    /// Anything more.
    pub details: Option<Template>,
    /// What makes it the same problem.
    pub key: Option<Template>,
    /// How grave it is, in the sender's words.
    pub severity: Option<Template>,
    /// Where to look.
    pub link: Option<Template>,
    /// Who did it.
    pub by: Option<Template>,
    /// How it stands, in the sender's words.
    pub state: Option<Template>,
    /// It is gone.
    pub resolved: Vec<String>,
    /// Somebody has it.
    pub acknowledged: Vec<String>,
    /// Of no concern.
    pub ignored: Vec<String>,
}

fn words(field: &str, words: &[String], default: &[&str], problems: &mut Problems) -> Vec<String> {
    if words.len() > MAX_WORDS {
        problems.add(field, format_args!("has {} entries; at most {MAX_WORDS} are allowed", words.len()));
    }
    for (index, word) in words.iter().enumerate() {
        if !(1..=MAX_WORD).contains(&word.chars().count()) {
            problems.add(format!("{field}[{index}]"), format_args!("is 1 to {MAX_WORD} characters long"));
        }
    }
    if words.is_empty() {
        return default.iter().map(|&word| word.to_owned()).collect();
    }
    words.iter().map(|word| word.to_lowercase()).collect()
}

impl MappingSpec {
    /// What it means; none where something is wrong. Every problem is noted with its field.
    pub fn shape(&self, problems: &mut Problems) -> Option<Mapping> {
        let mut template = |field: &str, text: &Option<String>| {
            let text = text.as_ref()?;
            problems.take(format!("mapping.{field}"), Template::new(text))
        };
        let summary = template("summary", &Some(self.summary.clone()));
        let details = template("details", &self.details);
        let key = template("key", &self.key);
        let severity = template("severity", &self.severity);
        let link = template("link", &self.link);
        let by = template("by", &self.by);
        let state = template("state", &self.state);
        if self.summary.is_empty() {
            problems.add("mapping.summary", "must not be empty: it is what people read at night");
        }
        if self.state.is_none() {
            for (field, words) in [
                ("resolved", &self.resolved),
                ("acknowledged", &self.acknowledged),
                ("ignored", &self.ignored),
            ] {
                if !words.is_empty() {
                    problems.add(
                        format!("mapping.{field}"),
                        "lists states; write where the state is, as \"state\"",
                    );
                }
            }
        }
        if self.state.is_some() && self.key.is_none() {
            problems.add(
                "mapping.key",
                "is missing: with a state, Dogwatch has to know which problem is gone; write what makes it the same",
            );
        }
        let each = self.each.as_ref().and_then(|place| problems.take("mapping.each", Place::new(place)));
        Some(Mapping {
            each,
            summary: summary?,
            details,
            key,
            severity,
            link,
            by,
            state,
            resolved: words(
                "mapping.resolved",
                &self.resolved,
                &["ok", "resolved", "up", "recovery", "closed", "0"],
                problems,
            ),
            acknowledged: words(
                "mapping.acknowledged",
                &self.acknowledged,
                &["acknowledged", "ack"],
                problems,
            ),
            ignored: words("mapping.ignored", &self.ignored, &[], problems),
        })
    }
}
