//! Answers that are easy to get wrong: clocks that jump, days that never come, the ends of time.
#![expect(clippy::unwrap_used, reason = "what is unwrapped is written here")]

use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use rota::period::{Days, Definition, Hours, Month, Weekday, ZonedPeriod, compile};
use rota::{syntax, zone};

/// The period `p` of a text whose lines are those of `p`; others can follow after `}`.
fn period(lines: &str, zone: &str) -> ZonedPeriod {
    let text = format!("define timeperiod {{\ntimeperiod_name p\n{lines}\n}}\n");
    let document = syntax::read_text("test", &text);
    let compiled = compile(&document.definitions, date(2026, 1, 1));
    let problems = [&document.problems[..], &compiled.problems].concat();
    assert!(
        !problems.iter().any(rota::diagnostic::Problem::is_error),
        "{}",
        document.files.render_all(&problems)
    );
    compiled.find("p").unwrap().in_zone(zone::find(zone).unwrap())
}

fn utc(text: &str) -> Timestamp {
    let reading: DateTime = text.parse().unwrap();
    reading.in_tz("UTC").unwrap().timestamp()
}

fn intervals(period: &ZonedPeriod, from: &str, to: &str) -> Vec<(Timestamp, Timestamp)> {
    let intervals = period.intervals(utc(from), utc(to));
    intervals.map(|i| (i.start, i.end)).collect()
}

