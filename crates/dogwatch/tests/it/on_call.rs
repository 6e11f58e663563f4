//! Who is on call, over the API: rotations, schedules, leave, and what was in force when.

use serde_json::{Value, json};

use crate::support::{Answer, World};

/// The rules of scenario 1 of Naemon's on-call document: John on weekdays, Bob on weekends and holidays.
const HOLIDAYS: &str = "january 1 00:00-24:00\nmonday -1 may 00:00-24:00\njuly 4 00:00-24:00\n\
    monday 1 september 00:00-24:00\nthursday 4 november 00:00-24:00\ndecember 25 00:00-24:00\n\
    december 31 17:00-24:00\n";

async fn post(world: &World, path: &str, body: Value) -> Answer {
    world.request("POST", path, Some(body)).await
}

async fn get(world: &World, path: &str) -> Answer {
    world.request("GET", path, None).await
}

async fn make(world: &World, kind: &str, body: Value) -> Value {
    let made = post(world, &format!("/api/v1/{kind}"), body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.body
}

async fn people(world: &World) {
    for (name, full_name) in [("john", "John"), ("bob", "Bob"), ("carol", "Carol")] {
        let contacts = [format!("handset:{name}")];
        make(world, "people", json!({ "name": name, "full_name": full_name, "contacts": contacts })).await;
    }
}

async fn scenario_1(world: &World) {
    people(world).await;
    let day = |days: Value| json!([{ "days": days, "hours": "00:00-24:00" }]);
    let periods = [
        json!({ "name": "weekdays", "template": "weekdays", "rules": day(json!("monday - friday")) }),
        json!({ "name": "weekends", "template": "weekends", "rules": day(json!(["saturday", "sunday"])) }),
        json!({ "name": "holidays", "template": "holidays", "text": HOLIDAYS }),
        json!({ "name": "john-oncall", "use": ["weekdays"], "exclude": ["holidays"] }),
        json!({ "name": "bob-oncall", "use": ["weekends", "holidays"] }),
    ];
    for period in periods {
        make(world, "periods", period).await;
    }
    let layers = json!([
        { "people": ["bob"], "period": "bob-oncall" },
        { "people": ["john"], "period": "john-oncall" },
    ]);
    make(world, "schedules", json!({ "name": "ops", "zone": "America/New_York", "layers": layers })).await;
    make(world, "teams", json!({ "name": "ops", "members": ["john", "bob"], "schedule": "ops" })).await;
}

/// Who is on call for the team, joined; `-` for nobody.
async fn who(world: &World, team: &str, at: &str) -> String {
    let answer = get(world, &format!("/api/v1/teams/{team}/on-call?at={at}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    names(&answer.body["roles"][0]["now"])
}

fn names(shift: &Value) -> String {
    let people = shift["people"].as_array().unwrap();
    let names: Vec<&str> = people.iter().map(|person| person["name"].as_str().unwrap()).collect();
    if names.is_empty() { "-".to_owned() } else { names.join("+") }
}

#[tokio::test]
async fn scenario_1_is_answered_at_any_instant_and_its_hole_is_a_gap() {
    let world = World::new().await;
    scenario_1(&world).await;
    // A Tuesday, a Saturday, Thanksgiving, and New Year's Eve before and after 17:00, all in New York.
    for (at, wanted) in [
        ("2026-03-03T10:00", "john"),
        ("2026-03-07T10:00", "bob"),
        ("2026-11-26T10:00", "bob"),
        ("2011-12-31T16:59:59", "-"),
        ("2011-12-31T17:00:00", "bob"),
    ] {
        assert_eq!(who(&world, "ops", at).await, wanted, "{at}");
    }
    let gaps = get(&world, "/api/v1/schedules/ops/gaps?from=2011-12-25&to=2012-01-07").await.body;
    let hole =
        json!([{ "role": "primary", "from": "2011-12-31T05:00:00Z", "until": "2011-12-31T22:00:00Z" }]);
    assert_eq!(gaps["items"], hole);
    let now = get(&world, "/api/v1/teams/ops/on-call").await.body;
    let role = &now["roles"][0];
    assert_eq!(
        (names(&role["now"]), names(&role["next"]), names(&role["after"])),
        ("bob".into(), "john".into(), "bob".into())
    );
    assert_eq!(now["zone"], "America/New_York");
}

#[tokio::test]
async fn the_past_is_answered_by_what_was_in_force_then() {
    let world = World::new().await;
    people(&world).await;
    let layers = |who: &str| json!([{ "people": [who] }]);
    make(&world, "schedules", json!({ "name": "ops", "layers": layers("john") })).await;
    make(&world, "teams", json!({ "name": "ops", "schedule": "ops" })).await;
    world.clock.set("2026-03-10T00:00:00Z".parse().unwrap());
    world.request("PATCH", "/api/v1/schedules/ops", Some(json!({ "layers": layers("bob") }))).await;
    world.clock.set("2026-03-20T00:00:00Z".parse().unwrap());
    assert_eq!(who(&world, "ops", "2026-03-09T23:59:59Z").await, "john");
    assert_eq!(who(&world, "ops", "2026-03-10T00:00:00Z").await, "bob");
    // Before anything was written down, what was written first is the best that can be said.
    assert_eq!(who(&world, "ops", "2020-01-01T00:00:00Z").await, "john");
    let shifts = get(&world, "/api/v1/schedules/ops/shifts?from=2026-03-05&to=2026-03-15").await.body;
    let told: Vec<_> = shifts["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shift| (names(shift), shift["until"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            ("john".to_owned(), json!("2026-03-10T00:00:00Z")),
            ("bob".to_owned(), json!("2026-03-15T00:00:00Z"))
        ]
    );
    let balance = get(&world, "/api/v1/schedules/ops/balance?from=2026-03-05&to=2026-03-15").await.body;
    let hours: Vec<_> = balance["items"].as_array().unwrap().iter().map(|one| one["hours"].clone()).collect();
    assert_eq!(hours, [json!(120.0), json!(120.0)]);
    // The team goes over to another schedule, and in the end everything goes; what was is still known.
    make(&world, "schedules", json!({ "name": "new", "layers": layers("carol") })).await;
    world.request("PATCH", "/api/v1/teams/ops", Some(json!({ "schedule": "new" }))).await;
    assert_eq!(who(&world, "ops", "2026-03-19T00:00:00Z").await, "bob");
    assert_eq!(who(&world, "ops", "2026-03-20T00:00:00Z").await, "carol");
    world.clock.set("2026-03-21T00:00:00Z".parse().unwrap());
    for path in ["teams/ops", "schedules/ops", "schedules/new"] {
        assert_eq!(world.request("DELETE", &format!("/api/v1/{path}"), None).await.status, 204, "{path}");
    }
    assert_eq!(who(&world, "ops", "2026-03-19T00:00:00Z").await, "bob");
    let gone = get(&world, "/api/v1/teams/ops/on-call").await;
    assert_eq!(gone.status, 404, "{}", gone.text);
}

#[tokio::test]
async fn an_edit_of_a_rotation_begins_with_the_next_handoff_and_goes_on_after_the_last_holder() {
    let world = World::new().await;
    people(&world).await;
    let weekly = json!({ "name": "weekly", "zone": "Europe/Berlin", "members": ["john", "bob"], "handoff": "monday 08:00", "start": "2026-01-05" });
    make(&world, "rotations", weekly.clone()).await;
    make(
        &world,
        "schedules",
        json!({ "name": "ops", "zone": "Europe/Berlin", "layers": [{ "rotation": "weekly" }] }),
    )
    .await;
    make(&world, "teams", json!({ "name": "ops", "schedule": "ops" })).await;
    // The week of 5 January is John's, so the odd ones after it are Bob's; 23 February is the 8th.
    let before: Vec<&str> =
        vec!["2026-01-05T07:59", "2026-01-05T08:00", "2026-01-12T08:00", "2026-02-23T08:00"];
    let told = [
        who(&world, "ops", before[0]).await,
        who(&world, "ops", before[1]).await,
        who(&world, "ops", before[2]).await,
        who(&world, "ops", before[3]).await,
    ];
    assert_eq!(told, ["-", "john", "bob", "bob"]);
    // It is Monday 2 March, 04:00 in Berlin: Bob's week ends at 08:00. Carol comes in at the end of the order.
    let mut edited = weekly.clone();
    edited["members"] = json!(["john", "bob", "carol"]);
    let put = world.request("PUT", "/api/v1/rotations/weekly", Some(edited.clone())).await;
    assert_eq!(put.body["editions"].as_array().unwrap().len(), 2, "{}", put.text);
    for (at, wanted) in [
        ("2026-03-02T07:59", "bob"),
        ("2026-03-02T08:00", "carol"),
        ("2026-03-09T08:00", "john"),
        ("2026-03-16T08:00", "bob"),
    ] {
        assert_eq!(who(&world, "ops", at).await, wanted, "{at}");
    }
    assert_eq!(who(&world, "ops", before[2]).await, "bob");
    // The same once more changes nothing.
    let again = world.request("PUT", "/api/v1/rotations/weekly", Some(edited)).await;
    assert_eq!(again.body, put.body);
    // What was exported goes on elsewhere as it was here.
    let elsewhere = World::new().await;
    people(&elsewhere).await;
    make(&elsewhere, "rotations", put.body.clone()).await;
    make(
        &elsewhere,
        "schedules",
        json!({ "name": "ops", "zone": "Europe/Berlin", "layers": [{ "rotation": "weekly" }] }),
    )
    .await;
    make(&elsewhere, "teams", json!({ "name": "ops", "schedule": "ops" })).await;
    assert_eq!(who(&elsewhere, "ops", "2026-03-02T08:00").await, "carol");
}

#[tokio::test]
async fn handoffs_and_lengths_are_written_as_people_say_them() {
    let world = World::new().await;
    people(&world).await;
    make(
        &world,
        "schedules",
        json!({ "name": "s", "zone": "Europe/Berlin", "layers": [{ "people": ["carol"], "role": "other" }] }),
    )
    .await;
    make(&world, "teams", json!({ "name": "t", "schedule": "s" })).await;
    let cases = [
        // (every, handoff, start, instants with who is on duty)
        (
            "12 hours",
            "08:00",
            "2026-03-02",
            vec![
                ("2026-03-02T08:00", "john"),
                ("2026-03-02T20:00", "bob"),
                ("2026-03-29T12:00", "john"),
                ("2026-03-29T20:00", "bob"),
            ],
        ),
        (
            "1 week",
            "monday, friday 17:00",
            "2026-03-02",
            vec![
                ("2026-03-02T17:00", "john"),
                ("2026-03-06T16:59", "john"),
                ("2026-03-06T17:00", "bob"),
                ("2026-03-09T17:00", "john"),
            ],
        ),
        (
            "2 weeks",
            "wednesday 09:00",
            "2026-03-04",
            vec![("2026-03-18T08:59", "john"), ("2026-03-18T09:00", "bob"), ("2026-04-01T09:00", "john")],
        ),
        (
            "1 month",
            "last day 08:00",
            "2026-02-28",
            vec![
                ("2026-02-28T08:00", "john"),
                ("2026-03-28T08:00", "john"),
                ("2026-03-31T08:00", "bob"),
                ("2026-04-30T08:00", "john"),
            ],
        ),
        (
            "1 month",
            "day 1 00:00",
            "2026-04-01",
            vec![("2026-04-30T23:59", "john"), ("2026-05-01T00:00", "bob")],
        ),
        (
            "4, 3 days",
            "monday 00:00",
            "2026-03-02",
            vec![("2026-03-05T23:59", "john"), ("2026-03-06T00:00", "bob"), ("2026-03-09T00:00", "john")],
        ),
    ];
    for (place, (every, handoff, start, instants)) in cases.into_iter().enumerate() {
        let name = format!("r{place}");
        let spec = json!({ "name": name, "zone": "Europe/Berlin", "members": ["john", "bob"], "every": every, "handoff": handoff, "start": start });
        make(&world, "rotations", spec).await;
        let layers = json!([{ "rotation": name }]);
        world.request("PATCH", "/api/v1/schedules/s", Some(json!({ "layers": layers }))).await;
        world.clock.set(world.store.definitions().rotation(&name).unwrap().editions()[0].from);
        for (at, wanted) in instants {
            let shown = get(&world, &format!("/api/v1/schedules/s/shifts?from={at}&to=2026-06-01")).await;
            assert_eq!(names(&shown.body["items"][0]), wanted, "{every}, {handoff}: {at}");
        }
    }
    for (spec, field, words) in [
        (
            json!({ "name": "x", "members": ["john"], "every": "fortnight" }),
            "every",
            "is no length of a turn",
        ),
        (json!({ "name": "x", "members": ["john"], "every": "0 days" }), "every", "is no length of a turn"),
        (
            json!({ "name": "x", "members": ["john"], "every": "1 day", "handoff": "monday 08:00" }),
            "handoff",
            "goes with turns of weeks",
        ),
        (json!({ "name": "x", "members": ["john"], "handoff": "08:61" }), "handoff", "is no handoff"),
        (
            json!({ "name": "x", "members": ["john"], "handoff": "monday 08:00", "start": "2026-01-06" }),
            "start",
            "is a tuesday",
        ),
        (
            json!({ "name": "x", "members": ["john"], "every": "1 month", "handoff": "day 32 08:00" }),
            "handoff",
            "there is no day 32",
        ),
        (json!({ "name": "x", "members": [] }), "members", "names nobody"),
        (json!({ "name": "x", "members": ["jon"] }), "members[0]", "did you mean \"john\"?"),
        (json!({ "name": "x", "members": ["john"], "zone": "Europe/Berln" }), "zone", "did you mean"),
    ] {
        let refused = post(&world, "/api/v1/rotations", spec).await;
        assert_eq!(
            (refused.status, refused.body["errors"][0]["field"].as_str()),
            (422, Some(field)),
            "{}",
            refused.text
        );
        assert!(refused.text.contains(&words.replace('"', "\\\"")), "{}", refused.text);
    }
}

#[tokio::test]
async fn leave_is_passed_over_and_names_the_shifts_that_it_hits() {
    let world = World::new().await;
    people(&world).await;
    make(&world, "rotations", json!({ "name": "weekly", "members": ["john", "bob", "carol"], "handoff": "monday 08:00", "start": "2026-03-02" })).await;
    make(&world, "schedules", json!({ "name": "ops", "layers": [{ "rotation": "weekly" }] })).await;
    make(&world, "teams", json!({ "name": "ops", "schedule": "ops" })).await;
    make(&world, "teams", json!({ "name": "plain", "members": ["bob", "carol"] })).await;
    let taken =
        make(&world, "people/bob/leave", json!({ "from": "2026-03-10", "until": "2026-03-11" })).await;
    let hits = taken["hits"].as_array().unwrap();
    assert_eq!(hits.len(), 2, "{taken}");
    assert_eq!((&hits[0]["on"], &hits[0]["instead"][0]["name"]), (&json!("ops"), &json!("carol")));
    for (at, wanted) in [
        ("2026-03-09T23:59:59Z", "bob"),
        ("2026-03-10T00:00:00Z", "carol"),
        ("2026-03-11T23:59:59Z", "carol"),
        ("2026-03-12T00:00:00Z", "bob"),
        ("2026-03-16T08:00:00Z", "carol"),
    ] {
        assert_eq!(who(&world, "ops", at).await, wanted, "{at}");
    }
    assert_eq!(who(&world, "plain", "2026-03-10T12:00:00Z").await, "carol");
    assert_eq!(who(&world, "plain", "2026-03-12T12:00:00Z").await, "bob");
    // Back a day earlier: what was, stays as it was.
    world.clock.set("2026-03-10T20:00:00Z".parse().unwrap());
    let path = format!("/api/v1/people/bob/leave/{}", taken["name"].as_str().unwrap());
    assert_eq!(world.request("DELETE", &path, None).await.status, 204);
    assert_eq!(who(&world, "ops", "2026-03-10T19:59:59Z").await, "carol");
    assert_eq!(who(&world, "ops", "2026-03-10T20:00:00Z").await, "bob");
    let past =
        post(&world, "/api/v1/people/bob/leave", json!({ "from": "2026-03-01", "until": "2026-03-02" }))
            .await;
    assert_eq!((past.status, past.body["field"].as_str()), (422, Some("until")), "{}", past.text);
}

#[tokio::test]
async fn what_is_wrong_with_a_period_or_a_schedule_is_named_by_its_field() {
    let world = World::new().await;
    scenario_1(&world).await;
    for (kind, body, field, words) in [
        (
            "periods",
            json!({ "name": "x", "rules": [{ "days": ["mondey"], "hours": ["00:00-24:00"] }] }),
            "rules[0].days[0]",
            "did you mean \"monday\"?",
        ),
        ("periods", json!({ "name": "x", "text": "monday 25:00-26:00" }), "text", "25:00"),
        (
            "periods",
            json!({ "name": "x", "exclude": ["holydays"] }),
            "exclude[0]",
            "did you mean \"holidays\"?",
        ),
        ("periods", json!({ "name": "a/b" }), "name", "without"),
        (
            "schedules",
            json!({ "name": "x", "layers": [{ "people": ["jon"] }] }),
            "layers[0].people[0]",
            "did you mean \"john\"?",
        ),
        (
            "schedules",
            json!({ "name": "x", "layers": [{ "people": ["john"], "period": "weekday" }] }),
            "layers[0].period",
            "did you mean \"weekdays\"?",
        ),
        (
            "schedules",
            json!({ "name": "x", "layers": [{ "rotation": "r" }] }),
            "layers[0].rotation",
            "there is no rotation",
        ),
        ("schedules", json!({ "name": "x", "layers": [] }), "layers", "has no layer"),
        ("teams", json!({ "name": "x", "schedule": "opps" }), "schedule", "did you mean \"ops\"?"),
        (
            "escalation-plans",
            json!({ "name": "x", "steps": [{ "notify": ["on_call:ops/secondary"], "after": "5m" }] }),
            "steps[0].notify[0]",
            "has no role \"secondary\"",
        ),
    ] {
        let refused = post(&world, &format!("/api/v1/{kind}"), body).await;
        assert_eq!(
            (refused.status, refused.body["errors"][0]["field"].as_str()),
            (422, Some(field)),
            "{}",
            refused.text
        );
        assert!(refused.text.contains(&words.replace('"', "\\\"")), "{}", refused.text);
    }
    for (path, users) in
        [("periods/holidays", "bob-oncall"), ("schedules/ops", "team"), ("people/bob", "schedule")]
    {
        let kept = world.request("DELETE", &format!("/api/v1/{path}"), None).await;
        assert!(kept.status == 409 && kept.text.contains(users), "{}", kept.text);
    }
}

/// The events of a calendar, as another program reads it: summary, begin, end.
fn read_calendar(text: &str) -> Vec<(String, String, String)> {
    use icalendar::{Calendar, Component};
    let calendar: Calendar = text.parse().unwrap();
    let events = calendar.components.iter().filter_map(|component| component.as_event());
    let shown = |event: &icalendar::Event, name: &str| event.property_value(name).unwrap().to_owned();
    let events = events.map(|event| {
        assert!(event.get_start().is_some() && event.get_uid().is_some());
        (shown(event, "SUMMARY"), shown(event, "DTSTART"), shown(event, "DTEND"))
    });
    events.collect()
}

#[tokio::test]
async fn a_calendar_is_read_at_a_secret_address_until_that_is_revoked() {
    let world = World::new().await;
    people(&world).await;
    make(&world, "rotations", json!({ "name": "weekly", "members": ["john", "bob"], "handoff": "monday 08:00", "start": "2026-02-23" })).await;
    make(&world, "schedules", json!({ "name": "ops", "layers": [{ "rotation": "weekly" }] })).await;
    make(&world, "teams", json!({ "name": "plain", "members": ["bob"] })).await;
    let address =
        |answer: &Value| answer["url"].as_str().unwrap().strip_prefix(&world.url).unwrap().to_owned();
    let of_john = address(&make(&world, "people/john/calendar", json!({})).await);
    let of_ops = address(&make(&world, "schedules/ops/calendar", json!({})).await);
    let fetch = async |path: &str| {
        let sent = world.client.get(format!("{}{path}", world.url)).send().await.unwrap();
        (sent.status().as_u16(), sent.text().await.unwrap())
    };
    let (status, text) = fetch(&of_john).await;
    assert_eq!(status, 200);
    let events = read_calendar(&text);
    assert_eq!(
        events[0],
        ("On call: ops".to_owned(), "20260223T080000Z".to_owned(), "20260302T080000Z".to_owned())
    );
    assert_eq!(events[1].1, "20260309T080000Z");
    let events = read_calendar(&fetch(&of_ops).await.1);
    assert_eq!((events[0].0.as_str(), events[1].0.as_str()), ("John: ops", "Bob: ops"));
    // The same event is the same a day later.
    let uids = |text: &str| {
        text.lines().filter(|line| line.starts_with("UID")).map(str::to_owned).take(20).collect::<Vec<_>>()
    };
    world.clock.set("2026-03-03T03:00:00Z".parse().unwrap());
    assert_eq!(uids(&text), uids(&fetch(&of_john).await.1));

    let renewed = address(&make(&world, "people/john/calendar", json!({})).await);
    assert_eq!((fetch(&of_john).await.0, fetch(&renewed).await.0), (404, 200));
    assert_eq!(world.request("DELETE", "/api/v1/people/john/calendar", None).await.status, 204);
    assert_eq!(fetch(&renewed).await.0, 404);
    for path in [
        "/calendar/person.john.ics",
        "/calendar/person.john.x.ics",
        "/calendar/x",
        "/calendar/a.b.c.ics",
        "/calendar/schedule..ics",
    ] {
        assert_eq!(fetch(path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn a_calendar_of_another_program_is_a_layer() {
    let world = World::new().await;
    people(&world).await;
    make(&world, "people", json!({ "name": "dave", "contacts": ["email:dave@example.org"] })).await;
    let calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n\
        BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:On call: John\r\nDTSTART;TZID=Europe/Berlin:20260302T080000\r\n\
        DURATION:PT24H\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU\r\nEXDATE;TZID=Europe/Berlin:20260310T080000\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Duty\r\nATTENDEE:mailto:dave@example.org\r\nDTSTART;VALUE=DATE:20260304\r\n\
        END:VEVENT\r\nEND:VCALENDAR\r\n";
    let layers = json!([{ "people": ["bob"] }, { "calendar": calendar, "name": "from the office" }]);
    make(&world, "schedules", json!({ "name": "ops", "zone": "Europe/Berlin", "layers": layers })).await;
    make(&world, "teams", json!({ "name": "ops", "schedule": "ops" })).await;
    for (at, wanted) in [
        ("2026-03-02T07:59", "bob"),
        ("2026-03-02T08:00", "john"),
        ("2026-03-03T12:00", "john"),
        ("2026-03-04T08:00", "dave"),
        ("2026-03-05T00:00", "bob"),
        ("2026-03-10T09:00", "bob"),
        // In summer the clock on the wall still says 08:00.
        ("2026-03-30T07:59", "bob"),
        ("2026-03-30T08:00", "john"),
    ] {
        assert_eq!(who(&world, "ops", at).await, wanted, "{at}");
    }
    for (text, words) in [
        (
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Zoe\nDTSTART:20260304T000000Z\nDURATION:PT1H\nEND:VEVENT\nEND:VCALENDAR",
            "it is not known whose the event",
        ),
        ("hello", "line 1"),
    ] {
        let body = json!({ "name": "x", "layers": [{ "calendar": text }] });
        let refused = post(&world, "/api/v1/schedules", body).await;
        assert_eq!(
            (refused.status, refused.body["field"].as_str()),
            (422, Some("layers[0].calendar")),
            "{}",
            refused.text
        );
        assert!(refused.text.contains(words), "{}", refused.text);
    }
}

#[tokio::test]
async fn a_takeover_holds_until_the_next_handoff_and_can_be_handed_back() {
    let world = World::new().await;
    people(&world).await;
    make(&world, "rotations", json!({ "name": "weekly", "members": ["john", "bob"], "handoff": "monday 08:00", "start": "2026-02-23" })).await;
    make(&world, "schedules", json!({ "name": "ops", "layers": [{ "rotation": "weekly" }] })).await;
    make(&world, "teams", json!({ "name": "ops", "members": ["john", "bob"], "schedule": "ops" })).await;
    // Monday, 03:00: John has it until 08:00, then Bob.
    let taken = make(&world, "schedules/ops/takeover", json!({ "person": "carol" })).await;
    assert_eq!(
        (&taken["from"], &taken["until"]),
        (&json!("2026-03-02T03:00:00Z"), &json!("2026-03-02T08:00:00Z"))
    );
    for (at, wanted) in
        [("2026-03-02T02:59:59Z", "john"), ("2026-03-02T03:00:00Z", "carol"), ("2026-03-02T08:00:00Z", "bob")]
    {
        assert_eq!(who(&world, "ops", at).await, wanted, "{at}");
    }
    world.clock.set("2026-03-02T04:00:00Z".parse().unwrap());
    let back = post(&world, "/api/v1/teams/ops/hand-back", json!({ "person": "carol" })).await;
    assert_eq!(
        (back.status, &back.body["items"][0]["until"]),
        (200, &json!("2026-03-02T04:00:00Z")),
        "{}",
        back.text
    );
    for (at, wanted) in [("2026-03-02T03:30:00Z", "carol"), ("2026-03-02T04:00:00Z", "john")] {
        assert_eq!(who(&world, "ops", at).await, wanted, "{at}");
    }
    let listed = async |query: &str| {
        let listed = get(&world, &format!("/api/v1/schedules/ops/overrides{query}")).await;
        listed.body["items"].as_array().map_or(0, Vec::len)
    };
    assert_eq!((listed("").await, listed("?past=true").await), (0, 1));
    assert_eq!(get(&world, "/api/v1/schedules/ops/overrides?past=maybe").await.status, 422);
    // Until somebody else takes it: beyond handoffs, and Bob ends it.
    make(&world, "teams/ops/takeover", json!({ "person": "carol", "until": "released" })).await;
    assert_eq!(who(&world, "ops", "2026-04-01T00:00:00Z").await, "carol");
    world.clock.set("2026-03-05T00:00:00Z".parse().unwrap());
    make(&world, "teams/ops/takeover", json!({ "person": "bob", "until": "2026-03-06 00:00" })).await;
    for (at, wanted) in
        [("2026-03-04T23:59:59Z", "carol"), ("2026-03-05T00:00:00Z", "bob"), ("2026-03-10T00:00:00Z", "john")]
    {
        assert_eq!(who(&world, "ops", at).await, wanted, "{at}");
    }
    // Who is away can't take it.
    make(&world, "people/carol/leave", json!({ "from": "2026-03-05", "until": "2026-03-05" })).await;
    let away = post(&world, "/api/v1/teams/ops/takeover", json!({ "person": "carol" })).await;
    assert_eq!((away.status, away.body["field"].as_str()), (422, Some("person")), "{}", away.text);
}

#[tokio::test]
async fn a_team_without_a_schedule_is_taken_over_too() {
    let mut world = World::new().await;
    people(&world).await;
    make(&world, "teams", json!({ "name": "plain", "members": ["john", "bob"] })).await;
    assert_eq!(who(&world, "plain", "2026-03-02T03:00:00Z").await, "john");
    make(&world, "teams/plain/takeover", json!({ "person": "bob" })).await;
    assert_eq!(who(&world, "plain", "2026-03-02T03:00:00Z").await, "bob");
    let alert = make(&world, "teams/plain/notify", json!({ "summary": "disk full" })).await;
    world.settle().await;
    let shown = get(&world, &format!("/api/v1/alerts/{}", alert["id"].as_str().unwrap())).await;
    assert!(shown.text.contains("\"bob\"") && !shown.text.contains("handset:john"), "{}", shown.text);
    post(&world, "/api/v1/teams/plain/hand-back", json!({ "person": "bob" })).await;
    world.clock.set("2026-03-02T03:00:01Z".parse().unwrap());
    assert_eq!(who(&world, "plain", "2026-03-02T03:00:01Z").await, "john");
}

#[tokio::test]
async fn covers_and_swaps_follow_the_stated_rules() {
    let world = World::new().await;
    people(&world).await;
    make(
        &world,
        "rotations",
        json!({ "name": "daily", "members": ["john", "bob"], "every": "1 day", "start": "2026-03-02" }),
    )
    .await;
    make(&world, "schedules", json!({ "name": "ops", "layers": [{ "rotation": "daily" }] })).await;
    make(&world, "teams", json!({ "name": "ops", "schedule": "ops" })).await;
    // John has even days. Carol covers two days, but only John's part of them.
    let cover =
        json!({ "person": "carol", "from": "2026-03-04", "until": "2026-03-06", "instead_of": "john" });
    let made = make(&world, "schedules/ops/overrides", cover).await;
    // Bob takes an hour of it: made later, it wins.
    make(
        &world,
        "schedules/ops/overrides",
        json!({ "person": "bob", "from": "2026-03-04 12:00", "until": "2026-03-04 13:00" }),
    )
    .await;
    for (at, wanted) in [
        ("2026-03-04T11:59", "carol"),
        ("2026-03-04T12:00", "bob"),
        ("2026-03-04T13:00", "carol"),
        ("2026-03-05T12:00", "bob"),
    ] {
        assert_eq!(who(&world, "ops", at).await, wanted, "{at}");
    }
    let swap = json!({ "one": { "person": "john", "at": "2026-03-10 12:00" }, "other": { "person": "bob", "at": "2026-03-13 12:00" } });
    let swapped = make(&world, "schedules/ops/swaps", swap).await;
    assert_eq!(swapped["items"].as_array().unwrap().len(), 2);
    for (at, wanted) in [
        ("2026-03-10T12:00", "bob"),
        ("2026-03-11T12:00", "bob"),
        ("2026-03-12T12:00", "john"),
        ("2026-03-13T12:00", "john"),
        ("2026-03-14T00:00", "john"),
        ("2026-03-15T00:00", "bob"),
    ] {
        assert_eq!(who(&world, "ops", at).await, wanted, "{at}");
    }
    // What has not begun goes altogether.
    let path = format!("/api/v1/schedules/ops/overrides/{}", made["name"].as_str().unwrap());
    assert_eq!(world.request("DELETE", &path, None).await.status, 204);
    assert_eq!(who(&world, "ops", "2026-03-04T11:59").await, "john");
    assert_eq!(world.request("DELETE", &path, None).await.status, 404);
    for (body, field) in [
        (json!({ "person": "carol", "from": "2026-02-01", "until": "2026-02-02" }), "from"),
        (json!({ "person": "carol", "from": "2026-03-05", "until": "2026-03-04" }), "until"),
        (json!({ "person": "karol", "until": "2026-03-04" }), "person"),
        (json!({ "person": "carol", "until": "2026-03-04", "role": "secondary" }), "role"),
        (json!({ "person": "carol", "until": "soon" }), "until"),
    ] {
        let refused = post(&world, "/api/v1/schedules/ops/overrides", body).await;
        assert_eq!((refused.status, refused.body["field"].as_str()), (422, Some(field)), "{}", refused.text);
    }
}

#[tokio::test]
async fn leave_follows_the_calendar_that_a_person_names() {
    use std::sync::{Arc, Mutex};

    use dogwatch::leave_calendar::LeaveCalendars;

    let world = World::new().await;
    people(&world).await;
    make(&world, "teams", json!({ "name": "ops", "members": ["john", "bob"] })).await;
    let served = Arc::new(Mutex::new(String::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/john.ics", listener.local_addr().unwrap());
    let text = served.clone();
    let answer = move || std::future::ready(text.lock().unwrap().clone());
    let server = axum::Router::new().route("/john.ics", axum::routing::get(answer));
    let server = tokio::spawn(async move { axum::serve(listener, server).await.unwrap() });
    let event = |days: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Away\r\n{days}END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    };
    world.request("PATCH", "/api/v1/people/john", Some(json!({ "leave_calendar": address }))).await;
    let read = async |allowed: &str| {
        let calendars =
            LeaveCalendars::new(world.store.clone(), world.clock.clone(), vec![allowed.parse().unwrap()]);
        calendars.turn().await;
    };
    *served.lock().unwrap() = event("DTSTART;VALUE=DATE:20260304\r\nDTEND;VALUE=DATE:20260306\r\n");
    // An address inside the house is not read.
    read("10.0.0.0/8").await;
    assert_eq!(who(&world, "ops", "2026-03-04T12:00:00Z").await, "john");
    read("127.0.0.1/32").await;
    for (at, wanted) in
        [("2026-03-03T23:59:59Z", "john"), ("2026-03-04T00:00:00Z", "bob"), ("2026-03-06T00:00:00Z", "john")]
    {
        assert_eq!(who(&world, "ops", at).await, wanted, "{at}");
    }
    let version = world.store.definitions().version;
    read("127.0.0.1/32").await;
    assert_eq!(world.store.definitions().version, version, "nothing new, nothing stored");
    // What can't be read changes nothing; what is moved moves.
    *served.lock().unwrap() = "<html>".to_owned();
    read("127.0.0.1/32").await;
    assert_eq!(who(&world, "ops", "2026-03-04T12:00:00Z").await, "bob");
    *served.lock().unwrap() = event("DTSTART;VALUE=DATE:20260310\r\nDTEND;VALUE=DATE:20260311\r\n");
    read("127.0.0.1/32").await;
    assert_eq!(who(&world, "ops", "2026-03-04T12:00:00Z").await, "john");
    assert_eq!(who(&world, "ops", "2026-03-10T12:00:00Z").await, "bob");
    // Who names no calendar any more is back.
    world.request("PATCH", "/api/v1/people/john", Some(json!({ "leave_calendar": null }))).await;
    read("127.0.0.1/32").await;
    assert_eq!(who(&world, "ops", "2026-03-10T12:00:00Z").await, "john");
    server.abort();
}
