//! Damaged payloads of every format: never a 5xx, never a 2xx for a problem of which nothing was stored.

use serde_json::{Value, json};

use super::{House, house};

/// A whole payload of each format, with all that its senders send.
pub fn golden() -> Vec<(&'static str, Value)> {
    let payloads: Value = serde_json::from_str(include_str!("payloads.json")).unwrap();
    const PATHS: [(&str, &str); 11] = [
        ("pagerduty", "/v2/enqueue"),
        ("pagerduty-v1", "/generic/2010-04-15/create_event.json"),
        ("opsgenie", "/v2/alerts"),
        ("victorops", "/integrations/generic/20131114/alert/KEY/ops"),
        ("alertmanager", "/integrations/v1/alertmanager/KEY/"),
        ("grafana", "/integrations/v1/grafana/KEY/"),
        ("formatted_webhook", "/integrations/v1/formatted_webhook/KEY/"),
        ("zabbix", "/integrations/v1/zabbix/KEY/"),
        ("pagerduty-change", "/v2/change/enqueue"),
        ("nagios", "/integrations/v1/nagios/KEY/"),
        ("generic", "/integrations/v1/generic/KEY/"),
    ];
    PATHS.iter().map(|(name, path)| (*path, payloads[*name].clone())).collect()
}

/// The verbs of Opsgenie, each with all that may be said with it, about the alert with the alias `db1`.
fn verbs() -> Vec<(&'static str, &'static str, Value)> {
    let said = json!({ "user": "john", "source": "script", "note": "on it" });
    let with = |name: &str, value: Value| {
        let mut body = said.clone();
        body[name] = value;
        body
    };
    vec![
        ("POST", "/v2/alerts/db1/acknowledge?identifierType=alias", said.clone()),
        ("POST", "/v2/alerts/db1/unacknowledge?identifierType=alias", said.clone()),
        (
            "POST",
            "/v2/alerts/db1/snooze?identifierType=alias",
            with("endTime", json!("2026-03-02T05:00:00Z")),
        ),
        ("POST", "/v2/alerts/db1/notes?identifierType=alias", said.clone()),
        ("PUT", "/v2/alerts/db1/message?identifierType=alias", with("message", json!("disk nearly full"))),
        ("PUT", "/v2/alerts/db1/description?identifierType=alias", with("description", json!("97 %"))),
        ("PUT", "/v2/alerts/db1/priority?identifierType=alias", with("priority", json!("P2"))),
        ("POST", "/v2/alerts/db1/close?identifierType=alias", said.clone()),
    ]
}

/// The places of all fields of a document.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    let mut inside = |name: String, value: &Value| {
        let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        all.push(place.clone());
        places(value, &place, all);
    };
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| inside(name.clone(), value)),
        Value::Array(entries) => {
            entries.iter().enumerate().for_each(|(index, value)| inside(index.to_string(), value));
        }
        _ => {}
    }
}

fn without(document: &Value, place: &str) -> Value {
    let mut damaged = document.clone();
    let (parent, name) = place.rsplit_once('/').unwrap();
    match damaged.pointer_mut(parent) {
        Some(Value::Object(fields)) => drop(fields.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(entries)) => drop(entries.remove(name.parse().unwrap())),
        _ => panic!("{place}"),
    }
    damaged
}

/// Sends it, and checks that the answer is honest.
async fn honest(house: &House, path: &str, body: &Value, what: &str) {
    honest_text(house, ("POST", path), &body.to_string(), what).await;
}

async fn honest_text(house: &House, (method, path): (&str, &str), body: &str, what: &str) {
    let before = house.alerts_reported().await;
    let answer = house.send_text(method, path, body).await;
    assert!(answer.status < 500, "{path}: {what}: {} {}", answer.status, answer.text);
    assert!(answer.body.is_object(), "{path}: {what}: {}", answer.text);
    let after = house.alerts_reported().await;
    if (200..300).contains(&answer.status) {
        let told = house.told().await;
        assert!(
            after > before || !told.is_empty() || body.contains("\"alerts\":[]"),
            "{path}: {what}: {told:?}"
        );
    } else {
        assert_eq!(after, before, "{path}: {what}: {}", answer.text);
        assert!(answer.text.len() > 20, "{path}: {what}: it says nothing: {}", answer.text);
    }
}

