//! Duty changes hands: by time, by a takeover, by leave, by an edit. Whoever comes on call is paged for what is
//! open, reminded of the shift, and told what others work on.

use dogwatch::definition::{Kind, Write};
use dogwatch::store::{Defining, Expect};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::database::Other;

const JOHN: &str = "webhook:https://john.example/";
const BOB: &str = "webhook:https://bob.example/";

/// Puts a definition in force, as every surface does in the end.
async fn define(world: &World, kind: Kind, body: Value) {
    let name = body["name"].as_str().unwrap().to_owned();
    let edit = move |_: Option<&Value>| Ok(Write::Put { kind, body: body.clone() });
    let done = world.store.define(kind, name, Expect::Any, edit).await.unwrap();
    assert!(matches!(done, Defining::Done(_)), "{done:?}");
}

async fn remove(world: &World, kind: Kind, name: &'static str) {
    let edit = move |_: Option<&Value>| Ok(Write::Remove { kind, name: name.to_owned() });
    let done = world.store.define(kind, name.to_owned(), Expect::Present, edit).await.unwrap();
    assert!(matches!(done, Defining::Done(_)), "{done:?}");
}

async fn person(world: &World, name: &str, full_name: &str, contacts: Value) {
    let body = json!({ "name": name, "full_name": full_name, "contacts": contacts });
    define(world, Kind::Person, body).await;
}

/// The team ops, whose members take weeks from Monday 08:00 to Monday 08:00. It is a Monday, 03:00: John is on
/// call, and Bob from 08:00 on.
async fn ops(world: &World, remind: Value) {
    person(world, "john", "John", json!([JOHN, "handset:john"])).await;
    person(world, "bob", "Bob", json!([BOB, "handset:bob"])).await;
    person(world, "carol", "Carol", json!(["email:carol@example.org"])).await;
    person(world, "alice", "Alice", json!(["email:alice@example.org"])).await;
    let rotation = json!({
        "name": "weekly", "members": ["john", "bob"], "handoff": "monday 08:00", "start": "2026-02-23",
    });
    define(world, Kind::Rotation, rotation).await;
    let schedule = json!({ "name": "ops", "layers": [{ "rotation": "weekly" }], "remind": remind });
    define(world, Kind::Schedule, schedule).await;
    let plan = json!({ "name": "ops", "steps": [{ "notify": ["on_call"], "after": "12h" }] });
    define(world, Kind::EscalationPlan, plan).await;
    let team = json!({
        "name": "ops", "members": ["john", "bob", "carol"], "schedule": "ops", "escalation_plan": "ops",
        "managers": ["alice"],
    });
    define(world, Kind::Team, team).await;
}

async fn takeover(world: &World, over: Value) {
    let now = world.clock_now();
    let mut body = json!({
        "name": "override-1", "person": "bob", "from": now, "takeover": true, "made_by": "bob", "made_at": now,
    });
    body.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
    define(world, Kind::Override, body).await;
}

impl World {
    fn clock_now(&self) -> String {
        use dogwatch::clock::Clock;
        self.clock.now().to_string()
    }

    /// Lets time pass until then, on the day on which the world begins.
    async fn pass_to(&mut self, time: &str) {
        use dogwatch::clock::Clock;
        let at: Timestamp = format!("2026-03-02T{time}Z").parse().unwrap();
        self.pass(at.duration_since(self.clock.now())).await;
    }

    /// What was sent for a purpose: to whom, and the first line; by the alphabet.
    fn told(&self, purpose: &str) -> Vec<String> {
        let seen = self.carrier.seen();
        let those = seen.iter().filter(|message| message.purpose.word() == purpose);
        let mut told: Vec<String> =
            those.map(|message| format!("{}: {}", message.contact.address(), message.headline)).collect();
        told.sort();
        told
    }

    /// Why somebody's page ended.
    async fn page_ended(&self, number: u64, person: &str) -> Value {
        let alert = self.get(&format!("/api/v1/alerts/{number}")).await;
        let pages = alert["pages"].as_array().unwrap();
        pages.iter().find(|page| page["person"] == person).unwrap()["ended_why"].clone()
    }
}

#[tokio::test]
async fn an_alert_a_second_before_the_handoff_pages_both_and_one_a_second_after_it_the_new_holder() {
    let mut world = World::new().await;
    ops(&world, json!([])).await;
    world.pass_to("07:59:59").await;
    let before = world.notify("disk full").await;
    world.settle().await;
    assert_eq!(world.carrier.sent_to("page"), [JOHN]);
    world.pass_seconds(2).await;
    assert_eq!(world.carrier.sent_to("page"), [JOHN, BOB]);
    let after = world.notify("fan broken").await;
    // So soon after the first message this one is collected.
    world.pass_seconds(60).await;
    assert_eq!(world.carrier.sent_to("page"), [JOHN, BOB, BOB]);
    let story = world.story(before).await;
    assert!(story.contains(&"18000 Duty changes hands: Bob is on call now".to_owned()), "{story:#?}");
    let story = world.story(after).await;
    assert!(story.contains(&"18001 Step 1 pages Bob".to_owned()), "{story:#?}");
    // The old holder's page runs on until somebody answers: his next contact comes when it is due.
    world.pass(SignedDuration::from_mins(5)).await;
    let story = world.story(before).await;
    assert!(story.iter().any(|line| line.ends_with("John's handset rings")), "{story:#?}");
}

