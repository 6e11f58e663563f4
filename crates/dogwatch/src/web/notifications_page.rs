//! Notifications on this device: switches push messages on and off, for whoever is signed in.
//!
//! Also what a browser needs for it: the service worker and the manifest, by which a phone installs the page.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use escalation::contact::Kind;
use escalation::name::Name;
use serde::Deserialize;
use serde_json::json;

use super::layout::Frame;
use super::{Viewer, error_page, show, unavailable, url};
use crate::http::App;
use crate::http::body::Document;
use crate::http::problem::Problem;
use crate::store::Browser;

/// The longest address of a browser, in bytes.
const MAX_ENDPOINT: usize = 2_000;

#[derive(Template)]
#[template(path = "notifications.html")]
struct NotificationsPage {
    frame: Frame,
    script: &'static str,
    worker: &'static str,
    on: &'static str,
    off: &'static str,
    key: String,
    contact: String,
    has_contact: bool,
    browsers: usize,
}

/// The person who is signed in.
fn person(viewer: &Viewer) -> Option<Name> {
    viewer.0.person.clone()
}

async fn look(State(app): State<App>, viewer: Viewer) -> Response {
    let Some(name) = person(&viewer) else {
        return error_page(
            403,
            "An administrator is not paged",
            "You are signed in as an administrator. Sign in as the person whose pages this device is to show: \
             `dogwatch token create --link --person NAME`.",
        );
    };
    let browsers = match app.store.browsers(name.to_string()).await {
        Ok(browsers) => browsers.len(),
        Err(error) => return unavailable(&error),
    };
    let contact = format!("{}:{name}", Kind::Push.word());
    let definitions = app.store.definitions();
    let contacts = definitions.directory().people.get(&name).map(|person| person.contacts.as_slice());
    show(&NotificationsPage {
        frame: Frame::still("Notifications", &app, &viewer),
        script: url::NOTIFICATIONS_SCRIPT,
        worker: url::SERVICE_WORKER,
        on: url::BROWSERS,
        off: url::FORGET_BROWSER,
        key: app.push_key.to_string(),
        has_contact: contacts.is_some_and(|all| all.iter().any(|one| one.as_str() == contact)),
        contact,
        browsers,
    })
}

/// What a browser tells of itself.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    endpoint: String,
    key: String,
    auth: String,
}

impl Told {
    fn browser(self) -> Option<Browser> {
        let scheme = ::url::Url::parse(&self.endpoint).ok()?.scheme().to_owned();
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        let (key, auth) = (decode(&self.key)?, decode(&self.auth)?);
        // An uncompressed point begins with 4.
        let fits = matches!(scheme.as_str(), "http" | "https")
            && self.endpoint.len() <= MAX_ENDPOINT
            && key.len() == 65
            && key.first() == Some(&4)
            && auth.len() == 16;
        fits.then_some(Browser { endpoint: self.endpoint, key, auth })
    }
}

async fn switch_on(State(app): State<App>, viewer: Viewer, document: Document) -> Response {
    let Some(name) = person(&viewer) else {
        return Problem::forbidden("only a person has notifications, not an administrator").into_response();
    };
    let Some(browser) = document.read::<Told>().ok().and_then(Told::browser) else {
        return Problem::unreadable("this is not what a browser tells of its subscription").into_response();
    };
    match app.store.add_browser(name, browser).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forget {
    endpoint: String,
}

async fn switch_off(State(app): State<App>, viewer: Viewer, document: Document) -> Response {
    let Ok(Forget { endpoint }) = document.read() else {
        return Problem::unreadable("this names no browser").into_response();
    };
    let Some(name) = person(&viewer) else {
        return Problem::forbidden("only a person has notifications, not an administrator").into_response();
    };
    // Nobody switches off what is another's.
    let forgotten = match app.store.browsers(name.to_string()).await {
        Ok(mine) if mine.iter().any(|browser| browser.endpoint == endpoint) => {
            app.store.forget_browser(endpoint).await
        }
        Ok(_) => Ok(()),
        Err(error) => Err(error),
    };
    match forgotten {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// It lives at the top: what lies deeper could show nothing for the pages above it. A browser asks for it again and
/// again, so that it is always the one of this version.
async fn worker() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")];
    (headers, include_str!("../../assets/service-worker.js")).into_response()
}

async fn manifest() -> Response {
    let manifest = json!({
        "name": "Dogwatch",
        "short_name": "Dogwatch",
        "start_url": url::NOW,
        "scope": "/",
        "display": "standalone",
        "background_color": "#111111",
        "theme_color": "#0b6b3a",
        "icons": [{ "src": "/favicon.ico", "type": "image/svg+xml", "sizes": "any" }],
    });
    ([(header::CONTENT_TYPE, "application/manifest+json")], Json(manifest)).into_response()
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route(url::NOTIFICATIONS, get(look))
        .route(url::BROWSERS, post(switch_on))
        .route(url::FORGET_BROWSER, post(switch_off))
        .route(url::SERVICE_WORKER, get(worker))
        .route(url::MANIFEST, get(manifest))
}
