//! Independent checkers: libraries of others that judge, or make, what we speak. `scripts/test` installs them.

use std::io::Write;
use std::process::{Command, Stdio};

/// Runs a Python program that may use the checkers, gives it `input`, and returns what it prints.
pub fn python(program: &str, input: &str) -> String {
    let checkers = format!("{}/../../target/checkers", env!("CARGO_MANIFEST_DIR"));
    assert!(
        std::path::Path::new(&checkers).exists(),
        "run scripts/test once: it installs what the tests need"
    );
    let mut child = Command::new("/usr/bin/python3")
        .args(["-c", program])
        .env("PYTHONPATH", checkers)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the checker ended badly");
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
