//! Icinga 2 with a host and a service that fail and recover, notified by the command that the guide hands out.

use std::process::Command;

use serde_json::json;

use super::Program;
use crate::intake::house;

/// An Icinga that looks for a file, every second, for a host and for a service.
struct Icinga {
    folder: tempfile::TempDir,
    _program: Program,
}

impl Icinga {
    /// `commands`: the notification commands `dogwatch-host` and `dogwatch-service`.
    fn start(commands: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        for name in ["data", "log", "cache", "spool", "run", "vars"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        std::fs::write(path("up"), "").unwrap();
        let config = format!(
            r#"
const ConfigDir = "{folder}"
include <itl>
object CheckerComponent "checker" {{}}
object NotificationComponent "notification" {{}}
object CheckCommand "look" {{
  command = [ "/bin/sh", "-c", "test -e {folder}/up && echo '-1 is fine' || (echo '-5 is too few'; exit 2)" ]
}}
object User "dogwatch" {{}}
{commands}
object Host "db1" {{ check_command = "look", max_check_attempts = 1, check_interval = 1s, retry_interval = 1s }}
object Host "db2" {{ check_command = "look", enable_active_checks = false, max_check_attempts = 1 }}
object Service "disk" {{
  host_name = "db2", check_command = "look", max_check_attempts = 1, check_interval = 1s, retry_interval = 1s
}}
apply Notification "dogwatch" to Host {{
  command = "dogwatch-host", users = [ "dogwatch" ], interval = 0
  assign where true
}}
apply Notification "dogwatch" to Service {{
  command = "dogwatch-service", users = [ "dogwatch" ], interval = 0
  assign where true
}}
"#,
            folder = folder.path().display(),
        );
        std::fs::write(path("icinga2.conf"), config).unwrap();
        let id = |of: &str| String::from_utf8(Command::new("id").arg(of).output().unwrap().stdout).unwrap();
        let constants = [
            ("RunAsUser", id("-un").trim().to_owned()),
            ("RunAsGroup", id("-gn").trim().to_owned()),
            ("DataDir", path("data")),
            ("LogDir", path("log")),
            ("CacheDir", path("cache")),
            ("SpoolDir", path("spool")),
            ("InitRunDir", path("run")),
            ("PidPath", path("run/pid")),
            ("VarsPath", path("vars/vars")),
            ("StatePath", path("data/state")),
            ("ModAttrPath", path("data/attributes")),
            ("ObjectsPath", path("cache/objects")),
        ];
        let icinga = |validate: bool| {
            let mut command = Command::new("icinga2");
            command.arg("daemon").args(["-c", &path("icinga2.conf")]).args(validate.then_some("-C"));
            command.args(
                constants.iter().flat_map(|(name, value)| ["-D".to_owned(), format!("{name}={value}")]),
            );
            command
        };
        let checked = icinga(true).output();
        let checked = checked.unwrap_or_else(|error| panic!("icinga2: {error}; scripts/test installs it"));
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
        let program = Program::start(&mut icinga(false));
        Self { folder, _program: program }
    }

    fn set_up(&self, up: bool) {
        let file = self.folder.path().join("up");
        if up { std::fs::write(file, "").unwrap() } else { std::fs::remove_file(file).unwrap() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn icinga_pages_and_recovers_by_the_commands_of_the_guide() {
    let mut house = house(json!({})).await;
    let spool = tempfile::tempdir().unwrap();
    let commands =
        dogwatch::intake::snippet::Snippet::of("icinga").unwrap().text(&house.world.url, &house.key);
    // The program under test, and a folder to keep what can't be sent.
    let program = format!("\"{}\"", env!("CARGO_BIN_EXE_dogwatch"));
    let commands = commands.replace("\"dogwatch\"", &program).replace(
        "  env = {\n",
        &format!("  env = {{\n    DOGWATCH_SPOOL = \"{}\"\n", spool.path().display()),
    );
    assert_eq!(commands.matches("object NotificationCommand").count(), 2);
    let icinga = Icinga::start(&commands);
    icinga.set_up(false);
    let (host, service) = ("db1 is DOWN: -5 is too few", "db2/disk is CRITICAL: -5 is too few");
    house.until(&[&format!("{host}: triggered"), &format!("{service}: triggered")]).await;
    house.world.pass_seconds(61).await;
    let shown = house.handset().await;
    assert!(shown.contains(host) && shown.contains(service), "{shown}");
    icinga.set_up(true);
    house.until(&[&format!("{host}: resolved"), &format!("{service}: resolved")]).await;
}
