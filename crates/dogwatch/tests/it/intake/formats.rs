//! Each format: a problem, the same again, its end, and what people hear of it.

use serde_json::{Value, json};

use super::house;

/// A format, where it is posted, and its words for a problem, an acknowledgement (if it has one) and the end.
struct Case {
    path: &'static str,
    problem: Value,
    acknowledged: Option<Value>,
    end: Value,
    /// What an alert looks like: summary and severity.
    alert: (&'static str, &'static str),
    /// The status of the answer.
    status: u16,
}

fn pagerduty(action: &str) -> Value {
    json!({ "routing_key": "KEY", "event_action": action, "dedup_key": "db1/disk", "client": "John",
        "payload": { "summary": "disk full on db1", "source": "db1", "severity": "critical",
            "custom_details": { "used": 97, "nested": { "a": [1] } } } })
}

fn v1(action: &str) -> Value {
    json!({ "service_key": "KEY", "event_type": action, "incident_key": "db1/disk",
        "description": "disk full on db1", "details": { "used": "97 %" } })
}

fn alertmanager(status: &str) -> Value {
    json!({ "version": "4", "status": status, "receiver": "dogwatch", "groupKey": "{}:{}", "externalURL": "http://am.example:9093",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "truncatedAlerts": 0, "new_key": 1,
        "alerts": [{ "status": status, "labels": { "alertname": "DiskFull", "instance": "db1", "severity": "critical" },
            "annotations": { "summary": "disk full on db1", "description": "97 %" }, "startsAt": "2026-03-02T03:00:00Z",
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": "5ef77f1f8a3ecfb2" }] })
}

fn grafana(status: &str) -> Value {
    let mut body = alertmanager(status);
    body["version"] = json!("1");
    body["title"] = json!("[FIRING:1] DiskFull");
    body["state"] = json!(if status == "firing" { "alerting" } else { "ok" });
    body["orgId"] = json!(1);
    body["alerts"][0]["values"] = json!({ "A": 97.2 });
    body["alerts"][0]["dashboardURL"] = json!("https://grafana.example/d/db1");
    body
}

fn victorops(kind: &str) -> Value {
    json!({ "message_type": kind, "entity_id": "db1/disk", "entity_display_name": "disk full on db1",
        "state_message": "97 %", "monitoring_tool": "x", "ack_author": "john", "state_start_time": 1_772_420_400 })
}

fn oncall(state: &str) -> Value {
    json!({ "alert_uid": "db1/disk", "title": "disk full on db1", "state": state, "message": "97 %",
        "link_to_upstream_details": "https://zabbix.example/1" })
}

fn zabbix(value: &str, action: &str) -> Value {
    let updates = if action.is_empty() { "0" } else { "1" };
    json!({ "event_id": "4711", "event_value": value, "update_status": updates, "update_action": action, "ack_status": "No",
        "nseverity": "5", "name": "disk full", "host": "db1", "user": "john", "trigger_id": "17" })
}

fn generic(action: &str) -> Value {
    json!({ "summary": "disk full on db1", "dedup_key": "db1/disk", "severity": "critical", "action": action, "by": "john" })
}

fn cases() -> Vec<Case> {
    let case = |path, status, problem, acknowledged, end| Case {
        path,
        problem,
        acknowledged,
        end,
        alert: ("disk full on db1", "critical"),
        status,
    };
    let v1_path = "/generic/2010-04-15/create_event.json";
    vec![
        case("/v2/enqueue", 202, pagerduty("trigger"), Some(pagerduty("acknowledge")), pagerduty("resolve")),
        Case {
            alert: ("disk full on db1", "error"),
            ..case(v1_path, 200, v1("trigger"), Some(v1("acknowledge")), v1("resolve"))
        },
        case(
            "/integrations/v1/alertmanager/KEY/",
            200,
            alertmanager("firing"),
            None,
            alertmanager("resolved"),
        ),
        case("/integrations/v1/grafana/KEY/", 200, grafana("firing"), None, grafana("resolved")),
        case(
            "/integrations/generic/20131114/alert/KEY/ops",
            200,
            victorops("CRITICAL"),
            Some(victorops("ACKNOWLEDGEMENT")),
            victorops("RECOVERY"),
        ),
        Case {
            alert: ("disk full on db1", "error"),
            ..case("/integrations/v1/formatted_webhook/KEY/", 200, oncall("alerting"), None, oncall("ok"))
        },
        Case {
            alert: ("db1: disk full", "critical"),
            ..case(
                "/integrations/v1/zabbix/KEY/",
                200,
                zabbix("1", ""),
                Some(zabbix("1", "acknowledged")),
                zabbix("0", ""),
            )
        },
        case("/integrations/v1/generic/KEY/", 200, generic("trigger"), None, generic("resolve")),
    ]
}

#[tokio::test]
async fn a_problem_pages_is_counted_and_ends_in_every_format() {
    for case in cases() {
        let mut house = house(json!({})).await;
        // A pair of senders, each of which tries twice.
        for _ in 0..4 {
            let answer = house.send(case.path, &case.problem).await;
            assert_eq!(answer.status, case.status, "{}: {}", case.path, answer.text);
        }
        house.world.settle().await;
        let (summary, severity) = case.alert;
        let triggered = (1, "triggered".to_owned(), summary.to_owned(), severity.to_owned());
        assert_eq!(house.alerts().await, [triggered], "{}", case.path);
        let john = house.world.cookie(Some("john")).await;
        let shown = house.world.page(&john, "/handset/john").await.text;
        assert!(shown.contains(summary), "{}: {shown}", case.path);
        assert_eq!(house.send(case.path, &case.end).await.status, case.status);
        assert_eq!(house.status().await, "resolved", "{}", case.path);
        // Its end again, and of what never was, is taken and dropped.
        assert_eq!(house.send(case.path, &case.end).await.status, case.status);
        assert_eq!(house.told().await, ["no alert is open for it; nothing to do"], "{}", case.path);
        // The same once more is a new alert.
        house.sent(case.path, &case.problem).await;
        assert_eq!(house.alerts().await.len(), 2, "{}", case.path);
    }
}

#[tokio::test]
async fn an_acknowledgement_that_a_person_made_there_counts_here() {
    for case in cases() {
        let Some(acknowledged) = case.acknowledged else { continue };
        let mut house = house(json!({})).await;
        house.sent(case.path, &case.problem).await;
        house.world.settle().await;
        house.sent(case.path, &acknowledged).await;
        assert_eq!(house.status().await, "acknowledged", "{}", case.path);
        let by = house.world.get("/api/v1/alerts/1").await["acknowledged"].clone();
        assert_eq!(by["via"], "integration", "{}", case.path);
        // Nobody else is asked: Bob's step would have come.
        house.world.pass_seconds(120).await;
        let story = house.world.story(1).await.join("\n");
        assert!(!story.contains("Bob's handset rings"), "{}: {story}", case.path);
    }
}

#[tokio::test]
async fn an_acknowledgement_can_be_switched_off_and_a_generic_one_on() {
    let house_off = house(json!({ "acknowledge": false })).await;
    house_off.sent("/v2/enqueue", &pagerduty("trigger")).await;
    house_off.sent("/v2/enqueue", &pagerduty("acknowledge")).await;
    assert_eq!(house_off.status().await, "triggered");
    let story = house_off.world.story(1).await.join("\n");
    assert!(story.contains("acknowledged it there; here that stops nothing"), "{story}");

    let path = "/integrations/v1/generic/KEY/";
    let plain = house(json!({})).await;
    plain.sent(path, &generic("trigger")).await;
    plain.sent(path, &generic("acknowledge")).await;
    assert_eq!(plain.status().await, "triggered", "anything could have sent it");
    let allowed = house(json!({ "acknowledge": true })).await;
    allowed.sent(path, &generic("trigger")).await;
    allowed.sent(path, &generic("acknowledge")).await;
    assert_eq!(allowed.status().await, "acknowledged");
    let by = allowed.world.get("/api/v1/alerts/1").await["acknowledged"].clone();
    assert_eq!((&by["person"], &by["by"]), (&json!("john"), &json!("John")), "it is known who john is");
}

#[tokio::test]
async fn answers_are_those_that_clients_insist_on() {
    let house = house(json!({})).await;
    let answer = house.send("/v2/enqueue", &pagerduty("trigger")).await;
    let wanted = json!({ "status": "success", "message": "Event processed", "dedup_key": "db1/disk" });
    assert_eq!((answer.status, answer.body), (202, wanted));
    let mut body = pagerduty("trigger");
    body["dedup_key"] = Value::Null;
    let (one, other) = (house.sent("/v2/enqueue", &body).await, house.sent("/v2/enqueue", &body).await);
    assert!(one["dedup_key"].as_str().unwrap().len() > 16 && one["dedup_key"] != other["dedup_key"]);
    let answer = house.send("/generic/2010-04-15/create_event.json", &v1("trigger")).await;
    let wanted = json!({ "status": "success", "message": "Event processed", "incident_key": "db1/disk" });
    assert_eq!((answer.status, answer.body), (200, wanted));
    let change = json!({ "routing_key": "KEY", "payload": { "summary": "deployed 7", "source": "ci" } });
    let answer = house.send("/v2/change/enqueue", &change).await;
    assert_eq!((answer.status, &answer.body["status"]), (202, &json!("success")));
    assert_eq!(house.told().await, ["a change event pages nobody"]);
    let answer = house.send("/integrations/generic/20131114/alert/KEY/ops", &victorops("WARNING")).await;
    assert_eq!(answer.body, json!({ "result": "success", "entity_id": "db1/disk" }));
    let answer = house.send("/integrations/generic/20131114/alert/KEY/ops", &victorops("INFO")).await;
    assert_eq!(answer.status, 200);

    // What is wrong is said in the same shape, and a wrong key never gets a 2xx.
    let mut body = pagerduty("trigger");
    body["payload"] = json!({ "summary": " ", "severity": "grave" });
    let answer = house.send("/v2/enqueue", &body).await;
    assert_eq!((answer.status, &answer.body["status"]), (400, &json!("invalid event")));
    let errors = answer.body["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 3, "{errors:?}");
    body["routing_key"] = json!("nobody's");
    assert_eq!(house.send("/v2/enqueue", &body).await.status, 400);
    let answer = house.send("/integrations/generic/20131114/alert/nobodys/ops", &victorops("CRITICAL")).await;
    assert_eq!((answer.status, &answer.body["result"]), (401, &json!("failure")));
    let answer = house.send("/integrations/v1/alertmanager/nobodys/", &alertmanager("firing")).await;
    assert_eq!(answer.status, 401);
    assert_eq!(house.send("/integrations/v1/pigeon/KEY/", &json!({})).await.status, 404);
}

#[tokio::test]
async fn a_message_of_alertmanager_holds_firing_and_resolved_alerts() {
    let house = house(json!({})).await;
    let path = "/integrations/v1/alertmanager/KEY/";
    let mut body = alertmanager("firing");
    let mut other = body["alerts"][0].clone();
    other["fingerprint"] = json!("0000000000000001");
    other["labels"]["instance"] = json!("db2");
    other["annotations"] = json!({});
    body["alerts"].as_array_mut().unwrap().push(other);
    house.sent(path, &body).await;
    let names: Vec<String> = house.alerts().await.into_iter().map(|alert| alert.2).collect();
    assert_eq!(names, ["disk full on db1", "DiskFull on db2"]);
    // The group still fires, one of them is gone; it began earlier than was said before.
    body["alerts"][0]["status"] = json!("resolved");
    body["alerts"][1]["startsAt"] = json!("2026-03-02T02:00:00Z");
    house.sent(path, &body).await;
    let states: Vec<String> = house.alerts().await.into_iter().map(|alert| alert.1).collect();
    assert_eq!(states, ["resolved", "triggered"]);
    // A template that leaves the fingerprint out: the labels say what it is.
    for alert in body["alerts"].as_array_mut().unwrap() {
        alert.as_object_mut().unwrap().remove("fingerprint");
        alert["status"] = json!("firing");
    }
    house.sent(path, &body).await;
    house.sent(path, &body).await;
    assert_eq!(house.alerts().await.len(), 4);
}

#[tokio::test]
async fn what_people_do_in_zabbix_is_passed_on() {
    let house = house(json!({})).await;
    let path = "/integrations/v1/zabbix/KEY/";
    house.sent(path, &zabbix("1", "")).await;
    let mut update = zabbix("1", "commented");
    update["update_message"] = json!("I am looking");
    house.sent(path, &update).await;
    assert!(house.world.story(1).await.join("\n").contains("John: I am looking"));
    house.sent(path, &zabbix("1", "acknowledged")).await;
    assert_eq!(house.status().await, "acknowledged");
    house.sent(path, &zabbix("1", "unacknowledged")).await;
    assert_eq!(house.status().await, "triggered");
}
