//! What is printed reads back as what it was, and printing it again changes nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rota::syntax;

fuzz_target!(|text: &str| {
    let document = syntax::read_text("fuzz", text);
    let printed = syntax::print(&document.definitions);
    let again = syntax::read_text("printed", &printed);
    assert_eq!(again.definitions, document.definitions, "{printed}");
    assert_eq!(syntax::print(&again.definitions), printed);
});
