//! A fake of Twilio that is strict: it checks every field, signs what it calls back with Twilio's own
//! validator, follows TwiML as a telephone does, and fails the test on anything that it does not expect.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dogwatch::channel::providers::health::Limits;
use dogwatch::channel::twilio::Account;
use dogwatch::clock::{Clock, ManualClock};
use dogwatch::config::provider::{Protocol, Provider};
use dogwatch::secret::Secret;
use escalation::contact::Kind;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::carrier::Carrier;
use super::{Answer, World, answer};

pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub const TOKEN: &str = "canary-token-of-twilio-000001";
pub const FROM: &str = "+18005550100";

/// What a provider does with a request.
#[derive(Clone, Debug)]
pub enum Does {
    /// Takes it.
    Takes,
    /// Answers with this status, these headers and this body.
    Answers(u16, &'static str, &'static str),
    /// Reads it and says nothing.
    Hangs,
    /// Takes it, and would say so after the deadline.
    TakesTooLate,
    /// Begins an answer and does not go on.
    HangsInTheMiddle,
    /// Closes the connection.
    Drops,
}

/// A request that it took.
#[derive(Clone, Debug)]
pub struct Taken {
    pub sid: String,
    pub fields: Vec<(String, String)>,
}

impl Taken {
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

#[derive(Default)]
struct Inner {
    script: VecDeque<Does>,
    always: Option<Does>,
    taken: Vec<Taken>,
    ended: Vec<String>,
    asked: usize,
    wrong: Vec<String>,
    stage: Option<(Carrier, Arc<ManualClock>)>,
}

/// The fake. Dropped, it fails the test if it was asked for anything wrong.
pub struct Twilio {
    pub base_url: String,
    inner: Arc<Mutex<Inner>>,
    telephone: Mutex<Telephone>,
}

impl Drop for Twilio {
    fn drop(&mut self) {
        // A test that fails elsewhere must not fail a second time here.
        let wrong = self.inner.lock().unwrap_or_else(PoisonError::into_inner).wrong.clone();
        let mut telephone = self.telephone.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = telephone.child.kill();
        let _ = telephone.child.wait();
        if !std::thread::panicking() {
            assert!(wrong.is_empty(), "{wrong:#?}");
        }
    }
}

struct Telephone {
    child: Child,
    ask: ChildStdin,
    hear: BufReader<ChildStdout>,
}

impl Telephone {
    fn start() -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/telephone.py");
        let mut child = Command::new("/usr/bin/python3")
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the tests of telephones need Debian's python3-twilio; scripts/test installs it");
        let (ask, hear) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, ask, hear }
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.ask, "{question}").unwrap();
        let mut line = String::new();
        self.hear.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line)
            .expect("the tests of telephones need Debian's python3-twilio; scripts/test installs it");
        assert!(answer["error"].is_null(), "{answer} to {question}");
        answer["ok"].clone()
    }
}

