//! Calendars in and out: against other people's readers, and sentence by sentence.

mod feed;

use std::sync::Arc;

use dogwatch::calendar::{Known, MAX_BYTES, Mention, Problem, Stretch, busy, read, whose};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rota::calendar::Calendar;
use serde_json::Value;

fn berlin() -> TimeZone {
    rota::zone::find("Europe/Berlin").unwrap()
}

/// Whoever is named in the summary, be it known or not.
fn anybody(mention: &Mention) -> Vec<Arc<str>> {
    vec![mention.summary.as_str().into()]
}

/// A calendar of events, of which each is given by its lines.
fn text(events: &[&str]) -> String {
    let events: String = events
        .iter()
        .map(|lines| format!("BEGIN:VEVENT\n{}\nEND:VEVENT\n", lines.replace(' ', "\n")))
        .collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n")
}

fn of(events: &[&str]) -> Calendar {
    read(&text(events), &berlin(), anybody).unwrap().0
}

fn told(text: &str) -> Vec<String> {
    read(text, &berlin(), anybody).unwrap_err().iter().map(Problem::to_string).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What takes place in 2026: summary, begin and end.
fn takes_place(calendar: &Calendar) -> Vec<String> {
    let shown = |at: Timestamp| at.strftime("%m-%dT%H:%M").to_string();
    let all = calendar.occurrences(at("2026-01-01T00:00Z"), at("2027-01-01T00:00Z"));
    all.map(|one| format!("{} {} {}", one.people[0], shown(one.from), shown(one.until))).collect()
}

#[test]
fn another_reader_finds_the_same() {
    let path = format!("{}/tests/it/calendar/golden.json", env!("CARGO_MANIFEST_DIR"));
    let cases: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 90);
    for case in cases {
        let text = case["text"].as_str().unwrap();
        let calendar = read(text, &berlin(), anybody).unwrap().0;
        let (from, to) = (at("2026-01-04T00:00Z"), at("2026-11-28T00:00Z"));
        let found = calendar.occurrences(from, to).filter(|one| one.from >= from);
        let found = found.map(|one| {
            Value::from(vec![
                Value::from(one.from.as_second()),
                Value::from(one.until.as_second()),
                Value::from(&*one.people[0]),
            ])
        });
        let mut found: Vec<Value> = found.collect();
        found.sort_by_key(ToString::to_string);
        let mut expected = case["occurrences"].as_array().unwrap().clone();
        expected.sort_by_key(ToString::to_string);
        let first = found.iter().zip(&expected).find(|(found, expected)| found != expected);
        assert!(found.len() == expected.len() && first.is_none(), "{first:?} in {text}");
    }
}

#[test]
fn a_rotation_of_two_as_a_calendar_program_writes_it() {
    let calendar = of(&[
        "UID:1 SUMMARY:john DTSTART;TZID=Europe/Berlin:20260105T080000 DTEND;TZID=Europe/Berlin:20260112T080000 \
         RRULE:FREQ=WEEKLY;INTERVAL=2",
        "UID:2 SUMMARY:bob DTSTART;TZID=Europe/Berlin:20260112T080000 DTEND;TZID=Europe/Berlin:20260119T080000 \
         RRULE:FREQ=WEEKLY;INTERVAL=2",
        // John has Wednesday of Bob's first week, and no one the last day of his.
        "UID:2 RECURRENCE-ID:20260126T070000Z STATUS:CANCELLED",
        "UID:3 SUMMARY:john DTSTART;VALUE=DATE:20260114",
    ]);
    let who = |text: &str| calendar.at(at(text)).map(|one| one.people[0].to_string());
    assert_eq!(who("2026-01-12T06:59Z").as_deref(), Some("john"));
    assert_eq!(who("2026-01-12T07:00Z").as_deref(), Some("bob"));
    assert_eq!(who("2026-01-13T23:00Z").as_deref(), Some("john"));
    assert_eq!(who("2026-01-14T23:00Z").as_deref(), Some("bob"));
    assert_eq!(who("2026-01-26T07:00Z"), None);
    assert_eq!(who("2026-03-30T06:00Z").as_deref(), Some("john"));
    assert_eq!(calendar.next_change(at("2026-03-29T12:00Z")), Some(at("2026-03-30T06:00Z")));
}

