//! The pages of schedules: what they say and draw, in any zone, and what their forms do and refuse.

use dogwatch::definition::Lies;
use serde_json::{Value, json};

use crate::support::{World, answer};

/// Monday 2 March 2026, 09:00 in Berlin.
const NOW: &str = "2026-03-02T08:00:00Z";

/// John on weekdays and Bob, with a hole, on Saturdays; Carol shadows. A schedule and its team.
async fn world() -> World {
    let world = World::new().await;
    world.clock.set(NOW.parse().unwrap());
    for (name, full_name) in [("john", "John"), ("bob", "Bob"), ("carol", "Carol Doe")] {
        let contacts = [format!("handset:{name}")];
        let zone = "Europe/Berlin";
        let person = json!({ "name": name, "full_name": full_name, "contacts": contacts, "zone": zone });
        world.post("/api/v1/people", person).await;
    }
    for (name, days) in [("weekdays", "monday - friday"), ("saturdays", "saturday")] {
        let rules = json!([{ "days": days, "hours": "00:00-24:00" }]);
        world.post("/api/v1/periods", json!({ "name": name, "template": name, "rules": rules })).await;
    }
    let layers = json!([
        { "name": "Bob's Saturdays", "people": ["bob"], "period": "saturdays" },
        { "name": "weekdays", "people": ["john"], "period": "weekdays" },
    ]);
    world
        .post("/api/v1/schedules", json!({ "name": "ops", "zone": "Europe/Berlin", "layers": layers }))
        .await;
    world
        .post("/api/v1/teams", json!({ "name": "ops", "members": ["john", "bob"], "schedule": "ops" }))
        .await;
    world.post("/api/v1/teams", json!({ "name": "lab", "members": ["john", "bob"] })).await;
    world
}

/// Sends a form that has to succeed; the page that it leads to.
async fn done(world: &World, cookie: &str, path: &str, fields: &[(&str, &str)]) -> String {
    let sent = world.submit(cookie, path, fields).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let page = world.page(cookie, sent.headers["location"].to_str().unwrap()).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.text
}

/// Sends a form that has to be refused with these words.
async fn refused(world: &World, cookie: &str, path: &str, fields: &[(&str, &str)], status: u16, words: &str) {
    let before = overrides(world);
    let sent = world.submit(cookie, path, fields).await;
    assert_eq!(sent.status, status, "{}", sent.text);
    assert!(sent.text.contains(words), "{words} is not in: {}", said(&sent.text));
    assert_eq!(overrides(world), before, "nothing is stored");
}

fn said(page: &str) -> String {
    between(page, "<p class=\"refused\" role=\"alert\">", "</p>").to_owned()
}

fn overrides(world: &World) -> Value {
    json!(world.store.definitions().overrides(&Lies::Schedule("ops".to_owned())))
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    text.split(begin).nth(1).unwrap_or_default().split(end).next().unwrap_or_default()
}

/// The titles of all bars of a picture.
fn bars(page: &str) -> Vec<String> {
    let titles = page.split("<svg class=\"").skip(1).filter(|part| part.contains(" x=\""));
    titles.map(|part| between(part, "<title>", "</title>").to_owned()).collect()
}

/// Where the bar whose title begins so lies: x and width in percent, and its classes.
fn bar(page: &str, title: &str) -> (f64, f64, String) {
    let found = page.split("<svg class=\"").find(|part| part.contains(&format!("<title>{title}")));
    let part = found.unwrap_or_else(|| panic!("no bar {title}: {:#?}", bars(page)));
    let number = |name: &str| {
        between(part, &format!(" {name}=\""), "%\"").parse::<f64>().unwrap_or_else(|_| panic!("{part}"))
    };
    (number("x"), number("width"), part.split('"').next().unwrap().to_owned())
}

