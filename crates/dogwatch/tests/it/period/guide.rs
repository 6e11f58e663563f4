//! The examples of the guide to periods that are about TOML and the command line are true.
//!
//! A `toml` block passes `check`. Each line of the `answers` block after it is a period, a zone, a
//! reading of the clock there, whether that is in, and the reading at which this ends. A `wrong-toml`
//! block has exactly the problems of the `problems` block after it. A `show` block is the arguments of
//! a `period show` of the last `toml` block, which draws the `calendar` block; `questions` and
//! `replies` are what `period eval` reads and writes.

use jiff::civil::DateTime;
use serde_json::Value;

use super::{Ran, folder, run};
use crate::support::guide::blocks;

fn check_answer(toml: &str, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    let [name, zone, day, time, state, "until", end_day, end_time] = words[..] else {
        panic!("an answer is not written as it should be: {line}");
    };
    let clock = rota::zone::find(zone).unwrap();
    let second = |day: &str, time: &str| {
        let reading: DateTime = format!("{day}T{time}").parse().unwrap();
        clock.to_timestamp(reading).unwrap().as_second()
    };
    let question = format!("{{\"tz\":\"{zone}\",\"period\":\"{name}\",\"t\":{}}}", second(day, time));
    let answer: Value = serde_json::from_str(&eval(toml, &question).out).unwrap();
    assert_eq!(answer["in"], state == "in", "{line}");
    let change = if state == "in" { "next_invalid" } else { "next_valid" };
    assert_eq!(answer[change], second(end_day, end_time), "{line}");
}

fn eval(toml: &str, questions: &str) -> Ran {
    let folder = folder(&[("periods.toml", toml)]);
    run(folder.path(), &["period", "eval", "--config", "periods.toml"], questions)
}

fn check(toml: &str) -> Ran {
    let folder = folder(&[("periods.toml", toml)]);
    run(folder.path(), &["check", "periods.toml"], "")
}

#[test]
fn every_example_is_true() {
    let mut toml = String::new();
    let mut shown: Option<String> = None;
    let mut is_ours = false;
    let mut seen = 0;
    for (language, text) in blocks("periods") {
        match language.as_str() {
            "naemon" | "wrong" => is_ours = false,
            "toml" => {
                let ran = check(&text);
                assert!(ran.code == 0 && ran.out.ends_with(": no problems\n"), "{}", ran.out);
                (toml, is_ours) = (text, true);
            }
            "wrong-toml" => {
                let ran = check(&text);
                assert_eq!(ran.code, 1);
                // Without the last line, which counts them.
                shown = ran.out.trim_end().rsplit_once("\n\n").map(|(problems, _)| problems.to_owned());
                is_ours = true;
            }
            "json" => {
                let spec: dogwatch::definition::PeriodSpec = serde_json::from_str(&text).unwrap();
                assert_eq!(
                    serde_json::to_value(&spec).unwrap(),
                    serde_json::from_str::<Value>(&text).unwrap()
                );
            }
            "show" => {
                let folder = folder(&[("periods.toml", &toml)]);
                let words = text.split_whitespace();
                let arguments: Vec<&str> =
                    ["period", "show", "--config", "periods.toml"].into_iter().chain(words).collect();
                shown = Some(run(folder.path(), &arguments, "").out);
            }
            "questions" => shown = Some(eval(&toml, &text).out),
            "answers" if is_ours => text.lines().for_each(|line| check_answer(&toml, line)),
            "problems" | "calendar" | "replies" if is_ours => {
                let shown = shown.take().unwrap();
                assert_eq!(shown.trim_end(), text.trim_end(), "as it is:\n{shown}");
            }
            _ => {}
        }
        seen += usize::from(is_ours);
    }
    assert!(seen >= 10);
}
