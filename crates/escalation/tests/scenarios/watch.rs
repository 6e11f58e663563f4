//! The watch over duty: who is told what, and when to look again.

use escalation::alert::{Act, Alert, Snooze, Status};
use escalation::delivery::Delivery;
use escalation::directory::Directory;
use escalation::duty;
use escalation::event::{Actor, Via};
use escalation::id::Ids;
use escalation::watch::{Looked, Post, Seen, look, messages};
use jiff::{SignedDuration, Timestamp};
use rota::rotation::Length;
use rota::schedule::{Leave, Override};

use crate::roster::{Roster, name};
use crate::world::World;

/// A Monday, 08:00.
const MONDAY: Timestamp = Timestamp::constant(1_763_971_200, 0);
const DAY: SignedDuration = SignedDuration::from_hours(24);
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// John and Bob take weeks; John begins on that Monday.
fn ops() -> Directory {
    Directory::default()
        .person("john", &["handset:john"])
        .person("bob", &["handset:bob"])
        .planless("carol", &["email:carol@example.org"])
        .planless("alice", &["email:alice@example.org"])
        .team("ops", &["john", "bob"])
        .turns("ops", &["john", "bob"], Length::Days(vec![7]), MONDAY)
        .service(&[], &["email:operators@example.org"])
}

/// A store of one post, and a clock.
struct Watch {
    directory: Directory,
    leads: Vec<SignedDuration>,
    seen: Option<Seen>,
    taker: Option<&'static str>,
    /// What others have in hand.
    open: Vec<Alert>,
}

impl Watch {
    fn new(leads: &[SignedDuration]) -> Self {
        Self { directory: ops(), leads: leads.to_vec(), seen: None, taker: None, open: Vec::new() }
    }

    fn look(&mut self, now: Timestamp) -> (Looked, Vec<String>) {
        let (roster, role) = (duty::Roster::Schedule(name("ops")), name("primary"));
        let schedule = self.directory.compiled(&roster).unwrap();
        let post = Post { roster: &roster, role: &role, schedule, leads: &self.leads };
        let actor = |who: &str| Actor { person: Some(name(who)), label: who.to_owned(), via: Via::Api };
        let looked = look(post, self.seen.as_ref(), |_| self.taker.map(actor), now);
        let mut next = 0;
        let mut chance = || {
            next += 1;
            next
        };
        let made = messages(post, &looked, &self.open, &self.directory, Ids { now, chance: &mut chance });
        self.seen = Some(looked.seen.clone());
        (looked, made.iter().map(shown).collect())
    }

    /// Looks whenever it is time, as the engine does, and says what was told.
    fn run(&mut self, from: Timestamp, to: Timestamp) -> Vec<String> {
        let (mut at, mut told) = (Some(from), Vec::new());
        while let Some(now) = at.filter(|at| *at <= to) {
            let (looked, made) = self.look(now);
            told.extend(made.into_iter().map(|line| format!("{} {line}", now.strftime("%a %d %H:%M"))));
            assert!(looked.check_at.is_none_or(|at| at > now));
            at = looked.check_at;
        }
        told
    }
}

fn shown(delivery: &Delivery) -> String {
    format!("{} → {}: {}", delivery.purpose.word(), delivery.contact, delivery.text)
}

