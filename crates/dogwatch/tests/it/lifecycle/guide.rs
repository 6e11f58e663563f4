//! The guide to alerts is true: its definitions are sound, its commands are carried out, its rules are those that are
//! checked.

use serde_json::json;

use super::world;
use crate::support::TOKEN;
use crate::support::command::{folder, run, run_with};
use crate::support::guide::blocks;

#[test]
fn its_definitions_are_sound() {
    let (mut count, all) = (0, blocks("alerts"));
    for (_, text) in all.iter().filter(|(language, _)| language == "toml") {
        let made = folder(&[("definitions.toml", text.as_str())]);
        let ran = run(made.path(), &["check", "--from", "2026-02-02", "definitions.toml"], "");
        assert_eq!(ran.code, 0, "{}\n{text}", ran.out);
        count += 1;
    }
    assert_eq!(count, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_commands_are_carried_out() {
    let mut world = world().await;
    for count in 1..=9 {
        world.notify(&format!("problem {count}")).await;
    }
    world.settle().await;
    world.post("/api/v1/periods", json!({ "name": "backup", "text": "monday 04:00-05:00" })).await;
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for (_, text) in blocks("alerts").iter().filter(|(language, _)| language == "console") {
        for line in text.lines() {
            let line = line.strip_prefix("$ dogwatch ").unwrap();
            let parts = line.split('"').enumerate();
            let words: Vec<&str> = parts
                .flat_map(|(place, part)| match place % 2 {
                    0 => part.split_whitespace().collect(),
                    _ => vec![part],
                })
                .collect();
            let variables = [("DOGWATCH_URL", world.url.as_str()), ("DOGWATCH_TOKEN", TOKEN)];
            let ran = run_with(folder.path(), &words, "", &variables);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
            count += 1;
        }
    }
    assert_eq!(count, 9);
}

#[test]
fn its_rules_are_those_that_are_checked() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/alerts.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let rules = escalation::invariant::sentences().enumerate();
    let wanted: Vec<String> = rules.map(|(index, rule)| format!("| {} | {rule} |", index + 1)).collect();
    let is_rule = |line: &&str| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit();
    let written: Vec<&str> = guide.lines().filter(is_rule).collect();
    assert_eq!(written, wanted);
}
