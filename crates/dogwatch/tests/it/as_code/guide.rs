//! The examples of the guide to definitions are true, and the shipped schema is that of the code.

use std::io::Write;
use std::process::{Command, Stdio};

use super::House;
use crate::support::command::{folder, run};
use crate::support::guide::blocks;

#[test]
fn every_example_is_true() {
    let mut house: Option<House> = None;
    let mut commands = 0;
    for (language, text) in blocks("definitions") {
        match language.as_str() {
            "toml" => house = Some(House::new(&text)),
            "console" => {
                let (command, wanted) = text.split_once('\n').unwrap();
                let words: Vec<&str> = command.strip_prefix("$ dogwatch ").unwrap().split(' ').collect();
                assert_eq!(house.as_ref().unwrap().ok(&words).trim_end(), wanted);
                commands += 1;
            }
            "sh" | "text" => {}
            other => panic!("a block of {other} is no test"),
        }
    }
    assert_eq!(commands, 3);
}

fn shipped() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/definitions.schema.json");
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn the_shipped_schema_is_that_of_the_code() {
    let made = run(folder(&[]).path(), &["schema"], "").out;
    assert_eq!(made, shipped(), "dogwatch schema > docs/schema/definitions.schema.json");
}

/// Says of each TOML text, one after another, whether an independent validator accepts it.
const VALIDATOR: &str = "
import json, sys, tomllib
from jsonschema import Draft202012Validator
schema, texts = json.load(sys.stdin)
Draft202012Validator.check_schema(schema)
for text in texts:
    errors = list(Draft202012Validator(schema).iter_errors(tomllib.loads(text)))
    print(json.dumps([error.json_path + ': ' + error.message for error in errors]))
";

fn validate(texts: &[String]) -> Vec<Vec<String>> {
    let mut child = Command::new("python3")
        .args(["-c", VALIDATOR])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let schema: serde_json::Value = serde_json::from_str(&shipped()).unwrap();
    let input = serde_json::json!([schema, texts]).to_string();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3-jsonschema is needed");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_independent_validator_accepts_every_example_and_refuses_mistakes() {
    let pages = ["definitions", "rotations", "periods", "calendars", "escalation"];
    let examples: Vec<String> = pages
        .iter()
        .flat_map(|page| blocks(page))
        .filter(|(language, _)| language == "toml")
        .map(|(_, text)| text)
        .collect();
    assert!(examples.len() >= 12, "{} examples", examples.len());
    for (errors, example) in validate(&examples).iter().zip(&examples) {
        assert!(errors.is_empty(), "{errors:#?}\n{example}");
    }
    let mistakes = [
        "[[person]]\nname = \"john\"\nful_name = \"John\"\n",
        "[[person]]\nfull_name = \"John\"\n",
        "[[person]]\nname = \"John Smith\"\n",
        "[[person]]\nname = \"john\"\ncontacts = \"handset:john\"\n",
        "[[persons]]\nname = \"john\"\n",
        "[person]\nname = \"john\"\n",
        "[[escalation_plan]]\nname = \"ops\"\nsteps = []\n",
        "[[escalation_plan]]\nname = \"ops\"\nrepeat = 21\nsteps = [{ notify = [\"on_call\"], after = \"5m\" }]\n",
        "[[schedule]]\nname = \"ops\"\nlayers = [{ rotaton = \"r\" }]\n",
        "[[team]]\nname = \"ops\"\nmembers = [1]\n",
    ];
    let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    for (errors, mistake) in validate(&mistakes).iter().zip(&mistakes) {
        assert!(!errors.is_empty(), "accepted:\n{mistake}");
    }
}
