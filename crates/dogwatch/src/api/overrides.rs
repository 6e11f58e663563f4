//! Overrides: cover, swap, take over, hand back; of a schedule, or of a team by its own.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::definitions::missing;
use crate::definition::time::{parse_instant, parse_moment};
use crate::definition::{Kind, Lies, OverrideSpec};
use crate::duty::Roster;
use crate::http::App;
use crate::http::body::{Document, Path, Query};
use crate::http::problem::Problem;
use crate::store::Caller;
use crate::takeover::{self, HandBack, Refusal, Swap, Take, Until};

/// Which overrides.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `true`: also those that are over.
    #[param(value_type = Option<bool>)]
    past: Option<String>,
}

/// Overrides.
#[derive(Debug, Serialize, ToSchema)]
pub struct OverridesView {
    /// In the order in which they were made; of two over the same time the later one wins.
    pub items: Vec<OverrideSpec>,
}

/// Somebody covers a stretch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverSpec {
    /// Who takes it. Default: the person who asks.
    #[schema(max_length = 64, example = "bob")]
    person: Option<String>,
    /// The first instant, or a time on the clocks of the schedule's zone. Default: now.
    #[schema(max_length = 40, example = "2026-12-24 08:00")]
    from: Option<String>,
    /// The first instant after it.
    #[schema(max_length = 40, example = "2026-12-25 08:00")]
    until: String,
    /// Only where this person would be on call. Default: whoever is.
    #[schema(max_length = 64, example = "john")]
    instead_of: Option<String>,
    /// Default: `primary`, or the schedule's first role.
    #[schema(max_length = 64, example = "primary")]
    role: Option<String>,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 200)]
    reason: String,
}

/// "I have it from now on."
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TakeoverSpec {
    /// Who takes it. Default: the person who asks.
    #[schema(max_length = 64, example = "bob")]
    person: Option<String>,
    /// `next_handoff` (the default of a schedule that has one), `released` (until somebody else takes it), or a
    /// time on the clocks of the schedule's zone.
    #[schema(max_length = 40, example = "next_handoff")]
    until: Option<String>,
    /// Default: `primary`, or the schedule's first role.
    #[schema(max_length = 64, example = "primary")]
    role: Option<String>,
    /// Why.
    #[schema(max_length = 200)]
    reason: String,
}

/// What is handed back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HandBackSpec {
    /// Who hands back. Default: the person who asks.
    #[schema(max_length = 64, example = "bob")]
    person: Option<String>,
    /// Default: `primary`, or the schedule's first role.
    #[schema(max_length = 64, example = "primary")]
    role: Option<String>,
}

/// Two people take each other's shift.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapSpec {
    /// One of them, and any time of the shift that this person gives away.
    one: SwapSideSpec,
    /// The other.
    other: SwapSideSpec,
    /// Default: `primary`, or the schedule's first role.
    #[schema(max_length = 64, example = "primary")]
    role: Option<String>,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 200)]
    reason: String,
}

/// A person, and a time of one of the person's shifts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapSideSpec {
    /// Who.
    #[schema(max_length = 64, example = "john")]
    person: String,
    /// An instant, or a time on the clocks of the schedule's zone.
    #[schema(max_length = 40, example = "2026-12-24 12:00")]
    at: String,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Invalid(errors) => Self::invalid(errors),
            Refusal::Forbidden(why) => Self::forbidden(why),
            Refusal::Missing => Self::not_found(refusal.to_string()),
            Refusal::Busy => Self::conflict(refusal.to_string()),
            Refusal::Store(error) => error.into(),
        }
    }
}

/// What is acted upon, and by whom.
struct Place {
    roster: Roster,
    now: Timestamp,
    caller: Caller,
}

impl Place {
    fn schedule(app: &App, caller: Caller, name: &str) -> Result<Self, Problem> {
        Self::over(app, caller, Lies::Schedule(name.to_owned()))
            .ok_or_else(|| missing(app, Kind::Schedule, name))
    }

    fn team(app: &App, caller: Caller, name: &str) -> Result<Self, Problem> {
        let over = app.store.definitions().roster_of(name);
        over.and_then(|over| Self::over(app, caller, over)).ok_or_else(|| missing(app, Kind::Team, name))
    }

