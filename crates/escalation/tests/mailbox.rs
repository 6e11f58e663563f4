//! A person's mailbox through a storm: what goes out alone, together, and when.

#![expect(clippy::unwrap_used, clippy::panic, reason = "where a test can't go on it fails")]

use std::collections::BTreeMap;

use escalation::alert::{self, Alert, Audience};
use escalation::contact::Contact;
use escalation::delivery::{Delivery, Purpose};
use escalation::event::{Actor, Severity, Trigger, Via};
use escalation::id::Ids;
use escalation::mailbox::{BUDGET, BUDGET_TIME, Mailbox, Post, WINDOW, collects};
use escalation::name::Name;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

const START: Timestamp = Timestamp::constant(1_750_000_000, 0);

fn at(seconds: i64) -> Timestamp {
    START + SignedDuration::from_secs(seconds)
}

/// A mailbox with a post office: what is put in is asked about as a claim does, at the time that it was told.
#[derive(Default)]
struct Office {
    mailbox: Mailbox,
    waiting: Vec<(Delivery, Alert)>,
    /// When each message left, with the summaries that it held.
    left: Vec<(i64, Vec<String>)>,
    made: u64,
}

impl Office {
    fn put(&mut self, seconds: i64, summary: &str, severity: Severity) -> &mut Self {
        self.put_to(seconds, summary, severity, "email:john@example.org", Purpose::Page)
    }

    fn put_to(
        &mut self,
        seconds: i64,
        summary: &str,
        severity: Severity,
        to: &str,
        purpose: Purpose,
    ) -> &mut Self {
        self.run_to(at(seconds));
        let seen = self.waiting.iter().map(|(_, alert)| alert).find(|alert| alert.summary == summary);
        let alert = seen.cloned().unwrap_or_else(|| {
            let trigger = Trigger {
                audience: Audience::Team(Name::new("ops").unwrap()),
                integration: "notify".to_owned(),
                dedup_key: summary.to_owned(),
                summary: summary.to_owned(),
                details: String::new(),
                severity,
                route: escalation::event::Route::default(),
                links: Vec::new(),
                by: Actor { person: None, label: "monitoring".to_owned(), via: Via::Api },
            };
            // The same words are the same alert.
            let mut chance = || summary.bytes().fold(7, |sum: u64, byte| sum * 31 + u64::from(byte));
            alert::begin(&trigger, &mut Ids { now: START, chance: &mut chance }).0.alert
        });
        self.made += 1;
        let (mut chance, contact): (_, Contact) = (|| self.made, to.parse().unwrap());
        let person = Some(Name::new("john").unwrap());
        let mut ids = Ids { now: at(seconds), chance: &mut chance };
        let mut delivery = Delivery::without_alert(&mut ids, person, contact, purpose, String::new());
        delivery.alert = Some(alert.id);
        self.waiting.push((delivery, alert));
        self.claim(at(seconds));
        self
    }

    fn run_to(&mut self, until: Timestamp) {
        while let Some(due) = self.waiting.iter().map(|(delivery, _)| delivery.not_before).min()
            && due < until
        {
            self.claim(due);
        }
    }

    /// Asks about everything that is ready, as one claim.
    fn claim(&mut self, now: Timestamp) {
        let mut leaving: BTreeMap<(String, Purpose), usize> = BTreeMap::new();
        let seconds = now.duration_since(START).as_secs();
        for (mut delivery, alert) in std::mem::take(&mut self.waiting) {
            if delivery.not_before > now {
                self.waiting.push((delivery, alert));
                continue;
            }
            let key = (delivery.contact.to_string(), delivery.purpose);
            let bundle = leaving.get(&key).copied();
            match self.mailbox.post(&delivery, &alert, bundle.is_some(), now) {
                Post::Alone => self.left.push((seconds, vec![alert.summary])),
                Post::Together => match bundle {
                    Some(place) => self.left[place].1.push(alert.summary),
                    None => {
                        leaving.insert(key, self.left.len());
                        self.left.push((seconds, vec![alert.summary]));
                    }
                },
                Post::Later(later) => {
                    assert!(later > now, "what waits has a time to come");
                    delivery.not_before = later;
                    self.waiting.push((delivery, alert));
                }
                Post::Again => panic!("nothing is tried again here"),
            }
        }
    }

