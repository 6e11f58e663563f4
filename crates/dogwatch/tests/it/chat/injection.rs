//! Five hundred texts that have broken out of something once, through every channel: each stand-in refuses whatever
//! its service would read as more than text.

use dogwatch::channel::Channel;
use dogwatch::channel::pushover::Pushover;
use dogwatch::channel::slack::Slack;
use dogwatch::channel::teams::Teams;
use dogwatch::channel::telegram::Telegram;
use dogwatch::channel::{mailgun, webhook};
use dogwatch::message::{Button, Message, Press};
use escalation::contact::Contact;
use escalation::delivery::{Outcome, Purpose};
use escalation::id::DeliveryId;
use serde_json::Value;

use super::outbound;
use crate::support::fake::{Fake, Reply, Request};
use crate::support::set_up_tls;

/// What stands before and after, and what stands between.
pub fn corpus() -> Vec<String> {
    let around = [
        ("", ""),
        ("x\r\n", "\r\n.\r\n"),
        ("\"", "\""),
        ("'>", "<!--"),
        ("</b></p>", "<b>"),
        ("`", "```"),
        ("\\", "\\"),
        ("]]>", "<![CDATA["),
        ("\u{202e}", "\u{2066}"),
        ("*_~", "~_*"),
        ("\u{0}\u{7}\u{1b}[2J", "\u{85}\u{2028}"),
        ("%0d%0a", "&#13;&#10;"),
        ("{{", "}}"),
    ];
    let cores = [
        "disk full",
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href=\"javascript:alert(1)\">click</a>",
        "<tg-spoiler>x</tg-spoiler>",
        "<!channel>",
        "<!everyone|x>",
        "<@U02ABCDEF>",
        "<#C02ABCDEF|general>",
        "<https://evil.example|bank>",
        "<mailto:a@b|c>",
        "@all",
        "@here",
        "@channel",
        "~town-square",
        "[link](javascript:alert(1))",
        "![image](https://evil.example/x.png)",
        "```\ncode\n```",
        "# heading\n---\n| a | b |",
        "&lt;b&gt; &amp;amp; &#60;",
        "&&&&&&&&<<<<<<<<>>>>>>>>",
        "Bcc: victim@example.org\r\nSubject: other\r\n\r\nbody",
        "=?utf-8?q?x=0D=0ABcc:_victim@example.org?=",
        "{\"type\":\"Action.OpenUrl\"}",
        "{{DATE(2026-01-01T00:00:00Z,SHORT)}}",
        "<Response><Dial>+4930123456</Dial></Response>",
        "'; DROP TABLE alert; --",
        "$(reboot) `reboot` ${IFS}",
        "../../etc/passwd",
        "%s%s%n %x",
        "\u{feff}\u{200b}\u{200d}\u{fffd}",
        "👩‍👩‍👧‍👦 é e\u{301} ﷽",
        "user=&token=&priority=-2",
        "?via=web#/../handset",
        "true",
        "\t\t\t",
        "a\u{300}\u{300}\u{300}\u{300}\u{300}\u{300}\u{300}",
        "http://127.0.0.1:1/|Open>",
        "</code></pre>",
    ];
    let all = around.iter().flat_map(|(before, after)| cores.map(|core| format!("{before}{core}{after}")));
    all.collect()
}

/// A text as a field of one line takes it: without control characters, and not empty.
pub fn one_line(words: &str) -> String {
    kept(words, |_| false)
}

/// A text as a field of many lines takes it.
pub fn many_lines(words: &str) -> String {
    kept(words, |letter| letter == '\n')
}

fn kept(words: &str, is_kept: fn(char) -> bool) -> String {
    let kept: String = words.chars().filter(|letter| !letter.is_control() || is_kept(*letter)).collect();
    if kept.trim().is_empty() { "x".to_owned() } else { kept.trim().to_owned() }
}