impl House {
    /// How often alerts were reported, all in all.
    async fn alerts_reported(&self) -> u64 {
        let listed = self.world.get("/api/v1/alerts?status=all&limit=500").await;
        listed["items"].as_array().unwrap().iter().map(|alert| alert["triggers"].as_u64().unwrap()).sum()
    }
}

#[tokio::test]
async fn each_field_missing_or_of_the_wrong_type_is_answered_honestly() {
    for (path, whole) in golden() {
        let house = house(json!({})).await;
        let answer = house.send(path, &whole).await;
        assert!((200..300).contains(&answer.status), "{path}: {}", answer.text);
        let mut all = Vec::new();
        places(&whole, "", &mut all);
        for place in all {
            // Without the key, or with another, nobody is known.
            honest(&house, path, &without(&whole, &place), &format!("without {place}")).await;
            for wrong in
                [json!(null), json!(7), json!(""), json!([[]]), json!({ "a": { "b": 1 } }), json!(true)]
            {
                let mut damaged = whole.clone();
                *damaged.pointer_mut(&place).unwrap() = wrong.clone();
                honest(&house, path, &damaged, &format!("{place} is {wrong}")).await;
                house.refill().await;
            }
        }
    }
}

impl House {
    /// Lets time pass, so that the key may send on.
    async fn refill(&self) {
        let later = dogwatch::clock::Clock::now(&*self.world.clock) + jiff::SignedDuration::from_millis(100);
        self.world.clock.set(later);
    }
}

#[tokio::test]
async fn huge_and_odd_texts_are_taken_and_fit_to_be_shown() {
    for (path, whole) in golden() {
        let house = house(json!({})).await;
        let mut all = Vec::new();
        places(&whole, "", &mut all);
        let texts = all.iter().filter(|place| whole.pointer(place).unwrap().is_string());
        for (index, place) in texts.enumerate() {
            for odd in ["x".repeat(70_000), "a\0b\u{202e}c\r\n\u{7}".to_owned(), "🦀".repeat(3_000)] {
                let mut damaged = whole.clone();
                *damaged.pointer_mut(place).unwrap() = json!(odd);
                honest(&house, path, &damaged, &format!("odd {place}, {index}")).await;
                house.refill().await;
            }
        }
        for (_, _, summary, _) in house.alerts().await {
            assert!(summary.chars().count() <= 1024 && !summary.chars().any(char::is_control), "{summary:?}");
        }
    }
}

