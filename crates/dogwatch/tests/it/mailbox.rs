//! Storms: what goes out alone, what goes out together, and what an answer to a message of several answers.

use dogwatch::message::Message;
use escalation::delivery::{Outcome, Refusal};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::carrier::Does;

const JOHN: &str = "email:john@example.org";

/// John alone, who is written to, and has five hours to answer.
async fn john() -> World {
    let world = World::new().await;
    let plan = json!({ "steps": [{ "contact": JOHN, "wait": "5h" }] });
    let person = json!({ "name": "john", "full_name": "John", "contacts": [JOHN], "notification_plans": { "high": plan } });
    world.post("/api/v1/people", person).await;
    let plan = json!({ "name": "ops", "steps": [{ "notify": ["on_call"], "after": "5h" }] });
    world.post("/api/v1/escalation-plans", plan).await;
    let team = json!({ "name": "ops", "members": ["john"], "escalation_plan": "ops" });
    world.post("/api/v1/teams", team).await;
    world
}

async fn report(world: &World, summary: &str, severity: &str) -> u64 {
    let body = json!({ "summary": summary, "severity": severity });
    world.post("/api/v1/teams/ops/notify", body).await["number"].as_u64().unwrap()
}

/// The headlines of the messages with pages, in order.
fn headlines(world: &World) -> Vec<String> {
    let seen = world.carrier.seen();
    seen.into_iter()
        .filter(|message| message.purpose.word() == "page")
        .map(|message| message.headline)
        .collect()
}

fn last(world: &World) -> Message {
    world.carrier.seen().pop().unwrap()
}

async fn states(world: &World) -> Vec<String> {
    let mut states = Vec::new();
    for alert in world.get("/api/v1/alerts?limit=100").await["items"].as_array().unwrap() {
        let shown = world.get(&format!("/api/v1/alerts/{}", alert["number"])).await;
        for delivery in shown["deliveries"].as_array().unwrap() {
            states.push(delivery["state"].as_str().unwrap().to_owned());
        }
    }
    states.sort();
    states.dedup();
    states
}

#[tokio::test]
async fn a_storm_is_one_message_and_then_one_a_minute() {
    let mut world = john().await;
    for number in 0..40 {
        report(&world, &format!("problem {number}"), "error").await;
    }
    world.settle().await;
    assert_eq!(headlines(&world), ["ERROR ops: problem 0"]);
    world.pass_seconds(59).await;
    assert_eq!(headlines(&world).len(), 1);
    let waits = world.get("/api/v1/alerts/2").await["next"][0]["text"].clone();
    assert_eq!(waits, "John by mail gets it, in one message with what else has come");
    world.pass_seconds(1).await;
    assert_eq!(headlines(&world), ["ERROR ops: problem 0", "ERROR ops: problem 1 (and 38 more)"]);
    let message = last(&world);
    assert_eq!(message.others.len(), 38);
    assert_eq!(message.lines.len(), 40, "each is listed: {:#?}", message.lines);
    assert!(message.lines[38].starts_with("#40 ERROR ops: problem 39 ("), "{}", message.lines[38]);
    assert_eq!(states(&world).await, ["sent"], "what leaves in a bundle counts as sent");
    let told = world.story(2).await.pop().unwrap();
    assert_eq!(told, "60 Page to John by mail: the mail server took it (in one message with others)");
}

#[tokio::test]
async fn something_critical_and_new_does_not_wait() {
    let mut world = john().await;
    for (summary, severity) in
        [("slow", "error"), ("slower", "error"), ("fire", "critical"), ("more fire", "critical")]
    {
        report(&world, summary, severity).await;
    }
    world.settle().await;
    // The gravest first; the next of that kind within ten seconds, with what has been collected since.
    assert_eq!(headlines(&world), ["CRITICAL ops: fire"]);
    world.pass_seconds(10).await;
    assert_eq!(headlines(&world)[1..], ["CRITICAL ops: more fire (and 2 more)"]);
}

#[tokio::test]
async fn a_message_of_several_that_is_refused_goes_again_as_one() {
    let mut world = john().await;
    for number in 0..10 {
        report(&world, &format!("problem {number}"), "error").await;
    }
    world.settle().await;
    world
        .carrier
        .once(JOHN, Does::Answer(Outcome::Refused { why: "busy".to_owned(), refusal: Refusal::Passing }));
    world.pass_seconds(60).await;
    let first = last(&world);
    assert_eq!(first.others.len(), 8);
    world.pass_seconds(5).await;
    let again = last(&world);
    assert_eq!((again.others.len(), again.attempt), (8, 2));
    assert_eq!(again.answer_url, first.answer_url, "it is the same message");
    assert_eq!(headlines(&world).len(), 3);
    assert_eq!(states(&world).await, ["sent"]);
}

