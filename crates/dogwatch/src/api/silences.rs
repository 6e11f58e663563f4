//! Silences and maintenance windows: list, make, change, end; and what a silence would have held back.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use escalation::event::{Severity, Via};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::alert_view::AlertView;
use super::definitions::{missing, refuse};
use crate::definition::time::{parse_instant, parse_moment, print_instant};
use crate::definition::{Kind, MaintenanceSpec, MatchSpec, SilenceSpec, Write, read_json};
use crate::http::App;
use crate::http::body::{Document, Query};
use crate::http::problem::Problem;
use crate::store::{Caller, Defining, Edit, Expect};

/// How far in the past "from" may lie: somebody filled in a form.
const SLACK: SignedDuration = SignedDuration::from_secs(60);
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

/// A silence to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSilence {
    /// Which alerts: those that have all of what is named.
    #[serde(rename = "match")]
    matches: MatchSpec,
    /// The first instant, or a time on the clocks of `zone`. Default: now.
    #[serde(default)]
    #[schema(max_length = 40, example = "2026-12-24 08:00")]
    from: Option<String>,
    /// The first instant after it, at most 30 days later; or `for`.
    #[serde(default)]
    #[schema(max_length = 40, example = "2026-12-24 10:00")]
    until: Option<String>,
    /// How long: `1s` to `7d`.
    #[serde(default, rename = "for")]
    #[schema(max_length = 20, example = "2h")]
    length: Option<String>,
    /// Only within this period.
    #[serde(default)]
    #[schema(max_length = 255)]
    period: Option<String>,
    /// The zone in which the period and the times are read. Default: that of whoever asks, else UTC.
    #[serde(default)]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    zone: Option<String>,
    /// Why.
    #[schema(min_length = 1, max_length = 200, example = "the disks are being exchanged")]
    reason: String,
}

/// A maintenance window to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMaintenance {
    /// The team; or `integration`.
    #[serde(default)]
    #[schema(max_length = 64, example = "ops")]
    team: Option<String>,
    /// The integration.
    #[serde(default)]
    #[schema(max_length = 64)]
    integration: Option<String>,
    /// The first instant, or a time on the clocks of `zone`. Default: now.
    #[serde(default)]
    #[schema(max_length = 40)]
    from: Option<String>,
    /// The first instant after it, at most 30 days later; or `for`. With a period there need be no end.
    #[serde(default)]
    #[schema(max_length = 40)]
    until: Option<String>,
    /// How long: `1s` to `7d`.
    #[serde(default, rename = "for")]
    #[schema(max_length = 20, example = "2h")]
    length: Option<String>,
    /// Again and again within this period.
    #[serde(default)]
    #[schema(max_length = 255, example = "nightly-backup")]
    period: Option<String>,
    /// The zone in which the period and the times are read. Default: that of whoever asks, else UTC.
    #[serde(default)]
    #[schema(max_length = 64, example = "Europe/Berlin")]
    zone: Option<String>,
    /// Why.
    #[schema(min_length = 1, max_length = 200, example = "the nightly backup")]
    reason: String,
}

/// What is to be another from now on; what is not named stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Another end: an instant, or a time on the clocks of the zone.
    #[serde(default)]
    #[schema(max_length = 40)]
    until: Option<String>,
    /// How long from now on: `1s` to `7d`.
    #[serde(default, rename = "for")]
    #[schema(max_length = 20, example = "2h")]
    length: Option<String>,
    /// Another reason.
    #[serde(default)]
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// A silence or a maintenance window, and how it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuietView<T> {
    /// As it was made.
    #[serde(flatten)]
    pub spec: T,
    /// `active` (it holds now), `planned` (it will), or `over`.
    pub state: &'static str,
    /// When it begins next; while planned.
    pub begins_at: Option<String>,
    /// When it ends, or its period does; while active.
    pub ends_at: Option<String>,
}

/// All of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct QuietsView<T> {
    /// By name.
    pub items: Vec<QuietView<T>>,
}

/// Which alerts a silence would hold back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewSpec {
    /// Which alerts: those that have all of what is named.
    #[serde(rename = "match")]
    matches: MatchSpec,
}

/// What a silence would have held back in the last seven days.
#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewView {
    /// Since when is counted.
    since: String,
    /// How many reports.
    reports: u64,
    /// How many alerts they are of.
    alerts: u64,
    /// How many of these were critical: a silence holds those back, too.
    critical: u64,
    /// The newest of these alerts, at most ten.
    examples: Vec<AlertView>,
}

/// What both kinds have in common.
trait Quiet: Serialize + DeserializeOwned + Clone {
    const KIND: Kind;
    fn times(&mut self) -> (&mut String, &mut Option<String>, &mut String);
    fn zone(&self) -> Option<&str>;
}