pub fn message(contact: &str, words: &str) -> Message {
    let code = "aAZysfQOAfn2rUZL3jvOQBACxaLfy5e2CyDMSkOsIvbmA".to_owned();
    let button = |press: Press| Button { press, label: press.label().to_owned(), code: code.clone() };
    Message {
        delivery: DeliveryId::from_bytes([7; 16]),
        attempt: 1,
        sent_at: "2026-03-02T03:00:00Z".parse().unwrap(),
        purpose: Purpose::Page,
        asks: escalation::page::Asks::Anybody,
        urgency: escalation::event::Urgency::High,
        contact: contact.parse().unwrap(),
        reader: Some(("john".to_owned(), words.to_owned())),
        language: "en".to_owned(),
        code: None,
        subject: None,
        headline: format!("CRITICAL ops: {words}"),
        since: None,
        is_reworded: false,
        lines: vec![format!("Alert #1 for {words}"), words.to_owned()],
        details: words.repeat(20),
        alert_url: Some("http://127.0.0.1:1/alerts/1".to_owned()),
        answer_url: Some("http://127.0.0.1:1/answer/page_1/x".to_owned()),
        reply_code: None,
        buttons: Press::ALL.map(button).to_vec(),
        others: Vec::new(),
    }
}

/// Every text through one channel, which has to take each, and as text.
async fn withstands(fake: &Fake, channel: &dyn Channel, contact: &str) {
    let all = corpus();
    assert!(all.len() >= 500, "{}", all.len());
    for words in &all {
        let outcome = channel.send(&message(contact, words)).await;
        assert!(matches!(outcome, Outcome::Accepted { .. }), "{contact}: {words:?}: {outcome}");
    }
    assert!(fake.seen().len() >= all.len());
}

/// What a request says, whichever message it makes or changes.
fn said(request: &Request) -> Value {
    let mut body = request.json();
    for address in ["channel", "ts", "channel_id", "chat_id", "message_id", "disable_notification"] {
        body.as_object_mut().unwrap().remove(address);
    }
    body
}

/// Every text as the change of a message, which the stand-in judges as it judges a new one. Both say the same.
async fn changes_withstand(fake: &Fake, channel: &dyn Channel, contact: &str, sends: &str, changes: &str) {
    let all = corpus();
    assert!(channel.can_amend() && all.len() >= 500);
    for words in &all {
        let message = message(contact, words);
        let sent = channel.send(&message).await;
        let Outcome::Accepted { provider_id } = &sent else { panic!("{contact}: {words:?}: {sent}") };
        let changed = channel.amend(&message, provider_id).await;
        assert!(matches!(changed, Outcome::Accepted { .. }), "{contact}: {words:?}: {changed}");
    }
    let (sent, changed) = (fake.seen_at(sends), fake.seen_at(changes));
    assert_eq!((sent.len(), changed.len()), (all.len(), all.len()));
    for (sent, changed) in sent.iter().zip(&changed) {
        assert_eq!(said(sent), said(changed));
    }
}

#[tokio::test]
async fn ntfy_shows_text() {
    let fake = super::ntfy::fake().await;
    withstands(&fake, &super::ntfy::channel(&fake), "ntfy:ops-night").await;
}

#[tokio::test]
async fn telegram_shows_text() {
    let fake = super::telegram::fake().await.0;
    withstands(&fake, &Telegram::new(super::telegram::client(&fake, outbound())), "telegram:4711").await;
}

#[tokio::test]
async fn a_message_that_is_changed_in_telegram_shows_text() {
    let fake = super::telegram::fake().await.0;
    let channel = Telegram::new(super::telegram::client(&fake, outbound()));
    let (sends, changes) = ("POST /bot4711:canary/sendMessage", "POST /bot4711:canary/editMessageText");
    changes_withstand(&fake, &channel, "telegram:4711", sends, changes).await;
}

#[tokio::test]
async fn slack_shows_text() {
    let fake = super::slack::fake().await;
    withstands(&fake, &Slack::new(outbound(), super::slack::app(&fake)), "slack:U02JOHN").await;
}

