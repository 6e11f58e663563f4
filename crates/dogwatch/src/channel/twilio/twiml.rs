//! TwiML: what a call says and asks, and what a message is answered with.
//!
//! Everything that came from outside is text: no character of it can make or end an element.

use crate::channel::xml::escape;
use crate::message::speech::Speech;
use crate::message::voice;

/// The voices that Twilio's default speaker has, beside `en-US` and `de-DE`.
const VOICES: [&str; 4] = ["en-AU", "en-CA", "en-GB", "en-IN"];

/// The longest TwiML that goes with a call, in characters.
const MOST: usize = 4_000;
/// How long a key is waited for after the last word, in seconds.
const PATIENCE: u8 = 8;

/// What a call says when it is taken up. It asks twice; each time a key is taken while it speaks.
pub fn opening(words: &Speech, language: &str, first: &str, second: &str) -> String {
    let whole = compose(words, language, first, second, usize::MAX);
    if whole.chars().count() <= MOST {
        return whole;
    }
    // News of a few hundred characters may become many more where each has to be written out.
    let shorter = (1..8).map(|half| compose(words, language, first, second, 400 >> half));
    shorter
        .into_iter()
        .find(|text| text.chars().count() <= MOST)
        .unwrap_or_else(|| said(&words.goodbye, language))
}

fn compose(words: &Speech, language: &str, first: &str, second: &str, most: usize) -> String {
    let news: String = words.news.chars().take(most).collect();
    if words.keys.is_empty() {
        return said(&format!("{news} {news}"), language);
    }
    let text = format!("{news} {}", words.keys);
    let mut inner = gather(&text, language, first);
    inner.push_str(&gather(&text, language, second));
    inner.push_str(&say(&words.goodbye, language));
    response(&inner)
}

/// Says something and ends the call.
pub fn said(text: &str, language: &str) -> String {
    response(&say(text, language))
}

/// Says something, takes a key meanwhile, and ends the call when none comes.
pub fn asked(text: &str, goodbye: &str, language: &str, action: &str) -> String {
    response(&format!("{}{}", gather(text, language, action), say(goodbye, language)))
}

/// Answers a short message; with nothing to say the answer is empty.
pub fn replied(text: &str) -> String {
    if text.is_empty() { response("") } else { response(&format!("<Message>{}</Message>", escape(text))) }
}

/// Takes no call.
pub fn rejected() -> String {
    response("<Reject/>")
}

fn response(inner: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{inner}</Response>")
}

fn gather(text: &str, language: &str, action: &str) -> String {
    format!(
        "<Gather input=\"dtmf\" numDigits=\"1\" timeout=\"{PATIENCE}\" method=\"POST\" action=\"{}\">{}</Gather>",
        escape(action),
        say(text, language)
    )
}

fn say(text: &str, language: &str) -> String {
    let tag = voice(language, &VOICES);
    format!("<Say language=\"{}\">{}</Say>", escape(&tag), escape(text))
}