impl Quiet for SilenceSpec {
    const KIND: Kind = Kind::Silence;
    fn times(&mut self) -> (&mut String, &mut Option<String>, &mut String) {
        (&mut self.from, &mut self.until, &mut self.reason)
    }
    fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }
}

impl Quiet for MaintenanceSpec {
    const KIND: Kind = Kind::Maintenance;
    fn times(&mut self) -> (&mut String, &mut Option<String>, &mut String) {
        (&mut self.from, &mut self.until, &mut self.reason)
    }
    fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }
}

/// Times as whoever asks wrote them.
struct Wanted<'a> {
    app: &'a App,
    caller: &'a Caller,
    zone: Option<&'a str>,
}

impl Wanted<'_> {
    fn moment(&self, field: &str, text: &str) -> Result<Timestamp, Problem> {
        let zone = match self.zone {
            Some(zone) => {
                rota::zone::find(zone).map_err(|wrong| Problem::field("zone", wrong.to_string()))?
            }
            None => self.app.zone_of(self.caller),
        };
        parse_moment(text, &zone).map_err(|wrong| Problem::field(field, wrong))
    }

    fn from(&self, from: Option<&str>) -> Result<Timestamp, Problem> {
        let now = self.app.clock.now();
        let from = from.map(|text| self.moment("from", text)).transpose()?.unwrap_or(now);
        if from < now - SLACK {
            return Err(Problem::field("from", "is in the past; what was, stays as it was"));
        }
        Ok(from)
    }

    fn until(
        &self,
        from: Timestamp,
        until: Option<&str>,
        length: Option<&str>,
    ) -> Result<Option<Timestamp>, Problem> {
        let (field, until) = match (until, length) {
            (Some(_), Some(_)) => return Err(Problem::field("for", "write either \"for\" or \"until\"")),
            (None, None) => return Ok(None),
            (Some(text), None) => ("until", self.moment("until", text)?),
            (None, Some(length)) => {
                let length = escalation::duration::parse(length);
                ("for", from + length.map_err(|wrong| Problem::field("for", wrong.to_string()))?)
            }
        };
        if until <= self.app.clock.now() {
            return Err(Problem::field(field, "ends in the past; write a later time"));
        }
        Ok(Some(until))
    }
}

fn view<T: Quiet>(app: &App, spec: T) -> QuietView<T> {
    let (definitions, now) = (app.store.definitions(), app.clock.now());
    let name = json!(spec)["name"].as_str().unwrap_or_default().to_owned();
    let silence = definitions.directory().silences.get(name.as_str());
    let show = |at: Option<Timestamp>| at.map(print_instant);
    let (state, begins_at, ends_at) = match silence {
        Some(silence) if silence.is_in_force(now) => ("active", None, silence.ends(now)),
        Some(silence) => match silence.next_begin(now) {
            Some(at) => ("planned", Some(at), None),
            None => ("over", None, None),
        },
        None => ("over", None, None),
    };
    QuietView { spec, state, begins_at: show(begins_at), ends_at: show(ends_at) }
}

fn stored<T: Quiet>(app: &App, name: &str) -> Result<T, Problem> {
    let definitions = app.store.definitions();
    let defined = definitions.get(T::KIND, name).ok_or_else(|| missing(app, T::KIND, name))?;
    read_json(defined.body.clone()).map_err(Problem::invalid)
}

fn list<T: Quiet>(app: &App, which: &Which) -> Result<Response, Problem> {
    let with_past = match which.past.as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Problem::field("past", "is \"true\" or \"false\"")),
    };
    let definitions = app.store.definitions();
    let bodies = definitions.list(T::KIND, "").map(|(_, defined)| defined.body.clone());
    let specs = bodies.filter_map(|body| read_json::<T>(body).ok());
    let views = specs.map(|spec| view(app, spec));
    let items = views.filter(|view| with_past || view.state != "over").collect();
    Ok(Json(QuietsView { items }).into_response())
}

async fn put<T: Quiet>(app: &App, spec: &T) -> Result<(), Problem> {
    edit(app, T::KIND, json!(spec)).await
}

async fn edit(app: &App, kind: Kind, body: Value) -> Result<(), Problem> {
    let name = body["name"].as_str().unwrap_or_default().to_owned();
    let write = Write::Put { kind, body };
    match app.store.define_all(vec![Edit { name: name.clone(), expect: Expect::Any, write }]).await? {
        Defining::Done(_) => Ok(()),
        other => Err(refuse(app, kind, &name, other)),
    }
}

