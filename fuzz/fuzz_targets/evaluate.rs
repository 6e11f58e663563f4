//! Whatever a text says, its periods compile and answer without a panic.
#![no_main]

use jiff::Timestamp;
use jiff::civil::date;
use libfuzzer_sys::fuzz_target;
use rota::{period, syntax, zone};

fuzz_target!(|text: &str| {
    let document = syntax::read_text("fuzz", text);
    let compiled = period::compile(&document.definitions, date(2026, 1, 1));
    for problem in document.problems.iter().chain(&compiled.problems) {
        assert!(!document.files.render(problem).is_empty());
    }
    let Ok(zone) = zone::find("America/New_York") else {
        return;
    };
    let from = Timestamp::from_second(1_700_000_000).unwrap_or_default();
    for period in compiled.periods.iter().take(4) {
        let period = period.in_zone(zone.clone());
        let inside = period.contains(from);
        let (next_in, next_out) = (period.next_in(from), period.next_out(from));
        assert_eq!(next_in == Some(from), inside);
        assert_eq!(next_out == Some(from), !inside);
    }
});
