//! Mail through a real SMTP server: Debian's python3-aiosmtpd, started here.

mod postfix;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use dogwatch::channel::email::{Email, Security, Server};
use escalation::contact::Kind;
use serde_json::{Value, json};

use crate::support::{World, answer};

/// Accepts mail and keeps it: one JSON object a mail, read back with Python's own mail parser.
const SMTP: &str = r#"
import asyncio, email, email.policy, json, sys
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"): return "550 no such mailbox"
        if address.startswith("later@"): return "451 come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        part = lambda kind: mail.get_body((kind,)).get_content()
        print(json.dumps({"to": envelope.rcpt_tos, "headers": [[k, str(v)] for k, v in mail.items()],
            "plain": part("plain"), "html": part("html"), "tls": server.transport.get_extra_info("ssl_object") is not None, "peer": session.peer[1]}), flush=True)
        return "250 kept as 4711"
tls = None
kwargs = {}
if len(sys.argv) > 2 and sys.argv[2]:
    import ssl
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[2], sys.argv[3])
mode = sys.argv[4] if len(sys.argv) > 4 else ""
async def main():
    loop = asyncio.get_running_loop()
    factory = lambda: SMTP(Handler(), tls_context=tls if mode == "starttls" else None, require_starttls=mode == "starttls")
    server = await loop.create_server(factory, "127.0.0.1", int(sys.argv[1]), ssl=tls if mode == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"#;

struct Smtp {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
    port: u16,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Smtp {
    /// Port 0 picks one. `mode` is empty, `starttls` or `tls`.
    fn start(port: u16, certificate: Option<&Path>, mode: &str) -> Self {
        let (cert, key) = match certificate {
            Some(folder) => (folder.join("cert.pem"), folder.join("key.pem")),
            None => Default::default(),
        };
        let mut child = Command::new("/usr/bin/python3")
            .args(["-c", SMTP, &port.to_string()])
            .args([&cert, &key])
            .arg(mode)
            .stdout(Stdio::piped())
            // What it says of a handshake that is meant to fail is of no interest.
            .stderr(Stdio::null())
            .spawn()
            .expect("/usr/bin/python3 with python3-aiosmtpd; scripts/test installs it");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().expect("the SMTP server starts").unwrap().parse().unwrap();
        Self { child, lines, port }
    }

    /// The next mail that was kept.
    fn mail(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }
}

fn server(port: u16, security: Security) -> Server {
    Server {
        host: "localhost".to_owned(),
        port,
        security,
        credentials: None,
        from: "Dogwatch <dogwatch@example.org>".parse().unwrap(),
        ca: None,
    }
}

/// Makes a certificate of the name localhost that only whoever is given it trusts: cert.pem, and key.pem.
fn certificate(folder: &Path) -> Vec<u8> {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "7300", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-addext", "extendedKeyUsage=serverAuth"])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("cert.pem"))
        .stderr(Stdio::null())
        .status()
        .expect("openssl; scripts/test installs it");
    assert!(made.success());
    std::fs::read(folder.join("cert.pem")).unwrap()
}

async fn world(server: &Server) -> World {
    World::with_channel(Kind::Email, Email::new(server).unwrap()).await
}

async fn page(world: &mut World, address: &str, body: Value) -> Value {
    let contact = format!("email:{address}");
    world
        .request(
            "PUT",
            "/api/v1/people/john",
            Some(json!({ "full_name": "John", "zone": "Europe/Berlin", "contacts": [contact] })),
        )
        .await;
    let alert = world.post("/api/v1/people/john/notify", body).await;
    world.settle().await;
    world.get(&format!("/api/v1/alerts/{}", alert["number"])).await
}

fn headers<'a>(mail: &'a Value, name: &str) -> Vec<&'a str> {
    let all = mail["headers"].as_array().unwrap().iter();
    all.filter(|pair| pair[0].as_str().unwrap().eq_ignore_ascii_case(name))
        .map(|pair| pair[1].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_page_arrives_and_its_button_acknowledges() {
    let mut smtp = Smtp::start(0, None, "");
    let mut world = world(&server(smtp.port, Security::None)).await;
    let shown = page(
        &mut world,
        "john@example.org",
        json!({ "summary": "disk full on db1", "severity": "critical", "details": "98 %" }),
    )
    .await;
    assert_eq!(shown["deliveries"][0]["state"], "sent", "{shown}");
    let mail = smtp.mail();
    assert_eq!(mail["to"], json!(["john@example.org"]));
    assert_eq!(headers(&mail, "subject"), ["CRITICAL john: disk full on db1"]);
    assert_eq!(headers(&mail, "auto-submitted"), ["auto-generated"]);
    assert_eq!(headers(&mail, "from"), ["Dogwatch <dogwatch@example.org>"]);
    let id = shown["deliveries"][0]["id"].as_str().unwrap();
    assert_eq!(headers(&mail, "message-id"), [format!("<{id}@example.org>")]);
    assert_eq!(headers(&mail, "date"), ["Mon, 02 Mar 2026 03:00:00 +0000"]);
    for part in ["plain", "html"] {
        let text = mail[part].as_str().unwrap();
        for words in ["disk full on db1", "2026-03-02 04:00:00 CET", "98 %", "/answer/page_", "/alerts/1"] {
            assert!(text.contains(words), "{part} lacks {words}: {text}");
        }
    }
    let plain = mail["plain"].as_str().unwrap();
    let link = plain.split_whitespace().find(|word| word.contains("/answer/")).unwrap();
    for method in ["GET", "HEAD", "GET"] {
        answer(world.client.request(method.parse().unwrap(), link)).await;
    }
    assert_eq!(world.get("/api/v1/alerts/1").await["status"], "triggered", "looking changes nothing");
    answer(world.client.post(link)).await;
    let alert = world.get("/api/v1/alerts/1").await;
    assert_eq!(
        (&alert["acknowledged"]["by"], &alert["acknowledged"]["via"]),
        (&json!("John"), &json!("link"))
    );
}

/// Another connection for every mail costs a handshake each, and servers count them.
#[tokio::test]
async fn mail_goes_through_one_connection_until_the_server_ends_it() {
    let mut smtp = Smtp::start(0, None, "");
    let mut world = world(&server(smtp.port, Security::None)).await;
    let mut peers = Vec::new();
    for name in ["john", "bob", "alice"] {
        page(&mut world, &format!("{name}@example.org"), json!({ "summary": name })).await;
        peers.push(smtp.mail()["peer"].clone());
    }
    assert!(peers.iter().all(|peer| *peer == peers[0]), "{peers:?}");
    // One that was ended meanwhile is not used again, and no mail is lost with it.
    let port = smtp.port;
    drop(smtp);
    let mut smtp = Smtp::start(port, None, "");
    let alert = page(&mut world, "eve@example.org", json!({ "summary": "after a restart" })).await;
    assert_eq!(alert["deliveries"][0]["attempts"].as_array().unwrap().len(), 1, "{alert}");
    smtp.mail();
}

#[tokio::test]
async fn what_came_from_outside_is_text_everywhere() {
    let mut smtp = Smtp::start(0, None, "");
    let mut world = world(&server(smtp.port, Security::None)).await;
    page(&mut world, "john@example.org", json!({ "summary": "plain", "details": "plain" })).await;
    let usual: Vec<_> =
        smtp.mail()["headers"].as_array().unwrap().iter().map(|pair| pair[0].clone()).collect();
    world.post("/api/v1/alerts/1/resolve", json!({})).await;
    world.settle().await;
    smtp.mail();
    let texts = [
        "x\r\nBcc: victim@example.org",
        "x\nSubject: other\n\nbody",
        "=?utf-8?q?x=0D=0ABcc:_victim@example.org?=",
        "<script>alert(1)</script> & \"quotes\"",
        "Übung 火事 \u{202e}gnp.exe",
        &"ü".repeat(1_000),
    ];
    for (number, summary) in texts.into_iter().enumerate() {
        // Each to an address of its own, and so in a message of its own.
        let address = format!("john{number}@example.org");
        let shown = page(
            &mut world,
            &address,
            json!({ "summary": summary, "details": format!("{summary}\n.\nQUIT") }),
        )
        .await;
        assert_eq!(shown["deliveries"][0]["state"], "sent", "{summary}");
        let mail = smtp.mail();
        let names: Vec<_> = mail["headers"].as_array().unwrap().iter().map(|pair| pair[0].clone()).collect();
        assert_eq!(names, usual, "the headers do not depend on the text: {summary}");
        assert_eq!(mail["to"], json!([address]));
        let html = mail["html"].as_str().unwrap();
        assert!(!html.contains("<script>"), "{html}");
        assert!(mail["plain"].as_str().unwrap().contains("QUIT"));
    }
}

#[tokio::test]
async fn a_server_that_is_down_and_comes_back_delivers_in_the_end() {
    let smtp = Smtp::start(0, None, "");
    let port = smtp.port;
    drop(smtp);
    let mut world = world(&server(port, Security::None)).await;
    let shown = page(&mut world, "john@example.org", json!({ "summary": "disk full" })).await;
    assert_eq!(shown["deliveries"][0]["attempts"][0]["outcome"], "refused", "{shown}");
    world.pass_seconds(20).await;
    let mut smtp = Smtp::start(port, None, "");
    world.pass_seconds(60).await;
    assert_eq!(headers(&smtp.mail(), "subject"), ["ERROR john: disk full"]);
    // Idle for a while the server is gone again: a connection that was kept must not be trusted.
    drop(smtp);
    world.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    world.settle().await;
    let mut smtp = Smtp::start(port, None, "");
    world.pass_seconds(120).await;
    assert!(headers(&smtp.mail(), "subject")[0].starts_with("Test has it: "));
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_is_refused_for_good_and_a_busy_one_tried_again() {
    let smtp = Smtp::start(0, None, "");
    let mut world = world(&server(smtp.port, Security::None)).await;
    let shown = page(&mut world, "nobody@example.org", json!({ "summary": "x" })).await;
    let first = &shown["deliveries"][0];
    assert_eq!((&first["state"], &first["attempts"][0]["outcome"]), (&json!("failed"), &json!("refused")));
    assert!(first["attempts"][0]["detail"].as_str().unwrap().contains("no such mailbox"), "{first}");
    let shown = page(&mut world, "later@example.org", json!({ "summary": "y" })).await;
    let first = &shown["deliveries"][0];
    assert_eq!(
        (&first["state"], &first["attempts"][0]["outcome"]),
        (&json!("ready"), &json!("refused")),
        "{first}"
    );
}

#[tokio::test]
async fn tls_is_used_and_an_unknown_certificate_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let ca = certificate(folder.path());
    for (mode, security) in [("starttls", Security::StartTls), ("tls", Security::Implicit)] {
        let mut smtp = Smtp::start(0, Some(folder.path()), mode);
        let mut trusting = world(&Server { ca: Some(ca.clone()), ..server(smtp.port, security) }).await;
        let shown = page(&mut trusting, "john@example.org", json!({ "summary": "over tls" })).await;
        assert_eq!(shown["deliveries"][0]["state"], "sent", "{mode}: {shown}");
        assert_eq!(smtp.mail()["tls"], true);
        let mut strict = world(&server(smtp.port, security)).await;
        let shown = page(&mut strict, "john@example.org", json!({ "summary": "x" })).await;
        assert_ne!(shown["deliveries"][0]["state"], "sent", "{mode}: an unknown certificate was trusted");
    }
    // A server without TLS gets nothing where TLS is asked for.
    let smtp = Smtp::start(0, None, "");
    let mut world = world(&server(smtp.port, Security::StartTls)).await;
    let shown = page(&mut world, "john@example.org", json!({ "summary": "x" })).await;
    assert_ne!(shown["deliveries"][0]["state"], "sent");
}

/// Every text that has broken out of something once: as many headers and elements as in a plain one.
#[tokio::test]
async fn no_text_makes_a_header_or_an_element() {
    use dogwatch::channel::Channel;
    let mut smtp = Smtp::start(0, None, "");
    let channel = Email::new(&server(smtp.port, Security::None)).unwrap();
    let mut plain: Option<(Vec<String>, usize)> = None;
    for words in crate::chat::injection::corpus() {
        let message = crate::chat::injection::message("email:john@example.org", &words);
        let outcome = channel.send(&message).await;
        assert!(matches!(outcome, escalation::delivery::Outcome::Accepted { .. }), "{words:?}: {outcome}");
        let mail = smtp.mail();
        let names = mail["headers"].as_array().unwrap().iter().map(|one| one[0].as_str().unwrap().to_owned());
        let found = (names.collect::<Vec<_>>(), mail["html"].as_str().unwrap().matches('<').count());
        assert_eq!(mail["to"], json!(["john@example.org"]));
        assert_eq!(&found, plain.get_or_insert_with(|| found.clone()), "{words:?}");
    }
}

/// What a mail server does that fails.
#[derive(Clone, Copy, Debug)]
enum Fails {
    /// Closes the connection at once.
    Drops,
    /// Never says a word.
    Hangs,
    /// Takes everything but the end of the mail.
    HangsAtTheEnd,
    /// Takes everything, and closes the connection at the end of the mail.
    DropsAtTheEnd,
    /// Speaks HTTP.
    SpeaksHttp,
}

/// A mail server that fails so, as often as it is asked. Its port.
async fn failing(fails: Fails) -> u16 {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let (reader, mut writer) = stream.into_split();
                let mut lines = tokio::io::BufReader::new(reader).lines();
                match fails {
                    Fails::Drops => return,
                    Fails::Hangs => std::future::pending().await,
                    Fails::SpeaksHttp => {
                        let _ = writer.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
                        return;
                    }
                    Fails::HangsAtTheEnd | Fails::DropsAtTheEnd => {}
                }
                let _ = writer.write_all(b"220 there\r\n").await;
                let mut in_mail = false;
                while let Ok(Some(line)) = lines.next_line().await {
                    let answer: &[u8] = match (in_mail, line.as_str()) {
                        (true, ".") if matches!(fails, Fails::DropsAtTheEnd) => return,
                        (true, ".") => std::future::pending().await,
                        (true, _) => continue,
                        (false, "DATA") => {
                            in_mail = true;
                            b"354 go on\r\n"
                        }
                        (false, _) => b"250 fine\r\n",
                    };
                    let _ = writer.write_all(answer).await;
                }
            });
        }
    });
    port
}

