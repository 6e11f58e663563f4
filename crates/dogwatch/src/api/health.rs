//! Is it alive, is it ready, and how much of everything.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::cluster::examine;
use crate::cluster::patroni::Patroni;
use crate::http::App;
use crate::http::problem::Problem;
use crate::store::Caller;
use crate::store::nodes::Cluster;

/// A wake that is overdue by more than this means that the engine does not keep up.
const MAX_LAG_SECONDS: f64 = 60.0;

/// The process is alive.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`.
    status: &'static str,
    /// Of Dogwatch.
    version: &'static str,
    /// Of the built-in tz database.
    tzdb: &'static str,
}

/// The service can do its work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// `ready` or `not ready`.
    status: &'static str,
    /// The store can be written to.
    store: bool,
    /// How long the oldest due wake has waited, in seconds.
    engine_lag_seconds: f64,
    /// Nodes share a database: what is wrong there although this node does its work, in words for programs such as
    /// `no_synchronous_standby`, `clock_apart`, `engine_behind`. `/api/v1/doctor` says more.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    cautions: BTreeSet<&'static str>,
}

fn kinds(cluster: &Cluster, patroni: &Patroni) -> BTreeSet<&'static str> {
    examine(cluster).iter().chain(&patroni.found()).map(|caution| caution.kind).collect()
}

/// Is the process alive? Needs no token.
#[utoipa::path(get, path = "/healthz", tag = "operation", security(()), responses((status = 200, body = Health)))]
async fn healthz() -> Response {
    let version = env!("CARGO_PKG_VERSION");
    Json(Health { status: "ok", version, tzdb: rota::zone::database_version() }).into_response()
}

/// Can it do its work? Needs no token.
#[utoipa::path(get, path = "/readyz", tag = "operation", security(()), responses((status = 200, body = Readiness), (status = 503, body = Readiness)))]
async fn readyz(State(app): State<App>) -> Response {
    let now = app.clock.now();
    let written = app.store.probe().await.is_ok();
    let counts = app.store.counts(now).await;
    let cluster = app.store.cluster().await.ok().flatten();
    let lag = match &counts {
        Ok(counts) => counts.oldest_due.map_or(0.0, |due| now.duration_since(due).as_secs_f64().max(0.0)),
        Err(_) => 0.0,
    };
    // Over a shared database the lag is that of all nodes: were each taken out for it, nobody would take events.
    let keeps_up = cluster.is_some() || lag <= MAX_LAG_SECONDS;
    let is_ready = written && counts.is_ok() && keeps_up;
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let view = Readiness {
        status: if is_ready { "ready" } else { "not ready" },
        store: written,
        engine_lag_seconds: lag,
        cautions: cluster.map(|cluster| kinds(&cluster, &app.patroni)).unwrap_or_default(),
    };
    (status, Json(view)).into_response()
}

/// Numbers, in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses((status = 200, content_type = "application/openmetrics-text"), (status = 401, body = Problem)))]
async fn metrics(_: Caller, State(app): State<App>) -> Result<Response, Problem> {
    let now = app.clock.now();
    let counts = app.store.counts(now).await?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], app.metrics.render(&counts, now)).into_response())
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}
