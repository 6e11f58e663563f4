//! Alerts: list, one with its story, and what may be done to them.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use escalation::alert::{Audience, Status, Verdict};
use escalation::event::{Input, Via};
use escalation::name::Name;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_view::{AlertDetailView, AlertView};
use super::definitions::{Listing, read_limit};
use crate::definition::{Lines, Problems};
use crate::http::App;
use crate::http::body::{Document, Path, Query};
use crate::http::problem::Problem;
use crate::reply::tell;
use crate::store::{AlertFilter, AlertRef, Caller};

/// Which alerts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AlertQuery {
    /// `open` (the default), `all`, or some of `triggered,acknowledged,unanswered,snoozed,silenced,resolved`.
    #[param(max_length = 100, example = "open")]
    status: Option<String>,
    /// Only those for this team.
    #[param(max_length = 64)]
    team: Option<String>,
    /// Only those for this person alone.
    #[param(max_length = 64)]
    person: Option<String>,
    /// Only those of this integration.
    #[param(max_length = 100)]
    integration: Option<String>,
    /// Only those with this dedup key.
    #[param(max_length = 512)]
    dedup_key: Option<String>,
    /// How many at most: 1 to 500, default 100.
    #[param(minimum = 1, maximum = 500, value_type = Option<u32>)]
    limit: Option<String>,
    /// `next_cursor` of the page before.
    #[param(max_length = 100)]
    cursor: Option<String>,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActedView {
    /// The alert afterwards.
    #[serde(flatten)]
    pub alert: AlertView,
    /// What came of it, in a sentence.
    pub message: String,
}

/// How to acknowledge.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AcknowledgeSpec {
    /// Take it over if somebody else has it.
    take_over: bool,
}

/// How to escalate.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EscalateSpec {
    /// The step to fire, from 1. Without it: the next.
    #[schema(minimum = 1, maximum = 500)]
    step: Option<u16>,
}

/// A note.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoteSpec {
    /// What to remember.
    #[schema(min_length = 1, max_length = 4096)]
    text: String,
}

fn read_status(text: Option<&str>) -> Result<Vec<Status>, Problem> {
    let open = || Status::ALL.into_iter().filter(|status| *status != Status::Resolved).collect();
    match text {
        None | Some("open") => Ok(open()),
        Some("all") => Ok(Vec::new()),
        Some(words) => words
            .split(',')
            .map(|word| {
                Status::ALL.into_iter().find(|known| known.word() == word).ok_or_else(|| {
                    Problem::field(
                        "status",
                        "is \"open\", \"all\", or some of \"triggered,acknowledged,unanswered,snoozed,silenced,resolved\"",
                    )
                })
            })
            .collect(),
    }
}

/// List alerts, newest first.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(AlertQuery), responses(
    (status = 200, body = Listing<AlertView>), (status = 422, body = Problem)))]
async fn list_alerts(
    _: Caller,
    State(app): State<App>,
    Query(query): Query<AlertQuery>,
) -> Result<Response, Problem> {
    let limit = read_limit(query.limit.as_deref())?;
    let name =
        |field: &str, text: &str| Name::new(text).map_err(|wrong| Problem::field(field, wrong.to_string()));
    let audience = match (&query.team, &query.person) {
        (Some(_), Some(_)) => {
            return Err(Problem::field(
                "person",
                "an alert is for a team or for a person; ask for one of them",
            ));
        }
        (Some(team), None) => Some(Audience::Team(name("team", team)?)),
        (None, Some(person)) => Some(Audience::Person(name("person", person)?)),
        (None, None) => None,
    };
    let before = match query.cursor.as_deref().map(str::parse) {
        None => None,
        Some(Ok(number)) => Some(number),
        Some(Err(_)) => {
            return Err(Problem::field("cursor", "is no cursor of ours; send next_cursor as you got it"));
        }
    };
    let filter = AlertFilter {
        status: read_status(query.status.as_deref())?,
        audience,
        integration: query.integration,
        dedup_key: query.dedup_key,
        before,
        // One more, to know whether there is a next page.
        limit: limit + 1,
    };
    let mut alerts = app.store.alerts(filter).await?;
    let is_more = alerts.len() > limit;
    alerts.truncate(limit);
    let next_cursor = alerts.last().filter(|_| is_more).map(|last| last.number.to_string());
    let items: Vec<_> = alerts.iter().map(|alert| AlertView::of(alert, &app)).collect();
    Ok(Json(Listing { items, next_cursor }).into_response())
}

pub(super) fn read_ref(id: &str) -> Result<AlertRef, Problem> {
    id.parse().map_err(|_| no_alert(id))
}

