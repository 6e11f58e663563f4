//! Any text is a Naemon configuration or has problems; what is imported can be written out.
#![no_main]

use dogwatch::definition::to_toml;
use dogwatch::naemon::{Settings, import};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use rota::syntax;

fuzz_target!(|text: &str| {
    let document = syntax::read_text("site.cfg", text);
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let imported = import(&document, &Settings::new("UTC".to_owned(), now));
    to_toml(&imported.documents).expect("what we make can be written");
    imported.report.show(&document.files, &imported.routes);
    let teams = imported.documents.iter().filter(|(kind, _)| *kind == dogwatch::definition::Kind::Team).count();
    assert_eq!(teams, imported.numbers.len());
});
