//! The words of a short message, made to fit.
//!
//! A telephone's own alphabet (GSM 03.38) holds 160 characters in one message and 153 in each part of several;
//! one character outside of it makes that 70. So Latin letters with marks that the alphabet lacks are written
//! without them, and text in another script is cut to one message. What is asked of the reader is never cut.

use escalation::delivery::Purpose;
use jiff::Timestamp;

use super::{Message, age};

/// The characters that cost one place, but for the line feed. Form feed and escape are left out.
const BASIC: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ\
                     ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The characters that cost two.
const EXTENDED: &str = "^{}\\[~]|€";
/// The most places in a message of ours: two parts.
pub const MOST_PLACES: usize = 2 * 153;
/// The most characters in another script: one message.
pub const MOST_OTHERS: usize = 70;

/// How many places a character takes in the telephone's own alphabet; none: it is not in it.
fn places(letter: char) -> Option<usize> {
    match letter {
        '\n' => Some(1),
        _ if BASIC.contains(letter) => Some(1),
        _ if EXTENDED.contains(letter) => Some(2),
        _ => None,
    }
}

/// Whether a character can be written in Latin letters and still be read: it is one with marks, or a sign.
fn is_latin(letter: char) -> bool {
    matches!(u32::from(letter), 0..0x250 | 0x1e00..0x1f00 | 0x2000..0x2c00 | 0xfb00..0xfb07 | 0xff00..0xff5f)
}

/// Text for the telephone's own alphabet, if it is in a script that has one.
fn to_gsm(text: &str) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match places(letter) {
            Some(_) => plain.push(letter),
            None if is_latin(letter) => {
                plain.extend(any_ascii::any_ascii_char(letter).chars().filter(|it| places(*it).is_some()));
            }
            None => return None,
        }
    }
    Some(plain)
}

/// Whether a text is in the telephone's own alphabet.
pub fn is_gsm(text: &str) -> bool {
    text.chars().all(|letter| places(letter).is_some())
}

/// In how many parts a text is sent.
pub fn segments(text: &str) -> usize {
    let (total, alone, part) = match text.chars().map(places).sum::<Option<usize>>() {
        Some(total) => (total, 160, 153),
        None => (text.encode_utf16().count(), 70, 67),
    };
    if total <= alone { 1 } else { total.div_ceil(part) }
}

/// Text that came from outside, without what would change how a telephone shows it.
fn tidy(text: &str) -> String {
    let shown = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    // Marks that turn the direction of text around, and what has no width. Pictures, too: one of them would leave less
    // than half of the room for words.
    let is_shown = |letter: &char| {
        !matches!(
            u32::from(*letter),
            0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfe00..=0xfe0f | 0x1f000..=0x1faff | 0x20e3
        )
    };
    let kept: String = shown.filter(is_shown).collect();
    if kept.trim().is_empty() { text.chars().filter(|letter| !letter.is_control()).collect() } else { kept }
}

/// What fits of `text` into `room` places, with dots where something is missing.
fn cut(text: &str, room: usize, cost: impl Fn(char) -> usize) -> String {
    if text.chars().map(&cost).sum::<usize>() <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(2);
    let fits = |letter: &char| {
        let cost = cost(*letter);
        let fits = cost <= left;
        left = left.saturating_sub(cost);
        fits
    };
    let kept: String = text
        .chars()
        .take_while({
            let mut fits = fits;
            move |letter| fits(letter)
        })
        .collect();
    format!("{}..", kept.trim_end())
}

/// Something that we answer, made to fit.
pub fn fitted(text: &str) -> String {
    let tidy: String = text.lines().map(tidy).collect::<Vec<_>>().join("\n");
    match to_gsm(&tidy) {
        Some(plain) => cut(&plain, MOST_PLACES, |letter| places(letter).unwrap_or(1)),
        None => cut(&tidy, MOST_OTHERS, char::len_utf16),
    }
}