#[tokio::test]
async fn what_is_no_json_too_deep_or_too_large_is_refused_in_the_format_s_own_shape() {
    let house = house(json!({})).await;
    let deep = format!("{{\"routing_key\":\"KEY\",\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let large = format!("{{\"routing_key\":\"KEY\",\"a\":\"{}\"}}", "x".repeat(600_000));
    for (path, _) in golden() {
        for (body, status) in [("{", 400), ("[1]", 400), ("\u{feff}{}", 400), (&*deep, 400), (&*large, 413)] {
            let answer = house.send_text("POST", path, body).await;
            let is_refused = answer.status == status || (body == "[1]" && answer.status == 422);
            assert!(is_refused, "{path}: {} {}", answer.status, answer.text);
            let has_shape = match path {
                "/v2/enqueue" | "/v2/change/enqueue" | "/generic/2010-04-15/create_event.json" => {
                    answer.body["errors"].is_array()
                }
                "/v2/alerts" => answer.body["requestId"].is_string(),
                path if path.starts_with("/integrations/generic") => answer.body["result"] == "failure",
                _ => answer.body["detail"].is_string(),
            };
            assert!(has_shape, "{path}: {}", answer.text);
        }
    }
    assert!(house.alerts().await.is_empty());
}

#[tokio::test]
async fn many_alerts_in_one_message_are_each_counted() {
    let house = house(json!({})).await;
    let one = |index: usize| json!({ "status": "firing", "fingerprint": format!("{:016x}", index % 300), "labels": { "alertname": "x" } });
    let alerts: Vec<Value> = (0..3_000).map(one).collect();
    let body = json!({ "version": "4", "status": "firing", "alerts": alerts });
    let answer = house.sent("/integrations/v1/alertmanager/KEY/", &body).await;
    assert_eq!(answer["events"], 3_000);
    let counted = house.world.get("/api/v1/alerts?limit=500").await;
    let items = counted["items"].as_array().unwrap();
    assert_eq!(items.len(), 300);
    assert!(items.iter().all(|alert| alert["triggers"] == 10));
}

const WRONG: [fn() -> Value; 8] = [
    || json!(null),
    || json!(7),
    || json!(-1e300),
    || json!(""),
    || json!([[]]),
    || json!({ "a": { "b": 1 } }),
    || json!(true),
    || json!("🦀".repeat(20_000)),
];

#[tokio::test]
async fn verbs_that_are_damaged_are_answered_honestly() {
    let house = house(json!({})).await;
    let create = json!({ "message": "disk full", "alias": "db1" });
    for (method, path, whole) in verbs() {
        house.sent("/v2/alerts", &create).await;
        let mut fields = Vec::new();
        places(&whole, "", &mut fields);
        for place in fields {
            let without = without(&whole, &place).to_string();
            honest_text(&house, (method, path), &without, &format!("without {place}")).await;
            for wrong in WRONG {
                let mut damaged = whole.clone();
                *damaged.pointer_mut(&place).unwrap() = wrong();
                honest_text(&house, (method, path), &damaged.to_string(), &format!("{place} is wrong")).await;
                house.refill().await;
            }
        }
        for body in ["", "{", "[]", "null", "{\"user\":1,\"user\":2}", "\u{0}"] {
            honest_text(&house, (method, path), body, body).await;
        }
        let answer = house.send_text(method, path, &whole.to_string()).await;
        assert_eq!(answer.status, 202, "{path}: {}", answer.text);
    }
    assert_eq!(house.alerts().await[0].1, "resolved");
}

#[tokio::test]
async fn a_field_that_is_there_twice_is_answered_honestly() {
    for (path, whole) in golden() {
        let house = house(json!({})).await;
        for (name, value) in whole.as_object().unwrap() {
            for other in [value.clone(), json!("other"), json!(null), json!([1])] {
                let mut text = whole.to_string();
                text.insert_str(1, &format!("{}:{other},", json!(name)));
                honest_text(&house, ("POST", path), &text, &format!("twice {name}")).await;
                house.refill().await;
            }
        }
    }
}

#[tokio::test]
async fn signs_of_life_may_say_anything_and_have_to_name_a_heartbeat() {
    let house = house(json!({})).await;
    house.world.post("/api/v1/heartbeats", json!({ "name": "backup", "team": "ops", "every": "1h" })).await;
    let large = "x".repeat(600_000);
    for path in [
        "/v2/heartbeats/NAME/ping",
        "/jsm/ops/integration/v2/heartbeats/NAME/ping",
        "/integrations/v1/heartbeat/KEY/NAME",
    ] {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            for body in ["", "{", "{\"name\":7}", "[[[[", &large] {
                let answer = house.send_text(method, &path.replace("NAME", "backup"), body).await;
                assert_eq!(answer.status, 202, "{method} {path}: {}", answer.text);
            }
        }
        for name in ["nobody", "%00", "%ff", "..", &"x".repeat(5_000), "%F0%9F%A6%80", "backup%20"] {
            let answer = house.send_text("GET", &path.replace("NAME", name), "").await;
            assert_eq!(answer.status, 404, "{path} {name}: {}", answer.text);
        }
        house.refill().await;
    }
}
