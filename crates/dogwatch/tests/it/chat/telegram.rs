//! Telegram, against a stand-in that keeps to the documents of the Bot API.

use std::sync::{Arc, Mutex};

use dogwatch::callback;
use dogwatch::channel::telegram::{Bot, Client, Telegram};
use dogwatch::outbound::Outbound;
use dogwatch::secret::Secret;
use escalation::contact::Kind;
use escalation::delivery::Outcome;
use serde_json::{Value, json};

use super::{NASTY, delivery, only, outbound, page, text, world};
use crate::support::World;
use crate::support::fake::{Fake, Reply, Request, raw};

/// What has happened at Telegram that we have not been told.
pub(super) type News = Arc<Mutex<Vec<Value>>>;

/// Text in the Bot API's HTML: which tags there are, and what is left without them. As strict as Telegram.
fn read_html(text: &str) -> Result<(usize, String), String> {
    let (mut tags, mut plain, mut rest) = (0, String::new(), text);
    let mut open: Vec<&str> = Vec::new();
    while let Some(at) = rest.find(['<', '>', '&']) {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("<b>") {
            open.push("b");
            tags += 1;
            rest = after;
        } else if let Some(after) = rest.strip_prefix("</b>") {
            open.pop().ok_or("nothing to close")?;
            rest = after;
        } else {
            let known = [("&lt;", '<'), ("&gt;", '>'), ("&amp;", '&'), ("&quot;", '"')];
            let found = known.into_iter().find_map(|(name, letter)| Some((rest.strip_prefix(name)?, letter)));
            let (after, letter) = found.ok_or_else(|| format!("can't parse entities: {rest}"))?;
            plain.push(letter);
            rest = after;
        }
    }
    plain.push_str(rest);
    if open.is_empty() { Ok((tags, plain)) } else { Err("a tag is open at the end".to_owned()) }
}

fn check_message(body: &Value, more: &[&str]) -> Result<(), String> {
    let fields = ["chat_id", "text", "parse_mode", "link_preview_options", "reply_markup"];
    only(body, &[&fields[..], more].concat())?;
    body["chat_id"].as_i64().ok_or("chat_id is no number")?;
    let said = text(body, "text")?;
    let (tags, plain) = match body["parse_mode"].as_str() {
        Some("HTML") => read_html(said)?,
        None => (0, said.to_owned()),
        Some(other) => return Err(format!("parse_mode {other}")),
    };
    if plain.chars().count() > 4096 || plain.is_empty() || tags > 1 {
        return Err(format!("{tags} tags, {} characters", plain.chars().count()));
    }
    let Some(rows) = body["reply_markup"].get("inline_keyboard") else { return Ok(()) };
    for button in rows.as_array().ok_or("rows")?.iter().flat_map(|row| row.as_array().unwrap()) {
        only(button, &["text", "callback_data"])?;
        if text(button, "text")?.is_empty() || !(1..=64).contains(&text(button, "callback_data")?.len()) {
            return Err("a button has a text, and 1 to 64 bytes of data".to_owned());
        }
    }
    Ok(())
}

pub(super) async fn fake() -> (Fake, News) {
    let news = News::default();
    let queue = news.clone();
    let rules = move |request: &Request| {
        let method =
            request.line.strip_prefix("POST /bot4711:canary/").ok_or("401 Unauthorized: bot token")?;
        let body = request.json();
        let ok = |result: Value| Ok(Reply::Json(200, json!({ "ok": true, "result": result })));
        match method {
            "sendMessage" => {
                check_message(&body, &["disable_notification"])?;
                ok(json!({ "message_id": 77, "date": 1, "chat": { "id": body["chat_id"] } }))
            }
            "editMessageText" => {
                check_message(&body, &["message_id"])?;
                if body["message_id"] != 77 {
                    return Err("message to edit not found".to_owned());
                }
                ok(json!({ "message_id": 77 }))
            }
            "getUpdates" => {
                only(&body, &["offset", "timeout", "allowed_updates"])?;
                let offset = body["offset"].as_i64().ok_or("offset is a number")?;
                let mut queue = queue.lock().unwrap();
                queue.retain(|update| update["update_id"].as_i64() >= Some(offset));
                ok(json!(*queue))
            }
            "answerCallbackQuery" => {
                only(&body, &["callback_query_id", "text", "show_alert"])?;
                let id = text(&body, "callback_query_id")?;
                if !queue.lock().unwrap().iter().any(|update| update["callback_query"]["id"] == id) {
                    return Err("query is too old or query ID is invalid".to_owned());
                }
                if text(&body, "text")?.chars().count() > 200 {
                    return Err("MESSAGE_TOO_LONG".to_owned());
                }
                ok(json!(true))
            }
            other => Err(format!("no method {other}")),
        }
    };
    (Fake::start(rules).await, news)
}

