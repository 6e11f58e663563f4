//! A person's notification plans, one by one. They are part of the person; this is the short way to them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::definitions::{Force, edit_one, kept};
use crate::definition::{FieldError, Kind, NotificationPlanSpec, Write};
use crate::http::App;
use crate::http::body::{Document, Path, Query};
use crate::http::problem::Problem;
use crate::store::{Caller, Defining, Expect};

/// Which plan an address means.
fn urgency(text: &str) -> Result<&'static str, Problem> {
    match text {
        "high" => Ok("high"),
        "low" => Ok("low"),
        _ => Err(Problem::not_found("a person has two plans: \"high\" and \"low\"")),
    }
}

fn no_person(name: &str) -> Problem {
    let shown: String = name.chars().take(64).collect();
    Problem::not_found(format!("there is no person \"{shown}\""))
}

/// A person's own plan may be changed by that person, too.
fn check_owner(caller: &Caller, name: &str) -> Result<(), Problem> {
    if caller.is_admin() || caller.person.as_ref().is_some_and(|person| person.as_str() == name) {
        Ok(())
    } else {
        Err(Problem::forbidden("a person's plans are changed by that person, or by an administrator"))
    }
}

/// One plan of a person.
#[utoipa::path(get, path = "/api/v1/people/{name}/notification-plans/{urgency}", tag = "people",
    params(("name" = String, Path, max_length = 64), ("urgency" = String, Path, description = "`high` or `low`")),
    responses((status = 200, body = NotificationPlanSpec), (status = 404, body = Problem)))]
async fn get_plan(
    _: Caller,
    State(app): State<App>,
    Path((name, which)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let which = urgency(&which)?;
    let definitions = app.store.definitions();
    let person = definitions.get(Kind::Person, &name).ok_or_else(|| no_person(&name))?;
    match person.body.pointer(&format!("/notification_plans/{which}")) {
        Some(plan) => Ok(Json(plan.clone()).into_response()),
        None => Err(Problem::not_found(format!("\"{name}\" has no plan of their own for {which} urgency"))),
    }
}

/// Set one plan of a person.
#[utoipa::path(put, path = "/api/v1/people/{name}/notification-plans/{urgency}", tag = "people",
    params(("name" = String, Path, max_length = 64), ("urgency" = String, Path, description = "`high` or `low`"), Force),
    request_body = NotificationPlanSpec,
    responses((status = 200, body = NotificationPlanSpec), (status = 404, body = Problem),
        (status = 409, body = Problem, description = "Files keep the person."), (status = 422, body = Problem)))]
async fn set_plan(
    caller: Caller,
    State(app): State<App>,
    Path((name, which)): Path<(String, String)>,
    Query(force): Query<Force>,
    document: Document,
) -> Result<Response, Problem> {
    check_owner(&caller, &name)?;
    let which = urgency(&which)?;
    change(&app, name.clone(), which, force, Some(document.value)).await?;
    get_plan(caller, State(app), Path((name, which.to_owned()))).await
}

/// Remove one plan of a person.
#[utoipa::path(delete, path = "/api/v1/people/{name}/notification-plans/{urgency}", tag = "people",
    params(("name" = String, Path, max_length = 64), ("urgency" = String, Path, description = "`high` or `low`"), Force),
    responses((status = 204), (status = 404, body = Problem)))]
async fn remove_plan(
    caller: Caller,
    State(app): State<App>,
    Path((name, which)): Path<(String, String)>,
    Query(force): Query<Force>,
) -> Result<Response, Problem> {
    check_owner(&caller, &name)?;
    change(&app, name, urgency(&which)?, force, None).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn change(
    app: &App,
    name: String,
    which: &'static str,
    force: Force,
    plan: Option<Value>,
) -> Result<(), Problem> {
    let edit = move |current: Option<&Value>| -> Result<Write, Vec<FieldError>> {
        let mut body = current.cloned().unwrap_or_default();
        if let Some(Value::Object(plans)) = body.pointer_mut("/notification_plans") {
            match &plan {
                Some(plan) => drop(plans.insert(which.to_owned(), plan.clone())),
                None => drop(plans.remove(which)),
            }
        }
        Ok(Write::Put { kind: Kind::Person, body })
    };
    match edit_one(app, Kind::Person, &name, Expect::Present, force, edit).await? {
        Defining::Done(_) => Ok(()),
        Defining::Invalid(errors) => {
            // The plan was sent alone: its fields are named without the way to them.
            let prefix = format!("notification_plans.{which}.");
            let strip = |error: FieldError| FieldError {
                field: error.field.strip_prefix(&prefix).map_or(error.field.clone(), ToOwned::to_owned),
                message: error.message,
            };
            Err(Problem::invalid(errors.into_iter().map(strip).collect()))
        }
        Defining::Kept(owner) => Err(kept(Kind::Person, &name, &owner)),
        _ => Err(no_person(&name)),
    }
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_plan, set_plan, remove_plan))
}
