//! No text makes a mark in a page: read by Python's own parser, each page has the same elements with the same attributes
//! whatever is written into what it shows.
//!
//! All that a page may show is filled in at once: names, descriptions, reasons, alerts, notes, what an integration was
//! sent. The same house with plain words says how each page has to look.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::chat::injection::{corpus, many_lines, one_line};
use crate::support::checker::python;
use crate::support::{Answer, World, answer};

/// How many texts are in a house.
const AT_ONCE: usize = 39;

/// A page as it was loaded.
struct Page {
    path: String,
    document: String,
    /// What has to stand in it as text.
    shows: Vec<String>,
}

impl Page {
    fn new(path: impl Into<String>, document: String, shows: &[&str]) -> Self {
        Self { path: path.into(), document, shows: shows.iter().map(ToString::to_string).collect() }
    }
}

/// What a parser finds in each page: how often each mark with which attributes, and what may be in none.
fn read(pages: &[Page]) -> Vec<(String, Vec<String>)> {
    let program = r#"
import collections, html.parser, json, sys
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.marks, self.text, self.wrong = collections.Counter(), [], []
    def handle_starttag(self, tag, attributes):
        self.marks[" ".join([tag, *sorted(name for name, _ in attributes)])] += 1
        for name, value in attributes:
            # A browser passes over spaces and control characters in an address.
            plain = "".join(letter for letter in value or "" if letter > " ").lower()
            is_address = name in ("href", "src", "action", "formaction", "xlink:href", "data")
            if name.startswith("on") or is_address and plain.startswith(("javascript:", "vbscript:", "data:")):
                self.wrong.append(f"{tag} {name}={value}")
    def handle_endtag(self, tag): self.marks["/" + tag] += 1
    def handle_data(self, data): self.text.append(data)
    def handle_comment(self, data): self.marks["<!--"] += 1
    def handle_decl(self, declaration): self.marks["<!" + declaration] += 1
    def unknown_decl(self, data): self.marks["<!["] += 1
    def handle_pi(self, data): self.marks["<?"] += 1
def look(document, shows):
    page = Page()
    page.feed(document)
    page.close()
    text = "".join(page.text)
    missing = [f"not there: {words}" for words in shows if words not in text]
    return json.dumps(sorted(page.marks.items())), page.wrong + missing
print(json.dumps([look(*page) for page in json.load(sys.stdin)]))
"#;
    let given: Vec<Value> = pages.iter().map(|page| json!([page.document, page.shows])).collect();
    serde_json::from_str(&python(program, &Value::Array(given).to_string())).unwrap()
}

/// The first `count` pages hold plain words. Each that follows has the marks of the one of its kind, and nothing that runs.
fn judge(pages: &[Page], count: usize) {
    let found = read(pages);
    assert_eq!(found.len(), pages.len());
    for (place, (page, (marks, wrong))) in pages.iter().zip(&found).enumerate() {
        let (number, path) = (place / count, &page.path);
        assert!(wrong.is_empty(), "{number}: {path}: {wrong:?}");
        assert_eq!(*marks, found[place % count].0, "{number}: {path}");
    }
}

#[test]
fn a_text_that_breaks_out_is_found() {
    let page = |words: &str| {
        Page::new("/", format!("<p title=\"{words}\"><bdi>{words}</bdi><a href=\"{words}\">x</a></p>"), &[])
    };
    let found = read(&[
        page("plain"),
        page("<img src=x onerror=alert(1)>"),
        page("\" onfocus=\"alert(1)"),
        page("java\tscript:alert(1)"),
        page("<b>x</b>"),
        page("<!-- x -->"),
        Page::new("/", "<p title=\"\"><bdi></bdi><a href=\"\">x</a></p>".to_owned(), &["lost"]),
    ]);
    let plain = &found[0].0;
    assert_eq!(found[0].1, Vec::<String>::new());
    for (place, changes, is_wrong) in [
        (1, true, true),
        (2, true, true),
        (3, false, true),
        (4, true, false),
        (5, true, false),
        (6, false, true),
    ] {
        let (marks, wrong) = &found[place];
        assert_eq!((marks != plain, !wrong.is_empty()), (changes, is_wrong), "{place}: {marks} {wrong:?}");
    }
}