#[test]
fn reminders_come_at_their_lead_times_once() {
    let mut watch = Watch::new(&[DAY, SignedDuration::ZERO]);
    let told = watch.run(MONDAY + DAY, MONDAY + WEEK * 2);
    insta::assert_snapshot!(told.join("\n"), @r"
    Sun 30 08:00 reminder → handset:bob: You are on call for ops (primary) from Mon 08:00 UTC until Mon 8 Dec 08:00; next is John.
    Mon 01 08:00 reminder → handset:bob: You are on call for ops (primary) now until Mon 8 Dec 08:00 UTC; next is John.
    Sun 07 08:00 reminder → handset:john: You are on call for ops (primary) from Mon 08:00 UTC until Mon 15 Dec 08:00; next is Bob.
    Mon 08 08:00 reminder → handset:john: You are on call for ops (primary) now until Mon 15 Dec 08:00 UTC; next is Bob.
    ");
}

#[test]
fn lead_times_longer_than_a_shift_are_kept() {
    let mut watch = Watch::new(&[DAY * 2]);
    watch.directory = ops().turns("ops", &["john", "bob"], Length::Hours(12), MONDAY);
    let told = watch.run(MONDAY, MONDAY + DAY);
    let times: Vec<&str> = told.iter().map(|line| &line[..12]).collect();
    assert_eq!(times, ["Mon 24 20:00", "Tue 25 08:00"], "{told:#?}");
}

#[test]
fn the_first_look_tells_nobody_and_a_second_of_the_same_instant_neither() {
    let mut watch = Watch::new(&[DAY, SignedDuration::ZERO]);
    let late = MONDAY + WEEK - SECOND * 60;
    assert!(watch.look(late).1.is_empty());
    assert!(watch.look(late).1.is_empty());
    let (looked, told) = watch.look(MONDAY + WEEK);
    assert!(looked.handover.is_some() && told.len() == 1, "{told:?}");
    let (looked, told) = watch.look(MONDAY + WEEK);
    assert!(looked.handover.is_none() && told.is_empty(), "{told:?}");
}

#[test]
fn after_an_outage_only_what_still_matters_is_told() {
    let mut watch = Watch::new(&[DAY, SignedDuration::from_hours(1), SignedDuration::ZERO]);
    watch.look(MONDAY);
    // Both lead times of Bob's shift passed, and it is ahead: one reminder.
    let (_, told) = watch.look(MONDAY + WEEK - SignedDuration::from_mins(30));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("You are on call for ops (primary) from Mon 08:00 UTC"), "{told:?}");
    // Bob's and John's shifts began and ended, Bob's next runs: the old ones are not spoken of.
    let (looked, told) = watch.look(MONDAY + WEEK * 3 + SECOND);
    assert_eq!(
        looked.handover.map(|it| (it.before, it.after)),
        Some((vec![name("john")], vec![name("bob")]))
    );
    assert_eq!(told.len(), 1, "{told:?}");
    // All around the circle: nobody else is on call, and the shift is another.
    let (looked, told) = watch.look(MONDAY + WEEK * 5 + SECOND);
    assert!(looked.handover.is_none());
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn an_edit_repeats_no_reminder_and_tells_of_a_shift_that_moved() {
    let mut watch = Watch::new(&[DAY]);
    watch.look(MONDAY);
    let sunday = MONDAY + WEEK - DAY;
    assert_eq!(watch.look(sunday).1.len(), 1);
    assert!(watch.look(sunday + SECOND).1.is_empty(), "another edit");
    let later = MONDAY + SignedDuration::from_hours(1);
    watch.directory = ops().turns("ops", &["john", "bob"], Length::Days(vec![7]), later);
    let (_, told) = watch.look(sunday + SignedDuration::from_hours(2));
    assert!(told[0].contains("from Mon 09:00 UTC"), "{told:?}");
}

#[test]
fn a_takeover_is_told_to_whoever_is_relieved() {
    let mut watch = Watch::new(&[]);
    watch.look(MONDAY);
    let lies = Override {
        id: "takeover".into(),
        role: "primary".into(),
        from: MONDAY + DAY,
        until: Some(MONDAY + DAY * 2),
        instead_of: None,
        person: "carol".into(),
    };
    watch.directory = ops().edit("ops", |schedule| schedule.with_overrides(vec![lies]));
    watch.taker = Some("carol");
    let (looked, told) = watch.look(MONDAY + DAY);
    assert!(looked.handover.is_some_and(|handover| handover.takeover.is_some()));
    insta::assert_snapshot!(told.join("\n"), @r"
    notice → handset:john: Carol took over ops (primary) until Wed 08:00 UTC; you are relieved.
    warning → email:operators@example.org: Carol is on call for ops (primary) now and has no contact that can wake anybody
    ");
    let (looked, told) = watch.look(MONDAY + DAY * 2);
    let handover = looked.handover.unwrap();
    assert!(handover.takeover.is_none() && told.is_empty(), "it ended by itself: {told:?}");
}

#[test]
fn managers_are_warned_rather_than_the_operators() {
    let mut watch = Watch::new(&[]);
    watch.directory = ops().turns("ops", &["john", "carol"], Length::Days(vec![7]), MONDAY);
    std::sync::Arc::make_mut(watch.directory.teams.get_mut("ops").unwrap()).managers = vec![name("alice")];
    watch.look(MONDAY);
    let (_, told) = watch.look(MONDAY + WEEK);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("warning → email:alice@example.org: Carol is on call"), "{told:?}");
}

#[test]
fn leave_hands_over_and_back() {
    let mut watch = Watch::new(&[SignedDuration::ZERO]);
    let away = rota::period::Interval { start: MONDAY + DAY, end: MONDAY + DAY * 2 };
    let leave = std::collections::BTreeMap::from([("john".into(), Leave::new([away]))]);
    watch.directory = ops().edit("ops", |schedule| schedule.with_leave(leave));
    let told = watch.run(MONDAY, MONDAY + DAY * 3);
    insta::assert_snapshot!(told.join("\n"), @r"
    Tue 25 08:00 reminder → handset:bob: You are on call for ops (primary) now until Wed 08:00 UTC; next is John.
    Wed 26 08:00 reminder → handset:john: You are on call for ops (primary) now until Mon 08:00 UTC; next is Bob.
    ");
}

#[test]
fn a_newcomer_gets_the_list_of_what_others_have_in_hand() {
    let actor = |who: &str| Actor { person: Some(name(who)), label: who.to_owned(), via: Via::Api };
    let began = World::new(ops()).state.alert;
    let act = |who: &str| Act { by: actor(who), at: MONDAY };
    let alert = |number, owner: Option<&str>, snoozed: Option<&str>| Alert {
        number,
        summary: "disk full ".repeat(20),
        status: if snoozed.is_some() { Status::Snoozed } else { Status::Acknowledged },
        acknowledged: owner.map(act),
        snoozed: snoozed.map(|who| Snooze { act: act(who), until: MONDAY + WEEK * 2 }),
        ..began.clone()
    };
    let told = |open: &[Alert]| {
        let mut watch = Watch::new(&[]);
        watch.look(MONDAY);
        watch.open = open.to_vec();
        watch.look(MONDAY + WEEK).1
    };
    // Bob comes on call. His own he knows.
    assert!(told(&[alert(1, Some("bob"), None), alert(2, Some("john"), Some("bob"))]).is_empty());
    let made =
        told(&[alert(1, Some("john"), None), alert(2, None, None), alert(3, Some("bob"), Some("carol"))]);
    let summary: String = "disk full ".repeat(8);
    assert_eq!(
        made,
        [format!(
            "notice → handset:bob: Open for ops (primary), and in good hands: #1 {summary} (john has it); \
         #2 {summary} (somebody has it); #3 {summary} (carol put it aside)."
        )]
    );
    let many: Vec<Alert> = (1..=12).map(|number| alert(number, Some("john"), None)).collect();
    let made = told(&many);
    assert!(made[0].contains("#10 ") && made[0].ends_with("; and 2 more."), "{made:?}");
    assert!(!made[0].contains("#11 "));
}

#[test]
fn a_shift_without_an_end_and_one_with_nobody_after_it_are_said_to_be_so() {
    let lies = |from, until| Override {
        id: "cover".into(),
        role: "primary".into(),
        from,
        until,
        instead_of: None,
        person: "bob".into(),
    };
    let with = |lies: Override| {
        let mut watch = Watch::new(&[DAY, SignedDuration::ZERO]);
        // Nobody but whoever takes it: John is away for good.
        let away = rota::period::Interval { start: Timestamp::MIN, end: Timestamp::MAX };
        let leave = std::collections::BTreeMap::from([("john".into(), Leave::new([away]))]);
        watch.directory = ops()
            .turns("ops", &["john"], Length::Days(vec![7]), MONDAY)
            .edit("ops", |schedule| schedule.with_leave(leave).with_overrides(vec![lies]));
        watch.run(MONDAY, MONDAY + WEEK).join("\n")
    };
    insta::assert_snapshot!(with(lies(MONDAY + DAY * 2, None)), @r"
    Tue 25 08:00 reminder → handset:bob: You are on call for ops (primary) from Wed 08:00 UTC, and no end is in sight.
    Wed 26 08:00 reminder → handset:bob: You are on call for ops (primary) now, and no end is in sight.
    ");
    insta::assert_snapshot!(with(lies(MONDAY + DAY * 2, Some(MONDAY + DAY * 3))), @r"
    Tue 25 08:00 reminder → handset:bob: You are on call for ops (primary) from Wed 08:00 UTC until Thu 08:00 UTC; nobody is after you.
    Wed 26 08:00 reminder → handset:bob: You are on call for ops (primary) now until Thu 08:00 UTC; nobody is after you.
    ");
}

#[test]
fn nothing_of_it_is_spoken_aloud() {
    let mut watch = Watch::new(&[DAY, SignedDuration::ZERO]);
    watch.directory = ops().planless("bob", &["phone:+4930123456"]).planless("john", &["phone:+4930123457"]);
    assert!(watch.run(MONDAY, MONDAY + WEEK * 2).is_empty());
}