#[tokio::test]
async fn a_crash_while_a_message_of_several_is_sent_is_no_silence() {
    let mut world = john().await;
    for number in 0..10 {
        report(&world, &format!("problem {number}"), "error").await;
    }
    world.settle().await;
    world.carrier.once(JOHN, Does::Hang);
    world.pass_seconds(60).await;
    let mut world = world.crash().await;
    world.settle().await;
    world.pass_seconds(60).await;
    assert_eq!(headlines(&world), ["ERROR ops: problem 1 (and 8 more)"]);
    assert_eq!(states(&world).await, ["sent"]);
}

#[tokio::test]
async fn the_button_for_all_answers_what_the_message_held_and_nothing_later() {
    let mut world = john().await;
    for number in 0..4 {
        report(&world, &format!("problem {number}"), "error").await;
    }
    world.pass_seconds(60).await;
    let message = last(&world);
    let url = message.answer_url.unwrap();
    let path = url[url.find("/answer/").unwrap()..].to_owned();
    let later = report(&world, "a later one", "error").await;
    world.settle().await;

    let shown = world.page("", &path).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert!(shown.text.contains("I have all 3"), "{}", shown.text);
    let status = async |number: u64| world.get(&format!("/api/v1/alerts/{number}")).await["status"].clone();
    assert_eq!(status(2).await, "triggered", "looking changes nothing");

    let pressed = world.press("", &path).await;
    assert_eq!(pressed.status, 303, "{}", pressed.text);
    let acknowledged: Vec<Value> = vec![status(2).await, status(3).await, status(4).await];
    assert_eq!(acknowledged, vec![json!("acknowledged"); 3]);
    assert_eq!((status(1).await, status(later).await), (json!("triggered"), json!("triggered")));
    assert!(world.page("", &path).await.text.contains("You have all 3."));

    let forged = path.replace("/all/", "/all/x");
    assert_eq!(world.page("", &forged).await.status, 404);
    let (front, _) = path.rsplit_once('/').unwrap();
    assert_eq!(world.press("", &format!("{front}/AAAAAAAAAAAAAAAAAAAAAA")).await.status, 404);
}

#[tokio::test]
async fn what_was_answered_meanwhile_is_not_in_the_message() {
    let mut world = john().await;
    for number in 0..4 {
        report(&world, &format!("problem {number}"), "error").await;
    }
    world.settle().await;
    world.post("/api/v1/alerts/3/acknowledge", json!({})).await;
    world.pass_seconds(60).await;
    let held: Vec<String> = last(&world).others.into_iter().map(|other| other.headline).collect();
    assert_eq!(headlines(&world)[1], "ERROR ops: problem 1 (and 1 more)");
    assert_eq!(held, ["ERROR ops: problem 3"]);
}

#[tokio::test]
async fn roles_and_handsets_get_each_page_at_once() {
    let mut world = john().await;
    let role = "webhook:https://wall.example/";
    world.post("/api/v1/people", json!({ "name": "bob", "contacts": ["handset:bob"] })).await;
    let plan = json!({ "name": "wall", "steps": [{ "notify": [role, "person:bob"], "after": "5h" }] });
    world.post("/api/v1/escalation-plans", plan).await;
    let team = json!({ "name": "wall", "members": ["bob"], "escalation_plan": "wall" });
    world.post("/api/v1/teams", team).await;
    for number in 0..5 {
        world.post("/api/v1/teams/wall/notify", json!({ "summary": format!("problem {number}") })).await;
    }
    world.settle().await;
    let told = world.carrier.sent_to("page");
    assert_eq!(told, vec![role; 5]);
    assert_eq!(states(&world).await, ["sent"]);
}

#[tokio::test]
async fn a_person_has_ten_messages_in_ten_minutes_and_then_summaries() {
    let mut world = john().await;
    for minute in 0..20 {
        for number in 0..20 {
            report(
                &world,
                &format!("problem {minute}/{number}"),
                if number % 2 == 0 { "critical" } else { "error" },
            )
            .await;
        }
        world.pass_seconds(30).await;
    }
    world.pass_seconds(60).await;
    let seen = world.carrier.seen();
    let held: usize = seen.iter().map(|message| 1 + message.others.len()).sum();
    assert_eq!(held, 400, "nothing is lost");
    assert!(seen.len() <= 21, "{} messages", seen.len());
    assert_eq!(states(&world).await, ["sent"]);
}
