//! The guide to telephones is true: its definitions are sound, and its configurations are read.

use super::gateway::providers;
use crate::support::command::{folder, run};
use crate::support::guide::blocks;
use crate::support::vonage::KEYS;

#[test]
fn its_definitions_are_sound() {
    let all = blocks("phone");
    let definitions: Vec<_> = all.iter().filter(|(language, _)| language == "toml").collect();
    assert_eq!(definitions.len(), 1);
    for (_, text) in definitions {
        let made = folder(&[("definitions.toml", text.as_str())]);
        let ran = run(made.path(), &["check", "--from", "2026-02-02", "definitions.toml"], "");
        assert_eq!(ran.code, 0, "{}\n{text}", ran.out);
    }
}

#[test]
fn its_configurations_are_read() {
    let mut names = Vec::new();
    for (_, text) in blocks("phone").iter().filter(|(language, _)| language == "toml service") {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("modem");
        std::fs::write(&secret, "s3cret").unwrap();
        let text = text.replace("public_url = \"https://dogwatch.example.org\"", "");
        let text = text.replace("/run/secrets/modem", secret.to_str().unwrap());
        let key = folder.path().join("vonage.key");
        std::fs::write(&key, &KEYS.private).unwrap();
        let text = text.replace("/run/secrets/vonage.key", key.to_str().unwrap());
        names.extend(providers(&text).unwrap().into_iter().map(|provider| provider.name));
    }
    assert_eq!(names, ["twilio", "vonage", "modem", "stick"]);
}

#[test]
fn every_key_of_a_provider_is_in_the_reference() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/provider.rs");
    let source = std::fs::read_to_string(path).unwrap();
    let raw = source.split("struct Raw {").nth(1).unwrap().split('}').next().unwrap();
    let keys = raw.lines().filter_map(|line| line.trim().split_once(':').map(|(key, _)| key.to_owned()));
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/configuration.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    for key in keys {
        assert!(guide.contains(&format!("`{key}`")), "docs/guide/configuration.md does not name {key}");
    }
}