#[tokio::test]
async fn the_page_says_who_is_on_call_and_draws_the_week() {
    let world = world().await;
    let cookie = world.cookie(Some("john")).await;
    let page = world.page(&cookie, "/schedules/ops").await.text;
    assert!(page.contains("<p class=\"oncall\"><bdi>John</bdi></p>"), "{page}");
    assert!(page.contains("until <strong>Sat 7 Mar 00:00</strong>"), "{page}");
    assert!(page.contains("<bdi>Bob</bdi></strong>"), "then Bob: {page}");
    assert!(page.contains("times in Europe/Berlin (CET, UTC+1)"), "{page}");
    assert!(page.contains("2 Mar – 8 Mar 2026"), "{page}");
    let (x, width, class) = bar(&page, "John: Mon 2 Mar 00:00 – Sat 7 Mar 00:00 (5 days)");
    assert!((x, (width - 500.0 / 7.0).abs() < 0.01) == (0.0, true) && class.starts_with("final person"));
    let (x, width, class) = bar(&page, "nobody: Sun 8 Mar 00:00 – Mon 9 Mar 00:00 (1 day)");
    assert!((x - 600.0 / 7.0).abs() < 0.01 && (width - 100.0 / 7.0).abs() < 0.01 && class == "gap");
    assert!(page.contains("fill=\"url(#primary-2026-03-02-hatch)\""), "{page}");
    bar(&page, "Bob&#39;s Saturdays: Bob: Sat 7 Mar 00:00 – Sun 8 Mar 00:00 (1 day)");
    let now = between(&page, "<g class=\"now\"><line x1=\"", "%\"").parse::<f64>().unwrap();
    assert!((now - 900.0 / 7.0 / 24.0).abs() < 0.01, "Monday 09:00: {now}");
    assert_eq!(page.matches("class=\"weekend\"").count(), 2);
    assert!(
        between(&page, "<div class=\"gaps\"", "</div>").contains("Sun 8 Mar 00:00 – Mon 9 Mar 00:00 (1 day)")
    );
    assert!(page.contains("<td><bdi>nobody</bdi></td>"), "{page}");
    let later = world.page(&cookie, "/schedules/ops?from=2026-04-01").await.text;
    assert!(later.contains("30 Mar – 5 Apr 2026") && !later.contains("class=\"now\""), "{later}");
}

#[tokio::test]
async fn weeks_in_which_clocks_change_have_days_of_23_and_25_hours() {
    let world = world().await;
    let cookie = world.cookie(None).await;
    for (week, hours, sunday, zone) in [
        ("2026-03-23", 167.0, "23 h", "Europe/Berlin"),
        ("2026-10-19", 169.0, "25 h", "Europe/Berlin"),
        ("2026-03-23", 168.0, "", "UTC"),
        ("2026-04-01", 168.5, "24 h 30", "Australia/Lord_Howe"),
    ] {
        let page = world.page(&cookie, &format!("/schedules/ops?from={week}&zone={zone}")).await.text;
        assert_eq!(between(&page, "class=\"odd\"", "</text>").rsplit('>').next().unwrap(), sunday, "{zone}");
        let second = page.split("<line class=\"midnight\" x1=\"").nth(2).unwrap();
        let second: f64 = second.split('%').next().unwrap().parse().unwrap();
        assert!((second - 2_400.0 / hours).abs() < 0.001, "Tuesday begins at {second} % of {hours} h");
    }
}

#[tokio::test]
async fn the_same_week_is_read_in_any_zone_and_a_month_in_weeks() {
    let world = world().await;
    let cookie = world.cookie(Some("john")).await;
    let page = world.page(&cookie, "/schedules/ops?zone=Asia/Tokyo").await.text;
    assert!(page.contains("until <strong>Sat 7 Mar 08:00</strong>"), "{page}");
    bar(&page, "John: Mon 2 Mar 08:00 – Sat 7 Mar 08:00");
    let page = world.page(&cookie, "/schedules/ops?zone=Europe/Berln").await.text;
    assert!(page.contains("did you mean &#34;Europe/Berlin&#34;?"), "{page}");
    let page = world.page(&cookie, "/schedules/ops?from=2026-02-30").await.text;
    assert!(page.contains("There is no such day"), "{page}");
    let month = world.page(&cookie, "/schedules/ops?view=month").await.text;
    assert!(month.contains("<h2>March 2026"), "{month}");
    // From Monday 23 February to Sunday 5 April; six weeks, of which the other months' days are faint.
    assert_eq!(month.matches("class=\"picture small\"").count(), 6);
    assert_eq!(month.matches("class=\"faint\"").count(), 6 + 5);
    assert_eq!(month.matches("class=\"gap\"").count(), 6);
    assert!(month.contains("view=month&#38;from=2026-04-01") || month.contains("from=2026-04-01"), "{month}");
    // An administrator has no zone of his own.
    let admin = world.cookie(None).await;
    assert!(world.page(&admin, "/schedules/ops").await.text.contains("Europe/Berlin (CET, UTC+1)"));
}

