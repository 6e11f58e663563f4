//! Other makes: Vonage, and gateways that the configuration describes.

use std::sync::{Arc, Mutex};

use dogwatch::config::provider::Provider;
use dogwatch::config::{Config, Flags};
use escalation::directory::Service;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{JOHN, people};
use crate::support::{World, answer};

/// What stands in the address of callbacks.
pub const SECRET: &str = "0123456789abcdefghijklmnopqrstuv";

/// Requests that came in: first line, whole head, body.
type Log = Arc<Mutex<Vec<(String, String, String)>>>;

/// A gateway that answers every request so.
async fn gateway(status: u16, body: &'static str) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let log = Log::default();
    let shared = log.clone();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            loop {
                assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let Some((head, sent)) = text.split_once("\r\n\r\n") else { continue };
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if sent.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                    let first = head.lines().next().unwrap().to_owned();
                    shared.lock().unwrap().push((first, head.to_owned(), sent.to_owned()));
                    break;
                }
            }
            let answer = format!(
                "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (url, log)
}

/// The providers of a configuration, as a user writes it.
pub fn providers(text: &str) -> anyhow::Result<Vec<Provider>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dogwatch.toml");
    std::fs::write(&path, format!("public_url = \"https://dogwatch.example.org\"\n{text}")).unwrap();
    Ok(Config::load(Some(&path), &|_| None, &Flags::default())?.providers)
}

async fn world(config: &str) -> World {
    let world = World::with_providers(Service::default(), providers(config).unwrap()).await;
    people(&world, &[&format!("sms:{JOHN}"), "email:john@example.org"], "en").await;
    world
}

