//! Everything that is defined: found, written out as a file, and put in force from one, with the difference shown first.
//! For administrators.

use askama::Template;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use rota::syntax::Document;
use serde_json::{Map, Value};

use super::definition_page::{Difference, Duty, MOST_STRETCHES, differing, duty};
use super::integrations_page::with_status;
use super::layout::Frame;
use super::{AdminViewer, error_page, see, show, unavailable, url};
use crate::definition::file::Loaded;
use crate::definition::{Changed, Definitions, DocumentError, Kind, Owner, Wanted, to_toml};
use crate::duty::difference::{AHEAD, differences};
use crate::http::App;
use crate::store::Applied;

/// The longest form, in bytes: a house of some thousand definitions.
const MOST_FORM: usize = 4 * 1024 * 1024;
/// The name of the files that are put in force here, unless another is written.
const MAIN: &str = "main";

/// One kind, and what there is of it.
struct Shelf {
    /// What there are several of.
    title: &'static str,
    kind: &'static str,
    new: String,
    all: Vec<Entry>,
}

struct Entry {
    name: String,
    path: String,
    kept_by: Option<String>,
}

/// One definition that a file would change.
struct Change {
    what: &'static str,
    kind: &'static str,
    name: String,
    fields: Vec<Difference>,
}

/// What there are several of.
fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Person => "People",
        Kind::Period => "Periods",
        Kind::Rotation => "Rotations",
        Kind::Schedule => "Schedules",
        Kind::EscalationPlan => "Escalation plans",
        Kind::Team => "Teams",
        Kind::Integration => "Integrations",
        Kind::Heartbeat => "Heartbeats",
        Kind::Override => "Overrides",
        Kind::Leave => "Leave",
        Kind::Silence => "Silences",
        Kind::Maintenance => "Maintenance windows",
    }
}

/// What a file would change.
struct Review {
    changes: Vec<Change>,
    duty: Vec<Duty>,
    has_more: bool,
    version: u64,
}

#[derive(Template)]
#[template(path = "definitions.html")]
struct DefinitionsPage {
    frame: Frame,
    shelves: Vec<Shelf>,
    download: &'static str,
    look: &'static str,
    apply: &'static str,
    text: String,
    owner: String,
    problems: String,
    refused: String,
    review: Option<Review>,
}

#[derive(Default)]
struct Filled {
    text: String,
    owner: String,
    planned: Option<u64>,
}

/// What is around the list.
#[derive(Default)]
struct Around {
    problems: String,
    refused: String,
    review: Option<Review>,
}

impl Filled {
    fn read(form: &str) -> Self {
        let value = |name| url::form_value(form, name).unwrap_or_default();
        let owner = value("owner").trim().to_owned();
        Self {
            text: value("text").replace("\r\n", "\n"),
            owner: if owner.is_empty() { MAIN.to_owned() } else { owner },
            planned: value("planned").parse().ok(),
        }
    }

    /// What it says, or what is wrong with it.
    fn wanted(&self, now: Timestamp) -> Result<(Loaded, Wanted), String> {
        let is_name = self.owner.len() <= 64 && !self.owner.chars().any(char::is_control);
        if !is_name {
            return Err("The name of the files has 64 characters at most.".to_owned());
        }
        let text = vec![("what you sent".to_owned(), self.text.clone())];
        let loaded = Loaded::new(Document::default(), text, now);
        if !loaded.unreadable.is_empty() {
            return Err(loaded.files.render_all(&loaded.unreadable));
        }
        if loaded.documents.is_empty() {
            return Err(
                "There is nothing in it. An empty file would remove all that it once brought.".to_owned()
            );
        }
        let documents = loaded.documents.iter().map(|document| (document.kind, document.body.clone()));
        let wanted = Wanted {
            owner: Owner::Files(self.owner.clone()),
            documents: documents.collect(),
            prune: false,
            force: false,
        };
        Ok((loaded, wanted))
    }
}

/// Problems at their places in the text.
fn problems(loaded: &Loaded, errors: &[DocumentError]) -> String {
    let (mut placed, mut others) = (Vec::new(), String::new());
    for DocumentError { document, error } in errors {
        match document.and_then(|index| loaded.documents.get(index)) {
            Some(document) => placed.push(document.problem(error)),
            None => others += &format!("{}\n", error.message),
        }
    }
    rota::diagnostic::sort(&mut placed);
    loaded.files.render_all(&placed) + &others
}

