//! What an integration makes of events: who gets them, how grave they are, which are one alert; and samples.

use serde_json::{Value, json};

use super::house;
use crate::support::TOKEN;
use crate::support::command::{folder, run_with};

const PATH: &str = "/integrations/v1/generic/KEY/";

#[tokio::test]
async fn the_first_rule_that_fits_says_who_gets_it_and_by_which_plan() {
    let mut house = house(json!({})).await;
    let world = &mut house.world;
    world.post("/api/v1/teams", json!({ "name": "dba", "members": ["bob"] })).await;
    world
        .post(
            "/api/v1/escalation-plans",
            json!({ "name": "quick", "steps": [{ "notify": ["person:bob"], "after": "10s" }, { "notify": ["person:john"], "after": "1h" }] }),
        )
        .await;
    let rules = json!([
        { "match": { "summary": "*test*" }, "ignore": true },
        { "match": { "/db": "prod-*", "severity": "critical" }, "team": "dba", "plan": "quick" },
        { "match": { "/db": "prod-*" }, "urgency": "low" },
        { "match": { "key": "k9" }, "severity": "info" },
    ]);
    let answer = world.request("PATCH", "/api/v1/integrations/mon", Some(json!({ "rules": rules }))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let send = async |house: &super::House, key: &str, db: &str, severity: &str, summary: &str| {
        let body = json!({ "summary": summary, "dedup_key": key, "db": db, "severity": severity });
        house.sent(PATH, &body).await;
    };
    send(&house, "k1", "prod-1", "critical", "a test").await;
    assert_eq!(house.told().await, ["rule 1 says that nobody is to hear of it"]);
    send(&house, "k2", "prod-1", "critical", "two").await;
    send(&house, "k3", "prod-1", "error", "three").await;
    send(&house, "k4", "dev", "error", "four").await;
    send(&house, "k9", "dev", "error", "nine").await;
    let of = async |house: &super::House, number: u32| {
        let alert = house.world.get(&format!("/api/v1/alerts/{number}")).await;
        let text = |name: &str| alert[name].as_str().unwrap_or_default().to_owned();
        (text("team"), text("severity"), text("urgency"))
    };
    let words = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
    assert_eq!(of(&house, 1).await, words("dba", "critical", "high"));
    assert_eq!(of(&house, 2).await, words("ops", "error", "low"));
    assert_eq!(of(&house, 3).await, words("ops", "error", "high"));
    assert_eq!(of(&house, 4).await, words("ops", "info", "low"));
    // The rule's plan, not the team's: Bob at once, John ten seconds later.
    house.world.pass_seconds(15).await;
    let story = house.world.story(1).await;
    assert!(story.contains(&"0 Step 1 pages Bob".to_owned()), "{story:#?}");
    assert!(story.contains(&"10 Step 2 pages John".to_owned()), "{story:#?}");
    // What rules name is not removed under them.
    for used in ["teams/dba", "escalation-plans/quick"] {
        let answer = house.world.request("DELETE", &format!("/api/v1/{used}"), None).await;
        assert_eq!(answer.status, 409, "{}", answer.text);
        assert!(answer.text.contains("integration"), "{}", answer.text);
    }
}

#[tokio::test]
async fn problems_of_a_group_are_one_alert_that_ends_with_the_last_of_them() {
    let house = house(json!({ "group_by": ["/labels/cluster", "/labels/alertname"] })).await;
    let path = "/integrations/v1/alertmanager/KEY/";
    let message = |alerts: &[(&str, &str, &str)]| {
        let alerts: Vec<Value> = alerts
            .iter()
            .map(|(fingerprint, cluster, status)| {
                json!({ "status": status, "fingerprint": fingerprint, "labels": { "alertname": "Down", "cluster": cluster, "instance": fingerprint } })
            })
            .collect();
        json!({ "version": "4", "status": "firing", "alerts": alerts })
    };
    let states = async |house: &super::House| {
        house.alerts().await.into_iter().map(|alert| alert.1).collect::<Vec<_>>()
    };
    house
        .sent(path, &message(&[("a", "one", "firing"), ("b", "one", "firing"), ("c", "two", "firing")]))
        .await;
    assert_eq!(states(&house).await, ["triggered", "triggered"]);
    house.sent(path, &message(&[("a", "one", "resolved"), ("c", "two", "resolved")])).await;
    assert_eq!(states(&house).await, ["triggered", "resolved"]);
    assert_eq!(house.told().await, ["1 more of its problems lasts", "done"]);
    house.sent(path, &message(&[("a", "one", "resolved"), ("b", "one", "resolved")])).await;
    assert_eq!(states(&house).await, ["resolved", "resolved"]);
    // A new one of the group is a new alert, and knows nothing of the old ones.
    house.sent(path, &message(&[("d", "one", "firing")])).await;
    house.sent(path, &message(&[("d", "one", "resolved")])).await;
    assert_eq!(states(&house).await, ["resolved", "resolved", "resolved"]);
}

#[tokio::test]
async fn a_group_ends_for_senders_that_say_only_the_key_at_the_end() {
    let house = house(json!({ "group_by": ["/payload/group"] })).await;
    for key in ["a", "b"] {
        let body = json!({ "routing_key": "KEY", "event_action": "trigger", "dedup_key": key,
            "payload": { "summary": key, "source": "s", "severity": "error", "group": "web" } });
        house.sent("/v2/enqueue", &body).await;
    }
    assert_eq!(house.status().await, "triggered");
    for (key, status) in [("a", "triggered"), ("b", "resolved")] {
        let body = json!({ "routing_key": "KEY", "event_action": "resolve", "dedup_key": key });
        house.sent("/v2/enqueue", &body).await;
        assert_eq!(house.status().await, status);
    }
}

#[tokio::test]
async fn severities_are_as_the_integration_says_and_else_as_most_mean_them() {
    let house = house(json!({ "severities": { "Gelb": "warning", "high": "critical" } })).await;
    for (word, severity) in
        [("gelb", "warning"), ("high", "critical"), ("P1", "critical"), ("nonsense", "error"), ("", "error")]
    {
        house
            .sent(PATH, &json!({ "summary": word, "title": "t", "severity": word, "dedup_key": word }))
            .await;
        assert_eq!(house.alerts().await.last().unwrap().3, severity, "{word}");
    }
}

#[tokio::test]
async fn a_mapping_is_tried_with_a_sample_before_it_is_saved_and_then_does_the_same() {
    let house = house(json!({})).await;
    let mapping = json!({
        "each": "/checks", "summary": "{/host} {/name}: {/output}", "key": "{/host}/{/name}", "severity": "{/level}",
        "state": "{/state}", "resolved": ["Good"], "ignored": ["pending"], "link": "{/url}",
    });
    let check = |name: &str, state: &str| json!({ "host": "db1", "name": name, "output": "97 %", "level": "warn", "state": state, "url": "https://x.example/1" });
    let sample = json!({ "checks": [check("disk", "bad"), check("cpu", "pending"), check("net", "good")] });
    let tried = house
        .world
        .post(
            "/api/v1/integration-trials",
            json!({ "format": "generic", "sample": sample, "mapping": mapping, "integration": "mon" }),
        )
        .await;
    let items = tried["items"].as_array().unwrap();
    let acts: Vec<&str> = items.iter().map(|item| item["act"].as_str().unwrap()).collect();
    assert_eq!(acts, ["trigger", "nothing: the mapping says that this state is of no concern", "resolve"]);
    let wanted = json!({ "act": "trigger", "key": "db1/disk", "summary": "db1 disk: 97 %", "severity": "warning", "urgency": "low",
        "team": "ops", "plan": null, "rule": null, "links": ["https://x.example/1"], "details": items[0]["details"] });
    assert_eq!(items[0], wanted);
    assert!(house.alerts().await.is_empty(), "nothing is stored");
    // Saved, it does what was shown.
    let saved =
        house.world.request("PATCH", "/api/v1/integrations/mon", Some(json!({ "mapping": mapping }))).await;
    assert_eq!(saved.status, 200, "{}", saved.text);
    house.sent(PATH, &sample).await;
    let alert = (1, "triggered".to_owned(), "db1 disk: 97 %".to_owned(), "warning".to_owned());
    assert_eq!(house.alerts().await, [alert]);
    house.sent(PATH, &json!({ "checks": [check("disk", "GOOD")] })).await;
    assert_eq!(house.status().await, "resolved");
}

#[tokio::test]
async fn what_is_wrong_with_an_integration_is_said_all_at_once() {
    let house = house(json!({})).await;
    let spec = json!({
        "name": "bad", "team": "opps", "severities": { "x": "grave" }, "group_by": ["labels"],
        "rules": [{ "match": { "/a": "" } }, { "match": {}, "team": "nobody", "urgency": "middling" }, { "ignore": true, "team": "ops" }],
        "mapping": { "summary": "{/a", "resolved": ["ok"] },
    });
    let answer = house.world.request("POST", "/api/v1/integrations", Some(spec)).await;
    assert_eq!(answer.status, 422);
    let mut fields: Vec<&str> = answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["field"].as_str().unwrap())
        .collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "group_by[0]",
            "mapping.resolved",
            "mapping.summary",
            "rules[0]",
            "rules[0].match./a",
            "rules[1].urgency",
            "rules[2].ignore",
            "severities.x",
        ]
    );
    let spec =
        json!({ "name": "bad", "team": "opps", "rules": [{ "match": {}, "team": "opsi", "plan": "opsy" }] });
    let answer = house.world.request("POST", "/api/v1/integrations", Some(spec)).await;
    assert_eq!(answer.body["errors"].as_array().unwrap().len(), 3, "{}", answer.text);
    assert!(answer.text.contains("did you mean \\\"ops\\\"?"), "{}", answer.text);
}

