//! Text with places in it, such as `{to}`, and how what is put there is written.
//!
//! What a place holds can change neither the shape of the request nor that of its body: each form has its escape.
//! A `{` that begins no known place stands for itself, so that JSON can be written as it is.

use serde_json::Value;

use crate::channel::xml;

/// What can be put into a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The number, with its plus sign.
    To,
    /// The number, digits only.
    ToDigits,
    /// What the message says.
    Text,
    /// The sender, as configured.
    From,
    /// The secret, as configured.
    Token,
    /// Our name for this attempt: the same attempt never has another, another attempt never the same.
    Id,
    /// The language of who reads it, as BCP 47 tag.
    Language,
    /// Where the gateway may say what became of the message.
    ReceiptUrl,
}

impl Place {
    /// Every place, with the word between its braces.
    pub const ALL: [(&'static str, Self); 8] = [
        ("to", Self::To),
        ("to_digits", Self::ToDigits),
        ("text", Self::Text),
        ("from", Self::From),
        ("token", Self::Token),
        ("id", Self::Id),
        ("language", Self::Language),
        ("receipt_url", Self::ReceiptUrl),
    ];
}

/// How what is put into a place is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As part of an address, or of a form: letters and digits as they are, everything else by its bytes.
    Address,
    /// Inside a string of JSON.
    Json,
    /// As text of an element of XML, or within quotes.
    Xml,
    /// As a line: without what would begin another.
    Line,
    /// As it is.
    Plain,
}

/// Text with places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<(String, Option<Place>)>,
    form: Form,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    ///
    /// A word between braces that is almost a place: which, and which there are.
    pub fn read(text: &str, form: Form) -> Result<Self, String> {
        let (mut parts, mut literal, mut rest) = (Vec::new(), String::new(), text);
        while let Some(start) = rest.find('{') {
            let (before, after) = rest.split_at(start);
            literal.push_str(before);
            let word = after[1..].split('}').next().unwrap_or_default();
            let is_word = !word.is_empty()
                && after[1..].len() > word.len()
                && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            if !is_word {
                literal.push('{');
                rest = &after[1..];
                continue;
            }
            let Some((_, place)) = Place::ALL.into_iter().find(|(known, _)| *known == word) else {
                let known: Vec<_> = Place::ALL.iter().map(|(word, _)| format!("{{{word}}}")).collect();
                return Err(format!("there is no {{{word}}}; write one of {}", known.join(", ")));
            };
            parts.push((std::mem::take(&mut literal), Some(place)));
            rest = &after[word.len() + 2..];
        }
        literal.push_str(rest);
        parts.push((literal, None));
        Ok(Self { parts, form })
    }

    /// The text with every place filled.
    pub fn fill(&self, value: &dyn Fn(Place) -> String) -> String {
        let mut filled = String::new();
        for (literal, place) in &self.parts {
            filled.push_str(literal);
            if let Some(place) = place {
                filled.push_str(&self.form.write(&value(*place)));
            }
        }
        filled
    }

    /// Whether it has this place.
    pub fn has(&self, place: Place) -> bool {
        self.parts.iter().any(|(_, there)| *there == Some(place))
    }
}

impl Form {
    fn write(self, text: &str) -> String {
        match self {
            Self::Address => {
                url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
            }
            Self::Json => {
                let quoted = Value::String(text.to_owned()).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Xml => xml::escape(text),
            Self::Line => text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect(),
            Self::Plain => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_stays_in_its_place() {
        let nasty = "a\"b\\c\n{to}&x=1#?+ü";
        for (text, form, filled) in [
            ("/send?t={text}&x=2", Form::Address, "/send?t=a%22b%5Cc%0A%7Bto%7D%26x%3D1%23%3F%2B%C3%BC&x=2"),
            (r#"{"t": "{text}", "n": {}}"#, Form::Json, r#"{"t": "a\"b\\c\n{to}&x=1#?+ü", "n": {}}"#),
            (
                "<t to='{text}'>{text}</t>",
                Form::Xml,
                "<t to='a&quot;b\\c\n{to}&amp;x=1#?+ü'>a&quot;b\\c\n{to}&amp;x=1#?+ü</t>",
            ),
            ("Bearer {text}", Form::Line, "Bearer a\"b\\c {to}&x=1#?+ü"),
        ] {
            assert_eq!(Template::read(text, form).unwrap().fill(&|_| nasty.to_owned()), filled);
        }
        let wrong = Template::read("{txt}", Form::Plain).unwrap_err();
        assert!(wrong.contains("{txt}") && wrong.contains("{text}"), "{wrong}");
    }
}
