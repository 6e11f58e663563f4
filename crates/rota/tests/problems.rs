//! What is told about a text: every problem, its place, and what to write instead.
#![expect(clippy::unwrap_used, reason = "what is unwrapped is written here")]

use std::collections::BTreeMap;

use insta::assert_snapshot;
use jiff::civil::date;
use rota::period::compile;
use rota::syntax::{self, Document, Entry, Root, Source};

fn problems(text: &str) -> String {
    shown(syntax::read_text("a.cfg", text))
}

fn shown(document: Document) -> String {
    let compiled = compile(&document.definitions, date(2026, 1, 1));
    let mut all = [&document.problems[..], &compiled.problems].concat();
    rota::diagnostic::sort(&mut all);
    document.files.render_all(&all)
}

#[test]
fn all_problems_of_a_text_are_told() {
    assert_snapshot!(problems("\
definetimeperod {
    timeperiod_name  p
    Monday           09:00-17:00
    modnay           09:00-17:00
    juny 4           00:00-24:00
    monday 1 mai     00:00-24:00
    day 0            00:00-24:00
    monday 6         00:00-24:00
    10               00:00-24:00
    day              00:00-24:00
    day 1 - friday 2 00:00-24:00
    tuesday          9-17
    wednesday        22:00-06:00
    thursday         22:00-06:00
    2008-12-31       22:00-06:00
    july 31          22:00-06:00
    monday 2         22:00-24:60,01:00-02:00,,
    exclude          q,,p
    timeperiod_name  r
    alias
}
}
exclude p
"), @r#"
    a.cfg:1:7: error: there is no object type "timeperod"
       |
     1 | definetimeperod {
       |       ^^^^^^^^^
       = help: did you mean "timeperiod"?

    a.cfg:3:5: error: there is no directive "Monday"
       |
     3 |     Monday           09:00-17:00
       |     ^^^^^^
       = help: did you mean "monday"?

    a.cfg:4:5: error: there is no directive "modnay"
       |
     4 |     modnay           09:00-17:00
       |     ^^^^^^
       = help: did you mean "monday"?

    a.cfg:5:5: error: there is no directive "juny"
       |
     5 |     juny 4           00:00-24:00
       |     ^^^^
       = help: did you mean "june"?

    a.cfg:6:14: error: there is no month "mai"
       |
     6 |     monday 1 mai     00:00-24:00
       |              ^^^
       = help: did you mean "may"?

    a.cfg:7:5: error: no month has a day 0
       |
     7 |     day 0            00:00-24:00
       |     ^^^^^
       = help: count from 1 to 31, or from -1 (the last day) to -31

    a.cfg:8:5: error: no month has a monday 6
       |
     8 |     monday 6         00:00-24:00
       |     ^^^^^^^^
       = help: count from 1 to 5, or from -1 (the last monday) to -5

    a.cfg:9:5: error: a number alone is no day
       |
     9 |     10               00:00-24:00
       |     ^^
       = help: did you mean "day 10"?

    a.cfg:10:22: error: a number should stand here
        |
     10 |     day              00:00-24:00
        |                      ^^
        = help: which one, as in "day 15", "july 4" or "monday 1"; -1 is the last

    a.cfg:11:13: error: a range from a day of every month to a weekday of every month
        |
     11 |     day 1 - friday 2 00:00-24:00
        |             ^^^^^^^^
        = help: both ends have the same form, as in "day 1 - 15"

    a.cfg:12:5: error: these days have no hours
        |
     12 |     tuesday          9-17
        |     ^^^^^^^^^^^^^^^^^^^^^
        = help: if these are hours, write "tuesday 09:00-17:00"

    a.cfg:13:22: error: 22:00-06:00 ends before it begins
        |
     13 |     wednesday        22:00-06:00
        |                      ^^^^^^^^^^^
        = help: a range ends on the day it begins on; write the night as two lines:
                wednesday 22:00-24:00
                thursday 00:00-06:00,22:00-24:00

    a.cfg:14:22: error: 22:00-06:00 ends before it begins
        |
     14 |     thursday         22:00-06:00
        |                      ^^^^^^^^^^^
        = help: a range ends on the day it begins on; write the night as two lines:
                thursday 00:00-06:00,22:00-24:00
                friday 00:00-06:00

    a.cfg:15:22: error: 22:00-06:00 ends before it begins
        |
     15 |     2008-12-31       22:00-06:00
        |                      ^^^^^^^^^^^
        = help: a range ends on the day it begins on; write the night as two lines:
                2008-12-31 22:00-24:00
                2009-01-01 00:00-06:00

    a.cfg:16:22: error: 22:00-06:00 ends before it begins
        |
     16 |     july 31          22:00-06:00
        |                      ^^^^^^^^^^^
        = help: a range ends on the day it begins on; write the night as two lines:
                july 31 22:00-24:00
                august 1 00:00-06:00

    a.cfg:17:28: error: an hour has no minute 60
        |
     17 |     monday 2         22:00-24:60,01:00-02:00,,
        |                            ^^^^^
        = help: minutes go from 00 to 59

    a.cfg:17:45: error: the list of hours ends with a comma
        |
     17 |     monday 2         22:00-24:60,01:00-02:00,,
        |                                             ^
        = help: take the comma away, or write another range after it

    a.cfg:17:46: error: a range is missing between the commas
        |
     17 |     monday 2         22:00-24:60,01:00-02:00,,
        |                                              ^
        = help: take the extra comma away

    a.cfg:18:22: error: there is no period "q"
        |
     18 |     exclude          q,,p
        |                      ^
        = help: "exclude" takes the "timeperiod_name" of a period

    a.cfg:18:24: error: a name is missing between the commas
        |
     18 |     exclude          q,,p
        |                        ^
        = help: take the extra comma away

    a.cfg:18:25: error: there is no period "p"
        |
     18 |     exclude          q,,p
        |                         ^
        = help: "exclude" takes the "timeperiod_name" of a period

    a.cfg:19:5: warning: "timeperiod_name" is given twice; this one counts
        |
     19 |     timeperiod_name  r
        |     ^^^^^^^^^^^^^^^
        = a.cfg:2:5: the other is here
        |
      2 |     timeperiod_name  p
        |     ---------------
        = help: keep one of them

    a.cfg:20:5: error: "alias" says nothing
        |
     20 |     alias
        |     ^^^^^
        = help: write a value after it, or leave the line out: alias …

    a.cfg:22:1: error: a closing brace, but no definition is open
        |
     22 | }
        | ^
        = help: lines belong between "define timeperiod {" and "}"

    a.cfg:23:1: error: "exclude" stands outside of any definition
        |
     23 | exclude p
        | ^^^^^^^
        = help: lines belong between "define timeperiod {" and "}"
    "#);
}

