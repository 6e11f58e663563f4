//! Places in a JSON document, and texts made from what stands there.
//!
//! A place is a JSON pointer (RFC 6901), such as `/labels/cluster`. A template is a text with places in braces:
//! `{/host} is {/state}`. `{/title|/name}` takes the first that is there and not empty; `{{` and `}}` are braces.
//! There is nothing else to it: no loops, no conditions, so that what it costs is bounded by what it says.

use serde_json::Value;

/// The longest template, in characters.
pub const MAX_TEMPLATE: usize = 2_000;
/// The longest text that a template makes, in bytes.
const MAX_TEXT: usize = 64 * 1024;
/// The longest place, in characters.
const MAX_PLACE: usize = 500;

/// Where to look in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// Reads a JSON pointer; the empty one is the whole document.
    ///
    /// # Errors
    ///
    /// What to write instead.
    pub fn new(text: &str) -> Result<Self, String> {
        let shown: String = text.chars().take(64).collect();
        if text.chars().count() > MAX_PLACE {
            return Err(format!("\"{shown}…\" is too long for a place: at most {MAX_PLACE} characters"));
        }
        if !text.is_empty() && !text.starts_with('/') {
            return Err(format!(
                "\"{shown}\" is no place: write a JSON pointer, such as \"/labels/cluster\""
            ));
        }
        let after_tilde = text.split('~').skip(1);
        if after_tilde.into_iter().any(|rest| !rest.starts_with(['0', '1'])) {
            return Err(format!("\"{shown}\" is no place: write ~0 for \"~\" and ~1 for \"/\""));
        }
        Ok(Self(text.to_owned()))
    }

    /// What stands there.
    pub fn find<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.pointer(&self.0)
    }

    /// The text of what stands there; empty if there is nothing.
    pub fn text(&self, document: &Value) -> String {
        self.find(document).map(text_of).unwrap_or_default()
    }
}

/// A value as people read it: texts and numbers as they are, lists with commas, objects as JSON.
pub fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(entries) if entries.iter().all(|entry| !entry.is_array() && !entry.is_object()) => {
            entries.iter().map(text_of).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// The first of these that is there and not empty.
    Places(Vec<Place>),
}

/// A text with places in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// What is wrong, and what to write instead.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.chars().count() > MAX_TEMPLATE {
            return Err(format!("is longer than {MAX_TEMPLATE} characters"));
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '{' | '}' if letters.peek() == Some(&letter) => {
                    letters.next();
                    plain.push(letter);
                }
                '}' => {
                    return Err("has a \"}\" without \"{\"; write \"}}\" for the character itself".to_owned());
                }
                '{' => {
                    let mut inside = String::new();
                    loop {
                        match letters.next() {
                            Some('}') => break,
                            Some(letter) => inside.push(letter),
                            None => {
                                return Err(
                                    "has a \"{\" without \"}\"; write \"{{\" for the character itself"
                                        .to_owned(),
                                );
                            }
                        }
                    }
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    let places = inside.split('|').map(|place| Place::new(place.trim()));
                    parts.push(Part::Places(places.collect::<Result<_, _>>()?));
                }
                other => plain.push(other),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }

    /// The text that it makes of a document; its end is cut off where it would be longer than 64 KiB.
    pub fn render(&self, document: &Value) -> String {
        let mut made = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => made.push_str(text),
                Part::Places(places) => {
                    let mut texts = places.iter().map(|place| place.text(document));
                    made.push_str(&texts.find(|text| !text.is_empty()).unwrap_or_default());
                }
            }
            if made.len() > MAX_TEXT {
                made.truncate(made.floor_char_boundary(MAX_TEXT));
                break;
            }
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_are_put_into_texts() {
        let document = json!({ "host": "db1", "n": 3, "tags": ["a", "b"], "a/b": "slash", "empty": "", "o": { "x": [1] } });
        for (template, text) in [
            ("{/host} is down", "db1 is down"),
            ("{/missing}", ""),
            ("{/empty|/missing|/host}!", "db1!"),
            ("{/n} {/tags} {/a~1b} {/o}", "3 a, b slash {\"x\":[1]}"),
            ("{{x}} {/o/x/0}", "{x} 1"),
            ("", ""),
        ] {
            assert_eq!(Template::new(template).unwrap().render(&document), text, "{template}");
        }
    }

    #[test]
    fn what_is_no_template_is_refused_with_a_hint() {
        for (template, words) in
            [("{/a", "\"{{\""), ("a}", "\"}}\""), ("{host}", "JSON pointer"), ("{/a~2}", "~0")]
        {
            let wrong = Template::new(template).unwrap_err();
            assert!(wrong.contains(words), "{template}: {wrong}");
        }
        assert!(Template::new(&"x".repeat(MAX_TEMPLATE + 1)).is_err());
    }

    #[test]
    fn however_often_a_large_value_is_named_the_text_is_bounded() {
        let document = json!({ "a": "ä".repeat(60_000) });
        let template = Template::new(&"{/a}".repeat(400)).unwrap();
        assert!(template.render(&document).len() <= MAX_TEXT);
    }
}
