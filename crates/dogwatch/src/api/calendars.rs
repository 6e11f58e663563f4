//! Addresses of calendars, to which calendar programs subscribe.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::definitions::missing;
use crate::definition::Kind;
use crate::http::App;
use crate::http::auth::Admin;
use crate::http::body::Path;
use crate::http::problem::Problem;
use crate::store::Caller;
use crate::web::calendar_feed::{Owner, renew, revoke};

/// The address of a calendar.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarView {
    /// Whoever knows it can read the calendar. It is shown this once.
    url: String,
}

fn check_owner(caller: &Caller, name: &str) -> Result<(), Problem> {
    if caller.is_admin() || caller.person.as_ref().is_some_and(|person| person.as_str() == name) {
        Ok(())
    } else {
        Err(Problem::forbidden("a person's calendar is given out by that person, or by an administrator"))
    }
}

async fn give(app: &App, kind: Kind, name: &str, owner: Owner) -> Result<Response, Problem> {
    if app.store.definitions().get(kind, name).is_none() {
        return Err(missing(app, kind, name));
    }
    let url = renew(app, &owner).await?;
    Ok((StatusCode::CREATED, Json(CalendarView { url })).into_response())
}

async fn end(app: &App, owner: Owner) -> Result<Response, Problem> {
    if revoke(app, &owner).await? {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::not_found("there is no calendar address to end".to_owned()))
    }
}

/// Make the address of a person's calendar: all shifts, of the last 30 days and the next year. An address that was
/// made before ends.
#[utoipa::path(post, path = "/api/v1/people/{name}/calendar", tag = "people", params(("name" = String, Path, max_length = 64)),
    responses((status = 201, body = CalendarView), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn give_person(
    caller: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    check_owner(&caller, &name)?;
    give(&app, Kind::Person, &name, Owner::Person(name.clone())).await
}

/// End the address of a person's calendar.
#[utoipa::path(delete, path = "/api/v1/people/{name}/calendar", tag = "people", params(("name" = String, Path, max_length = 64)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn end_person(
    caller: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    check_owner(&caller, &name)?;
    end(&app, Owner::Person(name)).await
}

/// Make the address of a schedule's calendar: everybody's shifts. An address that was made before ends.
#[utoipa::path(post, path = "/api/v1/schedules/{name}/calendar", tag = "schedules", params(("name" = String, Path, max_length = 64)),
    responses((status = 201, body = CalendarView), (status = 404, body = Problem)))]
async fn give_schedule(
    _: Admin,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    give(&app, Kind::Schedule, &name, Owner::Schedule(name.clone())).await
}

/// End the address of a schedule's calendar.
#[utoipa::path(delete, path = "/api/v1/schedules/{name}/calendar", tag = "schedules", params(("name" = String, Path, max_length = 64)),
    responses((status = 204), (status = 404, body = Problem)))]
async fn end_schedule(
    _: Admin,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    end(&app, Owner::Schedule(name)).await
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(give_person, end_person)).routes(routes!(give_schedule, end_schedule))
}