#[test]
fn what_takes_the_place_of_an_occurrence() {
    let daily = "UID:1 SUMMARY:john DTSTART:20260105T080000Z DURATION:PT1H RRULE:FREQ=DAILY;COUNT=3";
    let moved = "UID:1 SUMMARY:bob RECURRENCE-ID:20260106T080000Z DTSTART:20260106T120000Z DURATION:PT2H";
    let first = "john 01-05T08:00 01-05T09:00";
    let last = "john 01-07T08:00 01-07T09:00";
    assert_eq!(takes_place(&of(&[daily, moved])), [first, "bob 01-06T12:00 01-06T14:00", last]);
    // The order in the text does not matter; of several versions the highest SEQUENCE counts, then the later.
    let newer = moved.replace("T120000Z", "T130000Z") + " SEQUENCE:2";
    for order in [[moved, &newer, daily], [daily, &newer, moved]] {
        assert_eq!(takes_place(&of(&order)), [first, "bob 01-06T13:00 01-06T15:00", last]);
    }
    let called_off = newer.clone() + " STATUS:CANCELLED";
    assert_eq!(takes_place(&of(&[daily, moved, &called_off])), [first, last]);
    let all_off = daily.replace("DURATION", "STATUS:CANCELLED DURATION");
    assert!(takes_place(&of(&[&all_off, moved])).is_empty());
    assert!(takes_place(&of(&[daily, "UID:1 STATUS:CANCELLED SEQUENCE:1", moved])).is_empty());
    // What it takes the place of need not be there.
    assert_eq!(takes_place(&of(&[moved])).len(), 1);
}

#[test]
fn times_in_all_their_forms() {
    for (lines, expected) in [
        ("DTSTART:20260105T080000Z DTEND:20260105T090000Z", "01-05T08:00 01-05T09:00"),
        ("DTSTART:20260105T080000 DTEND:20260105T090000", "01-05T07:00 01-05T08:00"),
        ("DTSTART;VALUE=DATE:20260105 DTEND;VALUE=DATE:20260107", "01-04T23:00 01-06T23:00"),
        ("DTSTART:20260105", "01-04T23:00 01-05T23:00"),
        ("DTSTART:20260105 DTEND:20260105", "01-04T23:00 01-05T23:00"),
        ("DTSTART;TZID=Asia/Tokyo:20260105T080000 DURATION:P1D", "01-04T23:00 01-05T23:00"),
        ("DTSTART;TZID=Asia/Tokyo:20260105T080000 DTEND:20260105T080000Z", "01-04T23:00 01-05T08:00"),
        (
            "DTSTART:20260105T080000Z RDATE;VALUE=PERIOD:20260106T080000Z/PT2H EXDATE:20260105T080000Z DURATION:PT1H",
            "01-06T08:00 01-06T10:00",
        ),
        (
            "DTSTART:20260105T080000Z DURATION:PT1H EXDATE;VALUE=DATE:20260105 RDATE:20260107T000000Z",
            "01-07T00:00 01-07T01:00",
        ),
        ("DTSTART:20260329T223000 DTEND:20260330T063000", "03-29T20:30 03-30T04:30"),
    ] {
        assert_eq!(takes_place(&of(&[&format!("SUMMARY:x {lines}")])), [format!("x {expected}")], "{lines}");
    }
    let zone = "BEGIN:VCALENDAR\nX-WR-TIMEZONE:Asia/Tokyo\nBEGIN:VEVENT\nSUMMARY:x\nDTSTART:20260105\nEND:VEVENT\nEND:VCALENDAR";
    let calendar = read(zone, &berlin(), anybody).unwrap().0;
    assert_eq!(takes_place(&calendar), ["x 01-04T15:00 01-05T15:00"]);
}

