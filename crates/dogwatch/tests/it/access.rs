//! Who is let in: tokens, sign-in addresses, sessions, pages of other sites.

use dogwatch::secret::Secret;
use dogwatch::store::NewToken;
use escalation::name::Name;
use jiff::SignedDuration;
use serde_json::json;

use crate::support::{World, answer};

async fn world() -> World {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world
}

#[tokio::test]
async fn without_a_token_there_is_nothing_but_health() {
    let world = world().await;
    let document = answer(world.client.get(format!("{}/api/v1/openapi.json", world.url))).await.body;
    let open = ["/healthz", "/readyz"];
    // Senders of events come with a key of their own.
    let is_ours = |operations: &serde_json::Value| !operations.to_string().contains("\"tags\":[\"events\"]");
    for (path, methods) in
        document["paths"].as_object().unwrap().iter().filter(|(_, methods)| is_ours(methods))
    {
        for method in methods
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| ["get", "post", "put", "patch", "delete"].contains(&key.as_str()))
        {
            let at = path.replace("{name}", "ops").replace("{urgency}", "high").replace("{id}", "1");
            for token in [None, Some("wrong"), Some("")] {
                let mut request = world
                    .client
                    .request(method.to_uppercase().parse().unwrap(), format!("{}{at}", world.url));
                if let Some(token) = token {
                    request = request.bearer_auth(token);
                }
                let status = answer(request).await.status;
                let expected = if open.contains(&path.as_str()) { 200 } else { 401 };
                assert_eq!(status, expected, "{method} {path} with {token:?}");
            }
        }
    }
    for page in ["/", "/alerts/1", "/handset/john", "/live/now", "/live/handset/john"] {
        assert_eq!(answer(world.client.get(format!("{}{page}", world.url))).await.status, 401, "{page}");
    }
}

#[tokio::test]
async fn a_sign_in_address_works_once_and_only_by_its_button() {
    let world = world().await;
    let link = world.post("/api/v1/sign-ins", json!({})).await["url"].as_str().unwrap().to_owned();
    for _ in 0..3 {
        let looked = world.client.get(&link).send().await.unwrap();
        assert!(looked.status() == 200 && !looked.headers().contains_key("set-cookie"));
    }
    let pressed = world.client.post(&link).send().await.unwrap();
    let cookie = pressed.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"),
        "{cookie}"
    );
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(world.page(cookie, "/").await.status, 200);
    assert_eq!(world.client.post(&link).send().await.unwrap().status(), 410, "a second time it is used up");
    world.press(cookie, "/sign-out").await;
    assert_eq!(world.page(cookie, "/").await.status, 401);
}

#[tokio::test]
async fn old_addresses_sessions_and_tokens_let_nobody_in() {
    let mut world = world().await;
    let link = world.post("/api/v1/sign-ins", json!({})).await["url"].as_str().unwrap().to_owned();
    let cookie = world.cookie(None).await;
    let new =
        NewToken { name: "short".to_owned(), person: None, expires_in: Some(SignedDuration::from_hours(1)) };
    let (_, secret) = world.store.create_token(new).await.unwrap();
    let with_token = || world.client.get(format!("{}/api/v1/teams", world.url)).bearer_auth(secret.reveal());
    assert_eq!(answer(with_token()).await.status, 200);
    let (client, url, secret) = (world.client.clone(), world.url.clone(), secret.reveal().to_owned());
    world.pass(SignedDuration::from_hours(25)).await;
    assert_eq!(answer(client.get(format!("{url}/api/v1/teams")).bearer_auth(secret)).await.status, 401);
    assert_eq!(world.client.post(&link).send().await.unwrap().status(), 410);
    assert_eq!(world.page(&cookie, "/").await.status, 200);
    world.pass(SignedDuration::from_hours(30 * 24)).await;
    assert_eq!(world.page(&cookie, "/").await.status, 401);
}

