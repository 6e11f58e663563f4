//! One alert: what is wrong, who was asked, the story to the second, what comes next, what may be done.

use super::layout::Frame;
use super::{Viewer, error_page, see, show, unavailable, url};
use crate::http::App;
use crate::message::{age, headline, sentence};
use crate::store::{AlertRef, StoreError};
use crate::timeline;
use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use escalation::alert::Status;
use escalation::event::{Input, Link, Via};

/// One line of the story, in the viewer's zone.
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
    lines: Vec<Line>,
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
    let zone = viewer.zone(app);
    let now = app.clock.now();
    let alert = &record.state.alert;
    let clock = |at| rota::zone::wall_clock(at, &zone);
    let lines = timeline::tell(&record, directory).into_iter().map(|line| Line {
        at: clock(line.at),
        exact: format!("{:.3}", line.at),
        text: line.text,
        kind: line.kind,
        is_trouble: line.is_trouble,
    });
    let next = timeline::next(&record, directory).into_iter().map(|next| Next {
        at: clock(next.at),
        within: age(now, next.at),
        text: next.text,
    });
    let owner = alert.acknowledged.as_ref().filter(|_| alert.status == Status::Acknowledged);
    Ok(Some(AlertFragment {
        number,
        severity: alert.severity.word(),
        headline: headline(alert),
        standing: sentence(&timeline::standing(alert)),
        since: format!("{} ({} ago)", clock(alert.created_at), age(alert.created_at, now)),
        triggers: alert.triggers,
        details: alert.details.clone(),
        links: alert.links.clone(),
        next: next.collect(),
        lines: lines.collect(),
        is_open: alert.status != Status::Resolved,
        waits: matches!(alert.status, Status::Triggered | Status::Unanswered),
        is_mine: owner.is_some_and(|act| act.by.person == viewer.0.person),
    }))
}

fn missing(number: u64) -> Response {
    error_page(404, &format!("There is no alert #{number}."))
}

async fn page(viewer: Viewer, State(app): State<App>, Path(number): Path<u64>) -> Response {
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
    Path((number, verb)): Path<(u64, String)>,
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
                return error_page(422, "A note has 1 to 4096 characters. Go back and write one.");
            }
            Input::Note { by, text }
        }
        _ => return error_page(404, "There is nothing at this address."),
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
