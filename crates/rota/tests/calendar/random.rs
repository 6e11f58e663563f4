//! Random calendars: `at` and `next_change` against the list of all occurrences.

use jiff::civil::date;
use jiff::{SignedDuration, ToSpan};
use proptest::prelude::*;
use rota::calendar::{Calendar, Event, Length, Occurrence, Start};
use rota::zone;

use super::{at, calendar, event, people};

/// Rules as people and attacks write them.
fn rules() -> impl Strategy<Value = String> {
    let by = |name: &'static str, values: &'static [&'static str]| {
        prop_oneof![
            2 => Just(String::new()),
            1 => proptest::sample::subsequence(values, 1..=2).prop_map(move |some| format!(";{name}={}", some.join(","))),
        ]
    };
    let frequency = proptest::sample::select(&["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"][..]);
    let end = prop_oneof![
        Just(String::new()),
        (1..30).prop_map(|count| format!(";COUNT={count}")),
        (1..28).prop_map(|day| format!(";UNTIL=202604{day:02}T013000Z")),
    ];
    (
        frequency,
        1..9,
        end,
        by("BYMONTH", &["1", "3", "4", "10"]),
        by("BYMONTHDAY", &["1", "29", "31", "-1", "-3"]),
        by("BYDAY", &["MO", "SA", "SU"]),
        by("BYHOUR", &["0", "1", "2", "3"]),
        by("BYMINUTE", &["0", "30"]),
        by("BYSETPOS", &["1", "-1"]),
    )
        .prop_map(|(frequency, interval, end, month, month_day, day, hour, minute, position)| {
            format!(
                "FREQ={frequency};INTERVAL={interval}{end}{month}{month_day}{day}{hour}{minute}{position}"
            )
        })
}

fn events() -> impl Strategy<Value = Event> {
    const ZONES: [&str; 6] =
        ["UTC", "Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Beirut", "Australia/Lord_Howe"];
    let start = (2024..2027i16, 1..13i8, 1..29i8, 0..24i8, proptest::sample::select(&[0, 30i8][..]));
    let length = prop_oneof![
        (1..3_000i64).prop_map(|minutes| Length::Clock { seconds: minutes * 60 }),
        (0..9i64, 1..100_000i64).prop_map(|(days, seconds)| Length::Elapsed { days, seconds }),
    ];
    (proptest::sample::select(&ZONES[..]), start, length, proptest::option::of(rules()), 0..4u8).prop_map(
        |(zone, (year, month, day, hour, minute), length, rule, shape)| {
            let zone = zone::find(zone).unwrap();
            let day = date(year, month, day);
            let reading = day.at(hour, minute, 0, 0);
            let rule = rule.and_then(|rule| rule.parse().ok());
            let start = Start::Reading(reading, zone.clone());
            let whole = Start::Day(day, zone.clone());
            let event = Event {
                people: people("john"),
                start,
                length,
                rule,
                excluded: vec![Start::Day(day + 7.days(), zone.clone())],
                added: vec![(
                    Start::Reading(reading + 90.minutes(), zone),
                    Some(Length::Clock { seconds: 900 }),
                )],
            };
            let all_day =
                Event { start: whole, length: Length::Elapsed { days: 2, seconds: 0 }, ..event.clone() };
            if shape == 0 && Calendar::new(std::slice::from_ref(&all_day)).is_ok() { all_day } else { event }
        },
    )
}

/// Parts of a rule, whole and broken, as a regular expression.
const TEXTS: &str = concat!(
    "((FREQ|BYDAY|BYMONTHDAY|COUNT|UNTIL|INTERVAL|WKST|BYSETPOS)",
    "=(DAILY|YEARLY|WEEKLY|-?[0-9]{1,4}|[0-9]?MO|é)[;,]?){1,5}"
);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// `at` and `next_change` say what can be read off the list of all occurrences, which is in order.
    #[test]
    fn the_answers_agree_with_the_occurrences(events in prop::collection::vec(events(), 1..5), probe in 0..70_000u32) {
        let calendar = calendar(&events);
        let (from, to) = (at("2025-12-20T00:00Z"), at("2026-05-10T00:00Z"));
        let all: Vec<Occurrence> = calendar.occurrences(from, to).collect();
        prop_assert!(all.is_sorted_by_key(|one| (one.from, one.event)));
        prop_assert!(all.iter().all(|one| one.from < one.until && one.until > from && one.from < to));

        let mut probes = vec![from + SignedDuration::from_mins(i64::from(probe))];
        for one in all.iter().step_by(1 + all.len() / 20) {
            for offset in [-1, 0, 1] {
                let offset = SignedDuration::from_secs(offset);
                probes.extend([one.from + offset, one.until + offset]);
            }
        }
        for probe in probes.into_iter().filter(|probe| (from..to).contains(probe)) {
            let under_way = all.iter().filter(|one| one.from <= probe && one.until > probe);
            let expected = under_way.max_by_key(|one| (one.from, one.event));
            let found = calendar.at(probe);
            prop_assert_eq!(found.as_ref(), expected, "at {}", probe);

            let start = all.iter().map(|one| one.from).find(|start| *start > probe);
            let change = expected.map(|one| one.until).into_iter().chain(start).min();
            let found = calendar.next_change(probe).filter(|found| *found < to);
            prop_assert_eq!(found, change.filter(|change| *change < to), "after {}", probe);
        }
        // A window in the middle shows the same as the whole.
        let middle = from + SignedDuration::from_mins(i64::from(probe));
        let some: Vec<Occurrence> = calendar.occurrences(middle, to).collect();
        let expected: Vec<Occurrence> = all.into_iter().filter(|one| one.until > middle).collect();
        prop_assert_eq!(some, expected);
    }

    /// No text is a reason to panic, and a rule that is read can be used.
    #[test]
    fn any_text_of_a_rule_is_read_or_refused(text in TEXTS) {
        if let Ok(rule) = text.parse() {
            let event = Event { rule: Some(rule), ..event("Europe/Berlin", "20260301T080000", "") };
            let calendar = calendar(&[event]);
            prop_assert!(calendar.at(at("2026-03-01T07:30Z")).is_some());
            calendar.next_change(at("2500-01-01T00:00Z"));
        }
    }
}
