//! Mail of a program that people test mail servers with, by SMTP and by LMTP.

use std::process::Command;

use serde_json::json;

use crate::intake::{House, house};
use crate::support::guide::blocks;

/// Sends a mail, and gives what the server said last of the message.
async fn swaks(house: &House, port: u16, more: &[&str]) -> (i32, String) {
    let mut command = Command::new("swaks");
    command.args(["--server", "127.0.0.1", "--port", &port.to_string(), "--from", "nagios@example.org"]);
    command.args(["--helo", "nagios.example.org", "--body", "97 % of /var is used"]);
    command.args(more.iter().map(|text| text.replace("KEY", &house.key)));
    let ran = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let ran = ran.unwrap_or_else(|error| panic!("swaks: {error}; scripts/test installs it"));
    (ran.status.code().unwrap(), String::from_utf8(ran.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn swaks_pages_by_smtp_and_resolves_by_lmtp() {
    let mut house = house(json!({})).await;
    let port = house.mailroom().await;
    let (code, said) =
        swaks(&house, port, &["--to", "KEY@alerts.example.org", "--h-Subject", "PROBLEM: db1 disk"]).await;
    assert!(code == 0 && said.contains("<-  250 stored as "), "{said}");
    house.until(&["PROBLEM: db1 disk: triggered"]).await;
    assert!(house.handset().await.contains("PROBLEM: db1 disk"));
    // A file is attached: what people read is the text.
    let recovery = [
        "--to",
        "alerts+KEY@example.org",
        "--h-Subject",
        "RECOVERY: db1 disk",
        "--protocol",
        "LMTP",
        "--attach-type",
        "text/csv",
        "--attach-body",
        "1,2,3",
    ];
    let (code, said) = swaks(&house, port, &recovery).await;
    assert!(code == 0 && said.contains("<-  250 stored as "), "{said}");
    house.until(&["PROBLEM: db1 disk: resolved"]).await;
    let (code, said) =
        swaks(&house, port, &["--to", "nobody@example.org", "--h-Subject", "PROBLEM: x"]).await;
    assert!(code == 24 && said.contains("<** 550 "), "{code}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_of_the_guide_makes_an_alert() {
    let mut house = house(json!({})).await;
    let port = house.mailroom().await;
    let all = blocks("intake/mail");
    let (_, command) = all.iter().find(|(language, _)| language == "sh").unwrap();
    let command = command.replace("2525", &port.to_string()).replace("KEY", &house.key);
    let ran =
        tokio::task::spawn_blocking(move || Command::new("sh").args(["-c", &command]).output().unwrap());
    let ran = ran.await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    house.until(&["PROBLEM: db1 disk: triggered"]).await;
}