#[tokio::test]
async fn a_takeover_ends_the_open_page_and_says_so() {
    let mut world = World::new().await;
    ops(&world, json!([])).await;
    world.settle().await;
    let number = world.notify("disk full").await;
    world.settle().await;
    takeover(&world, json!({ "schedule": "ops", "until": "2026-03-02T06:00:00Z" })).await;
    world.settle().await;
    assert_eq!(world.carrier.sent_to("page"), [JOHN, BOB]);
    assert_eq!(
        world.told("notice"),
        [
            "https://john.example/: Bob took over ops (primary) until Mon 06:00 UTC; you are relieved.",
            "https://john.example/: Bob took over; you are relieved: ERROR ops: disk full",
        ]
    );
    assert_eq!(world.page_ended(number, "john").await, "relieved");
    assert!(world.page_ended(number, "bob").await.is_null());
    let story = world.story(number).await;
    assert!(story.contains(&"0 Duty is taken over (Bob): Bob is on call now".to_owned()), "{story:#?}");
    world.pass(SignedDuration::from_hours(2)).await;
    assert!(!world.story(number).await.iter().any(|line| line.contains("John's handset")));
    // At its end John has it again, and is asked for what is still open; that is no takeover.
    world.pass_to("06:00:00").await;
    assert_eq!(world.carrier.sent_to("page").last().unwrap(), JOHN);
    assert_eq!(world.carrier.sent_to("notice").len(), 2);
}

#[tokio::test]
async fn a_team_without_a_schedule_is_taken_over_too() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, BOB).await;
    world.settle().await;
    world.notify("disk full").await;
    world.settle().await;
    takeover(&world, json!({ "team": "ops" })).await;
    world.settle().await;
    assert_eq!(world.carrier.sent_to("page"), [JOHN, BOB]);
    assert_eq!(world.carrier.sent_to("notice"), [JOHN, JOHN]);
    assert_eq!(world.carrier.sent_to("reminder").len(), 0, "no schedule, no reminders");
}

#[tokio::test]
async fn reminders_come_at_their_lead_times_once_whatever_crashes() {
    let mut world = World::new().await;
    ops(&world, json!(["1h", "0s"])).await;
    world.pass_to("06:59:59").await;
    assert!(world.told("reminder").is_empty());
    // Before anybody has looked; after the reminder was stored; after it was sent.
    world.clock.set("2026-03-02T07:00:00Z".parse().unwrap());
    let world = world.crash().await;
    world.store.advance(10).await.unwrap();
    let mut world = world.crash().await;
    world.settle().await;
    let ahead = "You are on call for ops (primary) from Mon 08:00 UTC until Mon 9 Mar 08:00; next is John.";
    assert_eq!(world.told("reminder"), [format!("https://bob.example/: {ahead}")]);
    assert!(world.carrier.seen()[0].subject.is_none() && world.carrier.seen()[0].alert_url.is_none());
    let mut world = world.crash().await;
    world.settle().await;
    assert!(world.told("reminder").is_empty());
    world.pass_to("08:00:01").await;
    let now = "You are on call for ops (primary) now until Mon 9 Mar 08:00 UTC; next is John.";
    assert_eq!(world.told("reminder"), [format!("https://bob.example/: {now}")]);
    let mut world = world.crash().await;
    world.pass(SignedDuration::from_hours(100)).await;
    assert!(world.told("reminder").is_empty());
}

#[tokio::test]
async fn a_reminder_that_comes_too_late_is_not_sent() {
    let mut world = World::new().await;
    ops(&world, json!(["1h", "0s"])).await;
    world.settle().await;
    world.clock.set("2026-03-02T07:00:00Z".parse().unwrap());
    world.store.advance(10).await.unwrap();
    // Nothing runs for a while: what was to be said is overtaken by the shift, and then by its end.
    world.clock.set("2026-03-02T08:30:00Z".parse().unwrap());
    let mut world = world.crash().await;
    world.store.advance(10).await.unwrap();
    world.clock.set("2026-03-09T09:00:00Z".parse().unwrap());
    world.settle().await;
    let told = world.told("reminder");
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with("https://john.example/: You are on call for ops (primary) now"), "{told:#?}");
}

