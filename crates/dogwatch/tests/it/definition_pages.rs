//! The pages of definitions: each one read, changed with the difference shown first, removed; all of them as a file.

use serde_json::json;

use crate::support::World;

async fn world() -> World {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    text.split(begin).nth(1).unwrap_or_default().split(end).next().unwrap_or_default()
}

fn plain(html: &str) -> String {
    html.replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}

/// What stands in the text of a page, and the version that it was read at.
fn shown(page: &str) -> (String, String) {
    let text = plain(between(
        page,
        "spellcheck=\"false\" autocapitalize=\"none\" autocomplete=\"off\" required>\n",
        "</textarea>",
    ));
    (text, between(page, "name=\"version\" value=\"", "\"").to_owned())
}

fn problems(page: &str) -> String {
    plain(between(page, "role=\"alert\">", "</div>"))
}

#[tokio::test]
async fn a_definition_is_changed_by_its_text_and_the_difference_is_shown_before() {
    let world = world().await;
    let admin = world.cookie(None).await;
    assert!(world.page(&admin, "/").await.text.contains("href=\"/definitions\""));
    let all = world.page(&admin, "/definitions").await.text;
    assert!(
        all.contains("href=\"/definitions/person/john\"") && all.contains("href=\"/definitions/period\"")
    );
    let page = world.page(&admin, "/definitions/team/ops").await.text;
    let (text, version) = shown(&page);
    assert!(text.starts_with("[[team]]\nname = \"ops\"\n"), "{text}");
    let changed = format!("{text}description = \"who <keep> it running\"\r\n");
    let fields = [("kind", "team"), ("name", "ops"), ("version", &*version), ("text", &*changed)];
    let looked = world.submit(&admin, "/definition/look", &fields).await;
    assert_eq!(looked.status, 200, "{}", looked.text);
    assert!(looked.text.contains("<code>description</code>"), "{}", looked.text);
    assert!(looked.text.contains("<ins><bdi>who &#60;keep&#62; it running</bdi></ins>"), "{}", looked.text);
    assert_eq!(world.get("/api/v1/teams/ops").await["description"], "", "nothing is stored yet");
    let saved = world.submit(&admin, "/definition/save", &fields).await;
    assert_eq!(
        (saved.status, saved.headers["location"].to_str().unwrap()),
        (303, "/definitions/team/ops?did=saved")
    );
    assert_eq!(world.get("/api/v1/teams/ops").await["description"], "who <keep> it running");
    let again =
        world.submit(&admin, "/definition/save", &[fields[0], fields[1], fields[2], ("text", &text)]).await;
    assert_eq!(again.status, 422);
    assert!(again.text.contains("changed it since you opened it"), "{}", again.text);
    assert_eq!(world.get("/api/v1/teams/ops").await["description"], "who <keep> it running");
}