/// The short message. `answers` says whether what is sent back reaches us; else a link stands in place of the code.
pub fn text(message: &Message, answers: bool) -> String {
    let since = message.subject.as_ref().filter(|_| message.others.is_empty());
    let since = since.map(|alert| since_words(alert.created_at, message));
    let ask = ask(message, answers);
    let (full, short) = match (&since, &ask) {
        (Some(since), Some((long, short))) => (format!("\n{since}\n{long}"), format!("\n{short}")),
        (Some(since), None) => (format!("\n{since}"), String::new()),
        (None, Some((long, short))) => (format!("\n{long}"), format!("\n{short}")),
        (None, None) => (String::new(), String::new()),
    };
    // What we answer has lines of our own; a page is one line, whatever it says.
    let head = match message.purpose {
        Purpose::Page => tidy(&message.headline),
        _ => message.headline.lines().map(tidy).collect::<Vec<_>>().join("\n"),
    };
    let listed: String = message
        .others
        .iter()
        .take(3)
        .map(|other| format!("\n+ {}{}", code(other.code.as_deref()), tidy(&other.headline)))
        .collect();
    let whole = format!("{head}{listed}");
    if let (Some(whole), Some(full)) = (to_gsm(&whole), to_gsm(&full)) {
        let cost = |letter| places(letter).unwrap_or(1);
        let room = MOST_PLACES.saturating_sub(full.chars().map(cost).sum());
        return format!("{}{full}", cut(&whole, room, cost));
    }
    let room = MOST_OTHERS.saturating_sub(short.encode_utf16().count());
    format!("{}{short}", cut(&head, room, char::len_utf16))
}

fn code(code: Option<&str>) -> String {
    code.map_or_else(String::new, |code| format!("{code} "))
}

fn since_words(since: Timestamp, message: &Message) -> String {
    let at = message.since.clone().unwrap_or_else(|| since.to_string());
    let old = message.say(&age(since, message.sent_at));
    message.say(&format!("Since {at} ({old})"))
}

/// What the reader may do, in many words and in few.
fn ask(message: &Message, answers: bool) -> Option<(String, String)> {
    if message.purpose != Purpose::Page {
        return None;
    }
    let many = !message.others.is_empty();
    match (message.code.as_deref().filter(|_| answers), &message.answer_url) {
        (Some(code), _) if many => {
            let long = format!("Reply {code}: I have the first. ACK ALL: all of them");
            Some((message.say(&long), "ACK ALL".to_owned()))
        }
        (Some(code), _) => Some((message.say(&format!("Reply {code}: I have it")), format!("ACK {code}"))),
        // A link is of no use in part, and too long for one message in another script.
        (None, Some(url)) => Some((url.clone(), String::new())),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_telephones_count_them() {
        for (text, parts) in [
            ("", 1),
            (&*"a".repeat(160), 1),
            (&*"a".repeat(161), 2),
            (&*"a".repeat(306), 2),
            (&*"a".repeat(307), 3),
            (&*"€".repeat(80), 1),
            (&*"€".repeat(81), 2),
            (&*"я".repeat(70), 1),
            (&*"я".repeat(71), 2),
            (&*"😀".repeat(35), 1),
            (&*"😀".repeat(36), 2),
        ] {
            assert_eq!(segments(text), parts, "{text}");
        }
    }

    #[test]
    fn letters_with_marks_that_the_alphabet_lacks_are_written_without_them() {
        assert_eq!(
            to_gsm("Plattenfüllung à 95 % – „db1“ … œuvre ł ç").as_deref(),
            Some("Plattenfüllung à 95 % - \"db1\" ... oeuvre l c")
        );
        assert_eq!(to_gsm("диск полон"), None, "another script is not guessed at");
    }

    #[test]
    fn what_is_cut_says_so_and_fits() {
        let long = "[".repeat(400);
        let shown = cut(&long, 20, |letter| places(letter).unwrap_or(1));
        assert_eq!(shown, "[[[[[[[[[..");
        assert_eq!(cut("short", 5, |_| 1), "short");
    }
}