/// A house in which everything that may be named is one of these texts: its definitions.
fn definitions(texts: &[String], begin: jiff::Timestamp) -> Value {
    let one: Vec<String> = texts.iter().map(|words| one_line(words)).collect();
    let (many, names) = (together(texts), full_names(texts));
    let person = |place: usize| format!("p{:02}", place % names.len());
    let mut documents = Vec::new();
    let mut define = |kind: &str, body: Value| documents.push(json!({ "kind": kind, "body": body }));
    for (place, full_name) in names.iter().enumerate() {
        let name = person(place);
        let query: String = one[place].chars().filter(|letter| !letter.is_whitespace()).collect();
        let contacts = [
            format!("email:{name}@example.org"),
            format!("handset:{name}"),
            format!("webhook:https://hooks.example.org/?q={query}"),
        ];
        // The first gets mail, the second has a handset, and all others get webhooks.
        let steps = json!([{ "contact": contacts[place.min(2)], "every": "5m" }]);
        let plans = json!({ "high": { "steps": steps } });
        let body = json!({ "name": name, "full_name": full_name, "contacts": contacts, "notification_plans": plans });
        define("person", body);
    }
    let mut layers = Vec::new();
    for (place, words) in one.iter().enumerate() {
        let name: String = words.chars().take(64).collect();
        layers.push(json!({ "name": name, "people": [person(place)] }));
    }
    define("schedule", json!({ "name": "ops", "description": many, "layers": layers }));
    let steps = json!([
        { "notify": ["person:p00", "person:p01"], "after": "10m" }, { "notify": ["person:p02"], "after": "10m" },
    ]);
    define("escalation-plan", json!({ "name": "ops", "description": many, "steps": steps }));
    let mut team = json!({ "name": "ops", "description": many, "schedule": "ops", "escalation_plan": "ops" });
    team["members"] = (0..names.len()).map(person).collect();
    define("team", team);
    define("integration", json!({ "name": "mon", "team": "ops", "description": many }));
    for (place, words) in (0_u8..).zip(&one) {
        let at = |hours: u8| (begin + SignedDuration::from_hours(hours.into())).to_string();
        let mut body =
            json!({ "name": format!("o{place:02}"), "schedule": "ops", "person": person(place.into()) });
        for (field, text) in [("from", at(place + 1)), ("until", at(place + 2)), ("made_at", at(0))] {
            body[field] = json!(text);
        }
        body["reason"] = json!(words);
        body["made_by"] = json!(words);
        define("override", body);
    }
    json!({ "documents": documents })
}

/// Three texts make a name.
fn full_names(texts: &[String]) -> Vec<String> {
    let one: Vec<String> = texts.iter().map(|words| one_line(words)).collect();
    one.chunks(3).map(|three| three.join(" ").chars().take(200).collect()).collect()
}

/// As many of the texts as a description takes.
fn together(texts: &[String]) -> String {
    let one: Vec<String> = texts.iter().map(|words| one_line(words)).collect();
    one.join(" ").chars().take(1_000).collect()
}