pub(super) fn client(fake: &Fake, outbound: Outbound) -> Client {
    let token = Secret::given("4711:canary".to_owned());
    Client::new(outbound, Bot { api: fake.url.clone(), token })
}

struct Chat {
    fake: Fake,
    news: News,
    world: World,
    reader: callback::telegram::Telegram,
    pressed: i64,
}

impl Chat {
    async fn new(contact: &str) -> Self {
        let (fake, news) = fake().await;
        let world = world(Kind::Telegram, Telegram::new(client(&fake, outbound())), contact).await;
        let (store, clock) = (world.store.clone(), world.clock.clone());
        let client = client(&fake, outbound());
        let reader = callback::telegram::Telegram::new(store, clock, world.links.clone(), client);
        Self { fake, news, world, reader, pressed: 100 }
    }

    /// Somebody presses a button. Returns what the small window says, and whether it has to be closed.
    async fn press(&mut self, user: i64, data: &str) -> (String, bool) {
        self.pressed += 1;
        let query = json!({
            "id": format!("query{}", self.pressed), "data": data, "chat_instance": "x",
            "from": { "id": user, "is_bot": false, "first_name": "J" },
            "message": { "message_id": 77, "date": 1, "chat": { "id": 4711, "type": "private" } },
        });
        self.news.lock().unwrap().push(json!({ "update_id": self.pressed, "callback_query": query }));
        self.reader.turn().await.unwrap();
        let answers = self.fake.seen_at("POST /bot4711:canary/answerCallbackQuery");
        let body = answers.last().unwrap().json();
        (body["text"].as_str().unwrap().to_owned(), body["show_alert"].as_bool().unwrap())
    }

    fn sent(&self) -> Vec<Value> {
        self.fake.seen_at("POST /bot4711:canary/sendMessage").iter().map(Request::json).collect()
    }

    fn edited(&self) -> Vec<Value> {
        self.fake.seen_at("POST /bot4711:canary/editMessageText").iter().map(Request::json).collect()
    }
}

