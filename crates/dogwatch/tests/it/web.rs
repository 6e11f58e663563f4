//! The pages: what they show, and that looking changes nothing. In a browser they are tried by
//! `tests/browser`.

mod pages;

use dogwatch::clock::Clock;
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

/// A connection may be gone without either side having been told; what comes regularly shows that it is not.
#[tokio::test]
async fn a_live_stream_on_which_nothing_changes_sends_heartbeats() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let cookie = world.cookie(None).await;
    let start = world.clock.now();
    let url = format!("{}/live/handset/bob", world.url);
    let mut stream = world.client.get(url).header("cookie", &cookie).send().await.unwrap();
    let mut seen = String::new();
    while seen.matches("event: heartbeat\ndata: 2026-03-02T03:0").count() < 3 {
        tokio::select! {
            biased;
            chunk = stream.chunk() => seen.push_str(std::str::from_utf8(&chunk.unwrap().unwrap()).unwrap()),
            () = tokio::task::yield_now() => world.pass(jiff::SignedDuration::from_millis(100)).await,
        }
    }
    assert_eq!(seen.matches("event: fragment").count(), 1, "nothing has changed: {seen}");
    let beats: Vec<jiff::Timestamp> =
        seen.split("data: ").filter_map(|data| data.lines().next()?.parse().ok()).collect();
    let apart = |from: jiff::Timestamp, to: jiff::Timestamp| to.duration_since(from).as_secs();
    assert!(apart(start, beats[0]) >= 15, "{beats:?}");
    assert!(beats.windows(2).all(|two| apart(two[0], two[1]) >= 15), "{beats:?}");
}

/// The part of a page between two marks.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let rest = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}")).1;
    rest.split_once(to).unwrap_or_else(|| panic!("no {to} in {page}")).0
}

#[tokio::test]
async fn an_error_page_says_in_its_title_what_is_wrong() {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let bob = world.cookie(Some("bob")).await;
    for (cookie, method, path, status, title) in [
        ("", "GET", "/", 401, "You are not signed in"),
        ("", "GET", "/nothing", 404, "There is no such page"),
        ("", "POST", "/sign-in/used", 410, "This sign-in address is no longer good"),
        ("", "GET", "/answer/page_x/y", 404, "This address is not complete"),
        (&bob, "GET", "/alerts/abc", 404, "There is no such page"),
        (&bob, "GET", "/alerts/9", 404, "There is no alert #9"),
        (&bob, "GET", "/live/alerts/9", 404, "There is no alert #9"),
        (&bob, "POST", "/alerts/9/resolve", 404, "There is no alert #9"),
        (&bob, "POST", "/alerts/9/explode", 404, "There is no such page"),
        (&bob, "POST", "/alerts/9/notes", 422, "The note was not written down"),
        (&bob, "GET", "/alerts/9/resolve", 405, "There is nothing to look at here"),
        (&bob, "GET", "/handset/eve", 404, "There is no such handset"),
        (&bob, "GET", "/handset/john", 403, "This is somebody else&#39;s handset"),
        (&bob, "POST", "/handset/bob/alerts/9/keys/4", 404, "There is no alert #9"),
        (&bob, "POST", "/handset/bob/alerts/9/keys/5", 404, "There is no such key"),
    ] {
        let request = world.client.request(method.parse().unwrap(), format!("{}{path}", world.url));
        let page = answer(request.header("cookie", cookie)).await;
        assert_eq!(page.status, status, "{path}: {}", page.text);
        assert_eq!(between(&page.text, "<h1>", "</h1>"), title, "{path}");
        assert_eq!(between(&page.text, "<title>", " · Dogwatch</title>"), title, "{path}");
        assert!(!page.text.contains('`'), "{path}: {}", page.text);
        assert!(!between(&page.text, "<p class=\"lead\">", "</p>").is_empty(), "{path}");
    }
    let signed_out = answer(world.client.get(&world.url)).await.text;
    assert!(signed_out.contains("<code>dogwatch token create --link</code>."), "{signed_out}");
    let foreign = world.client.post(format!("{}/alerts/9/resolve", world.url)).header("cookie", &bob);
    let refused = answer(foreign.header("sec-fetch-site", "cross-site")).await;
    assert_eq!(
        (refused.status, between(&refused.text, "<h1>", "</h1>")),
        (403, "This came from another site")
    );
}

