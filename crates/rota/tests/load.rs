//! What loads, what loads with a warning, and what does not: the cases of `naemon/load_cases.txt`,
//! each a name, what to do with it, and an indented text.

#![expect(clippy::unwrap_used, reason = "what is read here stands in this repository")]

use jiff::civil::date;
use rota::diagnostic::Problem;
use rota::period::compile;
use rota::syntax;

/// Cases where this crate does something else than the case says, each with its reason.
const DIFFERENCES: [(&str, &str, &str); 0] = [];

fn cases() -> Vec<(String, String, String)> {
    let path = format!("{}/tests/naemon/load_cases.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut cases: Vec<(String, String, Vec<String>)> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(line) = line.strip_prefix("    ") {
            let line = line.replace("\\r", "\r").replace("\\t", "\t").replace("\\\\", "\\");
            cases.last_mut().unwrap().2.push(line);
        } else if let Some((name, verdict)) = line.split_once(": ") {
            cases.push((name.to_owned(), verdict.to_owned(), Vec::new()));
        }
    }
    cases.into_iter().map(|(name, verdict, lines)| (name, verdict, lines.join("\n"))).collect()
}

#[test]
fn load_cases_agree() {
    let mut wrong = Vec::new();
    let cases = cases();
    assert_eq!(cases.len(), 75);
    for (name, verdict, text) in cases {
        let document = syntax::read_text(&name, &text);
        let compiled = compile(&document.definitions, date(2026, 1, 1));
        let problems = [document.problems, compiled.problems].concat();
        let ours = if problems.iter().any(Problem::is_error) {
            "reject"
        } else if problems.is_empty() {
            "accept"
        } else {
            "warn"
        };
        let difference = DIFFERENCES.iter().find(|(case, ..)| *case == name);
        let expected = difference.map_or(verdict.as_str(), |(_, ours, _)| ours);
        if ours != expected {
            let shown = document.files.render_all(&problems);
            wrong.push(format!("{name}: {ours} instead of {expected}\n{text}\n{shown}"));
        }
        if std::env::var_os("SHOW_PROBLEMS").is_some() {
            println!("=== {name}: {ours}\n{}", document.files.render_all(&problems));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
