//! Periods on the command line: check, eval and show, as the shipped program does them.

mod guide;
mod vectors;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::command::{Ran, folder, run};

const OFFICE: &str = "\
define timeperiod {
    timeperiod_name  office
    alias            Office hours
    monday           09:00-17:00
    tuesday          09:00-17:00
    wednesday        09:00-12:10,13:00-17:00
    thursday         09:15-17:00
    friday           09:00-15:30
    exclude          holidays
}
define timeperiod {
    timeperiod_name  holidays
    december 25      00:00-24:00
    january 1        00:00-24:00
}
define timeperiod {
    timeperiod_name  nights
    sunday           00:00-06:00,22:00-24:00
    monday           00:00-06:00,12:00-13:00,22:00-24:00
    saturday         00:00-24:00
}
define timeperiod {
    timeperiod_name  always
    day 1 - -1       00:00-24:00
}
";

#[test]
fn sound_definitions_pass_in_any_order_and_number_of_files() {
    let folder = folder(&[
        ("a.toml", "[[team]]\nname = \"ops\"\nmembers = [\"john\"]\nescalation_plan = \"ops\"\n"),
        ("b/people.toml", "[[person]]\nname = \"john\"\ncontacts = [\"handset:john\"]\n"),
        (
            "c.toml",
            "[[integration]]\nname = \"nagios\"\nteam = \"ops\"\n\n[[escalation_plan]]\nname = \"ops\"\n\
            steps = [{ notify = [\"on_call\"], after = \"5m\" }]\n\n[[period]]\nname = \"p\"\nexclude = [\"holidays\"]\n\
            rules = [{ days = \"monday\", hours = \"00:00-24:00\" }]\n",
        ),
        ("office.cfg", OFFICE),
        ("notes.txt", "not ours"),
        (".hidden.toml", "x ="),
    ]);
    let ran = run(folder.path(), &["check", "."], "");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert_eq!(ran.out, "5 periods, 1 person, 1 team, 1 escalation plan, 1 integration: no problems\n");
    let ran = run(folder.path(), &["check", "c.toml", "office.cfg", "b", "a.toml", "office.cfg"], "");
    assert_eq!(ran.code, 0, "{}", ran.out);
    let ran = run(folder.path(), &["check", "a.toml"], "");
    assert_eq!(ran.code, 1, "john and the plan are not in this file");
    let ran = run(folder.path(), &["check", "--format", "json", "."], "");
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
}

