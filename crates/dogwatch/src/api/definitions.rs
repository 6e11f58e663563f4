//! People, teams, periods, rotations, schedules, escalation plans and integrations: list, one, make, replace,
//! merge, remove.
//!
//! The kinds behave alike, so that the handlers are written once; a macro gives each kind its
//! addresses and its documentation.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use escalation::name::Name;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::definition::{FieldError, Kind, Owner, Write};
use crate::http::App;
use crate::http::auth::Admin;
use crate::http::body::{Document, Path, Query};
use crate::http::problem::Problem;
use crate::store::{Caller, Defining, Expect};

/// The most entries on a page of a listing.
pub(super) const MAX_LIMIT: usize = 500;
/// How many there are when nothing is said.
pub(super) const DEFAULT_LIMIT: usize = 100;

/// Which part of a listing.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many at most: 1 to 500, default 100.
    #[param(minimum = 1, maximum = 500, value_type = Option<u32>)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    #[param(max_length = 100)]
    cursor: Option<String>,
}

/// Whether what files keep may be changed here.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Force {
    /// `true`: change it although files keep it, until they are applied again.
    #[param(value_type = Option<bool>)]
    force: Option<String>,
}

/// Changes one definition.
pub(super) async fn edit_one(
    app: &App,
    kind: Kind,
    name: &str,
    expect: Expect,
    force: Force,
    edit: impl Fn(Option<&Value>) -> Result<Write, Vec<FieldError>> + Send + 'static,
) -> Result<Defining, Problem> {
    let name = name.to_owned();
    match force.force.as_deref() {
        Some("true") => Ok(app.store.define_anyway(kind, name, expect, edit).await?),
        None | Some("false") => Ok(app.store.define(kind, name, expect, edit).await?),
        Some(_) => Err(Problem::field("force", "is true or false")),
    }
}

/// Reads a limit.
pub(super) fn read_limit(limit: Option<&str>) -> Result<usize, Problem> {
    match limit.map(str::parse) {
        None => Ok(DEFAULT_LIMIT),
        Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::field("limit", format!("is a number from 1 to {MAX_LIMIT}"))),
    }
}

/// One page of a listing.
#[derive(Serialize, ToSchema)]
pub struct Listing<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins; none: this is the last.
    pub next_cursor: Option<String>,
}

fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// What the headers say about what the caller has seen last.
fn expectation(headers: &HeaderMap, otherwise: Expect) -> Result<Expect, Problem> {
    let text =
        |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if text(header::IF_NONE_MATCH) == Some("*") {
        return Ok(Expect::Absent);
    }
    match text(header::IF_MATCH) {
        None => Ok(otherwise),
        Some("*") => Ok(Expect::Present),
        Some(tag) => tag.trim_matches('"').parse().map(Expect::Version).map_err(|_| {
            Problem::field(
                "If-Match",
                "is no ETag of ours; send back the ETag header as you got it, or leave it out",
            )
        }),
    }
}

fn show(app: &App, kind: Kind, name: &str, status: StatusCode) -> Response {
    let definitions = app.store.definitions();
    match definitions.get(kind, name) {
        Some(defined) => {
            (status, [(header::ETAG, etag(defined.version))], Json(defined.body.clone())).into_response()
        }
        // Somebody removed it in the meantime.
        None => missing(app, kind, name).into_response(),
    }
}

pub(super) fn missing(app: &App, kind: Kind, name: &str) -> Problem {
    let definitions = app.store.definitions();
    let near = crate::definition::nearest(name, definitions.names(kind))
        .map(|near| format!("; did you mean \"{near}\"?"))
        .unwrap_or_default();
    let shown: String = name.chars().take(64).collect();
    Problem::not_found(format!("there is no {kind} \"{shown}\"{near}"))
}

/// What is said of something that files keep.
pub(super) fn kept(kind: Kind, name: &str, owner: &Owner) -> Problem {
    let detail = format!(
        "{kind} \"{name}\" is kept by {owner}: change it there and apply, or send ?force=true to change it here until \
         they are applied again"
    );
    Problem::new(409, "kept-in-files", detail)
}

/// What an edit that did not go through is answered with.
pub(super) fn refuse(app: &App, kind: Kind, name: &str, outcome: Defining) -> Problem {
    match outcome {
        Defining::Invalid(errors) => Problem::invalid(errors),
        Defining::Missing => missing(app, kind, name),
        Defining::Exists => {
            Problem::conflict(format!("there is a {kind} \"{name}\" already; use PUT or PATCH to change it"))
        }
        Defining::Moved(version) => Problem::new(
            412,
            "moved",
            format!(
                "{kind} \"{name}\" was changed since you read it (it is at \"{version}\" now); read it again"
            ),
        ),
        Defining::InUse(users) => Problem::conflict(format!(
            "{kind} \"{name}\" is used by {}; take it out there first",
            users.join(", ")
        )),
        Defining::Kept(owner) => kept(kind, name, &owner),
        Defining::Done(_) => Problem::mistake(),
    }
}

