//! One schedule: who is on call now and until when, the picture, gaps and overrides, and what may be done.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;

use super::hours::zone_words;
use super::layout::Frame;
use super::person_colour::Colours;
use super::schedule_teller::{OverrideRow, RoleView, Teller};
use super::schedule_view::View;
use super::{Place, Viewer, error_page, show, unavailable, url};
use crate::definition::{Kind, Lies, OverrideSpec};
use crate::duty::Roster;
use crate::http::App;
use crate::store::StoreError;
use crate::takeover;

/// What a page says at its top, after a form.
#[derive(Clone, Debug, Default)]
pub(super) enum Said {
    /// Nothing: it is only looked at.
    #[default]
    Nothing,
    /// It was not done, and why.
    Refused(u16, String),
}

#[derive(Template)]
#[template(path = "schedule.html")]
struct SchedulePage {
    frame: Frame,
    heading: String,
    description: String,
    said: String,
    refused: String,
    path: String,
    view: View,
    zone_words: String,
    zones: Vec<(String, String)>,
    roles: Vec<RoleView>,
    overrides: Vec<OverrideRow>,
    people: Vec<(String, String)>,
    me: String,
    is_admin: bool,
    tomorrow: (String, String),
}

/// There is nothing of that name.
pub(super) fn no_such_schedule() -> Response {
    error_page(
        404,
        "There is no such schedule",
        "It may have been removed; the list of schedules has those that there are.",
    )
}

/// Shows a schedule.
pub(super) async fn render(app: &App, viewer: &Viewer, over: Lies, query: &str, said: Said) -> Response {
    match build(app, viewer, over, query, &said).await {
        Ok(Some(page)) => {
            let status = match said {
                Said::Refused(status, _) => {
                    StatusCode::from_u16(status).unwrap_or(StatusCode::UNPROCESSABLE_ENTITY)
                }
                Said::Nothing => StatusCode::OK,
            };
            (status, show(&page)).into_response()
        }
        Ok(None) => no_such_schedule(),
        Err(error) => unavailable(&error),
    }
}

async fn build(
    app: &App,
    viewer: &Viewer,
    over: Lies,
    query: &str,
    said: &Said,
) -> Result<Option<SchedulePage>, StoreError> {
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let now = app.clock.now();
    let Some(current) = Roster::current(&definitions, over.clone()) else { return Ok(None) };
    let view = View::read(query, viewer, app, current.zone(), now);
    let (from, to) = view.bounds();
    let Some(past) = Roster::since(&app.store, over.clone(), from, now).await? else { return Ok(None) };
    let laid: Vec<(OverrideSpec, Option<Timestamp>)> = definitions
        .overrides(&over)
        .into_iter()
        .map(|spec| {
            let end = takeover::ends(&definitions, &spec);
            (spec, end)
        })
        .filter(|(spec, end)| takeover::from(spec) < to && end.is_none_or(|end| end > from))
        .collect();
    let colours = Colours::of(current.schedule());
    let me = viewer.0.person.as_ref().map(|name| name.to_string()).unwrap_or_default();
    let page = Teller {
        directory,
        view: &view,
        now,
        current: &current,
        past: &past,
        laid: &laid,
        colours: &colours,
    };
    let roles = current.roles();
    let (heading, description) = match &over {
        Lies::Schedule(name) => {
            let spec = definitions.schedule_spec(name);
            (name.clone(), spec.map(|spec| spec.description.clone()).unwrap_or_default())
        }
        Lies::Team(name) => {
            (format!("Team {name}"), "On call in the order of the team's members.".to_owned())
        }
    };
    let own = current.zone().iana_name().unwrap_or("UTC").to_owned();
    let mut zones = vec![("the schedule's".to_owned(), own)];
    if viewer.0.person.is_some() {
        zones.push(("yours".to_owned(), viewer.zone(app)));
    }
    zones.push(("UTC".to_owned(), "UTC".to_owned()));
    let done = url::form_value(query, "did").map(|name| {
        let stored = definitions.get(Kind::Override, &name).map(|defined| defined.body.clone());
        match stored.and_then(|body| crate::definition::read_json::<OverrideSpec>(body).ok()) {
            Some(spec) => page.say(&spec, takeover::ends(&definitions, &spec)),
            None => "It is cancelled.".to_owned(),
        }
    });
    let refused = match said {
        Said::Refused(_, words) => words.clone(),
        Said::Nothing => view.problem.clone().unwrap_or_default(),
    };
    let shown = |hours: i64| {
        let day = rota::zone::date(now + jiff::SignedDuration::from_hours(24), &view.zone);
        format!("{day}T{hours:02}:00")
    };
    Ok(Some(SchedulePage {
        frame: Frame::still(heading.clone(), app, viewer),
        heading,
        description,
        said: done.unwrap_or_default(),
        refused,
        path: url::roster(&over),
        zone_words: zone_words(&view.zone, from, to),
        zones,
        roles: roles.iter().map(|role| page.role(role, &over, &me, viewer.0.is_admin())).collect(),
        overrides: laid
            .iter()
            .rev()
            .map(|(spec, end)| page.override_row(spec, *end, &over, &me, viewer.0.is_admin()))
            .collect(),
        people: directory
            .people
            .keys()
            .map(|name| (name.to_string(), directory.full_name(name).to_owned()))
            .collect(),
        is_admin: viewer.0.is_admin(),
        me,
        tomorrow: (shown(8), shown(18)),
        view,
    }))
}

async fn schedule(
    viewer: Viewer,
    State(app): State<App>,
    Place(name): Place<String>,
    RawQuery(query): RawQuery,
) -> Response {
    render(&app, &viewer, Lies::Schedule(name), &query.unwrap_or_default(), Said::Nothing).await
}

/// A team has a page of this kind while it has no schedule.
async fn team(
    viewer: Viewer,
    State(app): State<App>,
    Place(name): Place<String>,
    RawQuery(query): RawQuery,
) -> Response {
    match app.store.definitions().roster_of(&name) {
        Some(over @ Lies::Schedule(_)) => super::see(&url::roster(&over)),
        _ => render(&app, &viewer, Lies::Team(name), &query.unwrap_or_default(), Said::Nothing).await,
    }
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/schedules/{name}", get(schedule)).route("/teams/{name}/on-call", get(team))
}
