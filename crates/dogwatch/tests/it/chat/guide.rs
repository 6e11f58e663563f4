//! The examples of the guides to chats, phones and mail can be used as they stand; and the shipped program uses them.

use std::path::Path;
use std::process::Command;

use dogwatch::config::{Config, Flags};
use serde_json::{Value, json};

use crate::support::command::{folder, run};
use crate::support::fake::Fake;
use crate::support::guide::blocks;
use crate::support::process::Process;
use crate::support::{TOKEN, set_up_tls};

/// Reads a configuration whose secrets lie in this folder.
fn load(folder: &Path, text: &str) -> Config {
    let path = folder.join("dogwatch.toml");
    let text = text.replace("/run/secrets", folder.to_str().unwrap());
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), &|_| None, &Flags::default()).unwrap_or_else(|error| panic!("{error:#}"))
}

#[test]
fn every_example_is_true() {
    let secrets = [
        "telegram",
        "slack-token",
        "slack-signing-secret",
        "mattermost",
        "ntfy",
        "pushover",
        "mailgun-key",
        "mailgun-signing-key",
    ];
    let files: Vec<_> = secrets.iter().map(|name| (*name, "canary-4711\n")).collect();
    let folder = folder(&files);
    let (mut providers, mut definitions) = (Vec::new(), 0);
    for (language, text) in ["chat", "push", "configuration"].iter().flat_map(|page| blocks(page)) {
        match language.as_str() {
            "toml" if text.contains("[[provider]]") => {
                let config = load(folder.path(), &text);
                let found = config.accounts;
                assert!(!format!("{found:?}").contains("canary"), "{found:?}");
                providers.extend(found.kinds());
            }
            "toml" if text.contains("[[person]]") => {
                std::fs::write(folder.path().join("house.toml"), &text).unwrap();
                let ran = run(folder.path(), &["check", "house.toml"], "");
                assert_eq!(ran.code, 0, "{text}\n{}{}", ran.out, ran.err);
                definitions += 1;
            }
            _ => {}
        }
    }
    assert_eq!(providers, ["telegram", "slack", "mattermost", "push", "ntfy", "pushover", "mailgun"]);
    assert_eq!(definitions, 2);
}

#[tokio::test]
async fn the_shipped_program_pages_through_the_providers_of_its_configuration() {
    let (ntfy, telegram, slack) =
        (super::ntfy::fake().await, super::telegram::fake().await.0, super::slack::fake().await);
    let text = format!(
        "[[provider]]\nkind = \"ntfy\"\nbase_url = \"{}\"\ntoken = \"tk_canary\"\n\
         [[provider]]\nkind = \"telegram\"\nbase_url = \"{}\"\ntoken = \"4711:canary\"\n\
         [[provider]]\nkind = \"slack\"\nbase_url = \"{}/api\"\ntoken = \"xoxb-canary\"\nsigning_secret = \"x\"\n",
        ntfy.url, telegram.url, slack.url
    );
    let folder = folder(&[("dogwatch.toml", &text)]);
    let config = folder.path().join("dogwatch.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_dogwatch"));
    command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(config).arg("--database");
    command.arg(format!("sqlite:{}", folder.path().join("d.db").display()));
    command.env("DOGWATCH_ADMIN_TOKEN", TOKEN);
    let process = Process::start(command);
    let url = process.url.clone();
    set_up_tls();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let post = async |path: &str, body: Value| {
        let request = client.post(format!("{url}{path}")).bearer_auth(TOKEN).body(body.to_string());
        assert!(request.send().await.unwrap().status().is_success(), "{path}");
    };
    let contacts = json!(["ntfy:ops-night", "telegram:4711", "slack:U02JOHN"]);
    let steps: Vec<_> = ["ntfy:ops-night", "telegram:4711", "slack:U02JOHN"]
        .iter()
        .map(|contact| json!({ "contact": contact, "wait": "1s" }))
        .collect();
    let plans = json!({ "high": { "steps": steps } });
    let person = json!({ "name": "john", "contacts": contacts, "notification_plans": plans });
    post("/api/v1/people", person).await;
    post("/api/v1/people/john/notify", json!({ "summary": "disk full" })).await;
    sent(&ntfy, "POST /").await;
    sent(&telegram, "POST /bot4711:canary/sendMessage").await;
    sent(&slack, "POST /api/chat.postMessage").await;
    // Resolved: the messages in the chats say so, without anybody asking for it.
    post("/api/v1/alerts/1/resolve", json!({})).await;
    let changed = sent(&telegram, "POST /bot4711:canary/editMessageText").await;
    assert!(changed.contains("Resolved: "), "{changed}");
    sent(&slack, "POST /api/chat.update").await;
    let stopped = Command::new("kill").arg(process.id().to_string()).status().unwrap();
    assert!(stopped.success());
    // On another thread: what it still asks of the stand-ins is answered on this one.
    assert!(tokio::task::spawn_blocking(move || process.wait()).await.unwrap().success());
}

async fn sent(fake: &Fake, line: &str) -> String {
    String::from_utf8(fake.wait_for(line, 1).await.remove(0).body).unwrap()
}