#[tokio::test]
async fn vonage_takes_a_message_confirms_it_and_brings_the_reply() {
    let (url, log) =
        gateway(200, r#"{"message-count":"1","messages":[{"status":"0","message-id":"0A01"}]}"#).await;
    let mut world = world(&format!(
        "[[provider]]\nname = \"spare\"\nkind = \"vonage\"\naccount = \"abcd1234\"\ntoken = \"s3cret\"\n\
         from = \"+18005550100\"\nbase_url = \"{url}\"\ncallback_secret = \"{SECRET}\"\nreceipt_within = \"45s\""
    ))
    .await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let (first, _, body) = log.lock().unwrap()[0].clone();
    assert_eq!(first, "POST /sms/json HTTP/1.1");
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    let known = [
        "api_key",
        "api_secret",
        "to",
        "from",
        "text",
        "type",
        "client-ref",
        "status-report-req",
        "callback",
    ];
    assert_eq!(names, known);
    assert_eq!(
        (field("api_key"), field("to"), field("from")),
        ("abcd1234".into(), "493011111".into(), "18005550100".into())
    );
    assert_eq!(field("type"), "text");

    let receipt =
        json!({ "msisdn": "493011111", "messageId": "0A01", "status": "delivered", "err-code": "0" });
    let callback = field("callback");
    let wrong = callback.replace(SECRET, "0123456789abcdefghijklmnopqrstuX");
    assert_eq!(answer(world.client.post(wrong).json(&receipt)).await.status, 403);
    assert_eq!(answer(world.client.post(callback).json(&receipt)).await.status, 204);
    world.pass_seconds(60).await;
    assert_eq!(world.carrier.sent_to("page").len(), 0, "it was confirmed");

    let text = field("text");
    let code: String =
        text.split("Reply ").nth(1).unwrap().chars().take_while(char::is_ascii_digit).collect();
    let url = format!("{}/callbacks/http/spare/{SECRET}/messages", world.url);
    let reply = [("msisdn", "493011111"), ("to", "18005550100"), ("messageId", "0B01"), ("text", &code)];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(reply).finish();
    let posted =
        world.client.post(&url).header("content-type", "application/x-www-form-urlencoded").body(body);
    assert_eq!(answer(posted).await.status, 204);
    world.settle().await;
    assert_eq!(world.get(&format!("/api/v1/alerts/{number}")).await["status"], "acknowledged");
    let answered = log.lock().unwrap().last().unwrap().2.clone();
    assert!(answered.contains("text=You+have+%231.+Nobody+else"), "{answered}");
}

#[tokio::test]
async fn what_vonage_refuses_in_a_200_is_a_refusal() {
    for (body, detail) in [
        (r#"{"messages":[{"status":"4","error-text":"Bad Credentials"}]}"#, "Bad Credentials (status 4)"),
        (
            r#"{"messages":[{"status":"9","error-text":"Partner quota exceeded"}]}"#,
            "quota exceeded (status 9)",
        ),
        (r#"{"messages":[{"status":"1","error-text":"Throttled"}]}"#, "Throttled (status 1)"),
        (r#"{"messages":[{"status":"7","error-text":"Barred"}]}"#, "Barred (status 7)"),
        (r#"{"messages":[{"status":"0"},{"status":"5","error-text":"Internal"}]}"#, "Internal (status 5)"),
        (r#"{"messages":[]}"#, "can't be read"),
        ("<html>", "can't be read"),
        ("", "can't be read"),
    ] {
        let (url, _) = gateway(200, body).await;
        let mut world = world(&format!(
            "[[provider]]\nname = \"spare\"\nkind = \"vonage\"\naccount = \"a\"\ntoken = \"s\"\nfrom = \"Dogwatch\"\n\
             base_url = \"{url}\""
        ))
        .await;
        let number = world.notify("disk full").await;
        world.settle().await;
        assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"], "{body}");
        let story = world.story(number).await.join("\n");
        assert!(story.contains(detail), "{body}: {story}");
    }
}

#[tokio::test]
async fn a_gateway_in_the_house_is_asked_as_the_configuration_says() {
    let (url, log) = gateway(200, r#"{"result": {"id": 17}, "error": null}"#).await;
    let mut world = world(&format!(
        "[[provider]]\nname = \"modem\"\nkind = \"http\"\nurl = \"{url}/send?from={{from}}\"\nfrom = \"Dog & Co\"\n\
         token = \"s3cret\"\nid = \"/result/id\"\nerror = \"/error\"\n\
         headers = {{ Authorization = \"Bearer {{token}}\", Content-Type = \"application/json\" }}\n\
         body = '{{\"number\": \"{{to_digits}}\", \"message\": \"{{text}}\", \"ref\": \"{{id}}\"}}'"
    ))
    .await;
    world.notify("disk \"full\" \\ {to}").await;
    world.settle().await;
    let (first, head, body) = log.lock().unwrap()[0].clone();
    assert_eq!(first, "POST /send?from=Dog%20%26%20Co HTTP/1.1");
    assert!(head.contains("authorization: Bearer s3cret"), "{head}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["number"], "493011111");
    let text = body["message"].as_str().unwrap();
    assert!(text.starts_with("ERROR ops: disk \"full\" \\ {to}\n"), "{text}");
    assert!(text.contains("/answer/"), "nothing comes back, so a link stands in place of the code: {text}");
    world.pass_seconds(120).await;
    assert_eq!(world.carrier.sent_to("page").len(), 0, "and nothing is waited for");
}

#[tokio::test]
async fn an_error_in_a_gateways_answer_brings_the_next_contact() {
    for (status, body) in
        [(200, r#"{"error": "modem is offline"}"#), (200, "no JSON"), (200, ""), (503, ""), (302, "")]
    {
        let (url, _) = gateway(status, body).await;
        let mut world = world(&format!(
            "[[provider]]\nname = \"modem\"\nkind = \"http\"\nmethod = \"GET\"\nid = \"/id\"\nerror = \"/error\"\n\
             url = \"{url}/send?to={{to}}&text={{text}}\""
        ))
        .await;
        world.notify("disk full").await;
        world.settle().await;
        assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"], "{status} {body}");
    }
}

#[tokio::test]
async fn an_error_is_told_to_whom_it_concerns_where_the_configuration_says_by_which_words() {
    for (status, body, is_johns, is_operators) in [
        (200, r#"{"error": "Unknown subscriber 4930"}"#, true, false),
        (400, r#"{"error": "unknown subscriber"}"#, true, false),
        (500, r#"{"error": "No credit left"}"#, false, true),
        (200, r#"{"error": "NO CREDIT"}"#, false, true),
        (200, r#"{"error": "modem is offline"}"#, false, false),
    ] {
        let (url, log) = gateway(status, body).await;
        let config = format!(
            "[[provider]]\nname = \"modem\"\nkind = \"http\"\nmethod = \"GET\"\nid = \"/id\"\nerror = \"/error\"\n\
             number_errors = [\"unknown subscriber\"]\naccount_errors = [\"no credit\"]\n\
             url = \"{url}/send?to={{to}}&text={{text}}\""
        );
        let operators = vec!["email:operator@example.org".parse().unwrap()];
        let service = Service { operators, ..Service::default() };
        let mut world = World::with_providers(service, providers(&config).unwrap()).await;
        people(&world, &[&format!("sms:{JOHN}"), "email:john@example.org"], "en").await;
        world.notify("disk full").await;
        world.pass_seconds(10).await;
        assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"], "{body}");
        let reached = world.get("/api/v1/people/john/contacts").await;
        assert_eq!(reached["items"][0]["failures"], u8::from(is_johns), "{body}: {reached}");
        assert_eq!(world.carrier.sent_to("warning").len(), usize::from(is_operators), "{body}");
        let again = log.lock().unwrap().len() > 1;
        assert_eq!(again, !is_johns && !is_operators, "{body}: tried again where that may help");
    }
}

#[test]
fn what_is_wrong_with_a_provider_is_said_with_its_name_and_what_to_write() {
    let twilio = "kind = \"twilio\"\naccount = \"AC0123456789abcdef0123456789abcdef\"\nfrom = \"+18005550100\"\ntoken = \"x\"\n";
    let key = |pem: &str| {
        format!(
            "name = \"a\"\nkind = \"vonage\"\nchannels = [\"phone\"]\naccount = \"abcd1234\"\nfrom = \"+18005550100\"\n\
             token = \"x\"\ncallback_secret = \"{SECRET}\"\napplication = \"78d335fa-323d-0114-9c3d-d6f0d48968cf\"\n\
             private_key = '''{pem}'''"
        )
    };
    for (text, words) in [
        ("kind = \"twilio\"", &["provider 1", "name is missing"][..]),
        ("name = \"a\"\nkind = \"pigeon\"", &["\"a\"", "\"pigeon\"", "vonage"][..]),
        ("name = \"a\"\nkind = \"twilio\"\naccount = \"AC1\"", &["account", "32 digits"][..]),
        (&*format!("name = \"a\"\n{twilio}url = \"http://x\""), &["url means nothing"][..]),
        (&*format!("name = \"a\"\n{twilio}receipt_within = \"1h\""), &["receipt_within", "5m"][..]),
        (
            &*format!("name = \"a\"\n{twilio}chanels = [\"sms\"]"),
            &["chanels", "did you mean \"channels\""][..],
        ),
        (
            &*format!("name = \"a\"\n{twilio}channels = [\"mail\"]"),
            &["\"mail\"", "\"sms\" and \"phone\""][..],
        ),
        ("name = \"a\"\nkind = \"http\"\nurl = \"http://x/{to}\"", &["{text}"][..]),
        ("name = \"a\"\nkind = \"http\"\nurl = \"http://x/{to}/{txt}\"", &["there is no {txt}"][..]),
        (
            "name = \"a\"\nkind = \"http\"\nurl = \"http://x/\"\nbody = \"{to}{text}\"\nheaders = { Content-Type = \"image/png\" }",
            &["image/png", "XML"][..],
        ),
        (
            "name = \"a\"\nkind = \"http\"\nurl = \"http://x/{to}/{text}\"\nreplies = true",
            &["callback_secret"][..],
        ),
        (
            "name = \"a\"\nkind = \"http\"\nurl = \"http://x/{to}/{text}\"\ncallback_secret = \"short\"",
            &["openssl rand"][..],
        ),
        (
            "name = \"a\"\nkind = \"http\"\nurl = \"http://x/\"\nheaders = { Content-Type = \"application/json\" }\n\
             body = '{\"to\": {to}, \"text\": {text}'",
            &["body: this is no JSON", "quotation marks"][..],
        ),
        (
            "name = \"a\"\nkind = \"http\"\nurl = \"http://x/\"\nheaders = { Content-Type = \"application/json\" }\n\
             body = '{\"to\": {to_digits}, \"text\": {text}}'",
            &["body: this is no JSON", "quotation marks"][..],
        ),
        (
            "name = \"a\"\nkind = \"http\"\nurl = \"http://x/{to}/{text}?r={receipt_url}\"",
            &["{receipt_url}", "without callback_secret"][..],
        ),
        (
            "name = \"a\"\nkind = \"http\"\nurl = \"http://x/{to}/{text}\"\nnumber_errors = [\"no such\"]",
            &["under error"][..],
        ),
        (&*format!("name = \"a\"\n{twilio}token_file = \"/x\""), &["token and token_file are both"][..]),
        (&*key("-----BEGIN RSA PRIVATE KEY-----\nAA=="), &["private_key", "pkcs8 -topk8"][..]),
        (&*key("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA=="), &["locked by a password"][..]),
        (&*key("-----BEGIN PUBLIC KEY-----\nAA=="), &["the public key"][..]),
        (&*key("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----"), &["damaged"][..]),
        (&*key(""), &["private_key: it is empty"][..]),
        (
            &*key("x").replace("private_key = '''x'''", "private_key_file = \"/nowhere/key\""),
            &["private_key_file can't be used", "/nowhere/key"][..],
        ),
    ] {
        let wrong = format!("{:#}", providers(&format!("[[provider]]\n{text}")).unwrap_err());
        for word in words {
            assert!(wrong.contains(word), "{text}: {wrong}");
        }
    }
}