#[tokio::test]
async fn a_persons_token_acts_as_that_person_and_changes_no_definitions() {
    let world = world().await;
    let made = world.post("/api/v1/tokens", json!({ "name": "phone", "person": "john" })).await;
    let token = made["secret"].as_str().unwrap();
    let send = async |method: &str, path: &str, body: serde_json::Value| {
        let request =
            world.client.request(method.parse().unwrap(), format!("{}{path}", world.url)).bearer_auth(token);
        answer(request.body(body.to_string())).await
    };
    assert_eq!(send("POST", "/api/v1/teams/ops/notify", json!({ "summary": "x" })).await.status, 201);
    let acked = send("POST", "/api/v1/alerts/1/acknowledge", json!({})).await;
    assert_eq!(acked.body["acknowledged"]["person"], "john");
    let plan = json!({ "steps": [{ "contact": "handset:john" }] });
    assert_eq!(
        send("PUT", "/api/v1/people/john/notification-plans/low", plan.clone()).await.status,
        200,
        "one's own plan"
    );
    for (method, path, body) in [
        ("PUT", "/api/v1/people/bob/notification-plans/low", plan),
        ("PATCH", "/api/v1/people/john", json!({})),
        ("DELETE", "/api/v1/teams/ops", json!({})),
        ("POST", "/api/v1/tokens", json!({ "name": "more" })),
        ("GET", "/api/v1/tokens", json!({})),
        ("POST", "/api/v1/sign-ins", json!({})),
        ("GET", "/api/v1/webhook-key", json!({})),
    ] {
        assert_eq!(send(method, path, body).await.status, 403, "{method} {path}");
    }
    let id = made["id"].as_str().unwrap();
    assert_eq!(world.request("DELETE", &format!("/api/v1/tokens/{id}"), None).await.status, 204);
    assert_eq!(send("GET", "/api/v1/teams", json!({})).await.status, 401, "revoked at once");
}

#[tokio::test]
async fn a_handset_answers_only_for_its_own_person() {
    let mut world = world().await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let (bob, admin) = (world.cookie(Some("bob")).await, world.cookie(None).await);
    assert_eq!(world.page(&bob, "/handset/john").await.status, 403);
    assert_eq!(world.page(&bob, "/live/handset/john").await.status, 403);
    assert_eq!(world.press(&bob, &format!("/handset/john/alerts/{number}/keys/4")).await.status, 403);
    assert_eq!(world.get("/api/v1/alerts/1").await["status"], "triggered");
    assert_eq!(world.page(&admin, "/handset/john").await.status, 200);
    assert_eq!(world.page(&admin, "/handset/nobody").await.status, 404);
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let mut world = world().await;
    let number = world.notify("disk full").await;
    world.settle().await;
    let cookie = world.cookie(Some("john")).await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        for path in [
            format!("/alerts/{number}/resolve"),
            format!("/handset/john/alerts/{number}/keys/4"),
            format!("/api/v1/alerts/{number}/resolve"),
            "/sign-out".to_owned(),
        ] {
            let request = world
                .client
                .post(format!("{}{path}", world.url))
                .header("cookie", &cookie)
                .header(name, value);
            assert_eq!(answer(request).await.status, 403, "{name}: {value} {path}");
        }
    }
    assert_eq!(world.get("/api/v1/alerts/1").await["status"], "triggered");
    assert_eq!(world.page(&cookie, "/").await.status, 200);
}

#[tokio::test]
async fn a_new_admin_token_replaces_the_one_before_and_secrets_are_not_stored() {
    let world = world().await;
    let secret = "canary-abcdefghijklmnopqrstuvwxyz-0123";
    world.store.adopt_token("env", Secret::given(secret.to_owned())).await.unwrap();
    world
        .store
        .adopt_token("env", Secret::given("another-abcdefghijklmnopqrstuvwxyz".to_owned()))
        .await
        .unwrap();
    let now = dogwatch::clock::Clock::now(&*world.clock);
    assert!(world.store.access().by_token(secret, now).is_none());
    // And back again.
    world.store.adopt_token("env", Secret::given(secret.to_owned())).await.unwrap();
    assert!(world.store.access().by_token(secret, now).is_some());
    let (_, made) = world
        .store
        .create_token(NewToken {
            name: "n".to_owned(),
            person: Some(Name::new("john").unwrap()),
            expires_in: None,
        })
        .await
        .unwrap();
    let link = world.store.create_sign_in(None).await.unwrap();
    for file in std::fs::read_dir(world.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for canary in [secret, made.reveal(), link.reveal()] {
            assert!(!bytes.windows(canary.len()).any(|window| window == canary.as_bytes()));
        }
    }
}

#[test]
fn only_long_and_varied_tokens_count_as_strong() {
    for strong in ["0123456789abcdef0123456789abcdef", "correct-horse-battery-staple"] {
        assert!(Secret::given(strong.to_owned()).is_strong(), "{strong}");
    }
    for weak in [
        "",
        "secret",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "0123456789abcdef0123",
        "abcabcabcabcabcabcabcabc",
    ] {
        assert!(!Secret::given(weak.to_owned()).is_strong(), "{weak}");
    }
}