/// Lets happen in a house what may happen: alerts with links and notes, a silence, events of an integration, messages.
/// The number of the first alert that pages somebody; the others follow.
async fn live(world: &mut World, texts: &[String]) -> u64 {
    let many = together(texts);
    let reason: String = many.chars().take(200).collect();
    let silence = json!({ "match": { "dedup_key": "quiet" }, "for": "1h", "reason": reason });
    world.post("/api/v1/silences", silence).await;
    let quiet = json!({ "summary": "quiet", "dedup_key": "quiet" });
    let quiet = world.post("/api/v1/teams/ops/notify", quiet).await;
    for (place, words) in texts.iter().enumerate() {
        let (one, many) = (one_line(words), many_lines(words));
        let href = format!("https://grafana.example.org/?q={words}");
        let alert = json!({
            "summary": one, "details": many, "dedup_key": format!("{place} {one}"),
            "links": [{ "href": href, "text": one }],
        });
        let alert = world.post("/api/v1/teams/ops/notify", alert).await;
        let notes = format!("/api/v1/alerts/{}/notes", alert["number"]);
        world.post(&notes, json!({ "text": many })).await;
        if place == 0 {
            // Its mail goes out alone; the others are collected.
            world.settle().await;
        }
    }
    let key = world.post("/api/v1/integrations/mon/keys", json!({})).await;
    let url = format!("{}/integrations/v1/generic/{}/", world.url, key["secret"].as_str().unwrap());
    let event = json!({ "summary": many, "details": many, "more": texts });
    for (body, status) in [(event.to_string(), 200), (many, 400)] {
        let sent = answer(world.client.post(&url).body(body)).await;
        assert_eq!(sent.status, status, "{}", sent.text);
    }
    world.pass_seconds(61).await;
    quiet["number"].as_u64().unwrap() + 1
}

async fn load(world: &World, cookie: &str, path: &str, shows: &[&str]) -> Page {
    let loaded = world.page(cookie, path).await;
    assert_eq!(loaded.status, 200, "{path}: {}", loaded.text);
    Page::new(path, loaded.text, shows)
}

/// Every page of such a house on which something of it is shown.
async fn house(texts: &[String]) -> Vec<Page> {
    let mut world = World::new().await;
    let definitions = definitions(texts, world.start());
    let applied = world.request("POST", "/api/v1/definitions/apply", Some(definitions)).await;
    assert_eq!(applied.status, 200, "{}", applied.text);
    let first = live(&mut world, texts).await;
    let (world, own, admin) = (&world, world.cookie(Some("p00")).await, world.cookie(None).await);
    let one: Vec<String> = texts.iter().map(|words| one_line(words)).collect();
    let one: Vec<&str> = one.iter().map(String::as_str).collect();
    let (names, many) = (full_names(texts), together(texts));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let many = [many.as_str()];

    let mut pages = Vec::new();
    for ((number, words), one) in (first..).zip(texts).zip(one.iter().copied()) {
        let details = many_lines(words);
        pages.push(load(world, &own, &format!("/alerts/{number}"), &[one, &details]).await);
    }
    let seen = world.carrier.seen();
    let links = seen.iter().filter_map(|sent| sent.answer_url.as_deref()?.strip_prefix(&world.url));
    let (of_all, of_one): (Vec<&str>, Vec<&str>) = links.partition(|link| link.starts_with("/answer/all/"));
    pages.push(load(world, "", of_one[0], &one[..1]).await);
    pages.push(load(world, "", of_all[0], &one[1..]).await);
    pages.push(load(world, &own, &format!("/alerts/{first}/why?person=p02"), &one[..1]).await);
    pages.push(load(world, &own, "/", &[]).await);
    pages.push(load(world, &own, "/?team=ops", &one).await);
    pages.push(load(world, &own, "/teams/ops", &names).await);
    pages.push(load(world, &own, "/tonight", &names[..2]).await);
    pages.push(load(world, &own, "/schedules", &[]).await);
    pages.push(load(world, &own, "/schedules/ops", &one).await);
    pages.push(load(world, &own, "/schedules/ops?view=month", &many).await);
    pages.push(load(world, &own, "/rehearse?team=ops&person=p01&after=1m", &names[..2]).await);
    pages.push(load(world, &own, "/page?team=ops", &many).await);
    pages.push(load(world, &own, "/contacts", &[]).await);
    pages.push(load(world, &admin, "/", &[]).await);
    pages.push(load(world, &admin, "/handset/p01", &one).await);
    pages.push(load(world, &admin, "/integrations", &many).await);
    pages.push(load(world, &admin, "/integrations/mon?all=1", &many).await);
    pages.push(load(world, &admin, "/definitions", &[]).await);
    pages.push(load(world, &admin, "/definitions/team/ops", &[]).await);
    // What somebody writes there: a change that is right, and a file that is wrong.
    let person = format!("[[person]]\nname = \"new\"\nfull_name = {}\n", quoted(names[0]));
    let fields = [("kind", "person"), ("name", ""), ("version", ""), ("text", &*person)];
    let looked = world.submit(&admin, "/definition/look", &fields).await;
    assert_eq!(looked.status, 200, "{}", looked.text);
    pages.push(Page::new("/definition/look", looked.text, &names[..1]));
    let team = format!("[[team]]\nname = \"x\"\nmembers = [{}]\n", quoted(many[0]));
    let fields = [("owner", one[0]), ("text", &*team)];
    let looked = world.submit(&admin, "/definitions-file/look", &fields).await;
    assert_eq!(looked.status, 422, "{}", looked.text);
    pages.push(Page::new("/definitions-file/look", looked.text, &[]));
    pages
}

