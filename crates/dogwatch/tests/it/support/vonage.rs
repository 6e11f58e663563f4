//! A strict stand-in for Vonage's Voice API: it checks every field of a call and who asks for it, follows the actions of
//! an NCCO as a telephone does, and calls back as Vonage's reference says.

use std::process::Command;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::fake::{Fake, Reply, Request};
use super::{Answer, World, answer};

pub const APPLICATION: &str = "78d335fa-323d-0114-9c3d-d6f0d48968cf";
/// The number that calls, as Vonage writes numbers.
pub const FROM: &str = "18005550111";
/// What stands in the addresses of callbacks.
pub const SECRET: &str = "0123456789abcdefghijklmnopqrstuv";

/// An application's keys, made once for all tests: the private one in PEM, the public one in PEM and as RSA holds it.
pub struct Keys {
    pub private: String,
    pub public: String,
    der: Vec<u8>,
}

fn openssl(args: &[&str], input: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut child = Command::new("openssl")
        .args(args)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {args:?}");
    output.stdout
}

pub static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let private = openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], b"");
    let public = openssl(&["rsa", "-pubout"], &private);
    let der = openssl(&["rsa", "-pubin", "-RSAPublicKey_out", "-outform", "DER"], &public);
    let text = |pem: Vec<u8>| String::from_utf8(pem).unwrap();
    Keys { private: text(private), public: text(public), der }
});

/// Its table in a configuration. `key` is a file that holds the application's private key.
pub fn table(name: &str, url: &str, key: &str, rest: &str) -> String {
    format!(
        "[[provider]]\nname = \"{name}\"\nkind = \"vonage\"\naccount = \"abcd1234\"\ntoken = \"canary-of-vonage\"\n\
         from = \"+{FROM}\"\nbase_url = \"{url}\"\nvoice_url = \"{url}\"\napplication = \"{APPLICATION}\"\n\
         private_key_file = \"{key}\"\ncallback_secret = \"{SECRET}\"\n{rest}\n"
    )
}

/// The stand-in: takes whatever is right, and names each call.
pub async fn start() -> Fake {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    Fake::start(move |request| {
        if request.line.starts_with("POST /sms/json") {
            let taken = json!({ "message-count": "1", "messages": [{ "status": "0", "message-id": "0A" }] });
            return Ok(Reply::Json(200, taken));
        }
        check(request)?;
        let number = calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Ok(Reply::Json(
            201,
            json!({
                "uuid": format!("63f61863-4a51-4f6b-86e1-46edebcf{number:04}"),
                "status": "started",
                "direction": "outbound",
                "conversation_uuid": format!("CON-f972836a-550f-45fa-956c-12a2ab5b{number:04}"),
            }),
        ))
    })
    .await
}

/// Every field, as Vonage's reference of POST /v1/calls has it.
fn check(request: &Request) -> Result<(), String> {
    if request.line != "POST /v1/calls" {
        return Err("there is no such address".to_owned());
    }
    if request.header("content-type") != "application/json" {
        return Err("no JSON".to_owned());
    }
    token(request)?;
    let call = request.json();
    let fields = call.as_object().ok_or("no object")?;
    let known = [
        "to",
        "from",
        "ncco",
        "event_url",
        "event_method",
        "machine_detection",
        "length_timer",
        "ringing_timer",
    ];
    if let Some(unknown) = fields.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(format!("{unknown} is not known"));
    }
    let is_number = |number: &Value| {
        let digits = number.as_str().unwrap_or_default();
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    let to = call["to"].as_array().filter(|to| to.len() == 1).ok_or("to is a list of one")?;
    for (end, name) in [(&to[0], "to"), (&call["from"], "from")] {
        if end["type"] != "phone"
            || !is_number(&end["number"])
            || end.as_object().is_none_or(|end| end.len() != 2)
        {
            return Err(format!("{name} is {end}"));
        }
    }
    let within = |name: &str, least: u64, most: u64| match call[name].as_u64() {
        Some(seconds) if (least..=most).contains(&seconds) => Ok(()),
        _ => Err(format!("{name} is {}", call[name])),
    };
    within("length_timer", 1, 7_200)?;
    within("ringing_timer", 1, 120)?;
    if !["continue", "hangup"].contains(&call["machine_detection"].as_str().unwrap_or("continue")) {
        return Err("machine_detection".to_owned());
    }
    if call["event_method"] != "POST" {
        return Err("event_method".to_owned());
    }
    one_address(&call["event_url"])?;
    follow(&call["ncco"])
}

/// The token has to be signed by the application, and good now and only for a while.
fn token(request: &Request) -> Result<(), String> {
    let token = request.header("authorization").strip_prefix("Bearer ").ok_or("no token")?.to_owned();
    let (signed, signature) = token.rsplit_once('.').ok_or("no token")?;
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|error| error.to_string());
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &KEYS.der)
        .verify(signed.as_bytes(), &bytes(signature)?)
        .map_err(|_| "the token is not signed by the application".to_owned())?;
    let (header, claims) = signed.split_once('.').ok_or("no token")?;
    let read = |part: &str| {
        bytes(part).and_then(|part| serde_json::from_slice::<Value>(&part).map_err(|error| error.to_string()))
    };
    let (header, claims) = (read(header)?, read(claims)?);
    if header != json!({ "typ": "JWT", "alg": "RS256" }) {
        return Err(format!("the token's header is {header}"));
    }
    let (from, to) = (claims["iat"].as_i64().unwrap_or(0), claims["exp"].as_i64().unwrap_or(0));
    if claims["application_id"] != APPLICATION
        || claims["jti"].as_str().is_none_or(str::is_empty)
        || !(1..=86_400).contains(&(to - from))
    {
        return Err(format!("the token says {claims}"));
    }
    Ok(())
}

