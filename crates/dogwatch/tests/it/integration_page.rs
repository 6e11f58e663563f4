//! The pages of integrations: make one, see its key once, test it, look at what came, replace and revoke keys.

use serde_json::{Value, json};

use crate::support::{World, answer};

async fn world() -> World {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world
}

const FORM: [(&str, &str); 3] = [("name", "prometheus"), ("team", "ops"), ("description", "the <new> one")];

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    text.split(begin).nth(1).unwrap_or_default().split(end).next().unwrap_or_default()
}

/// The key that a page shows.
fn shown_key(page: &str) -> String {
    between(page, "id=\"new-key\" tabindex=\"0\">", "<").to_owned()
}

async fn event(world: &World, key: &str, body: &Value) -> u16 {
    answer(world.client.post(format!("{}/integrations/v1/generic/{key}/", world.url)).json(body)).await.status
}

#[tokio::test]
async fn one_is_made_and_its_key_is_shown_once_and_works_as_it_stands_in_the_snippets() {
    let world = world().await;
    let admin = world.cookie(None).await;
    assert!(world.page(&admin, "/").await.text.contains("href=\"/integrations\""));
    assert!(world.page(&admin, "/integrations").await.text.contains("Nothing sends events yet"));
    let made = world.submit(&admin, "/integrations", &FORM).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let key = shown_key(&made.text);
    assert_eq!(key.len(), 32);
    assert!(made.text.contains(&format!("url: {}/integrations/v1/alertmanager/{key}/", world.url)));
    assert!(made.text.contains("the &#60;new&#62; one"), "{}", made.text);
    assert_eq!(event(&world, &key, &json!({ "summary": "x" })).await, 200);
    let again = world.page(&admin, "/integrations/prometheus").await.text;
    assert!(!again.contains(&key) && again.contains("/integrations/v1/alertmanager/KEY/"));
    let all = world.page(&admin, "/integrations").await.text;
    assert!(all.contains("href=\"/integrations/prometheus\"") && all.contains("one key"), "{all}");
}

#[tokio::test]
async fn a_form_that_is_wrong_says_so_and_keeps_what_was_written() {
    let world = world().await;
    let admin = world.cookie(None).await;
    for (name, team, status, words) in [
        ("Not OK", "ops", 422, "\"Name\" "),
        ("", "ops", 422, "\"Name\" "),
        ("mon", "nobody", 422, "\"Team\" "),
    ] {
        let sent = world
            .submit(&admin, "/integrations", &[("name", name), ("team", team), ("description", "<x>")])
            .await;
        assert_eq!(sent.status, status, "{}", sent.text);
        let refused = between(&sent.text, "<p class=\"refused\" role=\"alert\">", "</p>");
        let refused = refused.replace("&#34;", "\"");
        assert!(refused.contains(words), "{refused}");
        assert!(sent.text.contains("value=\"&#60;x&#62;\""), "{}", sent.text);
    }
    assert_eq!(world.submit(&admin, "/integrations", &FORM).await.status, 200);
    let twice = world.submit(&admin, "/integrations", &FORM).await;
    assert_eq!(twice.status, 409);
    assert!(twice.text.contains("already: choose another name"));
    let keys = world.get("/api/v1/integrations/prometheus/keys").await;
    assert_eq!(keys["items"].as_array().unwrap().len(), 1, "the second try made no key");
}