#[test]
fn every_problem_is_told_with_its_line() {
    let one = |lines: &str| told(&text(&[&format!("SUMMARY:x {lines}")]));
    for (lines, words) in [
        ("DTEND:20260105", "line 3: the event has no DTSTART"),
        ("DTSTART:today", "line 5: DTSTART: \"today\" is no date or time; write 20261231"),
        (
            "DTSTART;TZID=Europe/Berln:20260105T080000",
            "line 5: DTSTART: there is no time zone \"Europe/Berln\"; did you mean",
        ),
        ("DTSTART:20260105 DTEND:20260105T080000Z", "line 6: DTEND: of start and end one is a date"),
        (
            "DTSTART:20260105 DURATION:-P1D",
            "line 6: DURATION: \"-P1D\" is no duration; write for example PT8H",
        ),
        ("DTSTART:20260105 DURATION:P1D DTEND:20260106", "line 7: DTEND: DTEND and DURATION are both there"),
        (
            "DTSTART:20260105 DTEND:20260104",
            "line 3: the event \"x\" cannot be used: it ends before it begins",
        ),
        (
            "DTSTART:20260105 DTEND:20960104",
            "line 3: the event \"x\" cannot be used: it lasts longer than ten years",
        ),
        ("DTSTART:20260105 RRULE:FREQ=HOURLY", "line 3: the event \"x\" cannot be used: it lasts whole days"),
        ("DTSTART:20260105 RRULE:FREQ=MINUTELY", "line 6: RRULE: FREQ=MINUTELY is not supported"),
        ("DTSTART:20260105 RRULE:FREQ=DAILY RRULE:FREQ=WEEKLY", "line 7: RRULE: is there twice"),
        ("DTSTART:20260105 EXRULE:FREQ=DAILY", "line 6: EXRULE: is not supported"),
        ("DTSTART:20260105 EXDATE:20260106,x", "line 6: EXDATE: \"x\" is no date or time"),
        ("DTSTART:20260105 RDATE:20260106T080000Z/x", "line 6: RDATE: \"x\" is no date or time"),
        (
            "DTSTART:20260105 RECURRENCE-ID;RANGE=THISANDFUTURE:20260105",
            "line 6: RECURRENCE-ID: RANGE is not supported",
        ),
        ("DTSTART:20260105 DAY=MO", "line 6: \"DAY=MO\" has no \":\""),
    ] {
        let told = one(lines);
        assert!(told.len() == 1 && told[0].starts_with(words), "{lines}: {told:?}");
    }
    let two = told(&text(&["SUMMARY:x DTSTART:y", "SUMMARY:x DTSTART:20260105 RRULE:z"]));
    assert_eq!(two.len(), 2);
    assert!(told("BEGIN:VCALENDAR\nMETHOD:CANCEL\nEND:VCALENDAR")[0].contains("calls events off"));
    assert!(
        told("BEGIN:VCALENDAR\nX-WR-TIMEZONE:Mars\nEND:VCALENDAR")[0]
            .starts_with("line 2: X-WR-TIMEZONE: there is no")
    );
}

#[test]
fn all_that_is_read_is_bounded() {
    let many = |name: &str, count: usize| {
        let dates = vec!["20260106T080000Z"; count].join(&format!(" {name}:"));
        text(&[&format!("SUMMARY:x DTSTART:20260105T080000Z DURATION:PT1H {name}:{dates}")])
    };
    for name in ["EXDATE", "RDATE"] {
        assert!(read(&many(name, 10_000), &berlin(), anybody).is_ok());
        assert!(told(&many(name, 10_001))[0].contains("more than 10000 dates"));
    }
    assert!(told(&"x".repeat(MAX_BYTES + 1))[0].contains("at most 1000000 are read"));
    assert!(told(&text(&vec!["SUMMARY:x"; 5_000])).len() <= 100);
    let never = "SUMMARY:x DTSTART:00010101 RRULE:FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2";
    assert!(told(&text(&vec![never; 5_000]))[0].contains("takes too long to work out"));
}

#[test]
fn an_event_of_nobody_is_a_problem_and_one_without_an_end_is_not() {
    let known =
        [Known { name: "john".into(), full_name: None, addresses: vec!["john@example.org".to_owned()] }];
    let resolve = |mention: &Mention| whose(mention, &known);
    let lines = text(&[
        "SUMMARY:duty DTSTART:20260105 ATTENDEE;CN=J:mailto:John@example.org",
        "SUMMARY:duty DTSTART:20260106 ATTENDEE;PARTSTAT=DECLINED:mailto:john@example.org",
        "SUMMARY:note DTSTART:20260107T080000Z",
    ]);
    let problems = read(&lines, &berlin(), resolve).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].line, 8);
    assert!(
        problems[0].message.starts_with("it is not known whose the event \"duty\" is; write a person's name")
    );

    let (calendar, warnings) =
        read(&text(&["SUMMARY:john DTSTART:20260107T080000Z"]), &berlin(), resolve).unwrap();
    assert_eq!(calendar.next_change(Timestamp::MIN), None);
    assert_eq!(
        warnings[0].to_string(),
        "line 3: the event \"john\" has no end and takes no time; it is left out"
    );
}

