//! One definition: what it says, as a file would; changed by what is written there, with the difference shown first.
//! For administrators.
//!
//! What is wrong is shown at its place in the text. What files keep is changed in the files.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rota::period::Period;
use rota::syntax::Document;
use serde_json::{Map, Value};

use super::integrations_page::with_status;
use super::layout::Frame;
use super::{AdminViewer, Place, error_page, see, show, unavailable, url};
use crate::definition::file::{Loaded, key};
use crate::definition::time::show_stretch;
use crate::definition::{Defined, Definitions, FieldError, Kind, Owner, Write, field_changes, to_toml};
use crate::duty::difference::{AHEAD, DutyChange, differences};
use crate::http::App;
use crate::store::{Defining, Expect};

/// The most stretches that are told.
pub(super) const MOST_STRETCHES: usize = 40;
/// The longest text that is taken, in bytes.
const MOST_TEXT: usize = 256 * 1024;

/// One field that differs.
pub(super) struct Difference {
    pub(super) field: String,
    /// What it said; empty: it was not there.
    pub(super) before: String,
    /// What it says; empty: it is not there any more.
    pub(super) after: String,
}

/// A stretch in which others are on call.
pub(super) struct Duty {
    pub(super) what: String,
    pub(super) when: String,
    pub(super) before: String,
    pub(super) after: String,
}

/// What would change.
struct Review {
    fields: Vec<Difference>,
    duty: Vec<Duty>,
    /// There is more of that than is told.
    has_more: bool,
    /// When the period is, in the days to come; none: it is no period.
    times: Option<Vec<String>>,
}

#[derive(Template)]
#[template(path = "definition.html")]
struct DefinitionPage {
    frame: Frame,
    all: &'static str,
    kind: &'static str,
    /// Empty: a new one.
    name: String,
    version: String,
    text: String,
    /// Who keeps it, if files do.
    kept_by: Option<String>,
    used_by: Vec<String>,
    /// What just happened.
    said: &'static str,
    /// What is wrong, each at its place.
    problems: String,
    refused: String,
    review: Option<Review>,
    look: &'static str,
    save: &'static str,
    remove: &'static str,
    rows: usize,
}

/// What was filled in, or is there.
struct Filled {
    kind: Kind,
    /// Empty: a new one.
    name: String,
    /// The version that was looked at.
    version: Option<u64>,
    text: String,
}

impl Filled {
    fn read(form: &str) -> Option<Self> {
        let value = |name| url::form_value(form, name).unwrap_or_default();
        let word = value("kind");
        let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word)?;
        // Browsers end lines so; nobody means it.
        let text = value("text").replace("\r\n", "\n");
        Some(Self { kind, name: value("name"), version: value("version").parse().ok(), text })
    }

    /// What is meant, or what is wrong with it, at its place.
    fn check(&self, before: &Definitions, now: Timestamp) -> Result<Checked, String> {
        if self.text.len() > MOST_TEXT {
            return Err(format!("This is longer than {} KiB.", MOST_TEXT / 1024));
        }
        let loaded = Loaded::new(Document::default(), vec![(self.file(), self.text.clone())], now);
        if !loaded.unreadable.is_empty() {
            return Err(loaded.files.render_all(&loaded.unreadable));
        }
        let [document] = &loaded.documents[..] else {
            return Err(format!(
                "Write one definition here, headed [[{}]]; there are {}.",
                key(self.kind),
                loaded.documents.len()
            ));
        };
        if document.kind != self.kind {
            return Err(format!(
                "This is a {}; here a {} is written, headed [[{}]].",
                document.kind,
                self.kind,
                key(self.kind)
            ));
        }
        let mut after = before.clone();
        let shown = |errors: Vec<FieldError>| {
            let problems: Vec<_> = errors.iter().map(|error| document.problem(error)).collect();
            loaded.files.render_all(&problems)
        };
        let (name, body) = after.check(self.kind, document.body.clone(), now).map_err(shown)?;
        if !self.name.is_empty() && name != self.name {
            let message = format!("is \"{}\" and stays so: a name is never changed", self.name);
            return Err(shown(vec![FieldError { field: "name".to_owned(), message }]));
        }
        let owner = before.get(self.kind, &name).map(|defined| defined.owner.clone()).unwrap_or_default();
        let defined = Defined { version: before.version + 1, valid_from: now, body: body.clone(), owner };
        after.apply(self.kind, &name, Some(defined));
        Ok(Checked { name, body, written: document.body.clone(), after })
    }

    fn file(&self) -> String {
        if self.name.is_empty() {
            format!("new {}", self.kind)
        } else {
            format!("{} {}", self.kind, self.name)
        }
    }

    fn expects(&self) -> Expect {
        self.version.map_or(Expect::Absent, Expect::Version)
    }
}

