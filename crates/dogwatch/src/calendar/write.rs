//! The feed to which people subscribe: iCalendar as text (RFC 5545; names and times of refreshing: RFC 7986).

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A line has at most so many bytes before its break (RFC 5545, 3.1).
const LINE_BYTES: usize = 75;
/// How often programs should fetch the feed again.
const REFRESH: &str = "PT15M";

/// A calendar to be written.
#[derive(Clone, Debug)]
pub struct Feed {
    /// What people see as its name.
    pub name: String,
    /// Its events, in the order in which they are written.
    pub events: Vec<FeedEvent>,
    /// When it was made (`DTSTAMP`).
    pub stamp: Timestamp,
}

/// An event of a feed.
#[derive(Clone, Debug)]
pub struct FeedEvent {
    /// The same for the same event each time, and that of no other event anywhere.
    pub uid: String,
    /// When it begins; fractions of seconds are cut off.
    pub from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
    /// What people see.
    pub summary: String,
    /// What they see who look closer; not written when it is empty.
    pub description: String,
    /// How often it was changed.
    pub sequence: u32,
}

/// Writes a feed. Its times are in UTC, its events make nobody busy.
///
/// In texts, line breaks of any kind are kept as `\n`; other control characters are left out, since iCalendar has
/// no way to write them.
pub fn write(feed: &Feed) -> String {
    let mut out = String::new();
    line(&mut out, "BEGIN:VCALENDAR");
    line(&mut out, "VERSION:2.0");
    line(&mut out, "PRODID:-//Dogwatch//Dogwatch//EN");
    line(&mut out, "CALSCALE:GREGORIAN");
    line(&mut out, "METHOD:PUBLISH");
    line(&mut out, &format!("NAME:{}", text(&feed.name)));
    line(&mut out, &format!("X-WR-CALNAME:{}", text(&feed.name)));
    line(&mut out, &format!("REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}"));
    line(&mut out, &format!("X-PUBLISHED-TTL:{REFRESH}"));
    for event in &feed.events {
        line(&mut out, "BEGIN:VEVENT");
        line(&mut out, &format!("UID:{}", text(&event.uid)));
        line(&mut out, &format!("DTSTAMP:{}", utc(feed.stamp)));
        line(&mut out, &format!("SEQUENCE:{}", event.sequence));
        line(&mut out, &format!("DTSTART:{}", utc(event.from)));
        line(&mut out, &format!("DTEND:{}", utc(event.until)));
        line(&mut out, &format!("SUMMARY:{}", text(&event.summary)));
        if !event.description.is_empty() {
            line(&mut out, &format!("DESCRIPTION:{}", text(&event.description)));
        }
        line(&mut out, "TRANSP:TRANSPARENT");
        line(&mut out, "END:VEVENT");
    }
    line(&mut out, "END:VCALENDAR");
    out
}

/// Adds a line, folded between characters.
fn line(out: &mut String, whole: &str) {
    let mut rest = whole;
    let mut room = LINE_BYTES;
    while rest.len() > room {
        let (part, more) = rest.split_at(rest.floor_char_boundary(room));
        out.push_str(part);
        out.push_str("\r\n ");
        rest = more;
        // The space counts.
        room = LINE_BYTES - 1;
    }
    out.push_str(rest);
    out.push_str("\r\n");
}

/// A text with its escapes (RFC 5545, 3.3.11).
fn text(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    let mut letters = value.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' | ';' | ',' => escaped.extend(['\\', letter]),
            // The two are one break.
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' | '\r' => escaped.push_str("\\n"),
            '\t' => escaped.push('\t'),
            letter if letter.is_control() => {}
            letter => escaped.push(letter),
        }
    }
    escaped
}

fn utc(at: Timestamp) -> String {
    TimeZone::UTC.to_datetime(at).strftime("%Y%m%dT%H%M%SZ").to_string()
}
