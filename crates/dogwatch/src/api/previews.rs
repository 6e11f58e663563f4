//! Previews: what a message would say. They change nothing and send nothing.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use escalation::contact::Kind;
use escalation::delivery::Purpose;
use escalation::event::Severity;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::definition::{FieldError, Lines, Problems};
use crate::http::App;
use crate::http::body::Document;
use crate::http::problem::Problem;
use crate::message::template::{Template, Templates, Wanted};
use crate::preview::{self, Preview, preview};
use crate::store::Caller;

/// What is to be shown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewSpec {
    /// Through what: the word before the colon of a contact.
    #[schema(example = "sms", max_length = 20)]
    channel: String,
    /// What for: `page`, `notice`, `reminder` or `warning`.
    #[serde(default = "page_word")]
    #[schema(example = "page", max_length = 20)]
    purpose: String,
    /// The language of its reader, as BCP 47 tag.
    #[serde(default = "english")]
    #[schema(example = "de", max_length = 35)]
    language: String,
    /// What is wrong, in one line.
    #[serde(default = "summary")]
    #[schema(max_length = 1024)]
    summary: String,
    /// Anything more.
    #[serde(default)]
    #[schema(max_length = 16384)]
    details: String,
    /// `critical`, `error`, `warning` or `info`.
    #[serde(default = "critical")]
    #[schema(example = "critical", max_length = 20)]
    severity: String,
    /// A template to try in the place of those that are set.
    #[serde(default)]
    #[schema(example = "{{ severity | upper }} {{ team }}: {{ summary }}", max_length = 4000)]
    template: Option<String>,
}

fn page_word() -> String {
    Purpose::Page.word().to_owned()
}

fn english() -> String {
    "en".to_owned()
}

fn summary() -> String {
    "disk full on db1".to_owned()
}

fn critical() -> String {
    Severity::Critical.word().to_owned()
}

impl PreviewSpec {
    /// What is wanted, and with which templates.
    fn read(self, set: &Templates) -> Result<(preview::Wanted, Templates), Vec<FieldError>> {
        let mut problems = Problems::default();
        let kind = known(&mut problems, "channel", &self.channel, &Kind::ALL, Kind::word);
        let purpose = known(&mut problems, "purpose", &self.purpose, &Purpose::ALL, Purpose::word);
        let severity = known(&mut problems, "severity", &self.severity, &Severity::ALL, Severity::word);
        problems.text("language", &self.language, 1..=35, Lines::One);
        problems.text("summary", &self.summary, 1..=1024, Lines::One);
        problems.text("details", &self.details, 0..=16_384, Lines::Many);
        let templates = match &self.template {
            Some(text) => problems
                .take("template", Template::new(Wanted::default(), text))
                .map(|template| Templates::new(vec![template])),
            None => Some(set.clone()),
        };
        problems.finish()?;
        let (Some(kind), Some(purpose), Some(severity), Some(templates)) =
            (kind, purpose, severity, templates)
        else {
            return Err(Vec::new());
        };
        let Self { language, summary, details, .. } = self;
        Ok((preview::Wanted { kind, purpose, language, summary, details, severity }, templates))
    }
}

/// The one of `all` that has this word.
fn known<T: Copy>(
    problems: &mut Problems,
    field: &str,
    text: &str,
    all: &[T],
    word: impl Fn(T) -> &'static str,
) -> Option<T> {
    let found = all.iter().copied().find(|one| word(*one) == text);
    if found.is_none() {
        let words: Vec<&str> = all.iter().map(|one| word(*one)).collect();
        problems.add(field, format!("is not known: write {}", words.join(", ")));
    }
    found
}

/// Shows what a message would say, with the templates that are set or with another one: nothing is sent.
#[utoipa::path(post, path = "/api/v1/previews", tag = "messages", request_body = PreviewSpec,
    responses((status = 200, body = Preview), (status = 422, body = Problem)))]
async fn show(_: Caller, State(app): State<App>, document: Document) -> Result<Response, Problem> {
    let spec: PreviewSpec = document.read()?;
    let (wanted, templates) = spec.read(&app.templates).map_err(Problem::invalid)?;
    let shown = preview(&wanted, &templates, app.clock.now());
    let shown = shown
        .map_err(|why| Problem::invalid(vec![FieldError { field: "template".to_owned(), message: why }]))?;
    Ok(Json(shown).into_response())
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show))
}
