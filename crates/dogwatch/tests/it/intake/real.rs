//! Real programs, as people run them, against the real server on a loopback port: Prometheus Alertmanager, PagerDuty's
//! and Opsgenie's clients for Python, Nagios. What they made ring is looked up on the handset.
//!
//! `scripts/test` installs them. Nothing sleeps: each wait ends with the commit that it is for.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::{House, house};
use crate::support::TOKEN;
use crate::support::command::run_with;

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
async fn alertmanager_fires_repeats_and_resolves_through_four_receivers() {
    let mut house = house(json!({})).await;
    let (og, vo, wh) = (house.another("og").await, house.another("vo").await, house.another("wh").await);
    let url = house.world.url.clone();
    let folder = tempfile::tempdir().unwrap();
    let key = &house.key;
    let config = format!(
        r#"
route: {{ receiver: dogwatch, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1s }}
receivers:
  - name: dogwatch
    pagerduty_configs:
      - {{ routing_key: {key}, url: "{url}/v2/enqueue", severity: critical, description: "pd {{{{ .CommonLabels.alertname }}}}" }}
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
    let _alertmanager = Program::start(
        Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address="),
    );
    let api = format!("http://127.0.0.1:{port}");
    let client = house.world.client.clone();
    // Its port is the only thing that says when it is ready.
    let ready = async {
        while client.get(format!("{api}/-/ready")).send().await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), ready).await.expect("Alertmanager did not start");
    let post = async |ends: Option<&str>| {
        let mut alert = json!({ "labels": { "alertname": "DiskFull", "severity": "critical" },
            "annotations": { "summary": "disk full" }, "startsAt": "2020-01-01T00:00:00Z" });
        if let Some(ends) = ends {
            alert["endsAt"] = json!(ends);
        }
        let sent = client.post(format!("{api}/api/v2/alerts")).json(&json!([alert])).send().await.unwrap();
        assert_eq!(sent.status(), 200);
    };
    post(None).await;
    house
        .until(&[
            "pd DiskFull: triggered",
            "og DiskFull: triggered",
            "vo DiskFull: triggered",
            "disk full: triggered",
        ])
        .await;
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
    for number in 1..=4 {
        let story = house.world.story(number).await.join("\n");
        assert!(story.matches("Step 1 pages").count() == 1, "{story}");
    }
    post(Some("2020-01-01T00:00:01Z")).await;
    house
        .until(&[
            "pd DiskFull: resolved",
            "og DiskFull: resolved",
            "vo DiskFull: resolved",
            "disk full: resolved",
        ])
        .await;
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

/// A Nagios that checks one host by looking for a file, every second.
struct Nagios {
    folder: tempfile::TempDir,
    _program: Program,
}

impl Nagios {
    fn start(url: &str, key: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        std::fs::write(path("up"), "").unwrap();
        for name in ["rw", "checkresults", "spool"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
        let group = String::from_utf8(Command::new("id").arg("-gn").output().unwrap().stdout).unwrap();
        let main = format!(
            "cfg_file={objects}\nlog_file={log}\nobject_cache_file={cache}\nprecached_object_file={precached}\n\
             status_file={status}\nstate_retention_file={retention}\ntemp_file={temp}\ntemp_path={folder}\n\
             check_result_path={results}\ncommand_file={command}\nlock_file={lock}\nquery_socket={socket}\n\
             nagios_user={user}\nnagios_group={group}\ncheck_external_commands=1\ninterval_length=1\n\
             enable_notifications=1\nenable_environment_macros=1\nexecute_host_checks=1\n\
             cached_host_check_horizon=0\nhost_inter_check_delay_method=n\nservice_inter_check_delay_method=n\nuse_syslog=0\nillegal_macro_output_chars=`~$&|'\"<>\n",
            objects = path("objects.cfg"),
            log = path("nagios.log"),
            cache = path("objects.cache"),
            precached = path("objects.precache"),
            status = path("status.dat"),
            retention = path("retention.dat"),
            temp = path("nagios.tmp"),
            folder = folder.path().display(),
            results = path("checkresults"),
            command = path("rw/nagios.cmd"),
            lock = path("nagios.lock"),
            socket = path("rw/nagios.qh"),
            user = user.trim(),
            group = group.trim(),
        );
        let contact = |name: &str| {
            format!(
                "define contact {{\n contact_name {name}\n host_notification_commands notify\n service_notification_commands notify\n \
                 host_notification_period always\n service_notification_period always\n host_notification_options d,u,r,f,s\n \
                 service_notification_options w,u,c,r,f,s\n}}\n"
            )
        };
        let objects = format!(
            "define timeperiod {{\n timeperiod_name always\n alias always\n monday 00:00-24:00\n tuesday 00:00-24:00\n wednesday 00:00-24:00\n \
             thursday 00:00-24:00\n friday 00:00-24:00\n saturday 00:00-24:00\n sunday 00:00-24:00\n}}\n\
             define command {{\n command_name look\n command_line /bin/sh -c \"/usr/bin/test -e {up} || exit 2\"\n}}\n\
             define command {{\n command_name notify\n command_line DOGWATCH_URL={url} DOGWATCH_KEY={key} DOGWATCH_SPOOL={spool} {program} nagios\n}}\n\
             {john}{bob}\
             define host {{\n host_name db1\n alias db1\n address 127.0.0.1\n check_command look\n check_interval 1\n retry_interval 1\n \
             max_check_attempts 1\n check_period always\n notification_period always\n notification_interval 0\n \
             notification_options d,u,r,f,s\n contacts john,bob\n}}\n\
             define service {{\n host_name db1\n service_description look\n check_command look\n check_interval 600\n retry_interval 600\n \
             max_check_attempts 9\n check_period always\n notification_period always\n contacts john,bob\n notifications_enabled 0\n}}\n",
            up = path("up"),
            spool = path("spool"),
            program = env!("CARGO_BIN_EXE_dogwatch"),
            john = contact("john"),
            bob = contact("bob"),
        );
        std::fs::write(path("nagios.cfg"), main).unwrap();
        std::fs::write(path("objects.cfg"), objects).unwrap();
        let checked = Command::new("nagios4").arg("-v").arg(path("nagios.cfg")).output();
        let checked = checked.unwrap_or_else(|error| panic!("nagios4: {error}; scripts/test installs it"));
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
        let program = Program::start(Command::new("nagios4").arg(path("nagios.cfg")));
        Self { folder, _program: program }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nagios_pages_hears_of_the_acknowledgement_and_recovers() {
    let mut house = house(json!({})).await;
    let nagios = Nagios::start(&house.world.url, &house.key);
    std::fs::remove_file(nagios.path("up")).unwrap();
    house.until_yes("/api/v1/alerts", |listed| !listed["items"].as_array().unwrap().is_empty()).await;
    let alert = house.world.get("/api/v1/alerts/1").await;
    assert!(alert["summary"].as_str().unwrap().starts_with("db1 is DOWN"), "{alert}");
    assert!(house.handset().await.contains("db1 is DOWN"));
    // John takes it on his handset; Nagios is told, and tells its contacts, and so us.
    let john = house.world.cookie(Some("john")).await;
    let pressed = house.world.press(&john, "/handset/john/alerts/1/keys/4").await;
    assert_eq!(pressed.status, 303, "{}", pressed.text);
    let variables = [("DOGWATCH_URL", house.world.url.as_str()), ("DOGWATCH_TOKEN", TOKEN)];
    let (file, spool) = (nagios.path("rw/nagios.cmd"), nagios.path("spool"));
    let arguments = [
        "nagios",
        "--write-back",
        file.to_str().unwrap(),
        "--integration",
        "mon",
        "--spool",
        spool.to_str().unwrap(),
    ];
    let ran = run_with(Path::new("/"), &arguments, "", &variables);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    house
        .until_yes("/api/v1/integrations/mon/received", |listed| {
            listed.to_string().contains("\\\"notification_type\\\":\\\"ACKNOWLEDGEMENT\\\"")
        })
        .await;
    std::fs::write(nagios.path("up"), "").unwrap();
    house.until_yes("/api/v1/alerts/1", |alert| alert["status"] == "resolved").await;
    let received = house.world.get("/api/v1/integrations/mon/received").await;
    let problems = received.to_string().matches("\\\"notification_type\\\":\\\"PROBLEM\\\"").count();
    assert_eq!(problems, 1, "two contacts, one event");
    let story = house.world.story(1).await.join("\n");
    assert!(story.contains("John, by handset"), "{story}");
}
