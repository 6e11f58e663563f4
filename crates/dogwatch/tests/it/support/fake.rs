//! A strict stand-in for a provider: a real server on a loopback port that checks every request by the rules the
//! test gives it. What breaks a rule is remembered, and fails the test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// `POST /path?query`.
    pub line: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub fn count_of_headers(&self) -> usize {
        self.headers.len()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

/// What the stand-in does with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// Answers with this document.
    Json(u16, Value),
    /// Answers with these bytes.
    Raw(Vec<u8>),
    /// Never answers.
    Hang,
    /// Takes what was asked, and answers well when whoever asked has stopped waiting.
    TooLate,
    /// Begins an answer with these bytes, and does not go on.
    HangAfter(Vec<u8>),
    /// Closes the connection.
    Drop,
    /// This answer, once nobody waits for it any more.
    AfterAll(Box<Reply>),
}

/// A status with a body and more headers, each ended by CRLF.
pub fn raw(status: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Raw(
        format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
            .into_bytes(),
    )
}

#[derive(Default)]
struct Inner {
    seen: Vec<Request>,
    next: VecDeque<Reply>,
    broken: Vec<String>,
}

/// The stand-in.
pub struct Fake {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
    arrived: Arc<tokio::sync::Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
        if !std::thread::panicking() {
            let broken = std::mem::take(&mut self.inner.lock().unwrap().broken);
            assert!(broken.is_empty(), "a provider would not have taken this: {broken:#?}");
        }
    }
}

impl Fake {
    /// Answers by `rules`, which say why a request is not one that the real provider takes.
    pub async fn start(rules: impl Fn(&Request) -> Result<Reply, String> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::<Mutex<Inner>>::default();
        let (shared, rules) = (inner.clone(), Arc::new(rules));
        let arrived = Arc::new(tokio::sync::Notify::new());
        let tell = arrived.clone();
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (shared, rules, tell) = (shared.clone(), rules.clone(), tell.clone());
                tokio::spawn(async move {
                    let Some(request) = read(&mut stream).await else { return };
                    let judged = rules(&request);
                    let reply = {
                        let mut inner = shared.lock().unwrap();
                        inner.seen.push(request.clone());
                        match judged {
                            Ok(reply) => match inner.next.pop_front() {
                                Some(Reply::TooLate) => Reply::AfterAll(Box::new(reply)),
                                next => next.unwrap_or(reply),
                            },
                            Err(why) => {
                                let body = String::from_utf8_lossy(&request.body).into_owned();
                                inner.broken.push(format!("{}: {why}: {body}", request.line));
                                raw("400 Bad Request", "", &why)
                            }
                        }
                    };
                    tell.notify_one();
                    send(stream, reply).await;
                });
            }
        });
        Self { url, inner, arrived, task }
    }

    /// The next request that is right is answered so.
    pub fn once(&self, reply: Reply) {
        self.inner.lock().unwrap().next.push_back(reply);
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Request> {
        self.inner.lock().unwrap().seen.clone()
    }

    /// The requests so far to addresses that begin so.
    pub fn seen_at(&self, line: &str) -> Vec<Request> {
        self.seen().into_iter().filter(|request| request.line.starts_with(line)).collect()
    }

    /// Waits for so many requests to addresses that begin so.
    pub async fn wait_for(&self, line: &str, count: usize) -> Vec<Request> {
        loop {
            let arrived = self.arrived.notified();
            let seen = self.seen_at(line);
            if seen.len() >= count {
                return seen;
            }
            arrived.await;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return None;
        }
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let line = lines.next()?.strip_suffix(" HTTP/1.1")?.to_owned();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let request = Request { line, headers, body: bytes[end + 4..].to_vec() };
        if request.body.len() >= request.header("content-length").parse().unwrap_or(0) {
            return Some(request);
        }
    }
}

async fn send(mut stream: TcpStream, reply: Reply) {
    let bytes = match reply {
        Reply::Drop => return,
        Reply::Hang | Reply::TooLate => std::future::pending().await,
        Reply::AfterAll(reply) => {
            while stream.read(&mut [0; 64]).await.is_ok_and(|count| count > 0) {}
            return Box::pin(send(stream, *reply)).await;
        }
        Reply::HangAfter(bytes) => {
            let _ = stream.write_all(&bytes).await;
            std::future::pending().await
        }
        Reply::Raw(bytes) => bytes,
        Reply::Json(status, body) => {
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: \
                 close\r\n\r\n",
                body.len()
            );
            [head.into_bytes(), body.into_bytes()].concat()
        }
    };
    // Whoever asked may have gone.
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}