async fn change<T: Quiet>(
    app: &App,
    caller: &Caller,
    name: &str,
    change: Change,
) -> Result<Response, Problem> {
    let mut spec: T = stored(app, name)?;
    if view(app, spec.clone()).state == "over" {
        return Err(Problem::conflict("it is over; what was, stays as it was: make a new one"));
    }
    let zone = spec.zone().map(ToOwned::to_owned);
    let wanted = Wanted { app, caller, zone: zone.as_deref() };
    let until = wanted.until(app.clock.now(), change.until.as_deref(), change.length.as_deref())?;
    let (_, end, reason) = spec.times();
    if let Some(until) = until {
        *end = Some(print_instant(until));
    }
    if let Some(new) = change.reason {
        *reason = new;
    }
    put(app, &spec).await?;
    Ok(Json(view(app, spec)).into_response())
}

/// What has begun ends now, what has not is taken back.
async fn end<T: Quiet>(app: &App, name: &str) -> Result<Response, Problem> {
    let mut spec: T = stored(app, name)?;
    let now = app.clock.now();
    let (from, until, _) = spec.times();
    let has_begun = parse_instant(from).is_ok_and(|from| from < now);
    let is_over = until.as_deref().is_some_and(|until| parse_instant(until).is_ok_and(|until| until <= now));
    if is_over {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    if has_begun {
        *until = Some(print_instant(now));
        put(app, &spec).await?;
    } else {
        let write = Write::Remove { kind: T::KIND, name: name.to_owned() };
        let edits = vec![Edit { name: name.to_owned(), expect: Expect::Any, write }];
        match app.store.define_all(edits).await? {
            Defining::Done(_) => {}
            other => return Err(refuse(app, T::KIND, name, other)),
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Make a silence: alerts that match page nobody while it holds, and whoever is on call then when it ends.
#[utoipa::path(post, path = "/api/v1/silences", tag = "silences", request_body = NewSilence,
    responses((status = 201, body = QuietView<SilenceSpec>), (status = 422, body = Problem)))]
async fn make_silence(
    caller: Caller,
    State(app): State<App>,
    document: Document,
) -> Result<Response, Problem> {
    let new: NewSilence = document.read()?;
    let wanted = Wanted { app: &app, caller: &caller, zone: new.zone.as_deref() };
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

/// The zone that is stored: only a period needs one.
fn zone_of_period(app: &App, caller: &Caller, zone: Option<String>, period: Option<&str>) -> Option<String> {
    period?;
    zone.or_else(|| app.zone_of(caller).iana_name().map(ToOwned::to_owned))
}

/// Make a maintenance window: a team or a sender is quiet, once or again and again.
#[utoipa::path(post, path = "/api/v1/maintenance-windows", tag = "silences", request_body = NewMaintenance,
    responses((status = 201, body = QuietView<MaintenanceSpec>), (status = 422, body = Problem)))]
async fn make_maintenance(
    caller: Caller,
    State(app): State<App>,
    document: Document,
) -> Result<Response, Problem> {
    let new: NewMaintenance = document.read()?;
    let wanted = Wanted { app: &app, caller: &caller, zone: new.zone.as_deref() };
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
        examples: examples.map(|(alert, _)| AlertView::of(alert, &app.public_url)).collect(),
    };
    Ok(Json(view).into_response())
}

macro_rules! quiet_routes {
    ($module:ident, $spec:ty, $all:literal, $one:literal) => {
        mod $module {
            use super::*;

            /// Those that hold or are planned.
            #[utoipa::path(get, path = $all, tag = "silences", params(Which),
                responses((status = 200, body = QuietsView<$spec>)))]
            pub(super) async fn all(_: Caller, State(app): State<App>, Query(which): Query<Which>) -> Result<Response, Problem> {
                list::<$spec>(&app, &which)
            }

            /// One of them.
            #[utoipa::path(get, path = $one, tag = "silences", params(("name" = String, Path, max_length = 64)),
                responses((status = 200, body = QuietView<$spec>), (status = 404, body = Problem)))]
            pub(super) async fn one(_: Caller, State(app): State<App>, Path(name): Path<String>) -> Result<Response, Problem> {
                let spec: $spec = stored(&app, &name)?;
                Ok(Json(view(&app, spec)).into_response())
            }

            /// Change when it ends, or why it is: open alerts are looked at again at once.
            #[utoipa::path(patch, path = $one, tag = "silences", params(("name" = String, Path, max_length = 64)), request_body = Change,
                responses((status = 200, body = QuietView<$spec>), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
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

quiet_routes!(silences, SilenceSpec, "/api/v1/silences", "/api/v1/silences/{name}");
quiet_routes!(windows, MaintenanceSpec, "/api/v1/maintenance-windows", "/api/v1/maintenance-windows/{name}");

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(silences::all, make_silence))
        .routes(routes!(preview))
        .routes(routes!(silences::one, silences::patch, silences::remove))
        .routes(routes!(windows::all, make_maintenance))
        .routes(routes!(windows::one, windows::patch, windows::remove))
}
