//! Every integration, and a form that makes one. For administrators.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use escalation::name::Name;
use serde_json::json;

use super::integration_page::{Said, render};
use super::layout::Frame;
use super::{AdminViewer, show, unavailable, url};
use crate::definition::{FieldError, Kind, Write};
use crate::http::App;
use crate::message::sentence;
use crate::store::{Defining, Expect};

struct Row {
    name: String,
    path: String,
    team: String,
    description: String,
    keys: usize,
}

/// What was written into the form.
#[derive(Default)]
struct Filled {
    name: String,
    team: String,
    description: String,
}

#[derive(Template)]
#[template(path = "integrations.html")]
struct IntegrationsPage {
    frame: Frame,
    integrations: Vec<Row>,
    teams: Vec<String>,
    action: &'static str,
    filled: Filled,
    /// Why nothing was made.
    refused: String,
}

fn list(app: &App, viewer: &AdminViewer, filled: Filled, refused: String) -> Response {
    let definitions = app.store.definitions();
    let (access, now) = (app.store.access(), app.clock.now());
    let text = |body: &serde_json::Value, field: &str| body[field].as_str().unwrap_or_default().to_owned();
    let integrations = definitions.list(Kind::Integration, "").map(|(name, defined)| Row {
        name: name.to_owned(),
        path: url::integration(name),
        team: text(&defined.body, "team"),
        description: text(&defined.body, "description"),
        keys: access.live_keys_of(name, now).count(),
    });
    show(&IntegrationsPage {
        frame: Frame::still("Integrations", app, &viewer.0),
        integrations: integrations.collect(),
        teams: definitions.names(Kind::Team).map(str::to_owned).collect(),
        action: url::INTEGRATIONS,
        filled,
        refused,
    })
}

async fn look(viewer: AdminViewer, State(app): State<App>) -> Response {
    list(&app, &viewer, Filled::default(), String::new())
}

/// Makes an integration and its first key, which is shown in the answer and never again.
async fn make(viewer: AdminViewer, State(app): State<App>, form: String) -> Response {
    let value = |name: &str| url::form_value(&form, name).unwrap_or_default().trim().to_owned();
    let filled = Filled { name: value("name"), team: value("team"), description: value("description") };
    let refuse = |filled, status, why| with_status(list(&app, &viewer, filled, why), status);
    let name = match Name::new(&filled.name) {
        Ok(name) => name,
        Err(wrong) => return refuse(filled, 422, format!("\"Name\" {wrong}.")),
    };
    let body = json!({ "name": filled.name, "team": filled.team, "description": filled.description });
    let edit =
        move |_: Option<&serde_json::Value>| Ok(Write::Put { kind: Kind::Integration, body: body.clone() });
    let made = app.store.define(Kind::Integration, filled.name.clone(), Expect::Absent, edit).await;
    match made {
        Ok(Defining::Done(_)) => {}
        Ok(Defining::Invalid(errors)) => return refuse(filled, 422, words(&errors)),
        Ok(_) => {
            let why = format!("There is an integration \"{}\" already: choose another name.", filled.name);
            return refuse(filled, 409, why);
        }
        Err(error) => return unavailable(&error),
    }
    match app.store.create_integration_key(name.clone(), None).await {
        Ok((_, secret)) => render(&app, &viewer, &name, Said::NewKey(secret), false).await,
        Err(error) => unavailable(&error),
    }
}

/// What is wrong with a form, in sentences.
fn words(errors: &[FieldError]) -> String {
    let told = errors.iter().map(|error| format!("\"{}\" {}.", sentence(&error.field), error.message));
    told.collect::<Vec<_>>().join(" ")
}

/// The same page under another status.
pub(super) fn with_status(mut page: Response, status: u16) -> Response {
    if page.status().is_success()
        && let Ok(status) = axum::http::StatusCode::from_u16(status)
    {
        *page.status_mut() = status;
    }
    page
}

pub(super) fn router() -> Router<App> {
    Router::new().route(url::INTEGRATIONS, get(look).post(make))
}
