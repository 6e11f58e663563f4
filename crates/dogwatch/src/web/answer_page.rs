//! The page behind the link in a message: what is wrong, and a button that says "I have it".
//!
//! Looking changes nothing, whoever looks: mail scanners follow every link. Only the button acts. The
//! address belongs to one page of one person and needs no session; it shows no more than the message did.

use askama::Template;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use escalation::alert::{Alert, Status};
use escalation::event::Via;
use escalation::id::PageId;
use escalation::page::Page;

use serde_json::json;

use super::alert_page::missing;
use super::did::{Did, Outcome};
use super::layout::Frame;
use super::url::form_value;
use super::when::Times;
use super::{Place, error_page, see, show, unavailable};
use crate::http::App;
use crate::message::{headline, sentence};
use crate::reply::{Key, answer, tell};
use crate::store::AlertRef;
use crate::timeline::standing;

#[derive(Template)]
#[template(path = "answer.html")]
struct AnswerPage {
    frame: Frame,
    person: String,
    severity: &'static str,
    headline: String,
    details: String,
    since: String,
    standing: String,
    said: &'static str,
    waits: bool,
    action: String,
}

/// The page and alert that an address belongs to.
async fn find(app: &App, page: &str, proof: &str) -> Result<(Page, Alert), Response> {
    let missing = || error_page(404, "This address is not complete", "Open it as it stands in the message.");
    let id: PageId = page.parse().map_err(|_| missing())?;
    if !app.links.fits(id, proof) {
        return Err(missing());
    }
    match app.store.page(id).await {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err(missing()),
        Err(error) => Err(unavailable(&error)),
    }
}

async fn look(
    State(app): State<App>,
    Place((page, proof)): Place<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let (page, alert) = match find(&app, &page, &proof).await {
        Ok(found) => found,
        Err(error) => return error,
    };
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let zone = directory.people.get(&page.person).map_or("UTC", |person| person.zone.as_str());
    let waits = page.is_live() && alert.asks(&page) || alert.status.waits();
    let mine = alert.acknowledged.as_ref().is_some_and(|act| act.by.person.as_ref() == Some(&page.person));
    let did = Did::read(query.as_deref()).filter(|did| did.number == alert.number);
    let said = match (alert.status, did.and_then(|did| did.outcome)) {
        (Status::Acknowledged, _) if mine && !waits => "You have it. Nobody else is paged any more.",
        (Status::Acknowledged | Status::Resolved, Some(Outcome::Nothing)) => {
            "Nothing was done. You need not do anything."
        }
        _ => "",
    };
    let times = Times::new(zone, app.clock.now());
    show(&AnswerPage {
        frame: Frame::new(headline(&alert)),
        person: directory.full_name(&page.person).to_owned(),
        severity: alert.severity.word(),
        headline: headline(&alert),
        details: alert.details.clone(),
        since: sentence(&times.open(&alert)),
        standing: sentence(&standing(&alert)),
        said,
        waits,
        action: app.links.path(page.id),
    })
}

/// What the address says of where its button was shown. It is for the record only.
pub(super) fn via(query: Option<&str>) -> Via {
    match query.and_then(|query| form_value(query, "via")).as_deref() {
        Some("ntfy") => Via::Ntfy,
        Some("push") => Via::Push,
        _ => Via::Link,
    }
}

/// Whether it is a program that asks, which shows the answer itself: a notification's button.
pub(super) fn wants_words(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepts.is_some_and(|accepts| accepts.starts_with("application/json"))
}

/// What was done, for such a program.
pub(super) fn said(words: &str) -> Response {
    Json(json!({ "said": words })).into_response()
}

async fn press(
    State(app): State<App>,
    Place((page, proof)): Place<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let (page, alert) = match find(&app, &page, &proof).await {
        Ok(found) => found,
        Err(error) => return error,
    };
    match answer(&app.store, AlertRef::Id(alert.id), &page.person, via(query.as_deref()), Key::Acknowledge)
        .await
    {
        Ok(Some(acted)) if wants_words(&headers) => said(&tell(&acted, Some(&page.person))),
        Ok(Some(acted)) => {
            let did = Did::pressed(Key::Acknowledge, alert.number, &acted.verdict);
            see(&format!("{}{}", app.links.path(page.id), did.query()))
        }
        Ok(None) => missing(alert.number),
        Err(error) => unavailable(&error),
    }
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/answer/{page}/{proof}", get(look).post(press))
}
