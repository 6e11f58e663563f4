//! NCCO, in which Vonage is told what a call says and asks: a list of actions, one after the other.
//!
//! Everything that came from outside is a JSON text. Vonage reads SSML where a text begins with an element: no text of
//! ours holds an angle bracket.

use serde_json::{Value, json};

use crate::message::speech::Speech;
use crate::message::voice;

/// The longest text of one action, in characters.
const MOST: usize = 1_500;
/// How long a key is waited for after the last word, in seconds.
const PATIENCE: u8 = 8;

/// The voices that Vonage has for English and German, beside `en-US` and `de-DE`.
const VOICES: [&str; 7] = ["de-AT", "en-AU", "en-GB", "en-IE", "en-IN", "en-NZ", "en-ZA"];

/// What a call says when it is taken up; the key goes to `keys`.
pub fn opening(words: &Speech, language: &str, keys: &str) -> Value {
    if words.keys.is_empty() {
        return said(&format!("{0} {0}", words.news), language);
    }
    asked(&format!("{} {}", words.news, words.keys), language, keys)
}

/// Says something and ends the call.
pub fn said(text: &str, language: &str) -> Value {
    json!([talk(text, language, false)])
}

/// Says something and takes a key meanwhile. Whether one is pressed or none, `keys` is told.
pub fn asked(text: &str, language: &str, keys: &str) -> Value {
    let input = json!({
        "action": "input",
        "type": ["dtmf"],
        "dtmf": { "maxDigits": 1, "timeOut": PATIENCE },
        "eventUrl": [keys],
        "eventMethod": "POST",
    });
    json!([talk(text, language, true), input])
}

fn talk(text: &str, language: &str, ends_with_a_key: bool) -> Value {
    let plain = |letter: char| match letter {
        '<' | '>' => ' ',
        letter if letter.is_control() => ' ',
        letter => letter,
    };
    let text: String = text.chars().map(plain).take(MOST).collect();
    let tag = voice(language, &VOICES);
    if ends_with_a_key {
        json!({ "action": "talk", "text": text, "language": tag, "bargeIn": true })
    } else {
        json!({ "action": "talk", "text": text, "language": tag })
    }
}
