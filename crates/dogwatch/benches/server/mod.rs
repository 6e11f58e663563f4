//! What the benches share: the real program as a process, connections to it, a receiver of webhooks, and what the disk
//! can do by itself.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub const TOKEN: &str = "bench-0123456789abcdefghijklmnop";

pub struct Server {
    child: Child,
    pub address: String,
    pub started_in: Duration,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    pub fn start(database: &Path) -> Self {
        Self::start_on(&format!("sqlite:{}", database.display()))
    }

    /// Over any database.
    pub fn start_on(database: &str) -> Self {
        let began = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_dogwatch"))
            .args(["serve", "--listen", "127.0.0.1:0", "--database", database])
            .env("DOGWATCH_ADMIN_TOKEN", TOKEN)
            .env("DOGWATCH_WEBHOOK_ALLOW", "127.0.0.1/32")
            .env("DOGWATCH_INTAKE_RATE", "1000000")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let started_in = began.elapsed();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        std::thread::spawn(move || out.lines().for_each(drop));
        Self { child, address, started_in }
    }

    /// The memory that is the program's own, and all that is mapped in, in KiB.
    pub fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// A keep-alive connection that speaks just enough HTTP.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(16 * 1024) }
    }

    pub async fn post(&mut self, path: &str, body: &str) {
        self.request("POST", path, &format!("Bearer {TOKEN}"), body).await;
    }

    /// Sends a request that has to succeed; the body of its answer.
    pub async fn request(&mut self, method: &str, path: &str, authorization: &str, body: &str) -> String {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.buffer.clear();
        loop {
            assert!(self.stream.read_buf(&mut self.buffer).await.unwrap() > 0, "the connection was closed");
            let Some(end) = find(&self.buffer, b"\r\n\r\n") else { continue };
            let head = std::str::from_utf8(&self.buffer[..end]).unwrap();
            let length = head
                .lines()
                .filter_map(|line| line.split_once(':'))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, value)| value.trim().parse().unwrap());
            if self.buffer.len() >= end + 4 + length {
                assert!(head.starts_with("HTTP/1.1 2"), "{}", String::from_utf8_lossy(&self.buffer));
                return String::from_utf8_lossy(&self.buffer[end + 4..]).into_owned();
            }
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// When each event was seen by the receiver of webhooks, by its number.
pub struct Receiver {
    pub port: u16,
    pub count: Arc<AtomicU64>,
    pub seen: Arc<Mutex<Vec<(u64, Instant)>>>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (count, seen) = (Arc::<AtomicU64>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (counted, log) = (count.clone(), seen.clone());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                let (counted, log) = (counted.clone(), log.clone());
                tokio::spawn(async move {
                    let mut buffer = Vec::with_capacity(8 * 1024);
                    while stream.read_buf(&mut buffer).await.unwrap_or(0) > 0 {
                        let at = Instant::now();
                        while let Some(end) = find(&buffer, b"\r\n\r\n") {
                            let head = std::str::from_utf8(&buffer[..end]).unwrap();
                            let length: usize = head
                                .split("content-length: ")
                                .nth(1)
                                .unwrap()
                                .lines()
                                .next()
                                .unwrap()
                                .parse()
                                .unwrap();
                            if buffer.len() < end + 4 + length {
                                break;
                            }
                            let body = std::str::from_utf8(&buffer[end + 4..end + 4 + length]).unwrap();
                            if let Some(rest) = body.split("\"summary\":\"event ").nth(1) {
                                let number = rest.split('"').next().unwrap().parse().unwrap();
                                log.lock().unwrap().push((number, at));
                            }
                            counted.fetch_add(1, Ordering::Relaxed);
                            buffer.drain(..end + 4 + length);
                            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                        }
                    }
                });
            }
        });
        Self { port, count, seen }
    }
}

/// Appends of 4 KiB, each on the disk before the next.
pub fn fsync_rate(folder: &Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("fsync")).unwrap();
    let (began, mut count) = (Instant::now(), 0);
    while began.elapsed() < Duration::from_secs(2) {
        file.write_all(&[0x5a; 4096]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}
