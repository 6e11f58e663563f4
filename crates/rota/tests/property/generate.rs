//! Periods at random: every form, with and without ranges and skips, excluding one another.

use jiff::civil::Date;
use proptest::prelude::*;
use rota::period::{Days, Definition, Hours, Month, Weekday};

/// One to four periods; each can exclude those before it. The last is the one to ask.
pub(crate) fn definitions() -> impl Strategy<Value = Vec<Definition>> {
    prop::collection::vec((period(), any::<[bool; 3]>()), 1..=4).prop_map(|periods| {
        let mut definitions: Vec<Definition> = Vec::new();
        for (n, (mut definition, excludes)) in periods.into_iter().enumerate() {
            definition.name = Some(format!("p{n}").as_str().into());
            for (other, excluded) in excludes.into_iter().enumerate().take(n) {
                if excluded {
                    definition = definition.exclude(format!("p{other}"));
                }
            }
            definitions.push(definition);
        }
        definitions
    })
}

fn period() -> impl Strategy<Value = Definition> {
    let line = (days(), prop::collection::vec(hours(), 1..=3));
    prop::collection::vec(line, 0..=9).prop_map(|lines| {
        lines.into_iter().fold(Definition::default(), |period, (days, hours)| period.rule(days, hours))
    })
}

fn hours() -> impl Strategy<Value = Hours> {
    prop_oneof![
        2 => Just(Hours::DAY),
        1 => Just(Hours { start: 0, end: 0 }),
        4 => (0u16..=1_440, 0u16..=1_440).prop_map(|(a, b)| Hours { start: a.min(b), end: a.max(b) }),
        // The hours in which clocks jump.
        3 => (0u16..=240, 0u16..=240).prop_map(|(a, b)| Hours { start: a.min(b), end: a.max(b) }),
    ]
}

fn weekday() -> impl Strategy<Value = Weekday> {
    prop::sample::select(&Weekday::ALL[..])
}

fn month() -> impl Strategy<Value = Month> {
    prop::sample::select(&Month::ALL[..])
}

fn number(most: i32) -> impl Strategy<Value = i32> {
    (1..=most, any::<bool>()).prop_map(|(n, back)| if back { -n } else { n })
}

fn date() -> impl Strategy<Value = Date> {
    (1965i16..=2105, 1i8..=12, 1i8..=31).prop_map(|(year, month, day)| {
        Date::new(year, month, 1)
            .map(|first| first.with().day(day.min(first.days_in_month())).build())
            .unwrap()
            .unwrap()
    })
}

fn skip() -> impl Strategy<Value = Option<u32>> {
    prop_oneof![2 => Just(None), 1 => (1u32..=40).prop_map(Some)]
}

/// The last day of a range and its skip, or neither.
fn range<T: std::fmt::Debug + Clone>(
    end: impl Strategy<Value = T>,
) -> impl Strategy<Value = (Option<T>, Option<u32>)> {
    (prop::option::of(end), skip()).prop_map(|(last, every)| {
        let every = every.filter(|_| last.is_some());
        (last, every)
    })
}

pub(crate) fn days() -> impl Strategy<Value = Days> {
    let month_weekday = || (weekday(), number(5), month());
    prop_oneof![
        4 => weekday().prop_map(Days::Weekday),
        1 => (date(), prop::option::of(0i32..3_000), skip()).prop_map(|(first, length, every)| {
            let last = length.map(|days| first.saturating_add(jiff::Span::new().days(days)));
            Days::Calendar { first, last, every }
        }),
        1 => (month(), number(31)).prop_flat_map(|first| {
            range((month(), number(31)))
                .prop_map(move |(last, every)| Days::MonthDate { first, last, every })
        }),
        1 => number(31).prop_flat_map(|first| {
            range(number(31)).prop_map(move |(last, every)| Days::MonthDay { first, last, every })
        }),
        1 => month_weekday().prop_flat_map(move |first| {
            range(month_weekday())
                .prop_map(move |(last, every)| Days::MonthWeekday { first, last, every })
        }),
        1 => (weekday(), number(5)).prop_flat_map(|first| {
            range((weekday(), number(5)))
                .prop_map(move |(last, every)| Days::WeekdayOffset { first, last, every })
        }),
    ]
}
