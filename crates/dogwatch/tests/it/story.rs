//! The main job through the real service: John is paged, then Bob, and one answer stops all.

use escalation::delivery::{Outcome, Refusal};
use jiff::SignedDuration;
use serde_json::json;

use crate::support::World;
use crate::support::carrier::Does;

const JOHN: &str = "webhook:https://phone.example/john";
const BOB: &str = "webhook:https://phone.example/bob";

fn refused(permanent: bool) -> Does {
    Does::Answer(Outcome::Refused {
        why: "no".to_owned(),
        refusal: if permanent { Refusal::Contact } else { Refusal::Passing },
    })
}

#[tokio::test]
async fn john_is_paged_then_bob_and_bobs_key_stops_both_handsets() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let number = world.notify("disk full on db1").await;
    world.pass_seconds(50).await;

    let (john, bob) = (world.cookie(Some("john")).await, world.cookie(Some("bob")).await);
    assert!(world.page(&john, "/handset/john").await.text.contains("data-ring="));
    let pressed = world.press(&bob, &format!("/handset/bob/alerts/{number}/keys/4")).await;
    assert_eq!(pressed.status, 303);
    world.pass_seconds(3_600).await;

    assert_eq!(
        world.story(number).await,
        [
            "0 Triggered for the team ops (test, by the API)",
            "0 Step 1 pages John",
            "0 John's handset rings",
            "20 John's handset rings",
            "45 Step 2 pages Bob",
            "45 Bob's handset rings",
            "50 Acknowledged: Bob, by handset",
            "50 John's handset is told: Bob has it",
        ]
    );
    for (cookie, path) in [(&john, "/handset/john"), (&bob, "/handset/bob")] {
        let page = world.page(cookie, path).await.text;
        assert!(!page.contains("data-ring="), "{path} still rings");
    }
    assert!(world.page(&john, "/handset/john").await.text.contains("Bob has it"));
    let said = world.page(&bob, &format!("/handset/bob?did=4.{number}")).await.text;
    assert!(said.contains("You have #1. Nobody else is paged any more."), "{said}");
}

#[tokio::test]
async fn after_a_crash_at_any_second_the_story_goes_on_as_if_nothing_had_happened() {
    let whole = [
        "0 Step 1 pages John",
        "20 John's handset rings",
        "45 Step 2 pages Bob",
        "65 Bob's handset rings",
        "80 John's handset rings",
    ];
    for crash_at in [0, 1, 19, 20, 21, 44, 45, 46, 64, 65, 79] {
        let mut world = World::new().await;
        world.john_and_bob("handset:john", "handset:bob").await;
        let number = world.notify("disk full").await;
        world.pass_seconds(crash_at).await;
        let mut world = world.crash().await;
        world.pass_seconds(80 - crash_at).await;
        let story = world.story(number).await;
        for line in whole {
            assert_eq!(
                story.iter().filter(|told| *told == line).count(),
                1,
                "crash at {crash_at}: {line}\n{story:#?}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_link_from_before_a_crash_still_answers() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, BOB).await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let link = world.carrier.seen()[0].answer_url.clone().unwrap();
    let path = link.strip_prefix(&world.url).unwrap().to_owned();
    let world = world.crash().await;
    world.press("", &path).await;
    assert_eq!(world.get(&format!("/api/v1/alerts/{number}")).await["acknowledged"]["by"], "John");
}

#[tokio::test]
async fn nobody_answers_to_the_end() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world.request("PATCH", "/api/v1/teams/ops", Some(json!({ "last_resort": [JOHN] }))).await;
    let number = world.notify("disk full").await;
    world.pass(SignedDuration::from_hours(2)).await;
    let story = world.story(number).await;
    let at = |text: &str| story.iter().filter(|line| line.contains(text)).cloned().collect::<Vec<_>>();
    assert_eq!(at("Step"), ["0 Step 1 pages John", "45 Step 2 pages Bob"]);
    assert_eq!(at("last resort pages"), [format!("345 The last resort pages {JOHN}")]);
    assert_eq!(at("Nobody has answered"), ["1245 Nobody has answered; the operators are told"]);
    assert_eq!(world.get(&format!("/api/v1/alerts/{number}")).await["status"], "unanswered");
    // The handset goes on, at least five minutes apart.
    let rings: Vec<i64> = at("John's handset rings")
        .iter()
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    let late: Vec<i64> = rings.into_iter().filter(|at| *at > 1_300).collect();
    assert!(late.len() > 10 && late.windows(2).all(|pair| pair[1] - pair[0] >= 300), "{late:?}");
}

#[tokio::test]
async fn two_people_acknowledge_at_once_and_the_second_hears_who_has_it() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let number = world.notify("disk full").await;
    world.pass_seconds(50).await;
    let (john, bob) = (world.cookie(Some("john")).await, world.cookie(Some("bob")).await);
    let (johns, bobs) =
        (format!("/handset/john/alerts/{number}/keys/4"), format!("/handset/bob/alerts/{number}/keys/4"));
    let (john_did, bob_did) = tokio::join!(world.press(&john, &johns), world.press(&bob, &bobs));
    let story = world.story(number).await;
    assert_eq!(story.iter().filter(|line| line.contains("Acknowledged")).count(), 1, "{story:#?}");
    let owner = world.get(&format!("/api/v1/alerts/{number}")).await["acknowledged"]["by"]
        .as_str()
        .unwrap()
        .to_owned();
    let (cookie, did) = if owner == "Bob" { (&john, john_did) } else { (&bob, bob_did) };
    let said = world.page(cookie, did.headers["location"].to_str().unwrap()).await.text;
    assert!(said.contains(&format!("{owner} has #{number} already")), "{said}");
}

#[tokio::test]
async fn resolved_before_the_first_page_nobody_is_disturbed() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, BOB).await;
    let number = world.notify("disk full").await;
    world.post(&format!("/api/v1/alerts/{number}/resolve"), json!({})).await;
    world.pass(SignedDuration::from_hours(1)).await;
    assert!(world.carrier.seen().is_empty());
}

