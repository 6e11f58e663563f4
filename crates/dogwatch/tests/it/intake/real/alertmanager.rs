//! Prometheus Alertmanager through four of its receivers, and two of them that both send everything.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use super::{Program, free_port};
use crate::intake::{House, house};

/// An Alertmanager that knows nothing of others.
struct Alertmanager {
    api: String,
    client: reqwest::Client,
    _folder: tempfile::TempDir,
    _program: Program,
}

/// The keys of four receivers: PagerDuty, Opsgenie, VictorOps, webhook.
type Keys = [String; 4];

impl Alertmanager {
    /// Says everything at once, and again so often.
    async fn start(house: &House, [pd, og, vo, wh]: &Keys, repeat: &str) -> Self {
        let (url, client) = (&house.world.url, house.world.client.clone());
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            r#"
route: {{ receiver: dogwatch, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: {repeat} }}
receivers:
  - name: dogwatch
    pagerduty_configs:
      - {{ routing_key: {pd}, url: "{url}/v2/enqueue", severity: critical, description: "pd {{{{ .CommonLabels.alertname }}}}" }}
    opsgenie_configs:
      - {{ api_key: {og}, api_url: "{url}/", priority: P1, update_alerts: true, message: "og {{{{ .CommonLabels.alertname }}}}" }}
    victorops_configs:
      - {{ api_key: {vo}, api_url: "{url}/integrations/generic/20131114/alert/", routing_key: ops, entity_display_name: "vo {{{{ .CommonLabels.alertname }}}}" }}
    webhook_configs:
      - {{ url: "{url}/integrations/v1/alertmanager/{wh}/", send_resolved: true }}
"#
        );
        let file = folder.path().join("alertmanager.yml");
        std::fs::write(&file, config).unwrap();
        let port = free_port();
        let program = Program::start(
            Command::new("prometheus-alertmanager")
                .arg(format!("--config.file={}", file.display()))
                .arg(format!("--storage.path={}", folder.path().join("data").display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg("--cluster.listen-address="),
        );
        let api = format!("http://127.0.0.1:{port}");
        // Its port is the only thing that says when it is ready.
        let ready = async {
            while client.get(format!("{api}/-/ready")).send().await.is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ready).await.expect("Alertmanager did not start");
        Self { api, client, _folder: folder, _program: program }
    }

    /// Tells it that the disk is full, or that it was until then.
    async fn tell(&self, ends: Option<&str>) {
        let mut alert = json!({ "labels": { "alertname": "DiskFull", "severity": "critical" },
            "annotations": { "summary": "disk full" }, "startsAt": "2020-01-01T00:00:00Z" });
        if let Some(ends) = ends {
            alert["endsAt"] = json!(ends);
        }
        let request = self.client.post(format!("{}/api/v2/alerts", self.api)).json(&json!([alert]));
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

impl House {
    async fn four_keys(&self) -> Keys {
        [self.key.clone(), self.another("og").await, self.another("vo").await, self.another("wh").await]
    }
}

const FIRING: [&str; 4] =
    ["pd DiskFull: triggered", "og DiskFull: triggered", "vo DiskFull: triggered", "disk full: triggered"];
const RESOLVED: [&str; 4] =
    ["pd DiskFull: resolved", "og DiskFull: resolved", "vo DiskFull: resolved", "disk full: resolved"];

#[tokio::test(flavor = "multi_thread")]
async fn it_fires_repeats_and_resolves_through_four_receivers() {
    let mut house = house(json!({})).await;
    let keys = house.four_keys().await;
    let alertmanager = Alertmanager::start(&house, &keys, "1s").await;
    alertmanager.tell(None).await;
    house.until(&FIRING).await;
    // The first rings at once, the others come together a minute later.
    house.world.pass_seconds(61).await;
    let shown = house.handset().await;
    for text in ["pd DiskFull", "og DiskFull", "vo DiskFull", "disk full"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    // It says so again and again; that is counted, and rings nobody anew.
    house
        .until_yes("/api/v1/alerts", |listed| {
            listed["items"].as_array().unwrap().iter().all(|alert| alert["triggers"].as_u64() > Some(1))
        })
        .await;
    // Over several nodes numbers may leave gaps.
    let listed = house.world.get("/api/v1/alerts").await;
    for alert in listed["items"].as_array().unwrap() {
        let number = alert["number"].as_u64().unwrap();
        let story = house.world.story(number).await.join("\n");
        assert!(story.matches("Step 1 pages").count() == 1, "{story}");
    }
    alertmanager.tell(Some("2020-01-01T00:00:01Z")).await;
    house.until(&RESOLVED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_that_both_send_everything_make_one_alert() {
    let mut house = house(json!({})).await;
    let keys = house.four_keys().await;
    // They do not see each other, as when the network between them is cut.
    let one = Alertmanager::start(&house, &keys, "1h").await;
    let other = Alertmanager::start(&house, &keys, "1h").await;
    one.tell(None).await;
    other.tell(None).await;
    // Each has sent it: every alert was reported twice, and pages once.
    house
        .until_yes("/api/v1/alerts", |listed| {
            let alerts = listed["items"].as_array().unwrap();
            alerts.len() == 4 && alerts.iter().all(|alert| alert["triggers"] == 2)
        })
        .await;
    house.until(&FIRING).await;
    // Over several nodes numbers may leave gaps.
    let listed = house.world.get("/api/v1/alerts").await;
    for alert in listed["items"].as_array().unwrap() {
        let number = alert["number"].as_u64().unwrap();
        let story = house.world.story(number).await.join("\n");
        assert!(story.matches("Step 1 pages").count() == 1, "{story}");
    }
    one.tell(Some("2020-01-01T00:00:01Z")).await;
    house.until(&RESOLVED).await;
    other.tell(Some("2020-01-01T00:00:01Z")).await;
    for name in ["mon", "og", "vo", "wh"] {
        let path = format!("/api/v1/integrations/{name}/received");
        let late =
            |listed: &serde_json::Value| listed["items"][0].to_string().contains("no alert is open for it");
        house.until_yes(&path, late).await;
    }
    house.until(&RESOLVED).await;
}
