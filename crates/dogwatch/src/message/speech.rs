//! The words of a call: short sentences, severity and team first, in the language of who is called.
//!
//! English and German; who speaks another language hears English. How it is spoken is known to the channel.

use escalation::alert::Audience;
use escalation::delivery::Purpose;
use escalation::event::Severity;

use super::Message;

/// The most characters of what came from outside that are read aloud.
const MOST_READ: usize = 400;

/// What is said at some point of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Speech {
    /// What it is about.
    pub news: String,
    /// Which keys there are; empty where nothing is asked.
    pub keys: String,
    /// When nothing more is to come.
    pub goodbye: String,
}

/// A language that calls are made in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
}

impl Language {
    /// The one that fits a BCP 47 tag best.
    pub fn of(tag: &str) -> Self {
        if tag.to_ascii_lowercase().split('-').next() == Some("de") { Self::German } else { Self::English }
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

fn severity(severity: Severity, language: Language) -> &'static str {
    match (language, severity) {
        (Language::English, severity) => severity.word(),
        (Language::German, Severity::Critical) => "kritisch",
        (Language::German, Severity::Error) => "Fehler",
        (Language::German, Severity::Warning) => "Warnung",
        (Language::German, Severity::Info) => "Hinweis",
    }
}

/// What is said of a message.
pub fn speech(message: &Message) -> Speech {
    let language = Language::of(&message.language);
    let news = match &message.subject {
        Some(alert) if message.purpose == Purpose::Page => {
            let audience = match (&alert.audience, language) {
                (Audience::Team(team), Language::English) => format!("team {team}"),
                (Audience::Team(team), Language::German) => format!("Team {team}"),
                (Audience::Person(_), Language::English) => "for you".to_owned(),
                (Audience::Person(_), Language::German) => "für Sie".to_owned(),
            };
            let more = match (message.others.len(), language) {
                (0, _) => String::new(),
                (more, Language::English) => format!(" And {more} more alerts."),
                (more, Language::German) => format!(" Und {more} weitere Meldungen."),
            };
            format!("{}, {audience}: {}.{more}", severity(alert.severity, language), read(&alert.summary))
        }
        _ => format!("{}.", read(&message.headline)),
    };
    let asks = message.purpose == Purpose::Page && message.answer_url.is_some();
    let keys = match language {
        _ if !asks => "",
        Language::English => {
            "Press 4 if you have it, 6 twice if it is over, 8 if you can't take it, 1 to hear it again."
        }
        Language::German => {
            "Drücken Sie 4, wenn Sie es übernehmen, zweimal 6, wenn es erledigt ist, 8, wenn Sie nicht können, 1 zum Wiederholen."
        }
    };
    Speech { news, keys: keys.to_owned(), goodbye: goodbye(language).to_owned() }
}

/// The end of a call in which nothing was answered.
pub fn goodbye(language: Language) -> &'static str {
    match language {
        Language::English => "Nobody has answered. Goodbye.",
        Language::German => "Es kam keine Antwort. Auf Wiederhören.",
    }
}

/// After the first 6.
pub fn once_more(language: Language) -> &'static str {
    match language {
        Language::English => "Press 6 again if it is over.",
        Language::German => "Drücken Sie noch einmal 6, wenn es erledigt ist.",
    }
}

/// After something that could not be stored.
pub fn failed(language: Language) -> &'static str {
    match language {
        Language::English => "This could not be stored. Nothing was done. Please press the key again.",
        Language::German => {
            "Das konnte nicht gespeichert werden. Es ist nichts geschehen. Bitte noch einmal drücken."
        }
    }
}

/// After a key that has no meaning.
pub fn no_such_key(language: Language) -> &'static str {
    match language {
        Language::English => "This key means nothing.",
        Language::German => "Diese Taste hat keine Bedeutung.",
    }
}

/// What was done, in the language of who is called; with a tag where it is in another one.
pub fn confirmed(text: &str, language: Language) -> (String, Option<&'static str>) {
    let spoken = text.replace('#', "number ");
    match (language, text) {
        (Language::English, _) => (spoken, None),
        (Language::German, "You have it. Nobody else is paged any more.") => {
            ("Sie haben es. Niemand sonst wird mehr gerufen.".to_owned(), None)
        }
        (Language::German, "You have all of them. Nobody else is paged any more.") => {
            ("Sie haben alle. Niemand sonst wird mehr gerufen.".to_owned(), None)
        }
        (Language::German, _) => (spoken, Some("en-US")),
    }
}

/// One line without what can't be spoken.
fn read(text: &str) -> String {
    let plain: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MOST_READ).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
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