#[tokio::test]
async fn a_message_that_is_changed_in_slack_shows_text() {
    let fake = super::slack::fake().await;
    let channel = Slack::new(outbound(), super::slack::app(&fake));
    let (sends, changes) = ("POST /api/chat.postMessage", "POST /api/chat.update");
    changes_withstand(&fake, &channel, "slack:U02JOHN", sends, changes).await;
}

#[tokio::test]
async fn mattermost_shows_text() {
    let fake = super::mattermost::fake().await;
    withstands(&fake, &super::mattermost::channel(&fake, outbound()), "mattermost:@john.smith").await;
}

#[tokio::test]
async fn a_post_that_is_changed_in_mattermost_shows_text() {
    let fake = super::mattermost::fake().await;
    let channel = super::mattermost::channel(&fake, outbound());
    changes_withstand(&fake, &channel, "mattermost:@john.smith", "POST /api/v4/posts", "PUT /api/v4/posts")
        .await;
}

#[tokio::test]
async fn teams_shows_text() {
    let (fake, contact) = super::teams::fake().await;
    withstands(&fake, &Teams::through(outbound()), &contact).await;
}

#[tokio::test]
async fn pushover_shows_text() {
    let fake = super::pushover::fake().await.0;
    let contact = format!("pushover:{}", super::pushover::JOHN);
    withstands(&fake, &Pushover::new(super::pushover::client(&fake, outbound())), &contact).await;
}

#[tokio::test]
async fn a_mail_shows_text() {
    let fake = super::mailgun::fake().await;
    let channel = mailgun::Mailgun::new(super::mailgun::client(&fake, outbound()));
    withstands(&fake, &channel, "email:john@example.org").await;
    // As many elements and headers as in a plain one, whatever the text.
    let count = |text: &str| (text.matches('<').count(), text.matches("</").count());
    let forms: Vec<_> = fake.seen().iter().map(crate::support::fake::Request::form).collect();
    let html = |form: &[(String, String)]| form.iter().find(|(key, _)| key == "html").unwrap().1.clone();
    for form in &forms {
        assert_eq!(form.len(), forms[0].len());
        assert_eq!(count(&html(form)), count(&html(&forms[0])), "{}", html(form));
    }
}

/// To a reply by mail. A person's name, or the one that a monitoring system has for somebody, stands in the subject.
#[tokio::test]
async fn an_answer_to_a_mail_shows_text() {
    let fake = super::mailgun::fake().await;
    let client = super::mailgun::client(&fake, outbound());
    let john: Contact = "email:john@example.org".parse().unwrap();
    let all = corpus();
    for words in &all {
        let answer = format!("{words} has #1 already. You need not do anything.");
        let told = client.tell(&john, &answer, "<delivery@mg.example.org>").await;
        assert!(told.is_ok(), "{words:?}: {told:?}");
    }
    let forms: Vec<_> = fake.seen().iter().map(Request::form).collect();
    assert_eq!(forms.len(), all.len());
    let names = |form: &[(String, String)]| form.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    for form in &forms {
        assert_eq!(names(form), names(&forms[0]), "{form:?}");
        let subject = &form.iter().find(|(name, _)| name == "subject").unwrap().1;
        assert!(!subject.contains(['\r', '\n']), "{subject:?}");
    }
}

#[tokio::test]
async fn a_webhook_gets_text() {
    set_up_tls();
    let fake = Fake::start(|request| {
        let body = request.json();
        let fields = body.as_object().ok_or("this is no object")?;
        if fields.len() < 9 { Err("fields are missing".to_owned()) } else { Ok(Reply::Json(200, body)) }
    })
    .await;
    let channel =
        webhook::Webhook::new(b"0123456789abcdef01234567".to_vec(), vec!["127.0.0.0/8".parse().unwrap()]);
    withstands(&fake, &channel.unwrap(), &format!("webhook:{}/hook", fake.url)).await;
}
