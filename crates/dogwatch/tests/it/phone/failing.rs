//! Each way in which a provider fails, and what the person experiences: short messages and calls alike.

use escalation::directory::Service;

use super::{JOHN, people, world};
use crate::support::World;
use crate::support::twilio::{Does, Twilio};

/// A short message, and a call.
const WAYS: [&str; 2] = ["sms", "phone"];

/// John, reached this way first and by mail second.
async fn john(way: &str) -> (World, Twilio) {
    world(&[&format!("{way}:{JOHN}"), "email:john@example.org"], "en").await
}

/// The provider says that what it took last has arrived: the message is there, the telephone has been taken up.
async fn arrives(twilio: &Twilio, world: &World) {
    let newest = twilio.newest();
    let said = match newest.sid.starts_with("CA") {
        true => ("CallStatus", "in-progress"),
        false => ("MessageStatus", "delivered"),
    };
    twilio.status(world, &newest, &[said]).await;
}

/// Pages John while the provider does this once. Returns after how many seconds the mail came, if it did within a
/// minute, and after how many the message, or the call, was taken.
async fn john_hears(way: &str, does: Does) -> (Option<i64>, Option<i64>) {
    let (mut world, twilio) = john(way).await;
    twilio.once(does);
    world.notify("disk full").await;
    let (mut mail, mut message) = (None, None);
    for second in 0..60 {
        world.settle().await;
        if !world.carrier.sent_to("page").is_empty() {
            mail = mail.or(Some(second));
        }
        if !twilio.taken().is_empty() && message.is_none() {
            message = Some(second);
            arrives(&twilio, &world).await;
        }
        world.pass_seconds(1).await;
    }
    (mail, message)
}

#[tokio::test]
async fn a_provider_that_is_well_rings_and_sends_no_mail() {
    for way in WAYS {
        assert_eq!(john_hears(way, Does::Takes).await, (None, Some(0)), "{way}");
    }
}

#[tokio::test]
async fn a_number_that_can_not_be_reached_brings_the_mail_at_once_and_no_further_try() {
    for way in WAYS {
        let body = r#"{"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}"#;
        assert_eq!(john_hears(way, Does::Answers(400, "", body)).await, (Some(0), None), "{way}");
    }
}

#[tokio::test]
async fn another_refusal_brings_the_mail_at_once_and_the_first_contact_soon() {
    for way in WAYS {
        for body in [r#"{"code": 99999, "message": "no", "status": 400}"#, "<html>no</html>", ""] {
            let (mail, first) = john_hears(way, Does::Answers(400, "", body)).await;
            assert_eq!(mail, Some(0), "{way}");
            assert!(first.is_some_and(|at| at <= 4), "{way}: {first:?}");
        }
    }
}

#[tokio::test]
async fn a_server_error_brings_the_mail_at_once_and_the_first_contact_soon() {
    for way in WAYS {
        for body in ["", "<html>oops</html>", r#"{"code": 20500, "message": "oops", "status": 500}"#] {
            let (mail, first) = john_hears(way, Does::Answers(500, "", body)).await;
            assert_eq!(mail, Some(0), "{way}");
            assert!(first.is_some_and(|at| at <= 4), "{way}: {first:?}");
        }
    }
}

#[tokio::test]
async fn too_many_requests_brings_the_mail_at_once_and_the_first_contact_when_the_provider_said() {
    for way in WAYS {
        let body = r#"{"code": 20429, "message": "Too Many Requests", "status": 429}"#;
        let (mail, first) = john_hears(way, Does::Answers(429, "retry-after: 20\r\n", body)).await;
        assert_eq!(mail, Some(0), "{way}");
        assert!(first.is_some_and(|at| (20..=26).contains(&at)), "{way}: {first:?}");
    }
}

