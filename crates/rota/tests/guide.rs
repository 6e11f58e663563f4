//! The examples of the guide to the period language are true.
//!
//! A `naemon` block loads without a problem. Each line of the `answers` block after it is a period,
//! a zone, a reading of the clock there, whether that is in, and the reading at which this ends. A
//! `wrong` block has exactly the problems of the `problems` block after it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "the guide stands in this repository")]

use jiff::civil::{DateTime, date};
use rota::period::{Compiled, compile};
use rota::{diagnostic, syntax, zone};

/// The language and the text of each code block.
fn blocks() -> Vec<(String, String)> {
    let path = format!("{}/../../docs/guide/periods.md", env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(path).unwrap();
    let mut blocks = Vec::new();
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language.to_owned(), text.join("\n")));
        }
    }
    blocks
}

/// Compiles a text, and shows its problems.
fn load(text: &str) -> (Compiled, String) {
    let document = syntax::read_text("periods.cfg", text);
    let compiled = compile(&document.definitions, date(2026, 1, 1));
    let mut problems = [&document.problems[..], &compiled.problems].concat();
    diagnostic::sort(&mut problems);
    (compiled, document.files.render_all(&problems))
}

fn check_answer(compiled: &Compiled, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    let [name, zone, day, time, state, "until", end_day, end_time] = words[..] else {
        panic!("an answer is not written as it should be: {line}");
    };
    let zone = zone::find(zone).unwrap();
    let period = compiled.find(name).unwrap().in_zone(zone.clone());
    let reading = |day: &str, time: &str| -> DateTime { format!("{day}T{time}").parse().unwrap() };
    let at = zone.to_timestamp(reading(day, time)).unwrap();
    let inside = period.contains(at);
    assert_eq!(inside, state == "in", "{line}");
    let end = if inside { period.next_out(at) } else { period.next_in(at) };
    assert_eq!(zone.to_datetime(end.unwrap()), reading(end_day, end_time), "{line}");
}

#[test]
fn every_example_is_true() {
    let mut before = Compiled::default();
    let mut shown = String::new();
    let mut answers = 0;
    let mut is_language = true;
    for (language, text) in blocks() {
        // Files around the language, and the command line, have their tests where they are made.
        is_language = match language.as_str() {
            "naemon" | "wrong" => true,
            "toml" | "wrong-toml" | "json" | "show" | "calendar" | "questions" | "replies" => false,
            _ => is_language,
        };
        if !is_language {
            continue;
        }
        match language.as_str() {
            "naemon" => {
                (before, shown) = load(&text);
                assert_eq!(shown, "", "{text}");
            }
            "wrong" => (before, shown) = load(&text),
            "problems" => assert_eq!(shown.trim_end(), text.trim_end(), "{shown}"),
            "answers" => {
                for line in text.lines() {
                    check_answer(&before, line);
                    answers += 1;
                }
            }
            other => panic!("what is a block of \"{other}\"?"),
        }
    }
    assert!(answers >= 15);
}
