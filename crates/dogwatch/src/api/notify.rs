//! Paging a team or a person: the generic way in for scripts and people.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use escalation::alert::Audience;
use escalation::event::Via;
use escalation::name::Name;
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_view::AlertView;
use crate::definition::Kind;
use crate::http::App;
use crate::http::body::{Document, Path};
use crate::http::problem::Problem;
use crate::notify::NotifySpec;
use crate::store::{Caller, Idempotency, Incoming, Recorded};

/// Page a team: its escalation plan begins.
#[utoipa::path(post, path = "/api/v1/teams/{name}/notify", tag = "teams",
    params(("name" = String, Path, max_length = 64), ("Idempotency-Key" = Option<String>, Header, max_length = 255,
        description = "The same key with the same request gives the same alert, however often it is sent.")),
    request_body = NotifySpec, responses(
    (status = 201, body = AlertView, description = "Stored on disk. The alert may have been open before."),
    (status = 400, body = Problem), (status = 404, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem),
    (status = 503, body = Problem, description = "Not stored; send it again.")))]
async fn notify_team(
    caller: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    document: Document,
) -> Result<Response, Problem> {
    notify(app, caller, Kind::Team, name, headers, document).await
}

/// Page a person, by that person's notification plan.
#[utoipa::path(post, path = "/api/v1/people/{name}/notify", tag = "people",
    params(("name" = String, Path, max_length = 64), ("Idempotency-Key" = Option<String>, Header, max_length = 255,
        description = "The same key with the same request gives the same alert, however often it is sent.")),
    request_body = NotifySpec, responses(
    (status = 201, body = AlertView, description = "Stored on disk. The alert may have been open before."),
    (status = 400, body = Problem), (status = 404, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem),
    (status = 503, body = Problem, description = "Not stored; send it again.")))]
async fn notify_person(
    caller: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
    document: Document,
) -> Result<Response, Problem> {
    notify(app, caller, Kind::Person, name, headers, document).await
}

async fn notify(
    app: App,
    caller: Caller,
    kind: Kind,
    name: String,
    headers: HeaderMap,
    document: Document,
) -> Result<Response, Problem> {
    let result = accept(&app, &caller, kind, name, &headers, &document).await;
    app.metrics.event(result.is_ok());
    result
}

async fn accept(
    app: &App,
    caller: &Caller,
    kind: Kind,
    name: String,
    headers: &HeaderMap,
    document: &Document,
) -> Result<Response, Problem> {
    let no_audience = || {
        let definitions = app.store.definitions();
        let near = crate::definition::nearest(&name, definitions.names(kind));
        let hint = near.map(|near| format!("; did you mean \"{near}\"?")).unwrap_or_default();
        let shown: String = name.chars().take(64).collect();
        Problem::not_found(format!("there is no {kind} \"{shown}\"{hint}"))
    };
    let audience = Name::new(&name).map_err(|_| no_audience())?;
    let audience = match kind {
        Kind::Team => Audience::Team(audience),
        _ => Audience::Person(audience),
    };
    let spec: NotifySpec = document.read()?;
    let definitions = app.store.definitions();
    let by = app.actor(caller, Via::Api);
    let trigger = spec.check(&definitions, audience, by, app.clock.now()).map_err(Problem::invalid)?;
    let idempotency = idempotency(headers, kind, &name, &document.bytes)?;
    match app.store.record(Incoming { trigger, idempotency }).await? {
        Recorded::Alert(alert) => {
            let view = AlertView::of(&alert, app);
            let location = format!("/api/v1/alerts/{}", view.id);
            Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view)).into_response())
        }
        Recorded::NoAudience => Err(no_audience()),
        Recorded::KeyReused => Err(Problem::field(
            "Idempotency-Key",
            "was used for another request; use a new key for each request",
        )),
    }
}

fn idempotency(
    headers: &HeaderMap,
    kind: Kind,
    name: &str,
    body: &[u8],
) -> Result<Option<Idempotency>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value
        .to_str()
        .ok()
        .filter(|key| (1..=255).contains(&key.len()))
        .ok_or_else(|| Problem::field("Idempotency-Key", "is 1 to 255 printable ASCII characters"))?;
    Ok(Some(Idempotency { key: format!("{kind}/{name}/{key}"), request: Sha256::digest(body).into() }))
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(notify_team)).routes(routes!(notify_person))
}
