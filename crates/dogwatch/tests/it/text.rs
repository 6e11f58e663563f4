//! What messages say: in whose language, in whose words, and that no text of an alert is more than text.

mod markdown;
mod pages;

use dogwatch::channel::twilio::twiml;
use dogwatch::config::{Config, Flags};
use dogwatch::message::{Language, Message, sms, speech};
use escalation::delivery::Purpose;
use serde_json::{Value, json};

use crate::chat::injection::{corpus, message};
use crate::support::World;
use crate::support::checker::python;
use crate::support::command::{folder, run};

/// The elements of many XML documents, by Python's own parser: names and attributes' names, no text.
pub fn trees(documents: &[String]) -> Vec<String> {
    let program = "
import json, sys, xml.etree.ElementTree as tree
def shape(e): return [e.tag, sorted(e.attrib), [shape(c) for c in e]]
print(json.dumps([json.dumps(shape(tree.fromstring(d))) for d in json.load(sys.stdin)]))
";
    serde_json::from_str(&python(program, &json!(documents).to_string())).unwrap()
}

#[test]
fn in_a_call_every_text_is_spoken_and_makes_the_same_xml_tree() {
    for language in ["en", "de"] {
        let calls: Vec<String> = corpus()
            .iter()
            .map(|words| {
                let mut message = message("phone:+493011111", words);
                message.language = language.to_owned();
                let words = speech::speech(&message);
                twiml::opening(&words, language, "https://x.example/1?a=b&c", "https://x.example/2")
            })
            .collect();
        let trees = trees(&calls);
        assert!(trees.len() >= 500);
        assert!(trees.iter().all(|tree| *tree == trees[0]), "{trees:?}");
        assert!(calls.iter().all(|call| call.len() <= 4_000));
    }
}

#[test]
fn in_a_short_message_every_text_fits_keeps_its_code_and_holds_no_sign_that_telephones_act_on() {
    for words in corpus() {
        let mut message = message("sms:+493011111", &words);
        message.code = Some("4711".to_owned());
        let text = sms::text(&message, true);
        assert!(text.contains("4711"), "{words:?}: {text:?}");
        assert!(sms::segments(&text) <= 2, "{words:?}: {text:?}");
        let is_bad = |letter: char| {
            letter.is_control() && letter != '\n' || ('\u{202a}'..='\u{202e}').contains(&letter)
        };
        assert!(!text.chars().any(is_bad), "{text:?}");
        // What came from outside makes no line of its own.
        assert_eq!(text.lines().count(), 2, "{text:?}");
    }
}

/// What comes back to whoever wrote a short message holds the words of alerts, or his own.
#[test]
fn a_short_message_is_answered_by_one_message_of_two_parts_at_most_whatever_it_speaks_of() {
    let answers = |words: &String| {
        [
            format!("You have #1. Nobody else is paged any more. (CRITICAL ops: {words})"),
            format!("Which? Reply with its code:\n4711 CRITICAL ops: {words}\n4712 ERROR ops: {words}"),
            format!("Nothing was done: \"{words}\" is no code of yours. RESOLVE and the code: it is over."),
        ]
    };
    let answers: Vec<String> = corpus().iter().flat_map(answers).collect();
    let fitted: Vec<String> = answers.iter().map(|answer| sms::fitted(answer)).collect();
    for (text, answer) in fitted.iter().zip(&answers) {
        assert!(sms::segments(text) <= 2, "{text:?}");
        let is_bad = |letter: char| {
            letter.is_control() && letter != '\n' || ('\u{202a}'..='\u{202e}').contains(&letter)
        };
        assert!(!text.chars().any(is_bad), "{text:?}");
        // What was done, or was not, is never what is cut.
        assert_eq!(text[..12], answer[..12], "{text:?}");
    }
    let replies: Vec<String> = fitted.iter().map(|text| twiml::replied(text)).collect();
    let found = trees(&replies);
    assert!(found.len() >= 1_500);
    assert!(found.iter().all(|tree| *tree == found[0]), "{found:?}");
    // Also what was not made to fit before.
    let replies: Vec<String> = corpus().iter().map(|words| twiml::replied(words)).collect();
    assert!(trees(&replies).iter().all(|tree| *tree == found[0]));
}

