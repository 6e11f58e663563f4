//! Teams whose plans name each other: whoever closes the circle is told, wherever it is written.

use serde_json::{Value, json};

use crate::support::World;
use crate::support::command::{folder, run};
use crate::support::definitions::people;

/// Plans and teams of the same names, each paging the next; the last one the first.
fn circle(names: &[&str]) -> String {
    let next = names.iter().cycle().skip(1);
    let of_one = |(name, next): (&&str, &&str)| {
        format!(
            "[[team]]\nname = \"{name}\"\nmembers = [\"john\"]\nescalation_plan = \"{name}\"\n[[escalation_plan]]\n\
             name = \"{name}\"\nsteps = [{{ notify = [\"on_call\", \"team:{next}\"], after = \"5m\" }}]\n"
        )
    };
    names.iter().zip(next).map(of_one).collect()
}

#[tokio::test]
async fn files_with_a_circle_are_refused_and_nothing_of_them_is_in_force() {
    for names in [&["a"][..], &["a", "b"], &["a", "b", "c"], &["a", "b", "c", "d", "e", "f", "g"]] {
        let world = World::defined("").await;
        let answer = world.apply(&(people() + &circle(names))).await;
        assert_eq!(answer.status, 422, "{names:?}");
        assert!(answer.text.contains("leads back to this plan through team"), "{}", answer.text);
        assert!(answer.text.contains("leads back to this team"), "{}", answer.text);
        assert_eq!(world.get("/api/v1/teams").await["items"], json!([]));
    }
}

#[tokio::test]
async fn the_edit_that_would_close_a_circle_is_refused_by_the_api() {
    let world = World::defined(&circle(&["a", "b"]).replace("\"on_call\", \"team:a\"", "\"on_call\"")).await;
    let refused = |answer: crate::support::Answer, field: &str, words: &str| {
        assert_eq!(
            (answer.status, answer.body["field"].clone()),
            (422, Value::from(field)),
            "{}",
            answer.text
        );
        assert!(answer.text.contains(words), "{}", answer.text);
    };
    // By the plan.
    let steps = json!({ "steps": [{ "notify": ["team:a"], "after": "5m" }] });
    let answer = world.request("PATCH", "/api/v1/escalation-plans/b?force=true", Some(steps.clone())).await;
    refused(answer, "steps[0].notify", "leads back to this plan through team");
    // By the team that takes the plan.
    let plan = json!({ "name": "c", "steps": [{ "notify": ["team:a"], "after": "5m" }] });
    world.post("/api/v1/escalation-plans", plan).await;
    let answer =
        world.request("PATCH", "/api/v1/teams/b?force=true", Some(json!({ "escalation_plan": "c" }))).await;
    refused(answer, "escalation_plan", "leads back to this team through the teams that its steps name");
    // By a new team of the name that is there.
    let answer =
        world.request("PATCH", "/api/v1/teams/a?force=true", Some(json!({ "escalation_plan": "c" }))).await;
    refused(answer, "escalation_plan", "leads back to this team");
    assert_eq!(world.get("/api/v1/teams/b").await["escalation_plan"], "b");
}

#[test]
fn check_and_rehearse_say_where_a_circle_stands() {
    let text = people() + &circle(&["a", "b"]);
    let made = folder(&[("teams.toml", text.as_str())]);
    let checked = run(made.path(), &["check", "teams.toml"], "");
    assert_eq!(checked.code, 1);
    assert!(
        checked.out.contains("teams.toml:") && checked.out.contains("leads back to this"),
        "{}",
        checked.out
    );
    let rehearsed = run(made.path(), &["rehearse", "a", "--config", "teams.toml"], "");
    assert!(rehearsed.code != 0 && rehearsed.err.contains("leads back to this"), "{}", rehearsed.err);
}

#[tokio::test]
async fn a_team_may_be_named_twice_where_it_leads_nowhere_back() {
    let text = r#"
[[team]]
name = "db"
members = ["dave"]
[[team]]
name = "web"
members = ["carol"]
escalation_plan = "web"
[[escalation_plan]]
name = "web"
steps = [{ notify = ["on_call"], after = "1m" }, { notify = ["team:db"], after = "1m" }]
[[team]]
name = "ops"
members = ["john"]
escalation_plan = "ops"
[[escalation_plan]]
name = "ops"
steps = [{ notify = ["team:web"], after = "1m" }, { notify = ["team:db"], after = "1m" }, { notify = ["on_call"], after = "1h" }]
"#;
    let mut world = World::defined(text).await;
    world.alert("ops", "critical").await;
    world.pass_seconds(1_000).await;
    // The second time Dave has been paged: that costs no time.
    assert_eq!(world.pages(), ["0 carol", "60 dave", "120 john"]);
}

#[tokio::test]
async fn teams_are_followed_five_deep_and_the_sixth_is_paged_by_who_is_on_call() {
    // The plan of the last team pages Bob; on call for each of them is Carol.
    let team = |depth: usize, next: &str| {
        format!(
            "[[team]]\nname = \"t{depth}\"\nmembers = [\"carol\"]\nescalation_plan = \"t{depth}\"\n\
             [[escalation_plan]]\nname = \"t{depth}\"\nsteps = [{{ notify = [\"{next}\"], after = \"5m\" }}]\n"
        )
    };
    for (last, page) in [(5, "0 bob"), (6, "0 carol")] {
        let chain = (0..last).map(|depth| team(depth, &format!("team:t{}", depth + 1)));
        let text: String = chain.chain([team(last, "person:bob")]).collect();
        let mut world = World::defined(&text).await;
        world.alert("t0", "critical").await;
        world.settle().await;
        assert_eq!(world.pages(), [page], "{last} deep");
    }
}
