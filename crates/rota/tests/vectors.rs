//! Golden answers, made with Naemon itself and corrected where Naemon is wrong.
//!
//! `naemon/*.cfg` load in Naemon 1.5.2. `naemon/answers.txt` asks of their periods, in eight zones:
//! is this instant in, and when does that end? Two lines for each period and zone: names, then
//! answers such as `8so+1ta`. Numbers are in base 36. The first is the instant, in seconds after
//! the one before it; `+` is in, `-` is out; the last is how many seconds until that ends, `*` if
//! not within 2,922 days.
//!
//! `naemon/intervals.txt` has all that is in from one instant to another: configuration, period,
//! zone, from, to, first start; then `on/off` lengths, `*` times.

#![expect(clippy::unwrap_used, reason = "what is read here stands in this repository")]

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::date;
use rota::period::{Period, compile};
use rota::{syntax, zone};

const HORIZON: i64 = 2_922 * 86_400;

fn file(name: &str) -> String {
    let path = format!("{}/tests/naemon/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The periods of all configurations, by configuration and name.
fn periods() -> HashMap<(String, String), Period> {
    let configs = ["hand", "scenario1", "scenario2", "scenario3", "scenario4"].map(str::to_owned);
    let random = (0..6).map(|n| format!("random{n}"));
    let mut periods = HashMap::new();
    for config in configs.into_iter().chain(random) {
        let document = syntax::read_text(&config, &file(&format!("{config}.cfg")));
        assert_eq!(document.problems.iter().filter(|p| p.is_error()).count(), 0);
        let compiled = compile(&document.definitions, date(2007, 1, 1));
        for period in compiled.periods {
            periods.insert((config.clone(), period.name().to_owned()), period);
        }
    }
    periods
}

fn base36(digits: &str) -> i64 {
    i64::from_str_radix(digits, 36).unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn all_golden_answers_agree() {
    let periods = periods();
    let answers = file("answers.txt");
    let mut lines = answers.lines().filter(|line| !line.starts_with('#'));
    let mut asked = 0;
    let mut wrong = Vec::new();
    while let (Some(names), Some(rows)) = (lines.next(), lines.next()) {
        let names: Vec<&str> = names.split(' ').collect();
        let period = &periods[&(names[0].to_owned(), names[1].to_owned())];
        let mut period = period.in_zone(zone::find(names[2]).unwrap());
        for warm in [false, true] {
            if warm {
                period.warm(at(1_150_000_000), at(1_400_000_000));
            }
            let mut t = 0;
            for row in rows.split(' ') {
                let sign = row.find(['+', '-']).unwrap();
                t += base36(&row[..sign]);
                let inside = &row[sign..=sign] == "+";
                let ends = Some(&row[sign + 1..]).filter(|ends| *ends != "*");
                let ends = ends.map(|ends| t + base36(ends));
                let (next_in, next_out) = (period.next_in(at(t)), period.next_out(at(t)));
                let (here, change) = if inside { (next_in, next_out) } else { (next_out, next_in) };
                let change = change.map(Timestamp::as_second);
                let agrees = period.contains(at(t)) == inside
                    && here == Some(at(t))
                    && match ends {
                        Some(_) => change == ends,
                        None => change.is_none_or(|change| change > t + HORIZON),
                    };
                asked += 1;
                if !agrees {
                    wrong.push(format!("{names:?} {t} in={inside} ends={ends:?}: {change:?}"));
                }
            }
        }
    }
    println!("{asked} asked, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong[..wrong.len().min(50)].join("\n"));
    assert_eq!(asked, 2 * 56_080);
}

#[test]
fn all_intervals_of_the_scenarios_agree() {
    let periods = periods();
    let intervals = file("intervals.txt");
    let mut lines = intervals.lines().filter(|line| !line.starts_with('#'));
    let mut compared = 0;
    while let (Some(head), Some(lengths)) = (lines.next(), lines.next()) {
        let head: Vec<&str> = head.split(' ').collect();
        let numbers: Vec<i64> = head[3..].iter().map(|n| n.parse().unwrap()).collect();
        let (from, to, mut t) = (numbers[0], numbers[1], numbers[2]);
        let mut expected = Vec::new();
        for run in lengths.split(' ') {
            let (pair, times) = run.split_once('*').unwrap_or((run, "1"));
            let (on, off) = pair.split_once('/').unwrap_or((pair, "0"));
            for _ in 0..times.parse().unwrap() {
                expected.push((t, t + base36(on)));
                t += base36(on) + base36(off);
            }
        }
        let period = &periods[&(head[0].to_owned(), head[1].to_owned())];
        let mut period = period.in_zone(zone::find(head[2]).unwrap());
        for warm in [false, true] {
            if warm {
                period.warm(at(from), at(to));
            }
            let found: Vec<_> = period
                .intervals(at(from), at(to))
                .map(|i| (i.start.as_second(), i.end.as_second()))
                .collect();
            assert_eq!(found, expected, "{head:?}");
        }
        compared += expected.len();
    }
    println!("{compared} intervals compared");
}
