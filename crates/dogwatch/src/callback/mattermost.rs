//! Buttons pressed in Mattermost. The server does not sign its requests; it sends back what the button carries and
//! shows to nobody, and among that is a secret.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::post;
use escalation::contact::{Contact, Kind};
use escalation::event::Via;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use crate::http::App;
use crate::http::body::Document;
use crate::reply::{Said, press};

#[derive(Deserialize)]
struct Pressed {
    user_name: String,
    context: Context,
}

#[derive(Deserialize)]
struct Context {
    press: String,
    secret: String,
}

async fn interact(State(app): State<App>, document: Document) -> Response {
    let refuse = |status: StatusCode, why: &'static str| {
        tracing::warn!(why, "a request to /callbacks/mattermost was refused");
        (status, why).into_response()
    };
    let Some(secret) = &app.callbacks.mattermost else {
        return refuse(StatusCode::NOT_FOUND, "Mattermost is not set up here");
    };
    let Ok(pressed) = serde_json::from_value::<Pressed>(document.value) else {
        return refuse(StatusCode::BAD_REQUEST, "this is not what Mattermost sends when a button is pressed");
    };
    if !bool::from(secret.reveal().as_bytes().ct_eq(pressed.context.secret.as_bytes())) {
        return refuse(StatusCode::UNAUTHORIZED, "this button is not one of Dogwatch's");
    }
    let Ok(from) = format!("{}:@{}", Kind::Mattermost.word(), pressed.user_name).parse::<Contact>() else {
        return refuse(StatusCode::BAD_REQUEST, "there is no user of this name");
    };
    let said = press(&app.store, &app.links, &from, Via::Mattermost, &pressed.context.press).await;
    let said = said.unwrap_or_else(|error| {
        tracing::error!(%error, "a button pressed in Mattermost did nothing");
        Said::unavailable()
    });
    // Shown to whoever pressed, and to nobody else.
    Json(json!({ "ephemeral_text": said.text, "skip_slack_parsing": true })).into_response()
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/callbacks/mattermost", post(interact))
}
