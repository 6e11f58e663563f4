//! How fast a period answers, how fast periods compile, and how much memory they take.
//!
//! Each sample asks of 65,536 instants spread at random over the years 2007 to 2012; the throughput
//! is answers per second. `warm` is with the window laid out over these years, `cold` without.
//! Naemon 1.5.2 itself, on a machine of this kind (checks, and searches for the next instant in):
//!
//! | period | check UTC | check New York | next UTC |
//! |---|---|---|---|
//! | 24x7 | 4.9 M/s | 3.7 M/s | 5.0 M/s |
//! | weekdays without holidays | 463 k/s | 343 k/s | 170 k/s |
//! | alternating weeks | 614 k/s | 535 k/s | 240 k/s |
//! | 100 exceptions, 3 excludes | 72 k/s | 54 k/s | 25 k/s |
#![expect(clippy::unwrap_used, reason = "what is unwrapped is written here")]
#![expect(clippy::print_stdout, reason = "memory is reported beside the times")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use jiff::Timestamp;
use jiff::civil::date;
use rota::period::{Definition, Period, ZonedPeriod, compile};
use rota::{syntax, zone};

const PERIODS: [&str; 4] = ["24x7", "weekdays", "alternate", "hundred"];
const ZONES: [&str; 2] = ["UTC", "America/New_York"];

fn main() {
    for name in PERIODS {
        for zone in ZONES {
            let cold = zoned(name, zone);
            let mut warm = cold.clone();
            warm.warm(first(), last());
            let compiled = cold.period().state_bytes();
            println!(
                "{name} in {zone}: compiled {compiled} bytes, window over six years {} bytes",
                warm.state_bytes() - cold.state_bytes()
            );
        }
    }
    divan::main();
}

fn first() -> Timestamp {
    "2007-01-01T00:00:00Z".parse().unwrap()
}

fn last() -> Timestamp {
    "2013-01-01T00:00:00Z".parse().unwrap()
}

/// 65,536 instants from a fixed linear congruential generator.
fn instants() -> Vec<Timestamp> {
    let (first, last) = (first().as_second(), last().as_second());
    let mut state = 42u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        first + (state >> 16) as i64 % (last - first)
    };
    (0..65_536).map(|_| Timestamp::from_second(next()).unwrap()).collect()
}

/// The four periods as text.
fn text() -> String {
    let every_day = |hours: &str| -> String {
        let days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
        days.map(|day| format!("  {day} {hours}\n")).concat()
    };
    let period =
        |name: &str, body: &str| format!("define timeperiod {{\n  timeperiod_name {name}\n{body}}}\n");
    let alternate: String = ["07-29", "07-30", "07-31", "08-01", "08-02", "08-03", "08-04"]
        .map(|day| format!("  2007-{day} / 14 00:00-24:00\n"))
        .concat();
    let weekdays = "  monday 00:00-24:00\n  tuesday 00:00-24:00\n  wednesday 00:00-24:00\n  \
                    thursday 00:00-24:00\n  friday 00:00-24:00\n  exclude holidays\n";
    let holidays = "  january 1 00:00-24:00\n  2008-03-23 00:00-24:00\n  2009-04-12 00:00-24:00\n  \
                    monday -1 may 00:00-24:00\n  july 4 00:00-24:00\n  \
                    monday 1 september 00:00-24:00\n  thursday 4 november 00:00-24:00\n  \
                    december 25 00:00-24:00\n  december 31 17:00-24:00\n";
    let mut hundred = every_day("08:00-12:00,13:00-18:00");
    for n in 0..40 {
        let (year, month, day) = (2007 + n % 6, 1 + n % 12, 1 + n * 7 % 28);
        hundred += &format!("  {year}-{month:02}-{day:02} 09:00-12:00\n");
    }
    for n in 0..30 {
        let month = ["january", "march", "may", "july", "august", "october"][n % 6];
        hundred += &format!("  {month} {} 10:00-16:00\n", 1 + n);
    }
    for n in 0..20 {
        let month = ["february", "april", "june", "september", "november"][n % 5];
        let weekday = ["monday", "tuesday", "thursday", "friday"][n % 4];
        hundred += &format!("  {weekday} {} {month} 07:00-09:00\n", 1 + n % 4);
    }
    for n in 1..=10 {
        hundred += &format!("  day {} 06:00-20:00\n", n * 3 - 1);
    }
    hundred += "  exclude holidays,lunch,nights\n";
    [
        period("24x7", &every_day("00:00-24:00")),
        period("holidays", holidays),
        period("weekdays", weekdays),
        period("alternate", &alternate),
        period("lunch", &every_day("12:30-13:30")),
        period("nights", &every_day("00:00-06:30,22:00-24:00")),
        period("hundred", &hundred),
    ]
    .concat()
}

