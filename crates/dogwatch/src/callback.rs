//! What providers tell us: receipts, keys pressed in calls, replies, buttons pressed in chats.
//!
//! Only what is known to come from the provider is taken: POST, signed or holding its secret, and each only once. It
//! becomes a receipt or an answer by the one door in [`crate::reply`]; whoever answered is told what came of it after
//! the commit. A provider that is answered with an error asks again, so nothing is answered well that is not stored.
//! One file a provider.

mod http;
mod keys;
pub mod mailgun;
pub mod mattermost;
pub mod pushover;
pub mod slack;
pub mod telegram;
mod twilio;
mod vonage;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use escalation::id::DeliveryId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::clock::secret;
use crate::config::provider::Provider;
use crate::http::App;
use crate::http::body::MAX_BODY;
use crate::secret::Secret;
use crate::store::StoreError;

/// The providers of chats and mail that may call us back. Those of telephones are in [`App::providers`].
#[derive(Clone, Default)]
pub struct Callbacks {
    /// Slack, where buttons are pressed.
    pub slack: Option<slack::Slack>,
    /// Mailgun, which tells of bounces and passes replies on.
    pub mailgun: Option<mailgun::Mailgun>,
    /// Mattermost, by the secret that its requests carry.
    pub mattermost: Option<Secret>,
}

/// Every address that a provider calls.
pub fn router() -> Router<App> {
    Router::new()
        .merge(twilio::router())
        .merge(http::router())
        .merge(vonage::router())
        .merge(slack::router())
        .merge(mattermost::router())
        .merge(mailgun::router())
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// The provider of telephones of this name.
fn find<'a>(app: &'a App, name: &str) -> Option<&'a Provider> {
    app.providers.iter().find(|provider| provider.name == name)
}

/// A name by which this node holds a turn.
fn holder() -> String {
    secret::<8>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// To whom is not known, nothing is said; a wrong name and a wrong signature look the same.
fn refused() -> Response {
    tracing::warn!(
        "a callback was refused: it is not signed, or its secret is not that of the provider that it names"
    );
    (StatusCode::FORBIDDEN, "this callback is not signed as it has to be\n").into_response()
}

fn unreadable(why: &str) -> Response {
    tracing::warn!(why, "a callback could not be read");
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

fn json(value: &serde_json::Value) -> Response {
    axum::Json(value).into_response()
}

/// The name under which a signed request is remembered, by what makes it unlike any other.
fn seen_id(provider: &str, unique: &[u8]) -> String {
    use std::fmt::Write;
    let mut id = format!("{provider}:");
    for byte in Sha256::digest(unique) {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

/// The value of a field; empty if there is none.
fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
}

/// The attempt that a callback is about, as the query of its address names it.
fn attempt(query: &[(String, String)]) -> Option<(DeliveryId, u8)> {
    Some((field(query, "delivery").parse().ok()?, field(query, "attempt").parse().ok()?))
}

/// The fields of a form or of a query.
fn read_form(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// Whether `proof`, in hexadecimal, is the keyed hash of these parts. Compared in constant time.
fn is_signed(key: &[u8], parts: &[&[u8]], proof: &str) -> bool {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return false };
    parts.iter().for_each(|part| mac.update(part));
    read_hex(proof).is_some_and(|proof| mac.verify_slice(&proof).is_ok())
}

fn read_hex(text: &str) -> Option<Vec<u8>> {
    let is_even = text.len().is_multiple_of(2) && text.is_ascii();
    let pairs = || (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok());
    is_even.then(|| pairs().collect::<Option<_>>())?
}
