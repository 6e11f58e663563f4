//! Putting alerts aside, passing them on, asking more people, making one of several.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use escalation::alert::{Audience, MAX_MERGED, MAX_SNOOZE};
use escalation::event::{Input, Via};
use escalation::name::Name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_view::AlertView;
use super::alerts::{ActedView, done, no_alert, read_ref};
use crate::definition::time::parse_moment;
use crate::definition::{Kind, Problems};
use crate::http::App;
use crate::http::body::{Document, Path};
use crate::http::problem::Problem;
use crate::store::outgoing::Following;
use crate::store::{AlertRef, Caller, Merging};

/// How long to put it aside.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SnoozeSpec {
    /// For how long: `1s` to `7d`; or `until`.
    #[serde(default, rename = "for")]
    #[schema(max_length = 20, example = "2h")]
    length: Option<String>,
    /// Until when: an instant, or a time on the clocks of whoever asks.
    #[serde(default)]
    #[schema(max_length = 40, example = "2026-12-24 08:00")]
    until: Option<String>,
}

/// Whom to pass it on to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReassignSpec {
    /// A team; or `person`.
    #[serde(default)]
    #[schema(max_length = 64, example = "web")]
    team: Option<String>,
    /// A person alone.
    #[serde(default)]
    #[schema(max_length = 64)]
    person: Option<String>,
}

/// Whom to ask besides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResponderSpec {
    /// The person.
    #[schema(max_length = 64, example = "carol")]
    person: String,
}

/// What goes into the alert.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeSpec {
    /// The ids or numbers of the others.
    #[schema(min_items = 1, max_items = 50, example = json!(["8", "9"]))]
    alerts: Vec<String>,
}

/// Reads the name of a person or team that has to be there.
fn known(app: &App, kind: Kind, field: &str, text: &str) -> Result<Name, Problem> {
    let definitions = app.store.definitions();
    let mut problems = Problems::default();
    if definitions.get(kind, text).is_none() {
        let shown: String = text.chars().take(64).collect();
        problems.unknown(field, kind, &shown, definitions.names(kind));
    }
    problems.finish().map_err(Problem::invalid)?;
    Name::new(text).map_err(|wrong| Problem::field(field, wrong.to_string()))
}

