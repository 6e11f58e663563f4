//! Why somebody's phone rang for an alert, or did not.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use escalation::name::Name;

use super::layout::Frame;
use super::when::Times;
use super::{Place, Viewer, alert_page, error_page, show, unavailable, url};
use crate::http::App;
use crate::message::headline;
use crate::store::AlertRef;
use crate::why::explain;

#[derive(Template)]
#[template(path = "why.html")]
struct WhyPage {
    frame: Frame,
    alert: String,
    headline: String,
    action: String,
    rang: bool,
    summary: String,
    reasons: Vec<(String, String)>,
    people: Vec<(String, String)>,
    person: String,
}

async fn page(
    viewer: Viewer,
    State(app): State<App>,
    Place(number): Place<u64>,
    RawQuery(query): RawQuery,
) -> Response {
    let record = match app.store.alert(AlertRef::Number(number)).await {
        Ok(Some(record)) => record,
        Ok(None) => return alert_page::missing(number),
        Err(error) => return unavailable(&error),
    };
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let asked = url::form_value(&query.unwrap_or_default(), "person");
    let own = viewer.0.person.as_ref().map(ToString::to_string);
    let name = asked.or(own).and_then(|name| Name::new(&name).ok());
    let was_paged = |name: &Name| record.state.pages.iter().any(|page| page.person == *name);
    let Some(person) = name.filter(|name| directory.people.contains_key(name) || was_paged(name)) else {
        return error_page(404, "There is no such person", "Go back, and choose somebody of the list.");
    };
    let now = app.clock.now();
    let why = match explain(&app.store, &record, &person, now).await {
        Ok(why) => why,
        Err(error) => return unavailable(&error),
    };
    let times = Times::new(&viewer.zone(&app), now);
    let people = directory.people.keys().map(|name| (name.to_string(), directory.full_name(name).to_owned()));
    show(&WhyPage {
        frame: Frame::still(format!("Why, #{number}"), &app, &viewer),
        alert: url::alert(number),
        headline: headline(&record.state.alert),
        action: url::alert_act(number, "why"),
        rang: why.rang,
        summary: why.summary,
        reasons: why.reasons.into_iter().map(|it| (times.exactly(it.at), it.text)).collect(),
        people: people.collect(),
        person: person.to_string(),
    })
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/alerts/{number}/why", get(page))
}