    fn story(&mut self) -> String {
        self.run_to(Timestamp::MAX);
        let lines = self.left.iter().map(|(at, held)| format!("{at}: {}", held.join(", ")));
        lines.collect::<Vec<_>>().join("\n")
    }
}

use Severity::{Critical, Error, Warning};

#[test]
fn the_first_goes_alone_and_what_follows_within_a_minute_goes_together() {
    let mut office = Office::default();
    office.put(0, "a", Error).put(1, "b", Error).put(30, "c", Error).put(59, "d", Error);
    assert_eq!(office.story(), "0: a\n60: b, c, d");
}

#[test]
fn after_a_quiet_minute_the_next_is_the_first_again() {
    let mut office = Office::default();
    office.put(0, "a", Error).put(60, "b", Error).put(119, "c", Error).put(300, "d", Error);
    assert_eq!(office.story(), "0: a\n60: b\n120: c\n300: d");
}

#[test]
fn what_is_tried_again_leaves_at_once_as_it_did_and_is_not_counted_twice() {
    let mut office = Office::default();
    // The first message opens its minute; what waits is given back to be tried.
    office.put(0, "a", Error).put(1, "b", Error);
    let (mut delivery, alert) = office.waiting.pop().unwrap();
    let mailbox = office.mailbox.clone();
    delivery.attempt = 1;
    assert_eq!(office.mailbox.post(&delivery, &alert, true, at(2)), Post::Alone, "as it left before");
    delivery.bundle = Some(delivery.id);
    assert_eq!(office.mailbox.post(&delivery, &alert, false, at(2)), Post::Again);
    assert_eq!(office.mailbox, mailbox);
}

#[test]
fn a_summary_opens_a_minute_of_its_own() {
    let mut office = Office::default();
    office.put(0, "a", Error).put(10, "b", Error).put(61, "c", Error).put(70, "d", Error);
    assert_eq!(office.story(), "0: a\n60: b\n120: c, d");
}

#[test]
fn something_critical_that_has_not_been_told_goes_out_at_once() {
    let mut office = Office::default();
    office.put(0, "a", Warning).put(5, "b", Warning).put(20, "fire", Critical).put(21, "c", Error);
    assert_eq!(office.story(), "0: a\n20: fire\n60: b, c");
}

#[test]
fn more_of_the_same_critical_kind_waits_ten_seconds_at_most() {
    let mut office = Office::default();
    office.put(0, "a", Critical).put(5, "b", Critical).put(7, "c", Critical).put(50, "d", Critical);
    assert_eq!(office.story(), "0: a\n15: b, c\n60: d");
}

#[test]
fn what_waits_leaves_with_the_critical_message_that_leaves_first() {
    let mut office = Office::default();
    office.put(0, "a", Critical).put(5, "b", Critical).put(15, "c", Critical);
    assert_eq!(office.story(), "0: a\n15: b, c");
}

#[test]
fn what_was_answered_before_it_left_holds_nothing_up() {
    let mut office = Office::default();
    office.put(0, "a", Critical).put(5, "b", Critical);
    office.waiting.clear();
    office.put(20, "c", Error);
    assert_eq!(office.story(), "0: a\n60: c");
}

#[test]
fn a_plans_own_repeats_go_out_as_the_plan_says() {
    let mut office = Office::default();
    office.put(0, "a", Error).put(20, "a", Error).put(40, "a", Error);
    assert_eq!(office.story(), "0: a\n20: a\n40: a");
    let mut office = Office::default();
    office.put(0, "a", Error).put(20, "b", Error).put(40, "a", Error);
    assert_eq!(office.story(), "0: a\n60: b, a");
}