#[tokio::test]
async fn a_page_in_place_of_an_answer_brings_the_mail_at_once_and_the_first_contact_once_more() {
    for way in WAYS {
        for body in ["<html>Welcome to the hotel</html>", "", "{}", r#"{"sid": 7}"#] {
            let heard = john_hears(way, Does::Answers(201, "", body)).await;
            assert_eq!(heard, (Some(0), Some(30)), "{way} {body}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_dropped_brings_the_mail_at_once_and_the_first_contact_once_more() {
    for way in WAYS {
        assert_eq!(john_hears(way, Does::Drops).await, (Some(0), Some(30)), "{way}");
    }
}

#[tokio::test]
async fn a_provider_that_hangs_brings_the_mail_after_ten_seconds_and_the_first_contact_after_thirty() {
    for way in WAYS {
        assert_eq!(john_hears(way, Does::Hangs).await, (Some(10), Some(30)), "{way}");
        assert_eq!(john_hears(way, Does::HangsInTheMiddle).await, (Some(10), Some(30)), "{way}");
    }
}

#[tokio::test]
async fn what_is_taken_and_never_delivered_brings_the_mail_when_nobody_has_confirmed_it_in_time() {
    for way in WAYS {
        let (mut world, twilio) = john(way).await;
        world.notify("disk full").await;
        world.pass_seconds(44).await;
        assert_eq!((twilio.taken().len(), world.carrier.sent_to("page").len()), (1, 0), "{way}: yet");
        world.pass_seconds(1).await;
        assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"], "{way}");
        world.pass_seconds(60).await;
        assert_eq!(twilio.asked(), 1, "{way}: the plan has gone on to another contact");
    }
}

#[tokio::test]
async fn what_arrived_although_the_provider_answered_too_late_does_not_come_again() {
    for (way, words) in
        [("sms", "10 It has arrived: John by SMS"), ("phone", "It has arrived: John by telephone")]
    {
        let (mut world, twilio) = john(way).await;
        twilio.once(Does::TakesTooLate);
        let number = world.notify("disk full").await;
        world.pass_seconds(10).await;
        assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"], "{way}: nobody knew");
        arrives(&twilio, &world).await;
        let call = twilio.newest();
        if way == "phone" {
            // He takes it, and presses a key: of the call that nobody had heard of.
            let twiml = twilio.follow(call.field("Twiml"));
            let then = twilio.press(&world, &call, &twiml, "4").await;
            assert_eq!(then["inner"][0]["text"], "You have it. Nobody else is paged any more.");
        }
        world.pass_seconds(60).await;
        assert_eq!(twilio.asked(), 1, "{way}");
        let story = world.story(number).await.join("\n");
        assert!(story.contains(words), "{story}");
    }
}

#[tokio::test]
async fn bad_credentials_or_no_money_bring_the_mail_at_once_and_the_operators_are_told_once() {
    for (way, status) in WAYS.into_iter().flat_map(|way| [401, 402, 403].map(|status| (way, status))) {
        let (mut world, twilio) = john(way).await;
        twilio.always(Does::Answers(status, "", r#"{"code": 20003, "message": "Authenticate"}"#));
        world.notify("disk full").await;
        world.settle().await;
        assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"], "{way}");
        world.pass_seconds(60).await;
        assert_eq!(world.carrier.sent_to("warning"), ["email:operator@example.org"], "within a minute, once");
        assert_eq!(twilio.asked(), 1, "{way}: not asked again and again");
        let seen = world.carrier.seen();
        let warning = seen.iter().find(|message| message.purpose.word() == "warning").unwrap();
        assert!(warning.headline.contains("main") && warning.headline.contains(&status.to_string()));
        assert!(!warning.headline.contains("canary"), "{}", warning.headline);
    }
}

/// Two providers: one that fails, and one that is well.
async fn two(does: Does) -> (World, Twilio, Twilio) {
    let (first, second) = (Twilio::start().await, Twilio::start().await);
    let providers = vec![first.provider("main"), second.provider("spare")];
    let world = World::with_providers(Service::default(), providers).await;
    first.join(&world);
    first.always(does);
    people(&world, &[&format!("sms:{JOHN}")], "en").await;
    (world, first, second)
}

#[tokio::test]
async fn with_a_second_provider_the_message_comes_within_seconds() {
    for does in [
        Does::Answers(500, "", ""),
        Does::Answers(401, "", ""),
        Does::Answers(402, "", ""),
        Does::Answers(429, "retry-after: 200\r\n", ""),
        Does::Answers(400, "", "{}"),
    ] {
        let (mut world, first, second) = two(does.clone()).await;
        world.notify("disk full").await;
        world.pass_seconds(3).await;
        assert_eq!((first.asked(), second.taken().len()), (1, 1), "{does:?}");
    }
}

#[tokio::test]
async fn when_the_first_provider_hangs_or_drops_the_second_brings_the_message_within_a_minute() {
    for does in [Does::Hangs, Does::HangsInTheMiddle, Does::Drops, Does::Answers(201, "", "<html>")] {
        let (mut world, first, second) = two(does.clone()).await;
        world.notify("disk full").await;
        world.pass_seconds(40).await;
        assert_eq!((first.asked(), second.taken().len()), (1, 1), "{does:?}");
    }
}

#[tokio::test]
async fn a_telephone_that_was_busy_is_called_again_from_the_same_number() {
    let (first, second) = (Twilio::start().await, Twilio::start().await);
    let providers = vec![first.provider("main"), second.provider("spare")];
    let mut world = World::with_providers(Service::default(), providers).await;
    first.join(&world);
    people(&world, &[&format!("phone:{JOHN}")], "en").await;
    world.notify("disk full").await;
    world.settle().await;
    first.status(&world, &first.newest(), &[("CallStatus", "busy")]).await;
    world.settle().await;
    // A telephone that is kept quiet lets the second call of one number through.
    assert_eq!((first.taken().len(), second.asked()), (2, 0));
    let [one, other] = &first.taken()[..] else { panic!("two calls") };
    assert_eq!(one.field("From"), other.field("From"));
}

#[tokio::test]
async fn calls_that_fail_for_a_providers_sake_speak_against_no_number() {
    for (code, bounces) in [("503", 0), ("", 0), ("404", 1)] {
        let (mut world, twilio) = john("phone").await;
        world.notify("disk full").await;
        world.settle().await;
        let said = [("CallStatus", "failed"), ("SipResponseCode", code)];
        twilio.status(&world, &twilio.newest(), &said).await;
        world.settle().await;
        let reached = world.get("/api/v1/people/john/contacts").await;
        assert_eq!(reached["items"][0]["bounces"], bounces, "{code}: {reached}");
    }
}

#[tokio::test]
async fn a_provider_that_fails_three_times_is_left_alone_and_the_other_is_asked_at_once() {
    let (mut world, first, second) = two(Does::Answers(500, "", "")).await;
    for count in 0..3 {
        let alert = world.notify(&format!("disk {count}")).await;
        world.pass_seconds(4).await;
        world.post(&format!("/api/v1/alerts/{alert}/resolve"), serde_json::json!({})).await;
        world.pass_seconds(1).await;
    }
    let (asked, taken) = (first.asked(), second.taken().len());
    world.notify("the fourth").await;
    world.pass_seconds(70).await;
    assert_eq!(first.asked(), asked.max(3), "it rests");
    assert!(second.taken().len() > taken);
}

#[tokio::test]
async fn while_a_provider_hangs_messages_through_the_other_go_out_at_once() {
    let (mut world, first, second) = two(Does::Hangs).await;
    for count in 0..20 {
        let name = format!("person-{count}");
        let contact = format!("sms:+4930555{count:03}");
        let person = serde_json::json!({ "name": name, "full_name": name, "contacts": [contact] });
        world.post("/api/v1/people", person).await;
        let page = serde_json::json!({ "summary": "disk full" });
        world.post(&format!("/api/v1/people/{name}/notify"), page).await;
    }
    world.settle().await;
    assert_eq!((first.asked(), second.taken().len()), (8, 12), "it holds its own places only");
}
