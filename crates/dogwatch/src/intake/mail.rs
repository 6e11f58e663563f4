//! Mail of a monitoring system, as an event. Pure.
//!
//! Most senders write the state first and then the problem: "PROBLEM: db1 disk", "[RESOLVED] db1 disk". So what stands
//! at the beginning of the subject says what happened, and the rest is what makes it the same problem. An integration
//! with a mapping decides for itself; its document has the fields `subject`, `text`, `from`, `to`, `date` and
//! `message_id`.

use mail_parser::MessageParser;
use serde_json::{Value, json};

use super::event::{Act, Event, line};
use super::generic;
use crate::definition::integration::mapping::Mapping;

/// Words at the beginning of a subject that say what happened, in small letters.
const TRIGGERED: [&str; 12] = [
    "problem", "firing", "alert", "alerting", "down", "critical", "crit", "warning", "warn", "error",
    "unknown", "info",
];
const RESOLVED: [&str; 8] = ["recovery", "recovered", "resolved", "ok", "up", "cleared", "solved", "closed"];
/// Words that say nothing.
const EMPTY: [&str; 7] = ["re", "fwd", "fw", "aw", "wg", "host", "service"];

/// Reads a mail.
///
/// # Errors
///
/// What is wrong with it.
pub fn read(bytes: &[u8], mapping: Option<&Mapping>) -> Result<Vec<Event>, String> {
    let document = document(bytes)?;
    if mapping.is_some() {
        return generic::read(&document, mapping);
    }
    let subject = document["subject"].as_str().unwrap_or_default();
    let said = Said::of(subject);
    let act = if said.is_over { Act::Resolve } else { Act::Trigger };
    let mut event = Event::new(act, Some(said.rest.to_lowercase()), document.clone());
    event.summary = subject.to_owned();
    event.details = format!(
        "from: {}\n\n{}",
        document["from"].as_str().unwrap_or_default(),
        document["text"].as_str().unwrap_or_default()
    );
    event.severity = said.severity;
    Ok(vec![event.tidy()])
}

/// The mail as a document that a mapping and rules can ask.
fn document(bytes: &[u8]) -> Result<Value, String> {
    let message = MessageParser::default().parse(bytes).ok_or("this is no mail: it has no headers")?;
    let subject = line(message.subject().unwrap_or_default(), 1024);
    if subject.is_empty() {
        return Err("the mail has no subject: it is what people read".to_owned());
    }
    let address = |address: Option<&mail_parser::Address<'_>>| {
        address.and_then(|list| list.first()).and_then(|one| one.address()).unwrap_or_default().to_owned()
    };
    let text = message.body_text(0).unwrap_or_default().into_owned();
    Ok(json!({
        "subject": subject,
        "text": text,
        "from": address(message.from()),
        "to": address(message.to()),
        "date": message.date().map(|date| date.to_rfc3339()),
        "message_id": message.message_id(),
    }))
}

/// What a subject says.
struct Said {
    is_over: bool,
    severity: Option<String>,
    /// What makes it the same problem.
    rest: String,
}

impl Said {
    fn of(subject: &str) -> Self {
        let mut said = Self { is_over: false, severity: None, rest: String::new() };
        let mut rest = subject.trim();
        loop {
            let (word, after) = first_word(rest);
            let plain = word.to_lowercase();
            let plain = plain.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == ':');
            if TRIGGERED.contains(&plain) {
                said.severity = said.severity.or_else(|| Some(plain.to_owned()));
            } else if RESOLVED.contains(&plain) {
                said.is_over = true;
            } else if !EMPTY.contains(&plain) {
                break;
            }
            rest = after;
        }
        // A subject that is nothing but such words is what it is.
        said.rest = if rest.is_empty() { subject.trim() } else { rest }.to_owned();
        said
    }
}

/// The first word, without brackets and stars around it, and what comes after it and its punctuation.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    let end = text.find(|letter: char| !letter.is_alphanumeric() && letter != ':').unwrap_or(text.len());
    let end = text[..end].find(": ").map_or(end, |colon| colon + 1);
    let (word, after) = text.split_at(end);
    (word, after.trim_start_matches(|letter: char| !letter.is_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_and_its_end_have_the_same_rest() {
        for (problem, end, rest) in [
            ("PROBLEM: db1 disk", "RECOVERY: db1 disk", "db1 disk"),
            ("[FIRING:1] DiskFull (db1)", "[RESOLVED] DiskFull (db1)", "DiskFull (db1)"),
            (
                "** PROBLEM Service Alert: db1/disk **",
                "** RECOVERY Service Alert: db1/disk **",
                "db1/disk **",
            ),
            ("Re: Problem: cpu", "OK cpu", "cpu"),
            ("Warnings are many", "Warnings are many", "Warnings are many"),
        ] {
            assert_eq!(Said::of(problem).rest, rest, "{problem}");
            assert_eq!(Said::of(end).rest, rest, "{end}");
            assert!(!Said::of(problem).is_over);
            assert_eq!(Said::of(end).is_over, problem != end);
        }
        assert_eq!(Said::of("OK").rest, "OK");
        assert_eq!(Said::of("CRITICAL: x").severity.as_deref(), Some("critical"));
        assert_eq!(Said::of("***").rest, "***");
    }

    #[test]
    fn a_mail_of_any_encoding_is_read() {
        let mail = b"From: Nagios <nagios@example.org>\r\nTo: k@dogwatch\r\nSubject: =?utf-8?q?PROBLEM:_db1_=C3=BCberlastet?=\r\n\
            Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nzu hei=DF\r\n";
        let events = read(mail, None).unwrap();
        assert_eq!(events[0].summary, "PROBLEM: db1 überlastet");
        assert_eq!(events[0].key.as_deref(), Some("db1 überlastet"));
        assert_eq!(events[0].details, "from: nagios@example.org\n\nzu heiß");
        assert!(read(b"", None).is_err());
        assert!(read(b"From: a@b\r\n\r\nx", None).unwrap_err().contains("subject"));
    }
}
