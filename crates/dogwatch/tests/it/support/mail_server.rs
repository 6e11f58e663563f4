//! A mail server on a loopback port that keeps whole what it is given, and says at the end of a mail what the test wants,
//! when the test wants it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use dogwatch::channel::email::{Security, Server};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};

/// What it says at the end of a mail.
#[derive(Clone, Copy, Debug)]
pub enum Says {
    /// That it keeps it; but only when [`MailServer::answer`] lets it.
    TooLate,
    /// This.
    Words(&'static str),
}

#[derive(Default)]
struct Inner {
    mails: Vec<String>,
    next: VecDeque<Says>,
}

/// Everything that the connections of a server share.
#[derive(Clone)]
struct Shared {
    inner: Arc<Mutex<Inner>>,
    arrived: Arc<Notify>,
    late: Arc<Semaphore>,
}

/// The server. What is not scripted it keeps, and says `250 kept as N`: the first mail is number 1.
pub struct MailServer {
    port: u16,
    shared: Shared,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl MailServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared =
            Shared { inner: Arc::default(), arrived: Arc::default(), late: Arc::new(Semaphore::new(0)) };
        let connections = shared.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, connections.clone()));
            }
        });
        Self { port, shared, task }
    }

    /// How it is to be talked to.
    pub fn entry(&self) -> Server {
        Server {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            security: Security::None,
            credentials: None,
            from: "Dogwatch <dogwatch@example.org>".parse().unwrap(),
            ca: None,
        }
    }

    /// The next mail is answered so.
    pub fn once(&self, says: Says) {
        self.shared.inner.lock().unwrap().next.push_back(says);
    }

    /// Says of one mail that it keeps it, that was to be answered too late.
    pub fn answer(&self) {
        self.shared.late.add_permits(1);
    }

    /// Every mail so far that came in whole, headers first, kept or not.
    pub fn seen(&self) -> Vec<String> {
        self.shared.inner.lock().unwrap().mails.clone()
    }

    /// Waits for so many mails.
    pub async fn wait_for(&self, count: usize) -> Vec<String> {
        loop {
            let arrived = self.shared.arrived.notified();
            let seen = self.seen();
            if seen.len() >= count {
                return seen;
            }
            arrived.await;
        }
    }
}

async fn serve(stream: TcpStream, shared: Shared) {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    // Whoever asked may go at any time.
    let _ = writer.write_all(b"220 there\r\n").await;
    let (mut in_mail, mut mail) = (false, String::new());
    while let Ok(Some(line)) = lines.next_line().await {
        if in_mail && line != "." {
            mail.push_str(&line);
            mail.push('\n');
            continue;
        }
        let answer = if in_mail {
            in_mail = false;
            let (count, says) = keep(&shared, std::mem::take(&mut mail));
            match says {
                Some(Says::Words(words)) => words.to_owned(),
                Some(Says::TooLate) => {
                    shared.late.acquire().await.unwrap().forget();
                    format!("250 kept as {count}")
                }
                None => format!("250 kept as {count}"),
            }
        } else if line.eq_ignore_ascii_case("DATA") {
            in_mail = true;
            "354 go on".to_owned()
        } else {
            "250 fine".to_owned()
        };
        if writer.write_all(format!("{answer}\r\n").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The number of a mail that has come in, and what is said of it.
fn keep(shared: &Shared, mail: String) -> (usize, Option<Says>) {
    let mut inner = shared.inner.lock().unwrap();
    inner.mails.push(mail);
    let kept = (inner.mails.len(), inner.next.pop_front());
    drop(inner);
    shared.arrived.notify_one();
    kept
}
