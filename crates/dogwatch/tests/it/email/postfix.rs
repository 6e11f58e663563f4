//! Mail through Postfix, as Debian has it: a server of our own on a loopback port, with its settings, its queue and its
//! mailboxes in a temporary folder. It knows john, bob and alice at example.org, and no mail leaves it.
//!
//! Postfix is started by root only. Where somebody else runs the tests, these say so and end.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};

use dogwatch::channel::email::{Security, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{certificate, headers, page, server, world};
use crate::support::checker::python;
use crate::support::process::{Process, client, send, until};
use crate::support::replicas::free_ports;

/// Its main.cf; DIR is the folder.
const MAIN: &str = "\
compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
maillog_file = DIR/log
maillog_file_prefixes = DIR
myhostname = mail.example.org
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.1/32
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
default_transport = error:no mail leaves this machine
local_transport = error:no mail is for this machine
virtual_mailbox_domains = example.org
virtual_mailbox_maps = inline:{ {john@example.org = john/} {bob@example.org = bob/} {alice@example.org = alice/} }
virtual_mailbox_base = DIR/mail
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
smtpd_peername_lookup = no
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_tls_security_level = may
smtpd_tls_cert_file = DIR/cert.pem
smtpd_tls_key_file = DIR/key.pem
";

/// Its master.cf: what takes mail, and what puts it into mailboxes. Nothing that sends any.
const MASTER: &str = "\
127.0.0.1:PORT inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";

/// Starts it over the folder `$1`, says "ready", and stops it when its input ends: when the test does. The mailboxes
/// belong to 65534, which is nobody in Debian.
const SERVER: &str = r#"
exec 2>>"$1/said"
trap : INT
set -e
PATH=$PATH:/usr/sbin
chown postfix "$1/data"
chown nobody "$1/mail"
postfix -c "$1/etc" start >&2
echo ready
cat >/dev/null || true
postfix -c "$1/etc" stop >&2
"#;

/// Reads the mails of the folder that it is given, with Python's own parser: one JSON object a mail.
const READ: &str = r#"
import email, email.policy, json, pathlib, sys
mails = []
for path in sorted(pathlib.Path(sys.stdin.read()).iterdir(), key=lambda path: path.stat().st_mtime_ns):
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    part = lambda kind: mail.get_body((kind,)).get_content().replace("\r\n", "\n")
    mails.append({"headers": [[name, str(value)] for name, value in mail.items()],
        "plain": part("plain"), "html": part("html")})
print(json.dumps(mails))
"#;

/// The server; it stops when nobody needs it any more.
struct Postfix {
    folder: TempDir,
    port: u16,
    ca: Vec<u8>,
    running: Option<Child>,
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Postfix {
    /// Starts one, with more lines in its settings. None where it can't be started by whoever runs the tests.
    fn new(more: &str) -> Option<Self> {
        if Command::new("id").arg("-u").output().unwrap().stdout != b"0\n" {
            println!("Postfix is started by root only: it is not tried here");
            return None;
        }
        // Where those whom Postfix runs as may go.
        let folder = tempfile::Builder::new().prefix("dogwatch-postfix-").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["etc", "queue", "data", "mail"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let ca = certificate(folder.path());
        let [port, _] = free_ports();
        let main = MAIN.replace("DIR", folder.path().to_str().unwrap());
        std::fs::write(folder.path().join("etc/main.cf"), format!("{main}{more}\n")).unwrap();
        let master = MASTER.replace("PORT", &port.to_string());
        std::fs::write(folder.path().join("etc/master.cf"), master).unwrap();
        let mut postfix = Self { folder, port, ca, running: None };
        postfix.start();
        Some(postfix)
    }

    fn start(&mut self) {
        let mut child = Command::new("sh")
            .args(["-c", SERVER, "sh"])
            .arg(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.running = Some(child);
        let read = |name: &str| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        let told = format!("{}{}", read("said"), read("log"));
        assert_eq!(line, "ready\n", "Postfix did not start: is Debian's package postfix there? {told}");
    }

    /// Stops it in order. What it has taken stays in its queue and its mailboxes.
    fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }

    /// As we speak to it: with STARTTLS, trusting its certificate.
    fn trusted(&self) -> Server {
        Server { ca: Some(self.ca.clone()), ..server(self.port, Security::StartTls) }
    }

    /// The lines of its log that have these words.
    fn logged(&self, words: &str) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        log.lines().filter(|line| line.contains(words)).map(str::to_owned).collect()
    }

    /// Waits until so many lines of its log have these words.
    async fn has_logged(&self, words: &str, count: usize) {
        until(|| async { self.logged(words).len() >= count }).await;
    }

    /// The mails in a mailbox, from the oldest, once there are so many.
    async fn mails(&self, name: &str, count: usize) -> Vec<Value> {
        let folder = self.folder.path().join("mail").join(name).join("new");
        until(|| async { std::fs::read_dir(&folder).map_or(0, Iterator::count) >= count }).await;
        let mails: Value = serde_json::from_str(&python(READ, folder.to_str().unwrap())).unwrap();
        mails.as_array().unwrap().clone()
    }
}

/// What its log says where it takes a mail.
const TAKEN: &str = ": client=";
/// What its log says of a new connection.
const CONNECTED: &str = ": connect from ";

/// The delivery of an alert to a contact of this kind.
fn delivery<'a>(alert: &'a Value, word: &str) -> &'a Value {
    let mut all = alert["deliveries"].as_array().unwrap().iter();
    let found = all.find(|one| one["contact"].as_str().unwrap().starts_with(&format!("{word}:")));
    found.unwrap_or_else(|| panic!("no delivery to {word}: {alert}"))
}

