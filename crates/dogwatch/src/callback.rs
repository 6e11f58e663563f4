//! What providers call back with: receipts, keys pressed in calls, replies to messages.
//!
//! Only POST, and only what is signed or holds the provider's secret. What it means is decided elsewhere:
//! receipts in `escalation::receipt`, answers in [`crate::reply`]. A provider that is answered with an error asks
//! again, so nothing is answered well that is not stored.

mod http;
mod keys;
mod twilio;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::config::provider::Provider;
use crate::http::App;
use crate::store::StoreError;

/// Every callback.
pub fn router() -> Router<App> {
    Router::new().merge(twilio::router()).merge(http::router())
}

/// The provider of this name.
fn find<'a>(app: &'a App, name: &str) -> Option<&'a Provider> {
    app.providers.iter().find(|provider| provider.name == name)
}

/// To whom is not known, nothing is said; a wrong name and a wrong signature look the same.
fn refused() -> Response {
    (StatusCode::FORBIDDEN, "this callback is not signed as it has to be\n").into_response()
}

fn unreadable(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, format!("{why}\n")).into_response()
}

fn unavailable(error: &StoreError) -> Response {
    tracing::error!(%error, "a callback could not be stored");
    (StatusCode::SERVICE_UNAVAILABLE, "this could not be stored; send it again\n").into_response()
}

fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

fn xml(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response()
}

/// The value of a field; empty if there is none.
fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// The fields of a form or of a query.
fn read_form(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}
