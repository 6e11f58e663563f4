//! Any text is a calendar or has problems on lines of its own; what is read answers, and its feed is read again.
#![no_main]

use std::sync::Arc;

use dogwatch::calendar::{Feed, FeedEvent, Known, Mention, busy, read, whose, write};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let zone = TimeZone::UTC;
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let lines = text.lines().count().max(1);
    let known = [Known { name: "john".into(), full_name: None, addresses: vec!["john@example.org".into()] }];
    let people = |mention: &Mention| {
        whose(mention, &known);
        vec![Arc::from(mention.summary.as_str())]
    };
    match read(text, &zone, people) {
        Ok((calendar, _)) => {
            let first = calendar.next_change(Timestamp::MIN);
            calendar.at(now);
            if let Some(change) = calendar.next_change(now) {
                assert!(change > now && first.is_some());
            }
            let events = calendar.occurrences(now, Timestamp::MAX).take(20).map(|one| {
                assert!(one.from < one.until && one.until > now);
                let summary = one.people[0].to_string();
                FeedEvent {
                    uid: one.event.to_string(),
                    from: one.from,
                    until: one.until,
                    summary,
                    description: String::new(),
                    sequence: 0,
                }
            });
            let events: Vec<FeedEvent> =
                events.enumerate().map(|(n, one)| FeedEvent { uid: n.to_string(), ..one }).collect();
            let feed = write(&Feed { name: "fuzz".into(), stamp: now, events: events.clone() });
            let again = read(&feed, &zone, people).expect("our own feed is read");
            assert_eq!(again.0.occurrences(Timestamp::MIN, Timestamp::MAX).count(), events.len());
        }
        Err(problems) => {
            assert!(problems.iter().all(|one| (1..=lines).contains(&one.line) && !one.message.is_empty()))
        }
    }
    if let Ok((stretches, _)) = busy(text, &zone, now) {
        assert!(stretches.windows(2).all(|pair| pair[0].until < pair[1].from));
    }
});
