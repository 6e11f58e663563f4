//! What nodes share beside alerts: what they know of providers, what has gone out to a person, the time.

use std::pin::Pin;
use std::sync::Arc;

use dogwatch::clock::{Clock, SystemClock};
use dogwatch::config::{Config, Flags};
use dogwatch::service::Service;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::get;
use crate::support::database::fresh_postgres;
use crate::support::fake::{Fake, Reply};
use crate::support::process::{Process, client, until};
use crate::support::twilio::{Does, Twilio};
use crate::support::{World, answer};

#[tokio::test]
async fn a_provider_that_has_failed_on_one_node_is_left_alone_by_the_other() {
    let address = fresh_postgres().await;
    let twilio = Twilio::start().await;
    let mut one = World::over_with_providers(&address, vec![twilio.provider("main")]).await;
    let mut other = World::over_with_providers(&address, vec![twilio.provider("main")]).await;
    twilio.join(&one);
    twilio.always(Does::Answers(500, "", ""));
    for (name, contact) in [("john", "sms:+493011111"), ("bob", "sms:+493022222")] {
        one.post("/api/v1/people", json!({ "name": name, "contacts": [contact] })).await;
    }
    one.post("/api/v1/people/john/notify", json!({ "summary": "disk full" })).await;
    one.pass_seconds(20).await;
    assert_eq!(twilio.asked(), 3, "then it rests");
    other.clock.set(one.clock.now());
    until(|| async { other.store.definitions().directory().people.contains_key("bob") }).await;
    let raised = other.post("/api/v1/people/bob/notify", json!({ "summary": "disk full" })).await;
    other.settle().await;
    assert_eq!(twilio.asked(), 3, "the other node did not try for itself");
    let alert = other.get(&format!("/api/v1/alerts/{}", raised["number"])).await;
    assert!(alert.to_string().contains("main is left alone for a while"), "{alert}");
}

#[tokio::test]
async fn what_one_node_has_just_sent_to_a_person_the_other_counts_too() {
    let address = fresh_postgres().await;
    let (mut one, mut other) = (World::over(&address).await, World::over(&address).await);
    one.post("/api/v1/people", json!({ "name": "john", "contacts": ["webhook:https://x.example"] })).await;
    let notify = |summary: &str| json!({ "summary": summary, "dedup_key": summary });
    for summary in ["first", "second", "third"] {
        one.post("/api/v1/people/john/notify", notify(summary)).await;
        if summary == "first" {
            one.settle().await;
            assert_eq!(one.carrier.sent_to("page").len(), 1, "the first goes at once");
        }
    }
    other.settle().await;
    assert_eq!(other.carrier.seen().len(), 0, "the others are collected for a minute, on all nodes");
    other.pass_seconds(61).await;
    assert_eq!(other.carrier.sent_to("page").len(), 1, "both in one message");
    assert_eq!(one.carrier.seen().len(), 1);
}

/// The clock of a machine that is wrong by so much.
struct Wrong(SignedDuration);

impl Clock for Wrong {
    fn now(&self) -> Timestamp {
        SystemClock.now() + self.0
    }

    fn wait_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        SystemClock.wait_until(at - self.0)
    }
}

async fn node(address: &str, wrong_by: SignedDuration) -> Service {
    let flags = Flags {
        listen: Some("127.0.0.1:0".to_owned()),
        database: Some(address.to_owned()),
        public_url: None,
    };
    let token = |name: &str| (name == "DOGWATCH_ADMIN_TOKEN").then(|| crate::support::TOKEN.to_owned());
    let config = Config::load(None, &token, &flags).unwrap();
    Service::start(&config, Arc::new(Wrong(wrong_by))).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_whose_clocks_are_wrong_go_by_the_time_of_the_database_and_say_so() {
    crate::support::set_up_tls();
    let address = fresh_postgres().await;
    let (fast, slow) = (
        node(&address, SignedDuration::from_secs(90)).await,
        node(&address, SignedDuration::from_secs(-3_600)).await,
    );
    let client = crate::support::process::client();
    let ask = async |node: &Service, method: &str, path: &str, body: Value| {
        let request = client.request(method.parse().unwrap(), format!("http://{}{path}", node.address));
        answer(request.bearer_auth(crate::support::TOKEN).body(body.to_string())).await.body
    };
    ask(&fast, "POST", "/api/v1/people", json!({ "name": "john", "contacts": ["handset:john"] })).await;
    let before = SystemClock.now();
    let slack = SignedDuration::from_secs(1);
    for (count, node) in [&fast, &slow].into_iter().enumerate() {
        let known = async || ask(node, "GET", "/api/v1/people/john", Value::Null).await["name"] == "john";
        until(&known).await;
        let body = json!({ "summary": "x", "dedup_key": count.to_string() });
        let alert = ask(node, "POST", "/api/v1/people/john/notify", body).await;
        let at: Timestamp = alert["created_at"].as_str().unwrap().parse().unwrap();
        assert!(before - slack <= at && at <= SystemClock.now() + slack, "{at}");
    }
    let doctor = ask(&slow, "GET", "/api/v1/doctor", Value::Null).await["cluster"].clone();
    let texts: Vec<&str> =
        doctor.as_array().unwrap().iter().map(|one| one["text"].as_str().unwrap()).collect();
    for part in ["s ahead of the database's", "s behind the database's", "no synchronous standby"] {
        assert!(texts.iter().any(|text| text.contains(part)), "{part}: {texts:?}");
    }
    let ready = ask(&fast, "GET", "/readyz", Value::Null).await;
    assert_eq!(ready["status"], "ready");
    assert_eq!(
        ready["cautions"],
        json!(["clock_apart", "commits_not_awaited", "no_synchronous_standby", "not_synced"])
    );
    // One that stops says so, and is missed by nobody.
    fast.stop().await;
    let alone = async || {
        let doctor = ask(&slow, "GET", "/api/v1/doctor", Value::Null).await["cluster"].to_string();
        doctor.contains("one node only") && !doctor.contains("ahead of")
    };
    until(&alone).await;
    slow.stop().await;
}

/// Balancers ask every second, and none of them waits for Patroni.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_whether_a_node_is_ready_is_told_of_an_old_patroni() {
    let patroni = Fake::start(|request| match request.line.as_str() {
        "GET /patroni" => Ok(Reply::Json(200, json!({ "patroni": { "version": "3.0.2" } }))),
        other => Err(format!("{other} is not asked of Patroni here")),
    })
    .await;
    let node = Process::serve_on(&fresh_postgres().await, &[("DOGWATCH_PATRONI", &patroni.url)]);
    let client = client();
    let old = |told: &Value| told["cautions"].to_string().contains("old_patroni");
    until(|| async { old(&get(&client, &format!("{}/readyz", node.url)).await) }).await;
    assert_eq!(get(&client, &format!("{}/readyz", node.url)).await["status"], "ready");
    let doctor = get(&client, &format!("{}/api/v1/doctor", node.url)).await;
    assert!(doctor["cluster"].to_string().contains("before 3.1 it may promote two primaries"), "{doctor}");
}
