//! The guide to intake is true: its snippets are those that are handed out, and each is tried.

use std::process::Command;

use dogwatch::intake::snippet::{SNIPPETS, Snippet};
use serde_json::{Value, json};

use super::{House, house};
use crate::support::TOKEN;
use crate::support::command::{folder, run, run_with};
use crate::support::guide::blocks;

const URL: &str = "https://dogwatch.example.org";

/// The page of a tool.
fn page(tool: &str) -> String {
    format!("intake/{}", if tool == "curl" { "generic" } else { tool })
}

#[test]
fn every_tool_has_its_page_with_the_snippet_that_is_handed_out() {
    for snippet in SNIPPETS {
        let texts: Vec<String> =
            blocks(&page(snippet.tool)).into_iter().map(|(_, text)| text + "\n").collect();
        assert!(texts.contains(&snippet.text(URL, "KEY")), "{}: {texts:#?}", snippet.tool);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_shell_makes_an_alert() {
    for tool in ["pagerduty", "opsgenie", "victorops", "oncall", "curl"] {
        let house = house(json!({})).await;
        let script = Snippet::of(tool).unwrap().text(&house.world.url, &house.key);
        let ran =
            tokio::task::spawn_blocking(move || Command::new("bash").args(["-c", &script]).output().unwrap());
        let ran = ran.await.unwrap();
        assert!(ran.status.success(), "{tool}: {}", String::from_utf8_lossy(&ran.stdout));
        assert_eq!(house.alerts().await[0].2, "disk full on db1", "{tool}");
    }
}

/// The address that a snippet has in it.
fn address(text: &str) -> String {
    let begin = text.find("http://").unwrap();
    text[begin..].chars().take_while(|letter| !letter.is_whitespace() && !"'\"".contains(*letter)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_addresses_of_the_others_take_what_these_tools_send() {
    let payloads: Value = serde_json::from_str(include_str!("payloads.json")).unwrap();
    for tool in ["alertmanager", "grafana", "zabbix"] {
        let house = house(json!({})).await;
        let url = address(&Snippet::of(tool).unwrap().text(&house.world.url, &house.key));
        let sent = house.world.client.post(&url).body(payloads[tool].to_string()).send().await.unwrap();
        assert_eq!(sent.status(), 200, "{tool} {url}");
        assert!(!house.alerts().await.is_empty());
    }
}

#[test]
fn alertmanager_and_nagios_find_nothing_wrong() {
    let receivers = Snippet::of("alertmanager").unwrap().text(URL, "KEY");
    let files = folder(&[("alertmanager.yml", &format!("route: {{ receiver: dogwatch }}\n{receivers}"))]);
    let file = files.path().join("alertmanager.yml");
    let ran = Command::new("amtool").arg("check-config").arg(file).output();
    let ran = ran.expect("amtool comes with prometheus-alertmanager, which scripts/test installs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));

    let objects = Snippet::of("naemon").unwrap().text(URL, "KEY");
    let rest = "define timeperiod {\n timeperiod_name 24x7\n alias a\n monday 00:00-24:00\n}\n\
        define command {\n command_name look\n command_line /bin/true\n}\n\
        define host {\n host_name h\n address a\n check_command look\n max_check_attempts 1\n contacts dogwatch\n check_period 24x7\n notification_period 24x7\n}\n\
        define service {\n host_name h\n service_description s\n check_command look\n max_check_attempts 1\n contacts dogwatch\n check_period 24x7\n notification_period 24x7\n}\n";
    let files = folder(&[("objects.cfg", &format!("{objects}\n{rest}"))]);
    let path = |name: &str| files.path().join(name).display().to_string();
    let id = |of: &str| String::from_utf8(Command::new("id").arg(of).output().unwrap().stdout).unwrap();
    let main = format!(
        "nagios_user={}nagios_group={}cfg_file={}\nlog_file={}\ncheck_result_path={}\ntemp_path={}\nenable_environment_macros=1\nillegal_macro_output_chars=`\n",
        id("-un"),
        id("-gn"),
        path("objects.cfg"),
        path("log"),
        files.path().display(),
        files.path().display()
    );
    std::fs::write(path("nagios.cfg"), main).unwrap();
    let ran = Command::new("nagios4").args(["-v", &path("nagios.cfg")]).output();
    let ran = ran.expect("scripts/test installs nagios4-core");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}

#[test]
fn icinga_s_flags_are_those_of_the_command() {
    let help = run(folder(&[]).path(), &["nagios", "--help"], "").out;
    let text = Snippet::of("icinga").unwrap().text(URL, "KEY");
    let flags: Vec<&str> = text.split('"').filter(|part| part.starts_with("--")).collect();
    assert_eq!(flags.len(), 6 + 7);
    for flag in flags {
        assert!(help.contains(&format!("{flag} <")), "{flag}: {help}");
    }
}

#[test]
fn its_definitions_are_sound() {
    for page in ["intake", "intake/heartbeats"] {
        let all = blocks(page);
        let texts: Vec<_> = all.iter().filter(|(language, _)| language == "toml").collect();
        assert_eq!(texts.len(), 1, "{page}");
        let made = folder(&[("definitions.toml", texts[0].1.as_str())]);
        let ran = run(made.path(), &["check", "--from", "2026-02-02", "definitions.toml"], "");
        assert_eq!(ran.code, 0, "{}", ran.out);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn its_commands_are_carried_out() {
    let house: House = house(json!({})).await;
    let variables = [("DOGWATCH_URL", house.world.url.as_str()), ("DOGWATCH_TOKEN", TOKEN)];
    let all = blocks("intake");
    let (_, commands) = all.iter().find(|(language, _)| language == "console").unwrap();
    for line in commands.lines() {
        let words: Vec<&str> = line.strip_prefix("$ dogwatch ").unwrap().split(' ').collect();
        let ran = run_with(std::path::Path::new("/"), &words, "", &variables);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
        assert!(!ran.out.is_empty(), "{line}");
    }
    let all = blocks("intake/generic");
    let text = |language: &str| all.iter().find(|(known, _)| known == language).unwrap().1.clone();
    let files = folder(&[("sample.json", &text("json sample")), ("mapping.json", &text("json mapping"))]);
    let console = text("console");
    let (command, wanted) = console.split_once('\n').unwrap();
    let words: Vec<&str> = command.strip_prefix("$ dogwatch ").unwrap().split(' ').collect();
    let ran = run_with(files.path(), &words, "", &variables);
    assert_eq!((ran.out.trim_end(), ran.code), (wanted, 0), "{}", ran.err);
}