/// A text that is right.
struct Checked {
    name: String,
    /// In its normal form.
    body: Value,
    written: Value,
    after: Definitions,
}

impl Checked {
    fn review(&self, before: &Definitions, kind: Kind, now: Timestamp, zone: &TimeZone) -> Review {
        let until = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        let said = before.get(kind, &self.name).map(|defined| defined.body.clone());
        let said = said.unwrap_or_else(|| Value::Object(Map::new()));
        let changes = differences(before, &self.after, now, until);
        let periods = &self.after.directory().periods;
        let period = periods.get(&self.name).filter(|_| kind == Kind::Period);
        Review {
            fields: differing(&said, &self.body),
            has_more: changes.len() > MOST_STRETCHES,
            duty: changes.iter().take(MOST_STRETCHES).map(duty).collect(),
            times: period.map(|period| times(period, now, until, zone)),
        }
    }
}

/// When a period is, in lines.
fn times(period: &Period, now: Timestamp, until: Timestamp, zone: &TimeZone) -> Vec<String> {
    let zoned = period.in_zone(zone.clone());
    let stretches = zoned.intervals(now, until).take(MOST_STRETCHES);
    stretches.map(|stretch| show_stretch(stretch.start, stretch.end, zone)).collect()
}

/// Fields in which two documents differ, in words.
pub(super) fn differing(before: &Value, after: &Value) -> Vec<Difference> {
    let shown = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    field_changes(before, after)
        .into_iter()
        .map(|change| Difference {
            field: change.field,
            before: shown(&change.before),
            after: shown(&change.after),
        })
        .collect()
}

/// A stretch in which others are on call, in words.
pub(super) fn duty(change: &DutyChange) -> Duty {
    let zone = rota::zone::find(&change.zone).unwrap_or(TimeZone::UTC);
    let who = |people: &[String]| if people.is_empty() { "nobody".to_owned() } else { people.join(", ") };
    let of = change.schedule.as_ref().or(change.team.as_ref()).cloned().unwrap_or_default();
    Duty {
        what: format!("{of}, {}", change.role),
        when: show_stretch(change.from, change.until, &zone),
        before: who(&change.before),
        after: who(&change.after),
    }
}

