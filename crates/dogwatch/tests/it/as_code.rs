//! Definitions as code: what files would change, changing it all at once, and writing everything out again.

mod guide;
mod round_trip;

use serde_json::{Value, json};

use crate::support::command::{Ran, folder, run_with};
use crate::support::process::{Process, TOKEN};

/// A house of three, with a rotation from a known day on.
const HOUSE: &str = r#"
[[person]]
name = "john"
full_name = "John Smith"
contacts = ["handset:john"]

[[person]]
name = "bob"
contacts = ["handset:bob"]

[[rotation]]
name = "weekly"
members = ["john", "bob"]
handoff = "monday 08:00"
start = "2026-01-05"

[[schedule]]
name = "ops"
layers = [{ rotation = "weekly" }]

[[escalation_plan]]
name = "ops"
steps = [{ notify = ["on_call"], after = "5m" }, { notify = ["all_members"], after = "10m" }]

[[team]]
name = "ops"
members = ["john", "bob"]
schedule = "ops"
escalation_plan = "ops"
"#;

/// A server, and files beside it.
pub(crate) struct House {
    pub(crate) folder: tempfile::TempDir,
    process: Process,
}

impl House {
    pub(crate) fn new(text: &str) -> Self {
        let folder = folder(&[("house.toml", text)]);
        let process = Process::serve(&folder.path().join("d.db"), &[]);
        Self { folder, process }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let variables = [("DOGWATCH_URL", self.process.url.as_str()), ("DOGWATCH_TOKEN", TOKEN)];
        run_with(self.folder.path(), arguments, "", &variables)
    }

    /// What a command prints that has to succeed.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}: {}", ran.out);
        ran.out
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        crate::support::set_up_tls();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}{path}", self.process.url);
        let request = client.request(method.parse().unwrap(), url).bearer_auth(TOKEN).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }
}

#[test]
fn applied_twice_it_changes_nothing_and_exported_it_is_the_same() {
    crate::support::set_up_tls();
    let house = House::new(HOUSE);
    assert!(house.ok(&["apply", "house.toml"]).ends_with("6 to add\napplied; version 6 is in force\n"));
    assert_eq!(house.ok(&["apply", "house.toml"]), "nothing to do\n");
    let exported = house.ok(&["export"]);
    house.write("exported.toml", &exported);
    assert_eq!(house.ok(&["apply", "exported.toml"]), "nothing to do\n");
    assert_eq!(house.ok(&["export"]), exported);

    // The same on a server that has nothing.
    let other = House::new(&exported);
    other.ok(&["apply", "house.toml"]);
    assert_eq!(other.ok(&["export"]), exported);

    // And in a folder, kind by kind.
    other.ok(&["export", "--out", "all"]);
    assert_eq!(other.ok(&["apply", "all"]), "nothing to do\n");
}

#[test]
fn a_plan_tells_field_by_field_and_who_would_be_on_call() {
    let house = House::new(HOUSE);
    house.ok(&["apply", "house.toml"]);
    let edited = HOUSE.replace("after = \"5m\"", "after = \"7m\"").replace(
        "name = \"weekly\"\nmembers = [\"john\", \"bob\"]",
        "name = \"weekly\"\nmembers = [\"john\", \"bob\", \"eve\"]",
    ) + "[[person]]\nname = \"eve\"\ncontacts = [\"handset:eve\"]\n";
    house.write("house.toml", &edited);
    let ran = house.run(&["plan", "house.toml"]);
    assert_eq!((ran.code, ran.err.as_str()), (2, ""), "{}", ran.out);
    for line in [
        "+ person \"eve\"\n",
        "~ rotation \"weekly\"\n    members: [\"john\",\"bob\"] → [\"john\",\"bob\",\"eve\"]\n",
        "~ escalation-plan \"ops\"\n    steps[0].after: \"5m\" → \"7m\"\n",
        "On call differently in the next 30 days:\n  schedule ops, primary: Mon ",
        "1 to add, 2 to change\nplanned against version 6\n",
    ] {
        assert!(ran.out.contains(line), "{line}\n{}", ran.out);
    }
    let planned: Value =
        serde_json::from_str(&house.run(&["plan", "house.toml", "--format", "json"]).out).unwrap();
    let change = &planned["on_call"][0];
    assert!(
        change["before"] != change["after"] && change["from"].as_str() < change["until"].as_str(),
        "{change}"
    );
    assert_eq!(house.run(&["plan", "house.toml"]).out, ran.out, "a plan changes nothing");
}

