//! Buttons pressed in Slack: a signed request for each, answered to whoever pressed.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use escalation::contact::{Contact, Kind};
use escalation::event::Via;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::{is_signed, seen_id};
use crate::channel::slack;
use crate::http::App;
use crate::outbound::Outbound;
use crate::reply::{Said, press};
use crate::secret::Secret;

/// How old, or how far ahead, a signed request may be.
const MAX_AGE: SignedDuration = SignedDuration::from_mins(5);

/// What is needed to believe Slack, and to answer it.
#[derive(Clone)]
pub struct Slack {
    signing_secret: Secret,
    outbound: Outbound,
    /// Where answers go: addresses that begin so, and no others.
    hooks: String,
}

impl Slack {
    /// For the app that speaks for us; answers go through `outbound`.
    pub fn new(app: &slack::App, outbound: Outbound) -> Self {
        let origin =
            url::Url::parse(&app.api).map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        let hooks = if origin == "https://slack.com" { "https://hooks.slack.com".to_owned() } else { origin };
        Self { signing_secret: app.signing_secret.clone(), outbound, hooks: format!("{hooks}/") }
    }

    /// Whether Slack sent this, not long ago.
    fn signed(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), &'static str> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let (at, signature) = (text("x-slack-request-timestamp"), text("x-slack-signature"));
        let sent = at.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let age = sent.ok_or("X-Slack-Request-Timestamp is missing or no number")?.duration_since(now).abs();
        let proof = signature.strip_prefix("v0=").ok_or("X-Slack-Signature is missing")?;
        if !is_signed(self.signing_secret.reveal().as_bytes(), &[b"v0:", at.as_bytes(), b":", body], proof) {
            return Err("the signature does not fit: is signing_secret the one of this app?");
        }
        if age > MAX_AGE { Err("the request is more than 5 minutes old") } else { Ok(()) }
    }

    /// Tells whoever pressed a button what came of it.
    async fn tell(self, response_url: String, said: Said) {
        if !response_url.starts_with(&self.hooks) {
            tracing::warn!("Slack wants its answer at an address that is not Slack's; it gets none");
            return;
        }
        let body = json!({
            "response_type": "ephemeral", "replace_original": false, "text": slack::escape(&said.text),
        });
        if let Err(error) = self.outbound.client().post(response_url).json(&body).send().await {
            let error = error.without_url();
            tracing::warn!(%error, "somebody could not be told in Slack what was done");
        }
    }
}

#[derive(Deserialize)]
struct Interaction {
    #[serde(rename = "type")]
    kind: String,
    user: User,
    #[serde(default)]
    actions: Vec<Action>,
    #[serde(default)]
    response_url: String,
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Action {
    #[serde(default)]
    value: String,
}

fn refuse(status: StatusCode, why: &'static str) -> Response {
    tracing::warn!(why, "a request to /callbacks/slack was refused");
    (status, why).into_response()
}

async fn interact(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(slack) = app.callbacks.slack.clone() else {
        return refuse(StatusCode::NOT_FOUND, "Slack is not set up here");
    };
    if let Err(why) = slack.signed(&headers, &body, app.clock.now()) {
        return refuse(StatusCode::UNAUTHORIZED, why);
    }
    let payload = url::form_urlencoded::parse(&body).find(|(name, _)| name == "payload");
    let Some(interaction) =
        payload.and_then(|(_, payload)| serde_json::from_str::<Interaction>(&payload).ok())
    else {
        return refuse(StatusCode::BAD_REQUEST, "there is no payload that can be read");
    };
    let from = format!("{}:{}", Kind::Slack.word(), interaction.user.id).parse::<Contact>();
    let (Ok(from), Some(action), "block_actions") =
        (from, interaction.actions.into_iter().next(), interaction.kind.as_str())
    else {
        // Nothing that we have asked for, and nothing to do.
        return StatusCode::OK.into_response();
    };
    let signature = headers.get("x-slack-signature").map(|value| value.as_bytes());
    let said = match app.store.saw(seen_id("slack", signature.unwrap_or_default())).await {
        Ok(true) => press(&app.store, &app.links, &from, Via::Slack, &action.value).await,
        Ok(false) => return StatusCode::OK.into_response(),
        Err(error) => Err(error),
    };
    let said = said.unwrap_or_else(|error| {
        tracing::error!(%error, "a button pressed in Slack did nothing");
        Said::unavailable()
    });
    // Slack waits three seconds for this answer, and shows another.
    tokio::spawn(slack.tell(interaction.response_url, said));
    StatusCode::OK.into_response()
}

pub(super) fn router() -> Router<App> {
    Router::new().route("/callbacks/slack", post(interact))
}
