//! Webhooks to a real receiver on a loopback port.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dogwatch::channel::webhook::Webhook;
use escalation::contact::Kind;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{World, set_up_tls};

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";

/// What a receiver was sent: head and body.
type Received = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A receiver that answers each request with the next of `answers` (the last one for ever), as raw bytes;
/// an empty one means that it closes the connection instead.
async fn receiver(answers: Vec<Vec<u8>>) -> (SocketAddr, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let received = Received::default();
    let log = received.clone();
    tokio::spawn(async move {
        for count in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let answer = answers[count.min(answers.len() - 1)].clone();
            let log = log.clone();
            tokio::spawn(async move {
                let mut bytes = Vec::new();
                let (head, body) = loop {
                    if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                        return;
                    }
                    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
                        continue;
                    };
                    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
                    let length: usize = header(&head, "content-length").parse().unwrap();
                    if bytes.len() >= end + 4 + length {
                        break (head, bytes[end + 4..].to_vec());
                    }
                };
                log.lock().unwrap().push((head, body));
                let _ = stream.write_all(&answer).await;
            });
        }
    });
    (address, received)
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).unwrap_or_default()
}

fn answer(status: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into_bytes()
}

async fn world(allow: &[&str]) -> World {
    set_up_tls();
    let allow = allow.iter().map(|network| network.parse().unwrap()).collect();
    World::with_channel(Kind::Webhook, Webhook::new(KEY.to_vec(), allow).unwrap()).await
}

/// Pages John at `url` and returns what is known of the first delivery.
async fn page(world: &mut World, url: &str) -> Value {
    let contact = format!("webhook:{url}");
    world
        .request("PUT", "/api/v1/people/john", Some(json!({ "full_name": "John", "contacts": [contact] })))
        .await;
    let alert = world
        .post("/api/v1/people/john/notify", json!({ "summary": "disk full", "severity": "critical" }))
        .await;
    world.settle().await;
    let shown = world.get(&format!("/api/v1/alerts/{}", alert["number"])).await;
    shown["deliveries"][0].clone()
}

