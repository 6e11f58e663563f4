//! Instants that dateutil gave: see README.md.

use jiff::Timestamp;
use rota::calendar::Start;
use rota::zone;

use super::{calendar, event, reading};

fn base36(digits: &str) -> i64 {
    i64::from_str_radix(digits, 36).unwrap()
}

/// `efvtg0 1uo0 9*1uo0 .`: instants as seconds, and whether that is all.
fn unpacked(row: &str) -> (Vec<i64>, bool) {
    let mut words: Vec<&str> = row.split(' ').collect();
    let is_all = words.pop_if(|word| *word == ".").is_some();
    let mut seconds = vec![base36(words[0])];
    for word in &words[1..] {
        let (times, gap) = word.split_once('*').unwrap_or(("1", word));
        for _ in 0..times.parse().unwrap() {
            seconds.push(seconds.last().unwrap() + base36(gap));
        }
    }
    (seconds, is_all)
}

#[test]
fn all_golden_answers_agree() {
    let path = format!("{}/tests/calendar/golden.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().filter(|line| !line.starts_with('#')).peekable();
    let (mut cases, mut instants) = (0, 0);
    let mut wrong = Vec::new();
    while let Some(case) = lines.next() {
        let fields: Vec<&str> = case.split('|').collect();
        let [zone, start, rule, excluded, added] = fields[..] else { panic!("{case}") };
        let mut event = event(zone, start, rule);
        let zone = zone::find(zone).unwrap();
        let listed = |list: &str| -> Vec<Start> {
            list.split(',').filter(|one| !one.is_empty()).map(|one| reading(one, &zone)).collect()
        };
        event.excluded = listed(excluded);
        event.added = listed(added).into_iter().map(|start| (start, None)).collect();
        let calendar = calendar(&[event]);

        let (expected, is_all) = unpacked(lines.next().unwrap());
        let mut found = calendar.occurrences(Timestamp::MIN, Timestamp::MAX).map(|one| one.from.as_second());
        let first: Vec<i64> = found.by_ref().take(expected.len()).collect();
        if first != expected || is_all && found.next().is_some() {
            wrong.push(format!("{case}\n  found {first:?}\n  not   {expected:?}"));
        }
        if let Some(far) = lines.next_if(|line| line.starts_with('@')) {
            let (from, row) = far[1..].split_once(' ').unwrap();
            let from = Timestamp::from_second(base36(from)).unwrap();
            let (expected, _) = unpacked(row);
            let found = calendar.occurrences(from, Timestamp::MAX).map(|one| one.from.as_second());
            let found: Vec<i64> = found.filter(|one| *one >= from.as_second()).take(expected.len()).collect();
            if found != expected {
                wrong.push(format!("{case}\n  from {from} found {found:?}\n  not {expected:?}"));
            }
            instants += expected.len();
        }
        cases += 1;
        instants += expected.len();
    }
    assert!(wrong.is_empty(), "{} of {cases} cases are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cases >= 400 && instants >= 8_000, "{cases} cases, {instants} instants");
}
