//! Who is on call, on the command line: who, tonight, schedule and check, as the shipped program does them; from files,
//! and from a server that has the same definitions.

mod guide;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::command::{Ran, folder, run, run_with};
use crate::support::{TOKEN, World};

/// A rotation with a secondary and a shadow, a schedule with gaps, a person without contacts; leave. By the plural that
/// the API has, in an order in which everything is there before it is named.
fn definitions() -> Vec<(&'static str, Value)> {
    vec![
        (
            "people",
            json!({ "name": "john", "full_name": "John Smith", "zone": "Europe/Berlin",
                "contacts": ["handset:john", "email:john@example.org"] }),
        ),
        ("people", json!({ "name": "bob", "full_name": "Bob", "contacts": ["handset:bob"] })),
        ("people", json!({ "name": "carol", "full_name": "Carol Jones" })),
        (
            "periods",
            json!({ "name": "business", "rules": [{ "days": "monday - friday", "hours": "09:00-17:00" }] }),
        ),
        (
            "rotations",
            json!({ "name": "ops-weekly", "zone": "Europe/Berlin", "members": ["john", "bob"],
                "every": "1 week", "handoff": "monday 08:00", "start": "2026-03-02" }),
        ),
        (
            "schedules",
            json!({ "name": "ops", "zone": "Europe/Berlin", "description": "Around the clock", "layers": [
                { "rotation": "ops-weekly" },
                { "rotation": "ops-weekly", "ahead": 1, "role": "secondary" },
                { "people": ["carol"], "shadow": true, "period": "business" },
            ] }),
        ),
        (
            "schedules",
            json!({ "name": "office", "zone": "America/New_York", "layers": [
                { "name": "desk", "people": ["carol"], "period": "business" },
            ] }),
        ),
        (
            "escalation-plans",
            json!({ "name": "ops", "repeat": 2, "steps": [
                { "notify": ["on_call"], "after": "5m" },
                { "notify": ["next_on_call", "email:noc@example.org"], "after": "10m" },
                { "notify": ["on_call:office"], "after": "10m" },
                { "notify": ["all_members"], "after": "10m" },
            ] }),
        ),
        (
            "teams",
            json!({ "name": "ops", "members": ["john", "bob"], "schedule": "ops", "escalation_plan": "ops",
                "last_resort": ["all_members"] }),
        ),
        ("teams", json!({ "name": "dev", "members": ["carol", "bob"] })),
        ("teams", json!({ "name": "office", "members": ["carol"], "schedule": "office" })),
    ]
}

/// The same in a file, with leave.
fn files() -> TempDir {
    let mut kinds = serde_json::Map::new();
    for (plural, body) in definitions() {
        let kind = match plural {
            "people" => "person",
            "escalation-plans" => "escalation_plan",
            plural => plural.trim_end_matches('s'),
        };
        kinds.entry(kind).or_insert_with(|| json!([])).as_array_mut().unwrap().push(body);
    }
    let leave = json!({ "name": "skiing", "person": "john",
        "stretches": [{ "from": "2026-03-18", "until": "2026-03-20" }] });
    kinds.insert("leave".to_owned(), json!([leave]));
    folder(&[("team.toml", &toml::to_string(&kinds).unwrap())])
}

fn ask(arguments: &[&str]) -> Ran {
    let folder = files();
    let arguments = [arguments, &["--config", "team.toml"]].concat();
    run(folder.path(), &arguments, "")
}

/// What a question is answered with, when nothing is wrong.
fn answer(arguments: &[&str]) -> String {
    let ran = ask(arguments);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}");
    ran.out
}