fn list(app: &App, kind: Kind, paging: &Paging) -> Result<Response, Problem> {
    let limit = read_limit(paging.limit.as_deref())?;
    let definitions = app.store.definitions();
    let mut entries = definitions.list(kind, paging.cursor.as_deref().unwrap_or_default());
    let page: Vec<_> = entries.by_ref().take(limit).collect();
    let next_cursor = match (entries.next(), page.last()) {
        (Some(_), Some((name, _))) => Some((*name).to_owned()),
        _ => None,
    };
    let items: Vec<Value> = page.into_iter().map(|(_, defined)| defined.body.clone()).collect();
    Ok(Json(Listing { items, next_cursor }).into_response())
}

async fn create(app: App, kind: Kind, document: Document) -> Result<Response, Problem> {
    let name = match document.value.get("name") {
        Some(Value::String(name)) => name.clone(),
        Some(_) => return Err(Problem::field("name", "must be a text")),
        None => return Err(Problem::field("name", "is missing; write the name of what you make")),
    };
    check_name(kind, &name)?;
    let body = document.value;
    let edit = move |_: Option<&Value>| Ok(Write::Put { kind, body: body.clone() });
    match app.store.define(kind, name.clone(), Expect::Absent, edit).await? {
        Defining::Done(_) => Ok(show(&app, kind, &name, StatusCode::CREATED)),
        other => Err(refuse(&app, kind, &name, other)),
    }
}

async fn replace(
    app: App,
    kind: Kind,
    name: String,
    headers: HeaderMap,
    force: Force,
    document: Document,
) -> Result<Response, Problem> {
    check_name(kind, &name)?;
    let expect = expectation(&headers, Expect::Any)?;
    let existed = app.store.definitions().get(kind, &name).is_some();
    let body = document.value;
    let of = name.clone();
    let edit = move |_: Option<&Value>| Ok(Write::Put { kind, body: named(body.clone(), &of) });
    match edit_one(&app, kind, &name, expect, force, edit).await? {
        Defining::Done(_) => {
            Ok(show(&app, kind, &name, if existed { StatusCode::OK } else { StatusCode::CREATED }))
        }
        Defining::Missing if matches!(expect, Expect::Version(_) | Expect::Present) => {
            Err(Problem::new(412, "moved", format!("{kind} \"{name}\" does not exist (any more)")))
        }
        other => Err(refuse(&app, kind, &name, other)),
    }
}

/// Periods have names of their own, which are checked with what they say.
fn check_name(kind: Kind, name: &str) -> Result<(), Problem> {
    if kind == Kind::Period {
        return Ok(());
    }
    Name::new(name).map(drop).map_err(|wrong| Problem::field("name", wrong.to_string()))
}

/// The name is in the address; writing it once more is not asked for.
fn named(mut body: Value, name: &str) -> Value {
    if let Value::Object(fields) = &mut body {
        fields.entry("name").or_insert_with(|| Value::String(name.to_owned()));
    }
    body
}

async fn merge(
    app: App,
    kind: Kind,
    name: String,
    headers: HeaderMap,
    force: Force,
    document: Document,
) -> Result<Response, Problem> {
    let expect = expectation(&headers, Expect::Present)?;
    let patch = document.value;
    let edit = move |current: Option<&Value>| {
        let mut body = current.cloned().unwrap_or_default();
        merge_patch(&mut body, &patch);
        Ok(Write::Put { kind, body })
    };
    match edit_one(&app, kind, &name, expect, force, edit).await? {
        Defining::Done(_) => Ok(show(&app, kind, &name, StatusCode::OK)),
        other => Err(refuse(&app, kind, &name, other)),
    }
}

