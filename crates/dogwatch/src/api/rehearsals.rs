//! Rehearsals: what would happen if an alert came in. They change nothing and send nothing.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use escalation::alert::Audience;
use escalation::name::Name;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::definitions::missing;
use crate::definition::{Definitions, Kind};
use crate::http::App;
use crate::http::body::{Document, Path};
use crate::http::problem::Problem;
use crate::rehearsal::{self, Film, Question, QuestionSpec, Week};
use crate::store::Caller;

/// Reads the question for a team that is defined.
fn read(app: &App, definitions: &Definitions, team: &str, document: Document) -> Result<Question, Problem> {
    let known = Name::new(team).ok().filter(|name| definitions.directory().teams.contains_key(name));
    let audience = Audience::Team(known.ok_or_else(|| missing(app, Kind::Team, team))?);
    let spec: QuestionSpec = document.read()?;
    spec.read(definitions, audience, app.clock.now()).map_err(Problem::invalid)
}

/// What would happen, minute by minute, if an alert for the team came in: every page and delivery, until somebody
/// has it or nobody does.
#[utoipa::path(post, path = "/api/v1/teams/{name}/rehearsals", tag = "rehearsals",
    params(("name" = String, Path, max_length = 64)), request_body = QuestionSpec,
    responses((status = 200, body = Film), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn rehearse(
    _: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let definitions = app.store.definitions();
    let question = read(&app, &definitions, &name, document)?;
    // A plan may be long: other requests are answered meanwhile.
    let played = tokio::task::spawn_blocking(move || rehearsal::rehearse(&definitions, &question)).await;
    Ok(Json(played.map_err(|_| Problem::mistake())?).into_response())
}

/// The same for an alert at every hour of the week from then on: when it takes longest to get hold of somebody.
#[utoipa::path(post, path = "/api/v1/teams/{name}/rehearsals/week", tag = "rehearsals",
    params(("name" = String, Path, max_length = 64)), request_body = QuestionSpec,
    responses((status = 200, body = Week), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn rehearse_week(
    _: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let definitions = app.store.definitions();
    let question = read(&app, &definitions, &name, document)?;
    let played = tokio::task::spawn_blocking(move || rehearsal::week(&definitions, &question)).await;
    Ok(Json(played.map_err(|_| Problem::mistake())?).into_response())
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(rehearse)).routes(routes!(rehearse_week))
}