    fn over(app: &App, caller: Caller, over: Lies) -> Option<Self> {
        let roster = Roster::current(&app.store.definitions(), over)?;
        Some(Self { roster, now: app.clock.now(), caller })
    }

    fn moment(&self, field: &str, text: &str) -> Result<Timestamp, Problem> {
        parse_moment(text, self.roster.zone()).map_err(|wrong| Problem::field(field, wrong))
    }

    fn role(&self, role: Option<String>) -> String {
        role.unwrap_or_else(|| self.roster.default_role().to_string())
    }

    fn person(&self, person: Option<String>) -> Result<String, Problem> {
        let own = || self.caller.person.as_ref().map(ToString::to_string);
        person.or_else(own).ok_or_else(|| Problem::field("person", "is missing; write who it is"))
    }

    async fn take_over(self, app: &App, spec: TakeoverSpec) -> Result<Response, Problem> {
        let role = self.role(spec.role);
        let until = match spec.until.as_deref() {
            Some("next_handoff") => Until::NextHandoff,
            Some("released") => Until::Released,
            Some(text) => Until::At(self.moment("until", text)?),
            None if self.roster.schedule().next_change(self.now, &role).is_some() => Until::NextHandoff,
            None => Until::Released,
        };
        let take = Take {
            over: self.roster.over.clone(),
            person: self.person(spec.person)?,
            role,
            from: None,
            until,
            instead_of: None,
            reason: spec.reason,
            by: self.caller,
        };
        let made = takeover::take_over(&app.store, self.now, take).await?;
        Ok((StatusCode::CREATED, Json(made)).into_response())
    }

    async fn hand_back(self, app: &App, spec: HandBackSpec) -> Result<Response, Problem> {
        let back = HandBack {
            over: self.roster.over.clone(),
            role: self.role(spec.role),
            person: self.person(spec.person)?,
            by: self.caller,
        };
        let items = takeover::hand_back(&app.store, self.now, back).await?;
        Ok(Json(OverridesView { items }).into_response())
    }

    async fn cover(self, app: &App, spec: CoverSpec) -> Result<Response, Problem> {
        let take = Take {
            over: self.roster.over.clone(),
            role: self.role(spec.role),
            person: self.person(spec.person)?,
            from: spec.from.map(|from| self.moment("from", &from)).transpose()?,
            until: Until::At(self.moment("until", &spec.until)?),
            instead_of: spec.instead_of,
            reason: spec.reason,
            by: self.caller,
        };
        let made = takeover::cover(&app.store, self.now, take).await?;
        Ok((StatusCode::CREATED, Json(made)).into_response())
    }

    async fn swap(self, app: &App, spec: SwapSpec) -> Result<Response, Problem> {
        let one = (spec.one.person, self.moment("one.at", &spec.one.at)?);
        let other = (spec.other.person, self.moment("other.at", &spec.other.at)?);
        let role = self.role(spec.role);
        let over = self.roster.over.clone();
        let swap = Swap { over, role, one, other, reason: spec.reason, by: self.caller };
        let items = takeover::swap(&app.store, self.now, swap).await?.to_vec();
        Ok((StatusCode::CREATED, Json(OverridesView { items })).into_response())
    }

    fn list(&self, app: &App, which: &Which) -> Result<Response, Problem> {
        let with_past = match which.past.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Problem::field("past", "is \"true\" or \"false\"")),
        };
        let mut items = app.store.definitions().overrides(&self.roster.over);
        let is_over = |spec: &OverrideSpec| {
            let until = spec.until.as_deref().and_then(|until| parse_instant(until).ok());
            until.is_some_and(|until| until <= self.now)
        };
        items.retain(|spec| with_past || !is_over(spec));
        Ok(Json(OverridesView { items }).into_response())
    }
}

