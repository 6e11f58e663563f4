//! The words of a call: short sentences, severity and team first, in the language of who is called.
//!
//! English and German; who speaks another language hears English. How it is spoken is known to the channel.

use escalation::alert::Audience;
use escalation::delivery::Purpose;

use super::{Language, Message, asked, say};

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

/// What is said of a message.
pub fn speech(message: &Message) -> Speech {
    let language = message.language();
    let news = match &message.subject {
        Some(alert) if message.purpose == Purpose::Page && !message.is_reworded => {
            let audience = match &alert.audience {
                Audience::Team(team) => format!("team {team}"),
                Audience::Person(_) => "for you".to_owned(),
            };
            let more = match message.others.len() {
                0 => String::new(),
                more => message.say(&format!(" And {more} more alerts.")),
            };
            let asked = message.say(asked(message.asks));
            let severity = message.say(alert.severity.word());
            format!("{asked}{severity}, {}: {}.{more}", message.say(&audience), read(&alert.summary))
        }
        _ => format!("{}.", read(&message.headline)),
    };
    let asks = message.purpose == Purpose::Page && message.answer_url.is_some();
    let keys = match message.others.len() {
        0 => "Press 4 if you have it, 6 twice if it is over, 8 if you can't take it, 1 to hear it again.",
        // 6 and 8 are about one: which, nobody could tell by ear.
        _ => "Press 4 if you have all of them, 1 to hear it again.",
    };
    let keys = if asks { message.say(keys) } else { String::new() };
    Speech { news, keys, goodbye: goodbye(language) }
}

/// The end of a call in which nothing was answered.
pub fn goodbye(language: Language) -> String {
    say("Nobody has answered. Goodbye.", language)
}

/// After the first 6.
pub fn once_more(language: Language) -> String {
    say("Press 6 again if it is over.", language)
}

/// After something that could not be stored.
pub fn failed(language: Language) -> String {
    say("This could not be stored. Nothing was done. Please press the key again.", language)
}

/// After a key that has no meaning.
pub fn no_such_key(language: Language) -> String {
    say("This key means nothing.", language)
}

/// What was done, as it is spoken: `#7` is read as a number.
pub fn confirmed(text: &str, language: Language) -> String {
    let number = match language {
        Language::English => "number ",
        Language::German => "Nummer ",
    };
    say(text, language).replace('#', number)
}

/// One line without what can't be spoken.
fn read(text: &str) -> String {
    let plain: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MOST_READ).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches('.').to_owned()
}