#[test]
fn contacts_and_purposes_do_not_hold_each_other_up() {
    let mut office = Office::default();
    office.put(0, "a", Error).put_to(1, "b", Error, "webhook:https://example.org/", Purpose::Page);
    office.put_to(2, "a", Error, "email:john@example.org", Purpose::Notice);
    office.put_to(3, "b", Error, "email:john@example.org", Purpose::Notice);
    assert_eq!(office.story(), "0: a\n1: b\n2: a\n62: b");
}

#[test]
fn after_ten_messages_in_ten_minutes_there_are_summaries_only() {
    let mut office = Office::default();
    for number in 0..BUDGET as i64 {
        office.put(number * 20, "a", Error);
    }
    // The eleventh, and something critical and new: once a minute, all in one.
    office.put(185, "a", Error).put(190, "fire", Critical).put(195, "b", Error);
    assert_eq!(office.left.len(), BUDGET);
    office.put(400, "later", Error);
    let story = office.story();
    let rest: Vec<&str> = story.lines().skip(BUDGET).collect();
    assert_eq!(rest, ["240: a, fire, b", "400: later"]);
}

#[test]
fn the_budget_comes_back_with_time() {
    let mut office = Office::default();
    for number in 0..BUDGET as i64 {
        office.put(number, "a", Error);
    }
    let later = BUDGET_TIME.as_secs() + 10;
    office.put(later, "b", Warning).put(later + 1, "fire", Critical);
    assert!(office.story().ends_with(&format!("{later}: b\n{}: fire", later + 1)));
}

#[test]
fn roles_handsets_and_reminders_have_no_mailbox() {
    let mut office = Office::default();
    office.put(0, "a", Error).put(1, "b", Error);
    let (page, _) = office.waiting.first().unwrap().clone();
    assert!(collects(&page));
    assert!(!collects(&Delivery { person: None, ..page.clone() }));
    assert!(!collects(&Delivery { contact: "handset:john".parse().unwrap(), ..page.clone() }));
    assert!(!collects(&Delivery { purpose: Purpose::Reminder, ..page.clone() }));
    assert!(!collects(&Delivery { alert: None, ..page }));
}

#[test]
fn a_clock_that_was_set_back_holds_nothing_up() {
    let mut office = Office::default();
    office.put(86_400, "a", Error);
    let mut earlier = Office { mailbox: office.mailbox, ..Office::default() };
    earlier.put(0, "b", Error);
    assert_eq!(earlier.story(), "0: b");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 500, ..ProptestConfig::default() })]

    /// Whatever comes: everything leaves once, within a minute; critical news within ten seconds while the
    /// budget lasts; and in ten minutes no more messages than the budget and a summary a minute.
    #[test]
    fn storms(arrivals in prop::collection::vec((0_i64..900, 0_usize..4, 0_usize..3), 1..120)) {
        let mut arrivals = arrivals;
        arrivals.sort();
        let mut office = Office::default();
        let names = ["a", "b", "c", "d"];
        for (number, (second, name, severity)) in arrivals.iter().enumerate() {
            let severity = [Warning, Error, Critical][*severity];
            // A name belongs to a severity: the alert stays what it is.
            let name = format!("{}-{}-{}", names[*name], severity.word(), number % 7);
            office.put(*second, &name, severity);
        }
        let came = office.made as usize;
        office.run_to(Timestamp::MAX);
        let left: usize = office.left.iter().map(|(_, held)| held.len()).sum();
        prop_assert_eq!(left, came);
        prop_assert!(office.left.iter().map(|(at, _)| *at).max().unwrap_or(0) <= 899 + WINDOW.as_secs());
        for (from, _) in &office.left {
            let end = from + BUDGET_TIME.as_secs();
            let count = office.left.iter().filter(|(at, _)| (*from..end).contains(at)).count();
            prop_assert!(count <= BUDGET + 11, "{count} messages in ten minutes: {:?}", office.left);
        }
    }
}
