//! The languages that people are spoken to in.
//!
//! Whoever has another one gets English.

/// A language that there are words in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
}

impl Language {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// The one that fits a BCP 47 tag best.
    pub fn of(tag: &str) -> Self {
        if tag.to_ascii_lowercase().split('-').next() == Some("de") { Self::German } else { Self::English }
    }

    /// Its own tag, without a country.
    pub const fn word(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// The tag with a country, as voices are named: the reader's own if it is of this language.
    pub fn tag(self, wanted: &str) -> String {
        let (language, country) = wanted.split_once('-').unwrap_or((wanted, ""));
        let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic());
        match self {
            Self::German if is_country => format!("de-{}", country.to_ascii_uppercase()),
            Self::German => "de-DE".to_owned(),
            Self::English if is_country && language.eq_ignore_ascii_case("en") => {
                format!("en-{}", country.to_ascii_uppercase())
            }
            Self::English => "en-US".to_owned(),
        }
    }
}

/// The voice for a BCP 47 tag among those that a provider has beside `en-US` and `de-DE`: one that it has not makes its
/// calls fail.
pub fn voice(wanted: &str, voices: &[&str]) -> String {
    let language = Language::of(wanted);
    let tag = language.tag(wanted);
    if voices.contains(&tag.as_str()) { tag } else { language.tag("") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_tag_of_a_language_gets_a_voice_that_there_is() {
        for (tag, spoken) in [
            ("de", "de-DE"),
            ("de-at", "de-AT"),
            ("en", "en-US"),
            ("en-GB", "en-GB"),
            ("fr-FR", "en-US"),
            ("", "en-US"),
            ("de-Latn-DE", "de-DE"),
        ] {
            assert_eq!(Language::of(tag).tag(tag), spoken, "{tag}");
        }
    }
}
