//! Microsoft Teams: a card with a link.

use dogwatch::channel::teams::Teams;
use escalation::contact::Kind;
use serde_json::{Value, json};

use super::{NASTY, delivery, only, outbound, page, text, world};
use crate::support::World;
use crate::support::fake::{Fake, Reply, Request, raw};

/// An adaptive card as the webhook's documents and the schema of version 1.4 have it. Text is in runs only, where
/// no Markdown is read.
fn rules(request: &Request) -> Result<Reply, String> {
    if request.line != "POST /workflows/1/triggers/manual/paths/invoke?sig=canary" {
        return Err("no such workflow".to_owned());
    }
    let body = request.json();
    only(&body, &["type", "attachments"])?;
    let [attachment] = &body["attachments"].as_array().ok_or("attachments")?[..] else {
        return Err("one card".to_owned());
    };
    only(attachment, &["contentType", "content"])?;
    let card = &attachment["content"];
    only(card, &["$schema", "type", "version", "msteams", "body", "actions"])?;
    let is_card = body["type"] == "message"
        && attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        && card["type"] == "AdaptiveCard";
    if !is_card || request.body.len() > 28 * 1024 {
        return Err("no card, or too large".to_owned());
    }
    for block in card["body"].as_array().ok_or("body")? {
        only(block, &["type", "inlines"])?;
        let run = &block["inlines"][0];
        only(run, &["type", "text", "weight", "size"])?;
        let is_text = block["type"] == "RichTextBlock" && run["type"] == "TextRun";
        if !is_text || text(run, "text")?.contains(char::is_control) {
            return Err("no run of text".to_owned());
        }
    }
    for action in card["actions"].as_array().ok_or("actions")? {
        only(action, &["type", "title", "url"])?;
        if action["type"] != "Action.OpenUrl" || !text(action, "url")?.starts_with("http://127.0.0.1") {
            return Err("a link of ours".to_owned());
        }
    }
    Ok(raw("202 Accepted", "", ""))
}

pub(super) async fn fake() -> (Fake, String) {
    let fake = Fake::start(rules).await;
    let contact = format!("teams:{}/workflows/1/triggers/manual/paths/invoke?sig=canary", fake.url);
    (fake, contact)
}

async fn start() -> (Fake, World) {
    let (fake, contact) = fake().await;
    (fake, world(Kind::Teams, Teams::through(outbound()), &contact).await)
}

#[tokio::test]
async fn a_card_says_what_is_wrong_and_leads_to_the_alert() {
    let (fake, mut world) = start().await;
    let alert = page(&mut world, json!({ "summary": "disk full", "severity": "critical" })).await;
    assert_eq!(delivery(&alert, "teams")["state"], "sent");
    let body = fake.seen()[0].json();
    let card = &body["attachments"][0]["content"];
    assert_eq!(card["body"][0]["inlines"][0]["text"], "CRITICAL john: disk full");
    // Whoever reads a channel is not John: the address that answers for him is not in it.
    assert_eq!(card["actions"][0]["url"], format!("{}/alerts/1", world.url));
    assert!(!body.to_string().contains("/answer/"), "{body}");
}

/// Before workflows, a webhook of Teams said "200 OK" of everything.
#[tokio::test]
async fn the_words_of_a_failure_are_no_success() {
    let (fake, mut world) = start().await;
    fake.once(raw(
        "200 OK",
        "",
        "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429",
    ));
    let alert = page(&mut world, json!({ "summary": "disk full" })).await;
    assert_eq!(delivery(&alert, "teams")["attempts"][0]["outcome"], "refused");
    let (fake, mut world) = start().await;
    fake.once(raw("200 OK", "", "1"));
    let alert = page(&mut world, json!({ "summary": "disk full" })).await;
    assert_eq!(delivery(&alert, "teams")["state"], "sent");
}

#[tokio::test]
async fn an_address_within_the_house_is_refused() {
    let (fake, contact) = fake().await;
    let mut world = world(Kind::Teams, Teams::new(Vec::new()).unwrap(), &contact).await;
    let alert = page(&mut world, json!({ "summary": "disk full" })).await;
    let why = delivery(&alert, "teams")["attempts"][0]["detail"].as_str().unwrap();
    assert!(why.contains("webhook.allow"), "{why}");
    assert!(fake.seen().is_empty());
}

#[tokio::test]
async fn no_text_breaks_out_of_a_card() {
    let (fake, mut world) = start().await;
    for (count, words) in NASTY.into_iter().enumerate() {
        let body: Value =
            json!({ "summary": words, "details": words.repeat(300), "dedup_key": count.to_string() });
        world.request("POST", "/api/v1/people/john/notify", Some(body)).await;
        world.pass_seconds(120).await;
    }
    assert!(fake.seen().len() >= 5);
}