#[tokio::test]
async fn one_takes_it_until_the_handoff_and_hands_it_back() {
    let world = world().await;
    let bob = world.cookie(Some("bob")).await;
    let page = done(&world, &bob, "/schedules/ops/take?role=primary&view=month", &[]).await;
    assert!(page.contains("Bob has it: Mon 2 Mar 09:00 – Sat 7 Mar 00:00."), "{page}");
    assert!(
        page.contains("<p class=\"oncall\"><bdi>Bob</bdi></p>") && page.contains("<h2>March 2026"),
        "{page}"
    );
    assert!(page.contains("Hand it back") && page.contains("made by Bob"), "{page}");
    let stored = overrides(&world);
    assert_eq!(
        (&stored[0]["takeover"], &stored[0]["until"], &stored[0]["person"]),
        (&json!(true), &json!("2026-03-06T23:00:00Z"), &json!("bob"))
    );
    let again = "Bob is on call until then anyway.";
    refused(&world, &bob, "/schedules/ops/take?role=primary", &[], 422, again).await;
    world.clock.set("2026-03-02T09:00:00Z".parse().unwrap());
    let page = done(&world, &bob, "/schedules/ops/hand-back?role=primary", &[]).await;
    assert!(page.contains("Bob has handed it back.") && page.contains("<bdi>John</bdi></p>"), "{page}");
    assert_eq!(overrides(&world)[0]["until"], "2026-03-02T09:00:00Z");
    refused(&world, &bob, "/schedules/ops/hand-back?role=primary", &[], 422, "has taken nothing here").await;
}

#[tokio::test]
async fn whoever_takes_it_next_releases_whoever_had_it() {
    let world = world().await;
    let (bob, carol) = (world.cookie(Some("bob")).await, world.cookie(Some("carol")).await);
    let page = done(&world, &bob, "/schedules/ops/take?role=primary", &[("until", "release")]).await;
    assert!(page.contains("Bob has it from Mon 2 Mar 09:00 until somebody else takes it."), "{page}");
    assert!(page.contains("with no end in sight"), "{page}");
    world.clock.set("2026-03-03T08:00:00Z".parse().unwrap());
    let page = done(&world, &carol, "/schedules/ops/take?role=primary", &[("until", "handoff")]).await;
    assert!(page.contains("Carol Doe has it: Tue 3 Mar 09:00 – Sat 7 Mar 00:00."), "{page}");
    let stored = overrides(&world);
    assert_eq!(stored[0]["until"], "2026-03-03T08:00:00Z", "Bob's is over: {stored}");
    // On Saturday it is the schedule's again.
    let week = bars(&page);
    assert!(week.iter().any(|bar| bar.starts_with("Bob: Sat 7 Mar 00:00")), "{week:?}");
    let fields = [("until", "time"), ("time", "2026-03-03T12:30")];
    let page = done(&world, &bob, "/schedules/ops/take?role=primary", &fields).await;
    assert!(page.contains("Bob has it: Tue 3 Mar 09:00 – 12:30."), "in Berlin's time: {page}");
    let early = [("until", "time"), ("time", "2026-03-03T08:30")];
    refused(&world, &bob, "/schedules/ops/take?role=primary", &early, 422, "is not after").await;
}

