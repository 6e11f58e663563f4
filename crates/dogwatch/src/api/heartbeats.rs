//! Heartbeats: how they stand, and a sign of life by hand. What they are is a definition.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_view::instant;
use super::definitions::missing;
use crate::definition::Kind;
use crate::http::App;
use crate::http::body::Path;
use crate::http::problem::Problem;
use crate::store::{Caller, Heard};

/// How a heartbeat stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct HeartbeatStatusView {
    /// Its name.
    name: String,
    /// `waiting` for the first sign of life, `alive`, or `silent`.
    status: &'static str,
    /// The last sign of life.
    last_heard_at: Option<String>,
    /// When it is too late; none: it is, or nothing is expected any more.
    late_at: Option<String>,
}

impl HeartbeatStatusView {
    fn of(name: String, heard: Option<Heard>) -> Self {
        let Some(heard) = heard else {
            return Self { name, status: "waiting", last_heard_at: None, late_at: None };
        };
        let status = match (heard.is_late, heard.last_at) {
            (true, _) => "silent",
            (false, None) => "waiting",
            (false, Some(_)) => "alive",
        };
        Self { name, status, last_heard_at: heard.last_at.map(instant), late_at: heard.late_at.map(instant) }
    }
}

/// How a heartbeat stands.
#[utoipa::path(get, path = "/api/v1/heartbeats/{name}/status", tag = "heartbeats", params(("name" = String, Path, max_length = 64)),
    responses((status = 200, body = HeartbeatStatusView), (status = 404, body = Problem)))]
async fn get_status(
    _: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    if app.store.definitions().heartbeat(&name).is_none() {
        return Err(missing(&app, Kind::Heartbeat, &name));
    }
    let heard = app.store.heartbeat(name.clone()).await?;
    Ok(Json(HeartbeatStatusView::of(name, heard)).into_response())
}

/// A sign of life. Monitoring systems send theirs with a key, at `/v2/heartbeats/{name}/ping` or
/// `/integrations/v1/heartbeat/{key}/{name}`.
#[utoipa::path(post, path = "/api/v1/heartbeats/{name}/ping", tag = "heartbeats", params(("name" = String, Path, max_length = 64)),
    responses((status = 200, body = HeartbeatStatusView), (status = 404, body = Problem)))]
async fn ping(_: Caller, State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
    if !app.store.heard(name.clone()).await? {
        return Err(missing(&app, Kind::Heartbeat, &name));
    }
    let heard = app.store.heartbeat(name.clone()).await?;
    Ok(Json(HeartbeatStatusView::of(name, heard)).into_response())
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_status)).routes(routes!(ping))
}
