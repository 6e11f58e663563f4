//! Random payloads of every format: what is read is fit to be stored, and reading twice gives the same.

use dogwatch::intake::event::{Event, MAX_DETAILS, MAX_KEY, MAX_SUMMARY};
use dogwatch::intake::{Format, mail, trial};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Names of fields that some format knows.
const NAMES: [&str; 40] = [
    "routing_key",
    "event_action",
    "dedup_key",
    "payload",
    "summary",
    "source",
    "severity",
    "custom_details",
    "client",
    "links",
    "href",
    "message",
    "alias",
    "priority",
    "description",
    "details",
    "user",
    "message_type",
    "entity_id",
    "entity_display_name",
    "alerts",
    "labels",
    "annotations",
    "status",
    "fingerprint",
    "alert_uid",
    "title",
    "state",
    "event_id",
    "event_value",
    "update_status",
    "update_action",
    "name",
    "host",
    "nseverity",
    "action",
    "event_type",
    "incident_key",
    "service_key",
    "alertname",
];
const WORDS: [&str; 20] = [
    "trigger",
    "resolve",
    "acknowledge",
    "firing",
    "resolved",
    "alerting",
    "ok",
    "CRITICAL",
    "RECOVERY",
    "ACKNOWLEDGEMENT",
    "INFO",
    "P1",
    "critical",
    "1",
    "0",
    "Yes",
    "db1",
    "",
    "https://x.example/1",
    "unacknowledged",
];

/// A mail with what mails have: encoded words, parts in parts, an attachment.
const MAIL: &str = "\
From: =?utf-8?q?Nagios_=C3=9C?= <nagios@example.org>
To: KEY@alerts.example.org
Subject: =?utf-8?b?UFJPQkxFTTogZGIxIGRpc2s=?=
Date: Mon, 2 Mar 2026 03:00:00 +0000
Message-ID: <1@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=outer

--outer
Content-Type: multipart/alternative; boundary=inner

--inner
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

97 % of /var is used=
 by =FCbel
--inner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: base64

PGI+OTcgJTwvYj4=
--inner--
--outer
Content-Type: text/csv; name=\"a.csv\"
Content-Disposition: attachment

1,2,3
--outer--
";

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => prop::sample::select(&WORDS[..]).prop_map(|word| json!(word)),
        2 => "\\PC{0,30}".prop_map(Value::String),
        1 => "[\\x00-\\x1f]{1,5}".prop_map(Value::String),
        1 => any::<i64>().prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 40, 8, |inner| {
        let fields = prop::collection::vec((prop::sample::select(&NAMES[..]), inner.clone()), 0..10);
        prop_oneof![
            4 => fields.prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
            }),
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::Array),
        ]
    })
}

fn is_fit(event: &Event) {
    assert!(event.summary.chars().count() <= MAX_SUMMARY && !event.summary.chars().any(char::is_control));
    assert!(event.details.chars().count() <= MAX_DETAILS);
    assert!(event.key.as_ref().is_none_or(|key| key.len() <= MAX_KEY && !key.chars().any(char::is_control)));
    assert!(event.links.iter().all(|link| link.href.starts_with("http")));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 3_000, max_shrink_iters: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_read_is_fit_to_be_stored(body in value(), whole in any::<prop::sample::Index>()) {
        let payloads: Value = serde_json::from_str(include_str!("payloads.json")).unwrap();
        for format in Format::ALL {
            // As it is, and with some fields of a whole payload replaced.
            let mut mixed = payloads[format.word()].clone();
            if let (Value::Object(fields), Value::Object(others)) = (&mut mixed, &body) {
                let count = whole.index(others.len().max(1)) + 1;
                fields.extend(others.iter().take(count).map(|(name, value)| (name.clone(), value.clone())));
            }
            for body in [&body, &mixed] {
                let read = trial::read(format, body, None);
                prop_assert_eq!(&read, &trial::read(format, body, None));
                match read {
                    Ok(events) => events.iter().for_each(is_fit),
                    Err(why) => prop_assert!(!why.is_empty()),
                }
            }
        }
    }

    #[test]
    fn whatever_mail_is_read_is_fit_to_be_stored(
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..5, prop::collection::vec(any::<u8>(), 0..40)), 0..6)
    ) {
        let mut lines: Vec<Vec<u8>> = MAIL.lines().map(|line| line.as_bytes().to_vec()).collect();
        for (place, how, bytes) in damage {
            let place = place.index(lines.len());
            match how {
                0 if lines.len() > 1 => drop(lines.remove(place)),
                1 => lines.insert(place, lines[place].clone()),
                2 => lines[place] = bytes,
                3 => lines[place].extend(bytes),
                _ => lines[place] = lines[place].repeat(500),
            }
        }
        let text = lines.join(&b"\r\n"[..]);
        let read = mail::read(&text, None);
        prop_assert_eq!(&read, &mail::read(&text, None));
        match read {
            Ok(events) => events.iter().for_each(is_fit),
            Err(why) => prop_assert!(!why.is_empty()),
        }
    }
}
