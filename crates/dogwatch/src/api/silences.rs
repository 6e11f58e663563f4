//! Silences and maintenance windows: list, make, change, end; and what a silence would have held back.

mod act;
mod shape;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use escalation::event::{Severity, Via};
use jiff::SignedDuration;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_view::AlertView;
use crate::definition::time::print_instant;
use crate::definition::{MaintenanceSpec, SilenceSpec};
use crate::http::App;
use crate::http::body::{Document, Path, Query};
use crate::http::problem::Problem;
use crate::store::Caller;
use act::{Wanted, change, end, list, put, stored, view, zone_of_period};
use shape::{Change, NewMaintenance, NewSilence, PreviewSpec, PreviewView, SilencingView, SilencingsView};

/// How far back a preview looks.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The most alerts that a preview shows.
const MAX_EXAMPLES: usize = 10;

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `true`: also those that are over.
    #[param(value_type = Option<bool>)]
    past: Option<String>,
}

/// Make a silence: alerts that match page nobody while it holds, and whoever is on call then when it ends.
#[utoipa::path(post, path = "/api/v1/silences", tag = "silences", request_body = NewSilence,
    responses((status = 201, body = SilencingView<SilenceSpec>), (status = 422, body = Problem)))]
async fn make_silence(
    caller: Caller,
    State(app): State<App>,
    document: Document,
) -> Result<Response, Problem> {
    let new: NewSilence = document.read()?;
    let wanted = Wanted::new(&app, &caller, new.zone.as_deref())?;
    let from = wanted.from(new.from.as_deref())?;
    let until = wanted.until(from, new.until.as_deref(), new.length.as_deref())?;
    let spec = SilenceSpec {
        name: format!("silence-{:016x}", crate::clock::chance()),
        matches: new.matches,
        from: print_instant(from),
        until: until.map(print_instant),
        zone: zone_of_period(&app, &caller, new.zone, new.period.as_deref()),
        period: new.period,
        reason: new.reason,
        made_by: app.actor(&caller, Via::Api).label,
    };
    put(&app, &spec).await?;
    Ok((StatusCode::CREATED, Json(view(&app, spec))).into_response())
}

/// Make a maintenance window: a team or a sender is quiet, once or again and again.
#[utoipa::path(post, path = "/api/v1/maintenance-windows", tag = "silences", request_body = NewMaintenance,
    responses((status = 201, body = SilencingView<MaintenanceSpec>), (status = 422, body = Problem)))]
async fn make_maintenance(
    caller: Caller,
    State(app): State<App>,
    document: Document,
) -> Result<Response, Problem> {
    let new: NewMaintenance = document.read()?;
    let wanted = Wanted::new(&app, &caller, new.zone.as_deref())?;
    let from = wanted.from(new.from.as_deref())?;
    let until = wanted.until(from, new.until.as_deref(), new.length.as_deref())?;
    let spec = MaintenanceSpec {
        name: format!("maintenance-{:016x}", crate::clock::chance()),
        team: new.team,
        integration: new.integration,
        from: print_instant(from),
        until: until.map(print_instant),
        zone: zone_of_period(&app, &caller, new.zone, new.period.as_deref()),
        period: new.period,
        reason: new.reason,
        made_by: app.actor(&caller, Via::Api).label,
    };
    put(&app, &spec).await?;
    Ok((StatusCode::CREATED, Json(view(&app, spec))).into_response())
}

/// What a silence would have held back in the last seven days.
#[utoipa::path(post, path = "/api/v1/silences/preview", tag = "silences", request_body = PreviewSpec,
    responses((status = 200, body = PreviewView), (status = 422, body = Problem)))]
async fn preview(_: Caller, State(app): State<App>, document: Document) -> Result<Response, Problem> {
    let spec: PreviewSpec = document.read()?;
    let now = app.clock.now();
    let matches = app.store.definitions().read_match(&spec.matches).map_err(Problem::invalid)?;
    let since = now - WEEK;
    let found = app.store.reported_since(since, move |alert| matches.fits(alert)).await?;
    let examples = found.iter().take(MAX_EXAMPLES);
    let view = PreviewView {
        since: print_instant(since),
        reports: found.iter().map(|(_, reports)| reports).sum(),
        alerts: found.len() as u64,
        critical: found.iter().filter(|(alert, _)| alert.severity == Severity::Critical).count() as u64,
        examples: examples.map(|(alert, _)| AlertView::of(alert, &app)).collect(),
    };
    Ok(Json(view).into_response())
}

macro_rules! silencing_routes {
    ($module:ident, $spec:ty, $all:literal, $one:literal) => {
        mod $module {
            use super::*;

            /// Those that hold or are planned.
            #[utoipa::path(get, path = $all, tag = "silences", params(Which),
                responses((status = 200, body = SilencingsView<$spec>)))]
            pub(super) async fn all(_: Caller, State(app): State<App>, Query(which): Query<Which>) -> Result<Response, Problem> {
                list::<$spec>(&app, &which)
            }

            /// One of them.
            #[utoipa::path(get, path = $one, tag = "silences", params(("name" = String, Path, max_length = 64)),
                responses((status = 200, body = SilencingView<$spec>), (status = 404, body = Problem)))]
            pub(super) async fn one(_: Caller, State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
                let spec: $spec = stored(&app, &name)?;
                Ok(Json(view(&app, spec)).into_response())
            }

            /// Change when it ends, or why it is: open alerts are looked at again at once.
            #[utoipa::path(patch, path = $one, tag = "silences", params(("name" = String, Path, max_length = 64)), request_body = Change,
                responses((status = 200, body = SilencingView<$spec>), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
            pub(super) async fn patch(caller: Caller, State(app): State<App>, Path(name): Path<String>, document: Document) -> Result<Response, Problem> {
                change::<$spec>(&app, &caller, &name, document.read()?).await
            }

            /// End it: one that has begun ends now, one that has not is taken back. Open alerts are looked at again.
            #[utoipa::path(delete, path = $one, tag = "silences", params(("name" = String, Path, max_length = 64)),
                responses((status = 204), (status = 404, body = Problem)))]
            pub(super) async fn remove(_: Caller, State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
                end::<$spec>(&app, &name).await
            }
        }
    };
}

silencing_routes!(silences, SilenceSpec, "/api/v1/silences", "/api/v1/silences/{name}");
silencing_routes!(
    windows,
    MaintenanceSpec,
    "/api/v1/maintenance-windows",
    "/api/v1/maintenance-windows/{name}"
);

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(silences::all, make_silence))
        .routes(routes!(preview))
        .routes(routes!(silences::one, silences::patch, silences::remove))
        .routes(routes!(windows::all, make_maintenance))
        .routes(routes!(windows::one, windows::patch, windows::remove))
}
