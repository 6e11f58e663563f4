//! Callbacks of Vonage's calls: `/callbacks/vonage/NAME/SECRET/{calls,keys}`. Those of its short messages are in
//! `http.rs`.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use axum::routing::post;
use escalation::receipt::Receipt;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::keys::{Pressed, Voice};
use super::{attempt, field, find, keys, nothing, read_form, refused, unavailable, unreadable};
use crate::channel::providers::exchange::shown;
use crate::channel::vonage::{Account, signature};
use crate::config::provider::Protocol;
use crate::http::App;
use crate::store::phone::Said;

/// The largest callback, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// The account of this name that makes calls, if this is its secret, and the signature where one is wanted.
fn known<'a>(app: &'a App, name: &str, given: &str, headers: &HeaderMap, body: &[u8]) -> Option<&'a Account> {
    let Protocol::Vonage(account) = &find(app, name)?.protocol else { return None };
    let (secret, application) = account.secret.as_ref().zip(account.application.as_ref())?;
    let is_known = bool::from(secret.reveal().as_bytes().ct_eq(given.as_bytes()));
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    let is_signed = match &application.signing_key {
        Some(key) => signature::is_genuine(token, key.reveal(), body, app.clock.now()),
        None => true,
    };
    (is_known && is_signed).then_some(account)
}

/// What became of a call, in any order, perhaps twice.
async fn calls(
    State(app): State<App>,
    Path((name, secret)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if known(&app, &name, &secret, &headers, &body).is_none() {
        return refused();
    }
    let query = read_form(uri.query().unwrap_or_default().as_bytes());
    let Some((id, attempt)) = attempt(&query) else { return unreadable("the address names no delivery") };
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return unreadable("the body is no JSON") };
    let Some(said) = read_event(&event) else {
        if let Some(reason) = event["reason"].as_str() {
            tracing::warn!(provider = name, delivery = %id, reason = shown(reason), "Vonage did not understand a call of ours");
        }
        return nothing();
    };
    match app.store.receipt(id, attempt, said).await {
        Ok(()) => nothing(),
        Err(error) => unavailable(&error),
    }
}

/// What an event of a call means; none: a word that there may be one day, or one that says nothing of who was reached.
fn read_event(event: &Value) -> Option<Said> {
    let status = event["status"].as_str()?;
    let receipt = match status {
        "started" => Receipt::Taken,
        "ringing" | "answered" | "human" => Receipt::Underway,
        "completed" => Receipt::Completed,
        "busy" | "unanswered" | "timeout" | "machine" => Receipt::NotTaken,
        "rejected" if event["detail"] == "declined" => Receipt::NotTaken,
        "failed" | "rejected" | "cancelled" => Receipt::Failed,
        _ => return None,
    };
    let why = event["detail"].as_str().or_else(|| event["sub_state"].as_str()).unwrap_or_default();
    let detail = match (status, why) {
        ("busy", _) => "the line was busy".to_owned(),
        ("unanswered" | "timeout", _) => "no answer".to_owned(),
        ("machine", _) => "a machine took it".to_owned(),
        ("rejected", "declined") => "the call was declined".to_owned(),
        (status, "") => status.to_owned(),
        (status, why) => format!("{status} ({})", shown(why)),
    };
    // Of the reasons that Vonage's reference lists, the one that lies in the number: "cannot_route" may also be that the
    // account may not call there.
    let is_gone = receipt == Receipt::Failed && why == "number_out_of_service";
    Some(Said { receipt, detail, is_gone })
}

/// A key that somebody pressed, or that nobody did.
async fn pressed(
    State(app): State<App>,
    Path((name, secret)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(account) = known(&app, &name, &secret, &headers, &body) else { return refused() };
    let Ok(event) = serde_json::from_slice::<Value>(&body) else { return unreadable("the body is no JSON") };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    // Version 1 of the event holds the keys themselves, version 2 an object.
    let digits =
        if event["dtmf"].is_string() { text(&event["dtmf"]) } else { text(&event["dtmf"]["digits"]) };
    // Not every form of the event says who it is between; the address names the delivery in any case.
    let number = |value: &Value| match value.as_str() {
        Some(number) => format!("+{}", number.trim_start_matches('+')),
        None => String::new(),
    };
    let (from, to) = (number(&event["from"]), number(&event["to"]));
    let query = read_form(uri.query().unwrap_or_default().as_bytes());
    let pressed = Pressed {
        attempt: attempt(&query),
        between: [&from, &to],
        digits: &digits,
        turn: field(&query, "turn").parse().ok(),
        six: field(&query, "six") == "1",
        voice: Voice::Ncco(account),
    };
    keys::press(&app, &pressed).await
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/callbacks/vonage/{name}/{secret}/calls", post(calls))
        .route("/callbacks/vonage/{name}/{secret}/keys", post(pressed))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}