#[tokio::test]
async fn a_test_event_goes_the_way_of_real_ones() {
    let mut house = house(json!({})).await;
    let alert = house.world.post("/api/v1/integrations/mon/test", json!({ "severity": "critical" })).await;
    assert_eq!(alert["summary"], "TEST of mon, sent by test");
    house.world.settle().await;
    let story = house.world.story(1).await.join("\n");
    assert!(story.contains("John's handset rings"), "{story}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_tried_from_a_file_before_they_are_applied() {
    let house = house(json!({})).await;
    let rules = |rules: &str| format!("[[integration]]\nname = \"new\"\nteam = \"ops\"\n{rules}");
    let sound = rules(
        "rules = [{ match = { \"/labels/env\" = \"test*\" }, ignore = true }, { match = { summary = \"*cert*\" }, urgency = \"low\" }]",
    );
    let wrong = rules("rules = [{ match = { summary = \"x\" }, team = \"nobody\" }]");
    let sample = |env: &str| {
        json!({ "alerts": [{ "status": "firing", "fingerprint": "1", "labels": { "alertname": "cert ends", "severity": "critical", "env": env } }] })
            .to_string()
    };
    let (live, test) = (sample("live"), sample("testing"));
    let files =
        folder(&[("sound.toml", &sound), ("wrong.toml", &wrong), ("live.json", &live), ("test.json", &test)]);
    let variables = [("DOGWATCH_URL", house.world.url.as_str()), ("DOGWATCH_TOKEN", TOKEN)];
    let tried = |sample: &str, config: &str, name: &str| {
        let words = ["integration", "try", "alertmanager", sample, "--integration", name, "--config", config];
        run_with(files.path(), &words, "", &variables)
    };
    let ran = tried("live.json", "sound.toml", "new");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for line in ["trigger: cert ends", "urgency   low", "team      ops", "rule      2"] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
    assert!(tried("test.json", "sound.toml", "new").out.starts_with("nothing: "), "a rule ignores it");
    let ran = tried("live.json", "wrong.toml", "new");
    assert!(
        ran.code == 1 && ran.err.contains("integration.rules[0].team") && ran.err.contains("nobody"),
        "{}",
        ran.err
    );
    let ran = tried("live.json", "sound.toml", "another");
    assert!(
        ran.code == 1 && ran.err.contains("no integration \"another\" stands in these files"),
        "{}",
        ran.err
    );
    assert_eq!(
        house.world.get("/api/v1/integrations").await["items"].as_array().unwrap().len(),
        1,
        "nothing is saved"
    );
    assert!(house.alerts().await.is_empty());
}