/// RFC 7396: a null removes, an object merges, anything else replaces.
fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(fields) = target {
        for (name, change) in changes {
            if change.is_null() {
                fields.remove(name);
            } else {
                merge_patch(fields.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
    }
}

async fn remove(
    app: App,
    kind: Kind,
    name: String,
    headers: HeaderMap,
    force: Force,
) -> Result<Response, Problem> {
    let expect = expectation(&headers, Expect::Present)?;
    let of = name.clone();
    let edit = move |_: Option<&Value>| -> Result<Write, Vec<FieldError>> {
        Ok(Write::Remove { kind, name: of.clone() })
    };
    match edit_one(&app, kind, &name, expect, force, edit).await? {
        Defining::Done(_) => Ok(StatusCode::NO_CONTENT.into_response()),
        other => Err(refuse(&app, kind, &name, other)),
    }
}

macro_rules! kind_routes {
    ($module:ident, $kind:expr, $spec:ty, $tag:literal, $all:literal, $one:literal) => {
        mod $module {
            use super::*;

            /// List them, by name.
            #[utoipa::path(get, path = $all, tag = $tag, params(Paging), responses(
                (status = 200, body = Listing<$spec>), (status = 401, body = Problem), (status = 422, body = Problem)))]
            pub(super) async fn list_all(_: Caller, State(app): State<App>, Query(paging): Query<Paging>) -> Result<Response, Problem> {
                list(&app, $kind, &paging)
            }

            /// Make one.
            #[utoipa::path(post, path = $all, tag = $tag, request_body = $spec, responses(
                (status = 201, body = $spec), (status = 400, body = Problem), (status = 409, body = Problem, description = "There is one of that name."),
                (status = 413, body = Problem), (status = 422, body = Problem)))]
            pub(super) async fn create_one(_: Admin, State(app): State<App>, document: Document) -> Result<Response, Problem> {
                create(app, $kind, document).await
            }

            /// One of them. Its `ETag` is good for `If-Match`.
            #[utoipa::path(get, path = $one, tag = $tag, params(("name" = String, Path, max_length = 64)), responses(
                (status = 200, body = $spec), (status = 404, body = Problem)))]
            pub(super) async fn get_one(_: Caller, State(app): State<App>, Path(name): Path<String>) -> Response {
                show(&app, $kind, &name, StatusCode::OK)
            }

            /// Replace one, or make it. Fields left out take their defaults.
            #[utoipa::path(put, path = $one, tag = $tag, params(("name" = String, Path, max_length = 64), ("If-Match" = Option<String>, Header), Force),
                request_body = $spec, responses((status = 200, body = $spec), (status = 201, body = $spec),
                (status = 412, body = Problem, description = "It was changed since you read it."), (status = 422, body = Problem)))]
            pub(super) async fn replace_one(_: Admin, State(app): State<App>, Path(name): Path<String>, headers: HeaderMap, Query(force): Query<Force>, document: Document) -> Result<Response, Problem> {
                replace(app, $kind, name, headers, force, document).await
            }

            /// Change some fields (JSON merge patch); null takes a field back to its default.
            #[utoipa::path(patch, path = $one, tag = $tag, params(("name" = String, Path, max_length = 64), ("If-Match" = Option<String>, Header), Force),
                request_body = Object, responses((status = 200, body = $spec), (status = 404, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
            pub(super) async fn merge_one(_: Admin, State(app): State<App>, Path(name): Path<String>, headers: HeaderMap, Query(force): Query<Force>, document: Document) -> Result<Response, Problem> {
                merge(app, $kind, name, headers, force, document).await
            }

            /// Remove one.
            #[utoipa::path(delete, path = $one, tag = $tag, params(("name" = String, Path, max_length = 64), ("If-Match" = Option<String>, Header), Force), responses(
                (status = 204), (status = 404, body = Problem), (status = 409, body = Problem, description = "Something uses it."), (status = 412, body = Problem)))]
            pub(super) async fn remove_one(_: Admin, State(app): State<App>, Path(name): Path<String>, headers: HeaderMap, Query(force): Query<Force>) -> Result<Response, Problem> {
                remove(app, $kind, name, headers, force).await
            }

            pub(super) fn router() -> OpenApiRouter<App> {
                OpenApiRouter::new()
                    .routes(routes!(list_all, create_one))
                    .routes(routes!(get_one, replace_one, merge_one, remove_one))
            }
        }
    };
}

kind_routes!(
    people,
    Kind::Person,
    crate::definition::PersonSpec,
    "people",
    "/api/v1/people",
    "/api/v1/people/{name}"
);
kind_routes!(
    teams,
    Kind::Team,
    crate::definition::TeamSpec,
    "teams",
    "/api/v1/teams",
    "/api/v1/teams/{name}"
);
kind_routes!(
    periods,
    Kind::Period,
    crate::definition::PeriodSpec,
    "periods",
    "/api/v1/periods",
    "/api/v1/periods/{name}"
);
kind_routes!(
    rotations,
    Kind::Rotation,
    crate::definition::RotationSpec,
    "rotations",
    "/api/v1/rotations",
    "/api/v1/rotations/{name}"
);
kind_routes!(
    schedules,
    Kind::Schedule,
    crate::definition::ScheduleSpec,
    "schedules",
    "/api/v1/schedules",
    "/api/v1/schedules/{name}"
);
kind_routes!(
    escalation_plans,
    Kind::EscalationPlan,
    crate::definition::EscalationPlanSpec,
    "escalation plans",
    "/api/v1/escalation-plans",
    "/api/v1/escalation-plans/{name}"
);
kind_routes!(
    integrations,
    Kind::Integration,
    crate::definition::IntegrationSpec,
    "integrations",
    "/api/v1/integrations",
    "/api/v1/integrations/{name}"
);

kind_routes!(
    heartbeats,
    Kind::Heartbeat,
    crate::definition::HeartbeatSpec,
    "heartbeats",
    "/api/v1/heartbeats",
    "/api/v1/heartbeats/{name}"
);

pub(super) fn router() -> OpenApiRouter<App> {
    people::router()
        .merge(teams::router())
        .merge(periods::router())
        .merge(rotations::router())
        .merge(schedules::router())
        .merge(escalation_plans::router())
        .merge(integrations::router())
        .merge(heartbeats::router())
}
