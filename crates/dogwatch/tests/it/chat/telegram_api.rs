//! Telegram, against a server that others wrote for testing bots with: `telegram-test-api` from npm, which
//! `scripts/test` installs. Whoever has the bot in his chat is played through that server, too.
//!
//! It is laxer than Telegram: how we write is judged by the stand-in in `telegram.rs`. It never waits for news, hands
//! each out once whatever `offset` says, forgets what `answerCallbackQuery` tells whoever pressed, and answers `null`
//! where Telegram answers `true` or the changed message; the few lines that start it here answer `true` instead.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use dogwatch::callback;
use dogwatch::channel::telegram::{Bot, Client, Telegram};
use dogwatch::secret::Secret;
use escalation::contact::Kind;
use serde_json::{Value, json};

use super::telegram::{code, labels};
use super::{delivery, outbound, page, world};
use crate::support::database::address_of;
use crate::support::process::{self, Process, client, send, until};
use crate::support::{World, answer};

/// The bot's token.
const BOT: &str = "4711:canary";

/// Says its port, and ends with its input: when the test does.
const SERVER: &str = r#"
const Server = require('telegram-test-api');
const server = new Server({ host: '127.0.0.1', storeTimeout: 3600 });
// Any that is free; asked for as an option it would be 9000.
server.config.port = 0;
const { json } = server.webServer.response;
server.webServer.response.json = function (body) {
  return json.call(this, body.result === null ? { ...body, result: true } : body);
};
process.stdin.on('end', () => process.exit()).resume();
server.start().then(() => console.log(server.server.address().port));
"#;

/// The server; it ends when nobody needs it any more.
struct Api {
    child: Child,
    url: String,
    client: reqwest::Client,
}

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Api {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/telegram-test-api");
        assert!(folder.join("installed").exists(), "run scripts/test once: it installs what the tests need");
        let mut child = Command::new("node")
            .args(["-e", SERVER])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node; scripts/test installs it");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port: u16 = lines.next().expect("the server starts").unwrap().parse().unwrap();
        Self { child, url: format!("http://127.0.0.1:{port}"), client: client() }
    }

    /// Asks as somebody who plays the user.
    async fn ask(&self, path: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.url));
        let answer = answer(request.header("content-type", "application/json").body(body.to_string())).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.body["result"].clone()
    }

    /// What has come into a chat since this was asked last, each with its `messageId`.
    async fn news(&self, chat: i64) -> Vec<Value> {
        let news = self.ask("/getUpdates", json!({ "token": BOT, "chatId": chat })).await;
        news.as_array().unwrap().clone()
    }

    /// The bot's messages in a chat as they stand now, from the oldest.
    async fn shown(&self, chat: i64) -> Vec<Value> {
        let all = self.ask("/getUpdatesHistory", json!({ "token": BOT })).await;
        let messages = all.as_array().unwrap().iter().map(|one| one["message"].clone());
        messages.filter(|message| message["chat_id"] == chat).collect()
    }

    /// Somebody presses a button.
    async fn press(&self, user: i64, data: &str) {
        let from = json!({ "id": user, "first_name": "J", "username": "j", "is_bot": false });
        let chat = json!({ "id": 4711, "first_name": "J", "type": "private" });
        let message = json!({ "from": from, "chat": chat });
        let query = json!({ "botToken": BOT, "date": 1, "from": from, "message": message, "data": data });
        self.ask("/sendCallback", query).await;
    }

    /// Somebody writes a command to the bot.
    async fn command(&self, user: i64, text: &str) {
        let from = json!({ "id": user, "first_name": "J", "username": "j", "is_bot": false });
        let chat = json!({ "id": user, "first_name": "J", "type": "private" });
        let entities = json!([{ "offset": 0, "length": text.len(), "type": "bot_command" }]);
        let message = json!({
            "botToken": BOT, "date": 1, "from": from, "chat": chat, "text": text, "entities": entities,
        });
        self.ask("/sendCommand", message).await;
    }
}

struct Chat {
    api: Api,
    world: World,
    reader: callback::telegram::Telegram,
}

impl Chat {
    /// John is reached in the chat 4711.
    async fn new() -> Self {
        let api = Api::start();
        let bot = Bot { api: api.url.clone(), token: Secret::given(BOT.to_owned()) };
        let client = Client::new(outbound(), bot);
        let world = world(Kind::Telegram, Telegram::new(client.clone()), "telegram:4711").await;
        let (store, clock) = (world.store.clone(), world.clock.clone());
        let reader = callback::telegram::Telegram::new(store, clock, world.links.clone(), client);
        Self { api, world, reader }
    }

    /// Somebody presses a button, and we ask for news.
    async fn press(&mut self, user: i64, data: &str) {
        self.api.press(user, data).await;
        assert_eq!(self.reader.turn().await.unwrap(), 1);
    }

    /// The one message of the bot, as it stands after we have changed what is to be changed.
    async fn amended(&self) -> Value {
        self.world.amend().await;
        let mut shown = self.api.shown(4711).await;
        assert_eq!(shown.len(), 1, "{shown:?}");
        shown.remove(0)
    }
}

