//! A string of TOML as it is written, byte for byte beside what it reads as.
//!
//! The TOML reader gives the text and where the quotes are; what stood between them may be written
//! with escapes. Only where bytes stand is worked out here; the text itself is the reader's.

/// Where the stretches of `text` stand, which is written as `raw` at offset `start` of its file:
/// each with its offset in `text` and its offset in the file.
pub(super) fn places(raw: &str, start: u32, text: &str) -> Vec<(u32, u32)> {
    let quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| raw.starts_with(quotes));
    let Some(quotes) = quotes else { return vec![(0, start)] };
    let mut at = quotes.len();
    if quotes.len() == 3 {
        // The first line break of a text of many lines does not belong to it.
        let rest = &raw[at..];
        at += ["\r\n", "\n"].into_iter().find(|end| rest.starts_with(end)).map_or(0, str::len);
    }
    let mut places = vec![(0, offset(start, at))];
    let mut read = 0;
    let inner_end = raw.len().saturating_sub(quotes.len()).max(at);
    let escapes = quotes.starts_with('"');
    while at < inner_end {
        let rest = &raw[at..inner_end];
        let plain = if escapes { rest.find('\\').unwrap_or(rest.len()) } else { rest.len() };
        at += plain;
        read += plain;
        if at >= inner_end {
            break;
        }
        let (written, means) = escape(&raw[at..inner_end]);
        places.push((read as u32, offset(start, at)));
        at += written;
        read += means;
        places.push((read as u32, offset(start, at)));
    }
    // A reader that reads otherwise than this, such as one that changes line ends, makes the
    // places useless: then all of it is where it begins.
    if read == text.len() { places } else { vec![(0, offset(start, quotes.len()))] }
}

/// How many bytes the escape at the beginning of `text` has, and how many it stands for.
fn escape(text: &str) -> (usize, usize) {
    let digits = match text.as_bytes().get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        Some(b' ' | b'\t' | b'\r' | b'\n') => {
            // A line that goes on in the next one, without the blanks there.
            let rest = text[1..].trim_start_matches([' ', '\t', '\r', '\n']);
            return (text.len() - rest.len(), 0);
        }
        _ => return (2.min(text.len()), 1),
    };
    let code = text.get(2..2 + digits).and_then(|code| u32::from_str_radix(code, 16).ok());
    let letter = code.and_then(char::from_u32);
    ((2 + digits).min(text.len()), letter.map_or(1, char::len_utf8))
}

/// Files are far shorter than 2^32 bytes: rota refuses longer ones.
fn offset(start: u32, at: usize) -> u32 {
    start + at as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every letter of the text that is also written plainly is found where it is written.
    fn check(raw: &str, expected: &[(u32, u32)]) {
        let value = raw.parse::<toml::Value>().unwrap();
        assert_eq!(places(raw, 100, value.as_str().unwrap()), expected, "{raw}");
    }

    #[test]
    fn every_kind_of_string_is_followed() {
        check("'a\\b'", &[(0, 101)]);
        check("\"ab\"", &[(0, 101)]);
        check("\"\"\"ab\"\"\"", &[(0, 103)]);
        check("'''\nab\ncd'''", &[(0, 104)]);
        check("\"\"\"\r\nab\"\"\"", &[(0, 105)]);
        check("\"a\\tb\"", &[(0, 101), (1, 102), (2, 104)]);
        check("\"\\u00e4b\"", &[(0, 101), (0, 101), (2, 107)]);
        check("\"\"\"a\\\n   b\"\"\"", &[(0, 103), (1, 104), (1, 109)]);
    }
}
