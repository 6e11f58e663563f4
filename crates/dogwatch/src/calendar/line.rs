//! Content lines: `NAME;PARAMETER=VALUE:VALUE`, unfolded (RFC 5545, 3.1).
//!
//! Knows nothing of what a name means.

use std::borrow::Cow;

use super::{Problem, shown};

/// One property as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Where it begins in the text, from 1.
    pub(super) number: usize,
    /// In capitals.
    pub(super) name: String,
    /// Names in capitals, values without their quotation marks, in order.
    parameters: Vec<(String, String)>,
    /// As it stands, with its escapes.
    pub(super) value: String,
}

impl Line {
    /// The first value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value as a text, without its escapes (RFC 5545, 3.3.11).
    pub(super) fn text(&self) -> String {
        let mut text = String::with_capacity(self.value.len());
        let mut letters = self.value.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.next() {
                    Some('n' | 'N') => text.push('\n'),
                    Some(escaped @ ('\\' | ';' | ',')) => text.push(escaped),
                    // No escape: some programs write backslashes as they are.
                    other => text.extend(std::iter::once('\\').chain(other)),
                },
                letter => text.push(letter),
            }
        }
        text
    }
}

/// The lines of a text, unfolded; empty ones left out.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Result<Line, Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut rest = text.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        let (index, first) = rest.find(|(_, line)| !line.trim().is_empty())?;
        let mut whole = Cow::Borrowed(first);
        while let Some((_, more)) = rest.next_if(|(_, line)| line.starts_with([' ', '\t'])) {
            whole.to_mut().push_str(&more[1..]);
        }
        Some(parse(index + 1, &whole))
    })
}

fn parse(number: usize, text: &str) -> Result<Line, Problem> {
    let wrong = |why: &str| Problem::new(number, format!("{} {why}", shown(text)));
    let end = text.find([';', ':']);
    let end = end.ok_or_else(|| {
        wrong("has no \":\"; a line is NAME:VALUE, and one that goes on begins with a space")
    })?;
    let (name, mut rest) = text.split_at(end);
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
        return Err(wrong("does not begin with a name; a line that goes on begins with a space"));
    }
    let mut parameters = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        let end = after.find(['=', ';', ':']).ok_or_else(|| wrong("has no \":\" after its parameters"))?;
        let name = after[..end].trim().to_ascii_uppercase();
        rest = &after[end..];
        // A list of values counts as the first.
        let mut value = "";
        if let Some(mut after) = rest.strip_prefix('=') {
            loop {
                let part;
                (part, rest) =
                    parameter_value(after).ok_or_else(|| wrong("has a quotation mark without its other"))?;
                if value.is_empty() {
                    value = part;
                }
                match rest.strip_prefix(',') {
                    Some(more) => after = more,
                    None => break,
                }
            }
        }
        parameters.push((name, value.to_owned()));
    }
    let Some(value) = rest.strip_prefix(':') else {
        return Err(wrong("has no \":\" after its parameters"));
    };
    Ok(Line { number, name: name.to_ascii_uppercase(), parameters, value: value.to_owned() })
}

/// One value of a parameter, without its quotation marks, and what comes after it.
fn parameter_value(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"'),
        None => Some(text.split_at(text.find([',', ';', ':']).unwrap_or(text.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Line {
        lines(text).next().unwrap().unwrap()
    }

    #[test]
    fn lines_are_unfolded_and_know_where_they_began() {
        let text = "\u{feff}BEGIN:VEVENT\r\n\r\nSUMMARY:Jo\r\n hn\n\t x\nEND:VEVENT";
        let found: Vec<Line> = lines(text).map(Result::unwrap).collect();
        let shown: Vec<(usize, &str)> = found.iter().map(|line| (line.number, line.value.as_str())).collect();
        assert_eq!(shown, [(1, "VEVENT"), (3, "John x"), (6, "VEVENT")]);
    }

    #[test]
    fn parameters_may_be_quoted_and_listed() {
        let line = one("dtstart;tzid=\"A: b; c\";X-ONE=a,\"b\",c;X-EMPTY=;X-BARE:2026:1");
        assert_eq!((line.name.as_str(), line.value.as_str()), ("DTSTART", "2026:1"));
        assert_eq!(line.parameter("TZID"), Some("A: b; c"));
        assert_eq!(line.parameter("X-ONE"), Some("a"));
        assert_eq!(line.parameter("X-EMPTY"), Some(""));
        assert_eq!(line.parameter("X-BARE"), Some(""));
        assert_eq!(line.parameter("VALUE"), None);
    }

    #[test]
    fn escapes_of_texts_are_undone() {
        assert_eq!(one(r"SUMMARY:a\, b\; c\\n\nd\Ne\xf\").text(), "a, b; c\\n\nd\ne\\xf\\");
    }

    #[test]
    fn what_is_no_line_is_named() {
        let told = |text: &str| lines(text).next().unwrap().unwrap_err();
        assert_eq!(told("\nDAY=MO").line, 2);
        assert!(told("DAY=MO").message.starts_with("\"DAY=MO\" has no \":\""));
        assert!(told("see https://x").message.contains("does not begin with a name"));
        assert!(told("X;A=\"b:c").message.contains("quotation mark without its other"));
        assert!(told("X;A=b").message.contains("has no \":\" after its parameters"));
        assert!(told("X;A").message.contains("has no \":\" after its parameters"));
        assert!(told(":x").message.contains("does not begin with a name"));
    }
}