const WRONG: &str = "\
[[period]]
name = \"office\"
exclude = [\"holidays\", \"holidayz\"]
rules = [
  { days = \"monday - fryday\", hours = [\"09:00-12:00\", \"13-17\"] },
  { days = \"saturday\", hours = \"22:00-06:00\" },
  { day = \"sunday\", hours = 5 },
]

[[period]]
name = \"holidays\"
text = \"\"\"
  december 25 00:00-24:00
  decembr 26 00:00-24:00\"\"\"

[[person]]
name = \"john\"
contcts = [\"handset:john\"]
full_name = 7

[[team]]
name = \"ops\"
members = [\"john\", \"jon\"]
escalation_plan = \"ops\"

[[team]]
name = \"ops\"

[[escalation-plan]]
name = \"ops\"

[person2]
x =
";

#[test]
fn every_problem_of_a_toml_file_has_its_place_and_advice() {
    let folder = folder(&[("wrong.toml", WRONG)]);
    let ran = run(folder.path(), &["check", "wrong.toml"], "");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    insta::assert_snapshot!(ran.out, @r#"
    wrong.toml:3:24: error: there is no period "holidayz"
       |
     3 | exclude = ["holidays", "holidayz"]
       |                        ^^^^^^^^^^
       = help: did you mean "holidays"?

    wrong.toml:5:22: error: there is no weekday "fryday"
       |
     5 |   { days = "monday - fryday", hours = ["09:00-12:00", "13-17"] },
       |                      ^^^^^^
       = help: did you mean "friday"?

    wrong.toml:5:56: error: "13-17" is no time of day
       |
     5 |   { days = "monday - fryday", hours = ["09:00-12:00", "13-17"] },
       |                                                        ^^^^^
       = help: write hours as 09:00-17:00, with commas between ranges: 09:00-12:00,13:00-17:00

    wrong.toml:6:33: error: 22:00-06:00 ends before it begins
       |
     6 |   { days = "saturday", hours = "22:00-06:00" },
       |                                 ^^^^^^^^^^^
       = help: a range ends on the day it begins on; write the night as two lines:
               saturday 22:00-24:00
               sunday 00:00-06:00

    wrong.toml:7:5: error: there is no field "day" here
       |
     7 |   { day = "sunday", hours = 5 },
       |     ^^^
       = help: did you mean "days"?

    wrong.toml:7:29: error: this is the wrong type: integer 5, where a string or a list of strings belongs
       |
     7 |   { day = "sunday", hours = 5 },
       |                             ^

    wrong.toml:14:3: error: there is no directive "decembr"
        |
     14 |   decembr 26 00:00-24:00"""
        |   ^^^^^^^
        = help: did you mean "december"?

    wrong.toml:18:1: error: there is no field "contcts" here
        |
     18 | contcts = ["handset:john"]
        | ^^^^^^^
        = help: did you mean "contacts"?

    wrong.toml:19:13: error: this is the wrong type: integer 7, where a string belongs
        |
     19 | full_name = 7
        |             ^

    wrong.toml:23:20: error: members[1]: there is no person "jon"
        |
     23 | members = ["john", "jon"]
        |                    ^^^^^
        = help: did you mean "john"?

    wrong.toml:27:8: error: there is another team "ops"
        |
     27 | name = "ops"
        |        ^^^^^
        = wrong.toml:22:8: the other is here
        |
     22 | name = "ops"
        |        -----
        = help: give one of them another name, or take it away

    wrong.toml:29:1: error: the field "steps" of this escalation plan is missing
        |
     29 | [[escalation-plan]]
        | ^^^^^^^^^^^^^^^^^^^

    wrong.toml:29:3: error: there is no kind of definition "escalation-plan"
        |
     29 | [[escalation-plan]]
        |   ^^^^^^^^^^^^^^^
        = help: did you mean "escalation_plan"?

    wrong.toml:32:2: error: there is no kind of definition "person2"
        |
     32 | [person2]
        |  ^^^^^^^
        = help: did you mean "person"?

    wrong.toml:33:4: error: string values must be quoted, expected literal string
        |
     33 | x =
        |    ^

    2 periods, 1 person, 1 team, 1 escalation plan: 15 errors
    "#);
}

#[test]
fn warnings_alone_are_no_failure() {
    let text = "define timeperiod {\n timeperiod_name p\n november 15 - february 5 00:00-24:00\n}\n";
    let folder = folder(&[("p.cfg", text)]);
    let ran = run(folder.path(), &["check", "p.cfg"], "");
    assert_eq!(ran.code, 0);
    assert!(
        ran.out.starts_with("p.cfg:3:2: warning: this range runs over into the next year\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.ends_with("1 period: 1 warning\n"), "{}", ran.out);
}

#[test]
fn problems_for_programs_are_objects_on_lines() {
    let cfg = "define timeperiod {\n timeperiod_name p\n tusday 09:00-17:00\n}\n\
        define timeperiod {\n timeperiod_name p\n}\n";
    let folder = folder(&[("p.cfg", cfg)]);
    let ran = run(folder.path(), &["check", "--format", "json", "p.cfg", "missing.toml"], "");
    assert_eq!(ran.code, 1);
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines[0],
        json!({ "file": null, "line": null, "column": null, "severity": "error", "hint": null, "related": null,
            "message": "cannot read \"missing.toml\": there is no such file" })
    );
    assert_eq!(
        lines[1],
        json!({ "file": "p.cfg", "line": 3, "column": 2, "severity": "error", "related": null,
            "message": "there is no directive \"tusday\"", "hint": "did you mean \"tuesday\"?" })
    );
    assert_eq!(lines[2]["related"]["line"], 2);
    assert_eq!(lines.len(), 3);
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = folder(&[("latin.cfg", ""), ("odd.conf", OFFICE), ("loop.cfg", "include_dir=.\n")]);
    std::fs::write(folder.path().join("latin.cfg"), b"# ok\n# B\xfcro\n").unwrap();
    let ran = run(folder.path(), &["check", "latin.cfg"], "");
    assert!(ran.code == 1 && ran.out.contains("line 2 is not UTF-8"), "{}", ran.out);
    let ran = run(folder.path(), &["check", "odd.conf"], "");
    assert_eq!((ran.code, ran.out.as_str()), (0, "4 periods: no problems\n"), "by what is in it");
    let ran = run(folder.path(), &["check"], "");
    assert_eq!(ran.code, 2);
}

fn eval(config: &str, input: &str) -> Ran {
    let folder = folder(&[("p.cfg", config)]);
    run(folder.path(), &["period", "eval", "--config", "p.cfg"], input)
}

#[test]
fn a_bad_line_is_answered_in_its_place() {
    let broken = "define timeperiod {\n timeperiod_name broken\n monday 9-17\n}\n\
        define timeperiod {\n timeperiod_name builds-on\n thursday 09:00-17:00\n exclude broken\n}\n";
    let input = "\
{\"tz\":\"UTC\",\"period\":\"office\",\"t\":1783328400}
nonsense
{\"tz\":\"Europe/Berln\",\"period\":\"office\",\"t\":0}
{\"tz\":\"UTC\",\"period\":\"ofice\",\"t\":0}

{\"tz\":\"UTC\",\"period\":\"office\",\"t\":99999999999999}
{\"tz\":\"UTC\",\"period\":\"broken\",\"t\":0}
{\"tz\":\"UTC\",\"period\":\"builds-on\",\"t\":0}
{\"period\":\"\\u0061lways\",\"more\":[1],\"t\":-1,\"tz\":\"UTC\"}
{\"tz\":\"UTC\",\"period\":\"office\"}
{\"tz\":\"UTC\",\"period\":\"always\",\"t\":0.5}";
    let ran = eval(&format!("{OFFICE}{broken}"), input);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out, @r#"
    {"tz":"UTC","period":"office","t":1783328400,"in":true,"next_valid":1783328400,"next_invalid":1783357200}
    {"error":"this is no question: expected ident at column 2"}
    {"error":"there is no time zone \"Europe/Berln\"; did you mean \"Europe/Berlin\"?"}
    {"error":"there is no period \"ofice\"; did you mean \"office\"?"}
    {"error":"t is 99999999999999, which is not in the years -9999 to 9999"}
    {"tz":"UTC","period":"broken","t":0,"in":false,"next_valid":null,"next_invalid":0}
    {"tz":"UTC","period":"builds-on","t":0,"in":false,"next_valid":32400,"next_invalid":0}
    {"tz":"UTC","period":"always","t":-1,"in":true,"next_valid":-1,"next_invalid":null}
    {"error":"this is no question: missing field `t` at column 30"}
    {"error":"this is no question: invalid type: floating point `0.5`, expected i64 at column 37"}
    "#);
    insta::assert_snapshot!(ran.err, @r#"
    p.cfg:28:2: error: these days have no hours
        |
     28 |  monday 9-17
        |  ^^^^^^^^^^^
        = help: if these are hours, write "monday 09:00-17:00"

    line 2: this is no question: expected ident at column 2
    line 3: there is no time zone "Europe/Berln"; did you mean "Europe/Berlin"?
    line 4: there is no period "ofice"; did you mean "office"?
    line 6: t is 99999999999999, which is not in the years -9999 to 9999
    warning: period "broken" has errors; the answers are those of what can be read of it
    warning: period "builds-on" has errors; the answers are those of what can be read of it
    line 10: this is no question: missing field `t` at column 30
    line 11: this is no question: invalid type: floating point `0.5`, expected i64 at column 37
    "#);
}

#[test]
fn an_answer_comes_before_the_next_question() {
    let folder = folder(&[("p.cfg", OFFICE)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_dogwatch"))
        .args(["period", "eval", "--config"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for t in [0, 1_783_328_400] {
        // The beginning of the next question is no reason to wait.
        writeln!(stdin, "{{\"tz\":\"UTC\",\"period\":\"office\",\"t\":{t}}}").unwrap();
        write!(stdin, "  ").unwrap();
        stdin.flush().unwrap();
        let mut line = String::new();
        answers.read_line(&mut line).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["t"], t);
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn many_lines_come_back_in_order() {
    const LINES: i64 = 200_000;
    let folder = folder(&[("p.cfg", OFFICE)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_dogwatch"))
        .args(["period", "eval", "--config"])
        .arg(folder.path().join("p.cfg"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = std::io::BufWriter::new(child.stdin.take().unwrap());
    let question = |n: i64| {
        let zone = ["UTC", "Europe/Berlin", "America/New_York"][(n % 3) as usize];
        // Now in steps, now far away.
        let t = if n % 1_000 == 0 { n * 1_000_000 - 60_000_000_000 } else { 1_700_000_000 + n * 977 };
        (zone, ["office", "nights"][(n % 2) as usize], t)
    };
    let writer = std::thread::spawn(move || {
        for n in 0..LINES {
            let (tz, period, t) = question(n);
            writeln!(stdin, "{{\"tz\":\"{tz}\",\"period\":\"{period}\",\"t\":{t}}}").unwrap();
        }
    });
    let mut count = 0;
    for (n, line) in (0..).zip(BufReader::new(child.stdout.take().unwrap()).lines()) {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let (tz, period, t) = question(n);
        assert_eq!((&line["tz"], &line["period"], &line["t"]), (&json!(tz), &json!(period), &json!(t)));
        let here = if line["in"] == true { "next_valid" } else { "next_invalid" };
        assert_eq!(line[here], t);
        count += 1;
    }
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(count, LINES);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = folder(&[("p.cfg", OFFICE)]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_dogwatch"))
        .args(["period", "eval", "--config"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{{\"tz\":\"UTC\",\"period\":\"office\",\"t\":0}}").unwrap();
    drop(stdin);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().success(), said.as_str()), (true, ""));
}

fn show(arguments: &[&str]) -> Ran {
    let folder = folder(&[("p.cfg", OFFICE)]);
    run(folder.path(), &[&["period", "show", "--config", "p.cfg"], arguments].concat(), "")
}

#[test]
fn a_calendar_is_drawn() {
    let ran = show(&["nights", "--zone", "America/New_York", "--from", "2026-03-06", "--to", "2026-03-10"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!(ran.out, @r#"
    nights                                                          America/New_York

                    00 03 06 09 12 15 18 21 24
    Fri 2026-03-06  ┊··┊··┊··┊··┊··┊··┊··┊··
    Sat 2026-03-07  ████████████████████████  all day
    Sun 2026-03-08  ██╌███┊··┊··┊··┊··┊··┊██  00:00-02:00 03:00-06:00 22:00-24:00
                    ↑ the clock changes: 02:00-03:00 do not come, the day has 23 h

    Mon 2026-03-09  ██████┊··┊··█··┊··┊··┊██  00:00-06:00 12:00-13:00 22:00-24:00
    Tue 2026-03-10  ┊··┊··┊··┊··┊··┊··┊··┊··

    In for 40 h of 5 days
    "#);
    let ran = show(&["office", "--zone", "Europe/Berlin", "--from", "2026-12-23", "--to", "2027-01-03"]);
    insta::assert_snapshot!(ran.out, @r#"
    office · Office hours                                              Europe/Berlin

                    00 03 06 09 12 15 18 21 24
    Wed 2026-12-23  ┊··┊··┊··███▒████·┊··┊··  09:00-12:10 13:00-17:00
    Thu 2026-12-24  ┊··┊··┊··▒███████·┊··┊··  09:15-17:00
    Fri 2026-12-25  ┊··┊··┊··┊··┊··┊··┊··┊··
    Sat 2026-12-26  ┊··┊··┊··┊··┊··┊··┊··┊··
    Sun 2026-12-27  ┊··┊··┊··┊··┊··┊··┊··┊··

    Mon 2026-12-28  ┊··┊··┊··████████·┊··┊··  09:00-17:00
    Tue 2026-12-29  ┊··┊··┊··████████·┊··┊··  09:00-17:00
    Wed 2026-12-30  ┊··┊··┊··███▒████·┊··┊··  09:00-12:10 13:00-17:00
    Thu 2026-12-31  ┊··┊··┊··▒███████·┊··┊··  09:15-17:00
    Fri 2027-01-01  ┊··┊··┊··┊··┊··┊··┊··┊··
    Sat 2027-01-02  ┊··┊··┊··┊··┊··┊··┊··┊··
    Sun 2027-01-03  ┊··┊··┊··┊··┊··┊··┊··┊··

    In for 45 h 50 min of 12 days
    ▒ partly in; the hours beside the bar are exact
    "#);
    let ran = show(&["always", "--zone", "Pacific/Apia", "--from", "2011-12-29", "--to", "2011-12-31"]);
    insta::assert_snapshot!(ran.out, @r#"
    always                                                              Pacific/Apia

                    00    03    06    09    12    15    18    21    24
    Thu 2011-12-29  ████████████████████████████████████████████████  all day
    Fri 2011-12-30  ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
                    ↑ this day does not come: the clock goes on to the next
    Sat 2011-12-31  ████████████████████████████████████████████████  all day

    Always in within 3 days; next out: never
    "#);
    let ran = show(&["holidays", "--from", "2026-07-01", "--to", "2026-07-01"]);
    insta::assert_snapshot!(ran.out, @r#"
    holidays                                                                     UTC

                    00    03    06    09    12    15    18    21    24
    Wed 2026-07-01  ┊·····┊·····┊·····┊·····┊·····┊·····┊·····┊·····

    Never in within 1 day; next in: Fri 2026-12-25 00:00
    "#);
    assert!(ran.out.lines().all(|line| line.chars().count() <= 80 && line.trim_end() == line));
}

#[test]
fn without_dates_it_is_two_weeks_from_today() {
    let ran = show(&["office"]);
    assert_eq!(ran.code, 0);
    assert_eq!(ran.out.lines().filter(|line| line.contains('┊')).count(), 14, "{}", ran.out);
    assert!(!ran.out.contains('\x1b'));
}

#[test]
fn what_cannot_be_drawn_is_said() {
    for (arguments, words) in [
        (&["ofice"][..], "there is no period \"ofice\"; did you mean \"office\"?"),
        (&["x"], "there is no period \"x\"; there are office, holidays, nights, always"),
        (&["office", "--zone", "Europe/Berln"], "did you mean \"Europe/Berlin\"?"),
        (&["office", "--from", "2026-02-30"], "write a date that exists"),
        (&["office", "--from", "2026-02-03", "--to", "2026-02-02"], "is before the first day"),
        (&["office", "--from", "2026-02-03", "--to", "2056-02-02"], "at most 3660 can be drawn"),
        (&["office", "--from", "9999-12-31"], "too far away"),
    ] {
        let ran = show(arguments);
        assert!(ran.code != 0 && ran.err.contains(words), "{arguments:?}: {}", ran.err);
    }
    let broken = "define timeperiod {\n timeperiod_name p\n monday 9-17\n tuesday 09:00-17:00\n}\n";
    let folder = folder(&[("p.cfg", broken)]);
    let ran = run(folder.path(), &["period", "show", "p", "--config", "p.cfg", "--from", "2026-07-06"], "");
    assert!(ran.code == 1 && ran.out.contains("09:00-17:00"), "it is drawn as far as it can be read");
    assert!(ran.err.contains("p.cfg:3:2: error") && ran.err.contains("as far as"), "{}", ran.err);
}

#[test]
fn every_command_has_an_example() {
    let folder = folder(&[]);
    for command in [&["check"][..], &["period", "eval"], &["period", "show"]] {
        let ran = run(folder.path(), &[command, &["--help"]].concat(), "");
        assert!(
            ran.code == 0 && ran.out.contains("Example") && ran.out.contains("  dogwatch"),
            "{}",
            ran.out
        );
    }
}