fn compiled(name: &str) -> Period {
    let document = syntax::read_text("bench", &text());
    let compiled = compile(&document.definitions, date(2007, 1, 1));
    assert!(!compiled.has_errors() && document.problems.is_empty());
    compiled.find(name).unwrap().clone()
}

fn zoned(name: &str, zone: &str) -> ZonedPeriod {
    compiled(name).in_zone(zone::find(zone).unwrap())
}

fn cases() -> impl Iterator<Item = String> {
    let pairs = PERIODS.iter().flat_map(|p| ZONES.map(|z| format!("{p} {z}")));
    pairs.collect::<Vec<_>>().into_iter()
}

fn ask<T>(bencher: Bencher<'_, '_>, case: &str, warm: bool, ask: impl Fn(&ZonedPeriod, Timestamp) -> T) {
    let (name, zone) = case.split_once(' ').unwrap();
    let mut period = zoned(name, zone);
    if warm {
        period.warm(first(), last());
    }
    let instants = instants();
    bencher.counter(ItemsCount::new(instants.len())).bench_local(|| {
        for &at in &instants {
            black_box(ask(black_box(&period), at));
        }
    });
}

#[divan::bench(args = cases())]
fn check_warm(bencher: Bencher<'_, '_>, case: &str) {
    ask(bencher, case, true, ZonedPeriod::contains);
}

#[divan::bench(args = cases())]
fn next_in_warm(bencher: Bencher<'_, '_>, case: &str) {
    ask(bencher, case, true, ZonedPeriod::next_in);
}

#[divan::bench(args = cases())]
fn next_out_warm(bencher: Bencher<'_, '_>, case: &str) {
    ask(bencher, case, true, ZonedPeriod::next_out);
}

#[divan::bench(args = cases())]
fn check_cold(bencher: Bencher<'_, '_>, case: &str) {
    ask(bencher, case, false, ZonedPeriod::contains);
}

#[divan::bench(args = cases())]
fn next_in_cold(bencher: Bencher<'_, '_>, case: &str) {
    ask(bencher, case, false, ZonedPeriod::next_in);
}

/// Laying out the window over six years.
#[divan::bench(args = cases())]
fn warm(bencher: Bencher<'_, '_>, case: &str) {
    let (name, zone) = case.split_once(' ').unwrap();
    let mut period = zoned(name, zone);
    bencher.bench_local(|| black_box(&mut period).warm(first(), last()));
}

/// 10,000 periods: copies of the four with other names, and what they exclude.
fn many() -> Vec<Definition> {
    let document = syntax::read_text("bench", &text());
    let mut definitions = Vec::new();
    for n in 0..10_000 / document.definitions.len() + 1 {
        for definition in &document.definitions {
            let mut copy = definition.clone();
            for name in copy.name.iter_mut().chain(&mut copy.exclude) {
                name.value = format!("{}-{n}", name.value);
            }
            definitions.push(copy);
        }
    }
    definitions.truncate(10_003);
    definitions
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn compile_10_000_periods(bencher: Bencher<'_, '_>) {
    let definitions = many();
    bencher
        .counter(ItemsCount::new(definitions.len()))
        .bench_local(|| compile(black_box(&definitions), date(2026, 1, 1)));
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn read_and_compile_10_000_periods(bencher: Bencher<'_, '_>) {
    let text = syntax::print(&many());
    bencher.counter(ItemsCount::new(10_003usize)).bench_local(|| {
        let document = syntax::read_text("bench", black_box(&text));
        compile(&document.definitions, date(2026, 1, 1))
    });
}
