//! Callbacks of providers that do not sign, known by a secret in their address:
//! `/callbacks/http/NAME/SECRET/{receipts,messages}`, a form or a JSON object by POST.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use escalation::contact::Contact;
use escalation::receipt::Receipt;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::{attempt, field, find, nothing, read_form, refused, unavailable, unreadable};
use crate::channel::providers::exchange::shown;
use crate::config::provider::Protocol;
use crate::http::App;
use crate::reply::sms::answer_sms;
use crate::store::phone::Said;

/// The largest callback, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// Vonage's errors of messages that never arrive there: gone for good, moved nowhere, no such number.
const GONE: [&str; 3] = ["3", "5", "9"];

/// Whether the provider of this name has this secret.
fn is_known(app: &App, name: &str, given: &str) -> bool {
    let secret = match find(app, name).map(|provider| &provider.protocol) {
        Some(Protocol::Vonage(account)) => account.secret.as_ref(),
        Some(Protocol::Http(description)) => description.secret.as_ref(),
        Some(Protocol::Twilio(_)) | None => None,
    };
    secret.is_some_and(|secret| secret.reveal().as_bytes().ct_eq(given.as_bytes()).into())
}

/// The fields of the body, whichever of both it is.
fn fields(headers: &HeaderMap, body: &Bytes) -> Vec<(String, String)> {
    let kind = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.contains("json") {
        return read_form(body);
    }
    let Ok(Value::Object(object)) = serde_json::from_slice(body) else { return Vec::new() };
    let plain = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    object.into_iter().map(|(name, value)| (name, plain(value))).collect()
}

async fn receipts(
    State(app): State<App>,
    Path((name, secret)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_known(&app, &name, &secret) {
        return refused();
    }
    let query = read_form(uri.query().unwrap_or_default().as_bytes());
    let Some((id, attempt)) = attempt(&query) else {
        return unreadable(
            "the address names no delivery; call the {receipt_url} that was sent with the message",
        );
    };
    let fields = fields(&headers, &body);
    let status = field(&fields, "status").to_ascii_lowercase();
    let receipt = match status.as_str() {
        "accepted" | "buffered" | "submitted" | "sent" => Receipt::Underway,
        "delivered" | "answered" => Receipt::Arrived,
        "busy" | "no-answer" | "unanswered" | "machine" => Receipt::NotTaken,
        "failed" | "undelivered" | "rejected" | "expired" | "deleted" => Receipt::Failed,
        // A provider that does not know says nothing.
        "unknown" => return nothing(),
        _ => {
            return unreadable(
                "status: write \"sent\", \"delivered\", \"busy\", \"no-answer\", \"failed\", \"rejected\" or \"expired\"",
            );
        }
    };
    let code = field(&fields, "err-code");
    let detail = if code.is_empty() { status.clone() } else { format!("{status} (error {})", shown(code)) };
    // Another gateway's codes mean something else.
    let is_vonage = find(&app, &name).is_some_and(|one| matches!(one.protocol, Protocol::Vonage(_)));
    let is_gone = if is_vonage { GONE.contains(&code) } else { status == "rejected" };
    match app.store.receipt(id, attempt, Said { receipt, detail, is_gone }).await {
        Ok(()) => nothing(),
        Err(error) => unavailable(&error),
    }
}

async fn messages(
    State(app): State<App>,
    Path((name, secret)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !is_known(&app, &name, &secret) {
        return refused();
    }
    let fields = fields(&headers, &body);
    let either =
        |one, other| Some(field(&fields, one)).filter(|it| !it.is_empty()).unwrap_or(field(&fields, other));
    let (from, text) = (either("msisdn", "from"), field(&fields, "text"));
    let Ok(from) = format!("sms:+{}", from.trim_start_matches('+')).parse::<Contact>() else {
        return unreadable("from: write the number that the message came from, such as \"+4930123456\"");
    };
    let id = either("messageId", "id");
    if id.is_empty() {
        return unreadable("id: write the gateway's name for the message; one that comes twice counts once");
    }
    let id = format!("{name}:{id}");
    match app.store.has_seen(id.clone()).await {
        Ok(false) => {}
        Ok(true) => return nothing(),
        Err(error) => return unavailable(&error),
    }
    let done = async {
        if let Some(answer) = answer_sms(&app.store, &from, text, app.clock.now()).await? {
            app.store.answer_line(from.clone(), answer).await?;
        }
        app.store.saw(id).await
    };
    match done.await {
        Ok(_) => nothing(),
        Err(error) => unavailable(&error),
    }
}

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/callbacks/http/{name}/{secret}/receipts", post(receipts))
        .route("/callbacks/http/{name}/{secret}/messages", post(messages))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}