#[tokio::test]
async fn acknowledged_at_every_instant_nothing_rings_afterwards() {
    for at in
        [0, 1, 19, 20, 21, 44, 45, 46, 64, 65, 66, 79, 80, 81, 344, 345, 346, 1_244, 1_245, 1_246, 3_600]
    {
        let mut world = World::new().await;
        world.john_and_bob(JOHN, BOB).await;
        let number = world.notify("disk full").await;
        world.pass_seconds(at).await;
        let reached = world.carrier.sent_to("page");
        world.post(&format!("/api/v1/alerts/{number}/acknowledge"), json!({})).await;
        world.pass(SignedDuration::from_hours(3)).await;
        assert_eq!(world.carrier.sent_to("page"), reached, "a page after the acknowledgement at {at}");
        let mut told = world.carrier.sent_to("notice");
        let mut expected = reached;
        for list in [&mut told, &mut expected] {
            list.sort();
        }
        expected.dedup();
        assert_eq!(told, expected, "who was told of the acknowledgement at {at}");
    }
}

/// Chicken Little forgot a page at its provider's first failure.
#[tokio::test]
async fn a_permanent_refusal_brings_the_next_contact_at_once() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, BOB).await;
    world.request("PATCH", "/api/v1/people/john", Some(json!({
        "contacts": [JOHN, "handset:john"],
        "notification_plans": { "high": { "steps": [{ "contact": JOHN, "wait": "5m" }, { "contact": "handset:john" }] } },
    }))).await;
    world.carrier.always(JOHN, refused(true));
    let number = world.notify("disk full").await;
    world.settle().await;
    let story = world.story(number).await;
    assert!(story.contains(&"0 John's handset rings".to_owned()), "{story:#?}");
    assert_eq!(world.carrier.sent_to("page"), [JOHN], "a permanent refusal is not tried again");
}

#[tokio::test]
async fn when_everything_of_a_step_fails_the_next_step_fires_at_once() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, BOB).await;
    world.carrier.always(JOHN, refused(true));
    world.notify("disk full").await;
    world.settle().await;
    assert!(world.carrier.sent_to("page").contains(&BOB.to_owned()));
}

