//! A contact of each kind is verified by the code that came in through it.

use dogwatch::clock::Clock;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::push;
use super::trouble::{CHANNELS, start};
use crate::phone::{JOHN, world as phones};
use crate::support::World;
use crate::support::fake::Request;

/// The code in what a service was given, or a browser; none: it holds something else.
fn code_in(word: &str, request: &Request, origin: &str, world: &World) -> Option<String> {
    let text = match word {
        "push" => push::read(request, push::PRIVATE, origin, world.clock.now().as_second()).to_string(),
        "email" | "pushover" => {
            request.form().into_iter().map(|(_, value)| value).collect::<Vec<_>>().join("\n")
        }
        _ => request.json().to_string(),
    };
    let after = text.split("Your code for Dogwatch is ").nth(1)?;
    Some(after.chars().take_while(char::is_ascii_digit).collect())
}

async fn of_john(world: &World) -> Value {
    world.get("/api/v1/people/john/contacts").await["items"][0].clone()
}

#[tokio::test]
async fn a_contact_of_each_kind_is_verified_by_the_code_that_came_in_through_it_and_by_no_other() {
    for word in CHANNELS {
        let (fake, mut world) = start(word, SignedDuration::from_secs(10)).await;
        let contact = of_john(&world).await["contact"].as_str().unwrap().to_owned();
        assert!(contact.starts_with(&format!("{word}:")), "{contact}");
        assert_eq!(of_john(&world).await["verified_at"], Value::Null, "{word}");
        let ask = json!({ "contact": contact });
        world.post("/api/v1/people/john/contacts/verify", ask).await;
        world.settle().await;
        let codes: Vec<String> =
            fake.seen().iter().filter_map(|request| code_in(word, request, &fake.url, &world)).collect();
        assert_eq!(codes.len(), 1, "{word}: {:?}", fake.seen());
        assert_eq!(codes[0].len(), 6, "{word}");
        let confirm = async |code: &str| {
            let body = json!({ "contact": contact, "code": code });
            world.request("POST", "/api/v1/people/john/contacts/confirm", Some(body)).await.status
        };
        let wrong = if codes[0] == "111111" { "222222" } else { "111111" };
        assert_eq!(confirm(wrong).await, 422, "{word}: another code");
        assert_eq!(of_john(&world).await["verified_at"], Value::Null, "{word}");
        assert_eq!(confirm(&codes[0]).await, 204, "{word}");
        assert!(of_john(&world).await["verified_at"].is_string(), "{word}");
        assert_eq!(confirm(&codes[0]).await, 422, "{word}: once");
        // Nothing of it went elsewhere, and it is no alert.
        assert!(world.carrier.seen().is_empty(), "{word}");
        assert!(world.get("/api/v1/alerts").await["items"].as_array().unwrap().is_empty(), "{word}");
    }
}

#[tokio::test]
async fn so_is_a_number_for_short_messages_and_a_handset_by_what_its_page_shows() {
    let (mut world, twilio) = phones(&[&format!("sms:{JOHN}"), "handset:john"], "en").await;
    for contact in [format!("sms:{JOHN}"), "handset:john".to_owned()] {
        world.post("/api/v1/people/john/contacts/verify", json!({ "contact": contact })).await;
        world.settle().await;
        let shown = if contact.starts_with("sms") {
            twilio.newest().field("Body").to_owned()
        } else {
            let cookie = world.cookie(Some("john")).await;
            world.page(&cookie, "/handset/john").await.text
        };
        let after = shown.split("Your code for Dogwatch is ").nth(1).unwrap_or_else(|| panic!("{shown}"));
        let code: String = after.chars().take_while(char::is_ascii_digit).collect();
        let body = json!({ "contact": contact, "code": code });
        let confirmed = world.request("POST", "/api/v1/people/john/contacts/confirm", Some(body)).await;
        assert_eq!(confirmed.status, 204, "{contact}");
    }
    let known = world.get("/api/v1/people/john/contacts").await;
    assert!(known["items"].as_array().unwrap().iter().all(|contact| contact["verified_at"].is_string()));
}
