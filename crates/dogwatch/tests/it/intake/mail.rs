//! Mail of a monitoring system, sent by a real client to the listener.

use std::io::Write;
use std::process::{Command, Stdio};

use dogwatch::mailroom::Mailroom;
use serde_json::json;

use super::{House, house};

/// Python's own client for SMTP and LMTP: recipients, kind and mail on standard input.
const CLIENT: &str = r#"
import json, smtplib, sys
port, kind, recipients, mail = json.load(sys.stdin)
client = {"smtp": smtplib.SMTP, "lmtp": smtplib.LMTP}[kind]("127.0.0.1", port)
try:
    refused = client.sendmail("nagios@example.org", recipients, mail.encode())
    print(json.dumps({to: code for to, (code, _) in refused.items()}))
except smtplib.SMTPRecipientsRefused as error:
    print(json.dumps({to: code for to, (code, _) in error.recipients.items()}))
except smtplib.SMTPResponseException as error:
    print(json.dumps({"all": error.smtp_code}))
client.quit()
"#;

impl House {
    pub async fn mailroom(&self) -> u16 {
        let app = self.world.app();
        let room = Mailroom::bind(app.clone(), ([127, 0, 0, 1], 0).into()).await.unwrap();
        let port = room.address().unwrap().port();
        tokio::spawn(room.run(app.shutdown));
        port
    }

    async fn mail(&self, port: u16, kind: &str, recipients: &[&str], mail: &str) -> serde_json::Value {
        let recipients: Vec<String> = recipients.iter().map(|to| to.replace("KEY", &self.key)).collect();
        let input = json!([port, kind, recipients, mail]).to_string();
        let ran = tokio::task::spawn_blocking(move || {
            let mut child = Command::new("/usr/bin/python3")
                .args(["-c", CLIENT])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        });
        serde_json::from_slice(&ran.await.unwrap().stdout).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_is_a_problem_and_another_its_end() {
    let house = house(json!({ "rules": [{ "match": { "/text": "*not urgent*" }, "urgency": "low" }] })).await;
    let port = house.mailroom().await;
    let mail = |subject: &str| {
        format!(
            "From: Nagios <nagios@example.org>\r\nSubject: {subject}\r\n\r\n.97 % is used; not urgent\r\n"
        )
    };
    let sent = house.mail(port, "smtp", &["KEY@dogwatch.example"], &mail("CRITICAL: db1 disk")).await;
    assert_eq!(sent, json!({}));
    let problem = (1, "triggered".to_owned(), "CRITICAL: db1 disk".to_owned(), "critical".to_owned());
    assert_eq!(house.alerts().await, [problem]);
    let alert = house.world.get("/api/v1/alerts/1").await;
    assert_eq!(alert["details"], "from: nagios@example.org\n\n.97 % is used; not urgent");
    assert_eq!(alert["urgency"], "low", "a rule asked for its text");
    let sent = house.mail(port, "lmtp", &["alerts+KEY@localhost"], &mail("OK: db1 disk")).await;
    assert_eq!(sent, json!({}));
    assert_eq!(house.status().await, "resolved");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_can_t_be_taken_is_refused_so_that_its_sender_hears() {
    let house = house(json!({})).await;
    let port = house.mailroom().await;
    let sent = house.mail(port, "smtp", &["nobody@example.org"], "Subject: x\r\n\r\nx").await;
    assert_eq!(sent, json!({ "nobody@example.org": 550 }));
    let sent = house.mail(port, "smtp", &["KEY@x.example"], "From: a@b.example\r\n\r\nno subject").await;
    assert_eq!(sent["all"], 554);
    assert_eq!(house.told().await, ["the mail has no subject: it is what people read"]);
    let large = format!("Subject: x\r\n\r\n{}", "x\r\n".repeat(600_000));
    let sent = house.mail(port, "smtp", &["KEY@x.example"], &large).await;
    assert_eq!(sent["all"], 552);
    assert!(house.alerts().await.is_empty());
    let bound = Mailroom::bind(house.world.app(), ([0, 0, 0, 0], 0).into()).await;
    assert!(bound.err().unwrap().to_string().contains("loopback"));
}
