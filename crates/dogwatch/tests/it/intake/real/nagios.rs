//! Nagios 4 with a host that fails and recovers, our notification command, and our acknowledgement in its command file.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::Program;
use crate::intake::house;
use crate::support::TOKEN;
use crate::support::command::run_with;

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