#[tokio::test]
async fn a_receiver_gets_a_signed_document() {
    let mut world = world(&["127.0.0.0/8"]).await;
    let (address, received) = receiver(vec![answer("204 No Content")]).await;
    let delivery = page(&mut world, &format!("http://{address}/hook?team=ops")).await;
    assert_eq!(delivery["state"], "sent", "{delivery}");
    let (head, body) = received.lock().unwrap()[0].clone();
    assert!(head.starts_with("POST /hook?team=ops HTTP/1.1"), "{head}");
    let document: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(document["headline"], "CRITICAL john: disk full");
    assert_eq!(
        (&document["purpose"], &document["person"], &document["attempt"]),
        (&json!("page"), &json!("john"), &json!(1))
    );
    assert_eq!(document["alert"]["url"], format!("{}/alerts/1", world.url));

    // As the Standard Webhooks specification tells receivers to check it.
    let (id, at) = (header(&head, "webhook-id"), header(&head, "webhook-timestamp"));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(KEY).unwrap();
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&body);
    assert_eq!(
        header(&head, "webhook-signature"),
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    );
    assert!(id.starts_with(delivery["id"].as_str().unwrap()));

    // The answer link in it works.
    let answered = world.client.post(document["answer_url"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(answered.status(), 303);
    assert_eq!(world.get("/api/v1/alerts/1").await["acknowledged"]["by"], "John");
}

#[tokio::test]
async fn only_a_2xx_counts() {
    for (status, state, outcome) in [
        ("200 OK", "sent", "accepted"),
        ("202 Accepted", "sent", "accepted"),
        ("302 Found\r\nlocation: http://127.0.0.1:1/", "failed", "refused"),
        ("400 Bad Request", "failed", "refused"),
        ("401 Unauthorized", "failed", "refused"),
        ("404 Not Found", "failed", "refused"),
    ] {
        let mut world = world(&["127.0.0.1/32"]).await;
        let (address, received) = receiver(vec![answer(status)]).await;
        let delivery = page(&mut world, &format!("http://{address}/")).await;
        assert_eq!(
            (&delivery["state"], &delivery["attempts"][0]["outcome"]),
            (&json!(state), &json!(outcome)),
            "{status}"
        );
        if state == "failed" {
            let said = delivery["attempts"][0]["detail"].as_str().unwrap();
            assert!(said.contains(&status[..3]), "the record says why: {said}");
        }
        let first = delivery["id"].as_str().unwrap().to_owned();
        let of_first = received
            .lock()
            .unwrap()
            .iter()
            .filter(|(head, _)| header(head, "webhook-id").starts_with(&first))
            .count();
        assert_eq!(of_first, 1, "{status}: neither followed nor tried again");
    }
}

#[tokio::test]
async fn a_receiver_that_is_down_or_busy_is_tried_again() {
    for (first, outcome) in [
        ("500 Oops", "refused"),
        ("502 Bad Gateway", "refused"),
        ("429 Slow down\r\nretry-after: 7", "retry_after"),
    ] {
        let mut world = world(&["127.0.0.1/32"]).await;
        let (address, _) = receiver(vec![answer(first), answer(first), answer("200 OK")]).await;
        page(&mut world, &format!("http://{address}/")).await;
        world.pass_seconds(120).await;
        let alert = world.get("/api/v1/alerts/1").await;
        let deliveries = alert["deliveries"].as_array().unwrap();
        let sent = deliveries
            .iter()
            .find(|delivery| delivery["state"] == "sent")
            .unwrap_or_else(|| panic!("{first}: {alert}"));
        let outcomes: Vec<_> = deliveries
            .iter()
            .flat_map(|delivery| delivery["attempts"].as_array().unwrap())
            .map(|attempt| attempt["outcome"].as_str().unwrap())
            .collect();
        assert!(outcomes.contains(&outcome), "{first}: {outcomes:?}");
        assert_eq!(sent["attempts"].as_array().unwrap().last().unwrap()["outcome"], "accepted");
    }
    let mut world = world(&["127.0.0.1/32"]).await;
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let delivery = page(&mut world, &format!("http://{closed}/")).await;
    assert_eq!(delivery["attempts"][0]["outcome"], "refused", "nobody there: certainly not delivered");
}

/// One 502 page in HTML ended Chicken Little.
#[tokio::test]
async fn whatever_a_receiver_does_the_service_goes_on() {
    let junk: Vec<u8> = (0..4_000_u32).map(|count| (count * 7) as u8).collect();
    for bytes in [
        Vec::new(),
        b"HTTP/1.1".to_vec(),
        b"220 mail.example ESMTP\r\n".to_vec(),
        junk,
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999\r\n\r\n".to_vec(),
        b"HTTP/1.1 99 Odd\r\n\r\n".to_vec(),
        [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'a'; 1 << 20], b"\r\n\r\n".to_vec()].concat(),
    ] {
        let mut world = world(&["127.0.0.1/32"]).await;
        let (address, _) = receiver(vec![bytes.clone()]).await;
        let delivery = page(&mut world, &format!("http://{address}/")).await;
        let outcome = delivery["attempts"][0]["outcome"].as_str().unwrap();
        assert!(
            ["unknown", "refused"].contains(&outcome),
            "{:?}: {delivery}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(30)])
        );
        assert_eq!(world.request("GET", "/readyz", None).await.status, 200);
    }
}

#[tokio::test]
async fn private_addresses_are_refused() {
    let mut world = world(&["10.9.0.0/16"]).await;
    let (address, received) = receiver(vec![answer("200 OK")]).await;
    let port = address.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "0",
        "[::]",
        "169.254.169.254",
        "10.0.0.1",
        "192.168.1.1",
        "[fd00::1]",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "LOCALHOST",
    ] {
        let delivery = page(&mut world, &format!("http://{host}:{port}/")).await;
        assert_eq!(delivery["state"], "failed", "{host}: {delivery}");
        let why = delivery["attempts"][0]["detail"].as_str().unwrap();
        assert!(why.contains("webhook.allow"), "{host}: {why}");
    }
    assert!(received.lock().unwrap().is_empty(), "nothing was connected to");
}