macro_rules! override_routes {
    ($module:ident, $place:path, $tag:literal, $overrides:literal, $one:literal, $takeover:literal, $hand_back:literal, $swaps:literal) => {
        mod $module {
            use super::*;

            /// Overrides that are not over.
            #[utoipa::path(get, path = $overrides, tag = $tag, params(("name" = String, Path, max_length = 64), Which),
                responses((status = 200, body = OverridesView), (status = 404, body = Problem)))]
            pub(super) async fn list(caller: Caller, State(app): State<App>, Path(name): Path<String>, Query(which): Query<Which>) -> Result<Response, Problem> {
                $place(&app, caller, &name)?.list(&app, &which)
            }

            /// Cover a stretch for somebody, or fill a gap.
            #[utoipa::path(post, path = $overrides, tag = $tag, params(("name" = String, Path, max_length = 64)), request_body = CoverSpec,
                responses((status = 201, body = OverrideSpec), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
            pub(super) async fn cover(caller: Caller, State(app): State<App>, Path(name): Path<String>, document: Document) -> Result<Response, Problem> {
                $place(&app, caller, &name)?.cover(&app, document.read()?).await
            }

            /// End an override: one that has begun ends now, one that has not is taken back.
            #[utoipa::path(delete, path = $one, tag = $tag, params(("name" = String, Path, max_length = 64), ("override" = String, Path, max_length = 64)),
                responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
            pub(super) async fn end(caller: Caller, State(app): State<App>, Path((name, id)): Path<(String, String)>) -> Result<Response, Problem> {
                let place = $place(&app, caller, &name)?;
                let known = app.store.definitions().overrides(&place.roster.over);
                if !known.iter().any(|spec| spec.name == id) {
                    return Err(missing(&app, Kind::Override, &id));
                }
                takeover::end(&app.store, place.now, &id, &place.caller).await?;
                Ok(StatusCode::NO_CONTENT.into_response())
            }

            /// "I have it": from now on, and open pages go along.
            #[utoipa::path(post, path = $takeover, tag = $tag, params(("name" = String, Path, max_length = 64)), request_body = TakeoverSpec,
                responses((status = 201, body = OverrideSpec), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
            pub(super) async fn take_over(caller: Caller, State(app): State<App>, Path(name): Path<String>, document: Document) -> Result<Response, Problem> {
                $place(&app, caller, &name)?.take_over(&app, document.read()?).await
            }

            /// Hand back what was taken: it ends now.
            #[utoipa::path(post, path = $hand_back, tag = $tag, params(("name" = String, Path, max_length = 64)), request_body = HandBackSpec,
                responses((status = 200, body = OverridesView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
            pub(super) async fn hand_back(caller: Caller, State(app): State<App>, Path(name): Path<String>, document: Document) -> Result<Response, Problem> {
                $place(&app, caller, &name)?.hand_back(&app, document.read()?).await
            }

            /// Swap two shifts.
            #[utoipa::path(post, path = $swaps, tag = $tag, params(("name" = String, Path, max_length = 64)), request_body = SwapSpec,
                responses((status = 201, body = OverridesView), (status = 403, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem)))]
            pub(super) async fn swap(caller: Caller, State(app): State<App>, Path(name): Path<String>, document: Document) -> Result<Response, Problem> {
                $place(&app, caller, &name)?.swap(&app, document.read()?).await
            }

            pub(super) fn router() -> OpenApiRouter<App> {
                OpenApiRouter::new()
                    .routes(routes!(list, cover))
                    .routes(routes!(end))
                    .routes(routes!(take_over))
                    .routes(routes!(hand_back))
                    .routes(routes!(swap))
            }
        }
    };
}

override_routes!(
    schedules,
    Place::schedule,
    "schedules",
    "/api/v1/schedules/{name}/overrides",
    "/api/v1/schedules/{name}/overrides/{override}",
    "/api/v1/schedules/{name}/takeover",
    "/api/v1/schedules/{name}/hand-back",
    "/api/v1/schedules/{name}/swaps"
);
override_routes!(
    teams,
    Place::team,
    "teams",
    "/api/v1/teams/{name}/overrides",
    "/api/v1/teams/{name}/overrides/{override}",
    "/api/v1/teams/{name}/takeover",
    "/api/v1/teams/{name}/hand-back",
    "/api/v1/teams/{name}/swaps"
);

pub(super) fn router() -> OpenApiRouter<App> {
    schedules::router().merge(teams::router())
}