#[tokio::test]
async fn the_manager_hears_of_a_newcomer_whom_nothing_can_wake() {
    let mut world = World::new().await;
    ops(&world, json!([])).await;
    world.settle().await;
    assert!(world.told("warning").is_empty());
    let rotation = json!({
        "name": "weekly", "members": ["john", "carol"], "handoff": "monday 08:00", "start": "2026-02-23",
    });
    define(&world, Kind::Rotation, rotation).await;
    world.pass_to("08:00:00").await;
    let words = "WARNING Carol is on call for ops (primary) now and has no contact that can wake anybody";
    assert_eq!(world.told("warning"), [format!("alice@example.org: {words}")]);
}

#[tokio::test]
async fn leave_while_on_duty_hands_over_at_once() {
    let mut world = World::new().await;
    ops(&world, json!(["0s"])).await;
    world.settle().await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let stretch = json!({ "from": world.clock_now(), "until": "2026-03-02T07:00:00Z" });
    define(&world, Kind::Leave, json!({ "name": "leave-1", "person": "john", "stretches": [stretch] })).await;
    world.settle().await;
    assert_eq!(world.carrier.sent_to("page"), [JOHN, BOB]);
    assert_eq!(world.carrier.sent_to("reminder"), [BOB]);
    assert!(world.carrier.sent_to("notice").is_empty());
    assert!(world.page_ended(number, "john").await.is_null(), "nobody has answered");
}

#[tokio::test]
async fn the_newcomer_is_told_what_others_work_on() {
    let mut world = World::new().await;
    ops(&world, json!([])).await;
    let off = world.request("PATCH", "/api/v1/teams/ops", Some(json!({ "ack_timeout": "off" }))).await;
    assert_eq!(off.status, 200, "{}", off.text);
    world.settle().await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let john = world.cookie(Some("john")).await;
    world.press(&john, &format!("/handset/john/alerts/{number}/keys/4")).await;
    world.pass_to("08:00:00").await;
    assert_eq!(world.carrier.sent_to("page"), [JOHN], "it stays with him");
    let list = "Open for ops (primary), and in good hands: #1 disk full (John has it).";
    assert_eq!(world.told("notice"), [format!("https://bob.example/: {list}")]);
}

#[tokio::test]
async fn a_handset_shows_reminders_and_has_no_keys_for_them() {
    let mut world = World::new().await;
    ops(&world, json!(["0s"])).await;
    person(&world, "bob", "Bob", json!(["handset:bob"])).await;
    world.pass_to("08:00:00").await;
    let bob = world.cookie(Some("bob")).await;
    let shown = world.page(&bob, "/handset/bob").await.text;
    assert!(shown.contains("You are on call for ops (primary) now until Mon 9 Mar 08:00 UTC"), "{shown}");
    assert!(shown.contains("Nothing rings") && !shown.contains("/keys/"), "{shown}");
}

#[tokio::test]
async fn what_is_watched_follows_the_definitions() {
    let mut world = World::new().await;
    let watched = async |world: &World| {
        let query = "SELECT roster || ' ' || name || ' ' || role AS it FROM duty ORDER BY roster, name, role";
        Other::at(world).await.column(query).await
    };
    ops(&world, json!([])).await;
    assert_eq!(watched(&world).await, ["schedule ops primary"]);
    let layers = json!([{ "rotation": "weekly" }, { "people": ["carol"], "role": "secondary" }]);
    define(&world, Kind::Schedule, json!({ "name": "ops", "layers": layers })).await;
    assert_eq!(watched(&world).await, ["schedule ops primary", "schedule ops secondary"]);
    define(&world, Kind::Team, json!({ "name": "ops", "members": ["john"] })).await;
    remove(&world, Kind::Schedule, "ops").await;
    assert_eq!(watched(&world).await, ["team ops primary"]);
    // A database from before there was a watch.
    Other::at(&world).await.run("DELETE FROM duty").await;
    world = world.crash().await;
    assert_eq!(watched(&world).await, ["team ops primary"]);
    world.settle().await;
    assert_eq!(world.settle().await, None, "nothing is due while no change is in sight");
}

#[tokio::test]
async fn taking_over_and_handing_back_by_the_api_moves_what_is_open() {
    let mut world = World::new().await;
    ops(&world, json!(["0s"])).await;
    world.settle().await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let taken = world.post("/api/v1/schedules/ops/takeover", json!({ "person": "bob" })).await;
    world.settle().await;
    assert_eq!(world.page_ended(number, "john").await, "relieved");
    assert_eq!(world.carrier.sent_to("page"), [JOHN, BOB]);
    assert_eq!(world.carrier.sent_to("reminder"), [BOB], "he reads until when he has it");
    world.pass_seconds(60).await;
    let path = format!("/api/v1/schedules/ops/overrides/{}", taken["name"].as_str().unwrap());
    let back = world.request("DELETE", &path, None).await;
    assert!((200..300).contains(&back.status), "{}", back.text);
    world.settle().await;
    assert_eq!(world.carrier.sent_to("page"), [JOHN, BOB, JOHN], "he has it again");
    assert!(world.page_ended(number, "bob").await.is_null(), "and nobody has answered yet");
}