/// The code of a button.
pub(super) fn code(message: &Value, label: &str) -> String {
    let buttons = message["reply_markup"]["inline_keyboard"][0].as_array().unwrap();
    let found = buttons.iter().find(|button| button["text"] == label);
    found.unwrap_or_else(|| panic!("no button {label}: {message}"))["callback_data"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(super) fn labels(message: &Value) -> Vec<String> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array().unwrap();
    let buttons = rows.iter().flat_map(|row| row.as_array().unwrap());
    buttons.map(|button| button["text"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_button_acknowledges_and_the_message_says_so_afterwards() {
    let mut chat = Chat::new("telegram:4711").await;
    let alert = page(&mut chat.world, json!({ "summary": "disk full", "severity": "critical" })).await;
    assert_eq!(delivery(&alert, "telegram")["attempts"][0]["detail"], "77");
    let sent = chat.sent().remove(0);
    assert_eq!(sent["chat_id"], 4711);
    let said = sent["text"].as_str().unwrap();
    assert!(said.starts_with("<b>CRITICAL john: disk full</b>\n"), "{said}");
    assert_eq!(labels(&sent), ["I have it", "Resolved", "Not me"]);
    chat.world.amend().await;
    assert_eq!(chat.edited().len(), 0, "it says how the alert stands");

    let said = chat.press(4711, &code(&sent, "I have it")).await;
    assert_eq!(said, ("You have #1. Nobody else is paged any more.".to_owned(), false));
    let story = chat.world.story(1).await;
    assert!(
        story.iter().any(|line| line.ends_with("Acknowledged: John Smith, by a button in Telegram")),
        "{story:?}"
    );

    chat.world.amend().await;
    let edited = chat.edited().remove(0);
    let said = edited["text"].as_str().unwrap();
    assert!(said.starts_with("<b>John Smith has it: CRITICAL john: disk full</b>"), "{said}");
    assert!(!said.contains("Please answer"), "{said}");
    assert_eq!(labels(&edited), ["Resolved"]);

    let said = chat.press(4711, &code(&edited, "Resolved")).await;
    assert_eq!(said.0, "#1 is resolved. Everybody who was paged is told.");
    chat.world.amend().await;
    assert_eq!(labels(&chat.edited()[1]), Vec::<String>::new());
    // What is over is not looked at any more.
    assert_eq!(chat.world.amend().await, None);
    assert_eq!(chat.edited().len(), 2);
}

#[tokio::test]
async fn not_me_pages_the_next() {
    let mut chat = Chat::new("telegram:4711").await;
    page(&mut chat.world, json!({ "summary": "disk full" })).await;
    let said = chat.press(4711, &code(&chat.sent()[0], "Not me")).await;
    assert_eq!(said, ("Done. #1 goes on to the next.".to_owned(), false));
}

#[tokio::test]
async fn a_stranger_is_refused_and_told_why() {
    let mut chat = Chat::new("telegram:4711").await;
    page(&mut chat.world, json!({ "summary": "disk full" })).await;
    let button = code(&chat.sent()[0], "I have it");
    let (said, closes) = chat.press(666, &button).await;
    assert!(closes && said.contains("knows nobody with the contact telegram:666"), "{said}");
    // Two people with one contact: nobody knows who it was.
    let bob = json!({ "name": "bob", "contacts": ["telegram:4711"] });
    chat.world.post("/api/v1/people", bob).await;
    let (said, closes) = chat.press(4711, &button).await;
    assert!(closes && said.contains("several people"), "{said}");
    assert_eq!(chat.world.get("/api/v1/alerts/1").await["status"], "triggered");
}

/// A client of somebody's own making can send any data for any button.
#[tokio::test]
async fn data_that_is_not_ours_does_nothing() {
    let mut chat = Chat::new("telegram:4711").await;
    page(&mut chat.world, json!({ "summary": "disk full" })).await;
    let button = code(&chat.sent()[0], "I have it");
    let mut resolve = button.clone();
    resolve.replace_range(..1, "r");
    let short = button[..30].to_owned();
    let other = if button.ends_with('A') { 'Q' } else { 'A' };
    let tail = format!("{}{other}", &button[..button.len() - 1]);
    for data in ["", "a", "ack", "äöü🔥🔥🔥🔥🔥🔥🔥🔥🔥🔥", &resolve, &short, &tail] {
        let (said, closes) = chat.press(4711, data).await;
        assert!(closes && said.contains("not one of Dogwatch's"), "{data}: {said}");
    }
    assert_eq!(chat.world.get("/api/v1/alerts/1").await["status"], "triggered");
}

/// After a crash the same news comes again.
#[tokio::test]
async fn news_that_comes_twice_does_nothing_twice() {
    let mut chat = Chat::new("telegram:4711").await;
    page(&mut chat.world, json!({ "summary": "disk full" })).await;
    let button = code(&chat.sent()[0], "I have it");
    chat.press(4711, &button).await;
    let client = client(&chat.fake, outbound());
    let (store, clock) = (chat.world.store.clone(), chat.world.clock.clone());
    chat.reader = callback::telegram::Telegram::new(store, clock, chat.world.links.clone(), client);
    chat.reader.turn().await.unwrap();
    let story = chat.world.story(1).await;
    assert_eq!(story.iter().filter(|line| line.contains("Acknowledged")).count(), 1, "{story:?}");
    chat.reader.turn().await.unwrap();
    let asked = chat.fake.seen_at("POST /bot4711:canary/getUpdates");
    assert_eq!(asked.last().unwrap().json()["offset"], 102);
}

#[tokio::test]
async fn whoever_starts_the_bot_hears_what_to_write() {
    let mut chat = Chat::new("telegram:4711").await;
    for (count, (id, said)) in
        [(99, "/start"), (-1_001, "/start@dogwatch_bot"), (99, "hello")].into_iter().enumerate()
    {
        let message = json!({ "message_id": 1, "date": 1, "chat": { "id": id }, "text": said });
        chat.news.lock().unwrap().push(json!({ "update_id": 5 + count, "message": message }));
    }
    // What can't be read is passed over.
    chat.news.lock().unwrap().push(json!({ "update_id": 9, "message": { "chat": "?" } }));
    chat.reader.turn().await.unwrap();
    let sent = chat.sent();
    assert_eq!(sent.len(), 2);
    assert!(sent[0]["text"].as_str().unwrap().ends_with("add this contact: telegram:99"), "{sent:?}");
    assert!(sent[1]["text"].as_str().unwrap().ends_with("use: telegram:-1001"), "{sent:?}");
}

#[tokio::test]
async fn no_text_breaks_out_of_a_message() {
    let mut chat = Chat::new("telegram:4711").await;
    for (count, words) in NASTY.into_iter().enumerate() {
        let body = json!({ "summary": words, "details": words.repeat(300), "dedup_key": count.to_string() });
        chat.world.request("POST", "/api/v1/people/john/notify", Some(body)).await;
        chat.world.pass_seconds(120).await;
    }
    // The stand-in reads each as Telegram does: one bold headline and nothing else.
    assert!(chat.sent().len() >= 5, "{}", chat.sent().len());
}

#[tokio::test]
async fn a_message_that_can_not_be_changed_is_left_after_a_few_tries() {
    let mut chat = Chat::new("telegram:4711").await;
    page(&mut chat.world, json!({ "summary": "disk full" })).await;
    chat.press(4711, &code(&chat.sent()[0], "I have it")).await;
    for _ in 0..5 {
        chat.fake.once(raw("500 Oops", "", "{}"));
    }
    let mut next = chat.world.amend().await;
    while let Some(at) = next {
        chat.world.clock.set(at);
        next = chat.world.amend().await;
    }
    assert_eq!(chat.edited().len(), 5);
}

#[tokio::test]
async fn when_telegram_asks_us_to_wait_we_wait_as_long() {
    let mut chat = Chat::new("telegram:4711").await;
    let slow = json!({ "ok": false, "error_code": 429, "description": "Too Many Requests: retry after 9",
        "parameters": { "retry_after": 9 } });
    chat.fake.once(Reply::Json(429, slow));
    let Err(Outcome::RetryAfter { pause, why }) = chat.reader.turn().await else { panic!("it was refused") };
    assert_eq!(pause.as_secs(), 9);
    assert!(!why.contains("canary"), "{why}");
}

#[tokio::test]
async fn several_at_once_are_answered_by_one_button_and_the_message_follows_each() {
    let mut chat = Chat::new("telegram:4711").await;
    for key in ["one", "two", "three"] {
        chat.world.post("/api/v1/people/john/notify", json!({ "summary": key, "dedup_key": key })).await;
    }
    chat.world.pass_seconds(61).await;
    let together = chat.sent().remove(1);
    assert_eq!(labels(&together), ["I have all 2"]);
    chat.world.post("/api/v1/alerts/3/resolve", json!({})).await;
    chat.world.amend().await;
    let edited = chat.edited().pop().unwrap();
    let said = edited["text"].as_str().unwrap();
    assert!(said.contains("#2 ERROR john: two: nobody has it yet"), "{said}");
    assert!(said.contains("#3 ERROR john: three: resolved"), "{said}");

    let (said, closes) = chat.press(4711, &code(&edited, "I have all 2")).await;
    assert_eq!((said.as_str(), closes), ("You have #2. Nobody else is paged any more.", false));
    assert_eq!(chat.world.get("/api/v1/alerts/1").await["status"], "triggered", "it was in another message");
    chat.world.amend().await;
    assert_eq!(labels(chat.edited().last().unwrap()), Vec::<String>::new());
}
