//! The page behind the link in a message that held several alerts: all of them, and a button for all.
//!
//! As with the page for one alert ([`super::answer_page`]), looking changes nothing. The button acknowledges what the
//! message held and still waits, and nothing that came later.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::get;
use escalation::alert::Alert;
use escalation::event::Severity;
use escalation::id::DeliveryId;
use escalation::name::Name;

use super::answer_page::{said, via, wants_words};
use super::layout::Frame;
use super::when::Times;
use super::{Place, error_page, see, show, unavailable};
use crate::http::App;
use crate::message::headline;
use crate::reply::{answer_all, stand};
use crate::store::Claim;
use crate::timeline::standing;

/// One of the alerts.
struct One {
    headline: String,
    standing: String,
    answer: Option<String>,
}

#[derive(Template)]
#[template(path = "answer_all.html")]
struct AnswerAllPage {
    frame: Frame,
    person: String,
    severity: &'static str,
    heading: String,
    standing: String,
    waiting: usize,
    all: Vec<One>,
    action: String,
}

fn missing() -> Response {
    error_page(404, "This address is not complete", "Open it as it stands in the message.")
}

/// What the message held to which an address belongs.
async fn find(app: &App, message: &str, proof: &str) -> Result<(DeliveryId, Name, Vec<Claim>), Response> {
    let id: DeliveryId = message.parse().map_err(|_| missing())?;
    if !app.links.fits_all(id, proof) {
        return Err(missing());
    }
    let held = app.store.bundle(id).await.map_err(|error| unavailable(&error))?;
    let person = held.iter().find_map(|claim| claim.delivery.person.clone()).ok_or_else(missing)?;
    Ok((id, person, held))
}

async fn look(State(app): State<App>, Place((message, proof)): Place<(String, String)>) -> Response {
    let (id, person, held) = match find(&app, &message, &proof).await {
        Ok(found) => found,
        Err(error) => return error,
    };
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let zone = directory.people.get(&person).map_or("UTC", |person| person.zone.as_str());
    let times = Times::new(zone, app.clock.now());
    let alerts: Vec<&Alert> = held.iter().filter_map(|claim| claim.alert.as_ref()).collect();
    let gravest = alerts.iter().map(|alert| alert.severity).max().unwrap_or(Severity::Info);
    let all = held.iter().filter_map(|claim| {
        let alert = claim.alert.as_ref()?;
        Some(One {
            headline: format!("#{} {}", alert.number, headline(alert)),
            standing: format!("{}, {}", times.open(alert), standing(alert)),
            answer: claim.page.as_ref().map(|page| app.links.path(page.id)),
        })
    });
    let heading = format!("{} alerts", alerts.len());
    show(&AnswerAllPage {
        frame: Frame::new(heading.clone()),
        person: directory.full_name(&person).to_owned(),
        severity: gravest.word(),
        heading,
        standing: stand(&held, &person),
        waiting: held.iter().filter(|claim| claim.waits()).count(),
        all: all.collect(),
        action: app.links.path_of_all(id),
    })
}

async fn press(
    State(app): State<App>,
    Place((message, proof)): Place<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (id, ..) = match find(&app, &message, &proof).await {
        Ok(found) => found,
        Err(error) => return error,
    };
    match answer_all(&app.store, id, via(query.as_deref())).await {
        Ok(Some(standing)) if wants_words(&headers) => said(&standing),
        Ok(Some(_)) => see(&app.links.path_of_all(id)),
        Ok(None) => missing(),
        Err(error) => unavailable(&error),
    }
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/answer/all/{message}/{proof}", get(look).post(press))
}
