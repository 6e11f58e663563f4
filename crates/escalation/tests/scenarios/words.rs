//! Words that are stored, and that programs read: each names one thing, none ever changes.
//!
//! Whoever reads one looks for it among all of its kind; so all of them are there, each once.

use std::collections::BTreeSet;
use std::fmt::Debug;

use escalation::alert::Status;
use escalation::contact::Kind;
use escalation::delivery::{Outcome, Purpose, Refusal, State};
use escalation::duration::{self, BadDuration};
use escalation::effect::EntryKind;
use escalation::event::{Actor, Sent, Severity, Urgency, Via};
use escalation::id::{AlertId, DeliveryId, Ids, PageId};
use escalation::name::{BadName, Name};
use escalation::page::{Asks, EndedWhy};
use escalation::receipt::Receipt;
use escalation::wake::Wake;
use jiff::SignedDuration;

use crate::roster::{contact, name};
use crate::world::START;

/// These are the words of a kind, in its order.
#[track_caller]
fn are<T: Copy + Debug + PartialEq>(all: &[T], word: fn(T) -> &'static str, expected: &str) {
    let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
    assert_eq!(words.join(" "), expected);
    let each: BTreeSet<&str> = words.iter().copied().collect();
    assert_eq!(each.len(), words.len(), "two with one word");
    for one in all {
        let read = all.iter().find(|it| word(**it) == word(*one));
        assert_eq!(read, Some(one), "it reads back");
        assert!(word(*one).bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{one:?}");
    }
}

#[test]
fn every_word_is_as_it_is_stored_and_reads_back() {
    are(&Status::ALL, Status::word, "triggered acknowledged unanswered snoozed silenced resolved");
    are(&Severity::ALL, Severity::word, "critical error warning info");
    are(&[Urgency::High, Urgency::Low], Urgency::word, "high low");
    are(&Purpose::ALL, Purpose::word, "page notice reminder warning test");
    are(&State::ALL, State::word, "ready claimed sent failed withdrawn");
    are(&Asks::ALL, Asks::word, "anybody himself besides still_on_it");
    are(&Receipt::ALL, Receipt::word, "taken underway completed failed not_taken arrived");
    are(
        &Kind::ALL,
        Kind::word,
        "handset webhook email sms phone ntfy telegram slack mattermost teams pushover push",
    );
    are(
        &Via::ALL,
        Via::word,
        "handset link sms phone ntfy telegram slack mattermost pushover push mail web api integration dogwatch",
    );
    are(
        &EndedWhy::ALL,
        EndedWhy::word,
        "acknowledged resolved not_me relieved restarted empty accepted snoozed silenced reassigned merged moot fault",
    );
    are(
        &EntryKind::ALL,
        EntryKind::word,
        "triggered triggered_again round step gap skipped held deferred last_resort unanswered acknowledged \
         unacknowledged escalated not_me resolved duty note asked still_on_it ack_timeout snoozed silenced \
         reassigned responder_added accepted merged merged_into reopened amended fault",
    );
}

#[test]
fn a_wake_reads_back_from_its_word_and_its_page() {
    let page = PageId::from_bytes([7; 16]);
    let of_alert = [
        (Wake::Escalate, "escalate"),
        (Wake::GiveUp, "give_up"),
        (Wake::AskOwner, "ask_owner"),
        (Wake::AckTimeout, "ack_timeout"),
        (Wake::SnoozeEnd, "snooze_end"),
        (Wake::SilenceEnd, "silence_end"),
        (Wake::Quiet, "quiet"),
    ];
    for (wake, word) in of_alert {
        assert_eq!((wake.word(), wake.page()), (word, None));
        assert_eq!(Wake::read(word, None), Some(wake));
        assert_eq!(Wake::read(word, Some(page)), None, "{word} belongs to no page");
    }
    assert_eq!((Wake::Page(page).word(), Wake::Page(page).page()), ("page", Some(page)));
    assert_eq!(Wake::read("page", Some(page)), Some(Wake::Page(page)));
    assert_eq!(Wake::read("page", None), None, "without a page there is none to look at");
    assert_eq!(Wake::read("nap", None), None);
}

#[test]
fn what_a_severity_means_and_what_a_receipt_says() {
    let urgencies = Severity::ALL.map(Severity::urgency);
    assert_eq!(urgencies, [Urgency::High, Urgency::High, Urgency::Low, Urgency::Low]);
    let sent = Receipt::ALL.map(Receipt::sent);
    assert_eq!(sent, [None, None, None, Some(Sent::Undelivered), Some(Sent::NotTaken), None]);
}

#[test]
fn an_outcome_says_what_became_of_a_send() {
    let why = || "no".to_owned();
    let pause = SignedDuration::from_secs(9);
    for (outcome, text) in [
        (Outcome::Accepted { provider_id: "7".to_owned() }, "accepted"),
        (Outcome::Refused { why: why(), refusal: Refusal::Contact }, "refused for good: no"),
        (Outcome::Refused { why: why(), refusal: Refusal::Passing }, "refused: no"),
        (Outcome::RetryAfter { pause, why: why() }, "asked to come later: no"),
        (Outcome::Unknown { why: why() }, "outcome unknown: no"),
    ] {
        assert_eq!(outcome.to_string(), text);
    }
    assert_eq!(Actor::dogwatch().to_string(), "Dogwatch");
}

#[test]
fn an_id_is_kept_as_bytes_shown_as_text_and_says_what_it_should_have_been() {
    let mut chance = || 7;
    let mut ids = Ids { now: START, chance: &mut chance };
    let (alert, page, delivery) = (AlertId::new(&mut ids), PageId::new(&mut ids), DeliveryId::new(&mut ids));
    assert_eq!(AlertId::from_bytes(alert.to_bytes()), alert);
    assert_eq!(PageId::from_bytes(page.to_bytes()), page);
    assert_eq!(DeliveryId::from_bytes(delivery.to_bytes()), delivery);
    assert_eq!((format!("{alert:?}"), format!("{page:?}")), (alert.to_string(), page.to_string()));
    assert_eq!(format!("{delivery:?}").parse(), Ok(delivery));
    let wrong = alert.to_string().parse::<PageId>().unwrap_err().to_string();
    assert!(wrong.contains("\"page_\""), "{wrong}");
    let wrong = "4711".parse::<DeliveryId>().unwrap_err().to_string();
    assert!(wrong.contains("\"delivery_\""), "{wrong}");
    assert!(page.to_string().parse::<AlertId>().is_err());
}

#[test]
fn what_is_no_name_or_duration_says_what_to_write() {
    assert_eq!(format!("{:?} {}", name("john"), name("john")), "\"john\" john");
    assert!(Name::new("John").unwrap_err().to_string().contains("a-z"));
    assert!(BadName.to_string().contains("1 to 64"));
    for (bad, text) in [
        (BadDuration::Form, "\"1h30m\""),
        (BadDuration::Zero, "\"1s\" or more"),
        (BadDuration::Negative, "can't be negative"),
        (BadDuration::TooLong, "\"7d\" or less"),
    ] {
        assert!(bad.to_string().contains(text), "{bad}");
    }
    assert_eq!(duration::print(SignedDuration::from_millis(900)), "0s");
}

#[test]
fn a_contact_says_who_carries_it_whose_it_may_be_and_whether_it_speaks() {
    for (text, provider) in [
        ("handset:john", "handset"),
        ("email:john@example.org", "smtp"),
        ("sms:+4930123456", "sms"),
        ("phone:+4930123456", "phone"),
        ("ntfy:ops", "ntfy"),
        ("push:john", "push"),
        // Those of one host share its trouble, those of another port don't.
        ("webhook:https://example.org:8443/a?b=c", "example.org:8443"),
        ("webhook:http://example.org?b=/c", "example.org"),
        ("teams:https://example.com#x", "example.com"),
    ] {
        assert_eq!(contact(text).provider(), provider, "{text}");
    }
    let are = |is: fn(Kind) -> bool| Kind::ALL.into_iter().filter(|kind| is(*kind)).collect::<Vec<_>>();
    assert_eq!(are(Kind::is_voice), [Kind::Phone]);
    assert_eq!(are(Kind::is_personal), [Kind::Handset, Kind::Push]);
    assert_eq!(are(Kind::can_wake), [Kind::Handset, Kind::Sms, Kind::Phone, Kind::Ntfy, Kind::Pushover]);
    assert_eq!(format!("{:?}", contact("ntfy:ops")), "\"ntfy:ops\"");
    let most = |length: usize| format!("webhook:https://example.org/{}", "x".repeat(length - 28));
    assert!(most(512).parse::<escalation::contact::Contact>().is_ok());
    let wrong = most(513).parse::<escalation::contact::Contact>().unwrap_err().to_string();
    assert_eq!(wrong, "a contact is at most 512 bytes long");
}
