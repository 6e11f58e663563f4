//! Leave: when a person is never on call.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use escalation::event::Via;
use jiff::{SignedDuration, Timestamp};
use rota::period::Interval;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::definitions::{missing, refuse};
use super::on_call::{PersonView, people};
use crate::definition::time::{parse_stretch, print_instant};
use crate::definition::{Definitions, Kind, LeaveSpec, Lies, StretchSpec, Write};
use crate::duty::Roster;
use crate::http::App;
use crate::http::body::{Document, Path};
use crate::http::problem::Problem;
use crate::store::{Caller, Defining, Edit, Expect};

/// How far ahead shifts are looked for that leave hits.
const AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);
/// The most shifts that are named.
const MAX_HITS: usize = 50;

/// Leave to be taken.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLeave {
    /// A day, or a time, as clocks in the person's zone show it; or an instant.
    #[schema(max_length = 40, example = "2026-12-24")]
    from: String,
    /// The last day, or the first time after it.
    #[schema(max_length = 40, example = "2026-12-26")]
    until: String,
    /// Why, as far as others may know.
    #[serde(default)]
    #[schema(max_length = 200)]
    reason: String,
}

/// Leave, and the shifts that it hits.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeaveView {
    /// By this it is ended.
    name: String,
    /// Who is away.
    person: String,
    /// When.
    stretches: Vec<StretchSpec>,
    /// Why.
    reason: String,
    /// The shifts of the next year that somebody else has because of it, or nobody.
    hits: Vec<HitView>,
}

/// A shift that leave hits.
#[derive(Debug, Serialize, ToSchema)]
pub struct HitView {
    /// The schedule, or the team without one.
    on: String,
    /// What for.
    role: String,
    /// The first instant.
    from: String,
    /// The first instant after it.
    until: String,
    /// Who has it instead; nobody: it is a gap.
    instead: Vec<PersonView>,
}

/// All leave of a person.
#[derive(Debug, Serialize, ToSchema)]
pub struct LeavesView {
    /// In no order.
    items: Vec<LeaveView>,
}

fn check_owner(caller: &Caller, name: &str) -> Result<(), Problem> {
    if caller.is_admin() || caller.person.as_ref().is_some_and(|person| person.as_str() == name) {
        Ok(())
    } else {
        Err(Problem::forbidden("leave is taken by the person, or by an administrator"))
    }
}

fn view(definitions: &Definitions, leave: &LeaveSpec, now: Timestamp) -> LeaveView {
    let zone = definitions.zone_of(&leave.person);
    let intervals = leave.shape(&zone).unwrap_or_default();
    LeaveView {
        name: leave.name.clone(),
        person: leave.person.clone(),
        stretches: leave.stretches.clone(),
        reason: leave.reason.clone(),
        hits: hits(definitions, &leave.person, &intervals, now),
    }
}

/// The shifts that somebody would have had.
fn hits(definitions: &Definitions, person: &str, away: &[Interval], now: Timestamp) -> Vec<HitView> {
    let directory = definitions.directory();
    let schedules = directory.schedules.keys().map(|name| Lies::Schedule(name.to_string()));
    let teams = directory.rosters.keys().map(|name| Lies::Team(name.to_string()));
    let end = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let mut hits = Vec::new();
    for over in schedules.chain(teams) {
        let Some(roster) = Roster::current(definitions, over.clone()) else { continue };
        for role in roster.roles() {
            for stretch in away {
                let (from, to) = (stretch.start.max(now), stretch.end.min(end));
                if from >= to {
                    continue;
                }
                for shift in roster.schedule().missed(person, from, to, &role) {
                    if hits.len() < MAX_HITS {
                        hits.push(HitView {
                            on: match &over {
                                Lies::Schedule(name) | Lies::Team(name) => name.clone(),
                            },
                            role: role.to_string(),
                            from: print_instant(shift.from),
                            until: print_instant(shift.until.unwrap_or(to)),
                            instead: people(definitions, &shift.duty.people),
                        });
                    }
                }
            }
        }
    }
    hits
}