/// How each attempt of a delivery ended.
fn outcomes(delivery: &Value) -> Vec<&str> {
    let attempts = delivery["attempts"].as_array().unwrap().iter();
    attempts.map(|attempt| attempt["outcome"].as_str().unwrap()).collect()
}

/// The address behind which a mail can be answered.
fn link(mail: &Value) -> &str {
    let mut words = mail["plain"].as_str().unwrap().split_whitespace();
    words.find(|word| word.contains("/answer/")).expect("a link to answer with")
}

#[tokio::test]
async fn a_page_comes_once_over_tls_with_the_headers_that_we_promise_and_its_link_answers() {
    let Some(postfix) = Postfix::new("") else { return };
    let mut world = world(&postfix.trusted()).await;
    let summary = "Übung: Platte voll 🔥 auf db1";
    let details = format!("98 %\n.\n..\n{}\nQUIT", "ü".repeat(2_000));
    let body = json!({ "summary": summary, "severity": "critical", "details": details });
    let shown = page(&mut world, "john@example.org", body).await;
    let sent = delivery(&shown, "email");
    assert_eq!((&sent["state"], outcomes(sent)), (&json!("sent"), vec!["accepted"]), "{shown}");
    let answer = sent["attempts"][0]["detail"].as_str().unwrap();
    assert!(answer.contains("queued as "), "what the server said is kept: {answer}");

    let mails = postfix.mails("john", 1).await;
    let mail = &mails[0];
    let id = sent["id"].as_str().unwrap();
    assert_eq!(headers(mail, "message-id"), [format!("<{id}@example.org>")]);
    let alert = shown["id"].as_str().unwrap();
    assert_eq!(headers(mail, "references"), [format!("<{alert}@example.org>")]);
    assert_eq!(headers(mail, "auto-submitted"), ["auto-generated"]);
    assert_eq!(headers(mail, "subject"), [format!("CRITICAL john: {summary}")]);
    assert_eq!(headers(mail, "from"), ["Dogwatch <dogwatch@example.org>"]);
    assert_eq!(headers(mail, "to"), ["john@example.org"]);
    assert_eq!(headers(mail, "date"), ["Mon, 02 Mar 2026 03:00:00 +0000"]);
    assert_eq!(headers(mail, "return-path"), ["<dogwatch@example.org>"]);
    let received = headers(mail, "received");
    assert!(received.len() == 1 && received[0].contains("with ESMTPS"), "{received:?}");
    for part in ["plain", "html"] {
        let text = mail[part].as_str().unwrap();
        for words in [summary, "98 %\n.\n..\n", &"ü".repeat(2_000), "QUIT", "/answer/page_", "/alerts/1"] {
            assert!(text.contains(words), "{part} lacks {words}: {text}");
        }
    }
    postfix.has_logged(TAKEN, 1).await;
    assert_eq!((mails.len(), postfix.logged(TAKEN).len()), (1, 1));

    let pressed = world.client.post(link(mail)).send().await.unwrap();
    assert!(pressed.status().is_success() || pressed.status().is_redirection(), "{}", pressed.status());
    let alert = world.get("/api/v1/alerts/1").await;
    let acknowledged = &alert["acknowledged"];
    assert_eq!((&acknowledged["by"], &acknowledged["via"]), (&json!("John"), &json!("link")));
}