/// What is in between two times, in UTC, cold and warm.
fn check(period: &mut ZonedPeriod, from: &str, to: &str, expected: &[(&str, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(s, e)| (utc(s), utc(e))).collect();
    assert_eq!(intervals(period, from, to), expected);
    period.warm(utc(from), utc(to));
    assert_eq!(intervals(period, from, to), expected);
}

#[test]
fn hours_that_the_clock_shows_twice_count_twice() {
    let mut night = period("sunday 01:00-02:00", "America/New_York");
    let expected = [("2026-11-01T05:00", "2026-11-01T07:00")];
    check(&mut night, "2026-11-01T00:00", "2026-11-02T00:00", &expected);
}

#[test]
fn hours_that_the_clock_leaves_out_are_missing() {
    let mut night = period("sunday 01:30-03:30", "America/New_York");
    let expected = [("2026-03-08T06:30", "2026-03-08T07:30")];
    check(&mut night, "2026-03-08T00:00", "2026-03-09T00:00", &expected);
}

#[test]
fn a_jump_of_half_an_hour_is_one() {
    let mut night = period("sunday 01:45-02:15", "Australia/Lord_Howe");
    // Shown from 01:45 to 02:00, then again from 01:45 (01:30 comes first) to 02:15.
    let expected = [("2026-04-04T14:45", "2026-04-04T15:00"), ("2026-04-04T15:15", "2026-04-04T15:45")];
    check(&mut night, "2026-04-04T00:00", "2026-04-05T00:00", &expected);
}

#[test]
fn a_day_that_a_zone_skips_never_comes() {
    let apia = period("2011-12-30 00:00-24:00", "Pacific/Apia");
    assert_eq!(apia.next_in(Timestamp::MIN), None);
    let kiritimati = period("2011-12-30 00:00-24:00", "Pacific/Kiritimati");
    assert_eq!(kiritimati.next_in(Timestamp::MIN), Some(utc("2011-12-29T10:00")));
    // The days count on all the same: the second day after the 29th is the 31st.
    let mut second = period("2011-12-29 / 2 00:00-24:00", "Pacific/Apia");
    let expected = [("2011-12-29T10:00", "2011-12-31T10:00"), ("2012-01-01T10:00", "2012-01-02T10:00")];
    check(&mut second, "2011-12-29T10:00", "2012-01-03T00:00", &expected);
}

#[test]
fn a_day_without_a_midnight_begins_when_its_clock_does() {
    let mut june = period("day 1 00:00-24:00", "Africa/Casablanca");
    let expected = [("2009-06-01T00:00", "2009-06-01T23:00")];
    check(&mut june, "2009-05-31T00:00", "2009-06-02T00:00", &expected);
}

#[test]
fn a_leap_day_on_a_monday_is_found_decades_away() {
    let leap = period(
        "february 29 09:00-17:00\nexclude others\n}\ndefine timeperiod {\ntimeperiod_name others\n\
         tuesday 00:00-24:00\nwednesday 00:00-24:00\nthursday 00:00-24:00\nfriday 00:00-24:00\n\
         saturday 00:00-24:00\nsunday 00:00-24:00",
        "UTC",
    );
    assert_eq!(leap.next_in(utc("2017-01-01T00:00")), Some(utc("2044-02-29T09:00")));
    assert_eq!(leap.next_in(utc("2072-03-01T00:00")), Some(utc("2112-02-29T09:00")));
}

#[test]
fn what_never_comes_is_a_definite_never() {
    let never = [
        "monday 00:00-00:00",
        "february 30 00:00-24:00",
        "2008-12-25 00:00-24:00",
        // Each of two days out of two is blank.
        "monday 00:00-24:00\n2007-01-01 / 2 00:00-00:00\n2007-01-02 / 2 00:00-00:00",
        // The skips of 11, 13 and 17 days leave no common repetition before the year 10000.
        "day 1 - -1 00:00-00:00\nmonday 00:00-24:00\n2007-01-01 / 11 00:00-00:00\n\
         2007-01-02 / 13 00:00-00:00\n2007-01-03 / 17 00:00-00:00",
        "friday 10:00-12:00\nexclude o\n}\ndefine timeperiod {\ntimeperiod_name o\n\
         friday 09:00-11:00\nexclude q\n}\ndefine timeperiod {\ntimeperiod_name q\n\
         monday 10:00-11:00\n}\ndefine timeperiod {\ntimeperiod_name r\nfriday 11:00-12:00",
    ];
    for lines in &never[..5] {
        let period = period(lines, "America/New_York");
        assert_eq!(period.next_in(utc("2026-01-01T00:00")), None, "{lines}");
    }
    let always = "sunday 00:00-24:00\nmonday 00:00-24:00\ntuesday 00:00-24:00\n\
                  wednesday 00:00-24:00\nthursday 00:00-24:00\nfriday 00:00-24:00\n\
                  saturday 00:00-24:00";
    for zone in ["UTC", "Africa/Casablanca", "Pacific/Apia"] {
        assert_eq!(period(always, zone).next_out(Timestamp::MIN), None);
    }
    let rest = period(never[5], "UTC");
    assert_eq!(rest.next_in(utc("2026-01-01T00:00")), Some(utc("2026-01-02T11:00")));
}

#[test]
fn hours_that_fall_into_every_jump_are_never_in() {
    let lost = period("sunday 2 march 02:00-03:00", "America/New_York");
    assert_eq!(lost.next_in(utc("2007-01-01T00:00")), None);
    // Before 2007 the clocks went forward in April.
    assert_eq!(lost.next_in(utc("2006-01-01T00:00")), Some(utc("2006-03-12T07:00")));
}

#[test]
fn the_ends_of_time_are_answered() {
    let zones = ["UTC", "Pacific/Kiritimati", "America/New_York"];
    for zone in zones {
        let mut monday = period("monday 00:00-24:00", zone);
        for _ in 0..2 {
            for at in [Timestamp::MIN, Timestamp::MAX] {
                let inside = monday.contains(at);
                assert_eq!(monday.next_in(at) == Some(at), inside);
                assert_eq!(monday.next_out(at) == Some(at), !inside);
            }
            assert_eq!(monday.intervals(Timestamp::MAX, Timestamp::MIN).count(), 0);
            monday.warm(Timestamp::MIN, Timestamp::MAX);
        }
        monday.warm(Timestamp::MAX, Timestamp::MIN);
        monday.warm(Timestamp::MAX, Timestamp::MAX);
        assert!(!monday.contains(utc("2026-01-01T12:00")));
    }
}

#[test]
fn parts_of_a_second_belong_to_their_second() {
    let day = period("thursday 00:00-24:00", "UTC");
    let before = Timestamp::new(-1, -999_999_999).unwrap();
    assert!(!day.contains(before));
    assert!(!day.contains(Timestamp::new(0, -1).unwrap()));
    assert_eq!(day.next_in(before), Some(Timestamp::UNIX_EPOCH));
    let within = Timestamp::new(5, 7).unwrap();
    assert_eq!(day.next_in(within), Some(within));
    let last = Timestamp::new(86_399, 999_999_999).unwrap();
    assert!(day.contains(last));
    assert_eq!(day.next_out(last), Some(Timestamp::from_second(86_400).unwrap()));
}

#[test]
fn a_window_is_bounded() {
    let ranges: Vec<String> = (0..24).map(|h| format!("{h:02}:00-{h:02}:30")).collect();
    let days = Weekday::ALL.map(|day| format!("{} {}\n", day.name(), ranges.join(",")));
    let mut busy = period(&days.concat(), "Europe/Berlin");
    let cold = busy.state_bytes();
    busy.warm(utc("2000-01-01T00:00"), utc("2060-01-01T00:00"));
    assert!(busy.state_bytes() - cold < 1 << 21);
    for year in 2000..2060 {
        let at = utc(&format!("{year}-06-01T00:15"));
        assert!(busy.contains(at));
        assert_eq!((busy.next_out(at).unwrap() - at).get_seconds(), 900);
    }
}

#[test]
fn a_definition_that_a_program_builds_means_what_its_text_means() {
    let built = Definition::period("p")
        .rule(Days::Weekday(Weekday::Monday), [Hours::DAY])
        .rule(
            Days::MonthDate { first: (Month::June, 1), last: Some((Month::July, 5)), every: Some(2) },
            [Hours { start: 540, end: 1_020 }],
        )
        .exclude("q");
    let other = Definition::period("q").rule(Days::Weekday(Weekday::Sunday), [Hours::DAY]);
    let text = "define timeperiod {\ntimeperiod_name p\nmonday 00:00-24:00\n\
                june 1 - july 5 / 2 09:00-17:00\nexclude q\n}\n\
                define timeperiod {\ntimeperiod_name q\nsunday 00:00-24:00\n}\n";
    let document = syntax::read_text("test", text);
    assert_eq!(document.definitions, [built.clone(), other.clone()]);
    // Its mistakes are found too, though they stand in no text.
    let wrong = Definition::period("p/q").rule(
        Days::MonthDay { first: 0, last: None, every: Some(0) },
        [Hours { start: 1_400, end: 60 }, Hours { start: 0, end: 2_000 }],
    );
    let problems = compile(&[built, other, wrong], date(2026, 1, 1)).problems;
    let messages: Vec<_> = problems.iter().map(|p| p.message.as_str()).collect();
    insta::assert_snapshot!(messages.join("\n"), @r#"
    on 2026-06-01 this replaces Monday 00:00-09:00,17:00-24:00 of period "p"
    the name "p/q" has the sign / in it
    no month has a day 0
    a skip of 0 days
    a skip needs a range, or one date, to count from
    23:20-01:00 ends before it begins
    hours beyond the end of the day
    "#);
}