#[tokio::test]
async fn a_page_comes_its_buttons_answer_and_the_message_follows() {
    let mut chat = Chat::new().await;
    let alert = page(&mut chat.world, json!({ "summary": "disk <full>", "severity": "critical" })).await;
    let news = chat.api.news(4711).await;
    assert_eq!(news.len(), 1, "{news:?}");
    assert_eq!(delivery(&alert, "telegram")["attempts"][0]["detail"], news[0]["messageId"].to_string());
    let message = &news[0]["message"];
    let said = message["text"].as_str().unwrap();
    assert!(said.starts_with("<b>CRITICAL john: disk &lt;full&gt;</b>\n"), "{said}");
    assert_eq!(labels(message), ["I have it", "Resolved", "Not me"]);

    chat.press(4711, &code(message, "I have it")).await;
    let story = chat.world.story(1).await;
    let acknowledged = "Acknowledged: John Smith, by a button in Telegram";
    assert!(story.iter().any(|line| line.ends_with(acknowledged)), "{story:?}");
    let shown = chat.amended().await;
    let said = shown["text"].as_str().unwrap();
    assert!(said.starts_with("<b>John Smith has it: CRITICAL john: disk &lt;full&gt;</b>"), "{said}");
    assert_eq!(labels(&shown), ["Resolved"]);

    chat.press(4711, &code(&shown, "Resolved")).await;
    assert_eq!(chat.world.get("/api/v1/alerts/1").await["status"], "resolved");
    let shown = chat.amended().await;
    assert!(shown["text"].as_str().unwrap().starts_with("<b>Resolved: "), "{shown}");
    assert_eq!(labels(&shown), Vec::<String>::new());
    assert_eq!(chat.reader.turn().await.unwrap(), 0, "no news is left");
    assert!(chat.api.news(4711).await.is_empty(), "nobody's phone rings because a message was changed");
}

#[tokio::test]
async fn what_is_answered_elsewhere_shows_in_the_message() {
    let mut chat = Chat::new().await;
    page(&mut chat.world, json!({ "summary": "disk full" })).await;
    chat.world.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    let shown = chat.amended().await;
    assert!(shown["text"].as_str().unwrap().starts_with("<b>Test has it: "), "{shown}");
}

#[tokio::test]
async fn whoever_is_a_stranger_answers_nothing() {
    let mut chat = Chat::new().await;
    page(&mut chat.world, json!({ "summary": "disk full" })).await;
    let before = chat.api.shown(4711).await;
    chat.press(666, &code(&before[0], "I have it")).await;
    assert_eq!(chat.world.get("/api/v1/alerts/1").await["status"], "triggered");
    assert_eq!(chat.amended().await, before[0]);
}

#[tokio::test]
async fn whoever_starts_the_bot_hears_which_contact_he_is() {
    let mut chat = Chat::new().await;
    chat.api.command(99, "/start").await;
    assert_eq!(chat.reader.turn().await.unwrap(), 1);
    let news = chat.api.news(99).await;
    assert_eq!(news.len(), 1, "{news:?}");
    let said = news[0]["message"]["text"].as_str().unwrap();
    assert!(said.ends_with("add this contact: telegram:99"), "{said}");
}

/// Nobody drives the shipped program: it asks for news by itself.
#[tokio::test]
async fn a_button_that_was_pressed_while_the_program_was_down_counts_once_it_is_up_again() {
    let api = Api::start();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dogwatch.toml");
    let table = format!("[[provider]]\nkind = \"telegram\"\nbase_url = \"{}\"\ntoken = \"{BOT}\"\n", api.url);
    std::fs::write(&config, table).unwrap();
    let serve = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dogwatch"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--config"]).arg(&config).arg("--database");
        command.arg(address_of(&folder.path().join("d.db")));
        command.env("DOGWATCH_ADMIN_TOKEN", process::TOKEN);
        Process::start(command)
    };
    let first = serve();
    let client = client();
    let john = json!({ "name": "john", "full_name": "John", "contacts": ["telegram:4711"] });
    send(&client, "POST", &format!("{}/api/v1/people", first.url), john).await;
    let notify = format!("{}/api/v1/people/john/notify", first.url);
    send(&client, "POST", &notify, json!({ "summary": "disk full" })).await;
    // Not earlier: what was sent and not remembered is sent again, and never changed.
    let alert = format!("{}/api/v1/alerts/1", first.url);
    until(|| async {
        let alert = send(&client, "GET", &alert, Value::Null).await;
        alert["deliveries"].as_array().unwrap().iter().any(|one| one["state"] == "sent")
    })
    .await;
    first.kill();

    let message = api.shown(4711).await.remove(0);
    api.press(4711, &code(&message, "I have it")).await;
    let second = serve();
    until(|| async {
        let shown = api.shown(4711).await.remove(0);
        shown["text"].as_str().unwrap().starts_with("<b>John has it: ")
    })
    .await;
    let alert = send(&client, "GET", &format!("{}/api/v1/alerts/1", second.url), Value::Null).await;
    let acknowledged = &alert["acknowledged"];
    assert_eq!((&acknowledged["by"], &acknowledged["via"]), (&json!("John"), &json!("telegram")), "{alert}");
}