#[tokio::test]
async fn where_its_certificate_is_not_known_it_gets_nothing() {
    let Some(postfix) = Postfix::new("") else { return };
    let mut world = world(&server(postfix.port, Security::StartTls)).await;
    let shown = page(&mut world, "john@example.org", json!({ "summary": "disk full" })).await;
    let mail = delivery(&shown, "email");
    assert_eq!((&mail["state"], outcomes(mail)), (&json!("ready"), vec!["refused"]), "{shown}");
    drop(world);
    // The last line about that connection.
    postfix.has_logged(": disconnect from ", 1).await;
    assert_eq!(postfix.logged(TAKEN), Vec::<String>::new());
}

#[tokio::test]
async fn several_mails_take_one_connection() {
    let Some(postfix) = Postfix::new("") else { return };
    let mut world = world(&postfix.trusted()).await;
    for name in ["john", "bob", "alice"] {
        page(&mut world, &format!("{name}@example.org"), json!({ "summary": name })).await;
    }
    for name in ["john", "bob", "alice"] {
        let mails = postfix.mails(name, 1).await;
        assert_eq!(headers(&mails[0], "subject"), [format!("ERROR john: {name}")]);
        assert_eq!(mails.len(), 1);
    }
    postfix.has_logged(TAKEN, 3).await;
    assert_eq!((postfix.logged(CONNECTED).len(), postfix.logged(TAKEN).len()), (1, 3));
}

/// It says so when it ends one, and that is what whoever uses it next reads first.
#[tokio::test]
async fn a_connection_that_it_ended_meanwhile_costs_no_mail() {
    let Some(postfix) = Postfix::new("smtpd_timeout = 3s") else { return };
    let mut world = world(&postfix.trusted()).await;
    page(&mut world, "john@example.org", json!({ "summary": "before" })).await;
    postfix.has_logged(": timeout after ", 1).await;
    let shown = page(&mut world, "bob@example.org", json!({ "summary": "after" })).await;
    let mail = delivery(&shown, "email");
    assert_eq!((&mail["state"], outcomes(mail)), (&json!("sent"), vec!["accepted"]), "{shown}");
    assert_eq!(postfix.mails("bob", 1).await.len(), 1);
    postfix.has_logged(TAKEN, 2).await;
    assert_eq!((postfix.logged(CONNECTED).len(), postfix.logged(TAKEN).len()), (2, 2));
}

#[tokio::test]
async fn somebody_whom_it_does_not_know_is_refused_at_once_and_the_next_contact_comes() {
    let Some(postfix) = Postfix::new("") else { return };
    let mut world = world(&postfix.trusted()).await;
    let john = json!({ "full_name": "John", "contacts": ["email:nobody@example.org", "handset:john"] });
    assert_eq!(world.request("PUT", "/api/v1/people/john", Some(john)).await.status, 201);
    world.post("/api/v1/people/john/notify", json!({ "summary": "disk full" })).await;
    // No time passes.
    world.settle().await;
    let alert = world.get("/api/v1/alerts/1").await;
    let mail = delivery(&alert, "email");
    assert_eq!((&mail["state"], outcomes(mail)), (&json!("failed"), vec!["refused"]), "{alert}");
    let why = mail["attempts"][0]["detail"].as_str().unwrap();
    assert!(why.contains("5.1.1") && why.contains("User unknown in virtual mailbox table"), "{why}");
    assert_eq!(delivery(&alert, "handset")["state"], "sent", "{alert}");
    postfix.has_logged("reject: RCPT from ", 1).await;
    assert_eq!(postfix.logged(TAKEN), Vec::<String>::new());
    // Others get their mail all the same.
    page(&mut world, "bob@example.org", json!({ "summary": "net down" })).await;
    assert_eq!(postfix.mails("bob", 1).await.len(), 1);
}