/// What a new definition may look like.
fn example(kind: Kind) -> String {
    let body = match kind {
        Kind::Person => {
            "name = \"alice\"\nfull_name = \"Alice Ash\"\nzone = \"Europe/Berlin\"\ncontacts = [\"phone:+491701234567\", \"email:alice@example.org\"]"
        }
        Kind::Period => {
            "name = \"office\"\nrules = [\n  { days = \"monday - friday\", hours = [\"09:00-12:00\", \"12:30-17:00\"] },\n  { days = [\"january 1\", \"december 25\"], hours = [] },\n]"
        }
        Kind::Rotation => {
            "name = \"ops\"\nmembers = [\"alice\", \"bob\"]\nevery = \"1 week\"\nhandoff = \"monday 09:00\"\nzone = \"Europe/Berlin\""
        }
        Kind::Schedule => "name = \"ops\"\nzone = \"Europe/Berlin\"\nlayers = [{ rotation = \"ops\" }]",
        Kind::EscalationPlan => {
            "name = \"ops\"\nsteps = [\n  { notify = [\"on_call\"], after = \"5m\" },\n  { notify = [\"all_members\"], after = \"10m\" },\n]"
        }
        Kind::Team => {
            "name = \"ops\"\nmembers = [\"alice\", \"bob\"]\nschedule = \"ops\"\nescalation_plan = \"ops\""
        }
        Kind::Integration => "name = \"alertmanager\"\nteam = \"ops\"",
        Kind::Heartbeat => "name = \"backup\"\nteam = \"ops\"\nevery = \"1d\"",
        Kind::Override => {
            "name = \"cover\"\nschedule = \"ops\"\nperson = \"alice\"\nfrom = \"2026-12-24T18:00:00+01:00\"\nuntil = \"2026-12-25T08:00:00+01:00\"\nmade_by = \"Alice\"\nmade_at = \"2026-12-01T09:00:00Z\""
        }
        Kind::Leave => {
            "name = \"alices-skiing\"\nperson = \"alice\"\nstretches = [{ from = \"2027-02-18\", until = \"2027-02-20\" }]"
        }
        Kind::Silence => {
            "name = \"works\"\nmatch = { team = \"ops\" }\nfrom = \"2026-12-24T18:00:00+01:00\"\nuntil = \"2026-12-24T20:00:00+01:00\"\nreason = \"works at the database\"\nmade_by = \"Alice\""
        }
        Kind::Maintenance => {
            "name = \"nightly\"\nteam = \"ops\"\nfrom = \"2026-12-24T00:00:00+01:00\"\nuntil = \"2026-12-24T02:00:00+01:00\"\nreason = \"the weekly update\"\nmade_by = \"Alice\""
        }
    };
    format!("[[{}]]\n{body}\n", key(kind))
}

/// What is around the text.
#[derive(Default)]
struct Around {
    said: &'static str,
    problems: String,
    refused: String,
    review: Option<Review>,
}

fn page(app: &App, viewer: &AdminViewer, filled: &Filled, around: Around) -> Response {
    let definitions = app.store.definitions();
    let current = definitions.get(filled.kind, &filled.name).filter(|_| !filled.name.is_empty());
    let kept_by = current.map(|defined| &defined.owner).filter(|owner| matches!(owner, Owner::Files(_)));
    let status = if around.problems.is_empty() && around.refused.is_empty() { 200 } else { 422 };
    let page = DefinitionPage {
        frame: Frame::still(filled.file(), app, &viewer.0),
        all: url::DEFINITIONS,
        kind: filled.kind.word(),
        name: filled.name.clone(),
        version: filled.version.map(|version| version.to_string()).unwrap_or_default(),
        kept_by: kept_by.map(ToString::to_string),
        used_by: if filled.name.is_empty() {
            Vec::new()
        } else {
            definitions.users(filled.kind, &filled.name)
        },
        said: around.said,
        problems: around.problems,
        refused: around.refused,
        review: around.review,
        look: url::DEFINITION_LOOK,
        save: url::DEFINITION_SAVE,
        remove: url::DEFINITION_REMOVE,
        rows: (filled.text.lines().count() + 2).clamp(8, 40),
        text: filled.text.clone(),
    };
    with_status(show(&page), status)
}

fn unknown(word: &str) -> Response {
    error_page(
        404,
        "There is no such definition",
        &format!("Nothing of the kind and name \"{word}\" is there."),
    )
}

fn unreadable() -> Response {
    error_page(
        400,
        "This form can't be read",
        "It names no kind of definition. Open the page again, and try once more.",
    )
}

async fn one(
    viewer: AdminViewer,
    State(app): State<App>,
    Place((word, name)): Place<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let definitions = app.store.definitions();
    let kind = Kind::ALL.into_iter().find(|kind| kind.word() == word);
    let found = kind.and_then(|kind| definitions.get(kind, &name).map(|defined| (kind, defined)));
    let Some((kind, defined)) = found else { return unknown(&format!("{word} {name}")) };
    let text = match to_toml(&[(kind, defined.body.clone())]) {
        Ok(text) => text,
        Err(why) => return error_page(500, "It can't be shown", &why),
    };
    let filled = Filled { kind, name, version: Some(defined.version), text };
    let did = query.as_deref().and_then(|query| url::form_value(query, "did"));
    let said = if did.as_deref() == Some("saved") { "Saved. It is in force." } else { "" };
    page(&app, &viewer, &filled, Around { said, ..Around::default() })
}

