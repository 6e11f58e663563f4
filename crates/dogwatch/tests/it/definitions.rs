//! Definitions over the API: make, read, replace, merge, remove; who wins when two do it at once.

use serde_json::json;

use crate::support::{Answer, TOKEN, World, answer};

async fn world() -> World {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world
}

async fn with_header(
    world: &World,
    method: &str,
    path: &str,
    name: &str,
    value: &str,
    body: serde_json::Value,
) -> Answer {
    let request =
        world.client.request(method.parse().unwrap(), format!("{}{path}", world.url)).bearer_auth(TOKEN);
    answer(request.header(name, value).body(body.to_string())).await
}

#[tokio::test]
async fn one_of_many_creates_wins() {
    let world = world().await;
    let body = json!({ "name": "eve" });
    let creates = (0..8).map(|_| world.request("POST", "/api/v1/people", Some(body.clone())));
    let mut statuses: Vec<_> =
        futures_util::future::join_all(creates).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

#[tokio::test]
async fn a_patch_changes_only_what_it_names() {
    let world = world().await;
    let before = world.get("/api/v1/people/john").await;
    let after =
        world.request("PATCH", "/api/v1/people/john", Some(json!({ "full_name": "John Smith" }))).await.body;
    assert_eq!(after["full_name"], "John Smith");
    assert_eq!(after["notification_plans"], before["notification_plans"]);
    let cleared =
        world.request("PATCH", "/api/v1/people/john", Some(json!({ "full_name": null }))).await.body;
    assert_eq!(cleared["full_name"], "", "null takes a field back to its default");
    let replaced = world.request("PUT", "/api/v1/people/john", Some(json!({ "full_name": "J" }))).await;
    assert_eq!((replaced.status, &replaced.body["contacts"]), (200, &json!([])), "PUT replaces the whole");
}

#[tokio::test]
async fn an_edit_of_something_that_has_changed_since_is_refused() {
    let world = world().await;
    let read = world.request("GET", "/api/v1/teams/ops", None).await;
    let tag = read.headers["etag"].to_str().unwrap().to_owned();
    let path = "/api/v1/teams/ops";
    let first = with_header(&world, "PATCH", path, "if-match", &tag, json!({ "description": "one" })).await;
    assert_eq!(first.status, 200);
    assert_ne!(first.headers["etag"], tag.as_str());
    let second = with_header(&world, "PATCH", path, "if-match", &tag, json!({ "description": "two" })).await;
    assert_eq!(second.status, 412, "{}", second.text);
    let gone = with_header(&world, "DELETE", path, "if-match", &tag, json!({})).await;
    assert_eq!(gone.status, 412);
    assert_eq!(world.get(path).await["description"], "one");
    let there = with_header(&world, "PUT", path, "if-none-match", "*", json!({})).await;
    assert_eq!(there.status, 409, "If-None-Match: * makes and never replaces");
}

#[tokio::test]
async fn what_is_used_is_not_removed() {
    let world = world().await;
    for (path, user) in
        [("/api/v1/people/john", "team \"ops\""), ("/api/v1/escalation-plans/ops", "team \"ops\"")]
    {
        let answer = world.request("DELETE", path, None).await;
        assert_eq!(answer.status, 409);
        assert!(answer.body["detail"].as_str().unwrap().contains(user), "{}", answer.text);
    }
    for path in ["/api/v1/teams/ops", "/api/v1/escalation-plans/ops", "/api/v1/people/john"] {
        assert_eq!(world.request("DELETE", path, None).await.status, 204, "{path}");
        assert_eq!(world.request("GET", path, None).await.status, 404, "{path}");
        assert_eq!(world.request("DELETE", path, None).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn everything_is_there_again_after_a_restart() {
    let world = world().await;
    world.request("DELETE", "/api/v1/teams/ops", None).await;
    world.post("/api/v1/teams", json!({ "name": "dev", "members": ["bob"] })).await;
    let before = (
        world.get("/api/v1/people").await,
        world.get("/api/v1/teams").await,
        world.store.definitions().version,
    );
    let world = world.crash().await;
    let after = (
        world.get("/api/v1/people").await,
        world.get("/api/v1/teams").await,
        world.store.definitions().version,
    );
    assert_eq!(before, after);
}

#[tokio::test]
async fn listings_go_by_name_and_page_by_page() {
    let world = world().await;
    for name in ["carl", "anna", "dora"] {
        world.post("/api/v1/people", json!({ "name": name })).await;
    }
    let first = world.get("/api/v1/people?limit=3").await;
    let names = |page: &serde_json::Value| {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&first), ["anna", "bob", "carl"]);
    let second =
        world.get(&format!("/api/v1/people?limit=3&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!(
        (names(&second), &second["next_cursor"]),
        (vec!["dora".to_owned(), "john".to_owned()], &json!(null))
    );
}

#[tokio::test]
async fn a_notification_plan_has_an_address_of_its_own() {
    let world = world().await;
    let path = "/api/v1/people/john/notification-plans/low";
    assert_eq!(world.request("GET", path, None).await.status, 404);
    let plan = json!({ "steps": [{ "contact": "handset:john", "wait": "1h" }] });
    assert_eq!(world.request("PUT", path, Some(plan.clone())).await.body, plan);
    assert_eq!(world.get("/api/v1/people/john").await["notification_plans"]["low"], plan);
    assert_eq!(world.request("DELETE", path, None).await.status, 204);
    assert_eq!(world.request("GET", path, None).await.status, 404);
    assert_eq!(
        world
            .request("PUT", "/api/v1/people/john/notification-plans/urgent", Some(plan.clone()))
            .await
            .status,
        404
    );
    assert_eq!(
        world.request("PUT", "/api/v1/people/nobody/notification-plans/low", Some(plan)).await.status,
        404
    );
}

#[tokio::test]
async fn the_openapi_document_is_served_and_names_every_route_that_is_used_here() {
    let world = world().await;
    let document = answer(world.client.get(format!("{}/api/v1/openapi.json", world.url))).await.body;
    assert_eq!(document["openapi"], "3.1.0");
    for (path, method) in [
        ("/api/v1/people", "post"),
        ("/api/v1/people/{name}", "patch"),
        ("/api/v1/people/{name}/notification-plans/{urgency}", "put"),
        ("/api/v1/teams/{name}/notify", "post"),
        ("/api/v1/escalation-plans/{name}", "delete"),
        ("/api/v1/alerts/{id}/acknowledge", "post"),
        ("/api/v1/tokens", "post"),
        ("/healthz", "get"),
        ("/metrics", "get"),
    ] {
        assert!(document["paths"][path][method].is_object(), "{method} {path}");
    }
    let summary = &document["components"]["schemas"]["NotifySpec"]["properties"]["summary"];
    assert_eq!(
        (&summary["minLength"], &summary["maxLength"]),
        (&json!(1), &json!(1024)),
        "bounds are documented"
    );
}