#[tokio::test]
async fn the_story_names_each_day_once_and_the_zone_once() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let eve =
        json!({ "name": "eve", "full_name": "Eve", "zone": "Europe/Berlin", "contacts": ["handset:eve"] });
    world.post("/api/v1/people", eve).await;
    let cookie = world.cookie(Some("eve")).await;
    // In Berlin: the last hour of a Saturday, and the night in which clocks go forward.
    world.clock.set("2026-03-28T22:58:20Z".parse().unwrap());
    world.notify("disk full").await;
    world.settle().await;
    let page = world.page(&cookie, "/alerts/1").await.text;
    let next = between(&page, "<ul class=\"next\">", "</ul>");
    assert!(next.contains("<time>23:59:05</time> Bob is paged (step 2), in 45 s"), "{next}");
    world.post("/api/v1/alerts/1/acknowledge", json!({})).await;
    for (at, note) in [("2026-03-28T23:30:00Z", "half past midnight"), ("2026-03-29T01:30:00Z", "summer")] {
        world.clock.set(at.parse().unwrap());
        world.post("/api/v1/alerts/1/notes", json!({ "text": note })).await;
    }
    let page = world.page(&cookie, "/alerts/1").await.text;
    let days: Vec<&str> =
        page.split("<h3>").skip(1).map(|rest| rest.split("</h3>").next().unwrap()).collect();
    assert_eq!(days, ["Saturday, 28 March 2026", "Sunday, 29 March 2026", "Sunday, 29 March 2026, CEST"]);
    assert!(page.contains("#1 · open since yesterday at 23:58:20 CET, for 2 h 31 min</p>"), "{page}");
    assert_eq!((page.matches("CET").count(), page.matches("CEST").count()), (1, 1), "{page}");
    let story = page.split_once("What happened").unwrap().1;
    let times: Vec<&str> = story
        .split("</time>")
        .filter_map(|text| text.rsplit('>').next())
        .filter(|text| text.len() == 8)
        .collect();
    assert_eq!(times, ["23:58:20", "23:58:20", "23:58:20", "23:58:20", "00:30:00", "03:30:00"], "{story}");
    world.post("/api/v1/alerts/1/resolve", json!({})).await;
    let page = world.page(&cookie, "/alerts/1").await.text;
    assert!(
        page.contains("#1 · was open from yesterday at 23:58:20 CET to 03:30:00 CEST, 2 h 31 min in all"),
        "{page}"
    );
}

/// What a handset says of the key that was pressed last, without the alert's headline.
async fn said(world: &World, cookie: &str, path: &str) -> String {
    let page = world.page(cookie, path).await.text;
    let Some((_, rest)) = page.split_once("<p class=\"said\" role=\"status\"><bdi>") else {
        return String::new();
    };
    let (words, rest) = rest.split_once("</bdi>").unwrap();
    let link = " <a href=\"/alerts/1\"><bdi>ERROR ops: disk full</bdi></a></p>";
    assert!(rest.starts_with(link), "every word is about an alert: {page}");
    words.to_owned()
}

/// Presses a key; where the browser is sent to, and what it is told there.
async fn key(world: &mut World, cookie: &str, person: &str, key: &str) -> (String, String) {
    let pressed = world.press(cookie, &format!("/handset/{person}/alerts/1/keys/{key}")).await;
    assert_eq!(pressed.status, 303, "{}", pressed.text);
    world.settle().await;
    let path = pressed.headers["location"].to_str().unwrap().to_owned();
    let words = said(world, cookie, &path).await;
    (path, words)
}

#[tokio::test]
async fn a_handset_says_what_a_key_did_and_for_which_alert() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let (john, bob) = (world.cookie(Some("john")).await, world.cookie(Some("bob")).await);
    world.notify("disk full").await;
    world.settle().await;
    let (asked, words) = key(&mut world, &john, "john", "6").await;
    assert_eq!(words, "Press 6 once more to say that it is over.");
    assert_eq!(key(&mut world, &john, "john", "1").await.1, "Once more:");
    let (passed, words) = key(&mut world, &john, "john", "8").await;
    assert_eq!(words, "You passed it on. Nobody has #1 yet; Bob is being paged.");
    let (again, words) = key(&mut world, &john, "john", "8").await;
    assert_eq!(words, "Nothing was done. Nobody has #1 yet; Bob is being paged.");
    assert_ne!(passed, again);
    let (mine, words) = key(&mut world, &bob, "bob", "4").await;
    assert_eq!(words, "You have #1. Nobody else is paged any more.");
    let again = key(&mut world, &bob, "bob", "4").await.1;
    assert_eq!(again, "You have #1 already. Nobody else is paged any more.");
    assert_eq!(
        key(&mut world, &john, "john", "4").await.1,
        "Nothing was done: Bob has #1 already. You need not do anything."
    );
    assert_eq!(
        said(&world, &john, &asked).await,
        "Nothing rings here. Bob has #1. You need not do anything."
    );
    // What Bob was told goes on to be true, and what John is told is not only said to him who pressed.
    let told = world.page(&john, "/handset/john").await.text;
    assert!(told.contains("<a href=\"/alerts/1\"><bdi>Bob has it: ERROR ops: disk full</bdi></a>"), "{told}");
    assert_eq!(said(&world, &bob, "/handset/bob").await, "");
    world.press(&john, "/alerts/1/take-over").await;
    assert_eq!(said(&world, &bob, &mine).await, "You had it. John has #1. You need not do anything.");
    assert_eq!(
        key(&mut world, &john, "john", "66").await.1,
        "You resolved #1. Everybody who was paged is told."
    );
    assert_eq!(
        key(&mut world, &bob, "bob", "66").await.1,
        "Nothing was done. #1 is over: resolved by John. You need not do anything."
    );
}