async fn new(viewer: AdminViewer, State(app): State<App>, Place(word): Place<String>) -> Response {
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.word() == word) else { return unknown(&word) };
    let filled = Filled { kind, name: String::new(), version: None, text: example(kind) };
    page(&app, &viewer, &filled, Around::default())
}

/// Shows what would change. Nothing is stored.
async fn look(viewer: AdminViewer, State(app): State<App>, form: String) -> Response {
    let Some(filled) = Filled::read(&form) else { return unreadable() };
    let (before, now) = (app.store.definitions(), app.clock.now());
    let around = match filled.check(&before, now) {
        Ok(checked) => {
            let zone = rota::zone::find(&viewer.0.zone(&app)).unwrap_or(TimeZone::UTC);
            Around { review: Some(checked.review(&before, filled.kind, now, &zone)), ..Around::default() }
        }
        Err(problems) => Around { problems, ..Around::default() },
    };
    page(&app, &viewer, &filled, around)
}

async fn save(viewer: AdminViewer, State(app): State<App>, form: String) -> Response {
    let Some(filled) = Filled::read(&form) else { return unreadable() };
    let checked = match filled.check(&app.store.definitions(), app.clock.now()) {
        Ok(checked) => checked,
        Err(problems) => return page(&app, &viewer, &filled, Around { problems, ..Around::default() }),
    };
    let (kind, body) = (filled.kind, checked.written);
    let edit = move |_: Option<&Value>| Ok(Write::Put { kind, body: body.clone() });
    let saved = app.store.define(kind, checked.name.clone(), filled.expects(), edit).await;
    let done = url::definition(kind, &checked.name);
    settled(&app, &viewer, &filled, saved, &format!("{done}?did=saved"))
}

async fn remove(viewer: AdminViewer, State(app): State<App>, form: String) -> Response {
    let Some(filled) = Filled::read(&form) else { return unreadable() };
    let (kind, name) = (filled.kind, filled.name.clone());
    let edit = {
        let name = name.clone();
        move |_: Option<&Value>| Ok(Write::Remove { kind, name: name.clone() })
    };
    let removed = app.store.define(kind, name, filled.expects(), edit).await;
    settled(&app, &viewer, &filled, removed, url::DEFINITIONS)
}

/// Goes on where it was stored; else says why it was not.
fn settled(
    app: &App,
    viewer: &AdminViewer,
    filled: &Filled,
    defining: Result<Defining, crate::store::StoreError>,
    then: &str,
) -> Response {
    let refused = match defining {
        Ok(Defining::Done(_)) => return see(then),
        Ok(Defining::Invalid(errors)) => {
            let told = errors.iter().map(|error| format!("\"{}\" {}.", error.field, error.message));
            told.collect::<Vec<_>>().join(" ")
        }
        Ok(Defining::Missing) => "Somebody has removed it meanwhile.".to_owned(),
        Ok(Defining::Exists) => {
            "There is one of that name already: open it, or choose another name.".to_owned()
        }
        Ok(Defining::Moved(_)) => {
            "Somebody has changed it since you opened it. Open it again, and put your change in there."
                .to_owned()
        }
        Ok(Defining::InUse(by)) => format!("It is used by {}: take it out there first.", by.join(", ")),
        Ok(Defining::Kept(owner)) => format!("It is kept by {owner}: change it there, and apply them."),
        Err(error) => return unavailable(&error),
    };
    page(app, viewer, filled, Around { refused, ..Around::default() })
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/definitions/{kind}/{name}", get(one))
        .route("/definitions/{kind}", get(new))
        .route(url::DEFINITION_LOOK, post(look))
        .route(url::DEFINITION_SAVE, post(save))
        .route(url::DEFINITION_REMOVE, post(remove))
}