#[test]
fn confirmations_are_spoken_in_the_language_of_who_is_called() {
    for (text, spoken) in [
        ("#7 is resolved already.", "Nummer 7 ist schon erledigt."),
        (
            "Bob has #7 already. You need not do anything.",
            "Bob hat Nummer 7 schon. Sie brauchen nichts zu tun.",
        ),
        ("Done. #7 goes on to the next.", "Gut. Nummer 7 geht an die Nächsten."),
    ] {
        assert_eq!(speech::confirmed(text, Language::German), spoken);
    }
}

/// Every message for a purpose.
fn sent(world: &World, purpose: Purpose) -> Vec<Message> {
    world.carrier.seen().into_iter().filter(|message| message.purpose == purpose).collect()
}

/// A John who speaks German, with mail and a handset.
async fn german() -> World {
    let world = World::new().await;
    world.john_and_bob("email:john@example.org", "email:bob@example.org").await;
    let body = json!({ "language": "de", "zone": "Europe/Berlin" });
    assert_eq!(world.request("PATCH", "/api/v1/people/john", Some(body)).await.status, 200);
    world
}

#[tokio::test]
async fn a_german_is_paged_and_told_in_german_and_everybody_else_in_english() {
    let mut world = german().await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let page = sent(&world, Purpose::Page).remove(0);
    assert_eq!(page.headline, "FEHLER ops: disk full");
    assert_eq!(
        page.lines,
        [
            "Alarm #1 für das Team ops",
            "Seit 2026-03-02 04:00:00 CET (vor 0 s)",
            "Bitte antworten: Haben Sie es?",
        ]
    );
    world.pass_seconds(50).await;
    world.post(&format!("/api/v1/alerts/{number}/acknowledge"), json!({})).await;
    world.settle().await;
    let notices = sent(&world, Purpose::Notice).into_iter();
    let mut told: Vec<String> =
        notices.map(|notice| format!("{}: {}", notice.contact, notice.headline)).collect();
    told.sort();
    assert_eq!(
        told,
        [
            "email:bob@example.org: Test has it: ERROR ops: disk full",
            "email:john@example.org: Test hat es: FEHLER ops: disk full"
        ]
    );
}

fn config(text: &str) -> anyhow::Result<Config> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dogwatch.toml");
    std::fs::write(&path, text).unwrap();
    Config::load(Some(&path), &|_| None, &Flags::default())
}

#[test]
fn templates_that_are_wrong_are_refused_all_at_once_with_place_and_hint() {
    let wrong = config(
        "[[template]]\nchannel = \"smss\"\ntext = \"x\"\n[[template]]\ntext = \"a\\n{{ sumary }}\"\n[[template]]\n",
    );
    let wrong = format!("{:#}", wrong.unwrap_err());
    for words in [
        "template 1: channel: \"smss\" is not known; did you mean \"sms\"?",
        "template 2: text: line 2: \"sumary\" is not known; did you mean \"summary\"?",
        "template 3: write \"text\" or \"text_file\"",
    ] {
        assert!(wrong.contains(words), "{wrong}");
    }
}

#[test]
fn whatever_an_alert_says_a_template_makes_nothing_else_of_it() {
    let text = "{{ severity | upper }}: {{ summary | first(60) }}\n{{ details | first(100) }}";
    let templates = config(&format!("[[template]]\ntext = '''{text}'''")).unwrap().templates;
    let calls: Vec<String> = corpus()
        .iter()
        .map(|words| {
            let mut message = message("phone:+493011111", words);
            templates.reword(&mut message).unwrap_or_else(|why| panic!("{words:?}: {why}"));
            twiml::opening(&speech::speech(&message), "en", "https://x.example/1", "https://x.example/2")
        })
        .collect();
    let trees = trees(&calls);
    assert!(trees.iter().all(|tree| *tree == trees[0]));
}