#[test]
fn doubtful_things_are_told() {
    assert_snapshot!(problems("\
define timeperiod {
    timeperiod_name  p
    monday           09:00-17:00
    monday 1         10:00-12:00
    day 25 - 5       00:00-24:00
    november 15 - february 5  00:00-24:00
    wednesday 2 - tuesday 2   00:00-24:00
    february 20 - 30 00:00-24:00
    june 31          00:00-24:00
}
define timeperiod {
    timeperiod_name  q
    friday           09:00-17:00
    exclude          r
}
define timeperiod {
    timeperiod_name  r
    friday           00:00-24:00
}
"), @r#"
    a.cfg:4:5: warning: on 2026-04-06 this replaces Monday 09:00-10:00,12:00-17:00 of period "p"
       |
     4 |     monday 1         10:00-12:00
       |     ^^^^^^^^
       = a.cfg:3:5: the hours that are replaced
       |
     3 |     monday           09:00-17:00
       |     ------
       = help: an exception replaces the whole day; to keep those hours, write: monday 1 09:00-17:00

    a.cfg:5:5: warning: this range runs over into the next month
       |
     5 |     day 25 - 5       00:00-24:00
       |     ^^^^^^^^^^
       = help: that is so because its end comes before its start; Naemon loses days after the turn of the month

    a.cfg:6:5: warning: this range runs over into the next year
       |
     6 |     november 15 - february 5  00:00-24:00
       |     ^^^^^^^^^^^^^^^^^^^^^^^^
       = help: that is so because its end comes before its start; Naemon loses days after the turn of the year

    a.cfg:7:5: warning: this range runs over into the next month at some times, and not at others
       |
     7 |     wednesday 2 - tuesday 2   00:00-24:00
       |     ^^^^^^^^^^^^^^^^^^^^^^^
       = help: its end lies before its start at some times only; give both ends the same weekday, or count both from the same side

    a.cfg:8:5: warning: february has no day 30: the range ends with february 29
       |
     8 |     february 20 - 30 00:00-24:00
       |     ^^^^^^^^^^^^^^^^
       = help: february ends with day 29; february -1 is its last day in every year

    a.cfg:9:5: warning: june has no day 31: this never matches
       |
     9 |     june 31          00:00-24:00
       |     ^^^^^^^
       = help: june ends with day 30; june -1 is its last day in every year

    a.cfg:12:22: warning: period "q" is never in
        |
     12 |     timeperiod_name  q
        |                      ^
        = help: its days never come, or all of its time is excluded or replaced by other lines
    "#);
}

#[test]
fn templates_that_do_not_add_up_are_told() {
    assert_snapshot!(problems("\
define timeperiod {
    name             a
    register         0
    monday           08:00-10:00
    day 10 - 20      08:00-12:00
    day 12           20:00-22:00
    exclude          x
}
define timeperiod {
    name             b
    register         0
    monday           18:00-20:00
    exclude          y
}
define timeperiod {
    timeperiod_name  p
    use              a,b
}
define timeperiod {
    timeperiod_name  x
    sunday           00:00-24:00
}
define timeperiod {
    timeperiod_name  y
    sunday           00:00-12:00
}
"), @r#"
    a.cfg:6:5: warning: on 2026-01-12 this replaces Monday 08:00-10:00 of period "p"
       |
     6 |     day 12           20:00-22:00
       |     ^^^^^^
       = a.cfg:4:5: the hours that are replaced
       |
     4 |     monday           08:00-10:00
       |     ------
       = help: an exception replaces the whole day; to keep those hours, write: day 12 08:00-10:00,20:00-22:00

    a.cfg:16:22: warning: on 2026-01-12 "day 12" comes before "day 10 - 20" in period "p", against the order of its templates
        |
     16 |     timeperiod_name  p
        |                      ^
        = a.cfg:6:5: the line that counts
        |
      6 |     day 12           20:00-22:00
        |     ------
        = help: Naemon takes in the dates of a template from the last to the first; write these days in the period itself

    a.cfg:17:24: warning: what template "b" excludes is not excluded here
        |
     17 |     use              a,b
        |                        ^
        = help: only the first template with an "exclude" counts; write the whole list in this definition

    a.cfg:17:24: warning: an earlier template has other hours, so these of "b" do not count: monday 18:00-20:00
        |
     17 |     use              a,b
        |                        ^
        = help: hours of templates are never merged; write the weekdays in this definition
    "#);
}

/// Files by path; a directory is what stands before a slash.
struct Files(BTreeMap<&'static str, &'static str>);

impl Source for Files {
    fn read(&mut self, path: &str) -> Result<String, String> {
        let text = self.0.get(path).map(|text| (*text).to_owned());
        text.ok_or_else(|| "no such file".to_owned())
    }

    fn list(&mut self, path: &str) -> Result<Vec<Entry>, String> {
        let inside = self.0.keys().rev().filter_map(|file| file.strip_prefix(path)?.strip_prefix('/'));
        let mut entries: Vec<Entry> = inside
            .map(|rest| Entry {
                name: rest.split('/').next().unwrap().to_owned(),
                is_directory: rest.contains('/'),
            })
            .collect();
        entries.dedup();
        if entries.is_empty() { Err("no such directory".to_owned()) } else { Ok(entries) }
    }
}

#[test]
fn files_are_read_once_each_in_order() {
    let mut files = Files(BTreeMap::from([
        (
            "etc/main.cfg",
            "include_dir=d\ninclude_file=/else/where.cfg\ninclude_file=main.cfg\ninclude_file=none.cfg\ninclude_dir=nowhere\n",
        ),
        ("etc/d/b.cfg", "define timeperiod {\n timeperiod_name b\n exclude a\n}\n"),
        ("etc/d/a.cfg", "define timeperiod {\n timeperiod_name a\n use t\n}\ninclude_file=../d/b.cfg\n"),
        ("etc/d/deep/c.cfg", "define timeperiod {\n timeperiod_name c\n}\n"),
        ("etc/d/.hidden.cfg", "nonsense"),
        ("etc/d/readme.txt", "nonsense"),
        ("/else/where.cfg", "define timeperiod {\n name t\n register 0\n}\ninclude_dir=/else\n"),
        ("etc/d/../d/b.cfg", "# the same by another way\n"),
    ]));
    let document = syntax::read(&mut files, &[Root::File("etc/main.cfg")]);
    let names: Vec<_> =
        document.definitions.iter().map(|d| d.name.as_ref().map(|n| n.value.as_str())).collect();
    assert_eq!(names, [Some("a"), Some("b"), Some("c"), None]);
    assert_snapshot!(shown(document), @r#"
    etc/main.cfg:3:14: warning: "etc/main.cfg" was read already, and is not read again
       |
     3 | include_file=main.cfg
       |              ^^^^^^^^
       = help: take the line away, or break the circle of includes

    etc/main.cfg:4:14: error: cannot read the file "etc/none.cfg": no such file
       |
     4 | include_file=none.cfg
       |              ^^^^^^^^

    etc/main.cfg:5:13: error: cannot read the directory "etc/nowhere": no such directory
       |
     5 | include_dir=nowhere
       |             ^^^^^^^
    "#);
}

#[test]
fn one_text_includes_nothing() {
    assert_snapshot!(problems("include_file=b.cfg\n"), @r#"
    a.cfg:1:14: error: cannot read the file "b.cfg": files cannot be included here
       |
     1 | include_file=b.cfg
       |              ^^^^^
    "#);
}

#[test]
fn long_chains_and_large_numbers_are_no_trouble() {
    let chain: String = (0..1_000)
        .map(|n| format!("define timeperiod {{\n name t{n}\n timeperiod_name p{n}\n use t{}\n exclude p{}\n day 9 00:00-24:00\n}}\n", n + 1, n + 1))
        .collect();
    let document = syntax::read_text("chain", &chain);
    let compiled = compile(&document.definitions, date(2026, 1, 1));
    assert_eq!(compiled.periods.len(), 1_000);
    let too_many = compiled.problems.iter().filter(|p| p.message.contains("more than 128"));
    assert!(too_many.count() > 0);
    let large = "9".repeat(100_000);
    for line in
        ["day N 00:00-24:00", "2007-N-01 1:2-3:4", "monday N:N-N:N", "day 1 - N / N 00:00-24:00", "NNN"]
    {
        let line = line.replace('N', &large);
        assert!(problems(&format!("define timeperiod {{\ntimeperiod_name p\n{line}\n}}")).contains("error"));
    }
}
