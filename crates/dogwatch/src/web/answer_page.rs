//! The page behind the link in a message: what is wrong, and a button that says "I have it".
//!
//! Looking changes nothing, whoever looks: mail scanners follow every link. Only the button acts. The
//! address belongs to one page of one person and needs no session; it shows no more than the message did.

use askama::Template;
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use escalation::alert::{Alert, Status};
use escalation::event::Via;
use escalation::id::PageId;
use escalation::page::Page;

use super::layout::Frame;
use super::{error_page, see, show, unavailable, url};
use crate::http::App;
use crate::message::{age, headline, sentence};
use crate::reply::{Key, answer};
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
    said: String,
    waits: bool,
    action: String,
}

/// The page and alert that an address belongs to.
async fn find(app: &App, page: &str, proof: &str) -> Result<(Page, Alert), Response> {
    let missing = || error_page(404, "This address is not complete. Open it as it stands in the message.");
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
    Path((page, proof)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Response {
    let (page, alert) = match find(&app, &page, &proof).await {
        Ok(found) => found,
        Err(error) => return error,
    };
    let definitions = app.store.definitions();
    let directory = definitions.directory();
    let zone = directory.people.get(&page.person).map_or("UTC", |person| person.zone.as_str());
    let waits = matches!(alert.status, Status::Triggered | Status::Unanswered);
    let mine = alert.acknowledged.as_ref().is_some_and(|act| act.by.person.as_ref() == Some(&page.person));
    let pressed = query.as_deref().is_some_and(|query| url::form_value(query, "did").is_some());
    let said = match alert.status {
        Status::Acknowledged if mine => "You have it. Nobody else is paged any more.".to_owned(),
        Status::Acknowledged | Status::Resolved if pressed => "You need not do anything.".to_owned(),
        _ => String::new(),
    };
    show(&AnswerPage {
        frame: Frame::new(headline(&alert)),
        person: directory.full_name(&page.person).to_owned(),
        severity: alert.severity.word(),
        headline: headline(&alert),
        details: alert.details.clone(),
        since: format!(
            "{} ({} ago)",
            rota::zone::wall_clock(alert.created_at, zone),
            age(alert.created_at, app.clock.now())
        ),
        standing: sentence(&standing(&alert)),
        said,
        waits,
        action: app.links.path(page.id),
    })
}

async fn press(State(app): State<App>, Path((page, proof)): Path<(String, String)>) -> Response {
    let (page, alert) = match find(&app, &page, &proof).await {
        Ok(found) => found,
        Err(error) => return error,
    };
    match answer(&app.store, AlertRef::Id(alert.id), &page.person, Via::Link, Key::Acknowledge).await {
        Ok(_) => see(&format!("{}?did=4", app.links.path(page.id))),
        Err(error) => unavailable(&error),
    }
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/answer/{page}/{proof}", get(look).post(press))
}
