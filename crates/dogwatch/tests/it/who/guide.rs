//! The examples of the guide to rotations are true.
//!
//! A `toml` block is a whole set of definitions, together with the periods of a `naemon` block before it. `check`
//! finds nothing wrong with them from 2 February 2026 on, or exactly what a `problems` block after it says. A line of an
//! `on-call` block is a team (and a role), a reading of the clock in the zone of its schedule, and who is on call
//! then. A `console` block is a command and what it prints.

use serde_json::Value;

use super::{folder, run};
use crate::support::guide::blocks;

/// From when on `check` looks ahead.
const FROM: &str = "2026-02-02";

/// The words of a command; those in quotes are one.
fn words(line: &str) -> Vec<String> {
    let parts = line.split('"').enumerate();
    parts
        .flat_map(|(place, part)| match place % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

fn check_answer(folder: &std::path::Path, line: &str) {
    let [asked, day, time, wanted] = line.split(' ').collect::<Vec<_>>()[..] else {
        panic!("an answer is not written as it should be: {line}");
    };
    let (team, role) = asked.split_once('/').unwrap_or((asked, "primary"));
    let at = format!("{day} {time}");
    let ran = run(folder, &["who", team, "--at", &at, "--json", "--config", "."], "");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
    let answer: Value = serde_json::from_str(&ran.out).unwrap();
    let roles = answer["roles"].as_array().unwrap();
    let role = roles.iter().find(|known| known["role"] == role).unwrap();
    let people = role["now"]["people"].as_array().unwrap();
    let names: Vec<&str> = people.iter().map(|person| person["name"].as_str().unwrap()).collect();
    let names = if names.is_empty() { "nobody".to_owned() } else { names.join("+") };
    assert_eq!(names, wanted, "{line}");
}

#[test]
fn every_example_is_true() {
    let mut periods: Option<String> = None;
    let mut definitions: Option<tempfile::TempDir> = None;
    let mut problems = String::new();
    let (mut sets, mut answers) = (0, 0);
    for (language, text) in blocks("rotations") {
        if language != "problems" {
            assert_eq!(std::mem::take(&mut problems), "");
        }
        match language.as_str() {
            "naemon" => periods = Some(text),
            "toml" => {
                let mut files = vec![("definitions.toml", text.as_str())];
                let cfg = periods.take();
                files.extend(cfg.as_deref().map(|cfg| ("periods.cfg", cfg)));
                let made = folder(&files);
                let names = files.iter().map(|(name, _)| *name);
                let arguments: Vec<&str> = ["check", "--from", FROM].into_iter().chain(names).collect();
                let ran = run(made.path(), &arguments, "");
                assert_eq!(ran.code, 0, "{}\n{text}", ran.out);
                // Without the last line, which counts them.
                problems = ran.out.trim_end().rsplit_once("\n\n").map_or("", |(found, _)| found).to_owned();
                definitions = Some(made);
                sets += 1;
            }
            "problems" => assert_eq!(std::mem::take(&mut problems).trim_end(), text),
            "on-call" => {
                let folder = definitions.as_ref().unwrap().path();
                text.lines().for_each(|line| check_answer(folder, line));
                answers += text.lines().count();
            }
            "console" => {
                let (command, wanted) = text.split_once('\n').unwrap();
                let words = words(command.strip_prefix("$ dogwatch ").unwrap());
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                let ran = run(definitions.as_ref().unwrap().path(), &words, "");
                assert_eq!(ran.err, "");
                assert_eq!(ran.out.trim_end(), wanted, "as it is:\n{}", ran.out);
            }
            other => panic!("a block of {other} is no test"),
        }
    }
    assert_eq!(problems, "");
    assert!(sets >= 10 && answers >= 50, "{sets} sets of definitions, {answers} answers");
}