#[tokio::test]
async fn a_template_that_fails_at_night_gives_way_to_our_words_and_the_operators_are_told_once() {
    let text = "{{ headline }}{% if summary == \"bad\" %}{{ summary.nothing.there }}{% endif %}";
    let templates = config(&format!("[[template]]\ntext = '''{text}'''")).unwrap().templates;
    let service = escalation::directory::Service {
        operators: vec!["email:ops@example.org".parse().unwrap()],
        ..Default::default()
    };
    let mut world = World::with(service, |channels, carrier| {
        channels.with(escalation::contact::Kind::Email, carrier.clone())
    })
    .await
    .with_templates(templates);
    world.john_and_bob("email:john@example.org", "email:bob@example.org").await;
    world.notify("bad").await;
    world.pass_seconds(70).await;
    let pages: Vec<String> = sent(&world, Purpose::Page).into_iter().map(|sent| sent.headline).collect();
    assert!(pages.len() >= 2 && pages.iter().all(|page| page == "ERROR ops: bad"), "{pages:?}");
    let warned: Vec<String> = sent(&world, Purpose::Warning).into_iter().map(|sent| sent.headline).collect();
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("template 1: line 1: undefined value"), "{warned:?}");
}

#[tokio::test]
async fn a_preview_shows_what_would_be_sent_and_a_template_is_tried() {
    let world = World::new().await;
    let shown = world.post("/api/v1/previews", json!({ "channel": "sms", "language": "de" })).await;
    assert_eq!(shown["parts"], 1);
    let text = shown["text"].as_str().unwrap();
    assert!(text.starts_with("KRITISCH ops: disk full on db1\nSeit "), "{text}");
    assert!(text.ends_with("Antwort 4711: ich habe es"), "{text}");
    let template = "{{ team }}: {{ summary }}\nby {{ since }}";
    let body = json!({ "channel": "email", "template": template });
    let shown = world.post("/api/v1/previews", body).await;
    assert_eq!(shown["headline"], "ops: disk full on db1");
    let refused = world
        .request("POST", "/api/v1/previews", Some(json!({ "channel": "pigeon", "template": "{{ sumary }}" })))
        .await;
    assert_eq!(refused.status, 422);
    let fields: Vec<&Value> =
        refused.body["errors"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
    assert_eq!(fields, ["channel", "template"], "{}", refused.text);
    assert!(refused.text.contains("did you mean"), "{}", refused.text);
}

#[test]
fn a_preview_needs_no_server() {
    let template = "[[template]]\nchannel = \"sms\"\ntext = \"{{ team }} - {{ summary }}\"\n";
    let folder = folder(&[("dogwatch.toml", template), ("wrong.toml", "[[template]]\ntext = \"{{ team\"")]);
    let said = run(folder.path(), &["preview", "phone", "--language", "de", "--summary", "Platte voll"], "");
    assert!(said.out.starts_with("kritisch, Team ops: Platte voll."), "{}{}", said.out, said.err);
    let said = run(folder.path(), &["preview", "sms", "--config", "dogwatch.toml"], "");
    assert!(said.out.starts_with("ops - disk full on db1\nSince "), "{}{}", said.out, said.err);
    assert!(said.out.contains("in 1 part)"), "{}", said.out);
    let said = run(folder.path(), &["preview", "sms", "--config", "wrong.toml"], "");
    assert_eq!(said.code, 1);
    assert!(said.err.contains("template 1: text: line 1: "), "{}", said.err);
}

#[test]
fn what_the_guide_to_messages_shows_is_read() {
    let all = crate::support::guide::blocks("messages");
    let key = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(key.path(), "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3").unwrap();
    let mut templates = 0;
    for (_, text) in all.iter().filter(|(language, _)| language == "toml service") {
        let text = text.replace("/run/secrets/tickets", key.path().to_str().unwrap());
        let read = config(&text).unwrap();
        templates += usize::from(text.contains("[[template]]"));
        assert!(!text.contains("[[subscriber]]") || read.subscribers.len() == 1);
    }
    assert_eq!(templates, 1);
    let event = all.iter().find(|(language, _)| language == "json").unwrap();
    let event: Value = serde_json::from_str(&event.1).unwrap();
    assert_eq!(event["event"]["event_type"], "alert.acknowledged");
}
