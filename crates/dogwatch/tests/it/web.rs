//! The pages: what they show, and that looking changes nothing. In a browser they are tried by
//! `tests/browser`.

use serde_json::json;

use crate::support::{World, answer};

const JOHN: &str = "email:john@example.org";

#[tokio::test]
async fn looking_changes_nothing() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, "handset:bob").await;
    world.notify("disk full").await;
    world.pass_seconds(50).await;
    let link = world.carrier.seen()[0].answer_url.clone().unwrap();
    let cookie = world.cookie(None).await;
    let before = world.get("/api/v1/alerts/1").await;
    let mut paths = vec![
        "/".to_owned(),
        "/alerts/1".to_owned(),
        "/handset/bob".to_owned(),
        link.strip_prefix(&world.url).unwrap().to_owned(),
    ];
    for path in paths.clone() {
        let text = world.page(&cookie, &path).await.text;
        let marks = ["href=\"/", "action=\"/", "src=\"/"];
        for mark in marks {
            paths
                .extend(text.split(mark).skip(1).map(|rest| format!("/{}", rest.split('"').next().unwrap())));
        }
    }
    assert!(paths.len() > 20, "the pages have links and forms");
    for path in paths {
        for method in ["GET", "HEAD", "OPTIONS"] {
            let request = world.client.request(method.parse().unwrap(), format!("{}{path}", world.url));
            answer(request.header("cookie", &cookie)).await;
        }
    }
    let mut after = world.get("/api/v1/alerts/1").await;
    after["next"] = before["next"].clone();
    assert_eq!(before, after);
    assert_eq!(world.page(&cookie, "/").await.status, 200, "still signed in");
}

#[tokio::test]
async fn an_answer_link_belongs_to_one_page_of_one_person() {
    let mut world = World::new().await;
    world.john_and_bob(JOHN, "email:bob@example.org").await;
    world.notify("disk full").await;
    world.pass_seconds(50).await;
    let seen = world.carrier.seen();
    let link = |person: &str| {
        let mine =
            seen.iter().find(|message| message.reader.as_ref().is_some_and(|(name, _)| name == person));
        mine.and_then(|message| message.answer_url.clone()).unwrap()
    };
    let (john, bob) = (link("john"), link("bob"));
    let page = answer(world.client.get(&john)).await.text;
    assert!(
        page.contains("This page is for John")
            && page.contains("I have it")
            && page.contains("Nobody has it yet"),
        "{page}"
    );
    // Bob's page with John's proof, and proofs that are almost right.
    let (johns_proof, bobs_page) = (john.rsplit('/').next().unwrap(), bob.rsplit('/').nth(1).unwrap());
    for wrong in [
        format!("{}/answer/{bobs_page}/{johns_proof}", world.url),
        john[..john.len() - 1].to_owned(),
        format!("{john}A"),
        format!("{}/answer/{bobs_page}/", world.url),
        format!("{}/answer/page_x/{johns_proof}", world.url),
    ] {
        for method in ["GET", "POST"] {
            assert_eq!(
                answer(world.client.request(method.parse().unwrap(), &wrong)).await.status,
                404,
                "{wrong}"
            );
        }
    }
    let pressed = answer(world.client.post(&bob)).await;
    assert_eq!(pressed.status, 303);
    let said =
        answer(world.client.get(format!("{}{}", world.url, pressed.headers["location"].to_str().unwrap())))
            .await
            .text;
    assert!(said.contains("You have it"), "{said}");
    let late = answer(world.client.get(&john)).await.text;
    assert!(late.contains("Bob has it") && !late.contains("<button"), "{late}");
    answer(world.client.post(&john)).await;
    let alert = world.get("/api/v1/alerts/1").await;
    assert_eq!(
        (&alert["acknowledged"]["by"], &alert["acknowledged"]["via"]),
        (&json!("Bob"), &json!("link"))
    );
}

#[tokio::test]
async fn the_pages_show_who_has_what_and_take_actions() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world.notify("disk full on <db1>").await;
    world.settle().await;
    let cookie = world.cookie(Some("bob")).await;
    let now = world.page(&cookie, "/").await.text;
    assert!(
        now.contains("One alert waits for an answer")
            && now.contains("ERROR ops: disk full on &#60;db1&#62;"),
        "{now}"
    );
    assert!(now.contains("<strong>ops</strong>: John, then Bob"), "{now}");
    for (verb, words) in [
        ("acknowledge", "Bob has it"),
        ("unacknowledge", "Nobody has it yet"),
        ("escalate", "Step 2 pages Bob"),
        ("resolve", "Resolved: Bob, on the web"),
    ] {
        let done = world.press(&cookie, &format!("/alerts/1/{verb}")).await;
        assert_eq!((done.status, done.headers["location"].to_str().unwrap()), (303, "/alerts/1"));
        world.settle().await;
        let page = world.page(&cookie, "/alerts/1").await.text;
        assert!(page.contains(words), "{verb}: {page}");
    }
    assert!(world.page(&cookie, "/").await.text.contains("All quiet"));
    assert_eq!(world.press(&cookie, "/alerts/1/explode").await.status, 404);
    assert_eq!(world.page(&cookie, "/alerts/9").await.status, 404);
}

/// The live stream sends what the page holds, and again when something has changed.
#[tokio::test]
async fn the_live_stream_sends_the_pages_own_fragment_and_every_change() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let cookie = world.cookie(None).await;
    let mut stream =
        world.client.get(format!("{}/live/now", world.url)).header("cookie", &cookie).send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut seen = String::new();
    while !seen.contains("All quiet") {
        seen.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap());
    }
    world.notify("disk full").await;
    // The pause between two looks is on the clock that stands still.
    world.pass_seconds(1).await;
    while !seen.contains("One alert waits") {
        tokio::select! {
            chunk = stream.chunk() => seen.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap()),
            () = tokio::task::yield_now() => { world.pass(jiff::SignedDuration::from_millis(1)).await; }
        }
    }
}

#[tokio::test]
async fn every_answer_carries_the_headers_that_keep_foreign_code_out() {
    let world = World::new().await;
    for path in ["/", "/healthz", "/api/v1/teams", "/nothing"] {
        let headers = answer(world.client.get(format!("{}{path}", world.url))).await.headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "same-origin");
        assert_eq!(headers["cache-control"], "no-store");
    }
}