#[tokio::test]
async fn a_stretch_is_covered_and_ended_by_those_who_may() {
    let world = world().await;
    let john = world.cookie(Some("john")).await;
    let stretch = [("from", "2026-03-05T18:00"), ("until", "2026-03-06T08:00"), ("reason", "concert <3")];
    let fields = |person: &'static str, instead: &'static str| {
        [&[("person", person), ("instead_of", instead)][..], &stretch[..]].concat()
    };
    let cover = "/schedules/ops/cover?role=primary";
    // John gives away his own.
    let page = done(&world, &john, cover, &fields("carol", "john")).await;
    assert!(page.contains("Carol Doe instead of John, Thu 5 Mar 18:00 – Fri 6 Mar 08:00"), "{page}");
    assert!(page.contains("made by John") && page.contains("concert &#60;3"), "{page}");
    let (_, _, class) = bar(&page, "overrides: Carol Doe for John: Thu 5 Mar 18:00");
    assert!(class.starts_with("person"), "{class}");
    bar(&page, "Carol Doe: Thu 5 Mar 18:00 – Fri 6 Mar 08:00 (14 h)");
    // Carol can't give away what is John's to Bob, nor anybody's to anybody.
    let carol = world.cookie(Some("carol")).await;
    for given in [fields("bob", "john"), fields("bob", "")] {
        refused(&world, &carol, cover, &given, 403, "You can take duty yourself and give away your own")
            .await;
    }
    refused(
        &world,
        &carol,
        "/schedules/ops/take?role=primary",
        &[("person", "bob")],
        403,
        "only an administrator",
    )
    .await;
    // Bob has no part in it.
    let id = overrides(&world)[0]["name"].as_str().unwrap().to_owned();
    let end = format!("/schedules/ops/overrides/{id}/end?view=week");
    let bob = world.cookie(Some("bob")).await;
    refused(&world, &bob, &end, &[], 403, "Only the people of an override").await;
    assert!(!world.page(&bob, "/schedules/ops").await.text.contains("Cancel it"));
    assert!(world.page(&carol, "/schedules/ops").await.text.contains("Cancel it"));
    assert_eq!(
        world.submit(&carol, &end.replace("/schedules/ops", "/teams/lab/on-call"), &[]).await.status,
        404
    );
    // What has begun is ended, what has not is cancelled, and what is over stays.
    world.clock.set("2026-03-05T19:00:00Z".parse().unwrap());
    let page = done(&world, &carol, &end, &[]).await;
    assert!(page.contains("Carol Doe has handed it back."), "{page}");
    assert_eq!(overrides(&world)[0]["until"], "2026-03-05T19:00:00Z");
    refused(&world, &carol, &end, &[], 422, "is over already").await;
    let admin = world.cookie(None).await;
    let later = [("person", "bob"), ("from", "2026-03-08T00:00"), ("until", "2026-03-09T00:00")];
    let page = done(&world, &admin, cover, &later).await;
    assert!(page.contains("Somebody is on call all the time."), "the gap is filled: {page}");
    let id = overrides(&world)[1]["name"].as_str().unwrap().to_owned();
    let page = done(&world, &admin, &format!("/schedules/ops/overrides/{id}/end"), &[]).await;
    assert!(page.contains("It is cancelled.") && overrides(&world).as_array().unwrap().len() == 1, "{page}");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_a_sentence() {
    let world = world().await;
    let leave = json!({ "from": "2026-03-05", "until": "2026-03-06" });
    world.post("/api/v1/people/bob/leave", leave).await;
    let admin = world.cookie(None).await;
    let cover = "/schedules/ops/cover?role=primary";
    for (fields, words) in [
        (
            &[("person", "bob"), ("from", "2026-03-04T08:00"), ("until", "2026-03-05T08:00")][..],
            "Nothing was changed. Bob is on leave from 2026-03-05 00:00:00 CET to 2026-03-07 00:00:00 CET.",
        ),
        (
            &[("person", "bob"), ("from", "2026-03-01T08:00"), ("until", "2026-03-05T08:00")],
            "&#34;From&#34; is in the past",
        ),
        (&[("person", "bob"), ("from", "2026-03-03T08:00"), ("until", "2026-03-03T08:00")], "is not after"),
        (&[("person", "bob"), ("from", "soon"), ("until", "2026-03-03T08:00")], "&#34;soon&#34; is no time"),
        (&[("person", "bob"), ("from", "2026-03-03T08:00")], "&#34;Until&#34; is missing"),
        (
            &[("person", "bbo"), ("from", "2026-03-03T08:00"), ("until", "2026-03-03T09:00")],
            "did you mean &#34;bob&#34;?",
        ),
        (&[("from", "2026-03-03T08:00"), ("until", "2026-03-03T09:00")], "There is no person"),
        (
            &[
                ("person", "carol"),
                ("instead_of", "bob"),
                ("from", "2026-03-03T08:00"),
                ("until", "2026-03-03T09:00"),
            ],
            "Bob is not on call at any time of this stretch.",
        ),
    ] {
        refused(&world, &admin, cover, fields, 422, words).await;
    }
    let page = world.page(&admin, "/schedules/ops").await.text;
    assert!(page.contains("Bob is away"), "a mark in the picture");
    refused(
        &world,
        &admin,
        "/schedules/ops/cover?role=tertiary",
        &[("person", "bob"), ("from", "2026-03-03T08:00"), ("until", "2026-03-03T09:00")],
        422,
        "There is no role &#34;tertiary&#34; here",
    )
    .await;
}

#[tokio::test]
async fn looking_changes_nothing_and_other_sites_may_not_press() {
    let world = world().await;
    let cookie = world.cookie(Some("bob")).await;
    for path in ["/schedules/ops/take?role=primary", "/schedules/ops/cover", "/schedules/ops/hand-back"] {
        for method in ["GET", "HEAD"] {
            let request = world.client.request(method.parse().unwrap(), format!("{}{path}", world.url));
            assert_eq!(answer(request.header("cookie", &cookie)).await.status, 405);
        }
        let foreign = world.client.post(format!("{}{path}", world.url)).header("cookie", &cookie);
        assert_eq!(answer(foreign.header("sec-fetch-site", "cross-site")).await.status, 403);
    }
    assert_eq!(overrides(&world), json!([]));
    for path in ["/schedules", "/schedules/ops", "/teams/lab/on-call"] {
        assert_eq!(answer(world.client.get(format!("{}{path}", world.url))).await.status, 401, "{path}");
    }
    assert_eq!(world.page(&cookie, "/schedules/nothing").await.status, 404);
    assert_eq!(world.submit(&cookie, "/schedules/ops/explode", &[]).await.status, 404);
}

#[tokio::test]
async fn the_list_and_the_now_page_tell_of_each_schedule() {
    let world = world().await;
    let cookie = world.cookie(Some("bob")).await;
    let list = world.page(&cookie, "/schedules").await.text;
    assert!(list.contains("<strong>John</strong> until Sat 7 Mar 00:00, then Bob"), "{list}");
    assert!(
        list.contains("2 gaps in the next 14 days: nobody Sun 8 Mar 00:00 – Mon 9 Mar 00:00, and more"),
        "{list}"
    );
    let now = world.page(&cookie, "/").await.text;
    assert!(now.contains("<strong>ops</strong>: John until Sat 7 Mar 00:00, then Bob"), "{now}");
    assert!(now.contains("<strong>lab</strong>: John, then Bob"), "{now}");
    world.clock.set("2026-03-08T08:00:00Z".parse().unwrap());
    let now = world.page(&cookie, "/").await.text;
    assert!(
        now.contains("<strong class=\"nobody\">nobody</strong> until Mon 9 Mar 00:00, then John"),
        "{now}"
    );
}

#[tokio::test]
async fn a_team_without_a_schedule_is_taken_over_likewise() {
    let world = world().await;
    let cookie = world.cookie(Some("bob")).await;
    let page = world.page(&cookie, "/teams/lab/on-call").await.text;
    assert!(page.contains("<p class=\"oncall\"><bdi>John</bdi></p>"), "{page}");
    let path = "/teams/lab/on-call/take?role=primary";
    refused(&world, &cookie, path, &[("until", "handoff")], 422, "No handoff is in sight").await;
    let page = done(&world, &cookie, path, &[("until", "release")]).await;
    assert!(page.contains("<p class=\"oncall\"><bdi>Bob</bdi></p>"), "{page}");
    let moved = world.page(&cookie, "/teams/ops/on-call").await;
    assert_eq!((moved.status, moved.headers["location"].to_str().unwrap()), (303, "/schedules/ops"));
}
