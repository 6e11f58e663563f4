//! Why somebody's phone rang for an alert, or did not.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use escalation::name::Name;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_view::instant;
use super::alerts::{no_alert, read_ref};
use crate::definition::{Kind, Problems};
use crate::http::App;
use crate::http::body::{Path, Query};
use crate::http::problem::Problem;
use crate::store::Caller;
use crate::why::explain;

/// Whose phone.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhyQuery {
    /// The person.
    #[param(max_length = 64, example = "bob")]
    person: String,
}

/// The answer, and what led to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WhyView {
    /// A page has come in, or may have.
    rang: bool,
    /// The answer in one sentence.
    #[schema(
        example = "No: Bob was not paged for #7: one step of the plan for the team ops fired, and it paged others."
    )]
    summary: String,
    /// What led to it, oldest first.
    reasons: Vec<ReasonView>,
}

/// One thing that led to it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonView {
    /// When.
    at: String,
    /// What sort of thing: `step`, `duty`, `page`, `delivery`, or a kind of line of the timeline.
    kind: &'static str,
    /// The sentence.
    text: String,
}

/// Why somebody's phone rang for an alert, or did not: layer, override, leave, step, silence and receipt.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/why", tag = "alerts", params(("id" = String, Path, description = "id or number"), WhyQuery),
    responses((status = 200, body = WhyView), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn why(
    _: Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    Query(query): Query<WhyQuery>,
) -> Result<Response, Problem> {
    let record = app.store.alert(read_ref(&id)?).await?.ok_or_else(|| no_alert(&id))?;
    let person = Name::new(&query.person).map_err(|wrong| Problem::field("person", wrong.to_string()))?;
    let definitions = app.store.definitions();
    // Somebody who is no more may have been paged while he was.
    let was_paged = record.state.pages.iter().any(|page| page.person == person);
    if !was_paged && definitions.get(Kind::Person, person.as_str()).is_none() {
        let mut problems = Problems::default();
        problems.unknown("person", Kind::Person, person.as_str(), definitions.names(Kind::Person));
        problems.finish().map_err(Problem::invalid)?;
    }
    let why = explain(&app.store, &record, &person, app.clock.now()).await?;
    let reasons = why.reasons.into_iter();
    let reasons = reasons.map(|it| ReasonView { at: instant(it.at), kind: it.kind, text: it.text });
    Ok(Json(WhyView { rang: why.rang, summary: why.summary, reasons: reasons.collect() }).into_response())
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(why))
}
