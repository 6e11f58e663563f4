//! Pages that are read: page a team, tonight, a team, why, a rehearsal, an alert as Markdown; and the form for several.

use serde_json::{Value, json};

use crate::support::{Answer, World, answer};

async fn world() -> (World, String) {
    let world = World::new().await;
    world.john_and_bob("email:john@example.org", "handset:bob").await;
    let cookie = world.cookie(Some("bob")).await;
    (world, cookie)
}

async fn fill_in(world: &World, cookie: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let request = world.client.post(format!("{}{path}", world.url)).header("cookie", cookie);
    let request = request.header("sec-fetch-site", "same-origin");
    answer(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
}

/// The words of a page, without its marks.
fn words(page: &str) -> String {
    let (mut text, mut is_mark) = (String::new(), false);
    for letter in page.chars() {
        match letter {
            '<' => is_mark = true,
            '>' => (is_mark, text) = (false, text + " "),
            letter if !is_mark => text.push(letter),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn whoever_pages_a_team_sees_who_will_be_woken_before_anything_is_sent_and_sends_it_once() {
    let (mut world, cookie) = world().await;
    let form = world.page(&cookie, "/page?team=ops").await;
    assert_eq!(form.status, 200);
    let filled =
        [("team", "ops"), ("summary", "the <shop> is down"), ("severity", "critical"), ("details", "")];
    let look = fill_in(&world, &cookie, "/page/look", &filled).await;
    let shown = words(&look.text);
    assert!(shown.contains("at once John") && shown.contains("after 45 s Bob"), "{shown}");
    world.settle().await;
    assert!(world.get("/api/v1/alerts").await["items"].as_array().unwrap().is_empty(), "nothing is sent yet");
    assert!(world.carrier.seen().is_empty());

    let once =
        look.text.split("name=\"once\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let sent = [filled.as_slice(), &[("once", once.as_str())]].concat();
    // A thumb that presses twice.
    for _ in 0..2 {
        let done = fill_in(&world, &cookie, "/page", &sent).await;
        assert_eq!(
            (done.status, &done.headers["location"]),
            (303, &"/alerts/1".parse().unwrap()),
            "{}",
            done.text
        );
    }
    world.settle().await;
    let alert = world.get("/api/v1/alerts/1").await;
    assert_eq!((&alert["summary"], &alert["triggers"]), (&json!("the <shop> is down"), &json!(1)));
    assert_eq!(world.carrier.seen().len(), 1);
    for (pairs, named) in [
        ([("team", "ops"), ("summary", "  "), ("severity", "critical")], "What is wrong"),
        ([("team", "opps"), ("summary", "x"), ("severity", "critical")], "Which team"),
        ([("team", "ops"), ("summary", "x"), ("severity", "awful")], "How bad is it"),
    ] {
        for path in ["/page", "/page/look"] {
            let refused = fill_in(&world, &cookie, path, &pairs).await;
            assert_eq!(refused.status, 422);
            assert!(words(&refused.text).contains(named), "{}", refused.text);
        }
    }
}

#[tokio::test]
async fn several_alerts_are_acknowledged_at_once_and_those_of_somebody_faster_are_told() {
    let (mut world, cookie) = world().await;
    for number in 1..=4 {
        world.notify(&format!("problem {number}")).await;
    }
    world.post("/api/v1/alerts/2/resolve", json!({})).await;
    let ticked = [("alert", "1"), ("alert", "2"), ("alert", "3"), ("verb", "acknowledge")];
    let done = fill_in(&world, &cookie, "/alerts/several", &ticked).await;
    assert_eq!(done.status, 303, "{}", done.text);
    world.settle().await;
    let all = world.get("/api/v1/alerts").await;
    let status = |number: u64| {
        let mut items = all["items"].as_array().unwrap().iter();
        items.find(|alert| alert["number"] == number).map_or(Value::Null, |alert| alert["status"].clone())
    };
    assert_eq!([1, 3, 4].map(status), [json!("acknowledged"), json!("acknowledged"), json!("triggered")]);
    let page = words(&world.page(&cookie, done.headers["location"].to_str().unwrap()).await.text);
    assert!(page.contains("2 alerts. For one alert there was nothing to do: somebody was faster."), "{page}");
    for nothing in [vec![("verb", "acknowledge")], vec![("alert", "4"), ("verb", "explode")]] {
        assert_eq!(fill_in(&world, &cookie, "/alerts/several", &nothing).await.status, 422);
    }
    assert_eq!(world.get("/api/v1/alerts/4").await["status"], "triggered");
}

#[tokio::test]
async fn tonight_says_who_rings_when_and_what_is_wrong_with_it() {
    let (mut world, cookie) = world().await;
    let shown = words(&world.page(&cookie, "/tonight").await.text);
    assert!(shown.contains("at once John") && shown.contains("after 45 s Bob"), "{shown}");
    world.notify("disk full").await;
    world.settle().await;
    let shown = words(&world.page(&cookie, "/tonight").await.text);
    assert!(shown.contains("email:john@example.org (worked"), "{shown}");
    // Bob loses his contacts: that is told in red, with where to mend it.
    let none = json!({ "full_name": "Bob", "contacts": [] });
    let changed = world.request("PUT", "/api/v1/people/bob", Some(none)).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let page = world.page(&cookie, "/tonight").await.text;
    assert!(page.contains("<ul class=\"wrong\">") && words(&page).contains("Bob"), "{page}");
}

#[tokio::test]
async fn a_team_shows_who_is_on_call_until_when_and_whom_its_plan_wakes() {
    let (world, cookie) = world().await;
    let shown = words(&world.page(&cookie, "/teams/ops").await.text);
    assert!(
        shown.contains("John") && shown.contains("If something critical happened now at once John"),
        "{shown}"
    );
    assert_eq!(world.page(&cookie, "/teams/nobody").await.status, 404);
}

#[tokio::test]
async fn why_a_phone_rang_or_did_not_is_told_of_anybody() {
    let (mut world, cookie) = world().await;
    world.notify("disk full").await;
    world.settle().await;
    for (person, said) in [("john", "John"), ("bob", "Bob")] {
        let page = world.page(&cookie, &format!("/alerts/1/why?person={person}")).await;
        let why = world.get(&format!("/api/v1/alerts/1/why?person={person}")).await;
        let summary = why["summary"].as_str().unwrap();
        assert!(words(&page.text).contains(summary) && summary.contains(said), "{summary}: {}", page.text);
    }
    assert_eq!(world.page(&cookie, "/alerts/1/why?person=eve").await.status, 404);
    assert_eq!(world.page(&cookie, "/alerts/7/why?person=bob").await.status, 404);
}

#[tokio::test]
async fn a_rehearsal_plays_the_film_and_wakes_nobody() {
    let (mut world, cookie) = world().await;
    let asked = "/rehearse?team=ops&at=2026-03-09+03:00&severity=critical&person=bob&after=10s&week=on";
    let shown = words(&world.page(&cookie, asked).await.text);
    for told in ["Monday, 9 March 2026, 03:00", "Step 1 pages John", "Step 2 pages Bob"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert!(shown.contains("Bob has it") || shown.contains("Acknowledged"), "{shown}");
    world.settle().await;
    assert!(world.get("/api/v1/alerts").await["items"].as_array().unwrap().is_empty());
    assert!(world.carrier.seen().is_empty());
    let wrong = words(&world.page(&cookie, "/rehearse?team=ops&at=soon&person=bob&after=never").await.text);
    assert!(wrong.contains("soon"), "{wrong}");
    let nobody = words(&world.page(&cookie, "/rehearse?team=nobody").await.text);
    assert!(nobody.contains("there is no such team"), "{nobody}");
}

#[tokio::test]
async fn an_alert_is_saved_as_markdown_that_holds_what_came_from_outside_as_text() {
    let (mut world, cookie) = world().await;
    world.notify("[x](javascript:alert) *<b>*").await;
    world.settle().await;
    let saved = world.page(&cookie, "/alerts/1/export.md").await;
    assert_eq!(saved.headers["content-disposition"], "attachment; filename=\"alert-1.md\"");
    assert_eq!(saved.headers["content-type"], "text/markdown; charset=utf-8");
    assert!(saved.text.contains("\\[x\\](javascript:alert) \\*\\<b\\>\\*"), "{}", saved.text);
    assert!(saved.text.contains("Step 1 pages John"), "{}", saved.text);
    assert_eq!(world.page(&cookie, "/alerts/9/export.md").await.status, 404);
}

/// Time is a picture: people as rows, and what comes next after now.
#[tokio::test]
async fn the_story_is_a_picture_with_a_row_for_each_who_was_paged() {
    let (mut world, cookie) = world().await;
    world.notify("disk full").await;
    world.pass_seconds(50).await;
    let page = world.page(&cookie, "/alerts/1").await.text;
    let picture = page.split("<svg").nth(1).unwrap().split("</svg>").next().unwrap();
    let drawn = words(&format!("<svg{picture}"));
    for row in ["The alert", "John", "Bob", "now"] {
        assert!(drawn.contains(row), "{row}: {drawn}");
    }
}
