//! How fast schedules answer: who is on call in 10,000 schedules of six layers, and the shifts of a year for
//! 1,000 teams; beside what a conversion of an instant to a clock reading takes, in the same run.
#![expect(clippy::unwrap_used, reason = "what is unwrapped is written here")]
#![expect(clippy::print_stdout, reason = "ratios are reported beside the times")]
#![expect(clippy::disallowed_methods, reason = "a bench measures time")]

use std::sync::Arc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use jiff::Timestamp;
use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use rota::period::{Compiled, ZonedPeriod, compile};
use rota::rotation::{Edition, Length, People, Rotation};
use rota::schedule::{Layer, Role, Schedule, Who};
use rota::{syntax, zone};

const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"];
const ROLE: &str = "primary";

const PERIODS: &str = "
define timeperiod {
    timeperiod_name  weekdays
    monday     00:00-24:00
    tuesday    00:00-24:00
    wednesday  00:00-24:00
    thursday   00:00-24:00
    friday     00:00-24:00
}
define timeperiod {
    timeperiod_name  office
    monday     08:00-18:00
    tuesday    08:00-18:00
    wednesday  08:00-18:00
    thursday   08:00-18:00
    friday     08:00-18:00
}
define timeperiod {
    timeperiod_name  holidays
    january 1    00:00-24:00
    december 25  00:00-24:00
    december 26  00:00-24:00
}
";

fn main() {
    let instants = instants();
    let zones: Vec<TimeZone> = (0..ZONES.len()).map(zone).collect();
    let cold = six_layers_10_000();
    let mut warm = cold.clone();
    for schedule in &mut warm {
        schedule.warm(first(), last());
    }
    let reading = nanoseconds(|| read_clocks(&zones, &instants)) / instants.len() as f64;
    for (name, schedules) in [("laid out", &warm), ("not laid out", &cold)] {
        let each = nanoseconds(|| ask_all(schedules, &instants)) / instants.len() as f64;
        println!("on call, {name}: {each:.0} ns, {:.0} clock readings of {reading:.0} ns", each / reading);
    }
    drop(warm);
    let teams = three_layers_1_000();
    let count = year(&teams);
    let all = nanoseconds(|| black_box(year(&teams)));
    println!(
        "a year of 1,000 teams: {:.0} ms, {count} shifts, {:.1} clock readings each",
        all / 1e6,
        all / count as f64 / reading
    );
    divan::main();
}

/// The shortest of five runs.
fn nanoseconds<T>(run: impl Fn() -> T) -> f64 {
    let times = (0..5).map(|_| {
        let begin = std::time::Instant::now();
        black_box(run());
        begin.elapsed().as_secs_f64() * 1e9
    });
    times.fold(f64::INFINITY, f64::min)
}

fn first() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn last() -> Timestamp {
    "2027-01-01T00:00:00Z".parse().unwrap()
}

/// 65,536 instants of the year from a fixed linear congruential generator.
fn instants() -> Vec<Timestamp> {
    let (first, last) = (first().as_second(), last().as_second());
    let mut state = 42u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        first + (state >> 16) as i64 % (last - first)
    };
    (0..65_536).map(|_| Timestamp::from_second(next()).unwrap()).collect()
}

fn zone(team: usize) -> TimeZone {
    zone::find(ZONES[team % ZONES.len()]).unwrap()
}

fn people(names: &[&str]) -> People {
    names.iter().map(|name| Arc::from(*name)).collect()
}

fn periods() -> Compiled {
    let document = syntax::read_text("bench", PERIODS);
    let compiled = compile(&document.definitions, date(2026, 1, 1));
    assert!(!compiled.has_errors() && document.problems.is_empty());
    compiled
}

fn rotation(team: usize, length: Length, start: DateTime) -> Who {
    let members = ["john", "bob", "alice", "carol", "dave"];
    let count = 2 + team % (members.len() - 1);
    let edition = Edition {
        from: "2020-01-01T00:00:00Z".parse().unwrap(),
        start,
        length,
        members: members[..count].iter().map(|name| people(&[name])).collect(),
        first: 0,
    };
    Who::Rotation(Arc::new(Rotation::new(zone(team), vec![edition]).unwrap()))
}

fn layer(who: Who, within: Option<ZonedPeriod>) -> Layer {
    Layer { name: "layer".into(), who, ahead: 0, within, shadow: false }
}

