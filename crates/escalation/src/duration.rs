//! Durations as people write them: "30s", "5m", "1h30m", "2d".

use std::fmt;

use jiff::SignedDuration;

/// The longest duration that a plan may hold.
pub const MAX: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Units with their length in seconds, longest first.
const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// A text that is no duration, or one out of bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadDuration {
    /// It does not read as numbers with units.
    Form,
    /// It is zero.
    Zero,
    /// It begins with a minus sign.
    Negative,
    /// It is longer than [`MAX`].
    TooLong,
}

impl fmt::Display for BadDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => {
                "a duration is whole numbers with units d, h, m or s, longest first: \"5m\", \"1h30m\", \"45s\""
            }
            Self::Zero => "a duration must be longer than zero: write \"1s\" or more",
            Self::Negative => "a duration can't be negative: write \"1s\" or more",
            Self::TooLong => "a duration is at most seven days: write \"7d\" or less",
        })
    }
}

impl std::error::Error for BadDuration {}

/// Reads a duration of at least a second and at most [`MAX`].
///
/// # Errors
///
/// [`BadDuration`], which says what to write instead.
pub fn parse(text: &str) -> Result<SignedDuration, BadDuration> {
    if text.starts_with('-') {
        return Err(BadDuration::Negative);
    }
    let mut total: i64 = 0;
    let mut number: Option<i64> = None;
    let mut units = UNITS.iter();
    for letter in text.chars() {
        if let Some(digit) = letter.to_digit(10) {
            let grown =
                number.unwrap_or(0).checked_mul(10).and_then(|tens| tens.checked_add(i64::from(digit)));
            number = Some(grown.ok_or(BadDuration::TooLong)?);
        } else {
            let count = number.take().ok_or(BadDuration::Form)?;
            // Going on through the units keeps "30m1h" and "1m1m" out.
            let (_, seconds) = units.find(|(name, _)| *name == letter).ok_or(BadDuration::Form)?;
            total = count
                .checked_mul(*seconds)
                .and_then(|more| total.checked_add(more))
                .ok_or(BadDuration::TooLong)?;
        }
    }
    if number.is_some() || text.is_empty() {
        return Err(BadDuration::Form);
    }
    let duration = SignedDuration::from_secs(total);
    match total {
        0 => Err(BadDuration::Zero),
        _ if duration > MAX => Err(BadDuration::TooLong),
        _ => Ok(duration),
    }
}

/// Writes a duration so that [`parse`] reads it back; parts of a second are dropped.
pub fn print(duration: SignedDuration) -> String {
    let mut left = duration.as_secs();
    let mut text = String::new();
    for (name, seconds) in UNITS {
        if left >= seconds {
            text.push_str(&format!("{}{name}", left / seconds));
            left %= seconds;
        }
    }
    if text.is_empty() {
        text.push_str("0s");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print() {
        for (text, seconds) in
            [("5m", 300), ("1h30m", 5_400), ("45s", 45), ("1d2h3m4s", 93_784), ("7d", 604_800)]
        {
            let duration = parse(text).unwrap();
            assert_eq!(duration.as_secs(), seconds);
            assert_eq!(print(duration), text);
        }
        assert_eq!(print(parse("90m").unwrap()), "1h30m");
    }

    #[test]
    fn what_is_no_duration_says_why() {
        for (text, why) in [
            ("", BadDuration::Form),
            ("5", BadDuration::Form),
            ("m", BadDuration::Form),
            ("5 m", BadDuration::Form),
            ("30m1h", BadDuration::Form),
            ("1m1m", BadDuration::Form),
            ("1.5h", BadDuration::Form),
            ("0s", BadDuration::Zero),
            ("0h0m", BadDuration::Zero),
            ("-5m", BadDuration::Negative),
            ("8d", BadDuration::TooLong),
            ("99999999999999999999s", BadDuration::TooLong),
            ("9223372036854775807d", BadDuration::TooLong),
        ] {
            assert_eq!(parse(text), Err(why), "{text}");
        }
    }
}
