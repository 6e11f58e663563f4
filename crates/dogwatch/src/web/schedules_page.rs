//! Every schedule: who is on call now, and when nobody will be.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use jiff::SignedDuration;

use super::hours::{moment, stretch, zone_words};
use super::layout::Frame;
use super::on_call::{names, on_call};
use super::{Viewer, show, url};
use crate::definition::Lies;
use crate::duty::Roster;
use crate::http::App;

/// How far gaps are looked for.
const AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);

struct RoleRow {
    /// Empty where there is but one.
    role: String,
    who: String,
    until: String,
    then: String,
    is_gap: bool,
    gaps: usize,
    /// The first gap.
    gap: String,
}

struct ScheduleRow {
    name: String,
    path: String,
    zone: String,
    roles: Vec<RoleRow>,
}

#[derive(Template)]
#[template(path = "schedules.html")]
struct SchedulesPage {
    frame: Frame,
    schedules: Vec<ScheduleRow>,
}

async fn page(viewer: Viewer, State(app): State<App>) -> Response {
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let now = app.clock.now();
    let schedules = directory.schedules.keys().filter_map(|name| {
        let over = Lies::Schedule(name.to_string());
        let roster = Roster::current(&definitions, over.clone())?;
        let zone = match &viewer.0.person {
            Some(person) => definitions.zone_of(person.as_str()),
            None => roster.zone().clone(),
        };
        let roles = roster.roles();
        let rows = roles.iter().map(|role| {
            let on_call = on_call(&roster, role, now);
            let gaps = roster.gaps(now, now + AHEAD, role);
            let then = match (on_call.until, on_call.then.is_empty()) {
                (None, _) => String::new(),
                (Some(_), true) => "nobody".to_owned(),
                (Some(_), false) => names(directory, &on_call.then),
            };
            RoleRow {
                role: if roles.len() > 1 { role.to_string() } else { String::new() },
                who: if on_call.people.is_empty() {
                    "Nobody".to_owned()
                } else {
                    names(directory, &on_call.people)
                },
                until: on_call.until.map(|until| moment(until, &zone, now)).unwrap_or_default(),
                then,
                is_gap: on_call.people.is_empty(),
                gaps: gaps.len(),
                gap: gaps
                    .first()
                    .map(|gap| stretch(gap.start, Some(gap.end), &zone, now))
                    .unwrap_or_default(),
            }
        });
        let rows = rows.collect();
        Some(ScheduleRow {
            name: name.to_string(),
            path: url::roster(&over),
            zone: zone_words(&zone, now, now),
            roles: rows,
        })
    });
    let schedules = schedules.collect();
    show(&SchedulesPage { frame: Frame::still("Schedules", &app, &viewer), schedules })
}

pub(super) fn router() -> Router<App> {
    Router::new().route(url::SCHEDULES, get(page))
}