#[test]
fn events_that_share_a_uid_by_mistake_are_told() {
    let one = |who: &str, sequence: u8| format!("UID:1 SUMMARY:{who} DTSTART:20260105 SEQUENCE:{sequence}");
    let warnings = |second: u8| {
        let (calendar, warnings) =
            read(&text(&[&one("john", 0), &one("bob", second)]), &berlin(), anybody).unwrap();
        assert_eq!(takes_place(&calendar), ["bob 01-04T23:00 01-05T23:00"]);
        warnings
    };
    let told =
        "line 3: the event \"john\" has the UID of the event \"bob\" of line 9, which counts; it is left out";
    assert_eq!(warnings(0)[0].to_string(), told);
    assert!(warnings(1).is_empty());
}

#[test]
fn leave_is_all_that_is_not_free_merged_and_cut() {
    let lines = text(&[
        "SUMMARY:a DTSTART:20260601 DTEND:20260603",
        "SUMMARY:b DTSTART:20260603 DTEND:20260604",
        "SUMMARY:c DTSTART:20260602T100000Z DURATION:PT1H",
        "SUMMARY:d DTSTART:20260610 TRANSP:TRANSPARENT",
        "SUMMARY:e DTSTART:20260611 STATUS:CANCELLED",
        "SUMMARY:f DTSTART:20260401 DTEND:20260510",
        "SUMMARY:g DTSTART:20200101",
        "SUMMARY:h DTSTART:20270701 DTEND:20280701",
    ]);
    let now = at("2026-06-01T00:00Z");
    let (stretches, warnings) = busy(&lines, &berlin(), now).unwrap();
    assert!(warnings.is_empty());
    let stretch = |from: &str, until: &str| Stretch { from: at(from), until: at(until) };
    let expected = [
        stretch("2026-05-02T00:00Z", "2026-05-09T22:00Z"),
        stretch("2026-05-31T22:00Z", "2026-06-03T22:00Z"),
        stretch("2027-06-30T22:00Z", "2027-07-06T00:00Z"),
    ];
    assert_eq!(stretches, expected);

    let hourly = "SUMMARY:x DTSTART:20260105T080000Z DURATION:PT1M RRULE:FREQ=HOURLY";
    let problems = busy(&text(&[hourly; 20]), &berlin(), now).unwrap_err();
    assert!(problems[0].message.contains("more than 100000 occurrences"));
    assert!(busy("<html>", &berlin(), now).is_err());
}

mod any {
    use proptest::prelude::*;

    use super::*;

    /// Lines of an event, whole and broken, as a regular expression.
    const LINES: &str = concat!(
        "(BEGIN:VEVENT",
        "|END:VEVENT",
        "|BEGIN:VALARM",
        "|DTSTART:20260105(T080000Z?)?",
        "|DTSTART;TZID=\"?[A-Z/]{0,3}:[0-9T]{8,15}",
        "|DTEND:2026010[1-9]",
        "|RRULE:FREQ=DAILY;COUNT=[0-9]",
        "|RDATE:[0-9/PT]{0,20}",
        "|EXDATE;VALUE=DATE:[0-9,]{0,20}",
        "|UID:[12]",
        "|RECURRENCE-ID:2026010[56]",
        "|SUMMARY:.{0,5}",
        "| .{0,9}",
        "|.{0,9})"
    );

    proptest! {
        /// No text is a reason to panic.
        #[test]
        fn any_text_is_read_or_refused(lines in prop::collection::vec(LINES, 0..25)) {
            let text = format!("BEGIN:VCALENDAR\nBEGIN:VEVENT\n{}\nEND:VEVENT\nEND:VCALENDAR", lines.join("\r\n"));
            if let Ok((calendar, _)) = read(&text, &berlin(), anybody) {
                calendar.next_change(at("2026-01-05T00:00Z"));
            }
            if let Err(problems) = busy(&text, &berlin(), at("2026-01-05T00:00Z")) {
                let lines = text.lines().count();
                prop_assert!(!problems.is_empty() && problems.iter().all(|one| one.line >= 1 && one.line <= lines));
            }
        }
    }
}