fn one_address(urls: &Value) -> Result<(), String> {
    match urls.as_array().map(Vec::as_slice) {
        Some([url]) if url.as_str().is_some_and(|url| url.starts_with("http")) => Ok(()),
        _ => Err(format!("an address is {urls}")),
    }
}

/// What a telephone does with these actions; an error where Vonage would end the call.
fn follow(ncco: &Value) -> Result<(), String> {
    let actions = ncco.as_array().filter(|actions| !actions.is_empty()).ok_or("ncco is no list")?;
    for action in actions {
        let fields = action.as_object().ok_or("an action is no object")?;
        let known: &[&str] = match action["action"].as_str() {
            Some("talk") => &["action", "text", "language", "bargeIn"],
            Some("input") => &["action", "type", "dtmf", "eventUrl", "eventMethod"],
            _ => return Err(format!("there is no action {}", action["action"])),
        };
        if let Some(unknown) = fields.keys().find(|key| !known.contains(&key.as_str())) {
            return Err(format!("{unknown} is not known in {action}"));
        }
        if action["action"] == "talk" {
            let text = action["text"].as_str().unwrap_or_default();
            if text.trim().is_empty() || text.chars().count() > 1_500 || text.contains(['<', '>']) {
                return Err(format!("a talk of {text:?}"));
            }
            if !["en-US", "en-GB", "de-DE", "de-AT"]
                .contains(&action["language"].as_str().unwrap_or_default())
            {
                return Err(format!("there is no language {}", action["language"]));
            }
        } else {
            if action["type"] != json!(["dtmf"]) || action["eventMethod"] != "POST" {
                return Err(format!("an input is {action}"));
            }
            let dtmf = &action["dtmf"];
            if dtmf["maxDigits"] != 1 || !(0..=10).contains(&dtmf["timeOut"].as_i64().unwrap_or(-1)) {
                return Err(format!("dtmf is {dtmf}"));
            }
            one_address(&action["eventUrl"])?;
        }
    }
    Ok(())
}

/// A call that was asked for.
#[derive(Clone, Debug)]
pub struct Call {
    pub asked: Value,
    uuid: String,
}

impl Call {
    /// The newest of those that were asked for.
    pub fn newest(fake: &Fake) -> Self {
        let calls = fake.seen_at("POST /v1/calls");
        Self {
            asked: calls.last().expect("no call was asked for").json(),
            uuid: format!("63f61863-4a51-4f6b-86e1-46edebcf{:04}", calls.len() - 1),
        }
    }

    pub fn number(&self) -> &str {
        self.asked["to"][0]["number"].as_str().unwrap()
    }

    pub fn ncco(&self) -> &Value {
        &self.asked["ncco"]
    }

    /// An event of this call, as Vonage tells it.
    pub fn event(&self, status: &str, more: Value) -> Value {
        // Of who took the call it tells under another name.
        let name = if matches!(status, "human" | "machine") { "call_uuid" } else { "uuid" };
        let mut event = json!({
            "from": FROM, "to": self.number(), "conversation_uuid": "CON-f972836a",
            "status": status, "direction": "outbound", "timestamp": "2026-03-02T03:00:01.000Z",
        });
        event[name] = json!(self.uuid);
        for (key, value) in more.as_object().unwrap() {
            event[key] = value.clone();
        }
        event
    }

    /// Tells what became of it.
    pub async fn is(&self, world: &World, status: &str, more: Value) {
        let url = self.asked["event_url"][0].as_str().unwrap();
        let told = answer(world.client.post(url).json(&self.event(status, more))).await;
        assert_eq!(told.status, 204, "{}", told.text);
    }

    /// What Vonage says of a key; `timed_out` says nothing of whether there was one.
    pub fn keys(&self, digits: &str) -> Value {
        let digits = if digits.is_empty() { Value::Null } else { json!(digits) };
        json!({
            "speech": { "error": "Speech was not enabled" },
            "dtmf": { "digits": digits, "timed_out": true },
            "from": FROM, "to": self.number(), "uuid": self.uuid, "conversation_uuid": "CON-f972836a",
            "timestamp": "2026-03-02T03:00:01.000Z",
        })
    }

    /// Somebody presses a key where these actions ask for one. What Vonage is answered.
    pub async fn pressed(&self, world: &World, url: &str, digits: &str) -> Answer {
        answer(world.client.post(url).json(&self.keys(digits))).await
    }

    /// The same; what is said then.
    pub async fn press(&self, world: &World, ncco: &Value, digits: &str) -> Value {
        let told = self.pressed(world, &asks(ncco), digits).await;
        assert_eq!(told.status, 200, "{}", told.text);
        let then = told.body;
        follow(&then).unwrap_or_else(|why| panic!("Vonage would end the call: {why}: {then}"));
        then
    }
}

/// Where the key goes that these actions ask for.
pub fn asks(ncco: &Value) -> String {
    let input = ncco.as_array().unwrap().iter().find(|action| action["action"] == "input");
    let input = input.unwrap_or_else(|| panic!("nobody asks for a key: {ncco}"));
    input["eventUrl"][0].as_str().unwrap().to_owned()
}
