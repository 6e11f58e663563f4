//! The guide to escalation is true: its definitions are sound, its rehearsals print what it shows, and what is rehearsed
//! there is what then happens, to the second and word for word.
//!
//! A `toml` block is a whole set of definitions; `check` finds nothing wrong with it. A `console` block is a `rehearse` of
//! the set before it and what it prints. `quick-start` blocks are run by `thread_points/documents.rs`; `problems` is what
//! `check` says of the `wrong-toml` block before it. `text` is a picture.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::words;
use crate::support::World;
use crate::support::command::{folder, run};
use crate::support::guide::blocks;

#[tokio::test(flavor = "multi_thread")]
async fn every_example_is_true() {
    let mut toml = String::new();
    let mut problems = String::new();
    let (mut sets, mut rehearsals) = (0, 0);
    for (language, text) in blocks("escalation") {
        match language.as_str() {
            "toml" => {
                let made = folder(&[("team.toml", text.as_str())]);
                let ran = run(made.path(), &["check", "--from", "2026-03-03", "team.toml"], "");
                assert!(ran.code == 0 && ran.out.ends_with(": no problems\n"), "{}\n{text}", ran.out);
                toml = text;
                sets += 1;
            }
            "wrong-toml" => {
                let made = folder(&[("team.toml", text.as_str())]);
                let ran = run(made.path(), &["check", "team.toml"], "");
                assert_eq!(ran.code, 1);
                problems = ran.out.trim_end().rsplit_once("\n\n").unwrap().0.to_owned();
            }
            "problems" => assert_eq!(std::mem::take(&mut problems), text, "as it is"),
            "console" => {
                let (command, wanted) = text.split_once('\n').unwrap();
                let asked = words(command.strip_prefix("$ dogwatch ").unwrap());
                let made = folder(&[("team.toml", toml.as_str())]);
                let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
                let ran = run(made.path(), &asked, "");
                assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{command}");
                assert_eq!(ran.out.trim_end(), wanted, "{command}, as it is:\n{}", ran.out);
                let film = run(made.path(), &[&asked[..], &["--format", "json"]].concat(), "");
                it_happens(&toml, &asked, &serde_json::from_str(&film.out).unwrap()).await;
                rehearsals += 1;
            }
            "text" | "sh" | "quick-start" => {}
            other => panic!("a block of {other} is no test"),
        }
    }
    assert_eq!(problems, "");
    assert!(sets >= 6 && rehearsals >= 6, "{sets} sets of definitions, {rehearsals} rehearsals");
}

/// What follows an option of a command.
fn option<'a>(asked: &[&'a str], name: &str) -> Option<&'a str> {
    asked.iter().position(|word| *word == name).and_then(|place| asked.get(place + 1).copied())
}

/// What the film shows happens on a server with the same definitions, the same answers and the same clock.
async fn it_happens(toml: &str, asked: &[&str], film: &Value) {
    let mut world = World::new().await;
    let at: Timestamp = film["at"].as_str().unwrap().parse().unwrap();
    world.clock.set(at);
    let applied = world.apply(toml).await;
    assert_eq!(applied.status, 200, "{}", applied.text);
    let severity = option(asked, "--severity").unwrap_or("critical");
    let team = asked[1];
    // Others that came in and are over: they count, and page nobody.
    for _ in 1..option(asked, "--alerts").map_or(1, |count| count.parse().unwrap()) {
        let other = world.alert(team, severity).await;
        world.post(&format!("/api/v1/alerts/{other}/resolve"), json!({})).await;
    }
    let number = world.alert(team, severity).await;
    if let Some((person, after)) = option(asked, "--answer").and_then(|answer| answer.split_once('@')) {
        world.pass(escalation::duration::parse(after).unwrap()).await;
        world.presses(person, number, 4).await;
        world.settle().await;
    } else {
        world.pass(SignedDuration::from_hours(24)).await;
    }
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    let told = |lines: &Value| -> Vec<(Timestamp, String)> {
        let lines = lines.as_array().unwrap().iter();
        let lines = lines.map(|line| {
            let at: Timestamp = line["at"].as_str().unwrap().parse().unwrap();
            (at, line["text"].as_str().unwrap().to_owned())
        });
        lines.collect()
    };
    let mut happened = told(&alert["timeline"]);
    let mut rehearsed = told(&film["scenes"]);
    // The first line names the sender; after the end of the film what repeats goes on.
    assert!(rehearsed.len() > 2 && happened.len() >= rehearsed.len(), "{happened:#?}");
    happened.truncate(rehearsed.len());
    // What leaves at one instant through different providers is in no order.
    happened[1..].sort();
    rehearsed[1..].sort();
    assert_eq!(happened[1..], rehearsed[1..], "{asked:?}");
}
