//! What every page has around its content.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::http::App;
use crate::web::{Viewer, url};

/// The frame of a page.
pub(super) struct Frame {
    pub(super) title: String,
    /// Who is signed in, to be shown.
    pub(super) viewer: Option<String>,
    /// The address of the handset of whoever is signed in.
    pub(super) handset: Option<String>,
    /// The pages that everybody has.
    pub(super) page_team: &'static str,
    pub(super) tonight: &'static str,
    pub(super) schedules: &'static str,
    pub(super) rehearse: &'static str,
    /// The address of that person's notifications.
    pub(super) contacts: &'static str,
    pub(super) notifications: &'static str,
    /// The address of the integrations, for whoever may see them.
    pub(super) integrations: Option<&'static str>,
    /// The same for definitions.
    pub(super) definitions: Option<&'static str>,
    pub(super) manifest: &'static str,
    /// Where the live part of this page comes from.
    pub(super) live: Option<String>,
    pub(super) style: &'static str,
    pub(super) script: &'static str,
    pub(super) sign_out: &'static str,
}

impl Frame {
    pub(super) fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            viewer: None,
            handset: None,
            page_team: url::PAGE_TEAM,
            tonight: url::TONIGHT,
            schedules: url::SCHEDULES,
            rehearse: url::REHEARSE,
            contacts: url::CONTACTS,
            notifications: url::NOTIFICATIONS,
            integrations: None,
            definitions: None,
            manifest: url::MANIFEST,
            live: None,
            style: url::STYLE,
            script: url::SCRIPT,
            sign_out: url::SIGN_OUT,
        }
    }

    /// For somebody who is signed in, with a live part.
    pub(super) fn of(title: impl Into<String>, app: &App, viewer: &Viewer, live: String) -> Self {
        Self { live: Some(live), ..Self::still(title, app, viewer) }
    }

    /// For somebody who is signed in.
    pub(super) fn still(title: impl Into<String>, app: &App, viewer: &Viewer) -> Self {
        let definitions = app.store.definitions();
        let person = viewer.0.person.as_ref();
        Self {
            viewer: Some(
                person.map_or("administrator", |name| definitions.directory().full_name(name)).to_owned(),
            ),
            handset: person.map(url::handset),
            integrations: viewer.0.is_admin().then_some(url::INTEGRATIONS),
            definitions: viewer.0.is_admin().then_some(url::DEFINITIONS),
            ..Self::new(title)
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    /// Plain words and, in turn with them, what is to be typed.
    words: Vec<(&'a str, bool)>,
}

/// A page that says what is wrong: in its title, a sentence for somebody half asleep; then, in `words`, what
/// to do. What is to be typed stands in backticks.
pub fn error_page(status: u16, title: &str, words: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let parts = words.split('`').enumerate().map(|(place, part)| (part, place % 2 == 1));
    let page = ErrorPage { frame: Frame::new(title), words: parts.collect() };
    (status, Html(page.render().unwrap_or_else(|_| words.to_owned()))).into_response()
}
