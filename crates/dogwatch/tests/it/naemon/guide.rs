//! The example of the guide is true.

use crate::support::command::{folder, run};
use crate::support::guide::blocks;

#[test]
fn the_example_is_true() {
    let mut site = None;
    let mut shown = None;
    for (language, text) in blocks("naemon") {
        match language.as_str() {
            "naemon" => {
                let files = folder(&[("site.cfg", &text)]);
                let ran = run(
                    files.path(),
                    &["import", "naemon", "site.cfg", "--zone", "Europe/Berlin", "--out", "new"],
                    "",
                );
                assert_eq!(ran.code, 0, "{}", ran.err);
                shown = std::fs::read_to_string(files.path().join("new/report.txt")).ok();
                site = Some(files);
            }
            "toml" => {
                let folder = site.as_ref().unwrap().path().join("new");
                let all: String = ["schedule", "team", "escalation-plan"]
                    .map(|kind| std::fs::read_to_string(folder.join(format!("{kind}.toml"))).unwrap())
                    .join("\n");
                assert_eq!(all.trim_end(), text, "as it is:\n{all}");
            }
            "report" => {
                for line in text.lines() {
                    assert!(shown.as_ref().unwrap().contains(line), "{line}\n{}", shown.unwrap());
                }
            }
            "sh" => {}
            other => panic!("a block of {other} is no test"),
        }
    }
    assert!(shown.is_some());
}