/// Pages John by mail first, handset second, while the mail server fails so. What is known of the mail, once the handset
/// has rung.
async fn john_hears(fails: Fails) -> Value {
    let port = failing(fails).await;
    let mut world = world(&server(port, Security::None)).await;
    let john = json!({ "full_name": "John", "contacts": ["email:john@example.org", "handset:john"] });
    assert_eq!(world.request("PUT", "/api/v1/people/john", Some(john)).await.status, 201);
    let hangs = matches!(fails, Fails::Hangs | Fails::HangsAtTheEnd);
    if hangs {
        world.carrier.hangs_since("2026-03-02T03:00:00Z".parse().unwrap());
    }
    world.post("/api/v1/people/john/notify", json!({ "summary": "disk full" })).await;
    world.settle().await;
    if hangs {
        world.pass_seconds(10).await;
    }
    let alert = world.get("/api/v1/alerts/1").await;
    let of = |word: &str| {
        let all = alert["deliveries"].as_array().unwrap();
        all.iter().find(|one| one["contact"].as_str().unwrap().starts_with(word)).cloned()
    };
    assert_eq!(of("handset").unwrap()["state"], "sent", "{fails:?}: {alert}");
    of("email").unwrap()
}

#[tokio::test]
async fn when_the_mail_server_drops_us_or_is_none_the_handset_rings_at_once_and_the_mail_is_tried_again() {
    for fails in [Fails::Drops, Fails::SpeaksHttp, Fails::DropsAtTheEnd] {
        let mail = john_hears(fails).await;
        let outcome = mail["attempts"][0]["outcome"].as_str().unwrap();
        assert!(matches!(outcome, "refused" | "unknown"), "{fails:?}: {mail}");
        assert_eq!(mail["state"], "ready", "{fails:?}: {mail}");
        let is_at_the_end = matches!(fails, Fails::DropsAtTheEnd);
        assert!(!is_at_the_end || outcome == "unknown", "it may have been taken: {mail}");
    }
}

#[tokio::test]
async fn when_the_mail_server_hangs_the_handset_rings_after_ten_seconds() {
    for fails in [Fails::Hangs, Fails::HangsAtTheEnd] {
        let mail = john_hears(fails).await;
        assert_eq!(mail["attempts"][0]["outcome"], "unknown", "{fails:?}: {mail}");
    }
}
