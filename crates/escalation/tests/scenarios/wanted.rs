//! Whether a delivery may still be sent, and what a hand-made state can't do.

use escalation::delivery::{Delivery, MAX_ATTEMPTS, Outcome, Purpose, Refusal, State};
use escalation::directory::Directory;
use escalation::event::Input;
use escalation::id::Ids;
use escalation::wake::Wake;
use jiff::SignedDuration;

use crate::roster::{Roster, contact, duration};
use crate::world::{MOMENT, START, World};

fn world() -> World {
    let directory = Directory::default()
        .person("john", &["handset:john every 2m"])
        .team("ops", &["john"])
        .plan("ops", 0, &["john after 10m"])
        .service(&[], &["email:operators@example.org"]);
    let mut world = World::new(directory);
    world.run_to("10s");
    world
}

fn made(purpose: Purpose) -> Delivery {
    let mut chance = || 7;
    let mut ids = Ids { now: START, chance: &mut chance };
    Delivery::without_alert(&mut ids, None, contact("email:john@example.org"), purpose, "hello".to_owned())
}

#[test]
fn nothing_is_sent_once_it_tells_nobody_anything() {
    for purpose in [Purpose::Notice, Purpose::Reminder, Purpose::Warning, Purpose::Test] {
        let mut delivery = made(purpose);
        assert!(delivery.is_wanted(None, None, START + duration("7d")), "{purpose:?}");
        delivery.expires_at = Some(START + duration("1h"));
        assert!(delivery.is_wanted(None, None, START + duration("1h") - MOMENT), "{purpose:?}");
        assert!(!delivery.is_wanted(None, None, START + duration("1h")), "{purpose:?}");
    }
}

#[test]
fn a_page_is_wanted_only_with_its_alert_and_its_page() {
    let mut world = world();
    let (alert, page) = (world.state.alert.clone(), world.state.pages[0].clone());
    let delivery = world.deliveries[0].clone();
    assert!(delivery.is_wanted(Some(&alert), Some(&page), world.now));
    assert!(!delivery.is_wanted(None, Some(&page), world.now), "the alert is gone");
    assert!(!delivery.is_wanted(Some(&alert), None, world.now), "the page is gone");
    let role = Delivery { page: None, ..delivery.clone() };
    assert!(role.is_wanted(Some(&alert), None, world.now));
    world.acknowledge("john");
    let (alert, page) = (&world.state.alert, &world.state.pages[0]);
    assert!(!delivery.is_wanted(Some(alert), Some(page), world.now));
    assert!(!role.is_wanted(Some(alert), None, world.now));
}

#[test]
fn a_late_outcome_of_an_earlier_claim_changes_nothing() {
    let accepted = Outcome::Accepted { provider_id: String::new() };
    let refused = Outcome::Refused { why: "no".to_owned(), refusal: Refusal::Passing };
    let mut delivery = made(Purpose::Notice);
    let mut chance = || 0;
    assert_eq!(delivery.settle(0, &accepted, START, &mut chance), None, "nobody has claimed it");
    delivery.claim(START);
    assert!(delivery.settle(1, &refused, START, &mut chance).is_some());
    delivery.claim(START);
    let before = delivery.clone();
    assert_eq!(delivery.settle(1, &accepted, START, &mut chance), None, "another claim has come since");
    assert_eq!(delivery, before);
    assert!(delivery.settle(2, &accepted, START, &mut chance).is_some());
    assert_eq!(delivery.state, State::Sent);
}

#[test]
fn a_delivery_that_is_refused_is_given_up_after_so_many_tries_each_later_than_the_one_before() {
    let refused = Outcome::Refused { why: "no".to_owned(), refusal: Refusal::Passing };
    let mut delivery = made(Purpose::Notice);
    let (mut now, mut pauses) = (START, Vec::new());
    for token in 1..=MAX_ATTEMPTS {
        delivery.claim(now);
        // The most that chance may add.
        delivery.settle(token, &refused, now, &mut || u64::MAX).unwrap();
        pauses.push(delivery.not_before.duration_since(now));
        now = delivery.not_before;
    }
    assert_eq!((delivery.state, delivery.attempt), (State::Failed, MAX_ATTEMPTS));
    pauses.pop();
    assert!(pauses.is_sorted() && pauses[0] >= SignedDuration::from_secs(2), "{pauses:?}");
    assert!(*pauses.last().unwrap() <= SignedDuration::from_secs(75), "{pauses:?}");
}

#[test]
fn a_wake_that_has_no_business_there_pages_nobody() {
    for wake in [Wake::AskOwner, Wake::AckTimeout] {
        let mut world = world();
        world.state.wakes.insert(wake, world.now);
        let pages = world.state.pages.clone();
        world.take(&Input::Due(wake));
        assert_eq!((world.effects, &world.state.pages), (0, &pages), "nobody has it: {wake:?}");
    }
    let mut world = world();
    world.acknowledge("john");
    world.state.wakes.insert(Wake::GiveUp, world.now);
    world.take(&Input::Due(Wake::GiveUp));
    assert_eq!(world.effects, 0, "somebody has it");
}