/// Chicken Little's engine stood still for everybody while one provider hung.
#[tokio::test]
async fn a_provider_that_hangs_delays_nobody_and_is_tried_again() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, BOB).await;
    world.carrier.once(JOHN, Does::Hang);
    let number = world.notify("disk full").await;
    let other = world.post("/api/v1/people/bob/notify", json!({ "summary": "also this" })).await;
    world.settle().await;
    assert!(
        world.carrier.sent_to("page").contains(&BOB.to_owned()),
        "Bob's own alert waits for John's provider"
    );
    world.post(&format!("/api/v1/alerts/{}/resolve", other["number"]), json!({})).await;

    world.pass_seconds(60).await;
    let story = world.story(number).await;
    let unknown = "10 Perhaps delivered to John by webhook, attempt 1: it is not known whether it arrived: no answer within 10 s";
    assert!(story.iter().any(|line| line.starts_with(unknown)), "{story:#?}");
    // The next step of John's plan comes at once, not after its wait.
    assert!(story.contains(&"10 Page to John by webhook: the receiver took it".to_owned()), "{story:#?}");
}

#[tokio::test]
async fn a_channel_that_panics_harms_only_its_own_attempt() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, BOB).await;
    world.carrier.once(JOHN, Does::Panic);
    let number = world.notify("disk full").await;
    world.pass_seconds(1).await;
    let story = world.story(number).await;
    assert!(story.iter().any(|line| line.contains("Dogwatch made a mistake while sending")), "{story:#?}");
    assert_eq!(world.carrier.sent_to("page"), [JOHN, JOHN]);
}

#[tokio::test]
async fn a_crash_while_sending_is_an_unknown_outcome_and_is_tried_again() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, BOB).await;
    world.carrier.once(JOHN, Does::Hang);
    world.notify("disk full").await;
    world.settle().await;
    let mut world = world.crash().await;
    world.settle().await;
    assert_eq!(world.carrier.sent_to("page"), [JOHN], "the next contact comes at once");
    world.pass_seconds(31).await;
    assert!(world.carrier.sent_to("page").len() >= 2, "and the lost one again when its lease has ended");
}

#[tokio::test]
async fn a_page_that_was_being_sent_during_the_acknowledgement_is_told_too() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, BOB).await;
    world.carrier.always(JOHN, Does::Hang);
    let number = world.notify("disk full").await;
    world.settle().await;
    world.post(&format!("/api/v1/alerts/{number}/acknowledge"), json!({})).await;
    world.settle().await;
    assert!(world.carrier.sent_to("notice").is_empty(), "nobody knows yet that John was reached");
    world.carrier.always(JOHN, Does::Answer(Outcome::Accepted { provider_id: String::new() }));
    world.pass_seconds(120).await;
    assert_eq!(world.carrier.sent_to("notice"), [JOHN]);
    assert_eq!(world.carrier.sent_to("page"), [JOHN]);
}

#[tokio::test]
async fn a_refusing_provider_is_tried_again_with_growing_pauses() {
    let mut world = World::new().await;
    world.post("/api/v1/people", json!({ "name": "john", "contacts": [JOHN] })).await;
    world.carrier.always(JOHN, refused(false));
    world.post("/api/v1/people/john/notify", json!({ "summary": "x" })).await;
    world.pass_seconds(300).await;
    let at: Vec<_> = world.carrier.seen().iter().map(|message| message.sent_at).collect();
    let pauses: Vec<i64> =
        at.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_millis() as i64).collect();
    let expected = [2_000, 4_000, 8_000, 16_000, 32_000, 60_000];
    for (pause, base) in pauses.iter().zip(expected) {
        assert!((base..=base + base / 4).contains(pause), "{pauses:?}");
    }
    assert!(pauses.len() >= expected.len());
}