#[test]
fn who_tells_each_role_with_shadows_and_who_comes_then() {
    insta::assert_snapshot!(answer(&["who", "ops", "--at", "2026-03-10 12:00"]), @r#"
    ops  Tue 2026-03-10 12:00, Europe/Berlin

    primary
      on call  Bob, until Mon 2026-03-16 08:00 (5 days 20 h)
               by layer "ops-weekly"
               told as well: Carol Jones
      then     John Smith, Mon 2026-03-16 08:00 to Wed 2026-03-18 00:00
      then     Bob, Wed 2026-03-18 00:00 to Sat 2026-03-21 00:00
               instead of John Smith

    secondary
      on call  John Smith, until Mon 2026-03-16 08:00 (5 days 20 h)
               by layer "ops-weekly"
      then     Bob, Mon 2026-03-16 08:00 to Mon 2026-03-23 08:00
      then     John Smith, Mon 2026-03-23 08:00 to Mon 2026-03-30 08:00
    "#);
}

#[test]
fn who_tells_whose_place_somebody_has() {
    insta::assert_snapshot!(answer(&["who", "ops", "--at", "2026-03-18T12:00:00Z"]), @r#"
    ops  Wed 2026-03-18 13:00, Europe/Berlin

    primary
      on call  Bob, until Sat 2026-03-21 00:00 (2 days 11 h)
               by layer "ops-weekly", instead of John Smith
               told as well: Carol Jones
      then     John Smith, Sat 2026-03-21 00:00 to Mon 2026-03-23 08:00
      then     Bob, Mon 2026-03-23 08:00 to Mon 2026-03-30 08:00

    secondary
      on call  Bob, until Mon 2026-03-23 08:00 (4 days 19 h)
               by layer "ops-weekly"
      then     John Smith, Mon 2026-03-23 08:00 to Mon 2026-03-30 08:00
      then     Bob, Mon 2026-03-30 08:00 to Mon 2026-04-06 08:00
    "#);
}

#[test]
fn who_says_plainly_that_nobody_is_on_call() {
    insta::assert_snapshot!(answer(&["who", "office", "--at", "2026-03-06 17:00"]), @r#"
    office  Fri 2026-03-06 17:00, America/New_York

    primary
      on call  NOBODY IS ON CALL, until Mon 2026-03-09 09:00 (2 days 15 h)
      then     Carol Jones, Mon 2026-03-09 09:00 to 17:00
      then     NOBODY, Mon 2026-03-09 17:00 to Tue 2026-03-10 09:00
      then     Carol Jones, Tue 2026-03-10 09:00 to 17:00
    "#);
}

#[test]
fn who_of_a_team_without_a_schedule_is_the_first_member() {
    insta::assert_snapshot!(answer(&["who", "dev", "--at", "2026-03-06 17:00"]), @r#"
    dev  Fri 2026-03-06 17:00, UTC

    primary
      on call  Carol Jones, no end in sight
               by the order of the team
    "#);
}

#[test]
fn a_question_that_cannot_be_answered_says_why() {
    let ran = ask(&["who", "opz"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, "error: there is no team \"opz\"; did you mean \"ops\"?\n"));
    let ran = ask(&["who", "ops", "--at", "tomorrow"]);
    assert!(
        ran.err.contains("\"tomorrow\" is no time; write one such as \"2026-12-24 08:00\""),
        "{}",
        ran.err
    );
    let ran = ask(&["tonight", "opz"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, "error: there is no team \"opz\"; did you mean \"ops\"?\n"));
    let ran = ask(&["schedule", "show", "offce"]);
    assert!(ran.err.contains("did you mean \"office\"?"), "{}", ran.err);
    let ran = ask(&["schedule", "gaps", "ops", "--from", "2026-03-02", "--to", "2026-03-01"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, "error: --to is not after --from\n"));
    let broken = folder(&[("team.toml", "[[team]]\nname = \"ops\"\nmembers = [\"jon\"]\n")]);
    let ran = run(broken.path(), &["who", "ops", "--config", "team.toml"], "");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(
        ran.err.contains("there is no person \"jon\"") && ran.err.contains("can't be told"),
        "{}",
        ran.err
    );
}

#[test]
fn tonight_tells_who_rings_in_which_order_and_what_is_wrong() {
    insta::assert_snapshot!(answer(&["tonight", "--at", "2026-03-08 22:00"]), @r#"
    dev                                       Sun 2026-03-08 22:00 to Mon 08:00, UTC
      1  at once           nobody: the next step comes at once
      2  at once           Bob                (by name)  handset:bob
      then all of it once more
      !! Carol Jones can't be reached: no contact
      !! no last resort: write last_resort for the team, or for the whole service

    office                       Sun 2026-03-08 22:00 to Mon 08:00, America/New_York
      1  at once           nobody: the next step comes at once
      NOBODY IS ON CALL as primary: all night, until morning and beyond
      !! Carol Jones can't be reached: no contact
      !! no last resort: write last_resort for the team, or for the whole service

    ops                             Sun 2026-03-08 22:00 to Mon 08:00, Europe/Berlin
      1  at once           John Smith         (on call, primary)
                             handset:john, then email:john@example.org
      2  after 5 min       Bob                (next on call, primary)  handset:bob
                           email:noc@example.org (an address)
      3  after 15 min      nobody: the next step comes at once
      4  after 15 min      John Smith         (member)
                             handset:john, then email:john@example.org
                           Bob                (member)  handset:bob
      then all of it 2 times more
      L  after 1 h 15 min  John Smith         (member)
                             handset:john, then email:john@example.org
                           Bob                (member)  handset:bob
         L: the last resort, when nobody has answered
      !! nobody is on call as primary of office
    "#);
}

#[test]
fn tonight_tells_who_comes_on_call_before_morning() {
    // John's leave begins at midnight.
    let told = answer(&["tonight", "ops", "--at", "2026-03-17 22:00"]);
    assert!(told.contains("  Wed 2026-03-18 00:00  Bob is on call as primary\n"), "{told}");
    assert!(!told.contains("NOBODY"), "{told}");
}

#[test]
fn a_schedule_is_drawn_with_its_handoffs_and_gaps() {
    insta::assert_snapshot!(answer(&["schedule", "show", "ops", "--from", "2026-03-16", "--to", "2026-03-21"]), @r#"
    ops                                                                Europe/Berlin
    Around the clock

                              00 03 06 09 12 15 18 21 24
    Mon 2026-03-16  primary   BBBBBBBBJJJJJJJJJJJJJJJJ  08:00 J
                    secondary JJJJJJJJBBBBBBBBBBBBBBBB  08:00 B

    Tue 2026-03-17  primary   JJJJJJJJJJJJJJJJJJJJJJJJ
                    secondary BBBBBBBBBBBBBBBBBBBBBBBB

    Wed 2026-03-18  primary   BBBBBBBBBBBBBBBBBBBBBBBB  00:00 B
                    secondary BBBBBBBBBBBBBBBBBBBBBBBB

    Thu 2026-03-19  primary   BBBBBBBBBBBBBBBBBBBBBBBB
                    secondary BBBBBBBBBBBBBBBBBBBBBBBB

    Fri 2026-03-20  primary   BBBBBBBBBBBBBBBBBBBBBBBB
                    secondary BBBBBBBBBBBBBBBBBBBBBBBB

    Sat 2026-03-21  primary   JJJJJJJJJJJJJJJJJJJJJJJJ  00:00 J
                    secondary BBBBBBBBBBBBBBBBBBBBBBBB

    B Bob   J John Smith

    primary
    B                     … – Mon 2026-03-16 08:00  Bob
    J  Mon 2026-03-16 08:00 – Wed 2026-03-18 00:00  John Smith
    B  Wed 2026-03-18 00:00 – Sat 2026-03-21 00:00  Bob, instead of John Smith
    J  Sat 2026-03-21 00:00 – …                     John Smith

    primary, only told
       Mon 2026-03-16 09:00 – Mon 2026-03-16 17:00  Carol Jones
       Tue 2026-03-17 09:00 – Tue 2026-03-17 17:00  Carol Jones
       Wed 2026-03-18 09:00 – Wed 2026-03-18 17:00  Carol Jones
       Thu 2026-03-19 09:00 – Thu 2026-03-19 17:00  Carol Jones
       Fri 2026-03-20 09:00 – Fri 2026-03-20 17:00  Carol Jones

    secondary
    J                     … – Mon 2026-03-16 08:00  John Smith
    B  Mon 2026-03-16 08:00 – …                     Bob
    "#);
    // In New York clocks went forward on 8 March.
    insta::assert_snapshot!(answer(&["schedule", "show", "office", "--from", "2026-03-06", "--to", "2026-03-09"]), @r#"
    office                                                          America/New_York

                    00 03 06 09 12 15 18 21 24
    Fri 2026-03-06  !!!GAP!!!CCCCCCCC!!GAP!!  GAP 09:00 C 17:00 GAP
    Sat 2026-03-07  !!!!!!!!!!GAP!!!!!!!!!!!  GAP
    Sun 2026-03-08  !!╌!!!!!!!!!GAP!!!!!!!!!  GAP
                    ↑ the clock changes: this day has 23 h

    Mon 2026-03-09  !!!GAP!!!CCCCCCCC!!GAP!!  GAP 09:00 C 17:00 GAP

    C Carol Jones   ! nobody

    primary
    !                     … – Fri 2026-03-06 09:00  NOBODY IS ON CALL
    C  Fri 2026-03-06 09:00 – Fri 2026-03-06 17:00  Carol Jones
    !  Fri 2026-03-06 17:00 – Mon 2026-03-09 09:00  NOBODY IS ON CALL
    C  Mon 2026-03-09 09:00 – Mon 2026-03-09 17:00  Carol Jones
    !  Mon 2026-03-09 17:00 – …                     NOBODY IS ON CALL
    nobody is on call for 3 days 7 h
    "#);
}

#[test]
fn no_line_of_a_picture_is_wider_than_a_terminal() {
    for zone in ["Asia/Kathmandu", "America/New_York", "UTC"] {
        for name in ["ops", "office"] {
            let drawn = answer(&[
                "schedule",
                "show",
                name,
                "--from",
                "2026-03-01",
                "--to",
                "2026-04-01",
                "--zone",
                zone,
            ]);
            for line in drawn.lines() {
                assert!(line.chars().count() <= 80, "{line}");
            }
        }
    }
}

#[test]
fn gaps_balance_and_the_list_are_tables() {
    insta::assert_snapshot!(answer(&["schedule", "gaps", "office", "--from", "2026-03-06", "--to", "2026-03-10"]), @r#"
    NOBODY  primary  Fri 2026-03-06 00:00 to 09:00 (9 h)
    NOBODY  primary  Fri 2026-03-06 17:00 to Mon 2026-03-09 09:00 (2 days 15 h)
    NOBODY  primary  Mon 2026-03-09 17:00 to 24:00 (7 h)
    3 gaps, 3 days 7 h in all, from Fri 2026-03-06 00:00 to Tue 2026-03-10 00:00
    "#);
    insta::assert_snapshot!(answer(&["schedule", "gaps", "ops", "--from", "2026-03-06", "--to", "2026-03-10"]), @r#"
    ops: somebody is on call all the time from Fri 2026-03-06 00:00 to Tue 2026-03-10 00:00
    "#);
    insta::assert_snapshot!(answer(&["schedule", "balance", "ops", "--from", "2026-03-02 08:00", "--to", "2026-03-30 08:00"]), @r#"
    ops from Mon 2026-03-02 08:00 to Mon 2026-03-30 08:00

                          hours   nights weekends holidays   share
    Bob                   743.0    247.0    191.0      0.0  55.4 %  ██████████████
    John Smith            599.0    199.0    191.0      0.0  44.6 %  ███████████
    "#);
    insta::assert_snapshot!(answer(&["schedule", "list"]), @r#"
    office  America/New_York
              primary: carol, in business
    ops     Europe/Berlin  Around the clock
              primary: carol, in business, only told
              secondary: rotation ops-weekly, the turn after the present one
              primary: rotation ops-weekly
    "#);
}

#[test]
fn check_warns_of_gaps_leave_and_people_out_of_reach() {
    let folder = files();
    let ran = run(folder.path(), &["check", "--from", "2026-03-09", "team.toml"], "");
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.out, @r#"
    team.toml:22:8: warning: John Smith is on call during this leave, as primary of schedule "ops" (Europe/Berlin)
        |
     22 | name = "skiing"
        |        ^^^^^^^^
        = help: these stand in:
                Bob: Wed 2026-03-18 00:00 to Sat 2026-03-21 00:00

    team.toml:49:8: warning: Carol Jones is on call by schedule "office", schedule "ops", team "dev" and has no contact
        |
     49 | name = "carol"
        |        ^^^^^^^
        = help: write contacts = ["handset:carol"], or another way to be reached

    team.toml:78:8: warning: nobody is on call as primary: 66 times within 90 days, 68 days 8 h in all (America/New_York)
        |
     78 | name = "office"
        |        ^^^^^^^^
        = help: a layer without a period, below the others, would have these times:
                until Mon 2026-03-09 09:00
                Mon 2026-03-09 17:00 to Tue 2026-03-10 09:00
                Tue 2026-03-10 17:00 to Wed 2026-03-11 09:00
                Wed 2026-03-11 17:00 to Thu 2026-03-12 09:00
                Thu 2026-03-12 17:00 to Fri 2026-03-13 09:00
                Fri 2026-03-13 17:00 to Mon 2026-03-16 09:00
                Mon 2026-03-16 17:00 to Tue 2026-03-17 09:00
                Tue 2026-03-17 17:00 to Wed 2026-03-18 09:00
                Wed 2026-03-18 17:00 to Thu 2026-03-19 09:00
                Thu 2026-03-19 17:00 to Fri 2026-03-20 09:00
                … and 56 more

    1 period, 3 people, 3 teams, 1 escalation plan, 1 rotation, 2 schedules, 1 leave: 3 warnings
    "#);
    let ran = run(folder.path(), &["check", "--from", "2026-03-09", "--format", "json", "team.toml"], "");
    let first: Value = serde_json::from_str(ran.out.lines().next().unwrap()).unwrap();
    assert_eq!((&first["severity"], &first["file"]), (&json!("warning"), &json!("team.toml")));
}

#[test]
fn check_warns_of_layers_that_claim_the_same_time_and_of_rotations_without_a_start() {
    let text = "\
[[person]]
name = \"john\"
contacts = [\"handset:john\"]

[[person]]
name = \"bob\"
contacts = [\"handset:bob\"]

[[period]]
name = \"weekends\"
rules = [{ days = [\"saturday\", \"sunday\"], hours = \"00:00-24:00\" }]

[[period]]
name = \"easter\"
rules = [{ days = \"2026-04-05\", hours = \"00:00-24:00\" }]

[[rotation]]
name = \"daily\"
members = [\"john\"]
every = \"1 day\"

[[schedule]]
name = \"ops\"
layers = [
    { rotation = \"daily\" },
    { people = [\"bob\"], period = \"weekends\" },
    { people = [\"john\"], period = \"easter\" },
]
";
    let folder = folder(&[("team.toml", text)]);
    let ran = run(folder.path(), &["check", "--from", "2026-03-09", "team.toml"], "");
    assert_eq!(ran.code, 0);
    insta::assert_snapshot!(ran.out, @r#"
    team.toml:18:8: warning: this rotation has no start: the first member always has the turn in which the file is read
        |
     18 | name = "daily"
        |        ^^^^^^^
        = help: write a day on which the first member begins a turn, such as start = "2026-01-05"

    team.toml:23:8: warning: two layers claim the same time as primary: "john, easter" (john) wins over "bob, weekends" (bob) (UTC)
        |
     23 | name = "ops"
        |        ^^^^^
        = help: if that is not meant, let the period of one exclude that of the other:
                Sun 2026-04-05 00:00 to 24:00

    2 periods, 2 people, 1 rotation, 1 schedule: 2 warnings
    "#);
}

#[tokio::test]
async fn a_server_answers_as_files_do() {
    let world = World::new().await;
    for (plural, body) in definitions() {
        world.post(&format!("/api/v1/{plural}"), body).await;
    }
    world.post("/api/v1/people/john/leave", json!({ "from": "2026-03-18", "until": "2026-03-20" })).await;
    let questions: [&[&str]; 9] = [
        &["who", "ops", "--at", "2026-03-18 12:00"],
        &["who", "office", "--at", "2026-03-06T22:00:00Z"],
        &["who", "dev", "--at", "2026-03-06"],
        &["tonight", "--at", "2026-03-18 22:00"],
        &["schedule", "show", "ops", "--from", "2026-03-15", "--to", "2026-03-20"],
        &["schedule", "gaps", "office", "--from", "2026-03-06", "--to", "2026-03-10"],
        &["schedule", "balance", "ops", "--from", "2026-03-06", "--to", "2026-03-10"],
        &["schedule", "list"],
        &["who", "ops", "--at", "2026-03-18 12:00", "--json"],
    ];
    for question in questions {
        let url = world.url.clone();
        let arguments: Vec<String> = question.iter().map(ToString::to_string).collect();
        // The server runs on this thread.
        let asked = tokio::task::spawn_blocking(move || {
            let folder = folder(&[]);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let variables = [("DOGWATCH_URL", url.as_str()), ("DOGWATCH_TOKEN", TOKEN)];
            run_with(folder.path(), &arguments, "", &variables)
        });
        let ran = asked.await.unwrap();
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{question:?}");
        if question.contains(&"list") {
            // By the name.
            assert!(ran.out.contains("secondary: rotation ops-weekly"), "{}", ran.out);
        } else {
            // Only a server knows when a contact last worked.
            let (lately, out): (Vec<&str>, Vec<&str>) =
                ran.out.split_inclusive('\n').partition(|line| line.contains("was not used within 90 days"));
            assert_eq!(out.concat(), answer(question), "{question:?}");
            assert_eq!(lately.is_empty(), !question.contains(&"tonight"), "{question:?}");
        }
    }
}

#[tokio::test]
async fn a_calendar_file_is_brought_in_as_a_layer_and_replaced() {
    let world = World::new().await;
    for (kind, body) in [
        ("people", json!({ "name": "john" })),
        ("people", json!({ "name": "bob" })),
        ("schedules", json!({ "name": "ops", "layers": [{ "people": ["bob"] }] })),
    ] {
        world.post(&format!("/api/v1/{kind}"), body).await;
    }
    let import = async |summary: &str| {
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:{summary}\r\n\
             DTSTART:20260304T000000Z\r\nDURATION:P1D\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        let url = world.url.clone();
        let ran = tokio::task::spawn_blocking(move || {
            let folder = folder(&[("duty.ics", &text)]);
            let variables = [("DOGWATCH_URL", url.as_str()), ("DOGWATCH_TOKEN", TOKEN)];
            run_with(folder.path(), &["schedule", "import", "ops", "duty.ics"], "", &variables)
        });
        ran.await.unwrap()
    };
    assert_eq!(import("John").await.out, "added the layer \"calendar\" of ops with duty.ics\n");
    assert_eq!(import("john, all day").await.out, "replaced the layer \"calendar\" of ops with duty.ics\n");
    let schedule = world.get("/api/v1/schedules/ops").await;
    assert_eq!(schedule["layers"].as_array().unwrap().len(), 2);
    let refused = import("Zoe").await;
    assert!(refused.code != 0 && refused.err.contains("it is not known whose"), "{}", refused.err);
}