#[tokio::test]
async fn while_it_is_down_the_next_contact_comes_and_the_mail_once_it_is_up_again() {
    let Some(mut postfix) = Postfix::new("") else { return };
    let mut world = world(&postfix.trusted()).await;
    let mail = "email:john@example.org";
    let steps = json!([{ "contact": mail, "wait": "5m" }, { "contact": "handset:john" }]);
    let john = json!({
        "full_name": "John", "contacts": [mail, "handset:john"],
        "notification_plans": { "high": { "steps": steps } },
    });
    assert_eq!(world.request("PUT", "/api/v1/people/john", Some(john)).await.status, 201);
    world.post("/api/v1/people/john/notify", json!({ "summary": "before" })).await;
    world.settle().await;
    // With a connection that is kept.
    postfix.mails("john", 1).await;
    // What comes within a minute would go out together.
    world.pass_seconds(61).await;
    postfix.stop();
    world.post("/api/v1/people/john/notify", json!({ "summary": "meanwhile" })).await;
    world.settle().await;
    let alert = world.get("/api/v1/alerts/2").await;
    let mail = delivery(&alert, "email");
    assert_eq!((&mail["state"], outcomes(mail)), (&json!("ready"), vec!["refused"]), "{alert}");
    assert_eq!(delivery(&alert, "handset")["state"], "sent", "{alert}");
    world.pass_seconds(20).await;

    postfix.start();
    world.pass_seconds(60).await;
    let alert = world.get("/api/v1/alerts/2").await;
    let mail = delivery(&alert, "email");
    assert_eq!(mail["state"], "sent", "{alert}");
    let outcomes = outcomes(mail);
    let (last, before) = outcomes.split_last().unwrap();
    assert!(*last == "accepted" && before.iter().all(|one| *one == "refused"), "{outcomes:?}");
    let mails = postfix.mails("john", 2).await;
    assert_eq!(headers(&mails[1], "subject"), ["ERROR john: meanwhile"]);
    let id = mail["id"].as_str().unwrap();
    assert_eq!(headers(&mails[1], "message-id"), [format!("<{id}@example.org>")]);
    postfix.has_logged(TAKEN, 2).await;
    assert_eq!((mails.len(), postfix.logged(TAKEN).len()), (2, 2), "each came once");
}

#[tokio::test]
async fn the_shipped_program_pages_through_it() {
    let Some(postfix) = Postfix::new("") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (port, ca) = (postfix.port.to_string(), postfix.folder.path().join("cert.pem"));
    let environment = [
        ("DOGWATCH_SMTP_HOST", "localhost"),
        ("DOGWATCH_SMTP_PORT", port.as_str()),
        ("DOGWATCH_SMTP_SECURITY", "starttls"),
        ("DOGWATCH_SMTP_CA_FILE", ca.to_str().unwrap()),
        ("DOGWATCH_SMTP_FROM", "Dogwatch <dogwatch@example.org>"),
    ];
    let process = Process::serve(&folder.path().join("d.db"), &environment);
    let client = client();
    let john = json!({ "name": "john", "full_name": "John", "contacts": ["email:john@example.org"] });
    send(&client, "POST", &format!("{}/api/v1/people", process.url), john).await;
    let notify = format!("{}/api/v1/people/john/notify", process.url);
    send(&client, "POST", &notify, json!({ "summary": "disk full" })).await;
    let mails = postfix.mails("john", 1).await;
    assert_eq!(headers(&mails[0], "subject"), ["ERROR john: disk full"]);
    client.post(link(&mails[0])).send().await.unwrap();
    let alert = send(&client, "GET", &format!("{}/api/v1/alerts/1", process.url), Value::Null).await;
    assert_eq!(alert["acknowledged"]["via"], "link", "{alert}");
}
