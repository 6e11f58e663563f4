//! The life of an alert through the API, the pages and the command line: what each act does, that each timed thing
//! survives a restart, and who hears of it.

mod guide;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::command::run_with;
use crate::support::{TOKEN, World, answer};

/// John and Bob in ops, Carol in web.
async fn world() -> World {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world
        .post(
            "/api/v1/people",
            json!({ "name": "carol", "full_name": "Carol", "contacts": ["handset:carol"] }),
        )
        .await;
    world.post("/api/v1/teams", json!({ "name": "web", "members": ["carol"] })).await;
    world
}

async fn patch_ops(world: &World, body: Value) {
    let answer = world.request("PATCH", "/api/v1/teams/ops", Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}

async fn act(world: &World, number: u64, verb: &str, body: Value) -> Value {
    world.post(&format!("/api/v1/alerts/{number}/{verb}"), body).await
}

/// The story from a second on, without what rings.
async fn told_from(world: &World, number: u64, second: i64) -> Vec<String> {
    let story = world.story(number).await;
    let at = |line: &String| line.split(' ').next().unwrap().parse::<i64>().unwrap();
    story.into_iter().filter(|line| at(line) >= second && !line.ends_with("rings")).collect()
}

async fn token_of(world: &World, person: &str) -> String {
    let made = world.post("/api/v1/tokens", json!({ "name": person, "person": person })).await;
    made["secret"].as_str().unwrap().to_owned()
}

async fn acknowledge_as(world: &World, token: &str, number: u64) -> Value {
    let request = world.client.post(format!("{}/api/v1/alerts/{number}/acknowledge", world.url));
    answer(request.bearer_auth(token).body("{}")).await.body
}

#[tokio::test]
async fn whoever_does_not_say_that_he_is_still_on_it_is_asked_and_then_everybody_is() {
    let mut world = world().await;
    patch_ops(&world, json!({ "ack_timeout": "30m" })).await;
    let number = world.notify("disk full").await;
    world.pass_seconds(10).await;
    let john = token_of(&world, "john").await;
    acknowledge_as(&world, &john, number).await;
    world.pass_seconds(1_799).await;
    assert_eq!(told_from(&world, number, 1_000).await, Vec::<String>::new());
    // A restart on the way changes nothing.
    let mut world = world.crash().await;
    world.pass_seconds(1).await;
    assert_eq!(told_from(&world, number, 1_000).await, ["1810 John is asked: still on it?"]);
    let cookie = world.cookie(Some("john")).await;
    let handset = world.page(&cookie, "/handset/john").await.text;
    assert!(handset.contains("Still on it? ERROR ops: disk full"), "{handset}");
    // The answer starts the time anew.
    world.press(&cookie, &format!("/handset/john/alerts/{number}/keys/4")).await;
    assert!(!world.page(&cookie, "/handset/john").await.text.contains("Still on it?"));
    world.pass_seconds(1_800).await;
    let mut world = world.crash().await;
    world.pass_seconds(299).await;
    assert_eq!(world.get(&format!("/api/v1/alerts/{number}")).await["status"], "acknowledged");
    world.pass_seconds(1).await;
    assert_eq!(
        told_from(&world, number, 1_811).await,
        [
            "3610 John is asked: still on it?",
            "3910 John did not say that he is still on it",
            "3910 Round 2 begins: nobody says that he is still on it",
            "3910 Step 1 pages John",
        ]
    );
    assert!(world.story(number).await.contains(&"1810 Still on it: John, by handset".to_owned()));
}

#[tokio::test]
async fn a_snoozed_alert_comes_back_by_itself_also_after_a_restart() {
    let mut world = world().await;
    let number = world.notify("disk full").await;
    world.pass_seconds(10).await;
    let snoozed = act(&world, number, "snooze", json!({ "for": "2h" })).await;
    assert_eq!(snoozed["status"], "snoozed");
    assert_eq!(snoozed["snoozed"]["until"], "2026-03-02T05:00:10.000Z");
    assert_eq!(snoozed["snoozed"]["by"], "test");
    // A report is counted and rings nobody.
    let again = world.post("/api/v1/teams/ops/notify", json!({ "summary": "x", "dedup_key": "k" })).await;
    act(&world, again["number"].as_u64().unwrap(), "resolve", json!({})).await;
    let mut world = world.crash().await;
    world.pass_seconds(7_199).await;
    assert_eq!(told_from(&world, number, 11).await, Vec::<String>::new());
    world.pass_seconds(1).await;
    assert_eq!(
        told_from(&world, number, 10).await,
        [
            "10 Put aside for 2h: test, by the API",
            "10 John's handset is told: test put it aside for 2h",
            "7210 Round 2 begins: it was put aside until now",
            "7210 Step 1 pages John",
        ]
    );
}

#[tokio::test]
async fn an_alert_that_is_passed_on_rings_the_others_and_frees_the_first() {
    let mut world = world().await;
    let number = world.notify("disk full").await;
    world.pass_seconds(10).await;
    let moved = act(&world, number, "reassign", json!({ "team": "web" })).await;
    assert_eq!(
        (&moved["team"], &moved["message"]),
        (&json!("web"), &json!("#1 is passed on to web. Whoever was paged is told."))
    );
    world.pass_seconds(300).await;
    assert_eq!(
        told_from(&world, number, 10).await,
        [
            "10 Passed on to the team web: test, by the API",
            "10 Round 2 begins: it was passed on",
            "10 Step 1 pages Carol",
            "10 John's handset is told: test passed it on to the team web; nothing more to do",
        ]
    );
    assert_eq!(world.get("/api/v1/alerts?team=web").await["items"][0]["number"], number);
    act(&world, number, "reassign", json!({ "person": "bob" })).await;
    assert_eq!(world.get("/api/v1/alerts?person=bob").await["items"][0]["number"], number);
}

#[tokio::test]
async fn a_responder_answers_for_himself_whoever_has_it() {
    let mut world = world().await;
    let number = world.notify("disk full").await;
    world.pass_seconds(10).await;
    let john = token_of(&world, "john").await;
    acknowledge_as(&world, &john, number).await;
    act(&world, number, "responders", json!({ "person": "carol" })).await;
    let again = act(&world, number, "responders", json!({ "person": "carol" })).await;
    assert_eq!(again["message"], "Nothing to do: #1 is so already.");
    let mut world = world.crash().await;
    world.settle().await;
    let carol = world.cookie(Some("carol")).await;
    assert!(world.page(&carol, "/handset/carol").await.text.contains("Come, too: ERROR ops: disk full"));
    let carols = token_of(&world, "carol").await;
    let said = acknowledge_as(&world, &carols, number).await;
    assert_eq!(said["message"], "You come, too. John has #1.");
    assert_eq!(said["acknowledged"]["person"], "john", "it stays with him");
    world.settle().await;
    let alert = world.get(&format!("/api/v1/alerts/{number}")).await;
    let page = alert["pages"].as_array().unwrap().iter().find(|page| page["person"] == "carol").unwrap();
    assert_eq!((&page["asks"], &page["ended_why"]), (&json!("besides"), &json!("accepted")));
    assert_eq!(
        told_from(&world, number, 10).await,
        [
            "10 Acknowledged: John, by the API",
            "10 Carol is asked to come, too: test, by the API",
            "10 Comes, too: Carol, by the API",
            "10 John's handset is told: Carol comes, too",
        ]
    );
}

#[tokio::test]
async fn of_several_alerts_one_goes_on_and_nothing_is_lost() {
    let mut world = world().await;
    let send = async |world: &World, key: &str| {
        let body = json!({ "summary": format!("{key} is down"), "dedup_key": key, "severity": "warning" });
        world.post("/api/v1/teams/ops/notify", body).await["number"].as_u64().unwrap()
    };
    let (first, second, third) = (send(&world, "a").await, send(&world, "b").await, send(&world, "c").await);
    send(&world, "b").await;
    world.settle().await;
    let merged =
        act(&world, first, "merge", json!({ "alerts": [second.to_string(), third.to_string()] })).await;
    assert_eq!((&merged["triggers"], &merged["message"]), (&json!(4), &json!("2 other alerts go on as #1.")));
    for number in [second, third] {
        let other = world.get(&format!("/api/v1/alerts/{number}")).await;
        assert_eq!((&other["status"], &other["merged_into"]), (&json!("resolved"), &json!(first)));
    }
    // Later reports of either are counted where they go on, also after a restart.
    let world = world.crash().await;
    assert_eq!(send(&world, "c").await, first);
    assert_eq!(world.get("/api/v1/alerts/1").await["triggers"], 5);
    // An alert into which this one goes takes those reports along.
    let fourth = send(&world, "d").await;
    act(&world, fourth, "merge", json!({ "alerts": [first.to_string()] })).await;
    assert_eq!(send(&world, "c").await, fourth);
    // Until it is over: then the same is a new problem.
    act(&world, fourth, "resolve", json!({})).await;
    assert_eq!(send(&world, "c").await, 5);
    let told = world.story(second).await;
    assert!(told.contains(&"0 Went into #1: test, by the API".to_owned()), "{told:#?}");
    let told = world.story(first).await;
    assert!(told.contains(&"0 Took in #2 b is down: test, by the API".to_owned()), "{told:#?}");
}

#[tokio::test]
async fn a_merge_is_whole_or_not_at_all() {
    let world = world().await;
    for name in ["a", "b", "c"] {
        world.notify(name).await;
    }
    act(&world, 3, "resolve", json!({})).await;
    let merge = async |alerts: Value| {
        world.request("POST", "/api/v1/alerts/1/merge", Some(json!({ "alerts": alerts }))).await
    };
    for (alerts, status, field) in [
        (json!(["2", "3"]), 409, Value::Null),
        (json!(["2", "1"]), 409, Value::Null),
        (json!(["2", "99"]), 422, json!("alerts[1]")),
        (json!(["2", "x"]), 422, json!("alerts[1]")),
        (json!([]), 422, json!("alerts")),
    ] {
        let answer = merge(alerts.clone()).await;
        assert_eq!((answer.status, &answer.body["field"]), (status, &field), "{alerts} {}", answer.text);
    }
    assert_eq!(world.get("/api/v1/alerts/2").await["status"], "triggered");
    assert_eq!(world.get("/api/v1/alerts/1").await["triggers"], 1);
}

#[tokio::test]
async fn what_comes_back_soon_is_the_same_alert_and_keeps_its_place() {
    let mut world = world().await;
    patch_ops(&world, json!({ "reopen_within": "10m" })).await;
    let send = async |world: &World| {
        let body = json!({ "summary": "disk full", "dedup_key": "k" });
        world.post("/api/v1/teams/ops/notify", body).await["number"].as_u64().unwrap()
    };
    send(&world).await;
    world.pass_seconds(50).await;
    act(&world, 1, "resolve", json!({})).await;
    let mut world = world.crash().await;
    world.pass_seconds(600).await;
    assert_eq!(send(&world).await, 1, "at the very end of the time");
    world.settle().await;
    assert_eq!(
        told_from(&world, 1, 60).await,
        [
            "650 Reported again (test, by the API)",
            "650 Opened again, 10m after its end; step 1 has fired before and is not fired again",
            "650 Round 2 begins: it came back",
            "650 Step 2 pages Bob",
        ]
    );
    act(&world, 1, "resolve", json!({})).await;
    world.pass(SignedDuration::from_millis(600_001)).await;
    assert_eq!(send(&world).await, 2, "a millisecond later");
}

#[tokio::test]
async fn what_falls_quiet_is_over_unless_it_is_urgent_and_nobody_has_answered() {
    let mut world = world().await;
    patch_ops(&world, json!({ "resolve_after": "1h" })).await;
    let urgent = world.notify("disk full").await;
    let body = json!({ "summary": "disk nearly full", "severity": "warning" });
    let low = world.post("/api/v1/teams/ops/notify", body).await["number"].as_u64().unwrap();
    world.pass_seconds(3_599).await;
    let status = async |world: &World, number: u64| {
        world.get(&format!("/api/v1/alerts/{number}")).await["status"].clone()
    };
    assert_eq!(status(&world, low).await, "unanswered");
    let mut world = world.crash().await;
    world.pass_seconds(1).await;
    assert_eq!(status(&world, low).await, "resolved");
    assert!(world.story(low).await.contains(&"3600 Resolved: Dogwatch, not reported for 1h".to_owned()));
    assert_eq!(status(&world, urgent).await, "unanswered");
    act(&world, urgent, "acknowledge", json!({})).await;
    world.pass_seconds(3_599).await;
    assert_eq!(status(&world, urgent).await, "acknowledged");
    world.pass_seconds(1).await;
    assert_eq!(status(&world, urgent).await, "resolved");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_the_field_and_changes_nothing() {
    let world = world().await;
    world.notify("disk full").await;
    let long = "x".repeat(100);
    for (verb, body, status, field) in [
        ("snooze", json!({}), 422, json!("for")),
        ("snooze", json!({ "for": "2h", "until": "2026-03-02T05:00:00Z" }), 422, json!("for")),
        ("snooze", json!({ "for": "8d" }), 422, json!("for")),
        ("snooze", json!({ "for": "-1h" }), 422, json!("for")),
        ("snooze", json!({ "until": "2026-03-02T02:59:59Z" }), 422, json!("until")),
        ("snooze", json!({ "until": "2026-03-10T00:00:00Z" }), 422, json!("until")),
        ("snooze", json!({ "until": "tomorrow" }), 422, json!("until")),
        ("snooze", json!({ "length": "1h" }), 422, json!("length")),
        ("reassign", json!({}), 422, json!("team")),
        ("reassign", json!({ "team": "ops", "person": "john" }), 422, json!("team")),
        ("reassign", json!({ "team": "wep" }), 422, json!("team")),
        ("reassign", json!({ "person": long }), 422, json!("person")),
        ("responders", json!({ "person": "carl" }), 422, json!("person")),
        ("responders", json!({ "person": 7 }), 422, json!("person")),
    ] {
        let answer = world.request("POST", &format!("/api/v1/alerts/1/{verb}"), Some(body.clone())).await;
        assert_eq!(
            (answer.status, &answer.body["field"]),
            (status, &field),
            "{verb} {body}: {}",
            answer.text
        );
    }
    let near = world.request("POST", "/api/v1/alerts/1/reassign", Some(json!({ "team": "wep" }))).await;
    assert!(near.text.contains("did you mean \\\"web\\\"?"), "{}", near.text);
    for field in ["ack_timeout", "reopen_within", "resolve_after"] {
        let answer = world.request("PATCH", "/api/v1/teams/ops", Some(json!({ field: "soon" }))).await;
        assert_eq!((answer.status, &answer.body["field"]), (422, &json!(field)), "{}", answer.text);
    }
    assert_eq!(world.get("/api/v1/alerts/1").await["status"], "triggered");
    assert_eq!(
        world.request("POST", "/api/v1/alerts/9/snooze", Some(json!({ "for": "1h" }))).await.status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_does_all_of_it() {
    let mut world = world().await;
    for name in ["one", "two", "three"] {
        world.notify(name).await;
    }
    world.settle().await;
    let folder = tempfile::tempdir().unwrap();
    let url = world.url.clone();
    let command = |arguments: &[&str]| {
        let variables = [("DOGWATCH_URL", url.as_str()), ("DOGWATCH_TOKEN", TOKEN)];
        let ran = run_with(folder.path(), arguments, "", &variables);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{arguments:?}");
        ran.out
    };
    assert_eq!(command(&["alert", "merge", "1", "2"]), "Another alert goes on as #1.\n");
    assert_eq!(command(&["alert", "add-responder", "1", "carol"]), "Carol is asked for #1.\n");
    assert_eq!(
        command(&["alert", "reassign", "1", "--team", "web"]),
        "#1 is passed on to web. Whoever was paged is told.\n"
    );
    assert_eq!(
        command(&["alert", "snooze", "1", "--for", "2h"]),
        "#1 is put aside. Whoever is on call then is paged, if it is still open.\n"
    );
    let list = command(&["alert", "list", "--status", "snoozed"]);
    assert!(list.contains("snoozed until 2026-03-02 05:00:00Z"), "{list}");
    assert!(command(&["alert", "show", "1"]).contains("snoozed until 2026-03-02 05:00:00Z since"));
    command(&["alert", "unack", "1"]);
    assert_eq!(world.get("/api/v1/alerts/1").await["status"], "triggered");
}

#[tokio::test]
async fn the_alerts_page_has_forms_for_it_that_need_no_script() {
    let mut world = world().await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let cookie = world.cookie(Some("john")).await;
    let page = world.page(&cookie, "/alerts/1").await.text;
    for form in ["/alerts/1/snooze", "/alerts/1/reassign", "/alerts/1/responders"] {
        assert!(page.contains(&format!("action=\"{form}\"")), "{form}");
    }
    let send = async |verb: &str, form: &str| {
        let request = world.client.post(format!("{}/alerts/1/{verb}", world.url)).header("cookie", &cookie);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        answer(request.header("sec-fetch-site", "same-origin").body(form.to_owned())).await.status
    };
    let alert = async || world.get(&format!("/api/v1/alerts/{number}")).await;
    assert_eq!(send("responders", "person=carol").await, 303);
    assert_eq!(send("reassign", "to=team%3Aweb").await, 303);
    assert_eq!(alert().await["team"], "web");
    assert_eq!(send("snooze", "for=1h").await, 303);
    assert_eq!(alert().await["snoozed"]["by"], "John");
    let page = world.page(&cookie, "/alerts/1").await.text;
    assert!(page.contains("John put it aside, until") && page.contains("Page again now"), "{page}");
    for (verb, form) in
        [("snooze", "for=soon"), ("snooze", ""), ("reassign", "to=web"), ("responders", "person=A B")]
    {
        assert_eq!(send(verb, form).await, 422, "{verb} {form}");
    }
    act(&world, number, "resolve", json!({})).await;
    assert!(!world.page(&cookie, "/alerts/1").await.text.contains("/alerts/1/snooze"));
}