fn review(before: &Definitions, changed: &Changed, now: Timestamp) -> Review {
    let none = Value::Object(Map::new());
    let changes = changed.steps.iter().map(|step| {
        let said = step.before.as_ref().map_or(&none, |before| &before.body);
        let fields = step.after.as_ref().map_or_else(Vec::new, |after| differing(said, &after.body));
        Change { what: step.what.word(), kind: step.kind.word(), name: step.name.clone(), fields }
    });
    let until = now.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
    let on_call = differences(before, &changed.definitions, now, until);
    Review {
        changes: changes.collect(),
        has_more: on_call.len() > MOST_STRETCHES,
        duty: on_call.iter().take(MOST_STRETCHES).map(duty).collect(),
        version: before.version,
    }
}

fn page(app: &App, viewer: &AdminViewer, filled: Filled, around: Around) -> Response {
    let definitions = app.store.definitions();
    let shelf = |kind: Kind| Shelf {
        title: title(kind),
        kind: kind.word(),
        new: url::new_definition(kind),
        all: definitions
            .list(kind, "")
            .map(|(name, defined)| Entry {
                name: name.to_owned(),
                path: url::definition(kind, name),
                kept_by: Some(&defined.owner)
                    .filter(|owner| matches!(owner, Owner::Files(_)))
                    .map(ToString::to_string),
            })
            .collect(),
    };
    let status = if around.problems.is_empty() && around.refused.is_empty() { 200 } else { 422 };
    let page = DefinitionsPage {
        frame: Frame::still("Definitions", app, &viewer.0),
        shelves: Kind::ALL.into_iter().map(shelf).collect(),
        download: url::DEFINITIONS_FILE,
        look: url::FILE_LOOK,
        apply: url::FILE_APPLY,
        text: filled.text,
        owner: if filled.owner.is_empty() { MAIN.to_owned() } else { filled.owner },
        problems: around.problems,
        refused: around.refused,
        review: around.review,
    };
    with_status(show(&page), status)
}

async fn list(viewer: AdminViewer, State(app): State<App>) -> Response {
    page(&app, &viewer, Filled::default(), Around::default())
}

/// Everything as one file, but what people made as they went: overrides, leave, silences.
async fn download(_: AdminViewer, State(app): State<App>) -> Response {
    let definitions = app.store.definitions();
    let kinds = Kind::ALL.into_iter().filter(|kind| !kind.is_operation());
    let all: Vec<_> = kinds
        .flat_map(|kind| definitions.list(kind, "").map(move |(_, defined)| (kind, defined.body.clone())))
        .collect();
    match to_toml(&all) {
        Ok(text) => {
            let headers = [
                (header::CONTENT_TYPE, "application/toml; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"dogwatch.toml\""),
            ];
            (headers, text).into_response()
        }
        Err(why) => error_page(500, "It can't be written out", &why),
    }
}

/// Shows what a file would change. Nothing is stored.
async fn look(viewer: AdminViewer, State(app): State<App>, form: String) -> Response {
    let filled = Filled::read(&form);
    let (before, now) = (app.store.definitions(), app.clock.now());
    let around = match filled.wanted(now) {
        Ok((loaded, wanted)) => {
            let asked = before.clone();
            // It may take a while: other requests are answered meanwhile.
            let changed = tokio::task::spawn_blocking(move || asked.change(&wanted, now)).await;
            match changed {
                Ok(Ok(changed)) => {
                    Around { review: Some(review(&before, &changed, now)), ..Around::default() }
                }
                Ok(Err(errors)) => Around { problems: problems(&loaded, &errors), ..Around::default() },
                Err(_) => return error_page(500, "Dogwatch made a mistake", "Its log says which."),
            }
        }
        Err(problems) => Around { problems, ..Around::default() },
    };
    page(&app, &viewer, filled, around)
}

async fn apply(viewer: AdminViewer, State(app): State<App>, form: String) -> Response {
    let filled = Filled::read(&form);
    let (loaded, wanted) = match filled.wanted(app.clock.now()) {
        Ok(read) => read,
        Err(problems) => return page(&app, &viewer, filled, Around { problems, ..Around::default() }),
    };
    let refused = match app.store.apply(wanted, filled.planned).await {
        Ok(Applied::Done(_)) => return see(url::DEFINITIONS),
        Ok(Applied::Invalid(errors)) => {
            let problems = problems(&loaded, &errors);
            return page(&app, &viewer, filled, Around { problems, ..Around::default() });
        }
        Ok(Applied::Moved(_)) => "Somebody has changed something since you looked. Look again.".to_owned(),
        Err(error) => return unavailable(&error),
    };
    page(&app, &viewer, filled, Around { refused, ..Around::default() })
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route(url::DEFINITIONS, get(list))
        .route(url::DEFINITIONS_FILE, get(download))
        .route(url::FILE_LOOK, post(look).layer(DefaultBodyLimit::max(MOST_FORM)))
        .route(url::FILE_APPLY, post(apply).layer(DefaultBodyLimit::max(MOST_FORM)))
}