/// Six layers: a weekly rotation at the bottom, then by day and night, office hours, holidays; and a shadow.
fn six_layers(team: usize, periods: &Compiled) -> Schedule {
    let within = |name| Some(periods.find(name).unwrap().in_zone(zone(team)));
    let monday = date(2020, 1, 6).at(8, 0, 0, 0);
    let layers = vec![
        layer(Who::People(people(&["manager"])), None),
        layer(rotation(team, Length::Days(vec![7]), monday), None),
        layer(rotation(team, Length::Hours(12), monday), within("weekdays")),
        layer(rotation(team, Length::Days(vec![1]), monday), within("office")),
        layer(Who::People(people(&["volunteer"])), within("holidays")),
        Layer { shadow: true, ..layer(rotation(team, Length::Months(1), monday), None) },
    ];
    Schedule::new(zone(team), vec![Role { name: ROLE.into(), layers }])
}

/// A third each of weekly, daily and twelve-hour rotations, over a manager, under a layer for holidays.
fn three_layers(team: usize, periods: &Compiled) -> Schedule {
    let length = [Length::Days(vec![7]), Length::Days(vec![1]), Length::Hours(12)][team % 3].clone();
    let layers = vec![
        layer(Who::People(people(&["manager"])), None),
        layer(rotation(team, length, date(2020, 1, 6).at(8, 0, 0, 0)), None),
        layer(
            Who::People(people(&["volunteer"])),
            Some(periods.find("holidays").unwrap().in_zone(zone(team))),
        ),
    ];
    Schedule::new(zone(team), vec![Role { name: ROLE.into(), layers }])
}

fn six_layers_10_000() -> Vec<Schedule> {
    let periods = periods();
    (0..10_000).map(|team| six_layers(team, &periods)).collect()
}

fn three_layers_1_000() -> Vec<Schedule> {
    let periods = periods();
    (0..1_000).map(|team| three_layers(team, &periods)).collect()
}

fn ask_all(schedules: &[Schedule], instants: &[Timestamp]) {
    for (n, &at) in instants.iter().enumerate() {
        black_box(black_box(&schedules[n * 7_919 % schedules.len()]).on_call(at, ROLE));
    }
}

fn read_clocks(zones: &[TimeZone], instants: &[Timestamp]) {
    for (n, &at) in instants.iter().enumerate() {
        black_box(black_box(&zones[n % zones.len()]).to_datetime(at));
    }
}

fn year(schedules: &[Schedule]) -> usize {
    schedules.iter().map(|schedule| schedule.shifts(first(), last(), ROLE).count()).sum()
}

/// On call in 10,000 schedules of six layers, the whole year laid out.
#[divan::bench]
fn on_call_warm(bencher: Bencher<'_, '_>) {
    let mut schedules = six_layers_10_000();
    for schedule in &mut schedules {
        schedule.warm(first(), last());
    }
    let instants = instants();
    bencher.counter(ItemsCount::new(instants.len())).bench_local(|| ask_all(&schedules, &instants));
}

/// The same with nothing laid out.
#[divan::bench]
fn on_call_cold(bencher: Bencher<'_, '_>) {
    let schedules = six_layers_10_000();
    let instants = instants();
    bencher.counter(ItemsCount::new(instants.len())).bench_local(|| ask_all(&schedules, &instants));
}

/// For comparison: the clock reading at an instant, which every answer needs when nothing is laid out.
#[divan::bench]
fn clock_reading(bencher: Bencher<'_, '_>) {
    let zones: Vec<TimeZone> = (0..ZONES.len()).map(zone).collect();
    let instants = instants();
    bencher.counter(ItemsCount::new(instants.len())).bench_local(|| read_clocks(&zones, &instants));
}

/// The shifts of a year for 1,000 teams of three layers.
#[divan::bench(sample_count = 20, sample_size = 1)]
fn year_of_1_000_teams(bencher: Bencher<'_, '_>) {
    let schedules = three_layers_1_000();
    bencher.counter(ItemsCount::new(schedules.len())).bench_local(|| year(&schedules));
}

/// Laying out a year of a schedule of six layers.
#[divan::bench]
fn warm_a_year(bencher: Bencher<'_, '_>) {
    let mut schedule = six_layers(0, &periods());
    bencher.bench_local(|| black_box(&mut schedule).warm(first(), last()));
}