#[tokio::test]
async fn whom_a_change_lets_be_on_call_is_told_and_when_a_period_is() {
    let world = world().await;
    let admin = world.cookie(None).await;
    let steps = [
        (
            "rotation",
            "[[rotation]]\nname = \"ops\"\nmembers = [\"john\", \"bob\"]\nevery = \"1 week\"\nstart = \"2026-01-05\"\n\
             handoff = \"monday 09:00\"\nzone = \"Europe/Berlin\"\n",
        ),
        (
            "schedule",
            "[[schedule]]\nname = \"ops\"\nzone = \"Europe/Berlin\"\nlayers = [{ rotation = \"ops\" }]\n",
        ),
    ];
    for (kind, text) in steps {
        let fields = [("kind", kind), ("name", ""), ("version", ""), ("text", text)];
        let saved = world.submit(&admin, "/definition/save", &fields).await;
        assert_eq!(saved.status, 303, "{}", saved.text);
    }
    let (text, version) = shown(&world.page(&admin, "/definitions/rotation/ops").await.text);
    let alone = text.replace("    \"bob\",\n", "").replace("\"john\", \"bob\"", "\"john\"");
    assert_ne!(alone, text);
    let fields = [("kind", "rotation"), ("name", "ops"), ("version", &*version), ("text", &*alone)];
    let looked = world.submit(&admin, "/definition/look", &fields).await.text;
    assert!(looked.contains("On call differently in the next 30 days"), "{looked}");
    assert!(looked.contains("<del>bob</del></td><td><ins>john</ins>"), "{looked}");
    let period = "[[period]]\nname = \"office\"\nrules = [{ days = \"monday\", hours = \"09:00-17:00\" }]\n";
    let fields = [("kind", "period"), ("name", ""), ("version", ""), ("text", period)];
    let looked = world.submit(&admin, "/definition/look", &fields).await.text;
    let times = between(&looked, "<ul class=\"times\">", "</ul>");
    assert!((4..=5).contains(&times.matches(" 09:00 to 17:00</li>").count()), "{looked}");
    assert!(times.contains("<li>Mon "), "{times}");
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_place_and_what_was_written_stays() {
    let world = world().await;
    let admin = world.cookie(None).await;
    let (text, version) = shown(&world.page(&admin, "/definitions/team/ops").await.text);
    for (wrong, place, words) in [
        (text.replace("\"ops\"", "\"ops"), "team ops:2:", "string"),
        (format!("{text}nonsense = 1\n"), "team ops:", "nonsense"),
        (text.replace("\"john\"", "\"jon\""), "team ops:", "did you mean \"john\""),
        (text.replace("name = \"ops\"", "name = \"other\""), "team ops:2:", "a name is never changed"),
        (text.replace("[[team]]", "[[person]]"), "", "headed [[team]]"),
        (format!("{text}\n[[person]]\nname = \"eve\"\n"), "", "there are 2"),
        (String::new(), "", "there are 0"),
    ] {
        for path in ["/definition/look", "/definition/save"] {
            let fields = [("kind", "team"), ("name", "ops"), ("version", &*version), ("text", &*wrong)];
            let sent = world.submit(&admin, path, &fields).await;
            assert_eq!(sent.status, 422, "{wrong}: {}", sent.text);
            let said = problems(&sent.text);
            assert!(said.contains(place) && said.contains(words), "{wrong}\n{said}");
            assert_eq!(shown(&sent.text).0, wrong, "what was written stays");
        }
    }
    assert_eq!(
        shown(&world.page(&admin, "/definitions/team/ops").await.text),
        (text, version),
        "nothing was stored"
    );
}

#[tokio::test]
async fn the_example_of_each_kind_can_be_saved_as_it_stands_and_what_is_used_not_removed() {
    let world = World::new().await;
    let admin = world.cookie(None).await;
    let kinds = [
        "person",
        "period",
        "rotation",
        "schedule",
        "escalation-plan",
        "team",
        "integration",
        "heartbeat",
        "override",
        "leave",
        "silence",
        "maintenance-window",
    ];
    for kind in kinds {
        let (text, _) = shown(&world.page(&admin, &format!("/definitions/{kind}")).await.text);
        let mut texts = vec![text.clone()];
        if kind == "person" {
            texts.push(text.replace("alice", "bob").replace("4567", "4568"));
        }
        for text in texts {
            let fields = [("kind", kind), ("name", ""), ("version", ""), ("text", &*text)];
            let saved = world.submit(&admin, "/definition/save", &fields).await;
            assert_eq!(saved.status, 303, "{text}\n{}", saved.text);
            let twice = world.submit(&admin, "/definition/save", &fields).await;
            assert!(twice.text.contains("There is one of that name already"), "{}", twice.text);
        }
    }
    let page = world.page(&admin, "/definitions/rotation/ops").await.text;
    assert!(page.contains("Used by") && !page.contains("Remove it"), "{page}");
    let (_, version) = shown(&page);
    let fields = [("kind", "rotation"), ("name", "ops"), ("version", &*version)];
    let refused = world.submit(&admin, "/definition/remove", &fields).await;
    assert!(refused.status == 422 && refused.text.contains("take it out there first"), "{}", refused.text);
    let page = world.page(&admin, "/definitions/heartbeat/backup").await.text;
    let fields = [("kind", "heartbeat"), ("name", "backup"), ("version", &*shown(&page).1)];
    assert_eq!(world.submit(&admin, "/definition/remove", &fields).await.status, 303);
    assert_eq!(world.page(&admin, "/definitions/heartbeat/backup").await.status, 404);
}

#[tokio::test]
async fn all_of_it_is_a_file_that_can_be_put_in_force_with_the_difference_shown_before() {
    let world = world().await;
    let admin = world.cookie(None).await;
    let file = world.page(&admin, "/definitions.toml").await;
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"dogwatch.toml\"");
    let changed = file.text.replace("full_name = \"John", "full_name = \"Johnny");
    assert_ne!(changed, file.text);
    let fields = [("owner", "house"), ("text", &*changed)];
    let looked = world.submit(&admin, "/definitions-file/look", &fields).await.text;
    assert!(
        looked.contains("person <bdi>john</bdi>: changed") && looked.contains("<ins><bdi>Johnny"),
        "{looked}"
    );
    assert!(looked.contains("team <bdi>ops</bdi>: adopted"), "{looked}");
    let planned = between(&looked, "name=\"planned\" value=\"", "\"").to_owned();
    let fields = [fields[0], fields[1], ("planned", &*planned)];
    let applied = world.submit(&admin, "/definitions-file/apply", &fields).await;
    assert_eq!((applied.status, applied.headers["location"].to_str().unwrap()), (303, "/definitions"));
    assert!(world.get("/api/v1/people/john").await["full_name"].as_str().unwrap().starts_with("Johnny"));
    // Files keep it now: it is changed there.
    let page = world.page(&admin, "/definitions/person/john").await.text;
    assert!(
        page.contains("the files &#34;house&#34; keep it") && !page.contains("<button class=\"big\">Show"),
        "{page}"
    );
    let looked = world.submit(&admin, "/definitions-file/look", &fields[..2]).await.text;
    assert!(looked.contains("Nothing: all of it is in force."), "{looked}");
    // Somebody edits meanwhile.
    world.post("/api/v1/people", json!({ "name": "eve" })).await;
    let late = world.submit(&admin, "/definitions-file/apply", &fields).await;
    assert!(late.status == 422 && late.text.contains("Look again"), "{}", late.text);
    for (text, words) in [
        ("", "There is nothing in it"),
        ("[[team]]\nname = \"x\"\nmembers = [\"nobody\"]\n", "what you sent:3:"),
    ] {
        let sent =
            world.submit(&admin, "/definitions-file/look", &[("owner", "house"), ("text", text)]).await;
        assert_eq!(sent.status, 422);
        assert!(problems(&sent.text).contains(words), "{}", sent.text);
    }
}

#[tokio::test]
async fn only_an_administrator_sees_and_changes_them() {
    let world = world().await;
    let john = world.cookie(Some("john")).await;
    assert!(!world.page(&john, "/").await.text.contains("href=\"/definitions\""));
    for path in ["/definitions", "/definitions.toml", "/definitions/team/ops", "/definitions/team"] {
        assert_eq!(world.page(&john, path).await.status, 403, "{path}");
    }
    let fields =
        [("kind", "team"), ("name", "ops"), ("version", "1"), ("text", "[[team]]\nname = \"ops\"\n")];
    for path in [
        "/definition/look",
        "/definition/save",
        "/definition/remove",
        "/definitions-file/look",
        "/definitions-file/apply",
    ] {
        assert_eq!(world.submit(&john, path, &fields).await.status, 403, "{path}");
    }
}
