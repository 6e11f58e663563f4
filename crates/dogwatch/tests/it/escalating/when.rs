//! When a step has had its time.

use escalation::delivery::{Outcome, Refusal};
use serde_json::json;

use crate::support::World;
use crate::support::carrier::Does;
use crate::support::definitions::ops;

const JOHN: &str = "webhook:https://pager.example/john";

/// John has three steps, of 2, 3 and 5 minutes; Eve has one of 4. All by webhook.
fn plans() -> String {
    let contacts = |name: &str, count: usize| -> Vec<String> {
        (1..=count).map(|place| format!("webhook:https://{name}.example/{place}")).collect()
    };
    let person = |name: &str, waits: &[&str]| {
        let contacts = contacts(name, waits.len());
        let steps: Vec<String> = contacts
            .iter()
            .zip(waits)
            .map(|(contact, wait)| format!("{{ contact = \"{contact}\", wait = \"{wait}\" }}"))
            .collect();
        format!(
            "[[person]]\nname = \"{name}\"\ncontacts = {contacts:?}\nnotification_plans.high.steps = [{}]\n",
            steps.join(", ")
        )
    };
    person("jim", &["2m", "3m", "5m"]) + &person("eve", &["4m"])
}

/// When Bob is paged, by the second step, after a first one like this.
async fn bob_comes(notify: &str, escalate: &str) -> i64 {
    let steps = format!(
        "steps = [{{ notify = [{notify}], {escalate} }}, {{ notify = [\"person:bob\"], after = \"1h\" }}]"
    );
    let mut world = World::defined(&(ops(&steps) + &plans())).await;
    world.alert("ops", "critical").await;
    world.pass_seconds(3_000).await;
    second(&world)
}

