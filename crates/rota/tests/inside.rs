//! The language inside another file: problems are told where they stand in that file.

use insta::assert_snapshot;
use jiff::civil::date;
use rota::diagnostic::Files;
use rota::period::compile;
use rota::syntax::{self, Part};

#[test]
fn directives_are_told_by_their_place_in_the_file_around_them() {
    let toml = "[[period]]\ntext = '''monday 9:00-17:00\n  tusday 09:00-17:00\n'''\n";
    let mut files = Files::new();
    let file = files.add("team.toml", toml);
    let text = toml.split("'''").nth(1).unwrap();
    let start = toml.find(text).unwrap();
    let mut told = Vec::new();
    let part = Part { file, text, places: &[(0, start as u32)] };
    let mut definition = syntax::read_directives(&part, None, &mut told);
    definition.name = Some("office".into());
    assert_snapshot!(files.render_all(&told), @r#"
    team.toml:3:3: error: there is no directive "tusday"
       |
     3 |   tusday 09:00-17:00
       |   ^^^^^^
       = help: did you mean "tuesday"?
    "#);
    assert_eq!(compile(&[definition], date(2026, 1, 1)).periods.len(), 1);
}

#[test]
fn what_is_written_with_escapes_is_found_where_it_is_written() {
    let mut files = Files::new();
    let file = files.add("team.toml", "text = \"monday\\t9:00-17:00pm\"");
    let mut told = Vec::new();
    let part = Part { file, text: "monday\t9:00-17:00pm", places: &[(0, 8), (6, 14), (7, 16)] };
    syntax::read_directives(&part, None, &mut told);
    assert_snapshot!(files.render_all(&told), @r#"
    team.toml:1:27: error: "pm" does not belong here
       |
     1 | text = "monday\t9:00-17:00pm"
       |                           ^^
       = help: write hours from 00:00 to 24:00, without am and pm
    "#);
}

#[test]
fn days_and_hours_are_read_by_themselves() {
    let mut files = Files::new();
    let mut told = Vec::new();
    let mut days = |text: &str| {
        let file = files.add("a", text);
        let days = syntax::read_days(&Part { file, text, places: &[] }, &mut told);
        days.iter().map(|days| days.value.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(days("monday - wednesday, day -1"), ["monday", "tuesday", "wednesday", "day -1"]);
    assert_eq!(days("saturday-sunday"), ["saturday", "sunday"]);
    assert_eq!(days("friday - monday"), ["friday", "saturday", "sunday", "monday"]);
    assert_eq!(days("2026-01-05 - 2026-02-01 / 2").len(), 1);
    for wrong in ["mondy - friday", "monday 09:00-17:00", "", "monday,,tuesday", "monday - funday"] {
        days(wrong);
    }
    for (text, count) in [("09:00-12:00, 13:00-17", 1), ("08:00-09:00", 1), ("", 0)] {
        let file = files.add("a", text);
        assert_eq!(syntax::read_hours(&Part { file, text, places: &[] }, &mut told).len(), count);
    }
    assert_snapshot!(files.render_all(&told), @r#"
    a:1:1: error: there is no weekday "mondy"
       |
     1 | mondy - friday
       | ^^^^^
       = help: did you mean "monday"?

    a:1:8: error: "09:00-17:00" does not belong to the days
       |
     1 | monday 09:00-17:00
       |        ^^^^^^^^^^^
       = help: hours have a place of their own

    a:1:1: error: no days
       |
     1 | 
       | ^
       = help: write days such as "monday - friday", "december 25" or "2026-12-24"

    a:1:8: error: days are missing between the commas
       |
     1 | monday,,tuesday
       |        ^
       = help: write days such as "monday - friday", "december 25" or "2026-12-24"

    a:1:10: error: there is no weekday "funday"
       |
     1 | monday - funday
       |          ^^^^^^
       = help: did you mean "sunday"?

    a:1:20: error: "17" is no time of day
       |
     1 | 09:00-12:00, 13:00-17
       |                    ^^
       = help: write hours as 09:00-17:00, with commas between ranges: 09:00-12:00,13:00-17:00

    a:1:1: error: no hours
       |
     1 | 
       | ^
       = help: write hours such as "09:00-17:00", or "00:00-24:00" for the whole day
    "#);
}
