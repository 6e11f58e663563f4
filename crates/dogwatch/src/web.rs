//! The pages: server-rendered, one file a page, usable without script.
//!
//! Every action is a form that posts and redirects. A page holds its live part as a value, and the live
//! stream sends the same value, so that the two can't drift. Every address is made in [`url`].

mod alert_export;
mod alert_page;
mod alert_story;
mod alert_verbs;
mod answer_all_page;
mod answer_page;
mod assets;
mod attention;
pub(crate) mod calendar_feed;
mod contacts_page;
mod definition_page;
mod definitions_page;
mod did;
mod handset_page;
mod hours;
mod integration_forms;
mod integration_page;
mod integrations_page;
mod ladder;
mod layout;
mod live;
mod notifications_page;
mod now_alerts;
mod now_page;
mod on_call;
mod page_team_page;
mod person_colour;
mod rehearse_heat;
mod rehearse_page;
mod schedule_forms;
mod schedule_page;
mod schedule_picture;
mod schedule_teller;
mod schedule_view;
mod schedules_page;
mod several_form;
mod sign_in_page;
mod story_picture;
mod team_page;
mod tonight_page;
pub mod url;
mod when;
mod why_page;

use axum::Router;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde::de::DeserializeOwned;
use tower_http::compression::CompressionLayer;

use crate::http::App;
use crate::store::{Caller, StoreError};

pub use layout::error_page;

/// Every page.
pub fn router() -> Router<App> {
    Router::new()
        .merge(now_page::router())
        .merge(several_form::router())
        .merge(page_team_page::router())
        .merge(notifications_page::router())
        .merge(contacts_page::router())
        .merge(alert_page::router())
        .merge(alert_export::router())
        .merge(why_page::router())
        .merge(team_page::router())
        .merge(tonight_page::router())
        .merge(rehearse_page::router())
        .merge(handset_page::router())
        .merge(answer_page::router())
        .merge(answer_all_page::router())
        .merge(schedule_page::router())
        .merge(schedule_forms::router())
        .merge(schedules_page::router())
        .merge(integrations_page::router())
        .merge(integration_page::router())
        .merge(integration_forms::router())
        .merge(definition_page::router())
        .merge(definitions_page::router())
        .merge(sign_in_page::router())
        .merge(calendar_feed::router())
        .merge(assets::router())
        // A phone over a bad line waits for every byte. What is live is sent as it comes.
        .layer(CompressionLayer::new())
        .merge(live::router())
}

/// Somebody who is signed in. Everybody else gets a page that says how to sign in.
#[derive(Clone, Debug)]
pub(crate) struct Viewer(pub(crate) Caller);

impl FromRequestParts<App> for Viewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        app.find_caller(&parts.headers).await.map(Self).ok_or_else(|| {
            error_page(
                401,
                "You are not signed in",
                "Open the sign-in address that `dogwatch serve` printed at its first start, or make a new one with \
                 `dogwatch token create --link`.",
            )
        })
    }
}

/// An administrator who is signed in. Everybody else is told that this is not for them.
#[derive(Clone, Debug)]
struct AdminViewer(Viewer);

impl FromRequestParts<App> for AdminViewer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let viewer = Viewer::from_request_parts(parts, app).await?;
        if viewer.0.is_admin() {
            return Ok(Self(viewer));
        }
        Err(error_page(
            403,
            "Only an administrator may do this",
            "You are signed in as a person. `dogwatch token create --link` makes an address that signs an \
             administrator in.",
        ))
    }
}

impl Viewer {
    /// The zone in which this viewer reads times.
    fn zone(&self, app: &App) -> String {
        let definitions = app.store.definitions();
        let person = self.0.person.as_ref().and_then(|name| definitions.directory().people.get(name));
        person.map_or_else(|| "UTC".to_owned(), |person| person.zone.clone())
    }
}

/// Shows a template, or says that it can't be shown.
fn show(page: &impl askama::Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            error_page(
                500,
                "Dogwatch made a mistake",
                "This page can't be shown; the log of Dogwatch says why.",
            )
        }
    }
}

/// After a form: look at this, with GET.
fn see(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response()
}

/// The store did not answer: nothing was done.
fn unavailable(error: &StoreError) -> Response {
    tracing::error!(%error, "a page could not be made");
    error_page(503, "The database does not answer", "Nothing was done. Try again in a moment.")
}

/// An address that leads nowhere.
pub fn no_such_page() -> Response {
    error_page(404, "There is no such page", "The address may be mistyped, or too old.")
}

/// An address behind a button, opened by itself.
pub fn only_a_button() -> Response {
    error_page(405, "There is nothing to look at here", "This address belongs to a button. Nothing was done.")
}

/// A button pressed on a page that is not ours.
pub fn from_elsewhere() -> Response {
    error_page(
        403,
        "This came from another site",
        "Nothing was done: only Dogwatch's own pages may do that. Open Dogwatch and press the button there.",
    )
}

/// What an address names. One that can't be read leads nowhere, and says so as every other.
struct Place<T>(T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for Place<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let found = Path::<T>::from_request_parts(parts, app).await;
        found.map(|Path(place)| Self(place)).map_err(|_| no_such_page())
    }
}