/// A text as a file quotes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[tokio::test]
async fn every_page_shows_every_text_as_text() {
    let plain: Vec<String> = (0..AT_ONCE).map(|place| format!("plain words {place}")).collect();
    let mut pages = house(&plain).await;
    let count = pages.len();
    let all = corpus();
    assert!(all.len() >= 500);
    for texts in all.chunks(AT_ONCE) {
        let texts = [texts, &plain[texts.len()..]].concat();
        pages.extend(house(&texts).await);
    }
    judge(&pages, count);
}

async fn fill_in(world: &World, cookie: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    let request = world.client.post(format!("{}{path}", world.url)).header("cookie", cookie);
    let request = request.header("sec-fetch-site", "same-origin");
    answer(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
}

/// What somebody is lured to send comes back in the page that says what is wrong with it.
#[tokio::test]
async fn what_is_written_into_a_form_or_an_address_comes_back_as_text() {
    let world = World::new().await;
    world.john_and_bob("handset:john", "handset:bob").await;
    world.post("/api/v1/schedules", json!({ "name": "ops", "layers": [{ "people": ["john"] }] })).await;
    let (john, admin) = (world.cookie(Some("john")).await, world.cookie(None).await);
    let mut pages = Vec::new();
    let all = corpus();
    assert!(all.len() >= 500);
    for words in std::iter::once("plain words".to_owned()).chain(all) {
        let (summary, details) = (one_line(&words), many_lines(&words));
        let (one, many) = (summary.as_str(), details.as_str());
        let filled = [("team", "ops"), ("summary", one), ("details", many), ("severity", "critical")];
        let look = fill_in(&world, &john, "/page/look", &filled).await;
        let filled = [("name", one), ("team", one), ("description", one)];
        let make = fill_in(&world, &admin, "/integrations", &filled).await;
        let query = |pairs: &[(&str, &str)]| {
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        };
        // One word, so that it is refused once.
        let word: String = one.chars().filter(|letter| !letter.is_whitespace() && *letter != ',').collect();
        let asked = query(&[
            ("team", "ops"),
            ("at", one),
            ("severity", one),
            ("person", one),
            ("after", one),
            ("down", word.as_str()),
        ]);
        let rehearse = world.page(&john, &format!("/rehearse?{asked}")).await;
        let asked = query(&[("zone", one), ("did", one)]);
        let schedule = world.page(&john, &format!("/schedules/ops?{asked}")).await;
        let status = [&look, &make, &rehearse, &schedule].map(|page| page.status);
        assert_eq!(status, [200, 422, 200, 200], "{words:?}");
        pages.push(Page::new(format!("/page/look {words:?}"), look.text, &[one, many]));
        pages.push(Page::new(format!("/integrations {words:?}"), make.text, &[]));
        pages.push(Page::new(format!("/rehearse {words:?}"), rehearse.text, &[]));
        pages.push(Page::new(format!("/schedules/ops {words:?}"), schedule.text, &[]));
    }
    judge(&pages, 4);
}
