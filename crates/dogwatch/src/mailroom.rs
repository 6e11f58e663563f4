//! The listener for mail of monitoring systems: SMTP and LMTP, as a mail server on the same machine speaks them to hand
//! mail on. The local part of the recipient is an integration's key.
//!
//! It listens on loopback only, relays nothing, and answers 250 to a mail when its event is on the disk.
//! Read next: [`crate::intake::mail`], which reads a mail.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::http::App;
use crate::intake::deliver_mail;
use crate::shutdown::Shutdown;

/// The largest mail, in bytes.
const MAX_MAIL: usize = 1024 * 1024;
/// The longest line of a command, in bytes.
const MAX_LINE: u64 = 2_000;
/// The most recipients of one mail.
const MAX_RECIPIENTS: usize = 20;
/// Connections at once.
const PLACES: usize = 32;
/// How long a client may be silent.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A listener that is bound.
pub struct Mailroom {
    app: App,
    listener: TcpListener,
}

impl Mailroom {
    /// Listens.
    ///
    /// # Errors
    ///
    /// When the address is not of this machine alone, or is taken.
    pub async fn bind(app: App, address: SocketAddr) -> anyhow::Result<Self> {
        if !address.ip().is_loopback() {
            anyhow::bail!(
                "intake.mail: will not take mail on {address}, where others can reach it; write a loopback address, such as \
                 \"127.0.0.1:2525\", and let your mail server hand mail on to it"
            );
        }
        let listener = TcpListener::bind(address).await;
        let listener = listener.with_context(|| format!("intake.mail: can't listen on {address}"))?;
        Ok(Self { app, listener })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// When the system does not know.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Runs until told to stop.
    pub async fn run(self, mut shutdown: Shutdown) {
        let places = Arc::new(Semaphore::new(PLACES));
        loop {
            let stream = tokio::select! {
                accepted = self.listener.accept() => accepted.map(|(stream, _)| stream),
                () = shutdown.asked() => return,
            };
            let Ok(stream) = stream else { continue };
            let Ok(place) = places.clone().try_acquire_owned() else { continue };
            let app = self.app.clone();
            tokio::spawn(async move {
                let _place = place;
                // Whoever breaks off sends again.
                let _ = Conversation::new(app, stream).run().await;
            });
        }
    }
}

/// One connection.
struct Conversation {
    app: App,
    input: BufReader<OwnedReadHalf>,
    output: OwnedWriteHalf,
    is_lmtp: bool,
    has_sender: bool,
    recipients: Vec<String>,
}

impl Conversation {
    fn new(app: App, stream: TcpStream) -> Self {
        let (input, output) = stream.into_split();
        let input = BufReader::new(input);
        Self { app, input, output, is_lmtp: false, has_sender: false, recipients: Vec::new() }
    }

    async fn say(&mut self, text: &str) -> std::io::Result<()> {
        self.output.write_all(format!("{text}\r\n").as_bytes()).await
    }

    /// A line without its end; none: the client is gone, silent, or says too much.
    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        let mut limited = (&mut self.input).take(MAX_LINE);
        let read = tokio::time::timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await;
        let is_whole = line.ends_with(b"\n");
        match read {
            Ok(Ok(_)) if is_whole => Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned())),
            Ok(Err(error)) => Err(error),
            _ => Ok(None),
        }
    }

    async fn run(mut self) -> std::io::Result<()> {
        self.say("220 Dogwatch takes mail of monitoring systems").await?;
        while let Some(line) = self.line().await? {
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" | "LHLO" => {
                    self.is_lmtp = verb.eq_ignore_ascii_case("LHLO");
                    self.reset();
                    self.say(&format!("250-dogwatch\r\n250-8BITMIME\r\n250 SIZE {MAX_MAIL}")).await?;
                }
                "HELO" => {
                    self.reset();
                    self.say("250 dogwatch").await?;
                }
                "MAIL" => {
                    self.reset();
                    self.has_sender = true;
                    self.say("250 go on").await?;
                }
                "RCPT" => self.recipient(rest).await?,
                "DATA" => self.data().await?,
                "RSET" => {
                    self.reset();
                    self.say("250 forgotten").await?;
                }
                "NOOP" => self.say("250 well").await?,
                "QUIT" => return self.say("221 good-bye").await,
                _ => {
                    self.say("502 Dogwatch knows HELO, EHLO, LHLO, MAIL, RCPT, DATA, RSET, NOOP and QUIT")
                        .await?
                }
            }
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.has_sender = false;
        self.recipients.clear();
    }

    async fn recipient(&mut self, rest: &str) -> std::io::Result<()> {
        if !self.has_sender {
            return self.say("503 MAIL comes first").await;
        }
        if self.recipients.len() >= MAX_RECIPIENTS {
            return self.say("452 too many recipients").await;
        }
        let address =
            rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address);
        let local =
            address.and_then(|address| address.rsplit_once('@')).map(|(local, _)| local.to_lowercase());
        // `anything+KEY@…` is as good: mail servers hand such addresses on by themselves.
        let key = local.map(|local| local.rsplit('+').next().unwrap_or_default().to_owned());
        let now = self.app.clock.now();
        match key {
            Some(key) if self.app.store.access().by_key(&key, now).is_some() => {
                self.recipients.push(key);
                self.say("250 known").await
            }
            _ => self.say("550 no integration has this key; write to KEY@anywhere").await,
        }
    }

    async fn data(&mut self) -> std::io::Result<()> {
        if self.recipients.is_empty() {
            return self.say("503 RCPT comes first").await;
        }
        self.say("354 go on, and end with a line that is a dot").await?;
        let mut mail = Vec::new();
        let mut is_too_large = false;
        loop {
            let mut line = Vec::new();
            let mut limited = (&mut self.input).take(MAX_MAIL as u64 + 2);
            let read = tokio::time::timeout(PATIENCE, limited.read_until(b'\n', &mut line)).await;
            if !matches!(read, Ok(Ok(count)) if count > 0) {
                return Ok(());
            }
            if line == b".\r\n" || line == b".\n" {
                break;
            }
            let line = line.strip_prefix(b".").unwrap_or(&line);
            is_too_large |= mail.len() + line.len() > MAX_MAIL;
            if !is_too_large {
                mail.extend_from_slice(line);
            }
        }
        let keys = std::mem::take(&mut self.recipients);
        self.has_sender = false;
        let mut answers = Vec::new();
        for key in &keys {
            answers.push(match is_too_large {
                true => "552 the mail is too large: at most 1 MiB".to_owned(),
                false => deliver_mail(&self.app, key, mail.clone().into()).await,
            });
        }
        if self.is_lmtp {
            // An answer for each recipient.
            for answer in answers {
                self.say(&answer).await?;
            }
            return Ok(());
        }
        // One for all: what failed for one is sent to all again, and counted where it was taken.
        let worst = answers.iter().find(|answer| !answer.starts_with('2')).or(answers.first());
        let worst = worst.cloned().unwrap_or_default();
        self.say(&worst).await
    }
}
