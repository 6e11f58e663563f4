//! One alert: what is wrong, who was asked, the story to the second, what comes next, what may be done.

use super::layout::Frame;
use super::story_picture::StoryPicture;
use super::when::Times;
use super::{Place, Viewer, alert_story, alert_verbs, error_page, no_such_page, see, show, unavailable, url};
use crate::definition::Kind;
use crate::http::App;
use crate::message::{age, headline, sentence};
use crate::store::{AlertRef, StoreError};
use crate::timeline;
use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use escalation::alert::{Alert, Status};
use escalation::event::{Input, Link, Via};
use escalation::name::Name;
use escalation::wake::Wake;
use jiff::Timestamp;

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
    /// What it came in by.
    integration: String,
    severity: &'static str,
    headline: String,
    standing: String,
    since: String,
    triggers: u32,
    details: String,
    links: Vec<Link>,
    picture: Option<StoryPicture>,
    next: Vec<Next>,
    days: Vec<Day>,
    is_open: bool,
    /// Shown as something that calls for somebody.
    waits: bool,
    /// Somebody may say "I have it".
    may_acknowledge: bool,
    is_mine: bool,
    is_snoozed: bool,
}

#[derive(Template)]
#[template(path = "alert.html")]
struct AlertPage {
    frame: Frame,
    fragment: AlertFragment,
    note: String,
    why: String,
    export: String,
    /// Where what came in stands as it came, for whoever may see it.
    raw: Option<(String, String)>,
    me: String,
    people: Vec<(String, String)>,
    /// What else may be done, while it is open.
    more: Option<More>,
}

/// Putting aside, passing on, asking somebody else.
struct More {
    snooze: String,
    reassign: String,
    responders: String,
    /// The value and the words of whom it may be passed on to.
    teams: Vec<String>,
    people: Vec<(String, String)>,
}

impl More {
    fn of(app: &App, number: u64) -> Self {
        let definitions = app.store.definitions();
        let directory = definitions.directory();
        let person = |name: &Name| (name.to_string(), directory.full_name(name).to_owned());
        Self {
            snooze: url::alert_act(number, "snooze"),
            reassign: url::alert_act(number, "reassign"),
            responders: url::alert_act(number, "responders"),
            teams: directory.teams.keys().map(ToString::to_string).collect(),
            people: directory.people.keys().map(person).collect(),
        }
    }
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
    let lines = timeline::tell(&record, directory);
    let coming = timeline::next(&record, directory);
    let picture = alert_story::of_alert(&record, &lines, &coming, directory, &times, now);
    let next = coming.into_iter().map(|next| Next {
        at: zone_if_new(next.at)
            .map_or_else(|| times.moment(next.at), |zone| format!("{} {zone}", times.moment(next.at))),
        within: age(now, next.at),
        text: next.text,
    });
    let next = next.collect();
    let mut days: Vec<Day> = Vec::new();
    let mut today = None;
    for line in lines {
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
    let is_mine = owner.is_some_and(|act| act.by.person == viewer.0.person);
    Ok(Some(AlertFragment {
        number,
        integration: alert.integration.clone(),
        severity: alert.severity.word(),
        headline: headline(alert),
        standing: match held_until(alert) {
            Some(until) => {
                format!("{}, until {}", sentence(&timeline::standing(alert)), times.exactly(until))
            }
            None => sentence(&timeline::standing(alert)),
        },
        since: times.open(alert),
        triggers: alert.triggers,
        details: alert.details.clone(),
        links: alert.links.clone(),
        picture,
        next,
        days,
        is_open: alert.status != Status::Resolved,
        waits: alert.status.waits(),
        may_acknowledge: owner.is_none() || (is_mine && record.state.wakes.contains_key(&Wake::AckTimeout)),
        is_snoozed: alert.status == Status::Snoozed,
        is_mine,
    }))
}

/// Until when nobody is paged, because somebody put it aside or silenced it.
fn held_until(alert: &Alert) -> Option<Timestamp> {
    let snoozed = alert.snoozed.as_ref().map(|snooze| snooze.until);
    snoozed.or(alert.silenced.as_ref().map(|silenced| silenced.until))
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
            let more = fragment.is_open.then(|| More::of(&app, number));
            let definitions = app.store.definitions();
            let directory = definitions.directory();
            let person = |name: &Name| (name.to_string(), directory.full_name(name).to_owned());
            let sender = Some(fragment.integration.clone());
            let known = |name: &String| definitions.get(Kind::Integration, name).is_some();
            let raw = sender.filter(|name| viewer.0.is_admin() && known(name));
            show(&AlertPage {
                frame,
                note: url::alert_act(number, "notes"),
                why: url::alert_act(number, "why"),
                export: url::alert_export(number),
                raw: raw.map(|name| (url::integration(&name), name)),
                me: viewer.0.person.as_ref().map(ToString::to_string).unwrap_or_default(),
                people: directory.people.keys().map(person).collect(),
                fragment,
                more,
            })
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
    let input = match verb.as_str() {
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
            Input::Note { by: app.actor(&viewer.0, Via::Web), text }
        }
        verb if alert_verbs::is_known(verb) => match alert_verbs::read(&app, &viewer, verb, &form) {
            Some(input) => input,
            None => {
                let what = "Go back, choose one of what is offered, and try again.";
                return error_page(422, "Nothing was done", what);
            }
        },
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
