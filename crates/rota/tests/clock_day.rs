//! Dates as the clock on the wall shows them, in zones whose clocks do strange things.
#![expect(clippy::unwrap_used, reason = "what is unwrapped is written here")]

use jiff::civil::{Date, date};
use rota::period::{ClockDay, compile};
use rota::{syntax, zone};

fn day(lines: &str, zone: &str, date: Date) -> ClockDay {
    let text = format!("define timeperiod {{\ntimeperiod_name p\n{lines}\n}}");
    let compiled = compile(&syntax::read_text("p", &text).definitions, date);
    compiled.find("p").unwrap().in_zone(zone::find(zone).unwrap()).clock_day(date)
}

const ALWAYS: &str = "day 1 - -1 00:00-24:00";

/// The readings in hours, the length of the day and the time that is in, in hours.
fn check(lines: &str, zone: &str, date: Date, readings: &[(f64, f64)], length: f64, inside: f64) {
    let day = day(lines, zone, date);
    let hours = |seconds: i64| seconds as f64 / 3_600.0;
    let found: Vec<_> = day.readings.iter().map(|r| (hours(r.0.into()), hours(r.1.into()))).collect();
    assert_eq!(found, readings, "{zone} {date}");
    assert_eq!((hours(day.length_seconds), hours(day.in_seconds)), (length, inside), "{zone} {date}");
    assert_eq!(day.jumps.is_empty(), length == 24.0, "{zone} {date}: {:?}", day.jumps);
}

#[test]
fn readings_are_those_that_the_clock_shows() {
    let sunday = "sunday 01:00-03:00,22:00-24:00";
    check(sunday, "UTC", date(2026, 3, 8), &[(1.0, 3.0), (22.0, 24.0)], 24.0, 4.0);
    check(sunday, "America/New_York", date(2026, 3, 8), &[(1.0, 2.0), (22.0, 24.0)], 23.0, 3.0);
    check(sunday, "America/New_York", date(2026, 11, 1), &[(1.0, 3.0), (22.0, 24.0)], 25.0, 5.0);
    check(ALWAYS, "America/New_York", date(2026, 3, 8), &[(0.0, 2.0), (3.0, 24.0)], 23.0, 23.0);
    check(ALWAYS, "Australia/Lord_Howe", date(2026, 10, 4), &[(0.0, 2.0), (2.5, 24.0)], 23.5, 23.5);
    // Midnight does not come, or comes twice.
    check(ALWAYS, "Africa/Casablanca", date(2009, 6, 1), &[(1.0, 24.0)], 23.0, 23.0);
    check(ALWAYS, "America/Sao_Paulo", date(2018, 2, 17), &[(0.0, 24.0)], 25.0, 25.0);
    // A whole day does not come.
    check(ALWAYS, "Pacific/Apia", date(2011, 12, 30), &[], 0.0, 0.0);
}

#[test]
fn a_jump_back_over_midnight_is_no_trouble() {
    // At 00:01 the clock went back to 23:01 of the day before.
    for (date, count) in [(date(2009, 10, 31), 1), (date(2009, 11, 1), 1), (date(2009, 11, 2), 0)] {
        let day = day(ALWAYS, "America/St_Johns", date);
        assert_eq!(day.readings, [(0, 86_400)], "{date}");
        assert_eq!(day.jumps.len(), count, "{date}");
    }
}