#[test]
fn a_plan_needs_no_server_where_other_files_stand_for_it() {
    let files = folder(&[
        ("old/house.toml", HOUSE),
        ("new/house.toml", &HOUSE.replace("start = \"2026-01-05\"", "start = \"2026-01-12\"")),
    ]);
    let none = [("DOGWATCH_URL", "http://127.0.0.1:9"), ("DOGWATCH_TOKEN", "")];
    let ran = run_with(files.path(), &["plan", "new", "--against", "old"], "", &none);
    assert_eq!((ran.code, ran.err.as_str()), (2, ""), "{}", ran.out);
    assert!(ran.out.contains("      bob → john\n") && ran.out.contains("1 to change"), "{}", ran.out);
    let ran = run_with(files.path(), &["plan", "old", "--against", "old"], "", &none);
    assert_eq!((ran.code, ran.out.as_str()), (0, "nothing to do\n"));
}

#[test]
fn what_was_edited_since_the_plan_stops_it() {
    let house = House::new(HOUSE);
    house.ok(&["apply", "house.toml"]);
    house.write("more.toml", "[[person]]\nname = \"eve\"\n");
    house.ok(&["apply", "more.toml", "--owner", "others"]);
    house.write("house.toml", &HOUSE.replace("5m", "6m"));
    let ran = house.run(&["apply", "house.toml", "--planned", "6"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("something was edited since the plan was made"), "{}", ran.err);
    assert!(house.run(&["plan", "house.toml"]).out.contains("5m"), "nothing was done");
    house.ok(&["apply", "house.toml", "--planned", "7"]);
}

#[tokio::test]
async fn files_remove_what_they_brought_and_nothing_else() {
    let house = House::new(HOUSE);
    house.ok(&["apply", "house.toml"]);
    house.send("POST", "/api/v1/people", json!({ "name": "eve", "contacts": ["handset:eve"] })).await;
    house
        .send("POST", "/api/v1/people/john/leave", json!({ "from": "2030-01-01", "until": "2030-01-05" }))
        .await;
    let cover = json!({ "person": "bob", "from": "2030-01-07T08:00:00Z", "until": "2030-01-08T08:00:00Z" });
    house.send("POST", "/api/v1/schedules/ops/overrides", cover).await;
    let (_, before) = house.send("GET", "/api/v1/definitions?operations=true", json!(null)).await;
    let count = |listed: &Value, kind: &str| {
        listed["documents"].as_array().unwrap().iter().filter(|one| one["kind"] == kind).count()
    };
    assert_eq!((count(&before, "override"), count(&before, "leave")), (1, 1));

    // Without the plan and its users: what people made stays.
    let less = HOUSE.split("[[escalation_plan]]").next().unwrap().to_owned()
        + "[[team]]\nname = \"ops\"\nmembers = [\"john\", \"bob\"]\nschedule = \"ops\"\n";
    house.write("house.toml", &less);
    let told = house.ok(&["apply", "house.toml"]);
    assert!(told.contains("- escalation-plan \"ops\"") && told.contains("1 more are not kept"), "{told}");
    assert!(!house.ok(&["export"]).contains("[[override]]"), "operations are left out unless asked for");
    let all = house.ok(&["export", "--operations"]);
    assert!(
        all.contains("[[override]]") && all.contains("[[leave]]") && all.contains("name = \"eve\""),
        "{all}"
    );

    // Pruned, only what people do as they go stays.
    assert!(house.ok(&["apply", "house.toml", "--prune"]).contains("- person \"eve\""));
    let all = house.ok(&["export", "--operations"]);
    assert!(
        all.contains("[[override]]") && all.contains("[[leave]]") && !all.contains("name = \"eve\""),
        "{all}"
    );
}

#[tokio::test]
async fn what_is_still_in_use_is_not_removed_and_its_users_are_named() {
    let house = House::new(HOUSE);
    house.ok(&["apply", "house.toml"]);
    let team = json!({ "name": "db", "members": [], "escalation_plan": "ops" });
    house.send("POST", "/api/v1/teams", team).await;
    let less = HOUSE.split("[[escalation_plan]]").next().unwrap();
    house.write("house.toml", less);
    let ran = house.run(&["apply", "house.toml"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("escalation-plan \"ops\" is no longer there, but is used by team \"db\""),
        "{}",
        ran.err
    );
    assert!(house.ok(&["export"]).contains("[[escalation_plan]]"), "all or nothing");
}

#[tokio::test]
async fn what_files_keep_is_edited_there_unless_forced() {
    let house = House::new(HOUSE);
    house.ok(&["apply", "house.toml"]);
    let (status, problem) = house.send("PATCH", "/api/v1/people/bob", json!({ "full_name": "Bob" })).await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("is kept by the files \"main\""), "{problem}");
    for (method, path) in [("DELETE", "/api/v1/teams/ops"), ("PUT", "/api/v1/people/bob")] {
        assert_eq!(house.send(method, path, json!({})).await.0, 409, "{method}");
    }
    let plan = json!({ "steps": [{ "contact": "handset:bob" }] });
    let path = "/api/v1/people/bob/notification-plans/high";
    assert_eq!(house.send("PUT", path, plan.clone()).await.0, 409);
    assert_eq!(house.send("PUT", &format!("{path}?force=true"), plan).await.0, 200);
    assert_eq!(house.send("DELETE", &format!("{path}?force=true"), json!({})).await.0, 204);
    let forced = house.send("PATCH", "/api/v1/people/bob?force=true", json!({ "full_name": "Bob" })).await;
    assert_eq!(forced.0, 200, "{}", forced.1);
    let told = house.ok(&["apply", "house.toml"]);
    assert!(told.contains("full_name: \"Bob\" → \"\""), "{told}");

    // Two sets of files don't fight over one definition in silence.
    house.write("other.toml", "[[person]]\nname = \"bob\"\n");
    let ran = house.run(&["apply", "other.toml", "--owner", "other"]);
    assert!(
        ran.err.contains("other.toml:2:8: error: name: person \"bob\" is kept by the files \"main\""),
        "{}",
        ran.err
    );
    assert!(
        house
            .ok(&["apply", "other.toml", "--owner", "other", "--force"])
            .contains("was kept by the files \"main\"")
    );
}

#[test]
fn a_forgotten_file_does_not_empty_the_house() {
    let house = House::new(HOUSE);
    house.ok(&["apply", "house.toml"]);
    house.write("small.toml", "[[person]]\nname = \"eve\"\n");
    let ran = house.run(&["apply", "small.toml"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("this would remove 6 definitions, and the files name 1"), "{}", ran.err);
    assert_eq!(house.ok(&["apply", "house.toml"]), "nothing to do\n");
    assert!(house.ok(&["apply", "small.toml", "--allow-removals"]).contains("6 to remove"));
}

#[test]
fn every_problem_is_told_at_its_place_and_nothing_is_done() {
    let house = House::new(HOUSE);
    house.ok(&["apply", "house.toml"]);
    let wrong = r#"
[[person]]
name = "eve"
ful_name = "Eve"
contacts = 5

[[team]]
name = "db"
members = ["eve", "jon"]
escalation_plan = "nothing"

[[escalation_plan]]
name = "db"
steps = [{ notify = ["person:eva"], after = "-5m" }, { notfy = [], after = "1m" }]

[[person]]
name = "kim"
zone = "Mars"
contacts = ["pigeon:kim"]
notification_plans.high.steps = [{ contact = 5 }, { contact = "handset:zz", wait = "0s" }]
"#;
    house.write("wrong.toml", wrong);
    for command in ["plan", "apply"] {
        let ran = house.run(&[command, "wrong.toml", "--owner", "db"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        for line in [
            "wrong.toml:4:12: error: ful_name: there is no field \"ful_name\" here",
            "did you mean \"full_name\"?",
            "wrong.toml:5:12: error: contacts: this is the wrong type",
            "wrong.toml:9:19: error: members[1]: there is no person \"jon\"",
            "did you mean \"john\"?",
            "wrong.toml:10:19: error: escalation_plan: there is no escalation-plan \"nothing\"",
            "wrong.toml:14:45: error: steps[0].after",
            "there is no field \"notfy\" here",
            "error: zone: ",
            "error: contacts[0]: ",
            "notification_plans.high.steps[0].contact: this is the wrong type",
            "notification_plans.high.steps[1].wait: ",
        ] {
            assert!(ran.err.contains(line), "{line}\n{}", ran.err);
        }
        assert!(!ran.err.contains("no person \"eve\""), "whoever is named is not blamed twice\n{}", ran.err);
    }
    house.write("torn.toml", "[[person]\nname = 1\n");
    let ran = house.run(&["apply", "torn.toml"]);
    assert!(ran.code == 1 && ran.err.contains("torn.toml:1:"), "{}", ran.err);
    assert_eq!(house.ok(&["apply", "house.toml"]), "nothing to do\n");
}

#[test]
fn periods_of_object_files_are_applied_with_their_templates() {
    let house = House::new(
        "[[schedule]]\nname = \"s\"\nlayers = [{ people = [\"a\"], period = \"john-oncall\" }]\n[[person]]\nname = \"a\"\n",
    );
    house.write(
        "periods.cfg",
        "define timeperiod {\n name weekdays\n monday 00:00-24:00\n december 24 00:00-12:00\n register 0\n}\n\
         define timeperiod {\n timeperiod_name holidays\n december 25 00:00-24:00\n}\n\
         define timeperiod {\n timeperiod_name john-oncall\n use weekdays\n exclude holidays\n}\n",
    );
    house.ok(&["apply", "house.toml", "periods.cfg"]);
    let exported = house.ok(&["export"]);
    assert!(exported.contains("name = \"john-oncall\"\nexclude = [\"holidays\"]\ntext = "), "{exported}");
    assert!(!exported.contains("weekdays"), "templates are a matter of files\n{exported}");
    assert_eq!(house.ok(&["apply", "house.toml", "periods.cfg"]), "nothing to do\n");
    house.write("exported.toml", &exported);
    assert_eq!(house.ok(&["plan", "exported.toml"]), "nothing to do\n");
}

#[test]
fn a_kill_in_the_middle_leaves_the_old_or_the_new() {
    let people = |count: usize, full_name: &str| -> String {
        (0..count).map(|n| format!("[[person]]\nname = \"p{n}\"\nfull_name = \"{full_name}\"\n")).collect()
    };
    let (old, new) = (people(300, "Old"), people(300, "New"));
    let mut house = House::new(&old);
    house.ok(&["apply", "house.toml"]);
    let exported_old = house.ok(&["export"]);
    house.write("house.toml", &new);
    let mut seen_old = 0;
    for round in 0..12_u64 {
        let url = house.process.url.clone();
        let apply = std::process::Command::new(env!("CARGO_BIN_EXE_dogwatch"))
            .args(["apply", "house.toml"])
            .current_dir(house.folder.path())
            .envs([("DOGWATCH_URL", url.as_str()), ("DOGWATCH_TOKEN", TOKEN)])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn();
        // Later in each round; how far it comes is left to chance.
        for _ in 0..round * 40_000 {
            std::hint::black_box(round);
        }
        house.process.kill();
        let _ = apply.unwrap().wait();
        house.process = Process::serve(&house.folder.path().join("d.db"), &[]);
        let now = house.ok(&["export"]);
        if now == exported_old {
            seen_old += 1;
        } else {
            assert!(!now.contains("Old") && now.matches("New").count() == 300, "half of it was applied");
            house.write("old.toml", &old);
            house.ok(&["apply", "old.toml"]);
            assert_eq!(house.ok(&["export"]), exported_old);
        }
    }
    println!("{seen_old} of 12 were too early");
}