#[tokio::test]
async fn unacknowledged_it_goes_on_from_the_step_reached_with_the_acker_included() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let number = world.notify("disk full").await;
    world.pass_seconds(50).await;
    let bob = world.cookie(Some("bob")).await;
    world.press(&bob, &format!("/handset/bob/alerts/{number}/keys/4")).await;
    world.pass_seconds(10).await;
    world.post(&format!("/api/v1/alerts/{number}/unacknowledge"), json!({})).await;
    world.settle().await;
    let story = world.story(number).await;
    assert!(story.contains(&"60 Step 2 pages Bob".to_owned()), "{story:#?}");
    assert_eq!(world.get(&format!("/api/v1/alerts/{number}")).await["round"], 2);
}

#[tokio::test]
async fn keys_8_6_and_1_do_what_they_say() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let number = world.notify("disk full").await;
    world.pass_seconds(5).await;
    let john = world.cookie(Some("john")).await;
    let keys = format!("/handset/john/alerts/{number}/keys");
    world.press(&john, &format!("{keys}/1")).await;
    assert!(world.page(&john, "/handset/john").await.text.contains("data-ring="), "1 answers nothing");
    world.press(&john, &format!("{keys}/8")).await;
    world.settle().await;
    assert!(!world.page(&john, "/handset/john").await.text.contains("data-ring="), "8 ends one's own page");
    let story = world.story(number).await;
    assert!(story.contains(&"5 Step 2 pages Bob".to_owned()), "8 fires the next step: {story:#?}");

    let bob = world.cookie(Some("bob")).await;
    let keys = format!("/handset/bob/alerts/{number}/keys");
    let once = world.press(&bob, &format!("{keys}/6")).await;
    let asked = world.page(&bob, once.headers["location"].to_str().unwrap()).await.text;
    assert!(asked.contains("Press 6 once more") && asked.contains("keys/66"), "{asked}");
    assert_eq!(
        world.get(&format!("/api/v1/alerts/{number}")).await["status"],
        "triggered",
        "6 once changes nothing"
    );
    world.press(&bob, &format!("{keys}/66")).await;
    world.settle().await;
    assert_eq!(world.get(&format!("/api/v1/alerts/{number}")).await["status"], "resolved");
    assert!(world.page(&john, "/handset/john").await.text.contains("Resolved by Bob"), "John is told");
}

#[tokio::test]
async fn a_role_is_paged_and_told_how_it_ended() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let mailbox = "email:noc@example.org";
    world
        .request(
            "PUT",
            "/api/v1/escalation-plans/ops",
            Some(json!({
                "steps": [{ "notify": ["on_call", mailbox, BOB], "after": "5m" }],
            })),
        )
        .await;
    let number = world.notify("disk full").await;
    world.settle().await;
    world.post(&format!("/api/v1/alerts/{number}/acknowledge"), json!({})).await;
    world.settle().await;
    let sorted = |purpose: &str| {
        let mut sent = world.carrier.sent_to(purpose);
        sent.sort();
        sent
    };
    assert_eq!(sorted("page"), [mailbox, BOB]);
    assert_eq!(sorted("notice"), [mailbox, BOB]);
}

#[tokio::test]
async fn an_empty_team_costs_no_waiting_and_is_told() {
    let mut world = World::new().await;
    world
        .post(
            "/api/v1/people",
            json!({ "name": "alice", "full_name": "Alice", "contacts": ["handset:alice"] }),
        )
        .await;
    world.post("/api/v1/teams", json!({ "name": "ops", "last_resort": ["person:alice"] })).await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let story = world.story(number).await;
    assert!(story.contains(&"0 The last resort pages Alice".to_owned()), "{story:#?}");
}

#[tokio::test]
async fn after_an_outage_the_present_counts_and_nothing_is_caught_up() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, BOB).await;
    let number = world.notify("disk full").await;
    world.settle().await;
    // Three hours in which nobody looks at the clock.
    let later = dogwatch::clock::Clock::now(&*world.clock) + SignedDuration::from_hours(3);
    world.clock.set(later);
    world.settle().await;
    let story = world.story(number).await;
    let steps: Vec<_> = story.iter().filter(|line| line.contains("pages")).collect();
    assert_eq!(steps, ["0 Step 1 pages John", "10800 Step 2 pages Bob"]);
    let mut sent = world.carrier.sent_to("page");
    sent.sort();
    assert_eq!(sent, [BOB, JOHN, JOHN], "one repeat of John, not three hours of them");
}
