//! One alert: what is wrong, who was asked, the story to the second, what comes next, what may be done.

use super::layout::Frame;
use super::when::Times;
use super::{Place, Viewer, error_page, no_such_page, see, show, unavailable, url};
use crate::http::App;
use crate::message::{age, headline, sentence};
use crate::store::{AlertRef, StoreError};
use crate::timeline;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use escalation::alert::Status;
use escalation::event::{Input, Link, Via};

/// What happened on one day, as calendars in the viewer's zone have it.
struct Day {
    name: String,
    lines: Vec<Line>,
}

/// One line of the story.
struct Line {
    at: String,
    exact: String,
    text: String,
    kind: &'static str,
    is_trouble: bool,
}

/// Something that comes next.
struct Next {
    at: String,
    within: String,
    text: String,
}

/// The live part.
#[derive(Template)]
#[template(path = "_alert.html")]
pub(super) struct AlertFragment {
    number: u64,
    severity: &'static str,
    headline: String,
    standing: String,
    since: String,
    triggers: u32,
    details: String,
    links: Vec<Link>,
    next: Vec<Next>,
    days: Vec<Day>,
    is_open: bool,
    waits: bool,
    is_mine: bool,
}

#[derive(Template)]
#[template(path = "alert.html")]
struct AlertPage {
    frame: Frame,
    fragment: AlertFragment,
    note: String,
}

/// Reads one alert. `None` when there is none.
pub(super) async fn fragment(
    app: &App,
    viewer: &Viewer,
    number: u64,
) -> Result<Option<AlertFragment>, StoreError> {
    let Some(record) = app.store.alert(AlertRef::Number(number)).await? else { return Ok(None) };
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let now = app.clock.now();
    let alert = &record.state.alert;
    let times = Times::new(&viewer.zone(app), now);
    let ended = alert.resolved.as_ref().filter(|_| alert.status == Status::Resolved).map(|act| act.at);
    // The zone is shown where the first time is, and again only where clocks were changed.
    let mut zone = times.zone(ended.unwrap_or(alert.created_at));
    let mut zone_if_new = |at| {
        let here = times.zone(at);
        if here == zone {
            return None;
        }
        zone.clone_from(&here);
        Some(here)
    };
    let next = timeline::next(&record, directory).into_iter().map(|next| Next {
        at: zone_if_new(next.at)
            .map_or_else(|| times.moment(next.at), |zone| format!("{} {zone}", times.moment(next.at))),
        within: age(now, next.at),
        text: next.text,
    });
    let next = next.collect();
    let mut days: Vec<Day> = Vec::new();
    let mut today = None;
    for line in timeline::tell(&record, directory) {
        let (day, new_zone) = (times.day(line.at), zone_if_new(line.at));
        if today.as_ref() != Some(&day) || new_zone.is_some() {
            let zone = new_zone.map(|zone| format!(", {zone}")).unwrap_or_default();
            days.push(Day { name: format!("{day}{zone}"), lines: Vec::new() });
            today = Some(day);
        }
        if let Some(day) = days.last_mut() {
            day.lines.push(Line {
                at: times.time(line.at),
                exact: format!("{:.3}", line.at),
                text: line.text,
                kind: line.kind,
                is_trouble: line.is_trouble,
            });
        }
    }
    let owner = alert.acknowledged.as_ref().filter(|_| alert.status == Status::Acknowledged);
    Ok(Some(AlertFragment {
        number,
        severity: alert.severity.word(),
        headline: headline(alert),
        standing: sentence(&timeline::standing(alert)),
        since: times.open(alert),
        triggers: alert.triggers,
        details: alert.details.clone(),
        links: alert.links.clone(),
        next,
        days,
        is_open: alert.status != Status::Resolved,
        waits: alert.status.waits(),
        is_mine: owner.is_some_and(|act| act.by.person == viewer.0.person),
    }))
}

pub(super) fn missing(number: u64) -> Response {
    error_page(
        404,
        &format!("There is no alert #{number}"),
        "Look at the number again, or for the alert in the list.",
    )
}

async fn page(viewer: Viewer, State(app): State<App>, Place(number): Place<u64>) -> Response {
    match fragment(&app, &viewer, number).await {
        Ok(Some(fragment)) => {
            let path = url::alert(number);
            let frame = Frame::of(format!("#{number}"), &app, &viewer, url::live(&path));
            show(&AlertPage { frame, fragment, note: url::alert_act(number, "notes") })
        }
        Ok(None) => missing(number),
        Err(error) => unavailable(&error),
    }
}

async fn act(
    viewer: Viewer,
    State(app): State<App>,
    Place((number, verb)): Place<(u64, String)>,
    form: String,
) -> Response {
    let by = app.actor(&viewer.0, Via::Web);
    let input = match verb.as_str() {
        "acknowledge" => Input::Acknowledge { by, take_over: false },
        "take-over" => Input::Acknowledge { by, take_over: true },
        "unacknowledge" => Input::Unacknowledge(by),
        "resolve" => Input::Resolve(by),
        "escalate" => Input::Escalate { by, to: None },
        "notes" => {
            let written = url::form_value(&form, "text").unwrap_or_default();
            let text: String =
                written.trim().chars().filter(|letter| !letter.is_control() || *letter == '\n').collect();
            if text.is_empty() || text.chars().count() > 4096 {
                return error_page(
                    422,
                    "The note was not written down",
                    "A note has 1 to 4096 characters. Go back and write one.",
                );
            }
            Input::Note { by, text }
        }
        _ => return no_such_page(),
    };
    // What can't be done any more (somebody else was faster) is seen on the page itself.
    match app.store.act(AlertRef::Number(number), input).await {
        Ok(Some(_)) => see(&url::alert(number)),
        Ok(None) => missing(number),
        Err(error) => unavailable(&error),
    }
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/alerts/{number}", get(page)).route("/alerts/{number}/{verb}", post(act))
}