impl Twilio {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner::default()));
        let shared = inner.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { base_url, inner, telephone: Mutex::new(Telephone::start()) }
    }

    /// Its entry in a configuration.
    pub fn provider(&self, name: &str) -> Provider {
        Provider {
            name: name.to_owned(),
            channels: vec![Kind::Sms, Kind::Phone],
            limits: Limits { at_once: 8, per_second: 100 },
            protocol: Protocol::Twilio(Account {
                name: name.to_owned(),
                account: ACCOUNT.to_owned(),
                token: Secret::given(TOKEN.to_owned()),
                signing_key: None,
                from: FROM.to_owned(),
                base_url: self.base_url.clone(),
                machine_detection: true,
                replies: true,
                receipt_within: Some(SignedDuration::from_secs(45)),
            }),
        }
    }

    /// Lets the world know of requests that hang.
    pub fn join(&self, world: &World) {
        self.inner.lock().unwrap().stage = Some((world.carrier.clone(), world.clock.clone()));
    }

    pub fn once(&self, does: Does) {
        self.inner.lock().unwrap().script.push_back(does);
    }

    pub fn always(&self, does: Does) {
        self.inner.lock().unwrap().always = Some(does);
    }

    /// Everything that it took, oldest first.
    pub fn taken(&self) -> Vec<Taken> {
        self.inner.lock().unwrap().taken.clone()
    }

    /// The calls that we have ended, in order.
    pub fn ended(&self) -> Vec<String> {
        self.inner.lock().unwrap().ended.clone()
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.inner.lock().unwrap().asked
    }

    pub fn newest(&self) -> Taken {
        self.taken().pop().expect("Twilio was asked for nothing")
    }

    /// What a telephone makes of TwiML.
    pub fn follow(&self, twiml: &str) -> Value {
        self.telephone.lock().unwrap().ask(&json!({ "twiml": twiml }))
    }

    pub fn sign(&self, url: &str, fields: &[(&str, &str)]) -> String {
        let question = json!({ "token": TOKEN, "url": url, "fields": fields });
        self.telephone.lock().unwrap().ask(&question).as_str().unwrap().to_owned()
    }

    /// Calls back, signed.
    pub async fn post(&self, world: &World, url: &str, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![("AccountSid", ACCOUNT), ("ApiVersion", "2010-04-01")];
        all.extend(fields);
        let signature = self.sign(url, &all);
        send(world, url, &all, &signature).await
    }

    /// Says what became of something that it took.
    pub async fn status(&self, world: &World, taken: &Taken, fields: &[(&str, &str)]) {
        let sid = if taken.sid.starts_with("CA") { "CallSid" } else { "MessageSid" };
        let mut all = vec![(sid, taken.sid.as_str()), ("To", taken.field("To")), ("From", FROM)];
        all.extend(fields);
        let answered = self.post(world, taken.field("StatusCallback"), &all).await;
        assert_eq!(answered.status, 204, "{}", answered.text);
    }

    /// Somebody presses a key where TwiML asks for one; returns what is said then.
    pub async fn press(&self, world: &World, taken: &Taken, twiml: &Value, digits: &str) -> Value {
        let gather = twiml["inner"].as_array().unwrap().iter().find(|verb| verb["verb"] == "Gather");
        let gather = gather.unwrap_or_else(|| panic!("nobody asks for a key: {twiml}"));
        assert_eq!(
            (&gather["attributes"]["numDigits"], &gather["attributes"]["method"]),
            (&json!("1"), &json!("POST"))
        );
        let url = gather["attributes"]["action"].as_str().unwrap();
        let fields = [
            ("CallSid", taken.sid.as_str()),
            ("To", taken.field("To")),
            ("From", FROM),
            ("CallStatus", "in-progress"),
            ("Direction", "outbound-api"),
            ("Digits", digits),
        ];
        let answered = self.post(world, url, &fields).await;
        assert_eq!(answered.status, 200, "{}", answered.text);
        self.follow(&answered.text)
    }

    /// A message from somebody; returns what is answered at once.
    pub async fn text(&self, world: &World, provider: &str, sid: &str, from: &str, body: &str) -> String {
        let url = format!("{}/callbacks/twilio/{provider}/messages", world.url);
        let fields = [
            ("MessageSid", sid),
            ("From", from),
            ("To", FROM),
            ("Body", body),
            ("NumMedia", "0"),
            ("NumSegments", "1"),
        ];
        let answered = self.post(world, &url, &fields).await;
        assert_eq!(answered.status, 200, "{}", answered.text);
        let said = self.follow(&answered.text);
        said["inner"].as_array().unwrap().first().map_or_else(String::new, |message| {
            assert_eq!(message["verb"], "Message");
            message["text"].as_str().unwrap().to_owned()
        })
    }
}

/// Posts a form with a signature, whatever it is worth.
pub async fn send(world: &World, url: &str, fields: &[(&str, &str)], signature: &str) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = world
        .client
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature)
        .body(body);
    answer(request).await
}

async fn serve(mut stream: TcpStream, inner: Arc<Mutex<Inner>>) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return;
        }
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ").map(ToOwned::to_owned)
        });
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        if bytes.len() >= end + 4 + length {
            break (head, bytes[end + 4..].to_vec());
        }
    };
    let (does, answer) = decide(&head, &body, &inner);
    match does {
        Does::Hangs | Does::TakesTooLate => std::future::pending().await,
        Does::HangsInTheMiddle => {
            let _ = stream.write_all(b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{\"sid\"").await;
            std::future::pending().await
        }
        Does::Drops => {}
        Does::Takes | Does::Answers(..) => {
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    }
}

fn decide(head: &str, body: &[u8], inner: &Mutex<Inner>) -> (Does, String) {
    let mut inner = inner.lock().unwrap();
    if let Some(sid) = ends_call(head) {
        let known = inner.taken.iter().any(|taken| taken.sid == sid) && body == b"Status=completed";
        if !known || authorized(head).is_err() {
            inner.wrong.push(format!("{head}: {}", String::from_utf8_lossy(body)));
        }
        inner.ended.push(sid.clone());
        return (Does::Takes, plain(200, "", &json!({ "sid": sid, "status": "completed" }).to_string()));
    }
    inner.asked += 1;
    let does = inner.script.pop_front().or_else(|| inner.always.clone()).unwrap_or(Does::Takes);
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(body).into_owned().collect();
    if let Err(wrong) = check(head, &fields) {
        inner.wrong.push(wrong.clone());
        return (
            Does::Takes,
            plain(400, "", &json!({ "code": 20001, "message": wrong, "status": 400 }).to_string()),
        );
    }
    if matches!(does, Does::Hangs | Does::TakesTooLate | Does::HangsInTheMiddle)
        && let Some((carrier, clock)) = &inner.stage
    {
        carrier.hangs_since(clock.now());
    }
    let answer = match &does {
        Does::Answers(status, headers, body) => plain(*status, headers, body),
        _ => {
            let kind = if head.contains("/Calls.json") { "CA" } else { "SM" };
            let sid = format!("{kind}{:032x}", inner.taken.len() + 1);
            if matches!(does, Does::Takes | Does::TakesTooLate) {
                inner.taken.push(Taken { sid: sid.clone(), fields });
            }
            plain(201, "", &json!({ "sid": sid, "status": "queued", "account_sid": ACCOUNT }).to_string())
        }
    };
    (does, answer)
}

fn plain(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}",
        body.len()
    )
}

