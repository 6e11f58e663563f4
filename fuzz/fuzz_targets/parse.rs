//! Any text is read, and its problems shown, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rota::syntax;

fuzz_target!(|text: &str| {
    let document = syntax::read_text("fuzz", text);
    for problem in &document.problems {
        assert!(!document.files.render(problem).is_empty());
    }
});
