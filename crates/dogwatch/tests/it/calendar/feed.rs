//! The feed, read back by readers that are not ours and by ours.

use std::sync::Arc;

use dogwatch::calendar::{Feed, FeedEvent, read, write};
use icalendar::parser::{Calendar as Parsed, Property, read_calendar, unfold};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn feed(summary: &str) -> Feed {
    Feed {
        name: "ops, primary".to_owned(),
        events: vec![FeedEvent {
            uid: "ops.primary.1@dogwatch".to_owned(),
            from: at("2026-01-05T07:00:00.5Z"),
            until: at("2026-01-12T07:00Z"),
            summary: summary.to_owned(),
            description: "first line\nsecond; line".to_owned(),
            sequence: 3,
        }],
        stamp: at("2026-01-01T00:00Z"),
    }
}

fn value<'a>(properties: &'a [Property<'_>], name: &str) -> &'a str {
    properties.iter().find(|one| one.name == name).unwrap().val.as_str()
}

#[test]
fn a_feed_is_as_the_rfc_wants_it() {
    let expected = "BEGIN:VCALENDAR|VERSION:2.0|PRODID:-//Dogwatch//Dogwatch//EN|CALSCALE:GREGORIAN|METHOD:PUBLISH|\
                    NAME:ops\\, primary|X-WR-CALNAME:ops\\, primary|REFRESH-INTERVAL;VALUE=DURATION:PT15M|\
                    X-PUBLISHED-TTL:PT15M|BEGIN:VEVENT|UID:ops.primary.1@dogwatch|DTSTAMP:20260101T000000Z|SEQUENCE:3|\
                    DTSTART:20260105T070000Z|DTEND:20260112T070000Z|SUMMARY:john|\
                    DESCRIPTION:first line\\nsecond\\; line|TRANSP:TRANSPARENT|END:VEVENT|END:VCALENDAR|";
    assert_eq!(write(&feed("john")).replace("\r\n", "|"), expected);
}

#[test]
fn an_empty_feed_is_a_calendar() {
    let empty = Feed { name: String::new(), events: Vec::new(), stamp: Timestamp::UNIX_EPOCH };
    assert!(read(&write(&empty), &TimeZone::UTC, |_| Vec::new()).is_ok());
}

#[test]
fn lines_are_folded_between_characters() {
    for length in 60..80 {
        let text = write(&feed(&"é".repeat(length)));
        assert!(text.contains("\r\n é"));
        assert!(text.split("\r\n").all(|line| line.len() <= 75));
        assert!(text.split("\r\n").any(|line| line.len() >= 74));
    }
}

/// What a text is when it comes back: one kind of line break, and no control characters but tabs.
fn kept(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\n' | '\t')).collect()
}

proptest! {
    #[test]
    fn any_text_comes_back(summary in any::<String>(), name in "[\\\\;,:\"a\r\nBEGIN: éø🐕]{0,99}") {
        let whole = Feed { name: name.clone(), ..feed(&summary) };
        let text = write(&whole);
        prop_assert!(text.ends_with("\r\n"));
        for line in text.strip_suffix("\r\n").unwrap().split("\r\n") {
            prop_assert!(line.len() <= 75 && !line.contains(['\r', '\n']), "{:?}", line);
        }

        let unfolded = unfold(&text);
        let parsed: Parsed = read_calendar(&unfolded).unwrap();
        prop_assert_eq!(parsed.components.len(), 1);
        let event = &parsed.components[0].properties;
        prop_assert_eq!(event.len(), 8);
        prop_assert_eq!(value(event, "SUMMARY"), kept(&summary));
        prop_assert_eq!(value(event, "DESCRIPTION"), "first line\nsecond; line");
        prop_assert_eq!(value(event, "DTSTART"), "20260105T070000Z");
        let shown = value(&parsed.properties, "NAME").to_owned();
        prop_assert_eq!(icalendar_text(&shown), kept(&name));

        let ours = read(&text, &TimeZone::UTC, |mention| vec![Arc::from(mention.summary.as_str())]);
        let (calendar, warnings) = ours.unwrap();
        prop_assert!(warnings.is_empty());
        let one = calendar.at(at("2026-01-05T07:00Z")).unwrap();
        prop_assert_eq!(one.people[0].to_string(), kept(&summary));
        prop_assert_eq!((one.from, one.until), (at("2026-01-05T07:00Z"), at("2026-01-12T07:00Z")));
    }
}

/// A property whose type the crate does not know, without its escapes.
fn icalendar_text(value: &str) -> String {
    let line = format!("SUMMARY:{value}");
    Property::try_from(line.as_str()).unwrap().val.to_string()
}