fn second(world: &World) -> i64 {
    let pages = world.pages();
    let bob = pages.iter().find(|page| page.ends_with(" bob")).unwrap_or_else(|| panic!("{pages:?}"));
    bob.split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn after_a_time() {
    assert_eq!(bob_comes("\"person:jim\"", "after = \"1m30s\"").await, 90);
    assert_eq!(bob_comes("\"person:jim\", \"person:eve\"", "after = \"1s\"").await, 1);
}

#[tokio::test]
async fn after_step_n_of_the_notification_plan_of_everybody_paged() {
    assert_eq!(bob_comes("\"person:jim\"", "after_plan_step = 1").await, 120);
    assert_eq!(bob_comes("\"person:jim\"", "after_plan_step = 2").await, 300);
    // Eve's plan is shorter: it counts with its last step, and the slower of the two with all of it.
    assert_eq!(bob_comes("\"person:jim\", \"person:eve\"", "after_plan_step = 1").await, 240);
    assert_eq!(bob_comes("\"person:jim\", \"person:eve\"", "after_plan_step = 2").await, 300);
    assert_eq!(bob_comes("\"person:eve\"", "after_plan_step = 20").await, 240);
}

#[tokio::test]
async fn after_every_step_of_those_plans_has_run_once() {
    assert_eq!(bob_comes("\"person:jim\"", "after_plan = true").await, 600);
    assert_eq!(bob_comes("\"person:eve\"", "after_plan = true").await, 240);
    assert_eq!(bob_comes("\"person:jim\", \"person:eve\"", "after_plan = true").await, 600);
}

#[tokio::test]
async fn a_contact_that_fails_brings_it_forward() {
    let steps = r#"steps = [{ notify = ["person:jim"], after_plan_step = 2 }, { notify = ["person:bob"], after = "1h" }]"#;
    let mut world = World::defined(&(ops(steps) + &plans())).await;
    let refused = Outcome::Refused { why: "gone".to_owned(), refusal: Refusal::Contact };
    world.carrier.always("webhook:https://jim.example/1", Does::Answer(refused));
    world.alert("ops", "critical").await;
    world.pass_seconds(1_000).await;
    // His first step has no time to wait; the second has its three minutes.
    assert_eq!(second(&world), 180);
}

#[tokio::test]
async fn a_restart_in_the_middle_of_the_plans_moves_nothing() {
    let steps = r#"steps = [{ notify = ["person:jim"], after_plan = true }, { notify = ["person:bob"], after = "1h" }]"#;
    let mut world = World::defined(&(ops(steps) + &plans())).await;
    world.alert("ops", "critical").await;
    for _ in 0..3 {
        world.pass_seconds(150).await;
        world = world.crash().await;
    }
    world.pass_seconds(200).await;
    assert_eq!(second(&world), 600);
}

#[tokio::test]
async fn an_answer_before_its_time_keeps_the_next_step_from_firing() {
    for escalate in ["after = \"10m\"", "after_plan_step = 3", "after_plan = true"] {
        let steps = format!(
            "steps = [{{ notify = [\"person:jim\"], {escalate} }}, {{ notify = [\"person:bob\"], after = \"1h\" }}]"
        );
        let mut world = World::defined(&(ops(&steps) + &plans())).await;
        let number = world.alert("ops", "critical").await;
        world.pass_seconds(599).await;
        assert_eq!(world.acts("jim", number, "acknowledge").await.status, 200);
        world.pass_seconds(5_000).await;
        assert_eq!(world.pages().len(), 3, "{escalate}: {:?}", world.pages());
    }
}

/// The pages after a first step that writes to a ticket system only.
async fn after_a_role(escalate: &str, does: Option<Outcome>) -> Vec<String> {
    let steps = format!(
        "steps = [{{ notify = [\"webhook:https://pager.example/tickets\", \"email:noc@example.org\"], {escalate} }}, \
         {{ notify = [\"person:bob\"], after = \"1h\" }}]"
    );
    let mut world = World::defined(&ops(&steps)).await;
    for contact in ["webhook:https://pager.example/tickets", "email:noc@example.org"] {
        if let Some(outcome) = &does {
            world.carrier.always(contact, Does::Answer(outcome.clone()));
        }
    }
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(1_000).await;
    assert_eq!(world.stands(number).await, "triggered", "no role answers anything");
    world.pages()
}

#[tokio::test]
async fn a_step_of_roles_is_done_when_they_took_it_and_waits_for_no_answer() {
    let at_once = ["0 bob", "0 email:noc@example.org", "0 tickets"];
    assert_eq!(after_a_role("after_plan = true", None).await, at_once);
    assert_eq!(after_a_role("after_plan_step = 2", None).await, at_once);
    // A time that is written is kept: what the webhook started may need it.
    let later = ["0 email:noc@example.org", "0 tickets", "90 bob"];
    assert_eq!(after_a_role("after = \"90s\"", None).await, later);
}

#[tokio::test]
async fn a_step_of_roles_that_all_refuse_costs_no_time() {
    let refused = Outcome::Refused { why: "gone".to_owned(), refusal: Refusal::Contact };
    for escalate in ["after_plan = true", "after = \"90s\""] {
        let pages = after_a_role(escalate, Some(refused.clone())).await;
        assert!(pages.contains(&"0 bob".to_owned()), "{escalate}: {pages:?}");
    }
}

#[tokio::test]
async fn roles_beside_people_do_not_cut_the_time_of_the_people_short() {
    let steps = r#"steps = [{ notify = ["person:eve", "email:noc@example.org"], after_plan = true }, { notify = ["person:bob"], after = "1h" }]"#;
    let mut world = World::defined(&(ops(steps) + &plans())).await;
    world.alert("ops", "critical").await;
    world.pass_seconds(1_000).await;
    assert_eq!(second(&world), 240);
}

#[tokio::test]
async fn the_next_step_may_be_asked_for_by_hand_and_by_key_8() {
    let steps = r#"steps = [{ notify = ["on_call"], after = "1h" }, { notify = ["next_on_call"], after = "1h" }, { notify = ["person:dave"], after = "1h" }]"#;
    let mut world = World::defined(&ops(steps)).await;
    let number = world.alert("ops", "critical").await;
    world.pass_seconds(10).await;
    world.presses("john", number, 8).await;
    world.pass_seconds(10).await;
    world.post(&format!("/api/v1/alerts/{number}/escalate"), json!({})).await;
    world.pass_seconds(10).await;
    assert_eq!(world.pages(), ["0 john", "10 bob", "20 dave"]);
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    let live = alert["pages"].as_array().unwrap().iter().filter(|page| page["ended_at"].is_null());
    let live: Vec<_> = live.map(|page| page["person"].as_str().unwrap()).collect();
    assert_eq!(live, ["bob", "dave"], "whoever said 8 is out, the others are asked on");
}

#[tokio::test]
async fn what_says_nothing_or_too_much_of_when_is_refused_where_it_stands() {
    let world = World::defined("").await;
    for (escalate, field) in [
        ("", "steps[0].after"),
        (", after = \"0s\"", "steps[0].after"),
        (", after = \"-5m\"", "steps[0].after"),
        (", after = \"8d\"", "steps[0].after"),
        (", after_plan_step = 0", "steps[0].after_plan_step"),
        (", after_plan_step = 21", "steps[0].after_plan_step"),
        (", after_plan = false", "steps[0].after_plan"),
        (", after = \"5m\", after_plan = true", "steps[0]"),
    ] {
        let steps = ops(&format!("steps = [{{ notify = [\"{JOHN}\"]{escalate} }}]"));
        let answer = world.apply(&(crate::support::definitions::people() + &steps)).await;
        assert_eq!(answer.status, 422, "{escalate}");
        assert!(answer.text.contains(&format!("body.{field}\"")), "{escalate}: {}", answer.text);
    }
}
