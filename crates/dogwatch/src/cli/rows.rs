//! Rows of days with bars of their hours: what calendars and timelines have in common.

use std::fmt::Write as _;

use jiff::civil::{Date, Weekday};

use super::terminal::Paint;

/// The width of a terminal that everything fits.
pub(super) const WIDTH: usize = 80;
/// `Mon 2026-07-06` and two blanks.
pub(super) const BAR_COLUMN: usize = 16;

/// The hours above the bars.
pub(super) fn hours(cells: usize) -> String {
    let step = cells / 8;
    let mut line = String::new();
    for hour in (0..=24).step_by(3) {
        let _ = write!(line, "{hour:02}{}", " ".repeat(step - 2));
    }
    line.trim_end().to_owned()
}

/// A date; today stands out, a weekend steps back.
pub(super) fn date(date: Date, today: Date, paint: Paint) -> String {
    let text = format!("{} {date}", date.strftime("%a"));
    if date == today {
        paint.with("1;7", &text)
    } else if matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
        paint.faint(&text)
    } else {
        text
    }
}

/// Texts in lines of at most `room` letters.
pub(super) fn wrap(texts: &[String], room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for text in texts {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + text.len() <= room => {
                line.push(' ');
                line.push_str(text);
            }
            _ => lines.push(text.clone()),
        }
    }
    lines
}

/// Reads a date, nothing more.
pub(super) fn read_date(text: &str) -> Result<Date, String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let date = text.parse().ok().filter(|_| is_plain);
    date.ok_or_else(|| "write a date that exists, such as 2026-12-24".to_owned())
}

/// An instant of the API as people read it, without its parts of a second.
pub(super) fn seconds(at: &str) -> String {
    let whole = at.split_once('.').map_or_else(|| at.trim_end_matches('Z'), |(whole, _)| whole);
    format!("{}Z", whole.replace('T', " "))
}
