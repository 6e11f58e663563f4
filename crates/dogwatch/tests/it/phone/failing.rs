//! Each way in which a provider fails, and what the person experiences.

use escalation::directory::Service;

use super::{JOHN, people, world};
use crate::support::World;
use crate::support::twilio::{Does, Twilio};

/// Pages John by SMS first, mail second, while the provider does this once. Returns after how many seconds the mail
/// came, if it did within a minute, and after how many the message was taken.
async fn john_hears(does: Does) -> (Option<i64>, Option<i64>) {
    let (mut world, twilio) = world(&[&format!("sms:{JOHN}"), "email:john@example.org"], "en").await;
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
            twilio.status(&world, &twilio.newest(), &[("MessageStatus", "delivered")]).await;
        }
        world.pass_seconds(1).await;
    }
    (mail, message)
}

#[tokio::test]
async fn a_provider_that_is_well_sends_the_message_and_no_mail() {
    assert_eq!(john_hears(Does::Takes).await, (None, Some(0)));
}

#[tokio::test]
async fn a_number_that_can_not_be_reached_brings_the_mail_at_once_and_no_further_try() {
    let body = r#"{"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}"#;
    assert_eq!(john_hears(Does::Answers(400, "", body)).await, (Some(0), None));
}

#[tokio::test]
async fn another_refusal_brings_the_mail_at_once_and_the_message_soon() {
    let body = r#"{"code": 99999, "message": "no", "status": 400}"#;
    let (mail, message) = john_hears(Does::Answers(400, "", body)).await;
    assert_eq!(mail, Some(0));
    assert!(message.is_some_and(|at| at <= 4), "{message:?}");
}

#[tokio::test]
async fn a_server_error_brings_the_mail_at_once_and_the_message_soon() {
    for body in ["", "<html>oops</html>", r#"{"code": 20500, "message": "oops", "status": 500}"#] {
        let (mail, message) = john_hears(Does::Answers(500, "", body)).await;
        assert_eq!(mail, Some(0));
        assert!(message.is_some_and(|at| at <= 4), "{message:?}");
    }
}

#[tokio::test]
async fn too_many_requests_brings_the_mail_at_once_and_the_message_when_the_provider_said() {
    let body = r#"{"code": 20429, "message": "Too Many Requests", "status": 429}"#;
    let (mail, message) = john_hears(Does::Answers(429, "retry-after: 20\r\n", body)).await;
    assert_eq!(mail, Some(0));
    assert!(message.is_some_and(|at| (20..=26).contains(&at)), "{message:?}");
}

#[tokio::test]
async fn a_page_in_place_of_an_answer_brings_the_mail_at_once_and_the_message_once_more() {
    for body in ["<html>Welcome to the hotel</html>", "", "{}", r#"{"sid": 7}"#] {
        let (mail, message) = john_hears(Does::Answers(201, "", body)).await;
        assert_eq!((mail, message), (Some(0), Some(30)), "{body}");
    }
}

#[tokio::test]
async fn a_connection_that_is_dropped_brings_the_mail_at_once_and_the_message_once_more() {
    assert_eq!(john_hears(Does::Drops).await, (Some(0), Some(30)));
}

#[tokio::test]
async fn a_provider_that_hangs_brings_the_mail_after_ten_seconds_and_the_message_after_thirty() {
    assert_eq!(john_hears(Does::Hangs).await, (Some(10), Some(30)));
    assert_eq!(john_hears(Does::HangsInTheMiddle).await, (Some(10), Some(30)));
}

#[tokio::test]
async fn a_message_that_arrived_although_the_provider_answered_too_late_does_not_come_again() {
    let (mut world, twilio) = world(&[&format!("sms:{JOHN}"), "email:john@example.org"], "en").await;
    twilio.once(Does::TakesTooLate);
    let number = world.notify("disk full").await;
    world.pass_seconds(10).await;
    assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"], "nobody knew");
    twilio.status(&world, &twilio.newest(), &[("MessageStatus", "sent")]).await;
    twilio.status(&world, &twilio.newest(), &[("MessageStatus", "delivered")]).await;
    world.pass_seconds(60).await;
    assert_eq!(twilio.asked(), 1);
    let story = world.story(number).await.join("\n");
    assert!(story.contains("10 It has arrived: John by SMS"), "{story}");
}

#[tokio::test]
async fn bad_credentials_or_no_money_bring_the_mail_at_once_and_the_operators_are_told_once() {
    for status in [401, 402, 403] {
        let (mut world, twilio) = world(&[&format!("sms:{JOHN}"), "email:john@example.org"], "en").await;
        twilio.always(Does::Answers(status, "", r#"{"code": 20003, "message": "Authenticate"}"#));
        world.notify("disk full").await;
        world.settle().await;
        assert_eq!(world.carrier.sent_to("page"), ["email:john@example.org"]);
        world.pass_seconds(60).await;
        assert_eq!(world.carrier.sent_to("warning"), ["email:operator@example.org"], "within a minute, once");
        assert_eq!(twilio.asked(), 1, "not asked again and again");
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
