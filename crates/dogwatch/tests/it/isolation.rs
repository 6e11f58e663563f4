//! One provider's trouble is nobody else's: pages through the others leave as if it were not there.

use dogwatch::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::World;
use crate::support::carrier::Does;

/// How many people are paged, one after the other, a hundred a second.
const PAGES: usize = 300;

#[tokio::test]
async fn while_one_provider_hangs_a_hundred_pages_a_second_leave_through_the_others_within_a_second() {
    let mut world = World::new().await;
    let hangs = |place: usize| place.is_multiple_of(3);
    let contact = |place: usize| match hangs(place) {
        // All of them at one host: more than it may hold at once.
        true => format!("webhook:https://hangs.example.org/{place}"),
        false => format!("email:p{place}@example.org"),
    };
    for place in 0..PAGES {
        let contact = contact(place);
        if hangs(place) {
            world.carrier.always(&contact, Does::Hang);
        }
        let name = format!("p{place}");
        world.post("/api/v1/people", json!({ "name": name, "full_name": name, "contacts": [contact] })).await;
    }
    let mut asked: Vec<(String, Timestamp)> = Vec::new();
    for place in 0..PAGES {
        world.clock.set(world.clock.now() + SignedDuration::from_millis(10));
        asked.push((contact(place), world.clock.now()));
        world.post(&format!("/api/v1/people/p{place}/notify"), json!({ "summary": "disk full" })).await;
        world.settle().await;
    }
    let seen = world.carrier.seen();
    let mut waits: Vec<SignedDuration> = Vec::new();
    for (contact, at) in asked.iter().filter(|(contact, _)| contact.starts_with("email:")) {
        let sent = seen.iter().find(|message| message.contact.as_str() == contact);
        waits.push(sent.unwrap_or_else(|| panic!("{contact} was not paged")).sent_at.duration_since(*at));
    }
    waits.sort_unstable();
    assert_eq!(waits.len(), 200);
    assert!(waits[waits.len() * 99 / 100] < SignedDuration::from_secs(1), "{waits:?}");
    let held = seen.iter().filter(|message| message.contact.as_str().starts_with("webhook:")).count();
    assert_eq!(held, 64, "the one that hangs holds its own places, and no more");
}