#[tokio::test]
async fn an_address_opened_by_hand_claims_nothing() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    let bob = world.cookie(Some("bob")).await;
    world.notify("disk full").await;
    world.settle().await;
    let before = world.get("/api/v1/alerts/1").await;
    for did in ["4.1", "4.1.done", "8.1", "8.1.done", "1.1", "1.1.done", "66.1.done"] {
        let words = said(&world, &bob, &format!("/handset/bob?did={did}")).await;
        assert_eq!(words, "Nobody has #1 yet; John is being paged.", "{did}");
    }
    for did in ["4.1.nothing", "8.1.nothing", "66.1.nothing"] {
        let words = said(&world, &bob, &format!("/handset/bob?did={did}")).await;
        assert_eq!(words, "Nothing was done. Nobody has #1 yet; John is being paged.", "{did}");
    }
    let words = said(&world, &bob, "/handset/bob?did=6.1").await;
    assert_eq!(words, "Nothing rings here. Nobody has #1 yet; John is being paged.");
    for did in ["", "4", "4.9", "4.9.done", "5.1", "x.y.z", "4.-1"] {
        assert_eq!(said(&world, &bob, &format!("/handset/bob?did={did}")).await, "", "{did}");
    }
    assert_eq!(before, world.get("/api/v1/alerts/1").await);
}

#[tokio::test]
async fn the_page_behind_a_link_says_done_only_of_what_was_done() {
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
    let look = async |url: String| {
        let page = answer(world.client.get(url)).await.text;
        between(&page, "<p class=\"standing\">", "</p>")
            .replace("<span role=\"status\">", "")
            .replace("</span>", "")
    };
    let press = async |url: &str| {
        let pressed = answer(world.client.post(url)).await;
        look(format!("{}{}", world.url, pressed.headers["location"].to_str().unwrap())).await
    };
    assert_eq!(look(format!("{john}?did=4.1.done")).await, "Nobody has it yet.");
    assert_eq!(press(&bob).await, "Bob has it. You have it. Nobody else is paged any more.");
    assert_eq!(press(&john).await, "Bob has it. Nothing was done. You need not do anything.");
    for did in ["4", "4.1", "4.1.done", "x"] {
        assert_eq!(look(format!("{john}?did={did}")).await, "Bob has it.", "{did}");
    }
}

/// What comes next is decided by the machine itself, and only told.
#[tokio::test]
async fn what_comes_next_names_whom() {
    let mut world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world
        .post(
            "/api/v1/people",
            json!({ "name": "carol", "full_name": "Carol", "contacts": ["handset:carol"] }),
        )
        .await;
    let plan = json!({ "name": "odd", "repeat": 1, "steps": [
        { "notify": ["on_call"], "after": "5m" }, { "notify": ["on_call"], "after": "5m" },
        { "notify": ["next_on_call", "person:carol"], "after": "5m" },
    ] });
    world.post("/api/v1/escalation-plans", plan).await;
    let team = json!({ "name": "odd", "members": ["john", "bob"], "escalation_plan": "odd", "last_resort": ["person:carol"] });
    world.post("/api/v1/teams", team).await;
    world.post("/api/v1/teams/odd/notify", json!({ "summary": "disk full" })).await;
    let (mut foretold, mut happened) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        world.settle().await;
        let alert = world.get("/api/v1/alerts/1").await;
        let texts = |part: &str, is_wanted: fn(&serde_json::Value) -> bool| -> Vec<String> {
            let lines = alert[part].as_array().unwrap().iter().filter(|line| is_wanted(line));
            lines.map(|line| line["text"].as_str().unwrap().to_owned()).collect()
        };
        foretold.extend(texts("next", |next| !next["text"].as_str().unwrap().contains("tried again")));
        happened = texts("timeline", |line| line["kind"] == "step" || line["kind"] == "last_resort");
        world.pass_seconds(300).await;
    }
    assert_eq!(
        foretold,
        [
            "John is paged (step 2)",
            "Bob and Carol are paged (step 3)",
            "John is paged (step 1, round 2)",
            "John is paged (step 2)",
            "Bob and Carol are paged (step 3)",
            "Carol is paged (last resort)",
            "the alert counts as unanswered, and the operators are told",
        ]
    );
    assert_eq!(
        happened[1..],
        [
            "Step 2 pages John",
            "Step 3 pages Bob and Carol",
            "Step 1 pages John",
            "Step 2 pages John",
            "Step 3 pages Bob and Carol",
            "The last resort pages Carol",
        ]
    );
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