pub(super) fn no_alert(id: &str) -> Problem {
    let shown: String = id.chars().take(64).collect();
    Problem::not_found(format!("there is no alert \"{shown}\"; write its number or its id"))
}

/// One alert, with its story and what comes next.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts", params(("id" = String, Path, description = "id or number")),
    responses((status = 200, body = AlertDetailView), (status = 404, body = Problem)))]
async fn get_alert(_: Caller, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let record = app.store.alert(read_ref(&id)?).await?.ok_or_else(|| no_alert(&id))?;
    Ok(Json(AlertDetailView::of(&record, &app)).into_response())
}

async fn act(app: &App, caller: &Caller, id: &str, input: Input) -> Result<Response, Problem> {
    let acted = app.store.act(read_ref(id)?, input).await?.ok_or_else(|| no_alert(id))?;
    if let Verdict::Refused(why) = acted.verdict {
        return Err(Problem::conflict(why));
    }
    let message = tell(&acted, caller.person.as_ref());
    Ok(Json(ActedView { alert: AlertView::of(&acted.alert, app), message }).into_response())
}

/// Carries out what is not an answer, and says so.
pub(super) async fn done(
    app: &App,
    id: &str,
    input: Input,
    say: impl FnOnce(u64) -> String,
) -> Result<Response, Problem> {
    let acted = app.store.act(read_ref(id)?, input).await?.ok_or_else(|| no_alert(id))?;
    let number = acted.alert.number;
    let message = match acted.verdict {
        Verdict::Refused(why) => return Err(Problem::conflict(why)),
        Verdict::Already => format!("Nothing to do: #{number} is so already."),
        Verdict::Done | Verdict::HasIt(_) => say(number),
    };
    Ok(Json(ActedView { alert: AlertView::of(&acted.alert, app), message }).into_response())
}

/// Acknowledge: "I have it". Nobody is paged any more.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/acknowledge", tag = "alerts", params(("id" = String, Path, description = "id or number")),
    request_body = Option<AcknowledgeSpec>, responses(
    (status = 200, body = ActedView, description = "Somebody has it: see `acknowledged` for who."), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn acknowledge(
    caller: Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let spec: AcknowledgeSpec = document.read()?;
    let by = app.actor(&caller, Via::Api);
    act(&app, &caller, &id, Input::Acknowledge { by, take_over: spec.take_over }).await
}

/// Give an alert back: people are paged again, from the step that it had reached.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/unacknowledge", tag = "alerts", params(("id" = String, Path, description = "id or number")),
    responses((status = 200, body = ActedView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn unacknowledge(
    caller: Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let by = app.actor(&caller, Via::Api);
    act(&app, &caller, &id, Input::Unacknowledge(by)).await
}

/// Resolve: the problem is gone.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/resolve", tag = "alerts", params(("id" = String, Path, description = "id or number")),
    responses((status = 200, body = ActedView), (status = 404, body = Problem)))]
async fn resolve(
    caller: Caller,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let by = app.actor(&caller, Via::Api);
    act(&app, &caller, &id, Input::Resolve(by)).await
}

/// Escalate: the next, or a chosen, step fires now. An acknowledged alert is triggered again.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/escalate", tag = "alerts", params(("id" = String, Path, description = "id or number")),
    request_body = Option<EscalateSpec>, responses((status = 200, body = ActedView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn escalate(
    caller: Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let spec: EscalateSpec = document.read()?;
    let to = match spec.step {
        None => None,
        Some(0) => return Err(Problem::field("step", "steps are counted from 1")),
        Some(step) => Some(step - 1),
    };
    let by = app.actor(&caller, Via::Api);
    act(&app, &caller, &id, Input::Escalate { by, to }).await
}

/// Write something on an alert's timeline.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/notes", tag = "alerts", params(("id" = String, Path, description = "id or number")),
    request_body = NoteSpec, responses((status = 200, body = ActedView), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn note(
    caller: Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let spec: NoteSpec = document.read()?;
    let mut problems = Problems::default();
    problems.text("text", spec.text.trim(), 1..=4096, Lines::Many);
    problems.finish().map_err(Problem::invalid)?;
    let by = app.actor(&caller, Via::Api);
    let text = spec.text.trim().to_owned();
    let acted =
        app.store.act(read_ref(&id)?, Input::Note { by, text }).await?.ok_or_else(|| no_alert(&id))?;
    let message = format!("Noted on #{}.", acted.alert.number);
    Ok(Json(ActedView { alert: AlertView::of(&acted.alert, &app), message }).into_response())
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_alerts))
        .routes(routes!(get_alert))
        .routes(routes!(acknowledge))
        .routes(routes!(unacknowledge))
        .routes(routes!(resolve))
        .routes(routes!(escalate))
        .routes(routes!(note))
}
