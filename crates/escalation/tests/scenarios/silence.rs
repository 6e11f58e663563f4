//! Silences: which alerts they mean, when they hold, when they end and begin.

use std::sync::Arc;

use escalation::alert::{Alert, Audience};
use escalation::directory::Directory;
use escalation::event::Severity;
use escalation::silence::{MAX_LENGTH, MAX_PATTERN, Match, Pattern, Silence};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::lifecycle::{everything, ops};
use crate::roster::{daily, duration, name};
use crate::world::{START, World};

/// 16:00, 17:00 and so on, UTC.
fn oclock(hour: i64) -> Timestamp {
    START + duration("53m20s") + duration("1h") * i32::try_from(hour - 16).unwrap()
}

fn pattern(text: &str) -> Option<Pattern> {
    Some(Pattern::new(text).unwrap())
}

fn alert() -> Alert {
    World::new(ops()).state.alert
}

fn silence(from: Timestamp, until: Option<Timestamp>) -> Silence {
    Silence {
        name: name("quiet"),
        by: "Carol".to_owned(),
        reason: "planned work".to_owned(),
        matches: everything(),
        from,
        until,
        within: None,
    }
}

/// Every day from 16:00 to 17:00.
fn recurring(from: Timestamp, until: Option<Timestamp>) -> Silence {
    Silence { within: Some(daily("day", 16, 17).in_zone(TimeZone::UTC)), ..silence(from, until) }
}

fn directory(silences: &[(&str, Silence)]) -> Directory {
    let mut directory = ops();
    for (who, silence) in silences {
        directory.silences.insert(name(who), Arc::new(Silence { name: name(who), ..silence.clone() }));
    }
    directory
}

#[test]
fn what_is_named_must_all_fit_and_what_is_not_may_be_anything() {
    let mut alert = alert();
    alert.details = "on db1".to_owned();
    assert!(Match::default().is_empty() && Match::default().fits(&alert));
    let fitting = Match {
        team: Some(name("ops")),
        severities: vec![Severity::Error, Severity::Info],
        integration: pattern("not*"),
        dedup_key: pattern("disk"),
        summary: pattern("*full"),
        details: pattern("*db1"),
    };
    assert!(fitting.fits(&alert) && !fitting.is_empty());
    let others: [fn(&mut Match); 6] = [
        |it| it.team = Some(name("web")),
        |it| it.severities = vec![Severity::Critical],
        |it| it.integration = pattern("other"),
        |it| it.dedup_key = pattern("disk2"),
        |it| it.summary = pattern("full*"),
        |it| it.details = pattern("db1"),
    ];
    for (place, other) in others.iter().enumerate() {
        let mut matches = fitting.clone();
        other(&mut matches);
        assert!(!matches.fits(&alert), "number {place}");
        let mut alone = Match::default();
        other(&mut alone);
        assert!(!alone.is_empty() && !alone.fits(&alert), "number {place} alone");
    }
    alert.audience = Audience::Person(name("ops"));
    assert!(!fitting.fits(&alert), "a person is no team, whatever the name");
}

#[test]
fn a_pattern_is_shown_as_it_was_written_and_one_that_is_none_says_why() {
    let pattern = Pattern::new("db*").unwrap();
    assert_eq!((pattern.as_str(), format!("{pattern:?}")), ("db*", "\"db*\"".to_owned()));
    assert!(Pattern::new("").unwrap_err().contains("write \"*\""));
    assert!(Pattern::new(&"ä".repeat(MAX_PATTERN)).is_ok(), "characters are counted, not bytes");
    assert!(Pattern::new(&"x".repeat(MAX_PATTERN + 1)).unwrap_err().contains("at most 200"));
}

#[test]
fn people_read_who_made_it_and_why_as_far_as_it_is_known() {
    let told = |by: &str, reason: &str| {
        Silence { by: by.to_owned(), reason: reason.to_owned(), ..silence(START, None) }.told()
    };
    assert_eq!(told("Carol", "planned work"), "Carol: planned work");
    assert_eq!(
        (told("Carol", ""), told("", "planned work")),
        ("Carol".to_owned(), "planned work".to_owned())
    );
}

#[test]
fn a_silence_begins_next_at_its_start_or_when_its_period_does() {
    let once = silence(oclock(18), Some(oclock(20)));
    assert_eq!(once.next_begin(oclock(16)), Some(oclock(18)));
    assert_eq!(once.next_begin(oclock(18)), None, "it has begun");
    let daily = recurring(oclock(10), Some(oclock(16 + 48)));
    assert_eq!(daily.next_begin(oclock(9)), Some(oclock(16)), "the period begins after its start");
    assert_eq!(daily.next_begin(oclock(16)), Some(oclock(16 + 24)), "from within, the next day");
    assert_eq!(daily.next_begin(oclock(17)), Some(oclock(16 + 24)));
    assert_eq!(daily.next_begin(oclock(17 + 24)), None, "it is over before the period begins again");
    let amid = recurring(oclock(16) + duration("5m"), None);
    assert_eq!(
        amid.next_begin(oclock(10)),
        Some(oclock(16) + duration("5m")),
        "its start lies in the period"
    );
    let next = directory(&[("once", once), ("daily", daily)]);
    assert_eq!(next.next_silence(oclock(9)), Some(oclock(16)));
    assert_eq!(next.next_silence(oclock(17)), Some(oclock(18)));
    assert_eq!(next.next_silence(oclock(17 + 48)), None);
    assert_eq!(directory(&[]).next_silence(START), None);
}

#[test]
fn a_silence_holds_from_its_start_to_its_end_and_only_within_its_period() {
    let alert = alert();
    let within = directory(&[("daily", recurring(oclock(10), Some(oclock(16) + duration("30m"))))]);
    let holds = |at: Timestamp| within.silence(&alert, at).map(|(_, until)| until);
    assert_eq!(holds(oclock(15)), None);
    assert_eq!(holds(oclock(16)), Some(oclock(16) + duration("30m")), "its own end comes first");
    assert_eq!(holds(oclock(16) + duration("30m")), None);
}

#[test]
fn silences_that_follow_each_other_are_one_for_who_waits_and_none_is_longer_than_thirty_days() {
    let alert = alert();
    let following = directory(&[
        ("first", silence(oclock(16), Some(oclock(17)))),
        ("second", silence(oclock(17), Some(oclock(19)))),
        ("later", silence(oclock(20), Some(oclock(21)))),
    ]);
    let (by, until) = following.silence(&alert, oclock(16)).unwrap();
    assert_eq!((by.name.as_str(), until), ("first", oclock(19)));
    for endless in [silence(oclock(16), None), silence(oclock(16), Some(oclock(16) + MAX_LENGTH * 2))] {
        let (_, until) = directory(&[("endless", endless)]).silence(&alert, oclock(17)).unwrap();
        assert_eq!(until, oclock(17) + MAX_LENGTH);
    }
}

#[test]
fn an_alert_comes_back_at_the_end_of_a_recurring_silence() {
    let mut world = World::new(ops());
    world.run_to("10s");
    world.directory = directory(&[("daily", recurring(oclock(15), None))]);
    world.run_to("53m");
    world.outage_to("54m");
    world.look_at_silences();
    world.run_to("2h");
    assert_eq!(world.paged("email:last@example.org"), ["+2:00", "+1:53:20.001"], "{}", world.timeline());
}
