//! The four ways of sharing the work that Naemon's guide to on-call rotations describes, as texts
//! of our own: they load as that guide writes them, without any `alias`.
#![expect(clippy::unwrap_used, reason = "the texts stand in this repository")]

use insta::assert_snapshot;
use jiff::civil::date;
use rota::period::{Compiled, Period, compile};
use rota::syntax::{self, Document};
use rota::zone;

fn load(name: &str) -> (Document, Compiled) {
    let path = format!("{}/tests/rotations/{name}", env!("CARGO_MANIFEST_DIR"));
    let document = syntax::read_text(name, &std::fs::read_to_string(path).unwrap());
    let compiled = compile(&document.definitions, date(2011, 1, 1));
    (document, compiled)
}

fn problems(loaded: &(Document, Compiled)) -> String {
    let (document, compiled) = loaded;
    let all = [&document.problems[..], &compiled.problems].concat();
    document.files.render_all(&all)
}

/// What is in from one time to another on the clocks of New York.
fn shifts(period: &Period, from: &str, to: &str) -> String {
    let zone = zone::find("America/New_York").unwrap();
    let at = |text: &str| {
        let reading: jiff::civil::DateTime = text.parse().unwrap();
        zone.to_timestamp(reading).unwrap()
    };
    let period = period.in_zone(zone.clone());
    let shifts = period.intervals(at(from), at(to)).map(|shift| {
        let show = |at| zone.to_datetime(at).strftime("%a %Y-%m-%d %H:%M").to_string();
        format!("{} to {}", show(shift.start), show(shift.end))
    });
    shifts.collect::<Vec<_>>().join("\n")
}

#[test]
fn weekdays_and_holidays() {
    let loaded = load("holidays.cfg");
    // The hole: the evening of New Year's Eve replaces the whole Saturday.
    assert_snapshot!(problems(&loaded), @r#"
    holidays.cfg:30:2: warning: on 2011-12-31 this replaces Saturday 00:00-17:00 of period "bob-oncall"
        |
     30 | 	december 31		17:00-24:00	; from five in the evening
        | 	^^^^^^^^^^^
        = holidays.cfg:15:2: the hours that are replaced
        |
     15 | 	saturday		00:00-24:00
        | 	--------
        = help: an exception replaces the whole day; to keep those hours, write: december 31 00:00-24:00
    "#);
    let (document, compiled) = loaded;
    assert_eq!(document.objects.len(), 6);
    let contact = &document.objects[4];
    assert_eq!(contact.kind.value, "contact");
    assert_eq!(contact.directives[1].key.value, "...");
    assert_eq!(contact.directives[2].value.value, "john-oncall");
    let john = compiled.find("john-oncall").unwrap();
    let bob = compiled.find("bob-oncall").unwrap();
    assert_snapshot!(shifts(john, "2011-12-22T12:00", "2012-01-04T00:00"), @r"
    Thu 2011-12-22 12:00 to Sat 2011-12-24 00:00
    Mon 2011-12-26 00:00 to Sat 2011-12-31 00:00
    Mon 2012-01-02 00:00 to Wed 2012-01-04 00:00
    ");
    assert_snapshot!(shifts(bob, "2011-12-22T12:00", "2012-01-04T00:00"), @r"
    Sat 2011-12-24 00:00 to Mon 2011-12-26 00:00
    Sat 2011-12-31 17:00 to Mon 2012-01-02 00:00
    ");
}

#[test]
fn alternating_days() {
    let loaded = load("days.cfg");
    assert_eq!(problems(&loaded), "");
    let john = loaded.1.find("john-oncall").unwrap();
    let bob = loaded.1.find("bob-oncall").unwrap();
    // Across the night in which the clocks go forward.
    assert_snapshot!(shifts(john, "2008-03-07T00:00", "2008-03-12T00:00"), @r"
    Sat 2008-03-08 00:00 to Sun 2008-03-09 00:00
    Mon 2008-03-10 00:00 to Tue 2008-03-11 00:00
    ");
    assert_snapshot!(shifts(bob, "2008-03-07T00:00", "2008-03-12T00:00"), @r"
    Fri 2008-03-07 00:00 to Sat 2008-03-08 00:00
    Sun 2008-03-09 00:00 to Mon 2008-03-10 00:00
    Tue 2008-03-11 00:00 to Wed 2008-03-12 00:00
    ");
}

#[test]
fn alternating_weeks() {
    let loaded = load("weeks.cfg");
    assert_eq!(problems(&loaded), "");
    let john = loaded.1.find("john-oncall").unwrap();
    let bob = loaded.1.find("bob-oncall").unwrap();
    assert_snapshot!(shifts(john, "2008-03-01T00:00", "2008-04-01T00:00"), @r"
    Sat 2008-03-01 00:00 to Sun 2008-03-02 00:00
    Sun 2008-03-09 00:00 to Sun 2008-03-16 00:00
    Sun 2008-03-23 00:00 to Sun 2008-03-30 00:00
    ");
    assert_snapshot!(shifts(bob, "2008-03-01T00:00", "2008-04-01T00:00"), @r"
    Sun 2008-03-02 00:00 to Sun 2008-03-09 00:00
    Sun 2008-03-16 00:00 to Sun 2008-03-23 00:00
    Sun 2008-03-30 00:00 to Tue 2008-04-01 00:00
    ");
}

#[test]
fn days_off_with_a_misspelt_word() {
    let loaded = load("vacation.cfg");
    assert_snapshot!(problems(&loaded), @r#"
    vacation.cfg:24:2: error: there is no directive "timeperod_name"
        |
     24 | 	timeperod_name		bob-oncall
        | 	^^^^^^^^^^^^^^
        = help: did you mean "timeperiod_name"?
    "#);
    let (_, compiled) = loaded;
    let john = compiled.find("john-oncall").unwrap();
    // What was surely meant is read, so that nothing else is reported because of it.
    let bob = compiled.find("bob-oncall").unwrap();
    assert_snapshot!(shifts(john, "2007-10-29T00:00", "2007-11-17T00:00"), @r"
    Mon 2007-10-29 00:00 to Tue 2007-10-30 00:00
    Mon 2007-11-12 00:00 to Thu 2007-11-15 00:00
    Fri 2007-11-16 00:00 to Sat 2007-11-17 00:00
    ");
    assert_snapshot!(shifts(bob, "2007-10-29T00:00", "2007-11-17T00:00"), @r"
    Tue 2007-10-30 00:00 to Sun 2007-11-11 00:00
    Thu 2007-11-15 00:00 to Fri 2007-11-16 00:00
    ");
}
