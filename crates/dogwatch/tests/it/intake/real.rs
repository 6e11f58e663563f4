//! Real programs, as people run them, against the real server on a loopback port: Prometheus Alertmanager, PagerDuty's
//! and Opsgenie's clients for Python, Nagios, Icinga, swaks. What they made ring is looked up on the handset.
//!
//! `scripts/test` installs them. Nothing sleeps: each wait ends with the commit that it is for.

mod alertmanager;
mod icinga;
mod nagios;
mod swaks;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::{House, house};

/// A program that is killed when nobody needs it any more.
struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        let name = format!("{:?}", command.get_program());
        let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(started.unwrap_or_else(|error| panic!("{name}: {error}; scripts/test installs it")))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have children of its own, and ends them when it is asked to.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

impl House {
    /// Lets everything happen until the alerts are so, each as `summary: status`, in any order.
    async fn until(&mut self, wanted: &[&str]) {
        let mut wanted: Vec<String> = wanted.iter().map(|&text| text.to_owned()).collect();
        wanted.sort();
        let mut last = Vec::new();
        let mut changed = self.world.store.signals().changed.subscribe();
        let all = async {
            loop {
                self.world.settle().await;
                last = self
                    .alerts()
                    .await
                    .into_iter()
                    .map(|it| format!("{}: {}", it.2, it.1))
                    .collect::<Vec<_>>();
                last.sort();
                if last == wanted {
                    self.world.settle().await;
                    break;
                }
                changed.changed().await.unwrap();
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(60), all).await.is_ok();
        assert!(in_time, "{last:#?} instead of {wanted:#?}");
    }

    /// Waits until the answer to a question to the API is yes.
    async fn until_yes(&mut self, path: &str, is_so: impl Fn(&Value) -> bool) {
        let mut changed = self.world.store.signals().changed.subscribe();
        let mut last = Value::Null;
        let all = async {
            loop {
                self.world.settle().await;
                last = self.world.get(path).await;
                if is_so(&last) {
                    break;
                }
                changed.changed().await.unwrap();
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), all).await.is_ok(), "{path}: {last:#}");
    }

    /// What John's handset shows.
    async fn handset(&self) -> String {
        let john = self.world.cookie(Some("john")).await;
        self.world.page(&john, "/handset/john").await.text
    }

    /// Another integration of the same team, with its key.
    async fn another(&self, name: &str) -> String {
        self.world.post("/api/v1/integrations", json!({ "name": name, "team": "ops" })).await;
        let made = self.world.post(&format!("/api/v1/integrations/{name}/keys"), json!({})).await;
        made["secret"].as_str().unwrap().to_owned()
    }
}

/// A free port, as far as one can know.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_of_pagerduty_and_opsgenie_are_content() {
    let mut house = house(json!({})).await;
    house.world.post("/api/v1/heartbeats", json!({ "name": "backup", "team": "ops", "every": "1h" })).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = root.join("../../target/python-clients/bin/python3");
    assert!(python.exists(), "{} is missing; scripts/test installs it", python.display());
    let mut clients = tokio::task::spawn_blocking({
        let (url, key) = (house.world.url.clone(), house.key.clone());
        let script = root.join("tests/it/intake/clients.py");
        move || Command::new(python).arg(script).args([url, key]).output().unwrap()
    });
    let ran = tokio::time::timeout(Duration::from_secs(60), &mut clients).await.unwrap().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    house.until(&["disk full on db1: resolved", "cpu on db1: acknowledged", "net down: resolved"]).await;
    assert_eq!(house.world.get("/api/v1/heartbeats/backup/status").await["status"], "alive");
}