#[tokio::test]
async fn only_an_administrator_may_see_and_do_any_of_it() {
    let world = world().await;
    let admin = world.cookie(None).await;
    world.submit(&admin, "/integrations", &FORM).await;
    let id = world.get("/api/v1/integrations/prometheus/keys").await["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let john = world.cookie(Some("john")).await;
    assert!(!world.page(&john, "/").await.text.contains("/integrations"));
    for page in ["/integrations", "/integrations/prometheus"] {
        assert_eq!(world.page(&john, page).await.status, 403, "{page}");
        assert_eq!(world.page("", page).await.status, 401, "{page}");
    }
    let revoke = format!("/integrations/prometheus/keys/{id}/revoke");
    for form in ["/integrations", "/integrations/prometheus/keys", "/integrations/prometheus/test", &revoke] {
        assert_eq!(world.submit(&john, form, &FORM).await.status, 403, "{form}");
        let elsewhere = world.client.post(format!("{}{form}", world.url)).header("cookie", &admin);
        let elsewhere = elsewhere.header("sec-fetch-site", "cross-site").body("name=evil&team=ops");
        assert_eq!(answer(elsewhere).await.status, 403, "{form}");
    }
    let keys = world.get("/api/v1/integrations/prometheus/keys").await;
    assert_eq!(keys["items"].as_array().unwrap().len(), 1);
    assert_eq!(world.get("/api/v1/alerts").await["items"], json!([]));
    for (path, status) in [("/integrations/nobody", 404), ("/integrations/%ff", 404)] {
        assert_eq!(world.page(&admin, path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_test_event_pages_and_what_came_is_shown_as_it_came() {
    let mut world = world().await;
    let admin = world.cookie(None).await;
    let key = shown_key(&world.submit(&admin, "/integrations", &FORM).await.text);
    let tested = world.submit(&admin, "/integrations/prometheus/test", &[("severity", "critical")]).await;
    assert_eq!(tested.status, 303, "{}", tested.text);
    let page = world.page(&admin, tested.headers["location"].to_str().unwrap()).await.text;
    assert!(page.contains("The test event is alert #1") && page.contains("href=\"/alerts/1\""), "{page}");
    world.settle().await;
    let john = world.cookie(Some("john")).await;
    assert!(world.page(&john, "/handset/john").await.text.contains("TEST of prometheus"));

    assert_eq!(event(&world, &key, &json!({ "summary": "disk <b>full</b>", "dedup_key": key })).await, 200);
    assert_eq!(event(&world, &key, &json!({ "nothing": 1 })).await, 422);
    let page = world.page(&admin, "/integrations/prometheus").await.text;
    assert!(page.contains("Refused: ") && page.contains("a new alert"), "{page}");
    assert!(page.contains("disk &#60;b&#62;full&#60;/b&#62;") && !page.contains(&key), "{page}");
    for _ in 0..30 {
        event(&world, &key, &json!({ "summary": "again" })).await;
    }
    let count = |page: &str| page.matches("<summary>As it came").count();
    let page = world.page(&admin, "/integrations/prometheus").await.text;
    assert!(count(&page) == 20 && page.contains("?all=1"));
    let page = world.page(&admin, "/integrations/prometheus?all=1").await.text;
    assert!(count(&page) == 32 && !page.contains("?all=1"), "{}", count(&page));
}

#[tokio::test]
async fn a_test_event_that_makes_no_alert_says_why() {
    let world = world().await;
    let rules = json!([{ "match": { "summary": "TEST*" }, "ignore": true }]);
    world.post("/api/v1/integrations", json!({ "name": "quiet", "team": "ops", "rules": rules })).await;
    let admin = world.cookie(None).await;
    let tested = world.submit(&admin, "/integrations/quiet/test", &[]).await;
    assert_eq!(tested.status, 409);
    assert!(tested.text.contains("No alert was made: "), "{}", tested.text);
}

#[tokio::test]
async fn keys_are_replaced_with_an_overlap_and_revoked_at_once() {
    let mut world = world().await;
    let admin = world.cookie(None).await;
    let problem = json!({ "summary": "x", "dedup_key": "x" });
    let old = shown_key(&world.submit(&admin, "/integrations", &FORM).await.text);
    let path = "/integrations/prometheus/keys";
    let wrong = world.submit(&admin, path, &[("overlap", "soon")]).await;
    assert!(wrong.status == 422 && wrong.text.contains("The overlap "), "{}", wrong.text);
    let rotated = world.submit(&admin, path, &[("overlap", "1h")]).await;
    let new = shown_key(&rotated.text);
    assert!(
        rotated.status == 200 && new != old && rotated.text.contains(", <strong>ends 04:00:"),
        "{}",
        rotated.text
    );
    assert_eq!((event(&world, &old, &problem).await, event(&world, &new, &problem).await), (200, 200));
    world.pass(jiff::SignedDuration::from_mins(61)).await;
    assert_eq!((event(&world, &old, &problem).await, event(&world, &new, &problem).await), (401, 200));
    let page = world.page(&admin, "/integrations/prometheus").await.text;
    let revoke = between(&page, "action=\"/integrations/prometheus/keys/", "\"");
    let revoked = world.submit(&admin, &format!("{path}/{revoke}"), &[]).await;
    assert_eq!(revoked.status, 303);
    let page = world.page(&admin, revoked.headers["location"].to_str().unwrap()).await.text;
    assert!(
        page.contains("The key is revoked") && page.contains("There is no key: nothing can send"),
        "{page}"
    );
    assert_eq!(event(&world, &new, &problem).await, 401);
}