/// All leave of a person, with the shifts that it hits.
#[utoipa::path(get, path = "/api/v1/people/{name}/leave", tag = "people", params(("name" = String, Path, max_length = 64)),
    responses((status = 200, body = LeavesView), (status = 404, body = Problem)))]
async fn list_leave(
    _: Caller,
    State(app): State<App>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let definitions = app.store.definitions();
    definitions.get(Kind::Person, &name).ok_or_else(|| missing(&app, Kind::Person, &name))?;
    let now = app.clock.now();
    let items = definitions.leave_of(&name).map(|leave| view(&definitions, leave, now)).collect();
    Ok(Json(LeavesView { items }).into_response())
}

/// Take leave. The answer names the shifts that it hits, and who has them instead.
#[utoipa::path(post, path = "/api/v1/people/{name}/leave", tag = "people", params(("name" = String, Path, max_length = 64)),
    request_body = NewLeave, responses((status = 201, body = LeaveView), (status = 403, body = Problem),
    (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn take_leave(
    caller: Caller,
    State(app): State<App>,
    Path(person): Path<String>,
    document: Document,
) -> Result<Response, Problem> {
    check_owner(&caller, &person)?;
    let new: NewLeave = document.read()?;
    let definitions = app.store.definitions();
    definitions.get(Kind::Person, &person).ok_or_else(|| missing(&app, Kind::Person, &person))?;
    let zone = definitions.zone_of(&person);
    let stretch = parse_stretch(&new.from, &new.until, &zone);
    let stretch = stretch.map_err(|(field, wrong)| Problem::field(field, wrong))?;
    if stretch.end <= app.clock.now() {
        return Err(Problem::field("until", "is in the past; what was, stays as it was"));
    }
    let name = format!("leave-{:016x}", crate::clock::chance());
    let leave = LeaveSpec {
        name: name.clone(),
        person,
        stretches: vec![StretchSpec { from: new.from, until: new.until }],
        reason: new.reason,
        made_by: app.actor(&caller, Via::Api).label,
    };
    put(&app, &leave).await?;
    let definitions = app.store.definitions();
    Ok((StatusCode::CREATED, Json(view(&definitions, &leave, app.clock.now()))).into_response())
}

async fn put(app: &App, leave: &LeaveSpec) -> Result<(), Problem> {
    let write = Write::Put { kind: Kind::Leave, body: json!(leave) };
    edit(app, leave.name.clone(), write).await
}

async fn edit(app: &App, name: String, write: Write) -> Result<(), Problem> {
    match app.store.define_all(vec![Edit { name: name.clone(), expect: Expect::Any, write }]).await? {
        Defining::Done(_) => Ok(()),
        other => Err(refuse(app, Kind::Leave, &name, other)),
    }
}

/// End leave: what has begun ends now, what has not is taken back.
#[utoipa::path(delete, path = "/api/v1/people/{name}/leave/{leave}", tag = "people",
    params(("name" = String, Path, max_length = 64), ("leave" = String, Path, max_length = 64)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn end_leave(
    caller: Caller,
    State(app): State<App>,
    Path((person, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    check_owner(&caller, &person)?;
    let definitions = app.store.definitions();
    let leave = definitions.leave_of(&person).find(|leave| leave.name == name).cloned();
    let mut leave = leave.ok_or_else(|| missing(&app, Kind::Leave, &name))?;
    let (zone, now) = (definitions.zone_of(&person), app.clock.now());
    leave.stretches.retain_mut(|stretch| match parse_stretch(&stretch.from, &stretch.until, &zone) {
        Ok(interval) if interval.start >= now => false,
        Ok(interval) if interval.end > now => {
            *stretch = StretchSpec { from: print_instant(interval.start), until: print_instant(now) };
            print_instant(interval.start) != print_instant(now)
        }
        _ => true,
    });
    if leave.stretches.is_empty() {
        edit(&app, name.clone(), Write::Remove { kind: Kind::Leave, name }).await?;
    } else {
        put(&app, &leave).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_leave, take_leave)).routes(routes!(end_leave))
}