/// Put it aside: nobody is paged until then, and then whoever is on call then.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/snooze", tag = "alerts", params(("id" = String, Path, description = "id or number")),
    request_body = SnoozeSpec, responses((status = 200, body = ActedView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn snooze(
    caller: Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let spec: SnoozeSpec = document.read()?;
    let now = app.clock.now();
    let (field, until) = match (spec.length, spec.until) {
        (Some(length), None) => {
            let length = escalation::duration::parse(&length);
            ("for", now + length.map_err(|wrong| Problem::field("for", wrong.to_string()))?)
        }
        (None, Some(until)) => {
            let zone = app.zone_of(&caller);
            ("until", parse_moment(&until, &zone).map_err(|wrong| Problem::field("until", wrong))?)
        }
        _ => return Err(Problem::field("for", "write either \"for\" or \"until\"")),
    };
    if until <= now || until.duration_since(now) > MAX_SNOOZE {
        return Err(Problem::field(field, "has to end in the future, seven days from now at most"));
    }
    let by = app.actor(&caller, Via::Api);
    done(&app, &id, Input::Snooze { by, until }, |number| {
        format!("#{number} is put aside. Whoever is on call then is paged, if it is still open.")
    })
    .await
}

/// Pass it on: everybody who is paged now need not answer any more, and the other plan begins at its first step.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/reassign", tag = "alerts", params(("id" = String, Path, description = "id or number")),
    request_body = ReassignSpec, responses((status = 200, body = ActedView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn reassign(
    caller: Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let spec: ReassignSpec = document.read()?;
    let to = match (&spec.team, &spec.person) {
        (Some(team), None) => Audience::Team(known(&app, Kind::Team, "team", team)?),
        (None, Some(person)) => Audience::Person(known(&app, Kind::Person, "person", person)?),
        _ => {
            return Err(Problem::field(
                "team",
                "write either the team or the person that it is passed on to",
            ));
        }
    };
    let by = app.actor(&caller, Via::Api);
    let whom = to.name().to_string();
    done(&app, &id, Input::Reassign { by, to }, |number| {
        format!("#{number} is passed on to {whom}. Whoever was paged is told.")
    })
    .await
}

/// Ask one more person, who has to answer for himself, whoever else has it.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/responders", tag = "alerts", params(("id" = String, Path, description = "id or number")),
    request_body = ResponderSpec, responses((status = 200, body = ActedView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn add_responder(
    caller: Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let spec: ResponderSpec = document.read()?;
    let person = known(&app, Kind::Person, "person", &spec.person)?;
    let full_name = app.store.definitions().directory().full_name(&person).to_owned();
    let by = app.actor(&caller, Via::Api);
    done(&app, &id, Input::AddResponder { by, person }, |number| {
        format!("{full_name} is asked for #{number}.")
    })
    .await
}

/// Make one alert of several: the others end, and what is reported of them is counted on this one.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/merge", tag = "alerts", params(("id" = String, Path, description = "id or number of the alert that goes on")),
    request_body = MergeSpec, responses((status = 200, body = ActedView), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn merge(
    caller: Caller,
    State(app): State<App>,
    Path(id): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    let spec: MergeSpec = document.read()?;
    if !(1..=MAX_MERGED).contains(&spec.alerts.len()) {
        return Err(Problem::field("alerts", format!("name 1 to {MAX_MERGED} alerts that go into this one")));
    }
    let into = read_ref(&id)?;
    let mut others: Vec<AlertRef> = Vec::new();
    for (index, text) in spec.alerts.iter().enumerate() {
        let other = text
            .parse()
            .map_err(|_| Problem::field(&format!("alerts[{index}]"), "is no number and no id of an alert"))?;
        others.push(other);
    }
    let by = app.actor(&caller, Via::Api);
    match app.store.merge(into, others.clone(), by).await? {
        Merging::Done(acted) => {
            let count = match others.len() {
                1 => "Another alert goes".to_owned(),
                many => format!("{many} other alerts go"),
            };
            let message = format!("{count} on as #{}.", acted.alert.number);
            let alert = AlertView::of(&acted.alert, &app);
            Ok(Json(ActedView { alert, message }).into_response())
        }
        Merging::Missing(missing) if missing == into => Err(no_alert(&id)),
        Merging::Missing(missing) => {
            let index = others.iter().position(|other| *other == missing).unwrap_or_default();
            Err(Problem::field(&format!("alerts[{index}]"), "there is no such alert"))
        }
        Merging::Refused(why) => Err(Problem::conflict(why)),
    }
}

/// Who follows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct FollowersView {
    /// Names of people.
    people: Vec<String>,
}

/// Who wants to know what becomes of it.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/subscribers", tag = "alerts", params(("id" = String, Path, description = "id or number")),
    responses((status = 200, body = FollowersView), (status = 404, body = Problem)))]
async fn followers(_: Caller, State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let alert = app.store.alert(read_ref(&id)?).await?.ok_or_else(|| no_alert(&id))?;
    let people = app.store.followers(alert.state.alert.id).await?;
    Ok(Json(FollowersView { people: people.iter().map(ToString::to_string).collect() }).into_response())
}

/// Tell somebody what becomes of it: through a contact that does not speak aloud, without asking for an answer.
#[utoipa::path(put, path = "/api/v1/alerts/{id}/subscribers/{person}", tag = "alerts",
    params(("id" = String, Path, description = "id or number"), ("person" = String, Path, max_length = 64)),
    responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn follow(
    caller: Caller,
    State(app): State<App>,
    Path((id, person)): Path<(String, String)>,
) -> Result<Response, Problem> {
    set_following(&caller, &app, &id, &person, true).await
}

/// Tell somebody no more of what becomes of it.
#[utoipa::path(delete, path = "/api/v1/alerts/{id}/subscribers/{person}", tag = "alerts",
    params(("id" = String, Path, description = "id or number"), ("person" = String, Path, max_length = 64)),
    responses((status = 204), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn unfollow(
    caller: Caller,
    State(app): State<App>,
    Path((id, person)): Path<(String, String)>,
) -> Result<Response, Problem> {
    set_following(&caller, &app, &id, &person, false).await
}

async fn set_following(
    caller: &Caller,
    app: &App,
    id: &str,
    person: &str,
    follows: bool,
) -> Result<Response, Problem> {
    let person = known(app, Kind::Person, "person", person)?;
    if !caller.is_admin() && caller.person.as_ref() != Some(&person) {
        return Err(Problem::forbidden("only that person, or an administrator, may say what he is told"));
    }
    match app.store.follow(read_ref(id)?, person, follows).await? {
        Following::Done => Ok(StatusCode::NO_CONTENT.into_response()),
        Following::NoAlert => Err(no_alert(id)),
    }
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(snooze))
        .routes(routes!(reassign))
        .routes(routes!(add_responder))
        .routes(routes!(merge))
        .routes(routes!(followers))
        .routes(routes!(follow, unfollow))
}