/// The call that a request is about, if it is about one that there is.
fn ends_call(head: &str) -> Option<String> {
    let path = head.lines().next()?.strip_prefix(&format!("POST /2010-04-01/Accounts/{ACCOUNT}/Calls/"))?;
    Some(path.strip_suffix(".json HTTP/1.1")?.to_owned())
}

fn authorized(head: &str) -> Result<(), String> {
    let wanted = format!("authorization: Basic {}", STANDARD.encode(format!("{ACCOUNT}:{TOKEN}")));
    match head.lines().any(|line| line.eq_ignore_ascii_case(&wanted)) {
        true => Ok(()),
        false => Err(format!("not authorized: {head}")),
    }
}

/// Every field, as Twilio's reference has it.
fn check(head: &str, fields: &[(String, String)]) -> Result<(), String> {
    let path = head.lines().next().unwrap_or_default();
    let calls = format!("POST /2010-04-01/Accounts/{ACCOUNT}/Calls.json HTTP/1.1");
    let messages = format!("POST /2010-04-01/Accounts/{ACCOUNT}/Messages.json HTTP/1.1");
    authorized(head)?;
    let one = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let number = |name: &str| {
        let value = one(name).unwrap_or_default();
        let good = value.starts_with('+')
            && value.len() <= 16
            && value[1..].bytes().all(|byte| byte.is_ascii_digit());
        if good { Ok(()) } else { Err(format!("{name} is \"{value}\"")) }
    };
    let known: &[&str] = if path == calls {
        &[
            "To",
            "From",
            "Twiml",
            "Timeout",
            "TimeLimit",
            "StatusCallback",
            "StatusCallbackMethod",
            "StatusCallbackEvent",
            "MachineDetection",
            "AsyncAmd",
            "AsyncAmdStatusCallback",
            "AsyncAmdStatusCallbackMethod",
        ]
    } else if path == messages {
        &["To", "From", "Body", "StatusCallback", "ValidityPeriod"]
    } else {
        return Err(format!("there is no {path}"));
    };
    for (at, (name, value)) in fields.iter().enumerate() {
        if !known.contains(&name.as_str()) {
            return Err(format!("{name} is not known"));
        }
        let again = fields[..at].iter().any(|(other, _)| other == name);
        if again && name != "StatusCallbackEvent" {
            return Err(format!("{name} is there twice"));
        }
        if name == "StatusCallbackEvent"
            && !["initiated", "ringing", "answered", "completed"].contains(&value.as_str())
        {
            return Err(format!("there is no event {value}"));
        }
        if name.ends_with("StatusCallback") && !value.starts_with("http") {
            return Err(format!("{name} is \"{value}\""));
        }
    }
    number("To")?;
    number("From")?;
    let seconds = |name: &str, least: u32, most: u32| match one(name).map(str::parse::<u32>) {
        Some(Ok(seconds)) if (least..=most).contains(&seconds) => Ok(()),
        other => Err(format!("{name} is {other:?}")),
    };
    if path == calls {
        seconds("Timeout", 1, 600)?;
        seconds("TimeLimit", 1, 14_400)?;
        let amd = [one("MachineDetection"), one("AsyncAmd"), one("AsyncAmdStatusCallbackMethod")];
        if amd != [None; 3] && amd != [Some("Enable"), Some("true"), Some("POST")] {
            return Err(format!("the detection of machines is {amd:?}"));
        }
        let tags = one("Twiml").unwrap_or_default().split("<Say language=\"").skip(1);
        let spoken = ["en-US", "en-GB", "en-AU", "en-CA", "en-IN", "de-DE"];
        for tag in tags.map(|rest| rest.split('"').next().unwrap_or_default()) {
            if !spoken.contains(&tag) {
                return Err(format!("nobody speaks {tag}"));
            }
        }
        let length = one("Twiml").unwrap_or_default().chars().count();
        if !(1..=4_000).contains(&length) {
            return Err(format!("Twiml of {length} characters"));
        }
    } else {
        seconds("ValidityPeriod", 1, 36_000)?;
        let body = one("Body").unwrap_or_default();
        if body.is_empty() || body.chars().count() > 1_600 {
            return Err(format!("Body \"{body}\""));
        }
    }
    Ok(())
}
