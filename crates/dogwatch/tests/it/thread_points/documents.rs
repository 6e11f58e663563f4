//! Points 26 to 28: tests, documentation, the quick start, and that it is in the program that people get.

use std::collections::BTreeSet;
use std::path::Path;

use crate::support::World;
use crate::support::command::{folder, run_with};
use crate::support::definitions::{ops, people};
use crate::support::guide::{blocks, page};
use crate::support::process::{Process, TOKEN};

/// A row of the table of points: its number, where it is told, its test.
fn rows() -> Vec<(usize, String, String)> {
    let guide = page("escalation");
    let of_row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [number, _, told, test] = cells[..] else { return None };
        Some((number.parse().ok()?, told.to_owned(), test.trim_matches('`').to_owned()))
    };
    guide.lines().filter(|line| line.starts_with("| ")).filter_map(of_row).collect()
}

/// The names of the tests of this folder.
fn tests() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/thread_points");
    let mut names = BTreeSet::new();
    for file in std::fs::read_dir(path).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if matches!(line, "#[test]" | "#[tokio::test]" | "#[tokio::test(flavor = \"multi_thread\")]") {
                let function =
                    lines.next().unwrap().trim_start_matches("async ").strip_prefix("fn ").unwrap();
                names.insert(function.split('(').next().unwrap().to_owned());
            }
        }
    }
    names
}

/// As a forge makes the address of a heading.
fn anchor(heading: &str) -> String {
    let letters = heading.trim_start_matches('#').trim().to_lowercase();
    letters
        .chars()
        .filter(|it| it.is_alphanumeric() || " -".contains(*it))
        .collect::<String>()
        .replace(' ', "-")
}

#[test]
fn teams_and_escalation_have_tests_and_documentation_point_by_point() {
    let rows = rows();
    let numbers: Vec<usize> = rows.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (1..=28).collect::<Vec<_>>(), "every point has its row");
    let named: BTreeSet<String> = rows.iter().map(|(_, _, test)| test.clone()).collect();
    assert_eq!(named, tests(), "the tests of the table are those that there are");
    let guide = page("escalation");
    let anchors: BTreeSet<String> = guide.lines().filter(|line| line.starts_with('#')).map(anchor).collect();
    for (number, told, _) in rows {
        let place = told.split("](").nth(1).unwrap().trim_end_matches(')');
        let is_there = match place.split_once('#') {
            Some(("", heading)) => anchors.contains(heading),
            _ => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide").join(place).exists(),
        };
        assert!(is_there, "point {number}: {place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_quick_start_guide_and_it_is_true() {
    let mut world = World::new().await;
    world.clock.set("2026-03-03T11:00:00Z".parse().unwrap());
    let blocks = blocks("escalation");
    let (_, team) = blocks.iter().find(|(language, _)| language == "toml").unwrap();
    let made = folder(&[("team.toml", team)]);
    let mut commands = 0;
    for (_, text) in blocks.iter().filter(|(language, _)| language == "quick-start") {
        for told in text.split("$ dogwatch ").skip(1) {
            let (command, wanted) = told.split_once('\n').unwrap_or((told, ""));
            let words = crate::escalating::words(command);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let variables = [("DOGWATCH_URL", world.url.as_str()), ("DOGWATCH_TOKEN", crate::support::TOKEN)];
            let ran = run_with(made.path(), &words, "", &variables);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{command}");
            let shown = ran.out.replace(&world.url, "http://127.0.0.1:8420");
            assert_eq!(shown.trim_end(), wanted.trim_end(), "{command}: as it is:\n{shown}");
            commands += 1;
            // Between two commands a person has looked at it for half a minute.
            world.pass_seconds(30).await;
        }
    }
    assert!(commands >= 5, "{commands} commands");
}

#[test]
fn it_is_in_the_program_that_is_shipped() {
    let text = people() + &ops(r#"steps = [{ notify = ["on_call"], after = "5m" }]"#);
    let made = folder(&[("team.toml", text.as_str())]);
    let process = Process::serve(&made.path().join("d.db"), &[]);
    let run = |arguments: &[&str]| {
        let variables = [("DOGWATCH_URL", process.url.as_str()), ("DOGWATCH_TOKEN", TOKEN)];
        let ran = run_with(made.path(), arguments, "", &variables);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}");
        ran.out
    };
    run(&["apply", "team.toml"]);
    run(&["notify", "ops", "disk full", "--severity", "critical"]);
    run(&["alert", "ack", "1"]);
    let shown = run(&["alert", "show", "1"]);
    assert!(shown.contains("Triggered for the team ops") && shown.contains("Acknowledged: "), "{shown}");
}
